"""A study from its file to its folder: complete, consistent, or untouched."""

import json
import re

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import InputError
from mesospin.model.study import read_study
from mesospin.report import run as run_module

FILES = {"result.nc", "figure.png", "figure.svg", "report.html", "summary.json"}
SYSTEM = """
[system]
title = "Toy <molecule>, S = 2"
sources = ["made up for a test"]
spins = [{ S = 2, g = 2.0 }]
terms = [{ kind = "zero-field-splitting", D = "-1 K", E = "10 uK" }]
[system.defaults.phonons]
density = "1800 kg/m^3"
sound_speed = "2000 m/s"
coupling = "1 K"
"""
EXPERIMENTS = {
    "levels": 'B = { from = "0 T", to = "1 T", points = 11 }',
    "crossings": 'span = ["-1 T", "1 T"]',
    "splitting": "pair = [2, -2]",
    "relaxation": 'T = ["1 K", "2 K"]\nB = ["0 T", "0.1 T"]',
    "hysteresis": 'T = ["0.1 K", "1 K"]\nrate = "10 mT/s"\nspan = ["-3 T", "3 T"]',
    "sweep": 'protocol = { kind = "linear", span = ["-1 T", "1 T"], rate = "10 mT/s" }\nT = "1 K"',
    "doublets": "count = 2",
    "clock-transitions": 'span = ["-1 mT", "1 mT"]\nfrequency = ["1 MHz", "1 GHz"]\nstep = "10 uT"',
}


def study_file(folder, kind, lines=None):
    file = folder / f"{kind}-toy.toml"
    lines = EXPERIMENTS[kind] if lines is None else lines
    file.write_text(f'title = "A toy & its {kind}"\n[experiment]\nkind = "{kind}"\n{lines}\n{SYSTEM}')
    return file


@pytest.mark.parametrize("kind", EXPERIMENTS)
def test_every_kind_writes_its_folder(kind, tmp_path):
    dataset = ms.run(study_file(tmp_path, kind), out=tmp_path / "out")
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES
    assert dataset.attrs["kind"] == kind.replace("-", "_")
    assert ms.open_result(tmp_path / "out" / "result.nc").identical(dataset)
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert facts["study"] == f"{kind}-toy"
    assert facts["versions"]["mesospin"] == ms.__version__
    assert facts["inputs"]


def test_summary_has_the_numbers_of_the_dataset(tmp_path):
    dataset = ms.run(study_file(tmp_path, "hysteresis"), out=tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [loop["coercive_field"] for loop in facts["loops"]] == dataset["coercive_field"].values.tolist()
    assert [loop["remanence"] for loop in facts["loops"]] == dataset["remanence"].values.tolist()
    assert [step["field"] for step in facts["steps"]] == dataset["step_field"].values.tolist()


def test_report_is_one_safe_file_with_everything(tmp_path):
    study = study_file(tmp_path, "levels")
    ms.run(study, out=tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "A toy &amp; its levels" in page
    assert "<molecule>" not in page
    # Nothing is fetched: no address, no file beside it.
    assert not re.search(r'(src|href)="(?!data:)', page)
    for part in (
        "made up for a test",
        "How to rerun",
        "How to cite",
        "Provenance",
        "mesospin run levels-toy.toml",
    ):
        assert part in page
    assert "$" not in page.split("</style>")[1].split("<pre>")[0]


def test_same_study_same_bytes(tmp_path):
    study = study_file(tmp_path, "crossings")
    for name in ("one", "two"):
        ms.run(study, out=tmp_path / name)
    for file in ("figure.png", "figure.svg", "report.html", "summary.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_results_go_into_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ms.run(study_file(tmp_path, "levels"))
    assert {file.name for file in (tmp_path / "results" / "levels-toy").iterdir()} == FILES


def test_a_run_returns_what_the_public_function_returns(tmp_path):
    study = read_study(study_file(tmp_path, "levels"))
    dataset = ms.run(study, out=tmp_path / "out")
    direct = ms.levels(study.system, B=np.linspace(0, 1, 11))
    assert dataset.drop_attrs().identical(direct.drop_attrs())


@pytest.mark.parametrize(
    ("kind", "lines", "sentence"),
    [
        ("levels", 'B = "1 K"', r"B must have a unit \[T\]"),
        ("levels", 'B = ["0 T"]\nstates = 50', "states must be between 1 and 5"),
        ("hysteresis", 'T = ["0 K"]\nrate = "3 mT/s"\nspan = ["-1 T", "1 T"]', "T"),
        ("hysteresis", 'T = ["1 K"]\nrate = "0 mT/s"\nspan = ["-1 T", "1 T"]', "rate must be positive"),
        ("hysteresis", 'T = ["1 K"]\nrat = "3 mT/s"\nspan = ["-1 T", "1 T"]', "did you mean rate"),
        ("doublets", "count = 9", "must have 9 doublets"),
        ("clock-transitions", 'span = ["0 T", "1 T"]', "span must contain a stationary transition"),
    ],
)
def test_a_wrong_study_writes_nothing(kind, lines, sentence, tmp_path):
    file = study_file(tmp_path, kind, lines)
    with pytest.raises(InputError, match=sentence):
        ms.run(file, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_made_is_refused_first(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="out must be a folder"):
        ms.run(study_file(tmp_path, "levels"), out=tmp_path / "file" / "out")


def test_a_failure_while_writing_leaves_the_old_results(tmp_path, monkeypatch):
    study = study_file(tmp_path, "levels")
    ms.run(study, out=tmp_path / "out")
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_module, "report_page", fail)
    with pytest.raises(InputError, match="No space left"):
        ms.run(study, out=tmp_path / "out")
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before


def test_progress_is_passed_on(tmp_path):
    seen = []
    ms.run(
        study_file(tmp_path, "hysteresis"),
        out=tmp_path / "out",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (1, 1)
