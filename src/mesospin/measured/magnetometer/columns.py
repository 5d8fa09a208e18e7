"""Which column of a magnetometer's table holds what, and in which unit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import pi
from typing import Final

from mesospin.errors import InputError

__all__ = ["Column", "Columns", "find_columns", "headings_known"]

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("timestamp", "time", "t"),
    "temperature": ("temperature", "temp", "sampletemperature", "t"),
    "field": ("magneticfield", "field", "dcfield", "appliedfield", "h", "b", "hdc", "bdc", "mu0h"),
    "frequency": ("acfrequency", "wavefrequency", "frequency", "freq", "f", "nu", "omega"),
    "drive": ("acdrive", "driveamplitude", "amplitude", "acfield", "acamplitude", "drive", "hac"),
    "chi_real": ("acx'", "m'", "chi'", "x'", "chim'", "xm'", "acchi'", "chireal", "chire", "rechi"),
    "chi_imag": (
        "acx''", "m''", "chi''", "x''", "chim''", "xm''", "acchi''", "chiimag", "chiim", "imchi",
    ),
    "chi_real_error": (
        "acx'stderr", "m'scanstddev", "m'stddev", "chi'error", "chi'err", "chi'stderr", "sigmachi'",
        "chirealerror",
    ),
    "chi_imag_error": (
        "acx''stderr", "m''scanstddev", "m''stddev", "chi''error", "chi''err", "chi''stderr", "sigmachi''",
        "chiimagerror",
    ),
    "free_moment": ("dcmomentfreectr",),
    "fixed_moment": ("dcmomentfixedctr",),
    "dc_moment": ("dcmoment", "longmoment", "mdc"),
    "moment": ("moment", "magnetisation", "magnetization", "m"),
    "free_moment_error": ("dcmomenterrfreectr",),
    "fixed_moment_error": ("dcmomenterrfixedctr",),
    "dc_moment_error": ("dcmomenterr", "dcstderr", "longscanstddev", "mstddev"),
    "moment_error": ("mstderr", "momenterror", "momenterr", "momentstderr", "sigmam", "merror"),
}  # fmt: skip

#: Units by quantity: how they are written without blanks and marks, what the number is of, and the factor.
_Units = Mapping[str, tuple[str, float]]
_FIELD: Final[_Units] = {
    "Oe": ("", 1e-4), "kOe": ("", 0.1), "G": ("", 1e-4), "kG": ("", 0.1), "T": ("", 1.0), "mT": ("", 1e-3),
    "uT": ("", 1e-6), "tesla": ("", 1.0), "gauss": ("", 1e-4),
    "A/m": ("", 4e-7 * pi), "kA/m": ("", 4e-4 * pi),
}  # fmt: skip
_PER_MOLE: Final = ("emu/mol", "cm3/mol", "emu/mol/Oe", "emu/Oe/mol", "emu/molOe", "emu/Oemol", "emumol-1",
                    "cm3mol-1", "emuOe-1mol-1", "emumol-1Oe-1")  # fmt: skip
_PER_GRAM: Final = ("emu/g", "cm3/g", "emu/g/Oe", "emu/Oe/g", "emu/gOe", "emu/Oeg", "cm3g-1", "emug-1Oe-1")
_CHI: Final[_Units] = {
    "emu": ("drive", 1.0), "Am2": ("drive", 1e3),
    "emu/Oe": ("sample", 1.0), "emuOe-1": ("sample", 1.0), "cm3": ("sample", 1.0),
    "m3": ("sample", 1e6 / (4 * pi)),
    **dict.fromkeys(_PER_MOLE, ("mole", 1.0)), **dict.fromkeys(_PER_GRAM, ("gram", 1.0)),
    **dict.fromkeys(("m3/mol", "m3mol-1"), ("mole", 1e6 / (4 * pi))),
    **dict.fromkeys(("m3/kg", "m3kg-1"), ("gram", 1e3 / (4 * pi))),
}  # fmt: skip
_MOMENT: Final[_Units] = {
    "emu": ("sample", 1.0), "memu": ("sample", 1e-3), "uemu": ("sample", 1e-6), "Am2": ("sample", 1e3),
    "erg/G": ("sample", 1.0), "J/T": ("sample", 1e3),
    **dict.fromkeys(("emu/mol", "emumol-1"), ("mole", 1.0)),
    **dict.fromkeys(("emu/g", "emug-1"), ("gram", 1.0)),
    **dict.fromkeys(("Am2/mol", "Am2mol-1"), ("mole", 1e3)),
    **dict.fromkeys(("Am2/kg", "Am2kg-1"), ("gram", 1.0)),
    **dict.fromkeys(("muB", "muB/f.u.", "muB/fu", "Nbeta", "NAmuB", "NmuB"), ("magneton", 1.0)),
}  # fmt: skip
_UNITS: Final[Mapping[str, _Units]] = {
    "time": {
        **dict.fromkeys(("s", "sec", "secs", "seconds", "second"), ("", 1.0)), "ms": ("", 1e-3),
        **dict.fromkeys(("min", "minutes"), ("", 60.0)), **dict.fromkeys(("h", "hr", "hours"), ("", 3600.0)),
    },
    "temperature": {"K": ("", 1.0), "mK": ("", 1e-3), "kelvin": ("", 1.0)},
    "field": _FIELD,
    "drive": _FIELD,
    "frequency": {
        "Hz": ("", 1.0), "mHz": ("", 1e-3), "kHz": ("", 1e3), "s-1": ("", 1.0), "1/s": ("", 1.0),
        "rad/s": ("", 1 / (2 * pi)), "rads-1": ("", 1 / (2 * pi)),
    },
    "chi_real": _CHI,
    "chi_imag": _CHI,
    "chi_real_error": _CHI,
    "chi_imag_error": _CHI,
    "moment": _MOMENT,
}  # fmt: skip
_MARKS: Final = str.maketrans({
    **dict.fromkeys("’‘′`´ʹ‵", "'"), **dict.fromkeys("”“″„\"\ufffdʺ", "''"), "χ": "chi", "Χ": "chi",
    "ω": "omega", "ν": "nu", "μ": "mu", "µ": "mu", "σ": "sigma", "β": "beta", "³": "3", "²": "2",
    "⁻": "-", "¹": "1", "−": "-", "₀": "0", "Ω": "omega", "\u00a0": " ", "\u200b": "", "\ufeff": "",
})  # fmt: skip
_BRACKETS: Final = re.compile(
    r"(?P<name>.*?)\s*(?:\((?P<round>[^()]*(?:\([^()]*\)[^()]*)*)\)|\[(?P<square>[^\[\]]*)\])\s*"
)
_SLASH: Final = re.compile(r"(?P<name>[^/]+?)\s*/\s*(?P<unit>.+?)\s*")


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is read."""

    position: int
    heading: str
    spelling: str
    basis: str
    """What the number is of: "" for fields and the like, "sample", "mole", "gram", "magneton", or "drive": a
    moment that is to be divided by the drive."""
    factor: float
    """To s, K, T, Hz, emu, emu/Oe, cm3/mol, emu/mol, cm3/g, emu/g."""


