"""Tables of relaxation: files of magnetometers, fits of isotherms and decays, laws, slow magnetisation."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from mesospin.report.cells import Cell, Column, Table, columns_of, spread_out, unit_of

if TYPE_CHECKING:
    import xarray as xr

#: Correlation from which a pair of parameters is listed.
_CORRELATED: Final = 0.9
#: Part of a step that is left after a relaxation time.
_LEFT: Final = math.exp(-1.0)
_SHOWN: Final = 40


def _magnetometer(dataset: xr.Dataset) -> Sequence[Table]:
    return [_file(dataset), _isotherms(dataset), _dropped(dataset)]


def _file(dataset: xr.Dataset) -> Table:
    """Return where the numbers come from and what was read from the header or given."""
    attrs = dataset.attrs
    rows: list[tuple[Cell, ...]] = [
        (what, str(attrs[key]), "")
        for key, what in (("source", "file"), ("instrument", "instrument"), ("encoding", "encoding"))
        if attrs.get(key)
    ]
    for name, entry in json.loads(attrs.get("sample", "{}")).items():
        rows.append((name.replace("_", " "), f"{entry['value']:g} {entry['unit']}", str(entry["from"])))
    subtracted = json.loads(attrs.get("corrections", "[]"))
    if subtracted:
        rows.append(("subtracted", ", ".join(name.replace("_", " ") for name in subtracted), ""))
    rows += [
        (name.replace("_", " "), heading, "column")
        for name, heading in json.loads(attrs.get("columns", "{}")).items()
    ]
    counts = f"{dataset.sizes['point']} kept, {dataset.sizes.get('dropped', 0)} dropped"
    rows.append(("rows", counts, ""))
    return Table("file", "What was read", (Column("what"), Column("value"), Column("from")), tuple(rows))


def _isotherms(dataset: xr.Dataset) -> Table:
    group, frequency = (
        dataset["isotherm_of"].values,
        dataset["frequency"].values if "frequency" in dataset else None,
    )
    kinds = dataset["measurement"].values.astype(str)
    T, B = (dataset[f"isotherm_{name}"].values for name in ("temperature", "field"))
    rows: list[tuple[Cell, ...]] = []
    for k in range(len(T)):
        own = group == k
        if not own.any():
            continue
        low, high = math.nan, math.nan
        if frequency is not None and (own & (frequency > 0)).any():
            measured = frequency[own & (frequency > 0)]
            low, high = float(measured.min()), float(measured.max())
        rows.append((str(kinds[own][0]), float(T[k]), float(B[k]), int(own.sum()), low, high))
    columns = (
        Column("measurement"), Column("temperature", "K"), Column("field", "T"), Column("points"),
        Column("lowest_frequency", "Hz"), Column("highest_frequency", "Hz"),
    )  # fmt: skip
    return Table("isotherms", f"{len(rows)} isotherms", columns, tuple(rows))


def _dropped(dataset: xr.Dataset) -> Table:
    columns = (Column("line"), Column("reason"))
    if "dropped_row" not in dataset or not dataset.sizes["dropped"]:
        return Table("dropped", "", columns, ())
    lines = [int(line) for line in dataset["dropped_row"].values]
    reasons = [str(text) for text in dataset["dropped_reason"].values]
    title = f"{len(lines)} rows left out"
    if len(lines) <= _SHOWN:
        return Table("dropped", title, columns, tuple(zip(lines, reasons, strict=True)))
    grouped: dict[str, list[int]] = {}
    for line, reason in zip(lines, reasons, strict=True):
        grouped.setdefault(reason, []).append(line)
    rows = tuple(
        (f"{own[0]} ... {own[-1]} ({len(own)})" if len(own) > 1 else str(own[0]), reason)
        for reason, own in grouped.items()
    )
    return Table("dropped", title, columns, rows)


def _fitted(dataset: xr.Dataset) -> Sequence[Table]:
    """Return the times of every isotherm or decay with both errors, then its other parameters."""
    count, known = dataset.sizes["isotherm"], int(dataset["determined"].values.sum())
    model = str(dataset.attrs.get("model", ""))
    names = [str(name) for name in dataset.data_vars if f"{name}_error" in dataset]
    plain = [name for name in names if not name.startswith("ln_")]
    times = [name for name in plain if name.startswith("tau")]
    shown = [
        name
        for time in times
        for name in (time, f"{time}_error", f"{time}_lower", f"{time}_upper")
        if name in dataset
    ]
    others = [name for own in plain if own not in times for name in (own, f"{own}_error")]
    place = ("temperature", "field")
    subject = "decays" if dataset.attrs["kind"] == "decay_fit" else "isotherms"
    title = f"{model}: {known} of {count} {subject} determine their times"
    return [
        columns_of(dataset, "times", title, (*place, *shown, "verdict")),
        columns_of(dataset, "shapes", f"{model}: the other parameters", (*place, *others)),
    ]


def _joint(dataset: xr.Dataset) -> Sequence[Table]:
    names = [str(name) for name in dataset.data_vars if dataset[name].dims == ("isotherm",)]
    return [
        _parameters(dataset),
        _correlations(dataset),
        columns_of(dataset, "isotherms", "Every isotherm", ("temperature", "field", *names)),
        _verdict(dataset),
    ]


def _rate_fit(dataset: xr.Dataset) -> Sequence[Table]:
    quality = ("chi2", "reduced_chi2", "aic", "aicc", "bic")
    row = tuple(float(dataset[name]) for name in quality)
    return [
        _parameters(dataset),
        _processes(dataset),
        _correlations(dataset),
        Table("quality", "Quality of the fit", tuple(map(Column, quality)), (row,)),
        _verdict(dataset),
    ]


def _parameters(dataset: xr.Dataset) -> Table:
    held = json.loads(dataset.attrs["inputs"]).get("fixed", {})
    columns = tuple(map(Column, ("parameter", "value", "error", "unit", "verdict")))
    rows: list[tuple[Cell, ...]] = []
    keys = ("parameter", "value", "error", "unit", "determined")
    for name, value, error, unit, known in zip(*(dataset[key].values.tolist() for key in keys), strict=True):
        said = "held" if name in held else "determined" if known else "NOT DETERMINED"
        rows.append((name, value, error, "" if unit == "1" else unit, said))
    title = f"{dataset.attrs['law']}: amplitudes are decimal logarithms"
    return Table("parameters", title, columns, tuple(rows))


def _processes(dataset: xr.Dataset) -> Table:
    aicc = float(dataset["aicc"])
    columns = (Column("process"), Column("largest_part_of_the_rate", fraction=True), Column("gain_in_aicc"))
    keys = ("process", "share_of_rate", "aicc_without")
    rows = tuple(
        (str(name), share, without - aicc)
        for name, share, without in zip(*(dataset[key].values.tolist() for key in keys), strict=True)
    )
    return Table("processes", "What every process adds", columns, rows if len(rows) > 1 else ())


def _correlations(dataset: xr.Dataset) -> Table:
    names = [str(name) for name in dataset["parameter"].values]
    matrix = dataset["correlation"].values.tolist()
    pairs = [(names[i], names[j], matrix[i][j]) for i in range(len(names)) for j in range(i + 1, len(names))]
    strong = sorted((row for row in pairs if abs(row[2]) > _CORRELATED), key=lambda row: -abs(row[2]))
    columns = (Column("parameter"), Column("other_parameter"), Column("correlation"))
    return Table("correlations", f"Correlations above {_CORRELATED:g}", columns, tuple(strong))


def _verdict(dataset: xr.Dataset) -> Table:
    lines = [line.strip() for line in str(dataset.attrs.get("verdict", "")).split(";")]
    return Table(
        "verdict", "What the data say", (Column("verdict"),), tuple((line,) for line in lines if line)
    )


def _comparison(dataset: xr.Dataset) -> Sequence[Table]:
    names = ("law", "parameters", "chi2", "reduced_chi2", "aicc", "bic", "weight", "verdict")
    return [columns_of(dataset, "laws", "Laws, the likeliest first", names)]


def _square_root(dataset: xr.Dataset) -> Sequence[Table]:
    names = ("temperature", "field", "m_0", "m_0_error", "rate", "rate_error", "curvature", "verdict")
    low, high = json.loads(dataset.attrs["inputs"])["window"]
    return [columns_of(dataset, "square_roots", f"Square-root law from {low:g} to {high:g} s", names)]


def _times(dataset: xr.Dataset) -> Sequence[Table]:
    names = [name for name in ("tau", "tau_error", "tau_lower", "tau_upper") if name in dataset]
    return [columns_of(dataset, "times", "Relaxation times", ("temperature", "field", *names))]


def _susceptibility(dataset: xr.Dataset) -> Sequence[Table]:
    """Return the limits of low and high frequency, and the mode with the largest weight."""
    places = ("temperature", "field")
    limits = [dataset[name].transpose(*places).values for name in ("chi_T", "chi_S")]
    imag = dataset["chi_imag"].transpose(*places, "frequency").values
    frequency = dataset["frequency"].values
    columns = [
        Column("temperature", "K"), Column("field", "T"), Column("chi_T", "mu_B/T"),
        Column("chi_S", "mu_B/T"), Column("highest_chi_imag_at", "Hz"),
    ]  # fmt: skip
    modes: list[Any] = []
    if "mode_rate" in dataset:
        modes = [dataset[f"mode_{name}"].transpose(*places, "mode").values for name in ("rate", "weight")]
        columns += [Column("time_of_main_mode", "s"), Column("its_part", fraction=True)]
    rows: list[tuple[Cell, ...]] = []
    for i, T in enumerate(dataset["temperature"].values.tolist()):
        for j, B in enumerate(dataset["field"].values.tolist()):
            peak = float(frequency[int(imag[i, j].argmax())])
            row: list[Cell] = [T, B, float(limits[0][i, j]), float(limits[1][i, j]), peak]
            if modes:
                rate, weight = modes[0][i, j], modes[1][i, j]
                main = int(weight.argmax())
                row += [1.0 / float(rate[main]) if rate[main] > 0.0 else math.inf]
                row += [float(weight[main] / weight.sum()) if weight.sum() > 0.0 else math.nan]
            rows.append(tuple(row))
    return [Table("response", "Response at every temperature and field", tuple(columns), tuple(rows))]


def _decay(dataset: xr.Dataset) -> Sequence[Table]:
    time = dataset["time"].values.tolist()
    fraction = dataset["fraction"].transpose("temperature", "time").values.tolist()
    rows = []
    for k, T in enumerate(dataset["temperature"].values.tolist()):
        start, end = (float(dataset[name].values[k]) for name in ("start", "equilibrium"))
        rows.append((T, start, end, _crossing(time, fraction[k]), fraction[k][-1]))
    columns = (
        Column("temperature", "K"), Column("start", "mu_B"), Column("equilibrium", "mu_B"),
        Column("time_to_1/e", "s"), Column("part_left_at_the_end", fraction=True),
    )  # fmt: skip
    return [Table("decays", "Decay after the jump of the field", columns, tuple(rows))]


def _crossing(time: Sequence[float], fraction: Sequence[float]) -> float:
    """Return the time at which 1/e is left, linear between the points; NaN where it is not among them.

    Examples
    --------
    >>> round(_crossing([0.0, 1.0, 2.0], [1.0, 0.5, 0.2]), 3)
    1.44
    """
    points = sorted(zip(time, fraction, strict=True))
    for (t, above), (later, below) in pairwise(points):
        if above >= _LEFT > below:
            return t + (later - t) * (above - _LEFT) / (above - below)
    return math.nan


def _cooling(dataset: xr.Dataset) -> Sequence[Table]:
    names = ("field", "peak_temperature", "irreversibility_temperature")
    curves = ("zfc", "fcc", "fcw", "equilibrium")
    temperatures = dataset["temperature"].values.tolist()
    first = dataset.isel(field=0)
    picked = spread_out(len(temperatures), 11)
    columns = (Column("temperature", "K"), *(Column(name, unit_of(dataset, name)) for name in curves))
    values = [temperatures, *(first[name].values.tolist() for name in curves)]
    rows = tuple(tuple(column[i] for column in values) for i in picked)
    return [
        columns_of(dataset, "cooling", "Maximum of ZFC, and where ZFC and FC part", names),
        Table("curves", f"Curves at {float(first['field']):g} T", columns, rows),
    ]


def _blocking(dataset: xr.Dataset) -> Sequence[Table]:
    places = ("field", "time")
    found, verdict = (dataset[name].transpose(*places).values for name in ("blocking_temperature", "verdict"))
    columns = (
        Column("field", "T"), Column("time", "s"), Column("blocking_temperature", "K"), Column("verdict"),
    )  # fmt: skip
    rows = tuple(
        (B, t, float(found[i, j]), str(verdict[i, j]))
        for i, B in enumerate(dataset["field"].values.tolist())
        for j, t in enumerate(dataset["time"].values.tolist())
    )
    return [Table("blocking", "Blocking temperature", columns, rows)]


RELAXATION_TABLES: Final[dict[str, Callable[[xr.Dataset], Sequence[Table]]]] = {
    "magnetometer": _magnetometer,
    "ac_fit": _fitted,
    "decay_fit": _fitted,
    "joint_ac_fit": _joint,
    "square_root_fit": _square_root,
    "relaxation_times": _times,
    "rate_fit": _rate_fit,
    "rate_comparison": _comparison,
    "ac_susceptibility": _susceptibility,
    "decay": _decay,
    "zfc_fc": _cooling,
    "blocking": _blocking,
}
"""The tables of each kind of result."""
