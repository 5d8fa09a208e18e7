r"""The master equation of all levels along a path, by the two-stage Radau IIA method.

.. math:: \dot p_b = \sum_a (R_{ab}\,p_a - R_{ba}\,p_b)

Third order, L-stable: rates of 1e11 1/s next to rates of 1e-8 1/s cost nothing.  Columns of the generator
sum to zero, and the sum of all equations, the conservation of probability, is one of those solved.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mesospin.dynamics.frame import Frame, frame_of
from mesospin.dynamics.rates import FrameArrays, Real, frame_arrays, rate_matrix

#: Probability of a transition that is none.
_NEVER = 1e-12


def populations(
    frame: Frame,
    T: float,
    times: NDArray[np.float64],
    field: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    start: NDArray[np.float64],
    nuclear_width: float = 0.0,
) -> NDArray[np.float64]:
    """Integrate the populations of all levels along a path.

    Parameters
    ----------
    frame : Frame
        States, channels and crossings of the molecule.
    T : float [K]
        Temperature.
    times : ndarray, shape (k,) [s]
        Steps; graded towards the crossings.
    field : callable
        B(t) [T], vectorised.
    start : ndarray, shape (n,)
        Populations at the start.
    nuclear_width : float [K]
        Width of the nuclear window; 0 for lifetime lines.

    Returns
    -------
    ndarray, shape (k, n)
        Populations at ``times``.
    """
    duration = np.diff(times)
    first, second = field(times[:-1] + duration / 3), field(times[1:])
    result = np.zeros((len(times), len(start)))
    for states in independent_states(frame, T, float(times[-1] - times[0])):
        if start[states].sum() > 0:
            part = np.empty((len(times), len(states)))
            arrays = frame_arrays(frame_of(frame, states), nuclear_width)
            _radau(T, duration, first, second, arrays, start[states], part)
            result[:, states] = part
    return result


def independent_states(frame: Frame, T: float, duration: float) -> list[NDArray[np.int64]]:
    """Return the groups of states between which nothing is exchanged in a time ``duration`` [s].

    No crossing leads from one group to another, and no phonon with a probability above 1e-12: a
    nucleus keeps its projection while the electron relaxes, unless the levels mix.
    """
    n = frame.energy.shape[1]
    pairs, channels = frame.crossings, frame.channels
    energy = np.abs(frame.energy[:, channels.a] - frame.energy[:, channels.b])
    # emission s e^3/(1 - exp(-e/T)) is at most s e^2 (e + T)
    rate = (channels.strength * energy**2 * (energy + T)).max(axis=0, initial=0.0)
    used = rate * duration > _NEVER
    links = np.concatenate([pairs.a, channels.a[used]]), np.concatenate([pairs.b, channels.b[used]])
    graph = coo_array((np.ones(len(links[0])), links), shape=(n, n))
    count, label = connected_components(graph, directed=False)
    return [np.flatnonzero(label == group).astype(np.int64) for group in range(count)]


def thermal(energy: NDArray[np.float64], T: float) -> NDArray[np.float64]:
    """Return the Boltzmann populations of levels ``energy`` [K], shape (n,).

    Examples
    --------
    >>> thermal(np.array([0.0, 1.0]), 1e-3)
    array([1., 0.])
    """
    weight = np.exp(-(energy - energy.min()) / T)
    return np.asarray(weight / weight.sum(), dtype=np.float64)


@njit(cache=True, nogil=True)
def _generator(R: Real, Q: Real) -> None:
    """Write the generator Q[b, a] = R[a, b], minus the column sums on the diagonal."""
    n = R.shape[0]
    for a in range(n):
        total = 0.0
        for b in range(n):
            if a != b:
                Q[b, a] = R[a, b]
                total += R[a, b]
        Q[a, a] = -total


@njit(cache=True, nogil=True)
def _radau(
    T: float, duration: Real, first: Real, second: Real, arrays: FrameArrays, start: Real, result: Real
) -> None:
    n = start.size
    R, Q1, Q2 = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    M, rhs = np.empty((2 * n, 2 * n)), np.empty(2 * n)
    p = start.copy()
    total = p.sum()
    result[0] = p
    for k in range(duration.size):
        h = duration[k]
        rate_matrix(first[k], T, arrays, R)
        _generator(R, Q1)
        rate_matrix(second[k], T, arrays, R)
        _generator(R, Q2)
        for i in range(n):
            for j in range(n):
                M[i, j] = -5.0 / 12.0 * h * Q1[i, j]
                M[i, n + j] = 1.0 / 12.0 * h * Q2[i, j]
                M[n + i, j] = -0.75 * h * Q1[i, j]
                M[n + i, n + j] = -0.25 * h * Q2[i, j]
            M[i, i] += 1.0
            M[n + i, n + i] += 1.0
            rhs[i] = p[i]
            rhs[n + i] = p[i]
        # The equations of each stage add up to conservation, but their diagonals are rounded at the size
        # of the fastest rate; the one of the fullest state is replaced by that exact sum.
        full = np.argmax(p)
        M[full] = 0.0
        M[n + full] = 0.0
        M[full, :n] = 1.0
        M[n + full, n:] = 1.0
        rhs[full] = total
        rhs[n + full] = total
        p[:] = np.linalg.solve(M, rhs)[n:]
        result[k + 1] = p
