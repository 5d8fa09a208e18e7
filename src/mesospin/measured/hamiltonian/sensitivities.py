r"""Levels and thermal averages of a Hamiltonian together with their derivatives by its parameters.

First derivatives of levels are expectation values (Hellmann and Feynman).  With
:math:`x_i = -E_i/T` and divided differences of the exponential, those of thermal averages are traces

.. math:: \partial_a\partial_b \ln Z &= \frac1{T^2 Z}\sum_{ij} e[x_i, x_j]\,A_{ij}B_{ji} \\
          \partial_a^2\partial_c \ln Z &= -\frac2{T^3 Z}\sum_{ijk} e[x_i, x_j, x_k]\,A_{ij}A_{jk}C_{ki}

of operators with their thermal mean subtracted.  Degenerate levels need no care.

References
----------
.. [1] R. P. Feynman, Phys. Rev. 56, 340 (1939).
.. [2] N. J. Higham, Functions of Matrices (SIAM, 2008), sections 3.2 and B.16 (divided differences).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement, pairwise, permutations

import numpy as np
from numpy.typing import NDArray

from mesospin.constants import MU_B
from mesospin.measured.hamiltonian.parameters import Family
from mesospin.spectrum.matrices import Array
from mesospin.thermo.boltzmann import divided_differences, occupations
from mesospin.thermo.sample import THREADS, in_threads

Floats = NDArray[np.float64]
#: Value (f, t) and derivative (f, t, p) of an average.
WithSlope = tuple[Floats, Floats]

_CHUNK_BYTES = 2**24
#: Fields below which another thread is not worth its start.
_FIELDS = 64
#: Spread of three exponents below which the divided difference is summed as a series.
_CLOSE = 0.5
#: Largest number of triples of levels and temperatures that is held at once.
_TRIPLES = 2**20
_SERIES = 14
#: Part of the level spacing scale below which levels are one.
_DEGENERATE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One member of a family of Hamiltonians.

    Parameters
    ----------
    family : Family
    values : ndarray, shape (p,)
    """

    family: Family
    values: Floats

    def diagonalised(self, vectors: Floats) -> tuple[Floats, Array]:
        """Return levels (f, n) [K] and states (f, n, n) at field vectors (f, 3) [T]."""
        H0, G = self.family.at(self.values)
        H: Array = H0 + np.tensordot(vectors, G, 1)
        if not np.any(H.imag):
            H = H.real
        energy, states = np.linalg.eigh(H)
        return energy, states

    def slopes(self, vectors: Floats, states: Array) -> Array:
        """Return dH/dp in the eigenbasis, shape (f, p, n, n)."""
        matrices = _in_eigenbasis(_real_if_possible(self.family.O)[None], states)
        moving = self.family.with_field
        if len(moving):
            along = np.tensordot(vectors, self.family.Q[moving], (1, 1))
            matrices = matrices.astype(np.result_type(matrices, states, _real_if_possible(along)))
            matrices[:, moving] += _in_eigenbasis(_real_if_possible(along), states)
        return matrices

    def levels(self, vectors: Floats) -> tuple[Floats, Floats]:
        """Return levels (f, n) [K] and their derivatives (f, n, p); the mean of degenerate ones."""
        energy, states = self.diagonalised(vectors)
        own = np.einsum("fpii->fip", self.slopes(vectors, states)).real.copy()
        scale = np.maximum(energy[:, -1:] - energy[:, :1], 1e-300)
        new = np.diff(energy, axis=1) > _DEGENERATE * scale
        for row, starts in enumerate(new):
            edges = np.flatnonzero(np.concatenate([[True], starts, [True]]))
            for a, b in pairwise(edges):
                if b - a > 1:
                    own[row, a:b] = own[row, a:b].mean(axis=0)
        return energy, own

    def field_slopes(self, vectors: Floats, axes: Floats) -> Floats:
        """Return dE/dB along axes (f, 3), shape (f, n) [K/T]."""
        _, states = self.diagonalised(vectors)
        _, G = self.family.at(self.values)
        along = np.einsum("fc,cij->fij", axes, G)
        slopes: Floats = np.einsum("fia,fij,fja->fa", states.conj(), along, states, optimize=True).real
        return slopes

    def strengths(self, vectors: Floats) -> tuple[Floats, Floats]:
        """Return levels (f, n) and the sum of |<i|mu_c|j>|^2 over c, shape (f, n, n) [mu_B^2]."""
        energy, states = self.diagonalised(vectors)
        _, G = self.family.at(self.values)
        matrices = _in_eigenbasis(np.broadcast_to(G / MU_B, (len(vectors), *G.shape)), states)
        return energy, np.einsum("fcij,fcij->fij", matrices, matrices.conj()).real

    def moment(self, vectors: Floats, directions: Floats, T: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the moment [mu_B] along directions (f, k, 3), its response and its derivatives.

        Returns
        -------
        moment : ndarray, shape (f, t, k) [mu_B]
        chi : ndarray, shape (f, t, k, k) [mu_B/T]
        slopes : ndarray, shape (f, t, k, p)
        """
        moment, chi, slopes = _in_chunks(self._moment, self.family, vectors, directions, T)
        return moment, chi, slopes

    def _moment(self, vectors: Floats, directions: Floats, T: Floats) -> tuple[Floats, ...]:
        energy, states = self.diagonalised(vectors)
        _, G = self.family.at(self.values)
        along = np.einsum("fkc,cij->fkij", directions, G)
        A = _in_eigenbasis(_real_if_possible(along), states)
        O = np.concatenate([self.slopes(vectors, states), A], axis=1)
        weight, _ = occupations(energy, T)
        # Zeeman operators: the moment is minus their average over mu_B
        mean, covariance = _covariance(energy, weight, T, A, O)
        p = len(self.values)
        slopes = covariance[..., :p] / MU_B
        for index in self.family.with_field:
            own = np.einsum("fkc,cij->fkij", directions, self.family.Q[index])
            slopes[..., index] -= np.einsum("ftn,fkn->ftk", weight, _diagonal(own, states)) / MU_B
        return -mean / MU_B, covariance[..., p:] / MU_B, slopes

    def heat(self, vectors: Floats, T: Floats) -> WithSlope:
        r"""Return the heat capacity / k_B and its derivatives, from moments of the energy.

        .. math:: \partial_p C = 2\beta^2\langle\delta E\,\delta O\rangle
                  - \beta^3\langle\delta E^2\,\delta O\rangle
        """
        nothing = np.zeros((len(vectors), 1, 3))
        value, slope = _in_chunks(self._heat, self.family, vectors, nothing, T)
        return value, slope

    def _heat(self, vectors: Floats, directions: Floats, T: Floats) -> tuple[Floats, ...]:
        del directions
        energy, states = self.diagonalised(vectors)
        own = np.einsum("fpii->fip", self.slopes(vectors, states)).real
        weight, _ = occupations(energy, T)
        excess = energy - energy[:, :1]
        spread = excess[:, None] - np.einsum("ftn,fn->ft", weight, excess)[..., None]
        centred = own[:, None] - np.einsum("ftn,fnp->ftp", weight, own)[:, :, None]
        x = spread / T[..., None]
        value = np.einsum("ftn,ftn->ft", weight, x * x)
        slope = np.einsum("ftn,ftnp->ftp", weight * (2.0 * x - x * x), centred) / T[..., None]
        return value, slope

    def chi(self, vectors: Floats, directions: Floats, T: Floats) -> WithSlope:
        """Return dM/dB [mu_B/T] (f, t, k) along directions (f, k, 3), and its derivatives (f, t, k, p)."""
        value, slope = _in_chunks(self._chi, self.family, vectors, directions, T)
        return value, slope

    def _chi(self, vectors: Floats, directions: Floats, T: Floats) -> tuple[Floats, ...]:
        _, G = self.family.at(self.values)
        f, k = directions.shape[:2]
        temperatures = np.broadcast_to(T, (f, T.shape[1]))
        moving = self.family.with_field
        value = np.empty((f, T.shape[1], k))
        slope = np.empty((f, T.shape[1], k, len(self.values)))
        # at zero field all directions share their levels
        keys = np.concatenate([vectors, temperatures], axis=1)
        different, first, member = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        for index in range(len(different)):
            rows = np.flatnonzero(member.ravel() == index)
            here = vectors[first[index]][None]
            energy, states = self.diagonalised(here)
            A = _in_eigenbasis(_real_if_possible(np.einsum("fkc,cij->fkij", directions[rows], G)), states)
            O = self.slopes(here, states)[0]
            Q = np.einsum("fkc,pcij->fkpij", directions[rows], self.family.Q[moving])
            Q = states[0].conj().T @ _real_if_possible(Q) @ states[0]
            starts = _groups(energy[0])
            size = max(1, _TRIPLES // len(starts) ** 3)
            for start in range(0, T.shape[1], size):
                part = slice(start, start + size)
                t = temperatures[first[index], part]
                thermal = _thermal(energy[0], starts, t)
                for i, row in enumerate(rows):
                    for d in range(k):
                        pair = _response(thermal, A[i, d], O, Q[i, d], moving)
                        value[row, part, d], slope[row, part, d] = pair
        return value / MU_B, slope / MU_B


@dataclass(frozen=True, slots=True, eq=False)
class _Thermal:
    """Divided differences at temperatures T (t,), over the partition function, of m different levels.

    ``starts`` (m,) are the first states of the levels; ``weight`` (t, m) of one state, ``second``
    (t, m m), and ``third`` (t, triples) of the ordered triples whose place ``position`` (m, m, m) tells.
    """

    starts: NDArray[np.intp]
    T: Floats
    weight: Floats
    second: Floats
    third: Floats
    position: NDArray[np.intp]


def _groups(energy: Floats) -> NDArray[np.intp]:
    """Return the first state of every level, where levels closer than the rounding of `eigh` are one."""
    rounding = 4.0 * np.finfo(np.float64).eps * len(energy) * float(np.abs(energy).max())
    return np.flatnonzero(np.concatenate([[True], np.diff(energy) > rounding]))


def _thermal(energy: Floats, starts: NDArray[np.intp], T: Floats) -> _Thermal:
    x = (energy[0] - energy[starts]) / T[:, None]
    (i, j, k), position = _ordered_triples(len(starts))
    factor = np.exp(x)
    Z = (factor @ np.diff(starts, append=len(energy)).astype(np.float64))[:, None]
    second = first_difference(x[:, :, None], x[:, None, :]).reshape(len(T), -1)
    third = second_difference(x[:, k], x[:, j], x[:, i])
    return _Thermal(starts, T, factor / Z, second / Z, third / Z, position)


def _response(thermal: _Thermal, A: Array, O: Array, Q: Array, moving: NDArray[np.intp]) -> WithSlope:
    r"""Return -d2F/dB2 [K/T^2] (t,) and its derivatives (t, p); A = dH/dB, O = dH/dp, Q = d2H/dB dp.

    With :math:`\langle A; B\rangle` the sums over pairs and triples of the module, over Z, that is

    .. math:: \frac1T\bigl(\langle A;A\rangle - \langle A\rangle^2\bigr),\qquad
              -\frac1{T^2}\bigl(2\langle A;A;O\rangle - 2\langle A;O\rangle\langle A\rangle
              - \langle A;A\rangle\langle O\rangle + 2\langle A\rangle^2\langle O\rangle\bigr)
              + \frac2T\bigl(\langle A;Q\rangle - \langle A\rangle\langle Q\rangle\bigr).

    Operators are taken relative to their value in the lowest state, so that nothing cancels at low T.
    """
    A, O, Q = (_from_ground(operator) for operator in (A, O, Q))
    p, starts = len(O), thermal.starts
    others = np.concatenate([A[None], O, Q])
    pairs = _summed((A * others.conj()).real, starts).reshape(len(others), -1)
    own = np.add.reduceat(np.einsum("pii->pi", others).real, starts, axis=1)
    through = np.stack([A[:, a:b] @ A[a:b] for a, b in pairwise([*starts, len(A)])])
    triples = [_summed((through * operator.conj()).real, starts).ravel() for operator in O]
    places, count = thermal.position.ravel(), thermal.third.shape[1]
    third = thermal.third @ np.stack([np.bincount(places, row, count) for row in triples], axis=1)
    second, mean = thermal.second @ pairs.T, thermal.weight @ own.T
    T = thermal.T[:, None]
    a, aa, o, ao = mean[:, :1], second[:, :1], mean[:, 1 : p + 1], second[:, 1 : p + 1]
    slope = -2.0 * (third - ao * a - (aa / 2.0 - a * a) * o) / T**2
    slope[:, moving] += 2.0 * (second[:, p + 1 :] - a * mean[:, p + 1 :]) / T
    return ((aa - a * a) / T)[:, 0], slope


def _from_ground(operator: Array) -> Array:
    shifted: Array = operator - operator[..., :1, :1].real * np.eye(operator.shape[-1])
    return shifted


def _summed(matrices: Floats, starts: NDArray[np.intp]) -> Floats:
    """Return matrices (..., n, n) summed over the states of every level, (..., m, m)."""
    rows: Floats = np.add.reduceat(matrices, starts, axis=-2)
    return np.asarray(np.add.reduceat(rows, starts, axis=-1))


@lru_cache(maxsize=16)
def _ordered_triples(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return all i <= j <= k (3, m), and for every (i, j, k) in any order which of them it is (n, n, n)."""
    ordered = np.array(list(combinations_with_replacement(range(n), 3))).T
    position = np.empty((n, n, n), dtype=np.intp)
    for i, j, k in permutations(range(3)):
        position[ordered[i], ordered[j], ordered[k]] = np.arange(ordered.shape[1])
    return ordered, position


def first_difference(x: Floats, y: Floats) -> Floats:
    """Return (e^x - e^y)/(x - y), e^x where they coincide.

    Examples
    --------
    >>> first_difference(np.array(0.0), np.array([0.0, -1.0])).round(6)
    array([1.      , 0.632121])
    """
    return divided_differences(np.exp(np.maximum(x, y)), np.abs(x - y), np.array(1.0))


def second_difference(low: Floats, middle: Floats, high: Floats) -> Floats:
    r"""Return the second divided difference of the exponential at low <= middle <= high.

    Distant points by the difference of first ones, close ones by the series
    :math:`e^c\sum_m h_m/(m+2)!` of complete symmetric polynomials around their mean.

    Examples
    --------
    >>> second_difference(np.zeros(1), np.zeros(1), np.zeros(1))
    array([0.5])
    """
    wide = high - low
    far = wide > _CLOSE
    distance = np.where(far, wide, 1.0)
    difference = (first_difference(high, middle) - first_difference(middle, low)) / distance
    near = ~far
    if not np.any(near):
        return np.asarray(difference)
    low, middle, high = low[near], middle[near], high[near]
    centre = (low + middle + high) / 3.0
    u, v, w = low - centre, middle - centre, high - centre
    pairs, product = u * v + v * w + w * u, u * v * w  # u + v + w = 0
    older, old, new = np.zeros_like(u), np.zeros_like(u), np.ones_like(u)
    total, factorial = new / 2.0, 2.0
    for m in range(1, _SERIES):
        factorial *= m + 2
        older, old, new = old, new, product * older - pairs * old
        total = total + new / factorial
    difference[near] = np.exp(centre) * total
    return np.asarray(difference)


def _covariance(energy: Floats, weight: Floats, T: Floats, A: Array, O: Array) -> tuple[Floats, Floats]:
    """Return <A> (f, t, k) and -d<A>/d(field of O) at fixed A, shape (f, t, k, p)."""
    f, k, n, _ = A.shape
    p = O.shape[1]
    own = np.einsum("fkii->fki", A).real
    other = np.einsum("fpii->fpi", O).real
    mean = np.einsum("ftn,fkn->ftk", weight, own)
    mean_other = np.einsum("ftn,fpn->ftp", weight, other)
    i, j = np.triu_indices(n, 1)
    upper, right = A[:, :, i, j], O[:, :, i, j]
    products = 2.0 * (upper[:, :, None] * right[:, None].conj()).real.reshape(f, k * p, len(i))
    gap = (energy[:, j] - energy[:, i])[:, None, :]
    pairs = divided_differences(weight[:, :, i], gap, T[:, :, None]) @ products.swapaxes(1, 2)
    centred = own[:, None] - mean[..., None]
    centred_other = other[:, None] - mean_other[..., None]
    diagonal = (weight[:, :, None] * centred) @ centred_other.swapaxes(-1, -2) / T[:, :, None, None]
    return mean, pairs.reshape(*pairs.shape[:2], k, p) + diagonal


def _in_eigenbasis(operators: Array, states: Array) -> Array:
    """Return the operators (f, k, n, n) in the eigenbasis."""
    result: Array = states.conj().swapaxes(-1, -2)[:, None] @ operators @ states[:, None]
    return result


def _diagonal(operators: Array, states: Array) -> Floats:
    """Return the expectation values (f, k, n) of operators (f, k, n, n)."""
    kets = operators @ states[:, None]
    values: Floats = (states.conj()[:, None] * kets).sum(axis=-2).real
    return values


def _real_if_possible(array: Array) -> Array:
    return array.real if np.iscomplexobj(array) and not np.any(array.imag) else array


def _in_chunks(
    kernel: Callable[[Floats, Floats, Floats], tuple[Floats, ...]],
    family: Family,
    vectors: Floats,
    directions: Floats,
    T: Floats,
) -> tuple[Floats, ...]:
    """Return the averages, a part of the fields at a time, the parts in threads."""
    n, p = family.system.dimension, len(family.parameters)
    k = directions.shape[1]
    each = 16 * n * n * (5 * (p + k) + k * (p + k) + T.shape[1])
    size = max(1, min(_CHUNK_BYTES // each, max(_FIELDS, -(-len(vectors) // THREADS))))

    def part(start: int) -> tuple[Floats, ...]:
        rows = slice(start, start + size)
        return kernel(vectors[rows], directions[rows], T if len(T) == 1 else T[rows])

    parts = in_threads(part, range(0, len(vectors), size))
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))
