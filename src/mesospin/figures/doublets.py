"""Figures of doublets: the barrier with its levels and transitions, and what the doublets are made of."""

from typing import Any, Final

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from mesospin.checks import spin_text
from mesospin.figures.style import (
    ACCENT,
    GREY,
    INK,
    PALE,
    inputs_of,
    label,
    new_figure,
    note_provenance,
    spread_labels,
    system_title,
)
from mesospin.figures.wave_functions import LEFT, MINUS, RIGHT

#: Half width of a level, in units of the projection, and least distance of two texts in parts of the axis.
_HALF, _LINE = 0.35, 0.045
#: Half width of the text on a connection, in units of the projection.
_TEXT = 1.2
#: Part of the strongest moment from which a transition is drawn.
_WEAK = 0.1
#: Least weight that is written into its bar, and number of doublets that have a row.
_ROOM, _ROWS = 0.09, 16

_COMPACT: Final[dict[str, Any]] = {"columnspacing": 1.0, "handlelength": 1.6, "fontsize": 8}


def draw_doublets(dataset: xr.Dataset) -> Figure:
    """Draw the levels against their projection, with transitions, and the composition with the g values."""
    rows = min(dataset.sizes["doublet"], _ROWS)
    figure = new_figure(10.6, max(3.8, 2.0 + 0.34 * rows))
    barrier, table = figure.subplots(1, 2, gridspec_kw={"width_ratios": (1.15, 1)})
    _draw_barrier(barrier, dataset)
    _draw_composition(table, dataset, rows)
    barrier.set_title(f"Doublets of {system_title(dataset)}")
    axis = inputs_of(dataset).get("axis", [0.0, 0.0, 1.0])
    nuclei = "nuclei left out" if inputs_of(dataset).get("nuclei") == "left out" else ""
    fact = "axis (" + ", ".join(f"{component:.4g}" for component in axis) + ")"
    more = dataset.sizes["doublet"] - rows
    note_provenance(figure, dataset, nuclei, fact, f"{more} higher doublets have no row" if more else "")
    return figure


def _draw_barrier(axes: Axes, dataset: xr.Dataset) -> None:
    energy, place = dataset["energy"].values, dataset["jz"].values
    for E, pair in zip(energy, place, strict=True):
        for x, colour in zip(pair, (RIGHT, LEFT), strict=True):
            axes.plot([x - _HALF, x + _HALF], [E, E], color=colour, linewidth=2.4, zorder=4)
    for E in dataset["singlet_energy"].values:
        axes.plot([-_HALF, _HALF], [E, E], color=GREY, linewidth=2.4, zorder=4)
    largest = float(dataset["projection"].values.max())
    axes.set_xlim(-largest - 1.0, largest + 1.0)
    top = max([*energy, *dataset["singlet_energy"].values])
    # one doublet alone has no height of its own
    height = float(top) if top > 0 else 1.0
    axes.set_ylim(-0.08 * height, 1.08 * height)
    _draw_transitions(axes, dataset)
    _draw_tunnelling(axes, dataset)
    axes.axvline(0.0, color=PALE, linewidth=0.7, zorder=0)
    axes.set_xlabel(label(r"mean projection $\langle J_z\rangle$", r"units of $\hbar$"))
    axes.set_ylabel(label(r"energy $E/k_\mathrm{B}$", "K"))
    strong = f"moment above {100 * _WEAK:.0f} % of the strongest"
    handles = [
        Line2D([], [], color=INK, linewidth=1.2, marker=">", markersize=4, label=strong),
        Line2D([], [], color=ACCENT, linestyle="--", linewidth=1.0, label="in a doublet: moment or gap"),
    ]
    if dataset.sizes["singlet"]:
        handles.append(Line2D([], [], color=GREY, linewidth=2.4, label="singlets"))
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, _below(axes, 0.5)), ncols=3, **_COMPACT
    )


