"""The figure of the older experiment: four panels that show the data, labelled."""

import matplotlib as mpl
import numpy as np
import pytest

from mesospin.experiment.particles.particle import Particle
from mesospin.experiment.particles.switching import switching_fields
from mesospin.figures.style import STYLE, write_figure
from mesospin.figures.switching import draw_switching


@pytest.fixture(scope="module")
def dataset():
    grain = Particle(20000, "2 T", "1 T", title="A grain, small")
    return switching_fields(grain, [0.3, 0.03, 0.1], "1 mT/s", angles=["20 deg", "45 deg", "70 deg"])


@pytest.fixture
def figure(dataset):
    with mpl.rc_context(rc=STYLE):
        return draw_switching(dataset)


def test_four_panels_with_units_on_every_axis(figure):
    panels = [axes for axes in figure.axes if axes.axison]
    assert len(panels) == 4
    for axes in panels:
        assert axes.get_xlabel().endswith(")")
        assert axes.get_ylabel().endswith(")")
        assert axes.get_title(loc="left")
    assert "a grain" in figure.get_suptitle()


def test_lines_are_the_data_in_order_of_temperature(dataset, figure):
    mean, viscosity, width, angle = figure.axes[:4]
    for axes, name, scale in [
        (mean, "mean_field", 1e3),
        (width, "field_width", 1e3),
        (viscosity, "viscosity", 1),
    ]:
        drawn = [line for line in axes.lines if len(line.get_xdata()) == 3]
        assert all(np.array_equal(line.get_xdata(), [0.03, 0.1, 0.3]) for line in drawn)
        case = "thermal ensemble" if axes is viscosity else "thermal particle"
        expected = scale * dataset[name].sel(case=case, temperature=[0.03, 0.1, 0.3]).values
        assert drawn[0].get_ydata() == pytest.approx(expected)
    assert np.array_equal(angle.lines[0].get_ydata(), dataset["frozen_temperature"].values)


def test_legend_lists_every_sample_with_its_waiting_times(figure):
    (legend,) = [axes.get_legend() for axes in figure.axes if not axes.axison]
    texts = [text.get_text() for text in legend.get_texts()]
    assert len(texts) == 6
    assert texts[0] == "thermal particle: 1.00"
    assert float(texts[3].split(": ")[1]) > 1.3


def test_file_is_the_same_every_time(dataset, tmp_path):
    with mpl.rc_context(rc=STYLE):
        first = write_figure(draw_switching(dataset), tmp_path / "a.svg").read_bytes()
        assert write_figure(draw_switching(dataset), tmp_path / "b.svg").read_bytes() == first
