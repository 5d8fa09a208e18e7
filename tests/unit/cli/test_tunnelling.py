"""Commands on tunnelling: the numbers of the public functions, and one sentence for what is wrong."""

import json

import numpy as np
import pytest

import mesospin as ms
from mesospin.cli.app import main


def variables(capfd, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capfd.readouterr().out)["variables"]


def refused(capfd, *arguments):
    code = main(arguments)
    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("mesospin: error: ")
    assert err.count("\n") == 1
    return err


def test_certified_digits(capfd):
    found = variables(capfd, "splitting", "mn12ac", "10", "-10", "--digits", "30")
    assert found["digits"]["values"].startswith("2.9625195277510391597611476732")
    assert found["rigorous"]["values"] is True
    assert found["relative_error"]["values"] < 1e-30


@pytest.mark.parametrize("method", ["double-precision", "certified", "large-spin", "perturbative"])
def test_methods_by_name(capfd, method):
    found = variables(capfd, "splitting", "mn12ac", "10", "-10", "--method", method)
    assert found["splitting"]["values"] == pytest.approx(2.9625195e-12, rel=0.1)


def test_the_instanton_by_name(capfd):
    found = variables(capfd, "splitting", "fe8:biaxial", "10", "-10", "--method", "semiclassical")
    assert found["splitting"]["values"] == pytest.approx(3.96e-10, rel=0.2)
    assert found["relative_error"]["values"] < 0.5


def test_a_table_says_how(capfd):
    assert main(["splitting", "fe8:biaxial", "10", "-10", "--transverse", "0.1312616889058192,0"]) == 0
    assert "diabolical point" in " ".join(capfd.readouterr().out.split())


def test_map_and_points(capfd):
    found = variables(
        capfd, "splitting-map", "fe8", "10", "-10", "--transverse", "0:0.4:5", "--azimuth", "0,90 deg"
    )
    assert np.shape(found["splitting"]["values"]) == (2, 5)
    points = variables(capfd, "diabolical-points", "fe8", "10", "-10", "--Bx=0:0.4", "--By=-0.1:0.1")
    assert points["Bx"]["values"] == pytest.approx([0.2031805], abs=1e-6)


def test_wave_functions_wells_and_ensembles(capfd):
    pair = variables(capfd, "tunnelling-pair", "mn12ac", "10", "-10")
    assert pair["splitting"]["values"] == pytest.approx(2.9625195e-12, rel=1e-6)
    assert variables(capfd, "double-well", "ni-s1")["barrier"]["values"] == pytest.approx(
        [7.194] * 2, rel=1e-3
    )
    text = "log-gaussian:6,1,1.1 K"
    found = variables(
        capfd, "splitting-distribution", "mn12ac", "10", "-6", "--E", text, "--samples", "50", "--seed", "3"
    )
    direct = ms.splitting_distribution(
        ms.load("mn12ac"), (10, -6), E=ms.LogGaussian(6, 1, "1.1 K"), samples=50, seed=3
    )
    assert found["splitting"]["values"] == pytest.approx(direct["splitting"].values)


def test_spins_and_particles(capfd):
    found = variables(capfd, "quantum-objects", "--D", "-0.5 K", "--E", "0.1 K", "--spins", "9/2,10,1e4")
    assert found["spin"]["values"] == [4.5, 10, 1e4]
    assert found["tunnelling_time"]["values"][0] == "never"
    grain = ("--moment", "20000", "--anisotropy-field", "2 T", "--hard-field", "1 T")
    cold = variables(capfd, "switching-fields", *grain, "--T", "0.02,0.04", "--rate", "1 mT/s")
    assert np.shape(cold["mean_field"]["values"]) == (6, 2)


def test_bad_input_is_one_sentence(capfd):
    assert "0.3 T away" in refused(capfd, "splitting", "mn12ac", "10", "-10", "--B", "0.3")
    assert "digits" in refused(capfd, "splitting", "mn12ac", "10", "-10", "--digits", "0")
    assert "digits" in refused(
        capfd, "splitting", "mn12ac", "10", "-10", "--digits", "9", "--method", "large-spin"
    )
    assert "one of" in refused(capfd, "splitting", "mn12ac", "10", "-10", "--method", "fast")
    assert "density" in refused(capfd, "quantum-objects")
    assert "gaussian" in refused(capfd, "splitting-distribution", "mn12ac", "10", "-6", "--E", "flat:1")
    assert "deg" in refused(
        capfd, "splitting-map", "fe8", "10", "-10", "--transverse", "0:1:3", "--azimuth", "1 T"
    )
