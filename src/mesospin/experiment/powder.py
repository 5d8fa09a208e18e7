"""Directions of a powder average."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import lebedev_rule

from mesospin.errors import InputError

_DEGREES = (*range(3, 32, 2), *range(35, 132, 6))


def powder_axes(degree: int) -> tuple[list[tuple[float, float, float]], NDArray[np.float64]]:
    """Return the directions and weights of a Lebedev rule, one of each pair of opposite directions.

    Opposite directions have the same loop (the field is swept both ways), so half the
    sphere suffices; no other symmetry is assumed.

    Parameters
    ----------
    degree : int
        Degree of the spherical harmonics that are integrated exactly.

    Returns
    -------
    list of unit vectors, ndarray of weights that sum to 1

    Raises
    ------
    InputError
        If no Lebedev rule has that degree.

    Examples
    --------
    >>> axes, weights = powder_axes(5)
    >>> len(axes), round(float(weights.sum()), 12)
    (7, 1.0)
    """
    if degree not in _DEGREES:
        known = ", ".join(str(value) for value in _DEGREES)
        msg = f"powder must be the degree of a Lebedev rule ({known}), got {degree!r}"
        raise InputError(msg)
    points, weights = lebedev_rule(degree)
    x, y, z = points
    tiny = 1e-9
    upper = (z > tiny) | ((np.abs(z) <= tiny) & ((y > tiny) | ((np.abs(y) <= tiny) & (x > 0))))
    share = weights[upper] / weights[upper].sum()
    return [(float(a), float(b), float(c)) for a, b, c in points[:, upper].T], share
