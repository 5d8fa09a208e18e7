"""Figures of alternating fields: chi' and chi'' against frequency, Cole-Cole arcs, relaxation times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mesospin.figures.fit import with_error
from mesospin.figures.isotherms import (
    FIELD,
    TIME,
    Scale,
    draw_scale,
    draw_theory_times,
    inverse_temperature_axis,
    isotherm_scale,
    varying,
)
from mesospin.figures.style import (
    GREY,
    INK,
    PALE,
    direction_fact,
    inputs_of,
    label,
    new_figure,
    note_provenance,
    system_title,
)
from mesospin.measured.relaxation.ac_models import AC_MODELS, AcModel
from mesospin.measured.relaxation.names import rate_law

Floats = NDArray[np.float64]

_UNITS: Final = {"cm3/mol": r"cm$^3$ mol$^{-1}$", "emu/Oe": r"emu Oe$^{-1}$"}
_SMOOTH: Final = 120
_SHAPES: Final = "osD"
_NOTABLE: Final = 0.03
"""Part of the relaxing susceptibility from which a mode is drawn."""


class Curves(NamedTuple):
    """Points by isotherm, and what was computed or fitted."""

    temperature: Floats
    field: Floats
    row: NDArray[np.intp]
    """Isotherm of every point."""
    frequency: Floats
    real: Floats
    imag: Floats
    unit: str
    lines: list[tuple[Floats, Floats, Floats] | None]
    """Frequency, chi', chi'' of the line of every isotherm; None where there is none."""


def draw_ac_fit(dataset: xr.Dataset, theory: Sequence[xr.Dataset] = ()) -> Figure:
    """Draw the data with their fits, the Cole-Cole arcs, and the relaxation times."""
    curves = _fitted(dataset)
    figure, axes, scale = _panels(curves, theory)
    if "tau" in axes:
        draw_times(axes["tau"], dataset, scale)
        _draw_theory_times(axes["tau"], theory)
    _number_of_lines(figure, dataset, curves, scale, _dashed(theory))
    return figure


def draw_joint_ac_fit(dataset: xr.Dataset, theory: Sequence[xr.Dataset] = ()) -> Figure:
    """Draw the same panels of a fit of all isotherms to one law, with the law."""
    curves = _fitted(dataset)
    figure, axes, scale = _panels(curves, theory)
    if "tau" in axes:
        draw_times(axes["tau"], dataset, scale)
        _draw_law(axes["tau"], dataset, scale)
        _draw_theory_times(axes["tau"], theory)
    lines = [f"{dataset.attrs['law']} on all isotherms at once{scale.fact}", *parameter_lines(dataset, 3)]
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=9, linespacing=1.35)
    facts = (str(dataset.attrs.get("model", "")), str(dataset.attrs["verdict"]), _dashed(theory))
    note_provenance(figure, dataset, *facts)
    return figure


def draw_ac_susceptibility(dataset: xr.Dataset, theory: Sequence[xr.Dataset] = ()) -> Figure:
    """Draw the computed susceptibility in the same panels, with the times of its modes."""
    curves = computed_curves(dataset)
    figure, axes, scale = _panels(curves, theory, times="mode_rate" in dataset)
    if "tau" in axes:
        _draw_modes(axes["tau"], dataset, scale)
        _draw_theory_times(axes["tau"], theory)
    title = f"Ac susceptibility of {system_title(dataset)}{scale.fact}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    powder = inputs_of(dataset).get("powder")
    note_provenance(figure, dataset, f"powder, degree {powder}" if powder else direction_fact(dataset))
    return figure


def draw_ac_points(dataset: xr.Dataset, theory: Sequence[xr.Dataset] = ()) -> Figure:
    """Draw measured ac susceptibility without a fit."""
    chosen = np.flatnonzero(
        (dataset["measurement"].values.astype(str) == "ac") & (dataset["isotherm_of"].values >= 0)
    )
    kept, row = np.unique(dataset["isotherm_of"].values[chosen], return_inverse=True)
    T, B = (dataset[f"isotherm_{name}"].values[kept] for name in ("temperature", "field"))
    frequency, real, imag = (dataset[name].values[chosen] for name in ("frequency", "chi_real", "chi_imag"))
    unit = str(dataset["chi_real"].attrs["units"])
    curves = Curves(T, B, row, frequency, real, imag, unit, [None] * len(T))
    figure, _axes, scale = _panels(curves, theory, times=False, judged=False)
    figure.suptitle(
        f"{measured_title(dataset)}: ac susceptibility{scale.fact}", x=0.01, ha="left", fontsize=10
    )
    note_provenance(figure, dataset, dropped_fact(dataset), _dashed(theory))
    return figure


