r"""The barrier of a classical particle in a field, and the path under it, in reduced units.

A magnetisation of fixed length has an easy, a medium and a hard axis; the field B lies in the plane of the
first two, at the angle psi from the easy direction opposite to the magnetisation.  With the azimuth phi in
that plane, the projection p on the hard axis, energies in units of moment times anisotropy field, h = B over
the anisotropy field and kappa the additional anisotropy of the hard axis,

.. math:: e(\phi, p) = \tfrac12 w^2\sin^2\phi + \tfrac12(1+\kappa)(1-w^2) + h w\cos(\phi+\psi),
    \quad w^2 = 1-p^2.

phi and S p are canonically conjugate, so the motion is that of one degree of freedom.  Under the barrier p is
imaginary, w > 1, and energy conservation is a quadratic equation for w: the action is one integral.

Sources: Stoner and Wohlfarth, Phil. Trans. R. Soc. A 240, 599 (1948); Enz and Schilling, J. Phys. C 19, 1765
and L711 (1986); Chudnovsky and Gunther, Phys. Rev. Lett. 60, 661 (1988); Miguel and Chudnovsky, Phys. Rev. B
54, 388 (1996).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Distances from the switching field, 1 - B/B_sw, between which the landscape is tabulated.
NEAREST, FARTHEST = 1e-6, 0.999
POINTS = 256
_ENERGIES = 16
_NODES = 64
_HALVINGS = 58


@dataclass(frozen=True, slots=True, eq=False)
class Landscape:
    """A landscape at fields B/B_sw = 1 - ``epsilon``.

    Parameters
    ----------
    switching : float
        Switching field over the anisotropy field.
    epsilon : ndarray, shape (b,)
        Distances from the switching field, ascending.
    barrier : ndarray, shape (b,)
        Barrier in units of moment times anisotropy field.
    well, top : ndarray, shape (b,)
        Frequency of the precession in the well, and of the unstable motion at the saddle point, in units
        of g mu_B/hbar times the anisotropy field.
    action : ndarray, shape (b, k)
        Chebyshev coefficients, in 2x - 1 with x the energy over the barrier, of the regular part of the
        action per spin; see `action_per_spin`.
    ways : int
        Number of equal saddle points: 2 where the field is along the easy axis, else 1.  The higher of two
        unequal ones is left out, which next to the axis costs up to a factor 2 of the rate.
    tunnels : bool
        Whether the path under the barrier ends in the other well at all these fields.
    """

    switching: float
    epsilon: Array
    barrier: Array
    well: Array
    top: Array
    action: Array
    ways: int
    tunnels: bool


def switching_ratio(angle: float) -> float:
    r"""Return the Stoner-Wohlfarth switching field over the anisotropy field.

    .. math:: h_{sw} = (\cos^{2/3}\psi + \sin^{2/3}\psi)^{-3/2}

    Examples
    --------
    >>> switching_ratio(0.0), round(switching_ratio(np.pi / 4), 12)
    (1.0, 0.5)
    """
    return float((np.cos(angle) ** (2 / 3) + np.sin(angle) ** (2 / 3)) ** -1.5)


@lru_cache(maxsize=128)
def tabulated(angle: float, hardness: float) -> Landscape:
    """Return the landscape on the common grid of distances, evenly spaced in their logarithm."""
    return landscape(angle, hardness, np.geomspace(NEAREST, FARTHEST, POINTS))


def landscape(angle: float, hardness: float, epsilon: Array) -> Landscape:
    """Return the landscape at the given distances from the switching field.

    Parameters
    ----------
    angle : float [rad]
        Between the field and the easy direction opposite to the magnetisation, in [0, pi/2).
    hardness : float
        Field of the hard axis over the anisotropy field, >= 0.
    epsilon : ndarray, shape (b,)
        1 - B/B_sw, in (0, 1).

    Examples
    --------
    Along the easy axis the barrier is (1 - h)^2/2 exactly:

    >>> landscape(0.0, 1.0, np.array([0.5])).barrier.round(12)
    array([0.125])
    """
    switching = switching_ratio(angle)
    h = switching * (1.0 - epsilon)
    bottom, saddle, far = _stationary_points(h, angle)
    barrier = _rise(bottom, saddle, h, angle)
    well, top = _frequencies(bottom, saddle, h, angle, hardness)
    exits = _root(lambda phi: _rise(bottom, phi, h, angle), saddle, far)
    tunnels = bool(np.all(_stiffness(exits, h, angle, hardness) > 1e-9) and np.all(top > 1e-9))
    action = np.zeros((len(h), 1))
    if tunnels:
        action = _regular_action(_Path(h, angle, hardness, bottom, saddle, far, barrier, well))
    return Landscape(switching, epsilon, barrier, well, top, action, 1 if angle > 0 else 2, tunnels)


def top_frequency(angle: float, hardness: float, epsilon: float) -> float:
    """Return ``top`` of the landscape at one distance.

    Examples
    --------
    >>> round(top_frequency(0.0, 1.0, 0.5) ** 2, 12)
    0.75
    """
    h = np.array([switching_ratio(angle) * (1.0 - epsilon)])
    bottom, saddle, _ = _stationary_points(h, angle)
    return float(_frequencies(bottom, saddle, h, angle, hardness)[1][0])


def _frequencies(
    bottom: Array, saddle: Array, h: Array, angle: float, hardness: float
) -> tuple[Array, Array]:
    well = np.sqrt(_curvature(bottom, h, angle) * _stiffness(bottom, h, angle, hardness))
    # A field along the axis of a uniaxial particle leaves a ring of saddle points: no unstable precession.
    unstable = -_curvature(saddle, h, angle) * _stiffness(saddle, h, angle, hardness)
    return well, np.sqrt(np.maximum(unstable, 0.0))


def action_per_spin(table: Landscape, x: Array) -> Array:
    r"""Return the exponent of tunnelling over S at the energy x U above the bottom, shape (b, x).

    .. math:: 2W/S = 2\int q\,d\phi = G(x) - (u/\omega_0)\, x\ln(1/x),\quad q = \sqrt{w^2-1},

    0 <= x <= 1, with G smooth: the logarithm is that of a path that lingers near the bottom.
    """
    regular = chebyshev.chebval(2.0 * x - 1.0, table.action.T)
    return np.asarray(regular - (table.barrier / table.well)[:, None] * _entropy(x))


def _entropy(x: Array) -> Array:
    return np.asarray(-x * np.log(np.where(x > 0, x, 1.0)))


def _slope(phi: Array, h: Array, angle: float) -> Array:
    return np.asarray(np.sin(phi) * np.cos(phi) - h * np.sin(phi + angle))


def _curvature(phi: Array, h: Array, angle: float) -> Array:
    return np.asarray(np.cos(2 * phi) - h * np.cos(phi + angle))


def _stiffness(phi: Array, h: Array, angle: float, hardness: float) -> Array:
    """Return the second derivative of the energy along the hard axis."""
    return np.asarray(np.cos(phi) ** 2 + hardness - h * np.cos(phi + angle))


def _rise(start: Array, phi: Array, h: Array, angle: float) -> Array:
    """Return e(phi) - e(start), written with products so that small differences keep their digits."""
    half, mean = (phi - start) / 2, (phi + start) / 2
    return np.asarray(np.sin(half) * (np.sin(2 * mean) * np.cos(half) - 2 * h * np.sin(mean + angle)))


def _root(function: Callable[[Array], Array], lo: Array, hi: Array) -> Array:
    """Return the change of sign of ``function`` between ``lo`` and ``hi`` by bisection, elementwise."""
    lo, hi = lo.copy(), hi.copy()
    falling = function(lo) > function(hi)
    for _ in range(_HALVINGS):
        middle = 0.5 * (lo + hi)
        beyond = (function(middle) < 0) == falling
        lo, hi = np.where(beyond, lo, middle), np.where(beyond, middle, hi)
    return 0.5 * (lo + hi)


def _stationary_points(h: Array, angle: float) -> tuple[Array, Array, Array]:
    """Return the azimuths of the well, of the saddle point and of the stable well."""
    zero, right, back = np.zeros_like(h), np.full_like(h, np.pi / 2), np.full_like(h, np.pi)
    if angle == 0.0:
        return zero, np.arccos(h), back
    inflection = _root(lambda phi: _curvature(phi, h, angle), zero, right)
    bottom = _root(lambda phi: _slope(phi, h, angle), zero, inflection)
    saddle = _root(lambda phi: _slope(phi, h, angle), inflection, right)
    far = _root(lambda phi: _slope(phi, h, angle), right, back)
    return bottom, saddle, far


class _Path(NamedTuple):
    """Where the paths under the barrier run, at b fields."""

    h: Array
    angle: float
    hardness: float
    bottom: Array
    saddle: Array
    far: Array
    barrier: Array
    well: Array


def _regular_action(path: _Path) -> Array:
    """Return the Chebyshev coefficients of the action plus its logarithm, shape (b, k)."""
    x = 0.5 * (1.0 + chebyshev.chebpts1(_ENERGIES))
    shape = (len(path.h), _ENERGIES)
    field, start, ridge, end = (
        np.broadcast_to(values[:, None], shape) for values in (path.h, path.bottom, path.saddle, path.far)
    )
    energy = path.barrier[:, None] * x

    def above(phi: Array) -> Array:
        return _rise(start, phi, field, path.angle) - energy

    entry, leave = _root(above, start, ridge), _root(above, ridge, end)
    nodes, weights = leggauss(_NODES)
    turn = 0.5 * np.pi * (1.0 + nodes)
    # The cosine takes away the square roots at both turning points.
    phi = entry[..., None] + (leave - entry)[..., None] * 0.5 * (1.0 - np.cos(turn))
    jacobian = (leave - entry)[..., None] * 0.25 * np.pi * np.sin(turn) * weights
    height = _rise(start[..., None], phi, field[..., None], path.angle) - energy[..., None]
    height = np.maximum(height, 0.0)  # a rounding error below zero next to a turning point
    stiff = _stiffness(phi, field[..., None], path.angle, path.hardness)
    mass = 0.5 * (np.cos(phi) ** 2 + path.hardness)
    excess = 2.0 * height / (stiff + np.sqrt(stiff**2 + 4.0 * mass * height))  # w - 1
    action = 2.0 * (np.sqrt(excess * (2.0 + excess)) * jacobian).sum(axis=-1)
    regular = action + (path.barrier / path.well)[:, None] * _entropy(x)
    transform = np.asarray(chebyshev.chebvander(2.0 * x - 1.0, _ENERGIES - 1))
    return np.asarray(np.linalg.solve(transform, regular.T).T)
