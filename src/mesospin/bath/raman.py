r"""Two-phonon (Raman) transitions: one phonon is absorbed, another emitted, all levels are virtual ones.

Second-order perturbation theory in the coupling of `phonons`, with the same prefactor C and weights
:math:`\lambda_q` of the quadrupoles, for phonons up to the Debye energy :math:`\theta`:

.. math:: W_{b\leftarrow a} = \frac{\hbar C^2}{2\pi}\sum_{qr}\lambda_q\lambda_r\int d\omega\;
          \omega^3\omega'^3\, n(\omega)\,[n(\omega')+1]\,|A_{qr}|^2,\qquad \omega' = \omega + E_a - E_b,

.. math:: A_{qr}(\omega) = \sum_c\left[
          \frac{\langle b|V_r|c\rangle\langle c|V_q|a\rangle}{\omega - (E_c - E_a)}
          - \frac{\langle b|V_q|c\rangle\langle c|V_r|a\rangle}{\omega - (E_b - E_c)}\right].

A phonon in resonance with a level c makes two real one-phonon transitions, a -> c -> b (Orbach), which the
rate matrix already has.  They are the part of :math:`|A|^2` that diverges as the lifetime 1/eta of the
level; as in the theory of cotunnelling it is dropped: products of two denominators are replaced by
:math:`\mathrm{Re}[(d_j + i\eta)^{-1}(d_k + i\eta)^{-1}]`, eta -> 0.  All poles then lie on one side of the
real axis, and the integral is taken along a path on the other side.

References: J. H. Van Vleck, Phys. Rev. 57, 426 (1940); R. Orbach, Proc. R. Soc. A 264, 458 (1961); for the
regularisation M. Turek and K. A. Matveev, Phys. Rev. B 65, 115332 (2002).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mesospin.bath.phonons import phonon_prefactor, quadrupoles
from mesospin.constants import HBAR
from mesospin.model.environment import PhononBath
from mesospin.model.system import SpinSystem
from mesospin.spectrum.matrices import Array

__all__ = ["two_phonon_rates"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
#: Edges of the panels of the path, in temperatures.
_PANELS = np.array([0.0, 4.0, 8.0, 12.0, 18.0, 26.0, 40.0, 80.0])


def two_phonon_rates(
    system: SpinSystem, bath: PhononBath, theta: float, energy: Floats, states: Array, T: float, kept: int
) -> Floats:
    """Return the two-phonon rates R[a, b] from a to b among the first ``kept`` states, shape (k, k) [1/s].

    Parameters
    ----------
    system, bath
        As in `phonon_strengths`.
    theta : float [K]
        Debye temperature: no phonon has more energy.
    energy : ndarray, shape (n,) [K]
        Energies of all levels; each is a virtual one.
    states : ndarray, shape (d, n)
        States as columns.
    T : float [K]
        Temperature.
    kept : int
        Number of states between which rates are wanted.

    Returns
    -------
    ndarray, shape (k, k) [1/s]
        In detailed balance.  A negative element is a correction to the Orbach process between these states.
    """
    weights, elements = [], []
    for weight, operator in quadrupoles(system, bath):
        weights.append(weight)
        elements.append(states.conj().T @ (operator @ states))
    rates = np.zeros((kept, kept))
    scale = HBAR / (2 * np.pi) * phonon_prefactor(bath) ** 2
    V = np.ascontiguousarray(np.array(elements, dtype=np.complex128))
    path = (_NODES, _WEIGHTS, _PANELS * T)
    _fill(V, np.array(weights), np.ascontiguousarray(energy), T, theta, *path, rates)
    return scale * rates


@njit(cache=True, nogil=True)
def _fill(
    V: Complexes,
    weights: Floats,
    E: Floats,
    T: float,
    theta: float,
    nodes: Floats,
    shares: Floats,
    panels: Floats,
    rates: Floats,
) -> None:
    """Fill the integrals of all pairs, downwards by quadrature and upwards by detailed balance."""
    for a in range(rates.shape[0]):
        for b in range(a):
            high, low = (a, b) if E[a] >= E[b] else (b, a)
            drop = E[high] - E[low]
            if drop >= theta:
                continue
            down = _integral(V, weights, E, high, low, T, theta - drop, nodes, shares, panels)
            rates[high, low], rates[low, high] = down, down * np.exp(-min(drop / T, 700.0))


@njit(cache=True, nogil=True)
def _integral(
    V: Complexes,
    weights: Floats,
    E: Floats,
    a: int,
    b: int,
    T: float,
    top: float,
    nodes: Floats,
    shares: Floats,
    panels: Floats,
) -> float:
    """Return the integral over the absorbed phonon from 0 to ``top`` along a path above the axis."""
    height = min(np.pi * T, top / 2)
    total, corner = 0j, 0j
    for p in range(panels.size + 1):
        # up, along the panels, and down again at the end unless it is far beyond T
        if p == 0:
            target = 1j * height
        elif p < panels.size:
            target = min(panels[p], top) + 1j * height
        else:
            if top > panels[-1]:
                break
            target = top + 0j
        half = (target - corner) / 2
        if abs(half) > 0:
            for k in range(nodes.size):
                w = corner + half * (1 + nodes[k])
                total += half * shares[k] * _integrand(V, weights, E, a, b, T, w)
        corner = target
    return float(total.real)


@njit(cache=True, nogil=True)
def _integrand(V: Complexes, weights: Floats, E: Floats, a: int, b: int, T: float, w: complex) -> complex:
    emitted = w + (E[a] - E[b])
    occupied = 1 / (np.exp(w / T) - 1)
    stimulated = 1 / (1 - np.exp(-emitted / T))
    n, count = E.size, weights.size
    total = 0j
    for q in range(count):
        for r in range(count):
            amplitude, mirror = 0j, 0j
            for c in range(n):
                one = V[r, b, c] * V[q, c, a]
                two = V[q, b, c] * V[r, c, a]
                if one == 0 and two == 0:
                    continue
                first, second = 1 / (w - (E[c] - E[a])), 1 / (w - (E[b] - E[c]))
                amplitude += one * first - two * second
                mirror += np.conj(one) * first - np.conj(two) * second
            total += weights[q] * weights[r] * amplitude * mirror
    value: complex = total * (w * emitted) ** 3 * occupied * stimulated
    return value
