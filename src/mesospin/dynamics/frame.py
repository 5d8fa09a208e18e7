"""The diabatic frame: everything a rate equation needs to know of one molecule along a field line.

Populations live on diabatic states.  A frame tabulates their energies, slopes and phonon
strengths on a field grid, and lists the crossings between them with their gaps.  It does not
depend on temperature, so one frame serves a whole family of loops.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mesospin.bath.phonons import phonon_strengths, strengths_between
from mesospin.dynamics.low_levels import Passage, Rest, low_levels
from mesospin.dynamics.panels import distinct_lines
from mesospin.model.environment import PhononBath
from mesospin.model.system import SpinSystem
from mesospin.spectrum.downfold import downfold_pairs
from mesospin.spectrum.matrices import FieldLine
from mesospin.spectrum.search import (
    GRID_STEP,
    Crossing,
    diabatic_tracks,
    find_crossings,
)
from mesospin.spectrum.tracks import DiabaticTracks

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


class Exchange(NamedTuple):
    """Pairs of states that exchange molecules at one temperature beyond one-phonon transitions and crossings.

    ``a``, ``b`` (p,) states; ``rate`` (p,) [1/s], the mean of both directions weighted as in `add_line`.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    rate: NDArray[np.float64]


_NO_EXCHANGE = Exchange(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))

PairTable = TypeVar("PairTable", Crossings, Catalogue)


class Frame(NamedTuple):
    """Diabatic states along a field line.

    ``field`` (g,) [T] ascending; ``energy`` (g, n) [K] and ``slope`` (g, n) [K/T], interpolated
    by cubic Hermite pieces; ``channels`` with their strengths, interpolated linearly;
    ``wide`` (k, 2) fields and half widths [T] of the crossings that are followed adiabatically;
    ``crossings`` between them; ``window`` [K], the bias beyond which the states are
    eigenstates and carry the tail of the line themselves (infinite for states that stay
    diabatic everywhere); ``catalogue`` of all crossings; ``exchange`` by other processes, of which alone a
    frame depends on temperature.
    """

    field: NDArray[np.float64]
    energy: NDArray[np.float64]
    slope: NDArray[np.float64]
    channels: Channels
    crossings: Crossings
    wide: NDArray[np.float64]
    window: float
    catalogue: Catalogue
    exchange: Exchange = _NO_EXCHANGE


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
    passage: Passage | Rest | None = None,
) -> Frame:
    """Return the frame of any system: levels followed along the field by their overlap.

    Crossings with a gap below a limit are crossed and carry a tunnelling rate; wider ones
    are followed adiabatically.  Without a phonon bath the strengths are zero.  ``zero_field``
    tells that the field vector vanishes at B = 0, where Kramers' theorem acts.  ``passage``, the sweep
    or the stay that the frame is for, decides how many levels are followed and the limit, 1 mK without it
    (`low_levels`).
    """
    low = low_levels(system, line, lo, hi, bath, passage)
    tracks = diabatic_tracks(system, line, lo, hi, count=low.levels, adiabatic_gap=low.adiabatic_gap)
    wanted = tracks.energy[0] - tracks.energy[0].min() <= low.occupied
    every = find_crossings(system, line, tracks, zero_field=zero_field, wanted=wanted)
    tracks = tracks.extended(_around(tracks, [c for c in every if c.gap > 0]))
    found = [c for c in every if c.gap > 0 and not c.wide]
    wide = np.array([(c.field, c.gap / c.slope) for c in every if c.wide]).reshape(-1, 2)
    columns = np.array(
        [(c.track_from, c.track_to, c.field, c.gap, c.slope) for c in found], dtype=np.float64
    ).reshape(-1, 5)
    crossings = Crossings(
        columns[:, 0].astype(np.int64), columns[:, 1].astype(np.int64), *columns[:, 2:].T.copy()
    )
    return Frame(
        tracks.field,
        tracks.energy,
        tracks.slope,
        _channels(system, bath, tracks),
        crossings,
        wide,
        tracks.window,
        _catalogue(every),
    )


