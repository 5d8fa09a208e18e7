"""One spin: its quantum number, g tensor and kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mesospin import checks
from mesospin.errors import InputError, InvalidModelError

__all__ = ["Spin", "set_fields"]


def set_fields(instance: object, **values: object) -> None:
    """Set the fields of a frozen value inside its constructor."""
    for name, value in values.items():
        object.__setattr__(instance, name, value)


@dataclass(frozen=True, slots=True, init=False)
class Spin:
    r"""A spin with its Zeeman coupling.

    An electronic spin enters :math:`H` with :math:`+\mu_B B\cdot g\cdot S`, a nuclear one with
    :math:`-\mu_N B\cdot g\cdot I`.

    Parameters
    ----------
    S : float
        Quantum number, half-integer (S, J or I).
    g : number, 3 values or 3x3, default 2.0
        g tensor: isotropic, diagonal or full (rows belong to the field, columns to the spin).
    label : str, default "S"
        Letter in formulas, e.g. "J" or "I".
    nuclear : bool, default False
        Whether it is a nuclear spin.

    Raises
    ------
    InvalidModelError
        If S is not a half-integer or g not 1, 3 or 3x3 finite real numbers.

    Examples
    --------
    >>> Spin(4.5, g=2.0).dimension
    10
    >>> Spin(0.7)
    Traceback (most recent call last):
    ...
    mesospin.errors.InvalidModelError: S must be a positive half-integer (1/2, 1, ...), got 0.7; round it
    """

    S: float
    g: tuple[tuple[float, ...], ...]
    label: str
    nuclear: bool

    def __init__(
        self, S: float, g: float | Sequence[Any] = 2.0, label: str = "S", nuclear: bool = False
    ) -> None:
        if not isinstance(label, str) or not label:
            raise InvalidModelError(f"label must be a non-empty text, got {label!r}; write for example 'S'")
        set_fields(self, S=checks.half_integer("S", S), g=_g_tensor(g), label=label, nuclear=bool(nuclear))

    @property
    def dimension(self) -> int:
        """Number of states, 2S + 1."""
        return round(2 * self.S) + 1

    @property
    def is_isotropic(self) -> bool:
        """Whether g is a multiple of the unit tensor."""
        g = self.g[0][0]
        return all(self.g[a][b] == (g if a == b else 0.0) for a in range(3) for b in range(3))


def _g_tensor(value: float | Sequence[Any]) -> tuple[tuple[float, ...], ...]:
    try:
        array = checks.finite_array("g", value)
    except InputError as error:
        raise InvalidModelError(str(error)) from None
    if array.shape == ():
        array = np.eye(3) * array
    elif array.shape == (3,):
        array = np.diag(array)
    elif array.shape != (3, 3):
        raise InvalidModelError(
            f"g must be 1, 3 or 3 x 3 numbers, got shape {array.shape}; give a scalar or a tensor"
        )
    return tuple(tuple(float(entry) for entry in row) for row in array)
