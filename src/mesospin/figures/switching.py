"""The figure of the older experiment: cooling one particle, cooling many, and what tells them apart."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mesospin.figures.style import (
    ACCENT,
    GREY,
    INK,
    inputs_of,
    label,
    new_figure,
    note_provenance,
    rate_text,
    system_title,
)

_BLUE: Final = "#1f5fa8"
_ORANGE: Final = "#d1600a"
_LOOK: Final[dict[str, dict[str, Any]]] = {
    "thermal particle": {"color": _BLUE, "linestyle": "-"},
    "tunnelling particle": {"color": ACCENT, "linestyle": "-"},
    "overheated particle": {"color": _ORANGE, "linestyle": "--", "linewidth": 1.8},
    "thermal ensemble": {"color": _BLUE, "linestyle": ":", "marker": "o", "markersize": 3, "mfc": "white"},
    "tunnelling ensemble": {
        "color": ACCENT,
        "linestyle": ":",
        "marker": "s",
        "markersize": 3,
        "mfc": "white",
    },
    "wide thermal ensemble": {
        "color": GREY,
        "linestyle": "-.",
        "marker": "^",
        "markersize": 3,
        "mfc": "white",
    },
}
# The overheated particle is drawn last: it hides nothing of the one it imitates.
_PARTICLES: Final = ("thermal particle", "tunnelling particle", "overheated particle")
_ENSEMBLES: Final = ("thermal ensemble", "tunnelling ensemble", "wide thermal ensemble")


def draw_switching(dataset: xr.Dataset) -> Figure:
    """Draw mean and width of the switching field, viscosity, and the crossover against the angle."""
    figure = new_figure(8.6, 7.2)
    grid = figure.add_gridspec(3, 2, height_ratios=(1.0, 1.0, 0.2))
    _draw_mean(figure.add_subplot(grid[0, 0]), dataset)
    _draw_viscosity(figure.add_subplot(grid[0, 1]), dataset)
    _draw_width(figure.add_subplot(grid[1, 0]), dataset)
    _draw_angle(figure.add_subplot(grid[1, 1]), dataset)
    _draw_legend(figure.add_subplot(grid[2, :]), dataset)
    figure.suptitle(f"Cooling {_lower(system_title(dataset))}", x=0.01, ha="left", fontsize=10)
    inputs = inputs_of(dataset)
    facts = (rate_text(inputs["rate"]), f"field at {np.rad2deg(inputs['angle']):g} deg to the easy axis")
    note_provenance(figure, dataset, *facts, f"waiting fields held for {inputs['waiting']:g} s")
    return figure


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _draw_legend(axes: Axes, dataset: xr.Dataset) -> None:
    axes.set_axis_off()
    handles = [Line2D([], [], label=_with_waiting(dataset, name), **look) for name, look in _LOOK.items()]
    title = "sample: coefficient of variation of its waiting times at the lowest temperature"
    axes.legend(handles=handles, loc="center", ncols=2, title=title, title_fontsize=8.5, fontsize=8)


def _coldest(dataset: xr.Dataset) -> int:
    return int(np.argmin(dataset["temperature"].values))


def _with_waiting(dataset: xr.Dataset, name: str) -> str:
    cold = dataset["waiting_variation"].sel(case=name).isel(temperature=_coldest(dataset))
    return f"{name}: {float(cold):.2f}"


def _curve(axes: Axes, dataset: xr.Dataset, values: xr.DataArray, name: str) -> None:
    order = np.argsort(dataset["temperature"].values)
    axes.plot(dataset["temperature"].values[order], values.sel(case=name).values[order], **_LOOK[name])


def _temperature_axis(axes: Axes, dataset: xr.Dataset) -> None:
    axes.set_xscale("log")
    axes.set_xlabel(label("temperature of the bath $T$", "K"))
    leak = float(dataset["leak_temperature"])
    axes.axvline(leak, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)), zorder=0)
    axes.text(leak, 0.02, " leak $T_0$", transform=axes.get_xaxis_transform(), fontsize=7.5, color=GREY)


def _draw_mean(axes: Axes, dataset: xr.Dataset) -> None:
    for name in (*_PARTICLES, *_ENSEMBLES[:2]):
        _curve(axes, dataset, 1e3 * dataset["mean_field"], name)
    _temperature_axis(axes, dataset)
    axes.set_ylabel(label("mean switching field", "mT"))
    axes.set_title("A plateau of the mean: tunnelling, or a heat leak")


def _draw_viscosity(axes: Axes, dataset: xr.Dataset) -> None:
    for name in _ENSEMBLES:
        _curve(axes, dataset, dataset["viscosity"], name)
    _temperature_axis(axes, dataset)
    axes.set_yscale("log")
    axes.set_ylabel(label("viscosity", r"share of $M_\mathrm{s}$ in a unit of $\ln t$"))
    axes.set_title("A plateau of the viscosity: barriers as $1/U$ suffice")


def _draw_width(axes: Axes, dataset: xr.Dataset) -> None:
    for name in (*_PARTICLES, *_ENSEMBLES[:2]):
        _curve(axes, dataset, 1e3 * dataset["field_width"], name)
    _temperature_axis(axes, dataset)
    axes.set_yscale("log")
    axes.set_ylabel(label("width of the switching field", "mT"))
    axes.set_title("The width: an ensemble shows its spread only")


def _draw_angle(axes: Axes, dataset: xr.Dataset) -> None:
    angles = np.rad2deg(dataset["field_angle"].values)
    quantum, leak = _LOOK["tunnelling particle"], _LOOK["overheated particle"]
    axes.plot(angles, dataset["frozen_temperature"].values, **quantum)
    axes.plot(angles, dataset["crossover"].values, color=INK, linewidth=1.0)
    axes.axhline(float(dataset["leak_temperature"]), **leak)
    axes.set_ylim(0.0, 1.35 * float(np.nanmax(dataset["frozen_temperature"].values)))
    axes.set_xlabel(label("angle between field and easy axis", "deg"))
    axes.set_ylabel(label("temperature of the plateau", "K"))
    axes.set_title("The angle: tunnelling follows it, a leak does not")
    notes = [Line2D([], [], **quantum), Line2D([], [], color=INK, linewidth=1.0), Line2D([], [], **leak)]
    names = ["tunnelling, from the mean field", r"tunnelling, $\hbar\omega_b/2\pi k_\mathrm{B}$", "heat leak"]
    axes.legend(notes, names, loc="lower right", fontsize=7.5)
    axes.text(0.03, 0.97, _counts(dataset), transform=axes.transAxes, va="top", fontsize=7.5, color=INK)


def _counts(dataset: xr.Dataset) -> str:
    """Return how many switchings exclude the heat leak: at the best angle, and at the one angle alone."""
    inputs = inputs_of(dataset)
    needed = dataset["needed_angle"].values
    best = int(np.argmin(needed))
    alone = float(dataset["needed_imitation"][_coldest(dataset)])
    return (
        f"switchings to exclude the leak, $B_\\mathrm{{sw}}$ known, "
        f"confidence {100 * inputs['confidence']:g} %:\n"
        f"{_number(float(needed[best]))} by the mean at "
        f"{np.rad2deg(dataset['field_angle'].values[best]):.0f} deg, "
        f"{_number(alone)} by the width at {np.rad2deg(inputs['angle']):.0f} deg alone"
    )


def _number(value: float) -> str:
    """Return a count as people say it.

    Examples
    --------
    >>> _number(1.2), _number(71266.0), _number(np.inf)
    ('2', '72 000', 'no number')
    """
    if not np.isfinite(value):
        return "no number"
    digits = 10 ** max(0, int(np.log10(value)) - 1)
    return f"{int(np.ceil(value / digits)) * digits:,}".replace(",", " ")
