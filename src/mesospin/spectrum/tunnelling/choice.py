"""Which method computes a splitting when none is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mesospin.checks import one_of
from mesospin.errors import ConvergenceError, InputError
from mesospin.spectrum.tunnelling.double_precision import DoublePrecision
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.perturbative import Perturbative
from mesospin.spectrum.tunnelling.problem import Problem, StatePair
from mesospin.spectrum.tunnelling.proved.certified import Certified
from mesospin.spectrum.tunnelling.semiclassical import Semiclassical

#: Dimension up to which dense matrices of a single spin are cheaper than its ladder.
_DENSE_DIMENSION = 161
#: Digits asked of ball arithmetic when double precision does not do.
_DIGITS = 15


def choose(problem: Problem) -> tuple[Gap, Method, str]:
    """Return the gap, the method that gave it and why that one.

    Double precision comes first.  Where it cannot name the levels or hold its digits, a single spin is
    treated on its ladder of levels (labels count the levels of a well) and any other system in balls.
    """
    ladder = len(problem.system.spins) == 1 and isinstance(problem.pair, StatePair)
    if ladder and problem.system.dimension > _DENSE_DIMENSION:
        method: Method = LargeSpin()
        return method.gap(problem), method, f"{problem.system.dimension} states are a long ladder"
    method = DoublePrecision()
    try:
        return method.gap(problem), method, "double precision holds it"
    except ConvergenceError as error:
        refusal: InputError | ConvergenceError = error
        why = "double precision cannot resolve it"
    except InputError as error:
        if not ladder:
            raise
        refusal, why = error, "no level is mostly one of the two states, which count the levels of a well"
    method = LargeSpin() if ladder else Certified(_DIGITS)
    try:
        return method.gap(problem), method, why
    except InputError:
        # the ladder knows why the wells hold no such levels
        if ladder:
            raise
        raise refusal from None
    except ConvergenceError:
        raise refusal from None


METHODS: Final[Mapping[str, Callable[[], Method]]] = {
    "double-precision": DoublePrecision,
    "certified": Certified,
    "large-spin": LargeSpin,
    "perturbative": Perturbative,
    "semiclassical": Semiclassical,
}
"""The methods by the names that study files and the command line use."""


def splitting_method(name: str | None, digits: int | None = None) -> Method | None:
    """Return a way to compute a splitting by its name in study files and on the command line.

    Parameters
    ----------
    name : str or None
        ``"double-precision"``, ``"certified"``, ``"large-spin"``, ``"perturbative"`` or ``"semiclassical"``.
    digits : int, optional
        Certified digits; means `Certified`.

    Returns
    -------
    Method or None
        None, to have one chosen, where neither is given.

    Raises
    ------
    InputError
        If there is no such method, or digits are asked of one that does not certify them.

    Examples
    --------
    >>> splitting_method(None, 20), splitting_method("large-spin"), splitting_method(None)
    (Certified(digits=20), LargeSpin(), None)
    """
    if digits is not None:
        if name not in (None, "certified"):
            msg = f"digits must go with method certified, got {name}; leave one of them out"
            raise InputError(msg)
        return Certified(digits)
    return None if name is None else METHODS[one_of("method", name, tuple(METHODS))]()
