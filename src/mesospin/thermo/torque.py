"""Torque on a crystal in a field, in thermal equilibrium."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from mesospin.constants import AVOGADRO, MU_B_SI
from mesospin.model.system import SpinSystem
from mesospin.results import variable
from mesospin.thermo.averages import moments
from mesospin.thermo.molecular_field import Demagnetisation, MeanField
from mesospin.thermo.setting import Variables, read_setting

_JOULE_PER_MOLE = AVOGADRO * MU_B_SI


def torque(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike | None = None,
    *,
    axis: Sequence[float] | None = None,
    B_vector: ArrayLike | None = None,
    mean_field: MeanField | None = None,
    demagnetisation: Demagnetisation | None = None,
) -> xr.Dataset:
    r"""Return the torque of a field on the crystal in thermal equilibrium.

    .. math:: \boldsymbol\tau = \mathbf M\times\mathbf B,\qquad
              \mathbf n\cdot\boldsymbol\tau = -\frac{\partial F}{\partial\varphi}

    where the field turns about the unit vector n by the angle -phi, which is the crystal turning by
    phi in a fixed field.  It vanishes along symmetry axes, and a temperature-independent isotropic
    susceptibility does not enter.

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
    B_vector : array-like, shape (..., 3) [T]
        Field vectors instead, for example of a rotation.
    mean_field, demagnetisation
        As for `magnetisation`; B is the applied field.

    Returns
    -------
    xarray.Dataset
        ``torque`` (temperature, field, component) [mu_B T per formula unit], ``torque_molar`` [J/mol] and
        ``moment`` (temperature, field, component) [mu_B].  A dimension is missing where a number was given.

    Raises
    ------
    InputError, ConvergenceError, TooLargeError
        As for `magnetisation`.

    References
    ----------
    .. [1] A. Cornia et al., Chem. Phys. Lett. 322, 477 (2000).

    Examples
    --------
    A field between z, the easy axis, and x turns an axial molecule about y:

    >>> from mesospin.model.system import giant_spin
    >>> ds = torque(giant_spin(1, D=-5.0), T=2.0, B=1.0, axis=(1, 0, 1))
    >>> ds.torque.values.round(3) + 0.0
    array([0.   , 0.368, 0.   ])
    """
    setting = read_setting(
        system,
        T,
        B,
        axis=axis,
        B_vector=B_vector,
        powder=None,
        mean_field=mean_field,
        demagnetisation=demagnetisation,
    )
    conditions = setting.conditions
    (moment,), _ = setting.averages(moments)
    vector = setting.arranged(moment)
    turning = np.cross(vector, conditions.vectors.reshape(*conditions.fields().shape, 3))
    dims = (*conditions.dims, "component")
    variables: Variables = {
        "torque": variable(dims, turning, "mu_B T", "torque"),
        "torque_molar": variable(dims, _JOULE_PER_MOLE * turning, "J/mol", "molar torque"),
        "moment": variable(dims, vector, "mu_B", "magnetic moment"),
    }
    return setting.dataset("torque", variables, None, "torque")
