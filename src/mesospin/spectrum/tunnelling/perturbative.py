r"""Splittings in lowest order: the sum over all straight paths from one state to the other.

With E the energy at which the two bare states cross and V the off-diagonal part of H there,

.. math:: A_j = \sum_i \frac{V_{ji}A_i}{E - E_j},\qquad \Delta = 2\,\Big|\sum_i V_{bi}A_i\Big|,\qquad A_a = 1,

over the states on whose way every projection moves from its first to its last value without turning back.
For every combination of transverse terms this is the lowest order in each of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import ConvergenceError, InputError, TooLargeError
from mesospin.spectrum.matrices import Array, basis_projections
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.problem import Levels, Problem, StatePair

_MOST_STATES = 2001
#: Smallest distance of levels, relative to the width of the spectrum, that may stand in a denominator.
_DEGENERATE = 1e-9
_ROUNDING = 1e-13
#: Shifts of both signs and detours cancel in part; half of their moduli bounds what is left.
_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Perturbative(Method):
    """Splittings in the lowest order of every transverse term, for any pair and any mix of terms.

    The relative error is estimated from the next order: the shifts of all levels on the way, the weights that
    the two states lose, and the detours, times the cancellation between paths.
    """

    def gap(self, problem: Problem) -> Gap:
        """Return the sum over straight paths."""
        if isinstance(problem.pair, Levels):
            msg = f"pair must be two states for Perturbative(), got {problem.pair}; name them, as in (m, m')"
            raise InputError(msg)
        if problem.system.dimension > _MOST_STATES:
            msg = (
                f"system must have at most {_MOST_STATES} states for Perturbative(), got "
                f"{problem.system.dimension}; use LargeSpin()"
            )
            raise TooLargeError(msg)
        crossing = _bare_crossing(problem, problem.pair)
        box = _straight_states(problem, problem.pair)
        paths = _sum_paths(crossing, box)
        if paths.longest == 0.0:
            msg = (
                "pair must be joined by a straight path, but no product of transverse terms leads from "
                f"{problem.pair.names[0]} to {problem.pair.names[1]} without turning back; "
                "use DoublePrecision()"
            )
            raise InputError(msg)
        error = _next_order(crossing, problem.pair, box) * paths.cancellation + _ROUNDING
        if paths.mantissa == 0.0 or paths.cancellation > 1 / _DEGENERATE:
            msg = "the paths between the two states cancel in lowest order; use Certified()"
            raise ConvergenceError(msg)
        return Gap.from_parts(
            2 * paths.mantissa,
            paths.exponent,
            2,
            relative_error=error,
            field=crossing.field,
            slope=crossing.slope,
            note=f"lowest order, straight paths over {len(box.states) - 2} states",
        )


class _Crossing(NamedTuple):
    """H at the crossing of two bare states: field, slope, energy, and whether G connects states."""

    H: Array
    field: float
    slope: float
    energy: float
    tilted: bool


def _bare_crossing(problem: Problem, pair: StatePair) -> _Crossing:
    line, (a, b) = problem.line(), pair.states
    diagonal, slopes = line.H0.diagonal().real, line.G.diagonal().real
    slope = float(slopes[a] - slopes[b])
    if abs(slope) < 1e-12:
        msg = f"pair must meet at one field, but {pair.names[0]} and {pair.names[1]} have the same moment"
        raise InputError(msg)
    field = float((diagonal[b] - diagonal[a]) / slope)
    tilted = bool(np.any(line.G - np.diag(line.G.diagonal())))
    return _Crossing(line.at(field), field, slope, float(diagonal[a] + field * slopes[a]), tilted)


class _Box(NamedTuple):
    """The states between the two, first to last, and their projections turned so that all rise."""

    states: NDArray[np.intp]
    height: NDArray[np.float64]


def _straight_states(problem: Problem, pair: StatePair) -> _Box:
    table = basis_projections(problem.system)
    first, last = (np.array(projections) for projections in pair.projections)
    within = np.all((table >= np.minimum(first, last)) & (table <= np.maximum(first, last)), axis=1)
    states = np.flatnonzero(within)
    height = (table[states] - first) * np.where(last >= first, 1.0, -1.0)
    order = np.argsort(height.sum(axis=1), kind="stable")
    return _Box(states[order], height[order])


class _Paths(NamedTuple):
    """|sum over paths| = mantissa * 2^exponent; ``cancellation`` is the sum of moduli over it."""

    mantissa: float
    exponent: int
    cancellation: float
    longest: float


def _sum_paths(crossing: _Crossing, box: _Box) -> _Paths:
    count = len(box.states)
    sub = crossing.H[np.ix_(box.states, box.states)]
    distance = crossing.energy - sub.diagonal().real
    limit = _DEGENERATE * max(float(np.ptp(crossing.H.diagonal().real)), 1e-300)
    amplitude, modulus = np.zeros(count, dtype=np.complex128), np.zeros(count)
    exponent = np.zeros(count, dtype=np.int64)
    amplitude[0] = modulus[0] = 1.0
    for j in range(1, count):
        before = np.flatnonzero((sub[j, :j] != 0) & (modulus[:j] > 0))
        before = before[np.all(box.height[before] <= box.height[j], axis=1)]
        if not len(before):
            continue
        if j < count - 1 and abs(distance[j]) < limit:
            msg = "levels on the way must not cross where the pair does; use DoublePrecision() or Certified()"
            raise ConvergenceError(msg)
        top = int(exponent[before].max())
        scale = np.exp2((exponent[before] - top).astype(float))
        by = distance[j] if j < count - 1 else 1.0
        amplitude[j] = np.sum(sub[j, before] * amplitude[before] * scale) / by
        modulus[j] = np.sum(np.abs(sub[j, before]) * modulus[before] * scale) / abs(by)
        shift = math.frexp(modulus[j])[1]
        amplitude[j], modulus[j] = amplitude[j] * 2.0**-shift, modulus[j] * 2.0**-shift
        exponent[j] = top + shift
    size, whole = float(abs(amplitude[-1])), float(modulus[-1])
    return _Paths(size, int(exponent[-1]), whole / size if size > 0 else math.inf, whole)


def _next_order(crossing: _Crossing, pair: StatePair, box: _Box) -> float:
    """Return the estimated size of the next order relative to the lowest."""
    levels = crossing.H.diagonal().real
    V2 = np.abs(crossing.H - np.diag(crossing.H.diagonal())) ** 2
    ends = list(pair.states)
    inner = box.states[1:-1]
    apart = levels[:, None] - levels[None, :]
    away = crossing.energy - levels
    with np.errstate(divide="ignore", invalid="ignore"):
        # two levels that coincide repel by no more than what connects them
        repelled = np.where(V2 > 0, np.sign(apart) * np.minimum(V2 / np.abs(apart), np.sqrt(V2)), 0.0)
        lost = np.where(V2[ends] > 0, np.minimum(V2[ends] / away**2, 1.0), 0.0).sum()
    shift = repelled.sum(axis=1)
    moved = np.abs(shift[ends].mean() - shift[inner]) / np.abs(away[inner])
    # a crossing that moves changes the transverse part of a tilted field, once for every step
    displaced = abs(shift[ends[0]] - shift[ends[1]]) / abs(crossing.slope)
    turned = crossing.tilted * (len(inner) + 1) * displaced / max(abs(crossing.field), displaced, 1e-300)
    return float(lost + turned + _SHARE * np.sum(moved))
