"""The diabatic frame: everything a rate equation needs to know of one molecule along a field line.

Populations live on diabatic states.  A frame tabulates their energies, slopes and phonon
strengths on a field grid, and lists the crossings between them with their gaps.  It does not
depend on temperature, so one frame serves a whole family of loops.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mesospin.bath.phonons import phonon_strengths
from mesospin.model.environment import PhononBath
from mesospin.model.system import SpinSystem
from mesospin.spectrum.diabatic import DiabaticTracks, diabatic_point, match_states
from mesospin.spectrum.downfold import downfold_pairs
from mesospin.spectrum.matrices import FieldLine
from mesospin.spectrum.search import (
    GRID_STEP,
    Crossing,
    diabatic_tracks,
    find_crossings,
    site_slope,
)

#: Gaps above this are clipped in the uniaxial frame: such pairs only shorten the top of the barrier [K].
_CLIP = 1.0
#: Ratio of the distances from a crossing at which a followed frame is tabulated.
_SPREAD = 1.6


class Crossings(NamedTuple):
    """Narrow crossings of diabatic states: bias E_a - E_b = slope (B - field), slope > 0.

    ``a``, ``b`` (p,) states; ``field`` [T]; ``gap`` full [K]; ``slope`` [K/T].
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    field: NDArray[np.float64]
    gap: NDArray[np.float64]
    slope: NDArray[np.float64]


class Catalogue(NamedTuple):
    """Every crossing of two states, forbidden and wide ones too, for the table of steps.

    ``a``, ``b`` (c,) states as in `Crossings`; ``field`` [T], ``gap`` full [K], ``slope`` [K/T];
    ``zero`` whether the gap vanishes by symmetry; ``basis_a``, ``basis_b`` the basis states that
    name the two levels, -1 where none does.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    field: NDArray[np.float64]
    gap: NDArray[np.float64]
    slope: NDArray[np.float64]
    zero: NDArray[np.bool_]
    basis_a: NDArray[np.int64]
    basis_b: NDArray[np.int64]


class Channels(NamedTuple):
    """Pairs of states that phonons connect: ``a``, ``b`` (q,) and ``strength`` (g, q) [1/(s K^3)]."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    strength: NDArray[np.float64]

    @classmethod
    def of(cls, strength: NDArray[np.float64]) -> Channels:
        """Return the non-zero pairs of a table of symmetric matrices, shape (g, n, n)."""
        upper = np.triu_indices(strength.shape[-1], 1)
        table = strength[:, *upper]
        used = np.flatnonzero(np.any(table > 0, axis=0))
        a, b = (index[used].astype(np.int64) for index in upper)
        return cls(a, b, np.ascontiguousarray(table[:, used]))


PairTable = TypeVar("PairTable", Crossings, Catalogue)


class Frame(NamedTuple):
    """Diabatic states along a field line.

    ``field`` (g,) [T] ascending; ``energy`` (g, n) [K] and ``slope`` (g, n) [K/T], interpolated
    by cubic Hermite pieces; ``channels`` with their strengths, interpolated linearly;
    ``wide`` (k, 2) fields and half widths [T] of the crossings that are followed adiabatically;
    ``crossings`` between them; ``window`` [K], the bias beyond which the states are
    eigenstates and carry the tail of the line themselves (infinite for states that stay
    diabatic everywhere); ``catalogue`` of all crossings.
    """

    field: NDArray[np.float64]
    energy: NDArray[np.float64]
    slope: NDArray[np.float64]
    channels: Channels
    crossings: Crossings
    wide: NDArray[np.float64]
    window: float
    catalogue: Catalogue


