r"""The complement of the states that are kept: (E - H_QQ - B G_QQ) and its inverse, dense or banded.

Solutions come from a factorisation of midpoints and carry no bound of their own.  The bound follows
from the residual: for a Hermitian matrix A, :math:`|x - A^{-1}b| \le \nu\,|Ax - b|` with
:math:`\nu \ge \lVert A^{-1}\rVert`, one number for a whole range of E and B, found at low precision.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flint import acb, acb_mat, arb, arb_mat, ctx

Matrix = Any
"""arb_mat of a real Hamiltonian, acb_mat of a complex one."""
Number = Any
"""arb of a real Hamiltonian, acb of a complex one."""

__all__ = ["BandedComplement", "Complement", "DenseComplement", "Matrix", "Number", "largest_row_sum"]

#: Precision at which the norm of an inverse is tried first.
_BOUND_BITS = 64
#: Distances from the energy to the levels of a banded complement that are tried, each of the one before.
_SHRINK = 2.0**-4


class Complement(ABC):
    """E - H_QQ - B G_QQ as a function of E and B."""

    __slots__ = ()

    @abstractmethod
    def solve(self, E: arb, B: arb, right: Matrix) -> Matrix:
        """Return an approximate solution x of A x = right; ZeroDivisionError where A looks singular."""

    @abstractmethod
    def residual(self, E: arb, B: arb, right: Matrix, x: Matrix) -> Matrix:
        """Return a ball matrix that contains A x - right."""

    @abstractmethod
    def zeeman(self, x: Matrix) -> Matrix:
        """Return G_QQ x."""

    @abstractmethod
    def inverse_bound(self, E: arb, B: arb) -> arb | None:
        r"""Return a bound of :math:`\lVert A^{-1}\rVert` for all E and B of two balls, or None."""


@dataclass(frozen=True, slots=True)
class DenseComplement(Complement):
    """Dense ball matrices."""

    H: Matrix
    G: Matrix

    def _at(self, E: arb, B: arb) -> Matrix:
        return -(self.H + self.G * B) + E

    def solve(self, E: arb, B: arb, right: Matrix) -> Matrix:
        """Return an approximate solution by Gaussian elimination of midpoints."""
        return self._at(E, B).mid().solve(right.mid(), algorithm="approx").mid()

    def residual(self, E: arb, B: arb, right: Matrix, x: Matrix) -> Matrix:
        """Return A x - right."""
        return self._at(E, B) * x - right

    def zeeman(self, x: Matrix) -> Matrix:
        """Return G_QQ x."""
        return self.G * x

    def inverse_bound(self, E: arb, B: arb) -> arb | None:
        """Return |R| / (1 - |1 - R A|) in the largest row sum, R an approximate inverse.

        That norm is not below the spectral one for any Hermitian matrix.
        """
        full, bits = ctx.prec, _BOUND_BITS
        while True:
            with ctx.workprec(min(bits, full)):
                A = self._at(E, B)
                try:
                    inverse = A.mid().solve(_identity(A), algorithm="approx").mid()
                except ZeroDivisionError:
                    inverse = None
                if inverse is not None:
                    rest = 1 - largest_row_sum(inverse * A + (-1))
                    if rest > 0:
                        return largest_row_sum(inverse) / rest
            if bits >= full:
                return None
            bits *= 2


def _identity(like: Matrix) -> Matrix:
    return type(like)(like.nrows(), like.ncols()) + 1


def largest_row_sum(matrix: Matrix) -> arb:
    """Return an upper bound of the largest row sum of magnitudes, 0 of an empty matrix."""
    n = matrix.ncols()
    entries = [abs(entry) for entry in matrix.entries()]
    sums = [sum(entries[k : k + n], start=arb(0)).upper() for k in range(0, len(entries), max(n, 1))]
    return _largest(sums)


def _largest(values: list[arb]) -> arb:
    largest = arb(0)
    for value in values:
        if not value.is_finite():
            return value
        if not value <= largest:
            largest = value
    return largest


@dataclass(frozen=True, slots=True)
class BandedComplement(Complement):
    """A narrow Hermitian band: rows of the lower triangle, row i from column i - width to i."""

    width: int
    H: list[list[Number]]
    G: list[list[Number]]
    is_real: bool

    @classmethod
    def from_elements(
        cls,
        size: int,
        H: Mapping[tuple[int, int], Number],
        G: Mapping[tuple[int, int], Number],
        *,
        is_real: bool,
    ) -> BandedComplement:
        """Return the band of matrices given by their nonzero elements."""
        width = max((i - j for i, j in (*H, *G)), default=0)
        zero = arb(0) if is_real else acb(0)

        def rows(elements: Mapping[tuple[int, int], Number]) -> list[list[Number]]:
            return [[elements.get((i, i - width + k), zero) for k in range(width + 1)] for i in range(size)]

        return cls(width, rows(H), rows(G), is_real)

    def _at(self, E: arb, B: arb) -> list[list[Number]]:
        rows = [
            [-(h + B * g) for h, g in zip(first, second, strict=True)]
            for first, second in zip(self.H, self.G, strict=True)
        ]
        for row in rows:
            row[-1] += E
        return rows

    def _conjugate(self) -> Callable[[Number], Number]:
        return (lambda x: x) if self.is_real else (lambda x: x.conjugate())

    def _factorise(self, rows: list[list[Number]], *, exact: bool) -> tuple[list[list[Number]], list[arb]]:
        """Return unit lower triangle and diagonal of A = L D L^H; midpoints only unless ``exact``."""
        w, conj = self.width, self._conjugate()
        lower: list[list[Number]] = []
        pivots: list[arb] = []
        for i, row in enumerate(rows):
            scaled: list[Number] = []  # l_ij d_j
            for j in range(max(0, i - w), i):
                total, first = row[j - i + w], max(0, i - w)
                for k in range(max(first, j - w), j):
                    total -= scaled[k - first] * conj(lower[j][k - j + w])
                scaled.append(total if exact else total.mid())
            line = [s / pivots[j] for j, s in enumerate(scaled, start=max(0, i - w))]
            pivot = row[-1].real - sum(
                ((s * conj(q)).real for s, q in zip(scaled, line, strict=True)), start=arb(0)
            )
            pivot = pivot if exact else pivot.mid()
            if pivot.contains(0):
                raise ZeroDivisionError
            line = line if exact else [q.mid() for q in line]
            lower.append([None] * (w - len(line)) + line)
            pivots.append(pivot)
        return lower, pivots

    def solve(self, E: arb, B: arb, right: Matrix) -> Matrix:
        """Return an approximate solution by L D L^H without pivoting."""
        lower, pivots = self._factorise(self._at(E, B), exact=False)
        conj, w, n = self._conjugate(), self.width, len(pivots)
        columns = []
        for column in zip(*right.mid().tolist(), strict=True):
            x = list(column)
            for i in range(n):
                for j in range(max(0, i - w), i):
                    x[i] = (x[i] - lower[i][j - i + w] * x[j]).mid()
            x = [(value / pivot).mid() for value, pivot in zip(x, pivots, strict=True)]
            for i in reversed(range(n)):
                for j in range(max(0, i - w), i):
                    x[j] = (x[j] - conj(lower[i][j - i + w]) * x[i]).mid()
            columns.append(x)
        return self._matrix(columns)

    def _matrix(self, columns: list[list[Number]]) -> Matrix:
        kind = arb_mat if self.is_real else acb_mat
        return kind([list(row) for row in zip(*columns, strict=True)])

    def _times(self, rows: list[list[Number]], x: Matrix) -> Matrix:
        conj, w = self._conjugate(), self.width
        results = []
        for column in zip(*x.tolist(), strict=True):
            y = [row[-1] * value for row, value in zip(rows, column, strict=True)]
            for i, row in enumerate(rows):
                for j in range(max(0, i - w), i):
                    element = row[j - i + w]
                    y[i] += element * column[j]
                    y[j] += conj(element) * column[i]
            results.append(y)
        return self._matrix(results)

    def residual(self, E: arb, B: arb, right: Matrix, x: Matrix) -> Matrix:
        """Return A x - right."""
        return self._times(self._at(E, B), x) - right

    def zeeman(self, x: Matrix) -> Matrix:
        """Return G_QQ x."""
        return self._times(self.G, x)

    def inverse_bound(self, E: arb, B: arb) -> arb | None:
        """Return 1/d, d a distance within which no level lies on either side of E.

        By Sylvester's law of inertia: as many negative pivots at E - d as at E + d.
        """
        full, bits = ctx.prec, _BOUND_BITS
        while True:
            with ctx.workprec(min(bits, full)):
                bound = self._inertia_bound(E, B)
                if bound is not None:
                    return bound
            if bits >= full:
                return None
            bits *= 2

    def _inertia_bound(self, E: arb, B: arb) -> arb | None:
        centre, radius = arb(E.mid()), E.rad()
        distance = _largest([abs(row[-1]).upper() for row in self._at(centre, B)])
        smallest = _largest([radius * 4, distance * arb(2) ** -ctx.prec])
        while distance > smallest:
            reach = (distance + radius).upper()
            try:
                below, above = (
                    sum(bool(pivot < 0) for pivot in self._factorise(self._at(end, B), exact=True)[1])
                    for end in (centre - reach, centre + reach)
                )
            except ZeroDivisionError:
                below, above = 0, 1
            if below == above:
                return 1 / distance
            distance *= _SHRINK
        return None
