r"""Extended Stevens operators of any rank in exact arithmetic.

The spherical tensor of rank k is built from its stretched component by commutation [1]_,

.. math:: T_k^k = J_+^k, \qquad T_k^{q-1} = [J_-, T_k^q],

and each component has the form :math:`J_+^q\, p_{kq}(J_z)` with a polynomial in :math:`J_z` and
:math:`X = J(J+1)` whose coefficients are integers.  Dividing by their greatest common divisor (with the
sign that makes the highest power of :math:`J_z` positive) gives the extended Stevens operators [1]_ [2]_,

.. math::
    O_k^q    &= \tfrac{\alpha}{2}\,(J_+^q p + p J_-^q), \qquad
    O_k^{-q}  = \tfrac{\alpha}{2i}\,(J_+^q p - p J_-^q), \qquad q \ge 0,

with :math:`\alpha = 1/2` for even k and odd q, else 1.  This is the normalisation of EasySpin.  Everything
is done in integers up to the last step, one multiplication with the square root of the ladder product.

References
----------
.. [1] I. D. Ryabov, J. Magn. Reson. 140, 141 (1999).
.. [2] C. Rudowicz and C. Y. Chung, J. Phys.: Condens. Matter 16, 5825 (2004).
"""

import math
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import half_integer, integer, spin_text
from mesospin.errors import InvalidModelError
from mesospin.operators.local import LocalOperator, hermitian_bands

__all__ = ["LARGEST_RANK", "stevens_bands", "stevens_operator"]

LARGEST_RANK = 12

# A polynomial in m and X: {(power of m, power of X): integer coefficient}.
_Polynomial = dict[tuple[int, int], int]


def stevens_operator(J: float, k: int, q: int) -> NDArray[np.float64] | NDArray[np.complex128]:
    r"""Return the matrix of the extended Stevens operator :math:`O_k^q`.

    Parameters
    ----------
    J : float
        Angular momentum, half-integer.
    k : int
        Rank, 1 <= k <= min(2J, 12).
    q : int
        Component, -k <= q <= k.

    Returns
    -------
    ndarray, shape (2J+1, 2J+1), read-only
        In the basis m = +J ... -J; real for q >= 0, purely imaginary (complex) for q < 0; dimensionless.

    Raises
    ------
    InvalidModelError
        If J is not a half-integer, or k or q is out of range.

    Notes
    -----
    A rank above 2J has no matrix elements in a multiplet J and is refused rather than returned as zeros.

    Examples
    --------
    >>> np.diag(stevens_operator(1, 2, 0))
    array([ 1., -2.,  1.])
    >>> stevens_operator(1, 2, 2)
    array([[0., 0., 1.],
           [0., 0., 0.],
           [1., 0., 0.]])
    """
    J = half_integer("J", J)
    check_rank(J, k, q)
    return _stevens(J, int(k), int(q))


def check_rank(J: float, k: int, q: int) -> None:
    """Raise if there is no operator of rank `k` and component `q` for the spin `J`."""
    integer("k", k)
    integer("q", q)
    if not 1 <= k <= LARGEST_RANK:
        raise InvalidModelError(f"k must lie between 1 and {LARGEST_RANK}, got {k}; use a lower rank")
    if k > 2 * J:
        raise InvalidModelError(
            f"k must be at most 2S = {round(2 * J)} for a spin {spin_text(J)}, got {k}; remove the term"
        )
    if abs(q) > k:
        raise InvalidModelError(
            f"q must lie between -{k} and {k} for k = {k}, got {q}; correct the component"
        )


@lru_cache(maxsize=1024)
def _stevens(J: float, k: int, q: int) -> NDArray[np.float64] | NDArray[np.complex128]:
    matrix = stevens_bands(J, k, q).matrix()
    matrix.setflags(write=False)
    return matrix


def stevens_bands(J: float, k: int, q: int) -> LocalOperator:
    r"""Return :math:`O_k^q` in exact form, without its matrix.

    Examples
    --------
    >>> [(band.step, band.polynomial) for band in stevens_bands(1, 2, 0).bands]
    [(0, (Fraction(-2, 1), Fraction(0, 1), Fraction(3, 1)))]
    """
    spin, power = Fraction(round(2 * J), 2), abs(q)
    square = spin * (spin + 1)
    primitive = _primitive_polynomial(k, power)
    degree = max(a for a, _ in primitive)
    coefficients = [
        sum((c * square**b for (a, b), c in primitive.items() if a == n), start=Fraction(0))
        for n in range(degree + 1)
    ]
    alpha = Fraction(1, 2) if k % 2 == 0 and power % 2 == 1 else Fraction(1)
    factor = alpha if power == 0 else alpha / 2
    polynomial = tuple(factor * c for c in coefficients)
    return LocalOperator(J, hermitian_bands(power, 1.0 if q >= 0 else -1j, polynomial))


@lru_cache(maxsize=256)
def _primitive_polynomial(k: int, q: int) -> _Polynomial:
    """Return p_kq with coprime integer coefficients and a positive leading power of m."""
    polynomial: _Polynomial = {(0, 0): 1}
    for component in range(k, q, -1):
        polynomial = _commute_with_lowering(polynomial, component)
        # Dividing at every step keeps the integers short and cannot change the primitive part.
        divisor = math.gcd(*polynomial.values())
        polynomial = {power: coefficient // divisor for power, coefficient in polynomial.items()}
    sign = 1 if polynomial[max(polynomial)] > 0 else -1
    return {power: sign * coefficient for power, coefficient in polynomial.items()}


def _commute_with_lowering(p: _Polynomial, q: int) -> _Polynomial:
    r"""Return the polynomial of :math:`[J_-, J_+^q p(J_z)] = J_+^{q-1} r(J_z)`.

    With :math:`J_\mp J_\pm = X - J_z^2 \mp J_z` and :math:`J_z J_+ = J_+ (J_z + 1)` it is
    :math:`r(m) = [X - (m+q-1)(m+q)]\, p(m) - [X - m(m-1)]\, p(m-1)`.
    """
    first = _multiply({(0, 1): 1, (2, 0): -1, (1, 0): -(2 * q - 1), (0, 0): -q * (q - 1)}, p)
    second = _multiply({(0, 1): 1, (2, 0): -1, (1, 0): 1}, _shift(p))
    result = dict(first)
    for power, coefficient in second.items():
        result[power] = result.get(power, 0) - coefficient
    return {power: coefficient for power, coefficient in result.items() if coefficient}


def _multiply(a: _Polynomial, b: _Polynomial) -> _Polynomial:
    result: _Polynomial = {}
    for (m1, x1), c1 in a.items():
        for (m2, x2), c2 in b.items():
            power = (m1 + m2, x1 + x2)
            result[power] = result.get(power, 0) + c1 * c2
    return result


def _shift(p: _Polynomial) -> _Polynomial:
    """Return p(m - 1)."""
    result: _Polynomial = {}
    for (a, b), coefficient in p.items():
        for i in range(a + 1):
            power = (i, b)
            result[power] = result.get(power, 0) + coefficient * math.comb(a, i) * (-1) ** (a - i)
    return result
