"""The staircase hysteresis loop of a crystal or a powder of magnetic molecules."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin import units
from mesospin.bath.disorder import CUTOFF, Molecule
from mesospin.checks import finite_array, instance_of, positive
from mesospin.checks import span as check_span
from mesospin.dynamics.branch import bottoms, coherent_crossings, molecule_frame, sweep_branch
from mesospin.dynamics.frame import Frame, reversed_frame
from mesospin.dynamics.low_levels import Passage
from mesospin.dynamics.methods import RateEquations
from mesospin.errors import InputError, ValidityWarning
from mesospin.experiment.ensemble import ensemble, field_axis, field_pair, saturation_moment
from mesospin.experiment.loop_features import coercive_field, crossover, remanence
from mesospin.experiment.steps import Steps, ground_steps, mean_steps, occupied_states, step_fractions
from mesospin.experiment.stoner_wohlfarth import classical_coercive_field, stoner_wohlfarth_loop
from mesospin.experiment.surroundings import chosen, phonon_bath, written
from mesospin.model.environment import (
    FROM_SYSTEM,
    DipolarBath,
    Disorder,
    FromSystem,
    NuclearBath,
    PhononBath,
)
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.scale import map_tasks
from mesospin.thermo.orientation import field_symmetries
from mesospin.units import Quantity

Progress = Callable[[int, int], None]


class LoopTask(NamedTuple):
    """Everything that the loops of one molecule at all temperatures depend on."""

    molecule: Molecule
    bath: PhononBath | None
    temperatures: tuple[float, ...]
    rate: float
    span: tuple[float, float]
    step: float
    width: float
    nuclear_width: float
    method: RateEquations
    mirrored: bool


def hysteresis(
    system: SpinSystem,
    T: ArrayLike,
    rate: Quantity,
    span: Sequence[Quantity],
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    tilt: Quantity = 0.0,
    azimuth: Quantity = 0.0,
    powder: int | None = None,
    bath: PhononBath | FromSystem = FROM_SYSTEM,
    dipolar: DipolarBath | FromSystem | None = FROM_SYSTEM,
    disorder: Disorder | FromSystem | None = FROM_SYSTEM,
    nuclear: NuclearBath | None = None,
    field_step: Quantity = 2e-3,
    method: RateEquations = RateEquations(),
    workers: int = 1,
    cluster: str | None = None,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    r"""Return the hysteresis loops of a molecule at several temperatures, and the table of its steps.

    Populations of the diabatic levels follow the master equation with one-phonon
    transitions and with tunnelling at every crossing, rate
    :math:`k(\xi) = (\pi\Delta^2/2\hbar)\rho(\xi)`; frozen dipolar fields and disorder are averaged
    over molecules.  Each branch starts in equilibrium at its end of the span.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    T : float or array-like, shape (temperature,) [K]
        Temperatures of the lattice, > 0.
    rate : float or str [T/s]
        Sweep rate, > 0.
    span : (lo, hi) [T]
        Range of the field; wide enough to saturate.
    axis : three numbers, default z
        Direction of the field in the frame of the molecule.
    transverse : two numbers (Bx, By) [T], default none
        Constant transverse field.
    tilt, azimuth : float or str [rad]
        Turns the field away from ``axis`` by ``tilt``, towards ``azimuth``.
    powder : int, optional
        Average over directions by a Lebedev rule of this degree (odd, 3 to 131), instead of a
        crystal; ``axis`` and ``tilt`` are then not used.
    bath : PhononBath
        Phonons; the system's by default.
    dipolar : DipolarBath or None
        Width of the frozen dipolar field; the system's by default, None for none.
    disorder : Disorder or None
        Ensemble of molecules; the system's by default, None for one ideal molecule.
    nuclear : NuclearBath, optional
        Nuclear window, in place of the lifetime line.
    field_step : float or str [T]
        Spacing of the result; at most 2 mT resolves the steps.
    method : RateEquations
        All levels or two wells, and the tolerance.
    workers, cluster, checkpoint, progress
        Passed to `mesospin.scale.map_tasks`, one task a molecule of the ensemble.

    Returns
    -------
    xarray.Dataset
        ``magnetisation`` (temperature, branch, field) [mu_B per molecule], ``reduced`` in units of
        the saturation g S of the crystal, ``saturation_moment`` [mu_B], tilts of its members included (a
        ground doublet of a crystal field may carry less, a nucleus adds to it); ``coercive_field``,
        ``remanence`` (temperature); along ``step`` the resonances of the state occupied at the
        start: ``step_n``, ``step_label``, ``step_field`` [T], ``step_splitting`` (root mean square over
        the ensemble) [K], ``step_probability`` (Landau-Zener, mean over the ensemble), ``step_zero``,
        ``step_fraction`` (temperature, step), the fraction of molecules that reverse between the
        middles to the neighbouring resonances; ``crossover_temperature`` and its bracket;
        ``stoner_wohlfarth`` (branch, field), the classical loop, and ``classical_coercive_field`` [T],
        for a single electronic spin.

    Raises
    ------
    InputError
        If a temperature or the rate is not positive, the span not increasing, no phonon bath is
        known, or the method is `Exact`, which has no phonons.
    TooLargeError
        If the Hilbert space does not fit in memory.

    Warns
    -----
    ValidityWarning
        If a step with a Landau-Zener probability above 10 % is passed faster than the state reached
        relaxes: incoherent rates equalise the two levels there instead of exchanging them.

    Notes
    -----
    The down branch is the mirror image of the up branch when the span is symmetric and there is no
    constant transverse field and no term of odd rank (time reversal; the ensemble is taken as symmetric
    under reversal of its random fields), otherwise it is swept too.

    Levels that no molecule reaches at these temperatures are left out: fewer than one in 10^8 would be lifted
    to them.  A crossing is followed adiabatically where nothing interrupts the passage
    and its Landau-Zener exponent exceeds 20, or the gap exceeds 1 mK.

    References
    ----------
    .. [1] L. Thomas et al., Nature 383, 145 (1996).
    .. [2] M. N. Leuenberger and D. Loss, Phys. Rev. B 61, 1286 (2000).

    Examples
    --------
    >>> from mesospin.model.library import load
    >>> loop = hysteresis(load("mn12ac"), [0.1, 1.9], "3 mT/s", (-5.5, 5.5), disorder=None)
    >>> loop.coercive_field.values.round(1)
    array([4.1, 2.7])
    """
    check_system(system)
    temperatures, speed, limits = _inputs(T, rate, span, method)
    phonons = phonon_bath(system, bath)
    frozen = chosen(dipolar, system.defaults.dipolar)
    ensemble_of = chosen(disorder, system.defaults.disorder)
    lateral = field_pair(transverse)
    members = ensemble(
        system,
        ensemble_of,
        axis=axis,
        transverse=lateral,
        tilt=tilt,
        azimuth=azimuth,
        powder=powder,
    )
    symmetric = limits[0] == -limits[1] and lateral == (0.0, 0.0)
    tasks = [
        LoopTask(
            molecule=molecule,
            bath=phonons,
            temperatures=temperatures,
            rate=speed,
            span=limits,
            step=_step(field_step, limits),
            width=frozen.width if frozen else 0.0,
            nuclear_width=nuclear.width if nuclear else 0.0,
            method=method,
            mirrored=symmetric and (-1, -1, -1) in field_symmetries(molecule.system),
        )
        for molecule in members
    ]
    loops = map_tasks(
        molecule_loop,
        tasks,
        workers=workers,
        cluster=cluster,
        checkpoint=checkpoint,
        progress=progress,
        label="hysteresis",
    )
    _warn_of_coherent_steps([str(name) for loop in loops for name in loop["coherent"]])
    moment = sum(task.molecule.weight * loop["moment"] for task, loop in zip(tasks, loops, strict=True))
    steps = mean_steps([Steps.of(loop) for loop in loops], [m.weight for m in members], speed, limits)
    used = written(bath=phonons, dipolar=frozen, disorder=ensemble_of, nuclear=nuclear, method=method)
    inputs = {
        "T": list(temperatures), "rate": speed, "span": list(limits), "axis": list(axis),
        "transverse": list(lateral), "tilt": units.to_radian(tilt, "tilt"), "powder": powder,
        "molecules": len(members), **used,
    }  # fmt: skip
    nominal = None if powder is not None else field_axis(axis, tilt, azimuth)
    # tilted easy axes lower the saturation of the crystal by the mean of their cosine
    mosaic = 1.0 if nominal is None else sum(m.weight * float(np.dot(m.axis, nominal)) for m in members)
    saturation = saturation_moment(system) * mosaic
    return _dataset(system, tasks[0], np.asarray(moment), saturation, steps, inputs, nominal)


def molecule_loop(task: LoopTask) -> dict[str, Any]:
    """Return the loops of one molecule: ``moment`` (temperature, branch, field) [mu_B], and its steps."""
    molecule = task.molecule
    fields = field_grid(task.span, task.step)
    margin = CUTOFF * task.width + 0.01
    limits = (task.span[0] - margin, task.span[1] + margin)
    passage = Passage(max(task.temperatures), task.rate)
    frame = molecule_frame(molecule, task.bath, limits, passage)
    wells = bottoms(frame)

    def loop(T: float) -> NDArray[np.float64]:
        up = _branch(frame, wells, T, fields, task)
        if task.mirrored:
            return np.stack([up, -up[::-1]])
        # seen along the reversed axis the down branch is an up branch from -hi to -lo
        back = reversed_frame(frame)
        return np.stack([up, -_branch(back, bottoms(back), T, -fields[::-1], task)[::-1]])

    # the compiled kernels release the interpreter lock: temperatures share the cores
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        moment = np.array(list(pool.map(loop, task.temperatures)))
    duration = (task.span[1] - task.span[0]) / task.rate
    starts = occupied_states(frame, int(wells[0]), passage.T, duration)
    steps = ground_steps(molecule.system, frame, starts)
    fast = coherent_crossings(frame, task.rate, task.nuclear_width)
    coherent = [name for name, B in zip(steps.label, steps.field, strict=True) if B in fast]
    return {"moment": moment, "coherent": np.array(coherent, dtype=np.str_), **steps._asdict()}


def _warn_of_coherent_steps(labels: list[str]) -> None:
    if labels:
        names = ", ".join(dict.fromkeys(labels))
        warnings.warn(
            f"the steps {names} are passed faster than the state reached relaxes and with a probability "
            "above 10 %: rates then equalise the two levels where a coherent passage exchanges them; "
            "sweep more slowly, or use sweep(..., method=Exact()) for one passage",
            ValidityWarning,
            stacklevel=3,
        )


def field_grid(span: tuple[float, float], step: float) -> NDArray[np.float64]:
    """Return the fields of a loop, evenly spaced by at most ``step``, ends included."""
    points = int(np.ceil((span[1] - span[0]) / step - 1e-9)) + 1
    fields = np.linspace(span[0], span[1], points)
    if span[0] == -span[1]:  # exact antisymmetry, so that mirrored branches agree bit by bit
        fields = (fields - fields[::-1]) / 2
    return np.asarray(fields, dtype=np.float64)


def _branch(
    frame: Frame, wells: NDArray[np.int64], T: float, fields: NDArray[np.float64], task: LoopTask
) -> NDArray[np.float64]:
    margin = CUTOFF * task.width + 5e-3
    branch = sweep_branch(
        frame,
        T,
        float(fields[0]) - margin,
        float(fields[-1]) + margin,
        task.rate,
        wells=wells,
        reduce=task.method.reduce,
        tolerance=task.method.tolerance,
        nuclear_width=task.nuclear_width,
    )
    return branch.moment(fields, task.width)


def _step(field_step: Quantity, span: tuple[float, float]) -> float:
    step = positive("field_step", units.to_tesla(field_step, "field_step"), "T")
    if not step <= (span[1] - span[0]) / 2:
        msg = f"field_step must be at most half the span [T], got {step:g}; 2 mT resolves the steps"
        raise InputError(msg)
    return step


def _inputs(
    T: ArrayLike, rate: Quantity, span: Sequence[Quantity], method: RateEquations
) -> tuple[tuple[float, ...], float, tuple[float, float]]:
    hint = "coherent methods have no phonons, use sweep(...) for one passage"
    instance_of("method", method, RateEquations, hint=hint)
    entries = [T] if isinstance(T, str) else T
    if isinstance(entries, list | tuple):
        entries = [units.to_thermodynamic_kelvin(entry, "T") for entry in entries]
    values = np.atleast_1d(finite_array("T", entries))
    if values.ndim != 1 or not len(values) or not np.all(values > 0):
        msg = f"T must be one or several temperatures > 0 [K], got {values.tolist()}"
        raise InputError(msg)
    speed = positive("rate", units.to_tesla_per_second(rate, "rate"), "T/s")
    lo, hi = check_span("span", [units.to_tesla(end, "span") for end in span], "T")
    return tuple(float(value) for value in values), speed, (lo, hi)


def _dataset(
    system: SpinSystem,
    task: LoopTask,
    moment: NDArray[np.float64],
    saturation: float,
    steps: Steps,
    inputs: dict[str, Any],
    axis: tuple[float, float, float] | None,
) -> xr.Dataset:
    fields = field_grid(task.span, task.step)
    reduced = moment / saturation
    temperatures = np.array(task.temperatures)
    estimate, below, above = crossover(temperatures, reduced)
    dims = ("temperature", "branch", "field")
    entries = {
        "magnetisation": (dims, moment, "mu_B", "magnetisation per molecule"),
        "reduced": (dims, reduced, "1", "M / M_s"),
        "saturation_moment": ((), saturation, "mu_B", "M_s, sum of g S of the electrons"),
        "coercive_field": ("temperature", coercive_field(fields, reduced), "T", "coercive field"),
        "remanence": ("temperature", remanence(fields, reduced), "1", "remanence M(0) / M_s"),
        "crossover_temperature": ((), estimate, "K", "loops independent of temperature below"),
        "crossover_low": ((), below, "K", "highest temperature with the low-temperature loop"),
        "crossover_high": ((), above, "K", "lowest temperature with another loop"),
        "step_n": ("step", steps.n, "1", "step number"),
        "step_label": ("step", steps.label, "1", "states that tunnel"),
        "step_field": ("step", steps.field, "T", "field of the resonance"),
        "step_splitting": ("step", steps.gap, "K", "tunnel splitting (full gap), r.m.s."),
        "step_probability": ("step", steps.probability, "1", "Landau-Zener probability"),
        "step_zero": ("step", steps.zero, "1", "gap exactly zero in every molecule"),
        "step_fraction": (
            ("temperature", "step"),
            step_fractions(fields, reduced, steps.field),
            "1",
            "fraction of molecules reversed",
        ),
    }
    if axis is not None and len(system.spins) == 1:
        classical = stoner_wohlfarth_loop(system, fields, axis)
        entries["stoner_wohlfarth"] = (("branch", "field"), classical, "1", "classical M / M_s")
        reversal = classical_coercive_field(system, axis)
        entries["classical_coercive_field"] = ((), reversal, "T", "field of classical reversal")
    coords = {
        "temperature": variable("temperature", temperatures, "K", "temperature"),
        "branch": ["up", "down"],
        "field": variable("field", fields, "T", "field"),
    }
    variables = {name: variable(*entry) for name, entry in entries.items()}
    return result("hysteresis", system, variables, coords, inputs)
