"""How a result is written down: variables with units, datasets with their provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr


def variable(
    dims: str | Sequence[str], values: Any, units: str, long_name: str
) -> tuple[tuple[str, ...], Any, dict[str, str]]:
    """Return ``(dims, values, attrs)`` for one variable of a dataset.

    Parameters
    ----------
    dims : str or sequence of str
        Names of the dimensions; empty for a scalar.
    values : array-like
        Real numbers, booleans or text; complex numbers are stored as two variables.
    units, long_name : str
        Unit ("1" for a pure number) and the label that a plot shows.
    """
    names = (dims,) if isinstance(dims, str) else tuple(dims)
    return names, values, {"units": units, "long_name": long_name}


def result(
    kind: str,
    system: Any,
    variables: Mapping[str, Any],
    coords: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> xr.Dataset:
    """Return a dataset with the provenance that every result of mesospin carries.

    Parameters
    ----------
    kind : str
        What was computed; `plot` chooses the picture by it.
    system : SpinSystem
        Its ``name`` and ``sources`` are written into the attributes.
    variables, coords : mapping
        Entries made by `variable`.
    inputs : mapping
        Arguments of the call, written as JSON.

    Returns
    -------
    xarray.Dataset
        Attributes ``kind``, ``system``, ``title``, ``sources``, ``inputs``, ``mesospin_version``.
    """
    provenance = {
        "system": system.name,
        "title": system.title or system.name,
        "sources": json.dumps(list(system.sources)),
    }
    return account(kind, variables, coords, inputs).assign_attrs(provenance)


def account(
    kind: str, variables: Mapping[str, Any], coords: Mapping[str, Any], inputs: Mapping[str, Any]
) -> xr.Dataset:
    """Return a dataset of what was measured or fitted, where no spin system is known.

    Parameters
    ----------
    kind, variables, coords, inputs
        As for `result`.

    Returns
    -------
    xarray.Dataset
        Attributes ``kind``, ``inputs``, ``mesospin_version``.
    """
    attrs = {
        "kind": kind,
        "inputs": json.dumps(plain(inputs), sort_keys=True),
        "mesospin_version": _version(),
    }
    return xr.Dataset(dict(variables), coords=dict(coords), attrs=attrs)


@cache
def _version() -> str:
    return version("mesospin")


def plain(value: Any) -> Any:
    """Return ``value`` as JSON types; objects appear as their repr."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        entries = np.asarray(value).tolist() if isinstance(value, np.ndarray) else value
        return [plain(entry) for entry in entries] if isinstance(entries, list | tuple) else entries
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return repr(value)