def is_uniaxial(system: SpinSystem, line: FieldLine, lo: float, hi: float) -> bool:
    """Return whether the states |m> of a single spin are the diabatic states of the whole range.

    Every level that is not next to the top of the barrier must keep more than 90 % of its
    weight on one |m>: second-order mixing with the states on the same side of the
    barrier, at the middle and the quarters of the range.  The field must be within 5.7 degrees
    of the axis: beyond, the turn of the moment towards it is no longer small.
    """
    if len(system.spins) != 1 or system.spins[0].S < 1:
        return False
    if np.ptp(line.G.diagonal().real) < _ALONG * np.ptp(np.linalg.eigvalsh(line.G)):
        return False
    for fraction in (0.25, 0.5, 0.75):
        H = line.at(lo + fraction * (hi - lo))
        diagonal = H.diagonal().real
        index = np.arange(len(H))
        top = int(np.argmax(diagonal))
        same_side = (index[:, None] < top) == (index < top)
        distance = diagonal[:, None] - diagonal + np.eye(len(H))
        with np.errstate(divide="ignore", invalid="ignore"):
            mixing = np.where(same_side & (H != 0), np.abs(H) ** 2 / distance**2, 0.0)
        np.fill_diagonal(mixing, 0.0)
        if np.any(mixing.sum(axis=1)[np.abs(index - top) > _TOP * len(H)] > _MIXING):
            return False
    return True


#: Weight that a level of a uniaxial molecule may share, and the part of the levels around the top
#: of the barrier that is not asked.
_MIXING, _TOP = 0.1, 0.25
#: Least cosine of the angle between field and axis.
_ALONG = 0.995
#: Largest shift of a crossing by transverse terms that is looked for [T].
_SHIFT = 0.5


def uniaxial_frame(system: SpinSystem, line: FieldLine, lo: float, hi: float, bath: PhononBath) -> Frame:
    """Return the frame whose states are the projections |m> of a single uniaxial spin.

    Energies are the diagonal of H, the crossings come from downfolding every pair with
    |m - m'| >= 2, so their fields and gaps include all transverse terms.  The bias runs with the
    slopes of the states |m> themselves: then it follows their energy difference to the shift of
    the crossing (a few mK), and detailed balance holds to that shift over the temperature.  The
    moment along the field is that of |m>: its turn towards a field tilted by t, of relative size
    t^2/2, is left out.
    """
    n = len(line.H0)
    slope = line.G.diagonal().real
    first, second = np.triu_indices(n, 1)
    order = slope[first] > slope[second]
    a, b = np.where(order, first, second), np.where(order, second, first)
    # transverse terms shift a crossing by millitesla: far ones need no solution
    bare = -(line.H0.diagonal()[a] - line.H0.diagonal()[b]).real / (slope[a] - slope[b])
    near = (bare > lo - _SHIFT) & (bare < hi + _SHIFT)
    a, b = a[near], b[near]
    pairs = downfold_pairs(line, a, b)
    with np.errstate(invalid="ignore"):
        found = pairs.converged & (pairs.slope > 0) & (pairs.field >= lo) & (pairs.field <= hi)
    inside = np.flatnonzero(found)[np.argsort(pairs.field[found], kind="stable")]
    a, b = a[inside].astype(np.int64), b[inside].astype(np.int64)
    gap = np.where(pairs.zero, 0.0, pairs.gap)[inside]
    catalogue = Catalogue(a, b, pairs.field[inside], gap, pairs.slope[inside], pairs.zero[inside], a, b)
    tunnels = (gap > 0) & (np.abs(a - b) >= 2)
    crossings = Crossings(
        a[tunnels],
        b[tunnels],
        catalogue.field[tunnels],
        np.minimum(gap[tunnels], _CLIP),
        (slope[a] - slope[b])[tunnels],
    )
    field = np.array([lo, hi])
    energy = line.H0.diagonal().real + field[:, None] * slope
    strength = phonon_strengths(system, bath, np.eye(n))
    return Frame(
        field,
        energy,
        np.repeat(slope[None], 2, axis=0),
        Channels.of(np.repeat(strength[None], 2, axis=0)),
        crossings,
        np.empty((0, 2)),
        np.inf,
        catalogue,
    )


