"""Spectra as a study asks for them, and a refusal where there is nothing to see."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr

from mesospin.errors import InputError, NoLineWarning
from mesospin.experiment.epr_spectrum import epr_spectrum
from mesospin.experiment.neutron import Interference, neutron_spectrum
from mesospin.experiment.resonance import resonance_fields, resonance_frequencies
from mesospin.model.study import Study


def require_lines(dataset: xr.Dataset) -> xr.Dataset:
    """Return a result of spectroscopy that has a line in its range.

    Raises
    ------
    InputError
        If it has none; the sentence says where the nearest ones lie.
    """
    if "empty" in dataset.attrs:
        raise InputError(str(dataset.attrs["empty"]))
    return dataset


def _of_lines(function: Callable[..., xr.Dataset]) -> Callable[[Study, Mapping[str, Any]], xr.Dataset]:
    def compute(study: Study, _spread: Mapping[str, Any]) -> xr.Dataset:
        arguments = {name: _alone(value) for name, value in study.arguments.items()}
        if "interference" in arguments:
            arguments["interference"] = Interference(**arguments["interference"])
        with warnings.catch_warnings():
            # what is refused need not be warned of too
            warnings.simplefilter("ignore", NoLineWarning)
            dataset = function(study.system, **arguments)
        return require_lines(dataset)

    return compute


def _alone(value: Any) -> Any:
    """Return the value of a series of one."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


SPECTROSCOPY_STUDIES = {
    "resonance-fields": _of_lines(resonance_fields),
    "resonance-frequencies": _of_lines(resonance_frequencies),
    "epr-spectrum": _of_lines(epr_spectrum),
    "neutron-spectrum": _of_lines(neutron_spectrum),
}
"""The experiment of each kind of study."""
