"""Measured data as CSV files whose header says what every column is and in which unit.

One line of names, ``quantity (unit)``, then rows of numbers; lines that begin with ``#`` are remarks:

====================  ===========================================================
temperature           ``T (K)``
field                 ``B (T)``, ``B (mT)``, ``H (Oe)``
susceptibility        ``chiT (cm3 K/mol)``, ``chi (cm3/mol)``, ``chiT (m3 K/mol)``, ``chi (m3/mol)``
magnetisation         ``M (mu_B)``, ``M (emu/mol)``, ``M (A m2/mol)``
heat capacity         ``C (J/(mol K))``, ``C (R)``
resonance             ``frequency (GHz)``, with ``lower`` and ``upper``
uncertainty           ``sigma``, in the unit of the values
====================  ===========================================================
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import nearest
from mesospin.errors import InputError, UnitError
from mesospin.measured.data import (
    Data,
    HeatCapacityData,
    MagnetisationData,
    SusceptibilityData,
)
from mesospin.measured.spectral_data import ResonanceData

Floats = NDArray[np.float64]

_FIELDS = {"B (T)": 1.0, "B (mT)": 1e-3, "H (Oe)": 1e-4}
_CHI = {
    "chiT (cm3 K/mol)": ("chi_t", "cgs"),
    "chi (cm3/mol)": ("chi", "cgs"),
    "chiT (m3 K/mol)": ("chi_t", "SI"),
    "chi (m3/mol)": ("chi", "SI"),
}
_MOMENT = {f"M ({unit})": unit for unit in ("mu_B", "emu/mol", "A m2/mol")}
_HEAT = {f"C ({unit})": unit for unit in ("J/(mol K)", "R")}
_FREQUENCY = "frequency (GHz)"
_VALUES = (*_CHI, *_MOMENT, *_HEAT, _FREQUENCY)
_KNOWN = ("T (K)", *_FIELDS, *_VALUES, "lower", "upper", "sigma")


def read_csv(
    path: str | Path,
    *,
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
    powder, axis, label, weight
        As for `SusceptibilityData`.

    Raises
    ------
    UnitError
        If a column has no unit or an unknown one.
    InputError
        If the file is not such a table, or its columns do not make one kind of data.

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
    columns = _columns(Path(path))
    found = [name for name in columns if name in _VALUES]
    if len(found) != 1:
        raise InputError(
            f"{Path(path).name} must have exactly one column of values ({', '.join(_VALUES)}), got "
            f"{', '.join(found) or 'none'}; give one file for each"
        )
    value = found[0]
    fields = [columns[name] * factor for name, factor in _FIELDS.items() if name in columns]
    if len(fields) > 1:
        raise InputError(
            f"{Path(path).name} must have one column of fields, got {len(fields)}; drop the others"
        )
    options: dict[str, Any] = {"sigma": columns.get("sigma"), "weight": weight}
    if label is not None:
        options["label"] = label
    if value == _FREQUENCY:
        return _resonances(columns, fields, axis, options)
    if "T (K)" not in columns:
        raise InputError(f"{Path(path).name} must have the column 'T (K)', got {', '.join(columns)}; add it")
    options |= {"powder": powder, "axis": axis}
    T, y = columns["T (K)"], columns[value]
    if value in _MOMENT:
        if not fields:
            raise InputError(
                f"{Path(path).name} must have a column of fields beside M, got none; add 'B (T)'"
            )
        return MagnetisationData(T, fields[0], y, unit=_MOMENT[value], **options)
    B = fields[0] if fields else np.zeros(1)
    if value in _HEAT:
        return HeatCapacityData(T, y, unit=_HEAT[value], B=B, **options)
    argument, unit = _CHI[value]
    options[argument] = y
    return SusceptibilityData(T, unit=unit, B=B, **options)


def write_csv(data: Data, path: str | Path) -> Path:
    """Write a data set as a CSV file that `read_csv` reads back.

    Raises
    ------
    InputError
        If the set is of a kind that has no such table, or the file cannot be written.
    """
    columns: dict[str, Floats] = {}
    if isinstance(data, SusceptibilityData):
        name = "chiT (cm3 K/mol)" if data.times_T else "chi (cm3/mol)"
        columns = {"T (K)": data.T, "B (T)": data.B, name: data.values}
    elif isinstance(data, MagnetisationData):
        columns = {"T (K)": data.T, "B (T)": data.B, "M (mu_B)": data.values}
    elif isinstance(data, HeatCapacityData):
        columns = {"T (K)": data.T, "B (T)": data.B, "C (J/(mol K))": data.values}
    elif isinstance(data, ResonanceData) and data.sigma_field is None:
        columns = {"B (T)": data.B, _FREQUENCY: data.values}
        if data.pairs is not None:
            lower, upper = data.pairs.astype(np.float64).T
            columns |= {"lower": lower, "upper": upper}
    else:
        raise InputError(f"data must be thermal data or resonances with sigma in GHz, got {data.label!r}")
    if data.sigma is not None:
        columns["sigma"] = data.sigma
    rows = np.stack([np.asarray(column) for column in columns.values()], axis=1).tolist()
    target = Path(path)
    try:
        with target.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([[repr(entry) for entry in row] for row in rows])
    except OSError as error:
        raise InputError(f"{str(target)!r} could not be written: {error}") from None
    return target


def _resonances(
    columns: dict[str, Floats], fields: list[Floats], axis: Sequence[float] | None, options: dict[str, Any]
) -> ResonanceData:
    if not fields:
        raise InputError("a table of resonances must have a column of fields, got none; add 'B (T)'")
    levels = None
    if "lower" in columns and "upper" in columns:
        both = np.stack([columns["lower"], columns["upper"]], axis=1)
        levels = np.round(both).astype(np.int64)
        if not np.array_equal(levels, both):
            raise InputError("lower and upper must be whole numbers, counted from 0; correct the table")
    direction = (0.0, 0.0, 1.0) if axis is None else axis
    build: Callable[..., ResonanceData] = ResonanceData
    return build(columns[_FREQUENCY], fields[0], levels=levels, axis=direction, **options)


def _columns(file: Path) -> dict[str, Floats]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{str(file)!r} could not be read as text: {error}") from None
    rows = [row for row in csv.reader(line for line in lines if not line.startswith("#")) if any(row)]
    if len(rows) < 2:
        raise InputError(f"{file.name} must have a line of names and rows of numbers, got {len(rows)} lines")
    names = [name.strip() for name in rows[0]]
    for name in names:
        if name not in _KNOWN:
            raise UnitError(
                f"{file.name} must have columns named as 'quantity (unit)', got {name!r}; "
                f"{nearest(name, _KNOWN)}"
            )
    if len(set(names)) < len(names):
        raise InputError(f"{file.name} must name every column once, got {', '.join(names)}; rename one")
    if any(len(row) != len(names) for row in rows):
        raise InputError(f"{file.name} must have {len(names)} entries in every row; complete the rows")
    try:
        table = np.array([[float(entry) for entry in row] for row in rows[1:]])
    except ValueError as error:
        raise InputError(
            f"{file.name} must hold numbers below its header: {error}; correct that row"
        ) from None
    return dict(zip(names, table.T, strict=True))
