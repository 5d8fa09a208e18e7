r"""Where a transition only touches a frequency: turning points of its energy against the field.

Near a field :math:`B_0` at which the energy of a transition has an extremum,
:math:`E_j - E_i = h\nu_0 + \tfrac12 c\,(B - B_0)^2`, a frequency :math:`\delta` above meets it at
:math:`x = \pm\sqrt{2\delta/c}` from there, with the slope :math:`c\,x`.  The intensity of a field sweep,
strength over slope, then diverges as :math:`1/x` if the transition has strength at :math:`B_0`; only a
width in energy makes it finite.  If the matrix element vanishes there, it does so at least as fast as
x, the strength as :math:`x^2` and the intensity as x: at the turning point it is zero (with a width w in
energy it goes as :math:`\sqrt w`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mesospin.spectrum.block_states import BlockStates, Floats, Indices
from mesospin.spectrum.resonance_search import Resonances

#: Distance of a resonance from a turning point, over the largest field, below which they are one: the energy
#: there differs from that of the turning point by its rounding.
_ONE_FIELD: Final = 1e-6

#: Slope over the steepest one, above which no turning point is that near.
_STEEP: Final = 1e-3

#: Steps of the search for the turning point; the slope is almost linear there.
_STEPS: Final = 10


def onto_turning_points(
    solver: BlockStates,
    axes: Floats,
    span: tuple[float, float],
    found: Resonances,
    slope: Floats,
    steepest: float,
) -> tuple[Resonances, NDArray[np.bool_]]:
    """Return the resonances, those at a turning point moved onto it, and which ones these are.

    Parameters
    ----------
    solver : BlockStates
        Blocks for the directions.
    axes : ndarray, shape (d, 3)
        Unit vectors.
    span : (lo, hi) [T]
        Range that was searched.
    found : Resonances
        What the search gave.
    slope : ndarray, shape (r,) [K/T]
        Slopes of the transitions there.
    steepest : float [K/T]
        Bound on all slopes.

    Returns
    -------
    Resonances, ndarray of bool (r,)
        Both meetings of a loop within the distance of its turning point count as one.
    """
    reach = _ONE_FIELD * max(abs(end) for end in span)
    turning = np.zeros(len(found.field), dtype=bool)
    suspects = np.flatnonzero(np.abs(slope) <= _STEEP * steepest)
    if not len(suspects):
        return found, turning
    field = found.field.copy()
    turns, place = _turning_field(solver, axes, found, suspects, reach)
    turning[suspects[turns]] = True
    field[suspects[turns]] = np.clip(place[turns], *span)
    order = np.lexsort((field, found.upper, found.lower, found.line))
    keys = np.stack([found.line, found.lower, found.upper])[:, order]
    twice = np.all(keys[:, 1:] == keys[:, :-1], axis=0) & turning[order][1:] & turning[order][:-1]
    twice &= np.diff(field[order]) <= reach
    order = order[np.concatenate([[True], ~twice])]
    order = order[np.lexsort((field[order], found.line[order]))]
    moved = Resonances(found.line[order], field[order], found.lower[order], found.upper[order])
    return moved, turning[order]


def _turning_field(
    solver: BlockStates, axes: Floats, found: Resonances, suspects: Indices, reach: float
) -> tuple[NDArray[np.bool_], Floats]:
    """Return which transitions turn within ``reach`` of their resonance, and where (false position)."""
    line, lower, upper = (part[suspects] for part in (found.line, found.lower, found.upper))
    row = np.arange(len(suspects))

    def slope(B: Floats) -> Floats:
        S = solver.levels(axes[line], B)[1]
        return np.asarray(S[row, upper] - S[row, lower])

    a, b = found.field[suspects] - reach, found.field[suspects] + reach
    f, g = slope(a), slope(b)
    turns = (f < 0.0) != (g < 0.0)
    place = found.field[suspects].copy()
    for _ in range(_STEPS if np.any(turns) else 0):
        step = np.where(turns, f - g, 1.0)
        place = np.where(turns, a + (b - a) * f / np.where(step == 0.0, 1.0, step), place)
        h = slope(place)
        before = (h < 0.0) == (f < 0.0)
        a, f = np.where(before, place, a), np.where(before, h, f)
        b, g = np.where(before, b, place), np.where(before, g, h)
    return turns, place
