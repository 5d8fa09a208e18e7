"""Fits as a study or a command line asks for them: files become data, numbers become arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from mesospin.measured.curie_weiss import fit_curie_weiss
from mesospin.measured.data import Data
from mesospin.measured.hamiltonian.fit import fit_hamiltonian
from mesospin.measured.text_files.any_file import read_data
from mesospin.model.study import Study
from mesospin.results import plain
from mesospin.thermo.molecular_field import MeanField


def fit_study(study: Study, spread: Mapping[str, Any]) -> xr.Dataset:
    """Return the fit that a study asks for; files are sought from the folder of the study."""
    arguments = dict(study.arguments)
    asked = arguments.pop("data")
    sets: list[Data] = [entry for table in asked for entry in read_data(**_options(study, table))]
    if "mean_field" in arguments:
        arguments["mean_field"] = MeanField(**arguments["mean_field"])
    assert study.system is not None
    fit = fit_hamiltonian(sets, study.system, progress=spread["progress"], **arguments)
    return _with_files(fit, [dict(table) for table in asked])


def curie_weiss_study(study: Study, _spread: Mapping[str, Any]) -> xr.Dataset:
    """Return the Curie-Weiss fit that a study asks for."""
    arguments = dict(study.arguments)
    names = ("file", "format", "B", "T", "sigma")
    table: dict[str, Any] = {key: arguments.pop(key) for key in names if key in arguments}
    sets = read_data(**_options(study, table), powder=5)
    return _with_files(fit_curie_weiss(sets, **arguments), [table])


def _options(study: Study, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `read_data` takes, with the path of the file."""
    folder = Path() if study.path is None else study.path.parent
    options = {key: value for key, value in table.items() if key != "file"}
    return {"path": folder / table["file"], **options}


def _with_files(fit: xr.Dataset, files: list[dict[str, Any]]) -> xr.Dataset:
    """Return a fit that names the files of its data among its inputs."""
    inputs = json.loads(fit.attrs["inputs"]) | {"data": plain(files)}
    return fit.assign_attrs(inputs=json.dumps(inputs, sort_keys=True))
