"""Results as files of other programs: JSON, CSV, and the figure, chosen by the suffix."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import xarray as xr

from mesospin.errors import InputError
from mesospin.figures.plot import plot
from mesospin.figures.style import write_figure
from mesospin.report.content import full_content, json_text
from mesospin.report.formats import check_target
from mesospin.store import save

_COMPONENTS: Final = ("principal", "component", "field_component")
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
    "doublets": ("energy", "wavenumber", "gap", "g", "g_axis", "g_sign", "g_error", "tilt", "composition"),
    "sweep": ("field", "magnetisation", "reduced"),
    "validation": ("subject", "source", "theirs", "ours", "unit", "difference", "verdict", "reason"),
}  # fmt: skip


def csv_text(dataset: xr.Dataset) -> str:
    """Return the main variables as one long table, a heading with units above it.

    Vectors and tensors have a column for every component.  Of a kind that is not listed the variables that
    share the dimensions of the first one are written.
    """
    if "kind" not in dataset.attrs or not dataset.data_vars:
        raise InputError(
            f"dataset must be of a kind with a table, got {dataset.attrs.get('kind')!r}; use .nc"
        )
    listed = [name for name in _CSV.get(str(dataset.attrs["kind"]), ()) if name in dataset.variables]
    flat = _by_component(dataset[listed] if listed else dataset)
    first = next(iter(flat.data_vars.values()), None)
    dims = set() if first is None else set(first.dims)
    part = flat if listed else flat[[name for name in flat.data_vars if set(flat[name].dims) == dims]]
    if not part.dims:
        part = part.expand_dims("row")
    order = [dim for dim in dataset.dims if dim in part.dims] + [dim for dim in part.dims if dim == "row"]
    frame = part.to_dataframe(dim_order=order)
    frame = frame.reset_index().drop(columns=["row", "crossing"], errors="ignore")
    frame.columns = [_heading(part, str(name)) for name in frame.columns]
    return str(frame.to_csv(index=False))


def _by_component(dataset: xr.Dataset) -> xr.Dataset:
    """Return the variables with those along x, y, z as variables of their own: moment_x, chi_xy."""
    flat: dict[str, xr.DataArray] = {}
    for name, values in dataset.data_vars.items():
        parts = {str(name): values}
        for dim in (dim for dim in _COMPONENTS if dim in values.dims):
            mark = "" if dim == _COMPONENTS[-1] else "_"
            parts = {
                f"{key}{mark}{one}": part.sel({dim: one}, drop=True)
                for key, part in parts.items()
                for one in part[dim].values
            }
        flat |= parts
    return xr.Dataset(flat)


def _heading(dataset: xr.Dataset, name: str) -> str:
    unit = str(dataset[name].attrs.get("units", "1")) if name in dataset.variables else "1"
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
_PICTURES: Final = (".png", ".svg", ".pdf")


def export(dataset: xr.Dataset, path: str | Path, *, theory: xr.Dataset | Sequence[xr.Dataset] = ()) -> Path:
    """Write a result to a file, in the format that its suffix names, whole or not at all.

    Parameters
    ----------
    dataset : xarray.Dataset
        A result of this package.
    path : str or Path
        Ends in .nc (netCDF, reopens identically), .csv (one long table), .json (everything), .png, .svg
        or .pdf (the figure).
    theory : xarray.Dataset or sequence of them, optional
        Results drawn dashed in a figure, as in `plot`; other formats do not hold them.

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
        if theory and target.suffix.lower() in _PICTURES:
            write_figure(plot(dataset, theory=theory), draft)
        else:
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
