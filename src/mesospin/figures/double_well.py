"""Figure of the double well: levels and barrier against m and against the angle, climbs and tunnelling."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from mesospin.figures.style import (
    ACCENT,
    GREY,
    INK,
    PALE,
    direction_fact,
    inputs_of,
    label,
    new_figure,
    note_provenance,
    spread_labels,
    system_title,
)
from mesospin.figures.wave_functions import LEFT, MINUS, RIGHT, format_half, kelvin_text

_Real = NDArray[np.float64]

_COLOURS = {-1: LEFT, 0: GREY, 1: RIGHT}
#: Half width of a level, in units of m, and the least distance of two lines of text, in parts of the axis.
_HALF, _LINE = 0.34, 0.042
_PROJECTIONS = 10
#: Least half width of a level against the angle, about the bottom of its well [deg].
_BOTTOM = 6.0
#: Part of the width of the spectrum within which levels are degenerate.
_SAME = 1e-9
_DASHES, _DOTS = (0, (4, 3)), (0, (1, 3))


def draw_double_well(dataset: xr.Dataset) -> Figure:
    """Draw levels in the two wells: against m with climbs and tunnelling, against theta with the barrier."""
    figure = new_figure(10.4, 5.2)
    ladder, angle = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": (1.35, 1)})
    energy, curve = dataset["energy"].values, dataset["classical_energy"].values
    low = min(energy.min(), dataset["well_energy"].values.min())
    high = max(energy.max(), float(dataset["top_energy"]))
    ladder.set_ylim(low - 0.07 * (high - low), high + 0.1 * (high - low))
    _draw_barrier(ladder, dataset["classical_m"].values, curve)
    _draw_barrier(angle, dataset["theta"].values, curve)
    _draw_ladder(ladder, dataset)
    _draw_angles(angle, dataset)
    ladder.set_ylabel(label(r"energy $E/k_\mathrm{B}$", "K"))
    field = f"{round(float(inputs_of(dataset)['B']), 9) + 0.0:.4g} T".replace("-", MINUS)
    ladder.set_title(f"Double well of {system_title(dataset)} at {field}")
    figure.legend(handles=_legend(dataset), loc="outside upper right", ncols=6, columnspacing=1.2)
    nuclei = "nuclei left out" if inputs_of(dataset).get("nuclei") == "left out" else ""
    note_provenance(figure, dataset, nuclei, direction_fact(dataset))
    return figure


def _draw_barrier(axes: Axes, x: _Real, curve: _Real) -> None:
    axes.fill_between(x, curve, axes.get_ylim()[0], color=PALE, alpha=0.45, linewidth=0, zorder=0)
    axes.plot(x, curve, color=GREY, linewidth=1.2, zorder=1)


def _draw_ladder(axes: Axes, dataset: xr.Dataset) -> None:
    energy, place = dataset["energy"].values, dataset["mean_sz"].values
    side, named = dataset["side"].values, np.isfinite(dataset["m"].values)
    S = float(dataset["classical_m"].values.max())
    axes.set_xlim(-S - 0.9, S + 0.9)
    m, curve = dataset["classical_m"].values, dataset["classical_energy"].values
    for E, x, well, has_name in zip(energy, place, side.tolist(), named.tolist(), strict=True):
        if has_name or well:
            axes.plot([x - _HALF, x + _HALF], [E, E], color=_COLOURS[well], linewidth=2.4, zorder=4)
        else:
            axes.plot(m, np.where(curve <= E, E, np.nan), color=GREY, linewidth=1.0, zorder=2)
    _draw_tunnelling(axes, dataset)
    _draw_climbs(axes, dataset)
    stride = int(np.ceil(2 * S / _PROJECTIONS))
    chosen = np.arange(-S, S + 0.5)[int(2 * S) % stride // 2 :: stride]
    axes.set_xticks(chosen, [format_half(value) for value in chosen])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(label(r"projection $\langle S_z\rangle$", r"units of $\hbar$"))


def _draw_tunnelling(axes: Axes, dataset: xr.Dataset) -> None:
    """Draw an arrow between resonant levels, named by its splitting where there is room."""
    energy, place = dataset["energy"].values, dataset["mean_sz"].values
    left, right = dataset["tunnel_left"].values, dataset["tunnel_right"].values
    logarithm, zero = dataset["log10_splitting"].values, dataset["zero"].values.astype(bool)
    middle = 0.5 * (energy[left] + energy[right])
    for i, j, forbidden in zip(left, right, zero, strict=True):
        ends = (place[i] + _HALF, energy[i]), (place[j] - _HALF, energy[j])
        style = {"arrowstyle": "<->", "linestyle": _DASHES, "color": ACCENT, "linewidth": 1.0}
        if forbidden:
            style = {"arrowstyle": "-", "linestyle": _DOTS, "color": GREY, "linewidth": 1.0}
        axes.annotate("", ends[1], ends[0], arrowprops={**style, "shrinkA": 1, "shrinkB": 1}, zorder=3)
    span = float(np.ptp(axes.get_ylim()))
    room = middle + _LINE * span < float(dataset["top_energy"])
    open_pairs = np.flatnonzero(~zero & np.isfinite(logarithm) & room)
    named = [int(open_pairs[k]) for k in spread_labels(middle[open_pairs].tolist(), _LINE * span)]
    for k in named:
        x = 0.5 * (place[left[k]] + place[right[k]])
        axes.annotate(
            kelvin_text(float(logarithm[k])),
            (x, middle[k]),
            ha="center",
            va="center",
            fontsize=7,
            color=ACCENT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            zorder=5,
        )


def _draw_climbs(axes: Axes, dataset: xr.Dataset) -> None:
    """Draw the climb out of the shallower well, level by level, and the way down into the other."""
    ground = dataset["ground"].values.astype(int)
    if ground.min() < 0:
        return
    energy, place = dataset["energy"].values, dataset["mean_sz"].values
    climbs = set(zip(dataset["climb_from"].values.tolist(), dataset["climb_to"].values.tolist(), strict=True))
    left, right = (_chain(dataset, side) for side in (-1, 1))
    up, down = (left, right) if energy[ground[0]] >= energy[ground[1]] - 1e-9 else (right, left)
    if not dataset["over_barrier"].values.any() and len(down) > 1:
        up = [*up, down[-1]]  # half-integer spins: over the top in a step of two units, 3/2 to -1/2
    steps = [*_ladder(up, climbs), *((high, low) for low, high in _ladder(down, climbs))]
    for start, stop in steps:
        arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.9, "mutation_scale": 7}
        axes.annotate(
            "",
            (place[stop], energy[stop]),
            (place[start], energy[start]),
            arrowprops={**arrow, "shrinkA": 2, "shrinkB": 2},
            zorder=4,
        )


def _chain(dataset: xr.Dataset, side: int) -> list[int]:
    """Return the levels of one well from the bottom, and the first one over the barrier."""
    energy, place = dataset["energy"].values, dataset["mean_sz"].values
    chain: list[int] = np.flatnonzero(dataset["side"].values == side).tolist()
    above = np.flatnonzero(dataset["over_barrier"].values)
    if not len(above):
        return chain
    # of degenerate levels the one on this side
    first = above[energy[above] <= energy[above[0]] + _SAME * float(np.ptp(energy))]
    return [*chain, int(min(first, key=lambda k: abs(place[k] - place[chain[-1]])))]


def _ladder(chain: list[int], climbs: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return for every level of a chain the step up to it from the highest level below that has one."""
    steps = []
    for position, upper in enumerate(chain):
        below = [lower for lower in chain[:position] if (min(lower, upper), max(lower, upper)) in climbs]
        steps += [(below[-1], upper)] if below else []
    return steps


