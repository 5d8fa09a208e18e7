r"""Gaps that are not tiny: both levels from the effective matrix of two sites, at the field of their minimum.

The levels solve :math:`\det[h(E) - E] = 0` exactly.  With Z the norms of the two dressed states, the two
eigenvalues of :math:`Z^{-1/2}(h - E)Z^{-1/2}` are the distances to the levels to first order; adding them to
E until they vanish converges like (gap / spacing)^k.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from flint import fmpq

from mesospin.errors import ConvergenceError
from mesospin.spectrum.tunnelling.large_spin.coupling import Effective, effective
from mesospin.spectrum.tunnelling.large_spin.double_double import rational, rounded
from mesospin.spectrum.tunnelling.large_spin.elements import Chain
from mesospin.spectrum.tunnelling.large_spin.resonance import Meeting, Question

__all__ = ["NOISE", "minimum_gap"]

_STEPS = 60
#: Part of the gap to which both levels are solved.
_PRECISION = 1e-18
#: Rounding of the effective matrix (elements are of order one).
NOISE = 1e-29


class _At(NamedTuple):
    gap: float
    centre: fmpq


def minimum_gap(asked: Question, met: Meeting, gap: float) -> tuple[float, fmpq, float]:
    """Return the minimum gap, its field [T] and error, from an estimate (unit of the chain)."""
    field, centre = met.field, met.levels[0].energy
    if asked.even:
        best = _levels(met.chains[0], met, centre, gap)
        return best.gap, field, NOISE
    exponent = met.chains[0].exponent
    slope = (met.levels[0].slope - met.levels[1].slope) * 2.0**-exponent
    mean = rational(0.5 * (met.levels[0].slope + met.levels[1].slope)) / fmpq(2) ** exponent
    # gap^2 is analytic in the field: a parabola around the minimum, then two so narrow that they are exact
    squares: list[float] = []
    offset = curvature = 0.0
    for part in (0.5, 1e-3, 1e-3):
        reach = rational(part * gap / abs(slope))
        squares = []
        for k in (-1, 0, 1):
            at = rounded(field + k * reach)
            chain = asked.ladder.chain(asked.upper, at, exponent)
            squares.append(_levels(chain, met, centre + mean * (at - met.field), gap).gap ** 2)
        curvature = squares[0] - 2 * squares[1] + squares[2]
        offset = 0.5 * (squares[0] - squares[2]) / curvature
        field = rounded(field + rational(offset) * reach)
    lowest = squares[1] - 0.5 * offset**2 * curvature
    return math.sqrt(lowest), field, NOISE


def _levels(chain: Chain, met: Meeting, start: fmpq, gap: float) -> _At:
    """Return the distance of the two levels of a chain near an energy, and their mean."""
    a, b = met.levels
    found: list[fmpq] = []
    for sign in (-1, 1):
        energy = rounded(start + rational(0.5 * sign * gap))
        for _ in range(_STEPS):
            h = effective(chain, a.site, b.site, energy, (0, chain.sites - 1))
            step = _distance(h, a.norm, b.norm, sign)
            energy = rounded(energy + rational(step))
            if abs(step) <= max(_PRECISION * gap, NOISE):
                break
        else:
            msg = (
                "the two levels are mixed with others too strongly for LargeSpin(); use DoublePrecision() or "
                "Certified()"
            )
            raise ConvergenceError(msg, {"correction": step})
        found.append(energy)
    return _At(float(found[1] - found[0]), (found[0] + found[1]) / 2)


def _distance(h: Effective, first: fmpq, second: fmpq, sign: int) -> float:
    """Return the larger (sign 1) or smaller root x of det(h - E - x Z) = 0, without cancellation."""
    mean = 0.5 * float(h.first / first + h.second / second)
    square = (h.real**2 + h.imaginary**2) * fmpq(4) ** h.exponent
    product = float((h.first * h.second - square) / (first * second))
    half = math.sqrt(max(mean**2 - product, 0.0))
    if sign * mean < 0.0:
        return product / (mean - sign * half)
    return mean + sign * half
