"""Commands on lanthanides: the numbers of the public functions, and one sentence for what is wrong."""

import json
from fractions import Fraction

import numpy as np
import pytest

import mesospin as ms
from mesospin.cli.app import main


def answer(capfd, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capfd.readouterr().out)


def test_all_ions(capfd):
    found = answer(capfd, "ion")
    assert [entry["name"] for entry in found] == list(ms.ions())
    assert main(["ion"]) == 0
    text = capfd.readouterr().out
    assert "Dy3+" in text
    assert "6H15/2" in text


@pytest.mark.parametrize(
    ("name", "J", "gJ", "theta"),
    [  # Abragam and Bleaney, table 20
        ("Er3+", "15/2", "6/5", ["4/1575", "2/45045", "8/3864861"]),
        ("Ho(III)", "8", "5/4", ["-1/450", "-1/30030", "-5/3864861"]),
        ("Ce3+", "5/2", "6/7", ["-2/35", "2/315", "0"]),
    ],
)
def test_an_ion(capfd, name, J, gJ, theta):
    found = answer(capfd, "ion", name)
    assert Fraction(found["J"]) == Fraction(J)
    assert found["gJ_exact"] == gJ
    assert [factor["exact"] for factor in found["stevens_factors"]] == theta
    assert [factor["value"] for factor in found["stevens_factors"]] == [float(Fraction(t)) for t in theta]
    assert main(["ion", name]) == 0
    text = capfd.readouterr().out
    assert gJ in text
    assert all(t in text for t in theta)


def test_nuclei_of_an_ion(capfd):
    found = answer(capfd, "ion", "Dy3+")
    assert [row["isotope"] for row in found["isotopes"]] == ["161Dy", "163Dy"]
    assert "Stone" in found["source_of_isotopes"]
    (only,) = answer(capfd, "ion", "Dy3+", "--isotope", "Dy-163")["isotopes"]
    assert only["I"] == "5/2"
    assert only["gI"] == ms.nucleus("163Dy").g
    assert answer(capfd, "ion", "Ce3+")["isotopes"] == []
    assert main(["ion", "Ce3+"]) == 0
    assert "no isotope with a spin" in capfd.readouterr().out


def test_hyperfine_constant_of_an_ion(capfd):
    (row,) = answer(capfd, "ion", "Ho3+", "--inverse-cube", "9.34")["isotopes"]
    assert row["A"] == pytest.approx(812.0, abs=0.5)  # measured in salts of holmium: 812 MHz


@pytest.mark.parametrize("given", [["--ion", "Er3+"], []])
def test_notations_of_a_crystal_field(capfd, given):
    found = answer(capfd, "crystal-field", "erw10-printed", *given)
    assert found["name"] == "Er3+"
    rows = {(row["k"], row["q"]): row for row in found["parameters"]}
    assert rows[2, 0]["B"] == -1.35
    assert rows[2, 0]["A"] == pytest.approx(-1.35 * 1575 / 4)
    assert rows[2, 0]["L"] == pytest.approx(-2 * 1.35 * 1575 / 4)
    assert rows[4, 4]["L"] == pytest.approx(1.8e-2 * 45045 / 2 / np.sqrt(35 / 32))
    assert main(["crystal-field", "erw10-printed", *given]) == 0
    text = capfd.readouterr().out
    for part in ("C_-q + (-1)^q C_q (convention C_-q)", "B [K]", "A<r^k> [cm^-1]", "L [cm^-1]"):
        assert part in text


def test_the_conventions_differ_by_a_sign_for_odd_q(capfd, tmp_path):
    file = tmp_path / "ion.toml"
    file.write_text(
        'spins = [{ S = "15/2", g = "4/3" }]\nterms = [{ kind = "stevens", k = 4, q = 3, B = "1 mK" }, '
        '{ kind = "stevens", k = 2, q = -2, B = "1 K" }]\n'
    )
    values = [
        [row["L"] for row in answer(capfd, "crystal-field", str(file), "--convention", name)["parameters"]]
        for name in ("C_-q", "C_+q")
    ]
    assert values[0] == [-value for value in values[1]]


