"""What a sweep that meets no line could have met: where the nearest lines lie."""

from __future__ import annotations

from typing import Final

import numpy as np

from mesospin.experiment.resonance_lines import resonance_lines
from mesospin.experiment.transitions import (
    FORBIDDEN,
    Floats,
    Microwave,
    largest_strength,
    polarisation,
    strength_of,
)
from mesospin.model.system import SpinSystem

#: Largest field [T] that is searched for a line.
_FURTHEST: Final = 100.0


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
    found = []
    for sign in (-1.0, 1.0):
        edge = sign * span[0] if sign < 0 else span[1]
        width = max(span[1] - span[0], 1.0)
        while edge < _FURTHEST:
            end = min(edge + width, _FURTHEST)
            part = (-end, -edge) if sign < 0 else (edge, end)
            lines = resonance_lines(system, axes, part, energy, T, states=states)
            strength = strength_of(polarisation(microwave, axes)[lines.found.line], lines.moment)
            lit = strength > FORBIDDEN * largest_strength(system)
            lit &= lines.population.max(axis=0, initial=0.0) > 0.0
            if np.any(lit):
                found.append(float(sign * (sign * lines.found.field[lit]).min()))
                break
            edge, width = end, 2.0 * width
    return found


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
        return f"{what}, got none {where} nor anywhere near; choose another frequency or temperature"
    places = " and ".join(f"{value:.5g} {unit}" for value in nearest)
    return f"{what}, got none {where}; the nearest {'lies' if len(nearest) == 1 else 'lie'} at {places}"
