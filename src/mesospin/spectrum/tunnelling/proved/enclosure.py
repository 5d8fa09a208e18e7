"""From a ball that contains a gap to decimal digits with a proved error."""

from __future__ import annotations

import math

from flint import arb, fmpq, fmpz

from mesospin.spectrum.tunnelling.gap import Gap

__all__ = [
    "BITS_PER_DIGIT",
    "certified_gap",
    "decimal",
    "exact_zero",
    "extra_bits",
    "most_bits",
    "next_power_of_ten",
]

BITS_PER_DIGIT = math.log2(10)
#: Digits that are computed and printed beyond those asked for.
GUARD_DIGITS = 2
_MOST_BITS_PER_STATE = 64
_MOST_BITS_OF_ANY = 1024


def most_bits(states: int, digits: int) -> int:
    """Return the precision at which a gap of a block counts as indistinguishable from zero.

    Tunnelling loses a factor for every state on the way; 64 bits a state allow 1e-19 for each.
    """
    return _MOST_BITS_OF_ANY + _MOST_BITS_PER_STATE * states + round(BITS_PER_DIGIT * digits)


def extra_bits(large: arb, small: arb) -> int:
    """Return the number of bits by which two positive magnitudes differ, at least 0.

    Examples
    --------
    >>> extra_bits(arb(1024), arb(1))
    10
    """
    return max(0, _exponent(large) - _exponent(small))


def _exponent(value: arb) -> int:
    mantissa, exponent = abs(value).mid().man_exp()
    return int(exponent) + int(mantissa).bit_length()


def decimal(value: arb, digits: int) -> tuple[str, arb]:
    """Return a positive number as decimal text, and the exact number that the text says.

    Examples
    --------
    >>> decimal(arb(1) / 2 ** 40, 5)[0]
    '9.0949e-13'
    """
    middle, _, exponent = value.mid().mid_rad_10exp(digits + 8)
    drop = max(len(str(middle)) - digits, 0)
    unit = fmpz(10) ** drop
    rounded, power = (middle + unit // 2) // unit, int(exponent) + drop
    text = str(rounded)
    ten = fmpq(fmpz(10) ** abs(power))
    shown = arb(fmpq(rounded) * ten if power >= 0 else fmpq(rounded) / ten)
    return f"{text[0]}.{text[1:] or '0'}e{power + len(text) - 1:+03d}", shown


def next_power_of_ten(bound: arb) -> str:
    """Return a power of ten that is not below a positive number, as text.

    Examples
    --------
    >>> next_power_of_ten(arb("3e-20"))
    '1e-19'
    """
    if not bound.is_finite():
        return "infinity"
    if bound == 0:
        return "0"
    return f"1e{math.floor(float(bound.log() / arb(10).log()) + 1e-6) + 1}"


def exact_zero(field: arb, slope: arb, note: str) -> Gap:
    """Return a gap that is proved to vanish."""
    return Gap("0", -math.inf, 0.0, True, float(field), repr(float(field)), float(slope), note)


def certified_gap(gap: arb, field: arb, slope: arb, digits: int, note: str) -> Gap | None:
    """Return a proved gap with ``digits`` digits, or None where the ball is too wide for them."""
    if not gap > 0:
        return None
    text, shown = decimal(gap, digits + GUARD_DIGITS)
    error = (abs(gap - shown) / gap).upper()
    if not error <= arb(10) ** -digits:
        return None
    logarithm = float(gap.mid().log() / arb(10).log())
    relative = math.nextafter(float(error), math.inf)
    return Gap(text, logarithm, relative, True, float(field), _field_text(field), float(slope), note)


def _field_text(field: arb) -> str:
    """Return the digits of a field that its ball fixes."""
    if field.is_exact():
        return repr(float(field))
    if field.contains(0):
        return "0"
    count = 1 + round(extra_bits(field, field.rad()) / BITS_PER_DIGIT)
    return str(field.str(count, radius=False))
