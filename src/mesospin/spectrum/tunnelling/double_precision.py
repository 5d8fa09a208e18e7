"""Tunnel splittings in double precision: downfolding, and eigenvalue differences where gaps are wide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from mesospin.errors import ConvergenceError, InputError
from mesospin.spectrum.downfold import downfold_pairs
from mesospin.spectrum.matrices import Array, FieldLine
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.problem import Levels, Problem, StatePair

_EPS = float(np.finfo(np.float64).eps)
#: Terms of second order in gap / distance of the next level that downfolding neglects.
_NEGLECTED = 10.0
#: Weight that the named states must have in the levels.
_LABEL_WEIGHT = 0.5
#: A gap must exceed its error by this factor.
_MARGIN = 25.0
#: Error of the difference of two eigenvalues in units of eps times the width of the spectrum.
_EIGENVALUE = 40.0
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
    levels = np.linalg.eigvalsh(line.at(start))
    width = float(np.ptp(levels))
    if not (pairs.converged[0] and pairs.weight[0] > _LABEL_WEIGHT):
        return _wide_gap(line, pair, start, width)
    gap = float(pairs.gap[0])
    others = np.sort(np.abs(levels - float(pairs.energy[0])))[2:]
    ratio = gap / float(others[0]) if len(others) else 0.0
    neglected = (1.0 - float(pairs.weight[0])) * (1.0 + _NEGLECTED * ratio) * ratio
    error = max(_DISAGREEMENT * float(pairs.disagreement[0]), 1e-13, neglected)
    if gap > 0 and _EIGENVALUE * _EPS * width / gap < error:
        return _wide_gap(line, pair, start, width)
    if not error <= 1 / _MARGIN:
        msg = (
            f"the splitting of {pair.names[0]} and {pair.names[1]} cannot be held in double precision "
            f"(relative error {error:.1e}); use method=Certified() or LargeSpin()"
        )
        raise ConvergenceError(msg)
    note = f"downfolded onto two states of weight {float(pairs.weight[0]):.2f}"
    return Gap.from_float(gap, relative_error=error, field=start, slope=float(pairs.slope[0]), note=note)


def _wide_gap(line: FieldLine, pair: StatePair, start: float, width: float) -> Gap:
    """Return the minimum distance of the two eigenlevels that carry a pair of basis states."""
    states = list(pair.states)
    near = _rough_minimum(line, states, start)
    lower, upper = _carriers(np.linalg.eigh(line.at(near))[1], states)
    field = _exact_minimum(line, (lower, upper), near) if upper == lower + 1 else None
    if field is None:
        raise _mixed(pair)
    energy, U = np.linalg.eigh(line.at(field))
    if _carriers(U, states) != (lower, upper):
        raise _mixed(pair)
    U = U[:, [lower, upper]]
    # the same rule that names levels in a table of crossings
    if (np.abs(U[states]) ** 2).sum(axis=1).min() <= _LABEL_WEIGHT:
        raise _mixed(pair)
    moments = np.linalg.eigvalsh(U.conj().T @ (line.G @ U))
    gap, error = float(energy[upper] - energy[lower]), _EIGENVALUE * _EPS * width
    names = " and ".join(pair.names)
    _require_digits(gap, error, f"the splitting of {names}", "use method=Certified() or LargeSpin()")
    bare = line.G.diagonal().real[states]
    slope = float(np.copysign(np.diff(moments)[0], bare[0] - bare[1]))
    if pair.is_opposite and abs(field - start) * abs(slope) > 10 * gap:
        raise _mixed(pair)
    note = "difference of two eigenvalues at its minimum"
    return Gap.from_float(gap, relative_error=error / gap, field=field, slope=slope, note=note)


def _mixed(pair: StatePair) -> InputError:
    return InputError(
        f"the levels {pair.names[0]} and {pair.names[1]} are mixed too strongly to carry these labels; "
        "use Levels(i, j) with a field B"
    )


def _carriers(U: Array, states: list[int]) -> tuple[int, int]:
    """Return the two levels that hold most of a pair of basis states."""
    weight = (np.abs(U[states]) ** 2).sum(axis=0)
    lower, upper = np.sort(np.argsort(-weight, kind="stable")[:2])
    return int(lower), int(upper)


def _rough_minimum(line: FieldLine, states: list[int], start: float) -> float:
    """Return a field near the smallest distance of the levels that hold the pair."""

    def gap_at(B: float) -> float:
        energy, U = np.linalg.eigh(line.at(B))
        lower, upper = _carriers(U, states)
        return float(energy[upper] - energy[lower])

    reach = _reach(line, states, gap_at(start))
    best = minimize_scalar(
        gap_at, bounds=(start - reach, start + reach), method="bounded", options={"xatol": 1e-4 * reach}
    )
    return start if gap_at(start) <= best.fun else float(best.x)


def _reach(line: FieldLine, states: list[int], gap: float) -> float:
    slope = float(abs(np.diff(line.G.diagonal().real[states])[0]))
    return 2 * max(gap / slope, 1e-6)


def _exact_minimum(line: FieldLine, levels: tuple[int, int], near: float) -> float | None:
    """Return the field at which two neighbouring levels have equal moments and repel, None for none."""

    def steepness(B: float) -> float:
        U = np.linalg.eigh(line.at(B))[1][:, list(levels)]
        moments = np.einsum("ik,ij,jk->k", U.conj(), line.G, U, optimize=True).real
        return float(moments[1] - moments[0])

    energy, U = np.linalg.eigh(line.at(near))
    chosen = U[:, list(levels)]
    moments = np.linalg.eigvalsh(chosen.conj().T @ (line.G @ chosen))
    reach = 0.1 * float(energy[levels[1]] - energy[levels[0]]) / max(float(np.ptp(moments)), 1e-300)
    for widening in (1.0, 3.0, 9.0):
        lo, hi = near - widening * reach, near + widening * reach
        if steepness(lo) < 0 < steepness(hi):
            return float(brentq(steepness, lo, hi, xtol=1e-16, rtol=8.9e-16))
    return None


def _between_levels(line: FieldLine, pair: Levels, field: float) -> Gap:
    energy, U = np.linalg.eigh(line.at(field))
    lower, upper = sorted((pair.i, pair.j))
    gap, error = float(energy[upper] - energy[lower]), _EIGENVALUE * _EPS * float(np.ptp(energy))
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
