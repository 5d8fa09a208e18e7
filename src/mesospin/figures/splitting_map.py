"""Figures of tunnel splittings over the transverse field, and of the points where they vanish."""

from typing import Any, Final

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mesospin.figures.style import (
    INK,
    inputs_of,
    label,
    new_figure,
    note_provenance,
    system_title,
    temperature_colours,
)

#: Up to so many directions (or magnitudes) are drawn as lines.
_FEW: Final = 6
_SPLITTING: Final = r"tunnel splitting $\Delta/k_\mathrm{B}$"
_LOGARITHM: Final = r"$\log_{10}$ of the tunnel splitting $\Delta/k_\mathrm{B}$"
#: Share of the points, next to zeros, whose splitting lies below the colours.
_DIPS: Final = 0.005
#: Planes this much longer than high are drawn with unequal scales.
_STRIP: Final = 3.0
#: Colour and sign of a charge; orange and sky blue stay apart for every kind of colour vision and on the map.
_PLUS: Final = ("#ff8c1a", "P", "charge +")
_MINUS: Final = ("#5ec8f2", "X", "charge \N{MINUS SIGN}")


def draw_splitting_map(dataset: xr.Dataset) -> Figure:
    """Draw the splitting over the plane of the transverse field, or as lines where there are few.

    Up to six directions are lines against the magnitude, up to six magnitudes lines against the direction;
    anything larger is an image of the logarithm.
    """
    if dataset.sizes["azimuth"] <= _FEW:
        return _draw_lines(dataset, "transverse")
    if dataset.sizes["transverse"] <= _FEW:
        return _draw_lines(dataset, "azimuth")
    return _draw_plane(dataset)


def _pair_text(dataset: xr.Dataset) -> str:
    """Return the pair for a title: "(10, −10)" for a single spin."""
    names = [str(name) for name in inputs_of(dataset).get("pair", ["", ""])]
    short = [name.removeprefix("m=") for name in names]
    plain = all("=" not in name for name in short)
    text = ", ".join(short) if plain else " | ".join(names)
    return "(" + text.replace("-", "\N{MINUS SIGN}") + ")"


def _draw_lines(dataset: xr.Dataset, along: str) -> Figure:
    """Draw log splitting against magnitude or direction, one line for each of the others."""
    other = "azimuth" if along == "transverse" else "transverse"
    degrees = np.degrees(dataset["azimuth"].values)
    axis = degrees if along == "azimuth" else dataset["transverse"].values
    figure = new_figure()
    axes = figure.add_subplot()
    splitting = dataset["splitting"].transpose(other, along).values
    values = degrees if other == "azimuth" else dataset["transverse"].values
    colours = temperature_colours(len(values))
    for value, curve, colour in zip(values, splitting, colours, strict=True):
        # an exact zero has no place on the scale; the line ends before it
        shown = np.where(curve > 0, curve, np.nan)
        name = f"{value:.3g}°" if other == "azimuth" else f"{value:.3g} T"
        axes.semilogy(axis, shown, color=colour, label=name)
    axes.set_xlim(float(axis.min()), float(axis.max()) if np.ptp(axis) else float(axis.max()) + 1e-9)
    axes.set_ylabel(label(_SPLITTING, "K"))
    if along == "azimuth":
        axes.set_xlabel(label("azimuth of the transverse field from $x$", "°"))
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(steps=[1, 1.5, 3, 4.5, 9]))
    else:
        axes.set_xlabel(label("transverse field", "T"))
    if len(values) > 1:
        title = "azimuth from $x$" if other == "azimuth" else "transverse field"
        axes.legend(title=title, alignment="left", loc="best")
    suffix = f", transverse field at {values[0]:.3g}° from $x$" if _one_direction(dataset, other) else ""
    axes.set_title(f"Tunnel splitting of {system_title(dataset)}, {_pair_text(dataset)}{suffix}")
    note_provenance(figure, dataset, _lost(dataset))
    return figure


def _one_direction(dataset: xr.Dataset, other: str) -> bool:
    return other == "azimuth" and dataset.sizes["azimuth"] == 1


def _lost(dataset: xr.Dataset) -> str:
    count = int(dataset.attrs.get("lost_points", 0))
    return f"{count} points where the two are no longer a pair of levels are left out" if count else ""


def _draw_plane(dataset: xr.Dataset) -> Figure:
    """Draw log10 of the splitting as colours in the (Bx, By) plane."""
    logarithm = dataset["log10_splitting"].transpose("azimuth", "transverse").values
    radius, angle = _borders(dataset["transverse"].values), _borders(dataset["azimuth"].values)
    x = radius[None, :] * np.cos(angle)[:, None]
    y = radius[None, :] * np.sin(angle)[:, None]
    figure = _figure_for(float(np.ptp(x)), float(np.ptp(y)), 1.2)
    axes = figure.add_subplot()
    _paint(figure, axes, x, y, logarithm)
    axes.set_title(f"Tunnel splitting of {system_title(dataset)}, {_pair_text(dataset)}")
    note_provenance(figure, dataset, _lost(dataset))
    return figure


