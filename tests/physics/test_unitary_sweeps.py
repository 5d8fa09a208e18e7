"""Unitary sweeps of S = 1/2, 1, 3/2, 2, 10 against closed forms and an independent integrator."""

from math import factorial

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mesospin.constants import HBAR, MU_B
from mesospin.dynamics.coherent.unitary import evolve_state
from mesospin.dynamics.coherent.windows import Passage, window_probabilities
from mesospin.dynamics.methods import Exact
from mesospin.operators.spin import lowering, raising, spin_operators

SHARP = Exact(tolerance=1e-10)


def matrices(S):
    return [np.asarray(operator) for operator in spin_operators(S)]


def linear(rate):
    """B = rate t, with t in units of hbar / K."""
    return lambda times: rate * times / HBAR


def eigenstates(h):
    return np.linalg.eigh(h)[1]


def follow_levels(h0, g, rate, reach):
    """Transition matrix between eigenstates at the fields -reach and reach, both in order of energy."""
    start, stop = eigenstates(h0 - reach * g), eigenstates(h0 + reach * g)
    times = np.array([-reach / rate, reach / rate]) * HBAR
    run = evolve_state(h0, g, start, field=linear(rate), times=times, method=Exact(tolerance=1e-6))
    return np.abs(stop.conj().T @ run.states[-1]) ** 2


@pytest.mark.parametrize("gap", [0.1, 0.5, 1.0, 2.0])
def test_two_levels(gap):
    sx, _, sz = matrices(0.5)
    # H = v t sz + gap sx: the levels approach at v; P(stay on the lower level) = 1 - exp(-pi gap^2 / 2 v).
    probability = follow_levels(np.real(gap * sx), np.real(sz), 1.0, 60.0)
    # Read out in the eigenbasis, a finite window errs by about gap v / xi^3.
    assert probability[0, 0] == pytest.approx(-np.expm1(-np.pi * gap**2 / 2.0), abs=2e-5)


def rotation(S, a, b):
    """Matrix of spin S of the rotation with spin-1/2 matrix ((a, b), (-b*, a*)), from Schwinger bosons."""
    n = round(2 * S)
    result = np.zeros((n + 1, n + 1), dtype=complex)
    for column in range(n + 1):
        up, down = n - column, column
        # |m> ~ x^up y^down with x -> a x - b* y and y -> b x + a* y
        first = [
            factorial(up) / (factorial(k) * factorial(up - k)) * a ** (up - k) * (-np.conj(b)) ** k
            for k in range(up + 1)
        ]
        second = [
            factorial(down) / (factorial(k) * factorial(down - k)) * b ** (down - k) * np.conj(a) ** k
            for k in range(down + 1)
        ]
        weights = np.convolve(first, second)
        for row in range(n + 1):
            norm = np.sqrt(factorial(n - row) * factorial(row) / (factorial(up) * factorial(down)))
            result[row, column] = weights[row] * norm
    return result


@pytest.mark.parametrize("S", [1.0, 1.5, 2.0, 5.0])
def test_majorana(S):
    """A spin in a field alone turns like a spin 1/2, at every time: H = v t Sz + h Sx."""
    times = np.array([-20.0, -3.0, 1.0, 20.0]) * HBAR
    sx, _, sz = matrices(0.5)
    small = evolve_state(0.7 * sx, sz, np.eye(2), field=linear(1.0), times=times, method=SHARP)
    sx, _, sz = matrices(S)
    n = round(2 * S) + 1
    large = evolve_state(0.7 * sx, sz, np.eye(n), field=linear(1.0), times=times, method=SHARP)
    for two, many in zip(small.states, large.states, strict=True):
        expected = rotation(S, two[0, 0], two[0, 1])
        np.testing.assert_allclose(many, expected, atol=1e-8)


@pytest.mark.parametrize("S", [1.0, 1.5, 2.0])
def test_majorana_probabilities(S):
    """From m = -S: the binomial distribution with the two-level probability."""
    sx, _, sz = matrices(S)
    p = -np.expm1(-np.pi * 0.5**2 / 2.0)
    probability = follow_levels(np.real(0.5 * sx), np.real(sz), 1.0, 80.0)
    n = round(2 * S)
    # Order of energy after the sweep is m = -S ... S; following the ground level is n flips of spins 1/2.
    binomial = [
        factorial(n) / (factorial(k) * factorial(n - k)) * p ** (n - k) * (1 - p) ** k for k in range(n + 1)
    ]
    np.testing.assert_allclose(probability[:, 0], binomial, atol=2e-5 * n)


