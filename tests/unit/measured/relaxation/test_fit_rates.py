"""Laws of relaxation: planted laws, slopes, criteria by hand, bands by bootstrap, what is not quoted."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import InputError
from mesospin.measured.relaxation.processes import PROCESSES

T = np.geomspace(1.8, 20.0, 24)
LAW = ms.Orbach() + ms.Raman() + ms.Tunnelling()
PLANTED = np.array([-10.0, 120.0, -1.0, 3.5, 0.0])
"""10^10 exp(-120/T) + 0.1 T^3.5 + 1 per second."""


def times(law, values, T, B=0.0, error=0.05, seed=0):
    B = np.broadcast_to(B, T.shape)
    log_rate = law.log_rate(np.array([values]), T, B)[0]
    tau = np.exp(-log_rate + error * np.random.default_rng(seed).standard_normal(len(T)))
    return ms.rate_data(T, tau, B=B, tau_error=error * tau if error else None)


def test_rates_are_those_written_out():
    T, B = np.array([3.0]), np.array([0.2])
    written = {
        "orbach": ([-7.0, 40.0], 1e7 * np.exp(-40 / 3)),
        "raman": ([-2.0, 5.0], 1e-2 * 3**5),
        "phonon-pair-raman": ([4.0, 20.0], 1e4 * np.exp(20 / 3) / (np.exp(20 / 3) - 1) ** 2),
        "tunnelling": ([-3.0], 1e3),
        "field-tunnelling": ([-3.0, -2.0, 2.0], 1e3 / (1 + 1e2 * 0.2**2)),
        "direct": ([1.0], 30.0),
        "field-direct": ([2.0, 4.0, 1.0], 1e2 * 0.2**4 * 3),
        "field-raman": ([2.0, 2.0], 1e2 * 0.04),
        "constant": ([1.5], 10**1.5),
        "brons-van-vleck": ([2.0, 3.0, -2.0, 5.0], 1e-2 * 3**5 * (1 + 1e2 * 0.04) / (1 + 1e3 * 0.04)),
        "phonon-bottleneck": ([-1.0, 2.0, 1.0], 1 / (1 / 30 + 0.1 / 9)),
    }
    assert set(written) == set(PROCESSES)
    for name, (values, rate) in written.items():
        law = ms.RateLaw((PROCESSES[name](),))
        assert np.exp(law.log_rate(np.array([values]), T, B))[0, 0] == pytest.approx(rate, rel=1e-12)
        step = 1e-6 * np.eye(len(values))
        differences = [
            (law.log_rate(np.array([values]) + d, T, B) - law.log_rate(np.array([values]) - d, T, B))[0, 0]
            / 2e-6
            for d in step
        ]
        assert law.slopes(np.array([values]), T, B)[0, 0] == pytest.approx(differences, abs=1e-7)


def test_three_mechanisms_are_recovered_with_honest_errors():
    pulls = []
    for seed in range(40):
        fit = ms.fit_rates(times(LAW, PLANTED, T, seed=seed), LAW, starts=4)
        assert fit.determined.values.all()
        pulls.append((fit.value.values - PLANTED) / fit.error.values)
    inside = np.abs(pulls) < 1
    assert inside.mean() == pytest.approx(0.683, abs=0.08)
    assert (np.abs(pulls) < 3).mean() > 0.97


def test_criteria_are_those_of_the_definition():
    data = times(LAW, PLANTED, T)
    fit = ms.fit_rates(data, LAW)
    rest = (np.log(data.tau.values) - np.log(fit.tau_model.values)) / 0.05
    chi2, n, k = (rest**2).sum(), 24, 5
    assert float(fit.chi2) == pytest.approx(chi2)
    assert float(fit.reduced_chi2) == pytest.approx(chi2 / (n - k))
    assert float(fit.aic) == pytest.approx(chi2 + 2 * k)
    assert float(fit.aicc) == pytest.approx(chi2 + 2 * k + 2 * k * (k + 1) / (n - k - 1))
    assert float(fit.bic) == pytest.approx(chi2 + k * np.log(n))


def test_bands_are_those_of_the_bootstrap():
    fit = ms.fit_rates(times(LAW, PLANTED, T), LAW)
    truth, curves = fit.value.values, []
    for seed in range(40):
        again = ms.fit_rates(times(LAW, truth, T, seed=100 + seed), LAW, starts=4)
        curves.append(np.log(again.curve_tau.values))
    spread = np.std(curves, axis=0)
    band = np.log(fit.tau_upper / fit.tau_lower).values / 2 / np.sqrt(float(fit.reduced_chi2))
    assert np.median(spread / band) == pytest.approx(1.0, abs=0.12)
    assert np.all(np.abs(np.log(spread / band)) < 0.6)


def test_a_mechanism_that_never_shows_is_said_not_to_be_needed():
    shown = ms.Raman() + ms.Tunnelling()
    said = 0
    for seed in range(10):
        fit = ms.fit_rates(times(shown, [-1.0, 3.5, 0.0], T, seed=seed), LAW, starts=20)
        said += "do not need Orbach" in fit.attrs["verdict"] and np.isnan(fit.error.sel(parameter="u_eff"))
    assert said >= 9


def test_orbach_or_raman_over_a_narrow_range_cannot_be_told():
    narrow = np.linspace(8.0, 10.0, 9)
    data = times(ms.RateLaw((ms.Orbach(),)), [-8.0, 70.0], narrow)
    both = ms.fit_rates(data, ms.Orbach() + ms.Raman())
    assert "do not need Orbach or Raman" in both.attrs["verdict"]
    weights = ms.compare_rates(data, [ms.Orbach(), ms.Raman()]).weight.values
    assert weights.max() < 0.95
    assert weights.sum() == pytest.approx(1.0)
    wide = times(ms.RateLaw((ms.Orbach(),)), [-8.0, 70.0], T[8:])
    compared = ms.compare_rates(wide, [ms.Raman(), ms.Orbach()])
    assert compared.law.values[0] == "Orbach"
    assert compared.weight.values[0] > 0.999


def test_more_parameters_than_times_are_refused():
    with pytest.raises(InputError, match="at least as many times"):
        ms.fit_rates(times(LAW, PLANTED, T[:3]), LAW)
    with pytest.raises(InputError, match=r"fields above 0\.1 mT"):
        ms.fit_rates(times(LAW, PLANTED, T), ms.FieldDirect() + ms.Orbach())
    with pytest.raises(InputError, match="fixed must"):
        ms.fit_rates(times(LAW, PLANTED, T), LAW, fixed={"tau0": 1.0})


def test_as_many_times_as_parameters_give_no_error():
    fit = ms.fit_rates(times(ms.RateLaw((ms.Orbach(),)), [-8.0, 70.0], T[[15, 20]], error=0.0), ms.Orbach())
    assert fit.value.values == pytest.approx([-8.0, 70.0], rel=1e-4)
    assert np.isnan(fit.error.values).all()
    assert "no error can be given" in fit.attrs["verdict"]


def test_a_held_parameter_stays():
    fit = ms.fit_rates(times(LAW, PLANTED, T), LAW, fixed={"n": 3.5})
    assert float(fit.value.sel(parameter="n")) == 3.5
    free = ms.fit_rates(times(LAW, PLANTED, T), LAW)
    assert float(fit.error.sel(parameter="R")) < 0.5 * float(free.error.sel(parameter="R"))


def test_a_surface_of_temperature_and_field():
    law = ms.FieldTunnelling() + ms.FieldDirect() + ms.Orbach()
    values = [-3.0, -4.0, 2.0, 3.0, 4.0, 1.0, -9.0, 80.0]
    grid_T, grid_B = (a.ravel() for a in np.meshgrid(np.linspace(2, 14, 9), np.linspace(0.0, 1.0, 9)))
    fit = ms.fit_rates(times(law, values, grid_T, grid_B), law)
    assert np.abs((fit.value.values - values) / fit.error.values).max() < 4


def test_brons_van_vleck_along_the_field():
    law, B = ms.BronsVanVleck(ms.ConstantRate()) + ms.FieldRaman(), np.geomspace(1e-3, 2.0, 40)
    values = [2.0, 4.0, 2.0, 1.5, 4.0]
    fit = ms.fit_rates(times(law, values, np.full(40, 2.0), B, error=0.02), law)
    assert fit.determined.values.all()
    assert np.abs((fit.value.values - values) / fit.error.values).max() < 4


def test_bottleneck_of_the_direct_process():
    law = ms.PhononBottleneck(ms.Direct()) + ms.Orbach()
    values = [0.0, 2.0, 2.0, -9.0, 80.0]
    cold = np.geomspace(0.02, 15, 40)
    fit = ms.fit_rates(times(law, values, cold, error=0.03), law)
    assert np.abs((fit.value.values - values) / fit.error.values)[fit.determined.values == 1].max() < 4
    assert fit.determined.sel(parameter=["B", "m", "u_eff"]).values.all()


@pytest.mark.parametrize(
    "bad", [{"tau": [1.0, -1.0]}, {"tau": [1.0]}, {"T": [0.0, 1.0]}, {"tau_error": [0.1, 0.0]}]
)
def test_impossible_times_are_refused(bad):
    columns = {"T": [1.0, 2.0], "tau": [1.0, 2.0], "tau_error": None} | bad
    with pytest.raises(InputError):
        ms.rate_data(columns["T"], columns["tau"], tau_error=columns["tau_error"])


def test_a_law_that_does_not_describe_the_data_is_said():
    tau = 1 / (1e8 * np.exp(-100 / T) + 3)
    verdict = ms.fit_rates(ms.rate_data(T, tau, tau_error=0.02 * tau), ms.Raman()).attrs["verdict"]
    assert "does not describe the data" in verdict
    right = ms.fit_rates(ms.rate_data(T, tau, tau_error=0.02 * tau), ms.Orbach() + ms.Tunnelling())
    assert right.attrs["verdict"] == "the data determine every parameter"
