"""Arguments of the command line as numbers: lists, ranges and units.

A bare number is in the package's unit (K, T, T/s).  One unit at the end holds for the whole list, as
in "0.05,1.5 K".
"""

from __future__ import annotations

import re
from typing import Final

import mesospin as ms
from mesospin.cli.number_texts import one, series, with_units
from mesospin.errors import InputError

_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_FRACTION: Final = re.compile(r"\s*([+-]?\d+(?:\.\d*)?)\s*(?:/\s*2)?\s*")


def fields(name: str, text: str) -> float | list[float]:
    """Return one field or several [T].

    Examples
    --------
    >>> fields("B", "0.3"), fields("B", "0,500 mT"), fields("B", "0:5:3 T"), fields("B", "-1:1:3")
    (0.3, [0.0, 0.5], [0.0, 2.5, 5.0], [-1.0, 0.0, 1.0])
    """
    values = series(name, text, "T", _tesla)
    return values if len(values) > 1 or ":" in text else values[0]


def temperatures(name: str, text: str) -> list[float]:
    """Return temperatures [K].

    Examples
    --------
    >>> temperatures("T", "0.05,1.5 K"), temperatures("T", "50 mK, 1.5 K"), temperatures("T", "2:3:3")
    ([0.05, 1.5], [0.05, 1.5], [2.0, 2.5, 3.0])
    >>> [round(T, 6) for T in temperatures("T", "1:100:3:log mK")]
    [0.001, 0.01, 0.1]
    """
    return series(name, text, "K", _kelvin)


def span(name: str, text: str) -> tuple[float, float]:
    """Return both ends of a range of fields [T].

    Examples
    --------
    >>> span("span", "-5:5"), span("span", "0:200 mT"), span("span", "-5,5 T")
    ((-5.0, 5.0), (0.0, 0.2), (-5.0, 5.0))
    """
    pieces = re.split("[:,]", text)
    if len(pieces) != 2:
        raise InputError(f"{name} must be two fields lo:hi [T], got {text!r}; write for example -5:5")
    low, high = with_units(name, text, pieces, "T", _tesla)
    return low, high


def frequency_span(name: str, text: str) -> tuple[float, float]:
    """Return both ends of a range of frequencies [GHz].

    Examples
    --------
    >>> frequency_span("frequency", "0.1:100"), frequency_span("frequency", "500 MHz:20 GHz")
    ((0.1, 100.0), (0.5, 20.0))
    """
    pieces = text.split(":")
    if len(pieces) != 2:
        raise InputError(f"{name} must be a range lo:hi [GHz], got {text!r}; write for example 9:10")
    low, high = with_units(name, text, pieces, "GHz", _gigahertz)
    return low, high


def frequencies(name: str, text: str) -> float | list[float]:
    """Return one frequency or several [GHz].

    Examples
    --------
    >>> frequencies("frequency", "95 GHz"), frequencies("frequency", "10:30:3")
    (95.0, [10.0, 20.0, 30.0])
    """
    values = series(name, text, "GHz", _gigahertz)
    return values if len(values) > 1 or ":" in text else values[0]


def energies(name: str, text: str) -> list[float]:
    """Return energies [K]; the unit must be written.

    Examples
    --------
    >>> energies("energy", "0:2:3 K"), [round(E, 4) for E in energies("energy", "0:1:2 meV")]
    ([0.0, 1.0, 2.0], [0.0, 11.6045])
    """
    if re.search(r"[A-Za-z]", text.replace("e", "")) is None:
        raise InputError(f"{name} must have a unit [meV, K, cm^-1, GHz], got {text!r}; write -2:2:801 meV")
    return series(name, text, "meV", _energy)


def temperature_span(name: str, text: str) -> tuple[float, float]:
    """Return both ends of a range of temperatures [K].

    Examples
    --------
    >>> temperature_span("window", "50:300"), temperature_span("window", "50:300 K")
    ((50.0, 300.0), (50.0, 300.0))
    """
    pieces = text.split(":")
    if len(pieces) != 2:
        raise InputError(f"{name} must be two temperatures lo:hi [K], got {text!r}; write for example 50:300")
    low, high = with_units(name, text, pieces, "K", _kelvin)
    return low, high


