"""Study files: what is read, and what is refused before anything runs."""

import math
from pathlib import Path

import pytest

from mesospin.errors import InputError, StudyError
from mesospin.model.environment import DipolarBath, Disorder, PhononBath
from mesospin.model.experiments.kinds import EXPERIMENTS, WITHOUT_SYSTEM
from mesospin.model.library import load
from mesospin.model.study import read_study, study_from_table

HYSTERESIS = {"kind": "hysteresis", "T": ["0.05 K", "1.9 K"], "rate": "3 mT/s", "span": ["-5 T", "5 T"]}


def study(experiment, system="mn12ac", **rest):
    return study_from_table({"system": system, "experiment": experiment, **rest}, name="s")


def test_hysteresis_with_everything():
    found = study(
        HYSTERESIS
        | {
            "transverse": ["10 mT", "0 T"],
            "tilt": "1 deg",
            "azimuth": "45 deg",
            "disorder": "none",
            "dipolar": "25 mT",
            "field_step": "1 mT",
            "powder": 17,
            "bath": {"density": "1830 kg/m^3", "sound_speed": "1.45 km/s", "coupling": "0.5 K"},
        }
    )
    assert found.kind == "hysteresis"
    assert found.system == load("mn12ac")
    assert found.title == load("mn12ac").title
    arguments = dict(found.arguments)
    assert arguments.pop("bath") == PhononBath(density=1830, sound_speed=1450, coupling=0.5)
    assert arguments.pop("tilt") == pytest.approx(math.radians(1))
    assert arguments.pop("azimuth") == pytest.approx(math.pi / 4)
    assert arguments == {
        "T": (0.05, 1.9),
        "rate": 0.003,
        "span": (-5.0, 5.0),
        "transverse": (0.010, 0.0),
        "disorder": None,
        "dipolar": DipolarBath(0.025),
        "field_step": 1e-3,
        "powder": 17,
    }


def test_defaults_are_absent_and_tables_are_ensembles():
    assert "disorder" not in study(HYSTERESIS | {"disorder": "default"}).arguments
    made = study(HYSTERESIS | {"disorder": {"tilt_width": "1 deg", "nodes": 2}}).arguments["disorder"]
    assert made == Disorder.solvent(tilt_width="1 deg", nodes=2)


def test_arguments_cannot_be_changed():
    with pytest.raises(TypeError):
        study(HYSTERESIS).arguments["rate"] = 1.0


def test_series_of_values():
    levels = {
        "kind": "levels",
        "B": {"from": "0 T", "to": "1 T", "points": 5},
        "axis": [1, 0, 0],
        "states": 3,
    }
    assert study(levels).arguments["B"] == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert study({"kind": "levels", "B": "500 mT"}).arguments["B"] == (0.5,)
    series = {"from": "0.1 K", "to": "10 K", "points": 3, "spacing": "logarithmic"}
    assert study({"kind": "relaxation", "T": series}).arguments["T"] == pytest.approx((0.1, 1.0, 10.0))


@pytest.mark.parametrize("pair", [[10, -10], ["9/2", "-9/2"], ["m=10, mI=-7/2", "m=-10, mI=-7/2"]])
def test_pairs_are_numbers_or_labels(pair):
    found = study({"kind": "splitting", "pair": pair, "transverse": ["0.1 T", "0 T"]}).arguments["pair"]
    assert found in ((10.0, -10.0), (4.5, -4.5), tuple(pair))


