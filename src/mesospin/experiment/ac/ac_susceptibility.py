"""Ac susceptibility of a molecule, a crystal with disorder or a powder, from rates of relaxation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.bath.disorder import Molecule
from mesospin.checks import finite_array, no_shared_dimensions
from mesospin.dynamics.frame import Frame
from mesospin.dynamics.response import debye_sum, modes_at, two_well_response
from mesospin.errors import InputError
from mesospin.experiment.ac.static_parts import static_parts
from mesospin.experiment.constant_field import (
    Setting,
    at_temperature,
    field_nodes,
    lasting_frame,
    positive_values,
    separate_wells,
    setting_of,
)
from mesospin.experiment.ensemble import ensemble
from mesospin.model.environment import (
    FROM_SYSTEM,
    DebyeLattice,
    DipolarBath,
    Disorder,
    FromSystem,
    NuclearBath,
    PhononBath,
)
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.thermo.molar import CM3_PER_MOLE

__all__ = ["ac_susceptibility"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

#: Part of the susceptibility that the populations must carry to be compared with the exact one.
_NOTHING: Final = 1e-10


def ac_susceptibility(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike = 0.0,
    frequency: ArrayLike = (),
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    bath: PhononBath | FromSystem = FROM_SYSTEM,
    dipolar: DipolarBath | FromSystem | None = FROM_SYSTEM,
    disorder: Disorder | FromSystem | None = FROM_SYSTEM,
    nuclear: NuclearBath | None = None,
    raman: DebyeLattice | None = None,
    powder: int | None = None,
) -> xr.Dataset:
    r"""Return chi' and chi'' of a spin with its phonons and its tunnelling.

    The rate matrix of the diabatic levels gives one Debye relaxation for every mode,
    :math:`\chi(\omega) = \chi' - i\chi'' = \chi_S + \sum_k w_k/(1 + i\omega\tau_k)`.  The isothermal limit
    is the susceptibility of exact thermodynamics, :math:`\chi_T`; the part of it that mixes levels, which
    follows at once, is the adiabatic :math:`\chi_S \ge 0`.  Molecules with their frozen dipolar fields and
    disorder respond side by side.

    Parameters
    ----------
    system : SpinSystem
    T : float or array-like, shape (temperature,) [K]
    B : float or array-like, shape (field,) [T]
        Constant fields along ``axis``; the alternating field is parallel to it.
    frequency : array-like, shape (frequency,) [Hz]
        Frequencies f > 0; omega = 2 pi f.
    axis : three numbers, default z
        Direction of both fields.
    transverse : two numbers (Bx, By) [T]
        Constant field added.
    bath, dipolar, disorder, nuclear
        Surroundings, as for `relaxation_rates`; the system's by default.
    raman : DebyeLattice, optional
        Debye temperature up to which phonons also scatter in pairs (`raman_rates`); none by default.
    powder : int, optional
        Degree of the Lebedev rule over directions, in place of ``axis``.

    Returns
    -------
    xarray.Dataset
        Kind "ac_susceptibility", per formula unit: ``chi_real``, ``chi_imag`` (temperature, field, frequency)
        [mu_B/T], ``chi_real_molar``, ``chi_imag_molar`` [cm3/mol, cgs]; ``chi_T`` and ``chi_S``
        (temperature, field) [mu_B/T]; of the ideal molecule at exactly the field given ``mode_rate`` [1/s]
        and ``mode_weight`` [mu_B/T] (temperature, field, mode).  `fit_ac` takes it as data.

    Raises
    ------
    InputError
        If a temperature or frequency is not positive, or no phonon bath is known.

    Notes
    -----
    The levels of the rate equations are diabatic, those of thermodynamics exact; their :math:`\sum_k w_k`
    agree to 1e-4 or so, and the response is scaled to the exact one.  Where two wells exchange a thousand
    times more slowly than they relax inside, they respond with that exchange at every frozen field and with
    the inner modes of the applied one: an error of up to 0.1 % of the rate.

    Valid while the drive changes no population beyond linear response and is slow against the level
    splittings of the diabatic states (f well below 1 GHz).  A spin 1/2 relaxes by tunnelling only.

    References
    ----------
    - H. B. G. Casimir and F. K. du Pre, Physica 5, 507 (1938).
    - J. R. Shirley, Phys. Rev. 138, B979 (1965), for the rate matrix driven periodically.

    Examples
    --------
    >>> import numpy as np
    >>> from mesospin.model.library import load
    >>> ds = ac_susceptibility(
    ...     load("mn12ac"), 5.0, 0.0, np.geomspace(1, 1e5, 6), dipolar=None, disorder=None
    ... )
    >>> bool(ds.chi_imag.max() > 0.3 * ds.chi_T)
    True
    """
    check_system(system)
    no_shared_dimensions(T=T, B=B)
    temperatures = positive_values("T", T, "K")
    omega = 2 * np.pi * positive_values("frequency", frequency, "Hz")
    fields = np.atleast_1d(finite_array("B", B))
    if fields.ndim != 1:
        raise InputError(f"B must be a number or 1-D [T], got shape {fields.shape}; give a list")
    around = setting_of(
        system, axis=axis, transverse=transverse, powder=powder, bath=bath, dipolar=dipolar,
        disorder=disorder, nuclear=nuclear, raman=raman,
    )  # fmt: skip
    parts = [_response(molecule, around, temperatures, fields, omega) for molecule in around.members]
    weights = [molecule.weight for molecule in around.members]
    mean = _Response(*(np.tensordot(weights, np.array(part), axes=1) for part in zip(*parts, strict=True)))
    ideal = ensemble(system, None, axis=axis, transverse=around.inputs["transverse"])[0]
    modes = None if powder is not None else _ideal_modes(ideal, around, temperatures, fields, omega)
    inputs = {"T": temperatures, "B": fields, "frequency": omega / (2 * np.pi), **around.inputs}
    return _dataset(system, temperatures, fields, omega, mean, modes, inputs)


class _Response(NamedTuple):
    """Response of the populations (T, B, f), its static limit and the adiabatic part (T, B) [mu_B/T]."""

    relaxing: Any
    isothermal: Any
    adiabatic: Any


def _response(
    molecule: Molecule, around: Setting, temperatures: Floats, fields: Floats, omega: Floats
) -> _Response:
    frame = lasting_frame(molecule, around, fields, float(temperatures.max()), 1 / float(omega.min()))
    averages = [field_nodes(frame, float(B), around, float(omega.max())) for B in fields]
    shape = (len(temperatures), len(fields))
    relaxing = np.empty((*shape, len(omega)), dtype=complex)
    static = np.empty(shape)
    for i, T in enumerate(temperatures):
        for j, (nodes, weights) in enumerate(averages):
            now = at_temperature(frame, molecule, around, float(fields[j]), float(T))
            response, limit = _of_nodes(now, nodes, float(T), omega, around.nuclear_width)
            relaxing[i, j], static[i, j] = weights @ response, weights @ limit
    carried, adiabatic = static_parts(molecule, fields, temperatures, around.width, frame.window)
    known = static > _NOTHING * (carried + adiabatic)
    scale = np.where(known, carried / np.where(known, static, 1.0), 1.0)
    return _Response(relaxing * scale[..., None], static * scale, adiabatic)


def _of_nodes(
    frame: Frame, nodes: Floats, T: float, omega: Floats, nuclear_width: float
) -> tuple[Complexes, Floats]:
    """Return the response of the populations (k, f) at fields (k,), and its static limit (k,) [mu_B/T]."""
    wells = separate_wells(frame, T, float(np.median(nodes)))
    if wells is None:
        modes = modes_at(frame, nodes, T, nuclear_width)
        return debye_sum(modes, omega), modes.weight.sum(axis=1)
    return two_well_response(frame, nodes, T, omega, wells, nuclear_width)


def _ideal_modes(
    molecule: Molecule, around: Setting, temperatures: Floats, fields: Floats, omega: Floats
) -> tuple[Floats, Floats]:
    alone = around._replace(width=0.0)
    frame = lasting_frame(molecule, alone, fields, float(temperatures.max()), 1 / float(omega.min()))
    rate = np.empty((len(temperatures), len(fields), frame.energy.shape[1]))
    weight = np.empty_like(rate)
    for i, j in np.ndindex(rate.shape[:2]):
        now = at_temperature(frame, molecule, around, float(fields[j]), float(temperatures[i]))
        modes = modes_at(now, fields[j : j + 1], float(temperatures[i]), around.nuclear_width)
        rate[i, j], weight[i, j] = modes.rate[0], modes.weight[0]
    return rate, weight


def _dataset(
    system: SpinSystem,
    temperatures: Floats,
    fields: Floats,
    omega: Floats,
    mean: _Response,
    modes: tuple[Floats, Floats] | None,
    inputs: dict[str, Any],
) -> xr.Dataset:
    places, both = ("temperature", "field", "frequency"), ("temperature", "field")
    chi = mean.adiabatic[..., None] + mean.relaxing
    columns: dict[str, tuple[Any, Any, str, str]] = {
        "chi_real": (places, chi.real, "mu_B/T", "in-phase susceptibility"),
        "chi_imag": (places, -chi.imag, "mu_B/T", "out-of-phase susceptibility"),
        "chi_real_molar": (places, CM3_PER_MOLE * chi.real, "cm3/mol", "in-phase susceptibility"),
        "chi_imag_molar": (places, -CM3_PER_MOLE * chi.imag, "cm3/mol", "out-of-phase susceptibility"),
        "chi_T": (both, mean.isothermal + mean.adiabatic, "mu_B/T", "isothermal susceptibility"),
        "chi_S": (both, mean.adiabatic, "mu_B/T", "adiabatic susceptibility"),
    }
    if modes is not None:
        columns["mode_rate"] = ((*both, "mode"), modes[0], "1/s", "decay rate of a mode")
        columns["mode_weight"] = ((*both, "mode"), modes[1], "mu_B/T", "weight of a mode")
    coords = {
        "temperature": variable("temperature", temperatures, "K", "temperature"),
        "field": variable("field", fields, "T", "field"),
        "frequency": variable("frequency", omega / (2 * np.pi), "Hz", "frequency"),
    }
    variables = {name: variable(*entry) for name, entry in columns.items()}
    return result("ac_susceptibility", system, variables, coords, inputs)
