"""Rates of small ladders in closed form, detailed balance, and the scaling of the relaxation time."""

import numpy as np
import pytest
from scipy import constants

import mesospin as ms
from mesospin.bath.phonons import phonon_strengths
from mesospin.constants import HBAR, MU_B
from mesospin.dynamics.branch import molecule_frame
from mesospin.dynamics.rates import line_rate, rates_at
from mesospin.dynamics.reduction import relaxation_modes
from mesospin.experiment.ensemble import ensemble

BATH = ms.PhononBath(density=1830, sound_speed=2000, coupling=0.548)
# D^2/(pi rho c^5 hbar^4) in SI, for energies in joules, then per kelvin cubed
SI = (0.548 * constants.k) ** 2 / (np.pi * 1830 * 2000.0**5 * constants.hbar**4) * constants.k**3
TEMPERATURES = [0.2, 0.7, 1.5, 4.0, 30.0]


def occupation(energy, T):
    return 1 / np.expm1(energy / T)


def modes(spin, T, B=0.0, bath=BATH):
    ds = ms.relaxation_rates(spin, T, B, bath=bath, dipolar=None, disorder=None)
    return ds.eigen_rate.values[:, 0]


def test_ladder_of_three():
    """S = 1: two wells and the state between them, rates gamma n and gamma (3n + 2)."""
    D = 1.7
    # W(0 <- +-1) = p1 (S+m)(S-m+1)(2m-1)^2 = 2/48 of the prefactor; m = 1 and -1 have no energy between them
    gamma = SI * 2 / 48 * D**3
    n = occupation(D, np.array(TEMPERATURES))
    found = modes(ms.giant_spin(1, D=-D), TEMPERATURES)
    # differences of rates of size gamma (3n + 2): rounding of an eigenvalue solver, 1e-14 of that
    scale = gamma * (3 * n + 2)
    np.testing.assert_allclose(found[:, 0], 0.0)
    np.testing.assert_allclose(found[:, 1], gamma * n, rtol=1e-10, atol=1e-14 * scale.max())
    np.testing.assert_allclose(found[:, 2], scale, rtol=1e-10)


def test_direct_process():
    """S = 1, m = 0 and m = -1 close together: one rate w (2n + 1) = w coth(d/2T)."""
    d, D = 0.5, 10.0
    T = np.array([0.2, 0.4, 0.6])
    w = SI * 2 / 48 * d**3
    found = modes(ms.giant_spin(1, D=D, g=2.0), T, B=(D - d) / (2 * MU_B))[:, 1]
    # m = 1 lies 19.5 K higher: its weight is below 1e-14
    np.testing.assert_allclose(found, w / np.tanh(d / (2 * T)), rtol=1e-9)


def test_ladder_of_four():
    """S = 3/2: modes even and odd in m are two 2 x 2 problems."""
    D = 0.9
    e = 2 * D
    # (S+m)(S-m+1)(2m-1)^2 = 12 for 3/2 -> 1/2, 0 for 1/2 -> -1/2; two quanta 3/2 -> -1/2: 12
    a, b = SI * e**3 * 12 / 48, SI * e**3 * 12 * 17 / 192
    for T in TEMPERATURES:
        n = occupation(e, T)
        even = (a + b) * (2 * n + 1)
        trace, det = (a + b) * (2 * n + 1), ((a + b) ** 2 - (a - b) ** 2) * n * (n + 1)
        odd = 2 * det / (trace + np.sqrt(trace**2 - 4 * det))
        expected = np.sort([0.0, odd, det / odd, even])
        np.testing.assert_allclose(
            modes(ms.giant_spin(1.5, D=-D), T)[0], expected, rtol=1e-9, atol=1e-14 * even
        )


