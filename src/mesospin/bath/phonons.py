r"""One-phonon transitions of any spin through its five quadrupoles.

.. math:: W_{b\leftarrow a} = \frac{D^2}{\pi\rho c^5\hbar^4}
          \sum_q \lambda_q |\langle b|V_q|a\rangle|^2\,\frac{\epsilon^3}{e^{\epsilon/T}-1},
          \qquad \epsilon = E_b - E_a

with :math:`V_q` = {Sx,Sz}, {Sy,Sz}, Sx^2-Sy^2, {Sx,Sy} summed over the electronic spins.  For an
axial spin this is the ladder of Leuenberger and Loss, Phys. Rev. B 61, 1286 (2000):
:math:`\lambda = 2p_1` for the first two (Delta m = 1) and :math:`2p_2` for the others
(Delta m = 2), with the prefactors p of `PhononBath`.  The fifth quadrupole 3Sz^2 - S(S+1)
does not relax an axial spin and has weight zero in that convention.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mesospin.constants import HBAR, K_B
from mesospin.errors import InputError
from mesospin.model.environment import PhononBath
from mesospin.model.system import SpinSystem
from mesospin.operators.product import embed
from mesospin.operators.spin import spin_operators
from mesospin.spectrum.matrices import Array


def phonon_prefactor(bath: PhononBath) -> float:
    r"""Return :math:`D^2k_B^5/(\pi\rho c^5\hbar^4)` in 1/(s K^3) for energies in kelvin."""
    hbar_si = HBAR * K_B
    coupling = bath.coupling**2 * K_B**5
    return coupling / (np.pi * bath.density * bath.sound_speed**5 * hbar_si**4)


def phonon_strengths(system: SpinSystem, bath: PhononBath, states: Array) -> NDArray[np.float64]:
    """Return the strengths s of all one-phonon transitions, W = s e^3/(exp(e/T) - 1).

    Parameters
    ----------
    system : SpinSystem
        Gives the electronic spins.
    bath : PhononBath
        Coupling and lattice.
    states : ndarray, shape (..., n, n)
        States as columns in the product basis.

    Returns
    -------
    ndarray, shape (..., n, n) [1/(s K^3)]
        Symmetric, zero on the diagonal.

    Raises
    ------
    InputError
        If no electronic spin has a quadrupole (all S = 1/2): such a spin does not couple to
        phonons this way.
    """
    total = np.zeros(states.shape[:-2] + states.shape[-1:] * 2)
    for weight, operator in quadrupoles(system, bath):
        element = states.conj().swapaxes(-1, -2) @ (operator @ states)
        total += weight * np.abs(element) ** 2
    index = np.arange(states.shape[-1])
    total[..., index, index] = 0.0
    return phonon_prefactor(bath) * total


def strengths_between(
    system: SpinSystem,
    bath: PhononBath,
    first: tuple[NDArray[np.intp], Array, Array],
    second: tuple[NDArray[np.intp], Array, Array],
) -> NDArray[np.float64] | None:
    """Return the strengths between the states of two symmetry blocks, None where no phonon connects them.

    Parameters
    ----------
    system, bath
        As in `phonon_strengths`.
    first, second : (members, basis, states)
        Basis states of each block, vectors (n_p, r_p) that span a part of it, and states (f, r_p, k_p)
        in that part.

    Returns
    -------
    ndarray, shape (f, k_1, k_2) [1/(s K^3)]
        Diagonal elements of one block with itself are not zeroed.
    """
    (rows, outer, left), (columns, inner, right) = first, second
    total: NDArray[np.float64] | None = None
    for weight, operator in quadrupoles(system, bath):
        block = operator[np.ix_(rows, columns)]
        if not np.any(block):
            continue
        block = outer.conj().T @ block @ inner
        element = np.abs(left.conj().swapaxes(-1, -2) @ (block @ right)) ** 2
        total = weight * element + (0.0 if total is None else total)
    return None if total is None else phonon_prefactor(bath) * total


@lru_cache(maxsize=32)
def quadrupoles(system: SpinSystem, bath: PhononBath) -> tuple[tuple[float, Array], ...]:
    """Return the weights lambda_q and the quadrupoles V_q in the product basis."""
    if all(system.spins[i].S < 1 for i in system.electronic_sites):
        msg = (
            f"{system.name} must have an electronic spin S >= 1 to couple to phonons by its quadrupole, "
            "got S = 1/2 only; give tunnelling a nuclear window instead"
        )
        raise InputError(msg)
    one, two = 2 * bath.one_quantum, 2 * bath.two_quanta
    totals = [np.zeros((system.dimension, system.dimension), dtype=np.complex128) for _ in range(4)]
    for site in system.electronic_sites:
        Sx, Sy, Sz = spin_operators(system.spins[site].S)
        local = (Sx @ Sz + Sz @ Sx, Sy @ Sz + Sz @ Sy, Sx @ Sx - Sy @ Sy, Sx @ Sy + Sy @ Sx)
        for total, operator in zip(totals, local, strict=True):
            total += embed(operator, site, system.dimensions)
    return tuple(zip((one, one, two, two), totals, strict=True))
