"""Torque on a crystal in a field, in thermal equilibrium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array
from mesospin.constants import AVOGADRO, MU_B_SI
from mesospin.errors import InputError
from mesospin.model.system import SpinSystem
from mesospin.results import variable
from mesospin.spectrum.matrices import unit_axis
from mesospin.thermo.averages import moments
from mesospin.thermo.molecular_field import Demagnetisation, MeanField
from mesospin.thermo.setting import Variables, read_setting

Floats = NDArray[np.float64]

_JOULE_PER_MOLE = AVOGADRO * MU_B_SI
#: Sine of the angle between two directions below which they make no plane.
_PARALLEL = 1e-9


def torque(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike | None = None,
    *,
    axis: Sequence[float] | None = None,
    towards: Sequence[float] | None = None,
    angle: ArrayLike | None = None,
    B_vector: ArrayLike | None = None,
    mean_field: MeanField | None = None,
    demagnetisation: Demagnetisation | None = None,
) -> xr.Dataset:
    r"""Return the torque of a field on the crystal in thermal equilibrium.

    .. math:: \boldsymbol\tau = \mathbf M\times\mathbf B,\qquad
              \mathbf n\cdot\boldsymbol\tau = \frac{\partial F}{\partial\theta}

    where the field turns by the angle theta about the unit vector n (so that a crystal turning about n in a
    fixed field feels -dF/dphi, as it must).  It vanishes along symmetry axes, and a
    temperature-independent isotropic susceptibility does not enter.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    T : float or array-like, shape (temperature,) [K]
        Temperatures, > 0.
    B : float or array-like, shape (field,) [T]
        Fields along ``axis``.
    axis : three numbers, default z
        Direction of the field.
    towards : three numbers, optional
        The field turns from ``axis`` in the plane of ``axis`` and this direction.
    angle : float or array-like, shape (angle,) [rad], optional
        Angles by which it has turned; given together with ``towards``.
    B_vector : array-like, shape (..., 3) [T]
        Field vectors instead of all these.
    mean_field, demagnetisation
        As for `magnetisation`; B is the applied field.

    Returns
    -------
    xarray.Dataset
        ``torque`` (temperature, field, component) [mu_B T per formula unit], ``torque_molar`` [J/mol] and
        ``moment`` (temperature, field, component) [mu_B].  Where the field turns they have the dimension
        ``angle`` before the component, and ``torque_about`` (temperature, field, angle) [mu_B T] is the
        component along n = axis x towards.  A dimension is missing where a number was given.

    Raises
    ------
    InputError
        As for `magnetisation`, or if one of ``towards`` and ``angle`` is missing, or ``towards`` is parallel
        to ``axis``.
    ConvergenceError, TooLargeError
        As for `magnetisation`.

    References
    ----------
    - A. Cornia et al., Chem. Phys. Lett. 322, 477 (2000).

    Examples
    --------
    A field between z, the easy axis, and x turns an axial molecule about y:

    >>> from mesospin.model.system import giant_spin
    >>> ds = torque(giant_spin(1, D=-5.0), T=2.0, B=1.0, axis=(1, 0, 1))
    >>> ds.torque.values.round(3) + 0.0
    array([0.   , 0.368, 0.   ])

    The same while the field turns from z towards x:

    >>> angles = np.pi * np.array([0, 0.25, 0.5])
    >>> ds = torque(giant_spin(1, D=-5.0), 2.0, 1.0, towards=(1, 0, 0), angle=angles)
    >>> ds.torque_about.values.round(3) + 0.0
    array([0.   , 0.368, 0.   ])
    """
    turn = None if towards is None and angle is None else _turn(B, axis, towards, angle, B_vector)
    setting = read_setting(
        system,
        T,
        B if turn is None else None,
        axis=axis if turn is None else None,
        B_vector=B_vector if turn is None else turn.vectors(),
        powder=None,
        mean_field=mean_field,
        demagnetisation=demagnetisation,
    )
    conditions = setting.conditions
    (moment,), _ = setting.averages(moments)
    vector = setting.arranged(moment)
    about = np.cross(vector, conditions.vectors.reshape(*conditions.fields().shape, 3))
    dims = (*conditions.dims, "component")
    variables: Variables = {
        "torque": variable(dims, about, "mu_B T", "torque"),
        "torque_molar": variable(dims, _JOULE_PER_MOLE * about, "J/mol", "molar torque"),
        "moment": variable(dims, vector, "mu_B", "magnetic moment"),
    }
    if turn is None:
        return setting.dataset("torque", variables, None, "torque")
    variables["torque_about"] = variable(
        conditions.dims, about @ turn.normal, "mu_B T", "torque about the normal"
    )
    given = {"axis": turn.axis.tolist(), "towards": turn.towards.tolist()}
    ds = setting.dataset("torque", variables, None, "torque", **given)
    return turn.named(ds, conditions.field_dims)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Fields ``B`` [T] turned by the angles ``angle`` [rad] from ``axis`` to ``towards``, orthonormal."""

    B: Floats
    angle: Floats
    axis: Floats
    towards: Floats

    @property
    def normal(self) -> Floats:
        """Unit vector about which the field turns."""
        return np.cross(self.axis, self.towards)

    def vectors(self) -> Floats:
        """Return the fields, shape (field, angle, 3) without the dimensions of single numbers [T]."""
        along = np.cos(self.angle)[..., None] * self.axis + np.sin(self.angle)[..., None] * self.towards
        return np.asarray(np.multiply.outer(self.B, along))

    def named(self, ds: xr.Dataset, field_dims: tuple[str, ...]) -> xr.Dataset:
        """Return the result with the dimensions and coordinates field and angle."""
        names = ("field",) * self.B.ndim + ("angle",) * self.angle.ndim
        new = {old: name for old, name in zip(field_dims, names, strict=True) if old != name}
        renamed = ds.drop_vars("field").rename_dims(new)
        coords = {
            "field": variable(("field",) * self.B.ndim, self.B, "T", "field"),
            "angle": variable(("angle",) * self.angle.ndim, self.angle, "rad", "angle of the field"),
        }
        return renamed.assign_coords(coords)


def _turn(
    B: ArrayLike | None,
    axis: Sequence[float] | None,
    towards: Sequence[float] | None,
    angle: ArrayLike | None,
    B_vector: ArrayLike | None,
) -> _Turn:
    if towards is None or angle is None:
        raise InputError("towards and angle must be given together, got one of them; add the other")
    if B is None or B_vector is not None:
        raise InputError("B must be given where the field turns, and no B_vector; give the magnitudes [T]")
    fields, angles = finite_array("B", B, "T"), finite_array("angle", angle, "rad")
    if fields.ndim > 1 or angles.ndim > 1 or not fields.size or not angles.size:
        raise InputError(
            f"B and angle must be numbers or 1-D and not empty, got shapes {fields.shape} and {angles.shape}"
        )
    first = unit_axis((0.0, 0.0, 1.0) if axis is None else axis)
    other = finite_array("towards", towards)
    across = other - (other @ first) * first if other.shape == (3,) else np.zeros(3)
    length = float(np.linalg.norm(across))
    if not length > _PARALLEL * float(np.linalg.norm(other)):
        raise InputError(
            f"towards must be three numbers that are not along axis {first.tolist()}, got {other.tolist()}"
        )
    return _Turn(fields, angles, first, across / length)
