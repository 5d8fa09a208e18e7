"""Shapes of results, pointwise evaluation and what is refused."""

import json

import numpy as np
import pytest
import xarray as xr

import mesospin as ms
from mesospin.errors import InputError, TooLargeError
from mesospin.thermo.heat import entropy, free_energy, heat_capacity
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.molecular_field import Demagnetisation, MeanField
from mesospin.thermo.susceptibility import susceptibility

SPIN = ms.giant_spin(1, D=-1.0, E=0.1, g=2.1)
FUNCTIONS = {
    "magnetisation": magnetisation,
    "susceptibility": susceptibility,
    "heat_capacity": heat_capacity,
    "entropy": entropy,
    "free_energy": free_energy,
}
MAIN = {name: name for name in FUNCTIONS} | {"susceptibility": "m_over_h"}


@pytest.mark.filterwarnings("ignore:the powder average of")
@pytest.mark.filterwarnings("ignore:mean_field acts by the average moment")
@pytest.mark.parametrize("kind", FUNCTIONS)
@pytest.mark.parametrize("coupling", [None, MeanField(-0.1), MeanField(-0.1, crystallites=True)])
@pytest.mark.parametrize("powder", [None, 14])
def test_a_batch_is_the_loop_over_its_points(kind, coupling, powder):
    function, name = FUNCTIONS[kind], MAIN[kind]
    T, B = [0.5, 2.0, 30.0], [0.0, 1.5]
    batch = function(SPIN, T, B, mean_field=coupling, powder=powder)
    assert batch.attrs["kind"] == kind
    assert batch[name].dims == ("temperature", "field")
    for i, t in enumerate(T):
        for j, b in enumerate(B):
            single = function(SPIN, t, b, mean_field=coupling, powder=powder)
            assert single[name].dims == ()
            np.testing.assert_allclose(single[name], batch[name][i, j], rtol=1e-9, atol=1e-12)
            assert float(single.temperature) == t
            assert float(single.field) == b


