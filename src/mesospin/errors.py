"""The errors and the warning of the package; every message is one sentence with the next step."""

from collections.abc import Mapping

__all__ = [
    "ConvergenceError",
    "InputError",
    "InvalidModelError",
    "MesospinError",
    "StudyError",
    "TooLargeError",
    "UnitError",
    "ValidityWarning",
]


class MesospinError(Exception):
    """Base of everything that the package raises on purpose."""


class InputError(MesospinError, ValueError):
    """An argument breaks its condition; the command line answers with exit code 2."""


class InvalidModelError(InputError):
    """A spin or a term contradicts physics or the rest of its system."""


class UnitError(InputError):
    """A text with a unit cannot be read as the wanted quantity."""


class StudyError(InputError):
    """A study file has an unknown, missing or ill-typed entry."""


class TooLargeError(InputError):
    """A computation does not fit in memory; nothing has been started."""


class ConvergenceError(MesospinError):
    """A numerical method stopped before it reached its tolerance.

    Parameters
    ----------
    message : str
        One sentence.
    diagnostics : mapping, optional
        What is needed to see why (steps, residuals, the worst point).

    Examples
    --------
    >>> ConvergenceError("no root after 50 steps", {"residual": 1e-3}).diagnostics
    {'residual': 0.001}
    """

    def __init__(self, message: str, diagnostics: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.diagnostics: dict[str, object] = dict(diagnostics or {})


class ValidityWarning(UserWarning):
    """A formula is used at the edge of, or outside, its range of validity."""


class NoLineWarning(ValidityWarning):
    """A sweep meets no line; commands and studies refuse it with the same sentence."""
