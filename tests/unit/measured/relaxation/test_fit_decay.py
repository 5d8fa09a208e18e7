"""Decays of the moment: planted decays, equilibria known and not, double decays, the square-root law."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import curve_fit

import mesospin as ms
from mesospin.errors import InputError
from mesospin.measured.relaxation.decay_data import decay_data

TIME = np.linspace(0.0, 2000.0, 201)


def decay(tau=300.0, beta=0.7, m_eq=1.0, m_0=3.0, noise=0.01, seed=0, time=TIME):
    moment = m_eq + (m_0 - m_eq) * np.exp(-((time / tau) ** beta))
    return moment + noise * np.random.default_rng(seed).standard_normal(len(time))


def test_errors_cover_with_and_without_a_known_equilibrium():
    free, held = [], []
    for seed in range(30):
        data = decay_data(TIME, decay(seed=seed), 2.0)
        for fits, equilibrium in ((free, None), (held, 1.0)):
            fit = ms.fit_decay(data, equilibrium=equilibrium)
            fits.append([(float(fit.tau[0]) - 300.0) / float(fit.tau_error[0]), float(fit.tau_error[0])])
    for fits in (free, held):
        assert np.mean(np.abs(np.array(fits)[:, 0]) < 1) == pytest.approx(0.683, abs=0.25)


def test_a_known_equilibrium_helps_where_the_decay_is_not_over():
    time = np.linspace(0, 500, 101)
    data = decay_data(time, decay(time=time), 2.0)
    free, held = ms.fit_decay(data), ms.fit_decay(data, equilibrium=1.0)
    assert float(held.tau_error[0]) < 0.5 * float(free.tau_error[0])
    assert float(held.m_eq[0]) == 1.0


@pytest.mark.parametrize("end", [3.0, 30.0, 100.0, 300.0])
def test_times_longer_than_the_measurement_are_quoted_only_with_errors_that_hold(end):
    time, count = np.linspace(0, end, 50), 100
    moment = np.concatenate([decay(time=time, seed=seed) for seed in range(count)])
    fit = ms.fit_decay(decay_data(np.tile(time, count), moment, np.repeat(np.arange(count) + 1.0, 50)))
    quoted = fit.determined.values == 1
    pull = np.abs(np.log(fit.tau / 300.0) / (fit.tau_error / fit.tau)).values[quoted]
    assert (pull > 2).sum() / count < 0.12
    assert quoted.all() == (end == 300.0)


def test_scipy_finds_the_same_minimum_and_errors():
    moment = decay()
    fit = ms.fit_decay(decay_data(TIME, moment, 2.0))

    def curve(t, tau, beta, m_eq, m_0):
        return m_eq + (m_0 - m_eq) * np.exp(-((t / tau) ** beta))

    values, spread = curve_fit(curve, TIME, moment, p0=[200.0, 0.8, 1.1, 2.8], xtol=1e-12, ftol=1e-12)
    for name, value, sigma in zip(
        ("tau", "beta", "m_eq", "m_0"), values, np.sqrt(np.diag(spread)), strict=True
    ):
        assert float(fit[name][0]) == pytest.approx(value, abs=2e-3 * sigma)
        assert float(fit[f"{name}_error"][0]) == pytest.approx(sigma, rel=0.01)


def test_moments_of_ln_tau_of_a_stretched_exponential():
    """beta = 1/2: the density of 1/tau is known in closed form (H. Pollard, 1946)."""
    fit = ms.fit_decay(decay_data(TIME, decay(tau=100.0, beta=0.5, noise=0.0), 2.0))

    def density(x):  # x = ln(tau/tau_K): rate k = exp(-x), density of k: exp(-1/4k)/(2 sqrt(pi) k^(3/2))
        k = np.exp(-x)
        return np.exp(-1 / (4 * k)) / (2 * np.sqrt(np.pi) * k**1.5) * k

    total, mean, square = (quad(lambda x, n=n: x**n * density(x), -40, 6)[0] for n in range(3))
    assert total == pytest.approx(1.0, abs=1e-6)
    assert float(fit.ln_tau[0]) == pytest.approx(np.log(100.0) + mean, abs=1e-4)
    assert float(fit.ln_tau_width[0]) == pytest.approx(np.sqrt(square - mean**2), rel=1e-4)


def test_two_decays_are_told_apart():
    t = np.geomspace(0.1, 1e4, 200)
    moment = 0.2 + 2.0 * (0.6 * np.exp(-t / 1000) + 0.4 * np.exp(-t / 20))
    moment += 0.002 * np.random.default_rng(1).standard_normal(200)
    fit = ms.fit_decay(decay_data(t, moment, 2.0), ms.DoubleExponential(), origin=0.0)
    assert int(fit.determined[0]) == 1
    for name, value in {"tau1": 1000.0, "tau2": 20.0, "frac": 0.6, "m_eq": 0.2, "m_0": 2.2}.items():
        assert abs(float(fit[name][0]) - value) < 4 * float(fit[f"{name}_error"][0]) < 0.2 * value


def test_what_the_data_cannot_tell_is_refused():
    rng = np.random.default_rng(2)
    short = np.linspace(0, 3.0, 50)
    moments = {
        "noise": 1.0 + 0.01 * rng.standard_normal(201),
        "faster": 1.0 + np.exp(-((TIME / 300.0) ** 1.8)) + 0.001 * rng.standard_normal(201),
    }
    for moment in moments.values():
        fit = ms.fit_decay(decay_data(TIME, moment, 2.0))
        assert int(fit.determined[0]) == 0
        assert np.isnan(float(fit.tau[0]))
        assert str(fit.verdict.values[0])
    assert int(ms.fit_decay(decay_data(short, decay(time=short), 2.0)).determined[0]) == 0
    assert "as many" in str(ms.fit_decay(decay_data(TIME[:4], decay()[:4], 2.0)).verdict.values[0])


def test_temperatures_are_fitted_side_by_side():
    data = decay_data(
        np.tile(TIME, 2), np.concatenate([decay(), decay(tau=80.0)]), np.repeat([2.0, 3.0], 201)
    )
    fit = ms.fit_decay(data)
    assert fit.tau.values == pytest.approx([300.0, 80.0], rel=0.1)
    with pytest.raises(InputError, match="one for each of the 2"):
        ms.fit_decay(data, equilibrium=[1.0, 2.0, 3.0])


def test_square_root_law_with_errors_and_a_window_that_is_too_long():
    t, pulls = np.linspace(0, 100, 201), []
    for seed in range(30):
        moment = 2 * (1 - np.sqrt(t / 1e5)) + 0.002 * np.random.default_rng(seed).standard_normal(201)
        fit = ms.fit_square_root(decay_data(t, moment, 0.04), (0.0, 100.0))
        pulls.append((float(fit.rate[0]) - 1e-5) / float(fit.rate_error[0]))
        assert str(fit.verdict.values[0]) == "" or seed > 0
    assert np.mean(np.abs(pulls) < 1) == pytest.approx(0.683, abs=0.25)
    bent = 2 * np.exp(-np.sqrt(t / 100)) + 0.002 * np.random.default_rng(0).standard_normal(201)
    assert "not a square root" in str(
        ms.fit_square_root(decay_data(t, bent, 0.04), (0.0, 100.0)).verdict.values[0]
    )
    with pytest.raises(InputError, match="at least 4 points"):
        ms.fit_square_root(decay_data(t, bent, 0.04), (0.0, 1.0))
