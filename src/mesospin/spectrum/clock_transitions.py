"""Transitions whose frequency does not depend on the field to first order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import brentq

from mesospin.checks import integer, non_negative, positive
from mesospin.checks import span as check_span
from mesospin.constants import KELVIN_PER_GIGAHERTZ, MU_B
from mesospin.errors import InputError
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.scale import require_memory
from mesospin.spectrum.matrices import (
    Array,
    affine_hamiltonian,
    basis_labels,
    field_line,
    symmetry_blocks,
    unit_axis,
)

_Real = NDArray[np.float64]

#: Difference of slopes, over the width of the spectrum of G, that counts as zero on the grid and at a root.
_FLAT, _ROOT = 1e-12, 1e-6
#: Part of a grid step to which a zero is first enclosed, and over which slopes of a wide extremum change by
#: less than so many times its share.
_COARSE, _STEEP = 1e-3, 10.0
#: Elements of G below this part of the largest in their column are rounding errors.
_ROUNDED = 1e-13
#: Least weight of a product state that names a level.
_NAMED = 0.25


def clock_transitions(
    system: SpinSystem,
    span: Sequence[float],
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    states: int | None = None,
    frequency: Sequence[float] = (0.1, 100.0),
    least_moment: float = 0.1,
    step: float = 5e-4,
) -> xr.Dataset:
    r"""Return the transitions whose frequency is stationary in the field.

    Two levels that would cross with the slopes difference v and repel by :math:`\Delta` have

    .. math:: \mathrm{gap}^2 = \Delta^2 + v^2 (B - B_0)^2,

    so that a fluctuation of the field changes the gap in second order only, by
    :math:`(v^2/2\Delta)\,\delta B^2`.

    Parameters
    ----------
    system : SpinSystem
        The system, with its nuclei.
    span : (lo, hi) [T]
        Range of the field along ``axis``.
    axis : three numbers, default z
        Direction of the field.
    states : int, optional
        Only levels that are among so many lowest ones somewhere in the range; all by default.
    frequency : (lo, hi) [GHz], default (0.1, 100)
        Range of the gap, above 0.
    least_moment : float [mu_B], default 0.1
        Transitions with a smaller element of the moment are left out; 0 keeps the forbidden ones.
    step : float [T], default 5e-4
        Spacing of the fields between which extrema are looked for; two of one pair of levels that are
        closer than this are missed, and sharper ones left out.

    Returns
    -------
    xarray.Dataset
        Along ``transition``, in order of field: ``field`` [T], ``gap`` [K] and ``frequency`` [GHz];
        ``energy`` [K] of the lower level above the ground level at that field;
        ``curvature`` of the gap, > 0 at a minimum, [K/T^2] and ``frequency_curvature`` [GHz/T^2];
        ``far_slope`` :math:`v = \sqrt{\Delta\,|\mathrm{gap}''|}` [K/T]; ``moment_parallel`` and
        ``moment_perpendicular`` [mu_B], the size of the element of the moment between the two levels along
        the field and across it, which an alternating field drives; ``level_from``, ``level_to``
        (positions in energy) and ``label_from``, ``label_to`` (product states with at least a quarter of
        the level).

    Raises
    ------
    InputError
        If a range does not rise, a number is out of range, or there is no such transition.
    TooLargeError
        If the matrices do not fit in memory.

    Notes
    -----
    Levels are followed inside the exact symmetry blocks of the Hamiltonian, where they repel; slopes are
    Hellmann-Feynman elements, the root is that of their difference, and curvatures come from second-order
    perturbation theory, so that nothing is differentiated numerically.  Where one of the two levels has a
    narrow avoided crossing with a third one, their gap has extrema too; those so sharp that within ``step``
    the slope would exceed every difference of slopes of the system are left out.

    References
    ----------
    - M. Shiddiq et al., Nature 531, 348 (2016).

    Examples
    --------
    The ground doublet of a spin 1:

    >>> from mesospin.model.system import giant_spin
    >>> ds = clock_transitions(giant_spin(1, D="-1 K", E="0.1 K"), span=(-0.1, 0.1), states=2)
    >>> ds.field.values.round(9) + 0.0, ds.gap.values.round(9)
    (array([0.]), array([0.2]))
    """
    check_system(system)
    lo, hi = check_span("span", span)
    low, high = check_span("frequency", frequency, "GHz")
    positive("frequency", low, "GHz")
    spacing = positive("step", step, "T")
    n = system.dimension
    lowest = n if states is None else integer("states", states, at_least=2, at_most=n)
    least = non_negative("least_moment", least_moment, "mu_B")
    search = _Search(system, axis)
    grid = np.linspace(lo, hi, int(np.ceil((hi - lo) / spacing)) + 1)
    window = (low * KELVIN_PER_GIGAHERTZ, high * KELVIN_PER_GIGAHERTZ)
    found = [point for point in search.extrema(grid, lowest, window) if point.moment(search.moment) >= least]
    found.sort(key=lambda point: (round(point.field, 9), point.gap))
    if not found:
        msg = (
            f"span must contain a stationary transition [T], got ({lo:g}, {hi:g}) where {system.name} has "
            f"none from {low:g} to {high:g} GHz; widen span or frequency, take more states or a smaller "
            "least_moment"
        )
        raise InputError(msg)
    direction = unit_axis(axis)
    inputs = {
        "span": [lo, hi],
        "axis": direction.tolist(),
        "states": states,
        "frequency": [low, high],
        "least_moment": least,
        "step": spacing,
    }
    return _dataset(system, search.moment, direction, found, inputs)


class _Point(NamedTuple):
    """One stationary gap: field [T], gap [K], curvature [K/T^2], positions and states of both levels.

    ``energy`` [K] is that of the lower level above the ground level.
    """

    field: float
    energy: float
    gap: float
    curvature: float
    positions: tuple[int, int]
    states: tuple[NDArray[np.complex128], NDArray[np.complex128]]

    def elements(self, operators: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Return the elements of the moment (3,) between the two levels."""
        return np.array([np.vdot(self.states[0], operator @ self.states[1]) for operator in operators])

    def moment(self, operators: NDArray[np.complex128]) -> float:
        """Return the size of these elements [mu_B]."""
        return float(np.linalg.norm(self.elements(operators)))


