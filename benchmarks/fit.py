"""One fit of six parameters to 500 points: the levels, chi T, C and M(B, T) of a powder of J = 15/2 (ErW10).

Beside it the same fit as one writes it with the observables alone: lmfit with derivatives from differences.
"""

import lmfit
import numpy as np
from timing import absolute, interleaved

import mesospin as ms
from mesospin.measured.data import HeatCapacityData, MagnetisationData, SusceptibilityData
from mesospin.measured.hamiltonian.fit import fit_hamiltonian
from mesospin.measured.spectral_data import LevelData

PLANTED = {"B20": -1.35, "B40": -1.07e-2, "B44": 1.8e-2, "B60": 1.07e-4, "B64": 4e-4, "g": 1.2}
START = {"B20": -1.2, "B40": -0.95e-2, "B44": 1.4e-2, "B60": 0.95e-4, "B64": 2e-4, "g": 1.18}
"""Stevens parameters [K] and g."""

LIMITS = {"B44": (0.0, None)}
"""The axes x and y turned by 45 degrees change the sign of q = 4: one of the two choices."""

POWDER = 110
SIGMA = {"chi_t": 0.05, "moment": 0.03, "heat": 0.05, "levels": 0.5}
"""Standard deviations [cm3 K/mol, mu_B, J/(mol K), K]."""

T_CHI, T_HEAT = np.geomspace(2.0, 300.0, 150), np.geomspace(2.0, 40.0, 43)
T_MOMENT, FIELDS = np.array([2.0, 3.0, 4.0, 5.0, 10.0]), np.linspace(0.1, 7.0, 60)
DOUBLETS = range(2, 16, 2)
"""Positions of the seven excited Kramers doublets."""

ALLOWED_SECONDS = 10.0
ALLOWED_SIGMA = 5.0
STARTS = 4
SEED = 1


def system(values):
    terms = [ms.Stevens(int(name[1]), int(name[2]), value) for name, value in values.items() if name != "g"]
    return ms.SpinSystem("Er", [ms.Spin(7.5, values["g"])], terms)


def observables(values, powder):
    """Return the 500 numbers from the public functions."""
    ion = system(values)
    energy = ms.levels(ion, B=0.0)["energy"].values.ravel()
    return {
        "chi_t": ms.susceptibility(ion, T_CHI, powder=powder)["chi_t"].values,
        "moment": ms.magnetisation(ion, T_MOMENT, FIELDS, powder=powder)["magnetisation"].values.ravel(),
        "heat": ms.heat_capacity(ion, T_HEAT, 0.0)["heat_capacity"].values,
        "levels": (energy - energy[0])[list(DOUBLETS)],
    }


def measured(powder=POWDER):
    """Return the observables of the planted values with noise."""
    rng = np.random.default_rng(SEED)
    return {
        name: values + SIGMA[name] * rng.standard_normal(len(values))
        for name, values in observables(PLANTED, powder).items()
    }


def ours(data, powder, starts):
    """Return values and standard deviations (parameters,)."""
    T, B = (array.ravel() for array in np.meshgrid(T_MOMENT, FIELDS, indexing="ij"))
    sets = [
        SusceptibilityData(T_CHI, data["chi_t"], unit="cgs", sigma=SIGMA["chi_t"], powder=powder),
        MagnetisationData(T, B, data["moment"], sigma=SIGMA["moment"], powder=powder),
        HeatCapacityData(T_HEAT, data["heat"], sigma=SIGMA["heat"]),
        LevelData(data["levels"], DOUBLETS, sigma=SIGMA["levels"]),
    ]
    fit = fit_hamiltonian(sets, system(START), list(PLANTED), bounds=LIMITS, starts=starts)
    return fit["value"].values, fit["error"].values


def numerical(data, powder):
    """Return the same from lmfit, which sees residuals only."""
    table = lmfit.Parameters()
    for name, value in START.items():
        low, high = LIMITS.get(name, (None, None))
        table.add(name, value=value, min=low, max=high)

    def residuals(trial):
        found = observables(trial.valuesdict(), powder)
        return np.concatenate([(found[name] - data[name]) / SIGMA[name] for name in SIGMA])

    fit = lmfit.Minimizer(residuals, table, scale_covar=False).least_squares(
        x_scale="jac", ftol=1e-9, xtol=1e-9, gtol=1e-9
    )
    values = np.array([fit.params[name].value for name in PLANTED])
    return values, np.array([fit.params[name].stderr for name in PLANTED])


def error(result):
    """Return the largest distance from the planted values in standard deviations."""
    values, sigma = result
    return float(np.max(np.abs(values - np.array(list(PLANTED.values()))) / sigma))


def rows(powder=POWDER, starts=STARTS, rounds=3):
    """Compare one start with the fit by differences, and several with the time allowed."""
    data = measured(powder)
    points = sum(len(values) for values in data.values())
    name = f"fit of 6 parameters to {points} points, J = 15/2, {{}}"
    found = ours(data, powder, starts)
    return [
        interleaved(
            name.format("1 start"),
            "lmfit, derivatives by differences (errors in sigma)",
            lambda: numerical(data, powder),
            lambda: ours(data, powder, 1),
            error,
            rounds=rounds,
        ),
        absolute(
            name.format(f"{starts} starts"),
            ALLOWED_SECONDS,
            lambda: ours(data, powder, starts),
            error(found),
            ALLOWED_SIGMA,
            rounds=rounds,
        ),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row)
