r"""Lindblad equation along a field sweep, for Hamiltonians that are affine in the field.

.. math:: \dot\rho = -\frac{i}{\hbar} [H_0 + B(t) G, \rho]
          + \sum_k L_k \rho L_k^\dagger - \tfrac12 \{L_k^\dagger L_k, \rho\}

The unitary part and the dissipator are applied in turn, with the coefficients of a symmetric splitting of
order (10, 4) made for a weak second part [1]_.  Each unitary stage is a commutator-free Magnus step of
fourth order [2]_: two exponentials of :math:`-i\,\tau (H_0 / 2 + \varphi G)/\hbar`.  As H is affine in B, all
of them belong to a few families with one real parameter, which are tabulated as Chebyshev series in it; a
propagator then costs less than a matrix product, whatever the structure of H.

References
----------
.. [1] S. Blanes, F. Casas, A. Farres, J. Laskar, J. Makazaga, A. Murua, Appl. Numer. Math. 68, 58 (2013).
.. [2] S. Blanes, P. C. Moan, Appl. Numer. Math. 56, 1519 (2006).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, integer, positive
from mesospin.constants import HBAR
from mesospin.dynamics.coherent.dissipator import (
    Dissipator,
    apply_exponential,
    build_dissipator,
    taylor_terms,
)
from mesospin.dynamics.coherent.propagators import (
    CF4_POINTS,
    CF4_WEIGHTS,
    Complex,
    Matrix,
    centred,
    exponential_tables,
    traceless,
)
from mesospin.dynamics.coherent.stepping import (
    Control,
    Field,
    field_values,
    hermitian_matrix,
    march,
    time_points,
)
from mesospin.errors import InputError

__all__ = ["DensityEvolution", "evolve_density"]

# Stages of one step: A1 B1 A2 B2 A3 B3 A4 B4 A4 B3 A3 B2 A2 B1 A1, A unitary, B dissipative; fractions of h.
_UNITARY: Final = np.array(
    [0.04706710064597251, 0.18475693541708810, 0.28270600567983623, -0.014530041742896818]
)
_DISSIPATIVE: Final = np.array(
    [0.11888191736819702, 0.24105046055150156, -0.27328666670532381, 0.82670857757125044]
)
_STAGE: Final = np.array([0, 1, 2, 3, 3, 2, 1, 0])
_BLOCK = 4
_STRETCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class DensityEvolution:
    """Density matrices along a sweep.

    Parameters
    ----------
    times : ndarray, shape (t,) [s]
        Requested times.
    density : ndarray of complex128, shape (t, n, n)
        Density matrices in the basis of H0.
    error : float
        Estimated error of the last one (Frobenius norm).
    steps : int
        Accepted time steps.
    rejected : int
        Stretches of steps that were repeated with a smaller step.
    """

    times: NDArray[np.float64]
    density: NDArray[np.complex128]
    error: float
    steps: int
    rejected: int


def evolve_density(
    H0: ArrayLike,
    G: ArrayLike,
    state: ArrayLike,
    *,
    field: Field,
    times: ArrayLike,
    collapse: Sequence[Matrix],
    tolerance: float = 1e-6,
    breakpoints: ArrayLike = (),
    max_steps: int = 1_000_000,
) -> DensityEvolution:
    """Integrate the Lindblad equation for H(B) = H0 + B G along a field protocol B(t).

    Parameters
    ----------
    H0 : array-like, shape (n, n) [K]
        Hamiltonian at zero field, Hermitian.
    G : array-like, shape (n, n) [K/T]
        Derivative with respect to the field along the sweep axis, Hermitian.
    state : array-like, shape (n,) or (n, n)
        Normalised ket, or density matrix (Hermitian, trace 1).
    field : callable
        B [T] of an array of times [s], smooth between the breakpoints.
    times : array-like, shape (t,) [s]
        Rising; the first is the start, all are returned.
    collapse : sequence of ndarray, shape (n, n) [s^-1/2]
        Collapse operators in the basis of H0, square root of the rate included; may be empty.
    tolerance : float, default 1e-6
        Largest estimated error (Frobenius norm) of the last density matrix, > 0.
    breakpoints : array-like [s], default none
        Times of jumps and kinks of the field.
    max_steps : int, default 1 000 000
        Refuse to take more steps.

    Returns
    -------
    DensityEvolution
        Trace and Hermiticity are kept to rounding; eigenvalues may fall below zero by the tolerance.

    Raises
    ------
    InputError
        If a matrix is not Hermitian, a shape is wrong, a value is NaN, or times do not rise.
    ConvergenceError
        If `max_steps` is too small.

    Notes
    -----
    The number of steps follows the difference frequencies that the dissipator couples and the speed of the
    field, not the norm of H.  Collapse operators with one diagonal each (ladder operators, S_z) are fastest;
    rates much larger than the frequencies make the steps short.

    Examples
    --------
    A spin 1/2 in zero field forgets its sign at the rate of its flips, here 1/s each way:

    >>> import numpy as np
    >>> up = np.array([[0.0, 1.0], [0.0, 0.0]])
    >>> zero = np.zeros((2, 2))
    >>> run = evolve_density(
    ...     zero, zero, [1.0, 0.0], field=np.zeros_like, times=[0.0, 1.0], collapse=(up, up.T)
    ... )
    >>> round(float(run.density[-1, 0, 0].real - 0.5 - 0.5 * np.exp(-2.0)), 8)
    0.0
    """
    h0, g = hermitian_matrix("H0", H0, "K"), hermitian_matrix("G", G, "K/T")
    if h0.shape != g.shape:
        raise InputError(f"G must have the shape of H0, {h0.shape}, got {g.shape}; use one basis for both")
    n = h0.shape[0]
    points = time_points(times)
    tolerance = positive("tolerance", tolerance)
    integrator = _Splitting(h0, g, field, build_dissipator(collapse, n), collapse, tolerance)
    longest = integrator.longest_step(points)
    control = Control(
        tolerance=tolerance,
        max_steps=integer("max_steps", max_steps, at_least=2),
        first_step=min(0.7 * longest, float(points[-1] - points[0]) / _STRETCH),
        longest_step=longest,
        stretch=_STRETCH,
        order=10,
    )
    result = march(
        integrator.advance,
        _density(state, n),
        times=points,
        breakpoints=finite_array("breakpoints", breakpoints, "s", shape=(None,)),
        control=control,
    )
    return DensityEvolution(points, np.array(result.states), result.error, result.steps, result.rejected)


def _density(state: ArrayLike, n: int) -> NDArray[np.complex128]:
    given = np.array(state, dtype=np.complex128)
    if given.shape not in {(n,), (n, n)} or not np.all(np.isfinite(given)):
        raise InputError(
            f"state must be a finite ket of shape ({n},) or density matrix of shape ({n}, {n}), "
            f"got shape {given.shape}; give it in the basis of H0"
        )
    rho = np.outer(given, given.conj()) if given.ndim == 1 else given
    if not abs(np.trace(rho) - 1.0) <= 1e-9 or not np.max(np.abs(rho - rho.conj().T)) <= 1e-12:
        raise InputError(
            f"state must be normalised and Hermitian, got trace {np.trace(rho):.6g}; divide by norm or trace"
        )
    return np.ascontiguousarray(rho)


class _Splitting:
    """Integrator with fixed matrices; `advance` has no memory, so equal calls give equal results."""

    def __init__(
        self,
        h0: NDArray[np.float64] | NDArray[np.complex128],
        g: NDArray[np.float64] | NDArray[np.complex128],
        field: Field,
        dissipator: Dissipator,
        collapse: Sequence[Matrix],
        tolerance: float,
    ) -> None:
        self.h0 = traceless(h0) / HBAR
        self.g = centred(g) / HBAR
        self.field = field
        self.dissipator = dissipator
        self.collapse = [np.asarray(operator) for operator in collapse if np.any(operator)]
        self.accuracy = max(1e-15, min(1e-9, 1e-5 * tolerance))

    def longest_step(self, points: NDArray[np.float64]) -> float:
        """Step at which the dissipator still sees the slowest of its differences of frequency.

        A collapse operator whose transitions differ in frequency by w couples coherences that turn against
        each other at w; between two dissipative stages, 0.283 h at most, they must turn by less than pi.
        """
        fields = field_values(self.field, np.linspace(points[0], points[-1], 9))
        energies, vectors = np.linalg.eigh(self.h0 + fields[:, None, None] * self.g)
        bohr = energies[:, :, None] - energies[:, None, :]
        adjoint = vectors.conj().transpose(0, 2, 1)
        fastest = max(self.dissipator.norm, 1.0 / float(points[-1] - points[0]))
        for operator in self.collapse:
            size = np.abs(adjoint @ operator @ vectors)
            used = size > 0.05 * np.max(size)
            highest = np.where(used, bohr, -np.inf).max(axis=(1, 2))
            lowest = np.where(used, bohr, np.inf).min(axis=(1, 2))
            fastest = max(fastest, float(np.max(highest - lowest)))
        return float(np.pi / (_UNITARY.max() * fastest))

    def advance(
        self, rho: NDArray[np.complex128], start: float, step: float, count: int
    ) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """Return the density matrices after 2 count steps and after count double steps."""
        fine = self._parameters(start, step, 2 * count)
        coarse = self._parameters(start, 2.0 * step, count)
        low, high = min(fine.min(), coarse.min()), max(fine.max(), coarse.max())
        middle, half = 0.5 * (high + low), 0.5 * (high - low)
        durations = step * np.concatenate([_UNITARY, 2.0 * _UNITARY])
        tables = exponential_tables(0.5 * self.h0, self.g, middle, half, durations)
        scale = half if half > 0.0 else 1.0
        return (
            self._run(rho, step, (fine - middle) / scale, tables[:4]),
            self._run(rho, 2.0 * step, (coarse - middle) / scale, tables[4:]),
        )

    def _run(
        self,
        rho: NDArray[np.complex128],
        step: float,
        arguments: NDArray[np.float64],
        tables: NDArray[np.float64],
    ) -> NDArray[np.complex128]:
        rho = rho.copy()
        pending = np.eye(rho.shape[0], dtype=np.complex128)
        durations = step * _DISSIPATIVE
        d = self.dissipator
        series = np.array([taylor_terms(d.norm, t, self.accuracy) for t in durations])
        # Stages j and 7 - j have equal durations and share a table.
        paired = np.stack([arguments[:, :4], arguments[:, :3:-1]], axis=2).transpose(1, 0, 2, 3)
        vander = np.asarray(chebvander(paired, tables.shape[1] - 1), dtype=np.float64)
        polynomials = np.ascontiguousarray(np.moveaxis(vander, 1, 0))
        for first in range(0, len(arguments), _BLOCK):
            unitary = self._propagators(tables, polynomials[first : first + _BLOCK])
            _advance_block(
                rho,
                pending,
                unitary,
                durations,
                series,
                d.shifts,
                d.coefficients,
                d.operators,
                d.adjoints,
                d.decay,
            )
        return pending @ rho @ pending.conj().T

    def _parameters(self, start: float, step: float, count: int) -> NDArray[np.float64]:
        """Return phi [T], shape (count, 8 stages, 2 exponentials), of all unitary stages."""
        fractions = _UNITARY[_STAGE]
        begin = np.cumsum(fractions) - fractions
        inside = begin[:, None] + fractions[:, None] * CF4_POINTS
        times = start + step * (np.arange(count)[:, None, None] + inside)
        fields = field_values(self.field, times.ravel()).reshape(times.shape)
        return np.asarray(fields @ CF4_WEIGHTS, dtype=np.float64)

    def _propagators(
        self, tables: NDArray[np.float64], polynomials: NDArray[np.float64]
    ) -> NDArray[np.complex128]:
        """Return the exponentials, shape (4 durations, steps, 2 stages of equal duration, 2, n, n)."""
        n = self.h0.shape[0]
        steps, durations, _, _, q = polynomials.shape
        rows = polynomials.transpose(1, 0, 2, 3, 4).reshape(durations, 4 * steps, q)
        products = np.asarray(rows @ tables, dtype=np.float64)
        return products.view(np.complex128).reshape(durations, steps, 2, 2, n, n)


@numba.njit(cache=True, nogil=True)
def _advance_block(
    rho: Complex,
    pending: Complex,
    unitary: Complex,
    durations: NDArray[np.float64],
    series: NDArray[np.int64],
    shifts: NDArray[np.int64],
    coefficients: Matrix,
    operators: Complex,
    adjoints: Complex,
    decay: Complex,
) -> None:
    """Do some steps on rho; the last unitary stage is kept in `pending` and merged into the next step."""
    n = rho.shape[0]
    work = np.empty((n, n), np.complex128)
    turned = np.empty((n, n), np.complex128)
    stage = np.empty((n, n), np.complex128)
    for s in range(unitary.shape[1]):
        for j in range(8):
            k = j if j < 4 else 7 - j
            mirrored = 0 if j < 4 else 1
            np.dot(unitary[k, s, mirrored, 1], unitary[k, s, mirrored, 0], stage)
            # Rounding in the tables makes the mean norm of U drift by 1e-15 per stage: divide it out.
            size = 0.0
            for a in range(n):
                for b in range(n):
                    size += stage[a, b].real ** 2 + stage[a, b].imag ** 2
            stage *= np.sqrt(n / size)
            if j == 7:
                pending[:] = stage
                break
            if j == 0:
                np.dot(stage, pending, work)
                stage[:] = work
            # rho stays Hermitian, so U rho U+ = U (U rho)+ needs no conjugate of U.
            np.dot(stage, rho, work)
            for a in range(n):
                for b in range(n):
                    turned[a, b] = np.conj(work[b, a])
            np.dot(stage, turned, rho)
            m = k if j < 4 else 6 - j
            apply_exponential(
                rho,
                durations[m],
                series[m, 0],
                series[m, 1],
                shifts,
                coefficients,
                operators,
                adjoints,
                decay,
            )
