"""The look of every figure: sizes, colours, labels with units, the line of provenance."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mesospin.errors import InputError

STYLE: Final[dict[str, Any]] = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.grid": False,
    "axes.axisbelow": True,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "ytick.right": True,
}
"""Settings in force while a figure is drawn; the caller's own settings are left as they were."""

GREY: Final = "#8a8a8a"
PALE: Final = "#d9d9d9"
INK: Final = "#222222"
ACCENT: Final = "#b5367a"

# Blue and orange stay apart for every kind of colour vision; the middle is dark enough for white paper.
MOMENT_MAP: Final = LinearSegmentedColormap.from_list("moment", ["#1f5fa8", "#8b8b8b", "#d1600a"])

_UNIT_TEXT: Final[dict[str, str]] = {
    "mu_B": r"$\mu_\mathrm{B}$",
    "1/s": r"s$^{-1}$",
    "K/T": r"K T$^{-1}$",
    "1": "",
}
_SUFFIXES: Final = (".png", ".svg", ".pdf")


def new_figure(width: float = 6.8, height: float = 4.4) -> Figure:
    """Return an empty figure [inches] that no window system and no global state knows of."""
    figure = Figure(figsize=(width, height), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def temperature_colours(count: int) -> list[tuple[float, float, float, float]]:
    """Return `count` colours from cold (dark blue) to hot (orange), also apart in grey print.

    Examples
    --------
    >>> len(temperature_colours(3))
    3
    """
    positions = 0.86 * np.linspace(0.0, 1.0, count) ** 0.8 if count > 1 else np.array([0.1])
    return [tuple(mpl.colormaps["plasma"](position)) for position in positions]


def label(name: str, units: str) -> str:
    """Return the label of an axis: what is drawn, and its unit in brackets.

    Examples
    --------
    >>> label("energy $E/k_B$", "K"), label("relaxation rate", "1/s"), label("$M/M_s$", "1")
    ('energy $E/k_B$ (K)', 'relaxation rate (s$^{-1}$)', '$M/M_s$')
    """
    unit = _UNIT_TEXT.get(units, units)
    return f"{name} ({unit})" if unit else name


def label_of(variable: xr.DataArray) -> str:
    """Return the label of an axis that shows a variable, from its own attributes."""
    return label(str(variable.attrs.get("long_name", variable.name)), str(variable.attrs.get("units", "1")))


def inputs_of(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the arguments that a result notes in its attributes."""
    inputs: dict[str, Any] = json.loads(dataset.attrs.get("inputs", "{}"))
    return inputs


def system_title(dataset: xr.Dataset) -> str:
    """Return the name of the system for a title: what its own title says before the first comma."""
    return str(dataset.attrs.get("title") or dataset.attrs.get("system", "")).partition(",")[0]


def rate_text(rate: float) -> str:
    """Return a sweep rate [T/s] with a handy unit.

    Examples
    --------
    >>> rate_text(3e-3), rate_text(140.0), rate_text(4e-6)
    ('3 mT/s', '140 T/s', '4 µT/s')
    """
    for factor, unit in ((1.0, "T/s"), (1e-3, "mT/s")):
        if abs(rate) >= factor:
            return f"{rate / factor:.4g} {unit}"
    return f"{rate / 1e-6:.4g} µT/s"


def note_provenance(figure: Figure, dataset: xr.Dataset, *facts: str) -> None:
    """Write the origin of the numbers, small, below the picture."""
    origin = f"mesospin {dataset.attrs.get('mesospin_version', '')}".strip()
    figure.supxlabel(
        " · ".join([origin, *(fact for fact in facts if fact)]), fontsize=6.5, color=GREY, x=0.01, ha="left"
    )


def direction_fact(dataset: xr.Dataset) -> str:
    """Return how the field was applied, empty for a field along z alone."""
    inputs = inputs_of(dataset)
    facts = []
    axis = inputs.get("axis")
    if axis and list(axis) != [0.0, 0.0, 1.0]:
        facts.append("field along (" + ", ".join(f"{component:g}" for component in axis) + ")")
    transverse = inputs.get("transverse")
    if transverse and any(transverse):
        facts.append("transverse field (" + ", ".join(f"{component:g}" for component in transverse) + ") T")
    return ", ".join(facts)


def along_axis(dataset: xr.Dataset, moment: xr.DataArray) -> NDArray[np.float64]:
    """Return the component of a moment along the direction of the field."""
    axis = np.asarray(inputs_of(dataset).get("axis", (0.0, 0.0, 1.0)), dtype=np.float64)
    unit = axis / np.linalg.norm(axis)
    return np.asarray(moment.transpose(..., "component").values @ unit, dtype=np.float64)


def spread_labels(positions: Sequence[float], distance: float) -> list[int]:
    """Return indices of positions, the first always, that keep `distance` from the last one kept.

    Examples
    --------
    >>> spread_labels([0.0, 0.1, 0.5], 0.3)
    [0, 2]
    """
    kept: list[int] = []
    for index in np.argsort(positions, kind="stable"):
        if not kept or positions[index] - positions[kept[-1]] >= distance:
            kept.append(int(index))
    return kept


def quiet_zero_line(axes: Axes) -> None:
    """Draw the two lines through the origin behind everything."""
    axes.axhline(0.0, color=PALE, linewidth=0.7, zorder=0)
    axes.axvline(0.0, color=PALE, linewidth=0.7, zorder=0)


def write_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG, SVG or PDF, the same bytes every time.

    Parameters
    ----------
    figure : Figure
        What `plot` returned.
    path : str or Path
        Ends in .png, .svg or .pdf.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the suffix is another one.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in _SUFFIXES:
        raise InputError(f"path must end in {', '.join(_SUFFIXES)} for a figure, got {target.name!r}")
    dated = {".png": {"Software": "mesospin"}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with mpl.rc_context({"svg.hashsalt": "mesospin"}):
        figure.savefig(target, format=suffix[1:], dpi=200, metadata=dated[suffix])
    return target
