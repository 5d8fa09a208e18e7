"""One molecule, or an ensemble, in any field protocol B(t)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.bath.disorder import Molecule
from mesospin.checks import instance_of, integer, positive
from mesospin.constants import MU_B
from mesospin.dynamics.branch import full_edges, mean_slope, molecule_frame
from mesospin.dynamics.frame import Frame
from mesospin.dynamics.master import populations, thermal
from mesospin.dynamics.methods import Exact, Lindblad, RateEquations
from mesospin.dynamics.protocols import (
    ConstantField,
    FieldSteps,
    FieldSweep,
    HalfSinePulse,
    Protocol,
    Segment,
)
from mesospin.errors import InputError
from mesospin.experiment.coherent import density_sweep, unitary_sweep
from mesospin.experiment.ensemble import ensemble, saturation_moment
from mesospin.experiment.surroundings import phonon_bath, written
from mesospin.model.environment import (
    FROM_SYSTEM,
    Disorder,
    FromSystem,
    NuclearBath,
    PhononBath,
)
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.spectrum.matrices import field_line

_WIDEST = 1e-2
_PANELS = 200
_HOLD_RATIO = 1.2
_HOLD_START = 1e-7


def sweep(
    system: SpinSystem,
    protocol: Protocol,
    *,
    T: float | None = None,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    powder: int | None = None,
    bath: PhononBath | FromSystem = FROM_SYSTEM,
    disorder: Disorder | None = None,
    nuclear: NuclearBath | None = None,
    method: RateEquations | Exact | Lindblad = RateEquations(),
    points: int = 501,
) -> xr.Dataset:
    r"""Return the magnetisation of a molecule in a field that changes in time.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    protocol : FieldSweep, FieldSteps, HalfSinePulse or ConstantField
        The field B(t) along ``axis``.
    T : float [K], optional
        Temperature, > 0; the molecule starts in equilibrium in the first field.  Needed by
        `RateEquations`; without it the coherent methods start in the ground state.
    axis : three numbers, default z
        Direction of the field.
    transverse : two numbers (Bx, By) [T], default none
        Constant transverse field.
    powder : int, optional
        Average over directions by a Lebedev rule of this degree.
    bath : PhononBath
        Phonons of `RateEquations`; the system's by default.
    disorder : Disorder, optional
        Ensemble over which to average; one ideal molecule by default.
    nuclear : NuclearBath, optional
        Nuclear window of `RateEquations`.
    method : RateEquations, Exact or Lindblad
        Master equation of all diabatic levels; Schroedinger equation; Lindblad equation.
    points : int
        Number of times in each monotone part of the protocol; logarithmic while the field rests.

    Returns
    -------
    xarray.Dataset
        ``magnetisation`` [mu_B] and ``reduced`` (time), ``field`` (time) [T]; for one molecule
        ``population`` (time, level): of the diabatic levels followed along the field
        (`RateEquations`), or of the eigenstates in order of energy.

    Raises
    ------
    InputError
        If the temperature is missing or not positive, a coherent method is asked for an ensemble, a slow
        `Exact` sweep is not linear, has no crossing in its span, or needs more than its steps.

    Notes
    -----
    Frozen dipolar fields are not averaged here; `hysteresis` does it for linear sweeps.

    `Exact` and `RateEquations` agree where transfers are small, or where every state that is reached
    relaxes before the next crossing.  They must not agree for large transfers without relaxation:
    incoherent rates only equalise the two levels, a unitary sweep exchanges them.

    Examples
    --------
    >>> from mesospin.model.library import load
    >>> pulse = sweep(load("mn12ac"), HalfSinePulse(6.0, duration="10 ms"), T=3.0)
    >>> bool(pulse.reduced[0] < 0.1)
    True
    """
    check_system(system)
    kinds = (FieldSweep, FieldSteps, HalfSinePulse, ConstantField)
    instance_of("protocol", protocol, *kinds, hint="make one of these")
    instance_of("method", method, RateEquations, Exact, Lindblad, hint="make one of these")
    integer("points", points, at_least=2)
    temperature = None if T is None else positive("T", T, "K")
    used: dict[str, Any] = {"method": repr(method), "protocol": repr(protocol), "T": temperature}
    if isinstance(method, RateEquations):
        if temperature is None:
            msg = "T must be given [K] with RateEquations(); a lattice has a temperature"
            raise InputError(msg)
        phonons = phonon_bath(system, bath)
        members = ensemble(system, disorder, axis=axis, transverse=transverse, powder=powder)
        used |= written(bath=phonons, disorder=disorder, nuclear=nuclear)
        times = _output_times(protocol.segments(), points)
        window = nuclear.width if nuclear else 0.0
        runs = [_by_rates(m, phonons, protocol, temperature, window, times) for m in members]
        moment = sum(m.weight * run[0] for m, run in zip(members, runs, strict=True))
        population = runs[0][1] if len(runs) == 1 else None
        return _dataset(system, protocol, times, np.asarray(moment), population, used)
    surroundings = {"powder": powder, "disorder": disorder, "nuclear": nuclear}
    given = [name for name, value in surroundings.items() if value is not None]
    given += ["bath"] if bath is not FROM_SYSTEM else []
    if given:
        name = type(method).__name__
        msg = f"{given[0]} must be left out with {name}: it sweeps one isolated molecule; use RateEquations()"
        raise InputError(msg)
    line = field_line(system, axis=axis, transverse=transverse)
    times = _output_times(protocol.segments(), points)
    if isinstance(method, Exact):
        run = unitary_sweep(system, line, protocol, times, temperature, method, axis, transverse)
    else:
        run = density_sweep(line, protocol, times, temperature, method)
    return _dataset(system, protocol, times, *run, used)


def _output_times(segments: Sequence[Segment], points: int) -> NDArray[np.float64]:
    pieces = [np.zeros(1)]
    for segment in segments:
        if segment.time is None:
            pieces.append(segment.start + _hold_times(segment, points - 1)[1:])
        else:
            pieces.append(np.linspace(segment.start, segment.stop, points)[1:])
    return np.concatenate(pieces)


def _hold_times(segment: Segment, count: int) -> NDArray[np.float64]:
    """Return times since the start of a constant field, logarithmic, 0 and the end included."""
    length = segment.stop - segment.start
    return np.concatenate([[0.0], np.geomspace(_HOLD_START * length, length, count)])


def _by_rates(
    molecule: Molecule,
    bath: PhononBath | None,
    protocol: Protocol,
    T: float,
    window: float,
    times: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return moment (t,) [mu_B] and populations (t, n) of one molecule."""
    segments = protocol.segments()
    ends = np.array([[s.first, s.last] for s in segments])
    frame = molecule_frame(molecule, bath, (float(ends.min()) - 0.02, float(ends.max()) + 0.02))
    energy = np.array([np.interp(segments[0].first, frame.field, level) for level in frame.energy.T])
    p = thermal(energy, T)
    all_times, all_p = [np.zeros(1)], [p[None]]
    for segment in segments:
        steps, chosen_frame = _segment_steps(frame, segment, window)
        history = populations(chosen_frame, T, steps, segment.field, p, window)
        all_times.append(steps[1:])
        all_p.append(history[1:])
        p = history[-1]
    grid, table = np.concatenate(all_times), np.concatenate(all_p)
    population = np.stack([np.interp(times, grid, column) for column in table.T], axis=1)
    return mean_slope(frame, protocol.B(times), population) / -MU_B, population


