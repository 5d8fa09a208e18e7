"""The tunnel splitting of one named pair of levels."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr

from mesospin.checks import instance_of
from mesospin.errors import InputError
from mesospin.model.system import SpinSystem
from mesospin.results import result, variable
from mesospin.spectrum.tunnelling.choice import choose
from mesospin.spectrum.tunnelling.double_precision import DoublePrecision
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.problem import Levels, Problem, StatePair, read_problem
from mesospin.spectrum.tunnelling.zeros import crossing, diabolical_point, symmetry_reason

#: Smallest tolerance [T] on a field that is meant to be the resonance.
_FIELD_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Splitting:
    """A tunnel splitting: the full gap at the crossing of two levels.

    Attributes
    ----------
    kelvin : float
        Full gap [K]; 0.0 also where it lies below 1e-323 K and only ``log10`` and ``digits`` hold it.
    log10 : float
        Its decimal logarithm, -inf for an exact zero.
    digits : str
        The gap in decimal digits, as many as are meant: "2.9625195e-12", "3.1e-120233".
    error : float
        Absolute error of ``digits`` [K], rounded up.
    relative_error : float
        The same divided by the gap; 0 for an exact zero.
    rigorous : bool
        Whether the error is proved; otherwise it is an estimate.
    is_zero_by_symmetry : bool
        Whether the gap vanishes exactly.
    reason : str
        Why it does; empty otherwise.
    field : float
        Field along the axis at which the gap was taken [T].
    field_digits : str
        The same in as many digits as are known; `Certified` resolves the splitting itself.
    slope : float
        Difference of dE/dB of the two levels [K/T].
    pair : tuple of str
        Labels of the two levels.
    method : str
        What computed it.
    why : str
        How, and why this method was chosen.
    """

    kelvin: float
    log10: float
    digits: str
    error: float
    relative_error: float
    rigorous: bool
    is_zero_by_symmetry: bool
    reason: str
    field: float
    field_digits: str
    slope: float
    pair: tuple[str, str]
    method: str
    why: str
    system: SpinSystem = dataclasses.field(repr=False)

    def to_dataset(self) -> xr.Dataset:
        """Return the splitting as a dataset of scalars."""
        entries = {
            "splitting": (self.kelvin, "K", "tunnel splitting (full gap)"),
            "log10_splitting": (self.log10, "1", "log10 of the splitting in K"),
            "digits": (self.digits, "K", "splitting in decimal digits"),
            "error": (self.error, "K", "error of the splitting"),
            "relative_error": (self.relative_error, "1", "relative error of the splitting"),
            "rigorous": (self.rigorous, "1", "error proved, not estimated"),
            "field": (self.field, "T", "field of the minimum gap"),
            "field_digits": (self.field_digits, "T", "field in decimal digits"),
            "slope": (self.slope, "K/T", "difference of dE/dB"),
            "zero": (self.is_zero_by_symmetry, "1", "gap exactly zero"),
            "reason": (self.reason, "1", "reason for a zero gap"),
        }
        variables = {name: variable((), *entry) for name, entry in entries.items()}
        inputs = {"pair": list(self.pair), "method": self.method, "why": self.why}
        return result("splitting", self.system, variables, {}, inputs)


def tunnel_splitting(
    system: SpinSystem,
    pair: Sequence[float] | Sequence[str] | Levels,
    *,
    B: float | None = None,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    method: Method | None = None,
) -> Splitting:
    r"""Return the tunnel splitting (full gap) of a pair of levels, at any size.

    Parameters
    ----------
    system : SpinSystem
        The system.
    pair : (m, m'), two labels, or Levels(i, j)
        Projections of a single spin, labels such as ``("m=8, mI=1/2", "m=-8, mI=1/2")``, or
        positions in energy at the field ``B``.
    B : float [T], optional
        Field along ``axis`` that must be the resonance of two states, to within its width or 1e-9 T; the
        answer is always the minimum gap and its own ``field``.  For `Levels` the field of the gap.
    axis : three numbers, default z
        Direction of that field.
    transverse : two numbers (Bx, By) [T], default none
        Constant field added to it.
    method : DoublePrecision, Certified, LargeSpin, Perturbative or Semiclassical, optional
        How to compute.  Omitted: double precision where it holds, `LargeSpin` for a single spin and
        `Certified` for other systems where it does not; ``why`` of the answer tells which and why.

    Returns
    -------
    Splitting

    Raises
    ------
    InputError
        If the pair is not two different states of the system, never meets, cannot be labelled, or is not
        resonant at ``B`` (the message says how far off and where it is).
    TooLargeError
        If the system is too large for the method (the message names one that fits).
    ConvergenceError
        If the method cannot hold its accuracy.

    Notes
    -----
    Every stored number counts as an exact binary number.  Zeros by symmetry are found first: the
    selection rule of the Hamiltonian, Kramers' theorem, and, where no method or double precision is asked
    for, diabolical points: the transverse field given is within 1e-12 of itself (and at least within
    1e-12 T) of an exact degeneracy.  `Certified` and `LargeSpin`, asked for, give the gap that is left in
    the stored field.

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
    problem = read_problem(system, pair, B, axis, transverse)
    if method is not None:
        hint = "pass DoublePrecision(), Certified(), LargeSpin(), Perturbative() or Semiclassical(), or none"
        instance_of("method", method, Method, hint=hint)
    reason = symmetry_reason(problem)
    if reason:
        return _zero(problem, reason, *crossing(problem))
    point = diabolical_point(problem) if method is None or isinstance(method, DoublePrecision) else None
    if point is not None:
        return _zero(problem, point.reason, point.field, point.slope, rigorous=False)
    gap, used, why = choose(problem) if method is None else (method.gap(problem), method, "asked for")
    _check_resonance(problem, gap.field, float(gap.digits) / max(abs(gap.slope), 1e-300))
    return _splitting(problem, gap, repr(used), f"{why}: {gap.note}")


def _check_resonance(problem: Problem, field: float, width: float) -> None:
    """Refuse a field outside the resonance: a gap there is a bias, not a splitting."""
    if problem.B is None or isinstance(problem.pair, Levels):
        return
    if not abs(problem.B - field) <= max(width, _FIELD_TOLERANCE):
        first, second = problem.pair.names
        msg = (
            f"B must be the resonance of {first} and {second} at {field:.9g} T, got {problem.B:g} T, "
            f"{abs(problem.B - field):.3g} T away; leave B out to take it there"
        )
        raise InputError(msg)


def _names(problem: Problem) -> tuple[str, str]:
    if isinstance(problem.pair, StatePair):
        return problem.pair.names
    lower, upper = sorted((problem.pair.i, problem.pair.j))
    return f"level {lower}", f"level {upper}"


def _splitting(problem: Problem, gap: Gap, method: str, why: str) -> Splitting:
    kelvin = float(gap.digits)
    # rounded up: the smallest positive number bounds what underflows
    error = math.nextafter(kelvin * gap.relative_error, math.inf)
    return Splitting(
        kelvin=kelvin,
        log10=gap.log10,
        digits=gap.digits,
        error=error,
        relative_error=gap.relative_error,
        rigorous=gap.rigorous,
        is_zero_by_symmetry=False,
        reason="",
        field=gap.field,
        field_digits=gap.field_digits,
        slope=gap.slope,
        pair=_names(problem),
        method=method,
        why=why,
        system=problem.system,
    )


def _zero(problem: Problem, reason: str, field: float, slope: float, *, rigorous: bool = True) -> Splitting:
    """Return the exact zero of a pair that symmetry or interference forbids."""
    _check_resonance(problem, field, 0.0)
    return Splitting(
        kelvin=0.0,
        log10=-math.inf,
        digits="0",
        error=0.0,
        relative_error=0.0,
        rigorous=rigorous,
        is_zero_by_symmetry=True,
        reason=reason,
        field=field,
        field_digits=repr(field),
        slope=slope,
        pair=_names(problem),
        method="symmetry",
        why="zero before any method is needed",
        system=problem.system,
    )
