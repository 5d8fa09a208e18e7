"""Studies of fits: from the file to the answer, and what is refused."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import ConvergenceError, InputError, StudyError, UnitError
from mesospin.model.study import study_from_table
from mesospin.report.tables import tables

STUDIES = Path(__file__).parents[3] / "studies"
KELVIN = 1.438776877


def study(folder, text="", data='file = "levels.csv"', system="", vary='["D", "E"]'):
    """Write a study of a spin 1 whose levels are at 0.6 and 3.3 K, with other lines if wanted."""
    (folder / "levels.csv").write_text("# made\nlevel,energy (K),sigma\n1,0.6,0.01\n2,3.3,0.01\n")
    spin = """[system]
    spins = [{ S = 1, g = 2 }]
    terms = [{ kind = "zero-field-splitting", D = "-2 K", E = "0.2 K" }]"""
    file = folder / "levels-fit.toml"
    file.write_text(
        f'{system or spin}\n[experiment]\nkind = "fit"\nvary = {vary}\nstarts = 1\n{text}\n'
        f"[[experiment.data]]\n{data}\n"
    )
    return file


def test_a_study_is_a_fit(tmp_path):
    ds = ms.run(
        study(tmp_path, 'bounds = { D = ["-20 K", "none"], E = ["0 K", "1 K"] }'), out=tmp_path / "out"
    )
    assert ds.value.values == pytest.approx([-3.0, 0.3], rel=1e-6)
    assert ds.error.values == pytest.approx([0.0125**0.5 * 0.1, 0.005], rel=1e-3)
    assert ds.lower.values.tolist() == [-20.0, 0.0]
    assert json.loads(ds.attrs["inputs"])["data"] == [{"file": "levels.csv"}]
    stored = ms.open_result(tmp_path / "out" / "result.nc")
    assert stored.identical(ds)
    system = ms.fitted_system(stored)
    (term,) = system.terms
    assert ds.value.values.tolist() == [term.D, term.E]
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [row["verdict"] for row in facts["parameters"]] == ["determined", "determined"]
    assert facts["data_sets"][0]["points"] == 2
    page = (tmp_path / "out" / "report.html").read_text()
    assert "What the data say" in page
    assert "levels.csv" in page


def test_arguments_are_read():
    table = {
        "system": "ni-s1",
        "experiment": {
            "kind": "fit",
            "vary": ["D", "g", "zJ", "tip"],
            "bounds": {
                "D": ["-10 cm^-1", "0 cm^-1"],
                "g": [1.9, "none"],
                "tip": ["0 cm3/mol", "1e-3 cm3/mol"],
            },
            "tie": {"gy": "gx"},
            "mean_field": {"zJ": "-0.1 K", "g": 2.2},
            "tip": "1e-4 cm3/mol",
            "data": [
                {"file": "a_mag.exp", "T": ["2 K", "4 K"], "sigma": "1 %", "axis": [0, 0, 1], "weight": 2}
            ],
        },
    }
    arguments = study_from_table(table, name="study").arguments
    assert arguments["bounds"]["D"] == pytest.approx((-10 * KELVIN, 0.0))
    assert arguments["bounds"]["g"] == (1.9, None)
    assert arguments["bounds"]["tip"] == (0.0, 1e-3)
    assert dict(arguments["mean_field"]) == {"zJ": -0.1, "g": 2.2}
    assert arguments["tip"] == 1e-4
    assert arguments["data"][0]["T"] == (2.0, 4.0)
    with pytest.raises(TypeError):
        arguments["bounds"]["D"] = (0.0, 1.0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"text": "bounds = { D = [-20, 0] }"}, UnitError, r"bounds\.D must be a text with a unit"),
        ({"text": 'bounds = { D = "0 K" }'}, StudyError, "must be a list \\[low, high\\]"),
        ({"text": 'bounds = { D = ["2 K", "1 K"] }'}, InputError, "a lower and a higher one"),
        ({"text": 'tip = "1e-4"'}, UnitError, "tip must have a unit"),
        ({"text": 'mean_field = "0 K"'}, InputError, "mean_field must be"),
        ({"text": "tie = { g = 2 }"}, InputError, "tie.g must be a non-empty text"),
        ({"vary": '"D"'}, StudyError, "vary must be a list of names"),
        ({"vary": '["D", "B40"]'}, InputError, "got 'B40'"),
        ({"vary": '["D", "E", "g"]'}, InputError, "at least as many points as free parameters"),
        ({"data": 'file = "none.csv"'}, InputError, "none.csv.*must be a readable file"),
        ({"data": "powder = 26"}, StudyError, "must have the key 'file'"),
        ({"data": 'file = "levels.csv"\nsigma = "0.1 K"'}, InputError, "sigma must not be given beside"),
        ({"data": 'file = "levels.csv"\nfields = "0 T"'}, StudyError, "must not have the key 'fields'"),
        ({"data": 'file = "levels.csv"\nformat = "xls"'}, InputError, "format must be one of"),
        ({"data": 'file = "levels.csv"\nB = "1 T"'}, InputError, "B must be a column of levels.csv or given"),
        ({"data": 'file = "levels.csv"\nweight = 0'}, InputError, "weight must be positive"),
        ({"system": 'system = "nickel"'}, InputError, "library name"),
        (
            {"system": '[system]\nspins = [{S = 1, g = 2}]\nterms = [{kind="stevens", k=4, q=0, B="1 K"}]'},
            InputError,
            "k must be at most 2S = 2",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        ms.run(study(tmp_path, **options), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_fit_on_its_bound_writes_nothing(tmp_path):
    with pytest.raises(ConvergenceError, match=r"on the bound of D \(D = -2\.5") as caught:
        ms.run(study(tmp_path, 'bounds = { D = ["-2.5 K", "0 K"] }'), out=tmp_path / "out")
    assert caught.value.diagnostics["bounds"] == ["D"]
    assert not (tmp_path / "out").exists()


def test_data_are_needed():
    table = {"system": "ni-s1", "experiment": {"kind": "fit", "vary": ["D"], "data": []}}
    with pytest.raises(StudyError, match=r"write \[\[experiment.data\]\]"):
        study_from_table(table, name="study")


def test_curie_weiss_study(tmp_path):
    T = np.linspace(50.0, 300.0, 20)
    ms.write_csv(ms.SusceptibilityData(T, T / (T + 10.0), unit="cgs", powder=5), tmp_path / "chi.csv")
    file = tmp_path / "law.toml"
    head = '[experiment]\nkind = "curie-weiss"\nfile = "chi.csv"\nsigma = "1 %"\n'
    file.write_text(head + 'window = ["50 K", "300 K"]\n')
    ds = ms.run(file, out=tmp_path / "out")
    assert ds.weiss_temperature.values[0] == pytest.approx(-10.0, abs=1e-6)
    assert [table.key for table in tables(ds)] == ["windows", "verdict"]
    assert "theta = -10" in (tmp_path / "out" / "report.html").read_text()
    file.write_text(head + 'window = ["300 K", "50 K"]\n')
    with pytest.raises(InputError, match="window"):
        ms.run(file, out=tmp_path / "other")


def test_tables_name_what_is_open(tmp_path):
    fit = ms.fit_hamiltonian(
        ms.LevelData([0.6, 3.3], sigma=0.01), ms.giant_spin(1, D=-2.0, E=0.2), ["D", "g"], starts=1
    )
    found = {table.key: table for table in tables(fit)}
    assert [row["verdict"] for row in found["parameters"].records()] == ["determined", "NOT DETERMINED"]
    assert found["starts"].title == "Starts: 1 of 1 reached the best minimum"
    assert any("NOT DETERMINED: g" in row[0] for row in found["verdict"].rows)
    assert "correlations" not in found
    bounded = ms.fit_hamiltonian(
        ms.LevelData([0.6, 3.3], sigma=0.1), ms.giant_spin(1, D=-2.9, E=0.2), ["D", "E"], starts=1,
        bounds={"D": (-3.05, 0.0)},
    )  # fmt: skip
    verdicts = [row["verdict"] for row in tables(bounded)[0].records()]
    assert verdicts == ["its error reaches a bound", "determined"]


@pytest.mark.slow
def test_the_study_of_the_repository_finds_what_was_planted(tmp_path):
    ds = ms.run(STUDIES / "fit-nickel.toml", out=tmp_path / "out")
    planted = {"D": -5 * KELVIN, "E": 0.8 * KELVIN, "gx": 2.18, "gy": 2.18, "gz": 2.25}
    offset = ds.value.values - [planted[name] for name in ds.parameter.values]
    assert np.all(np.abs(offset) < 3.0 * ds.error.values)
    assert 0.7 < float(ds.reduced_chi2) < 1.4
    for file in (STUDIES / "data").iterdir():
        assert file.read_text().startswith("# SYNTHETIC")
    assert "synthetic" in tomllib.loads((STUDIES / "fit-nickel.toml").read_text())["title"]
