r"""Action and prefactor of the instantons of a spin, each with its Berry phase.

An instanton is a class of complex trajectories of zero energy between two wells (`trajectories`).  Where it
leaves, the stereographic coordinate of the first well is :math:`z = c_1 e^{\omega\tau}`; where it arrives,
that of the second is :math:`\bar y = c_2 e^{-\omega\tau}`.  A spin 1/2 along :math:`\mathbf n` is carried
from the first well to the second without turning about :math:`\mathbf n`,

.. math:: \frac{du}{d\tau} = \tfrac12\,\dot{\mathbf n}\cdot\boldsymbol\sigma\,u ,\qquad
          u_1 = |1\rangle ,\qquad \chi = \langle 2|u_2\rangle ,

which makes :math:`2j\ln\chi` minus the action, Berry phase included.  With the weight
:math:`(1-|\kappa|^2)^{1/4}` of the ground state of each well in its coherent state the full gap is

.. math:: \Delta = 2\omega\sqrt{\frac{2j}{2\pi}}\,
    \bigl[(1-|\kappa_1|^2)(1-|\kappa_2|^2)\bigr]^{1/4}
    \Bigl|\sum\pm\sqrt{c_1c_2}\;\chi^{2j}\Bigr| ,

summed over all instantons.  The sign is that of :math:`\sqrt{\dot{\mathbf n}^2}` with positive real part in
the middle of the trajectory, against the roots of the two velocities followed from the two
ends.  For a particle in one dimension this is Coleman's result [1]_.

Corrections are of relative order 1/S.  Among the forms that are equal to leading order the one with a factor
:math:`(S/j)^2` is used: where the gap is known exactly, in a weak transverse field (Garanin), only
:math:`1 - 1/(24 S)` is left.

References
----------
.. [1] S. Coleman, Aspects of Symmetry, ch. 7 (Cambridge 1985).
.. [2] D. Loss, D. P. DiVincenzo and G. Grinstein, Phys. Rev. Lett. 69, 3232 (1992).
.. [3] A. Garg, Europhys. Lett. 22, 205 (1993).
.. [4] E. Kececioglu and A. Garg, Phys. Rev. Lett. 88, 237205 (2002).
"""

from __future__ import annotations

import cmath
import math
from typing import NamedTuple

import numpy as np

from mesospin.spectrum.tunnelling.classical_spin import ClassicalSpin, Complex, Minimum, Real
from mesospin.spectrum.tunnelling.trajectories import Sector, sectors
from mesospin.spectrum.tunnelling.wells import Well, project, straight, turned, well

#: Gauss nodes between two vertices.
_NODES = 12
#: Relative change of the velocity in one step that is a sharp turn.
_SHARP = 0.3
#: Size of chi, relative to the largest, below which a sector is left out: 1e-10 for S = 8.
_NEGLIGIBLE = 0.25
#: Reflection of n that turns the carrying of kets into that of bras.
_TRANSPOSED = np.array([1.0, -1.0, 1.0])


class Instanton(NamedTuple):
    """One way of tunnelling; nothing in it depends on the size of the spin at given h.

    Attributes
    ----------
    log_key : complex
        ln(chi): minus the action is 2j times this.
    log_prefactor : complex
        Logarithm of everything else but the root of j; its imaginary part joins the phase of the action.
    width : float
        Range of phases of departure that belong to it [rad].
    margin : float
        Cosine of half the angle of the squared velocity in the middle; its sign is certain well above 0.
    reach : float
        Largest |n| on the way; rounding grows with its square.
    """

    log_key: complex
    log_prefactor: complex
    width: float
    margin: float
    reach: float

    def log_amplitude(self, S: float) -> complex:
        """Return the logarithm of its part of the splitting [K] of a spin S."""
        phase = 2 * S * self.log_key.imag + self.log_prefactor.imag
        size = (2 * S + 1) * self.log_key.real + self.log_prefactor.real + 0.5 * math.log(S + 0.5)
        size += 2 * math.log(S / (S + 0.5))
        return complex(size, math.remainder(phase, 2 * math.pi))


