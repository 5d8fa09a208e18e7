"""What is left of an ensemble of unlike molecules after sweeps through a crossing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from mesospin.results import variable


def landau_zener_curves(
    splitting: NDArray[np.float64],
    characteristic: NDArray[np.float64],
    weight: NDArray[np.float64],
    rates: NDArray[np.float64],
    passages: Sequence[int],
    *,
    drawn: bool,
) -> dict[str, Any]:
    r"""Return the entries of a dataset that describe sweeps of an ensemble.

    Parameters
    ----------
    splitting : ndarray, shape (k,) [K]
        Full gap of every molecule.
    characteristic : ndarray, shape (k,) [T/s]
        Its rate :math:`r_s = \pi\Delta_s^2/(2\hbar|s|)`, at which 1/e is left.
    weight : ndarray, shape (k,)
        Its share.
    rates : ndarray, shape (rate,) [T/s]
        Field rates.
    passages : sequence of int
        Numbers of sweeps.
    drawn : bool
        Whether the molecules are a random sample, so that the fractions have a standard error.
    """
    n = np.array(passages, dtype=np.float64)[:, None]
    effective = rates[None, :] / n
    once = log_remaining(characteristic, weight, rates)
    frozen = np.exp(log_remaining(characteristic, weight, effective))
    variance = np.exp(log_remaining(2 * characteristic, weight, effective)) - frozen**2
    error = np.sqrt(np.maximum(variance, 0.0) / len(weight)) if drawn else np.zeros_like(frozen)
    mean_rate = float(weight @ characteristic)
    root_mean_square = np.sqrt(weight @ splitting**2)
    # the splitting whose exponential has this fraction; at high rates 1 - <r_s>/r, the root mean square
    apparent = root_mean_square * np.sqrt(-once * rates / mean_rate) if mean_rate else np.zeros(len(rates))
    plane, tail = ("passage", "rate"), "that never tunnelled"
    return {
        "effective_rate": variable(plane, effective, "T/s", "field rate over number of sweeps"),
        "remaining_frozen": variable(plane, frozen, "1", f"fraction {tail}, frozen splittings"),
        "remaining_redrawn": variable(
            plane, np.exp(n * once), "1", f"fraction {tail}, splittings redrawn before each sweep"
        ),
        "remaining_single": variable(
            plane, np.exp(-mean_rate / effective), "1", f"fraction {tail}, one splitting"
        ),
        "remaining_error": variable(plane, error, "1", "standard error of the fraction"),
        "apparent_splitting": variable("rate", apparent, "K", "splitting read off one sweep"),
        "rms_splitting": variable((), root_mean_square, "K", "root mean square splitting"),
    }


def log_remaining(
    characteristic: NDArray[np.float64], weight: NDArray[np.float64], rate: NDArray[np.float64]
) -> NDArray[np.float64]:
    r"""Return :math:`\ln\langle e^{-r_s/r}\rangle`, right for fractions near 1 and near 0.

    Parameters
    ----------
    characteristic : ndarray, shape (k,) [T/s]
        Rate :math:`r_s` of every molecule, >= 0.
    weight : ndarray, shape (k,)
        Share of every molecule; they sum to 1.
    rate : ndarray, shape (...) [T/s]
        Field rate, > 0; for a sequence of sweeps the inverse of the sum of 1/rate.

    Returns
    -------
    ndarray, shape (...)

    Examples
    --------
    >>> log_remaining(np.array([0.0, 1.0]), np.array([0.5, 0.5]), np.array([1e-3, 1e9])).round(12)
    array([-6.93147181e-01, -5.00000000e-10])
    """
    answer = np.empty(rate.size)
    for index, r in enumerate(rate.ravel()):
        exponent = characteristic / r
        gone = float(weight @ -np.expm1(-exponent))
        answer[index] = np.log1p(-gone) if gone < 0.5 else logsumexp(-exponent, b=weight)
    return answer.reshape(rate.shape)
