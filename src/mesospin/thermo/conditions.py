"""Temperatures and fields of a calculation, as given, and the shape that its results take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, first_wrong
from mesospin.errors import InputError
from mesospin.results import variable
from mesospin.spectrum.matrices import unit_axis

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Conditions:
    """Field points and the temperatures wanted at each.

    Parameters
    ----------
    T : ndarray, shape (1, t), or (f, 1) for pointwise evaluation [K]
    B : ndarray, shape (f,) [T]
        Signed magnitudes along ``axes``.
    axes : ndarray, shape (f, 3)
        Directions of the field, unit vectors.
    shape : tuple of int
        Shape of a result, temperature first.
    dims : tuple of str
        Its dimensions.
    field_dims, temperature_dims : tuple of str
        Dimensions of the two coordinates.
    """

    T: Floats
    B: Floats
    axes: Floats
    shape: tuple[int, ...]
    dims: tuple[str, ...]
    temperature_dims: tuple[str, ...]
    field_dims: tuple[str, ...]

    @property
    def vectors(self) -> Floats:
        """Field vectors, shape (f, 3) [T]."""
        return self.B[:, None] * self.axes

    def arranged(self, values: Floats) -> Floats:
        """Return values (f, t, ...) in the shape of a result, temperature first."""
        return np.moveaxis(values, 1, 0).reshape((*self.shape, *values.shape[2:]))

    def coords(self) -> dict[str, Any]:
        """Return the coordinates temperature and field."""
        lengths = dict(zip(self.dims, self.shape, strict=True))
        T = self.T.reshape([lengths[dim] for dim in self.temperature_dims])
        B = self.B.reshape([lengths[dim] for dim in self.field_dims])
        return {
            "temperature": variable(self.temperature_dims, T, "K", "temperature"),
            "field": variable(self.field_dims, B, "T", "field"),
        }

    def temperatures(self) -> Floats:
        """Return the temperatures in a shape that broadcasts with a result."""
        return self.T.reshape([n if dim in self.temperature_dims else 1 for dim, n in self._sizes()])

    def fields(self) -> Floats:
        """Return the signed magnitudes [T] in a shape that broadcasts with a result."""
        return self.B.reshape([n if dim in self.field_dims else 1 for dim, n in self._sizes()])

    def _sizes(self) -> list[tuple[str, int]]:
        return list(zip(self.dims, self.shape, strict=True))


def read_conditions(
    T: ArrayLike,
    B: ArrayLike | None,
    axis: Sequence[float] | None,
    B_vector: ArrayLike | None,
    *,
    powder: bool,
) -> Conditions:
    """Return the conditions that the arguments of a public function describe.

    Numbers and 1-D arrays form the outer product (temperature, field), and a number leaves
    no dimension behind.  Labelled arrays (`xarray.DataArray`) that share their dimension
    are evaluated point by point.

    Raises
    ------
    InputError
        If a temperature is not positive, a field not finite, fields and vectors are both
        or neither given, a powder is given a direction, or shared dimensions do not fit.

    Examples
    --------
    >>> read_conditions([2.0, 4.0], 1.0, None, None, powder=False).dims
    ('temperature',)
    """
    _check_choice(B, axis, B_vector, powder)
    temperatures = finite_array("T", T, "K")
    if temperatures.ndim > 1 or not temperatures.size:
        raise InputError(
            "T must be one or several temperatures > 0 [K] in one dimension, got shape "
            f"{temperatures.shape}; flatten it"
        )
    if not np.all(temperatures > 0):
        raise InputError(
            "T must be one or several temperatures > 0 [K], got "
            f"{first_wrong(temperatures, temperatures > 0)}; begin above absolute zero"
        )
    magnitudes, axes, shape = _fields(B, axis, B_vector)
    shared = _shared_dimension(T, B if B_vector is None else B_vector)
    if shared is not None:
        if temperatures.shape != shape:
            raise InputError(
                f"T and the field must have one dimension in common for pointwise evaluation, got shapes "
                f"{temperatures.shape} and {shape}; rename a dimension for all combinations"
            )
        own = (shared,)
        return Conditions(temperatures[:, None], magnitudes, axes, shape, own, own, own)
    several = len(shape) > 1
    field_dims = tuple(f"field_{k}" for k in range(len(shape))) if several else ("field",) * len(shape)
    temperature_dims = ("temperature",) * temperatures.ndim
    return Conditions(
        temperatures.reshape(1, -1),
        magnitudes,
        axes,
        (*temperatures.shape, *shape),
        (*temperature_dims, *field_dims),
        temperature_dims,
        field_dims,
    )


def _check_choice(
    B: ArrayLike | None, axis: Sequence[float] | None, B_vector: ArrayLike | None, powder: bool
) -> None:
    if (B is None) == (B_vector is None):
        raise InputError("give exactly one of B (magnitudes along axis) and B_vector (vectors) [T]")
    if axis is not None and B_vector is not None:
        raise InputError("axis must not be given with B_vector, whose directions are its own; drop one")
    if powder and (axis is not None or B_vector is not None):
        raise InputError("a powder has no axis and no B_vector; give B, or drop powder for a crystal")


def _fields(
    B: ArrayLike | None, axis: Sequence[float] | None, B_vector: ArrayLike | None
) -> tuple[Floats, Floats, tuple[int, ...]]:
    """Return magnitudes (f,), unit vectors (f, 3), and the shape that the fields had."""
    z = (0.0, 0.0, 1.0)
    if B_vector is None:
        given = finite_array("B", 0.0 if B is None else B, "T")
        if given.ndim > 1 or not given.size:
            raise InputError(f"B must be a number or 1-D [T], not empty, got shape {given.shape}; flatten it")
        direction = unit_axis(z if axis is None else axis)
        return np.atleast_1d(given), np.broadcast_to(direction, (given.size, 3)), given.shape
    vectors = finite_array("B_vector", B_vector, "T")
    if not vectors.ndim or vectors.shape[-1] != 3 or not vectors.size:
        raise InputError(f"B_vector must have shape (..., 3) [T], not empty, got {vectors.shape}; reshape it")
    flat = vectors.reshape(-1, 3)
    length = np.linalg.norm(flat, axis=1)
    axes = np.where(length[:, None] > 0, flat / np.where(length > 0, length, 1.0)[:, None], z)
    return length, axes, vectors.shape[:-1]


def _shared_dimension(T: ArrayLike, field: ArrayLike | None) -> str | None:
    """Return the dimension that two labelled arrays share, None where all combinations are wanted."""
    if not (isinstance(T, xr.DataArray) and isinstance(field, xr.DataArray)):
        return None
    shared = [str(dim) for dim in field.dims if dim in T.dims]
    return shared[0] if shared else None
