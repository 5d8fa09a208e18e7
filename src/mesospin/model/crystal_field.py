r"""Crystal fields of lanthanide ions in the notations of the literature, all stored as Stevens terms.

* ``"B"``: :math:`H = \sum B_{kq} O_k^q(J)`, the Stevens operators of this package;
* ``"A<r^k>"``: :math:`B_{kq} = \theta_k\,A_{kq}\langle r^k\rangle` with the Stevens factor of the ion;
* ``"Wybourne"``: the coefficients of spherical tensors,
  :math:`B_{kq} = \pm\lambda_{kq}\,\theta_k\,L_{kq}`, with the sign of the convention:

  ``"C_-q"``
      :math:`L_{k0} C_{k0} + \sum_{q>0} L_{kq}[C_{k,-q} + (-1)^q C_{kq}]
      + L_{k,-q}\, i[C_{k,-q} - (-1)^q C_{kq}]` (Goerller-Walrand and Binnemans, McPhase,
      PyCrystalField): all signs are +.
  ``"C_+q"``
      :math:`\sum_q B^k_q C_{kq}` with :math:`B^k_{-q} = (-1)^q (B^k_q)^*` (Wybourne), where
      :math:`L_{kq}` is the real and :math:`L_{k,-q}` the imaginary part of :math:`B^k_q`: the signs are
      :math:`(-1)^q` and :math:`-(-1)^q`.

The spherical tensors have the phase of Condon and Shortley.  The two differ for odd q and for the sine
components (q < 0), so these are refused unless the convention is named.

References
----------
- C. Goerller-Walrand and K. Binnemans, Handbook on the Physics and Chemistry of Rare Earths 23, 121
  (1996).
- B. G. Wybourne, Spectroscopic Properties of Rare Earths (Wiley, 1965).
- K. W. H. Stevens, Proc. Phys. Soc. A 65, 209 (1952).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from mesospin.checks import instance_of, one_of
from mesospin.constants import KELVIN_PER_WAVENUMBER
from mesospin.errors import InputError, InvalidModelError
from mesospin.model.ions import RANKS, Ion, ion
from mesospin.model.terms import Stevens
from mesospin.operators.stevens import check_rank
from mesospin.units import Quantity, to_kelvin

__all__ = [
    "NOTATIONS",
    "WYBOURNE_CONVENTIONS",
    "CrystalFieldParameter",
    "crystal_field",
    "crystal_field_parameters",
    "describe_crystal_field",
    "wybourne_factor",
]

NOTATIONS = ("B", "A<r^k>", "Wybourne")
WYBOURNE_CONVENTIONS = ("C_-q", "C_+q")

#: Squares of lambda_kq.
_SQUARES = {
    2: (1 / 4, 6.0, 3 / 2),
    4: (1 / 64, 5 / 4, 5 / 8, 35 / 4, 35 / 32),
    6: (1 / 256, 21 / 32, 105 / 256, 105 / 64, 63 / 128, 693 / 64, 231 / 256),
}


class CrystalFieldParameter(NamedTuple):
    """One component of a crystal field in all notations [K]; None where the Stevens factor vanishes."""

    k: int
    q: int
    B: float
    A: float | None
    L: float | None


def wybourne_factor(k: int, q: int, convention: str | None = None) -> float:
    r"""Return :math:`\pm\lambda_{kq}` of :math:`B_{kq} = \pm\lambda_{kq}\theta_k L_{kq}`.

    Parameters
    ----------
    k, q : int
        Rank 2, 4 or 6 and component.
    convention : str, optional
        ``"C_-q"`` or ``"C_+q"``.
        Which combination of spherical tensors L belongs to; needed for odd q and for q < 0.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If the convention is unknown, or left out where it decides the sign.
    InvalidModelError
        If there is no such component.

    Examples
    --------
    >>> wybourne_factor(4, 0), round(wybourne_factor(4, 3, "C_+q"), 6)
    (0.125, -2.95804)
    >>> wybourne_factor(4, 3)
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: convention must be named for L43, whose sign it decides, got none; write
    "C_-q" if L multiplies C_-q + (-1)^q C_q, "C_+q" if it multiplies C_q + (-1)^q C_-q
    """
    _check_component(k, q)
    size = sqrt(_SQUARES[k][abs(q)])
    odd = q % 2 == 1
    if convention is None:
        if odd or q < 0:
            raise InputError(
                f"convention must be named for L{k}{q}, whose sign it decides, got none; write "
                '"C_-q" if L multiplies C_-q + (-1)^q C_q, "C_+q" if it multiplies C_q + (-1)^q C_-q'
            )
        return size
    one_of("convention", convention, WYBOURNE_CONVENTIONS)
    if convention == "C_+q" and odd != (q < 0):
        return -size
    return size


def crystal_field(
    name: str | Ion,
    values: Mapping[tuple[int, int], Quantity],
    *,
    notation: str,
    convention: str | None = None,
    site: int = 0,
    frame: Sequence[Quantity] | None = None,
) -> tuple[Stevens, ...]:
    r"""Return the Stevens terms of a crystal field given in one of three notations.

    Parameters
    ----------
    name : str or Ion
        The ion, e.g. "Er3+"; its J limits the rank and its Stevens factors convert.
    values : mapping of (k, q) to float or str [K]
        Parameters, k = 2, 4 or 6 and -k <= q <= k; q < 0 are the sine components.
    notation : {"B", "A<r^k>", "Wybourne"}
        What the numbers are (see the module).
    convention : str, optional
        ``"C_-q"`` or ``"C_+q"``.
        Combination of spherical tensors of ``"Wybourne"``; needed where it decides a sign.
    site : int, default 0
        Index of the ion in its system.
    frame : three angles [rad] or None, default None
        Active zyz rotation of the axes of the field.

    Returns
    -------
    tuple of Stevens
        In the order of ``values``; those that are 0 are kept.

    Raises
    ------
    InputError
        If the notation or the convention is unknown, the convention is missing or does not belong to the
        notation, or a value is not an energy.
    InvalidModelError
        If a rank exceeds 2J, is not one of a 4f shell, or has a vanishing Stevens factor (Gd3+) in a
        notation that needs it.

    Examples
    --------
    The field of TbPc2:

    >>> terms = crystal_field("Tb3+", {(2, 0): "414 cm^-1", (4, 0): "-228 cm^-1"}, notation="A<r^k>")
    >>> [round(term.B, 5) for term in terms]
    [-6.0167, -0.04016]
    >>> crystal_field("Ce3+", {(6, 0): 1.0}, notation="B")
    Traceback (most recent call last):
    ...
    mesospin.errors.InvalidModelError: k must be at most 2S = 5 for a spin 5/2, got 6; remove the term
    """
    multiplet = ion(name)
    one_of("notation", notation, NOTATIONS)
    instance_of("values", values, Mapping, hint="write {(2, 0): -1.35, ...}")
    if convention is not None:
        one_of("convention", convention, WYBOURNE_CONVENTIONS)
        if notation != "Wybourne":
            raise InputError(
                f'convention must be left out for the notation "{notation}", got {convention!r}; it belongs '
                'to "Wybourne"'
            )
    terms = []
    for key, value in values.items():
        k, q = _component(key)
        check_rank(multiplet.spin().S, k, q)
        number = to_kelvin(value, f"{notation[0]}{k}{q}")
        factor = _factor(multiplet, k, q, notation, convention)
        terms.append(Stevens(k, q, factor * number, site, frame))
    return tuple(terms)


def _factor(multiplet: Ion, k: int, q: int, notation: str, convention: str | None) -> float:
    """Return B_kq over the given number."""
    if notation == "B":
        return 1.0
    theta = multiplet.stevens_factor(k)
    if theta == 0:
        raise InvalidModelError(
            f"{multiplet.name} must have a Stevens factor of rank {k} for the notation "
            f'"{notation}", got 0 for {multiplet.term}; give B{k}{q} in the notation "B"'
        )
    if notation == "A<r^k>":
        return float(theta)
    return wybourne_factor(k, q, convention) * float(theta)


def crystal_field_parameters(
    name: str | Ion, terms: Sequence[object], *, convention: str = "C_-q"
) -> tuple[CrystalFieldParameter, ...]:
    r"""Return the Stevens terms of an ion in all notations.

    .. math:: A_{kq}\langle r^k\rangle = B_{kq}/\theta_k,\qquad L_{kq} = \pm B_{kq}/(\lambda_{kq}\theta_k)

    Parameters
    ----------
    name : str or Ion
        The ion.
    terms : sequence of Term
        Terms of its system; those that are not `Stevens` are passed over.
    convention : str
        ``"C_-q"`` or ``"C_+q"``.
        Combination of spherical tensors for L.

    Returns
    -------
    tuple of CrystalFieldParameter
        In the order of the terms, with energies [K] in the frame of each term.

    Raises
    ------
    InputError
        If the convention is unknown.
    InvalidModelError
        If a rank is not one of a 4f shell.

    Examples
    --------
    >>> (row,) = crystal_field_parameters("Er3+", [Stevens(2, 0, "-1.35 K")])
    >>> round(row.A, 4), round(row.L, 4)
    (-531.5625, -1063.125)
    """
    multiplet = ion(name)
    rows = []
    for term in terms:
        if isinstance(term, Stevens):
            theta = float(multiplet.stevens_factor(term.k))
            ratio = wybourne_factor(term.k, term.q, convention) * theta
            A, L = (term.B / theta, term.B / ratio) if theta else (None, None)
            rows.append(CrystalFieldParameter(term.k, term.q, term.B, A, L))
    return tuple(rows)


def describe_crystal_field(name: str | Ion, terms: Sequence[object], *, convention: str = "C_-q") -> str:
    """Return the conversion of a crystal field between the notations as a table in text.

    Parameters
    ----------
    name : str or Ion
        The ion.
    terms : sequence of Term
        Terms of its system; those that are not `Stevens` are passed over.
    convention : str
        ``"C_-q"`` or ``"C_+q"``.
        Combination of spherical tensors for L, named in the table.

    Returns
    -------
    str
        Several lines: the ion with its factors, the formulas, one line a component.

    Examples
    --------
    >>> print(describe_crystal_field("Er3+", [Stevens(2, 0, "-1.35 K"), Stevens(4, 4, "18 mK")]))
    Er3+, 4f^11, 4I15/2, g_J = 6/5, Stevens factors 4/1575, 2/45045, 8/3864861
    B = theta_k A<r^k> = lambda theta_k L, L times C_-q + (-1)^q C_q (convention C_-q)
     k  q       B [K]    B [cm^-1]  A<r^k> [cm^-1]     L [cm^-1]     lambda
     2  0       -1.35    -0.938297        -369.454      -738.909        0.5
     4  4       0.018    0.0125106         281.771       269.424    1.04583
    """
    multiplet = ion(name)
    combination = "C_-q + (-1)^q C_q" if convention == "C_-q" else "C_q + (-1)^q C_-q"
    lines = [
        multiplet.describe(),
        f"B = theta_k A<r^k> = lambda theta_k L, L times {combination} (convention {convention})",
        f"{'k':>2} {'q':>2} {'B [K]':>11} {'B [cm^-1]':>12} {'A<r^k> [cm^-1]':>15} {'L [cm^-1]':>13} "
        f"{'lambda':>10}",
    ]
    for row in crystal_field_parameters(multiplet, terms, convention=convention):
        A, L = (_wavenumbers(value) for value in (row.A, row.L))
        factor = wybourne_factor(row.k, row.q, convention)
        lines.append(
            f"{row.k:>2} {row.q:>2} {row.B:>11.6g} {_wavenumbers(row.B):>12} {A:>15} {L:>13} {factor:>10.6g}"
        )
    return "\n".join(lines)


def _wavenumbers(value: float | None) -> str:
    return "-" if value is None else f"{value / KELVIN_PER_WAVENUMBER:.6g}"


def _component(key: object) -> tuple[int, int]:
    if not isinstance(key, tuple) or len(key) != 2:
        raise InputError(f"values must be given for pairs (k, q), got the key {key!r}; write (2, 0)")
    k, q = key
    _check_component(k, q)
    return k, q


def _check_component(k: int, q: int) -> None:
    if k not in RANKS:
        raise InvalidModelError(
            f"k must be 2, 4 or 6 inside a 4f shell, got {k!r}; remove the term, or add a Stevens term"
        )
    check_rank(k / 2, k, q)
