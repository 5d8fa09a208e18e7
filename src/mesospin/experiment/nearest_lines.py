"""What a sweep that meets no line could have met: where the nearest lines lie."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import brentq

from mesospin.errors import NoLineWarning
from mesospin.experiment.transitions import (
    FORBIDDEN,
    Floats,
    Microwave,
    largest_strength,
    moments_between_all,
    polarisation,
    strength_of,
)
from mesospin.model.system import SpinSystem
from mesospin.spectrum.block_states import BlockStates
from mesospin.thermo.boltzmann import occupations

#: Largest field [T] that is looked at.
_FURTHEST: Final = 100.0

#: Intensity over the largest at a field, below which a line is not worth a hint.
_FAINT: Final = 1e-6

#: First step outwards, over the width of the range, and the factor from one step to the next.
_FIRST, _GROWTH = 0.2, 1.25


def nearest_fields(
    system: SpinSystem,
    axes: Floats,
    span: tuple[float, float],
    energy: float,
    T: Floats,
    *,
    microwave: Microwave,
    states: int,
) -> list[float]:
    """Return the nearest field [T] below the span, and that above it, at which ``energy`` [K] is absorbed.

    A hint: steps outwards grow, so that loops may be stepped over, and the work is bounded.

    Parameters
    ----------
    system : SpinSystem
    axes : ndarray, shape (d, 3)
        Directions of the field; the nearest line of any of them counts.
    span : (lo, hi) [T]
        Range without lines.
    energy : float [K]
    T : ndarray, shape (t,) [K]
    microwave : "perpendicular", "parallel" or three numbers
    states : int
        How many of the lowest levels take part.

    Returns
    -------
    list of float
        One field, two or none.
    """
    first = _FIRST * max(span[1] - span[0], 0.1)
    found = []
    for sign, edge in ((-1.0, -span[0]), (1.0, span[1])):
        seen = [
            _outwards(_Transitions(system, axis[None], T, microwave, states), sign, edge, first, energy)
            for axis in axes
        ]
        fields = [sign * field for field in seen if field is not None]
        found += [sign * min(fields)] if fields else []
    # Fields of the other sign mirror what lies ahead.
    return found[1:] if len(found) == 2 and found[0] < 0.0 <= span[0] else found


class _Transitions:
    """Energies of the transitions between the lowest levels along one direction, and which are absorbed."""

    def __init__(
        self, system: SpinSystem, axis: Floats, T: Floats, microwave: Microwave, states: int
    ) -> None:
        self.solver, self.axis, self.T, self.states = BlockStates.along(system, axis), axis, T, states
        self.pairs = np.triu_indices(states, 1)
        self.weights = polarisation(microwave, axis)
        self.least = FORBIDDEN * largest_strength(system)

    def gaps(self, B: float) -> Floats:
        """Return the energies (p,) [K]."""
        energy = np.sort(self.solver.levels(self.axis, np.array([B]))[0][0])
        return np.asarray(energy[self.pairs[1]] - energy[self.pairs[0]])

    def meeting(self, pair: int, start: float, stop: float, energy: float) -> float:
        """Return the field between two at which a transition has the energy."""
        return float(brentq(lambda B: self.gaps(B)[pair] - energy, start, stop, xtol=1e-7))

    def at(self, B: float) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the energies (p,) [K] and which transitions can be seen."""
        energy, states = self.solver.sorted_states(self.axis, np.array([B]))
        low, high = self.pairs
        moment = moments_between_all(self.solver.system, states[:, :, : self.states])[:, 0, low, high].T
        population = occupations(energy, self.T[None])[0][0].max(axis=0)[low]
        intensity = population * strength_of(self.weights, moment)
        seen = intensity > max(_FAINT * float(intensity.max()), np.finfo(np.float64).tiny)
        return energy[0, high] - energy[0, low], seen & (intensity > self.least * population)


def _outwards(
    transitions: _Transitions, sign: float, edge: float, step: float, energy: float
) -> float | None:
    """Return the first field beyond ``edge``, times ``sign``, at which the energy is absorbed."""
    gap, lit = transitions.at(sign * edge)
    while edge < _FURTHEST:
        end = min(edge + step, _FURTHEST)
        new_gap, new_lit = transitions.at(sign * end)
        met = np.flatnonzero(((gap < energy) != (new_gap < energy)) & (lit | new_lit))
        if len(met):
            share = (energy - gap[met]) / (new_gap[met] - gap[met])
            return transitions.meeting(int(met[share.argmin()]), sign * edge, sign * end, energy)
        edge, step, gap, lit = end, _GROWTH * step, new_gap, new_lit
    return None


def nearest_values(values: Floats, lo: float, hi: float) -> list[float]:
    """Return the largest value below a range and the smallest above it.

    Examples
    --------
    >>> nearest_values(np.array([7.0, 1.0, 2.0]), 3.0, 5.0), nearest_values(np.array([7.0]), 3.0, 5.0)
    ([2.0, 7.0], [7.0])
    """
    below, above = values[values < lo], values[values > hi]
    return [*([float(below.max())] if below.size else []), *([float(above.min())] if above.size else [])]


def no_line(what: str, where: str, nearest: list[float], unit: str) -> str:
    """Return the sentence on a sweep without lines.

    Examples
    --------
    >>> no_line("span must hold a resonance at 95 GHz", "between 0 and 1 T", [1.7901], "T")
    'span must hold a resonance at 95 GHz, got none between 0 and 1 T; the nearest lies at 1.7901 T'
    """
    if not nearest:
        return f"{what}, got none {where} nor anywhere near; choose another frequency or direction"
    places = " and ".join(f"{value:.5g} {unit}" for value in nearest)
    return f"{what}, got none {where}; the nearest {'lies' if len(nearest) == 1 else 'lie'} at {places}"


def without_line(dataset: xr.Dataset, sentence: str) -> xr.Dataset:
    """Return the result of a sweep that meets no line, with the sentence as ``empty``, and warn of it.

    To be called by the public function itself: the warning points at its caller.
    """
    warnings.warn(sentence, NoLineWarning, stacklevel=3)
    return dataset.assign_attrs(empty=sentence)
