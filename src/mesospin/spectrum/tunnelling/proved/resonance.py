r"""The crossing of two dressed basis states and the field at which their gap is least, without proof.

Newton's iteration for :math:`h_{aa} = h_{bb} = E` finds the crossing; then the zero of
:math:`\tfrac12 d(\Delta^2)/dB = \Delta\,(E_+' - E_-')`, nearly linear in the field however narrow the gap, is
found by secants while both energies follow by Newton's iteration.
"""

from __future__ import annotations

from typing import NamedTuple

from flint import arb, ctx

from mesospin.spectrum.tunnelling.proved.complements import Matrix
from mesospin.spectrum.tunnelling.proved.enclosure import extra_bits
from mesospin.spectrum.tunnelling.proved.feshbach import Downfolding, Dressed, two_levels

__all__ = ["Crossing", "Minimum", "branched", "diabatic_slope", "find_crossing", "find_minimum"]

_CROSSING_STEPS = 60
_MINIMUM_STEPS = 80
#: Precision with which a search begins.
_SEARCH_BITS = 192
#: Relative step off a pole.
_NUDGE = 2.0**-20
#: Factor by which secants may change the first slope of the derivative.
_SECANT_RANGE = 64


class Crossing(NamedTuple):
    """Two dressed basis states a and b at their crossing.

    ``field`` [T], ``energy`` [K], ``splitting`` [K] the gap in lowest order of gap/spacing, ``slope`` dE_a/dB
    - dE_b/dB [K/T], ``norms`` Z_a and Z_b, ``disagreement`` the relative one of the coupling computed from
    either side, ``converged`` whether Newton's iteration did.
    """

    field: arb
    energy: arb
    splitting: arb
    slope: arb
    norms: tuple[arb, arb]
    disagreement: float
    converged: bool


class Minimum(NamedTuple):
    """The minimum gap as a search finds it.

    ``field`` [T], the lower and the upper of the two ``energies`` [K], ``settled`` whether it is one, and
    ``branches``: each energy is a root of the lower (0) or the upper (1) eigenvalue of the downfolded pair.
    Levels of other states between the two exchange the branches; without any they are (0, 1).
    """

    field: arb
    energies: tuple[arb, arb]
    settled: bool = False
    branches: tuple[int, int] = (0, 1)


