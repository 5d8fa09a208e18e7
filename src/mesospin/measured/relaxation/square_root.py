"""The square-root law of the beginning of a decay."""

from __future__ import annotations

from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.checks import span
from mesospin.errors import InputError
from mesospin.measured.relaxation.decay_data import decays
from mesospin.results import account, variable

__all__ = ["fit_square_root"]

Floats = NDArray[np.float64]

_SIGNIFICANT: Final = 3.0
"""Standard errors at which a curvature is taken as certain."""


def fit_square_root(
    data: xr.Dataset, window: tuple[float, float], *, origin: float | None = None
) -> xr.Dataset:
    r"""Fit the square-root law :math:`m(t) = m_0 (1 - \sqrt{t/\tau_Q})` to the beginning of every decay.

    Parameters
    ----------
    data : xarray.Dataset
        Of `read_magnetometer` or `decay_data`.
    window : (low, high) [s]
        Times since the origin that count; the law holds at its beginning only, so the window is part of
        the answer.
    origin : float, optional [s]
        Time of the data at which the decay starts; its first point if omitted.

    Returns
    -------
    xarray.Dataset
        Kind "square_root_fit", by ``isotherm``: ``m_0``, ``slope`` (dm/d sqrt t), ``rate`` = 1/tau_Q [1/s]
        with errors, ``curvature`` (the coefficient of t in a fit that also has one, over its error: beyond
        3 the decay is not a square root in the window), ``verdict``; by ``point`` the data in the window.

    Raises
    ------
    InputError
        If a decay has fewer than four points in the window.

    References
    ----------
    N. V. Prokof'ev and P. C. E. Stamp, Phys. Rev. Lett. 80, 5794 (1998).

    Examples
    --------
    >>> import numpy as np
    >>> from mesospin.measured.relaxation.decay_data import decay_data
    >>> t = np.linspace(0, 100, 51)
    >>> fit = fit_square_root(decay_data(t, 2 * (1 - np.sqrt(t / 1e4)), 0.04), (0.0, 50.0))
    >>> round(float(fit.rate[0]), 8)
    0.0001
    """
    low, high = span("window", window, "s")
    curves = decays(data, origin=origin, window=(low, high))
    rows = []
    for time, moment, known in zip(curves.time, curves.moment, curves.known, strict=True):
        if known.sum() < 4:
            raise InputError(
                f"window must hold at least 4 points of every decay [s], got {int(known.sum())} in "
                f"{low:g} to {high:g}; widen it"
            )
        rows.append(_root_law(time[known], moment[known]))
    m_0, slope, rate, m_0_error, slope_error, rate_error, bend = np.array(rows).T
    verdict = ["not a square root in this window" if abs(each) > _SIGNIFICANT else "" for each in bend]
    columns = {
        "m_0": (m_0, curves.unit, "moment at the origin"),
        "m_0_error": (m_0_error, curves.unit, "standard error"),
        "slope": (slope, f"{curves.unit} s^-1/2", "slope against sqrt t"),
        "slope_error": (slope_error, f"{curves.unit} s^-1/2", "standard error"),
        "rate": (rate, "1/s", "rate 1/tau_Q"),
        "rate_error": (rate_error, "1/s", "standard error"),
        "curvature": (bend, "1", "coefficient of t over its error"),
        "verdict": (np.array(verdict, dtype=str), "1", "what the data say"),
    }
    variables = {name: variable("isotherm", *entry) for name, entry in columns.items()}
    row = np.broadcast_to(np.arange(len(curves.time))[:, None], curves.known.shape)
    points = {
        "time": (curves.time, "s", "time since the origin"),
        "moment": (curves.moment, curves.unit, "moment"),
        "isotherm_of": (row, "1", "number of the isotherm"),
    }
    variables |= {
        name: variable("point", values[curves.known], *label) for name, (values, *label) in points.items()
    }
    coords = {
        "temperature": variable("isotherm", curves.temperature, "K", "temperature"),
        "field": variable("isotherm", curves.field, "T", "field"),
    }
    return account("square_root_fit", variables, coords, {"window": [low, high], "origin": origin})


def _root_law(time: Floats, moment: Floats) -> tuple[float, ...]:
    root = np.sqrt(time)
    (m_0, slope), spread = _line(np.stack([np.ones_like(root), root], axis=-1), moment)
    bent, bent_spread = _line(np.stack([np.ones_like(root), root, time], axis=-1), moment)
    sign = -slope / m_0
    rate = sign * abs(sign)
    gradient = 2 * abs(sign) * np.array([slope / m_0**2, -1.0 / m_0])
    rate_error = float(np.sqrt(gradient @ spread @ gradient))
    sigma = float(np.sqrt(bent_spread[2, 2]))
    bend = float(bent[2] / sigma) if sigma > 1e-9 * abs(slope) else 0.0
    return (
        float(m_0), float(slope), float(rate), float(np.sqrt(spread[0, 0])), float(np.sqrt(spread[1, 1])),
        rate_error, bend,
    )  # fmt: skip


def _line(design: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return linear least-squares coefficients and their covariance, scaled by the reduced chi^2."""
    solution, _, _, _ = np.linalg.lstsq(design, values, rcond=None)
    rest = values - design @ solution
    variance = float(rest @ rest) / (len(values) - design.shape[1])
    return np.asarray(solution, dtype=np.float64), variance * np.linalg.inv(design.T @ design)
