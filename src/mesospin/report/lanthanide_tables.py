"""Tables of results on ions in a crystal field: doublets with their g values, clock transitions."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from mesospin.report.cells import Column, Table, columns_of, unit_of

if TYPE_CHECKING:
    import xarray as xr

_SHOWN_TRANSITIONS: Final = 24
#: Energies below this part of the highest one are not told from rounding errors.
_RESOLVED: Final = 1e-12


def _doublets(dataset: xr.Dataset) -> Sequence[Table]:
    resolved = _RESOLVED * float(dataset["energy"].max())
    columns = [Column("energy", "K"), Column("wavenumber", "cm^-1")]
    values = [_above(dataset[column.name].values.tolist(), resolved) for column in columns]
    notes = ["tilt of gz"]
    if json.loads(dataset.attrs["inputs"]).get("nuclei") == "left out":
        notes.insert(0, "nuclei left out")
    if dataset["gap"].values.any():  # 0 for Kramers doublets
        gaps = [gap if gap > resolved else math.nan for gap in dataset["gap"].values.tolist()]
        columns.append(Column("gap", "K"))
        values.append(gaps)
        notes += ["gap -: see splitting"] if any(map(math.isnan, gaps)) else []
    errors = dataset["g_error"].values.tolist()
    g = [_above(*entry) for entry in zip(dataset["g"].values.tolist(), errors, strict=True)]
    tilt = _above(dataset["tilt"].values.tolist(), 1e-9)
    columns += [Column("gx"), Column("gy"), Column("gz"), Column("tilt", "deg"), Column("composition")]
    values += [*map(list, zip(*g, strict=True)), tilt, dataset["composition"].values.tolist()]
    singlets = ("singlet_energy", "singlet_composition")
    molecule = str(dataset.attrs.get("title", "")).partition(",")[0]
    title = f"Doublets of {molecule} at zero field ({'; '.join(notes)})"
    return [
        Table("doublets", title, tuple(columns), tuple(zip(*values, strict=True))),
        columns_of(dataset, "singlets", "Singlets between them", singlets),
    ]


def _above(values: Sequence[float], error: float) -> list[float]:
    """Return numbers with 0 in place of those that a rounding error hides."""
    return [value if abs(value) > error else 0.0 for value in values]


def _clock_transitions(dataset: xr.Dataset) -> Sequence[Table]:
    """Return the transitions from the lowest level up."""
    sources = {
        "energy": "energy", "field": "field", "frequency": "frequency", "curvature": "frequency_curvature",
        "along": "moment_parallel", "across": "moment_perpendicular",
    }  # fmt: skip
    columns = [Column(name, unit_of(dataset, source)) for name, source in sources.items()]
    values = [dataset[source].values.tolist() for source in sources.values()]
    for end in ("from", "to"):
        columns.append(Column(end))
        values.append([text.replace(", ", ",") for text in dataset[f"label_{end}"].values.tolist()])
    order = sorted(range(len(values[0])), key=lambda k: (values[0][k], values[1][k]))
    shown = order[:_SHOWN_TRANSITIONS]
    share = f"{len(order)}" if len(shown) == len(order) else f"Lowest {len(shown)} of {len(order)}"
    title = f"{share} clock transitions: energy of the lower level, moment along and across B"
    rows = tuple(tuple(column[k] for column in values) for k in shown)
    return [Table("clock_transitions", title, tuple(columns), rows)]


LANTHANIDE_TABLES: Final[dict[str, Callable[[xr.Dataset], Sequence[Table]]]] = {
    "doublets": _doublets,
    "clock_transitions": _clock_transitions,
}
