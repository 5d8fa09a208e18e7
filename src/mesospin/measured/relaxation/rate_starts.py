"""Where the fit of a law of relaxation starts: laws whose processes each pass through a measured point."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mesospin.measured.relaxation.processes import Process, RateLaw
from mesospin.measured.relaxation.rate_data import STRAY_FIELD, RateData

__all__ = ["starts_of"]

Floats = NDArray[np.float64]

#: Parameters whose range is in units of the temperature.
_ENERGIES: Final = ("u_eff", "w")
_TEN: Final = float(np.log(10.0))


def starts_of(law: RateLaw, data: RateData, count: int, rng: Generator) -> Floats:
    """Return ``count`` starting points, shape (count, p).

    Energies are drawn evenly in their logarithm between a multiple of the lowest and of the highest
    temperature, powers evenly in their range.  The amplitude then follows: the process alone gives the
    measured rate at a point drawn at random.
    """
    return np.stack([_start(law, data, rng) for _ in range(count)])


def _start(law: RateLaw, data: RateData, rng: Generator) -> Floats:
    return np.concatenate([_of_process(process, data, rng) for process in law.processes])


def _of_process(process: Process, data: RateData, rng: Generator) -> Floats:
    values = [0.0, *(_drawn(process, name, data, rng) for name in process.names[1:])]
    others = [float(value) for inner in process.inner for value in _of_process(inner, data, rng)]
    if process.names[0] in process.ranges:  # a factor of another process has no amplitude of its own
        values[0] = _drawn(process, process.names[0], data, rng)
        return np.array([*values, *others])
    usable = np.flatnonzero(np.abs(data.B) > STRAY_FIELD) if process.needs_field else np.arange(len(data.T))
    point = rng.choice(usable)
    T, B = data.T[point : point + 1], data.B[point : point + 1]
    alone = float(np.real(process.log_rate([*values, *_absent(process, others)], T, B)[0]))
    values[0] = process.sign * (-data.log_tau[point] - alone) / _TEN
    return np.array([*values, *others])


def _absent(process: Process, others: list[float]) -> list[float]:
    """Return the parameters of an inner process with an amplitude that makes it fast: only its own limits."""
    if not process.inner:
        return others
    inner = process.inner[0]
    return [others[0] + 60.0 * inner.sign, *others[1:]]


def _drawn(process: Process, name: str, data: RateData, rng: Generator) -> float:
    low, high = process.ranges[name]
    if name in _ENERGIES:
        return float(np.exp(rng.uniform(np.log(low * data.T.min()), np.log(high * data.T.max()))))
    return float(rng.uniform(low, high))
