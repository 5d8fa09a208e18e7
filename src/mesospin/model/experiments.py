"""What each kind of experiment in a study file may say: its keys and how they are read."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from mesospin import checks, units
from mesospin.errors import StudyError
from mesospin.model.anisotropies import Anisotropy, FixedConstants, FixedDensity
from mesospin.model.distributions import Distribution, Gaussian, LogGaussian, Rayleigh, Values
from mesospin.model.environment import DipolarBath
from mesospin.model.schema import disorder_from_table, phonons_from_table
from mesospin.model.tables import (
    Key,
    Reader,
    list_of,
    pair_of,
    quantity,
    read_integer,
    read_number,
    read_table,
    read_text,
    within,
)

__all__ = [
    "ANISOTROPIES",
    "DISTRIBUTIONS",
    "EXPERIMENTS",
    "PROTOCOLS",
    "SPLITTING_METHODS",
    "WITHOUT_SYSTEM",
    "kind_and_rest",
]

_LARGEST_SERIES = 10_000_000


def kind_and_rest(name: str, value: Any, kinds: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the ``kind`` of a table, one of ``kinds``, and its other entries."""
    if not isinstance(value, Mapping) or "kind" not in value:
        raise StudyError(
            f"{name} must be a table with the key 'kind', got {value!r}; choose {', '.join(kinds)}"
        )
    kind = checks.one_of(f"{name}.kind", value["kind"], tuple(kinds))
    return kind, {key: entry for key, entry in value.items() if key != "kind"}


def _checked(reader: Reader, check: Callable[[str, object, str], Any], unit: str) -> Reader:
    def read(name: str, value: Any) -> Any:
        return check(name, reader(name, value), unit)

    return read


def _series(reader: Reader) -> Reader:
    """Return a reader for one quantity, a list of them, or a table from - to - points; gives a tuple."""
    keys = {
        "from": Key(reader, required=True),
        "to": Key(reader, required=True),
        "points": Key(read_integer, required=True),
        "spacing": Key(lambda name, value: checks.one_of(name, value, ("linear", "logarithmic"))),
    }

    def read(name: str, value: Any) -> tuple[float, ...]:
        if isinstance(value, list):
            return tuple(list_of(reader)(name, value))
        if not isinstance(value, Mapping):
            return (reader(name, value),)
        parts = read_table(name, value, keys, error=StudyError)
        points = checks.integer(f"{name}.points", parts["points"], at_least=2, at_most=_LARGEST_SERIES)
        if parts.get("spacing", "linear") == "linear":
            return tuple(np.linspace(parts["from"], parts["to"], points).tolist())
        ends = (checks.positive(f"{name}.from", parts["from"]), checks.positive(f"{name}.to", parts["to"]))
        return tuple(np.geomspace(*ends, points).tolist())

    return read


def _field_span(name: str, value: Any) -> tuple[float, float]:
    return checks.span(name, pair_of(_field, _field)(name, value), "T")


def _axis(name: str, value: Any) -> tuple[float, ...]:
    components: tuple[float, ...] = list_of(read_number)(name, value)
    if len(components) != 3 or not any(components):
        raise StudyError(f"{name} must be three numbers that are not all 0, got {value!r}; write [0, 0, 1]")
    return components


def _pair(name: str, value: Any) -> Any:
    """Return two eigenvalues of Sz ("9/2" is read too), or two labels such as "m=10, mI=-7/2"."""
    if isinstance(value, list) and any(isinstance(entry, str) and "=" in entry for entry in value):
        return pair_of(read_text, read_text)(name, value)
    return pair_of(read_number, read_number)(name, value)


def _disorder(name: str, value: Any) -> Any:
    if value == "none":
        return None
    if isinstance(value, Mapping):
        return disorder_from_table(name, value)
    raise StudyError(
        f'{name} must be "none", "default" or a table of the ensemble, got {value!r}; choose one'
    )


def _dipolar(name: str, value: Any) -> Any:
    if value == "none":
        return None
    width = _field(name, value)
    return within(name, DipolarBath, width)


def _method(name: str, value: Any) -> str:
    return checks.one_of(name, value, ("rate-equations", "exact"))


def _splitting_method(name: str, value: Any) -> str:
    return checks.one_of(name, value, SPLITTING_METHODS)


def _spins(name: str, value: Any) -> tuple[float, ...]:
    return tuple(checks.half_integer(name, S) for S in list_of(read_number)(name, value))


def _counts(name: str, value: Any) -> tuple[int, ...]:
    return tuple(list_of(read_integer)(name, value))


_field = quantity(units.to_tesla, "0.5 T")
_angle = quantity(units.to_radian, "5 deg")
_temperature = _checked(quantity(units.to_thermodynamic_kelvin, "1.9 K"), checks.positive, "K")
_rate = _checked(quantity(units.to_tesla_per_second, "3 mT/s"), checks.positive, "T/s")
_time = _checked(quantity(units.to_second, "20 s"), checks.positive, "s")
_step = _checked(_field, checks.positive, "T")

_DIRECTION: Mapping[str, Key] = {"axis": Key(_axis), "transverse": Key(pair_of(_field, _field))}
_BATH: Mapping[str, Key] = {"bath": Key(lambda name, value: phonons_from_table(name, value))}

