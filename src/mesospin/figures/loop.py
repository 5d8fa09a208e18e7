"""Figure of the hysteresis loop: all temperatures, the step numbers, the classical loop beside it."""

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesospin.figures.style import (
    GREY,
    INK,
    PALE,
    direction_fact,
    inputs_of,
    label,
    new_figure,
    note_provenance,
    quiet_zero_line,
    rate_text,
    spread_labels,
    system_title,
    temperature_colours,
)

_SAME = 0.05

#: A loop that reaches less of M/M_s than this is of molecules whose ground level carries less than g S.
_UNREACHED = 0.9


def draw_hysteresis(dataset: xr.Dataset) -> Figure:
    """Draw reduced magnetisation against field, one colour for both branches of a temperature."""
    figure = new_figure(7.2, 4.5)
    axes = figure.add_subplot()
    quiet_zero_line(axes)
    field = dataset["field"].values
    _draw_classical(axes, dataset)
    temperatures = np.atleast_1d(dataset["temperature"].values)
    reduced = dataset["reduced"].transpose("temperature", "branch", "field")
    order = np.argsort(temperatures, kind="stable")
    for place, (index, colour) in enumerate(zip(order, temperature_colours(len(order)), strict=True)):
        # Loops below the crossover lie on each other: the warmer one is dashed, so that both are seen.
        colder = reduced.values[order[max(place - 1, 0)]]
        hidden = place > 0 and float(np.abs(reduced.values[index] - colder).max()) < _SAME
        for branch, curve in enumerate(reduced.values[index]):
            name = f"{temperatures[index]:g} K" if branch == 0 else "_nolegend_"
            (line,) = axes.plot(field, curve, color=colour, label=name)
            if hidden:
                line.set(linestyle=(0, (3, 3)), dash_capstyle="butt")
    axes.set_xlim(field.min(), field.max())
    axes.set_ylim(-1.08, 1.08)
    axes.set_yticks([-1.0, -0.5, 0.0, 0.5, 1.0])
    axes.set_xlabel(label(r"magnetic field $\mu_0 H$", "T"))
    axes.set_ylabel(r"magnetisation $M/M_\mathrm{s}$" + _less_than_saturation(dataset))
    marked = _mark_steps(axes, dataset)
    axes.set_title(_title(dataset), pad=8 if marked else 6)
    handles, names = _legend_entries(axes)
    figure.legend(handles, names, loc="outside right upper", title="temperature", alignment="left")
    note_provenance(figure, dataset, _ensemble_fact(dataset), direction_fact(dataset))
    return figure


def _less_than_saturation(dataset: xr.Dataset) -> str:
    """Say what M_s is where the loop reaches much less of it, or more."""
    if "saturation_moment" not in dataset:
        return ""
    reached = float(np.abs(dataset["reduced"].values).max())
    if _UNREACHED < reached <= 1.0 or "=" not in "".join(dataset["step_label"].values[:1].tolist()):
        return ""
    saturation = float(dataset["saturation_moment"])
    text = rf"$M_\mathrm{{s}}$: $g S$ of electrons, {saturation:.3g} $\mu_\mathrm{{B}}$"
    if reached > 1.0:
        return f"\n{text}; M includes the nuclei"
    return f"\n{text}; reached: {reached * saturation:.3g} $\\mu_\\mathrm{{B}}$"


def _title(dataset: xr.Dataset) -> str:
    rate = inputs_of(dataset).get("rate")
    swept = f", field swept at {rate_text(float(rate))}" if isinstance(rate, int | float) else ""
    return f"Hysteresis of {system_title(dataset)}{swept}"


def _legend_entries(axes: Axes) -> tuple[list[Artist], list[str]]:
    handles, names = axes.get_legend_handles_labels()
    classical = [i for i, name in enumerate(names) if name.startswith("classical")]
    order = [i for i in range(len(names)) if i not in classical] + classical
    return [handles[i] for i in order], [names[i] for i in order]