def find_crossing(fold: Downfolding, start: tuple[arb, arb] | None, *, even: bool) -> Crossing:
    """Return the crossing of the two kept states.

    Parameters
    ----------
    fold : Downfolding
        With two kept states.
    start : (arb, arb) or None
        Field [T] and energy [K]; None where the bare states meet.
    even : bool
        Whether the spectrum is even in the field and the states are mirror images: the crossing is at B = 0.
    """
    B, E = _bare_crossing(fold) if start is None else start
    converged = False
    for _ in range(_CROSSING_STEPS):
        try:
            h, Z, g = fold.dressed(E, B)
        except ZeroDivisionError:  # E sits on a level of the others
            E = (E + abs(E) * _NUDGE + _NUDGE).mid()
            continue
        residual = (h[0, 0].real - E, h[1, 1].real - E)
        norm, slope = (Z[0, 0].real, Z[1, 1].real), (g[0, 0].real, g[1, 1].real)
        dE, dB = _newton_step(residual, norm, slope, even=even)
        if not (dE.is_finite() and dB.is_finite()):
            break
        E, B = (E + dE).mid(), (B + dB).mid()
        size = abs(dE) + abs(dB * slope[0])
        scale = fold.norm_H + fold.norm_G * abs(B)
        # quadratic convergence: the next step would be at the rounding
        if size < scale * arb(2) ** -(ctx.prec // 2 + 4):
            converged = True
            break
    h, Z, g = fold.dressed(E, B)
    norms = (Z[0, 0].real.mid(), Z[1, 1].real.mid())
    coupling, other = h[0, 1].mid(), h[1, 0].mid()
    difference = coupling - (other if fold.is_real else other.conjugate())
    size = abs(coupling)
    disagreement = float(abs(difference) / size) if not size.contains(0) else float(difference != 0)
    splitting = (2 * size / (norms[0] * norms[1]).sqrt()).mid()
    return Crossing(B, E, splitting, _slope(Dressed(h, Z, g)), norms, disagreement, converged)


def _newton_step(
    residual: tuple[arb, arb], norm: tuple[arb, arb], slope: tuple[arb, arb], *, even: bool
) -> tuple[arb, arb]:
    """Return (dE, dB) that removes both residuals h_aa - E: d(h_aa - E) = -Z_a dE + g_a dB."""
    if even:
        return ((residual[0] + residual[1]) / (norm[0] + norm[1])).mid(), arb(0)
    determinant = norm[1] * slope[0] - norm[0] * slope[1]
    dE = (residual[1] * slope[0] - residual[0] * slope[1]) / determinant
    dB = (norm[0] * residual[1] - norm[1] * residual[0]) / determinant
    return dE.mid(), dB.mid()


def find_minimum(fold: Downfolding, start: Minimum, slope: arb, tolerance: arb, *, even: bool) -> Minimum:
    """Return the field of least gap and the two energies there, without proof.

    Parameters
    ----------
    fold : Downfolding
        With two kept states.
    start : Minimum
        Where to begin.
    slope : arb
        Difference of dE/dB of the crossing states [K/T].
    tolerance : arb
        Accuracy of the field, times the slope [K].
    even : bool
        Whether the minimum is known to lie at B = 0.
    """
    scale = fold.norm_H + fold.norm_G * abs(start.field)
    curvature = (slope * slope).mid()
    here, before, full = start, None, ctx.prec
    bits = min(_SEARCH_BITS, full)
    for _ in range(_MINIMUM_STEPS):
        with ctx.workprec(bits):
            point = _evaluated(fold, here)
            rounding = scale * arb(2) ** -(ctx.prec // 2)
            curvature = _secant(before, point, curvature, slope, rounding)
            dB = arb(0) if even else (-point.derivative / curvature).mid()
            moved = point.moved + abs(dB * slope)
        if not moved.is_finite():
            return start
        before = point
        low, high = ((E + s * dB).mid() for E, s in zip(point.energies, point.slopes, strict=True))
        settled = bool(moved < tolerance)
        here = Minimum((point.field + dB).mid(), (low, high), settled, start.branches)
        if here.settled:
            break
        # every step doubles the digits
        bits = full if moved == 0 else min(full, 2 * extra_bits(scale, moved) + _SEARCH_BITS)
    return here


class _Point(NamedTuple):
    """One step of Newton's iteration at a field: energies, how far they moved, slopes, d(gap^2)/2dB."""

    field: arb
    energies: tuple[arb, arb]
    moved: arb
    slopes: tuple[arb, arb]
    derivative: arb


def _evaluated(fold: Downfolding, at: Minimum) -> _Point:
    i, j = at.branches
    lower, upper = (two_levels(fold.dressed(E, at.field)) for E in at.energies)
    down = ((lower.energy[i] - at.energies[0]) / lower.norm[i]).mid()
    up = ((upper.energy[j] - at.energies[1]) / upper.norm[j]).mid()
    low, high = (at.energies[0] + down).mid(), (at.energies[1] + up).mid()
    slopes = lower.slope[i].mid(), upper.slope[j].mid()
    derivative = ((high - low) * (slopes[1] - slopes[0])).mid()
    return _Point(at.field, (low, high), abs(down) + abs(up), slopes, derivative)


def _secant(before: _Point | None, now: _Point, curvature: arb, slope: arb, rounding: arb) -> arb:
    """Return the slope of d(gap^2)/2dB from two points, or the one known where they do not tell it."""
    if before is None or before.field == now.field:
        return curvature
    distance = now.field - before.field
    secant = ((now.derivative - before.derivative) / distance).mid()
    usual = slope * slope / _SECANT_RANGE < secant < slope * slope * _SECANT_RANGE
    told = secant > 0 and abs(distance * slope) > rounding
    return secant if usual or told else curvature


def diabatic_slope(fold: Downfolding, found: Minimum) -> arb:
    """Return dE_a/dB - dE_b/dB [K/T] of the two dressed states at the minimum of their gap."""
    middle = (found.energies[0] + found.energies[1]) / 2
    return _slope(fold.dressed(middle.mid(), found.field))


def branched(fold: Downfolding, found: Minimum) -> Minimum:
    """Return a minimum with the branches whose roots its energies are, where these are clearly others."""
    branches = []
    for usual, energy in enumerate(found.energies):
        miss = [abs(value - energy) for value in two_levels(fold.dressed(energy, found.field)).energy]
        branches.append(1 - usual if miss[1 - usual] * 2 < miss[usual] else usual)
    return Minimum(found.field, found.energies, found.settled, (branches[0], branches[1]))


def _slope(dressed: Dressed) -> arb:
    """Return the difference of the moments that the two levels have where G is diagonal in them."""
    Z, g = dressed.Z, dressed.slope
    a, b = g[0, 0].real / Z[0, 0].real, g[1, 1].real / Z[1, 1].real
    norm = _determinant(Z, Z) / 2
    total = _determinant(Z, g)
    square = (total * total - 2 * norm * _determinant(g, g)).mid()
    size = (square.sqrt() / norm).mid() if square > 0 else arb(0)
    return size if a >= b else -size


def _determinant(first: Matrix, second: Matrix) -> arb:
    """Return the mixed determinant of two Hermitian 2x2 matrices, twice the determinant of equal ones."""
    off = (first[0, 1] * second[1, 0]).real
    mixed: arb = first[0, 0].real * second[1, 1].real + first[1, 1].real * second[0, 0].real - 2 * off
    return mixed.mid()


def _bare_crossing(fold: Downfolding) -> tuple[arb, arb]:
    """Return field and energy at which the diagonal elements of the two kept states meet."""
    H, G = fold.H_pp, fold.G_pp
    slope = G[0, 0].real - G[1, 1].real
    B = ((H[1, 1].real - H[0, 0].real) / slope).mid()
    return B, (H[0, 0].real + B * G[0, 0].real).mid()
