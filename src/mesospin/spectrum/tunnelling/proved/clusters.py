r"""Levels by their position in energy, each with a proved bound, exact degeneracies included.

A double-precision diagonalisation is bounded first: for a matrix U of approximate eigenvectors and the
approximate eigenvalues e_k, Weyl's inequality and Ostrowski's theorem give for the k-th level of H

.. math:: |E_k - e_k| \le \rho + f\,|E_k|,\qquad \rho = \lVert U^\dagger HU - e\rVert,\;
          f = \lVert U^\dagger U - 1\rVert .

So the number of levels in a window around a group of e_k is known.  Downfolded onto as many basis states,
without a pole in the window, the k-th level of the group is the k-th dressed one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.linalg
from flint import acb, acb_mat, arb, arb_mat, ctx
from numpy.typing import NDArray

from mesospin.errors import ConvergenceError
from mesospin.spectrum.matrices import Array
from mesospin.spectrum.tunnelling.proved.balls import ExactLine
from mesospin.spectrum.tunnelling.proved.complements import Matrix, largest_row_sum
from mesospin.spectrum.tunnelling.proved.feshbach import (
    Downfolding,
    Dressed,
    adjoint,
    downfolding,
    two_levels,
)

__all__ = ["Group", "Level", "find_groups", "proved_level"]

_EPS = float(np.finfo(np.float64).eps)
#: Precision at which a double-precision diagonalisation is bounded.
_BOUND_BITS = 128
#: Distances, in units of the bound, below which neighbouring levels are treated together.
_CHAINS = (16.0, 1e4, 1e8)
_LARGEST_GROUP = 64
_STEPS = 60
_SWEEPS = 200


class Group(NamedTuple):
    """Nearly degenerate levels.

    ``first`` the position in energy of the lowest, ``window`` (centre and radius, K) an interval that
    holds exactly them, ``kept`` as many basis states that span them well.
    """

    first: int
    window: tuple[float, float]
    kept: tuple[int, ...]


class Level(NamedTuple):
    """Ball of an energy [K], and its slope dE/dB [K/T] without bound."""

    energy: arb
    slope: arb


def find_groups(line: ExactLine, H: Array, B: arb, levels: tuple[int, int]) -> list[Group]:
    """Return the groups to which the levels belong, one entry a level.

    Parameters
    ----------
    line : ExactLine
        All states.
    H : array, shape (n, n)
        H(B) in double precision.
    B : arb
        The field [T].
    levels : (int, int)
        Positions in energy.

    Raises
    ------
    ConvergenceError
        If no group can be told from the other levels.
    """
    n = len(H)
    energy, U = np.linalg.eigh(H)
    with ctx.workprec(_BOUND_BITS):
        whole = downfolding(line, range(n))
        kind = arb_mat if whole.is_real else acb_mat
        bound = _error_of(whole.H_pp + whole.G_pp * B, kind(U.tolist()), [arb(e) for e in energy.tolist()])
        # never below the rounding of a window
        error = max(float(bound), 8 * _EPS * float(np.abs(energy).max()))
        for chain in _CHAINS:
            groups = [_group(energy, U, level, error, chain) for level in levels]
            if all(_is_isolated(line, group, B) for group in dict.fromkeys(groups)):
                return groups
    msg = (
        f"levels {levels[0]} and {levels[1]} lie in groups that double precision cannot tell from their "
        "neighbours; change B, or name the states instead"
    )
    raise ConvergenceError(msg, {"error": error})


def _error_of(H: Matrix, V: Matrix, values: list[arb]) -> arb:
    """Return a bound of the distances between rising ``values`` and the ordered eigenvalues of H."""
    kind = type(H)
    diagonal = kind(len(values), len(values))
    for k, value in enumerate(values):
        diagonal[k, k] = value
    rho = largest_row_sum(adjoint(V) * H * V - diagonal)
    f = largest_row_sum(adjoint(V) * V + (-1))
    if not f < 1:
        return arb("inf")
    return (rho + f * (largest_row_sum(diagonal) + rho) / (1 - f)).upper()


def _group(energy: NDArray[np.float64], U: Array, level: int, error: float, chain: float) -> Group:
    together = np.diff(energy) <= chain * error
    first = last = level
    while first > 0 and together[first - 1]:
        first -= 1
    while last < len(energy) - 1 and together[last]:
        last += 1
    size = last + 1 - first
    centre, radius = (energy[first] + energy[last]) / 2, (energy[last] - energy[first]) / 2 + 2 * error
    _, _, order = scipy.linalg.qr(U[:, first : last + 1].conj().T, mode="economic", pivoting=True)
    return Group(first, (float(centre), float(radius)), tuple(int(k) for k in order[:size]))


def _is_isolated(line: ExactLine, group: Group, B: arb) -> bool:
    """Return whether the states not kept have no level in the window."""
    if len(group.kept) > _LARGEST_GROUP:
        return False
    return downfolding(line, group.kept).inverse_bound(arb(*group.window), B) is not None


def proved_level(line: ExactLine, group: Group, level: int, B: arb) -> Level | None:
    """Return one level of a group at the present precision, or None if that does not suffice."""
    fold = downfolding(line, group.kept)
    window = arb(*group.window)
    bound = fold.inverse_bound(window, B)
    k = level - group.first
    E = _refined(fold, arb(group.window[0]), B, k)
    if bound is None or E is None or not window.contains(E):
        return None
    found = _levels_of(fold.enclosed(E, B, bound).within(arb(0)))
    miss = abs(found[k].energy - E).upper()
    return Level(arb(E, miss), found[k].slope) if miss.is_finite() else None


def _refined(fold: Downfolding, start: arb, B: arb, k: int) -> arb | None:
    """Return the root of lambda_k(E) = E by Newton's iteration, to the rounding."""
    E, last = start, None
    for _ in range(_STEPS):
        try:
            found = _levels_of(fold.dressed(E, B))[k]
        except ZeroDivisionError:
            return None
        step = ((found.energy - E) / found.norm).mid()
        if not step.is_finite():
            return None
        E, size = (E + step).mid(), abs(step)
        at_rounding = size <= (abs(E) + fold.norm_G) * arb(2) ** -(ctx.prec - 24)
        if at_rounding or (last is not None and not size < last):
            return E
        last = size
    return E


