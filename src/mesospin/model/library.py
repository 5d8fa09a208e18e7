"""The library of molecules, and the loading of a molecule from a file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from mesospin.checks import nearest, spin_text
from mesospin.errors import InputError, InvalidModelError
from mesospin.model.schema import system_from_table, variant_names
from mesospin.model.system import SpinSystem

__all__ = ["LibraryEntry", "library", "load", "read_toml"]


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """A molecule of the library.

    Parameters
    ----------
    name : str
        Name for ``load``.
    title : str
        One line for people.
    spins : str
        The spins as text, e.g. "J = 15/2, I = 7/2".
    dimension : int
        Number of states.
    variants : tuple of str
        Other parameter sets, loaded as "name:variant".
    """

    name: str
    title: str
    spins: str
    dimension: int
    variants: tuple[str, ...]


@cache
def _tables() -> dict[str, dict[str, Any]]:
    folder = resources.files("mesospin.model").joinpath("data")
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]
    tables = {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text(encoding="utf-8")) for file in files
    }
    return dict(sorted(tables.items()))


@lru_cache(maxsize=128)
def _from_library(name: str, variant: str) -> SpinSystem:
    return system_from_table(_tables()[name], name=name, variant=variant)


def load(name_or_path: str | Path) -> SpinSystem:
    """Return a molecule of the library, or the one that a TOML file describes.

    Parameters
    ----------
    name_or_path : str or Path
        Name in the library ("mn12ac"), with a named parameter set if wanted ("mn12ac:ins"), or the path of a
        file that ends in ".toml" (also with ":variant").

    Returns
    -------
    SpinSystem
        With its sources and the surroundings that it brings along.

    Raises
    ------
    InputError
        If the name is unknown (the nearest one is suggested) or the file cannot be read.
    InvalidModelError
        If the file contradicts the schema; the sentence says where.

    Examples
    --------
    >>> load("fe8").spins[0].S
    10.0
    >>> load("mn12")
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: system must be a library name or a TOML path, got 'mn12'; did you mean mn12ac?
    """
    if not isinstance(name_or_path, str | Path):
        raise InputError(f"system must be a library name or a TOML path, got {name_or_path!r}; give a text")
    text = str(name_or_path)
    if ".toml" in text or isinstance(name_or_path, Path):
        return _from_file(text)
    name, _, variant = text.partition(":")
    if name not in _tables():
        hint = nearest(name, _tables())
        raise InputError(f"system must be a library name or a TOML path, got {text!r}; {hint}")
    return _from_library(name, variant)


def _from_file(text: str) -> SpinSystem:
    stem, _, variant = text.rpartition(".toml:")
    path = Path(f"{stem}.toml" if stem else text)
    return system_from_table(read_toml(path), name=path.stem, variant=variant if stem else "")


def read_toml(path: Path) -> Mapping[str, Any]:
    """Return the parsed contents of a TOML file; every failure is one sentence.

    Examples
    --------
    >>> read_toml(Path("nowhere.toml"))
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: nowhere.toml must be a readable file, got none; check the path
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} must be a readable file, got none; check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} must be a readable text file, got {error}; check it") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidModelError(f"{path} must be valid TOML, got {error}; correct that line") from None


def library() -> tuple[LibraryEntry, ...]:
    """Return the molecules of the library, without building any matrix.

    Examples
    --------
    >>> [entry.dimension for entry in library() if entry.name == "mn12ac"]
    [21]
    """
    entries = []
    for name, table in _tables().items():
        system = _from_library(name, "")
        spins = ", ".join(f"{spin.label} = {spin_text(spin.S)}" for spin in system.spins)
        entries.append(LibraryEntry(name, system.title, spins, system.dimension, variant_names(table)))
    return tuple(entries)
