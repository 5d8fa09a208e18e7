"""Results as tables: the rows that a reader wants, free of any rendering."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from mesospin.report.cells import Column, Table, spread_out, unit_of
from mesospin.report.equilibrium_tables import EQUILIBRIUM_TABLES
from mesospin.report.fit_tables import FIT_TABLES
from mesospin.report.lanthanide_tables import LANTHANIDE_TABLES
from mesospin.report.relaxation_tables import RELAXATION_TABLES
from mesospin.report.spectroscopy_tables import SPECTROSCOPY_TABLES
from mesospin.report.tunnelling_tables import TUNNELLING_TABLES

if TYPE_CHECKING:
    import xarray as xr

_SHOWN_FIELDS: Final = 11
_SHOWN_LEVELS: Final = 8


def tables(dataset: xr.Dataset) -> tuple[Table, ...]:
    """Return the tables of a result, the most wanted first.

    Parameters
    ----------
    dataset : xarray.Dataset
        A result of this package.

    Returns
    -------
    tuple of Table
        Empty for a kind without tables.
    """
    build = _TABLES.get(str(dataset.attrs.get("kind")))
    return tuple(table for table in build(dataset) if table.rows) if build else ()


def _levels(dataset: xr.Dataset) -> Sequence[Table]:
    if "field" not in dataset.dims:
        moments = dataset["moment"].transpose("level", "component").values.tolist()
        energies = dataset["energy"].values.tolist()
        columns = (
            Column("level"), Column("energy", "K"), Column("above_ground", "K"),
            Column("moment_x", "mu_B"), Column("moment_y", "mu_B"), Column("moment_z", "mu_B"),
        )  # fmt: skip
        rows = tuple(
            (level, energy, energy - energies[0], *moment)
            for level, (energy, moment) in enumerate(zip(energies, moments, strict=True))
        )
        return [Table("levels", f"Levels at {float(dataset['field']):g} T", columns, rows)]
    energy = dataset["energy"].transpose("field", "level").values
    shown = min(_SHOWN_LEVELS, energy.shape[1])
    energies_shown = (Column("field", "T"), *(Column(f"energy_{level}", "K") for level in range(shown)))
    field = dataset["field"].values.tolist()
    picked = spread_out(len(field), _SHOWN_FIELDS)
    rows = tuple((field[i], *energy[i, :shown].tolist()) for i in picked)
    title = f"Lowest {shown} of {energy.shape[1]} levels at {len(picked)} of {len(field)} fields"
    return [Table("levels", title, energies_shown, rows)]


def _crossings(dataset: xr.Dataset) -> Sequence[Table]:
    columns = (
        Column("field", "T"), Column("label_from"), Column("label_to"), Column("splitting", "K"),
        Column("log10_splitting"), Column("slope", "K/T"), Column("reason"),
    )  # fmt: skip
    values = [dataset[column.name].values.tolist() for column in columns]
    rows = tuple(zip(*values, strict=True))
    zeros = int(dataset["zero"].values.sum())
    return [
        Table("crossings", f"{len(rows)} crossings, {zeros} of them exactly closed (gap 0)", columns, rows)
    ]


def _relaxation(dataset: xr.Dataset) -> Sequence[Table]:
    names = ["tau", "slowest_rate", *(["path"] if "path" in dataset else [])]
    values = [dataset[name].transpose("temperature", "field").values.reshape(-1).tolist() for name in names]
    temperatures, fields = dataset["temperature"].values.tolist(), dataset["field"].values.tolist()
    places = [(temperature, field) for temperature in temperatures for field in fields]
    columns = (
        Column("temperature", "K"),
        Column("field", "T"),
        *(Column(n, unit_of(dataset, n)) for n in names),
    )
    rows = tuple((*place, *entries) for place, *entries in zip(places, *values, strict=True))
    return [_arrhenius(dataset), Table("relaxation", "Relaxation time", columns, rows)]


def _arrhenius(dataset: xr.Dataset) -> Table:
    columns = (Column("field", "T"), Column("barrier", "K"), Column("prefactor", "s"))
    title = "Fit tau = prefactor exp(barrier/T)"
    if "barrier" not in dataset:
        return Table("arrhenius", title, columns, ())
    values = [dataset[column.name].values.reshape(-1).tolist() for column in columns]
    return Table("arrhenius", title, columns, tuple(zip(*values, strict=True)))


def _hysteresis(dataset: xr.Dataset) -> Sequence[Table]:
    columns = (Column("temperature", "K"), Column("coercive_field", "T"), Column("remanence", fraction=True))
    values = [dataset[column.name].values.reshape(-1).tolist() for column in columns]
    title = "Loop at each temperature"
    if "saturation_moment" in dataset:
        saturation = float(dataset["saturation_moment"])
        reached = saturation * float(abs(dataset["reduced"]).max())
        if not 0.9 * saturation < reached <= saturation:
            title += (
                f"; M_s = {saturation:.4g} mu_B is g S of the electrons, the loop reaches {reached:.4g} mu_B"
            )
    loops = Table("loops", title, columns, tuple(zip(*values, strict=True)))
    return [loops, _steps(dataset), _crossover(dataset)]


def _steps(dataset: xr.Dataset) -> Table:
    names = {
        "n": "step_n", "pair": "step_label", "field": "step_field", "splitting": "step_splitting",
        "landau_zener_probability": "step_probability",
    }  # fmt: skip
    known = {name: source for name, source in names.items() if source in dataset}
    temperatures = dataset["temperature"].values.reshape(-1).tolist()
    columns = [Column(name, unit_of(dataset, source)) for name, source in known.items()]
    values = [dataset[source].values.tolist() for source in known.values()]
    if "step_fraction" in dataset:
        fraction = dataset["step_fraction"].transpose("temperature", "step").values.tolist()
        columns += [Column(f"reversed_at_{temperature:g}_K", fraction=True) for temperature in temperatures]
        values += fraction
    rows = tuple(zip(*values, strict=True)) if values else ()
    title = "Steps of the loop, field rising"
    numbers = dataset["step_n"].values.tolist() if "step_n" in dataset else []
    if "step_fraction" in dataset and len(set(numbers)) < len(numbers):
        title += (
            "; reversed: M/(2 M_s) of the whole step, the crossings of one n together, not to be added up"
        )
    return Table("steps", title, tuple(columns), rows)


def _crossover(dataset: xr.Dataset) -> Table:
    names = ("crossover_temperature", "crossover_low", "crossover_high")
    columns = tuple(Column(name, "K") for name in names if name in dataset)
    row = tuple(float(dataset[column.name]) for column in columns)
    known = any(not math.isnan(value) for value in row)
    title = "Crossover: loops are the same up to low, another one at high"
    return Table("crossover", title, columns, (row,) if known else ())


def _sweep(dataset: xr.Dataset) -> Sequence[Table]:
    names = [name for name in ("time", "field", "magnetisation", "reduced") if name in dataset.variables]
    columns = tuple(Column(name, unit_of(dataset, name)) for name in names)
    values = [dataset[name].values.tolist() for name in names]
    picked = spread_out(len(values[0]), _SHOWN_FIELDS)
    rows = tuple(tuple(column[i] for column in values) for i in picked)
    return [Table("sweep", f"Sweep, {len(picked)} of {len(values[0])} times", columns, rows)]


def _validation(dataset: xr.Dataset) -> Sequence[Table]:
    """One table for each source, in the order of the rows."""
    names = ("subject", "theirs", "ours", "difference", "unit", "verdict", "reason")
    columns = tuple(Column(name) for name in names)
    values = [dataset[name].values.tolist() for name in names]
    rows = list(zip(*values, strict=True))
    sources = [str(source) for source in dataset["source"].values]
    return [
        Table(
            f"rows_{number}",
            source,
            columns,
            tuple(row for row, own in zip(rows, sources, strict=True) if own == source),
        )
        for number, source in enumerate(dict.fromkeys(sources), start=1)
    ]


_TABLES: Final[dict[str, Callable[[xr.Dataset], Sequence[Table]]]] = {
    "levels": _levels,
    "crossings": _crossings,
    **TUNNELLING_TABLES,
    **SPECTROSCOPY_TABLES,
    **EQUILIBRIUM_TABLES,
    **LANTHANIDE_TABLES,
    **FIT_TABLES,
    **RELAXATION_TABLES,
    "relaxation": _relaxation,
    "hysteresis": _hysteresis,
    "sweep": _sweep,
    "validation": _validation,
}
