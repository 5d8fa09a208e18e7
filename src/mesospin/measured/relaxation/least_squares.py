"""Least squares of many small fits at once: Levenberg-Marquardt with every fit a row of one array.

A laboratory fits tens to hundreds of isotherms of some 25 points with 3 to 7 parameters.  One fit is too
small to keep a processor busy; all of them together are a few array operations an iteration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fits", "covariance", "fit_rows"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: Residuals (g, r) and their derivatives (g, r, p) of the rows asked for, at parameters (g, p).
Model = Callable[[Floats, NDArray[np.intp]], tuple[Floats, Floats]]

_DAMPING: Final = (1e-3, 1e-12, 1e12)


class Fits(NamedTuple):
    """What came of the fits, by row."""

    parameters: Floats
    sum_of_squares: Floats
    jacobian: Floats
    converged: Bools


def fit_rows(
    model: Model,
    start: Floats,
    free: Bools,
    lower: Floats,
    upper: Floats,
    *,
    iterations: int = 200,
    tolerance: float = 1e-10,
) -> Fits:
    """Return the least-squares parameters of every row.

    Parameters
    ----------
    model : callable
        ``model(parameters (g, p), rows (g,))`` gives residuals (g, r) and their derivatives (g, r, p).
    start : ndarray, shape (rows, p)
        Inside the bounds.
    free : ndarray of bool, shape (rows, p)
        Parameters that move.
    lower, upper : ndarray, shape (p,)
        A step that would leave them ends half-way to the bound: they are open ends of what a parameter can
        mean, not values that a fit may take.
    iterations : int, default 200
        Largest number of trial steps.
    tolerance : float, default 1e-10
        Relative change of the sum of squares at which a row has converged.

    Returns
    -------
    Fits
        A row has converged when its last accepted step changed the sum of squares by less than ``tolerance``
        of it, or no damping up to 1e12 lowers it.

    Notes
    -----
    Marquardt's scaling by the diagonal of J^T J; damping by row, divided by 5 after a step that was accepted
    and multiplied by 4 after one that was not.  Reference: D. W. Marquardt, J. Soc. Indust. Appl. Math. 11,
    431 (1963).
    """
    x = start.copy()
    rows = np.arange(len(x))
    residual, jacobian = model(x, rows)
    cost = np.einsum("gr,gr->g", residual, residual)
    damping = np.full(len(x), _DAMPING[0])
    done = np.zeros(len(x), dtype=bool)
    for _ in range(iterations):
        active = rows[~done]
        if not len(active):
            break
        step = _step(residual[active], jacobian[active], damping[active], free[active])
        trial = _inside(x[active], step, lower, upper)
        new_residual, new_jacobian = model(trial, active)
        new_cost = np.einsum("gr,gr->g", new_residual, new_residual)
        better = new_cost <= cost[active]
        small = cost[active] - new_cost <= tolerance * cost[active]
        took, kept = active[better], active[~better]
        done[took] = small[better]
        x[took], cost[took] = trial[better], new_cost[better]
        residual[took], jacobian[took] = new_residual[better], new_jacobian[better]
        damping[took] = np.maximum(damping[took] / 5, _DAMPING[1])
        damping[kept] *= 4
        done[kept] = damping[kept] > _DAMPING[2]
    return Fits(x, cost, jacobian, done)


def covariance(jacobian: Floats, free: Bools) -> tuple[Floats, Bools]:
    """Return (J^T J)^-1 of the free parameters by row, and whether it exists.

    Parameters
    ----------
    jacobian : ndarray, shape (g, r, p)
    free : ndarray of bool, shape (g, p)

    Returns
    -------
    inverse : ndarray, shape (g, p, p)
        Zero in the rows and columns of parameters that are not free; NaN where it does not exist: a singular
        value of the scaled Jacobian is below 1e-12 of the largest.
    regular : ndarray of bool, shape (g,)
    """
    normal, scale = _normal(jacobian, free)
    eigenvalue, vector = np.linalg.eigh(normal)
    regular = eigenvalue[:, 0] > 1e-14 * eigenvalue[:, -1]
    inverse = np.full_like(normal, np.nan)
    v = vector[regular]
    inverse[regular] = np.einsum("gik,gk,gjk->gij", v, 1 / eigenvalue[regular], v)
    inverse /= scale[:, :, None] * scale[:, None, :]
    both = free[:, :, None] & free[:, None, :]
    return np.where(both, inverse, 0.0), regular


def _normal(jacobian: Floats, free: Bools) -> tuple[Floats, Floats]:
    """Return J^T J with unit diagonal, and the scale of every parameter; fixed parameters are decoupled."""
    normal = np.matmul(jacobian.swapaxes(1, 2), jacobian)
    diagonal = np.einsum("gpp->gp", normal)
    scale = np.sqrt(np.where(free & (diagonal > 0), diagonal, 1.0))
    both = free[:, :, None] & free[:, None, :]
    scaled = np.where(both, normal / (scale[:, :, None] * scale[:, None, :]), 0.0)
    fixed = ~free
    scaled[:, np.arange(free.shape[1]), np.arange(free.shape[1])] += fixed
    return scaled, scale


def _step(residual: Floats, jacobian: Floats, damping: Floats, free: Bools) -> Floats:
    normal, scale = _normal(jacobian, free)
    gradient = np.einsum("grp,gr->gp", jacobian, residual) / scale
    gradient = np.where(free, gradient, 0.0)
    damped = normal + damping[:, None, None] * np.eye(free.shape[1])
    return -np.linalg.solve(damped, gradient[..., None])[..., 0] / scale


def _inside(x: Floats, step: Floats, lower: Floats, upper: Floats) -> Floats:
    """Return x + step; a parameter that would leave its interval goes half-way to the bound."""
    trial = x + step
    trial = np.where(trial <= lower, 0.5 * (x + np.where(np.isfinite(lower), lower, x)), trial)
    return np.where(trial >= upper, 0.5 * (x + np.where(np.isfinite(upper), upper, x)), trial)
