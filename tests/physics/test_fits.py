"""Fits: derivatives against differences, errors against scatter, oracles that share no code."""

import mpmath
import numpy as np
import pytest
import xarray as xr
from scipy.optimize import curve_fit
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import kstest, norm

from mesospin.constants import KELVIN_PER_GIGAHERTZ, MU_B
from mesospin.errors import ConvergenceError, InputError
from mesospin.measured.data import (
    HeatCapacityData,
    MagnetisationData,
    SusceptibilityData,
)
from mesospin.measured.hamiltonian.fit import fit_hamiltonian, fitted_system
from mesospin.measured.hamiltonian.objective import Objective, parameter_table
from mesospin.measured.hamiltonian.parameters import family, with_values
from mesospin.measured.hamiltonian.prediction import model_of
from mesospin.measured.hamiltonian.sensitivities import Member, second_difference
from mesospin.measured.hamiltonian.thermal import Trial
from mesospin.measured.spectral_data import LevelData, ResonanceData
from mesospin.model.interactions import Exchange
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import Stevens, ZeroFieldSplitting
from mesospin.spectrum.levels import levels
from mesospin.thermo.heat import heat_capacity
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.molecular_field import MeanField
from mesospin.thermo.susceptibility import susceptibility

AXIS = (0.3, 0.5, 0.8)
T = np.array([1.5, 2.0, 4.0, 4.0, 20.0])
B = np.array([1.0, 2.0, 1.0, 1.0, 5.0])
NOTHING = np.zeros(5)


def cobalt():
    """A Kramers ion: every level is degenerate at zero field."""
    return SpinSystem("Co", [Spin(1.5, [1.9, 2.0, 2.1])], [ZeroFieldSplitting(-3.0, 0.4)])


def manganese(D=-3.0, E=0.3, B40=2e-3, g=2.0):
    return SpinSystem("Mn", [Spin(2, g)], [ZeroFieldSplitting(D, E), Stevens(4, 0, B40)])


THERMAL = [
    MagnetisationData(T, B, NOTHING, axis=AXIS),
    MagnetisationData(T, B, NOTHING, powder=11),
    SusceptibilityData(T, NOTHING, unit="cgs", axis=AXIS),
    SusceptibilityData(T, NOTHING, unit="cgs", powder=11),
    SusceptibilityData(T, chi=NOTHING, B=0.5, unit="SI", powder=11),
    SusceptibilityData(T, chi=NOTHING, B=B, differential=True, unit="cgs", powder=11),
    HeatCapacityData(T, NOTHING, B=B, powder=11),
    HeatCapacityData(T, NOTHING),
]
SPECTRAL = [
    ResonanceData([90.0, 100.0, 200.0], [1.0, 2.0, 3.0], sigma=1.0),
    ResonanceData([90.0, 100.0, 200.0], [1.0, 2.0, 3.0], levels=(0, 2), axis=AXIS, sigma=1.0),
    LevelData([1.0, 2.0], levels=[1, 3], B=1.0, axis=AXIS),
]


def trial(members, values, coupled):
    return Trial(Member(members, values[:-2]), coupled, values[-2], 2.0, values[-1])


@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("data", THERMAL + SPECTRAL, ids=lambda d: f"{d.label} {d.unit}")
def test_derivatives_are_those_of_differences(data, coupled):
    members = family(cobalt(), ["D", "E", "gx", "gz"])
    if coupled and isinstance(data, HeatCapacityData | SusceptibilityData) and np.ptp(data.fields) > 0:
        with pytest.raises(InputError, match="beside a mean field"):
            model_of(data, members, members.generic_system(), coupled=True)
        return
    model = model_of(data, members, members.generic_system(), coupled=coupled)
    start = np.array([-3.0, 0.4, 1.9, 2.1, -0.2 if coupled else 0.0, 1e-3])
    _, slopes = model.predict(trial(members, start, coupled))
    for k in range(len(start)):
        if k == 4 and not coupled:
            assert not slopes[:, k].any()
            continue
        step = np.zeros(len(start))
        step[k] = 1e-5
        ends = [model.predict(trial(members, start + sign * step, coupled))[0] for sign in (1, -1)]
        expected = (ends[0] - ends[1]) / 2e-5
        assert slopes[:, k] == pytest.approx(expected, rel=1e-6, abs=1e-8 * np.abs(slopes).max())


