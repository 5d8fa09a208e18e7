r"""The dissipator of a Lindblad equation and the action of its exponential on a density matrix.

.. math:: D\rho = \sum_k L_k \rho L_k^\dagger - \tfrac12 \{L_k^\dagger L_k, \rho\}

A collapse operator with a single diagonal (a ladder operator, a power of S_z, one transition between two
basis states) couples elements of rho on the same diagonal only.  If all are of this kind, one application of
D is a handful of vector operations on the upper half of rho, stored diagonal by diagonal.  Other collapse
operators are applied as dense products.  Both feed the same Taylor series of exp(t D), whose terms after the
first have trace 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from mesospin.errors import InputError

__all__ = ["Dissipator", "apply_exponential", "build_dissipator", "taylor_terms"]

Complex = NDArray[np.complex128]
Entries = NDArray[np.float64] | NDArray[np.complex128]
Shifts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Dissipator:
    """Collapse operators in the form that the kernels use.

    Parameters
    ----------
    shifts : ndarray of int64, shape (d,)
        D couples element (i, j) to (i + a, j + a); 0 comes last.  Empty if `operators` are used.
    coefficients : ndarray, shape (d, m) [1/s]
        Coefficient of every element of the upper half for each shift: m = n (n + 1) / 2 complex numbers, or
        m = n (n + 1) real ones, each written twice.
    operators : ndarray of complex128, shape (k, n, n) [s^-1/2]
        Collapse operators; empty if `coefficients` are used.
    adjoints : ndarray of complex128, shape (k, n, n)
        Their adjoints.
    decay : ndarray of complex128, shape (n, n) [1/s]
        Half the sum of adjoint times operator.
    norm : float [1/s]
        Upper bound of the norm of D.
    """

    shifts: Shifts
    coefficients: Entries
    operators: Complex
    adjoints: Complex
    decay: Complex
    norm: float


def build_dissipator(collapse: Sequence[Entries], n: int) -> Dissipator:
    """Return the dissipator of n x n collapse operators, in the cheaper of its two forms.

    Parameters
    ----------
    collapse : sequence of ndarray, shape (n, n) [s^-1/2]
        Collapse operators; may be empty.
    n : int
        Dimension.

    Returns
    -------
    Dissipator

    Raises
    ------
    InputError
        If an operator has another shape or holds NaN.

    Examples
    --------
    >>> lower = np.diag([1.0, 1.0], -1)
    >>> build_dissipator([lower, lower.T], 3).shifts
    array([-2,  2,  0])
    """
    operators = np.zeros((len(collapse), n, n), dtype=np.complex128)
    for k, value in enumerate(collapse):
        operator = np.asarray(value)
        if operator.shape != (n, n) or operator.dtype.kind not in "iufc" or not np.all(np.isfinite(operator)):
            raise InputError(
                f"collapse[{k}] must be a finite matrix of shape ({n}, {n}) [s^-1/2], "
                f"got shape {operator.shape}; give the operator in the basis of H0"
            )
        operators[k] = operator
    operators = operators[np.any(operators, axis=(1, 2))]
    adjoints = np.ascontiguousarray(operators.conj().transpose(0, 2, 1))
    decay = 0.5 * np.sum(adjoints @ operators, axis=0)
    norm = 2.0 * _row_sum(decay) + sum(_row_sum(a) * _row_sum(a.T) for a in operators)
    used = [_diagonals_of(a) for a in operators]
    if any(len(diagonals) > 1 for diagonals in used):
        return Dissipator(
            np.zeros(0, dtype=np.int64), np.zeros((0, n * (n + 1))), operators, adjoints, decay, norm
        )
    shifts = np.array([*sorted({diagonals[0] for diagonals in used} - {0}), 0], dtype=np.int64)
    table = _coefficients(operators, decay, shifts)
    nothing = np.zeros((0, n, n), dtype=np.complex128)
    if not np.any(table.imag):
        return Dissipator(2 * shifts, np.repeat(table.real, 2, axis=1), nothing, nothing, decay, norm)
    return Dissipator(shifts, table, nothing, nothing, decay, norm)


def _row_sum(matrix: Complex) -> float:
    return float(np.max(np.sum(np.abs(matrix), axis=1), initial=0.0))


def _diagonals_of(matrix: Complex) -> list[int]:
    rows, columns = np.nonzero(matrix)
    return sorted({int(d) for d in columns - rows})


def _coefficients(operators: Complex, decay: Complex, shifts: Shifts) -> Complex:
    """D in the packed order: diagonal 0 of rho, then 1, up to n - 1."""
    n = decay.shape[0]
    rows = np.concatenate([np.arange(n - k) for k in range(n)])
    columns = np.concatenate([np.arange(n - k) + k for k in range(n)])
    table = np.zeros((shifts.size, rows.size), dtype=np.complex128)
    for operator in operators:
        shift = _diagonals_of(operator)[0]
        entry = np.zeros(n, dtype=np.complex128)
        inside = np.arange(max(0, -shift), min(n, n - shift))
        entry[inside] = operator[inside, inside + shift]
        table[np.nonzero(shifts == shift)[0][0]] += entry[rows] * entry[columns].conj()
    diagonal = np.diagonal(decay).real
    table[-1] -= diagonal[rows] + diagonal[columns]
    return table


def taylor_terms(norm: float, time: float, accuracy: float = 1e-15) -> tuple[int, int]:
    """Return (parts, terms) of the Taylor series of exp(time D), in parts of norm at most 1.

    Examples
    --------
    >>> taylor_terms(0.0, 1.0), taylor_terms(2.5, 1.0)
    ((1, 1), (3, 17))
    """
    size = norm * abs(time)
    parts = max(1, int(np.ceil(size)))
    size /= parts
    term, terms = 1.0, 0
    while terms < 1 or term > accuracy / parts:
        terms += 1
        term *= size / terms
    return parts, terms


@numba.njit(cache=True, fastmath={"contract"})
def _add_term(
    total: Entries,
    x: Entries,
    out: Entries,
    shifts: Shifts,
    coefficients: Entries,
    padding: int,
    scale: float,
) -> None:
    """Replace the term in x by scale D x and add it to the total; x is padded with zeros on both sides."""
    size = out.size
    last = shifts.size - 1
    for o in range(last):
        row = coefficients[o]
        shifted = x[padding + shifts[o] : padding + shifts[o] + size]
        if o == 0:
            for q in range(size):
                out[q] = row[q] * shifted[q]
        else:
            for q in range(size):
                out[q] += row[q] * shifted[q]
    middle = x[padding : padding + size]
    row = coefficients[last]
    if last == 0:
        for q in range(size):
            middle[q] *= scale * row[q]
            total[q] += middle[q]
    else:
        for q in range(size):
            middle[q] = scale * (out[q] + row[q] * middle[q])
            total[q] += middle[q]


@numba.njit(cache=True)
def _by_diagonals(
    rho: Complex, time: float, parts: int, terms: int, shifts: Shifts, coefficients: Entries
) -> None:
    n = rho.shape[0]
    packed = np.empty(n * (n + 1) // 2, np.complex128)
    q = 0
    for k in range(n):
        for i in range(n - k):
            packed[q] = rho[i, i + k]
            q += 1
    total = packed.view(coefficients.dtype)
    padding = np.max(np.abs(shifts))
    x = np.zeros(total.size + 2 * padding, coefficients.dtype)
    out = np.empty_like(total)
    for _ in range(parts):
        x[padding : padding + total.size] = total
        for p in range(1, terms + 1):
            _add_term(total, x, out, shifts, coefficients, padding, time / (parts * p))  # type: ignore[arg-type]
    q = 0
    for k in range(n):
        for i in range(n - k):
            rho[i, i + k] = packed[q]
            rho[i + k, i] = np.conj(packed[q])
            q += 1


@numba.njit(cache=True)
def _by_products(
    rho: Complex, time: float, parts: int, terms: int, operators: Complex, adjoints: Complex, decay: Complex
) -> None:
    for _ in range(parts):
        term = rho.copy()
        for p in range(1, terms + 1):
            product = np.dot(decay, term)
            following = -product - product.conj().T
            for k in range(operators.shape[0]):
                following += np.dot(np.dot(operators[k], term), adjoints[k])
            term = following * (time / (parts * p))
            rho += term


@numba.njit(cache=True)
def apply_exponential(
    rho: Complex,
    time: float,
    parts: int,
    terms: int,
    shifts: Shifts,
    coefficients: Entries,
    operators: Complex,
    adjoints: Complex,
    decay: Complex,
) -> None:
    """Replace rho (C-contiguous, Hermitian) by exp(time D) rho; `parts` and `terms` of taylor_terms."""
    if shifts.size > 0:
        _by_diagonals(rho, time, parts, terms, shifts, coefficients)
    else:
        _by_products(rho, time, parts, terms, operators, adjoints, decay)
