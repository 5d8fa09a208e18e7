"""Relaxation times from ac susceptibility: a model on every isotherm, and what the data say of it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.checks import instance_of, one_of, positive
from mesospin.measured.relaxation.ac_data import isotherms
from mesospin.measured.relaxation.ac_models import AcModel, GeneralisedDebye
from mesospin.measured.relaxation.ac_problem import AcProblem, ac_problem, point_variables
from mesospin.measured.relaxation.ac_start import starting_points
from mesospin.measured.relaxation.ac_verdict import Account, account_of, beyond_limits, judge
from mesospin.measured.relaxation.least_squares import Fits
from mesospin.results import account as account_dataset
from mesospin.results import variable

__all__ = ["fit_ac"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WEIGHTS: Final = ("equal", "errors")
_STARTS: Final = {1: 1, 2: 4}
"""Starts that are followed to the end, by the number of relaxations."""
_SIGNIFICANT: Final = 3.0
"""Standard errors within which an exponent may lie outside what is physical."""
_ROUNDS: Final = 3
"""Times that exponents are looked at for being outside."""


def fit_ac(
    data: xr.Dataset,
    model: AcModel | None = None,
    *,
    weights: str = "equal",
    largest_error: float = 0.5,
) -> xr.Dataset:
    r"""Fit a model of relaxation to the ac susceptibility of every isotherm.

    Least squares of chi' and chi'' together, in ln tau and the model's other parameters, from the best
    point of a grid over the times (the susceptibilities follow linearly).  A peak of chi'' inside the window
    of frequencies is not required: what counts is whether the data fix ln tau.

    Parameters
    ----------
    data : xarray.Dataset
        Of `read_magnetometer` or `ac_data`, or a computed `ac_susceptibility`.
    model : AcModel, default GeneralisedDebye()
        Shape of the relaxation.
    weights : {"equal", "errors"}
        Whether every number counts alike, or by the standard deviations that the data carry.
    largest_error : float, default 0.5
        Standard error of ln tau beyond which a time is not quoted.

    Returns
    -------
    xarray.Dataset
        Kind "ac_fit".  For every ``isotherm`` (coordinates ``temperature`` [K], ``field`` [T]): every
        parameter of the model under ccfit2's name with ``<name>_error``, one standard deviation from the
        covariance scaled by the reduced chi^2; for every time ``ln_<tau>`` = <ln tau> with its
        ``_error``, and the times one standard deviation of the *distribution* of ln tau away,
        ``<tau>_lower`` and ``<tau>_upper`` [s]; ``determined`` (0 or 1), ``verdict`` (text), ``chi2`` (sum of
        squares over degrees of freedom).  An isotherm that is refused has NaN there and its reason in
        ``verdict``.  For every ``point``: the data, the fitted ``model_real`` and ``model_imag``,
        ``isotherm_of``.

    Raises
    ------
    InputError
        If the data hold no ac points, or ``weights`` is "errors" and a standard deviation is missing.

    Notes
    -----
    Refused are: fewer numbers than parameters; a time that the data leave open (standard error above
    ``largest_error``, a singular covariance, or a sum of squares that rises by less than half of the nine
    variances that its curvature promises three standard errors away); a height, alpha or gamma that is
    unphysical by more than three standard errors (chi above the relaxation by more than 2 % of the steps,
    too); a chi'' that is negative as a whole.  An exponent that is
    unphysical by less is refitted at its limit and said so; its error, and what it adds to the errors of the
    others, stay.  Nothing is clipped and no sign is dropped.

    References
    ----------
    D. Reta and N. F. Chilton, Phys. Chem. Chem. Phys. 21, 23567 (2019), for the two kinds of uncertainty.

    Examples
    --------
    >>> import numpy as np
    >>> from mesospin.measured.relaxation.ac_data import ac_data
    >>> f = np.geomspace(0.1, 1000, 20)
    >>> chi = GeneralisedDebye().chi(f, tau=0.01, chi_S=0.1, chi_T=2.0, alpha=0.1)
    >>> fit = fit_ac(ac_data(f, chi.real, -chi.imag, 4.0, unit="cm3/mol"))
    >>> round(float(fit.tau[0]), 6), round(float(fit.alpha[0]), 6)
    (0.01, 0.1)
    """
    shape = GeneralisedDebye() if model is None else model
    instance_of("model", shape, AcModel, hint="choose GeneralisedDebye()")
    one_of("weights", weights, WEIGHTS)
    positive("largest_error", largest_error)
    problem = ac_problem(shape, isotherms(data), weights)
    account = _fit(problem)
    determined, verdict = judge(problem, account, largest_error)
    inputs = {"model": shape.title, "weights": weights, "largest_error": largest_error}
    return _dataset(problem, account, determined, verdict, inputs)


def _fit(problem: AcProblem) -> Account:
    """Return the best fit of every isotherm; exponents barely outside what is physical are held there."""
    model = problem.model
    held = np.zeros((len(problem.scale), len(model.names)), dtype=bool)
    account = _best(problem, starting_points(problem, _STARTS[len(model.times)]), held)
    towards = np.array([-1.0 if name.startswith("alpha") else 1.0 for name in model.names])
    for _ in range(_ROUNDS):
        excess = beyond_limits(problem, account.parameters)
        with np.errstate(invalid="ignore"):
            beyond = (excess > 0) & (excess <= _SIGNIFICANT * account.error) & ~account.held
        rows = np.flatnonzero(beyond.any(axis=1) & account.regular)
        if not len(rows):
            break
        start = account.parameters[rows] - np.where(beyond[rows], towards * excess[rows], 0.0)
        part = _best(problem.rows(rows), start[None], account.held[rows] | beyond[rows])
        account = account.with_rows(rows, part)
    return account


def _best(problem: AcProblem, starts: Floats, held: Bools) -> Account:
    """Return the lowest of the fits from several starts (starts, isotherms, p)."""
    free = ~held
    best = problem.fitted(starts[0], free)
    for start in starts[1:]:
        other = problem.fitted(start, free)
        lower = other.sum_of_squares < best.sum_of_squares
        best = Fits(*(np.where(_like(lower, new), new, old) for new, old in zip(other, best, strict=True)))
    return account_of(problem, best, held)


def _like(chosen: Bools, values: Any) -> Bools:
    return chosen.reshape(chosen.shape + (1,) * (np.ndim(values) - 1))


def _dataset(
    problem: AcProblem, account: Account, determined: Bools, verdict: list[str], inputs: dict[str, object]
) -> xr.Dataset:
    model, curves = problem.model, problem.curves
    quoted = determined[:, None]
    values, error = (np.where(quoted, part, np.nan) for part in (account.parameters, account.error))
    variables = {}
    for place, name in enumerate(model.names):
        if name in model.times:
            value, sigma, unit, text = (
                np.exp(values[:, place]), np.exp(values[:, place]) * error[:, place], "s", "relaxation time",
            )  # fmt: skip
        else:
            scale = problem.scale if name in model.amplitudes else 1.0
            unit, text = (curves.unit, "susceptibility") if name in model.amplitudes else ("1", "exponent")
            value, sigma = values[:, place] * scale, error[:, place] * scale
        variables[name] = variable("isotherm", value, unit, text)
        variables[f"{name}_error"] = variable("isotherm", sigma, unit, f"standard error of {name}")
    variables |= _distribution(problem, account, quoted)
    variables["chi2"] = variable(
        "isotherm", account.variance * problem.scale**2, f"({curves.unit})^2", "sum of squares per freedom"
    )
    variables["determined"] = variable(
        "isotherm", determined.astype(np.int8), "1", "whether the data determine the times"
    )
    variables["verdict"] = variable("isotherm", np.array(verdict, dtype=str), "1", "what the data say")
    variables |= point_variables(problem, account.parameters, determined)
    coords = {
        "temperature": variable("isotherm", curves.temperature, "K", "temperature"),
        "field": variable("isotherm", curves.field, "T", "field"),
    }
    return account_dataset("ac_fit", variables, coords, inputs).assign_attrs(model=model.title)


def _distribution(problem: AcProblem, account: Account, quoted: Bools) -> dict[str, Any]:
    """Return <ln tau> with its standard error and the times one deviation of its distribution away."""
    model = problem.model
    parameters = np.where(quoted, account.parameters, np.nan)
    mean, width = model.log_time_moments(parameters)
    slopes = model.mean_slopes(parameters)
    covariance = np.where(quoted[..., None], account.covariance, np.nan)
    spread = ((slopes @ covariance) * slopes).sum(axis=-1)
    entries = {}
    for k, time in enumerate(model.times):
        entries[f"ln_{time}"] = variable("isotherm", mean[:, k], "1", f"mean of ln({time}/s)")
        entries[f"ln_{time}_error"] = variable(
            "isotherm", np.sqrt(spread[:, k]), "1", f"standard error of the mean of ln {time}"
        )
        entries[f"ln_{time}_width"] = variable(
            "isotherm", width[:, k], "1", f"standard deviation of the distribution of ln {time}"
        )
        for side, sign in (("lower", -1), ("upper", 1)):
            with np.errstate(over="ignore"):  # alpha near 1: wider than numbers reach
                away = np.exp(mean[:, k] + sign * width[:, k])
            entries[f"{time}_{side}"] = variable(
                "isotherm", away, "s", "one deviation of the distribution away"
            )
    return entries
