"""Stereographic coordinates of a complexified spin in the axes of a well, and the curve of its energy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.spectrum.tunnelling.classical_spin import ClassicalSpin, Complex, Minimum, Real, frame_of

_NEWTON_STEPS = 6


class Well(NamedTuple):
    """A minimum with its axes and the slope of the two branches of the curve h = h_min there.

    ``rotation`` (3, 3) carries z into the minimum, ``spinor`` (2,) is the spin 1/2 along it; along the
    branch that leaves, zbar = departing z, along the one that arrives z = arriving zbar.
    """

    minimum: Minimum
    rotation: Real
    spinor: Complex
    departing: complex
    arriving: complex

    @property
    def squeezing(self) -> float:
        """1 - |departing|^2: 1 for a round minimum, 0 for a flat one."""
        return 1.0 - abs(self.departing) ** 2

    def point(self, z: Complex, zbar: Complex) -> Complex:
        """Return the points n, shape (..., 3), of coordinates z and zbar."""
        local = np.stack([z + zbar, 1j * (z - zbar), 1 - z * zbar], axis=-1)
        return np.asarray((local / (1 + z * zbar)[..., None]) @ self.rotation.T)

    def direction(self, *, departing: bool) -> Complex:
        """Return the tangent dn of the branch that leaves (dz = 1) or arrives (dzbar = 1), shape (3,)."""
        z, zbar = (1.0, self.departing) if departing else (self.arriving, 1.0)
        return np.asarray(self.rotation @ np.array([z + zbar, 1j * (z - zbar), 0.0]))


def well(spin: ClassicalSpin, minimum: Minimum) -> Well:
    """Return axes and branches of a minimum."""
    rotation = frame_of(minimum.direction)
    curvature = spin.tangent_curvature(minimum.direction, rotation[:, :2])
    a, b, c = curvature[0, 0], curvature[1, 1], curvature[0, 1]
    # h = h0 + A z zbar + (C z^2 + C* zbar^2)/2
    A, C = a + b, (a - b) + 2j * c
    slope = -C / (A + np.sqrt(A**2 - abs(C) ** 2))
    return Well(minimum, rotation, _spinor(minimum.direction), complex(slope), complex(np.conj(slope)))


def _spinor(n: Real) -> Complex:
    """Return the spin 1/2 along n that the rotation `frame_of` makes of the one along z."""
    x, y, z = n
    if z < -0.5:
        # frame_of: a half turn about x after the shortest way to the mirrored direction
        return np.asarray(-1j * _spinor(np.array([x, -y, -z]))[::-1])
    cosine = np.sqrt(0.5 * (1 + z))
    return np.array([cosine, (x + 1j * y) / (2 * cosine)])


def turned(n: Complex, u: Complex) -> Complex:
    """Return n.sigma u of spinors (..., 2) and vectors (..., 3)."""
    x, y, z = np.moveaxis(n, -1, 0)
    up, down = np.moveaxis(u, -1, 0)
    return np.stack([z * up + (x - 1j * y) * down, (x + 1j * y) * up - z * down], axis=-1)


def straight(n: NDArray[Any], start: NDArray[Any], u: NDArray[Any]) -> Complex:
    """Return a spinor u along ``start`` carried to n by the shortest way."""
    cosine = np.sqrt(0.5 * (1 + np.sum(n * start, axis=-1)))
    return np.asarray(0.5 * (u + turned(n, u)) / cosine[..., None])


def project(spin: ClassicalSpin, energy: float, n: NDArray[Any], covector: NDArray[Any]) -> Complex:
    """Return the points of the curve h = energy, n.n = 1 at which ``covector`` (N, 3) is what it is at n."""
    anchor = n
    for _ in range(_NEWTON_STEPS):
        h, gradient = spin.derivatives(n)
        across = np.sum(covector * (n - anchor), axis=-1)
        residual = np.stack([h - energy, np.sum(n * n, axis=-1) - 1, across], axis=-1)
        jacobian = np.stack([gradient, 2 * n, covector], axis=-2)
        n = n - np.linalg.solve(jacobian, residual[..., None])[..., 0]
    return n
