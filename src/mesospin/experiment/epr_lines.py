r"""Sums of resonance lines over a sweep, for one direction of the field or many.

Where many directions stand for a powder, each stands for all within its share of the sphere.  The
Hellmann-Feynman gradient of a transition with respect to the direction says how far its line moves from
one direction to the next.  Where that is more than the line is wide, the line is blurred to reach its
neighbours, so that no ripples of single directions are left; with many directions nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from mesospin.constants import MU_B
from mesospin.errors import InputError
from mesospin.experiment.resonance_lines import field_swept, resonance_lines
from mesospin.experiment.transitions import (
    Floats,
    Microwave,
    moments_between_all,
    polarisation,
    steepest,
    strength_of,
)
from mesospin.model.line_shapes import LineShape
from mesospin.model.system import SpinSystem
from mesospin.spectrum.block_states import BlockStates
from mesospin.thermo.boltzmann import occupations

#: Numbers that one evaluation of line shapes holds.
_CHUNK: Final = 2**19

#: Line widths, in the steep direction, over which the derivative of a broadened level is taken.
_MODULATION: Final = 1e-3

#: Standard deviation of a Gaussian over its full width at half maximum.
_SIGMA: Final = 1.0 / np.sqrt(8.0 * np.log(2.0))

#: Last correction of a resonance field, in line widths, that is small enough in a spectrum.
_EXACT: Final = 1e-3

#: Reach of a blurred line [spreads].
_BLURS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is swept, and how.

    Parameters
    ----------
    system : SpinSystem
    T : ndarray, shape (t,) [K]
    grid : ndarray, shape (g,)
        Fields [T] of a field sweep, energies [K] of a frequency sweep.
    fixed : float
        Energy [K] of a field sweep, field [T] of a frequency sweep.
    microwave : "perpendicular", "parallel" or three numbers
    line : LineShape
    fwhm : float
        Its width, in the unit of ``grid`` or, for `levels_in_field`, in K.
    states : int
        How many of the lowest levels take part.
    """

    system: SpinSystem
    T: Floats
    grid: Floats
    fixed: float
    microwave: Microwave
    line: LineShape
    fwhm: float
    states: int


#: Absorption and derivative, each (t, g), of directions (d, 3) with weights (d,) and a spread [rad].
Spectrum = Callable[[Sweep, Floats, Floats, float], tuple[Floats, Floats]]


def lines_in_field(sweep: Sweep, axes: Floats, weights: Floats, spread: float) -> tuple[Floats, Floats]:
    """Return the sum of lines at their resonance fields; those outside the sweep reach into it."""
    furthest = float(np.abs(sweep.grid).max())
    reach = sweep.line.reach * sweep.fwhm + _BLURS * spread * furthest
    span = (sweep.grid[0] - reach, sweep.grid[-1] + reach)
    lines = resonance_lines(
        sweep.system, axes, span, sweep.fixed, sweep.T, states=sweep.states, tolerance=_EXACT * sweep.fwhm
    )
    line = lines.found.line
    strength = strength_of(polarisation(sweep.microwave, axes)[line], lines.moment)
    area = weights[line] * field_swept(sweep.system, lines, strength)
    endless = ~np.all(np.isfinite(area), axis=0)
    if np.any(endless):
        raise InputError(
            f"line must have a width in energy where a transition only touches the frequency, here at "
            f"{lines.found.field[endless][0]:.6g} T; write for example '100 MHz'"
        )
    slope = np.where(lines.slope == 0.0, 1.0, np.abs(lines.slope))
    move = spread * np.abs(lines.found.field) * lines.turn / slope
    return _drawn(sweep, lines.found.field, area, _blur(sweep, move))


