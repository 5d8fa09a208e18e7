"""Tables of results on tunnelling: splittings, maps, wells, ensembles, spins of all sizes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from mesospin.report.cells import Column, Table, columns_of, scalars_of, spread_out, unit_of

if TYPE_CHECKING:
    import xarray as xr


_SHOWN_AZIMUTHS: Final = 11


def _splitting(dataset: xr.Dataset) -> Sequence[Table]:
    inputs = json.loads(dataset.attrs["inputs"])
    gap, zero = float(dataset["splitting"]), bool(dataset["zero"])
    digits, reason = str(dataset["digits"].values), str(dataset["reason"].values)
    proved = "proved" if bool(dataset["rigorous"]) else "estimated"
    columns = (
        Column("splitting", "K"),
        *(Column(name) for name in ("log10_splitting", "relative_error", "error_is")),
        Column("field", "T"),
        Column("slope", "K/T"),
    )
    numbers = {
        name: dataset[name].values.item() for name in ("log10_splitting", "relative_error", "field", "slope")
    }
    row = (
        # what no floating-point number holds is shown as text
        short_decimal(digits) if gap == 0.0 and not zero else gap,
        numbers["log10_splitting"],
        numbers["relative_error"],
        proved,
        numbers["field"],
        numbers["slope"],
    )
    account = {
        "digits": digits,
        "field_digits": str(dataset["field_digits"].values),
        "zero": reason if zero else "no",
        "method": str(inputs["method"]),
        "why": str(inputs["why"]),
    }
    return [
        Table("splitting", "Tunnel splitting (full gap)", columns, (row,)),
        Table("account", "How it was found", tuple(map(Column, account)), (tuple(account.values()),)),
    ]


def short_decimal(digits: str) -> str:
    """Return a decimal text with five digits and its whole exponent.

    Examples
    --------
    >>> short_decimal("2.6868072733492734e-120233"), short_decimal("0")
    ('2.6868e-120233', '0')
    """
    mantissa, mark, exponent = digits.partition("e")
    return f"{mantissa[:6]}{mark}{exponent}"


def _map(dataset: xr.Dataset) -> Sequence[Table]:
    """Return, for every azimuth, the ends and the lowest splitting along the transverse field."""
    transverse = dataset["transverse"].values.tolist()
    azimuth = dataset["azimuth"].values.reshape(-1).tolist()
    lines = dataset["splitting"].values.reshape(len(azimuth), len(transverse)).tolist()
    columns = (
        Column("azimuth", "deg"),
        Column("smallest_splitting", "K"),
        Column("at_transverse_field", "T"),
        Column("largest_splitting", "K"),
        Column("local_minima"),
    )
    rows = []
    for angle, line in zip(azimuth, lines, strict=True):
        known = [(gap, field) for gap, field in zip(line, transverse, strict=True) if not math.isnan(gap)]
        if known:
            triples = zip(line, line[1:], line[2:], strict=False)
            minima = sum(before > gap < after for before, gap, after in triples)
            rows.append((math.degrees(angle), *min(known), max(known)[0], minima))
    picked = spread_out(len(rows), _SHOWN_AZIMUTHS)
    title = f"Splitting along the transverse field, {len(picked)} of {len(rows)} azimuths"
    return [Table("azimuths", title, columns, tuple(rows[i] for i in picked))]


def _points(dataset: xr.Dataset) -> Sequence[Table]:
    names = ("Bx", "By", "Bz", "charge", "level", "energy", "residual")
    return [columns_of(dataset, "points", "Diabolical points", names)]


def _wave_functions(dataset: xr.Dataset) -> Sequence[Table]:
    wanted = [name for name in _PAIR if name in dataset and dataset[name].dims == ()]
    along = [str(name) for name in dataset.data_vars if dataset[name].dims == ("state",)]
    return [
        scalars_of(dataset, "pair", "The pair", wanted),
        columns_of(dataset, "states", "Its states", ["state", *along]),
    ]


_PAIR: Final = ("splitting", "log10_splitting", "field", "bias", "mixing_angle")


def _double_well(dataset: xr.Dataset) -> Sequence[Table]:
    wells = ("well", "well_theta", "well_energy", "barrier", "quantum_barrier", "ground")
    pairs = ("tunnel_left", "tunnel_right", "splitting", "crossing_field", "reason")
    return [
        columns_of(dataset, "wells", "Wells", wells),
        columns_of(dataset, "tunnelling", "Resonant pairs of levels", pairs),
    ]


def _distribution(dataset: xr.Dataset) -> Sequence[Table]:
    names = ("median_log10", "mean_log10", "spread_log10", "rms_splitting", "zero_share", "zero_reason")
    return [scalars_of(dataset, "ensemble", "Splittings of the ensemble", names)]


def _objects(dataset: xr.Dataset) -> Sequence[Table]:
    names = (
        "spin",
        "splitting",
        "tunnelling_time",
        "barrier",
        "attempt_rate",
        "crossover_temperature",
        "reason",
        "verdict",
    )
    table = columns_of(dataset, "spins", "Which spin is a quantum object", names)
    place = names.index("splitting")
    rows = tuple((*row[:place], short_decimal(str(row[place])), *row[place + 1 :]) for row in table.rows)
    return [Table(table.key, table.title, table.columns, rows)]


def _switching(dataset: xr.Dataset) -> Sequence[Table]:
    coldest = dataset.isel(temperature=int(dataset["temperature"].values.argmin()))
    names = ("case", "mean_field", "field_width", "viscosity", "waiting_variation")
    temperature = float(coldest["temperature"])
    angles = ("field_angle", "crossover", "cold_field", "imitation_field", "needed_angle")
    return [
        columns_of(coldest, "samples", f"Samples at {temperature:g} K", names),
        columns_of(dataset, "angles", "The tunnelling particle against the overheated one", angles),
        _needed(dataset),
    ]


def _needed(dataset: xr.Dataset) -> Table:
    names = ("temperature", "needed_mean", "needed_width", "needed_imitation", "needed_waiting")
    columns = tuple(Column(name, unit_of(dataset, name)) for name in names)
    values = [dataset[name].values.tolist() for name in names]
    title = "Switchings needed to tell the tunnelling particle from others"
    return Table("needed", title, columns, tuple(zip(*values, strict=True)))


TUNNELLING_TABLES: Final[dict[str, Callable[[xr.Dataset], Sequence[Table]]]] = {
    "splitting": _splitting,
    "splitting_map": _map,
    "diabolical_points": _points,
    "tunnelling_pair": _wave_functions,
    "double_well": _double_well,
    "splitting_distribution": _distribution,
    "quantum_objects": _objects,
    "switching": _switching,
}
