"""The linearised problem at the end of a fit, and whether its step really leads lower.

Along a curved valley of chi2 the step of the linearised problem (Gauss-Newton) promises a decrease that is
not there; only a value of chi2 tells.
"""

from __future__ import annotations

from typing import NamedTuple

import lmfit
import numpy as np
from numpy.typing import NDArray

from mesospin.measured.hamiltonian.objective import Objective
from mesospin.measured.hamiltonian.search import FINAL, minimised

Floats = NDArray[np.float64]

#: Singular value of the Jacobian with unit columns, in parts of the largest, that counts as zero.
_SINGULAR = 1e-7
#: Decrease of chi2 per degree of freedom's scatter below which a minimum is reached.
_DECREASE = 1e-3
_HALVINGS = 8
_ROUNDS = 20


class Linearised(NamedTuple):
    """Residuals and derivatives at a point, and what follows from them.

    Parameters
    ----------
    residual, jacobian : ndarray
    covariance : ndarray, shape (free, free)
        For residuals of standard deviation 1.
    step : ndarray, shape (free,)
        Of Gauss and Newton.
    singular : tuple of dict
        Combinations of free parameters that change nothing: name to part.
    """

    residual: Floats
    jacobian: Floats
    covariance: Floats
    step: Floats
    singular: tuple[dict[str, float], ...]

    @property
    def chi2(self) -> float:
        """Sum of squares."""
        return float(self.residual @ self.residual)

    @property
    def decrease(self) -> float:
        """How much the step would lower chi2 if residuals were linear."""
        return float(-self.residual @ (self.jacobian @ self.step))

    def scale(self, *, known_sigma: bool) -> float:
        """Return the variance of the residuals: 1, or their scatter where sigma is not known."""
        count, free = self.jacobian.shape
        return 1.0 if known_sigma else self.chi2 / max(count - free, 1)


def linearised(objective: Objective, table: lmfit.Parameters) -> Linearised:
    r"""Return the linearised problem.

    With weights w of the sets the covariance is :math:`A^{-1}(\sum w^2 J^TJ)A^{-1}`, :math:`A = \sum w J^TJ`.
    """
    residual, jacobian = objective.residuals(table), objective.jacobian(table)
    size = np.linalg.norm(jacobian, axis=0)
    used = np.where(size > 0.0, size, 1.0)
    u, s, vt = np.linalg.svd(jacobian / used, full_matrices=False)
    good = s > _SINGULAR * max(float(s[0]), 1e-300)
    inverse = np.where(good, 1.0 / np.where(good, s, 1.0), 0.0)
    meat = (u * objective.weights()[:, None]).T @ u
    covariance = vt.T @ (inverse[:, None] * meat * inverse) @ vt / np.outer(used, used)
    step = -(vt.T @ (inverse * (u.T @ residual))) / used
    singular = []
    for row in vt[~good]:
        direction = row / used
        direction = direction / np.abs(direction).max()
        parts = np.abs(row) > 1e-3
        singular.append({n: float(d) for n, d, p in zip(objective.free, direction, parts, strict=True) if p})
    return Linearised(residual, jacobian, covariance, step, tuple(singular))


def tolerance_of(point: Linearised, *, known_sigma: bool) -> float:
    """Return the decrease of chi2 below which a point is its minimum."""
    return _DECREASE * point.scale(known_sigma=known_sigma) + 1e-12


def followed(
    objective: Objective, table: lmfit.Parameters, evaluations: int, *, known_sigma: bool
) -> tuple[lmfit.Parameters, bool]:
    """Return where chi2 falls no further along the step of the linearised problem, and whether it is there.

    As long as a part of the step (its halves) lowers chi2 by more than the tolerance, the minimum is sought
    anew from there.
    """
    for _ in range(_ROUNDS):
        point = linearised(objective, table)
        tolerance = tolerance_of(point, known_sigma=known_sigma)
        if point.decrease <= tolerance:
            return table, True
        lower = min(
            (_moved(objective, table, 0.5**k * point.step) for k in range(_HALVINGS)),
            key=lambda entry: entry[0],
        )
        if lower[0] > point.chi2 - tolerance:
            return table, True
        arrival = minimised(objective, lower[1], evaluations, FINAL)
        table = lower[1] if arrival is None or arrival.chi2 > lower[0] else arrival.table
    return table, False


def _moved(objective: Objective, table: lmfit.Parameters, step: Floats) -> tuple[float, lmfit.Parameters]:
    """Return chi2 after a step, infinite beyond a bound, and the values there."""
    moved = table.copy()
    for name, part in zip(objective.free, step, strict=True):
        value = table[name].value + float(part)
        if not table[name].min < value < table[name].max:
            return np.inf, table
        moved[name].value = value
    moved.update_constraints()
    return objective.chi2(moved), moved
