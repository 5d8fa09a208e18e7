"""How to compute a field sweep: frozen values that carry numerical choices and no physics of the sample."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import integer, positive
from mesospin.errors import InputError

__all__ = ["Exact", "Lindblad", "RateEquations"]


@dataclass(frozen=True, slots=True)
class Exact:
    r"""Unitary evolution of all levels; no phonons, no static fields.

    Where the whole phase is small enough to be followed, the Schroedinger equation is integrated with step
    control.  In laboratory sweeps the phase reaches 1e10 rad and only windows around the crossings are
    propagated; probabilities are added between them.

    Parameters
    ----------
    tolerance : float, default 1e-8
        Largest estimated error of the state vectors (2-norm) at the end of a resolved sweep, > 0.
    window : float, default 300
        Half width of the window around a crossing in units of
        :math:`\tau_{LZ} = \sqrt{\hbar / v_E}`, with :math:`v_E` [K/s] the speed at which the two levels
        approach; at least 300.
    step : float, default 0.2
        Time step inside a window in the same unit, at most 0.2; halved by itself when the gap exceeds
        :math:`\sqrt{\hbar v_E}`.
    max_steps : int, default 100 000
        Refuse to take more steps than this.

    Examples
    --------
    >>> Exact(tolerance=1e-10).window
    300.0
    """

    tolerance: float = 1e-8
    window: float = 300.0
    step: float = 0.2
    max_steps: int = 100_000

    def __post_init__(self) -> None:
        positive("tolerance", self.tolerance)
        positive("step", self.step)
        positive("window", self.window)
        integer("max_steps", self.max_steps, at_least=2)
        if not self.step <= 0.2:
            raise InputError(
                f"step must be at most 0.2 [tau_LZ], got {self.step}; "
                "longer steps alias the phase, so lower it or use RateEquations()"
            )
        if not self.window >= 300.0:
            raise InputError(
                f"window must be at least 300 [tau_LZ], got {self.window}; "
                "shorter windows cut the transition, so raise it or use RateEquations()"
            )


@dataclass(frozen=True, slots=True)
class RateEquations:
    """Populations of the diabatic levels, with phonons and with tunnelling at every crossing.

    Parameters
    ----------
    reduce : bool, optional
        True: two populations, one per well; False: all levels; None: two wells where that is accurate.
    tolerance : float, default 1e-3
        Largest error of the populations, > 0.

    Examples
    --------
    >>> RateEquations(reduce=False).tolerance
    0.001
    """

    reduce: bool | None = None
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        positive("tolerance", self.tolerance)


@dataclass(frozen=True, slots=True, eq=False)
class Lindblad:
    """Density matrix of all levels with collapse operators that do not change with time.

    Parameters
    ----------
    collapse : tuple of ndarray, shape (n, n) [s^-1/2]
        Collapse operators, each including the square root of its rate.
    tolerance : float, default 1e-6
        Largest estimated error of the density matrix (Frobenius norm) at the end, > 0.

    Examples
    --------
    >>> Lindblad(collapse=(np.diag([1.0, -1.0]),)).tolerance
    1e-06
    """

    collapse: tuple[NDArray[np.float64] | NDArray[np.complex128], ...]
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        positive("tolerance", self.tolerance)
