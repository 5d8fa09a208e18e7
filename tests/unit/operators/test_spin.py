import numpy as np
import pytest

from mesospin.errors import InvalidModelError
from mesospin.operators.spin import dimension, ladder_power, lowering, projections, raising, spin_operators

SPINS = [0.5, 1, 1.5, 4.5, 10, 30]


@pytest.mark.parametrize("S", SPINS)
def test_algebra_of_angular_momentum(S):
    Sx, Sy, Sz = spin_operators(S)
    scale = S * (S + 1)
    for a, b, c in ((Sx, Sy, Sz), (Sy, Sz, Sx), (Sz, Sx, Sy)):
        assert np.allclose(a @ b - b @ a, 1j * c, rtol=0, atol=1e-14 * scale)
    total = Sx @ Sx + Sy @ Sy + Sz @ Sz
    assert np.allclose(total, scale * np.eye(dimension(S)), rtol=0, atol=1e-14 * scale)


@pytest.mark.parametrize("S", SPINS)
def test_basis_runs_from_plus_S_to_minus_S(S):
    m = projections(S)
    assert m[0] == S
    assert m[-1] == -S
    assert np.array_equal(np.diag(spin_operators(S)[2]), m)


@pytest.mark.parametrize("S", SPINS)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 7])
def test_ladder_powers_are_matrix_powers_with_exact_zeros(S, n):
    expected = np.linalg.matrix_power(raising(S), n)
    assert np.allclose(ladder_power(S, n), expected, rtol=1e-13)
    assert np.array_equal(ladder_power(S, -n), ladder_power(S, n).T)
    off_pattern = np.ones_like(expected, dtype=bool)
    rows = np.arange(max(0, dimension(S) - n))
    off_pattern[rows, rows + n] = False
    assert not np.any(ladder_power(S, n)[off_pattern])


def test_matrices_are_cached_and_read_only():
    assert raising(2) is raising(2)
    for matrix in (*spin_operators(1), raising(1), lowering(1)):
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 0] = 1.0


@pytest.mark.parametrize("S", [0, -1, 0.3, 2.25, float("nan"), float("inf"), "1"])
def test_only_half_integers_have_matrices(S):
    with pytest.raises(Exception, match="S must") as caught:
        spin_operators(S)
    assert isinstance(caught.value, ValueError)


def test_invalid_spin_is_a_model_error():
    with pytest.raises(InvalidModelError, match="S must be a positive half-integer"):
        projections(0.7)
