"""What a result says, as JSON: the summary for readers and the full content for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesospin.report.tables import tables

if TYPE_CHECKING:
    import xarray as xr


def plain_json(value: Any) -> Any:
    """Return a value of JSON types only; what is not a finite number becomes null.

    Examples
    --------
    >>> import numpy as np
    >>> plain_json({"tau": np.array([1.0, np.nan]), "zero": np.bool_(True)})
    {'tau': [1.0, None], 'zero': True}
    """
    if isinstance(value, Mapping):
        return {str(key): plain_json(entry) for key, entry in value.items()}
    if hasattr(value, "tolist"):  # arrays and numbers of numpy, which this file does not need to import
        return plain_json(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain_json(entry) for entry in value]
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
