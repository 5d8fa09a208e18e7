"""Elimination of fast states from a rate matrix, by sums of positive numbers only.

Grassmann, Taksar and Heyman's state reduction keeps the full relative accuracy of rates that
span fifty orders of magnitude: removing the state s replaces R[i, j] by
R[i, j] + R[i, s] R[s, j] / (sum of R[s, :]), and nothing is ever subtracted.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Real = NDArray[np.float64]
Index = NDArray[np.int64]


@njit(cache=True, nogil=True)
def eliminate(R: Real, keep: int) -> None:
    """Remove all states but the last ``keep`` from R in place, first row first.

    The diagonal of R is ignored and overwritten.
    """
    # unsigned indices: with signed ones the compiler guards against wrap-around and does not vectorise
    n, one = np.uint64(R.shape[0]), np.uint64(1)
    for s in range(np.uint64(0), n - np.uint64(keep)):
        total = 0.0
        for j in range(s + one, n):
            total += R[s, j]
        if total == 0.0:
            continue
        inverse = 1.0 / total
        for i in range(s + one, n):
            f = R[i, s] * inverse
            if f != 0.0:
                for j in range(s + one, n):
                    R[i, j] += f * R[s, j]


@njit(cache=True, nogil=True)
def rank_by_energy(e: Real, kept: Index, order: Index, position: Index) -> None:
    """Order the states from the highest energy down, the kept ones last.

    ``order`` holds the previous order on entry, which makes the insertion sort short;
    ``position`` receives its inverse.
    """
    n, keep = e.size, kept.size
    for r in range(n - keep):
        s = order[r]
        q = r
        while q > 0 and e[order[q - 1]] < e[s]:
            order[q] = order[q - 1]
            q -= 1
        order[q] = s
    for r in range(n):
        position[order[r]] = r


def first_order(n: int, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a starting order for `rank_by_energy`: all other states, then the kept ones."""
    others = np.setdiff1d(np.arange(n, dtype=np.int64), kept)
    return np.concatenate([others, kept]).astype(np.int64)


@njit(cache=True, nogil=True)
def basins(R: Real, order: Index, e: Real, keep: int, c: Real) -> None:
    """Write into c[r, k] the probability that the state at rank r relaxes to the k-th kept state.

    Only steps down in energy count, so a state far below a well bottom never belongs to it
    and Boltzmann sums over a basin stay bounded.
    """
    n = order.size
    for k in range(keep):
        for q in range(keep):
            c[n - keep + q, k] = 1.0 if q == k else 0.0
    for s in range(n - keep - 1, -1, -1):
        total = 0.0
        for k in range(keep):
            c[s, k] = 0.0
        for j in range(s + 1, n):
            if R[s, j] > 0.0 and e[order[j]] < e[order[s]]:
                total += R[s, j]
                for k in range(keep):
                    c[s, k] += R[s, j] * c[j, k]
        for k in range(keep):
            c[s, k] = c[s, k] / total if total > 0.0 else 0.0


def metastable_states(R: NDArray[np.float64], slowest: float) -> NDArray[np.int64]:
    """Return the states that survive when every state left faster than ``slowest`` is removed.

    Parameters
    ----------
    R : ndarray, shape (n, n) [1/s]
        Rates R[a, b] from a to b.
    slowest : float [1/s]
        Inverse of the time scale of interest.

    Returns
    -------
    ndarray of int
        The metastable states: the bottoms of the wells.  The fastest state goes first, and
        the rates between the rest are updated after every removal.

    Examples
    --------
    A barrier state above two bottoms:

    >>> R = np.array([[0.0, 1e-9, 0.0], [5.0, 0.0, 5.0], [0.0, 1e-9, 0.0]])
    >>> metastable_states(R, 1e-3)
    array([0, 2])
    """
    work = R.copy()
    np.fill_diagonal(work, 0.0)
    alive = np.arange(len(R))
    while len(alive) > 1:
        block = work[np.ix_(alive, alive)]
        out = block.sum(axis=1)
        s = int(np.argmax(out))
        if out[s] <= slowest:
            break
        rest = np.delete(np.arange(len(alive)), s)
        update = np.outer(block[rest, s], block[s, rest]) / out[s]
        np.fill_diagonal(update, 0.0)
        work[np.ix_(alive[rest], alive[rest])] += update
        alive = alive[rest]
    return np.asarray(np.sort(alive), dtype=np.int64)


