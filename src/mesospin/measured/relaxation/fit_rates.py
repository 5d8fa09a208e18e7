"""Mechanisms of relaxation from relaxation times: a law fitted to tau(T, B)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.checks import finite, instance_of, integer, nearest
from mesospin.errors import ConvergenceError, InputError
from mesospin.measured.relaxation.least_squares import covariance, fit_rows
from mesospin.measured.relaxation.processes import Process, RateLaw
from mesospin.measured.relaxation.rate_data import STRAY_FIELD, times_of
from mesospin.measured.relaxation.rate_fit import RateFit, RateTask
from mesospin.measured.relaxation.rate_results import rate_results
from mesospin.measured.relaxation.rate_starts import starts_of

__all__ = ["fit_rates"]

Floats = NDArray[np.float64]


def fit_rates(
    data: xr.Dataset,
    law: RateLaw | Process,
    *,
    fixed: Mapping[str, float] | None = None,
    errors: str = "both",
    time: str = "tau",
    starts: int = 60,
    seed: int = 0,
) -> xr.Dataset:
    r"""Fit a sum of mechanisms to relaxation times at any temperatures and fields.

    Minimises :math:`\sum_i [(\ln\tau_i - \ln\tau(T_i, B_i))/\sigma_i]^2` with
    :math:`1/\tau = \sum_p \Gamma_p(T, B)`, all starts at once, with exact derivatives.

    Parameters
    ----------
    data : xarray.Dataset
        Relaxation times of `fit_ac`, `fit_decay`, `rate_data` or `relaxation_rates`.
    law : RateLaw or Process
        Such as ``Orbach() + Raman() + Tunnelling()``.
    fixed : mapping of str to float, optional
        Parameters that are held, by name.
    errors : {"both", "fit", "distribution", "equal"}
        Standard deviation of ln tau: of the fit, of its distribution, both in quadrature, or all alike.
    time : str, default "tau"
        Which time, where the data hold several ("tau1", "tau2").
    starts : int, default 60
        Starts that are followed; every one passes through measured points.
    seed : int, default 0
        Of the starts.

    Returns
    -------
    xarray.Dataset
        Kind "rate_fit".  By ``parameter``: ``value``, ``error`` (NaN where the data do not determine it),
        ``unit``, ``determined``; ``correlation`` (parameter, parameter_2); ``share_of_rate`` (process): the
        largest part of the rate that each process has at any point; ``aicc_without`` (process): the
        criterion of the law without it; ``chi2``, ``reduced_chi2``, ``aic``, ``aicc``, ``bic``; by
        ``point`` the data, ``tau_model`` and ``residual``; by ``curve`` the law at each field between the
        end temperatures with the band of one standard error ``tau_lower``, ``tau_upper`` and the rate of
        every process; ``verdict`` (attribute).

    Raises
    ------
    InputError
        If the data have fewer times than free parameters, a fixed name is unknown, or a process needs a
        field and all data have B = 0.
    ConvergenceError
        If no start converges.

    Notes
    -----
    Errors come from the covariance, scaled by the reduced chi^2 (as ccfit2 does).  A parameter
    is not quoted when its standard error exceeds a decade for an amplitude, or half of it for an energy or
    a power, or when the data do not need its process: without it Akaike's criterion is not higher by 2.

    Examples
    --------
    >>> import numpy as np
    >>> from mesospin.measured.relaxation.processes import Orbach, Tunnelling
    >>> from mesospin.measured.relaxation.rate_data import rate_data
    >>> T = np.linspace(2, 12, 11)
    >>> tau = 1 / (1e3 + 1e8 * np.exp(-60 / T))
    >>> fit = fit_rates(rate_data(T, tau), Orbach() + Tunnelling())
    >>> [round(float(fit.value.sel(parameter=name)), 3) for name in ("A", "u_eff", "Q")]
    [-8.0, 60.0, -3.0]
    """
    task = _task(data, law, fixed, errors, time)
    count = integer("starts", starts, at_least=1)
    best = _best(task, count, seed)
    without = [_without(task, k, count, seed) for k in range(len(task.law.processes))]
    inputs = {
        "law": task.law.title, "fixed": dict(fixed or {}), "errors": errors, "time": time, "starts": starts,
        "seed": seed,
    }  # fmt: skip
    return rate_results(task, best, without, inputs)


def _task(
    data: xr.Dataset, law: RateLaw | Process, fixed: Mapping[str, float] | None, errors: str, time: str
) -> RateTask:
    instance_of("law", law, RateLaw, Process, hint="add processes such as Orbach() + Raman()")
    whole = law if isinstance(law, RateLaw) else RateLaw((law,))
    held = {name: finite(f"fixed[{name!r}]", value) for name, value in (fixed or {}).items()}
    for name in held:
        if name not in whole.names:
            raise InputError(
                f"fixed must name parameters of the law, got {name!r}; {nearest(name, whole.names)}"
            )
    times = times_of(data, errors, time)
    free = len(whole.names) - len(held)
    if len(times.T) < free or not free:
        raise InputError(
            f"data must hold at least as many times as free parameters ({free}), got {len(times.T)}; take a "
            "shorter law or fix parameters"
        )
    if any(_needs_field(process) for process in whole.processes) and not np.any(
        np.abs(times.B) > STRAY_FIELD
    ):
        raise InputError(
            f"data must hold fields above 0.1 mT for {whole.title}, got none; leave such processes out"
        )
    return RateTask(times, whole, held)


def _needs_field(process: Process) -> bool:
    return process.needs_field or any(_needs_field(inner) for inner in process.inner)


def _best(task: RateTask, starts: int, seed: int) -> RateFit:
    names = task.law.names
    start = starts_of(task.law, task.data, starts, np.random.default_rng(seed))
    for name, value in task.held.items():
        start[:, names.index(name)] = value
    free = np.broadcast_to(task.free, start.shape)
    lower = np.array([0.0 if name.partition("_")[0] in ("w", "p") else -np.inf for name in names])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        finite_rows = np.isfinite(task.residuals(start, np.arange(starts))[0]).all(axis=1)
        start, free = start[finite_rows], free[finite_rows]
        fits = fit_rows(task.residuals, start, free, lower, np.full(len(names), np.inf))
    cost = np.where(fits.converged & np.isfinite(fits.sum_of_squares), fits.sum_of_squares, np.inf)
    if not len(cost) or not np.isfinite(cost.min()):
        raise ConvergenceError(
            f"no fit of {task.law.title} converged from {starts} starts; take a shorter law or fix parameters"
        )
    k = int(np.argmin(cost))
    inverse, regular = covariance(fits.normal[k : k + 1], free[k : k + 1])
    agreeing = int((cost <= cost[k] * (1 + 1e-6) + 1e-12).sum())
    return RateFit(fits.parameters[k], inverse[0], float(cost[k]), bool(regular[0]), agreeing)


def _without(task: RateTask, k: int, starts: int, seed: int) -> float:
    """Return Akaike's criterion of the law without one of its processes; NaN for the only one."""
    others = tuple(process for place, process in enumerate(task.law.processes) if place != k)
    if not others:
        return float("nan")
    names = iter(task.law.names)
    own = [[next(names) for _ in process.all_names] for process in task.law.processes]
    kept = [name for place, part in enumerate(own) if place != k for name in part]
    law = RateLaw(others)
    held = {new: task.held[old] for new, old in zip(law.names, kept, strict=True) if old in task.held}
    shorter = RateTask(task.data, law, held)
    if not shorter.free.any():
        return float("nan")
    return shorter.criteria(_best(shorter, starts, seed).chi2)["aicc"]
