"""One branch of a loop for one molecule at one temperature: a linear sweep of the field."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.bath.disorder import Molecule, frozen_field_average
from mesospin.constants import HBAR, MU_B
from mesospin.dynamics.frame import Frame, followed_frame, is_uniaxial, uniaxial_frame, without_exchange
from mesospin.dynamics.low_levels import Passage, Rest
from mesospin.dynamics.master import populations, thermal
from mesospin.dynamics.panels import distinct_lines, graded_edges
from mesospin.dynamics.rates import MIN_WIDTH, rates_at
from mesospin.dynamics.reduction import metastable_states
from mesospin.dynamics.two_wells import sweep_edges, two_well_populations
from mesospin.dynamics.well_rates import active_lines, with_lines
from mesospin.errors import InputError
from mesospin.model.environment import PhononBath
from mesospin.spectrum.matrices import field_line

#: Widest panel [T] for a tolerance of 1e-3; it scales with the square root of the tolerance.
_WIDEST = 0.025
#: Ratio of the slowest rate to the next one above which the levels of a well lag behind.
_SEPARATION = 1e-3
#: Exponent of a crossing below which it moves nothing.
_NEGLIGIBLE_EXPONENT = 1e-8
#: Exponent of a crossing that a coherent passage and incoherent rates treat differently.
_LIKELY = 0.1


class Branch(NamedTuple):
    """A sweep of one molecule, at the panel edges ``field`` (k,) [T] ascending.

    ``population`` (k,) of the first well and ``slopes`` (2, k), the mean dE/dB of the two wells
    [K/T], in the two-well reduction; otherwise ``population`` is empty and ``slopes`` (1, k)
    is the mean over all levels.
    """

    field: NDArray[np.float64]
    population: NDArray[np.float64]
    slopes: NDArray[np.float64]

    def moment(self, fields: NDArray[np.float64], width: float) -> NDArray[np.float64]:
        """Return the moment along the field [mu_B], averaged over frozen local fields.

        Populations are averaged, the reversible moments inside the wells are taken at the
        applied field.
        """
        if not len(self.population):
            mean = frozen_field_average(self.field, self.slopes[0], fields, width)
            return mean / -MU_B
        first = frozen_field_average(self.field, self.population, fields, width)
        slopes = [np.interp(fields, self.field, row) for row in self.slopes]
        return np.asarray((first * slopes[0] + (1 - first) * slopes[1]) / -MU_B)


def molecule_frame(
    molecule: Molecule,
    bath: PhononBath | None,
    span: tuple[float, float],
    passage: Passage | Rest | None = None,
) -> Frame:
    """Return the frame of one molecule over a range of fields [T], good for one sweep or, without it, all."""
    line = field_line(molecule.system, axis=molecule.axis, transverse=molecule.transverse)
    if bath is not None and is_uniaxial(molecule.system, line, *span):
        return uniaxial_frame(molecule.system, line, *span, bath)
    zero_field = molecule.transverse == (0.0, 0.0)
    return followed_frame(molecule.system, line, *span, bath, zero_field=zero_field, passage=passage)


def bottoms(frame: Frame) -> NDArray[np.int64]:
    """Return the metastable states at the middle of the field range, lowest slope last.

    They are the states that spontaneous emission does not leave: found from the rate matrix
    at a temperature too low for absorption, without tunnelling.
    """
    lo, hi = frame.field[0], frame.field[-1]
    B = 0.0 if lo < 0 < hi else 0.5 * (lo + hi)
    i = int(np.argmin(np.abs(frame.field - B)))
    found = lasting_states(frame, B)
    slopes = frame.slope[i, found]
    return found[np.argsort(-slopes, kind="stable")]


def lasting_states(frame: Frame, B: float, slowest: float | None = None) -> NDArray[np.int64]:
    """Return the states that spontaneous emission does not leave at field ``B`` [T].

    ``slowest`` [1/s] is the rate below which it does not; by default 1e-9 of the fastest.
    """
    i = int(np.argmin(np.abs(frame.field - B)))
    silent = without_exchange(with_lines(frame, np.empty(0, dtype=np.int64)))
    R = rates_at(silent, B, 1e-4 * float(np.ptp(frame.energy[i])))
    return metastable_states(R, 1e-9 * float(R.max(initial=0.0)) if slowest is None else slowest)


def two_wells_apply(frame: Frame, wells: NDArray[np.int64], T: float) -> bool:
    """Return whether two populations describe the molecule at temperature ``T``.

    There must be two wells, and escape at zero field (or mid range) must be a thousand
    times slower than the next relaxation mode.
    """
    if len(wells) != 2 or np.isfinite(frame.window):
        return False
    B = float(np.clip(0.3, frame.field[0], frame.field[-1]))
    R = rates_at(with_lines(frame, np.empty(0, dtype=np.int64)), B, T)
    generator = R.T - np.diag(R.sum(axis=1))
    modes = np.sort(-np.linalg.eigvals(generator).real)
    return bool(modes[1] < _SEPARATION * modes[2]) if len(modes) > 2 else False


def sweep_branch(
    frame: Frame,
    T: float,
    lo: float,
    hi: float,
    rate: float,
    *,
    wells: NDArray[np.int64] | None = None,
    reduce: bool | None = None,
    tolerance: float = 1e-3,
    nuclear_width: float = 0.0,
) -> Branch:
    """Sweep one molecule from ``lo`` up to ``hi`` [T] at ``rate`` [T/s], starting in equilibrium.

    Parameters
    ----------
    frame : Frame
        Must cover the range.
    T : float [K]
        Temperature.
    lo, hi, rate
        The sweep.
    wells : ndarray, optional
        Result of `bottoms`, which does not depend on temperature.
    reduce : bool, optional
        Two populations (True), all levels (False), or two where that is accurate (None).
    tolerance : float
        Wanted accuracy of the populations.
    nuclear_width : float [K]
        Nuclear window, 0 for lifetime lines.

    Raises
    ------
    InputError
        If ``reduce`` is True and the molecule has no two well separated wells.
    """
    widest = _WIDEST * np.sqrt(tolerance / 1e-3)
    wells = bottoms(frame) if wells is None else wells
    fits = two_wells_apply(frame, wells, T)
    if reduce and not fits:
        msg = (
            f"reduce must be False or None for this molecule at {T:g} K, got True: it has no two wells "
            "whose inner relaxation is much faster than escape, or is not uniaxial"
        )
        raise InputError(msg)

    def field(t: NDArray[np.float64]) -> NDArray[np.float64]:
        return lo + rate * t

    if fits and reduce is not False:
        lines = active_lines(frame, T, wells, rate, nuclear_width)
        edges = sweep_edges(frame, T, wells, lo, hi, rate, lines, widest)
        chosen = with_lines(frame, lines.number)
        result = two_well_populations(chosen, T, wells, (edges - lo) / rate, field, nuclear_width)
        slopes = np.stack([result.slope_first, result.slope_second])
        return Branch(result.field, result.population, slopes)
    edges, chosen = full_edges(frame, lo, hi, rate, widest / 2.5, nuclear_width)
    energy = np.array([np.interp(lo, frame.field, level) for level in frame.energy.T])
    p = populations(chosen, T, (edges - lo) / rate, field, thermal(energy, T), nuclear_width)
    return Branch(edges, np.empty(0), mean_slope(frame, edges, p)[None])


def mean_slope(frame: Frame, fields: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of dE/dB over populations ``p`` (k, n) at ``fields`` (k,) [K/T]."""
    slope = np.stack([np.interp(fields, frame.field, level) for level in frame.slope.T], axis=1)
    return np.asarray((p * slope).sum(axis=1), dtype=np.float64)