def instantons(spin: ClassicalSpin, first: Minimum, second: Minimum) -> list[Instanton]:
    """Return every instanton between two minima of equal energy and frequency, but for negligible ones.

    Examples
    --------
    A biaxial spin has two, which cancel for half-integer S:

    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.spectrum.tunnelling.classical_spin import classical_spin
    >>> spin = classical_spin(giant_spin(4.5, D=-1.0, E=0.3), np.zeros(3))
    >>> left, right = instantons(spin, *spin.minima())
    >>> round(abs(left.log_amplitude(4.5) - right.log_amplitude(4.5)) / np.pi, 6)
    1.0
    """
    wells = well(spin, first), well(spin, second)
    found = sectors(spin, *wells)
    largest = max((abs(sector.key) for sector in found), default=0.0)
    kept = [sector for sector in found if abs(sector.key) > _NEGLIGIBLE * largest]
    return [_instanton(spin, *wells, sector) for sector in kept]


def amplitude_sum(found: list[Instanton], S: float) -> tuple[float, float]:
    """Return ln of the splitting [K] of a spin S and the size of the sum relative to that of its parts."""
    amplitudes = np.array([one.log_amplitude(S) for one in found])
    largest = float(amplitudes.real.max())
    parts = np.exp(amplitudes - largest)
    total, size = float(np.abs(parts.sum())), float(np.abs(parts).sum())
    return largest + math.log(max(total, 1e-300)), total / size


def _instanton(spin: ClassicalSpin, first: Well, second: Well, sector: Sector) -> Instanton:
    """Return the action and prefactor of a sector by quadrature along the exact curve."""
    omega = first.minimum.frequency
    path = _Path.through(spin, first, second, sector.vertices)
    kets, bras = path.carry(first.spinor), path.mirrored().carry(first.spinor.conj())
    key = complex(second.spinor.conj() @ kets[-1])
    # logarithms of c_1 and c_2: rates along the path at its ends, and the time between without its poles
    leaving = path.end_rate(first.direction(departing=True), 0)
    arriving = -path.end_rate(second.direction(departing=False), -1)
    time = complex(np.sum(path.weights * path.regular_slowness(omega)))
    size = math.log(abs(leaving * arriving)) + omega * time.real
    # sqrt(c_1 / outward) sqrt(c_2 / inward) sqrt(square / 4): the roots continue those at the ends
    velocity = spin.flow(path.vertices[1:-1])
    outward = _determinant(bras[1:-1], 0.5 * turned(velocity * _TRANSPOSED, bras[1:-1]))
    inward = _determinant(kets[1:-1], 0.5 * turned(velocity, kets[1:-1]))
    square = np.sum(velocity**2, axis=1)
    m = int(np.argmax(np.sqrt(square).real / np.sum(np.abs(path.vertices[1:-1]) ** 2, axis=1)))
    back = -(key**2) * arriving
    phase = float(np.angle(square[m])) + omega * time.imag
    phase -= _turn(np.concatenate([[leaving], outward[: m + 1]]))
    phase -= _turn(np.concatenate([[back], inward[m:][::-1]]))
    norm = math.log(2 * omega / math.sqrt(math.pi)) + 0.25 * math.log(first.squeezing * second.squeezing)
    margin = math.cos(0.5 * float(np.angle(square[m])))
    reach = float(np.max(np.linalg.norm(path.vertices, axis=1)))
    return Instanton(cmath.log(key), complex(norm + 0.5 * size, 0.5 * phase), sector.width, margin, reach)


