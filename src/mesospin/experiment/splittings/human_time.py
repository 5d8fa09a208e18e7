"""Times as people read them, from nanoseconds to any power of ten of years."""

import math
from typing import Final

SECONDS_PER_YEAR: Final = 365.25 * 86400.0
AGE_OF_THE_UNIVERSE: Final = 13.8e9 * SECONDS_PER_YEAR
"""13.8e9 years [s]: Planck Collaboration, Astron. Astrophys. 641, A6 (2020)."""

_UNITS: Final = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


def human_time(log10_seconds: float) -> str:
    """Return a time as text with two digits.

    Parameters
    ----------
    log10_seconds : float
        Decimal logarithm of the time in s; +inf is "never".

    Examples
    --------
    >>> [human_time(x) for x in (-4.5, 0.0, 2.0, 5.6, 9.5, 120220.5)]
    ['3.2e-5 s', '1 s', '1.7 minutes', '4.6 days', '100 years', '1e120213 years']
    """
    if log10_seconds == math.inf:
        return "never"
    if log10_seconds < -2.0:
        return f"{_power(log10_seconds)} s"
    if log10_seconds >= math.log10(SECONDS_PER_YEAR):
        years = log10_seconds - math.log10(SECONDS_PER_YEAR)
        return _counted(10.0**years, "year") if years < 4.0 else f"{_power(years)} years"
    seconds = 10.0**log10_seconds
    for unit, name in _UNITS:
        if seconds >= unit:
            return _counted(seconds / unit, name)
    return f"{_two_digits(seconds)} s"


def _power(logarithm: float) -> str:
    exponent = math.floor(logarithm)
    mantissa = f"{10.0 ** (logarithm - exponent):.1f}"
    if mantissa == "10.0":
        mantissa, exponent = "1.0", exponent + 1
    return f"{mantissa.removesuffix('.0')}e{exponent}"


def _two_digits(value: float) -> str:
    decimals = max(0, 1 - math.floor(math.log10(value)))
    rounded = round(value, 1 - math.floor(math.log10(value)))
    text = f"{rounded:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _counted(value: float, name: str) -> str:
    text = _two_digits(value)
    return f"{text} {name}" if text == "1" else f"{text} {name}s"
