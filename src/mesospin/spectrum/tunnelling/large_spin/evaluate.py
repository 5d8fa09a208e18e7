"""Compiled evaluation of matrix elements along a chain, with twice the digits of a double."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mesospin.spectrum.tunnelling.large_spin.double_double import add, multiply, root, scale, two_product

__all__ = ["bond_squares", "rows", "values"]

Real = NDArray[np.float64]


@njit(cache=True, nogil=True)
def values(coefficients: Real, m: float, step: float, count: int) -> Real:
    """Return a polynomial at m, m + step, ...: high and low parts, shape (2, count)."""
    result = np.empty((2, count))
    high, low = result[0], result[1]
    degree = coefficients.shape[0] - 1
    high[:] = coefficients[degree, 0]
    low[:] = coefficients[degree, 1]
    for k in range(degree - 1, -1, -1):
        c, d = coefficients[k, 0], coefficients[k, 1]
        for j in range(count):
            a, b = scale(high[j], low[j], m + step * j)
            high[j], low[j] = add(a, b, c, d)
    return result


@njit(cache=True, nogil=True)
def _multiply_ladder(high: Real, low: Real, S: float, factors: int, m: float, step: float) -> None:
    """Multiply by (S-m-i)(S+m+1+i), i < factors, for m, m + step, ..."""
    for i in range(factors):
        for j in range(high.size):
            lower = m + step * j + i
            a, b = two_product(S - lower, S + lower + 1.0)
            high[j], low[j] = multiply(high[j], low[j], a, b)


@njit(cache=True, nogil=True)
def bond_squares(square: Real, S: float, period: int, m: float, step: float, count: int) -> Real:
    """Return |<m+period|H|m>|^2 for lower projections m, m + step, ..., shape (2, count)."""
    result = values(square, m, step, count)
    _multiply_ladder(result[0], result[1], S, period, m, step)
    return result


@njit(cache=True, nogil=True)
def rows(real: Real, imaginary: Real, S: float, period: int, n: int, m: float, count: int) -> Real:
    """Return <m|H|m + n period> for m, m - period, ..., shape (4, count): real and imaginary parts."""
    result = np.empty((4, count))
    result[:2] = values(real, m, -period, count)
    result[2:] = values(imaginary, m, -period, count)
    result[2:] *= -1.0
    square = np.zeros((2, count))
    square[0] = 1.0
    _multiply_ladder(square[0], square[1], S, n * period, m, -period)
    for j in range(count):
        a, b = root(square[0, j], square[1, j])
        result[0, j], result[1, j] = multiply(result[0, j], result[1, j], a, b)
        result[2, j], result[3, j] = multiply(result[2, j], result[3, j], a, b)
    return result
