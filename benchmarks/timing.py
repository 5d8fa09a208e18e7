"""Interleaved timing of a peer and of this package, and the row of the table it gives."""

import statistics
import time
from collections.abc import Callable
from typing import Any


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds and the result of one call."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def interleaved(
    name: str,
    peer_name: str,
    peer: Callable[[], Any],
    ours: Callable[[], Any],
    error: Callable[[Any], float],
    *,
    rounds: int = 5,
    goal: float | None = None,
    peer_error: Callable[[Any], float] | None = None,
) -> dict[str, Any]:
    """Time both in turn and return a row: medians, the median of the ratios, and the error of both.

    ``peer_error`` is for a peer that solves the problem with other constants of nature.
    """
    pairs = [(timed(peer), timed(ours)) for _ in range(rounds)]
    return {
        "name": name,
        "peer": peer_name,
        "peer_seconds": statistics.median(theirs[0] for theirs, _ in pairs),
        "peer_error": (peer_error or error)(pairs[-1][0][1]),
        "ours_seconds": statistics.median(mine[0] for _, mine in pairs),
        "ours_error": error(pairs[-1][1][1]),
        "ratio": statistics.median(theirs[0] / mine[0] for theirs, mine in pairs),
        "goal": goal,
    }


def absolute(
    name: str, allowed: float, ours: Callable[[], Any], error: float, tolerated: float, *, rounds: int = 5
) -> dict[str, Any]:
    """Return a row that sets the time of this package beside the time allowed."""
    seconds = [timed(ours)[0] for _ in range(rounds)]
    return {
        "name": name,
        "peer": "time and error allowed",
        "peer_seconds": allowed,
        "peer_error": tolerated,
        "ours_seconds": statistics.median(seconds),
        "ours_error": error,
        "ratio": allowed / statistics.median(seconds),
        "goal": 1.0,
        "ours_fastest_seconds": min(seconds),
    }
