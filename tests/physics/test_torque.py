"""Torque of a turning field against closed forms of a doublet and of weak fields, and the free energy."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.constants import MU_B
from mesospin.errors import InputError

ANGLES = np.radians(np.linspace(-20.0, 200.0, 45))


@pytest.mark.parametrize("T", [1e-3, 0.3, 4.0, 1000.0])
@pytest.mark.parametrize("B", [0.05, -1.0, 9.0])
def test_a_doublet_with_two_g_factors(T, B):
    """E = +-mu_B g(theta) B/2 with g^2 = gz^2 cos^2 + gx^2 sin^2, and F = -T ln 2 cosh(mu_B g B/2T)."""
    gz, gx = 9.0, 2.0
    ds = ms.torque(
        ms.giant_spin(0.5, D=0.0, g=[gx, gx, gz]), T, B, axis=(0, 0, 2), towards=(1, 0, 0), angle=ANGLES
    )
    g = np.hypot(gz * np.cos(ANGLES), gx * np.sin(ANGLES))
    slope = (gx**2 - gz**2) * np.sin(ANGLES) * np.cos(ANGLES) / g
    # dF/dtheta = -(mu_B B/2) g' tanh, in mu_B T
    expected = -0.5 * abs(B) * slope * np.tanh(MU_B * g * abs(B) / (2.0 * T))
    np.testing.assert_allclose(ds.torque_about, expected, rtol=1e-9, atol=1e-12 * abs(B))
    # the field turns from z to x about +y
    np.testing.assert_allclose(ds.torque.sel(component="y"), expected, rtol=1e-9, atol=1e-12 * abs(B))


def test_weak_fields_feel_the_anisotropy_of_the_susceptibility():
    """tau = (chi_zz - chi_xx) B^2 sin(2 theta)/2 about n = z x x."""
    molecule = ms.giant_spin(3, D=-0.7, E=0.1)
    chi = ms.susceptibility(molecule, 2.0).chi.values
    about = ms.torque(molecule, 2.0, 1e-3, towards=(5, 0, 1), angle=ANGLES).torque_about.values
    expected = (chi[2, 2] - chi[0, 0]) * 1e-6 * np.sin(2 * ANGLES) / 2
    np.testing.assert_allclose(about, expected, rtol=2e-6, atol=1e-12)


@pytest.mark.parametrize("neighbours", [None, ms.MeanField(-0.2)])
def test_torque_is_the_slope_of_the_free_energy_against_the_angle(neighbours):
    """Any plane, any molecule, two fields and two temperatures in one call."""
    molecule = ms.giant_spin(2, D=-3.0, E=0.5, g=[1.9, 2.0, 2.2])
    axis, towards = np.array([1.0, 2.0, -1.0]), np.array([0.3, 0.0, 2.0])
    T, B, angle, step = np.array([0.5, 6.0]), np.array([0.8, 4.0]), np.radians([10.0, 77.0, 140.0]), 1e-4
    ds = ms.torque(molecule, T, B, axis=axis, towards=towards, angle=angle, mean_field=neighbours)
    assert ds.torque_about.dims == ("temperature", "field", "angle")
    first = axis / np.linalg.norm(axis)
    second = towards - (towards @ first) * first
    second /= np.linalg.norm(second)
    for k, strength in enumerate(B):
        energies = []
        for sign in (1, -1):
            turned = angle + sign * step
            along = np.cos(turned)[:, None] * first + np.sin(turned)[:, None] * second
            ds_F = ms.free_energy(molecule, T, B_vector=strength * along, mean_field=neighbours)
            energies.append(ds_F.free_energy.values)
        slope = (energies[0] - energies[1]) / (2 * step)
        np.testing.assert_allclose(MU_B * ds.torque_about.values[:, k], slope, rtol=2e-6, atol=1e-9)


def test_dimensions_that_numbers_leave_behind():
    molecule = ms.giant_spin(1, D=-5.0)
    full = ms.torque(molecule, [2.0], [1.0], towards=(1, 0, 0), angle=[0.3])
    single = ms.torque(molecule, 2.0, 1.0, towards=(1, 0, 0), angle=0.3)
    assert single.torque.dims == ("component",)
    assert single.torque_about.values == pytest.approx(full.torque_about.values.item())
    assert (float(single.angle), float(single.field)) == (0.3, 1.0)
    line = ms.torque(molecule, 2.0, 1.0, towards=(1, 0, 0), angle=[0.1, 0.3])
    assert line.torque_about.dims == ("angle",)
    assert line.torque_about.values[1] == pytest.approx(single.torque_about.item())
    series = ms.torque(molecule, 2.0, [1.0, 2.0], towards=(1, 0, 0), angle=0.3)
    assert series.torque.dims == ("field", "component")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"towards": (1, 0, 0)}, "towards and angle must be given together"),
        ({"angle": 0.3}, "towards and angle must be given together"),
        ({"towards": (0, 0, -2), "angle": 0.3}, "not along axis"),
        ({"towards": (0, 0, 0), "angle": 0.3}, "not along axis"),
        ({"towards": (1, 0), "angle": 0.3}, "not along axis"),
        ({"towards": (1, 0, 0), "angle": []}, "angle"),
        ({"towards": (1, 0, 0), "angle": [[0.3]]}, "numbers or 1-D"),
        ({"towards": (1, 0, 0), "angle": np.nan}, "angle must be finite"),
        ({"towards": (1, 0, 0), "angle": 0.3, "B": None}, "B must be given where the field turns"),
    ],
)
def test_planes_that_are_none_are_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        ms.torque(ms.giant_spin(1, D=-5.0), 2.0, **({"B": 1.0} | options))
