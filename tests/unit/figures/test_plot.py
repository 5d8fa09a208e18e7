"""Figures: one for every kind, units on every axis, what is drawn is what is in the data."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import mesospin as ms
from mesospin.errors import InputError
from mesospin.figures.loop import step_positions
from mesospin.figures.relaxation import dip_positions
from mesospin.figures.style import spread_labels, write_figure

SPIN = ms.giant_spin(4, D=-0.5, E=0.01)
PURE = ("population", r"magnetisation $M/M_\mathrm{s}$")


@pytest.fixture
def drawn(made_hysteresis, made_relaxation, made_sweep):
    return {
        "levels": ms.levels(SPIN, B=np.linspace(0, 1, 21)),
        "ladder": ms.levels(SPIN, B=0.3),
        "crossings": ms.crossings(SPIN, span=(-0.1, 2)),
        "splitting": ms.tunnel_splitting(SPIN, (4, -4)).to_dataset(),
        "closed": ms.tunnel_splitting(SPIN, (4, -3)).to_dataset(),
        "hysteresis": made_hysteresis,
        "relaxation": made_relaxation,
        "arrhenius": made_relaxation.isel(field=[0]),
        "dips": made_relaxation.isel(temperature=[1]),
        "sweep": made_sweep,
        "pulse": made_sweep.assign(field=("time", np.sin(made_sweep["time"].values))),
    }


KINDS = (
    "levels", "ladder", "crossings", "splitting", "closed", "hysteresis", "relaxation", "arrhenius", "dips",
    "sweep", "pulse",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_axis_says_what_and_in_which_unit(drawn, kind):
    figure = ms.plot(drawn[kind])
    figure.canvas.draw()
    for axes in figure.axes:
        for text, axis in ((axes.get_xlabel(), axes.xaxis), (axes.get_ylabel(), axes.yaxis)):
            shown = any(label.get_visible() and label.get_text() for label in axis.get_ticklabels())
            # Panels that share an axis carry its label once; a colour bar has one axis.
            if text or shown:
                assert text in PURE or text.rstrip().endswith(")"), f"{kind}: {text!r}"


@pytest.mark.parametrize("kind", ["hysteresis", "levels"])
@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_files_are_the_same_every_time(drawn, kind, suffix, tmp_path):
    first = write_figure(ms.plot(drawn[kind]), tmp_path / f"first{suffix}").read_bytes()
    assert len(first) > 1000
    assert write_figure(ms.plot(drawn[kind]), tmp_path / f"second{suffix}").read_bytes() == first


def test_loop_has_both_branches_of_a_temperature_in_one_colour(made_hysteresis):
    axes = ms.plot(made_hysteresis).axes[0]
    curves = [line for line in axes.lines if len(line.get_xdata()) == 401 and line.get_linestyle() == "-"]
    assert len(curves) == 6
    assert len({line.get_color() for line in curves}) == 3
    for index, temperature in enumerate(made_hysteresis["temperature"].values):
        rising, falling = curves[2 * index : 2 * index + 2]
        assert rising.get_color() == falling.get_color()
        expected = made_hysteresis["reduced"].sel(temperature=temperature, branch="up")
        assert np.array_equal(rising.get_ydata(), expected.values)
        assert rising.get_label() == f"{temperature:g} K"


def test_loop_legend_lists_temperatures_then_the_classical_loop(made_hysteresis):
    (legend,) = ms.plot(made_hysteresis).legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names[:3] == ["0.1 K", "1.9 K", "2.6 K"]
    assert names[3].startswith("classical,\nno tunnelling")
    # The made classical loop never reverses, and the figure says so.
    assert "beyond" in names[3]


def test_classical_loop_is_dashed_and_grey(made_hysteresis):
    axes = ms.plot(made_hysteresis).axes[0]
    dashed = [line for line in axes.lines if len(line.get_xdata()) == 401 and line.get_linestyle() == "--"]
    assert len(dashed) == 2
    red, green, blue, _ = mpl.colors.to_rgba(dashed[0].get_color())
    assert red == green == blue


def test_step_numbers_stand_at_the_ground_pair_on_both_sides(made_hysteresis):
    assert step_positions(made_hysteresis) == {0: 0.0, 1: 0.46, 2: 0.9}
    (top,) = ms.plot(made_hysteresis).axes[0].child_axes
    marks = dict(zip(top.get_xticks(), (text.get_text() for text in top.get_xticklabels()), strict=True))
    assert marks == {-0.9: "2", -0.46: "1", 0.0: "0", 0.46: "1", 0.9: "2"}


def test_levels_are_coloured_by_their_moment():
    dataset = ms.levels(SPIN, B=np.linspace(0, 1, 21))
    lines = ms.plot(dataset).axes[0].collections
    assert len(lines) == 9
    # H_Z = +mu_B B.g.S: the ground level at B > 0 has the largest moment along the field.
    assert lines[0].get_array()[-1] == pytest.approx(8.0, abs=0.01)


def test_crossings_separate_closed_from_open_ones():
    dataset = ms.crossings(SPIN, span=(-0.1, 2))
    axes = ms.plot(dataset).axes[0]
    drawn = {line.get_label(): len(line.get_xdata()) for line in axes.lines}
    assert drawn["exactly zero"] == int(dataset["zero"].sum()) > 0
    assert sum(drawn.values()) == dataset.sizes["crossing"]


def test_arrhenius_legend_shows_the_fit(made_relaxation):
    axes = ms.plot(made_relaxation.isel(field=[20])).axes[0]
    (text,) = axes.get_legend().get_texts()
    assert text.get_text().startswith("0.2 T: 60.0 K")


def test_dips_are_the_resonances(made_relaxation):
    curve = made_relaxation["tau"].isel(temperature=0).values
    assert made_relaxation["field"].values[dip_positions(curve)] == pytest.approx([0.44])


def test_dips_of_noise_are_not_marked():
    assert len(dip_positions(1.0 + 0.01 * np.sin(np.arange(100.0)))) == 0


def test_labels_keep_their_distance():
    assert spread_labels([0.0, 0.01, 0.5, 0.52], 0.1) == [0, 2]


def test_sweep_runs_along_the_field_or_along_time(drawn):
    assert "(T)" in ms.plot(drawn["sweep"]).axes[-1].get_xlabel()
    assert "(s)" in ms.plot(drawn["pulse"]).axes[-1].get_xlabel()


def test_plot_leaves_the_callers_settings_alone(made_hysteresis):
    before = dict(mpl.rcParams)
    ms.plot(made_hysteresis)
    assert dict(mpl.rcParams) == before


def test_plot_does_not_touch_the_data(made_hysteresis):
    before = made_hysteresis.copy(deep=True)
    ms.plot(made_hysteresis)
    assert made_hysteresis.identical(before)


@pytest.mark.parametrize("wrong", [3, xr.Dataset(), xr.Dataset(attrs={"kind": "poem"})])
def test_what_is_not_a_result_is_refused(wrong):
    with pytest.raises(InputError, match="dataset must be a result"):
        ms.plot(wrong)


def test_figure_files_of_unknown_format_are_refused(made_sweep, tmp_path):
    with pytest.raises(InputError, match=r"must end in \.png"):
        write_figure(ms.plot(made_sweep), tmp_path / "figure.bmp")
