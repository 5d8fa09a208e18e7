"""Figure of an ensemble of splittings: histogram, Landau-Zener curves, and their collapse."""

from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from mesospin.figures.style import (
    ACCENT,
    GREY,
    INK,
    PALE,
    inputs_of,
    label,
    new_figure,
    note_provenance,
    system_title,
    temperature_colours,
)

_LEFT: Final = "molecules that never tunnelled"
_TICKS: Final = 5
#: Half width of the histogram [decades]: wide enough to have powers of ten on its axis.
_NARROWEST: Final = 1.05


def draw_splitting_distribution(dataset: xr.Dataset) -> Figure:
    """Draw how splittings are distributed, what sweeps leave behind, and what of it depends on r/n alone."""
    figure = new_figure(10.4, 4.0)
    panels = [figure.add_subplot(1, 3, 1 + panel) for panel in range(3)]
    _draw_histogram(panels[0], dataset)
    _draw_curves(panels[1], dataset)
    _draw_collapse(panels[2], dataset)
    inputs = inputs_of(dataset)
    pair = " and ".join(inputs["pair"]).replace("-", "\N{MINUS SIGN}").replace("=", " = ")
    figure.suptitle(f"Tunnel splittings of {system_title(dataset)}, {pair}", x=0.01, ha="left", fontsize=10)
    given = [name for name in ("E", "tilt", "transverse") if inputs.get(name, "none") != "none"]
    facts = [f"{dataset.sizes['molecule']} molecules", *(f"{name}: {inputs[name]}" for name in given)]
    note_provenance(figure, dataset, *facts, f"seed {inputs['seed']}" if given else "listed, not drawn")
    return figure


def _draw_histogram(axes: Axes, dataset: xr.Dataset) -> None:
    axes.set_title("distribution")
    axes.set_xlabel(label(r"tunnel splitting $\Delta/k_\mathrm{B}$", "K"))
    axes.set_ylabel(label("share of the molecules", "% per decade"))
    zero = float(dataset["zero_share"])
    if zero == 1.0:
        axes.text(0.5, 0.5, "all exactly zero", transform=axes.transAxes, ha="center", color=ACCENT)
        axes.tick_params(which="both", length=0, labelleft=False, labelbottom=False)
        return
    centre, density = dataset["bin"].values, 100 * dataset["density"].values
    half = (centre[1] - centre[0]) / 2 if len(centre) > 1 else 0.5
    edges = 10.0 ** np.append(centre - half, centre[-1] + half)
    axes.stairs(density, edges, fill=True, color=PALE)
    axes.stairs(density, edges, color=INK, linewidth=0.9)
    axes.set_xscale("log")
    _thin_ticks(axes)
    median, spread = float(dataset["median_log10"]), float(dataset["spread_log10"])
    reach = max((np.log10(edges[-1]) - np.log10(edges[0])) / 2, _NARROWEST)
    middle = np.log10(edges[-1] * edges[0]) / 2
    axes.set_xlim(10.0 ** (middle - reach), 10.0 ** (middle + reach))
    axes.plot(10.0**median, 1.05 * density.max(), "v", color=ACCENT, markersize=5)
    text = f"median {_power(median)} K\nspread {spread if spread > 1e-6 else 0.0:.2g} decades"
    if zero > 0:
        text += f"\n{100 * zero:.3g} % exactly zero"
    axes.set_ylim(0, 1.34 * density.max())
    axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", fontsize=8, color=ACCENT)


def _draw_curves(axes: Axes, dataset: xr.Dataset) -> None:
    """Draw the fraction left after n sweeps against the rate of the field."""
    rate = dataset["rate"].values
    passages = dataset["passage"].values
    colours = temperature_colours(len(passages))
    for n, colour in zip(passages, colours, strict=True):
        one = dataset.sel(passage=n)
        axes.plot(rate, 100 * one["remaining_frozen"], color=colour)
        axes.plot(rate, 100 * one["remaining_redrawn"], color=colour, linestyle="--", linewidth=1.0)
    single = dataset["remaining_single"].isel(passage=0)
    axes.plot(rate, 100 * single, color=GREY, linestyle=":", linewidth=1.6)
    axes.set_title("after n sweeps")
    axes.set_xlabel(label(r"field rate $r$", "T/s"))
    _share_axis(axes)
    handles = [Line2D([], [], color=c, label=f"$n$ = {n}") for n, c in zip(passages, colours, strict=True)]
    name = rf"one $\Delta$, $n$ = {passages[0]}"
    handles.append(Line2D([], [], color=GREY, linestyle=":", linewidth=1.6, label=name))
    axes.legend(handles=handles, loc="best", fontsize=7.5)


def _draw_collapse(axes: Axes, dataset: xr.Dataset) -> None:
    """Draw the same against r/n: frozen splittings fall on one curve, redrawn ones do not."""
    passages = dataset["passage"].values
    colours = temperature_colours(len(passages))
    widths = np.linspace(5.0, 1.4, len(passages)) if len(passages) > 1 else [1.4]
    for n, colour, width in zip(passages, colours, widths, strict=True):
        one = dataset.sel(passage=n)
        axes.plot(one["effective_rate"], 100 * one["remaining_frozen"], color=colour, linewidth=width)
        axes.plot(
            one["effective_rate"], 100 * one["remaining_redrawn"], color=colour, linestyle="--", linewidth=1.0
        )
    axes.set_title("against the effective rate")
    axes.set_xlabel(label(r"rate over sweeps $r/n$", "T/s"))
    _share_axis(axes)
    handles = [
        Line2D([], [], color=INK, linewidth=2.5, label="frozen splittings"),
        Line2D([], [], color=INK, linestyle="--", linewidth=1.0, label="redrawn before each sweep"),
    ]
    axes.legend(handles=handles, loc="best", fontsize=7.5)


def _share_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_ylim(0, 104)
    axes.set_ylabel(label(_LEFT, "%"))
    axes.margins(x=0)
    _thin_ticks(axes)


def _thin_ticks(axes: Axes) -> None:
    """Label few powers of ten, whatever the number of decades."""
    axes.xaxis.set_major_locator(LogLocator(numticks=_TICKS))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(LogLocator(numticks=4 * _TICKS))


def _power(logarithm: float) -> str:
    exponent = int(np.floor(logarithm))
    return rf"${10.0 ** (logarithm - exponent):.1f}\times10^{{{exponent}}}$"
