"""Mechanisms of relaxation straight from ac susceptibility: one law for the times of all isotherms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.checks import finite, instance_of, integer, one_of
from mesospin.errors import ConvergenceError, InputError
from mesospin.measured.relaxation.ac_data import isotherms
from mesospin.measured.relaxation.ac_models import AcModel, GeneralisedDebye
from mesospin.measured.relaxation.ac_problem import AcProblem, ac_problem, point_variables
from mesospin.measured.relaxation.ac_start import starting_points
from mesospin.measured.relaxation.fit_ac import WEIGHTS
from mesospin.measured.relaxation.least_squares import Fits, covariance, fit_rows, is_closed
from mesospin.measured.relaxation.processes import Process, RateLaw
from mesospin.measured.relaxation.rate_data import RateData
from mesospin.measured.relaxation.rate_fit import correlation, quotable
from mesospin.measured.relaxation.rate_starts import starts_of
from mesospin.results import account, variable

__all__ = ["fit_ac_jointly"]

Floats = NDArray[np.float64]

_EXACT: Final = 1e-18
"""Variance, in units of the largest susceptibility, at which nothing but rounding is left."""


def fit_ac_jointly(
    data: xr.Dataset,
    law: RateLaw | Process,
    model: AcModel | None = None,
    *,
    fixed: Mapping[str, float] | None = None,
    shared: Sequence[str] = (),
    weights: str = "equal",
    starts: int = 16,
    seed: int = 0,
) -> xr.Dataset:
    r"""Fit one law of relaxation to the raw ac susceptibility of all isotherms together.

    The relaxation time of isotherm g is not a parameter: :math:`\ln\tau_g = -\ln\Gamma(T_g, B_g)`.  Each
    isotherm keeps its own susceptibilities and exponents.  Isotherms whose peak lies outside the window of
    frequencies count as far as they say something, which a fit of times already fitted cannot have.

    Parameters
    ----------
    data : xarray.Dataset
        Of `read_magnetometer` or `ac_data`, or computed by `ac_susceptibility`.
    law : RateLaw or Process
        Such as ``Orbach() + Raman() + Tunnelling()``.
    model : AcModel with one time, default GeneralisedDebye()
        Shape of the relaxation.
    fixed : mapping of str to float, optional
        Parameters of the law that are held.
    shared : sequence of str
        Exponents of the model ("alpha", "gamma") that all isotherms have in common.
    weights : {"equal", "errors"}
        Whether every number counts alike (in units of the isotherm's largest susceptibility), or by the
        standard deviations that the data carry.
    starts, seed : int
        Starts that are followed, and the seed from which they are drawn.

    Returns
    -------
    xarray.Dataset
        Kind "joint_ac_fit".  By ``parameter`` of the law: ``value``, ``error``, ``unit``, ``determined``,
        ``correlation``; by ``isotherm``: ``tau``, ``tau_error`` (of the law), the model's other parameters
        with errors; by ``point``: data and model; ``reduced_chi2``, ``starts_agreeing``; ``verdict``.

    Raises
    ------
    InputError
        If the data hold no ac points or fewer numbers than parameters, or the model has two times.
    ConvergenceError
        If no start converges.

    Notes
    -----
    A parameter of the law is quoted when its standard error is small enough (as for `fit_rates`) and the
    sum of squares rises by half of the promised nine variances where it is held three standard errors away.

    Examples
    --------
    >>> import numpy as np
    >>> from mesospin.measured.relaxation.ac_data import ac_data
    >>> from mesospin.measured.relaxation.processes import Orbach
    >>> f, T = np.tile(np.geomspace(1, 1000, 12), 5), np.repeat([5.0, 6.0, 7.0, 8.0, 9.0], 12)
    >>> tau = 1e-7 * np.exp(60 / T)
    >>> chi = 0.1 + 8 / T / (1 + (2j * np.pi * f * tau) ** 0.9)
    >>> fit = fit_ac_jointly(ac_data(f, chi.real, -chi.imag, T, unit="cm3/mol"), Orbach())
    >>> [round(float(v), 4) for v in fit.value]
    [-7.0, 60.0]
    """
    joint = _joint(data, law, model, fixed, shared, weights)
    best = _best(joint, integer("starts", starts, at_least=1), seed)
    inputs = {
        "law": joint.law.title, "model": joint.problem.model.title, "fixed": dict(fixed or {}),
        "shared": list(shared), "weights": weights, "starts": starts, "seed": seed,
    }  # fmt: skip
    return _dataset(joint, best, inputs)


class _Joint(NamedTuple):
    """The law, the isotherms, and where each parameter of each isotherm stands in the vector of all."""

    law: RateLaw
    problem: AcProblem
    held: Mapping[str, float]
    place: NDArray[np.intp]
    """(isotherms, p): position of every parameter of the model; that of ln tau is unused."""
    size: int

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which entries of the vector move."""
        law = [name not in self.held for name in self.law.names]
        return np.array([*law, *([True] * (self.size - len(law)))])

    def local(self, x: Floats) -> Floats:
        """Return the parameters (starts, isotherms, p) of every isotherm, with ln tau from the law."""
        count = len(self.law.names)
        parameters = x[:, self.place]
        curves = self.problem.curves
        parameters[..., 0] = -self.law.log_rate(x[:, :count], curves.temperature, curves.field)
        return parameters

    def residuals(self, x: Floats, _rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return all residuals (starts, r) and derivatives (starts, r, size)."""
        starts, (isotherms_, p) = len(x), self.place.shape
        count, curves = len(self.law.names), self.problem.curves
        rows = np.tile(np.arange(isotherms_), starts)
        residual, slopes = self.problem.residuals(self.local(x).reshape(-1, p), rows)
        residual = residual.reshape(starts, isotherms_, -1)
        slopes = slopes.reshape(*residual.shape, p)
        by_law = -self.law.slopes(x[:, :count], curves.temperature, curves.field)
        jacobian = np.zeros((*residual.shape, self.size))
        jacobian[..., :count] = slopes[..., :1] * by_law[:, :, None, :]
        for g in range(isotherms_):
            jacobian[:, g, :, self.place[g, 1:]] = np.moveaxis(slopes[:, g, :, 1:], -1, 0)
        return residual.reshape(starts, -1), jacobian.reshape(starts, -1, self.size)


class _Best(NamedTuple):
    x: Floats
    covariance: Floats
    sum_of_squares: float
    agreeing: int


def _joint(
    data: xr.Dataset,
    law: RateLaw | Process,
    model: AcModel | None,
    fixed: Mapping[str, float] | None,
    shared: Sequence[str],
    weights: str,
) -> _Joint:
    instance_of("law", law, RateLaw, Process, hint="add processes such as Orbach() + Raman()")
    whole = law if isinstance(law, RateLaw) else RateLaw((law,))
    shape = GeneralisedDebye() if model is None else model
    instance_of("model", shape, AcModel, hint="choose GeneralisedDebye()")
    if len(shape.times) > 1:
        raise InputError(f"model must have one relaxation time, got {shape.title}; choose GeneralisedDebye()")
    one_of("weights", weights, WEIGHTS)
    held = {name: finite(f"fixed[{name!r}]", value) for name, value in (fixed or {}).items()}
    for name in held:
        one_of("fixed", name, whole.names)
    exponents = [name for name in shape.names if name not in (*shape.times, *shape.amplitudes)]
    for name in shared:
        one_of("shared", name, exponents)
    problem = ac_problem(shape, isotherms(data), weights)
    place, size = _places(shape, len(problem.scale), tuple(shared), len(whole.names))
    joint = _Joint(whole, problem, held, place, size)
    free, numbers = int(joint.free.sum()), int(problem.numbers.sum())
    if numbers <= free:
        raise InputError(
            f"data must hold more numbers than free parameters ({free}), got {numbers}; share exponents or "
            "fix parameters"
        )
    return joint


def _places(model: AcModel, count: int, shared: tuple[str, ...], first: int) -> tuple[NDArray[np.intp], int]:
    place = np.zeros((count, len(model.names)), dtype=np.intp)
    size = first
    for column, name in enumerate(model.names[1:], start=1):
        if name in shared:
            place[:, column], size = size, size + 1
        else:
            place[:, column], size = np.arange(size, size + count), size + count
    return place, size


def _best(joint: _Joint, starts: int, seed: int) -> _Best:
    start, lower, upper = _start(joint, starts, seed), *_bounds(joint)
    free = np.broadcast_to(joint.free, start.shape)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        usable = np.isfinite(joint.residuals(start, np.arange(starts))[0]).all(axis=1)
        start, free = start[usable], free[usable]
        fits = fit_rows(joint.residuals, start, free, lower, upper, iterations=400)
    cost = np.where(fits.converged & np.isfinite(fits.sum_of_squares), fits.sum_of_squares, np.inf)
    if not len(cost) or not np.isfinite(cost.min()):
        raise ConvergenceError(
            f"no joint fit of {joint.law.title} converged from {starts} starts; take a shorter law"
        )
    k = int(np.argmin(cost))
    inverse, _regular = covariance(fits.normal[k : k + 1], free[k : k + 1])
    agreeing = int((cost <= cost[k] * (1 + 1e-6) + 1e-12).sum())
    return _Best(fits.parameters[k], inverse[0], float(cost[k]), agreeing)


def _closed(joint: _Joint, best: _Best, scaled: Floats) -> NDArray[np.bool_]:
    """Return whether the sum of squares rises on both sides of every parameter of the law."""
    count = len(joint.law.names)
    dof = int(joint.problem.numbers.sum()) - int(joint.free.sum())
    variance = np.array([best.sum_of_squares / dof])
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.diag(scaled))[:count]
    places = np.flatnonzero(joint.free[:count] & (error > 0))
    closed = np.ones(count, dtype=bool)
    if len(places) and variance[0] > _EXACT:
        fits = Fits(best.x[None], np.array([best.sum_of_squares]), scaled[None], np.array([True]))
        closed[places] = is_closed(
            joint.residuals, fits, scaled[None], variance, joint.free[None], places, np.array([0]),
            *_bounds(joint),
        )[0]  # fmt: skip
    return closed


def _start(joint: _Joint, starts: int, seed: int) -> Floats:
    """Return starts: every isotherm from the grid of its own, laws through the times found there."""
    local = starting_points(joint.problem, 1)[0]
    curves = joint.problem.curves
    rough = RateData(curves.temperature, curves.field, local[:, 0], np.ones(len(local)), known=False)
    x = np.zeros((starts, joint.size))
    for column in range(1, local.shape[1]):
        x[:, joint.place[:, column]] = local[:, column]
    law = starts_of(joint.law, rough, starts, np.random.default_rng(seed))
    x[:, : law.shape[1]] = law
    for name, value in joint.held.items():
        x[:, joint.law.names.index(name)] = value
    return x


def _bounds(joint: _Joint) -> tuple[Floats, Floats]:
    lower, upper = np.full(joint.size, -np.inf), np.full(joint.size, np.inf)
    for k, name in enumerate(joint.law.names):
        if name.partition("_")[0] in ("w", "p"):
            lower[k] = 0.0
    for column, name in enumerate(joint.problem.model.names[1:], start=1):
        lower[joint.place[:, column]], upper[joint.place[:, column]] = joint.problem.model.bounds(name)
    return lower, upper


def _dataset(joint: _Joint, best: _Best, inputs: dict[str, object]) -> xr.Dataset:
    problem, law, count = joint.problem, joint.law, len(joint.law.names)
    dof = int(problem.numbers.sum()) - int(joint.free.sum())
    scaled = best.covariance * best.sum_of_squares / dof
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.diag(scaled))
    free = joint.free[:count]
    determined = quotable(law, free, best.x[:count], error[:count])
    determined &= ~free | _closed(joint, best, scaled)
    variables = {
        "value": variable("parameter", best.x[:count], "see unit", "value"),
        "error": variable(
            "parameter", np.where(free & determined, error[:count], np.nan), "see unit", "standard error"
        ),
        "unit": variable("parameter", np.array(law.units), "1", "unit"),
        "determined": variable("parameter", determined.astype(np.int8), "1", "whether the data determine it"),
        "correlation": variable(
            ("parameter", "parameter_2"), correlation(best.covariance[:count, :count]), "1", "correlation"
        ),
        "reduced_chi2": variable((), best.sum_of_squares / dof, "1", "sum of squares per degree of freedom"),
        "starts_agreeing": variable((), best.agreeing, "1", "starts that end in the same fit"),
    }
    variables |= _by_isotherm(joint, best.x, scaled, error) | _by_point(joint, best.x)
    names = ("parameter", np.array(law.names))
    coords = {
        "parameter": names,
        "parameter_2": ("parameter_2", names[1]),
        "temperature": variable("isotherm", problem.curves.temperature, "K", "temperature"),
        "field": variable("isotherm", problem.curves.field, "T", "field"),
    }
    open_names = [name for name, known in zip(law.names, determined, strict=True) if not known]
    verdict = (
        f"the data do not determine {', '.join(open_names)}"
        if open_names
        else "the data determine every parameter of the law"
    )
    attrs = {"law": law.title, "model": problem.model.title, "verdict": verdict}
    return account("joint_ac_fit", variables, coords, inputs).assign_attrs(attrs)


def _by_isotherm(joint: _Joint, x: Floats, scaled: Floats, error: Floats) -> dict[str, Any]:
    problem, count = joint.problem, len(joint.law.names)
    model, curves = problem.model, problem.curves
    tau = np.exp(joint.local(x[None])[0, :, 0])
    slopes = joint.law.slopes(x[None, :count], curves.temperature, curves.field)[0]
    spread = np.sqrt(np.einsum("gp,pq,gq->g", slopes, scaled[:count, :count], slopes))
    columns = {"tau": (tau, tau * spread, "s", "relaxation time of the law")}
    for column, name in enumerate(model.names[1:], start=1):
        linear = name in model.amplitudes
        scale = problem.scale if linear else np.ones(len(tau))
        place = joint.place[:, column]
        unit, text = (curves.unit, "susceptibility") if linear else ("1", "exponent")
        columns[name] = (x[place] * scale, error[place] * scale, unit, text)
    variables = {}
    for name, (value, sigma, unit, text) in columns.items():
        variables[name] = variable("isotherm", value, unit, text)
        variables[f"{name}_error"] = variable("isotherm", sigma, unit, f"standard error of {name}")
    return variables


def _by_point(joint: _Joint, x: Floats) -> dict[str, Any]:
    shown = np.ones(len(joint.place), dtype=bool)
    return point_variables(joint.problem, joint.local(x[None])[0], shown)
