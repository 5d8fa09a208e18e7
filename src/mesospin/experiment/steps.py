"""The table of steps: resonances of the state that a saturated molecule occupies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.dynamics.branch import lasting_states
from mesospin.dynamics.frame import Frame
from mesospin.model.interactions import Hyperfine
from mesospin.model.system import SpinSystem
from mesospin.spectrum.landau_zener import landau_zener
from mesospin.spectrum.matrices import (
    basis_labels,
    basis_projections,
    electronic_projection,
    format_projection,
)

#: Distance from a crossing, in gaps over its slope, at which its levels are those of before.
_BEFORE = 5.0


class Steps(NamedTuple):
    """Resonances in order of field, one entry a step.

    ``n`` the step number; ``label`` of the two states; ``field`` [T]; ``gap`` full [K]; ``slope``
    [K/T]; ``zero`` by symmetry; ``probability`` of Landau-Zener tunnelling (empty before averaging).
    """

    n: NDArray[np.int64]
    label: NDArray[np.str_]
    field: NDArray[np.float64]
    gap: NDArray[np.float64]
    slope: NDArray[np.float64]
    zero: NDArray[np.bool_]
    probability: NDArray[np.float64]

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Steps:
        """Return the steps stored in a result of one molecule."""
        return cls(*(np.asarray(table[name]) for name in cls._fields))


def occupied_states(frame: Frame, well: int, T: float, duration: float) -> NDArray[np.int64]:
    """Return the states that hold molecules at the start of an upward sweep, lowest first.

    The states of the side of ``well``, the bottom of the first well, that spontaneous emission does not
    leave within ``duration`` [s] and that hold at least one in a hundred of what the lowest holds at
    temperature ``T``: several where a nucleus splits the well.
    """
    energy, slope = frame.energy[0], frame.slope[0]
    lasting = lasting_states(frame, float(frame.field[0]), 1 / duration)
    lasting = np.union1d(lasting, [well])
    side = lasting[slope[lasting] > slope[well] - 0.5 * abs(slope[well])]
    chosen = side[energy[side] - energy[side].min() < np.log(100.0) * T]
    return np.asarray(chosen[np.argsort(energy[chosen], kind="stable")], dtype=np.int64)


def ground_steps(system: SpinSystem, frame: Frame, starts: NDArray[np.int64]) -> Steps:
    """Return the resonances of the states ``starts`` with all others, as the field rises.

    Those that symmetry closes are listed for the first, the lowest, only, and not where several electrons
    have nuclei.  The number of a step is
    n = m + m' where both states carry a projection of a single electronic spin (the n-th resonance of
    m = S is with m' = n - S), and the mean of mI + mI' over the electrons that reverse, with the sign of
    the field, where every electron that changes is reversed and couples to one nucleus; otherwise steps
    are counted from 1.
    """
    table = frame.catalogue
    nuclear = len(system.electronic_sites) < len(system.spins)
    lowest = table.a == starts[0]
    if nuclear and len(system.electronic_sites) > 1:
        lowest &= ~table.zero
    # a level followed through a wide gap has reversed and is another state from there on
    same = _keep_their_moment(frame)
    mine = np.flatnonzero(same & (lowest | (np.isin(table.a, starts) & ~table.zero)))
    pairs = [(int(table.basis_a[k]), int(table.basis_b[k])) for k in mine]
    labels, m = basis_labels(system), electronic_projection(system)
    plain = len(system.spins) == 1 and all(min(pair) >= 0 for pair in pairs)
    numbers: list[float] | None
    if plain:
        names = [f"{format_projection(m[a])} -> {format_projection(m[b])}" for a, b in pairs]
        numbers = [round(float(m[a] + m[b])) for a, b in pairs]
    else:
        names = [" -> ".join(labels[k] if k >= 0 else "?" for k in pair) for pair in pairs]
        numbers = _nuclear_numbers(system, pairs, table.field[mine]) or list(range(1, len(pairs) + 1))
    whole = all(float(n).is_integer() for n in numbers)
    return Steps(
        np.array(numbers, dtype=np.int64 if whole else np.float64),
        np.array(names, dtype=np.str_),
        table.field[mine],
        table.gap[mine],
        table.slope[mine],
        table.zero[mine],
        np.empty(0),
    )


def _keep_their_moment(frame: Frame) -> NDArray[np.bool_]:
    """Return for every crossing whether its first level still has the moment of the start, just before it."""
    table = frame.catalogue
    before = table.field - _BEFORE * table.gap / table.slope
    cell = np.clip(np.searchsorted(frame.field, before) - 1, 0, len(frame.field) - 1)
    first = frame.slope[0, table.a]
    return np.asarray(frame.slope[cell, table.a] > first - 0.5 * np.abs(first))


def _nuclear_numbers(
    system: SpinSystem, pairs: list[tuple[int, int]], fields: NDArray[np.float64]
) -> list[float] | None:
    """Return the numbers of resonances between hyperfine levels of reversed moments.

    None where another kind of resonance is among them.
    """
    nucleus = {term.i: term.k for term in system.terms if isinstance(term, Hyperfine)}
    table = basis_projections(system)
    numbers = []
    for (a, b), field in zip(pairs, fields, strict=True):
        before, after = table[a], table[b]
        turned = [i for i in system.electronic_sites if before[i] != after[i]]
        reverses = all(i in nucleus and before[i] == -after[i] for i in turned)
        if min(a, b) < 0 or not turned or not reverses:
            return None
        total = sum(before[nucleus[i]] + after[nucleus[i]] for i in turned)
        numbers.append(float(np.copysign(total / len(turned), field)) + 0.0)
    return numbers or None


def mean_steps(
    members: Sequence[Steps], weights: Sequence[float], rate: float, span: tuple[float, float]
) -> Steps:
    """Return the steps of an ensemble: mean fields, root-mean-square gaps, mean probabilities.

    Only steps inside the span that every molecule has are listed; in a powder the resonances of the
    crystallites do not coincide and the table is usually empty.
    """
    keys = [_keys(steps) for steps in members]
    common = [key for key in keys[0] if all(key in other for other in keys)]
    rows = np.array([[own[key] for key in common] for own in keys], dtype=int)
    rows = rows.reshape(len(members), len(common))
    share = np.array(weights)[:, None]
    if len(common):
        mean = (share * np.array([s.field[row] for s, row in zip(members, rows, strict=True)])).sum(axis=0)
        rows = rows[:, (mean >= span[0]) & (mean <= span[1])]

    def column(name: str) -> NDArray[Any]:
        return np.array([getattr(s, name)[row] for s, row in zip(members, rows, strict=True)])

    gap, slope, zero = column("gap"), column("slope"), column("zero")
    probability = np.where(zero, 0.0, landau_zener(gap, rate, slope=slope)) if rows.size else gap
    return Steps(
        members[0].n[rows[0]],
        members[0].label[rows[0]],
        (share * column("field")).sum(axis=0),
        np.sqrt((share * gap**2).sum(axis=0)),
        (share * slope).sum(axis=0),
        np.asarray(zero.all(axis=0)),
        (share * probability).sum(axis=0),
    )


def _keys(steps: Steps) -> dict[tuple[float, int], int]:
    """Return the row of every step under its number and its place among those of that number."""
    places: dict[tuple[float, int], int] = {}
    seen: dict[float, int] = {}
    for row, n in enumerate(steps.n.tolist()):
        places[n, seen.setdefault(n, 0)] = row
        seen[n] += 1
    return places


def step_fractions(
    fields: NDArray[np.float64], reduced: NDArray[np.float64], resonances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the fraction of molecules reversed around each resonance, shape (temperature, step).

    The change of M/(2 Ms) on the up branch between the middles to the neighbouring
    resonances; at the ends half a spacing, or the end of the span.  Resonances nearer than two points of
    the field grid are one step, and each of them is given all of it.
    """
    if not len(resonances):
        return np.empty((len(reduced), 0))
    order = np.argsort(resonances)
    apart = np.diff(resonances[order]) > 2 * (fields[1] - fields[0])
    number = np.concatenate([[0], np.cumsum(apart)])
    B = np.bincount(number, resonances[order]) / np.bincount(number)
    middle = (B[1:] + B[:-1]) / 2
    half = (B[1] - B[0]) / 2 if len(B) > 1 else fields[-1] - fields[0]
    edges = np.concatenate([[B[0] - half], middle, [fields[-1]]])
    at = np.array([np.interp(edges, fields, branch) for branch in reduced[:, 0]])
    fractions = np.empty((len(reduced), len(order)))
    fractions[:, order] = (np.diff(at, axis=1) / 2)[:, number]
    return fractions
