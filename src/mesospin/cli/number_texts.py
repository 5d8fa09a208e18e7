"""Numbers, lists and ranges of them, with or without units, as texts of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mesospin.errors import InputError

_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_PIECE: Final = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*")
_COUNT: Final = re.compile(r"\s*(\d+)\s*(.*?)\s*")
_LOGARITHMIC: Final = re.compile(r"\s*log\s*(.*?)\s*")
_LARGEST_SERIES: Final = 10_000_000


def one(name: str, text: str, unit: str, convert: Callable[[str, str], float]) -> float:
    """Return one number."""
    (value,) = with_units(name, text, [text], unit, convert)
    return value


def series(name: str, text: str, unit: str, convert: Callable[[str, str], float]) -> list[float]:
    """Return numbers of any quantity: a list, or a range lo:hi:points."""
    if ":" not in text:
        return with_units(name, text, text.split(","), unit, convert)
    pieces = text.split(":")
    spacing = _LOGARITHMIC.fullmatch(pieces[-1]) if len(pieces) == 4 else None
    if spacing is not None:
        pieces = [*pieces[:2], f"{pieces[2]} {spacing.group(1)}"]
    count = _COUNT.fullmatch(pieces[2]) if len(pieces) == 3 else None
    if count is None or not 2 <= int(count.group(1)) <= _LARGEST_SERIES:
        raise InputError(
            f"{name} must be a range lo:hi:points with 2 points or more [{unit}], got {text!r}; "
            "write for example 0:5:501, or 0.1:300:200:log for equal ratios"
        )
    common = count.group(2)
    ends = [piece if _PIECE.fullmatch(piece) is None else f"{piece} {common}" for piece in pieces[:2]]
    if common and any(re.search("[A-Za-z]$", piece.strip()) for piece in pieces[:2]):
        ends = pieces[:2]
    low, high = with_units(name, text, ends, unit, convert)
    points = int(count.group(1))
    if spacing is not None:
        if not (low > 0.0 and high > 0.0):
            raise InputError(f"{name} must have two ends above 0 [{unit}] for log, got {text!r}; drop :log")
        return [low * (high / low) ** (i / (points - 1)) for i in range(points - 1)] + [high]
    return [low + (high - low) * i / (points - 1) for i in range(points - 1)] + [high]


def with_units(
    name: str, text: str, pieces: list[str], unit: str, convert: Callable[[str, str], float]
) -> list[float]:
    """Return the numbers of several texts; the unit of the last holds for those without one."""
    matches = [_PIECE.fullmatch(piece) for piece in pieces]
    common = matches[-1].group(2) if matches[-1] is not None else ""
    values = []
    for match in matches:
        if match is None:
            raise InputError(f"{name} must be numbers with a unit [{unit}], got {text!r}; write numbers")
        own = match.group(2) or common
        values.append(convert(f"{match.group(1)} {own}", name) if own else float(match.group(1)))
    return values
