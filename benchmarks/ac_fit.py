"""Relaxation times of 20 isotherms of 25 frequencies: the generalised Debye model with its covariance.

Beside it ccfit2 as a library, where it and a Qt binding are installed, and a loop over scipy's solver.
Errors are the largest distance from the planted values in standard deviations.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from ac_fit_sides import NAMES, by_ccfit2, ours
from scipy.optimize import least_squares
from timing import absolute, interleaved

from mesospin.measured.relaxation.ac_models import GeneralisedDebye

TEMPERATURES, FREQUENCIES = 20, 25
NOISE = 0.005
"""Part of chi_T."""
ALLOWED_SECONDS, ALLOWED_SIGMA = 1.0, 5.0
GOAL_CALL, GOAL_PROCESS = 50.0, 10.0
PEER = "ccfit2"


def planted(count=TEMPERATURES):
    """Return temperatures and parameters (isotherms, 4)."""
    T = np.linspace(5.0, 11.0, count)
    values = np.stack([1e-6 * np.exp(60 / T), 0.3 / T, 10.0 / T, np.linspace(0.2, 0.05, count)], axis=1)
    return T, values


def measured(count=TEMPERATURES):
    """Return frequencies, temperatures (isotherms,) and noisy chi (isotherms, frequencies)."""
    rng, f = np.random.default_rng(1), np.geomspace(0.1, 1500.0, FREQUENCIES)
    T, values = planted(count)
    model = GeneralisedDebye()
    chi = np.array([model.chi(f, **dict(zip(NAMES, row, strict=True))) for row in values])
    noise = rng.standard_normal((2, *chi.shape)) * NOISE * values[:, 2][:, None]
    return f, T, chi + noise[0] + 1j * noise[1]


def by_scipy(f, chi):
    """Return the same from a loop over isotherms, derivatives by differences."""
    values, errors = [], []
    for curve in chi:

        def residuals(x, curve=curve):
            arc = x[1] + (x[2] - x[1]) / (1 + (2j * np.pi * f * np.exp(x[0])) ** (1 - x[3])) - curve
            return np.concatenate([arc.real, arc.imag])

        start = [-np.log(2 * np.pi * f[np.argmin(curve.imag)]), curve.real.min(), curve.real.max(), 0.1]
        fit = least_squares(residuals, start)
        spread = np.linalg.inv(fit.jac.T @ fit.jac) * 2 * fit.cost / (2 * len(f) - 4)
        tau = np.exp(fit.x[0])
        values.append([tau, *fit.x[1:]])
        errors.append(np.sqrt(np.diag(spread)) * [tau, 1, 1, 1])
    return np.array(values), np.array(errors)


def error(result):
    values, sigma = result
    return float(np.nanmax(np.abs(values - planted(len(values))[1]) / sigma))


def process(name, data):
    """Return a function that runs one side in a process of its own, imports included."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}

    def run():
        with tempfile.TemporaryDirectory() as folder:
            np.savez(Path(folder) / "data.npz", *data)
            code = (
                f"import numpy, ac_fit_sides as sides; data = numpy.load({folder + '/data.npz'!r}); "
                f"numpy.save({folder + '/fit.npy'!r}, sides.{name}(*(data[key] for key in data.files)))"
            )
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)
            return tuple(np.load(Path(folder) / "fit.npy"))

    return run


def rows(count=TEMPERATURES, rounds=5):
    """Compare the call with scipy and ccfit2, and the whole process with ccfit2."""
    data = measured(count)
    name = f"generalised Debye, {count} x {FREQUENCIES}"
    found = ours(*data)
    table = [
        absolute(name, ALLOWED_SECONDS, lambda: ours(*data), error(found), ALLOWED_SIGMA, rounds=rounds),
        interleaved(
            name,
            "scipy least_squares, a loop",
            lambda: by_scipy(data[0], data[2]),
            lambda: ours(*data),
            error,
            rounds=rounds,
        ),
    ]
    if importlib.util.find_spec(PEER) and importlib.util.find_spec("PyQt6"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        table.append(
            interleaved(
                name,
                PEER,
                lambda: by_ccfit2(*data),
                lambda: ours(*data),
                error,
                rounds=rounds,
                goal=GOAL_CALL,
            )
        )
        table.append(
            interleaved(
                f"{name}, a process",
                PEER,
                process("by_ccfit2", data),
                process("ours", data),
                error,
                rounds=min(rounds, 3),
                goal=GOAL_PROCESS,
            )
        )
    return table


if __name__ == "__main__":
    for row in rows():
        print(row)
