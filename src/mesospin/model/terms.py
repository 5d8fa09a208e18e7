"""Terms that act on one spin."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

import numpy as np

from mesospin import checks
from mesospin.errors import InvalidModelError
from mesospin.model.spin import Spin, set_fields
from mesospin.model.term import Frame, Product, Term, check_sites, frame_text, read_frame, signed
from mesospin.operators.local import LocalOperator, hermitian_bands
from mesospin.operators.rotation import rotate_tensor, stevens_mixing
from mesospin.operators.stevens import check_rank, stevens_bands
from mesospin.units import Quantity, to_kelvin

__all__ = ["Quadrupole", "SpinPower", "Stevens", "ZeroFieldSplitting"]


def _powers(label: str, z: int) -> str:
    return {0: "", 1: f"{label}z"}.get(z, f"{label}z^{z}")


def _quadratic(S: float, axial: float, rhombic: float, frame: Frame | None) -> LocalOperator:
    """Return axial (Sz^2 - S(S+1)/3) + rhombic (Sx^2 - Sy^2) in rotated axes."""
    spin = Fraction(round(2 * S), 2)
    centred = (-spin * (spin + 1) / 3, Fraction(0), Fraction(1))
    if frame is None:
        bands = hermitian_bands(0, axial, centred) if axial else ()
        return LocalOperator(S, bands + (hermitian_bands(2, rhombic, (Fraction(1, 2),)) if rhombic else ()))
    tensor = np.diag([rhombic - axial / 3, -rhombic - axial / 3, 2 * axial / 3])
    t = rotate_tensor(tensor, frame)
    double = complex(t[0, 0] - t[1, 1], -2 * t[0, 1])
    single = complex(t[0, 2], -t[1, 2])
    # {S+, Sz} takes m to m + 1 with 2m + 1 times the element of S+
    parts = (
        (0, complex(t[2, 2]), tuple(Fraction(3, 2) * c for c in centred)),
        (1, single, (Fraction(1, 2), Fraction(1))),
        (2, double, (Fraction(1, 4),)),
    )
    return LocalOperator(S, tuple(band for part in parts if part[1] for band in hermitian_bands(*part)))


@dataclass(frozen=True, slots=True, init=False)
class ZeroFieldSplitting(Term):
    r"""Quadratic anisotropy :math:`D[S_z^2 - S(S+1)/3] + E(S_x^2 - S_y^2)`; D < 0 is an easy axis.

    Parameters
    ----------
    D, E : float or str [K]
        Axial and rhombic constants, 0 for a spin 1/2.  Beyond abs(E) = abs(D)/3 another axis than z is the
        easiest or hardest; the constants are taken as they are given.
    site : int, default 0
        Index of the spin.
    frame : three angles [rad] or None, default None
        Active zyz rotation of the term's axes.

    Notes
    -----
    Tensor entries below 4 eps of the largest after a rotation are set to exact zeros.

    Examples
    --------
    >>> ZeroFieldSplitting("-0.5 cm^-1").formula((Spin(10),))
    '- 0.7193884388 K [Sz^2 - 110/3]'
    """

    D: float
    E: float
    site: int
    frame: Frame | None

    def __init__(
        self, D: Quantity, E: Quantity = 0.0, site: int = 0, frame: Sequence[Quantity] | None = None
    ) -> None:
        set_fields(
            self,
            D=to_kelvin(D, "D"),
            E=to_kelvin(E, "E"),
            site=checks.integer("site", site),
            frame=read_frame(frame),
        )

    @property
    def sites(self) -> tuple[int, ...]:
        """Index of the spin."""
        return (self.site,)

    def products(self, spins: tuple[Spin, ...]) -> list[Product]:
        """Return one local operator [K]."""
        self.validate(spins)
        return [((self.site, _quadratic(spins[self.site].S, self.D, self.E, self.frame)),)]

    def formula(self, spins: tuple[Spin, ...]) -> str:
        """Return the formula with its values."""
        s, S = spins[self.site].label, spins[self.site].S
        parts = []
        if self.D != 0.0 or self.E == 0.0:
            parts.append(f"{signed(self.D)} [{s}z^2 - {_third(S)}]")
        if self.E != 0.0:
            parts.append(f"{signed(self.E)} ({s}x^2 - {s}y^2)")
        return " ".join(parts) + frame_text(self.frame)

    def validate(self, spins: tuple[Spin, ...]) -> None:
        """Raise unless the site exists and its spin carries rank 2."""
        check_sites("ZeroFieldSplitting", self.sites, spins)
        if spins[self.site].S < 1 and (self.D != 0.0 or self.E != 0.0):
            raise InvalidModelError(
                f"D and E must be 0 [K] for a spin 1/2, whose operators have a rank of at most 2S = 1, got "
                f"{self.D:g} and {self.E:g}; remove the term"
            )


def _third(S: float) -> str:
    four_x = round(2 * S) * (round(2 * S) + 2)
    return f"{four_x // 4}/3" if four_x % 4 == 0 else f"{four_x}/12"


@dataclass(frozen=True, slots=True, init=False)
class Stevens(Term):
    r"""Extended Stevens operator with its coefficient, :math:`B_k^q O_k^q`, in the EasySpin normalisation.

    Parameters
    ----------
    k, q : int
        Rank, 1 <= k <= min(2S, 12), and component, -k <= q <= k.
    B : float or str [K]
        Coefficient.
    site : int, default 0
        Index of the spin.
    frame : three angles [rad] or None, default None
        Active zyz rotation of the term's axes; components below 64 eps of the largest are dropped.

    Examples
    --------
    >>> Stevens(4, 4, "3.0e-5 cm^-1").formula((Spin(10),))
    '+ 4.316330633e-05 K O4^4(S)'
    """

    k: int
    q: int
    B: float
    site: int
    frame: Frame | None

    def __init__(
        self, k: int, q: int, B: Quantity, site: int = 0, frame: Sequence[Quantity] | None = None
    ) -> None:
        set_fields(
            self,
            k=checks.integer("k", k),
            q=checks.integer("q", q),
            B=to_kelvin(B, f"B{k}{q}"),
            site=checks.integer("site", site),
            frame=read_frame(frame),
        )

    @property
    def sites(self) -> tuple[int, ...]:
        """Index of the spin."""
        return (self.site,)

    def products(self, spins: tuple[Spin, ...]) -> list[Product]:
        """Return one local operator [K] for each component."""
        self.validate(spins)
        S = spins[self.site].S
        mixing = ((self.q, 1.0),) if self.frame is None else stevens_mixing(self.k, self.q, self.frame)
        return [((self.site, stevens_bands(S, self.k, q).scaled(self.B * c)),) for q, c in mixing]

    def formula(self, spins: tuple[Spin, ...]) -> str:
        """Return the formula with its value."""
        return f"{signed(self.B)} O{self.k}^{self.q}({spins[self.site].label})" + frame_text(self.frame)

    def validate(self, spins: tuple[Spin, ...]) -> None:
        """Raise unless the site exists and its spin carries the rank."""
        check_sites("Stevens", self.sites, spins)
        check_rank(spins[self.site].S, self.k, self.q)


@dataclass(frozen=True, slots=True, init=False)
class SpinPower(Term):
    r"""A power of Sz, or its symmetrised product with a power of the ladder operators.

    .. math:: c\,S_z^z \quad (n = 0), \qquad
              \tfrac{c}{2}\{S_z^z,\, S_+^n + S_-^n\} \quad (n > 0),

    so that z = 0 gives :math:`c\,(S_+^n + S_-^n)`.

    Parameters
    ----------
    coefficient : float or str [K]
        Coefficient c.
    z : int, default 0
        Power of Sz.
    ladder : int, default 0
        Power n of S+ and S-.
    site : int, default 0
        Index of the spin.

    Examples
    --------
    >>> SpinPower("-22 uK", ladder=4).formula((Spin(10),))
    '- 2.2e-05 K (S+^4 + S-^4)'
    """

    coefficient: float
    z: int
    ladder: int
    site: int

    def __init__(self, coefficient: Quantity, z: int = 0, ladder: int = 0, site: int = 0) -> None:
        set_fields(
            self,
            coefficient=to_kelvin(coefficient, "coefficient"),
            z=checks.integer("z", z, at_least=0, at_most=_LARGEST_POWER),
            ladder=checks.integer("ladder", ladder, at_least=0, at_most=_LARGEST_POWER),
            site=checks.integer("site", site),
        )
        if self.z == 0 and self.ladder == 0:
            raise InvalidModelError(
                "SpinPower must have z or ladder above 0, got both 0; a constant changes nothing, remove it"
            )

    @property
    def sites(self) -> tuple[int, ...]:
        """Index of the spin."""
        return (self.site,)

    def products(self, spins: tuple[Spin, ...]) -> list[Product]:
        """Return one local operator [K]."""
        self.validate(spins)
        n, power = self.ladder, self.z
        # m^z, averaged over the two ends of the step
        lower = tuple(Fraction(int(k == power)) for k in range(power + 1))
        shifted = tuple(Fraction(comb(power, k) * n ** (power - k)) for k in range(power + 1))
        average = tuple((a + b) / 2 for a, b in zip(lower, shifted, strict=True))
        bands = hermitian_bands(n, self.coefficient, average)
        return [((self.site, LocalOperator(spins[self.site].S, bands)),)]

    def formula(self, spins: tuple[Spin, ...]) -> str:
        """Return the formula with its value."""
        s = spins[self.site].label
        power = _powers(s, self.z)
        if self.ladder == 0:
            return f"{signed(self.coefficient)} {power}"
        n = "" if self.ladder == 1 else f"^{self.ladder}"
        ladders = f"({s}+{n} + {s}-{n})"
        return f"{signed(self.coefficient)} " + (ladders if self.z == 0 else f"{{{power}, {ladders}}}/2")

    def validate(self, spins: tuple[Spin, ...]) -> None:
        """Raise unless the site exists and the power is neither zero nor a constant."""
        check_sites("SpinPower", self.sites, spins)
        largest = round(2 * spins[self.site].S)
        if self.ladder > largest:
            raise InvalidModelError(
                f"ladder must be at most 2S = {largest}, got {self.ladder}; remove the term"
            )
        # S+^2S connects -S and S alone, and the mean of their odd powers of Sz vanishes
        constant = self.ladder == 0 and largest == 1 and self.z % 2 == 0
        if constant or (self.ladder == largest and self.z % 2 == 1):
            what = f"z = {self.z} and ladder = {self.ladder} of a spin {checks.spin_text(largest / 2)}"
            raise InvalidModelError(
                f"SpinPower must split the levels, got {'a constant' if constant else 'zero'} from {what}; "
                "remove the term"
            )


_LARGEST_POWER = 24


@dataclass(frozen=True, slots=True, init=False)
class Quadrupole(Term):
    r"""Nuclear quadrupole coupling :math:`P[I_z^2 - I(I+1)/3 + \eta(I_x^2 - I_y^2)/3]`.

    Parameters
    ----------
    k : int
        Index of the nuclear spin, I >= 1.
    P : float or str [K]
        Axial constant, 3 e^2 q Q / (4 I (2I - 1)).
    eta : float, default 0
        Asymmetry, 0 <= eta <= 1.
    frame : three angles [rad] or None, default None
        Active zyz rotation of the term's axes.

    Examples
    --------
    >>> Quadrupole(0, "300 MHz").formula((Spin(1.5, 1.34, "I", nuclear=True),))
    '+ 0.01439772922 K [Iz^2 - 15/12]'
    """

    k: int
    P: float
    eta: float
    frame: Frame | None

    def __init__(
        self, k: int, P: Quantity, eta: float = 0.0, frame: Sequence[Quantity] | None = None
    ) -> None:
        set_fields(
            self,
            k=checks.integer("k", k),
            P=to_kelvin(P, "P"),
            eta=checks.fraction_of_one("eta", eta),
            frame=read_frame(frame),
        )

    @property
    def sites(self) -> tuple[int, ...]:
        """Index of the nucleus."""
        return (self.k,)

    def products(self, spins: tuple[Spin, ...]) -> list[Product]:
        """Return one local operator [K]."""
        self.validate(spins)
        return [((self.k, _quadratic(spins[self.k].S, self.P, self.P * self.eta / 3, self.frame)),)]

    def formula(self, spins: tuple[Spin, ...]) -> str:
        """Return the formula with its values."""
        s, S = spins[self.k].label, spins[self.k].S
        rhombic = f" + {self.eta:g} ({s}x^2 - {s}y^2)/3" if self.eta else ""
        return f"{signed(self.P)} [{s}z^2 - {_third(S)}{rhombic}]" + frame_text(self.frame)

    def validate(self, spins: tuple[Spin, ...]) -> None:
        """Raise unless the site exists and its spin has a quadrupole moment."""
        check_sites("Quadrupole", self.sites, spins)
        if spins[self.k].S < 1:
            raise InvalidModelError("Quadrupole must act on a spin of at least 1, got 1/2; remove the term")
