r"""Complex zero-energy trajectories of a spin that leave one well and arrive in another.

The curve :math:`h(\mathbf n) = h_{min}` on the complexified sphere has two smooth branches at a minimum.
In imaginary time the points of one leave it as :math:`z \propto e^{\omega\tau}`, the points of the other
arrive as :math:`\bar z \propto e^{-\omega\tau}`, where :math:`z` and :math:`\bar z` are the stereographic
coordinates :math:`(n_x \mp in_y)/(1+n_z)` in axes whose z is the minimum: two independent numbers once
:math:`\mathbf n` is complex.

Every phase of :math:`z` starts a trajectory.  A few phases lead to infinity in a finite time; between two
of these all trajectories are deformations of each other and have one action.  Each such *sector* that ends
in the other well, with an action of its own, is one instanton: two for a biaxial spin, four for a tetragonal
one, and for the fourth order of Fe8 the two of the biaxial spin and two more, which are those with jumps of
Kececioglu and Garg, Phys. Rev. Lett. 88, 237205 (2002).  That all of them count, and each once, is no
theorem; `calibration` tests it for every spin.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mesospin.spectrum.tunnelling.classical_spin import ClassicalSpin, Complex, Real
from mesospin.spectrum.tunnelling.wells import Well, project, straight

#: Phases of departure: first round, and those that refine each edge of a sector.
_PHASES, _REFINED = 72, 12
#: Radius of the neighbourhood of a minimum and length of a step, in units of the distance of the wells.
_START, _STEP = 0.02, 0.02
_MAX_STEPS = 4000
#: Length of n beyond which a trajectory is at infinity.
_INFINITY = 1e4
#: Relative distance of two keys that are one, and width [rad] that a sector has at least.
_SAME_KEY, _NARROWEST = 3e-4, 0.01
#: How a trajectory ends.
_LOST, _ARRIVED, _BACK = 0, 1, 2


class Sector(NamedTuple):
    """One class of trajectories between two wells.

    Attributes
    ----------
    vertices : complex array, shape (k, 3)
        The trajectory that stays closest to real n.
    key : complex
        exp(-action / 2j), to about 1e-5.
    width : float
        Range of phases of departure [rad].
    """

    vertices: Complex
    key: complex
    width: float


def sectors(spin: ClassicalSpin, first: Well, second: Well) -> list[Sector]:
    """Return every class of trajectories from the first well to the second, the widest first.

    Parameters
    ----------
    spin : ClassicalSpin
        The classical spin.
    first, second : Well
        Two minima of equal energy.

    Returns
    -------
    list of Sector
    """
    gap = 2 * np.pi / _PHASES
    phases = np.asarray(gap * (np.arange(_PHASES) + 0.37), dtype=np.float64)
    rays = _Rays.launch(spin, first, second, phases)
    edges = np.flatnonzero(~rays.same_as_next())
    if len(edges):
        inner = phases[edges][:, None] + gap * np.arange(1, _REFINED + 1) / (_REFINED + 1)
        rays = rays.merged(_Rays.launch(spin, first, second, inner.ravel()))
    distinct: list[Sector] = []
    for sector in sorted(rays.sectors(), key=lambda sector: -sector.width):
        known = any(abs(sector.key - other.key) <= _SAME_KEY * abs(other.key) for other in distinct)
        if sector.width >= _NARROWEST and not known:
            distinct.append(sector)
    return distinct


class _Rays(NamedTuple):
    """Trajectories in the order of their phases of departure (N,): outcomes, keys and vertices."""

    phases: Real
    outcomes: NDArray[np.int64]
    keys: Complex
    vertices: list[Complex]

    @classmethod
    def launch(cls, spin: ClassicalSpin, first: Well, second: Well, phases: Real) -> _Rays:
        """Follow the trajectories of some phases."""
        distance = float(np.linalg.norm(first.minimum.direction - second.minimum.direction))
        start = 0.5 * _START * distance * np.exp(1j * phases)
        outward = np.exp(1j * phases)[:, None] * first.direction(departing=True)
        n = first.point(start, first.departing * start)
        n = project(spin, first.minimum.energy, n, outward.conj())
        here, there = first.minimum.direction, second.minimum.direction
        state = np.concatenate([n, straight(n, here, np.broadcast_to(first.spinor, (len(n), 2)))], axis=1)
        outcomes = np.zeros(len(phases), dtype=np.int64)
        keys = np.zeros(len(phases), dtype=np.complex128)
        vertices = []
        for k in range(len(phases)):
            track, outcomes[k] = _follow(
                spin.symbol,
                first.minimum.energy,
                first.minimum.frequency,
                here,
                there,
                state[k],
                distance * _STEP,
                distance * _START,
            )
            track = track[:-1]  # the last point is inside the neighbourhood of the well
            vertices.append(track[:, :3])
            if outcomes[k] == _ARRIVED:
                keys[k] = np.vdot(second.spinor, straight(there, track[-1, :3], track[-1, 3:]))
        return cls(phases, outcomes, keys, vertices)

    def same_as_next(self) -> NDArray[np.bool_]:
        """Return whether a trajectory and the next one around the circle are of one class."""
        close = np.abs(self.keys - np.roll(self.keys, -1)) <= _SAME_KEY * np.abs(self.keys)
        return np.asarray((self.outcomes == np.roll(self.outcomes, -1)) & close)

    def merged(self, other: _Rays) -> _Rays:
        """Return both families in the order of their phases."""
        phases = np.concatenate([self.phases, other.phases]) % (2 * np.pi)
        order = np.argsort(phases)
        vertices = self.vertices + other.vertices
        return _Rays(
            phases[order],
            np.concatenate([self.outcomes, other.outcomes])[order],
            np.concatenate([self.keys, other.keys])[order],
            [vertices[k] for k in order],
        )

    def sectors(self) -> list[Sector]:
        """Return runs of equal trajectories that arrive, each by the one that stays closest to real n."""
        edges = np.flatnonzero(~self.same_as_next())
        if not len(edges):
            edges = np.array([len(self.phases) - 1])
        found = []
        for before, last in zip(np.roll(edges, 1), edges, strict=True):
            count = (last - before) % len(self.phases) or len(self.phases)
            run = (before + 1 + np.arange(count)) % len(self.phases)
            if self.outcomes[run[0]] == _ARRIVED:
                width = float((self.phases[run[-1]] - self.phases[run[0]]) % (2 * np.pi))
                k = run[int(np.argmin([np.max(np.abs(self.vertices[r])) for r in run]))]
                found.append(Sector(self.vertices[k], complex(self.keys[k]), width))
        return found


@njit(cache=True)
def _derivatives(symbol: Complex, n: Complex, gradient: Complex) -> complex:
    """Return h at n (3,) and write its gradient."""
    up, down, z = n[0] + 1j * n[1], n[0] - 1j * n[1], n[2]
    energy, along_up, along_down, along_z = 0j, 0j, 0j, 0j
    power_up, power_down, lower_up, lower_down = 1.0 + 0j, 1.0 + 0j, 0j, 0j
    for k in range(symbol.shape[0]):
        value, slope, mirror, mirror_slope = 0j, 0j, 0j, 0j
        for a in range(symbol.shape[1] - 1, -1, -1):
            slope = slope * z + value
            value = value * z + symbol[k, a]
            mirror_slope = mirror_slope * z + mirror
            mirror = mirror * z + symbol[k, a].conjugate()
        energy += 0.5 * (value * power_up + mirror * power_down)
        along_up += 0.5 * k * value * lower_up
        along_down += 0.5 * k * mirror * lower_down
        along_z += 0.5 * (slope * power_up + mirror_slope * power_down)
        lower_up, lower_down = power_up, power_down
        power_up *= up
        power_down *= down
    gradient[0] = along_up + along_down
    gradient[1] = 1j * (along_up - along_down)
    gradient[2] = along_z
    return energy


@njit(cache=True)
def _rate(symbol: Complex, omega: float, state: Complex, rate: Complex) -> None:
    """Write dn/ds and du/ds of the spinor u that n carries along.

    s is the length of n relative to |n|, or time in units of 1/omega, whichever runs faster: where
    n is long it can turn back within a small part of |n|.
    """
    _derivatives(symbol, state, rate)
    x, y, z, up, down = state[0], state[1], state[2], state[3], state[4]
    gx, gy, gz = rate[0], rate[1], rate[2]
    vx, vy, vz = -1j * (gy * z - gz * y), -1j * (gz * x - gx * z), -1j * (gx * y - gy * x)
    size = abs(x) ** 2 + abs(y) ** 2 + abs(z) ** 2
    speed = np.sqrt((abs(vx) ** 2 + abs(vy) ** 2 + abs(vz) ** 2) / (0.5 + 0.5 * size))
    speed = max(speed, omega)
    vx, vy, vz = vx / speed, vy / speed, vz / speed
    rate[0], rate[1], rate[2] = vx, vy, vz
    rate[3] = 0.5 * (vz * up + (vx - 1j * vy) * down)
    rate[4] = 0.5 * ((vx + 1j * vy) * up - vz * down)


@njit(cache=True)
def _return_to_curve(symbol: Complex, energy: float, n: Complex, gradient: Complex) -> None:
    """Move n (3,) by the shortest way towards h = energy, n.n = 1: rounding grows with powers of |n|."""
    for _ in range(2):
        a = _derivatives(symbol, n, gradient) - energy
        b = n[0] ** 2 + n[1] ** 2 + n[2] ** 2 - 1
        gg, gn, nn = 0.0, 0j, 0.0
        for i in range(3):
            gg += abs(gradient[i]) ** 2
            gn += 2 * gradient[i] * n[i].conjugate()
            nn += 4 * abs(n[i]) ** 2
        determinant = gg * nn - abs(gn) ** 2
        if determinant <= 1e-20 * gg * nn:
            return
        along_gradient = (nn * a - gn * b) / determinant
        along_n = (gg * b - gn.conjugate() * a) / determinant
        for i in range(3):
            n[i] -= gradient[i].conjugate() * along_gradient + 2 * n[i].conjugate() * along_n


@njit(cache=True)
def _align(state: Complex) -> None:
    """Keep the component along n of the spinor."""
    x, y, z, up, down = state[0], state[1], state[2], state[3], state[4]
    state[3] = 0.5 * (up + z * up + (x - 1j * y) * down)
    state[4] = 0.5 * (down + (x + 1j * y) * up - z * down)


@njit(cache=True)
def _follow(
    symbol: Complex,
    energy: float,
    omega: float,
    first: Real,
    second: Real,
    start: Complex,
    step: float,
    radius: float,
) -> tuple[Complex, int]:
    """Follow a trajectory until it arrives, comes back or is lost; return (n, u) and which."""
    history = np.zeros((_MAX_STEPS, 5), dtype=np.complex128)
    history[0] = start
    rate, total, state = np.zeros(5, np.complex128), np.zeros(5, np.complex128), np.zeros(5, np.complex128)
    left, outcome, count = False, _LOST, 1
    while count < _MAX_STEPS and outcome == _LOST:
        # the four stages of Runge and Kutta
        total[:] = 0.0
        for stage in range(4):
            reach = 0.0 if stage == 0 else (step if stage == 3 else 0.5 * step)
            state[:] = history[count - 1] + reach * rate
            _rate(symbol, omega, state, rate)
            total += rate if stage in (0, 3) else 2 * rate
        history[count] = history[count - 1] + step / 6 * total
        _return_to_curve(symbol, energy, history[count, :3], rate)
        _align(history[count])
        size, back, there = 0.0, 0.0, 0.0
        for i in range(3):
            size += abs(history[count, i]) ** 2
            back += abs(history[count, i] - first[i]) ** 2
            there += abs(history[count, i] - second[i]) ** 2
        count += 1
        left = left or back > 4 * radius**2
        if there < radius**2:
            outcome = _ARRIVED
        elif left and back < radius**2:
            outcome = _BACK
        elif not size < _INFINITY**2:
            break
    return history[:count].copy(), outcome
