"""Every crossing and avoided crossing of the levels in a range of fields."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.checks import span as check_span
from mesospin.errors import InputError
from mesospin.model.system import SpinSystem
from mesospin.results import result, variable
from mesospin.spectrum.matrices import basis_labels, electronic_projection, field_line
from mesospin.spectrum.search import GRID_STEP, Crossing, diabatic_tracks, find_crossings


def crossings(
    system: SpinSystem,
    span: Sequence[float],
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
) -> xr.Dataset:
    r"""Return every crossing and avoided crossing of the levels in a field range.

    Parameters
    ----------
    system : SpinSystem
        The system.
    span : (lo, hi) [T]
        Range of the field along ``axis``.
    axis : three numbers, default z
        Direction of the swept field.
    transverse : two numbers (Bx, By) [T], default none
        Constant field added to it.

    Returns
    -------
    xarray.Dataset
        Along ``crossing``, in order of field: ``field`` [T]; ``level_from``, ``level_to``
        (positions in energy just below the crossing); ``label_from``, ``label_to``, ``m_from``, ``m_to``
        (electronic projection, NaN where no basis state has weight above one half);
        ``splitting`` (full gap) [K] and ``log10_splitting``; ``slope``, the difference
        of dE/dB of the two levels [K/T]; ``zero``, True where the gap vanishes exactly,
        and ``reason``.  "From" is the level that is lower at smaller field, the one that a
        magnet saturated at negative field occupies.

    Raises
    ------
    InputError
        If ``span`` is not an increasing pair of finite numbers, or no levels cross in it.
    TooLargeError
        If the matrices do not fit in memory.

    Notes
    -----
    Gaps between labelled states are downfolded (relative error about (gap / level
    spacing)^2, no cancellation), gaps above 1e-3 K are minimised eigenvalue differences
    (absolute error about 1e-14 times the width of the spectrum), the rest are
    elements between diabatic states with the same absolute error.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> ds = crossings(giant_spin(1, D=-1.0, E=1e-4), span=(-0.1, 0.1))
    >>> ds.splitting.values.round(9), ds.m_from.values, ds.m_to.values
    (array([0.0002]), array([1.]), array([-1.]))
    """
    lo, hi = check_span("span", span)
    line = field_line(system, axis=axis, transverse=transverse)
    tracks = diabatic_tracks(system, line, lo - GRID_STEP, hi + GRID_STEP)
    zero_field = not np.any(np.asarray(transverse, dtype=float))
    found = [
        crossing
        for crossing in find_crossings(system, line, tracks, zero_field=zero_field)
        if lo - 1e-9 <= crossing.field <= hi + 1e-9
    ]
    if not found:
        msg = (
            f"span must contain a crossing [T], got ({lo:g}, {hi:g}) where no two levels of "
            f"{system.name} meet; widen it or look at levels(...)"
        )
        raise InputError(msg)
    inputs = {"span": [lo, hi], "axis": list(axis), "transverse": list(transverse)}
    return _dataset(system, found, inputs)


def _dataset(system: SpinSystem, found: list[Crossing], inputs: dict[str, list[float]]) -> xr.Dataset:
    names, m = basis_labels(system), electronic_projection(system)

    def column(field: str) -> NDArray[np.generic]:
        return np.array([getattr(crossing, field) for crossing in found])

    def label(states: NDArray[np.generic]) -> list[str]:
        return [names[int(s)] if s >= 0 else "" for s in states]

    def projection(states: NDArray[np.generic]) -> list[float]:
        return [float(m[int(s)]) if s >= 0 else float("nan") for s in states]

    gap = column("gap").astype(float)
    with np.errstate(divide="ignore"):
        logarithm = np.log10(gap)
    start, to = column("state_from"), column("state_to")
    entries = {
        "field": (column("field"), "T", "field of the crossing"),
        "level_from": (column("level_from"), "1", "position in energy below the crossing"),
        "level_to": (column("level_to"), "1", "position in energy above the crossing"),
        "label_from": (label(start), "1", "state occupied before the crossing"),
        "label_to": (label(to), "1", "state reached by tunnelling"),
        "m_from": (projection(start), "1", "projection before the crossing"),
        "m_to": (projection(to), "1", "projection after tunnelling"),
        "splitting": (gap, "K", "tunnel splitting (full gap)"),
        "log10_splitting": (logarithm, "1", "log10 of the splitting in K"),
        "slope": (column("slope").astype(float), "K/T", "difference of dE/dB"),
        "zero": (column("zero"), "1", "gap exactly zero"),
        "reason": (column("reason").astype(str), "1", "reason for a zero gap"),
    }
    variables = {name: variable("crossing", *entry) for name, entry in entries.items()}
    coords = {"crossing": np.arange(len(found))}
    return result("crossings", system, variables, coords, inputs)
