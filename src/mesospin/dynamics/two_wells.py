r"""Two populations, one per well: the fast way through a sweep.

Relaxation inside a well takes microseconds, escape from it seconds to years.  Then the levels of
each well are in equilibrium among themselves and only the population N of one well has to be
followed,

.. math:: \dot N = -\Gamma_L N + \Gamma_R (1 - N).

The escape rates come from the full rate matrix at every node by state reduction onto the two
bottoms: Gamma_L = R_LR/Z_L with the Boltzmann sum Z_L of the levels that flow to L.  Crossings
are microtesla wide, so the panels are graded towards each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mesospin.dynamics.frame import Frame
from mesospin.dynamics.panels import graded_edges, split_panels
from mesospin.dynamics.rates import Real
from mesospin.dynamics.well_rates import Lines, escape_rates, well_equilibria, with_lines

#: Widest panel where nothing moves [T], the fraction moved in one below which that is the case, the
#: exponent after which all molecules have left, and the equilibrium population that is none.
_COARSE, _IDLE, _GONE, _SETTLED = 0.05, 1e-5, 35.0, 1e-5
#: Growth of the panels away from a line.
_RATIO = 3.0


class WellPopulations(NamedTuple):
    """Populations along a path, at four points in every panel.

    ``field`` (k,) [T]; ``population`` (k,) of the first well; ``slope_first`` and
    ``slope_second`` (k,) the thermal mean of dE/dB in the two wells [K/T]; ``equilibrium``
    (k,) the thermal population of the first well.
    """

    field: NDArray[np.float64]
    population: NDArray[np.float64]
    slope_first: NDArray[np.float64]
    slope_second: NDArray[np.float64]
    equilibrium: NDArray[np.float64]


def sweep_edges(
    frame: Frame,
    T: float,
    wells: NDArray[np.int64],
    lo: float,
    hi: float,
    rate: float,
    lines: Lines,
    widest: float,
) -> NDArray[np.float64]:
    """Return panel edges of an upward sweep that are fine only where populations move.

    Panels are as wide as 50 mT where escape is negligible and after the last molecule has
    left for good; ``widest`` elsewhere, graded at every line.
    """
    base = np.linspace(lo, hi, max(2, int(np.ceil((hi - lo) / _COARSE)) + 1))
    cell = np.diff(base) / rate
    middle = (base[1:] + base[:-1]) / 2
    silent = with_lines(frame, np.empty(0, np.int64))
    least = escape_rates(silent, T, wells, middle)[:, 0] * cell
    most = escape_rates(with_lines(frame, lines.number), T, wells, middle)[:, 0] * cell
    cells = np.searchsorted(base, lines.field) - 1
    inside = (cells >= 0) & (cells < len(cell))
    resonant = np.bincount(cells[inside], lines.transfer[inside], len(cell))
    equilibrium = well_equilibria(frame, T, wells, base)[:-1, 0]
    away = equilibrium < _SETTLED  # from here on molecules that leave the first well do not return
    gone = away & (np.concatenate([[0.0], np.cumsum(np.where(away, least + resonant, 0.0))[:-1]]) > _GONE)
    # in a cell the escape rate lies between that without lines and that at its middle with them
    idle = gone | (most + resonant < _IDLE)
    live = ~gone[np.clip(cells, 0, len(cell) - 1)] & inside
    centres, widths = lines.field[live], lines.width[live]
    if lo < 0.0 < hi:  # the equilibrium turns over at zero field
        centres, widths = np.append(centres, 0.0), np.append(widths, 1e-4)
    edges = np.union1d(graded_edges(lo, hi, centres, widths, widest=_COARSE, ratio=_RATIO), base)
    busy = ~idle[np.clip(np.searchsorted(base, (edges[1:] + edges[:-1]) / 2) - 1, 0, len(cell) - 1)]
    return split_panels(edges, np.where(busy, widest, _COARSE))


def two_well_populations(
    frame: Frame,
    T: float,
    wells: NDArray[np.int64],
    times: NDArray[np.float64],
    field: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    nuclear_width: float = 0.0,
    start: float | None = None,
) -> WellPopulations:
    """Integrate the two populations along a path.

    Parameters
    ----------
    frame : Frame
        With the crossings that matter.
    T : float [K]
        Temperature.
    wells : ndarray, shape (2,)
        Bottom states of the first and the second well.
    times : ndarray, shape (k,) [s]
        Panel edges.
    field : callable
        B(t) [T], vectorised.
    nuclear_width : float [K]
        Width of the nuclear window; 0 for lifetime lines.
    start : float, optional
        Population of the first well at the start; thermal by default.

    Returns
    -------
    WellPopulations
    """
    duration = np.diff(times)
    nodes = field(times[:-1, None] + duration[:, None] * _NODES)
    edges = field(times)
    rates = escape_rates(frame, T, wells, nodes.ravel(), nuclear_width).sum(axis=1)
    # a quadrature of parts may undershoot where the rate varies by decades; escape has one sign
    exponent = np.maximum(rates.reshape(nodes.shape) @ _PARTS.T, 0.0) * duration[:, None]
    table = well_equilibria(frame, T, wells, edges)
    # inside a panel equilibrium and moments are straight lines
    fraction = np.arange(1, _SUB + 1) / _SUB
    inner = table[:-1, None] + fraction[:, None] * (table[1:] - table[:-1])[:, None]
    fine = np.concatenate([table[:1], inner.reshape(-1, 3)])
    between = edges[:-1, None] + fraction * np.diff(edges)[:, None]
    equilibrium = np.ascontiguousarray(fine[:, 0])
    population = _follow(equilibrium, exponent.ravel(), equilibrium[0] if start is None else start)
    path = np.concatenate([edges[:1], between.ravel()])
    return WellPopulations(path, population, fine[:, 1], fine[:, 2], equilibrium)


def _partial_weights() -> NDArray[np.float64]:
    """Return the weights that integrate a function given at the nodes over each part of a panel.

    Row s integrates the cubic through the four Gauss nodes of [0, 1] from s/4 to (s + 1)/4.
    """
    rows = []
    for node in range(len(_NODES)):
        others = np.delete(_NODES, node)
        lagrange = np.poly1d(others, r=True) / np.prod(_NODES[node] - others)
        rows.append(np.diff(lagrange.integ()(np.arange(_SUB + 1) / _SUB)))
    return np.array(rows).T


#: Gauss nodes of a panel, and the parts of it at whose ends the population is known: it may fall by
#: much inside one panel, in the wing of a strong line.
_NODES = (np.polynomial.legendre.leggauss(4)[0] + 1) / 2
_SUB = 4
_PARTS = _partial_weights()


@njit(cache=True, nogil=True)
def _follow(equilibrium: Real, exponent: Real, start: float) -> Real:
    """Follow N through the panels, the equilibrium being linear inside each."""
    population = np.empty(equilibrium.size)
    population[0] = start
    for i in range(exponent.size):
        x = exponent[i]
        step = equilibrium[i + 1] - equilibrium[i]
        lag = -np.expm1(-x) / x if x > 1e-12 else 1.0 - x / 2
        population[i + 1] = equilibrium[i + 1] + (population[i] - equilibrium[i]) * np.exp(-x) - step * lag
    return population