@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("data", THERMAL, ids=lambda d: f"{d.label} {d.unit}")
@pytest.mark.filterwarnings("ignore:the powder average of")
@pytest.mark.filterwarnings("ignore:mean_field acts by the average moment")
def test_predictions_are_those_of_the_observables(data, coupled):
    if coupled and isinstance(data, HeatCapacityData | SusceptibilityData) and data.fields.any():
        return
    members = family(cobalt(), ["D", "E", "gx", "gz"])
    model = model_of(data, members, members.generic_system(), coupled=coupled)
    zJ = -0.2 if coupled else 0.0
    value, _ = model.predict(trial(members, np.array([-3.0, 0.4, 1.9, 2.1, zJ, 1e-3]), coupled))
    where = {
        "T": xr.DataArray(data.T, dims="point"),
        "B": xr.DataArray(data.B, dims="point"),
        "mean_field": MeanField(zJ) if coupled else None,
    } | ({"powder": 11} if data.powder else {"axis": data.axis})
    if isinstance(data, MagnetisationData):
        expected = magnetisation(cobalt(), tip=1e-3, **where).magnetisation
    elif isinstance(data, HeatCapacityData):
        expected = heat_capacity(cobalt(), **where).heat_capacity
    else:
        ds = susceptibility(cobalt(), tip=1e-3, **where)
        expected = (ds.chi_molar if data.differential else ds.m_over_h) * (data.T if data.times_T else 1.0)
    assert value == pytest.approx(expected.values, rel=1e-11)


@pytest.mark.parametrize("spread", [1e-12, 1e-3, 0.3, 0.49, 0.51, 3.0, 40.0])
def test_second_divided_difference_of_the_exponential(spread):
    rng = np.random.default_rng(1)
    with mpmath.workdps(60):
        for points in np.sort(rng.uniform(-spread, 0.0, (10, 3)), axis=1):
            a, b, c = (mpmath.mpf(x) for x in points)
            first, second = (
                (mpmath.exp(a) - mpmath.exp(b)) / (a - b),
                (mpmath.exp(b) - mpmath.exp(c)) / (b - c),
            )
            expected = float((first - second) / (a - c))
            assert second_difference(*points[:, None])[0] == pytest.approx(expected, rel=2e-15)


def test_zero_field_susceptibility_of_degenerate_levels_by_closed_form():
    """S = 1 along z: chi = 2 g^2 mu_B/T e^(-D/T)/(1 + 2 e^(-D/T)), with its derivative by D."""
    members = family(SpinSystem("Ni", [Spin(1, 2.2)], [ZeroFieldSplitting(5.0)]), ["D", "g"])
    member = Member(members, np.array([5.0, 2.2]))
    t = np.array([0.05, 1.0, 7.0, 1000.0])
    chi, slope = member.chi(np.zeros((1, 3)), np.array([[[0.0, 0.0, 1.0]]]), t[None])
    boltzmann = np.exp(-5.0 / t)
    expected = 2.0 * 2.2**2 * MU_B / t * boltzmann / (1 + 2 * boltzmann)
    by_D = -2.0 * 2.2**2 * MU_B / t**2 * boltzmann / (1 + 2 * boltzmann) ** 2
    assert chi[0, :, 0] == pytest.approx(expected, rel=1e-12)
    assert slope[0, :, 0, 0] == pytest.approx(by_D, rel=1e-12)
    assert slope[0, :, 0, 1] == pytest.approx(2.0 * expected / 2.2, rel=1e-12)


