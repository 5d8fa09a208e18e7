"""What the heading of a column says: a quantity and its unit, in the spellings of laboratories."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mesospin.checks import nearest
from mesospin.errors import InputError, UnitError

#: Quantities, and how their names are written without blanks and marks.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "T": ("t", "temperature", "temp"),
    "B": ("b", "h", "field", "magneticfield", "mu0h"),
    "chiT": ("chit", "chimt", "xt", "xmt"),
    "chi": ("chi", "chim", "susceptibility", "molarsusceptibility"),
    "M": ("m", "magnetisation", "magnetization", "moment"),
    "C": ("c", "cp", "cm", "cmag", "heatcapacity"),
    "frequency": ("frequency", "freq", "nu"),
    "energy": ("energy", "e"),
    "level": ("level",),
    "lower": ("lower",),
    "upper": ("upper",),
    "sigma": ("sigma", "error", "err", "uncertainty"),
    "sigma_B": ("sigmab", "sigmafield", "sigmah"),
}
_FIELD = {"T": ("t",), "mT": ("mt",), "Oe": ("oe",), "kOe": ("koe",), "G": ("g",), "kG": ("kg",)}
_PER_MOLE = ("/mol", "mol-1")
#: Units of every quantity, and how they are written without blanks, brackets and marks.
_UNITS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "T": {"K": ("k",), "mK": ("mk",)},
    "B": _FIELD,
    "sigma_B": _FIELD,
    "chiT": {
        "cm3 K/mol": tuple(f"{c}{k}" for c in ("cm3", "emu") for k in ("k/mol", "kmol-1", "mol-1k", "/molk")),
        "m3 K/mol": ("m3k/mol", "m3kmol-1", "m3mol-1k"),
    },
    "chi": {
        "cm3/mol": (*(f"{c}{k}" for c in ("cm3", "emu") for k in _PER_MOLE), "emu/moloe", "emu/oe/mol"),
        "m3/mol": tuple(f"m3{k}" for k in _PER_MOLE),
    },
    "M": {
        "mu_B": ("mub", "nbeta", "nabeta", "nmub", "namub", "mub/fu"),
        "emu/mol": tuple(f"emu{k}" for k in _PER_MOLE),
        "A m2/mol": tuple(f"am2{k}" for k in _PER_MOLE),
    },
    "C": {
        "J/(mol K)": ("j/molk", "j/kmol", "j/mol/k", "j/k/mol", "jmol-1k-1", "jk-1mol-1"),
        "R": ("r",),
    },
    "frequency": {"GHz": ("ghz",), "MHz": ("mhz",)},
    "energy": {"K": ("k",), "cm^-1": ("cm-1", "1/cm"), "meV": ("mev",), "GHz": ("ghz",)},
}
_UNITLESS = ("level", "lower", "upper", "sigma")
_MARKS = {"χ": "chi", "μ": "mu", "µ": "mu", "β": "beta", "ν": "nu", "σ": "sigma", "³": "3", "²": "2"} | {
    "⁻": "-", "¹": "1", "₀": "0", "₂": "2"
}  # fmt: skip
_BRACKETS = re.compile(r"(?P<name>.*?)\s*[(\[](?P<unit>.*)[)\]]\s*")
_SLASH = re.compile(r"(?P<name>[^/]+?)\s*/\s*(?P<unit>.+?)\s*")


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column.

    Parameters
    ----------
    quantity : str
        "T", "B", "chiT", "chi", "M", "C", "frequency", "energy", "level", "lower", "upper", "sigma" or
        "sigma_B".
    unit : str
        Empty where the quantity has none; of "sigma" what is written.
    """

    quantity: str
    unit: str


def read_heading(text: str, file: str) -> Heading:
    """Return what a heading says.

    Raises
    ------
    UnitError
        If it has no unit or another one than its quantity may have.
    InputError
        If its quantity is unknown.

    Examples
    --------
    >>> read_heading("T (K)", "a.csv"), read_heading("chi_m*T / cm^3 K mol^-1", "a.csv").unit
    (Heading(quantity='T', unit='K'), 'cm3 K/mol')
    """
    match = _BRACKETS.fullmatch(text) or _SLASH.fullmatch(text)
    name, unit = (match["name"], match["unit"]) if match else (text, "")
    found = [key for key, spellings in _NAMES.items() if _plain(name) in spellings]
    if not found:
        known = [f"{key} ({example_unit(key)})" if key in _UNITS else key for key in _NAMES]
        raise InputError(
            f"{file} must have columns named as 'quantity (unit)', got {text!r}; {nearest(text, known)}"
        )
    quantity = found[0]
    if quantity in _UNITLESS:
        return Heading(quantity, unit)
    if not unit:
        raise UnitError(
            f"{file} must have columns named as 'quantity (unit)', got {text!r}; write "
            f"'{quantity} ({example_unit(quantity)})' or another of its units"
        )
    return Heading(quantity, read_unit(quantity, unit, file))


def read_unit(quantity: str, unit: str, file: str) -> str:
    """Return the unit of a quantity in the spelling of this package.

    Raises
    ------
    UnitError
        If the quantity is not given in that unit.

    Examples
    --------
    >>> read_unit("M", "Nβ", "a.csv")
    'mu_B'
    """
    for own, spellings in _UNITS[quantity].items():
        if _plain(unit) in spellings:
            return own
    raise UnitError(
        f"{file} must give {quantity} in {' or '.join(_UNITS[quantity])}, got {unit!r}; convert it and "
        "correct the heading"
    )


def example_unit(quantity: str) -> str:
    """Return the first unit of a quantity."""
    return next(iter(_UNITS[quantity]))


def _plain(text: str) -> str:
    """Return a text without blanks, brackets and marks, in small letters."""
    for mark, plain in _MARKS.items():
        text = text.replace(mark, plain)
    return re.sub(r"[\s_^*·.()\[\]{}\\]", "", text).lower()