def _borders(middles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the borders of the cells around increasing or decreasing middles; the outer ones are halves."""
    between = 0.5 * (middles[1:] + middles[:-1])
    return np.concatenate([middles[:1], between, middles[-1:]])


def _figure_for(width: float, height: float, head: float) -> Figure:
    """Return a figure for a plane of the transverse field, as high as equal scales need plus ``head``."""
    room = 5.2  # inches along the horizontal axis
    return new_figure(6.9, (room * height / width if _is_square(width, height) else 3.2) + head)


def _is_square(width: float, height: float) -> bool:
    """Return whether a plane can be drawn with equal scales: not for narrow strips."""
    return 1 / _STRIP <= height / width <= 1 / 0.8


def _paint(
    figure: Figure, axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], values: NDArray[np.float64]
) -> None:
    """Paint values on a grid, smoothly if the borders are 1-D; the deepest half per cent is one colour."""
    finite = values[np.isfinite(values)]
    low = float(np.quantile(finite, _DIPS)) if finite.size else -1.0
    high = float(finite.max()) if finite.size else 0.0
    # an exact zero is drawn like the deepest dip; points without a pair stay white
    shown = np.ma.masked_invalid(np.where(np.isneginf(values), low - 1.0, values))
    colours = Normalize(low, max(high, low + 0.1))
    if x.ndim == 1:
        extent = (float(x[0]), float(x[-1]), float(y[0]), float(y[-1]))
        image: ScalarMappable = axes.imshow(
            shown, cmap="viridis", norm=colours, extent=extent, origin="lower", interpolation="bilinear"
        )
    else:
        image = axes.pcolormesh(x, y, shown, cmap="viridis", norm=colours, shading="flat", rasterized=True)
    below = bool(np.any(values < low))
    bar = figure.colorbar(image, ax=axes, pad=0.02, aspect=30, extend="min" if below else "neither")
    bar.set_label(label(_LOGARITHM, "K"))
    axes.set_aspect("equal" if _is_square(float(np.ptp(x)), float(np.ptp(y))) else "auto")
    axes.set_xlabel(label("transverse field $B_x$", "T"))
    axes.set_ylabel(label("transverse field $B_y$", "T"))


def draw_diabolical_points(dataset: xr.Dataset) -> Figure:
    """Draw the points in the (Bx, By) plane over the splitting, their charge by shape and colour."""
    limits = inputs_of(dataset)
    width, height = (high - low for low, high in (limits["Bx"], limits["By"]))
    figure = _figure_for(width, height, 1.5)
    axes = figure.add_subplot()
    # whole cells at the rim: they overhang the limits
    x, y = (_around(dataset[name].values) for name in ("grid_x", "grid_y"))
    _paint(figure, axes, x, y, dataset["log10_splitting"].transpose("grid_y", "grid_x").values)
    _mark_points(axes, dataset)
    axes.set_xlim(*limits["Bx"])
    axes.set_ylim(*limits["By"])
    count = dataset.sizes["point"]
    heading = "No diabolical point" if count == 0 else f"{count} diabolical points"
    heading = "1 diabolical point" if count == 1 else heading
    axes.set_title(f"{heading} of {system_title(dataset)}, {_pair_text(dataset)}", pad=24)
    if count:
        axes.legend(handles=_charge_keys(dataset), loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    note_provenance(figure, dataset, _longitudinal(dataset))
    return figure


def _around(middles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the borders of even cells around their middles."""
    step = middles[1] - middles[0]
    return np.append(middles - 0.5 * step, middles[-1] + 0.5 * step)


def _mark_points(axes: Axes, dataset: xr.Dataset) -> None:
    for x, y, charge in zip(*(dataset[name].values for name in ("Bx", "By", "charge")), strict=True):
        colour, marker, _ = _PLUS if charge > 0 else _MINUS
        axes.plot(x, y, marker, color=colour, markersize=9, markeredgecolor="white", clip_on=False, zorder=3)
        if abs(charge) > 1:
            text = f"{charge:+d}".replace("-", "\N{MINUS SIGN}")
            axes.annotate(
                text, (x, y), (7, 5), textcoords="offset points", color="white", weight="bold", fontsize=10
            )


def _charge_keys(dataset: xr.Dataset) -> list[Line2D]:
    charges = dataset["charge"].values
    unit = "1" if np.all(np.abs(charges) == 1) else ""
    look: dict[str, Any] = {"linestyle": "", "markeredgecolor": INK, "markersize": 8}
    return [
        Line2D([], [], marker=marker, color=colour, label=name + unit, **look)
        for (colour, marker, name), present in ((_PLUS, charges > 0), (_MINUS, charges < 0))
        if present.any()
    ]


def _longitudinal(dataset: xr.Dataset) -> str:
    field = dataset["Bz"].values
    if not field.size:
        return ""
    low, high = (float(value) + 0.0 if abs(value) > 1e-9 else 0.0 for value in (field.min(), field.max()))
    where = f"{low:.4g}" if high - low < 1e-6 else f"{low:.4g} to {high:.4g}"
    return f"longitudinal field {where} T"