@pytest.mark.parametrize("E", [1e-13, 1e-6, 1e-2, 0.4])
@pytest.mark.parametrize("T", [0.3, 2.0, 300.0])
def test_derivatives_of_the_susceptibility_of_split_doublets_by_closed_form(E, T):
    """S = 1: chi_zz = 2 g^2 mu_B sinh(E/T)/(E Z), Z = 2 cosh(E/T) + e^(D/T); m = +-1 are split by 2E."""
    D, g = -1.5, 2.0
    members = family(SpinSystem("Ni", [Spin(1, g)], [ZeroFieldSplitting(D, E)]), ["D", "E"])
    chi, slope = Member(members, np.array([D, E])).chi(
        np.zeros((1, 3)), np.array([[[0.0, 0.0, 1.0]]]), np.array([[T]])
    )
    with mpmath.workdps(60):
        d, e, t = (mpmath.mpf(x) for x in (D, E, T))

        def exact(d, e):
            partition = 2 * mpmath.cosh(e / t) + mpmath.exp(d / t)
            return 2 * g**2 * mpmath.mpf(MU_B) / partition * mpmath.sinh(e / t) / e

        expected = float(exact(d, e))
        by_D = float(mpmath.diff(lambda x: exact(x, e), d))
        by_E = float(mpmath.diff(lambda x: exact(d, x), e))
    assert chi[0, 0, 0] == pytest.approx(expected, rel=1e-12)
    # the natural size of a derivative is chi/T
    assert slope[0, 0, 0] == pytest.approx([by_D, by_E], rel=1e-10, abs=1e-13 * expected / T)


def measured(system, rng, sigma=(0.02, 0.02, 0.05)):
    """Return noisy susceptibilities, magnetisations and levels of a system."""
    t = np.geomspace(2.0, 100.0, 10)
    field = np.linspace(1.0, 7.0, 8)
    chi = susceptibility(system, t, powder=5).chi_t.values
    moment = magnetisation(system, 2.0, field, axis=AXIS).magnetisation.values
    energy = levels(system, B=0.0).energy.values.ravel()
    gaps = energy[1:4] - energy[0]
    return [
        SusceptibilityData(t, chi + sigma[0] * rng.standard_normal(10), unit="cgs", sigma=sigma[0], powder=5),
        MagnetisationData(2.0, field, moment + sigma[1] * rng.standard_normal(8), sigma=sigma[1], axis=AXIS),
        LevelData(gaps + sigma[2] * rng.standard_normal(3), sigma=sigma[2]),
    ]


def test_error_bars_cover_planted_parameters():
    truth, rng = manganese(), np.random.default_rng(2026)
    names = ["D", "E", "g"]
    planted = np.array([-3.0, 0.3, 2.0])
    distances, pulls, totals = [], [], []
    for _ in range(40):
        fit = fit_hamiltonian(measured(truth, rng), manganese(D=-2.7, E=0.25, g=1.95), names, starts=1)
        error = fit.error.values
        offset = fit.value.values - planted
        covariance = fit.correlation.values * np.outer(error, error)
        distances.append(offset @ np.linalg.solve(covariance, offset))
        pulls.append(offset / error)
        totals.append(float(fit.chi2))
        assert fit.degrees_of_freedom == 18
    assert kstest(distances, chi2_distribution(3).cdf).pvalue > 0.01
    assert kstest(totals, chi2_distribution(18).cdf).pvalue > 0.01
    for column in np.array(pulls).T:
        assert kstest(column, norm.cdf).pvalue > 0.01
        assert 0.7 < np.std(column) < 1.35


def test_errors_follow_the_scatter_where_sigma_is_not_known():
    truth, rng = manganese(), np.random.default_rng(5)
    chi = measured(truth, rng, (0.05, 1.0, 1.0))[0]
    known = fit_hamiltonian(chi, manganese(D=-2.5), ["D", "g"], starts=2)
    unknown = SusceptibilityData(chi.T, chi.values, unit="cgs", powder=5)
    free = fit_hamiltonian(unknown, manganese(D=-2.5), ["D", "g"], starts=2)
    assert free.value.values == pytest.approx(known.value.values, rel=1e-6)
    scatter = np.sqrt(float(known.reduced_chi2))
    assert free.error.values == pytest.approx(scatter * known.error.values, rel=1e-6)
    assert np.isnan(free.p_value)


