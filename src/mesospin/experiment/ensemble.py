"""The molecules of a crystal with disorder, or of a powder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mesospin import units
from mesospin.bath.disorder import Molecule, molecules, tilted
from mesospin.checks import finite_array
from mesospin.errors import InputError
from mesospin.experiment.powder import powder_axes
from mesospin.model.environment import Disorder
from mesospin.model.system import SpinSystem
from mesospin.spectrum.matrices import unit_axis
from mesospin.units import Quantity


def ensemble(
    system: SpinSystem,
    disorder: Disorder | None,
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    tilt: Quantity = 0.0,
    azimuth: Quantity = 0.0,
    powder: int | None = None,
) -> list[Molecule]:
    """Return the molecules over which an experiment averages, with weights that sum to 1.

    Parameters
    ----------
    system : SpinSystem
        The ideal molecule.
    disorder : Disorder or None
        Its ensemble.
    axis, transverse, tilt, azimuth
        Field direction, constant transverse field [T], and the turn of the field away from the axis [rad].
    powder : int, optional
        Degree of the Lebedev rule that replaces the axis by all directions.
    """
    lateral = field_pair(transverse)
    axes, weights = [field_axis(axis, tilt, azimuth)], np.ones(1)
    if powder is not None:
        axes, weights = powder_axes(system, powder, lateral)
    return [
        molecule._replace(weight=molecule.weight * float(weight))
        for direction, weight in zip(axes, weights, strict=True)
        for molecule in molecules(system, disorder, np.array(direction), lateral)
    ]


def field_axis(axis: Sequence[float], tilt: Quantity, azimuth: Quantity) -> tuple[float, float, float]:
    """Return the unit vector of the field: ``axis`` turned by ``tilt`` towards ``azimuth`` [rad]."""
    return tilted(unit_axis(axis), units.to_radian(tilt, "tilt"), units.to_radian(azimuth, "azimuth"))


def field_pair(transverse: Sequence[float]) -> tuple[float, float]:
    """Return a transverse field as two finite numbers [T]."""
    values = finite_array("transverse", transverse)
    if values.shape != (2,):
        msg = f"transverse must be two numbers (Bx, By) [T], got shape {values.shape}"
        raise InputError(msg)
    return float(values[0]), float(values[1])


def saturation_moment(system: SpinSystem) -> float:
    """Return the largest electronic moment along the z axis [mu_B], sum of g S."""
    spins = [system.spins[i] for i in system.electronic_sites]
    return float(sum(np.linalg.norm(np.array(spin.g)[2]) * spin.S for spin in spins))
