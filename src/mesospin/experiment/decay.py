"""Decay of the magnetisation after a sudden step of the field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin import units
from mesospin.bath.disorder import Molecule
from mesospin.checks import finite, finite_array, no_shared_dimensions
from mesospin.constants import MU_B
from mesospin.dynamics.frame import Frame
from mesospin.dynamics.propagate import evolve
from mesospin.dynamics.rates import rates_at
from mesospin.dynamics.response import boltzmann, levels_at
from mesospin.dynamics.well_rates import escape_rates, well_equilibria
from mesospin.errors import InputError
from mesospin.experiment.constant_field import (
    Setting,
    at_temperature,
    field_nodes,
    lasting_frame,
    positive_values,
    setting_of,
    slow_wells,
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
from mesospin.units import Quantity

__all__ = ["decay"]

Floats = NDArray[np.float64]

#: Matrix elements that are held in memory at once.
_CHUNK = 2_000_000


def decay(
    system: SpinSystem,
    T: ArrayLike,
    B_initial: Quantity,
    B_final: Quantity,
    *,
    time: ArrayLike,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    bath: PhononBath | FromSystem = FROM_SYSTEM,
    dipolar: DipolarBath | FromSystem | None = FROM_SYSTEM,
    disorder: Disorder | FromSystem | None = FROM_SYSTEM,
    nuclear: NuclearBath | None = None,
    raman: DebyeLattice | None = None,
    powder: int | None = None,
) -> xr.Dataset:
    r"""Return the magnetisation after the field jumps from one value to another.

    Before the jump every molecule is in equilibrium in its own field :math:`B_{initial} + b`; after it the
    populations of the diabatic levels follow :math:`\dot p = Wp` at :math:`B_{final} + b`.  Nothing tunnels
    during the jump.  M(t) is the average over molecules, each a sum of exponentials of its own.

    Parameters
    ----------
    system : SpinSystem
    T : float or array-like, shape (temperature,) [K]
    B_initial, B_final : float or str [T]
        Fields along ``axis`` before and after the jump.
    time : array-like, shape (time,) [s]
        Times after the jump, >= 0.
    axis, transverse, bath, dipolar, disorder, nuclear, raman, powder
        As for `ac_susceptibility`.

    Returns
    -------
    xarray.Dataset
        Kind "decay": ``moment`` (temperature, time) [mu_B per formula unit]; ``start`` and ``equilibrium``
        (temperature) [mu_B], the moments right after the jump and at the end; ``fraction`` (temperature,
        time), (M - M_end)/(M_start - M_end), NaN where nothing changes.

    Raises
    ------
    InputError
        If a temperature is not positive, a time negative, or no phonon bath is known.

    Notes
    -----
    Local fields are frozen: molecules that reverse do not change the fields of their neighbours, so the
    square-root law of a dipolar crystal at short times does not appear here.  The moment of an
    isolated spin next to its axis is that of the states :math:`|m\rangle` (see `relaxation_rates`).  Where
    two wells exchange a thousand times more slowly than anything else, and the times leave the
    inner relaxation 35 e-foldings, two populations are followed.

    References
    ----------
    - L. Bokacheva, A. D. Kent and M. A. Walters, Phys. Rev. Lett. 85, 4803 (2000), for such experiments.

    Examples
    --------
    >>> from mesospin.model.library import load
    >>> ds = decay(load("mn12ac"), 3.0, 0.5, 0.0, time=[0.0, 1.0, 100.0], dipolar=None, disorder=None)
    >>> ds.fraction.values.round(3)
    array([[1.   , 0.487, 0.   ]])
    """
    check_system(system)
    no_shared_dimensions(T=T, time=time)
    temperatures = positive_values("T", T, "K")
    times = np.atleast_1d(finite_array("time", time))
    if times.ndim != 1 or not times.size or np.any(times < 0):
        raise InputError(
            f"time must be one or several times >= 0 [s], got {times.tolist()}; start at the jump"
        )
    fields = np.array([
        finite("B_initial", units.to_tesla(B_initial, "B_initial"), "T"),
        finite("B_final", units.to_tesla(B_final, "B_final"), "T"),
    ])  # fmt: skip
    around = setting_of(
        system, axis=axis, transverse=transverse, powder=powder, bath=bath, dipolar=dipolar,
        disorder=disorder, nuclear=nuclear, raman=raman,
    )  # fmt: skip
    parts = [
        molecule.weight * _molecule_decay(molecule, around, temperatures, fields, times)
        for molecule in around.members
    ]
    inputs = {"T": temperatures, "B_initial": fields[0], "B_final": fields[1], "time": times, **around.inputs}
    return _dataset(system, temperatures, times, np.asarray(sum(parts)), inputs)


def _molecule_decay(
    molecule: Molecule, around: Setting, temperatures: Floats, fields: Floats, times: Floats
) -> Floats:
    """Return M(t) (T, t + 2) [mu_B] of one molecule: at the times, right after the jump, in equilibrium."""
    longest, later = float(times.max()), times[times > 0]
    shortest = float(later.min()) if later.size else 0.0
    frame = lasting_frame(molecule, around, fields, float(temperatures.max()), longest)
    nodes, weights = field_nodes(frame, float(fields[1]), around, 1 / shortest if shortest > 0 else 0.0)
    before = nodes + (fields[0] - fields[1])
    rows = []
    for T in temperatures:
        now = at_temperature(frame, molecule, around, float(fields[1]), float(T))
        wells = slow_wells(now, float(T), float(fields[1]), shortest)
        if wells is None:
            part = _all_levels(now, float(T), (before, nodes), times, around.nuclear_width)
        else:
            part = _two_wells(now, float(T), (before, nodes), times, wells, around.nuclear_width)
        rows.append(part @ weights)
    return np.array(rows)


def _all_levels(
    frame: Frame, T: float, fields: tuple[Floats, Floats], times: Floats, nuclear_width: float
) -> Floats:
    """Return the moments (t + 2, k) [mu_B] of molecules that jump from the first to the second fields."""
    before, after = fields
    start = boltzmann(levels_at(frame, before)[0], T)
    energy, slope = levels_at(frame, after)
    end = boltzmann(energy, T)
    n = energy.shape[1]
    size = max(1, _CHUNK // n**2)
    moved = []
    for first in range(0, len(after), size):
        part = slice(first, first + size)
        R = np.array([rates_at(frame, float(B), T, nuclear_width) for B in after[part]])
        moved.append(evolve(R, start[part], times))
    p = np.concatenate([np.concatenate(moved, axis=1), start[None], end[None]])
    return np.asarray(-(p * slope).sum(axis=-1) / MU_B)


def _two_wells(
    frame: Frame,
    T: float,
    fields: tuple[Floats, Floats],
    times: Floats,
    wells: NDArray[np.int64],
    nuclear_width: float,
) -> Floats:
    """Return the same from the populations of two wells."""
    before, after = fields
    first = well_equilibria(frame, T, wells, before)[:, 0]
    last, slope, other = well_equilibria(frame, T, wells, after).T
    rate = escape_rates(frame, T, wells, after, nuclear_width).sum(axis=1)
    left = np.exp(-np.multiply.outer(times, rate))
    left = np.concatenate([left, np.ones((1, len(rate))), np.zeros((1, len(rate)))])
    N = last * (1 - left) + first * left
    return np.asarray(-(N * slope + (1 - N) * other) / MU_B)


def _dataset(
    system: SpinSystem, temperatures: Floats, times: Floats, moments: Floats, inputs: dict[str, Any]
) -> xr.Dataset:
    moment, start, end = moments[:, :-2], moments[:, -2], moments[:, -1]
    step = np.where(np.abs(start - end) > 1e-12 * np.maximum(np.abs(start), np.abs(end)), start - end, np.nan)
    both = ("temperature", "time")
    entries: dict[str, tuple[Any, Any, str, str]] = {
        "moment": (both, moment, "mu_B", "magnetisation per formula unit"),
        "fraction": (both, (moment - end[:, None]) / step[:, None], "1", "part of the step that is left"),
        "start": ("temperature", start, "mu_B", "magnetisation right after the jump"),
        "equilibrium": ("temperature", end, "mu_B", "magnetisation in equilibrium"),
    }
    coords = {
        "temperature": variable("temperature", temperatures, "K", "temperature"),
        "time": variable("time", times, "s", "time after the jump"),
    }
    variables = {name: variable(*entry) for name, entry in entries.items()}
    return result("decay", system, variables, coords, inputs)
