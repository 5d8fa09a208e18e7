"""A pair of levels followed along a straight line in the plane of the transverse field.

The crossing is known at one point; energy and longitudinal field are continued from there by Newton steps
with a quadratic prediction.  A step counts only if both dressed states keep most of what they were, so the
pair cannot be exchanged for another crossing; otherwise it is halved.  The anchors move on to the basis
states of largest weight as the spin cants.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.spectrum.interference.coupling import (
    Bench,
    Complex,
    Real,
    bracket,
    compiled,
    crossing,
    dress,
    helper,
    levels_below,
)

#: Weight of the state of the last step that the state of the new one must keep.
_KEPT: Final = 0.6
#: Shortest step of the transverse field [T].
_SHORTEST: Final = 1e-5
#: Points in a row that may fail before a line is given up.
_FAILURES: Final = 3
#: Weight in units of that of the anchor at which another basis state takes its place.
_CHANGE: Final = 1.02
#: Gap over width of the spectrum above which the pair is compared with the other levels.
DOUBTFUL: Final = 1e-3
#: Relative difference of the downfolded gap and the exact one beyond which they are not the same pair.
_AGREED: Final = 0.5
_MAX_STEPS: Final = 20
_LOST, _MISSED, _FOUND = -1, 0, 1


class Line(NamedTuple):
    """H = A + t K + B Gz: t runs along a line of transverse fields [T], B is the longitudinal field [T]."""

    A: Complex
    K: Complex
    Gz: Complex


class Walker(NamedTuple):
    """Where the pair is: everything that the next step starts from.

    ``at``: t, E, B, dE/dt, dB/dt and their derivatives; ``states`` (n, 2): normalised dressed states;
    ``anchors`` (2,) and ``labels`` (2,): basis states; ``scale``: largest element of H [K], width of
    the spectrum [K], the gaps within which there may be no third level, and the gap above which exact levels
    are subtracted [K].
    """

    at: Real
    states: Complex
    anchors: NDArray[np.int64]
    labels: NDArray[np.int64]
    scale: Real

    def copy(self) -> Walker:
        """Return a walker that stands at the same place."""
        at, states, anchors, labels, scale = self
        return Walker(at.copy(), states.copy(), anchors.copy(), labels, scale)

    def moved_to(self, t: float) -> Walker:
        """Return the walker on another line that passes here at ``t``: without derivatives along it."""
        at = np.array([t, self.at[1], self.at[2], 0.0, 0.0, 0.0, 0.0])
        return self._replace(at=at)


@compiled()
def follow(bench: Bench, line: Line, walker: Walker, targets: Real, out: Real) -> None:
    """Go from where the walker is to every target in turn and write what is found into ``out``.

    Columns of ``out`` (targets, 7): energy [K], longitudinal field [T], downfolded gap [K], weight of the
    labelled states, difference of the slopes dE/dB [K/T], and the two anchors; NaN where the pair is lost.
    """
    failures = 0
    out[:] = np.nan
    for k in range(targets.size):
        step = targets[k] - walker.at[0]
        status = _MISSED
        while failures < _FAILURES:
            remaining = targets[k] - walker.at[0]
            last = abs(step) >= abs(remaining)
            goal = targets[k] if last else walker.at[0] + step
            status = _advance(bench, line, walker, goal)
            if status == _FOUND:
                step *= 2.0
            else:
                step = 0.5 * (goal - walker.at[0])
            if status == _LOST or (status == _MISSED and abs(step) < _SHORTEST):
                failures += 1 if status == _MISSED else _FAILURES
                break
            if status == _FOUND and last:
                _record(bench, walker, out[k])
                failures = 0
                break


@helper()
def _advance(bench: Bench, line: Line, walker: Walker, t: float) -> int:
    """Make one step to ``t``, or stay if the pair is not found there."""
    at, n = walker.at, walker.states.shape[0]
    dt = t - at[0]
    for i in range(n):
        for j in range(n):
            bench.A[i, j] = line.A[i, j] + t * line.K[i, j]
    E = at[1] + dt * (at[3] + 0.5 * dt * at[5])
    B = at[2] + dt * (at[4] + 0.5 * dt * at[6])
    anchors = (walker.anchors[0], walker.anchors[1])
    settled, E, B = crossing(bench, line.Gz, E, B, anchors, walker.scale[0])
    if not (settled and kept(bench, walker.states)):
        return _MISSED
    Za, Zb = bench.Z[0, 0].real, bench.Z[1, 1].real
    gap = 2.0 * abs(bench.h[0, 1]) / np.sqrt(Za * Zb)
    if gap > DOUBTFUL * walker.scale[1] and not _is_doublet(bench, E, walker.scale[2] * gap):
        return _LOST
    bracket(line.K, bench.X, bench.k)
    ga, gb = bench.g[0, 0].real / Za, bench.g[1, 1].real / Zb
    ka, kb = bench.k[0, 0].real / Za, bench.k[1, 1].real / Zb
    slope = (kb - ka) / (ga - gb)
    rise = ga * slope + ka
    if dt != 0.0:
        at[5], at[6] = (rise - at[3]) / dt, (slope - at[4]) / dt
    at[0], at[1], at[2], at[3], at[4] = t, E, B, rise, slope
    for j in range(2):
        for i in range(n):
            walker.states[i, j] = bench.X[i, j] / np.sqrt(bench.Z[j, j].real)
    move_anchors(walker.states, walker.anchors)
    return _FOUND


@helper()
def kept(bench: Bench, states: Complex) -> bool:
    """Return whether both dressed states of the bench are mostly the (normalised) ones given."""
    for j in range(2):
        overlap = 0.0j
        for i in range(states.shape[0]):
            overlap += states[i, j].conjugate() * bench.X[i, j]
        if overlap.real**2 + overlap.imag**2 < _KEPT * bench.Z[j, j].real:
            return False
    return True


@helper()
def _is_doublet(bench: Bench, E: float, distance: float) -> bool:
    """Return whether there is no third level within a distance of the two at E."""
    return levels_below(bench, E + distance) - levels_below(bench, E - distance) == 2


@helper()
def _record(bench: Bench, walker: Walker, row: Real) -> None:
    """Write down the place of the walker, whose dressed states are on the bench."""
    anchors, states, labels = walker.anchors, walker.states, walker.labels
    Za, Zb = bench.Z[0, 0].real, bench.Z[1, 1].real
    row[0], row[1] = walker.at[1], walker.at[2]
    row[2] = 2.0 * abs(bench.h[0, 1]) / np.sqrt(Za * Zb)
    row[3] = min(weight(states, labels[0], 0), weight(states, labels[1], 1))
    row[4] = bench.g[0, 0].real / Za - bench.g[1, 1].real / Zb
    row[5], row[6] = anchors[0], anchors[1]


@helper()
def weight(states: Complex, i: int, j: int) -> float:
    """Return the weight of the basis state i in the state j."""
    amplitude: complex = states[i, j]
    return amplitude.real**2 + amplitude.imag**2


@helper()
def move_anchors(states: Complex, anchors: NDArray[np.int64]) -> None:
    """Take the basis states of largest weight as anchors."""
    for j in range(2):
        for i in range(states.shape[0]):
            if i != anchors[1 - j] and weight(states, i, j) > _CHANGE * weight(states, anchors[j], j):
                anchors[j] = i


@compiled()
def refine_wide(bench: Bench, line: Line, targets: Real, scale: Real, out: Real) -> None:
    """Replace the wide gaps that `follow` wrote, and their fields, by minimised distances of exact levels.

    Where the exact levels disagree with the downfolded ones the pair is lost from there on.
    """
    n = line.A.shape[0]
    for k in range(targets.size):
        row = out[k]
        if row[2] > scale[3]:
            for i in range(n):
                for j in range(n):
                    bench.A[i, j] = line.A[i, j] + targets[k] * line.K[i, j]
            estimate = row[2]
            _least_gap(bench, line.Gz, row, scale[0])
            if not abs(row[2] - estimate) < _AGREED * estimate:
                out[k:] = np.nan
                break


@helper()
def _least_gap(bench: Bench, Gz: Complex, row: Real, scale: float) -> None:
    """Write the least distance of the two exact levels and its field into the row; NaN if it is not found.

    The gap is stationary where the moments of the two levels agree; gap^2 is nearly a parabola of
    curvature 2 slope^2, which gives the steps.
    """
    B, gap, slope = row[1], row[2], abs(row[4])
    anchors = (int(row[5]), int(row[6]))
    lower, upper = row[0] - 0.5 * gap, row[0] + 0.5 * gap
    curvature, last, moved = slope * slope, 0.0, 0.0
    row[2] = np.nan
    for _ in range(_MAX_STEPS):
        lower, first = _exact_level(bench, Gz, lower, B, anchors, scale, -1.0)
        upper, second = _exact_level(bench, Gz, upper, B, anchors, scale, 1.0)
        gap = upper - lower
        if not gap > 0.0:
            break
        steepness = gap * (second - first)
        if moved != 0.0 and (steepness - last) / moved > 0.1 * curvature:
            curvature = (steepness - last) / moved
        last, moved = steepness, -steepness / curvature
        if moved * moved * curvature < 1e-13 * gap * gap:
            row[1], row[2] = B + moved, gap
            break
        B += min(max(moved, -gap / slope), gap / slope)


@helper()
def _exact_level(
    bench: Bench, Gz: Complex, E: float, B: float, anchors: tuple[int, int], scale: float, side: float
) -> tuple[float, float]:
    """Return an exact level near E, the lower (side -1) or the upper (+1) of the pair, and its slope dE/dB.

    Each step solves the pencil (h(E) - E) c = mu Z c and takes the Rayleigh quotient E + mu.
    """
    h, Z, g = bench.h, bench.Z, bench.g
    for _ in range(_MAX_STEPS):
        dress(bench, Gz, E, B, anchors)
        p, q, r = h[0, 0].real - E, h[1, 1].real - E, h[0, 1]
        Za, Zb, Zab = Z[0, 0].real, Z[1, 1].real, Z[0, 1]
        # det(h - E - mu Z) = alpha mu^2 - 2 beta mu + gamma
        alpha = Za * Zb - abs(Zab) ** 2
        beta = 0.5 * (p * Zb + q * Za) - (r * Zab.conjugate()).real
        mu = (beta + side * np.sqrt(max(beta * beta - alpha * (p * q - abs(r) ** 2), 0.0))) / alpha
        E += mu
        if abs(mu) < 1e-14 * scale:
            bracket(Gz, bench.X, g)
            u, v = mu * Zab - r, complex(p - mu * Za)
            if abs(q - mu * Zb) > abs(v):
                u, v = complex(q - mu * Zb), (mu * Zab - r).conjugate()
            uu, vv, uv = abs(u) ** 2, abs(v) ** 2, u.conjugate() * v
            slope = uu * g[0, 0].real + vv * g[1, 1].real + 2.0 * (uv * g[0, 1]).real
            return E, slope / (uu * Za + vv * Zb + 2.0 * (uv * Zab).real)
    return np.nan, np.nan
