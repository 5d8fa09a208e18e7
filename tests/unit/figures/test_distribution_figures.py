"""Figures of ensembles of splittings and of spins of all sizes: what is drawn is what is in the data."""

import matplotlib as mpl
import numpy as np
import pytest

from mesospin.experiment.splittings.quantum_objects import quantum_objects
from mesospin.experiment.splittings.splitting_distribution import splitting_distribution
from mesospin.figures.quantum_objects import draw_quantum_objects
from mesospin.figures.splitting_distribution import draw_splitting_distribution
from mesospin.figures.style import STYLE
from mesospin.model.anisotropies import FixedConstants, FixedDensity
from mesospin.model.distributions import Gaussian, Rayleigh, Values
from mesospin.model.environment import Disorder
from mesospin.model.system import giant_spin

SPIN = giant_spin(4, D=-0.6)


def ensemble(pair=(4, -4), **given):
    return splitting_distribution(SPIN, pair, seed=1, samples=50, **given)


@pytest.fixture(scope="module")
def made():
    return {
        "broad": ensemble((4, -3), E=Gaussian("20 mK", "5 mK"), transverse=Rayleigh("5 mT")),
        "narrow": ensemble(E=Values([0.02])),
        "closed": ensemble((4, -3), E=Values([0.02])),
        "part": ensemble(E=Values([0.0, 0.02])),
        "listed": splitting_distribution(
            SPIN, (4, -4), disorder=Disorder.solvent(E=((0.02, 0.5), (0.03, 0.5)))
        ),
        "molecules": quantum_objects(FixedConstants(D=-0.5, E=0.1), [4.5, 5, 8, 10]),
        "grains": quantum_objects(FixedDensity(1.0, 2.0), [5, 6]),
        "never": quantum_objects(FixedConstants(D=-0.5, E=0.1), [4.5, 7.5]),
        "one": quantum_objects(FixedConstants(D=-0.5, E=0.1), [10], transverse=(0.1, 0.0)),
    }


@pytest.fixture(scope="module")
def figures(made):
    """Draw every kind once; the data must be the same afterwards."""
    figures = {}
    for kind, dataset in made.items():
        objects = dataset.attrs["kind"] == "quantum_objects"
        draw = draw_quantum_objects if objects else draw_splitting_distribution
        before = dataset.copy(deep=True)
        with mpl.rc_context(rc=STYLE):
            figures[kind] = draw(dataset)
            figures[kind].canvas.draw()
        assert dataset.identical(before)
    return figures


KINDS = ("broad", "narrow", "closed", "part", "listed", "molecules", "grains", "never", "one")


@pytest.mark.parametrize("kind", KINDS)
def test_every_axis_says_what_and_in_which_unit(made, figures, kind):
    figure = figures[kind]
    for axes in figure.axes:
        for text, axis in ((axes.get_xlabel(), axes.xaxis), (axes.get_ylabel(), axes.yaxis)):
            if text or any(t.get_visible() and t.get_text() for t in axis.get_ticklabels()):
                assert text.endswith(")"), f"{kind}: {text!r}"


def test_curves_are_the_fractions_in_per_cent(made, figures):
    dataset = made["broad"]
    curves, collapse = figures["broad"].axes[1:]
    for k, n in enumerate(dataset.passage.values):
        frozen, redrawn = curves.lines[2 * k : 2 * k + 2]
        np.testing.assert_array_equal(frozen.get_ydata(), 100 * dataset.remaining_frozen.sel(passage=n))
        np.testing.assert_array_equal(redrawn.get_ydata(), 100 * dataset.remaining_redrawn.sel(passage=n))
        assert redrawn.get_linestyle() == "--"
        np.testing.assert_array_equal(
            collapse.lines[2 * k].get_xdata(), dataset.effective_rate.sel(passage=n).values
        )
    # at a given abscissa all frozen curves of the collapse have one height
    first, last = collapse.lines[0], collapse.lines[-2]
    heights = np.interp(np.log(last.get_xdata()), np.log(first.get_xdata()), first.get_ydata())
    inside = last.get_xdata() >= first.get_xdata()[0]
    np.testing.assert_allclose(heights[inside], last.get_ydata()[inside], atol=0.5)


def test_histogram_has_the_share_of_molecules(made, figures):
    (bars, _) = figures["broad"].axes[0].patches
    data = bars.get_data()
    area = (data.values * np.diff(np.log10(data.edges))).sum()
    assert area == pytest.approx(100.0)


def test_exact_zeros_are_named(made, figures):
    texts = [text.get_text() for text in figures["part"].axes[0].texts]
    assert "50 % exactly zero" in texts[0]
    assert "all exactly zero" in [text.get_text() for text in figures["closed"].axes[0].texts]


def test_times_are_drawn_by_their_logarithm_and_closed_spins_apart(made, figures):
    dataset = made["molecules"]
    figure = figures["molecules"]
    times = figure.axes[0]
    curve = next(line for line in times.lines if len(line.get_xdata()) == 3)
    np.testing.assert_array_equal(curve.get_ydata(), dataset.log10_tunnelling_time[1:])
    words = [text.get_text() for text in times.texts]
    assert {"1 s", "1 year", "age of the universe", "never: Kramers"} <= set(words)
    assert str(dataset.tunnelling_time[1].values) in words


def test_splittings_stand_at_the_times_that_belong_to_them(made, figures):
    """The right axis has the same heights: log10 t = log10(pi hbar) - log10(splitting)."""
    figure = figures["molecules"]
    left, right = figure.axes[0], figure.axes[-1]
    assert left.get_ylim() == right.get_ylim()
    dataset = made["molecules"].isel(spin=3)
    place = float(dataset.log10_tunnelling_time)
    marks = dict(zip((t.get_text() for t in right.get_yticklabels()), right.get_yticks(), strict=True))
    assert marks["$10^{{-}10}$"] - place == pytest.approx(10 + float(dataset.log10_splitting), abs=1e-9)
