"""Relaxation times from decays of the moment."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, instance_of, positive, span
from mesospin.errors import InputError
from mesospin.measured.relaxation.decay_data import Decays, decays
from mesospin.measured.relaxation.decay_models import DecayModel, StretchedExponential
from mesospin.measured.relaxation.least_squares import Fits, covariance, fit_rows, is_closed
from mesospin.results import account, variable

__all__ = ["fit_decay"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_TIMES: Final = {1: 30, 2: 14}
_STRETCH: Final = {1: (1.0, 0.6, 0.35), 2: (0.9,)}
_FOLLOWED: Final = 4
_SIGNIFICANT: Final = 3.0
_EXACT: Final = 1e-18
"""Variance, in units of the range, at which nothing but rounding is left."""


def fit_decay(
    data: xr.Dataset,
    model: DecayModel | None = None,
    *,
    equilibrium: ArrayLike | None = None,
    origin: float | None = None,
    window: tuple[float, float] | None = None,
    largest_error: float = 0.5,
) -> xr.Dataset:
    r"""Fit stretched exponentials to the decay of the moment at every temperature and field.

    Parameters
    ----------
    data : xarray.Dataset
        Of `read_magnetometer` or `decay_data`.
    model : DecayModel, default StretchedExponential()
    equilibrium : float or array-like, shape (isotherms,), optional
        Equilibrium moment, in the unit of the data, where it is known; else it is fitted.
    origin : float, optional [s]
        Time of the data at which the field has arrived; the first point of every decay if omitted.
    window : (low, high), optional [s]
        Part of the decay that counts, since the origin.
    largest_error : float, default 0.5
        Standard error of ln tau beyond which a time is not quoted.

    Returns
    -------
    xarray.Dataset
        Kind "decay_fit": by ``isotherm`` (``temperature`` [K], ``field`` [T]) the parameters with
        ``_error``, ``ln_tau`` = <ln tau> of the distribution with ``_error`` and ``_width`` (its standard
        deviation), ``tau_lower``, ``tau_upper`` [s], ``determined``, ``verdict``; by ``point`` the data with
        ``model_moment``.

    Raises
    ------
    InputError
        If the data hold no decays, or ``equilibrium`` has not one number a decay.

    Notes
    -----
    The distribution of a stretched exponential has <ln tau> = ln tau + (1 - 1/beta) gamma_E and variance
    (1/beta^2 - 1) pi^2/6.  Refused are decays with fewer points than parameters, a change that does not
    stand out of the noise, beta beyond 1 by more than three standard errors, and times that the data
    leave open: a large error, or a sum of squares that does not rise beside its minimum as its curvature
    promises.  Reference: W. J. A. Blackmore et al., Phys. Chem. Chem. Phys. 25, 16735 (2023).

    Examples
    --------
    >>> import numpy as np
    >>> from mesospin.measured.relaxation.decay_data import decay_data
    >>> t = np.linspace(0, 1000, 101)
    >>> fit = fit_decay(decay_data(t, 1 + 2 * np.exp(-((t / 150) ** 0.7)), 2.0))
    >>> round(float(fit.tau[0]), 3), round(float(fit.beta[0]), 4)
    (150.0, 0.7)
    """
    shape = StretchedExponential() if model is None else model
    instance_of("model", shape, DecayModel, hint="choose StretchedExponential()")
    positive("largest_error", largest_error)
    part = None if window is None else span("window", window, "s")
    curves = decays(data, origin=origin, window=part)
    held = _equilibrium(equilibrium, len(curves.temperature))
    task = _Task(shape, curves, held)
    fits = task.best()
    return _dataset(task, fits, largest_error, {"model": shape.title, "window": part, "origin": origin})


def _equilibrium(equilibrium: ArrayLike | None, count: int) -> Floats | None:
    if equilibrium is None:
        return None
    values = finite_array("equilibrium", equilibrium)
    if values.ndim and values.shape != (count,):
        raise InputError(
            f"equilibrium must be one number or one for each of the {count} decays, got shape "
            f"{values.shape}; give as many"
        )
    return np.broadcast_to(values, (count,)).astype(np.float64)


class _Task(NamedTuple):
    """Decays, their model, and the equilibrium where it is known; moments in units of their range."""

    model: DecayModel
    curves: Decays
    equilibrium: Floats | None

    @property
    def scale(self) -> Floats:
        """Range of every decay."""
        moment = np.where(self.curves.known, self.curves.moment, np.nan)
        width = np.nanmax(moment, axis=1) - np.nanmin(moment, axis=1)
        return np.where(width > 0, width, 1.0)

    @property
    def log_time(self) -> Floats:
        """Ln t, -inf at the origin."""
        with np.errstate(divide="ignore"):
            return np.log(self.curves.time)

    @property
    def free(self) -> Bools:
        """Which inner parameters move."""
        free = np.ones((len(self.curves.temperature), len(self.model.inner)), dtype=bool)
        free[:, 2 * self.model.steps] = self.equilibrium is None
        return free

    def residuals(self, parameters: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return residuals (g, n) and derivatives (g, n, p)."""
        value, slopes = self.model.value_and_slopes(parameters, self.log_time[rows])
        known = self.curves.known[rows]
        moment = self.curves.moment[rows] / self.scale[rows, None]
        return np.where(known, value - moment, 0.0), np.where(known[..., None], slopes, 0.0)

    def best(self) -> Fits:
        """Return the lowest of the fits from the best points of a grid."""
        lower, upper = self.model.bounds()
        best: Fits | None = None
        for start in self.starts():
            fits = fit_rows(self.residuals, start, self.free, lower, upper)
            if best is None:
                best = fits
                continue
            lower_cost = fits.sum_of_squares < best.sum_of_squares
            best = Fits(*(_choose(lower_cost, new, old) for new, old in zip(fits, best, strict=True)))
        assert best is not None
        return best

    def starts(self) -> Floats:
        """Return the best points of a grid over times and stretches, shape (starts, decays, p)."""
        model, curves, count = self.model, self.curves, len(self.curves.temperature)
        time = np.where(curves.known & (curves.time > 0), curves.time, np.nan)
        low, high = np.log(np.nanmin(time, axis=1)) - 1.0, np.log(np.nanmax(time, axis=1)) + 2.0
        fractions = np.linspace(0.0, 1.0, _TIMES[model.steps])
        rows = np.arange(count)
        candidates, costs = [], []
        for chosen in combinations(fractions, model.steps):
            for stretch in _STRETCH[model.steps]:
                x = np.zeros((count, len(model.inner)))
                for k, fraction in enumerate(reversed(chosen)):
                    x[:, 2 * k], x[:, 2 * k + 1] = low + fraction * (high - low), stretch
                costs.append(self._solve_heights(x, rows))
                candidates.append(x)
        order = np.argsort(np.array(costs), axis=0)[:_FOLLOWED]
        stacked = np.array(candidates)
        return np.stack([stacked[order[k], rows] for k in range(len(order))])

    def _solve_heights(self, x: Floats, rows: NDArray[np.intp]) -> Floats:
        """Write the best equilibrium and heights into x and return the sums of squares."""
        first = 2 * self.model.steps
        held = self.equilibrium is not None
        if self.equilibrium is not None:
            x[:, first] = self.equilibrium / self.scale
        linear = slice(first + held, None)
        target, jacobian = self.residuals(x, rows)
        design = jacobian[..., linear]
        normal = design.swapaxes(1, 2) @ design
        normal += 1e-10 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(normal.shape[-1])
        x[:, linear] = -np.linalg.solve(normal, np.einsum("gra,gr->ga", design, target)[..., None])[..., 0]
        rest = self.residuals(x, rows)[0]
        return np.asarray(np.einsum("gr,gr->g", rest, rest))


