"""Experiments in time: relaxation, hysteresis, sweeps."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mesospin import checks, units
from mesospin.errors import StudyError
from mesospin.model.environment import DebyeLattice, DipolarBath, NuclearBath
from mesospin.model.experiments.readers import (
    DIRECTION,
    angle,
    checked,
    disorder,
    duration,
    field,
    field_span,
    kind_and_rest,
    rate,
    series,
    step,
    temperature,
)
from mesospin.model.schema import phonons_from_table
from mesospin.model.tables import Key, list_of, pair_of, quantity, read_integer, read_table, within

__all__ = ["DYNAMICS", "PROTOCOLS"]


def _dipolar(name: str, value: Any) -> Any:
    if value == "none":
        return None
    width = field(name, value)
    return within(name, DipolarBath, width)


def _method(name: str, value: Any) -> str:
    return checks.one_of(name, value, ("rate-equations", "exact"))


def _nuclear(name: str, value: Any) -> Any:
    return within(name, NuclearBath, quantity(units.to_kelvin, "5 mK")(name, value))


def _raman(name: str, value: Any) -> Any:
    return within(name, DebyeLattice, temperature(name, value))


_hertz = checked(quantity(units.to_hertz, "10 Hz"), checks.positive, "Hz")
_temperature_rate = checked(quantity(units.to_kelvin_per_second, "2 K/min"), checks.positive, "K/s")
_BATH: Mapping[str, Key] = {"bath": Key(lambda name, value: phonons_from_table(name, value))}

_SURROUNDINGS: Mapping[str, Key] = {
    "disorder": Key(disorder),
    "dipolar": Key(_dipolar),
    "nuclear": Key(_nuclear),
    "raman": Key(_raman),
    **DIRECTION,
    **_BATH,
}

PROTOCOLS: Mapping[str, Mapping[str, Key]] = {
    "linear": {"span": Key(pair_of(field, field), required=True), "rate": Key(rate, required=True)},
    "steps": {
        "fields": Key(list_of(field), required=True),
        "durations": Key(list_of(duration), required=True),
    },
    "half-sine": {
        "peak": Key(field, required=True),
        "duration": Key(duration, required=True),
    },
    "constant": {"field": Key(field, required=True), "duration": Key(duration, required=True)},
}
"""The shapes of a field in time, by ``kind``."""


def _protocol(name: str, value: Any) -> Mapping[str, Any]:
    kind, rest = kind_and_rest(name, value, PROTOCOLS)
    parts = read_table(name, rest, PROTOCOLS[kind], error=StudyError)
    if kind == "linear" and parts["span"][0] == parts["span"][1]:
        raise StudyError(
            f"{name}.span must have two different ends [T], got {parts['span']}; use kind constant"
        )
    if kind == "steps" and len(parts["fields"]) != len(parts["durations"]):
        raise StudyError(
            f"{name}.durations must have one entry for each field, got {len(parts['durations'])} for "
            f"{len(parts['fields'])}; complete the shorter list"
        )
    return MappingProxyType({"kind": kind, **parts})


DYNAMICS: Mapping[str, Mapping[str, Key]] = {
    "relaxation": {
        "T": Key(series(temperature), required=True),
        "B": Key(series(field)),
        **_SURROUNDINGS,
    },
    "ac-susceptibility": {
        "T": Key(series(temperature), required=True),
        "B": Key(series(field)),
        "frequency": Key(series(_hertz), required=True),
        "powder": Key(read_integer),
        **_SURROUNDINGS,
    },
    "decay": {
        "T": Key(series(temperature), required=True),
        "B_initial": Key(field, required=True),
        "B_final": Key(field, required=True),
        "time": Key(series(duration), required=True),
        "powder": Key(read_integer),
        **_SURROUNDINGS,
    },
    "zfc-fc": {
        "T": Key(series(temperature), required=True),
        "B": Key(series(field), required=True),
        "rate": Key(_temperature_rate, required=True),
        "powder": Key(read_integer),
        **_SURROUNDINGS,
    },
    "blocking-temperature": {"B": Key(series(field)), "time": Key(series(duration)), **_SURROUNDINGS},
    "hysteresis": {
        "T": Key(series(temperature), required=True),
        "rate": Key(rate, required=True),
        "span": Key(field_span, required=True),
        **DIRECTION,
        "tilt": Key(angle),
        "azimuth": Key(angle),
        "disorder": Key(disorder),
        "dipolar": Key(_dipolar),
        "field_step": Key(step),
        "powder": Key(read_integer),
        **_BATH,
    },
    "sweep": {
        "protocol": Key(_protocol, required=True),
        "T": Key(temperature),
        "method": Key(_method),
        "disorder": Key(disorder),
        "powder": Key(read_integer),
        "points": Key(read_integer),
        **DIRECTION,
        **_BATH,
    },
}
"""The keys of ``[experiment]`` by ``kind``."""
