"""Figures of relaxation: Arrhenius plot, and relaxation time against field."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mesospin.figures.style import (
    GREY,
    INK,
    direction_fact,
    label,
    new_figure,
    note_provenance,
    system_title,
    temperature_colours,
)

_MAX_FIELDS = 5
_MAX_TEMPERATURES = 8


def draw_relaxation(dataset: xr.Dataset) -> Figure:
    """Draw ln(tau) against 1/T where there are several temperatures, tau against B where several fields."""
    tau = dataset["tau"].transpose("temperature", "field")
    several_t, several_b = tau.sizes["temperature"] > 1, tau.sizes["field"] > 1
    panels = max(1, int(several_t) + int(several_b))
    figure = new_figure(4.6 * panels + 1.2, 4.3)
    axes = [figure.add_subplot(1, panels, 1 + panel) for panel in range(panels)]
    if several_b:
        _draw_against_field(axes[-1], tau)
    if several_t or not several_b:
        _draw_arrhenius(axes[0], dataset, tau)
    figure.suptitle(f"Relaxation of {system_title(dataset)}", x=0.01, ha="left", fontsize=10)
    note_provenance(figure, dataset, direction_fact(dataset))
    return figure


def _chosen(count: int, most: int) -> list[int]:
    """Return at most `most` evenly spread indices."""
    return sorted(set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))


def _draw_arrhenius(axes: Axes, dataset: xr.Dataset, tau: xr.DataArray) -> None:
    temperature = tau["temperature"].values
    chosen = _chosen(tau.sizes["field"], _MAX_FIELDS)
    fitted = "barrier" in dataset and "prefactor" in dataset
    for index, colour in zip(chosen, temperature_colours(len(chosen)), strict=True):
        name = f"{float(tau['field'][index]):g} T"
        axes.plot(1.0 / temperature, tau.values[:, index], "o", markersize=4, color=colour)
        if fitted:
            barrier = float(np.atleast_1d(dataset["barrier"].values)[index])
            prefactor = float(np.atleast_1d(dataset["prefactor"].values)[index])
            inverse = np.linspace(1.0 / temperature.max(), 1.0 / temperature.min(), 50)
            axes.plot(inverse, prefactor * np.exp(barrier * inverse), color=colour, linewidth=1.0)
            name += rf": {barrier:.1f} K, $\tau_0$ = {_power(prefactor)} s"
        axes.plot([], [], "o-", color=colour, markersize=4, linewidth=1.0, label=name)
    axes.set_yscale("log")
    axes.set_xlabel(label("inverse temperature $1/T$", r"K$^{-1}$"))
    axes.set_ylabel(label(r"relaxation time $\tau$", "s"))
    title = r"field: fitted $U$, $\tau=\tau_0\,e^{U/T}$" if fitted else "field"
    low, high = axes.get_ylim()
    # Room for the legend above the curves, which rise to the right.
    axes.set_ylim(low, high * (high / low) ** (0.05 * (1 + len(chosen))))
    axes.legend(title=title, alignment="left", loc="upper left", fontsize=7.5, title_fontsize=7.5)


def _draw_against_field(axes: Axes, tau: xr.DataArray) -> None:
    field = tau["field"].values
    chosen = _chosen(tau.sizes["temperature"], _MAX_TEMPERATURES)
    for index, colour in zip(chosen, temperature_colours(len(chosen)), strict=True):
        curve = tau.values[index]
        axes.plot(field, curve, color=colour, label=f"{float(tau['temperature'][index]):g} K")
        dips = _dips(field, curve)
        axes.plot(field[dips], curve[dips], "v", color=colour, markersize=4, mfc="white")
    if len(_dips(field, tau.values[chosen[0]])):
        axes.plot([], [], "v", color=INK, markersize=4, mfc="white", linestyle="none", label="resonance")
    axes.set_yscale("log")
    axes.set_xlim(field.min(), field.max())
    axes.set_xlabel(label(r"magnetic field $\mu_0 H$", "T"))
    axes.set_ylabel(label(r"relaxation time $\tau$", "s"))
    axes.legend(title="temperature", alignment="left", loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.grid(visible=True, axis="y", color=GREY, alpha=0.15)


def _dips(field: NDArray[np.float64], curve: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the dips of tau(B); a curve that starts at zero field is continued to its mirror image."""
    if field[0] != 0.0:
        return dip_positions(curve)
    mirrored = dip_positions(np.concatenate([curve[:0:-1], curve])) - (len(curve) - 1)
    return mirrored[mirrored >= 0]


def dip_positions(curve: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices of the minima of a curve that lie a tenth below their surroundings.

    Examples
    --------
    >>> dip_positions(np.array([3.0, 1.0, 3.0, 2.99, 3.0]))
    array([1])
    """
    inner = np.arange(1, len(curve) - 1)
    lower = inner[(curve[inner] < curve[inner - 1]) & (curve[inner] <= curve[inner + 1])]
    deep = [i for i in lower if curve[i] < 0.9 * min(curve[_peak(curve, i, -1)], curve[_peak(curve, i, 1)])]
    return np.array(deep, dtype=np.intp)


def _peak(curve: NDArray[np.float64], start: int, direction: int) -> int:
    """Return the index of the highest point before the curve falls below its value at `start`."""
    best = i = start
    while 0 <= i + direction < len(curve) and curve[i + direction] >= curve[start]:
        i += direction
        best = i if curve[i] > curve[best] else best
    return best


def _power(value: float) -> str:
    """Return a number as mantissa and power of ten for mathematical text."""
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"${mantissa}\times10^{{{int(exponent)}}}$"