PROTOCOLS: Mapping[str, Mapping[str, Key]] = {
    "linear": {"span": Key(pair_of(_field, _field), required=True), "rate": Key(_rate, required=True)},
    "steps": {
        "fields": Key(list_of(_field), required=True),
        "durations": Key(list_of(_time), required=True),
    },
    "half-sine": {
        "peak": Key(_field, required=True),
        "duration": Key(_time, required=True),
    },
    "constant": {"field": Key(_field, required=True), "duration": Key(_time, required=True)},
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


SPLITTING_METHODS = ("double-precision", "certified", "large-spin", "perturbative", "semiclassical")
"""Names of the ways to compute a splitting."""


def _unread(_name: str, value: Any) -> Any:
    """Return a value as it stands: its class reads it in the unit of its quantity."""
    return value


DISTRIBUTIONS: Mapping[str, tuple[Callable[..., Distribution], Mapping[str, Key]]] = {
    "gaussian": (Gaussian, {"mean": Key(_unread, required=True), "width": Key(_unread, required=True)}),
    "log-gaussian": (
        LogGaussian,
        {
            "mean": Key(read_number, required=True),
            "width": Key(read_number, required=True),
            "scale": Key(_unread, required=True),
        },
    ),
    "rayleigh": (Rayleigh, {"width": Key(_unread, required=True)}),
    "values": (
        Values,
        {"values": Key(list_of(_unread), required=True), "weights": Key(list_of(read_number))},
    ),
}
"""Distributions of a parameter over molecules, by ``kind``."""

ANISOTROPIES: Mapping[str, tuple[Callable[..., Anisotropy], Mapping[str, Key]]] = {
    "fixed-constants": (FixedConstants, {"D": Key(_unread, required=True), "E": Key(_unread)}),
    "fixed-density": (
        FixedDensity,
        {"K_parallel": Key(_unread, required=True), "K_perpendicular": Key(_unread)},
    ),
}
"""What stays the same when a spin grows, by ``kind``."""


def _one_of_kinds(kinds: Mapping[str, tuple[Callable[..., Any], Mapping[str, Key]]]) -> Reader:
    """Return a reader for a table whose ``kind`` names the class that it makes."""

    def read(name: str, value: Any) -> Any:
        kind, rest = kind_and_rest(name, value, kinds)
        build, keys = kinds[kind]
        return within(name, build, **read_table(name, rest, keys, error=StudyError))

    return read


_distribution = _one_of_kinds(DISTRIBUTIONS)

EXPERIMENTS: Mapping[str, Mapping[str, Key]] = {
    "levels": {"B": Key(_series(_field), required=True), "states": Key(read_integer), **_DIRECTION},
    "crossings": {"span": Key(_field_span, required=True), **_DIRECTION},
    "splitting": {
        "pair": Key(_pair, required=True),
        "B": Key(_field),
        "method": Key(_splitting_method),
        "digits": Key(read_integer),
        **_DIRECTION,
    },
    "splitting-map": {
        "pair": Key(_pair, required=True),
        "transverse": Key(_series(_field), required=True),
        "azimuth": Key(_series(_angle)),
    },
    "diabolical-points": {
        "pair": Key(_pair, required=True),
        "Bx": Key(_field_span, required=True),
        "By": Key(_field_span, required=True),
        "resolution": Key(_step),
    },
    "tunnelling-pair": {
        "pair": Key(_pair, required=True),
        "B": Key(_field),
        "bias": Key(_field),
        **_DIRECTION,
    },
    "double-well": {"B": Key(_field), "tolerance": Key(_field), **_DIRECTION},
    "splitting-distribution": {
        "pair": Key(_pair, required=True),
        "E": Key(_distribution),
        "tilt": Key(_distribution),
        "transverse": Key(_distribution),
        "disorder": Key(_disorder),
        "samples": Key(read_integer),
        "seed": Key(read_integer),
        "rates": Key(_series(_rate)),
        "passages": Key(_counts),
        "bins": Key(read_integer),
    },
    "quantum-objects": {
        "anisotropy": Key(_one_of_kinds(ANISOTROPIES), required=True),
        "spins": Key(_spins),
        "transverse": Key(pair_of(_field, _field)),
        "g": Key(read_number),
    },
    "switching": {
        "moment": Key(read_number, required=True),
        "anisotropy_field": Key(_field, required=True),
        "hard_field": Key(_field),
        "g": Key(read_number),
        "T": Key(_series(_temperature), required=True),
        "rate": Key(_rate, required=True),
        "angle": Key(_angle),
        "angles": Key(_series(_angle)),
        "waiting": Key(_time),
        "moment_spread": Key(read_number),
        "anisotropy_spread": Key(read_number),
    },
    "relaxation": {
        "T": Key(_series(_temperature), required=True),
        "B": Key(_series(_field)),
        "disorder": Key(_disorder),
        "dipolar": Key(_dipolar),
        **_DIRECTION,
        **_BATH,
    },
    "hysteresis": {
        "T": Key(_series(_temperature), required=True),
        "rate": Key(_rate, required=True),
        "span": Key(_field_span, required=True),
        **_DIRECTION,
        "tilt": Key(_angle),
        "azimuth": Key(_angle),
        "disorder": Key(_disorder),
        "dipolar": Key(_dipolar),
        "field_step": Key(_step),
        "powder": Key(read_integer),
        **_BATH,
    },
    "sweep": {
        "protocol": Key(_protocol, required=True),
        "T": Key(_temperature),
        "method": Key(_method),
        "disorder": Key(_disorder),
        "powder": Key(read_integer),
        "points": Key(read_integer),
        **_DIRECTION,
        **_BATH,
    },
}
"""The keys of ``[experiment]`` by ``kind``."""

WITHOUT_SYSTEM = ("quantum-objects", "switching")
"""Kinds that make their own spins and take no ``system``."""
