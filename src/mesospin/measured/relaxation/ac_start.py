"""Where the fit of a relaxation starts: the best points of a grid over times and exponents."""

from __future__ import annotations

from itertools import combinations, product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mesospin.measured.relaxation.ac_models import AcModel
from mesospin.measured.relaxation.ac_problem import AcProblem

__all__ = ["starting_points"]

Floats = NDArray[np.float64]

_BEYOND: Final = np.log(20.0)
"""How far outside the window of frequencies a time is looked for, in ln tau."""
_TIMES: Final = {1: 20, 2: 14}
"""Times of the grid, by the number of relaxations."""
_AT_ONCE: Final = 300_000
"""Numbers of one column of the grid that are held at a time."""
_EXPONENTS: Final[dict[int, dict[str, tuple[float, ...]]]] = {
    1: {"alpha": (0.15,), "gamma": (0.9, 0.4)},
    2: {"alpha": (0.03, 0.3)},
}
"""Exponents of the grid, by the number of relaxations."""


def starting_points(problem: AcProblem, count: int) -> Floats:
    """Return the ``count`` best starts of every isotherm, shape (count, isotherms, p).

    At fixed times and exponents a model is linear in its susceptibilities: the best of them is a linear
    least-squares problem for every point of the grid, so none of them needs a guess.  A start with a
    step of the wrong sign is taken only where no other is left.
    """
    candidates = _candidates(problem.model)
    isotherms, points = problem.curves.known.shape
    at_once = max(1, _AT_ONCE // (len(candidates) * points))
    parts = [
        _best_of(problem.rows(np.arange(first, min(first + at_once, isotherms))), candidates, count)
        for first in range(0, isotherms, at_once)
    ]
    return np.concatenate(parts).swapaxes(0, 1)


def _best_of(problem: AcProblem, candidates: Floats, count: int) -> Floats:
    """Return the best starts (isotherms, count, p) among candidates (k, p)."""
    model, curves = problem.model, problem.curves
    log_omega = np.where(curves.known, curves.log_omega, np.nan)
    low, high = -np.nanmax(log_omega, axis=1) - _BEYOND, -np.nanmin(log_omega, axis=1) + _BEYOND
    grid = np.repeat(candidates[None], len(low), axis=0)
    for place, name in enumerate(model.names):
        if name in model.times:
            grid[..., place] = low[:, None] + (high - low)[:, None] * grid[..., place]
    cost = _solve_amplitudes(problem, grid)
    best = np.argsort(cost, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(grid, best[..., None], axis=1)


def _candidates(model: AcModel) -> Floats:
    """Return the points of the grid (k, p); times as fractions of the range that is searched."""
    times = model.times
    fractions = np.linspace(0.0, 1.0, _TIMES[len(times)])
    # the longer time is the first
    sets = [tuple(reversed(chosen)) for chosen in combinations(fractions, len(times))]
    exponents = [name for name in model.names if name.startswith(("alpha", "gamma"))]
    choices = list(product(*(_EXPONENTS[len(times)][name[:5]] for name in exponents)))
    candidates = np.zeros((len(sets) * len(choices), len(model.names)))
    for row, (chosen, values) in zip(candidates, product(sets, choices), strict=True):
        row[[model.names.index(name) for name in (*times, *exponents)]] = [*chosen, *values]
    return candidates


def _solve_amplitudes(problem: AcProblem, grid: Floats) -> Floats:
    """Write the best amplitudes into the grid (g, k, p) and return the sums of squares (g, k)."""
    model, curves = problem.model, problem.curves
    linear = [model.names.index(name) for name in model.amplitudes]
    mixing = model.levels_of()
    shapes = [step.shape(curves.log_omega[:, None]) for step in model.steps(grid)]
    design = np.empty((*grid.shape[:2], len(linear), 2 * curves.known.shape[1]))
    real, imag = (problem.weight[:, None, :, part] for part in (0, 1))
    for column, shares in enumerate(mixing.T):
        value = np.add.reduce([share * shape for share, shape in zip(shares[1:], shapes, strict=True)])
        design[:, :, column] = np.concatenate([(shares[0] + value.real) * real, value.imag * imag], axis=-1)
    chi = curves.chi / problem.scale[:, None]
    target = np.concatenate([chi.real * problem.weight[..., 0], chi.imag * problem.weight[..., 1]], axis=1)
    normal = design @ design.swapaxes(-1, -2)
    normal += 1e-12 * np.trace(normal, axis1=-2, axis2=-1)[..., None, None] * np.eye(len(linear))
    projected = (design @ target[:, None, :, None])[..., 0]
    amplitudes = np.linalg.solve(normal, projected[..., None])[..., 0]
    grid[..., linear] = amplitudes
    whole = (target**2).sum(axis=1)[:, None]
    cost = whole - (projected * amplitudes).sum(axis=-1)
    heights = (amplitudes @ mixing.T)[..., 1:]
    return np.asarray(np.where(np.all(heights > 0, axis=-1), cost, cost + 1e6 * whole))