def field_pair(name: str, text: str) -> tuple[float, float]:
    """Return two field components Bx,By [T].

    Examples
    --------
    >>> field_pair("transverse", "0.1,0"), field_pair("transverse", "-20,5 mT")
    ((0.1, 0.0), (-0.02, 0.005))
    """
    pieces = text.split(",")
    if len(pieces) != 2:
        raise InputError(f"{name} must be two fields Bx,By [T], got {text!r}; write for example 0.1,0")
    first, second = with_units(name, text, pieces, "T", _tesla)
    return first, second


def direction(name: str, text: str) -> tuple[float, float, float]:
    """Return a direction x,y,z.

    Examples
    --------
    >>> direction("axis", "0,0,1")
    (0.0, 0.0, 1.0)
    """
    pieces = text.split(",")
    if len(pieces) != 3 or not all(re.fullmatch(rf"\s*{_NUMBER}\s*", piece) for piece in pieces):
        raise InputError(f"{name} must be three numbers x,y,z, got {text!r}; write for example 0,0,1")
    x, y, z = (float(piece) for piece in pieces)
    return x, y, z


def energy(name: str, text: str) -> float:
    """Return one energy [K]."""
    return one(name, text, "K", _energy)


def one_field(name: str, text: str) -> float:
    """Return one field [T]."""
    return one(name, text, "T", _tesla)


def rate(name: str, text: str) -> float:
    """Return a sweep rate [T/s].

    Examples
    --------
    >>> rate("rate", "3 mT/s"), rate("rate", "0.003")
    (0.003, 0.003)
    """
    return one(name, text, "T/s", _tesla_per_second)


def positions(name: str, text: str) -> list[list[float]]:
    """Return positions x,y,z [angstrom], separated by semicolons; the unit must be written once.

    Examples
    --------
    >>> positions("positions", "0,0,0; 0,0,3.5 angstrom")
    [[0.0, 0.0, 0.0], [0.0, 0.0, 3.5]]
    """
    pieces = [place.split(",") for place in text.split(";")]
    if any(len(place) != 3 for place in pieces) or not re.search("[A-Za-z]", pieces[-1][-1]):
        raise InputError(
            f"{name} must be positions x,y,z with a unit [angstrom], got {text!r}; "
            "write for example '0,0,0; 0,0,3.5 angstrom'"
        )
    flat = with_units(name, text, [x for place in pieces for x in place], "angstrom", _angstrom)
    return [flat[k : k + 3] for k in range(0, len(flat), 3)]


def angle(name: str, text: str) -> float:
    """Return an angle [rad]; the unit must be written."""
    return ms.units.to_radian(text, name)


def angles(name: str, text: str) -> list[float]:
    """Return angles [rad]; the unit must be written.

    Examples
    --------
    >>> angles("azimuth", "0 deg"), [round(a, 4) for a in angles("azimuth", "0:90:3 deg")]
    ([0.0], [0.0, 0.7854, 1.5708])
    """
    if not re.search(r"[A-Za-z°]\s*$", text):
        raise InputError(
            f"{name} must be angles with a unit, got {text!r}; write for example '0:180:181 deg'"
        )
    return series(name, text, "deg", ms.units.to_radian)


def spins(name: str, text: str) -> list[float]:
    """Return quantum numbers.

    Examples
    --------
    >>> spins("spins", "9/2,10,1e5")
    [4.5, 10.0, 100000.0]
    """
    return [_spin(name, piece) for piece in text.split(",")]


def _spin(name: str, text: str) -> float:
    value = state(text) if _FRACTION.fullmatch(text) else None
    if isinstance(value, float):
        return value
    if re.fullmatch(rf"\s*{_NUMBER}\s*", text) is None:
        raise InputError(f"{name} must be quantum numbers such as 9/2,10, got {text!r}; write numbers")
    return float(text)


def distribution(name: str, text: str) -> ms.Distribution:
    """Return a distribution from its kind and parameters.

    Examples
    --------
    >>> distribution("E", "gaussian:0 K,2 mK")
    Gaussian(mean='0 K', width='2 mK')
    >>> distribution("E", "log-gaussian:6,1,1.1 K")
    LogGaussian(mean=6.0, width=1.0, scale='1.1 K')
    """
    kind, _, rest = text.partition(":")
    pieces = [piece.strip() for piece in rest.split(",")]
    counts = {"gaussian": 2, "log-gaussian": 3, "rayleigh": 1, "values": len(pieces)}
    if kind not in counts or len(pieces) != counts[kind] or not all(pieces):
        raise InputError(
            f"{name} must be gaussian:MEAN,WIDTH, log-gaussian:MEAN,WIDTH,SCALE, rayleigh:WIDTH or "
            f"values:A,B,..., got {text!r}; write for example 'gaussian:0 K,2 mK'"
        )
    if kind == "log-gaussian":
        mean, width = (_pure(name, piece) for piece in pieces[:2])
        return ms.LogGaussian(mean, width, scale=pieces[2])
    if kind == "values":
        return ms.Values(pieces)
    return ms.Gaussian(*pieces) if kind == "gaussian" else ms.Rayleigh(*pieces)


