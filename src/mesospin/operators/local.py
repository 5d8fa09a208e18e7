r"""Operators of one spin in exact form: bands of polynomials in Sz times powers of the ladder operators.

Every operator of a spin Hamiltonian is a sum of bands

.. math:: \langle m+n|A|m\rangle = c\,p(m)\sqrt{\prod_{i<n}(S-m-i)(S+m+1+i)}

with a rational polynomial p and a double-precision coefficient c.  Dense matrices, banded ones of huge
spins and balls of any precision are all evaluated from this form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm

import numpy as np
from numpy.typing import NDArray

from mesospin.operators.spin import dimension, ladder_power

__all__ = ["Band", "LocalOperator", "Polynomial", "cartesian_operator", "hermitian_bands", "ladder_operator"]

Polynomial = tuple[Fraction, ...]
"""Coefficients of a polynomial in the projection m, lowest power first."""


@dataclass(frozen=True, slots=True)
class Band:
    """One off-diagonal of an operator of one spin.

    Attributes
    ----------
    step : int
        n: the elements <m+n|A|m> for n >= 0, <m|A|m+|n|> for n < 0.
    coefficient : complex
        Factor; its parts count as exact binary numbers.
    polynomial : tuple of Fraction
        p(m) in the lower of the two projections, lowest power first.
    """

    step: int
    coefficient: complex
    polynomial: Polynomial


@dataclass(frozen=True, slots=True)
class LocalOperator:
    """An operator of a spin S as a sum of bands.

    Examples
    --------
    >>> ladder_operator(1, "+").matrix().round(4)
    array([[0.    , 1.4142, 0.    ],
           [0.    , 0.    , 1.4142],
           [0.    , 0.    , 0.    ]])
    """

    S: float
    bands: tuple[Band, ...]

    def matrix(self) -> NDArray[np.float64] | NDArray[np.complex128]:
        """Return the dense matrix, shape (2S+1, 2S+1), in the basis m = +S ... -S."""
        real = all(band.coefficient.imag == 0.0 for band in self.bands)
        size = dimension(self.S)
        total = np.zeros((size, size), dtype=np.complex128)
        for band in self.bands:
            upper = ladder_power(self.S, abs(band.step)) * _polynomial_values(self.S, band.polynomial)
            total += band.coefficient * (upper if band.step >= 0 else upper.T)
        return total.real.copy() if real else total

    def scaled(self, factor: complex) -> LocalOperator:
        """Return the operator times a number."""
        bands = tuple(Band(b.step, complex(factor) * b.coefficient, b.polynomial) for b in self.bands)
        return LocalOperator(self.S, bands)


@lru_cache(maxsize=1024)
def _polynomial_values(S: float, polynomial: Polynomial) -> NDArray[np.float64]:
    """Return p(m) for m = +S ... -S; each value is rounded once."""
    denominator = lcm(*(c.denominator for c in polynomial)) << len(polynomial)
    # Horner in the integer 2m, over one common denominator
    steps = [int(c * denominator) >> k for k, c in enumerate(polynomial)]
    values = np.empty(dimension(S))
    for column in range(values.size):
        twice_m, total = round(2 * S) - 2 * column, 0
        for coefficient in reversed(steps):
            total = total * twice_m + coefficient
        values[column] = total / denominator
    values.setflags(write=False)
    return values


def hermitian_bands(step: int, coefficient: complex, polynomial: Sequence[Fraction]) -> tuple[Band, ...]:
    """Return a band and its Hermitian conjugate (itself alone on the diagonal).

    Examples
    --------
    >>> [band.step for band in hermitian_bands(2, 1.0, (Fraction(1, 2),))]
    [2, -2]
    """
    upper = Band(step, complex(coefficient), tuple(polynomial))
    if step == 0:
        return (upper,)
    return (upper, Band(-step, complex(coefficient).conjugate(), upper.polynomial))


def ladder_operator(S: float, name: str) -> LocalOperator:
    """Return Sz (``"z"``), S+ (``"+"``) or S- (``"-"``) of a spin S."""
    if name == "z":
        return LocalOperator(S, (Band(0, 1.0 + 0j, (Fraction(0), Fraction(1))),))
    return LocalOperator(S, (Band(1 if name == "+" else -1, 1.0 + 0j, (Fraction(1),)),))


def cartesian_operator(S: float, vector: Sequence[float]) -> LocalOperator:
    """Return v . S for a vector v.

    Examples
    --------
    >>> cartesian_operator(0.5, (0.0, 1.0, 0.0)).matrix()
    array([[0.+0.j , 0.-0.5j],
           [0.+0.5j, 0.+0.j ]])
    """
    x, y, z = (float(component) for component in vector)
    bands: tuple[Band, ...] = ()
    if z != 0.0:
        bands += (Band(0, complex(z), (Fraction(0), Fraction(1))),)
    if x != 0.0 or y != 0.0:
        bands += hermitian_bands(1, complex(x, -y), (Fraction(1, 2),))
    return LocalOperator(S, bands)
