"""Figures of laws of relaxation: times with the law and its processes, laws against each other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mesospin.figures.ac import parameter_lines
from mesospin.figures.isotherms import (
    FIELD,
    TIME,
    draw_theory_times,
    inverse_temperature_axis,
    isotherm_scale,
)
from mesospin.figures.style import ACCENT, GREY, INK, PALE, new_figure, note_provenance, temperature_colours

Floats = NDArray[np.float64]

_PROCESS_COLOURS: Final = ("#1f5fa8", "#d1600a", "#3a7d44", "#7b4ea3", "#8c6d1f", "#5a5a5a")
_HIDDEN: Final = 1e-4
"""Part of the rate below which a process is not drawn."""
_ROOM: Final = 2.0
_MOST_SERIES: Final = 12
_NAME_WIDTH: Final = 30


def draw_rate_fit(dataset: xr.Dataset, theory: Sequence[xr.Dataset] = ()) -> Figure:
    """Draw times against 1/T (or B), the law with its band, its processes dashed, and the parameters."""
    lines = parameter_lines(dataset, 3)
    panel = _panel(dataset["temperature"].values, dataset["field"].values, 4.7 + 0.17 * len(lines))
    axes = panel.axes
    _draw_points(panel, dataset["tau"].values, dataset["ln_tau_error"].values)
    _draw_curves(panel, dataset)
    shown = np.concatenate([dataset["tau"].values, dataset["curve_tau"].values])
    # a process far above the times leaves the picture
    axes.set_ylim(shown.min() / _ROOM, shown.max() * _ROOM)
    _finish(panel, theory)
    quality = rf"$\chi^2/\nu$ = {float(dataset['reduced_chi2']):.3g}"
    title = f"{dataset.attrs['law']}{panel.fact}: {quality}"
    panel.figure.suptitle("\n".join([title, *lines]), x=0.01, ha="left", fontsize=9, linespacing=1.35)
    note_provenance(panel.figure, dataset, str(dataset.attrs["verdict"]))
    return panel.figure


def draw_relaxation_times(dataset: xr.Dataset, theory: Sequence[xr.Dataset] = ()) -> Figure:
    """Draw relaxation times of any origin against 1/T (or B)."""
    panel = _panel(dataset["temperature"].values, dataset["field"].values, 4.6)
    tau = dataset["tau"].values
    _draw_points(panel, tau, dataset["tau_error"].values / tau)
    _finish(panel, theory)
    panel.axes.set_title(f"Relaxation times{panel.fact}")
    note_provenance(panel.figure, dataset)
    return panel.figure


class _Panel(NamedTuple):
    """One panel of times, its abscissa, and what tells its series apart."""

    figure: Figure
    axes: Axes
    temperature: Floats
    x: Floats
    """Of every point: 1/T [1/K], or B [T]."""
    against_field: bool
    series: NDArray[np.intp]
    """Of every point: which of the other condition's values it belongs to."""
    values: list[float]
    """The other condition: fields [T], or temperatures [K]."""

    @property
    def colours(self) -> list[Any]:
        return temperature_colours(len(self.values)) if len(self.values) > 1 else [INK]

    @property
    def unit(self) -> str:
        return "K" if self.against_field else "T"

    @property
    def fact(self) -> str:
        return f", {round(self.values[0], 4) + 0.0:.4g} {self.unit}" if len(self.values) == 1 else ""


def _panel(temperature: Floats, field: Floats, height: float) -> _Panel:
    scale = isotherm_scale(temperature, field)
    series = scale.other_of
    figure = new_figure(6.6 if len(scale.others) == 1 else 7.2, height)
    x = field if scale.by_field else 1.0 / temperature
    return _Panel(figure, figure.add_subplot(), temperature, x, scale.by_field, series, scale.others)