def _choose(chosen: Bools, new: Any, old: Any) -> Any:
    return np.where(chosen.reshape(chosen.shape + (1,) * (np.ndim(new) - 1)), new, old)


def _ordered(model: DecayModel, parameters: Floats, scaled: Floats) -> tuple[Floats, Floats]:
    """Return parameters and covariance with the longer time first."""
    if model.steps == 1:
        return parameters, scaled
    swapped = [2, 3, 0, 1, 4, 6, 5]
    late = parameters[:, 2] > parameters[:, 0]
    turned = np.where(late[:, None], parameters[:, swapped], parameters)
    spread = np.where(late[:, None, None], scaled[:, swapped][:, :, swapped], scaled)
    return turned, spread


def _dataset(task: _Task, fits: Fits, largest_error: float, inputs: dict[str, object]) -> xr.Dataset:
    model, curves = task.model, task.curves
    inverse, regular = covariance(fits.normal, task.free)
    numbers = curves.known.sum(axis=1)
    dof = numbers - task.free.sum(axis=1)
    variance = np.where(dof > 0, fits.sum_of_squares / np.maximum(dof, 1), np.nan)
    x, spread = _ordered(model, fits.parameters, inverse * variance[:, None, None])
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.einsum("gpp->gp", spread))
    closed = _closed(task, fits, inverse * variance[:, None, None], variance)
    reasons = [
        _reason(task, x[g], error[g], bool(fits.converged[g] and regular[g]), int(dof[g]), largest_error)
        or (
            "" if closed[g] else "the data leave tau open (no rise of chi^2 beyond its error); measure longer"
        )
        for g in range(len(x))
    ]
    determined = np.array([not reason for reason in reasons], dtype=bool)
    variables = _parameters(task, x, spread, determined) | _distribution(task, x, spread, determined)
    variables["determined"] = variable(
        "isotherm", determined.astype(np.int8), "1", "whether the data determine the times"
    )
    variables["verdict"] = variable("isotherm", np.array(reasons, dtype=str), "1", "what the data say")
    fitted = model.value_and_slopes(x, task.log_time)[0] * task.scale[:, None]
    row = np.broadcast_to(np.arange(len(x))[:, None], curves.known.shape)[curves.known]
    columns = {
        "time": (curves.time[curves.known], "s", "time since the origin"),
        "moment": (curves.moment[curves.known], curves.unit, "moment"),
        "model_moment": (
            np.where(determined[:, None], fitted, np.nan)[curves.known], curves.unit, "fitted moment",
        ),
        "isotherm_of": (row, "1", "number of the isotherm"),
    }  # fmt: skip
    variables |= {name: variable("point", *entry) for name, entry in columns.items()}
    coords = {
        "temperature": variable("isotherm", curves.temperature, "K", "temperature"),
        "field": variable("isotherm", curves.field, "T", "field"),
    }
    return account("decay_fit", variables, coords, inputs).assign_attrs(model=model.title)


