"""A study from its file to its folder of results."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import xarray as xr

from mesospin.dynamics.methods import Exact, RateEquations
from mesospin.dynamics.protocols import ConstantField, FieldSteps, FieldSweep, HalfSinePulse, Protocol
from mesospin.errors import InputError
from mesospin.experiment.ac.ac_susceptibility import ac_susceptibility
from mesospin.experiment.blocking import blocking_temperature
from mesospin.experiment.decay import decay
from mesospin.experiment.hysteresis import hysteresis
from mesospin.experiment.particles.particle import LogNormalSpread, Particle
from mesospin.experiment.particles.switching import switching_fields
from mesospin.experiment.relaxation import relaxation_rates
from mesospin.experiment.splittings.quantum_objects import quantum_objects
from mesospin.experiment.splittings.splitting_distribution import splitting_distribution
from mesospin.experiment.sweep import sweep
from mesospin.experiment.zero_field_cooled import zfc_fc
from mesospin.figures.plot import plot
from mesospin.figures.style import write_figure
from mesospin.model.study import Study, read_study
from mesospin.report.content import json_text, summary
from mesospin.report.fitting import curie_weiss_study, fit_study
from mesospin.report.page import report_page, versions
from mesospin.report.relaxation import RELAXATION_STUDIES
from mesospin.report.spectroscopy import SPECTROSCOPY_STUDIES
from mesospin.scale import Progress
from mesospin.spectrum.clock_transitions import clock_transitions
from mesospin.spectrum.crossings import crossings
from mesospin.spectrum.doublets import doublets
from mesospin.spectrum.interference.diabolical import diabolical_points
from mesospin.spectrum.interference.splitting_map import splitting_map
from mesospin.spectrum.levels import levels
from mesospin.spectrum.tunnelling.choice import splitting_method
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting
from mesospin.spectrum.wells.double_well import double_well
from mesospin.spectrum.wells.wave_functions import tunnelling_pair
from mesospin.store import save
from mesospin.thermo.heat import entropy, free_energy, heat_capacity
from mesospin.thermo.magnetisation import magnetisation
from mesospin.thermo.molecular_field import Demagnetisation, MeanField
from mesospin.thermo.susceptibility import susceptibility
from mesospin.thermo.torque import torque

_PROTOCOLS: Final[dict[str, Callable[[Mapping[str, Any]], Protocol]]] = {
    "linear": lambda entry: FieldSweep(*entry["span"], rate=entry["rate"]),
    "steps": lambda entry: FieldSteps(entry["fields"], entry["durations"]),
    "half-sine": lambda entry: HalfSinePulse(entry["peak"], duration=entry["duration"]),
    "constant": lambda entry: ConstantField(entry["field"], duration=entry["duration"]),
}
_Experiment = Callable[[Study, Mapping[str, Any]], xr.Dataset]
_METHODS: Final[dict[str, Callable[[], Any]]] = {"exact": Exact, "rate-equations": RateEquations}


def run(
    study: str | Path | Study,
    *,
    out: str | Path | None = None,
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute a study and write its folder of results.

    The folder holds ``result.nc`` (reopens identically), ``figure.png`` and ``figure.svg``, ``report.html``
    (one file with figure, tables, inputs and provenance) and ``summary.json`` (the numbers that a reader
    wants).

    Parameters
    ----------
    study : str, Path or Study
        Study file, or what `read_study` made of it.
    out : str or Path, optional
        Folder of results; ``results/<name of the study>`` in the working directory if omitted.
    workers : int, default 1
        Processes that share the work; the numbers do not depend on it.
    cluster : str, optional
        Address of a Dask scheduler that takes the place of `workers`.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    xarray.Dataset
        The result.

    Raises
    ------
    InputError
        If the study is wrong or the folder cannot be written; nothing has been computed or written then.

    Notes
    -----
    Files are written into a folder beside the target and moved when all are complete.  A run that was
    interrupted keeps its finished parts in ``<out>/.checkpoint`` and goes on from there.
    """
    asked = study if isinstance(study, Study) else read_study(study)
    target = results_folder(asked, out)
    checkpoint = target / ".checkpoint"
    _require_writable(target)
    spread = {"workers": workers, "cluster": cluster, "progress": progress, "checkpoint": checkpoint}
    dataset = _EXPERIMENTS[asked.kind](asked, spread)
    dataset.attrs["study"] = asked.name
    _write_results(dataset, asked, target)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return dataset


def results_folder(study: Study, out: str | Path | None = None) -> Path:
    """Return the folder that `run` writes for a study."""
    return Path(out) if out is not None else Path("results") / study.name


def _of_system(function: Callable[..., xr.Dataset]) -> _Experiment:
    """Return the experiment that passes a study's system and arguments to a public function."""
    return lambda study, _spread: function(study.system, **study.arguments)


