"""Curie-Weiss law: constant and temperature of a window, and how much they depend on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit

from mesospin.checks import finite, integer, one_of, span
from mesospin.constants import MU_B
from mesospin.errors import ConvergenceError, InputError
from mesospin.measured.data import Data, SusceptibilityData
from mesospin.results import plain, variable
from mesospin.thermo.molar import CM3_PER_MOLE

Floats = NDArray[np.float64]

_TOLERANCE = 1e-12
_FEWEST = 4


def fit_curie_weiss(
    T: ArrayLike | Data | Sequence[Data],
    chi: ArrayLike | None = None,
    *,
    unit: str | None = None,
    window: tuple[float, float],
    tip: float = 0.0,
    sigma: ArrayLike | None = None,
    windows: int = 8,
) -> xr.Dataset:
    r"""Fit the Curie-Weiss law in a window of temperatures, and in windows that begin later.

    .. math:: \chi = \frac{C}{T - \theta} + \chi_{TIP},\qquad \mu_{eff} = \sqrt{3k_BC/N_A\mu_B^2}

    Zero-field splitting and depopulated multiplets give a :math:`\theta` without any coupling between
    moments; it is only as good as its independence of the window.  Least squares of :math:`\chi` itself: a
    line through :math:`1/\chi` would weigh the hot points too much.

    Parameters
    ----------
    T : array-like, shape (points,) [K], or SusceptibilityData
        A data set (what `read_data` returned) brings chi, unit and sigma with it.
    chi : array-like, shape (points,)
        Molar susceptibility (not chi T).
    unit : {"cgs", "SI"}
        cm3/mol or m3/mol; there is no default.
    window : (low, high) [K]
        Temperatures that are used.
    tip : float, default 0 [cm3/mol]
        Temperature-independent part, subtracted.
    sigma : float or array-like, optional
        Standard deviation in the unit of chi; without it equal ones, scaled to the scatter.
    windows : int, default 8
        Number of windows; they begin at equally spaced points of the first half of the data in the window.

    Returns
    -------
    xarray.Dataset
        ``curie_constant`` [cm3 K/mol], ``weiss_temperature`` [K], ``mu_eff`` [mu_B], each with ``_error``,
        and ``points`` (window,), the asked-for window first; coordinates ``low`` and ``high`` [K].
        All data are in ``chi`` (point) [cm3/mol] with the coordinate ``temperature`` [K].
        ``weiss_spread`` [K] is the largest change of theta between windows, and the attribute ``verdict``
        compares it with the error, or says that there was one window only.

    Raises
    ------
    InputError
        If there are fewer than 4 points in the window, or chi - tip is not positive there.
    ConvergenceError
        If no such law fits: theta would lie inside a window.

    Examples
    --------
    >>> T = np.linspace(50.0, 300.0, 20)
    >>> fit = fit_curie_weiss(T, 1.0 / (T + 10.0), unit="cgs", window=(50, 300), sigma=1e-6)
    >>> fit.weiss_temperature.values[0].round(6), fit.mu_eff.values[0].round(3)
    (np.float64(-10.0), np.float64(2.828))
    """
    data = _susceptibilities(T, chi, unit, sigma)
    low, high = span("window", window, "K")
    chosen = np.flatnonzero((low <= data.T) & (high >= data.T))
    chosen = chosen[np.argsort(data.T[chosen], kind="stable")]
    if len(chosen) < _FEWEST:
        raise InputError(
            f"window must hold at least {_FEWEST} points, got {len(chosen)} between {low:g} and {high:g} K; "
            "widen it"
        )
    t, y = data.T[chosen], data.values[chosen] - finite("tip", tip, "cm3/mol")
    if not np.all(y > 0.0):
        raise InputError(
            f"chi must be above tip = {tip:g} cm3/mol in the window, got {float(y.min() + tip):g}; "
            "correct tip"
        )
    spread = None if data.sigma is None else data.sigma[chosen]
    last = max(0, min(len(t) // 2, len(t) - _FEWEST))
    count = integer("windows", windows, at_least=1)
    starts = np.unique(np.linspace(0, last, count).round().astype(int))
    rows = np.array([_fitted(t[s:], y[s:], None if spread is None else spread[s:]) for s in starts])
    ds = _dataset(
        rows, t, starts, high, {"window": [low, high], "unit": unit or "cgs", "tip": tip, "windows": windows}
    )
    measured = variable(("point",), data.values, "cm3/mol", "measured molar susceptibility")
    temperatures = variable(("point",), data.T, "K", "temperature")
    return ds.assign(chi=measured).assign_coords(temperature=temperatures)


def _susceptibilities(
    given: ArrayLike | Data | Sequence[Data],
    chi: ArrayLike | None,
    unit: str | None,
    sigma: ArrayLike | None,
) -> SusceptibilityData:
    """Return chi [cm3/mol] from a data set, or from numbers with their unit."""
    sets: Any = (given,) if isinstance(given, Data) else given
    if not isinstance(sets, tuple | list) or not any(isinstance(entry, Data) for entry in sets):
        if chi is None or unit is None:
            raise InputError(
                "chi and its unit must be given beside T, got none; write chi, unit='cgs' or unit='SI'"
            )
        known = one_of("unit", unit, ("cgs", "SI"))
        return SusceptibilityData(sets, chi=chi, unit=known, sigma=sigma, powder=5)
    if not (chi is None and unit is None and sigma is None):
        raise InputError("chi, unit and sigma must not be given beside a data set, which has them; drop them")
    data = sets[0]
    if len(sets) != 1 or not isinstance(data, SusceptibilityData):
        labels = ", ".join(getattr(entry, "label", repr(entry)) for entry in sets)
        raise InputError(f"data must be one set of susceptibilities, got {labels}; give one of them")
    if not data.times_T:
        return data
    own = None if data.sigma is None else data.sigma / data.T
    return data.replace(values=data.values / data.T, sigma=own, times_T=False)


def _fitted(t: Floats, y: Floats, sigma: Floats | None) -> tuple[float, float, float, float]:
    """Return C, theta and their standard deviations."""
    known = sigma is not None
    own = np.full_like(t, float(np.mean(y))) if sigma is None else sigma
    slope, offset = np.polyfit(t, 1.0 / y, 1, w=y**2 / own)
    start = (1.0 / slope, -offset / slope)
    if not (slope > 0.0 and start[1] < t[0]):
        raise _no_law(t[0])
    try:
        (C, theta), covariance = curve_fit(
            lambda x, C, theta: C / (x - theta),
            t,
            y,
            p0=start,
            sigma=own,
            absolute_sigma=known,
            jac=lambda x, C, theta: np.stack([1.0 / (x - theta), C / (x - theta) ** 2], axis=1),
            xtol=_TOLERANCE,
            ftol=_TOLERANCE,
        )
    except RuntimeError:
        raise _no_law(t[0]) from None
    if not (C > 0.0 and theta < t[0]):
        raise _no_law(t[0])
    errors = np.sqrt(covariance.diagonal())
    return float(C), float(theta), float(errors[0]), float(errors[1])


def _no_law(start: float) -> ConvergenceError:
    return ConvergenceError(
        f"no Curie-Weiss law fits from {start:g} K with theta below it; begin the window at higher T",
        {"low": float(start)},
    )


def _dataset(
    rows: Floats, t: Floats, starts: NDArray[np.int64], high: float, inputs: dict[str, object]
) -> xr.Dataset:
    C, theta, C_error, theta_error = rows.T
    moment = np.sqrt(3.0 * C / (CM3_PER_MOLE * MU_B))
    change = float(np.ptp(theta))
    stable = change <= 3.0 * float(theta_error.max())
    verdict = f"theta = {theta[0]:.4g} +- {theta_error[0]:.2g} K; "
    if len(starts) == 1:
        verdict += f"from one window of {len(t)} points; NOT COMPARED with windows that begin later."
    else:
        verdict += (
            f"over {len(starts)} windows that begin at {t[starts[0]]:g} to {t[starts[-1]]:g} K it changes by "
            f"{change:.2g} K, "
            + ("within its errors." if stable else "MORE THAN ITS ERRORS: theta belongs to the window.")
        )
    dims = ("window",)
    variables = {
        "curie_constant": variable(dims, C, "cm3 K/mol", "Curie constant"),
        "curie_constant_error": variable(dims, C_error, "cm3 K/mol", "standard deviation"),
        "weiss_temperature": variable(dims, theta, "K", "Weiss temperature"),
        "weiss_temperature_error": variable(dims, theta_error, "K", "standard deviation"),
        "mu_eff": variable(dims, moment, "mu_B", "effective moment"),
        "mu_eff_error": variable(dims, moment * C_error / (2.0 * C), "mu_B", "standard deviation"),
        "points": variable(dims, len(t) - starts, "1", "number of points"),
        "weiss_spread": variable((), change, "K", "largest change of the Weiss temperature"),
    }
    coords = {
        "low": variable(dims, t[starts], "K", "first temperature"),
        "high": variable(dims, np.full(len(starts), high), "K", "end of the window"),
    }
    attrs = {"kind": "curie_weiss", "verdict": verdict, "inputs": json.dumps(plain(inputs), sort_keys=True)}
    attrs["mesospin_version"] = version("mesospin")
    return xr.Dataset(variables, coords=coords, attrs=attrs)
