"""Measured data as CSV files whose header says what every column is and in which unit.

One line of names, ``quantity (unit)``, then rows of numbers; lines that begin with ``#`` are remarks:

====================  ===========================================================
temperature           ``T (K)``, ``T (mK)``
field                 ``B (T)``, ``B (mT)``, ``H (Oe)``, ``H (kOe)``
susceptibility        ``chiT (cm3 K/mol)``, ``chi (cm3/mol)``, ``chiT (m3 K/mol)``, ``chi (m3/mol)``
magnetisation         ``M (mu_B)``, ``M (emu/mol)``, ``M (A m2/mol)``
heat capacity         ``C (J/(mol K))``, ``C (R)``
resonance             ``frequency (GHz)``, with ``lower`` and ``upper``, and ``sigma_B (T)`` for fields
levels                ``energy (K)``, ``(cm^-1)``, ``(meV)`` or ``(GHz)``, with ``level``
uncertainty           ``sigma``, in the unit of the values
====================  ===========================================================

Other spellings (``Temperature [K]``, ``chi_m T / cm^3 K mol^-1``) are understood.  Columns are kept apart by
commas, semicolons or tabs; with the latter two the decimal sign may be a comma.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, instance_of
from mesospin.errors import InputError
from mesospin.measured.data import (
    Data,
    HeatCapacityData,
    MagnetisationData,
    SusceptibilityData,
    ThermalData,
)
from mesospin.measured.spectral_data import LevelData, ResonanceData
from mesospin.measured.text_files.headers import Heading, read_heading, read_unit
from mesospin.measured.text_files.lines import number, text_of, write_text

Floats = NDArray[np.float64]

_TESLA = {"T": 1.0, "mT": 1e-3, "Oe": 1e-4, "kOe": 0.1, "G": 1e-4, "kG": 0.1}
_KELVIN = {"K": 1.0, "mK": 1e-3}
_GIGAHERTZ = {"GHz": 1.0, "MHz": 1e-3}
_SYSTEMS = {"cm3": "cgs", "m3": "SI"}
_VALUES = ("chiT", "chi", "M", "C", "frequency", "energy")


def read_csv(
    path: str | Path,
    *,
    B: float | Sequence[float] | None = None,
    sigma: ArrayLike | None = None,
    powder: int | None = None,
    axis: Sequence[float] | None = None,
    label: str | None = None,
    weight: float = 1.0,
) -> Data:
    r"""Return the data set of a CSV file; its header decides the kind.

    Parameters
    ----------
    path : str or Path
        A file as the module describes it.
    B : float, optional [T]
        Field of susceptibilities, moments or heat capacities that have no such column.
    sigma : float or array-like, optional
        Standard deviation in the unit of the file, where it has no such column.
    powder, axis, label, weight
        As for `SusceptibilityData`.

    Raises
    ------
    UnitError
        If a column has no unit or an unknown one.
    InputError
        If the file is not such a table (the sentence names the line), its columns do not make one kind
        of data, its field is not known, or sigma or B are given twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "m.csv")
    ...     _ = file.write_text("T (K),H (Oe),M (mu_B)\n2.0,10000,1.5\n2.0,20000,1.9\n")
    ...     data = read_csv(file, powder=26)
    >>> data.quantity, data.fields
    ('magnetisation', array([1., 2.]))
    """
    table = _read(Path(path))
    found = [name for name in _VALUES if name in table.columns]
    if len(found) != 1:
        raise InputError(
            f"{table.file} must have exactly one column of values ({', '.join(_VALUES)}), got "
            f"{', '.join(found) or 'none'}; give one file for each"
        )
    options: dict[str, Any] = {"sigma": _sigma(table, found[0], sigma), "weight": weight}
    if label is not None:
        options["label"] = label
    build = _THERMAL.get(found[0])
    if B is not None:
        table = table.in_field(B, spectral=build is None)
    if build is not None:
        table.require("T", "T (K)")
        if "B" not in table.columns:
            raise InputError(
                f"{table.file} must have the column 'B (T)', or B must be given [T], got neither; add the "
                "column or write B=0.1, or B=0 for the limit of small fields"
            )
        return build(table, options | {"powder": powder, "axis": axis})
    return _SPECTRAL[found[0]](table, options | ({} if axis is None else {"axis": axis}))


def write_csv(data: Data | Sequence[Data], path: str | Path) -> Path:
    """Write data sets of one kind as one CSV file that `read_csv` reads back as one set.

    Raises
    ------
    InputError
        If there is none or they are of several kinds, some have sigma and some not, levels belong to several
        fields, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> data = MagnetisationData(2.0, [1.0, 2.0], [1.2, 1.9], powder=26)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(write_csv(data, Path(folder, "m.csv")).read_text().splitlines()[1])
    2.0,1.0,1.2
    """
    sets = (data,) if isinstance(data, Data) else tuple(data)
    if not sets:
        raise InputError("data must be at least one set, got none; give what is to be written")
    parts = [_columns(entry) for entry in sets]
    if any(list(part) != list(parts[0]) for part in parts):
        headings = "; ".join(", ".join(part) for part in parts)
        raise InputError(f"data must be sets with the same columns, got {headings}; write more files")
    rows = [row for part in parts for row in zip(*(c.tolist() for c in part.values()), strict=True)]
    lines = [",".join(parts[0]), *(",".join(repr(entry) for entry in row) for row in rows)]
    return write_text(path, "\n".join(lines) + "\n")


def _columns(data: Data) -> dict[str, NDArray[Any]]:
    """Return the columns of a set by their headings."""
    instance_of("data", data, Data, hint="give SusceptibilityData(...) or a sequence of such sets")
    columns: dict[str, NDArray[Any]] = {}
    if isinstance(data, ThermalData):
        names = {"chi": f"{'chiT' if data.unit == 'cm3 K/mol' else 'chi'} ({data.unit})"}
        names |= {"M": "M (mu_B)", "C": "C (J/(mol K))"}
        kind = {"susceptibility": "chi", "magnetisation": "M", "heat capacity": "C"}[data.quantity]
        columns = {"T (K)": data.T, "B (T)": data.B, names[kind]: data.values}
    elif isinstance(data, ResonanceData):
        columns = {"B (T)": data.B, "frequency (GHz)": data.values}
        if data.pairs is not None:
            lower, upper = data.pairs.T
            columns |= {"lower": lower, "upper": upper}
        if data.sigma_field is not None:
            columns["sigma_B (T)"] = data.sigma_field
    elif isinstance(data, LevelData):
        columns = {"B (T)": data.fields, "level": data.levels, "energy (K)": data.values}
    if data.sigma is not None and np.any(data.sigma):
        columns["sigma"] = data.sigma
    return columns


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """The columns of a file by quantity, and their units."""

    file: str
    columns: Mapping[str, Floats]
    units: Mapping[str, str]

    def require(self, quantity: str, heading: str) -> Floats:
        if quantity not in self.columns:
            raise InputError(
                f"{self.file} must have the column {heading!r}, got {', '.join(self.columns)}; add it"
            )
        return self.columns[quantity]

    def in_field(self, B: float | Sequence[float], *, spectral: bool) -> _Table:
        """Return the table with a column of one field [T] that the file does not have."""
        if spectral or "B" in self.columns:
            raise InputError(f"B must be a column of {self.file} or given, not both, got {B!r}; drop one")
        field = np.atleast_1d(finite_array("B", B, "T"))
        if field.size != 1:
            raise InputError(f"B must be one field for {self.file}, got {field.size}; write it as a column")
        rows = len(next(iter(self.columns.values())))
        column = {"B": np.full(rows, float(field[0]))}
        return _Table(self.file, {**self.columns, **column}, {**self.units, "B": "T"})

    def fields(self) -> Floats:
        """Return the fields [T], or zero where the file has none."""
        if "B" not in self.columns:
            return np.zeros(1)
        return self.columns["B"] * _TESLA[self.units["B"]]

    def temperatures(self) -> Floats:
        return self.columns["T"] * _KELVIN[self.units["T"]]

    def whole(self, quantity: str) -> NDArray[np.int64]:
        found = np.round(self.columns[quantity]).astype(np.int64)
        if not np.array_equal(found, self.columns[quantity]):
            raise InputError(f"{self.file} must give {quantity} as whole numbers, counted from 0; correct it")
        return found


def _susceptibilities(table: _Table, options: dict[str, Any]) -> Data:
    quantity = "chiT" if "chiT" in table.columns else "chi"
    system = _SYSTEMS[table.units[quantity].split("/")[0].split()[0]]
    options["chi_t" if quantity == "chiT" else "chi"] = table.columns[quantity]
    return SusceptibilityData(table.temperatures(), unit=system, B=table.fields(), **options)


def _magnetisations(table: _Table, options: dict[str, Any]) -> Data:
    unit = table.units["M"]
    return MagnetisationData(table.temperatures(), table.fields(), table.columns["M"], unit=unit, **options)


def _heat_capacities(table: _Table, options: dict[str, Any]) -> Data:
    unit = table.units["C"]
    return HeatCapacityData(table.temperatures(), table.columns["C"], unit=unit, B=table.fields(), **options)


def _resonances(table: _Table, options: dict[str, Any]) -> Data:
    table.require("B", "B (T)")
    factor = _GIGAHERTZ[table.units["frequency"]]
    if "sigma_B" in table.columns:
        options["sigma_field"] = table.columns["sigma_B"] * _TESLA[table.units["sigma_B"]]
    if options["sigma"] is not None:
        options["sigma"] = np.asarray(options["sigma"]) * factor
    if "lower" in table.columns and "upper" in table.columns:
        options["levels"] = np.stack([table.whole("lower"), table.whole("upper")], axis=1)
    return ResonanceData(table.columns["frequency"] * factor, table.fields(), **options)


def _levels(table: _Table, options: dict[str, Any]) -> Data:
    fields = table.fields()
    if np.any(fields != fields[0]):
        raise InputError(f"{table.file} must give levels at one field, got several; write one file for each")
    levels = table.whole("level").tolist() if "level" in table.columns else None
    unit = table.units["energy"]
    return LevelData(table.columns["energy"], levels, unit=unit, B=float(fields[0]), **options)


_Build = Callable[[_Table, dict[str, Any]], Data]
_THERMAL: Mapping[str, _Build] = {
    "chiT": _susceptibilities, "chi": _susceptibilities, "M": _magnetisations, "C": _heat_capacities,
}  # fmt: skip
_SPECTRAL: Mapping[str, _Build] = {"frequency": _resonances, "energy": _levels}


def _sigma(table: _Table, quantity: str, given: ArrayLike | None) -> ArrayLike | None:
    if "sigma" not in table.columns:
        return given
    if given is not None:
        raise InputError(f"sigma must not be given beside the column 'sigma' of {table.file}; drop one")
    unit = table.units["sigma"]
    if unit and read_unit(quantity, unit, table.file) != table.units[quantity]:
        raise InputError(
            f"{table.file} must give sigma in the unit of its values, {table.units[quantity]}, got {unit!r}; "
            "convert it"
        )
    return table.columns["sigma"]


def _read(file: Path) -> _Table:
    lines = [
        (count, line)
        for count, line in enumerate(text_of(file).splitlines(), start=1)
        if line.strip(" \t,;") and not line.lstrip().startswith("#")
    ]
    if len(lines) < 2:
        raise InputError(
            f"{file.name} must have a line of names and rows of numbers, got {len(lines)} lines; complete it"
        )
    delimiter = next((mark for mark in ";\t" if mark in lines[0][1]), ",")
    texts = [entry.strip() for entry in _split(lines[0][1], delimiter)]
    headings = [read_heading(entry, file.name) for entry in texts]
    quantities = [heading.quantity for heading in headings]
    if len(set(quantities)) < len(quantities):
        raise InputError(f"{file.name} must have every column once, got {', '.join(texts)}; drop one")
    rows = [_row(file.name, count, line, delimiter, headings) for count, line in lines[1:]]
    columns = dict(zip(quantities, np.array(rows).T, strict=True))
    return _Table(file.name, columns, {heading.quantity: heading.unit for heading in headings})


def _row(file: str, count: int, line: str, delimiter: str, headings: list[Heading]) -> list[float]:
    entries = _split(line, delimiter)
    while len(entries) > len(headings) and not entries[-1].strip():  # a delimiter at the end of the line
        entries.pop()
    if len(entries) != len(headings):
        commas = delimiter == "," and len(entries) > len(headings)
        raise InputError(
            f"line {count} of {file} must have {len(headings)} entries, got {len(entries)}; "
            + ("a decimal comma needs ';' between columns" if commas else "complete it")
        )
    try:
        return [number(entry, comma=delimiter != ",") for entry in entries]
    except ValueError as error:
        raise InputError(f"line {count} of {file} must hold numbers, got {line!r}: {error}") from None


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter))
