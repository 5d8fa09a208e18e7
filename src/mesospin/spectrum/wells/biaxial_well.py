r"""The two wells of a biaxial spin in a transverse field: barrier and distance of the lowest levels.

.. math:: H = D S_z^2 + E(S_x^2 - S_y^2) + h_x S_x + h_y S_y,\qquad D < -|E|,\quad h = g\mu_B B

The reflection z -> -z takes one well into the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import eigsh

from mesospin.errors import InputError

#: Largest spin whose whole matrix is diagonalised.
_DENSE_SPIN = 60.0
_AZIMUTHS = 721


class BiaxialSpin(NamedTuple):
    """A spin ``S`` with its constants ``D``, ``E`` and transverse fields ``hx``, ``hy`` [K]."""

    S: float
    D: float
    E: float
    hx: float = 0.0
    hy: float = 0.0


def barrier(spin: BiaxialSpin) -> float:
    r"""Return the barrier of a classical vector of length S [K].

    The lowest energy on the equator minus the energy in the well.  Without field (|D| - |E|) S^2;
    with E = 0 :math:`|D|S^2(1-h/2|D|S)^2`.

    Raises
    ------
    InputError
        If the transverse field is beyond the anisotropy field, so that there is no barrier.

    Examples
    --------
    >>> barrier(BiaxialSpin(10, -0.5, 0.1)), round(barrier(BiaxialSpin(10, -0.5, 0.0, hx=5.0)), 9)
    (40.0, 12.5)
    """
    S, D, E, hx, hy = spin
    nx, ny = -hx / (2 * S * (E - D)), -hy / (2 * S * (-E - D))
    if not nx**2 + ny**2 < 1.0:
        msg = (
            f"transverse must leave two wells to the spin {S:g}, got {np.hypot(nx, ny):.3g} of the "
            "anisotropy field; lower it"
        )
        raise InputError(msg)

    if hx == hy == 0.0:
        return float((-D - abs(E)) * S**2)

    def equator(phi: float) -> float:
        return float(E * S**2 * np.cos(2 * phi) + S * (hx * np.cos(phi) + hy * np.sin(phi)))

    around = np.linspace(-np.pi, np.pi, _AZIMUTHS)
    start = float(around[np.argmin([equator(phi) for phi in around])])
    step = 2 * np.pi / (_AZIMUTHS - 1)
    saddle = minimize_scalar(
        equator, bounds=(start - step, start + step), method="bounded", options={"xatol": 1e-10}
    )
    return min(float(saddle.fun), equator(start)) - _bottom(spin)


def _bottom(spin: BiaxialSpin) -> float:
    """Return the classical energy in the well [K]."""
    S, D, E, hx, hy = spin
    return D * S**2 - hx**2 / (4 * (E - D)) - hy**2 / (4 * (-E - D))


def level_distance(spin: BiaxialSpin) -> float:
    r"""Return the distance of the first excited level from the lowest one in a well [K].

    Up to S = 60 from all levels: the mean of the second pair minus the mean of the lowest pair.  Beyond from
    the half m > 0 of the states, by shifted inverse Lanczos iteration: what is cut off is the other well, an
    error of the size of the splittings.  For large S it tends to
    :math:`2S\sqrt{D^2-E^2}` without field, and to :math:`2|D|S\sqrt{1-(h/2DS)^2}` with E = 0.

    Examples
    --------
    An axial spin has |D|(2S - 1):

    >>> [round(level_distance(BiaxialSpin(S, -0.5, 0.0)), 6) for S in (10, 1000)]
    [9.5, 999.5]
    """
    if spin.S <= _DENSE_SPIN:
        m = np.asarray(spin.S - np.arange(round(2 * spin.S) + 1), dtype=np.float64)
        levels = np.linalg.eigvalsh(_hamiltonian(spin, m).toarray())
        return float(levels[2:4].mean() - levels[:2].mean())
    upper = np.asarray(spin.S - np.arange(int(np.ceil(spin.S))), dtype=np.float64)
    matrix = _hamiltonian(spin, upper)
    # zero-point energy puts the lowest level less than 2|D|S below the classical energy
    below = _bottom(spin) - 2 * abs(spin.D) * spin.S
    start = np.ones(matrix.shape[0])
    levels = eigsh(matrix, k=3, sigma=below, which="LM", v0=start, return_eigenvectors=False)
    levels = np.sort(levels)
    return float(levels[1] - levels[0])


def _hamiltonian(spin: BiaxialSpin, m: NDArray[np.float64]) -> csc_array:
    """Return the matrix between the states of descending projection ``m`` [K]."""
    S, D, E, hx, hy = spin
    single = np.sqrt((S - m[1:]) * (S + m[1:] + 1))
    double = single[:-1] * single[1:]
    field = 0.5 * (hx - 1j * hy) if hy else 0.5 * hx
    bands = [0.5 * E * double, field * single, D * m**2, np.conj(field) * single, 0.5 * E * double]
    return csc_array(diags_array(bands, offsets=[2, 1, 0, -1, -2]))
