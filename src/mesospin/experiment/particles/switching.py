"""The older experiment: switching fields of single particles and of collections, thermal and tunnelling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin import checks, units
from mesospin.errors import InputError
from mesospin.experiment.particles.escape_rates import QuantumEscape, ThermalEscape, quantum_crossover
from mesospin.experiment.particles.first_passage import mean_switchings, width_switchings
from mesospin.experiment.particles.particle import (
    InverseSpread,
    LogNormalSpread,
    Particle,
    Spread,
    field_angle,
)
from mesospin.experiment.particles.switching_cases import (
    ALONE,
    Case,
    Rates,
    cases,
    left_after,
    rates_of,
    viscosity,
    waiting_spread,
    waiting_variation,
)
from mesospin.results import result, variable
from mesospin.units import Quantity

__all__ = ["switching_fields"]

Array = NDArray[np.float64]

_LOG_NORMAL: Final = LogNormalSpread()
_INVERSE: Final = InverseSpread()
_ANGLES: Final = tuple(np.deg2rad(np.arange(10.0, 81.0, 5.0)).tolist())
_CURVE_POINTS: Final = 100


def switching_fields(
    particle: Particle,
    T: Sequence[Quantity],
    rate: Quantity,
    *,
    angle: Quantity = np.pi / 4,
    spread: Spread = _LOG_NORMAL,
    wide: Spread = _INVERSE,
    waiting: Quantity = 1000.0,
    angles: Sequence[Quantity] = _ANGLES,
    confidence: float = 0.95,
) -> xr.Dataset:
    r"""Return what six samples show when they are cooled: only two of them tunnel.

    ======================  ===========================================================
    case                    what it is
    ======================  ===========================================================
    thermal particle        one particle that only goes over its barrier
    tunnelling particle     the same, also through it
    overheated particle     the thermal one behind a heat leak that stops its cooling
    thermal ensemble        many thermal particles with the given spread
    tunnelling ensemble     the same, tunnelling
    wide thermal ensemble   thermal particles whose barriers have the density 1/U
    ======================  ===========================================================

    The heat leak is the best imitation there is: it keeps the particle at (T^4 + T_0^4)^(1/4), with T_0
    such that its mean switching field on cooling becomes that of the tunnelling particle.

    Parameters
    ----------
    particle : Particle
        The single particle, and the median one of the ensembles.
    T : sequence of float or str [K]
        Temperatures of the bath, > 0, at which the particle is blocked.  Members of an ensemble that are not
        count as switching where the sweep starts.
    rate : float or str [T/s]
        Sweep rate.  The field starts at a thousandth of the switching field, against the moment.
    angle : float or str [rad], default 45 degrees
        Between the field and the easy direction opposite to the moment, 0 to 85 degrees.
    spread, wide : Spread
        Of the ensembles; by default `LogNormalSpread()` and `InverseSpread()`.
    waiting : float or str [s], default 1000
        How long a waiting field is held.
    angles : sequence of float or str [rad], default 10 to 80 degrees
        Where the crossover temperature is computed.
    confidence : float, default 0.95
        Probability to be right, for the numbers of switchings that are needed.

    Returns
    -------
    xarray.Dataset
        Kind "switching".  ``mean_field``, ``field_width`` [T] (case, temperature): of the switching field;
        ``viscosity``: share of the moment that reverses in a unit of ln(time), after ``waiting`` in the
        ``waiting_field`` (case) [T], the mean switching field at the lowest temperature;
        ``waiting_variation``, ``waiting_spread``: coefficient of variation of the waiting times up to
        ``waiting``, and standard deviation of their logarithms (1 and pi/sqrt(6) for one particle), in the
        mean switching field of each temperature; ``remaining`` (case, time) there, at the lowest temperature.

        ``escape_temperature``, ``width_temperature`` [K] (single, temperature): temperatures at which a
        thermal particle has this mean, this width (nan where it has not).  ``needed_mean``,
        ``needed_width`` (temperature): switchings that tell the tunnelling particle from the thermal one;
        ``needed_imitation``: by the width from a thermal one of the same mean, if its barrier is known;
        ``needed_waiting`` (temperature): waiting times that tell, by the spread of their logarithms, one
        particle from the thermal ensemble.

        ``crossover``, ``frozen_temperature`` [K], ``cold_field``, ``cold_width`` [T] (field_angle): of the
        tunnelling particle at zero temperature; ``imitation_field`` [T] (field_angle): of the overheated one;
        ``needed_angle`` (field_angle): switchings that tell the two apart by these means, if the switching
        field without any escape is known; ``leak_temperature`` [K]: T_0.

    Raises
    ------
    InputError
        If an argument is out of range, the particle is not blocked, or it is so nearly axial that it does not
        tunnel.

    Examples
    --------
    One particle that tunnels stops narrowing its distribution on cooling, one that does not goes on:

    >>> grain = Particle(20000, "2 T", "1 T")
    >>> cold = switching_fields(grain, ["20 mK", "40 mK"], "1 mT/s", angles=["45 deg"])
    >>> (1e6 * cold.field_width).sel(case=["tunnelling particle", "thermal particle"]).values.round()
    array([[123., 123.],
           [ 38.,  60.]])
    """
    checks.instance_of("particle", particle, Particle, hint="build a Particle")
    for name, value in (("spread", spread), ("wide", wide)):
        checks.instance_of(name, value, Spread, hint="use LogNormalSpread or InverseSpread")
    temperatures = _positive_series("T", T)
    speed = checks.positive("rate", units.to_tesla_per_second(rate), "T/s")
    direction = field_angle(angle)
    hold = checks.positive("waiting", units.to_second(waiting, "waiting"), "s")
    directions = [field_angle(value, "angles") for value in angles]
    frozen = [_frozen(particle, one, speed) for one in (direction, *directions)]
    samples = cases(spread, wide, frozen[0].temperature)
    measured = [_Measured.on(case, particle, direction, temperatures, speed, hold) for case in samples]
    variables = {
        **_side_by_side(measured),
        **_discrimination(measured, particle, direction, temperatures, speed, confidence),
        **_against_angle(frozen[1:], frozen[0].temperature, confidence),
        "leak_temperature": variable((), frozen[0].temperature, "K", "temperature of the heat leak"),
    }
    names = [case.name for case in samples]
    coords = {
        "case": names,
        "single": [case.name for case in samples if case.members is ALONE],
        "temperature": variable("temperature", temperatures, "K", "temperature"),
        "time": variable("time", _times(hold), "s", "time"),
        "field_angle": variable("field_angle", directions, "rad", "angle between field and easy axis"),
    }
    inputs = {
        "particle": particle,
        "rate": speed,
        "angle": direction,
        "spread": spread,
        "wide": wide,
        "waiting": hold,
        "confidence": confidence,
    }
    return result("switching", particle, variables, coords, inputs)


def _positive_series(name: str, values: Sequence[Quantity]) -> Array:
    if isinstance(values, str) or not len(values):
        raise InputError(f"{name} must be a sequence of temperatures [K], got {values!r}; give a list")
    return np.array(
        [checks.positive(name, units.to_thermodynamic_kelvin(value, name), "K") for value in values]
    )


def _times(hold: float) -> Array:
    return np.geomspace(1e-5 * hold, 10.0 * hold, 121)


class _Measured(NamedTuple):
    """What is measured on one case: arrays over temperature, the waiting field, and what is left there."""

    case: Case
    waiting_field: float
    remaining: Array
    mean: Array
    width: Array
    kurtosis: Array
    viscosity: Array
    variation: Array
    spread: Array
    spread_kurtosis: Array

    @classmethod
    def on(
        cls, case: Case, particle: Particle, angle: float, temperatures: Array, rate: float, hold: float
    ) -> _Measured:
        columns = np.empty((7, len(temperatures)))
        coldest = int(np.argmin(temperatures))
        order = [coldest, *(i for i in range(len(temperatures)) if i != coldest)]
        field, remaining = 0.0, np.empty(0)
        for i in order:
            rates = rates_of(case, particle, angle, float(temperatures[i]))
            mean, width = rates.switching(rate)
            integral = rates.passed(rate)
            if case.members is ALONE:
                _refuse_unresolved(rates, integral, float(temperatures[i]))
            waits = rates.waiting(integral, mean)
            if i == coldest:
                field, remaining = mean, left_after(*waits, _times(hold))
            reversing = viscosity(*rates.waiting(integral, field), hold)
            kurtosis = float(rates.passage(rate).kurtosis.ravel()[0]) if case.members is ALONE else np.nan
            times = waiting_variation(*waits, hold), *waiting_spread(*waits, hold)
            columns[:, i] = mean, width, kurtosis, reversing, *times
        return cls(case, field, remaining, *columns)


def _refuse_unresolved(rates: Rates, integral: Array, T: float) -> None:
    """Raise unless one particle switches inside the tabulated fields."""
    passed = np.exp(integral[0, 0])
    early = float(np.interp(0.01 * rates.fields[-1], rates.fields, passed))
    if early > 0.01:
        msg = f"T must be low enough to block the particle [K], got {T:g}"
        raise InputError(f"{msg}; it reverses without a field, so cool it or give it a larger moment")
    if passed[-1] < 5.0:
        msg = f"T must be high enough for the moment to leave its well before the well goes [K], got {T:g}"
        raise InputError(f"{msg}; its switching field is the classical one to 1e-6")


def _side_by_side(measured: Sequence[_Measured]) -> dict[str, object]:
    dims = ("case", "temperature")
    return {
        "mean_field": variable(dims, [m.mean for m in measured], "T", "mean switching field"),
        "field_width": variable(dims, [m.width for m in measured], "T", "width of the switching field"),
        "viscosity": variable(dims, [m.viscosity for m in measured], "1", "magnetic viscosity"),
        "waiting_variation": variable(
            dims, [m.variation for m in measured], "1", "coefficient of variation of the waiting time"
        ),
        "waiting_spread": variable(
            dims, [m.spread for m in measured], "1", "standard deviation of ln(waiting time)"
        ),
        "waiting_field": variable("case", [m.waiting_field for m in measured], "T", "waiting field"),
        "remaining": variable(("case", "time"), [m.remaining for m in measured], "1", "not yet reversed"),
    }


class _ThermalCurve(NamedTuple):
    """Switching of a thermal particle against its own temperature."""

    temperature: Array
    depth: Array  # B_sw - mean, rising with temperature
    width: Array
    switching: float

    @classmethod
    def of(cls, particle: Particle, angle: float, rate: float, lo: float, hi: float) -> _ThermalCurve:
        temperatures = np.geomspace(lo, hi, _CURVE_POINTS)
        case = Case("thermal particle", ThermalEscape(), ALONE)
        moments = [rates_of(case, particle, angle, T).passage(rate) for T in temperatures.tolist()]
        switching = particle.switching_field(angle)
        mean, width = (np.array([float(m[entry][0, 0]) for m in moments]) for entry in range(2))
        return cls(temperatures, switching - mean, width, switching)

    def of_mean(self, mean: float) -> float:
        """Return the temperature with this mean switching field, nan outside the curve."""
        return _inverse(self.temperature, self.depth, self.switching - mean)

    def of_width(self, width: float) -> float:
        """Return the temperature with this width, nan outside the rising part of the curve."""
        rising = int(np.argmax(self.width)) + 1
        return _inverse(self.temperature[:rising], self.width[:rising], width)

    def at(self, T: float) -> tuple[float, float]:
        """Return mean and width at a temperature inside the curve [T]."""
        x, grid = np.log(T), np.log(self.temperature)
        depth, width = (float(np.exp(np.interp(x, grid, np.log(v)))) for v in (self.depth, self.width))
        return self.switching - depth, width


def _inverse(temperature: Array, values: Array, wanted: float) -> float:
    if not values[0] <= wanted <= values[-1]:
        return float("nan")
    return float(np.exp(np.interp(np.log(wanted), np.log(values), np.log(temperature))))


def _discrimination(
    measured: Sequence[_Measured],
    particle: Particle,
    angle: float,
    temperatures: Array,
    rate: float,
    confidence: float,
) -> dict[str, object]:
    thermal, quantum, overheated, ensemble = measured[:4]
    hottest = 3.0 * max(float(temperatures.max()), overheated.case.leak)
    coldest = 0.3 * min(float(temperatures.min()), overheated.case.leak)
    curve = _ThermalCurve.of(particle, angle, rate, coldest, hottest)
    singles = (thermal, quantum, overheated)
    escape = np.array([[curve.of_mean(mean) for mean in m.mean] for m in singles])
    by_width = np.array([[curve.of_width(width) for width in m.width] for m in singles])
    imitation = [curve.at(T)[1] for T in escape[1]]
    by_mean = [
        mean_switchings(*entries, confidence=confidence)
        for entries in zip(quantum.mean - thermal.mean, quantum.width, thermal.width, strict=True)
    ]

    def by_spread(ratio: Array, kurtosis: Array) -> list[float]:
        return [
            width_switchings(r, k, confidence=confidence) if np.isfinite(r * k) else float("nan")
            for r, k in zip(ratio.tolist(), kurtosis.tolist(), strict=True)
        ]

    by_width_alone = by_spread(quantum.width / thermal.width, quantum.kurtosis)
    by_imitation = by_spread(quantum.width / imitation, quantum.kurtosis)
    by_waiting = by_spread(ensemble.spread / thermal.spread, thermal.spread_kurtosis)
    single, along = ("single", "temperature"), "temperature"
    return {
        "escape_temperature": variable(single, escape, "K", "escape temperature from the mean"),
        "width_temperature": variable(single, by_width, "K", "escape temperature from the width"),
        "needed_mean": variable(along, by_mean, "1", "switchings to see tunnelling in the mean"),
        "needed_width": variable(along, by_width_alone, "1", "switchings to see tunnelling in the width"),
        "needed_imitation": variable(along, by_imitation, "1", "switchings to exclude a heat leak"),
        "needed_waiting": variable(along, by_waiting, "1", "waiting times to exclude a spread"),
    }


class _Frozen(NamedTuple):
    """The tunnelling particle at zero temperature in a field of one direction, and a thermal one there."""

    field: float
    width: float
    crossover: float
    temperature: float
    thermal: _ThermalCurve


def _frozen(particle: Particle, angle: float, rate: float) -> _Frozen:
    rates = rates_of(Case("cold", QuantumEscape(), ALONE), particle, angle, 0.0)
    mean, width = rates.switching(rate)
    crossover = quantum_crossover(particle, mean, angle)
    curve = _ThermalCurve.of(particle, angle, rate, 0.1 * crossover, 10.0 * crossover)
    return _Frozen(mean, width, crossover, curve.of_mean(mean), curve)


def _against_angle(frozen: Sequence[_Frozen], leak: float, confidence: float) -> dict[str, object]:
    imitated = [f.thermal.at(leak) for f in frozen]
    needed = [
        mean_switchings(f.field - mean, f.width, width, confidence=confidence)
        for f, (mean, width) in zip(frozen, imitated, strict=True)
    ]
    along = "field_angle"
    return {
        "cold_field": variable(along, [f.field for f in frozen], "T", "mean switching field at 0 K"),
        "cold_width": variable(along, [f.width for f in frozen], "T", "width of the switching field at 0 K"),
        "crossover": variable(along, [f.crossover for f in frozen], "K", "crossover temperature"),
        "frozen_temperature": variable(
            along, [f.temperature for f in frozen], "K", "temperature of a thermal particle with this mean"
        ),
        "imitation_field": variable(
            along, [mean for mean, _ in imitated], "T", "mean switching field behind the heat leak at 0 K"
        ),
        "needed_angle": variable(along, needed, "1", "switchings to exclude the heat leak at this angle"),
    }
