"""Measured data that a Hamiltonian can be fitted to: frozen values in the units of the package."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, integer, one_of, positive
from mesospin.constants import GAS_CONSTANT, KELVIN_PER_GIGAHERTZ
from mesospin.errors import InputError
from mesospin.model.spin import set_fields
from mesospin.spectrum.matrices import unit_axis
from mesospin.thermo.molar import EMU_PER_MOLE
from mesospin.units import to_kelvin

Floats = NDArray[np.float64]

_CHI_UNITS = {"cgs": 1.0, "SI": 1e6 / (4.0 * pi)}
_MOMENT_UNITS = {"mu_B": 1.0, "emu/mol": 1.0 / EMU_PER_MOLE, "A m2/mol": 1e3 / EMU_PER_MOLE}
_HEAT_UNITS = {"J/(mol K)": 1.0, "R": GAS_CONSTANT}


class Data(ABC):
    """Measured points of one kind, with their uncertainty.

    Every kind has ``values`` and ``sigma`` (None where it is not known) of shape (points,) in ``unit``, the
    ``weight`` of the set in the sum of squares, and a ``label``.
    """

    __slots__ = ()

    quantity: ClassVar[str]
    values: Floats
    sigma: Floats | None
    weight: float
    label: str

    @property
    def unit(self) -> str:
        """Unit of the values."""
        raise NotImplementedError

    @property
    def temperatures(self) -> Floats:
        """Temperature of every point [K], NaN where there is none."""
        return np.full(len(self.values), np.nan)

    @property
    def fields(self) -> Floats:
        """Field of every point [T]."""
        raise NotImplementedError


class ThermalData(Data):
    """Data of a sample in thermal equilibrium: ``T``, ``B``, and the direction of the field or a powder."""

    __slots__ = ()

    T: Floats
    B: Floats
    axis: tuple[float, float, float] | None
    powder: int | None

    @property
    def temperatures(self) -> Floats:
        """Temperature of every point [K]."""
        return self.T

    @property
    def fields(self) -> Floats:
        """Field of every point [T]."""
        return self.B


@dataclass(frozen=True, slots=True, init=False, eq=False)
class SusceptibilityData(ThermalData):
    r"""Molar susceptibility against temperature.

    Parameters
    ----------
    T : array-like, shape (points,) [K]
    chi_t, chi : array-like, shape (points,)
        chi T or chi, one of them.
    unit : {"cgs", "SI"}
        cm3 K/mol and cm3/mol, or m3 K/mol and m3/mol.  There is no default.
    B : float or array-like, default 0 [T]
        Field of the measurement; 0 for the limit of small fields.
    differential : bool, default False
        Whether chi is dM/dB (ac) at this field and not M/B (dc).
    sigma : float or array-like, optional
        Standard deviation in the unit of the values.
    axis : three numbers, or powder : int
        Direction of the field in a crystal, or the degree (odd) or number of points (even) of the
        Lebedev rule for a powder; one of them.
    weight : float, default 1
        Factor of the set in the sum of squares.
    label : str, default "chi"
        Name of the set.

    Raises
    ------
    InputError
        If both or none of two choices are made, lengths differ, or numbers break their condition.

    Examples
    --------
    >>> SusceptibilityData([2.0, 300.0], chi_t=[0.4, 1.0], unit="cgs", sigma=0.01, powder=5).unit
    'cm3 K/mol'
    """

    T: Floats
    values: Floats
    B: Floats
    sigma: Floats | None
    axis: tuple[float, float, float] | None
    powder: int | None
    times_T: bool
    differential: bool
    weight: float
    label: str
    quantity: ClassVar[str] = "susceptibility"

    def __init__(
        self,
        T: ArrayLike,
        chi_t: ArrayLike | None = None,
        *,
        chi: ArrayLike | None = None,
        unit: str,
        B: ArrayLike = 0.0,
        differential: bool = False,
        sigma: ArrayLike | None = None,
        axis: Sequence[float] | None = None,
        powder: int | None = None,
        weight: float = 1.0,
        label: str = "chi",
    ) -> None:
        if (chi_t is None) == (chi is None):
            raise InputError("give exactly one of chi_t and chi, got both or none; say which was measured")
        factor = _CHI_UNITS[one_of("unit", unit, tuple(_CHI_UNITS))]
        given = chi_t if chi is None else chi
        common = _thermal(T, B, given, sigma, axis, powder, weight, label, factor)
        set_fields(self, **common, times_T=chi is None, differential=bool(differential))

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return "cm3 K/mol" if self.times_T else "cm3/mol"


@dataclass(frozen=True, slots=True, init=False, eq=False)
class MagnetisationData(ThermalData):
    """Magnetisation against field and temperature.

    Parameters
    ----------
    T : float or array-like [K]
    B : float or array-like [T]
    M : array-like, shape (points,)
        Moment of one formula unit along the field; T and B have its length or are single numbers.
    unit : {"mu_B", "emu/mol", "A m2/mol"}, default "mu_B"
    sigma, axis, powder, weight, label
        As for `SusceptibilityData`.

    Examples
    --------
    >>> MagnetisationData(2.0, [1.0, 2.0], [1.2, 1.9], sigma=0.01, powder=26).T.tolist()
    [2.0, 2.0]
    """

    T: Floats
    values: Floats
    B: Floats
    sigma: Floats | None
    axis: tuple[float, float, float] | None
    powder: int | None
    weight: float
    label: str
    quantity: ClassVar[str] = "magnetisation"

    def __init__(
        self,
        T: ArrayLike,
        B: ArrayLike,
        M: ArrayLike,
        *,
        unit: str = "mu_B",
        sigma: ArrayLike | None = None,
        axis: Sequence[float] | None = None,
        powder: int | None = None,
        weight: float = 1.0,
        label: str = "M",
    ) -> None:
        factor = _MOMENT_UNITS[one_of("unit", unit, tuple(_MOMENT_UNITS))]
        set_fields(self, **_thermal(T, B, M, sigma, axis, powder, weight, label, factor))

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return "mu_B"


@dataclass(frozen=True, slots=True, init=False, eq=False)
class HeatCapacityData(ThermalData):
    """Magnetic heat capacity, the lattice subtracted.

    Parameters
    ----------
    T : array-like, shape (points,) [K]
    C : array-like, shape (points,)
    unit : {"J/(mol K)", "R"}, default "J/(mol K)"
    B : float or array-like, default 0 [T]
    sigma, axis, powder, weight, label
        As for `SusceptibilityData`; at zero field neither axis nor powder is needed.

    Examples
    --------
    >>> float(HeatCapacityData([1.0], [0.4], unit="R", sigma=0.01).values[0].round(3))
    3.326
    """

    T: Floats
    values: Floats
    B: Floats
    sigma: Floats | None
    axis: tuple[float, float, float] | None
    powder: int | None
    weight: float
    label: str
    quantity: ClassVar[str] = "heat capacity"

    def __init__(
        self,
        T: ArrayLike,
        C: ArrayLike,
        *,
        unit: str = "J/(mol K)",
        B: ArrayLike = 0.0,
        sigma: ArrayLike | None = None,
        axis: Sequence[float] | None = None,
        powder: int | None = None,
        weight: float = 1.0,
        label: str = "C",
    ) -> None:
        factor = _HEAT_UNITS[one_of("unit", unit, tuple(_HEAT_UNITS))]
        if axis is None and powder is None and not np.any(finite_array("B", B, "T")):
            axis = (0.0, 0.0, 1.0)
        set_fields(self, **_thermal(T, B, C, sigma, axis, powder, weight, label, factor))

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return "J/(mol K)"


@dataclass(frozen=True, slots=True, init=False, eq=False)
class ResonanceData(Data):
    """Positions of resonance lines of a crystal: frequency and field at which a transition was seen.

    Parameters
    ----------
    frequency : float or array-like [GHz]
    B : float or array-like [T]
        Field along ``axis``.
    levels : (lower, upper), or one pair for every line, optional
        Levels counted from 0, the lowest, at that field.  Without it the allowed transition
        nearest in frequency is meant (|<i|mu|j>|^2 above 0.1 % of the strongest at that field).
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

    values: Floats
    B: Floats
    axes: Floats
    pairs: NDArray[np.int64] | None
    sigma: Floats | None
    sigma_field: Floats | None
    weight: float
    label: str
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
        frequency, B = _together(
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
        spread = None if sigma_field is None else _positive(sigma_field, count, "sigma_field", "T")
        own = None if sigma is None else _positive(sigma, count, "sigma", "GHz")
        set_fields(
            self,
            values=frequency,
            B=B,
            axes=np.broadcast_to(axes, (count, 3)),
            pairs=None if levels is None else _pairs(levels, count),
            sigma=np.zeros(count) if own is None and spread is not None else own,
            sigma_field=spread,
            weight=positive("weight", weight),
            label=_label(label),
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

    values: Floats
    levels: NDArray[np.int64]
    B: float
    axis: tuple[float, float, float]
    sigma: Floats | None
    weight: float
    label: str
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
            spread = _positive(_energies("sigma", sigma, unit), len(values), "sigma", "K")
        x, y, z = unit_axis(axis)
        set_fields(
            self,
            values=values,
            levels=np.array([integer("levels", level, at_least=1) for level in chosen]),
            B=float(finite_array("B", B, "T", shape=())),
            axis=(float(x), float(y), float(z)),
            sigma=spread,
            weight=positive("weight", weight),
            label=_label(label),
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


def _thermal(
    T: ArrayLike,
    B: ArrayLike,
    given: ArrayLike | None,
    sigma: ArrayLike | None,
    axis: Sequence[float] | None,
    powder: int | None,
    weight: float,
    label: str,
    factor: float,
) -> dict[str, object]:
    values = np.atleast_1d(finite_array(label, 0.0 if given is None else given))
    temperatures, fields, values = _together(
        T=finite_array("T", T, "K"), B=finite_array("B", B, "T"), values=values
    )
    if not np.all(temperatures > 0):
        raise InputError(f"T must be above 0 [K], got {float(temperatures.min())}; leave the point out")
    if (axis is None) == (powder is None):
        raise InputError(
            "give exactly one of axis (crystal) and powder (Lebedev rule, for example 26), got both or none"
        )
    spread = None if sigma is None else _positive(sigma, len(values), "sigma", "") * factor
    direction = None if axis is None else tuple(float(x) for x in unit_axis(axis))
    return {
        "T": temperatures,
        "B": fields,
        "values": factor * values,
        "sigma": spread,
        "axis": direction,
        "powder": None if powder is None else integer("powder", powder),
        "weight": positive("weight", weight),
        "label": _label(label),
    }


def _together(**arrays: Floats) -> list[Floats]:
    """Return the arrays with one dimension and one length."""
    shapes = {name: array.shape for name, array in arrays.items()}
    length = max(array.size for array in arrays.values())
    if length == 0 or any(array.ndim > 1 or array.size not in (1, length) for array in arrays.values()):
        text = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise InputError(f"data must have one length in one dimension (or be single numbers), got {text}")
    return [np.broadcast_to(array.reshape(-1), (length,)).copy() for array in arrays.values()]


def _positive(given: ArrayLike, count: int, name: str, unit: str) -> Floats:
    array = finite_array(name, given, unit)
    if array.ndim > 1 or array.size not in (1, count) or not np.all(array > 0):
        raise InputError(
            f"{name} must be one number or {count} numbers above 0, got {array.tolist()}; "
            "leave points without weight out"
        )
    return np.broadcast_to(array.reshape(-1), (count,)).copy()


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


def _label(label: str) -> str:
    if not isinstance(label, str) or not label:
        raise InputError(f"label must be a non-empty text, got {label!r}; name the data set")
    return label


def sigma_from_slopes(data: ResonanceData, slopes: Floats) -> Floats:
    """Return the standard deviations [GHz] of lines whose transitions have slopes [K/T]."""
    own = np.zeros(len(data.values)) if data.sigma is None else data.sigma
    if data.sigma_field is None:
        return own
    spread = data.sigma_field * np.abs(slopes) / KELVIN_PER_GIGAHERTZ
    return np.asarray(np.hypot(own, np.maximum(spread, 1e-9 * data.values)))
