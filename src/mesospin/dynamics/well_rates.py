"""Escape from the two wells of a molecule: rates, equilibrium, and the lines that matter.

The escape rates come from the full rate matrix by state reduction onto the two bottoms:
Gamma_L = R_LR/Z_L with the Boltzmann sum Z_L of the levels that relax to L.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mesospin.constants import HBAR
from mesospin.dynamics.frame import Crossings, Frame
from mesospin.dynamics.rates import (
    FrameArrays,
    Index,
    Real,
    add_exchange,
    add_line,
    add_lines,
    add_phonons,
    energies_at,
    frame_arrays,
    half_width,
    line_rate,
)
from mesospin.dynamics.reduction import basins, eliminate, first_order, rank_by_energy

_CAP = 700.0
#: Lines that move less than this fraction of the molecules get no panels of their own, and lines that
#: could not move this fraction if they stood alone are left out of the rates.
NEGLIGIBLE, _POSSIBLE = 1e-6, 1e-7


class Lines(NamedTuple):
    """Crossings that move molecules in a sweep: field and half width [T], and the exponent moved.

    ``crossing`` is their place in the frame.  ``number`` lists all crossings that the rate matrix
    needs: among them lines that move nothing only because another one short-circuits them.
    """

    number: NDArray[np.int64]
    crossing: NDArray[np.int64]
    field: NDArray[np.float64]
    width: NDArray[np.float64]
    transfer: NDArray[np.float64]


def active_lines(
    frame: Frame, T: float, wells: NDArray[np.int64], rate: float, nuclear_width: float = 0.0
) -> Lines:
    r"""Return the crossings that carry molecules at temperature ``T`` and sweep rate ``rate``.

    Only escape from the first well counts: a sweep starts in equilibrium, and molecules that
    never left do not come back.  The escape rate is a Moebius function of one line's rate k,
    r = r0 + (r2 - r0) k/(k + h), so a Lorentzian k gives a Lorentzian of half width
    :math:`(G/s)\sqrt{1 + k_{res}/h}`, where s is the slope of the bias.  r0, r1 and r2 are computed
    without the line, at resonance and with an infinitely fast line.
    """
    count = len(frame.crossings.field)
    width, transfer = np.empty(count), np.empty(count)
    arrays = frame_arrays(frame, nuclear_width)
    order = first_order(frame.energy.shape[1], wells)

    _line_shapes(T, wells, order, arrays, width, transfer)
    field = frame.crossings.field
    moving = transfer / rate > NEGLIGIBLE
    number = np.flatnonzero(moving | (_largest_transfer(frame, T, int(wells[0])) / rate > _POSSIBLE))
    crossing = np.flatnonzero(moving)
    return Lines(number, crossing, field[crossing], width[crossing], transfer[crossing] / rate)


def _largest_transfer(frame: Frame, T: float, well: int) -> NDArray[np.float64]:
    """Return the integral of the escape through every line alone, nothing saturated [T/s].

    The Landau-Zener integral times the thermal weight of the state in the first well.
    """
    pairs = frame.crossings
    bias = np.array([np.interp(pairs.field, frame.field, level) for level in frame.energy.T])
    height = bias[pairs.a, np.arange(len(pairs.field))] - bias[well]
    weight = np.exp(-np.maximum(height, 0.0) / T)
    return np.asarray(weight * np.pi * pairs.gap**2 / (2 * HBAR * pairs.slope), dtype=np.float64)


def with_lines(frame: Frame, index: NDArray[np.int64]) -> Frame:
    """Return the frame with only the crossings ``index``."""
    pairs = frame.crossings
    return frame._replace(crossings=Crossings._make(column[index] for column in pairs))


def well_equilibria(
    frame: Frame, T: float, wells: NDArray[np.int64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return equilibrium population and mean slopes of both wells at the edges, shape (k, 3)."""
    result = np.empty((len(edges), 3))
    arrays, order = frame_arrays(frame), first_order(frame.energy.shape[1], wells)

    _equilibria(T, wells, order, edges, arrays, result)
    return result


def escape_rates(
    frame: Frame,
    T: float,
    wells: NDArray[np.int64],
    fields: NDArray[np.float64],
    nuclear_width: float = 0.0,
) -> NDArray[np.float64]:
    """Return the escape rates from the two wells at ``fields`` (k,), shape (k, 2) [1/s]."""
    result = np.empty((len(fields), 2))
    arrays = frame_arrays(frame, nuclear_width)
    order = first_order(frame.energy.shape[1], wells)

    _escape_rates(T, wells, order, fields, arrays, result)
    return result


