"""Files of ccfit2: headings, units and rounding of its own files, and files that are none."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import InputError
from mesospin.measured.relaxation.ac_data import ac_data
from mesospin.measured.relaxation.decay_data import decay_data

F = np.geomspace(0.1, 1500, 25)
TWO = {
    "tau1": 0.1,
    "alpha1": 0.1,
    "D_chi1": 1.0,
    "tau2": 1e-3,
    "alpha2": 0.1,
    "D_chi2": 1.0,
    "chi_total": 0.1,
}
ONE = {"tau": 0.01, "chi_S": 0.1, "chi_T": 2.0, "alpha": 0.1, "gamma": 0.8}


def fitted(model, B=0.1):
    values = {
        name: (TWO if len(model.times) == 2 else ONE).get(name, ONE.get(name, 0.1)) for name in model.names
    }
    rng = np.random.default_rng(0)
    chi = model.chi(F, **values) + 0.002 * (rng.standard_normal(25) + 1j * rng.standard_normal(25))
    return ms.fit_ac(ac_data(F, chi.real, -chi.imag, 4.0, B=B, unit="cm3/mol"), model)


@pytest.mark.parametrize(
    "model", [ms.Debye(), ms.GeneralisedDebye(), ms.HavriliakNegami(), ms.DoubleGeneralisedDebye()]
)
def test_what_is_written_is_read_back(model, tmp_path):
    fit = fitted(model)
    again = ms.read_ccfit2(ms.write_ccfit2(fit, tmp_path / "a_params.csv"))
    assert again.attrs["model"] == model.title
    for name in again.data_vars:
        if name not in ("verdict", "determined"):
            assert again[name].values == pytest.approx(fit[name].values, rel=1e-9)
            assert again[name].attrs["units"] == fit[name].attrs["units"]
    assert float(again.field[0]) == pytest.approx(0.1)
    twice = ms.read_ccfit2(ms.write_ccfit2(again, tmp_path / "b_params.csv"))
    assert float(twice[model.times[0]][0]) == pytest.approx(float(fit[model.times[0]][0]))


def test_the_file_has_the_headings_of_ccfit2(tmp_path):
    lines = ms.write_ccfit2(fitted(ms.GeneralisedDebye()), tmp_path / "a_params.csv").read_text().splitlines()
    assert lines[0].startswith("#")
    assert lines[1] == (
        "T (K), H (Oe), tau (s), tau-s-dev (s), chi_S (cm^3 mol^-1), chi_S-s-dev (cm^3 mol^-1), "
        "chi_T (cm^3 mol^-1), chi_T-s-dev (cm^3 mol^-1), alpha (), alpha-s-dev (), <ln(tau)> (ln(s)), "
        "sigma_ln(tau) (ln(s)), fit_upper_ln(tau) (ln(s)), fit_lower_ln(tau) (ln(s))"
    )
    numbers = [float(word) for word in lines[2].split(",")]
    assert numbers[1] == pytest.approx(1000.0)
    assert numbers[-2] > numbers[-1]


OWN = """\
#This file was generated with ccfit2 v5.12.4 on 12:00:00 01-01-2026
T (K); H (Oe); tau (s); tau-s-dev (s); alpha (); <ln(tau)> (ln(s)); sigma_ln(tau) (ln(s)); fit_upper_ln(tau) (ln(s)); fit_lower_ln(tau) (ln(s))
5.0e+00; 1.0e+03; 1.6e-01; 1.6e-03; 1.0e-01; -1.83; 0.88; -1.84; -1.82
"""  # noqa: E501


def test_bounds_are_read_by_their_size_and_held_parameters_have_no_error(tmp_path):
    file = tmp_path / "x_params.csv"
    file.write_text(OWN)
    for text in (OWN, OWN.replace("-1.84; -1.82", "-1.82; -1.84")):
        file.write_text(text)
        data = ms.read_ccfit2(file)
        assert float(data.ln_tau_error[0]) == pytest.approx(0.01)
        assert float(data.tau_upper[0]) == pytest.approx(np.exp(-1.83 + 0.88))
        assert float(data.field[0]) == pytest.approx(0.1)
        assert np.isnan(float(data.alpha_error[0]))


def test_times_of_decays_are_called_tau_star(tmp_path):
    t = np.linspace(0, 1000, 101)
    moment = 1 + 2 * np.exp(-((t / 150) ** 0.7)) + 0.01 * np.random.default_rng(0).standard_normal(101)
    fit = ms.fit_decay(decay_data(t, moment, 2.0))
    file = ms.write_ccfit2(fit, tmp_path / "d_params.csv")
    assert ", tau* (s), tau*-s-dev (s), beta ()" in file.read_text()
    again = ms.read_ccfit2(file)
    for name in ("tau", "tau_error", "beta", "m_eq", "ln_tau", "ln_tau_width"):
        assert float(again[name][0]) == pytest.approx(float(fit[name][0]))


def test_rates_are_fitted_to_a_file(tmp_path):
    T = np.linspace(4.5, 9, 8)
    chi = np.concatenate(
        [ms.GeneralisedDebye().chi(F, tau=1e-6 * np.exp(60 / x), chi_S=0.1, chi_T=2.0, alpha=0.1) for x in T]
    )
    fit = ms.fit_ac(ac_data(np.tile(F, 8), chi.real, -chi.imag, np.repeat(T, 25), unit="cm3/mol"))
    data = ms.read_ccfit2(ms.write_ccfit2(fit, tmp_path / "a_params.csv"))
    assert ms.fit_rates(data, ms.Orbach()).value.values == pytest.approx([-6.0, 60.0], rel=1e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "headings and numbers"),
        ("T (K), H (Oe)\n1, 2\n", "<ln"),
        ("a, b\n1, 2\n", "T .K."),
        (OWN.replace("-1.83", "x"), "line 1 of numbers"),
        (OWN.replace("; -1.82", ""), "columns, got 8"),
    ],
)
def test_other_files_are_refused_in_words(text, message, tmp_path):
    file = tmp_path / "x.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        ms.read_ccfit2(file)


def test_nothing_to_write_is_refused(tmp_path):
    flat = ms.fit_ac(ac_data(F, np.ones(25), np.zeros(25), 4.0, unit="cm3/mol"))
    with pytest.raises(InputError, match="must hold a determined time"):
        ms.write_ccfit2(flat, tmp_path / "a.csv")
    with pytest.raises(InputError, match="fit must be"):
        ms.write_ccfit2(ms.rate_data([1.0, 2.0], [1.0, 2.0]), tmp_path / "a.csv")
