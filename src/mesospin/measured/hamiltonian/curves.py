"""Fitted curves between the measured points, for figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import lmfit
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.errors import ConvergenceError
from mesospin.measured.data import MagnetisationData, ThermalData
from mesospin.measured.hamiltonian.objective import Objective
from mesospin.results import variable

Floats = NDArray[np.float64]

#: Points of a curve, and the ratio of ends from which they are spaced by a factor.
_POINTS = 100
_DECADE = 8.0


def fitted_curves(objective: Objective, table: lmfit.Parameters, labels: Sequence[str]) -> xr.Dataset:
    """Return the fit on a dense grid: ``curve`` (curve_point) with its set, temperature and field.

    Sets without a curve are left out: lines, levels, points that share neither temperature nor field, and
    those for which the model has no answer between the points.
    """
    trial = objective.trial(objective.values(table))
    parts: list[tuple[str, ThermalData, Floats]] = []
    for model, name in zip(objective.models, labels, strict=True):
        if not isinstance(model.data, ThermalData):
            continue
        for data in _grids(model.data):
            try:
                parts.append((name, data, replace(model, data=data).predict(trial)[0]))
            except (ConvergenceError, np.linalg.LinAlgError):
                continue
    point, empty = ("curve_point",), [np.zeros(0)]
    names = np.array([name for name, data, _ in parts for _ in data.T], dtype=str)
    columns = {
        "curve": ([values for *_, values in parts], "see set_unit", "fitted between the points"),
        "curve_temperature": ([data.T for _, data, _ in parts], "K", "temperature of the curve"),
        "curve_field": ([data.B for _, data, _ in parts], "T", "field of the curve"),
    }
    made = {
        key: variable(point, np.concatenate(c or empty), unit, text)
        for key, (c, unit, text) in columns.items()
    }
    return xr.Dataset(made | {"curve_set": variable(point, names, "1", "data set of the curve")})


def _grids(data: ThermalData) -> list[ThermalData]:
    """Return the set on dense points, one for each value of the other condition that has several points."""
    moments = isinstance(data, MagnetisationData)
    x, other = (data.B, data.T) if moments else (data.T, data.B)
    found = []
    for value in np.unique(other):
        own = x[other == value]
        low, high = float(own.min()), float(own.max())
        if not low < high:
            continue
        log = not moments and high / low >= _DECADE
        grid = (np.geomspace if log else np.linspace)(low, high, _POINTS)
        grid[0], grid[-1] = low, high
        fixed = np.full(_POINTS, value)
        T, B = (fixed, grid) if moments else (grid, fixed)
        found.append(data.replace(T=T, B=B, values=np.zeros(_POINTS), sigma=None))
    return found
