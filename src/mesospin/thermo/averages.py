r"""Thermal averages at given field vectors and temperatures: what every observable is made of.

The operator of the moment along a direction is :math:`-\mathbf n\cdot\mathbf G/\mu_B`.  Each function takes

* ``vectors`` (f, 3) [T], the fields;
* ``directions`` (f, k, 3) or (1, k, 3), along which moments are wanted;
* ``T`` (f, t) or (1, t) [K], the temperatures wanted at each field,

and returns arrays with the leading axes (f, t).  Moments of the energy and matrix elements are used
throughout, and no numerical derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mesospin.constants import MU_B
from mesospin.model.system import SpinSystem
from mesospin.spectrum.matrices import Array, affine_hamiltonian
from mesospin.thermo.boltzmann import divided_differences, occupations
from mesospin.thermo.diagonal import eigenstates, eigenvalues

Floats = NDArray[np.float64]
Kernel = Callable[[SpinSystem, Floats, Floats, Floats], tuple[Floats, ...]]

#: Largest array of divided differences that is made at once [bytes].
_PAIR_BYTES = 2**25

#: Number of states from which sparse products with the moment operators are faster than dense ones.
_SPARSE_FROM = 48


def caloric(
    system: SpinSystem, vectors: Floats, directions: Floats, T: Floats
) -> tuple[Floats, Floats, Floats]:
    r"""Return free energy [K], entropy / k_B and heat capacity / k_B, each (f, t); no direction is used.

    .. math:: F = E_0 - T\ln Z_0,\quad S = \ln Z_0 + \langle E - E_0\rangle/T,\quad
              C = \langle (E - \langle E\rangle)^2\rangle/T^2
    """
    del directions
    energy = eigenvalues(system, vectors)
    weight, log_partition = occupations(energy, T)
    excess = energy - energy[:, :1]
    mean = _mean(weight, excess)
    spread = excess[:, None, :] - mean[..., None]
    heat = np.einsum("ftn,ftn,ftn->ft", weight, spread, spread) / T**2
    return energy[:, :1] - T * log_partition, log_partition + mean / T, heat


def moments(system: SpinSystem, vectors: Floats, directions: Floats, T: Floats) -> tuple[Floats]:
    """Return the thermal moment (f, t, k) [mu_B] along the directions (Hellmann-Feynman)."""
    energy, states = eigenstates(system, vectors)
    bra = states.conj()
    if system.dimension < _SPARSE_FROM:
        operators = _moment_operators(system, directions)
        applied = (operators[:, k] @ states for k in range(operators.shape[1]))
        own = np.stack([np.einsum("fia,fia->fa", bra, ket).real for ket in applied], axis=-1)
    else:
        # In real states the imaginary part of a Hermitian operator averages to zero.
        sparse = [m if np.iscomplexobj(states) else m.real for m in _sparse_moments(system)]
        kets = (np.stack([matrix @ state for state in states]) for matrix in sparse)
        components = np.stack([np.einsum("fia,fia->fa", bra, ket).real for ket in kets], axis=-1)
        own = components @ directions.swapaxes(-1, -2)
    weight, _ = occupations(energy, T)
    return (weight @ own,)


def response(
    system: SpinSystem, vectors: Floats, directions: Floats, T: Floats
) -> tuple[Floats, Floats, Floats]:
    r"""Return the moment (f, t, k) [mu_B], dM/dB (f, t, k, k) [mu_B/T] and dM/dT (f, t, k) [mu_B/K].

    Second-order perturbation theory around each field, with :math:`\mu = -G/\mu_B` and weights p,

    .. math:: \chi_{ab} = \mu_B\Bigl[\sum_{i\neq j}\frac{p_i - p_j}{E_j - E_i}\,\mu^a_{ij}\mu^b_{ji}
              + \frac1T\sum_i p_i(\mu^a_{ii} - M_a)(\mu^b_{ii} - M_b)\Bigr]

    Neither term cancels against the other, and both are well defined for degenerate levels.

    References
    ----------
    .. [1] J. H. Van Vleck, The Theory of Electric and Magnetic Susceptibilities (Oxford, 1932), chapter VII.
    """
    energy, states = eigenstates(system, vectors)
    matrix = states.conj().swapaxes(-1, -2)[:, None] @ _applied(system, directions, states)
    own = np.einsum("fkii->fik", matrix).real
    weight, _ = occupations(energy, T)
    moment = weight @ own
    centred = own[:, None] - moment[:, :, None]
    diagonal = np.einsum("ftn,ftna,ftnb->ftab", weight, centred, centred) / T[:, :, None, None]
    excess = energy - energy[:, :1]
    spread = excess[:, None, :] - _mean(weight, excess)[..., None]
    slope = np.einsum("ftn,ftn,ftnk->ftk", weight, spread, centred) / T[:, :, None] ** 2
    return moment, MU_B * (diagonal + _van_vleck(energy, matrix, weight, T)), slope


def _mean(weight: Floats, values: Floats) -> Floats:
    return np.asarray(np.einsum("ftn,fn->ft", weight, values))


def _moment_operators(system: SpinSystem, directions: Floats) -> Array:
    """Return the operators of the moment along ``directions``, shape (f, k, n, n), real if they all are."""
    G = affine_hamiltonian(system).G
    operators: Array = np.einsum("fkc,cij->fkij", directions / -MU_B, G)
    return operators if np.any(operators.imag) else operators.real.copy()


@lru_cache(maxsize=16)
def _sparse_moments(system: SpinSystem) -> tuple[csr_array, ...]:
    """Return the operators of the moment along x, y, z, which have a few elements a row."""
    matrices = (g / -MU_B for g in affine_hamiltonian(system).G)
    return tuple(csr_array(m if np.any(m.imag) else m.real) for m in matrices)


def _applied(system: SpinSystem, directions: Floats, states: Array) -> Array:
    """Return the operators of the moment along ``directions`` applied to states, shape (f, k, n, n)."""
    if system.dimension < _SPARSE_FROM:
        dense: Array = np.matmul(_moment_operators(system, directions), states[:, None])
        return dense
    sparse = _sparse_moments(system)
    components = np.stack([np.stack([matrix @ state for matrix in sparse]) for state in states])
    return np.asarray(np.einsum("fkc,fcij->fkij", directions, components))


def _van_vleck(energy: Floats, matrix: Array, weight: Floats, T: Floats) -> Floats:
    """Return the sum over pairs of different levels, shape (f, t, k, k) [mu_B^2/K]."""
    f, k, n, _ = matrix.shape
    i, j = np.triu_indices(n, 1)
    upper = matrix[:, :, i, j]
    # mu^a_ij mu^b_ji + mu^a_ji mu^b_ij is twice the real part: the imaginary parts of a pair cancel.
    products = np.stack(
        [2.0 * (upper[:, a] * upper[:, b].conj()).real for a in range(k) for b in range(k)], axis=-1
    )
    gap = (energy[:, j] - energy[:, i])[:, None, :]
    temperatures = np.broadcast_to(T, weight.shape[:2])
    size = max(1, _PAIR_BYTES // max(1, 8 * f * len(i)))
    parts = [
        divided_differences(weight[:, s : s + size, i], gap, temperatures[:, s : s + size, None]) @ products
        for s in range(0, weight.shape[1], size)
    ]
    return np.concatenate(parts, axis=1).reshape(f, weight.shape[1], k, k)
