"""Commands and studies on spectra: the numbers of the public functions, one sentence for what is wrong."""

import json

import numpy as np
import pytest

import mesospin as ms
from mesospin.cli.app import main


def variables(capfd, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capfd.readouterr().out)["variables"]


def table(capfd, *arguments):
    assert main(arguments) == 0
    return " ".join(capfd.readouterr().out.split())


def refused(capfd, *arguments):
    code = main(arguments)
    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("mesospin: error: ")
    assert err.count("\n") == 1
    return err


FIELDS = ("resonance-fields", "ni-s1", "--frequency", "95 GHz", "--span", "0:8")
SPECTRUM = ("epr-spectrum", "ni-s1", "--B", "0:8:401", "--frequency", "95 GHz", "--T", "4")
NEUTRONS = ("neutron-spectrum", "ni-s1", "--energy", "-1:1:401 meV", "--T", "4", "--width", "0.05 meV")


def test_fields_are_those_of_the_function(capfd):
    found = variables(capfd, *FIELDS, "--T", "4,20")
    direct = ms.resonance_fields(ms.load("ni-s1"), 95.0, span=(0, 8), T=[4.0, 20.0])
    assert found["field"]["values"] == pytest.approx(direct.field.values)
    assert np.shape(found["intensity"]["values"]) == (2, 2)
    text = table(capfd, *FIELDS, "--T", "4")
    assert text.startswith("Lines at 95 GHz, 2 of 2, the strongest first")
    assert "perpendicular" in text
    assert text.index("1.78") < text.index("7.9")  # the strongest first


def test_dark_lines_on_demand(capfd):
    assert "forbidden" not in table(capfd, *FIELDS, "--T", "4")
    assert "forbidden" in table(capfd, *FIELDS, "--T", "4", "--forbidden")


def test_frequencies_at_one_field_and_many(capfd):
    text = table(capfd, "resonance-frequencies", "ni-s1", "--B", "0", "--T", "4")
    assert "149.9" in text
    found = variables(capfd, "resonance-frequencies", "fe8", "--B", "0:1:5", "--T", "4", "--states", "4")
    assert np.shape(found["frequency"]["values"]) == (5, 6)
    assert "5 of 5 fields" in table(capfd, "resonance-frequencies", "fe8", "--B", "0:1:5", "--T", "4")


@pytest.mark.parametrize("shape", ["gaussian", "lorentzian"])
def test_spectra_swept_either_way(capfd, shape):
    found = variables(capfd, *SPECTRUM, "--width", "60 mT", "--line", shape)
    direct = ms.epr_spectrum(
        ms.load("ni-s1"),
        4.0,
        np.linspace(0, 8, 401),
        95.0,
        line={"gaussian": ms.GaussianLine, "lorentzian": ms.LorentzianLine}[shape]("60 mT"),
    )
    assert found["absorption"]["values"] == pytest.approx(direct.absorption.values)
    sweep = ("epr-spectrum", "ni-s1", "--B", "1", "--frequency", "50:250:401 GHz", "--T", "4,20")
    assert np.shape(variables(capfd, *sweep, "--width", "2 GHz")["absorption"]["values"]) == (2, 401)
    powder = table(capfd, *SPECTRUM, "--width", "0.5 T", "--powder", "194")
    assert "194 directions" in powder


def test_neutrons(capfd):
    found = variables(capfd, *NEUTRONS)
    energy = np.linspace(-1, 1, 401) * ms.units.to_kelvin("1 meV")
    direct = ms.neutron_spectrum(ms.load("ni-s1"), 4.0, energy, line=ms.GaussianLine("0.05 meV"))
    assert found["intensity_mev"]["values"] == pytest.approx(direct.intensity_mev.values)
    text = table(capfd, *NEUTRONS)
    assert "0.61992" in text
    assert "-0.61992" in text
    dimer = (
        "neutron-spectrum",
        "mn4-dimer",
        "--energy",
        "0.3:0.7:101 meV",
        "--T",
        "2",
        "--width",
        "0.02 meV",
    )
    places = ("--Q", "1.2 1/angstrom", "--positions", "0,0,0; 0,0,9.5 angstrom")
    assert "with interference" in table(capfd, *dimer, *places)


