"""The response to an alternating field: exact limits, causality, closed forms, and an integration in time."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mesospin.bath.disorder import Molecule
from mesospin.bath.phonons import phonon_prefactor
from mesospin.constants import HBAR, MU_B
from mesospin.dynamics.branch import molecule_frame
from mesospin.dynamics.rates import rates_at
from mesospin.dynamics.response import boltzmann, debye_sum, levels_at, modes_at
from mesospin.experiment.ac.ac_susceptibility import ac_susceptibility
from mesospin.experiment.ac.static_parts import static_parts
from mesospin.experiment.relaxation import relaxation_rates
from mesospin.model.environment import NuclearBath, PhononBath
from mesospin.model.library import load
from mesospin.model.system import giant_spin
from mesospin.thermo.susceptibility import susceptibility

Z = (0.0, 0.0, 1.0)
BATH = PhononBath(density=2000.0, sound_speed=2000.0, coupling=1.0)
ONE = PhononBath(density=2000.0, sound_speed=2000.0, coupling=1.0, one_quantum=1 / 24, two_quanta=0.0)


@pytest.mark.parametrize("name", ["mn12ac", "erw10-repaired", "fe8"])
@pytest.mark.parametrize("B", [0.0, 0.3])
def test_slow_and_fast_drives_give_the_isothermal_and_the_adiabatic_limit(name, B):
    system = load(name)
    T = np.array([2.0, 4.0])
    bath = {} if system.defaults.phonons else {"bath": BATH}
    slow, fast = 1e-20, 1e20
    ds = ac_susceptibility(system, T, B, [slow, fast], dipolar=None, disorder=None, **bath)
    exact = susceptibility(system, T, B).chi.values[..., 2, 2]
    np.testing.assert_allclose(ds.chi_T.values[:, 0], exact, rtol=1e-9)
    np.testing.assert_allclose(ds.chi_real.values[:, 0, 0], exact, rtol=1e-3 if B else 1e-6)
    np.testing.assert_allclose(ds.chi_real.values[:, 0, 1], ds.chi_S.values[:, 0], rtol=1e-9, atol=1e-12)
    assert np.all(ds.chi_S.values >= 0)


def test_van_vleck_part_of_a_singlet_is_adiabatic():
    """The two lowest levels of S = 1 in a rhombic field have no moment: all of chi is of second order."""
    system = giant_spin(1, D=-20.0, E=2.0, g=2.0)
    carried, mixed = static_parts(
        Molecule(1.0, system, Z, (0.0, 0.0)), np.zeros(1), np.array([0.2]), 0.0, 1e-3
    )
    # <a|g Sz|b> = 2 across a gap of 2 E = 4 K at T << 4 K: chi = 2 mu_B g^2/gap
    assert mixed[0, 0] == pytest.approx(2 * MU_B * 4 / 4.0, rel=1e-6)
    assert abs(carried[0, 0]) < 1e-8 * mixed[0, 0]


def _dense(system, T, B, **kw):
    frequency = np.geomspace(1e-6, 1e12, 4001)
    ds = ac_susceptibility(system, T, B, frequency, dipolar=None, disorder=None, **kw)
    return 2 * np.pi * frequency, ds


@pytest.mark.parametrize(("name", "T", "B"), [("erw10-repaired", 5.0, 0.1), ("mn12ac", 4.0, 0.05)])
def test_sum_rule_and_kramers_kronig(name, T, B):
    omega, ds = _dense(load(name), T, B)
    lnw, lost = np.log(omega), ds.chi_imag.values[0, 0]
    step = float(ds.chi_T.values[0, 0] - ds.chi_S.values[0, 0])
    assert np.trapezoid(lost, lnw) == pytest.approx(np.pi / 2 * step, rel=1e-4)
    # chi'(w) - chi_S = (2/pi) int [x chi''(x) - w chi''(w)]/(x^2 - w^2) dx, the principal part taken out
    for k in (800, 1500, 2200):
        w = omega[k]
        with np.errstate(invalid="ignore"):
            kernel = omega * (omega * lost - w * lost[k]) / (omega**2 - w**2)
        kernel[k] = 0.5 * (kernel[k - 1] + kernel[k + 1])
        found = 2 / np.pi * np.trapezoid(kernel, lnw)
        assert found == pytest.approx(
            float(ds.chi_real.values[0, 0, k] - ds.chi_S.values[0, 0]), abs=1e-4 * step
        )


def test_direct_process_between_two_levels():
    """Two levels e apart relax with s e^3 coth(e/2T); the third lies 200 K above."""
    E, B = 0.5, 0.3
    system = giant_spin(1, D=-200.0, E=E, g=2.0)
    zeeman = 0.8 * 2.0 * MU_B * B
    gap = 2 * np.hypot(E, zeeman)
    # V = Sx^2 - Sy^2 flips +1 and -1; between the mixed states its element is the cosine of their mixing
    # along the field, and {Sx, Sy} has the element 1
    share = (zeeman / np.hypot(E, zeeman)) ** 2 + 1
    strength = phonon_prefactor(BATH) * 2 * BATH.two_quanta * share
    T = np.array([0.3, 1.0, 3.0])
    ds = ac_susceptibility(system, T, B, [1.0], axis=(0.6, 0.0, 0.8), bath=BATH)
    rate = strength * gap**3 / np.tanh(gap / (2 * T))
    weight = ds.mode_weight.values[:, 0]
    main = np.take_along_axis(ds.mode_rate.values[:, 0], weight.argmax(axis=1)[:, None], 1)[:, 0]
    np.testing.assert_allclose(main, rate, rtol=1e-3)


def test_orbach_ladder():
    """L - X - R: the rates are gamma n and gamma (3n + 2), n = 1/(exp(D/T) - 1)."""
    D, T = 10.0, np.array([0.25, 1.0, 3.0, 30.0])
    ds = ac_susceptibility(giant_spin(1, D=-D, g=2.0), T, 0.0, [1.0], bath=ONE)
    # {Sx, Sz} and {Sy, Sz}: |<0|V|1>|^2 = 1/2 each
    gamma = phonon_prefactor(ONE) * 2 * ONE.one_quantum * (0.5 + 0.5) * D**3
    n = 1 / np.expm1(D / T)
    rates = ds.mode_rate.values[:, 0]
    np.testing.assert_allclose(rates[:, 1], gamma * n, rtol=1e-9)
    np.testing.assert_allclose(rates[:, 2], gamma * (3 * n + 2), rtol=1e-9)


def test_response_is_that_of_the_master_equation_in_a_small_field():
    """Lock-in detection of the populations integrated in time, at the rates of three of the modes."""
    system = giant_spin(2, D=-3.0, E=0.001, g=2.0)
    T, B, amplitude = 3.0, 0.4, 1e-4
    frame = molecule_frame(Molecule(1.0, system, Z, (0.0, 0.0)), BATH, (B - 0.1, B + 0.1))
    modes = modes_at(frame, np.array([B]), T)
    start = boltzmann(levels_at(frame, np.array([B]))[0], T)[0]
    for rate in modes.rate[0, [1, 2, 4]]:

        def slope(t, p, w=rate):
            R = rates_at(frame, B + amplitude * np.cos(w * t), T)
            return p @ R - p * R.sum(axis=1)

        period = 2 * np.pi / rate
        settled = np.ceil(12 * max(rate / modes.rate[0, 1], 1.0) / (2 * np.pi)) * period
        times = settled + np.linspace(0, period, 129)
        out = solve_ivp(slope, (0, times[-1]), start, "Radau", times, rtol=1e-9, atol=1e-14)
        _, dE = levels_at(frame, B + amplitude * np.cos(rate * times))
        moment = (-dE / MU_B * (out.y.T - start)).sum(axis=1)
        wave = np.exp(1j * rate * times)
        # moment = Re(chi b exp(i w t))
        found = 2 * np.trapezoid(moment * wave.conj(), times) / (period * amplitude)
        expected = debye_sum(modes, np.array([rate]))[0, 0]
        assert abs(found - expected) < 2e-3 * abs(expected)


@pytest.mark.parametrize("name", ["mn12ac", "erw10-repaired"])
def test_slowest_mode_is_the_relaxation_rate(name):
    system, T = load(name), [2.5, 4.0]
    ds = ac_susceptibility(system, T, 0.05, [1.0], dipolar=None, disorder=None)
    slow = relaxation_rates(system, T, 0.05, dipolar=None, disorder=None).slowest_rate.values
    np.testing.assert_allclose(ds.mode_rate.values[:, 0, 1], slow[:, 0], rtol=1e-3)


@pytest.mark.parametrize("T", [2.0, 4.5])
def test_two_wells_respond_as_all_levels_do(monkeypatch, T):
    """Up to frequencies at which the inner relaxation lags behind too."""
    system, frequency = load("mn12ac"), np.geomspace(1e-3, 1e7, 31)
    wells = ac_susceptibility(system, [T], 0.0, frequency, disorder=None)
    monkeypatch.setattr("mesospin.experiment.ac.ac_susceptibility.separate_wells", lambda *_: None)
    levels = ac_susceptibility(system, [T], 0.0, frequency, disorder=None)
    total = wells.chi_T.values[0, 0]
    np.testing.assert_allclose(wells.chi_imag, levels.chi_imag, rtol=3e-3, atol=1e-7 * total)
    np.testing.assert_allclose(wells.chi_real, levels.chi_real, rtol=1e-3, atol=1e-5 * total)


def _arrhenius(T, tau):
    return np.polyfit(1 / T, np.log(tau), 1)


def test_erbium_tungstate_relaxes_over_63_kelvin_where_phonons_rule():
    T = np.linspace(6.0, 12.0, 7)
    frequency = np.geomspace(1.0, 1e9, 400)
    ds = ac_susceptibility(load("erw10-repaired"), T, 0.0, frequency, dipolar=None)
    tau = 1 / (2 * np.pi * frequency[ds.chi_imag.values[:, 0].argmax(axis=-1)])
    barrier = _arrhenius(T, tau)[0]
    assert 60 < barrier < 68


def _tunnelling(x):
    """Window and transverse field of dipoles diluted to a fraction x, whose fields change while one tunnels.

    The window has the density of a Gaussian bias g_z mu_B sigma at its centre.
    """
    sigma, slope = 7.7e-3 * x, 15.6 * MU_B
    return {
        "dipolar": None,
        "nuclear": NuclearBath(np.sqrt(np.pi / 2) * slope * sigma),
        "transverse": (sigma, 0.0),
    }


def test_erbium_tungstate_tunnels_below_four_kelvin():
    """Flat where phonons are frozen out; thermal over the barrier above."""
    system, T = load("erw10-repaired"), np.array([0.5, 1.0, 2.0, 4.0, 12.0])
    rate = ac_susceptibility(system, T, 0.0, [1.0], **_tunnelling(1.0)).mode_rate.values[:, 0, 1]
    assert np.ptp(rate[:4]) < 0.02 * rate[0]
    assert rate[4] > 5 * rate[0]
    phonons = relaxation_rates(system, [4.0], 0.0, dipolar=None).slowest_rate.values[0, 0]
    assert phonons < 1e-2 * rate[0]


def test_field_suppresses_and_dilution_slows_tunnelling():
    system = load("erw10-repaired")

    def rate(B, x):
        return ac_susceptibility(system, [2.0], B, [1.0], **_tunnelling(x)).mode_rate.values[0, :, 1]

    pure = rate([0.0, 0.01, 0.03], 1.0)
    assert pure[0] > 1.4 * pure[1] > 1.4**2 * pure[2]
    # the splitting falls as x, the density of biases grows as 1/x
    assert rate([0.0], 0.1)[0] == pytest.approx(0.1 * pure[0], rel=0.01)


def test_window_of_the_nuclei_gives_one_tunnelling_time():
    """Without frozen fields the doublet is one Debye relaxation, 2 k(0) with k = pi Delta^2/(4 hbar xi0)."""
    system, xi0, transverse = load("erw10-repaired"), 0.05, 7.7e-3
    ds = ac_susceptibility(
        system, [2.0], 0.0, [1.0], dipolar=None, nuclear=NuclearBath(xi0), transverse=(transverse, 0.0)
    )
    H = np.linalg.eigvalsh
    from mesospin.spectrum.matrices import field_line

    levels = H(field_line(system, axis=Z, transverse=(transverse, 0.0)).at(0.0))
    gap = levels[1] - levels[0]
    k = np.pi * gap**2 / (2 * HBAR) / (2 * xi0)
    assert ds.mode_rate.values[0, 0, 1] == pytest.approx(2 * k, rel=1e-3)
    assert ds.mode_weight.values[0, 0, 1] > 0.999 * ds.mode_weight.values[0, 0].sum()


def test_tilt_and_powder_of_a_diluted_sample():
    """An Ising doublet responds with the square of the cosine, a powder with a third, at the same rate.

    Along another axis the degenerate excited doublets are split into other states, so rates agree roughly.
    """
    system, frequency = load("erw10-repaired"), np.geomspace(0.1, 1e4, 60)
    angle = np.radians(42.0)
    options = (
        {},
        {"axis": (np.sin(angle), 0.0, np.cos(angle))},
        {"powder": 11},
    )
    step, peak = [], []
    for option in options:
        ds = ac_susceptibility(system, 5.0, 0.0, frequency, dipolar=None, **option)
        step.append(float(ds.chi_T.values[0, 0] - ds.chi_S.values[0, 0]))
        peak.append(frequency[ds.chi_imag.values[0, 0].argmax()])
    np.testing.assert_allclose(np.array(step) / step[0], [1, np.cos(angle) ** 2, 1 / 3], rtol=1e-3)
    np.testing.assert_allclose(np.array(peak) / peak[0], 1.0, rtol=0.5)


def test_nuclei_make_a_multiplet_of_modes_and_broaden_the_loss():
    """167ErW10 at 1 K, where tunnelling rules: chi'' is half as high as for one time."""
    system, frequency = load("erw10-167:repaired"), np.geomspace(1e-1, 1e7, 121)
    ds = ac_susceptibility(system, 1.0, 0.0, frequency, **_tunnelling(1.0))
    weight = ds.mode_weight.values[0, 0]
    assert np.sum(weight > 0.05 * weight.sum()) >= 4
    step = ds.chi_T.values[0, 0] - ds.chi_S.values[0, 0]
    assert 0.4 < ds.chi_imag.values.max() / (step / 2) < 0.7
    assert ds.chi_S.values[0, 0] >= 0
