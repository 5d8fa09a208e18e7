"""The search for crossings: followed levels, where they meet, and what happens there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from mesospin.model.system import SpinSystem
from mesospin.spectrum.diabatic import Part
from mesospin.spectrum.downfold import downfold_pairs
from mesospin.spectrum.low_energy import block_line
from mesospin.spectrum.matrices import (
    Array,
    FieldLine,
    basis_projections,
    electronic_projection,
)
from mesospin.spectrum.tracks import DiabaticTracks, match_states, track

#: Gaps above this are followed as avoided crossings, smaller ones are crossed [K].
ADIABATIC_GAP = 1e-3
#: Largest spacing of the field grid on which levels are followed [T].
GRID_STEP = 0.01
#: Slope given to the projection of a site [K/T]: small beside a moment of one Bohr magneton, large beside
#: what the mixing at the edge of a group of levels does to moments.
_SITE = 0.03
_GAP_FACTORS = (1.0, 1.4, 0.7)
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
#: Levels nearer than this to a crossing meet in it [K].
_SAME_ENERGY = 1e-10
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


def diabatic_tracks(
    system: SpinSystem,
    line: FieldLine,
    lo: float,
    hi: float,
    *,
    count: int | None = None,
    adiabatic_gap: float = ADIABATIC_GAP,
) -> DiabaticTracks:
    """Follow the ``count`` lowest diabatic levels of ``system`` (default: all) from ``lo`` to ``hi`` [T].

    Gaps above about ``adiabatic_gap`` are followed.  Where a gap happens to lie so close to that limit that
    it is followed at one field and crossed at the next, the limit is moved for that block: either
    treatment is right there, but it has to be one of the two.  With hundreds of crossings no limit may
    serve all; then states may rotate inside a group of levels at such a field.
    """
    return track(
        line,
        lo,
        hi,
        step=GRID_STEP,
        adiabatic_gap=adiabatic_gap,
        site_slope=site_slope(system),
        count=count,
        factors=_GAP_FACTORS,
        regroup=True,
    )


def find_crossings(
    system: SpinSystem,
    line: FieldLine,
    tracks: DiabaticTracks,
    *,
    zero_field: bool,
    wanted: NDArray[np.bool_] | None = None,
) -> list[Crossing]:
    """Return the crossings of followed levels, in order of field.

    ``zero_field`` tells that the field vector vanishes at B = 0, where Kramers' theorem acts.  Crossings
    that nothing mixes are listed for the levels ``wanted`` (k,), by default for all.
    """
    mirror = len(line.H0) - 1 if zero_field and system.is_kramers else None
    wanted = np.ones(tracks.energy.shape[1], dtype=bool) if wanted is None else wanted
    narrow = _narrow(tracks, _Rules(selection_rule(system, line), mirror), wanted)
    wide = _wide(tracks)
    return sorted(_downfolded(line, tracks, narrow) + wide, key=lambda c: (round(c.field, 9), c.level_from))


class _Rules(NamedTuple):
    """Why gaps vanish.

    ``selection`` the selection rule in words; ``mirror`` i + j of the basis states i and j that time
    reversal exchanges where Kramers' theorem acts at zero field, else None.
    """

    selection: str
    mirror: int | None


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


def _narrow(tracks: DiabaticTracks, rules: _Rules, wanted: NDArray[np.bool_]) -> list[Crossing]:
    """Return the places where two followed levels exchange their order."""
    found = []
    part = tracks.part_of
    for a in range(tracks.energy.shape[1] - 1):
        upper = tracks.energy[:, a, None] >= tracks.energy[:, a + 1 :]
        parallel = np.abs(tracks.slope[:, a, None] - tracks.slope[:, a + 1 :]) < _PARALLEL
        exchange = (upper[1:] != upper[:-1]) & ~parallel[1:] & ~parallel[:-1]
        exchange &= wanted[a] | wanted[a + 1 :] | (part[a] == part[a + 1 :])
        for i, step in np.argwhere(exchange):
            b = a + 1 + int(step)
            refine = _refine if part[a] == part[b] else _exact_crossing
            found.append(refine(tracks, int(i), (a, b), rules))
    return found


def _refine(tracks: DiabaticTracks, i: int, pair: tuple[int, int], rules: _Rules) -> Crossing:
    """Return the crossing of two followed levels of one block between the grid points i and i + 1."""
    number = int(tracks.part_of[pair[0]])
    part, states = tracks.parts[number], tracks.states[number]
    columns = [k - tracks.columns[number].start for k in pair]
    lo, hi = tracks.field[i], tracks.field[i + 1]
    B = _meeting_point(tracks, i, pair)
    for _ in range(_MAX_NEWTON):
        point = part.point(B)
        near = i if B - lo < hi - B else i + 1
        a, b = match_states(states[near][:, columns], point.states)
        steepness = point.slope[a] - point.slope[b]
        step = -(point.energy[a] - point.energy[b]) / steepness
        B = float(np.clip(B + step, lo, hi))
        if abs(step) < 1e-13 * (1 + abs(B)):
            break
    if steepness < 0:
        a, b, steepness, pair = b, a, -steepness, pair[::-1]
    zero = abs(B) < _ZERO_FIELD and _reversed(part, rules, point.states[:, a], point.states[:, b])
    reason = "Kramers: half-integer total spin at zero field" if zero else ""
    level = _levels_below(tracks, i, pair, B)
    state_from, state_to = (_main_state(part, point.states[:, [k]]) for k in (a, b))
    return Crossing(
        field=B,
        gap=0.0 if zero else 2 * abs(point.coupling[a, b]),
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


def _exact_crossing(tracks: DiabaticTracks, i: int, pair: tuple[int, int], rules: _Rules) -> Crossing:
    """Return the crossing of two levels of different symmetry, which nothing mixes."""
    lo, hi = tracks.field[i], tracks.field[i + 1]
    numbers = [int(tracks.part_of[k]) for k in pair]
    parts = [tracks.parts[number] for number in numbers]
    columns = [k - tracks.columns[number].start for k, number in zip(pair, numbers, strict=True)]
    B = _meeting_point(tracks, i, pair)
    for _ in range(_MAX_NEWTON):
        near = i if B - lo < hi - B else i + 1
        energy, slope, states = [], [], []
        for part, number, column in zip(parts, numbers, columns, strict=True):
            point = part.point(B)
            at = int(match_states(tracks.states[number][near][:, [column]], point.states)[0])
            energy.append(point.energy[at])
            slope.append(point.slope[at])
            states.append(point.states[:, [at]])
        steepness = float(slope[0] - slope[1])
        step = -(energy[0] - energy[1]) / steepness
        B = float(np.clip(B + step, lo, hi))
        if abs(step) < 1e-13 * (1 + abs(B)):
            break
    B = round(B, 12) + 0.0
    names = [_main_state(part, state) for part, state in zip(parts, states, strict=True)]
    if steepness < 0:
        pair, steepness, names = pair[::-1], -steepness, names[::-1]
    level = _levels_below(tracks, i, pair, B)
    return Crossing(
        field=B,
        gap=0.0,
        slope=steepness,
        level_from=level,
        level_to=level + 1,
        state_from=names[0],
        state_to=names[1],
        zero=True,
        reason=f"selection rule: {rules.selection}",
        track_from=pair[0],
        track_to=pair[1],
    )


def _levels_below(tracks: DiabaticTracks, i: int, pair: tuple[int, int], B: float) -> int:
    """Return how many levels lie below the crossing of a pair at ``B`` between grid points i and i + 1."""
    h = tracks.field[i + 1] - tracks.field[i]
    t = (B - tracks.field[i]) / h
    h00, h01 = (1 + 2 * t) * (1 - t) ** 2, t * t * (3 - 2 * t)
    h10, h11 = h * t * (1 - t) ** 2, h * t * t * (t - 1)
    there = h00 * tracks.energy[i] + h10 * tracks.slope[i]
    there = there + h01 * tracks.energy[i + 1] + h11 * tracks.slope[i + 1]
    others = np.delete(there, list(pair))
    return int(np.sum(others < (there[pair[0]] + there[pair[1]]) / 2 - _SAME_ENERGY))


def _main_state(part: Part, states: Array) -> int:
    """Return the basis state that has more than half its weight in the given space, or -1."""
    weight = (np.abs(part.basis @ states) ** 2).sum(axis=1)
    return int(part.members[np.argmax(weight)]) if weight.max() > _LABEL_WEIGHT else -1


def _reversed(part: Part, rules: _Rules, first: Array, second: Array) -> bool:
    """Return whether Kramers' theorem acts and two states have opposite projections of every spin."""
    if rules.mirror is None or not np.array_equal(part.members[::-1], rules.mirror - part.members):
        return False
    one, two = (np.abs(part.basis @ state) ** 2 for state in (first, second))
    return bool(np.abs(one - two[::-1]).max() < 1e-6)


