"""Least squares of many small fits at once: Levenberg-Marquardt with every fit a row of one array.

A laboratory fits tens to hundreds of isotherms of some 25 points with 3 to 7 parameters.  One fit is too
small to keep a processor busy; all of them together are a few array operations an iteration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fits", "covariance", "fit_rows", "is_closed"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: Residuals (g, r) and their derivatives (g, r, p) of the rows asked for, at parameters (g, p).
Model = Callable[[Floats, NDArray[np.intp]], tuple[Floats, Floats]]

_DAMPING: Final = (1e-3, 1e-12, 1e12)
_AWAY: Final = 3.0
"""Standard errors at which a parameter is held to see whether the sum of squares rises."""
_RISE: Final = 0.5
"""Part of the promised rise that must be there."""
_ROUGH: Final = 1e-4
"""Tolerance of the fits in which a parameter is held."""
_SINGULAR: Final = 1e-14
"""Part of the largest eigenvalue of a scaled J^T J below which a direction is open."""
_TAKES_PART: Final = 1e-8
"""Squared component of an open direction above which it leaves a parameter open."""


class Fits(NamedTuple):
    """What came of the fits, by row."""

    parameters: Floats
    sum_of_squares: Floats
    normal: Floats
    """J^T J"""
    converged: Bools


def fit_rows(
    model: Model,
    start: Floats,
    free: Bools,
    lower: Floats,
    upper: Floats,
    *,
    iterations: int = 200,
    tolerance: float = 1e-8,
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
    tolerance : float, default 1e-8
        Relative change of the sum of squares at which a row has converged.

    Returns
    -------
    Fits
        A row has converged when a step changed the sum of squares by less than ``tolerance`` of it, or no
        damping up to 1e12 lowers it.

    Notes
    -----
    Marquardt's scaling by the diagonal of J^T J; damping by row, divided by 5 after a step that was accepted
    and multiplied by 4 after one that was not.  Reference: D. W. Marquardt, J. Soc. Indust. Appl. Math. 11,
    431 (1963).
    """
    x = start.copy()
    rows = np.arange(len(x))
    cost, gradient, normal = _tried(model, x, rows)
    damping = np.full(len(x), _DAMPING[0])
    done = np.zeros(len(x), dtype=bool)
    for _ in range(iterations):
        active = rows[~done]
        if not len(active):
            break
        step = _step(gradient[active], normal[active], damping[active], free[active])
        trial = _inside(x[active], step, lower, upper)
        new_cost, new_gradient, new_normal = _tried(model, trial, active)
        sound = np.isfinite(new_cost)
        better = sound & (new_cost <= cost[active])
        settled = np.abs(cost[active] - np.where(sound, new_cost, -1.0)) <= tolerance * cost[active]
        settled &= np.isfinite(cost[active])
        took, kept = active[better], active[~better]
        x[took], cost[took] = trial[better], new_cost[better]
        gradient[took], normal[took] = new_gradient[better], new_normal[better]
        damping[took] = np.maximum(damping[took] / 5, _DAMPING[1])
        damping[kept] *= 4
        done[active] = settled | (damping[active] > _DAMPING[2])
    return Fits(x, cost, normal, done)


def covariance(normal: Floats, free: Bools) -> tuple[Floats, Bools]:
    """Return (J^T J)^-1 of the free parameters by row, and whether it exists.

    Parameters
    ----------
    normal : ndarray, shape (g, p, p)
        J^T J.
    free : ndarray of bool, shape (g, p)

    Returns
    -------
    inverse : ndarray, shape (g, p, p)
        Zero in the rows and columns of parameters that are not free; NaN in those of parameters that the
        data leave open: they take part in a direction whose eigenvalue of J^T J, scaled to a unit diagonal,
        is below 1e-14 of the largest.
    regular : ndarray of bool, shape (g,)
        Whether there is no such direction.
    """
    scaled, scale = _scaled(normal, free)
    sound: Bools = np.asarray(np.isfinite(scaled).all(axis=(1, 2)))
    eigenvalue, vector = np.linalg.eigh(np.where(sound[:, None, None], scaled, 0.0))
    closed = eigenvalue > _SINGULAR * eigenvalue[:, -1:]
    part = np.where(closed, 1 / np.where(closed, eigenvalue, 1.0), 0.0)
    inverse = (vector * part[:, None, :]) @ vector.swapaxes(1, 2)
    inverse /= scale[:, :, None] * scale[:, None, :]
    left_open = (np.where(closed[:, None, :], 0.0, vector) ** 2).sum(axis=-1) > _TAKES_PART
    left_open |= ~sound[:, None]
    inverse = np.where(left_open[:, :, None] | left_open[:, None, :], np.nan, inverse)
    both = free[:, :, None] & free[:, None, :]
    return np.where(both, inverse, 0.0), sound & closed.all(axis=1)


