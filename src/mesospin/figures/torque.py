"""Figure of torque magnetometry: torque against the angle of the field, or against its magnitude."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from numpy.typing import ArrayLike, NDArray

from mesospin.constants import AVOGADRO, MU_B_SI
from mesospin.errors import InputError
from mesospin.figures.curves import FIELD, Colour, at_field, coloured, temperature_axis, title
from mesospin.figures.style import INK, PALE, inputs_of, label, new_figure, quiet_zero_line

Floats = NDArray[np.float64]

_TORQUE = label("torque", r"$\mu_\mathrm{B}$ T")
_DIMS = ("temperature", "field", "angle", "component")
_RIGHT_ANGLE = 90.0


def draw_torque(dataset: xr.Dataset) -> Figure:
    """Draw the torque about the normal against the angle, or the largest component against the field.

    At several fields and temperatures: every field at the lowest temperature on the left, every
    temperature at the highest field on the right.
    """
    values, what, T, B, angles = _curves(dataset)
    if "angle" in dataset.coords:
        return _draw_against_angle(dataset, values, T, B, angles)
    figure = new_figure(6.4, 4.2)
    axes = figure.add_subplot()
    if len(B) == 1 and len(T) > 1:
        order = np.argsort(T, kind="stable")
        axes.plot(T[order], values[order, 0, 0], color=INK)
        temperature_axis(axes, T)
        fact = at_field(B)
    else:
        order = np.argsort(B, kind="stable")
        for index, colour in coloured(T):
            _line(axes, B[order], values[index, order, 0], colour, f"{T[index]:.3g} K", single=len(T) == 1)
        axes.set_xlabel(FIELD)
        _legend(axes, "temperature", len(T))
        fact = f", {T[0]:g} K" if len(T) == 1 else ""
    axes.axhline(0.0, color=PALE, linewidth=0.7, zorder=0)
    axes.set_ylabel(what)
    _molar_axis(axes)
    title(figure, axes, dataset, "Torque", fact)
    return figure


def _draw_against_angle(dataset: xr.Dataset, values: Floats, T: Floats, B: Floats, angles: Floats) -> Figure:
    two = len(T) > 1 and len(B) > 1
    figure = new_figure(8.6 if two else 6.4, 4.2)
    row = figure.subplots(1, 2 if two else 1, squeeze=False)[0]
    cold, strong = int(np.argmin(T)), int(np.argmax(np.abs(B)))
    if len(B) > 1:
        for index, colour in coloured(B):
            _line(row[0], angles, values[cold, index], colour, f"{B[index]:.4g} T", single=False)
        _legend(row[0], "field", len(B))
    if len(T) > 1 or len(B) == 1:
        for index, colour in coloured(T):
            _line(row[-1], angles, values[index, strong], colour, f"{T[index]:.3g} K", single=len(T) == 1)
        _legend(row[-1], "temperature", len(T))
    for axes in row:
        quiet_zero_line(axes)
        _angle_axis(axes, dataset, angles)
    row[0].set_ylabel(_TORQUE)
    _molar_axis(row[-1])
    fact = f", {T[cold]:.3g} K" if len(T) == 1 or two else ""
    title(figure, row[0], dataset, "Torque", fact + at_field(B))
    if two:
        row[-1].set_title(f"{B[strong]:.4g} T")
    return figure


def _curves(dataset: xr.Dataset) -> tuple[Floats, str, Floats, Floats, Floats]:
    """Return values (temperature, field, angle), their label, temperatures, fields, angles [deg]."""
    extra = [str(dim) for dim in dataset["torque"].dims if dim not in _DIMS]
    if extra:
        raise InputError(
            "dataset must lie on temperatures and fields along one direction or turning in one plane to be "
            f"drawn, got {', '.join(extra)}; draw its variables with matplotlib"
        )
    if "torque_about" in dataset:
        chosen, what = dataset["torque_about"], _TORQUE
    else:
        whole = dataset["torque"].transpose(..., "component")
        largest = int(np.argmax(np.abs(whole.values.reshape(-1, 3)).max(axis=0)))
        chosen = whole.isel(component=largest)
        what = label(rf"torque $\tau_{{{'xyz'[largest]}}}$", r"$\mu_\mathrm{B}$ T")
    for dim in ("temperature", "field", "angle"):
        if dim not in chosen.dims:
            chosen = chosen.expand_dims(dim)
    values = np.asarray(chosen.transpose("temperature", "field", "angle").values, dtype=np.float64)
    T, B = (np.atleast_1d(np.asarray(dataset[name].values, np.float64)) for name in ("temperature", "field"))
    angles = np.atleast_1d(np.asarray(dataset["angle"].values, np.float64)) if "angle" in dataset else B
    return values, what, T, B, np.degrees(angles)


def _line(axes: Axes, x: Floats, y: Floats, colour: Colour, name: str, *, single: bool) -> None:
    axes.plot(x, y, "-" if len(x) > 1 else "o", color=INK if single else colour, label=name)
    if len(x) > 1:
        axes.set_xlim(float(x.min()), float(x.max()))


def _legend(axes: Axes, name: str, count: int) -> None:
    if count > 1:
        axes.legend(title=name, alignment="left")


def _angle_axis(axes: Axes, dataset: xr.Dataset, angles: Floats) -> None:
    inputs = inputs_of(dataset)
    first, second = (_direction(inputs[name]) for name in ("axis", "towards"))
    axes.set_xlabel(label(f"angle of the field from {first} to {second}", "deg"))
    if np.ptp(angles) >= _RIGHT_ANGLE:
        axes.xaxis.set_major_locator(MultipleLocator(30.0 if np.ptp(angles) <= 4 * _RIGHT_ANGLE else 90.0))


def _direction(vector: list[float]) -> str:
    """Return x, y, z or the three components."""
    for k, name in enumerate("xyz"):
        if np.allclose(vector, np.eye(3)[k]):
            return name
    return "(" + ", ".join(f"{component:.3g}" for component in vector) + ")"


def _molar_axis(axes: Axes) -> None:
    right = axes.secondary_yaxis("right", functions=(_to_molar, _from_molar))
    right.set_ylabel(label("molar torque", r"J mol$^{-1}$"))
    axes.tick_params(right=False, which="both")


def _to_molar(value: ArrayLike) -> Floats:
    return np.asarray(value, dtype=np.float64) * AVOGADRO * MU_B_SI


def _from_molar(value: ArrayLike) -> Floats:
    return np.asarray(value, dtype=np.float64) / (AVOGADRO * MU_B_SI)