@njit(cache=True, nogil=True)
def _escape(
    B: float,
    T: float,
    wells: Index,
    arrays: FrameArrays,
    skip: int,
    order: Index,
    position: Index,
    e: Real,
    out: Real,
    c: Real,
    R: Real,
) -> tuple[float, float]:
    """Fill R, in order of rank, with the rates at B; return the Boltzmann sums of the two basins."""
    field, energy, slope, qa, qb, strength = arrays[:6]
    i, t = energies_at(B, field, energy, slope, e)
    rank_by_energy(e, wells, order, position)
    R[:] = 0.0
    out[:] = 0.0
    add_phonons(T, e, qa, qb, strength, i, t, position, R, out)
    basins(R, order, e, 2, c)
    add_exchange(T, arrays, e, position, R)
    add_lines(B, T, arrays, out, position, R, skip)
    Z0, Z1 = 0.0, 0.0
    for r in range(e.size):
        if c[r, 0] > 0.0:
            Z0 += c[r, 0] * np.exp((e[wells[0]] - e[order[r]]) / T)
        if c[r, 1] > 0.0:
            Z1 += c[r, 1] * np.exp((e[wells[1]] - e[order[r]]) / T)
    return Z0, Z1


@njit(cache=True, nogil=True)
def _line_shapes(
    T: float,
    wells: Index,
    start: Index,
    arrays: FrameArrays,
    width: Real,
    transfer: Real,
) -> None:
    """Write half width [T] and the integral of the escape rate over the field [T/s] of every line."""
    energy, nuclear = arrays[1], arrays[12]
    pa, pb, pB, gap, ps = arrays[6:11]
    n = energy.shape[1]
    order, position = start.copy(), np.empty(n, np.int64)
    e, out, c = np.empty(n), np.empty(n), np.empty((n, 2))
    R, work, r = np.empty((n, n)), np.empty((n, n)), np.empty(3)
    for p in range(pB.size):
        a, b = pa[p], pb[p]
        Z0, _ = _escape(pB[p], T, wells, arrays, p, order, position, e, out, c, R)
        G = half_width(out[a], out[b])
        k = line_rate(gap[p], 0.0, G, nuclear)
        fast = 1e6 * max(k, out[a], out[b], 1.0)
        for trial in range(3):
            work[:] = R
            if trial > 0:
                add_line(work, position[a], position[b], k if trial == 1 else fast, 0.0, T)
            eliminate(work, 2)
            r[trial] = work[n - 2, n - 1] / Z0
        if not (r[1] > r[0] * (1 + 1e-9) and r[1] > 1e-200):
            width[p], transfer[p] = G / ps[p], 0.0
            continue
        ratio = (r[1] - r[0]) / max(r[2] - r[1], 1e-12 * (r[2] - r[0]))  # k/h
        if nuclear > 0.0:
            width[p] = nuclear / ps[p] * max(1.0, np.log(ratio))
            transfer[p] = (r[2] - r[0]) * 2 * nuclear * np.log1p(ratio) / ps[p]
        else:
            root = np.sqrt(1 + ratio)
            width[p] = G / ps[p] * root
            transfer[p] = (r[2] - r[0]) * ratio * np.pi * G / (root * ps[p])


@njit(cache=True, nogil=True)
def _escape_rates(
    T: float,
    wells: Index,
    start: Index,
    fields: Real,
    arrays: FrameArrays,
    result: Real,
) -> None:
    """Write the escape rates from the two wells at the fields."""
    n = arrays[1].shape[1]
    order, position = start.copy(), np.empty(n, np.int64)
    e, out, c, R = np.empty(n), np.empty(n), np.empty((n, 2)), np.empty((n, n))
    for k in range(fields.size):
        Z0, Z1 = _escape(fields[k], T, wells, arrays, -1, order, position, e, out, c, R)
        eliminate(R, 2)
        result[k, 0] = R[n - 2, n - 1] / Z0
        result[k, 1] = R[n - 1, n - 2] / Z1


@njit(cache=True, nogil=True)
def _equilibria(
    T: float,
    wells: Index,
    start: Index,
    edges: Real,
    arrays: FrameArrays,
    result: Real,
) -> None:
    """Write the thermal population of the first well and the mean slopes of both at the edges."""
    field, energy, slope, qa, qb, strength = arrays[:6]
    n = energy.shape[1]
    order, position = start.copy(), np.empty(n, np.int64)
    e, out, c, R = np.empty(n), np.empty(n), np.empty((n, 2)), np.empty((n, n))
    for k in range(edges.size):
        i, t = energies_at(edges[k], field, energy, slope, e)
        rank_by_energy(e, wells, order, position)
        R[:] = 0.0
        add_phonons(T, e, qa, qb, strength, i, t, position, R, out)
        basins(R, order, e, 2, c)
        Z, mean = np.zeros(2), np.zeros(2)
        for w in range(2):
            for r in range(n):
                if c[r, w] > 0.0:
                    s = order[r]
                    weight = c[r, w] * np.exp((e[wells[w]] - e[s]) / T)
                    Z[w] += weight
                    mean[w] += weight * ((1 - t) * slope[i, s] + t * slope[i + 1, s])
        x = (e[wells[0]] - e[wells[1]]) / T
        ratio = Z[1] / Z[0] * np.exp(min(max(x, -_CAP), _CAP))
        result[k, 0] = 1 / (1 + ratio)
        result[k, 1] = mean[0] / Z[0]
        result[k, 2] = mean[1] / Z[1]
