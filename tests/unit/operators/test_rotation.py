import numpy as np
import pytest

from mesospin.operators.rotation import (
    euler_matrix,
    rotate_operator,
    rotate_tensor,
    stevens_mixing,
    wigner_matrix,
    without_dust,
)
from mesospin.operators.spin import spin_operators
from mesospin.operators.stevens import stevens_operator

ANGLES = [(0.3, 0.7, -1.1), (np.pi / 2, 0.0, 0.0), (0.0, np.pi / 2, 0.0), (1.0, np.pi, 2.0), (0.0, 0.0, 0.0)]
QUARTER_TURNS = [
    (a * np.pi / 2, b * np.pi / 2, c * np.pi / 2) for a in range(4) for b in range(3) for c in range(4)
]


@pytest.mark.parametrize("angles", ANGLES)
@pytest.mark.parametrize("S", [0.5, 2, 7.5])
def test_the_spin_is_a_vector_under_rotation(S, angles):
    """U S_a U+ = sum_b R_ba S_b: the rotated operator is the component along the rotated axis."""
    operators = spin_operators(S)
    rotation = euler_matrix(angles)
    for a in range(3):
        expected = sum(rotation[b, a] * operators[b] for b in range(3))
        assert np.allclose(rotate_operator(operators[a], S, angles), expected, rtol=0, atol=1e-13 * S)


@pytest.mark.parametrize("angles", ANGLES)
def test_wigner_matrices_are_unitary_and_multiply(angles):
    U = wigner_matrix(4.5, angles)
    assert np.allclose(U @ U.conj().T, np.eye(10), atol=1e-13)
    alpha, beta, gamma = angles
    V = (
        wigner_matrix(4.5, (alpha, 0.0, 0.0))
        @ wigner_matrix(4.5, (0.0, beta, 0.0))
        @ wigner_matrix(4.5, (0.0, 0.0, gamma))
    )
    assert np.allclose(U, V, atol=1e-13)


@pytest.mark.parametrize("angles", ANGLES)
@pytest.mark.parametrize("k", [1, 2, 3, 4, 6, 9, 12])
def test_rotated_stevens_operators_stay_in_their_rank(k, angles):
    J = 7.5
    for q in (-k, -1, 0, k // 2, k):
        expected = rotate_operator(stevens_operator(J, k, q), J, angles)
        found = sum(c * stevens_operator(J, k, p) for p, c in stevens_mixing(k, q, angles))
        assert np.allclose(found, expected, rtol=0, atol=3e-13 * np.abs(expected).max())


@pytest.mark.parametrize("angles", QUARTER_TURNS)
def test_quarter_turns_leave_no_rounding_in_the_zero_pattern(angles):
    """A quarter turn permutes the axes, so q keeps or loses parity classes exactly."""
    rotation = euler_matrix(angles)
    assert np.array_equal(np.abs(rotation), np.abs(np.round(rotation)))
    for k in (2, 4, 6, 12):
        assert all(p % 2 == 0 and p >= 0 for p, _ in stevens_mixing(k, 0, angles)), (k, angles)


def test_tensor_rotation_moves_the_axes():
    turned = rotate_tensor(np.diag([1.0, 2.0, 3.0]), (np.pi / 2, 0.0, 0.0))
    assert np.array_equal(turned != 0, np.eye(3, dtype=bool))
    assert np.allclose(np.diag(turned), [2, 1, 3])
    assert rotate_tensor(turned, None) is turned


def test_without_dust_cleans_real_and_imaginary_parts():
    cleaned = without_dust(np.array([1.0 + 1e-17j, 1e-17 + 1j, 0.1]))
    assert np.array_equal(cleaned, [1.0, 1j, 0.1])
    assert without_dust(np.zeros((0, 0))).shape == (0, 0)
    original = np.array([1.0, 1e-17])
    without_dust(original)
    assert original[1] == 1e-17
