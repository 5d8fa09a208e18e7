r"""Arithmetic with twice the digits of a double, for compiled kernels.

A number is an unevaluated sum of two doubles, ``(high, low)``, with |low| <= ulp(high)/2.  Products use the
fused multiply-add, so that every operation has a relative error of a few 2^-106 [1]_; a sum of opposite
signs has that error relative to its operands.

References
----------
.. [1] Y. Hida, X. S. Li and D. H. Bailey, Proc. 15th IEEE Symposium on Computer Arithmetic, 155 (2001).
"""

from __future__ import annotations

import math
from typing import Any

from flint import fmpq
from numba import njit, types
from numba.extending import intrinsic

__all__ = [
    "EPSILON",
    "add",
    "divide",
    "exact",
    "fma",
    "multiply",
    "rational",
    "root",
    "rounded",
    "scale",
    "split",
    "two_product",
]

Pair = tuple[float, float]

#: Relative error of one operation.
EPSILON = 2.0**-104


def _fused(typing_context: Any, a: Any, b: Any, c: Any) -> Any:  # noqa: ARG001
    """Return the code of a*b + c."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


#: a*b + c with one rounding, inside compiled functions.
fma: Any = intrinsic(_fused)


@njit(cache=True, nogil=True)
def two_product(a: float, b: float) -> Pair:
    """Return a*b exactly."""
    high = a * b
    return high, fma(a, b, -high)


@njit(cache=True, nogil=True)
def add(a: float, b: float, c: float, d: float) -> Pair:
    """Return (a, b) + (c, d)."""
    high = a + c
    shadow = high - a
    low = (a - (high - shadow)) + (c - shadow) + (b + d)
    total = high + low
    return total, low - (total - high)


@njit(cache=True, nogil=True)
def multiply(a: float, b: float, c: float, d: float) -> Pair:
    """Return (a, b) * (c, d)."""
    high = a * c
    low = fma(a, d, fma(b, c, fma(a, c, -high)))
    total = high + low
    return total, low - (total - high)


@njit(cache=True, nogil=True)
def scale(a: float, b: float, c: float) -> Pair:
    """Return (a, b) * c."""
    high = a * c
    low = fma(b, c, fma(a, c, -high))
    total = high + low
    return total, low - (total - high)


@njit(cache=True, nogil=True)
def divide(a: float, b: float, c: float, d: float) -> Pair:
    """Return (a, b) / (c, d)."""
    inverse = 1.0 / c
    high = a * inverse
    low = (fma(-high, c, a) + fma(-high, d, b)) * inverse
    total = high + low
    return total, low - (total - high)


@njit(cache=True, nogil=True)
def root(a: float, b: float) -> Pair:
    """Return the square root of (a, b) >= 0."""
    if a <= 0.0:
        return 0.0, 0.0
    high = math.sqrt(a)
    low = (fma(-high, high, a) + b) / (2.0 * high)
    total = high + low
    return total, low - (total - high)


def split(value: fmpq) -> Pair:
    """Return a rational number as (high, low), rounded.

    Examples
    --------
    >>> split(fmpq(1, 3))[0] == 1 / 3, exact(split(fmpq(1, 4)))
    (True, 1/4)
    """
    high = float(value)
    return high, float(value - rational(high))


def exact(pair: Pair) -> fmpq:
    """Return (high, low) as a rational number."""
    return rational(pair[0]) + rational(pair[1])


def rational(value: float) -> fmpq:
    """Return a double as a rational number."""
    return fmpq(*float(value).as_integer_ratio())


def rounded(value: fmpq) -> fmpq:
    """Return the number (high, low) nearest to a rational number."""
    return exact(split(value))