def _draw_classical(axes: Axes, dataset: xr.Dataset) -> None:
    if "stoner_wohlfarth" not in dataset:
        return
    curves = dataset["stoner_wohlfarth"].transpose("branch", "field").values
    reversed_here = bool(np.any(curves[:, 0] * curves[:, -1] < 0))
    name = "classical,\nno tunnelling" + ("" if reversed_here else _where_it_reverses(dataset))
    for curve in curves:
        axes.plot(
            dataset["field"].values,
            curve,
            color=GREY,
            linestyle=(0, (5, 3)),
            linewidth=1.1,
            zorder=1,
            label=name,
        )
        name = "_nolegend_"


def _where_it_reverses(dataset: xr.Dataset) -> str:
    """Say where the classical loop reverses, where that lies outside the picture."""
    if "classical_coercive_field" in dataset:
        field = float(dataset["classical_coercive_field"])
        if np.isfinite(field):
            return f"\n(reverses at\n{field:.3g} T)"
    return "\n(reverses beyond\nthis range)"


def _mark_steps(axes: Axes, dataset: xr.Dataset) -> bool:
    """Write the step numbers along the top; those of a single spin also for the falling branch."""
    positions = step_positions(dataset)
    low, high = axes.get_xlim()
    single_spin = positions and "=" not in str(dataset["step_label"].values[0])
    signs = (1, -1) if single_spin else (1,)
    marks = {sign * place: n for n, place in positions.items() for sign in signs}
    inside = sorted(place for place in marks if low < place < high)
    if not inside:
        return False
    for place in inside:
        axes.axvline(place, color=PALE, linewidth=0.6, linestyle=":", zorder=0)
    named = [inside[i] for i in spread_labels(inside, 0.022 * (high - low))]
    top = axes.secondary_xaxis("top")
    top.set_xticks(named, [f"{marks[place]:g}" for place in named])
    top.tick_params(direction="in", length=3, labelsize=7.5, colors=GREY, which="major")
    top.minorticks_off()
    meaning = "pair $(S, -S+n)$" if single_spin else "field rising"
    top.set_xlabel(f"step number $n$, {meaning}", fontsize=7.5, color=GREY)
    axes.tick_params(top=False, which="both")
    return True


def step_positions(dataset: xr.Dataset) -> dict[float, float]:
    """Return the field of every step number on the rising branch [T].

    Where several pairs share a number, they lie close together, and the one of largest |m| is farthest
    from zero field where fourth-order anisotropy favours large |m|; of hyperfine levels those count whose
    gap is open, if any is.
    """
    if "step" not in dataset.dims or dataset.sizes["step"] == 0:
        return {}
    numbers, fields = dataset["step_n"].values.astype(float), dataset["step_field"].values
    shown = np.ones(len(numbers), dtype=bool)
    if "mI" in str(dataset["step_label"].values[0]):
        opened = ~dataset["step_zero"].values.astype(bool)
        shown = opened | ~np.isin(numbers, numbers[opened])
    return {float(n): float(max(fields[shown & (numbers == n)], key=abs)) for n in np.unique(numbers[shown])}


def _ensemble_fact(dataset: xr.Dataset) -> str:
    molecules = inputs_of(dataset).get("molecules", 1)
    return f"average over {molecules} kinds of molecules" if molecules > 1 else ""


def draw_classical(dataset: xr.Dataset) -> Figure:
    """Draw the loop of a classical moment alone."""
    figure = new_figure(5.6, 4.2)
    axes = figure.add_subplot()
    quiet_zero_line(axes)
    for branch, curve in enumerate(dataset["reduced"].transpose("branch", "field").values):
        style = "-" if branch == 0 else "--"
        axes.plot(
            dataset["field"].values, curve, style, color=INK, label=("field rising", "field falling")[branch]
        )
    axes.set_ylim(-1.08, 1.08)
    axes.set_xlabel(label(r"magnetic field $\mu_0 H$", "T"))
    axes.set_ylabel(r"magnetisation $M/M_\mathrm{s}$")
    axes.set_title(f"Classical loop of {system_title(dataset)}, no tunnelling, no heat")
    axes.legend(loc="best")
    note_provenance(figure, dataset, direction_fact(dataset))
    return figure
