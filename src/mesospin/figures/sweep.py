"""Figure of one sweep: magnetisation against field or time, and the populations that carry it."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesospin.figures.style import (
    GREY,
    INK,
    direction_fact,
    label,
    label_of,
    new_figure,
    note_provenance,
    quiet_zero_line,
    system_title,
)

_VISIBLE = 0.01
_COLOURS = ("#3b528b", "#d1600a", "#21918c", "#b5367a", "#8a6d00", "#5a5a5a")


def draw_sweep(dataset: xr.Dataset) -> Figure:
    """Draw M against the field where it runs one way, against time otherwise; below it the populations."""
    field, time = dataset["field"].values, dataset["time"].values
    one_way = len(field) > 1 and bool(np.all(np.diff(field) > 0) or np.all(np.diff(field) < 0))
    x, x_label = (
        (field, label(r"magnetic field $\mu_0 H$", "T")) if one_way else (time, label("time $t$", "s"))
    )
    populations = "population" in dataset
    panels = 1 + int(populations) + int(not one_way)
    figure = new_figure(6.4, 2.0 + 1.9 * panels)
    rows = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    _draw_magnetisation(rows[0], dataset, x)
    if populations:
        _draw_populations(rows[1], dataset, x)
    if not one_way:
        rows[-1].plot(x, field, color=GREY)
        rows[-1].set_ylabel(label(r"field $\mu_0 H$", "T"))
    rows[-1].set_xlabel(x_label)
    rows[-1].set_xlim(float(np.min(x)), float(np.max(x)))
    if np.all(field == field[0]) and time[1] > time[0]:
        # Decay in a constant field spans many decades.
        rows[-1].set_xscale("log")
        rows[-1].set_xlim(float(time[1]), float(time[-1]))
    rows[0].set_title(f"Sweep of {system_title(dataset)}")
    note_provenance(figure, dataset, direction_fact(dataset))
    return figure


def _draw_magnetisation(axes: Axes, dataset: xr.Dataset, x: np.ndarray) -> None:
    quiet_zero_line(axes)
    if "reduced" in dataset:
        axes.plot(x, dataset["reduced"].values, color=INK)
        axes.set_ylim(-1.08, 1.08)
        axes.set_ylabel(r"magnetisation $M/M_\mathrm{s}$")
        return
    axes.plot(x, dataset["magnetisation"].values, color=INK)
    axes.set_ylabel(label_of(dataset["magnetisation"]))


def _draw_populations(axes: Axes, dataset: xr.Dataset, x: np.ndarray) -> None:
    population = dataset["population"].transpose("time", "level")
    levels = [i for i in range(population.sizes["level"]) if population.values[:, i].max() > _VISIBLE]
    names = _level_names(dataset)
    for order, level in enumerate(levels):
        colour = _COLOURS[order % len(_COLOURS)]
        style = "-" if order < len(_COLOURS) else "--"
        axes.plot(x, population.values[:, level], style, color=colour, label=names[level])
    axes.set_ylim(-0.04, 1.04)
    axes.set_ylabel("population")
    if len(levels) <= 2 * len(_COLOURS):
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _level_names(dataset: xr.Dataset) -> list[str]:
    source = dataset["label"] if "label" in dataset else dataset["population"]["level"]
    values = source.values
    return [value if isinstance(value, str) else f"level {value}" for value in values.tolist()]
