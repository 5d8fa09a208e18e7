"""Elimination of fast states from a rate matrix, by sums of positive numbers only.

Grassmann, Taksar and Heyman's state reduction keeps the full relative accuracy of rates that
span fifty orders of magnitude: removing the state s replaces R[i, j] by
R[i, j] + R[i, s] R[s, j] / (sum of R[s, :]), and nothing is ever subtracted.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def eliminate(R, keep):
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
def rank_by_energy(e, kept, order, position):
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
def basins(R, order, e, keep, c):
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
