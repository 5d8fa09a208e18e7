"""Molecules at rest in constant fields: their frames, and their average over frozen local fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin.bath.disorder import CUTOFF, Molecule
from mesospin.checks import finite_array
from mesospin.constants import HBAR
from mesospin.dynamics.branch import bottoms, emission_rates, line_widths, molecule_frame
from mesospin.dynamics.escape import mean_slow_rates, without_tunnelling
from mesospin.dynamics.frame import Frame, is_uniaxial
from mesospin.dynamics.low_levels import Rest
from mesospin.dynamics.panels import distinct_lines, graded_edges
from mesospin.dynamics.rates import rates_at
from mesospin.dynamics.reduction import relaxation_modes
from mesospin.dynamics.two_phonons import with_two_phonons
from mesospin.dynamics.well_rates import with_lines
from mesospin.errors import InputError
from mesospin.experiment.ensemble import ensemble, field_pair
from mesospin.experiment.surroundings import chosen, phonon_bath, written
from mesospin.model.environment import (
    DebyeLattice,
    DipolarBath,
    Disorder,
    FromSystem,
    NuclearBath,
    PhononBath,
)
from mesospin.model.system import SpinSystem
from mesospin.spectrum.matrices import field_line

__all__ = [
    "Setting",
    "at_temperature",
    "field_nodes",
    "field_reach",
    "lasting_frame",
    "member_rates",
    "positive_values",
    "separate_wells",
    "setting_of",
    "slow_wells",
]

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
#: Widest panel of the average over frozen fields, in standard deviations, and growth of panels off a line.
_WIDEST: Final = 0.4
_RATIO: Final = 3.0
#: Probability of tunnelling on resonance in the whole duration below which a line is left out, and part of
#: the molecules that come near enough to tunnel.
_IDLE: Final = 1e-6
_RARE: Final = 1e-6
#: E-foldings after which a relaxation is over, and the ratio of rates that separates two wells.
_SETTLED: Final = 35.0
_SEPARATION: Final = 1e-3
#: A frame of one field needs a range: half of it [T].
_MARGIN: Final = 0.01
#: Distance at which the widest lines of a uniaxial molecule change the slowest rate by less than 1 % [T].
_WINGS: Final = 2.0
#: Bias beyond which a window of nuclear bias is closed, over its width.
_WINDOWS: Final = 12.0


class Setting(NamedTuple):
    """The molecules of a sample with their surroundings, the ideal molecule first in words."""

    members: list[Molecule]
    bath: PhononBath | None
    width: float
    """Standard deviation of the frozen fields [T]."""
    nuclear_width: float
    """Window of the nuclei [K]."""
    raman: DebyeLattice | None
    """Phonons that scatter in pairs, if any."""
    inputs: dict[str, Any]


def setting_of(
    system: SpinSystem,
    *,
    axis: Sequence[float],
    transverse: Sequence[float],
    powder: int | None,
    bath: PhononBath | FromSystem,
    dipolar: DipolarBath | FromSystem | None,
    disorder: Disorder | FromSystem | None,
    nuclear: NuclearBath | None,
    raman: DebyeLattice | None,
) -> Setting:
    """Return the molecules and the surroundings that the arguments of an experiment name."""
    phonons = phonon_bath(system, bath)
    frozen = chosen(dipolar, system.defaults.dipolar)
    ensemble_of = chosen(disorder, system.defaults.disorder)
    lateral = field_pair(transverse)
    members = ensemble(system, ensemble_of, axis=axis, transverse=lateral, powder=powder)
    inputs = {
        "axis": list(axis), "transverse": lateral, "powder": powder,
        **written(bath=phonons, dipolar=frozen, disorder=ensemble_of, nuclear=nuclear, raman=raman),
    }  # fmt: skip
    return Setting(
        members, phonons, frozen.width if frozen else 0.0, nuclear.width if nuclear else 0.0, raman, inputs
    )


def positive_values(name: str, values: ArrayLike, unit: str) -> Floats:
    """Return one or several numbers > 0 as a 1-D array."""
    array = np.atleast_1d(finite_array(name, values))
    if array.ndim != 1 or not array.size or not np.all(array > 0):
        raise InputError(f"{name} must be one or several numbers > 0 [{unit}], got {array.tolist()}")
    return np.asarray(array, dtype=np.float64)


def lasting_frame(molecule: Molecule, around: Setting, fields: Floats, T: float, duration: float) -> Frame:
    """Return the frame around ``fields`` [T], with the levels and the crossings that matter.

    Levels that hold no molecule at ``T`` [K], and to which none is lifted in ``duration`` [s], are left out,
    and so are crossings too slow to move any in that time, even on resonance.
    """
    frame = molecule_frame(
        molecule,
        around.bath,
        field_reach(molecule, fields, around.width, around.nuclear_width),
        Rest(T, duration),
    )
    if not len(frame.crossings.field):
        return frame
    width, resonant = line_widths(frame, around.nuclear_width), _resonant_rates(frame, around.nuclear_width)
    reached = width * np.sqrt(resonant * duration) > _RARE * around.width
    return with_lines(frame, np.flatnonzero(reached & (resonant * duration > _IDLE)))


def field_reach(
    molecule: Molecule, fields: Floats, width: float, nuclear_width: float = 0.0
) -> tuple[float, float]:
    """Return the range of fields [T] whose crossings act at ``fields`` and at the frozen fields around them.

    States that stay diabatic everywhere tunnel in the wings of their lines too: the widest, near the top of a
    barrier, are felt a tesla away.  A window of nuclear bias is felt to a dozen of its widths.
    """
    lo, hi = float(fields.min() - CUTOFF * width - _MARGIN), float(fields.max() + CUTOFF * width + _MARGIN)
    line = field_line(molecule.system, axis=molecule.axis, transverse=molecule.transverse)
    wings = _WINDOWS * nuclear_width / float(np.ptp(np.linalg.eigvalsh(line.G)))
    if is_uniaxial(molecule.system, line, lo, hi):
        wings = max(wings, _WINGS)
    return lo - wings, hi + wings


def _resonant_rates(frame: Frame, nuclear_width: float) -> Floats:
    """Return the rate of tunnelling on resonance of every crossing [1/s]."""
    pairs = frame.crossings
    return np.asarray(pairs.gap**2 / (2 * HBAR * line_widths(frame, nuclear_width) * pairs.slope))


def at_temperature(frame: Frame, molecule: Molecule, around: Setting, B: float, T: float) -> Frame:
    """Return the frame with the transitions that depend on temperature in their own way, around ``B`` [T]."""
    if around.raman is None or around.bath is None:
        return frame
    return with_two_phonons(frame, molecule, around.bath, around.raman, B, T)


def member_rates(molecule: Molecule, frame: Frame, around: Setting, fields: Floats, T: float) -> Floats:
    """Return the slowest rate of one molecule averaged over its frozen fields around ``fields`` [1/s]."""
    if around.raman is None:
        return mean_slow_rates(frame, fields, T, around.width, around.nuclear_width)
    each = []
    for B in fields:
        now = at_temperature(frame, molecule, around, float(B), T)
        each.append(mean_slow_rates(now, np.array([B]), T, around.width, around.nuclear_width)[0])
    return np.array(each)


def field_nodes(frame: Frame, B: float, around: Setting, fastest: float) -> tuple[Floats, Floats]:
    """Return fields (k,) [T] and weights (k,) of the average over frozen fields around ``B``.

    Gauss nodes on panels graded towards every crossing: resonances are orders of magnitude narrower than
    the distribution.  Inside the field where tunnelling outruns all phonons and ``fastest`` [1/s], the
    fastest change that is seen, nothing depends on it.
    """
    if around.width == 0.0:
        return np.array([B]), np.ones(1)
    lo, hi = B - CUTOFF * around.width, B + CUTOFF * around.width
    fastest = max(fastest, float(emission_rates(frame).max(initial=0.0)))
    saturated = np.sqrt(1 + _resonant_rates(frame, around.nuclear_width) / fastest)
    if around.nuclear_width > 0.0:
        saturated = np.ones_like(saturated)
    centres = np.concatenate([frame.crossings.field, frame.wide[:, 0]])
    widths = np.concatenate([line_widths(frame, around.nuclear_width) * saturated, frame.wide[:, 1]])
    inside = np.flatnonzero((centres > lo) & (centres < hi))
    inside = inside[distinct_lines(centres[inside], widths[inside])]
    edges = graded_edges(lo, hi, centres[inside], widths[inside], widest=_WIDEST * around.width, ratio=_RATIO)
    half = np.diff(edges) / 2
    nodes = ((edges[:-1] + half)[:, None] + half[:, None] * _NODES).ravel()
    weights = (half[:, None] * _WEIGHTS).ravel() * np.exp(-0.5 * ((nodes - B) / around.width) ** 2)
    return nodes, weights / weights.sum()


def separate_wells(frame: Frame, T: float, B: float) -> NDArray[np.int64] | None:
    """Return the two wells if their exchange is a thousand times slower than anything else, else None."""
    wells, modes = _inner_modes(frame, T, B)
    return wells if wells is not None and modes[1] < _SEPARATION * modes[2] else None


def _inner_modes(frame: Frame, T: float, B: float) -> tuple[NDArray[np.int64] | None, Floats]:
    """Return the bottoms of the two wells, if there are two, and the decay rates without tunnelling [1/s]."""
    wells = bottoms(frame)
    if len(wells) != 2 or np.isfinite(frame.window) or frame.energy.shape[1] < 3:
        return None, np.empty(0)
    energy = np.array([np.interp(B, frame.field, level) for level in frame.energy.T])
    return wells, relaxation_modes(rates_at(without_tunnelling(frame), B, T), energy, T)


def slow_wells(frame: Frame, T: float, B: float, shortest: float) -> NDArray[np.int64] | None:
    """Return the two wells whose exchange is all that is seen from the time ``shortest`` [s] on, else None.

    Everything else must decay by 35 e-foldings before, and the exchange be a thousand times slower or over
    too.
    """
    wells, modes = _inner_modes(frame, T, B)
    if wells is None:
        return None
    settled = modes[2] * shortest > _SETTLED
    slow = modes[1] < _SEPARATION * modes[2] or modes[1] * shortest > _SETTLED
    return wells if settled and slow else None
