"""evolve_density: closed forms, both forms of the dissipator, an independent library, refusals."""

import numpy as np
import pytest
import qutip

from mesospin.constants import HBAR
from mesospin.dynamics.coherent.dissipator import apply_exponential, build_dissipator, taylor_terms
from mesospin.dynamics.coherent.lindblad import evolve_density
from mesospin.dynamics.coherent.unitary import evolve_state
from mesospin.dynamics.methods import Exact, Lindblad
from mesospin.errors import ConvergenceError, InputError
from mesospin.operators.spin import lowering, raising, spin_operators

S = 2.0
SX, SY, SZ = (np.asarray(operator) for operator in spin_operators(S))
UP, DOWN = np.real(raising(S)), np.real(lowering(S))
H0 = np.real(-2.0 * SZ @ SZ + 0.3 * (SX @ SX - SY @ SY) + 0.4 * SX)
G = np.real(-SZ)
START = np.eye(5)[4]
TIMES = np.array([0.0, 6.0, 12.0]) * HBAR
# Rates of 0.05, 0.01 and 0.02 in units of K / hbar.
LADDER = tuple(np.sqrt(rate / HBAR) * L for rate, L in ((0.05, DOWN), (0.01, UP), (0.02, np.real(SZ))))


def ramp(times):
    return -3.0 + 0.5 * times / HBAR


def sweep(**changes):
    arguments = {"field": ramp, "times": TIMES, "collapse": LADDER, "tolerance": 1e-8} | changes
    h0, g, state = arguments.pop("H0", H0), arguments.pop("G", G), arguments.pop("state", START)
    return evolve_density(h0, g, state, **arguments)


def haar(n):
    rng = np.random.default_rng(3)
    return np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))[0]


def superoperator(collapse, n):
    result = np.zeros((n * n, n * n), dtype=complex)
    for operator in collapse:
        square = operator.conj().T @ operator
        result += np.kron(operator, operator.conj())
        result -= 0.5 * (np.kron(square, np.eye(n)) + np.kron(np.eye(n), square.T))
    return result


@pytest.mark.parametrize(
    "collapse",
    [
        LADDER,
        tuple(np.exp(1j * np.arange(5)) * L for L in LADDER),
        tuple(L + 0.3 * LADDER[0].T for L in LADDER),
        tuple(haar(5) @ L for L in LADDER),
        (np.outer(np.eye(5)[1], np.eye(5)[3]) / np.sqrt(HBAR),),
        (np.zeros((5, 5)),),
        (),
    ],
    ids=["ladder", "phases", "two diagonals", "dense", "one element", "zero", "none"],
)
@pytest.mark.parametrize("time", [0.3, 20.0, -0.2])
def test_exponential_of_the_dissipator(collapse, time):
    rho = np.outer(haar(5)[:, 0], haar(5)[:, 0].conj())
    d = build_dissipator(collapse, 5)
    parts, terms = taylor_terms(d.norm, time * HBAR)
    values, vectors = np.linalg.eig(HBAR * superoperator(collapse, 5))
    expected = vectors @ (np.exp(time * values) * np.linalg.solve(vectors, rho.ravel()))
    result = rho.copy()
    apply_exponential(
        result,
        time * HBAR,
        parts,
        terms,
        d.shifts,
        d.coefficients,
        d.operators,
        d.adjoints,
        d.decay,
    )
    np.testing.assert_allclose(result, expected.reshape(5, 5), atol=1e-10)
    assert np.trace(result) == pytest.approx(1.0, abs=1e-13)


def test_ladder_operators_need_no_products():
    assert build_dissipator(LADDER, 5).operators.size == 0
    assert build_dissipator([LADDER[0] + LADDER[1]], 5).coefficients.size == 0


def test_without_collapse_it_is_the_unitary_sweep():
    psi = evolve_state(H0, G, START, field=ramp, times=TIMES, method=Exact(tolerance=1e-9)).states
    run = sweep(collapse=())
    np.testing.assert_allclose(run.density, psi[:, :, None] * psi[:, None, :].conj(), atol=2e-8)


def test_decay_of_a_level():
    down = np.array([[0.0, 0.0], [1.0, 0.0]])
    h0 = np.diag([0.5, -0.5])
    run = evolve_density(
        h0,
        np.zeros((2, 2)),
        np.array([0.6, 0.8]),
        field=np.zeros_like,
        times=np.array([0.0, 1.0, 3.0]) * HBAR,
        collapse=[np.sqrt(0.7 / HBAR) * down],
        tolerance=1e-10,
    )
    for t, rho in zip((0.0, 1.0, 3.0), run.density, strict=True):
        up = 0.36 * np.exp(-0.7 * t)
        coherence = 0.48 * np.exp(-(0.35 + 1j) * t)
        np.testing.assert_allclose(rho, [[up, coherence], [np.conj(coherence), 1 - up]], atol=1e-9)


