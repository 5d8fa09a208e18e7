"""Boltzmann weights and their divided differences at any temperature, without overflow or cancellation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def occupations(
    energy: NDArray[np.float64], T: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Return the thermal occupations of levels and the logarithm of their partition function.

    .. math:: p_i = e^{-(E_i - E_0)/T}/Z_0,\qquad \ln Z_0 = \ln\sum_i e^{-(E_i - E_0)/T}

    Every exponent is zero or negative, so nothing overflows; :math:`\ln Z_0` keeps its relative
    accuracy where only the ground level is occupied.

    Parameters
    ----------
    energy : ndarray, shape (f, n) [K]
        Levels, ascending.
    T : ndarray, shape (f, t) or (1, t) [K]
        Temperatures, > 0.

    Returns
    -------
    weight : ndarray, shape (f, t, n)
    log_partition : ndarray, shape (f, t)
        Relative to the ground level: the free energy is ``E_0 - T log_partition``.

    Examples
    --------
    >>> p, log_z = occupations(np.array([[0.0, 0.0, 1.0]]), np.array([[1e-3, 1e9]]))
    >>> p.round(3).tolist()
    [[[0.5, 0.5, 0.0], [0.333, 0.333, 0.333]]]
    """
    factor = np.exp(-(energy - energy[:, :1])[:, None, :] / T[:, :, None])
    excited = factor[..., 1:].sum(axis=-1)
    return factor / (1.0 + excited)[..., None], np.log1p(excited)


def divided_differences(
    lower: NDArray[np.float64], gap: NDArray[np.float64], T: NDArray[np.float64]
) -> NDArray[np.float64]:
    r"""Return the divided differences of Boltzmann weights that second-order perturbation theory needs.

    .. math:: \frac{p_i - p_j}{E_j - E_i} = \frac{p_i}{T}\,\frac{1 - e^{-x}}{x},\qquad
              x = \frac{E_j - E_i}{T} \ge 0

    One expression holds for distant, near and exactly degenerate levels, where it is :math:`p_i/T`.

    Parameters
    ----------
    lower : ndarray
        Weight of the lower level of each pair.
    gap : ndarray [K]
        Energy of the upper level above the lower, >= 0.
    T : ndarray [K]
        Temperature; the three shapes broadcast.

    Returns
    -------
    ndarray [1/K]

    Examples
    --------
    >>> divided_differences(np.array(0.5), np.array([0.0, 1e-3, 1e9]), np.array(0.1))
    array([5.00000000e+00, 4.97508313e+00, 5.00000000e-10])
    """
    x = np.atleast_1d(-gap / T)
    quotient = np.expm1(x)
    degenerate = x == 0.0
    x[degenerate] = quotient[degenerate] = 1.0
    quotient /= x
    result: NDArray[np.float64] = lower / T * quotient.reshape(np.broadcast_shapes(gap.shape, T.shape))
    return result