def _wide(tracks: DiabaticTracks) -> list[Crossing]:
    """Return the minima of the distance of neighbouring levels of a block that exceed the adiabatic gap."""
    found = []
    for part, columns in zip(tracks.parts, tracks.columns, strict=True):
        energy, slope = tracks.energy[:, columns], tracks.slope[:, columns]
        order = np.argsort(energy, axis=1, kind="stable")
        gaps = np.diff(np.take_along_axis(energy, order, 1), axis=1)
        steepness = np.diff(np.take_along_axis(slope, order, 1), axis=1)
        minima = (gaps[1:-1] <= gaps[:-2]) & (gaps[1:-1] < gaps[2:])
        minima &= steepness[2:] - steepness[:-2] > _TURN
        for i, level in np.argwhere(minima):
            bracket = tracks.field[i : i + 3]
            crossing = _avoided(part, bracket, int(level))
            if crossing is None:
                continue
            pair = tuple(int(k) + columns.start for k in order[i + 1, level : level + 2])
            near = int(i) if crossing.field < bracket[1] else int(i) + 1
            below = _levels_below(tracks, near, pair, crossing.field)
            found.append(
                crossing._replace(level_from=below, level_to=below + 1, track_from=pair[0], track_to=pair[1])
            )
    return found


def _avoided(part: Part, bracket: NDArray[np.float64], level: int) -> Crossing | None:
    """Return the avoided crossing of levels ``level`` and ``level + 1`` of a block inside a bracket."""
    line = part.line

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
    if gap < part.adiabatic_gap:
        return None
    pair = U[:, level : level + 2]
    # the diabatic slopes are the eigenvalues of dH/dB in the space of the two levels
    slope, rotation = np.linalg.eigh(pair.conj().T @ (line.G @ pair))
    if slope[1] - slope[0] < _AVOIDED:
        return None
    states = pair @ rotation
    to, start = (_main_state(part, states[:, [k]]) for k in (0, 1))
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


