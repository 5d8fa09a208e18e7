"""The slowest relaxation rate of one molecule against field, and its average over frozen fields."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mesospin.bath.disorder import CUTOFF, average_of_cells
from mesospin.dynamics.branch import bottoms, full_edges, two_wells_apply
from mesospin.dynamics.frame import Frame
from mesospin.dynamics.panels import graded_edges
from mesospin.dynamics.rates import rates_at
from mesospin.dynamics.reduction import relaxation_modes
from mesospin.dynamics.well_rates import active_lines, escape_rates, with_lines

_WIDEST = 5e-3
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
#: Sweep rate that decides which lines are resolved: one width in a relaxation time of a century.
_SLOW = 1e-12


def slow_rates(
    frame: Frame, fields: NDArray[np.float64], T: float, nuclear_width: float
) -> NDArray[np.float64]:
    """Return the slowest non-zero relaxation rate at ``fields`` (any shape) [1/s]."""
    wells = bottoms(frame)
    if two_wells_apply(frame, wells, T):
        both = escape_rates(frame, T, wells, fields.ravel(), nuclear_width)
        return np.asarray(both.sum(axis=1).reshape(fields.shape))
    rates = [_slowest(frame, float(B), T, nuclear_width) for B in fields.ravel()]
    return np.array(rates).reshape(fields.shape)


def _slowest(frame: Frame, B: float, T: float, nuclear_width: float) -> float:
    energy = np.array([np.interp(B, frame.field, level) for level in frame.energy.T])
    return float(relaxation_modes(rates_at(frame, B, T, nuclear_width), energy, T)[1])


def mean_slow_rates(
    frame: Frame, fields: NDArray[np.float64], T: float, width: float, nuclear_width: float = 0.0
) -> NDArray[np.float64]:
    """Return the slowest rate averaged over frozen Gaussian fields of standard deviation ``width``.

    The resonances are orders of magnitude narrower than the distribution; the integral is taken by
    Gauss quadrature on panels graded towards each of them.

    Parameters
    ----------
    frame : Frame
        Must reach 6 widths beyond ``fields``.
    fields : ndarray, shape (b,) [T]
        Applied fields.
    T, width, nuclear_width
        Temperature [K], standard deviation [T], nuclear window [K].
    """
    if width == 0.0:
        return slow_rates(frame, fields, T, nuclear_width)
    reach = CUTOFF * width + 2e-3
    lo, hi = float(fields.min()) - reach, float(fields.max()) + reach
    edges = _edges(frame, T, lo, hi, nuclear_width)
    half = np.diff(edges) / 2
    nodes = (edges[:-1] + half)[:, None] + half[:, None] * _NODES
    # resonances without any overlap with the applied fields are not evaluated
    near = np.abs(edges[:-1, None] - fields).min(axis=1) < reach + 0.01
    panel = np.zeros(len(half))
    panel[near] = (slow_rates(frame, nodes[near], T, nuclear_width) @ _WEIGHTS) * half[near]
    integral = np.concatenate([[0.0], np.cumsum(panel)])
    return average_of_cells(lambda at: np.interp(at, edges, integral), fields, width)


def carrying_crossing(
    frame: Frame, B: float, T: float, width: float, nuclear_width: float = 0.0
) -> int | None:
    """Return the crossing that carries most of the escape averaged over frozen fields around ``B``.

    None where escape without resonance carries more, or the molecule has no two clear wells.
    """
    wells = bottoms(frame)
    if not two_wells_apply(frame, wells, T):
        return None
    lines = active_lines(frame, T, wells, _SLOW, nuclear_width)
    if not len(lines.field):
        return None
    density = np.exp(-0.5 * ((lines.field - B) / width) ** 2) / (width * np.sqrt(2 * np.pi))
    share = lines.transfer * _SLOW * density
    best = int(np.argmax(share))
    over = escape_rates(without_tunnelling(frame), T, wells, np.array([B]), nuclear_width)[0, 0]
    if share[best] <= over:
        return None
    return int(lines.crossing[best])


def _edges(frame: Frame, T: float, lo: float, hi: float, nuclear_width: float) -> NDArray[np.float64]:
    wells = bottoms(frame)
    if not two_wells_apply(frame, wells, T):
        return full_edges(frame, lo, hi, _SLOW, _WIDEST, nuclear_width)[0]
    lines = active_lines(frame, T, wells, _SLOW, nuclear_width)
    inside = (lines.field > lo) & (lines.field < hi)
    return graded_edges(lo, hi, lines.field[inside], lines.width[inside], widest=_WIDEST)


def without_tunnelling(frame: Frame) -> Frame:
    """Return the frame of the same molecule whose levels only cross."""
    return with_lines(frame, np.empty(0, dtype=np.int64))
