r"""Angular momentum matrices of one spin in the basis :math:`m = +S, ..., -S`.

Matrix elements come from the closed form of the ladder operators, so entries that vanish by structure are
exact zeros. The arrays are cached and read-only.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import half_integer

__all__ = ["dimension", "ladder_power", "lowering", "projections", "raising", "spin_operators"]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


def dimension(S: float) -> int:
    """Return 2S + 1.

    Examples
    --------
    >>> dimension(4.5)
    10
    """
    return round(2 * half_integer("S", S)) + 1


def projections(S: float) -> Real:
    """Return the eigenvalues of Sz in basis order, +S first.

    Parameters
    ----------
    S : float
        Spin quantum number, half-integer.

    Returns
    -------
    ndarray, shape (2S+1,)

    Raises
    ------
    InvalidModelError
        If S is not a positive half-integer.

    Examples
    --------
    >>> projections(1.5)
    array([ 1.5,  0.5, -0.5, -1.5])
    """
    return half_integer("S", S) - np.arange(dimension(S), dtype=np.float64)


@lru_cache(maxsize=256)
def ladder_power(S: float, n: int) -> Real:
    r"""Return :math:`S_+^n` for n > 0, :math:`S_-^{|n|}` for n < 0, the identity for n = 0.

    The element between :math:`m + n` and :math:`m` is :math:`\sqrt{\prod_{i<n} (S-m-i)(S+m+1+i)}`; the
    integer under the root is formed exactly, so that the element is right to one rounding.

    Parameters
    ----------
    S : float
        Spin quantum number, half-integer.
    n : int
        Power, with sign.

    Returns
    -------
    ndarray of float64, shape (2S+1, 2S+1), read-only

    Examples
    --------
    >>> ladder_power(1.0, 2)
    array([[0., 0., 2.],
           [0., 0., 0.],
           [0., 0., 0.]])
    """
    size = dimension(S)
    power = abs(n)
    matrix = np.zeros((size, size))
    for column in range(power, size):
        # column c holds m = S - c, hence S - m = c and S + m + 1 = size - c
        squared = 1
        for i in range(power):
            squared *= (column - i) * (size - column + i)
        matrix[column - power, column] = float(squared) ** 0.5
    if n < 0:
        matrix = np.ascontiguousarray(matrix.T)
    matrix.setflags(write=False)
    return matrix


def raising(S: float) -> Real:
    """Return the matrix of S+, read-only.

    Examples
    --------
    >>> raising(0.5)
    array([[0., 1.],
           [0., 0.]])
    """
    return ladder_power(S, 1)


def lowering(S: float) -> Real:
    """Return the matrix of S-, read-only.

    Examples
    --------
    >>> lowering(0.5)
    array([[0., 0.],
           [1., 0.]])
    """
    return ladder_power(S, -1)


@lru_cache(maxsize=64)
def spin_operators(S: float) -> tuple[Real, Complex, Real]:
    """Return the matrices of Sx (real), Sy (complex) and Sz (real).

    Parameters
    ----------
    S : float
        Spin quantum number, half-integer.

    Returns
    -------
    tuple of three ndarray, each of shape (2S+1, 2S+1), read-only
        Phase convention of Condon and Shortley: S+ and S- are real and non-negative.

    Raises
    ------
    InvalidModelError
        If S is not a positive half-integer.

    Examples
    --------
    >>> Sx, Sy, Sz = spin_operators(0.5)
    >>> bool(np.allclose(Sx @ Sy - Sy @ Sx, 1j * Sz))
    True
    """
    plus, minus = raising(S), lowering(S)
    Sx = 0.5 * (plus + minus)
    Sy = np.asarray(-0.5j * (plus - minus), dtype=np.complex128)
    Sz = np.diag(projections(S))
    for matrix in (Sx, Sy, Sz):
        matrix.setflags(write=False)
    return Sx, Sy, Sz
