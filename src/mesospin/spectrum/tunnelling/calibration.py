"""Which trajectories count, and how well their sum does: spins of some tens of levels with the same energy.

The instantons of a spin depend on its classical energy h alone.  The same h belongs to spins of every size,
and small ones are diagonalised at high precision: how far their splittings deviate from the sum over
instantons tells whether the right ones were counted, and how large the 1/S corrections are.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import flint
import numpy as np

from mesospin.errors import ConvergenceError
from mesospin.spectrum.tunnelling.classical_spin import ClassicalSpin, Complex
from mesospin.spectrum.tunnelling.instanton import Instanton, amplitude_sum

#: Smallest and largest size that is compared, with the next two; half and twice of it show the trend.
_SIZES, _LARGEST = (16, 24), 36
#: Exponent of the splitting that a compared spin shall have at least, and at most where its wells are
#: equal to double precision only.
_EXPONENT, _LARGEST_EXPONENT = 6.0, 24.0
#: Deviation that needs no look at the trend.
_CLEAR = 0.1
#: Deviation of a size, relative to that of half of it: 1/2 for 1/S corrections.
_TREND = 0.75
#: Largest number of actions that are left out.
_LEFT_OUT = 3
#: Bits beyond those that the gap needs.
_GUARD_BITS = 64


class Calibration(NamedTuple):
    """The instantons that count, and C of the deviation C/S from exact splittings.

    Deviations are relative to the sum of the sizes of all instantons, so that they stay small where these
    cancel.
    """

    counted: list[Instanton]
    coefficient: float


def calibrate(spin: ClassicalSpin, found: list[Instanton], *, symmetric: bool) -> Calibration:
    """Return the instantons whose sum approaches the exact splittings of small spins as 1/S.

    All of them do as a rule.  Where they do not, those of the smallest action are left out, as
    saddle points on which the path integral does not pass.

    Parameters
    ----------
    spin : ClassicalSpin
        The classical energy.
    found : list of Instanton
        Its instantons.
    symmetric : bool
        Whether a symmetry makes the two wells equal, so that they are equal for every size.

    Raises
    ------
    ConvergenceError
        If no such sum is found.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.spectrum.tunnelling.classical_spin import classical_spin
    >>> from mesospin.spectrum.tunnelling.instanton import instantons
    >>> spin = classical_spin(giant_spin(1000, D=-1.0, E=0.3), np.zeros(3))
    >>> result = calibrate(spin, instantons(spin, *spin.minima()), symmetric=True)
    >>> len(result.counted), result.coefficient < 0.2
    (2, True)
    """
    counted = sorted(found, key=lambda one: -one.log_key.real)
    for _ in range(_LEFT_OUT + 1):
        if counted:
            coefficient = _coefficient(spin, counted, symmetric=symmetric)
            if math.isfinite(coefficient):
                return Calibration(counted, coefficient)
        counted = [one for one in counted if one.log_key.real < counted[0].log_key.real - 1e-6]
    msg = (
        "the sum over complex trajectories does not approach the splittings of spins with this classical "
        "energy; use LargeSpin() or Certified()"
    )
    raise ConvergenceError(msg)


def _coefficient(spin: ClassicalSpin, counted: list[Instanton], *, symmetric: bool) -> float:
    """Return C, or infinity where the deviation does not fall like C/S."""
    exponent = -2 * counted[0].log_key.real
    size = int(np.clip(math.ceil(_EXPONENT / max(exponent, 1e-9)), *_SIZES))
    if not symmetric:
        size = max(4, min(size, int(_LARGEST_EXPONENT / max(exponent, 1e-9))))

    def largest(size: int) -> float:
        return max(_deviation(spin, counted, S) for S in (size, size + 1, size + 2))

    deviation = largest(size)
    if deviation <= _CLEAR:
        return size * deviation
    smaller, sizes = largest(size // 2), [size // 2, size]
    if symmetric:
        sizes.append(min(2 * size, _LARGEST))
    deviations = [smaller, deviation, *(largest(size) for size in sizes[2:])]
    if any(b > _TREND * a for a, b in itertools.pairwise(deviations)):
        return math.inf
    return max(s * d for s, d in zip(sizes, deviations, strict=True))


def _deviation(spin: ClassicalSpin, counted: list[Instanton], S: float) -> float:
    logarithm, ratio = amplitude_sum(counted, S)
    size = logarithm - math.log(max(ratio, 1e-300))
    exact = log_gap(spin.symbol, S, expected=size)
    return abs(math.exp(min(exact - size, 50.0)) - ratio)


def log_gap(symbol: Complex, S: float, *, expected: float) -> float:
    """Return ln of the gap [K] of the two lowest levels of the spin S with a given classical energy.

    ``expected`` is ln of the size of the gap [K]; more than ten digits are kept below it.
    """
    width = (S + 0.5) * float(np.sum(np.abs(symbol)))
    before = flint.ctx.prec
    flint.ctx.prec = _GUARD_BITS + max(0, math.ceil((math.log(width) - expected) / math.log(2)))
    try:
        levels = sorted(x.real.mid() for x in _eigenvalues(symbol, S))
        gap = levels[1] - levels[0]
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
