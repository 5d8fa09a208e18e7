"""Fits of measured relaxation as a study asks for them: files become data, names become models."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import xarray as xr

from mesospin.errors import InputError
from mesospin.measured.magnetometer.read import read_magnetometer
from mesospin.measured.relaxation.compare_rates import compare_rates
from mesospin.measured.relaxation.fit_ac import fit_ac
from mesospin.measured.relaxation.fit_decay import fit_decay
from mesospin.measured.relaxation.fit_rates import fit_rates
from mesospin.measured.relaxation.joint_ac import fit_ac_jointly
from mesospin.measured.relaxation.names import ac_model, decay_model, rate_law
from mesospin.measured.relaxation.rate_file import read_rates
from mesospin.measured.relaxation.square_root import fit_square_root
from mesospin.measured.relaxation.waveform import waveform_susceptibility
from mesospin.model.study import Study
from mesospin.results import plain
from mesospin.store import open_result

_READ: Final = (
    "mass", "molar_mass", "diamagnetism", "eicosane_mass", "holder", "habit", "B", "temperature_tolerance",
    "field_tolerance",
)  # fmt: skip
_OF_LAW: Final = ("fixed", "shared", "starts", "seed")


def _fit_ac(study: Study, _spread: Mapping[str, Any]) -> xr.Dataset:
    """Return the fit of every isotherm; with a law, the fit of the law to all of them at once."""
    arguments = dict(study.arguments)
    model = ac_model(arguments.pop("model", "generalised-debye"))
    law = arguments.pop("law", None)
    waveform, period = arguments.pop("waveform", False), arguments.pop("period", None)
    if period is not None and not waveform:
        raise InputError("period must be given with waveform = true only; leave it out")
    _refuse_without(law, "law", arguments, _OF_LAW)
    if law is not None and "largest_error" in arguments:
        raise InputError("largest_error must be given without a law, which has no time of its own to refuse")
    rates = None if law is None else rate_law(law)
    data = _data(study, arguments, measurement="waveform" if waveform else None)
    if waveform:
        data = waveform_susceptibility(data, period=period)
    fit = (
        fit_ac(data, model, **arguments) if rates is None else fit_ac_jointly(data, rates, model, **arguments)
    )
    return _with_file(fit, study)


def _fit_decay(study: Study, _spread: Mapping[str, Any]) -> xr.Dataset:
    arguments = dict(study.arguments)
    model = decay_model(arguments.pop("model", "stretched-exponential"))
    square_root = arguments.pop("square_root", False)
    if square_root and not set(arguments) <= {"file", "window", "origin", *_READ}:
        raise InputError("square_root must be used without equilibrium and largest_error; leave them out")
    if square_root and "window" not in arguments:
        raise InputError('window must be given with square_root, got none; write ["0 s", "100 s"]')
    data = _data(study, arguments)
    if square_root:
        return _with_file(fit_square_root(data, arguments.pop("window"), **arguments), study)
    return _with_file(fit_decay(data, model, **arguments), study)


def _fit_rates(study: Study, _spread: Mapping[str, Any]) -> xr.Dataset:
    """Return the fit of a law, or laws weighed against each other."""
    arguments = dict(study.arguments)
    file = _path(study, arguments.pop("file"))
    law, others = arguments.pop("law", None), arguments.pop("compare", ())
    if (law is None) == (not others):
        raise InputError(
            'law must be one text, or compare a list of them, got both or none; write law = "orbach"'
        )
    laws = [rate_law(text) for text in (others or (law,))]
    if others and "fixed" in arguments:
        raise InputError("fixed must be given with a single law; leave it out")
    data = open_result(file) if file.suffix.lower() == ".nc" else read_rates(file)
    fit = compare_rates(data, laws, **arguments) if others else fit_rates(data, laws[0], **arguments)
    return _with_file(fit, study)


def _data(study: Study, arguments: dict[str, Any], measurement: str | None = None) -> xr.Dataset:
    """Return the content of the study's file, and take from the arguments what reading it needs."""
    file = _path(study, arguments.pop("file"))
    given: dict[str, Any] = {name: arguments.pop(name) for name in _READ if name in arguments}
    if file.suffix.lower() == ".nc":
        _refuse_without(None, "an instrument's file", given, _READ)
        return open_result(file)
    return read_magnetometer(file, measurement=measurement, **given)


def _refuse_without(wanted: Any, what: str, arguments: Mapping[str, Any], names: tuple[str, ...]) -> None:
    wrong = [name for name in names if name in arguments]
    if wanted is None and wrong:
        raise InputError(f"{wrong[0]} must be given with {what}, got none; leave it out")


def _path(study: Study, file: str) -> Path:
    """Return a file as seen from the folder of the study."""
    return (Path() if study.path is None else study.path.parent) / file


def _with_file(fit: xr.Dataset, study: Study) -> xr.Dataset:
    """Return a fit that names its file among its inputs."""
    inputs = json.loads(fit.attrs["inputs"]) | {"file": plain(study.arguments["file"])}
    return fit.assign_attrs(inputs=json.dumps(inputs, sort_keys=True))


RELAXATION_STUDIES: Final[dict[str, Callable[[Study, Mapping[str, Any]], xr.Dataset]]] = {
    "fit-ac": _fit_ac,
    "fit-decay": _fit_decay,
    "fit-rates": _fit_rates,
}
"""The experiment of each kind of study."""
