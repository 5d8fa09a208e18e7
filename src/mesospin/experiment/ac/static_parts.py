r"""The exact isothermal susceptibility in two parts: what populations carry, and what levels do by mixing.

.. math:: \chi_T = \sum_{ab} |\langle a|m|b\rangle|^2\, \frac{p_a - p_b}{E_b - E_a} - \frac{\bar m^2}{T},

with :math:`p_a/T` in place of the quotient where levels coincide.  The pairs a != b further apart than the
window inside which crossing levels count as diabatic are the part of Van Vleck: it is positive and
follows a field at once, at frequencies below that window.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mesospin.bath.disorder import CUTOFF, Molecule
from mesospin.constants import MU_B
from mesospin.dynamics.response import boltzmann
from mesospin.spectrum.matrices import Array, field_line

__all__ = ["static_parts"]

Floats = NDArray[np.float64]

#: Window of states that stay diabatic everywhere [K]: the largest gap of their crossings.
_WINDOW: Final = 1.0
#: Spacing of the fields averaged over, in standard deviations, and in T over the steepest slope.
_STEP, _SMOOTH = 0.25, 0.5
#: Distance of levels over T below which they coincide.
_SAME: Final = 1e-7


def static_parts(
    molecule: Molecule, fields: Floats, temperatures: Floats, width: float, window: float
) -> tuple[Floats, Floats]:
    """Return what populations carry, and the part of Van Vleck, (T, B) each [mu_B/T], along the field.

    Averaged over Gaussian frozen fields of standard deviation ``width`` [T]; ``window`` [K] as in `Frame`.
    """
    line = field_line(molecule.system, axis=molecule.axis, transverse=molecule.transverse)
    window = window if np.isfinite(window) else _WINDOW
    offsets, weights = _frozen(
        width, float(temperatures.min()), float(np.abs(np.linalg.eigvalsh(line.G)).max())
    )
    carried, mixed = (np.empty((len(temperatures), len(fields))) for _ in range(2))
    for j, B in enumerate(fields):
        parts = np.array([_at(line.at(float(B + b)), line.G, temperatures, window) for b in offsets])
        carried[:, j], mixed[:, j] = np.tensordot(weights, parts, axes=1).T
    return carried, mixed


def _frozen(width: float, T: float, slope: float) -> tuple[Floats, Floats]:
    """Return offsets [T] and weights of the trapezoidal rule, exponentially exact for smooth functions."""
    if width == 0.0:
        return np.zeros(1), np.ones(1)
    step = min(_STEP * width, _SMOOTH * T / max(slope, MU_B))
    count = int(np.ceil(CUTOFF * width / step))
    offsets = np.linspace(-CUTOFF * width, CUTOFF * width, 2 * count + 1)
    weights = np.exp(-0.5 * (offsets / width) ** 2)
    return offsets, weights / weights.sum()


def _at(H: Array, G: Array, temperatures: Floats, window: float) -> Floats:
    """Return both parts (T, 2) of one field [mu_B/T]."""
    energy, states = np.linalg.eigh(H)
    element = np.abs(states.conj().T @ G @ states) ** 2 / MU_B
    moment = (states.conj() * (G @ states)).sum(axis=0).real
    distance = energy - energy[:, None]
    apart = distance > window
    rows = []
    for T in temperatures:
        p = boltzmann(energy, float(T))
        quotient = np.where(
            np.abs(distance) > _SAME * T,
            (p[:, None] - p) / np.where(np.abs(distance) > _SAME * T, distance, 1.0),
            p[:, None] / T,
        )
        mean = p @ moment
        # an energy falls by mu_B for every mu_B of moment and tesla
        mixed = 2 * (quotient * element)[apart].sum()
        total = (quotient * element).sum() - mean**2 / (MU_B * T)
        rows.append((total - mixed, mixed))
    return np.array(rows)
