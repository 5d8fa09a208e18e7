"""Gaps that vanish exactly, and why: selection rules, Kramers' theorem, diabolical points."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mesospin.spectrum.banded import ladder_period
from mesospin.spectrum.downfold import DownfoldedPairs, downfold_pairs, forbidden_pairs
from mesospin.spectrum.matrices import FieldLine, field_line
from mesospin.spectrum.search import selection_rule
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.problem import Levels, Problem, StatePair

#: Largest dimension whose dense matrices are looked at.
DENSE_DIMENSION = 1200
#: Largest dimension in which the neighbourhood of a zero is explored.
_EXPLORED_DIMENSION = 300
#: Distance from a degeneracy, relative to the field and in tesla, that counts as the point itself.
_RESOLUTION = 1e-12
#: Step [T] on which the slope of the coupling is measured.
_STEP = 1e-4
#: Weight of the two states in their levels below which downfolding says nothing.
_WEIGHT = 0.5


def symmetry_reason(problem: Problem) -> str:
    """Return why the gap is exactly zero at every strength of the terms, empty if it is not."""
    system, pair = problem.system, problem.pair
    no_transverse = not any(problem.transverse)
    if isinstance(pair, Levels):
        doublet = pair.i // 2 == pair.j // 2
        kramers = system.is_kramers and doublet and no_transverse and problem.B == 0
    else:
        rule = _broken_rule(problem, pair)
        if rule:
            return f"selection rule: {rule}"
        kramers = system.is_kramers and no_transverse and pair.is_opposite
    return "Kramers: half-integer total spin at zero field" if kramers else ""


def _broken_rule(problem: Problem, pair: StatePair) -> str:
    """Return the selection rule that keeps the two states apart, empty if none does."""
    if problem.system.dimension <= DENSE_DIMENSION or len(problem.system.spins) > 1:
        line = _acting_line(problem, pair)
        a, b = (np.array([state]) for state in pair.states)
        return selection_rule(problem.system, line) if forbidden_pairs(line, a, b)[0] else ""
    at_rest = pair.is_opposite and not any(problem.transverse)
    axis = (0.0, 0.0, 1.0) if at_rest else problem.axis
    period = ladder_period(problem.system, axis, problem.transverse)
    if period == 0:
        return "m is conserved"
    apart = (pair.states[0] - pair.states[1]) % period
    return f"m changes by multiples of {period} only" if apart else ""


def _acting_line(problem: Problem, pair: StatePair) -> FieldLine:
    """Return H(B) with the terms that act at the crossing.

    Opposite states meet in no field at all, where a tilt of the axis opens nothing.
    """
    if pair.is_opposite and not any(problem.transverse):
        return field_line(problem.system)
    return problem.line()


def crossing(problem: Problem) -> tuple[float, float]:
    """Return field [T] and slope [K/T] of the crossing of two levels that symmetry keeps apart."""
    if isinstance(problem.pair, Levels):
        line = problem.line()
        field = float(problem.B or 0.0)
        U = np.linalg.eigh(line.at(field))[1][:, sorted((problem.pair.i, problem.pair.j))]
        moments = np.linalg.eigvalsh(U.conj().T @ (line.G @ U))
        return field, float(moments[1] - moments[0])
    if problem.system.dimension > DENSE_DIMENSION:
        gap = LargeSpin().gap(problem)
        return gap.field, gap.slope
    first, second = (np.array([state]) for state in problem.pair.states)
    pairs = downfold_pairs(_acting_line(problem, problem.pair), first, second)
    if problem.pair.is_opposite and not any(problem.transverse):
        return 0.0, float(pairs.slope[0]) * problem.axis[2]
    return float(pairs.field[0]), float(pairs.slope[0])


class DiabolicalPoint(NamedTuple):
    """A degeneracy in the field given: the longitudinal field [T], the slope [K/T] and the remark."""

    field: float
    slope: float
    reason: str


def diabolical_point(problem: Problem) -> DiabolicalPoint | None:
    """Return the degeneracy on which the transverse field given lies, None if it lies on none.

    Around such a point the coupling of the two states grows linearly with the transverse field; the
    distance to it is the gap divided by that slope.
    """
    if isinstance(problem.pair, Levels) or problem.system.dimension > _EXPLORED_DIMENSION:
        return None
    bx, by = problem.transverse
    if not (bx or by):
        return None
    first, second = (np.array([state]) for state in problem.pair.states)

    def pair_at(dx: float, dy: float) -> DownfoldedPairs:
        shifted = Problem(problem.system, problem.pair, None, problem.axis, (bx + dx, by + dy))
        return downfold_pairs(shifted.line(), first, second)

    here = pair_at(0.0, 0.0)
    nearby = np.array([pair_at(_STEP, 0.0).gap[0], pair_at(0.0, _STEP).gap[0]])
    gap, largest = float(here.gap[0]), float(np.max(nearby))
    if not (here.converged[0] and here.weight[0] > _WEIGHT and largest > 0):
        return None
    if gap > largest / _STEP * _RESOLUTION * max(1.0, math.hypot(bx, by)):
        return None
    where = f"({bx:.6g}, {by:.6g}) T"
    reason = f"diabolical point at a transverse field of {where}: the paths around the axis cancel"
    return DiabolicalPoint(float(here.field[0]), float(here.slope[0]), reason)
