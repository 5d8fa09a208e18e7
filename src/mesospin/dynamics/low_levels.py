r"""Which levels of a molecule a sweep can populate, and which gaps it follows.

An ion with its nucleus has levels at thousands of kelvin that no loop at millikelvin ever sees.
The k lowest levels suffice when nothing leaves them: in a sweep of duration t the probability that
phonons lift a molecule out of the lowest k is at most

.. math:: \max_{i<k}\ t \sum_{e\ge k} s_{ie}\,\frac{\epsilon_{ei}^3}{\exp(\epsilon_{ei}/T)-1},

and in equilibrium, where the sweep starts, the others hold a fraction of at most
:math:`\sum_{e\ge k}\exp(-(E_e-E_0)/T)`.  The first bound is the stricter one wherever the sweep lasts
longer than a lifetime.  Both fall like exp(-gap/T), so they are tested at the highest temperature only.
Mixing with the levels left out is not approximated: the k lowest are eigenstates of the whole matrix.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.bath.phonons import phonon_strengths
from mesospin.constants import HBAR
from mesospin.model.environment import PhononBath
from mesospin.model.system import SpinSystem
from mesospin.spectrum.low_energy import block_line
from mesospin.spectrum.matrices import FieldLine, symmetry_blocks
from mesospin.spectrum.search import ADIABATIC_GAP, GRID_STEP

#: Fraction of molecules that may be lost to the levels that are left out.
_LOST = 1e-8
#: Height of a level, in temperatures, above which one molecule in a hundred starts in it at most.
_OCCUPIED = float(np.log(100.0))
#: Fields at which the bound is evaluated.
_FIELDS = 5
#: Least distance of the levels followed from the others: more than levels within one group [K].
_APART = 40 * ADIABATIC_GAP
#: Landau-Zener exponent from which a passage is adiabatic, and the least gap over the width of the levels
#: that makes it coherent.
_CERTAIN, _COHERENT = 20.0, 10.0
#: Gap below which levels are never followed adiabatically [K].
_FINEST = 1e-6


class Passage(NamedTuple):
    """A sweep: its highest temperature [K], and the rate [T/s] at which crossings are passed."""

    T: float
    rate: float


class Rest(NamedTuple):
    """A stay at constant fields: its highest temperature [K] and its duration [s]."""

    T: float
    duration: float


class LowLevels(NamedTuple):
    """How many of the lowest levels to follow, and the gap above which a crossing is followed [K].

    ``occupied`` [K] is the height above the ground level up to which levels are noticeably populated
    at the start.
    """

    levels: int
    adiabatic_gap: float
    occupied: float


def low_levels(
    system: SpinSystem,
    line: FieldLine,
    lo: float,
    hi: float,
    bath: PhononBath | None,
    passage: Passage | Rest | None,
) -> LowLevels:
    """Return the levels that a sweep between ``lo`` and ``hi`` [T] can populate, and the gaps it follows.

    A crossing is followed adiabatically when its gap exceeds 10 hbar/lifetime of every level followed,
    so that nothing interrupts the passage, and its Landau-Zener exponent exceeds 20; the limit is at most
    1 mK, and that without a ``passage``, where all levels are followed.  It is 1 mK at rest too, where every
    crossing counts.
    """
    n = len(line.H0)
    if passage is None:
        return LowLevels(n, ADIABATIC_GAP, np.inf)
    fields = np.linspace(lo, hi, _FIELDS)
    apart = _lowest_gaps(line, lo, hi)
    energy, states = np.linalg.eigh(line.H0 + fields[:, None, None] * line.G)
    rates = np.zeros((_FIELDS, n, n))  # from the row to the column
    if bath is not None:
        for i, (E, U) in enumerate(zip(energy, states, strict=True)):
            rates[i] = _phonon_rates(phonon_strengths(system, bath, U), E, passage.T)
    if isinstance(passage, Rest):
        return LowLevels(_count(apart, energy, rates, passage.T, passage.duration), ADIABATIC_GAP, np.inf)
    count = _count(apart, energy, rates, passage.T, (hi - lo) / passage.rate)
    fastest = float(rates[:, :count].sum(axis=2).max())
    slope = (states.conj() * (line.G @ states)).sum(axis=1).real[:, :count]
    steepest = float(np.ptp(slope, axis=1).max())
    certain = np.sqrt(_CERTAIN * 2 * HBAR * steepest * passage.rate / np.pi)
    gap = max(certain, _COHERENT * HBAR * fastest, _FINEST)
    return LowLevels(count, min(float(gap), ADIABATIC_GAP), _OCCUPIED * passage.T)


def _lowest_gaps(line: FieldLine, lo: float, hi: float) -> NDArray[np.float64]:
    """Return a lower bound of the distance of levels k - 1 and k from ``lo`` to ``hi``, shape (n - 1,) [K].

    Between two fields a distance changes at most as fast as the extreme slopes differ.
    """
    grid = np.linspace(lo, hi, max(2, int(np.ceil((hi - lo) / GRID_STEP)) + 1))
    blocks = symmetry_blocks(*line)
    parts = [
        np.linalg.eigvalsh(H0 + grid[:, None, None] * G)
        for H0, G in (block_line(line, block) for block in blocks)
    ]
    gaps = np.diff(np.sort(np.hstack(parts), axis=1), axis=1).min(axis=0)
    return np.asarray(gaps - (grid[1] - grid[0]) * np.ptp(np.linalg.eigvalsh(line.G)))


def _count(
    apart: NDArray[np.float64],
    energy: NDArray[np.float64],
    rates: NDArray[np.float64],
    T: float,
    duration: float,
) -> int:
    for k in np.flatnonzero(apart > _APART) + 1:
        lifted = duration * rates[:, :k, k:].sum(axis=2).max()
        thermal = np.exp(-(energy[:, k:] - energy[:, :1]) / T).sum(axis=1).max()
        if lifted + thermal < _LOST:
            return int(k)
    return int(energy.shape[1])


def _phonon_rates(
    strength: NDArray[np.float64], energy: NDArray[np.float64], T: float
) -> NDArray[np.float64]:
    """Return the one-phonon rates from the row to the column [1/s]."""
    up = energy - energy[:, None]
    x = up / T
    # beyond exp(709) the rate is zero, as it should be
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rate = strength * up**3 / np.expm1(x)
    return np.where(np.abs(x) < 1e-9, strength * up**2 * T, rate)
