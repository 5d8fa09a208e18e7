"""Phonon bottleneck against its rate equations, and its two limits; the estimate of collective emission."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mesospin.bath.collective_emission import collective_emission_rate
from mesospin.constants import HBAR
from mesospin.errors import InputError
from mesospin.experiment.bottleneck import bottleneck_time
from mesospin.experiment.relaxation import relaxation_rates
from mesospin.model.environment import PhononBath
from mesospin.model.system import giant_spin

BATH = PhononBath(density=2000.0, sound_speed=2000.0, coupling=2.0)
SYSTEM = giant_spin(1, D=-200.0, E=0.5, g=2.0)
AXIS = (0.6, 0.0, 0.8)


def _time(T, B, size, width=0.01, **kw):
    return bottleneck_time(
        SYSTEM, T, B, size=size, volume=1000.0, line_width=width, axis=AXIS, bath=BATH, **kw
    )


def test_small_crystals_relax_by_the_direct_process():
    T = [0.5, 2.0]
    ds = _time(T, 0.3, 1e-25)
    np.testing.assert_allclose(ds.tau[:, :, 0], ds.direct, rtol=1e-6)
    modes = relaxation_rates(SYSTEM, T, 0.3, axis=AXIS, dipolar=None, bath=BATH)
    np.testing.assert_allclose(ds.direct[:, 0], 1 / modes.slowest_rate[:, 0], rtol=1e-3)


def test_strong_bottleneck_does_not_depend_on_the_coupling():
    strong = PhononBath(density=2000.0, sound_speed=2000.0, coupling=2000.0)
    weak = _time([0.5, 2.0], 0.3, 1.0)
    other = bottleneck_time(
        SYSTEM, [0.5, 2.0], 0.3, size=1.0, volume=1000.0, line_width=0.01, axis=AXIS, bath=strong
    )
    assert np.all(weak.factor > 1e3)
    np.testing.assert_allclose(other.tau, weak.tau, rtol=2e-3)
    # tau -> tau_ph (N/rho) tanh^2(delta/2T): T^-2 at high temperature
    ds = _time([20.0, 40.0], 0.3, 1e4, width=1e-6)
    assert float(ds.tau[0, 0, 0] / ds.tau[1, 0, 0]) == pytest.approx(4.0, rel=1e-3)
    delta, c = float(weak.splitting[0]), 2000.0
    modes = 3 * delta**2 * 0.01 / (2 * np.pi**2 * (HBAR * c) ** 3)
    expected = 1.0 / (2 * c) * (1e27 / modes) * np.tanh(delta / 4.0) ** 2
    assert float(weak.tau[1, 0, 0]) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("size", [1e-7, 1e-4, 1e-1])
def test_slow_time_of_the_rate_equations(size):
    """The population difference and the phonons integrated from a small disturbance."""
    T, c = 1.0, 2000.0
    ds = _time(T, 0.3, size)
    delta, tau, fast = float(ds.splitting[0]), float(ds.tau[0, 0, 0]), float(ds.tau_fast[0, 0, 0])
    p0 = 1 / np.expm1(delta / T)
    A = 1 / float(ds.direct[0, 0]) / (2 * p0 + 1)
    # per mode: N/rho spins share one oscillator
    spins = 1e27 / (3 * delta**2 * 0.01 / (2 * np.pi**2 * (HBAR * c) ** 3))
    life = size / (2 * c)

    def slope(_, y):
        ds_dt = A * (spins - y[0] * (2 * y[1] + 1))
        return [ds_dt, ds_dt / 2 - (y[1] - p0) / life]

    s0 = spins / (2 * p0 + 1)
    start = 40 * fast
    t = np.array([start, start + tau])
    out = solve_ivp(slope, (0, t[1]), [s0 * (1 - 1e-4), p0], "Radau", t, rtol=1e-10, atol=1e-12 * min(s0, p0))
    left = out.y[0] - s0
    assert np.log(left[0] / left[1]) == pytest.approx(1.0, rel=1e-2)


def test_estimate_of_collective_emission_and_its_erratum():
    """The expression as printed is a pure number; times Delta/hbar it is 3.8e3 1/s."""
    numbers = {"density": 3411.0, "volume": 3260.8, "sound_speed": 2300.0}
    rate = collective_emission_rate(7.5, 8e-5, 0.08, **numbers)
    assert rate == pytest.approx(3.8e3, rel=0.01)
    mass = 3411.0 * 3260.8e-30
    printed = 7.5 * np.sqrt(0.08 * 1.380649e-23 / (8 * mass * 2300.0**2))
    assert printed == pytest.approx(3.63e-4, rel=0.01)
    assert rate == pytest.approx(printed * 8e-5 / HBAR, rel=1e-5)
    with pytest.raises(InputError, match="splitting must be"):
        collective_emission_rate(7.5, 0.0, 0.08, **numbers)


def test_levels_that_do_not_split_are_refused():
    with pytest.raises(InputError, match="transverse field"):
        bottleneck_time(
            giant_spin(1, D=-200.0, g=2.0), 1.0, 0.0, size=1e-3, volume=1000.0, line_width=0.01, bath=BATH
        )
