r"""Linear response of the populations of a molecule to an alternating field.

A small field :math:`b e^{i\omega t}` along the applied one shifts the levels by :math:`-m_n b` and moves the
equilibrium by :math:`\delta p_n = p_n(m_n - \bar m)b/T`, towards which the populations relax with the rate
matrix W.  With detailed balance :math:`A = -P^{-1/2}WP^{1/2}` is symmetric, and eliminating one state after
another (`eliminate`) gives its Cholesky factor, :math:`A = F^TF`,

.. math:: F_{ss} = \sqrt{t_s},\qquad F_{sj} = -\sqrt{R_{sj}R_{js}/t_s},\qquad t_s = \sum_{j>s} R_{sj},

with the rates R between the states that are left when s is removed: sums and products of positive numbers,
no Boltzmann factor, no difference of rates.  The singular values of F are the square roots of the relaxation
rates :math:`\lambda_k`, so rates that differ by 10^25 come out right.  They give

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
from mesospin.dynamics.rates import FrameArrays, Index, Real, frame_arrays, rate_matrix
from mesospin.dynamics.reduction import eliminate
from mesospin.dynamics.well_rates import escape_rates, well_equilibria, with_lines

__all__ = ["Modes", "boltzmann", "debye_sum", "levels_at", "modes_at", "two_well_response"]

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
    chunk = max(1, _CHUNK // n**2)
    parts = [
        _modes(frame, arrays, fields[first : first + chunk], T) for first in range(0, len(fields), chunk)
    ]
    return Modes(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def debye_sum(modes: Modes, omega: Floats) -> NDArray[np.complex128]:
    """Return the response of the populations (k, f) [mu_B/T] at angular frequencies (f,) [1/s]."""
    rate = modes.rate[..., None]
    part: NDArray[np.complex128] = np.einsum("kn,knf->kf", modes.weight, rate / (rate + 1j * omega))
    return part


def two_well_response(
    frame: Frame, fields: Floats, T: float, omega: Floats, wells: Index, nuclear_width: float = 0.0
) -> tuple[NDArray[np.complex128], Floats]:
    """Return the response (k, f) of two wells, and its static limit (k,) [mu_B/T].

    The exchange between the wells is that at every field; the relaxation inside them, the other modes, that
    at the middle one and without tunnelling.
    """
    energy, slope = levels_at(frame, fields)
    p, moment = boltzmann(energy, T), -slope / MU_B
    static = MU_B / T * (p * (moment - (p * moment).sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
    N, first, second = well_equilibria(frame, T, wells, fields).T
    weight = N * (1 - N) * (first - second) ** 2 / (MU_B * T)
    rate = escape_rates(frame, T, wells, fields, nuclear_width).sum(axis=1)[:, None]
    inner = np.maximum(static - weight, 0.0)[:, None] * _inner_shape(frame, fields, T, omega)
    return inner + weight[:, None] * rate / (rate + 1j * omega), static


def _inner_shape(frame: Frame, fields: Floats, T: float, omega: Floats) -> NDArray[np.complex128]:
    """Return the response (f,) of all modes but the slowest, 1 at low frequencies."""
    silent = with_lines(frame, np.empty(0, dtype=np.int64))
    modes = modes_at(silent, np.array([np.median(fields)]), T)
    fast = Modes(modes.rate[:, 2:], modes.weight[:, 2:])
    total = float(fast.weight.sum())
    return debye_sum(fast, omega)[0] / total if total > 0 else np.ones(len(omega), dtype=complex)


def _modes(frame: Frame, arrays: FrameArrays, fields: Floats, T: float) -> Modes:
    count, n = len(fields), frame.energy.shape[1]
    energy, slope = levels_at(frame, fields)
    order = np.argsort(-energy, axis=1, kind="stable")
    factor = np.zeros((count, n, n))
    _factors(fields, T, arrays, order, factor)
    root, vector = np.linalg.svd(factor)[1:]
    p, moment = boltzmann(energy, T), -slope / MU_B
    departure = np.sqrt(p) * (moment - (p * moment).sum(axis=1, keepdims=True))
    ranked = np.take_along_axis(departure, order, axis=1)
    strength = MU_B / T * np.einsum("kan,kn->ka", vector, ranked) ** 2
    return Modes(root[:, ::-1] ** 2, strength[:, ::-1])


def levels_at(frame: Frame, fields: Floats) -> tuple[Floats, Floats]:
    """Return the interpolated energies [K] and their slopes [K/T] at ``fields`` (k,) [T], each (k, n)."""
    i = np.clip(np.searchsorted(frame.field, fields, side="right") - 1, 0, len(frame.field) - 2)
    h = (frame.field[i + 1] - frame.field[i])[:, None]
    t = (fields - frame.field[i])[:, None] / h
    first, rise = frame.energy[i], frame.energy[i + 1] - frame.energy[i]
    left, right = frame.slope[i], frame.slope[i + 1]
    energy = first + t**2 * (3 - 2 * t) * rise + h * t * (1 - t) * ((1 - t) * left - t * right)
    slope = 6 * t * (1 - t) * rise / h + (1 - t) * (1 - 3 * t) * left + t * (3 * t - 2) * right
    return np.asarray(energy), np.asarray(slope)


def boltzmann(energy: Floats, T: float) -> Floats:
    """Return the thermal populations (k, n) of levels ``energy`` (k, n) [K]."""
    weight = np.exp(-(energy - energy.min(axis=-1, keepdims=True)) / T)
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


@njit(cache=True, nogil=True)
def _factors(fields: Real, T: float, arrays: FrameArrays, order: Index, factor: Real) -> None:
    """Fill the factors F (k, n, n), the states being eliminated in the given order (k, n)."""
    n = order.shape[1]
    R, ranked = np.empty((n, n)), np.empty((n, n))
    for k in range(fields.size):
        rate_matrix(fields[k], T, arrays, R)
        for i in range(n):
            for j in range(n):
                ranked[i, j] = R[order[k, i], order[k, j]]
        eliminate(ranked, 1)
        for s in range(n - 1):
            total = ranked[s, s + 1 :].sum()
            if total > 0.0:
                factor[k, s, s] = np.sqrt(total)
                for j in range(s + 1, n):
                    factor[k, s, j] = -np.sqrt(ranked[s, j]) * np.sqrt(ranked[j, s] / total)
