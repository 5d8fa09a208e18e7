"""What a fit has found: values, errors, correlations, and what the data leave open."""

from __future__ import annotations

from dataclasses import dataclass

import lmfit
import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2 as chi2_distribution

from mesospin.measured.hamiltonian.flat import falls_along, reach_along
from mesospin.measured.hamiltonian.objective import Objective
from mesospin.measured.hamiltonian.search import Arrival

Floats = NDArray[np.float64]

#: Singular value of the Jacobian with unit columns, in parts of the largest, that counts as zero.
_SINGULAR = 1e-7
#: Predicted further decrease of chi2 per degree of freedom's scatter at which a minimum is reached.
_DECREASE = 1e-3
#: Distance from a bound, in standard deviations, at which a parameter sits on it.
_NEAR = 0.02
#: Step that raises chi2 by one unit, in standard deviations, below which these say nothing.
_FASTER = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A finished fit.

    Parameters
    ----------
    objective : Objective
    names : tuple of str
        Free parameters, then tied ones.
    tied : tuple of bool
    value, error, initial : ndarray, shape (names,)
        Error is infinite where the data determine nothing.
    correlation : ndarray, shape (names, names)
    singular : tuple of dict
        Combinations of free parameters that change nothing in first order: name to part.
    falling : tuple of dict
        Those along which larger steps lower chi2.
    reach : dict
        Free parameters alone that chi2 holds fast in second order only: the step that raises it by one unit.
    on_bound : tuple of str
    decrease : float
        How much a further Gauss-Newton step would lower chi2.
    at_minimum : bool
    chi2 : float
    freedom : int
        Points minus free parameters.
    p_value : float
        Chance of a larger chi2; NaN where sigma is not known or sets are weighted.
    known_sigma : bool
    predicted : list of ndarray
    residuals : list of ndarray
        (fitted - measured)/sigma of every set, without weights.
    sigma : list of ndarray
        Of every set, scaled to the scatter where it was not known.
    start_chi2 : ndarray, shape (starts,)
    start_value : ndarray, shape (starts, names)
    rivals : tuple of dict
        Other minima that fit as well: name to value.
    powder_error : float
        Largest error of a powder average in standard deviations.
    """

    objective: Objective
    names: tuple[str, ...]
    tied: tuple[bool, ...]
    value: Floats
    error: Floats
    initial: Floats
    correlation: Floats
    singular: tuple[dict[str, float], ...]
    falling: tuple[dict[str, float], ...]
    reach: dict[str, float]
    on_bound: tuple[str, ...]
    decrease: float
    at_minimum: bool
    chi2: float
    freedom: int
    p_value: float
    known_sigma: bool
    predicted: list[Floats]
    residuals: list[Floats]
    sigma: list[Floats]
    start_chi2: Floats
    start_value: Floats
    rivals: tuple[dict[str, float], ...]
    powder_error: float


def outcome_of(
    objective: Objective,
    table: lmfit.Parameters,
    reached: list[Arrival | None],
    *,
    known_sigma: bool,
) -> Outcome:
    """Return what the best of several fits says."""
    residual, jacobian = objective.residuals(table), objective.jacobian(table)
    chain = objective.chain(table)
    names = (*objective.free, *(name for name in table if table[name].expr))
    rows = [objective.names.index(name) for name in names]
    freedom = len(residual) - len(objective.free)
    chi2 = float(residual @ residual)
    scale = 1.0 if known_sigma else chi2 / max(freedom, 1)
    covariance, step, singular = _linearised(jacobian, residual, objective.weights(), objective.free)
    covariance = covariance * scale
    open_directions = np.zeros(len(rows), dtype=bool)
    for direction in singular:
        vector = np.array([direction.get(name, 0.0) for name in objective.free])
        open_directions |= np.abs(chain[rows] @ vector) > 0.0
    full = chain[rows] @ covariance @ chain[rows].T
    error = np.where(open_directions, np.inf, np.sqrt(np.maximum(full.diagonal(), 0.0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.clip(full / np.sqrt(np.outer(full.diagonal(), full.diagonal())), -1.0, 1.0)
    correlation[open_directions, :] = np.nan
    correlation[:, open_directions] = np.nan
    np.fill_diagonal(correlation, 1.0)
    reach = _reach(objective, table, dict(zip(names, error, strict=True)), scale)
    decrease = float(-residual @ (jacobian @ step))
    unweighted = bool(np.all(objective.weights() == 1.0))
    predicted = objective.predictions(table)
    sigma = [entry * np.sqrt(scale) for entry in objective.sigma]
    start_chi2 = np.array([np.nan if entry is None else entry.chi2 for entry in reached])
    nothing = np.full(len(names), np.nan)
    start_value = np.array(
        [nothing if entry is None else [entry.table[name].value for name in names] for entry in reached]
    )
    value = np.array([table[name].value for name in names])
    return Outcome(
        objective=objective,
        names=names,
        tied=tuple(bool(table[name].expr) for name in names),
        value=value,
        error=np.where([name in reach for name in names], np.inf, error),
        initial=np.array([objective.table[name].value for name in names]),
        correlation=correlation,
        singular=singular,
        falling=tuple(
            d for d in singular if falls_along(objective, table, d, _DECREASE * scale + 1e-9 * chi2)
        ),
        reach=reach,
        on_bound=_on_bound(table, objective.free, step, error),
        decrease=decrease,
        at_minimum=decrease <= _DECREASE * scale + 1e-12,
        chi2=chi2,
        freedom=freedom,
        p_value=float(chi2_distribution.sf(chi2, freedom))
        if known_sigma and unweighted and freedom
        else np.nan,
        known_sigma=known_sigma,
        predicted=predicted,
        residuals=[
            (p - m.data.values) / s for p, m, s in zip(predicted, objective.models, sigma, strict=True)
        ],
        sigma=sigma,
        start_chi2=start_chi2,
        start_value=start_value,
        rivals=_rivals(names, start_chi2, start_value, chi2, scale, value, error),
        powder_error=objective.powder_error(table),
    )


def _reach(
    objective: Objective, table: lmfit.Parameters, error: dict[str, float], rise: float
) -> dict[str, float]:
    """Return the steps that raise chi2, of parameters that it holds much faster than their error says."""
    found = {}
    for name in objective.free:
        if error[name] > abs(table[name].value):
            length = reach_along(objective, table, {name: 1.0}, rise)
            if length < _FASTER * error[name]:
                found[name] = length
    return found


def _linearised(
    jacobian: Floats, residual: Floats, weights: Floats, free: tuple[str, ...]
) -> tuple[Floats, Floats, tuple[dict[str, float], ...]]:
    r"""Return the covariance, the Gauss-Newton step and the combinations that change nothing.

    With weights w of the sets the covariance is :math:`A^{-1}(\sum w^2 J^TJ)A^{-1}`, :math:`A = \sum w J^TJ`.
    """
    size = np.linalg.norm(jacobian, axis=0)
    used = np.where(size > 0.0, size, 1.0)
    u, s, vt = np.linalg.svd(jacobian / used, full_matrices=False)
    good = s > _SINGULAR * max(float(s[0]), 1e-300)
    inverse = np.where(good, 1.0 / np.where(good, s, 1.0), 0.0)
    meat = (u * weights[:, None]).T @ u
    covariance = vt.T @ (inverse[:, None] * meat * inverse) @ vt / np.outer(used, used)
    step = -(vt.T @ (inverse * (u.T @ residual))) / used
    singular = []
    for row in vt[~good]:
        direction = row / used
        direction = direction / np.abs(direction).max()
        parts = np.abs(row) > 1e-3
        singular.append({n: float(d) for n, d, p in zip(free, direction, parts, strict=True) if p})
    return covariance, step, tuple(singular)


def _on_bound(table: lmfit.Parameters, free: tuple[str, ...], step: Floats, error: Floats) -> tuple[str, ...]:
    """Return the parameters that a further step would carry over their bound, or that sit on it."""
    found = []
    for name, move, sigma in zip(free, step, error, strict=False):
        entry = table[name]
        small = _NEAR * sigma if np.isfinite(sigma) else 0.0
        for bound, sign in ((entry.min, -1.0), (entry.max, 1.0)):
            if not np.isfinite(bound):
                continue
            room = sign * (bound - entry.value)
            touching = room <= 1e-9 * max(abs(bound), 1e-6)
            if touching or sign * move > room + small or (room < small and sign * move > 1e-3 * sigma):
                found.append(name)
    return tuple(dict.fromkeys(found))


def _rivals(
    names: tuple[str, ...],
    start_chi2: Floats,
    start_value: Floats,
    chi2: float,
    scale: float,
    value: Floats,
    error: Floats,
) -> tuple[dict[str, float], ...]:
    """Return other minima within one unit of chi2 and more than three standard deviations away."""
    finite = np.isfinite(error) & (error > 0.0)
    kept = [value]
    rivals = []
    for total, other in zip(start_chi2, start_value, strict=True):
        if not np.isfinite(total) or total > chi2 + scale or not np.any(finite):
            continue
        far = [np.any(np.abs(other - known)[finite] > 3.0 * error[finite]) for known in kept]
        if all(far):
            kept.append(other)
            rivals.append({name: float(entry) for name, entry in zip(names, other, strict=True)})
    return tuple(rivals)
