"""Figure of a fit: every data set with the fitted curve, and its residuals below."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from mesospin.figures.style import (
    ACCENT,
    GREY,
    INK,
    PALE,
    label,
    new_figure,
    note_provenance,
    system_title,
    temperature_colours,
)

Floats = NDArray[np.float64]

_MOST_CURVES = 8
_MOST_COLUMNS = 3
_DECADE = 8.0
_SMALL = 1e-2
_LARGE = 1e4
_UNITS = {
    "cm3 K/mol": r"cm$^3$ K mol$^{-1}$",
    "cm3/mol": r"cm$^3$ mol$^{-1}$",
    "J/(mol K)": r"J mol$^{-1}$ K$^{-1}$",
}
_NAMES = {
    "cm3 K/mol": r"$\chi T$",
    "cm3/mol": r"$\chi$",
    "mu_B": "magnetisation $M$",
    "J/(mol K)": "heat capacity $C$",
    "GHz": "frequency",
    "K": r"energy $E/k_\mathrm{B}$",
}


def draw_fit(dataset: xr.Dataset) -> Figure:
    """Draw every data set of a fit: points with error bars, the fit, and the residuals in units of sigma."""
    count = dataset.sizes["set"]
    columns = 2 if count == 4 else min(count, _MOST_COLUMNS)
    rows = -(-count // columns)
    texts = _parameters(dataset, 2 if columns == 1 else 4 if columns == 2 else 6)
    figure = new_figure(max(4.6, 3.4 * columns + 0.4), 3.9 * rows + 0.5 + 0.16 * len(texts))
    heights = [3.2, 1.0] * rows
    grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=heights)
    for index in range(rows * columns):
        row, column = divmod(index, columns)
        top, bottom = grid[2 * row, column], grid[2 * row + 1, column]
        if index >= count:
            top.set_axis_off()
            bottom.set_axis_off()
            continue
        _draw_set(top, bottom, dataset, index)
        if column == 0:
            bottom.set_ylabel(r"residual ($\sigma$)")
    title = f"Fit of {system_title(dataset)}{_goodness(dataset)}"
    figure.suptitle("\n".join([title, *texts]), x=0.01, ha="left", fontsize=9, linespacing=1.35)
    note_provenance(figure, dataset)
    return figure


def _goodness(dataset: xr.Dataset) -> str:
    reduced, freedom = float(dataset["reduced_chi2"]), int(dataset["degrees_of_freedom"])
    if np.isnan(float(dataset["p_value"])) or freedom == 0:
        return ""
    return rf": $\chi^2/\nu$ = {reduced:.2f}, $\nu$ = {freedom}"


def _parameters(dataset: xr.Dataset, on_a_line: int) -> list[str]:
    """Return lines of fitted values, to the digits that their errors leave."""
    texts = []
    columns = ("parameter", "value", "error", "unit")
    for name, value, error, unit in zip(*(dataset[key].values for key in columns), strict=True):
        numbers = with_error(float(value), float(error))
        texts.append(f"{name} = {numbers} {'' if unit == '1' else _UNITS.get(str(unit), unit)}".strip())
    return ["   ".join(texts[start : start + on_a_line]) for start in range(0, len(texts), on_a_line)]


def with_error(value: float, error: float) -> str:
    """Return a value with its error, both cut behind the second digit of the error.

    Examples
    --------
    >>> with_error(-6.99071, 0.1494), with_error(1.2345e-4, 2e-7), with_error(2.0, np.inf)
    ('-6.99 ± 0.15', '(1.2345 ± 0.0020)e-04', '2 not determined')
    """
    if not np.isfinite(error):
        return f"{value:.4g} not determined"
    if error <= 0.0:
        return f"{value:.6g}"
    size = max(abs(value), error)
    power = int(np.floor(np.log10(size))) if size < _SMALL or size >= _LARGE else 0
    digits = max(0, power + 1 - int(np.floor(np.log10(error))))
    pair = f"{value / 10.0**power:.{digits}f} ± {error / 10.0**power:.{digits}f}"
    return pair if power == 0 else f"({pair})e{power:+03d}"


def _draw_set(top: Axes, bottom: Axes, dataset: xr.Dataset, index: int) -> None:
    name = str(dataset["set"].values[index])
    data = dataset.isel(point=np.flatnonzero(dataset["data_set"].values == name))
    quantity, unit = (str(dataset[key].values[index]) for key in ("set_quantity", "set_unit"))
    T, B = data["temperature"].values, data["field"].values
    if quantity in ("susceptibility", "heat capacity"):
        x, other, axis_label = T, B, label("temperature $T$", "K")
        if x.max() / x.min() >= _DECADE:
            top.set_xscale("log")
            bottom.set_xscale("log")
            bottom.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            bottom.xaxis.set_major_formatter(FuncFormatter(lambda t, _: f"{t:g}"))
            bottom.xaxis.set_minor_formatter(NullFormatter())
        values = [f"{b:g} T" for b in np.unique(other)]
    elif quantity == "magnetisation":
        x, other, axis_label = B, T, label(r"magnetic field $\mu_0 H$", "T")
        values = [f"{t:g} K" for t in np.unique(other)]
    else:
        lines = quantity == "resonance"
        x = B if lines else np.arange(1.0, len(B) + 1.0)
        axis_label = label(r"magnetic field $\mu_0 H$", "T") if lines else "level, in the order given"
        other, values = np.zeros(len(x)), [""]
        if not lines:
            bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
            bottom.xaxis.set_minor_locator(NullLocator())
    top.sharex(bottom)
    _draw_groups(top, bottom, data, x, other, values, curves=_curves(dataset, name, quantity))
    top.tick_params(labelbottom=False)
    top.set_ylabel(label(_NAMES[unit], _UNITS.get(unit, unit)))
    top.set_title(name)
    bottom.set_xlabel(axis_label)
    limit = max(3.2, 1.15 * float(np.abs(data["residual"].values).max()))
    bottom.set_ylim(-limit, limit)
    bottom.axhspan(-1.0, 1.0, color=PALE, alpha=0.5, zorder=0, linewidth=0)
    bottom.axhline(0.0, color=GREY, linewidth=0.7, zorder=1)


def _curves(dataset: xr.Dataset, name: str, quantity: str) -> dict[float, tuple[Floats, Floats]]:
    """Return the fitted curves (x, y) of a set by the value of the other condition."""
    if "curve" not in dataset:
        return {}
    chosen = dataset["curve_set"].values == name
    T, B, y = (dataset[key].values[chosen] for key in ("curve_temperature", "curve_field", "curve"))
    x, other = (B, T) if quantity == "magnetisation" else (T, B)
    return {float(value): (x[other == value], y[other == value]) for value in np.unique(other)}


def _draw_groups(
    top: Axes,
    bottom: Axes,
    data: xr.Dataset,
    x: Floats,
    other: Floats,
    names: list[str],
    *,
    curves: dict[float, tuple[Floats, Floats]],
) -> None:
    """Draw the points of a set, one colour for each value of the other condition."""
    different = np.unique(other)
    several = 1 < len(different) <= _MOST_CURVES
    colours = temperature_colours(len(different)) if several else [INK] * len(different)
    measured, fitted, sigma, residual = (
        data[key].values for key in ("measured", "fitted", "sigma", "residual")
    )
    for k, (value, colour) in enumerate(zip(different, colours, strict=True)):
        chosen = np.flatnonzero(other == value)
        chosen = chosen[np.argsort(x[chosen], kind="stable")]
        top.errorbar(
            x[chosen],
            measured[chosen],
            sigma[chosen],
            fmt="o",
            ms=2.6,
            color=colour,
            elinewidth=0.8,
            label=names[k] if several else ("data" if k == 0 else None),
        )
        line = colour if several else ACCENT
        curve = curves.get(float(value))
        text = "fit" if k == 0 and not several else None
        if curve is None:
            top.plot(x[chosen], fitted[chosen], "x", ms=7, color=line, label=text, zorder=4)
        else:
            top.plot(*curve, color=line, linewidth=1.0, label=text, zorder=4)
        bottom.plot(x[chosen], residual[chosen], "o", ms=2.6, color=colour)
    top.legend(handlelength=1.2)
