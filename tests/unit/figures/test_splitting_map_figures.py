"""Figures of splitting maps and diabolical points: what is drawn is what is in the data, with units."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import QuadMesh
from matplotlib.image import AxesImage

import mesospin as ms
from mesospin.errors import ValidityWarning
from mesospin.figures.splitting_map import draw_diabolical_points, draw_splitting_map
from mesospin.figures.style import STYLE, write_figure
from mesospin.spectrum.interference.diabolical import diabolical_points
from mesospin.spectrum.interference.splitting_map import splitting_map

SPIN = ms.giant_spin(4, D=-1.0, E=0.1, name="made")
FIELDS = np.linspace(0, 1, 41)


@pytest.fixture(scope="module")
def plane():
    return splitting_map(SPIN, (4, -4), transverse=FIELDS, azimuth=np.linspace(0, np.pi / 2, 31))


@pytest.fixture(scope="module")
def points():
    return diabolical_points(SPIN, (4, -4), Bx=(0, 1.2), By=(-0.3, 0.3), resolution=0.03)


def drawn(draw, dataset):
    with mpl.rc_context(STYLE):
        figure = draw(dataset)
        figure.canvas.draw()
    return figure


def labels(figure):
    return [text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel()) if text]


def test_lines_against_the_field_show_every_direction(plane):
    few = plane.isel(azimuth=[0, 15, 30])
    figure = drawn(draw_splitting_map, few)
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert labels(figure) == ["transverse field (T)", r"tunnel splitting $\Delta/k_\mathrm{B}$ (K)"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["0°", "45°", "90°"]
    for line, expected in zip(axes.lines, few.splitting.values, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), FIELDS)
        np.testing.assert_array_equal(line.get_ydata(), expected)
    assert "(4, \N{MINUS SIGN}4)" in axes.get_title(loc="left")


def test_one_direction_is_named_in_the_title_and_an_exact_zero_is_left_out():
    figure = drawn(draw_splitting_map, splitting_map(SPIN, (4, -3), transverse=FIELDS, azimuth=0.5))
    (axes,) = figure.axes
    assert axes.get_legend() is None
    assert "28.6°" in axes.get_title(loc="left")
    curve = axes.lines[0].get_ydata()
    assert np.isnan(curve[0])
    assert np.isfinite(curve[1:]).all()


def test_lines_against_the_direction(plane):
    figure = drawn(draw_splitting_map, plane.isel(transverse=[10, 40]))
    (axes,) = figure.axes
    assert labels(figure)[0] == "azimuth of the transverse field from $x$ (°)"
    np.testing.assert_allclose(axes.lines[0].get_xdata(), np.linspace(0, 90, 31))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["0.25 T", "1 T"]


def test_plane_shows_every_point_once_at_its_field(plane):
    figure = drawn(draw_splitting_map, plane)
    axes, bar = figure.axes
    (mesh,) = [entry for entry in axes.collections if isinstance(entry, QuadMesh)]
    shown = mesh.get_array().reshape(31, 41)
    np.testing.assert_array_equal(np.ma.getdata(shown), plane.log10_splitting.values)
    corners = mesh.get_coordinates()
    assert corners.shape == (32, 42, 2)
    assert np.hypot(*corners[-1, -1]) == pytest.approx(1.0)
    assert bar.get_ylabel().endswith("(K)")
    assert labels(figure)[:2] == ["transverse field $B_x$ (T)", "transverse field $B_y$ (T)"]
    assert axes.get_aspect() == 1.0


def test_lost_points_stay_white_and_are_counted():
    with pytest.warns(ValidityWarning):
        lost = splitting_map(SPIN, (3, -3), transverse=np.linspace(0, 3, 31), azimuth=np.linspace(0, 1.5, 9))
    figure = drawn(draw_splitting_map, lost)
    (mesh,) = [entry for entry in figure.axes[0].collections if isinstance(entry, QuadMesh)]
    masked = np.ma.getmaskarray(mesh.get_array()).reshape(9, 31)
    np.testing.assert_array_equal(masked, np.isnan(lost.splitting.values))
    assert str(lost.attrs["lost_points"]) in figure.get_supxlabel()


def test_points_are_marked_by_shape_and_colour_of_their_charge(points):
    mixed = points.assign(charge=("point", [2, -1]))
    figure = drawn(draw_diabolical_points, mixed)
    axes = figure.axes[0]
    assert any(isinstance(entry, AxesImage) for entry in axes.get_children())
    marks = {(float(line.get_xdata()[0]), line.get_marker(), line.get_color()) for line in axes.lines}
    assert len(marks) == points.sizes["point"]
    assert len({(marker, colour) for _, marker, colour in marks}) == 2
    by_place = {x: marker for x, marker, _ in marks}
    for x, charge in zip(mixed.Bx.values, mixed.charge.values, strict=True):
        assert by_place[float(x)] == ("P" if charge > 0 else "X")
    assert [text.get_text() for text in axes.texts] == ["+2"]
    assert axes.get_xlim() == (0, 1.2)
    assert labels(figure)[:2] == ["transverse field $B_x$ (T)", "transverse field $B_y$ (T)"]


def test_no_points_are_said_to_be_none():
    empty = diabolical_points(SPIN, (4, -4), Bx=(0.5, 0.6), By=(0.2, 0.3), resolution=0.02)
    figure = drawn(draw_diabolical_points, empty)
    assert figure.axes[0].get_title(loc="left").startswith("No diabolical point")
    assert figure.axes[0].get_legend() is None


@pytest.mark.parametrize("kind", ["plane", "lines", "points"])
def test_files_are_the_same_every_time_and_survive_storage(kind, plane, points, tmp_path):
    dataset = {"plane": plane, "lines": plane.isel(azimuth=[0]), "points": points}[kind]
    draw = draw_diabolical_points if kind == "points" else draw_splitting_map
    ms.save(dataset, tmp_path / "kept.nc")
    again = ms.open_result(tmp_path / "kept.nc")
    assert isinstance(again, xr.Dataset)
    first = write_figure(drawn(draw, dataset), tmp_path / "first.png").read_bytes()
    assert write_figure(drawn(draw, again), tmp_path / "second.png").read_bytes() == first
