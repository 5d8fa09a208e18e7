"""Directions of a powder average."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import lebedev_rule

from mesospin.errors import InputError
from mesospin.model.system import SpinSystem
from mesospin.thermo.orientation import field_symmetries

_DEGREES = (*range(3, 32, 2), *range(35, 132, 6))


def powder_axes(
    system: SpinSystem, degree: int, transverse: tuple[float, float] = (0.0, 0.0)
) -> tuple[list[tuple[float, float, float]], NDArray[np.float64]]:
    """Return the directions and weights of a Lebedev rule, one of each set of equivalent directions.

    Directions are equivalent where the matrices prove it (`field_symmetries` of the equilibrium
    averages): opposite ones under time reversal, which operators of odd rank lack.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    degree : int
        Degree of the spherical harmonics that are integrated exactly.
    transverse : two numbers (Bx, By) [T], default none
        Constant field that is added in every direction; only symmetries that leave it count.

    Returns
    -------
    list of unit vectors, ndarray of weights that sum to 1

    Raises
    ------
    InputError
        If no Lebedev rule has that degree.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.model.terms import Stevens
    >>> axes, weights = powder_axes(giant_spin(2, D=-1.0, E=0.1), 5)
    >>> len(axes), round(float(weights.sum()), 12)
    (4, 1.0)
    >>> len(powder_axes(giant_spin(2, D=-1.0).with_terms(Stevens(3, 3, 0.1), Stevens(2, 1, 0.1)), 5)[0])
    9
    """
    if degree not in _DEGREES:
        known = ", ".join(str(value) for value in _DEGREES)
        msg = f"powder must be the degree of a Lebedev rule ({known}), got {degree!r}"
        raise InputError(msg)
    constant = (*transverse, 0.0)
    signs = tuple(
        sign
        for sign in field_symmetries(system)
        if all(turn > 0 or not field for turn, field in zip(sign, constant, strict=True))
    )
    points, weights = lebedev_rule(degree)
    # the last of the equivalent directions, component after component, stands for all of them
    keys = np.round(points.T[None] * np.array(signs)[:, None], 12) + 0.0
    last = np.lexsort((keys[..., 2], keys[..., 1], keys[..., 0]), axis=0)[-1]
    number = np.arange(len(last))
    _, first, member = np.unique(keys[last, number], axis=0, return_index=True, return_inverse=True)
    axes = (points.T * np.array(signs)[last])[first]
    share = np.bincount(member.ravel(), weights=weights)
    return [(float(a), float(b), float(c)) for a, b, c in axes], share / share.sum()
