"""A fitted law of relaxation as a dataset: parameters, what the data say of them, curves with their band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import gammaincc

from mesospin.measured.relaxation.processes import RateLaw
from mesospin.measured.relaxation.rate_data import RateData
from mesospin.measured.relaxation.rate_fit import RateFit, RateTask, correlation, quotable
from mesospin.results import account, variable

__all__ = ["rate_results"]

Floats = NDArray[np.float64]

_CURVE: Final = 201
"""Temperatures at which the fitted law and its band are tabulated."""
_UNLIKELY: Final = 1e-4
"""Chance of so large a chi^2 below which the law, or the errors, are wrong."""
_GAIN: Final = 2.0
"""Fall of Akaike's criterion below which a process is not needed."""


def rate_results(
    task: RateTask, best: RateFit, without: Sequence[float], inputs: Mapping[str, object]
) -> xr.Dataset:
    """Return the dataset of kind "rate_fit"."""
    names, free = task.law.names, task.free
    dof = len(task.data.T) - int(free.sum())
    scale = best.chi2 / dof if dof else np.nan
    scaled = best.covariance * scale
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.diag(scaled))
    needed = _needed(task, best.chi2, without)
    determined = quotable(task.law, task.free, best.values, error) & _by_parameter(task.law, needed)
    share = _shares(task, best.values)
    variables = {
        "value": variable("parameter", best.values, "see unit", "value"),
        "error": variable(
            "parameter", np.where(determined & free, error, np.nan), "see unit", "standard error"
        ),
        "unit": variable("parameter", np.array(task.law.units), "1", "unit"),
        "determined": variable("parameter", determined.astype(np.int8), "1", "whether the data determine it"),
        "correlation": variable(
            ("parameter", "parameter_2"), correlation(best.covariance), "1", "correlation of parameters"
        ),
        "share_of_rate": variable("process", share, "1", "largest part of the rate at any point"),
        "aicc_without": variable("process", np.array(without), "1", "criterion of the law without it"),
        "starts_agreeing": variable((), best.agreeing, "1", "starts that end in the same fit"),
    }
    variables |= _quality(task, best.chi2)
    variables |= _fitted(task, best.values) | _curves(task, best.values, scaled)
    titles = task.law.title.split(" + ")
    coords = {
        "parameter": ("parameter", np.array(names)),
        "parameter_2": ("parameter_2", np.array(names)),
        "process": ("process", np.array(_numbered(titles))),
    }
    verdict = _verdict(task, determined, needed, best.chi2, dof)
    return account("rate_fit", variables, coords, inputs).assign_attrs(law=task.law.title, verdict=verdict)


def _numbered(titles: Sequence[str]) -> list[str]:
    return [
        title if titles[:k].count(title) == 0 else f"{title} {titles[:k].count(title) + 1}"
        for k, title in enumerate(titles)
    ]


def _shares(task: RateTask, values: Floats) -> Floats:
    """Return the largest part of the rate that every process has at any point."""
    parts = task.law.log_rates(values[None], task.data.T, task.data.B)[:, 0]
    total = task.law.log_rate(values[None], task.data.T, task.data.B)[0]
    return np.asarray(np.exp(parts - total).max(axis=1))


def _quality(task: RateTask, chi2: float) -> dict[str, Any]:
    """Return chi^2 and the information criteria."""
    dof = len(task.data.T) - int(task.free.sum())
    texts = {
        "aic": "Akaike's criterion",
        "aicc": "Akaike's criterion, for few points",
        "bic": "Bayesian criterion",
    }
    values = {
        "chi2": (chi2, "sum of squared residuals"),
        "reduced_chi2": (chi2 / dof if dof else np.nan, "chi^2 per degree of freedom"),
        **{name: (value, texts[name]) for name, value in task.criteria(chi2).items()},
    }
    return {name: variable((), value, "1", text) for name, (value, text) in values.items()}


