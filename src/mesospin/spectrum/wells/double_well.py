"""The double well of a molecular magnet: levels and classical barrier, climbs and tunnelling."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.checks import finite, finite_array, positive
from mesospin.errors import ConvergenceError, InputError
from mesospin.model.system import SpinSystem, check_system
from mesospin.operators.spin import spin_operators
from mesospin.results import result, variable
from mesospin.spectrum.matrices import basis_projections, field_line, unit_axis
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting
from mesospin.spectrum.wells.classical_profile import ClassicalSpin, Wells, classical_spin, find_wells

_Real = NDArray[np.float64]
_States = NDArray[Any]

#: Points of the classical curve.
_POINTS = 361
#: Probability on its side of the barrier that puts a level into a well.
_IN_WELL = 0.9
#: Product of the amplitudes of a level in both wells above which it is shared: 0.1 % of the weight.
_SHARED = 0.03
#: Energies relative to the width of the spectrum that count as degenerate.
_DEGENERATE = 1e-9
#: Strength of a transition, relative to the strongest of its weaker level, that counts as allowed.
_ALLOWED = 1e-2
#: Gap relative to the width of the spectrum that eigenvalues resolve.
_RESOLVED = 1e-13
#: Field below which Kramers' theorem is taken to hold [T].
_ZERO_FIELD = 1e-9
#: Weight that a basis state must have in a level to name it.
_LABEL_WEIGHT = 0.5


def double_well(
    system: SpinSystem,
    *,
    B: float = 0.0,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    tolerance: float = 0.02,
) -> xr.Dataset:
    r"""Return the double-well picture of a molecule in a field: E(m) and E(theta) with the levels in it.

    Parameters
    ----------
    system : SpinSystem
        One electronic spin with an easy axis near z; nuclei are left out (``inputs`` says so).
    B : float [T], default 0
        Field along ``axis``.
    axis : three numbers, default z
        Direction of that field.
    transverse : two numbers (Bx, By) [T], default none
        Constant field added to it.
    tolerance : float [T], default 0.02
        Pairs of levels that cross within this distance of ``B`` are resonant.

    Returns
    -------
    xarray.Dataset
        Along ``theta`` [deg], from the z axis: ``classical_energy`` [K], the lowest over the azimuth,
        ``classical_azimuth`` [deg] and ``classical_m`` = S cos(theta).  Along ``well`` (left, right):
        ``well_theta``, ``well_azimuth``, ``well_end`` (its ridge) [deg], ``well_energy``, the classical
        ``barrier``, ``quantum_barrier`` [K] and ``ground``, the lowest level in the well.  Scalars
        ``top_energy`` [K], ``top_theta``, ``top_azimuth`` [deg].  Along ``level``, in order of energy:
        ``energy`` [K], ``mean_sz``, ``m`` (the projection that has more than half of it, else NaN),
        ``label_weight``, ``over_barrier`` and ``side``: -1 left, 1 right, 0 over the barrier, shared or in
        a third well.  Along ``climb``: ``climb_from``, ``climb_to`` (levels, upwards),
        ``climb_strength``.  Along ``tunnelling``: ``tunnel_left``, ``tunnel_right`` (levels),
        ``splitting`` (full gap) [K], ``log10_splitting``,
        ``crossing_field`` [T], ``zero``, ``reason``.

    Raises
    ------
    InputError
        If there are several electronic spins, an argument is not finite, or the classical energy has one
        well only (beyond the switching field, or no easy axis along z).
    TooLargeError
        If the dense matrices do not fit in memory.

    Notes
    -----
    The classical energy is that of a vector of length S, :math:`m\to S\cos\theta`, each power of S+ and S-
    to :math:`S\sin\theta\,e^{\pm i\phi}` (see ``spectrum.classical_profile``): an axial spin has its
    levels on the curve, and :math:`U = |D|S^2(1-h/2|D|S)^2` in a transverse field, :math:`h=g\mu_BB_x`.
    ``barrier`` is from the classical minimum of each well to the top of the curve between them,
    ``quantum_barrier`` from the lowest level of the well to the first level at or above that top, to the
    highest one if none is.

    Levels are eigenstates.  Two neighbours below the top that share the wells (0.1 % of the weight) are
    replaced by their localised combinations, those of diagonal Sz, at their mean energies, as long as
    their gap is smaller than the distance to the next levels.  A level is in a well (``side``) if it lies
    below the top with 90 % of its weight on that side of the barrier.

    Climbs are the transitions that a single phonon makes: ``climb_strength`` is the sum of the squared
    elements of {Sx,Sz}, {Sy,Sz}, Sx^2-Sy^2 and {Sx,Sy}, and those below 1 % of the strongest one of either
    level are left out.  Between states of definite m it is (S-m)(S+m+1)(2m+1)^2/2 for a step to m + 1
    and (S-m)(S+m+1)(S-m-1)(S+m+2)/2 for one to m + 2: m changes by 1 or 2.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> ds = double_well(giant_spin(10, D=-0.5, E=0.01))
    >>> ds.barrier.values.round(6), ds.quantum_barrier.values.round(2)
    (array([49., 49.]), array([49.03, 49.03]))
    >>> ds.sizes["tunnelling"], f"{float(ds.splitting[0]):.3e}"
    (9, '7.053e-19')
    """
    molecule, nuclei = _electronic_part(system)
    field = finite("B", B, "T")
    near = positive("tolerance", tolerance, "T")
    offset = finite_array("transverse", transverse, "T", shape=(2,))
    direction = unit_axis(axis)
    spin = classical_spin(molecule, (field * direction + np.array([*offset, 0.0])).tolist())
    wells = find_wells(spin)
    if wells is None:
        msg = (
            f"{system.name} must have two wells along z at this field, got one minimum of the classical "
            f"energy at B = {field:g} T; take a smaller field, or turn the easy axis of the molecule to z"
        )
        raise InputError(msg)
    levels = _levels(molecule, spin, wells, field, axis, transverse)
    tunnelling = _tunnelling(molecule, levels, field, near, axis, transverse)
    inputs = {
        "B": field,
        "axis": list(axis),
        "transverse": offset.tolist(),
        "tolerance": near,
        "nuclei": "left out" if nuclei else "none",
    }
    variables = _classical(spin, wells) | _ladder(levels) | tunnelling
    theta = np.linspace(0.0, 180.0, _POINTS)
    coords = {
        "theta": variable("theta", theta, "deg", "angle from the z axis"),
        "well": ["left", "right"],
        "level": np.arange(len(levels.energy)),
    }
    return result("double_well", system, variables, coords, inputs)


def _electronic_part(system: SpinSystem) -> tuple[SpinSystem, bool]:
    """Return the system without its nuclei, and whether there were any."""
    check_system(system)
    sites = system.electronic_sites
    if len(sites) != 1:
        msg = (
            f"{system.name} must have one electronic spin for a double well, got {len(sites)}; take the "
            "giant spin of its ground multiplet"
        )
        raise InputError(msg)
    if len(system.spins) == 1:
        return system, False
    terms = []
    for term in system.terms:
        if term.sites == sites:
            moved: Any = dataclasses.replace(term, site=0)  # type: ignore[type-var]
            terms.append(moved)
    return system.replace(spins=(system.spins[sites[0]],), terms=tuple(terms)), True


class _Levels(NamedTuple):
    """Levels in order of energy: energy [K], <Sz>, name m, its weight, side, dE/dB [K/T].

    ``coupling`` holds the gap [K] of neighbours in different wells, ``strength`` (n, n) allowed transitions.
    """

    energy: _Real
    mean_sz: _Real
    m: _Real
    weight: _Real
    side: NDArray[np.int64]
    slope: _Real
    coupling: dict[tuple[int, int], float]
    strength: _Real
    top: float


def _levels(
    molecule: SpinSystem,
    spin: ClassicalSpin,
    wells: Wells,
    B: float,
    axis: Sequence[float],
    transverse: Sequence[float],
) -> _Levels:
    line = field_line(molecule, axis=axis, transverse=transverse)
    m = basis_projections(molecule)[:, 0]
    energy, U = np.linalg.eigh(line.at(B))
    ends = [spin.S * np.cos(angle) for angle in (wells.left_end, wells.right_end)]
    # a basis state on the end itself belongs half to the well
    sides = np.stack([0.5 * (1 + np.sign(ends[0] - m)), 0.5 * (1 + np.sign(m - ends[1]))])
    energy, U, coupling = _localised(energy, U, m, sides, wells.top.energy)
    probability = np.abs(U) ** 2
    inside = sides @ probability
    below = energy < wells.top.energy - _DEGENERATE * float(np.ptp(energy))
    side = np.where(inside[1] > _IN_WELL, 1, np.where(inside[0] > _IN_WELL, -1, 0))
    weight = probability.max(axis=0)
    return _Levels(
        energy=energy,
        mean_sz=m @ probability,
        m=np.where(weight > _LABEL_WEIGHT, m[probability.argmax(axis=0)], np.nan),
        weight=weight,
        side=np.where(below, side, 0).astype(np.int64),
        slope=np.einsum("ik,ij,jk->k", U.conj(), line.G, U, optimize=True).real,
        coupling=coupling,
        strength=_climb_strength(spin.S, U),
        top=wells.top.energy,
    )


def _localised(
    energy: _Real, U: _States, m: _Real, sides: _Real, top: float
) -> tuple[_Real, _States, dict[tuple[int, int], float]]:
    """Replace neighbouring levels that share the wells by their combinations of diagonal Sz.

    Returns energies, states (columns) and the full gap 2|h| of every pair of neighbours in different wells.
    """
    energy, U = energy.copy(), U.copy()
    padded = np.pad(energy, 1, constant_values=(-np.inf, np.inf))
    same = _DEGENERATE * float(np.ptp(energy))
    gaps: dict[tuple[int, int], float] = {}
    k = 0
    while k < len(energy) - 1:
        pair = [k, k + 1]
        values, rotation = np.linalg.eigh(U[:, pair].conj().T @ (m[:, None] * U[:, pair]))
        h = (rotation.conj().T * energy[pair]) @ rotation
        states = U[:, pair] @ rotation
        inside = sides @ np.abs(states) ** 2
        apart = min(inside[0, 0], inside[1, 1]) > _IN_WELL
        gap = 2 * abs(h[0, 1])
        lone = gap <= min(energy[k] - padded[k], padded[k + 3] - energy[k + 1])
        mixed = abs(rotation[0, 0] * rotation[0, 1]) > _SHARED and values[1] > values[0]
        if apart:
            gaps[k, k + 1] = gap
        if apart and lone and mixed and (energy[k + 1] < top or energy[k + 1] - energy[k] < same):
            order = np.argsort(h.diagonal().real, kind="stable")
            energy[pair] = h.diagonal().real[order]
            U[:, pair] = states[:, order]
            k += 1
        k += 1
    return energy, U, gaps


def _climb_strength(S: float, U: _States) -> _Real:
    """Return the sum of the squared elements of the four quadrupoles between all levels, shape (n, n)."""
    Sx, Sy, Sz = spin_operators(S)
    quadrupoles = (Sx @ Sz + Sz @ Sx, Sy @ Sz + Sz @ Sy, Sx @ Sx - Sy @ Sy, Sx @ Sy + Sy @ Sx)
    strength = sum(np.abs(U.conj().T @ V @ U) ** 2 for V in quadrupoles)
    total = np.asarray(strength, dtype=np.float64)
    np.fill_diagonal(total, 0.0)
    strongest = total.max(axis=0)
    return np.where(total >= _ALLOWED * np.minimum(strongest, strongest[:, None]), total, 0.0)


def _ladder(levels: _Levels) -> dict[str, Any]:
    # levels of equal energy exchange no phonon
    apart = levels.energy[None, :] - levels.energy[:, None] > _DEGENERATE * np.ptp(levels.energy)
    lower, upper = np.nonzero(np.triu(levels.strength) * apart)
    barrier, ground = _quantum_barrier(levels)
    entries = {
        "energy": ("level", levels.energy, "K", "energy"),
        "mean_sz": ("level", levels.mean_sz, "1", "mean of Sz"),
        "m": ("level", levels.m, "1", "projection m"),
        "label_weight": ("level", levels.weight, "1", "probability of the named state"),
        "side": ("level", levels.side, "1", "well"),
        "over_barrier": ("level", _over(levels), "1", "at or above the top of the barrier"),
        "quantum_barrier": ("well", barrier, "K", "barrier between levels"),
        "ground": ("well", ground, "1", "lowest level of the well"),
        "climb_from": ("climb", lower, "1", "lower level"),
        "climb_to": ("climb", upper, "1", "upper level"),
        "climb_strength": ("climb", levels.strength[lower, upper], "1", "squared quadrupole elements"),
    }
    return {name: variable(*entry) for name, entry in entries.items()}


def _over(levels: _Levels) -> NDArray[np.bool_]:
    """Return which levels are at or above the top of the classical barrier, within 1e-9 of the spectrum."""
    return np.asarray(
        levels.energy >= levels.top - _DEGENERATE * float(np.ptp(levels.energy)), dtype=np.bool_
    )


def _quantum_barrier(levels: _Levels) -> tuple[_Real, NDArray[np.int64]]:
    """Return the barrier of each well [K] and its lowest level; NaN and -1 for a well without levels."""
    above = levels.energy[_over(levels)]
    first = above[0] if len(above) else levels.energy[-1]
    barrier, ground = np.full(2, np.nan), np.full(2, -1, dtype=np.int64)
    for well, side in enumerate((-1, 1)):
        members = np.flatnonzero(levels.side == side)
        if len(members):
            ground[well] = members[0]
            barrier[well] = first - levels.energy[members[0]]
    return barrier, ground


def _tunnelling(
    molecule: SpinSystem,
    levels: _Levels,
    B: float,
    tolerance: float,
    axis: Sequence[float],
    transverse: Sequence[float],
) -> dict[str, Any]:
    """Return the pairs of levels in opposite wells that cross within the tolerance, with their splittings."""
    rows = []
    for i in np.flatnonzero(levels.side == -1):
        for j in np.flatnonzero(levels.side == 1):
            bias, slope = levels.energy[i] - levels.energy[j], levels.slope[i] - levels.slope[j]
            if slope == 0 or not abs(bias) <= 2 * tolerance * abs(slope):
                continue
            row = _gap(molecule, levels, (int(i), int(j)), B - bias / slope, axis, transverse)
            if abs(row[2] - B) <= tolerance:
                rows.append((int(i), int(j), *row))
    rows.sort(key=lambda row: levels.energy[row[0]])
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    entries = {
        "tunnel_left": (np.int64, "1", "level in the left well"),
        "tunnel_right": (np.int64, "1", "level in the right well"),
        "splitting": (np.float64, "K", "tunnel splitting (full gap)"),
        "log10_splitting": (np.float64, "1", "log10 of the splitting in K"),
        "crossing_field": (np.float64, "T", "field of the crossing"),
        "zero": (np.bool_, "1", "gap exactly zero"),
        "reason": (np.str_, "1", "reason for a zero gap"),
    }
    return {
        name: variable("tunnelling", np.array(column, dtype=kind), units, text)
        for (name, (kind, units, text)), column in zip(entries.items(), columns, strict=True)
    }


_Row = tuple[float, float, float, bool, str]


def _gap(
    molecule: SpinSystem,
    levels: _Levels,
    pair: tuple[int, int],
    field: float,
    axis: Sequence[float],
    transverse: Sequence[float],
) -> _Row:
    """Return splitting, log10, field, zero, reason: of the named states, else of the localised levels."""
    names = [float(levels.m[k]) for k in pair]
    if np.all(np.isfinite(names)):
        try:
            gap = tunnel_splitting(molecule, names, axis=axis, transverse=transverse)
        except (InputError, ConvergenceError):
            pass
        else:
            return gap.kelvin, gap.log10, gap.field, gap.is_zero_by_symmetry, gap.reason
    value = levels.coupling.get((min(pair), max(pair)), np.nan)
    if value > _RESOLVED * float(np.ptp(levels.energy)):
        return value, float(np.log10(value)), field, False, ""
    if molecule.is_kramers and not any(transverse) and abs(field) < _ZERO_FIELD:
        return 0.0, -np.inf, field, True, "Kramers: half-integer total spin at zero field"
    return np.nan, np.nan, field, False, "no projection names the levels: see tunnel_splitting(...)"


def _classical(spin: ClassicalSpin, wells: Wells) -> dict[str, Any]:
    theta = np.linspace(0.0, np.pi, _POINTS)
    energy, azimuth = spin.profile(theta)
    both = (wells.left, wells.right)
    minima = np.array([place.energy for place in both])
    entries = {
        "classical_energy": ("theta", energy, "K", "classical energy"),
        "classical_azimuth": ("theta", np.degrees(azimuth), "deg", "azimuth of the lowest energy"),
        "classical_m": ("theta", spin.S * np.cos(theta), "1", "S cos(theta)"),
        "well_theta": ("well", np.degrees([place.theta for place in both]), "deg", "angle of the minimum"),
        "well_azimuth": ("well", np.degrees([place.azimuth for place in both]), "deg", "its azimuth"),
        "well_end": ("well", np.degrees([wells.left_end, wells.right_end]), "deg", "angle of its ridge"),
        "well_energy": ("well", minima, "K", "classical minimum"),
        "barrier": ("well", wells.top.energy - minima, "K", "classical barrier"),
        "top_energy": ((), wells.top.energy, "K", "top of the barrier"),
        "top_theta": ((), np.degrees(wells.top.theta), "deg", "angle of the top"),
        "top_azimuth": ((), np.degrees(wells.top.azimuth), "deg", "azimuth of the top"),
    }
    return {name: variable(*entry) for name, entry in entries.items()}
