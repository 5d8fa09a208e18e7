"""A law of relaxation on relaxation times: the least-squares problem and its solution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.measured.relaxation.processes import RateLaw
from mesospin.measured.relaxation.rate_data import RateData

__all__ = ["RateFit", "RateTask", "correlation", "quotable"]

Floats = NDArray[np.float64]

_DECADE: Final = 1.0
"""Standard error of a decimal logarithm beyond which an amplitude is not quoted."""
_RELATIVE: Final = 0.5
"""Relative standard error beyond which an energy or a power is not quoted."""


class RateTask(NamedTuple):
    """Relaxation times, the law, and which of its parameters are held."""

    data: RateData
    law: RateLaw
    held: Mapping[str, float]

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which parameters move."""
        return np.array([name not in self.held for name in self.law.names])

    def residuals(self, parameters: Floats, _rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return residuals (g, n) of ln tau and their derivatives (g, n, p)."""
        T, B, sigma = self.data.T, self.data.B, self.data.sigma
        rate = self.law.log_rate(parameters, T, B)
        difference = (-rate - self.data.log_tau) / sigma
        return difference, -self.law.slopes(parameters, T, B) / sigma[:, None]

    def criteria(self, chi2: float) -> dict[str, float]:
        """Return the information criteria; an unknown common variance counts as a parameter."""
        count, k = len(self.data.T), int(self.free.sum()) + (not self.data.known)
        deviance = chi2 if self.data.known else count * np.log(max(chi2, 1e-300) / count)
        aic = deviance + 2 * k
        room = count - k - 1
        aicc = aic + 2 * k * (k + 1) / room if room > 0 else np.nan
        return {"aic": float(aic), "aicc": float(aicc), "bic": float(deviance + k * np.log(count))}


class RateFit(NamedTuple):
    """The best of the fits."""

    values: Floats
    covariance: Floats
    chi2: float
    regular: bool
    agreeing: int


def quotable(law: RateLaw, free: NDArray[np.bool_], values: Floats, error: Floats) -> NDArray[np.bool_]:
    """Return which parameters of a law have an error small enough to quote; one that is held counts."""
    logarithm = np.array([unit.startswith("log10") for unit in law.units])
    limit = np.where(logarithm, _DECADE, _RELATIVE * np.abs(values))
    with np.errstate(invalid="ignore"):  # NaN: the covariance is singular
        return np.asarray(~free | (error <= limit))


def correlation(covariance: Floats) -> Floats:
    """Return the correlations of a covariance; NaN for parameters that are held."""
    spread = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(covariance / np.outer(spread, spread))
