"""Levels, slopes and states of H(B n) for many fields and directions, kept in their symmetry blocks.

Levels of different blocks cross, so within a block the order by energy follows the levels
through a field sweep.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesospin.model.system import SpinSystem
from mesospin.spectrum.matrices import Array, affine_hamiltonian, symmetry_blocks

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
States = NDArray[np.complex128]

_CHUNK_BYTES = 2**25
_COPIES = 6


@dataclass(frozen=True, slots=True)
class BlockStates:
    """The symmetry blocks that all fields along the given directions have in common.

    Parameters
    ----------
    system : SpinSystem
    blocks : tuple of integer arrays
        Basis states of each block; levels are numbered block after block, by energy within each.
    """

    system: SpinSystem
    blocks: tuple[Indices, ...]

    @classmethod
    def along(cls, system: SpinSystem, axes: Floats) -> BlockStates:
        """Return the blocks for fields along ``axes``, shape (d, 3)."""
        H0, G = affine_hamiltonian(system)
        used = [component for component in range(3) if np.any(axes[:, component])]
        return cls(system, symmetry_blocks(H0, *(G[component] for component in used)))

    @property
    def block_of(self) -> Indices:
        """Number of the block of every level, shape (n,)."""
        return np.repeat(np.arange(len(self.blocks)), [len(block) for block in self.blocks])

    def connected(self) -> NDArray[np.bool_]:
        """Return which levels the magnetic moment, in any direction, can connect, shape (n, n)."""
        pattern = np.any(affine_hamiltonian(self.system).G != 0, axis=0)
        count = len(self.blocks)
        member = np.zeros((count, self.system.dimension))
        for index, block in enumerate(self.blocks):
            member[index, block] = 1.0
        linked = member @ pattern @ member.T > 0
        return np.asarray(linked[np.ix_(self.block_of, self.block_of)])

    def levels(self, axes: Floats, B: Floats) -> tuple[Floats, Floats]:
        """Return energies [K] and slopes dE/dB [K/T], each (f, n), at fields ``B`` (f,) along ``axes``."""
        n = self.system.dimension
        energy, slope = np.empty((len(B), n)), np.empty((len(B), n))
        for part in self._parts(len(B)):
            for columns, values, vectors, rate in self._solve(axes[part], B[part]):
                energy[part, columns] = values
                slope[part, columns] = np.einsum("fia,fia->fa", vectors.conj(), rate @ vectors).real
        return energy, slope

    def states(self, axes: Floats, B: Floats) -> tuple[Floats, States]:
        """Return energies (f, n) [K] and states (f, n, n), in columns and in the whole basis."""
        n = self.system.dimension
        energy = np.empty((len(B), n))
        states = np.zeros((len(B), n, n), dtype=np.complex128)
        for start, (columns, values, vectors, _) in zip(self.blocks, self._solve(axes, B), strict=True):
            energy[:, columns] = values
            states[:, start, columns] = vectors
        return energy, states

    def sorted_states(self, axes: Floats, B: Floats) -> tuple[Floats, States]:
        """Return the same in ascending order of energy, blocks mixed."""
        energy, states = self.states(axes, B)
        order = np.argsort(energy, axis=1, kind="stable")
        sorted_: States = np.take_along_axis(states, order[:, None, :], axis=2)
        return np.take_along_axis(energy, order, axis=1), sorted_

    def at_once(self) -> int:
        """Return how many fields are solved at a time."""
        return max(1, _CHUNK_BYTES // (16 * _COPIES * self.system.dimension**2))

    def _parts(self, count: int) -> list[slice]:
        size = self.at_once()
        return [slice(start, start + size) for start in range(0, count, size)]

    def _solve(self, axes: Floats, B: Floats) -> list[tuple[slice, Floats, Array, Array]]:
        """Return for every block its columns, energies, states in the block and dH/dB."""
        H0, G = affine_hamiltonian(self.system)
        found, start = [], 0
        for block in self.blocks:
            square = np.ix_(block, block)
            parts: list[Array] = [H0[square], *(g[square] for g in G)]
            used = [c for c in range(3) if np.any(axes[:, c])]
            if not any(np.any(parts[k].imag) for k in (0, *(c + 1 for c in used))):
                parts = [part.real for part in parts]
            rate = sum((axes[:, c, None, None] * parts[c + 1] for c in used), start=np.zeros((1, 1, 1)))
            energy, states = np.linalg.eigh(parts[0] + B[:, None, None] * rate)
            found.append((slice(start, start + len(block)), energy, states, rate))
            start += len(block)
        return found
