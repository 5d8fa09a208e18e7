"""What the data say of a fitted relaxation: which numbers they determine, which fits mean nothing."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.measured.relaxation.ac_problem import AcProblem
from mesospin.measured.relaxation.least_squares import Fits, covariance

__all__ = ["Account", "account_of", "judge"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SIGNIFICANT: Final = 3.0
"""Standard errors at which something is taken as certain."""
_EXACT: Final = 1e-18
"""Variance, in units of the largest susceptibility, at which nothing but rounding is left."""
_SHORTFALL: Final = 0.25
"""Part of the promised rise of the sum of squares below which a time counts as open."""


class Account(NamedTuple):
    """Fitted parameters of every isotherm with their covariance, in the units of the problem."""

    parameters: Floats
    error: Floats
    covariance: Floats
    variance: Floats
    """(isotherms,), sum of squares over degrees of freedom."""
    free: Bools
    regular: Bools
    converged: Bools
    sum_of_squares: Floats

    def with_rows(self, rows: NDArray[np.intp], other: Account) -> Account:
        """Return the account in which ``other`` takes the place of some rows."""
        merged: list[Any] = [part.copy() for part in self]
        for part, new in zip(merged, other, strict=True):
            part[rows] = new
        return Account(*merged)


def account_of(problem: AcProblem, fits: Fits, free: Bools) -> Account:
    """Return parameters and their covariance scaled by the reduced chi^2."""
    inverse, regular = covariance(fits.jacobian, free)
    dof = problem.numbers - free.sum(axis=1)
    variance = np.where(dof > 0, fits.sum_of_squares / np.maximum(dof, 1), np.nan)
    scaled = inverse * variance[:, None, None]
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.einsum("gpp->gp", scaled))
    return Account(
        fits.parameters, error, scaled, variance, free, regular, fits.converged, fits.sum_of_squares
    )


def judge(problem: AcProblem, account: Account, largest_error: float) -> tuple[Bools, list[str]]:
    """Return whether every isotherm determines its times, and a sentence about each."""
    promised = _promise_kept(problem, account)
    sentences = [_reason(problem, account, row, largest_error, promised[row]) for row in range(len(promised))]
    determined = np.array([not sentence for sentence in sentences], dtype=bool)
    remarks = [_remark(problem, account, row) for row in range(len(promised))]
    return determined, [sentence or remark for sentence, remark in zip(sentences, remarks, strict=True)]


def unphysical(problem: AcProblem, account: Account) -> tuple[Floats, Floats]:
    """Return how far every parameter lies outside its physical range, and the error of that, (g, p)."""
    names = problem.model.names
    excess, error = np.full_like(account.parameters, -np.inf), account.error.copy()
    alpha = [place for place, name in enumerate(names) if name.startswith("alpha")]
    excess[:, alpha] = -account.parameters[:, alpha]
    for place, name in enumerate(names):
        if name != "gamma":
            continue
        # (1 - alpha) gamma <= 1: chi'' falls no faster than 1/omega
        a = 1.0 - account.parameters[:, alpha[0]] if alpha else np.ones(len(account.parameters))
        excess[:, place] = account.parameters[:, place] - 1.0 / a
    return excess, error


def _promise_kept(problem: AcProblem, account: Account) -> Bools:
    """Return whether the sum of squares rises as the curvature promises three errors away from each time.

    The covariance describes the bottom of the valley only.  Refitting with ln tau held three standard errors
    to either side shows whether the valley stays closed: the sum of squares must rise by a good part of
    9 variances.
    """
    kept = account.regular & np.isfinite(account.error).all(axis=1) & (account.variance > 0)
    for time in problem.model.times:
        place = problem.model.names.index(time)
        for side in (-_SIGNIFICANT, _SIGNIFICANT):
            rows = np.flatnonzero(kept)
            start, free = account.parameters[rows].copy(), account.free[rows].copy()
            start[:, place] += side * account.error[rows, place]
            free[:, place] = False
            moved = problem.rows(rows).fitted(start, free)
            rise = moved.sum_of_squares - account.sum_of_squares[rows]
            kept[rows] = rise >= _SHORTFALL * _SIGNIFICANT**2 * account.variance[rows]
    return np.asarray(kept | (account.variance < _EXACT))


def _reason(problem: AcProblem, account: Account, row: int, largest_error: float, promised: bool) -> str:
    """Return why the fit of an isotherm is refused, or nothing."""
    frequencies = len(np.unique(problem.curves.log_omega[row][problem.curves.known[row]]))
    needed = int(account.free[row].sum())
    if frequencies < 2:
        return "one frequency only; measure more of them"
    if problem.numbers[row] <= needed:
        return f"{problem.numbers[row]} numbers for {needed} parameters; measure more frequencies"
    if not account.converged[row]:
        return "the fit did not converge; take a model with fewer parameters"
    if not account.regular[row]:
        return "the data leave the parameters open (singular covariance); take a model with fewer parameters"
    return _unphysical_reason(problem, account, row) or _open_reason(
        problem, account, row, largest_error, promised
    )


def _unphysical_reason(problem: AcProblem, account: Account, row: int) -> str:
    model, values, error = problem.model, account.parameters[row], account.error[row]
    mixing = model.levels_of()
    linear = [model.names.index(name) for name in model.amplitudes]
    heights = mixing[1:] @ values[linear]
    spread = mixing[1:] @ account.covariance[row][np.ix_(linear, linear)] @ mixing[1:].T
    height_error = np.sqrt(np.diag(spread))
    scale = problem.scale[row]
    for height, sigma in zip(heights, height_error, strict=True):
        if height <= -_SIGNIFICANT * sigma:
            return f"a step of chi is negative ({height * scale:.3g}); chi'' has the wrong sign"
        if height <= _SIGNIFICANT * sigma:
            return "no relaxation stands out of the noise"
    lowest, lowest_error = mixing[0] @ values[linear], _error_of(mixing[0], account.covariance[row], linear)
    if lowest < -_SIGNIFICANT * lowest_error:
        return f"chi above the relaxation is negative ({lowest * scale:.3g}); correct for diamagnetism"
    excess, own = unphysical(problem, account)
    for place, name in enumerate(model.names):
        if excess[row, place] > _SIGNIFICANT * own[row, place]:
            return (
                f"{name} = {values[place]:.3g} +- {error[place]:.2g} is unphysical: the arc is narrower than "
                "Debye's"
            )
    return ""


def _error_of(weights: Floats, covariance_: Floats, linear: list[int]) -> float:
    return float(np.sqrt(weights @ covariance_[np.ix_(linear, linear)] @ weights))


def _open_reason(problem: AcProblem, account: Account, row: int, largest_error: float, promised: bool) -> str:
    for time in problem.model.times:
        error = account.error[row, problem.model.names.index(time)]
        if not error <= largest_error:
            return f"the data leave {time} open (error of ln {time} {error:.2g}); widen the frequencies"
    if not promised:
        return "the data leave tau open (no rise of chi^2 beyond its error); widen the frequencies"
    return ""


def _remark(problem: AcProblem, account: Account, row: int) -> str:
    """Return what should be said of a fit that stands."""
    held = [name for name, free in zip(problem.model.names, account.free[row], strict=True) if not free]
    window = problem.curves.log_omega[row][problem.curves.known[row]]
    outside = [
        time
        for time in problem.model.times
        if not window.min() <= -account.parameters[row, problem.model.names.index(time)] <= window.max()
    ]
    notes = [f"{' and '.join(held)} held at the physical limit"] if held else []
    notes += [f"1/{time} lies outside the window of frequencies" for time in outside]
    return "; ".join(notes)