def lines_in_frequency(sweep: Sweep, axes: Floats, weights: Floats, spread: float) -> tuple[Floats, Floats]:
    """Return the sum of lines at their energies, at one field."""
    gap, strength, population, turn = transitions_at(sweep, axes, np.full(len(axes), sweep.fixed))
    area = (weights[:, None] * strength)[None] * population
    blur = _blur(sweep, spread * abs(sweep.fixed) * turn.ravel())
    return _drawn(sweep, gap.ravel(), area.reshape(len(sweep.T), -1), blur)


def _blur(sweep: Sweep, move: Floats) -> Floats:
    """Return what a line lacks in width to reach those of the neighbouring directions."""
    return np.asarray(np.sqrt(np.maximum(move**2 - (_SIGMA * sweep.fwhm) ** 2, 0.0)))


def _drawn(sweep: Sweep, centre: Floats, area: Floats, blur: Floats) -> tuple[Floats, Floats]:
    """Return the sum of lines with areas (t, r) and its derivative, each (t, g)."""
    absorption = np.zeros((len(sweep.T), len(sweep.grid)))
    derivative = np.zeros_like(absorption)
    size = max(1, _CHUNK // len(sweep.grid))
    for start in range(0, len(centre), size):
        part = slice(start, start + size)
        offset = sweep.grid[None, :] - centre[part, None]
        absorption += area[:, part] @ sweep.line.value(offset, sweep.fwhm, blur[part, None])
        derivative += area[:, part] @ sweep.line.slope(offset, sweep.fwhm, blur[part, None])
    return absorption, derivative


def levels_in_field(sweep: Sweep, axes: Floats, weights: Floats, spread: float) -> tuple[Floats, Floats]:
    """Return the sum over levels as they are at every field: broad in energy, so no resonance is sought."""
    step = _MODULATION * sweep.fwhm / steepest(sweep.system)
    shifted = [_at_every_field(sweep, axes, weights, spread, shift) for shift in (-step, 0.0, step)]
    return shifted[1], (shifted[2] - shifted[0]) / (2.0 * step)


def _at_every_field(sweep: Sweep, axes: Floats, weights: Floats, spread: float, shift: float) -> Floats:
    total = np.zeros((len(sweep.T), len(sweep.grid)))
    size = max(1, _CHUNK // sweep.system.dimension**2)
    for axis, weight in zip(axes, weights, strict=True):
        for start in range(0, len(sweep.grid), size):
            fields = sweep.grid[start : start + size] + shift
            same = np.broadcast_to(axis, (len(fields), 3))
            gap, strength, population, turn = transitions_at(sweep, same, fields)
            blur = _blur(sweep, spread * np.abs(fields)[:, None] * turn)
            shape = weight * strength * sweep.line.value(sweep.fixed - gap, sweep.fwhm, blur)
            total[:, start : start + size] += np.einsum("tfp,fp->tf", population, shape)
    return total


def transitions_at(sweep: Sweep, axes: Floats, B: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return gaps and strengths (f, p), population differences (t, f, p) and turns (f, p) of all pairs."""
    system = sweep.system
    energy, states = BlockStates.along(system, axes).sorted_states(axes, B)
    i, j = np.triu_indices(sweep.states, 1)
    every = moments_between_all(system, states[:, :, : sweep.states])
    own = MU_B * np.diagonal(every, axis1=2, axis2=3).real.transpose(1, 2, 0)
    gradient = own[:, i] - own[:, j]
    along = np.einsum("fpc,fc->fp", gradient, axes)
    turn = np.linalg.norm(gradient - along[..., None] * axes[:, None, :], axis=2)
    moment = every[:, :, i, j]
    gap = energy[:, j] - energy[:, i]
    weight, _ = occupations(energy, np.broadcast_to(sweep.T, (len(B), len(sweep.T))))
    lowest = weight[:, :, i].swapaxes(0, 1)
    population = -lowest * np.expm1(-gap[None] / sweep.T[:, None, None])
    flat = moment.reshape(3, -1).T
    tensor = np.repeat(polarisation(sweep.microwave, axes), len(i), axis=0)
    return gap, strength_of(tensor, flat).reshape(gap.shape), population, turn
