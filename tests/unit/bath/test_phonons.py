"""One-phonon strengths against the axial formulas, and their behaviour in any basis."""

import numpy as np
import pytest

from mesospin.bath.phonons import phonon_prefactor, phonon_strengths
from mesospin.errors import InputError
from mesospin.model.environment import PhononBath
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin

BATH = PhononBath(density=1830.0, sound_speed=2000.0, coupling=0.548)


@pytest.mark.parametrize("S", [1, 1.5, 4.5, 10])
def test_axial_matrix_elements(S: float) -> None:
    """s1 = (S-m)(S+m+1)(2m+1)^2 / 48 and s2 = 17 (S-m)(S+m+1)(S-m-1)(S+m+2) / 192."""
    n = round(2 * S) + 1
    strength = phonon_strengths(giant_spin(S, D=-1.0), BATH, np.eye(n)) / phonon_prefactor(BATH)
    m = S - np.arange(n)
    for k in range(1, n):  # from m[k] up to m[k-1]
        s1 = (S - m[k]) * (S + m[k] + 1) * (2 * m[k] + 1) ** 2
        assert strength[k - 1, k] == pytest.approx(s1 / 48, rel=1e-12, abs=1e-12)
    for k in range(2, n):
        s2 = (S - m[k]) * (S + m[k] + 1) * (S - m[k] - 1) * (S + m[k] + 2)
        assert strength[k - 2, k] == pytest.approx(17 * s2 / 192, rel=1e-12)
    assert np.all(np.triu(strength, 3) == 0)


def test_prefactor_in_si_units() -> None:
    k_B, hbar = 1.380649e-23, 1.054571817e-34
    D = 0.548 * k_B
    expected = D**2 / (np.pi * 1830.0 * 2000.0**5 * hbar**4) * k_B**3
    assert phonon_prefactor(BATH) == pytest.approx(expected, rel=1e-8)  # digits of hbar above


def test_strengths_are_symmetric_and_do_not_see_phases() -> None:
    system = giant_spin(2, D=-1.0, E=0.1)
    rng = np.random.default_rng(1)
    states, _ = np.linalg.qr(rng.normal(size=(5, 5)) + 1j * rng.normal(size=(5, 5)))
    strength = phonon_strengths(system, BATH, states)
    np.testing.assert_allclose(strength, strength.T, rtol=1e-10)
    turned = states * np.exp(1j * rng.normal(size=5))
    np.testing.assert_allclose(phonon_strengths(system, BATH, turned), strength, rtol=1e-10)


def test_a_spin_half_does_not_couple() -> None:
    system = SpinSystem("half", (Spin(0.5, 2.0),), ())
    with pytest.raises(InputError, match="S >= 1"):
        phonon_strengths(system, BATH, np.eye(2))
