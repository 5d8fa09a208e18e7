"""The tunnel splitting of one named pair of levels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from mesospin.checks import finite, instance_of
from mesospin.errors import ConvergenceError, InputError
from mesospin.model.system import SpinSystem
from mesospin.results import result, variable
from mesospin.spectrum.downfold import downfold_pairs, forbidden_pairs
from mesospin.spectrum.matrices import (
    Array,
    FieldLine,
    basis_labels,
    basis_projections,
    field_line,
    format_projection,
)
from mesospin.spectrum.search import selection_rule

_EPS = float(np.finfo(np.float64).eps)
#: Gap (relative to the width of the spectrum) above which eigenvalue differences are more
#: accurate than downfolding: where (gap/W)^2 meets eps W/gap.
_WIDE = _EPS ** (1 / 3)
#: Weight that the named states must have in the levels.
_LABEL_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Levels:
    """A pair of levels by their position in energy at a given field, 0 being the lowest."""

    i: int
    j: int


@dataclass(frozen=True, slots=True)
class DoublePrecision:
    """Splittings in double precision: downfolding, and eigenvalue differences for wide gaps.

    Downfolding loses nothing to cancellation while each level is mostly one basis
    state (weight above one half); otherwise eigenvalues are subtracted, and a gap below
    1000 eps times the width of the spectrum is refused.
    """


@dataclass(frozen=True, slots=True)
class Splitting:
    """A tunnel splitting: the full gap at the crossing of two levels.

    Attributes
    ----------
    kelvin : float
        Full gap [K].
    log10 : float
        Its decimal logarithm, -inf for an exact zero.
    error : float
        Estimated absolute error [K]; 0 for an exact zero.
    is_zero_by_symmetry : bool
        Whether the gap vanishes exactly.
    reason : str
        Why it does; empty otherwise.
    field : float
        Field along the axis at which the gap was taken [T].
    slope : float
        Difference of dE/dB of the two levels [K/T].
    pair : tuple of str
        Labels of the two levels.
    method : str
        What computed it.
    """

    kelvin: float
    log10: float
    error: float
    is_zero_by_symmetry: bool
    reason: str
    field: float
    slope: float
    pair: tuple[str, str]
    method: str
    system: SpinSystem = dataclasses.field(repr=False)

    def to_dataset(self) -> xr.Dataset:
        """Return the splitting as a dataset of scalars."""
        entries = {
            "splitting": (self.kelvin, "K", "tunnel splitting (full gap)"),
            "log10_splitting": (self.log10, "1", "log10 of the splitting in K"),
            "error": (self.error, "K", "estimated error of the splitting"),
            "field": (self.field, "T", "field of the minimum gap"),
            "slope": (self.slope, "K/T", "difference of dE/dB"),
            "zero": (self.is_zero_by_symmetry, "1", "gap exactly zero"),
            "reason": (self.reason, "1", "reason for a zero gap"),
        }
        variables = {name: variable((), *entry) for name, entry in entries.items()}
        inputs = {"pair": list(self.pair), "method": self.method}
        return result("splitting", self.system, variables, {}, inputs)


def tunnel_splitting(
    system: SpinSystem,
    pair: Sequence[float] | Sequence[str] | Levels,
    *,
    B: float | None = None,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    method: DoublePrecision = DoublePrecision(),
) -> Splitting:
    r"""Return the tunnel splitting (full gap) of a pair of levels.

    Parameters
    ----------
    system : SpinSystem
        The system.
    pair : (m, m'), two labels, or Levels(i, j)
        Projections of a single spin, labels such as ``("m=8, mI=1/2", "m=-8, mI=1/2")``, or
        positions in energy at the field ``B``.
    B : float [T], optional
        Field along ``axis``.  Omitted: the minimum gap of the pair, wherever it lies.
    axis : three numbers, default z
        Direction of that field.
    transverse : two numbers (Bx, By) [T], default none
        Constant field added to it.
    method : DoublePrecision
        How to compute.

    Returns
    -------
    Splitting

    Raises
    ------
    InputError
        If the pair is not two different states of the system, never meets, or is not
        resonant at ``B`` (the message says where it is).
    ConvergenceError
        If the gap lies below what double precision resolves by subtracting eigenvalues.

    Notes
    -----
    With ``B`` omitted the gap is :math:`2|h_{ab}|/\sqrt{Z_aZ_b}` of the downfolded pair at its
    own dressed energy and field; relative error (gap / level spacing)^2.  Gaps
    above 6e-6 of the width of the spectrum are minimised eigenvalue differences.

    Examples
    --------
    Fourth-order lowest-order product for S = 2, 24 C = 48 B44 times one half, is exact here:

    >>> from mesospin.model.system import giant_spin
    >>> spin = giant_spin(2, D=-1.0, C4=1e-9)
    >>> gap = tunnel_splitting(spin, (2, -2))
    >>> f"{gap.kelvin:.4e}"
    '4.8000e-08'
    >>> tunnel_splitting(spin, (1, -1)).reason
    'selection rule: m changes by multiples of 4 only'
    """
    instance_of("method", method, DoublePrecision, hint="pass DoublePrecision() or leave it out")
    line = field_line(system, axis=axis, transverse=transverse)
    if isinstance(pair, Levels):
        return _between_levels(system, line, pair, B)
    first, second = (_basis_state(system, entry) for entry in _two(pair))
    if first == second:
        msg = f"pair must be two different states, got {basis_labels(system)[first]} twice"
        raise InputError(msg)
    return _between_states(system, line, (first, second), B, bool(np.any(np.asarray(transverse))))


def _two(pair: Sequence[float] | Sequence[str]) -> Sequence[float] | Sequence[str]:
    if isinstance(pair, str) or len(pair) != 2:
        msg = f"pair must be two states such as (10, -10), got {pair!r}"
        raise InputError(msg)
    return pair


def _basis_state(system: SpinSystem, entry: float | str) -> int:
    """Return the index of the product state that ``entry`` names."""
    if isinstance(entry, str):
        labels = basis_labels(system)
        if entry not in labels:
            msg = f"pair must name states of {system.name} such as {labels[0]!r}, got {entry!r}"
            raise InputError(msg)
        return labels.index(entry)
    if len(system.spins) != 1:
        example = basis_labels(system)[0]
        msg = f"pair must be two labels such as {example!r} for a system of several spins, got {entry!r}"
        raise InputError(msg)
    m = finite("pair", entry)
    matches = np.flatnonzero(np.abs(basis_projections(system)[:, 0] - m) < 1e-9)
    if not len(matches):
        S = format_projection(system.spins[0].S)
        msg = f"pair must hold projections m = {S}, ..., -{S} of {system.name}, got {m:g}"
        raise InputError(msg)
    return int(matches[0])


def _between_states(
    system: SpinSystem, line: FieldLine, states: tuple[int, int], B: float | None, tilted: bool
) -> Splitting:
    labels = basis_labels(system)
    names = (labels[states[0]], labels[states[1]])
    slope = line.G.diagonal().real
    if abs(slope[states[0]] - slope[states[1]]) < 1e-12:
        msg = (
            f"pair must meet at one field, but {names[0]} and {names[1]} have the same moment along the axis"
        )
        raise InputError(msg)
    found = _pair_gap(line, states, names)
    field = found.field
    if B is not None:
        _check_resonance(finite("B", B, "T"), found, names)
        field = float(B)
    forbidden = forbidden_pairs(line, np.array(states[:1]), np.array(states[1:]))[0]
    kramers = system.is_kramers and not tilted and abs(field) < 1e-9 and _opposite(system, states)
    if forbidden or kramers:
        rule = f"selection rule: {selection_rule(system, line)}"
        reason = rule if forbidden else "Kramers: half-integer total spin at zero field"
        values = (0.0, float("-inf"), 0.0, True, reason)
    else:
        logarithm = float(np.log10(found.gap)) if found.gap > 0 else float("-inf")
        values = (found.gap, logarithm, found.error, False, "")
    return Splitting(*values, field, found.slope, names, "DoublePrecision()", system)


class _Gap(NamedTuple):
    """A minimum gap [K] with its estimated error [K], field [T] and the diabatic slope [K/T]."""

    gap: float
    error: float
    field: float
    slope: float


def _pair_gap(line: FieldLine, states: tuple[int, int], names: tuple[str, str]) -> _Gap:
    """Return the minimum gap of two levels: downfolded while narrow, of eigenvalues where wide."""
    pairs = downfold_pairs(line, np.array(states[:1]), np.array(states[1:]))
    slope = line.G.diagonal().real
    bare = -np.diff(line.H0.diagonal().real[list(states)])[0] / np.diff(slope[list(states)])[0]
    start = float(pairs.field[0]) if pairs.converged[0] else float(bare)
    width = float(np.ptp(np.linalg.eigvalsh(line.at(start))))
    gap = float(pairs.gap[0])
    if pairs.converged[0] and pairs.weight[0] > _LABEL_WEIGHT and gap < _WIDE * width:
        error = gap * max(1e-11, (gap / width * len(line.H0)) ** 2)
        return _Gap(gap, error, start, float(pairs.slope[0]))
    return _wide_gap(line, states, names, start, 10 * _EPS * width)


def _wide_gap(
    line: FieldLine, states: tuple[int, int], names: tuple[str, str], start: float, error: float
) -> _Gap:
    """Return the minimum distance of the two eigenlevels that carry a pair of basis states."""

    def levels_at(B: float) -> tuple[NDArray[np.float64], Array]:
        energy, U = np.linalg.eigh(line.at(B))
        weight = (np.abs(U[list(states)]) ** 2).sum(axis=0)
        chosen = np.sort(np.argsort(-weight, kind="stable")[:2])
        return energy[chosen], U[:, chosen]

    def gap_at(B: float) -> float:
        return float(np.diff(levels_at(B)[0])[0])

    slope = float(abs(np.diff(line.G.diagonal().real[list(states)])[0]))
    reach = 2 * max(gap_at(start) / slope, 1e-6)
    best = minimize_scalar(
        gap_at, bounds=(start - reach, start + reach), method="bounded", options={"xatol": 1e-9 * reach}
    )
    field = start if gap_at(start) <= best.fun else float(best.x)
    energy, U = levels_at(field)
    # the same rule that names levels in a table of crossings
    if (np.abs(U[list(states)]) ** 2).sum(axis=1).min() <= _LABEL_WEIGHT:
        msg = (
            f"the levels {names[0]} and {names[1]} are mixed too strongly to carry these labels; "
            "use Levels(i, j) with a field B"
        )
        raise InputError(msg)
    moments = np.linalg.eigvalsh(U.conj().T @ (line.G @ U))
    return _Gap(float(np.diff(energy)[0]), error, field, float(np.diff(moments)[0]))


def _check_resonance(B: float, found: _Gap, names: tuple[str, str]) -> None:
    """Refuse a field outside the resonance: a gap there is a bias, not a splitting."""
    if not abs(B - found.field) <= max(found.gap / abs(found.slope), 1e-9):
        msg = (
            f"B must be the resonance of {names[0]} and {names[1]} at {found.field:.9g} T, got {B:g} T; "
            "leave B out to take it there"
        )
        raise InputError(msg)


def _opposite(system: SpinSystem, states: tuple[int, int]) -> bool:
    table = basis_projections(system)
    return bool(np.all(table[states[0]] == -table[states[1]]))


def _between_levels(system: SpinSystem, line: FieldLine, pair: Levels, B: float | None) -> Splitting:
    n = system.dimension
    if not (0 <= pair.i < n and 0 <= pair.j < n and pair.i != pair.j):
        msg = f"pair must be two different levels between 0 and {n - 1}, got {pair}"
        raise InputError(msg)
    if B is None:
        msg = f"B must be given [T] with {pair}: positions in energy belong to one field"
        raise InputError(msg)
    field = finite("B", B, "T")
    energy, U = np.linalg.eigh(line.at(field))
    lower, upper = sorted((pair.i, pair.j))
    gap, error = float(energy[upper] - energy[lower]), 10 * _EPS * float(np.ptp(energy))
    if not gap >= 100 * error:
        msg = (
            f"the gap of levels {lower} and {upper} at {field:g} T is below {100 * error:.1e} K, which "
            "double precision cannot resolve from eigenvalues; name the states instead, as in (m, m')"
        )
        raise ConvergenceError(msg)
    slope = np.einsum("ik,ij,jk->k", U.conj(), line.G, U, optimize=True).real
    names = (f"level {lower}", f"level {upper}")
    steepness = float(slope[lower] - slope[upper])
    return Splitting(
        gap, float(np.log10(gap)), error, False, "", field, steepness, names, "DoublePrecision()", system
    )
