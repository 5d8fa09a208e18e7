"""The door for quantities with units: a text such as ``"-0.5 cm^-1"`` becomes a float in the package's unit.

Inside the package every quantity is a plain float in one fixed unit (energy E/k_B in K, field in T, time in
s, angle in rad); only this file and `unit_texts` know other units.  A bare number is taken to be in the
package's unit already.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from mesospin import checks
from mesospin.constants import KELVIN_PER_GIGAHERTZ
from mesospin.errors import UnitError
from mesospin.unit_texts import (
    ENERGY,
    FREQUENCY,
    convert,
    energy_factor,
    factor,
    split_text,
    unit_of_text,
    unknown_unit,
)

__all__ = [
    "Quantity",
    "to_angstrom",
    "to_cm3_per_mole",
    "to_cubic_angstrom",
    "to_dimensionless",
    "to_emu_per_oersted",
    "to_gigahertz",
    "to_gram_per_mole",
    "to_kelvin",
    "to_kelvin_per_tesla",
    "to_kg_per_m3",
    "to_metre_per_second",
    "to_milligram",
    "to_per_angstrom",
    "to_radian",
    "to_second",
    "to_tesla",
    "to_tesla_per_second",
    "to_thermodynamic_kelvin",
]

Quantity = float | str
"""A number in the package's unit, or a text with a unit."""

_FIELD_SPELLINGS: Final[dict[str, float]] = {"G": 1e-4, "kG": 0.1, "gauss": 1e-4, "Oe": 1e-4, "kOe": 0.1}


def to_kelvin(value: Quantity, name: str = "energy") -> float:
    """Return an energy as E/k_B.

    Parameters
    ----------
    value : float or str
        A number [K], or a text with a unit of temperature, energy, molar energy, frequency (h f) or
        wavenumber (h c k).
    name : str, default "energy"
        Name of the parameter, for the message.

    Returns
    -------
    float
        Energy [K].

    Raises
    ------
    UnitError
        If the text is not a number with such a unit.
    InputError
        If a number is not finite and real.

    Examples
    --------
    >>> round(to_kelvin("-0.5 cm^-1"), 6), round(to_kelvin("1 GHz"), 7), to_kelvin("6 mK"), to_kelvin(0.548)
    (-0.719388, 0.0479924, 0.006, 0.548)
    """
    if not isinstance(value, str):
        return checks.finite(name, value, "K")
    number, text = split_text(name, value, ENERGY)
    return number * energy_factor(name, text)


def to_gigahertz(value: Quantity, name: str = "frequency") -> float:
    """Return a frequency [GHz], or that of a quantum of some energy, E/h.

    A text may have a unit of frequency, energy, wavenumber or temperature; UnitError if it has another.

    Examples
    --------
    >>> to_gigahertz("94 GHz"), to_gigahertz("0.3 THz"), round(to_gigahertz("1 cm^-1"), 6), to_gigahertz(9.5)
    (94.0, 300.0, 29.979246, 9.5)
    """
    if not isinstance(value, str):
        return checks.finite(name, value, "GHz")
    number, text = split_text(name, value, FREQUENCY)
    unit = unit_of_text(text)
    if unit is not None and "hertz" in str(unit.units) and unit.is_compatible_with("hertz"):
        return number * float(unit.m_as("gigahertz"))
    try:
        return number * energy_factor(name, text) / KELVIN_PER_GIGAHERTZ
    except UnitError:
        raise unknown_unit(name, text, FREQUENCY) from None


def to_thermodynamic_kelvin(value: Quantity, name: str = "T") -> float:
    """Return a temperature [K]; only kelvin and its multiples are read.

    Examples
    --------
    >>> to_thermodynamic_kelvin("50 mK")
    0.05
    """
    return convert(name, value, "kelvin", "[K]")


