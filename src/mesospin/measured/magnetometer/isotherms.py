"""Points of one temperature and one field: which belong together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIELD_TOLERANCE", "TEMPERATURE_TOLERANCE", "group_points"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TEMPERATURE_TOLERANCE = 0.05
"""Half the largest width of an isotherm [K]."""
FIELD_TOLERANCE = 1e-3
"""Half the largest spread of the field in an isotherm [T]."""


def group_points(T: Floats, B: Floats, *, temperature_tolerance: float, field_tolerance: float) -> Integers:
    """Return the number of the isotherm that every point belongs to.

    Parameters
    ----------
    T : ndarray, shape (points,) [K]
    B : ndarray, shape (points,) [T]
    temperature_tolerance : float [K]
    field_tolerance : float [T]
        Points whose neighbours in order of field (then of temperature) are nearer than the tolerance stay
        together, as long as the group is no wider than twice the tolerance.

    Returns
    -------
    ndarray of int, shape (points,)
        Isotherms are numbered by field, then by temperature.

    Examples
    --------
    >>> import numpy as np
    >>> T, B = np.array([2.0, 2.01, 3.0, 2.0]), np.array([0.0, 0.0, 0.0, 0.1])
    >>> group_points(T, B, temperature_tolerance=0.05, field_tolerance=1e-3).tolist()
    [0, 0, 1, 2]
    """
    by_field = _runs(B, field_tolerance)
    groups = np.empty(len(T), dtype=np.int64)
    count = 0
    for number in range(int(by_field.max(initial=-1)) + 1):
        own = np.flatnonzero(by_field == number)
        runs = _runs(T[own], temperature_tolerance)
        groups[own] = count + runs
        count += int(runs.max()) + 1
    return groups


def _runs(values: Floats, tolerance: float) -> Integers:
    """Return the number of the run of near values that each belongs to, in rising order."""
    order = np.argsort(values, kind="stable")
    labels = np.empty(len(values), dtype=np.int64)
    label, first, last = -1, -np.inf, -np.inf
    for place in order:
        value = values[place]
        if value - last > tolerance or value - first > 2 * tolerance:
            label, first = label + 1, value
        labels[place], last = label, value
    return labels