@pytest.mark.parametrize("S", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("transverse", [0.0, 0.3])
def test_anisotropic_spin_against_runge_kutta(S, transverse):
    sx, sy, sz = matrices(S)
    h0 = -2.0 * sz @ sz + 0.4 * (sx @ sx - sy @ sy) + transverse * (sx + 0.5 * sy)
    g = 1.1 * sz + 0.2 * sy
    start = np.eye(round(2 * S) + 1, dtype=complex)[:, :2]
    run = evolve_state(h0, g, start, field=linear(0.8), times=np.array([-8.0, 8.0]) * HBAR, method=SHARP)
    for column in range(2):
        peer = solve_ivp(
            lambda t, psi: -1j * ((h0 + 0.8 * t * g) @ psi),
            (-8.0, 8.0),
            start[:, column],
            method="DOP853",
            rtol=1e-12,
            atol=1e-13,
        )
        np.testing.assert_allclose(run.states[-1, :, column], peer.y[:, -1], atol=1e-9)


def test_pulse_against_runge_kutta():
    sx, sy, sz = matrices(2.0)
    h0 = np.real(-1.0 * sz @ sz + 0.2 * (sx @ sx - sy @ sy))
    g = np.real(sz + 0.1 * sx)
    run = evolve_state(
        h0,
        g,
        np.eye(5)[0],
        field=lambda t: 4.0 * np.sin(np.pi * t / (15.0 * HBAR)),
        times=np.array([0.0, 15.0]) * HBAR,
        method=SHARP,
    )
    peer = solve_ivp(
        lambda t, psi: -1j * ((h0 + 4.0 * np.sin(np.pi * t / 15.0) * g) @ psi),
        (0.0, 15.0),
        np.eye(5, dtype=complex)[0],
        method="DOP853",
        rtol=1e-12,
        atol=1e-13,
    )
    np.testing.assert_allclose(run.states[-1], peer.y[:, -1], atol=1e-9)


def test_one_level_through_a_band():
    """Demkov and Osherov: one sloping level meets parallel ones; each is met independently."""
    energies, couplings = np.array([-2.0, 0.5, 3.0]), np.array([0.25, 0.4, 0.15])
    h0 = np.diag(np.concatenate([[0.0], energies]))
    h0[0, 1:] = h0[1:, 0] = couplings
    g = np.diag([1.0, 0.0, 0.0, 0.0])
    stay = np.exp(-2.0 * np.pi * couplings**2)
    probability = follow_levels(h0, g, 1.0, 200.0)
    # Coming from below, the sloping level is the lowest at the start and the highest at the end.
    expected = [1 - stay[0], stay[0] * (1 - stay[1]), stay[0] * stay[1] * (1 - stay[2]), np.prod(stay)]
    np.testing.assert_allclose(probability[:, 0], expected, atol=5e-5)


def test_bow_tie_of_three_levels():
    """Carroll and Hioe: three levels cross in one point, the middle one coupled to both."""
    a, b = 0.4, 0.55
    h0 = np.array([[0.0, a, 0.0], [a, 0.0, b], [0.0, b, 0.0]])
    probability = follow_levels(h0, np.diag([1.0, 0.0, -1.0]), 1.0, 200.0)
    p, q = np.exp(-np.pi * a**2), np.exp(-np.pi * b**2)
    # Rising level: p^2 to itself, (1 - p)(p + q) to the middle, (1 - p)(1 - q) to the falling one.
    rising = [(1 - p) * (1 - q), (1 - p) * (p + q), p**2]
    np.testing.assert_allclose(probability[:, 0], rising, atol=1e-4)
    assert probability[1, 1] == pytest.approx((1 - p - q) ** 2, abs=1e-4)


@pytest.mark.parametrize("S", [1.0, 1.5, 2.0])
def test_steepest_level_of_an_anisotropic_spin(S):
    """Brundobler and Elser: the level of extreme slope survives with its direct couplings only."""
    sx, sy, sz = matrices(S)
    n = round(2 * S) + 1
    h0 = np.real(-1.5 * sz @ sz + 0.25 * (sx @ sx - sy @ sy) + 0.2 * sx)
    m = S - np.arange(n)
    survival = np.exp(-2.0 * np.pi * np.sum(h0[0, 1:] ** 2 / (m[0] - m[1:])))
    # m = +S is the lowest level at -reach and the highest at +reach.
    probability = follow_levels(h0, np.real(sz), 1.0, 150.0)
    assert probability[-1, 0] == pytest.approx(survival, rel=2e-3)


@pytest.mark.parametrize("S", [1.0, 1.5, 2.0])
def test_time_reversal(S):
    """Forward, complex conjugate, the mirrored protocol, conjugate again: back at the start (H real)."""
    sx, sy, sz = matrices(S)
    h0 = np.real(-1.0 * sz @ sz + 0.3 * (sx @ sx - sy @ sy) + 0.2 * sx)
    g = np.real(sz)
    start = np.eye(round(2 * S) + 1)
    times = np.array([0.0, 10.0]) * HBAR

    def field(t):
        return -2.0 + 0.5 * t / HBAR - 0.02 * (t / HBAR) ** 2

    there = evolve_state(h0, g, start, field=field, times=times, method=SHARP).states[-1]
    back = evolve_state(
        h0, g, there.conj(), field=lambda t: field(times[1] - t), times=times, method=SHARP
    ).states[-1]
    np.testing.assert_allclose(back.conj(), start, atol=1e-9)


def test_norm_and_scalar_products_of_21_levels():
    sx, _, sz = matrices(10.0)
    up, down = raising(10.0), lowering(10.0)
    h0 = np.real(-sz @ sz + 0.025 * (up @ up + down @ down) - 0.2 * sx)
    times = np.linspace(-20.0, 20.0, 5) * HBAR
    run = evolve_state(h0, np.real(-sz), np.eye(21)[:, :4], field=linear(0.1), times=times)
    for states in run.states:
        np.testing.assert_allclose(states.conj().T @ states, np.eye(4), atol=1e-12)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8])
