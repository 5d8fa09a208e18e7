"""Refusals of the molecule schema: one sentence that says where."""

import copy

import pytest

from mesospin.errors import InputError, InvalidModelError, UnitError
from mesospin.model.environment import Member
from mesospin.model.schema import disorder_from_table, system_from_table, variant_names
from mesospin.model.terms import ZeroFieldSplitting

GOOD = {
    "title": "a dimer with a nucleus",
    "sources": ["here"],
    "spins": [
        {"S": "9/2", "g": 2.0, "source": "spin paper"},
        {"S": 1.0, "g": [2.0, 2.0, 2.2]},
        {"S": 1.5, "g": 1.3, "label": "I", "nuclear": True},
    ],
    "terms": [
        {
            "kind": "zero-field-splitting",
            "D": "-0.5 cm^-1",
            "E": "1 mK",
            "site": 0,
            "frame": ["0 deg", "9 deg", "0 rad"],
        },
        {"kind": "stevens", "k": 2, "q": -1, "B": "1 mK", "site": 1, "source": "term paper"},
        {"kind": "spin-power", "coefficient": "1 uK", "z": 2, "ladder": 2},
        {"kind": "exchange", "i": 0, "j": 1, "J": [["1 K", "0 K", "0 K"]] * 3, "convention": "-2J"},
        {"kind": "dzyaloshinskii-moriya", "i": 0, "j": 1, "d": ["0 K", "0 K", "0.1 K"]},
        {"kind": "hyperfine", "i": 0, "k": 2, "A": ["1 MHz", "1 MHz", "2 MHz"]},
        {"kind": "quadrupole", "k": 2, "P": "1 MHz", "eta": 0.5},
    ],
    "defaults": {
        "crystal": "fe8",
        "phonons": {"density": "1 g/cm^3", "sound_speed": "2 km/s", "coupling": "1 K", "one_quantum": "1/24"},
        "dipolar": {"width": "25 mT"},
        "lattice": {"theta": "41 K"},
    },
}


def changed(path, value):
    """Return a copy of GOOD with one entry set, or deleted if value is None."""
    table = copy.deepcopy(GOOD)
    place = table
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return table


