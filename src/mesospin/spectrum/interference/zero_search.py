"""All zeros of the coupling of two levels in a rectangle of transverse fields, by winding numbers.

The rectangle is covered with cells; each is shown to be empty, or to hold one simple zero, or is divided.
Cells are divided off their middle and the grid overhangs the rectangle by parts of a cell, so that the
axes, on which zeros lie by symmetry, are not edges.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import ConvergenceError, InputError
from mesospin.scale import Progress
from mesospin.spectrum.interference.coupling import Bench, Complex, crossing
from mesospin.spectrum.interference.followed_pair import follow
from mesospin.spectrum.interference.pair_in_field import PairInField
from mesospin.spectrum.interference.winding import BLOCKED, EMPTY, SIMPLE, Plane, Spot, judge, turn, visit

#: Parts of a cell by which the grid overhangs, and where cells are divided; one set after the other is tried.
_OFFSETS: Final = ((0.391, 0.437, 0.4731), (0.283, 0.331, 0.4517), (0.613, 0.577, 0.5359))
#: Cells smaller than this [T] that still hold a zero hold a multiple one.
_SMALLEST: Final = 1e-6
#: Parts of one cell that are looked at before the levels are taken to be degenerate along a line.
_MAX_PARTS: Final = 20_000
_MAX_NEWTON: Final = 30
#: Weight of the named states below which the turns around the whole rectangle are not compared.
_NAMED: Final = 0.02
#: Equality of the exponents that shows a zero of higher order at the origin.
_SAME_POWER: Final = 0.05
#: Distance to a zero at which its residual is compared [T].
_NEAR: Final = 1e-3

Limits = tuple[tuple[float, float], tuple[float, float]]


class Zero(NamedTuple):
    """A zero of the coupling.

    ``x``, ``y`` and ``field`` [T], ``energy`` [K], ``turns`` of the phase around it, ``slope``, the
    difference dE_a/dB - dE_b/dB [K/T], ``residual``, the gap left there over the gap 1 mT away.
    """

    x: float
    y: float
    field: float
    energy: float
    turns: int
    slope: float
    residual: float


class Found(NamedTuple):
    """The zeros; the grid on which they were sought; the gap [K] at its centres (y, x), NaN where lost.

    ``compared`` tells whether the turns around the whole rectangle were compared with the zeros.
    """

    zeros: list[Zero]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    gap: NDArray[np.float64]
    compared: bool


class _Cell(NamedTuple):
    """A rectangle of transverse fields: its middle and half its sides [T]."""

    x: float
    y: float
    half: tuple[float, float]

    @property
    def holds_origin(self) -> bool:
        return abs(self.x) < self.half[0] and abs(self.y) < self.half[1]

    def parts(self, cut: float) -> list[_Cell]:
        """Divide it into four at the fraction ``cut`` of its sides."""
        intervals = []
        for middle, half in zip((self.x, self.y), self.half, strict=True):
            low, high = middle - half, middle + half
            inner = low + 2 * half * cut
            intervals.append(((0.5 * (low + inner), half * cut), (0.5 * (inner + high), half * (1 - cut))))
        return [_Cell(x, y, (a, b)) for x, a in intervals[0] for y, b in intervals[1]]


class _Tools(NamedTuple):
    """Arrays to work in."""

    bench: Bench
    corners: tuple[Spot, Spot, Spot, Spot]
    spare: Spot


class _Home(NamedTuple):
    """The middle of a cell: the plane with its anchors, the crossing there and its dressed states."""

    plane: Plane
    spot: Spot
    states: Complex


class _BlockedError(Exception):
    """An edge runs into a zero; another grid is needed."""


def find_zeros(pair: PairInField, limits: Limits, resolution: float, progress: Progress | None) -> Found:
    """Return every zero of the coupling inside ``limits`` ((x_lo, x_hi), (y_lo, y_hi)) [T].

    Raises
    ------
    InputError
        If the pair is lost before the rectangle is reached.
    ConvergenceError
        If cells cannot be decided, or the turns around the rectangle contradict the zeros inside.
    """
    for offsets in _OFFSETS:
        try:
            return _search(pair, limits, resolution, offsets, progress)
        except _BlockedError:
            continue
    raise ConvergenceError(_undecided(pair, f"on no grid of {resolution:g} T"))


def _undecided(pair: PairInField, where: str) -> str:
    names = " and ".join(pair.pair.names)
    return (
        f"the zeros of the coupling of {names} cannot be separated {where}; the levels may be degenerate "
        "along a line, otherwise resolution must be smaller"
    )


def _search(
    pair: PairInField,
    limits: Limits,
    resolution: float,
    offsets: tuple[float, float, float],
    progress: Progress | None,
) -> Found:
    n = len(pair.H0)
    tools = _Tools(Bench.of(n), (Spot.new(), Spot.new(), Spot.new(), Spot.new()), Spot.new())
    x, y = (_middles(lim, resolution, part) for lim, part in zip(limits, offsets[:2], strict=True))
    places = _walk(pair, x, y, tools.bench)
    half = (0.5 * resolution, 0.5 * resolution)
    zeros: list[Zero] = []
    for j, row in enumerate(places):
        if progress is not None:
            progress(j, len(y))
        for i in np.flatnonzero(np.isfinite(row[:, 2])):
            cell = _Cell(float(x[i]), float(y[j]), half)
            zeros += _zeros_of_cell(tools, pair, cell, row[i], offsets[2])
    compared = bool(np.all(places[..., 3] > _NAMED))  # not where cells are lost: NaN
    if compared:
        _compare_boundary(tools, pair, (x, y), half, places, sum(zero.turns for zero in zeros))
    if progress is not None:
        progress(len(y), len(y))
    inside = [zero for zero in zeros if _within(zero.x, limits[0]) and _within(zero.y, limits[1])]
    return Found(sorted(inside), x, y, places[..., 2], compared)


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] - 1e-9 <= value <= limits[1] + 1e-9


def _middles(limits: tuple[float, float], resolution: float, overhang: float) -> NDArray[np.float64]:
    """Return the middles of cells that cover the limits and more on both sides."""
    count = int(np.ceil((limits[1] - limits[0]) / resolution + overhang)) + 1
    steps: NDArray[np.float64] = np.arange(count, dtype=np.float64) + (0.5 - overhang)
    return limits[0] + resolution * steps


def _walk(
    pair: PairInField, x: NDArray[np.float64], y: NDArray[np.float64], bench: Bench
) -> NDArray[np.float64]:
    """Follow the pair from the origin to all middles: up and down one column, then along the rows.

    Rows of middles hold what `follow` writes, NaN where the pair is lost.
    """
    i0, j0 = int(np.argmin(np.abs(x))), int(np.argmin(np.abs(y)))
    places = np.full((len(y), len(x), 7), np.nan)
    trunk, first = pair.walker(), np.empty((1, 7))
    follow(bench, pair.line((x[i0], y[j0])), trunk, np.array([1.0]), first)
    if not np.isfinite(first[0, 0]):
        msg = (
            f"Bx and By must reach fields where {' and '.join(pair.pair.names)} are a pair of levels, "
            f"got none before ({x[i0]:.3g}, {y[j0]:.3g}) T; take smaller fields"
        )
        raise InputError(msg)
    trunk = trunk.moved_to(y[j0])
    for indices in (np.arange(j0, len(y)), np.arange(j0 - 1, -1, -1)):
        climber = trunk.copy()
        for j in indices:
            follow(bench, pair.line((0.0, 1.0), (x[i0], 0.0)), climber, y[j : j + 1], first)
            if not np.isfinite(first[0, 0]):
                break
            for targets in (np.arange(i0, len(x)), np.arange(i0 - 1, -1, -1)):
                out = np.empty((len(targets), 7))
                walker = climber.copy().moved_to(x[i0])
                follow(bench, pair.line((1.0, 0.0), (0.0, y[j])), walker, x[targets], out)
                places[j, targets] = out
    return places


def _home(tools: _Tools, pair: PairInField, x: float, y: float, place: NDArray[np.float64]) -> _Home:
    """Return the crossing at a point where it is known already, with the anchors noted there."""
    plane = Plane(pair.H0, pair.Gx, pair.Gy, pair.Gz, (int(place[5]), int(place[6])), float(pair.scale[0]))
    bench, spot = tools.bench, Spot.new()
    bench.A[:] = pair.H0 + x * pair.Gx + y * pair.Gy
    crossing(bench, pair.Gz, place[0], place[1], plane.anchors, plane.scale)
    states = bench.X / np.linalg.norm(bench.X, axis=0)
    spot.r[:4] = x, y, place[0], place[1]
    visit(bench, plane, spot, states, x, y, spot)
    return _Home(plane, spot, states)


def _zeros_of_cell(
    tools: _Tools, pair: PairInField, whole: _Cell, place: NDArray[np.float64], cut: float
) -> list[Zero]:
    """Divide a cell of the grid until every part is decided, and return its zeros."""
    home = _home(tools, pair, whole.x, whole.y, place)
    zeros: list[Zero] = []
    todo, looked = [whole], 0
    while todo:
        cell = todo.pop()
        looked += 1
        spot = Spot.new()
        here = visit(tools.bench, home.plane, home.spot, home.states, cell.x, cell.y, spot)
        verdict, turns = (
            judge(tools.bench, home.plane, spot, home.states, cell.half, tools.corners, tools.spare)
            if here
            else (-1, 0)
        )
        if verdict == EMPTY:
            continue
        if verdict == BLOCKED:
            raise _BlockedError
        zero = _only_zero(tools, home, cell, spot, verdict, turns)
        if zero is not None:
            zeros.append(zero)
        elif looked > _MAX_PARTS or max(cell.half) < _SMALLEST:
            raise ConvergenceError(_undecided(pair, f"at ({cell.x:.6g}, {cell.y:.6g}) T"))
        else:
            todo += cell.parts(cut)
    return zeros


def _only_zero(
    tools: _Tools, home: _Home, cell: _Cell, centre: Spot, verdict: int, turns: int
) -> Zero | None:
    """Return the one zero of a cell, None if it may have several."""
    if verdict == SIMPLE:
        return _polished(tools, home, cell, centre, turns)
    if turns == 0:
        return None
    if cell.holds_origin and _is_power(tools, home, cell):
        return _at(tools, home, 0.0, 0.0, turns)
    return _at(tools, home, cell.x, cell.y, turns) if max(cell.half) < _SMALLEST else None


def _polished(tools: _Tools, home: _Home, cell: _Cell, centre: Spot, turns: int) -> Zero | None:
    """Newton from the middle of a cell; None if it leaves the cell."""
    spot = Spot(centre.h.copy(), centre.r.copy())
    if cell.holds_origin:  # where a selection rule may hold exactly
        found = visit(tools.bench, home.plane, home.spot, home.states, 0.0, 0.0, tools.spare)
        if found and tools.spare.h[0] == 0.0:
            return _at(tools, home, 0.0, 0.0, turns)
    last = np.inf
    for _ in range(_MAX_NEWTON):
        h, hx, hy = spot.h
        jacobian = (hx.conjugate() * hy).imag
        dx, dy = -(h * hy.conjugate()).imag / -jacobian, -(hx.conjugate() * h).imag / jacobian
        step = float(np.hypot(dx, dy))
        x, y = spot.r[0] + dx, spot.r[1] + dy
        if not (abs(x - cell.x) < 1.5 * cell.half[0] and abs(y - cell.y) < 1.5 * cell.half[1]):
            return None
        if not visit(tools.bench, home.plane, spot, home.states, x, y, spot):
            return None
        if step >= last < 1e-12 or step == 0.0:
            break
        last = step
    x, y = float(spot.r[0]), float(spot.r[1])
    inside = abs(x - cell.x) <= cell.half[0] and abs(y - cell.y) <= cell.half[1]
    return _at(tools, home, x, y, turns) if inside else None


def _is_power(tools: _Tools, home: _Home, cell: _Cell) -> bool:
    """Return whether h falls like the same power of the distance from all round the cell to the origin.

    Then there is no other zero: half-way in, h has the same phase and is smaller by that power of 2.
    """
    ratios, spot = [], tools.spare
    for part in np.linspace(-1.0, 1.0, 5):
        for dx, dy in ((part, -1.0), (part, 1.0), (-1.0, part), (1.0, part)):
            x, y = cell.x + dx * cell.half[0], cell.y + dy * cell.half[1]
            values = []
            for fraction in (1.0, 0.5):
                if not visit(
                    tools.bench, home.plane, home.spot, home.states, fraction * x, fraction * y, spot
                ):
                    return False
                values.append(complex(spot.h[0]))
            ratios.append(values[0] / values[1])
    powers = np.log2(np.array(ratios).astype(np.complex128))
    return bool(np.ptp(powers.real) < _SAME_POWER and np.abs(powers.imag).max() < _SAME_POWER)


def _at(tools: _Tools, home: _Home, x: float, y: float, turns: int) -> Zero | None:
    """Return the zero at a place."""
    bench, spot = tools.bench, tools.spare
    around = []
    for dx, dy in ((_NEAR, 0.0), (0.0, _NEAR), (0.0, 0.0)):
        if not visit(bench, home.plane, home.spot, home.states, x + dx, y + dy, spot):
            return None
        around.append(abs(spot.h[0]))
    Z, g = bench.Z.diagonal().real, bench.g.diagonal().real
    slope = float(g[0] / Z[0] - g[1] / Z[1])
    # adding 0.0 turns -0.0 into 0.0
    return Zero(x + 0.0, y + 0.0, float(spot.r[3]), float(spot.r[2]), turns, slope, around[2] / max(around))


def _compare_boundary(
    tools: _Tools,
    pair: PairInField,
    grid: tuple[NDArray[np.float64], NDArray[np.float64]],
    half: tuple[float, float],
    places: NDArray[np.float64],
    inside: int,
) -> None:
    """Compare the turns around the outer boundary, with the named states as anchors, with those inside."""
    x, y = grid
    nx, ny = len(x), len(y)
    sides = [(i, 0, (-1, -1), (1, -1)) for i in range(nx)]
    sides += [(nx - 1, j, (1, -1), (1, 1)) for j in range(ny)]
    sides += [(i, ny - 1, (1, 1), (-1, 1)) for i in range(nx)]
    sides += [(0, j, (-1, 1), (-1, -1)) for j in range(ny)]
    phase = 0.0
    for i, j, begin, end in sides:
        place = places[j, i].copy()
        place[5:] = pair.pair.states
        home = _home(tools, pair, float(x[i]), float(y[j]), place)
        for (sx, sy), spot in zip((begin, end), tools.corners, strict=False):
            at = (x[i] + sx * half[0], y[j] + sy * half[1])
            visit(tools.bench, home.plane, home.spot, home.states, *at, spot)
        phase += turn(tools.bench, home.plane, home.states, *tools.corners[:2], tools.spare)
    if np.isnan(phase):
        raise _BlockedError
    around = round(phase / (2 * np.pi))
    if around != inside:
        msg = (
            f"the coupling of {' and '.join(pair.pair.names)} turns {around} times around the rectangle, but "
            f"the zeros inside make {inside}; take a smaller resolution"
        )
        raise ConvergenceError(msg)
