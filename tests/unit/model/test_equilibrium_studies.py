"""Studies in thermal equilibrium: quantities with units, parts that act back, and what is refused."""

import math

import pytest

from mesospin.errors import InputError
from mesospin.model.study import study_from_table
from mesospin.units import to_cm3_per_mole, to_cubic_angstrom

COMPLETE = {
    "T": {"from": "0.1 K", "to": "10 K", "points": 3, "spacing": "logarithmic"},
    "B": ["0 T", "1000 mT"],
    "axis": [1, 0, 0],
    "mean_field": {"zJ": "-0.05 cm^-1", "g": 1.2, "crystallites": True},
    "demagnetisation": {"factor": ["1/4", "1/4", "1/2"], "volume": "1.63 nm^3"},
}


def arguments(kind, **entries):
    table = {"system": "erw10-repaired", "experiment": {"kind": kind, **entries}}
    return study_from_table(table, name="s").arguments


@pytest.mark.parametrize(
    "kind", ["magnetisation", "susceptibility", "heat-capacity", "entropy", "free-energy"]
)
def test_everything_that_can_be_said(kind):
    found = dict(arguments(kind, **COMPLETE, powder=590))
    assert found.pop("T") == pytest.approx((0.1, 1.0, 10.0))
    assert found.pop("mean_field") == {
        "zJ": pytest.approx(-0.0719388, rel=1e-6),
        "g": 1.2,
        "crystallites": True,
    }
    shape = found.pop("demagnetisation")
    assert shape["factor"] == (0.25, 0.25, 0.5)
    assert shape["volume"] == pytest.approx(1630.0)
    assert found == {"B": (0.0, 1.0), "axis": (1.0, 0.0, 0.0), "powder": 590}


def test_a_field_that_turns():
    angles = {"from": "0 deg", "to": "90 deg", "points": 3}
    found = arguments("torque", **COMPLETE, towards=[0, 1, 0], angle=angles)
    assert found["towards"] == (0.0, 1.0, 0.0)
    assert found["angle"] == pytest.approx((0.0, math.pi / 4, math.pi / 2))


def test_temperature_independent_term_in_cgs_or_SI():
    """chi(SI) = 4 pi 1e-6 m3/cm3 chi(cgs)."""
    cgs = arguments("susceptibility", T="2 K", tip="2e-4 cm3/mol")["tip"]
    si = arguments("magnetisation", T="2 K", B="1 T", tip=f"{4e-6 * math.pi * 2e-4!r} m3/mol")["tip"]
    assert cgs == 2e-4
    assert si == pytest.approx(cgs, rel=1e-14)


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        ("susceptibility", {"tip": 2e-4}, r"tip must be a text with a unit, got 0\.0002; .*cm3/mol"),
        ("susceptibility", {"tip": "2e-4"}, r"tip must have a unit \[cm3/mol \(cgs\), m3/mol \(SI\)\]"),
        ("susceptibility", {"tip": "2e-4 cm^3"}, r"tip must have a unit .*got 'cm\^3'"),
        ("susceptibility", {"tip": "2e-4 emu"}, r"tip must have a unit .*got 'emu'"),
        ("heat-capacity", {"tip": "2e-4 cm3/mol"}, "must not have the key 'tip' for heat-capacity"),
        ("torque", {"powder": 26}, "must not have the key 'powder' for torque"),
        ("torque", {"angle": [0.5]}, r"angle\[0\] must be a text with a unit"),
        ("entropy", {"mean_field": {"g": 2.0}}, "mean_field must have the key 'zJ'"),
        ("entropy", {"mean_field": {"zJ": -0.1}}, r"mean_field\.zJ must be a text with a unit"),
        ("entropy", {"mean_field": {"zJ": "-0.1 K", "h": 2.0}}, "must not have the key 'h'"),
        ("entropy", {"mean_field": {"zJ": "-0.1 K", "crystallites": 1}}, "crystallites must be true or"),
        ("entropy", {"mean_field": "-0.1 K"}, "mean_field must be a table of keys"),
        ("entropy", {"demagnetisation": {"factor": 0.3}}, "must have the key 'volume'"),
        (
            "entropy",
            {"demagnetisation": {"factor": 0.3, "volume": 1630}},
            "volume must be a text with a unit",
        ),
        ("entropy", {"demagnetisation": {"factor": 0.3, "volume": "1 m"}}, r"must have a unit \[A\^3\]"),
        ("free-energy", {"T": ["0 K"]}, r"T\[0\] must be positive"),
        ("magnetisation", {"powder": "590"}, "powder must be an integer"),
        ("magnetisation", {"axis": [0, 0]}, "axis must be three numbers"),
    ],
)
def test_wrong_entries_are_refused(kind, changes, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        arguments(kind, **({"T": ["2 K"], "B": ["1 T"]} | changes))
    assert str(caught.value).startswith("in s: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["1630 A^3", "1630 Å^3", "1630 angstrom^3", "1.63 nm^3", "1.63e-21 cm^3"])
def test_volumes(text):
    assert to_cubic_angstrom(text) == pytest.approx(1630.0, rel=1e-12)


def test_numbers_are_in_the_unit_of_the_package():
    assert (to_cm3_per_mole(1e-4), to_cubic_angstrom(2.0)) == (1e-4, 2.0)