class _Block(NamedTuple):
    """The levels of one symmetry block: places in the product basis, H0 and G."""

    places: NDArray[np.intp]
    H0: Array
    G: Array

    def slopes(self, B: float, *levels: int) -> list[float]:
        """Return dE/dB of some levels [K/T]."""
        U = np.linalg.eigh(self.H0 + B * self.G)[1][:, levels]
        return [float(np.vdot(vector, self.G @ vector).real) for vector in U.T]

    def at(self, B: float, level: int) -> tuple[float, float, Array]:
        """Return energy [K], curvature [K/T^2] and state of a level."""
        energy, U = np.linalg.eigh(self.H0 + B * self.G)
        element = U.conj().T @ (self.G @ U[:, level])
        away = energy[level] - energy
        others = (np.arange(len(energy)) != level) & (np.abs(element) > _ROUNDED * np.abs(element).max())
        if np.any(away[others] == 0.0):  # levels that touch have no curvature
            return float(energy[level]), np.inf, U[:, level]
        curvature = 2.0 * float(np.sum(np.abs(element[others]) ** 2 / away[others]))
        return float(energy[level]), curvature, U[:, level]


class _Search:
    """The blocks of a system on a line of fields; ``columns`` are (block, level) pairs."""

    def __init__(self, system: SpinSystem, axis: Sequence[float]) -> None:
        line = field_line(system, axis=axis)
        self.dimension = system.dimension
        self.moment = affine_hamiltonian(system).G / -MU_B
        self.blocks = [
            _Block(places, line.H0[np.ix_(places, places)], line.G[np.ix_(places, places)])
            for places in symmetry_blocks(*line)
        ]
        self.columns = [(b, k) for b, block in enumerate(self.blocks) for k in range(len(block.places))]
        self.steepest = 2.0 * max(float(np.linalg.norm(block.G, 2)) for block in self.blocks)

    def extrema(self, grid: _Real, lowest: int, window: tuple[float, float]) -> Iterator[_Point]:
        """Yield the stationary gaps of all pairs of levels inside the window [K]."""
        require_memory(8 * 6 * len(grid) * self.dimension, f"levels at {len(grid)} fields")
        energy, slope = self._tracks(grid)
        rank = np.argsort(np.argsort(energy, axis=1, kind="stable"), axis=1, kind="stable")
        chosen = np.flatnonzero((rank < lowest).any(axis=0))
        spacing = float(grid[1] - grid[0])
        reach = self.steepest * spacing
        for i, a in enumerate(chosen):
            for b in chosen[i + 1 :]:
                gap = np.abs(energy[:, b] - energy[:, a])
                near = (gap >= window[0] - reach) & (gap <= window[1] + reach)
                for B in self._roots(grid, slope[:, b] - slope[:, a], near, (int(a), int(b))):
                    point = self._point(B, (int(a), int(b)))
                    wide = abs(point.curvature) * spacing <= self.steepest
                    if wide and window[0] <= point.gap <= window[1]:
                        yield point

    def _tracks(self, grid: _Real) -> tuple[_Real, _Real]:
        """Return energies and slopes (field, column)."""
        energy = np.empty((len(grid), self.dimension))
        slope = np.empty_like(energy)
        start = 0
        for block in self.blocks:
            stop = start + len(block.places)
            for row, B in enumerate(grid):
                energy[row, start:stop], U = np.linalg.eigh(block.H0 + B * block.G)
                slope[row, start:stop] = np.einsum("ia,ia->a", U.conj(), block.G @ U).real
            start = stop
        return energy, slope

    def _roots(
        self, grid: _Real, difference: _Real, near: NDArray[np.bool_], pair: tuple[int, int]
    ) -> Iterator[float]:
        """Yield the fields where the difference of the slopes of two levels vanishes."""
        flat = np.abs(difference) <= _FLAT * self.steepest
        for k in np.flatnonzero(flat & near):
            neighbours = [j for j in (k - 1, k + 1) if 0 <= j < len(grid)]
            if not any(flat[j] for j in neighbours):
                yield float(grid[k])
        change = (difference[:-1] * difference[1:] < 0.0) & ~flat[:-1] & ~flat[1:] & (near[:-1] | near[1:])
        for k in np.flatnonzero(change):
            root = self._root(float(grid[k]), float(grid[k + 1]), pair)
            # where levels cross exactly inside a block the slope jumps: no extremum
            if root is not None and abs(self._steepness(root, pair)) <= _ROOT * self.steepest:
                yield root

    def _root(self, lo: float, hi: float, pair: tuple[int, int]) -> float | None:
        """Return the zero of the difference of the slopes, None where it is steeper than a wide extremum."""
        near = _COARSE * (hi - lo)
        middle = brentq(self._steepness, lo, hi, (pair,), xtol=near)
        ends = (max(lo, middle - 2.0 * near), min(hi, middle + 2.0 * near))
        values = [self._steepness(end, pair) for end in ends]
        if values[0] * values[1] > 0.0:
            ends = (lo, hi)
        elif abs(values[1] - values[0]) > _STEEP * self.steepest * (ends[1] - ends[0]) / (hi - lo):
            return None
        return float(brentq(self._steepness, *ends, (pair,), xtol=1e-14, rtol=1e-14))

    def _steepness(self, B: float, pair: tuple[int, int]) -> float:
        """Return the difference of the slopes of two levels [K/T]."""
        (b0, k0), (b1, k1) = (self.columns[column] for column in pair)
        if b0 == b1:
            first, second = self.blocks[b0].slopes(B, k0, k1)
            return second - first
        return self.blocks[b1].slopes(B, k1)[0] - self.blocks[b0].slopes(B, k0)[0]

    def _point(self, B: float, pair: tuple[int, int]) -> _Point:
        levels = [self.blocks[b].at(B, k) for b, k in (self.columns[column] for column in pair)]
        if levels[0][0] > levels[1][0]:
            levels, pair = levels[::-1], pair[::-1]
        energy = np.concatenate([np.linalg.eigvalsh(block.H0 + B * block.G) for block in self.blocks])
        order = np.argsort(np.argsort(energy, kind="stable"), kind="stable")
        full = []
        for (_, _, vector), column in zip(levels, pair, strict=True):
            state = np.zeros(self.dimension, dtype=np.complex128)
            state[self.blocks[self.columns[column][0]].places] = vector
            full.append(state)
        return _Point(
            field=B,
            energy=levels[0][0] - float(energy.min()),
            gap=levels[1][0] - levels[0][0],
            curvature=levels[1][1] - levels[0][1],
            positions=(int(order[pair[0]]), int(order[pair[1]])),
            states=(full[0], full[1]),
        )