def _draw_transitions(axes: Axes, dataset: xr.Dataset) -> None:
    """Draw the transitions between doublets that the moment makes, thick where it is large."""
    energy, place = dataset["energy"].values, dataset["jz"].values.ravel()
    moment = dataset["transition_moment"].values
    n = len(moment)
    climbs = [(start, stop) for start in range(n) for stop in range(start + 1, n) if start // 2 < stop // 2]
    strongest = max((moment[pair] for pair in climbs), default=0.0)
    for start, stop in climbs:
        share = moment[start, stop] / strongest if strongest else 0.0
        if share >= _WEAK:
            arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.3 + 1.3 * share, "mutation_scale": 7}
            axes.annotate(
                "",
                (place[stop], energy[stop // 2]),
                (place[start], energy[start // 2]),
                arrowprops={**arrow, "alpha": 0.2 + 0.8 * share, "shrinkA": 2, "shrinkB": 2},
                zorder=3,
            )


def _draw_tunnelling(axes: Axes, dataset: xr.Dataset) -> None:
    """Draw what connects the two states of a doublet, with its number where there is room."""
    energy, place = dataset["energy"].values, dataset["jz"].values
    apart = place[:, 0] > 2 * _HALF
    texts = {k: text for k in np.flatnonzero(apart) if (text := _connection(dataset, int(k)))}
    shown = list(texts)
    distance = _LINE * float(np.ptp(axes.get_ylim()))
    for k in shown:
        ends = [place[k, 1] + _HALF, place[k, 0] - _HALF]
        axes.plot(ends, [energy[k], energy[k]], linestyle=(0, (4, 3)), color=ACCENT, linewidth=0.8, zorder=2)
    for position in spread_labels([energy[k] for k in shown], distance):
        k = shown[position]
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        style: dict[str, Any] = {
            "ha": "center",
            "va": "center",
            "fontsize": 7,
            "color": ACCENT,
            "bbox": box,
            "zorder": 5,
        }
        axes.annotate(texts[k], (_free_place(energy, place, int(k), distance), energy[k]), **style)


def _free_place(energy: NDArray[np.float64], place: NDArray[np.float64], k: int, distance: float) -> float:
    """Return where the text of a doublet hides no level: the middle, or half-way to the right."""
    near = (np.abs(energy - energy[k]) < distance) & (np.arange(len(energy)) != k)
    hidden = np.any(near & (np.abs(place[:, 0]) < _TEXT))
    return float(0.5 * place[k, 0]) if hidden and place[k, 0] > 4 * _TEXT else 0.0


def _connection(dataset: xr.Dataset, k: int) -> str:
    """Return the moment between the two states of a Kramers doublet, the gap of a pseudo-doublet."""
    moment = float(dataset["transition_moment"][2 * k, 2 * k + 1])
    if moment > 10 * float(dataset["g_error"][k]):
        return _number(moment) + r" $\mu_\mathrm{B}$"
    gap = float(dataset["gap"][k])
    return _number(gap) + " K" if gap > 1e-9 * float(dataset["energy"].max()) else ""


def _below(axes: Axes, inches: float) -> float:
    """Return a place below the axes, in parts of their height, which is about 0.8 of that of the figure."""
    height = float(axes.get_figure(root=True).get_size_inches()[1])  # type: ignore[union-attr]
    return -inches / (0.8 * height)


def _number(value: float) -> str:
    """Return a number with two decimals or digits, as a power of ten where it is small."""
    if value >= 0.01 or value == 0.0:
        return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"${mantissa}\times 10^{{{int(exponent)}}}$"


def _bound(error: float) -> str:
    """Return the power of ten below which a number lies whose rounding error hides it."""
    return rf"$<10^{{{int(np.ceil(np.log10(error)))}}}$"


def _draw_composition(axes: Axes, dataset: xr.Dataset, rows: int) -> None:
    """Draw one bar a doublet, lowest at the bottom, with its g values beside it."""
    projection = dataset["projection"].values
    colours: Colormap = mpl.colormaps["viridis"]
    weight = dataset["weight"].values[:rows, 0]
    for row in range(rows):
        _draw_bar(axes, row, weight[row], projection, colours)
    energy, g = dataset["energy"].values, dataset["g"].values
    for row in range(rows):
        for column, value in enumerate(g[row]):
            error = float(dataset["g_error"][row])
            text = _number(float(value)) if value > error else _bound(error)
            axes.text(1.17 + 0.27 * column, row, text, ha="center", va="center", fontsize=7.5)
    for column, name in enumerate("xyz"):
        axes.text(1.17 + 0.27 * column, rows - 0.35, f"$g_{name}$", ha="center", va="bottom", fontsize=8.5)
    axes.set_xlim(0.0, 1.84)
    axes.set_ylim(-0.6, rows + 0.1)
    axes.set_xticks([0.0, 0.5, 1.0], ["0", "50", "100"])
    axes.set_yticks(range(rows), [f"{value:.1f}".replace("-", MINUS) for value in energy[:rows]])
    for side in (axes.xaxis, axes.yaxis):
        side.set_minor_locator(NullLocator())
    axes.tick_params(axis="y", right=False, length=0)
    axes.spines[["right", "top"]].set_visible(False)
    axes.set_ylabel(label(r"energy $E/k_\mathrm{B}$", "K"))
    axes.set_xlabel(label(r"weight of $|m\rangle$ in the state with $\langle J_z\rangle \geq 0$", "%"))
    axes.xaxis.set_label_coords(0.5 / 1.84, _below(axes, 0.32))


def _draw_bar(
    axes: Axes, row: int, weight: NDArray[np.float64], projection: NDArray[np.float64], colours: Colormap
) -> None:
    largest, start = float(projection.max()), 0.0
    for k in np.argsort(-weight, kind="stable"):
        colour = colours(0.5 + 0.48 * projection[k] / largest)
        axes.barh(row, weight[k], 0.7, left=start, color=colour, edgecolor="white", linewidth=0.4)
        if weight[k] >= _ROOM:
            dark = projection[k] < 0.3 * largest
            axes.text(
                start + weight[k] / 2,
                row,
                spin_text(float(projection[k])).replace("-", MINUS),
                ha="center",
                va="center",
                fontsize=7.5,
                color="white" if dark else INK,
            )
        start += float(weight[k])