def test_figures_are_written(capfd, tmp_path):
    for name, arguments in (
        ("fields", (*FIELDS, "--T", "4")),
        ("map", ("resonance-frequencies", "ni-s1", "--B", "0:6:61", "--T", "4")),
        ("spectrum", (*SPECTRUM, "--width", "60 mT")),
        ("neutrons", NEUTRONS),
    ):
        assert main([*arguments, "--out", str(tmp_path / f"{name}.png"), "--quiet"]) == 0
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    assert capfd.readouterr().out == ""


def test_an_empty_range_says_where_the_nearest_lines_are(capfd):
    err = refused(capfd, *FIELDS[:-1], "2:7", "--T", "4")
    assert "the nearest lie at 1.7828" in err
    assert "and 7.9" in err
    err = refused(capfd, *SPECTRUM[:3], "2.5:7:501", *SPECTRUM[4:], "--width", "20 mT")
    assert "B must reach a resonance at 95 GHz, got none between 2.5 and 7 T" in err
    assert "1.7828" in err
    sweep = ("epr-spectrum", "ni-s1", "--B", "1", "--frequency", "130:160:301 GHz", "--T", "4")
    err = refused(capfd, *sweep, "--width", "1 GHz")
    assert "GHz, got none" in err or "between 130 and 160 GHz" in err
    assert "119.1" in err
    err = refused(capfd, *NEUTRONS[:3], "0.2:0.4:201 meV", *NEUTRONS[4:-1], "0.01 meV")
    assert "the nearest lie at" in err or "the nearest lies at" in err
    assert "7.19" in err
    # a parallel microwave field drives nothing along the axis
    assert "nor anywhere" in refused(capfd, *FIELDS, "--T", "4", "--microwave", "parallel")


