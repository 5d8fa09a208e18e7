"""Shapes of the susceptibility: closed forms, distributions of ln tau, derivatives in 40 digits."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from mesospin.measured.relaxation.ac_models import (
    AC_MODELS,
    ColeDavidson,
    Debye,
    DoubleGeneralisedDebye,
    DoubleGeneralisedDebyeEqualChi,
    GeneralisedDebye,
    HavriliakNegami,
)

F = np.geomspace(1e-3, 1e6, 40)
VALUES = {
    "debye": {"tau": 3e-3, "chi_S": 0.2, "chi_T": 2.0},
    "generalised-debye": {"tau": 3e-3, "chi_S": 0.2, "chi_T": 2.0, "alpha": 0.2},
    "cole-davidson": {"tau": 3e-3, "chi_S": 0.2, "chi_T": 2.0, "gamma": 0.6},
    "havriliak-negami": {"tau": 3e-3, "chi_S": 0.2, "chi_T": 2.0, "alpha": 0.2, "gamma": 0.7},
    "double-generalised-debye": {
        "tau1": 1e-2, "alpha1": 0.1, "D_chi1": 1.0, "tau2": 1e-4, "alpha2": 0.3, "D_chi2": 0.5,
        "chi_total": 0.1,
    },
    "double-generalised-debye-equal-chi": {
        "tau1": 1e-2, "tau2": 1e-4, "alpha": 0.1, "chi_S": 0.2, "chi_T": 2.0,
    },
}  # fmt: skip


def exact(name, frequency, values):
    """Return chi' - i chi'' in 40 digits, written out once more."""
    v, i = {key: mpmath.mpf(value) for key, value in values.items()}, mpmath.mpc(0, 1)
    w = 2 * mpmath.pi * mpmath.mpf(frequency)

    def arc(tau, alpha=0, gamma=1):
        return (1 + (i * w * tau) ** (1 - alpha)) ** (-mpmath.mpf(gamma))

    if name == "double-generalised-debye":
        arcs = v["D_chi1"] * arc(v["tau1"], v["alpha1"]) + v["D_chi2"] * arc(v["tau2"], v["alpha2"])
        return v["chi_total"] + arcs
    height = v["chi_T"] - v["chi_S"]
    if name == "double-generalised-debye-equal-chi":
        return v["chi_S"] + height / 2 * (arc(v["tau1"], v["alpha"]) + arc(v["tau2"], v["alpha"]))
    return v["chi_S"] + height * arc(v["tau"], v.get("alpha", 0), v.get("gamma", 1))


def parameters(model, values):
    return np.array([[np.log(values[n]) if n in model.times else values[n] for n in model.names]])


@pytest.mark.parametrize("name", AC_MODELS)
def test_values_and_slopes_are_those_of_forty_digits(name):
    model, values = AC_MODELS[name], VALUES[name]
    chi, slopes = model.value_and_slopes(parameters(model, values), np.log(2 * np.pi * F)[None])
    with mpmath.workdps(40):
        for k in (0, 13, 20, 27, 39):
            assert chi[0, k] == pytest.approx(complex(exact(name, F[k], values)), rel=1e-12)
            for place, parameter in enumerate(model.names):

                def along(x, parameter=parameter, k=k):
                    return exact(name, F[k], values | {parameter: x})

                slope = complex(mpmath.diff(along, mpmath.mpf(values[parameter])))
                if parameter in model.times:
                    slope *= values[parameter]
                assert slopes[0, k, place] == pytest.approx(slope, rel=1e-8, abs=1e-13)


@given(
    alpha=st.floats(0.0, 0.95),
    chi_S=st.floats(0.0, 1.0),
    step=st.floats(1e-3, 10.0),
    log_tau=st.floats(-20, 10),
)
def test_height_of_the_peak_of_a_cole_cole_arc(alpha, chi_S, step, log_tau):
    tau = np.exp(log_tau)
    chi = GeneralisedDebye().chi(1 / (2 * np.pi * tau), tau=tau, chi_S=chi_S, chi_T=chi_S + step, alpha=alpha)
    assert -chi.imag == pytest.approx(step * np.tan(np.pi * (1 - alpha) / 4) / 2, rel=1e-9)
    assert chi.real == pytest.approx(chi_S + step / 2, rel=1e-9)


