"""Diabatic levels along a line in field space.

At a crossing much narrower than anything that resolves it, the exact eigenstates are
shared by both sides of the barrier.  The diabatic states are the eigenstates rotated,
inside every group of levels closer than a window, until the slope dH/dB is diagonal;
the off-diagonal elements this leaves behind are the tunnelling.  Gaps above
``adiabatic_gap`` are not undone: there the system follows the eigenstate.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mesospin.errors import ConvergenceError
from mesospin.scale import require_memory
from mesospin.spectrum.low_energy import block_line, low_energy_basis, restricted
from mesospin.spectrum.matrices import Array, FieldLine, symmetry_blocks

#: Width of a group of close levels over the adiabatic gap; the mixing cut off is at most 2.5 % in amplitude.
_WINDOW = 20.0
_MIN_OVERLAP = 0.7
_MIN_STEP = 1e-9
_CHUNK_BYTES = 2**25
#: Distance of two levels where they should meet, in units of the adiabatic gap, that is too large.
_APART = 2.0
#: Weight that a state keeps in its group when states rotate inside it.
_SAME_GROUP = 0.95
#: Estimated gap, in units of the adiabatic gap, above which an exchange is looked at.
_SUSPECT = 0.2
#: Relative slope below which two levels that exchange order are taken as degenerate [K/T].
_EXCHANGE = 1e-6


class DiabaticPoint(NamedTuple):
    """Diabatic states at one field: energies (n,) [K], slopes (n,) [K/T], states (n, n).

    ``coupling`` holds the elements of H between them [K]; its diagonal is zero.
    """

    field: float
    energy: NDArray[np.float64]
    slope: NDArray[np.float64]
    states: Array
    coupling: Array


class DiabaticTracks(NamedTuple):
    """Diabatic levels followed along the field, symmetry block after symmetry block.

    ``field`` (b,) [T] ascending; ``energy``, ``slope`` (b, k): every column the continuation of one
    level; ``adiabatic_gap`` [K] above which a gap was followed.  ``parts`` are the blocks and
    ``states`` (b, r_p, k_p) their states in the bases of the blocks, in the order of the columns.
    """

    field: NDArray[np.float64]
    energy: NDArray[np.float64]
    slope: NDArray[np.float64]
    states: tuple[Array, ...]
    parts: tuple[Part, ...]
    adiabatic_gap: float

    @property
    def window(self) -> float:
        """Distance of two levels within which their diabatic states differ from eigenstates [K]."""
        return _WINDOW * self.adiabatic_gap

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
            E, S, U = part.at(new, self.adiabatic_gap)
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


class Part(NamedTuple):
    """The lowest ``levels`` of one symmetry block, the basis states ``members`` of a field line.

    ``basis`` (n_p, r) spans a space that contains them at all fields; ``line`` is H(B) and ``site_slope``
    (r, r) the operator of `diabatic_point` in that space.
    """

    members: NDArray[np.intp]
    basis: Array
    line: FieldLine
    site_slope: Array
    levels: int

    def at(
        self, fields: NDArray[np.float64], adiabatic_gap: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], Array]:
        """Return energies (f, k), slopes (f, k) and states (f, r, k) at ``fields``, by energy."""
        n = len(self.line.H0)
        energy = np.empty((len(fields), self.levels))
        states: NDArray[Any] = np.empty((len(fields), n, self.levels), dtype=self.line.H0.dtype)
        size = max(1, _CHUNK_BYTES // (16 * n * n))
        for start in range(0, len(fields), size):
            chunk = slice(start, start + size)
            E, U = np.linalg.eigh(self.line.H0 + fields[chunk, None, None] * self.line.G)
            energy[chunk], states[chunk] = E[:, : self.levels], U[:, :, : self.levels]
        slope = (states.conj() * (self.line.G @ states)).sum(axis=1).real
        for i in np.flatnonzero((np.diff(energy, axis=1) <= _WINDOW * adiabatic_gap).any(axis=1)):
            point = _rotate_groups(
                self.line, float(fields[i]), energy[i], states[i], adiabatic_gap, self.site_slope
            )
            energy[i], slope[i], states[i] = point.energy, point.slope, point.states
        return energy, slope, states

    def point(self, B: float, adiabatic_gap: float) -> DiabaticPoint:
        """Return the diabatic states of the block at one field, ordered by energy."""
        energy, U = (values[..., : self.levels] for values in np.linalg.eigh(self.line.at(B)))
        return _rotate_groups(self.line, B, energy, U, adiabatic_gap, self.site_slope)


def low_parts(
    line: FieldLine, site_slope: NDArray[np.float64], lo: float, hi: float, count: int | None = None
) -> tuple[Part, ...]:
    """Return the symmetry blocks of a field line with the ``count`` lowest levels of all (default: every).

    A gap must separate them from the rest from ``lo`` to ``hi`` [T]: then every block keeps its number.
    """
    blocks = symmetry_blocks(*line)
    lines = [block_line(line, block) for block in blocks]
    kept = [len(block) for block in blocks]
    if count is not None and count < len(line.H0):
        # levels of a block below the gap are as many at one field as at any other
        energies = [np.linalg.eigvalsh(part.at(lo)) for part in lines]
        edge = np.sort(np.concatenate(energies))[count - 1 : count + 1].mean()
        kept = [int(np.searchsorted(E, edge)) for E in energies]
    parts = []
    for block, part, number in zip(blocks, lines, kept, strict=True):
        if number:
            basis = low_energy_basis(part, lo, hi, number)
            sites = basis.conj().T @ (site_slope[block, None] * basis)
            parts.append(Part(block, basis, restricted(part, basis), sites, number))
    return tuple(parts)


def diabatic_point(
    line: FieldLine, B: float, *, adiabatic_gap: float, site_slope: NDArray[np.float64]
) -> DiabaticPoint:
    """Return the diabatic states of H(B), ordered by energy.

    Parameters
    ----------
    line : FieldLine
        H(B) = H0 + B G.
    B : float [T]
        Field along the line.
    adiabatic_gap : float [K]
        Gaps above this are kept; smaller ones become couplings.
    site_slope : ndarray, shape (n,)
        Diagonal operator added to G in the choice of states, so small that it only
        decides where G leaves the states degenerate (equal moments on different sites).
    """
    energy, U = np.linalg.eigh(line.at(B))
    return _rotate_groups(line, B, energy, U, adiabatic_gap, np.diag(site_slope))


def _rotate_groups(
    line: FieldLine,
    B: float,
    energy: NDArray[np.float64],
    U: Array,
    adiabatic_gap: float,
    site_slope: Array,
) -> DiabaticPoint:
    n = len(energy)
    edges = np.flatnonzero(np.diff(energy) > _WINDOW * adiabatic_gap) + 1
    coupling: NDArray[Any] = np.zeros((n, n), dtype=U.dtype)
    if len(edges) < n - 1:
        U, energy = U.copy(), energy.copy()
        for group in np.split(np.arange(n), edges):
            if len(group) > 1:
                V = U[:, group]
                rotation, h = _diabatise(
                    energy[group],
                    V.conj().T @ (line.G + site_slope) @ V,
                    adiabatic_gap,
                )
                U[:, group] = V @ rotation
                energy[group] = np.diagonal(h).real
                coupling[np.ix_(group, group)] = h - np.diag(np.diagonal(h))
    slope = (U.conj() * (line.G @ U)).sum(axis=0).real
    return DiabaticPoint(B, energy, slope, U, coupling)


def _diabatise(energy: NDArray[np.float64], moment: Array, adiabatic_gap: float) -> tuple[Array, Array]:
    """Return the rotation of one group that makes the moment diagonal, and H in it."""
    _, rotation = np.linalg.eigh(moment)
    h = (rotation.conj().T * energy) @ rotation
    strong = 2 * np.abs(h) >= adiabatic_gap
    np.fill_diagonal(strong, True)
    if strong.sum() > len(h):
        _, back = np.linalg.eigh(np.where(strong, h, 0.0))
        rotation = rotation @ back
        h = (rotation.conj().T * energy) @ rotation
    return rotation, h


def track(
    line: FieldLine,
    lo: float,
    hi: float,
    *,
    step: float,
    adiabatic_gap: float,
    site_slope: NDArray[np.float64],
    count: int | None = None,
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
    regroup : bool
        Accept a sudden rotation of states inside a group of close levels, where a gap of just the
        adiabatic limit is followed at one field and crossed at the next: best overlaps continue.

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
    parts = low_parts(line, site_slope, lo, hi, count)
    size = sum(len(part.line.H0) * part.levels for part in parts)
    levels = sum(part.levels for part in parts)
    require_memory(
        line.H0.itemsize * 4 * len(grid) * size, f"{levels} levels followed over {len(grid)} fields"
    )
    followed = [_follow(part, grid, adiabatic_gap, regroup) for part in parts]
    own = [
        DiabaticTracks(
            np.round([p.field for p in points], 12),
            np.array([p.energy for p in points]),
            np.array([p.slope for p in points]),
            (np.array([p.states for p in points]),),
            (part,),
            adiabatic_gap,
        )
        for part, points in zip(parts, followed, strict=True)
    ]
    fields = np.unique(np.concatenate([tracks.field for tracks in own]))
    own = [tracks.extended(fields) for tracks in own]
    return DiabaticTracks(
        own[0].field,
        np.hstack([tracks.energy for tracks in own]),
        np.hstack([tracks.slope for tracks in own]),
        tuple(tracks.states[0] for tracks in own),
        parts,
        adiabatic_gap,
    )


def _follow(
    part: Part, grid: NDArray[np.float64], adiabatic_gap: float, regroup: bool
) -> list[DiabaticPoint]:
    """Return the states of one block at fields so close that each continues one of the field before."""
    pending = [part.point(float(B), adiabatic_gap) for B in grid][::-1]
    done = [pending.pop()]
    while pending:
        order, overlap = _match(done[-1].states, pending[-1].states)
        if overlap >= _MIN_OVERLAP:
            after = _permute(pending[-1], order)
            wide = _unresolved(part, done[-1], after, adiabatic_gap)
            if wide is None:
                pending.pop()
                done.append(after)
            else:
                pending.append(wide)
            continue
        width = pending[-1].field - done[-1].field
        if width < _MIN_STEP and regroup:
            regrouped = _regrouped(done[-1], pending[-1], _WINDOW * adiabatic_gap)
            if regrouped is not None:
                done.append(_permute(pending.pop(), regrouped))
                continue
        if width < _MIN_STEP:
            msg = (
                f"the levels near {done[-1].field:.6g} T could not be followed: states overlap by "
                f"{overlap:.2f} over {width:.1e} T; change adiabatic_gap or the field range"
            )
            raise ConvergenceError(msg)
        pending.append(part.point(done[-1].field + width / 2, adiabatic_gap))
    return done


def _unresolved(
    part: Part, before: DiabaticPoint, after: DiabaticPoint, adiabatic_gap: float
) -> DiabaticPoint | None:
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
        if gap < _SUSPECT * adiabatic_gap:
            continue
        middle = part.point(float(B), adiabatic_gap)
        pair = before.states[:, [a, b]]
        weight = np.abs(pair.conj().T @ middle.states) ** 2
        apart = np.abs(np.diff(middle.energy[weight.argmax(axis=1)]))[0]
        if weight.max(axis=1).min() < _MIN_OVERLAP or apart > _APART * adiabatic_gap:
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
