"""The temperature below which the magnetisation is blocked for a given time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from mesospin.checks import finite_array, no_shared_dimensions
from mesospin.dynamics.frame import Frame
from mesospin.errors import InputError
from mesospin.experiment.constant_field import (
    Setting,
    lasting_frame,
    member_rates,
    positive_values,
    setting_of,
)
from mesospin.model.environment import (
    FROM_SYSTEM,
    DebyeLattice,
    DipolarBath,
    Disorder,
    FromSystem,
    NuclearBath,
    PhononBath,
)
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.spectrum.matrices import field_line

__all__ = ["blocking_temperature"]

Floats = NDArray[np.float64]

#: Temperatures that are searched, over the width of the spectrum; the first upper end; the step of ln T.
_COLDEST, _HOTTEST, _FIRST, _RATIO = 1e-3, 1.0, 0.05, 1.25
#: Accuracy of ln T.
_ACCURACY = 1e-6


def blocking_temperature(
    system: SpinSystem,
    B: ArrayLike = 0.0,
    *,
    time: ArrayLike = 100.0,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    bath: PhononBath | FromSystem = FROM_SYSTEM,
    dipolar: DipolarBath | FromSystem | None = FROM_SYSTEM,
    disorder: Disorder | FromSystem | None = FROM_SYSTEM,
    nuclear: NuclearBath | None = None,
    raman: DebyeLattice | None = None,
) -> xr.Dataset:
    r"""Return the temperature at which the relaxation time equals a laboratory time, 100 s by default.

    :math:`\tau(T_B) = t`, with the relaxation time of `relaxation_rates`: the inverse of the slowest
    rate averaged over the molecules and their frozen fields.  The highest such temperature is returned.

    Parameters
    ----------
    system : SpinSystem
    B : float or array-like, shape (field,) [T]
        Fields along ``axis``.
    time : float or array-like, shape (time,) [s]
        Laboratory times, > 0.
    axis, transverse, bath, dipolar, disorder, nuclear, raman
        As for `relaxation_rates`.

    Returns
    -------
    xarray.Dataset
        Kind "blocking": ``blocking_temperature`` (field, time) [K], NaN where there is none; ``verdict``
        (field, time), which says why; ``tau`` (temperature, field) [s] at the temperatures searched.

    Raises
    ------
    InputError
        If a time is not positive, a field not finite, or no phonon bath is known.

    Notes
    -----
    Temperatures from 0.001 of the width of the spectrum to the width itself are searched.  Where
    tunnelling keeps the relaxation time below ``time`` at all of them, nothing is blocked, and
    the verdict says so.

    References
    ----------
    - The 100-second convention: D. Gatteschi, R. Sessoli and J. Villain, Molecular Nanomagnets (Oxford,
      2006).

    Examples
    --------
    >>> from mesospin.model.library import load
    >>> ds = blocking_temperature(load("mn12ac"), time=[1.0, 100.0], dipolar=None, disorder=None)
    >>> ds.blocking_temperature.values.round(2)
    array([[3.07, 2.34]])
    """
    check_system(system)
    no_shared_dimensions(B=B, time=time)
    times = positive_values("time", time, "s")
    fields = np.atleast_1d(finite_array("B", B))
    if fields.ndim != 1:
        raise InputError(f"B must be a number or 1-D [T], got shape {fields.shape}; give a list")
    around = setting_of(
        system, axis=axis, transverse=transverse, powder=None, bath=bath, dipolar=dipolar,
        disorder=disorder, nuclear=nuclear, raman=raman,
    )  # fmt: skip
    line = field_line(system, axis=axis, transverse=transverse)
    width = float(np.ptp(np.linalg.eigvalsh(line.at(float(fields[0])))))
    if not width > 0.0:
        raise InputError(f"system must have levels that differ in energy, got {system.name}; give it a term")
    grid = _grid(around, fields, width, times)
    found = [[_crossing(grid, around, k, float(t)) for t in times] for k in range(len(fields))]
    inputs = {"B": fields, "time": times, **around.inputs}
    return _dataset(system, grid, fields, times, found, inputs)


class _Grid(NamedTuple):
    """Temperatures (T,) ascending, slowest mean rates (T, B) there, and the frames of the molecules."""

    temperature: Floats
    rate: Floats
    frames: list[Frame]
    fields: Floats


def _grid(around: Setting, fields: Floats, width: float, times: Floats) -> _Grid:
    """Return rates on a grid that reaches up to where they exceed the inverse of the shortest time."""
    top = _FIRST * width
    while True:
        frames = [lasting_frame(m, around, fields, top, float(times.max())) for m in around.members]
        count = int(np.ceil(np.log(top / (_COLDEST * width)) / np.log(_RATIO))) + 1
        temperatures = np.geomspace(_COLDEST * width, top, count)
        if np.all(_rates(frames, around, fields, top) * times.min() > 1) or top >= _HOTTEST * width:
            rates = np.array([_rates(frames, around, fields, float(T)) for T in temperatures])
            return _Grid(temperatures, rates, frames, fields)
        top = min(2 * top, _HOTTEST * width)


def _rates(frames: list[Frame], around: Setting, fields: Floats, T: float) -> Floats:
    """Return the slowest rate (B,) averaged over molecules and frozen fields [1/s]."""
    total = np.zeros(len(fields))
    for molecule, frame in zip(around.members, frames, strict=True):
        total += molecule.weight * member_rates(molecule, frame, around, fields, T)
    return total


def _crossing(grid: _Grid, around: Setting, k: int, time: float) -> tuple[float, str]:
    """Return the blocking temperature and a verdict."""
    faster = grid.rate[:, k] * time > 1
    if not faster[-1]:
        return np.nan, "blocked at all temperatures searched"
    if np.all(faster):
        return (
            np.nan,
            "never blocked: tunnelling stays faster than this time at all temperatures searched",
        )
    i = int(np.flatnonzero(~faster)[-1])
    field = grid.fields[k : k + 1]

    def excess(x: float) -> float:
        return float(np.log(_rates(grid.frames, around, field, float(np.exp(x)))[0] * time))

    lo, hi = np.log(grid.temperature[i]), np.log(grid.temperature[i + 1])
    return float(np.exp(brentq(excess, lo, hi, xtol=_ACCURACY))), "blocked below"


def _dataset(
    system: SpinSystem,
    grid: _Grid,
    fields: Floats,
    times: Floats,
    found: list[list[tuple[float, str]]],
    inputs: dict[str, Any],
) -> xr.Dataset:
    both = ("field", "time")
    with np.errstate(divide="ignore"):
        tau = 1 / grid.rate
    entries: dict[str, tuple[Any, Any, str, str]] = {
        "blocking_temperature": (
            both,
            np.array([[T for T, _ in row] for row in found]),
            "K",
            "blocked below",
        ),
        "verdict": (both, np.array([[text for _, text in row] for row in found]), "1", "verdict"),
        "tau": (("temperature", "field"), tau, "s", "relaxation time"),
    }
    coords = {
        "temperature": variable("temperature", grid.temperature, "K", "temperature"),
        "field": variable("field", fields, "T", "field"),
        "time": variable("time", times, "s", "laboratory time"),
    }
    variables = {name: variable(*entry) for name, entry in entries.items()}
    return result("blocking", system, variables, coords, inputs)
