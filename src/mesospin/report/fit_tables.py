"""Tables of fits: what was found, what the data leave open, how every data set and start fared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from mesospin.report.cells import Cell, Column, Table, columns_of

if TYPE_CHECKING:
    import xarray as xr

#: Correlation from which a pair of parameters is listed.
_CORRELATED: Final = 0.9
#: Excess of chi2, in parts of the reduced one, below which a start has reached the best minimum.
_REACHED: Final = 0.02


def _fit(dataset: xr.Dataset) -> Sequence[Table]:
    return [
        _parameters(dataset),
        _correlations(dataset),
        _sets(dataset),
        _starts(dataset),
        _verdict(dataset, [str(name) for name in dataset["parameter"].values]),
    ]


def _parameters(dataset: xr.Dataset) -> Table:
    names = ("parameter", "value", "error", "unit", "initial", "lower", "upper")
    values = {name: dataset[name].values.tolist() for name in (*names, "tied")}
    rows: list[tuple[Cell, ...]] = []
    for row in zip(*(values[name] for name in names), values["tied"], strict=True):
        name, value, error, unit, start, low, high, tied = row
        known = error if math.isfinite(error) else math.nan
        verdict = _said_of(value, error, (low, high), tied=tied)
        bounds = (_bound(low), _bound(high))
        rows.append((name, value, known, "" if unit == "1" else unit, start, *bounds, verdict))
    columns = ("parameter", "value", "error", "unit", "start", "lower", "upper", "verdict")
    return Table("parameters", "Parameters", tuple(map(Column, columns)), tuple(rows))


def _bound(value: float) -> float | str:
    return value if math.isfinite(value) else "none"


def _said_of(value: float, error: float, bounds: tuple[float, float], *, tied: bool) -> str:
    """Return whether the data determine a parameter, in a few words."""
    if not math.isfinite(error):
        return "NOT DETERMINED"
    if tied:
        return "tied"
    if min(value - bounds[0], bounds[1] - value) < error:
        return "its error reaches a bound"
    return "determined" if error < abs(value) else "zero within its error"


def _correlations(dataset: xr.Dataset) -> Table:
    free = [k for k, tied in enumerate(dataset["tied"].values.tolist()) if not tied]
    names = [str(name) for name in dataset["parameter"].values]
    matrix = dataset["correlation"].values.tolist()
    pairs = [(names[i], names[j], matrix[i][j]) for i in free for j in free if i < j]
    strong = [row for row in pairs if abs(row[2]) > _CORRELATED]
    rows = tuple(sorted(strong, key=lambda row: -abs(row[2])))
    columns = (Column("parameter"), Column("other_parameter"), Column("correlation"))
    return Table("correlations", f"Correlations above {_CORRELATED:g}", columns, rows)


def _sets(dataset: xr.Dataset) -> Table:
    labels = [str(label) for label in dataset["set"].values]
    quantities = [str(text) for text in dataset["set_quantity"].values]
    points, squares = dataset["set_points"].values.tolist(), dataset["set_chi2"].values.tolist()
    largest = [
        float(abs(dataset["residual"].values[dataset["data_set"].values == label]).max()) for label in labels
    ]
    columns = ("set", "quantity", "points", "chi2", "chi2_per_point", "largest_residual")
    ratios = [total / count for total, count in zip(squares, points, strict=True)]
    rows = tuple(zip(labels, quantities, points, squares, ratios, largest, strict=True))
    total, reduced = float(dataset["chi2"]), float(dataset["reduced_chi2"])
    freedom = int(dataset["degrees_of_freedom"])
    title = f"Data sets: chi2 = {total:.5g} for {freedom} degrees of freedom, reduced {reduced:.4g}"
    return Table("data_sets", title, tuple(map(Column, columns)), rows)


def _starts(dataset: xr.Dataset) -> Table:
    squares = dataset["start_chi2"].values.tolist()
    reached = dataset["start_value"].transpose("start", "parameter").values.tolist()
    names = [str(name) for name in dataset["parameter"].values]
    reduced = float(dataset["reduced_chi2"])
    limit = float(dataset["chi2"]) + _REACHED * max(reduced if math.isfinite(reduced) else 0.0, 1e-12)
    agreed = [total <= limit for total in squares]
    rows = tuple(
        (k, total, "the best" if good else "another" if math.isfinite(total) else "did not converge", *values)
        for k, (total, good, values) in enumerate(zip(squares, agreed, reached, strict=True))
    )
    columns = (Column("start"), Column("chi2"), Column("minimum"), *(Column(name) for name in names))
    return Table("starts", f"Starts: {sum(agreed)} of {len(rows)} reached the best minimum", columns, rows)


def _verdict(dataset: xr.Dataset, parameters: Sequence[str] = ()) -> Table:
    lines = str(dataset.attrs.get("verdict", "")).splitlines()
    kept = [line for line in lines if line.split(" = ")[0] not in parameters]
    rows = tuple((line,) for line in kept if line)
    return Table("verdict", "What the data say", (Column("verdict"),), rows)


def _curie_weiss(dataset: xr.Dataset) -> Sequence[Table]:
    names = ("low", "high", "points", "curie_constant", "curie_constant_error", "weiss_temperature")
    more = ("weiss_temperature_error", "mu_eff", "mu_eff_error")
    title = "Curie-Weiss law in windows, the asked-for one first"
    return [columns_of(dataset, "windows", title, (*names, *more)), _verdict(dataset)]


FIT_TABLES: Final[dict[str, Callable[[xr.Dataset], Sequence[Table]]]] = {
    "fit": _fit,
    "curie_weiss": _curie_weiss,
}
