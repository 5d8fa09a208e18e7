"""Curie-Weiss fits: the law itself, moments by closed form, windows that matter, refusals."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

from mesospin.errors import ConvergenceError, InputError
from mesospin.measured.curie_weiss import fit_curie_weiss
from mesospin.model.system import giant_spin
from mesospin.thermo.susceptibility import susceptibility

T = np.linspace(50.0, 300.0, 40)


def test_errors_cover_planted_constants():
    rng, pulls = np.random.default_rng(3), []
    for _ in range(60):
        chi = 1.3 / (T + 12.0) + 2e-5 * rng.standard_normal(40)
        fit = fit_curie_weiss(T, chi, unit="cgs", window=(50, 300), sigma=2e-5, windows=1)
        pulls.append((float(fit.weiss_temperature[0]) + 12.0) / float(fit.weiss_temperature_error[0]))
    assert kstest(pulls, norm.cdf).pvalue > 0.01


def test_a_free_spin_has_no_weiss_temperature_and_its_spin_only_moment():
    chi = susceptibility(giant_spin(2.5, D=0.0, g=2.0), T, powder=5).chi_molar.values
    fit = fit_curie_weiss(T, chi + 1e-3, unit="cgs", window=(50, 300), tip=1e-3)
    assert fit.weiss_temperature.values == pytest.approx(np.zeros(fit.sizes["window"]), abs=1e-6)
    assert fit.mu_eff.values == pytest.approx(2.0 * np.sqrt(35.0) / 2.0, rel=1e-9)


def test_zero_field_splitting_of_a_crystal_gives_a_temperature_without_coupling():
    """chi_zz = C/T [1 - D (2S - 1)(2S + 3)/(15 T) + ...], so theta_z = -D (2S - 1)(2S + 3)/15."""
    hot = np.linspace(3000.0, 9000.0, 30)
    chi = susceptibility(giant_spin(2, D=-5.0), hot).chi_molar.values[:, 2, 2]
    fit = fit_curie_weiss(hot, chi, unit="cgs", window=(3000, 9000))
    assert float(fit.weiss_temperature[0]) == pytest.approx(5.0 * 3 * 7 / 15, rel=5e-3)


def test_a_window_that_matters_is_said():
    cold = np.linspace(5.0, 100.0, 60)
    chi = susceptibility(giant_spin(2, D=-15.0), cold).chi_along_molar.values
    fit = fit_curie_weiss(cold, chi, unit="cgs", window=(20, 100), sigma=1e-5)
    assert "MORE THAN ITS ERRORS" in fit.attrs["verdict"]
    assert fit.low.values[0] >= 20.0
    assert np.all(np.diff(fit.low.values) > 0)


@pytest.mark.parametrize(("points", "windows"), [(40, 1), (4, 8)])
def test_one_window_is_compared_with_nothing(points, windows):
    few = T[:points]
    fit = fit_curie_weiss(few, 1.3 / (few + 12.0), unit="cgs", window=(50, 300), sigma=1e-5, windows=windows)
    assert f"from one window of {points} points; NOT COMPARED" in fit.attrs["verdict"]
    assert "errors" not in fit.attrs["verdict"]


def test_SI_and_the_order_of_points():
    chi = 1.3 / (T + 12.0)
    fit = fit_curie_weiss(T[::-1], 4e-6 * np.pi * chi[::-1], unit="SI", window=(50, 300))
    assert float(fit.curie_constant[0]) == pytest.approx(1.3, rel=1e-9)
    assert float(fit.weiss_temperature[0]) == pytest.approx(-12.0, rel=1e-8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": (60, 70)}, "at least 4 points"),
        ({"window": (300, 50)}, "exchange the two ends"),
        ({"window": (50, 300), "tip": 1.0}, "must be above tip"),
        ({"window": (50, 300), "unit": "emu"}, "unit must be one of"),
        ({"window": (50, 300), "windows": 0}, "windows must be at least 1"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(InputError, match=message):
        fit_curie_weiss(T, 1.3 / (T + 12.0), **({"unit": "cgs"} | options))


def test_no_law_is_no_answer():
    with pytest.raises(ConvergenceError, match="no Curie-Weiss law"):
        fit_curie_weiss(T, 1e-3 * T, unit="cgs", window=(50, 300))
