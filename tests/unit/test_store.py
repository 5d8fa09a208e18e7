import numpy as np
import pytest
import xarray as xr

from mesospin.errors import InputError
from mesospin.store import open_result, save


@pytest.fixture
def result() -> xr.Dataset:
    """Everything that a result of the package may hold."""
    return xr.Dataset(
        {
            "splitting": ("crossing", [6.910244e-13, 0.0, np.nan], {"units": "K", "long_name": "gap"}),
            "zero": ("crossing", [False, True, False], {"units": "1"}),
            "label": ("crossing", ["m=-10", "m=9, mI=-7/2", ""]),
            "level": ("crossing", np.array([1, 2, 3], dtype=np.int64)),
            "small": ("crossing", np.array([1.5, -0.0, np.inf], dtype=np.float32)),
            "loop": (("branch", "field"), np.arange(6.0).reshape(2, 3)),
            "barrier": ((), 66.5, {"units": "K"}),
            "empty": ("nothing", np.zeros(0)),
        },
        coords={
            "branch": ("branch", ["up", "down"], {"long_name": "branch"}),
            "field": ("field", [-1.0, 0.0, 1.0], {"units": "T"}),
            "angle": ((), 0.25),
        },
        attrs={"kind": "test", "inputs": '{"T": 2.0}', "seed": 7, "width": 0.025, "nothing": ""},
    )


def test_round_trip_is_identical(result, tmp_path):
    reopened = open_result(save(result, tmp_path / "result.nc"))
    xr.testing.assert_identical(reopened, result)
    for name, variable in result.variables.items():
        assert reopened.variables[name].dtype == variable.dtype, name
        assert reopened.variables[name].dims == variable.dims, name
        assert list(reopened.variables[name].attrs) == list(variable.attrs), name
    for name, value in result.attrs.items():
        assert type(reopened.attrs[name]) is type(value), name
    assert np.signbit(reopened["small"].values[1])


def test_second_trip_gives_the_same_as_the_first(result, tmp_path):
    once = open_result(save(result, tmp_path / "a.nc"))
    xr.testing.assert_identical(open_result(save(once, tmp_path / "b.nc")), result)


def test_text_keeps_its_width_after_selection(result, tmp_path):
    part = result.isel(crossing=[0])
    assert open_result(save(part, tmp_path / "part.nc"))["label"].dtype == result["label"].dtype


def test_object_text_comes_back_as_text(tmp_path):
    dataset = xr.Dataset({"path": ("t", np.array(["a", "bcd"], dtype=object))})
    reopened = open_result(save(dataset, str(tmp_path / "path.nc")))
    assert reopened["path"].dtype == "<U3"
    assert list(reopened["path"].values) == ["a", "bcd"]


def test_input_is_not_changed(result, tmp_path):
    copy = result.copy(deep=True)
    save(result, tmp_path / "result.nc")
    xr.testing.assert_identical(result, copy)


def test_saving_again_replaces_the_file_and_leaves_nothing_else(result, tmp_path):
    save(xr.Dataset({"old": ("x", [1.0])}), tmp_path / "result.nc")
    save(result, tmp_path / "result.nc")
    assert [file.name for file in tmp_path.iterdir()] == ["result.nc"]
    xr.testing.assert_identical(open_result(tmp_path / "result.nc"), result)


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        (xr.Dataset({"amplitude": ("x", [1j])}), "'amplitude' must be real.*amplitude_re"),
        (xr.Dataset({"thing": ("x", np.array([None], dtype=object))}), "'thing' must hold numbers"),
        (xr.Dataset({"when": ("x", np.array(["2001-01-01"], "M8[ns]"))}), "'when' must hold numbers"),
        (xr.Dataset(attrs={"bath": None}), "'bath' of dataset must be text or a number, got NoneType"),
        (xr.Dataset(attrs={"flag": True}), "'flag' of dataset must be text or a number, got bool"),
        (xr.Dataset({"a": ("x", [1.0], {"list": [1, 2]})}), "'list' of a must be text or a number"),
    ],
)
def test_what_netcdf_would_change_is_refused_and_nothing_is_written(dataset, sentence, tmp_path):
    with pytest.raises(InputError, match=sentence):
        save(dataset, tmp_path / "refused.nc")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    good = xr.Dataset({"a": ("x", [1.0])})
    file = save(good, tmp_path / "a.nc")

    def full_disk(self, target, **_):
        target.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full_disk)
    with pytest.raises(InputError, match="could not be written: No space left"):
        save(good + 1, file)
    monkeypatch.undo()
    xr.testing.assert_identical(open_result(file), good)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.nc"]


def test_places_that_cannot_be_written_or_read(result, tmp_path):
    with pytest.raises(InputError, match="path must lie in an existing folder"):
        save(result, tmp_path / "missing" / "a.nc")
    with pytest.raises(InputError, match="got the folder"):
        save(result, tmp_path)
    with pytest.raises(InputError, match="must be an xarray Dataset, got dict"):
        save({}, tmp_path / "a.nc")
    with pytest.raises(InputError, match="path must name an existing file"):
        open_result(tmp_path / "none.nc")
    text = tmp_path / "text.nc"
    text.write_text("not a netCDF file")
    with pytest.raises(InputError, match="is not a netCDF file"):
        open_result(text)
