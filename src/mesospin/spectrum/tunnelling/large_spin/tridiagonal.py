r"""Chains of nearest neighbours: levels of a well by pivots from both ends, the barrier in one sweep.

With d the diagonal and t the bonds, the pivots :math:`F_j = d_j - E - t_j^2/F_{j-1}` of a sweep give all
that is needed and only the squares of the bonds occur, so that phases and square roots never do:

* the number of negative pivots is the number of levels below E;
* pivots from both ends that meet on site A give :math:`\gamma = F_A + F'_A - (d_A - E)`, the solution of
  :math:`(H-E)\psi = \gamma e_A`, and the correction of the level :math:`\gamma |\psi_A|^2/|\psi|^2`;
* :math:`h_{AB}^2 = \prod t_j^2 / \prod F_j^2` over the sites between A and B.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mesospin.spectrum.tunnelling.large_spin.double_double import add, divide, multiply

__all__ = ["START", "count_below", "dressed", "sweep"]

Real = NDArray[np.float64]
Integers = NDArray[np.int64]

_LARGE = 2.0**300
_SMALL = 2.0**-300
#: A pivot that decouples the first site from what lies before it.
START = 2.0**900
#: Stands for a pivot that is exactly zero.
_TINY = 1e-300


@njit(cache=True, nogil=True)
def count_below(d: Real, square: Real, energy: float) -> int:
    """Return the number of levels below ``energy``; ``square[j]`` is the squared bond of j - 1 and j."""
    below = 0
    pivot = START
    for j in range(d.size):
        pivot = d[j] - energy - square[j] / pivot
        if pivot == 0.0:
            pivot = _TINY
        if pivot < 0.0:
            below += 1
    return below


@njit(cache=True, nogil=True)
def _pivots(d: Real, square: Real, eh: float, el: float, pivot: Real, backwards: bool) -> None:
    """Write the pivots of d - E from the first site, or from the last one, shape (2, n)."""
    n = d.shape[1]
    fh, fl = START, 0.0
    for i in range(n):
        j = n - 1 - i if backwards else i
        gh, gl = add(d[0, j], d[1, j], -eh, -el)
        if i:
            k = j + 1 if backwards else j
            qh, ql = divide(square[0, k], square[1, k], fh, fl)
            fh, fl = add(gh, gl, -qh, -ql)
        else:
            fh, fl = gh, gl
        if fh == 0.0:
            fh, fl = _TINY, 0.0
        pivot[0, j], pivot[1, j] = fh, fl


@njit(cache=True, nogil=True)
def dressed(
    d: Real, square: Real, eh: float, el: float, site: int
) -> tuple[int, float, float, float, float, Real]:
    """Solve (H - E) psi = gamma e_A with psi_A = 1.

    Parameters
    ----------
    d, square : arrays, shape (2, n)
        Diagonal and squared bonds, high and low parts.
    eh, el : float
        E.
    site : int
        A; -1 takes the site with the smallest gamma.

    Returns
    -------
    site, gamma (high, low), norm |psi|^2 (high, low), |psi|^2 of every site (n,)
    """
    n = d.shape[1]
    forward, backward = np.empty((2, n)), np.empty((2, n))
    _pivots(d, square, eh, el, forward, False)
    _pivots(d, square, eh, el, backward, True)
    if site < 0:
        smallest = np.inf
        for j in range(n):
            gamma = abs(forward[0, j] + backward[0, j] - (d[0, j] - eh))
            if gamma < smallest:
                smallest, site = gamma, j
    gh, gl = add(d[0, site], d[1, site], -eh, -el)
    gh, gl = add(backward[0, site], backward[1, site], -gh, -gl)
    gh, gl = add(gh, gl, forward[0, site], forward[1, site])
    weight = np.empty(n)
    weight[site] = 1.0
    nh, nl = 1.0, 0.0
    for direction in (-1, 1):
        wh, wl = 1.0, 0.0
        pivot = forward if direction < 0 else backward
        j = site + direction
        while 0 <= j < n:
            k = j + 1 if direction < 0 else j
            fh, fl = pivot[0, j], pivot[1, j]
            qh, ql = divide(square[0, k], square[1, k], fh, fl)
            qh, ql = divide(qh, ql, fh, fl)
            wh, wl = multiply(wh, wl, qh, ql)
            weight[j] = wh
            nh, nl = add(nh, nl, wh, wl)
            j += direction
    return site, gh, gl, nh, nl, weight


@njit(cache=True, nogil=True)
def _held(high: float, low: float, power: int) -> tuple[float, float, int]:
    """Return a product with its mantissa between 2^-300 and 2^300."""
    size = abs(high)
    if size < _SMALL:
        return high * _LARGE, low * _LARGE, power - 300
    if size > _LARGE:
        return high * _SMALL, low * _SMALL, power + 300
    return high, low, power


@njit(cache=True, nogil=True)
def sweep(d: Real, square: Real, eh: float, el: float, state: Real, powers: Integers) -> None:
    """Eliminate further sites of the barrier.

    ``state`` holds the last pivot, the product of the squared bonds and the product of the pivots (high
    and low each), ``powers`` the binary exponents of the two products; start with
    ``[START, 0, 1, 0, 1, 0]`` and zeros.
    """
    fh, fl, th, tl, ph, pl = state[0], state[1], state[2], state[3], state[4], state[5]
    a, b = powers[0], powers[1]
    for j in range(d.shape[1]):
        qh, ql = divide(square[0, j], square[1, j], fh, fl)
        gh, gl = add(d[0, j], d[1, j], -eh, -el)
        fh, fl = add(gh, gl, -qh, -ql)
        th, tl = multiply(th, tl, square[0, j], square[1, j])
        ph, pl = multiply(ph, pl, fh, fl)
        th, tl, a = _held(th, tl, a)
        ph, pl, b = _held(ph, pl, b)
    state[0], state[1], state[2], state[3], state[4], state[5] = fh, fl, th, tl, ph, pl
    powers[0], powers[1] = a, b
