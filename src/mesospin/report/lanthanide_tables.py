"""Tables of results on ions in a crystal field: doublets with their g values, clock transitions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from mesospin.report.cells import Column, Table, columns_of, unit_of

if TYPE_CHECKING:
    import xarray as xr

_SHOWN_TRANSITIONS: Final = 24


def _doublets(dataset: xr.Dataset) -> Sequence[Table]:
    energy = dataset["energy"].values.tolist()
    gaps = _without_rounding(dataset["gap"].values.tolist(), 1e-14 * max(energy))
    errors = dataset["g_error"].values.tolist()
    g = [_without_rounding(*entry) for entry in zip(dataset["g"].values.tolist(), errors, strict=True)]
    tilt = _without_rounding(dataset["tilt"].values.tolist(), 1e-9)
    columns = [Column("energy", "K"), Column("wavenumber", "cm^-1"), Column("gap", "K")]
    values = [energy, dataset["wavenumber"].values.tolist(), gaps]
    if not any(dataset["gap"].values):  # Kramers doublets
        columns, values = columns[:2], values[:2]
    columns += [Column("gx"), Column("gy"), Column("gz"), Column("tilt", "deg"), Column("composition")]
    values += [*map(list, zip(*g, strict=True)), tilt, dataset["composition"].values.tolist()]
    nuclei = ", nuclei left out" if json.loads(dataset.attrs["inputs"]).get("nuclei") == "left out" else ""
    title = f"Doublets at zero field{nuclei}; tilt of the axis of gz"
    singlets = ("singlet_energy", "singlet_composition")
    return [
        Table("doublets", title, tuple(columns), tuple(zip(*values, strict=True))),
        columns_of(dataset, "singlets", "Singlets between them", singlets),
    ]


def _without_rounding(values: Sequence[float], error: float) -> list[float]:
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
