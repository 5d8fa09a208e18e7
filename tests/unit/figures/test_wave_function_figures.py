"""Figures of tunnelling pairs and of the double well: what is drawn is what is in the data."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest

import mesospin as ms
from mesospin.figures.double_well import draw_double_well
from mesospin.figures.style import STYLE
from mesospin.figures.wave_functions import draw_tunnelling_pair, kelvin_text
from mesospin.spectrum.wells.double_well import double_well
from mesospin.spectrum.wells.wave_functions import tunnelling_pair

SPIN = ms.giant_spin(4, D=-0.5, E=0.01)
HALF = ms.giant_spin(2.5, D=-0.5)
HYPERFINE = ms.SpinSystem(
    "hyperfine",
    [ms.Spin(2), ms.Spin(0.5, 1.0, nuclear=True)],
    [ms.ZeroFieldSplitting(-1.0, 0.02), ms.Hyperfine(0, 1, 0.01)],
)

PAIRS = {
    "real": lambda: tunnelling_pair(SPIN, (4, -4)),
    "biased": lambda: tunnelling_pair(SPIN, (4, -4), bias=1e-7),
    "complex": lambda: tunnelling_pair(SPIN, (4, -3), transverse=(0.05, 0.02)),
    "zero": lambda: tunnelling_pair(HALF, (2.5, -2.5)),
    "product": lambda: tunnelling_pair(HYPERFINE, ("m=2, mI=1/2", "m=-2, mI=1/2")),
    "adjacent": lambda: tunnelling_pair(ms.giant_spin(0.5, D=0.0), (0.5, -0.5), transverse=(0.1, 0.0)),
}
WELLS = {
    "resonant": lambda: double_well(SPIN),
    "step": lambda: double_well(SPIN, B=0.37, tolerance=0.1),
    "half": lambda: double_well(HALF),
    "one": lambda: double_well(ms.load("ni-s1")),
    "mixed": lambda: double_well(ms.load("fe8"), transverse=(1.0, 0.0)),
    "three wells": lambda: double_well(ms.load("erw10-167")),
}


def drawn(function, dataset):
    with mpl.rc_context(STYLE):
        figure = function(dataset)
        figure.canvas.draw()
    return figure


def texts(axes):
    return [text for text in axes.texts if text.get_text() and text.get_visible()]


def assert_labelled(figure):
    for axes in figure.axes:
        for text, axis in ((axes.get_xlabel(), axes.xaxis), (axes.get_ylabel(), axes.yaxis)):
            shown = any(label.get_visible() and label.get_text() for label in axis.get_ticklabels())
            assert not (text or shown) or text.rstrip().endswith(")"), text


def assert_apart(figure, axes):
    """No two lines of text in the axes cover each other."""
    boxes = [text.get_window_extent() for text in texts(axes)]
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(name):
    dataset = PAIRS[name]()
    figure = drawn(draw_tunnelling_pair, dataset)
    assert len(figure.axes) == 3
    assert_labelled(figure)
    for axes in figure.axes:
        assert_apart(figure, axes)
    title = figure.get_suptitle()
    assert ("exactly 0" in title) == bool(dataset.zero)
    assert ("summed" in figure.get_supxlabel()) == (name == "product")
    assert ("modulus" in figure.get_supxlabel()) == (name == "complex")


def test_heights_are_decades():
    dataset = PAIRS["real"]()
    top, even, odd = drawn(draw_tunnelling_pair, dataset).axes
    left = top.lines[1].get_ydata()
    probability = dataset.probability.sel(state="left").values
    probability = np.sort(probability[probability > 0])[::-1]
    assert np.diff(np.sort(left)[::-1]) == pytest.approx(np.diff(np.log10(probability)), abs=1e-9)
    for axes, name in ((even, "even"), (odd, "odd")):
        amplitude = dataset.amplitude_re.sel(state=name)
        points = {}
        for line in axes.lines[:2]:
            points |= dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))
        for m, height in points.items():
            assert np.sign(height) == np.sign(float(amplitude.sel(m=m)))
        differences = [abs(points[4.0]) - abs(points[2.0])]
        expected = np.log10(abs(float(amplitude.sel(m=4)) / float(amplitude.sel(m=2))))
        assert differences == pytest.approx([expected], abs=1e-9)


@pytest.mark.parametrize("name", WELLS)
def test_double_wells(name):
    dataset = WELLS[name]()
    figure = drawn(draw_double_well, dataset)
    ladder, angle = figure.axes
    assert_labelled(figure)
    assert_apart(figure, ladder)
    assert_apart(figure, angle)
    assert angle.get_xlim() == (180.0, 0.0)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("tunnelling, full gap" in legend) == bool((~dataset.zero.values).any())
    assert ("nuclei" in figure.get_supxlabel()) == (name == "three wells")
    # legend and title are apart
    box = figure.legends[0].get_window_extent()
    assert not box.overlaps(ladder.title.get_window_extent())
    assert not box.overlaps(ladder.get_window_extent())


def test_levels_stand_at_their_mean_projection_and_energy():
    dataset = double_well(SPIN, B=0.1)
    ladder = drawn(draw_double_well, dataset).axes[0]
    bars = {
        (round(float(np.mean(line.get_xdata())), 9), round(float(line.get_ydata()[0]), 9))
        for line in ladder.lines
        if len(line.get_xdata()) == 2
    }
    for level in range(dataset.sizes["level"]):
        place = (round(float(dataset.mean_sz[level]), 9), round(float(dataset.energy[level]), 9))
        if np.isfinite(dataset.m[level]) or int(dataset.side[level]):
            assert place in bars


def test_barrier_is_written():
    figure = drawn(draw_double_well, double_well(ms.load("mn12ac")))
    assert any("66.1 K" in text.get_text() and "66.5 K" in text.get_text() for text in figure.axes[1].texts)
    assert any(r"3.0\times10^{-12}" in text.get_text() for text in figure.axes[0].texts)


def test_energies_as_text():
    assert kelvin_text(np.log10(2.96e-12)) == r"$3.0\times10^{-12}$ K"
    assert kelvin_text(-120233.0) == r"$1.0\times10^{-120233}$ K"
    assert [kelvin_text(x) for x in (-np.inf, 0.0, 1.5)] == ["0", "1 K", "32 K"]
    assert all(len(kelvin_text(a)) for a, _ in pairwise(np.linspace(-40, 3, 60)))
