"""Experiments with photons and neutrons: resonance fields and frequencies, spectra of both."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from mesospin import checks, units
from mesospin.errors import StudyError, UnitError
from mesospin.model.experiments.readers import (
    axis,
    field,
    field_span,
    frequency,
    kind_and_rest,
    series,
    temperature,
)
from mesospin.model.line_shapes import GaussianLine, LineShape, LorentzianLine
from mesospin.model.tables import (
    Key,
    Reader,
    list_of,
    quantity,
    read_flag,
    read_integer,
    read_table,
    read_text,
    within,
)

__all__ = ["LINES", "SPECTROSCOPY", "position", "width_of_absorption"]

LINES: Mapping[str, Callable[[str], LineShape]] = {"gaussian": GaussianLine, "lorentzian": LorentzianLine}
"""The shapes of a line, by ``kind``."""


def width_of_absorption(value: units.Quantity, name: str = "width") -> float:
    """Return the width of a line in field [T] or, where its unit is one of energy, in frequency [GHz].

    Examples
    --------
    >>> width_of_absorption("2 mT"), width_of_absorption("100 MHz")
    (0.002, 0.1)
    """
    for convert in (units.to_tesla, units.to_gigahertz):
        try:
            return convert(value, name)
        except UnitError:
            continue
    raise UnitError(
        f'{name} must have a unit of field [T] or energy [GHz, cm^-1, meV, K], got {value!r}; write "2 mT" '
        'or "100 MHz"'
    )


def _line(convert: Callable[[units.Quantity, str], float], example: str) -> Reader:
    """Return a reader for the shape of a line and its full width at half maximum."""

    def read(name: str, value: Any) -> LineShape:
        kind, rest = kind_and_rest(name, value, LINES)
        parts = read_table(name, rest, {"width": Key(read_text, required=True)}, error=StudyError)
        width = quantity(convert, example)(f"{name}.width", parts["width"])
        checks.positive(f"{name}.width", width)
        return LINES[kind](parts["width"])

    return read


def _microwave(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return checks.one_of(name, value, ("perpendicular", "parallel"))
    return axis(name, value)


def position(name: str, value: Any) -> tuple[float, ...]:
    """Return a position [angstrom]: three numbers and their unit in one text.

    Examples
    --------
    >>> position("positions[0]", "0, 1, 3.5 angstrom")
    (0.0, 1.0, 3.5)
    """
    pieces = value.strip().split(",") if isinstance(value, str) else []
    unit = pieces[-1].split(maxsplit=1)[1:] if len(pieces) == 3 else []
    if not unit:
        raise StudyError(
            f'{name} must be three numbers with a unit [angstrom], got {value!r}; write "0, 0, 3.5 angstrom"'
        )
    numbers = [*pieces[:2], pieces[2].split(maxsplit=1)[0]]
    return tuple(units.to_angstrom(f"{number} {unit[0]}", name) for number in numbers)


def _interference(name: str, value: Any) -> Mapping[str, Any]:
    keys = {
        "Q": Key(quantity(units.to_per_angstrom, "1.2 1/angstrom"), required=True),
        "positions": Key(list_of(position), required=True),
    }
    parts = read_table(name, value, keys, error=StudyError)
    within(name, checks.non_negative, "Q", parts["Q"], "1/angstrom")
    return MappingProxyType(parts)


_energy = quantity(units.to_kelvin, "1.2 meV")
_SAMPLE: Mapping[str, Key] = {"T": Key(series(temperature), required=True), "axis": Key(axis)}
_DRIVEN: Mapping[str, Key] = {**_SAMPLE, "microwave": Key(_microwave), "states": Key(read_integer)}

SPECTROSCOPY: Mapping[str, Mapping[str, Key]] = {
    "resonance-fields": {
        "frequency": Key(frequency, required=True),
        "span": Key(field_span, required=True),
        **_DRIVEN,
        "forbidden": Key(read_flag),
    },
    "resonance-frequencies": {"B": Key(series(field), required=True), **_DRIVEN},
    "epr-spectrum": {
        "B": Key(series(field), required=True),
        "frequency": Key(series(frequency), required=True),
        "line": Key(_line(width_of_absorption, "2 mT"), required=True),
        "powder": Key(read_integer),
        **_DRIVEN,
    },
    "neutron-spectrum": {
        "energy": Key(series(_energy), required=True),
        "line": Key(_line(units.to_kelvin, "0.1 meV"), required=True),
        "interference": Key(_interference),
        "B": Key(field),
        **_SAMPLE,
    },
}
"""The keys of ``[experiment]`` by ``kind``."""
