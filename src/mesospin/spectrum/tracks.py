"""Diabatic levels followed along a line in field space, by the overlap of their states."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mesospin.errors import ConvergenceError
from mesospin.scale import require_memory
from mesospin.spectrum.diabatic import WINDOW, DiabaticPoint, Part, low_parts
from mesospin.spectrum.matrices import Array, FieldLine

_MIN_OVERLAP = 0.7
_MIN_STEP = 1e-9
#: Weight that a state keeps in its group when states rotate inside it.
_SAME_GROUP = 0.95
#: Distance of two levels where they should meet, in units of the adiabatic gap, that is too large.
_APART = 2.0
#: Estimated gap, in units of the adiabatic gap, above which an exchange is looked at.
_SUSPECT = 0.2
#: Relative slope below which two levels that exchange order are taken as degenerate [K/T].
_EXCHANGE = 1e-6


class DiabaticTracks(NamedTuple):
    """Diabatic levels followed along the field, symmetry block after symmetry block.

    ``field`` (b,) [T] ascending; ``energy``, ``slope`` (b, k): every column the continuation of one
    level.  ``parts`` are the blocks and ``states`` (b, r_p, k_p) their states in the bases of the
    blocks, in the order of the columns.
    """

    field: NDArray[np.float64]
    energy: NDArray[np.float64]
    slope: NDArray[np.float64]
    states: tuple[Array, ...]
    parts: tuple[Part, ...]

    @property
    def window(self) -> float:
        """Distance of two levels beyond which their diabatic states are eigenstates [K]."""
        return WINDOW * max(part.adiabatic_gap for part in self.parts)

    @property
    def part_of(self) -> NDArray[np.intp]:
        """Number of the part of every level, shape (k,)."""
        return np.repeat(np.arange(len(self.parts)), [part.levels for part in self.parts])

    @property
    def columns(self) -> tuple[slice, ...]:
        """Columns of every part."""
        return _columns(tuple(part.levels for part in self.parts))

    def extended(self, fields: NDArray[np.float64]) -> DiabaticTracks:
        """Return the tracks tabulated at ``fields`` too, every state named after the one below it."""
        new = np.setdiff1d(np.round(fields, 12), np.round(self.field, 12))
        new = new[(new > self.field[0]) & (new < self.field[-1])]
        below = np.searchsorted(self.field, new) - 1
        order = np.argsort(np.concatenate([self.field, new]), kind="stable")
        energy, slope, states = [], [], []
        for part, columns, old in zip(self.parts, self.columns, self.states, strict=True):
            E, S, U = part.at(new)
            match = np.argmax(np.abs(old[below].conj().swapaxes(1, 2) @ U) ** 2, axis=2)
            energy.append(np.concatenate([self.energy[:, columns], np.take_along_axis(E, match, 1)])[order])
            slope.append(np.concatenate([self.slope[:, columns], np.take_along_axis(S, match, 1)])[order])
            states.append(np.concatenate([old, np.take_along_axis(U, match[:, None], 2)])[order])
        field = np.concatenate([self.field, new])[order]
        return self._replace(
            field=field, energy=np.hstack(energy), slope=np.hstack(slope), states=tuple(states)
        )


@lru_cache(maxsize=64)
def _columns(counts: tuple[int, ...]) -> tuple[slice, ...]:
    ends = np.cumsum(counts)
    return tuple(slice(int(end) - count, int(end)) for end, count in zip(ends, counts, strict=True))


def track(
    line: FieldLine,
    lo: float,
    hi: float,
    *,
    step: float,
    adiabatic_gap: float,
    site_slope: NDArray[np.float64],
    count: int | None = None,
    factors: Sequence[float] = (1.0,),
    regroup: bool = False,
) -> DiabaticTracks:
    """Follow the diabatic levels from ``lo`` to ``hi`` by the overlap of their states.

    Parameters
    ----------
    line : FieldLine
        H(B) = H0 + B G.
    lo, hi : float [T]
        Range of the field, lo < hi.
    step : float [T]
        Largest spacing; halved where neighbouring states overlap too little.
    adiabatic_gap, site_slope
        As in `diabatic_point`.
    count : int, optional
        Follow only so many lowest levels; a gap must separate them from the others at every field.
    factors : sequence of float
        Factors of the adiabatic gap to try in every block, until it can be followed.
    regroup : bool
        Where none serves, accept a sudden rotation of states inside a group of close levels: a gap of just
        the limit is followed at one field and crossed at the next.  Best overlaps continue.

    Returns
    -------
    DiabaticTracks

    Raises
    ------
    ConvergenceError
        If the states change faster than any spacing above 1e-9 T resolves.
    TooLargeError
        If the states at all fields do not fit in memory.
    """
    grid = np.linspace(lo, hi, max(2, int(np.ceil((hi - lo) / step)) + 1))
    parts = low_parts(line, site_slope, lo, hi, adiabatic_gap, count)
    size = sum(len(part.line.H0) * part.levels for part in parts)
    levels = sum(part.levels for part in parts)
    require_memory(
        line.H0.itemsize * 4 * len(grid) * size, f"{levels} levels followed over {len(grid)} fields"
    )
    followed = [_followed(part, grid, factors, regroup) for part in parts]
    own = [
        DiabaticTracks(
            np.round([p.field for p in points], 12),
            np.array([p.energy for p in points]),
            np.array([p.slope for p in points]),
            (np.array([p.states for p in points]),),
            (part,),
        )
        for part, points in followed
    ]
    fields = np.unique(np.concatenate([tracks.field for tracks in own]))
    own = [tracks.extended(fields) for tracks in own]
    return DiabaticTracks(
        own[0].field,
        np.hstack([tracks.energy for tracks in own]),
        np.hstack([tracks.slope for tracks in own]),
        tuple(tracks.states[0] for tracks in own),
        tuple(tracks.parts[0] for tracks in own),
    )


def _followed(
    part: Part, grid: NDArray[np.float64], factors: Sequence[float], regroup: bool
) -> tuple[Part, list[DiabaticPoint]]:
    """Return the block with the first adiabatic gap at which it can be followed, and its states."""
    trials = [(factor, False) for factor in factors] + ([(1.0, True)] if regroup else [])
    for number, (factor, rotates) in enumerate(trials, start=1):
        trial = part._replace(adiabatic_gap=factor * part.adiabatic_gap)
        try:
            return trial, _follow(trial, grid, rotates)
        except ConvergenceError:
            if number == len(trials):
                raise
    msg = "factors must hold at least one factor of the adiabatic gap"
    raise ValueError(msg)


def _follow(part: Part, grid: NDArray[np.float64], regroup: bool) -> list[DiabaticPoint]:
    """Return the states of one block at fields so close that each continues one of the field before."""
    pending = [part.point(float(B)) for B in grid][::-1]
    done = [pending.pop()]
    while pending:
        order, overlap = _match(done[-1].states, pending[-1].states)
        if overlap >= _MIN_OVERLAP:
            after = _permute(pending[-1], order)
            wide = _unresolved(part, done[-1], after)
            if wide is None:
                pending.pop()
                done.append(after)
            else:
                pending.append(wide)
            continue
        width = pending[-1].field - done[-1].field
        if width < _MIN_STEP and regroup:
            regrouped = _regrouped(done[-1], pending[-1], WINDOW * part.adiabatic_gap)
            if regrouped is not None:
                done.append(_permute(pending.pop(), regrouped))
                continue
        if width < _MIN_STEP:
            msg = (
                f"the levels near {done[-1].field:.6g} T could not be followed: states overlap by "
                f"{overlap:.2f} over {width:.1e} T; change adiabatic_gap or the field range"
            )
            raise ConvergenceError(msg)
        pending.append(part.point(done[-1].field + width / 2))
    return done


def _unresolved(part: Part, before: DiabaticPoint, after: DiabaticPoint) -> DiabaticPoint | None:
    """Return the states at an exchange of levels that is not a narrow crossing, if there is one.

    Two levels that exchange their order between the points must still be the same states where
    they meet; if they are mixed there, the gap is wide and the grid has stepped over it.  The
    element of H between the two states of the first point, taken to the field where they
    meet, tells cheaply which exchanges need a look.
    """
    bias = before.energy[:, None] - before.energy, after.energy[:, None] - after.energy
    pairs = np.argwhere(np.triu((bias[0] < 0) != (bias[1] < 0), 1))
    width = after.field - before.field
    if not len(pairs):
        return None
    mixing = np.abs(before.states.conj().T @ (part.line.G @ before.states))
    for a, b in pairs:
        if np.abs(bias[1][a, b] - bias[0][a, b]) < _EXCHANGE * width:
            continue
        B = before.field + width * bias[0][a, b] / (bias[0][a, b] - bias[1][a, b])
        if min(B - before.field, after.field - B) < _MIN_STEP:
            continue
        gap = 2 * (abs(before.coupling[a, b]) + (B - before.field) * mixing[a, b])
        if gap < _SUSPECT * part.adiabatic_gap:
            continue
        middle = part.point(float(B))
        pair = before.states[:, [a, b]]
        weight = np.abs(pair.conj().T @ middle.states) ** 2
        apart = np.abs(np.diff(middle.energy[weight.argmax(axis=1)]))[0]
        if weight.max(axis=1).min() < _MIN_OVERLAP or apart > _APART * part.adiabatic_gap:
            return middle
    return None


def _regrouped(before: DiabaticPoint, after: DiabaticPoint, window: float) -> NDArray[np.intp] | None:
    """Return the best continuation of every state if states only rotate among levels within ``window``."""
    weight = np.abs(before.states.conj().T @ after.states) ** 2
    near = np.abs(before.energy[:, None] - after.energy) <= 2 * window
    if np.where(near, weight, 0.0).sum(axis=1).min() < _SAME_GROUP:
        return None
    return np.asarray(linear_sum_assignment(-weight)[1])


def _match(before: Array, after: Array) -> tuple[NDArray[np.intp], float]:
    """Return which column of ``after`` continues each column of ``before``, and the worst overlap."""
    weight = np.abs(before.conj().T @ after) ** 2
    order = np.argmax(weight, axis=1)
    if len(np.unique(order)) < len(order):
        return order, 0.0
    return order, float(weight[np.arange(len(order)), order].min())


def _permute(point: DiabaticPoint, order: NDArray[np.intp]) -> DiabaticPoint:
    return DiabaticPoint(
        point.field,
        point.energy[order],
        point.slope[order],
        point.states[:, order],
        point.coupling[np.ix_(order, order)],
    )


def match_states(before: Array, after: Array) -> NDArray[np.intp]:
    """Return the column of ``after`` with the largest overlap for each column of ``before``."""
    return np.asarray(np.argmax(np.abs(before.conj().T @ after) ** 2, axis=1))
