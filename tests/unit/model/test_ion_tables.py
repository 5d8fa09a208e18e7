"""Ions, isotopes and crystal fields in molecule files: what they mean, and what is refused."""

import copy
import json
import math

import numpy as np
import pytest

import mesospin as ms
from mesospin.cli.app import main
from mesospin.errors import InputError, InvalidModelError, UnitError
from mesospin.model.schema import system_from_table
from mesospin.model.study import study_from_table
from mesospin.model.terms import Stevens
from mesospin.spectrum.matrices import affine_hamiltonian

FIELD = {"kind": "crystal-field", "notation": "B", "values": [[2, 0, "-1.35 K"], [4, 4, "1.8e-2 K"]]}
ERBIUM = {
    "spins": [{"ion": "Er3+"}, {"isotope": "167Er"}],
    "terms": [FIELD, {"kind": "hyperfine", "i": 0, "k": 1, "A": "-6e-3 K"}],
}


def read(table, **changes):
    return system_from_table(copy.deepcopy(table) | changes, name="x")


def test_names_give_the_spins():
    system = read(ERBIUM)
    electron, nucleus = system.spins
    assert (electron.S, electron.g[0][0], electron.label, electron.nuclear) == (7.5, 1.2, "J", False)
    assert (nucleus.S, nucleus.label, nucleus.nuclear) == (3.5, "I", True)
    assert nucleus.g[0][0] == -0.5623 / 3.5  # Stone, INDC(NDS)-0794 (2019)
    built = ms.lanthanide("Er3+", {(2, 0): -1.35, (4, 4): 1.8e-2}, isotope="167Er", A=-6e-3)
    assert system.spins == built.spins
    assert set(system.terms) == set(built.terms)
    assert any("Hund's rules" in source for source in system.sources)
    assert any("Stone" in source for source in system.sources)


def test_g_and_label_may_be_others():
    spin = {"ion": "Er(III)", "g": [1.19, 1.19, 1.21], "label": "J1", "source": "EPR"}
    system = read(ERBIUM, spins=[spin, {"isotope": "Er-167", "label": "I1"}])
    assert system.spins[0].g[2][2] == 1.21
    assert [entry.label for entry in system.spins] == ["J1", "I1"]
    assert "EPR" in system.sources


def test_three_notations_are_one_field():
    """B_kq = theta_k A_kq<r^k> = lambda_kq theta_k L_kq; 2/99 L20 = -A20/99 for Tb3+."""

    def terms(**changes):
        return read({"spins": [{"ion": "Tb3+"}], "terms": [{"kind": "crystal-field", **changes}]}).terms

    B = terms(notation="B", values=[[2, 0, f"{-414 / 99!r} cm^-1"], [4, 0, f"{-228 * 2 / 16335!r} cm^-1"]])
    A = terms(notation="A<r^k>", values=[[2, 0, "414 cm^-1"], [4, 0, "-228 cm^-1"]])
    L = terms(notation="Wybourne", values=[[2, 0, "828 cm^-1"], [4, 0, "-1824 cm^-1"]])
    assert [term.B for term in A] == pytest.approx([term.B for term in B], rel=1e-14)
    assert [term.B for term in L] == pytest.approx([term.B for term in B], rel=1e-14)


def test_sine_components_and_frames_are_kept():
    field = FIELD | {"values": [[4, -3, "2 mK"]], "frame": ["0 deg", "90 deg", "0 deg"]}
    (term,) = read(ERBIUM, terms=[field]).terms
    assert term == Stevens(4, -3, "2 mK", 0, (0.0, math.pi / 2, 0.0))


def test_a_field_on_the_second_spin():
    spins = [{"S": 0.5, "g": 2.0}, {"ion": "Dy3+"}]
    (first, _) = read(ERBIUM, spins=spins, terms=[FIELD | {"site": 1}]).terms
    assert first.sites == (1,)


def test_conventions_of_odd_components():
    def value(convention):
        field = {"kind": "crystal-field", "notation": "Wybourne", "values": [[4, 3, "100 cm^-1"]]}
        return read(ERBIUM, terms=[field | convention]).terms[0].B

    assert value({"convention": "C_-q"}) == -value({"convention": "C_+q"})
    with pytest.raises(InputError, match="convention must be named for L43, whose sign it decides"):
        value({})


def test_variants_keep_the_ion():
    variants = {"other": {"terms": [FIELD | {"values": [[2, 0, "-2 K"]]}]}}
    table = ERBIUM | {"variants": variants}
    assert system_from_table(table, name="x", variant="other").terms == (Stevens(2, 0, -2.0),)


