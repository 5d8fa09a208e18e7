r"""All fields at which two levels differ by a given energy: an exhaustive search with proven bounds.

The sum :math:`\Lambda_k(B)` of the k lowest levels (of a symmetry block) of a Hamiltonian that is
affine in B is a concave function, for it is the minimum of the traces over k-dimensional spaces [1]_.  So
between two fields it lies above its chord and below both tangents, whose slopes are sums of
Hellmann-Feynman slopes, and its derivative lies between theirs.  A level is
:math:`\Lambda_k - \Lambda_{k-1}`; hence the energy of every transition, and the slope of that energy, are
enclosed on an interval by what is known at its ends, crossings and avoided crossings of any
sharpness included.  An interval is dropped when the enclosure leaves the wanted energy out, finished
when the transition is monotonic on it, and halved otherwise.  Loops (transitions that meet the
energy twice and are never equal to it at the ends) are found like all others.

References
----------
.. [1] K. Fan, Proc. Natl. Acad. Sci. USA 35, 652 (1949), theorem 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import ConvergenceError, InputError
from mesospin.spectrum.block_states import BlockStates, Floats, Indices

#: Intervals that a span is cut into at first.
_FIRST: Final = 4

#: Shortest interval over the span: two fields that are nearer count as one.
_SHORTEST: Final = 2.0**-42

#: Intervals, in shortest ones, on which no turning level is as flat as rounding.
_FLAT: Final = 2.0**32

#: Fields [in spans] below which two touches of one transition are one.
_ONE_TOUCH: Final = 1e-6

#: Pairs of interval and transition under examination at which the search gives up.
_MOST_CASES: Final = 4_000_000

_REFINEMENTS: Final = 80

#: Newton step, over the interval, after which the next one would be below rounding.
_QUADRATIC: Final = 1e-8

#: Halvings of an interval on which a cubic is solved.
_HALVINGS: Final = 40


class Resonances(NamedTuple):
    """Where transitions match the energy.

    ``line`` (r,) is the direction, ``field`` (r,) [T] the field, ``lower`` and ``upper`` (r,) the levels in
    the numbering of `BlockStates`.
    """

    line: Indices
    field: Floats
    lower: Indices
    upper: Indices


@dataclass(frozen=True, slots=True)
class _Intervals:
    """Intervals of the field with what is known at their ends: ``E`` and ``S`` have shape (i, 2, n)."""

    line: Indices
    ends: Floats
    E: Floats
    S: Floats


class _Brackets(NamedTuple):
    """Intervals with one resonance: direction, ends (r, 2), levels, mismatch (r, 2) and its slope (r, 2)."""

    line: Indices
    ends: Floats
    lower: Indices
    upper: Indices
    f: Floats
    slope: Floats


@dataclass(frozen=True, slots=True)
class _Cases:
    """Transitions that may match on an interval: row of the interval, lower and upper level."""

    row: Indices
    lower: Indices
    upper: Indices

    def take(self, chosen: NDArray[np.bool_]) -> _Cases:
        return _Cases(self.row[chosen], self.lower[chosen], self.upper[chosen])


def find_resonances(
    solver: BlockStates,
    axes: Floats,
    span: tuple[float, float],
    energy: float,
    *,
    forbidden: bool,
    states: int | None = None,
    tolerance: float = 0.0,
) -> Resonances:
    """Return every field in the span where two levels differ by ``energy``.

    Parameters
    ----------
    solver : BlockStates
        Blocks for the directions.
    axes : ndarray, shape (d, 3)
        Unit vectors.
    span : (lo, hi) [T]
    energy : float [K]
        Wanted difference, > 0.
    forbidden : bool
        Whether transitions between blocks that no component of the moment connects are wanted.
    states : int, optional
        Only transitions between this many lowest levels of each block; all by default.
    tolerance : float, default 0 [T]
        Last correction of a field that is small enough; the error after it is of second order.

    Returns
    -------
    Resonances
        In order of direction, then field.

    Raises
    ------
    InputError
        If a transition has the energy at every field.
    ConvergenceError
        If there are too many near coincidences to tell apart.
    """
    lo, hi = span
    slack = 1e-12 * max(abs(lo), abs(hi))
    edges = np.linspace(lo - slack, hi + slack, _FIRST + 1)
    intervals = _first_intervals(solver, axes, edges)
    cases = _first_cases(solver, len(intervals.line), forbidden, states)
    shortest = _SHORTEST * max(hi - lo, abs(lo), abs(hi))
    brackets: list[_Brackets] = []
    while len(cases.row):
        if len(cases.row) > _MOST_CASES:
            raise ConvergenceError(
                f"the search met {len(cases.row)} near coincidences at once; shorten the span "
                "or drop a nucleus",
                {"intervals": len(intervals.line)},
            )
        open_, done = _judge(solver, intervals, cases, energy, shortest)
        brackets.append(_bracketed(intervals, done, energy))
        intervals, cases = _halved(solver, axes, intervals, open_)
    joined = _Brackets(*(np.concatenate(arrays) for arrays in zip(*brackets, strict=True)))
    return _ordered(*_refined(solver, axes, joined, energy, tolerance), _ONE_TOUCH * shortest / _SHORTEST)


def _first_intervals(solver: BlockStates, axes: Floats, edges: Floats) -> _Intervals:
    count = len(edges)
    line = np.repeat(np.arange(len(axes)), count)
    E, S = solver.levels(axes[line], np.tile(edges, len(axes)))
    E, S = E.reshape(len(axes), count, -1), S.reshape(len(axes), count, -1)
    ends = np.tile(np.stack([edges[:-1], edges[1:]], axis=1), (len(axes), 1))
    pair = [np.stack([X[:, :-1], X[:, 1:]], axis=2).reshape(len(ends), 2, -1) for X in (E, S)]
    return _Intervals(np.repeat(np.arange(len(axes)), count - 1), ends, pair[0], pair[1])


def _first_cases(solver: BlockStates, rows: int, forbidden: bool, states: int | None) -> _Cases:
    block = solver.block_of
    n = len(block)
    index = np.arange(n)
    wanted = (block[:, None] != block[None, :]) | (index[:, None] < index[None, :])
    if not forbidden:
        wanted &= solver.connected()
    if states is not None:
        low = np.concatenate([np.arange(len(own)) < states for own in solver.blocks])
        wanted &= low[:, None] & low[None, :]
    lower, upper = np.nonzero(wanted)
    return _Cases(np.repeat(np.arange(rows), len(lower)), np.tile(lower, rows), np.tile(upper, rows))


class _Bounds(NamedTuple):
    """Per level and interval: what the concave sums below and up to it say, all of shape (i, n)."""

    above: Floats  # largest rise of the level above its chord
    below: Floats  # largest fall below it
    slope_low: Floats
    slope_high: Floats


def _bounds(solver: BlockStates, intervals: _Intervals) -> _Bounds:
    h = (intervals.ends[:, 1] - intervals.ends[:, 0])[:, None]
    parts: list[list[Floats]] = [[], [], [], []]
    start = 0
    for block in solver.blocks:
        own = slice(start, start + len(block))
        start += len(block)
        C, D = np.cumsum(intervals.E[:, :, own], axis=2), np.cumsum(intervals.S[:, :, own], axis=2)
        chord = (C[:, 1] - C[:, 0]) / h
        left, right = np.maximum(D[:, 0] - chord, 0.0), np.maximum(chord - D[:, 1], 0.0)
        total = left + right
        rise = h * left * right / np.where(total > 0.0, total, 1.0)
        previous = [np.pad(X[:, :-1], ((0, 0), (1, 0))) for X in (rise, D[:, 0], D[:, 1])]
        for part, value in zip(
            parts,
            (rise, previous[0], D[:, 1] - previous[1], D[:, 0] - previous[2]),
            strict=True,
        ):
            part.append(value)
    return _Bounds(*(np.concatenate(part, axis=1) for part in parts))


def _judge(
    solver: BlockStates, intervals: _Intervals, cases: _Cases, energy: float, shortest: float
) -> tuple[_Cases, _Cases]:
    """Return the cases that stay open, and those that hold one resonance."""
    bounds = _bounds(solver, intervals)
    rounding = 64 * np.finfo(np.float64).eps * max(float(np.abs(intervals.E).max()), energy)
    cases, f, equal = _within_reach(intervals, bounds, cases, energy, rounding)
    r, p, q = cases.row, cases.lower, cases.upper
    low = bounds.slope_low[r, q] - bounds.slope_high[r, p]
    high = bounds.slope_high[r, q] - bounds.slope_low[r, p]
    h = intervals.ends[r, 1] - intervals.ends[r, 0]
    monotonic = (low > 0.0) | (high < 0.0)
    if np.any(equal & ~monotonic & (h > _FLAT * shortest)):
        raise InputError(
            "frequency must not equal that of a transition at every field, as here; change it a little or "
            "use resonance_frequencies"
        )
    changes = (f[:, 0] < 0.0) != (f[:, 1] < 0.0)
    # A transition that equals the energy to rounding and turns there touches it.
    finished = monotonic | equal | (h <= shortest)
    return cases.take(~finished), cases.take(finished & (changes | ~monotonic))


def _within_reach(
    intervals: _Intervals, bounds: _Bounds, cases: _Cases, energy: float, rounding: float
) -> tuple[_Cases, Floats, NDArray[np.bool_]]:
    """Return the cases that can have the energy, their mismatch (c, 2), and which have it everywhere.

    The mismatch is that at the two ends; "everywhere" means to rounding on the whole interval.
    """
    r, p, q = cases.row, cases.lower, cases.upper
    first = intervals.E[r, 0, q] - intervals.E[r, 0, p] - energy
    last = intervals.E[r, 1, q] - intervals.E[r, 1, p] - energy
    top = np.maximum(first, last) + bounds.above[r, q] + bounds.below[r, p]
    bottom = np.minimum(first, last) - bounds.below[r, q] - bounds.above[r, p]
    reach = (top >= -rounding) & (bottom <= rounding)
    equal = (top <= 4 * rounding) & (bottom >= -4 * rounding)
    return cases.take(reach), np.stack([first[reach], last[reach]], axis=1), equal[reach]


def _bracketed(intervals: _Intervals, cases: _Cases, energy: float) -> _Brackets:
    r, p, q = cases.row, cases.lower, cases.upper
    f = intervals.E[r, :, q] - intervals.E[r, :, p] - energy
    return _Brackets(
        intervals.line[r], intervals.ends[r], p, q, f, intervals.S[r, :, q] - intervals.S[r, :, p]
    )


def _halved(
    solver: BlockStates, axes: Floats, intervals: _Intervals, cases: _Cases
) -> tuple[_Intervals, _Cases]:
    """Return both halves of every interval that has an open case, and its cases in both."""
    used, position = np.unique(cases.row, return_inverse=True)
    if not len(used):
        return intervals, cases
    line, ends = intervals.line[used], intervals.ends[used]
    middle = ends.mean(axis=1)
    E, S = solver.levels(axes[line], middle)
    left = [np.stack([X[used, 0], Y], axis=1) for X, Y in ((intervals.E, E), (intervals.S, S))]
    right = [np.stack([Y, X[used, 1]], axis=1) for X, Y in ((intervals.E, E), (intervals.S, S))]
    halves = np.concatenate([np.stack([ends[:, 0], middle], 1), np.stack([middle, ends[:, 1]], 1)])
    return _Intervals(
        np.concatenate([line, line]),
        halves,
        np.concatenate([left[0], right[0]]),
        np.concatenate([left[1], right[1]]),
    ), _Cases(
        np.concatenate([position, position + len(used)]), np.tile(cases.lower, 2), np.tile(cases.upper, 2)
    )


def _refined(
    solver: BlockStates, axes: Floats, brackets: _Brackets, energy: float, tolerance: float
) -> tuple[_Brackets, Floats]:
    """Return the brackets and the resonance of each, by Newton steps that stay inside."""
    line, ends, lower, upper, f_ends, _ = brackets
    field = _interpolated(brackets)
    a, b = ends[:, 0].copy(), ends[:, 1].copy()
    rising = f_ends[:, 1] >= 0.0
    enough = np.maximum(tolerance, _QUADRATIC * (b - a))
    # What touches the energy is left where it was seen.
    active = np.flatnonzero((f_ends[:, 0] < 0.0) == rising)
    for _ in range(_REFINEMENTS):
        if not len(active):
            break
        k = active
        f, slope = _mismatch(solver, axes[line[k]], field[k], lower[k], upper[k], energy)
        high = (f >= 0.0) == rising[k]
        b[k] = np.where(high, field[k], b[k])
        a[k] = np.where(high, a[k], field[k])
        with np.errstate(divide="ignore", invalid="ignore"):
            step = field[k] - f / slope
        new = np.where((step >= a[k]) & (step <= b[k]), step, 0.5 * (a[k] + b[k]))
        new = np.where(f == 0.0, field[k], new)
        moved = np.abs(new - field[k]) > np.maximum(enough[k], 4 * np.finfo(np.float64).eps * np.abs(new))
        field[k] = new
        active = k[moved]
    return brackets, field


def _interpolated(brackets: _Brackets) -> Floats:
    """Return where the cubic through values and slopes at both ends vanishes, the middle for a touch."""
    (start, stop), (f, g) = brackets.ends.T, brackets.f.T
    h = stop - start
    u, v = h * brackets.slope.T
    low, high = np.zeros(len(h)), np.ones(len(h))
    for _ in range(_HALVINGS):
        t = 0.5 * (low + high)
        value = (1 - t) ** 2 * ((1 + 2 * t) * f + t * u) + t**2 * ((3 - 2 * t) * g - (1 - t) * v)
        above = (value >= 0.0) == (g >= 0.0)
        low, high = np.where(above, low, t), np.where(above, t, high)
    touches = (f < 0.0) == (g < 0.0)
    return np.asarray(start + h * np.where(touches, 0.5, 0.5 * (low + high)))


def _ordered(brackets: _Brackets, field: Floats, one_touch: float) -> Resonances:
    """Return the resonances in order; a touch that two intervals have seen counts once."""
    line, _, lower, upper, f, _ = brackets
    touching = (f[:, 0] < 0.0) == (f[:, 1] < 0.0)
    order = np.lexsort((field, upper, lower, line))
    keys = np.stack([line, lower, upper])[:, order]
    near = np.all(keys[:, 1:] == keys[:, :-1], axis=0)
    near &= (np.diff(field[order]) <= one_touch) & touching[order][1:] & touching[order][:-1]
    order = order[np.concatenate([[True], ~near])] if len(order) else order
    order = order[np.lexsort((field[order], line[order]))]
    return Resonances(line[order], field[order], lower[order], upper[order])


def _mismatch(
    solver: BlockStates, axes: Floats, B: Floats, lower: Indices, upper: Indices, energy: float
) -> tuple[Floats, Floats]:
    E, S = solver.levels(axes, B)
    row = np.arange(len(B))
    return E[row, upper] - E[row, lower] - energy, S[row, upper] - S[row, lower]
