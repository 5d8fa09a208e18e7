"""What is asked of every method: a pair of levels of a system in a field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mesospin.checks import finite, finite_array
from mesospin.errors import InputError, TooLargeError
from mesospin.model.system import SpinSystem, check_system
from mesospin.spectrum.matrices import (
    FieldLine,
    basis_labels,
    basis_projections,
    field_line,
    format_projection,
    unit_axis,
)


@dataclass(frozen=True, slots=True)
class Levels:
    """A pair of levels by their position in energy at a given field, 0 being the lowest."""

    i: int
    j: int


class StatePair(NamedTuple):
    """A pair of product states: ``states`` (indices), ``projections`` of every spin, ``names``."""

    states: tuple[int, int]
    projections: tuple[tuple[float, ...], tuple[float, ...]]
    names: tuple[str, str]

    @property
    def is_opposite(self) -> bool:
        """Whether time reversal takes one state into the other."""
        return all(a == -b for a, b in zip(*self.projections, strict=True))


@dataclass(frozen=True, slots=True)
class Problem:
    """A pair of levels of a system in a field.

    Attributes
    ----------
    system : SpinSystem
        The system.
    pair : StatePair or Levels
        Its two levels.
    B : float or None [T]
        Field along ``axis``; None is the pair's own minimum gap.
    axis : tuple of three float
        Unit vector.
    transverse : tuple of two float [T]
        Constant (Bx, By) added to the field.
    """

    system: SpinSystem
    pair: StatePair | Levels
    B: float | None
    axis: tuple[float, float, float]
    transverse: tuple[float, float]

    def line(self) -> FieldLine:
        """Return the dense H(B) = H0 + B G, or raise TooLargeError."""
        try:
            return field_line(self.system, axis=self.axis, transverse=self.transverse)
        except TooLargeError as error:
            if len(self.system.spins) > 1:
                raise
            msg = f"{str(error).split(';')[0]}; name two states (m, m') and use method=LargeSpin()"
            raise TooLargeError(msg) from None


def read_problem(
    system: SpinSystem,
    pair: Sequence[float] | Sequence[str] | Levels | StatePair,
    B: float | None,
    axis: Sequence[float],
    transverse: Sequence[float],
) -> Problem:
    """Return the checked question; one sentence of InputError where an argument is wrong."""
    check_system(system)
    x, y, z = (float(component) for component in unit_axis(axis))
    offset = finite_array("transverse", transverse)
    if offset.shape != (2,):
        msg = f"transverse must be two numbers (Bx, By) [T], got shape {offset.shape}"
        raise InputError(msg)
    asked = pair if isinstance(pair, Levels | StatePair) else read_pair(system, pair)
    field = None if B is None else finite("B", B, "T")
    if isinstance(asked, Levels):
        _check_levels(system, asked, field)
    return Problem(system, asked, field, (x, y, z), (float(offset[0]), float(offset[1])))


def read_pair(system: SpinSystem, pair: Sequence[float] | Sequence[str]) -> StatePair:
    """Return the two product states that ``pair`` names.

    Parameters
    ----------
    system : SpinSystem
        The system.
    pair : (m, m') or two labels
        Projections of a single spin, or labels such as ``("m=8, mI=1/2", "m=-8, mI=1/2")``.

    Returns
    -------
    StatePair

    Raises
    ------
    InputError
        If they are not two different states of the system.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> read_pair(giant_spin(10, D=-0.5), (10, -9)).states
    (0, 19)
    """
    if not isinstance(pair, Sequence | np.ndarray) or isinstance(pair, str) or len(pair) != 2:
        msg = f"pair must be two states such as (10, -10), got {pair!r}"
        raise InputError(msg)
    (a, left, first), (b, right, second) = (_basis_state(system, entry) for entry in pair)
    if a == b:
        msg = f"pair must be two different states, got {first} twice"
        raise InputError(msg)
    return StatePair((a, b), (left, right), (first, second))


def _basis_state(system: SpinSystem, entry: float | str) -> tuple[int, tuple[float, ...], str]:
    """Return index, projections and name of the product state that ``entry`` names."""
    if len(system.spins) == 1:
        return _single_spin_state(system, entry)
    labels = basis_labels(system)
    if not isinstance(entry, str):
        msg = f"pair must be two labels such as {labels[0]!r} for a system of several spins, got {entry!r}"
        raise InputError(msg)
    if entry not in labels:
        msg = f"pair must name states of {system.name} such as {labels[0]!r}, got {entry!r}"
        raise InputError(msg)
    index = labels.index(entry)
    return index, tuple(basis_projections(system)[index].tolist()), entry


def _single_spin_state(system: SpinSystem, entry: float | str) -> tuple[int, tuple[float, ...], str]:
    S = system.spins[0].S
    if isinstance(entry, str):
        names = {f"m={format_projection(S - k)}": k for k in range(system.dimension)}
        if entry not in names:
            example = f"m={format_projection(S)}"
            msg = f"pair must name states of {system.name} such as {example!r}, got {entry!r}"
            raise InputError(msg)
        index = names[entry]
    else:
        m = finite("pair", entry)
        index = round(S - m)
        if not (0 <= index < system.dimension and abs(S - index - m) < 1e-9):
            top = format_projection(S)
            msg = f"pair must hold projections m = {top}, ..., -{top} of {system.name}, got {m:g}"
            raise InputError(msg)
    return index, (S - index,), f"m={format_projection(S - index)}"


def _check_levels(system: SpinSystem, pair: Levels, B: float | None) -> None:
    n = system.dimension
    if not (0 <= pair.i < n and 0 <= pair.j < n and pair.i != pair.j):
        msg = f"pair must be two different levels between 0 and {n - 1}, got {pair}"
        raise InputError(msg)
    if B is None:
        msg = f"B must be given [T] with {pair}: positions in energy belong to one field"
        raise InputError(msg)
