"""Shapes of a relaxation in the ac susceptibility: Debye, Cole-Cole, Cole-Davidson, Havriliak-Negami, sums.

Every shape is ``chi = chi_S + sum_k D_chi_k (1 + (i w tau_k)^(1 - alpha_k))^(-gamma_k)`` with some of its
numbers fixed, w = 2 pi f and chi = chi' - i chi''.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, polygamma

__all__ = [
    "AC_MODELS",
    "AcModel",
    "ColeDavidson",
    "Debye",
    "DoubleGeneralisedDebye",
    "DoubleGeneralisedDebyeEqualChi",
    "GeneralisedDebye",
    "HavriliakNegami",
]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_LARGEST: Final = 300.0
"""Logarithm of (w tau)^(1 - alpha) beyond which nothing is left of a relaxation."""
_DEFINED: Final = {"alpha": (-0.9, 1.0), "gamma": (0.0, np.inf)}


@dataclass(frozen=True, slots=True)
class AcModel(ABC):
    """A shape of the ac susceptibility; parameter names and meaning are those of ccfit2.

    Attributes
    ----------
    title : str
        Name for people.
    names : tuple of str
        Its parameters: times [s], susceptibilities in the unit of the data, exponents.
    """

    title: ClassVar[str]
    names: ClassVar[tuple[str, ...]]

    @property
    def times(self) -> tuple[str, ...]:
        """Names of its relaxation times."""
        return tuple(name for name in self.names if name.startswith("tau"))

    @property
    def amplitudes(self) -> tuple[str, ...]:
        """Names of the parameters in which it is linear."""
        return tuple(name for name in self.names if "chi" in name)

    def bounds(self, name: str) -> tuple[float, float]:
        """Return the open interval in which a fit may look for a parameter, wider than what is physical."""
        return next((ends for stem, ends in _DEFINED.items() if name.startswith(stem)), (-np.inf, np.inf))

    @abstractmethod
    def steps(self, parameters: Floats) -> tuple[Step, ...]:
        """Return the relaxations that it is the sum of, from parameters (..., p) with ln tau for tau."""

    @abstractmethod
    def levels_of(self) -> Floats:
        """Return the matrix (1 + steps, a) that gives chi_S and the heights from the amplitudes."""

    def chi(self, frequency: ArrayLike, **parameters: float) -> Complexes:
        """Return chi' - i chi'' at frequencies [Hz], in the unit of the amplitudes.

        Parameters
        ----------
        frequency : array-like [Hz]
        **parameters : float
            Every name of ``names``; times in s.

        Returns
        -------
        ndarray of complex, shape of ``frequency``
        """
        values = [np.log(parameters[n]) if n in self.times else parameters[n] for n in self.names]
        log_omega = np.log(2 * np.pi * np.asarray(frequency, dtype=np.float64))
        row = np.asarray(values, dtype=np.float64)[None]
        chi: Complexes = self.value_and_slopes(row, log_omega.reshape(1, -1))[0]
        return chi.reshape(np.shape(frequency))

    def value_and_slopes(self, parameters: Floats, log_omega: Floats) -> tuple[Complexes, Complexes]:
        """Return chi (g, n) and its derivatives (g, n, p) for parameters (g, p) and ln omega (g, n)."""
        position = {name: place for place, name in enumerate(self.names)}
        slopes = np.zeros((len(self.names), *log_omega.shape), dtype=np.complex128)
        mixing = self.levels_of()
        linear = [position[name] for name in self.amplitudes]
        levels = parameters[:, linear] @ mixing.T
        chi = np.repeat(levels[:, :1], log_omega.shape[1], axis=1).astype(np.complex128)
        slopes[linear] = mixing[0][:, None, None]
        for k, step in enumerate(self.steps(parameters), start=1):
            shape, by_time, by_alpha, by_gamma = step.shape_and_slopes(log_omega)
            height = levels[:, k, None]
            chi += height * shape
            for place, share in zip(linear, mixing[k], strict=True):
                if share:
                    slopes[place] += share * shape
            for name, slope in ((step.time, by_time), (step.alpha, by_alpha), (step.gamma, by_gamma)):
                if name:
                    slopes[position[name]] += height * slope
        return chi, np.moveaxis(slopes, 0, -1)

    def log_time_moments(self, parameters: Floats) -> tuple[Floats, Floats]:
        """Return mean and standard deviation (g, times) of ln tau for parameters (g, p).

        For every step <ln tau> = ln tau + (psi(gamma) + gamma_E)/a and var = (psi'(gamma) + pi^2/6)/a^2 -
        pi^2/3 with a = 1 - alpha; for gamma = 1 the variance is (pi^2/3)(1/a^2 - 1).  References: R. Zorn,
        J. Chem. Phys. 116, 3204 (2002), eqs. 26, 27; D. Reta and N. F. Chilton, Phys. Chem. Chem. Phys. 21,
        23567 (2019).
        """
        moments = [step.log_time_moments() for step in self.steps(parameters)]
        mean, variance = (np.stack(part, axis=-1) for part in zip(*moments, strict=True))
        return mean, np.sqrt(np.where(variance > -1e-12, np.maximum(variance, 0.0), np.nan))

    def mean_slopes(self, parameters: Floats) -> Floats:
        """Return the derivatives (g, times, p) of <ln tau> for parameters (g, p)."""
        steps = self.steps(parameters)
        slopes = np.zeros((len(parameters), len(steps), len(self.names)))
        for k, step in enumerate(steps):
            slopes[:, k, self.names.index(step.time)] = 1.0
            a = 1.0 - step.alpha_value
            if step.gamma:
                slopes[:, k, self.names.index(step.gamma)] = polygamma(1, step.gamma_value) / a
                if step.alpha:
                    shift = digamma(step.gamma_value) - digamma(1.0)
                    slopes[:, k, self.names.index(step.alpha)] = shift / a**2
        return slopes


@dataclass(frozen=True, slots=True)
class Step:
    """One relaxation of a sum: values (...,) and the names of the parameters that they come from."""

    log_time: Floats
    alpha_value: Floats
    time: str
    alpha: str = ""
    gamma: str = ""
    gamma_value: Floats | float = 1.0

    def shape(self, log_omega: Floats) -> Complexes:
        """Return (1 + z)^-gamma, z = (i w tau)^(1 - alpha), shape (..., n)."""
        return self._shape(self._power(log_omega))

    def shape_and_slopes(self, log_omega: Floats) -> tuple[Complexes, Complexes, Complexes, Complexes]:
        """Return the shape and its slopes in ln tau, alpha and gamma, all (..., n); unused ones are 0."""
        z = self._power(log_omega)
        shape = self._shape(z)
        falling = z * shape / (1.0 + z)
        nothing: Complexes = np.zeros((), dtype=np.complex128)
        by_gamma = nothing
        if self.gamma:
            gamma = np.asarray(self.gamma_value)[..., None]
            falling = gamma * falling
            by_gamma = -shape * np.log1p(z)
        by_alpha = nothing
        if self.alpha:
            by_alpha = falling * (log_omega + self.log_time[..., None] + 0.5j * np.pi)
        return shape, -(1.0 - self.alpha_value[..., None]) * falling, by_alpha, by_gamma

    def log_time_moments(self) -> tuple[Floats, Floats]:
        """Return mean and variance (...,) of ln tau; Zorn's formulae."""
        a = 1.0 - self.alpha_value
        if not self.gamma:
            return self.log_time, np.pi**2 / 3 * (1 / a**2 - 1)
        mean = self.log_time + (digamma(self.gamma_value) - digamma(1.0)) / a
        return mean, (polygamma(1, self.gamma_value) + np.pi**2 / 6) / a**2 - np.pi**2 / 3

    def _power(self, log_omega: Floats) -> Complexes:
        a = 1.0 - self.alpha_value[..., None]
        size = np.exp(np.minimum(a * (log_omega + self.log_time[..., None]), _LARGEST))
        power: Complexes = size * np.exp(0.5j * np.pi * a)
        return power

    def _shape(self, z: Complexes) -> Complexes:
        if not self.gamma:
            return 1.0 / (1.0 + z)
        shape: Complexes = np.exp(-np.asarray(self.gamma_value)[..., None] * np.log1p(z))
        return shape


class _OneStep(AcModel):
    """A model with chi_S, chi_T and one relaxation."""

    __slots__ = ()

    def levels_of(self) -> Floats:
        return np.array([[1.0, 0.0], [-1.0, 1.0]])


@dataclass(frozen=True, slots=True)
class Debye(_OneStep):
    """A single relaxation time: ``chi_S + (chi_T - chi_S)/(1 + i w tau)``.

    Reference: P. Debye, Polar Molecules (1929); H. B. G. Casimir and F. K. du Pre, Physica 5, 507 (1938).

    Examples
    --------
    >>> import numpy as np
    >>> chi = Debye().chi(1 / (2 * np.pi), tau=1.0, chi_S=0.0, chi_T=2.0)
    >>> complex(np.round(chi, 12))
    (1-1j)
    """

    title: ClassVar[str] = "Debye"
    names: ClassVar[tuple[str, ...]] = ("tau", "chi_S", "chi_T")

    def steps(self, parameters: Floats) -> tuple[Step, ...]:
        """Return its one relaxation."""
        return (Step(parameters[..., 0], np.zeros(parameters.shape[:-1]), "tau"),)


@dataclass(frozen=True, slots=True)
class GeneralisedDebye(_OneStep):
    """A symmetric distribution of ln tau: ``chi_S + (chi_T - chi_S)/(1 + (i w tau)^(1 - alpha))``.

    Reference: K. S. Cole and R. H. Cole, J. Chem. Phys. 9, 341 (1941).

    Examples
    --------
    >>> import numpy as np
    >>> peak = GeneralisedDebye().chi(1 / (2 * np.pi), tau=1.0, chi_S=0.0, chi_T=2.0, alpha=0.5)
    >>> bool(np.isclose(-peak.imag, np.tan(np.pi * 0.5 / 4)))
    True
    """

    title: ClassVar[str] = "Generalised Debye"
    names: ClassVar[tuple[str, ...]] = ("tau", "chi_S", "chi_T", "alpha")

    def steps(self, parameters: Floats) -> tuple[Step, ...]:
        """Return its one relaxation."""
        return (Step(parameters[..., 0], parameters[..., 3], "tau", "alpha"),)


@dataclass(frozen=True, slots=True)
class ColeDavidson(_OneStep):
    """A one-sided distribution of ln tau: ``chi_S + (chi_T - chi_S)/(1 + i w tau)^gamma``.

    Reference: D. W. Davidson and R. H. Cole, J. Chem. Phys. 19, 1484 (1951).
    """

    title: ClassVar[str] = "Cole-Davidson"
    names: ClassVar[tuple[str, ...]] = ("tau", "chi_S", "chi_T", "gamma")

    def steps(self, parameters: Floats) -> tuple[Step, ...]:
        """Return its one relaxation."""
        alpha = np.zeros(parameters.shape[:-1])
        return (Step(parameters[..., 0], alpha, "tau", gamma="gamma", gamma_value=parameters[..., 3]),)


@dataclass(frozen=True, slots=True)
class HavriliakNegami(_OneStep):
    """A skewed distribution of ln tau: ``chi_S + (chi_T - chi_S)/(1 + (i w tau)^(1 - alpha))^gamma``.

    Reference: S. Havriliak and S. Negami, Polymer 8, 161 (1967).
    """

    title: ClassVar[str] = "Havriliak-Negami"
    names: ClassVar[tuple[str, ...]] = ("tau", "chi_S", "chi_T", "alpha", "gamma")

    def steps(self, parameters: Floats) -> tuple[Step, ...]:
        """Return its one relaxation."""
        return (Step(parameters[..., 0], parameters[..., 3], "tau", "alpha", "gamma", parameters[..., 4]),)


@dataclass(frozen=True, slots=True)
class DoubleGeneralisedDebye(AcModel):
    """Two Cole-Cole relaxations: ``chi_total + sum_k D_chi_k/(1 + (i w tau_k)^(1 - alpha_k))``.

    ``chi_total`` is the susceptibility above both relaxations; tau1 is the longer time.
    """

    title: ClassVar[str] = "Double Generalised Debye"
    names: ClassVar[tuple[str, ...]] = (
        "tau1", "alpha1", "D_chi1", "tau2", "alpha2", "D_chi2", "chi_total",
    )  # fmt: skip

    def steps(self, parameters: Floats) -> tuple[Step, ...]:
        """Return its two relaxations."""
        return (
            Step(parameters[..., 0], parameters[..., 1], "tau1", "alpha1"),
            Step(parameters[..., 3], parameters[..., 4], "tau2", "alpha2"),
        )

    def levels_of(self) -> Floats:
        """Return how D_chi1, D_chi2, chi_total make the levels."""
        return np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


@dataclass(frozen=True, slots=True)
class DoubleGeneralisedDebyeEqualChi(AcModel):
    """Two Cole-Cole relaxations of equal height and equal alpha; tau1 is the longer time."""

    title: ClassVar[str] = "Double Generalised Debye Equal Chi"
    names: ClassVar[tuple[str, ...]] = ("tau1", "tau2", "alpha", "chi_S", "chi_T")

    def steps(self, parameters: Floats) -> tuple[Step, ...]:
        """Return its two relaxations."""
        alpha = parameters[..., 2]
        return (
            Step(parameters[..., 0], alpha, "tau1", "alpha"),
            Step(parameters[..., 1], alpha, "tau2", "alpha"),
        )

    def levels_of(self) -> Floats:
        """Return how chi_S and chi_T make the levels."""
        return np.array([[1.0, 0.0], [-0.5, 0.5], [-0.5, 0.5]])


AC_MODELS: Final[dict[str, AcModel]] = {
    "debye": Debye(),
    "generalised-debye": GeneralisedDebye(),
    "cole-davidson": ColeDavidson(),
    "havriliak-negami": HavriliakNegami(),
    "double-generalised-debye": DoubleGeneralisedDebye(),
    "double-generalised-debye-equal-chi": DoubleGeneralisedDebyeEqualChi(),
}
"""The models by the name they have at the command line and in study files."""
