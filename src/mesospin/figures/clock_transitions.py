"""Figure of clock transitions: where the frequency does not move with the field, and how it bends away."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from mesospin.constants import KELVIN_PER_GIGAHERTZ
from mesospin.figures.style import (
    direction_fact,
    label,
    new_figure,
    note_provenance,
    system_title,
    temperature_colours,
)

#: A curve is drawn to this part of the field in which the gap doubles its square.
_REACH = 0.6
#: Transitions that are named in the legend.
_NAMED = 8
_POINTS = 121


def draw_clock_transitions(dataset: xr.Dataset) -> Figure:
    """Draw frequency against field about every clock transition, by its gap and curvature."""
    figure = new_figure(7.2, 4.4)
    axes = figure.subplots()
    colours = temperature_colours(dataset.sizes["transition"])
    for k, colour in enumerate(colours):
        entry = dataset.isel(transition=k)
        centre, gap = float(entry["field"]), float(entry["gap"])
        slope, bent = float(entry["far_slope"]), float(entry["curvature"])
        width = _REACH * gap / slope
        offset = np.linspace(-width, width, _POINTS)
        # a maximum has no hyperbola: only its parabola is known
        curve = np.hypot(gap, slope * offset) if bent > 0 else gap + 0.5 * bent * offset**2
        axes.plot(1e3 * (centre + offset), curve / KELVIN_PER_GIGAHERTZ, color=colour)
        moment = np.hypot(float(entry["moment_parallel"]), float(entry["moment_perpendicular"]))
        text = rf"{1e3 * centre:.2f} mT, {float(entry['frequency']):.4g} GHz, {moment:.2g} $\mu_\mathrm{{B}}$"
        axes.plot(
            1e3 * centre,
            float(entry["frequency"]),
            "o",
            color=colour,
            markersize=5,
            label=text if k < _NAMED else None,
        )
    axes.set_xlabel(label(r"field $B$", "mT"))
    axes.set_ylabel(label(r"frequency $f$", "GHz"))
    axes.set_title(f"Clock transitions of {system_title(dataset)}")
    heading = "field, frequency, moment;\ncurves: " + r"$\mathrm{gap}^2 = \Delta^2 + v^2(B - B_0)^2$"
    figure.legend(loc="outside right upper", title=heading, title_fontsize=8.5, alignment="left")
    more = dataset.sizes["transition"] - _NAMED
    note_provenance(
        figure, dataset, direction_fact(dataset), f"{more} more are not named" if more > 0 else ""
    )
    return figure
