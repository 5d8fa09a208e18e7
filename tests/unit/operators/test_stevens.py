"""Extended Stevens operators against closed forms, the Wigner-Eckart theorem and a published table."""

from fractions import Fraction
from math import factorial, prod, sqrt

import numpy as np
import pytest

from mesospin.errors import InputError, InvalidModelError
from mesospin.operators.spin import ladder_power, lowering, projections, raising
from mesospin.operators.stevens import stevens_operator

# F_kq for q = 0 ... k from table 1 of I. D. Ryabov, J. Magn. Reson. 140, 141 (1999).  It divides what
# repeated commutation of J+^k with J- gives.
RYABOV = {
    1: [2, 1],
    2: [4, 2, 1],
    3: [24, 6, 6, 1],
    4: [48, 24, 8, 4, 1],
    5: [480, 240, 240, 10, 10, 1],
    6: [2880, 1440, 360, 60, 12, 6, 1],
    7: [40320, 5040, 1680, 168, 168, 14, 14, 1],
    8: [80640, 40320, 40320, 6720, 672, 336, 16, 8, 1],
    9: [1451520, 725760, 725760, 60480, 60480, 864, 288, 18, 18, 1],
    10: [14515200, 7257600, 1209600, 604800, 86400, 2880, 360, 180, 20, 10, 1],
    11: [319334400, 79833600, 79833600, 13305600, 2661120, 23760, 7920, 1320, 1320, 22, 22, 1],
    12: [1916006400, 958003200, 958003200, 31933440, 3991680, 1995840, 31680, 15840, 1584, 264, 24, 12, 1],
}  # fmt: skip

ALL_OF_J_15_2 = [(k, q) for k in range(1, 13) for q in range(-k, k + 1)]


def anticommutator(a, b):
    return a @ b + b @ a


def closed_forms(J):
    """Return the operators of even rank as polynomials in Jz, J+ and J-, q >= 0."""
    X, one = J * (J + 1), np.eye(round(2 * J) + 1)
    z = np.diag(projections(J))

    def p(n):
        return np.linalg.matrix_power(z, n)

    def ladder(n):
        return ladder_power(J, n) + ladder_power(J, -n)

    def mixed(polynomial, n):
        return anticommutator(polynomial, ladder(n)) / 4

    return {
        (2, 0): 3 * p(2) - X * one,
        (2, 1): mixed(z, 1),
        (2, 2): ladder(2) / 2,
        (4, 0): 35 * p(4) - (30 * X - 25) * p(2) + (3 * X**2 - 6 * X) * one,
        (4, 1): mixed(7 * p(3) - (3 * X + 1) * z, 1),
        (4, 2): mixed(7 * p(2) - (X + 5) * one, 2),
        (4, 3): mixed(z, 3),
        (4, 4): ladder(4) / 2,
        (6, 0): 231 * p(6)
        - (315 * X - 735) * p(4)
        + (105 * X**2 - 525 * X + 294) * p(2)
        - (5 * X**3 - 40 * X**2 + 60 * X) * one,
        (6, 1): mixed(33 * p(5) - (30 * X - 15) * p(3) + (5 * X**2 - 10 * X + 12) * z, 1),
        (6, 2): mixed(33 * p(4) - (18 * X + 123) * p(2) + (X**2 + 10 * X + 102) * one, 2),
        (6, 3): mixed(11 * p(3) - (3 * X + 59) * z, 3),
        (6, 4): mixed(11 * p(2) - (X + 38) * one, 4),
        (6, 5): mixed(z, 5),
        (6, 6): ladder(6) / 2,
    }


@pytest.mark.parametrize("J", [3, 3.5, 6, 7.5, 8, 10])
def test_even_ranks_equal_their_closed_forms(J):
    for (k, q), expected in closed_forms(J).items():
        scale = np.abs(expected).max()
        assert np.allclose(stevens_operator(J, k, q), expected, rtol=0, atol=1e-13 * scale), (k, q)


def three_j(J, k, q, m):
    """Return the 3j symbol (J k J; -m-q q m) up to a factor common to all m, by Racah's sum."""
    j, m = Fraction(round(2 * J), 2), Fraction(round(2 * m), 2)
    first = -(m + q)

    def f(x):
        return factorial(int(x))

    total = Fraction(0)
    for t in range(k + 1):
        parts = (t, k - t, j - first - t, k + q - t, j - k + first + t, t - q)
        if min(parts) >= 0:
            total += Fraction((-1) ** t, prod(f(part) for part in parts))
    root = f(j + first) * f(j - first) * f(k + q) * f(k - q) * f(j + m) * f(j - m)
    return (-1) ** int(j - k - m) * float(total) * sqrt(root)


