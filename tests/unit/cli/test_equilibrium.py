"""Commands in equilibrium: the numbers of the public functions, and one sentence for what is wrong."""

import json

import numpy as np
import pytest

import mesospin as ms
from mesospin.cli.app import main

ERBIUM = "erw10-repaired"


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


def test_magnetisation_of_a_powder(capfd):
    found = variables(capfd, "magnetisation", ERBIUM, "--T", "2,5", "--B", "0:7:8", "--powder", "590")
    direct = ms.magnetisation(ms.load(ERBIUM), [2.0, 5.0], np.linspace(0, 7, 8), powder=590)
    assert found["magnetisation"]["units"] == "mu_B"
    np.testing.assert_allclose(found["magnetisation"]["values"], direct.magnetisation)


def test_susceptibility_with_all_that_acts(capfd):
    options = (
        "--zj",
        "-0.1 K",
        "--zj-g",
        "1.2",
        "--demagnetisation",
        "1/3,1630 A^3",
        "--tip",
        "2e-4 cm3/mol",
    )
    found = variables(capfd, "susceptibility", ERBIUM, "--T", "1:100:3:log", *options)
    direct = ms.susceptibility(
        ms.load(ERBIUM),
        [1.0, 10.0, 100.0],
        mean_field=ms.MeanField(-0.1, 1.2),
        demagnetisation=ms.Demagnetisation(1 / 3, 1630.0),
        tip=2e-4,
    )
    assert np.shape(found["chi_t"]["values"]) == (3, 3, 3)
    np.testing.assert_allclose(found["chi_t"]["values"], direct.chi_t, rtol=1e-9, atol=1e-12)


def test_neighbours_in_every_crystallite_and_by_the_average_moment(capfd):
    options = ("--T", "1", "--powder", "5", "--zj", "-0.1 K", "--zj-g", "1.2")
    found = variables(capfd, "susceptibility", ERBIUM, *options, "--zj-crystallites")
    own = ms.MeanField(-0.1, 1.2, crystallites=True)
    direct = ms.susceptibility(ms.load(ERBIUM), [1.0], powder=5, mean_field=own)
    np.testing.assert_allclose(found["chi"]["values"], direct.chi.values.ravel()[0], rtol=1e-9)
    assert main(["susceptibility", ERBIUM, *options, "--quiet"]) == 0
    assert "mean_field acts by the average moment of the powder" in capfd.readouterr().err


def test_a_powder_that_has_not_converged_says_so(capfd):
    assert main(["magnetisation", ERBIUM, "--T", "0.1", "--B", "7", "--powder", "14", "--quiet"]) == 0
    err = capfd.readouterr().err
    assert "14 and 6 directions differ by" in err
    assert "for example powder=74" in err


@pytest.mark.parametrize("name", ["heat_capacity", "entropy", "free_energy"])
def test_heat_at_zero_field_and_along_an_axis(capfd, name):
    command = name.replace("_", "-")
    function = getattr(ms, name)
    found = variables(capfd, command, ERBIUM, "--T", "5,50")
    np.testing.assert_allclose(found[name]["values"], function(ms.load(ERBIUM), [5.0, 50.0], 0.0)[name])
    found = variables(capfd, command, ERBIUM, "--T", "5", "--B", "1,2", "--axis", "1,0,1")
    direct = function(ms.load(ERBIUM), [5.0], [1.0, 2.0], axis=(1, 0, 1))
    np.testing.assert_allclose(found[name]["values"], direct[name])


def test_torque_of_a_field_that_turns(capfd):
    turning = ("--towards", "1,0,0", "--angle", "0:90:4 deg")
    found = variables(capfd, "torque", ERBIUM, "--T", "5", "--B", "3", *turning)
    direct = ms.torque(ms.load(ERBIUM), [5.0], 3.0, towards=(1, 0, 0), angle=np.radians([0, 30, 60, 90]))
    np.testing.assert_allclose(found["torque_about"]["values"], direct.torque_about, atol=1e-9)