def _spread_over_cores(function: Callable[..., xr.Dataset]) -> _Experiment:
    """Return the same for a function that shares its work among processes."""
    return lambda study, spread: function(study.system, **study.arguments, **spread)


def _splitting(study: Study, _spread: Mapping[str, Any]) -> xr.Dataset:
    arguments = dict(study.arguments)
    method = splitting_method(arguments.pop("method", None), arguments.pop("digits", None))
    assert study.system is not None
    return tunnel_splitting(study.system, **arguments, method=method).to_dataset()


def _sweep(study: Study, _spread: Mapping[str, Any]) -> xr.Dataset:
    arguments = dict(study.arguments)
    protocol = _PROTOCOLS[arguments["protocol"]["kind"]](arguments.pop("protocol"))
    if "method" in arguments:
        arguments["method"] = _METHODS[arguments["method"]]()
    assert study.system is not None
    return sweep(study.system, protocol, **arguments)


def _in_equilibrium(function: Callable[..., xr.Dataset]) -> _Experiment:
    """Return the experiment of a function that takes a molecular field and a shape of the sample."""

    def compute(study: Study, _spread: Mapping[str, Any]) -> xr.Dataset:
        arguments = dict(study.arguments)
        for name, build in (("mean_field", MeanField), ("demagnetisation", Demagnetisation)):
            if name in arguments:
                arguments[name] = build(**arguments[name])
        return function(study.system, **arguments)

    return compute


def _quantum_objects(study: Study, _spread: Mapping[str, Any]) -> xr.Dataset:
    return quantum_objects(**study.arguments)


def _switching(study: Study, _spread: Mapping[str, Any]) -> xr.Dataset:
    arguments = dict(study.arguments)
    of_particle = ("moment", "anisotropy_field", "hard_field", "g")
    particle = {name: arguments.pop(name) for name in of_particle if name in arguments}
    widths = {"moment_spread": "moment", "anisotropy_spread": "anisotropy"}
    spread = {own: arguments.pop(name) for name, own in widths.items() if name in arguments}
    if spread:
        arguments["spread"] = LogNormalSpread(**spread)
    return switching_fields(Particle(**particle, name=study.name, title=study.title), **arguments)


_EXPERIMENTS: Final[dict[str, _Experiment]] = {
    "levels": _of_system(levels),
    "crossings": _of_system(crossings),
    "splitting": _splitting,
    "splitting-map": _spread_over_cores(splitting_map),
    "diabolical-points": _of_system(diabolical_points),
    "tunnelling-pair": _of_system(tunnelling_pair),
    "double-well": _of_system(double_well),
    "splitting-distribution": _of_system(splitting_distribution),
    "quantum-objects": _quantum_objects,
    "switching": _switching,
    "magnetisation": _in_equilibrium(magnetisation),
    "susceptibility": _in_equilibrium(susceptibility),
    "heat-capacity": _in_equilibrium(heat_capacity),
    "entropy": _in_equilibrium(entropy),
    "free-energy": _in_equilibrium(free_energy),
    "torque": _in_equilibrium(torque),
    "relaxation": _of_system(relaxation_rates),
    "ac-susceptibility": _of_system(ac_susceptibility),
    "decay": _of_system(decay),
    "zfc-fc": _of_system(zfc_fc),
    "blocking-temperature": _of_system(blocking_temperature),
    "hysteresis": _spread_over_cores(hysteresis),
    "sweep": _sweep,
    **SPECTROSCOPY_STUDIES,
    **RELAXATION_STUDIES,
    "doublets": _of_system(doublets),
    "clock-transitions": _of_system(clock_transitions),
    "fit": fit_study,
    "curie-weiss": curie_weiss_study,
}


def _require_writable(target: Path) -> None:
    """Refuse, before anything runs, a folder that cannot be made or written."""
    existing = target
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise InputError(f"out must be a folder that can be written, got {str(target)!r}; choose another one")


def _write_results(dataset: xr.Dataset, study: Study, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    draft = target / f".draft-{os.getpid()}"
    draft.mkdir()
    try:
        figure = plot(dataset)
        write_figure(figure, draft / "figure.png")
        write_figure(figure, draft / "figure.svg")
        save(dataset, draft / "result.nc")
        content = {"study": study.name, "title": study.title, **summary(dataset), "versions": versions()}
        (draft / "summary.json").write_text(json_text(content) + "\n", encoding="utf-8")
        page = report_page(dataset, study, (draft / "figure.png").read_bytes())
        (draft / "report.html").write_text(page, encoding="utf-8")
        for file in sorted(draft.iterdir()):
            file.replace(target / file.name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"out must be a folder that can be written, got {str(target)!r} ({reason})"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
