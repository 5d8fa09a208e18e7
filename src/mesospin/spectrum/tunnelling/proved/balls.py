r"""The Hamiltonian on a symmetry block, element by element and without rounding.

Between two product states every summand of H carries the same ladder factors, so each element is exactly

.. math:: \langle r|H|c\rangle = (u + iv)\sqrt{N},\qquad u, v \in \mathbb{Q},\; N \in \mathbb{N},

with u and v sums of products of stored doubles (exact binary numbers) and of polynomials in the projections.
Cancellations are therefore exact, zeros are zeros, and a ball of any precision follows by one rounding.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from flint import acb, arb, fmpq, fmpq_poly

from mesospin.model.spin import Spin
from mesospin.model.term import Product
from mesospin.operators.local import Polynomial
from mesospin.spectrum.matrices import FieldLine, magneton, zeeman_operators
from mesospin.spectrum.tunnelling.problem import Problem

__all__ = ["Element", "ExactLine", "connected", "double_line", "exact_line"]

_Complex = tuple[fmpq, fmpq]
_Shift = tuple[int, ...]


class Element(NamedTuple):
    """The number (real + i imag) sqrt(radicand)."""

    real: fmpq
    imag: fmpq
    radicand: int

    def ball(self, *, real: bool) -> arb | acb:
        """Return it as a ball of the present precision."""
        root = arb(self.radicand).sqrt()
        return root * arb(self.real) if real else acb(root * arb(self.real), root * arb(self.imag))


@dataclass(frozen=True, slots=True)
class ExactLine:
    """H(B) = H0 + B G [K, K/T] on a set of product states that nothing leaves.

    Attributes
    ----------
    states : tuple of int
        Indices of the states in the product basis, rising.
    H0, G : mapping
        Nonzero elements by (row, column), positions in ``states``.
    is_real : bool
        Whether all of them are.
    """

    states: tuple[int, ...]
    H0: Mapping[tuple[int, int], Element]
    G: Mapping[tuple[int, int], Element]
    is_real: bool


class _Summand(NamedTuple):
    """A coefficient times a polynomial in the lower projection of every site that it names."""

    coefficient: _Complex
    factors: tuple[tuple[int, fmpq_poly], ...]


class _Operator:
    """An operator of the product space, its summands grouped by the steps that they take on every site."""

    def __init__(self, spins: tuple[Spin, ...]) -> None:
        self._spins = spins
        self._twice = tuple(round(2 * spin.S) for spin in spins)
        self._strides = tuple(math.prod(s.dimension for s in spins[k + 1 :]) for k in range(len(spins)))
        self._summands: dict[_Shift, list[_Summand]] = defaultdict(list)

    def add(self, product: Product, factor: fmpq) -> None:
        """Add ``factor`` times a product of local operators."""
        for bands in itertools.product(*(operator.bands for _, operator in product)):
            steps = [0] * len(self._spins)
            coefficient = (factor, fmpq(0))
            factors = []
            for (site, _), band in zip(product, bands, strict=True):
                steps[site] = band.step
                coefficient = _times(coefficient, band.coefficient)
                factors.append((site, _polynomial(band.polynomial)))
            if coefficient[0] or coefficient[1]:
                self._summands[tuple(steps)].append(_Summand(coefficient, tuple(factors)))

    def column(self, state: int) -> dict[int, Element]:
        """Return the nonzero elements of a column, by row."""
        digits = [
            (state // stride) % (twice + 1) for stride, twice in zip(self._strides, self._twice, strict=True)
        ]
        elements = {}
        for steps, summands in self._summands.items():
            after = [digit - step for digit, step in zip(digits, steps, strict=True)]
            if not all(0 <= digit <= twice for digit, twice in zip(after, self._twice, strict=True)):
                continue
            # twice the lower of the two projections of every site
            lower = [t - 2 * max(a, d) for t, a, d in zip(self._twice, after, digits, strict=True)]
            u, v = _total(summands, lower)
            if u or v:
                row = sum(digit * stride for digit, stride in zip(after, self._strides, strict=True))
                elements[row] = Element(u, v, self._radicand(steps, lower))
        return elements

    def _radicand(self, steps: _Shift, lower: list[int]) -> int:
        """Return the product of (S - m - i)(S + m + 1 + i) over all steps, m the lower projection."""
        return math.prod(
            ((twice - m) // 2 - i) * ((twice + m) // 2 + 1 + i)
            for step, twice, m in zip(steps, self._twice, lower, strict=True)
            for i in range(abs(step))
        )


def _total(summands: list[_Summand], lower: list[int]) -> _Complex:
    real, imag = fmpq(0), fmpq(0)
    for (a, b), factors in summands:
        value = fmpq(1)
        for site, polynomial in factors:
            value *= polynomial(fmpq(lower[site], 2))
        real += a * value
        imag += b * value
    return real, imag


def _exact(value: float) -> fmpq:
    return fmpq(*value.as_integer_ratio())


def _times(a: _Complex, b: complex) -> _Complex:
    x, y = _exact(b.real), _exact(b.imag)
    return a[0] * x - a[1] * y, a[0] * y + a[1] * x


def _polynomial(coefficients: Polynomial) -> fmpq_poly:
    return fmpq_poly([fmpq(c.numerator, c.denominator) for c in coefficients])


def exact_line(problem: Problem, seeds: Iterable[int]) -> ExactLine:
    """Return H0 and G on all product states that the Hamiltonian connects with ``seeds``.

    ``H0`` contains the constant transverse field; the axis counts as the unit vector of doubles that
    ``problem`` holds.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.spectrum.tunnelling.problem import read_problem
    >>> spin = giant_spin(10, D=-0.5, C4=2.0**-15)
    >>> line = exact_line(read_problem(spin, (10, -10), None, (0, 0, 1), (0, 0)), (0, 20))
    >>> line.states
    (0, 4, 8, 12, 16, 20)
    >>> line.H0[0, 1]
    Element(real=1/32768, imag=0, radicand=2790720)
    """
    spins = problem.system.spins
    H0, G = _Operator(spins), _Operator(spins)
    for term in problem.system.terms:
        for product in term.products(spins):
            H0.add(product, fmpq(1))
    for site, spin in enumerate(spins):
        for component, local in enumerate(zeeman_operators(spin)):
            unit = _exact(magneton(spin))
            G.add(((site, local),), unit * _exact(problem.axis[component]))
            if component < len(problem.transverse):
                H0.add(((site, local),), unit * _exact(problem.transverse[component]))
    columns: dict[int, tuple[dict[int, Element], dict[int, Element]]] = {}
    waiting = list(seeds)
    while waiting:
        state = waiting.pop()
        if state not in columns:
            columns[state] = (H0.column(state), G.column(state))
            waiting.extend(columns[state][0])
            waiting.extend(columns[state][1])
    states = tuple(sorted(columns))
    place = {state: position for position, state in enumerate(states)}
    tables: tuple[dict[tuple[int, int], Element], ...] = tuple(
        {
            (place[row], place[state]): element
            for state, both in columns.items()
            for row, element in both[which].items()
        }
        for which in (0, 1)
    )
    is_real = not any(element.imag for table in tables for element in table.values())
    return ExactLine(states, tables[0], tables[1], is_real)


def connected(line: ExactLine, a: int, b: int) -> bool:
    """Return whether the Hamiltonian connects two positions of a block built from both."""
    neighbours: dict[int, list[int]] = defaultdict(list)
    for row, column in (*line.H0, *line.G):
        neighbours[column].append(row)
    seen, waiting = {a}, [a]
    while waiting:
        for row in neighbours[waiting.pop()]:
            if row not in seen:
                seen.add(row)
                waiting.append(row)
    return b in seen


def double_line(line: ExactLine) -> FieldLine:
    """Return the block in double precision."""
    n = len(line.states)
    matrices = []
    for elements in (line.H0, line.G):
        matrix = np.zeros((n, n), dtype=np.complex128)
        for position, element in elements.items():
            matrix[position] = complex(element.ball(real=False))
        matrices.append(matrix.real.copy() if line.is_real else matrix)
    return FieldLine(*matrices)
