"""Dense matrices of a spin system: H(B) = H0 + B . G, and its restriction to a line in field space.

Every Hamiltonian of mesospin is affine in the field.  ``G`` collects the Zeeman
operators, G = mu_B g S summed over the spins, so that -G/mu_B is the operator of
the magnetic moment in Bohr magnetons.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import finite_array
from mesospin.constants import MU_B, MU_N
from mesospin.errors import InputError
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, check_system
from mesospin.operators.local import LocalOperator, cartesian_operator
from mesospin.operators.product import embed, product_operator
from mesospin.operators.spin import projections
from mesospin.scale import require_memory

Array = NDArray[np.float64] | NDArray[np.complex128]

#: Matrices of the size of H that an eigenvalue problem with its vectors keeps alive.
_COPIES = 10


class AffineHamiltonian(NamedTuple):
    """H(B) = H0 + Bx Gx + By Gy + Bz Gz in kelvin, field in tesla.

    ``H0`` has shape (n, n) and ``G`` shape (3, n, n); both are read-only.
    """

    H0: NDArray[np.complex128]
    G: NDArray[np.complex128]


class FieldLine(NamedTuple):
    """H(B) = H0 + B G along a line in field space: B is the signed magnitude [T].

    ``G`` is also the derivative dH/dB, so the moment along the line is
    -<G>/mu_B.  ``H0`` contains any constant transverse field.  Both are real
    arrays whenever the Hamiltonian is real in the standard basis.
    """

    H0: Array
    G: Array

    def at(self, B: float) -> Array:
        """Return H(B), shape (n, n) [K], at the field magnitude ``B`` [T]."""
        return self.H0 + B * self.G


def affine_hamiltonian(system: SpinSystem) -> AffineHamiltonian:
    r"""Return the dense matrices of :math:`H(\mathbf B) = H_0 + \mathbf B\cdot\mathbf G`.

    Parameters
    ----------
    system : SpinSystem
        Any system whose matrices fit in memory.

    Returns
    -------
    AffineHamiltonian
        ``H0`` (n, n) [K] and ``G`` (3, n, n) [K/T], complex, read-only, in the product
        basis with m running from +S down to -S for every spin, first spin slowest.

    Raises
    ------
    TooLargeError
        If the dense matrices do not fit in the memory of this machine.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> H0, G = affine_hamiltonian(giant_spin(1, D=-1.0))
    >>> H0.real.diagonal()
    array([-1.,  0., -1.])
    >>> G[2].real.diagonal().round(4)
    array([ 1.3434,  0.    , -1.3434])
    """
    n = system.dimension
    require_memory(16 * _COPIES * n * n, f"the dense Hamiltonian of {system.name} ({n} states)")
    return _affine_hamiltonian(system)


@lru_cache(maxsize=64)
def _affine_hamiltonian(system: SpinSystem) -> AffineHamiltonian:
    dimensions = tuple(spin.dimension for spin in system.spins)
    n = system.dimension
    H0 = np.zeros((n, n), dtype=np.complex128)
    for term in system.terms:
        for product in term.products(system.spins):
            factors = tuple((site, operator.matrix()) for site, operator in product)
            H0 += product_operator(factors, dimensions)
    G = np.zeros((3, n, n), dtype=np.complex128)
    for site, spin in enumerate(system.spins):
        for component, local in enumerate(zeeman_operators(spin)):
            G[component] += magneton(spin) * embed(local.matrix(), site, dimensions)
    H0.setflags(write=False)
    G.setflags(write=False)
    return AffineHamiltonian(H0, G)


def zeeman_operators(spin: Spin) -> tuple[LocalOperator, ...]:
    """Return g S for B along x, y, z, without the magneton of `magneton`."""
    return tuple(cartesian_operator(spin.S, row) for row in spin.g)


def magneton(spin: Spin) -> float:
    """Return the factor of g S in dH/dB [K/T]: +mu_B for electrons, -mu_N for nuclei."""
    return float(-MU_N if spin.nuclear else MU_B)


def unit_axis(axis: Sequence[float]) -> NDArray[np.float64]:
    """Return ``axis`` scaled to length 1, shape (3,).

    Raises
    ------
    InputError
        If it does not have three finite components or is the zero vector.
    """
    vector = finite_array("axis", axis)
    if vector.shape != (3,) or not np.linalg.norm(vector) > 0:
        msg = f"axis must be three numbers, not all zero, got {np.ravel(vector).tolist()}"
        raise InputError(msg)
    return vector / np.linalg.norm(vector)


def field_line(
    system: SpinSystem,
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
) -> FieldLine:
    """Return H(B) = H0 + B G for a field of magnitude B along ``axis``.

    Parameters
    ----------
    system : SpinSystem
        The system.
    axis : three numbers, default z
        Direction of the swept field; any length.
    transverse : two numbers (Bx, By) [T]
        Constant field added to the swept one, in the laboratory x and y directions.

    Returns
    -------
    FieldLine
        Matrices of shape (n, n), real when all elements are.

    Raises
    ------
    InputError
        If ``axis`` is not a direction or ``transverse`` not two finite numbers.
    TooLargeError
        If the dense matrices do not fit in memory.
    """
    check_system(system)
    offset = finite_array("transverse", transverse)
    if offset.shape != (2,):
        msg = f"transverse must be two numbers (Bx, By) [T], got shape {offset.shape}"
        raise InputError(msg)
    direction = tuple(float(x) for x in unit_axis(axis))
    affine_hamiltonian(system)  # memory check outside the cache
    return _field_line(system, direction, (float(offset[0]), float(offset[1])))


@lru_cache(maxsize=256)
def _field_line(system: SpinSystem, axis: tuple[float, ...], transverse: tuple[float, float]) -> FieldLine:
    H0, G = _affine_hamiltonian(system)
    start = H0 + transverse[0] * G[0] + transverse[1] * G[1]
    slope = sum((x * g for x, g in zip(axis, G, strict=True)), start=np.zeros_like(H0))
    real = not (np.any(start.imag) or np.any(slope.imag))
    line = FieldLine(*((start.real.copy(), slope.real.copy()) if real else (start, slope)))
    for matrix in line:
        matrix.setflags(write=False)
    return line


def symmetry_blocks(*matrices: Array) -> tuple[NDArray[np.intp], ...]:
    """Return the sets of basis states that no element of the matrices connects.

    The zero pattern of operators built from ladder operators is exact, so the
    connected components of that pattern are the exact symmetry blocks in the
    product basis: m modulo 4 for a tetragonal spin, m modulo 2 for a biaxial one,
    single states for an axial one.

    Parameters
    ----------
    *matrices : arrays, shape (n, n)
        All operators whose common blocks are wanted, for example H0 and G.

    Returns
    -------
    tuple of integer arrays
        Indices of the basis states in each block, blocks ordered by their first index.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> line = field_line(giant_spin(2, D=-1.0, E=0.1))
    >>> [block.tolist() for block in symmetry_blocks(*line)]
    [[0, 2, 4], [1, 3]]
    """
    pattern = np.zeros(matrices[0].shape, dtype=bool)
    for matrix in matrices:
        pattern |= matrix != 0
    unseen = np.ones(len(pattern), dtype=bool)
    blocks = []
    while unseen.any():
        block = np.zeros(len(pattern), dtype=bool)
        block[np.argmax(unseen)] = True
        while True:
            grown = block | pattern[block].any(axis=0)
            if np.array_equal(grown, block):
                break
            block = grown
        unseen &= ~block
        blocks.append(np.flatnonzero(block))
    return tuple(blocks)


@lru_cache(maxsize=64)
def basis_projections(system: SpinSystem) -> NDArray[np.float64]:
    """Return the projection of every spin in every product state, shape (n, spins)."""
    grids = np.meshgrid(*(projections(spin.S) for spin in system.spins), indexing="ij")
    table = np.stack([grid.ravel() for grid in grids], axis=-1).astype(np.float64)
    table.setflags(write=False)
    return table


def electronic_projection(system: SpinSystem) -> NDArray[np.float64]:
    """Return the total electronic projection m of every product state, shape (n,)."""
    electronic = [not spin.nuclear for spin in system.spins]
    total: NDArray[np.float64] = basis_projections(system)[:, electronic].sum(axis=1)
    return total


@lru_cache(maxsize=64)
def basis_labels(system: SpinSystem) -> tuple[str, ...]:
    """Return the text label of every product state, such as ``"m=10"`` or ``"m=8, mI=-7/2"``.

    One electronic spin is called m and one nucleus mI; several get their number.
    """
    names = _label_names(system.spins)
    return tuple(
        ", ".join(f"{name}={format_projection(m)}" for name, m in zip(names, row, strict=True))
        for row in basis_projections(system)
    )


def _label_names(spins: Sequence[Spin]) -> list[str]:
    names = []
    for nuclear in (False, True):
        stem = "mI" if nuclear else "m"
        sites = [i for i, spin in enumerate(spins) if spin.nuclear is nuclear]
        names += [(i, stem if len(sites) == 1 else f"{stem}{k + 1}") for k, i in enumerate(sites)]
    return [name for _, name in sorted(names)]


def format_projection(m: float) -> str:
    """Return a projection as text: ``"10"``, ``"-7/2"``."""
    return f"{round(m)}" if round(2 * m) % 2 == 0 else f"{round(2 * m)}/2"
