"""Files of magnetometers as data: MPMS3, MPMS XL, PPMS, and tables of one's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from mesospin.checks import instance_of, non_negative, one_of
from mesospin.errors import InputError
from mesospin.measured.magnetometer.columns import Column, find_columns, headings_known
from mesospin.measured.magnetometer.dat_file import Top, read_rows, read_top
from mesospin.measured.magnetometer.header import Header, read_header
from mesospin.measured.magnetometer.isotherms import FIELD_TOLERANCE, TEMPERATURE_TOLERANCE, group_points
from mesospin.measured.magnetometer.points import Points, Table, points_of
from mesospin.measured.magnetometer.sample import Sample, sample_of
from mesospin.results import account, variable
from mesospin.units import Quantity, to_tesla

__all__ = ["read_magnetometer"]

_MEASUREMENTS: Final = ("ac", "dc", "vsm", "waveform")
_MOMENTS: Final = ("free_moment", "fixed_moment", "dc_moment", "moment")
_LABELS: Final = {
    "time": "time stamp", "temperature": "temperature", "field": "field",
    "frequency": "frequency of the drive", "drive": "amplitude of the drive",
    "chi_real": "in-phase susceptibility", "chi_imag": "out-of-phase susceptibility",
    "chi_real_error": "standard deviation of chi'", "chi_imag_error": "standard deviation of chi''",
    "moment": "moment", "moment_error": "standard deviation", "magnetisation": "moment of a formula unit",
}  # fmt: skip
_UNITS: Final = {
    "time": "s", "temperature": "K", "field": "T", "frequency": "Hz", "drive": "T", "magnetisation": "mu_B",
}  # fmt: skip


def read_magnetometer(
    path: str | Path,
    *,
    mass: Quantity | None = None,
    molar_mass: Quantity | None = None,
    diamagnetism: Quantity | None = None,
    eicosane_mass: Quantity | None = None,
    holder: Quantity | None = None,
    habit: str | Mapping[str, str] = "names",
    measurement: str | None = None,
    B: Quantity | None = None,
    drive: Quantity | None = None,
    centre: str = "free",
    temperature_tolerance: float = TEMPERATURE_TOLERANCE,
    field_tolerance: float = FIELD_TOLERANCE,
    marker: str = "[Data]",
) -> xr.Dataset:
    r"""Return what a magnetometer has measured: ac susceptibilities, moments, or both.

    Read are files of the MPMS3, the MPMS XL and the PPMS (ACMS, VSM) and tables of one's own whose headings
    say quantity and unit (``T (K)``, ``B (T)`` or ``H (Oe)``, ``f (Hz)``, ``chi' (cm3/mol)``,
    ``chi'' (cm3/mol)``, ``M (emu)``, ``time (s)``), in UTF-8, UTF-16, cp1252 or latin-1, with columns kept
    apart by commas, semicolons, tabs or blanks; but for commas, the decimal sign may be one.

    Parameters
    ----------
    path : str or Path
    mass : float or str [mg], optional
        Of the sample; else from the header (SAMPLE_MASS, WEIGHT).
    molar_mass : float or str [g/mol], optional
        Else from the header (SAMPLE_MOLECULAR_WEIGHT).
    diamagnetism : float or str [cm3/mol], optional
        Molar susceptibility of the closed shells, zero or negative; subtracted.
    eicosane_mass : float or str [mg], optional
        Of the eicosane around the sample; its susceptibility from Pascal's constants is subtracted.
    holder : float or str [emu/Oe], optional
        Susceptibility of the empty holder; subtracted.
    habit : {"names", "eicosane"} or mapping, default "names"
        Which fields of the header are read for what is not given.  "eicosane": also what some laboratories
        put elsewhere, eicosane in SAMPLE_VOLUME or AREA, molar mass in LENGTH, diamagnetism in SAMPLE_SIZE or
        SHAPE.  A mapping is of one's own, ``{"eicosane_mass": "AREA"}``.  Numbers without a unit are in mg,
        g/mol and cm3/mol; zeros and blanks count as not said.
    measurement : {"ac", "dc", "vsm", "waveform"}, optional
        Keep only these rows.  "waveform" is a moment in a field that is switched to and fro; nothing in the
        file tells it from other moments.
    B, drive : float or str [T], optional
        Constant field and amplitude of the drive, where the file has no such column.
    centre : {"free", "fixed"}, default "free"
        Which moment of an MPMS3 scan is taken.
    temperature_tolerance, field_tolerance : float [K], [T]
        Points no farther from their neighbour make one isotherm, which is at most twice as wide.
    marker : str, default "[Data]"
        Line below which the table stands, if the file has one.

    Returns
    -------
    xarray.Dataset
        Kind "magnetometer".  For every ``point`` (kept row, in the order of the file): ``measurement``,
        ``row`` (line of the file), ``time`` [s], ``temperature`` [K], ``field`` [T], ``frequency`` [Hz],
        ``drive`` [T], ``chi_real`` and ``chi_imag`` with ``_error`` [cm3/mol where the amount is known, else
        emu/Oe], ``moment`` with ``_error`` [emu; mu_B where the file says it per formula unit and the amount
        is unknown], ``magnetisation`` [mu_B per formula unit], ``isotherm_of``; NaN for what a row has not.
        For every ``isotherm``, of one measurement: mean ``isotherm_temperature`` and ``isotherm_field``.  For
        every row that is ``dropped``: ``dropped_row`` and ``dropped_reason``.  Attributes ``source``,
        ``instrument``, ``encoding``, ``sample``, ``corrections``, ``columns``, ``header``.

    Raises
    ------
    UnitError
        If a text has no such unit.
    InputError
        If the file is no such table, a column is missing, or no row can be used.
    TooLargeError
        If the file is larger than 2 GB or its numbers do not fit in memory; it has not been read then.

    Notes
    -----
    A moment m is corrected to m - (holder + n_eicosane chi_eicosane + n chi_dia) H, and chi' likewise; chi''
    is not.  A moment in emu in an ac column is divided by the drive.  Deviations of zero, which the
    instruments print when a point was measured once, count as unknown.

    Kept are negative chi'' and points measured again.  Dropped, and reported, are rows that repeat another
    letter by letter, that are cut off, or that lack a temperature, a field, or both a complete susceptibility
    and a moment.

    Examples
    --------
    >>> import tempfile
    >>> rows = ["T (K),H (Oe),f (Hz),chi' (cm3/mol),chi'' (cm3/mol)", "2,1000,10,1.5,0.2", "2,1000,100,0.7,"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "ac.csv")
    ...     _ = file.write_text("\n".join(rows))
    ...     data = read_magnetometer(file)
    >>> data.field.values, data.dropped_reason.values.tolist()
    (array([0.1]), ["chi'' is blank"])
    """
    instance_of("path", path, str, Path, hint="give the name of a file")
    instance_of("marker", marker, str, hint='write "[Data]"')
    if measurement is not None:
        one_of("measurement", measurement, _MEASUREMENTS)
    one_of("centre", centre, ("free", "fixed"))
    tolerances = {
        "temperature_tolerance": non_negative("temperature_tolerance", temperature_tolerance, "K"),
        "field_tolerance": non_negative("field_tolerance", field_tolerance, "T"),
    }
    file = Path(path)
    top = read_top(file, marker, headings_known)
    header = read_header(top.header)
    sample = sample_of(
        file.name,
        header.fields,
        {
            "mass": mass, "molar_mass": molar_mass, "diamagnetism": diamagnetism,
            "eicosane_mass": eicosane_mass, "holder": holder,
        },
        habit,
    )  # fmt: skip
    given = {
        name: to_tesla(value, label)
        for name, label, value in (("field", "B", B), ("drive", "drive", drive))
        if value is not None
    }
    columns = _columns(file.name, top, given)
    rows = read_rows(file, top, [column.position for column in columns.values()])
    table = Table(file.name, rows, columns, given)
    vsm = any(word in header.instrument for word in ("VSM", "MPMS3"))
    points = points_of(table, sample, vsm=vsm, centre=centre, measurement=measurement)
    if not len(points.row):
        raise _nothing(file.name, points)
    inputs = {"measurement": measurement, "centre": centre, "marker": marker, **given, **tolerances}
    attrs = _attributes(file.name, top, header, sample, columns)
    return _dataset(points, tolerances, inputs).assign_attrs(attrs)


def _columns(file: str, top: Top, given: Mapping[str, float]) -> dict[str, Column]:
    """Return the columns that are read, checked to be enough."""
    columns = find_columns(file, top.names)
    for name in given:
        if name in columns:
            label = "B" if name == "field" else name
            raise InputError(
                f"{label} must not be given beside the column {columns[name].heading!r} of {file}; drop it"
            )
    shown = ", ".join(name for name in top.names if name)
    shown = shown if len(shown) < 300 else shown[:300] + " ..."
    missing = [name for name in ("temperature", "field") if name not in columns and name not in given]
    ac = [name for name in ("chi_real", "chi_imag", "frequency") if name not in columns]
    if not ac and "drive" not in given and "drive" not in columns:
        ac = ["drive"] if any(columns[name].basis == "drive" for name in ("chi_real", "chi_imag")) else []
    if ac and not any(name in columns for name in _MOMENTS):
        missing += ["moment"] if len(ac) == 3 else ac
    if missing:
        wanted = " and ".join(_MISSING[name] for name in missing)
        raise InputError(f"{file} must have a column for {wanted}, got {shown!r}; add it with its unit")
    return columns


_MISSING: Final = {
    "temperature": "the temperature, 'Temperature (K)',",
    "field": "the field, 'Field (Oe)' (or give B),",
    "chi_real": "chi', \"AC X' (emu/Oe)\",",
    "chi_imag": "chi'', \"AC X'' (emu/Oe)\",",
    "frequency": "the frequency, 'AC Frequency (Hz)',",
    "drive": "the drive, 'AC Drive (Oe)' (or give drive),",
    "moment": "a moment, 'Moment (emu)', or for chi', chi'' and frequency",
}


def _nothing(file: str, points: Points) -> InputError:
    if not points.dropped:
        return InputError(f"{file} must have rows below its headings, got none; the file is cut off")
    row, reason = points.dropped[0]
    return InputError(
        f"{file} must hold at least one measurement, got {len(points.dropped)} rows of which none can be "
        f"used, the first (line {row}) for this: {reason}; correct the file"
    )


def _attributes(
    file: str, top: Top, header: Header, sample: Sample, columns: Mapping[str, Column]
) -> dict[str, str]:
    subtracted = [
        name for name in ("diamagnetism", "eicosane_mass", "holder") if getattr(sample, name) != 0.0
    ]
    return {
        "source": file,
        "instrument": header.instrument,
        "encoding": top.encoding,
        "sample": json.dumps(sample.account(), sort_keys=True),
        "corrections": json.dumps(subtracted),
        "columns": json.dumps({name: column.heading for name, column in columns.items()}),
        "header": json.dumps(dict(header.fields)),
    }


def _dataset(points: Points, tolerances: Mapping[str, float], inputs: Mapping[str, object]) -> xr.Dataset:
    columns = points.columns
    group, count = np.full(len(points.row), -1, dtype=np.int64), 0
    for kind in _MEASUREMENTS:
        own = np.flatnonzero(points.kind == kind)
        B = columns["field"][own]
        numbers = group_points(
            columns["temperature"][own], 0.0 * B if kind == "waveform" else B, **tolerances
        )
        group[own] = count + numbers
        count += int(numbers.max(initial=-1)) + 1
    units = _UNITS | dict.fromkeys(("moment", "moment_error"), points.moment_unit)
    variables = {
        name: variable("point", values, units.get(name, points.chi_unit), _LABELS[name])
        for name, values in columns.items()
    }
    variables["measurement"] = variable("point", points.kind, "1", "kind of measurement")
    variables["row"] = variable("point", points.row, "1", "line of the file")
    variables["isotherm_of"] = variable("point", group, "1", "number of the isotherm, -1 for none")
    for name in ("temperature", "field"):
        means = np.bincount(group, weights=columns[name]) / np.bincount(group)
        variables[f"isotherm_{name}"] = variable(
            "isotherm", means, _UNITS[name], f"mean {name} of the isotherm"
        )
    lines = np.array([row for row, _ in points.dropped], dtype=np.int64)
    reasons = np.array([reason for _, reason in points.dropped], dtype=str)
    variables["dropped_row"] = variable("dropped", lines, "1", "line of the file")
    variables["dropped_reason"] = variable("dropped", reasons, "1", "why the line is left out")
    return account("magnetometer", variables, {}, inputs)
