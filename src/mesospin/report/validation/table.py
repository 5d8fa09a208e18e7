"""The validation table: all rows of all sources, computed now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Final

import numpy as np
import xarray as xr

from mesospin.report.validation.ac import SECTIONS as ALTERNATING
from mesospin.report.validation.barbara_loops import SECTIONS as LOOPS
from mesospin.report.validation.barbara_spectrum import SECTIONS as SPECTRUM
from mesospin.report.validation.barbara_tunnelling import SECTIONS as TUNNELLING
from mesospin.report.validation.encyclopaedia import SECTIONS as ENCYCLOPAEDIA
from mesospin.report.validation.equilibrium import SECTIONS as EQUILIBRIUM
from mesospin.report.validation.erw10 import SECTIONS as ERBIUM_LEVELS
from mesospin.report.validation.erw10_equilibrium import SECTIONS as ERBIUM_EQUILIBRIUM
from mesospin.report.validation.holmium import SECTIONS as HOLMIUM
from mesospin.report.validation.lanthanides import SECTIONS as LANTHANIDES
from mesospin.report.validation.older_experiment import SECTIONS as OLDER
from mesospin.report.validation.published import SECTIONS as PUBLISHED
from mesospin.report.validation.rare_earth_crystals import SECTIONS as CRYSTALS
from mesospin.report.validation.rows import Row
from mesospin.report.validation.spectroscopy import SECTIONS as SPECTROSCOPY
from mesospin.report.validation.tunnelling import SECTIONS as SPLITTINGS
from mesospin.report.validation.tunnelling_samples import SECTIONS as SAMPLES
from mesospin.results import variable
from mesospin.scale import Progress

Section = Callable[[], Sequence[Row]]
_SECTIONS: Final[tuple[Section, ...]] = (
    *SPECTRUM,
    *TUNNELLING,
    *LOOPS,
    *OLDER,
    *ENCYCLOPAEDIA,
    *PUBLISHED,
    *SPLITTINGS,
    *SAMPLES,
    *ERBIUM_LEVELS,
    *ERBIUM_EQUILIBRIUM,
    *LANTHANIDES,
    *CRYSTALS,
    *HOLMIUM,
    *SPECTROSCOPY,
    *EQUILIBRIUM,
    *ALTERNATING,
)
_COLUMNS: Final = {
    "subject": "quantity or formula",
    "source": "where it stands",
    "theirs": "value of the source",
    "ours": "value computed here",
    "unit": "unit of the values",
    "difference": "ours minus theirs",
    "verdict": "agrees, erratum, contradiction or not determined",
    "reason": "why",
    "should_hold": "a wrong program if it does not agree",
}


def validate(*, progress: Progress | None = None) -> xr.Dataset:
    """Recompute every number and formula of the sources and judge it.

    Parameters
    ----------
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    xarray.Dataset
        Along ``row`` (its coordinate is the name of the row): ``subject``, ``source``, ``theirs``, ``ours``,
        ``unit``, ``difference`` (in that unit), ``verdict`` (agrees, erratum, contradiction, not determined),
        ``reason`` and ``should_hold``.

    Notes
    -----
    Takes less than half a minute.  Rows that disagree stay, with the reason.
    """
    rows: list[Row] = []
    if progress is not None:
        progress(0, len(_SECTIONS))
    for done, section in enumerate(_SECTIONS, start=1):
        rows += section()
        if progress is not None:
            progress(done, len(_SECTIONS))
    return to_dataset(rows)


def to_dataset(rows: Sequence[Row]) -> xr.Dataset:
    """Return rows as a result of kind "validation".

    Examples
    --------
    >>> from mesospin.report.validation.rows import Source
    >>> to_dataset([Source("a paper").number("n", "2S + 1", 21, 21)]).verdict.values
    array(['agrees'], dtype='<U6')
    """
    names = [row.id for row in rows]
    if len(set(names)) < len(names):
        raise ValueError(f"ids of the rows must differ, got {sorted(names)}")
    variables = {
        name: variable("row", np.array([getattr(row, name) for row in rows]), "1", text)
        for name, text in _COLUMNS.items()
    }
    attrs = {
        "kind": "validation",
        "system": "mesospin",
        "title": "Published statements recomputed",
        "sources": "[]",
        "inputs": "{}",
        "mesospin_version": version("mesospin"),
    }
    return xr.Dataset(variables, coords={"row": np.array(names)}, attrs=attrs)


def failures(dataset: xr.Dataset) -> list[str]:
    """Return the names of the rows that should hold and do not.

    Parameters
    ----------
    dataset : xarray.Dataset
        What `validate` returned.

    Returns
    -------
    list of str
        Empty if the program reproduces everything that it should.

    Examples
    --------
    >>> from mesospin.report.validation.rows import Source
    >>> failures(to_dataset([Source("a paper").number("n", "2S + 1", 21, 20)]))
    ['n']
    """
    wrong = dataset.should_hold.values & (dataset.verdict.values != "agrees")
    return [str(name) for name in dataset.row.values[wrong]]


def all_hold(dataset: xr.Dataset) -> bool:
    """Return whether every row that should hold agrees."""
    return not failures(dataset)
