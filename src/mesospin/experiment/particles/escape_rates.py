r"""How fast a particle leaves a well that the field has made metastable.

Two laws, two types: `ThermalEscape` goes over the barrier only, `QuantumEscape` also goes through it.  Both
use the attempt rate of transition-state theory, the precession frequency in the well over 2 pi, so that
they agree far above the crossover temperature.  Damping is left out: there is neither the Kramers factor of
moderate damping nor the suppression of tunnelling by strong damping (Caldeira and Leggett, Ann. Phys. 149,
374 (1983)).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import exp, expm1, inf, log, log1p, pi
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from mesospin import checks, units
from mesospin.constants import HBAR
from mesospin.errors import InputError
from mesospin.experiment.particles.landscape import FARTHEST, NEAREST, Landscape, landscape, top_frequency
from mesospin.experiment.particles.particle import Particle, field_angle
from mesospin.units import Quantity

__all__ = ["EscapeLaw", "QuantumEscape", "ThermalEscape", "quantum_crossover"]

Array = NDArray[np.float64]

#: Rates below exp(-DEEPEST) of the attempt rate carry their leading exponent only.
DEEPEST: Final = 150.0
_LAST_TERM: Final = 36.0
_ALL_LEVELS: Final = 200


class EscapeLaw(ABC):
    """The rate of escape of a particle from a metastable well."""

    __slots__ = ()

    @abstractmethod
    def on(self, table: Landscape, spins: Array, precessions: Array, T: float) -> Array:
        """Return ln(rate s) on a landscape, shape (member, b).

        Parameters
        ----------
        table : Landscape
            Reduced landscape with b fields.
        spins : ndarray, shape (member,)
            Spins of the particles.
        precessions : ndarray, shape (member,) [K]
            Their g mu_B B_a.
        T : float [K]
            Temperature.
        """

    def log_rate(self, particle: Particle, B: ArrayLike, T: Quantity, angle: Quantity = 0.0) -> Array:
        """Return the natural logarithm of the rate [1/s], infinite where the well has gone.

        Parameters
        ----------
        particle : Particle
            Its moment points along the easy axis at zero field.
        B : array-like, any shape [T]
            Fields against the moment, above one thousandth of the switching field.
        T : float or str [K]
            Temperature; 0 for tunnelling from the lowest level.
        angle : float or str [rad], default 0
            Between the field and the easy direction opposite to the moment.

        Returns
        -------
        ndarray, shape of B

        Raises
        ------
        InputError
            If a field is too low, an argument is out of range, or the law does not hold for the particle.
        """
        direction = field_angle(angle)
        checks.instance_of("particle", particle, Particle, hint="build a Particle")
        fields = checks.finite_array("B", B, "T")
        epsilon = 1.0 - fields.ravel() / particle.switching_field(direction)
        if np.any(epsilon > FARTHEST):
            msg = f"B must be above a thousandth of the switching field [T], got {float(fields.min()):g}"
            raise InputError(f"{msg}; at zero field the two wells are equal and nothing escapes")
        inside = epsilon >= NEAREST
        result = np.full(epsilon.shape, inf)
        if inside.any():
            table = landscape(direction, particle.hardness, epsilon[inside])
            spin, precession = np.array([particle.spin]), np.array([particle.precession])
            temperature = checks.non_negative("T", units.to_thermodynamic_kelvin(T), "K")
            result[inside] = self.on(table, spin, precession, temperature)[0]
        return result.reshape(fields.shape)


@dataclass(frozen=True, slots=True)
class ThermalEscape(EscapeLaw):
    r"""Escape over the barrier: the law of Neel and Brown with the attempt rate of transition-state theory.

    .. math:: \Gamma = n\frac{\omega_0}{2\pi}e^{-U/T}

    with the precession frequency omega_0 in the well and n = 2 equal saddle points where the field is
    along the easy axis, else 1.  Valid for U > T and moderate damping (Brown, Phys. Rev. 130, 1677 (1963)).

    Examples
    --------
    >>> grain = Particle(20000, "2 T", "1 T")
    >>> law = ThermalEscape()
    >>> [round(float(law.log_rate(grain, 0.995, T, "45 deg")), 2) for T in (1.0, 2.0)]
    [18.37, 20.95]
    """

    def on(self, table: Landscape, spins: Array, precessions: Array, T: float) -> Array:
        """Return ln(rate s), shape (member, b); minus infinity at zero temperature."""
        attempt = np.log(table.ways * precessions[:, None] * table.well / (2 * pi * HBAR))
        if T == 0.0:
            return np.full(attempt.shape, -inf)
        return np.asarray(attempt - (spins * precessions)[:, None] * table.barrier / T)


@dataclass(frozen=True, slots=True)
class QuantumEscape(EscapeLaw):
    r"""Escape over and through the barrier from thermally occupied levels.

    .. math:: \Gamma = n\frac{\omega_0}{2\pi}\left(1-e^{-\hbar\omega_0/T}\right)
        \left[\frac{\sqrt{\pi/e}}{1+e^{2W(E_0)}} + \int_{1/2}^\infty
        \frac{e^{-k\hbar\omega_0/T}}{1+e^{2W(E_k)}}dk\right],\qquad E_k = (k+\tfrac12)\hbar\omega_0

    2W is twice the action of the spin under the barrier (above the top its parabolic continuation).  The
    lowest level counts as a level, with Furry's factor sqrt(pi/e) = 1.075 for a turning point next to the
    bottom; the higher ones, which move closer towards the top, as a continuum.  At zero temperature
    this is the WKB rate with its prefactor.  For S = 20 to 60 it agrees with the splittings of the exact spin
    Hamiltonian, averaged over resonances, to about 0.4 hbar omega_0/U of the rate.  Far above the
    crossover it is `ThermalEscape` with Wigner's correction.

    Levels in the other well are taken to be broader than their spacing, as they are in a particle and are not
    in a molecule; at angle 0 the interference of the two ways is averaged out likewise.

    Sources: uniform transmission, Affleck, Phys. Rev. Lett. 46, 388 (1981); action, see
    `mesospin.experiment.particles.landscape`.

    Examples
    --------
    Cooling does not slow it down any more:

    >>> grain = Particle(20000, "2 T", "1 T")
    >>> law = QuantumEscape()
    >>> [round(float(law.log_rate(grain, 0.995, T, "45 deg")), 2) for T in (0.05, 0.0)]
    [-19.07, -19.07]
    """

    def on(self, table: Landscape, spins: Array, precessions: Array, T: float) -> Array:
        """Return ln(rate s), shape (member, b).

        Raises
        ------
        InputError
            If the particle is so nearly axial that the path under the barrier turns out of the plane.
        """
        if not table.tunnels:
            msg = "angle must be larger for a particle with so small a hard_field, got a nearly axial one"
            raise InputError(f"{msg}; its moment along the axis is conserved, use ThermalEscape")
        scaled = np.array([spins, precessions])
        return _log_rates(
            scaled, table.barrier, table.well, table.top, table.action, float(table.ways), T, float(HBAR)
        )


def quantum_crossover(particle: Particle, B: float, angle: Quantity = 0.0) -> float:
    r"""Return the temperature below which a particle tunnels, in a field B [K].

    .. math:: T_c = \hbar\omega_b/(2\pi k_B)

    with the rate omega_b of the unstable motion at the saddle point: above T_c no periodic path through
    the barrier exists (Affleck, Phys. Rev. Lett. 46, 388 (1981)).  U over the zero-temperature exponent
    is 5 pi/18 = 0.87 of it for a cubic barrier.

    Parameters
    ----------
    particle : Particle
        The particle.
    B : float [T]
        Field, between a thousandth of the switching field and the switching field.
    angle : float or str [rad], default 0
        Direction of the field.

    Raises
    ------
    InputError
        If the field is out of range.

    Examples
    --------
    >>> round(quantum_crossover(Particle(20000, "2 T", "1 T"), 0.995, "45 deg"), 3)
    0.124
    """
    direction = field_angle(angle)
    switching = particle.switching_field(direction)
    epsilon = 1.0 - checks.positive("B", B, "T") / switching
    if not NEAREST <= epsilon <= FARTHEST:
        msg = f"B must lie between a thousandth of the switching field and {switching:g} [T], got {B:g}"
        raise InputError(f"{msg}; there is no barrier to tunnel through")
    return particle.precession * top_frequency(direction, particle.hardness, epsilon) / (2 * pi)


@njit(cache=True)
def _log_rates(
    scaled: Array, barrier: Array, well: Array, top: Array, action: Array, ways: float, T: float, hbar: float
) -> Array:
    result = np.empty((scaled.shape[1], barrier.size))
    for i in range(scaled.shape[1]):
        spin, precession = scaled[0, i], scaled[1, i]
        for j in range(barrier.size):
            quantum = precession * well[j]
            levels = spin * barrier[j] / well[j]  # U over the quantum
            crossing = 2 * pi * well[j] / top[j]
            cold = quantum / T if T > 0 else inf
            result[i, j] = log(ways * quantum / (2 * pi * hbar)) + _log_sum(
                spin * action[j], levels, crossing, cold
            )
    return result


@njit(cache=True)
def _exponent(x: float, action: Array, levels: float, crossing: float) -> float:
    """Return 2W at the energy x U: the action below the top, negative above."""
    if x >= 1.0:
        return -crossing * levels * (x - 1.0)
    t = 4.0 * x - 2.0
    later = latest = 0.0
    for k in range(action.size - 1, 0, -1):
        later, latest = action[k] + t * later - latest, later
    logarithm = levels * x * log(x) if x > 0.0 else 0.0
    return float(action[0] + 0.5 * t * later - latest + logarithm)


@njit(cache=True)
def _log_sum(action: Array, levels: float, crossing: float, cold: float) -> float:
    """Return the logarithm of the bracket times 1 - exp(-cold)."""
    step = 1.0 / levels  # of x from level to level
    bare = _exponent(min(0.5 * step, 1e9), action, levels, crossing)
    ground = 0.5 * (log(pi) - 1.0) + _log_transmission(bare)
    if cold == inf:
        return ground
    if min(bare, levels * cold) > DEEPEST:
        # Whichever is easiest: from the bottom, over the top, or from a level in between.
        best = ground
        for part in range(1, 26):
            x = 0.04 * part
            best = max(best, -_exponent(x, action, levels, crossing) - x * levels * cold)
        return best
    # Trapezoids half a level wide, k = (i + 1)/2; far above the top nothing is reflected.
    highest: int = 2 * (int(levels + _LAST_TERM / crossing) + 2)
    largest = -0.5 * (highest + 1) * cold
    total = 0.5 / -expm1(-0.5 * cold)
    for i in range(highest - 1, -1, -1):
        k = 0.5 * (i + 1)
        value = _log_transmission(_exponent((k + 0.5) * step, action, levels, crossing)) - k * cold
        weight = 0.25 if i == 0 else 0.5
        if value > largest:
            total = weight + total * exp(largest - value)
            largest = value
        else:
            total += weight * exp(value - largest)
        if k > _ALL_LEVELS and value < largest - _LAST_TERM:
            break
    # The lowest level, on top of the continuum.
    if ground > largest:
        return ground + log1p(total * exp(largest - ground)) + log(-expm1(-cold))
    return largest + log(total + exp(ground - largest)) + log(-expm1(-cold))


@njit(cache=True)
def _log_transmission(exponent: float) -> float:
    """Return ln(1/(1 + exp(exponent))) without overflow."""
    return -exponent - log1p(exp(-exponent)) if exponent > 0 else -log1p(exp(exponent))