def _fitted(task: RateTask, values: Floats) -> dict[str, Any]:
    data = task.data
    model = -task.law.log_rate(values[None], data.T, data.B)[0]
    weighed = data.known or bool(np.any(data.sigma != 1.0))
    columns = {
        "temperature": (data.T, "K", "temperature"),
        "field": (data.B, "T", "field"),
        "tau": (np.exp(data.log_tau), "s", "relaxation time"),
        "ln_tau_error": (data.sigma if weighed else np.full(len(data.T), np.nan), "1", "error of ln tau"),
        "tau_model": (np.exp(model), "s", "fitted relaxation time"),
        "residual": ((data.log_tau - model) / data.sigma, "1", "residual of ln tau over its error"),
    }
    return {name: variable("point", *entry) for name, entry in columns.items()}


def _curves(task: RateTask, values: Floats, scaled: Floats) -> dict[str, Any]:
    """Return the law along temperature at each field (along the field if there is one temperature only)."""
    T, B = _curve_points(task.data)
    log_rate = task.law.log_rate(values[None], T, B)[0]
    parts = task.law.log_rates(values[None], T, B)[:, 0]
    slopes = task.law.slopes(values[None], T, B)[0]
    with np.errstate(invalid="ignore"):
        band = np.sqrt(np.einsum("np,pq,nq->n", slopes, scaled, slopes))
    columns = {
        "curve_temperature": (T, "K", "temperature"),
        "curve_field": (B, "T", "field"),
        "curve_tau": (np.exp(-log_rate), "s", "fitted relaxation time"),
        "tau_lower": (np.exp(-log_rate - band), "s", "one standard error below"),
        "tau_upper": (np.exp(-log_rate + band), "s", "one standard error above"),
    }
    curves = {name: variable("curve", *entry) for name, entry in columns.items()}
    curves["process_rate"] = variable(("process", "curve"), np.exp(parts), "1/s", "rate of the process")
    return curves


def _curve_points(data: RateData) -> tuple[Floats, Floats]:
    fields = np.unique(np.round(data.B, 6))
    if np.ptp(data.T) > 0.02 * data.T.mean():
        T = np.geomspace(data.T.min(), data.T.max(), _CURVE)
        return np.tile(T, len(fields)), np.repeat(fields, len(T))
    B = np.linspace(data.B.min(), data.B.max(), _CURVE)
    return np.full(_CURVE, data.T.mean()), B


def _needed(task: RateTask, chi2: float, without: Sequence[float]) -> NDArray[np.bool_]:
    """Return which processes lower Akaike's criterion; the only one always counts."""
    gain = np.array(without) - task.criteria(chi2)["aicc"]
    return np.asarray(np.isnan(gain) | (gain > _GAIN))


def _by_parameter(law: RateLaw, needed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.repeat(needed, [len(process.all_names) for process in law.processes])


def _verdict(
    task: RateTask, determined: NDArray[np.bool_], needed: NDArray[np.bool_], chi2: float, dof: int
) -> str:
    titles = _numbered(task.law.title.split(" + "))
    idle = [title for title, wanted in zip(titles, needed, strict=True) if not wanted]
    own = _by_parameter(task.law, needed)
    open_names = [
        name
        for name, known, wanted in zip(task.law.names, determined, own, strict=True)
        if wanted and not known
    ]
    notes = []
    if not dof:
        notes.append("as many parameters as times: no error can be given")
    elif task.data.known and gammaincc(dof / 2, chi2 / 2) < _UNLIKELY:
        notes.append(
            f"the law does not describe the data (chi^2 per degree of freedom {chi2 / dof:.3g}): add a "
            "process or question the errors"
        )
    if idle:
        notes.append(
            f"the data do not need {' or '.join(idle)}: leave {'it' if len(idle) == 1 else 'one'} out"
        )
    if open_names:
        notes.append(f"the data do not determine {', '.join(open_names)}")
    return "; ".join(notes) if notes else "the data determine every parameter"
