"""What every method answers: a gap of any size with its error, and where it lies."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import flint

from mesospin.spectrum.tunnelling.problem import Problem

#: Binary precision of the conversion between bases; exponents to 2^63 keep 16 digits.
_CONVERSION_BITS = 160


@dataclass(frozen=True, slots=True)
class Gap:
    """A full gap and its field.

    Attributes
    ----------
    digits : str
        The gap [K] in as many decimal digits as are meant, such as "3.1e-120233"; "0" for an exact zero.
    log10 : float
        Its decimal logarithm; -inf for an exact zero.
    relative_error : float
        Bound or estimate of the relative error of ``digits``.
    rigorous : bool
        Whether that error is proved.
    field : float
        Field along the axis [T].
    field_digits : str
        The same in as many digits as are known.
    slope : float
        dE_a/dB - dE_b/dB of the two levels [K/T].
    note : str
        How it was computed, one clause.
    """

    digits: str
    log10: float
    relative_error: float
    rigorous: bool
    field: float
    field_digits: str
    slope: float
    note: str

    @classmethod
    def from_float(
        cls,
        value: float,
        *,
        relative_error: float,
        field: float,
        slope: float,
        note: str,
        rigorous: bool = False,
    ) -> Gap:
        """Return the gap of a double-precision value [K]."""
        return cls.from_parts(
            value,
            0,
            10,
            relative_error=relative_error,
            field=field,
            slope=slope,
            note=note,
            rigorous=rigorous,
        )

    @classmethod
    def from_parts(
        cls,
        mantissa: float,
        exponent: int,
        base: int,
        *,
        relative_error: float,
        field: float,
        slope: float,
        note: str,
        rigorous: bool = False,
    ) -> Gap:
        """Return the gap ``mantissa * base**exponent`` [K]; the exponent is exact.

        Examples
        --------
        >>> Gap.from_parts(1.0, -1000, 2, relative_error=0.0, field=0.0, slope=1.0, note="").digits
        '9.3326361850321895e-302'
        """
        digits, logarithm = _decimal(abs(mantissa), exponent, base)
        shown = f"{field:.17g}"
        return cls(digits, logarithm, relative_error, rigorous, field, shown, slope, note)


def _decimal(mantissa: float, exponent: int, base: int) -> tuple[str, float]:
    """Return a positive number as text of 17 digits, and its decimal logarithm."""
    if mantissa == 0.0:
        return "0", -math.inf
    before = flint.ctx.prec
    flint.ctx.prec = _CONVERSION_BITS
    try:
        lead = flint.arb(mantissa).log_base(10)
        logarithm = lead + exponent * (1 if base == 10 else flint.arb(base).log_base(10))
        power = math.floor(float(logarithm))
        significand = float(flint.arb(10) ** (logarithm - power))
        if significand < 1.0:
            significand, power = 10.0 * significand, power - 1
        text = f"{significand:.16f}"
        if text.startswith("10"):
            text, power = f"{1:.16f}", power + 1
        return f"{text}e{power:+03d}", float(logarithm)
    finally:
        flint.ctx.prec = before


class Method(ABC):
    """A way to compute a tunnel splitting; its subclasses are frozen values."""

    __slots__ = ()

    @abstractmethod
    def gap(self, problem: Problem) -> Gap:
        """Return the full gap of the pair.

        With ``problem.B`` omitted, and for a pair of states in any case, it is the minimum gap over
        the field along the axis; for `Levels` it is the gap at ``problem.B``.
        """
