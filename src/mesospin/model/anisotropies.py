"""Biaxial anisotropy of a spin of any size: what stays the same when the spin grows."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from mesospin.errors import InvalidModelError
from mesospin.model.spin import set_fields
from mesospin.units import Quantity, to_kelvin

__all__ = ["Anisotropy", "FixedConstants", "FixedDensity"]


class Anisotropy(ABC):
    """A rule that gives every spin its constants; its subclasses are frozen values."""

    __slots__ = ()

    @abstractmethod
    def constants(self, S: float) -> tuple[float, float]:
        """Return D and E [K] of D Sz^2 + E(Sx^2 - Sy^2) for a spin S."""

    @abstractmethod
    def describe(self) -> str:
        """Return what stays the same, in words."""


@dataclass(frozen=True, slots=True, init=False)
class FixedConstants(Anisotropy):
    r"""The same constants for every spin, as for molecules built from the same ions.

    .. math:: H = D S_z^2 + E(S_x^2 - S_y^2)

    The barrier (abs(D) - abs(E)) S^2 grows with the square of the spin.

    Parameters
    ----------
    D, E : float or str [K]
        Constants; D < -abs(E), so that z is the easy axis.

    Raises
    ------
    InvalidModelError
        If z is not the easy axis.

    Examples
    --------
    >>> FixedConstants(D="-0.5 K", E="0.1 K").constants(10)
    (-0.5, 0.1)
    """

    D: float
    E: float

    def __init__(self, D: Quantity, E: Quantity = 0.0) -> None:
        axial, rhombic = to_kelvin(D, "D"), to_kelvin(E, "E")
        if not axial < -abs(rhombic):
            raise InvalidModelError(
                f"D must be below -|E| [K] for an easy axis z, got D = {axial:g} and E = {rhombic:g}; "
                "exchange the axes"
            )
        set_fields(self, D=axial, E=rhombic)

    def constants(self, S: float) -> tuple[float, float]:  # noqa: ARG002
        """Return D and E [K]."""
        return self.D, self.E

    def describe(self) -> str:
        """Return the constants."""
        return f"D = {self.D:g} K and E = {self.E:g} K for every spin"


@dataclass(frozen=True, slots=True, init=False)
class FixedDensity(Anisotropy):
    r"""A fixed anisotropy energy per spin, as for grains of one material (Prokof'ev and Stamp).

    .. math:: H = \frac1S\left(-K_\parallel S_z^2 + K_\perp S_y^2\right)

    z is the easy axis, y the hard one; D = -(K_par + K_perp/2)/S and E = -K_perp/(2S).  The barrier
    K_par S is proportional to the volume.

    Parameters
    ----------
    K_parallel : float or str [K]
        Easy-axis energy, > 0.
    K_perpendicular : float or str [K]
        Hard-axis energy, >= 0.

    Raises
    ------
    InvalidModelError
        If a constant has the wrong sign.

    References
    ----------
    - N. V. Prokof'ev and P. C. E. Stamp, J. Low Temp. Phys. 104, 143 (1996).

    Examples
    --------
    >>> FixedDensity("1 K", "2 K").constants(100)
    (-0.02, -0.01)
    """

    K_parallel: float
    K_perpendicular: float

    def __init__(self, K_parallel: Quantity, K_perpendicular: Quantity = 0.0) -> None:
        easy, hard = to_kelvin(K_parallel, "K_parallel"), to_kelvin(K_perpendicular, "K_perpendicular")
        if not (easy > 0.0 and hard >= 0.0):
            raise InvalidModelError(
                f"K_parallel must be positive and K_perpendicular not negative [K], got {easy:g} and "
                f"{hard:g}; z is easy and y hard"
            )
        set_fields(self, K_parallel=easy, K_perpendicular=hard)

    def constants(self, S: float) -> tuple[float, float]:
        """Return D and E [K] of a spin S."""
        return -(self.K_parallel + self.K_perpendicular / 2) / S, -self.K_perpendicular / (2 * S)

    def describe(self) -> str:
        """Return the energies."""
        return (
            f"{self.K_parallel:g} K (easy axis) and {self.K_perpendicular:g} K (hard axis) per unit of spin"
        )
