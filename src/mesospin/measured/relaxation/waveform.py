"""Susceptibility at low frequencies from a field that is slowly switched to and fro."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.checks import integer, non_negative
from mesospin.errors import InputError
from mesospin.measured.magnetometer.isotherms import FIELD_TOLERANCE, TEMPERATURE_TOLERANCE, group_points
from mesospin.measured.relaxation.ac_data import ac_data
from mesospin.thermo.molar import EMU_PER_MOLE
from mesospin.units import Quantity, to_second

__all__ = ["waveform_susceptibility"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_OERSTED: Final = 1e4
"""Of one tesla."""
_MOST: Final = 60
"""Harmonics of the series at most."""
_CONDITION: Final = 30.0
"""Largest condition number of the series on the times of a record."""
_SEEN: Final = 5.0
"""Standard errors that a harmonic of the field must stand out."""
_UNSTEADY: Final = 0.2
"""Relative difference of half-periods from which on another waveform has begun."""


class _Record(NamedTuple):
    """One waveform at one temperature and period."""

    time: Floats
    field: Floats
    """[T]"""
    moment: Floats
    temperature: float
    period: float


class _Point(NamedTuple):
    frequency: float
    chi: complex
    """chi' - i chi''."""
    error: tuple[float, float]
    """Standard errors of chi' and chi''."""
    temperature: float
    field: float


def waveform_susceptibility(
    data: xr.Dataset,
    *,
    period: Quantity | None = None,
    harmonics: int = 3,
    skip: int | None = None,
    temperature_tolerance: float = TEMPERATURE_TOLERANCE,
    field_tolerance: float = FIELD_TOLERANCE,
) -> xr.Dataset:
    r"""Return the ac susceptibility at the odd harmonics of a field that is switched to and fro.

    Field and moment are each fitted, by least squares on the times as they are, by the same Fourier series

    .. math:: a_0 + \sum_{k=1}^{K} \mathrm{Re}\, c_k e^{2\pi i k t/P},\qquad
        \chi(\omega_k) = \chi' - i\chi'' = c_k^M / c_k^H.

    Parameters
    ----------
    data : xarray.Dataset
        Of `read_magnetometer` with ``measurement="waveform"``, or `decay_data` with the field of every point.
    period : float or str [s], optional
        P of all records; else from the times at which the field passes the middle of its range, and
        a record ends where these times change by more than a fifth.
    harmonics : int, default 3
        How many odd harmonics are returned at most: 1/P, 3/P, 5/P, ...
    skip : int, optional
        Periods at the beginning that are left out because the moment has not settled; one if at least two are
        there.
    temperature_tolerance, field_tolerance : float [K], [T]
        As for `read_magnetometer`.

    Returns
    -------
    xarray.Dataset
        As of `ac_data`, for `fit_ac`; in cm3/mol if the amount of the sample is known, else in emu/Oe.  The
        standard errors are from the residuals of both series, their correlation included, and from the
        distance of the points between which the field is switched.  Attribute
        ``left_out``: what could not be used and why (JSON).

    Raises
    ------
    InputError
        If the data are no moments against time, or no record has enough periods or points.

    Notes
    -----
    K is a sixth of the number of points, at most 60, and less where the times do not tell the harmonics
    apart.  What the series leaves out of an ideal square wave, a part 1/K of its square, counts as scatter.
    Harmonics of the field that do not stand out by five standard errors are left out.

    References
    ----------
    J. D. Hilgar, A. K. Butts and J. D. Rinehart, Phys. Chem. Chem. Phys. 21, 22302 (2019).

    Examples
    --------
    A moment that follows a square wave of 100 s with a relaxation time of 10 s:

    >>> import numpy as np
    >>> from mesospin.measured.relaxation.decay_data import decay_data
    >>> t = np.arange(0.0, 400.0, 0.25) + 0.125
    >>> sign = np.where(t % 100 < 50, 1.0, -1.0)
    >>> M = sign * (1 - 2 * np.exp(-(t % 50) / 10) / (1 + np.exp(-5.0)))
    >>> chi = waveform_susceptibility(decay_data(t, M, 2.0, B=1e-4 * sign))
    >>> chi.frequency.values, (chi.chi_imag / chi.chi_real).values.round(2)  # 2 pi f tau
    (array([0.01, 0.03, 0.05]), array([0.63, 1.88, 3.14]))
    """
    seconds = None if period is None else to_second(period, "period")
    if seconds is not None and not seconds > 0:
        raise InputError(f"period must be positive [s], got {seconds:g}; give that of the field")
    integer("harmonics", harmonics, at_least=1)
    if skip is not None:
        integer("skip", skip, at_least=0)
    tolerance = non_negative("temperature_tolerance", temperature_tolerance, "K")
    chosen, response, unit = _moments(data)
    left_out: list[str] = []
    points: list[_Point] = []
    for record in _records(data, chosen, response, seconds, tolerance, left_out):
        points.extend(_harmonics(record, harmonics, skip, left_out))
    if not points:
        raise InputError(
            f"data must hold waveforms of at least one and a half periods, got none ({'; '.join(left_out)}); "
            "give the period, or longer records"
        )
    errors = np.array([point.error for point in points]).T
    known = bool(np.all(errors > 0))
    found = ac_data(
        [point.frequency for point in points],
        [point.chi.real for point in points],
        [-point.chi.imag for point in points],
        [point.temperature for point in points],
        B=[point.field for point in points],
        unit=unit,
        chi_real_error=errors[0] if known else None,
        chi_imag_error=errors[1] if known else None,
        temperature_tolerance=temperature_tolerance,
        field_tolerance=field_tolerance,
    )
    return found.assign_attrs(source=str(data.attrs.get("source", "")), left_out=json.dumps(left_out))


