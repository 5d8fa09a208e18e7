"""The field at which the levels of the two wells meet, and the levels there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from flint import fmpq

from mesospin.errors import ConvergenceError, InputError
from mesospin.spectrum.tunnelling.large_spin.double_double import rational, rounded
from mesospin.spectrum.tunnelling.large_spin.elements import Chain, Ladder
from mesospin.spectrum.tunnelling.large_spin.landscape import landscape, sampled
from mesospin.spectrum.tunnelling.large_spin.wells import OPAQUE, Level, alone, find_level, follow_level

__all__ = ["Meeting", "Question", "meeting", "question"]

#: Change of a level by a step of the field, relative to the spacing, below which it is followed.
_SMALL_STEP = 0.05
#: Difference of the two levels (elements are of order one) that counts as none.
_EQUAL = 4e-29
_EQUAL_TO_SPACING = 1e-22
_STEPS = 40
#: Sites whose bare energies are compared one by one.
_COUNTED = 2_000_000


class Question(NamedTuple):
    """A ladder and two projections, the higher first.

    ``ranks`` count the levels of their wells from the bottom, ``start`` is the field [T] at which they meet
    without transverse terms; ``symmetric`` tells that they are mirror images at zero field, ``even`` that
    their gap does not depend on the sign of the field.
    """

    ladder: Ladder
    upper: float
    lower: float
    ranks: tuple[int, int]
    names: tuple[str, str]
    start: fmpq
    exponent: int
    symmetric: bool
    even: bool


class Meeting(NamedTuple):
    """Two levels of equal energy: the field [T], the two chains (often one) and the two levels.

    ``mismatch`` is what is left of the difference of the energies, in the unit of the chain.
    """

    field: fmpq
    chains: tuple[Chain, Chain]
    levels: tuple[Level, Level]
    mismatch: float

    @property
    def connected(self) -> bool:
        """Whether the two levels belong to the same chain."""
        return self.chains[0] is self.chains[1]

    @property
    def opaque(self) -> bool:
        """Whether the levels vanish, to all digits, before the barrier ends."""
        return max(level.leak for level in self.levels) <= OPAQUE


def question(ladder: Ladder, upper: float, lower: float, names: tuple[str, str]) -> Question:
    """Return the pair as levels counted in their wells.

    Raises
    ------
    InputError
        If the two states have the same moment or no barrier stands between them.
    """
    both = f"{names[0]} and {names[1]}"
    if ladder.slope(upper) == ladder.slope(lower):
        msg = (
            f"pair must meet at one field along the axis, but {both} have the same moment along it; "
            "choose another axis"
        )
        raise InputError(msg)
    symmetry = ladder.mirror_symmetry()
    symmetric = upper == -lower and symmetry[0]
    start = fmpq(0) if symmetric else rounded(ladder.crossing(upper, lower))
    chains = _chains(ladder, upper, lower, start, None)
    ranks = _rank(chains[0], upper, lower, upper, both), _rank(chains[1], upper, lower, lower, both)
    return Question(
        ladder, upper, lower, ranks, names, start, chains[0].exponent, symmetric, symmetric and symmetry[1]
    )


def _rank(chain: Chain, upper: float, lower: float, m: float, both: str) -> int:
    """Return how many states lie below |m> on its side of the barrier, without transverse terms."""
    own = float(chain.diagonal_values(np.array([m]))[0])
    for sites in (sampled(chain.sites), np.arange(min(chain.sites, _COUNTED))):
        projections = chain.top - chain.period * sites.astype(np.float64)
        energy = chain.diagonal_values(projections)
        between = (projections < upper) & (projections > lower)
        top = (
            float(projections[between][np.argmax(energy[between])])
            if between.any()
            else 0.5 * (upper + lower)
        )
        if between.any() and not energy[between].max() > own:
            msg = (
                f"pair must belong to two wells, but no barrier stands between {both}; use DoublePrecision() "
                "or Certified()"
            )
            raise InputError(msg)
        side = projections > top if m == upper else projections < top
        outside = projections > m if m == upper else projections < m
        if len(sites) == chain.sites:
            return int(np.count_nonzero(side & (energy < own)))
        if np.array_equal(side & (energy < own), outside):
            return chain.site(m) if m == upper else chain.sites - 1 - chain.site(m)
    msg = f"pair must count levels of wells whose energy falls towards |m| = S at this size, got {both}"
    raise InputError(msg)


def meeting(asked: Question) -> Meeting:
    """Return the field at which the two levels meet and the levels there.

    Levels that reach through the barrier are taken again on the whole chain, without the site of the other.

    Raises
    ------
    InputError
        If a level is not confined to its well.
    ConvergenceError
        If the field is not found.
    """
    found = _met(asked, asked.start, None)
    if not found.opaque:
        found = _met(asked, found.field, found)
    return found


def _met(asked: Question, field: fmpq, before: Meeting | None) -> Meeting:
    """Return the meeting by Newton's method in the field; ``before`` holds levels to take on whole chains."""
    levels, step, drift = (None if before is None else before.levels), fmpq(0), np.inf
    for _ in range(_STEPS):
        chains = _chains(asked.ladder, asked.upper, asked.lower, field, asked.exponent)
        if levels is None or (before is None and drift > _SMALL_STEP):
            levels = _located(asked, chains)
        else:
            guesses = [level.energy + _shift(level, step, asked.exponent) for level in levels]
            levels = _again(asked, chains, levels, guesses, whole=before is not None)
        if asked.symmetric:
            return Meeting(field, chains, levels, 0.0)
        difference = levels[0].energy - levels[1].energy
        spacing = min(level.spacing for level in levels)
        if abs(float(difference)) <= max(_EQUAL, _EQUAL_TO_SPACING * spacing):
            return Meeting(field, chains, levels, abs(float(difference)))
        slope = levels[0].slope - levels[1].slope
        after = rounded(field - difference * fmpq(2) ** asked.exponent / rational(slope))
        step, field = after - field, after
        drift = max(abs(float(_shift(level, step, asked.exponent))) for level in levels) / spacing
    msg = f"LargeSpin() did not find the field at which the levels meet in {_STEPS} steps; use Certified()"
    raise ConvergenceError(msg, {"field": float(field), "drift": drift})


