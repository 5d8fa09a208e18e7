"""Frozen disorder: the molecules of an ensemble, and the average over frozen local fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.model.environment import Disorder
from mesospin.model.system import SpinSystem

#: Local fields beyond this many standard deviations are left out of the average.
CUTOFF = 6.0


class Molecule(NamedTuple):
    """One molecule of an ensemble: its weight, Hamiltonian, field axis and transverse field [T]."""

    weight: float
    system: SpinSystem
    axis: tuple[float, float, float]
    transverse: tuple[float, float]


def molecules(
    system: SpinSystem,
    disorder: Disorder | None,
    axis: NDArray[np.float64],
    transverse: tuple[float, float],
) -> list[Molecule]:
    """Return the molecules of an ensemble in a field along ``axis``.

    The tilt of a member turns the field away from ``axis``, in the direction of its azimuth
    around that axis; its transverse field adds to ``transverse``.
    """
    if disorder is None:
        return [Molecule(1.0, system, _triple(axis), transverse)]
    return [
        Molecule(
            member.weight,
            system.with_terms(*member.terms) if member.terms else system,
            tilted(axis, member.tilt, member.azimuth),
            (transverse[0] + member.transverse[0], transverse[1] + member.transverse[1]),
        )
        for member in disorder.members
    ]


def tilted(axis: NDArray[np.float64], tilt: float, azimuth: float) -> tuple[float, float, float]:
    """Return the unit vector at angle ``tilt`` [rad] from ``axis``.

    At azimuth 0 it turns towards the laboratory x direction (y where the axis is along x).

    Examples
    --------
    >>> [round(x, 4) for x in tilted(np.array([0.0, 0.0, 1.0]), 0.1, 0.0)]
    [0.0998, 0.0, 0.995]
    """
    if tilt == 0.0:
        return _triple(axis)
    reference = np.array([1.0, 0.0, 0.0]) if abs(axis[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    first = reference - (reference @ axis) * axis
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    turn = np.cos(azimuth) * first + (np.sin(azimuth) * second if azimuth else 0.0)
    return _triple(np.cos(tilt) * axis + np.sin(tilt) * turn)


def _triple(vector: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(component) for component in vector)
    return x, y, z


def frozen_field_average(
    edges: NDArray[np.float64],
    values: NDArray[np.float64],
    fields: NDArray[np.float64],
    width: float,
    *,
    step: float = 1e-3,
) -> NDArray[np.float64]:
    r"""Average a function of the field over frozen Gaussian local fields.

    .. math:: \bar f(B) = \int db\, P(b)\, f(B + b),\qquad P = N(0, \sigma)

    Parameters
    ----------
    edges : ndarray, shape (k,) [T]
        Strictly ascending fields between which f is linear; they should reach 6 widths beyond
        ``fields``.
    values : ndarray, shape (k,)
        f at the edges; its jumps may be much narrower than the width.
    fields : ndarray, shape (b,) [T]
        Where the average is wanted.
    width : float [T]
        Standard deviation sigma; 0 returns f itself.
    step : float [T]
        Spacing of the uniform grid on which the integral of f is taken exactly.

    Returns
    -------
    ndarray, shape (b,)

    Examples
    --------
    A step becomes an error function of the width of the distribution:

    >>> edges, values = np.array([-1.0, -1e-9, 1e-9, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
    >>> frozen_field_average(edges, values, np.array([-0.025, 0.0, 0.025]), 0.025).round(3)
    array([0.159, 0.5  , 0.841])
    """
    if width == 0.0:
        return np.interp(fields, edges, values)
    return average_of_cells(lambda at: _cumulative(edges, values, at), fields, width, step=step)


def average_of_cells(
    integral: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    fields: NDArray[np.float64],
    width: float,
    *,
    step: float = 1e-3,
) -> NDArray[np.float64]:
    """Average a function over frozen Gaussian fields, given its indefinite integral.

    Parameters
    ----------
    integral : callable
        Integral of the function up to an array of fields [T].
    fields, width, step
        As in `frozen_field_average`; ``width`` > 0.
    """
    reach = int(np.ceil(CUTOFF * width / step))
    lo, hi = fields.min() - (reach + 1) * step, fields.max() + (reach + 1) * step
    grid = lo + step * np.arange(int(np.ceil((hi - lo) / step)) + 1)
    cells = np.diff(integral(np.append(grid - step / 2, grid[-1] + step / 2))) / step
    offsets = step * np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (offsets / width) ** 2)
    smooth = np.convolve(cells, kernel / kernel.sum(), mode="same")
    return np.interp(fields, grid, smooth)


def _cumulative(
    edges: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the exact integral of the piecewise linear function up to ``at``, constant outside."""
    total = np.concatenate([[0.0], np.cumsum(np.diff(edges) * (values[1:] + values[:-1]) / 2)])
    i = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, len(edges) - 2)
    dx = at - edges[i]
    slope = (values[i + 1] - values[i]) / (edges[i + 1] - edges[i])
    inside = total[i] + dx * (values[i] + slope * dx / 2)
    below = (at - edges[0]) * values[0]
    above = total[-1] + (at - edges[-1]) * values[-1]
    return np.where(at < edges[0], below, np.where(at > edges[-1], above, inside))
