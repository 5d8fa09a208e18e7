r"""The classical spin behind a quantum one: energy on the complexified sphere, its flow and its minima.

The Weyl symbol of a band :math:`S_+^n p(S_z)` is :math:`p(\mu - n/2)\,(S_x + iS_y)^n` at the midpoint
:math:`\mu` of the two projections it connects, with the components of a vector of length
:math:`j = S + \tfrac12`; what is left out is smaller by :math:`1/j^2`, so that exponents are right to
:math:`O(1/j)`.  With the unit vector :math:`\mathbf n` the energy :math:`h(\mathbf n) = H(j\mathbf n)/j`
is a polynomial, defined for complex :math:`\mathbf n` with :math:`\mathbf n\cdot\mathbf n = 1`.  In
imaginary time

.. math:: \frac{d\mathbf n}{d\tau} = -i\,\nabla h \times \mathbf n .

References
----------
.. [1] P. A. Braun, Rev. Mod. Phys. 65, 115 (1993).
.. [2] J. R. Klauder, Phys. Rev. D 19, 2349 (1979).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb

import numpy as np
from numpy.typing import NDArray

from mesospin.model.system import SpinSystem
from mesospin.operators.local import Band
from mesospin.spectrum.matrices import magneton, zeeman_operators

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

_POLAR, _AZIMUTH = 60, 120
_NEWTON_STEPS = 60
#: Largest turn of one Newton step [rad].
_STEP = 0.2
#: Distance below which two minima are one: the spacing of the grid.
_SAME = 0.06


@dataclass(frozen=True, slots=True, eq=False)
class ClassicalSpin:
    r"""The classical limit of the Hamiltonian of one spin in a field.

    Attributes
    ----------
    S : float
        Spin.
    symbol : complex array, shape (K, A)
        Coefficients of :math:`h = \mathrm{Re}\sum_{ka} c_{ka} (n_x + in_y)^k n_z^a` on the real sphere [K].
    """

    S: float
    symbol: Complex

    @property
    def j(self) -> float:
        """Length of the classical vector, S + 1/2."""
        return self.S + 0.5

    def derivatives(self, n: Complex) -> tuple[Complex, Complex]:
        """Return h and its gradient with respect to the three components, shapes (...) and (..., 3)."""
        x, y, z = np.moveaxis(n, -1, 0)
        K, A = self.symbol.shape
        zed, slope = _powers(z, A)
        energy, gradient = np.zeros_like(z), np.zeros_like(n)
        for sign, table in ((1.0, self.symbol), (-1.0, self.symbol.conj())):
            ladder, rise = _powers(x + sign * 1j * y, K)
            rows = zed @ table.T
            energy += 0.5 * np.sum(ladder * rows, axis=-1)
            along = 0.5 * np.sum(rise * rows, axis=-1)
            gradient[..., 0] += along
            gradient[..., 1] += sign * 1j * along
            gradient[..., 2] += 0.5 * np.sum(ladder * (slope @ table.T), axis=-1)
        return energy, gradient

    def energy(self, n: Complex) -> Complex:
        """Return h, shape (...), at points of shape (..., 3)."""
        return self.derivatives(n)[0]

    def flow(self, n: Complex) -> Complex:
        """Return dn/dtau, shape (..., 3)."""
        return -1j * np.cross(self.derivatives(n)[1], n)

    def minima(self) -> list[Minimum]:
        """Return the local minima on the real sphere, the deepest first.

        Minima with a flat direction (an easy plane or cone) are left out.
        """
        directions = _grid()
        energy = self.energy(directions.astype(np.complex128)).real.reshape(_POLAR, _AZIMUTH)
        around = np.stack(
            [np.roll(_across_poles(energy, i), k, axis=1) for i in (-1, 0, 1) for k in (-1, 0, 1) if i or k]
        )
        lowest = np.flatnonzero(np.all(energy <= around, axis=0))
        found: list[Minimum] = []
        for start in directions[lowest]:
            if not _near(start, found):
                minimum = self._descend(start)
                if minimum.is_stable and not _near(minimum.direction, found):
                    found.append(minimum)
        return sorted(found, key=lambda minimum: minimum.energy)

    def _descend(self, n: Real) -> Minimum:
        """Return the minimum that Newton steps with positive curvatures reach."""
        for _ in range(_NEWTON_STEPS):
            frame = frame_of(n)[:, :2]
            gradient = self.derivatives(n.astype(np.complex128))[1].real
            values, vectors = np.linalg.eigh(self.tangent_curvature(n, frame))
            scale = np.maximum(np.abs(values), 1e-6 * np.abs(values).max() + 1e-300)
            step = -vectors @ ((vectors.T @ (frame.T @ gradient)) / scale)
            length = float(np.linalg.norm(step))
            n = n + frame @ step * min(1.0, _STEP / max(length, 1e-300))
            n = n / np.linalg.norm(n)
            if length < 1e-9:
                break  # quadratic: the next step would be below rounding
        curvatures = np.linalg.eigvalsh(self.tangent_curvature(n, frame_of(n)[:, :2]))
        energy = float(self.energy(n.astype(np.complex128)).real)
        return Minimum(n, energy, (float(curvatures[0]), float(curvatures[1])))

    def tangent_curvature(self, n: Real, frame: Real) -> Real:
        """Return the second derivatives of h at a minimum along the columns of ``frame`` (3, 2).

        Differences of fourth order, right to about 1e-10 of the largest.
        """

        def slope(angle: float, tangent: Real) -> Real:
            m = np.cos(angle) * n + np.sin(angle) * tangent
            gradient = self.derivatives(m.astype(np.complex128))[1].real
            return np.asarray(frame.T @ (gradient - m * (m @ gradient)), dtype=np.float64)

        e = 2e-3
        columns = [
            (8 * (slope(e, t) - slope(-e, t)) - (slope(2 * e, t) - slope(-2 * e, t))) / (12 * e)
            for t in frame.T
        ]
        curvature = np.stack(columns, axis=1)
        return np.asarray(0.5 * (curvature + curvature.T))


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """A minimum of the classical energy: unit vector, energy h [K], its two curvatures [K/rad^2]."""

    direction: Real
    energy: float
    curvatures: tuple[float, float]

    @property
    def is_stable(self) -> bool:
        """Whether both curvatures are positive."""
        return self.curvatures[0] > 1e-9 * abs(self.curvatures[1])

    @property
    def frequency(self) -> float:
        """Frequency of small precession [K]."""
        return float(np.sqrt(self.curvatures[0] * self.curvatures[1]))


def classical_spin(system: SpinSystem, field: Real) -> ClassicalSpin:
    """Return the classical limit of a single spin in a field (3,) [T].

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> spin = classical_spin(giant_spin(10, D=-1.0), np.zeros(3))
    >>> [round(float(minimum.direction[2]), 6) for minimum in spin.minima()]
    [1.0, -1.0]
    """
    (spin,) = system.spins
    operators = [local for term in system.terms for ((_, local),) in term.products(system.spins)]
    operators += [
        local.scaled(magneton(spin) * component)
        for component, local in zip(field, zeeman_operators(spin), strict=True)
    ]
    bands = [band for operator in operators for band in operator.bands if band.step >= 0]
    shape = (1 + max((b.step for b in bands), default=0), max((len(b.polynomial) for b in bands), default=1))
    symbol = np.zeros(shape, dtype=np.complex128)
    for band in bands:
        symbol[band.step, : len(band.polynomial)] += _symbol(band, spin.S + 0.5)
    return ClassicalSpin(spin.S, symbol)


def zeeman_energy(system: SpinSystem, axis: Real) -> ClassicalSpin:
    """Return dh/dB [K/T] for a field along a unit vector as a classical energy of its own."""
    return classical_spin(SpinSystem(system.name, system.spins), axis)


def _symbol(band: Band, j: float) -> Complex:
    """Return the coefficients in n_z that a band (with its conjugate) gives to h."""
    shifted = [Fraction(0)] * len(band.polynomial)
    for power, value in enumerate(band.polynomial):
        for k in range(power + 1):
            shifted[k] += value * comb(power, k) * Fraction(-band.step, 2) ** (power - k)
    weight = 1.0 if band.step == 0 else 2.0
    scaled = [float(c * Fraction(j) ** (k + band.step - 1)) for k, c in enumerate(shifted)]
    return weight * band.coefficient * np.array(scaled)


def _near(n: Real, minima: list[Minimum]) -> bool:
    return any(float(np.linalg.norm(n - other.direction)) < _SAME for other in minima)


def frame_of(n: Real) -> Real:
    """Return the rotation that carries z into ``n`` by the shortest way, shape (3, 3)."""
    x, y, z = n
    if z < -0.5:
        # the shortest way to the south passes through a half turn about x
        turned: Real = frame_of(np.array([x, -y, -z])) * np.array([[1.0], [-1.0], [-1.0]])
        return turned
    return np.array(
        [
            [1 - x * x / (1 + z), -x * y / (1 + z), x],
            [-x * y / (1 + z), 1 - y * y / (1 + z), y],
            [-x, -y, z],
        ]
    )


def _powers(x: Complex, count: int) -> tuple[Complex, Complex]:
    """Return 1, x, x^2, ... and their derivatives along a new last axis."""
    powers = x[..., None] ** np.arange(count)
    slopes = np.zeros_like(powers)
    slopes[..., 1:] = np.arange(1, count) * powers[..., :-1]
    return powers, slopes


def _grid() -> Real:
    theta = (np.arange(_POLAR) + 0.5) * np.pi / _POLAR
    phi = 2 * np.pi * np.arange(_AZIMUTH) / _AZIMUTH
    T, P = np.meshgrid(theta, phi, indexing="ij")
    return np.stack([np.sin(T) * np.cos(P), np.sin(T) * np.sin(P), np.cos(T)], axis=-1).reshape(-1, 3)


def _across_poles(energy: Real, step: int) -> Real:
    """Return the values one ring further; beyond a pole lies the opposite azimuth of the first ring."""
    if step == 0:
        return energy
    beyond = np.roll(energy[:1] if step < 0 else energy[-1:], _AZIMUTH // 2, axis=1)
    return np.concatenate([beyond, energy[:-1]] if step < 0 else [energy[1:], beyond])
