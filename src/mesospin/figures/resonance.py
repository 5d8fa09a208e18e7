"""Figures of resonance and scattering: lines, frequency-field maps, spectra."""

from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from mesospin.constants import KELVIN_PER_MILLIELECTRONVOLT
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

Floats = NDArray[np.float64]

_FIELD = label(r"magnetic field $\mu_0 H$", "T")
_FREQUENCY = label(r"frequency $\nu$", "GHz")
_SQUARED = r"$\mu_\mathrm{B}^2$"
_PER_TESLA = r"$\mu_\mathrm{B}$ T$^{-1}$"
_SELECTION = {"perpendicular": ACCENT, "parallel": "#1f5fa8", "both": "#21918c", "forbidden": GREY}

#: Decades of intensity below the largest that are shown, and those that the frequency axis makes room for.
_DECADES, _ROOM = 4.0, 3.0

#: Intensity over the largest from which a line gets its name, and how many do.
_NAMED, _MOST_NAMES = 0.02, 48

#: Intensity over the largest of lines that are joined where levels cross, and the part of its intensity
#: below which a transition has handed it over from one field to the next.
_BRIDGED, _HANDED = 1e-3, 0.1

#: Height of a letter of a name along the stick, and of a panel [points].
_LETTER, _PANEL = 3.9, 158.0


def draw_resonance_fields(dataset: xr.Dataset) -> Figure:
    """Draw every line as a stick at its field; the colour says which microwave field drives it."""
    several = "temperature" in dataset.dims
    temperatures = np.atleast_1d(dataset["temperature"].values)
    chosen = _few(len(temperatures), 3)
    figure = new_figure(6.8, 1.6 + 2.4 * len(chosen))
    panels = figure.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
    for index, axes in zip(chosen, panels, strict=True):
        here = dataset.isel(temperature=index) if several else dataset
        _sticks(axes, here)
        axes.set_title(f"{temperatures[index]:g} K", loc="right", fontsize=8.5)
    low, high = inputs_of(dataset)["span"]
    margin = 0.03 * (high - low)
    panels[-1].set_xlim(low - margin, high + margin)
    panels[-1].set_xlabel(_FIELD)
    intensity = np.atleast_2d(dataset["intensity"].values).max(axis=0, initial=0.0)
    visible = intensity > 10.0**-_DECADES * intensity[np.isfinite(intensity)].max(initial=0.0)
    seen = set(dataset["selection"].values[visible].tolist())
    words = [word for word in _SELECTION if word in seen]
    handles = [mpl.lines.Line2D([], [], color=_SELECTION[word], linewidth=2.0) for word in words]
    if handles:
        title = "driven by a microwave field, to the static one:"
        figure.legend(handles, words, loc="outside lower right", ncols=4, title=title, alignment="right")
    panels[0].set_title(
        f"Resonance fields of {system_title(dataset)} at {float(dataset['frequency']):.6g} GHz"
    )
    key = "names: m, or place in energy, of the lower level → of the upper one" if _names(dataset) else ""
    note_provenance(figure, dataset, direction_fact(dataset), _microwave(dataset), key)
    return figure


def _few(count: int, most: int) -> list[int]:
    return sorted({round(k) for k in np.linspace(0, count - 1, min(count, most))})


def _sticks(axes: Axes, dataset: xr.Dataset) -> None:
    field, intensity = dataset["field"].values, dataset["intensity"].values
    finite = np.isfinite(intensity)
    largest = float(intensity[finite].max(initial=0.0)) or 1.0
    for word, colour in _SELECTION.items():
        own = (dataset["selection"].values == word) & finite
        axes.vlines(field[own], 0.0, intensity[own], color=colour, linewidth=1.5)
    if np.any(~finite):
        endless = field[~finite]
        axes.vlines(endless, 0.0, largest, color=INK, linewidth=1.5, linestyle=":")
        said = "infinite: it only touches the frequency"
        axes.plot(endless, np.full(len(endless), largest), "^", color=INK, markersize=5, label=said)
        axes.legend(loc="upper left", fontsize=7.5)
    top = _name_lines(axes, dataset, np.where(finite, intensity, 0.0) / largest)
    axes.axhline(0.0, color=INK, linewidth=0.6)
    axes.set_ylim(0.0, max(top, 1.1) * largest)
    axes.set_ylabel(label("intensity", _SQUARED))


def _names(dataset: xr.Dataset) -> list[str]:
    """Return the transition of every line, "4 → −4, mI=−1/2", or "level 2 → 5" where a level has no name."""
    ends = [dataset[name].values for name in ("label_from", "label_to", "level_from", "level_to")]
    return [
        _transition(str(one), str(other)) if one and other else f"level {low} → {high}"
        for one, other, low, high in zip(*ends, strict=True)
    ]


