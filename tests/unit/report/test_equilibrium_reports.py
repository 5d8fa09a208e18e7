"""Studies in equilibrium from file to folder, and their tables: the numbers of the public functions."""

import csv
import io
import json

import numpy as np
import pytest

import mesospin as ms
from mesospin.report.export import csv_text
from mesospin.report.tables import tables

FILES = {"result.nc", "figure.png", "figure.svg", "report.html", "summary.json"}
CONDITIONS = 'T = ["1 K", "3 K"]\nB = ["0 T", "1 T"]\n'
FEEDBACK = 'mean_field = { zJ = "-0.1 K" }\ndemagnetisation = { factor = "1/3", volume = "500 A^3" }\n'
KINDS = {
    "magnetisation": CONDITIONS
    + FEEDBACK.replace(" }\n", ", crystallites = true }\n", 1)
    + 'powder = 110\ntip = "2e-4 cm3/mol"\n',
    "susceptibility": 'T = ["1 K", "3 K"]\n' + FEEDBACK + 'tip = "2e-4 cm3/mol"\n',
    "heat-capacity": CONDITIONS + FEEDBACK,
    "entropy": CONDITIONS + "powder = 110\n",
    "free-energy": CONDITIONS,
    "torque": CONDITIONS + 'towards = [1, 0, 0]\nangle = { from = "0 deg", to = "90 deg", points = 7 }\n',
}
NICKEL = ms.load("ni-s1")
T, B = np.array([1.0, 3.0]), np.array([0.0, 1.0])
SHAPE = ms.Demagnetisation(1 / 3, 500.0)
DIRECT = {
    "magnetisation": lambda: ms.magnetisation(
        NICKEL,
        T,
        B,
        powder=110,
        tip=2e-4,
        mean_field=ms.MeanField(-0.1, crystallites=True),
        demagnetisation=SHAPE,
    ),
    "susceptibility": lambda: ms.susceptibility(
        NICKEL, T, tip=2e-4, mean_field=ms.MeanField(-0.1), demagnetisation=SHAPE
    ),
    "heat-capacity": lambda: ms.heat_capacity(
        NICKEL, T, B, mean_field=ms.MeanField(-0.1), demagnetisation=SHAPE
    ),
    "entropy": lambda: ms.entropy(NICKEL, T, B, powder=110),
    "free-energy": lambda: ms.free_energy(NICKEL, T, B),
    "torque": lambda: ms.torque(NICKEL, T, B, towards=(1, 0, 0), angle=np.radians(np.linspace(0.0, 90.0, 7))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_is_the_public_function(kind, tmp_path):
    file = tmp_path / f"{kind}.toml"
    file.write_text(f'system = "ni-s1"\n[experiment]\nkind = "{kind}"\n{KINDS[kind]}')
    dataset = ms.run(file, out=tmp_path / "out")
    assert {entry.name for entry in (tmp_path / "out").iterdir()} == FILES
    direct = DIRECT[kind]()
    assert dataset.attrs["kind"] == direct.attrs["kind"] == kind.replace("-", "_")
    for name in direct.data_vars:
        np.testing.assert_allclose(dataset[name], direct[name], rtol=1e-12, atol=1e-14)
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert facts["points"]
    assert facts["units"]["temperature"] == "K"


def test_susceptibilities_of_a_crystal_in_all_directions():
    dataset = ms.susceptibility(NICKEL, np.linspace(2.0, 300.0, 60))
    (table,) = tables(dataset)
    assert table.units()["chi_t_xx"] == "cm3 K/mol"
    assert table.units()["m_over_h"] == "cm3/mol"
    assert table.units()["mu_eff"] == "mu_B"
    assert len(table.rows) == 15
    first, last = table.records()[0], table.records()[-1]
    assert (first["temperature"], last["temperature"]) == (2.0, 300.0)
    for k, c in enumerate("xyz"):
        assert first[f"chi_t_{c}{c}"] == float(dataset.chi_t[0, k, k])
        assert last[f"chi_t_{c}{c}"] == float(dataset.chi_t[-1, k, k])


def test_powders_say_how_far_they_have_converged():
    points, convergence = tables(ms.magnetisation(NICKEL, [2.0], np.linspace(0, 7, 5), powder=50))
    assert [column.name for column in points.columns] == [
        *("temperature", "field", "magnetisation", "magnetisation_molar", "powder_difference"),
    ]
    assert "50 directions" in convergence.rows[0][0]
    assert "differs by at most" in convergence.rows[0][0]


def test_what_vanishes_by_symmetry_is_zero():
    (table,) = tables(ms.torque(ms.load("erw10-repaired"), 2.0, [0.0, 7.0], axis=(1, 0, 1)))
    assert {record["torque_x"] for record in table.records()} == {0.0}
    assert {record["torque_z"] for record in table.records()} == {0.0}
    assert table.records()[-1]["torque_y"] > 1.0


def test_the_largest_torque_and_its_angle():
    dataset = ms.torque(NICKEL, T, 5.0, towards=(1, 0, 0), angle=np.radians(np.linspace(0, 180, 181)))
    extremes, _ = tables(dataset)
    about = dataset["torque_about"].values
    for row, curve in zip(extremes.records(), about, strict=True):
        place = int(np.abs(curve).argmax())
        assert row["largest_torque"] == curve[place]
        assert row["at_angle"] == pytest.approx(place)


@pytest.mark.parametrize(
    ("T", "B", "rows"), [(2.0, 1.0, 1), ([2.0], [1.0], 1), (np.linspace(1, 9, 40), np.linspace(0, 7, 60), 32)]
)
def test_numbers_of_rows(T, B, rows):
    assert len(tables(ms.heat_capacity(NICKEL, T, B))[0].rows) == rows
    vectors = np.ones((2, 2, 3))
    assert len(tables(ms.heat_capacity(NICKEL, 2.0, B_vector=vectors))[0].rows) == 4


def test_windows_of_a_curie_weiss_law():
    hot = np.linspace(50.0, 300.0, 20)
    fit = ms.fit_curie_weiss(hot, 1.0 / (hot + 10.0), unit="cgs", window=(60, 300), sigma=1e-6)
    windows, verdict = tables(fit)
    assert len(windows.rows) == fit.sizes["window"]
    assert windows.records()[0]["weiss_temperature"] == pytest.approx(-10.0)
    assert "within its errors" in verdict.rows[0][0]
    np.testing.assert_allclose(fit.chi, 1.0 / (hot + 10.0))


def test_csv_of_a_tensor_has_a_column_for_every_component():
    dataset = ms.susceptibility(NICKEL, T)
    rows = list(csv.DictReader(io.StringIO(csv_text(dataset))))
    assert [float(row["temperature [K]"]) for row in rows] == [1.0, 3.0]
    assert float(rows[1]["chi_t_zz [cm3 K/mol]"]) == float(dataset.chi_t[1, 2, 2])
    assert float(rows[1]["chi_xy [mu_B/T]"]) == float(dataset.chi[1, 0, 1])
    assert float(rows[0]["m_over_h [cm3/mol]"]) == float(dataset.m_over_h[0])


def test_csv_of_kinds_that_no_list_names():
    single = list(csv.DictReader(io.StringIO(csv_text(ms.magnetisation(NICKEL, 2.0, 1.0)))))
    assert len(single) == 1
    assert {"magnetisation [mu_B]", "temperature [K]", "field [T]"} <= set(single[0])
    full = list(csv.DictReader(io.StringIO(csv_text(DIRECT["torque"]()))))
    assert len(full) == 2 * 2 * 7
    assert {"torque_about [mu_B T]", "torque_molar_y [J/mol]", "angle [rad]"} <= set(full[0])
