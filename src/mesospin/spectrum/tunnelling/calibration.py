"""How well the sum over instantons describes small spins with the same classical energy.

The instantons of a spin depend on its classical energy h alone.  The same h belongs to spins of every size,
and those of some tens of levels are diagonalised at high precision: how far their splittings deviate from the
sum over instantons tells whether the right instantons were counted, and how large the 1/S corrections are.
"""

from __future__ import annotations

import math

import flint
import numpy as np

from mesospin.spectrum.tunnelling.classical_spin import ClassicalSpin, Complex
from mesospin.spectrum.tunnelling.instanton import Instanton, amplitude_sum

#: Smallest and largest size that is compared, with the next; half of it shows the trend.
_SIZES = 16, 32
#: Exponent of the splitting that a compared spin shall have at least.
_EXPONENT = 6.0
#: Deviation that needs no look at the trend.
_CLEAR = 0.1
#: The deviation of the larger sizes, relative to the smaller: 1/2 for 1/S corrections.
_TREND = 0.85
#: Bits beyond those that the gap needs.
_GUARD_BITS = 64


def one_over_S_coefficient(spin: ClassicalSpin, found: list[Instanton]) -> float:
    """Return C of the deviation C/S of exact splittings from the sum over instantons.

    It is infinite where the deviation does not fall with S.  Deviations are relative to the sum of the
    sizes of all instantons, so that they stay small where these cancel.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.spectrum.tunnelling.classical_spin import classical_spin
    >>> from mesospin.spectrum.tunnelling.instanton import instantons
    >>> spin = classical_spin(giant_spin(1000, D=-1.0, E=0.3), np.zeros(3))
    >>> one_over_S_coefficient(spin, instantons(spin, *spin.minima())) < 0.5
    True
    """
    exponent = -2 * max(one.log_key.real for one in found)
    size = int(np.clip(math.ceil(_EXPONENT / max(exponent, 1e-9)), *_SIZES))
    larger = max(_deviation(spin, found, S) for S in (size, size + 1))
    coefficient = size * larger
    if larger > _CLEAR:
        half = size // 2
        smaller = max(_deviation(spin, found, S) for S in (half, half + 1))
        coefficient = max(coefficient, half * smaller)
        if larger > _TREND * smaller:
            return math.inf
    return coefficient


def _deviation(spin: ClassicalSpin, found: list[Instanton], S: float) -> float:
    logarithm, ratio = amplitude_sum(found, S)
    size = logarithm - math.log(max(ratio, 1e-300))
    exact = log_gap(spin.symbol, S, expected=size)
    return abs(math.exp(min(exact - size, 50.0)) - ratio)


def log_gap(symbol: Complex, S: float, *, expected: float) -> float:
    """Return ln of the gap [K] of the two lowest levels of the spin S with a given classical energy.

    ``expected`` is ln of the size of the gap [K]; ten digits are kept below it.
    """
    width = (S + 0.5) * float(np.sum(np.abs(symbol)))
    before = flint.ctx.prec
    flint.ctx.prec = _GUARD_BITS + max(0, math.ceil((math.log(width) - expected) / math.log(2)))
    try:
        levels = sorted((x.real.mid() for x in _eigenvalues(symbol, S)), key=float)
        lowest = sorted(levels[:4])
        gap = lowest[1] - lowest[0]
        return float(gap.log()) if gap > 0 else -math.inf
    finally:
        flint.ctx.prec = before


def _eigenvalues(symbol: Complex, S: float) -> list[flint.acb]:
    rows = _matrix(symbol, S)
    if np.any(symbol.imag):
        return list(flint.acb_mat(rows).eig(algorithm="approx", multiple=True))
    real = [[element.real for element in row] for row in rows]
    return list(flint.arb_mat(real).eig(algorithm="approx", multiple=True))


def _matrix(symbol: Complex, S: float) -> list[list[flint.acb]]:
    """Return the matrix of a spin S whose Weyl symbol is j h, up to 1/j^2."""
    j, size = flint.arb(S) + flint.arb(0.5), round(2 * S) + 1
    rows = [[flint.acb(0)] * size for _ in range(size)]
    for step in range(min(len(symbol), size)):
        half = 1.0 if step == 0 else 0.5
        coefficients = [flint.acb(half * c.real, half * c.imag) for c in symbol[step].tolist()]
        for column in range(step, size):
            middle = (S - column + 0.5 * step) / j
            element = flint.acb(0)
            for coefficient in reversed(coefficients):
                element = element * middle + coefficient
            square = math.prod((column - i) * (size - column + i) for i in range(step))
            element = element * j * (flint.arb(square) / j ** (2 * step)).sqrt()
            rows[column - step][column] = element
            rows[column][column - step] = element.conjugate()
    return rows
