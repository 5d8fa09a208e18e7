"""Clock transitions against closed forms (Breit and Rabi, spin 1) and against numerical derivatives."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.constants import KELVIN_PER_GIGAHERTZ, MU_B, MU_N
from mesospin.errors import InputError
from mesospin.model.interactions import Hyperfine
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem
from mesospin.model.terms import Stevens, ZeroFieldSplitting
from mesospin.spectrum.clock_transitions import _Block, clock_transitions


def donor(I, A, g=2.0, g_n=0.9):
    """An electron spin 1/2 with one nucleus, as a donor in silicon."""
    spins = [Spin(0.5, g), Spin(I, g_n, "I", nuclear=True)]
    return SpinSystem("donor", spins, [Hyperfine(0, 1, A)])


@pytest.mark.parametrize("I", [1, 3.5, 4.5])
def test_breit_and_rabi(I):
    """The two levels of equal M: gap^2 = (v B + A M)^2 + A^2 ((I+1/2)^2 - M^2) with v = g mu_B + g_n mu_N."""
    A, g, g_n = 1.4754 * KELVIN_PER_GIGAHERTZ, 2.0003, 0.914
    v = g * MU_B + g_n * MU_N
    ds = clock_transitions(donor(I, A, g, g_n), (1e-3, 0.4), frequency=(0.05, 20))
    parallel = ds.where(ds.moment_parallel > 1e-6, drop=True)
    M = np.arange(-(I - 0.5), 0.0)  # those with B > 0
    order = np.argsort(-A * M / v)
    np.testing.assert_allclose(parallel.field, (-A * M / v)[order], rtol=1e-9)
    np.testing.assert_allclose(parallel.gap, (A * np.sqrt((I + 0.5) ** 2 - M**2))[order], rtol=1e-12)
    np.testing.assert_allclose(parallel.far_slope, v, rtol=1e-9)
    np.testing.assert_allclose(parallel.moment_parallel, v / (2 * MU_B), rtol=1e-9)
    assert np.all(parallel.moment_perpendicular < 1e-12)


def test_spin_one_is_an_exact_hyperbola():
    E, g = 0.1, 2.2
    ds = clock_transitions(ms.giant_spin(1, D=-1.0, E=E, g=g), (-0.1, 0.1), states=2)
    assert ds.sizes["transition"] == 1
    assert float(ds.field[0]) == pytest.approx(0.0, abs=1e-12)
    assert float(ds.gap[0]) == pytest.approx(2 * E)
    assert float(ds.frequency[0]) == pytest.approx(2 * E / KELVIN_PER_GIGAHERTZ)
    assert float(ds.far_slope[0]) == pytest.approx(2 * g * MU_B)
    assert float(ds.curvature[0]) == pytest.approx((2 * g * MU_B) ** 2 / (2 * E))
    assert float(ds.moment_parallel[0]) == pytest.approx(g)
    assert (int(ds.level_from[0]), int(ds.level_to[0])) == (0, 1)
    assert set(ds.label_from.values[0].split(" & ")) == {"m=1", "m=-1"}


@pytest.mark.parametrize("span", [(0.0, 0.1), (-0.1, 0.0), (-0.05, 0.12)])
def test_an_extremum_on_the_edge_or_on_the_grid_is_found(span):
    ds = clock_transitions(ms.giant_spin(1, D=-1.0, E=0.1), span, states=2)
    np.testing.assert_allclose(ds.field, [0.0], atol=1e-12)


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (1.0, 0.4, 0.3)])
def test_against_numerical_derivatives_without_symmetry(axis):
    terms = [ZeroFieldSplitting(-0.8, 0.2), Stevens(4, 3, 0.01), Stevens(4, -1, 0.004)]
    system = SpinSystem("low", [Spin(3, 1.7)], terms)
    ds = clock_transitions(system, (-0.8, 1.0), axis=axis, frequency=(0.1, 300), least_moment=0.0, step=2e-3)
    assert ds.sizes["transition"] >= 5
    h = 1e-4
    for entry in (ds.isel(transition=k) for k in range(ds.sizes["transition"])):
        B = float(entry.field)
        energy = ms.levels(system, B=B + h * np.array([-1.0, 0.0, 1.0]), axis=axis).energy.values
        gap = energy[:, int(entry.level_to)] - energy[:, int(entry.level_from)]
        assert float(entry.gap) == pytest.approx(gap[1], rel=1e-10)
        slope, curvature = (gap[2] - gap[0]) / (2 * h), (gap[2] - 2 * gap[1] + gap[0]) / h**2
        assert abs(slope) < 1e-6 * MU_B * 10
        assert float(entry.curvature) == pytest.approx(curvature, rel=1e-3, abs=1e-4)


def test_every_extremum_of_a_dense_scan_is_there():
    """All pairs of levels of one block: as many extrema as the scan of the gaps has."""
    system = SpinSystem("low", [Spin(2, 2.0)], [ZeroFieldSplitting(-1.0, 0.25), Stevens(4, 1, 0.01)])
    B = np.linspace(-1.5, 2.5, 8001)
    axis = (0.3, 0.2, 1.0)
    energy = ms.levels(system, B=B, axis=axis).energy.values
    low, high = 0.1 * KELVIN_PER_GIGAHERTZ, 200 * KELVIN_PER_GIGAHERTZ
    expected = []
    for i in range(5):
        for j in range(i + 1, 5):
            gap = energy[:, j] - energy[:, i]
            turns = np.flatnonzero(np.diff(np.sign(np.diff(gap)))) + 1
            expected += [B[k] for k in turns if low < gap[k] < high]
    ds = clock_transitions(system, (-1.5, 2.5), axis=axis, frequency=(0.1, 200), least_moment=0.0, step=4e-3)
    assert len(expected) == ds.sizes["transition"]
    np.testing.assert_allclose(np.sort(ds.field), np.sort(expected), atol=2e-3)


def test_exact_crossings_are_no_clock_transitions():
    axial = ms.giant_spin(2, D=-1.0)
    with pytest.raises(InputError, match="span must contain a stationary transition"):
        clock_transitions(axial, (-1.0, 1.0))
    # a Kramers doublet crosses itself at B = 0 inside one block when there is no symmetry
    half = SpinSystem("half", [Spin(1.5, 2.0)], [ZeroFieldSplitting(-1.0, 0.1), Stevens(2, 1, 0.05)])
    with pytest.raises(InputError, match="widen span or frequency"):
        clock_transitions(half, (-0.01, 0.01))


def test_forbidden_and_weak_ones_can_be_kept():
    system = donor(1.5, 0.1)
    few = clock_transitions(system, (1e-3, 0.3), frequency=(0.05, 20))
    all_of_them = clock_transitions(system, (1e-3, 0.3), frequency=(0.05, 20), least_moment=0.0)
    assert all_of_them.sizes["transition"] >= few.sizes["transition"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"span": (1.0, 0.0)}, "span must rise from lo to hi"),
        ({"frequency": (0.0, 1.0)}, "frequency must be positive"),
        ({"frequency": (2.0, 1.0)}, "frequency must rise"),
        ({"states": 1}, "states must be at least 2"),
        ({"states": 4}, "states must be at most 3"),
        ({"step": 0.0}, "step must be positive"),
        ({"least_moment": -1.0}, "least_moment must be zero or positive"),
    ],
)
def test_bad_arguments_are_one_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        clock_transitions(ms.giant_spin(1, D=-1.0, E=0.1), **{"span": (0.0, 1.0), **arguments})
    with pytest.raises(InputError, match="system must be a SpinSystem"):
        clock_transitions("how10", (0.0, 0.1))  # type: ignore[arg-type]


def test_levels_that_touch_have_no_curvature():
    """H = B sigma_x: at B = 0 both levels meet with opposite slopes."""
    G = np.array([[0.0, 1.0], [1.0, 0.0]])
    block = _Block(np.arange(2), np.zeros((2, 2)), G)
    assert [block.at(0.0, level)[1] for level in (0, 1)] == [np.inf, np.inf]
    assert block.at(0.1, 0)[1] == pytest.approx(0.0, abs=1e-12)


def test_energy_is_that_of_the_lower_level_above_the_ground():
    system = ms.giant_spin(2, D=-1.0, E=0.1)
    ds = clock_transitions(system, (-0.01, 0.01), least_moment=0.0)
    levels = ms.levels(system, 0.0).energy.values
    expected = levels[ds.level_from.values] - levels[0]
    np.testing.assert_allclose(ds.energy, expected, atol=1e-12)