def _moments(data: xr.Dataset) -> tuple[Integers, Floats, str]:
    """Return which points count, their moment [emu or emu/mol], and the unit of the susceptibility."""
    if not isinstance(data, xr.Dataset) or data.attrs.get("kind") != "magnetometer" or "moment" not in data:
        raise InputError(
            f"data must be moments against time, got {type(data).__name__}; take read_magnetometer or "
            "decay_data"
        )
    kind = data["measurement"].values
    wanted = kind == "waveform" if np.any(kind == "waveform") else np.isin(kind, ("dc", "vsm"))
    time, moment = data["time"].values, data["moment"].values
    chosen = np.flatnonzero(wanted & np.isfinite(time) & np.isfinite(moment))
    if not len(chosen):
        raise InputError("data must hold moments with their times, got none; give a waveform measurement")
    molar = data["magnetisation"].values[chosen] if "magnetisation" in data else np.full(len(chosen), np.nan)
    if np.all(np.isfinite(molar)):
        return chosen, molar * EMU_PER_MOLE, "cm3/mol"
    if data["moment"].attrs["units"] != "emu":
        raise InputError(
            f"data must give the moment in emu, got {data['moment'].attrs['units']}; convert it before"
        )
    return chosen, moment[chosen], "emu/Oe"


def _records(
    data: xr.Dataset,
    chosen: Integers,
    response: Floats,
    period: float | None,
    tolerance: float,
    left_out: list[str],
) -> Iterator[_Record]:
    """Yield the waveforms, one temperature and period each."""
    T, B, t = (data[name].values[chosen] for name in ("temperature", "field", "time"))
    group = group_points(T, 0.0 * B, temperature_tolerance=tolerance, field_tolerance=0.0)
    for number in range(int(group.max()) + 1):
        own = np.flatnonzero(group == number)
        own = own[np.argsort(t[own], kind="stable")]
        label = f"{T[own].mean():.4g} K"
        spans = list(_spans(t[own], B[own], period))
        if not spans:
            left_out.append(f"{label}: the field passes its middle less than three times")
        for first, last, length in spans:
            part = own[(t[own] >= first) & (t[own] <= last)]
            yield _Record(t[part], B[part], response[part], float(T[part].mean()), length)


def _spans(time: Floats, field: Floats, period: float | None) -> Iterator[tuple[float, float, float]]:
    """Yield beginning, end and period of every waveform in a record."""
    if period is not None:
        yield float(time[0]), float(time[-1]), period
        return
    crossings = _crossings(time, field)
    halves = np.diff(crossings)
    start = 0
    for stop in range(1, len(halves) + 1):
        mean = halves[start:stop].mean()
        if stop < len(halves) and abs(halves[stop] - mean) < _UNSTEADY * mean:
            continue
        passed = crossings[start : stop + 1]
        length = _period(passed) if stop - start >= 2 else 0.0
        if length > 0.0:
            # At the ends of the record the field stood for another half-period, or less.
            before = length / 2 if start == 0 else 0.0
            after = length / 2 if stop == len(halves) else 0.0
            yield float(passed[0] - before), float(passed[-1] + after), length
        start = stop


