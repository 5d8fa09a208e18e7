"""Study files: a system, one experiment and its numbers with units, checked before anything runs.

A study is a TOML file::

    title = "The staircase of Mn12-acetate"
    system = "mn12ac"                  # library name, path of a TOML file, or a table in the same schema

    [experiment]
    kind = "hysteresis"
    T = ["0.05 K", "1.5 K", "1.9 K"]
    rate = "3 mT/s"
    span = ["-5 T", "5 T"]

The keys of ``[experiment]`` are the argument names of the public function of that kind.  Several values of
one quantity are a list of texts, or a table ``{ from = "0 T", to = "5 T", points = 501 }``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from mesospin import checks, units
from mesospin.errors import InputError, StudyError
from mesospin.model.environment import DipolarBath
from mesospin.model.library import load, read_toml
from mesospin.model.schema import disorder_from_table, phonons_from_table, system_from_table
from mesospin.model.system import SpinSystem
from mesospin.model.tables import (
    Key,
    Reader,
    list_of,
    pair_of,
    quantity,
    read_integer,
    read_number,
    read_subtable,
    read_table,
    read_text,
    within,
)

__all__ = ["EXPERIMENTS", "PROTOCOLS", "Study", "read_study", "study_from_table"]

_LARGEST_SERIES = 10_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A checked study.

    Parameters
    ----------
    name : str
        Name of the file without ".toml"; also the name of the folder of results.
    title : str
        One line for people.
    system : SpinSystem
        What is studied.
    kind : str
        Which experiment, a key of ``EXPERIMENTS``.
    arguments : read-only mapping
        Keyword arguments of the public function, in the package's units: floats, tuples of floats,
        `Disorder`, `DipolarBath`, `PhononBath`, or ``None`` (an explicit "none").  A key that the file leaves
        out, or sets to "default", is absent.  A protocol is a read-only mapping with its ``kind``.
    path : Path or None
        The file.
    """

    name: str
    title: str
    system: SpinSystem
    kind: str
    arguments: Mapping[str, Any]
    path: Path | None = None


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
    kind, rest = _kind_and_rest(name, value, PROTOCOLS)
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


EXPERIMENTS: Mapping[str, Mapping[str, Key]] = {
    "levels": {"B": Key(_series(_field), required=True), "states": Key(read_integer), **_DIRECTION},
    "crossings": {"span": Key(_field_span, required=True), **_DIRECTION},
    "splitting": {"pair": Key(_pair, required=True), "B": Key(_field), **_DIRECTION},
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

_STUDY: Mapping[str, Key] = {
    "title": Key(read_text),
    "system": Key(lambda _name, value: value, required=True),
    "experiment": Key(read_subtable, required=True),
}


def _kind_and_rest(name: str, value: Any, kinds: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if not isinstance(value, Mapping) or "kind" not in value:
        raise StudyError(
            f"{name} must be a table with the key 'kind', got {value!r}; choose {', '.join(kinds)}"
        )
    kind = checks.one_of(f"{name}.kind", value["kind"], tuple(kinds))
    return kind, {key: entry for key, entry in value.items() if key != "kind"}


def study_from_table(table: Mapping[str, Any], *, name: str, folder: Path | None = None) -> Study:
    """Return the study that a TOML table describes.

    Parameters
    ----------
    table : mapping
        Parsed TOML.
    name : str
        Name of the study.
    folder : Path or None, default None
        Folder from which a relative path of the system is taken.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If a key is unknown, missing or out of range, or a unit is wrong; one sentence that names the key.

    Examples
    --------
    >>> table = {"system": "fe8", "experiment": {"kind": "crossings", "span": ["0 T", "2000 mT"]}}
    >>> study_from_table(table, name="fe8-crossings").arguments["span"]
    (0.0, 2.0)
    """
    parts = within(name, read_table, "study", table, _STUDY, error=StudyError)
    system = within(name, _read_system, parts["system"], name, folder)
    kind, rest = within(name, _kind_and_rest, "experiment", parts["experiment"], EXPERIMENTS)
    given = {key: value for key, value in rest.items() if value != "default"}
    unknown = [key for key in rest if key not in EXPERIMENTS[kind]]
    if unknown:
        hint = checks.nearest(unknown[0], EXPERIMENTS[kind])
        raise StudyError(f"in {name}: experiment must not have the key {unknown[0]!r} for {kind}; {hint}")
    arguments = within(name, read_table, "experiment", given, EXPERIMENTS[kind], error=StudyError)
    title = parts.get("title") or system.title or name
    return Study(name, title, system, kind, MappingProxyType(arguments))


def _read_system(value: Any, name: str, folder: Path | None) -> SpinSystem:
    if isinstance(value, Mapping):
        return system_from_table(value, name=str(value.get("name", name)))
    text = read_text("system", value)
    if ".toml" in text and folder is not None:
        return load(str(folder / text))
    return load(text)


def read_study(path: str | Path) -> Study:
    """Return the study of a TOML file; everything in it is checked, nothing is computed.

    Parameters
    ----------
    path : str or Path
        Path of the file; a relative path of the system inside starts from the file's folder.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If the file cannot be read or an entry is wrong; one sentence that names it.

    Examples
    --------
    >>> read_study("nowhere.toml")
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: nowhere.toml must be a readable file, got none; check the path
    """
    if not isinstance(path, str | Path):
        raise InputError(f"study must be the path of a TOML file, got {path!r}; give a text")
    file = Path(path)
    study = study_from_table(read_toml(file), name=file.stem, folder=file.parent)
    return Study(study.name, study.title, study.system, study.kind, study.arguments, file)
