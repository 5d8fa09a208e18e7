"""From the table of a file to points in the units of the package, and why rows are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import InputError
from mesospin.measured.magnetometer.columns import Column
from mesospin.measured.magnetometer.dat_file import BLANK, GIVEN, NO_NUMBER, NOT_FINITE, Rows
from mesospin.measured.magnetometer.sample import Sample
from mesospin.thermo.molar import EMU_PER_MOLE

__all__ = ["Points", "Table", "points_of"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_OERSTED: Final = 1e4
"""Of one tesla."""
_STATES: Final = {BLANK: "is blank", NO_NUMBER: "is not a number", NOT_FINITE: "is not a finite number"}
_LABELS: Final = {
    "chi_real": "chi'", "chi_imag": "chi''", "frequency": "the frequency", "drive": "the drive",
    "temperature": "the temperature", "field": "the field",
}  # fmt: skip
_LARGEST: Final = 1e6
"""No temperature [K] and no field [T] of a magnetometer is as large."""
_POSITIVE: Final = {"temperature": "K", "frequency": "Hz", "drive": "Oe"}


class Points(NamedTuple):
    """Points that are kept, in the order of the file."""

    row: NDArray[np.int64]
    kind: NDArray[np.str_]
    columns: dict[str, Floats]
    """time, temperature, field, frequency, drive, chi_real, ..., magnetisation."""
    chi_unit: str
    moment_unit: str
    dropped: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file and what their columns mean."""

    file: str
    rows: Rows
    columns: Mapping[str, Column]
    constants: Mapping[str, float]
    """field [T] and drive [T] where they are given and not in the file."""

    def values(self, quantity: str) -> Floats:
        """Return a column in the unit of its basis, NaN where there is no such column."""
        if quantity in self.constants:
            return np.full(len(self.rows.line), self.constants[quantity])
        if quantity not in self.columns:
            return np.full(len(self.rows.line), np.nan)
        return np.asarray(self.rows.values[self._place(quantity)] * self.columns[quantity].factor)

    def state(self, quantity: str) -> NDArray[np.int8]:
        """Return what the entries of a column are."""
        if quantity in self.constants:
            return np.full(len(self.rows.line), GIVEN, dtype=np.int8)
        if quantity not in self.columns:
            return np.full(len(self.rows.line), BLANK, dtype=np.int8)
        return np.asarray(self.rows.state[self._place(quantity)])

    def basis(self, quantity: str) -> str:
        """Return what the numbers are of."""
        return self.columns[quantity].basis

    def has(self, *quantities: str) -> bool:
        """Return whether the file, or the call, gives all these."""
        return all(name in self.columns or name in self.constants for name in quantities)

    def _place(self, quantity: str) -> int:
        return list(self.columns).index(quantity)


class _Moments(NamedTuple):
    value: Floats
    error: Floats
    magnetisation: Floats
    kind: NDArray[np.str_]
    unit: str