WRONG = {
    "GHz": (*FIELDS[:3], "95 T", *FIELDS[4:], "--T", "4"),
    "T must be": (*FIELDS, "--T", "0"),
    "span": (*FIELDS[:-1], "8:0", "--T", "4"),
    "perpendicular, parallel": (*FIELDS, "--T", "4", "--microwave", "across"),
    "states must be": (*FIELDS, "--T", "4", "--states", "9"),
    "[T]": (*SPECTRUM[:3], "0:8:401 K", *SPECTRUM[4:], "--width", "60 mT"),
    "one field and several": (*SPECTRUM[:3], "1", *SPECTRUM[4:], "--width", "60 mT"),
    "must have a unit of field [T] or": (*SPECTRUM, "--width", "60"),
    "of energy": (*SPECTRUM, "--width", "60 s"),
    "positive": (*SPECTRUM, "--width", "-60 mT"),
    "steps of at most half": (*SPECTRUM, "--width", "1 mT"),
    "gaussian, lorentzian": (*SPECTRUM, "--width", "60 mT", "--line", "voigt"),
    "powder must": (*SPECTRUM, "--width", "60 mT", "--powder", "7000"),
    "drop axis": (*SPECTRUM, "--width", "60 mT", "--powder", "50", "--axis", "0,0,1"),
    "energy must have a unit": (*NEUTRONS[:3], "-1:1:401", *NEUTRONS[4:]),
    "fwhm of the line must": (*NEUTRONS[:-1], "0.05 T"),
    "given together": (*NEUTRONS, "--Q", "1.2 1/angstrom"),
    "1/angstrom": (*NEUTRONS, "--Q", "1.2 K", "--positions", "0,0,0 angstrom"),
    "positions must be 1": (*NEUTRONS, "--Q", "1 1/angstrom", "--positions", "0,0,0; 0,0,3 angstrom"),
    "with a unit [angstrom]": (*NEUTRONS, "--Q", "1 1/angstrom", "--positions", "0,0,0"),
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(capfd, said):
    assert said in refused(capfd, *WRONG[said])


# --- studies ------------------------------------------------------------------------------------------------

STUDIES = {
    "resonance-fields": 'frequency = "95 GHz"\nspan = ["0 T", "8 T"]\nT = "4 K"\nmicrowave = [1, 0, 0]',
    "resonance-frequencies": 'B = { from = "0 T", to = "6 T", points = 31 }\nT = ["4 K", "10 K"]\nstates = 3',
    "epr-spectrum": (
        'B = { from = "0 T", to = "8 T", points = 201 }\nfrequency = "95 GHz"\nT = "4 K"\n'
        'line = { kind = "gaussian", width = "10 GHz" }\npowder = 194'
    ),
    "neutron-spectrum": (
        'energy = { from = "-1 meV", to = "1 meV", points = 201 }\nT = ["4 K"]\n'
        'line = { kind = "lorentzian", width = "0.05 meV" }\n'
        'interference = { Q = "1.2 1/angstrom", positions = ["0, 0, 0 angstrom"] }'
    ),
}


def study(folder, kind, lines):
    file = folder / "spectrum.toml"
    file.write_text(f'system = "ni-s1"\n[experiment]\nkind = "{kind}"\n{lines}\n')
    return file


@pytest.mark.parametrize("kind", STUDIES)
def test_every_study_runs_and_reopens(kind, tmp_path):
    dataset = ms.run(study(tmp_path, kind, STUDIES[kind]), out=tmp_path / "out")
    assert dataset.attrs["kind"] == kind.replace("-", "_")
    assert ms.open_result(tmp_path / "out" / "result.nc").identical(dataset)
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert any(facts.get(name) for name in ("lines", "transitions", "maxima"))


def test_a_frequency_sweep_as_a_study(tmp_path):
    lines = (
        'B = "1 T"\nfrequency = { from = "50 GHz", to = "250 GHz", points = 201 }\nT = "4 K"\n'
        'line = { kind = "gaussian", width = "4 GHz" }'
    )
    assert ms.run(study(tmp_path, "epr-spectrum", lines), out=tmp_path / "out").absorption.dims == (
        "frequency",
    )


@pytest.mark.parametrize(
    ("kind", "lines", "said"),
    [
        ("resonance-fields", 'frequency = "95"\nspan = ["0 T", "8 T"]\nT = "4 K"', "unit .GHz"),
        ("resonance-fields", 'frequency = 95\nspan = ["0 T", "8 T"]\nT = "4 K"', "text with a unit"),
        (
            "resonance-fields",
            'frequency = "95 GHz"\nspan = ["2 T", "7 T"]\nT = "4 K"',
            "nearest lie at 1.7828",
        ),
        ("resonance-frequencies", 'B = "1 K"\nT = "4 K"', "unit .T"),
        ("epr-spectrum", STUDIES["epr-spectrum"].replace("10 GHz", "-10 GHz"), "positive"),
        ("epr-spectrum", STUDIES["epr-spectrum"].replace("10 GHz", "10 s"), "field .T. or energy"),
        ("epr-spectrum", STUDIES["epr-spectrum"].replace("gaussian", "voigt"), "one of gaussian, lorentzian"),
        ("epr-spectrum", STUDIES["epr-spectrum"].replace('from = "0 T"', 'from = "0 K"'), "unit .T"),
        ("neutron-spectrum", STUDIES["neutron-spectrum"].replace("0.05 meV", "0.05 T"), "unit .K"),
        ("neutron-spectrum", STUDIES["neutron-spectrum"].replace(" angstrom", ""), "unit .angstrom"),
        ("neutron-spectrum", STUDIES["neutron-spectrum"].replace("1.2 1", "-1.2 1"), "Q must be"),
    ],
)
def test_a_wrong_study_is_refused(kind, lines, said, tmp_path):
    file = study(tmp_path, kind, lines)
    with pytest.raises(ms.errors.InputError, match=said):
        ms.run(file, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == [file]