def _downfolded(line: FieldLine, tracks: DiabaticTracks, narrow: list[Crossing]) -> list[Crossing]:
    """Replace field, gap and slope by the downfolded values where both levels carry a label."""
    slope = line.G.diagonal().real
    part_of = tracks.part_of
    refined = list(narrow)
    chosen: dict[int, list[int]] = {}
    for k, c in enumerate(narrow):
        if c.zero or min(c.state_from, c.state_to) < 0:
            continue
        if abs(slope[c.state_from] - slope[c.state_to]) > _PARALLEL:
            chosen.setdefault(int(part_of[c.track_from]), []).append(k)
    for number, rows in chosen.items():
        members = tracks.parts[number].members
        if len(members) < 3:
            continue
        block = block_line(line, members)
        first = np.searchsorted(members, [narrow[k].state_from for k in rows])
        second = np.searchsorted(members, [narrow[k].state_to for k in rows])
        pairs = downfold_pairs(block, first, second)
        for p, k in enumerate(rows):
            same = abs(pairs.field[p] - narrow[k].field) < 1e-4 * (1 + abs(narrow[k].field))
            if pairs.converged[p] and pairs.weight[p] > _LABEL_WEIGHT and same:
                refined[k] = narrow[k]._replace(
                    field=float(pairs.field[p]),
                    gap=float(pairs.gap[p]),
                    slope=float(abs(pairs.slope[p])),
                )
    return refined
