"""Checks of user input: each returns the clean value or raises one sentence that says what to do.

Every comparison is written so that NaN fails it.
"""

import difflib
import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin.errors import InputError, InvalidModelError

__all__ = [
    "finite",
    "finite_array",
    "first_wrong",
    "fraction_of_one",
    "half_integer",
    "instance_of",
    "integer",
    "nearest",
    "no_shared_dimensions",
    "non_negative",
    "one_of",
    "positive",
    "span",
    "spin_text",
]

_LARGEST_SPIN = 1e9


def _with_unit(unit: str) -> str:
    return f" [{unit}]" if unit else ""


def _number(name: str, value: object, unit: str) -> float:
    kinds = (int, float, np.integer, np.floating)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise InputError(f"{name} must be a real number{_with_unit(unit)}, got {value!r}; give one number")
    return float(value)


def finite(name: str, value: object, unit: str = "") -> float:
    """Return `value` as a finite float.

    Examples
    --------
    >>> finite("D", -0.5, "K")
    -0.5
    """
    number = _number(name, value, unit)
    if not math.isfinite(number):
        raise InputError(f"{name} must be finite{_with_unit(unit)}, got {number}; give a number")
    return number


def positive(name: str, value: object, unit: str = "") -> float:
    """Return `value` as a finite float above zero.

    Examples
    --------
    >>> positive("rate", 0.003, "T/s")
    0.003
    """
    number = _number(name, value, unit)
    if not (0.0 < number < math.inf):
        raise InputError(
            f"{name} must be positive and finite{_with_unit(unit)}, got {number}; give a value above 0"
        )
    return number


def non_negative(name: str, value: object, unit: str = "") -> float:
    """Return `value` as a finite float that is zero or above.

    Examples
    --------
    >>> non_negative("width", 0, "T")
    0.0
    """
    number = _number(name, value, unit)
    if not (0.0 <= number < math.inf):
        raise InputError(
            f"{name} must be zero or positive and finite{_with_unit(unit)}, got {number}; give 0 or more"
        )
    return number


def fraction_of_one(name: str, value: object) -> float:
    """Return `value` as a float between 0 and 1, both included.

    Examples
    --------
    >>> fraction_of_one("weight", 0.125)
    0.125
    """
    number = _number(name, value, "")
    if not (0.0 <= number <= 1.0):
        raise InputError(f"{name} must lie between 0 and 1, got {number}; give a fraction")
    return number


