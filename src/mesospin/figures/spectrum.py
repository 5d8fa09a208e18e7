"""Figures of levels, crossings and one tunnel splitting."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mesospin.errors import InputError
from mesospin.figures.style import (
    ACCENT,
    GREY,
    INK,
    MOMENT_MAP,
    PALE,
    along_axis,
    direction_fact,
    label,
    new_figure,
    note_provenance,
    system_title,
)

_ENERGY = r"energy $E/k_\mathrm{B}$"
_FIELD = "magnetic field $B$"


def draw_levels(dataset: xr.Dataset) -> Figure:
    """Draw energy against field; the colour is the moment along the field."""
    if "field" not in dataset.dims:
        return _draw_ladder(dataset)
    moment = along_axis(dataset, dataset["moment"].transpose("field", "level", "component"))
    energy = dataset["energy"].transpose("field", "level").values
    field = dataset["field"].values
    figure = new_figure()
    axes = figure.add_subplot()
    largest = max(float(np.abs(moment).max()), 1e-12)
    colours = Normalize(-largest, largest)
    for level in range(energy.shape[1]):
        points = np.column_stack([field, energy[:, level]])
        segments = np.stack([points[:-1], points[1:]], axis=1)
        lines = LineCollection(list(segments), cmap=MOMENT_MAP, norm=colours, linewidths=1.2)
        lines.set_array(0.5 * (moment[:-1, level] + moment[1:, level]))
        lines.set_capstyle("round")
        axes.add_collection(lines)
    axes.set_xlim(field.min(), field.max())
    margin = 0.04 * (float(np.ptp(energy)) or 1.0)
    axes.set_ylim(energy.min() - margin, energy.max() + margin)
    axes.set_xlabel(label(_FIELD, "T"))
    axes.set_ylabel(label(_ENERGY, "K"))
    bar = figure.colorbar(axes.collections[0], ax=axes, pad=0.02, aspect=30)
    bar.set_label(label("moment along the field", "mu_B"))
    axes.set_title(f"Levels of {system_title(dataset)}")
    note_provenance(figure, dataset, direction_fact(dataset))
    return figure


def _draw_ladder(dataset: xr.Dataset) -> Figure:
    """Draw the levels at one field: energy against moment along the field."""
    moment = along_axis(dataset, dataset["moment"])
    figure = new_figure(5.2, 4.4)
    axes = figure.add_subplot()
    axes.plot(moment, dataset["energy"].values, "_", color=INK, markersize=16, markeredgewidth=1.6)
    axes.set_xlabel(label("moment along the field", "mu_B"))
    axes.set_ylabel(label(_ENERGY, "K"))
    axes.set_title(f"Levels of {system_title(dataset)} at {float(dataset['field']):g} T")
    note_provenance(figure, dataset, direction_fact(dataset))
    return figure


def draw_crossings(dataset: xr.Dataset) -> Figure:
    """Draw the full gap of every crossing at its field; exact zeros lie at the bottom."""
    field = dataset["field"].values
    zero = dataset["zero"].values.astype(bool)
    gap = np.where(zero, np.nan, dataset["log10_splitting"].values)
    figure = new_figure()
    axes = figure.add_subplot()
    open_gaps = np.isfinite(gap)
    finite_gaps = gap[open_gaps] if open_gaps.any() else np.array([-1.0, 0.0])
    low, high = float(finite_gaps.min()), float(finite_gaps.max())
    margin = max(0.08 * (high - low), 0.5)
    floor = low - 2.0 * margin
    axes.vlines(field[open_gaps], floor - margin, gap[open_gaps], color=PALE, linewidth=0.8, zorder=1)
    ground = _ground_pairs(dataset) & open_gaps
    plain = open_gaps & ~ground
    axes.plot(field[plain], gap[plain], "o", markersize=4, color=GREY, label="between excited levels")
    axes.plot(field[ground], gap[ground], "o", markersize=6, color=ACCENT, label="from the ground level")
    if zero.any():
        marks = np.full(zero.sum(), floor)
        axes.plot(field[zero], marks, "v", markersize=5, mfc="none", color=INK, label="exactly zero")
    _name_pairs(axes, dataset, ground, gap)
    axes.set_ylim(floor - margin, high + 2.0 * margin)
    span = float(np.ptp(field)) or 1.0
    axes.set_xlim(field.min() - 0.05 * span, field.max() + 0.05 * span)
    axes.set_xlabel(label(_FIELD, "T"))
    axes.set_ylabel(label(r"$\log_{10}$ of the full gap $\Delta/k_\mathrm{B}$", "K"))
    axes.set_title(f"Level crossings of {system_title(dataset)}", pad=22)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderaxespad=0.2, handletextpad=0.2)
    note_provenance(figure, dataset, direction_fact(dataset))
    return figure


def _ground_pairs(dataset: xr.Dataset) -> NDArray[np.bool_]:
    """Return which crossings involve the largest projection of either sign."""
    larger = np.fmax(np.abs(dataset["m_from"].values), np.abs(dataset["m_to"].values))
    return np.asarray(np.isclose(larger, np.nanmax(larger, initial=0.0)), dtype=bool)


def _name_pairs(
    axes: Axes, dataset: xr.Dataset, chosen: NDArray[np.bool_], height: NDArray[np.float64]
) -> None:
    indices = np.flatnonzero(chosen)
    if not 0 < len(indices) <= 12:
        return
    for index in indices:
        pair = f"{dataset['m_from'].values[index]:g}, {dataset['m_to'].values[index]:g}".replace(
            "-", "\N{MINUS SIGN}"
        )
        place = (dataset["field"].values[index], height[index])
        axes.annotate(pair, place, (0, 6), textcoords="offset points", ha="center", fontsize=7, color=ACCENT)


def draw_splitting(dataset: xr.Dataset) -> Figure:
    """Draw the two levels around the minimum of their gap, in the two-level approximation."""
    gap, slope = float(dataset["splitting"]), abs(float(dataset["slope"]))
    if not (np.isfinite(gap) and slope > 0):
        raise InputError(f"splitting must be finite and its slope positive, got {gap} K and {slope} K/T")
    width = gap / slope if gap > 0 else 1.0 / slope
    exponent, prefix = _prefix(width)
    offset = np.linspace(-4.0, 4.0, 401) * width
    diabatic = 0.5 * slope * offset
    adiabatic = np.hypot(diabatic, 0.5 * gap)
    energy_exponent, energy_prefix = _prefix(max(gap, slope * width))
    figure = new_figure(5.2, 4.2)
    axes = figure.add_subplot()
    x, y = offset / 10.0**exponent, 10.0 ** -float(energy_exponent)
    for sign in (1.0, -1.0):
        axes.plot(x, sign * diabatic * y, color=GREY, linestyle="--", linewidth=0.9)
        axes.plot(x, sign * adiabatic * y, color=ACCENT)
    axes.set_xlabel(f"distance from {float(dataset['field']):.6g} T ({prefix}T)")
    axes.set_ylabel(f"energy from the centre ({energy_prefix}K)")
    text = "exactly zero: " + str(dataset["reason"].values) if gap == 0 else f"full gap {gap:.5g} K"
    axes.text(0.5, 0.97, text, transform=axes.transAxes, ha="center", va="top", color=ACCENT)
    axes.set_title(f"Tunnel splitting of {system_title(dataset)}")
    note_provenance(figure, dataset, direction_fact(dataset))
    return figure


def _prefix(value: float) -> tuple[int, str]:
    """Return the power of ten and the SI prefix, or the power as text below the prefixes."""
    names = {0: "", -3: "m", -6: "µ", -9: "n", -12: "p", -15: "f"}
    exponent = int(3 * np.floor(np.log10(value) / 3))
    exponent = min(exponent, 0)
    return exponent, names.get(exponent, rf"$10^{{{exponent}}}$ ")
