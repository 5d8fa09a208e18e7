"""Results in the format of the experiments, made by hand: what figures, tables and files are tested with."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.results import result, variable

SPIN = ms.giant_spin(10, D=-0.548, g=1.94, name="made")
TEMPERATURES = [0.1, 1.9, 2.6]
STEP_FIELDS = np.array([0.0, 0.44, 0.46, 0.9])


@pytest.fixture
def made_hysteresis():
    """Three loops with steps at STEP_FIELDS; two pairs share the number 1."""
    field = np.linspace(-2, 2, 401)
    rising = np.array([np.tanh((field - centre) / 0.1) for centre in (0.9, 0.44, 0.0)])
    reduced = np.stack([rising, -rising[:, ::-1]], axis=1)
    loop = ("temperature", "branch", "field")
    variables = {
        "reduced": variable(loop, reduced, "1", "reduced magnetisation"),
        "magnetisation": variable(loop, 19.4 * reduced, "mu_B", "magnetisation"),
        "coercive_field": variable("temperature", [0.9, 0.44, 0.0], "T", "coercive field"),
        "remanence": variable("temperature", -rising[:, 200], "1", "remanence"),
        "stoner_wohlfarth": variable(
            ("branch", "field"), [np.full(401, -1.0), np.full(401, 1.0)], "1", "classical loop"
        ),
        "step_n": variable("step", [0, 1, 1, 2], "1", "step number"),
        "step_label": variable("step", ["10 -> -10", "4 -> -3", "10 -> -9", "10 -> -8"], "1", "pair"),
        "step_field": variable("step", STEP_FIELDS, "T", "field of the step"),
        "step_splitting": variable("step", [1e-12, 1e-4, 0.0, 1e-9], "K", "full gap"),
        "step_probability": variable("step", [0.0, 1.0, 0.0, 0.3], "1", "Landau-Zener probability"),
        "step_fraction": variable(("temperature", "step"), np.eye(3, 4), "1", "fraction reversed"),
        "crossover_low": variable((), 0.7, "K", "lower end of the crossover"),
        "crossover_high": variable((), np.nan, "K", "upper end of the crossover"),
    }
    coords = {
        "temperature": variable("temperature", TEMPERATURES, "K", "temperature"),
        "branch": ["up", "down"],
        "field": variable("field", field, "T", "field"),
    }
    return result("hysteresis", SPIN, variables, coords, {"rate": 3e-3, "span": [-2.0, 2.0]})


@pytest.fixture
def made_relaxation():
    """An exact Arrhenius law with resonances at 0 and 0.44 T."""
    temperature, field = np.array([2.0, 2.5, 3.0]), np.linspace(0, 0.8, 81)
    barrier = 60.0 - 8.0 * sum(np.exp(-(((field - centre) / 0.02) ** 2)) for centre in (0.0, 0.44))
    tau = 1e-6 * np.exp(barrier / temperature[:, None])
    plane = ("temperature", "field")
    variables = {
        "tau": variable(plane, tau, "s", "relaxation time"),
        "slowest_rate": variable(plane, 1 / tau, "1/s", "slowest rate"),
        "barrier": variable("field", barrier, "K", "barrier of the fit"),
        "prefactor": variable("field", np.full(81, 1e-6), "s", "prefactor of the fit"),
    }
    coords = {
        "temperature": variable("temperature", temperature, "K", "temperature"),
        "field": variable("field", field, "T", "field"),
    }
    return result("relaxation", SPIN, variables, coords, {})


@pytest.fixture
def made_sweep():
    """One sweep through one crossing."""
    time = np.linspace(0, 10, 51)
    upper = 0.5 * (1 + np.tanh(time - 5))
    variables = {
        "field": variable("time", 0.2 * time - 1, "T", "field"),
        "magnetisation": variable("time", 19.4 * (2 * upper - 1), "mu_B", "magnetisation"),
        "reduced": variable("time", 2 * upper - 1, "1", "reduced magnetisation"),
        "population": variable(("time", "level"), np.stack([1 - upper, upper], 1), "1", "population"),
    }
    coords = {"time": variable("time", time, "s", "time"), "level": [0, 1]}
    return result("sweep", SPIN, variables, coords, {})
