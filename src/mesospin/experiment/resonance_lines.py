"""The lines of a field sweep: where they are, between which levels, how strong and how steep."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.experiment.transitions import (
    FORBIDDEN,
    Floats,
    Indices,
    largest_strength,
    moment_between,
    population_difference,
    steepest,
)
from mesospin.experiment.turning_points import onto_turning_points
from mesospin.model.system import SpinSystem
from mesospin.spectrum.block_states import BlockStates
from mesospin.spectrum.matrices import affine_hamiltonian
from mesospin.spectrum.resonance_search import Resonances, find_resonances

#: Distance of fields, over the largest, below which resonances coincide.
_COINCIDENT = 1e-9

#: Weight above which a product state gives its name to a level.
_MAJORITY = 0.5


class Lines(NamedTuple):
    """The lines of a field sweep at one frequency: all arrays (r,), ``population`` (t, r)."""

    found: Resonances
    level_from: Indices
    level_to: Indices
    moment: NDArray[np.complex128]  # (r, 3) [mu_B]
    slope: Floats  # d(E_j - E_i)/dB [K/T]
    turn: Floats  # |gradient of E_j - E_i across B|: how fast it changes with the direction of B [K/T]
    population: Floats
    state_from: Indices  # product state with the majority, -1 for none
    state_to: Indices
    turning: NDArray[np.bool_]  # whether the transition only touches the energy, at an extremum of its own


def resonance_lines(
    system: SpinSystem,
    axes: Floats,
    span: tuple[float, float],
    energy: float,
    T: Floats,
    *,
    forbidden: bool = False,
    states: int | None = None,
    tolerance: float = 0.0,
) -> Lines:
    """Return every resonance of ``energy`` [K] in the span, for fields along each of ``axes`` (d, 3).

    ``states`` keeps the transitions between that many lowest levels; ``tolerance`` [T] is that of
    `find_resonances`.
    """
    solver = BlockStates.along(system, axes)
    found = find_resonances(
        solver, axes, span, energy, forbidden=forbidden, states=states, tolerance=tolerance
    )
    distance = max(2.0 * tolerance, _COINCIDENT * max(abs(end) for end in span))
    lines = _all_measured(solver, axes, found, distance, T)
    found, turning = onto_turning_points(solver, axes, span, found, lines.slope, steepest(system))
    if np.any(turning):
        lines = _all_measured(solver, axes, found, distance, T)._replace(turning=turning)
    wanted = lines.level_to < (system.dimension if states is None else states)
    if not forbidden:
        wanted &= np.sum(np.abs(lines.moment) ** 2, axis=1) > FORBIDDEN * largest_strength(system)
    return _chosen(lines, wanted)


def field_swept(system: SpinSystem, lines: Lines, strength: Floats) -> Floats:
    r"""Return the intensities :math:`s\,(p_i - p_j)/|d(E_j - E_i)/dB|`, shape (t, r) [mu_B^2 T/K].

    At a turning point it is infinite if the transition has strength there, and zero, its limit, if not (see
    `turning_points`).
    """
    level = lines.turning | (lines.slope == 0.0)
    lit = (strength > FORBIDDEN * largest_strength(system)) & (lines.population > 0.0)
    finite = strength * lines.population / np.where(level, 1.0, np.abs(lines.slope))
    return np.asarray(np.where(level, np.where(lit, np.inf, 0.0), finite))


def _all_measured(solver: BlockStates, axes: Floats, found: Resonances, distance: float, T: Floats) -> Lines:
    group = _coincident(found, distance)
    size, count = solver.at_once(), len(found.field)
    starts = range(0, max(count, 1), size)
    parts = [_measured(solver, axes, found, group, slice(k, k + size), T) for k in starts]
    joined = [np.concatenate(arrays, axis=-1) for arrays in zip(*(p[1:] for p in parts), strict=True)]
    moment = np.concatenate([p[0] for p in parts])
    return Lines._make((found, joined[0], joined[1], moment, *joined[2:], np.zeros(count, dtype=bool)))


def _coincident(found: Resonances, distance: float) -> Indices:
    """Return the number of the group of every resonance; a group is one field within ``distance``.

    Where levels are degenerate at all fields, only the sum over their transitions is physical: it needs
    one choice of states for all of them, so one field.
    """
    new = (np.diff(found.line) != 0) | (np.diff(found.field) > distance)
    return np.asarray(np.cumsum(np.concatenate([[False], new]))[: len(found.field)])


def _measured(
    solver: BlockStates, axes: Floats, found: Resonances, group: Indices, part: slice, T: Floats
) -> Any:
    line, lower, upper = found.line[part], found.lower[part], found.upper[part]
    members = np.bincount(group, minlength=1)
    common = np.bincount(group, weights=found.field, minlength=1) / np.maximum(members, 1)
    own_groups, first, row = np.unique(group[part], return_index=True, return_inverse=True)
    energy, states = solver.states(axes[line[first]], common[own_groups])
    energy = energy[row]
    rank = np.argsort(np.argsort(energy, axis=1, kind="stable"), axis=1)
    every = np.arange(len(line))
    bra, ket = states[row, :, lower], states[row, :, upper]
    G = affine_hamiltonian(solver.system).G
    own = np.stack([[_mean(g, state) for g in G] for state in (bra, ket)])
    gradient = (own[1] - own[0]).T
    slope = np.einsum("rc,rc->r", axes[line], gradient)
    turn = np.linalg.norm(gradient - slope[:, None] * axes[line], axis=1)
    majority = []
    for state in (bra, ket):
        weight = np.abs(state) ** 2
        majority.append(np.where(weight.max(axis=1) > _MAJORITY, weight.argmax(axis=1), -1))
    return (
        moment_between(solver.system, bra, ket),
        rank[every, lower],
        rank[every, upper],
        slope,
        turn,
        population_difference(energy, lower, upper, T),
        *majority,
    )


def _mean(operator: NDArray[np.complex128], states: NDArray[np.complex128]) -> Floats:
    return np.asarray(np.einsum("ri,ri->r", states.conj(), states @ operator.T).real)


def _chosen(lines: Lines, wanted: NDArray[np.bool_]) -> Lines:
    line, field, lower, upper = lines.found
    return Lines(
        Resonances(line[wanted], field[wanted], lower[wanted], upper[wanted]),
        lines.level_from[wanted],
        lines.level_to[wanted],
        lines.moment[wanted],
        lines.slope[wanted],
        lines.turn[wanted],
        lines.population[:, wanted],
        lines.state_from[wanted],
        lines.state_to[wanted],
        lines.turning[wanted],
    )
