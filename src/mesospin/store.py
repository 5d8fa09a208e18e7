"""Results as netCDF files that reopen identically."""

import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from mesospin.errors import InputError

_TEXT_DTYPE: Final = "mesospin_text_dtype"
_NETCDF_HINT: Final = "give a file that mesospin.save wrote"


def save(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write a result to a netCDF file, whole or not at all.

    Parameters
    ----------
    dataset : xarray.Dataset
        Real numbers, booleans and text; attributes are text or single numbers.  Complex
        quantities are stored as two variables, ``name_re`` and ``name_im``.
    path : str or Path
        File to write; an existing one is replaced in one step.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    InputError
        If the folder does not exist, or the dataset holds something that netCDF cannot
        give back unchanged (complex numbers, objects, None).

    Examples
    --------
    >>> import tempfile
    >>> result = xr.Dataset({"tau": ("temperature", [2.5, 0.1], {"units": "s"})})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = save(result, f"{folder}/tau.nc")
    ...     open_result(file).identical(result)
    True
    """
    if not isinstance(dataset, xr.Dataset):
        raise InputError(f"dataset must be an xarray Dataset, got {type(dataset).__name__}")
    target = _target(path)
    prepared = _storable(dataset)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        prepared.to_netcdf(draft, engine="h5netcdf", format="NETCDF4")
        draft.replace(target)
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        raise InputError(f"{str(target)!r} could not be written: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def open_result(path: str | Path) -> xr.Dataset:
    """Read a result that `save` wrote, identical to the one that was saved.

    Parameters
    ----------
    path : str or Path
        A netCDF file.

    Returns
    -------
    xarray.Dataset
        In memory; the file is closed again.

    Raises
    ------
    InputError
        If the file is missing or is not a netCDF file.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"path must name an existing file, got {str(path)!r}")
    try:
        with xr.open_dataset(file, engine="h5netcdf") as opened:
            dataset = opened.load()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{str(path)!r} is not a netCDF file; {_NETCDF_HINT}") from error
    return _restored(dataset)


def _target(path: str | Path) -> Path:
    target = Path(path)
    if target.is_dir():
        raise InputError(f"path must name a file, got the folder {str(path)!r}")
    if not target.parent.is_dir():
        raise InputError(f"path must lie in an existing folder, got {str(path)!r}; create the folder first")
    return target


def _storable(dataset: xr.Dataset) -> xr.Dataset:
    """Return a copy in which text notes its width, after refusing what netCDF would change."""
    _check_attributes("dataset", dataset.attrs)
    prepared = dataset.copy()
    for name, variable in prepared.variables.items():
        _check_attributes(str(name), variable.attrs)
        _check_values(str(name), variable)
        variable.encoding.clear()
        if variable.dtype.kind not in "biuf":
            variable.attrs[_TEXT_DTYPE] = _text_dtype(variable).str
    return prepared


def _check_attributes(owner: str, attributes: dict[Any, Any]) -> None:
    for name, value in attributes.items():
        number = isinstance(value, int | float | np.integer | np.floating)
        if not (isinstance(value, str) or number) or isinstance(value, bool):
            raise InputError(
                f"attribute {name!r} of {owner} must be text or a number, got "
                f"{type(value).__name__}; write it as text, for example with json.dumps"
            )


def _check_values(name: str, variable: xr.Variable) -> None:
    kind = variable.dtype.kind
    if kind == "c":
        raise InputError(
            f"variable {name!r} must be real, got complex numbers; store {name}_re and {name}_im"
        )
    if kind in "biufUT":
        return
    texts = all(isinstance(item, str) for item in np.asarray(variable.values, object).flat)
    if kind != "O" or not texts:
        raise InputError(
            f"variable {name!r} must hold numbers, booleans or text, got {variable.dtype}; "
            "leave it out or write it as text"
        )


def _text_dtype(variable: xr.Variable) -> np.dtype[Any]:
    fixed_width = variable.dtype.kind == "U"
    return np.dtype(variable.dtype if fixed_width else np.asarray(variable.values, dtype=str).dtype)


def _restored(dataset: xr.Dataset) -> xr.Dataset:
    """Return the dataset with fixed-width text and plain attributes again."""
    restored = dataset
    for name, variable in dataset.variables.items():
        if _TEXT_DTYPE not in variable.attrs:
            continue
        attributes = dict(variable.attrs)
        values = np.asarray(variable.values).astype(attributes.pop(_TEXT_DTYPE))
        text = xr.Variable(variable.dims, values, attributes)
        is_coordinate = name in dataset.coords
        restored = restored.assign_coords({name: text}) if is_coordinate else restored.assign({name: text})
    for attributes in (restored.attrs, *(v.attrs for v in restored.variables.values())):
        for name, value in attributes.items():
            if isinstance(value, np.generic):
                attributes[name] = value.item()
    return restored