def to_tesla(value: Quantity, name: str = "B") -> float:
    """Return a magnetic field [T]; gauss and oersted are read as 1e-4 T.

    Examples
    --------
    >>> to_tesla("25 mT"), to_tesla("10 kOe")
    (0.025, 1.0)
    """
    if isinstance(value, str):
        number, text = split_text(name, value, "[T]")
        if text in _FIELD_SPELLINGS:
            return number * _FIELD_SPELLINGS[text]
    return convert(name, value, "tesla", "[T]")


def to_tesla_per_second(value: Quantity, name: str = "rate") -> float:
    """Return a sweep rate [T/s].

    Examples
    --------
    >>> to_tesla_per_second("3 mT/s"), to_tesla_per_second("60 Oe/s")
    (0.003, 0.006)
    """
    if isinstance(value, str):
        number, text = split_text(name, value, "[T/s]")
        field, slash, time = text.partition("/")
        if slash and field.strip() in _FIELD_SPELLINGS:
            return number * _FIELD_SPELLINGS[field.strip()] * factor(name, f"1/{time}", "1/second", "[T/s]")
    return convert(name, value, "tesla/second", "[T/s]")


def to_kelvin_per_second(value: Quantity, name: str = "rate") -> float:
    """Return a sweep rate of the temperature [K/s].

    Examples
    --------
    >>> to_kelvin_per_second("3 K/min")
    0.05
    """
    return convert(name, value, "kelvin/second", "[K/s]")


def to_hertz(value: Quantity, name: str = "frequency") -> float:
    """Return a frequency [Hz].

    Examples
    --------
    >>> to_hertz("1.5 kHz")
    1500.0
    """
    return convert(name, value, "hertz", "[Hz]")


def to_second(value: Quantity, name: str = "time") -> float:
    """Return a time [s].

    Examples
    --------
    >>> to_second("2 ms")
    0.002
    """
    return convert(name, value, "second", "[s]")


def to_radian(value: Quantity, name: str = "angle") -> float:
    """Return an angle [rad].

    Examples
    --------
    >>> round(to_radian("0.6 deg"), 8)
    0.01047198
    """
    return convert(name, value, "radian", "[rad]")


def to_metre_per_second(value: Quantity, name: str = "sound_speed") -> float:
    """Return a speed [m/s].

    Examples
    --------
    >>> to_metre_per_second("2.3e5 cm/s")
    2300.0
    """
    return convert(name, value, "metre/second", "[m/s]")


def to_kg_per_m3(value: Quantity, name: str = "density") -> float:
    """Return a mass density [kg/m3].

    Examples
    --------
    >>> round(to_kg_per_m3("1.83 g/cm^3"), 9)
    1830.0
    """
    return convert(name, value, "kilogram/metre**3", "[kg/m3]")


def to_kelvin_per_tesla(value: Quantity, name: str = "slope") -> float:
    """Return a slope of an energy against field [K/T].

    Examples
    --------
    >>> to_kelvin_per_tesla("1.3 K/T")
    1.3
    """
    return convert(name, value, "kelvin/tesla", "[K/T]")


def to_cubic_angstrom(value: Quantity, name: str = "volume") -> float:
    """Return a volume [A^3, cubic angstrom].

    Examples
    --------
    >>> to_cubic_angstrom("1630 A^3"), round(to_cubic_angstrom("1.63 nm^3"), 9)
    (1630.0, 1630.0)
    """
    if isinstance(value, str):
        number, text = split_text(name, value, "[A^3]")
        if text in ("A^3", "A3", "Å^3", "Å3"):
            return number
    return convert(name, value, "angstrom**3", "[A^3]")


_MOLAR: Final = "[cm3/mol (cgs), m3/mol (SI)]"
_CGS: Final = ("cm3/mol", "cm^3/mol", "emu/mol")
_SI: Final = ("m3/mol", "m^3/mol")


