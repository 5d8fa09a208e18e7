"""Figures of thermal equilibrium: magnetisation, susceptibility, heat capacity and entropy."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from mesospin.constants import GAS_CONSTANT
from mesospin.errors import InputError
from mesospin.figures.style import (
    ACCENT,
    GREY,
    INK,
    direction_fact,
    inputs_of,
    label,
    label_of,
    new_figure,
    note_provenance,
    quiet_zero_line,
    system_title,
    temperature_colours,
)

Floats = NDArray[np.float64]

_MOST_CURVES = 8
_FIELD = label(r"magnetic field $\mu_0 H$", "T")
_TEMPERATURE = label("temperature $T$", "K")
_COMPONENT_COLOURS = ("#1f5fa8", "#21918c", "#d1600a")
_DECADE = 8.0
"""Ratio of the temperatures from which their axis is logarithmic."""
_WARM = 0.2
"""Part of the highest temperature above which 1/chi is shown whole; it may diverge below."""


def draw_magnetisation(dataset: xr.Dataset) -> Figure:
    """Draw M against B and, where there are several temperatures, against B/T; M against T at one field."""
    values, T, B = _grid(dataset, "magnetisation")
    if len(B) == 1:
        return _draw_magnetisation_against_temperature(dataset, values[:, 0], T, float(B[0]))
    panels = 2 if len(T) > 1 else 1
    figure = new_figure(3.6 * panels + 2.0, 4.2)
    row = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
    order = np.argsort(B, kind="stable")
    for index, colour in _coloured(T):
        name = f"{T[index]:g} K"
        row[0].plot(B[order], values[index, order], color=colour if len(T) > 1 else INK, label=name)
        if panels == 2:
            row[1].plot(B[order] / T[index], values[index, order], color=colour)
    row[0].set_xlabel(_FIELD)
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
        _title(figure, row[0], dataset, "Magnetisation")
    else:
        _title(figure, row[0], dataset, "Magnetisation", f", {T[0]:g} K")
    return figure


def _where_it_bends(T: Floats, B: Floats) -> tuple[float, float]:
    middle = float(np.median(T))
    low, high = float(B.min()), float(B.max())
    return low / middle, high / middle


def _draw_magnetisation_against_temperature(
    dataset: xr.Dataset, values: Floats, T: Floats, B: float
) -> Figure:
    figure = new_figure(5.6, 4.2)
    axes = figure.add_subplot()
    order = np.argsort(T, kind="stable")
    axes.plot(T[order], values[order], "-" if len(T) > 1 else "o", color=INK)
    _temperature_axis(axes, T)
    axes.set_ylabel(label("magnetisation $M$", "mu_B"))
    _title(figure, axes, dataset, "Magnetisation", f", {B:g} T")
    return figure


def draw_susceptibility(dataset: xr.Dataset) -> Figure:
    r"""Draw :math:`\chi T` and :math:`1/\chi` against T; the three diagonal components of a crystal.

    At several fields the component along the field is drawn; against the field at one temperature.
    """
    along = "chi_along" if "chi_along" in dataset else "chi_molar"
    values, T, B = _grid(dataset, along)
    if len(T) == 1 and len(B) > 1:
        return _draw_susceptibility_against_field(dataset, values[0], float(T[0]), B)
    figure = new_figure(8.2, 4.1)
    left, right = figure.subplots(1, 2)
    order = np.argsort(T, kind="stable")
    warm = T / T.max() >= _WARM
    top = 0.0
    for curve, colour, name, style in _susceptibility_curves(dataset, values, B):
        line = style if len(T) > 1 else "o"
        left.plot(T[order], (curve * T)[order], line, color=colour, label=name)
        inverse = np.where(curve > 0.0, 1.0 / np.where(curve > 0.0, curve, 1.0), np.nan)
        right.plot(T[order], inverse[order], line, color=colour)
        top = max(top, float(np.nanmax(inverse[warm], initial=0.0)))
    _temperature_axis(left, T)
    left.set_ylabel(label(r"$\chi T$", r"cm$^3$ K mol$^{-1}$"))
    if left.dataLim.y0 >= 0.0:
        left.set_ylim(0.0)
    right.set_xlabel(_TEMPERATURE)
    right.set_xlim(0.0, float(T.max()) * (1.0 if len(T) > 1 else 1.05))
    right.set_ylim(0.0, 1.06 * top if top > 0.0 else None)
    right.set_ylabel(label(r"$1/\chi$", r"mol cm$^{-3}$"))
    if len(left.get_legend_handles_labels()[1]) > 1:
        figure.legend(loc="outside right upper", title=_legend_title(B), alignment="left")
    _title(figure, left, dataset, "Susceptibility", _at_field(B))
    return figure


def _susceptibility_curves(
    dataset: xr.Dataset, values: Floats, B: Floats
) -> list[tuple[Floats, object, str, str]]:
    """Return curve, colour, name and line style of everything to draw against temperature."""
    if len(B) > 1:
        return [(values[:, k], colour, f"{B[k]:g} T", "-") for k, colour in _coloured(B)]
    if "component" not in dataset["chi_molar"].dims:
        return [(values[:, 0], INK, "powder", "-")]
    tensor = dataset["chi_molar"].transpose(..., "component", "field_component").values.reshape(-1, 3, 3)
    diagonal = [tensor[:, k, k] for k in range(3)]
    entries: list[tuple[Floats, object, str, str]] = []
    for k, component in enumerate("xyz"):
        name = rf"$\chi_{{{component}{component}}}$"
        if k > 0 and np.allclose(diagonal[k - 1], diagonal[k], rtol=1e-6, atol=0.0):
            curve, colour, names, style = entries[-1]
            entries[-1] = (curve, colour, f"{names} = {name}", style)
        else:
            entries.append((diagonal[k], _COMPONENT_COLOURS[k], name, "-"))
    if len(entries) > 1:
        entries.append((np.mean(diagonal, axis=0), GREY, "mean", ":"))
    return entries


def _draw_susceptibility_against_field(dataset: xr.Dataset, values: Floats, T: float, B: Floats) -> Figure:
    figure = new_figure(5.6, 4.2)
    axes = figure.add_subplot()
    order = np.argsort(B, kind="stable")
    axes.plot(B[order], values[order], color=INK, label=r"$\partial M/\partial H$")
    static = _grid(dataset, "m_over_h")[0][0]
    axes.plot(B[order], static[order], "--", color=ACCENT, label="$M/H$")
    axes.set_xlim(B.min(), B.max())
    axes.set_xlabel(_FIELD)
    axes.set_ylabel(label(r"susceptibility $\chi$", r"cm$^3$ mol$^{-1}$"))
    axes.legend()
    _title(figure, axes, dataset, "Susceptibility", f", {T:g} K")
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


def _draw_molar(dataset: xr.Dataset, name: str, title: str) -> tuple[Figure, Axes]:
    values, T, B = _grid(dataset, name)
    figure = new_figure(6.4, 4.2)
    axes = figure.add_subplot()
    if len(T) == 1 and len(B) > 1:
        order = np.argsort(B, kind="stable")
        axes.plot(B[order], values[0, order], color=INK)
        axes.set_xlim(B.min(), B.max())
        axes.set_xlabel(_FIELD)
        fact = f", {T[0]:g} K"
    else:
        order = np.argsort(T, kind="stable")
        for index, colour in _coloured(B):
            line = "-" if len(T) > 1 else "o"
            curve_colour = INK if len(B) == 1 else colour
            axes.plot(T[order], values[order, index], line, color=curve_colour, label=f"{B[index]:g} T")
        _temperature_axis(axes, T)
        if len(B) > 1:
            figure.legend(loc="outside right upper", title="field", alignment="left")
        fact = _at_field(B)
    axes.set_ylabel(label_of(dataset[name]).replace("J/(mol K)", r"J mol$^{-1}$ K$^{-1}$"))
    _title(figure, axes, dataset, title, fact)
    return figure, axes


def _grid(dataset: xr.Dataset, name: str) -> tuple[Floats, Floats, Floats]:
    """Return values (temperature, field) and the two coordinates, whichever were single numbers."""
    values = dataset[name]
    extra = [str(dim) for dim in values.dims if dim not in ("temperature", "field")]
    if extra:
        raise InputError(
            "dataset must lie on temperatures and fields along one direction to be drawn, got "
            f"{', '.join(extra)}; draw its variables with matplotlib"
        )
    for dim in ("temperature", "field"):
        if dim not in values.dims:
            values = values.expand_dims(dim)
    arrays = (
        values.transpose("temperature", "field").values,
        values["temperature"].values,
        values["field"].values,
    )
    full, T, B = (np.asarray(array, dtype=np.float64) for array in arrays)
    return full, T, B


def _coloured(coordinate: Floats) -> list[tuple[int, tuple[float, float, float, float]]]:
    """Return indices of at most eight values, spread evenly and ascending, each with its colour."""
    count = len(coordinate)
    order = np.argsort(coordinate, kind="stable")
    places = sorted(set(np.linspace(0, count - 1, min(count, _MOST_CURVES)).round().astype(int).tolist()))
    chosen = [int(order[place]) for place in places]
    return list(zip(chosen, temperature_colours(len(chosen)), strict=True))


def _temperature_axis(axes: Axes, T: Floats) -> None:
    axes.set_xlabel(_TEMPERATURE)
    if T.max() >= _DECADE * T.min():
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    if len(T) > 1:
        axes.set_xlim(float(T.min()), float(T.max()))


def _legend_title(B: Floats) -> str:
    return "field" if len(B) > 1 else "component"


def _at_field(B: Floats) -> str:
    return f", {B[0]:g} T" if len(B) == 1 else ""


def _title(figure: Figure, axes: Axes, dataset: xr.Dataset, what: str, fact: str = "") -> None:
    powder = str(dataset.attrs.get("powder", ""))
    kind = " powder" if powder else ""
    axes.set_title(f"{what} of {system_title(dataset)}{kind}{fact}")
    inputs = inputs_of(dataset)
    facts = [str(inputs[name]) for name in ("mean_field", "demagnetisation") if name in inputs]
    note_provenance(figure, dataset, direction_fact(dataset), powder.partition(";")[0], *facts)