def reduced_rates(R: NDArray[np.float64], kept: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the rates between the ``kept`` states after all others are removed, shape (k, k)."""
    order = np.concatenate([np.setdiff1d(np.arange(len(R)), kept), kept])
    work = np.ascontiguousarray(R[np.ix_(order, order)])
    eliminate(work, len(kept))
    block = work[-len(kept) :, -len(kept) :].copy()
    np.fill_diagonal(block, 0.0)
    return block


def relaxation_modes(R: NDArray[np.float64], energy: NDArray[np.float64], T: float) -> NDArray[np.float64]:
    """Return all decay rates of a rate matrix in detailed balance, ascending, shape (n,) [1/s].

    The first is zero.  Rates below 1e-8 of the largest drown in the rounding of an
    eigenvalue solver; they come from the reduction onto the metastable states instead, divided by
    the Boltzmann sums of their basins (relative error: slow rate over fast rate).

    Examples
    --------
    Two states in equilibrium, rates 1 and 3:

    >>> relaxation_modes(np.array([[0.0, 1.0], [3.0, 0.0]]), np.array([0.0, 1.0]), 0.9102)
    array([0., 4.])
    """
    symmetric = -np.sqrt(R * R.T)
    np.fill_diagonal(symmetric, R.sum(axis=1) - np.diagonal(R))
    modes = np.linalg.eigvalsh(symmetric)
    modes[0] = 0.0
    floor = 1e-8 * modes[-1]
    kept = metastable_states(R, floor)
    if len(kept) > 1:
        modes[: len(kept)] = _slow_modes(R, energy, T, kept)
    return np.sort(np.maximum(modes, 0.0))


def _slow_modes(
    R: NDArray[np.float64], energy: NDArray[np.float64], T: float, kept: NDArray[np.int64]
) -> NDArray[np.float64]:
    order, position = first_order(len(R), kept), np.empty(len(R), dtype=np.int64)
    rank_by_energy(energy, kept, order, position)
    share = np.empty((len(R), len(kept)))
    basins(np.ascontiguousarray(R[np.ix_(order, order)]), order, energy, len(kept), share)
    lower = (energy[kept] - energy[order][:, None]) / T
    Z = (share * np.exp(np.where(share > 0, lower, 0.0))).sum(axis=0)
    escape = reduced_rates(R, kept) / Z[:, None]
    if len(kept) == 2:
        return np.array([0.0, escape[0, 1] + escape[1, 0]])
    symmetric = -np.sqrt(escape * escape.T)
    np.fill_diagonal(symmetric, escape.sum(axis=1))
    slow = np.linalg.eigvalsh(symmetric)
    slow[0] = 0.0
    return np.maximum(slow, 0.0)


def easiest_path(
    R: NDArray[np.float64], energy: NDArray[np.float64], T: float, start: int, stop: int
) -> list[int]:
    """Return the states on the path of least resistance from ``start`` to ``stop``.

    In detailed balance a rate matrix is a resistor network with the conductances
    exp(-E_a/T) R[a, b]; the path minimises the sum of resistances, in logarithms.  Empty if
    no path exists.
    """
    with np.errstate(divide="ignore"):
        resistance = energy[:, None] / T - np.log(R)
    np.fill_diagonal(resistance, np.inf)
    distance = np.full(len(R), np.inf)
    before = np.full(len(R), -1)
    distance[start] = -np.inf
    todo = set(range(len(R)))
    while todo:
        a = min(todo, key=lambda state: distance[state])
        if distance[a] == np.inf:
            return []
        if a == stop:
            break
        todo.remove(a)
        through = np.logaddexp(distance[a], resistance[a])
        for b in todo:
            if through[b] < distance[b]:
                distance[b], before[b] = through[b], a
    path = [stop]
    while path[-1] != start:
        path.append(int(before[path[-1]]))
    return path[::-1]
