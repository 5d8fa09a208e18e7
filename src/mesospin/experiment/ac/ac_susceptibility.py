"""Ac susceptibility of a molecule, a crystal with disorder or a powder, from rates of relaxation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.bath.disorder import CUTOFF, Molecule
from mesospin.checks import finite_array, no_shared_dimensions
from mesospin.constants import HBAR
from mesospin.dynamics.branch import line_widths, molecule_frame
from mesospin.dynamics.frame import Frame
from mesospin.dynamics.panels import graded_edges
from mesospin.dynamics.response import debye_sum, modes_at
from mesospin.dynamics.well_rates import with_lines
from mesospin.errors import InputError
from mesospin.experiment.ensemble import ensemble, field_pair
from mesospin.experiment.surroundings import chosen, phonon_bath, written
from mesospin.model.environment import (
    FROM_SYSTEM,
    DipolarBath,
    Disorder,
    FromSystem,
    NuclearBath,
    PhononBath,
)
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.thermo.molar import CM3_PER_MOLE
from mesospin.thermo.susceptibility import susceptibility

__all__ = ["ac_susceptibility"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)
#: Widest panel of the average over frozen fields, in standard deviations.
_WIDEST: Final = 0.4
#: Rate of tunnelling on resonance over the slowest drive below which a line is left out.
_IDLE: Final = 1e-6
#: A frame of one field needs a range: half of it [T].
_MARGIN: Final = 0.01


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
    powder: int | None = None,
) -> xr.Dataset:
    r"""Return chi' and chi'' of a spin with its phonons and its tunnelling.

    The rate matrix of the diabatic levels gives one Debye relaxation for every mode,
    :math:`\chi(\omega) = \chi' - i\chi'' = \chi_S + \sum_k w_k/(1 + i\omega\tau_k)`.  The isothermal limit
    is the susceptibility of exact thermodynamics, :math:`\chi_T`; what the populations do not carry of it is
    the adiabatic :math:`\chi_S`.  Molecules with their frozen dipolar fields and disorder respond side by
    side.

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
    temperatures = _positive("T", T, "K")
    omega = 2 * np.pi * _positive("frequency", frequency, "Hz")
    fields = np.atleast_1d(finite_array("B", B))
    if fields.ndim != 1:
        raise InputError(f"B must be a number or 1-D [T], got shape {fields.shape}; give a list")
    phonons = phonon_bath(system, bath)
    frozen = chosen(dipolar, system.defaults.dipolar)
    ensemble_of = chosen(disorder, system.defaults.disorder)
    surroundings = _Surroundings(phonons, frozen.width if frozen else 0.0, nuclear.width if nuclear else 0.0)
    lateral = field_pair(transverse)
    members = ensemble(system, ensemble_of, axis=axis, transverse=lateral, powder=powder)
    parts = [_response(molecule, surroundings, temperatures, fields, omega) for molecule in members]
    weights = [molecule.weight for molecule in members]
    columns = zip(*parts, strict=True)
    mean = _Response(*(sum(w * part for w, part in zip(weights, column, strict=True)) for column in columns))
    ideal = ensemble(system, None, axis=axis, transverse=lateral)[0]
    modes = None if powder is not None else _ideal_modes(ideal, surroundings, temperatures, fields)
    inputs = {
        "T": temperatures, "B": fields, "frequency": omega / (2 * np.pi), "axis": list(axis),
        "transverse": lateral, "powder": powder,
        **written(bath=phonons, dipolar=frozen, disorder=ensemble_of, nuclear=nuclear),
    }  # fmt: skip
    return _dataset(system, temperatures, fields, omega, mean, modes, inputs)


def _positive(name: str, values: ArrayLike, unit: str) -> Floats:
    array = np.atleast_1d(finite_array(name, values))
    if array.ndim != 1 or not array.size or not np.all(array > 0):
        raise InputError(f"{name} must be one or several numbers > 0 [{unit}], got {array.tolist()}")
    return np.asarray(array, dtype=np.float64)


class _Surroundings(NamedTuple):
    bath: PhononBath | None
    width: float
    """Standard deviation of the frozen fields [T]."""
    nuclear_width: float
    """Window of the nuclei [K]."""


class _Response(NamedTuple):
    """Response of the populations (T, B, f), their isothermal part (T, B) and the rest of chi_T (T, B)."""

    relaxing: Any
    isothermal: Any
    rest: Any


