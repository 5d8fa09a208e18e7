"""Two-phonon rates: the powers of Van Vleck come out, resonant parts are finite, detailed balance holds."""

import numpy as np
import pytest
from scipy.integrate import quad

from mesospin.bath.phonons import phonon_prefactor, quadrupoles
from mesospin.bath.raman import two_phonon_rates
from mesospin.constants import HBAR
from mesospin.experiment.ac.ac_susceptibility import ac_susceptibility
from mesospin.experiment.raman import raman_rates
from mesospin.experiment.relaxation import relaxation_rates
from mesospin.model.environment import DebyeLattice, PhononBath
from mesospin.model.library import load
from mesospin.model.system import giant_spin
from mesospin.spectrum.matrices import field_line

BATH = PhononBath(density=2000.0, sound_speed=2000.0, coupling=10.0)


def _levels(system, B):
    return np.linalg.eigh(field_line(system, axis=(0.0, 0.0, 1.0), transverse=(0.0, 0.0)).at(B))


def _rate(system, B, theta, T):
    E, U = _levels(system, B)
    return two_phonon_rates(system, BATH, theta, E, U, T, 2)[1, 0]


@pytest.mark.parametrize(
    ("system", "B", "power"),
    [
        (giant_spin(1.5, D=-400.0, E=30.0, g=2.0), 1e-9, 9),
        (giant_spin(2.5, D=-200.0, E=10.0, g=2.0), 1e-9, 9),
        (giant_spin(1, D=-1000.0, g=2.0), 0.0, 7),
        (giant_spin(2, D=-300.0, g=2.0), 0.0, 7),
    ],
    ids=["S=3/2", "S=5/2", "S=1", "S=2"],
)
def test_kramers_and_other_doublets(system, B, power):
    T = np.array([0.25, 0.5, 1.0])
    rates = np.array([_rate(system, B, 300.0, t) for t in T])
    np.testing.assert_allclose(np.diff(np.log(rates)) / np.diff(np.log(T)), power, rtol=2e-3)


@pytest.mark.parametrize(
    ("system", "B", "order"),
    [(giant_spin(1.5, D=-2000.0, E=100.0, g=2.0), 1e-9, 8), (giant_spin(1, D=-4000.0, g=2.0), 0.0, 6)],
    ids=["J8", "J6"],
)
def test_debye_integrals_up_to_and_beyond_the_debye_temperature(system, B, order):
    theta, T = 40.0, np.array([2.0, 5.0, 10.0, 40.0, 100.0])

    def debye(t):
        top = min(theta / t, 100.0)
        return t ** (order + 1) * quad(lambda x: x**order * np.exp(x) / np.expm1(x) ** 2, 0, top)[0]

    ratio = np.array([_rate(system, B, theta, t) / debye(t) for t in T])
    np.testing.assert_allclose(ratio / ratio[0], 1.0, rtol=2e-3)


def test_non_kramers_doublet_in_closed_form():
    """S = 1, D large: A = -sum V V'/D twice, W = hbar C^2/(2 pi) sum lambda lambda' |A|^2 6! zeta(6) T^7."""
    D, T = 1e5, 1.0
    system = giant_spin(1, D=-D, g=2.0)
    # {Sx, Sz} and {Sy, Sz} lead over |0> with elements of size 1/sqrt 2; their phases add up in pairs:
    # xx gives 1/2, yy -1/2, xy and yx +-i/2 each, all between +1 and -1, and both orders of each pair
    total = 4 * (2 * 0.5 / D) ** 2 * (2 * BATH.one_quantum) ** 2
    from scipy.special import zeta

    expected = HBAR / (2 * np.pi) * phonon_prefactor(BATH) ** 2 * total * 720 * zeta(6) * T**7
    assert _rate(system, 0.0, 300.0, T) == pytest.approx(expected, rel=1e-6)


def test_part_in_resonance_is_the_finite_one():
    """The integral on the real axis with a small eta converges to the one along the path."""
    system, T, theta = giant_spin(1, D=-12.0, g=2.0), 3.0, 30.0
    E, U = _levels(system, 0.0)
    V = np.array([U.conj().T @ q @ U for _, q in quadrupoles(system, BATH)])
    weight = np.array([w for w, _ in quadrupoles(system, BATH)])

    def integral(eta):
        w = np.linspace(0, theta, 600_001)[1:-1]
        S = np.zeros(len(w))
        for q in range(4):
            for r in range(4):
                amplitude, mirror = 0j, 0j
                for c in range(3):
                    one, two = V[r, 0, c] * V[q, c, 1], V[q, 0, c] * V[r, c, 1]
                    first, second = 1 / (w - E[c] + E[1] + 1j * eta), 1 / (w - E[0] + E[c] + 1j * eta)
                    amplitude = amplitude + one * first - two * second
                    mirror = mirror + np.conj(one) * first - np.conj(two) * second
                S += weight[q] * weight[r] * (amplitude * mirror).real
        n = 1 / np.expm1(w / T)
        return np.trapezoid(w**6 * n * (n + 1) * S, w)

    # the difference falls linearly with eta
    expected = 2 * integral(2e-3) - integral(4e-3)
    found = two_phonon_rates(system, BATH, theta, E, U, T, 2)[1, 0]
    scale = HBAR / (2 * np.pi) * phonon_prefactor(BATH) ** 2
    assert found == pytest.approx(scale * expected, rel=2e-3)


def test_detailed_balance_and_phonons_that_are_not_there():
    system = load("erw10-repaired")
    ds = raman_rates(system, 5.0, 0.2, lattice=DebyeLattice(60.0))
    R, E = ds.rate.values[0], ds.energy.values
    a, b = 1, 0
    assert R[a, b] / R[b, a] == pytest.approx(np.exp(-(E[a] - E[b]) / 5.0), rel=1e-12)
    far = (E[:, None] - E) >= 60.0
    assert np.all(R[far] == 0)


def test_raman_adds_to_the_relaxation_of_a_molecule():
    """Above direct and below Orbach processes the mode is the two-phonon rate of the doublet."""
    system, lattice, T, B = load("erw10-repaired"), DebyeLattice(150.0), [1.0, 1.5], 1e-4
    strong = PhononBath(density=3411.0, sound_speed=1200.0, coupling=40.0)
    ds = relaxation_rates(system, T, B, dipolar=None, bath=strong, raman=lattice)
    raman = raman_rates(system, T, B, bath=strong, lattice=lattice).rate.values
    expected = raman[:, 0, 1] + raman[:, 1, 0]
    alone = relaxation_rates(system, T, B, dipolar=None, bath=strong).slowest_rate.values[:, 0]
    assert np.all(expected > 10 * alone)
    np.testing.assert_allclose(ds.slowest_rate.values[:, 0], alone + expected, rtol=1e-3)
    modes = ac_susceptibility(system, T, B, [1.0], dipolar=None, bath=strong, raman=lattice).mode_rate
    np.testing.assert_allclose(modes.values[:, 0, 1], alone + expected, rtol=1e-3)
