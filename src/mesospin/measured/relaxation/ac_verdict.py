"""What the data say of a fitted relaxation: which numbers they determine, which fits mean nothing."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.measured.relaxation.ac_problem import AcProblem
from mesospin.measured.relaxation.least_squares import Fits, covariance, is_closed

__all__ = ["Account", "account_of", "beyond_limits", "judge"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_TOLERATED: Final = 0.02
"""Part of the steps by which chi above them may be negative: what the shape of a model makes of real data."""
_SIGNIFICANT: Final = 3.0
"""Standard errors at which something is taken as certain."""
_EXACT: Final = 1e-18
"""Variance, in units of the largest susceptibility, at which nothing but rounding is left."""
_NARROW: Final = 0.05
"""Standard error of ln tau below which the sum of squares is a parabola as far as three of them."""


class Account(NamedTuple):
    """Fitted parameters of every isotherm with their covariance, in the units of the problem."""

    parameters: Floats
    error: Floats
    covariance: Floats
    variance: Floats
    """(isotherms,), sum of squares over degrees of freedom."""
    held: Bools
    """(isotherms, p), exponents that stay at the limit of what is physical."""
    regular: Bools
    converged: Bools
    sum_of_squares: Floats

    def with_rows(self, rows: NDArray[np.intp], other: Account) -> Account:
        """Return the account in which ``other`` takes the place of some rows."""
        merged: list[Any] = [part.copy() for part in self]
        for part, new in zip(merged, other, strict=True):
            part[rows] = new
        return Account(*merged)


def account_of(problem: AcProblem, fits: Fits, held: Bools) -> Account:
    """Return parameters and their covariance scaled by the reduced chi^2.

    An exponent that is held at its limit has an error like any other: the data chose the limit, they do not
    know the exponent, and the errors of all others contain that.
    """
    inverse, regular = covariance(fits.normal, np.ones_like(held))
    dof = problem.numbers - held.shape[1]
    variance = np.where(dof > 0, fits.sum_of_squares / np.maximum(dof, 1), np.nan)
    scaled = inverse * variance[:, None, None]
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.einsum("gpp->gp", scaled))
    return Account(
        fits.parameters, error, scaled, variance, held, regular, fits.converged, fits.sum_of_squares
    )


def judge(problem: AcProblem, account: Account, largest_error: float) -> tuple[Bools, list[str]]:
    """Return whether every isotherm determines its times, and a sentence about each."""
    sentences = _too_little(problem, account)
    for said in (
        _unphysical(problem, account),
        _without_error(problem, account, largest_error),
    ):
        sentences = [before or new for before, new in zip(sentences, said, strict=True)]
    sentences = [
        sentence
        or (
            ""
            if kept
            else "the data leave tau open (no rise of chi^2 beyond its error); widen the frequencies"
        )
        for sentence, kept in zip(sentences, _promise_kept(problem, account), strict=True)
    ]
    determined = np.array([not sentence for sentence in sentences], dtype=bool)
    remarks = _remarks(problem, account)
    return determined, [sentence or remark for sentence, remark in zip(sentences, remarks, strict=True)]


def beyond_limits(problem: AcProblem, parameters: Floats) -> Floats:
    """Return how far every parameter (g, p) lies outside its physical range, negative inside."""
    names = problem.model.names
    excess = np.full_like(parameters, -np.inf)
    alpha = [place for place, name in enumerate(names) if name.startswith("alpha")]
    excess[:, alpha] = -parameters[:, alpha]
    if "gamma" in names:
        # (1 - alpha) gamma <= 1: chi'' falls no faster than 1/omega
        a = 1.0 - parameters[:, alpha[0]] if alpha else np.ones(len(parameters))
        gamma = names.index("gamma")
        excess[:, gamma] = parameters[:, gamma] - 1.0 / a
    return excess


def _promise_kept(problem: AcProblem, account: Account) -> Bools:
    """Return whether the sum of squares rises on both sides of every time."""
    names = problem.model.names
    places = np.array([names.index(time) for time in problem.model.times])
    kept = (account.error[:, places] < _NARROW).all(axis=1) | (account.variance < _EXACT)
    sound = account.regular & np.isfinite(account.error).all(axis=1) & (account.variance > 0)
    rows = np.flatnonzero(sound & ~kept)
    if len(rows):
        best = Fits(account.parameters, account.sum_of_squares, account.covariance, account.converged)
        closed = is_closed(
            problem.residuals, best, account.covariance, account.variance, np.ones_like(account.held), places,
            rows, *problem.bounds(),
        )  # fmt: skip
        kept[rows] = closed.all(axis=1)
    return np.asarray(kept)


def _too_little(problem: AcProblem, account: Account) -> list[str]:
    """Return why there is no fit to judge, or nothing, by isotherm."""
    curves, needed = problem.curves, len(problem.model.names)
    first = np.where(curves.known, curves.log_omega, np.inf).min(axis=1)
    last = np.where(curves.known, curves.log_omega, -np.inf).max(axis=1)
    # chi = chi' - i chi'': a sign test at three deviations
    excess = (np.sign(curves.chi.imag) * curves.known).sum(axis=1)
    gains = excess > _SIGNIFICANT * np.sqrt(curves.known.sum(axis=1))
    sentences = []
    for row, numbers in enumerate(problem.numbers):
        if last[row] - first[row] < 1e-9:
            sentence = "one frequency only; measure more of them"
        elif numbers <= needed:
            sentence = f"{numbers} numbers for {needed} parameters; measure more frequencies"
        elif gains[row]:
            sentence = "chi'' is negative; check its sign, chi = chi' - i chi''"
        elif not account.converged[row]:
            sentence = (
                "the data leave the parameters open (the fit runs away); widen the frequencies or take "
                "a model with fewer parameters"
            )
        elif not account.regular[row]:
            sentence = (
                "the data leave the parameters open (singular covariance); take a model with fewer parameters"
            )
        else:
            sentence = ""
        sentences.append(sentence)
    return sentences


def _unphysical(problem: AcProblem, account: Account) -> list[str]:
    """Return what cannot be of the fitted parameters, or nothing, by isotherm."""
    model, values, error, scale = problem.model, account.parameters, account.error, problem.scale
    sentences = [""] * len(values)
    linear = [model.names.index(name) for name in model.amplitudes]
    mixing = model.levels_of()
    levels = values[:, linear] @ mixing.T
    spread = np.einsum("ka,gab,kb->gk", mixing, account.covariance[:, linear][..., linear], mixing)
    excess = beyond_limits(problem, values)
    with np.errstate(invalid="ignore"):
        certain = _SIGNIFICANT * np.sqrt(spread)
        faint = levels[:, 1:] <= certain[:, 1:]
        negative = levels < -certain
        negative[:, 0] &= levels[:, 0] < -_TOLERATED * levels[:, 1:].sum(axis=1)
        narrow = (excess > 0) & (excess > _SIGNIFICANT * error)
    for row in np.flatnonzero(faint.any(axis=1) | negative[:, 0] | narrow.any(axis=1)):
        if negative[row, 1:].any():
            height = float(levels[row, 1:][negative[row, 1:]][0] * scale[row])
            sentences[row] = f"a step of chi is negative ({height:.3g}); chi'' has the wrong sign"
        elif faint[row].any():
            sentences[row] = "no relaxation stands out of the noise"
        elif negative[row, 0]:
            sentences[row] = (
                f"chi above the relaxation is negative ({levels[row, 0] * scale[row]:.3g}); correct for "
                "diamagnetism"
            )
        else:
            place = int(np.argmax(narrow[row]))
            sentences[row] = (
                f"{model.names[place]} = {values[row, place]:.3g} +- {error[row, place]:.2g} is unphysical: "
                "the arc is narrower than Debye's"
            )
    return sentences


def _without_error(problem: AcProblem, account: Account, largest_error: float) -> list[str]:
    """Return which time has too large an error, or nothing, by isotherm."""
    times = problem.model.times
    error = account.error[:, [problem.model.names.index(time) for time in times]]
    sentences = [""] * len(error)
    # NaN is too large as well
    for row in np.flatnonzero(~(error <= largest_error).all(axis=1)):
        k = int(np.argmax(~(error[row] <= largest_error)))
        sentences[row] = (
            f"the data leave {times[k]} open (error of ln {times[k]} {error[row, k]:.2g}); widen the "
            "frequencies"
        )
    return sentences


def _remarks(problem: AcProblem, account: Account) -> list[str]:
    """Return what should be said of a fit that stands, by isotherm."""
    model, curves = problem.model, problem.curves
    first = np.where(curves.known, curves.log_omega, np.inf).min(axis=1)
    last = np.where(curves.known, curves.log_omega, -np.inf).max(axis=1)
    peak = -account.parameters[:, [model.names.index(time) for time in model.times]]
    outside = (peak < first[:, None]) | (peak > last[:, None])
    remarks = [""] * len(peak)
    for row in np.flatnonzero(account.held.any(axis=1) | outside.any(axis=1)):
        held = [name for name, stays in zip(model.names, account.held[row], strict=True) if stays]
        notes = [f"{' and '.join(held)} held at the physical limit"] if held else []
        far = [time for time, yes in zip(model.times, outside[row], strict=True) if yes]
        remarks[row] = "; ".join(
            [*notes, *(f"1/{time} lies outside the window of frequencies" for time in far)]
        )
    return remarks