def _chains(
    ladder: Ladder, upper: float, lower: float, field: fmpq, exponent: int | None
) -> tuple[Chain, Chain]:
    """Return the chains of two projections, one and the same object if they share it."""
    first = ladder.chain(upper, field, exponent)
    if (upper - lower) % ladder.period == 0:
        return first, first
    return first, ladder.chain(lower, field, first.exponent)


def _shift(level: Level, step: fmpq, exponent: int) -> fmpq:
    """Return the change of a level [unit of the chain] by a step of the field [T]."""
    return rational(level.slope) * step * fmpq(2) ** -exponent


def _located(asked: Question, chains: tuple[Chain, Chain]) -> tuple[Level, Level]:
    """Return the two levels found from their ranks."""
    distinct = chains[:1] if chains[0] is chains[1] else chains
    lands = [landscape(chain, asked.upper, asked.lower) for chain in distinct]
    upper = find_level(chains[0], lands[0], 0, asked.ranks[0], asked.names[0])
    if asked.symmetric and chains[0] is chains[1]:
        return upper, upper.mirrored(chains[0].sites)
    return upper, find_level(chains[1], lands[-1], 1, asked.ranks[1], asked.names[1])


def _again(
    asked: Question,
    chains: tuple[Chain, Chain],
    levels: tuple[Level, Level],
    guesses: list[fmpq],
    *,
    whole: bool,
) -> tuple[Level, Level]:
    """Return two known levels again, near the energies guessed."""
    same = chains[0] is chains[1]

    def again(k: int) -> Level:
        if whole:
            return alone(chains[k], levels[k], levels[1 - k].site if same else -1, guesses[k])
        return follow_level(chains[k], levels[k], guesses[k])

    upper = again(0)
    return upper, (upper.mirrored(chains[0].sites) if asked.symmetric and same else again(1))
