r"""The energy of a spin as that of a classical vector of length S, and its lowest way from pole to pole.

The rule is :math:`m \to S\cos\theta,\ S_\pm^n \to (S\sin\theta)^n e^{\pm in\phi}`: each band of the
Hamiltonian :math:`c\,p(m)\,S_+^n` takes its polynomial at the middle of the two projections that it joins,

.. math:: E(\theta,\phi) = \sum_n c_n\,p_n(S\cos\theta - \tfrac{|n|}{2})\,(S\sin\theta)^{|n|}e^{in\phi} .

It depends on the operator only, not on how it is written; the diagonal part of H lies on the curve E(m)
exactly, for Stevens operators too; a coherent state would give S(S - 1/2) in place of S^2 for :math:`S_z^2`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from mesospin.errors import InputError
from mesospin.model.system import SpinSystem
from mesospin.operators.local import Band, cartesian_operator
from mesospin.spectrum.matrices import magneton

_Real = NDArray[np.float64]

#: Points per turn of the azimuth and from pole to pole, for each harmonic of the energy.
_AZIMUTHS, _POLARS = 16, 90
_NEWTON = 6
_TOLERANCE = 1e-12


class ClassicalSpin(NamedTuple):
    """Energy of a vector of length S: bands (step, coefficient [K], polynomial in m, lowest power first)."""

    S: float
    bands: tuple[tuple[int, complex, tuple[float, ...]], ...]

    @property
    def harmonics(self) -> int:
        """Largest multiple of the azimuth in the energy."""
        return max((abs(step) for step, _, _ in self.bands), default=0)

    def energy(self, theta: ArrayLike, azimuth: ArrayLike) -> _Real:
        """Return the energy [K] at polar angle and azimuth [rad], broadcast."""
        return self._sum(np.asarray(theta), np.asarray(azimuth), 0)

    def _sum(self, theta: _Real, azimuth: _Real, derivative: int) -> _Real:
        """Return the energy, or its derivative by the azimuth."""
        along, across = self.S * np.cos(theta), self.S * np.sin(theta)
        total = np.zeros(np.broadcast_shapes(theta.shape, azimuth.shape))
        for step, coefficient, powers in self.bands:
            p = np.polynomial.polynomial.polyval(along - abs(step) / 2, powers)
            turn = (1j * step) ** derivative * np.exp(1j * step * azimuth)
            total = total + p * across ** abs(step) * (coefficient * turn).real
        return total

    def profile(self, theta: ArrayLike) -> tuple[_Real, _Real]:
        """Return the lowest energy [K] at every polar angle [rad], and its azimuth [rad] in [0, 2 pi)."""
        polar = np.atleast_1d(np.asarray(theta, dtype=np.float64))
        count = _AZIMUTHS * max(self.harmonics, 1)
        grid = 2 * np.pi * np.arange(count) / count
        start = grid[np.argmin(np.round(self.energy(polar[:, None], grid), 12), axis=1)]
        azimuth = start.copy()
        for _ in range(_NEWTON):
            first, second = (self._sum(polar, azimuth, k) for k in (1, 2))
            with np.errstate(divide="ignore", invalid="ignore"):
                step = np.where(second > 0, -first / second, 0.0)
            azimuth = azimuth + np.clip(step, -np.pi / count, np.pi / count)
        better = self.energy(polar, azimuth) <= self.energy(polar, start)
        azimuth = np.where(better, azimuth, start) % (2 * np.pi)
        shape = np.shape(theta)
        return self.energy(polar, azimuth).reshape(shape), azimuth.reshape(shape)

    def lowest(self, theta: float) -> float:
        """Return the lowest energy [K] at one polar angle [rad]."""
        return float(self.profile(theta)[0])


def classical_spin(system: SpinSystem, field: Sequence[float]) -> ClassicalSpin:
    """Return the classical vector of a single spin in a field vector [T].

    Raises
    ------
    InputError
        If the system has several spins.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> spin = classical_spin(giant_spin(10, D=-0.5), (0.0, 0.0, 0.0))
    >>> spin.energy([0.0, np.pi / 2], 0.0).round(9) + 0.0
    array([-50.,   0.])
    """
    if len(system.spins) != 1:
        msg = f"{system.name} must be a single spin for a classical energy, got {len(system.spins)} spins"
        raise InputError(msg)
    (spin,) = system.spins
    vector = magneton(spin) * (np.asarray(field, dtype=np.float64) @ np.array(spin.g))
    operators = [local for term in system.terms for ((_, local),) in term.products(system.spins)]
    operators.append(cartesian_operator(spin.S, [float(x) for x in vector]))
    bands = tuple(_in_floats(band) for local in operators for band in local.bands)
    return ClassicalSpin(spin.S, bands)


def _in_floats(band: Band) -> tuple[int, complex, tuple[float, ...]]:
    return band.step, band.coefficient, tuple(float(c) for c in band.polynomial)


class Place(NamedTuple):
    """A direction of the classical vector: polar angle and azimuth [rad], energy [K]."""

    theta: float
    azimuth: float
    energy: float


class Wells(NamedTuple):
    """Two minima of the profile, the top between them, and the polar angles [rad] at which each well ends.

    ``right`` has the smaller polar angle.  A well ends at the first ridge that rises at least half as high
    above the deeper minimum as the top; both ends are the top itself where there is one ridge only.
    """

    left: Place
    right: Place
    top: Place
    left_end: float
    right_end: float


def find_wells(spin: ClassicalSpin) -> Wells | None:
    """Return the two wells of the profile, None where it has one minimum only.

    They are the deepest minimum and the one from which the way to a deeper (or equal) one climbs highest.
    The top of the profile between them is the lowest saddle wherever the azimuth of the lowest energy runs
    continuously over it; a jump of the azimuth there would make it a lower bound.
    """
    grid = np.linspace(0.0, math.pi, _POLARS * max(spin.harmonics, 2) + 1)
    energy = spin.profile(grid)[0]
    flat = _TOLERANCE * float(np.ptp(energy))
    padded = np.pad(energy, 1, constant_values=np.inf)
    lowest = np.flatnonzero((padded[1:-1] < padded[:-2] - flat) & (padded[1:-1] <= padded[2:] - flat))
    if len(lowest) < 2:
        return None
    minima = [_extremum(spin, grid, int(k), 1.0) for k in lowest]
    ridges = []
    for start, stop in pairwise(lowest.tolist()):
        highest = start + int(np.argmax(energy[start : stop + 1]))
        ridges.append(_extremum(spin, grid, highest, -1.0))
    first, second = _deepest([place.energy for place in minima], [place.energy for place in ridges])
    between = ridges[first:second]
    right, left = minima[first], minima[second]
    top = max(between, key=lambda place: place.energy)
    half = 0.5 * (top.energy + min(left.energy, right.energy))
    high = [place.theta for place in between if place.energy >= half]
    return Wells(left, right, top, max(high), min(high))


def _deepest(minima: list[float], ridges: list[float]) -> tuple[int, int]:
    """Return the positions, ascending, of the deepest minimum and of the one that is hardest to leave."""
    deepest = int(np.argmin(minima))
    climb = []
    for k, here in enumerate(minima):
        ways = []
        for other, there in enumerate(minima):
            if other != k and there <= here + _TOLERANCE * abs(here):
                ways.append(max(ridges[min(k, other) : max(k, other)]))
        climb.append(min(ways) - here if ways and k != deepest else -math.inf)
    return tuple(sorted((deepest, int(np.argmax(climb)))))  # type: ignore[return-value]


def _extremum(spin: ClassicalSpin, grid: _Real, k: int, sign: float) -> Place:
    """Return the minimum (+1) or maximum (-1) of the profile next to a point of the grid."""
    lo, hi = float(grid[max(k - 1, 0)]), float(grid[min(k + 1, len(grid) - 1)])
    found = minimize_scalar(
        lambda theta: sign * spin.lowest(theta), bounds=(lo, hi), method="bounded", options={"xatol": 1e-8}
    )
    theta = min((float(grid[k]), float(found.x)), key=lambda angle: sign * spin.lowest(angle))
    energy, azimuth = spin.profile(theta)
    return Place(theta, float(azimuth), float(energy))