def is_closed(
    model: Model, best: Fits, scaled: Floats, variance: Floats, free: Bools, places: NDArray[np.intp],
    rows: NDArray[np.intp], lower: Floats, upper: Floats,
) -> Bools:  # fmt: skip
    """Return whether the sum of squares rises beside each minimum as its curvature promises.

    The covariance describes the bottom of the valley only.  Every parameter asked for is held three standard
    errors to either side while the others are fitted: the sum of squares must rise by half of 9 variances.

    Parameters
    ----------
    model, free, lower, upper
        As for `fit_rows`, of all fits.
    best : Fits
        Of all fits.
    scaled : ndarray, shape (g, p, p)
        Covariance of the parameters.
    variance : ndarray, shape (g,)
    places : ndarray of int
        Parameters to look at.
    rows : ndarray of int
        Fits to look at.

    Returns
    -------
    ndarray of bool, shape (rows, places)
    """
    values, moving, starts, held = best.parameters[rows], free[rows], [], []
    for place in places:
        error = np.sqrt(scaled[rows, place, place])[:, None]
        for side in (-_AWAY, _AWAY):
            along = values + side * np.nan_to_num(scaled[rows, :, place] / error)
            start = np.where((along > lower) & (along < upper) & moving, along, values)
            start[:, place] = along[:, place]
            starts.append(start)
            others = moving.copy()
            others[:, place] = False
            held.append(others)
    every = np.tile(rows, len(starts))
    beside = fit_rows(
        lambda x, active: model(x, every[active]), np.concatenate(starts), np.concatenate(held), lower, upper,
        tolerance=_ROUGH,
    )  # fmt: skip
    rise = (beside.sum_of_squares - best.sum_of_squares[every]) / variance[every]
    kept = (rise >= _RISE * _AWAY**2).reshape(len(places), 2, len(rows))
    return np.asarray(kept.all(axis=1).T)


def _tried(model: Model, x: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
    """Return r^T r (g,), J^T r (g, p) and J^T J (g, p, p)."""
    # a trial may lie beyond the range of numbers: a cost that is no number is no improvement
    with np.errstate(over="ignore", invalid="ignore"):
        residual, jacobian = model(x, rows)
        turned = jacobian.swapaxes(1, 2)
        cost = np.einsum("gr,gr->g", residual, residual)
        gradient, normal = (turned @ residual[..., None])[..., 0], turned @ jacobian
        # one number that is none makes the sum of all none
        sound = np.isfinite(cost + gradient.sum(axis=1) + normal.sum(axis=(1, 2)))
    return np.where(sound, cost, np.inf), gradient, normal


def _scaled(normal: Floats, free: Bools) -> tuple[Floats, Floats]:
    """Return J^T J with unit diagonal, and the scale of every parameter; fixed parameters are decoupled."""
    diagonal = np.einsum("gpp->gp", normal)
    seen = free & (diagonal > 0)
    scale = np.sqrt(np.where(seen, diagonal, 1.0))
    both = free[:, :, None] & free[:, None, :]
    scaled = np.where(both, normal / (scale[:, :, None] * scale[:, None, :]), 0.0)
    places = np.arange(free.shape[1])
    scaled[:, places, places] += ~free
    return scaled, scale


def _step(gradient: Floats, normal: Floats, damping: Floats, free: Bools) -> Floats:
    scaled, scale = _scaled(normal, free)
    damped = scaled + damping[:, None, None] * np.eye(free.shape[1])
    downhill = np.where(free, -gradient / scale, 0.0)
    return np.linalg.solve(damped, downhill[..., None])[..., 0] / scale


def _inside(x: Floats, step: Floats, lower: Floats, upper: Floats) -> Floats:
    """Return x + step; a parameter that would leave its interval goes half-way to the bound."""
    trial = x + step
    if np.all((trial > lower) & (trial < upper)):
        return trial
    trial = np.where(trial <= lower, 0.5 * (x + np.where(np.isfinite(lower), lower, x)), trial)
    return np.where(trial >= upper, 0.5 * (x + np.where(np.isfinite(upper), upper, x)), trial)
