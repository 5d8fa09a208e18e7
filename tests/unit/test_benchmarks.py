"""The benchmarks can be imported and give rows of one form; times are not tested."""

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
MODULES = (
    "levels",
    "certified",
    "large_spin",
    "splitting_map",
    "powder_magnetisation",
    "fit",
    "ac_fit",
    "staircase",
    "unitary_sweep",
    "lindblad_sweep",
)
KEYS = {"name", "peer", "peer_seconds", "peer_error", "ours_seconds", "ours_error", "ratio", "goal"}


@pytest.fixture
def benchmark(monkeypatch):
    """Import by name from the folder of the benchmarks, and forget the modules afterwards."""
    pytest.importorskip("qutip")
    monkeypatch.syspath_prepend(FOLDER)
    names = (*MODULES, "ac_fit_sides", "timing", "run")
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODULES)
def test_every_benchmark_is_imported_and_listed(benchmark, name):
    assert callable(benchmark(name).rows)
    assert name in benchmark("run").MODULES


@pytest.mark.filterwarnings("ignore")
def test_rows_have_one_form_and_fit_into_the_table(benchmark):
    rows = benchmark("levels").rows(points=20, rounds=1)
    assert rows
    for row in rows:
        assert set(row) >= KEYS
        assert row["ratio"] > 0
        assert row["goal"] is None or row["goal"] > 0
        # energies and moments of both against 60-digit numbers
        assert max(row["peer_error"], row["ours_error"]) < 1e-10
    assert benchmark("run").table(rows).row_count == len(rows)
