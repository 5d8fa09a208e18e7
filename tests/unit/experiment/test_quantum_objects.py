"""The table of spins: shapes, words, files, refusals."""

import json
import math

import numpy as np
import pytest

from mesospin.errors import InputError, InvalidModelError
from mesospin.experiment.splittings.human_time import human_time
from mesospin.experiment.splittings.quantum_objects import SPINS, quantum_objects
from mesospin.model.anisotropies import FixedConstants, FixedDensity
from mesospin.spectrum.tunnelling.double_precision import DoublePrecision
from mesospin.spectrum.wells.biaxial_well import BiaxialSpin, barrier, level_distance
from mesospin.store import open_result, save

MOLECULES = FixedConstants(D="-0.5 K", E="0.1 K")
DAY = 86400.0
YEAR = 365.25 * DAY


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3.2e-5, "3.2e-5 s"),
        (9.97e-8, "1e-7 s"),
        (0.02, "0.02 s"),
        (0.5, "0.5 s"),
        (1.0, "1 s"),
        (59.0, "59 s"),
        (60.0, "1 minute"),
        (150.0, "2.5 minutes"),
        (3600.0, "1 hour"),
        (7.3e4, "20 hours"),
        (4 * DAY, "4 days"),
        (364 * DAY, "360 days"),
        (YEAR, "1 year"),
        (250 * YEAR, "250 years"),
        (1.38e10 * YEAR, "1.4e10 years"),
    ],
)
def test_times_in_words(seconds, words):
    assert human_time(math.log10(seconds)) == words


def test_times_beyond_every_float():
    assert human_time(120213.3 + math.log10(YEAR)) == "2e120213 years"
    assert human_time(math.inf) == "never"


def test_table_has_units_words_and_inputs_and_goes_to_a_file(tmp_path):
    table = quantum_objects(MOLECULES, [4.5, 5, 10], transverse=(0.0, 0.01), method=DoublePrecision())
    assert table.attrs["kind"] == "quantum_objects"
    assert json.loads(table.attrs["inputs"])["method"] == "DoublePrecision()"
    assert json.loads(table.attrs["inputs"])["transverse"] == [0.0, 0.01]
    assert "D = -0.5 K" in table.attrs["system"]
    assert all({"units", "long_name"} <= set(table[name].attrs) for name in table.variables)
    assert table.blocking_temperature.dims == ("spin", "time")
    save(table, tmp_path / "table.nc")
    again = open_result(tmp_path / "table.nc")
    assert again.tunnelling_time.values.tolist() == table.tunnelling_time.values.tolist()


def test_half_integer_spins_say_why_they_do_not_tunnel():
    table = quantum_objects(MOLECULES, [4.5, 7.5])
    assert table.zero.values.all()
    assert table.splitting.values.tolist() == ["0", "0"]
    assert table.tunnelling_time.values.tolist() == ["never", "never"]
    assert all(str(reason).startswith("Kramers") for reason in table.reason.values)
    assert all("Kramers" in str(verdict) for verdict in table.verdict.values)
    assert np.all(table.crossover_temperature == 0.0)
    # an axial spin is closed by a selection rule; a transverse field opens both
    axial = quantum_objects(FixedConstants(D=-0.5), [5])
    assert "selection rule" in str(axial.verdict[0].values)
    assert not quantum_objects(MOLECULES, [4.5], transverse=(0.0, 0.2)).zero.values.any()


def test_verdicts_follow_the_time():
    table = quantum_objects(MOLECULES, [10, 15, 20])
    words = [str(verdict) for verdict in table.verdict.values]
    assert words[0] == "tunnels within a second"
    assert words[1] == words[2] == "tunnels within a year"


def test_default_spins_lead_from_molecules_to_grains():
    assert SPINS[0] == 4.5
    assert SPINS[-1] == 1e5
    assert list(SPINS) == sorted(SPINS)


def test_densities_are_the_form_of_prokofev_and_stamp():
    """(1/S)(-K_par Sz^2 + K_perp Sy^2) has k1 = (K_par + K_perp)/S and k2 = K_par/S."""
    D, E = FixedDensity(3.0, 2.0).constants(50)
    assert abs(D) + abs(E) == pytest.approx(5.0 / 50)
    assert abs(D) - abs(E) == pytest.approx(3.0 / 50)
    # y is hard: along it the classical energy is K_perp S above that along x
    hard = -2 * E * 50**2
    assert hard == pytest.approx(2.0 * 50)
    assert barrier(BiaxialSpin(50, D, E)) == pytest.approx(3.0 * 50)


REFUSALS = [
    (dict(spins=[]), "spins must hold at least one spin"),
    (dict(spins=[0.5]), "spins must be at least 1"),
    (dict(spins=[4.2]), "spins must be a positive half-integer"),
    (dict(transverse=(1.0,)), r"transverse must have shape \(2\)|transverse must have shape"),
    (dict(transverse=(30.0, 0.0)), "transverse must leave two wells to the spin 10"),
    (dict(g=0.0), "g must be positive"),
    (dict(anisotropy=-0.5), "anisotropy must be a FixedConstants or FixedDensity"),
    (dict(method="large"), "method must be a Method"),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSALS)
def test_bad_input_is_one_sentence(changes, sentence):
    arguments = dict(anisotropy=MOLECULES, spins=[10]) | changes
    with pytest.raises(InputError, match=sentence):
        quantum_objects(arguments.pop("anisotropy"), arguments.pop("spins"), **arguments)


def test_a_splitting_wider_than_the_levels_is_no_tunnelling():
    with pytest.raises(InputError, match="splitting below the distance of their levels"):
        quantum_objects(FixedConstants(D=-0.5, E=0.45), [1])


def test_anisotropies_with_another_easy_axis_are_refused():
    with pytest.raises(InvalidModelError, match=r"D must be below -\|E\|"):
        FixedConstants(D=0.5)
    with pytest.raises(InvalidModelError, match=r"D must be below -\|E\|"):
        FixedConstants(D=-0.5, E=0.5)
    with pytest.raises(InvalidModelError, match="K_parallel must be positive"):
        FixedDensity(-1.0)


def test_level_distance_does_not_depend_on_how_it_is_computed(monkeypatch):
    """All levels of the whole matrix, and the half m > 0, agree where the wells are deep."""
    spin = BiaxialSpin(50, -0.5, 0.1, hx=4.0, hy=3.0)
    whole = level_distance(spin)
    monkeypatch.setattr("mesospin.spectrum.wells.biaxial_well._DENSE_SPIN", 1.0)
    assert level_distance(spin) == pytest.approx(whole, rel=1e-11)
