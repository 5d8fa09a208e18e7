r"""The phase of the coupling of two levels in the plane of the transverse field, and what it winds around.

On the surface where the two dressed levels cross, :math:`h_{aa} = h_{bb} = E`, the coupling
:math:`h_{ab}(B_x, B_y)` is a smooth complex function in a fixed gauge (the anchors).  Its zeros are the exact
degeneracies; the turns of its phase around a cell count those inside, each with its sign.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from mesospin.spectrum.interference.coupling import Bench, Complex, Real, bracket, compiled, crossing, helper
from mesospin.spectrum.interference.followed_pair import kept

#: Verdicts on a cell: no zero inside, one simple zero, to be divided, an edge that runs into a zero.
EMPTY: Final = 0
SIMPLE: Final = 1
DIVIDE: Final = 2
BLOCKED: Final = 3

#: Largest change of ln h in one step along an edge, and the agreement with its slope that is asked for.
_STEP: Final = 0.6
_AGREEMENT: Final = 0.15
_SHORTEST: Final = 1e-6


class Plane(NamedTuple):
    """H = H0 + x Gx + y Gy + B Gz, a pair of anchors, and the largest element of H0 [K]."""

    H0: Complex
    Gx: Complex
    Gy: Complex
    Gz: Complex
    anchors: tuple[int, int]
    scale: float


class Spot(NamedTuple):
    """The crossing at one transverse field.

    ``h`` (3,): coupling h_ab [K] and its derivatives by Bx and By along the surface of crossings; ``r`` (8,):
    Bx, By, energy, Bz, dE/dBx, dBz/dBx, dE/dBy, dBz/dBy.
    """

    h: Complex
    r: Real

    @classmethod
    def new(cls) -> Spot:
        """Return a spot to be filled."""
        return cls(np.zeros(3, dtype=np.complex128), np.zeros(8))


@compiled()
def visit(bench: Bench, plane: Plane, near: Spot, states: Complex, x: float, y: float, spot: Spot) -> bool:
    """Find the crossing at (x, y), starting from ``near``, and fill the spot.

    Returns False if there is none, or if its dressed states are not mostly ``states``.
    """
    n = plane.H0.shape[0]
    for i in range(n):
        for j in range(n):
            bench.A[i, j] = plane.H0[i, j] + x * plane.Gx[i, j] + y * plane.Gy[i, j]
    dx, dy = x - near.r[0], y - near.r[1]
    E = near.r[2] + near.r[4] * dx + near.r[6] * dy
    B = near.r[3] + near.r[5] * dx + near.r[7] * dy
    settled, E, B = crossing(bench, plane.Gz, E, B, plane.anchors, plane.scale)
    if not (settled and kept(bench, states)):
        return False
    Za, Zb = bench.Z[0, 0].real, bench.Z[1, 1].real
    ga, gb = bench.g[0, 0].real / Za, bench.g[1, 1].real / Zb
    spot.r[0], spot.r[1], spot.r[2], spot.r[3] = x, y, E, B
    spot.h[0] = bench.h[0, 1]
    for f in range(2):
        bracket(plane.Gx if f == 0 else plane.Gy, bench.X, bench.k)
        ka, kb = bench.k[0, 0].real / Za, bench.k[1, 1].real / Zb
        slope = (kb - ka) / (ga - gb)
        rise = ga * slope + ka
        spot.r[4 + 2 * f], spot.r[5 + 2 * f] = rise, slope
        spot.h[1 + f] = bench.k[0, 1] + bench.g[0, 1] * slope - bench.Z[0, 1] * rise
    return True


@compiled()
def turn(bench: Bench, plane: Plane, states: Complex, start: Spot, end: Spot, spot: Spot) -> float:
    """Return the change of the phase of h_ab along the edge between two spots [rad]; NaN if it meets a zero.

    Steps adapt to the logarithmic derivative; each must agree with the mean of its two ends, so no turn is
    missed.  ``spot`` is overwritten.
    """
    x0, y0 = start.r[0], start.r[1]
    dx, dy = end.r[0] - x0, end.r[1] - y0
    spot.h[:], spot.r[:] = start.h, start.r
    s, step, phase = 0.0, 1.0, 0.0
    while s < 1.0:
        before = spot.h[0]
        rate = (spot.h[1] * dx + spot.h[2] * dy) / before
        step = min(step, 1.0 - s, _STEP / max(abs(rate), 1e-300))
        if not step > _SHORTEST:
            return np.nan
        goal = s + step
        if not visit(bench, plane, start, states, x0 + goal * dx, y0 + goal * dy, spot):
            return np.nan
        change = np.log(spot.h[0] / before)
        mean = 0.5 * step * (rate + (spot.h[1] * dx + spot.h[2] * dy) / spot.h[0])
        if abs(change - mean) < _AGREEMENT:
            phase += change.imag
            s = 1.0 if 1.0 - goal < 1e-12 else goal
            step *= 2.0
        else:
            if not visit(bench, plane, start, states, x0 + s * dx, y0 + s * dy, spot):
                return np.nan
            step *= 0.5
    return phase


@helper()
def orientation(spot: Spot) -> float:
    """Return the determinant of the derivative of h_ab: positive where h_ab turns like Bx + i By."""
    product: complex = spot.h[1].conjugate() * spot.h[2]
    return product.imag


@compiled()
def judge(
    bench: Bench,
    plane: Plane,
    centre: Spot,
    states: Complex,
    half: tuple[float, float],
    corners: tuple[Spot, Spot, Spot, Spot],
    spot: Spot,
) -> tuple[int, int]:
    """Return the verdict on the cell around ``centre``, and the turns of the phase around it.

    Empty: the values at the corners and the slope keep h_ab away from zero.  Where the orientation is the
    same all over the cell, all zeros have the same sign, so the turns are their number.
    """
    near, size = centre.h[0], abs(centre.h[0])
    reach = abs(centre.h[1]) * half[0] + abs(centre.h[2]) * half[1]
    empty, even, smooth = reach < 0.9 * size, True, True
    for k in range(4):
        dx, dy = (half[0] if k in (1, 2) else -half[0]), (half[1] if k > 1 else -half[1])
        corner = corners[k]
        if not visit(bench, plane, centre, states, centre.r[0] + dx, centre.r[1] + dy, corner):
            return DIVIDE, 0
        change = centre.h[1] * dx + centre.h[2] * dy
        smooth &= abs(corner.h[0] - near - change) < 0.5 * (size + abs(change))
        empty &= abs(corner.h[0] - near) < 0.9 * size
        even &= orientation(corner) * orientation(centre) > 0.0
    if smooth and empty:
        return EMPTY, 0
    phase = 0.0
    for k in range(4):
        phase += turn(bench, plane, states, corners[k], corners[(k + 1) % 4], spot)
    if np.isnan(phase):
        return (BLOCKED if smooth else DIVIDE), 0
    turns = int(np.rint(phase / (2.0 * np.pi)))
    if smooth and even and turns == 0:
        return EMPTY, 0
    simple = smooth and even and abs(turns) == 1 and turns * orientation(centre) > 0.0
    return (SIMPLE if simple else DIVIDE), turns
