"""Commands on measured data: the numbers of the public functions, and one sentence for what is wrong."""

import json

import numpy as np
import pytest

import mesospin as ms
from mesospin.cli.app import main

pytestmark = pytest.mark.filterwarnings("ignore:the powder average of magnetisation has not converged")

PLANTED = {"D": -7.2, "E": 1.1, "g": 2.2}


def nickel(D=-7.2, E=1.1, g=2.2):
    return ms.SpinSystem("Ni", [ms.Spin(1, g)], [ms.ZeroFieldSplitting(D, E)])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with chi T and M of a nickel ion, in CSV and for PHI, and the ion to start from."""
    folder = tmp_path_factory.mktemp("fits")
    rng = np.random.default_rng(1)
    T, B = np.geomspace(2.0, 300.0, 12), np.linspace(1.0, 7.0, 7)
    chi = ms.susceptibility(nickel(), T, powder=26).chi_t.values + 0.004 * rng.standard_normal(12)
    chi = ms.SusceptibilityData(T, chi, unit="cgs", sigma=0.004, powder=26)
    sets = []
    for t in (2.0, 4.0):
        M = ms.magnetisation(nickel(), t, B, powder=26).magnetisation.values.ravel()
        noisy = M + 0.01 * rng.standard_normal(7)
        sets.append(ms.MagnetisationData(t, B, noisy, sigma=0.01, powder=26))
    ms.write_csv(chi, folder / "chi.csv")
    ms.write_csv(sets, folder / "m.csv")
    ms.write_phi(chi, folder / "ni_sus.exp")
    ms.write_phi(sets, folder / "ni_mag.exp")
    ms.write_molecule(nickel(-5.0, 0.5, 2.1), folder / "ni.toml")
    return folder


def fitted(capfd, folder, *arguments):
    given = [str(folder / text) if text.endswith((".csv", ".exp", ".toml")) else text for text in arguments]
    assert main(["fit", *given, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)["variables"]
    return dict(
        zip(
            found["parameter"]["values"],
            zip(found["value"]["values"], found["error"]["values"], strict=True),
            strict=True,
        )
    )


def refused(capfd, code, *arguments):
    assert main(arguments) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("mesospin: error: ")
    assert err.count("\n") == 1
    return err


def test_planted_parameters_are_found(capfd, files):
    found = fitted(
        capfd, files, "ni.toml", "chi.csv", "m.csv", "--vary", "D,E,g", "--powder", "26", "--starts", "1"
    )
    for name, (value, error) in found.items():
        assert abs(value - PLANTED[name]) < 4.0 * error


def test_tables_of_phi_give_the_same_fit(capfd, files):
    common = ["--vary", "D,g", "--powder", "26", "--starts", "1", "--bounds", "D=-20 K:0 K"]
    common += ["--bounds", "g=1:3"]
    one = fitted(capfd, files, "ni.toml", "chi.csv", "m.csv", *common)
    columns = ("--B", "0", "--T", "2,4", "--sigma", "0.01 mu_B", "--sigma", "4e-9 m3 K/mol")
    other = fitted(capfd, files, "ni.toml", "ni_sus.exp", "ni_mag.exp", *common, *columns)
    assert other["g"][0] == pytest.approx(one["g"][0], abs=0.5 * one["g"][1])
    same = ("--B", "0", "--T", "2,4 K", "--sigma", "0.01 mu_B", "--sigma", "0.004 emu K mol-1")
    again = fitted(capfd, files, "ni.toml", "ni_sus.exp", "ni_mag.exp", *common, *same)
    assert again["D"] == pytest.approx(one["D"], rel=1e-6)
    assert again["g"] == pytest.approx(one["g"], rel=1e-6)


def test_neighbours_and_a_temperature_independent_part(capfd, files):
    both = ["--zj", "0 K", "--tip", "1e-4 cm3/mol", "--bounds", "tip=0 cm3/mol:1e-3 cm3/mol"]
    found = fitted(
        capfd, files, "ni.toml", "chi.csv", "--vary", "g,zJ,tip", "--powder", "5", "--starts", "1",
        "--tie", "D=-7.2+0*g", "--tie", "E=1.1+0*g", *both,
    )  # fmt: skip
    assert set(found) == {"g", "zJ", "tip", "D", "E"}
    assert abs(found["zJ"][0]) < 4.0 * found["zJ"][1]
    assert abs(found["g"][0] - 2.2) < 4.0 * found["g"][1]


def test_a_fit_is_printed_drawn_stored_and_written_as_a_molecule(capfd, files, tmp_path):
    data = [str(files / "ni.toml"), str(files / "chi.csv"), "--vary", "D,g", "--tie", "E=-0.15*D"]
    written = ["--molecule", str(tmp_path / "own.toml"), "--out", str(tmp_path / "fit.nc")]
    assert main(["fit", *data, "--powder", "26", "--starts", "2", *written]) == 0
    out = capfd.readouterr().out
    for text in ("Parameters", "determined", "tied", "Starts: 2 of 2", "What the data say", "chi2"):
        assert text in out
    fit = ms.open_result(tmp_path / "fit.nc")
    start = ms.load(files / "ni.toml")
    assert ms.fitted_system(fit) == ms.fitted_system(fit, start) == ms.load(tmp_path / "own.toml")
    assert main(["fit", *data, "--powder", "26", "--starts", "1", "--out", str(tmp_path / "fit.png")]) == 0
    assert (tmp_path / "fit.png").stat().st_size > 10_000


def test_parameters_are_listed(capfd, files):
    assert main(["parameters", str(files / "ni.toml"), "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)
    assert [row["parameter"] for row in rows] == ["D", "E", "g", "gx", "gy", "gz"]
    owner = "ZeroFieldSplitting on site 0"
    assert rows[0] == {"parameter": "D", "value": -5.0, "unit": "K", "belongs_to": owner}
    assert main(["parameters", "mn12ac"]) == 0
    out = capfd.readouterr().out
    assert "C4" in out or "B44" in out
    assert "gxy" not in out


def test_curie_weiss(capfd, tmp_path):
    T = np.linspace(50.0, 300.0, 20)
    ms.write_csv(
        ms.SusceptibilityData(T, T / (T + 10.0), unit="cgs", sigma=1e-6, powder=5), tmp_path / "chi.csv"
    )
    assert main(["curie-weiss", str(tmp_path / "chi.csv"), "--window", "50:300", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)["variables"]
    assert found["weiss_temperature"]["values"][0] == pytest.approx(-10.0, abs=1e-5)
    assert main(["curie-weiss", str(tmp_path / "chi.csv"), "--window", "50:300 K"]) == 0
    assert "theta = -10" in capfd.readouterr().out


def test_data_are_converted_there_and_back(capfd, files, tmp_path):
    ways = (("ni_mag.exp", "m.csv", ["--T", "2,4"]), ("ni_sus.exp", "c.csv", ["--B", "0"]))
    for source, middle, options in ways:
        assert main(["convert", str(files / source), str(tmp_path / middle), *options]) == 0
        assert main(["convert", str(tmp_path / middle), str(tmp_path / source), "--quiet"]) == 0
        assert (tmp_path / source).read_text() == (files / source).read_text()
    assert "written" in capfd.readouterr().err


def test_systems_are_converted_there_and_back(capfd, files, tmp_path):
    start = ms.load(files / "ni.toml")
    assert main(["convert", str(files / "ni.toml"), str(tmp_path / "ni.m")]) == 0
    assert main(["convert", str(tmp_path / "ni.m"), str(tmp_path / "back.toml")]) == 0
    back = ms.load(tmp_path / "back.toml")
    given, found = (system.terms[0].D for system in (start, back))
    assert found == pytest.approx(given, rel=1e-12)
    assert back.spins[0].g == start.spins[0].g
    assert main(["convert", "fe8", str(tmp_path / "fe8.m")]) == 0
    assert "Sys.S = 10" in (tmp_path / "fe8.m").read_text()
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["chi.csv", "--vary", "D,E,g"], 2, "exactly one of axis"),
        (["chi.csv", "--vary", "D,E,G", "--powder", "26"], 2, "'G'"),
        (["chi.csv", "--vary", "D,,g", "--powder", "26"], 2, "names between commas"),
        (["chi.csv", "--vary", "B60", "--powder", "26"], 2, "add its term"),
        (["none.csv", "--vary", "D", "--powder", "26"], 2, "got none; check the path"),
        (["ni_mag.exp", "--vary", "D", "--powder", "26"], 2, "T must be given"),
        (["ni_mag.exp", "--vary", "D", "--powder", "26", "--T", "2"], 2, "one [K] for each of 2 columns"),
        (["ni_sus.exp", "m.csv", "--B", "0", "--vary", "D", "--powder", "26"], 2, "sigma must be given"),
        (["chi.csv", "--vary", "D", "--powder", "28"], 2, "powder"),
        (["chi.csv", "--vary", "D", "--powder", "26", "--bounds", "D"], 2, "NAME=LOW:HIGH"),
        (["chi.csv", "--vary", "D", "--powder", "26", "--bounds", "D=-2 T:0 T"], 2, "must have a unit"),
        (["chi.csv", "--vary", "D", "--powder", "26", "--bounds", "D=0 K:-2 K"], 2, "a lower and a higher"),
        (["chi.csv", "--vary", "D", "--powder", "26", "--tie", "g"], 2, "NAME=EXPRESSION"),
        (["ni_sus.exp", "--B", "0", "--vary", "D", "--powder", "26", "--sigma", "0.1"], 2, "with its unit"),
        (["chi.csv", "--vary", "D,zJ", "--powder", "26"], 2, "mean_field"),
        (["chi.csv", "--vary", "D", "--powder", "26", "--molecule", "a.txt"], 2, "must end in .toml or .m"),
        (["chi.csv", "--vary", "D", "--powder", "26", "--out", "a.exe"], 2, "path must end in"),
        (["few.csv", "--vary", "D,E,g", "--powder", "26"], 2, "as many points as free parameters"),
        (["unit.csv", "--vary", "D", "--powder", "26"], 2, "'chiT (cm3 K/mol)'"),
        (["chi.csv", "--vary", "D,g", "--powder", "26", "--bounds", "D=-5.5:0"], 1, "on the bound of D"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(capfd, files, arguments, code, message):
    (files / "few.csv").write_text("T (K),B (T),chiT (cm3 K/mol),sigma\n2,0,0.9,0.1\n300,0,1.2,0.1\n")
    (files / "unit.csv").write_text("T (K),chiT\n2,0.9\n300,1.2\n")
    given = [str(files / text) if text.endswith((".csv", ".exp")) else text for text in arguments]
    assert message in refused(capfd, code, "fit", str(files / "ni.toml"), *given, "--starts", "1")


def test_a_rank_above_2j_is_refused(capfd, files, tmp_path):
    text = (files / "ni.toml").read_text() + '\n[[terms]]\nkind = "stevens"\nk = 4\nq = 0\nB = "1 mK"\n'
    (tmp_path / "bad.toml").write_text(text)
    err = refused(
        capfd, 2, "fit", str(tmp_path / "bad.toml"), str(files / "chi.csv"), "--vary", "B40", "--powder", "26"
    )
    assert "k must be at most 2S = 2" in err


def test_a_law_and_a_file_that_cannot_be(capfd, files, tmp_path):
    chi, folder = str(files / "chi.csv"), tmp_path
    for code, arguments, message in (
        (2, ("curie-weiss", chi, "--window", "50"), "lo:hi"),
        (2, ("curie-weiss", chi, "--window", "299:301"), "at least 4 points"),
        (2, ("curie-weiss", str(files / "m.csv"), "--window", "1:9"), "one set of susceptibilities"),
        (2, ("convert", chi, str(folder / "a.toml")), "must end in .csv"),
        (2, ("convert", chi, str(folder / "a_mag.exp")), "data must be magnetisation for a _mag"),
        (2, ("convert", chi, str(folder / "no" / "a_sus.exp")), "could not be written"),
        (2, ("convert", "fe8", str(folder / "a.csv")), "must end in .m or .toml"),
        (2, ("convert", "none.m", str(folder / "a.toml")), "must be a readable file"),
        (2, ("parameters", "nickle"), "library name"),
    ):
        assert message in refused(capfd, code, *arguments)


def test_no_law_is_no_answer(capfd, tmp_path):
    T = np.linspace(2.0, 20.0, 10)
    ms.write_csv(ms.SusceptibilityData(T, T**2, unit="cgs", powder=5), tmp_path / "chi.csv")
    err = refused(capfd, 1, "curie-weiss", str(tmp_path / "chi.csv"), "--window", "1:30")
    assert "no Curie-Weiss law fits" in err


def test_a_stopped_fit_says_so_and_writes_nothing(capfd, files, tmp_path, monkeypatch):
    def stop(*_given, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("mesospin.measured.hamiltonian.fit.outcome_of", stop)
    data = ["fit", str(files / "ni.toml"), str(files / "chi.csv"), "--vary", "D", "--powder", "26"]
    assert main([*data, "--starts", "1", "--out", str(tmp_path / "fit.nc")]) == 130
    out, err = capfd.readouterr()
    assert (out, err.strip()) == ("", "mesospin: stopped")
    assert list(tmp_path.iterdir()) == []