def test_dephasing_in_a_ramped_field():
    """H diagonal: populations stay, coherences turn by the integral of the field and shrink exactly."""
    psi = np.full(5, 1.0 / np.sqrt(5.0))
    m = np.diag(np.real(SZ))
    run = sweep(H0=-2.0 * np.real(SZ @ SZ), state=psi, collapse=(np.sqrt(0.02 / HBAR) * np.real(SZ),))
    t = 12.0
    phase = np.exp(-1j * (-2.0 * m**2 * t - m * (-3.0 * t + 0.25 * t**2)))
    shrink = np.exp(-0.5 * 0.02 * t * (m[:, None] - m) ** 2)
    np.testing.assert_allclose(run.density[-1], 0.2 * np.outer(phase, phase.conj()) * shrink, atol=1e-8)


@pytest.mark.parametrize("strength", [0.1, 1.0, 20.0])
def test_against_qutip(strength):
    collapse = [np.sqrt(strength) * L for L in LADDER]
    run = sweep(collapse=collapse)
    hamiltonian = qutip.QobjEvo([qutip.Qobj(H0), [qutip.Qobj(G), lambda t: -3.0 + 0.5 * t]])
    peer = qutip.mesolve(
        hamiltonian,
        qutip.Qobj(START),
        [0.0, 6.0, 12.0],
        c_ops=[qutip.Qobj(np.sqrt(HBAR) * L) for L in collapse],
        options={"method": "vern9", "rtol": 1e-11, "atol": 1e-13, "nsteps": 10**7, "progress_bar": ""},
    )
    for ours, theirs in zip(run.density, peer.states, strict=True):
        np.testing.assert_allclose(ours, theirs.full(), atol=1e-8)


def test_basis_does_not_matter():
    # The rotated operators are dense and complex: the other form of the dissipator.
    u = haar(5)
    turned = sweep(
        H0=u @ H0 @ u.conj().T,
        G=u @ G @ u.conj().T,
        state=u @ START,
        collapse=tuple(u @ L @ u.conj().T for L in LADDER),
    )
    np.testing.assert_allclose(u.conj().T @ turned.density[-1] @ u, sweep().density[-1], atol=2e-8)


@pytest.mark.parametrize("strength", [0.1, 1.0, 20.0])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-5, 1e-7])
def test_tolerance_bounds_the_error(tolerance, strength):
    collapse = [np.sqrt(strength) * L for L in LADDER]
    exact = sweep(collapse=collapse, tolerance=1e-10).density[-1]
    run = sweep(collapse=collapse, tolerance=tolerance)
    assert np.linalg.norm(run.density[-1] - exact) <= tolerance
    assert run.error <= tolerance


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6])
def test_a_density_matrix_stays_one(tolerance):
    run = sweep(tolerance=tolerance)
    for rho in run.density:
        assert np.trace(rho) == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_allclose(rho, rho.conj().T, atol=1e-13)
        assert np.linalg.eigvalsh(rho)[0] >= -tolerance


def test_density_matrix_as_start():
    mixed = 0.5 * np.diag(START) + 0.5 * np.eye(5) / 5.0
    halves = 0.5 * sweep().density[-1] + 0.5 * sweep(state=np.eye(5) / 5.0).density[-1]
    np.testing.assert_allclose(sweep(state=mixed).density[-1], halves, atol=2e-8)


def test_kink_of_the_field():
    middle = 6.0 * HBAR
    whole = sweep(field=lambda t: np.minimum(ramp(t), 0.0), breakpoints=[middle], times=TIMES[[0, 2]])
    first = sweep(times=TIMES[:2])
    second = sweep(state=first.density[-1], field=np.zeros_like, times=TIMES[1:])
    np.testing.assert_allclose(whole.density[-1], second.density[-1], atol=2e-8)


def test_equal_inputs_give_equal_outputs_and_stay_unchanged():
    given = [operator.copy() for operator in LADDER]
    np.testing.assert_array_equal(sweep(collapse=given).density, sweep(collapse=given).density)
    for before, after in zip(LADDER, given, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"H0": H0 + np.triu(np.ones((5, 5)), 1)}, "H0 must be Hermitian"),
        ({"G": np.eye(3)}, "G must have the shape of H0"),
        ({"state": 2.0 * START}, "state must be normalised"),
        ({"state": np.full(5, np.nan)}, "state must be a finite"),
        ({"state": np.diag([0.5, 0.5, 0.0, 0.0, 0.0]) + np.eye(5, k=1)}, "state must be normalised and Herm"),
        ({"collapse": [np.eye(3)]}, r"collapse\[0\] must be a finite matrix of shape \(5, 5\)"),
        ({"collapse": [np.full((5, 5), np.nan)]}, r"collapse\[0\] must be a finite"),
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"times": [1.0, 0.0]}, "times must rise"),
        ({"max_steps": 1}, "max_steps must be at least 2"),
    ],
)
def test_refusals(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        sweep(**changes)


def test_too_few_steps():
    with pytest.raises(ConvergenceError, match="max_steps must allow the tolerance"):
        sweep(max_steps=20)


def test_method_checks_its_tolerance():
    with pytest.raises(InputError, match="tolerance must be positive"):
        Lindblad(collapse=LADDER, tolerance=-1.0)
