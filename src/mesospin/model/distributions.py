"""Distributions of a parameter over the molecules of a sample: frozen values with a quantile function.

Which quantity they describe, and so the unit of their numbers, is decided by the argument that they are
given to; texts with units are read there.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mesospin import checks
from mesospin.errors import InvalidModelError
from mesospin.model.spin import set_fields
from mesospin.units import Quantity

__all__ = ["Distribution", "Gaussian", "LogGaussian", "Rayleigh", "Values"]

#: Reads a number or a text with a unit: ``(value, name) -> float``.
Reader = Callable[[Quantity, str], float]


class Distribution(ABC):
    """The distribution of one number; its subclasses are frozen values."""

    __slots__ = ()

    @abstractmethod
    def quantiles(self, u: NDArray[np.float64], read: Reader, name: str) -> NDArray[np.float64]:
        """Return the values below which the shares ``u`` of all molecules lie.

        Parameters
        ----------
        u : ndarray, shape (k,)
            Shares, 0 < u < 1.
        read : callable
            Reads the parameters of the distribution in the unit of the quantity, e.g. ``units.to_kelvin``.
        name : str
            Name of the quantity, for messages.

        Raises
        ------
        InputError
            If a parameter has another unit, is not finite, or a width is negative.
        """


@dataclass(frozen=True, slots=True)
class Gaussian(Distribution):
    """A number with a Gaussian distribution.

    Parameters
    ----------
    mean : float or str
        Mean.
    width : float or str
        Standard deviation, >= 0.

    Examples
    --------
    >>> from mesospin.units import to_kelvin
    >>> Gaussian("2 mK", "1 mK").quantiles(np.array([0.5, 0.8413]), to_kelvin, "E").round(5)
    array([0.002, 0.003])
    """

    mean: Quantity
    width: Quantity

    def quantiles(self, u: NDArray[np.float64], read: Reader, name: str) -> NDArray[np.float64]:
        """Return mean + width times the standard normal quantile."""
        mean = read(self.mean, f"mean of {name}")
        width = checks.non_negative(f"width of {name}", read(self.width, f"width of {name}"))
        return np.asarray(mean + width * ndtri(u), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class LogGaussian(Distribution):
    r"""A positive number whose logarithm has a Gaussian distribution.

    .. math:: x = s\,e^{-X},\qquad X = -\ln(x/s) \sim N(\mathrm{mean}, \mathrm{width})

    For a rhombic constant the scale :math:`s = 2|D|` makes X the tunnelling parameter
    :math:`X_E = -\ln(|E|/2D)` of Mertes et al..

    Parameters
    ----------
    mean, width : float
        Mean and standard deviation of X, width >= 0.
    scale : float or str
        Number s, > 0, in the unit of the quantity.

    References
    ----------
    - K. M. Mertes et al., arXiv:cond-mat/0209110 (2002).

    Examples
    --------
    >>> from mesospin.units import to_kelvin
    >>> LogGaussian(6.0, 1.0, scale="1.096 K").quantiles(np.array([0.5]), to_kelvin, "E").round(6)
    array([0.002717])
    """

    mean: float
    width: float
    scale: Quantity

    def quantiles(self, u: NDArray[np.float64], read: Reader, name: str) -> NDArray[np.float64]:
        """Return scale times exp(-X); the largest X is the smallest number."""
        mean = checks.finite(f"mean of {name}", self.mean)
        width = checks.non_negative(f"width of {name}", self.width)
        scale = checks.positive(f"scale of {name}", read(self.scale, f"scale of {name}"))
        return np.asarray(scale * np.exp(-mean + width * ndtri(u)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Rayleigh(Distribution):
    r"""The magnitude of a vector whose two components are independent Gaussians of mean 0.

    .. math:: P(x) = \frac{x}{w^2}\,e^{-x^2/2w^2}

    Parameters
    ----------
    width : float or str
        Standard deviation w of each component, >= 0; the mean square of the magnitude is 2 w^2.

    Examples
    --------
    >>> from mesospin.units import to_tesla
    >>> Rayleigh("10 mT").quantiles(np.array([1 - np.exp(-0.5)]), to_tesla, "transverse").round(6)
    array([0.01])
    """

    width: Quantity

    def quantiles(self, u: NDArray[np.float64], read: Reader, name: str) -> NDArray[np.float64]:
        """Return width times sqrt(-2 ln(1 - u))."""
        width = checks.non_negative(f"width of {name}", read(self.width, f"width of {name}"))
        return np.asarray(width * np.sqrt(-2.0 * np.log1p(-u)), dtype=np.float64)


@dataclass(frozen=True, slots=True, init=False)
class Values(Distribution):
    """A finite set of values, such as those of solvent isomers; one value is the same for every molecule.

    Parameters
    ----------
    values : sequence of float or str
        At least one.
    weights : sequence of float, optional
        Share of the molecules that has each value; they sum to 1.  Equal shares if left out.

    Raises
    ------
    InvalidModelError
        If there is no value, or the weights do not match the values or do not sum to 1 within 1e-9.

    Examples
    --------
    >>> from mesospin.units import to_kelvin
    >>> Values(["0 K", "2 mK"], [0.25, 0.75]).quantiles(np.array([0.2, 0.3]), to_kelvin, "E")
    array([0.   , 0.002])
    """

    values: tuple[Quantity, ...]
    weights: tuple[float, ...]

    def __init__(self, values: Sequence[Quantity], weights: Sequence[float] | None = None) -> None:
        entries = tuple(values)
        if isinstance(values, str) or not entries:
            raise InvalidModelError(f"values must be a sequence of numbers, got {values!r}; give one or more")
        shares = (1.0 / len(entries),) * len(entries) if weights is None else tuple(weights)
        shares = tuple(checks.fraction_of_one("weight", share) for share in shares)
        if len(shares) != len(entries):
            raise InvalidModelError(
                f"weights must be one for each of {len(entries)} values, got {len(shares)}; give as many"
            )
        if not abs(sum(shares) - 1.0) <= 1e-9:
            raise InvalidModelError(
                f"weights of the values must sum to 1, got {sum(shares):.12g}; rescale them"
            )
        set_fields(self, values=tuple(v if isinstance(v, str) else float(v) for v in entries), weights=shares)

    def quantiles(self, u: NDArray[np.float64], read: Reader, name: str) -> NDArray[np.float64]:
        """Return the value whose interval of cumulated shares contains each u."""
        numbers = np.array([read(value, name) for value in self.values])
        edges = np.cumsum(self.weights)[:-1]
        chosen = np.searchsorted(edges, u, side="right")
        return np.asarray(numbers[chosen], dtype=np.float64)