class _Path(NamedTuple):
    """A trajectory on the exact curve between two wells, at Gauss nodes between its vertices.

    Between two vertices s runs from 0 to 1 as a linear function of n, the ``covector``.

    Attributes
    ----------
    vertices : complex array, shape (k + 1, 3)
        From the first minimum to the second.
    covectors : complex array, shape (k, 3)
    nodes, tangents : complex arrays, shape (k, q, 3)
        Points and dn/ds.
    slowness : complex array, shape (k, q)
        dtau/ds.
    positions, weights : arrays, shape (q,)
        Nodes s and their weights.
    """

    vertices: Complex
    covectors: Complex
    nodes: Complex
    tangents: Complex
    slowness: Complex
    positions: Real
    weights: Real

    @classmethod
    def through(cls, spin: ClassicalSpin, first: Well, second: Well, guess: Complex) -> _Path:
        """Return the path that follows some approximate points."""
        h = first.minimum.energy
        points = project(spin, h, guess, spin.flow(guess).conj())
        vertices = np.concatenate([[first.minimum.direction], points, [second.minimum.direction]])
        chords = np.diff(vertices, axis=0)
        x, w = np.polynomial.legendre.leggauss(_NODES)
        start = vertices[:-1, None] + 0.5 * (x + 1)[:, None] * chords[:, None]
        covectors = _covectors(spin.flow(vertices))
        across = np.broadcast_to(covectors[:, None], start.shape)
        nodes = project(spin, h, start.reshape(-1, 3), across.reshape(-1, 3)).reshape(start.shape)
        velocity = spin.flow(nodes)
        slowness = np.sum(covectors * chords, axis=-1)[:, None] / np.sum(across * velocity, axis=-1)
        tangents = velocity * slowness[..., None]
        return cls(vertices, covectors, nodes, tangents, slowness, 0.5 * (x + 1), 0.5 * w)

    def mirrored(self) -> _Path:
        """Return the path along which kets are carried as bras are along this one."""
        return self._replace(
            vertices=self.vertices * _TRANSPOSED,
            nodes=self.nodes * _TRANSPOSED,
            tangents=self.tangents * _TRANSPOSED,
        )

    def carry(self, u: Complex) -> Complex:
        """Return a spinor u of the first vertex carried to every vertex, shape (k + 1, 2).

        Each step is the shortest way and the area between it and the path.
        """
        start = self.vertices[:-1, None]
        area = np.sum(start * np.cross(self.nodes, self.tangents), axis=-1)
        area = area / (1 + np.sum(start * self.nodes, axis=-1))
        twist = np.exp(-0.5j * np.sum(self.weights * area, axis=1))
        carried = [np.asarray(u, dtype=np.complex128)]
        for k, factor in enumerate(twist):
            carried.append(factor * straight(self.vertices[k + 1], self.vertices[k], carried[-1]))
        return np.array(carried)

    def regular_slowness(self, omega: float) -> Complex:
        """Return dtau/ds without its poles at the two wells, shape (k, q)."""
        regular = self.slowness.copy()
        regular[0] -= 1 / (omega * self.positions)
        regular[-1] -= 1 / (omega * (1 - self.positions))
        return regular

    def end_rate(self, direction: Complex, end: int) -> complex:
        """Return the rate along s of the coordinate of which ``direction`` is the tangent, at an end."""
        chord = self.vertices[1] - self.vertices[0] if end == 0 else self.vertices[-1] - self.vertices[-2]
        return complex((self.covectors[end] @ chord) / (self.covectors[end] @ direction))


def _covectors(velocity: Complex) -> Complex:
    """Return linear functions that grow along each step (k, 3), from the velocities at its ends (k + 1, 3).

    Along the mean velocity; where that turns sharply, across the turn, since there n runs to and fro.
    """
    mean, change = 0.5 * (velocity[1:] + velocity[:-1]), np.diff(velocity, axis=0)
    size = np.sum(np.abs(mean) ** 2, axis=1)
    part = np.sum(change.conj() * mean, axis=1)
    part = part / (np.sum(np.abs(change) ** 2, axis=1) + _SHARP**2 * size)
    return np.asarray((mean - change * part[:, None]).conj())


def _determinant(a: Complex, b: Complex) -> Complex:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _turn(values: Complex) -> float:
    """Return by how much the phase of a sequence turns from the first to the last, followed continuously."""
    phases = np.unwrap(np.angle(values))
    return float(phases[-1] - phases[0])
