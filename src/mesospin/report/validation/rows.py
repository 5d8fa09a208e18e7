"""One row of the validation table: what a source says, what this package computes, and the verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

AGREES: Final = "agrees"
ERRATUM: Final = "erratum"
CONTRADICTION: Final = "contradiction"
NOT_DETERMINED: Final = "not determined"
VERDICTS: Final = (AGREES, ERRATUM, CONTRADICTION, NOT_DETERMINED)


@dataclass(frozen=True, slots=True)
class Row:
    """One statement of a source beside our value.

    Attributes
    ----------
    id : str
        Short unique name.
    subject : str
        The quantity or the formula.
    source : str
        Where the statement stands.
    theirs, ours : str
        Both values as text.
    unit : str
        Unit of the values and of their difference; "1" for pure numbers and sentences.
    difference : float
        Ours minus theirs; NaN where the values are not numbers.
    verdict : str
        "agrees"; "erratum", a slip in the source; "contradiction", the statement and the computation exclude
        each other; "not determined", beyond what this version computes.
    reason : str
        Why the values differ or what the agreement rests on.
    should_hold : bool
        Whether the program is wrong if this row does not agree.
    """

    id: str
    subject: str
    source: str
    theirs: str
    ours: str
    unit: str
    difference: float
    verdict: str
    reason: str
    should_hold: bool

    @property
    def holds(self) -> bool:
        """Whether the row is as it should be."""
        return self.verdict == AGREES or not self.should_hold


@dataclass(frozen=True, slots=True)
class Source:
    """A source under which rows are made; ``name`` is shown in each of them."""

    name: str

    def number(
        self,
        id: str,
        subject: str,
        theirs: float,
        ours: float,
        unit: str = "1",
        *,
        rtol: float = 0.0,
        atol: float = 0.0,
        otherwise: str = CONTRADICTION,
        reason: str = "",
        should_hold: bool = True,
    ) -> Row:
        """Compare two numbers: they agree if abs(ours - theirs) <= atol + rtol abs(theirs).

        Examples
        --------
        >>> Source("a paper").number("n", "2S + 1", 21, 21).verdict
        'agrees'
        """
        difference = float(ours) - float(theirs)
        close = math.isfinite(difference) and abs(difference) <= atol + rtol * abs(theirs)
        verdict = AGREES if close else otherwise
        values = (_text(theirs), _text(ours))
        return Row(id, subject, self.name, *values, unit, difference, verdict, reason, should_hold)

    def erratum(
        self,
        id: str,
        subject: str,
        theirs: float,
        ours: float,
        unit: str = "1",
        *,
        reason: str,
        rtol: float = 1e-3,
    ) -> Row:
        """Compare a number that is known to be a slip of the source."""
        return self.number(
            id, subject, theirs, ours, unit, rtol=rtol, otherwise=ERRATUM, reason=reason, should_hold=False
        )

    def statement(
        self,
        id: str,
        subject: str,
        theirs: str,
        ours: str,
        true: bool,
        *,
        otherwise: str = CONTRADICTION,
        reason: str = "",
        should_hold: bool = True,
    ) -> Row:
        """Judge a sentence by a computed condition."""
        verdict = AGREES if true else otherwise
        return Row(id, subject, self.name, theirs, ours, "1", math.nan, verdict, reason, should_hold)

    def open(self, id: str, subject: str, theirs: str, reason: str) -> Row:
        """Return a row for what this version does not compute."""
        return Row(id, subject, self.name, theirs, "-", "1", math.nan, NOT_DETERMINED, reason, False)


def _text(value: float) -> str:
    return f"{float(value):.6g}"
