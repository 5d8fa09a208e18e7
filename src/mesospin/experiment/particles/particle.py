"""Particles whose magnetisation turns as one vector, and collections of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin import checks, units
from mesospin.constants import MU_B
from mesospin.errors import InputError
from mesospin.experiment.particles.landscape import Landscape, switching_ratio, tabulated
from mesospin.model.spin import set_fields
from mesospin.units import Quantity

__all__ = ["InverseSpread", "LogNormalSpread", "Members", "Particle", "Spread", "field_angle", "normal_nodes"]

#: Beyond this angle the barrier back is as low as the barrier forth.
_LARGEST_ANGLE = np.deg2rad(85.0)


@dataclass(frozen=True, slots=True, init=False)
class Particle:
    r"""A single-domain particle: one moment with an easy, a medium and a hard axis.

    .. math:: E = \mu\left[\tfrac12 B_a(n_x^2 + n_y^2) + \tfrac12 B_h n_y^2 - \mathbf B\cdot\mathbf n\right]

    z is the easy axis, y the hard one; the field lies in the plane of z and x.

    Parameters
    ----------
    moment : float [mu_B]
        Magnetic moment, saturation magnetisation times volume; at least 2.
    anisotropy_field : float or str [T]
        B_a = 2K/M_s, the switching field along the easy axis at zero temperature, > 0.
    hard_field : float or str [T], default 0
        B_h, additional anisotropy field of the hard axis, >= 0.  It makes the precession fast and the
        tunnelling strong, and leaves the barrier as it is.
    g : float, default 2.0
        Lande factor: the spin is moment/g.
    name, title : str
        For files and figures.
    sources : tuple of str
        Where the numbers come from.

    Examples
    --------
    >>> grain = Particle(20000, "2 T", "1 T")
    >>> grain.spin, round(grain.barrier)
    (10000.0, 13434)
    """

    moment: float
    anisotropy_field: float
    hard_field: float
    g: float
    name: str
    title: str
    sources: tuple[str, ...]

    def __init__(
        self,
        moment: float,
        anisotropy_field: Quantity,
        hard_field: Quantity = 0.0,
        *,
        g: float = 2.0,
        name: str = "particle",
        title: str = "",
        sources: tuple[str, ...] = (),
    ) -> None:
        size = checks.positive("moment", moment, "mu_B")
        if size < 2.0:
            raise InputError(
                f"moment must be at least 2 [mu_B], got {size:g}; a spin this small has levels only"
            )
        easy = units.to_tesla(anisotropy_field, "anisotropy_field")
        hard = units.to_tesla(hard_field, "hard_field")
        set_fields(
            self,
            moment=size,
            anisotropy_field=checks.positive("anisotropy_field", easy, "T"),
            hard_field=checks.non_negative("hard_field", hard, "T"),
            g=checks.positive("g", g),
            name=str(name),
            title=str(title),
            sources=tuple(sources),
        )

    @classmethod
    def from_spin(
        cls, S: float, *, D: Quantity, E: Quantity = 0.0, g: float = 2.0, name: str = "particle"
    ) -> Particle:
        r"""Return the particle whose classical energy is that of H = D Sz^2 + E (Sx^2 - Sy^2), D < 0.

        Lengths are S + 1/2: with it the symbols of the operators have no correction of order 1/S, and the
        exponent of tunnelling is right to a constant factor of the rate (Weyl's correspondence).

        Parameters
        ----------
        S : float
            Spin quantum number.
        D, E : float or str [K]
            Anisotropy constants, D < 0 and \|E\| < \|D\|.
        g : float, default 2.0
            Lande factor.
        name : str
            For files and figures.

        Raises
        ------
        InputError
            If D is not negative or \|E\| is not below \|D\|.

        Examples
        --------
        >>> fe8 = Particle.from_spin(10, D="-0.292 K", E="0.046 K")
        >>> round(fe8.anisotropy_field, 3), round(fe8.hard_field, 3)
        (3.845, 1.438)
        """
        length = checks.half_integer("S", S) + 0.5
        axial, rhombic = units.to_kelvin(D, "D"), abs(units.to_kelvin(E, "E"))
        if not axial < -rhombic:
            msg = f"D must be negative and larger than E in size [K], got D = {axial:g}, E = {rhombic:g}"
            raise InputError(f"{msg}; turn the axes so that z is the easy one")
        field = 2.0 * length / (checks.positive("g", g) * MU_B)
        return cls(g * length, (-axial - rhombic) * field, 2.0 * rhombic * field, g=g, name=name)

    @property
    def spin(self) -> float:
        """Return moment/g."""
        return self.moment / self.g

    @property
    def barrier(self) -> float:
        """Return the barrier at zero field, moment times anisotropy field over 2 [K]."""
        return 0.5 * MU_B * self.moment * self.anisotropy_field

    @property
    def precession(self) -> float:
        """Return the quantum of precession g mu_B B_a in the anisotropy field [K]."""
        return self.g * MU_B * self.anisotropy_field

    @property
    def hardness(self) -> float:
        """Return hard_field over anisotropy_field."""
        return self.hard_field / self.anisotropy_field

    def switching_field(self, angle: Quantity = 0.0) -> float:
        """Return the classical switching field at zero temperature [T].

        Parameters
        ----------
        angle : float or str [rad], default 0
            Between the field and the easy direction opposite to the moment, 0 to 85 degrees.

        Examples
        --------
        >>> round(Particle(20000, "2 T").switching_field("45 deg"), 12)
        1.0
        """
        return self.anisotropy_field * switching_ratio(field_angle(angle))

    def landscape(self, angle: float) -> Landscape:
        """Return the reduced landscape at ``angle`` [rad]."""
        return tabulated(angle, self.hardness)


def field_angle(angle: Quantity, name: str = "angle") -> float:
    """Return a checked angle of the field [rad], 0 to 85 degrees."""
    value = units.to_radian(angle, name)
    if not 0.0 <= value <= _LARGEST_ANGLE:
        msg = f"{name} must lie between 0 and 85 deg [rad], got {value:g}"
        raise InputError(f"{msg}; a field across the easy axis lets the moment go forth and back")
    return value


class Members(NamedTuple):
    """Sizes and anisotropies of a collection, independent of each other.

    Parameters
    ----------
    moment, share : ndarray, shape (size,)
        Factors on the moment, and their shares of the total moment.
    anisotropy : float
        Standard deviation of ln(anisotropy field).
    """

    moment: NDArray[np.float64]
    share: NDArray[np.float64]
    anisotropy: float


class Spread(ABC):
    """How the particles of a collection differ.

    Distributions are shares of the total moment, which is what a magnetometer weighs with.
    """

    __slots__ = ()

    @abstractmethod
    def members(self) -> Members:
        """Return the nodes of a quadrature, shares that sum to 1."""


@dataclass(frozen=True, slots=True)
class LogNormalSpread(Spread):
    """Volumes and anisotropy fields with independent log-normal distributions about the particle's own.

    The law of the numbers of particles is log-normal with the same widths and a smaller median.

    Parameters
    ----------
    moment : float, default 0.4
        Standard deviation of ln(moment), >= 0.
    anisotropy : float, default 0.1
        Standard deviation of ln(anisotropy field), >= 0; the hard field scales with it.

    Examples
    --------
    >>> members = LogNormalSpread(0.4, 0.1).members()
    >>> round(float(members.share @ np.log(members.moment) ** 2), 5)
    0.16
    """

    moment: float = 0.4
    anisotropy: float = 0.1

    def __post_init__(self) -> None:
        checks.non_negative("moment", self.moment)
        checks.non_negative("anisotropy", self.anisotropy)

    def members(self) -> Members:
        """Return moments out to five standard deviations."""
        deviations, share = normal_nodes() if self.moment > 0.0 else (np.zeros(1), np.ones(1))
        return Members(np.exp(self.moment * deviations), share, self.anisotropy)


def normal_nodes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return standard deviations from -5 to 5 and their shares of a normal distribution.

    The trapezoidal rule at steps of 0.7 is exact to 1e-6 for functions that are smooth on this scale.

    Examples
    --------
    >>> nodes, share = normal_nodes()
    >>> [round(float(share @ nodes**k), 3) for k in (0, 2, 4)]
    [1.0, 1.0, 3.0]
    """
    normal = np.linspace(-5.0, 5.0, 15)
    weights = np.exp(-0.5 * normal**2)
    return normal, weights / weights.sum()


@dataclass(frozen=True, slots=True)
class InverseSpread(Spread):
    """Moments, hence barriers, with density 1/U between two factors: equal shares in every decade.

    Parameters
    ----------
    smallest, largest : float, defaults 1e-3 and 10
        Factors on the moment, 0 < smallest < largest.

    Examples
    --------
    >>> members = InverseSpread(0.01, 1.0).members()
    >>> round(float(members.share[members.moment < 0.1].sum()), 2)
    0.5
    """

    smallest: float = 1e-3
    largest: float = 10.0

    def __post_init__(self) -> None:
        low = checks.positive("smallest", self.smallest)
        if not low < checks.positive("largest", self.largest):
            raise InputError(f"largest must be above smallest, got {self.largest}; exchange the two factors")

    def members(self) -> Members:
        """Return 401 moments at equal logarithmic steps."""
        share = np.ones(401)
        share[[0, -1]] = 0.5
        return Members(np.geomspace(self.smallest, self.largest, 401), share / share.sum(), 0.0)
