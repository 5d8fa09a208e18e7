"""Figures of resonance: units on every axis, and what is drawn is what is in the data."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.experiment.epr_spectrum import epr_spectrum
from mesospin.experiment.neutron import Interference, neutron_spectrum
from mesospin.experiment.resonance import resonance_fields, resonance_frequencies
from mesospin.figures.resonance import (
    draw_epr_spectrum,
    draw_neutron_spectrum,
    draw_resonance_fields,
    draw_resonance_frequencies,
)
from mesospin.model.line_shapes import GaussianLine

SPIN = ms.giant_spin(1, D="10 GHz", E="1 GHz")
PAIR = ms.SpinSystem("pair", [ms.Spin(0.5)] * 2, [ms.Exchange(0, 1, 2.0, convention="+J")])
B = np.linspace(0.0, 2.0, 401)
ENERGY = np.linspace(-4.0, 4.0, 401)
LINE = GaussianLine("30 mT")
DRAWN = {
    "fields": lambda: draw_resonance_fields(
        resonance_fields(SPIN, 30.0, span=(0, 2), T=[1.0, 2.0, 3.0, 4.0])
    ),
    "one temperature": lambda: draw_resonance_fields(
        resonance_fields(SPIN, 30.0, span=(0, 2), T=4.0, axis=(1, 0, 1), microwave=(0, 1, 0))
    ),
    "no line": lambda: draw_resonance_fields(resonance_fields(SPIN, "1 THz", span=(0, 1), T=4.0)),
    "touch": lambda: draw_resonance_fields(
        resonance_fields(
            ms.giant_spin(1, D=1.0, E=0.125), "0.25 K", span=(-0.05, 0.04), T=5.0, microwave="parallel"
        )
    ),
    "map": lambda: draw_resonance_frequencies(resonance_frequencies(SPIN, B, T=[2.0, 4.0])),
    "one field": lambda: draw_resonance_frequencies(resonance_frequencies(SPIN, 1.0, T=4.0)),
    "field sweep": lambda: draw_epr_spectrum(epr_spectrum(SPIN, [2.0, 4.0], B, 30.0, line=LINE)),
    "powder": lambda: draw_epr_spectrum(epr_spectrum(SPIN, 4.0, B, 30.0, line=LINE, powder=302)),
    "frequency sweep": lambda: draw_epr_spectrum(
        epr_spectrum(SPIN, 4.0, 1.0, np.linspace(1, 80, 401), line=GaussianLine(1.0))
    ),
    "neutrons": lambda: draw_neutron_spectrum(
        neutron_spectrum(SPIN, [1.0, 4.0], ENERGY, line=GaussianLine(0.1))
    ),
    "neutrons that lose": lambda: draw_neutron_spectrum(
        neutron_spectrum(
            PAIR,
            1.0,
            ENERGY[210:],
            line=GaussianLine(0.1),
            interference=Interference(1.0, [[0, 0, 0], [0, 0, 3]]),
        )
    ),
    "dark": lambda: draw_neutron_spectrum(neutron_spectrum(PAIR, 1.0, ENERGY, line=GaussianLine(0.1))),
}


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.filterwarnings("ignore:span must hold a resonance at 1000 GHz")
def test_every_axis_says_what_and_in_which_unit(kind):
    figure = DRAWN[kind]()
    figure.canvas.draw()
    labels = [
        text
        for axes in figure.axes
        for part in (axes, *axes.child_axes)
        for text in (part.get_xlabel(), part.get_ylabel())
        if text
    ]
    assert len(labels) >= 2
    for text in labels:
        assert text.endswith(")") or "largest" in text, text


def test_what_is_drawn_is_what_is_in_the_data():
    ds = epr_spectrum(SPIN, [4.0, 2.0], B, 30.0, line=LINE)
    above, below = draw_epr_spectrum(ds).axes
    np.testing.assert_allclose(above.lines[0].get_ydata(), ds.absorption[1])  # the colder first
    np.testing.assert_allclose(below.lines[1].get_ydata(), ds.derivative[0])
    lines = resonance_fields(SPIN, 30.0, span=(0, 2), T=4.0)
    sticks = draw_resonance_fields(lines).axes[0].collections
    drawn = np.concatenate([np.array(c.get_segments()).reshape(-1, 2, 2)[:, 1] for c in sticks])
    order = np.argsort(drawn[:, 0])
    np.testing.assert_allclose(drawn[order], np.column_stack([lines.field, lines.intensity]))


def test_the_elastic_line_does_not_hide_the_others():
    ds = neutron_spectrum(SPIN, 4.0, ENERGY, line=GaussianLine(0.05))
    top = draw_neutron_spectrum(ds).axes[0].get_ylim()[1]
    inelastic = float(ds.intensity_mev.where(ds.energy > 0.3).max())
    assert inelastic < top < 1.5 * inelastic
