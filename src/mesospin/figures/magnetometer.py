"""Figure of what a magnetometer has measured: ac curves, or moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mesospin.figures.ac import draw_ac_points, dropped_fact, measured_title
from mesospin.figures.isotherms import FIELD, TEMPERATURE, clusters
from mesospin.figures.style import INK, PALE, label, new_figure, note_provenance, temperature_colours

Floats = NDArray[np.float64]

_SERIES: Final = 10
_FEW: Final = 4
"""Points of one temperature and field from which the time is what varies."""
_MANY: Final = 400
_UNITS: Final = {"mu_B": r"$\mu_\mathrm{B}$"}


def draw_magnetometer(dataset: xr.Dataset, theory: Sequence[xr.Dataset] = ()) -> Figure:
    """Draw ac susceptibilities; of a file without them, moments against what varies."""
    kinds = sorted(set(dataset["measurement"].values.astype(str).tolist()))
    if "ac" in kinds:
        return draw_ac_points(dataset, theory)
    figure = new_figure(6.8, 0.4 + 4.0 * len(kinds))
    for axes, kind in zip(figure.subplots(len(kinds), squeeze=False)[:, 0], kinds, strict=True):
        _draw_moments(axes, dataset, np.flatnonzero(dataset["measurement"].values.astype(str) == kind))
        axes.set_title(f"{measured_title(dataset)}: {kind}")
    note_provenance(figure, dataset, dropped_fact(dataset))
    return figure


def _draw_moments(axes: Axes, dataset: xr.Dataset, chosen: NDArray[np.intp]) -> None:
    known = "magnetisation" in dataset and bool(np.isfinite(dataset["magnetisation"].values[chosen]).any())
    name = "magnetisation" if known else "moment"
    moment = dataset[name].values[chosen]
    T, B = dataset["temperature"].values[chosen], dataset["field"].values[chosen]
    T_of, temperatures = clusters(T, 0.05)
    B_of, fields = clusters(B, 1e-3)
    against = _varying(dataset, chosen, len(temperatures), len(fields))
    x = {"temperature": T, "field": B}.get(against)
    series, values, unit = (T_of, temperatures, "K") if against == "field" else (B_of, fields, "T")
    text = {"temperature": TEMPERATURE, "field": FIELD}.get(against, label("time", "s"))
    if x is None:
        x = dataset["time"].values[chosen] - np.nanmin(dataset["time"].values[chosen])
        if len(temperatures) > len(fields):
            series, values, unit = T_of, temperatures, "K"
    colours: list[Any] = temperature_colours(len(values)) if len(values) > 1 else [INK]
    step = -(-len(values) // _SERIES)
    for k, value in enumerate(values):
        own = series == k
        named = f"{value:.4g} {unit}" if k % step == 0 else None
        axes.plot(
            x[own], moment[own], "o", ms=2.8, color=colours[k], label=named,
            alpha=0.8 if len(chosen) < _MANY else 0.5, mew=0,
        )  # fmt: skip
    axes.axhline(0.0, color=PALE, linewidth=0.7, zorder=0)
    units = str(dataset[name].attrs["units"])
    axes.set_xlabel(text)
    axes.set_ylabel(label(name, _UNITS.get(units, units)))
    if len(values) > 1:
        axes.legend(fontsize=7.5, loc="best", ncols=2 if len(values) > 6 else 1)


def _varying(dataset: xr.Dataset, chosen: NDArray[np.intp], temperatures: int, fields: int) -> str:
    """Return whether temperature, field or only the time varies."""
    isotherms = len(np.unique(dataset["isotherm_of"].values[chosen]))
    if "time" in dataset and len(chosen) > _FEW * isotherms:
        return "time"
    return "field" if fields > temperatures else "temperature"
