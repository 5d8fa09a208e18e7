r"""When a metastable well is left: in a swept field, and in a field that waits.

A field that rises at the rate v meets an escape rate Gamma(B).  The share that is still there and the density
of switching fields are

.. math:: P(B) = \exp\left(-\int^B\frac{\Gamma}{v}dB'\right),\qquad p(B) = \frac{\Gamma(B)}{v}P(B)

(Kurkijarvi, Phys. Rev. B 6, 832 (1972); Garg, Phys. Rev. B 51, 15592 (1995)).  In a constant field
the survival is exp(-Gamma t).
"""

from __future__ import annotations

from math import exp, inf, log
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from mesospin import checks
from mesospin.errors import InputError

__all__ = ["Passage", "first_passage", "mean_switchings", "width_switchings"]

Array = NDArray[np.float64]

_PANELS = 400
_FINER = 4
#: An integral of which exp(-integral) is no more than zero.
_GONE = 750.0
#: A ln(rate) far beyond the end of every sweep that still has an exponential.
_STEEPEST = 600.0
#: The integral of Gamma/v from which, and up to which, the distribution is resolved.
_EARLY, _LATE = 1e-7, 40.0


class Passage(NamedTuple):
    """Mean, standard deviation and kurtosis (3 for a Gaussian) of switching fields, one value a member."""

    mean: Array
    width: Array
    kurtosis: Array


def first_passage(fields: ArrayLike, log_rates: ArrayLike, rate: float) -> Passage:
    """Return the moments of the switching field for given escape rates.

    Between the fields ln(Gamma) is interpolated by cubics through four points.  What has not switched at
    the last field switches there; what happens below the first is counted at the first.

    Parameters
    ----------
    fields : array-like, shape (b,) [T]
        Ascending, at least four.
    log_rates : array-like, shape (..., b)
        Natural logarithm of the rate [1/s] at the fields.
    rate : float [T/s]
        Sweep rate, > 0.

    Returns
    -------
    Passage
        Of arrays with shape (...).

    Raises
    ------
    InputError
        If the fields do not rise or the shapes differ.

    Examples
    --------
    A constant rate gives exponential waiting:

    >>> fields = np.linspace(0.0, 60.0, 601)
    >>> moments = first_passage(fields, np.zeros(601), 1.0)
    >>> round(float(moments.mean), 4), round(float(moments.width), 4)
    (1.0, 1.0)
    """
    grid = checks.finite_array("fields", fields, "T", shape=(None,))
    values = checks.finite_array("log_rates", log_rates)
    if len(grid) < 4 or not np.all(np.diff(grid) > 0) or values.shape[-1:] != grid.shape:
        msg = f"fields must rise and match log_rates, got {grid.shape} and {values.shape}"
        raise InputError(f"{msg}; give at least four fields and one rate for each")
    speed = checks.positive("rate", rate, "T/s")
    flat = np.ascontiguousarray(values.reshape(-1, len(grid)))
    moments = _moments(grid, flat, speed).reshape(3, *values.shape[:-1])
    return Passage(moments[0], moments[1], moments[2])


def passed(fields: Array, log_rates: Array, rate: float) -> Array:
    """Return the integral of Gamma/v up to each of ``fields``; the share that is left is exp(-integral).

    Both arrays are (member, b) with fields (b,), as for `first_passage`; at most 750, where nothing is left.
    """
    return _passed(fields, np.ascontiguousarray(log_rates), rate)


def mean_switchings(
    difference: float, width: float, other_width: float, *, confidence: float = 0.95
) -> float:
    r"""Return how many switchings tell two means apart.

    .. math:: N = z^2\frac{(\sigma+\sigma')^2}{4(\bar B-\bar B')^2},\quad z = 2\,\Phi^{-1}(\text{confidence})

    so that each of the two errors, to see a difference that is none and to miss one, has the probability
    1 - confidence.

    Parameters
    ----------
    difference : float [T]
        Difference of the means.
    width, other_width : float [T]
        Standard deviations under the two laws.
    confidence : float, default 0.95
        Probability to be right whichever law holds, in (0.5, 1).

    Returns
    -------
    float
        At least 1; infinite for equal means.

    Examples
    --------
    >>> round(mean_switchings(1e-3, 1e-3, 1e-3), 1)
    10.8
    """
    z = 2.0 * _quantile(confidence)
    if difference == 0.0:
        return inf
    return max(1.0, (z * (width + other_width) / (2.0 * difference)) ** 2)


def width_switchings(ratio: float, kurtosis: float, *, confidence: float = 0.95) -> float:
    r"""Return how many switchings tell two widths apart.

    .. math:: N = 1 + z^2\,\frac{\kappa-1}{4\ln^2 r}

    because the logarithm of a sample's standard deviation has the variance (kappa - 1)/4N; z as for
    `mean_switchings`.  The same holds for the standard deviation of the logarithms of waiting times.

    Parameters
    ----------
    ratio : float
        Ratio r of the standard deviations, > 0.
    kurtosis : float
        Fourth central moment over the squared variance: 3 for a Gaussian, 5.4 for Gumbel's law, which the
        switching field of one particle approaches and the logarithm of its waiting time obeys.
    confidence : float, default 0.95
        As for `mean_switchings`.

    Examples
    --------
    >>> round(width_switchings(1.2, 5.4))
    359
    """
    z = 2.0 * _quantile(confidence)
    spread = log(checks.positive("ratio", ratio))
    if spread == 0.0:
        return inf
    return 1.0 + z**2 * (checks.positive("kurtosis", kurtosis) - 1.0) / (4.0 * spread**2)


