"""Static susceptibility at any field: the differential tensor and M/H."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.model.system import SpinSystem
from mesospin.results import variable
from mesospin.thermo.averages import response
from mesospin.thermo.crystallites import Crystallites
from mesospin.thermo.molar import CM3_PER_MOLE, effective_moment
from mesospin.thermo.molecular_field import Demagnetisation, MeanField
from mesospin.thermo.self_consistent import SelfConsistent
from mesospin.thermo.setting import Setting, Variables, read_setting
from mesospin.units import Quantity, to_cm3_per_mole

Floats = NDArray[np.float64]


def susceptibility(
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
    r"""Return the static susceptibility in thermal equilibrium, at zero field or any other.

    The differential susceptibility :math:`\chi_{ab} = \partial M_a/\partial B_b` follows from
    second-order perturbation theory around the exact levels at each field (Van Vleck),

    .. math:: \chi_{ab} = \sum_{i\neq j}\frac{p_i - p_j}{E_j - E_i}\,\mu^a_{ij}\mu^b_{ji}
              + \frac1T\sum_i p_i(\mu^a_{ii} - M_a)(\mu^b_{ii} - M_b)

    where degenerate levels are the limit of the first sum.  This is what a coil measures.  A magnetometer
    with a static field measures :math:`M/H`, equal to it only in small fields: of a measured chi T in a
    field the counterpart is ``m_over_h_t``, not ``chi_t``.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    T : float or array-like, shape (temperature,) [K]
        Temperatures, > 0.
    B : float or array-like, shape (field,) [T], default 0
        Fields along ``axis``; all are combined with all temperatures, except that labelled
        arrays (`xarray.DataArray`) with a common dimension are taken point by point.
    axis : three numbers, default z
        Direction of the field in a crystal.
    B_vector : array-like, shape (..., 3) [T]
        Field vectors, instead of ``B`` and ``axis``.
    powder : int, optional
        Average over all directions, as for `magnetisation`; at zero field every rule is exact.
    mean_field : MeanField, optional
        Coupling to the neighbours: :math:`\chi = (1 - \chi_0\lambda)^{-1}\chi_0`, with :math:`\chi_0` at the
        self-consistent field; in a powder of the average :math:`\chi_0`, or of every crystallite
        (``MeanField(zJ, g, crystallites=True)``).
    demagnetisation : Demagnetisation, optional
        Shape of the sample; the result is with respect to the applied field.
    tip : float or str, default 0 [cm3/mol, cgs]
        Temperature-independent susceptibility added, as for `magnetisation`.

    Returns
    -------
    xarray.Dataset
        Of a crystal the tensors ``chi`` (temperature, field, component, field_component)
        [mu_B/T per formula unit], ``chi_molar`` [cm3/mol] and ``chi_t`` [cm3 K/mol], and
        ``chi_along_molar`` [cm3/mol], the component along the field; of a powder ``chi``, ``chi_molar``
        and ``chi_t`` (temperature, field) along the field, and ``powder_difference`` of ``chi``, the
        difference to a rule of a third of the directions.  Of both ``mu_eff`` [mu_B], from the component
        along the field (NaN where that is negative).  All these are differential, dM/dH.  From the
        moment along the field over the field: ``m_over_h`` [cm3/mol], ``m_over_h_t`` [cm3 K/mol] and
        ``mu_eff_static`` [mu_B], which at zero field are the limits, the differential ones.  Molar
        susceptibilities are cgs.  A dimension is missing where a number was given.

    Raises
    ------
    InputError
        As for `magnetisation`.
    UnitError
        If the unit of ``tip`` is neither cm3/mol nor m3/mol.
    ConvergenceError
        If the moment in the field of its neighbours is not found, or is unstable: below
        the ordering temperature in zero field.
    TooLargeError
        If the matrices do not fit in memory.

    Notes
    -----
    The isothermal susceptibility; the adiabatic and the dynamic one are smaller.

    References
    ----------
    - J. H. Van Vleck, The Theory of Electric and Magnetic Susceptibilities (Oxford, 1932), chapter VII.

    Examples
    --------
    A free spin 1 with g = 2 has chi T = 1.0 cm3 K/mol and an effective moment of 2.83 mu_B:

    >>> from mesospin.model.system import giant_spin
    >>> ds = susceptibility(giant_spin(1, D=0.0), T=[2.0, 300.0], powder=5)
    >>> ds.chi_t.values.round(4), ds.mu_eff.values.round(4)
    (array([1.0004, 1.0004]), array([2.8284, 2.8284]))

    In 7 T at 2 K it is nearly saturated: a coil sees little, a magnetometer 2 mu_B over 7 T:

    >>> ds = susceptibility(giant_spin(1, D=0.0), T=2.0, B=7.0)
    >>> (2.0 * ds.chi_along_molar.values).round(4), ds.m_over_h_t.values.round(4)
    (np.float64(0.0139), np.float64(0.3162))
    """
    molar_extra = to_cm3_per_mole(tip, "tip")
    setting = read_setting(
        system,
        T,
        0.0 if B is None and B_vector is None else B,
        axis=axis,
        B_vector=B_vector,
        powder=powder,
        mean_field=mean_field,
        demagnetisation=demagnetisation,
    )
    (moment, chi), coarse = _responses(setting)
    chi = chi + molar_extra / CM3_PER_MOLE * np.eye(chi.shape[-1])
    along = setting.along_field_twice(chi)
    dims = setting.conditions.dims
    temperatures = setting.conditions.temperatures()
    difference = None
    if coarse is not None:
        variables, difference = _chi(dims, along, temperatures), along - coarse
    else:
        tensor = (*dims, "component", "field_component")
        variables = _chi(tensor, chi, temperatures[..., None, None])
        variables["chi_along_molar"] = variable(
            dims, CM3_PER_MOLE * along, "cm3/mol", "molar susceptibility dM/dH along the field"
        )
    m_over_h = _m_over_h(setting, moment, along, molar_extra)
    differential = effective_moment(along, temperatures)
    static = effective_moment(m_over_h / CM3_PER_MOLE, temperatures)
    variables |= {
        "mu_eff": variable(dims, differential, "mu_B", "effective moment from dM/dH"),
        "m_over_h": variable(dims, m_over_h, "cm3/mol", "molar magnetisation over field M/H"),
        "m_over_h_t": variable(dims, m_over_h * temperatures, "cm3 K/mol", "molar M/H times temperature"),
        "mu_eff_static": variable(dims, static, "mu_B", "effective moment from M/H"),
    }
    return setting.dataset("susceptibility", variables, difference, "chi", tip=molar_extra)


def _responses(setting: Setting) -> tuple[tuple[Floats, Floats], Floats | None]:
    """Return moment, chi, and chi with the coarse powder rule, in the shape of the result."""
    state = setting.state
    if state is None:
        (moment, chi, _), coarse = setting.averages(response)
        other = None if coarse is None else setting.arranged(coarse[1])[..., 0, 0]
        return (setting.arranged(moment), setting.arranged(chi)), other
    chi = state.applied_chi()[:, None]
    other = None
    if isinstance(setting.coarse, Crystallites):
        other = setting.arranged(setting.coarse.applied_chi()[:, None])[..., 0, 0]
    elif setting.coarse is not None and isinstance(state, SelfConsistent):
        own = setting.coarse.average(response, state.fields, state.T)[1][:, 0]
        other = setting.arranged(replace(state, chi=own).applied_chi()[:, None])[..., 0, 0]
    return (setting.arranged(state.moment[:, None]), setting.arranged(chi)), other


def _chi(dims: tuple[str, ...], chi: Floats, T: Floats) -> Variables:
    molar = CM3_PER_MOLE * chi
    return {
        "chi": variable(dims, chi, "mu_B/T", "differential susceptibility dM/dH"),
        "chi_molar": variable(dims, molar, "cm3/mol", "molar susceptibility dM/dH"),
        "chi_t": variable(dims, molar * T, "cm3 K/mol", "molar dM/dH times temperature"),
    }


def _m_over_h(setting: Setting, moment: Floats, along: Floats, molar_extra: float) -> Floats:
    """Return M/H [cm3/mol], with the limit chi where the field is zero."""
    field = np.broadcast_to(setting.conditions.fields(), along.shape)
    ratio = setting.along_field(moment) / np.where(field == 0.0, 1.0, field)
    return np.where(field == 0.0, CM3_PER_MOLE * along, CM3_PER_MOLE * ratio + molar_extra)