def test_tables_are_printed_and_figures_written(capfd, tmp_path):
    file = tmp_path / "chi.png"
    assert main(["susceptibility", "ni-s1", "--T", "2:300:5", "--powder", "5", "--out", str(file)]) == 0
    out = capfd.readouterr().out
    assert "chi t (cm3 K/mol)" in out
    assert "Lebedev rule of degree 5" in out
    assert file.stat().st_size > 1000


def test_a_g_of_no_spin_is_questioned(capfd):
    assert main(["entropy", ERBIUM, "--T", "5", "--zj", "-0.1 K", "--quiet"]) == 0
    assert "g = 2, but the spins of erw10-repaired have g = 1.2" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("magnetisation", "ni-s1", "--T", "2"), "--B"),
        (("magnetisation", "ni-s1", "--T", "0", "--B", "1"), "T must be"),
        (("magnetisation", "ni-s1", "--T", "2 T", "--B", "1"), "T must have a unit [K]"),
        (("magnetisation", "ni-s1", "--T", "2", "--B", "1", "--powder", "27.5"), "--powder"),
        (("magnetisation", "ni-s1", "--T", "2", "--B", "1", "--powder", "28"), "Lebedev rule"),
        (("magnetisation", "ni-s1", "--T", "2", "--B", "1", "--powder", "26", "--axis", "1,0,0"), "powder"),
        (("susceptibility", "ni-s1", "--T", "2", "--tip", "2e-4"), "tip must have a unit"),
        (("susceptibility", "ni-s1", "--T", "2", "--tip", "2e-4 cm3"), "[cm3/mol (cgs), m3/mol (SI)]"),
        (("susceptibility", "ni-s1", "--T", "2", "--zj", "-0.1"), "zj must be an energy with a unit"),
        (("susceptibility", "ni-s1", "--T", "2", "--zj-crystallites"), "zj-crystallites must have a zj"),
        (("susceptibility", "ni-s1", "--T", "2", "--zj", "-0.1 T"), "zj must have a unit"),
        (("susceptibility", "ni-s1", "--T", "2", "--demagnetisation", "1/3"), "write for example"),
        (("susceptibility", "ni-s1", "--T", "2", "--demagnetisation", "1/3,1630"), "with the unit"),
        (("susceptibility", "ni-s1", "--T", "2", "--demagnetisation", "4,1630 A^3"), "between 0 and 1 (SI)"),
        (("entropy", "ni-s1", "--T", "0:300:20:log"), "two ends above 0 [K]"),
        (("entropy", "ni-s1", "--T", "1:300:20:lin"), "T must be a range"),
        (("free-energy", "ni-s1", "--T", "1", "--axis", "0,0,0"), "axis must be three numbers"),
        (("torque", "ni-s1", "--T", "1", "--B", "1", "--towards", "1,0,0"), "towards and angle"),
        (("torque", "ni-s1", "--T", "1", "--B", "1", "--angle", "10 deg"), "towards and angle"),
        (
            ("torque", "ni-s1", "--T", "1", "--B", "1", "--towards", "1,0,0", "--angle", "0:9:3"),
            "angle must be angles with a unit",
        ),
        (
            ("torque", "ni-s1", "--T", "1", "--B", "1", "--towards", "0,0,2", "--angle", "9 deg"),
            "not along axis",
        ),
        (("heat-capacity", "ni-s1", "--T", "1", "--out", "chi.xyz"), "xyz"),
    ],
)
def test_wrong_arguments_are_refused_in_one_sentence(capfd, arguments, sentence):
    assert sentence in refused(capfd, *arguments)


def test_an_ordered_state_is_a_failure_not_a_number(capfd):
    assert main(["susceptibility", "ni-s1", "--T", "0.01", "--zj", "5 K"]) == 1
    assert "orders the moments" in capfd.readouterr().err
