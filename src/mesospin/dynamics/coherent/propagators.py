r"""Exponentials of Hamiltonians that are affine in one parameter: tables of them, and their action on states.

A commutator-free Magnus step of fourth order from t to t + h is the product of two exponentials

.. math:: e^{-i h (H_0/2 + \varphi_2 G)/\hbar} e^{-i h (H_0/2 + \varphi_1 G)/\hbar}, \quad
          \varphi_{1,2} = (\tfrac14 \pm \tfrac{\sqrt3}{6}) B(t_1) + (\tfrac14 \mp \tfrac{\sqrt3}{6}) B(t_2)

with the Gauss points :math:`t_{1,2}` of the step [1]_.

References
----------
.. [1] S. Blanes, P. C. Moan, Appl. Numer. Math. 56, 1519 (2006).
"""

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.special import jv

__all__ = [
    "CF4_POINTS",
    "CF4_WEIGHTS",
    "centred",
    "cf4_steps",
    "chebyshev_coefficients",
    "exponential_tables",
    "traceless",
]

Complex = NDArray[np.complex128]
Indices = NDArray[np.int64]
Matrix = NDArray[np.float64] | NDArray[np.complex128]

CF4_POINTS: Final = 0.5 + np.array([-1.0, 1.0]) * np.sqrt(3.0) / 6.0
"""Gauss points of a step, as fractions of it."""

CF4_WEIGHTS: Final = 0.25 + np.array([[1.0, -1.0], [-1.0, 1.0]]) * np.sqrt(3.0) / 6.0
"""Weights of the fields at the two points (rows) in the two exponentials (columns), in order of time."""


def traceless(matrix: Matrix) -> Matrix:
    """Return the matrix minus its mean eigenvalue: a global phase less."""
    n = matrix.shape[0]
    shifted: Matrix = matrix - np.eye(n) * (np.trace(matrix).real / n)
    return shifted


def centred(matrix: Matrix) -> Matrix:
    """Return the Hermitian matrix minus the middle of its spectrum: no shift gives a smaller norm."""
    values = np.linalg.eigvalsh(matrix)
    shifted: Matrix = matrix - np.eye(matrix.shape[0]) * (0.5 * (values[0] + values[-1]))
    return shifted


def exponential_tables(
    constant: Matrix, slope: Matrix, middle: float, half: float, durations: NDArray[np.float64]
) -> NDArray[np.float64]:
    r"""Return Chebyshev coefficients in x of :math:`e^{-i \tau (A + (c + x d) G)}` for -1 <= x <= 1.

    An entire function of x: the series ends, to rounding, a dozen terms after :math:`\tau d \|G\|`.

    Parameters
    ----------
    constant, slope : ndarray, shape (n, n) [rad/s], [rad/s per unit of the parameter]
        Hermitian A and G; multiples of the unit matrix are best removed.
    middle, half : float
        Middle c and half width d of the range of the parameter.
    durations : ndarray, shape (k,) [s]
        The times tau, of any sign.

    Returns
    -------
    ndarray of float64, shape (k, q, 2 n^2)
        Coefficients of T_0 to T_(q-1); view the last axis as complex128 and reshape it to (n, n).

    Examples
    --------
    >>> sz = np.diag([0.5, -0.5])
    >>> table = exponential_tables(np.zeros((2, 2)), sz, 0.0, 1.0, np.array([1.0]))
    >>> series = np.polynomial.chebyshev.chebvander(np.array([0.3]), table.shape[1] - 1)
    >>> unitary = (series @ table[0]).view(np.complex128).reshape(2, 2)
    >>> bool(abs(unitary[0, 0] - np.exp(-0.15j)) < 1e-15)
    True
    """
    spectrum = np.linalg.eigvalsh(slope)
    reach = half * float(np.max(np.abs(spectrum))) * float(np.max(np.abs(durations)))
    bessel = np.abs(jv(np.arange(int(1.5 * reach) + 40), reach))
    q = int(np.nonzero(bessel > 1e-17)[0][-1]) + 1
    angles = np.pi * (np.arange(q) + 0.5) / q
    parameter = middle + half * np.cos(angles)
    energies, vectors = np.linalg.eigh(constant + parameter[:, None, None] * slope)
    # One Newton-Schulz step: the defects of eigh, 1e-15, would add up to a drift of norm and trace.
    overlap = vectors.conj().transpose(0, 2, 1) @ vectors
    vectors = vectors @ (1.5 * np.eye(constant.shape[0]) - 0.5 * overlap)
    phases = np.exp(-1j * durations[:, None, None] * energies)
    values = (vectors * phases[:, :, None, :]) @ vectors.conj().transpose(0, 2, 1)
    cosines = (2.0 / q) * np.cos(np.arange(q)[:, None] * angles)
    cosines[0] *= 0.5
    flat = values.reshape(durations.size, q, -1).view(np.float64)
    return np.ascontiguousarray(cosines @ flat)


