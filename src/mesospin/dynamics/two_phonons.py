"""Two-phonon transitions in the frame of a molecule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mesospin.bath.disorder import Molecule
from mesospin.bath.raman import two_phonon_rates
from mesospin.dynamics.frame import Exchange, Frame
from mesospin.dynamics.response import levels_at
from mesospin.model.environment import DebyeLattice, PhononBath
from mesospin.spectrum.diabatic import DiabaticPoint, diabatic_point
from mesospin.spectrum.matrices import field_line
from mesospin.spectrum.search import ADIABATIC_GAP, site_slope

__all__ = ["with_two_phonons"]

#: Weight of a difference of slopes [K/T] against one of energies [K] in telling levels that touch apart.
_SLOPES = 1e-3


def with_two_phonons(
    frame: Frame, molecule: Molecule, bath: PhononBath, lattice: DebyeLattice, B: float, T: float
) -> Frame:
    """Return the frame with the two-phonon transitions of its states at temperature ``T`` [K].

    Their strengths are those at the field ``B`` [T]; detailed balance holds at every field.  Elements that
    are negative, corrections to the Orbach process where that dominates, are left out.
    """
    point = _states(frame, molecule, B)
    order, kept = _places(frame, point, B)
    # the states of the frame first, whatever their energies: only differences matter
    rates = two_phonon_rates(
        molecule.system, bath, lattice.theta, point.energy[order], point.states[:, order], T, kept
    )
    a, b = (index.astype(np.int64) for index in np.nonzero(np.triu(rates + rates.T, 1) > 0))
    # add_line gives 2 k/(1 + y) downwards and 2 k y/(1 + y) upwards
    exchange = (rates[a, b] + rates[b, a]) / 2
    used = exchange > 0
    return frame._replace(exchange=Exchange(a[used], b[used], exchange[used]))


def _states(frame: Frame, molecule: Molecule, B: float) -> DiabaticPoint:
    """Return the diabatic states: the projections of a uniaxial molecule, else those of `diabatic_point`."""
    line = field_line(molecule.system, axis=molecule.axis, transverse=molecule.transverse)
    if np.isfinite(frame.window):
        return diabatic_point(line, B, adiabatic_gap=ADIABATIC_GAP, site_slope=site_slope(molecule.system))
    n = len(line.H0)
    slope = line.G.diagonal().real
    energy = line.H0.diagonal().real + B * slope
    return DiabaticPoint(B, energy, slope, np.eye(n), np.zeros((n, n)))


def _places(frame: Frame, point: DiabaticPoint, B: float) -> tuple[NDArray[np.intp], int]:
    """Return the states of the point in the order of the frame, the others last, and the frame's number."""
    energy, slope = (values[0] for values in levels_at(frame, np.array([B])))
    cost = np.abs(energy[:, None] - point.energy) + _SLOPES * np.abs(slope[:, None] - point.slope)
    places = linear_sum_assignment(cost)[1]
    others = np.setdiff1d(np.arange(len(point.energy)), places)
    return np.concatenate([places, others]), len(energy)
