"""Figures of doublets and of clock transitions: what is drawn is what is in the data, with units."""

from functools import cache

import matplotlib as mpl
import numpy as np
import pytest

import mesospin as ms
from mesospin.constants import KELVIN_PER_GIGAHERTZ
from mesospin.figures.clock_transitions import draw_clock_transitions
from mesospin.figures.doublets import draw_doublets
from mesospin.figures.style import STYLE
from mesospin.model.lanthanides import lanthanide
from mesospin.spectrum.clock_transitions import clock_transitions
from mesospin.spectrum.doublets import doublets

DOUBLETS = {
    "Kramers": lambda: doublets(ms.load("erw10-printed")),
    "pseudo-doublets": lambda: doublets(ms.load("how10")),
    "repaired": lambda: doublets(ms.load("erw10-repaired")),
    "one": lambda: doublets(ms.giant_spin(0.5, D=0.0)),
    "one of many": lambda: doublets(ms.load("erw10-repaired"), count=1),
    "turned": lambda: doublets(lanthanide("Dy3+", {(2, 0): -2.0, (2, 1): 0.5}), axis=(1, 0, 1)),
    "large": lambda: doublets(ms.giant_spin(17.5, D=-1.0, E=0.02)),
}


@cache
def drawn(name):
    """Return the result and its figure, drawn once."""
    ds = DOUBLETS[name]()
    with mpl.rc_context(rc=STYLE):
        figure = draw_doublets(ds)
        if name == "turned":
            figure.draw_without_rendering()
    return ds, figure


@pytest.mark.parametrize("name", DOUBLETS)
def test_doublets_are_drawn_with_their_numbers(name):
    ds, figure = drawn(name)
    barrier, table = figure.axes
    assert barrier.get_xlabel().endswith("(units of $\\hbar$)")
    assert barrier.get_ylabel() == table.get_ylabel() == "energy $E/k_\\mathrm{B}$ (K)"
    assert table.get_xlabel().endswith("(%)")
    levels = [line for line in barrier.lines if line.get_linewidth() == 2.4]
    assert len(levels) == 2 * ds.sizes["doublet"] + ds.sizes["singlet"]
    places = [(np.mean(line.get_xdata()), line.get_ydata()[0]) for line in levels]
    expected = [(x, E) for E, pair in zip(ds.energy.values, ds.jz.values, strict=True) for x in pair]
    np.testing.assert_allclose(places[: len(expected)], expected, atol=1e-12)
    rows = min(ds.sizes["doublet"], 16)
    ends = {}
    for bar in table.patches:
        row = round(bar.get_y() + bar.get_height() / 2)
        ends[row] = ends.get(row, 0.0) + bar.get_width()
    np.testing.assert_allclose([ends[row] for row in range(rows)], 1.0, atol=1e-9)
    assert [text.get_text() for text in table.texts].count("$g_z$") == 1


def test_the_two_kinds_of_connection_have_their_units():
    kramers = [text.get_text() for text in drawn("Kramers")[1].axes[0].texts]
    assert any("mathrm{B}" in text for text in kramers)
    integer = [text.get_text() for text in drawn("pseudo-doublets")[1].axes[0].texts]
    assert any(text == "0.44 K" for text in integer)


def test_small_print_says_what_was_left_out():
    assert "nuclei left out" in drawn("pseudo-doublets")[1].get_supxlabel()
    assert "2 higher doublets have no row" in drawn("large")[1].get_supxlabel()


def test_clock_transitions_are_drawn_through_their_points():
    ds = clock_transitions(
        ms.giant_spin(2, D=-1.0, E=0.1), (-0.5, 0.5), frequency=(0.1, 100), least_moment=0.5
    )
    with mpl.rc_context(rc=STYLE):
        figure = draw_clock_transitions(ds)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert axes.get_xlabel() == "field $B$ (mT)"
    assert axes.get_ylabel() == "frequency $f$ (GHz)"
    curves = axes.lines[::2]
    assert len(curves) == ds.sizes["transition"]
    order = np.lexsort((ds.field.values, ds.energy.values))
    for k, line in zip(order, curves, strict=True):
        middle = len(line.get_xdata()) // 2
        assert line.get_xdata()[middle] == pytest.approx(1e3 * float(ds.field[k]), abs=1e-9)
        assert line.get_ydata()[middle] == pytest.approx(float(ds.gap[k]) / KELVIN_PER_GIGAHERTZ)
        turn = np.sign(float(ds.curvature[k]))
        assert np.sign(line.get_ydata()[0] - line.get_ydata()[middle]) == turn
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(names) == min(ds.sizes["transition"], 8)


def test_clock_transitions_of_the_lowest_levels_have_the_names():
    ds = clock_transitions(ms.load("how10"), (0.02, 0.2), states=32)
    with mpl.rc_context(rc=STYLE):
        figure = draw_clock_transitions(ds)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(names) == 8 < ds.sizes["transition"]
    assert [name.split(" GHz")[0].split()[-1][:4] for name in names[:4]] == ["9.15"] * 4
    assert f"grey: {ds.sizes['transition'] - 8} more" in figure.get_supxlabel()
    low, high = figure.axes[0].get_xlim()
    assert low == 20
    assert high == 200


def test_a_number_hides_no_level():
    """The doublets 1/2 and 15/2 of the repaired ErW10 lie 5 K apart."""
    (text,) = [text for text in drawn("repaired")[1].axes[0].texts if text.get_text().startswith("0.040")]
    assert text.get_position()[0] > 2.0
