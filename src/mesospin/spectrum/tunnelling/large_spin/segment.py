"""A part of a chain: how many levels lie below an energy, and a level dressed by its surroundings."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from flint import fmpq
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from mesospin.spectrum.tunnelling.large_spin import banded, tridiagonal
from mesospin.spectrum.tunnelling.large_spin.double_double import exact, split
from mesospin.spectrum.tunnelling.large_spin.elements import Chain

__all__ = ["Dressed", "Segment", "dress", "isolate", "segment"]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: Precision of a level relative to its distance from the next, from which Newton's method starts.
_ISOLATED = 1e-3
_HALVINGS = 400
_OFFSET = 1e-13


class Segment(NamedTuple):
    """Sites ``first``, ... of a chain with their elements, high and low parts."""

    chain: Chain
    first: int
    d: Real
    off: Real
    reference: fmpq

    @property
    def sites(self) -> int:
        """Number of sites."""
        return int(self.d.shape[1])

    @property
    def shallow(self) -> Real:
        """Diagonal above the reference energy, in doubles."""
        high, low = split(self.reference)
        return np.asarray((self.d[0] - high) + (self.d[1] - low))

    @property
    def rows(self) -> Complex:
        """Elements <site|H|site - k> of a chain that is not narrow, in doubles."""
        return np.asarray(self.off[:, 0] + 1j * self.off[:, 2])

    def count_below(self, energy: float) -> int:
        """Return the number of levels below an energy above the reference energy."""
        if self.chain.is_narrow:
            return int(tridiagonal.count_below(self.shallow, self.off[0], energy))
        return int(banded.count_below(self.shallow, self.rows, energy))

    def bounds(self) -> tuple[float, float]:
        """Return energies between which all levels lie."""
        reach = np.sqrt(np.max(self.off)) if self.chain.is_narrow else np.abs(self.rows).sum(axis=0).max()
        return float(self.shallow.min() - 2 * reach), float(self.shallow.max() + 2 * reach)


class Dressed(NamedTuple):
    """The solution of (H - E) psi = gamma e_site with psi_site = 1.

    ``weight`` is |psi|^2 of every site, ``norm`` its sum, ``slope`` <dH/dB> [K/T], ``pivot`` the smallest
    pivot relative to its row.
    """

    site: int
    gamma: fmpq
    norm: fmpq
    weight: Real
    slope: float
    pivot: float


def segment(chain: Chain, first: int, last: int) -> Segment:
    """Return the sites ``first`` to ``last`` of a chain."""
    count = last - first + 1
    d, off = (chain.ladder_pairs if chain.is_narrow else chain.band_rows)(first, count)
    middle = count // 2
    return Segment(chain, first, d, off, exact((d[0, middle], d[1, middle])))


def isolate(part: Segment, level: int) -> tuple[float, float, float]:
    """Return a level and its two neighbours above the reference energy, infinite where there is none."""
    ends = part.bounds()
    low, high = dict.fromkeys((-1, 0, 1), ends[0]), dict.fromkeys((-1, 0, 1), ends[1])
    wanted = [k for k in (-1, 0, 1) if 0 <= level + k < part.sites]
    for _ in range(_HALVINGS):
        found = {k: 0.5 * (low[k] + high[k]) for k in wanted}
        gap = min((abs(found[k] - found[0]) for k in wanted if k), default=math.inf)
        loose = [k for k in wanted if high[k] - low[k] > max(_ISOLATED * gap, 1e-15 * (ends[1] - ends[0]))]
        if not loose:
            break
        trial = found[loose[0]]
        below = part.count_below(trial)
        for k in wanted:
            if below > level + k:
                high[k] = min(high[k], trial)
            else:
                low[k] = max(low[k], trial)
    return found.get(-1, -math.inf), found[0], found.get(1, math.inf)


def dress(part: Segment, energy: fmpq, site: int = -1, skipped: int = -1) -> Dressed:
    """Return the level near ``energy`` seen from a site of the chain (-1: the one with most weight).

    ``skipped`` is left out of the chain; a narrow segment must end before it.
    """
    eh, el = split(energy)
    inside = -1 if site < 0 else site - part.first
    if part.chain.is_narrow:
        inside, *numbers, weight = tridiagonal.dressed(part.d, part.off, eh, el, inside)
        gamma, norm = exact((numbers[0], numbers[1])), exact((numbers[2], numbers[3]))
        slopes = part.chain.slope_diagonal(part.first, part.sites)
        return Dressed(inside + part.first, gamma, norm, weight, float(weight @ slopes) / float(norm), 1.0)
    if inside < 0:
        inside = _heaviest(part, float(energy - part.reference))
    absent = skipped - part.first if skipped >= 0 else -1
    effective, measures, factors = folded_segment(part, eh, el, inside, absent)
    x, nh, nl = banded.back_substitute(factors, inside, absent)
    vector = x[:, 0] + 1j * x[:, 2]
    gamma, norm = exact((effective[0, 0, 0], effective[0, 0, 1])), exact((nh, nl))
    slope = _expectation(part, vector) / float(norm)
    return Dressed(inside + part.first, gamma, norm, np.abs(vector) ** 2, slope, float(measures[0]))


def folded_segment(part: Segment, eh: float, el: float, kept: int, skipped: int) -> tuple[Real, Real, Real]:
    """Return the effective matrix, the measures and the factors of a segment folded onto one site."""
    w = part.chain.width
    window, border, effective = np.zeros((w + 1, w + 1, 4)), np.zeros((3, w + 1, 4)), np.zeros((2, 2, 4))
    measures, factors = np.array([1.0, 0.0]), np.zeros((part.sites, w + 2, 4))
    place = np.array([0, 0, 0, int(not part.off[:, 2].any()), 1, 1])
    sites = np.array([kept, -1, skipped])
    ending = np.array([[eh + 1.0] * w, [el] * w])
    for d, off in ((part.d, part.off), (ending, np.zeros((w, 4, w)))):
        banded.fold(d, off, eh, el, sites, place, window, border, effective, measures, factors)
    return effective, measures, factors


def _heaviest(part: Segment, energy: float) -> int:
    """Return the index of the largest component of the level nearest to an energy, by inverse iteration."""
    d, off = part.shallow, part.rows
    w, n = off.shape
    if n == 1:
        return 0
    energy += _OFFSET * float(np.ptp(d))  # not exactly on the level
    bands = np.zeros((2 * w + 1, n), dtype=np.complex128)
    bands[w] = d - energy
    for k in range(1, min(w, n - 1) + 1):
        bands[w - k, k:] = off[k - 1, k:].conj()
        bands[w + k, : n - k] = off[k - 1, k:]
    inside = min(w, n - 1)
    bands = bands[w - inside : w + inside + 1]
    x: Complex = np.asarray(np.random.default_rng(0).normal(size=n), dtype=np.complex128)
    for _ in range(3):
        x = solve_banded((inside, inside), bands, x)
        x /= np.abs(x).max()
    return int(np.argmax(np.abs(x)))


def _expectation(part: Segment, x: Complex) -> float:
    """Return <x|dH/dB|x> [K/T]."""
    rows = part.chain.slope_rows(part.first, part.sites)
    total = float((np.abs(x) ** 2) @ part.chain.slope_diagonal(part.first, part.sites))
    for k in range(1, min(rows.shape[0], len(x) - 1) + 1):
        total += 2 * float((x[k:].conj() @ (rows[k - 1, k:] * x[:-k])).real)
    return total