def test_agrees_with_a_fit_that_knows_only_the_observables():
    truth, rng = manganese(), np.random.default_rng(8)
    chi, moment, _ = measured(truth, rng)

    def predicted(_, D, E, g):
        system = manganese(D=D, E=E, g=g)
        return np.concatenate(
            [
                susceptibility(system, chi.T, powder=5).chi_t.values,
                magnetisation(system, 2.0, moment.B, axis=AXIS).magnetisation.values,
            ]
        )

    fit = fit_hamiltonian([chi, moment], manganese(D=-2.7, E=0.25, g=1.95), ["D", "E", "g"], starts=1)
    value, covariance = curve_fit(
        predicted,
        np.arange(18),
        np.concatenate([chi.values, moment.values]),
        p0=[-2.7, 0.25, 1.95],
        sigma=np.full(18, 0.02),
        absolute_sigma=True,
    )
    assert fit.value.values == pytest.approx(value, abs=1e-2 * np.sqrt(covariance.diagonal()).min())
    assert fit.error.values == pytest.approx(np.sqrt(covariance.diagonal()), rel=1e-3)


def test_directions_left_out_of_the_search_are_in_the_answer():
    """With 14 of 50 directions the moments are wrong by several sigma; the fit is that of all 50."""
    truth, rng = manganese(D=-2.0, E=0.4), np.random.default_rng(3)
    field = np.linspace(0.5, 7.0, 40)
    moment = magnetisation(truth, 2.0, field, powder=50).magnetisation.values
    moment += 2e-3 * rng.standard_normal(40)
    data = MagnetisationData(2.0, field, moment, sigma=2e-3, powder=50)
    fit = fit_hamiltonian(data, manganese(D=-1.7, E=0.3, g=1.95), ["D", "E", "g"], starts=2)

    def predicted(_, D, E, g):
        return magnetisation(manganese(D=D, E=E, g=g), 2.0, field, powder=50).magnetisation.values

    value, covariance = curve_fit(
        predicted, field, moment, p0=[-1.7, 0.3, 1.95], sigma=np.full(40, 2e-3), absolute_sigma=True
    )
    assert fit.value.values == pytest.approx(value, abs=1e-2 * np.sqrt(covariance.diagonal()).min())
    assert fit.error.values == pytest.approx(np.sqrt(covariance.diagonal()), rel=1e-3)
    assert 0.5 < fit.reduced_chi2 < 1.6


def test_few_directions_are_corrected_to_first_order():
    """At the point of correction residuals and derivatives are exact; near it the error is quadratic."""
    field = np.linspace(0.5, 7.0, 10)
    data = MagnetisationData(2.0, field, np.ones(10), sigma=0.01, powder=302)
    members = family(manganese(), ["D", "E", "g"])
    table = parameter_table(["D", "E", "g"], [-3.0, 0.3, 2.0], ["K", "K", "1"], None, None)
    start = np.array([-3.0, 0.3, 2.0, 0.0, 0.0])
    model = model_of(data, members, members.generic_system(), coupled=False)
    full = Objective(members, (model,), ("D", "E", "g", "zJ", "tip"), start, table, 2.0, False, [data.sigma])
    few = full.rough(table)
    assert len(few.models[0].rule.axes) < len(model.rule.axes) / 3
    assert few.residuals(table) == pytest.approx(full.residuals(table), rel=1e-12)
    np.testing.assert_allclose(few.jacobian(table), full.jacobian(table), rtol=1e-10, atol=1e-9)
    errors = []
    for step in (0.1, 0.05):
        moved = parameter_table(["D", "E", "g"], [-3.0 + step, 0.3 + step, 2.0], ["K", "K", "1"], None, None)
        errors.append(np.abs(few.residuals(moved) - full.residuals(moved)).max())
    assert errors[0] / errors[1] == pytest.approx(4.0, abs=1.0)


