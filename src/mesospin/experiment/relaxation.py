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
from mesospin.checks import finite_array
from mesospin.constants import MU_B
from mesospin.dynamics.branch import molecule_frame
from mesospin.dynamics.escape import mean_slow_rates
from mesospin.dynamics.rates import rates_between
from mesospin.dynamics.reduction import easiest_path, metastable_states, relaxation_modes
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
from mesospin.model.system import SpinSystem
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

    Returns
    -------
    xarray.Dataset
        Averages: ``slowest_rate`` [1/s] and ``tau`` [s] (temperature, field); with three temperatures
        or more ``barrier`` [K], ``prefactor`` [s] and their errors (field), the straight line of
        ln tau against 1/T.  The ideal molecule at exactly the field given: ``energy``
        (field, level) [K], ``moment`` (field, level) [mu_B], ``rate`` (temperature, field,
        level_to, level_from) [1/s], ``eigen_rate`` (temperature, field, mode) [1/s] and
        ``path``, the states on the way of least resistance between the wells.

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
    temperatures = np.atleast_1d(finite_array("T", T))
    if temperatures.ndim != 1 or not np.all(temperatures > 0):
        msg = f"T must be one or several temperatures > 0 [K], got {temperatures.tolist()}"
        raise InputError(msg)
    fields = np.atleast_1d(finite_array("B", B))
    if fields.ndim != 1:
        msg = f"B must be a number or 1-D [T], got shape {fields.shape}"
        raise InputError(msg)
    lateral = field_pair(transverse)
    phonons = phonon_bath(system, bath)
    frozen = chosen(dipolar, system.defaults.dipolar)
    ensemble_of = chosen(disorder, system.defaults.disorder)
    window = nuclear.width if nuclear else 0.0
    slowest = sum(
        molecule.weight
        * _molecule_rates(molecule, phonons, temperatures, fields, frozen.width if frozen else 0.0, window)
        for molecule in ensemble(system, ensemble_of, axis=axis, transverse=lateral)
    )
    line = field_line(system, axis=axis, transverse=transverse)
    local = [_local(system, line, float(field), phonons, temperatures, window) for field in fields]
    used = written(bath=phonons, dipolar=frozen, disorder=ensemble_of, nuclear=nuclear)
    inputs = {"T": temperatures, "B": fields, "axis": list(axis), "transverse": lateral, **used}
    return _dataset(system, temperatures, fields, np.asarray(slowest), local, inputs)


def _molecule_rates(
    molecule: Molecule,
    bath: PhononBath | None,
    temperatures: NDArray[np.float64],
    fields: NDArray[np.float64],
    width: float,
    window: float,
) -> NDArray[np.float64]:
    margin = CUTOFF * width + 0.05
    frame = molecule_frame(molecule, bath, (fields.min() - margin, fields.max() + margin))
    return np.array([mean_slow_rates(frame, fields, T, width, window) for T in temperatures])


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
    bath: PhononBath | None,
    temperatures: NDArray[np.float64],
    window: float,
) -> _Local:
    point = diabatic_point(line, B, adiabatic_gap=ADIABATIC_GAP, site_slope=site_slope(system))
    n = len(point.energy)
    strength = phonon_strengths(system, bath, point.states) if bath else np.zeros((n, n))
    rates = [rates_between(point, strength, T, window) for T in temperatures]
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
