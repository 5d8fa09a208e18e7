"""Splittings of a single spin of any size, from the chain of states that its terms connect."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from decimal import Context, Decimal

from flint import fmpq

from mesospin.errors import ConvergenceError, InputError
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.large_spin.coupling import coupling
from mesospin.spectrum.tunnelling.large_spin.elements import ladder
from mesospin.spectrum.tunnelling.large_spin.resonance import Meeting, Question, meeting, question
from mesospin.spectrum.tunnelling.large_spin.two_levels import NOISE, minimum_gap
from mesospin.spectrum.tunnelling.problem import Problem, StatePair

__all__ = ["LargeSpin"]

#: Rounding of the mantissa.
_ROUNDING = 4e-16
#: Bound of d ln(gap)/dE times the spacing of the levels, for the terms of the order (gap / spacing)^2.
_STEEPNESS = 100.0
#: Gap relative to the spacing above which the pair is not a pair.
_MIXED = 0.2
#: Error of the energies (elements are of order one) that enters the error of fields.
_ENERGY_ERROR = 1e-28
#: Relative error above which no digits are meant.
_MEANINGLESS = 1e-3
#: Part of its width to which the minimum is found: skew of the parabola, rounding.
_FLAT, _FLATTEST = 1e-5, 1e-11
#: Bound of d ln(gap)/dE times the spacing of the levels.
_SENSITIVITY = 1e3


@dataclass(frozen=True, slots=True)
class LargeSpin(Method):
    r"""Splittings of a single spin of any size, S = 1 to 1e9, down to 10^(-10^9) K.

    The states that the Hamiltonian connects form a chain, and a level of a well occupies some
    :math:`\sqrt S` of its sites.  With one site of each well kept and all others eliminated exactly at the
    energy E of the two levels,

    .. math:: \Delta = 2|h_{ab}(E)|/\sqrt{Z_aZ_b},\qquad Z = |\psi|^2 \text{ with } \psi_a = 1 ,

    where E, and the field at which both levels have it, are found on those few sites and :math:`h_{ab}` is
    one sweep through the barrier, a mantissa with an exponent of its own.  All numbers carry 32 digits.
    Where the neglected terms, of the order (gap / level spacing)^2, would show, both levels are solved for
    on the whole chain and subtracted instead.

    Labels: the pair (m, m') are levels of the two wells, counted from their bottoms as m and m' are
    without transverse terms.  This is where the states go when those terms grow, however much they mix.

    Notes
    -----
    The error is an estimate: the rounding of the 17 digits shown, what a relative error of 1e-31 in every
    step adds up to (it decides where paths interfere, and when the z axis is far from the easy axis), and
    the neglected terms.  Measured against ball arithmetic it is below 2e-16 up to S = 1e5.  Time
    grows like S: at S = 1e5 some 5 ms for a biaxial or a tetragonal spin and 8 ms for one in a transverse
    field, where elements span one site of the chain; 0.1 s where they span two (a field together with
    E), 0.15 s for four.

    Raises
    ------
    InputError
        If the system has several spins, the pair is given by positions in energy, its states have the same
        moment along the axis, no barrier stands between them or they lie above it.
    ConvergenceError
        If nothing is left of the paths that interfere.
    TooLargeError
        If a level that reaches through the barrier does not fit in memory.

    References
    ----------
    .. [1] H. Feshbach, Ann. Phys. (N.Y.) 5, 357 (1958).
    .. [2] D. A. Garanin, J. Phys. A 24, L61 (1991).

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.spectrum.tunnelling.problem import read_problem
    >>> spin = giant_spin(100_000, D=-1.0, E=0.125)
    >>> gap = LargeSpin().gap(read_problem(spin, (100_000, -100_000), None, (0, 0, 1), (0, 0)))
    >>> gap.digits[:12], round(gap.log10, 3), gap.relative_error < 1e-11
    ('6.3240293948', -120233.199, True)
    """

    def gap(self, problem: Problem) -> Gap:
        """Return the gap of the pair at its own crossing."""
        asked, sign = _read(problem)
        met = meeting(asked)
        upper, lower = met.levels
        slope = sign * (upper.slope - lower.slope)
        if not met.connected:
            return _result(met, 0.0, 0, 0.0, slope, "no term connects the chains of the two states")
        if asked.symmetric and asked.ladder.is_kramers():
            return _result(met, 0.0, 0, 0.0, slope, "time reversal makes the two states degenerate")
        ends = upper.first, lower.last
        through = coupling(
            met.chains[0], upper.site, lower.site, upper.energy, ends, symmetric=asked.symmetric
        )
        if through.square == 0:
            return _result(met, 0.0, 0, 0.0, slope, "the chain between the two states is cut")
        if through.error > _MEANINGLESS:
            raise ConvergenceError(_vanishing(asked), {"relative error": through.error})
        mantissa, exponent = _root(4 * through.square / (upper.norm * lower.norm), through.exponent)
        spacing = min(upper.spacing, lower.spacing)
        size = math.ldexp(mantissa, max(exponent, -2000))
        ratio = size / spacing
        error = _ROUNDING + through.error + _energy_error(met) / spacing
        second_order = (_STEEPNESS * through.cancelled * ratio) ** 2
        if second_order * size > max(_ROUNDING * size, NOISE):
            return _wide(asked, met, size, ratio, slope)
        met = met._replace(mismatch=met.mismatch + _STEEPNESS * through.cancelled * size * ratio)
        chain = met.chains[0]
        note = f"chain of {chain.sites} sites coupled over {chain.width}, in 32 digits"
        return _result(met, mantissa, exponent + chain.exponent, error + second_order, slope, note)


def _read(problem: Problem) -> tuple[Question, int]:
    """Return the question, and -1 if the first state is the one with the lower projection."""
    if len(problem.system.spins) != 1:
        msg = (
            f"system must be a single spin for LargeSpin(), got {len(problem.system.spins)} spins; use "
            "method=Certified()"
        )
        raise InputError(msg)
    if not isinstance(problem.pair, StatePair):
        msg = (
            f"pair must be two projections (m, m') for LargeSpin(), got {problem.pair}; use "
            "method=DoublePrecision() or Certified() for positions in energy"
        )
        raise InputError(msg)
    (first,), (second,) = problem.pair.projections
    names = problem.pair.names
    if first > second:
        return question(ladder(problem), first, second, names), 1
    return question(ladder(problem), second, first, (names[1], names[0])), -1


def _root(square: fmpq, exponent: int) -> tuple[float, int]:
    """Return mantissa and binary exponent of the square root of ``square * 2**exponent`` (even exponent)."""
    shift = (int(square.p).bit_length() - int(square.q).bit_length()) // 2
    return math.sqrt(float(square / fmpq(4) ** shift)), exponent // 2 + shift


def _energy_error(met: Meeting) -> float:
    """Return the error of the energy times the logarithmic derivative of the gap times the spacing."""
    pivot = min(level.pivot for level in met.levels)
    return _SENSITIVITY * (_ENERGY_ERROR / pivot + met.mismatch)


def _vanishing(asked: Question) -> str:
    return (
        f"the splitting of {asked.names[0]} and {asked.names[1]} is lost where paths cancel: it is zero by "
        "symmetry or at a diabolical point, or z is far from the easy axis; use Certified() or turn the axes"
    )


def _wide(asked: Question, met: Meeting, gap: float, ratio: float, slope: float) -> Gap:
    """Return a gap that is not tiny against the distance to other levels."""
    if ratio > _MIXED:
        msg = (
            f"pair must be two levels far from others, but the gap of {asked.names[0]} and {asked.names[1]} "
            f"is {ratio:.2g} of the distance to the next; use DoublePrecision() or Certified()"
        )
        raise InputError(msg)
    gap, field, noise = minimum_gap(asked, met, gap)
    mantissa, exponent = math.frexp(gap)
    note = "both levels of the two wells, in 32 digits"
    error = 4 * _ROUNDING + noise / gap
    met = met._replace(field=field, mismatch=gap * (_FLAT * ratio + _FLATTEST))
    return _result(met, mantissa, exponent + met.chains[0].exponent, error, slope, note)


def _result(met: Meeting, mantissa: float, exponent: int, error: float, slope: float, note: str) -> Gap:
    """Return the gap with as many digits of the field as are known."""
    field = met.field
    gap = Gap.from_parts(
        mantissa, exponent, 2, relative_error=error, field=float(field), slope=slope, note=note
    )
    if error > 0.0:
        meant = max(2, min(17, 2 - math.floor(math.log10(error))))
        gap = dataclasses.replace(gap, digits=f"{Decimal(gap.digits):.{meant - 1}e}")
    return dataclasses.replace(gap, field_digits=_field_digits(met, slope))


def _field_digits(met: Meeting, slope: float) -> str:
    if met.field == 0:
        return "0"
    error = math.ldexp(_ENERGY_ERROR + met.mismatch, met.chains[0].exponent) / abs(slope)
    digits = max(1, min(30, math.floor(math.log10(abs(float(met.field)) / error))))
    value = Context(prec=digits).divide(Decimal(int(met.field.p)), Decimal(int(met.field.q)))
    return f"{value:f}" if -6 <= value.adjusted() <= 20 else str(value).lower()