def _segment_steps(frame: Frame, segment: Segment, window: float) -> tuple[NDArray[np.float64], Frame]:
    """Return the time steps of one segment and the frame with the crossings that matter in it."""
    length = segment.stop - segment.start
    if segment.time is None:
        count = int(np.ceil(np.log(1 / _HOLD_START) / np.log(_HOLD_RATIO))) + 1
        return segment.start + _hold_times(segment, count), frame
    lo, hi = sorted((segment.first, segment.last))
    slowest = 1e-3 * (hi - lo) / length  # a pulse turns round slowly
    edges, chosen_frame = full_edges(frame, lo, hi, slowest, min(_WIDEST, (hi - lo) / _PANELS), window)
    even = np.linspace(segment.start, segment.stop, _PANELS + 1)
    steps = np.union1d(segment.time(edges), even)
    tiny = 1e-13 * segment.stop
    keep = np.concatenate([[True], np.diff(steps) > tiny])
    return steps[keep], chosen_frame


def _dataset(
    system: SpinSystem,
    protocol: Protocol,
    times: NDArray[np.float64],
    moment: NDArray[np.float64],
    population: NDArray[np.float64] | None,
    inputs: dict[str, Any],
) -> xr.Dataset:
    entries = {
        "field": ("time", protocol.B(times), "T", "field"),
        "magnetisation": ("time", moment, "mu_B", "magnetisation per molecule"),
        "reduced": ("time", moment / saturation_moment(system), "1", "M / M_s"),
    }
    variables = {name: variable(*entry) for name, entry in entries.items()}
    if population is not None:
        variables["population"] = variable(("time", "level"), population, "1", "population")
    coords = {"time": variable("time", times, "s", "time")}
    return result("sweep", system, variables, coords, inputs)
