"""Tables of crystal-field parameters that SINGLE_ANISO prints: complete, in known norms, converted."""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial, sqrt

import numpy as np

from mesospin.checks import spin_text
from mesospin.constants import KELVIN_PER_WAVENUMBER
from mesospin.errors import InputError
from mesospin.measured.quantum_chemistry.single_aniso_text import Field, StevensTable, Table
from mesospin.operators.stevens import LARGEST_RANK, stevens_operator

__all__ = ["Parameters", "complete", "crystal_field_of", "norm"]

Parameters = dict[tuple[int, int], float]
"""Coefficients of Stevens operators [cm^-1] by (k, q)."""

#: Half a unit in the last digit of the printed squares of the ratios of norms.
_SQUARE = 0.006
_RELATIVE = 1e-6
#: Largest part of a field that may be in ranks which the file does not print.
_UNPRINTED = 0.01


def crystal_field_of(field: Field, energies: Sequence[float]) -> tuple[Parameters, float, list[str]]:
    r"""Return the parameters of a block, the norm [K] of what they leave out, and sentences on the tables.

    Without the table of spherical tensors, the ranks above 12 follow from the energies, since the operators
    are orthogonal: :math:`\sum_i (E_i - \bar E)^2 = \sum_{kq} B_{kq}^2 \|O_k^q\|^2`.

    Raises
    ------
    InputError
        If a table is cut off, both disagree, or there is none whose normalisation is known.
    """
    where = f"crystal field of J = {spin_text(field.J)}"
    if not field.stevens.values and not field.tensors:
        raise InputError(
            f"{where} must be printed in extended Stevens operators or in the tensors of Iwahara and "
            "Chibotaru, got no such table; the normalisation of the others cannot be told"
        )
    checks = []
    highest = round(2 * field.J) // 2 * 2
    values: Parameters = {}
    if field.stevens.values:
        values = complete(field.stevens, field.J, where)
        checks.append("norms of the Stevens operators are those of the file")
    if field.tensors:
        _require(field.tensors, highest, f"tensors of the {where}")
        converted = _from_tensors(field.tensors, field.J)
        if values:
            _compare(values, converted, field.J, where)
            checks.append("both tables of parameters agree")
        return values or converted, _norm_above(field.tensors, field.J), checks
    if highest <= LARGEST_RANK:
        return values, 0.0, checks
    checks.append(f"ranks above {LARGEST_RANK} are not printed")
    return values, _rest(values, field.J, energies), checks


def _rest(values: Parameters, J: float, energies: Sequence[float]) -> float:
    read = sum((value * norm(J, *kq)) ** 2 for kq, value in values.items())
    printed = np.asarray(energies[: round(2 * J) + 1], dtype=np.float64)
    total = float(np.sum((printed - printed.mean()) ** 2)) if len(printed) else read
    return min(sqrt(max(total - read, 0.0)), _UNPRINTED * sqrt(read)) * KELVIN_PER_WAVENUMBER


def complete(table: StevensTable, S: float, where: str) -> Parameters:
    """Return the even ranks of a table after checking that it is whole and in the norms of this package.

    Raises
    ------
    InputError
        If a component is missing or an operator has another norm.
    """
    _require(table.values, min(round(2 * S) // 2 * 2, LARGEST_RANK), f"Stevens parameters of the {where}")
    even = {kq: value for kq, value in table.values.items() if kq[0] % 2 == 0}
    for k, q in even:
        square = 1.0 if q == 0 else 0.5 * (norm(S, k, 0) / norm(S, k, q)) ** 2
        if abs(table.squares[k, q] - square) > _SQUARE + 1e-6 * square:
            raise InputError(
                f"operator O{k}^{q} of the {where} must have the squared ratio of norms {square:.2f}, got "
                f"{table.squares[k, q]:.2f}; its normalisation is not that of extended Stevens operators"
            )
    return even


def _require(table: Parameters | Table, highest: int, what: str) -> None:
    wanted = [(k, q) for k in range(2, highest + 1, 2) for q in range(-k, k + 1)]
    missing = [kq for kq in wanted if kq not in table]
    if missing:
        raise InputError(
            f"{what} must be all of ranks 2 to {highest}, got none for k, q = {missing[0][0]}, "
            f"{missing[0][1]}; the file is cut off"
        )


def norm(J: float, k: int, q: int) -> float:
    """Return the Frobenius norm of a Stevens operator."""
    return float(np.linalg.norm(stevens_operator(J, k, q)))


def _tensor_norm(J: float, k: int) -> float:
    """Return the Frobenius norm of every component of rank k that is 1 in the stretched state."""
    n = round(2 * J) + 1
    stretched = factorial(n - 1) * sqrt(n / (factorial(n - k - 1) * factorial(n + k)))
    return sqrt(n / (2 * k + 1)) / stretched


def _from_tensors(table: Table, J: float) -> Parameters:
    """Return Stevens parameters from those of spherical tensors with the phase of Condon and Shortley.

    O_k^q = a [T_-q + (-1)^q T_q] and O_k^-q = i a [T_-q - (-1)^q T_q] for q > 0, with a from the norms.
    """
    values: Parameters = {}
    for k in range(2, min(round(2 * J), LARGEST_RANK) + 1, 2):
        size = _tensor_norm(J, k)
        values[k, 0] = table[k, 0].real * size / norm(J, k, 0)
        for q in range(1, k + 1):
            ratio = sqrt(2) * size / norm(J, k, q)
            plus, minus = (-1) ** q * table[k, q], table[k, -q]
            values[k, q] = 0.5 * ratio * (minus + plus).real
            values[k, -q] = 0.5 * ratio * (minus - plus).imag
    return values


def _compare(values: Parameters, others: Parameters, J: float, where: str) -> None:
    sizes = {(k, q): norm(J, k, q) for k, q in values}
    limit = _RELATIVE * max(abs(v) * sizes[kq] for kq, v in values.items())
    for kq, value in values.items():
        if abs(value - others[kq]) * sizes[kq] > limit:
            raise InputError(
                f"both tables of the {where} must give the same B{kq[0]},{kq[1]}, got {value:.6g} and "
                f"{others[kq]:.6g} cm^-1; the file is damaged"
            )


def _norm_above(table: Table, J: float) -> float:
    """Return the Frobenius norm [K] of the ranks that have no Stevens operator here."""
    square = sum(abs(v) ** 2 * _tensor_norm(J, k) ** 2 for (k, _), v in table.items() if k > LARGEST_RANK)
    return sqrt(square) * KELVIN_PER_WAVENUMBER
