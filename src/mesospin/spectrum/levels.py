"""Energy levels and their magnetic moments, batched over fields of any direction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array
from mesospin.constants import MU_B
from mesospin.errors import InputError
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.scale import require_memory
from mesospin.spectrum.matrices import Array, affine_hamiltonian, symmetry_blocks, unit_axis

_THREADS = min(8, os.cpu_count() or 1)
_CHUNK_BYTES = 2**25


def levels(
    system: SpinSystem,
    B: ArrayLike | None = None,
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    B_vector: ArrayLike | None = None,
    states: int | None = None,
) -> xr.Dataset:
    r"""Return the energy levels and the magnetic moment of every level.

    Exact diagonalisation of :math:`H = H_0 + \mathbf B\cdot\mathbf G` in its symmetry
    blocks; the moment is :math:`-\langle G\rangle/\mu_B` (Hellmann-Feynman).

    Parameters
    ----------
    system : SpinSystem
        The system.
    B : float or array-like, shape (field,) [T]
        Magnitudes along ``axis``.
    axis : three numbers, default z
        Direction of the field.
    transverse : two numbers (Bx, By) [T], default none
        Constant field added to it.
    B_vector : array-like, shape (..., 3) [T]
        Field vectors, instead of ``B``; leading axes are called field, or field_0, field_1, ... where
        there are several.
    states : int, optional
        Number of lowest levels to return; all by default.

    Returns
    -------
    xarray.Dataset
        ``energy`` (field, level) [K], ascending; ``moment`` (field, level, component)
        [mu_B]; without the field dimension when ``B`` is one number.  The moments of
        levels that are exactly degenerate in one symmetry block depend on the choice of
        basis in the degenerate space; only their sum is physical.

    Raises
    ------
    InputError
        If both or none of ``B`` and ``B_vector`` are given, a field is not finite, or
        ``states`` is not between 1 and the number of states.
    TooLargeError
        If the matrices do not fit in memory.

    Examples
    --------
    A spin 1 with an easy axis in a field of 1 T along it:

    >>> from mesospin.model.system import giant_spin
    >>> ds = levels(giant_spin(1, D=-1.0), B=1.0)
    >>> ds.energy.values.round(4)
    array([-2.3434,  0.    ,  0.3434])
    >>> ds.moment.sel(component="z").values.round(6) + 0.0
    array([ 2.,  0., -2.])
    """
    check_system(system)
    vectors = _field_vectors(B, axis, transverse, B_vector)
    n = system.dimension
    count = n if states is None else states
    if not 1 <= count <= n:
        msg = f"states must be between 1 and {n}, the number of states, got {states}"
        raise InputError(msg)
    H0, G = affine_hamiltonian(system)
    require_memory(8 * 4 * len(vectors) * count * 4, f"{count} levels at {len(vectors)} fields")
    energy, moment = _diagonalise(H0, G, vectors, count)
    shape = np.asarray(B).shape if B_vector is None else np.asarray(B_vector).shape[:-1]
    dims = ("field",) if len(shape) == 1 else tuple(f"field_{axis}" for axis in range(len(shape)))
    coords = {
        "level": np.arange(count),
        "component": ["x", "y", "z"],
        "field": variable(dims, _field_coordinate(B, vectors).reshape(shape), "T", "field"),
    }
    variables = {
        "energy": variable((*dims, "level"), energy.reshape(*shape, count), "K", "energy"),
        "moment": variable(
            (*dims, "level", "component"), moment.reshape(*shape, count, 3), "mu_B", "magnetic moment"
        ),
    }
    inputs = {"axis": list(axis), "transverse": list(transverse), "states": count}
    return result("levels", system, variables, coords, inputs)


def _field_vectors(
    B: ArrayLike | None, axis: Sequence[float], transverse: Sequence[float], B_vector: ArrayLike | None
) -> NDArray[np.float64]:
    if (B is None) == (B_vector is None):
        msg = "give exactly one of B (magnitudes along axis) and B_vector (vectors) [T]"
        raise InputError(msg)
    if B_vector is not None:
        vectors = finite_array("B_vector", B_vector)
        if not vectors.ndim or vectors.shape[-1] != 3:
            msg = f"B_vector must have shape (..., 3) [T], got {vectors.shape}"
            raise InputError(msg)
        return vectors.reshape(-1, 3)
    magnitude = np.atleast_1d(finite_array("B", 0.0 if B is None else B))
    if magnitude.ndim != 1:
        msg = f"B must be a number or 1-D [T], got shape {magnitude.shape}"
        raise InputError(msg)
    offset = finite_array("transverse", transverse)
    return np.asarray(magnitude[:, None] * unit_axis(axis) + np.array([*offset, 0.0]))


def _field_coordinate(B: ArrayLike | None, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    if B is None:
        return np.asarray(np.linalg.norm(vectors, axis=1), dtype=np.float64)
    return np.atleast_1d(np.asarray(B, dtype=np.float64))


def _diagonalise(
    H0: Array, G: Array, vectors: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return energies (b, count) and moments (b, count, 3), block by block."""
    used = [component for component in range(3) if np.any(vectors[:, component])]
    blocks = symmetry_blocks(H0, *(G[component] for component in used))
    n, points = len(H0), len(vectors)
    energy = np.empty((points, n))
    moment = np.empty((points, n, 3))
    start = 0
    for block in blocks:
        stop = start + len(block)
        square = np.ix_(block, block)
        h0, g = _real_if_real(H0[square], np.array([component[square] for component in G]), used)
        energy[:, start:stop], moment[:, start:stop] = _eigh_threads(h0, g, used, vectors)
        start = stop
    if len(blocks) > 1:
        order = np.argsort(energy, axis=1, kind="stable")[:, :count]
        energy = np.take_along_axis(energy, order, axis=1)
        moment = np.take_along_axis(moment, order[:, :, None], axis=1)
    return energy[:, :count], moment[:, :count] / -MU_B


