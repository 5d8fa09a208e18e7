"""Step control shared by the integrators: every stretch is done twice, with steps h and 2h."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array
from mesospin.errors import ConvergenceError, InputError

__all__ = ["Advance", "Control", "Field", "March", "field_values", "hermitian_matrix", "march", "time_points"]

Field = Callable[[NDArray[np.float64]], ArrayLike]
"""Field along the sweep axis [T] as a function of an array of times [s]."""

Advance = Callable[
    [NDArray[np.complex128], float, float, int], tuple[NDArray[np.complex128], NDArray[np.complex128]]
]
"""advance(state, start [s], step [s], count): the states after 2 count steps and after count double steps."""


@dataclass(frozen=True, slots=True)
class Control:
    """Choices of the step control.

    Parameters
    ----------
    tolerance : float
        Largest estimated error (Frobenius norm) at the last time.
    max_steps : int
        Largest number of accepted steps.
    first_step : float [s]
        First trial.
    longest_step : float [s]
        Never step further; beyond it the error estimate is not to be trusted.
    stretch : int
        Steps between two error estimates, even.
    order : int
        Exponent with which the error is taken to fall when a new step is chosen; the estimate itself always
        assumes 4, the guaranteed order.
    """

    tolerance: float
    max_steps: int
    first_step: float
    longest_step: float
    stretch: int
    order: int = 4


@dataclass(frozen=True, slots=True)
class March:
    """States at the requested times, with what it took to get them.

    Parameters
    ----------
    states : list of ndarray
        One state per requested time, the initial one first.
    error : float
        Sum of the local error estimates.
    steps : int
        Accepted steps of the finer solution.
    rejected : int
        Stretches that were repeated with a smaller step.
    """

    states: list[NDArray[np.complex128]]
    error: float
    steps: int
    rejected: int


def march(
    advance: Advance,
    state: NDArray[np.complex128],
    *,
    times: NDArray[np.float64],
    breakpoints: NDArray[np.float64],
    control: Control,
) -> March:
    r"""Carry a state through all times, choosing the step so that the errors sum to less than the tolerance.

    A stretch of length :math:`l` is done with :math:`2k` steps and again with :math:`k` steps.  For a method
    of fourth order the finer result is off by a fifteenth of their difference (Frobenius norm), which must
    not exceed the share :math:`l / (t_{last} - t_0)` of the tolerance.  The shares add up, because neither
    unitary nor dissipative evolution enlarges a difference of states by more than a factor of order one.

    Parameters
    ----------
    advance : callable
        The integrator.
    state : ndarray of complex128
        Initial state, any shape.
    times : ndarray, shape (t,) [s]
        Rising; the first is the start.
    breakpoints : ndarray [s]
        Times at which the right-hand side may jump; no step crosses them.
    control : Control
        Tolerance and steps.

    Returns
    -------
    March

    Raises
    ------
    ConvergenceError
        If more than `control.max_steps` steps are needed.
    """
    inside = breakpoints[(breakpoints > times[0]) & (breakpoints < times[-1])]
    edges = np.union1d(times, inside)
    tally = _Tally(control, float(times[-1] - times[0]))
    states = [state]
    wanted = {float(t) for t in times[1:]}
    step = control.first_step
    for start, stop in pairwise(edges.tolist()):
        state, step = _cross_interval(advance, state, start, stop, step, tally)
        if stop in wanted:
            states.append(state)
    return March(states, tally.error, tally.steps, tally.rejected)


class _Tally:
    """Running sums of one march; private to this file."""

    def __init__(self, control: Control, duration: float) -> None:
        self.control = control
        self.duration = duration
        self.error = 0.0
        self.steps = 0
        self.rejected = 0

    def refuse_excess(self, time: float, step: float) -> None:
        # A tolerance below rounding is never met: rejections then outnumber the accepted stretches.
        hopeless = self.rejected > 200 + self.steps // self.control.stretch
        if self.steps > self.control.max_steps or hopeless or not time + step > time:
            self._fail(time, step)

    def _fail(self, time: float, step: float) -> None:
        raise ConvergenceError(
            f"max_steps must allow the tolerance {self.control.tolerance:g} to be reached, got "
            f"{self.control.max_steps} with {self.steps} steps used and {self.rejected} repeated at "
            f"t = {time:.6g} s; raise max_steps or the tolerance, or use RateEquations()",
            {"time": time, "step": step, "steps": self.steps, "rejected": self.rejected, "error": self.error},
        )


def _cross_interval(
    advance: Advance, state: NDArray[np.complex128], start: float, stop: float, step: float, tally: _Tally
) -> tuple[NDArray[np.complex128], float]:
    control = tally.control
    time = start
    while time < stop:
        tally.refuse_excess(time, step)
        remaining = stop - time
        pieces = max(1, math.ceil(remaining / (control.stretch * step) - 1e-9))
        length = remaining / pieces
        half = max(1, math.ceil(length / (2.0 * step) - 1e-9))
        used = length / (2 * half)
        fine, coarse = advance(state, time, used, half)
        error = float(np.linalg.norm(fine - coarse)) / 15.0
        allowed = control.tolerance * length / tally.duration
        factor = 0.9 * (allowed / error) ** (1.0 / control.order) if error > 0.0 else 4.0
        if error <= allowed:
            state = fine
            time = stop if pieces == 1 else time + length
            tally.error += error
            tally.steps += 2 * half
            if factor > 1.2:
                step = min(used * min(factor, 4.0), control.longest_step)
        else:
            tally.rejected += 1
            step = used * min(max(factor, 0.2), 0.9)
    return state, step


def time_points(times: ArrayLike) -> NDArray[np.float64]:
    """Return requested times as a rising array of at least two entries, or raise InputError."""
    points = finite_array("times", times, "s", shape=(None,))
    if points.size < 2 or not np.all(np.diff(points) > 0.0):
        raise InputError(
            f"times must rise strictly and hold at least a start and an end [s], got {points.size} values; "
            "sort them and remove repetitions"
        )
    return points


def field_values(field: Field, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the protocol at an array of times, refusing NaN and wrong shapes."""
    values = np.asarray(field(times), dtype=np.float64)
    if values.shape != times.shape or not np.all(np.isfinite(values)):
        raise InputError(
            f"field must return finite values of shape {times.shape} [T], got shape {values.shape}; "
            "write it with numpy functions of an array of times"
        )
    return values


def hermitian_matrix(name: str, value: ArrayLike, unit: str) -> NDArray[np.float64] | NDArray[np.complex128]:
    """Return a square Hermitian matrix as float64 or complex128, or raise InputError."""
    matrix = np.array(value)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.dtype.kind not in "iufc":
        raise InputError(f"{name} must be a matrix of shape (n, n) [{unit}], got {matrix.shape}; reshape it")
    if not np.all(np.isfinite(matrix)):
        raise InputError(f"{name} must be finite everywhere [{unit}], got NaN or infinity; check the terms")
    defect = float(np.max(np.abs(matrix - matrix.conj().T), initial=0.0))
    if not defect <= 1e-12 * float(np.max(np.abs(matrix), initial=0.0)):
        raise InputError(
            f"{name} must be Hermitian [{unit}], got a difference of {defect:.2g} from its adjoint; "
            "add the Hermitian conjugate terms"
        )
    if np.iscomplexobj(matrix) and np.any(matrix.imag):
        return np.ascontiguousarray(matrix, dtype=np.complex128)
    return np.ascontiguousarray(matrix.real, dtype=np.float64)
