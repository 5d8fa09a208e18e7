"""Times, frequencies and rates of temperature as texts of the command line."""

import mesospin as ms
from mesospin.cli.number_texts import one, series, with_units
from mesospin.errors import InputError


def hertz(name: str, text: str) -> list[float]:
    """Return frequencies of a drive [Hz].

    Examples
    --------
    >>> hertz("frequency", "10,100"), hertz("frequency", "0.1:10:3:log kHz")
    ([10.0, 100.0], [100.0, 1000.0, 10000.0])
    """
    return [float(f"{value:.15g}") for value in series(name, text, "Hz", _hertz)]


def seconds(name: str, text: str) -> list[float]:
    """Return times [s].

    Examples
    --------
    >>> seconds("time", "1,100"), seconds("time", "1:3:3 min")
    ([1.0, 100.0], [60.0, 120.0, 180.0])
    """
    return series(name, text, "s", _second)


def one_time(name: str, text: str) -> float:
    """Return one time [s]."""
    return one(name, text, "s", _second)


def time_span(name: str, text: str) -> tuple[float, float]:
    """Return both ends of a range of times [s].

    Examples
    --------
    >>> time_span("window", "0:1000"), time_span("window", "1:5 min")
    ((0.0, 1000.0), (60.0, 300.0))
    """
    pieces = text.split(":")
    if len(pieces) != 2:
        raise InputError(f"{name} must be two times lo:hi [s], got {text!r}; write for example 0:1000")
    low, high = with_units(name, text, pieces, "s", _second)
    return low, high


def temperature_rate(name: str, text: str) -> float:
    """Return a rate of temperature [K/s]; the unit must be written.

    Examples
    --------
    >>> round(temperature_rate("rate", "2 K/min"), 5)
    0.03333
    """
    return ms.units.to_kelvin_per_second(text, name)


def _hertz(text: str, name: str) -> float:
    return ms.units.to_hertz(text, name)


def _second(text: str, name: str) -> float:
    return ms.units.to_second(text, name)
