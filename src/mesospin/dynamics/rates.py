r"""The rate matrix at one field and temperature.

Phonons: W = s e^3/(exp(e/T) - 1).  Tunnelling, with the full gap and the bias xi of a pair:

.. math:: k(\xi) = \frac{\pi\Delta^2}{2\hbar}\rho(\xi),\qquad
          \rho = \frac{1}{\pi}\frac{G}{\xi^2+G^2}\ \text{or}\ \frac{e^{-|\xi|/\xi_0}}{2\xi_0},

the Lorentzian of the phonon lifetimes, :math:`G = \hbar(\gamma_a+\gamma_b)/2`, or the nuclear
window of Prokof'ev and Stamp.  The factors 2/(1 + exp(+-xi/T)) on the two directions give
detailed balance and leave the area of every even line, the Landau-Zener exponent, as it is.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mesospin.constants import HBAR
from mesospin.dynamics.frame import Frame
from mesospin.spectrum.diabatic import DiabaticPoint

#: Smallest half width of a lifetime line [K]: ground states live for ever, and the area of a line
#: that saturates nothing does not depend on its width.
MIN_WIDTH = 1e-8
_HBAR = float(HBAR)
_CAP = 700.0

Real = NDArray[np.float64]
Index = NDArray[np.int64]
#: Arrays of a frame in the order in which the kernels take them: field, energy, slope; channels a, b,
#: strength; crossings a, b, field, gap, slope; window [K], nuclear width [K]; exchange a, b, rate.
FrameArrays = tuple[
    Real, Real, Real, Index, Index, Real, Index, Index, Real, Real, Real, float, float, Index, Index, Real
]  # fmt: skip


def frame_arrays(frame: Frame, nuclear_width: float = 0.0) -> FrameArrays:
    """Return the arrays of a frame for the compiled kernels."""
    pairs, channels = frame.crossings, frame.channels
    return (
        np.ascontiguousarray(frame.field),
        np.ascontiguousarray(frame.energy),
        np.ascontiguousarray(frame.slope),
        np.ascontiguousarray(channels.a),
        np.ascontiguousarray(channels.b),
        np.ascontiguousarray(channels.strength),
        np.ascontiguousarray(pairs.a),
        np.ascontiguousarray(pairs.b),
        np.ascontiguousarray(pairs.field),
        np.ascontiguousarray(pairs.gap),
        np.ascontiguousarray(pairs.slope),
        float(frame.window),
        float(nuclear_width),
        np.ascontiguousarray(frame.exchange.a),
        np.ascontiguousarray(frame.exchange.b),
        np.ascontiguousarray(frame.exchange.rate),
    )


@njit(cache=True, nogil=True)
def energies_at(B: float, field: Real, energy: Real, slope: Real, e: Real) -> tuple[int, float]:
    """Write the energies at B into e by cubic Hermite interpolation; return cell and fraction."""
    g = field.size
    i = min(max(int(np.searchsorted(field, B, side="right")) - 1, 0), g - 2)
    h = field[i + 1] - field[i]
    t = (B - field[i]) / h
    h00 = (1 + 2 * t) * (1 - t) * (1 - t)
    h10 = t * (1 - t) * (1 - t)
    h01 = t * t * (3 - 2 * t)
    h11 = t * t * (t - 1)
    for a in range(e.size):
        e[a] = h00 * energy[i, a] + h * h10 * slope[i, a] + h01 * energy[i + 1, a] + h * h11 * slope[i + 1, a]
    return i, t


@njit(cache=True, nogil=True)
def add_phonons(
    T: float,
    e: Real,
    qa: Index,
    qb: Index,
    strength: Real,
    i: int,
    t: float,
    position: Index,
    R: Real,
    out: Real,
) -> None:
    """Add the phonon rates to R[position of a, position of b] and to the totals out[a]."""
    for q in range(qa.size):
        s = (1 - t) * strength[i, q] + t * strength[i + 1, q]
        high, low = qa[q], qb[q]
        if e[high] < e[low]:
            high, low = low, high
        gap = e[high] - e[low]
        x = gap / T
        if x < 1e-9:
            down = up = s * gap * gap * T
        else:
            y = np.exp(-min(x, _CAP))
            down = s * gap * gap * gap / (1.0 - y if x > 1e-2 else -np.expm1(-x))
            up = down * y
        R[position[high], position[low]] += down
        R[position[low], position[high]] += up
        out[high] += down
        out[low] += up


@njit(cache=True, nogil=True)
def line_rate(gap: float, xi: float, width: float, nuclear_width: float) -> float:
    """Return k(xi) [1/s] for a full gap and a bias in K."""
    if nuclear_width > 0.0:
        window: float = np.exp(-abs(xi) / nuclear_width) / (2 * nuclear_width)
        return np.pi * gap * gap / (2 * _HBAR) * window
    return gap * gap / (2 * _HBAR) * width / (xi * xi + width * width)


@njit(cache=True, nogil=True)
def half_width(out_a: float, out_b: float) -> float:
    """Return the half width G of a lifetime line [K] from the out-rates of its two states."""
    width = _HBAR * (out_a + out_b) / 2
    return width if width > MIN_WIDTH else MIN_WIDTH


@njit(cache=True, nogil=True)
def add_line(R: Real, a: int, b: int, k: float, xi: float, T: float) -> None:
    """Add the tunnelling a <-> b at rate k with detailed balance for E_a - E_b = xi."""
    y = np.exp(-min(abs(xi) / T, _CAP))
    down, up = 2 * k / (1 + y), 2 * k * y / (1 + y)
    if xi > 0:
        R[a, b] += down
        R[b, a] += up
    else:
        R[a, b] += up
        R[b, a] += down


@njit(cache=True, nogil=True)
def add_lines(
    B: float, T: float, arrays: FrameArrays, out: Real, position: Index, R: Real, skip: int
) -> None:
    """Add the tunnelling of every crossing but number ``skip``."""
    pa, pb, pB, gap, ps, window, nuclear = arrays[6:13]
    for p in range(pa.size):
        xi = ps[p] * (B - pB[p])
        # a window of nuclear bias opens the line for states that are eigenstates too
        if p != skip and (nuclear > 0.0 or abs(xi) < window):
            a, b = pa[p], pb[p]
            k = line_rate(gap[p], xi, half_width(out[a], out[b]), nuclear)
            if k > 0.0:
                add_line(R, position[a], position[b], k, xi, T)


@njit(cache=True, nogil=True)
def add_exchange(T: float, arrays: FrameArrays, e: Real, position: Index, R: Real) -> None:
    """Add the exchange by other processes, with detailed balance."""
    ra, rb, rk = arrays[13], arrays[14], arrays[15]
    for p in range(ra.size):
        a, b = ra[p], rb[p]
        add_line(R, position[a], position[b], rk[p], e[a] - e[b], T)


@njit(cache=True, nogil=True)
def rate_matrix(B: float, T: float, arrays: FrameArrays, R: Real) -> None:
    """Fill R[a, b] with the rates a -> b at field B; the diagonal stays zero."""
    field, energy, slope, qa, qb, strength = arrays[:6]
    n = energy.shape[1]
    e, out = np.empty(n), np.zeros(n)
    R[:] = 0.0
    position = np.arange(n)
    i, t = energies_at(B, field, energy, slope, e)
    add_phonons(T, e, qa, qb, strength, i, t, position, R, out)
    add_exchange(T, arrays, e, position, R)
    add_lines(B, T, arrays, out, position, R, -1)


def rates_at(frame: Frame, B: float, T: float, nuclear_width: float = 0.0) -> NDArray[np.float64]:
    """Return the rates R[a, b] from state a to state b at field ``B`` [T], shape (n, n) [1/s]."""
    n = frame.energy.shape[1]
    R = np.empty((n, n))
    rate_matrix(float(B), float(T), frame_arrays(frame, nuclear_width), R)
    return R


def rates_between(
    point: DiabaticPoint, strength: NDArray[np.float64], T: float, nuclear_width: float = 0.0
) -> NDArray[np.float64]:
    """Return the rates R[a, b] between the diabatic states of one field, shape (n, n) [1/s].

    The bias of every tunnelling pair is the difference of the energies that the phonons see,
    so detailed balance R[a, b]/R[b, a] = exp((E_a - E_b)/T) holds to rounding.

    Parameters
    ----------
    point : DiabaticPoint
        States with their couplings.
    strength : ndarray, shape (n, n) [1/(s K^3)]
        Phonon strengths between them.
    T : float [K]
        Temperature.
    nuclear_width : float [K]
        Nuclear window, 0 for lifetime lines.
    """
    n = len(point.energy)
    a, b = (index.astype(np.int64) for index in np.nonzero(np.triu(strength, 1)))
    R, out = np.zeros((n, n)), np.zeros(n)
    table = np.repeat(strength[a, b][None], 2, axis=0)
    add_phonons(float(T), point.energy, a, b, table, 0, 0.0, np.arange(n), R, out)
    for p, q in np.argwhere(np.triu(np.abs(point.coupling), 1) > 0):
        xi = float(point.energy[p] - point.energy[q])
        gap = 2 * float(abs(point.coupling[p, q]))
        k = line_rate(gap, xi, half_width(out[p], out[q]), nuclear_width)
        add_line(R, p, q, k, xi, float(T))
    return R
