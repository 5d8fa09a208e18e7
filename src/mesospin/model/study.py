"""Study files: a system, one experiment and its numbers with units, checked before anything runs.

A study is a TOML file::

    title = "The staircase of Mn12-acetate"
    system = "mn12ac"                  # library name, path of a TOML file, or a table in the same schema

    [experiment]
    kind = "hysteresis"
    T = ["0.05 K", "1.5 K", "1.9 K"]
    rate = "3 mT/s"
    span = ["-5 T", "5 T"]

The keys of ``[experiment]`` are the argument names of the public function of that kind.  Several values of
one quantity are a list of texts, or a table ``{ from = "0 T", to = "5 T", points = 501 }``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mesospin import checks
from mesospin.errors import InputError, StudyError
from mesospin.model.experiments.kinds import EXPERIMENTS, WITHOUT_SYSTEM
from mesospin.model.experiments.readers import kind_and_rest
from mesospin.model.library import load, read_toml
from mesospin.model.schema import system_from_table
from mesospin.model.system import SpinSystem
from mesospin.model.tables import Key, read_subtable, read_table, read_text, within

__all__ = ["Study", "read_study", "study_from_table"]


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A checked study.

    Parameters
    ----------
    name : str
        Name of the file without ".toml"; also the name of the folder of results.
    title : str
        One line for people.
    system : SpinSystem or None
        What is studied; None for the kinds ``WITHOUT_SYSTEM``, which make their own spins.
    kind : str
        Which experiment, a key of ``EXPERIMENTS``.
    arguments : read-only mapping
        Keyword arguments of the public function, in the package's units: floats, tuples of floats,
        `Disorder`, `DipolarBath`, `PhononBath`, or ``None`` (an explicit "none").  A key that the file leaves
        out, or sets to "default", is absent.  A protocol is a read-only mapping with its ``kind``.
    path : Path or None
        The file.
    """

    name: str
    title: str
    system: SpinSystem | None
    kind: str
    arguments: Mapping[str, Any]
    path: Path | None = None


_STUDY: Mapping[str, Key] = {
    "title": Key(read_text),
    "system": Key(lambda _name, value: value),
    "experiment": Key(read_subtable, required=True),
}


def study_from_table(table: Mapping[str, Any], *, name: str, folder: Path | None = None) -> Study:
    """Return the study that a TOML table describes.

    Parameters
    ----------
    table : mapping
        Parsed TOML.
    name : str
        Name of the study.
    folder : Path or None, default None
        Folder from which a relative path of the system is taken.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If a key is unknown, missing or out of range, or a unit is wrong; one sentence that names the key.

    Examples
    --------
    >>> table = {"system": "fe8", "experiment": {"kind": "crossings", "span": ["0 T", "2000 mT"]}}
    >>> study_from_table(table, name="fe8-crossings").arguments["span"]
    (0.0, 2.0)
    """
    parts = within(name, read_table, "study", table, _STUDY, error=StudyError)
    kind, rest = within(name, kind_and_rest, "experiment", parts["experiment"], EXPERIMENTS)
    system = within(name, _read_system, parts.get("system"), kind, name, folder)
    given = {key: value for key, value in rest.items() if value != "default"}
    unknown = [key for key in rest if key not in EXPERIMENTS[kind]]
    if unknown:
        hint = checks.nearest(unknown[0], EXPERIMENTS[kind])
        raise StudyError(f"in {name}: experiment must not have the key {unknown[0]!r} for {kind}; {hint}")
    arguments = within(name, read_table, "experiment", given, EXPERIMENTS[kind], error=StudyError)
    title = parts.get("title") or (system.title if system else "") or name
    return Study(name, title, system, kind, MappingProxyType(arguments))


def _read_system(value: Any, kind: str, name: str, folder: Path | None) -> SpinSystem | None:
    if kind in WITHOUT_SYSTEM:
        if value is not None:
            raise StudyError(f"study must not have the key 'system' for {kind}, which makes its own spins")
        return None
    if value is None:
        raise StudyError(f"study must have the key 'system' for {kind}; name a molecule of the library")
    if isinstance(value, Mapping):
        return system_from_table(value, name=str(value.get("name", name)))
    text = read_text("system", value)
    if ".toml" in text and folder is not None:
        return load(str(folder / text))
    return load(text)


def read_study(path: str | Path) -> Study:
    """Return the study of a TOML file; everything in it is checked, nothing is computed.

    Parameters
    ----------
    path : str or Path
        Path of the file; a relative path of the system inside starts from the file's folder.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If the file cannot be read or an entry is wrong; one sentence that names it.

    Examples
    --------
    >>> read_study("nowhere.toml")
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: nowhere.toml must be a readable file, got none; check the path
    """
    if not isinstance(path, str | Path):
        raise InputError(f"study must be the path of a TOML file, got {path!r}; give a text")
    file = Path(path)
    study = study_from_table(read_toml(file), name=file.stem, folder=file.parent)
    return Study(study.name, study.title, study.system, study.kind, study.arguments, file)
