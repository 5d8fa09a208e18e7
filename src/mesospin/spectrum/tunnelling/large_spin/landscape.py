r"""Where the two wells of a chain lie, from the classical energy of the spin.

At the projection m the lowest classical energy over the azimuth is

.. math:: V(m) = \min_\varphi\Big[d(m) + 2\,\mathrm{Re}\sum_n t_n(m)\,e^{-in\varphi}\Big],

with d the diagonal and t_n the elements that span n sites; a level of energy E tunnels where V > E.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import InputError
from mesospin.spectrum.tunnelling.large_spin.elements import Chain

__all__ = ["Landscape", "landscape", "require_one_well", "sampled"]

Real = NDArray[np.float64]

#: Sites at which the energy is looked at; longer chains are sampled.
_SAMPLES = 2000
#: Azimuths for elements that span one site more.
_AZIMUTHS = 48


class Landscape(NamedTuple):
    """The two wells of a chain, higher m first.

    ``edges`` are the sites that belong to each (the barrier to both), ``bottoms`` those of lowest V,
    ``height`` is V at the barrier; ``sites`` and ``energy`` are samples of V in the unit of the chain.
    """

    edges: tuple[tuple[int, int], tuple[int, int]]
    bottoms: tuple[int, int]
    height: float
    sites: NDArray[np.intp]
    energy: Real


def landscape(chain: Chain, upper: float, lower: float) -> Landscape:
    """Return the two wells that belong to the projections ``upper`` > ``lower``.

    Where no site stands between the two, neither well is bounded by a barrier.

    Examples
    --------
    >>> from flint import fmpq
    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.spectrum.tunnelling.large_spin.elements import ladder
    >>> from mesospin.spectrum.tunnelling.problem import read_problem
    >>> problem = read_problem(giant_spin(10, D=-0.5), (10, -10), None, (0, 0, 1), (2.0, 0.0))
    >>> landscape(ladder(problem).chain(10, fmpq(0)), 10, -10).edges
    ((0, 10), (10, 20))
    """
    last = chain.sites - 1
    sites = sampled(chain.sites)
    bare, energy = _energies(chain, sites)
    ends = chain.site(upper), chain.site(lower)
    if ends[1] - ends[0] <= 1:
        # neighbours: no site stands between them
        return Landscape(((0, ends[0]), (ends[1], last)), ends, math.inf, sites, energy)
    between = (sites >= ends[0]) & (sites <= ends[1])
    split = int(sites[between][np.argmax(bare[between])])
    wells: list[int] = []
    top = split
    for _ in range(2):
        wells = [_lowest(chain, sites, energy, sites <= top), _lowest(chain, sites, energy, sites >= top)]
        inside = (sites >= wells[0]) & (sites <= wells[1])
        top = int(sites[inside][np.argmax(energy[inside])]) if inside.any() else split
    height = float(_energies(chain, np.array([top]))[1][0])
    return Landscape(((0, top), (top, last)), (wells[0], wells[1]), height, sites, energy)


def sampled(count: int) -> NDArray[np.intp]:
    """Return at most two thousand of ``count`` sites, both ends included."""
    if count <= _SAMPLES:
        return np.arange(count, dtype=np.intp)
    return np.linspace(0, count - 1, _SAMPLES).round().astype(np.intp)


def require_one_well(land: Landscape, energy: float, side: int, what: str) -> None:
    """Refuse a level that is not confined to a single well below the barrier."""
    if not energy < land.height:
        msg = (
            f"{what} must lie below the barrier between the two wells; use DoublePrecision() or Certified() "
            "for levels above it"
        )
        raise InputError(msg)
    first, last = land.edges[side]
    here = (land.sites >= first) & (land.sites <= last)
    allowed = land.energy[here] <= energy
    starts = int(allowed[0]) + int(np.count_nonzero(allowed[1:] & ~allowed[:-1]))
    if starts > 1:
        msg = f"{what} must belong to one well, but {starts} wells reach its energy; use Certified()"
        raise InputError(msg)


def _lowest(chain: Chain, sites: NDArray[np.intp], energy: Real, here: NDArray[np.bool_]) -> int:
    """Return the site of the lowest energy among the samples ``here`` and the sites between them."""
    k = int(np.flatnonzero(here)[np.argmin(energy[here])])
    ends = sites[max(k - 1, 0)], sites[min(k + 1, len(sites) - 1)]
    near = np.arange(max(ends[0], sites[here][0]), min(ends[1], sites[here][-1]) + 1)
    if len(near) > _SAMPLES:
        near = near[:: len(near) // _SAMPLES + 1]
    return int(near[np.argmin(_energies(chain, near)[1])])


def _energies(chain: Chain, sites: NDArray[np.intp]) -> tuple[Real, Real]:
    """Return the diagonal and V at some sites."""
    m = chain.top - chain.period * sites.astype(np.float64)
    bare = chain.diagonal_values(m)
    if not chain.hops:
        return bare, bare
    if chain.width == 1:
        bond = chain.hops[1]
        pairs = (np.abs(chain.element(1, bond, lower)) for lower in (m, m - chain.period))
        return bare, bare - sum(pairs)
    azimuth = 2 * np.pi * np.arange(_AZIMUTHS * chain.width) / (_AZIMUTHS * chain.width)
    wave = np.zeros((len(sites), len(azimuth)))
    for n, parts in chain.hops.items():
        t = chain.element(n, parts, m - 0.5 * n * chain.period)
        wave += 2 * (t[:, None] * np.exp(-1j * n * azimuth)).real
    return bare, bare + wave.min(axis=1)
