"""Figure of a tunnelling pair: the localised states, and the even and the odd level."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from mesospin.checks import spin_text
from mesospin.figures.style import (
    ACCENT,
    GREY,
    INK,
    PALE,
    direction_fact,
    label,
    new_figure,
    note_provenance,
    system_title,
)

_Real = NDArray[np.float64]

MINUS = "\N{MINUS SIGN}"
LEFT, RIGHT = "#1f5fa8", "#d1600a"
#: Decades of probability left below the smallest one of the even level; most ticks of an axis.
_BELOW, _TICKS = 1.5, 5
#: Most intervals between projections that are named.
_PROJECTIONS = 10
#: Fewest decades of amplitude, and the part of them around zero that carries no ticks.
_SHALLOWEST, _CLEAR = 1.5, 0.15


def draw_tunnelling_pair(dataset: xr.Dataset) -> Figure:
    """Draw the probabilities of the localised states and the signed amplitudes of both levels, in decades.

    Product states of several spins are summed over everything but the electronic projection; amplitudes
    then have no sign.
    """
    m, size = _sizes(dataset)
    figure = new_figure(6.8, 6.2)
    rows = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": (1.2, 1, 1)})
    smallest = size["even"][size["even"] > 0].min()
    depth = max(float(np.ceil(-2 * np.log10(smallest) + _BELOW)) / 2, _SHALLOWEST)
    _shade(rows, dataset, m)
    _draw_localised(rows[0], m, size, 2 * depth)
    for axes, name in zip(rows[1:], ("even", "odd"), strict=True):
        _draw_level(axes, m, size[name] * _signs(dataset, name, len(m)), depth)
        axes.text(0.01, 0.94, _level_text(dataset, name), transform=axes.transAxes, va="top", fontsize=8.5)
    rows[0].set_ylabel("probability\n(log scale)")
    for axes in rows[1:]:
        axes.set_ylabel("amplitude\n(signed, log scale)")
    rows[-1].set_xlabel(label("projection $m$", r"units of $\hbar$"))
    rows[-1].set_xlim(m[0] - 0.8, m[-1] + 0.8)
    stride = int(np.ceil((len(m) - 1) / _PROJECTIONS)) or 1
    chosen = m[(len(m) - 1) % stride // 2 :: stride]
    rows[-1].set_xticks(chosen, [format_half(value) for value in chosen])
    rows[-1].xaxis.set_minor_locator(NullLocator())
    figure.suptitle(_title(dataset), x=0.01, ha="left", fontsize=10)
    note_provenance(figure, dataset, _complex_fact(dataset), direction_fact(dataset))
    return figure


def format_half(value: float) -> str:
    """Return a projection with a true minus sign.

    Examples
    --------
    >>> format_half(4.5), format_half(10.0)
    ('9/2', '10')
    """
    return spin_text(value).replace("-", MINUS)


def kelvin_text(logarithm: float) -> str:
    r"""Return an energy [K] from its decimal logarithm, as text for a figure.

    Examples
    --------
    >>> kelvin_text(-4.0), kelvin_text(np.log10(0.5227)), kelvin_text(-np.inf)
    ('$1.0\\times10^{-4}$ K', '0.52 K', '0')
    """
    return "0" if np.isneginf(logarithm) else f"{power_text(logarithm)} K"


def power_text(logarithm: float) -> str:
    """Return a positive number from its decimal logarithm, in two digits."""
    if -2.0 <= logarithm < 3.0:
        return f"{10.0**logarithm:.2g}"
    exponent = int(np.floor(logarithm + 1e-9))
    return rf"${10.0 ** (logarithm - exponent):.1f}\times10^{{{exponent}}}$"


def _sizes(dataset: xr.Dataset) -> tuple[_Real, dict[str, _Real]]:
    """Return the projections, ascending, and the root of the probability of each in every state."""
    m, place = np.unique(dataset["m"].values, return_inverse=True)
    amplitude = np.hypot(dataset["amplitude_re"].values, dataset["amplitude_im"].values)
    sizes = {}
    for row, name in zip(amplitude, dataset["state"].values.tolist(), strict=True):
        # one at a time by hypot: squares of amplitudes underflow
        total = np.zeros(len(m))
        for k, value in zip(place.tolist(), row.tolist(), strict=True):
            total[k] = np.hypot(total[k], value)
        sizes[name] = total
    return m, sizes


def _signs(dataset: xr.Dataset, name: str, count: int) -> _Real:
    """Return the signs of the real parts, m ascending; of product states, none."""
    real = dataset["amplitude_re"].sel(state=name).values
    if len(real) != count:
        return np.ones(count)
    return np.where(real[np.argsort(dataset["m"].values)] < 0, -1.0, 1.0)


def _shade(rows: NDArray[np.object_], dataset: xr.Dataset, m: _Real) -> None:
    """Shade the projections all of whose states are classically forbidden."""
    projection, forbidden = dataset["m"].values, dataset["forbidden"].values.astype(bool)
    under = [value for value in m if forbidden[projection == value].all()]
    if not under:
        return
    half = 0.5 * float(np.diff(m).min())
    for axes in rows:
        for value in under:
            axes.axvspan(value - half, value + half, color=PALE, alpha=0.5, linewidth=0, zorder=0)
    place = rows[0].get_xaxis_transform()
    text = "classically forbidden"
    rows[0].text(np.mean(under), 0.94, text, transform=place, ha="center", va="top", fontsize=8, color=GREY)


def _draw_localised(axes: Axes, m: _Real, size: dict[str, _Real], depth: float) -> None:
    for name, colour, shift in (("left", LEFT, -0.08), ("right", RIGHT, 0.08)):
        shown = size[name] > 0
        height, x = depth + 2 * np.log10(size[name][shown]), m[shown] + shift
        axes.plot(x, height, "-", color=colour, linewidth=0.8, alpha=0.5)
        axes.vlines(x, 0.0, height, color=colour, linewidth=2.2)
        axes.plot(x, height, "o", color=colour, markersize=4.5)
        edge = 0.01 if name == "left" else 0.99
        text = f"localised {name}"
        axes.text(edge, 0.94, text, transform=axes.transAxes, ha=name, va="top", fontsize=8.5, color=colour)
    axes.set_ylim(0.0, 1.3 * depth)
    _decade_ticks(axes, depth, both=False)


def _draw_level(axes: Axes, m: _Real, amplitude: _Real, depth: float) -> None:
    """Draw signed amplitudes: the length of a bar is the number of decades above 10^-depth."""
    with np.errstate(divide="ignore"):
        height = np.maximum(np.log10(np.abs(amplitude)) + depth, 0.0)
    for sign, colour in ((1.0, INK), (-1.0, ACCENT)):
        mine = (np.sign(amplitude) == sign) & (height > 0.0)
        axes.vlines(m[mine], 0.0, sign * height[mine], color=colour, linewidth=2.4)
        axes.plot(m[mine], sign * height[mine], "o", color=colour, markersize=4.5)
    axes.axhline(0.0, color=GREY, linewidth=0.8)
    below = bool(np.any((amplitude < 0) & (height > 0)))
    axes.set_ylim(-1.2 * depth if below else -0.1 * depth, 1.7 * depth)
    _decade_ticks(axes, depth, both=below)


def _decade_ticks(axes: Axes, depth: float, *, both: bool) -> None:
    """Name the decades from 1 down to 10^-depth, at a height of their distance from the latter."""
    step = max(1, int(np.ceil(depth / (_TICKS - 1))))
    clear = _CLEAR * depth if both else 0.0
    powers = [power for power in range(0, int(np.ceil(depth)), step) if depth - power > clear]
    places = [depth - power for power in powers]
    names = [f"$10^{{{-power}}}$" if power else "1" for power in powers]
    if both:
        places += [power - depth for power in powers]
        names += [f"$-10^{{{-power}}}$" if power else f"{MINUS}1" for power in powers]
    axes.set_yticks(places, names)
    axes.yaxis.set_minor_locator(NullLocator())


def _level_text(dataset: xr.Dataset, name: str) -> str:
    """Return what a level is: its symmetry and its place in energy."""
    offset = float(dataset["offset"].sel(state=name))
    ground = str(dataset["ground"].values)
    if ground not in ("even", "odd"):
        return f"{name}: the levels are degenerate" if ground == "degenerate" else name
    biased = float(dataset["bias"]) != 0.0
    sign = "+" if name != ground else MINUS
    place = "upper level" if name != ground else "lower level"
    distance = r"\frac{1}{2}\sqrt{\Delta^2+\varepsilon^2}" if biased else r"\Delta/2"
    return f"{name}, {place}, {sign}${distance}$ = {sign}{kelvin_text(np.log10(abs(offset)))}"


def _title(dataset: xr.Dataset) -> str:
    names = [str(name).replace("-", MINUS) for name in dataset["state_label"].values.tolist()]
    field = round(float(dataset["field"]), 9) + 0.0
    where = f"{field:.4g} T".replace("-", MINUS)
    zero = bool(dataset["zero"])
    gap = "exactly 0" if zero else "= " + kelvin_text(float(dataset["log10_splitting"]))
    bias = float(dataset["bias"])
    off = f" {'+' if bias > 0 else MINUS} {power_text(np.log10(abs(bias)))} T" if bias else ""
    reason = f"\n{dataset['reason'].values}" if zero else ""
    pair = f"{names[1]} and {names[0]}"
    return f"{system_title(dataset)}, {pair} at {where}{off}: splitting $\\Delta$ {gap}{reason}"


def _complex_fact(dataset: xr.Dataset) -> str:
    if "m" not in dataset["probability"].dims:
        return "summed over all other spins"
    if float(np.abs(dataset["amplitude_im"]).max()) > 1e-12:
        return "complex amplitudes: modulus, with the sign of the real part"
    return ""
