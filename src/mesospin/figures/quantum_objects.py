"""Figure of spins of all sizes: tunnelling time, and the temperatures that divide heat from tunnelling."""

from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mesospin.constants import HBAR
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
)

#: Decimal logarithms of times up to this one are drawn evenly, beyond it their logarithm is.
_LINEAR: Final = 20.0
_TICKS: Final = (-20, -10, 0, 10, 20, 100, 1000, 10_000, 100_000, 1_000_000)
_MARKS: Final = (
    (0.0, "1 s"),
    (7.499, "1 year"),
    (17.639, "age of the universe"),
)


_ROOM: Final = 300.0
#: How spins without a splitting are marked.
_CLOSED: Final[dict[str, Any]] = {
    "marker": "^",
    "color": INK,
    "mfc": "white",
    "markersize": 5,
    "linestyle": "none",
}


def draw_quantum_objects(dataset: xr.Dataset) -> Figure:
    """Draw tunnelling time and splitting, and crossover and blocking temperatures, against the spin."""
    figure = new_figure(10.0, 4.6)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(w_pad=0.14)  # type: ignore[call-arg]
    times, temperatures = (figure.add_subplot(1, 2, 1 + panel) for panel in range(2))
    _draw_times(times, dataset)
    _draw_temperatures(temperatures, dataset)
    figure.suptitle(
        f"Which spin is a quantum object: {system_title(dataset)}", x=0.01, ha="left", fontsize=10
    )
    transverse = inputs_of(dataset).get("transverse", [0.0, 0.0])
    field = f"transverse field ({transverse[0]:g}, {transverse[1]:g}) T" if any(transverse) else "zero field"
    scale = "powers of ten evenly spaced to $10^{20}$ s, their exponents logarithmic beyond"
    note_provenance(figure, dataset, field, scale)
    return figure


def _draw_times(axes: Axes, dataset: xr.Dataset) -> None:
    spin, time = dataset["spin"].values, dataset["log10_tunnelling_time"].values
    open_ones = np.isfinite(time)
    shown = time[open_ones] if open_ones.any() else np.array([0.0])
    low, high = min(float(shown.min()), 0.0) - 4.0, max(2.5 * float(shown.max()), 2 * _LINEAR)
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=_LINEAR, linscale=2.2, subs=[])
    axes.set_ylim(low, high)
    axes.set_xlim(spin.min() / 1.3, spin.max() * 1.3)
    for height, name in _MARKS:
        _mark(axes, height, name)
    axes.plot(spin[open_ones], time[open_ones], "o-", color=ACCENT, markersize=3.5)
    if not open_ones.all():
        closed = spin[~open_ones]
        top = np.full(len(closed), 0.96)
        axes.plot(closed, top, **_CLOSED, transform=axes.get_xaxis_transform())
        axes.annotate(
            "never: " + _reasons(dataset),
            (closed.max(), 0.96),
            (8, 0),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=7.5,
            va="center",
        )
    _name_times(axes, dataset, open_ones)
    axes.set_xlabel(r"spin $S$ ($\hbar$)")
    _power_ticks(axes, low, high)
    axes.set_ylabel(label(r"tunnelling time $h/2\Delta$", "s"))
    axes.set_title("how long it takes")


def _mark(axes: Axes, height: float, name: str, *, left: bool = False) -> None:
    """Draw a named height behind everything."""
    axes.axhline(height, color=PALE, linewidth=0.9, zorder=0)
    axes.annotate(
        name,
        (0.0 if left else 1.0, height),
        (4 if left else -4, 2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=7.5,
        color=GREY,
        ha="left" if left else "right",
    )


def _reasons(dataset: xr.Dataset) -> str:
    reasons = {str(reason).partition(":")[0] for reason in dataset["reason"].values if str(reason)}
    return ", ".join(sorted(reasons))


def _name_times(axes: Axes, dataset: xr.Dataset, open_ones: NDArray[np.bool_]) -> None:
    """Write some of the times in words, below the curve."""
    chosen = np.flatnonzero(open_ones)
    chosen = chosen[np.unique(np.linspace(0, len(chosen) - 1, min(5, len(chosen))).round().astype(int))]
    for index in chosen:
        words = str(dataset["tunnelling_time"].values[index])
        place = (float(dataset["spin"][index]), float(dataset["log10_tunnelling_time"][index]))
        last = index == len(dataset["spin"]) - 1
        axes.annotate(
            words,
            place,
            (-5, 6) if last else (6, -7),
            textcoords="offset points",
            fontsize=7.5,
            color=ACCENT,
            ha="right" if last else "left",
        )


def _power_ticks(axes: Axes, low: float, high: float) -> None:
    """Label times on the left and splittings on the right by powers of ten."""
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    axes.set_yticks(ticks, [_power(tick) for tick in ticks], minor=False)
    axes.minorticks_off()
    axes.tick_params(axis="y", right=False)
    shift = float(np.log10(np.pi * HBAR))
    right = axes.twinx()
    right.set_xlabel(axes.get_xlabel())
    right.set_yscale("symlog", linthresh=_LINEAR, linscale=2.2, subs=[])
    right.set_ylim(low, high)
    places = [(exponent, shift - exponent) for exponent in (0, *(-tick for tick in _TICKS if tick > 0))]
    places = [(exponent, place) for exponent, place in places if low <= place <= high]
    right.set_yticks([place for _, place in places], [_power(exponent) for exponent, _ in places])
    right.minorticks_off()
    right.set_ylabel(label(r"tunnel splitting $\Delta/k_\mathrm{B}$", "K"))


def _power(exponent: int) -> str:
    if exponent == 0:
        return "1"
    digits = f"{exponent:,}".replace(",", r"\,").replace("-", "{-}")
    return rf"$10^{{{digits}}}$"


def _draw_temperatures(axes: Axes, dataset: xr.Dataset) -> None:
    spin = dataset["spin"].values
    axes.set_xscale("log")
    axes.set_yscale("log")
    names = {1.0: "blocks for 1 s", float(dataset["time"][-1]): "blocks for 1 year"}
    axes.plot(spin, dataset["barrier"], color=GREY, linestyle=":", label=r"barrier $U/k_\mathrm{B}$")
    for time, dashes in zip(dataset["time"].values, ("-", "--"), strict=True):
        blocking = dataset["blocking_temperature"].sel(time=time).values
        blocked = np.where(blocking > 0, blocking, np.nan)
        axes.plot(spin, blocked, color=INK, linestyle=dashes, marker="o", markersize=2.5, label=names[time])
    crossover = dataset["crossover_temperature"].values
    tunnels = np.where(crossover > 0, crossover, np.nan)
    axes.plot(spin, tunnels, "o-", color=ACCENT, markersize=3.5, label=r"crossover $T^*$")
    low, high = axes.get_ylim()
    if high > _ROOM:
        _mark(axes, _ROOM, "300 K", left=True)
    axes.fill_between(spin, low, tunnels, color=ACCENT, alpha=0.08, linewidth=0)
    axes.set_ylim(low, high)
    axes.set_xlim(spin.min() / 1.3, spin.max() * 1.3)
    axes.set_xlabel(r"spin $S$ ($\hbar$)")
    axes.set_ylabel(label("temperature $T$", "K"))
    axes.set_title("heat above, tunnelling below $T^*$")
    axes.legend(loc="upper left", fontsize=7.5)