@pytest.mark.parametrize("B", [0.0, 0.13])
def test_leuenberger_loss_elements(B):
    """All rates of an axial S = 10 from their formulas, energies with the field."""
    spin = ms.giant_spin(10, D=-0.548, A4=-1.17e-3, g=1.94)
    ds = ms.relaxation_rates(spin, 2.3, B, bath=BATH, dipolar=None)
    rate, energy = ds.rate.values[0, 0], ds.energy.values[0]
    S = 10
    m = np.round(-ds.moment.values[0] / 1.94).astype(int)
    np.testing.assert_allclose(energy, -0.548 * m**2 - 1.17e-3 * m**4.0 + 1.94 * MU_B * B * m, atol=1e-12)
    for i, start in enumerate(m):
        for f, stop in enumerate(m):
            k, s = stop - start, np.sign(stop - start)
            e = energy[f] - energy[i]
            if abs(k) == 1:
                element = (S - s * start) * (S + s * start + 1) * (2 * start + s) ** 2 / 48
            elif abs(k) == 2:
                element = (S - s * start) * (S + s * start + 1) * (S - s * start - 1) * (S + s * start + 2)
                element *= 17 / 192
            else:
                element = 0.0
            expected = SI * element * e**3 * occupation(e, 2.3) if abs(e) > 1e-9 else 0.0
            assert rate[f, i] == pytest.approx(expected, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("T", [0.02, 0.3, 2.0, 20.0])
@pytest.mark.parametrize("name", ["mn12ac", "fe8"])
def test_detailed_balance_and_gibbs(name, T):
    ds = ms.relaxation_rates(
        ms.load(name), T, [0.0, 0.31], transverse=(0.05, 0.02), disorder=None, dipolar=None
    )
    for k in range(2):
        rate, energy = ds.rate.values[0, k], ds.energy.values[k]
        assert np.all(np.isfinite(rate))
        assert np.all(rate >= 0)
        e = (energy - energy[:, None]) / T
        # W(b <- a) = W(a <- b) exp(-(E_b - E_a)/T): energies carry 1e-14 K, exponents end at 700
        sure = (np.abs(e) < 600) & (np.abs(e) > 1e-9)
        np.testing.assert_allclose(rate[sure], (rate.T * np.exp(np.clip(e, -700, 700)))[sure], rtol=1e-11)
        gibbs = np.exp(-(energy - energy.min()) / T)
        generator = rate - np.diag(rate.sum(axis=0))
        # nothing flows in equilibrium, on the scale of what flows in and out of each level
        flow = rate @ gibbs + rate.sum(axis=0) * gibbs
        np.testing.assert_allclose(generator @ gibbs, 0.0, atol=1e-11 * flow.max())
        # columns of the generator sum to zero
        assert np.abs(generator.sum(axis=0)).max() <= 1e-14 * rate.sum(axis=0).max()


def test_towards_zero_temperature():
    """Emission stays, absorption vanishes: rates downwards tend to s e^3."""
    spin = ms.giant_spin(10, D=-0.548, A4=-1.17e-3, g=1.94)
    cold = ms.relaxation_rates(spin, 0.02, 0.1, bath=BATH, dipolar=None)
    rate, energy = cold.rate.values[0, 0], cold.energy.values[0]
    drop = energy[None, :] - energy[:, None]
    neighbours = SI * np.abs(drop) ** 3
    strength = phonon_strengths(spin, BATH, np.eye(21)) / SI
    # the product basis runs from m = 10 down, the moment is -g m
    place = np.round(10 + cold.moment.values[0] / 1.94).astype(int)
    table = strength[np.ix_(place, place)]
    down = drop > 1.0
    np.testing.assert_allclose(rate[down], (table * neighbours)[down], rtol=1e-11, atol=1e-300)
    assert np.all(rate[drop < -1.0] < 1e-10)


def test_chain_of_resistances():
    """One-quantum ladder of S = 10: 1/rate = Z/2 sum exp(E_m/T)/W(m), conductances in series."""
    bath = ms.PhononBath(density=1830, sound_speed=2000, coupling=0.548, two_quanta=0.0)
    spin = ms.giant_spin(10, D=-0.548, A4=-1.17e-3, g=1.94)
    m = np.arange(10, -11, -1)
    energy = -0.548 * m**2 - 1.17e-3 * m**4.0
    energy -= energy.min()
    e = np.diff(energy)
    element = (10 + m[:-1]) * (10 - m[:-1] + 1) * (2 * m[:-1] - 1) ** 2 / 48
    for T in (1.5, 2.5, 3.5):
        W = SI * element * e**3 * occupation(e, T)
        series = np.sum(np.exp(energy[:-1] / T) / W)
        Z = np.sum(np.exp(-energy[:10] / T))
        ds = ms.relaxation_rates(spin, T, bath=bath, dipolar=None)
        # the top counts half to each well; lag inside the wells: slow rate over 1e5 1/s
        assert float(ds.slowest_rate[0, 0]) == pytest.approx(2 / (Z * series), rel=1e-5)


def test_relaxation_time_goes_with_the_fifth_power_of_sound_speed():
    spin = ms.giant_spin(10, D=-0.548, A4=-1.17e-3, g=1.94)
    slow, fast = (
        ms.relaxation_rates(
            spin, [2.0, 3.0], bath=ms.PhononBath(density=1830, sound_speed=c, coupling=0.548), dipolar=None
        ).tau.values
        for c in (1450, 2000)
    )
    np.testing.assert_allclose(fast / slow, (2000 / 1450) ** 5, rtol=1e-9)


@pytest.mark.parametrize("width", [1e-6, 1e-3])
def test_tunnelling_at_resonance(width):
    """k(0) = Delta^2/(2 hbar G) of the Lorentzian, pi Delta^2/(4 hbar xi0) of the window; one area."""
    gap = 3e-7
    assert line_rate(gap, 0.0, width, 0.0) == pytest.approx(gap**2 / (2 * HBAR * width), rel=1e-14)
    assert line_rate(gap, 0.0, 0.0, width) == pytest.approx(np.pi * gap**2 / (4 * HBAR * width), rel=1e-14)
    xi = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 200_001)]) * width
    area = np.pi * gap**2 / (2 * HBAR)
    for arguments in ((width, 0.0), (0.0, width)):
        rates = np.array([line_rate(gap, x, *arguments) for x in xi])
        # trapezoids on a logarithmic grid: 1e-8; the tail beyond 1e6 widths: 1e-6
        assert 2 * np.trapezoid(rates, xi) == pytest.approx(area, rel=3e-6)