def full_edges(
    frame: Frame, lo: float, hi: float, rate: float, widest: float, nuclear_width: float = 0.0
) -> tuple[NDArray[np.float64], Frame]:
    """Return the panel edges for all levels, and the frame without crossings that move nothing."""
    pairs = frame.crossings
    exponent = np.pi * pairs.gap**2 / (2 * HBAR * pairs.slope * rate)
    chosen = with_lines(frame, np.flatnonzero(exponent > _NEGLIGIBLE_EXPONENT))
    pairs = chosen.crossings
    width = line_widths(chosen, nuclear_width)
    centres = np.concatenate([pairs.field, frame.wide[:, 0]])
    widths = np.concatenate([width / 2, frame.wide[:, 1] / 4])
    inside = np.flatnonzero((centres > lo) & (centres < hi))
    inside = inside[distinct_lines(centres[inside], widths[inside])]
    edges = _edges(lo, hi, centres[inside], widths[inside], widest)
    # two steps in every panel: one leaves 0.3 % of the area of a line
    return np.sort(np.concatenate([edges, (edges[1:] + edges[:-1]) / 2])), chosen


def line_widths(frame: Frame, nuclear_width: float) -> NDArray[np.float64]:
    """Return the half width [T] of every crossing: lifetime by spontaneous emission, or the window."""
    slope = frame.crossings.slope
    if nuclear_width > 0.0:
        return np.asarray(nuclear_width / slope)
    return np.asarray(np.maximum(HBAR * emission_rates(frame) / 2, MIN_WIDTH) / slope)


def emission_rates(frame: Frame) -> NDArray[np.float64]:
    """Return the spontaneous emission out of the two states of every crossing [1/s]."""
    pairs, channels = frame.crossings, frame.channels
    if not len(pairs.field):
        return np.empty(0)
    cell = np.clip(np.searchsorted(frame.field, pairs.field) - 1, 0, len(frame.field) - 1)
    energy = np.array([np.interp(pairs.field, frame.field, level) for level in frame.energy.T])
    drop = energy[channels.a] - energy[channels.b]
    emission = channels.strength[cell].T * np.abs(drop) ** 3
    source = np.where(drop > 0, channels.a[:, None], channels.b[:, None])
    return np.asarray(np.where((source == pairs.a) | (source == pairs.b), emission, 0.0).sum(axis=0))


def coherent_crossings(frame: Frame, rate: float, nuclear_width: float) -> set[float]:
    """Return the fields of crossings that a sweep passes coherently with high probability [T].

    The Landau-Zener exponent exceeds 0.1 and the power-broadened line is left in less than the
    lifetime of its states.
    """
    pairs = frame.crossings
    exponent = np.pi * pairs.gap**2 / (2 * HBAR * pairs.slope * rate)
    decay = np.maximum(emission_rates(frame), np.finfo(np.float64).tiny)
    width = line_widths(frame, nuclear_width)
    resonant = pairs.gap**2 / (2 * HBAR * width * pairs.slope)
    with np.errstate(over="ignore"):
        stay = 2 * width * np.sqrt(decay * (decay + resonant)) / rate
    return {float(B) for B in pairs.field[(exponent > _LIKELY) & (stay < 1)]}


def _edges(
    lo: float,
    hi: float,
    centres: NDArray[np.float64],
    widths: NDArray[np.float64],
    widest: float,
) -> NDArray[np.float64]:
    """Return graded edges that also contain zero field, where the equilibrium turns over."""
    if lo < 0.0 < hi:
        centres, widths = np.append(centres, 0.0), np.append(widths, 1e-4)
    return graded_edges(lo, hi, centres, widths, widest=widest)