def test_epr_lines_give_a_rhombic_tensor():
    truth = SpinSystem("Cr", [Spin(1.5, [1.97, 1.98, 1.99])], [ZeroFieldSplitting("20 GHz", "2 GHz")])
    rng = np.random.default_rng(11)
    sets = []
    for axis in np.eye(3):
        field = np.linspace(1.0, 4.0, 7)
        energy = levels(truth, B=field, axis=axis).energy.transpose("field", "level").values
        for k in range(3):
            line = (energy[:, k + 1] - energy[:, k]) / KELVIN_PER_GIGAHERTZ
            slope = np.gradient(line, field)
            noisy = line + 2e-3 * slope * rng.standard_normal(7)
            sets.append(ResonanceData(noisy, field, axis=axis, levels=(k, k + 1), sigma_field=2e-3))
    start = SpinSystem("Cr", [Spin(1.5, [2.0, 2.0, 2.02])], [ZeroFieldSplitting("18 GHz", "1 GHz")])
    fit = fit_hamiltonian(sets, start, ["D", "E", "gx", "gy", "gz"], starts=2)
    planted = np.array([20 * KELVIN_PER_GIGAHERTZ, 2 * KELVIN_PER_GIGAHERTZ, 1.97, 1.98, 1.99])
    assert np.all(np.abs(fit.value.values - planted) < 4.0 * fit.error.values)
    assert np.all(fit.error.values[2:] < 2e-3)
    assert 0.5 < fit.reduced_chi2 < 1.6


def test_exchange_and_neighbours():
    truth = SpinSystem("Cu2", [Spin(0.5, 2.1), Spin(0.5, 2.1)], [Exchange(0, 1, 30.0, convention="+J")])
    t = np.geomspace(2.0, 300.0, 30)
    chi = susceptibility(truth, t, powder=5, mean_field=MeanField(-1.5, 2.1), tip=6e-5).chi_t.values
    data = SusceptibilityData(t, chi, unit="cgs", sigma=1e-4, powder=5)
    start = with_values(truth, {"J": 20.0, "g_0": 2.0, "g_1": 2.0})
    fit = fit_hamiltonian(
        data,
        start,
        ["J", "g_0", "zJ", "tip"],
        tie={"g_1": "g_0"},
        mean_field=MeanField(0.0, 2.1),
        bounds={"J": ("1 K", None)},
        starts=3,
    )
    assert list(fit.parameter.values) == ["J", "g_0", "zJ", "tip", "g_1"]
    assert fit.value.values == pytest.approx([30.0, 2.1, -1.5, 6e-5, 2.1], rel=1e-5)
    assert fit.error.values[4] == pytest.approx(fit.error.values[1], rel=1e-9)
    assert fit.correlation.values[1, 4] == pytest.approx(1.0, abs=1e-9)
    assert fitted_system(fit, start).spins[1].g[0][0] == pytest.approx(2.1, rel=1e-6)


def test_weights_of_sets_are_in_the_errors():
    """Doubling the weight of identical sets changes nothing; a weighted mean has the error of that mean."""
    spin = SpinSystem("S", [Spin(1, 2.0)], [ZeroFieldSplitting(4.0)])
    sets = [LevelData([5.0], [1], sigma=0.1, weight=3.0), LevelData([5.3], [2], sigma=0.1)]
    fit = fit_hamiltonian(sets, spin, ["D"], starts=1)
    assert float(fit.value[0]) == pytest.approx((3 * 5.0 + 5.3) / 4, rel=1e-9)
    assert float(fit.error[0]) == pytest.approx(0.1 * np.hypot(3, 1) / 4, rel=1e-9)
    assert np.isnan(fit.p_value)


