"""What every term of a Hamiltonian can do, and the reading of its parameters."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from mesospin import checks, units
from mesospin.errors import InvalidModelError
from mesospin.model.spin import Spin
from mesospin.operators.local import LocalOperator

__all__ = [
    "Frame",
    "Product",
    "Tensor",
    "Term",
    "check_sites",
    "frame_angle",
    "frame_text",
    "read_frame",
    "read_tensor",
]

Product = tuple[tuple[int, LocalOperator], ...]
"""Operators of different spins, ((site, operator), ...), whose Kronecker product is one summand of H [K]."""

Frame = tuple[float, float, float]
"""zyz Euler angles [rad] of the active rotation that carries x, y, z into the axes of a term."""

Tensor = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


class Term(ABC):
    """One Hermitian summand of a Hamiltonian, with its parameters in kelvin."""

    __slots__ = ()

    @property
    @abstractmethod
    def sites(self) -> tuple[int, ...]:
        """Indices of the spins on which the term acts."""

    @abstractmethod
    def products(self, spins: tuple[Spin, ...]) -> list[Product]:
        """Return the products of local operators [K] whose sum is the term."""

    @abstractmethod
    def formula(self, spins: tuple[Spin, ...]) -> str:
        """Return the term as a line of text, with its values [K]."""

    @abstractmethod
    def validate(self, spins: tuple[Spin, ...]) -> None:
        """Raise InvalidModelError if the term does not fit these spins."""


def check_sites(what: str, sites: Sequence[int], spins: tuple[Spin, ...]) -> None:
    """Raise if a site does not exist or two sites of one term coincide."""
    for site in sites:
        if not 0 <= site < len(spins):
            raise InvalidModelError(
                f"{what} must act on a site between 0 and {len(spins) - 1}, got {site}; count from 0"
            )
    if len(set(sites)) != len(sites):
        raise InvalidModelError(
            f"{what} must couple two different sites, got {sites[0]} twice; use a single-spin term"
        )


def read_frame(frame: Sequence[units.Quantity] | None) -> Frame | None:
    """Return three Euler angles [rad], or None for the axes of the system.

    Raises
    ------
    InvalidModelError
        If they are not three, or a number without unit is larger than a turn.

    Examples
    --------
    >>> [round(angle, 4) for angle in read_frame((0.1, "90 deg", "450 deg"))]
    [0.1, 1.5708, 1.5708]
    """
    if frame is None:
        return None
    if isinstance(frame, str) or len(frame) != 3:
        raise InvalidModelError(
            f"frame must be three zyz Euler angles [rad], got {frame!r}; write (alpha, beta, gamma)"
        )
    alpha, beta, gamma = (frame_angle(angle) for angle in frame)
    return alpha, beta, gamma


def frame_angle(value: units.Quantity, name: str = "frame") -> float:
    """Return an angle of a frame within a turn [rad]; only with its unit may it be given beyond one."""
    angle = units.to_radian(value, name)
    if abs(angle) <= math.tau * (1.0 + 1e-9):
        return angle
    if isinstance(value, str):
        return math.fmod(angle, math.tau)
    raise InvalidModelError(
        f"{name} must be angles of at most a turn, 2 pi [rad], got {angle:g}; for degrees write "
        f'"{angle:g} deg"'
    )


def read_tensor(name: str, value: object, *, energy: bool) -> Tensor:
    """Return a 3x3 tensor from one number, three diagonal values or nine.

    Parameters
    ----------
    name : str
        Name of the parameter, for messages.
    value : number, text, or nested sequence
        Scalar (isotropic), three values (diagonal) or three rows of three.
    energy : bool
        Whether entries are energies (texts with units allowed) or pure numbers.
    """
    convert = units.to_kelvin if energy else units.to_dimensionless
    rows = _nested(value)
    if not isinstance(rows, list):
        number = convert(rows, name)
        return (number, 0.0, 0.0), (0.0, number, 0.0), (0.0, 0.0, number)
    if len(rows) != 3:
        raise InvalidModelError(
            f"{name} must be 1, 3 or 3 x 3 values, got {value!r}; give a scalar, a diagonal or a tensor"
        )
    if any(isinstance(row, list) for row in rows):
        if not all(isinstance(row, list) and len(row) == 3 for row in rows):
            raise InvalidModelError(f"{name} must be 1, 3 or 3 x 3 values, got {value!r}; complete the rows")
        x, y, z = ((convert(a, name), convert(b, name), convert(c, name)) for a, b, c in rows)
        return x, y, z
    a, b, c = (convert(entry, name) for entry in rows)
    return (a, 0.0, 0.0), (0.0, b, 0.0), (0.0, 0.0, c)


def _nested(value: object) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_nested(entry) for entry in value]
    return value


def frame_text(frame: Frame | None) -> str:
    """Return the remark on rotated axes that a formula carries, empty for none."""
    if frame is None:
        return ""
    return (
        "  (axes rotated by zyz Euler angles "
        + ", ".join(f"{np.degrees(angle):g}" for angle in frame)
        + " deg)"
    )


def signed(value: float) -> str:
    """Return an energy for a formula: sign, space, magnitude and unit."""
    checks.finite("coefficient", value, "K")
    return f"{'-' if value < 0 else '+'} {abs(value):.10g} K"
