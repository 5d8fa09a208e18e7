"""A level of one well: found by counting, then refined to 32 digits on the few sites that it occupies."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from mesospin.errors import ConvergenceError
from mesospin.scale import require_memory
from mesospin.spectrum.tunnelling.large_spin.double_double import rational, rounded
from mesospin.spectrum.tunnelling.large_spin.elements import Chain
from mesospin.spectrum.tunnelling.large_spin.landscape import Landscape, require_one_well
from mesospin.spectrum.tunnelling.large_spin.segment import Dressed, Segment, dress, isolate, segment

__all__ = ["OPAQUE", "Level", "alone", "find_level", "follow_level"]

Real = NDArray[np.float64]

#: Weight below which a site is left out of a level.
OPAQUE = 1e-38
#: Energy (elements are of order one) to which a level is refined.
_RESOLVED = 1e-29
#: Sites on either side of the bottom of a well that are looked at first.
_REACH = 32
_STEPS = 12


class Level(NamedTuple):
    """A level of one well.

    ``site`` carries the most weight, ``energy`` and ``spacing`` (to the nearest level of the well) are in
    the unit of the chain, ``norm`` is |psi|^2 for psi_site = 1, ``slope`` is <dH/dB> [K/T], ``first`` and
    ``last`` bound the sites that were used, ``leak`` is the relative weight at the barrier and ``pivot``
    the smallest pivot.
    """

    site: int
    energy: fmpq
    norm: fmpq
    slope: float
    spacing: float
    first: int
    last: int
    leak: float
    pivot: float

    def mirrored(self, sites: int) -> Level:
        """Return the level at -m of a mirror-symmetric chain."""
        last = sites - 1
        return self._replace(
            site=last - self.site, slope=-self.slope, first=last - self.last, last=last - self.first
        )


def find_level(chain: Chain, land: Landscape, side: int, rank: int, what: str) -> Level:
    """Return a level of the well on one side (0: higher m) of the barrier, counted from the bottom."""
    edges = land.edges[side]
    bottom = land.bottoms[side]
    if rank > edges[1] - edges[0]:
        require_one_well(land, np.inf, side, what)
    inner = 0.0 if bottom in edges else 1.5 * math.sqrt(chain.S)
    reach = [_REACH + 2 * rank + int(inner)] * 2
    while True:
        first, last = max(edges[0], bottom - reach[0]), min(edges[1], bottom + reach[1])
        whole = (first, last) == edges
        if last - first > rank or whole:
            part = segment(chain, first, last)
            below, at, above = isolate(part, rank)
            found = dress(part, rounded(part.reference + rational(at)))
            ends = found.weight[: chain.width], found.weight[-chain.width :]
            tails = [float(end.max()) / float(found.norm) for end in ends]
            grow = [tails[0] > OPAQUE and first > edges[0], tails[1] > OPAQUE and last < edges[1]]
            if not any(grow):
                break
        else:
            grow = [True, True]
        reach = [2 * r if g else r for r, g in zip(reach, grow, strict=True)]
    require_one_well(land, float(part.reference + rational(at)), side, what)
    energy, found = _refined(part, part.reference + rational(at), found.site, -1)
    leak = tails[1] if side == 0 else tails[0]
    spacing = min(at - below, above - at)
    return Level(found.site, energy, found.norm, found.slope, spacing, first, last, leak, found.pivot)


def follow_level(chain: Chain, level: Level, energy: fmpq) -> Level:
    """Return the same level of a chain at a slightly different field, near ``energy``."""
    part = segment(chain, level.first, level.last)
    return _updated(level, *_refined(part, energy, level.site, -1))


def alone(chain: Chain, level: Level, other: int, energy: fmpq) -> Level:
    """Return a level of the whole chain without the site ``other`` of the other well (-1: with all)."""
    first, last = 0, chain.sites - 1
    if chain.is_narrow and other >= 0:
        first, last = (0, other - 1) if level.site < other else (other + 1, last)
    rows = 12 if chain.is_narrow else 12 * (chain.width + 2)
    require_memory(8 * rows * (last - first + 1), f"a level that reaches through {last - first + 1} states")
    refined = _refined(segment(chain, first, last), energy, level.site, other)
    return _updated(level._replace(first=first, last=last), *refined)


def _updated(level: Level, energy: fmpq, found: Dressed) -> Level:
    return level._replace(
        site=found.site, energy=energy, norm=found.norm, slope=found.slope, pivot=found.pivot
    )


def _refined(part: Segment, energy: fmpq, site: int, skipped: int) -> tuple[fmpq, Dressed]:
    """Return the energy of the level near ``energy`` by Newton's method, and its dressed state."""
    before = np.inf
    for _ in range(_STEPS):
        found = dress(part, rounded(energy), site, skipped)
        site = found.site
        step = found.gamma / found.norm
        energy = rounded(energy + step)
        size = abs(float(step))
        if size <= _RESOLVED or (size <= 1e-20 and size > 0.25 * before):
            return energy, found
        before = size
    msg = (
        f"LargeSpin() did not find the level after {_STEPS} steps (last correction {size:.1e} of the scale "
        "of the Hamiltonian); use Certified()"
    )
    raise ConvergenceError(msg, {"correction": size})
