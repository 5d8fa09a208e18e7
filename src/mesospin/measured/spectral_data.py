"""Measured resonance lines and level energies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, integer, one_of, positive
from mesospin.constants import KELVIN_PER_GIGAHERTZ
from mesospin.errors import InputError
from mesospin.measured.data import Data, label_of_set, of_one_length, spread_of
from mesospin.model.spin import set_fields
from mesospin.spectrum.matrices import unit_axis
from mesospin.units import to_kelvin

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, init=False, eq=False)
class ResonanceData(Data):
    r"""Positions of resonance lines of a crystal: frequency and field at which a transition was seen.

    Parameters
    ----------
    frequency : float or array-like [GHz]
    B : float or array-like [T]
        Field along ``axis``.
    levels : (lower, upper), or one pair for every line, optional
        Levels counted from 0, the lowest, at that field.  Without it the allowed transition
        nearest in frequency is meant (:math:`\lvert\langle i\vert\mu\vert j\rangle\rvert^2` above 0.1 %
        of the strongest at that field).
    axis : three numbers, default z
        Direction of the field; one, or one for every line.
    sigma : float or array-like, optional [GHz]
        Standard deviation of the frequency.
    sigma_field : float or array-like, optional [T]
        Standard deviation of the field, which the slope of the transition turns into one of frequency.
    weight, label
        As for `SusceptibilityData`.

    Examples
    --------
    >>> len(ResonanceData([95.0, 190.0], [3.4, 6.8], levels=(0, 1), sigma_field=1e-3).values)
    2
    """

    B: Floats
    axes: Floats
    pairs: NDArray[np.int64] | None
    sigma_field: Floats | None
    quantity: ClassVar[str] = "resonance"

    def __init__(
        self,
        frequency: ArrayLike,
        B: ArrayLike,
        *,
        levels: Sequence[int] | Sequence[Sequence[int]] | None = None,
        axis: Sequence[float] | Sequence[Sequence[float]] = (0.0, 0.0, 1.0),
        sigma: ArrayLike | None = None,
        sigma_field: ArrayLike | None = None,
        weight: float = 1.0,
        label: str = "EPR",
    ) -> None:
        frequency, B = of_one_length(
            frequency=finite_array("frequency", frequency, "GHz"), B=finite_array("B", B, "T")
        )
        if not np.all(frequency > 0):
            raise InputError(f"frequency must be above 0 [GHz], got {float(frequency.min())}; give its size")
        count = len(frequency)
        rows = np.atleast_2d(finite_array("axis", axis))
        axes = np.array([unit_axis(row) for row in rows])
        if len(axes) not in (1, count):
            raise InputError(
                f"axis must be one or one for each of {count} lines, got {len(axes)}; give as many"
            )
        spread = None if sigma_field is None else spread_of(sigma_field, count, "sigma_field", "T")
        own = None if sigma is None else spread_of(sigma, count, "sigma", "GHz")
        set_fields(
            self,
            values=frequency,
            B=B,
            axes=np.broadcast_to(axes, (count, 3)),
            pairs=None if levels is None else _pairs(levels, count),
            sigma=np.zeros(count) if own is None and spread is not None else own,
            sigma_field=spread,
            weight=positive("weight", weight),
            label=label_of_set(label),
        )

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return "GHz"

    @property
    def fields(self) -> Floats:
        """Field of every line [T]."""
        return self.B


@dataclass(frozen=True, slots=True, init=False, eq=False)
class LevelData(Data):
    """Energies of levels above the lowest.

    Parameters
    ----------
    energies : array-like of numbers, or texts with units
        Energies above level 0, in ``unit`` where they are numbers.
    levels : sequence of int, optional
        Which levels they are, counted from 0; 1, 2, 3 ... if left out.  Every member of a
        degenerate level counts.
    unit : {"K", "cm^-1", "meV", "GHz"}, default "K"
    B : float, default 0 [T]
    axis : three numbers, default z
        Direction of the field.
    sigma : float, text or array-like, optional
        Standard deviation, in ``unit``.
    weight, label
        As for `SusceptibilityData`.

    Examples
    --------
    >>> LevelData(["10 cm^-1"], levels=[2], sigma="1 K").values.round(3)
    array([14.388])
    """

    levels: NDArray[np.int64]
    B: float
    axis: tuple[float, float, float]
    quantity: ClassVar[str] = "levels"

    def __init__(
        self,
        energies: Sequence[float | str] | Floats,
        levels: Sequence[int] | None = None,
        *,
        unit: str = "K",
        B: float = 0.0,
        axis: Sequence[float] = (0.0, 0.0, 1.0),
        sigma: float | str | Sequence[float | str] | Floats | None = None,
        weight: float = 1.0,
        label: str = "levels",
    ) -> None:
        one_of("unit", unit, ("K", "cm^-1", "meV", "GHz"))
        values = _energies("energies", energies, unit)
        chosen = list(range(1, len(values) + 1)) if levels is None else list(levels)
        if len(chosen) != len(values):
            raise InputError(
                f"levels must be one for each of {len(values)} energies, got {len(chosen)}; give as many"
            )
        spread = None
        if sigma is not None:
            spread = spread_of(_energies("sigma", sigma, unit), len(values), "sigma", "K")
        x, y, z = unit_axis(axis)
        set_fields(
            self,
            values=values,
            levels=np.array([integer("levels", level, at_least=1) for level in chosen]),
            B=float(finite_array("B", B, "T", shape=())),
            axis=(float(x), float(y), float(z)),
            sigma=spread,
            weight=positive("weight", weight),
            label=label_of_set(label),
        )

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return "K"

    @property
    def fields(self) -> Floats:
        """Field of every level [T]."""
        return np.full(len(self.values), self.B)


def _energies(name: str, given: object, unit: str) -> Floats:
    entries = (
        [given] if isinstance(given, str | int | float) else list(np.atleast_1d(np.asarray(given, object)))
    )
    read = [
        to_kelvin(entry if isinstance(entry, str) else f"{float(entry)!r} {unit}", name) for entry in entries
    ]
    return np.array(read)


def _pairs(levels: Sequence[int] | Sequence[Sequence[int]], count: int) -> NDArray[np.int64]:
    array = np.atleast_2d(np.asarray(levels))
    good = array.dtype.kind in "iu" and array.ndim == 2 and array.shape[1:] == (2,)
    if (
        not good
        or len(array) not in (1, count)
        or not np.all((array[:, 0] >= 0) & (array[:, 0] < array[:, 1]))
    ):
        raise InputError(
            f"levels must be (lower, upper), one pair or {count} of them, counted from 0, got {levels!r}"
        )
    return np.broadcast_to(array, (count, 2)).astype(np.int64)


def sigma_from_slopes(data: ResonanceData, slopes: Floats) -> Floats:
    """Return the standard deviations [GHz] of lines whose transitions have slopes [K/T]."""
    own = np.zeros(len(data.values)) if data.sigma is None else data.sigma
    if data.sigma_field is None:
        return own
    spread = data.sigma_field * np.abs(slopes) / KELVIN_PER_GIGAHERTZ
    return np.asarray(np.hypot(own, np.maximum(spread, 1e-9 * data.values)))
