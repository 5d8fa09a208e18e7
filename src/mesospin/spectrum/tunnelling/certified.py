"""Tunnel splittings with a proved error bound, to any number of digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from flint import arb, ctx

from mesospin.checks import integer
from mesospin.errors import ConvergenceError, InputError, TooLargeError
from mesospin.spectrum.tunnelling.balls import ExactLine, exact_line
from mesospin.spectrum.tunnelling.enclosure import (
    BITS_PER_DIGIT,
    GUARD_DIGITS,
    certified_gap,
    decimal,
    extra_bits,
    most_bits,
)
from mesospin.spectrum.tunnelling.feshbach import Downfolding, downfolding, is_dense, two_levels
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.problem import Levels, Problem, StatePair
from mesospin.spectrum.tunnelling.resonance import (
    Minimum,
    bare_minimum,
    diabatic_slope,
    find_crossing,
    find_minimum,
    prove_minimum,
)

_MOST_DIGITS = 10_000
_FIRST_BITS = 128
_GUARD_BITS = 64
_ATTEMPTS = 8
_LABEL_WEIGHT = 0.5
#: Two evaluations of a coupling that agree to this are not rounding.
_AGREEMENT = 1e-3
#: Largest block that is factorised as a dense matrix: about a minute at 30 digits.
_LARGEST_DENSE = 400
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
            raise NotImplementedError
        return _pair_gap(problem, problem.pair, self.digits)


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
    start, gap, slope = _estimate(question)
    return _certify(question, start, gap, slope)


def _block(problem: Problem, pair: StatePair) -> ExactLine:
    """Return the exact Hamiltonian on the symmetry block of the pair, if it is not too large."""
    dimension = problem.system.dimension
    single = len(problem.system.spins) == 1
    advice = "use LargeSpin()" if single else "use DoublePrecision(), or fewer spins"
    if dimension > _LARGEST_SPACE:
        msg = f"system must have at most {_LARGEST_SPACE} states for Certified(), got {dimension}; {advice}"
        raise TooLargeError(msg)
    line = exact_line(problem, pair.states)
    size = len(line.states)
    if size > _LARGEST_DENSE and is_dense(line):
        msg = (
            f"the symmetry block of the pair must have at most {_LARGEST_DENSE} states for Certified(), got "
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
            if not found.converged:
                return bare_minimum(fold)
            if found.disagreement < _AGREEMENT:
                half = found.splitting / 2
                energies = (found.energy - half).mid(), (found.energy + half).mid()
                return Minimum(found.field, energies, False), found.splitting, found.slope
            start, bits = (found.field, found.energy), 2 * bits
    shown = decimal(found.splitting, 3)[0]
    first, second = question.pair.names
    msg = (
        f"the gap of {first} and {second} could not be told from zero with {bits // 2} bits (it is below "
        f"about {shown} K); a symmetry of the Hamiltonian may forbid it"
    )
    raise ConvergenceError(msg, {"bits": bits // 2})


def _certify(question: _Question, start: Minimum, gap: arb, slope: arb) -> Gap:
    """Return the proved minimum gap; the precision rises until it has its digits."""
    states, digits = len(question.line.states), question.digits
    limit = most_bits(states, digits)
    accuracy_bits = round(BITS_PER_DIGIT * (digits + GUARD_DIGITS))
    bits, more = 0, 0
    for _ in range(_ATTEMPTS):
        with ctx.workprec(_FIRST_BITS):
            fold = downfolding(question.line, question.kept)
            scale = fold.norm_H + fold.norm_G * abs(start.field)
            needed = accuracy_bits + extra_bits(scale, gap) + extra_bits(fold.norm_G, slope) + _GUARD_BITS
        bits = max(bits, needed + more)
        more += _GUARD_BITS + bits // 4
        if bits > limit:
            break
        with ctx.workprec(bits):
            fold = downfolding(question.line, question.kept)
            accuracy = arb(10) ** -(digits + GUARD_DIGITS)
            tolerance = gap * accuracy * abs(slope) / fold.norm_G * 2.0**-10
            found = find_minimum(fold, start, slope, tolerance, even=question.even)
            distance = (found.energies[1] - found.energies[0]).mid()
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
    first, second = question.pair.names
    msg = (
        f"the gap of {first} and {second} was not proved to {digits} digits with {bits} bits; use "
        "Levels(i, j) with a field B, or DoublePrecision()"
    )
    raise ConvergenceError(msg, {"bits": bits})


def _check_labels(fold: Downfolding, found: Minimum, pair: StatePair) -> None:
    """Refuse levels that do not carry the two states by more than half of each."""
    weights = [0.0, 0.0]
    for k, energy in enumerate(found.energies):
        levels = two_levels(fold.dressed(energy, found.field))
        weights[0] += float(levels.first[k] / levels.norm[k])
        weights[1] += float((1 - levels.first[k]) / levels.norm[k])
    if min(weights) <= _LABEL_WEIGHT:
        msg = (
            f"the levels {pair.names[0]} and {pair.names[1]} are mixed too strongly to carry these labels; "
            "use Levels(i, j) with a field B"
        )
        raise InputError(msg)