def _real_if_real(h0: Array, g: Array, used: list[int]) -> tuple[Array, Array]:
    if np.any(h0.imag) or np.any(g[used].imag):
        return h0, g
    return h0.real.copy(), g


def _eigh_threads(
    h0: Array, g: Array, used: list[int], vectors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    size = max(1, _CHUNK_BYTES // (h0.itemsize * h0.size))
    size = min(size, -(-len(vectors) // _THREADS))
    chunks = [vectors[i : i + size] for i in range(0, len(vectors), size)]

    def solve(chunk: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        h = np.repeat(h0[None], len(chunk), axis=0)
        for component in used:
            slope = g[component] if np.iscomplexobj(h) else g[component].real
            h += chunk[:, component, None, None] * slope
        energy, U = np.linalg.eigh(h)
        return energy, np.stack([_expectation(matrix, U) for matrix in g], axis=-1)

    if len(chunks) == 1:
        return solve(chunks[0])
    with ThreadPoolExecutor(_THREADS) as pool:
        energies, moments = zip(*pool.map(solve, chunks), strict=True)
    return np.concatenate(energies), np.concatenate(moments)


def _expectation(matrix: Array, U: Array) -> NDArray[np.float64]:
    """Return <k|matrix|k> for all columns of a batch of eigenvector matrices."""
    if not np.any(matrix):
        return np.zeros((len(U), U.shape[-1]))
    diagonal = np.diagonal(matrix)
    if np.array_equal(matrix, np.diag(diagonal)):
        weights = np.abs(U) ** 2 if np.iscomplexobj(U) else U * U
        return np.asarray(np.einsum("i,bia->ba", diagonal.real, weights))
    if not np.iscomplexobj(U):  # the imaginary part of a Hermitian matrix averages to zero
        return np.asarray(np.einsum("bia,bia->ba", U, matrix.real @ U))
    return np.asarray(np.einsum("bia,bia->ba", U.conj(), matrix @ U).real)