def points_of(table: Table, sample: Sample, *, vsm: bool, centre: str, measurement: str | None) -> Points:
    """Return the points of a table.

    Parameters
    ----------
    table : Table
    sample : Sample
    vsm : bool
        Whether a plain "Moment" is that of a vibrating sample.
    centre : {"free", "fixed"}
        Which moment of an MPMS3 scan is taken.
    measurement : {"ac", "dc", "vsm", "waveform"} or None
        What is kept; None keeps all.

    Raises
    ------
    InputError
        If units need a mass or molar mass that is unknown.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return _points(table, sample, vsm=vsm, centre=centre, measurement=measurement)


def _points(table: Table, sample: Sample, *, vsm: bool, centre: str, measurement: str | None) -> Points:
    moments = _moments(table, sample, vsm=vsm, centre=centre)
    if measurement == "waveform":
        moments = moments._replace(kind=np.where(moments.kind == "", "", "waveform"))
    fault = _faults(table)
    is_ac = _complete(table)
    kind = np.where(is_ac, "ac", moments.kind)
    fault = np.where((kind == "") & (fault == ""), _why_not(table), fault)
    if measurement is not None:
        fault[(fault == "") & (kind != measurement)] = f"another measurement than {measurement}"
    real, imag, real_error, imag_error, unit = _susceptibility(table, sample, is_ac)
    finite = np.where(kind == "ac", np.isfinite(real) & np.isfinite(imag), np.isfinite(moments.value))
    fault[(fault == "") & ~finite] = "a number too large to be converted"
    kept = fault == ""
    B = table.values("field")
    columns = {
        "time": table.values("time"),
        "temperature": table.values("temperature"),
        "field": B,
        "frequency": np.where(is_ac, table.values("frequency"), np.nan),
        "drive": np.where(is_ac, table.values("drive"), np.nan),
        "chi_real": real, "chi_imag": imag, "chi_real_error": real_error, "chi_imag_error": imag_error,
        "moment": moments.value, "moment_error": moments.error, "magnetisation": moments.magnetisation,
    }  # fmt: skip
    gone = zip(table.rows.line[~kept].tolist(), fault[~kept].tolist(), strict=True)
    dropped = tuple(sorted((*table.rows.unreadable, *gone)))
    chosen = {name: values[kept] for name, values in columns.items()}
    return Points(table.rows.line[kept], kind[kept].astype(str), chosen, unit, moments.unit, dropped)


def _faults(table: Table) -> NDArray[np.object_]:
    """Return why rows cannot be used whatever they measure, "" where nothing speaks against them."""
    rows = table.rows
    fault = np.full(len(rows.line), "", dtype=object)
    empty = (rows.state == BLANK).all(axis=0)
    fault[empty] = "no numbers"
    for place in np.flatnonzero(~empty & (rows.copy_of != rows.line)):
        fault[place] = f"repeats line {rows.copy_of[place]} letter by letter"
    for quantity in ("temperature", "field"):
        state, values = table.state(quantity), table.values(quantity)
        for kind, said in _STATES.items():
            fault[(fault == "") & (state == kind)] = f"{_LABELS[quantity]} {said}"
        if quantity in _POSITIVE:
            fault[(fault == "") & ~(values > 0)] = f"{_LABELS[quantity]} is not above 0 {_POSITIVE[quantity]}"
        fault[(fault == "") & ~(np.abs(values) < _LARGEST)] = f"{_LABELS[quantity]} is beyond all reason"
    return fault


def _needed(table: Table) -> tuple[str, ...]:
    """Return what a point of ac susceptibility needs."""
    needed = ("chi_real", "chi_imag", "frequency")
    divided = any(name in table.columns and table.basis(name) == "drive" for name in needed[:2])
    return (*needed, "drive") if divided else needed


def _complete(table: Table) -> Bools:
    """Return which rows have everything of a point of ac susceptibility."""
    complete = np.ones(len(table.rows.line), dtype=bool)
    for quantity in _needed(table):
        values = table.values(quantity)
        complete &= values > 0 if quantity in _POSITIVE else np.isfinite(values)
    return complete


def _why_not(table: Table) -> NDArray[np.object_]:
    """Return why rows are neither points of ac susceptibility nor moments; the first reason counts."""
    reason = np.full(len(table.rows.line), "neither a susceptibility nor a moment", dtype=object)
    for name in table.columns:
        if "moment" in name and "error" not in name:
            for kind in (NO_NUMBER, NOT_FINITE):
                reason[table.state(name) == kind] = f"the moment {_STATES[kind]}"
    needed = _needed(table)
    begun = (table.state("chi_real") != BLANK) | (table.state("chi_imag") != BLANK)
    for name in reversed(needed):
        state = table.state(name)
        for kind, said in _STATES.items():
            reason[begun & (state == kind)] = f"{_LABELS[name]} {said}"
        if name in _POSITIVE:
            low = begun & (state == GIVEN) & ~(table.values(name) > 0)
            reason[low] = f"{_LABELS[name]} is not above 0 {_POSITIVE[name]}"
    return reason


def _susceptibility(table: Table, sample: Sample, is_ac: Bools) -> tuple[Floats, Floats, Floats, Floats, str]:
    """Return chi', chi'', their errors, and their unit."""
    unknown = np.full(len(is_ac), np.nan)
    if not table.has("chi_real", "chi_imag"):
        return unknown, unknown, unknown, unknown, "emu/Oe" if sample.amount is None else "cm3/mol"
    bases = {table.basis("chi_real"), table.basis("chi_imag")}
    molar = sample.amount is not None or not bases & {"sample", "drive"}
    if not molar and bases & {"mole", "gram"}:
        raise InputError(
            f"{table.file} must give chi' and chi'' alike, got one per mole or gram and one of the sample; "
            "give mass and molar_mass"
        )
    drive = np.where(is_ac, table.values("drive"), np.nan) * _OERSTED
    converted = []
    for name in ("chi_real", "chi_imag"):
        factor = _per(table, sample, table.basis(name), drive if table.basis(name) == "drive" else None)
        error = f"{name}_error"
        spread = np.full(len(is_ac), np.nan)
        if error in table.columns:
            basis = table.basis(error)
            own = (
                factor
                if basis == "value"
                else _per(table, sample, basis, drive if basis == "drive" else None)
            )
            scale = table.columns[name].factor if basis == "value" else 1.0
            spread = table.values(error) * scale * own
        background = _background(table, sample) if name == "chi_real" else 0.0
        value = np.where(is_ac, table.values(name) * factor - background, np.nan)
        converted.append((value, np.where(is_ac & (spread > 0), spread, np.nan)))
    (real, real_error), (imag, imag_error) = converted
    return real, imag, real_error, imag_error, "cm3/mol" if molar else "emu/Oe"


