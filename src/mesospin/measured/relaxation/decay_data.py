"""Moments against time at several temperatures and fields, as rows of decays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite, finite_array, non_negative
from mesospin.errors import InputError
from mesospin.measured.magnetometer.isotherms import FIELD_TOLERANCE, TEMPERATURE_TOLERANCE, group_points
from mesospin.results import account, variable

__all__ = ["Decays", "decay_data", "decays"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Decays(NamedTuple):
    """Moment against time by temperature and field, padded to the longest of them."""

    temperature: Floats
    """(decays,) [K]"""
    field: Floats
    """(decays,) [T]"""
    time: Floats
    """(decays, n) [s] since the origin; 0 in the padding."""
    moment: Floats
    """(decays, n), in ``unit``; 0 in the padding."""
    known: Bools
    """(decays, n), False in the padding."""
    unit: str


def decay_data(
    time: ArrayLike,
    moment: ArrayLike,
    T: ArrayLike,
    *,
    B: ArrayLike = 0.0,
    unit: str = "emu",
    temperature_tolerance: float = TEMPERATURE_TOLERANCE,
    field_tolerance: float = FIELD_TOLERANCE,
) -> xr.Dataset:
    """Return moments against time as data that `fit_decay` takes.

    Parameters
    ----------
    time : array-like, shape (points,) [s]
        Any origin.
    moment : array-like, shape (points,)
        In ``unit``.
    T, B : array-like, scalar or shape (points,) [K], [T]
    unit : str, default "emu"
        Unit of the moment.
    temperature_tolerance, field_tolerance : float [K], [T]
        Points no farther from their neighbour belong to one decay.

    Returns
    -------
    xarray.Dataset
        Kind "magnetometer", measurement "dc".

    Raises
    ------
    InputError
        If lengths differ or a number is not finite.

    Examples
    --------
    >>> decay_data([0.0, 1.0, 2.0], [1.0, 0.5, 0.25], 2.0).sizes["isotherm"]
    1
    """
    t = np.atleast_1d(finite_array("time", time))
    columns = {"time": t}
    for name, values in (("moment", moment), ("temperature", T), ("field", B)):
        column = finite_array("T" if name == "temperature" else name, values)
        columns[name] = np.full(len(t), float(column)) if column.ndim == 0 else column
        if columns[name].shape != t.shape:
            raise InputError(
                f"{name} must have one number for each of the {len(t)} times, got shape {column.shape}; give "
                "equally long lists"
            )
    group = group_points(
        columns["temperature"],
        columns["field"],
        temperature_tolerance=non_negative("temperature_tolerance", temperature_tolerance, "K"),
        field_tolerance=non_negative("field_tolerance", field_tolerance, "T"),
    )
    labels = {"time": "s", "moment": unit, "temperature": "K", "field": "T"}
    variables = {name: variable("point", columns[name], label, name) for name, label in labels.items()}
    variables["measurement"] = variable("point", np.full(len(t), "dc"), "1", "kind of measurement")
    variables["isotherm_of"] = variable("point", group, "1", "number of the isotherm, -1 for none")
    count = np.maximum(np.bincount(group), 1)
    for name in ("temperature", "field"):
        means = np.bincount(group, weights=columns[name]) / count
        variables[f"isotherm_{name}"] = variable("isotherm", means, labels[name], f"mean {name}")
    return account("magnetometer", variables, {}, {"unit": unit})


def decays(data: xr.Dataset, *, origin: float | None, window: tuple[float, float] | None) -> Decays:
    """Return the dc points of measured data by decay.

    Parameters
    ----------
    data : xarray.Dataset
        Of `read_magnetometer` or `decay_data`.
    origin : float or None [s]
        Time at which the field has arrived, on the clock of the data; None: the first point of every decay.
    window : (low, high) or None [s]
        Part of every decay that counts, since the origin.

    Raises
    ------
    InputError
        If there are no dc points, or none in the window.
    """
    if not isinstance(data, xr.Dataset) or data.attrs.get("kind") != "magnetometer" or "time" not in data:
        raise InputError(
            f"data must be moments against time, got {type(data).__name__}; take decay_data or "
            "read_magnetometer"
        )
    chosen = np.flatnonzero(
        np.isin(data["measurement"].values, ("dc", "vsm")) & (data["isotherm_of"].values >= 0)
    )
    if not len(chosen):
        raise InputError("data must hold dc points, got none; give a measurement of the moment against time")
    number, time = data["isotherm_of"].values[chosen], data["time"].values[chosen]
    order = np.lexsort((time, number))
    chosen, number, time = chosen[order], number[order], time[order]
    kept, row = np.unique(number, return_inverse=True)
    start = np.array([time[row == g][0] for g in range(len(kept))])
    since = time - (start[row] if origin is None else finite("origin", origin, "s"))
    low, high = (0.0, np.inf) if window is None else window
    inside = (since >= low) & (since <= high)
    if not inside.any():
        raise InputError(f"window must hold points [s], got none between {low:g} and {high:g}; widen it")
    chosen, row, since = chosen[inside], row[inside], since[inside]
    counts = np.bincount(row, minlength=len(kept))
    column = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (len(kept), int(counts.max()))
    t, moment, known = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool)
    t[row, column], moment[row, column], known[row, column] = since, data["moment"].values[chosen], True
    T, B = data["isotherm_temperature"].values[kept], data["isotherm_field"].values[kept]
    return Decays(T, B, t, moment, known, str(data["moment"].attrs["units"]))
