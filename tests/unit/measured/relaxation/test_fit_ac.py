"""Fits of isotherms: what is refused and why, odd data, units, and fits that do not disturb each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mesospin.errors import InputError
from mesospin.measured.relaxation.ac_data import ac_data
from mesospin.measured.relaxation.ac_models import (
    AC_MODELS,
    Debye,
    DoubleGeneralisedDebye,
    GeneralisedDebye,
    HavriliakNegami,
)
from mesospin.measured.relaxation.fit_ac import fit_ac
from mesospin.store import open_result, save

F = np.geomspace(0.1, 1500, 25)
PLANTED = {"tau": 0.01, "chi_S": 0.1, "chi_T": 2.0, "alpha": 0.1}


def data(chi, f=F, T=4.0, **options):
    return ac_data(f, chi.real, -chi.imag, T, unit="cm3/mol", **options)


def noisy(noise, seed=0, f=F, **changes):
    rng = np.random.default_rng(seed)
    chi = GeneralisedDebye().chi(f, **(PLANTED | changes))
    return chi + noise * (rng.standard_normal(len(f)) + 1j * rng.standard_normal(len(f)))


def verdict(chi, model=None, **options):
    fit = fit_ac(data(chi, **options), model)
    assert int(fit.determined[0]) == 0
    assert np.isnan(fit.tau if "tau" in fit else fit.tau1).all()
    assert np.isnan(fit.model_real).all()
    return str(fit.verdict.values[0])


def test_one_frequency_is_not_fitted():
    assert "one frequency" in verdict(np.full(6, 1.0 - 0.5j), f=np.full(6, 10.0))
    assert "one frequency" in verdict(np.array([1.0 - 0.5j]), f=np.array([10.0]))


def test_as_many_parameters_as_numbers_are_refused():
    f = np.array([1.0, 100.0])
    assert "4 numbers for 4 parameters" in verdict(GeneralisedDebye().chi(f, **PLANTED), f=f)


def test_noise_alone_has_no_time():
    rng, found = np.random.default_rng(3), 0
    n, curves = len(F), 200
    chi = 1.0 + 0.02 * (rng.standard_normal(n * curves) + 1j * rng.standard_normal(n * curves))
    fit = fit_ac(data(chi, np.tile(F, curves), np.repeat(np.arange(curves) + 1.0, n)))
    found = int(fit.determined.sum())
    assert found <= 2
    assert all(fit.verdict.values[fit.determined.values == 0])


def test_chi_of_the_wrong_sign_is_said_and_never_turned_over():
    assert "negative" in verdict(np.conj(noisy(0.002)))
    assert "negative" in verdict(-noisy(0.002))


def test_single_negative_values_of_chi_imag_are_data():
    chi = noisy(0.05, seed=4)
    assert (chi.imag > 0).any()
    fit = fit_ac(data(chi))
    assert fit.sizes["point"] == len(F)
    assert float(abs(fit.tau[0] - 0.01) / fit.tau_error[0]) < 4


def test_an_arc_narrower_than_debye_is_refused():
    assert "narrower" in verdict(noisy(0.001, alpha=-0.2))


def test_alpha_just_below_zero_is_held_with_its_error():
    fits = [fit_ac(data(noisy(0.03, seed, alpha=0.0))) for seed in range(20)]
    held = [fit for fit in fits if "held" in str(fit.verdict.values[0])]
    assert 4 <= len(held) <= 16
    for fit in held:
        assert float(fit.alpha[0]) == 0.0
        assert float(fit.alpha_error[0]) > 0.003
        assert abs(float(fit.tau[0]) - 0.01) < 4 * float(fit.tau_error[0])


def test_a_diamagnetic_background_is_said():
    assert "diamagnetism" in verdict(noisy(0.002, chi_S=-0.3))


def test_peak_outside_the_window_is_fitted_where_the_data_fix_it():
    fit = fit_ac(data(noisy(0.0005, tau=10.0)))
    assert "outside the window" in str(fit.verdict.values[0])
    assert float(fit.tau[0]) == pytest.approx(10.0, rel=0.1)
    assert verdict(noisy(0.02, tau=1e4))
    assert "open" in verdict(noisy(0.02, tau=30.0))


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e6])
def test_units_do_not_matter(scale):
    whole, part = fit_ac(data(noisy(0.01))), fit_ac(data(scale * noisy(0.01)))
    assert float(part.tau[0]) == pytest.approx(float(whole.tau[0]), rel=1e-6)
    assert float(part.tau_error[0]) == pytest.approx(float(whole.tau_error[0]), rel=1e-6)
    assert float(part.chi_T_error[0]) == pytest.approx(scale * float(whole.chi_T_error[0]), rel=1e-6)
    assert float(part.chi2[0]) == pytest.approx(scale**2 * float(whole.chi2[0]), rel=1e-6)


@given(factor=st.floats(-12, 12))
@settings(max_examples=20, deadline=None)
def test_the_unit_of_time_does_not_matter(factor):
    chi = noisy(0.01)
    fit = fit_ac(data(chi, F * np.exp(factor)))
    assert float(fit.tau[0] * np.exp(factor)) == pytest.approx(float(fit_ac(data(chi)).tau[0]), rel=1e-6)


def test_isotherms_of_unequal_length_are_fitted_as_alone():
    lengths, rows = (25, 7, 12, 40), []
    for k, n in enumerate(lengths):
        f = np.geomspace(0.5, 800, n)
        rows.append((f, noisy(0.01, k, f, tau=0.003 * (k + 1)), np.full(n, 2.0 + k)))
    f, chi, T = (np.concatenate(part) for part in zip(*rows, strict=True))
    mixed = np.random.default_rng(0).permutation(len(f))
    fit = fit_ac(data(chi[mixed], f[mixed], T[mixed]))
    for k, (own_f, own_chi, own_T) in enumerate(rows):
        alone = fit_ac(data(own_chi, own_f, own_T))
        for name in ("tau", "tau_error", "alpha", "chi_T", "ln_tau_width"):
            assert float(fit[name][k]) == pytest.approx(float(alone[name][0]), rel=1e-6)


def test_every_point_twice_gives_the_same_values_and_smaller_errors():
    chi = noisy(0.01)
    once, twice = fit_ac(data(chi)), fit_ac(data(np.tile(chi, 2), np.tile(F, 2)))
    assert float(twice.tau[0]) == pytest.approx(float(once.tau[0]), rel=1e-6)
    ratio = np.sqrt((50 - 4) / (100 - 4))
    assert float(twice.tau_error[0]) == pytest.approx(ratio * float(once.tau_error[0]), rel=1e-5)


def test_one_refused_isotherm_leaves_the_others_as_they_are():
    f, T = np.tile(F, 3), np.repeat([2.0, 3.0, 4.0], len(F))
    rng = np.random.default_rng(2)
    flat = 0.5 + 0.05 * (rng.standard_normal(len(F)) + 1j * rng.standard_normal(len(F)))
    fit = fit_ac(data(np.concatenate([noisy(0.01), flat, noisy(0.01, 1)]), f, T))
    assert fit.determined.values.tolist() == [1, 0, 1]
    assert float(fit.tau[0]) == pytest.approx(float(fit_ac(data(noisy(0.01), T=2.0)).tau[0]), rel=1e-7)


def test_zero_and_constant_data_are_refused_in_words():
    assert verdict(np.zeros(25) + 0j)
    assert verdict(np.full(25, 2.0 + 0j))


@given(
    arrays(np.float64, (2, 12), elements=st.floats(-1e9, 1e9)),
    st.sampled_from(sorted(AC_MODELS)),
)
@settings(max_examples=25, deadline=None)
def test_any_numbers_give_a_fit_or_a_reason(numbers, name):
    fit = fit_ac(data(numbers[0] - 1j * numbers[1], np.geomspace(1, 1000, 12)), AC_MODELS[name])
    assert int(fit.determined[0]) == 1 or str(fit.verdict.values[0])


def test_weights_count_bad_points_less():
    rng = np.random.default_rng(8)
    chi, sigma = noisy(0.0), np.full(25, 0.002)
    sigma[::5] = 0.3
    chi = chi + sigma * (rng.standard_normal(25) + 1j * rng.standard_normal(25))
    weighed = fit_ac(data(chi, chi_real_error=sigma, chi_imag_error=sigma), weights="errors")
    assert abs(float(weighed.ln_tau[0]) - np.log(0.01)) < 4 * float(weighed.ln_tau_error[0]) < 0.05
    assert float(weighed.ln_tau_error[0]) < 0.2 * float(fit_ac(data(chi)).ln_tau_error[0])
    with pytest.raises(InputError, match="weights must be"):
        fit_ac(data(chi), weights="errors")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1.0, -2.0], [1.0, 1.0], [0.1, 0.1], 4.0), "frequency must be positive"),
        (([1.0, 2.0], [1.0, np.nan], [0.1, 0.1], 4.0), "chi_real must"),
        (([1.0, 2.0], [1.0], [0.1, 0.1], 4.0), "chi_real must have one number"),
        (([1.0, 2.0], [1.0, 1.0], [0.1, 0.1], 0.0), "T must|temperature must"),
    ],
)
def test_impossible_columns_are_refused_at_the_door(columns, message):
    with pytest.raises(InputError, match=message):
        ac_data(*columns, unit="cm3/mol")


def test_other_datasets_and_models_are_refused():
    with pytest.raises(InputError, match="data must be ac susceptibility"):
        fit_ac(fit_ac(data(noisy(0.01))))
    with pytest.raises(InputError, match="model must be"):
        fit_ac(data(noisy(0.01)), "debye")


def test_the_result_goes_to_a_file_and_back(tmp_path):
    fit = fit_ac(data(noisy(0.01)), DoubleGeneralisedDebye())
    assert open_result(save(fit, tmp_path / "fit.nc") or tmp_path / "fit.nc").identical(fit)


def test_exact_data_give_exact_parameters():
    for model in (Debye(), GeneralisedDebye(), HavriliakNegami()):
        values = {n: PLANTED.get(n, 0.7) for n in model.names}
        fit = fit_ac(data(model.chi(F, **values)), model)
        for name, value in values.items():
            assert float(fit[name][0]) == pytest.approx(value, rel=1e-6)
