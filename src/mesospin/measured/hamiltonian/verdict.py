"""A fit as a dataset, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.measured.hamiltonian.outcome import Outcome
from mesospin.model.system import SpinSystem
from mesospin.results import result, variable

Floats = NDArray[np.float64]

#: Correlation from which two parameters are called exchangeable.
CORRELATED = 0.95
#: Chance of a larger chi2 below which the model does not describe the data.
_UNLIKELY = 1e-3
_POWDER = 0.3
#: Excess of chi2, in parts of the reduced one, below which a start has reached the best minimum.
_REACHED = 0.02


def fit_dataset(outcome: Outcome, system: SpinSystem, inputs: Mapping[str, Any]) -> xr.Dataset:
    """Return the dataset of a fit."""
    units = _units(outcome)
    labels = _labels(outcome)
    sets = [model.data for model in outcome.objective.models]
    lengths = [len(entry.values) for entry in sets]
    point, parameter = ("point",), ("parameter",)
    table = outcome.objective.table
    variables = {
        "value": variable(parameter, outcome.value, "see unit", "fitted value"),
        "error": variable(parameter, outcome.error, "see unit", "standard deviation"),
        "initial": variable(parameter, outcome.initial, "see unit", "value at the first start"),
        "lower": variable(parameter, [table[n].min for n in outcome.names], "see unit", "lower bound"),
        "upper": variable(parameter, [table[n].max for n in outcome.names], "see unit", "upper bound"),
        "unit": variable(parameter, units, "1", "unit"),
        "tied": variable(parameter, np.array(outcome.tied), "1", "whether it follows from the others"),
        "determined": variable(parameter, np.isfinite(outcome.error), "1", "whether the data determine it"),
        "correlation": variable(("parameter", "other_parameter"), outcome.correlation, "1", "correlation"),
        "measured": variable(point, np.concatenate([s.values for s in sets]), "see set_unit", "measured"),
        "fitted": variable(point, np.concatenate(outcome.predicted), "see set_unit", "fitted"),
        "sigma": variable(point, np.concatenate(outcome.sigma), "see set_unit", "standard deviation"),
        "residual": variable(point, np.concatenate(outcome.residuals), "1", "(fitted - measured)/sigma"),
        "set_chi2": variable("set", [float(r @ r) for r in outcome.residuals], "1", "sum of squares"),
        "set_points": variable("set", lengths, "1", "number of points"),
        "set_unit": variable("set", [entry.unit for entry in sets], "1", "unit of the values"),
        "set_quantity": variable("set", [entry.quantity for entry in sets], "1", "quantity"),
        "chi2": variable((), outcome.chi2, "1", "sum of squares, weighted"),
        "reduced_chi2": variable((), _reduced(outcome), "1", "sum of squares per degree of freedom"),
        "degrees_of_freedom": variable((), outcome.freedom, "1", "points minus free parameters"),
        "p_value": variable((), outcome.p_value, "1", "chance of a larger sum of squares"),
        "start_chi2": variable("start", outcome.start_chi2, "1", "sum of squares reached from a start"),
        "start_value": variable(("start", "parameter"), outcome.start_value, "see unit", "value reached"),
    }
    coords = {
        "parameter": list(outcome.names),
        "other_parameter": list(outcome.names),
        "set": labels,
        "data_set": variable(point, np.repeat(labels, lengths), "1", "data set"),
        "temperature": variable(point, np.concatenate([s.temperatures for s in sets]), "K", "temperature"),
        "field": variable(point, np.concatenate([s.fields for s in sets]), "T", "field"),
    }
    return result("fit", system, variables, coords, inputs).assign_attrs(verdict=verdict(outcome))


def verdict(outcome: Outcome) -> str:
    """Return what the data determine and what they do not, one sentence a line."""
    lines = [_quality(outcome)]
    lines += [
        f"{name} = {_with_error(value, error)} {'' if unit == '1' else unit}".rstrip()
        + (" (tied)" if tied else "")
        for name, value, error, unit, tied in zip(
            outcome.names, outcome.value, outcome.error, _units(outcome), outcome.tied, strict=True
        )
    ]
    lines += _moved_starts(outcome)
    lines += _open_questions(outcome) or ["Every parameter is determined on its own."]
    return "\n".join(lines)


def _moved_starts(outcome: Outcome) -> list[str]:
    """Return which parameters began elsewhere than the system has them, whose values bounds exclude."""
    given = dict(zip(outcome.objective.names, outcome.objective.start, strict=True))
    units = dict(zip(outcome.names, _units(outcome), strict=True))
    lines = []
    for name in outcome.objective.free:
        entry = outcome.objective.table[name]
        if entry.value != given[name]:
            text = f"{given[name]:.6g} {'' if units[name] == '1' else units[name]}".rstrip()
            lines.append(
                f"{name} of the system, {text}, is not inside its bounds ({entry.min:g}, {entry.max:g}); it "
                f"started at {entry.value:.6g}."
            )
    return lines


def _open_questions(outcome: Outcome) -> list[str]:
    lines = _without_slope(outcome)
    for rival in outcome.rivals:
        values = ", ".join(f"{name} = {value:.6g}" for name, value in rival.items())
        lines.append(f"AMBIGUOUS: another minimum fits as well: {values}.")
    n = len(outcome.names)
    free = [k for k in range(n) if not outcome.tied[k]]
    for i in free:
        for j in free:
            rho = outcome.correlation[i, j]
            if i < j and abs(rho) > CORRELATED:
                lines.append(
                    f"CORRELATED: {outcome.names[i]} and {outcome.names[j]} ({rho:+.4f}); the data fix a "
                    "combination of them better than each."
                )
    lines += _held_together(outcome, free)
    rough = [name for name in outcome.valley if name not in (outcome.held.squares | outcome.held.others)]
    if rough:
        lines.append(
            f"CORRELATED: {', '.join(rough)} lie in a curved valley of chi2: a linear step along it promises "
            f"{outcome.decrease:.2g} less, but chi2 does not fall, so their errors are rough."
        )
    for k in free:
        if np.isfinite(outcome.error[k]) and outcome.error[k] > abs(outcome.value[k]):
            lines.append(f"{outcome.names[k]} is zero within its error.")
    if outcome.powder_error > _POWDER:
        lines.append(
            f"A powder of a third of the directions gives values up to {outcome.powder_error:.2g} sigma "
            "away; take more directions until it does not."
        )
    return lines


def _held_together(outcome: Outcome, free: list[int]) -> list[str]:
    """Return which parameters are correlated with several others though with none of them strongly."""
    lines = []
    for k in free:
        error, alone = outcome.error[k], outcome.alone[k]
        others = [j for j in free if j != k and np.isfinite(outcome.correlation[k, j])]
        rho = np.array([abs(outcome.correlation[k, j]) for j in others])
        second = outcome.names[k] in outcome.held.others
        together = np.isfinite(error) and not second and error > alone / np.sqrt(1.0 - CORRELATED**2)
        if together and len(others) > 1 and rho.max() <= CORRELATED:
            most = [
                outcome.names[others[j]] for j in np.argsort(-rho, kind="stable") if rho[j] >= 0.5 * rho.max()
            ]
            lines.append(
                f"CORRELATED: {outcome.names[k]} with {', '.join(most)} together; its error is "
                f"{error / alone:.2g} times the one that it had if all others were known."
            )
    return lines


def _without_slope(outcome: Outcome) -> list[str]:
    """Return what changes nothing, or only in second order."""
    lines = [
        f"NOT DETERMINED to first order: {name} acts only as its square; chi2 rises by one unit when it "
        f"alone moves by {length:.2g}."
        for name, length in outcome.held.squares.items()
    ]
    lines += [
        f"CORRELATED: {name} with others, which undo its effect to first order; its error is the step at "
        "which chi2, all others fitted anew, has risen by one unit."
        for name in outcome.held.others
    ]
    for direction in outcome.singular:
        names = list(direction)
        if len(names) > 1:
            mix = ", ".join(f"{part:+.3g} in {name}" for name, part in direction.items())
            lines.append(f"NOT DETERMINED: the combination {mix} changes nothing in these data.")
        elif names[0] not in outcome.held.squares:
            lines.append(f"NOT DETERMINED: {names[0]} changes nothing in these data.")
    return lines


def _quality(outcome: Outcome) -> str:
    points = outcome.freedom + sum(not tied for tied in outcome.tied)
    head = f"{points} points, {points - outcome.freedom} free parameters"
    reduced = _reduced(outcome) if outcome.freedom else 0.0
    agreed = np.sum(outcome.start_chi2 <= outcome.chi2 + _REACHED * max(reduced, 1e-12))
    starts = f"; {agreed} of {len(outcome.start_chi2)} starts reached this minimum"
    if not outcome.known_sigma:
        return f"{head}; sigma is not known, so errors are scaled to the scatter of the residuals{starts}."
    text = f"{head}; chi2 = {outcome.chi2:.4g}, reduced {_reduced(outcome):.3g}"
    if outcome.freedom == 0:
        return f"{text}; as many parameters as points, so nothing tests the model{starts}."
    if outcome.p_value < _UNLIKELY:
        return (
            f"{text} (p = {outcome.p_value:.1e}): THE MODEL DOES NOT DESCRIBE THE DATA within their sigma, "
            f"and the errors below are too small{starts}."
        )
    chance = "" if np.isnan(outcome.p_value) else f" (p = {outcome.p_value:.2g})"
    return f"{text}{chance}{starts}."


def _reduced(outcome: Outcome) -> float:
    return outcome.chi2 / outcome.freedom if outcome.freedom else np.nan


def _with_error(value: float, error: float) -> str:
    if not np.isfinite(error):
        return f"{value:.6g} +- infinity"
    if error <= 0.0:
        return f"{value:.10g}"
    digits = int(max(0, 1 - np.floor(np.log10(error))))
    return f"{value:.{digits}f} +- {error:.{digits}f}"


def _units(outcome: Outcome) -> list[str]:
    known = {entry.name: entry.unit for entry in outcome.objective.family.parameters}
    return [(known | {"zJ": "K", "tip": "cm3/mol"})[name] for name in outcome.names]


def _labels(outcome: Outcome) -> list[str]:
    """Return the labels of the sets, numbered where they repeat."""
    given = [model.data.label for model in outcome.objective.models]
    return [
        label if given.count(label) == 1 else f"{label} {given[: k + 1].count(label)}"
        for k, label in enumerate(given)
    ]
