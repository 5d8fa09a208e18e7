"""Moments of a magnetometer as data that a Hamiltonian is fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.checks import non_negative, one_of
from mesospin.errors import InputError
from mesospin.measured.data import MagnetisationData, SusceptibilityData
from mesospin.measured.magnetometer.isotherms import FIELD_TOLERANCE, TEMPERATURE_TOLERANCE, group_points
from mesospin.thermo.molar import CM3_PER_MOLE

__all__ = ["static_data"]

Floats = NDArray[np.float64]


def static_data(
    data: xr.Dataset,
    quantity: str,
    *,
    powder: int | None = None,
    axis: Sequence[float] | None = None,
    temperature_tolerance: float = TEMPERATURE_TOLERANCE,
    field_tolerance: float = FIELD_TOLERANCE,
) -> tuple[SusceptibilityData, ...] | tuple[MagnetisationData, ...]:
    r"""Return the dc moments of a magnetometer's file as data for `fit_hamiltonian`, or for `write_phi`.

    Parameters
    ----------
    data : xarray.Dataset
        Of `read_magnetometer`, with the amount of the sample known.
    quantity : {"chi", "M"}
        chi = M/B against temperature, one set for every field, or M against field, one set for every
        temperature.
    powder : int, or axis : three numbers
        As for `SusceptibilityData`.
    temperature_tolerance, field_tolerance : float [K], [T]
        Points no farther from their neighbour make one set, at their mean temperature or field.

    Returns
    -------
    tuple of SusceptibilityData [cm3/mol], or of MagnetisationData [mu_B]
        In rising order of field or temperature; with standard deviations where the file has them for all
        points of a set.

    Raises
    ------
    InputError
        If there are no dc moments, the amount of the sample is unknown, or a susceptibility is asked for
        where the field is zero.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from mesospin.measured.magnetometer.read import read_magnetometer
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "m.csv")
    ...     _ = file.write_text("T (K),H (Oe),M (emu/mol)\n2,1000,100\n4,1000,50\n")
    ...     (chi,) = static_data(read_magnetometer(file), "chi", powder=5)
    >>> chi.T, chi.values.round(9), chi.unit
    (array([2., 4.]), array([0.1 , 0.05]), 'cm3/mol')
    """
    one_of("quantity", quantity, ("chi", "M"))
    if not isinstance(data, xr.Dataset) or "magnetisation" not in data:
        raise InputError(f"data must be of read_magnetometer, got {type(data).__name__}; read a file")
    chosen = np.flatnonzero(np.isin(data["measurement"].values, ("dc", "vsm")))
    if not len(chosen):
        raise InputError("data must hold dc moments, got none; give a dc measurement")
    T, B, M, sigma = _columns(data, chosen)
    common: dict[str, Any] = {"powder": powder, "axis": axis}
    if quantity == "chi":
        tolerance = non_negative("field_tolerance", field_tolerance, "T")
        group = group_points(0.0 * T, B, temperature_tolerance=0.0, field_tolerance=tolerance)
        return tuple(_chi(T[own], B[own], M[own], sigma[own], common) for own in _sets(group))
    tolerance = non_negative("temperature_tolerance", temperature_tolerance, "K")
    group = group_points(T, 0.0 * B, temperature_tolerance=tolerance, field_tolerance=0.0)
    return tuple(_m(T[own], B[own], M[own], sigma[own], common) for own in _sets(group))


def _columns(data: xr.Dataset, chosen: NDArray[np.intp]) -> tuple[Floats, Floats, Floats, Floats]:
    """Return temperature, field, magnetisation [mu_B] and its standard deviation."""
    T, B, M, moment, error = (
        data[name].values[chosen]
        for name in ("temperature", "field", "magnetisation", "moment", "moment_error")
    )
    if not np.all(np.isfinite(M)):
        raise InputError(
            "data must come with mass and molar_mass, got moments alone; give both to the reader"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = M / moment
    known = np.isfinite(ratios)
    return T, B, M, error * (np.median(ratios[known]) if known.any() else np.nan)


def _sets(group: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(group == number) for number in range(int(group.max()) + 1)]


def _chi(T: Floats, B: Floats, M: Floats, sigma: Floats, common: dict[str, Any]) -> SusceptibilityData:
    field = float(B.mean())
    if not np.all(np.abs(B) > 0.0) or field == 0.0:
        raise InputError(
            f"data must have a field at every point for chi = M/B, got {field:.3g} T; leave such points out, "
            "or take quantity 'M'"
        )
    spread = np.abs(sigma / B) * CM3_PER_MOLE if np.all(sigma > 0) else None
    return SusceptibilityData(
        T, chi=M / B * CM3_PER_MOLE, unit="cgs", B=field, sigma=spread, label=f"chi {field:.4g} T", **common
    )


def _m(T: Floats, B: Floats, M: Floats, sigma: Floats, common: dict[str, Any]) -> MagnetisationData:
    spread = sigma if np.all(sigma > 0) else None
    mean = float(T.mean())
    return MagnetisationData(mean, B, M, sigma=spread, label=f"M {mean:.4g} K", **common)
