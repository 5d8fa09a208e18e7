"""Certified gaps of two named states: block, precision, search, proof."""

from __future__ import annotations

from typing import NamedTuple

from flint import arb, ctx

from mesospin.errors import ConvergenceError, InputError, TooLargeError
from mesospin.spectrum.tunnelling.gap import Gap
from mesospin.spectrum.tunnelling.problem import Problem, StatePair
from mesospin.spectrum.tunnelling.proved.balls import ExactLine, connected, exact_line
from mesospin.spectrum.tunnelling.proved.enclosure import (
    BITS_PER_DIGIT,
    GUARD_DIGITS,
    certified_gap,
    exact_zero,
    extra_bits,
    most_bits,
    next_power_of_ten,
)
from mesospin.spectrum.tunnelling.proved.feshbach import Downfolding, downfolding, is_dense, two_levels
from mesospin.spectrum.tunnelling.proved.mixed import (
    LABEL_WEIGHT,
    LARGEST_DENSE,
    are_heaviest,
    mixed_minimum,
    refuse_labels,
)
from mesospin.spectrum.tunnelling.proved.proof import gap_bound, prove_minimum
from mesospin.spectrum.tunnelling.proved.resonance import (
    Minimum,
    branched,
    diabatic_slope,
    find_crossing,
    find_minimum,
)

__all__ = ["pair_gap"]

_FIRST_BITS = 128
_GUARD_BITS = 64
_ATTEMPTS = 5
#: Two evaluations of a coupling that agree to this are not rounding.
_AGREEMENT = 1e-3
#: Largest space that is searched for a block.
_LARGEST_SPACE = 20_001


class _Question(NamedTuple):
    """A pair inside its block."""

    line: ExactLine
    kept: tuple[int, int]
    pair: StatePair
    even: bool
    digits: int


def pair_gap(problem: Problem, pair: StatePair, digits: int) -> Gap:
    """Return the proved minimum gap of two states, or raise one sentence.

    Raises
    ------
    InputError
        If the states never meet or are mixed too strongly to carry their names.
    TooLargeError
        If their symmetry block is too large.
    ConvergenceError
        If the gap cannot be told from zero; the message says below what it is proved to be.
    """
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
    return _certify(question, _estimate(question))


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


class _Estimate(NamedTuple):
    """Where a pair meets, about how large its gap is [K], the difference of the slopes [K/T]; the bits."""

    at: Minimum
    gap: arb
    slope: arb
    bits: int


def _estimate(question: _Question) -> _Estimate:
    """Return where the pair meets; a gap of 0 where no precision tells it from zero."""
    limit = most_bits(len(question.line.states), question.digits)
    bits, start = _FIRST_BITS, None
    while True:
        with ctx.workprec(bits):
            fold = downfolding(question.line, question.kept)
            found = find_crossing(fold, start, even=question.even)
            if not found.converged or max(found.norms, key=float) >= 1 / LABEL_WEIGHT:
                return _mixed(question, found.field if found.converged else None)
            told = found.disagreement < _AGREEMENT and bool(found.splitting > 0)
            if told or 2 * bits > limit:
                gap = found.splitting if told else arb(0)
                energies = (found.energy - gap / 2).mid(), (found.energy + gap / 2).mid()
                return _Estimate(Minimum(found.field, energies), gap, found.slope, bits)
            start, bits = (found.field, found.energy), 2 * bits


def _mixed(question: _Question, near: arb | None) -> _Estimate:
    """Return where the gap of two mixed levels is least, from double precision."""
    field = None if near is None else float(near)
    found = mixed_minimum(question.line, question.kept, question.pair.names, field, even=question.even)
    with ctx.workprec(_FIRST_BITS):
        fold = downfolding(question.line, question.kept)
        return _Estimate(branched(fold, found[0]), found[1], found[2], _FIRST_BITS)


def _certify(question: _Question, estimate: _Estimate) -> Gap:
    """Return the proved minimum gap; the precision rises until it has its digits."""
    start, gap, slope, bits = estimate
    if gap == 0:
        return _without_proof(question, start, slope, bits)
    states, digits = len(question.line.states), question.digits
    limit = most_bits(states, digits)
    accuracy_bits = round(BITS_PER_DIGIT * (digits + GUARD_DIGITS))
    with ctx.workprec(_FIRST_BITS):
        rough = downfolding(question.line, question.kept)
    bits, more, last, searched = 0, 0, start, False
    for _ in range(_ATTEMPTS):
        with ctx.workprec(_FIRST_BITS):
            scale = rough.norm_H + rough.norm_G * abs(start.field)
            needed = (
                accuracy_bits + extra_bits(scale, gap) + 2 * extra_bits(rough.norm_G, slope) + _GUARD_BITS
            )
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
            usable = found.settled and bool(distance > 0) and _carries_labels(question, fold, found)
            if not usable:
                if not searched and states <= LARGEST_DENSE:
                    searched, (start, gap, slope, _) = True, _mixed(question, start.field)
                    bits, more = 0, 0
                elif found.settled:
                    raise refuse_labels(question.pair.names)
                continue
            start, gap, slope = found, distance, diabatic_slope(fold, found)
            proof = prove_minimum(fold, found, slope, accuracy)
            if proof is None:
                continue
            note = f"ball arithmetic with {bits} bits on a block of {states} states"
            result = certified_gap(proof.gap, proof.field, slope, digits, note)
            if result is not None:
                return result
    return _without_proof(question, last, slope, bits)


def _without_proof(question: _Question, found: Minimum, slope: arb, bits: int) -> Gap:
    """Return an exact zero if that is proved; else raise with the bound that is."""
    with ctx.workprec(max(bits, _FIRST_BITS)):
        bound = gap_bound(downfolding(question.line, question.kept), found)
    if bound is not None and bound == 0:
        return exact_zero(found.field, slope, "the two levels are exactly equal")
    first, second = question.pair.names
    proved = "no bound was proved"
    if bound is not None:
        proved = f"it is proved to be below {next_power_of_ten(bound)} K"
    msg = (
        f"the gap of {first} and {second} was not found to {question.digits} digits with {bits} bits: "
        f"{proved}, and a symmetry of the Hamiltonian may forbid it; use Levels(i, j) with a field B"
    )
    raise ConvergenceError(msg, {"bits": bits})


def _carries_labels(question: _Question, fold: Downfolding, found: Minimum) -> bool:
    """Return whether the two levels carry more than half of each state, and no others carry more."""
    weights, heavy = [0.0, 0.0], []
    for k, energy in zip(found.branches, found.energies, strict=True):
        levels = two_levels(fold.dressed(energy, found.field))
        weights[0] += float(levels.first[k] / levels.norm[k])
        weights[1] += float((1 - levels.first[k]) / levels.norm[k])
        heavy.append(float(1 / levels.norm[k]))
    if not min(weights) > LABEL_WEIGHT:
        return False
    left = 2.0 - sum(heavy)
    return min(heavy) > left or are_heaviest(question.line, question.kept, found)
