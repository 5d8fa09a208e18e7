"""Relaxation in studies and tables: what was put into the files comes out, what is refused is said."""

import json
from pathlib import Path

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import InputError
from mesospin.model.study import read_study
from mesospin.report.tables import tables

STUDIES = Path(__file__).parents[3] / "studies"


def study(tmp_path, **experiment):
    """Run a study of one experiment and return its result."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in experiment.items()]
    (tmp_path / "one.toml").write_text("[experiment]\n" + "\n".join(lines) + "\n")
    return ms.run(tmp_path / "one.toml", out=tmp_path / "out")


def rows(dataset, key):
    return next(table for table in tables(dataset) if table.key == key).records()


def test_the_shipped_data_say_that_they_are_synthetic_and_give_back_their_law(tmp_path):
    assert "SYNTHETIC" in (STUDIES / "data" / "relaxation-ac.csv").read_text().splitlines()[0]
    result = ms.run(STUDIES / "ac-relaxation.toml", out=tmp_path)
    truth = {"A": -8.0, "u_eff": 90.0, "R": -2.0, "n": 4.0, "Q": -np.log10(3.0)}
    for row in rows(result, "parameters"):
        assert row["verdict"] == "determined"
        assert abs(row["value"] - truth[row["parameter"]]) < 3.0 * row["error"]
    page = (tmp_path / "report.html").read_text()
    assert "No spins: measured data." in page
    assert json.loads(result.attrs["inputs"])["file"] == "data/relaxation-ac.csv"


def test_times_then_a_law(tmp_path):
    first = ms.run(STUDIES / "ac-times.toml", out=tmp_path / "times")
    refused = [row for row in rows(first, "times") if np.isnan(row["tau"])]
    assert refused
    assert all(row["verdict"] for row in refused)
    law = study(
        tmp_path, kind="fit-rates", file="times/result.nc", law="orbach + raman + tunnelling", errors="fit"
    )
    found = {row["parameter"]: row["value"] for row in rows(law, "parameters")}
    assert found["u_eff"] == pytest.approx(90.0, rel=0.02)
    assert {row["process"] for row in rows(law, "processes")} == {"Orbach", "Raman", "Tunnelling"}
    compared = study(
        tmp_path, kind="fit-rates", file="times/result.nc", compare=["raman", "orbach + tunnelling"],
        errors="fit",
    )  # fmt: skip
    assert rows(compared, "laws")[0]["law"] == "Orbach + Tunnelling"


def test_a_decay(tmp_path):
    lines = ["T (K),B (T),time (s),M (emu)", *(f"2,0,{t},{np.exp(-t / 50):.9g}" for t in range(0, 400, 4))]
    (tmp_path / "decay.csv").write_text("\n".join(lines))
    fit = study(tmp_path, kind="fit-decay", file="decay.csv")
    assert rows(fit, "times")[0]["tau"] == pytest.approx(50.0, rel=1e-4)
    root = study(tmp_path, kind="fit-decay", file="decay.csv", square_root=True, window=["0 s", "20 s"])
    assert rows(root, "square_roots")[0]["verdict"] == "not a square root in this window"


@pytest.mark.parametrize(
    ("experiment", "words"),
    [
        ({"kind": "fit-ac", "file": "nowhere.dat"}, "nowhere.dat"),
        ({"kind": "fit-ac", "file": "decay.csv", "model": "debeye"}, "model"),
        ({"kind": "fit-ac", "file": "decay.csv", "law": "orbech"}, "orbach"),
        ({"kind": "fit-ac", "file": "decay.csv", "fixed": {}}, "fixed"),
        ({"kind": "fit-ac", "file": "decay.csv", "period": "1 s"}, "period"),
        ({"kind": "fit-ac", "file": "decay.csv", "mass": "3 s"}, "mass"),
        ({"kind": "fit-ac", "file": "decay.csv", "weights": "big"}, "weights"),
        ({"kind": "fit-rates", "file": "a.csv"}, "law"),
        ({"kind": "fit-rates", "file": "a.csv", "law": "orbach", "compare": ["raman", "orbach"]}, "law"),
        ({"kind": "fit-decay", "file": "decay.csv", "square_root": True}, "window"),
        ({"kind": "fit-decay", "file": "decay.csv", "window": ["5 s", "1 s"]}, "window"),
    ],
)
def test_wrong_studies(tmp_path, experiment, words):
    (tmp_path / "decay.csv").write_text("T (K),B (T),time (s),M (emu)\n2,0,1,1\n2,0,2,0.5\n")
    lines = [f"{key} = {value if value == {} else json.dumps(value)}" for key, value in experiment.items()]
    (tmp_path / "one.toml").write_text("[experiment]\n" + "\n".join(lines))
    with pytest.raises(InputError, match=words):
        ms.run(tmp_path / "one.toml", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_study_of_relaxation_is_read():
    for name in ("ac-relaxation", "ac-times", "mn12ac-ac"):
        assert read_study(STUDIES / f"{name}.toml").kind in ("fit-ac", "ac-susceptibility")


def test_tables_of_slow_magnetisation():
    system, ideal = ms.load("mn12ac"), {"dipolar": None, "disorder": None}
    decay = ms.decay(system, [2.8], 0.5, 0.0, time=np.linspace(0.0, 30.0, 301), **ideal)
    # a single exponential but for its first moments: 1/e is left after the relaxation time
    tau = ms.relaxation_rates(system, 2.8, 0.0, **ideal).tau.item()
    assert rows(decay, "decays")[0]["time_to_1/e"] == pytest.approx(tau, rel=0.02)
    chi = ms.ac_susceptibility(system, [4.0], 0.0, np.geomspace(0.1, 1e4, 401), **ideal)
    row = rows(chi, "response")[0]
    assert 2 * np.pi * row["highest_chi_imag_at"] * row["time_of_main_mode"] == pytest.approx(1.0, rel=0.03)
    blocked = rows(ms.blocking_temperature(system, **ideal), "blocking")[0]
    cooled = ms.zfc_fc(system, np.linspace(2.0, 6.0, 21), 0.1, rate="2 K/min", **ideal)
    assert blocked["blocking_temperature"] < rows(cooled, "cooling")[0]["peak_temperature"]


def test_rows_left_out_are_listed(tmp_path):
    lines = ["T (K),B (T),f (Hz),chi' (cm3/mol),chi'' (cm3/mol)"]
    lines += [f"2,0,{f},1,{'' if f % 2 else 0.1}" for f in range(1, 201)]
    (tmp_path / "ac.csv").write_text("\n".join(lines))
    data = ms.read_magnetometer(tmp_path / "ac.csv")
    left_out = rows(data, "dropped")
    assert left_out == [{"line": "2 ... 200 (100)", "reason": "chi'' is blank"}]
    short = data.isel(dropped=slice(0, 2))
    assert [row["line"] for row in rows(short, "dropped")] == [2, 4]
