"""Waveforms against the closed form of an exponential relaxor in an ideal square wave."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from mesospin.errors import InputError
from mesospin.measured.magnetometer.read import read_magnetometer
from mesospin.measured.relaxation.ac_data import ac_data
from mesospin.measured.relaxation.ac_models import Debye
from mesospin.measured.relaxation.decay_data import decay_data
from mesospin.measured.relaxation.fit_ac import fit_ac
from mesospin.measured.relaxation.waveform import waveform_susceptibility

AMPLITUDE = 8e-4
"""[T], 8 Oe."""
CHI_T = 2.5e-4
"""[emu/Oe]"""


def settled(t, period, tau):
    """Return field [T] and moment [emu] of a relaxor that has settled in an ideal square wave."""
    sign = np.where(t % period < period / 2, 1.0, -1.0)
    decay = 2 * np.exp(-(t % (period / 2)) / tau) / (1 + np.exp(-period / (2 * tau)))
    return AMPLITUDE * sign, CHI_T * AMPLITUDE * 1e4 * sign * (1 - decay)


def expected(frequency, tau):
    return CHI_T / (1 + 2j * np.pi * frequency * tau)


@pytest.mark.parametrize(
    ("period", "tau", "count"), [(1000.0, 100.0, 4000), (100.0, 60.0, 3000), (400.0, 5.0, 4000)]
)
def test_closed_form_at_unequal_times(period, tau, count):
    rng = np.random.default_rng(7)
    t = np.sort(rng.uniform(0.0, 4 * period, count))
    B, m = settled(t, period, tau)
    found = waveform_susceptibility(decay_data(t, m, 2.0, B=B))
    assert found.frequency.values == pytest.approx(np.array([1, 3, 5]) / period, rel=1e-3)
    wanted = expected(found.frequency.values, tau)
    chi = found.chi_real.values - 1j * found.chi_imag.values
    assert np.all(np.abs(chi - wanted) < 0.02 * np.array([1, 3, 5]) * np.abs(wanted))
    # What is quoted covers what is wrong.
    assert np.all(np.abs(chi.real - wanted.real) < 4 * found.chi_real_error.values)
    assert np.all(np.abs(chi.imag - wanted.imag) < 4 * found.chi_imag_error.values)
    assert found.chi_real.attrs["units"] == "emu/Oe"


def test_quoted_errors_are_of_the_size_of_the_true_ones():
    rng = np.random.default_rng(3)
    pulls = []
    for _ in range(40):
        t = np.sort(rng.uniform(0.0, 4000.0, 1000))
        B, m = settled(t, 1000.0, 200.0)
        found = waveform_susceptibility(decay_data(t, m + 2e-5 * rng.standard_normal(len(t)), 2.0, B=B))
        chi = expected(np.array([1, 3, 5]) / 1000.0, 200.0)
        pulls.append((found.chi_real.values - chi.real) / found.chi_real_error.values)
        pulls.append((found.chi_imag.values + chi.imag) / found.chi_imag_error.values)
    assert 0.4 < np.sqrt(np.mean(np.square(pulls))) < 1.4


def test_smooth_waves_are_exact():
    """A field and a moment of few harmonics lie in the series: nothing is left but rounding."""
    rng = np.random.default_rng(5)
    t = np.sort(rng.uniform(0.0, 500.0, 400))
    c = {k: 1.0 / k for k in (1, 3, 5)}
    B = 1e-4 * sum(a * np.cos(2 * np.pi * k * t / 100.0 - 0.3 * k) for k, a in c.items()) + 0.05
    chi = {k: expected(k / 100.0, 12.0) for k in c}
    m = sum(
        (a * chi[k] * np.exp(1j * (2 * np.pi * k * t / 100.0 - 0.3 * k))).real for k, a in c.items()
    ) + 500 * CHI_T  # fmt: skip
    found = waveform_susceptibility(decay_data(t, m, 3.0, B=B), period="100 s")
    wanted = np.array([chi[k] for k in c])
    assert found.chi_real.values == pytest.approx(wanted.real, rel=1e-9)
    assert found.chi_imag.values == pytest.approx(-wanted.imag, rel=1e-9)
    assert found.field.values == pytest.approx([0.05] * 3, rel=1e-9)


def test_records_of_several_periods_and_temperatures_become_isotherms():
    rng = np.random.default_rng(11)
    parts, start = [], 0.0
    for T, tau in ((2.0, 40.0), (3.0, 15.0)):
        for period in (800.0, 200.0, 50.0):
            t = np.sort(rng.uniform(0.0, 4 * period, 3000))
            B, m = settled(t, period, tau)
            parts.append(np.array([t + start, m, np.full(len(t), T) + 0.01 * rng.standard_normal(len(t)), B]))
            start += 4 * period
    t, m, T, B = np.concatenate(parts, axis=1)
    found = waveform_susceptibility(decay_data(t, m, T, B=B))
    assert found.sizes["isotherm"] == 2
    assert sorted(set((1 / found.frequency.values[:3]).round(0))) == [160.0, 267.0, 800.0]
    fit = fit_ac(found, Debye())
    assert fit.tau.values == pytest.approx([40.0, 15.0], rel=0.03)


def test_files_go_in_and_molar_susceptibilities_come_out(tmp_path):
    rng = np.random.default_rng(13)
    t = np.sort(rng.uniform(0.0, 1200.0, 2000))
    B, m = settled(t, 300.0, 30.0)
    rows = [
        f"{x!r},2.0,{1e4 * b!r},{y!r}" for x, b, y in zip(t.tolist(), B.tolist(), m.tolist(), strict=True)
    ]
    file = tmp_path / "w.dat"
    header = "[Header]\nBYAPP,SQUID VSM,1.0\nINFO,20,SAMPLE_MASS\nINFO,500,SAMPLE_MOLECULAR_WEIGHT\n[Data]\n"
    columns = "Time Stamp (sec),Temperature (K),Magnetic Field (Oe),Moment (emu)\n"
    file.write_text(header + columns + "\n".join(rows) + "\n")
    data = read_magnetometer(file, measurement="waveform")
    found = waveform_susceptibility(data)
    assert found.chi_real.attrs["units"] == "cm3/mol"
    wanted = expected(1 / 300.0, 30.0) / (0.020 / 500.0)
    assert found.chi_real.values[0] == pytest.approx(wanted.real, rel=0.03)
    assert found.chi_imag.values[0] == pytest.approx(-wanted.imag, rel=0.03)
    assert found.attrs["source"] == "w.dat"


def test_first_period_is_left_out_until_the_moment_has_settled():
    t = np.arange(0.05, 400.0, 0.1)
    B, m = settled(t, 100.0, 20.0)
    start = m + 2e-3 * np.exp(-t / 20.0)
    wanted = expected(0.01, 20.0)
    errors = []
    for skip in (0, 1):
        found = waveform_susceptibility(decay_data(t, start, 2.0, B=B), skip=skip)
        errors.append(abs(found.chi_real.values[0] - 1j * found.chi_imag.values[0] - wanted))
    assert errors[1] < errors[0] / 10
    default = waveform_susceptibility(decay_data(t, start, 2.0, B=B))
    xr.testing.assert_equal(default, found)


def test_what_cannot_be_used_is_said():
    t = np.linspace(0.0, 400.0, 2001)
    B, m = settled(t, 100.0, 20.0)
    T = np.where(t < 300.0, 2.0, 4.0)
    found = waveform_susceptibility(decay_data(t, m, T, B=B))
    assert found.sizes["isotherm"] == 1
    assert json.loads(found.attrs["left_out"]) == ["4 K: the field passes its middle less than three times"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"period": -1.0}, "period"),
        ({"period": "3 K"}, r"\[s\]"),
        ({"harmonics": 0}, "harmonics"),
        ({"skip": -1}, "skip"),
        ({"temperature_tolerance": -1.0}, "temperature_tolerance"),
    ],
)
def test_arguments_that_cannot_be(given, said):
    t = np.linspace(0.0, 400.0, 801)
    B, m = settled(t, 100.0, 20.0)
    with pytest.raises(InputError, match=said):
        waveform_susceptibility(decay_data(t, m, 2.0, B=B), **given)


def test_data_that_are_no_waveforms():
    with pytest.raises(InputError, match="moments"):
        waveform_susceptibility(ac_data([1.0], [1.0], [1.0], 2.0, unit="cm3/mol"))
    with pytest.raises(InputError, match="moments"):
        waveform_susceptibility(3)
    with pytest.raises(InputError, match="less than three times"):
        waveform_susceptibility(decay_data([0.0, 1.0, 2.0], [1.0, 0.5, 0.2], 2.0))
    with pytest.raises(InputError, match="too few"):
        waveform_susceptibility(decay_data([0.0, 1.0, 2.0], [1.0, 0.5, 0.2], 2.0), period=1.0)
    with pytest.raises(InputError, match="in emu"):
        waveform_susceptibility(decay_data([0.0, 1.0, 2.0], [1.0, 0.5, 0.2], 2.0, unit="mu_B"), period=1.0)


values = st.floats(min_value=-1e3, max_value=1e3)
rows = st.lists(st.tuples(values, values, values), min_size=1, max_size=60)


@settings(max_examples=100, deadline=None)
@given(rows, st.one_of(st.none(), st.floats(min_value=1e-3, max_value=1e3)), st.sampled_from([None, 0, 3]))
def test_any_numbers_give_finite_ones_or_a_sentence(rows, period, skip):
    t, m, B = np.array(rows).T
    try:
        found = waveform_susceptibility(decay_data(t, m, 2.0, B=B), period=period, skip=skip)
    except InputError as error:
        found, said = None, str(error)
        assert "\n" not in said
    if found is not None:
        assert np.all(np.isfinite(found.chi_real.values) & np.isfinite(found.chi_imag.values))
