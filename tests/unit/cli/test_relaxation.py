"""Commands on relaxation: the numbers of the public functions, files kept, one sentence for what is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest

import mesospin as ms
from mesospin.cli.app import main

BARRIER, PREFACTOR, TUNNELLING = 60.0, 1e-7, 20.0


def magnetometer_file(path, temperatures, frequencies, noise=0.002):
    """Write an ac file with headings and units: Orbach and tunnelling side by side, alpha = 0.1."""
    rng = np.random.default_rng(3)
    lines = ["T (K),B (Oe),f (Hz),chi' (cm3/mol),chi'' (cm3/mol)"]
    for T in temperatures:
        tau = 1.0 / (TUNNELLING + np.exp(-BARRIER / T) / PREFACTOR)
        for f in frequencies:
            chi = 0.1 + 10.0 / T / (1.0 + (2j * np.pi * f * tau) ** 0.9)
            real, imag = chi.real + noise * rng.standard_normal(), -chi.imag + noise * rng.standard_normal()
            lines.append(f"{T:g},0,{f:.6g},{real:.6g},{imag:.6g}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def ac_file(tmp_path):
    return magnetometer_file(tmp_path / "ac.csv", np.linspace(2.0, 9.0, 15), np.geomspace(0.1, 2000.0, 20))


@pytest.fixture
def decay_file(tmp_path):
    lines = ["T (K),B (T),time (s),M (emu)"]
    for T in (1.8, 2.0, 2.2):
        tau = 1e-5 * np.exp(35.0 / T)
        lines += [f"{T},0.0,{t},{1e-3 * np.exp(-(t / tau)):.9g}" for t in np.linspace(0.0, 3000.0, 101)]
    path = tmp_path / "decay.csv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def answered(capfd, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capfd.readouterr().out)


def values(content, name):
    return content["variables"][name]["values"]


def refused(capfd, *arguments, code=2):
    assert main(arguments) == code
    out, err = capfd.readouterr()
    lines = [line for line in err.splitlines() if not line.startswith("written: ")]
    assert len(lines) == 1
    assert lines[0].startswith("mesospin: error: ")
    assert "Traceback" not in out + err
    return err


def test_read_says_what_the_file_holds(capfd, tmp_path, ac_file):
    content = answered(capfd, "read", ac_file)
    assert len(values(content, "isotherm_temperature")) == 15
    with Path(ac_file).open("a") as file:
        file.write("2,0,10,,\n")
    assert main(["read", ac_file, "--out", str(tmp_path / "ac.png")]) == 0
    text = capfd.readouterr().out
    assert "300 kept, 1 dropped" in text
    assert "302" in text
    assert (tmp_path / "ac.png").stat().st_size > 10_000


def test_fit_ac_finds_what_was_put_in_and_writes_every_file(capfd, tmp_path, ac_file):
    out, params, law = (str(tmp_path / name) for name in ("fit.nc", "sample_params.csv", "law.png"))
    content = answered(
        capfd, "fit-ac", ac_file, "--out", out, "--ccfit2", params, "--law", "orbach + tunnelling",
        "--errors", "fit", "--law-out", law,
    )  # fmt: skip
    tau, T = (np.array(values(content["ac_fit"], name), float) for name in ("tau", "temperature"))
    expected = 1.0 / (TUNNELLING + np.exp(-BARRIER / T) / PREFACTOR)
    known = np.isfinite(tau)
    assert known.sum() >= 10
    np.testing.assert_allclose(tau[known], expected[known], rtol=0.2)
    found = dict(
        zip(values(content["rate_fit"], "parameter"), values(content["rate_fit"], "value"), strict=True)
    )
    assert found["u_eff"] == pytest.approx(BARRIER, rel=0.02)
    assert found["Q"] == pytest.approx(-np.log10(TUNNELLING), abs=0.01)
    assert ms.open_result(out).attrs["kind"] == "ac_fit"
    assert (tmp_path / "law.png").stat().st_size > 10_000
    # the file of ccfit2 holds the same times
    times = ms.read_rates(params)
    np.testing.assert_allclose(times.tau.values, tau[known])


def test_the_joint_fit_finds_the_same_law(capfd, ac_file):
    content = answered(capfd, "fit-ac", ac_file, "--law", "orbach + tunnelling", "--joint")
    found = dict(zip(values(content, "parameter"), values(content, "value"), strict=True))
    assert found["u_eff"] == pytest.approx(BARRIER, rel=0.02)


def test_a_law_that_fails_loses_no_fit(capfd, tmp_path, ac_file):
    out = tmp_path / "fit.nc"
    err = refused(capfd, "fit-ac", ac_file, "--law", "field-direct", "--out", str(out))
    assert "fields above 0.1 mT" in err
    assert ms.open_result(out).determined.values.sum() >= 10


def test_fit_rates_reads_times_from_every_kind_of_file(capfd, tmp_path):
    T = np.linspace(4.0, 8.0, 9)
    tau = PREFACTOR * np.exp(BARRIER / T)
    table = tmp_path / "tau.csv"
    rows = [f"{a:.17g},0,{1e3 * b:.17g},{0.03e3 * b:.17g}" for a, b in zip(T, tau, strict=True)]
    table.write_text("# by hand\nT (K),H (Oe),tau (ms),tau error (ms)\n" + "\n".join(rows) + "\n")
    ms.save(ms.rate_data(T, tau, tau_error=0.03 * tau), tmp_path / "tau.nc")
    for file in ("tau.csv", "tau.nc"):
        content = answered(capfd, "fit-rates", str(tmp_path / file), "--law", "orbach")
        assert values(content, "value")[1] == pytest.approx(BARRIER, rel=1e-6)
        assert values(content, "value")[0] == pytest.approx(-7.0, abs=1e-6)


def test_the_likeliest_law_is_fitted(capfd, tmp_path):
    T = np.linspace(3.0, 8.0, 11)
    tau = PREFACTOR * np.exp(BARRIER / T) * np.exp(0.02 * np.random.default_rng(0).standard_normal(11))
    rows = [f"{a},{b},{0.02 * b}" for a, b in zip(T, tau, strict=True)]
    (tmp_path / "tau.csv").write_text("T,tau,error\n" + "\n".join(rows) + "\n")
    content = answered(
        capfd, "fit-rates", str(tmp_path / "tau.csv"), "--compare", "raman; orbach;orbach + tunnelling"
    )
    assert values(content["rate_comparison"], "law")[0] == "Orbach"
    assert values(content["rate_fit"], "parameter") == ["A", "u_eff"]
    content = answered(capfd, "fit-rates", str(tmp_path / "tau.csv"), "--law", "raman", "--compare", "orbach")
    assert values(content["rate_fit"], "parameter") == ["R", "n"]
    held = answered(capfd, "fit-rates", str(tmp_path / "tau.csv"), "--law", "orbach", "--fixed", "u_eff=59")
    assert values(held, "value")[1] == 59.0


def test_fit_decay(capfd, decay_file, tmp_path):
    out = tmp_path / "decay.png"
    content = answered(capfd, "fit-decay", decay_file, "--out", str(out))
    np.testing.assert_allclose(
        values(content, "tau"), 1e-5 * np.exp(35.0 / np.array([1.8, 2.0, 2.2])), rtol=1e-3
    )
    assert out.stat().st_size > 10_000
    content = answered(capfd, "fit-decay", decay_file, "--square-root", "--window", "0:10 min")
    assert len(values(content, "rate")) == 3


def test_theory_and_its_fit(capfd, tmp_path):
    common = ["mn12ac", "--one-molecule", "--dipolar", "none"]
    ac = str(tmp_path / "ac.nc")
    content = answered(capfd, "ac", *common, "--T", "4:6:3", "--frequency", "0.1:3000:21:log", "--out", ac)
    assert values(content, "frequency")[-1] == 3000.0
    fit = answered(capfd, "fit-ac", ac)
    tau = ms.relaxation_rates(ms.load("mn12ac"), [4.0, 5.0, 6.0], 0.0, dipolar=None, disorder=None).tau
    np.testing.assert_allclose(values(fit, "tau"), tau.values.ravel(), rtol=0.03)
    both = tmp_path / "both.png"
    assert main(["ac", *common, "--T", "5", "--frequency", "1,10,100", "--data", ac, "--out", str(both)]) == 0
    assert both.stat().st_size > 10_000
    capfd.readouterr()
    blocked = answered(capfd, "blocking-temperature", *common)
    decay = answered(
        capfd, "decay", *common, "--T", "2.8", "--B-initial", "0.5", "--B-final", "0", "--time", "0,1,1000"
    )
    assert values(decay, "fraction")[0][0] == pytest.approx(1.0)
    cooled = answered(capfd, "zfc-fc", *common, "--T", "2:6:9", "--B", "0.1", "--rate", "2 K/min")
    assert values(blocked, "blocking_temperature")[0][0] < values(cooled, "peak_temperature")[0]


def test_files_that_are_none(capfd, tmp_path):
    (tmp_path / "binary.dat").write_bytes(np.random.default_rng(0).bytes(4000))
    (tmp_path / "empty.dat").write_text("")
    (tmp_path / "prose.csv").write_text("Dear colleague,\nthe sample is lost.\n")
    (tmp_path / "binary.nc").write_bytes(b"\x89PNG" + bytes(200))
    for name in ("binary.dat", "empty.dat", "prose.csv", "binary.nc", "nowhere.dat", "nowhere.nc"):
        for command in (["read"], ["fit-ac"], ["fit-decay"], ["fit-rates", "--law", "orbach"]):
            err = refused(capfd, command[0], str(tmp_path / name), *command[1:])
            assert name in err


def test_data_that_do_not_do(capfd, tmp_path, ac_file, decay_file):
    single = magnetometer_file(tmp_path / "one.csv", [2.0, 3.0], [10.0])
    out = tmp_path / "one.nc"
    assert "one frequency only" in refused(capfd, "fit-ac", single, "--out", str(out))
    assert ms.open_result(out).sizes["isotherm"] == 2
    assert "ac" in refused(capfd, "fit-ac", decay_file)
    assert "dc" in refused(capfd, "fit-decay", ac_file)
    (tmp_path / "tau.csv").write_text("T (K),tau (s)\n2,1\n4,abc\n")
    assert "line 3" in refused(capfd, "fit-rates", str(tmp_path / "tau.csv"), "--law", "orbach")
    (tmp_path / "tau.csv").write_text("T (K),chi\n2,1\n")
    assert "'chi'" in refused(capfd, "fit-rates", str(tmp_path / "tau.csv"), "--law", "orbach")
    (tmp_path / "tau.csv").write_text("T (K),tau (s)\n2,1\n4,0.1,7\n3\n")
    assert "line 4" in refused(capfd, "fit-rates", str(tmp_path / "tau.csv"), "--law", "orbach")
    (tmp_path / "tau.csv").write_text("T (K),tau (m)\n2,1\n")
    assert "tau" in refused(capfd, "fit-rates", str(tmp_path / "tau.csv"), "--law", "orbach")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "debeye"], "model"),
        (["--law", "orbech"], "did you mean orbach"),
        (["--law", "orbach +"], "law"),
        (["--law", "orbach(raman)"], "phonon-bottleneck"),
        (["--law", "phonon-bottleneck(direct"], "parenthesis"),
        (["--joint"], "law"),
        (["--fixed", "n=9"], "law"),
        (["--law", "raman", "--fixed", "n"], "fixed"),
        (["--law", "raman", "--fixed", "m=9", "--joint"], "fixed"),
        (["--law", "raman", "--errors", "big"], "errors"),
        (["--weights", "errors"], "weights"),
        (["--weights", "big"], "weights"),
        (["--mass", "3 s"], "mass"),
        (["--out", "fit.xyz"], "path"),
        (["--ccfit2", "fit.dat"], "ccfit2"),
    ],
)
def test_wrong_arguments(capfd, ac_file, arguments, words):
    assert words in refused(capfd, "fit-ac", ac_file, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit-rates", "tau.csv"],
        ["fit-rates", "tau.csv", "--compare", "orbach"],
        ["fit-decay", "d.dat", "--square-root"],
        ["fit-decay", "d.dat", "--window", "5"],
        ["fit-decay", "d.dat", "--model", "triple"],
        ["ac", "mn12ac", "--T", "3", "--frequency", "1 T"],
        ["ac", "mn12ac", "--T", "3", "--frequency", "0"],
        ["ac", "mn12ac", "--T", "3", "--frequency", "1", "--data", "nowhere.nc"],
        ["ac", "mn12ac", "--T", "3", "--frequency", "1", "--data", "nowhere.nc", "--out", "a.png"],
        ["zfc-fc", "mn12ac", "--T", "2,3", "--B", "0.1", "--rate", "2"],
        ["zfc-fc", "mn12ac", "--T", "2,3", "--B", "0.1", "--rate", "2 K"],
        ["decay", "mn12ac", "--T", "2", "--B-initial", "1", "--B-final", "0", "--time", "-1,1"],
        ["blocking-temperature", "mn12ac", "--time", "0"],
    ],
)
def test_wrong_arguments_of_the_other_commands(capfd, arguments):
    refused(capfd, *arguments)