def _draw_angles(axes: Axes, dataset: xr.Dataset) -> None:
    """Draw every level over the angles open to it, and under the barrier where it tunnels."""
    theta, energy = dataset["theta"].values, dataset["energy"].values
    side = dataset["side"].values.tolist()
    inside = [_open_angles(dataset, k) for k in range(len(energy))]
    for E, well, where in zip(energy, side, inside, strict=True):
        axes.plot(theta, np.where(where, E, np.nan), color=_COLOURS[well], linewidth=1.3, zorder=3)
    right, left = sorted(dataset["well_theta"].values.tolist())
    between = (theta >= right) & (theta <= left)
    columns = (dataset[name].values.tolist() for name in ("tunnel_left", "tunnel_right", "zero"))
    for i, j, forbidden in zip(*columns, strict=True):
        style, colour = (_DOTS, GREY) if forbidden else (_DASHES, ACCENT)
        under = between & ~inside[i] & ~inside[j]
        height = np.where(under, 0.5 * (energy[i] + energy[j]), np.nan)
        axes.plot(theta, height, linestyle=style, color=colour, linewidth=0.8, zorder=2)
    _draw_height(axes, dataset)
    axes.set_xlim(180.0, 0.0)
    axes.set_xticks(np.arange(0, 181, 30))
    axes.set_xlabel(label(r"angle from the $z$ axis, $\theta$", "deg"))


