r"""Schroedinger equation along a field sweep, where the whole phase can be followed.

.. math:: i \hbar\, \partial_t \psi = [H_0 + B(t) G]\, \psi

Commutator-free Magnus steps of fourth order; each exponential acts on the states through its Chebyshev
series, which keeps the norm to rounding.  Sweeps at laboratory rates accumulate far too much phase for this:
see :mod:`mesospin.dynamics.coherent.windows`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array
from mesospin.constants import HBAR
from mesospin.dynamics.coherent.propagators import (
    CF4_POINTS,
    CF4_WEIGHTS,
    Matrix,
    cf4_steps,
    chebyshev_coefficients,
)
from mesospin.dynamics.coherent.stepping import (
    Control,
    Field,
    field_values,
    hermitian_matrix,
    march,
    time_points,
)
from mesospin.dynamics.methods import Exact
from mesospin.errors import InputError

__all__ = ["MAX_PHASE", "StateEvolution", "evolve_state", "total_phase"]

MAX_PHASE: Final[float] = 1e7
"""Largest phase [rad], spread of H times duration over hbar, that a sweep may accumulate here."""

_STRETCH = 64
_LONGEST_PHASE = 64.0
_FIRST_PHASE = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class StateEvolution:
    """States along a sweep.

    Parameters
    ----------
    times : ndarray, shape (t,) [s]
        Requested times.
    states : ndarray of complex128, shape (t, n) or (t, n, k)
        State vectors in the basis of H0, shaped as the initial ones.
    error : float
        Estimated error of the last ones (2-norm over all states).
    steps : int
        Accepted time steps.
    rejected : int
        Stretches of steps that were repeated with a smaller step.
    """

    times: NDArray[np.float64]
    states: NDArray[np.complex128]
    error: float
    steps: int
    rejected: int


def evolve_state(
    H0: ArrayLike,
    G: ArrayLike,
    states: ArrayLike,
    *,
    field: Field,
    times: ArrayLike,
    breakpoints: ArrayLike = (),
    method: Exact | None = None,
) -> StateEvolution:
    """Integrate the Schroedinger equation for H(B) = H0 + B G along a field protocol B(t).

    Parameters
    ----------
    H0 : array-like, shape (n, n) [K]
        Hamiltonian at zero field, Hermitian.
    G : array-like, shape (n, n) [K/T]
        Derivative with respect to the field along the sweep axis, Hermitian.
    states : array-like, shape (n,) or (n, k)
        One normalised initial state, or k of them as columns.
    field : callable
        B [T] of an array of times [s], smooth between the breakpoints.
    times : array-like, shape (t,) [s]
        Rising; the first is the start, all are returned.
    breakpoints : array-like [s], default none
        Times of jumps and kinks of the field.
    method : Exact, optional
        Tolerance and number of steps; the default is ``Exact()``.

    Returns
    -------
    StateEvolution

    Raises
    ------
    InputError
        If the phase exceeds 1e7 rad, a matrix is not Hermitian, a state is not normalised, a value is NaN or
        times do not rise.
    ConvergenceError
        If the method's `max_steps` is too small.

    Examples
    --------
    A spin 1/2 swept fast through a gap of 1 K, 200 K to either side, keeps its direction:

    >>> import numpy as np
    >>> from mesospin.constants import HBAR
    >>> sx, sz = np.array([[0.0, 0.5], [0.5, 0.0]]), np.diag([0.5, -0.5])
    >>> run = evolve_state(
    ...     sx, sz, [1.0, 0.0], field=lambda t: 10.0 * t / HBAR, times=np.array([-20.0, 20.0]) * HBAR
    ... )
    >>> bool(abs(abs(run.states[-1, 0]) ** 2 - np.exp(-np.pi / 20.0)) < 0.01)
    True
    """
    method = method if method is not None else Exact()
    h0, g = hermitian_matrix("H0", H0, "K"), hermitian_matrix("G", G, "K/T")
    if h0.shape != g.shape:
        raise InputError(f"G must have the shape of H0, {h0.shape}, got {g.shape}; use one basis for both")
    points = time_points(times)
    initial = _initial_states(states, h0.shape[0])
    integrator = _Magnus(h0, g, field, points)
    _refuse_long_phase(integrator.largest_spread * float(points[-1] - points[0]))
    fastest = max(integrator.largest_spread, 1e-3 / float(points[-1] - points[0]))
    control = Control(
        tolerance=method.tolerance,
        max_steps=method.max_steps,
        first_step=_FIRST_PHASE / fastest,
        longest_step=_LONGEST_PHASE / fastest,
        stretch=_STRETCH,
    )
    result = march(
        integrator.advance,
        initial.reshape(h0.shape[0], -1),
        times=points,
        breakpoints=finite_array("breakpoints", breakpoints, "s", shape=(None,)),
        control=control,
    )
    shaped = np.array(result.states).reshape(points.size, *initial.shape)
    return StateEvolution(points, shaped, result.error, result.steps, result.rejected)


def total_phase(H0: ArrayLike, G: ArrayLike, *, low: float, high: float, duration: float) -> float:
    """Return the largest spread of H between two fields [T] times a duration [s] over hbar, in rad.

    Examples
    --------
    >>> import numpy as np
    >>> total_phase(np.zeros((2, 2)), np.diag([0.5, -0.5]), low=-1.0, high=2.0, duration=HBAR)
    2.0
    """
    h0, g = hermitian_matrix("H0", H0, "K"), hermitian_matrix("G", G, "K/T")
    # The highest eigenvalue is convex in B and the lowest concave: their difference is largest at an end.
    values = np.linalg.eigvalsh(h0 + np.array([low, high])[:, None, None] * g)
    return float(np.max(values[:, -1] - values[:, 0])) * duration / HBAR


def _refuse_long_phase(phase: float) -> None:
    if not phase <= MAX_PHASE:
        raise InputError(
            f"times must keep the phase of the sweep below {MAX_PHASE:.0e} rad, got {phase:.2g} rad; "
            "sweep faster or over less, use cross_windows() around the crossings, or RateEquations()"
        )


def _initial_states(states: ArrayLike, n: int) -> NDArray[np.complex128]:
    given = np.array(states, dtype=np.complex128)
    if given.ndim not in {1, 2} or given.shape[0] != n or given.size == 0 or not np.all(np.isfinite(given)):
        raise InputError(
            f"states must be finite, of shape ({n},) or ({n}, k), got shape {given.shape}; "
            "give columns in the basis of H0"
        )
    norms = np.linalg.norm(given, axis=0)
    if not np.all(np.abs(norms - 1.0) <= 1e-9):
        raise InputError(f"states must be normalised, got a norm of {np.max(norms):.6g}; divide by the norm")
    return given


class _Magnus:
    """Integrator with fixed matrices in compressed rows; equal calls of `advance` give equal results."""

    def __init__(self, h0: Matrix, g: Matrix, field: Field, points: NDArray[np.float64]) -> None:
        n = h0.shape[0]
        self.field = field
        if h0.dtype != g.dtype:
            h0, g = h0.astype(np.complex128), g.astype(np.complex128)
        pattern = (h0 != 0) | (g != 0) | np.eye(n, dtype=bool)
        rows, self.columns = np.nonzero(pattern)
        self.indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
        self.constant = h0[rows, self.columns] / HBAR
        self.slope = g[rows, self.columns] / HBAR
        self.diagonal = (rows == self.columns).astype(np.float64)
        self.h0, self.g = h0 / HBAR, g / HBAR
        sampled = field_values(field, np.linspace(points[0], points[-1], 257))
        reach = 0.1 * float(np.ptp(sampled))
        self.fields = np.linspace(sampled.min() - reach, sampled.max() + reach, 9)
        values = np.linalg.eigvalsh(self.h0 + self.fields[:, None, None] * self.g)
        self.lowest, self.highest = values[:, 0], values[:, -1]
        self.largest_spread = float(np.max(self.highest - self.lowest))

    def advance(
        self, states: NDArray[np.complex128], start: float, step: float, count: int
    ) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """Return the states after 2 count steps and after count double steps."""
        return self._run(states, start, step, 2 * count), self._run(states, start, 2.0 * step, count)

    def _run(
        self, states: NDArray[np.complex128], start: float, step: float, count: int
    ) -> NDArray[np.complex128]:
        times = start + step * (np.arange(count)[:, None] + CF4_POINTS)
        parameters = field_values(self.field, times.ravel()).reshape(times.shape) @ CF4_WEIGHTS
        centre, radius = self._bounds(2.0 * float(parameters.min()), 2.0 * float(parameters.max()))
        coefficients = chebyshev_coefficients(0.5 * radius * step)
        phase = np.exp(-0.5j * centre * step)
        result: NDArray[np.complex128] = cf4_steps(
            states,
            parameters,
            self.indptr,
            self.columns,
            self.constant,
            self.slope,
            self.diagonal,
            centre,
            radius,
            coefficients,
            phase,
        )
        return result

    def _bounds(self, low: float, high: float) -> tuple[float, float]:
        """Centre and half width [rad/s] of an interval that holds the spectra between two fields [T].

        Chords lie above the convex highest and below the concave lowest eigenvalue.
        """
        fields, lowest, highest = self.fields, self.lowest, self.highest
        if low < fields[0] or high > fields[-1]:
            fields = np.array([low, high]) if high > low else np.array([low])
            values = np.linalg.eigvalsh(self.h0 + fields[:, None, None] * self.g)
            lowest, highest = values[:, 0], values[:, -1]
        at = np.concatenate([[low, high], fields[(fields > low) & (fields < high)]])
        bottom = float(np.interp(at, fields, lowest).min())
        top = float(np.interp(at, fields, highest).max())
        margin = 1e-6 * (top - bottom) + 1e-9 * max(abs(top), abs(bottom))
        return 0.5 * (top + bottom), max(0.5 * (top - bottom) + margin, 1e-300)
