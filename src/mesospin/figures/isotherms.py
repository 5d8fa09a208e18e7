"""Colours and marks of isotherms: by temperature or by field, whichever varies more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mesospin.figures.style import GREY, INK, label, spread_labels, temperature_colours

Floats = NDArray[np.float64]
Colour = Any

TEMPERATURE: Final = label("temperature", "K")
INVERSE: Final = label("inverse temperature $1/T$", r"K$^{-1}$")
FIELD: Final = label(r"magnetic field $\mu_0 H$", "T")
TIME: Final = label(r"relaxation time $\tau$", "s")

_MARKERS: Final = "os^Dvp"
_SAME_TEMPERATURE: Final = 0.05
_SAME_FIELD: Final = 1e-3
_TICKS: Final = 12
_WARM_TICKS: Final = 9
_ROUND: Final = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


class Scale(NamedTuple):
    """How isotherms are told apart."""

    colours: list[Colour]
    """Of every isotherm."""
    markers: list[str]
    """Of every isotherm."""
    by_field: bool
    """Whether colours stand for fields; else for temperatures."""
    values: list[float]
    """What the colours stand for, rising."""
    others: list[float]
    """What the markers stand for, rising; one value where they say nothing."""
    other_of: NDArray[np.intp]
    """Of every isotherm: which of ``others``."""

    def colour_at(self, temperature: float, field: float) -> Colour:
        """Return the colour of the isotherm nearest to a temperature [K] and field [T]."""
        own = field if self.by_field else temperature
        palette = temperature_colours(len(self.values))
        return palette[int(np.argmin(np.abs(np.array(self.values) - own)))]

    @property
    def fact(self) -> str:
        """What all isotherms have in common, for a title."""
        if len(self.others) > 1:
            return ""
        # what a magnetometer calls zero field is a few microtesla
        return f", {round(self.others[0], 4) + 0.0:.4g} {'K' if self.by_field else 'T'}"


def isotherm_scale(temperature: Floats, field: Floats) -> Scale:
    """Return colours and markers for isotherms at temperatures [K] and fields [T].

    Examples
    --------
    >>> scale = isotherm_scale(np.array([2.0, 4.0, 2.01]), np.array([0.0, 0.0, 0.1]))
    >>> scale.by_field, [round(value, 3) for value in scale.values], scale.others
    (False, [2.005, 4.0], [0.0, 0.1])
    """
    T_of, T = clusters(temperature, _SAME_TEMPERATURE)
    B_of, B = clusters(field, _SAME_FIELD)
    by_field = len(B) > len(T)
    own, values, other, others = (B_of, B, T_of, T) if by_field else (T_of, T, B_of, B)
    palette = temperature_colours(len(values)) if len(values) > 1 else [INK]
    markers = [_MARKERS[k % len(_MARKERS)] for k in other]
    return Scale([palette[k] for k in own], markers, by_field, values, others, other)


def clusters(values: Floats, tolerance: float) -> tuple[NDArray[np.intp], list[float]]:
    """Return the number of the cluster of every value, and their means, rising."""
    order = np.argsort(values, kind="stable")
    starts = np.diff(values[order], prepend=values[order][:1] - 2 * tolerance - 1.0) > tolerance
    number = np.empty(len(values), dtype=np.intp)
    number[order] = np.cumsum(starts) - 1
    means = np.bincount(number, weights=values) / np.bincount(number)
    return number, means.tolist()


def draw_scale(figure: Figure, axes: Sequence[Axes], scale: Scale) -> None:
    """Draw the bar of colours, and the marks where there are several."""
    count = len(scale.values)
    if count > 1:
        bar = figure.colorbar(
            ScalarMappable(cmap=ListedColormap(temperature_colours(count))),
            ax=list(axes),
            aspect=48,
            pad=0.01,
            fraction=0.03,
        )
        shown = np.arange(0, count, -(-count // _TICKS))
        bar.set_ticks(
            ((shown + 0.5) / count).tolist(), labels=[f"{round(scale.values[k], 4):.3g}" for k in shown]
        )
        bar.ax.minorticks_off()
        bar.ax.tick_params(direction="out", left=False, right=True, length=2, labelsize=8)
        bar.set_label(FIELD if scale.by_field else TEMPERATURE)
        bar.outline.set_visible(False)
    if len(scale.others) > 1:
        unit = "K" if scale.by_field else "T"
        handles = [
            Line2D([], [], linestyle="", marker=_MARKERS[k % len(_MARKERS)], color=GREY, ms=4)
            for k in range(len(scale.others))
        ]
        texts = [f"{round(value, 4) + 0.0:.4g} {unit}" for value in scale.others]
        figure.legend(handles, texts, loc="outside upper right", ncols=len(texts), fontsize=8)


def inverse_temperature_axis(axes: Axes, temperature: Floats) -> None:
    """Label an axis of 1/T, with temperatures [K] above it."""
    low, high = float(temperature.min()), float(temperature.max())
    spread = 1.0 / low - 1.0 / high
    margin = 0.05 * spread if spread > 0.0 else 0.1 / low
    axes.set_xlim(max(0.0, 1.0 / high - margin), 1.0 / low + margin)
    axes.set_xlabel(INVERSE)
    top = axes.secondary_xaxis("top")
    ends = axes.get_xlim()
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.log10(high) + 1.0)
    inside = [1.0 / T for T in np.outer(decades, _ROUND).ravel() if ends[0] <= 1.0 / T <= ends[1]]
    kept = spread_labels(inside, (ends[1] - ends[0]) / _WARM_TICKS)
    top.set_xticks([inside[k] for k in kept], [f"{1.0 / inside[k]:g}" for k in kept])
    top.minorticks_off()
    top.set_xlabel(label("$T$", "K"))


def varying(temperature: Floats, field: Floats) -> str:
    """Return what relaxation times are drawn against: "temperature", "field", or "" for a single one."""
    T, B = clusters(temperature, _SAME_TEMPERATURE)[1], clusters(field, _SAME_FIELD)[1]
    if len(T) == 1 and len(B) == 1:
        return ""
    return "field" if len(B) > len(T) else "temperature"


def draw_theory_times(axes: Axes, theory: Sequence[xr.Dataset], *, against_field: bool) -> None:
    """Draw times of other results as dashed lines: of a spin, of a fit to computed data."""
    first = True
    for extra in theory:
        if "tau" not in extra or not {"temperature", "field"} <= set(map(str, extra.variables)):
            continue
        T, B, tau = (
            np.asarray(part.values, dtype=np.float64).ravel()
            for part in xr.broadcast(extra["temperature"], extra["field"], extra["tau"])
        )
        for fixed in np.unique(T if against_field else B):
            own = ((T if against_field else B) == fixed) & np.isfinite(tau)
            x = B[own] if against_field else 1.0 / T[own]
            order = np.argsort(x)
            name = "theory" if first else None
            axes.plot(x[order], tau[own][order], "--", color=INK, linewidth=1.1, zorder=4, label=name)
            first = False
