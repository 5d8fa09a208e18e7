"""Readers of the entries of an experiment: quantities, ranges, directions, pairs of levels."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mesospin import checks, units
from mesospin.errors import StudyError
from mesospin.model.schema import disorder_from_table
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
    "DIRECTION",
    "angle",
    "axis",
    "checked",
    "disorder",
    "duration",
    "field",
    "field_span",
    "frequency",
    "integers",
    "kind_and_rest",
    "one_of_kinds",
    "pair",
    "rate",
    "series",
    "step",
    "temperature",
    "unread",
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


def checked(reader: Reader, check: Callable[[str, object, str], Any], unit: str) -> Reader:
    """Return a reader that also checks the number [unit] it has read."""

    def read(name: str, value: Any) -> Any:
        return check(name, reader(name, value), unit)

    return read


def series(reader: Reader) -> Reader:
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


def field_span(name: str, value: Any) -> tuple[float, float]:
    """Return two increasing fields [T]."""
    return checks.span(name, pair_of(field, field)(name, value), "T")


def axis(name: str, value: Any) -> tuple[float, ...]:
    """Return a direction: three numbers, not all 0."""
    components: tuple[float, ...] = list_of(read_number)(name, value)
    if len(components) != 3 or not any(components):
        raise StudyError(f"{name} must be three numbers that are not all 0, got {value!r}; write [0, 0, 1]")
    return components


def pair(name: str, value: Any) -> Any:
    """Return two eigenvalues of Sz ("9/2" is read too), or two labels such as "m=10, mI=-7/2"."""
    if isinstance(value, list) and any(isinstance(entry, str) and "=" in entry for entry in value):
        return pair_of(read_text, read_text)(name, value)
    return pair_of(read_number, read_number)(name, value)


def disorder(name: str, value: Any) -> Any:
    """Return the ensemble that a table describes; None for "none", one ideal molecule."""
    if value == "none":
        return None
    if isinstance(value, Mapping):
        return disorder_from_table(name, value)
    raise StudyError(
        f'{name} must be "none", "default" or a table of the ensemble, got {value!r}; choose one'
    )


def integers(name: str, value: Any) -> tuple[int, ...]:
    """Return a list of whole numbers."""
    return tuple(list_of(read_integer)(name, value))


def unread(_name: str, value: Any) -> Any:
    """Return a value as it stands: its class reads it in the unit of its quantity."""
    return value


def one_of_kinds(kinds: Mapping[str, tuple[Callable[..., Any], Mapping[str, Key]]]) -> Reader:
    """Return a reader for a table whose ``kind`` names the class that it makes."""

    def read(name: str, value: Any) -> Any:
        kind, rest = kind_and_rest(name, value, kinds)
        build, keys = kinds[kind]
        return within(name, build, **read_table(name, rest, keys, error=StudyError))

    return read


field = quantity(units.to_tesla, "0.5 T")
angle = quantity(units.to_radian, "5 deg")
temperature = checked(quantity(units.to_thermodynamic_kelvin, "1.9 K"), checks.positive, "K")
rate = checked(quantity(units.to_tesla_per_second, "3 mT/s"), checks.positive, "T/s")
duration = checked(quantity(units.to_second, "20 s"), checks.positive, "s")
step = checked(field, checks.positive, "T")
frequency = checked(quantity(units.to_gigahertz, "9.2 GHz"), checks.positive, "GHz")

DIRECTION: Mapping[str, Key] = {"axis": Key(axis), "transverse": Key(pair_of(field, field))}
