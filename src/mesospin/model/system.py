"""A magnetic system: spins, the terms of its Hamiltonian, and where the numbers come from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from mesospin.checks import instance_of, nearest
from mesospin.errors import InputError, InvalidModelError
from mesospin.model.environment import Defaults
from mesospin.model.formula import describe_system
from mesospin.model.spin import Spin, set_fields
from mesospin.model.term import Term
from mesospin.model.terms import SpinPower
from mesospin.units import Quantity, to_kelvin

__all__ = ["SpinSystem", "giant_spin"]


@dataclass(frozen=True, slots=True, init=False)
class SpinSystem:
    r"""Spins with a Hamiltonian that is affine in the field, :math:`H(B) = H_0 + B\cdot G`.

    The value holds spins and terms only; matrices are functions of it in ``mesospin.spectrum``.

    Parameters
    ----------
    name : str
        Short name.
    spins : sequence of Spin
        At least one; the first is the slowest index of the product basis.
    terms : sequence of Term, default ()
        Zero-field part of the Hamiltonian; the Zeeman terms follow from the spins.
    sources : sequence of str, default ()
        Where the numbers come from.
    defaults : Defaults, optional
        Surroundings used when a function is not given others.
    title : str, default ""
        One line for people.
    variant : str, default ""
        Name of the parameter set, where the library has several.

    Raises
    ------
    InvalidModelError
        If there is no spin or a term does not fit the spins.

    Examples
    --------
    >>> from mesospin.model.terms import ZeroFieldSplitting
    >>> ni = SpinSystem("Ni(II)", [Spin(1, 2.2)], [ZeroFieldSplitting("-5 K")])
    >>> ni.dimension, ni.is_kramers
    (3, False)
    """

    name: str
    spins: tuple[Spin, ...]
    terms: tuple[Term, ...]
    sources: tuple[str, ...]
    defaults: Defaults
    title: str
    variant: str

    def __init__(
        self,
        name: str,
        spins: Sequence[Spin],
        terms: Sequence[Term] = (),
        sources: Sequence[str] = (),
        defaults: Defaults | None = None,
        title: str = "",
        variant: str = "",
    ) -> None:
        if not isinstance(name, str) or not name:
            raise InvalidModelError(f"name must be a non-empty text, got {name!r}; give the system a name")
        set_fields(
            self,
            name=name,
            spins=tuple(spins),
            terms=tuple(terms),
            sources=tuple(str(source) for source in sources),
            defaults=Defaults() if defaults is None else defaults,
            title=title,
            variant=variant,
        )
        self._validate()

    def _validate(self) -> None:
        if not self.spins:
            raise InvalidModelError("spins must name at least one spin, got none; add a Spin")
        for spin in self.spins:
            if not isinstance(spin, Spin):
                raise InvalidModelError(f"spins must contain Spin values, got {spin!r}; write Spin(S, g)")
        for term in self.terms:
            if not isinstance(term, Term):
                raise InvalidModelError(
                    f"terms must contain Term values, got {term!r}; use a class of mesospin.model"
                )
            term.validate(self.spins)
        for i, spin in enumerate(self.spins):
            if spin.nuclear and len(self.spins) == 1:
                raise InvalidModelError(
                    f"spins must contain an electronic spin, got the nucleus {i} alone; add one"
                )

    @property
    def dimension(self) -> int:
        """Number of states of the product space."""
        return math.prod(spin.dimension for spin in self.spins)

    @property
    def dimensions(self) -> tuple[int, ...]:
        """Number of states of each spin."""
        return tuple(spin.dimension for spin in self.spins)

    @property
    def is_kramers(self) -> bool:
        """Whether an odd number of spins is half-integer, nuclei included: twofold levels at B = 0."""
        return sum(round(2 * spin.S) % 2 for spin in self.spins) % 2 == 1

    @property
    def electronic_sites(self) -> tuple[int, ...]:
        """Indices of the spins that are not nuclear."""
        return tuple(i for i, spin in enumerate(self.spins) if not spin.nuclear)

    def replace(self, **changes: Any) -> "SpinSystem":
        """Return a copy with some fields changed, validated anew.

        Examples
        --------
        >>> giant_spin(10, D=-0.5).replace(name="other").name
        'other'
        """
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        for key in changes:
            if key not in values:
                raise InputError(
                    f"replace must be given fields of a SpinSystem, got {key!r}; {nearest(key, values)}"
                )
        return SpinSystem(**(values | changes))

    def with_terms(self, *terms: Term) -> "SpinSystem":
        """Return a copy with terms added.

        Examples
        --------
        >>> from mesospin.model.terms import ZeroFieldSplitting
        >>> len(giant_spin(10, D=-0.5).with_terms(ZeroFieldSplitting(0.0, "2 mK")).terms)
        2
        """
        return self.replace(terms=self.terms + terms)

    def describe(self) -> str:
        """Return the Hamiltonian with values and units, the conventions, sources and surroundings.

        Examples
        --------
        >>> print(giant_spin(10, D="-0.548 K", g=1.94).describe().splitlines()[2])
        H = - 0.548 K Sz^2
        """
        variant = f" ({self.variant})" if self.variant else ""
        heading = f"{self.name}{variant}" + (f": {self.title}" if self.title else "")
        kramers = (
            "a Kramers system: every level is twofold at B = 0" if self.is_kramers else "not a Kramers system"
        )
        facts = [f"{self.dimension} states; {kramers}"]
        return describe_system(heading, self.spins, self.terms, facts, self.sources, self.defaults)


def check_system(system: object) -> None:
    """Raise unless ``system`` is a SpinSystem; a name or a path has to be loaded first."""
    instance_of("system", system, SpinSystem, hint='use load("name") or load("file.toml")')


def giant_spin(
    S: float,
    *,
    D: Quantity,
    E: Quantity = 0.0,
    A4: Quantity = 0.0,
    C4: Quantity = 0.0,
    g: float | Sequence[Any] = 2.0,
    name: str = "giant spin",
) -> SpinSystem:
    r"""Return a molecule whose ground multiplet is one large spin.

    .. math:: H = D S_z^2 + E(S_x^2 - S_y^2) + A_4 S_z^4 + C_4(S_+^4 + S_-^4) + \mu_B B\cdot g\cdot S

    Parameters
    ----------
    S : float
        Spin, half-integer.
    D, E, A4, C4 : float or str [K]
        Anisotropy constants; D < 0 is an easy axis.  Powers of Sz, not Stevens operators: no S(S+1)/3 is
        subtracted.
    g : number, 3 values or 3x3, default 2.0
        g tensor.
    name : str, default "giant spin"
        Name of the system.

    Returns
    -------
    SpinSystem
        Without surroundings (``defaults`` is empty).

    Raises
    ------
    InvalidModelError
        If S is not a half-integer, or a fourth power is given to a spin that has none.

    Examples
    --------
    >>> giant_spin(10, D=-0.548, A4=-1.17e-3, C4=-2.2e-5, g=1.94).dimension
    21
    """
    parts = (
        (to_kelvin(D, "D"), 2, 0),
        (0.5 * to_kelvin(E, "E"), 0, 2),
        (to_kelvin(A4, "A4"), 4, 0),
        (to_kelvin(C4, "C4"), 0, 4),
    )
    terms = tuple(SpinPower(value, z=z, ladder=ladder) for value, z, ladder in parts if value != 0.0)
    return SpinSystem(name, (Spin(S, g),), terms)
