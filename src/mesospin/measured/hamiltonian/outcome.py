"""What a fit has found: values, errors, correlations, and what the data leave open."""

from __future__ import annotations

from dataclasses import dataclass

import lmfit
import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2 as chi2_distribution

from mesospin.measured.hamiltonian.flat import Held, falls_along, held_in_second_order
from mesospin.measured.hamiltonian.objective import Objective
from mesospin.measured.hamiltonian.search import Arrival
from mesospin.measured.hamiltonian.valley import linearised, tolerance_of

Floats = NDArray[np.float64]

#: Distance from a bound, in standard deviations, at which a parameter sits on it.
_NEAR = 0.02


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
    alone : ndarray, shape (names,)
        Standard deviations if all other free parameters were known; NaN for tied ones.
    correlation : ndarray, shape (names, names)
    singular : tuple of dict
        Combinations of free parameters that change nothing in first order: name to part.
    falling : tuple of dict
        Those along which larger steps lower chi2.
    held : Held
        Free parameters that chi2 holds fast in second order only.
    on_bound : tuple of str
    decrease : float
        How much a further Gauss-Newton step would lower chi2 if residuals were linear.
    valley : tuple of str
        Parameters that such a step would change where chi2 does not fall, along a curved valley.
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
    alone: Floats
    initial: Floats
    correlation: Floats
    singular: tuple[dict[str, float], ...]
    falling: tuple[dict[str, float], ...]
    held: Held
    on_bound: tuple[str, ...]
    decrease: float
    valley: tuple[str, ...]
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
    arrived: bool,
) -> Outcome:
    """Return what the best of several fits says; ``arrived`` is whether chi2 falls no further."""
    point = linearised(objective, table)
    chain = objective.chain(table)
    names = (*objective.free, *(name for name in table if table[name].expr))
    rows = [objective.names.index(name) for name in names]
    freedom = len(point.residual) - len(objective.free)
    chi2, scale = point.chi2, point.scale(known_sigma=known_sigma)
    tolerance = tolerance_of(point, known_sigma=known_sigma)
    covariance = point.covariance * scale
    open_directions = np.zeros(len(rows), dtype=bool)
    for direction in point.singular:
        vector = np.array([direction.get(name, 0.0) for name in objective.free])
        open_directions |= np.abs(chain[rows] @ vector) > 0.0
    full = chain[rows] @ covariance @ chain[rows].T
    error = np.where(open_directions, np.inf, np.sqrt(np.maximum(full.diagonal(), 0.0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.clip(full / np.sqrt(np.outer(full.diagonal(), full.diagonal())), -1.0, 1.0)
    correlation[open_directions, :] = np.nan
    correlation[:, open_directions] = np.nan
    np.fill_diagonal(correlation, 1.0)
    alone = np.full(len(names), np.nan)
    alone[: len(objective.free)] = np.sqrt(scale) * _errors_alone(point.jacobian, objective.weights())
    held = held_in_second_order(objective, table, covariance, point.jacobian, scale)
    for k, name in enumerate(names):
        error[k] = np.inf if name in held.squares else held.others.get(name, error[k])
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
        error=error,
        alone=alone,
        initial=np.array([objective.table[name].value for name in names]),
        correlation=correlation,
        singular=point.singular,
        falling=tuple(d for d in point.singular if falls_along(objective, table, d, tolerance + 1e-9 * chi2)),
        held=held,
        on_bound=_on_bound(table, objective.free, point.step, error),
        decrease=point.decrease,
        valley=_changed(objective.free, point.step, alone) if point.decrease > tolerance else (),
        at_minimum=arrived,
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


def _errors_alone(jacobian: Floats, weights: Floats) -> Floats:
    """Return standard deviations of parameters with all others known, infinite without a slope."""
    squares = np.einsum("ij,ij->j", jacobian, jacobian)
    meat = np.einsum("i,ij,ij->j", weights, jacobian, jacobian)
    used = np.where(squares > 0.0, squares, 1.0)
    return np.where(squares > 0.0, np.sqrt(meat) / used, np.inf)


def _changed(free: tuple[str, ...], step: Floats, alone: Floats) -> tuple[str, ...]:
    """Return the parameters that a step changes by more than their errors alone, or all."""
    found = tuple(name for name, part, own in zip(free, step, alone, strict=False) if abs(part) > own)
    return found or free


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
