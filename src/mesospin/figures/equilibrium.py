"""Figures of thermal equilibrium: magnetisation, susceptibility, heat capacity and entropy."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from mesospin.constants import GAS_CONSTANT
from mesospin.figures.curves import (
    FIELD,
    TEMPERATURE,
    Colour,
    at_field,
    coloured,
    on_grid,
    temperature_axis,
    title,
)
from mesospin.figures.style import ACCENT, GREY, INK, label, label_of, new_figure, quiet_zero_line

Floats = NDArray[np.float64]

_FEW_FIELDS = 5
_COMPONENT_COLOURS = ("#1f5fa8", "#21918c", "#d1600a")
_NOTABLE = 0.01
"""Relative difference from which M/H is drawn beside dM/dH."""
_SPARSE = 0.03
"""Part of the width of a picture from which the distance of points is shown by marks."""
_WARM = 0.2
"""Part of the highest temperature above which 1/chi is shown whole; it may diverge below."""


def draw_magnetisation(dataset: xr.Dataset) -> Figure:
    """Draw M against B and, where there are several temperatures, against B/T.

    Where there are few fields and many temperatures, M against T, one colour a field.
    """
    values, T, B = on_grid(dataset, "magnetisation")
    if len(B) == 1 or (len(B) <= _FEW_FIELDS and len(T) > _FEW_FIELDS * len(B)):
        return _draw_magnetisation_against_temperature(dataset, values, T, B)
    panels = 2 if len(T) > 1 else 1
    figure = new_figure(3.6 * panels + 2.0, 4.2)
    row = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
    order = np.argsort(B, kind="stable")
    for index, colour in coloured(T):
        name = f"{T[index]:.3g} K"
        row[0].plot(B[order], values[index, order], color=colour if len(T) > 1 else INK, label=name)
        if panels == 2:
            row[1].plot(B[order] / T[index], values[index, order], color=colour)
    row[0].set_xlabel(FIELD)
    row[0].set_xlim(B.min(), B.max())
    row[0].set_ylabel(label("magnetisation $M$", "mu_B"))
    if panels == 2:
        row[1].set_xlabel(label(r"$\mu_0 H/T$", r"T K$^{-1}$"))
        # The coldest isotherm is saturated over most of the range: what bends is at small B/T.
        row[1].set_xlim(*_where_it_bends(T, B))
    for axes in row:
        quiet_zero_line(axes)
    if len(T) > 1:
        figure.legend(loc="outside right upper", title="temperature", alignment="left")
        title(figure, row[0], dataset, "Magnetisation")
    else:
        title(figure, row[0], dataset, "Magnetisation", f", {T[0]:g} K")
    return figure


def _where_it_bends(T: Floats, B: Floats) -> tuple[float, float]:
    middle = float(np.median(T))
    low, high = float(B.min()), float(B.max())
    return low / middle, high / middle


def _draw_magnetisation_against_temperature(
    dataset: xr.Dataset, values: Floats, T: Floats, B: Floats
) -> Figure:
    figure = new_figure(5.6 if len(B) == 1 else 6.6, 4.2)
    axes = figure.add_subplot()
    temperature_axis(axes, T)
    line = _marked(axes, T)
    order = np.argsort(T, kind="stable")
    for index, colour in coloured(B):
        name = f"{B[index]:.4g} T"
        axes.plot(T[order], values[order, index], line, color=INK if len(B) == 1 else colour, label=name)
    axes.set_ylabel(label("magnetisation $M$", "mu_B"))
    if len(B) > 1:
        figure.legend(loc="outside right upper", title="field", alignment="left")
    title(figure, axes, dataset, "Magnetisation", at_field(B))
    return figure


def draw_susceptibility(dataset: xr.Dataset) -> Figure:
    r"""Draw :math:`\chi T` and :math:`1/\chi` against T; the three diagonal components of a crystal.

    Solid lines are dM/dH, and the axis says so where there is a field.  At one field M/H along it is drawn
    too, dashed, where it differs.  At several fields the component along the field is drawn; against it
    at one temperature.
    """
    along = "chi_along_molar" if "chi_along_molar" in dataset else "chi_molar"
    values, T, B = on_grid(dataset, along)
    if len(T) == 1 and len(B) > 1:
        return _draw_susceptibility_against_field(dataset, values[0], float(T[0]), B)
    figure = new_figure(8.2, 4.1)
    left, right = figure.subplots(1, 2)
    order = np.argsort(T, kind="stable")
    warm = T / T.max() >= _WARM
    top = 0.0
    temperature_axis(left, T)
    marks = _marked(left, T).removesuffix("-")
    curves = _susceptibility_curves(dataset, values, B)
    for curve, colour, name, style in curves:
        line = style if len(T) > 1 else "o"
        layer = 1.5 if style == "--" else 2.0
        marked = f"{marks}{style}" if len(T) > 1 else "o"
        left.plot(T[order], (curve * T)[order], marked, color=colour, label=name, zorder=layer)
        inverse = np.where(curve > 0.0, 1.0 / np.where(curve > 0.0, curve, 1.0), np.nan)
        right.plot(T[order], inverse[order], line, color=colour, zorder=layer)
        top = max(top, float(np.nanmax(inverse[warm], initial=0.0)))
    left.set_ylabel(label(rf"$\chi T${_meaning(curves, B)}", r"cm$^3$ K mol$^{-1}$"))
    if left.dataLim.y0 >= 0.0:
        left.set_ylim(0.0)
    right.set_xlabel(TEMPERATURE)
    right.set_xlim(0.0, float(T.max()) * (1.0 if len(T) > 1 else 1.05))
    right.set_ylim(0.0, 1.06 * top if top > 0.0 else None)
    right.set_ylabel(label(r"$1/\chi$", r"mol cm$^{-3}$"))
    if len(left.get_legend_handles_labels()[1]) > 1:
        figure.legend(loc="outside right upper", title=_legend_title(B), alignment="left")
    title(figure, left, dataset, "Susceptibility", at_field(B))
    return figure


def _meaning(curves: list[tuple[Floats, Colour, str, str]], B: Floats) -> str:
    """Return which of the two susceptibilities is drawn; without a field they are the same."""
    if not np.any(B):
        return ""
    both = any(style == "--" for *_, style in curves)
    return r", $\chi = \partial M/\partial H$" + (r" and $M/H$" if both else "")


def _susceptibility_curves(
    dataset: xr.Dataset, values: Floats, B: Floats
) -> list[tuple[Floats, Colour, str, str]]:
    """Return curve, colour, name and line style of everything to draw against temperature."""
    if len(B) > 1:
        return [(values[:, k], colour, f"{B[k]:.4g} T", "-") for k, colour in coloured(B)]
    static = _static(dataset, values)
    if "component" not in dataset["chi_molar"].dims:
        return [(values[:, 0], INK, r"$\partial M/\partial H$" if static else "powder", "-"), *static]
    tensor = dataset["chi_molar"].transpose(..., "component", "field_component").values.reshape(-1, 3, 3)
    diagonal = [tensor[:, k, k] for k in range(3)]
    entries: list[tuple[Floats, Colour, str, str]] = []
    for k, component in enumerate("xyz"):
        name = rf"$\chi_{{{component}{component}}}$"
        if k > 0 and np.allclose(diagonal[k - 1], diagonal[k], rtol=1e-6, atol=0.0):
            curve, colour, names, style = entries[-1]
            entries[-1] = (curve, colour, f"{names} = {name}", style)
        else:
            entries.append((diagonal[k], _COMPONENT_COLOURS[k], name, "-"))
    if len(entries) > 1:
        entries.append((np.mean(diagonal, axis=0), GREY, "mean", ":"))
    return [*entries, *static]


def _static(dataset: xr.Dataset, values: Floats) -> list[tuple[Floats, Colour, str, str]]:
    """Return the curve of M/H along the one field, where it is not that of dM/dH."""
    static = on_grid(dataset, "m_over_h")[0]
    if np.all(np.abs(static - values) <= _NOTABLE * np.abs(values)):
        return []
    return [(static[:, 0], ACCENT, "$M/H$", "--")]


def _draw_susceptibility_against_field(dataset: xr.Dataset, values: Floats, T: float, B: Floats) -> Figure:
    figure = new_figure(5.6, 4.2)
    axes = figure.add_subplot()
    order = np.argsort(B, kind="stable")
    axes.plot(B[order], values[order], color=INK, label=r"$\partial M/\partial H$")
    static = on_grid(dataset, "m_over_h")[0][0]
    axes.plot(B[order], static[order], "--", color=ACCENT, label="$M/H$")
    axes.set_xlim(B.min(), B.max())
    axes.set_xlabel(FIELD)
    axes.set_ylabel(label(r"susceptibility $\chi$", r"cm$^3$ mol$^{-1}$"))
    axes.legend()
    title(figure, axes, dataset, "Susceptibility", f", {T:g} K")
    return figure


def draw_heat_capacity(dataset: xr.Dataset) -> Figure:
    """Draw C against T, one colour a field; C against B at one temperature.  In units of R on the right."""
    figure, axes = _draw_molar(dataset, "heat_capacity", "Magnetic heat capacity")
    right = axes.secondary_yaxis("right", functions=(_over_gas_constant, _times_gas_constant))
    right.set_ylabel("$C/R$")
    axes.tick_params(right=False, which="both")
    axes.set_ylim(0.0)
    return figure


def _over_gas_constant(heat: ArrayLike) -> Floats:
    return np.asarray(heat, dtype=np.float64) / GAS_CONSTANT


def _times_gas_constant(reduced: ArrayLike) -> Floats:
    return np.asarray(reduced, dtype=np.float64) * GAS_CONSTANT


def draw_entropy(dataset: xr.Dataset) -> Figure:
    """Draw S against T, one colour a field; S against B at one temperature.  States on the right."""
    figure, axes = _draw_molar(dataset, "entropy", "Magnetic entropy")
    axes.set_ylim(0.0)
    top = np.exp(axes.get_ylim()[1] / GAS_CONSTANT)
    right = axes.secondary_yaxis("right")
    numbers = [2**k for k in range(40) if 2**k <= top]
    right.set_yticks([GAS_CONSTANT * np.log(number) for number in numbers], [str(n) for n in numbers])
    right.minorticks_off()
    right.set_ylabel(r"occupied states $e^{S/R}$")
    axes.tick_params(right=False, which="both")
    return figure


def draw_free_energy(dataset: xr.Dataset) -> Figure:
    """Draw F against T, one colour a field; F against B at one temperature.  Molar on the right."""
    figure, axes = _draw_molar(dataset, "free_energy", "Free energy")
    right = axes.secondary_yaxis("right", functions=(_to_kilojoule, _from_kilojoule))
    right.set_ylabel(label("molar free energy", r"kJ mol$^{-1}$"))
    axes.tick_params(right=False, which="both")
    return figure


def _to_kilojoule(energy: ArrayLike) -> Floats:
    return np.asarray(energy, dtype=np.float64) * GAS_CONSTANT / 1e3


def _from_kilojoule(energy: ArrayLike) -> Floats:
    return np.asarray(energy, dtype=np.float64) * 1e3 / GAS_CONSTANT


def _draw_molar(dataset: xr.Dataset, name: str, what: str) -> tuple[Figure, Axes]:
    values, T, B = on_grid(dataset, name)
    figure = new_figure(6.4, 4.2)
    axes = figure.add_subplot()
    if len(T) == 1 and len(B) > 1:
        order = np.argsort(B, kind="stable")
        axes.plot(B[order], values[0, order], color=INK)
        axes.set_xlim(B.min(), B.max())
        axes.set_xlabel(FIELD)
        fact = f", {T[0]:g} K"
    else:
        order = np.argsort(T, kind="stable")
        temperature_axis(axes, T)
        line = _marked(axes, T)
        for index, colour in coloured(B):
            curve_colour = INK if len(B) == 1 else colour
            axes.plot(T[order], values[order, index], line, color=curve_colour, label=f"{B[index]:.4g} T")
        if len(B) > 1:
            figure.legend(loc="outside right upper", title="field", alignment="left")
        fact = at_field(B)
    axes.set_ylabel(label_of(dataset[name]).replace("J/(mol K)", r"J mol$^{-1}$ K$^{-1}$"))
    title(figure, axes, dataset, what, fact)
    return figure, axes


def _legend_title(B: Floats) -> str:
    return "field" if len(B) > 1 else "component"


def _marked(axes: Axes, at: Floats) -> str:
    """Return the style of a line: its points are marked where they lie far from each other.

    A linear series of temperatures is dense only at the warm end of a logarithmic axis.
    """
    if len(at) == 1:
        return "o"
    spread = np.diff(np.sort(np.log(at) if axes.get_xscale() == "log" else at))
    return ".-" if np.any(spread > _SPARSE * spread.sum()) else "-"
