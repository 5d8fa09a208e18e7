"""Fits: of a Hamiltonian to files of measured data, of the Curie-Weiss law."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mesospin import checks, units
from mesospin.errors import StudyError
from mesospin.model.experiments.readers import axis, field, series, temperature
from mesospin.model.tables import (
    Key,
    Reader,
    quantity,
    read_integer,
    read_number,
    read_subtable,
    read_table,
    read_text,
)

__all__ = ["DATA", "FITTING"]

_G_FACTOR = re.compile(r"gn?[xyz]{0,2}(_\d+)*")
_energy = quantity(units.to_kelvin, "-0.5 cm^-1")
_molar = quantity(units.to_cm3_per_mole, "2e-4 cm3/mol")
_OPEN = "none"

_FILE: Mapping[str, Key] = {
    "file": Key(read_text, required=True),
    "format": Key(lambda name, value: checks.one_of(name, value, ("csv", "phi"))),
    "B": Key(series(field)),
    "T": Key(series(temperature)),
    "sigma": Key(read_text),
}
DATA: Mapping[str, Key] = {
    **_FILE,
    "powder": Key(read_integer),
    "axis": Key(axis),
    "label": Key(read_text),
    "weight": Key(read_number),
}
"""The keys of ``[[experiment.data]]``."""

_NEIGHBOURS: Mapping[str, Key] = {"zJ": Key(_energy, required=True), "g": Key(read_number)}


def _mean_field(name: str, value: Any) -> Mapping[str, Any]:
    return MappingProxyType(read_table(name, value, _NEIGHBOURS, error=StudyError))


def _data(name: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not value:
        raise StudyError(f"{name} must be a list of tables, got {value!r}; write [[{name}]]")
    return tuple(
        MappingProxyType(read_table(f"{name}[{i}]", entry, DATA, error=StudyError))
        for i, entry in enumerate(value)
    )


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(entry, str) for entry in value):
        raise StudyError(f'{name} must be a list of names, got {value!r}; write for example ["D", "g"]')
    return tuple(value)


def _unit_of(parameter: str) -> Reader:
    """Return the reader for values of a parameter; only g has no unit."""
    if parameter == "tip":
        return _molar
    return read_number if _G_FACTOR.fullmatch(parameter) else _energy


def _bounds(name: str, value: Any) -> Mapping[str, tuple[float | None, float | None]]:
    table = read_subtable(name, value)
    limits = {}
    for key, entry in table.items():
        if not isinstance(entry, list) or len(entry) != 2:
            raise StudyError(
                f"{name}.{key} must be a list [low, high], got {entry!r}; write '{_OPEN}' for no bound"
            )
        read = _unit_of(key)
        low, high = (None if end == _OPEN else read(f"{name}.{key}", end) for end in entry)
        limits[key] = (low, high)
    return MappingProxyType(limits)


def _ties(name: str, value: Any) -> Mapping[str, str]:
    table = read_subtable(name, value)
    return MappingProxyType({key: read_text(f"{name}.{key}", entry) for key, entry in table.items()})


def _window(name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise StudyError(f'{name} must be two temperatures, got {value!r}; write ["50 K", "300 K"]')
    return checks.span(name, tuple(temperature(name, entry) for entry in value), "K")


FITTING: Mapping[str, Mapping[str, Key]] = {
    "fit": {
        "data": Key(_data, required=True),
        "vary": Key(_names, required=True),
        "bounds": Key(_bounds),
        "tie": Key(_ties),
        "mean_field": Key(_mean_field),
        "tip": Key(_molar),
        "starts": Key(read_integer),
        "spread": Key(read_number),
        "seed": Key(read_integer),
        "max_evaluations": Key(read_integer),
    },
    "curie-weiss": {
        **_FILE,
        "window": Key(_window, required=True),
        "tip": Key(_molar),
        "windows": Key(read_integer),
    },
}
"""The keys of ``[experiment]`` by ``kind``."""
