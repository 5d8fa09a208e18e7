"""Texts such as ``"-0.5 cm^-1"``: a number, a unit, and the factor from that unit to another.

`units` says which quantity is meant; nobody else needs this file.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import numpy as np
import pint

from mesospin import checks
from mesospin.constants import AVOGADRO, K_B, KELVIN_PER_GIGAHERTZ, KELVIN_PER_WAVENUMBER
from mesospin.errors import UnitError

_TEXT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")
_UNIT = re.compile(r"[A-Za-zµμ_ /*^()0-9.+-]{1,40}")
# Spellings of the laboratory that a unit parser does not know, or reads as something else (G, Oe).
_SPELLINGS: Final[dict[str, str]] = {"cm-1": "1/cm", "cm^-1": "1/cm", "m-1": "1/m", "degree": "degree"}


@cache
def _registry() -> pint.UnitRegistry[Any]:
    return pint.UnitRegistry()


def split_text(name: str, value: str, wanted: str) -> tuple[float, str]:
    """Return the number and the unit of a text; ``wanted`` names the unit in messages."""
    match = _TEXT.fullmatch(value)
    if match is None:
        raise UnitError(
            f"{name} must be a number with a unit {wanted}, got {value!r}; write {_example(wanted)}"
        )
    number, unit = float(match.group(1)), match.group(2)
    if not unit:
        raise UnitError(f"{name} must have a unit {wanted}, got {value!r}; write {_example(wanted)}")
    if not np.isfinite(number):
        raise UnitError(f"{name} must be finite {wanted}, got {value!r}; give a smaller number")
    return number, unit


def _example(wanted: str) -> str:
    return _EXAMPLES.get(wanted, '"1 K"')


ENERGY: Final = "[K, cm^-1, meV, GHz]"
FREQUENCY: Final = "[GHz, cm^-1, meV, K]"
_EXAMPLES: Final[dict[str, str]] = {
    ENERGY: '"-0.5 cm^-1" or "0.5 K"',
    FREQUENCY: '"94 GHz"',
    "[T]": '"25 mT"',
    "[T/s]": '"3 mT/s"',
    "[s]": '"20 s"',
    "[K]": '"1.9 K"',
    "[rad]": '"0.6 deg"',
    "[m/s]": '"2000 m/s"',
    "[kg/m3]": '"1830 kg/m^3"',
    "[K/T]": '"1.3 K/T"',
    "[angstrom]": '"3.5 angstrom"',
    "[1/angstrom]": '"1.2 1/angstrom"',
    "[A^3]": '"1630 A^3"',
    "[cm3/mol (cgs), m3/mol (SI)]": '"2e-4 cm3/mol"',
    "[1]": '"1/48"',
    "[mg]": '"12.3 mg"',
    "[g/mol]": '"542.5 g/mol"',
    "[emu/Oe]": '"-1.2e-6 emu/Oe"',
}


@cache
def unit_of_text(text: str) -> pint.Quantity[Any] | None:
    """Return one of a unit, None if the text is not a unit."""
    if _UNIT.fullmatch(text) is None:
        return None
    spelled = _SPELLINGS.get(text, text)
    try:
        return _registry().Quantity(1.0, _registry().parse_units(spelled))
    # A unit parser fed with arbitrary text fails in many ways; all of them mean "not a unit".
    except Exception:  # noqa: BLE001
        return None


def unknown_unit(name: str, unit: str, wanted: str) -> UnitError:
    """Return the error of a text with another unit."""
    return UnitError(f"{name} must have a unit {wanted}, got {unit!r}; write {_example(wanted)}")


@cache
def factor(name: str, text: str, target: str, wanted: str) -> float:
    """Return how many of ``target`` one of a unit is."""
    unit = unit_of_text(text)
    if unit is None or not unit.is_compatible_with(target) or not _is_multiplicative(unit):
        raise unknown_unit(name, text, wanted)
    return float(unit.m_as(target))


def _is_multiplicative(unit: pint.Quantity[Any]) -> bool:
    return bool(unit._is_multiplicative)


def convert(name: str, value: float | str, target: str, wanted: str) -> float:
    """Return a number as it stands, or a text in the unit ``target``."""
    if not isinstance(value, str):
        return checks.finite(name, value, wanted.strip("[]"))
    number, text = split_text(name, value, wanted)
    return number * factor(name, text, target, wanted)


@cache
def energy_factor(name: str, text: str) -> float:
    """Return E/k_B [K] of one of a unit of energy, frequency, wavenumber or temperature."""
    unit = unit_of_text(text)
    if unit is None or not _is_multiplicative(unit):
        raise unknown_unit(name, text, ENERGY)
    if unit.is_compatible_with("kelvin"):
        return float(unit.m_as("kelvin"))
    if unit.is_compatible_with("joule"):
        return float(unit.m_as("joule")) / K_B
    if unit.is_compatible_with("joule/mole"):
        return float(unit.m_as("joule/mole")) / (K_B * AVOGADRO)
    if unit.is_compatible_with("1/cm"):
        return float(unit.m_as("1/cm")) * KELVIN_PER_WAVENUMBER
    # 1/s and rad/s differ from Hz by 2 pi in use though not in dimension, so only hertz is taken.
    if unit.is_compatible_with("hertz") and "hertz" in str(unit.units):
        return float(unit.m_as("gigahertz")) * KELVIN_PER_GIGAHERTZ
    raise unknown_unit(name, text, ENERGY)