def test_every_kind_of_term_is_read():
    system = system_from_table(GOOD, name="x")
    assert [type(term).__name__ for term in system.terms] == [
        "ZeroFieldSplitting",
        "Stevens",
        "SpinPower",
        "Exchange",
        "DzyaloshinskiiMoriya",
        "Hyperfine",
        "Quadrupole",
    ]
    assert system.dimension == 10 * 3 * 4
    assert system.sources == ("here", "spin paper", "term paper")
    assert system.defaults.phonons.one_quantum == 1 / 24
    assert system.defaults.crystal == "fe8"
    assert system.terms[3].J[0][0] == -2.0


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (
            ("terms", 0, "D"),
            -0.5,
            r'x\.terms\[0\]\.D must be a text with a unit, got -0\.5; write .*"-0\.5 K"',
        ),
        (("terms", 0, "D"), "-0.5", r"x\.terms\[0\]\.D must have a unit \[K, cm\^-1, meV, GHz\]"),
        (("terms", 0, "D"), "-0.5 T", r"x\.terms\[0\]\.D must have a unit .* got 'T'"),
        (("terms", 0, "D"), None, r"x\.terms\[0\] must have the key 'D'"),
        (("terms", 0, "d"), "1 K", r"x\.terms\[0\] must not have the key 'd'; did you mean D"),
        (("terms", 0, "kind"), "zfs", r"x\.terms\[0\]\.kind must be one of zero-field-splitting"),
        (("terms", 0, "kind"), None, r"x\.terms\[0\] must have the key 'kind'"),
        (("terms", 0, "site"), 7, r"in x: ZeroFieldSplitting must act on a site between 0 and 2, got 7"),
        (("terms", 0, "site"), 0.0, r"x\.terms\[0\]\.site must be an integer"),
        (("terms", 0, "frame"), ["1 deg"], r"frame must have at least 3 entries"),
        (("terms", 0, "frame"), [0.0, 0.1, 0.0], r"frame\[0\] must be a text with a unit"),
        (("terms", 1, "k"), 4, r"in x: k must be at most 2S = 2 for a spin 1"),
        (("terms", 3, "convention"), None, r"x\.terms\[3\] must have the key 'convention'"),
        (("terms", 3, "convention"), "2J", r"in x\.terms\[3\]: convention must be one of"),
        (("terms", 3, "J"), ["1 K", "2 K"], r"in x\.terms\[3\]: J must be 1, 3 or 3 x 3 values"),
        (("terms", 5, "k"), 1, r"in x: k must be the site of a nuclear spin"),
        (("spins", 0, "S"), 4.4, r"in x\.spins\[0\]: S must be a positive half-integer"),
        (("spins", 0, "g"), None, r"x\.spins\[0\] must have the key 'g'"),
        (("spins", 0, "g"), "two", r"x\.spins\[0\]\.g must be a pure number"),
        (("spins", 2, "nuclear"), "yes", r"nuclear must be true or false"),
        (("spins", 0, "label"), "", r"label must be a non-empty text"),
        (("spins",), [], r"in x: spins must name at least one spin"),
        (("spins",), {"S": 1}, r"x\.spins must be a list of tables"),
        (("spins",), None, r"x\.spins must be a list of tables"),
        (("spin",), [], r"x must not have the key 'spin'; did you mean spins"),
        (("sources",), "one", r"x\.sources must be a list"),
        (
            ("defaults", "phonons", "density"),
            "1 K",
            r"x\.defaults\.phonons\.density must have a unit \[kg/m3\]",
        ),
        (("defaults", "phonons", "coupling"), "0 K", r"in x\.defaults\.phonons: coupling must be positive"),
        (
            ("defaults", "phonons", "speed"),
            "1 m/s",
            r"must not have the key 'speed'; did you mean sound_speed",
        ),
        (
            ("defaults", "dipolar", "width"),
            "-1 mT",
            r"in x\.defaults\.dipolar: width must be zero or positive",
        ),
        (
            ("defaults", "disorder"),
            {"E": [["0 K", 0.5]]},
            r"in x\.defaults\.disorder: weights of the members must sum",
        ),
        (("defaults",), "none", r"x\.defaults must be a table"),
        (("defaults", "phonons"), 3, r"x\.defaults\.phonons must be a table"),
    ],
)
def test_wrong_entries_are_refused_where_they_stand(path, value, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        system_from_table(changed(path, value), name="x")
    assert "\n" not in str(caught.value)


def test_unknown_units_are_unit_errors():
    with pytest.raises(UnitError):
        system_from_table(changed(("terms", 0, "D"), -0.5), name="x")


def test_variants_replace_whole_parts_and_merge_defaults():
    table = copy.deepcopy(GOOD)
    table["variants"] = {
        "bare": {"terms": [], "defaults": {"dipolar": {"width": "10 mT"}}},
        "wrong": {"trems": []},
    }
    assert variant_names(table) == ("bare", "wrong")
    bare = system_from_table(table, name="x", variant="bare")
    assert bare.terms == ()
    assert bare.defaults.dipolar.width == 0.010
    assert bare.defaults.phonons == system_from_table(GOOD, name="x").defaults.phonons
    assert bare.variant == "bare"
    with pytest.raises(InvalidModelError, match=r"x\.variants\.wrong must not have the key 'trems'"):
        system_from_table(table, name="x", variant="wrong")


def test_an_ensemble_of_explicit_members():
    table = {
        "members": [
            {"weight": 0.25, "tilt": "1 deg", "azimuth": "90 deg", "transverse": ["1 mT", "2 mT"]},
            {"weight": 0.75, "terms": [{"kind": "zero-field-splitting", "D": "0 K", "E": "2 mK"}]},
        ]
    }
    first, second = disorder_from_table("disorder", table).members
    assert first == Member(0.25, tilt="1 deg", azimuth="90 deg", transverse=("1 mT", "2 mT"))
    assert second.terms == (ZeroFieldSplitting(0.0, "2 mK"),)
    table["members"][0]["weight"] = 0.5
    with pytest.raises(InvalidModelError, match="in disorder: weights of the members must sum to 1"):
        disorder_from_table("disorder", table)