@pytest.mark.filterwarnings("ignore:the powder average of")
@pytest.mark.filterwarnings("ignore:mean_field acts by the average moment")
@pytest.mark.parametrize("kind", FUNCTIONS)
@pytest.mark.parametrize("coupling", [None, MeanField(-0.1), MeanField(-0.1, crystallites=True)])
def test_labelled_arrays_with_a_common_dimension_are_taken_point_by_point(kind, coupling):
    function, name = FUNCTIONS[kind], MAIN[kind]
    T = xr.DataArray([0.5, 2.0, 30.0], dims="point")
    B = xr.DataArray([0.1, 1.5, -4.0], dims="point")
    for powder in (None, 14):
        found = function(SPIN, T, B, mean_field=coupling, powder=powder)
        grid = function(SPIN, T.values, B.values, mean_field=coupling, powder=powder)
        assert found[name].dims == ("point",)
        np.testing.assert_allclose(found[name], np.diag(grid[name]), rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(found.temperature, T)
        np.testing.assert_array_equal(found.field, B)


def test_labelled_arrays_with_different_dimensions_form_the_grid():
    T, B = xr.DataArray([0.5, 2.0], dims="t"), xr.DataArray([0.1, 1.5, 2.0], dims="b")
    assert magnetisation(SPIN, T, B).magnetisation.shape == (2, 3)


def test_vectors_of_any_shape_and_pointwise():
    vectors = np.random.default_rng(5).normal(size=(2, 4, 3))
    ds = magnetisation(SPIN, [1.0, 3.0], B_vector=vectors)
    assert ds.moment.dims == ("temperature", "field_0", "field_1", "component")
    length = np.linalg.norm(vectors[1, 2])
    one = magnetisation(SPIN, 3.0, length, axis=vectors[1, 2])
    np.testing.assert_allclose(ds.moment[1, 1, 2], one.moment, rtol=1e-12)
    assert float(ds.magnetisation[1, 1, 2]) == pytest.approx(float(one.magnetisation))
    points = magnetisation(
        SPIN,
        xr.DataArray([1.0, 3.0, 2.0, 1.0], dims="point"),
        B_vector=xr.DataArray(vectors[0], dims=("point", "component")),
    )
    assert points.moment.dims == ("point", "component")
    np.testing.assert_allclose(points.moment[1], ds.moment[1, 0, 1], rtol=1e-12)


def test_along_the_field_is_along_z_where_a_vector_is_zero():
    ds = susceptibility(SPIN, 1.0, B_vector=[[0.0, 0.0, 0.0], [0.0, 0.0, 1e-9]])
    assert float(ds.chi_along_molar[0]) == pytest.approx(float(ds.chi_along_molar[1]), rel=1e-8)


def test_variables_of_a_crystal_and_of_a_powder():
    crystal, powder = susceptibility(SPIN, [1.0, 2.0]), susceptibility(SPIN, [1.0, 2.0], powder=14)
    assert crystal.chi.dims == ("temperature", "component", "field_component")
    assert powder.chi.dims == ("temperature",)
    static = {"m_over_h", "m_over_h_t", "mu_eff_static"}
    assert set(powder) == {"chi", "chi_molar", "chi_t", "mu_eff", "powder_difference"} | static
    assert crystal.chi_t.attrs["units"] == "cm3 K/mol"
    np.testing.assert_allclose(crystal.chi_t, crystal.chi_molar * crystal.temperature, rtol=1e-14)
    assert json.loads(powder.attrs["inputs"]) == {"powder": 14, "tip": 0.0}
    inputs = json.loads(heat_capacity(SPIN, 1.0, 0.0, axis=(1, 0, 0), mean_field=MeanField(-0.1)).inputs)
    assert inputs == {"axis": [1, 0, 0], "mean_field": "MeanField(zJ=-0.1, g=2.0)"}


def test_results_go_through_a_file(tmp_path):
    ds = magnetisation(SPIN, [1.0, 2.0], [0.0, 1.0], powder=14)
    ms.save(ds, tmp_path / "m.nc")
    xr.testing.assert_allclose(ms.open_result(tmp_path / "m.nc"), ds)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"T": 0.0, "B": 1.0}, "T must be one or several temperatures > 0"),
        ({"T": [1.0, -2.0], "B": 1.0}, "temperatures > 0 .K., got -2 at index 1 of 2"),
        ({"T": np.linspace(0, 300, 100), "B": 1.0}, "got 0 at index 0 of 100; begin above"),
        ({"T": 1.0, "B": [[0.0, np.inf]]}, r"got inf at index \(0, 1\) of \(1, 2\)"),
        ({"T": np.nan, "B": 1.0}, "T must be finite"),
        ({"T": [[1.0]], "B": 1.0}, "one dimension"),
        ({"T": [], "B": 1.0}, "one or several"),
        ({"T": 1.0}, "exactly one of B"),
        ({"T": 1.0, "B": 1.0, "B_vector": [0, 0, 1]}, "exactly one of B"),
        ({"T": 1.0, "B": np.inf}, "B must be finite"),
        ({"T": 1.0, "B": []}, "not empty"),
        ({"T": 1.0, "B_vector": [0, 1]}, r"shape \(..., 3\)"),
        ({"T": 1.0, "B_vector": [0, 0, 1], "axis": (0, 0, 1)}, "axis must not be given with B_vector"),
        ({"T": 1.0, "B": 1.0, "axis": (0, 0, 0)}, "axis must be three numbers"),
        ({"T": 1.0, "B": 1.0, "axis": (0, 0, 1), "powder": 5}, "a powder has no axis"),
        ({"T": 1.0, "B_vector": [0, 0, 1], "powder": 5}, "a powder has no axis"),
        ({"T": 1.0, "B": 1.0, "powder": 4}, "degree .or number of points. of a Lebedev rule"),
        ({"T": 1.0, "B": 1.0, "powder": 3}, "choose one of 5"),
        ({"T": 1.0, "B": 1.0, "powder": True}, "powder must be an integer"),
        ({"T": 1.0, "B": 1.0, "tip": np.nan}, "tip must be finite"),
        ({"T": 1.0, "B": 1.0, "mean_field": -0.1}, "mean_field must be a MeanField"),
        ({"T": 1.0, "B": 1.0, "demagnetisation": 0.3}, "demagnetisation must be a Demagnetisation"),
        (
            {"T": 1.0, "B": 1.0, "powder": 5, "demagnetisation": Demagnetisation((0, 0, 1), 100.0)},
            "demagnetisation of a powder must have one factor",
        ),
        (
            {"T": xr.DataArray([1.0, 2.0], dims="p"), "B": xr.DataArray([1.0], dims="p")},
            "one dimension in common",
        ),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        magnetisation(SPIN, **arguments)


def test_a_name_is_not_a_system():
    with pytest.raises(InputError, match="load"):
        entropy("mn12ac", 1.0, 0.0)


def test_what_does_not_fit_is_refused_before_it_starts(monkeypatch):
    monkeypatch.setattr("mesospin.scale.available_memory", lambda: 1e6)
    with pytest.raises(TooLargeError, match="of memory"):
        magnetisation(SPIN, 1.0, 1.0)