def measured_title(dataset: xr.Dataset) -> str:
    """Return the file, or that numbers were given."""
    source, instrument = (str(dataset.attrs.get(key, "")) for key in ("source", "instrument"))
    return f"{source} ({instrument})" if source and instrument else source or "Measured"


def dropped_fact(dataset: xr.Dataset) -> str:
    """Return how many rows of the file were left out."""
    count = dataset.sizes.get("dropped", 0)
    return f"{count} row{'s' if count > 1 else ''} of the file left out" if count else ""


def parameter_lines(dataset: xr.Dataset, on_a_line: int) -> list[str]:
    """Return lines of fitted parameters to the digits that their errors leave."""
    texts = []
    columns = ("parameter", "value", "error", "unit")
    held = inputs_of(dataset).get("fixed", {})
    for name, value, error, unit in zip(*(dataset[key].values for key in columns), strict=True):
        if str(name) in held:
            number = f"{float(value):.6g} (held)"
        elif np.isfinite(error):
            number = with_error(float(value), float(error))
        else:  # its value may be anything
            texts.append(f"{_symbol(str(name))} not determined")
            continue
        texts.append(f"{_symbol(str(name))} = {number} {_power_unit(str(unit))}".strip())
    return ["    ".join(texts[start : start + on_a_line]) for start in range(0, len(texts), on_a_line)]


def _symbol(name: str) -> str:
    return r"$U_\mathrm{eff}$" + name[5:].replace("_", " ") if name.startswith("u_eff") else name


def _power_unit(unit: str) -> str:
    """Return a unit for people: "log10 s" is the unit of a decimal logarithm."""
    raised = re.sub(r"\^(-?\w+)", r"$^{\1}$", unit)
    return "" if unit == "1" else raised.replace("log10 ", "log$_{10}$ ")


def _fitted(dataset: xr.Dataset) -> Curves:
    row = dataset["isotherm_of"].values.astype(np.intp)
    frequency = dataset["frequency"].values
    model = next((model for model in AC_MODELS.values() if model.title == dataset.attrs.get("model")), None)
    lines = [_line(dataset, model, k, frequency[row == k]) for k in range(dataset.sizes["isotherm"])]
    return Curves(
        dataset["temperature"].values,
        dataset["field"].values,
        row,
        frequency,
        dataset["chi_real"].values,
        dataset["chi_imag"].values,
        str(dataset["chi_real"].attrs["units"]),
        lines,
    )


def _line(
    dataset: xr.Dataset, model: AcModel | None, k: int, frequency: Floats
) -> tuple[Floats, Floats, Floats] | None:
    """Return the fitted line of an isotherm in its window of frequencies."""
    if model is None or not len(frequency):
        return None
    values = {name: float(dataset[name].values[k]) for name in model.names}
    if not all(np.isfinite(value) for value in values.values()):
        return None
    smooth = np.geomspace(frequency.min(), frequency.max(), _SMOOTH)
    chi = model.chi(smooth, **values)
    return smooth, chi.real, -chi.imag


def computed_curves(dataset: xr.Dataset) -> Curves:
    """Return the lines of a computed susceptibility, which has no points."""
    places = ("temperature", "field", "frequency")
    real, imag = (dataset[f"chi_{part}_molar"].transpose(*places).values for part in ("real", "imag"))
    T, B = np.meshgrid(dataset["temperature"].values, dataset["field"].values, indexing="ij")
    frequency = dataset["frequency"].values
    order = np.argsort(frequency)
    flat = zip(real.reshape(T.size, -1), imag.reshape(T.size, -1), strict=True)
    lines: list[Any] = [(frequency[order], a[order], b[order]) for a, b in flat]
    nothing = np.zeros(0)
    return Curves(
        T.ravel(), B.ravel(), np.zeros(0, dtype=np.intp), nothing, nothing, nothing, "cm3/mol", lines
    )


