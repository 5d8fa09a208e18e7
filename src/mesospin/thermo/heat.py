"""Heat capacity, entropy and free energy in thermal equilibrium."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.model.system import SpinSystem
from mesospin.results import variable
from mesospin.thermo.averages import caloric
from mesospin.thermo.crystallites import Crystallites
from mesospin.thermo.molar import JOULE_PER_MOLE
from mesospin.thermo.molecular_field import Demagnetisation, MeanField
from mesospin.thermo.self_consistent import SelfConsistent
from mesospin.thermo.setting import Setting, read_setting

Floats = NDArray[np.float64]


def heat_capacity(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike | None = None,
    *,
    axis: Sequence[float] | None = None,
    B_vector: ArrayLike | None = None,
    powder: int | None = None,
    mean_field: MeanField | None = None,
    demagnetisation: Demagnetisation | None = None,
) -> xr.Dataset:
    r"""Return the magnetic heat capacity at constant field, from the variance of the energy.

    .. math:: C = R\,\bigl(\langle E^2\rangle - \langle E\rangle^2\bigr)/T^2 = T\,(\partial S/\partial T)_B

    Parameters
    ----------
    system : SpinSystem
        The molecule; the lattice is not part of it.
    T : float or array-like, shape (temperature,) [K]
        Temperatures, > 0.
    B : float or array-like, shape (field,) [T]
        Fields along ``axis``; all are combined with all temperatures, except that labelled
        arrays (`xarray.DataArray`) with a common dimension are taken point by point.
    axis, B_vector, powder, mean_field, demagnetisation
        As for `magnetisation`; the part of the neighbours' field that follows the
        temperature is included.

    Returns
    -------
    xarray.Dataset
        ``heat_capacity`` (temperature, field) [J/(mol K)] and ``heat_capacity_reduced``, C/R; of a powder
        ``powder_difference``.  A dimension is missing where a number was given.

    Raises
    ------
    InputError, ConvergenceError, TooLargeError
        As for `magnetisation`.

    Examples
    --------
    Two levels 1 K apart (Schottky) at 0.4168 K, near the maximum of 0.439 R:

    >>> from mesospin.constants import MU_B
    >>> from mesospin.model.system import giant_spin
    >>> ds = heat_capacity(giant_spin(0.5, D=0.0), T=0.4168, B=0.5 / MU_B)
    >>> round(float(ds.heat_capacity_reduced), 4)
    0.4392
    """
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
    return _dataset(setting, "heat_capacity", 2, "heat capacity", "J/(mol K)", "heat capacity over R")


def entropy(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike | None = None,
    *,
    axis: Sequence[float] | None = None,
    B_vector: ArrayLike | None = None,
    powder: int | None = None,
    mean_field: MeanField | None = None,
    demagnetisation: Demagnetisation | None = None,
) -> xr.Dataset:
    r"""Return the magnetic entropy, :math:`S = R\ln Z + \langle E\rangle/T`, from levels without differences.

    Parameters
    ----------
    system : SpinSystem
        The molecule; the lattice is not part of it.
    T : float or array-like, shape (temperature,) [K]
        Temperatures, > 0.
    B : float or array-like, shape (field,) [T]
        Fields along ``axis``; all are combined with all temperatures, except that labelled
        arrays (`xarray.DataArray`) with a common dimension are taken point by point.
    axis, B_vector, powder, mean_field, demagnetisation
        As for `magnetisation`.

    Returns
    -------
    xarray.Dataset
        ``entropy`` (temperature, field) [J/(mol K)] and ``entropy_reduced``, S/R, between
        ln(degeneracy of the ground level) and ln(number of states); of a powder
        ``powder_difference``.  A dimension is missing where a number was given.

    Raises
    ------
    InputError, ConvergenceError, TooLargeError
        As for `magnetisation`.

    Examples
    --------
    A Kramers doublet keeps R ln 2 at zero field and 1 mK, and R ln 4 is reached above the splitting:

    >>> import numpy as np
    >>> from mesospin.model.system import giant_spin
    >>> ds = entropy(giant_spin(1.5, D=-1.0), T=[1e-3, 1000.0], B=0.0)
    >>> np.exp(ds.entropy_reduced.values).round(4)
    array([2., 4.])
    """
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
    return _dataset(setting, "entropy", 1, "entropy", "J/(mol K)", "entropy over R")


def free_energy(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike | None = None,
    *,
    axis: Sequence[float] | None = None,
    B_vector: ArrayLike | None = None,
    powder: int | None = None,
    mean_field: MeanField | None = None,
    demagnetisation: Demagnetisation | None = None,
) -> xr.Dataset:
    r"""Return the free energy :math:`F = -T\ln\sum_i e^{-E_i/T}`, zero where the Hamiltonian has it.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    T : float or array-like, shape (temperature,) [K]
        Temperatures, > 0.
    B : float or array-like, shape (field,) [T]
        Fields along ``axis``; all are combined with all temperatures, except that labelled
        arrays (`xarray.DataArray`) with a common dimension are taken point by point.
    axis, B_vector, powder, mean_field, demagnetisation
        As for `magnetisation`; the energy of the coupling to the neighbours is included once.

    Returns
    -------
    xarray.Dataset
        ``free_energy`` (temperature, field) [K per formula unit] and ``free_energy_molar``
        [J/mol]; of a powder ``powder_difference``.  A dimension is missing where a number was given.

    Raises
    ------
    InputError, ConvergenceError, TooLargeError
        As for `magnetisation`.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> ds = free_energy(giant_spin(0.5, D=0.0), T=[1.0, 2.0], B=0.0)
    >>> ds.free_energy.values.round(6)
    array([-0.693147, -1.386294])
    """
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
    averages, coarse = setting.averages(caloric)
    energy = setting.arranged(averages[0] + _of_field(setting.state, "free_energy"))
    dims = setting.conditions.dims
    variables = {
        "free_energy": variable(dims, energy, "K", "free energy"),
        "free_energy_molar": variable(dims, JOULE_PER_MOLE * energy, "J/mol", "molar free energy"),
    }
    difference = None
    if coarse is not None:
        difference = energy - setting.arranged(coarse[0] + _of_field(setting.coarse_state, "free_energy"))
    return setting.dataset("free_energy", variables, difference, "free_energy")


def _dataset(setting: Setting, name: str, which: int, long_name: str, unit: str, reduced: str) -> xr.Dataset:
    """Return the result of a molar quantity from the caloric average ``which``."""
    averages, coarse = setting.averages(caloric)
    in_k_B = setting.arranged(averages[which] + _of_field(setting.state, name))
    dims = setting.conditions.dims
    variables = {
        name: variable(dims, JOULE_PER_MOLE * in_k_B, unit, long_name),
        f"{name}_reduced": variable(dims, in_k_B, "1", reduced),
    }
    difference = None
    if coarse is not None:
        other = setting.arranged(coarse[which] + _of_field(setting.coarse_state, name))
        difference = JOULE_PER_MOLE * (in_k_B - other)
    return setting.dataset(name, variables, difference, name)


def _of_field(state: SelfConsistent | Crystallites | None, name: str) -> Floats | float:
    """Return what the acting field adds to a quantity [K, k_B]."""
    if state is None or name == "entropy":
        return 0.0
    return state.field_energy() if name == "free_energy" else state.field_heat()