def to_cm3_per_mole(value: Quantity, name: str = "chi") -> float:
    """Return a molar susceptibility [cm3/mol, cgs].

    cm3/mol (also written emu/mol) is read as cgs, m3/mol as SI; any other unit is refused.

    Examples
    --------
    >>> to_cm3_per_mole("2e-4 cm3/mol"), round(to_cm3_per_mole("2.5133e-9 m3/mol"), 8)
    (0.0002, 0.0002)
    """
    if not isinstance(value, str):
        return checks.finite(name, value, "cm3/mol")
    number, text = split_text(name, value, _MOLAR)
    if text not in _CGS + _SI:
        raise unknown_unit(name, text, _MOLAR)
    return number if text in _CGS else number * 1e6 / (4.0 * np.pi)


def to_milligram(value: Quantity, name: str = "mass") -> float:
    """Return a mass [mg].

    Examples
    --------
    >>> to_milligram("12.3 mg"), to_milligram("0.0125 g"), to_milligram(7.2)
    (12.3, 12.5, 7.2)
    """
    return convert(name, value, "milligram", "[mg]")


def to_gram_per_mole(value: Quantity, name: str = "molar_mass") -> float:
    """Return a molar mass [g/mol].

    Examples
    --------
    >>> to_gram_per_mole("542.5 g/mol"), to_gram_per_mole("0.5 kg/mol")
    (542.5, 500.0)
    """
    return convert(name, value, "gram/mole", "[g/mol]")


def to_emu_per_oersted(value: Quantity, name: str = "chi") -> float:
    """Return the susceptibility of a body [emu/Oe = cm3, cgs]; m3 is read as SI.

    Examples
    --------
    >>> to_emu_per_oersted("-1.2e-6 emu/Oe"), round(to_emu_per_oersted("1e-12 m3"), 10)
    (-1.2e-06, 7.96e-08)
    """
    if not isinstance(value, str):
        return checks.finite(name, value, "emu/Oe")
    number, text = split_text(name, value, "[emu/Oe]")
    if text not in _BODY_SPELLINGS:
        raise unknown_unit(name, text, "[emu/Oe]")
    return number * _BODY_SPELLINGS[text]


_BODY_SPELLINGS: Final[dict[str, float]] = {
    **dict.fromkeys(("emu/Oe", "emu/G", "cm3", "cm^3"), 1.0),
    **dict.fromkeys(("m3", "m^3"), 1e6 / (4.0 * np.pi)),
}


def to_angstrom(value: Quantity, name: str = "distance") -> float:
    """Return a distance [angstrom].

    Examples
    --------
    >>> round(to_angstrom("0.35 nm"), 12)
    3.5
    """
    return convert(name, value, "angstrom", "[angstrom]")


def to_per_angstrom(value: Quantity, name: str = "Q") -> float:
    """Return a momentum transfer [1/angstrom].

    Examples
    --------
    >>> round(to_per_angstrom("12 1/nm"), 12)
    1.2
    """
    return convert(name, value, "1/angstrom", "[1/angstrom]")


_RATIO = re.compile(r"\s*([+-]?[0-9.eE+-]+?)\s*(?:/\s*([0-9.eE+-]+))?\s*")


def to_dimensionless(value: Quantity, name: str = "number") -> float:
    """Return a pure number; a text may be a ratio or a percentage.

    Examples
    --------
    >>> to_dimensionless("1/4"), to_dimensionless("12.5 %"), to_dimensionless(2)
    (0.25, 0.125, 2.0)
    """
    if not isinstance(value, str):
        return checks.finite(name, value)
    text, scale = (value.rstrip()[:-1], 0.01) if value.rstrip().endswith("%") else (value, 1.0)
    match = _RATIO.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        return checks.finite(name, scale * float(match.group(1)) / float(match.group(2) or 1.0))
    except (ValueError, ZeroDivisionError):
        raise UnitError(
            f'{name} must be a pure number, got {value!r}; write for example 0.5, "1/2" or "50 %"'
        ) from None
