"""Inelastic neutron scattering by magnetic dipole transitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import spherical_jn

from mesospin.checks import finite, finite_array, instance_of, non_negative
from mesospin.constants import KELVIN_PER_MILLIELECTRONVOLT
from mesospin.errors import InputError
from mesospin.experiment.nearest_lines import nearest_values, no_line
from mesospin.experiment.transitions import Floats, read_temperatures
from mesospin.model.line_shapes import LineShape
from mesospin.model.system import SpinSystem, check_system
from mesospin.operators.product import embed
from mesospin.results import result, variable
from mesospin.scale import require_memory
from mesospin.spectrum.block_states import BlockStates
from mesospin.spectrum.matrices import Array, unit_axis, zeeman_operators
from mesospin.thermo.boltzmann import occupations
from mesospin.units import to_kelvin

#: Numbers that one evaluation of line shapes holds.
_CHUNK = 2**21

#: Scattering, over that of the strongest transition, below which there is none.
_DARK = 1e-25

#: Energy loss, over the spread of all levels, below which scattering is elastic.
_ELASTIC = 1e-9

#: Steps of the energy that one resolution width must have.
_STEPS = 2.0


@dataclass(frozen=True, slots=True, init=False)
class Interference:
    r"""Scattering at finite momentum transfer by the ions of a cluster, in a powder.

    .. math:: \overline{(\delta_{ab} - \hat Q_a\hat Q_b)\,e^{i\mathbf Q\cdot\mathbf R}} =
              \delta_{ab}\left[\tfrac23 j_0(QR) - \tfrac13 j_2(QR)\right] + \hat R_a\hat R_b\,j_2(QR)

    averages over the directions of Q.  The form factor of the ions is taken to be 1.

    Parameters
    ----------
    Q : float [1/angstrom]
        Magnitude of the momentum transfer, >= 0.
    positions : array-like, shape (ions, 3) [angstrom]
        Positions of the electronic spins in their order, in the frame of the Hamiltonian.

    Raises
    ------
    InputError
        If Q is negative or positions are not finite.

    References
    ----------
    - O. Waldmann, Phys. Rev. B 68, 174406 (2003).

    Examples
    --------
    >>> Interference(1.2, [[0, 0, 0], [0, 0, 3.5]]).positions[1]
    (0.0, 0.0, 3.5)
    """

    Q: float
    positions: tuple[tuple[float, ...], ...]

    def __init__(self, Q: float, positions: ArrayLike) -> None:
        places = finite_array("positions", positions, "angstrom", shape=(None, 3))
        object.__setattr__(self, "Q", non_negative("Q", Q, "1/angstrom"))
        object.__setattr__(self, "positions", tuple(tuple(row) for row in places.tolist()))

    def weights(self, first: int, second: int) -> Floats:
        """Return the weights (3, 3) of the product of the moments of two ions."""
        distance = np.subtract(self.positions[first], self.positions[second])
        length = float(np.linalg.norm(distance))
        unit = distance / length if length > 0.0 else distance
        j0, j2 = (float(spherical_jn(order, self.Q * length)) for order in (0, 2))
        return np.asarray((2.0 * j0 - j2) / 3.0 * np.eye(3) + j2 * np.outer(unit, unit))


def neutron_spectrum(
    system: SpinSystem,
    T: ArrayLike,
    energy: ArrayLike,
    *,
    line: LineShape,
    interference: Interference | None = None,
    B: float = 0.0,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
) -> xr.Dataset:
    r"""Return the magnetic neutron scattering of a powder against the energy that neutrons lose.

    .. math:: S(E) = \sum_{ij} p_i\,W_{ij}\,L(E - E_j + E_i),\qquad
              W_{ij} = \tfrac23\sum_{a=x,y,z}|\langle i|\mu_a|j\rangle|^2

    in the dipole approximation with form factor 1.  For one magnetic ion that is all; for a cluster
    it is the limit of zero momentum transfer, where only the total moment counts and
    transitions between multiplets of different spin are dark.  `Interference` gives finite
    momentum transfer.  Nuclear spins split the levels but do not scatter here.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    T : float or array-like, shape (temperature,) [K]
        Temperatures, > 0.
    energy : array-like, shape (energy,) [K]
        Energy loss, ascending; 1 meV is 11.605 K.
    line : GaussianLine or LorentzianLine
        Resolution, a number [K] or a text, "0.1 meV"; twice the step of ``energy`` or more.
    interference : Interference, optional
        Momentum transfer and positions of the ions of a cluster.
    B : float, default 0 [T]
        Field along ``axis``, the same in all molecules; the directions of Q are averaged.
    axis : three numbers, default z
        Direction of the field.

    Returns
    -------
    xarray.Dataset
        ``intensity`` (temperature, energy) [mu_B^2/K] and ``intensity_mev`` [mu_B^2/meV], with the
        coordinates ``energy`` [K] and ``energy_mev``; between levels ``strength``
        :math:`W_{ij}` (level_from, level_to) [mu_B^2] and ``transition_energy`` [K], negative for
        energy gain; ``level_energy`` [K] from the ground level and ``population`` (temperature,
        level_from).  The integral over all energies is :math:`\tfrac23\langle\mathbf M^2\rangle`, the
        thermal mean of the total moment M (without `Interference`); for one spin with isotropic g,
        :math:`\tfrac23 g^2 J(J+1)`.
        If there is no transition in the range, the attribute ``empty`` says where the nearest ones are.
        The strengths of exactly degenerate levels depend on the basis; their sum is physical.

    Raises
    ------
    InputError
        If an argument breaks its condition, the energies do not resolve the line, or there are not as
        many positions as electronic spins.
    TooLargeError
        If the matrices do not fit in memory.

    Notes
    -----
    The magnetic cross-section per molecule is :math:`(\gamma r_0/2)^2 (k'/k)\,F^2(Q)\,S`, with
    :math:`(\gamma r_0/2)^2` = 72.65 mb; the resolution is symmetric, so that detailed balance,
    :math:`S(-E) = e^{-E/T}S(E)`, holds for the transitions and not within a line.

    References
    ----------
    - A. Furrer and O. Waldmann, Rev. Mod. Phys. 85, 367 (2013).

    Examples
    --------
    A spin 1 with an easy plane: one line at D.

    >>> from mesospin.model.line_shapes import GaussianLine
    >>> from mesospin.model.system import giant_spin
    >>> E = np.linspace(-10, 10, 401)
    >>> ds = neutron_spectrum(giant_spin(1, D=5.0), 1.0, E, line=GaussianLine(0.5))
    >>> float(ds.intensity.idxmax("energy")), float(ds.strength[0].sum().round(6))
    (5.0, 5.333333)
    """
    check_system(system)
    instance_of("line", line, LineShape, hint="write for example GaussianLine('0.1 meV')")
    grid, fwhm = _read_energy(energy, line)
    temperatures, dims = read_temperatures(T)
    n = system.dimension
    sites = len(system.electronic_sites)
    require_memory(16 * n * n * (8 + 3 * sites), f"scattering of {system.name} ({n} states)")
    levels, states = _levels(system, finite("B", B, "T"), axis)
    strength = _strengths(system, states, interference)
    population = occupations(levels[None], temperatures[None])[0][0]
    gap = levels[None, :] - levels[:, None]
    intensity = _drawn(gap.ravel(), population[:, :, None] * strength, grid, line, fwhm)
    shape = (*np.shape(T), len(grid))
    variables = {
        "intensity": variable((*dims, "energy"), intensity.reshape(shape), "mu_B^2/K", "scattering S(E)"),
        "intensity_mev": variable(
            (*dims, "energy"),
            KELVIN_PER_MILLIELECTRONVOLT * intensity.reshape(shape),
            "mu_B^2/meV",
            "scattering S(E)",
        ),
        "strength": variable(("level_from", "level_to"), strength, "mu_B^2", "transition strength"),
        "transition_energy": variable(("level_from", "level_to"), gap, "K", "energy loss"),
        "level_energy": variable("level_from", levels - levels[0], "K", "energy above the ground level"),
        "population": variable(
            (*dims, "level_from"), population.reshape(*np.shape(T), n), "1", "population of the level"
        ),
    }
    coords = {
        "energy": variable("energy", grid, "K", "energy loss"),
        "energy_mev": variable("energy", grid / KELVIN_PER_MILLIELECTRONVOLT, "meV", "energy loss"),
        "temperature": variable(dims, np.asarray(T, dtype=float), "K", "temperature"),
        "level_from": np.arange(n),
        "level_to": np.arange(n),
        "field": variable((), float(B), "T", "field"),
    }
    inputs = {"line": repr(line), "interference": repr(interference), "axis": list(axis)}
    ds = result("neutron_spectrum", system, variables, coords, inputs)
    if float(intensity.max()) > _DARK * float(strength.max()) / fwhm:
        return ds
    lit = (population.max(axis=0)[:, None] * strength > 0.0) & (np.abs(gap) > _ELASTIC * np.ptp(levels))
    near = nearest_values(gap[lit], grid[0], grid[-1])
    where = f"between {grid[0]:g} and {grid[-1]:g} K"
    return ds.assign_attrs(empty=no_line("energy must reach a transition", where, near, "K"))


def _read_energy(energy: ArrayLike, line: LineShape) -> tuple[Floats, float]:
    grid = finite_array("energy", energy, "K")
    if grid.ndim != 1 or grid.size < 2 or not np.all(np.diff(grid) > 0):
        raise InputError(
            f"energy must be two or more ascending values [K], got shape {grid.shape}; sort them"
        )
    fwhm = line.width(to_kelvin)
    step = float(np.diff(grid).max())
    if step * _STEPS > fwhm * (1.0 + 1e-9):
        raise InputError(
            f"energy must have steps of at most half the line width, {fwhm / _STEPS:.3g} K, got "
            f"{step:.3g} K; take more points or a broader line"
        )
    return grid, fwhm


def _levels(system: SpinSystem, B: float, axis: Sequence[float]) -> tuple[Floats, NDArray[np.complex128]]:
    """Return the levels [K], ascending, and the states in columns."""
    axes = unit_axis(axis)[None]
    # Without a field the blocks are those of H0 alone, whatever the axis.
    along = axes if B else np.zeros_like(axes)
    energy, states = BlockStates.along(system, along).sorted_states(along, np.array([B]))
    return energy[0], states[0]


def _strengths(system: SpinSystem, states: Array, interference: Interference | None) -> Floats:
    """Return the strengths (n, n) [mu_B^2] between all levels."""
    electronic = system.electronic_sites
    moments = [_moments(system, site, states) for site in electronic]
    if interference is None:
        total = np.sum(moments, axis=0)
        return np.asarray(2.0 / 3.0 * np.sum(np.abs(total) ** 2, axis=0))
    instance_of("interference", interference, Interference, hint="write Interference(Q, positions)")
    if len(interference.positions) != len(electronic):
        raise InputError(
            f"positions must be {len(electronic)}, one for every electronic spin, got "
            f"{len(interference.positions)}; give them in the order of the spins"
        )
    strength = np.zeros(states.shape)
    for first, one in enumerate(moments):
        for second, other in enumerate(moments):
            weights = interference.weights(first, second)
            strength += np.einsum("aij,ab,bij->ij", one.conj(), weights, other).real
    return np.maximum(strength, 0.0)


def _moments(system: SpinSystem, site: int, states: Array) -> NDArray[np.complex128]:
    """Return the moment (3, n, n) [mu_B] of one electronic spin between all states."""
    operators = zeeman_operators(system.spins[site])
    bra = states.conj().T
    embedded = (embed(local.matrix(), site, system.dimensions) for local in operators)
    return np.stack([np.asarray(-(bra @ (matrix @ states)), dtype=np.complex128) for matrix in embedded])


def _drawn(gap: Floats, area: Floats, grid: Floats, line: LineShape, fwhm: float) -> Floats:
    """Return the sum (t, e) of lines at ``gap`` (n n,) with areas (t, n, n)."""
    flat = area.reshape(len(area), -1)
    lit = flat.max(axis=0) > np.finfo(np.float64).eps ** 2 * flat.max()
    centre, flat = gap[lit], flat[:, lit]
    total = np.zeros((len(area), len(grid)))
    size = max(1, _CHUNK // len(grid))
    for start in range(0, len(centre), size):
        part = slice(start, start + size)
        total += flat[:, part] @ line.value(grid[None, :] - centre[part, None], fwhm)
    return total