def test_limits_of_havriliak_negami():
    base = {"tau": 1e-2, "chi_S": 0.1, "chi_T": 1.0}
    model = HavriliakNegami()
    assert model.chi(F, **base, alpha=0.3, gamma=1.0) == pytest.approx(
        GeneralisedDebye().chi(F, **base, alpha=0.3)
    )
    assert model.chi(F, **base, alpha=0.0, gamma=0.4) == pytest.approx(
        ColeDavidson().chi(F, **base, gamma=0.4)
    )
    assert model.chi(F, **base, alpha=0.0, gamma=1.0) == pytest.approx(Debye().chi(F, **base))
    equal = DoubleGeneralisedDebyeEqualChi().chi(F, tau1=1e-2, tau2=1e-5, alpha=0.2, chi_S=0.1, chi_T=1.0)
    two = DoubleGeneralisedDebye().chi(
        F, tau1=1e-2, alpha1=0.2, D_chi1=0.45, tau2=1e-5, alpha2=0.2, D_chi2=0.45, chi_total=0.1
    )
    assert equal == pytest.approx(two)


def test_far_from_the_window_nothing_overflows():
    for name, model in AC_MODELS.items():
        values = {k: (1e200 if k.startswith("tau") else v) for k, v in VALUES[name].items()}
        chi, slopes = model.value_and_slopes(parameters(model, values), np.log(F)[None])
        assert np.isfinite(chi).all()
        assert np.isfinite(slopes).all()


def cole_cole(x, alpha):
    """Density of s = ln(tau/tau_c): K. S. Cole and R. H. Cole (1941), eq. 12."""
    return np.sin(alpha * np.pi) / (np.cosh((1 - alpha) * x) - np.cos(alpha * np.pi)) / (2 * np.pi)


def cole_davidson(x, gamma):
    """Density of s = ln(tau/tau_c) <= 0: D. W. Davidson and R. H. Cole (1951), eq. 6."""
    return np.sin(gamma * np.pi) / np.pi * (np.exp(x) / -np.expm1(x)) ** gamma


def havriliak_negami(x, alpha, gamma):
    """Density of s = ln(tau/tau_c): S. Havriliak and S. Negami (1967), eq. 12."""
    a, y = 1 - alpha, np.exp(x)
    angle = np.arctan2(np.sin(np.pi * a), y**a + np.cos(np.pi * a))
    below = (y ** (2 * a) + 2 * y**a * np.cos(np.pi * a) + 1) ** (gamma / 2)
    return y ** (a * gamma) * np.sin(gamma * angle) / below / np.pi


def moments(density, low, high):
    total, mean, square = (
        quad(lambda x, k=k: x**k * density(x), low, high, limit=500, points=None)[0] for k in range(3)
    )
    assert total == pytest.approx(1.0, abs=1e-5)
    return mean / total, np.sqrt(square / total - (mean / total) ** 2)


@pytest.mark.parametrize("alpha", [0.05, 0.3, 0.6])
def test_width_of_ln_tau_is_that_of_the_cole_cole_distribution(alpha):
    mean, width = GeneralisedDebye().log_time_moments(np.array([[0.0, 0.0, 1.0, alpha]]))
    exact_mean, exact_width = moments(lambda x: cole_cole(x, alpha), -60, 60)
    assert float(mean[0, 0]) == pytest.approx(exact_mean, abs=1e-7)
    assert float(width[0, 0]) == pytest.approx(exact_width, rel=1e-4)


@pytest.mark.parametrize("gamma", [0.3, 0.5, 0.9])
def test_moments_of_ln_tau_are_those_of_the_cole_davidson_distribution(gamma):
    mean, width = ColeDavidson().log_time_moments(np.array([[0.0, 0.0, 1.0, gamma]]))
    exact_mean, exact_width = moments(lambda x: cole_davidson(x, gamma), -80.0, 0.0)
    assert float(mean[0, 0]) == pytest.approx(exact_mean, rel=1e-3)
    assert float(width[0, 0]) == pytest.approx(exact_width, rel=1e-3)


@pytest.mark.parametrize(("alpha", "gamma"), [(0.2, 0.6), (0.4, 0.9), (0.3, 1.2)])
def test_moments_of_ln_tau_are_those_of_the_havriliak_negami_distribution(alpha, gamma):
    model = HavriliakNegami()
    row = np.array([[0.0, 0.0, 1.0, alpha, gamma]])
    mean, width = model.log_time_moments(row)
    exact_mean, exact_width = moments(lambda x: havriliak_negami(x, alpha, gamma), -80, 80)
    assert float(mean[0, 0]) == pytest.approx(exact_mean, rel=1e-4)
    assert float(width[0, 0]) == pytest.approx(exact_width, rel=1e-4)
    step = 1e-5 * np.eye(5)
    ahead, behind = (model.log_time_moments(row + sign * step)[0][:, 0] for sign in (1, -1))
    assert model.mean_slopes(row)[0, 0] == pytest.approx((ahead - behind) / 2e-5, abs=1e-8)
