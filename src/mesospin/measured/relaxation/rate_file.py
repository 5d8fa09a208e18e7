"""Relaxation times from any file that holds them: results of fits, files of ccfit2, tables of one's own."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.errors import InputError
from mesospin.measured.relaxation.ccfit2 import read_ccfit2
from mesospin.measured.relaxation.rate_data import rate_data
from mesospin.measured.text_files.lines import number, text_of
from mesospin.units import to_second, to_tesla, to_thermodynamic_kelvin

__all__ = ["read_rates"]

Floats = NDArray[np.float64]

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "T": ("t", "temperature", "temp"),
    "B": ("b", "h", "field", "magneticfield", "mu0h"),
    "tau": ("tau", "relaxationtime", "τ"),
    "tau_error": ("tauerror", "tauerr", "dtau", "sigmatau", "tausdev", "error", "sigma"),
}
_CONVERT: Final[Mapping[str, tuple[str, Callable[[str, str], float]]]] = {
    "T": ("K", to_thermodynamic_kelvin),
    "B": ("T", to_tesla),
    "tau": ("s", to_second),
    "tau_error": ("s", to_second),
}
_HEADING: Final = re.compile(r"(?P<name>[^(\[/]*)(?:[(\[/]\s*(?P<unit>[^)\]]*)[)\]]?)?\s*")
_EXAMPLE: Final = "write for example 'T (K),B (T),tau (s),tau error (s)'"


def read_rates(path: str | Path) -> xr.Dataset:
    r"""Return relaxation times of a text file, for `fit_rates`.

    Parameters
    ----------
    path : str or Path
        A ``_params.csv`` of ccfit2, or a table with headings ``T (K)``, ``B (T)`` (0 if there is none),
        ``tau (s)``, ``tau error (s)`` (or none), in any order, commas, semicolons or tabs between them; lines
        that begin with # are skipped.

    Returns
    -------
    xarray.Dataset
        Kind "relaxation_times".

    Raises
    ------
    InputError
        If the file is neither, a heading or unit is unknown, or a number is none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "tau.csv")
    ...     _ = file.write_text("T (K),H (Oe),tau (ms)\n2,1000,30\n4,1000,2\n")
    ...     times = read_rates(file)
    >>> times.tau.values.tolist(), times.field.values.tolist()
    ([0.03, 0.002], [0.1, 0.1])
    """
    file = Path(path)
    lines = [(count, line) for count, line in enumerate(text_of(file).splitlines(), start=1)]
    lines = [(count, line) for count, line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise InputError(f"{file.name} must hold relaxation times, got nothing; check the file")
    top = lines[0][1]
    if "<ln(" in top:
        return read_ccfit2(file)
    mark = next((mark for mark in (";", "\t", ",") if mark in top), ",")
    columns = _columns(file.name, [cell.strip() for cell in next(csv.reader([top], delimiter=mark))])
    values: dict[str, list[float]] = {name: [] for name in columns}
    for count, line in lines[1:]:
        cells = next(csv.reader([line], delimiter=mark))
        for name, (place, unit) in columns.items():
            values[name].append(_value(file.name, count, name, cells[place : place + 1], unit, mark))
    if not values["T"]:
        raise InputError(f"{file.name} must have rows below its headings, got none; the file is cut off")
    error = values.get("tau_error")
    return rate_data(values["T"], values["tau"], B=values.get("B", 0.0), tau_error=error)


def _columns(file: str, headings: list[str]) -> dict[str, tuple[int, str]]:
    """Return position and unit of every quantity."""
    columns: dict[str, tuple[int, str]] = {}
    for place, heading in enumerate(headings):
        match = _HEADING.fullmatch(heading)
        name = re.sub(r"[\s_.-]", "", match["name"]).lower() if match else ""
        quantity = next((own for own, names in _NAMES.items() if name in names), None)
        if match is None or quantity is None:
            raise InputError(f"{file} must have headings of relaxation times, got {heading!r}; {_EXAMPLE}")
        if quantity in columns:
            raise InputError(f"{file} must have one column for {quantity}, got two; remove {heading!r}")
        columns[quantity] = (place, (match["unit"] or _CONVERT[quantity][0]).strip())
    for quantity in ("T", "tau"):
        if quantity not in columns:
            raise InputError(
                f"{file} must have a column for {quantity}, got {', '.join(headings)}; {_EXAMPLE}"
            )
    return columns


def _value(file: str, line: int, name: str, cell: list[str], unit: str, mark: str) -> float:
    if not cell:
        raise InputError(f"line {line} of {file} must have a number for {name}, got none; complete it")
    try:
        value = number(cell[0], comma=mark != ",")
    except ValueError as error:
        raise InputError(f"line {line} of {file}: {error}; correct or remove it") from None
    return _CONVERT[name][1](f"{value!r} {unit}", f"{name} in line {line} of {file}")
