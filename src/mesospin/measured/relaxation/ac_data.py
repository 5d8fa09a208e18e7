"""Ac susceptibility at several temperatures and fields, as rows of isotherms."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, non_negative, one_of
from mesospin.errors import InputError
from mesospin.measured.magnetometer.isotherms import FIELD_TOLERANCE, TEMPERATURE_TOLERANCE, group_points
from mesospin.results import account, variable

__all__ = ["UNITS", "Isotherms", "ac_data", "isotherms"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

UNITS: Final = ("cm3/mol", "emu/Oe")
"""Units of a measured susceptibility: molar, or of a sample of unknown amount."""


_COLUMNS: Final = ("frequency", "chi_real", "chi_imag", "chi_real_error", "chi_imag_error")


class Isotherms(NamedTuple):
    """Ac susceptibility by isotherm, padded to the longest of them."""

    temperature: Floats
    """(isotherms,) [K], mean of its points."""
    field: Floats
    """(isotherms,) [T], mean of its points."""
    log_omega: Floats
    """(isotherms, n), ln of the angular frequency [1/s]; 0 in the padding."""
    chi: NDArray[np.complex128]
    """(isotherms, n), chi' - i chi''; 0 in the padding."""
    sigma: Floats
    """(isotherms, n, 2), standard deviations of chi' and chi''; NaN where none is known."""
    known: Bools
    """(isotherms, n), False in the padding."""
    unit: str


def ac_data(
    frequency: ArrayLike,
    chi_real: ArrayLike,
    chi_imag: ArrayLike,
    T: ArrayLike,
    *,
    B: ArrayLike = 0.0,
    unit: str,
    chi_real_error: ArrayLike | None = None,
    chi_imag_error: ArrayLike | None = None,
    temperature_tolerance: float = TEMPERATURE_TOLERANCE,
    field_tolerance: float = FIELD_TOLERANCE,
) -> xr.Dataset:
    """Return numbers of an ac susceptometer as data that `fit_ac` takes.

    Parameters
    ----------
    frequency : array-like, shape (points,) [Hz]
        Frequency f of the drive, omega = 2 pi f.
    chi_real, chi_imag : array-like, shape (points,)
        In-phase and out-of-phase susceptibility, chi = chi' - i chi''; chi'' > 0 absorbs.
    T, B : array-like, scalar or shape (points,) [K], [T]
        Temperature and constant field of every point.
    unit : {"cm3/mol", "emu/Oe"}
        Unit of the susceptibility.
    chi_real_error, chi_imag_error : array-like, shape (points,), optional
        Standard deviations.
    temperature_tolerance, field_tolerance : float [K], [T]
        Points no farther from their neighbour make one isotherm, which is at most twice as wide.

    Returns
    -------
    xarray.Dataset
        Kind "magnetometer", as `read_magnetometer` returns it.

    Raises
    ------
    InputError
        If lengths differ, a number is not finite, or a frequency, temperature or deviation is not positive.

    Examples
    --------
    >>> data = ac_data([1.0, 10.0], [2.0, 1.0], [0.5, 0.9], 4.0, unit="cm3/mol")
    >>> data.sizes["point"], data.sizes["isotherm"]
    (2, 1)
    """
    one_of("unit", unit, UNITS)
    f = np.atleast_1d(finite_array("frequency", frequency))
    columns = {
        "frequency": f,
        "chi_real": _column("chi_real", chi_real, len(f)),
        "chi_imag": _column("chi_imag", chi_imag, len(f)),
        "temperature": _column("T", T, len(f)),
        "field": _column("B", B, len(f)),
    }
    for name in ("frequency", "temperature"):
        _positive(name, columns[name], "Hz" if name == "frequency" else "K")
    errors = {"chi_real_error": chi_real_error, "chi_imag_error": chi_imag_error}
    for name, values in errors.items():
        columns[name] = np.full(len(f), np.nan) if values is None else _column(name, values, len(f))
        if values is not None:
            _positive(name, columns[name], unit)
    return point_table(
        columns, unit,
        temperature_tolerance=non_negative("temperature_tolerance", temperature_tolerance, "K"),
        field_tolerance=non_negative("field_tolerance", field_tolerance, "T"),
    )  # fmt: skip


def _column(name: str, values: ArrayLike, length: int) -> Floats:
    column = finite_array(name, values)
    if column.ndim == 0:
        return np.full(length, float(column))
    if column.shape != (length,):
        raise InputError(
            f"{name} must have one number for each of the {length} frequencies, got shape {column.shape}; "
            "give equally long lists"
        )
    return np.asarray(column, dtype=np.float64)


