"""One fit of a Hamiltonian to data of any kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.checks import finite, instance_of, integer, positive
from mesospin.errors import ConvergenceError, InputError
from mesospin.measured.data import Data
from mesospin.measured.hamiltonian.curves import fitted_curves
from mesospin.measured.hamiltonian.fitted import EXTRA, fitted_system
from mesospin.measured.hamiltonian.objective import Bounds, Objective, natural_sizes, parameter_table
from mesospin.measured.hamiltonian.outcome import Outcome, outcome_of
from mesospin.measured.hamiltonian.parameters import Family, family
from mesospin.measured.hamiltonian.prediction import model_of
from mesospin.measured.hamiltonian.search import FINAL, Arrival, best_of, starting_tables
from mesospin.measured.hamiltonian.valley import followed
from mesospin.measured.hamiltonian.verdict import fit_dataset
from mesospin.model.molecule_text import write_molecule
from mesospin.model.system import SpinSystem, check_system
from mesospin.scale import Progress
from mesospin.thermo.molecular_field import MeanField

Floats = NDArray[np.float64]


def fit_hamiltonian(
    data: Data | Sequence[Data],
    system: SpinSystem,
    vary: Sequence[str],
    *,
    bounds: Bounds | None = None,
    tie: Mapping[str, str] | None = None,
    mean_field: MeanField | None = None,
    tip: float = 0.0,
    starts: int = 4,
    spread: float = 0.3,
    seed: int = 0,
    max_evaluations: int = 400,
    progress: Progress | None = None,
) -> xr.Dataset:
    r"""Fit the numbers of a Hamiltonian to all data together.

    .. math:: \chi^2(p) = \sum_s w_s\sum_{i\in s}\Bigl(\frac{y_i(p) - y_i}{\sigma_i}\Bigr)^2

    is made small by a trust-region least-squares method within bounds, with exact derivatives:
    those of levels are :math:`\langle\partial H/\partial p\rangle`, those of thermal averages follow from
    perturbation theory (`sensitivities`).  The standard deviations are those of the linearised problem,
    from the given sigma; they are not scaled with the residuals.  Minima are searched with fewer
    directions of a powder, whose residuals are corrected to those of all of them, and finished with
    all; a start that leads to more than twice the best chi2 is not finished.

    Parameters
    ----------
    data : SusceptibilityData, MagnetisationData, HeatCapacityData, ResonanceData, LevelData, or several
        Measured points.  With several sets every one needs its sigma.
    system : SpinSystem
        The Hamiltonian, whose numbers are the values to start from; a term to be fitted must be there,
        with the value 0 if need be.
    vary : sequence of str
        What is fitted: names of `parameters_of` (``D``, ``E``, ``B40``, ``J``, ``g``, ``gx``, ...), and
        ``zJ`` (with ``mean_field``) and ``tip`` [cm3/mol].
    bounds : mapping of str to (low, high), optional
        In the unit of the parameter, or texts with units; None for no bound.  A value of the system that
        is not between them starts inside, and the verdict says so.
    tie : mapping of str to str, optional
        Parameters that follow from the varied ones: ``{"gy": "gx"}``.
    mean_field : MeanField, optional
        Coupling to the neighbours, with the zJ to start from.
    tip : float, default 0 [cm3/mol]
        Temperature-independent susceptibility.
    starts : int, default 4
        How many times the fit is begun: from the system's values, then from values drawn around them.
    spread : float, default 0.3
        Width of that draw, in parts of the values.
    seed : int, default 0
    max_evaluations : int, default 400
        After which a start is given up.
    progress : callable, optional
        Called as ``progress(done, total)`` after every start.

    Returns
    -------
    xarray.Dataset
        ``value``, ``error``, ``initial`` (parameter), ``correlation`` (parameter, other_parameter),
        ``determined`` (parameter; False where no error bar exists); ``measured``, ``fitted``, ``sigma`` and
        ``residual`` [sigma] (point) with ``data_set``, ``temperature`` and ``field``; ``set_chi2`` and
        ``set_points`` (set); ``chi2``, ``reduced_chi2``, ``p_value``; ``start_chi2`` (start) and
        ``start_value`` (start, parameter).  The attribute ``verdict`` says in words
        what the data do and do not determine.  ``curve`` (curve_point), with ``curve_set``,
        ``curve_temperature`` and ``curve_field``, is the fit between the points.

    Raises
    ------
    InputError
        If a name is unknown, there are fewer points than free parameters, sigma is missing, or an
        argument breaks its condition.
    ConvergenceError
        If no start converged, or the best fit lies on a bound; its diagnostics hold the values
        that were reached.

    References
    ----------
    - M. A. Branch, T. F. Coleman and Y. Li, SIAM J. Sci. Comput. 21, 1 (1999).

    Examples
    --------
    >>> from mesospin.measured.spectral_data import LevelData
    >>> from mesospin.model.system import giant_spin
    >>> levels = LevelData([0.6, 3.3], sigma=0.01)
    >>> fit = fit_hamiltonian(levels, giant_spin(1, D=-2.0, E=0.2), vary=["D", "E"], starts=1)
    >>> fit.value.values.round(3), fit.error.values.round(4)
    (array([-3. ,  0.3]), array([0.0112, 0.005 ]))
    """
    sets = _read_sets(data)
    check_system(system)
    numbers = [
        integer("starts", starts, at_least=1),
        integer("max_evaluations", max_evaluations, at_least=10),
    ]
    objective = _objective(sets, system, vary, bounds, tie, mean_field, finite("tip", tip, "cm3/mol"))
    _check_count(sets, objective)
    tables = starting_tables(objective, numbers[0], positive("spread", spread), integer("seed", seed))
    best, reached = best_of(objective, tables, numbers[1], progress or _silent)
    known_sigma = sets[0].sigma is not None
    final, arrived = followed(objective, best, numbers[1], known_sigma=known_sigma)
    if final is not best:
        lowest = Arrival(objective.chi2(final), final, FINAL)
        reached = [lowest if entry is not None and entry.table is best else entry for entry in reached]
    outcome = outcome_of(objective, final, reached, known_sigma=known_sigma, arrived=arrived)
    _check_answer(outcome)
    inputs = {
        "vary": list(vary),
        "bounds": {name: list(limits) for name, limits in (bounds or {}).items()},
        "tie": dict(tie or {}),
        "mean_field": None if mean_field is None else repr(mean_field),
        "tip": tip,
        "starts": starts,
        "spread": spread,
        "seed": seed,
    }
    fit = fit_dataset(outcome, system, inputs)
    fit = fit.merge(fitted_curves(objective, final, [str(label) for label in fit["set"].values]))
    try:
        molecule = write_molecule(fitted_system(fit, system))
    except InputError:  # a term of another kind
        molecule = ""
    return fit.assign_attrs(molecule=molecule)


def _read_sets(data: Data | Sequence[Data]) -> tuple[Data, ...]:
    if isinstance(data, str | Path):
        raise InputError(f"data must be data sets, got {str(data)!r}; read the file with read_data")
    sets = (data,) if isinstance(data, Data) else tuple(data)
    if not sets:
        raise InputError("data must be one or several data sets, got none; give SusceptibilityData(...)")
    for entry in sets:
        instance_of("data", entry, Data, hint="give SusceptibilityData(...) or a sequence of such sets")
    missing = [entry.label for entry in sets if entry.sigma is None]
    if missing and len(sets) > 1:
        raise InputError(
            f"sigma must be given for every one of several data sets, got none for {', '.join(missing)}; "
            "without it nobody knows how they weigh against each other"
        )
    return sets


def _objective(
    sets: tuple[Data, ...],
    system: SpinSystem,
    vary: Sequence[str],
    bounds: Bounds | None,
    tie: Mapping[str, str] | None,
    mean_field: MeanField | None,
    tip: float,
) -> Objective:
    if isinstance(vary, str) or not vary:
        raise InputError(f"vary must be a sequence of names, got {vary!r}; write for example ['D', 'g']")
    wanted = [*vary, *(name for name in (tie or {}) if name not in vary)]
    if len(set(wanted)) < len(wanted):
        raise InputError(f"vary must name every parameter once, got {list(vary)}; drop one")
    if mean_field is not None:
        instance_of("mean_field", mean_field, MeanField, hint="write MeanField(zJ, g)")
        if mean_field.crystallites:
            raise InputError(
                "mean_field of a fit must act by the average moment of a powder, got crystallites=True; "
                "leave it out"
            )
    elif "zJ" in wanted:
        raise InputError(
            "zJ must have a mean field to belong to, got none; give mean_field=MeanField(0.0, g)"
        )
    members = family(system, [name for name in wanted if name not in EXTRA])
    names = (*(entry.name for entry in members.parameters), *EXTRA)
    start = _start_values(members, mean_field, tip)
    units = dict(zip(names, [*(entry.unit for entry in members.parameters), *EXTRA.values()], strict=True))
    by_name = dict(zip(names, start, strict=True))
    # a name may have been given with its sites though it is unique without them
    given = iter(names)
    used = [name if name in EXTRA else next(given) for name in wanted]
    renamed = dict(zip(wanted, used, strict=True))
    table = parameter_table(
        used,
        [by_name[name] for name in used],
        [units[name] for name in used],
        {renamed.get(name, name): limits for name, limits in (bounds or {}).items()},
        {renamed[name]: expression for name, expression in (tie or {}).items()},
        sizes=natural_sizes(members, names, start),
    )
    generic = members.generic_system()
    models = tuple(model_of(entry, members, generic, coupled=mean_field is not None) for entry in sets)
    sigma = [_known_or_scale(entry) for entry in sets]
    g = 2.0 if mean_field is None else mean_field.g
    return Objective(members, models, names, start, table, g, mean_field is not None, sigma)


def _start_values(members: Family, mean_field: MeanField | None, tip: float) -> Floats:
    own = [entry.value(members.system) for entry in members.parameters]
    return np.array([*own, 0.0 if mean_field is None else mean_field.zJ, tip])


def _known_or_scale(data: Data) -> Floats:
    """Return sigma, or the size of the values, with which the errors are later scaled to the scatter."""
    if data.sigma is not None:
        return data.sigma
    size = float(np.sqrt(np.mean(data.values**2)))
    return np.full(len(data.values), size if size > 0.0 else 1.0)


def _check_count(sets: tuple[Data, ...], objective: Objective) -> None:
    points, free = sum(len(entry.values) for entry in sets), len(objective.free)
    needed = free + (sets[0].sigma is None)
    if points < needed:
        extra = ", and one more for the unknown sigma" if needed > free else ""
        raise InputError(
            f"data must have at least as many points as free parameters ({free}{extra}), got {points}; "
            "fix or tie parameters, or measure more"
        )


def _silent(done: int, total: int) -> None:
    """Report to nobody."""


def _check_answer(outcome: Outcome) -> None:
    reached = {name: float(value) for name, value in zip(outcome.names, outcome.value, strict=True)}
    diagnostics = {"values": reached, "chi2": outcome.chi2, "bounds": list(outcome.on_bound)}
    where = ", ".join(f"{name} = {value:.6g}" for name, value in reached.items())
    if outcome.on_bound:
        raise ConvergenceError(
            f"the best fit lies on the bound of {', '.join(outcome.on_bound)} ({where}), so it is no "
            "minimum; widen the bound or fix the parameter there",
            diagnostics,
        )
    if outcome.falling:
        names = ", ".join(dict.fromkeys(name for direction in outcome.falling for name in direction))
        raise ConvergenceError(
            f"the fit rests where chi2 has no slope in {names} but is no minimum ({where}); start from other "
            "values or take more starts",
            diagnostics,
        )
    if not outcome.at_minimum:
        raise ConvergenceError(
            f"the fit stopped before its minimum (at {where} a step would still lower chi2 by "
            f"{outcome.decrease:.2g}); start closer or raise max_evaluations",
            diagnostics,
        )
