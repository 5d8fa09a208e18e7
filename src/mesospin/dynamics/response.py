r"""Linear response of the populations of a molecule to an alternating field.

A small field :math:`b e^{i\omega t}` along the applied one shifts the levels by :math:`-m_n b` and moves the
equilibrium by :math:`\delta p_n = p_n(m_n - \bar m)b/T`, towards which the populations relax with the rate
matrix W.  With detailed balance :math:`-P^{-1/2}WP^{1/2} = G^TG`, where every pair of levels is a row of G
with the elements :math:`\sqrt{W_{ba}}` at a and :math:`-\sqrt{W_{ab}}` at b: no Boltzmann factor, no
difference of rates.  The singular values of G are the square roots of the relaxation rates
:math:`\lambda_k`, so rates that differ by 10^25 come out right.  They give

.. math:: \chi(\omega) = \chi_S + \sum_k \frac{w_k}{1 + i\omega/\lambda_k},\qquad
          w_k = \frac{1}{T}\Big(\sum_n v_{nk}\sqrt{p_n}(m_n - \bar m)\Big)^2,

a sum of Debye relaxations: Kramers-Kronig holds, and :math:`\sum_k w_k` is the variance of the moment over T.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mesospin.constants import MU_B
from mesospin.dynamics.frame import Frame
from mesospin.dynamics.rates import FrameArrays, Real, energies_at, frame_arrays, rate_matrix

__all__ = ["Modes", "debye_sum", "modes_at"]

Floats = NDArray[np.float64]

#: Matrix elements that are held in memory at once.
_CHUNK = 4_000_000


class Modes(NamedTuple):
    """Relaxation modes at each field: ``rate`` (k, n) [1/s] ascending and ``weight`` (k, n) [mu_B/T]."""

    rate: Floats
    weight: Floats


def modes_at(frame: Frame, fields: Floats, T: float, nuclear_width: float = 0.0) -> Modes:
    """Return the relaxation modes of a molecule at ``fields`` (k,) [T] and temperature ``T`` [K]."""
    n = frame.energy.shape[1]
    arrays = frame_arrays(frame, nuclear_width)
    chunk = max(1, _CHUNK // n**3)
    parts = [
        _modes(frame, arrays, fields[first : first + chunk], T) for first in range(0, len(fields), chunk)
    ]
    return Modes(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def debye_sum(modes: Modes, omega: Floats) -> NDArray[np.complex128]:
    """Return the response of the populations (k, f) [mu_B/T] at angular frequencies (f,) [1/s]."""
    rate = modes.rate[..., None]
    part: NDArray[np.complex128] = np.einsum("kn,knf->kf", modes.weight, rate / (rate + 1j * omega))
    return part


def _modes(frame: Frame, arrays: FrameArrays, fields: Floats, T: float) -> Modes:
    count, n = len(fields), frame.energy.shape[1]
    rates, energy = np.empty((count, n, n)), np.empty((count, n))
    _rate_matrices(fields, T, arrays, rates, energy)
    a, b = np.nonzero(np.triu(np.any(rates > 0, axis=0), 1))
    pair, height = np.arange(len(a)), max(len(a), n)
    factor = np.zeros((count, height, n))
    factor[:, pair, a], factor[:, pair, b] = np.sqrt(rates[:, a, b]), -np.sqrt(rates[:, b, a])
    root, vector = np.linalg.svd(np.linalg.qr(factor, mode="r"))[1:]
    lowest = energy.min(axis=1, keepdims=True)
    weight = np.exp(-(energy - lowest) / T)
    p = weight / weight.sum(axis=1, keepdims=True)
    moment = -slopes_at(frame, fields) / MU_B
    departure = np.sqrt(p) * (moment - (p * moment).sum(axis=1, keepdims=True))
    strength = MU_B / T * np.einsum("kan,kn->ka", vector, departure) ** 2
    return Modes(root[:, ::-1] ** 2, strength[:, ::-1])


def slopes_at(frame: Frame, fields: Floats) -> Floats:
    """Return dE/dB (k, n) [K/T] of the interpolated energies at ``fields`` (k,) [T]."""
    i = np.clip(np.searchsorted(frame.field, fields, side="right") - 1, 0, len(frame.field) - 2)
    h = (frame.field[i + 1] - frame.field[i])[:, None]
    t = (fields - frame.field[i])[:, None] / h
    rise = (frame.energy[i + 1] - frame.energy[i]) / h
    left, right = frame.slope[i], frame.slope[i + 1]
    return np.asarray(6 * t * (1 - t) * rise + (1 - t) * (1 - 3 * t) * left + t * (3 * t - 2) * right)


@njit(cache=True, nogil=True)
def _rate_matrices(fields: Real, T: float, arrays: FrameArrays, rates: Real, energy: Real) -> None:
    """Fill the rates (k, n, n) and energies (k, n) at every field."""
    for k in range(fields.size):
        rate_matrix(fields[k], T, arrays, rates[k])
        energies_at(fields[k], arrays[0], arrays[1], arrays[2], energy[k])
