"""Surroundings of a molecule: frozen parameter values of its baths and of its disorder.

Their physics (rates, averages) is in ``mesospin.bath``; here are only the numbers that a library entry
carries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from mesospin import checks, units
from mesospin.errors import InvalidModelError
from mesospin.model.spin import set_fields
from mesospin.model.term import Term
from mesospin.model.terms import ZeroFieldSplitting
from mesospin.units import Quantity

__all__ = ["DebyeLattice", "Defaults", "DipolarBath", "Disorder", "Member", "NuclearBath", "PhononBath"]


@dataclass(frozen=True, slots=True, init=False)
class PhononBath:
    r"""Debye phonons of an isotropic solid and their coupling to the spin.

    The prefactors of the one-phonon rates are a convention that belongs to the sound speed fitted with them:

    .. math:: W = p\,\frac{D^2 s\,\epsilon^3 n(\epsilon)}{\pi\rho c^5\hbar^4},

    with p = `one_quantum` for :math:`\Delta m = 1` and `two_quanta` for :math:`\Delta m = 2`.

    Parameters
    ----------
    density : float or str [kg/m3]
        Mass density, > 0.
    sound_speed : float or str [m/s]
        Speed of sound c, > 0.
    coupling : float or str [K]
        Spin-phonon constant D, > 0.
    one_quantum, two_quanta : float, defaults 1/48 and 17/192
        Prefactors, >= 0.
    source : str, default ""
        Where the numbers come from.

    Examples
    --------
    >>> PhononBath(density=1830, sound_speed="2.0 km/s", coupling="0.548 K").sound_speed
    2000.0
    """

    density: float
    sound_speed: float
    coupling: float
    one_quantum: float
    two_quanta: float
    source: str

    def __init__(
        self,
        *,
        density: Quantity,
        sound_speed: Quantity,
        coupling: Quantity,
        one_quantum: float = 1 / 48,
        two_quanta: float = 17 / 192,
        source: str = "",
    ) -> None:
        set_fields(
            self,
            density=checks.positive("density", units.to_kg_per_m3(density), "kg/m3"),
            sound_speed=checks.positive("sound_speed", units.to_metre_per_second(sound_speed), "m/s"),
            coupling=checks.positive("coupling", units.to_kelvin(coupling, "coupling"), "K"),
            one_quantum=checks.non_negative("one_quantum", one_quantum),
            two_quanta=checks.non_negative("two_quanta", two_quanta),
            source=str(source),
        )


@dataclass(frozen=True, slots=True, init=False)
class DipolarBath:
    """Gaussian distribution of the frozen longitudinal field of the neighbours.

    Parameters
    ----------
    width : float or str [T]
        Standard deviation, >= 0.
    source : str, default ""
        Where the number comes from.

    Examples
    --------
    >>> DipolarBath("25 mT").width
    0.025
    """

    width: float
    source: str

    def __init__(self, width: Quantity, source: str = "") -> None:
        set_fields(
            self, width=checks.non_negative("width", units.to_tesla(width, "width"), "T"), source=str(source)
        )


@dataclass(frozen=True, slots=True, init=False)
class NuclearBath:
    r"""Window of bias that fast nuclear spins open for tunnelling.

    Line shape :math:`\rho(\xi) = e^{-|\xi|/\xi_0}/(2\xi_0)` of Prokof'ev and Stamp, J. Low Temp. Phys. 104,
    143 (1996); it takes the place of the lifetime line.

    Parameters
    ----------
    width : float or str [K]
        Window :math:`\xi_0`, > 0.
    source : str, default ""
        Where the number comes from.

    Examples
    --------
    >>> NuclearBath("10 mK").width
    0.01
    """

    width: float
    source: str

    def __init__(self, width: Quantity, source: str = "") -> None:
        set_fields(
            self, width=checks.positive("width", units.to_kelvin(width, "width"), "K"), source=str(source)
        )


@dataclass(frozen=True, slots=True, init=False)
class DebyeLattice:
    """Lattice heat of a Debye solid, per mole of formula units.

    Parameters
    ----------
    theta : float or str [K]
        Debye temperature, > 0.
    atoms : float, default 1
        Number of atoms (mode triples) per formula unit, > 0.
    source : str, default ""
        Where the numbers come from.

    Examples
    --------
    >>> DebyeLattice("41 K").theta
    41.0
    """

    theta: float
    atoms: float
    source: str

    def __init__(self, theta: Quantity, atoms: float = 1.0, source: str = "") -> None:
        set_fields(
            self,
            theta=checks.positive("theta", units.to_thermodynamic_kelvin(theta, "theta"), "K"),
            atoms=checks.positive("atoms", atoms),
            source=str(source),
        )


@dataclass(frozen=True, slots=True, init=False)
class Member:
    """One kind of molecule in an ensemble.

    Parameters
    ----------
    weight : float
        Fraction of the molecules, 0 to 1.
    terms : sequence of Term, default ()
        Terms added to the Hamiltonian of the ideal molecule.
    tilt : float or str [rad], default 0
        Angle between the easy axis and the axis along which the field is applied, 0 to pi/2.
    azimuth : float or str [rad], default 0
        Direction of the tilt around the easy axis.
    transverse : two values [T], default (0, 0)
        Constant transverse field (Bx, By).

    Examples
    --------
    >>> Member(0.5, tilt="0.6 deg").terms
    ()
    """

    weight: float
    terms: tuple[Term, ...]
    tilt: float
    azimuth: float
    transverse: tuple[float, float]

    def __init__(
        self,
        weight: float,
        terms: Sequence[Term] = (),
        tilt: Quantity = 0.0,
        azimuth: Quantity = 0.0,
        transverse: Sequence[Quantity] = (0.0, 0.0),
    ) -> None:
        if isinstance(transverse, str) or len(transverse) != 2:
            raise InvalidModelError(
                f"transverse must be two fields (Bx, By) [T], got {transverse!r}; give both"
            )
        bx, by = (units.to_tesla(component, "transverse") for component in transverse)
        angle = units.to_radian(tilt, "tilt")
        if not 0.0 <= angle < np.pi / 2:
            raise InvalidModelError(
                f"tilt must lie between 0 and pi/2 [rad], got {angle}; turn the axis instead"
            )
        set_fields(
            self,
            weight=checks.fraction_of_one("weight", weight),
            terms=tuple(terms),
            tilt=angle,
            azimuth=units.to_radian(azimuth, "azimuth"),
            transverse=(bx, by),
        )


@dataclass(frozen=True, slots=True, init=False)
class Disorder:
    """An ensemble of frozen molecules; observables are averaged over its members.

    Parameters
    ----------
    members : sequence of Member
        At least one; the weights sum to 1.
    source : str, default ""
        Where the distribution comes from.

    Raises
    ------
    InvalidModelError
        If there is no member or the weights do not sum to 1 within 1e-9.

    Examples
    --------
    >>> len(Disorder.solvent(E=((0.0, 0.5), ("2.3 mK", 0.5)), tilt_width="0.6 deg").members)
    6
    """

    members: tuple[Member, ...]
    source: str

    def __init__(self, members: Sequence[Member], source: str = "") -> None:
        if not members:
            raise InvalidModelError(
                "members must name at least one molecule, got none; add a Member of weight 1"
            )
        total = sum(member.weight for member in members)
        if not abs(total - 1.0) <= 1e-9:
            raise InvalidModelError(f"weights of the members must sum to 1, got {total:.12g}; rescale them")
        set_fields(self, members=tuple(members), source=str(source))

    @classmethod
    def solvent(
        cls,
        *,
        E: Sequence[tuple[Quantity, float]] = ((0.0, 1.0),),
        tilt_width: Quantity = 0.0,
        transverse_width: Quantity = 0.0,
        nodes: int = 3,
        site: int = 0,
        source: str = "",
    ) -> "Disorder":
        r"""Return the ensemble of solvent isomers: each E with each node of tilt and transverse field.

        Tilt and transverse field are magnitudes of two-dimensional Gaussian vectors.  With Gauss-Laguerre
        nodes :math:`u_i` of :math:`\int_0^\infty e^{-u} f(u)\,du` the member i has the tilt :math:`\theta_i
        = w_\theta\sqrt{2u_i}` and the field :math:`(w_B\sqrt{2u_i}, 0)`.

        Parameters
        ----------
        E : sequence of (value [K], weight)
            Rhombic constant :math:`E(S_x^2 - S_y^2)` of each isomer; the weights sum to 1.
        tilt_width : float or str [rad]
            Standard deviation of each Cartesian component of the tilt.
        transverse_width : float or str [T]
            Standard deviation of each component of the transverse field.
        nodes : int, default 3
            Number of nodes; 1 is used when both widths are 0.
        site : int, default 0
            Spin that carries E.
        source : str, default ""
            Where the distribution comes from.

        Returns
        -------
        Disorder
        """
        tilt = checks.non_negative("tilt_width", units.to_radian(tilt_width, "tilt_width"), "rad")
        field_width = checks.non_negative(
            "transverse_width", units.to_tesla(transverse_width, "transverse_width"), "T"
        )
        count = checks.integer("nodes", nodes, at_least=1, at_most=64)
        if tilt == 0.0 and field_width == 0.0:
            u, w = np.array([0.0]), np.array([1.0])
        else:
            u, w = np.polynomial.laguerre.laggauss(count)
        members = []
        for value, weight in E:
            energy = units.to_kelvin(value, "E")
            terms: tuple[Term, ...] = (ZeroFieldSplitting(0.0, energy, site=site),) if energy != 0.0 else ()
            for node, share in zip(u, w, strict=True):
                radius = float(np.sqrt(2.0 * node))
                members.append(
                    Member(
                        checks.fraction_of_one("weight", weight) * float(share),
                        terms,
                        tilt=tilt * radius,
                        transverse=(field_width * radius, 0.0),
                    )
                )
        return cls(members, source)


class FromSystem(Enum):
    """The default of an argument that is taken from ``system.defaults``; ``None`` means "none"."""

    FROM_SYSTEM = "system.defaults"

    def __repr__(self) -> str:
        return "FROM_SYSTEM"


FROM_SYSTEM: Final = FromSystem.FROM_SYSTEM


@dataclass(frozen=True, slots=True)
class Defaults:
    """Surroundings that a system brings along; ``None`` means that a function must be given one.

    Parameters
    ----------
    phonons : PhononBath or None
    dipolar : DipolarBath or None
    disorder : Disorder or None
    lattice : DebyeLattice or None
    crystal : str or None
        Name of a crystal of the library.

    Examples
    --------
    >>> Defaults().phonons is None
    True
    """

    phonons: PhononBath | None = None
    dipolar: DipolarBath | None = None
    disorder: Disorder | None = None
    lattice: DebyeLattice | None = None
    crystal: str | None = None
