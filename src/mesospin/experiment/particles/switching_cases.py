"""The collections of particles whose switching is compared, and what a laboratory measures on each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import gammainc

from mesospin.experiment.particles.escape_rates import EscapeLaw, QuantumEscape, ThermalEscape
from mesospin.experiment.particles.first_passage import Passage, first_passage, passed
from mesospin.experiment.particles.landscape import POINTS
from mesospin.experiment.particles.particle import Members, Particle, Spread, normal_nodes

Array = NDArray[np.float64]

ALONE: Final = Members(np.ones(1), np.ones(1), 0.0)
_FINER: Final = 8
#: Bins of ln(rate times time), from -_DEPTH to _DEPTH.
_BIN, _DEPTH = 0.05, 40.0
_BINS: Final = int(2 * _DEPTH / _BIN) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Particles, the law by which they escape, and how well they are cooled.

    Parameters
    ----------
    name : str
        What people call it.
    law : EscapeLaw
        Over the barrier, or through it too.
    members : Members
        One particle or a collection.
    leak : float [K]
        Temperature that a heat leak keeps up: the particles are at (T^4 + leak^4)^(1/4), the law of a
        thermal boundary resistance.
    """

    name: str
    law: EscapeLaw
    members: Members
    leak: float = 0.0


def cases(spread: Spread, wide: Spread, leak: float) -> list[Case]:
    """Return one particle and collections, with and without tunnelling."""
    thermal, quantum = ThermalEscape(), QuantumEscape()
    many = spread.members()
    return [
        Case("thermal particle", thermal, ALONE),
        Case("tunnelling particle", quantum, ALONE),
        Case("overheated particle", thermal, ALONE, leak),
        Case("thermal ensemble", thermal, many),
        Case("tunnelling ensemble", quantum, many),
        Case("wide thermal ensemble", thermal, wide.members()),
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Escape rates of the members of a case at one temperature, on a common grid of reduced fields.

    Parameters
    ----------
    distance : ndarray, shape (b,)
        1 - B/B_sw, evenly spaced in its logarithm, descending.
    fields : ndarray, shape (b,) [T]
        The fields of the median particle, ascending; those of a member are ``stiffness`` times as large.
    logs : ndarray, shape (size, stiffness, b)
        ln of the rate [1/s].
    share : ndarray, shape (size,)
        Shares of the moments.
    stiffness, stiffness_share : ndarray, shape (stiffness,)
        Factors on the anisotropy field, and their shares.
    width : float
        Standard deviation of ln(stiffness).
    """

    distance: Array
    fields: Array
    logs: Array
    share: Array
    stiffness: Array
    stiffness_share: Array
    width: float

    def switching(self, rate: float) -> tuple[float, float]:
        """Return mean and standard deviation [T] of the switching fields of all members together."""
        moments = self.passage(rate)
        weight = self.share[:, None] * self.stiffness_share
        mean = float((weight * moments.mean).sum())
        variance = float((weight * (moments.width**2 + (moments.mean - mean) ** 2)).sum())
        return mean, float(np.sqrt(variance))

    def passage(self, rate: float) -> Passage:
        """Return the moments of the switching field of every member [T], shape (size, stiffness)."""
        moments = first_passage(self.fields, self._swept(), rate)
        return Passage(moments.mean * self.stiffness, moments.width * self.stiffness, moments.kurtosis)

    def passed(self, rate: float) -> Array:
        """Return ln of the integral of Gamma/v up to each field, shape of ``logs``."""
        rows = self._swept().reshape(-1, len(self.fields))
        integral = passed(self.fields, rows, rate).reshape(self.logs.shape)
        return np.log(np.maximum(integral, 1e-300))

    def waiting(self, integral: Array, field: float) -> tuple[Array, Array]:
        """Return shares of what is left after a sweep up to ``field`` [T], and their rates there [1/s].

        ``integral`` is what `passed` returns.
        """
        if self.width == 0.0:
            return self._waiting_alike(integral, field)
        # Members of every stiffness meet the field at their own distance: integrate over the distance.
        factor, nodes = np.log(field / self.fields), np.log(self.stiffness)
        steps = np.flatnonzero((factor > nodes[0]) & (factor < nodes[-1]))
        if len(steps) < 4:
            return np.zeros(1), np.zeros(1)
        coarse = np.arange(len(steps))
        fine = np.linspace(0, len(steps) - 1, _FINER * (len(steps) - 1) + 1)
        to_member = CubicSpline(nodes, np.eye(len(nodes)))(factor[steps])

        def along(values: Array) -> Array:
            own = np.einsum("sjk,kj->sk", values[:, :, steps], to_member)
            return np.asarray(CubicSpline(coarse, own, axis=1)(fine))

        logs, left = along(self.logs), np.exp(-np.exp(along(integral)))
        log_distance = np.interp(fine, coarse, np.log(self.distance[steps]))
        distance = np.exp(log_distance)
        # d ln(stiffness) = d(distance)/(1 - distance) at constant field
        step = np.abs(np.gradient(log_distance)) * distance / (1.0 - distance)
        offset = np.log(field / (self.fields[-1] * (1.0 - distance) / (1.0 - self.distance[-1]))) / self.width
        density = np.exp(-0.5 * offset**2) / (self.width * np.sqrt(2.0 * np.pi))
        weight = self.share[:, None] * (density * step) * left
        return weight.ravel(), np.exp(np.clip(logs, -700.0, 600.0)).ravel()

    def _waiting_alike(self, integral: Array, field: float) -> tuple[Array, Array]:
        if field >= self.fields[-1]:
            return np.zeros(1), np.zeros(1)
        at = np.log(1.0 - field / self.fields[-1] * (1.0 - self.distance[-1]))
        grid = np.log(self.distance[::-1])
        here = CubicSpline(grid, self.logs[:, 0, ::-1], axis=1)(at)
        left = np.exp(-np.exp(CubicSpline(grid, integral[:, 0, ::-1], axis=1)(at)))
        return self.share * left, np.exp(np.clip(here, -700.0, 600.0))

    def _swept(self) -> Array:
        """Return ln of the rate for a member whose sweep is scaled to the fields of the median."""
        return np.asarray(self.logs + np.log(self.stiffness)[:, None])


def rates_of(case: Case, particle: Particle, angle: float, T: float) -> Rates:
    """Return the rates of a case at a temperature of the bath [K]."""
    table = particle.landscape(angle)
    members = case.members
    width = members.anisotropy
    deviations, share = normal_nodes() if width > 0.0 else (np.zeros(1), np.ones(1))
    stiffness = np.exp(width * deviations)
    spins = particle.spin * np.repeat(members.moment, len(stiffness))
    precessions = particle.precession * np.tile(stiffness, len(members.moment))
    logs = case.law.on(table, spins, precessions, float((T**4 + case.leak**4) ** 0.25))
    distance = table.epsilon[::-1]
    return Rates(
        distance,
        particle.switching_field(angle) * (1.0 - distance),
        np.ascontiguousarray(logs[:, ::-1]).reshape(len(members.moment), len(stiffness), POINTS),
        members.share,
        stiffness,
        share,
        width,
    )


def viscosity(share: Array, rates: Array, time: float) -> float:
    """Return the share of the moment that reverses in one unit of ln(time) at ``time`` [s]."""
    exponent = rates * time
    return float(share @ (exponent * np.exp(-exponent)))


def left_after(share: Array, rates: Array, times: Array) -> Array:
    """Return the share that is left after ``times`` [s] of what was there at time 0."""
    total = share.sum()
    decay = np.exp(-rates[:, None] * times)
    return np.asarray(share @ decay / total) if total > 0.0 else np.zeros(len(times))


def waiting_variation(share: Array, rates: Array, time: float) -> float:
    """Return the coefficient of variation of the waiting times shorter than ``time`` [s].

    1 for one particle that is watched for many of its lifetimes; nan where nothing is left to wait for.
    """
    exponent = rates * time
    waits = (share > 0.0) & (exponent > 1e-100)
    weight, exponent = share[waits], exponent[waits]
    seen = float(weight @ gammainc(1.0, exponent))
    if seen == 0.0:
        return float("nan")
    first = float(weight @ (gammainc(2.0, exponent) / exponent))
    second = float(weight @ (2.0 * gammainc(3.0, exponent) / exponent**2))
    return float(np.sqrt(second * seen / first**2 - 1.0))


def waiting_spread(share: Array, rates: Array, time: float) -> tuple[float, float]:
    """Return standard deviation and kurtosis of ln(waiting time), of the times shorter than ``time`` [s].

    pi/sqrt(6) = 1.28 and 5.4 for one particle that is watched for many of its lifetimes; nan where nothing is
    left to wait for.
    """
    # Shares of ln(rate time) on even bins, each divided between its two neighbours.
    position = (np.log(np.maximum(rates * time, 1e-300)) + _DEPTH) / _BIN
    inside = (share > 0.0) & (position >= 0.0)
    lower = np.minimum(position[inside].astype(int), _BINS - 2)
    part = np.clip(position[inside] - lower, 0.0, 1.0)
    weight = share[inside]
    binned = np.bincount(lower, weight * (1.0 - part), _BINS) + np.bincount(lower + 1, weight * part, _BINS)
    # The density of s = ln(t/time) < 0 for one rate is x exp(-x), x = rate t.
    s = -_BIN * np.arange(int(_DEPTH / _BIN))
    x = np.exp(-_DEPTH + _BIN * np.arange(_BINS)[:, None] + s)
    density = binned @ (x * np.exp(-x))
    density[0] *= 0.5
    total = density.sum()
    if total == 0.0:
        return float("nan"), float("nan")
    mean = density @ s / total
    variance = density @ (s - mean) ** 2 / total
    return float(np.sqrt(variance)), float(density @ (s - mean) ** 4 / total / variance**2)