def test_members_of_an_ensemble_have_crystal_fields():
    members = [{"weight": 1.0, "terms": [FIELD | {"values": [[2, 2, "1 mK"]]}]}]
    system = read(ERBIUM, defaults={"disorder": {"members": members}})
    assert system.defaults.disorder.members[0].terms == (Stevens(2, 2, "1 mK"),)


def test_hyperfine_constant_from_the_mean_of_the_inverse_cube():
    spins = [{"ion": "Ho3+"}, {"isotope": "165Ho"}]
    made = read(ERBIUM, spins=spins, terms=[{"kind": "hyperfine", "i": 0, "k": 1, "inverse_cube": 9.34}])
    A = made.terms[0].A[0][0]
    assert ms.hyperfine_constant("Ho3+", "165Ho", inverse_cube=9.34) == A
    assert pytest.approx(812e6, rel=1e-3) == A * 20.836619e9  # 812 MHz measured in salts of holmium


def test_a_study_takes_them_inline():
    system = {"name": "ion", "spins": [{"ion": "Ce3+"}], "terms": [FIELD | {"values": [[2, 0, "-1 K"]]}]}
    study = study_from_table({"system": system, "experiment": {"kind": "doublets"}}, name="s")
    assert study.system.spins[0].S == 2.5


@pytest.mark.parametrize(
    ("spin", "sentence"),
    [
        ({"ion": "Er"}, r"in x\.spins\[0\]: ion must be a lanthanide ion .*, got 'Er'; write Er3\+"),
        ({"ion": "Er3+", "S": 7.5}, r"x\.spins\[0\] must not have the key 'S' beside 'ion', got both"),
        ({"ion": "Er3+", "isotope": "167Er"}, "must not have the key 'isotope' beside 'ion'"),
        ({"ion": "Er3+", "nuclear": True}, "must not have the key 'nuclear' beside 'ion'"),
        ({"ion": "Er3+", "labl": "J"}, "must not have the key 'labl'; did you mean label"),
        ({"ion": "Eu3+"}, r"Eu3\+ must have J > 0 to be a spin"),
        ({"ion": 3}, "ion must be a non-empty text"),
        ({"ion": "Er3+", "g": "x"}, "g"),
        ({"isotope": "166Er"}, "isotope must be one with a nuclear spin"),
        ({"isotope": "167Er", "g": 1.0}, "must not have the key 'g' beside 'isotope'"),
        ({"isotope": "167Er", "S": 3.5}, "must not have the key 'S' beside 'isotope'"),
    ],
)  # fmt: skip
def test_wrong_spins_are_refused(spin, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        read(ERBIUM, spins=[spin])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"values": [[2, 0, -1.35]]}, r"terms\[0\]\.values\[0\]\[2\] must be a text with a unit"),
        ({"values": [[2, 0, "1 T"]]}, "unit"),
        ({"values": [[2, 0]]}, r"values\[0\] must be \[k, q, value\], got \[2, 0\]"),
        ({"values": [[2, 0, "1 K"], [2, 0, "2 K"]]}, r"values\[1\] must be a new component, got k = 2"),
        ({"values": {"20": "1 K"}}, "values must be a list of components"),
        ({"values": []}, "values must be a list of components"),
        ({"values": [[3, 0, "1 K"]]}, "k must be 2, 4 or 6 inside a 4f shell, got 3"),
        ({"values": [[2, 3, "1 K"]]}, "q must lie between -2 and 2 for k = 2, got 3"),
        ({"notation": "D"}, r"notation must be one of B, A<r\^k>, Wybourne, got 'D'"),
        ({"notation": None}, "must have the key 'notation'"),
        ({"convention": "C_+q"}, 'convention must be left out for the notation "B"'),
        ({"site": 1}, "crystal-field must act on a spin that is named by its ion, got site 1"),
        ({"site": 2}, "crystal-field must act on a spin that is named by its ion, got site 2"),
        ({"site": -1}, "crystal-field must act on a spin that is named by its ion, got site -1"),
        ({"vals": 1}, "did you mean values"),
    ],
)  # fmt: skip
def test_wrong_crystal_fields_are_refused(changes, sentence):
    field = {key: value for key, value in (FIELD | changes).items() if value is not None}
    with pytest.raises(InputError, match=sentence) as caught:
        read(ERBIUM, terms=[field])
    assert "\n" not in str(caught.value)


