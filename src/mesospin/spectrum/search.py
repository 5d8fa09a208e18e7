"""The search for crossings: followed levels, where they meet, and what happens there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from mesospin.errors import ConvergenceError
from mesospin.model.system import SpinSystem
from mesospin.spectrum.diabatic import DiabaticTracks, diabatic_point, match_states, track
from mesospin.spectrum.downfold import downfold_pairs
from mesospin.spectrum.matrices import (
    Array,
    FieldLine,
    basis_projections,
    electronic_projection,
    symmetry_blocks,
)

#: Gaps above this are followed as avoided crossings, smaller ones are crossed [K].
ADIABATIC_GAP = 1e-3
#: Largest spacing of the field grid on which levels are followed [T].
GRID_STEP = 0.01
#: Slope given to the projection of a site [K/T]: small beside a moment of one Bohr magneton, large beside
#: what the mixing at the edge of a group of levels does to moments.
_SITE = 0.03
_GAP_FACTORS = (1.0, 1.4, 0.7, 1.0)
#: Levels whose slopes differ by less than this never meet at one field [K/T].
_PARALLEL = 1e-6
#: Levels whose diabatic slopes differ by less do not form an avoided crossing [K/T].
_AVOIDED = 0.1
#: Least change of the relative slope over two grid steps at the minimum of an avoided crossing [K/T].
_TURN = 0.02
#: Weight above which a basis state names a level.
_LABEL_WEIGHT = 0.5
#: Field below which Kramers' theorem is taken to hold [T].
_ZERO_FIELD = 1e-9
_MAX_NEWTON = 20


class Crossing(NamedTuple):
    """One crossing: field [T], full gap [K], slope dE_from/dB - dE_to/dB [K/T].

    ``level_from`` and ``level_to`` are the positions in energy just below the crossing;
    ``state_from`` and ``state_to`` index the basis states that the two levels carry, -1 where none
    has weight above one half; ``track_from`` and ``track_to`` are the columns of the tracks.
    "From" is the level that lies lower on the low-field side; where the gap is ``wide`` that
    level stays the lower one.
    """

    field: float
    gap: float
    slope: float
    level_from: int
    level_to: int
    state_from: int
    state_to: int
    zero: bool
    reason: str
    track_from: int
    track_to: int
    wide: bool = False


def site_slope(system: SpinSystem) -> NDArray[np.float64]:
    """Return the small diagonal operator that separates states of equal total moment [K/T].

    Each site's projection enters with its own weight, so that two antiparallel spins appear as
    up-down and down-up instead of their superpositions, also where a third level comes near.
    """
    table = basis_projections(system)
    weights = _SITE * np.sqrt(np.arange(2, 2 + table.shape[1]))
    values: NDArray[np.float64] = table @ weights
    return values


def diabatic_tracks(system: SpinSystem, line: FieldLine, lo: float, hi: float) -> DiabaticTracks:
    """Follow the diabatic levels of ``system`` along ``line`` from ``lo`` to ``hi`` [T].

    Gaps above about 1 mK are followed.  Where a gap happens to lie so close to that limit that it is
    followed at one field and crossed at the next, the limit is moved: either treatment is
    right there, but it has to be one of the two.  With hundreds of crossings no limit may serve all;
    then states may rotate inside a group of levels at such a field.
    """
    sites = site_slope(system)
    for factor in _GAP_FACTORS[:-1]:
        try:
            return track(line, lo, hi, step=GRID_STEP, adiabatic_gap=factor * ADIABATIC_GAP, site_slope=sites)
        except ConvergenceError:
            continue
    gap = _GAP_FACTORS[-1] * ADIABATIC_GAP
    return track(line, lo, hi, step=GRID_STEP, adiabatic_gap=gap, site_slope=sites, regroup=True)


def find_crossings(
    system: SpinSystem, line: FieldLine, tracks: DiabaticTracks, *, zero_field: bool
) -> list[Crossing]:
    """Return the crossings of followed levels, in order of field.

    ``zero_field`` tells that the field vector vanishes at B = 0, where Kramers' theorem acts.
    """
    blocks = _Blocks.of(system, line)
    narrow = _narrow(system, line, tracks, blocks, zero_field)
    wide = _wide(line, tracks, blocks)
    return sorted(_downfolded(line, narrow) + wide, key=lambda c: (round(c.field, 9), c.level_from))


class _Blocks(NamedTuple):
    """Exact symmetry blocks of a field line: block number of every basis state, and a name."""

    number: NDArray[np.intp]
    name: str
    kramers: bool

    @classmethod
    def of(cls, system: SpinSystem, line: FieldLine) -> _Blocks:
        number = np.empty(len(line.H0), dtype=np.intp)
        blocks = symmetry_blocks(*line)
        for index, members in enumerate(blocks):
            number[members] = index
        return cls(number, selection_rule(system, line), system.is_kramers)

    def of_state(self, state: Array) -> int:
        weight = np.bincount(self.number, np.abs(state) ** 2)
        return int(np.argmax(weight)) if weight.max() > 1 - 1e-6 else -1


def selection_rule(system: SpinSystem, line: FieldLine) -> str:
    """Return the selection rule of the Hamiltonian in words, such as "m changes by multiples of 4"."""
    m = electronic_projection(system)
    nuclear = len(system.spins) - len(system.electronic_sites)
    name = "the total projection" if len(system.spins) > 1 else "m"
    total = basis_projections(system).sum(axis=1) if nuclear else m
    rows, columns = np.nonzero((line.H0 != 0) | (line.G != 0))
    steps = np.unique(np.round(np.abs(total[rows] - total[columns])).astype(int))
    period = int(np.gcd.reduce(steps))
    if period == 0:
        return f"{name} is conserved"
    return f"{name} changes by multiples of {period} only"


def _narrow(
    system: SpinSystem, line: FieldLine, tracks: DiabaticTracks, blocks: _Blocks, zero_field: bool
) -> list[Crossing]:
    """Return the places where two followed levels exchange their order."""
    slopes = site_slope(system)
    found = []
    for a in range(tracks.energy.shape[1] - 1):
        upper = tracks.energy[:, a, None] >= tracks.energy[:, a + 1 :]
        parallel = np.abs(tracks.slope[:, a, None] - tracks.slope[:, a + 1 :]) < _PARALLEL
        exchange = (upper[1:] != upper[:-1]) & ~parallel[1:] & ~parallel[:-1]
        for i, b in np.argwhere(exchange):
            pair = (a, a + 1 + int(b))
            found.append(_refine(line, tracks, int(i), pair, slopes, blocks, zero_field))
    return found


def _refine(
    line: FieldLine,
    tracks: DiabaticTracks,
    i: int,
    pair: tuple[int, int],
    slopes: NDArray[np.float64],
    blocks: _Blocks,
    zero_field: bool,
) -> Crossing:
    """Return the crossing of two followed levels between the grid points i and i + 1."""
    lo, hi = tracks.field[i], tracks.field[i + 1]
    B = _meeting_point(tracks, i, pair)
    states = tracks.states[i]
    numbers = [blocks.of_state(states[:, k]) for k in pair]
    if min(numbers) >= 0 and numbers[0] != numbers[1]:
        return _exact_crossing(tracks, i, pair, B, blocks)
    for _ in range(_MAX_NEWTON):
        point = diabatic_point(line, B, adiabatic_gap=tracks.adiabatic_gap, site_slope=slopes)
        near = i if B - lo < hi - B else i + 1
        a, b = match_states(tracks.states[near][:, list(pair)], point.states)
        steepness = point.slope[a] - point.slope[b]
        step = -(point.energy[a] - point.energy[b]) / steepness
        B = float(np.clip(B + step, lo, hi))
        if abs(step) < 1e-13 * (1 + abs(B)):
            break
    if steepness < 0:
        a, b, steepness, pair = b, a, -steepness, pair[::-1]
    gap = 2 * abs(point.coupling[a, b])
    state_from, state_to = (_main_state(point.states[:, [k]]) for k in (a, b))
    kramers = blocks.kramers and zero_field and abs(B) < _ZERO_FIELD
    zero = kramers and _reversed(point.states[:, a], point.states[:, b])
    reason = "Kramers: half-integer total spin at zero field" if zero else ""
    level = int(np.sum(point.energy < min(point.energy[a], point.energy[b]) - gap))
    return Crossing(
        field=B,
        gap=0.0 if zero else gap,
        slope=float(steepness),
        level_from=level,
        level_to=level + 1,
        state_from=state_from,
        state_to=state_to,
        zero=zero,
        reason=reason,
        track_from=pair[0],
        track_to=pair[1],
    )


def _meeting_point(tracks: DiabaticTracks, i: int, pair: tuple[int, int]) -> float:
    """Return where two followed levels meet between grid points: the root of the cubic through both."""
    h = tracks.field[i + 1] - tracks.field[i]
    a, b = pair
    e0, e1 = tracks.energy[i : i + 2, a] - tracks.energy[i : i + 2, b]
    d0, d1 = h * (tracks.slope[i : i + 2, a] - tracks.slope[i : i + 2, b])
    t = e0 / (e0 - e1)
    for _ in range(_MAX_NEWTON):
        value = e0 + t * (d0 + t * (3 * (e1 - e0) - 2 * d0 - d1 + t * (2 * (e0 - e1) + d0 + d1)))
        slope = d0 + t * (2 * (3 * (e1 - e0) - 2 * d0 - d1) + 3 * t * (2 * (e0 - e1) + d0 + d1))
        step = value / slope if slope else 0.0
        t = min(max(t - step, 0.0), 1.0)
        if abs(step) < 1e-14:
            break
    return float(tracks.field[i] + t * h)


def _exact_crossing(
    tracks: DiabaticTracks, i: int, pair: tuple[int, int], B: float, blocks: _Blocks
) -> Crossing:
    """Return the crossing of two levels of different symmetry, which nothing mixes."""
    near = i if B - tracks.field[i] < tracks.field[i + 1] - B else i + 1
    steepness = float(tracks.slope[near, pair[0]] - tracks.slope[near, pair[1]])
    if steepness < 0:
        pair, steepness = pair[::-1], -steepness
    t = (B - tracks.field[i]) / (tracks.field[i + 1] - tracks.field[i])
    h00, h01 = (1 + 2 * t) * (1 - t) ** 2, t * t * (3 - 2 * t)
    h10, h11 = np.array([t * (1 - t) ** 2, t * t * (t - 1)]) * (tracks.field[i + 1] - tracks.field[i])
    there = h00 * tracks.energy[i] + h10 * tracks.slope[i]
    there = there + h01 * tracks.energy[i + 1] + h11 * tracks.slope[i + 1]
    others = np.delete(there, list(pair))
    between = int(np.sum(others < (there[pair[0]] + there[pair[1]]) / 2))
    state_from, state_to = (_main_state(tracks.states[near][:, [k]]) for k in pair)
    return Crossing(
        field=B,
        gap=0.0,
        slope=steepness,
        level_from=between,
        level_to=between + 1,
        state_from=state_from,
        state_to=state_to,
        zero=True,
        reason=f"selection rule: {blocks.name}",
        track_from=pair[0],
        track_to=pair[1],
    )


def _main_state(states: Array) -> int:
    """Return the basis state that has more than half its weight in the given space, or -1."""
    weight = (np.abs(states) ** 2).sum(axis=1)
    return int(np.argmax(weight)) if weight.max() > _LABEL_WEIGHT else -1


def _reversed(first: Array, second: Array) -> bool:
    """Return whether two states have opposite projections (basis m descending in every spin)."""
    return bool(np.abs(np.abs(first) ** 2 - np.abs(second[::-1]) ** 2).max() < 1e-6)


def _wide(line: FieldLine, tracks: DiabaticTracks, blocks: _Blocks) -> list[Crossing]:
    """Return the minima of the distance of neighbouring levels that exceed the adiabatic gap."""
    energy = np.sort(tracks.energy, axis=1)
    gaps = np.diff(energy, axis=1)
    minima = (gaps[1:-1] <= gaps[:-2]) & (gaps[1:-1] < gaps[2:])
    found = []
    for i, level in np.argwhere(minima):
        order = np.argsort(tracks.energy[i + 1], kind="stable")[level : level + 2]
        numbers = [blocks.of_state(tracks.states[i + 1][:, k]) for k in order]
        if min(numbers) >= 0 and numbers[0] != numbers[1]:
            continue  # nothing mixes the two: they only come near each other
        steepness = [_steepness(tracks, k, level) for k in (i, i + 2)]
        if not steepness[1] - steepness[0] > _TURN:
            continue
        crossing = _avoided(line, tracks.field[i : i + 3], int(level), tracks.adiabatic_gap)
        if crossing is not None:
            order = np.argsort(tracks.energy[i + 1], kind="stable")
            lower, upper = (int(order[k]) for k in (level, level + 1))
            found.append(crossing._replace(track_from=lower, track_to=upper))
    return found


def _steepness(tracks: DiabaticTracks, i: int, level: int) -> float:
    """Return dE/dB of level ``level + 1`` minus that of ``level`` at a grid point [K/T]."""
    lower, upper = np.argsort(tracks.energy[i], kind="stable")[level : level + 2]
    return float(tracks.slope[i, upper] - tracks.slope[i, lower])


def _avoided(
    line: FieldLine, bracket: NDArray[np.float64], level: int, adiabatic_gap: float
) -> Crossing | None:
    """Return the avoided crossing of levels ``level`` and ``level + 1`` inside a bracket."""

    def steepness(B: float) -> float:
        _, U = np.linalg.eigh(line.at(B))
        pair = U[:, level : level + 2]
        slope = (pair.conj() * (line.G @ pair)).sum(axis=0).real
        return float(slope[1] - slope[0])

    if not steepness(bracket[0]) < 0 < steepness(bracket[2]):
        return None
    B = float(brentq(steepness, bracket[0], bracket[2], xtol=1e-12))
    energy, U = np.linalg.eigh(line.at(B))
    gap = float(energy[level + 1] - energy[level])
    if gap < adiabatic_gap:
        return None
    pair = U[:, level : level + 2]
    # the diabatic slopes are the eigenvalues of dH/dB in the space of the two levels
    slope, rotation = np.linalg.eigh(pair.conj().T @ (line.G @ pair))
    if slope[1] - slope[0] < _AVOIDED:
        return None
    states = pair @ rotation
    to, start = (_main_state(states[:, [k]]) for k in (0, 1))
    return Crossing(
        field=B,
        gap=gap,
        slope=float(slope[1] - slope[0]),
        level_from=level,
        level_to=level + 1,
        state_from=start,
        state_to=to,
        zero=False,
        reason="",
        track_from=-1,
        track_to=-1,
        wide=True,
    )


def _downfolded(line: FieldLine, narrow: list[Crossing]) -> list[Crossing]:
    """Replace field, gap and slope by the downfolded values where both levels carry a label."""
    slope = line.G.diagonal().real
    chosen = [
        k
        for k, c in enumerate(narrow)
        if min(c.state_from, c.state_to) >= 0 and abs(slope[c.state_from] - slope[c.state_to]) > _PARALLEL
    ]
    if not chosen or len(line.H0) < 3:
        return narrow
    first = np.array([narrow[k].state_from for k in chosen])
    second = np.array([narrow[k].state_to for k in chosen])
    pairs = downfold_pairs(line, first, second)
    refined = list(narrow)
    for p, k in enumerate(chosen):
        same = abs(pairs.field[p] - narrow[k].field) < 1e-4 * (1 + abs(narrow[k].field))
        if pairs.converged[p] and pairs.weight[p] > _LABEL_WEIGHT and same:
            gap = 0.0 if narrow[k].zero or pairs.zero[p] else float(pairs.gap[p])
            refined[k] = narrow[k]._replace(
                field=float(pairs.field[p]), gap=gap, slope=float(abs(pairs.slope[p]))
            )
    return refined
