"""Tables, summary, JSON and CSV: the numbers of the dataset, with their units, and nothing else."""

import csv
import io
import json
import math

import numpy as np
import pytest
import xarray as xr

import mesospin as ms
from mesospin.errors import InputError
from mesospin.report.cells import Column, Table, cell_text
from mesospin.report.content import full_content, json_text, plain_json
from mesospin.report.export import csv_text
from mesospin.report.tables import tables

SPIN = ms.giant_spin(4, D=-0.5, E=0.01)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_summary_of_a_loop_has_the_numbers_of_the_dataset(made_hysteresis):
    facts = ms.summary(made_hysteresis)
    assert [loop["temperature"] for loop in facts["loops"]] == [0.1, 1.9, 2.6]
    for loop, bc, rest in zip(
        facts["loops"],
        made_hysteresis["coercive_field"].values,
        made_hysteresis["remanence"].values,
        strict=True,
    ):
        assert loop["coercive_field"] == bc
        assert loop["remanence"] == rest
    assert [step["field"] for step in facts["steps"]] == made_hysteresis["step_field"].values.tolist()
    assert [step["reversed_at_1.9_K"] for step in facts["steps"]] == [0.0, 1.0, 0.0, 0.0]
    assert facts["crossover"] == [{"crossover_low": 0.7, "crossover_high": None}]
    assert facts["units"] | {"coercive_field": "T", "temperature": "K", "splitting": "K"} == facts["units"]
    assert facts["inputs"] == {"rate": 3e-3, "span": [-2.0, 2.0]}
    assert facts["mesospin_version"] == ms.__version__


def test_summary_of_a_loop_without_crossover_says_nothing_about_it(made_hysteresis):
    assert "crossover" not in ms.summary(made_hysteresis.assign(crossover_low=((), math.nan)))


def test_levels_table_is_short_and_the_json_is_complete():
    dataset = ms.levels(SPIN, B=np.linspace(0, 1, 101))
    (table,) = tables(dataset)
    assert len(table.rows) == 11
    assert table.rows[0][0] == 0.0
    assert table.rows[-1][0] == 1.0
    values = full_content(dataset)["variables"]["energy"]
    assert values["units"] == "K"
    assert np.array_equal(values["values"], dataset["energy"].values)


def test_relaxation_table_lists_every_point_and_the_fit(made_relaxation):
    fit, times = tables(made_relaxation)
    assert fit.key == "arrhenius"
    assert len(times.rows) == 3 * 81
    assert times.records()[81]["tau"] == made_relaxation["tau"].values[1, 0]


@pytest.mark.parametrize("kind", ["levels", "crossings", "splitting", "hysteresis", "relaxation", "sweep"])
def test_json_is_strict_and_complete(kind, made_hysteresis, made_relaxation, made_sweep):
    dataset = {
        "levels": ms.levels(SPIN, B=[0.0, 1.0]),
        "crossings": ms.crossings(SPIN, span=(-0.1, 2)),
        "splitting": ms.tunnel_splitting(SPIN, (4, -3)).to_dataset(),
        "hysteresis": made_hysteresis,
        "relaxation": made_relaxation,
        "sweep": made_sweep,
    }[kind]

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    content = json.loads(json_text(full_content(dataset)), parse_constant=refuse)
    assert content["kind"] == kind
    assert set(content["variables"]) == {str(name) for name in dataset.variables}
    json.loads(json_text(ms.summary(dataset)), parse_constant=refuse)
    assert len(rows_of(csv_text(dataset))) >= 1


def test_nan_and_infinity_become_null():
    content = {"a": math.nan, "b": [math.inf, 1.0], "c": np.float64("nan"), "d": np.array([1, 2])}
    assert plain_json(content) == {"a": None, "b": [None, 1.0], "c": None, "d": [1, 2]}


def test_csv_of_levels_is_one_row_a_level_with_units():
    dataset = ms.levels(SPIN, B=[0.0, 1.0])
    rows = rows_of(csv_text(dataset))
    assert len(rows) == 2 * 9
    assert float(rows[9]["energy [K]"]) == dataset["energy"].values[1, 0]
    assert float(rows[9]["moment_z [mu_B]"]) == dataset["moment"].values[1, 0, 2]


def test_csv_of_a_loop_is_one_row_a_point(made_hysteresis):
    rows = rows_of(csv_text(made_hysteresis))
    assert len(rows) == 3 * 2 * 401
    assert set(rows[0]) == {"temperature [K]", "branch", "field [T]", "magnetisation [mu_B]", "reduced"}


def test_csv_of_a_sweep_has_one_row_a_time(made_sweep):
    assert len(rows_of(csv_text(made_sweep))) == 51


