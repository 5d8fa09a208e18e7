"""Torque against the derivative of the free energy by the angle, and in the limits of symmetry."""

import numpy as np
import pytest

from mesospin.constants import AVOGADRO, K_B, MU_B
from mesospin.model.system import giant_spin
from mesospin.thermo.heat import free_energy
from mesospin.thermo.molecular_field import MeanField
from mesospin.thermo.torque import torque

MOLECULE = giant_spin(2, D=-3.0, E=0.4, g=[1.9, 2.0, 2.1])


def turned(vector, normal, angle):
    """Rodrigues' rotation."""
    n = np.array(normal) / np.linalg.norm(normal)
    v = np.array(vector)
    return v * np.cos(angle) + np.cross(n, v) * np.sin(angle) + n * (n @ v) * (1 - np.cos(angle))


@pytest.mark.parametrize("T", [0.3, 2.0, 30.0])
@pytest.mark.parametrize("normal", [(1, 0, 0), (0, 1, 0), (0.3, -0.5, 0.8)])
@pytest.mark.parametrize("mean_field", [None, MeanField(-0.2, 2.0)])
def test_torque_is_minus_the_slope_of_the_free_energy(T, normal, mean_field):
    B = np.array([1.0, 0.7, 2.0])
    # the crystal turning by +phi in a fixed field is the field turning by -phi
    fields = np.array([turned(B, normal, -sign * 1e-4) for sign in (1, -1)])
    F = free_energy(MOLECULE, T, B_vector=fields, mean_field=mean_field).free_energy_molar.values
    ds = torque(MOLECULE, T, B_vector=B, mean_field=mean_field)
    n = np.array(normal) / np.linalg.norm(normal)
    expected = -(F[0] - F[1]) / 2e-4
    assert ds.torque_molar.values @ n == pytest.approx(expected, rel=1e-5)
    assert ds.torque_molar.values / ds.torque.values == pytest.approx(AVOGADRO * K_B * MU_B, rel=1e-12)


def test_no_torque_along_principal_axes_and_shape_of_the_outer_product():
    ds = torque(MOLECULE, [1.0, 5.0], B_vector=3.0 * np.eye(3))
    assert ds.torque.dims == ("temperature", "field", "component")
    assert np.abs(ds.torque.values).max() < 1e-13
    assert torque(MOLECULE, 1.0, B=[0.0, 1.0], axis=(1, 0, 1)).torque.values[0] == pytest.approx(
        0.0, abs=1e-12
    )