def _per(table: Table, sample: Sample, basis: str, drive: Floats | None) -> Floats | float:
    """Return the factor to cm3/mol, or to emu/Oe where the amount of the sample is unknown."""
    if basis == "mole":
        return 1.0
    if basis == "gram":
        if sample.molar_mass is None:
            raise InputError(f"{table.file} gives numbers per gram, got no molar_mass; give it [g/mol]")
        return sample.molar_mass
    per_sample = 1.0 if sample.amount is None else 1.0 / sample.amount
    if drive is None:
        return per_sample
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(per_sample / drive)


def _background(table: Table, sample: Sample) -> float:
    """Return what is to be subtracted from chi', in its unit."""
    if not sample.corrected:
        return 0.0
    if sample.amount is not None:
        return sample.background / sample.amount
    molar = table.basis("chi_real") in ("mole", "gram")
    if (molar and (sample.eicosane_mass or sample.holder)) or (not molar and sample.diamagnetism):
        raise InputError(
            f"{table.file} must come with mass and molar_mass for these corrections, got one or none of them;"
            " give both"
        )
    return sample.diamagnetism if molar else sample.background


def _moments(table: Table, sample: Sample, *, vsm: bool, centre: str) -> _Moments:
    """Return the moments: of every row the first that it has."""
    count = len(table.rows.line)
    value, error, magnetisation = (np.full(count, np.nan) for _ in range(3))
    kind = np.full(count, "", dtype="<U8")
    units = set()
    for name in (f"{centre}_moment", "dc_moment", "moment"):
        if name not in table.columns:
            continue
        found = table.values(name)
        free = (kind == "") & np.isfinite(found)
        if not free.any():
            continue
        own, spread, per_unit, unit = _moment(table, sample, name)
        units.add(unit)
        value[free], error[free], magnetisation[free] = own[free], spread[free], per_unit[free]
        kind[free] = "vsm" if vsm and name == "moment" else "dc"
    if len(units) > 1:
        raise InputError(
            f"{table.file} must give its moments alike, got some per mole and some of the sample; give mass "
            "and molar_mass"
        )
    return _Moments(value, error, magnetisation, kind, units.pop() if units else "emu")


def _moment(table: Table, sample: Sample, name: str) -> tuple[Floats, Floats, Floats, str]:
    """Return moment, its error, the magnetisation [mu_B per formula unit], and the unit of the first two."""
    basis, amount = table.basis(name), sample.amount
    raw = table.values(name)
    error = f"{name}_error"
    spread = table.values(error)
    if error in table.columns and table.basis(error) == "value":
        spread = spread * table.columns[name].factor
    spread = np.where(spread > 0, spread, np.nan)
    oersted = table.values("field") * _OERSTED
    if basis == "sample":
        if sample.diamagnetism and amount is None:
            raise InputError(
                f"diamagnetism of {table.file} must come with mass and molar_mass, got one or none; give both"
            )
        moment = raw - sample.background * oersted
        per_unit = moment / amount / EMU_PER_MOLE if amount is not None else np.full(len(raw), np.nan)
        return moment, spread, per_unit, "emu"
    if (sample.eicosane_mass or sample.holder) and amount is None:
        raise InputError(f"{table.file} must come with mass and molar_mass for these corrections; give both")
    scale = EMU_PER_MOLE if basis == "magneton" else float(_per(table, sample, basis, None))
    background = sample.diamagnetism if amount is None else sample.background / amount
    molar = raw * scale - background * oersted
    if amount is None:
        factor = 1.0 / EMU_PER_MOLE
        return molar * factor, spread * scale * factor, molar * factor, "mu_B"
    return molar * amount, spread * scale * amount, molar / EMU_PER_MOLE, "emu"
