"""Ensembles and the average over frozen fields."""

import numpy as np
import pytest
from scipy.special import ndtr

from mesospin.bath.disorder import frozen_field_average, molecules, tilted
from mesospin.model.environment import Disorder
from mesospin.model.library import load


def test_average_of_a_narrow_step_is_the_normal_distribution() -> None:
    edges = np.array([-1.0, 0.2, 0.2 + 1e-9, 1.0])
    values = np.array([0.0, 0.0, 1.0, 1.0])
    fields = np.linspace(-0.2, 0.5, 71)
    result = frozen_field_average(edges, values, fields, 0.025)
    # a cell of 1 mT widens the Gaussian by (step/sigma)^2/24 = 7e-5
    np.testing.assert_allclose(result, ndtr((fields - 0.2) / 0.025), atol=1e-4)


def test_straight_line_and_zero_width_are_kept() -> None:
    edges = np.array([-1.0, 0.3, 1.0])
    fields = np.linspace(-0.5, 0.5, 11)
    np.testing.assert_allclose(frozen_field_average(edges, 2 * edges, fields, 0.02), 2 * fields, atol=1e-12)
    np.testing.assert_allclose(
        frozen_field_average(edges, edges**2, fields, 0.0)[0], np.interp(-0.5, edges, edges**2)
    )


def test_solvent_ensemble_moments() -> None:
    """Gauss-Laguerre nodes carry the moments of a two-dimensional Gaussian: <theta^2> = 2 w^2."""
    disorder = Disorder.solvent(tilt_width=0.01, transverse_width=0.02, nodes=3)
    weight = np.array([member.weight for member in disorder.members])
    tilt = np.array([member.tilt for member in disorder.members])
    field = np.array([member.transverse[0] for member in disorder.members])
    assert weight @ tilt**2 == pytest.approx(2 * 0.01**2, rel=1e-12)
    assert weight @ tilt**4 == pytest.approx(8 * 0.01**4, rel=1e-12)
    assert weight @ field**2 == pytest.approx(2 * 0.02**2, rel=1e-12)


def test_library_ensemble_has_twelve_members() -> None:
    system = load("mn12ac")
    members = molecules(system, system.defaults.disorder, np.array([0.0, 0.0, 1.0]), (0.0, 0.0))
    assert len(members) == 12
    assert sum(member.weight for member in members) == pytest.approx(1.0)
    assert len(molecules(system, None, np.array([0.0, 0.0, 1.0]), (0.0, 0.0))) == 1


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 0, 0), (0.6, 0.0, 0.8)])
def test_tilt_is_the_angle_to_the_axis(axis: tuple[float, ...]) -> None:
    vector = np.array(axis, dtype=float)
    turned = np.array(tilted(vector, 0.3, 1.1))
    assert np.linalg.norm(turned) == pytest.approx(1.0)
    assert np.arccos(turned @ vector) == pytest.approx(0.3)