@pytest.mark.parametrize(("k", "q"), ALL_OF_J_15_2)
def test_wigner_eckart_for_J_15_2(k, q):
    """Elements are proportional to a Clebsch-Gordan coefficient; the symbol comes from Racah's formula."""
    J, power = 7.5, abs(q)
    operator = stevens_operator(J, k, q)
    part = np.real(operator) if q >= 0 else np.imag(operator)
    m = projections(J)
    expected, found = [], []
    for column in range(power, 16):
        phase = (-1) ** round(J - m[column] - power)
        expected.append(phase * three_j(J, k, power, m[column]))
        found.append(part[column - power, column])
    expected, found = np.array(expected), np.array(found)
    ratio = found @ expected / (expected @ expected)
    assert ratio != 0.0
    assert np.allclose(found, ratio * expected, rtol=0, atol=1e-12 * np.abs(found).max())


@pytest.mark.parametrize(("k", "q"), ALL_OF_J_15_2)
def test_normalisation_for_J_15_2_is_that_of_the_published_table(k, q):
    """Repeated commutation in floating point, divided by the published factors."""
    J, power = 7.5, abs(q)
    tensor = np.linalg.matrix_power(raising(J), k)
    for _ in range(k - power):
        tensor = lowering(J) @ tensor - tensor @ lowering(J)
    tensor = (-1) ** (k - power) * tensor / RYABOV[k][power]
    alpha = 0.5 if k % 2 == 0 and power % 2 == 1 else 1.0
    expected = alpha / 2 * (tensor + tensor.T) if q >= 0 else alpha / 2j * (tensor - tensor.T)
    scale = np.abs(expected).max()
    assert np.allclose(stevens_operator(J, k, q), expected, rtol=0, atol=1e-10 * scale)


@pytest.mark.parametrize(("k", "q"), ALL_OF_J_15_2)
def test_hermitian_traceless_and_orthogonal_for_J_15_2(k, q):
    operator = stevens_operator(7.5, k, q)
    norm = np.linalg.norm(operator)
    assert np.array_equal(operator, operator.conj().T)
    assert abs(np.trace(operator)) <= 1e-14 * norm
    for other in ALL_OF_J_15_2:
        if other != (k, q):
            partner = stevens_operator(7.5, *other)
            overlap = np.vdot(partner, operator)
            assert abs(overlap) <= 1e-13 * norm * np.linalg.norm(partner)


@pytest.mark.parametrize(("k", "q"), ALL_OF_J_15_2)
def test_time_reversal_parity_is_that_of_the_rank(k, q):
    """Time reversal takes <m|O|m'> to (-1)^(m-m') <-m|O|-m'>*, and O to (-1)^k O."""
    operator = stevens_operator(7.5, k, q)
    m = projections(7.5)
    signs = (-1.0) ** np.round(m[:, None] - m[None, :])
    reversed_operator = signs * operator[::-1, ::-1].conj()
    scale = np.abs(operator).max()
    assert np.allclose(reversed_operator, (-1) ** k * operator, rtol=0, atol=1e-14 * scale)


@pytest.mark.parametrize(("k", "q"), ALL_OF_J_15_2)
def test_zeros_outside_the_two_diagonals_are_exact(k, q):
    operator = stevens_operator(7.5, k, q)
    rows, columns = np.nonzero(operator)
    assert set(np.abs(rows - columns)) == {abs(q)}


def test_rank_one_is_the_spin_itself():
    assert np.allclose(stevens_operator(2, 1, 0), np.diag(projections(2)))
    assert np.allclose(stevens_operator(2, 1, 1), (raising(2) + lowering(2)) / 2)
    assert np.allclose(stevens_operator(2, 1, -1), (raising(2) - lowering(2)) / 2j)


@pytest.mark.parametrize(
    ("J", "k", "q", "sentence"),
    [
        (0.5, 2, 0, "k must be at most 2S = 1 for a spin 1/2, got 2"),
        (10, 13, 0, "k must lie between 1 and 12, got 13"),
        (10, 0, 0, "k must lie between 1 and 12, got 0"),
        (10, 4, 5, "q must lie between -4 and 4"),
        (0.7, 2, 0, "J must be a positive half-integer"),
    ],
)
def test_impossible_operators_are_refused(J, k, q, sentence):
    with pytest.raises(InvalidModelError, match=sentence):
        stevens_operator(J, k, q)


@pytest.mark.parametrize(("k", "q"), [(2.0, 0), (2, 0.0), (True, 0), ("2", 0)])
def test_rank_and_component_are_integers(k, q):
    with pytest.raises(InputError, match="must be an integer"):
        stevens_operator(10, k, q)
