"""Figures of equilibrium: units on every axis, and what is drawn is what is in the data."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import InputError
from mesospin.figures.equilibrium import (
    draw_entropy,
    draw_heat_capacity,
    draw_magnetisation,
    draw_susceptibility,
)
from mesospin.thermo.heat import entropy, heat_capacity
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.susceptibility import susceptibility

SPIN = ms.giant_spin(2, D=-0.8, E=0.1)
T, B = np.geomspace(0.5, 100.0, 12), np.linspace(0.0, 5.0, 6)
PURE = ("$C/R$", "occupied states $e^{S/R}$", "$1/\\chi$")
DRAWN = {
    "isotherms": lambda: draw_magnetisation(magnetisation(SPIN, [2.0, 4.0], B, powder=14)),
    "one isotherm": lambda: draw_magnetisation(magnetisation(SPIN, 2.0, B)),
    "cooling curve": lambda: draw_magnetisation(magnetisation(SPIN, T, 1.0)),
    "one moment": lambda: draw_magnetisation(magnetisation(SPIN, 2.0, 1.0)),
    "tensor": lambda: draw_susceptibility(susceptibility(SPIN, T)),
    "powder": lambda: draw_susceptibility(susceptibility(SPIN, T, powder=5)),
    "fields": lambda: draw_susceptibility(susceptibility(SPIN, T, [0.0, 1.0, 3.0])),
    "against field": lambda: draw_susceptibility(susceptibility(SPIN, 2.0, B)),
    "one tensor": lambda: draw_susceptibility(susceptibility(SPIN, 2.0)),
    "diamagnet": lambda: draw_susceptibility(susceptibility(ms.giant_spin(1, D=5.0), T, tip=-1.0)),
    "heat": lambda: draw_heat_capacity(heat_capacity(SPIN, T, [0.0, 1.0])),
    "heat against field": lambda: draw_heat_capacity(heat_capacity(SPIN, 2.0, B)),
    "entropy": lambda: draw_entropy(entropy(SPIN, T, 0.5)),
    "one entropy": lambda: draw_entropy(entropy(SPIN, 2.0, 0.5)),
}


@pytest.mark.parametrize("kind", DRAWN)
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
        assert text in PURE or text.endswith(")"), text


def test_what_is_drawn_is_what_is_in_the_data():
    ds = magnetisation(SPIN, [2.0, 4.0], B, powder=14)
    left, right = draw_magnetisation(ds).axes
    curves = [line for line in left.lines if len(line.get_xdata()) == len(B)]
    np.testing.assert_allclose(curves[0].get_ydata(), ds.magnetisation[0])
    second = [line for line in right.lines if len(line.get_xdata()) == len(B)][1]
    np.testing.assert_allclose(second.get_xdata(), B / 4.0)
    chi = susceptibility(SPIN, T)
    left, right = draw_susceptibility(chi).axes
    np.testing.assert_allclose(left.lines[2].get_ydata(), chi.chi_t[:, 2, 2])
    np.testing.assert_allclose(right.lines[0].get_ydata(), 1.0 / chi.chi_molar[:, 0, 0])


def test_components_that_coincide_are_one_curve():
    axes = draw_susceptibility(susceptibility(ms.giant_spin(1, D=-1.0), T)).axes[0]
    names = axes.get_legend_handles_labels()[1]
    assert names == [r"$\chi_{xx}$ = $\chi_{yy}$", r"$\chi_{zz}$", "mean"]


def test_fields_in_many_directions_have_no_curve():
    with pytest.raises(InputError, match="one direction"):
        draw_magnetisation(magnetisation(SPIN, 1.0, B_vector=np.ones((2, 2, 3))))
