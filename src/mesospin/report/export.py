"""Results as files of other programs: JSON, CSV, and the figure, chosen by the suffix."""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from mesospin.errors import InputError
from mesospin.figures.plot import plot
from mesospin.figures.style import write_figure
from mesospin.report.tables import tables
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
}  # fmt: skip


def plain_json(value: Any) -> Any:
    """Return a value of JSON types only; what is not a finite number becomes null.

    Examples
    --------
    >>> plain_json({"tau": np.array([1.0, np.nan]), "zero": np.bool_(True)})
    {'tau': [1.0, None], 'zero': True}
    """
    if isinstance(value, Mapping):
        return {str(key): plain_json(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return plain_json(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain_json(entry) for entry in value]
    if isinstance(value, np.generic):
        return plain_json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_text(value: Any) -> str:
    """Return strict JSON, which knows neither NaN nor infinity."""
    return json.dumps(plain_json(value), indent=1, ensure_ascii=False, allow_nan=False)


def summary(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the numbers that a reader wants from a result, with units and provenance.

    Parameters
    ----------
    dataset : xarray.Dataset
        A result of this package.

    Returns
    -------
    dict
        ``kind``, ``system``, ``mesospin_version``, ``inputs``, ``sources``, one list of records per table
        (``loops``, ``steps``, ``crossings``, ...) and ``units`` of their columns.

    Examples
    --------
    >>> import mesospin as ms
    >>> facts = summary(ms.levels(ms.giant_spin(1, D=-1.0), B=0.0))
    >>> [record["energy"] for record in facts["levels"]], facts["units"]["energy"]
    ([-1.0, -1.0, 0.0], 'K')
    """
    content = _provenance(dataset)
    units: dict[str, str] = {}
    for table in tables(dataset):
        content[table.key] = table.records()
        units |= table.units()
    content["units"] = units
    plain: dict[str, Any] = plain_json(content)
    return plain


def full_content(dataset: xr.Dataset) -> dict[str, Any]:
    """Return everything in a result as JSON types: the summary's provenance and all variables."""
    content = _provenance(dataset)
    content["variables"] = {
        str(name): {
            "dims": list(variable.dims),
            "units": variable.attrs.get("units", "1"),
            "long_name": variable.attrs.get("long_name", str(name)),
            "values": variable.values,
        }
        for name, variable in dataset.variables.items()
    }
    plain: dict[str, Any] = plain_json(content)
    return plain


def _provenance(dataset: xr.Dataset) -> dict[str, Any]:
    content = {
        key: dataset.attrs[key] for key in ("kind", "system", "mesospin_version") if key in dataset.attrs
    }
    for key in ("inputs", "sources"):
        content[key] = json.loads(dataset.attrs.get(key, "null"))
    return content


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


def check_target(path: str | Path) -> Path:
    """Return the path if `export` can write it, so that a long run is refused before it starts."""
    target = Path(path)
    if target.suffix.lower() not in _WRITE:
        raise InputError(f"path must end in one of {', '.join(_WRITE)}, got {target.name!r}; name the format")
    if not target.parent.is_dir():
        raise InputError(f"path must lie in an existing folder, got {str(path)!r}; create the folder first")
    if target.is_dir():
        raise InputError(f"path must name a file, got the folder {str(path)!r}")
    return target
