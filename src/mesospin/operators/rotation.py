r"""Rotations of vectors, tensors and spin operators.

Three Euler angles :math:`(\alpha, \beta, \gamma)` [rad] in the zyz convention describe the active rotation
:math:`R = R_z(\alpha) R_y(\beta) R_z(\gamma)`, which carries the laboratory axes x, y, z into the axes of a
term.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesospin.operators.spin import projections, spin_operators
from mesospin.operators.stevens import stevens_operator

__all__ = [
    "euler_matrix",
    "rotate_operator",
    "rotate_tensor",
    "stevens_mixing",
    "wigner_matrix",
    "without_dust",
]

Euler = tuple[float, float, float]

# Products of the 13-dimensional matrices of rank 12 leave up to 22 eps in components that vanish by symmetry.
_ROUNDINGS = 64.0


def without_dust(matrix: NDArray[Any], roundings: float = 4.0) -> NDArray[Any]:
    """Return a copy in which real and imaginary parts below a few eps of the largest entry are exact zeros.

    Selection rules are read off the zero pattern of a Hamiltonian, so the rounding of cos(pi/2) must not
    open one.

    Examples
    --------
    >>> without_dust(np.array([1.0, 6e-17]))
    array([1., 0.])
    """
    result = np.array(matrix)
    if result.size == 0:
        return result
    limit = roundings * np.finfo(np.float64).eps * np.max(np.abs(result))
    if np.iscomplexobj(result):
        result.real[np.abs(result.real) <= limit] = 0.0
        result.imag[np.abs(result.imag) <= limit] = 0.0
    else:
        result[np.abs(result) <= limit] = 0.0
    return result


def euler_matrix(angles: Euler) -> NDArray[np.float64]:
    """Return the rotation matrix of three zyz Euler angles.

    Parameters
    ----------
    angles : tuple of three float [rad]

    Returns
    -------
    ndarray, shape (3, 3)
        Its columns are the rotated axes.

    Examples
    --------
    >>> euler_matrix((0.0, np.pi / 2, 0.0)) @ [0, 0, 1]
    array([1., 0., 0.])
    """
    alpha, beta, gamma = angles
    return without_dust(_about_z(alpha) @ _about_y(beta) @ _about_z(gamma))


def _about_z(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _about_y(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def rotate_tensor(tensor: NDArray[np.float64], angles: Euler | None) -> NDArray[np.float64]:
    """Return the 3x3 tensor whose principal axes are rotated actively; ``None`` leaves it as it is.

    Examples
    --------
    >>> rotate_tensor(np.diag([0.0, 0.0, 3.0]), (0.0, np.pi / 2, 0.0)).diagonal()
    array([3., 0., 0.])
    """
    if angles is None:
        return tensor
    rotation = euler_matrix(angles)
    return without_dust(rotation @ tensor @ rotation.T)


def wigner_matrix(S: float, angles: Euler) -> NDArray[np.complex128]:
    r"""Return the unitary :math:`e^{-i\alpha S_z} e^{-i\beta S_y} e^{-i\gamma S_z}`.

    Parameters
    ----------
    S : float
        Spin quantum number, half-integer.
    angles : tuple of three float [rad]
        zyz Euler angles.

    Returns
    -------
    ndarray of complex128, shape (2S+1, 2S+1)

    Examples
    --------
    >>> abs(wigner_matrix(0.5, (0.0, np.pi, 0.0))).round(12)
    array([[0., 1.],
           [1., 0.]])
    """
    alpha, beta, gamma = angles
    m = projections(S)
    vectors = _eigenvectors_of_sy(S)
    # eigh sorts upwards, hence the eigenvalue -S belongs to the first column
    small = (vectors * np.exp(-1j * beta * m[::-1])) @ vectors.conj().T
    result: NDArray[np.complex128] = np.exp(-1j * alpha * m)[:, None] * small.real * np.exp(-1j * gamma * m)
    return result


@lru_cache(maxsize=64)
def _eigenvectors_of_sy(S: float) -> NDArray[np.complex128]:
    vectors: NDArray[np.complex128] = np.linalg.eigh(spin_operators(S)[1])[1]
    return vectors


def rotate_operator(matrix: NDArray[Any], S: float, angles: Euler) -> NDArray[np.complex128]:
    r"""Return :math:`U A U^\dagger`, the operator rotated actively with its axes.

    Examples
    --------
    >>> Sx, _, Sz = spin_operators(1)
    >>> bool(np.allclose(rotate_operator(Sz, 1, (0.0, np.pi / 2, 0.0)), Sx))
    True
    """
    unitary = wigner_matrix(S, angles)
    rotated: NDArray[np.complex128] = unitary @ matrix @ unitary.conj().T
    return rotated


@lru_cache(maxsize=256)
def stevens_mixing(k: int, q: int, angles: Euler) -> tuple[tuple[int, float], ...]:
    r"""Return the components into which a rotated Stevens operator splits.

    .. math:: U O_k^q U^\dagger = \sum_{q'} c_{q'} O_k^{q'}

    The coefficients do not depend on the spin and are found in the smallest one that carries the rank, J =
    k/2.

    Parameters
    ----------
    k, q : int
        Rank and component.
    angles : tuple of three float [rad]
        zyz Euler angles.

    Returns
    -------
    tuple of (q', c)
        Components above 64 eps of the largest one (compared at equal operator norm).

    Examples
    --------
    >>> [(p, round(c, 12)) for p, c in stevens_mixing(2, 0, (0.0, np.pi / 2, 0.0))]
    [(0, -0.5), (2, 1.5)]
    """
    J = k / 2
    rotated = rotate_operator(stevens_operator(J, k, q), J, angles)
    norms, coefficients = [], []
    for p in range(-k, k + 1):
        operator = stevens_operator(J, k, p)
        norm = np.vdot(operator, operator).real
        norms.append(norm)
        coefficients.append(np.vdot(operator, rotated).real / norm)
    # Components differ in size by orders of magnitude: compare them after scaling to equal norm.
    scaled = without_dust(np.array(coefficients) * np.sqrt(norms), _ROUNDINGS)
    return tuple(
        (p, float(c)) for p, c, s in zip(range(-k, k + 1), coefficients, scaled, strict=True) if s != 0.0
    )