def _around(tracks: DiabaticTracks, found: list[Crossing]) -> NDArray[np.float64]:
    """Return fields around every crossing, where the states change.

    A narrow crossing changes them outside its window, a wide one from its centre on.  Where crossings
    coincide, as those of one ion with many states of its neighbour, they share the fields.
    """
    if not found:
        return np.empty(0)
    centre = np.array([c.field for c in found])
    nearest = np.array([(0.1 * c.gap if c.wide else 1.01 * tracks.window) / c.slope for c in found])
    extra = [centre[[c.wide for c in found]]]
    for k in distinct_lines(centre, nearest):
        count = max(1, int(np.ceil(np.log(GRID_STEP / nearest[k]) / np.log(_SPREAD))))
        reach = nearest[k] * _SPREAD ** np.arange(count, dtype=np.float64)
        extra += [centre[k] + reach, centre[k] - reach]
    return np.unique(np.concatenate(extra))


def _channels(system: SpinSystem, bath: PhononBath | None, tracks: DiabaticTracks) -> Channels:
    """Return the pairs of followed levels that phonons connect, symmetry block by symmetry block."""
    empty = np.empty(0, dtype=np.int64)
    if bath is None:
        return Channels(empty, empty, np.empty((len(tracks.field), 0)))
    columns, found = tracks.columns, []
    for p, q in product(range(len(tracks.parts)), repeat=2):
        if p > q:
            continue
        ends = [(tracks.parts[k].members, tracks.parts[k].basis, tracks.states[k]) for k in (p, q)]
        strength = strengths_between(system, bath, ends[0], ends[1])
        if strength is None:
            continue
        used = np.any(strength > 0, axis=0)
        first, second = np.nonzero(np.triu(used, 1) if p == q else used)
        found.append((first + columns[p].start, second + columns[q].start, strength[:, first, second]))
    if not found:
        return Channels(empty, empty, np.empty((len(tracks.field), 0)))
    a, b, table = zip(*found, strict=True)
    return Channels(
        np.concatenate(a).astype(np.int64),
        np.concatenate(b).astype(np.int64),
        np.ascontiguousarray(np.hstack(table)),
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


def without_exchange(frame: Frame) -> Frame:
    """Return the frame with one-phonon transitions and crossings only."""
    return frame._replace(exchange=_NO_EXCHANGE)


def frame_of(frame: Frame, states: NDArray[np.int64]) -> Frame:
    """Return the frame of some of the states, without the catalogue of crossings."""
    place = np.full(frame.energy.shape[1], -1, dtype=np.int64)
    place[states] = np.arange(len(states))
    pairs, channels = frame.crossings, frame.channels
    inside = (place[pairs.a] >= 0) & (place[pairs.b] >= 0)
    crossings = Crossings._make(column[inside] for column in pairs)
    inside = (place[channels.a] >= 0) & (place[channels.b] >= 0)
    a, b = channels.a[inside], channels.b[inside]
    both = frame.exchange
    staying = (place[both.a] >= 0) & (place[both.b] >= 0)
    return frame._replace(
        exchange=Exchange(place[both.a[staying]], place[both.b[staying]], both.rate[staying]),
        energy=frame.energy[:, states],
        slope=frame.slope[:, states],
        channels=Channels(place[a], place[b], channels.strength[:, inside]),
        crossings=crossings._replace(a=place[crossings.a], b=place[crossings.b]),
        catalogue=Catalogue._make(column[:0] for column in frame.catalogue),
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
        frame.exchange,
    )


def _mirrored(pairs: PairTable) -> PairTable:
    """Return crossings seen along the reversed axis: the other state has the larger slope."""
    backwards = type(pairs)._make(column[::-1] for column in pairs)
    return backwards._replace(a=pairs.b[::-1], b=pairs.a[::-1], field=-pairs.field[::-1])