def test_csv_of_a_splitting_is_one_row():
    (row,) = rows_of(csv_text(ms.tunnel_splitting(SPIN, (4, -4)).to_dataset()))
    assert float(row["splitting [K]"]) == ms.tunnel_splitting(SPIN, (4, -4)).kelvin


def test_csv_of_something_else_is_refused():
    with pytest.raises(InputError, match=r"use \.nc"):
        csv_text(xr.Dataset(attrs={"kind": "poem"}))


@pytest.mark.parametrize("suffix", [".nc", ".csv", ".json", ".png", ".svg", ".pdf"])
def test_export_chooses_the_format_by_the_suffix(suffix, tmp_path, made_sweep):
    path = ms.export(made_sweep, tmp_path / f"sweep{suffix}")
    assert path.stat().st_size > 100
    assert list(tmp_path.iterdir()) == [path]


def test_exported_netcdf_reopens_identically(tmp_path, made_hysteresis):
    path = ms.export(made_hysteresis, tmp_path / "loop.nc")
    assert ms.open_result(path).identical(made_hysteresis)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("a.bmp", "must end in one of"), ("nowhere/a.nc", "create the folder first"), (".nc", "must end in")],
)
def test_export_refuses_a_target_and_writes_nothing(name, sentence, tmp_path, made_sweep):
    with pytest.raises(InputError, match=sentence):
        ms.export(made_sweep, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_leaves_the_old_file(tmp_path, made_sweep):
    path = ms.export(made_sweep, tmp_path / "sweep.png")
    before = path.read_bytes()
    with pytest.raises(InputError):
        ms.export(xr.Dataset(attrs={"kind": "poem"}), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("value", "text"), [(1e-13, "1e-13"), (-0.0, "0"), (math.nan, "-"), ("x", "x"), (False, ""), (3, "3")]
)
def test_cells_are_short(value, text):
    assert cell_text(value) == text


def test_records_are_named_by_their_columns():
    table = Table("t", "T", (Column("tau_0", "s"), Column("n")), ((1.0, 2),))
    assert table.records() == [{"tau_0": 1.0, "n": 2}]
    assert table.units() == {"tau_0": "s"}
    assert table.columns[0].heading == "tau 0 (s)"


def test_doublets_have_their_g_values_and_both_units():
    dataset = ms.doublets(ms.load("erw10-printed"))
    (table,) = tables(dataset)
    assert "gap" not in [column.name for column in table.columns]
    for k, row in enumerate(table.records()):
        assert row["wavenumber"] == pytest.approx(row["energy"] / 1.438776877)
        assert [row["gx"], row["gy"], row["gz"]] == dataset["g"].values[k].tolist()
        assert row["composition"] == str(dataset["composition"].values[k])
    assert table.records()[2]["tilt"] == 90.0


def test_pseudo_doublets_have_a_gap_and_one_g_value():
    doublets, singlets = tables(ms.doublets(ms.load("how10")))
    assert "nuclei left out" in doublets.title
    assert {row["gx"] for row in doublets.records()} == {row["gy"] for row in doublets.records()} == {0.0}
    gaps = [row["gap"] for row in doublets.records()]
    assert gaps[0] == pytest.approx(0.4394, abs=1e-4)
    # 5 and -5 belong to different classes of m modulo 4; a difference of eigenvalues cannot show that
    assert np.isnan(gaps[1:3]).all()
    assert "gap -: see splitting" in doublets.title
    assert [row["singlet_composition"].count("|") for row in singlets.records()] == [2, 2, 1]


def test_clock_transitions_are_listed_from_the_lowest_level_up():
    dataset = ms.clock_transitions(ms.load("how10"), (0.02, 0.13), states=32, least_moment=0.05)
    (table,) = tables(dataset)
    energy = [row["energy"] for row in table.records()]
    assert energy == sorted(energy)
    assert len(table.rows) == min(24, dataset.sizes["transition"])
    lowest = table.records()[0]
    assert lowest["frequency"] == pytest.approx(9.154, abs=1e-3)
    assert lowest["field"] == pytest.approx(0.0236, abs=1e-4)
    assert lowest["from"] == "m=4,mI=-1/2 & m=-4,mI=-1/2"
    levels = ms.levels(ms.load("how10"), lowest["field"]).energy.values
    assert lowest["energy"] == pytest.approx(levels[7] - levels[0], rel=1e-9)


def test_csv_of_doublets_has_a_column_for_every_principal_value():
    dataset = ms.doublets(ms.load("erw10-printed"))
    rows = rows_of(csv_text(dataset))
    assert [float(row["g_z"]) for row in rows] == dataset["g"].values[:, 2].tolist()
    assert [float(row["g_axis_z_x"]) for row in rows] == dataset["g_axis"].values[:, 2, 0].tolist()
    assert float(rows[1]["energy [K]"]) == float(dataset["energy"][1])
    assert rows[0]["composition"] == "100 % |15/2>"
