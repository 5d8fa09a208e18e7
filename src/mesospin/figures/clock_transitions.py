"""Figure of clock transitions: where the frequency does not move with the field, and how it bends away."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesospin.constants import KELVIN_PER_GIGAHERTZ
from mesospin.figures.style import (
    GREY,
    direction_fact,
    inputs_of,
    label,
    new_figure,
    note_provenance,
    system_title,
    temperature_colours,
)
from mesospin.figures.wave_functions import MINUS

#: A curve is drawn to this part of the field in which the gap doubles its square.
_REACH = 0.6
#: Transitions that have a colour and a name: those from the lowest levels.
_NAMED = 8
_POINTS = 121


def draw_clock_transitions(dataset: xr.Dataset) -> Figure:
    """Draw frequency against field about every clock transition, by its gap and curvature."""
    figure = new_figure(7.6, 4.4)
    axes = figure.subplots()
    order = np.lexsort((dataset["field"].values, dataset["energy"].values))
    named = order[:_NAMED]
    for k in order[_NAMED:]:
        _draw_curve(axes, dataset.isel(transition=k), GREY, 1)
    for k, colour in zip(named, temperature_colours(len(named)), strict=True):
        _draw_curve(axes, dataset.isel(transition=k), colour, 2)
    low, high = inputs_of(dataset)["span"]
    axes.set_xlim(1e3 * low, 1e3 * high)
    axes.set_xlabel(label(r"field $B$", "mT"))
    axes.set_ylabel(label(r"frequency $f$", "GHz"))
    axes.set_title(f"Clock transitions of {system_title(dataset)}")
    heading = "levels, field, frequency, moment;\ncurves: " + r"$\mathrm{gap}^2 = \Delta^2 + v^2(B - B_0)^2$"
    handles = [line for line in axes.lines if not str(line.get_label()).startswith("_")]
    figure.legend(
        handles=handles, loc="outside right upper", title=heading, title_fontsize=8.5, alignment="left"
    )
    more = len(order) - len(named)
    note_provenance(
        figure,
        dataset,
        direction_fact(dataset),
        f"grey: {more} more, from higher levels" if more else "",
    )
    return figure


def _draw_curve(axes: Axes, entry: xr.Dataset, colour: Any, order: int) -> None:
    """Draw one transition: its curve and, named unless it is grey, its point."""
    centre, gap = float(entry["field"]), float(entry["gap"])
    slope, bent = float(entry["far_slope"]), float(entry["curvature"])
    width = _REACH * gap / slope
    offset = np.linspace(-width, width, _POINTS)
    # a maximum has no hyperbola: only its parabola is known
    curve = np.hypot(gap, slope * offset) if bent > 0 else gap + 0.5 * bent * offset**2
    grey = colour == GREY
    style: dict[str, Any] = {"color": colour, "zorder": order}
    axes.plot(1e3 * (centre + offset), curve / KELVIN_PER_GIGAHERTZ, linewidth=0.8 if grey else 1.4, **style)
    axes.plot(
        1e3 * centre,
        float(entry["frequency"]),
        "o",
        markersize=3 if grey else 5,
        label=None if grey else _text(entry),
        clip_on=False,
        **style,
    )


def _text(entry: xr.Dataset) -> str:
    moment = np.hypot(float(entry["moment_parallel"]), float(entry["moment_perpendicular"]))
    text = (
        rf"{int(entry['level_from'])} to {int(entry['level_to'])}: {1e3 * float(entry['field']):.2f} mT, "
        rf"{float(entry['frequency']):.4g} GHz, {moment:.2g} $\mu_\mathrm{{B}}$"
    )
    return text.replace("-", MINUS)
