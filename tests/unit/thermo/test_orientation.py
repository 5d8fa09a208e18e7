"""Powder rules: what they integrate, and which symmetry they use."""

import numpy as np
import pytest
from scipy.integrate import lebedev_rule

import mesospin as ms
from mesospin.spectrum.matrices import affine_hamiltonian
from mesospin.thermo.orientation import field_symmetries, has_quarter_turn, powder_rules

FRAME = (0.3, 0.7, -0.2)
TILTED = ms.SpinSystem("tilted", [ms.Spin(1.5)], [ms.ZeroFieldSplitting(-1.0, 0.2, frame=FRAME)])
TIME_REVERSAL_ONLY = ((-1, -1, -1), (1, 1, 1))


@pytest.mark.parametrize("name", ["mn12ac", "fe8", "erw10-printed", "mn4-dimer", "how10"])
def test_molecules_along_their_axes_have_the_full_group(name):
    assert len(field_symmetries(ms.load(name))) == 8


def test_symmetry_goes_with_the_terms_that_break_it():
    assert field_symmetries(TILTED) == TIME_REVERSAL_ONLY
    odd = ms.giant_spin(2, D=-1.0).with_terms(ms.Stevens(3, 1, 0.1), ms.Stevens(3, -1, 0.1))
    assert field_symmetries(odd) == ((1, 1, 1),)
    one_plane = ms.giant_spin(2, D=-1.0).with_terms(ms.Stevens(2, 1, 0.1))
    assert field_symmetries(one_plane) == ((-1, -1, -1), (-1, 1, -1), (1, -1, 1), (1, 1, 1))
    # a g tensor with an xz element mixes what the half turn about z separates
    skew = ms.giant_spin(2, D=-1.0, g=((2, 0, 0.1), (0, 2, 0), (0, 0, 2)))
    assert field_symmetries(skew) == ((-1, -1, -1), (-1, 1, -1), (1, -1, 1), (1, 1, 1))


@pytest.mark.parametrize("system", [TILTED, ms.load("fe8"), ms.load("mn4-dimer")], ids=lambda s: s.name)
def test_equivalent_directions_have_the_same_levels_and_moments(system):
    n = np.array([0.36, -0.48, 0.8])
    G = affine_hamiltonian(system).G
    reference = ms.levels(system, B_vector=1.3 * n)
    for signs in field_symmetries(system):
        image = ms.levels(system, B_vector=1.3 * n * signs)
        scale = np.abs(reference.energy.values).max()
        np.testing.assert_allclose(image.energy, reference.energy, atol=1e-12 * scale)
        np.testing.assert_allclose(
            image.moment.values @ (n * signs), reference.moment.values @ n, atol=1e-8 * len(G[0])
        )


def test_quarter_turn_is_found_and_used():
    """Levels and moments along the field are the same at 90 degrees, and only then are directions dropped."""
    tetragonal, rhombic = ms.load("erw10-printed"), ms.load("fe8")
    assert has_quarter_turn(tetragonal)
    assert has_quarter_turn(ms.giant_spin(2, D=-1.0).with_terms(ms.Stevens(4, -4, 0.01)))
    assert not has_quarter_turn(rhombic)
    assert not has_quarter_turn(ms.giant_spin(2, D=-1.0, g=(1.9, 2.0, 2.1)))
    assert not has_quarter_turn(ms.giant_spin(2, D=-1.0).with_terms(ms.Stevens(4, 2, 0.01)))
    n, turned = np.array([0.36, -0.48, 0.8]), np.array([0.48, 0.36, 0.8])
    ahead, aside = (ms.levels(tetragonal, B_vector=1.3 * axis) for axis in (n, turned))
    np.testing.assert_allclose(ahead.energy, aside.energy, atol=1e-11)
    np.testing.assert_allclose(ahead.moment.values @ n, aside.moment.values @ turned, atol=1e-9)


@pytest.mark.parametrize("name", ["erw10-printed", "mn12ac", "mn4-dimer"])
def test_a_shortened_powder_is_that_of_every_direction(name):
    system = ms.load(name)
    points, weights = lebedev_rule(17)
    shortened, _ = powder_rules(system, 17)
    assert len(shortened.axes) <= 15
    average = [
        weight @ np.einsum("fld,fd->fl", ms.levels(system, B_vector=2.0 * axes).moment.values, axes)
        for axes, weight in ((points.T, weights / weights.sum()), (shortened.axes, shortened.weights))
    ]
    np.testing.assert_allclose(average[1], average[0], atol=1e-9)


@pytest.mark.parametrize("powder", [5, 15, 41, 131])
def test_rules_average_even_polynomials_exactly(powder):
    """<x^2a y^2b z^2c> over the sphere is (2a-1)!!(2b-1)!!(2c-1)!!/(2n+1)!!, n = a + b + c."""
    fine, coarse = powder_rules(ms.load("fe8"), powder)
    assert fine.degree == powder
    assert coarse.points * 3 <= fine.points or coarse.points == 6
    for rule in (fine, coarse):
        assert rule.weights.sum() == pytest.approx(1.0, rel=1e-14)
        np.testing.assert_allclose(np.linalg.norm(rule.axes, axis=1), 1.0, rtol=1e-14)
        for a, b, c in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (2, 0, 0), (1, 2, 3), (4, 1, 0)):
            if 2 * (a + b + c) > rule.degree:
                continue
            x, y, z = rule.axes.T
            found = float(rule.weights @ (x ** (2 * a) * y ** (2 * b) * z ** (2 * c)))
            double = [np.prod(np.arange(2 * k - 1, 0, -2)) for k in (a, b, c)]
            expected = np.prod(double) / np.prod(np.arange(2 * (a + b + c) + 1, 0, -2))
            assert found == pytest.approx(expected, rel=1e-11)


def test_without_symmetry_every_direction_is_kept():
    odd = ms.giant_spin(2, D=-1.0).with_terms(ms.Stevens(3, 1, 0.1), ms.Stevens(3, -1, 0.1))
    assert len(powder_rules(odd, 590)[0].axes) == 590
    assert len(powder_rules(TILTED, 590)[0].axes) == 295
    assert powder_rules(TILTED, 590)[0].degree == powder_rules(TILTED, 41)[0].degree
