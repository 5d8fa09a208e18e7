r"""Ground multiplets of the lanthanide ions from Hund's rules, in exact fractions.

Everything follows from one Slater determinant, the state :math:`|L\,M_L{=}L;\,S\,M_S{=}S\rangle` of
:math:`4f^n`, and from the stretched state of the multiplet,

.. math::
    |J\,M{=}J\rangle = \sum_{M_L} c_{M_L} |L\,M_L;\,S\,J-M_L\rangle,\qquad
    |c_{M_L}|^2 \propto \frac{(L+M_L)!\,(S+J-M_L)!}{(L-M_L)!\,(S-J+M_L)!}.

The Stevens factors are ratios of diagonal elements: of a potential in the f orbitals, of its equivalent
in the term L, and of its equivalent in the multiplet J.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import factorial

from mesospin.checks import instance_of, nearest
from mesospin.errors import InputError, InvalidModelError
from mesospin.model.spin import Spin
from mesospin.operators.stevens import stevens_bands

__all__ = ["RANKS", "Ion", "ion", "ions"]

RANKS = (2, 4, 6)
"""Ranks of the operators that act inside a 4f shell."""

#: Electrons in the 4f shell of the ions whose ground configuration is 4f^n.
_IONS = {
    "Ce3+": 1,
    "Pr3+": 2,
    "Nd3+": 3,
    "Pm3+": 4,
    "Sm3+": 5,
    "Eu3+": 6,
    "Gd3+": 7,
    "Tb3+": 8,
    "Dy3+": 9,
    "Ho3+": 10,
    "Er3+": 11,
    "Tm3+": 12,
    "Yb3+": 13,
    "Sm2+": 6,
    "Eu2+": 7,
    "Tm2+": 13,
    "Pr4+": 1,
    "Tb4+": 7,
}

_ROMAN = {"II": 2, "III": 3, "IV": 4}
_NAME = re.compile(r"\s*([A-Za-z][a-z]?)\s*(?:\^?([234])\+|\^?\+([234])|\(?(I{2,3}|IV)\)?)\s*")

_HALF = Fraction(1, 2)
_LETTERS = "SPDFGHI"
_F = 3


@dataclass(frozen=True, slots=True)
class Ion:
    r"""The ground multiplet of a lanthanide ion.

    Attributes
    ----------
    name : str
        Name, e.g. "Er3+".
    electrons : int
        n of 4f^n.
    L, S, J : Fraction
        Quantum numbers of the ground multiplet (Hund's rules).
    g_J : Fraction
        Lande factor with g_L = 1 and g_S = 2; 0 for J = 0.
    theta : tuple of three Fraction
        Stevens factors of rank 2, 4 and 6 (alpha, beta, gamma):
        :math:`B_{kq} = \theta_k A_{kq}\langle r^k\rangle`.  0 where the multiplet has no such operator.
    field_factor : Fraction
        :math:`\langle J\|N\|J\rangle` of the field of the shell at its nucleus.

    Examples
    --------
    >>> er = ion("Er3+")
    >>> er.term, er.J, er.g_J
    ('4I15/2', Fraction(15, 2), Fraction(6, 5))
    >>> [str(factor) for factor in er.theta]
    ['4/1575', '2/45045', '8/3864861']
    """

    name: str
    electrons: int
    L: Fraction
    S: Fraction
    J: Fraction
    g_J: Fraction
    theta: tuple[Fraction, Fraction, Fraction]
    field_factor: Fraction

    @property
    def element(self) -> str:
        """Chemical symbol.

        Examples
        --------
        >>> ion("Er3+").element
        'Er'
        """
        return self.name[:2]

    @property
    def term(self) -> str:
        """Spectroscopic name of the multiplet.

        Examples
        --------
        >>> ion("Tb3+").term
        '7F6'
        """
        return f"{2 * self.S + 1}{_LETTERS[int(self.L)]}{self.J}"

    def stevens_factor(self, k: int) -> Fraction:
        """Return the Stevens factor of rank 2, 4 or 6.

        Raises
        ------
        InvalidModelError
            If the rank is another one.

        Examples
        --------
        >>> ion("Dy3+").stevens_factor(2)
        Fraction(-2, 315)
        """
        if k not in RANKS:
            raise InvalidModelError(
                f"k must be 2, 4 or 6 inside a 4f shell, got {k!r}; remove the term, or add a Stevens term"
            )
        return self.theta[RANKS.index(k)]

    def spin(self) -> Spin:
        """Return the multiplet as an electronic spin of a system, labelled J.

        Raises
        ------
        InvalidModelError
            If J = 0.

        Examples
        --------
        >>> spin = ion("Er3+").spin()
        >>> spin.S, spin.g[0][0], spin.label
        (7.5, 1.2, 'J')
        """
        if self.J == 0:
            raise InvalidModelError(
                f"{self.name} must have J > 0 to be a spin, got {self.term}; its magnetism is Van Vleck's, "
                "from levels outside the ground multiplet"
            )
        return Spin(float(self.J), float(self.g_J), label="J")

    def describe(self) -> str:
        """Return the multiplet and its factors as a line of text.

        Examples
        --------
        >>> ion("Er3+").describe()
        'Er3+, 4f^11, 4I15/2, g_J = 6/5, Stevens factors 4/1575, 2/45045, 8/3864861'
        """
        factors = ", ".join(str(factor) for factor in self.theta)
        return f"{self.name}, 4f^{self.electrons}, {self.term}, g_J = {self.g_J}, Stevens factors {factors}"


def ions() -> tuple[str, ...]:
    """Return the names of the ions that are known: Ce3+ to Yb3+, and the common 2+ and 4+ ones.

    Examples
    --------
    >>> ions()[:3], len(ions())
    (('Ce3+', 'Pr3+', 'Nd3+'), 18)
    """
    return tuple(_IONS)


def ion(name: str | Ion) -> Ion:
    r"""Return the ground multiplet of a lanthanide ion from its name.

    .. math::
        g_J = 1 + \frac{J(J+1) + S(S+1) - L(L+1)}{2J(J+1)},\qquad
        \theta_k = \frac{\sum_{M_L} |c_{M_L}|^2\, \theta_k(L)\, O_k^0(L, M_L)}{O_k^0(J, J)},\qquad
        \theta_k(L) = \frac{\sum_i \theta_k(3)\, O_k^0(3, m_i)}{O_k^0(L, L)},

    with :math:`\theta_k(3) = c_k\langle P_k\rangle_{m=3}/O_k^0(3, 3)`, :math:`c_k = 2, 8, 16`, the sum over
    the electrons of the ground determinant.

    Parameters
    ----------
    name : str or Ion
        "Er3+", "Er(III)", "ErIII"; an Ion is returned as it is.

    Returns
    -------
    Ion

    Raises
    ------
    InputError
        If the name is not one of `ions`; the nearest is suggested.

    Notes
    -----
    The ground multiplet alone: mixing with excited multiplets (large for Sm3+ and Eu3+) and the deviation
    of g_S from 2 are left out.

    References
    ----------
    - K. W. H. Stevens, Proc. Phys. Soc. A 65, 209 (1952).
    - A. Abragam and B. Bleaney, Electron Paramagnetic Resonance of Transition Ions (1970), table 20.

    Examples
    --------
    >>> ion("Ho(III)").J, ion("Ho(III)").g_J
    (Fraction(8, 1), Fraction(5, 4))
    >>> ion("Er")
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: ion must be a lanthanide ion with its charge, got 'Er'; write Er3+
    """
    if isinstance(name, Ion):
        return name
    instance_of("ion", name, str, hint='write for example "Er3+"')
    match = _NAME.fullmatch(name)
    key = name
    if match is not None:
        charge = match.group(2) or match.group(3) or _ROMAN[match.group(4)]
        key = f"{match.group(1).capitalize()}{charge}+"
    if key not in _IONS:
        same = [known for known in _IONS if known[:-2] == key[:2].capitalize()]
        hint = f"write {' or '.join(same)}" if same else nearest(key, _IONS)
        raise InputError(f"ion must be a lanthanide ion with its charge, got {name!r}; {hint}")
    return _ground_multiplet(key, _IONS[key])


@lru_cache(maxsize=64)
def _ground_multiplet(name: str, n: int) -> Ion:
    orbitals = _singly_occupied(n)
    L, S = Fraction(abs(sum(orbitals))), _HALF * len(orbitals)
    J = abs(L - S) if n < 7 else L + S
    square = J * (J + 1)
    g = 1 + (square + S * (S + 1) - L * (L + 1)) / (2 * square) if J else Fraction(0)
    second, fourth, sixth = (_stevens_factor(k, orbitals, n, L, S, J) for k in RANKS)
    return Ion(name, n, L, S, J, g, (second, fourth, sixth), _field_factor(orbitals, L, S, J, g))


def _singly_occupied(n: int) -> tuple[int, ...]:
    """Return the orbitals m with one electron, or with one hole, in the determinant M_L = L, M_S = S."""
    return tuple(range(_F, _F - n, -1)) if n <= 7 else tuple(range(_F - (n - 7), -_F - 1, -1))


def _element(k: int, j: Fraction, m: Fraction) -> Fraction:
    """Return <j m|O_k^0|j m>."""
    (band,) = stevens_bands(float(j), k, 0).bands
    return sum((c * m**power for power, c in enumerate(band.polynomial)), start=Fraction(0))


@lru_cache(maxsize=8)
def _orbital_factor(k: int) -> Fraction:
    """Return theta_k of one f electron: the potential over its equivalent, both in the orbital m = 3."""
    # powers of cos(theta) in the density sin(theta)^6, and 2 P_2, 8 P_4, 16 P_6
    mean = [Fraction(1)]
    for i in range(_F):
        mean.append(mean[-1] * Fraction(2 * i + 1, 2 * (_F + i) + 3))
    polynomial = {2: (-1, 3), 4: (3, -30, 35), 6: (-5, 105, -315, 231)}[k]
    value = sum((c * mean[i] for i, c in enumerate(polynomial)), start=Fraction(0))
    return value / _element(k, Fraction(_F), Fraction(_F))


def _stretched_weights(L: Fraction, S: Fraction, J: Fraction) -> dict[Fraction, Fraction]:
    """Return the weight of every M_L in the state M = J of the multiplet."""
    weights = {}
    for i in range(int(2 * L) + 1):
        m = L - i
        if abs(J - m) <= S:
            parts = [factorial(int(p)) for p in (L + m, S + J - m, L - m, S - J + m)]
            weights[m] = Fraction(parts[0] * parts[1], parts[2] * parts[3])
    total = sum(weights.values())
    return {m: weight / total for m, weight in weights.items()}


def _stevens_factor(
    k: int, orbitals: tuple[int, ...], n: int, L: Fraction, S: Fraction, J: Fraction
) -> Fraction:
    if k > 2 * min(L, J):
        return Fraction(0)
    # a filled shell is spherical: holes count with the opposite sign
    sign = 1 if n <= 7 else -1
    shell = sum(sign * _orbital_factor(k) * _element(k, Fraction(_F), Fraction(m)) for m in orbitals)
    term = shell / _element(k, L, L)
    mean = sum(weight * _element(k, L, m) for m, weight in _stretched_weights(L, S, J).items())
    return term * mean / _element(k, J, J)


def _field_factor(orbitals: tuple[int, ...], L: Fraction, S: Fraction, J: Fraction, g: Fraction) -> Fraction:
    r"""Return <J||N||J> of :math:`N = \sum_i l_i - s_i + 3\hat r_i(\hat r_i\cdot s_i)`.

    The part with the spins is :math:`\xi\{L(L+1)S - \frac32[(L\cdot S)L + L(L\cdot S)]\}` inside the term
    (Abragam and Bleaney, chapter 17); its element in the ground determinant gives xi.
    """
    if L == 0 or J == 0:
        return Fraction(0)
    # electrons that are alone in their orbital all have spin up; n > 7 leaves those of the holes
    dipole = sum(_HALF * _orbital_factor(2) * _element(2, Fraction(_F), Fraction(m)) for m in orbitals)
    xi = dipole / (L * S * (1 - 2 * L))
    coupling = (J * (J + 1) - L * (L + 1) - S * (S + 1)) / 2
    return (2 - g) + xi * (L * (L + 1) * (g - 1) - 3 * coupling * (2 - g))
