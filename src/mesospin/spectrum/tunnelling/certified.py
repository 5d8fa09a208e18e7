"""Tunnel splittings with a proved error bound, to any number of digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from flint import arb, ctx

from mesospin.checks import integer
from mesospin.errors import ConvergenceError, InputError, TooLargeError
from mesospin.spectrum.tunnelling.balls import ExactLine, connected, exact_line
from mesospin.spectrum.tunnelling.clusters import find_groups, proved_level
from mesospin.spectrum.tunnelling.enclosure import (
    BITS_PER_DIGIT,
    GUARD_DIGITS,
    certified_gap,
    exact_zero,
    extra_bits,
    most_bits,
    next_power_of_ten,
)
from mesospin.spectrum.tunnelling.feshbach import Downfolding, downfolding, is_dense, two_levels
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.mixed import LABEL_WEIGHT, LARGEST_DENSE, mixed_minimum, refuse_labels
from mesospin.spectrum.tunnelling.problem import Levels, Problem, StatePair
from mesospin.spectrum.tunnelling.resonance import (
    Minimum,
    diabatic_slope,
    find_crossing,
    find_minimum,
    gap_bound,
    prove_minimum,
)

_MOST_DIGITS = 10_000
_FIRST_BITS = 128
_GUARD_BITS = 64
_ATTEMPTS = 5
#: Two evaluations of a coupling that agree to this are not rounding.
_AGREEMENT = 1e-3
#: Largest space that is searched for a block.
_LARGEST_SPACE = 20_001


@dataclass(frozen=True, slots=True)
class Certified(Method):
    """Splittings in ball arithmetic: every digit is proved, whatever the Hamiltonian.

    Parameters
    ----------
    digits : int, default 30
        Correct decimal digits, 1 to 10,000.
    """

    digits: int = 30

    def __post_init__(self) -> None:
        object.__setattr__(self, "digits", integer("digits", self.digits, at_least=1, at_most=_MOST_DIGITS))

    def gap(self, problem: Problem) -> Gap:
        """Return the gap."""
        if isinstance(problem.pair, Levels):
            return _level_gap(problem, problem.pair, self.digits)
        return _pair_gap(problem, problem.pair, self.digits)


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
    bits = round(BITS_PER_DIGIT * (digits + GUARD_DIGITS)) + 2 * _GUARD_BITS
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


class _Question(NamedTuple):
    """A pair inside its block."""

    line: ExactLine
    kept: tuple[int, int]
    pair: StatePair
    even: bool
    digits: int


def _pair_gap(problem: Problem, pair: StatePair, digits: int) -> Gap:
    line = _block(problem, pair)
    a, b = (line.states.index(state) for state in pair.states)
    if line.G.get((a, a)) == line.G.get((b, b)):
        msg = (
            f"pair must meet at one field, but {pair.names[0]} and {pair.names[1]} have the same moment "
            "along the axis"
        )
        raise InputError(msg)
    even = pair.is_opposite and not any(problem.transverse)
    question = _Question(line, (a, b), pair, even, digits)
    if not connected(line, a, b):
        with ctx.workprec(_FIRST_BITS):
            crossing = find_crossing(downfolding(line, (a, b)), None, even=even)
        if not crossing.converged or not max(crossing.norms, key=float) < 1 / LABEL_WEIGHT:
            raise refuse_labels(pair.names)
        return exact_zero(crossing.field, crossing.slope, "no element of the Hamiltonian connects the states")
    return _certify(question, *_estimate(question))


def _block(problem: Problem, pair: StatePair) -> ExactLine:
    """Return the exact Hamiltonian on the symmetry blocks of the pair, if they are not too large."""
    dimension = problem.system.dimension
    single = len(problem.system.spins) == 1
    advice = "use LargeSpin()" if single else "use DoublePrecision(), or fewer spins"
    if dimension > _LARGEST_SPACE:
        msg = f"system must have at most {_LARGEST_SPACE} states for Certified(), got {dimension}; {advice}"
        raise TooLargeError(msg)
    line = exact_line(problem, pair.states)
    size = len(line.states)
    if size > LARGEST_DENSE and is_dense(line):
        msg = (
            f"the symmetry block of the pair must have at most {LARGEST_DENSE} states for Certified(), got "
            f"{size}; {advice}"
        )
        raise TooLargeError(msg)
    return line


def _estimate(question: _Question) -> tuple[Minimum, arb, arb]:
    """Return where the pair meets, about how large its gap is, and the difference of the slopes."""
    limit = most_bits(len(question.line.states), question.digits)
    bits, start = _FIRST_BITS, None
    while bits <= limit:
        with ctx.workprec(bits):
            fold = downfolding(question.line, question.kept)
            found = find_crossing(fold, start, even=question.even)
            if not found.converged or max(found.norms, key=float) >= 1 / LABEL_WEIGHT:
                return mixed_minimum(question.line, question.kept, question.pair.names, even=question.even)
            if found.disagreement < _AGREEMENT:
                half = found.splitting / 2
                energies = (found.energy - half).mid(), (found.energy + half).mid()
                return Minimum(found.field, energies, False), found.splitting, found.slope
            start, bits = (found.field, found.energy), 2 * bits
    raise _not_proved(question, Minimum(found.field, (found.energy, found.energy), False), bits // 2)


def _certify(question: _Question, start: Minimum, gap: arb, slope: arb) -> Gap:
    """Return the proved minimum gap; the precision rises until it has its digits."""
    states, digits = len(question.line.states), question.digits
    limit = most_bits(states, digits)
    accuracy_bits = round(BITS_PER_DIGIT * (digits + GUARD_DIGITS))
    with ctx.workprec(_FIRST_BITS):
        rough = downfolding(question.line, question.kept)
    bits, more, last = 0, 0, start
    for _ in range(_ATTEMPTS):
        with ctx.workprec(_FIRST_BITS):
            scale = rough.norm_H + rough.norm_G * abs(start.field)
            needed = accuracy_bits + extra_bits(scale, gap) + extra_bits(rough.norm_G, slope) + _GUARD_BITS
        if max(bits, needed + more) > limit:
            break
        bits = max(bits, needed + more)
        more += _GUARD_BITS + bits // 4
        with ctx.workprec(bits):
            fold = downfolding(question.line, question.kept)
            accuracy = arb(10) ** -(digits + GUARD_DIGITS)
            tolerance = gap * accuracy * abs(slope) / fold.norm_G * 2.0**-10
            found = find_minimum(fold, start, slope, tolerance, even=question.even)
            distance = (found.energies[1] - found.energies[0]).mid()
            last = found
            if not (found.settled and distance > 0):
                continue
            start, gap, slope = found, distance, diabatic_slope(fold, found)
            proof = prove_minimum(fold, found, distance, accuracy)
            if proof is None:
                continue
            _check_labels(fold, found, question.pair)
            note = f"ball arithmetic with {bits} bits on a block of {states} states"
            result = certified_gap(proof.gap, proof.field, slope, digits, note)
            if result is not None:
                return result
    raise _not_proved(question, last, bits)


def _not_proved(question: _Question, found: Minimum, bits: int) -> ConvergenceError:
    """Return the error of a gap without proof, with the bound that is proved."""
    with ctx.workprec(max(bits, _FIRST_BITS)):
        bound = gap_bound(downfolding(question.line, question.kept), found)
    first, second = question.pair.names
    proved = (
        "no bound was proved" if bound is None else f"it is proved to be below {next_power_of_ten(bound)} K"
    )
    msg = (
        f"the gap of {first} and {second} was not found to {question.digits} digits with {bits} bits: "
        f"{proved}, and a symmetry of the Hamiltonian may forbid it; use Levels(i, j) with a field B"
    )
    return ConvergenceError(msg, {"bits": bits})


def _check_labels(fold: Downfolding, found: Minimum, pair: StatePair) -> None:
    """Refuse levels that do not carry the two states by more than half of each."""
    weights = [0.0, 0.0]
    for k, energy in enumerate(found.energies):
        levels = two_levels(fold.dressed(energy, found.field))
        weights[0] += float(levels.first[k] / levels.norm[k])
        weights[1] += float((1 - levels.first[k]) / levels.norm[k])
    if not min(weights) > LABEL_WEIGHT:
        raise refuse_labels(pair.names)