def test_tolerance_bounds_the_error(tolerance):
    sx, sy, sz = matrices(2.0)
    h0 = np.real(-2.0 * sz @ sz + 0.4 * (sx @ sx - sy @ sy) + 0.3 * sx)
    arguments = {"field": linear(0.8), "times": np.array([-8.0, 8.0]) * HBAR}
    exact = evolve_state(h0, np.real(sz), np.eye(5)[0], method=Exact(tolerance=1e-11), **arguments)
    run = evolve_state(h0, np.real(sz), np.eye(5)[0], method=Exact(tolerance=tolerance), **arguments)
    error = np.linalg.norm(run.states[-1] - exact.states[-1])
    assert 1e-4 * tolerance < error <= tolerance


def fe8():
    """Fe8: D = 0.292, E = 0.046, C = -2.9e-5 K, g = 2; the gap at zero field is 4.5e-8 K."""
    sx, sy, sz = matrices(10.0)
    up, down = (np.linalg.matrix_power(ladder(10.0), 4) for ladder in (raising, lowering))
    h0 = np.real(-0.292 * sz @ sz + 0.046 * (sx @ sx - sy @ sy) - 2.9e-5 * (up + down))
    return h0, np.real(2.0 * MU_B * sz)


@pytest.mark.parametrize(("rate", "step"), [(0.1, 0.2), (1e-4, 0.1), (1e-4, 0.2), (1e-5, 0.1)])
def test_fe8_at_laboratory_rates(rate, step):
    h0, g = fe8()
    vectors = np.linalg.eigh(h0 + 1e-3 * g)[1]
    gap = float(np.diff(np.linalg.eigvalsh(h0))[0])
    assert gap == pytest.approx(4.5e-8, rel=5e-3)
    slope = abs(float(np.diff(np.diag(vectors.T @ g @ vectors)[:2])[0]))
    passage = Passage(field=0.0, gap=gap, slope=slope, lower=0, rate=rate)
    result = window_probabilities(h0, g, passage, method=Exact(step=step))
    # Landau and Zener: 1.56e-4, 0.145 and 0.791; a step of 0.2 tau_LZ or less is good to 1e-3.
    assert result[0, 0] == pytest.approx(-np.expm1(-passage.exponent), rel=1e-3)
    # The other 19 levels take no part.
    assert np.max(result[2:, :2]) < 1e-13
    np.testing.assert_allclose(result.sum(axis=0), 1.0, atol=1e-11)
