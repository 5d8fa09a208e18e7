"""How the field changes in time: frozen protocols, each a chain of monotone segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin import units
from mesospin.checks import finite, positive
from mesospin.errors import InputError
from mesospin.units import Quantity

Field = NDArray[np.float64]


class Segment(NamedTuple):
    """A stretch of time in which the field is constant or monotone.

    ``start`` and ``stop`` [s]; ``first`` and ``last`` the fields there [T]; ``field`` is B(t) and
    ``time`` its inverse (None where the field is constant).
    """

    start: float
    stop: float
    first: float
    last: float
    field: Callable[[Field], Field]
    time: Callable[[Field], Field] | None


@dataclass(frozen=True, slots=True, init=False)
class FieldSweep:
    """A linear sweep from ``start`` to ``stop`` [T] at ``rate`` [T/s].

    Examples
    --------
    >>> sweep = FieldSweep(-1.0, 1.0, rate="1 mT/s")
    >>> sweep.duration
    2000.0
    >>> sweep.B([0.0, 1000.0])
    array([-1.,  0.])
    """

    start: float
    stop: float
    rate: float

    def __init__(self, start: Quantity, stop: Quantity, *, rate: Quantity) -> None:
        object.__setattr__(self, "start", finite("start", units.to_tesla(start, "start"), "T"))
        object.__setattr__(self, "stop", finite("stop", units.to_tesla(stop, "stop"), "T"))
        object.__setattr__(self, "rate", positive("rate", units.to_tesla_per_second(rate, "rate"), "T/s"))
        if self.start == self.stop:
            msg = f"stop must differ from start [T], got {self.stop:g}; use ConstantField to wait"
            raise InputError(msg)

    @property
    def duration(self) -> float:
        """Total time [s]."""
        return abs(self.stop - self.start) / self.rate

    def segments(self) -> tuple[Segment, ...]:
        """Return the single monotone segment."""
        return (_linear(0.0, self.duration, self.start, self.stop),)

    def B(self, t: ArrayLike) -> Field:
        """Return the field [T] at the times ``t`` [s]."""
        return _field_of(self.segments(), t)


@dataclass(frozen=True, slots=True, init=False)
class ConstantField:
    """A field ``value`` [T] held for ``duration`` [s]."""

    value: float
    duration: float

    def __init__(self, value: Quantity, *, duration: Quantity) -> None:
        object.__setattr__(self, "value", finite("value", units.to_tesla(value, "value"), "T"))
        object.__setattr__(self, "duration", positive("duration", units.to_second(duration, "duration"), "s"))

    def segments(self) -> tuple[Segment, ...]:
        """Return the single constant segment."""
        return (_hold(0.0, self.duration, self.value),)

    def B(self, t: ArrayLike) -> Field:
        """Return the field [T] at the times ``t`` [s]."""
        return _field_of(self.segments(), t)


@dataclass(frozen=True, slots=True, init=False)
class FieldSteps:
    """Sudden steps: field ``fields[k]`` [T] held for ``durations[k]`` [s].

    Between two fields the levels are crossed infinitely fast, so nothing tunnels.

    Examples
    --------
    >>> FieldSteps([0.0, 0.5], [10.0, 5.0]).B([0.0, 9.9, 10.1])
    array([0. , 0. , 0.5])
    """

    fields: tuple[float, ...]
    durations: tuple[float, ...]

    def __init__(self, fields: Sequence[Quantity], durations: Sequence[Quantity]) -> None:
        if len(fields) != len(durations) or not fields:
            msg = (
                f"fields and durations must have the same length >= 1, got {len(fields)} and {len(durations)}"
            )
            raise InputError(msg)
        values = tuple(finite("fields", units.to_tesla(x, "fields"), "T") for x in fields)
        times = tuple(positive("durations", units.to_second(x, "durations"), "s") for x in durations)
        object.__setattr__(self, "fields", values)
        object.__setattr__(self, "durations", times)

    @property
    def duration(self) -> float:
        """Total time [s]."""
        return float(sum(self.durations))

    def segments(self) -> tuple[Segment, ...]:
        """Return one constant segment for each step."""
        ends = np.cumsum(self.durations)
        return tuple(
            _hold(float(end - time), float(end), value)
            for end, time, value in zip(ends, self.durations, self.fields, strict=True)
        )

    def B(self, t: ArrayLike) -> Field:
        """Return the field [T] at the times ``t`` [s]."""
        return _field_of(self.segments(), t)


@dataclass(frozen=True, slots=True, init=False)
class HalfSinePulse:
    r"""A pulse :math:`B(t) = B_{peak}\sin(\pi t/\tau)` of length ``duration`` [s].

    Examples
    --------
    >>> HalfSinePulse(10.0, duration="20 ms").B([0.0, 0.01])
    array([ 0., 10.])
    """

    peak: float
    duration: float

    def __init__(self, peak: Quantity, *, duration: Quantity) -> None:
        object.__setattr__(self, "peak", finite("peak", units.to_tesla(peak, "peak"), "T"))
        object.__setattr__(self, "duration", positive("duration", units.to_second(duration, "duration"), "s"))
        if self.peak == 0.0:
            msg = "peak must not be 0 [T]; use ConstantField for no field"
            raise InputError(msg)

    def segments(self) -> tuple[Segment, ...]:
        """Return the rising and the falling segment."""
        half = self.duration / 2

        def field(t: Field) -> Field:
            return self.peak * np.sin(np.pi * t / self.duration)

        def rising(B: Field) -> Field:
            return self.duration / np.pi * np.arcsin(np.clip(B / self.peak, 0.0, 1.0))

        def falling(B: Field) -> Field:
            return self.duration - rising(B)

        return (
            Segment(0.0, half, 0.0, self.peak, field, rising),
            Segment(half, self.duration, self.peak, 0.0, field, falling),
        )

    def B(self, t: ArrayLike) -> Field:
        """Return the field [T] at the times ``t`` [s]."""
        return _field_of(self.segments(), t)


#: Every protocol that a sweep accepts.
Protocol = FieldSweep | ConstantField | FieldSteps | HalfSinePulse


def _linear(start: float, stop: float, first: float, last: float) -> Segment:
    speed = (last - first) / (stop - start)

    def field(t: Field) -> Field:
        return first + speed * (t - start)

    def time(B: Field) -> Field:
        return start + (B - first) / speed

    return Segment(start, stop, first, last, field, time)


def _hold(start: float, stop: float, value: float) -> Segment:
    def field(t: Field) -> Field:
        return np.full(np.shape(t), value)

    return Segment(start, stop, value, value, field, None)


def _field_of(segments: Sequence[Segment], t: ArrayLike) -> Field:
    times = np.asarray(t, dtype=np.float64)
    result = np.full(times.shape, segments[-1].last)
    for segment in reversed(segments):
        before = times < segment.stop
        result[before] = segment.field(times[before])
    return result
