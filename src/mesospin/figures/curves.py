"""Curves against temperature and field: values on a grid, colours, axes, titles."""

import re

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mesospin.errors import InputError
from mesospin.figures.style import (
    direction_fact,
    inputs_of,
    label,
    note_provenance,
    system_title,
    temperature_colours,
)

Floats = NDArray[np.float64]
Colour = str | tuple[float, float, float, float]

FIELD = label(r"magnetic field $\mu_0 H$", "T")
TEMPERATURE = label("temperature $T$", "K")
_MOST_CURVES = 8
_DECADE = 8.0
"""Ratio of the temperatures from which their axis is logarithmic."""


def on_grid(dataset: xr.Dataset, name: str) -> tuple[Floats, Floats, Floats]:
    """Return values (temperature, field) and the two coordinates, whichever were single numbers.

    Raises
    ------
    InputError
        If the values have other dimensions.
    """
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


def coloured(coordinate: Floats) -> list[tuple[int, Colour]]:
    """Return indices of at most eight values, spread evenly and ascending, each with its colour."""
    count = len(coordinate)
    order = np.argsort(coordinate, kind="stable")
    places = sorted(set(np.linspace(0, count - 1, min(count, _MOST_CURVES)).round().astype(int).tolist()))
    chosen = [int(order[place]) for place in places]
    return list(zip(chosen, temperature_colours(len(chosen)), strict=True))


def temperature_axis(axes: Axes, T: Floats) -> None:
    """Label the axis of temperatures; it is logarithmic where they span a decade."""
    axes.set_xlabel(TEMPERATURE)
    if T.max() >= _DECADE * T.min():
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    if len(T) > 1:
        axes.set_xlim(float(T.min()), float(T.max()))


def at_field(B: Floats) -> str:
    """Return the field for a title, empty where there are several."""
    return f", {B[0]:g} T" if len(B) == 1 else ""


def title(figure: Figure, axes: Axes, dataset: xr.Dataset, what: str, fact: str = "") -> None:
    """Write the title, and below the picture what acted on the sample."""
    powder = str(dataset.attrs.get("powder", ""))
    kind = " powder" if powder else ""
    axes.set_title(f"{what} of {system_title(dataset)}{kind}{fact}")
    inputs = inputs_of(dataset)
    facts = [_short(inputs[name]) for name in ("mean_field", "demagnetisation") if name in inputs]
    if inputs.get("tip"):
        facts.append(f"TIP {inputs['tip']:g} cm³/mol")
    note_provenance(figure, dataset, direction_fact(dataset), powder.partition(";")[0], *facts)


def _short(text: str) -> str:
    """Return a text with four digits of every number in it."""
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.4g}", text)