def integer(name: str, value: object, *, at_least: int | None = None, at_most: int | None = None) -> int:
    """Return `value` as an int inside the limits.

    Examples
    --------
    >>> integer("nodes", 3, at_least=1)
    3
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(f"{name} must be an integer, got {value!r}; give a whole number")
    number = int(value)
    if at_least is not None and number < at_least:
        raise InputError(f"{name} must be at least {at_least}, got {number}; give a larger integer")
    if at_most is not None and number > at_most:
        raise InputError(f"{name} must be at most {at_most}, got {number}; give a smaller integer")
    return number


def finite_array(
    name: str, value: ArrayLike, unit: str = "", *, shape: tuple[int | None, ...] | None = None
) -> NDArray[np.float64]:
    """Return `value` as a new float array without NaN or infinity.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    value : array-like
        Real numbers.
    unit : str, default ""
        Unit, for the message.
    shape : tuple of int or None, optional
        Wanted shape; ``None`` inside it is any length.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    InputError
        If an entry is not a finite real number or the shape differs.

    Examples
    --------
    >>> finite_array("B", [0, 1], "T")
    array([0., 1.])
    """
    try:
        array = np.array(value)
    except (ValueError, TypeError):
        raise InputError(f"{name} must be an array of numbers{_with_unit(unit)}, got a ragged list") from None
    if array.dtype.kind not in "iuf":
        raise InputError(
            f"{name} must be an array of real numbers{_with_unit(unit)}, got {value!r}; give numbers"
        )
    array = array.astype(np.float64)
    if not np.all(np.isfinite(array)):
        wrong = first_wrong(array, np.isfinite(array))
        raise InputError(
            f"{name} must be finite everywhere{_with_unit(unit)}, got {wrong}; remove NaN and infinity"
        )
    if shape is not None and not _has_shape(array, shape):
        wanted = "(" + ", ".join("n" if n is None else str(n) for n in shape) + ")"
        raise InputError(f"{name} must have shape {wanted}{_with_unit(unit)}, got {array.shape}; reshape it")
    return array


def first_wrong(array: NDArray[np.float64], right: NDArray[np.bool_]) -> str:
    """Return the first entry that is not right, and where it stands, for a message.

    Examples
    --------
    >>> T = np.linspace(0.0, 300.0, 100)
    >>> first_wrong(T, T > 0.0)
    '0 at index 0 of 100'
    >>> first_wrong(np.array(-1.5), np.array(False))
    '-1.5'
    """
    if array.ndim == 0:
        return f"{float(array):g}"
    place = np.argwhere(~right)[0].tolist()
    value = f"{float(array[tuple(place)]):g}"
    if array.ndim == 1:
        return f"{value} at index {place[0]} of {array.size}"
    return f"{value} at index {tuple(place)} of {array.shape}"


def _has_shape(array: NDArray[np.float64], shape: tuple[int | None, ...]) -> bool:
    return array.ndim == len(shape) and all(
        w is None or n == w for n, w in zip(array.shape, shape, strict=True)
    )


def span(name: str, value: object, unit: str = "T") -> tuple[float, float]:
    """Return a range ``(lo, hi)`` with ``lo < hi``.

    Examples
    --------
    >>> span("span", (-5, 5))
    (-5.0, 5.0)
    """
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray) or len(value) != 2:
        raise InputError(
            f"{name} must be two numbers (lo, hi){_with_unit(unit)}, got {value!r}; give both ends"
        )
    low, high = (finite(name, end, unit) for end in value)
    if not low < high:
        raise InputError(
            f"{name} must rise from lo to hi{_with_unit(unit)}, got ({low}, {high}); exchange the two ends"
        )
    return low, high


def half_integer(name: str, value: object) -> float:
    """Return a spin quantum number, 1/2, 1, 3/2, ...

    Raises
    ------
    InvalidModelError
        If twice the value is not a positive integer.

    Examples
    --------
    >>> half_integer("S", 4.5)
    4.5
    """
    number = _number(name, value, "")
    if not (0.5 <= number <= _LARGEST_SPIN and (2.0 * number).is_integer()):
        raise InvalidModelError(
            f"{name} must be a positive half-integer (1/2, 1, ...), got {number}; round it"
        )
    return number


def spin_text(value: float) -> str:
    """Return a half-integer as people write it.

    Examples
    --------
    >>> spin_text(4.5), spin_text(-10.0)
    ('9/2', '-10')
    """
    doubled = round(2 * value)
    return str(doubled // 2) if doubled % 2 == 0 else f"{doubled}/2"


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return a hint that names the nearest of `choices`, or all of them if none is near.

    Examples
    --------
    >>> nearest("mn12", ["mn12ac", "fe8"])
    'did you mean mn12ac?'
    """
    known = list(choices)
    lowered = {choice.lower(): choice for choice in known}
    close = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.5)
    if close:
        return f"did you mean {lowered[close[0]]}?"
    return "choose one of " + ", ".join(known) if known else "there is nothing to choose from"


def no_shared_dimensions(**arrays: object) -> None:
    """Raise if labelled arrays share a dimension: pointwise evaluation is not what a grid gives."""
    named = [(name, set(getattr(value, "dims", ()))) for name, value in arrays.items()]
    for i, (first, dims) in enumerate(named):
        for second, others in named[i + 1 :]:
            if dims & others:
                shared = ", ".join(sorted(map(str, dims & others)))
                raise InputError(
                    f"{first} and {second} must not share a dimension here, got {shared}; every T is "
                    "combined with every B, so pick the points from the result"
                )


def instance_of(name: str, value: object, *kinds: type, hint: str) -> None:
    """Raise unless `value` is an instance of one of `kinds`; `hint` says what to do instead.

    Examples
    --------
    >>> instance_of("S", 1.5, int, hint="double it")
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: S must be an int, got 1.5; double it
    """
    if not isinstance(value, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        article = "an" if names[0] in "aeiouAEIOU" else "a"
        raise InputError(f"{name} must be {article} {names}, got {value!r}; {hint}")


def one_of(name: str, value: object, choices: Sequence[str]) -> str:
    """Return `value` if it is one of `choices`.

    Examples
    --------
    >>> one_of("convention", "-2J", ("+J", "-J", "-2J"))
    '-2J'
    """
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(choices)
        raise InputError(f"{name} must be one of {listed}, got {value!r}; {nearest(str(value), choices)}")
    return value
