"""Measured relaxation: fits of ac susceptibility, of decays, and of laws to relaxation times."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mesospin import checks, units
from mesospin.errors import StudyError
from mesospin.model.experiments.readers import duration, field, step, temperature
from mesospin.model.tables import (
    Key,
    quantity,
    read_flag,
    read_integer,
    read_number,
    read_subtable,
    read_text,
)

__all__ = ["RELAXATION"]

_second = quantity(units.to_second, "20 s")
_HABITS = ("names", "eicosane")
_ERRORS = ("fit", "distribution", "both", "equal")
_WEIGHTS = ("equal", "errors")


def _one_of(choices: tuple[str, ...]) -> Key:
    return Key(lambda name, value: checks.one_of(name, value, choices))


def _window(name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise StudyError(f'{name} must be two times, got {value!r}; write ["0 s", "100 s"]')
    return checks.span(name, tuple(_second(name, entry) for entry in value), "s")


def _fixed(name: str, value: Any) -> Mapping[str, float]:
    table = read_subtable(name, value)
    return MappingProxyType({key: read_number(f"{name}.{key}", entry) for key, entry in table.items()})


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(entry, str) for entry in value):
        raise StudyError(f'{name} must be a list of texts, got {value!r}; write for example ["alpha"]')
    return tuple(value)


_FILE: Mapping[str, Key] = {
    "file": Key(read_text, required=True),
    "mass": Key(quantity(units.to_milligram, "12 mg")),
    "molar_mass": Key(quantity(units.to_gram_per_mole, "542.5 g/mol")),
    "diamagnetism": Key(quantity(units.to_cm3_per_mole, "-3e-4 cm3/mol")),
    "eicosane_mass": Key(quantity(units.to_milligram, "20 mg")),
    "holder": Key(quantity(units.to_emu_per_oersted, "-2e-8 emu/Oe")),
    "habit": _one_of(_HABITS),
    "B": Key(field),
    "temperature_tolerance": Key(temperature),
    "field_tolerance": Key(step),
}
_LAW: Mapping[str, Key] = {"fixed": Key(_fixed), "starts": Key(read_integer), "seed": Key(read_integer)}

RELAXATION: Mapping[str, Mapping[str, Key]] = {
    "fit-ac": {
        **_FILE,
        "waveform": Key(read_flag),
        "period": Key(duration),
        "model": Key(read_text),
        "weights": _one_of(_WEIGHTS),
        "largest_error": Key(read_number),
        "law": Key(read_text),
        "shared": Key(_names),
        **_LAW,
    },
    "fit-decay": {
        **_FILE,
        "model": Key(read_text),
        "equilibrium": Key(read_number),
        "origin": Key(_second),
        "window": Key(_window),
        "square_root": Key(read_flag),
        "largest_error": Key(read_number),
    },
    "fit-rates": {
        "file": Key(read_text, required=True),
        "law": Key(read_text),
        "compare": Key(_names),
        "errors": _one_of(_ERRORS),
        "time": Key(read_text),
        **_LAW,
    },
}
"""The keys of ``[experiment]`` by ``kind``."""
