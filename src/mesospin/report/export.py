"""Results as files of other programs: JSON, CSV, and the figure, chosen by the suffix."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import xarray as xr

from mesospin.errors import InputError
from mesospin.figures.plot import plot
from mesospin.figures.style import write_figure
from mesospin.report.content import full_content, json_text
from mesospin.report.formats import check_target
from mesospin.store import save

# The variables that make one long table; the others belong to other dimensions.
_CSV: Final[dict[str, tuple[str, ...]]] = {
    "levels": ("energy", "moment"),
    "crossings": (
        "field", "level_from", "level_to", "label_from", "label_to", "m_from", "m_to", "splitting",
        "log10_splitting", "slope", "zero", "reason",
    ),
    "splitting": ("splitting", "log10_splitting", "error", "field", "slope", "zero", "reason"),
    "relaxation": ("tau", "slowest_rate"),
    "hysteresis": ("magnetisation", "reduced"),
    "sweep": ("field", "magnetisation", "reduced"),
    "validation": ("subject", "source", "theirs", "ours", "unit", "difference", "verdict", "reason"),
}  # fmt: skip


def csv_text(dataset: xr.Dataset) -> str:
    """Return the main variables as one long table, a heading with units above it."""
    names = [name for name in _CSV.get(str(dataset.attrs.get("kind")), ()) if name in dataset.variables]
    if not names:
        raise InputError(
            f"dataset must be of a kind with a table, got {dataset.attrs.get('kind')!r}; use .nc"
        )
    part = dataset[names]
    if "component" in part.dims:
        for component in part["component"].values:
            moment = dataset["moment"].sel(component=component, drop=True)
            part[f"moment_{component}"] = moment
        part = part.drop_vars("moment").drop_dims("component")
    frame = part.to_dataframe() if part.dims else part.expand_dims("row").to_dataframe()
    frame = frame.reset_index().drop(columns=["row", "crossing"], errors="ignore")
    frame.columns = [_heading(dataset, str(name)) for name in frame.columns]
    return str(frame.to_csv(index=False))


def _heading(dataset: xr.Dataset, name: str) -> str:
    source = "moment" if name.startswith("moment_") else name
    unit = str(dataset[source].attrs.get("units", "1")) if source in dataset.variables else "1"
    return name if unit == "1" else f"{name} [{unit}]"


def _write_text(text: Callable[[xr.Dataset], str]) -> Callable[[xr.Dataset, Path], object]:
    def write(dataset: xr.Dataset, path: Path) -> object:
        return path.write_text(text(dataset), encoding="utf-8")

    return write


def _draw(dataset: xr.Dataset, path: Path) -> object:
    return write_figure(plot(dataset), path)


_WRITE: Final[dict[str, Callable[[xr.Dataset, Path], object]]] = {
    ".nc": save,
    ".csv": _write_text(csv_text),
    ".json": _write_text(lambda dataset: json_text(full_content(dataset))),
    ".png": _draw,
    ".svg": _draw,
    ".pdf": _draw,
}


def export(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write a result to a file, in the format that its suffix names, whole or not at all.

    Parameters
    ----------
    dataset : xarray.Dataset
        A result of this package.
    path : str or Path
        Ends in .nc (netCDF, reopens identically), .csv (one long table), .json (everything), .png, .svg
        or .pdf (the figure).

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the suffix is unknown or the folder does not exist.
    """
    target = check_target(path)
    draft = target.with_name(f".{os.getpid()}.part.{target.name}")
    try:
        _WRITE[target.suffix.lower()](dataset, draft)
        draft.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"path must be a file that can be written, got {str(target)!r} ({reason})"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return target