def _panels(
    curves: Curves, theory: Sequence[xr.Dataset], *, times: bool = True, judged: bool = True
) -> tuple[Figure, dict[str, Axes], Scale]:
    """Return the panels with susceptibilities and arcs; that of the times is empty."""
    scale = isotherm_scale(curves.temperature, curves.field)
    several = times and bool(varying(curves.temperature, curves.field))
    figure = new_figure(9.4 if len(scale.values) > 1 else 8.8, 6.2 if several else 4.4)
    right = [["arc"], ["tau"]] if several else [["arc"]]
    # nested, so that chi' stands on chi'' whatever the labels on the right need
    shape: Any = [[[["real"], ["imag"]], right]]
    axes = {str(name): entry for name, entry in figure.subplot_mosaic(shape).items()}
    few = len(curves.temperature) <= 3
    for k in range(len(curves.temperature)):
        own = curves.row == k
        refused = judged and curves.lines[k] is None
        style = {
            "linestyle": "", "marker": scale.markers[k], "ms": 3.4 if few else 2.8,
            "color": scale.colours[k], "mew": 0.7, "mfc": "white" if refused else None,
        }  # fmt: skip
        f, real, imag = curves.frequency[own], curves.real[own], curves.imag[own]
        for name, x, y in (("real", f, real), ("imag", f, imag), ("arc", real, imag)):
            axes[name].plot(x, y, zorder=2, **style)
        _draw_line(axes, curves.lines[k], scale.colours[k], "-")
    for extra in theory:
        if extra.attrs.get("kind") == "ac_susceptibility":
            computed = computed_curves(extra)
            for T, B, line in zip(computed.temperature, computed.field, computed.lines, strict=True):
                _draw_line(axes, line, scale.colour_at(T, B), "--")
    _label_panels(axes, curves.unit)
    draw_scale(figure, [axes[name] for name in ("arc", "tau") if name in axes], scale)
    return figure, axes, scale


def _draw_line(
    axes: dict[str, Axes], line: tuple[Floats, Floats, Floats] | None, colour: Any, style: str
) -> None:
    if line is None:
        return
    f, real, imag = line
    for name, x, y in (("real", f, real), ("imag", f, imag), ("arc", real, imag)):
        axes[name].plot(x, y, style, color=colour, linewidth=1.0, zorder=3)


def _label_panels(axes: dict[str, Axes], unit: str) -> None:
    text = _UNITS.get(unit, unit)
    for name in ("real", "imag"):
        axes[name].set_xscale("log")
        axes[name].set_ylabel(label(r"$\chi'$" if name == "real" else r"$\chi''$", text))
    axes["real"].sharex(axes["imag"])
    axes["real"].tick_params(labelbottom=False)
    axes["imag"].set_xlabel(label("frequency $f$", "Hz"))
    axes["arc"].set_xlabel(label(r"$\chi'$", text))
    axes["arc"].set_ylabel(label(r"$\chi''$", text))
    axes["arc"].set_aspect("equal", adjustable="datalim" if "tau" in axes else "box")
    for name in ("imag", "arc"):
        axes[name].axhline(0.0, color=PALE, linewidth=0.7, zorder=0)


def draw_times(axes: Axes, dataset: xr.Dataset, scale: Scale) -> None:
    """Draw times with their standard errors (caps) and one deviation of their distribution (pale bars)."""
    T, B = dataset["temperature"].values, dataset["field"].values
    against = varying(T, B)
    x = 1.0 / T if against == "temperature" else B
    times = [name for name in ("tau", "tau1", "tau2") if name in dataset]
    for time, shape in zip(times, _SHAPES, strict=False):
        tau, error = dataset[time].values, dataset[f"{time}_error"].values
        for k in np.flatnonzero(np.isfinite(tau)):
            marker = scale.markers[k] if len(times) == 1 else shape
            if f"{time}_lower" in dataset:
                ends = [float(dataset[f"{time}_{side}"].values[k]) for side in ("lower", "upper")]
                axes.plot([x[k], x[k]], ends, color=scale.colours[k], alpha=0.25, linewidth=3.2, zorder=1)
            relative = float(error[k] / tau[k])
            bar = [[tau[k] * -np.expm1(-relative)], [tau[k] * np.expm1(relative)]]
            axes.errorbar(
                x[k], tau[k], yerr=bar, fmt=marker, ms=3.4, color=scale.colours[k], elinewidth=0.8,
                capsize=1.8, capthick=0.8, zorder=3,
            )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylabel(TIME)
    if against == "temperature":
        known = np.any([np.isfinite(dataset[time].values) for time in times], axis=0)
        inverse_temperature_axis(axes, T[known] if known.any() else T)
    else:
        axes.set_xlabel(FIELD)
    if f"{times[0]}_lower" in dataset:
        axes.plot([], [], color=GREY, alpha=0.35, linewidth=3.2, label="width of the distribution")
        axes.plot([], [], "o", color=GREY, ms=3.4, label="fit, with its error")
    if len(times) > 1:
        for time, shape in zip(times, _SHAPES, strict=False):
            axes.plot([], [], shape, color=GREY, ms=3.4, label=rf"$\tau_{time[-1]}$")
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=7.5, loc="best")