def followed_frame(
    system: SpinSystem,
    line: FieldLine,
    lo: float,
    hi: float,
    bath: PhononBath | None,
    *,
    zero_field: bool = True,
) -> Frame:
    """Return the frame of any system: levels followed along the field by their overlap.

    Crossings with a gap below 1e-3 K are crossed and carry a tunnelling rate; wider ones
    are followed adiabatically.  Without a phonon bath the strengths are zero.  ``zero_field``
    tells that the field vector vanishes at B = 0, where Kramers' theorem acts.
    """
    tracks = diabatic_tracks(system, line, lo, hi)
    every = find_crossings(system, line, tracks, zero_field=zero_field)
    tracks = _tabulated(system, line, tracks, [c for c in every if c.gap > 0])
    found = [c for c in every if c.gap > 0 and not c.wide]
    wide = np.array([(c.field, c.gap / c.slope) for c in every if c.wide]).reshape(-1, 2)
    columns = np.array(
        [(c.track_from, c.track_to, c.field, c.gap, c.slope) for c in found], dtype=np.float64
    ).reshape(-1, 5)
    crossings = Crossings(
        columns[:, 0].astype(np.int64), columns[:, 1].astype(np.int64), *columns[:, 2:].T.copy()
    )
    n = len(line.H0)
    if bath is None:
        strength = np.zeros((len(tracks.field), n, n))
    else:
        strength = phonon_strengths(system, bath, tracks.states)
    return Frame(
        tracks.field,
        tracks.energy,
        tracks.slope,
        Channels.of(strength),
        crossings,
        wide,
        tracks.window,
        _catalogue(every),
    )


def _tabulated(
    system: SpinSystem, line: FieldLine, tracks: DiabaticTracks, found: list[Crossing]
) -> DiabaticTracks:
    """Tabulate the tracks also around every crossing, where the states change.

    A narrow crossing changes them outside its window, a wide one from its centre on.
    """
    extra: list[NDArray[np.float64]] = [np.empty(0)]
    for c in found:
        nearest = (0.1 * c.gap if c.wide else 1.01 * tracks.window) / c.slope
        count = max(1, int(np.ceil(np.log(GRID_STEP / nearest) / np.log(_SPREAD))))
        reach = nearest * _SPREAD ** np.arange(count, dtype=np.float64)
        extra += [c.field + reach, c.field - reach, np.array([c.field] if c.wide else [])]
    fields = np.setdiff1d(np.round(np.concatenate(extra), 12), np.round(tracks.field, 12))
    fields = fields[(fields > tracks.field[0]) & (fields < tracks.field[-1])]
    slopes = site_slope(system)
    energy, slope, states = [], [], []
    for B in fields:
        point = diabatic_point(line, float(B), adiabatic_gap=tracks.adiabatic_gap, site_slope=slopes)
        below = tracks.states[np.searchsorted(tracks.field, B) - 1]
        order = match_states(below, point.states)
        energy.append(point.energy[order])
        slope.append(point.slope[order])
        states.append(point.states[:, order])
    if not len(fields):
        return tracks
    sort = np.argsort(np.concatenate([tracks.field, fields]), kind="stable")
    return DiabaticTracks(
        np.concatenate([tracks.field, fields])[sort],
        np.concatenate([tracks.energy, energy])[sort],
        np.concatenate([tracks.slope, slope])[sort],
        np.concatenate([tracks.states, states])[sort],
        tracks.adiabatic_gap,
    )


def _catalogue(every: list[Crossing]) -> Catalogue:
    def integers(name: str) -> NDArray[np.int64]:
        return np.array([getattr(c, name) for c in every], dtype=np.int64)

    def numbers(name: str) -> NDArray[np.float64]:
        return np.array([getattr(c, name) for c in every], dtype=np.float64)

    return Catalogue(
        integers("track_from"),
        integers("track_to"),
        numbers("field"),
        numbers("gap"),
        numbers("slope"),
        np.array([c.zero for c in every], dtype=bool),
        integers("state_from"),
        integers("state_to"),
    )


def reversed_frame(frame: Frame) -> Frame:
    """Return the frame seen by a field that runs the other way: B -> -B on the same molecule."""
    every = frame.catalogue
    return Frame(
        -frame.field[::-1],
        frame.energy[::-1].copy(),
        -frame.slope[::-1],
        frame.channels._replace(strength=frame.channels.strength[::-1].copy()),
        _mirrored(frame.crossings),
        frame.wide * np.array([-1.0, 1.0]),
        frame.window,
        _mirrored(every)._replace(basis_a=every.basis_b[::-1], basis_b=every.basis_a[::-1]),
    )


def _mirrored(pairs: PairTable) -> PairTable:
    """Return crossings seen along the reversed axis: the other state has the larger slope."""
    backwards = type(pairs)._make(column[::-1] for column in pairs)
    return backwards._replace(a=pairs.b[::-1], b=pairs.a[::-1], field=-pairs.field[::-1])
