r"""Chains whose elements span several sites: all but one or two of them are eliminated in one sweep.

A sweep from one end eliminates the sites in order (no pivoting; the numbers carry 32 digits), except for the
kept ones, whose couplings to the sites still to come are carried along with an exponent of their own.  What
remains is the effective matrix of the kept sites at the energy E, without approximation.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mesospin.spectrum.tunnelling.large_spin.double_double import add, divide, multiply

__all__ = ["back_substitute", "count_below", "fold"]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]
Four = tuple[float, float, float, float]

_LARGE = 2.0**256
_SMALL = 2.0**-256
#: Stands for a pivot that is exactly zero.
_TINY = 1e-300


@njit(cache=True, nogil=True)
def count_below(d: Real, rows: Complex, energy: float) -> int:
    """Return the number of levels below ``energy``; ``rows[k - 1, j]`` is <j|H|j - k>, in doubles."""
    w, n = rows.shape
    window = np.zeros((w + 1, w + 1), dtype=np.complex128)
    below = 0
    for site in range(n + w):
        for k in range(1, w + 1):
            window[w, w - k] = rows[k - 1, site] if k <= site < n else 0.0
        window[w, w] = d[site] - energy if site < n else 1.0
        if site >= w:
            pivot = window[0, 0].real
            if pivot == 0.0:
                pivot = _TINY
            if pivot < 0.0:
                below += 1
            for k in range(1, w + 1):
                factor = np.conj(window[k, 0]) / pivot
                for i in range(k, w + 1):
                    window[i, k] -= window[i, 0] * factor
        for i in range(w):
            for k in range(i + 1):
                window[i, k] = window[i + 1, k + 1]
    return below


@njit(cache=True, nogil=True, inline="always")
def _subtract(x: Real, i: int, k: int, a: Real, j: int, b: Four, real: bool) -> None:
    """x[i, k] -= a[j] * conj(b), each (real high, real low, imaginary high, imaginary low)."""
    ph, pl = multiply(a[j, 0], a[j, 1], b[0], b[1])
    x[i, k, 0], x[i, k, 1] = add(x[i, k, 0], x[i, k, 1], -ph, -pl)
    if not real:
        ph, pl = multiply(a[j, 2], a[j, 3], b[2], b[3])
        x[i, k, 0], x[i, k, 1] = add(x[i, k, 0], x[i, k, 1], -ph, -pl)
        ph, pl = multiply(a[j, 2], a[j, 3], b[0], b[1])
        x[i, k, 2], x[i, k, 3] = add(x[i, k, 2], x[i, k, 3], -ph, -pl)
        ph, pl = multiply(a[j, 0], a[j, 1], b[2], b[3])
        x[i, k, 2], x[i, k, 3] = add(x[i, k, 2], x[i, k, 3], ph, pl)


@njit(cache=True, nogil=True, inline="always")
def _entry(x: Real, i: int, k: int, sign: float) -> Four:
    """Return an element, its imaginary part times ``sign``."""
    return x[i, k, 0], x[i, k, 1], sign * x[i, k, 2], sign * x[i, k, 3]


@njit(cache=True, nogil=True, inline="always")
def _take_in(
    d: Real, rows: Real, column: int, site: int, eh: float, el: float, window: Real, border: Real
) -> None:
    """Fill the last row of the window with the next site."""
    w = rows.shape[0]
    for k in range(1, w + 1):
        for c in range(4):
            window[w, w - k, c] = rows[k - 1, c, column] if k <= site else 0.0
    window[w, w, 0], window[w, w, 1] = add(d[0, column], d[1, column], -eh, -el)
    window[w, w, 2], window[w, w, 3] = 0.0, 0.0
    for q in range(3):
        for c in range(4):
            border[q, w, c] = 0.0


@njit(cache=True, nogil=True, inline="always")
def _keep(which: int, window: Real, border: Real, effective: Real, measures: Real) -> None:
    """Turn the first site of the window into kept site ``which``."""
    for c in range(4):
        effective[which, which, c] = window[0, 0, c]
        for k in range(window.shape[0]):
            border[which, k, c] = window[k, 0, c]
    if which == 1:
        for c in range(4):
            effective[1, 0, c] = border[0, 0, c]
        measures[1] = abs(border[2, 0, 0]) + abs(border[2, 0, 2])
    else:
        for k in range(window.shape[0]):
            border[2, k, 0], border[2, k, 2] = window[k, 0, 0], window[k, 0, 2]


@njit(cache=True, nogil=True, inline="always")
def _eliminate(
    window: Real, border: Real, scaled: Real, effective: Real, measures: Real, place: Integers
) -> None:
    """Eliminate the first site of the window from the others and from the kept sites."""
    size, active, real = window.shape[0], place[2], place[3] == 1
    ph, pl = window[0, 0, 0], window[0, 0, 1]
    if ph == 0.0:
        ph = _TINY
    ih, il = divide(1.0, 0.0, ph, pl)
    largest = abs(ph)
    for k in range(1, size):
        scaled[k, 0], scaled[k, 1] = multiply(window[k, 0, 0], window[k, 0, 1], ih, il)
        if not real:
            scaled[k, 2], scaled[k, 3] = multiply(window[k, 0, 2], window[k, 0, 3], ih, il)
        largest = max(largest, abs(window[k, 0, 0]) + abs(window[k, 0, 2]))
    measures[0] = min(measures[0], abs(ph) / largest)
    for k in range(1, size):
        column = _entry(window, k, 0, 1.0)
        for i in range(k, size):
            _subtract(window, i, k, scaled, i, column, real)
    for q in range(active):
        coupling = _entry(border, q, 0, -1.0)
        for k in range(1, size):
            _subtract(border, q, k, scaled, k, coupling, real)
        scaled[0, 0], scaled[0, 1] = multiply(border[q, 0, 0], border[q, 0, 1], ih, il)
        scaled[0, 2], scaled[0, 3] = multiply(border[q, 0, 2], border[q, 0, 3], ih, il)
        _dress(q, border, scaled, effective, measures, place)
    if active > 0:
        _disturb(border, scaled, place)


@njit(cache=True, nogil=True, inline="always")
def _disturb(border: Real, scaled: Real, place: Integers) -> None:
    """Carry on what a relative error of one in every step so far adds up to, with random signs."""
    re, im = border[2, 0, 0], border[2, 0, 2]
    size = abs(border[0, 0, 0]) + abs(border[0, 0, 2])
    for k in range(1, border.shape[1]):
        place[5] = place[5] * 6364136223846793005 + 1442695040888963407
        a, b = scaled[k, 0], scaled[k, 2]
        error = (abs(a) + abs(b)) * size
        border[2, k, 0] -= a * re - b * im + (error if place[5] > 0 else -error)
        border[2, k, 2] -= a * im + b * re


@njit(cache=True, nogil=True, inline="always")
def _dress(q: int, border: Real, scaled: Real, effective: Real, measures: Real, place: Integers) -> None:
    """Add what the site contributes to the effective matrix; ``scaled[0]`` is its border q over the pivot."""
    if q == 1:
        _subtract(effective, 1, 1, scaled, 0, _entry(border, 1, 0, 1.0), False)
        return
    if place[1] == 0:
        _subtract(effective, 0, 0, scaled, 0, _entry(border, 0, 0, 1.0), False)
    if place[2] == 2:
        _subtract(effective, 1, 0, scaled, 0, _entry(border, 1, 0, 1.0), False)
        size = abs(border[1, 0, 0]) + abs(border[1, 0, 2])
        measures[1] += (abs(scaled[0, 0]) + abs(scaled[0, 2])) * size


@njit(cache=True, nogil=True)
def _rescale(border: Real, place: Integers) -> None:
    """Keep the couplings of the first kept site within the range of doubles."""
    largest = 0.0
    for k in range(border.shape[1] - 1):
        largest = max(largest, abs(border[0, k, 0]), abs(border[0, k, 2]))
    if 0.0 < largest < _SMALL:
        border *= _LARGE
        place[1] -= 256
    elif largest > _LARGE:
        border *= _SMALL
        place[1] += 256


@njit(cache=True, nogil=True, inline="always")
def _shift(window: Real, border: Real, place: Integers) -> None:
    """Drop the first site of the window."""
    w = window.shape[0] - 1
    for i in range(w):
        for c in range(4):
            for k in range(i + 1):
                window[i, k, c] = window[i + 1, k + 1, c]
            border[0, i, c] = border[0, i + 1, c]
            border[1, i, c] = border[1, i + 1, c]
            border[2, i, c] = border[2, i + 1, c]
    if place[2] == 1 and place[4] == 0:
        _rescale(border, place)


@njit(cache=True, nogil=True)
def fold(
    d: Real,
    rows: Real,
    eh: float,
    el: float,
    kept: Integers,
    place: Integers,
    window: Real,
    border: Real,
    effective: Real,
    measures: Real,
    factors: Real,
) -> None:
    """Take in further sites of the chain and eliminate those that fall out of the window.

    Parameters
    ----------
    d : array, shape (2, n)
        Diagonal of the next n sites.
    rows : array, shape (w, 4, n)
        Elements <site|H|site - k>, k = 1 ... w.
    eh, el : float
        Energy.
    kept : integers (first, second, skipped)
        Sites that are kept, in this order along the chain, and one that is left out; -1 for none.
    place : integers (next site, exponent, active, real, storing, random)
        Where the sweep stands: the binary exponent of the border, the number of kept sites passed, 1 if all
        elements are real, 1 if the factors are stored, the state of a generator of random signs.
    window : array, shape (w + 1, w + 1, 4)
        Lower triangle of the matrix of the sites in the window.
    border : array, shape (3, w + 1, 4)
        Elements <site|M|kept> for both kept sites; the error of the first for a relative error of one a step.
    effective : array, shape (2, 2, 4)
        Lower triangle of the effective matrix of the kept sites; <second|M|first> has the exponent.
    measures : array, shape (2,)
        Smallest pivot relative to its row; that error of <second|M|first>.
    factors : array, shape (n, w + 2, 4)
        Receives column, pivot and border of every site that is eliminated.
    """
    w = rows.shape[0]
    scaled = np.zeros((w + 1, 4))
    for column in range(d.shape[1]):
        _take_in(d, rows, column, place[0], eh, el, window, border)
        j = place[0] - w
        place[0] += 1
        if place[4] == 1 and j >= 0:
            for c in range(4):
                for k in range(w):
                    factors[j, k, c] = window[k + 1, 0, c]
                factors[j, w, c] = window[0, 0, c]
                factors[j, w + 1, c] = border[0, 0, c]
        if j >= 0 and (j == kept[0] or j == kept[1]):
            _keep(place[2], window, border, effective, measures)
            place[2] += 1
        elif j >= 0 and j != kept[2]:
            _eliminate(window, border, scaled, effective, measures, place)
        _shift(window, border, place)


@njit(cache=True, nogil=True)
def back_substitute(factors: Real, kept: int, skipped: int) -> tuple[Real, float, float]:
    """Return the vector with 1 on the kept site and 0 on the skipped one, shape (n, 4), and its norm."""
    n, w = factors.shape[0], factors.shape[1] - 2
    x = np.zeros((n + w, 4))
    x[kept, 0] = 1.0
    total = np.zeros((1, 1, 4))
    nh, nl = 0.0, 0.0
    for j in range(n - 1, -1, -1):
        if j != kept and j != skipped:
            for c in range(4):
                total[0, 0, c] = -factors[j, w + 1, c]
            for k in range(w):
                _subtract(total, 0, 0, x, j + 1 + k, _entry(factors, j, k, 1.0), False)
            ph, pl = factors[j, w, 0], factors[j, w, 1]
            if ph == 0.0:
                ph = _TINY
            x[j, 0], x[j, 1] = divide(total[0, 0, 0], total[0, 0, 1], ph, pl)
            x[j, 2], x[j, 3] = divide(total[0, 0, 2], total[0, 0, 3], ph, pl)
        for c in range(0, 4, 2):
            sh, sl = multiply(x[j, c], x[j, c + 1], x[j, c], x[j, c + 1])
            nh, nl = add(nh, nl, sh, sl)
    return x[:n], nh, nl