def _response(
    molecule: Molecule, around: _Surroundings, temperatures: Floats, fields: Floats, omega: Floats
) -> _Response:
    reach = CUTOFF * around.width + _MARGIN
    frame = molecule_frame(molecule, around.bath, (float(fields.min() - reach), float(fields.max() + reach)))
    lines = _lines(frame, around.nuclear_width, omega)
    averages = [_weights(lines, float(B), around) for B in fields]
    shape = (len(temperatures), len(fields))
    relaxing, isothermal, bare = (
        np.empty((*shape, len(omega)), dtype=complex),
        np.empty(shape),
        np.empty(shape),
    )
    for i, T in enumerate(temperatures):
        for j, (nodes, weights) in enumerate(averages):
            modes = modes_at(lines, nodes, float(T), around.nuclear_width)
            relaxing[i, j] = weights @ debye_sum(modes, omega)
            isothermal[i, j] = weights @ modes.weight.sum(axis=1)
        bare[i] = modes_at(lines, fields, float(T), around.nuclear_width).weight.sum(axis=1)
    return _Response(relaxing, isothermal, _thermodynamic(molecule, temperatures, fields) - bare)


def _lines(frame: Frame, nuclear_width: float, omega: Floats) -> Frame:
    """Return the frame without crossings too slow to follow the slowest drive, even on resonance."""
    pairs = frame.crossings
    if not len(pairs.field):
        return frame
    width = line_widths(frame, nuclear_width) * pairs.slope
    fastest = pairs.gap**2 / (2 * HBAR * width)
    return with_lines(frame, np.flatnonzero(fastest > _IDLE * omega.min()))


def _weights(frame: Frame, B: float, around: _Surroundings) -> tuple[Floats, Floats]:
    """Return fields and weights of the average over frozen fields around ``B``."""
    if around.width == 0.0:
        return np.array([B]), np.ones(1)
    lo, hi = B - CUTOFF * around.width, B + CUTOFF * around.width
    centres = np.concatenate([frame.crossings.field, frame.wide[:, 0]])
    widths = np.concatenate([line_widths(frame, around.nuclear_width), frame.wide[:, 1]])
    inside = (centres > lo) & (centres < hi)
    edges = graded_edges(lo, hi, centres[inside], widths[inside], widest=_WIDEST * around.width)
    half = np.diff(edges) / 2
    nodes = ((edges[:-1] + half)[:, None] + half[:, None] * _NODES).ravel()
    weights = (half[:, None] * _WEIGHTS).ravel() * np.exp(-0.5 * ((nodes - B) / around.width) ** 2)
    return nodes, weights / weights.sum()


def _thermodynamic(molecule: Molecule, temperatures: Floats, fields: Floats) -> Floats:
    """Return the exact isothermal susceptibility (T, B) along the molecule's field [mu_B/T]."""
    axis = np.asarray(molecule.axis)
    vectors = fields[:, None] * axis + np.array([*molecule.transverse, 0.0])
    chi = susceptibility(molecule.system, temperatures, B_vector=vectors)["chi"]
    tensor = chi.transpose("temperature", ..., "component", "field_component").values
    return np.asarray(np.einsum("tbij,i,j->tb", tensor, axis, axis))


def _ideal_modes(
    molecule: Molecule, around: _Surroundings, temperatures: Floats, fields: Floats
) -> tuple[Floats, Floats]:
    span = (float(fields.min() - _MARGIN), float(fields.max() + _MARGIN))
    frame = molecule_frame(molecule, around.bath, span)
    found = [modes_at(frame, fields, float(T), around.nuclear_width) for T in temperatures]
    return np.array([modes.rate for modes in found]), np.array([modes.weight for modes in found])


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
    chi = mean.rest[..., None] + mean.relaxing
    columns: dict[str, tuple[Any, Any, str, str]] = {
        "chi_real": (places, chi.real, "mu_B/T", "in-phase susceptibility"),
        "chi_imag": (places, -chi.imag, "mu_B/T", "out-of-phase susceptibility"),
        "chi_real_molar": (places, CM3_PER_MOLE * chi.real, "cm3/mol", "in-phase susceptibility"),
        "chi_imag_molar": (places, -CM3_PER_MOLE * chi.imag, "cm3/mol", "out-of-phase susceptibility"),
        "chi_T": (both, mean.rest + mean.isothermal, "mu_B/T", "isothermal susceptibility"),
        "chi_S": (both, mean.rest, "mu_B/T", "adiabatic susceptibility"),
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
