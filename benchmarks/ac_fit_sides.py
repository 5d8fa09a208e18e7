"""The two sides of the comparison of ac fits; each imports its package when it is called."""

import importlib

import numpy as np

NAMES = ("tau", "chi_S", "chi_T", "alpha")


def ours(f, T, chi):
    """Return parameters and errors, each (isotherms, 4)."""
    data = importlib.import_module("mesospin.measured.relaxation.ac_data").ac_data(
        np.tile(f, len(T)), chi.real.ravel(), -chi.imag.ravel(), np.repeat(T, len(f)), unit="cm3/mol"
    )
    fit = importlib.import_module("mesospin.measured.relaxation.fit_ac").fit_ac(data)
    return tuple(np.stack([fit[name + end].values for name in NAMES], axis=1) for end in ("", "_error"))


def by_ccfit2(f, T, chi):
    """Return the same from the models of ccfit2, with its own guesses."""
    ac = importlib.import_module("ccfit2.ac")
    values, errors = [], []
    for temperature, curve in zip(T, chi, strict=True):
        one = np.ones(len(f))
        experiment = ac.Experiment(
            temperature, temperature * one, curve.real, -curve.imag, f, 0.0, 0 * one, one
        )
        model = ac.GeneralisedDebyeModel(dict.fromkeys(NAMES, "guess"), {}, experiment)
        model.fit_to(experiment, verbose=False)
        values.append([model.final_var_values[name] for name in NAMES])
        errors.append([model.fit_stdev[name] for name in NAMES])
    return np.array(values), np.array(errors)