@pytest.mark.parametrize(
    "protocol",
    [
        {"kind": "linear", "span": ["1 T", "-1 T"], "rate": "0.1 T/s"},
        {"kind": "steps", "fields": ["0 T", "1 T"], "durations": ["1 s", "10 ms"]},
        {"kind": "half-sine", "peak": "20 T", "duration": "5 ms"},
        {"kind": "constant", "field": "0.5 T", "duration": "1 hour"},
    ],
)
def test_protocols(protocol):
    found = study({"kind": "sweep", "protocol": protocol, "T": "2 K", "method": "exact"}).arguments[
        "protocol"
    ]
    assert found["kind"] == protocol["kind"]
    assert set(found) == set(protocol)
    with pytest.raises(TypeError):
        found["kind"] = "other"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rat": "3 mT/s"}, "experiment must not have the key 'rat' for hysteresis; did you mean rate"),
        ({"rate": "3 mT"}, r"experiment\.rate must have a unit \[T/s\], got 'mT'"),
        ({"rate": 0.003}, r'experiment\.rate must be a text with a unit, got 0\.003; write .*"3 mT/s"'),
        ({"rate": "0 T/s"}, r"experiment\.rate must be positive and finite \[T/s\], got 0\.0"),
        ({"T": ["0 K"]}, r"experiment\.T\[0\] must be positive and finite \[K\], got 0\.0"),
        ({"T": ["-1 K"]}, r"experiment\.T\[0\] must be positive"),
        ({"T": ["1.9 T"]}, r"experiment\.T\[0\] must have a unit \[K\]"),
        ({"T": []}, r"experiment\.T must have at least 1 entries"),
        ({"T": {"from": "1 K", "to": "2 K"}}, r"experiment\.T must have the key 'points'"),
        ({"T": {"from": "1 K", "to": "2 K", "points": 1}}, r"experiment\.T\.points must be at least 2"),
        ({"span": ["5 T", "-5 T"]}, r"experiment\.span must rise from lo to hi \[T\]"),
        ({"span": ["5 T"]}, r"experiment\.span must be a list of two values"),
        ({"disorder": "some"}, r'experiment\.disorder must be "none", "default" or a table'),
        ({"dipolar": "-1 mT"}, r"experiment\.dipolar: width must be zero or positive"),
        ({"field_step": "0 T"}, r"experiment\.field_step must be positive"),
        ({"powder": True}, r"experiment\.powder must be an integer"),
        ({"kind": "histeresis"}, r"experiment\.kind must be one of .*did you mean hysteresis"),
        ({"kind": None}, "experiment"),
    ],
)
def test_wrong_entries_are_refused(changes, sentence):
    table = {key: value for key, value in (HYSTERESIS | changes).items() if value is not None}
    with pytest.raises(InputError, match=sentence) as caught:
        study(table)
    assert str(caught.value).startswith("in s: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["T", "rate", "span"])
def test_missing_keys_are_named(missing):
    table = {key: value for key, value in HYSTERESIS.items() if key != missing}
    with pytest.raises(StudyError, match=f"experiment must have the key '{missing}'"):
        study(table)


def test_unknown_parts_of_a_study_are_refused():
    with pytest.raises(StudyError, match="study must not have the key 'sistem'; did you mean system"):
        study_from_table({"sistem": "fe8", "experiment": HYSTERESIS}, name="s")
    with pytest.raises(StudyError, match="study must have the key 'system'"):
        study_from_table({"experiment": HYSTERESIS}, name="s")
    with pytest.raises(InputError, match=r"in s: system must be a library name .* did you mean mn12ac"):
        study(HYSTERESIS, system="mn12")
    with pytest.raises(InputError, match=r"in s: system must be a non-empty text"):
        study(HYSTERESIS, system=3)


@pytest.mark.parametrize(
    ("protocol", "sentence"),
    [
        ({"kind": "linear", "span": ["1 T", "1 T"], "rate": "1 T/s"}, "two different ends"),
        ({"kind": "linear", "span": ["0 T", "1 T"], "rate": "0 T/s"}, "rate must be positive"),
        ({"kind": "steps", "fields": ["0 T"], "durations": ["1 s", "1 s"]}, "one entry for each field"),
        ({"kind": "pulse"}, "protocol.kind must be one of linear, steps, half-sine, constant"),
        ({"kind": "constant", "field": "1 T"}, "protocol must have the key 'duration'"),
        ("linear", "protocol must be a table with the key 'kind'"),
    ],
)
def test_wrong_protocols_are_refused(protocol, sentence):
    with pytest.raises(InputError, match=sentence):
        study({"kind": "sweep", "protocol": protocol})


def test_files_and_inline_systems(tmp_path):
    molecule = tmp_path / "mine.toml"
    molecule.write_text(
        'spins = [{ S = 1, g = 2 }]\nterms = [{ kind = "zero-field-splitting", D = "-1 K" }]\n'
    )
    file = tmp_path / "first.toml"
    file.write_text(
        'title = "first"\nsystem = "mine.toml"\n[experiment]\nkind = "crossings"\nspan = ["0 T", "1 T"]\n'
    )
    found = read_study(file)
    assert (found.name, found.title, found.system.name, found.path) == ("first", "first", "mine", file)
    inline = tmp_path / "second.toml"
    inline.write_text(
        '[system]\nname = "ion"\nspins = [{ S = 1, g = 2 }]\n'
        '[experiment]\nkind = "crossings"\nspan = ["0 T", "1 T"]\n'
    )
    assert read_study(str(inline)).system.name == "ion"
    inline.write_text(inline.read_text().replace("S = 1", "S = 1.2"))
    with pytest.raises(InputError, match=r"in second: in ion\.spins\[0\]: S must be a positive half-integer"):
        read_study(inline)
    with pytest.raises(InputError, match="must be a readable file"):
        read_study(tmp_path / "none.toml")
    with pytest.raises(InputError, match="must be the path of a TOML file"):
        read_study(3)


REQUIRING = [kind for kind, keys in EXPERIMENTS.items() if any(key.required for key in keys.values())]


@pytest.mark.parametrize("kind", REQUIRING)
def test_every_kind_names_what_it_misses(kind):
    table = {"experiment": {"kind": kind}} | ({} if kind in WITHOUT_SYSTEM else {"system": "mn12ac"})
    with pytest.raises(StudyError, match="must have the key"):
        study_from_table(table, name="test")


def test_kinds_that_make_their_own_spins_take_no_system():
    experiment = {
        "kind": "quantum-objects",
        "anisotropy": {"kind": "fixed-density", "K_parallel": "1 K", "K_perpendicular": "2 K"},
        "spins": [10, "9/2"],
    }
    found = study_from_table({"experiment": experiment}, name="grains")
    assert found.system is None
    assert found.arguments["anisotropy"].constants(10) == pytest.approx((-0.2, -0.1))
    assert found.arguments["spins"] == (10.0, 4.5)
    with pytest.raises(StudyError, match="must not have the key 'system'"):
        study_from_table({"system": "fe8", "experiment": experiment}, name="grains")
    with pytest.raises(StudyError, match="must have the key 'system'"):
        study_from_table({"experiment": {"kind": "levels", "B": ["0 T"]}}, name="no-molecule")


def test_distributions_are_read_in_the_unit_of_their_quantity():
    table = {
        "kind": "splitting-distribution",
        "pair": [10, -10],
        "E": {"kind": "log-gaussian", "mean": 6, "width": 1, "scale": "1.1 K"},
        "tilt": {"kind": "rayleigh", "width": "0.4 deg"},
        "transverse": {"kind": "values", "values": ["0 mT", "20 mT"], "weights": [0.5, 0.5]},
        "seed": 1,
    }
    arguments = study(table).arguments
    assert arguments["E"].scale == "1.1 K"
    assert arguments["transverse"].weights == (0.5, 0.5)
    with pytest.raises(InputError, match="kind"):
        study(table | {"E": {"kind": "flat"}})
    with pytest.raises(InputError, match="weights"):
        study(table | {"E": {"kind": "values", "values": ["1 K"], "weights": [0.5]}})


def test_doublets_and_clock_transitions():
    assert study({"kind": "doublets"}).arguments == {}
    asked = {"kind": "doublets", "axis": [1, 0, 0], "count": 2, "isolation": 5}
    assert study(asked).arguments == {"axis": (1.0, 0.0, 0.0), "count": 2, "isolation": 5.0}
    clock = {
        "kind": "clock-transitions",
        "span": ["0 mT", "200 mT"],
        "frequency": ["100 MHz", "20 GHz"],
        "states": 16,
        "least_moment": 0.05,
        "step": "0.1 mT",
    }
    arguments = dict(study(clock).arguments)
    assert arguments.pop("frequency") == pytest.approx((0.1, 20.0), rel=1e-14)
    assert arguments == {"span": (0.0, 0.2), "states": 16, "least_moment": 0.05, "step": 1e-4}
    for wrong, sentence in (
        ({"frequency": ["0 GHz", "20 GHz"]}, r"frequency\[0\] must be positive and finite \[GHz\]"),
        ({"frequency": [0.1, 20]}, r'must be a text with a unit, got 0\.1; write for example "9\.2 GHz"'),
        ({"frequency": "9.2 GHz"}, "frequency must be a list of two values"),
        ({"step": "0 T"}, "step must be positive"),
        ({"span": ["1 T", "0 T"]}, "span must rise"),
        ({"least_moment": "x"}, "least_moment"),
    ):
        with pytest.raises(InputError, match=sentence):
            study(clock | wrong)


def test_path_objects_are_accepted(tmp_path):
    assert isinstance(tmp_path, Path)
    with pytest.raises(InputError):
        read_study(tmp_path / "x.toml")
