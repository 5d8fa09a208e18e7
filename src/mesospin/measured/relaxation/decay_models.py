"""Shapes of a decay of the moment after a step of the field: stretched exponentials, one or two."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["DECAY_MODELS", "DecayModel", "DoubleExponential", "StretchedExponential"]

Floats = NDArray[np.float64]

_STRETCHES: Final = (0.02, 3.0)


@dataclass(frozen=True, slots=True)
class DecayModel(ABC):
    """A shape of the decay: ``m_eq + sum_k a_k exp(-(t/tau_k)^beta_k)``.

    A fit works with ln tau_k, beta_k (its ``inner`` parameters), m_eq and the heights a_k; names and meaning
    of what is reported are those of ccfit2.

    Attributes
    ----------
    title : str
        Name for people.
    names : tuple of str
        What is reported.
    inner : tuple of str
        ln tau_1, beta_1, ..., m_eq, a_1, ...
    """

    title: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    inner: ClassVar[tuple[str, ...]]

    @property
    def steps(self) -> int:
        """Number of exponentials."""
        return len(self.inner) // 3

    @property
    def times(self) -> tuple[str, ...]:
        """Names of the times."""
        return tuple(name for name in self.names if name.startswith("tau"))

    def bounds(self) -> tuple[Floats, Floats]:
        """Return the open intervals in which a fit may look for the inner parameters."""
        ends = np.array([_STRETCHES if name.startswith("beta") else (-np.inf, np.inf) for name in self.inner])
        return ends[:, 0], ends[:, 1]

    def value_and_slopes(self, parameters: Floats, log_time: Floats) -> tuple[Floats, Floats]:
        """Return m (g, n) and its derivatives (g, n, p) for inner parameters (g, p) and ln t (g, n)."""
        count = self.steps
        slopes = np.empty((*log_time.shape, len(self.inner)))
        value = np.repeat(parameters[:, 2 * count, None], log_time.shape[1], axis=1)
        slopes[..., 2 * count] = 1.0
        for k in range(count):
            log_tau, beta = parameters[:, 2 * k, None], parameters[:, 2 * k + 1, None]
            height = parameters[:, 2 * count + 1 + k, None]
            delay = log_time - log_tau
            # (t/tau)^beta; ln 0 = -inf gives 0, beyond exp(300) nothing is left of the exponential
            power = np.exp(np.minimum(beta * delay, 300.0))
            left = np.exp(-power)
            value += height * left
            slopes[..., 2 * k] = height * left * power * beta
            slopes[..., 2 * k + 1] = -height * left * power * np.where(power > 0, delay, 0.0)
            slopes[..., 2 * count + 1 + k] = left
        return value, slopes

    @abstractmethod
    def reported(self, parameters: Floats) -> Floats:
        """Return what is reported, in the order of ``names``, for inner parameters (g, p)."""


@dataclass(frozen=True, slots=True)
class StretchedExponential(DecayModel):
    """One decay: ``m_eq + (m_0 - m_eq) exp(-(t/tau)^beta)``; beta = 1 is a single time.

    Reference: R. Kohlrausch, Ann. Phys. 167, 179 (1854).
    """

    title: ClassVar[str] = "Stretched exponential"
    names: ClassVar[tuple[str, ...]] = ("tau", "beta", "m_eq", "m_0")
    inner: ClassVar[tuple[str, ...]] = ("ln_tau", "beta", "m_eq", "height")

    def reported(self, parameters: Floats) -> Floats:
        """Return tau, beta, m_eq, m_0."""
        log_tau, beta, m_eq, height = parameters.T
        return np.stack([np.exp(log_tau), beta, m_eq, m_eq + height], axis=-1)


@dataclass(frozen=True, slots=True)
class DoubleExponential(DecayModel):
    """Two decays: ``m_eq + (m_0 - m_eq) [frac e_1 + (1 - frac) e_2]``, e_k = exp(-(t/tau_k)^beta_k).

    tau1 is the longer time.
    """

    title: ClassVar[str] = "Double stretched exponential"
    names: ClassVar[tuple[str, ...]] = ("tau1", "beta1", "tau2", "beta2", "m_eq", "m_0", "frac")
    inner: ClassVar[tuple[str, ...]] = (
        "ln_tau1", "beta1", "ln_tau2", "beta2", "m_eq", "height1", "height2",
    )  # fmt: skip

    def reported(self, parameters: Floats) -> Floats:
        """Return tau1, beta1, tau2, beta2, m_eq, m_0, frac."""
        log_tau1, beta1, log_tau2, beta2, m_eq, first, second = parameters.T
        whole = first + second
        columns = [np.exp(log_tau1), beta1, np.exp(log_tau2), beta2, m_eq, m_eq + whole, first / whole]
        return np.stack(columns, axis=-1)


DECAY_MODELS: Final[dict[str, DecayModel]] = {
    "stretched-exponential": StretchedExponential(),
    "double-exponential": DoubleExponential(),
}
"""The models by the name they have at the command line and in study files."""
