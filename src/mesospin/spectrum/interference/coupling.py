r"""The coupling of two levels at their crossing, point by point in the space of fields.

For two anchors a and b (basis states that carry a good part of the two levels) and the rest Q,

.. math:: h(E) = H_{PP} + H_{PQ}(E - H_{QQ})^{-1}H_{QP}

is a matrix of two rows.  The levels cross where :math:`h_{aa} = h_{bb} = E`, two equations for E and the
longitudinal field; there the full gap is :math:`2|h_{ab}|/\sqrt{Z_aZ_b}`, with :math:`Z_j = |X_j|^2` of the
dressed state :math:`X_j = e_j + (E-H_{QQ})^{-1}H_{Qj}`.  Nothing large is subtracted.  With the anchors kept,
the phase of h_ab is that of a fixed gauge, so its winding counts the zeros inside a contour.

The compiled functions work on one field at a time, in arrays that the caller provides (`Bench`).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

# Helpers are called from compiled code alone; without a way in from Python they compile faster.
compiled = partial(njit, cache=True, nogil=True, error_model="numpy")
helper = partial(compiled, no_cpython_wrapper=True, no_cfunc_wrapper=True)

_MAX_NEWTON = 12
#: Newton steps (relative to the largest element of H) below which the crossing is settled.
_SETTLED = 1e-12


class Bench(NamedTuple):
    """Arrays to work in, for a Hamiltonian of n states.

    ``A`` (n, n): the Hamiltonian without longitudinal field; ``H`` and ``M`` (n, n): with it, and E - H in
    elimination; ``X`` (n, 2): the two dressed states; (2, 2) each: ``h``, the downfolded Hamiltonian, ``Z``,
    the overlaps of the dressed states, ``g``, their elements of Gz, and ``k``, those of another operator.
    """

    A: Complex
    H: Complex
    M: Complex
    X: Complex
    h: Complex
    Z: Complex
    g: Complex
    k: Complex

    @classmethod
    def of(cls, n: int) -> Bench:
        """Return new arrays."""
        shapes = [(n, n)] * 3 + [(n, 2)] + [(2, 2)] * 4
        return cls(*(np.zeros(shape, dtype=np.complex128) for shape in shapes))


@helper()
def _pivot(M: Complex, X: Complex, k: int) -> None:
    """Exchange row k with the one below it of the largest element in column k."""
    n = M.shape[0]
    best, pivot = 0.0, k
    for i in range(k, n):
        size = abs(M[i, k].real) + abs(M[i, k].imag)
        if size > best:
            best, pivot = size, i
    if pivot != k:
        for j in range(k, n):
            M[k, j], M[pivot, j] = M[pivot, j], M[k, j]
        for j in range(2):
            X[k, j], X[pivot, j] = X[pivot, j], X[k, j]
    if best == 0.0:  # E sits exactly on a level of the rest
        M[k, k] = 1e-300


@helper()
def _eliminate(M: Complex, X: Complex) -> None:
    """Solve M x = X in place: Gauss with row pivots, skipping the zeros of a banded matrix."""
    n = M.shape[0]
    for k in range(n):
        _pivot(M, X, k)
        inverse = 1.0 / M[k, k]
        M[k, k] = inverse
        for i in range(k + 1, n):
            if M[i, k] != 0.0:
                f = M[i, k] * inverse
                for j in range(k + 1, n):
                    M[i, j] -= f * M[k, j]
                for j in range(2):
                    X[i, j] -= f * X[k, j]
    for k in range(n - 1, -1, -1):
        for j in range(2):
            total = X[k, j]
            for i in range(k + 1, n):
                total -= M[k, i] * X[i, j]
            X[k, j] = total * M[k, k]


@helper()
def bracket(operator: Complex, X: Complex, out: Complex) -> None:
    """Write the elements X_p^dagger operator X_q into out[p, q]."""
    n = operator.shape[0]
    out[:] = 0.0
    for i in range(n):
        first, second = 0.0j, 0.0j
        for j in range(n):
            value = operator[i, j]
            if value != 0.0:
                first += value * X[j, 0]
                second += value * X[j, 1]
        for p in range(2):
            out[p, 0] += X[i, p].conjugate() * first
            out[p, 1] += X[i, p].conjugate() * second


@helper()
def dress(bench: Bench, Gz: Complex, E: float, B: float, anchors: tuple[int, int]) -> None:
    """Downfold ``bench.A`` + B Gz onto the anchors at the energy E: fills H, X, h and Z of the bench."""
    H, M, X, h, Z = bench.H, bench.M, bench.X, bench.h, bench.Z
    n = H.shape[0]
    for i in range(n):
        for j in range(n):
            H[i, j] = bench.A[i, j] + B * Gz[i, j]
            M[i, j] = -H[i, j]
        M[i, i] += E
        for p in range(2):
            X[i, p] = H[i, anchors[p]]
    for p in range(2):  # the anchors are taken out of the rest
        a = anchors[p]
        for i in range(n):
            M[i, a] = 0.0
            M[a, i] = 0.0
        M[a, a] = 1.0
        X[a, 0] = 0.0
        X[a, 1] = 0.0
    _eliminate(M, X)
    h[:] = 0.0
    Z[:] = 0.0
    for p in range(2):
        X[anchors[p], p] = 1.0
    for q in range(2):
        for i in range(n):
            for p in range(2):
                h[p, q] += H[anchors[p], i] * X[i, q]
                Z[p, q] += X[i, p].conjugate() * X[i, q]


@helper()
def levels_below(bench: Bench, E: float) -> int:
    """Return the number of levels of ``bench.H`` below E: the negative pivots of H - E (Sylvester)."""
    H, M = bench.H, bench.M
    n = H.shape[0]
    for i in range(n):
        for j in range(i, n):
            M[i, j] = H[i, j]
        M[i, i] -= E
    count = 0
    for k in range(n):
        pivot = M[k, k].real
        if pivot < 0.0:
            count += 1
        inverse = 1.0 / (pivot if pivot != 0.0 else 1e-300)
        for i in range(k + 1, n):
            if M[k, i] != 0.0:
                f = M[k, i].conjugate() * inverse
                for j in range(i, n):
                    M[i, j] -= f * M[k, j]
    return count


@compiled()
def crossing(
    bench: Bench, Gz: Complex, E: float, B: float, anchors: tuple[int, int], scale: float
) -> tuple[bool, float, float]:
    """Newton in energy and longitudinal field for the crossing of two dressed levels of ``bench.A`` + B Gz.

    Returns whether it settled, energy and field; dressed states, h, Z and g are left on the bench.
    The derivatives are dh_aa/dE = -(Z_a - 1) and dh_aa/dB = <X_a|Gz|X_a>.
    """
    h, Z, g = bench.h, bench.Z, bench.g
    small = _SETTLED * scale
    for _ in range(_MAX_NEWTON):
        dress(bench, Gz, E, B, anchors)
        bracket(Gz, bench.X, g)
        Za, Zb, ga, gb = Z[0, 0].real, Z[1, 1].real, g[0, 0].real, g[1, 1].real
        ra, rb = h[0, 0].real - E, h[1, 1].real - E
        determinant = Zb * ga - Za * gb
        if determinant == 0.0 or not np.isfinite(determinant):
            break
        dE = (rb * ga - ra * gb) / determinant
        dB = (Za * rb - Zb * ra) / determinant
        E, B = E + dE, B + dB
        if abs(dE) <= small and abs(dB * ga) <= small * Za and abs(dB * gb) <= small * Zb:
            return True, E, B
    return False, E, B