def _quantile(confidence: float) -> float:
    value = checks.fraction_of_one("confidence", confidence)
    if not 0.5 < value < 1.0:
        raise InputError(f"confidence must lie between 0.5 and 1, got {value}; give for example 0.95")
    return NormalDist().inv_cdf(value)


@njit(cache=True)
def _weights(fields: Array, first: int, at: float) -> tuple[float, float, float, float]:
    """Return the weights of Lagrange's cubic through four fields from ``first`` on."""
    x0, x1, x2, x3 = fields[first], fields[first + 1], fields[first + 2], fields[first + 3]
    d0, d1, d2, d3 = at - x0, at - x1, at - x2, at - x3
    return (
        d1 * d2 * d3 / ((x0 - x1) * (x0 - x2) * (x0 - x3)),
        d0 * d2 * d3 / ((x1 - x0) * (x1 - x2) * (x1 - x3)),
        d0 * d1 * d3 / ((x2 - x0) * (x2 - x1) * (x2 - x3)),
        d0 * d1 * d2 / ((x3 - x0) * (x3 - x1) * (x3 - x2)),
    )


@njit(cache=True)
def _cubic(values: Array, first: int, weights: tuple[float, float, float, float]) -> float:
    a, b, c, d = weights
    return float(a * values[first] + b * values[first + 1] + c * values[first + 2] + d * values[first + 3])


@njit(cache=True)
def _interpolated(fields: Array, values: Array, at: float) -> float:
    """Return Lagrange's cubic through the four nearest points, cut off where exp would overflow."""
    above = int(np.searchsorted(fields, at))
    first = min(max(above - 2, 0), fields.size - 4)
    return min(_cubic(values, first, _weights(fields, first, at)), _STEEPEST)


@njit(cache=True)
def _panel(left: float, right: float, step: float) -> float:
    """Return the integral of a rate whose logarithm is linear from left to right."""
    difference = right - left
    if abs(difference) < 1e-6:
        return step * exp(left) * (1.0 + 0.5 * difference)
    return step * (exp(right) - exp(left)) / difference


@njit(cache=True)
def _window(fields: Array, values: Array, speed: float) -> tuple[int, int, float]:
    """Return the panels between which the member switches, and the integral up to the first."""
    first, last, before, total = 0, fields.size - 1, 0.0, 0.0
    for i in range(fields.size - 1):
        if total < _EARLY:
            first, before = i, total
        step = fields[i + 1] - fields[i]
        total += _panel(min(values[i], _STEEPEST), min(values[i + 1], _STEEPEST), step) / speed
        if total > _LATE:
            last = i + 1
            break
    return first, last, before


@njit(cache=True)
def _moments(fields: Array, values: Array, speed: float) -> Array:
    count = values.shape[0]
    result = np.empty((3, count))
    share, centre = np.empty(_PANELS + 1), np.empty(_PANELS + 1)
    for member in range(count):
        row = values[member]
        first, last, passed = _window(fields, row, speed)
        # A last panel of the table may hold the whole rise: shorten the window to where it ends.
        lo, hi = fields[first], fields[last]
        for _ in range(4):
            start, end, before, done = _tabulate(fields, row, speed, lo, hi, passed, share, centre)
            if done:
                break
            lo, hi, passed = start, end, before
        mean = np.sum(share * centre)
        # Each panel has a width of its own.
        variance = np.sum(share * (centre - mean) ** 2) + ((hi - lo) / _PANELS) ** 2 / 12.0
        result[0, member] = mean
        result[1, member] = variance**0.5
        result[2, member] = np.sum(share * (centre - mean) ** 4) / variance**2 if variance > 0 else 3.0
    return result


@njit(cache=True)
def _tabulate(
    fields: Array, row: Array, speed: float, lo: float, hi: float, passed: float, share: Array, centre: Array
) -> tuple[float, float, float, bool]:
    """Fill in the shares that switch in equal panels from lo to hi; ask for a narrower window if few do."""
    step = (hi - lo) / _PANELS
    total, left = passed, _interpolated(fields, row, lo)
    start, end, at_start = lo, hi, passed
    used = 0
    for i in range(_PANELS):
        right = _interpolated(fields, row, lo + (i + 1) * step)
        if total < _EARLY:
            start, at_start = lo + i * step, total
        grown = total + _panel(left, right, step) / speed
        share[i] = exp(-total) - exp(-grown)
        centre[i] = lo + (i + 0.5) * step
        if share[i] > 1e-200:  # the density is nearly linear inside a panel
            centre[i] += step**2 / 12.0 * (exp(right - grown) - exp(left - total)) / (speed * share[i])
        if total <= _LATE < grown:
            end = lo + (i + 1) * step
        used += _EARLY <= total <= _LATE
        total, left = grown, right
    share[0] += 1.0 - exp(-passed)
    share[_PANELS], centre[_PANELS] = exp(-total), hi
    return start, end, at_start, used > _PANELS // 2


@njit(cache=True)
def _passed(fields: Array, values: Array, speed: float) -> Array:
    count = values.shape[0]
    result = np.zeros(values.shape)
    total, left = np.zeros(count), np.minimum(values[:, 0], _STEEPEST)
    for i in range(fields.size - 1):
        step = (fields[i + 1] - fields[i]) / _FINER
        first = min(max(i - 1, 0), fields.size - 4)
        for part in range(1, _FINER + 1):
            weights = _weights(fields, first, fields[i] + part * step)
            for member in range(count):
                if total[member] < _GONE:
                    right = min(_cubic(values[member], first, weights), _STEEPEST)
                    total[member] += _panel(left[member], right, step) / speed
                    left[member] = right
        result[:, i + 1] = np.minimum(total, _GONE)
    return result
