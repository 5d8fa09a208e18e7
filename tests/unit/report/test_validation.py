"""The validation table: how a row is judged, and that every row that should hold does."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.report.validation.rows import VERDICTS, Source
from mesospin.report.validation.table import all_hold, failures, to_dataset

PAPER = Source("a paper")


def test_a_number_agrees_within_its_tolerance():
    assert PAPER.number("a", "S", 10.0, 10.1, rtol=0.02).verdict == "agrees"
    assert PAPER.number("a", "S", 10.0, 10.1, atol=0.05).verdict == "contradiction"
    assert PAPER.number("a", "S", 10.0, 10.1).difference == pytest.approx(0.1)
    assert PAPER.number("a", "S", 10.0, float("nan"), atol=1.0).verdict == "contradiction"


def test_an_erratum_that_disagrees_is_no_failure():
    row = PAPER.erratum("factor", "exponent", 40.0, 1.0, reason="lost factor")
    assert row.verdict == "erratum"
    assert row.holds
    assert PAPER.erratum("factor", "exponent", 1.0, 1.0, reason="").verdict == "agrees"


def test_failures_are_named():
    rows = [
        PAPER.number("good", "n", 1, 1),
        PAPER.number("bad", "n", 1, 2),
        PAPER.statement("false", "sentence", "yes", "no", False),
        PAPER.open("later", "coherence", "1 us", "not computed"),
    ]
    dataset = to_dataset(rows)
    assert failures(dataset) == ["bad", "false"]
    assert not all_hold(dataset)
    assert all_hold(to_dataset([rows[0], rows[3]]))


def test_names_of_rows_differ():
    with pytest.raises(ValueError, match="must differ"):
        to_dataset([PAPER.number("n", "n", 1, 1), PAPER.number("n", "n", 1, 1)])


@pytest.mark.slow
def test_every_row_that_should_hold_does(tmp_path):
    calls = []
    dataset = ms.validate(progress=lambda done, total: calls.append((done, total)))
    assert failures(dataset) == []
    assert calls[0][0] == 0
    assert calls[-1][0] == calls[-1][1]
    assert set(dataset.verdict.values) == set(VERDICTS)
    # whoever disagrees says why
    unexplained = (dataset.verdict.values != "agrees") & (dataset.reason.values == "")
    assert not np.any(unexplained)
    file = ms.save(dataset, tmp_path / "validation.nc")
    assert ms.open_result(file if file is not None else tmp_path / "validation.nc").identical(dataset)
