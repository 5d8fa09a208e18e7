r"""The proof that a gap is least, and how large it is.

At two fields around the result of a search the derivative of the gap has opposite signs, so a minimum lies
between them; its value differs from the gap at either by at most 2 |G| times their distance.  Both levels are
continuous in between: around each lies an interval of energies without poles, in which its branch has one
root at every field of the range and which no level leaves, as none moves faster than |G|.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, ctx

from mesospin.errors import ConvergenceError
from mesospin.spectrum.tunnelling.proved.feshbach import Downfolding, two_levels
from mesospin.spectrum.tunnelling.proved.resonance import Minimum

__all__ = ["Proof", "gap_bound", "prove_minimum"]

#: Half-width of the interval of fields in units of the field that moves the levels by the tolerance.
_FIELD_SHARE = 2.0**-4
#: Interval of energies around a level that is kept free of poles, in units of |G| times that half-width.
_ENERGY_SHARE = 64
#: Accuracy of a proved level in units of that interval, and the steps to reach it.
_DRIFT = 2.0**-24
_REFINEMENTS = 4
#: The same interval, relative to the norm of H, where only a bound of the gap is wanted.
_BOUND_SHARE = 2.0**-30


@dataclass(frozen=True, slots=True)
class Proof:
    """A proved minimum: balls of the gap [K] and of its field [T]."""

    gap: arb
    field: arb


def prove_minimum(fold: Downfolding, found: Minimum, slope: arb, accuracy: arb) -> Proof | None:
    """Return balls that contain a minimum gap and its field, or None where the precision does not suffice.

    Parameters
    ----------
    fold : Downfolding
        With two kept states.
    found : Minimum
        The result of the search.
    slope : arb
        Difference of dE/dB of the crossing states [K/T].
    accuracy : arb
        Relative accuracy wanted.

    Raises
    ------
    ConvergenceError
        If the gap is proved to have a maximum there.
    """
    gap = found.energies[1] - found.energies[0]
    width = _power_of_two(gap * accuracy / fold.norm_G * _FIELD_SHARE)
    if width is None:
        return None
    fields = arb(found.field, 2 * width)
    ends = ((found.field - width).mid(), (found.field + width).mid())
    radius = fold.norm_G * width * _ENERGY_SHARE
    # the slopes to be told apart differ by the square of this ratio times the accuracy
    ratio = abs(slope) / fold.norm_G
    drift = (radius * _DRIFT * ratio * ratio).mid()
    bounds = [fold.inverse_bound(arb(energy, radius.upper()), fields) for energy in found.energies]
    if bounds[0] is None or bounds[1] is None:
        return None
    gaps, signs = [], []
    for B in ends:
        levels = [
            _proved_level(fold, k, E, B, bound, radius, drift)
            for k, E, bound in zip(found.branches, found.energies, bounds, strict=True)
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
    for k, energy in zip(found.branches, found.energies, strict=True):
        radius = ((fold.norm_H + fold.norm_G * abs(found.field)) * _BOUND_SHARE).upper()
        bound = fold.inverse_bound(arb(energy, radius), found.field)
        drift = radius * arb(2) ** -(ctx.prec // 3)
        level = None if bound is None else _proved_level(fold, k, energy, found.field, bound, radius, drift)
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
    fold: Downfolding, k: int, start: arb, B: arb, bound: arb, radius: arb, drift: arb
) -> tuple[arb, arb] | None:
    """Return balls of the energy, within ``drift``, and of the slope of branch k near the start."""
    E = start
    for _ in range(_REFINEMENTS):
        enclosed = fold.enclosed(E, B, bound)
        miss = abs(two_levels(enclosed.within(arb(0))).energy[k] - E).upper()
        if miss <= drift:
            return arb(E, miss), two_levels(enclosed.within(miss)).slope[k]
        levels = two_levels(fold.dressed(E, B))
        E = (E + (levels.energy[k] - E) / levels.norm[k]).mid()
        if not 2 * abs(E - start) <= radius:
            return None
    return None
