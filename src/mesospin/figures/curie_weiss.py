"""Figure of a Curie-Weiss fit: 1/chi with its line, and what other windows would say."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from mesospin.figures.curves import TEMPERATURE
from mesospin.figures.style import ACCENT, GREY, INK, PALE, inputs_of, label, new_figure, note_provenance


def draw_curie_weiss(dataset: xr.Dataset) -> Figure:
    r"""Draw :math:`1/(\chi - \chi_{TIP})` with the window shaded, and theta of every window."""
    inputs = inputs_of(dataset)
    tip = float(inputs["tip"])
    T = dataset["temperature"].values
    chi = dataset["chi"].values - tip
    C, theta = float(dataset["curie_constant"][0]), float(dataset["weiss_temperature"][0])
    low, high = (float(value) for value in inputs["window"])
    several = dataset.sizes["window"] > 1
    figure = new_figure(8.2 if several else 5.6, 4.1)
    row = figure.subplots(1, 2 if several else 1, squeeze=False)[0]
    left = row[0]
    left.axvspan(low, min(high, float(T.max())), color=PALE, alpha=0.45, linewidth=0, label="window")
    known = chi > 0.0
    left.plot(T[known], 1.0 / chi[known], "o", color=INK, markersize=3.5, label="data")
    line = np.array([max(theta, 0.0) if theta < low else low, float(T.max())])
    left.plot(line, (line - theta) / C, color=ACCENT, label=rf"$(T - \theta)/C$, $\theta$ = {theta:.3g} K")
    left.set_xlim(0.0, 1.02 * float(T.max()))
    left.set_ylim(0.0)
    left.set_xlabel(TEMPERATURE)
    left.set_ylabel(label(r"$1/(\chi - \chi_\mathrm{TIP})$" if tip else r"$1/\chi$", r"mol cm$^{-3}$"))
    left.legend(loc="upper left")
    left.set_title(
        rf"Curie-Weiss law, $\mu_\mathrm{{eff}}$ = {float(dataset['mu_eff'][0]):.4g} $\mu_\mathrm{{B}}$"
    )
    if several:
        right = row[1]
        error = dataset["weiss_temperature_error"].values
        right.errorbar(
            dataset["low"].values, dataset["weiss_temperature"].values, error, fmt="o", color=INK, capsize=2
        )
        right.axhline(theta, color=GREY, linewidth=0.8, zorder=0)
        right.set_xlabel(label("first temperature of the window", "K"))
        right.set_ylabel(label(r"Weiss temperature $\theta$", "K"))
        right.set_title("The same from other windows")
    note_provenance(figure, dataset, str(dataset.attrs["verdict"]))
    return figure
