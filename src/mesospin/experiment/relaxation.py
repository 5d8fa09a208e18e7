"""Relaxation of the magnetisation: rate matrix, modes, the path over or through the barrier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from lmfit.models import LinearModel
from numpy.typing import ArrayLike, NDArray

from mesospin.bath.disorder import CUTOFF, Molecule
from mesospin.bath.phonons import phonon_strengths
from mesospin.bath.raman import two_phonon_rates
from mesospin.checks import finite_array, no_shared_dimensions
from mesospin.constants import MU_B
from mesospin.dynamics.branch import bottoms, molecule_frame
from mesospin.dynamics.escape import carrying_crossing
from mesospin.dynamics.frame import Frame
from mesospin.dynamics.rates import rates_at, rates_between
from mesospin.dynamics.reduction import easiest_path, metastable_states, relaxation_modes
from mesospin.dynamics.well_rates import with_lines
from mesospin.errors import InputError
from mesospin.experiment.constant_field import Setting, field_reach, member_rates, setting_of
from mesospin.experiment.ensemble import field_pair
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
from mesospin.spectrum.diabatic import DiabaticPoint, diabatic_point
from mesospin.spectrum.matrices import Array, FieldLine, basis_labels, field_line
from mesospin.spectrum.search import ADIABATIC_GAP, site_slope

#: Emission slower than this part of the fastest leaves a state metastable; the temperature at which
#: nothing is absorbed, in units of the width of the spectrum.
_WELLS, _COLD = 1e-9, 1e-4


def relaxation_rates(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike = 0.0,
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    bath: PhononBath | FromSystem = FROM_SYSTEM,
    dipolar: DipolarBath | FromSystem | None = FROM_SYSTEM,
    disorder: Disorder | FromSystem | None = FROM_SYSTEM,
    nuclear: NuclearBath | None = None,
    raman: DebyeLattice | None = None,
) -> xr.Dataset:
    r"""Return how the magnetisation of a molecule relaxes, from one-phonon and tunnelling rates.

    The master equation :math:`\dot p = Wp` of the diabatic levels has decay rates (its eigenvalues)
    of which the slowest is the relaxation of the magnetisation.  ``tau`` is the inverse of
    that rate averaged over the ensemble of molecules and over their frozen dipolar fields.

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
    transverse : two numbers (Bx, By) [T], default none
        Constant transverse field.
    bath, dipolar, disorder, nuclear
        Surroundings, as for `hysteresis`; the system's by default.
    raman : DebyeLattice, optional
        Debye temperature up to which phonons also scatter in pairs (`raman_rates`); none by default.

    Returns
    -------
    xarray.Dataset
        Averages: ``slowest_rate`` [1/s] and ``tau`` [s] (temperature, field); with three temperatures
        or more ``barrier`` [K], ``prefactor`` [s] and their errors (field), the straight line of
        ln tau against 1/T.  The ideal molecule at exactly the field given: ``energy``
        (field, level) [K], ``moment`` (field, level) [mu_B], ``rate`` (temperature, field,
        level_to, level_from) [1/s], ``eigen_rate`` (temperature, field, mode) [1/s] and
        ``path``, the states on the way of least resistance between the wells: of the most frequent
        molecule, through the resonance that carries most of the averaged rate, where a uniaxial
        molecule has frozen dipolar fields; else of the ideal molecule at exactly that field.

    Raises
    ------
    InputError
        If a temperature is not positive, a field not finite, or no phonon bath is known.

    Notes
    -----
    A spin 1/2 has no quadrupole, so nothing but tunnelling relaxes it here.

    References
    ----------
    .. [1] J. Villain et al., Europhys. Lett. 27, 159 (1994).
    .. [2] M. N. Leuenberger and D. Loss, Phys. Rev. B 61, 1286 (2000).

    Examples
    --------
    >>> from mesospin.model.library import load
    >>> ds = relaxation_rates(load("mn12ac"), [2.8, 3.2, 4.0], dipolar=None, disorder=None)
    >>> ds.path.values[0, 0].split(" > ")[0]
    'm=10'
    """
    check_system(system)
    no_shared_dimensions(T=T, B=B)
    temperatures = np.atleast_1d(finite_array("T", T))
    if temperatures.ndim != 1 or not np.all(temperatures > 0):
        msg = f"T must be one or several temperatures > 0 [K], got {temperatures.tolist()}"
        raise InputError(msg)
    fields = np.atleast_1d(finite_array("B", B))
    if fields.ndim != 1:
        msg = f"B must be a number or 1-D [T], got shape {fields.shape}"
        raise InputError(msg)
    lateral = field_pair(transverse)
    around = setting_of(
        system, axis=axis, transverse=lateral, powder=None, bath=bath, dipolar=dipolar,
        disorder=disorder, nuclear=nuclear, raman=raman,
    )  # fmt: skip
    window, width, members = around.nuclear_width, around.width, around.members
    frames = [_frame(molecule, around.bath, fields, width, window) for molecule in members]
    slowest = sum(
        molecule.weight
        * np.array([member_rates(molecule, frame, around, fields, float(T)) for T in temperatures])
        for molecule, frame in zip(members, frames, strict=True)
    )
    line = field_line(system, axis=axis, transverse=transverse)
    local = [_local(system, line, float(field), around, temperatures) for field in fields]
    common = frames[int(np.argmax([molecule.weight for molecule in members]))]
    if width > 0.0 and not np.isfinite(common.window):
        local = [
            each._replace(
                path=[_mean_path(system, common, float(B), float(T), width, window) for T in temperatures]
            )
            for each, B in zip(local, fields, strict=True)
        ]
    inputs = {"T": temperatures, "B": fields, **around.inputs}
    inputs.pop("powder")
    return _dataset(system, temperatures, fields, np.asarray(slowest), local, inputs)


def _frame(
    molecule: Molecule, bath: PhononBath | None, fields: NDArray[np.float64], width: float, window: float
) -> Frame:
    return molecule_frame(molecule, bath, field_reach(molecule, fields, width + 0.05 / CUTOFF, window))


def _mean_path(system: SpinSystem, frame: Frame, B: float, T: float, width: float, window: float) -> str:
    """Return the way of least resistance through the resonance that carries the averaged rate."""
    wells = bottoms(frame)
    if len(wells) != 2:
        return ""
    carrier = carrying_crossing(frame, B, T, width, window)
    only = np.array([] if carrier is None else [carrier], dtype=np.int64)
    field = B if carrier is None else float(frame.crossings.field[carrier])
    R = rates_at(with_lines(frame, only), field, T, window)
    energy = np.array([np.interp(field, frame.field, level) for level in frame.energy.T])
    names = basis_labels(system)  # the states of a uniaxial frame are the basis states
    return " > ".join(names[k] for k in easiest_path(R, energy, T, int(wells[0]), int(wells[1])))


class _Local(NamedTuple):
    """The ideal molecule at one field: levels, and its rates at every temperature."""

    energy: NDArray[np.float64]
    moment: NDArray[np.float64]
    rate: NDArray[np.float64]
    modes: NDArray[np.float64]
    path: list[str]


def _local(
    system: SpinSystem,
    line: FieldLine,
    B: float,
    around: Setting,
    temperatures: NDArray[np.float64],
) -> _Local:
    bath = around.bath
    point = diabatic_point(line, B, adiabatic_gap=ADIABATIC_GAP, site_slope=site_slope(system))
    n = len(point.energy)
    strength = phonon_strengths(system, bath, point.states) if bath else np.zeros((n, n))
    rates = [rates_between(point, strength, T, around.nuclear_width) for T in temperatures]
    if around.raman is not None and bath is not None:
        levels = (around.raman.theta, point.energy, point.states)
        rates = [
            R + np.maximum(two_phonon_rates(system, bath, *levels, float(T), n), 0.0)
            for R, T in zip(rates, temperatures, strict=True)
        ]
    modes = [relaxation_modes(R, point.energy, T) for R, T in zip(rates, temperatures, strict=True)]
    wells = _wells(point, strength)
    paths = [_path(system, point, R, float(T), wells) for R, T in zip(rates, temperatures, strict=True)]
    # published rate matrices act on columns: rate[to, from]
    return _Local(
        point.energy,
        -point.slope / MU_B,
        np.array(rates).transpose(0, 2, 1),
        np.array(modes),
        paths,
    )


def _wells(point: DiabaticPoint, strength: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the two lowest states that spontaneous emission does not leave, larger slope first."""
    alone = point._replace(coupling=np.zeros_like(point.coupling))
    R = rates_between(alone, strength, _COLD * float(np.ptp(point.energy)))
    kept = metastable_states(R, _WELLS * float(R.max()))
    lowest = kept[np.argsort(point.energy[kept], kind="stable")][:2]
    return lowest[np.argsort(-point.slope[lowest], kind="stable")]


