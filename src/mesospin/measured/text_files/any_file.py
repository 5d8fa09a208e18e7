"""Measured data from files of any kind that is understood, told by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import nearest, one_of
from mesospin.errors import InputError, UnitError
from mesospin.measured.data import CHI_UNITS, HEAT_UNITS, MOMENT_UNITS, Data
from mesospin.measured.spectral_data import ResonanceData
from mesospin.measured.text_files.csv_files import read_csv
from mesospin.measured.text_files.headers import read_unit
from mesospin.measured.text_files.phi import read_phi
from mesospin.units import to_kelvin, to_tesla

Floats = NDArray[np.float64]
_AnyData = TypeVar("_AnyData", bound=Data)

FORMATS = ("csv", "phi")
_ENDINGS = {"_sus.exp": "phi", "_mag.exp": "phi", ".csv": "csv", ".txt": "csv", ".tsv": "csv"}
_TEXT = re.compile(r"\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\s*([^\W\d].*?|%)\s*")
_FIELD = re.compile(r"m?T|k?Oe|k?G")
#: Names in headings, of quantities by the unit that they have in the package.
_QUANTITIES = {
    "cm3 K/mol": "chiT", "cm3/mol": "chi", "mu_B": "M", "J/(mol K)": "C", "GHz": "frequency", "K": "energy",
}  # fmt: skip
_FACTORS = {
    "cm3 K/mol": 1.0, "m3 K/mol": CHI_UNITS["SI"], "cm3/mol": 1.0, "m3/mol": CHI_UNITS["SI"], "GHz": 1.0,
    "MHz": 1e-3, **MOMENT_UNITS, **HEAT_UNITS,
}  # fmt: skip


def read_data(
    path: str | Path,
    *,
    format: str | None = None,
    B: float | Sequence[float] | None = None,
    T: float | Sequence[float] | None = None,
    sigma: str | Sequence[str] | None = None,
    powder: int | None = None,
    axis: Sequence[float] | None = None,
    label: str | None = None,
    weight: float = 1.0,
) -> tuple[Data, ...]:
    r"""Return the data sets of a file: one of a CSV file, one for each column of a PHI table.

    Parameters
    ----------
    path : str or Path
        ``*_sus.exp`` or ``*_mag.exp`` of PHI; ``*.csv``, ``*.txt`` or ``*.tsv`` with a header.
    format : {"csv", "phi"}, optional
        Where the name does not say it.
    B, T : float or sequence of float [T], [K]
        What the columns of a table of PHI belong to, as for `read_phi`; B also the one field of a CSV file
        that has no such column.
    sigma : str or several, optional
        Standard deviation of values without such a column, with its unit: ``"0.01 cm3 K/mol"``, ``"2 %"`` of
        every value, ``"1 mT"`` for the fields of resonances.  Of several the first that fits is taken.
    powder, axis, weight
        As for `SusceptibilityData`.
    label : str, optional
        Name of the set; that of the file if omitted.

    Raises
    ------
    UnitError
        If a column has no unit, or sigma has none or another one than the values.
    InputError
        If the file cannot be read; one sentence that names the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "m.csv")
    ...     _ = file.write_text("T (K);H (Oe);M (mu_B)\n2,0;10000;1,5\n2,0;20000;1,9\n")
    ...     (data,) = read_data(file, powder=26, sigma="2 %")
    >>> data.label, data.values, data.sigma
    ('m', array([1.5, 1.9]), array([0.03 , 0.038]))
    """
    file = Path(path)
    kind = _format(file) if format is None else one_of("format", format, FORMATS)
    name = label or re.sub(r"(_sus|_mag)?\.\w+$", "", file.name)
    sets: tuple[Data, ...]
    if kind == "phi":
        sets = read_phi(file, B=B, T=T, powder=powder, axis=axis, label=name, weight=weight)
    elif T is not None:
        raise InputError(f"T must be a column of {file.name}, got {T!r} as well; drop it")
    else:
        sets = (read_csv(file, B=B, powder=powder, axis=axis, label=name, weight=weight),)
    if sigma is None:
        return sets
    if not isinstance(sigma, list | tuple):
        return tuple(_with_sigma(entry, sigma) for entry in sets)
    return tuple(_with_first(entry, sigma) for entry in sets)


def _format(file: Path) -> str:
    for ending, kind in _ENDINGS.items():
        if file.name.lower().endswith(ending):
            return kind
    raise InputError(
        f"data must be a file that ends in {', '.join(_ENDINGS)}, got {file.name!r}; "
        f"{nearest(file.suffix, _ENDINGS)}, or say its format"
    )


def _with_first(data: _AnyData, texts: Sequence[str]) -> _AnyData:
    """Return the data with the first sigma whose unit is theirs; what they have of their own stays."""
    if data.sigma is not None:
        return data
    for text in texts:
        unit = _split(text)[1]
        if unit == "%" or _fits(data, unit):
            return _with_sigma(data, text)
    return data


def _with_sigma(data: _AnyData, text: object) -> _AnyData:
    """Return the data with a standard deviation."""
    if data.sigma is not None:
        raise InputError(f"sigma must not be given beside the one that {data.label!r} has; drop one")
    number, unit = _split(text)
    count = len(data.values)
    if not number > 0.0:
        raise InputError(f"sigma must be above 0, got {text!r}; leave points without weight out")
    if isinstance(data, ResonanceData) and _FIELD.fullmatch(unit):
        spread = np.full(count, to_tesla(f"{number!r} {unit}", "sigma"))
        return data.replace(sigma=np.zeros(count), sigma_field=spread)
    if unit == "%":
        if not np.all(data.values):
            raise InputError(f"sigma must be above 0 for every point, got {text!r} of 0; give it with a unit")
        return data.replace(sigma=0.01 * number * np.abs(data.values))
    own = read_unit(_QUANTITIES[data.unit], unit, f"sigma of {data.label}")
    if data.unit == "K":
        return data.replace(sigma=np.full(count, to_kelvin(f"{number!r} {own}", "sigma")))
    return data.replace(sigma=np.full(count, number * _FACTORS[own]))


def _fits(data: Data, unit: str) -> bool:
    if isinstance(data, ResonanceData) and _FIELD.fullmatch(unit):
        return True
    try:
        read_unit(_QUANTITIES[data.unit], unit, "sigma")
    except UnitError:
        return False
    return True


def _split(text: object) -> tuple[float, str]:
    match = _TEXT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise UnitError(
            f"sigma must be a number with its unit, got {text!r}; write for example '0.01 cm3 K/mol' or '2 %'"
        )
    return float(match.group(1)), match.group(2)
