"""Tunnel splittings with a proved error bound, to any number of digits."""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, ctx

from mesospin.checks import integer
from mesospin.errors import ConvergenceError, TooLargeError
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.problem import Levels, Problem
from mesospin.spectrum.tunnelling.proved.balls import exact_line
from mesospin.spectrum.tunnelling.proved.clusters import find_groups, proved_level
from mesospin.spectrum.tunnelling.proved.enclosure import (
    BITS_PER_DIGIT,
    GUARD_DIGITS,
    certified_gap,
    exact_zero,
    most_bits,
    next_power_of_ten,
)
from mesospin.spectrum.tunnelling.proved.mixed import LARGEST_DENSE
from mesospin.spectrum.tunnelling.proved.named_pairs import pair_gap

__all__ = ["Certified"]

_MOST_DIGITS = 10_000
_GUARD_BITS = 128


@dataclass(frozen=True, slots=True)
class Certified(Method):
    r"""Splittings in ball arithmetic: every digit is proved, for any Hamiltonian.

    Parameters
    ----------
    digits : int, default 30
        Correct decimal digits, 1 to 10,000.

    Raises
    ------
    InputError
        If ``digits`` is no such number, or the levels cannot carry the names of the states.
    TooLargeError
        If the symmetry block of the pair (for `Levels` the whole space) has more than 400 states, unless
        it is a narrow band: a spin up to S = 10,000.
    ConvergenceError
        If the gap cannot be told from zero; the message says below what it is proved to be.

    Notes
    -----
    Elements of H are kept as exact numbers :math:`(u+iv)\sqrt N`; the others are downfolded onto the
    two states (onto as many as there are close levels, for `Levels`) with a precision that follows from
    the gap, and the two energies differ by the gap without approximation.  Every solution of linear equations
    is bounded by its residual, every level by the monotony of the downfolded one, the minimum over the field
    by the signs of the derivative on both sides.  Every stored double, the magnetons and the unit vector of
    the axis included, counts as an exact binary number.

    Cost at 30 digits on one core: 3 ms for the ground splitting of Mn12 (6 states), 17 ms for a spin 10 in a
    tilted field, 40 ms for a block of 32 states, 1 s for 136 real ones, 8 s for 400, three to five times more
    for complex ones; narrow bands 1.5 s at S = 1000 (1e-809 K) and 80 s at S = 10,000 (1e-5713 K).

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.spectrum.tunnelling.problem import read_problem
    >>> spin = giant_spin(10, D=-0.548, A4=-1.17e-3, C4=-2.2e-5, g=1.94)
    >>> gap = Certified(20).gap(read_problem(spin, (10, -10), None, (0, 0, 1), (0, 0)))
    >>> gap.digits, gap.relative_error < 1e-20, gap.rigorous
    ('2.962519527751039159761e-12', True, True)
    """

    digits: int = 30

    def __post_init__(self) -> None:
        object.__setattr__(self, "digits", integer("digits", self.digits, at_least=1, at_most=_MOST_DIGITS))

    def gap(self, problem: Problem) -> Gap:
        """Return the gap of a pair at its minimum over the field, or of two levels at the field given."""
        if isinstance(problem.pair, Levels):
            return _level_gap(problem, problem.pair, self.digits)
        return pair_gap(problem, problem.pair, self.digits)


def _level_gap(problem: Problem, pair: Levels, digits: int) -> Gap:
    """Return the proved distance of two levels at the field given."""
    assert problem.B is not None
    states = problem.system.dimension
    if states > LARGEST_DENSE:
        msg = (
            f"system must have at most {LARGEST_DENSE} states for Certified() with {pair}, got {states}; "
            "name the two states instead, as in (m, m')"
        )
        raise TooLargeError(msg)
    line, B = exact_line(problem, range(states)), arb(problem.B)
    lower, upper = sorted((pair.i, pair.j))
    groups = find_groups(line, problem.line().at(problem.B), B, (lower, upper))
    limit = most_bits(states, digits)
    bits = round(BITS_PER_DIGIT * (digits + GUARD_DIGITS)) + _GUARD_BITS
    bound = arb("inf")
    while bits <= limit:
        with ctx.workprec(bits):
            first, second = (
                proved_level(line, group, level, B)
                for group, level in zip(groups, (lower, upper), strict=True)
            )
            if first is not None and second is not None:
                gap, slope = second.energy - first.energy, first.slope - second.slope
                if gap.is_zero():
                    return exact_zero(B, slope, "the two levels are exactly equal")
                bound = gap.abs_upper()
                note = f"ball arithmetic with {bits} bits on {states} states"
                result = certified_gap(gap, B, slope, digits, note)
                if result is not None:
                    return result
        bits *= 2
    msg = (
        f"the gap of levels {lower} and {upper} at {problem.B:g} T could not be told from zero with "
        f"{bits // 2} bits: it is proved to be below {next_power_of_ten(bound)} K"
    )
    raise ConvergenceError(msg, {"bits": bits // 2})
