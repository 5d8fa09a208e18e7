"""Measured data that a Hamiltonian can be fitted to: frozen values in the units of the package."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as entries_of
from math import pi
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, integer, one_of, positive
from mesospin.constants import GAS_CONSTANT
from mesospin.errors import InputError
from mesospin.model.spin import set_fields
from mesospin.spectrum.matrices import unit_axis
from mesospin.thermo.molar import EMU_PER_MOLE

Floats = NDArray[np.float64]

#: Factors to cm3/mol, mu_B and J/(mol K).
CHI_UNITS = {"cgs": 1.0, "SI": 1e6 / (4.0 * pi)}
MOMENT_UNITS = {"mu_B": 1.0, "emu/mol": 1.0 / EMU_PER_MOLE, "A m2/mol": 1e3 / EMU_PER_MOLE}
HEAT_UNITS = {"J/(mol K)": 1.0, "R": GAS_CONSTANT}


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Data(ABC):
    """Measured points of one kind, with their uncertainty.

    Every kind has ``values`` and ``sigma`` (None where it is not known) of shape (points,) in ``unit``, the
    ``weight`` of the set in the sum of squares, and a ``label``.
    """

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

    def replace(self, **changes: object) -> Self:
        """Return a copy with other entries, in the units of the package."""
        own = {item.name: getattr(self, item.name) for item in entries_of(self)}
        made = object.__new__(type(self))
        set_fields(made, **(own | changes))
        return made


@dataclass(frozen=True, slots=True, init=False, eq=False)
class ThermalData(Data):
    """Data of a sample in thermal equilibrium: ``T``, ``B``, and the direction of the field or a powder."""

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

    def points(self, chosen: NDArray[np.intp]) -> Self:
        """Return a set of some of the points, in the order of their positions ``chosen``."""
        sigma = None if self.sigma is None else self.sigma[chosen]
        return self.replace(T=self.T[chosen], B=self.B[chosen], values=self.values[chosen], sigma=sigma)


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

    times_T: bool
    differential: bool
    quantity: ClassVar[str] = "susceptibility"

    def __init__(
        self,
        T: ArrayLike,
        chi_t: ArrayLike | None = None,
        *,
        chi: ArrayLike | None = None,
        unit: str | None = None,
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
        if unit is None:
            raise InputError("unit must be given, got none; write unit='cgs' (cm3/mol) or unit='SI' (m3/mol)")
        factor = CHI_UNITS[one_of("unit", unit, tuple(CHI_UNITS))]
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
        factor = MOMENT_UNITS[one_of("unit", unit, tuple(MOMENT_UNITS))]
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
        factor = HEAT_UNITS[one_of("unit", unit, tuple(HEAT_UNITS))]
        if axis is None and powder is None and not np.any(finite_array("B", B, "T")):
            axis = (0.0, 0.0, 1.0)
        set_fields(self, **_thermal(T, B, C, sigma, axis, powder, weight, label, factor))

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return "J/(mol K)"


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
    temperatures, fields, values = of_one_length(
        T=finite_array("T", T, "K"), B=finite_array("B", B, "T"), values=values
    )
    if not np.all(temperatures > 0):
        raise InputError(f"T must be above 0 [K], got {float(temperatures.min())}; leave the point out")
    if (axis is None) == (powder is None):
        raise InputError(
            "give exactly one of axis (crystal) and powder (Lebedev rule, for example 26), got both or none"
        )
    spread = None if sigma is None else spread_of(sigma, len(values), "sigma", "") * factor
    direction = None if axis is None else tuple(float(x) for x in unit_axis(axis))
    return {
        "T": temperatures,
        "B": fields,
        "values": factor * values,
        "sigma": spread,
        "axis": direction,
        "powder": None if powder is None else integer("powder", powder),
        "weight": positive("weight", weight),
        "label": label_of_set(label),
    }


def of_one_length(**arrays: Floats) -> list[Floats]:
    """Return the arrays with one dimension and one length."""
    shapes = {name: array.shape for name, array in arrays.items()}
    length = max(array.size for array in arrays.values())
    if length == 0 or any(array.ndim > 1 or array.size not in (1, length) for array in arrays.values()):
        text = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise InputError(f"data must have one length in one dimension (or be single numbers), got {text}")
    return [np.broadcast_to(array.reshape(-1), (length,)).copy() for array in arrays.values()]


def spread_of(given: ArrayLike, count: int, name: str, unit: str) -> Floats:
    """Return the standard deviations, one for each of ``count`` points, checked to be above 0."""
    array = finite_array(name, given, unit)
    if array.ndim > 1 or array.size not in (1, count) or not np.all(array > 0):
        raise InputError(
            f"{name} must be one number or {count} numbers above 0, got {array.tolist()}; "
            "leave points without weight out"
        )
    return np.broadcast_to(array.reshape(-1), (count,)).copy()


def label_of_set(label: str) -> str:
    """Return the label, checked to be a text that is not empty."""
    if not isinstance(label, str) or not label:
        raise InputError(f"label must be a non-empty text, got {label!r}; name the data set")
    return label
