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
    by_field = np.empty(len(B), dtype=np.int64)
    order = np.argsort(B, kind="stable")
    by_field[order] = _runs(B[order], np.zeros(len(B), dtype=np.int64), field_tolerance)
    groups = np.empty(len(T), dtype=np.int64)
    order = np.lexsort((T, by_field))
    groups[order] = _runs(T[order], by_field[order], temperature_tolerance)
    return groups


def _runs(values: Floats, blocks: Integers, tolerance: float) -> Integers:
    """Return the number of the run of near values that each belongs to; values rise inside every block."""
    starts = np.ones(len(values), dtype=bool)
    starts[1:] = (np.diff(values) > tolerance) | (np.diff(blocks) != 0)
    firsts = np.flatnonzero(starts)
    ends = np.append(firsts[1:], len(values))
    widths = values[ends - 1] - values[firsts] if len(firsts) else np.zeros(0)
    for first, end in zip(firsts[widths > 2 * tolerance], ends[widths > 2 * tolerance], strict=True):
        start = int(first)
        while start < end:
            starts[start] = True
            start += int(np.searchsorted(values[start:end], values[start] + 2 * tolerance, side="right"))
    return np.cumsum(starts) - 1
