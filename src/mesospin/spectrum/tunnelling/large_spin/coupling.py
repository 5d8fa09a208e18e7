"""The coupling of two sites of a chain through all others, at any size, as mantissa and exponent."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from flint import fmpq

from mesospin.spectrum.tunnelling.large_spin.banded import fold
from mesospin.spectrum.tunnelling.large_spin.double_double import EPSILON, exact, split
from mesospin.spectrum.tunnelling.large_spin.elements import Chain
from mesospin.spectrum.tunnelling.large_spin.tridiagonal import START, sweep

__all__ = ["Coupling", "Effective", "coupling", "effective"]

#: Sites whose elements are held at a time.
_CHUNK = 8192


class Coupling(NamedTuple):
    """|h_ab|^2 = ``square * 2**exponent`` in the unit of the chain.

    ``error`` is its relative rounding error, ``cancelled`` the size of the paths that interfere, relative to
    what is left of them.
    """

    square: fmpq
    exponent: int
    error: float
    cancelled: float


class Effective(NamedTuple):
    """h_aa - E, h_bb - E and h_ba = (``real`` + i ``imaginary``) 2**``exponent``; see `Coupling`."""

    first: fmpq
    second: fmpq
    real: fmpq
    imaginary: fmpq
    exponent: int
    error: float
    cancelled: float


class _Swept(NamedTuple):
    """Last pivot, product of the squared bonds, product of the pivots, their exponents."""

    pivot: fmpq
    bonds: fmpq
    pivots: fmpq
    exponents: tuple[int, int]


def coupling(
    chain: Chain, a: int, b: int, energy: fmpq, ends: tuple[int, int], *, symmetric: bool
) -> Coupling:
    """Return the coupling of the sites a < b through all other sites.

    Parameters
    ----------
    chain : Chain
        The chain.
    a, b : int
        Sites.
    energy : fmpq
        Energy at which the others are eliminated.
    ends : tuple of int
        First and last site that matter.
    symmetric : bool
        Whether the chain is its own mirror image and b that of a.
    """
    if chain.is_narrow:
        return _through_bonds(chain, a, b, energy, symmetric=symmetric)
    h = effective(chain, a, b, energy, ends)
    return Coupling(h.real**2 + h.imaginary**2, 2 * h.exponent, 2 * h.error, h.cancelled)


def _through_bonds(chain: Chain, a: int, b: int, energy: fmpq, *, symmetric: bool) -> Coupling:
    """Return h_ab^2 = prod t^2 / prod F^2 from sweeps that start at both ends and meet in the middle."""
    between = b - a - 1
    if between == 0:
        return Coupling(exact(_first(chain.ladder_pairs(b, 1)[1])), 0, 4 * EPSILON, 1.0)
    left, right = (between - 1) // 2, between - 1 - (between - 1) // 2
    upper, longer = _sweep(chain, a + 1, left, energy, upwards=False, also=right - left)
    lower = longer if symmetric else _sweep(chain, b - 1, right, energy, upwards=True, also=0)[0]
    middle = a + 1 + left
    d, above = chain.ladder_pairs(middle, 1)
    below = chain.ladder_pairs(middle + 1, 1)[1]
    t, s = exact(_first(above)), exact(_first(below))
    pivot = exact(_first(d)) - energy - t / upper.pivot - s / lower.pivot
    square = upper.bonds * t * lower.bonds * s / (upper.pivots * lower.pivots * pivot) ** 2
    exponent = sum(part.exponents[0] - 2 * part.exponents[1] for part in (upper, lower))
    return Coupling(square, exponent, 16 * EPSILON * between, 1.0)


def _first(pair: np.ndarray) -> tuple[float, float]:
    return float(pair[0, 0]), float(pair[1, 0])


def _sweep(
    chain: Chain, start: int, count: int, energy: fmpq, *, upwards: bool, also: int
) -> tuple[_Swept, _Swept]:
    """Return the sweep over ``count`` sites, and over ``also`` more."""
    state, powers = np.array([START, 0.0, 1.0, 0.0, 1.0, 0.0]), np.zeros(2, dtype=np.int64)
    eh, el = split(energy)
    results, done = [], 0
    for goal in (count, count + also):
        while done < goal:
            size = min(_CHUNK, goal - done)
            d, square = chain.ladder_pairs(start - done if upwards else start + done, size, upwards=upwards)
            sweep(d, square, eh, el, state, powers)
            done += size
        parts = [exact((float(state[k]), float(state[k + 1]))) for k in (0, 2, 4)]
        results.append(_Swept(parts[0], parts[1], parts[2], (int(powers[0]), int(powers[1]))))
    return results[0], results[1]


def effective(chain: Chain, a: int, b: int, energy: fmpq, ends: tuple[int, int]) -> Effective:
    """Return the matrix of the sites a < b with all other sites between ``ends`` eliminated."""
    w = chain.width
    window, border, matrix = np.zeros((w + 1, w + 1, 4)), np.zeros((3, w + 1, 4)), np.zeros((2, 2, 4))
    measures, factors = np.array([1.0, 0.0]), np.zeros((0, w + 2, 4))
    real = not any(parts[1].any() for parts in chain.hops.values())
    place, kept = np.array([0, 0, 0, int(real), 0, 1]), np.array([a - ends[0], b - ends[0], -1])
    eh, el = split(energy)

    def take(d: np.ndarray, rows: np.ndarray) -> None:
        fold(d, rows, eh, el, kept, place, window, border, matrix, measures, factors)

    for start in range(ends[0], ends[1] + 1, _CHUNK):
        take(*chain.band_rows(start, min(_CHUNK, ends[1] + 1 - start)))
    take(np.array([[eh + 1.0] * w, [el] * w]), np.zeros((w, 4, w)))
    first, second, real_part, imaginary = (
        exact((float(matrix[i, k, c]), float(matrix[i, k, c + 1]))) for i, k, c in _ENTRIES
    )
    size = math.hypot(float(real_part), float(imaginary))
    count = ends[1] - ends[0] + 1
    disturbed = float(measures[1]) / size if size else math.inf
    error = 10 * EPSILON * (disturbed + count) / float(measures[0])
    cancelled = max(1.0, disturbed / math.sqrt(count))
    return Effective(first, second, real_part, imaginary, int(place[1]), error, cancelled)


_ENTRIES = ((0, 0, 0), (1, 1, 0), (1, 0, 0), (1, 0, 2))