def test_doublets(capfd, tmp_path):
    out = tmp_path / "barrier.png"
    found = answer(capfd, "doublets", "erw10-repaired", "--count", "2", "--out", str(out))["variables"]
    assert found["energy"]["values"][1] == pytest.approx(63.2, abs=0.1)
    assert found["g"]["values"][0][2] == pytest.approx(15.58, abs=0.01)
    assert out.stat().st_size > 10_000
    assert main(["doublets", "erw10-167", "--count", "1"]) == 0
    assert "nuclei left out" in capfd.readouterr().out
    assert main(["doublets", "erw10-167", "--count", "1", "--quiet"]) == 0
    assert capfd.readouterr().out == ""


def test_clock_transitions(capfd):
    found = answer(
        capfd, "clock-transitions", "how10", "--span", "0:200 mT", "--states", "16", "--frequency",
        "9000 MHz:10 GHz", "--step", "1 mT",
    )["variables"]  # fmt: skip
    # Shiddiq et al., Nature 531, 348 (2016)
    assert found["field"]["values"] == pytest.approx([0.0236, 0.0709, 0.1182, 0.1654], abs=3e-4)
    assert found["frequency"]["values"] == pytest.approx([9.15] * 4, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ion", "Er"], "ion must be a lanthanide ion with its charge, got 'Er'; write Er3+"),
        (["ion", "Er3+", "--isotope", "165Ho"], "must be one of Er for Er3+, got 165Ho; choose 167Er"),
        (["ion", "Ce3+", "--isotope", "165Ho"], "it has none with a spin"),
        (["ion", "Er3+", "--isotope", "166Er"], "isotope must be one with a nuclear spin"),
        (["ion", "--isotope", "167Er"], "ion must be named"),
        (["ion", "Er3+", "--inverse-cube", "-1"], "inverse_cube must be positive"),
        (["crystal-field", "tbpc2", "--ion", "Er3+"], "ion must have J = 6 as the spin on site 0"),
        (["crystal-field", "tbpc2", "--ion", "Xx3+"], "ion must be a lanthanide ion"),
        (["crystal-field", "tbpc2", "--site", "7"], "site must be a position from 0 to 1 in tbpc2, got 7"),
        (["crystal-field", "tbpc2", "--site", "1"], "ion must be named where J and g_J do not tell it"),
        (["crystal-field", "mn12ac"], "ion must be named where J and g_J do not tell it, got a spin 10"),
        (["crystal-field", "mn4", "--ion", "Nd3+"], "must have a crystal field of Stevens terms on site 0"),
        (["crystal-field", "tbpc2", "--convention", "x"], "convention must be one of C_-q, C_+q"),
        (["doublets", "erw10"], "did you mean erw10-"),
        (["doublets", "how10", "--count", "9"], "must have 9 doublets"),
        (["doublets", "how10", "--count", "0"], "count must be"),
        (["doublets", "how10", "--isolation", "0.5"], "isolation must be at least 1"),
        (["doublets", "how10", "--axis", "0,0,0"], "axis must be three numbers, not all zero"),
        (["doublets", "how10", "--out", "a.xyz"], "a.xyz"),
        (["clock-transitions", "how10", "--span", "0.2:0"], "span must rise"),
        (["clock-transitions", "how10", "--span", "0:1 K"], "unit"),
        (["clock-transitions", "how10", "--span", "0:0.2", "--frequency", "9"], "frequency must be a range"),
        (["clock-transitions", "how10", "--span", "0:0.2", "--frequency", "0:9"], "must be positive"),
        (["clock-transitions", "how10", "--span", "0:0.2", "--frequency", "1:2 T"], "unit"),
        (["clock-transitions", "how10", "--span", "0:0.2", "--step", "0"], "step must be positive"),
        (["clock-transitions", "erw10-printed", "--span", "0:0.2"], "span must contain a stationary"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(capfd, arguments, sentence):
    code = main(arguments)
    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("mesospin: error: ")
    assert err.count("\n") == 1
    assert sentence in err
