"""Figures of equilibrium: units on every axis, and what is drawn is what is in the data."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import InputError
from mesospin.figures.equilibrium import (
    draw_entropy,
    draw_free_energy,
    draw_heat_capacity,
    draw_magnetisation,
    draw_susceptibility,
)
from mesospin.figures.plot import plot
from mesospin.figures.torque import draw_torque
from mesospin.thermo.heat import entropy, free_energy, heat_capacity
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.susceptibility import susceptibility
from mesospin.thermo.torque import torque

SPIN = ms.giant_spin(2, D=-0.8, E=0.1)
T, B = np.geomspace(0.5, 100.0, 12), np.linspace(0.0, 5.0, 6)
PURE = ("$C/R$", "occupied states $e^{S/R}$", "$1/\\chi$")
DRAWN = {
    "isotherms": lambda: draw_magnetisation(magnetisation(SPIN, [2.0, 4.0], B, powder=194)),
    "one isotherm": lambda: draw_magnetisation(magnetisation(SPIN, 2.0, B)),
    "cooling curve": lambda: draw_magnetisation(magnetisation(SPIN, T, 1.0)),
    "cooling curves": lambda: draw_magnetisation(magnetisation(SPIN, T, [0.5, 1.0])),
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
    "free energy": lambda: draw_free_energy(free_energy(SPIN, T, [0.0, 1.0])),
    "free energy against field": lambda: draw_free_energy(free_energy(SPIN, 2.0, B)),
    "turning": lambda: draw_torque(turning(2.0, 1.0)),
    "turning, fields": lambda: draw_torque(turning(2.0, [1.0, 2.0])),
    "turning, temperatures": lambda: draw_torque(turning([2.0, 9.0], [1.0])),
    "turning, both": lambda: draw_torque(turning([2.0, 9.0], [1.0, 2.0])),
    "turning in another plane": lambda: draw_torque(turning(2.0, 1.0, axis=(1, 1, 0))),
    "torque against field": lambda: draw_torque(torque(SPIN, [2.0, 9.0], B, axis=(1, 0, 1))),
    "torque against temperature": lambda: draw_torque(torque(SPIN, T, 2.0, axis=(1, 0, 1))),
    "one torque": lambda: draw_torque(torque(SPIN, 2.0, 2.0, axis=(1, 0, 1))),
    "Curie-Weiss": lambda: plot(curie_weiss()),
    "Curie-Weiss, one window": lambda: plot(curie_weiss(windows=1, tip=1e-4)),
}


def turning(T, B, **options):
    angles = np.linspace(0.0, np.pi, 7)
    return torque(SPIN, T, B, towards=(0.0, 1.0, 2.0), angle=angles, **options)


def curie_weiss(**options):
    hot = np.linspace(20.0, 300.0, 30)
    return ms.fit_curie_weiss(hot, 1.0 / (hot + 9.0), unit="cgs", window=(50, 280), sigma=1e-5, **options)


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
    ds = magnetisation(SPIN, [2.0, 4.0], B, powder=194)
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


def test_torque_curves_are_those_in_the_data():
    ds = turning([2.0, 9.0], [1.0, 2.0], axis=(1, 0, 0))
    left, right = draw_torque(ds).axes
    curves = [[line for line in axes.lines if len(line.get_xdata()) == 7] for axes in (left, right)]
    np.testing.assert_allclose(curves[0][0].get_xdata(), np.linspace(0, 180, 7))
    np.testing.assert_allclose(curves[0][0].get_ydata(), ds.torque_about[0, 0])
    np.testing.assert_allclose(curves[1][1].get_ydata(), ds.torque_about[1, 1])
    assert left.get_xlabel() == "angle of the field from x to (0, 0.447, 0.894) (deg)"


def test_moment_over_field_is_drawn_where_it_differs():
    names = draw_susceptibility(susceptibility(SPIN, T, 3.0)).axes[0].get_legend_handles_labels()[1]
    assert "$M/H$" in names
    names = draw_susceptibility(susceptibility(SPIN, T, 1e-3)).axes[0].get_legend_handles_labels()[1]
    assert "$M/H$" not in names


def test_line_and_window_of_a_curie_weiss_law():
    ds = curie_weiss()
    left, right = plot(ds).axes
    data, line = left.lines
    np.testing.assert_allclose(data.get_ydata(), ds.temperature + 9.0)
    np.testing.assert_allclose(line.get_ydata(), line.get_xdata() + 9.0, rtol=1e-6)
    assert "Weiss temperature" in right.get_ylabel()


def test_fields_in_many_directions_have_no_curve():
    with pytest.raises(InputError, match="in one plane"):
        draw_torque(torque(SPIN, 1.0, B_vector=np.ones((2, 2, 3))))
    with pytest.raises(InputError, match="one direction"):
        draw_magnetisation(magnetisation(SPIN, 1.0, B_vector=np.ones((2, 2, 3))))


def test_a_susceptibility_in_a_field_says_which_one_it_is():
    powder = {B: draw_susceptibility(susceptibility(SPIN, T, B, powder=194)) for B in (0.0, 1.0)}
    free, held = (figure.axes[0] for figure in powder.values())
    assert "partial" not in free.get_ylabel()
    assert r"$\chi = \partial M/\partial H$ and $M/H$" in held.get_ylabel()
    several = draw_susceptibility(susceptibility(SPIN, T, [1.0, 3.0])).axes[0].get_ylabel()
    assert r"$\chi = \partial M/\partial H$ (" in several
    static = next(line for line in held.lines if line.get_linestyle() == "--")
    np.testing.assert_allclose(static.get_ydata(), susceptibility(SPIN, T, 1.0, powder=194).m_over_h_t)


def test_points_far_apart_on_a_logarithmic_axis_are_marked():
    linear, logarithmic = np.linspace(0.5, 300.0, 100), np.geomspace(0.5, 300.0, 100)
    for temperatures, marker in ((linear, "."), (logarithmic, "None")):
        axes = draw_heat_capacity(heat_capacity(SPIN, temperatures, 1.0)).axes[0]
        assert axes.lines[0].get_marker() == marker
