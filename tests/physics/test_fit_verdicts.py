"""What fits say of their answers: starts, correlations, curved valleys, what acts as its square."""

import numpy as np
import pytest
from scipy.optimize import minimize

from mesospin.measured.data import MagnetisationData, SusceptibilityData
from mesospin.measured.hamiltonian.fit import fit_hamiltonian
from mesospin.measured.spectral_data import LevelData
from mesospin.model.lanthanides import lanthanide
from mesospin.model.system import giant_spin
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.molecular_field import MeanField
from mesospin.thermo.susceptibility import susceptibility


@pytest.mark.parametrize(
    ("bounds", "planted", "first"),
    [
        ((-6.0, -4.5), -5.0, -4.65),
        ((-6.0, -4.0), -5.0, -4.2),
        ((None, -4.5), -5.0, -4.5 - 0.4),
        ((-3.0, -2.0), -2.5, -2.9),
    ],
)
def test_a_start_outside_its_bounds_begins_inside(bounds, planted, first):
    """Gaps of S = 1 are -D where E is 0."""
    levels = LevelData([-planted, -planted], [2, 2], sigma=0.1)
    fit = fit_hamiltonian(levels, giant_spin(1, D=-4.0), ["D"], bounds={"D": bounds}, starts=3)
    assert float(fit.value[0]) == pytest.approx(planted, rel=1e-6)
    assert float(fit.initial[0]) == pytest.approx(first, rel=1e-12)
    assert f"started at {first:g}" in fit.attrs["verdict"]
    assert "D of the system, -4 K, is not inside its bounds" in fit.attrs["verdict"]


def test_a_start_inside_its_bounds_is_not_spoken_of():
    fit = fit_hamiltonian(
        LevelData([5.0], [2], sigma=0.1), giant_spin(1, D=-4.0), ["D"], bounds={"D": (-6, 0)}
    )
    assert float(fit.initial[0]) == -4.0
    assert "started at" not in fit.attrs["verdict"]


@pytest.mark.filterwarnings("ignore:the powder average")
def test_errors_of_correlated_crystal_field_parameters_are_those_of_an_independent_jacobian():
    """Six B_kq of Er3+ from powder data: errors are many times those with all others known, yet finite."""
    names = [(2, 0), (2, 2), (4, 0), (4, 4), (6, 0), (6, 4)]
    planted = np.array([-1.0, 0.3, -6e-3, 0.02, 2e-5, 1e-4])
    T, B = np.geomspace(2.0, 300.0, 25), np.linspace(0.5, 7.0, 6)

    def predicted(values):
        system = lanthanide("Er3+", dict(zip(names, values, strict=True)))
        chi = susceptibility(system, T, 0.1, powder=26).m_over_h.values * T
        moment = magnetisation(system, [2.0, 8.0], B, powder=26).magnetisation.values
        return np.concatenate([chi, moment.ravel()])

    clean = predicted(planted)
    sigma = np.where(np.arange(len(clean)) < len(T), 3e-3 * clean, 0.01)
    chi = SusceptibilityData(T, clean[:25], unit="cgs", B=0.1, sigma=sigma[:25], powder=26)
    moment = MagnetisationData(
        np.repeat([2.0, 8.0], 6), np.tile(B, 2), clean[25:], sigma=sigma[25:], powder=26
    )
    start = lanthanide("Er3+", dict(zip(names, planted, strict=True)))
    fit = fit_hamiltonian([chi, moment], start, [f"B{k}{q}" for k, q in names], starts=1)
    found = fit.value.values
    columns = []
    for step in np.diag(1e-4 * np.abs(found)):
        columns.append((predicted(found + step) - predicted(found - step)) / (2.0 * step.sum() * sigma))
    jacobian = np.stack(columns, axis=1)
    expected = np.sqrt(np.linalg.inv(jacobian.T @ jacobian).diagonal())
    assert fit.error.values == pytest.approx(expected, rel=5e-2)
    assert np.any(expected > np.abs(found))
    assert np.all(expected > 10.0 / np.linalg.norm(jacobian, axis=0))
    assert "CORRELATED: B20" in fit.attrs["verdict"]
    assert "its square" not in fit.attrs["verdict"]


@pytest.mark.parametrize("seed", [0, 10, 12])
def test_a_valley_of_splitting_and_neighbours_is_an_answer(seed):
    """Along z the first order of D is undone by zJ, so near D = 0 only second order tells them apart."""
    T, field = np.linspace(10.0, 100.0, 60), MeanField(-0.2, g=2.1)
    truth = giant_spin(1, D=-0.5, g=2.1)
    clean = susceptibility(truth, T, 0.1, mean_field=field).m_over_h.values * T
    sigma = 2e-3 * clean
    values = clean + sigma * np.random.default_rng(seed).standard_normal(60)
    data = SusceptibilityData(T, values, unit="cgs", B=0.1, sigma=sigma, axis=(0, 0, 1))
    fit = fit_hamiltonian(data, truth, ["D", "zJ", "g"], mean_field=field, starts=1)

    def chi2(D, rest):
        system, coupling = giant_spin(1, D=D, g=rest[1]), MeanField(rest[0], g=2.1)
        chi = susceptibility(system, T, 0.1, mean_field=coupling).m_over_h.values * T
        return float(np.sum(((chi - values) / sigma) ** 2))

    D, zJ, g = fit.value.values
    assert np.all(np.isfinite(fit.error.values))
    assert "CORRELATED: D and zJ" in fit.attrs["verdict"]
    # a step of the size of the error, the other two fitted anew, costs one unit on the steeper side
    rises = []
    for sign in (1.0, -1.0):
        step = sign * float(fit.error[0])
        rest = minimize(
            lambda p, end=D + step: chi2(end, p), [zJ + 0.5 * step, g], method="Nelder-Mead",
            options={"xatol": 1e-5, "fatol": 1e-3},
        )  # fmt: skip
        rises.append(float(rest.fun) - float(fit.chi2))
    assert min(rises) > -1e-3
    assert 0.5 < min(rises) < 1.5 or 0.5 < max(rises) < 2.5