def test_line_width_is_the_mean_of_the_lifetimes():
    """Half width of the resonance of (4, -4) in the rate matrix: hbar (gamma_a + gamma_b)/2."""
    spin = ms.giant_spin(10, D=-0.548, A4=-1.17e-3, C4=-1e-7, g=1.94)
    (molecule,) = ensemble(spin, None)
    frame = molecule_frame(molecule, BATH, (-0.5, 0.5))
    silent = frame._replace(crossings=type(frame.crossings)(*(x[:0] for x in frame.crossings)))
    T = 3.0
    gamma = rates_at(silent, 0.0, T)[[6, 14]].sum()
    gap = ms.tunnel_splitting(spin, (4, -4))
    G = HBAR * gamma / 2
    for factor in (0.0, 1.0, 3.0):
        B = factor * G / abs(gap.slope)
        forward, backward = (rates_at(frame, B, T)[i] for i in ((6, 14), (14, 6)))
        expected = gap.kelvin**2 / (2 * HBAR) / (G * (1 + factor**2))
        # the lifetimes change by the field, G/T = 1e-5 relative; the two directions average to k
        assert (forward + backward) / 2 == pytest.approx(expected, rel=1e-4)


def test_two_states():
    modes_found = relaxation_modes(np.array([[0.0, 2.0], [6.0, 0.0]]), np.array([0.0, 1.0]), 1 / np.log(3))
    np.testing.assert_allclose(modes_found, [0.0, 8.0], rtol=1e-12)