def test_a_field_needs_a_named_ion():
    with pytest.raises(InvalidModelError, match='write for example ion = "Er3\\+" for that spin'):
        read(ERBIUM, spins=[{"S": 7.5, "g": 1.2}], terms=[FIELD])


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({}, "must have one of the keys 'A' and 'inverse_cube', got none"),
        ({"A": "1 K", "inverse_cube": 9.0}, "must have one of the keys 'A' and 'inverse_cube', got both"),
        ({"inverse_cube": 0}, "inverse_cube must be positive"),
        ({"inverse_cube": 9.0, "k": 0}, "inverse_cube must belong to an ion and an isotope that are named"),
        ({"inverse_cube": 9.0, "k": 5}, "inverse_cube must belong to an ion and an isotope that are named"),
        ({"A": 0.1}, "A must be a text with a unit"),
    ],
)
def test_wrong_hyperfine_terms_are_refused(keys, sentence):
    with pytest.raises(InputError, match=sentence):
        read(ERBIUM, terms=[{"kind": "hyperfine", "i": 0, "k": 1, **keys}])


def test_inverse_cube_of_another_element_is_refused():
    spins = [{"ion": "Ho3+"}, {"isotope": "167Er"}]
    with pytest.raises(InputError, match=r"isotope must be one of Ho for Ho3\+, got 167Er"):
        read(ERBIUM, spins=spins, terms=[{"kind": "hyperfine", "i": 0, "k": 1, "inverse_cube": 9.0}])


RANK_6 = [[6, 0, "1 mK"]]
DOORS = {
    "crystal_field": lambda: ms.crystal_field("Ce3+", {(6, 0): 1e-3}, notation="B"),
    "lanthanide": lambda: ms.lanthanide("Ce3+", {(6, 0): 1e-3}),
    "SpinSystem": lambda: ms.SpinSystem("Ce", [ms.ion("Ce3+").spin()], [Stevens(6, 0, 1e-3)]),
    "TOML crystal-field": lambda: read({"spins": [{"ion": "Ce3+"}], "terms": [FIELD | {"values": RANK_6}]}),
    "TOML A<r^k>": lambda: read(
        {"spins": [{"ion": "Ce3+"}], "terms": [FIELD | {"values": RANK_6, "notation": "A<r^k>"}]}
    ),
    "TOML stevens": lambda: read(
        {"spins": [{"S": 2.5, "g": 2}], "terms": [{"kind": "stevens", "k": 6, "q": 0, "B": "1 mK"}]}
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_rank_above_twice_the_spin_is_refused_at_every_door(door):
    with pytest.raises(InvalidModelError, match="k must be at most 2S = 5 for a spin 5/2, got 6") as caught:
        DOORS[door]()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("term", ["crystal-field", "stevens"])
def test_a_rank_above_twice_the_spin_is_refused_by_the_program(term, tmp_path, capfd):
    keys = {
        "crystal-field": 'notation = "B", values = [[6, 0, "1 mK"]]',
        "stevens": 'k = 6, q = 0, B = "1 mK"',
    }[term]
    file = tmp_path / "ce.toml"
    file.write_text(f'spins = [{{ ion = "Ce3+" }}]\nterms = [{{ kind = "{term}", {keys} }}]\n')
    for command in (["doublets"], ["show"], ["crystal-field"], ["levels", "--B", "0"]):
        assert main([command[0], str(file), *command[1:]]) == 2
        out, err = capfd.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert "k must be at most 2S = 5 for a spin 5/2, got 6" in err


@pytest.mark.parametrize("name", ["erw10-printed", "erw10-repaired", "erw10-167", "how10", "tbpc2"])
def test_library_entries_are_those_of_the_tables(name, tmp_path, capfd):
    """A file with the numbers that `describe` prints has the same Hamiltonian to the digits printed."""
    system = ms.load(name)
    entry = {"erw10": "Er3+", "how10": "Ho3+", "tbpc2": "Tb3+"}[name.split("-")[0]]
    assert main(["crystal-field", name, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["name"] == entry
    values = [[row["k"], row["q"], f"{row['A']!r} K"] for row in found["parameters"]]
    terms = [{"kind": "crystal-field", "notation": "A<r^k>", "values": values}]
    again = system_from_table({"spins": [{"ion": entry}], "terms": terms}, name="again")
    own = ms.SpinSystem("own", system.spins[:1], [term for term in system.terms if term.sites == (0,)])
    expected, H = (affine_hamiltonian(one).H0 for one in (own, again))
    np.testing.assert_allclose(H, expected, atol=1e-13 * np.abs(expected).max())


def test_units_of_a_field_are_required():
    with pytest.raises(UnitError):
        read(ERBIUM, terms=[FIELD | {"values": [[2, 0, "1"]]}])
