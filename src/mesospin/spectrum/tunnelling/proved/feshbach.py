r"""Downfolding in ball arithmetic: the levels of a few basis states dressed by all others, with bounds.

For kept states P and the others Q the levels of H(B) = H0 + B G solve

.. math:: h(E)c = Ec,\qquad h(E) = H_{PP} + H_{PQ}(E-H_{QQ})^{-1}H_{QP}.

On an interval of E without levels of H_QQ each ordered eigenvalue :math:`\lambda_k(E)` of h never rises
with E, since :math:`dh/dE = -H_{PQ}(E-H_{QQ})^{-2}H_{QP}\le 0`; so :math:`\lambda_k(E)-E` has one root
there and falls at least as fast as -E: a residual :math:`|\lambda_k(E_0)-E_0|\le\rho` proves it within
:math:`\rho` of E_0.  With the dressed vectors :math:`\psi = (1, x)c`, :math:`x = (E-H_{QQ})^{-1}H_{QP}`, the
slope is :math:`dE/dB = c^\dagger\Gamma c/c^\dagger Zc`, :math:`Z = 1 + x^\dagger x`, :math:`\Gamma` the
matrix of G.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flint import acb, acb_mat, arb, arb_mat

from mesospin.spectrum.tunnelling.proved.balls import ExactLine
from mesospin.spectrum.tunnelling.proved.complements import (
    BandedComplement,
    Complement,
    DenseComplement,
    Matrix,
    Number,
    largest_row_sum,
)

__all__ = [
    "Downfolding",
    "Dressed",
    "Enclosed",
    "TwoLevels",
    "adjoint",
    "downfolding",
    "is_dense",
    "two_levels",
]

#: A complement counts as banded where its elimination in Python loops is the faster one.
_BANDED_FRACTION = 12


class Dressed(NamedTuple):
    """Downfolded matrices (p, p): ``h`` [K], norm ``Z``, and ``slope``, the matrix of G [K/T]."""

    h: Matrix
    Z: Matrix
    slope: Matrix


@dataclass(frozen=True, slots=True)
class Downfolding:
    """H(B) split into kept states and the others, as balls.

    Attributes
    ----------
    H_pp, G_pp, H_qp, G_qp : ball matrices
        Blocks of H0 and G; p the kept states in the order asked for.
    rest : Complement or None
        The others; None where all states are kept.
    norm_H, norm_G : arb
        Upper bounds of the spectral norms of H0 [K] and G [K/T].
    is_real : bool
        Whether the matrices are arb_mat (else acb_mat).
    """

    H_pp: Matrix
    G_pp: Matrix
    H_qp: Matrix
    G_qp: Matrix
    rest: Complement | None
    norm_H: arb
    norm_G: arb
    is_real: bool

    def dressed(self, E: arb, B: arb) -> Dressed:
        """Return the midpoints of the downfolded matrices, without a bound of their error."""
        h, Z, slope = self.dress(B, self._solution(E, B))
        return Dressed(h.mid(), Z.mid(), slope.mid())

    def enclosed(self, E: arb, B: arb, bound: arb) -> Enclosed:
        """Return the enclosure of the downfolded matrices around E.

        ``bound`` is the bound of the inverse of the complement on the energies asked for later.
        """
        x = self._solution(E, B)
        if self.rest is None or x is None:
            return Enclosed(self, B, bound, None, (), ())
        residual = self.rest.residual(E, B, self._coupling(B), x)
        errors = tuple(bound * norm for norm in _column_norms(residual))
        return Enclosed(self, B, bound, x, tuple(_column_norms(x)), errors)

    def inverse_bound(self, E: arb, B: arb) -> arb | None:
        """Return a bound of the inverse of the complement for two balls E and B; None if none is found."""
        return arb(0) if self.rest is None else self.rest.inverse_bound(E, B)

    def _coupling(self, B: arb) -> Matrix:
        return self.H_qp + self.G_qp * B

    def _solution(self, E: arb, B: arb) -> Matrix | None:
        return None if self.rest is None else self.rest.solve(E, B, self._coupling(B))

    def dress(self, B: arb, x: Matrix | None) -> Dressed:
        """Return the downfolded matrices of a solution x of the complement."""
        h, slope, p = self.H_pp + self.G_pp * B, self.G_pp, self.H_pp.nrows()
        Z = type(h)(p, p) + 1
        if self.rest is None or x is None:
            return Dressed(h, Z, slope)
        mixed = adjoint(self.G_qp) * x
        h = h + adjoint(self._coupling(B)) * x
        slope = slope + mixed + adjoint(mixed) + adjoint(x) * self.rest.zeeman(x)
        return Dressed(h, Z + adjoint(x) * x, slope)


class Enclosed(NamedTuple):
    """Downfolded matrices at one energy and around it: an approximate x with the errors of its columns."""

    fold: Downfolding
    B: arb
    bound: arb
    x: Matrix | None
    norms: tuple[arb, ...]
    errors: tuple[arb, ...]

    def within(self, radius: arb) -> Dressed:
        """Return balls of the downfolded matrices for all energies within ``radius``."""
        if self.x is None:
            return self.fold.dress(self.B, None)
        # x(E') - x(E) = -(E' - E)(E' - H_QQ)^-1 x(E)
        drift = radius * self.bound
        radii = [error + drift * (norm + error) for norm, error in zip(self.norms, self.errors, strict=True)]
        return self.fold.dress(self.B, _widened(self.x, radii))


def adjoint(matrix: Matrix) -> Matrix:
    """Return the conjugate transpose of a ball matrix."""
    return matrix.transpose() if isinstance(matrix, arb_mat) else matrix.conjugate().transpose()


def _column_norms(matrix: Matrix) -> list[arb]:
    """Return upper bounds of the Euclidean norms of the columns."""
    norms = []
    for column in zip(*matrix.tolist(), strict=True):
        squares = (value.real * value.real + value.imag * value.imag for value in column)
        norms.append(abs(sum(squares, start=arb(0))).upper().sqrt().upper())
    return norms


def _widened(matrix: Matrix, radii: Sequence[arb]) -> Matrix:
    """Return the ball matrix whose columns are larger by the radii."""
    real = isinstance(matrix, arb_mat)
    balls = [
        arb(0, radius.upper()) if real else acb(arb(0, radius.upper()), arb(0, radius.upper()))
        for radius in radii
    ]
    return type(matrix)(
        [[value + ball for value, ball in zip(row, balls, strict=True)] for row in matrix.tolist()]
    )


def downfolding(line: ExactLine, kept: Sequence[int]) -> Downfolding:
    """Return the balls of H0 and G, at the present precision, split at the positions ``kept``."""
    n, p = len(line.states), len(kept)
    place = {position: k for k, position in enumerate(kept)}
    place |= {q: k for k, q in enumerate(q for q in range(n) if q not in place)}
    parts, norms = [], []
    for elements in (line.H0, line.G):
        balls = {position: element.ball(real=line.is_real) for position, element in elements.items()}
        norms.append(_norm(balls, n))
        blocks: dict[tuple[bool, bool], dict[tuple[int, int], Number]] = defaultdict(dict)
        for (row, column), ball in balls.items():
            blocks[row in kept, column in kept][place[row], place[column]] = ball
        parts.append(blocks)
    real = line.is_real
    H_pp, G_pp = (_matrix(p, p, blocks[True, True], real) for blocks in parts)
    H_qp, G_qp = (_matrix(n - p, p, blocks[False, True], real) for blocks in parts)
    H_qq, G_qq = (blocks[False, False] for blocks in parts)
    rest = _complement(n - p, H_qq, G_qq, real) if n > p else None
    return Downfolding(H_pp, G_pp, H_qp, G_qp, rest, norms[0], norms[1], real)


def _matrix(rows: int, columns: int, elements: Mapping[tuple[int, int], Number], real: bool) -> Matrix:
    matrix = arb_mat(rows, columns) if real else acb_mat(rows, columns)
    for position, value in elements.items():
        matrix[position] = value
    return matrix


def _complement(
    size: int, H: Mapping[tuple[int, int], Number], G: Mapping[tuple[int, int], Number], real: bool
) -> Complement:
    if _is_narrow(size, (*H, *G)):
        return BandedComplement.from_elements(size, H, G, is_real=real)
    return DenseComplement(_matrix(size, size, H, real), _matrix(size, size, G, real))


def is_dense(line: ExactLine) -> bool:
    """Return whether the matrices of a block are not narrow bands, so that elimination costs their cube."""
    return not _is_narrow(len(line.states), (*line.H0, *line.G))


def _is_narrow(size: int, positions: Iterable[tuple[int, int]]) -> bool:
    width = max((abs(i - j) for i, j in positions), default=0)
    return size > _BANDED_FRACTION * (width + 1)


def _norm(elements: Mapping[tuple[int, int], Number], n: int) -> arb:
    """Return an upper bound of the spectral norm of a Hermitian matrix: its largest row sum."""
    sums = [arb(0)] * n
    for (row, _), value in elements.items():
        sums[row] += abs(value)
    return largest_row_sum(arb_mat([[value] for value in sums]))


class TwoLevels(NamedTuple):
    r"""Lower and upper level of a downfolded pair.

    ``energy`` are the eigenvalues of h [K], ``norm`` the :math:`c^\dagger Zc` and ``slope`` the dE/dB
    [K/T] of their normalised eigenvectors, ``first`` the :math:`|c_1|^2`.
    """

    energy: tuple[arb, arb]
    norm: tuple[arb, arb]
    slope: tuple[arb, arb]
    first: tuple[arb, arb]


def two_levels(dressed: Dressed) -> TwoLevels:
    r"""Return the levels of a downfolded pair in closed form.

    With :math:`h = \bar h + \delta\sigma_z + \mathrm{Re}(\beta)\sigma_x - ...` and
    :math:`R = \sqrt{\delta^2 + |\beta|^2}` the projectors are
    :math:`\tfrac12[1 \pm (h - \bar h)/R]`, and expectation values are their traces.
    """
    a, b, beta = dressed.h[0, 0].real, dressed.h[1, 1].real, dressed.h[0, 1]
    centre, delta = (a + b) / 2, (a - b) / 2
    u, v = beta.real, beta.imag
    half = _root(delta * delta + u * u + v * v)
    Z = _expectations(dressed.Z, delta, u, v, half)
    slope = _expectations(dressed.slope, delta, u, v, half)
    tilt = arb(1) if half.is_zero() else delta / half
    return TwoLevels(
        (centre - half, centre + half),
        Z,
        (slope[0] / Z[0], slope[1] / Z[1]),
        ((1 - tilt) / 2, (1 + tilt) / 2),
    )


def _root(square: arb) -> arb:
    """Return the square root of a number that is known not to be negative."""
    if square > 0:
        return square.sqrt()
    return arb(0).union(square.abs_upper().sqrt().upper())


def _expectations(matrix: Matrix, delta: arb, u: arb, v: arb, half: arb) -> tuple[arb, arb]:
    a, b, off = matrix[0, 0].real, matrix[1, 1].real, matrix[0, 1]
    centre = (a + b) / 2
    if half.is_zero():  # any basis will do
        return b, a
    swing = (delta * (a - b) / 2 + u * off.real + v * off.imag) / half
    return centre - swing, centre + swing
