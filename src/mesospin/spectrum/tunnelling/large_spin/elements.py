r"""The Hamiltonian of one spin as a chain of sites: exact polynomials, elements with twice the digits.

The steps of the ladder that the terms take have a greatest common divisor g; the states m, m-g, m-2g, ...
that they connect form the chain.  Its elements are

.. math:: \langle m+ng|H|m\rangle = p_n(m)\sqrt{\prod_{i<ng}(S-m-i)(S+m+1+i)}

with polynomials :math:`p_n` whose coefficients stay rational numbers until they are evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from flint import fmpq, fmpq_poly, fmpz
from numpy.typing import NDArray

from mesospin.operators.local import LocalOperator
from mesospin.spectrum.matrices import magneton, zeeman_operators
from mesospin.spectrum.tunnelling.large_spin.double_double import rational, split
from mesospin.spectrum.tunnelling.large_spin.evaluate import bond_squares, rows, values
from mesospin.spectrum.tunnelling.problem import Problem

__all__ = ["Chain", "Ladder", "ladder"]

Real = NDArray[np.float64]
Complex = tuple[fmpq_poly, fmpq_poly]
Steps = Mapping[int, Complex]
Parts = tuple[Real, Real]

_NONE = fmpq_poly([])
_ZERO: Complex = (_NONE, _NONE)


@dataclass(frozen=True, slots=True)
class Chain:
    """The states that one Hamiltonian connects, in the order of falling m, at one field.

    Attributes
    ----------
    S : float
        Spin.
    period : int
        Difference g of the projections of neighbouring sites.
    top : float
        Projection of site 0.
    diagonal : ndarray, shape (degree + 1, 2)
        Polynomial of the diagonal elements [K], in units of ``2**exponent``, high and low parts.
    square : ndarray, shape (degree + 1, 2)
        Polynomial :math:`|p_1|^2` of the elements that connect neighbours, in the same unit.
    hops : mapping {n: (real, imaginary)}
        Polynomials p_n of the elements that connect sites n apart, likewise.
    slopes : mapping {n: (real, imaginary)}
        The same of dH/dB [K/T], n = 0 included, in kelvin per tesla.
    exponent : int
        Binary exponent of the unit of energy: in this unit elements are of order one.
    """

    S: float
    period: int
    top: float
    diagonal: Real
    square: Real
    hops: Mapping[int, Parts]
    slopes: Mapping[int, Parts]
    exponent: int

    @property
    def sites(self) -> int:
        """Number of sites."""
        return int((self.top + self.S) // self.period) + 1

    @property
    def width(self) -> int:
        """Largest distance that an element spans, in sites; at least 1."""
        return max(self.hops, default=1)

    @property
    def is_narrow(self) -> bool:
        """Whether neighbours alone are coupled and the field acts on the diagonal alone."""
        return self.width == 1 and max(self.slopes) == 0

    def projection(self, site: int) -> float:
        """Return m of a site."""
        return self.top - self.period * site

    def site(self, m: float) -> int:
        """Return the site of a projection, the nearest one if it is not of this chain."""
        return round((self.top - m) / self.period)

    def ladder_pairs(self, first: int, count: int, *, upwards: bool = False) -> tuple[Real, Real]:
        """Return diagonal elements and squared moduli of the bonds that lead to ``count`` sites.

        Sites run from ``first`` downwards in m, or upwards.  Each array has the shape (2, count), high and
        low parts; entry j of the second belongs to the bond of site j with the one before it in this order.
        """
        m, step = self.projection(first), self.period if upwards else -self.period
        lower = m - self.period if upwards else m
        square = bond_squares(self.square, self.S, self.period, lower, step, count)
        return values(self.diagonal, m, step, count), square

    def band_rows(self, first: int, count: int) -> tuple[Real, Real]:
        """Return the diagonal, shape (2, count), and the rows to its left, shape (width, 4, count).

        Row n - 1 holds <site|H|site - n> as real high, real low, imaginary high, imaginary low.
        """
        m = self.projection(first)
        table = np.zeros((self.width, 4, count))
        for n, (real, imaginary) in self.hops.items():
            table[n - 1] = rows(real, imaginary, self.S, self.period, n, m, count)
        return values(self.diagonal, m, -self.period, count), table

    def slope_diagonal(self, first: int, count: int) -> Real:
        """Return the diagonal elements of dH/dB [K/T] in doubles."""
        return evaluated(self.slopes[0][0], self._projections(first, count))

    def slope_rows(self, first: int, count: int) -> NDArray[np.complex128]:
        """Return <site|dH/dB|site - n> [K/T] in doubles, shape (largest n, count)."""
        m = self._projections(first, count)
        table = np.zeros((max(self.slopes), count), dtype=np.complex128)
        for n, parts in self.slopes.items():
            if n > 0:
                table[n - 1] = self.element(n, parts, m).conj()
        return table

    def diagonal_values(self, m: Real) -> Real:
        """Return <m|H|m> in doubles."""
        return evaluated(self.diagonal, m)

    def element(self, n: int, parts: Parts, lower: Real) -> NDArray[np.complex128]:
        """Return <m + n g|A|m> in doubles for an array of lower projections m; 0 outside the chain."""
        product = np.ones_like(lower)
        for i in range(n * self.period):
            product = product * np.sqrt(np.maximum((self.S - lower - i) * (self.S + lower + 1 + i), 0.0))
        real, imaginary = (evaluated(part, lower) * product for part in parts)
        return np.asarray(real + 1j * imaginary)

    def _projections(self, first: int, count: int) -> Real:
        return self.top - self.period * np.arange(first, first + count, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Ladder:
    """H(B) = H0 + B G of one spin as polynomials, by the step of the projection.

    Attributes
    ----------
    S : float
        Spin.
    H0, G : mapping {step: (real, imaginary)}
        Polynomials [K], [K/T] of the elements <m+step|.|m>, step >= 0.
    """

    S: float
    H0: Steps
    G: Steps

    @property
    def period(self) -> int:
        """Greatest common divisor of the steps; more than 2S if m is conserved."""
        return math.gcd(*self.H0, *self.G) or round(2 * self.S) + 1

    def slope(self, m: float) -> float:
        """Return <m|G|m> [K/T]."""
        return float(self.G.get(0, _ZERO)[0](rational(m)))

    def crossing(self, first: float, second: float) -> fmpq:
        """Return the field [T] at which the diagonal elements of two projections are equal."""
        ends = rational(first), rational(second)
        energy, slope = (steps.get(0, _ZERO)[0] for steps in (self.H0, self.G))
        return -(energy(ends[0]) - energy(ends[1])) / (slope(ends[0]) - slope(ends[1]))

    def chain(self, m: float, field: fmpq, exponent: int | None = None) -> Chain:
        """Return the chain that contains the projection m at a field [T], in the unit 2**exponent."""
        period = self.period
        steps = {n: combined(self.H0, self.G, n, field) for n in {0, *self.H0, *self.G}}
        if exponent is None:
            exponent = max((size(part, self.S, n) for n, parts in steps.items() for part in parts), default=0)
        unit = fmpq(1, fmpz(2) ** exponent) if exponent >= 0 else fmpq(fmpz(2) ** -exponent)
        hops = {
            n // period: (coefficients(real * unit), coefficients(imaginary * unit))
            for n, (real, imaginary) in steps.items()
            if n and (real or imaginary)
        }
        slopes = {
            n // period: (coefficients(real), coefficients(imaginary))
            for n, (real, imaginary) in {0: _ZERO, **self.G}.items()
        }
        real, imaginary = steps.get(period, _ZERO)
        square = coefficients((real * real + imaginary * imaginary) * (unit * unit))
        top = m + period * int((self.S - m) // period)
        diagonal = coefficients(steps[0][0] * unit)
        return Chain(self.S, period, top, diagonal, square, hops, slopes, exponent)

    def is_kramers(self) -> bool:
        """Return whether all levels are degenerate at zero field along the axis."""
        return round(2 * self.S) % 2 == 1 and is_even_in_time(self.H0)

    def mirror_symmetry(self) -> tuple[bool, bool]:
        """Return whether m and -m are equivalent at zero field, and B and -B along the axis as well."""
        # signs alternate from site to site
        maps = [(sign, conjugation) for sign in (1, -1) for conjugation in (1, -1)]
        found = [chosen for chosen in maps if mirrored(self.H0, 1, *chosen, self.period)]
        return bool(found), any(mirrored(self.G, -1, *chosen, self.period) for chosen in found)


def is_even_in_time(steps: Steps) -> bool:
    """Return whether time reversal leaves an operator unchanged."""
    return mirrored(steps, 1, -1, 1, 1)


def mirrored(steps: Steps, parity: int, sign: int, conjugation: int, period: int) -> bool:
    r"""Return whether a map of the states m onto the states -m multiplies an operator by ``parity``.

    It does when :math:`p_n(-m-n) = \pm s^n p_n(m)` for all steps n with a sign s (time reversal, with or
    without a rotation by pi about z), or when the complex conjugate does (a rotation by pi about x or y).
    """
    return all(
        part(fmpq_poly([-n, -1])) == part * (parity * factor * sign ** (n // period))
        for n, (real, imaginary) in steps.items()
        for part, factor in ((real, 1), (imaginary, conjugation))
    )


def ladder(problem: Problem) -> Ladder:
    """Return H0 (with the transverse field) and G of the single spin of a problem, exactly.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.spectrum.tunnelling.problem import read_problem
    >>> spin = giant_spin(10, D=-0.5, C4=1e-5)
    >>> found = ladder(read_problem(spin, (10, -10), None, (0, 0, 1), (0, 0)))
    >>> found.period, found.chain(10, fmpq(0)).sites, sorted(found.H0), found.H0[0][0]
    (4, 6, [0, 4], (-1/2)*x^2)
    """
    (spin,) = problem.system.spins
    H0: dict[int, Complex] = {}
    G: dict[int, Complex] = {}
    for term in problem.system.terms:
        for product in term.products(problem.system.spins):
            ((_, local),) = product
            accumulate(H0, local, fmpq(1))
    factor = rational(magneton(spin))
    across = (*problem.transverse, 0.0)
    for local, along, constant in zip(zeeman_operators(spin), problem.axis, across, strict=True):
        accumulate(G, local, factor * rational(along))
        accumulate(H0, local, factor * rational(constant))
    return Ladder(spin.S, nonzero(H0), nonzero(G))


def accumulate(total: dict[int, Complex], local: LocalOperator, factor: fmpq) -> None:
    """Add a Hermitian operator times a number to polynomials by step; lower bands follow from the upper."""
    for band in local.bands if factor != 0 else ():
        if band.step >= 0:
            p = fmpq_poly([fmpq(c.numerator, c.denominator) for c in band.polynomial]) * factor
            real, imaginary = total.get(band.step, _ZERO)
            z = band.coefficient
            total[band.step] = real + p * rational(z.real), imaginary + p * rational(z.imag)


def nonzero(steps: Steps) -> Steps:
    """Return the steps whose polynomials do not vanish."""
    return {n: parts for n, parts in steps.items() if any(parts)}


def combined(H0: Steps, G: Steps, n: int, field: fmpq) -> Complex:
    """Return the polynomials of H0 + field G for one step."""
    (a, b), (c, d) = H0.get(n, _ZERO), G.get(n, _ZERO)
    return a + c * field, b + d * field


def size(p: fmpq_poly, S: float, n: int) -> int:
    """Return the binary exponent of the largest term of p(m) S^n for |m| <= S."""
    return max((math.frexp(abs(float(c)) * S ** (k + n))[1] for k, c in enumerate(p.coeffs())), default=-1000)


def evaluated(p: Real, m: Real) -> Real:
    """Return p(m) in doubles, p being given by `coefficients`."""
    total = np.full(m.shape, p[-1, 0])
    for coefficient in p[-2::-1, 0]:
        total = total * m + coefficient
    return total


def coefficients(p: fmpq_poly) -> Real:
    """Return the coefficients as high and low parts, shape (degree + 1, 2); at least one row."""
    return np.array([split(c) for c in p.coeffs()] or [(0.0, 0.0)])
