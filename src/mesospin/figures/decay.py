"""Figures of slow magnetisation: decays with their fits, square-root law, cooling curves, blocking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mesospin.figures.ac import draw_times
from mesospin.figures.isotherms import (
    FIELD,
    TEMPERATURE,
    Scale,
    draw_scale,
    draw_theory_times,
    isotherm_scale,
    varying,
)
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
    system_title,
    temperature_colours,
)
from mesospin.measured.relaxation.decay_models import DECAY_MODELS, DecayModel

Floats = NDArray[np.float64]

_WIDE: Final = 300.0
"""Ratio of the last to the first time from which the axis of time is logarithmic."""
_SMOOTH: Final = 200
_MANY: Final = 400
_UNITS: Final = {"mu_B": r"$\mu_\mathrm{B}$"}


def draw_decay_fit(dataset: xr.Dataset, theory: Sequence[xr.Dataset] = ()) -> Figure:
    """Draw the decays with their fits, and the relaxation times where there are several."""
    T, B = dataset["temperature"].values, dataset["field"].values
    scale = isotherm_scale(T, B)
    several = bool(varying(T, B))
    figure = new_figure(9.4 if several else 6.4, 4.2)
    panels = figure.subplots(1, 2 if several else 1, squeeze=False)[0]
    _draw_decays(panels[0], dataset, scale)
    if several:
        draw_times(panels[1], dataset, scale)
        ends = panels[1].get_xlim()
        draw_theory_times(panels[1], theory, against_field=panels[1].get_xlabel() == FIELD)
        panels[1].set_xlim(ends)
    draw_scale(figure, [panels[-1]], scale)
    count, known = len(T), int(dataset["determined"].values.sum())
    what = f"{dataset.attrs['model']} on {count} decay{'s' if count > 1 else ''}{scale.fact}"
    if not several and known:
        time = next(name for name in ("tau", "tau1") if name in dataset)
        what += rf": $\tau$ = {float(dataset[time][0]):.4g} ± {float(dataset[f'{time}_error'][0]):.2g} s"
    figure.suptitle(what, x=0.01, ha="left", fontsize=10)
    refused = f"{count - known} of {count} decays refused (hollow points, no line)" if known < count else ""
    note_provenance(figure, dataset, refused)
    return figure


def _draw_decays(axes: Axes, dataset: xr.Dataset, scale: Scale) -> None:
    row, time = dataset["isotherm_of"].values, dataset["time"].values
    moment, fitted = dataset["moment"].values, dataset["model_moment"].values
    later = time[time > 0.0]
    logarithmic = len(later) > 0 and later.max() / later.min() > _WIDE
    model = next((own for own in DECAY_MODELS.values() if own.title == dataset.attrs.get("model")), None)
    for k in range(dataset.sizes["isotherm"]):
        own = np.flatnonzero((row == k) & ((time > 0.0) | (not logarithmic)))
        refused = not np.isfinite(fitted[own]).any()
        axes.plot(
            time[own], moment[own], linestyle="", marker=scale.markers[k], ms=2.6, mew=0.6,
            color=scale.colours[k], mfc="white" if refused else None, zorder=2,
            alpha=0.8 if len(own) < _MANY else 0.4,
        )  # fmt: skip
        if refused or not len(own):
            continue
        t, curve = _smooth(dataset, model, k, time[own], fitted[own], logarithmic=logarithmic)
        colour = scale.colours[k] if dataset.sizes["isotherm"] > 1 else ACCENT
        axes.plot(t, curve, color=colour, linewidth=1.1, zorder=3)
    if logarithmic:
        axes.set_xscale("log")
    axes.set_xlabel(label("time $t$", "s"))
    unit = str(dataset["moment"].attrs["units"])
    axes.set_ylabel(label("moment $m$", _UNITS.get(unit, unit)))


def _smooth(
    dataset: xr.Dataset, model: DecayModel | None, k: int, time: Floats, fitted: Floats, *, logarithmic: bool
) -> tuple[Floats, Floats]:
    """Return the fitted curve of a decay on a fine grid; at its points where the model is not known."""
    if model is None or model.steps != 1:
        order = np.argsort(time)
        return time[order], fitted[order]
    spread = np.geomspace if logarithmic else np.linspace
    t = spread(time.min(), time.max(), _SMOOTH)
    tau, beta, m_eq, m_0 = (float(dataset[name].values[k]) for name in model.names)
    return t, m_eq + (m_0 - m_eq) * np.exp(-((t / tau) ** beta))


def draw_square_root_fit(dataset: xr.Dataset) -> Figure:
    """Draw the fitted square-root law of every decay in its window, with the points where they are known."""
    T, B = dataset["temperature"].values, dataset["field"].values
    scale = isotherm_scale(T, B)
    figure = new_figure(6.6, 4.2)
    axes = figure.add_subplot()
    low, high = (float(end) for end in inputs_of(dataset)["window"])
    ends = np.sqrt([low, high])
    for k in range(len(T)):
        if "moment" in dataset:
            own = np.flatnonzero(dataset["isotherm_of"].values == k)
            root = np.sqrt(dataset["time"].values[own])
            axes.plot(
                root, dataset["moment"].values[own], linestyle="", marker=scale.markers[k], ms=2.8,
                color=scale.colours[k], zorder=2,
            )  # fmt: skip
        line = float(dataset["m_0"].values[k]) + float(dataset["slope"].values[k]) * ends
        bent = bool(str(dataset["verdict"].values[k]))
        colour = scale.colours[k] if len(T) > 1 else ACCENT
        axes.plot(ends, line, "--" if bent else "-", color=colour, linewidth=1.2, zorder=3)
    axes.set_xlabel(label(r"$\sqrt{t}$", r"s$^{1/2}$"))
    unit = str(dataset["m_0"].attrs["units"])
    axes.set_ylabel(label("moment $m$", _UNITS.get(unit, unit)))
    draw_scale(figure, [axes], scale)
    bent_count = sum(bool(str(text)) for text in dataset["verdict"].values)
    what = f"Square-root law between {low:g} and {high:g} s{scale.fact}"
    if len(T) == 1:
        rate, error = float(dataset["rate"][0]), float(dataset["rate_error"][0])
        what += rf": 1/$\tau_Q$ = {rate:.4g} ± {error:.2g} s$^{{-1}}$"
    axes.set_title(what)
    fact = f"{bent_count} of {len(T)} are no square root in this window (dashed)" if bent_count else ""
    note_provenance(figure, dataset, fact)
    return figure


def draw_decay(dataset: xr.Dataset) -> Figure:
    """Draw the computed magnetisation after a jump of the field, one colour a temperature."""
    T, time = dataset["temperature"].values, dataset["time"].values
    moment = dataset["moment"].transpose("temperature", "time").values
    figure = new_figure(6.6, 4.2)
    axes = figure.add_subplot()
    later = time[time > 0.0]
    logarithmic = len(later) > 1 and later.max() / later.min() > _WIDE
    shown = np.flatnonzero((time > 0.0) | (not logarithmic))
    order = shown[np.argsort(time[shown])]
    colours = temperature_colours(len(T)) if len(T) > 1 else [INK]
    for k, place in enumerate(np.argsort(T)):
        axes.plot(time[order], moment[place][order], color=colours[k])
    if logarithmic:
        axes.set_xscale("log")
    axes.axhline(0.0, color=PALE, linewidth=0.7, zorder=0)
    axes.set_xlabel(label("time $t$ after the jump", "s"))
    axes.set_ylabel(label("magnetisation $M$", r"$\mu_\mathrm{B}$"))
    inputs = inputs_of(dataset)
    scale = isotherm_scale(T, np.full(len(T), float(inputs["B_final"])))
    draw_scale(figure, [axes], scale)
    jump = f"{float(inputs['B_initial']):g} T to {float(inputs['B_final']):g} T"
    alone = f", {T[0]:g} K" if len(T) == 1 else ""
    axes.set_title(f"Decay of {system_title(dataset)}: {jump}{alone}")
    note_provenance(figure, dataset, direction_fact(dataset))
    return figure


def draw_zfc_fc(dataset: xr.Dataset) -> Figure:
    """Draw zero-field-cooled and field-cooled magnetisation against temperature, one colour a field."""
    T, B = dataset["temperature"].values, dataset["field"].values
    molar = bool(np.all(B != 0.0)) and "zfc_molar" in dataset
    figure = new_figure(6.8, 4.4)
    axes = figure.add_subplot()
    colours: list[Any] = temperature_colours(len(B)) if len(B) > 1 else [INK]
    styles = {"zfc": ("-", "ZFC"), "fcc": ("--", "FC, cooling"), "fcw": (":", "FC, warming")}
    mark = "_molar" if molar else ""
    curves = {
        name: dataset[name + mark].transpose("field", "temperature").values
        for name in (*styles, "equilibrium")
    }
    for k, colour in enumerate(colours):
        axes.plot(T, curves["equilibrium"][k], color=GREY, linewidth=0.8, zorder=1)
        for name, (style, _text) in styles.items():
            axes.plot(T, curves[name][k], style, color=colour, zorder=2)
        peak = float(dataset["peak_temperature"].values[k])
        if np.isfinite(peak):
            height = float(np.interp(peak, T, curves["zfc"][k]))
            axes.plot([peak], [height], "v", color=colour, ms=5, mfc="white", zorder=3)
    for style, text in styles.values():
        axes.plot([], [], style, color=INK, label=text)
    axes.plot([], [], color=GREY, linewidth=0.8, label="equilibrium")
    axes.plot([], [], "v", color=INK, ms=5, mfc="white", linestyle="", label="maximum of ZFC")
    # a Curie law diverges on the left and would press everything else to the ground
    measured = np.concatenate([curves[name].ravel() for name in styles])
    axes.set_ylim(min(0.0, 1.05 * float(np.nanmin(measured))), 1.15 * float(np.nanmax(measured)))
    axes.set_xlim(T.min(), T.max())
    axes.set_xlabel(TEMPERATURE)
    text = label("$M/B$", r"cm$^3$ mol$^{-1}$") if molar else label("magnetisation $M$", r"$\mu_\mathrm{B}$")
    axes.set_ylabel(text)
    axes.legend()
    if len(B) > 1:
        for field, colour in zip(B, colours, strict=True):
            axes.plot([], [], color=colour, label=f"{field:g} T")
        handles, names = axes.get_legend_handles_labels()
        figure.legend(
            handles[len(styles) + 2 :], names[len(styles) + 2 :], loc="outside right upper", title="field"
        )
    alone = f", {B[0]:g} T" if len(B) == 1 else ""
    speed = float(inputs_of(dataset)["rate"])
    axes.set_title(f"ZFC and FC of {system_title(dataset)}{alone}, {60.0 * speed:.3g} K/min")
    note_provenance(figure, dataset, direction_fact(dataset))
    return figure


def draw_blocking(dataset: xr.Dataset) -> Figure:
    """Draw relaxation times against temperature, and where they reach the times of the laboratory."""
    T, B = dataset["temperature"].values, dataset["field"].values
    tau = dataset["tau"].transpose("temperature", "field").values
    times = dataset["time"].values
    found = dataset["blocking_temperature"].transpose("field", "time").values
    figure = new_figure(6.6, 4.4)
    axes = figure.add_subplot()
    colours: list[Any] = temperature_colours(len(B)) if len(B) > 1 else [INK]
    for k, colour in enumerate(colours):
        axes.plot(T, tau[:, k], color=colour, label=f"{B[k]:g} T")
        axes.plot(found[k], times, "o", color=colour, mfc="white", ms=5, zorder=3)
    for time in times:
        axes.axhline(time, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
        axes.annotate(
            f"{time:g} s",
            (0.99, time),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(max(tau.min() / 3.0, times.min() * 1e-6), min(tau.max() * 3.0, times.max() * 1e6))
    axes.set_xlim(T.min(), T.max())
    axes.set_xlabel(TEMPERATURE)
    axes.set_ylabel(label(r"relaxation time $\tau$", "s"))
    if len(B) > 1:
        axes.legend(title="field", alignment="left")
    known = found[np.isfinite(found)]
    what = f": {known[0]:.3g} K" if found.size == 1 and known.size else ""
    axes.set_title(f"Blocking temperature of {system_title(dataset)}{what}")
    verdicts = dict.fromkeys(str(text) for text in dataset["verdict"].values.ravel())
    note_provenance(figure, dataset, direction_fact(dataset), *(verdicts if not known.size else ()))
    return figure
