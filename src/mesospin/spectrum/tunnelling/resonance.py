r"""The minimum gap of two dressed basis states over the field, and the proof of it.

Search: Newton's iteration for :math:`h_{aa} = h_{bb} = E` finds the crossing; then the zero of
:math:`\tfrac12 d(\Delta^2)/dB = \Delta\,(E_+' - E_-')`, nearly linear in the field however narrow the gap, is
found by secants while both energies follow by Newton's iteration.

Proof: at two fields around the result the derivative of the gap has opposite signs, so a minimum lies between
them; its value differs from the gap at either by at most 2 |G| times their distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from flint import arb, ctx

from mesospin.errors import ConvergenceError
from mesospin.spectrum.tunnelling.enclosure import extra_bits
from mesospin.spectrum.tunnelling.feshbach import Downfolding, Dressed, two_levels

__all__ = [
    "Crossing",
    "Minimum",
    "Proof",
    "diabatic_slope",
    "find_crossing",
    "find_minimum",
    "gap_bound",
    "prove_minimum",
]

_CROSSING_STEPS = 60
_MINIMUM_STEPS = 80
#: Precision with which a search begins.
_SEARCH_BITS = 192
#: Relative step off a pole.
_NUDGE = 2.0**-20
#: Factor by which secants may change the first slope of the derivative.
_SECANT_RANGE = 64
#: Half-width of the interval of fields in units of the field that moves the levels by the tolerance.
_FIELD_SHARE = 2.0**-4
#: Interval of energies around a level that is kept free of poles, in units of |G| times that half-width.
_ENERGY_SHARE = 64
#: Accuracy of a proved level in units of that interval, and the steps to reach it.
_DRIFT = 2.0**-24
_REFINEMENTS = 4
#: The same interval, relative to the norm of H, where only a bound of the gap is wanted.
_BOUND_SHARE = 2.0**-30


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
    """The minimum gap as a search finds it: ``field`` [T], two ``energies`` [K], whether it settled."""

    field: arb
    energies: tuple[arb, arb]
    settled: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """A proved minimum: balls of the gap [K] and of its field [T]."""

    gap: arb
    field: arb


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
        scale = abs(E) + abs(h[0, 0]) + abs(h[0, 1])
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
            curvature = _secant(before, point, curvature, slope)
            dB = arb(0) if even else (-point.derivative / curvature).mid()
            moved = point.moved + abs(dB * slope)
        if not moved.is_finite():
            return start
        before = point
        low, high = ((E + s * dB).mid() for E, s in zip(point.energies, point.slopes, strict=True))
        here = Minimum((point.field + dB).mid(), (low, high), bool(moved < tolerance))
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
    lower, upper = (two_levels(fold.dressed(E, at.field)) for E in at.energies)
    down = ((lower.energy[0] - at.energies[0]) / lower.norm[0]).mid()
    up = ((upper.energy[1] - at.energies[1]) / upper.norm[1]).mid()
    low, high = (at.energies[0] + down).mid(), (at.energies[1] + up).mid()
    slopes = lower.slope[0].mid(), upper.slope[1].mid()
    derivative = ((high - low) * (slopes[1] - slopes[0])).mid()
    return _Point(at.field, (low, high), abs(down) + abs(up), slopes, derivative)


def _secant(before: _Point | None, now: _Point, curvature: arb, slope: arb) -> arb:
    """Return the slope of d(gap^2)/2dB from two points, or the one known where they do not tell it."""
    if before is None or before.field == now.field:
        return curvature
    secant = ((now.derivative - before.derivative) / (now.field - before.field)).mid()
    least, most = (slope * slope / _SECANT_RANGE, slope * slope * _SECANT_RANGE)
    return secant if least < secant < most else curvature


def prove_minimum(fold: Downfolding, found: Minimum, gap: arb, accuracy: arb) -> Proof | None:
    """Return balls that contain a minimum gap and its field, or None where the precision does not suffice.

    Parameters
    ----------
    fold : Downfolding
        With two kept states.
    found : Minimum
        The result of the search.
    gap : arb
        Its gap [K].
    accuracy : arb
        Relative accuracy wanted.

    Raises
    ------
    ConvergenceError
        If the gap is proved to have a maximum there.
    """
    width = _power_of_two(gap * accuracy / fold.norm_G * _FIELD_SHARE)
    if width is None:
        return None
    fields = arb(found.field, 2 * width)
    ends = ((found.field - width).mid(), (found.field + width).mid())
    radius = fold.norm_G * width * _ENERGY_SHARE
    bounds = [fold.inverse_bound(arb(energy, radius.upper()), fields) for energy in found.energies]
    if bounds[0] is None or bounds[1] is None:
        return None
    gaps, signs = [], []
    for B in ends:
        levels = [
            _proved_level(fold, k, found.energies[k], B, bound, radius)
            for k, bound in enumerate(bounds)
            if bound is not None
        ]
        low, high = levels
        if low is None or high is None:
            return None
        gaps.append(high[0] - low[0])
        signs.append(high[1] - low[1])
    if signs[0] > 0 and signs[1] < 0:
        msg = "the gap of this pair has a maximum, not a minimum, where the two states meet; use Levels(i, j)"
        raise ConvergenceError(msg)
    if not (signs[0] < 0 and signs[1] > 0):
        return None
    # |d gap/dB| <= 2 |G|, over the distance 2 width of the ends and its rounding
    lowest = (gaps[0] - 5 * fold.norm_G * width).lower()
    return Proof(lowest.union(gaps[0].upper()), fields)


def gap_bound(fold: Downfolding, found: Minimum) -> arb | None:
    """Return an upper bound of the least gap: the gap at the field found, if that is proved."""
    levels = []
    for k, energy in enumerate(found.energies):
        radius = ((fold.norm_H + fold.norm_G * abs(found.field)) * _BOUND_SHARE).upper()
        bound = fold.inverse_bound(arb(energy, radius), found.field)
        level = None if bound is None else _proved_level(fold, k, energy, found.field, bound, radius)
        if level is None:
            return None
        levels.append(level[0])
    return (levels[1] - levels[0]).abs_upper()


def _power_of_two(value: arb) -> arb | None:
    """Return a power of two not above a positive number."""
    below = value.abs_lower()
    if not (below.is_finite() and below > 0):
        return None
    mantissa, exponent = below.man_exp()
    return arb(2) ** (int(exponent) + int(mantissa).bit_length() - 1)


def _proved_level(
    fold: Downfolding, k: int, start: arb, B: arb, bound: arb, radius: arb
) -> tuple[arb, arb] | None:
    """Return balls of the energy and slope of level k (0 or 1), which must lie near the start."""
    E, drift = start, radius * _DRIFT
    for _ in range(_REFINEMENTS):
        here, around = fold.enclosed(E, B, bound, drift)
        miss = abs(two_levels(here).energy[k] - E).upper()
        if miss <= drift:
            return arb(E, miss), two_levels(around).slope[k]
        levels = two_levels(fold.dressed(E, B))
        E = (E + (levels.energy[k] - E) / levels.norm[k]).mid()
        if not 2 * abs(E - start) <= radius:
            return None
    return None


def diabatic_slope(fold: Downfolding, found: Minimum) -> arb:
    """Return dE_a/dB - dE_b/dB [K/T] of the two dressed states at the minimum of their gap."""
    middle = (found.energies[0] + found.energies[1]) / 2
    return _slope(fold.dressed(middle.mid(), found.field))


def _slope(dressed: Dressed) -> arb:
    Z, g = dressed.Z, dressed.slope
    return (g[0, 0].real / Z[0, 0].real - g[1, 1].real / Z[1, 1].real).mid()


def _bare_crossing(fold: Downfolding) -> tuple[arb, arb]:
    """Return field and energy at which the diagonal elements of the two kept states meet."""
    H, G = fold.H_pp, fold.G_pp
    slope = G[0, 0].real - G[1, 1].real
    B = ((H[1, 1].real - H[0, 0].real) / slope).mid()
    return B, (H[0, 0].real + B * G[0, 0].real).mid()
