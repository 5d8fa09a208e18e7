"""Diabatic levels along a line in field space.

At a crossing much narrower than anything that resolves it, the exact eigenstates are
shared by both sides of the barrier.  The diabatic states are the eigenstates rotated,
inside every group of levels closer than a window, until the slope dH/dB is diagonal;
the off-diagonal elements this leaves behind are the tunnelling.  Gaps above
``adiabatic_gap`` are not undone: there the system follows the eigenstate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.spectrum.low_energy import block_line, low_energy_basis, restricted
from mesospin.spectrum.matrices import Array, FieldLine, symmetry_blocks

#: Width of a group of close levels over the adiabatic gap; the mixing cut off is at most 2.5 % in amplitude.
WINDOW = 20.0
_CHUNK_BYTES = 2**25


class DiabaticPoint(NamedTuple):
    """Diabatic states at one field: energies (n,) [K], slopes (n,) [K/T], states (n, n).

    ``coupling`` holds the elements of H between them [K]; its diagonal is zero.
    """

    field: float
    energy: NDArray[np.float64]
    slope: NDArray[np.float64]
    states: Array
    coupling: Array


class Part(NamedTuple):
    """The lowest ``levels`` of one symmetry block, the basis states ``members`` of a field line.

    ``basis`` (n_p, r) spans a space that contains them at all fields; ``line`` is H(B) and ``site_slope``
    (r, r) the operator of `diabatic_point` in that space; gaps above ``adiabatic_gap`` [K] are followed.
    """

    members: NDArray[np.intp]
    basis: Array
    line: FieldLine
    site_slope: Array
    levels: int
    adiabatic_gap: float

    def at(self, fields: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], Array]:
        """Return energies (f, k), slopes (f, k) and states (f, r, k) at ``fields``, by energy."""
        n = len(self.line.H0)
        energy = np.empty((len(fields), self.levels))
        states: NDArray[Any] = np.empty((len(fields), n, self.levels), dtype=self.line.H0.dtype)
        size = max(1, _CHUNK_BYTES // (16 * n * n))
        for start in range(0, len(fields), size):
            chunk = slice(start, start + size)
            E, U = np.linalg.eigh(self.line.H0 + fields[chunk, None, None] * self.line.G)
            energy[chunk], states[chunk] = E[:, : self.levels], U[:, :, : self.levels]
        slope = (states.conj() * (self.line.G @ states)).sum(axis=1).real
        for i in np.flatnonzero((np.diff(energy, axis=1) <= WINDOW * self.adiabatic_gap).any(axis=1)):
            point = _rotate_groups(
                self.line, float(fields[i]), energy[i], states[i], self.adiabatic_gap, self.site_slope
            )
            energy[i], slope[i], states[i] = point.energy, point.slope, point.states
        return energy, slope, states

    def point(self, B: float) -> DiabaticPoint:
        """Return the diabatic states of the block at one field, ordered by energy."""
        energy, U = (values[..., : self.levels] for values in np.linalg.eigh(self.line.at(B)))
        return _rotate_groups(self.line, B, energy, U, self.adiabatic_gap, self.site_slope)


def low_parts(
    line: FieldLine,
    site_slope: NDArray[np.float64],
    lo: float,
    hi: float,
    adiabatic_gap: float,
    count: int | None = None,
) -> tuple[Part, ...]:
    """Return the symmetry blocks of a field line with the ``count`` lowest levels of all (default: every).

    A gap must separate them from the rest from ``lo`` to ``hi`` [T]: then every block keeps its number.
    """
    blocks = symmetry_blocks(*line)
    lines = [block_line(line, block) for block in blocks]
    kept = [len(block) for block in blocks]
    if count is not None and count < len(line.H0):
        # levels of a block below the gap are as many at one field as at any other
        energies = [np.linalg.eigvalsh(part.at(lo)) for part in lines]
        edge = np.sort(np.concatenate(energies))[count - 1 : count + 1].mean()
        kept = [int(np.searchsorted(E, edge)) for E in energies]
    parts = []
    for block, part, number in zip(blocks, lines, kept, strict=True):
        if number:
            basis = low_energy_basis(part, lo, hi, number)
            sites = basis.conj().T @ (site_slope[block, None] * basis)
            parts.append(Part(block, basis, restricted(part, basis), sites, number, adiabatic_gap))
    return tuple(parts)


def diabatic_point(
    line: FieldLine, B: float, *, adiabatic_gap: float, site_slope: NDArray[np.float64]
) -> DiabaticPoint:
    """Return the diabatic states of H(B), ordered by energy.

    Parameters
    ----------
    line : FieldLine
        H(B) = H0 + B G.
    B : float [T]
        Field along the line.
    adiabatic_gap : float [K]
        Gaps above this are kept; smaller ones become couplings.
    site_slope : ndarray, shape (n,)
        Diagonal operator added to G in the choice of states, so small that it only
        decides where G leaves the states degenerate (equal moments on different sites).
    """
    energy, U = np.linalg.eigh(line.at(B))
    return _rotate_groups(line, B, energy, U, adiabatic_gap, np.diag(site_slope))


def _rotate_groups(
    line: FieldLine,
    B: float,
    energy: NDArray[np.float64],
    U: Array,
    adiabatic_gap: float,
    site_slope: Array,
) -> DiabaticPoint:
    n = len(energy)
    edges = np.flatnonzero(np.diff(energy) > WINDOW * adiabatic_gap) + 1
    coupling: NDArray[Any] = np.zeros((n, n), dtype=U.dtype)
    if len(edges) < n - 1:
        U, energy = U.copy(), energy.copy()
        for group in np.split(np.arange(n), edges):
            if len(group) > 1:
                V = U[:, group]
                rotation, h = _diabatise(
                    energy[group],
                    V.conj().T @ (line.G + site_slope) @ V,
                    adiabatic_gap,
                )
                U[:, group] = V @ rotation
                energy[group] = np.diagonal(h).real
                coupling[np.ix_(group, group)] = h - np.diag(np.diagonal(h))
    slope = (U.conj() * (line.G @ U)).sum(axis=0).real
    return DiabaticPoint(B, energy, slope, U, coupling)


def _diabatise(energy: NDArray[np.float64], moment: Array, adiabatic_gap: float) -> tuple[Array, Array]:
    """Return the rotation of one group that makes the moment diagonal, and H in it."""
    _, rotation = np.linalg.eigh(moment)
    h = (rotation.conj().T * energy) @ rotation
    strong = 2 * np.abs(h) >= adiabatic_gap
    np.fill_diagonal(strong, True)
    if strong.sum() > len(h):
        _, back = np.linalg.eigh(np.where(strong, h, 0.0))
        rotation = rotation @ back
        h = (rotation.conj().T * energy) @ rotation
    return rotation, h
