"""Eigenvalues and eigenvectors of H(B) = H0 + B . G for a batch of field vectors, in symmetry blocks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mesospin.model.system import SpinSystem
from mesospin.spectrum.matrices import Array, affine_hamiltonian, symmetry_blocks

Blocks = tuple[NDArray[np.intp], ...]


def eigenvalues(system: SpinSystem, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the levels [K], ascending, shape (f, n), at field vectors (f, 3) [T]."""
    used = _used(vectors)
    parts = [np.linalg.eigvalsh(_block(system, vectors, used, block)) for block in _blocks(system, used)]
    energy: NDArray[np.float64] = np.concatenate(parts, axis=1)
    return energy if len(parts) == 1 else np.sort(energy, axis=1)


def eigenstates(system: SpinSystem, vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], Array]:
    """Return levels (f, n) [K], ascending, and states (f, n, n), in columns, at field vectors (f, 3) [T]."""
    used = _used(vectors)
    blocks = _blocks(system, used)
    parts = [np.linalg.eigh(_block(system, vectors, used, block)) for block in blocks]
    if len(parts) == 1:
        return parts[0].eigenvalues, parts[0].eigenvectors
    n = system.dimension
    energy = np.concatenate([part.eigenvalues for part in parts], axis=1)
    states = np.zeros((len(vectors), n, n), dtype=np.result_type(*(part.eigenvectors for part in parts)))
    start = 0
    for block, part in zip(blocks, parts, strict=True):
        states[:, block, start : start + len(block)] = part.eigenvectors
        start += len(block)
    order = np.argsort(energy, axis=1, kind="stable")
    return np.take_along_axis(energy, order, axis=1), np.take_along_axis(states, order[:, None, :], axis=2)


def _used(vectors: NDArray[np.float64]) -> tuple[int, ...]:
    """Return the components of the field that do not vanish everywhere."""
    return tuple(component for component in range(3) if np.any(vectors[:, component]))


@lru_cache(maxsize=64)
def _blocks(system: SpinSystem, used: tuple[int, ...]) -> Blocks:
    H0, G = affine_hamiltonian(system)
    return symmetry_blocks(H0, *(G[component] for component in used))


def _block(
    system: SpinSystem, vectors: NDArray[np.float64], used: tuple[int, ...], block: NDArray[np.intp]
) -> Array:
    """Return H restricted to a block for every vector, shape (f, b, b), real if it is."""
    H0, G = affine_hamiltonian(system)
    square = np.ix_(block, block)
    matrices: list[Array] = [H0[square], *(G[component][square] for component in used)]
    if not any(np.any(matrix.imag) for matrix in matrices):
        matrices = [matrix.real for matrix in matrices]
    h = np.empty((len(vectors), *matrices[0].shape), dtype=matrices[0].dtype)
    h[:] = matrices[0]
    for component, slope in zip(used, matrices[1:], strict=True):
        np.add(h, vectors[:, component, None, None] * slope, out=h)
    return h
