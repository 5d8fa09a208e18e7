"""Experiments in thermal equilibrium: moments, susceptibilities, heat and torque."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mesospin import units
from mesospin.errors import StudyError
from mesospin.model.experiments.readers import angle, axis, field, series, temperature
from mesospin.model.tables import (
    Key,
    Reader,
    list_of,
    quantity,
    read_flag,
    read_integer,
    read_number,
    read_table,
)

__all__ = ["EQUILIBRIUM"]


def _factor(name: str, value: Any) -> Any:
    """Return one demagnetising factor or three."""
    return list_of(read_number)(name, value) if isinstance(value, list) else read_number(name, value)


_energy = quantity(units.to_kelvin, "-0.05 cm^-1")
_volume = quantity(units.to_cubic_angstrom, "1630 A^3")
_molar = quantity(units.to_cm3_per_mole, "2e-4 cm3/mol")


def _parts(keys: Mapping[str, Key]) -> Reader:
    """Return a reader for a table of keys; gives a mapping that cannot be changed."""

    def read(name: str, value: Any) -> Mapping[str, Any]:
        return MappingProxyType(read_table(name, value, keys, error=StudyError))

    return read


_ACTING_BACK: Mapping[str, Key] = {
    "mean_field": Key(
        _parts({"zJ": Key(_energy, required=True), "g": Key(read_number), "crystallites": Key(read_flag)})
    ),
    "demagnetisation": Key(
        _parts({"factor": Key(_factor, required=True), "volume": Key(_volume, required=True)})
    ),
}
_CONDITIONS: Mapping[str, Key] = {
    "T": Key(series(temperature), required=True),
    "B": Key(series(field), required=True),
    "axis": Key(axis),
    **_ACTING_BACK,
}
_SAMPLE: Mapping[str, Key] = {**_CONDITIONS, "powder": Key(read_integer)}
_TIP: Mapping[str, Key] = {"tip": Key(_molar)}

EQUILIBRIUM: Mapping[str, Mapping[str, Key]] = {
    "magnetisation": {**_SAMPLE, **_TIP},
    "susceptibility": {**_SAMPLE, "B": Key(series(field)), **_TIP},
    "heat-capacity": _SAMPLE,
    "entropy": _SAMPLE,
    "free-energy": _SAMPLE,
    "torque": {**_CONDITIONS, "towards": Key(axis), "angle": Key(series(angle))},
}
"""The keys of ``[experiment]`` by ``kind``."""