def _dataset(
    system: SpinSystem,
    moment: NDArray[np.complex128],
    direction: _Real,
    found: list[_Point],
    inputs: dict[str, object],
) -> xr.Dataset:
    elements = np.array([point.elements(moment) for point in found])
    along = np.abs(elements @ direction)
    across = np.sqrt(np.maximum(np.sum(np.abs(elements) ** 2, axis=1) - along**2, 0.0))
    gap = np.array([point.gap for point in found])
    curvature = np.array([point.curvature for point in found])
    names = basis_labels(system)

    def label(state: Array) -> str:
        weight = np.abs(state) ** 2
        order = np.argsort(-weight, kind="stable")
        return " & ".join(names[k] for k in order if weight[k] >= _NAMED)

    entries = {
        "field": ([point.field for point in found], "T", "field of the clock transition"),
        "energy": ([point.energy for point in found], "K", "energy of the lower level above the ground"),
        "gap": (gap, "K", "gap"),
        "frequency": (gap / KELVIN_PER_GIGAHERTZ, "GHz", "frequency"),
        "curvature": (curvature, "K/T^2", "second derivative of the gap"),
        "frequency_curvature": (
            curvature / KELVIN_PER_GIGAHERTZ,
            "GHz/T^2",
            "second derivative of the frequency",
        ),
        "far_slope": (np.sqrt(gap * np.abs(curvature)), "K/T", "slope of the gap far away"),
        "moment_parallel": (along, "mu_B", "moment along the field"),
        "moment_perpendicular": (across, "mu_B", "moment across the field"),
        "level_from": ([point.positions[0] for point in found], "1", "position in energy of the lower level"),
        "level_to": ([point.positions[1] for point in found], "1", "position in energy of the upper level"),
        "label_from": ([label(point.states[0]) for point in found], "1", "states of the lower level"),
        "label_to": ([label(point.states[1]) for point in found], "1", "states of the upper level"),
    }
    variables = {name: variable("transition", *entry) for name, entry in entries.items()}
    coords = {"transition": np.arange(len(found))}
    return result("clock_transitions", system, variables, coords, inputs)