def _draw_law(axes: Axes, dataset: xr.Dataset, scale: Scale) -> None:
    """Draw the fitted law between the isotherms."""
    law, values = rate_law(str(dataset.attrs["law"])), dataset["value"].values[None]
    T, B = dataset["temperature"].values, dataset["field"].values
    if varying(T, B) == "field":
        fields = np.linspace(B.min(), B.max(), _SMOOTH)
        for fixed in scale.others:
            tau = np.exp(-law.log_rate(values, np.full(_SMOOTH, fixed), fields)[0])
            axes.plot(fields, tau, color=INK, linewidth=1.0, zorder=2)
        return
    smooth = 1.0 / np.linspace(1.0 / T.max(), 1.0 / T.min(), _SMOOTH)
    for fixed in scale.others:
        tau = np.exp(-law.log_rate(values, smooth, np.full(_SMOOTH, fixed))[0])
        axes.plot(1.0 / smooth, tau, color=INK, linewidth=1.0, zorder=2)


def _draw_modes(axes: Axes, dataset: xr.Dataset, scale: Scale) -> None:
    """Draw the time of every mode that carries a notable part of the response; area is the part."""
    places = ("temperature", "field", "mode")
    rate, weight = (dataset[f"mode_{name}"].transpose(*places).values for name in ("rate", "weight"))
    T, B = np.meshgrid(dataset["temperature"].values, dataset["field"].values, indexing="ij")
    against = varying(T.ravel(), B.ravel())
    x = (1.0 / T if against == "temperature" else B).ravel()
    rate, weight = rate.reshape(T.size, -1), weight.reshape(T.size, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = weight / weight.sum(axis=1, keepdims=True)
        drawn = (share > _NOTABLE) & (rate > 0.0)
    for k in range(T.size):
        axes.scatter(
            np.full(int(drawn[k].sum()), x[k]), 1.0 / rate[k][drawn[k]], s=28.0 * share[k][drawn[k]],
            color=scale.colours[k], marker=scale.markers[k], zorder=3,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylabel(label(r"time of a mode $\tau$", "s"))
    axes.text(
        0.03,
        0.96,
        "ideal molecule; area: part of the response",
        transform=axes.transAxes,
        va="top",
        fontsize=7.5,
    )
    if against == "temperature":
        inverse_temperature_axis(axes, T.ravel())
    else:
        axes.set_xlabel(FIELD)


def _draw_theory_times(axes: Axes, theory: Sequence[xr.Dataset]) -> None:
    ends = axes.get_xlim()
    draw_theory_times(axes, theory, against_field=axes.get_xlabel() == FIELD)
    axes.set_xlim(ends)


def _dashed(theory: Sequence[xr.Dataset]) -> str:
    return "dashed: theory" if theory else ""


def _number_of_lines(figure: Figure, dataset: xr.Dataset, curves: Curves, scale: Scale, theory: str) -> None:
    count = len(curves.temperature)
    refused = count - int(dataset["determined"].values.sum())
    what = f"{dataset.attrs['model']} on {count} isotherm{'s' if count > 1 else ''}{scale.fact}"
    figure.suptitle(f"Ac susceptibility: {what}", x=0.01, ha="left", fontsize=10)
    fact = f"{refused} of {count} isotherms refused (hollow points, no line)" if refused else ""
    note_provenance(figure, dataset, fact, theory)
