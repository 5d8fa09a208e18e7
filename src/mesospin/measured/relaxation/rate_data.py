"""Relaxation times at several temperatures and fields, with their uncertainty."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, one_of
from mesospin.errors import InputError
from mesospin.results import account, variable

__all__ = ["ERRORS", "STRAY_FIELD", "RateData", "rate_data", "times_of"]

Floats = NDArray[np.float64]

ERRORS: Final = ("fit", "distribution", "both", "equal")
"""What weighs a relaxation time: its standard error, the width of its distribution, both, or nothing."""


STRAY_FIELD: Final = 1e-4
"""Field [T] up to which a sample counts as being in none: what a magnet keeps."""


class RateData(NamedTuple):
    """Relaxation times that a law is fitted to."""

    T: Floats
    """(n,) [K]"""
    B: Floats
    """(n,) [T]"""
    log_tau: Floats
    """(n,), ln(tau/s)"""
    sigma: Floats
    """(n,), standard deviation of ln tau; 1 for all where nothing is known."""
    known: bool
    """Whether ``sigma`` is a standard deviation and not only a weight."""


def rate_data(
    T: ArrayLike, tau: ArrayLike, *, B: ArrayLike = 0.0, tau_error: ArrayLike | None = None
) -> xr.Dataset:
    """Return relaxation times of any origin as data that `fit_rates` takes.

    Parameters
    ----------
    T : array-like, shape (points,) [K]
    tau : array-like, shape (points,) [s]
    B : array-like, scalar or shape (points,) [T]
    tau_error : array-like, shape (points,) [s], optional
        Standard deviations.

    Returns
    -------
    xarray.Dataset
        Kind "relaxation_times": ``tau``, ``tau_error`` [s] (NaN where unknown) against ``temperature`` and
        ``field`` of every ``point``.

    Raises
    ------
    InputError
        If lengths differ, or a temperature, time or deviation is not positive.

    Examples
    --------
    >>> rate_data([2.0, 4.0], [1.0, 0.1]).tau.values.tolist()
    [1.0, 0.1]
    """
    temperatures = np.atleast_1d(finite_array("T", T))
    columns = {"T": temperatures, "tau": np.atleast_1d(finite_array("tau", tau))}
    field = (
        np.broadcast_to(finite_array("B", B), temperatures.shape) if np.ndim(B) == 0 else finite_array("B", B)
    )
    columns["B"] = np.asarray(field, dtype=np.float64)
    error = np.full(temperatures.shape, np.nan) if tau_error is None else finite_array("tau_error", tau_error)
    columns["tau_error"] = np.atleast_1d(error)
    for name, values in columns.items():
        if values.shape != temperatures.shape or values.ndim != 1:
            raise InputError(
                f"{name} must have one number for each of the {temperatures.size} temperatures, got shape "
                f"{values.shape}; give equally long lists"
            )
        if name != "B" and not np.all((values > 0) | np.isnan(values)):
            raise InputError(
                f"{name} must be positive, got {float(np.nanmin(values)):g}; leave such points out"
            )
    variables = {
        "tau": variable("point", columns["tau"], "s", "relaxation time"),
        "tau_error": variable("point", columns["tau_error"], "s", "standard deviation"),
    }
    coords = {
        "temperature": variable("point", temperatures, "K", "temperature"),
        "field": variable("point", columns["B"], "T", "field"),
    }
    return account("relaxation_times", variables, coords, {})


def times_of(data: xr.Dataset, errors: str, time: str = "tau") -> RateData:
    """Return the relaxation times of a dataset with what weighs them.

    Parameters
    ----------
    data : xarray.Dataset
        With the variable ``time`` and ``temperature`` [K], ``field`` [T]: of `fit_ac`, `fit_decay`,
        `rate_data`, or computed by `relaxation_rates`.
    errors : str, one of ``ERRORS``
        "both" adds the squares; "equal" weighs all alike.  Where "fit" finds no standard error (computed
        times, bare numbers), all weigh alike.
    time : str
        Which of several relaxation times.

    Raises
    ------
    InputError
        If a variable is missing, or fewer than two times are left.
    """
    one_of("errors", errors, ERRORS)
    if not isinstance(data, xr.Dataset) or time not in data:
        raise InputError(
            f"data must hold relaxation times {time!r}, got {type(data).__name__}; take fit_ac, fit_decay or "
            "rate_data"
        )
    known = [name for name in ("temperature", "field") if name in data.variables]
    if len(known) < 2:
        raise InputError("data must hold the variables temperature and field, got none; take rate_data")
    log_name = f"ln_{time}"
    log_tau = data[log_name] if log_name in data else xr.ufuncs.log(data[time].where(data[time] > 0))
    error = _fit_error(data, time) if errors in ("fit", "both") else xr.zeros_like(log_tau)
    width = xr.zeros_like(log_tau)
    if errors in ("distribution", "both") and f"{log_name}_width" in data:
        width = data[f"{log_name}_width"]
    parts = (data["temperature"], data["field"], log_tau, (error**2 + width**2) ** 0.5)
    T, B, values, sigma = (np.asarray(part.values, dtype=np.float64).ravel() for part in xr.broadcast(*parts))
    kept = np.isfinite(values)
    if kept.sum() < 2:
        raise InputError(
            f"data must hold at least two relaxation times, got {int(kept.sum())}; fit more of them"
        )
    T, B, values, sigma = T[kept], B[kept], values[kept], sigma[kept]
    if np.all(sigma > 0):
        # the width of a distribution weighs a time, but says nothing of how far it may lie from a law
        return RateData(T, B, values, sigma, known=not np.any(width.values > 0))
    if np.any(sigma > 0):
        raise InputError(
            f"data must have a standard error at every time or at none, got {int((sigma > 0).sum())} of "
            f'{len(sigma)}; take errors="equal"'
        )
    return RateData(T, B, values, np.ones(len(values)), known=False)


def _fit_error(data: xr.Dataset, time: str) -> xr.DataArray:
    if f"ln_{time}_error" in data:
        return data[f"ln_{time}_error"]
    if f"{time}_error" in data:
        return (data[f"{time}_error"] / data[time]).fillna(0.0)
    return xr.zeros_like(data[time])
