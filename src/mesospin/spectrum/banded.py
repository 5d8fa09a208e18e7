"""The ladder of one spin without its matrix: which steps a Hamiltonian takes."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from mesospin.model.system import SpinSystem
from mesospin.spectrum.matrices import zeeman_operators


def ladder_period(system: SpinSystem, axis: Sequence[float], transverse: Sequence[float]) -> int:
    """Return the greatest common divisor of the steps that the terms of a single spin take, 0 for none.

    Levels whose projections differ by no multiple of it never mix, for any field along ``axis``.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> ladder_period(giant_spin(10, D=-0.5, C4=1e-5), (0, 0, 1), (0, 0))
    4
    """
    (spin,) = system.spins
    operators = [local for term in system.terms for ((_, local),) in term.products(system.spins)]
    weights = (axis[0], axis[1], axis[2]), (transverse[0], transverse[1], 0.0)
    for component, local in enumerate(zeeman_operators(spin)):
        if any(weight[component] for weight in weights):
            operators.append(local)
    steps = (abs(band.step) for local in operators for band in local.bands if band.coefficient != 0)
    return gcd(*steps) if operators else 0