def _positive(name: str, values: Floats, unit: str) -> None:
    if not np.all(values > 0):
        worst = float(values[~(values > 0)][0])
        raise InputError(f"{name} must be positive [{unit}], got {worst:g}; leave such points out")


def point_table(
    columns: dict[str, Floats], unit: str, *, temperature_tolerance: float, field_tolerance: float
) -> xr.Dataset:
    """Return ac points and their isotherms as a dataset of kind "magnetometer"."""
    T, B = columns["temperature"], columns["field"]
    group = group_points(T, B, temperature_tolerance=temperature_tolerance, field_tolerance=field_tolerance)
    names = {
        "frequency": ("Hz", "frequency"),
        "chi_real": (unit, "in-phase susceptibility"),
        "chi_imag": (unit, "out-of-phase susceptibility"),
        "chi_real_error": (unit, "standard deviation"),
        "chi_imag_error": (unit, "standard deviation"),
        "temperature": ("K", "temperature"),
        "field": ("T", "field"),
    }
    variables = {name: variable("point", columns[name], *label) for name, label in names.items()}
    variables["measurement"] = variable("point", np.full(len(T), "ac"), "1", "kind of measurement")
    variables["isotherm_of"] = variable("point", group, "1", "number of the isotherm, -1 for none")
    count = int(group.max(initial=-1)) + 1
    points = np.maximum(np.bincount(group, minlength=count), 1)
    for name, column, symbol, text in (
        ("isotherm_temperature", T, "K", "mean temperature of the isotherm"),
        ("isotherm_field", B, "T", "mean field of the isotherm"),
    ):
        means = np.bincount(group, weights=column, minlength=count) / points
        variables[name] = variable("isotherm", means, symbol, text)
    tolerances = {"temperature_tolerance": temperature_tolerance, "field_tolerance": field_tolerance}
    return account("magnetometer", variables, {}, tolerances)


def isotherms(data: xr.Dataset) -> Isotherms:
    """Return the ac points of measured or computed data by isotherm.

    Parameters
    ----------
    data : xarray.Dataset
        Of `read_magnetometer`, `ac_data` or `ac_susceptibility`.

    Raises
    ------
    InputError
        If it is none of these, or holds no ac points.
    """
    kind = data.attrs.get("kind") if isinstance(data, xr.Dataset) else type(data).__name__
    if kind == "ac_susceptibility":
        return _computed(data)
    if kind != "magnetometer":
        raise InputError(f"data must be ac susceptibility, got {kind!r}; take read_magnetometer or ac_data")
    chosen = np.flatnonzero((data["measurement"].values == "ac") & (data["isotherm_of"].values >= 0))
    if not len(chosen):
        held = ", ".join(sorted(set(data["measurement"].values.tolist()))) or "nothing"
        raise InputError(f"data must hold ac points, got {held}; give an ac measurement")
    number = data["isotherm_of"].values[chosen]
    kept, row = np.unique(number, return_inverse=True)
    order = np.lexsort((data["frequency"].values[chosen], row))
    chosen, row = chosen[order], row[order]
    counts = np.bincount(row)
    column = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    values = {name: data[name].values[chosen] for name in _COLUMNS}
    shape = (len(kept), int(counts.max()))
    log_omega, chi = np.zeros(shape), np.zeros(shape, dtype=np.complex128)
    sigma, known = np.full((*shape, 2), np.nan), np.zeros(shape, dtype=bool)
    log_omega[row, column] = np.log(2 * np.pi * values["frequency"])
    chi[row, column] = values["chi_real"] - 1j * values["chi_imag"]
    sigma[row, column, 0], sigma[row, column, 1] = values["chi_real_error"], values["chi_imag_error"]
    known[row, column] = True
    T = data["isotherm_temperature"].values[kept]
    B = data["isotherm_field"].values[kept]
    return Isotherms(T, B, log_omega, chi, sigma, known, str(data["chi_real"].attrs["units"]))


def _computed(data: xr.Dataset) -> Isotherms:
    places = ("temperature", "field", "frequency")
    real, imag = (data[f"chi_{part}_molar"].transpose(*places).values for part in ("real", "imag"))
    T, B = np.meshgrid(data["temperature"].values, data["field"].values, indexing="ij")
    frequency = data["frequency"].values
    chi = (real - 1j * imag).reshape(T.size, len(frequency))
    log_omega = np.broadcast_to(np.log(2 * np.pi * frequency), chi.shape)
    sigma = np.full((*chi.shape, 2), np.nan)
    return Isotherms(T.ravel(), B.ravel(), log_omega, chi, sigma, np.ones(chi.shape, dtype=bool), "cm3/mol")
