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
_TIMES: Final = {1: 24, 2: 14}
"""Times of the grid, by the number of relaxations."""
_EXPONENTS: Final = {"alpha": (0.03, 0.3), "gamma": (0.9, 0.4)}


def starting_points(problem: AcProblem, count: int) -> Floats:
    """Return the ``count`` best starts of every isotherm, shape (count, isotherms, p).

    At fixed times and exponents a model is linear in its susceptibilities: the best of them is a linear
    least-squares problem for every point of the grid, so none of them needs a guess.  A start with a
    step of the wrong sign is taken only where no other is left.
    """
    model, curves = problem.model, problem.curves
    candidates = _candidates(model)
    log_omega = np.where(curves.known, curves.log_omega, np.nan)
    low, high = -np.nanmax(log_omega, axis=1) - _BEYOND, -np.nanmin(log_omega, axis=1) + _BEYOND
    number = len(curves.temperature)
    grid = np.broadcast_to(candidates, (number, *candidates.shape)).copy()
    for place, name in enumerate(model.names):
        if name in model.times:
            grid[..., place] = low[:, None] + (high - low)[:, None] * grid[..., place]
    cost = _solve_amplitudes(problem, grid)
    best = np.argsort(cost, axis=1)[:, :count]
    chosen: Floats = np.take_along_axis(grid, best[..., None], axis=1)
    return chosen.swapaxes(0, 1)


def _candidates(model: AcModel) -> Floats:
    """Return the points of the grid (k, p); times as fractions of the range that is searched."""
    times = model.times
    fractions = np.linspace(0.0, 1.0, _TIMES[len(times)])
    # the longer time is the first
    sets = [tuple(reversed(chosen)) for chosen in combinations(fractions, len(times))]
    exponents = [name for name in model.names if name.startswith(("alpha", "gamma"))]
    choices = list(product(*(_EXPONENTS[name[:5]] for name in exponents)))
    candidates = np.zeros((len(sets) * len(choices), len(model.names)))
    for row, (chosen, values) in zip(candidates, product(sets, choices), strict=True):
        row[[model.names.index(name) for name in (*times, *exponents)]] = (*chosen, *values)
    return candidates


def _solve_amplitudes(problem: AcProblem, grid: Floats) -> Floats:
    """Write the best amplitudes into the grid (g, k, p) and return the sums of squares (g, k)."""
    model = problem.model
    isotherms, points, names = grid.shape
    rows = np.repeat(np.arange(isotherms), points)
    part = problem.rows(rows)
    flat = grid.reshape(-1, names)
    linear = [model.names.index(name) for name in model.amplitudes]
    flat[:, linear] = 0.0
    target, jacobian = part.residuals(flat, np.arange(len(rows)))
    design = jacobian[..., linear]
    normal = design.swapaxes(1, 2) @ design
    normal += 1e-12 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(len(linear))
    amplitudes = -np.linalg.solve(normal, np.einsum("gra,gr->ga", design, target)[..., None])[..., 0]
    flat[:, linear] = amplitudes
    rest = target + np.einsum("gra,ga->gr", design, amplitudes)
    cost = np.einsum("gr,gr->g", rest, rest)
    heights = (amplitudes @ model.levels_of().T)[:, 1:]
    cost = np.where(np.all(heights > 0, axis=1), cost, 1e6 * (1.0 + cost))
    grid[...] = flat.reshape(grid.shape)
    return np.asarray(cost.reshape(isotherms, points))