def _transition(one: str, other: str) -> str:
    """Return what changes from one product state to another, then what stays.

    Examples
    --------
    >>> _transition("m=4, mI=1/2", "m=5, mI=1/2"), _transition("m=4", "m=5")
    ('4 → 5, mI=1/2', '4 → 5')
    """
    pairs = list(zip(one.split(", "), other.split(", "), strict=True))
    moved = [f"{a} → {b.partition('=')[2]}" for a, b in pairs if a != b]
    text = ", ".join([*moved, *(a for a, b in pairs if a == b)])
    return text.removeprefix("m=").replace("-", "\N{MINUS SIGN}")


def _name_lines(axes: Axes, dataset: xr.Dataset, share: Floats) -> float:
    """Name the strong lines that have room; return the height that holds the names."""
    names = _names(dataset)
    strong = np.flatnonzero(share > _NAMED)
    low, high = inputs_of(dataset)["span"]
    room = (high - low) / _MOST_NAMES
    written: dict[int, float] = {}
    for index in strong[np.argsort(-share[strong], kind="stable")]:
        # beside its line where a stronger neighbour leaves no room above it
        for aside in (0.0, 0.5 * room, -0.5 * room, room, -room):
            place = float(dataset["field"].values[index]) + aside
            if all(abs(place - other) >= 0.999 * room for other in written.values()):
                written[int(index)] = place
                break
    for index, place in written.items():
        axes.annotate(
            names[index],
            (place, dataset["intensity"].values[index]),
            (0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            rotation=90,
            fontsize=6.5,
            color=GREY,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
        )
    heights = [share[k] / (1.0 - min((12.0 + _LETTER * len(names[k])) / _PANEL, 0.8)) for k in written]
    return max(heights, default=0.0)


def _microwave(dataset: xr.Dataset) -> str:
    microwave = inputs_of(dataset).get("microwave")
    if isinstance(microwave, str):
        return f"microwave field {microwave} to the static one"
    return "microwave field along (" + ", ".join(f"{x:g}" for x in microwave or ()) + ")"


def draw_resonance_frequencies(dataset: xr.Dataset) -> Figure:
    """Draw the transition frequencies against field; dark lines are strong at the lowest temperature."""
    cold = dataset
    temperatures = np.atleast_1d(dataset["temperature"].values)
    if "temperature" in dataset.dims:
        cold = dataset.isel(temperature=int(temperatures.argmin()))
    if "field" not in dataset.dims:
        return _draw_frequencies_at_one_field(cold)
    field = dataset["field"].values
    order = np.argsort(field, kind="stable")
    frequency = dataset["frequency"].transpose("transition", "field").values[:, order]
    intensity = cold["intensity"].transpose("transition", "field").values[:, order]
    largest = float(intensity.max()) or 1.0
    figure = new_figure()
    axes = figure.add_subplot()
    colours = Normalize(-_DECADES, 0.0)
    shown = np.flatnonzero(intensity.max(axis=1) > 10.0**-_DECADES * largest)
    for index in shown[np.argsort(intensity[shown].max(axis=1))]:
        _coloured_line(axes, field[order], frequency[index], intensity[index] / largest, colours)
    _bridges(axes, field[order], frequency[shown], intensity[shown] / largest, colours)
    axes.set_xlim(field.min(), field.max())
    visible = intensity > 10.0**-_ROOM * largest
    axes.set_ylim(0.0, 1.05 * float(frequency[visible].max(initial=0.0)) or 1.0)
    axes.set_xlabel(_FIELD)
    axes.set_ylabel(_FREQUENCY)
    scale = mpl.cm.ScalarMappable(colours, _strength_map())
    bar = figure.colorbar(scale, ax=axes, pad=0.02, aspect=30, extend="min")
    bar.set_label(r"$\log_{10}$ of intensity over largest")
    axes.set_title(f"What {system_title(dataset)} absorbs at {temperatures.min():g} K")
    note_provenance(figure, dataset, direction_fact(dataset), _microwave(dataset))
    return figure


def _strength_map() -> mpl.colors.Colormap:
    return mpl.colormaps["magma_r"].resampled(256)


def _coloured_line(axes: Axes, x: Floats, y: Floats, share: Floats, colours: Normalize) -> None:
    points = np.column_stack([x, y])
    # Levels that cross exchange their numbers: the weaker end tells a piece that joins two transitions.
    weaker = np.minimum(share[:-1], share[1:])
    seen = weaker > 10.0**-_DECADES
    strength = np.log10(weaker[seen])
    pieces = list(np.stack([points[:-1], points[1:]], axis=1)[seen])
    axes.add_collection(_line_pieces(pieces, strength, colours))


def _bridges(axes: Axes, x: Floats, y: Floats, share: Floats, colours: Normalize) -> None:
    """Join the pieces (transition, field) of lines whose levels exchange their numbers between two fields.

    There one transition goes dark and another lights up; of those, ends meet whose slopes fit.
    """
    lit = share > _BRIDGED * share.max(initial=0.0)
    pieces, strength = [], []
    for cell in range(1, len(x) - 2):
        # a transition hands over when its strength changes by more than a line does by itself
        left = np.flatnonzero(lit[:, cell] & (share[:, cell + 1] < _HANDED * share[:, cell]))
        right = np.flatnonzero(lit[:, cell + 1] & (share[:, cell] < _HANDED * share[:, cell + 1]))
        if not len(left) or not len(right):
            continue
        step = x[cell + 1] - x[cell]
        before = (y[left, cell] - y[left, cell - 1]) / (x[cell] - x[cell - 1])
        after = (y[right, cell + 2] - y[right, cell + 1]) / (x[cell + 2] - x[cell + 1])
        rise = (y[right, cell + 1][None, :] - y[left, cell][:, None]) / step
        misfit = np.abs(rise - before[:, None]) + np.abs(rise - after[None, :])
        steepness = np.abs(before)[:, None] + np.abs(after)[None, :] + np.ptp(y) / np.ptp(x)
        for row, column in zip(*linear_sum_assignment(misfit), strict=True):
            if misfit[row, column] < 0.5 * steepness[row, column]:
                one, other = left[row], right[column]
                pieces.append([(x[cell], y[one, cell]), (x[cell + 1], y[other, cell + 1])])
                strength.append(np.log10(min(share[one, cell], share[other, cell + 1])))
    if pieces:
        axes.add_collection(_line_pieces(pieces, np.array(strength), colours))


def _line_pieces(pieces: Any, strength: Floats, colours: Normalize) -> LineCollection:
    """Return pieces of lines, coloured by the decadic logarithm of their strength."""
    # The palest colours of the map would vanish on white paper.
    shades = _strength_map()(0.12 + 0.88 * np.asarray(colours(strength)))
    lines = LineCollection(pieces, colors=shades, linewidths=1.3)
    lines.set_capstyle("round")
    return lines


def _draw_frequencies_at_one_field(dataset: xr.Dataset) -> Figure:
    figure = new_figure(6.0, 3.6)
    axes = figure.add_subplot()
    least = 10.0**-_ROOM * float(dataset["intensity"].max())
    for word, colour in _SELECTION.items():
        own = (dataset["selection"].values == word) & (dataset["intensity"].values > least)
        if np.any(own):
            frequency, intensity = dataset["frequency"].values[own], dataset["intensity"].values[own]
            axes.vlines(frequency, 0.0, intensity, color=colour, linewidth=1.5, label=word)
    axes.set_ylim(0.0)
    axes.axhline(0.0, color=INK, linewidth=0.6)
    axes.set_xlabel(_FREQUENCY)
    axes.set_ylabel(label("intensity", _SQUARED))
    figure.legend(
        loc="outside right upper", title="driven by a microwave field,\nto the static one:", alignment="left"
    )
    axes.set_title(
        f"What {system_title(dataset)} absorbs at {float(dataset['field']):g} T, "
        f"{float(dataset['temperature']):g} K"
    )
    note_provenance(figure, dataset, direction_fact(dataset), _microwave(dataset))
    return figure


def draw_epr_spectrum(dataset: xr.Dataset) -> Figure:
    """Draw the absorption above and its first derivative below."""
    swept = "field" if "field" in dataset.dims else "frequency"
    x = dataset[swept].values
    figure = new_figure(6.4, 5.2)
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, name in ((above, "absorption"), (below, "derivative")):
        _curves(axes, dataset, name, swept, x)
        axes.axhline(0.0, color=PALE, linewidth=0.7, zorder=0)
    below.set_xlim(x.min(), x.max())
    below.set_xlabel(_FIELD if swept == "field" else _FREQUENCY)
    above.set_ylabel(label(r"absorption $\chi''$", _PER_TESLA))
    per = r"T$^{-2}$" if swept == "field" else r"T$^{-1}$ GHz$^{-1}$"
    variable = r"$d\chi''/dB$" if swept == "field" else r"$d\chi''/d\nu$"
    below.set_ylabel(label(variable, rf"$\mu_\mathrm{{B}}$ {per}"))
    if "temperature" in dataset.dims:
        figure.legend(loc="outside right upper", title="temperature", alignment="left")
    at = f"{float(dataset['frequency']):.6g} GHz" if swept == "field" else f"{float(dataset['field']):g} T"
    warm = "" if "temperature" in dataset.dims else f", {float(dataset['temperature']):g} K"
    sample = "powder of " if "powder" in dataset.attrs else ""
    above.set_title(f"EPR spectrum of {sample}{system_title(dataset)}, {at}{warm}")
    rule = str(dataset.attrs.get("powder", "")).partition(";")[0]
    note_provenance(figure, dataset, direction_fact(dataset), _microwave(dataset), rule)
    return figure


def _curves(axes: Axes, dataset: xr.Dataset, name: str, swept: str, x: Floats) -> None:
    if "temperature" not in dataset.dims:
        axes.plot(x, dataset[name].values, color=INK)
        return
    temperatures = dataset["temperature"].values
    values = dataset[name].transpose("temperature", swept).values
    ordered = np.argsort(temperatures)
    place = axes.get_subplotspec()
    named = place is None or place.is_first_row()
    for index, colour in zip(ordered, temperature_colours(len(ordered)), strict=True):
        text = f"{temperatures[index]:g} K" if named else None
        axes.plot(x, values[index], color=colour, label=text, linewidth=1.1)


def draw_neutron_spectrum(dataset: xr.Dataset) -> Figure:
    """Draw S(E) in meV, with kelvin above; the elastic line is cut off where it hides the rest."""
    energy = dataset["energy_mev"].values
    figure = new_figure(6.4, 4.2)
    axes = figure.add_subplot()
    _curves(axes, dataset, "intensity_mev", "energy", energy)
    top = _inelastic_top(dataset, energy)
    axes.set_ylim(0.0, 1.12 * top)
    axes.set_xlim(energy.min(), energy.max())
    if energy.min() < 0.0 < energy.max():
        axes.axvline(0.0, color=PALE, linewidth=0.7, zorder=0)
        _say_sides(axes, top < 0.999 * float(dataset["intensity_mev"].max()))
    axes.set_xlabel(label("energy loss of the neutron", "meV"))
    axes.set_ylabel(label("scattering $S(E)$", r"$\mu_\mathrm{B}^2$ meV$^{-1}$"))
    axes.tick_params(top=False, which="both")
    kelvin = axes.secondary_xaxis("top", functions=(_kelvin, _millielectronvolt))
    kelvin.set_xlabel(label("$E/k_\\mathrm{B}$", "K"))
    if "temperature" in dataset.dims:
        figure.legend(loc="outside right upper", title="temperature", alignment="left")
    warm = "" if "temperature" in dataset.dims else f", {float(dataset['temperature']):g} K"
    axes.set_title(f"Neutron scattering of {system_title(dataset)}{warm}", pad=8)
    interference = inputs_of(dataset).get("interference")
    limit = (
        "limit of zero momentum transfer" if interference in (None, "None") else "interference of the ions"
    )
    field = float(dataset["field"])
    note_provenance(figure, dataset, limit, "form factor 1", f"{field:g} T" if field else "")
    return figure


def _say_sides(axes: Axes, cut: bool) -> None:
    """Say on which side neutrons gain and lose energy, and that the elastic line is cut."""
    style: dict[str, Any] = {
        "transform": axes.get_xaxis_transform(),
        "va": "top",
        "color": GREY,
        "fontsize": 7,
    }
    left, right = axes.get_xlim()
    axes.text(left + 0.02 * (right - left), 0.97, "← neutrons gain", ha="left", **style)
    axes.text(right - 0.02 * (right - left), 0.97, "neutrons lose →", ha="right", **style)
    if cut:
        axes.annotate(
            "elastic,\ncut off", (0.0, 0.97), (14, 0), xycoords=axes.get_xaxis_transform(),
            textcoords="offset points", va="top", color=GREY, fontsize=7,
        )  # fmt: skip


def _kelvin(energy: ArrayLike) -> Floats:
    return KELVIN_PER_MILLIELECTRONVOLT * np.asarray(energy, dtype=np.float64)


def _millielectronvolt(energy: ArrayLike) -> Floats:
    return np.asarray(energy, dtype=np.float64) / KELVIN_PER_MILLIELECTRONVOLT


def _inelastic_top(dataset: xr.Dataset, energy: Floats) -> float:
    """Return the largest intensity outside the elastic line, of everything where there is nothing else."""
    values = np.atleast_2d(dataset["intensity_mev"].values).max(axis=0)
    if not energy.min() < 0.0 < energy.max():
        return float(values.max()) or 1.0
    centre = int(np.abs(energy).argmin())
    left, right = centre, centre
    while left > 0 and values[left - 1] <= values[left]:
        left -= 1
    while right < len(values) - 1 and values[right + 1] <= values[right]:
        right += 1
    outside = np.concatenate([values[:left], values[right + 1 :]])
    top = float(outside.max(initial=0.0))
    return top if top > 1e-6 * values.max() else float(values.max()) or 1.0
