"""Nuclei: spin, magnetic and quadrupole moment and abundance of isotopes, from the table ``nuclei.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources

from mesospin.checks import finite, instance_of, nearest
from mesospin.constants import KELVIN_PER_MILLIELECTRONVOLT
from mesospin.errors import InputError, InvalidModelError
from mesospin.model.spin import Spin
from mesospin.units import Quantity, to_dimensionless, to_kelvin

__all__ = ["Nucleus", "isotopes", "nucleus"]

_NAME = re.compile(r"\s*(?:(\d{1,3})-?([A-Za-z]{1,2})|([A-Za-z]{1,2})-?(\d{1,3}))\s*")
_MEASURED = re.compile(r"([+-]\d+\.(\d+))\((\d+)\)")
_BARN = 1e-28


@dataclass(frozen=True, slots=True)
class Nucleus:
    """A nucleus with a spin.

    Attributes
    ----------
    name : str
        Mass number and element, e.g. "167Er".
    spin : Fraction
        I.
    moment, moment_error : float [mu_N]
        Magnetic dipole moment and its uncertainty.
    quadrupole, quadrupole_error : float or None [barn]
        Electric quadrupole moment and its uncertainty; None for I = 1/2.
    abundance : float
        Natural share of the atoms of the element, 0 to 1.
    source : str
        Where the numbers come from.

    Examples
    --------
    >>> er = nucleus("167Er")
    >>> er.spin, er.moment, er.quadrupole, round(er.g, 5)
    (Fraction(7, 2), -0.5623, 3.57, -0.16066)
    """

    name: str
    spin: Fraction
    moment: float
    moment_error: float
    quadrupole: float | None
    quadrupole_error: float | None
    abundance: float
    source: str

    @property
    def element(self) -> str:
        """Chemical symbol."""
        return self.name.lstrip("0123456789")

    @property
    def g(self) -> float:
        """Nuclear g factor, moment over spin: the Zeeman energy is -mu_N g B.I."""
        return self.moment / float(self.spin)

    def site(self) -> Spin:
        """Return the nucleus as a spin of a system, labelled I.

        Examples
        --------
        >>> nucleus("13C").site().nuclear
        True
        """
        return Spin(float(self.spin), self.g, label="I", nuclear=True)

    def hyperfine_from(self, A: Quantity, other: str | Nucleus) -> float:
        r"""Return the hyperfine constant [K] from that of another isotope in the same surroundings.

        .. math:: A = A'\,g/g'

        Parameters
        ----------
        A : float or str [K]
            Constant of the other isotope.
        other : str or Nucleus
            The other isotope, of the same element.

        Returns
        -------
        float [K]

        Raises
        ------
        InvalidModelError
            If the isotope belongs to another element.

        Notes
        -----
        The hyperfine anomaly (nuclei are not points, a few parts in a thousand) is left out.

        Examples
        --------
        >>> from mesospin.constants import KELVIN_PER_GIGAHERTZ
        >>> A = nucleus("161Dy").hyperfine_from("152 MHz", "163Dy")
        >>> round(1e3 * A / KELVIN_PER_GIGAHERTZ, 1)
        -108.5
        """
        return to_kelvin(A, "A") * self.g / self._same_element(other).g

    def quadrupole_from(self, P: Quantity, other: str | Nucleus) -> float:
        r"""Return the quadrupole constant P [K] from that of another isotope in the same surroundings.

        .. math:: P = P'\,\frac{Q}{I(2I-1)}\,\frac{I'(2I'-1)}{Q'}

        Parameters
        ----------
        P : float or str [K]
            Constant of the other isotope, as in `Quadrupole`.
        other : str or Nucleus
            The other isotope, of the same element.

        Returns
        -------
        float [K]

        Raises
        ------
        InvalidModelError
            If the isotope belongs to another element or one of the two has no quadrupole moment.

        Examples
        --------
        >>> round(nucleus("161Dy").quadrupole_from(1.0, "163Dy"), 4)
        0.9472
        """
        reference = self._same_element(other)
        return to_kelvin(P, "P") * self._reduced_quadrupole() / reference._reduced_quadrupole()

    def quadrupole_constant(self, gradient: float) -> float:
        r"""Return the quadrupole constant P [K] in a field gradient.

        .. math:: P = \frac{3 e Q V_{zz}}{4 I (2I-1)},\qquad
                  H = P[I_z^2 - I(I+1)/3 + \eta(I_x^2 - I_y^2)/3]

        Parameters
        ----------
        gradient : float [V/m^2]
            Largest principal value V_zz of the electric field gradient at the nucleus.

        Returns
        -------
        float [K]

        Raises
        ------
        InvalidModelError
            If the nucleus has no quadrupole moment.

        Examples
        --------
        >>> P = nucleus("14N").quadrupole_constant(1e21)
        >>> round(1e6 * P, 3)
        17.79
        """
        per_volt = 1e3 * KELVIN_PER_MILLIELECTRONVOLT
        V_zz = finite("gradient", gradient, "V/m^2")
        return 0.75 * per_volt * _BARN * self._reduced_quadrupole() * V_zz

    def describe(self) -> str:
        """Return the numbers and their source as a line of text."""
        moment = f"moment {self.moment:g} mu_N (g = {self.g:.5g})"
        quadrupole = f", Q = {self.quadrupole:g} b" if self.quadrupole is not None else ""
        return f"{self.name}: I = {self.spin}, {moment}{quadrupole}: {self.source}"

    def _same_element(self, other: str | Nucleus) -> Nucleus:
        reference = nucleus(other)
        if reference.element != self.element:
            raise InvalidModelError(
                f"other must be an isotope of {self.element}, got {reference.name}; constants of different "
                "elements are not proportional"
            )
        return reference

    def _reduced_quadrupole(self) -> float:
        """Return Q/(I(2I - 1)) [barn]."""
        if self.quadrupole is None:
            raise InvalidModelError(
                f"{self.name} must have a quadrupole moment, got I = 1/2; leave the quadrupole term out"
            )
        return self.quadrupole / float(self.spin * (2 * self.spin - 1))


def nucleus(name: str | Nucleus) -> Nucleus:
    """Return an isotope from its name.

    Parameters
    ----------
    name : str or Nucleus
        "167Er", "Er167" or "Er-167"; a Nucleus is returned as it is.

    Returns
    -------
    Nucleus

    Raises
    ------
    InputError
        If the isotope is not in the table; its element's isotopes or the nearest name are suggested.

    Examples
    --------
    >>> nucleus("Tb-159").spin
    Fraction(3, 2)
    >>> nucleus("166Er")
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: isotope must be one with a nuclear spin, got '166Er'; Er has 167Er,
    leave the nucleus out
    """
    if isinstance(name, Nucleus):
        return name
    instance_of("isotope", name, str, hint='write for example "167Er"')
    match = _NAME.fullmatch(name)
    key = name
    if match is not None:
        mass, symbol = match.group(1) or match.group(4), match.group(2) or match.group(3)
        key = f"{int(mass)}{symbol.capitalize()}"
    table, without = _table()
    if key in table:
        return table[key]
    symbol = key.lstrip("0123456789")
    found = [entry.name for entry in table.values() if entry.element == symbol]
    if found or symbol in without:
        hint = f"{symbol} has {', '.join(found) or 'none'}, leave the nucleus out"
    else:
        hint = nearest(key, table)
    raise InputError(f"isotope must be one with a nuclear spin, got {name!r}; {hint}")


def isotopes(element: str) -> tuple[Nucleus, ...]:
    """Return the natural isotopes of an element that have a nuclear spin (of Pm 147Pm).

    Parameters
    ----------
    element : str
        Chemical symbol.

    Returns
    -------
    tuple of Nucleus
        In order of mass; empty where all are without spin (Ce).

    Raises
    ------
    InputError
        If the element is not in the table.

    Examples
    --------
    >>> [entry.name for entry in isotopes("Dy")], isotopes("Ce")
    (['161Dy', '163Dy'], ())
    """
    table, without = _table()
    found = tuple(entry for entry in table.values() if entry.element == element)
    if not found and element not in without:
        elements = dict.fromkeys([entry.element for entry in table.values()])
        raise InputError(
            f"element must be the symbol of one in the table of nuclei, got {element!r}; "
            f"{nearest(str(element), elements)}"
        )
    return found


@cache
def _table() -> tuple[dict[str, Nucleus], tuple[str, ...]]:
    text = resources.files("mesospin.model").joinpath("nuclei.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    table = {}
    for name, row in data["isotopes"].items():
        moment, moment_error = _measured(row["moment"])
        quadrupole, quadrupole_error = _measured(row["quadrupole"]) if "quadrupole" in row else (None, None)
        table[name] = Nucleus(
            name=name,
            spin=Fraction(row["spin"]),
            moment=moment,
            moment_error=moment_error,
            quadrupole=quadrupole,
            quadrupole_error=quadrupole_error,
            abundance=to_dimensionless(row["abundance"], f"abundance of {name}"),
            source=data["source"],
        )
    return table, tuple(data["without"])


def _measured(text: str) -> tuple[float, float]:
    """Return value and uncertainty of a text such as "-0.5623(4)"."""
    match = _MEASURED.fullmatch(text)
    if match is None:
        raise InputError(f'nuclei.toml must have moments such as "-0.5623(4)", got {text!r}; correct it')
    return float(match.group(1)), int(match.group(3)) * 10.0 ** -len(match.group(2))
