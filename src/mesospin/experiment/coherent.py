"""Coherent sweeps of one molecule: the Schroedinger and the Lindblad equation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mesospin.constants import MU_B
from mesospin.dynamics.coherent.lindblad import evolve_density
from mesospin.dynamics.coherent.unitary import MAX_PHASE, evolve_state, total_phase
from mesospin.dynamics.coherent.windows import Passage, cross_windows
from mesospin.dynamics.master import thermal
from mesospin.dynamics.methods import Exact, Lindblad
from mesospin.dynamics.protocols import FieldSweep, Protocol
from mesospin.errors import InputError
from mesospin.model.system import SpinSystem
from mesospin.spectrum.crossings import crossings
from mesospin.spectrum.matrices import Array, FieldLine

Run = tuple[NDArray[np.float64], NDArray[np.float64]]


def unitary_sweep(
    system: SpinSystem,
    line: FieldLine,
    protocol: Protocol,
    times: NDArray[np.float64],
    T: float | None,
    method: Exact,
    axis: Sequence[float],
    transverse: Sequence[float],
) -> Run:
    """Return moment (t,) [mu_B] and populations of the eigenstates (t, n) under unitary evolution.

    Sweeps whose whole phase is below 1e7 rad are integrated; slower ones are propagated in
    windows around the crossings, with probabilities added between them.
    """
    fields = protocol.B(times)
    lo, hi = float(fields.min()), float(fields.max())
    phase = total_phase(line.H0, line.G, low=lo, high=hi, duration=float(times[-1]))
    if phase > MAX_PHASE:
        return _by_windows(system, line, protocol, fields, T, method, axis, transverse)
    energy, U = np.linalg.eigh(line.at(float(fields[0])))
    weight = _start(energy, T)
    used = np.flatnonzero(weight > 0)
    breaks = [segment.stop for segment in protocol.segments()[:-1]]
    run = evolve_state(
        line.H0, line.G, U[:, used], field=protocol.B, times=times, breakpoints=breaks, method=method
    )
    slope = np.einsum("tik,ij,tjk->tk", run.states.conj(), line.G, run.states, optimize=True).real
    _, frames = np.linalg.eigh(line.H0 + fields[:, None, None] * line.G)
    amplitude = frames.conj().swapaxes(1, 2) @ run.states
    population = (np.abs(amplitude) ** 2) @ weight[used]
    return slope @ weight[used] / -MU_B, population


def _by_windows(
    system: SpinSystem,
    line: FieldLine,
    protocol: Protocol,
    fields: NDArray[np.float64],
    T: float | None,
    method: Exact,
    axis: Sequence[float],
    transverse: Sequence[float],
) -> Run:
    if not isinstance(protocol, FieldSweep):
        msg = (
            f"protocol must be a FieldSweep where Exact() has more than {MAX_PHASE:.0e} rad to follow, "
            f"got {type(protocol).__name__}; use RateEquations()"
        )
        raise InputError(msg)
    span = sorted((protocol.start, protocol.stop))
    table = crossings(system, span, axis=axis, transverse=transverse)
    passages = [
        Passage(field=float(B), gap=float(gap), slope=float(slope), lower=int(lower), rate=protocol.rate)
        for B, gap, slope, lower in zip(
            table.field.values,
            table.splitting.values,
            table.slope.values,
            table.level_from.values,
            strict=True,
        )
    ]
    energy, U = np.linalg.eigh(line.H0 + fields[:, None, None] * line.G)
    start = _start(energy[0], T)
    run = cross_windows(
        line.H0, line.G, start, start=protocol.start, stop=protocol.stop, passages=passages, method=method
    )
    direction = 1.0 if protocol.stop > protocol.start else -1.0
    met = np.array([passage.field for passage in run.passages]) * direction
    population = run.populations[np.searchsorted(met, fields * direction, side="right")]
    slope = (U.conj() * (line.G @ U)).sum(axis=1).real
    return (population * slope).sum(axis=1) / -MU_B, population


def density_sweep(
    line: FieldLine,
    protocol: Protocol,
    times: NDArray[np.float64],
    T: float | None,
    method: Lindblad,
) -> Run:
    """Return moment (t,) [mu_B] and populations of the eigenstates (t, n) of a Lindblad sweep."""
    fields = protocol.B(times)
    energy, U = np.linalg.eigh(line.at(float(fields[0])))
    initial = (U * _start(energy, T)) @ U.conj().T
    breaks = [segment.stop for segment in protocol.segments()[:-1]]
    run = evolve_density(
        line.H0,
        line.G,
        initial,
        field=protocol.B,
        times=times,
        collapse=method.collapse,
        tolerance=method.tolerance,
        breakpoints=breaks,
    )
    slope = np.einsum("tij,ji->t", run.density, line.G).real
    _, frames = np.linalg.eigh(line.H0 + fields[:, None, None] * line.G)
    population = np.einsum("tia,tij,tja->ta", frames.conj(), run.density, frames, optimize=True).real
    return slope / -MU_B, population


def _start(energy: Array, T: float | None) -> NDArray[np.float64]:
    """Return thermal populations, or the ground state where no temperature is given."""
    if T is not None:
        return thermal(np.asarray(energy, dtype=np.float64), T)
    weight = np.zeros(len(energy))
    weight[0] = 1.0
    return weight
