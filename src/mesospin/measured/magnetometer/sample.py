"""The sample in a magnetometer: its amount, and what is not to be counted as its paramagnetism."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from mesospin.checks import non_negative, one_of, positive
from mesospin.errors import InputError, UnitError
from mesospin.units import Quantity, to_cm3_per_mole, to_emu_per_oersted, to_gram_per_mole, to_milligram

__all__ = ["EICOSANE_DIAMAGNETISM", "EICOSANE_MOLAR_MASS", "HABITS", "Sample", "sample_of"]

EICOSANE_MOLAR_MASS: Final = 282.55
"""Of C20H42 [g/mol]."""
EICOSANE_DIAMAGNETISM: Final = -(20 * 6.00 + 42 * 2.93) * 1e-6
"""Of C20H42 from Pascal's constants [cm3/mol] (Bain and Berry, J. Chem. Educ. 85, 532 (2008))."""

HABITS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "names": {"mass": ("SAMPLE_MASS", "WEIGHT"), "molar_mass": ("SAMPLE_MOLECULAR_WEIGHT",)},
    "eicosane": {
        "mass": ("SAMPLE_MASS", "WEIGHT"),
        "molar_mass": ("SAMPLE_MOLECULAR_WEIGHT", "LENGTH"),
        "eicosane_mass": ("SAMPLE_VOLUME", "AREA"),
        "diamagnetism": ("SAMPLE_SIZE", "SHAPE"),
    },
}
"""Fields of a header that hold what the names say, and in laboratories that embed samples in eicosane."""

_READERS: Final[Mapping[str, Callable[[Quantity, str], float]]] = {
    "mass": to_milligram,
    "molar_mass": to_gram_per_mole,
    "eicosane_mass": to_milligram,
    "diamagnetism": to_cm3_per_mole,
    "holder": to_emu_per_oersted,
}
_UNITS: Final = {
    "mass": "mg", "molar_mass": "g/mol", "eicosane_mass": "mg", "diamagnetism": "cm3/mol", "holder": "emu/Oe",
}  # fmt: skip
_BARE: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Sample:
    """Amount and background of a sample; 0 where something is not there, None where it is not known."""

    mass: float | None
    """[mg]"""
    molar_mass: float | None
    """[g/mol]"""
    diamagnetism: float
    """Of the molecule [cm3/mol]."""
    eicosane_mass: float
    """[mg]"""
    holder: float
    """Susceptibility of the empty holder [emu/Oe]."""
    origin: Mapping[str, str]
    """Where each was found: "given", or the field of the header."""

    @property
    def amount(self) -> float | None:
        """Amount of substance [mol]."""
        if self.mass is None or self.molar_mass is None:
            return None
        return self.mass / 1000.0 / self.molar_mass

    @property
    def corrected(self) -> bool:
        """Whether anything is subtracted."""
        return any((self.diamagnetism, self.eicosane_mass, self.holder))

    @property
    def background(self) -> float:
        """Susceptibility of all that is subtracted [emu/Oe]."""
        eicosane = self.eicosane_mass / 1000.0 / EICOSANE_MOLAR_MASS * EICOSANE_DIAMAGNETISM
        return self.holder + eicosane + self.diamagnetism * (self.amount or 0.0)

    def account(self) -> dict[str, object]:
        """Return everything by its name with its unit."""
        known = {name: getattr(self, name) for name in _READERS if name in self.origin}
        return {
            name: {"value": value, "unit": _UNITS[name], "from": self.origin[name]}
            for name, value in known.items()
        }


def sample_of(
    file: str,
    fields: Mapping[str, str],
    given: Mapping[str, Quantity | None],
    habit: str | Mapping[str, str],
) -> Sample:
    """Return the sample from what is given and, for the rest, from a header.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    fields : mapping
        Entries of the header.
    given : mapping
        By name; None where the header is asked.
    habit : str or mapping
        Which field holds what: a name in `HABITS` or a mapping from quantity to field.

    Raises
    ------
    UnitError
        If a text has no such unit.
    InputError
        If a mass is not positive, a diamagnetism positive, or it is given without the amount.
    """
    chosen: dict[str, tuple[str, ...]]
    if isinstance(habit, str):
        chosen = dict(HABITS[one_of("habit", habit, tuple(HABITS))])
    else:
        unknown = [name for name in habit if name not in _READERS]
        if unknown:
            raise InputError(
                f"habit must map {', '.join(_READERS)} to fields of the header, got {unknown[0]!r}"
            )
        chosen = {name: (field,) for name, field in habit.items()}
    values: dict[str, float] = {}
    origin: dict[str, str] = {}
    for name, read in _READERS.items():
        wanted = given.get(name)
        if wanted is not None:
            values[name], origin[name] = read(wanted, name), "given"
            continue
        for field in chosen.get(name, ()):
            found = _from_header(fields.get(field, ""), name, read)
            if found:
                values[name], origin[name] = found, f"header, {field}"
                break
    return _checked(file, values, origin)


def _from_header(text: str, name: str, read: Callable[[Quantity, str], float]) -> float | None:
    """Return what a field says; None for an empty one, a zero, or a text that is no such quantity."""
    entry = text.strip()
    try:
        return read(float(entry), name) if _BARE.fullmatch(entry) else read(entry, name)
    except UnitError:
        return None


def _checked(file: str, values: Mapping[str, float], origin: Mapping[str, str]) -> Sample:
    for name in ("mass", "molar_mass"):
        if name in values:
            positive(f"{name} of {file} ({origin[name]})", values[name], _UNITS[name])
    non_negative(f"eicosane_mass of {file}", values.get("eicosane_mass", 0.0), "mg")
    diamagnetism = values.get("diamagnetism", 0.0)
    if diamagnetism > 0.0:
        raise InputError(
            f"diamagnetism of {file} ({origin['diamagnetism']}) must be zero or negative [cm3/mol], got "
            f"{diamagnetism:g}; change its sign"
        )
    sample = Sample(
        values.get("mass"), values.get("molar_mass"), diamagnetism, values.get("eicosane_mass", 0.0),
        values.get("holder", 0.0), dict(origin),
    )  # fmt: skip
    return sample