def _closed(task: _Task, fits: Fits, scaled: Floats, variance: Floats) -> Bools:
    """Return whether the sum of squares rises on both sides of every time of a decay."""
    places = np.arange(task.model.steps) * 2
    closed = ~(variance > _EXACT)
    rows = np.flatnonzero((variance > _EXACT) & (scaled[:, places, places] > 0).all(axis=1))
    if len(rows):
        bounds = task.model.bounds()
        closed[rows] = is_closed(
            task.residuals, fits, scaled, variance, task.free, places, rows, *bounds
        ).all(axis=1)
    return np.asarray(closed)


def _reason(task: _Task, x: Floats, error: Floats, sound: bool, dof: int, largest_error: float) -> str:
    """Return why the fit of a decay is refused, or nothing."""
    model = task.model
    if dof <= 0:
        return "as many parameters as points; measure more of them"
    if not sound:
        return "the data leave the parameters open; take a simpler model or give the equilibrium"
    for k in range(model.steps):
        beta, beta_error = x[2 * k + 1], error[2 * k + 1]
        if beta - 1.0 > _SIGNIFICANT * beta_error:
            return f"beta = {beta:.3g} +- {beta_error:.2g} is above 1: faster than any sum of exponentials"
        if not error[2 * k] <= largest_error:
            return f"the data leave tau open (error of ln tau {error[2 * k]:.2g}); measure longer"
        height, sigma = x[2 * model.steps + 1 + k], error[2 * model.steps + 1 + k]
        if abs(height) <= _SIGNIFICANT * sigma:
            return "no decay stands out of the noise"
    return ""


def _parameters(task: _Task, x: Floats, spread: Floats, determined: Bools) -> dict[str, Any]:
    model, step = task.model, 1e-6
    slopes = np.stack(
        [
            (model.reported(x + shift) - model.reported(x - shift)) / (2 * step)
            for shift in step * np.eye(x.shape[1])
        ],
        axis=-1,
    )
    values = model.reported(x)
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.einsum("grp,gpq,grq->gr", slopes, spread, slopes))
    variables = {}
    for column, name in enumerate(model.names):
        moment = name.startswith("m_")
        unit = "s" if name.startswith("tau") else task.curves.unit if moment else "1"
        scale = task.scale if moment else 1.0
        for suffix, table, text in (("", values, name), ("_error", errors, f"standard error of {name}")):
            shown = np.where(determined, table[:, column] * scale, np.nan)
            variables[name + suffix] = variable("isotherm", shown, unit, text)
    return variables


def _distribution(task: _Task, x: Floats, spread: Floats, determined: Bools) -> dict[str, Any]:
    variables = {}
    for k, time in enumerate(task.model.times):
        beta = x[:, 2 * k + 1]
        mean = x[:, 2 * k] + (1 - 1 / beta) * np.euler_gamma
        slope = np.zeros_like(x)
        slope[:, 2 * k], slope[:, 2 * k + 1] = 1.0, np.euler_gamma / beta**2
        with np.errstate(invalid="ignore"):
            error = np.sqrt(np.einsum("gp,gpq,gq->g", slope, spread, slope))
            # beta barely above 1 has no distribution of times
            width = np.sqrt(np.where(beta < 1.0, (1 / beta**2 - 1) * np.pi**2 / 6, 0.0))
        columns = {
            f"ln_{time}": (mean, "1", f"mean of ln({time}/s)"),
            f"ln_{time}_error": (error, "1", "standard error of the mean"),
            f"ln_{time}_width": (width, "1", f"standard deviation of the distribution of ln {time}"),
            f"{time}_lower": (np.exp(mean - width), "s", "one deviation of ln tau away"),
            f"{time}_upper": (np.exp(mean + width), "s", "one deviation of ln tau away"),
        }
        for name, (value, unit, text) in columns.items():
            variables[name] = variable("isotherm", np.where(determined, value, np.nan), unit, text)
    return variables
