"""Tunnel splittings in double precision: downfolding, and eigenvalue differences where gaps are wide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar

from mesospin.errors import ConvergenceError, InputError
from mesospin.spectrum.downfold import downfold_pairs
from mesospin.spectrum.matrices import Array, FieldLine
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.problem import Levels, Problem, StatePair

_EPS = float(np.finfo(np.float64).eps)
#: Gap (relative to the width of the spectrum) above which eigenvalue differences are more
#: accurate than downfolding: where (gap/W)^2 meets eps W/gap.
_WIDE = _EPS ** (1 / 3)
#: Weight that the named states must have in the levels.
_LABEL_WEIGHT = 0.5
#: A gap must exceed its error by this factor.
_MARGIN = 100.0
#: Rounding of downfolding in units of the disagreement of its two independent evaluations.
_DISAGREEMENT = 10.0


@dataclass(frozen=True, slots=True)
class DoublePrecision(Method):
    """Splittings in double precision: downfolding, and eigenvalue differences for wide gaps.

    Downfolding loses nothing to cancellation while each level is mostly one basis state (weight above one
    half); otherwise eigenvalues are subtracted, and a gap below 1000 eps times the width of the spectrum is
    refused.  Estimated error: the disagreement of the coupling computed from either side, and the neglected
    terms (gap / level spacing)^2.
    """

    def gap(self, problem: Problem) -> Gap:
        """Return the gap, or raise InputError (labels) or ConvergenceError (digits)."""
        line = problem.line()
        if isinstance(problem.pair, Levels):
            assert problem.B is not None
            return _between_levels(line, problem.pair, problem.B)
        return _between_states(line, problem.pair)


def _between_states(line: FieldLine, pair: StatePair) -> Gap:
    states = list(pair.states)
    slope = line.G.diagonal().real[states]
    if abs(slope[0] - slope[1]) < 1e-12:
        msg = (
            f"pair must meet at one field, but {pair.names[0]} and {pair.names[1]} have the same moment "
            "along the axis"
        )
        raise InputError(msg)
    pairs = downfold_pairs(line, np.array(states[:1]), np.array(states[1:]))
    bare = -np.diff(line.H0.diagonal().real[states])[0] / np.diff(slope)[0]
    start = float(pairs.field[0]) if pairs.converged[0] else float(bare)
    width = float(np.ptp(np.linalg.eigvalsh(line.at(start))))
    gap = float(pairs.gap[0])
    if not (pairs.converged[0] and pairs.weight[0] > _LABEL_WEIGHT and gap < _WIDE * width):
        return _wide_gap(line, pair, start, width)
    error = max(_DISAGREEMENT * float(pairs.disagreement[0]), 1e-13, (gap / width * len(line.H0)) ** 2)
    if error > 1 / _MARGIN:
        msg = (
            f"the splitting of {pair.names[0]} and {pair.names[1]} cannot be held in double precision "
            f"(relative error {error:.1e}); use method=Certified() or LargeSpin()"
        )
        raise ConvergenceError(msg)
    note = f"downfolded onto two states of weight {float(pairs.weight[0]):.2f}"
    return Gap.from_float(gap, relative_error=error, field=start, slope=float(pairs.slope[0]), note=note)


class _TwoLevels(NamedTuple):
    energy: NDArray[np.float64]
    vectors: Array


def _wide_gap(line: FieldLine, pair: StatePair, start: float, width: float) -> Gap:
    """Return the minimum distance of the two eigenlevels that carry a pair of basis states."""
    states = list(pair.states)

    def levels_at(B: float) -> _TwoLevels:
        energy, U = np.linalg.eigh(line.at(B))
        weight = (np.abs(U[states]) ** 2).sum(axis=0)
        chosen = np.sort(np.argsort(-weight, kind="stable")[:2])
        return _TwoLevels(energy[chosen], U[:, chosen])

    field = _minimum(line, levels_at, start, states)
    energy, U = levels_at(field)
    # the same rule that names levels in a table of crossings
    if (np.abs(U[states]) ** 2).sum(axis=1).min() <= _LABEL_WEIGHT:
        msg = (
            f"the levels {pair.names[0]} and {pair.names[1]} are mixed too strongly to carry these labels; "
            "use Levels(i, j) with a field B"
        )
        raise InputError(msg)
    moments = np.linalg.eigvalsh(U.conj().T @ (line.G @ U))
    gap, error = float(np.diff(energy)[0]), 10 * _EPS * width
    names = " and ".join(pair.names)
    _require_digits(gap, error, f"the splitting of {names}", "use method=Certified() or LargeSpin()")
    slope = float(np.diff(moments)[0])
    note = "difference of two eigenvalues at its minimum"
    return Gap.from_float(gap, relative_error=error / gap, field=field, slope=slope, note=note)


def _minimum(
    line: FieldLine, levels_at: Callable[[float], _TwoLevels], start: float, states: list[int]
) -> float:
    """Return the field of the smallest gap: where the moments of the two levels are equal."""

    def gap_at(B: float) -> float:
        return float(np.diff(levels_at(B).energy)[0])

    def steepness(B: float) -> float:
        U = levels_at(B).vectors
        moments = np.einsum("ik,ij,jk->k", U.conj(), line.G, U, optimize=True).real
        return float(moments[1] - moments[0])

    slope = float(abs(np.diff(line.G.diagonal().real[states])[0]))
    reach = 2 * max(gap_at(start) / slope, 1e-6)
    best = minimize_scalar(
        gap_at, bounds=(start - reach, start + reach), method="bounded", options={"xatol": 1e-4 * reach}
    )
    near = start if gap_at(start) <= best.fun else float(best.x)
    lo, hi = near - 0.05 * reach, near + 0.05 * reach
    if steepness(lo) < 0 < steepness(hi):
        return float(brentq(steepness, lo, hi, xtol=1e-16, rtol=8.9e-16))
    return near


def _between_levels(line: FieldLine, pair: Levels, field: float) -> Gap:
    energy, U = np.linalg.eigh(line.at(field))
    lower, upper = sorted((pair.i, pair.j))
    gap, error = float(energy[upper] - energy[lower]), 10 * _EPS * float(np.ptp(energy))
    what = f"the gap of levels {lower} and {upper} at {field:g} T"
    _require_digits(gap, error, what, "use method=Certified(), or name the states as in (m, m')")
    slope = np.einsum("ik,ij,jk->k", U.conj(), line.G, U, optimize=True).real
    return Gap.from_float(
        gap,
        relative_error=error / gap,
        field=field,
        slope=float(slope[lower] - slope[upper]),
        note="difference of two eigenvalues",
    )


def _require_digits(gap: float, error: float, what: str, advice: str) -> None:
    if not gap >= _MARGIN * error:
        msg = (
            f"{what} is below {_MARGIN * error:.1e} K, which double precision cannot resolve from "
            f"eigenvalues; {advice}"
        )
        raise ConvergenceError(msg)
