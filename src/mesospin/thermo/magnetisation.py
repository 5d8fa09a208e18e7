"""Equilibrium magnetisation of a crystal in any direction, or of a powder."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr
from numpy.typing import ArrayLike

from mesospin.model.system import SpinSystem
from mesospin.results import variable
from mesospin.thermo.averages import moments
from mesospin.thermo.molar import CM3_PER_MOLE, EMU_PER_MOLE
from mesospin.thermo.molecular_field import Demagnetisation, MeanField
from mesospin.thermo.setting import Variables, read_setting
from mesospin.units import Quantity, to_cm3_per_mole


def magnetisation(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike | None = None,
    *,
    axis: Sequence[float] | None = None,
    B_vector: ArrayLike | None = None,
    powder: int | None = None,
    mean_field: MeanField | None = None,
    demagnetisation: Demagnetisation | None = None,
    tip: Quantity = 0.0,
) -> xr.Dataset:
    r"""Return the magnetisation in thermal equilibrium.

    .. math:: \mathbf M = -\partial F/\partial\mathbf B = \sum_i p_i\langle i|{-\mathbf G}|i\rangle

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    T : float or array-like, shape (temperature,) [K]
        Temperatures, > 0.
    B : float or array-like, shape (field,) [T]
        Fields along ``axis``; all are combined with all temperatures, except that labelled
        arrays (`xarray.DataArray`) with a common dimension are taken point by point.
    axis : three numbers, default z
        Direction of the field in a crystal.
    B_vector : array-like, shape (..., 3) [T]
        Field vectors, instead of ``B`` and ``axis``.
    powder : int, optional
        Average over all directions, with the rule of ``scipy.integrate.lebedev_rule`` of this degree (odd) or
        number of points (even, for example 590).  Directions are left out only where the matrices prove
        them equivalent.  A moment that follows a hard axis at low temperature needs high degrees.
    mean_field : MeanField, optional
        Coupling to the neighbours, solved self-consistently: in a powder for the average moment, or in every
        crystallite by itself (``MeanField(zJ, g, crystallites=True)``).
    demagnetisation : Demagnetisation, optional
        Shape of the sample.
    tip : float or str, default 0 [cm3/mol, cgs]
        Temperature-independent susceptibility added: paramagnetic > 0, diamagnetic < 0.  A text may be
        "2e-4 cm3/mol" (cgs) or "2.5e-9 m3/mol" (SI).

    Returns
    -------
    xarray.Dataset
        ``magnetisation`` (temperature, field) along the field [mu_B per formula unit] and
        ``magnetisation_molar`` [emu/mol]; of a crystal ``moment`` (temperature, field,
        component) [mu_B]; of a powder ``powder_difference``, the difference to a rule of a third
        of the directions.  A dimension is missing where a number was given.  "Along the field" is
        along z where a vector is zero.

    Raises
    ------
    InputError
        If a temperature is not positive, a field not finite, both or none of ``B`` and
        ``B_vector`` are given, a powder is given a direction, or no such rule exists.
    UnitError
        If the unit of ``tip`` is neither cm3/mol nor m3/mol.
    ConvergenceError
        If the moment in the field of its neighbours is not found, or is unstable.
    TooLargeError
        If the matrices do not fit in memory.

    Warns
    -----
    ValidityWarning
        If the powder average differs by more than 1 % of the largest value from that with a third of the
        directions; if the field of the average moment is used where a tenth of chi is anisotropic and the
        field of the neighbours is above 1 % of B; if the g of ``mean_field`` is that of no spin.

    Notes
    -----
    Equilibrium: slow relaxation, hysteresis and tunnelling are in `hysteresis` and `sweep`.

    Examples
    --------
    A free spin 1/2, where :math:`M = \tanh(\mu_B B/T)`:

    >>> from mesospin.model.system import giant_spin
    >>> ds = magnetisation(giant_spin(0.5, D=0.0), T=[1.0, 2.0], B=1.0)
    >>> ds.magnetisation.values.round(6)
    array([0.586106, 0.323774])
    """
    molar_extra = to_cm3_per_mole(tip, "tip")
    extra = molar_extra / CM3_PER_MOLE
    setting = read_setting(
        system,
        T,
        B,
        axis=axis,
        B_vector=B_vector,
        powder=powder,
        mean_field=mean_field,
        demagnetisation=demagnetisation,
    )
    conditions = setting.conditions
    (moment,), coarse = setting.averages(moments)
    vector = setting.arranged(moment)
    along = setting.along_field(vector) + extra * conditions.fields()
    dims = conditions.dims
    variables: Variables = {
        "magnetisation": variable(dims, along, "mu_B", "magnetisation"),
        "magnetisation_molar": variable(dims, EMU_PER_MOLE * along, "emu/mol", "molar magnetisation"),
    }
    difference = None
    if coarse is not None:
        difference = (vector - setting.arranged(coarse[0]))[..., 0]
    else:
        induced = extra * conditions.vectors.reshape(*conditions.fields().shape, 3)
        variables["moment"] = variable((*dims, "component"), vector + induced, "mu_B", "magnetic moment")
    return setting.dataset("magnetisation", variables, difference, "magnetisation", tip=molar_extra)
