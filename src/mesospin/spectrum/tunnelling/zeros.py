"""Gaps that vanish exactly, and why: selection rules, Kramers' theorem, diabolical points."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mesospin.errors import ConvergenceError, InputError
from mesospin.spectrum.banded import ladder_period
from mesospin.spectrum.downfold import DownfoldedPairs, downfold_pairs, forbidden_pairs
from mesospin.spectrum.matrices import FieldLine, basis_projections, field_line, symmetry_blocks
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
#: Energies of different blocks that agree to this many eps of the width of the spectrum are compared.
_ROUNDING = 1000.0
#: Relative error of a long ladder above which its two ways around the axis nearly cancel.
_CANCELLING = 1e-15
#: Weight of the two states in their levels below which downfolding says nothing.
_WEIGHT = 0.5


def symmetry_reason(problem: Problem) -> str:
    """Return why the gap is exactly zero at every strength of the terms, empty if it is not."""
    pair, at_rest = problem.pair, not any(problem.transverse)
    if isinstance(pair, Levels):
        at_rest = at_rest and problem.B == 0
        reversed_pair = at_rest and pair.i // 2 == pair.j // 2
    else:
        reversed_pair = at_rest and pair.is_opposite
    if problem.system.is_kramers and reversed_pair:
        return "Kramers: half-integer total spin at zero field"
    if isinstance(pair, Levels):
        return _reversed_blocks(problem, pair) if at_rest else ""
    rule = _broken_rule(problem, pair)
    return f"selection rule: {rule}" if rule else ""


def _reversed_blocks(problem: Problem, pair: Levels) -> str:
    """Return why two levels at zero field are degenerate: they are time-reversed and in different blocks."""
    system = problem.system
    if system.dimension > _EXPLORED_DIMENSION:
        return ""
    line, table = problem.line(), basis_projections(system)
    blocks = symmetry_blocks(line.H0)
    entries = [
        (energy, number, rank)
        for number, block in enumerate(blocks)
        for rank, energy in enumerate(np.linalg.eigvalsh(line.H0[np.ix_(block, block)]))
    ]
    energies = np.array([energy for energy, _, _ in entries])
    order = np.argsort(energies, kind="stable")
    ends = energies[order[[pair.i, pair.j]]]
    close = _ROUNDING * np.finfo(np.float64).eps * max(float(np.ptp(energies)), 1e-300)
    if abs(ends[1] - ends[0]) > close:
        return ""
    group = [entries[k][1:] for k in np.flatnonzero(np.abs(energies - ends.mean()) <= close)]
    if len(group) != 2 or group[0][1] != group[1][1] or group[0][0] == group[1][0]:
        return ""
    first, second = (blocks[number] for number, _ in group)
    if not np.array_equal(np.sort(-table[first], axis=0), np.sort(table[second], axis=0)):
        return ""
    return f"selection rule: {selection_rule(system, line)}, and time reversal exchanges the two levels"


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
    if isinstance(problem.pair, Levels) or not any(problem.transverse):
        return None
    if problem.system.dimension > _EXPLORED_DIMENSION:
        return _on_a_ladder(problem) if len(problem.system.spins) == 1 else None
    bx, by = problem.transverse
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
    return DiabolicalPoint(float(here.field[0]), float(here.slope[0]), _remark(problem))


def _remark(problem: Problem) -> str:
    bx, by = problem.transverse
    where = f"({bx:.6g}, {by:.6g}) T"
    return f"diabolical point at a transverse field of {where}: the paths around the axis cancel"


def _on_a_ladder(problem: Problem) -> DiabolicalPoint | None:
    """Return the same for a long ladder, whose splittings are compared by their logarithms."""
    bx, by = problem.transverse
    method = LargeSpin()
    try:
        here = method.gap(problem)
        if here.relative_error < _CANCELLING:
            return None
        nearby = [
            method.gap(Problem(problem.system, problem.pair, None, problem.axis, (bx + dx, by + dy))).log10
            for dx, dy in ((_STEP, 0.0), (0.0, _STEP))
        ]
    except (InputError, ConvergenceError):
        return None
    distance = _STEP * 10.0 ** (here.log10 - max(nearby))
    if distance > _RESOLUTION * max(1.0, math.hypot(bx, by)):
        return None
    return DiabolicalPoint(here.field, here.slope, _remark(problem))