Columns = Mapping[str, Column]
_NONE: Final = Column(-1, "", "", "", 1.0)


def headings_known(names: Sequence[str]) -> int:
    """Return how many headings name a quantity of a magnetometer."""
    return sum(bool(_candidates(name)) for name in names)


def find_columns(file: str, names: Sequence[str]) -> dict[str, Column]:
    """Return the columns that are read, by quantity.

    Parameters
    ----------
    file : str
        Name of the file, for the message.
    names : sequence of str
        Headings, ``name (unit)``.

    Raises
    ------
    InputError
        If two columns have the same heading.

    Examples
    --------
    >>> find_columns("a.dat", ["Field (Oe)", "m' (emu)"])["chi_real"].basis
    'drive'
    """
    found: dict[str, tuple[int, Column]] = {}
    for position, name in enumerate(names):
        for quantity, (rank, basis, factor) in _candidates(name).items():
            column = Column(position, name, _NAMES[quantity][rank], basis, factor)
            if quantity not in found or rank < found[quantity][0]:
                found[quantity] = (rank, column)
            elif rank == found[quantity][0]:
                raise InputError(
                    f"{file} must have one column for {quantity}, got {found[quantity][1].heading!r} and "
                    f"{name!r}; drop or rename one"
                )
    columns = {quantity: column for quantity, (_, column) in found.items()}
    if columns.get("chi_real", _NONE).spelling == "m'":
        # Beside m' and m'' the instruments print the amplitude of the ac moment as "Moment (emu)".
        for quantity in ("moment", "moment_error"):
            columns.pop(quantity, None)
    return columns


@lru_cache(maxsize=2000)
def _candidates(heading: str) -> dict[str, tuple[int, str, float]]:
    """Return the quantities that a heading may name: rank of the spelling, basis, factor."""
    text = _plain(heading)
    match = _BRACKETS.fullmatch(text) or _SLASH.fullmatch(text)
    groups = match.groupdict() if match else {}
    name = groups.get("name") or ""
    unit = groups.get("round") or groups.get("square") or groups.get("unit") or ""
    if match is None:
        name = text
    key = re.sub(r"[\s_.,\-^]+", "", name).lower()
    found = {}
    for quantity, spellings in _NAMES.items():
        if key in spellings:
            meaning = _meaning(quantity, unit, key)
            if meaning is not None:
                found[quantity] = (spellings.index(key), *meaning)
    return found


def _meaning(quantity: str, unit: str, key: str) -> tuple[str, float] | None:
    """Return basis and factor of a unit, None if the quantity has no such unit."""
    units = _UNITS["moment" if "moment" in quantity else quantity]
    spelled = re.sub(r"[\s^*·.()\\{}$_]+", "", unit)
    if not spelled:
        # Written without a unit by the instruments: the clock, and deviations in the unit of their value.
        if quantity.endswith("_error"):
            return "value", 1.0
        return ("", 1.0) if quantity == "time" and key != "t" else None
    own = {re.sub(r"[.]", "", name): meaning for name, meaning in units.items()}
    if spelled in own:
        return own[spelled]
    lowered = {name.lower(): meaning for name, meaning in own.items() if name not in ("mHz", "mT", "mK")}
    found = lowered.get(spelled.lower()) if not spelled.startswith("M") else None
    if (
        found is not None
        and quantity.startswith("chi")
        and quantity.endswith("error")
        and found[0] == "drive"
    ):
        return "value", 1.0
    return found


def _plain(text: str) -> str:
    """Return a heading with its mojibake undone and its quotes and Greek letters in one spelling."""
    return _repaired(text).translate(_MARKS)


def _repaired(text: str) -> str:
    """Undo UTF-8 that was read as cp1252 or latin-1."""
    if text.isascii():
        return text
    raw = bytearray()
    for letter in text:
        try:
            raw += letter.encode("cp1252")
        except UnicodeEncodeError:
            if ord(letter) > 0xFF:
                return text
            raw.append(ord(letter))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        # cp1252 that was read as latin-1: its quotes are then control characters.
        return raw.decode("cp1252", errors="replace") if any(0x80 <= ord(x) < 0xA0 for x in text) else text
