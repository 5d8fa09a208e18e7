"""The table of steps: resonances of the state that a saturated molecule occupies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.dynamics.frame import Frame
from mesospin.model.system import SpinSystem
from mesospin.spectrum.landau_zener import landau_zener
from mesospin.spectrum.matrices import basis_labels, electronic_projection, format_projection


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


def ground_steps(system: SpinSystem, frame: Frame, start: int) -> Steps:
    """Return the resonances of state ``start`` with all others, as the field rises.

    The number of a step is n = m + m' where both states carry a projection of a single
    electronic spin (the n-th resonance of m = S is with m' = n - S); otherwise steps are
    counted from 1.
    """
    table = frame.catalogue
    mine = np.flatnonzero(table.a == start)
    labels, m = basis_labels(system), electronic_projection(system)
    plain = len(system.spins) == 1 and bool(
        np.all(table.basis_a[mine] >= 0) and np.all(table.basis_b[mine] >= 0)
    )
    names, numbers = [], []
    for count, k in enumerate(mine, start=1):
        a, b = int(table.basis_a[k]), int(table.basis_b[k])
        if plain:
            names.append(f"{format_projection(m[a])} -> {format_projection(m[b])}")
            numbers.append(round(float(m[a] + m[b])))
        else:
            names.append(f"{labels[a] if a >= 0 else '?'} -> {labels[b] if b >= 0 else '?'}")
            numbers.append(count)
    return Steps(
        np.array(numbers, dtype=np.int64),
        np.array(names, dtype=np.str_),
        table.field[mine],
        table.gap[mine],
        table.slope[mine],
        table.zero[mine],
        np.empty(0),
    )


def mean_steps(
    members: Sequence[Steps], weights: Sequence[float], rate: float, span: tuple[float, float]
) -> Steps:
    """Return the steps of an ensemble: mean fields, root-mean-square gaps, mean probabilities.

    Only steps inside the span that every molecule has are listed; in a powder the resonances of the
    crystallites do not coincide and the table is usually empty.
    """
    common = [n for n in members[0].n.tolist() if all(n in other.n for other in members)]
    rows = np.array([[int(np.flatnonzero(s.n == n)[0]) for n in common] for s in members], dtype=int)
    rows = rows.reshape(len(members), len(common))
    share = np.array(weights)[:, None]
    if len(common):
        mean = (share * np.array([s.field[row] for s, row in zip(members, rows, strict=True)])).sum(axis=0)
        rows = rows[:, (mean >= span[0]) & (mean <= span[1])]
        common = members[0].n[rows[0]].tolist()

    def column(name: str) -> NDArray[Any]:
        return np.array([getattr(s, name)[row] for s, row in zip(members, rows, strict=True)])

    gap, slope, zero = column("gap"), column("slope"), column("zero")
    probability = np.where(zero, 0.0, landau_zener(gap, rate, slope=slope)) if len(common) else gap
    return Steps(
        np.array(common, dtype=np.int64),
        members[0].label[rows[0]],
        (share * column("field")).sum(axis=0),
        np.sqrt((share * gap**2).sum(axis=0)),
        (share * slope).sum(axis=0),
        np.asarray(zero.all(axis=0)),
        (share * probability).sum(axis=0),
    )


def step_fractions(
    fields: NDArray[np.float64], reduced: NDArray[np.float64], resonances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the fraction of molecules reversed around each resonance, shape (temperature, step).

    The change of M/(2 Ms) on the up branch between the middles to the neighbouring
    resonances; at the ends half a spacing, or the end of the span.
    """
    if not len(resonances):
        return np.empty((len(reduced), 0))
    order = np.argsort(resonances)
    B = resonances[order]
    middle = (B[1:] + B[:-1]) / 2
    half = (B[1] - B[0]) / 2 if len(B) > 1 else fields[-1] - fields[0]
    edges = np.concatenate([[B[0] - half], middle, [fields[-1]]])
    at = np.array([np.interp(edges, fields, branch) for branch in reduced[:, 0]])
    fractions = np.empty((len(reduced), len(B)))
    fractions[:, order] = np.diff(at, axis=1) / 2
    return fractions
