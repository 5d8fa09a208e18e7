"""Combinations of parameters that change nothing in first order: what larger steps along them do.

A parameter that enters only squared (E of an ion whose x and y are alike) has no slope at zero, whatever the
data say of it.  The fit may rest there on a maximum, or the data may well bound it.
"""

from __future__ import annotations

from collections.abc import Mapping

import lmfit
import numpy as np

from mesospin.measured.hamiltonian.objective import Objective

#: Steps, in parts of the natural size of a parameter.
_STEPS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_BISECTIONS = 5


def falls_along(
    objective: Objective, table: lmfit.Parameters, direction: Mapping[str, float], tolerance: float
) -> bool:
    """Return whether chi2 falls by more than the tolerance along a direction, on either side."""
    here = objective.chi2(table)
    unit = _unit(objective, direction)
    ends = [sign * step * unit for step in _STEPS for sign in (1.0, -1.0)]
    return any(_after(objective, table, direction, end) < here - tolerance for end in ends)


def reach_along(
    objective: Objective, table: lmfit.Parameters, direction: Mapping[str, float], rise: float
) -> float:
    """Return the length of the step at which chi2 has risen on both sides, infinite where it never does."""
    here = objective.chi2(table)
    unit = _unit(objective, direction)

    def risen(length: float) -> bool:
        ends = (_after(objective, table, direction, sign * length) for sign in (1.0, -1.0))
        return all(end >= here + rise for end in ends)

    inner = 0.0
    for step in _STEPS:
        outer = step * unit
        if risen(outer):
            for _ in range(_BISECTIONS):
                middle = 0.5 * (inner + outer)
                inner, outer = (inner, middle) if risen(middle) else (middle, outer)
            return outer
        inner = outer
    return np.inf


def _unit(objective: Objective, direction: Mapping[str, float]) -> float:
    sizes = objective.sizes()
    return min(sizes[name] / abs(part) for name, part in direction.items() if part)


def _after(
    objective: Objective, table: lmfit.Parameters, direction: Mapping[str, float], length: float
) -> float:
    """Return chi2 after a step, infinite beyond a bound."""
    moved = table.copy()
    for name, part in direction.items():
        value = table[name].value + length * part
        if not table[name].min < value < table[name].max:
            return np.inf
        moved[name].value = value
    moved.update_constraints()
    return objective.chi2(moved)
