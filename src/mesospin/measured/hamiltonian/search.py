"""From where a fit begins, and the best of the minima to which that leads.

Most of the work of a fit is the average over the directions of powders.  The search takes a rule with few of
them, corrected so that residuals and derivatives are those of all directions at the last point (Alexandrov
and Lewis, Optim. Eng. 2, 413 (2001)); its minimum, corrected anew, is soon the one of all directions.
"""

from __future__ import annotations

from typing import NamedTuple

import lmfit
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from mesospin.errors import ConvergenceError
from mesospin.measured.hamiltonian.objective import Objective
from mesospin.measured.spectral_data import ResonanceData
from mesospin.scale import Progress

Floats = NDArray[np.float64]

_ROUNDS = 6
#: Relative decrease of chi2 at which a search with few directions ends, the correction made anew each time.
_ROUGH = (1e-1, 1e-3, 1e-6)
#: Relative decrease of the chi2 of all directions below which it is not corrected again.
_GAIN = 1e-2
#: Relative decrease at which the fit with all directions ends, from every start and from the best.
_FULL, FINAL = 1e-4, 1e-9
#: Evaluations of a search with few directions, after which it is corrected anew.
_SHORT = 12
#: Times the best chi2 above which a minimum found with few directions is not looked at with all.
_HOPELESS = 2.0
#: Relative excess of chi2 below which another minimum is as good as the best.
_SAME = 1e-5


class Arrival(NamedTuple):
    """Where a start leads: chi2, the parameters there, and the tolerance within which it is a minimum.

    The tolerance is infinite where the search has not come to an end.
    """

    chi2: float
    table: lmfit.Parameters
    tolerance: float

    @property
    def settled(self) -> bool:
        """Whether it is a minimum."""
        return bool(np.isfinite(self.tolerance))


def starting_tables(objective: Objective, starts: int, spread: float, seed: int) -> list[lmfit.Parameters]:
    """Return the given start and others drawn around it, ever wider."""
    generator = np.random.default_rng(seed)
    scales = objective.sizes()
    tables = [objective.table.copy()]
    for index in range(1, starts):
        table = objective.table.copy()
        for name in objective.free:
            entry = table[name]
            width = spread * (1 + (index - 1) % 3) * scales[name]
            value = entry.value + width * generator.standard_normal()
            low = entry.min + 1e-3 * (entry.value - entry.min) if np.isfinite(entry.min) else -np.inf
            high = entry.max - 1e-3 * (entry.max - entry.value) if np.isfinite(entry.max) else np.inf
            entry.value = float(np.clip(value, low, high))
        table.update_constraints()
        tables.append(table)
    return tables


def best_of(
    objective: Objective, tables: list[lmfit.Parameters], evaluations: int, progress: Progress
) -> tuple[lmfit.Parameters, list[Arrival | None]]:
    """Return the best of the minima from all starts, and where each of them arrived.

    Raises
    ------
    ConvergenceError
        If no start led to a minimum, or uncertainties that depend on the parameters did not settle.
    """
    uncertain = any(
        isinstance(model.data, ResonanceData) and model.data.sigma_field is not None
        for model in objective.models
    )
    best: lmfit.Parameters | None = None
    for _ in range(_ROUNDS):
        if uncertain:
            objective.reweigh(tables[0] if best is None else best)
        found = _arrivals(objective, tables, evaluations, progress)
        settled = [arrival for arrival in found if arrival is not None and arrival.settled]
        if not settled:
            raise ConvergenceError(
                f"the fit did not converge from any of {len(tables)} starts within {evaluations} "
                "evaluations; start closer, bound or fix parameters",
                {"starts": len(tables)},
            )
        first = min(settled, key=lambda arrival: arrival.chi2)
        final = first
        if first.tolerance > FINAL:
            final = minimised(objective, first.table, evaluations, FINAL) or first
        best = final.table
        if not uncertain or not objective.reweigh(best):
            return best, [final if arrival is first else arrival for arrival in found]
        tables = [best, *tables[1:]]
    raise ConvergenceError(
        f"the uncertainties that sigma_field gives to the lines did not settle in {_ROUNDS} rounds; give "
        "levels for every line, or sigma in GHz"
    )


def _arrivals(
    objective: Objective, tables: list[lmfit.Parameters], evaluations: int, progress: Progress
) -> list[Arrival | None]:
    """Return where every start leads, the most promising ones first with all directions."""
    searched: list[Arrival | None] = []
    for table in tables:
        progress(len(searched), len(tables))
        known = min((other.chi2 for other in searched if other is not None), default=np.inf)
        searched.append(_searched(objective, table, known))
    found: list[Arrival | None] = [None] * len(tables)
    best = np.inf
    for index in sorted(range(len(tables)), key=lambda k: _chi2(searched[k])):
        arrival = searched[index]
        if arrival is None or not _is_enough(arrival, best):
            start = tables[index] if arrival is None else arrival.table
            arrival = minimised(objective, start, evaluations, _FULL if np.isfinite(best) else FINAL)
        if arrival is not None and arrival.settled:
            best = min(best, arrival.chi2)
        found[index] = arrival
    return found


def _chi2(arrival: Arrival | None) -> float:
    return np.inf if arrival is None else arrival.chi2


def _is_enough(arrival: Arrival, best: float) -> bool:
    """Return whether a start need not be followed with all directions: hopeless, or as good as the best."""
    return arrival.chi2 > _HOPELESS * best or (arrival.settled and arrival.chi2 <= (1.0 + _SAME) * best)


def _searched(objective: Objective, table: lmfit.Parameters, known: float) -> Arrival | None:
    """Return where a start leads with few directions; chi2 is that of all of them.

    ``known`` is the best chi2 to which other starts have led.  None where there is nothing to leave out, or
    the model has no answer.
    """
    here = Arrival(objective.chi2(table), table, np.inf)
    for number, tolerance in enumerate(_ROUGH):
        rough = objective.rough(here.table) if np.isfinite(here.chi2) else None
        found = None if rough is None else minimised(rough, here.table, _SHORT, tolerance)
        if found is None:
            return here if number else None
        chi2 = objective.chi2(found.table)
        gained = here.chi2 - chi2
        if gained > 0.0:
            here = Arrival(chi2, found.table, found.tolerance)
        if (found.settled and gained < _GAIN * chi2) or (number and here.chi2 > _HOPELESS * known):
            break
    return here


def minimised(
    objective: Objective, table: lmfit.Parameters, evaluations: int, tolerance: float
) -> Arrival | None:
    """Return the minimum next to a start, None where the model has no answer on the way."""
    moving = table.copy()
    names = objective.free

    def placed(x: Floats) -> lmfit.Parameters:
        for name, value in zip(names, x, strict=True):
            moving[name].value = value
        moving.update_constraints()
        return moving

    def residuals(x: Floats) -> Floats:
        return objective.residuals(placed(x))

    def jacobian(x: Floats) -> Floats:
        return objective.jacobian(placed(x))

    # not by way of lmfit, whose correlations are 0/0 where the model meets every point
    try:
        fit = least_squares(
            residuals,
            [table[name].value for name in names],
            jac=jacobian,
            bounds=([table[name].min for name in names], [table[name].max for name in names]),
            x_scale="jac",
            ftol=tolerance,
            xtol=1e-9,
            gtol=1e-9,
            max_nfev=evaluations,
        )
    except (ConvergenceError, np.linalg.LinAlgError):
        return None
    return Arrival(2.0 * float(fit.cost), placed(fit.x).copy(), tolerance if fit.success else np.inf)
