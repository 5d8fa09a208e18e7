"""Combinations of parameters that change nothing in first order: what larger steps along them do.

A parameter that enters only squared (E of an ion whose x and y are alike) has no slope at zero, whatever the
data say of it.  The fit may rest there on a maximum, or the data may well bound it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import lmfit
import numpy as np
from numpy.typing import NDArray

from mesospin.measured.hamiltonian.objective import Objective
from mesospin.measured.hamiltonian.search import minimised

Floats = NDArray[np.float64]

#: Step that raises chi2 by one unit, in parts of the one that its slope gives, below which the slope says
#: nothing.
_FASTER = 0.3
#: Steps, in parts of the natural size of a parameter.
_STEPS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_BISECTIONS = 5
#: Error of a parameter in parts of the one with all others known, and of the step that chi2 allows, above
#: which it is that of a vanishing derivative.
_ABSURD = 100.0
_DOUBLINGS = 8
#: Evaluations of a fit of the other parameters, and the relative decrease at which it ends.
_REFITTED, _ROUGHLY = 15, 1e-5


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


class Held(NamedTuple):
    """Parameters that chi2 holds in second order, and the steps at which it has risen.

    Parameters
    ----------
    squares : dict
        Of parameters without a slope of their own, which act as their square: steps of one alone.
    others : dict
        Of parameters whose slope is that of others, so that only together they act in second order: steps
        with all others fitted anew.
    """

    squares: dict[str, float]
    others: dict[str, float]


def held_in_second_order(
    objective: Objective, table: lmfit.Parameters, covariance: Floats, jacobian: Floats, rise: float
) -> Held:
    """Return the parameters whose first-order derivative vanishes, alone or along with others.

    A step of one parameter alone is compared with the one that its own slope gives; its error belongs to
    steps along which the others follow, so only such a step is compared with that.
    """
    squares, others = {}, {}
    for k, (name, slope) in enumerate(zip(objective.free, np.linalg.norm(jacobian, axis=0), strict=True)):
        alone = np.sqrt(rise) / slope if slope > 0.0 else np.inf
        if alone > abs(table[name].value):
            length = reach_along(objective, table, {name: 1.0}, rise)
            if length < _FASTER * alone:
                squares[name] = length
                continue
        variance = float(covariance[k, k])
        error = np.sqrt(max(variance, 0.0))
        if error > max(_ABSURD * alone, abs(table[name].value)):
            parts = zip(objective.free, covariance[k], strict=True)
            together = {other: float(part) / variance for other, part in parts if part}
            straight = reach_along(objective, table, together, rise)
            if straight < error / _ABSURD:
                length = _profile(objective.rough(table) or objective, table, name, rise, straight)
                if length < error / _ABSURD:
                    others[name] = length
    return Held(squares, others)


def _profile(objective: Objective, table: lmfit.Parameters, name: str, rise: float, first: float) -> float:
    """Return the step of a parameter at which chi2 has risen on both sides, all others fitted anew."""
    here, value = objective.chi2(table), table[name].value

    def lowest(length: float) -> float:
        if not table[name].min < value + length < table[name].max:
            return np.inf
        moved = table.copy()
        moved[name].set(value=value + length, vary=False)
        moved.update_constraints()
        fixed = replace(objective, table=moved, memory={})
        arrival = minimised(fixed, moved, _REFITTED, _ROUGHLY) if fixed.free else None
        return fixed.chi2(moved) if arrival is None else arrival.chi2

    def risen(length: float) -> bool:
        return all(lowest(sign * length) >= here + rise for sign in (1.0, -1.0))

    inner, outer = 0.0, first
    for _ in range(_DOUBLINGS):
        if risen(outer):
            for _ in range(_BISECTIONS):
                middle = 0.5 * (inner + outer)
                inner, outer = (inner, middle) if risen(middle) else (middle, outer)
            return outer
        inner, outer = outer, 2.0 * outer
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
