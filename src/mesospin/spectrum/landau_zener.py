"""Landau-Zener probability of one passage through an avoided crossing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, positive
from mesospin.constants import HBAR, MU_B
from mesospin.errors import InputError


def landau_zener(
    splitting: ArrayLike,
    rate: ArrayLike,
    *,
    slope: ArrayLike | None = None,
    delta_m: float | None = None,
    g: float = 2.0,
) -> NDArray[np.float64]:
    r"""Return the probability of tunnelling during one sweep through a crossing.

    Two levels approach linearly in time and repel by the full gap :math:`\Delta`.
    The probability of following the adiabatic level, i.e. of changing sides, is

    .. math:: P = 1 - \exp\left(-\frac{\pi\Delta^2}{2\hbar\,|s|\,|dB/dt|}\right),
              \qquad |s| = g\mu_B|m-m'|

    Parameters
    ----------
    splitting : array-like, shape (...) [K]
        Full gap :math:`\Delta/k_B` at the crossing (not the half gap), >= 0.
    rate : array-like, shape (...) [T/s]
        Rate of the field along its axis; only the magnitude matters.  Zero is the
        adiabatic limit and gives 1 for a finite gap.
    slope : array-like, shape (...) [K/T], optional
        Difference of the two slopes dE/dB, not 0.  Either this or ``delta_m``.
    delta_m : float, optional
        Difference :math:`m - m'`, e.g. 20 for the ground doublet of S = 10, not 0.
    g : float, default 2.0
        Lande factor along the field, used with ``delta_m``.

    Returns
    -------
    ndarray, shape (...)
        Probability in [0, 1].

    Raises
    ------
    InputError
        If the gap is negative or not finite, the rate not finite, both or neither of
        ``slope`` and ``delta_m`` given, one of them 0, or gap and rate both 0.

    Notes
    -----
    Valid for a single passage without relaxation or dephasing during the crossing.

    References
    ----------
    .. [1] C. Zener, Proc. R. Soc. Lond. A 137, 696 (1932).
    .. [2] W. Wernsdorfer and R. Sessoli, Science 284, 133 (1999).

    Examples
    --------
    >>> landau_zener(1e-7, [1.0, 0.1, 0.01], delta_m=20).round(6)
    array([7.700e-05, 7.650e-04, 7.625e-03])
    """
    if hasattr(splitting, "kelvin"):
        msg = "splitting must be a number [K], got a Splitting; pass its .kelvin"
        raise InputError(msg)
    gap = finite_array("splitting", splitting)
    if not np.all(gap >= 0):
        msg = f"splitting must be >= 0 [K], got {float(np.min(gap))}"
        raise InputError(msg)
    speed = np.abs(finite_array("rate", rate)) * _slope(slope, delta_m, g)
    if np.any((speed == 0) & (gap == 0)):
        msg = "splitting and rate must not both be 0: the limit depends on their order"
        raise InputError(msg)
    with np.errstate(divide="ignore", over="ignore"):
        exponent = np.pi * gap**2 / (2 * HBAR * speed)
    return np.asarray(-np.expm1(-exponent), dtype=np.float64)


def _slope(slope: ArrayLike | None, delta_m: float | None, g: float) -> NDArray[np.float64]:
    if delta_m is None and slope is not None:
        value, name = finite_array("slope", slope), "slope"
    elif slope is None and delta_m is not None:
        value, name = finite_array("delta_m", delta_m) * positive("g", g) * MU_B, "delta_m"
    else:
        msg = "give exactly one of slope [K/T] and delta_m"
        raise InputError(msg)
    if not np.all(value != 0):
        msg = f"{name} must not be 0: parallel levels do not cross"
        raise InputError(msg)
    return np.abs(value)