class _DressedLevel(NamedTuple):
    energy: arb
    norm: arb
    slope: arb


def _levels_of(dressed: Dressed) -> list[_DressedLevel]:
    """Return the ordered levels of a downfolded matrix: energies as balls, the rest approximate."""
    h, Z, G = dressed
    size = h.nrows()
    if size == 1:
        return [_DressedLevel(h[0, 0].real, Z[0, 0].real, G[0, 0].real / Z[0, 0].real)]
    if size == 2:
        two = two_levels(dressed)
        if two.norm[0].is_finite():
            return [_DressedLevel(two.energy[k], two.norm[k], two.slope[k]) for k in (0, 1)]
    centre = (h.mid().trace().real / size).mid()
    shifted = acb_mat(h) + (-centre)
    V = _eigenvectors(shifted)
    diagonal = (adjoint(V) * shifted * V).mid()
    order = sorted(range(size), key=lambda k: _Ordered(diagonal[k, k].real))
    V = acb_mat([[V[row, k] for k in order] for row in range(size)])
    values = [diagonal[k, k].real for k in order]
    error = _error_of(shifted, V, values)
    norms, slopes = (adjoint(V) * acb_mat(matrix).mid() * V for matrix in (Z, G))
    return [
        _DressedLevel(centre + arb(value, error), norms[k, k].real, slopes[k, k].real / norms[k, k].real)
        for k, value in enumerate(values)
    ]


class _Ordered:
    """Exact numbers in their order, for sorting."""

    def __init__(self, value: arb) -> None:
        self.value = value

    def __lt__(self, other: _Ordered) -> bool:
        return bool(self.value < other.value)


def _eigenvectors(matrix: Matrix) -> Matrix:
    """Return approximate orthonormal eigenvectors of a Hermitian matrix, by Jacobi rotations."""
    size = matrix.nrows()
    A, V = matrix.mid(), acb_mat(size, size) + 1
    for _ in range(_SWEEPS):
        small = largest_row_sum(A) * arb(2) ** -(ctx.prec - 4)
        off = [(abs(A[i, j]), i, j) for i in range(size) for j in range(i + 1, size)]
        turns = [(i, j) for value, i, j in off if value > small]
        if not turns:
            break
        for i, j in turns:
            J = _rotation(A, i, j)
            A, V = (adjoint(J) * A * J).mid(), (V * J).mid()
    return V


def _rotation(A: Matrix, i: int, j: int) -> Matrix:
    """Return the unitary matrix that removes the element (i, j)."""
    J = acb_mat(A.nrows(), A.nrows()) + 1
    size = abs(A[i, j]).mid()
    if size == 0:
        return J
    phase = A[i, j] / size
    ratio = (A[j, j].real - A[i, i].real) / (2 * size)
    tangent = 1 / (abs(ratio) + (1 + ratio * ratio).sqrt())
    if ratio < 0:
        tangent = -tangent
    cosine = 1 / (1 + tangent * tangent).sqrt()
    J[i, i], J[j, j] = acb(cosine), acb(cosine)
    J[i, j], J[j, i] = phase * (cosine * tangent), -phase.conjugate() * (cosine * tangent)
    return J.mid()