def _finish(panel: _Panel, theory: Sequence[xr.Dataset]) -> None:
    axes = panel.axes
    axes.set_yscale("log")
    axes.set_ylabel(TIME)
    draw_theory_times(axes, theory, against_field=panel.against_field)
    if panel.against_field:
        axes.set_xlabel(FIELD)
    else:
        inverse_temperature_axis(axes, panel.temperature)
    if len(panel.values) > 1:
        shown = range(0, len(panel.values), -(-len(panel.values) // _MOST_SERIES))
        handles = [Line2D([], [], marker="o", ms=3.8, color=panel.colours[k]) for k in shown]
        texts = [f"{round(panel.values[k], 4) + 0.0:.4g} {panel.unit}" for k in shown]
        panel.figure.legend(handles, texts, loc="outside right upper", fontsize=8)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)


def _draw_points(panel: _Panel, tau: Floats, relative: Floats) -> None:
    known = np.nan_to_num(relative, nan=0.0)
    bars = np.stack([tau * -np.expm1(-known), tau * np.expm1(known)])
    for k, colour in enumerate(panel.colours):
        own = panel.series == k
        panel.axes.errorbar(
            panel.x[own], tau[own], yerr=bars[:, own] if known[own].any() else None, fmt="o", ms=3.8,
            color=colour, elinewidth=0.9, capsize=1.8, capthick=0.8, zorder=4,
        )  # fmt: skip


def _draw_curves(panel: _Panel, dataset: xr.Dataset) -> None:
    """Draw the law with its band for every series, and the processes of a single one."""
    T, B = dataset["curve_temperature"].values, dataset["curve_field"].values
    along_field = len(np.unique(T)) == 1
    if panel.against_field and not along_field:
        # tabulated along the temperature, drawn against the field: only its values at the points are known
        for k, colour in enumerate(panel.colours):
            own = np.flatnonzero(panel.series == k)
            order = own[np.argsort(panel.x[own])]
            panel.axes.plot(panel.x[order], dataset["tau_model"].values[order], color=colour, linewidth=1.1)
        return
    x = B if along_field else 1.0 / T
    fields = [float("nan")] if along_field else np.unique(B).tolist()
    alone = len(panel.values) == 1
    for number, field in enumerate(fields):
        own = np.flatnonzero(np.isnan(field) | (field == B))
        order = own[np.argsort(x[own])]
        colour = ACCENT if alone else panel.colours[_nearest(panel.values, field)]
        first = alone and number == 0
        low, high, middle = (dataset[name].values[order] for name in ("tau_lower", "tau_upper", "curve_tau"))
        panel.axes.fill_between(
            x[order], low, high, color=colour, alpha=0.22, linewidth=0, zorder=1,
            label="one standard error" if first else None,
        )  # fmt: skip
        panel.axes.plot(x[order], middle, color=colour, zorder=3, label="law" if first else None)
        if alone and dataset.sizes["process"] > 1:
            _draw_processes(panel.axes, dataset, x, order)


def _nearest(values: Sequence[float], value: float) -> int:
    return int(np.argmin(np.abs(np.array(values) - value)))


def _draw_processes(axes: Axes, dataset: xr.Dataset, x: Floats, order: NDArray[np.intp]) -> None:
    total = 1.0 / dataset["curve_tau"].values[order]
    for k, name in enumerate(dataset["process"].values.astype(str)):
        rate = dataset["process_rate"].values[k][order]
        drawn = rate > _HIDDEN * total
        if not drawn.any():
            continue
        tau = np.where(drawn, 1.0 / np.where(drawn, rate, 1.0), np.nan)
        colour = _PROCESS_COLOURS[k % len(_PROCESS_COLOURS)]
        axes.plot(x[order], tau, "--", color=colour, linewidth=1.1, zorder=2, label=name)


def draw_rate_comparison(dataset: xr.Dataset) -> Figure:
    """Draw the Akaike weights of laws as bars, with what the data say of each."""
    count = dataset.sizes["law"]
    figure = new_figure(8.2, 1.1 + 0.75 * count)
    axes = figure.add_subplot()
    weight, aicc, reduced = (dataset[name].values for name in ("weight", "aicc", "reduced_chi2"))
    for k in range(count):
        place = count - 1 - k
        axes.barh(place, np.nan_to_num(weight[k]), height=0.5, color=ACCENT if k == 0 else GREY)
        difference = aicc[k] - np.nanmin(aicc) if np.isfinite(aicc).any() else np.nan
        number = int(dataset["parameters"].values[k])
        text = (
            rf"$\Delta$AICc = {difference:.3g}, $\chi^2/\nu$ = {reduced[k]:.3g}, {number} parameters"
            if np.isfinite(difference)
            else f"{number} parameters: too few times to compare"
        )
        verdict = textwrap.shorten(str(dataset["verdict"].values[k]), 74, placeholder=" ...")
        axes.text(1.03, place + 0.14, text, fontsize=8, va="center")
        axes.text(1.03, place - 0.2, verdict, fontsize=6.8, va="center", color=GREY)
    names = ["\n".join(textwrap.wrap(str(law), _NAME_WIDTH)) for law in dataset["law"].values]
    axes.set_yticks(list(range(count - 1, -1, -1)), names)
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.minorticks_off()
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-0.6, count - 0.4)
    axes.axvline(0.0, color=PALE)
    axes.set_xlabel("Akaike weight")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_title("Laws on the same relaxation times")
    note_provenance(figure, dataset)
    return figure
