"""Decays, zero-field-cooled curves, blocking: against closed forms, an ODE solver and limits."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mesospin.bath.disorder import Molecule
from mesospin.bath.phonons import phonon_prefactor
from mesospin.constants import MU_B
from mesospin.dynamics.branch import molecule_frame
from mesospin.dynamics.propagate import evolve, propagators
from mesospin.dynamics.rates import rates_at
from mesospin.dynamics.response import boltzmann, levels_at
from mesospin.errors import InputError
from mesospin.experiment.blocking import blocking_temperature
from mesospin.experiment.decay import decay
from mesospin.experiment.relaxation import relaxation_rates
from mesospin.experiment.zero_field_cooled import zfc_fc
from mesospin.model.environment import NuclearBath, PhononBath
from mesospin.model.library import load
from mesospin.model.system import giant_spin

Z = (0.0, 0.0, 1.0)
BATH = PhononBath(density=2000.0, sound_speed=2000.0, coupling=1.0)
ONE = PhononBath(density=2000.0, sound_speed=2000.0, coupling=1.0, one_quantum=1 / 24, two_quanta=0.0)


def _chain(n, spread, seed):
    rng = np.random.default_rng(seed)
    energy = rng.uniform(0, 30, n)
    R = 10 ** rng.uniform(-spread / 2, spread / 2, (n, n))
    R = (R + R.T) * np.exp(np.clip(energy[:, None] - energy, None, 0))
    np.fill_diagonal(R, 0)
    return R, energy


@pytest.mark.parametrize("seed", range(3))
def test_populations_are_right_in_every_digit_over_24_decades(seed):
    """Against the exponential of the generator in 60 digits."""
    mp = pytest.importorskip("mpmath")
    R, _ = _chain(4, 23.0, seed)
    times = np.array([0.0, 1e-14, 3e-7, 1.7, 1e5, 1e12])
    start = np.array([1.0, 0.0, 0.0, 0.0])
    found = evolve(R, start, times)
    with mp.workdps(60):
        Q = mp.matrix(4, 4)
        for i in range(4):
            for j in range(4):
                if i != j:
                    Q[j, i] += mp.mpf(R[i, j])
                    Q[i, i] -= mp.mpf(R[i, j])
        values, vectors = mp.eig(Q)
        share = mp.lu_solve(vectors, mp.matrix(start.tolist()))
        for t, p in zip(times, found, strict=True):
            grown = mp.matrix([mp.exp(values[k] * mp.mpf(t)) * share[k] for k in range(4)])
            exact = np.array([float(mp.re(x)) for x in vectors * grown])
            if t == 0:
                exact = start
            np.testing.assert_allclose(p, exact, rtol=1e-12)
    assert np.all(found >= 0)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-15)


def test_propagators_keep_probability_and_equilibrium():
    R, energy = _chain(6, 20.0, 5)
    p = boltzmann(energy, 1.0)
    P = propagators(R, 1e9)
    np.testing.assert_allclose(P.sum(axis=0), 1.0, rtol=1e-14)
    np.testing.assert_allclose(P @ p, p, rtol=1e-10)


def test_orbach_decay_in_closed_form():
    """L - X - R from a small excess on the left decays with gamma n."""
    D, T = 10.0, 1.0
    system = giant_spin(1, D=-D, g=2.0)
    gamma = phonon_prefactor(ONE) * 2 * ONE.one_quantum * D**3
    rate = gamma / np.expm1(D / T)
    times = np.array([0.0, 0.3, 1.0, 3.0]) / rate
    ds = decay(system, T, 1e-3, 0.0, time=times, bath=ONE)
    np.testing.assert_allclose(ds.fraction.values[0], np.exp(-rate * times), rtol=1e-4)


def test_decay_against_an_ode_solver():
    """A spin 2 reversed by a field step, all levels, against a stiff solver."""
    system, T = giant_spin(2, D=-1.5, E=0.001, g=2.0), 1.0
    initial, final = -0.6, 0.4
    times = np.geomspace(1e-5, 10.0, 12)
    ds = decay(system, T, initial, final, time=times, bath=BATH)
    frame = molecule_frame(Molecule(1.0, system, Z, (0.0, 0.0)), BATH, (-3.0, 3.0))
    energy, slope = levels_at(frame, np.array([initial, final]))
    R = rates_at(frame, final, T)
    Q = R.T - np.diag(R.sum(axis=1))
    out = solve_ivp(
        lambda _, p: Q @ p, (0, times[-1]), boltzmann(energy, T)[0], "Radau", times, rtol=1e-10, atol=1e-14,
        jac=Q,
    )  # fmt: skip
    np.testing.assert_allclose(ds.moment.values[0], -(slope[1] / MU_B) @ out.y, rtol=1e-5, atol=1e-7)
    assert ds.start.values[0] < 0 < ds.equilibrium.values[0]


def test_two_wells_decay_as_all_levels_do(monkeypatch):
    system, times = load("mn12ac"), np.geomspace(0.1, 1e4, 12)
    wells = decay(system, 3.0, 0.2, 0.0, time=times, disorder=None)
    monkeypatch.setattr("mesospin.experiment.decay.slow_wells", lambda *_: None)
    levels = decay(system, 3.0, 0.2, 0.0, time=times, disorder=None)
    np.testing.assert_allclose(wells.fraction, levels.fraction, atol=2e-3)


def test_cold_decay_never_leaves_the_physical_range():
    system = load("erw10-repaired")
    ds = decay(system, [0.05, 2.0, 10.0], 1.0, -0.5, time=np.geomspace(1e-12, 1e12, 49), dipolar=None)
    assert np.all(np.diff(ds.moment.values, axis=1) <= 1e-9)
    assert np.all(ds.fraction.values > -1e-9)


def _master_curve(frame, legs, T0, T1, speed, start):
    """Integrate the populations along (temperature from, to, field) with a stiff solver."""
    p, values = start, []
    for first, last, B in legs:
        sign = np.sign(last - first)

        def slope(t, p, first=first, sign=sign, B=B):
            R = rates_at(frame, B, first + sign * speed * t)
            return p @ R - p * R.sum(axis=1)

        t = np.linspace(0, abs(last - first) / speed, 5)
        out = solve_ivp(slope, (0, t[-1]), p, "LSODA", t, rtol=1e-9, atol=1e-13)
        p = out.y[:, -1]
        values.append(-(levels_at(frame, np.array([B]))[1][0] / MU_B) @ out.y)
    return values


def test_zero_field_cooled_curves_against_an_ode_solver():
    system, B, speed = giant_spin(2, D=-5.0, g=2.0), 0.3, 20.0
    T = np.linspace(0.8, 3.0, 5)
    ds = zfc_fc(system, T, B, rate=speed, bath=BATH)
    frame = molecule_frame(Molecule(1.0, system, Z, (0.0, 0.0)), BATH, (-3.0, 3.0))
    start = boltzmann(levels_at(frame, np.zeros(1))[0], T[-1])[0]
    legs = [(T[-1], T[0], 0.0), (T[0], T[-1], B), (T[-1], T[0], B), (T[0], T[-1], B)]
    _, zfc, fcc, fcw = _master_curve(frame, legs, T[0], T[-1], speed, start)
    assert np.ptp(zfc) > 0.5  # the curve blocks inside the window
    np.testing.assert_allclose(ds.zfc.values[0], zfc, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(ds.fcc.values[0], fcc[::-1], rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(ds.fcw.values[0], fcw, rtol=2e-3, atol=2e-3)


def test_fast_sweeps_freeze_and_slow_ones_follow():
    system, T = giant_spin(2, D=-5.0, g=2.0), np.linspace(0.8, 3.0, 12)
    slow = zfc_fc(system, T, 0.3, rate=1e-9, bath=BATH)
    for name in ("zfc", "fcc", "fcw"):
        # the field has only just been switched on at the first point of ZFC
        np.testing.assert_allclose(slow[name][:, 1:], slow.equilibrium[:, 1:], rtol=1e-6)
    fast = zfc_fc(system, T, 0.3, rate=1e12, bath=BATH)
    assert np.ptp(fast.zfc.values) < 1e-3
    np.testing.assert_allclose(fast.zfc.values, 0.0, atol=1e-3)
    # what is frozen is the distribution over the states of the start, which zero field leaves without moment
    ratio = blocking_temperature(system, 0.3, time=[1e-3, 1.0], bath=BATH).blocking_temperature.values[0]
    assert ratio[0] > ratio[1]


def test_blocking_temperature_solves_tau_equal_time():
    system = load("mn12ac")
    ds = blocking_temperature(system, [0.05, 0.3], time=[1.0, 100.0], disorder=None)
    for k, B in enumerate((0.05, 0.3)):
        for j, time in enumerate((1.0, 100.0)):
            T = float(ds.blocking_temperature[k, j])
            tau = relaxation_rates(system, [T], B, disorder=None).tau.values[0, 0]
            assert tau == pytest.approx(time, rel=2e-3)


def test_nothing_is_blocked_where_tunnelling_is_fast():
    system = load("erw10-repaired")
    ds = blocking_temperature(system, dipolar=None, nuclear=NuclearBath(0.1), transverse=(7.7e-3, 0.0))
    assert np.isnan(ds.blocking_temperature.values[0, 0])
    assert "never blocked" in str(ds.verdict.values[0, 0])


def test_bad_input_is_named():
    system = load("mn12ac")
    with pytest.raises(InputError, match="time must be"):
        decay(system, 3.0, 0.1, 0.0, time=[-1.0])
    with pytest.raises(InputError, match="ascending"):
        zfc_fc(system, [3.0, 2.0], 0.1, rate=0.1)
    with pytest.raises(InputError, match="rate must be"):
        zfc_fc(system, [2.0, 3.0], 0.1, rate=0.0)