def _path(
    system: SpinSystem,
    point: DiabaticPoint,
    R: NDArray[np.float64],
    T: float,
    wells: NDArray[np.int64],
) -> str:
    """Return the states between the bottoms of the two wells, in words; empty for a single well."""
    if len(wells) < 2:
        return ""
    names = [_name(system, point.states, k) for k in range(len(R))]
    path = easiest_path(R, point.energy, T, int(wells[0]), int(wells[1]))
    return " > ".join(names[k] for k in path)


def _name(system: SpinSystem, states: Array, k: int) -> str:
    weight = np.abs(states[:, k]) ** 2
    best = int(np.argmax(weight))
    return basis_labels(system)[best] if weight[best] > 0.5 else f"level {k}"


def _arrhenius(temperatures: NDArray[np.float64], tau: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return barrier [K], prefactor [s] and their standard errors of ln tau = ln tau0 + U/T."""
    model = LinearModel()
    x, y = 1 / temperatures, np.log(tau)
    fit = model.fit(y, model.guess(y, x=x), x=x)
    slope, intercept = fit.params["slope"], fit.params["intercept"]
    tau0 = float(np.exp(intercept.value))
    errors = (slope.stderr or 0.0, tau0 * (intercept.stderr or 0.0))
    return np.array([slope.value, tau0, *errors])


def _dataset(
    system: SpinSystem,
    temperatures: NDArray[np.float64],
    fields: NDArray[np.float64],
    slowest: NDArray[np.float64],
    local: list[_Local],
    inputs: dict[str, Any],
) -> xr.Dataset:
    both = ("temperature", "field")
    with np.errstate(divide="ignore"):
        tau = 1 / slowest
    entries: dict[str, tuple[Any, Any, str, str]] = {
        "slowest_rate": (both, slowest, "1/s", "mean slowest relaxation rate"),
        "tau": (both, tau, "s", "relaxation time"),
        "energy": (("field", "level"), np.array([x.energy for x in local]), "K", "energy"),
        "moment": (("field", "level"), np.array([x.moment for x in local]), "mu_B", "moment along the field"),
        "rate": (
            (*both, "level_to", "level_from"),
            np.array([x.rate for x in local]).swapaxes(0, 1),
            "1/s",
            "rate between diabatic levels",
        ),
        "eigen_rate": (
            (*both, "mode"), np.array([x.modes for x in local]).swapaxes(0, 1), "1/s", "decay rate of a mode",
        ),
        "path": (both, np.array([x.path for x in local]).T, "1", "path of least resistance"),
    }  # fmt: skip
    if len(temperatures) >= 3 and np.all(np.isfinite(tau)):
        lines = np.array([_arrhenius(temperatures, column) for column in tau.T]).T
        names = (
            ("barrier", "K", "effective barrier"),
            ("prefactor", "s", "Arrhenius prefactor"),
            ("barrier_error", "K", "standard error of the barrier"),
            ("prefactor_error", "s", "standard error of the prefactor"),
        )
        for (name, unit, text), values in zip(names, lines, strict=True):
            entries[name] = ("field", values, unit, text)
    coords = {
        "temperature": variable("temperature", temperatures, "K", "temperature"),
        "field": variable("field", fields, "T", "field"),
    }
    variables = {name: variable(*entry) for name, entry in entries.items()}
    return result("relaxation", system, variables, coords, inputs)
