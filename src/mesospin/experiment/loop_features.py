"""Numbers read off a hysteresis loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Largest difference of the reduced magnetisation of two loops that count as the same.
SAME_LOOP = 0.1
#: Ratio of two temperatures between which an estimate is interpolated.
_NEAR = 2.0


def coercive_field(fields: NDArray[np.float64], reduced: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the field at which the up branch crosses zero magnetisation, shape (temperature,) [T].

    NaN where the branch does not cross zero inside the span.
    """
    found = np.full(len(reduced), np.nan)
    for k, branch in enumerate(reduced[:, 0]):
        change = np.flatnonzero((branch[:-1] < 0) & (branch[1:] >= 0))
        if len(change):
            i = change[0]
            weight = branch[i] / (branch[i] - branch[i + 1])
            found[k] = fields[i] + weight * (fields[i + 1] - fields[i])
    return found


def remanence(fields: NDArray[np.float64], reduced: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -M/Ms of the up branch at zero field, shape (temperature,); NaN outside the span."""
    if not fields[0] <= 0.0 <= fields[-1]:
        return np.full(len(reduced), np.nan)
    return np.array([-np.interp(0.0, fields, branch) for branch in reduced[:, 0]])


def crossover(temperatures: NDArray[np.float64], reduced: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the temperature up to which the loops are the same, and the bracket around it [K].

    The loop at the lowest temperature is the reference; loops count as the same while
    max |M - M_ref|/Ms < 0.1.  Between the last temperature of which that holds and the
    next one, if they lie within a factor of two, the estimate is interpolated in the deviation.
    NaN for what the given temperatures do not tell.
    """
    order = np.argsort(temperatures)
    T, loops = temperatures[order], reduced[order]
    deviation = np.abs(loops - loops[0]).max(axis=(1, 2))
    other = np.flatnonzero(deviation >= SAME_LOOP)
    if not len(other):
        return float("nan"), float(T[-1]), float("nan")
    i = int(other[0])
    if T[i] > _NEAR * T[i - 1]:
        return float("nan"), float(T[i - 1]), float(T[i])
    fraction = (SAME_LOOP - deviation[i - 1]) / (deviation[i] - deviation[i - 1])
    return float(T[i - 1] + fraction * (T[i] - T[i - 1])), float(T[i - 1]), float(T[i])
