"""Rows on equilibrium, lanthanides and spectroscopy: what contradicts its source says so."""

from mesospin.report.validation import (
    equilibrium,
    erw10,
    erw10_equilibrium,
    rare_earth_crystals,
    spectroscopy,
)
from mesospin.report.validation.rows import AGREES, CONTRADICTION, NOT_DETERMINED
from mesospin.report.validation.table import failures, to_dataset


def rows_of(*modules):
    return {row.id: row for module in modules for section in module.SECTIONS for row in section()}


def test_the_printed_parameters_of_erw10_are_shown_to_contradict_the_text():
    rows = rows_of(erw10, erw10_equilibrium)
    for name in ("ground", "gz", "excited", "first-excited", "two-levels", "barrier", "curie", "167-spacing"):
        assert rows[f"erw10-{name}"].verdict == CONTRADICTION
    for name in ("ground", "gz", "excited", "first-excited", "two-levels", "curie", "167-spacing"):
        assert rows[f"erw10-{name}-b60"].verdict == AGREES
        assert rows[f"erw10-{name}-b60"].reason
    # fitted in the text, but printed nowhere
    for name in ("fig2", "heat", "esr", "weiss", "chi-max"):
        assert rows[f"erw10-{name}"].verdict == NOT_DETERMINED
    assert failures(to_dataset(list(rows.values()))) == []


def test_rows_that_disagree_have_a_reason():
    rows = rows_of(equilibrium, rare_earth_crystals, spectroscopy)
    assert failures(to_dataset(list(rows.values()))) == []
    assert all(row.reason for row in rows.values() if row.verdict != AGREES)
