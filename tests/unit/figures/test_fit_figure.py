"""Figure of a fit: one pair of panels for every data set, with its units."""

import matplotlib as mpl
import numpy as np

from mesospin.figures.fit import draw_fit
from mesospin.figures.style import STYLE
from mesospin.measured.data import HeatCapacityData, MagnetisationData, SusceptibilityData
from mesospin.measured.hamiltonian.fit import fit_hamiltonian
from mesospin.measured.spectral_data import LevelData, ResonanceData
from mesospin.model.system import giant_spin

AXIS = (0.0, 0.0, 1.0)


def draw(data, vary=("D",)):
    fit = fit_hamiltonian(data, giant_spin(1, D=-2.0, E=0.2), list(vary), starts=1)
    with mpl.rc_context(STYLE):
        figure = draw_fit(fit)
        figure.canvas.draw()
    return figure


def test_a_pair_of_panels_for_every_set():
    T = np.array([2.0, 4.0, 100.0])
    sets = [
        SusceptibilityData(T, [0.9, 0.95, 1.0], unit="cgs", sigma=0.1, powder=5),
        MagnetisationData([2.0, 2.0, 4.0], [1.0, 2.0, 1.0], [1.0, 1.5, 0.7], sigma=0.1, axis=AXIS),
        HeatCapacityData(T, [1.0, 0.5, 0.1], sigma=1.0),
        ResonanceData([20.0, 30.0], [1.0, 1.4], sigma=10.0, levels=(0, 1)),
        LevelData([0.4, 2.2], sigma=0.1),
    ]
    figure = draw(sets)
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == 10
    assert figure.axes[0].get_ylabel() == r"$\chi T$ (cm$^3$ K mol$^{-1}$)"
    assert figure.axes[0].get_xscale() == figure.axes[3].get_xscale() == "log"
    assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == ["chi", "M", "C"]
    legend = figure.axes[1].get_legend().get_texts()
    assert [text.get_text() for text in legend] == ["2 K", "4 K"]
    assert "nu" in figure.get_suptitle()


def test_what_is_not_determined_is_written():
    figure = draw(LevelData([0.4, 2.2], sigma=0.1), vary=("D", "g"))
    assert "g = 2 not determined" in figure.get_suptitle()
    assert "nu" not in figure.get_suptitle()