def chebyshev_coefficients(phase: float) -> NDArray[np.complex128]:
    r"""Return c_k with :math:`e^{-i z x} = \sum_k c_k T_k(x)` for -1 <= x <= 1, to rounding; at least two.

    Examples
    --------
    >>> c = chebyshev_coefficients(2.0)
    >>> bool(abs(c.sum() - np.exp(-2j)) < 1e-15)
    True
    """
    orders = np.arange(int(1.5 * phase) + 40)
    bessel = jv(orders, phase)
    # the steps read c_0 and c_1 without asking whether the second is there
    size = max(2, int(np.nonzero(np.abs(bessel) > 1e-17)[0][-1]) + 1)
    coefficients = 2.0 * (-1j) ** (orders[:size] % 4) * bessel[:size]
    coefficients[0] *= 0.5
    return np.asarray(coefficients, dtype=np.complex128)


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _chebyshev_term(
    out: Complex, x: Complex, before: Complex, indptr: Indices, columns: Indices, data: Matrix, factor: float
) -> None:
    """Write factor A x - before for a block of states, A in compressed rows."""
    states = x.shape[1]
    for i in range(x.shape[0]):
        for c in range(states):
            total = -before[i, c]
            for p in range(indptr[i], indptr[i + 1]):
                total += factor * data[p] * x[columns[p], c]
            out[i, c] = total


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _add_multiple(total: Complex, coefficient: complex, x: Complex) -> None:
    for i in range(x.shape[0]):
        for c in range(x.shape[1]):
            total[i, c] += coefficient * x[i, c]


@numba.njit(cache=True, nogil=True)
def cf4_steps(
    states: Complex,
    parameters: NDArray[np.float64],
    indptr: Indices,
    columns: Indices,
    constant: Matrix,
    slope: Matrix,
    diagonal: NDArray[np.float64],
    centre: float,
    radius: float,
    coefficients: Complex,
    phase: complex,
) -> Complex:
    """Do one commutator-free step per row of `parameters` on states (n, k); return the new states.

    The spectrum of H0 + 2 phi G must lie within centre +- radius; `coefficients` are those of radius h / 2,
    `phase` is exp(-i centre h / 2).
    """
    psi = states.copy()
    zero = np.zeros_like(psi)
    before, now, after = np.empty_like(psi), np.empty_like(psi), np.empty_like(psi)
    for s in range(parameters.shape[0]):
        for e in range(2):
            data = (constant + 2.0 * parameters[s, e] * slope - centre * diagonal) / radius
            before[:] = psi
            _chebyshev_term(now, before, zero, indptr, columns, data, 1.0)
            psi[:] = 0.0
            _add_multiple(psi, phase * coefficients[0], before)
            _add_multiple(psi, phase * coefficients[1], now)
            for k in range(2, coefficients.size):
                _chebyshev_term(after, now, before, indptr, columns, data, 2.0)
                _add_multiple(psi, phase * coefficients[k], after)
                before, now, after = now, after, before
    return psi
