"""Shapes of spectral lines: frozen values, normalised to unit area, with their first derivative.

Which quantity is broadened, and so the unit of a bare number, is decided by the function that they are given
to; texts with units are read there.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import voigt_profile, wofz

from mesospin import checks
from mesospin.units import Quantity

__all__ = ["GaussianLine", "LineShape", "LorentzianLine"]

Floats = NDArray[np.float64]

_SIGMA = 1.0 / np.sqrt(8.0 * np.log(2.0))
"""Standard deviation of a Gaussian over its full width at half maximum."""


_SHARP = 1e-3
"""Blur over width of a Lorentzian below which it is left out of the derivative."""


class LineShape(ABC):
    """The shape of a spectral line; its subclasses are frozen values."""

    __slots__ = ()

    fwhm: Quantity

    reach: ClassVar[float]
    """Distance from the centre, in widths, beyond which the line is left out."""

    def width(self, read: Callable[[Quantity, str], float]) -> float:
        """Return the full width at half maximum in the unit that ``read`` gives.

        Parameters
        ----------
        read : callable
            ``(value, name) -> float``, e.g. ``units.to_tesla``.

        Raises
        ------
        InputError
            If the width has another unit or is not positive.
        """
        return checks.positive("fwhm of the line", read(self.fwhm, "fwhm of the line"))

    @abstractmethod
    def value(self, offset: Floats, fwhm: float, blur: Floats | float = 0.0) -> Floats:
        """Return the shape, of unit area, at ``offset``; ``blur`` is the sigma of a further Gaussian."""

    @abstractmethod
    def slope(self, offset: Floats, fwhm: float, blur: Floats | float = 0.0) -> Floats:
        """Return the derivative of the shape with respect to ``offset``."""


@dataclass(frozen=True, slots=True)
class GaussianLine(LineShape):
    r"""A Gaussian line: many molecules, each in slightly other surroundings.

    .. math:: L(x) = \frac{1}{\sigma\sqrt{2\pi}}\,e^{-x^2/2\sigma^2},\qquad \sigma = w/\sqrt{8\ln 2}

    Parameters
    ----------
    fwhm : float or str
        Full width at half maximum w, > 0; for the peak-to-peak width of the first derivative multiply
        that by 1.1774.

    Examples
    --------
    >>> line = GaussianLine("2 mT")
    >>> (line.value(np.array([0.0, 0.001]), 0.002) / line.value(np.array(0.0), 0.002)).round(6)
    array([1. , 0.5])
    """

    fwhm: Quantity

    reach = 6.0

    def value(self, offset: Floats, fwhm: float, blur: Floats | float = 0.0) -> Floats:
        """Return the shape, of unit area, at ``offset``; ``blur`` is the sigma of a further Gaussian."""
        sigma = np.hypot(_SIGMA * fwhm, blur)
        return np.asarray(np.exp(-0.5 * (offset / sigma) ** 2) / (np.sqrt(2.0 * np.pi) * sigma))

    def slope(self, offset: Floats, fwhm: float, blur: Floats | float = 0.0) -> Floats:
        """Return the derivative of the shape with respect to ``offset``."""
        sigma = np.hypot(_SIGMA * fwhm, blur)
        return np.asarray(-offset / sigma**2 * self.value(offset, fwhm, blur))


@dataclass(frozen=True, slots=True)
class LorentzianLine(LineShape):
    r"""A Lorentzian line: all molecules alike, with a finite life of the coherence.

    .. math:: L(x) = \frac{1}{\pi}\,\frac{w/2}{x^2 + (w/2)^2}

    Parameters
    ----------
    fwhm : float or str
        Full width at half maximum w, > 0; for the peak-to-peak width of the first derivative multiply
        that by 1.7321.

    Examples
    --------
    >>> float(LorentzianLine(2.0).value(np.array(0.0), 2.0).round(6))
    0.31831
    """

    fwhm: Quantity

    reach = 50.0

    def value(self, offset: Floats, fwhm: float, blur: Floats | float = 0.0) -> Floats:
        """Return the shape, of unit area, at ``offset``; ``blur`` is the sigma of a further Gaussian."""
        return np.asarray(voigt_profile(offset, blur, 0.5 * fwhm))

    def slope(self, offset: Floats, fwhm: float, blur: Floats | float = 0.0) -> Floats:
        """Return the derivative of the shape with respect to ``offset``."""
        half = 0.5 * fwhm
        bare = -2.0 * offset * half / np.pi / (offset**2 + half**2) ** 2
        # The formula of the blurred line cancels to leave nothing where the blur is small.
        sigma = np.maximum(blur, _SHARP * half)
        w = wofz((offset + 1j * half) / (np.sqrt(2.0) * sigma))
        blurred = (half * w.imag - offset * w.real) / (np.sqrt(2.0 * np.pi) * sigma**3)
        return np.asarray(np.where(np.broadcast_to(blur, bare.shape) < _SHARP * half, bare, blurred))
