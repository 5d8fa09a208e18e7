"""evolve_state: shapes, refusals, linearity, breakpoints and the independence of the matrix form."""

import numpy as np
import pytest

from mesospin.constants import HBAR
from mesospin.dynamics.coherent.propagators import chebyshev_coefficients
from mesospin.dynamics.coherent.unitary import evolve_state, total_phase
from mesospin.dynamics.methods import Exact
from mesospin.errors import ConvergenceError, InputError
from mesospin.operators.spin import spin_operators

SX, SY, SZ = (np.asarray(operator) for operator in spin_operators(1.5))
H0 = np.real(-1.0 * SZ @ SZ + 0.3 * SX)
G = np.real(SZ)
UP = np.array([1.0, 0.0, 0.0, 0.0])
TIMES = np.linspace(0.0, 12.0, 4) * HBAR


def ramp(times):
    return -3.0 + 0.5 * times / HBAR


def test_result_has_the_shape_of_the_initial_states():
    one = evolve_state(H0, G, UP, field=ramp, times=TIMES)
    two = evolve_state(H0, G, np.eye(4)[:, :2], field=ramp, times=TIMES)
    assert one.states.shape == (4, 4)
    assert two.states.shape == (4, 4, 2)
    np.testing.assert_allclose(two.states[:, :, 0], one.states, atol=1e-9)
    np.testing.assert_array_equal(one.states[0], UP)
    assert 0.0 < one.error <= 1e-8


def test_inputs_are_left_alone():
    h0, g, psi, times = H0.copy(), G.copy(), UP.astype(complex), TIMES.copy()
    evolve_state(h0, g, psi, field=ramp, times=times)
    np.testing.assert_array_equal(h0, H0)
    np.testing.assert_array_equal(g, G)
    np.testing.assert_array_equal(psi, UP)
    np.testing.assert_array_equal(times, TIMES)


def test_equal_inputs_give_equal_outputs():
    first = evolve_state(H0, G, UP, field=ramp, times=TIMES).states
    np.testing.assert_array_equal(first, evolve_state(H0, G, UP, field=ramp, times=TIMES).states)


def test_requested_times_do_not_change_the_end():
    many = evolve_state(H0, G, UP, field=ramp, times=TIMES).states[-1]
    few = evolve_state(H0, G, UP, field=ramp, times=TIMES[[0, -1]]).states[-1]
    np.testing.assert_allclose(many, few, atol=2e-8)


def test_basis_does_not_matter():
    # A complex rotation makes real banded matrices complex and full.
    rng = np.random.default_rng(1)
    rotation = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))[0]
    turned = evolve_state(
        rotation @ H0 @ rotation.conj().T,
        rotation @ G @ rotation.conj().T,
        rotation @ UP,
        field=ramp,
        times=TIMES,
    )
    plain = evolve_state(H0, G, UP, field=ramp, times=TIMES)
    np.testing.assert_allclose(turned.states[-1], rotation @ plain.states[-1], atol=2e-8)


def test_constant_shift_is_a_phase():
    shifted = evolve_state(H0 + 5.0 * np.eye(4), G, UP, field=ramp, times=TIMES).states[-1]
    plain = evolve_state(H0, G, UP, field=ramp, times=TIMES).states[-1]
    np.testing.assert_allclose(shifted, np.exp(-5j * 12.0) * plain, atol=2e-8)


def test_jump_of_the_field_at_a_breakpoint():
    middle = 6.0 * HBAR
    run = evolve_state(
        H0,
        G,
        UP,
        field=lambda t: np.where(t < middle, -1.0, 2.0),
        times=[0.0, 2.0 * middle],
        breakpoints=[middle],
    )
    expected = UP.astype(complex)
    for field in (-1.0, 2.0):
        energies, vectors = np.linalg.eigh(H0 + field * G)
        expected = vectors @ (np.exp(-1j * energies * 6.0) * (vectors.T @ expected))
    np.testing.assert_allclose(run.states[-1], expected, atol=1e-11)


def test_no_hamiltonian_at_all():
    run = evolve_state(np.zeros((2, 2)), np.zeros((2, 2)), [0.6, 0.8], field=ramp, times=[0.0, 1.0])
    np.testing.assert_allclose(run.states[-1], [0.6, 0.8], atol=1e-14)


def test_no_phase_has_two_coefficients_as_the_steps_need():
    np.testing.assert_allclose(chebyshev_coefficients(0.0), [1.0, 0.0])


def test_total_phase_is_the_spread_at_the_worse_end():
    assert total_phase(np.diag([0.0, 1.0]), np.diag([0.0, 2.0]), low=-3.0, high=1.0, duration=HBAR) == (
        pytest.approx(5.0)
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"H0": H0 + np.triu(np.ones((4, 4)), 1)}, "H0 must be Hermitian"),
        ({"H0": np.full((4, 4), np.nan)}, "H0 must be finite"),
        ({"G": np.eye(3)}, "G must have the shape of H0"),
        ({"G": np.ones(4)}, "G must be a matrix"),
        ({"states": 2.0 * UP}, "states must be normalised"),
        ({"states": np.full(4, np.nan)}, "states must be finite"),
        ({"states": np.ones(3)}, "states must be finite, of shape"),
        ({"times": [0.0, 0.0]}, "times must rise"),
        ({"times": [0.0]}, "times must rise"),
        ({"times": [0.0, np.nan]}, "times must be finite"),
        ({"field": lambda t: np.full(t.shape, np.nan)}, "field must return finite"),
        ({"field": lambda t: 1.0}, "field must return finite values of shape"),
        ({"times": [0.0, 1.0]}, r"phase of the sweep below 1e\+07 rad.*RateEquations"),
    ],
)
def test_refusals(change, sentence):
    arguments = {"H0": H0, "G": G, "states": UP, "field": np.zeros_like, "times": TIMES} | change
    h0, g, states = (arguments.pop(name) for name in ("H0", "G", "states"))
    with pytest.raises(InputError, match=sentence):
        evolve_state(h0, g, states, **arguments)


def test_too_few_steps():
    with pytest.raises(ConvergenceError, match="max_steps must allow the tolerance") as caught:
        evolve_state(H0, G, UP, field=ramp, times=TIMES, method=Exact(max_steps=10))
    assert caught.value.diagnostics["steps"] > 10


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"tolerance": float("nan")}, "tolerance must be positive"),
        ({"step": 0.5}, "step must be at most 0.2"),
        ({"window": 10.0}, "window must be at least 300"),
        ({"max_steps": 0}, "max_steps must be at least 2"),
    ],
)
def test_method_refuses(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        Exact(**arguments)