def test_what_changes_nothing_is_said():
    axial = SpinSystem("Fe", [Spin(2, [2.0, 2.0, 2.1])], [ZeroFieldSplitting(-3.0)])
    field = np.linspace(0.5, 7.0, 9)
    moment = magnetisation(axial, 2.0, field).magnetisation.values
    data = MagnetisationData(2.0, field, moment, sigma=0.01, axis=(0, 0, 1))
    fit = fit_hamiltonian(data, with_values(axial, {"D": -2.0}), ["D", "gx", "gz"], starts=2)
    assert fit.determined.values.tolist() == [True, False, True]
    assert np.isinf(fit.error.values[1])
    assert "NOT DETERMINED: gx changes nothing" in fit.attrs["verdict"]
    assert fit.value.values[[0, 2]] == pytest.approx([-3.0, 2.1], rel=1e-6)


def test_a_combination_that_changes_nothing_is_named():
    double = SpinSystem("Fe", [Spin(2)], [ZeroFieldSplitting(-3.0), Stevens(2, 0, 0.1)])
    fit = fit_hamiltonian(LevelData([2.0, 2.1, 8.0], [2, 3, 4], sigma=0.5), double, ["D", "B20"], starts=1)
    assert not fit.determined.values.any()
    assert "NOT DETERMINED: the combination" in fit.attrs["verdict"]
    system = fitted_system(fit, double)
    total = system.terms[0].D + 3.0 * system.terms[1].B
    # gaps 3|D|, 3|D| and 4|D|
    assert abs(total) == pytest.approx((3 * 2.0 + 3 * 2.1 + 4 * 8.0) / (9 + 9 + 16), rel=1e-6)


def test_the_sign_of_E_is_an_open_question_of_a_powder():
    data = measured(manganese(), np.random.default_rng(4))
    fit = fit_hamiltonian([data[0], data[2]], manganese(E=0.1), ["D", "E", "g"], starts=12, spread=1.0)
    assert "AMBIGUOUS" in fit.attrs["verdict"]


def test_a_model_that_does_not_fit_is_called_so():
    data = measured(manganese(), np.random.default_rng(4), (1e-3, 1e-3, 1e-3))
    fit = fit_hamiltonian(data, giant_spin(2, D=-1.0), ["D", "g"], starts=2)
    assert fit.p_value < 1e-6
    assert "DOES NOT DESCRIBE THE DATA" in fit.attrs["verdict"]


def test_a_fit_on_its_bound_is_no_answer():
    data = measured(manganese(), np.random.default_rng(4))
    with pytest.raises(ConvergenceError, match="lies on the bound of D") as caught:
        fit_hamiltonian(data, manganese(D=-2.0), ["D", "g"], bounds={"D": (-2.5, 0.0)}, starts=2)
    assert caught.value.diagnostics["values"]["D"] == pytest.approx(-2.5, abs=1e-3)


def test_a_fit_that_was_stopped_is_no_answer():
    data = measured(manganese(), np.random.default_rng(4))
    with pytest.raises(ConvergenceError, match="did not converge"):
        fit_hamiltonian(data, manganese(D=-30.0, g=1.0), ["D", "E", "B40", "g"], starts=1, max_evaluations=10)


def test_fewer_points_than_parameters():
    with pytest.raises(InputError, match=r"as many points as free parameters \(3\), got 2"):
        fit_hamiltonian(LevelData([1.0, 2.0], sigma=0.1), manganese(), ["D", "E", "B40"])
    with pytest.raises(InputError, match="one more for the unknown sigma"):
        fit_hamiltonian(LevelData([1.0, 2.0]), manganese(), ["D", "E"])


def test_a_fit_that_meets_every_point_warns_of_nothing():
    """Two gaps for D and E: chi2 becomes exactly zero, and nothing divides by it."""
    levels_of_spin_one = LevelData([1.0, 5.5], [1, 2], sigma=0.01)
    fit = fit_hamiltonian(levels_of_spin_one, giant_spin(1, D=-4.0, E=0.3), ["D", "E"])
    assert fit.value.values == pytest.approx([-5.0, 0.5], rel=1e-9)
    # gaps 2E and |D| + E, so E is half the first and |D| the second less that
    assert fit.error.values == pytest.approx([0.01 * np.sqrt(5) / 2, 0.005], rel=1e-6)