def _crossings(time: Floats, field: Floats) -> Floats:
    """Return when the field passes the middle of its range."""
    above = field - (field.max() + field.min()) / 2
    turn = np.flatnonzero((above[1:] > 0) != (above[:-1] > 0))
    share = above[turn] / (above[turn] - above[turn + 1])
    return np.asarray(time[turn] + share * (time[turn + 1] - time[turn]))


def _period(crossings: Floats) -> float:
    """Return the period from rising and falling passages, each on a straight line of its own."""
    above, below = 0.0, 0.0
    for parity in (0, 1):
        own = crossings[parity::2]
        count = np.arange(len(own)) - (len(own) - 1) / 2
        above += float(count @ (own - own.mean()))
        below += float(count @ count)
    return above / below


def _harmonics(record: _Record, harmonics: int, skip: int | None, left_out: list[str]) -> Iterator[_Point]:
    """Yield the susceptibility of a waveform at its odd harmonics."""
    label = f"{record.temperature:.4g} K, {record.period:.4g} s"
    phase = (record.time - record.time[0]) / record.period
    settled = (1 if phase[-1] >= 1.9 else 0) if skip is None else skip
    kept = phase >= settled
    phase, count = 2 * np.pi * phase[kept], int(kept.sum())
    series = _series(phase, min(count // 6, _MOST))
    if series is None:
        left_out.append(f"{label}: {count} points are too few or too unevenly spread over the period")
        return
    both = np.stack([record.moment[kept], record.field[kept] * _OERSTED], axis=1)
    scale = np.abs(both).max(axis=0)
    both = both / np.where(scale > 0, scale, 1.0)
    inverse = np.linalg.inv(series.T @ series)
    coefficients = np.linalg.lstsq(series, both, rcond=None)[0]
    late = _lateness(record.time[kept], record.field[kept])
    residual = both - series @ coefficients
    scatter = residual.T @ residual / (count - series.shape[1])
    for k in range(1, min(2 * harmonics, series.shape[1] // 2 + 1), 2):
        place = slice(2 * k - 1, 2 * k + 1)
        m, h = coefficients[place].T @ np.array([1.0, -1.0j])
        spread = np.kron(scatter, inverse[place, place])
        if not abs(h) > _SEEN * np.sqrt(spread[2, 2] + spread[3, 3]):
            left_out.append(f"{label}: harmonic {k} of the field does not stand out of its scatter")
            continue
        chi = complex(m / h)
        slopes = np.array([1.0, -1.0j, -chi, 1.0j * chi]) / h
        turn = 2 * np.pi * k / record.period * late * np.array([chi.imag, chi.real])
        squares = [max(float(part @ spread @ part), 0.0) for part in (slopes.real, slopes.imag)]
        unit = float(scale[0] / scale[1])
        real, imag = (unit * np.sqrt(squares + turn**2)).tolist()
        offset = float(coefficients[0, 1] * scale[1]) / _OERSTED
        yield _Point(k / record.period, unit * chi, (real, imag), record.temperature, offset)


def _lateness(time: Floats, field: Floats) -> float:
    """Return how well the points tell when the field was switched, as a standard deviation [s].

    A switch between two points is anywhere between them, with a variance of a twelfth of the square of their
    distance; the mean over all switches counts.
    """
    middle = (field.max() + field.min()) / 2
    turn = np.flatnonzero((field[1:] > middle) != (field[:-1] > middle))
    sudden = turn[np.abs(field[turn + 1] - field[turn]) > np.ptp(field) / 2]
    if not len(sudden):
        return 0.0
    return float(np.sqrt(np.sum((time[sudden + 1] - time[sudden]) ** 2) / 12) / len(turn))


def _series(phase: Floats, most: int) -> Floats | None:
    """Return 1, cos, sin, cos 2, ... of the phases, with as many harmonics as these tell apart."""
    k = np.arange(1, most + 1)
    waves = np.empty((len(phase), 2 * most + 1))
    waves[:, 0] = 1.0
    waves[:, 1::2], waves[:, 2::2] = np.cos(phase[:, None] * k), np.sin(phase[:, None] * k)
    while most >= 1:
        part = waves[:, : 2 * most + 1]
        if np.linalg.cond(part) < _CONDITION:
            return part
        most = most * 3 // 4
    return None