def _open_angles(dataset: xr.Dataset, k: int) -> NDArray[np.bool_]:
    """Return the angles at which a classical moment may have the energy of a level, in its own well."""
    theta, well = dataset["theta"].values, int(dataset["side"][k])
    where = dataset["classical_energy"].values <= float(dataset["energy"][k])
    left_end, right_end = dataset["well_end"].values
    if well:
        bottom = float(dataset["well_theta"][0 if well < 0 else 1])
        where |= np.abs(theta - bottom) <= _BOTTOM
        where &= theta > left_end if well < 0 else theta < right_end
    elif not bool(dataset["over_barrier"][k]):
        S = float(dataset["classical_m"].max())
        low, high = S * np.cos(np.radians([left_end, right_end]))
        if low < float(dataset["mean_sz"][k]) < high:  # a third well between the two
            where &= (theta < left_end) & (theta > right_end)
    return np.asarray(where, dtype=np.bool_)


def _draw_height(axes: Axes, dataset: xr.Dataset) -> None:
    """Measure the barrier from the shallower well."""
    well = int(np.argmax(dataset["well_energy"].values - 1e-9 * np.arange(2)))
    bottom, top = float(dataset["well_energy"][well]), float(dataset["top_energy"])
    x = float(dataset["top_theta"])
    arrow = {"arrowstyle": "<->", "color": INK, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (x, top), (x, bottom), arrowprops=arrow, zorder=5)
    classical, levels = (float(dataset[name][well]) for name in ("barrier", "quantum_barrier"))
    text = f"$U$ = {_kelvin(classical)}"
    if np.isfinite(levels):
        text += f"\nlevels: {_kelvin(levels)}"
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 1.5}
    span = float(np.ptp(axes.get_ylim()))
    # a low barrier has its height written below the arrow
    y, anchor = (
        (0.5 * (bottom + top), "center") if top - bottom > 0.25 * span else (bottom - 0.02 * span, "top")
    )
    axes.text(x, y, text, ha="center", va=anchor, fontsize=8, bbox=box, zorder=6)


def _kelvin(value: float) -> str:
    return f"{value:.1f} K" if value >= 10 else f"{value:.2f} K"


def _legend(dataset: xr.Dataset) -> list[Line2D]:
    zero = dataset["zero"].values.astype(bool)
    entries = [
        Line2D([], [], color=LEFT, linewidth=2.4, label="left well"),
        Line2D([], [], color=RIGHT, linewidth=2.4, label="right well"),
        Line2D([], [], color=GREY, linewidth=1.2, label="classical energy, levels of no well"),
        Line2D([], [], color=INK, linewidth=0.9, marker=">", markersize=4, label="phonons"),
    ]
    if np.any(~zero):
        style = _DASHES
        entries.append(
            Line2D([], [], color=ACCENT, linestyle=style, linewidth=1.0, label="tunnelling, full gap")
        )
    if np.any(zero):
        style = _DOTS
        entries.append(
            Line2D([], [], color=GREY, linestyle=style, linewidth=1.0, label="resonant, gap exactly 0")
        )
    return entries
