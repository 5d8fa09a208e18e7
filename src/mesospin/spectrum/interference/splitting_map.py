"""Tunnel splitting against the transverse field: interference of tunnelling paths."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin import units
from mesospin.checks import finite_array
from mesospin.errors import InputError, ValidityWarning
from mesospin.model.system import SpinSystem
from mesospin.results import result, variable
from mesospin.scale import Progress, map_tasks
from mesospin.spectrum.interference.coupling import Bench
from mesospin.spectrum.interference.followed_pair import follow, refine_wide
from mesospin.spectrum.interference.pair_in_field import PairInField
from mesospin.spectrum.tunnelling.problem import read_problem
from mesospin.spectrum.tunnelling.zeros import symmetry_reason

#: Directions of one task.
_ROWS = 16


class _Directions(NamedTuple):
    """Some directions of a map: everything that their points depend on."""

    system: SpinSystem
    pair: tuple[str, str]
    transverse: tuple[float, ...]
    azimuth: tuple[float, ...]


def splitting_map(
    system: SpinSystem,
    pair: Sequence[float] | Sequence[str],
    *,
    transverse: ArrayLike,
    azimuth: ArrayLike | units.Quantity = 0.0,
    workers: int = 1,
    cluster: str | None = None,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    r"""Return the tunnel splitting of a pair of levels against the transverse field.

    At every transverse field :math:`B_\perp(\cos\varphi, \sin\varphi)` the full gap of the two levels is
    minimised over the longitudinal field Bz.  The pair is followed from zero transverse field, where the
    two states name it.

    Parameters
    ----------
    system : SpinSystem
        The system; its matrices must fit in memory.
    pair : (m, m') or two labels
        Two product states on opposite sides of the barrier: ``(10, -10)``, the n-th ground resonance
        ``(10, -10 + n)``, or labels such as ``("m=6, mI=3/2", "m=-6, mI=3/2")``.
    transverse : array-like, shape (transverse,) [T]
        Magnitudes of the transverse field, >= 0 and increasing.
    azimuth : float, array-like, shape (azimuth,), or str [rad]
        Its directions, counted from x towards y; 0 is the hard axis where E > 0.
    workers, cluster, checkpoint, progress
        Passed to `mesospin.scale.map_tasks`, 16 directions a task; each task uses all cores as threads.

    Returns
    -------
    xarray.Dataset
        Along (azimuth, transverse): ``splitting`` (full gap) [K], ``log10_splitting``, ``field``, the Bz
        of the minimum gap [T], ``energy`` of the crossing [K], ``weight``, the smaller weight of the
        two named states in the levels.  NaN where the two are no longer a pair; ``lost_points`` of the
        attributes counts them.

    Raises
    ------
    InputError
        If the fields are not increasing or negative, or the two states do not lie on opposite sides, do
        not name levels at zero transverse field (weight above one half), or are lost at all fields.
    TooLargeError
        If the matrices do not fit in memory.

    Warns
    -----
    ValidityWarning
        Once, if points are lost: where a third level comes within three gaps of the two (as above the
        barrier; within 0.8 of its distance at zero transverse field, if it is nearer there already), or
        where the continuation fails.

    Notes
    -----
    Narrow gaps are downfolded onto two basis states, which costs no digits to cancellation; from about 1e-6
    of the width of the spectrum on they are minimised differences of exact levels.  The relative error is
    below 1e-9 for a single spin (up to 1e-7 among close hyperfine levels), and near a zero that fraction of
    the gap around it.  Exact zeros by symmetry at zero
    transverse field are 0; the zeros between are points (`diabolical_points`), which a grid passes by.

    References
    ----------
    - W. Wernsdorfer and R. Sessoli, Science 284, 133 (1999).
    - A. Garg, Europhys. Lett. 22, 205 (1993).

    Examples
    --------
    The gap of a biaxial spin vanishes along its hard axis at (k + 1/2) periods of
    :math:`2\sqrt{2E(E + |D|)}/g\mu_B`, here 0.2625 T, and grows monotonically along y:

    >>> from mesospin.model.library import load
    >>> fields = 0.2625234 * np.array([0.0, 0.5, 1.0, 1.5])
    >>> ds = splitting_map(load("fe8:biaxial"), (10, -10), transverse=fields, azimuth=[0.0, np.pi / 2])
    >>> ds.splitting.values[0] < 1e-14
    array([False,  True, False,  True])
    >>> ds.log10_splitting.values[1].round(1)
    array([-9.4, -8.9, -8.2, -7.5])
    """
    fields = _magnitudes(transverse)
    angles = _angles(azimuth)
    start = PairInField.of(system, pair)
    names = (start.pair.names[0], start.pair.names[1])
    tasks = [
        _Directions(system, names, tuple(fields), tuple(angles[first : first + _ROWS]))
        for first in range(0, len(angles), _ROWS)
    ]
    rows = map_tasks(
        directions,
        tasks,
        workers=workers,
        cluster=cluster,
        checkpoint=checkpoint,
        progress=progress,
        label="splitting_map",
    )
    table = np.concatenate(rows)
    lost = ~np.isfinite(table[..., 2])
    _check_lost(lost, fields, names)
    zero = symmetry_reason(read_problem(system, pair, None, (0.0, 0.0, 1.0), (0.0, 0.0))) != ""
    if zero:
        table[:, fields == 0.0, 2] = 0.0
    dataset = _dataset(system, table, fields, angles, names)
    dataset.attrs["lost_points"] = int(lost.sum())
    return dataset


def directions(task: _Directions) -> NDArray[np.float64]:
    """Return energy, field, gap and weight at the points of some directions, (azimuth, transverse, 4)."""
    start = PairInField.of(task.system, task.pair)
    fields = np.array(task.transverse)

    def row(angle: float) -> NDArray[np.float64]:
        found = np.empty((len(fields), 7))
        line, bench = start.line(_unit(angle)), Bench.of(len(start.H0))
        follow(bench, line, start.walker(), fields, found)
        refine_wide(bench, line, fields, start.scale, found)
        return found[:, :4]

    # the compiled function releases the interpreter lock
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(row, task.azimuth)))


def _unit(angle: float) -> tuple[float, float]:
    """Return (cos, sin), exactly 0 along the axes."""
    x, y = float(np.cos(angle)), float(np.sin(angle))
    return (0.0 if abs(x) < 1e-15 else x), (0.0 if abs(y) < 1e-15 else y)


def _magnitudes(transverse: ArrayLike) -> NDArray[np.float64]:
    fields = np.atleast_1d(finite_array("transverse", transverse, "T"))
    if fields.ndim != 1 or not len(fields) or not (fields[0] >= 0 and np.all(np.diff(fields) > 0)):
        msg = (
            f"transverse must be increasing magnitudes >= 0 [T], got {np.ravel(fields)[:4].tolist()}...; "
            "give directions by azimuth"
        )
        raise InputError(msg)
    return fields


def _angles(azimuth: ArrayLike | units.Quantity) -> NDArray[np.float64]:
    entries = [azimuth] if isinstance(azimuth, str) else azimuth
    if isinstance(entries, list | tuple):
        entries = [units.to_radian(entry, "azimuth") for entry in entries]
    angles = np.atleast_1d(finite_array("azimuth", entries, "rad"))
    if angles.ndim != 1 or not len(angles):
        msg = f"azimuth must be one or several angles [rad], got shape {angles.shape}; give a 1-D list"
        raise InputError(msg)
    return angles


def _check_lost(lost: NDArray[np.bool_], fields: NDArray[np.float64], names: tuple[str, str]) -> None:
    """Warn of points that are lost; refuse if all are."""
    if lost.all():
        msg = (
            f"transverse must reach down to fields where {names[0]} and {names[1]} are a pair of levels, got "
            f"{fields[0]:g} T and above; take smaller fields"
        )
        raise InputError(msg)
    if lost.any():
        first = float(fields[np.argmax(lost.any(axis=0))])
        warnings.warn(
            f"{lost.sum()} of {lost.size} points are NaN: from {first:g} T on, in some directions, "
            f"{names[0]} and {names[1]} are no longer a pair: a third level is about as near",
            ValidityWarning,
            stacklevel=3,
        )


def _dataset(
    system: SpinSystem,
    table: NDArray[np.float64],
    fields: NDArray[np.float64],
    angles: NDArray[np.float64],
    names: tuple[str, str],
) -> xr.Dataset:
    energy, field, gap, weight = np.moveaxis(table, -1, 0)
    with np.errstate(divide="ignore"):
        logarithm = np.log10(gap)
    entries = {
        "splitting": (gap, "K", "tunnel splitting (full gap)"),
        "log10_splitting": (logarithm, "1", "log10 of the splitting in K"),
        "field": (field, "T", "longitudinal field of the minimum gap"),
        "energy": (energy, "K", "energy of the crossing"),
        "weight": (weight, "1", "weight of the named states in the levels"),
    }
    dims = ("azimuth", "transverse")
    variables = {name: variable(dims, *entry) for name, entry in entries.items()}
    coords = {
        "azimuth": variable("azimuth", angles, "rad", "azimuth of the transverse field from x"),
        "transverse": variable("transverse", fields, "T", "transverse field"),
    }
    return result("splitting_map", system, variables, coords, {"pair": list(names)})