def _pure(name: str, text: str) -> float:
    return ms.units.to_dimensionless(text, name)


def molecular_field(name: str, text: str, g: float, *, crystallites: bool = False) -> ms.MeanField:
    """Return the coupling to the neighbours; the unit must be written.

    Examples
    --------
    >>> molecular_field("zj", "-0.1 K", 2.0)
    MeanField(zJ=-0.1, g=2.0)
    """
    if re.fullmatch(rf"\s*{_NUMBER}\s*", text):
        raise InputError(f"{name} must be an energy with a unit, got {text!r}; write for example '-0.1 K'")
    return ms.MeanField(ms.units.to_kelvin(text, name), g, crystallites=crystallites)


def demagnetisation(name: str, text: str) -> ms.Demagnetisation:
    """Return the shape of a sample from its factor, or three of them, and the volume of a formula unit.

    Examples
    --------
    >>> demagnetisation("demagnetisation", "1/4,1630 A^3")
    Demagnetisation(factor=(0.25,), volume=1630.0)
    """
    *factors, volume = (piece.strip() for piece in text.split(","))
    if len(factors) not in (1, 3) or re.fullmatch(_NUMBER, volume):
        raise InputError(
            f"{name} must be N,VOLUME or NX,NY,NZ,VOLUME with the unit of the volume, got {text!r}; "
            "write for example '1/3,1630 A^3'"
        )
    numbers = [_pure(name, factor) for factor in factors]
    return ms.Demagnetisation(
        numbers[0] if len(numbers) == 1 else numbers, ms.units.to_cubic_angstrom(volume, name)
    )


def anisotropy(D: str | None, E: str, density: str | None) -> ms.Anisotropy:
    """Return what stays the same when a spin grows: constants, or energies per unit of spin.

    Examples
    --------
    >>> anisotropy(None, "0 K", "1 K,2 K")
    FixedDensity(K_parallel=1.0, K_perpendicular=2.0)
    """
    if (D is None) == (density is None):
        raise InputError("D or density must be given, and not both; write --D '-0.5 K' --E '0.1 K'")
    if D is not None:
        return ms.FixedConstants(D=D, E=E)
    pieces = str(density).split(",")
    if len(pieces) != 2:
        raise InputError(f"density must be two energies, got {density!r}; write for example '1 K,2 K'")
    return ms.FixedDensity(*pieces)


def state(text: str) -> float | str:
    """Return a projection m as a number, or the label of a level as text.

    Examples
    --------
    >>> state("-10"), state("9/2"), state("m=8,mI=1/2")
    (-10.0, 4.5, 'm=8, mI=1/2')
    """
    match = _FRACTION.fullmatch(text)
    if match is None:
        return ", ".join(part.strip() for part in text.split(","))
    return float(match.group(1)) / (2.0 if "/" in text else 1.0)


def position(name: str, text: str) -> int:
    """Return the position of a level in energy, 0 for the lowest.

    Examples
    --------
    >>> position("level", "3")
    3
    """
    if not text.isdecimal():
        raise InputError(
            f"{name} must be a position in energy 0, 1, ..., got {text!r}; write for example level:0"
        )
    return int(text)


def _tesla(text: str, name: str) -> float:
    return ms.units.to_tesla(text, name)


def _kelvin(text: str, name: str) -> float:
    return ms.units.to_thermodynamic_kelvin(text, name)


def _gigahertz(text: str, name: str) -> float:
    return ms.units.to_gigahertz(text, name)


def _angstrom(text: str, name: str) -> float:
    return ms.units.to_angstrom(text, name)


def _energy(text: str, name: str) -> float:
    return ms.units.to_kelvin(text, name)


def _tesla_per_second(text: str, name: str) -> float:
    return ms.units.to_tesla_per_second(text, name)
