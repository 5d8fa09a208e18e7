r"""Splittings in lowest order: the sum over all straight paths from one state to the other.

With E the energy at which the two bare states cross and V the off-diagonal part of H there,

.. math:: A_j = \sum_i \frac{V_{ji}A_i}{E - E_j},\qquad \Delta = 2\,\Big|\sum_i V_{bi}A_i\Big|,\qquad A_a = 1,

over the states on whose way the projection moves from its first to its last value without turning back.
For every combination of transverse terms this is the lowest order in each of them.  Several spins exchange
projections, so that the shortest ways turn back; there the sum is over all ways of the lowest order in V that
joins the two states, and the following orders are the error.
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
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.problem import Levels, Problem, StatePair

_MOST_STATES = 2001
#: Smallest distance of levels, relative to the width of the spectrum, that may stand in a denominator.
_DEGENERATE = 1e-9
_ROUNDING = 1e-13
#: The ladder is as good as its own error estimate, a little above is safe.
_ABOVE = 1.01
#: Relative rounding of a number that is known by its decimal logarithm, for each of its units.
_LOGARITHM = 1e-15
#: Shifts of both signs and detours cancel in part; half of their moduli bounds what is left.
_SHARE = 0.5
#: Orders looked through for a way between states of several spins, and orders after it that are its error.
_MOST_ORDERS = 200
_NEXT_ORDERS = 6
#: Shifts of the crossing come on top of the orders that are summed.
_MARGIN = 2.0


@dataclass(frozen=True, slots=True)
class Perturbative(Method):
    """Splittings in the lowest order of every transverse term, for any pair and any mix of terms.

    For several spins it is the lowest order in all terms that connect states, with the next orders as
    error.  For a single spin the error is the deviation from its whole ladder, or, where that has no answer,
    an estimate of the next order.  What deviates by more than itself is refused.
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
        if len(problem.system.spins) > 1:
            return _by_orders(crossing, problem.pair)
        box = _straight_states(problem, problem.pair)
        paths = _sum_paths(crossing, box)
        if paths.longest == 0.0:
            msg = (
                "pair must be joined by a straight path, but no product of transverse terms leads from "
                f"{problem.pair.names[0]} to {problem.pair.names[1]} without turning back; "
                "use DoublePrecision()"
            )
            raise InputError(msg)
        if paths.mantissa == 0.0 or paths.cancellation > 1 / _DEGENERATE:
            msg = "the paths between the two states cancel in lowest order; use Certified()"
            raise ConvergenceError(msg)
        estimate = _next_order(crossing, problem.pair, box) * paths.cancellation
        logarithm = math.log10(2 * paths.mantissa) + paths.exponent * math.log10(2)
        error = _small(_deviation(problem, logarithm, estimate)) + _ROUNDING
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


def _by_orders(crossing: _Crossing, pair: StatePair) -> Gap:
    """Return the lowest order of V that joins two states of several spins, with the next orders as error."""
    a, b = pair.states
    levels = crossing.H.diagonal().real
    V = crossing.H - np.diag(crossing.H.diagonal())
    away = crossing.energy - levels
    inner = np.ones(len(levels), dtype=bool)
    inner[[a, b]] = False
    limit = _DEGENERATE * max(float(np.ptp(levels)), 1e-300)
    state = np.zeros(len(levels), dtype=np.complex128)
    state[a] = 1.0
    reached = state != 0
    orders: list[complex] = []
    order = 0
    while order < _MOST_ORDERS and len(orders) <= _NEXT_ORDERS:
        state, reached = V @ state, (V != 0) @ reached
        if orders or reached[b]:
            orders.append(complex(state[b]))
        else:
            order += 1
        degenerate = inner & reached & (np.abs(away) < limit)
        if not orders and np.any(degenerate):
            msg = "levels on the way must not cross where the pair does; use DoublePrecision() or Certified()"
            raise ConvergenceError(msg)
        reached = reached & inner & ~degenerate
        state = np.where(reached, state / np.where(reached, away, 1.0), 0.0)
    lowest = abs(orders[0]) if orders else 0.0
    if lowest == 0.0:
        msg = f"pair must be joined within {_MOST_ORDERS} orders that do not cancel; use DoublePrecision()"
        raise ConvergenceError(msg)
    following = _MARGIN * sum(abs(amplitude) for amplitude in orders[1:]) / lowest
    error = _small(following + _lost(V, away, [a, b]))
    return Gap.from_float(
        2 * lowest,
        relative_error=error + _ROUNDING,
        field=crossing.field,
        slope=crossing.slope,
        note=f"lowest order, {order + 1} steps",
    )


def _small(error: float) -> float:
    """Return the estimated size of the next order, or raise where it is not small."""
    if not error < 1.0:
        msg = (
            "the transverse terms are too strong for their lowest order: the next one is estimated to be "
            f"{error:.2g} times as large; use DoublePrecision() or Certified()"
        )
        raise ConvergenceError(msg)
    return error


def _lost(V: Array, away: NDArray[np.float64], ends: list[int]) -> float:
    """Return the weight that two states lose to all others in lowest order."""
    V2 = np.abs(V[ends]) ** 2
    V2[:, ends] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(V2 > 0, np.minimum(V2 / away**2, 1.0), 0.0).sum())


def _deviation(problem: Problem, logarithm: float, estimate: float) -> float:
    """Return the deviation from the whole ladder, or the estimate where the ladder gives no answer.

    Steps that overshoot and turn back can outweigh every straight path, which no estimate along the straight
    ones shows: (10, -9) of a tetragonal spin in a weakly tilted field takes five steps of four and one back.
    """
    try:
        whole = LargeSpin().gap(problem)
    except (InputError, ConvergenceError):
        return estimate
    distance = abs(logarithm - whole.log10)
    return float(
        _ABOVE * (10.0**distance - 1.0) + whole.relative_error + _LOGARITHM * max(abs(logarithm), 1.0)
    )


def _next_order(crossing: _Crossing, pair: StatePair, box: _Box) -> float:
    """Return the estimated size of the next order relative to the lowest."""
    levels = crossing.H.diagonal().real
    V = crossing.H - np.diag(crossing.H.diagonal())
    V2 = np.abs(V) ** 2
    ends = list(pair.states)
    inner = box.states[1:-1]
    apart = levels[:, None] - levels[None, :]
    away = crossing.energy - levels
    with np.errstate(divide="ignore", invalid="ignore"):
        # two levels that coincide repel by no more than what connects them
        repelled = np.where(V2 > 0, np.sign(apart) * np.minimum(V2 / np.abs(apart), np.sqrt(V2)), 0.0)
    shift = repelled.sum(axis=1)
    moved = np.abs(shift[ends].mean() - shift[inner]) / np.abs(away[inner])
    # a crossing that moves changes the transverse part of a tilted field, once for every step
    displaced = abs(shift[ends[0]] - shift[ends[1]]) / abs(crossing.slope)
    turned = crossing.tilted * (len(inner) + 1) * displaced / max(abs(crossing.field), displaced, 1e-300)
    first = _lost(V, away, ends) + turned + _SHARE * float(np.sum(moved))
    # where the next order is not small, the one after it is not either
    return float(first * (1.0 + first))
