"""The program: what it prints where, and how it fails."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import mesospin as ms
from mesospin.cli.app import main
from mesospin.model.experiments.kinds import EXPERIMENTS
from mesospin.model.study import read_study
from mesospin.report.validation.rows import Source
from mesospin.report.validation.table import to_dataset

ROOT = Path(__file__).parents[3]
BAD_MOLECULE = 'spins = [{{ S = {S}, g = 2.0 }}]\nterms = [{{ kind = "zero-field-splitting", D = "{D}" }}]\n'


def program(capfd, *arguments):
    code = main(arguments)
    out, err = capfd.readouterr()
    return code, out, err


def refused(capfd, *arguments):
    """Return the sentence of a call that must fail with exit code 2 and say nothing else."""
    code, out, err = program(capfd, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("mesospin: error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err.removeprefix("mesospin: error: ").strip()


def test_json_has_exactly_the_numbers_of_the_function(capfd):
    code, out, err = program(capfd, "levels", "mn12ac", "--B", "0:5:11", "--json")
    variables = json.loads(out)["variables"]
    direct = ms.levels(ms.load("mn12ac"), B=np.linspace(0, 5, 11))
    assert (code, err) == (0, "")
    assert np.array_equal(variables["energy"]["values"], direct["energy"].values)
    assert variables["energy"]["units"] == "K"


def test_negative_numbers_are_values(capfd):
    code, out, _ = program(capfd, "splitting", "mn12ac", "10", "-10", "--json")
    assert code == 0
    assert (
        json.loads(out)["variables"]["splitting"]["values"]
        == ms.tunnel_splitting(ms.load("mn12ac"), (10, -10)).kelvin
    )
    code, out, _ = program(capfd, "crossings", "ni-s1", "--span", "-1:1", "--transverse", "-0.1,0", "--json")
    assert code == 0
    assert json.loads(out)["inputs"]["transverse"] == [-0.1, 0.0]
    assert program(capfd, "crossings", "ni-s1", "--span=-1:1", "--quiet")[:2] == (0, "")


def test_labels_and_positions_name_a_pair(capfd):
    code, out, _ = program(capfd, "splitting", "erw10-167", "m=15/2,mI=7/2", "m=-15/2, mI=7/2", "--json")
    assert code == 0
    assert json.loads(out)["inputs"]["pair"] == ["m=15/2, mI=7/2", "m=-15/2, mI=7/2"]
    code, out, _ = program(capfd, "splitting", "ni-s1", "level:0", "level:2", "--B", "1 T", "--json")
    assert code == 0
    energy = ms.levels(ms.load("ni-s1"), B=1.0)["energy"].values
    found = json.loads(out)["variables"]["splitting"]["values"]
    assert found == pytest.approx(energy[2] - energy[0], rel=1e-12)


def test_half_integer_molecule_is_closed_at_zero_field(capfd):
    _, out, _ = program(capfd, "splitting", "mn4", "9/2", "-9/2", "--json")
    variables = json.loads(out)["variables"]
    assert variables["zero"]["values"] is True
    assert variables["log10_splitting"]["values"] is None


def test_tables_carry_units(capfd):
    code, out, _ = program(capfd, "crossings", "mn12ac", "--span", "0:1")
    assert code == 0
    assert "field (T)" in out
    assert "splitting (K)" in out


def test_library_lists_every_molecule(capfd):
    _, out, _ = program(capfd, "library")
    assert all(entry.name in out for entry in ms.library())
    _, out, _ = program(capfd, "library", "--json")
    assert [entry["name"] for entry in json.loads(out)] == [entry.name for entry in ms.library()]


def test_show_prints_the_description(capfd):
    assert program(capfd, "show", "mn12ac")[1].strip() == ms.load("mn12ac").describe()
    facts = json.loads(program(capfd, "show", "mn4", "--json")[1])
    assert facts["is_kramers"] is True
    assert facts["states"] == 10


@pytest.mark.parametrize("suffix", [".nc", ".csv", ".json", ".png", ".svg", ".pdf"])
def test_out_writes_one_file_by_its_suffix(suffix, tmp_path, capfd):
    path = tmp_path / f"levels{suffix}"
    code, out, err = program(capfd, "levels", "ni-s1", "--B", "0:1:5", "--out", str(path), "--quiet")
    assert (code, out, err) == (0, "", "")
    assert list(tmp_path.iterdir()) == [path]


def test_out_says_where(tmp_path, capfd):
    path = tmp_path / "levels.nc"
    _, out, err = program(capfd, "levels", "ni-s1", "--B", "0:1:5", "--out", str(path))
    assert str(path) in err
    assert str(path) not in out
    assert ms.open_result(path).identical(ms.levels(ms.load("ni-s1"), B=np.linspace(0, 1, 5)))


@pytest.mark.parametrize(
    "command",
    [
        "",
        "library",
        "show",
        "levels",
        "crossings",
        "splitting",
        "relaxation",
        "hysteresis",
        "run",
        "validate",
    ],
)
def test_help_teaches_by_real_commands(command, capfd):
    code, out, _ = program(capfd, *([command] if command else []), "--help")
    assert code == 0
    examples = [line.strip() for line in out.splitlines() if line.strip().startswith("mesospin ")]
    assert examples
    assert "[K]" in out or "kelvin" in out or command in ("library", "show", "run", "validate")


def test_no_arguments_is_help(capfd):
    assert program(capfd)[1] == program(capfd, "--help")[1]


def test_version(capfd):
    assert program(capfd, "--version")[:2] == (0, f"mesospin {ms.__version__}\n")


LOOP = ("hysteresis", "mn12ac", "--T", "1.9", "--rate", "3 mT/s", "--span", "-5:5")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("levels", "mn12", "--B", "0"), "did you mean mn12ac?"),
        (("levels", "mn12ac", "--B", "nan"), "B must be numbers"),
        (("levels", "mn12ac", "--B", "1 K"), "B must have a unit [T]"),
        (("levels", "mn12ac", "--B", "0", "--states", "22"), "states must be between 1 and 21"),
        (("levels", "mn12ac", "--B", "0", "--axis", "0,0,0"), "axis must be"),
        (("crossings", "mn12ac", "--span", "5:1"), "span must rise"),
        (("crossings", "mn12ac", "--span", "6:6.001"), "no two levels"),
        (("splitting", "mn12ac", "11", "-10"), "m = 10, ..., -10"),
        (("splitting", "mn12ac", "10", "10"), "pair must be two different states"),
        (("splitting", "mn12ac", "level:0", "level:21", "--B", "0"), "between 0 and 20"),
        (("splitting", "mn12ac", "level:x", "level:21", "--B", "0"), "level must be a position"),
        (("splitting", "mn12ac", "10", "-10", "--B", "2"), "B must be the resonance"),
        (("relaxation", "mn12ac", "--T", "0"), "T must be"),
        (("relaxation", "mn12ac", "--T", "-1"), "T must be"),
        ((*LOOP[:2], "--T", "0", *LOOP[4:]), "T must be"),
        ((*LOOP[:4], "--rate", "0", "--span", "-5:5"), "rate must be positive"),
        ((*LOOP[:4], "--rate", "3 mT", "--span", "-5:5"), "rate must have a unit [T/s]"),
        ((*LOOP[:6], "--span", "5:5"), "span must rise"),
        ((*LOOP, "--powder", "4"), "powder must be"),
        ((*LOOP, "--workers", "0"), "workers must be"),
        ((*LOOP, "--tilt", "3"), "tilt must have a unit"),
        ((*LOOP, "--out", "loop.bmp"), "must end in one of .nc"),
        (("run", "nowhere.toml"), "nowhere.toml must be a readable file"),
        (("levels", "mn12ac"), "Missing option '--B'; see mesospin levels --help"),
        (("levels",), "Missing argument 'SYSTEM'"),
        (("levels", "mn12ac", "--B", "0", "--foo"), "--foo"),
        (("levels", "mn12ac", "--B", "0", "--states", "two"), "states"),
        (("fly",), "No such command 'fly'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments, sentence, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(capfd, *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"S": "2.3", "D": "-1 K"}, "half-integer"),
        ({"S": "nan", "D": "-1 K"}, "S must be finite"),
        ({"S": "2", "D": "-1 parsec"}, "must have a unit [K, cm^-1, meV, GHz]"),
        ({"S": "2", "D": "nan K"}, "D must be"),
        ({"S": "1e6", "D": "-1 K"}, "memory"),
    ],
)
def test_a_wrong_molecule_file_is_one_sentence(values, sentence, tmp_path, capfd):
    file = tmp_path / "molecule.toml"
    file.write_text(BAD_MOLECULE.format(**values))
    assert sentence in refused(capfd, "levels", str(file), "--B", "0")


def test_a_molecule_without_phonons_is_told_what_is_missing(tmp_path, capfd):
    file = tmp_path / "molecule.toml"
    file.write_text(BAD_MOLECULE.format(S="2", D="-1 K"))
    loop = ("hysteresis", str(file), "--T", "1", "--rate", "1", "--span", "-1:1")
    assert "bath must be given" in refused(capfd, *loop)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("rate =", "rat ="), "did you mean rate?"),
        (('"3 mT/s"', '"3 mT"'), "rate must have a unit [T/s]"),
        (('"3 mT/s"', '"0 T/s"'), "rate must be positive"),
        (('"0.05 K"', '"0 K"'), "must be positive"),
        (('"0.05 K"', "0.05"), "must be a text with a unit"),
        (('"mn12ac"', '"mn12"'), "did you mean mn12ac?"),
        (('"hysteresis"', '"histeresis"'), "did you mean hysteresis?"),
        (("[experiment]", "[experiment"), "valid TOML"),
    ],
)
def test_a_wrong_study_is_one_sentence_and_writes_nothing(change, sentence, tmp_path, monkeypatch, capfd):
    text = (ROOT / "studies" / "mn12ac-staircase.toml").read_text()
    assert change[0] in text
    (tmp_path / "study.toml").write_text(text.replace(*change))
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(capfd, "run", "study.toml")
    assert [file.name for file in tmp_path.iterdir()] == ["study.toml"]


def test_debug_shows_where(capfd):
    code, _, err = program(capfd, "levels", "mn12", "--B", "0", "--debug")
    assert code == 2
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("mesospin: error: ")


def test_a_failure_of_the_program_is_exit_code_1(capfd, monkeypatch):
    def broken(*_):
        raise RuntimeError("this must not happen")

    monkeypatch.setattr(ms, "load", broken)
    code, _, err = program(capfd, "show", "mn12ac")
    assert code == 1
    assert err.startswith("mesospin: error: RuntimeError: this must not happen; run it again with --debug")


def test_loop_on_the_command_line(tmp_path, capfd):
    path = tmp_path / "loop.json"
    code, out, _ = program(capfd, *LOOP, "--one-molecule", "--dipolar", "none", "--out", str(path))
    assert code == 0
    assert "coercive field (T)" in out
    assert "reversed" in out
    content = json.loads(path.read_text())
    assert content["inputs"]["disorder"] == "none"
    direct = ms.hysteresis(ms.load("mn12ac"), 1.9, 3e-3, (-5, 5), disorder=None, dipolar=None)
    assert content["variables"]["coercive_field"]["values"] == direct["coercive_field"].values.tolist()


def test_relaxation_on_the_command_line(capfd):
    code, out, _ = program(capfd, "relaxation", "ni-s1", "--T", "2,3,4 K", "--json")
    assert code == 0
    assert json.loads(out)["variables"]["tau"]["units"] == "s"


@pytest.mark.parametrize(("ours", "code"), [(21, 0), (20, 1)])
def test_validate_fails_if_a_row_that_should_hold_does_not(ours, code, capfd, monkeypatch):
    rows = [
        Source("a paper").number("states", "2S + 1", 21, ours),
        Source("a note").open("q", "q", "?", "later"),
    ]
    monkeypatch.setattr(ms, "validate", lambda *, progress: to_dataset(rows))
    found, out, err = program(capfd, "validate")
    assert found == code
    assert "a paper" in out
    assert "not determined" in out
    assert ("1 rows that should hold do not: states" in err) == bool(code)


def test_run_prints_tables_and_json(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    Path("toy.toml").write_text(
        'system = "ni-s1"\n[experiment]\nkind = "levels"\nB = ["0 T", "1 T"]\n', encoding="utf-8"
    )
    code, out, err = program(capfd, "run", "toy.toml")
    assert code == 0
    assert "energy 0 (K)" in out
    assert "results/toy" in err
    code, out, err = program(capfd, "run", "toy.toml", "--json", "--out", "elsewhere")
    assert (code, err) == (0, "")
    assert json.loads(out)["levels"] == json.loads(Path("elsewhere/summary.json").read_text())["levels"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interrupted_run_keeps_its_parts(tmp_path):
    command = [
        sys.executable,
        "-m",
        "mesospin.cli.app",
        "run",
        str(ROOT / "studies" / "mn12ac-staircase.toml"),
    ]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # a shell that runs the tests in the background ignores Ctrl-C, and so would its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    kept = tmp_path / "results" / "mn12ac-staircase" / ".checkpoint"
    for _ in range(600):
        if kept.is_dir() and list(kept.glob("*.npz")):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(
        "mesospin: stopped; finished parts are kept in results/mn12ac-staircase/.checkpoint"
    )
    assert {file.name for file in kept.parent.iterdir()} == {".checkpoint"}


def test_start_is_light():
    heavy = "{'numpy', 'scipy', 'numba', 'pint', 'matplotlib', 'xarray', 'lmfit', 'dask'}"
    code = (
        f"import sys; from mesospin.cli.app import main; main(['--help']); print({heavy} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip().endswith("set()")


def test_every_study_in_the_repository_is_valid():
    studies = sorted((ROOT / "studies").glob("*.toml"))
    assert {"mn12ac-staircase", "fe8-transverse", "mn4-half-integer"} <= {study.stem for study in studies}
    for study in studies:
        assert read_study(study).kind in EXPERIMENTS
