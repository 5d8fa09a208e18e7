"""Tables of resonance and scattering: lines with their levels and intensities, strongest first."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from mesospin.report.cells import Cell, Column, Table, spread_out

if TYPE_CHECKING:
    import xarray as xr

_SHOWN_LINES: Final = 30
_SHOWN_FIELDS: Final = 7
_SHOWN_AT_A_FIELD: Final = 3
_FAINT: Final = 1e-6
_ONE_ENERGY: Final = 1e-6


def _at_each_temperature(dataset: xr.Dataset, name: str) -> Iterator[tuple[float, Any]]:
    """Yield every temperature and the values of a variable there, the coldest first."""
    temperatures = dataset["temperature"].values.reshape(-1)
    for index in temperatures.argsort():
        here = dataset.isel(temperature=int(index)) if "temperature" in dataset.dims else dataset
        yield float(temperatures[index]), here[name].values


def _relative(values: Any) -> list[float]:
    """Return values over the largest finite one."""
    finite = [value for value in values.tolist() if math.isfinite(value)]
    largest = max(finite, default=0.0) or 1.0
    return [value / largest for value in values.tolist()]


def _resonance_fields(dataset: xr.Dataset) -> Sequence[Table]:
    temperatures, intensities = zip(*_at_each_temperature(dataset, "intensity"), strict=True)
    strongest = [max(entry) for entry in zip(*map(_relative, intensities), strict=True)]
    count = len(strongest)
    order = sorted(range(count), key=lambda k: (-strongest[k], float(dataset["field"].values[k])))
    picked = [k for k in order if strongest[k] >= _FAINT or dataset["selection"].values[k] == "forbidden"]
    names = ("field", "level_from", "level_to", "label_from", "label_to", "selection", "g_slope", "turning")
    units = {"field": "T"}
    shown = [name for name in names if name != "turning" or bool(dataset["turning"].values.any())]
    columns = (
        *(Column(name, units.get(name, "")) for name in shown),
        *(Column(f"intensity_at_{T:g}_K", "mu_B^2") for T in temperatures),
        Column("relative"),
    )
    values = [dataset[name].values.tolist() for name in shown]
    at_each = [entry.tolist() for entry in intensities]
    rows = tuple(
        (*(column[k] for column in values), *(column[k] for column in at_each), strongest[k])
        for k in picked[:_SHOWN_LINES]
    )
    frequency = float(dataset["frequency"])
    title = f"Lines at {frequency:.6g} GHz, {len(rows)} of {count}, the strongest first"
    return [Table("lines", title, columns, rows)]


_AT_ONE_FIELD: Final = (
    Column("frequency", "GHz"), Column("energy", "K"), Column("level_from"), Column("level_to"),
    Column("selection"), Column("strength", "mu_B^2"),
)  # fmt: skip


def _resonance_frequencies(dataset: xr.Dataset) -> Sequence[Table]:
    several = "field" in dataset.dims
    temperature, _ = next(_at_each_temperature(dataset, "intensity"))
    cold = dataset
    if "temperature" in dataset.dims:
        cold = dataset.isel(temperature=int(dataset["temperature"].values.argmin()))
    fields = dataset["field"].values.reshape(-1).tolist()
    rows: list[tuple[Cell, ...]] = []
    for k in spread_out(len(fields), _SHOWN_FIELDS):
        here = cold.isel(field=k) if several else cold
        share = _relative(here["intensity"].values)
        order = sorted(range(len(share)), key=lambda i: -share[i])
        lit = [i for i in order if share[i] >= _FAINT]
        values = [here[column.name].values.tolist() for column in _AT_ONE_FIELD]
        for i in lit[: _SHOWN_AT_A_FIELD if several else _SHOWN_LINES]:
            rows.append((fields[k], *(column[i] for column in values), share[i]))
    columns = (Column("field", "T"), *_AT_ONE_FIELD, Column("relative_at_the_field"))
    what = f"the strongest at {temperature:g} K at {len(set(row[0] for row in rows))} of {len(fields)} fields"
    title = f"Transitions, {what}" if several else f"Transitions at {fields[0]:g} T, {temperature:g} K"
    return [Table("transitions", title, columns, tuple(rows))]


def _epr_spectrum(dataset: xr.Dataset) -> Sequence[Table]:
    """Return the maxima of the absorption, strongest first."""
    swept, unit = ("field", "T") if "field" in dataset.dims else ("frequency", "GHz")
    places = dataset[swept].values.tolist()
    rows: list[tuple[Cell, ...]] = []
    for temperature, absorption in _at_each_temperature(dataset, "absorption"):
        values, share = absorption.tolist(), _relative(absorption)
        peaks = [
            k
            for k in range(1, len(values) - 1)
            if values[k - 1] < values[k] >= values[k + 1] and share[k] >= _FAINT
        ]
        peaks.sort(key=lambda k: -values[k])
        rows += [(temperature, places[k], values[k], share[k]) for k in peaks[: _SHOWN_LINES // 2]]
    columns = (
        Column("temperature", "K"),
        Column(swept, unit),
        Column("absorption", "mu_B/T"),
        Column("relative"),
    )
    tables = [Table("maxima", "Maxima of the absorption, strongest first", columns, tuple(rows))]
    if "powder" in dataset.attrs:
        account = ((str(dataset.attrs["powder"]),),)
        tables.append(Table("powder", "Powder average", (Column("convergence"),), account))
    return tables


def _neutron_spectrum(dataset: xr.Dataset) -> Sequence[Table]:
    """Return the transitions in the range, those of one energy together, strongest first."""
    energies = dataset["level_energy"].values
    low, high = (float(end) for end in dataset["energy"].values[[0, -1]])
    same = _ONE_ENERGY * float(energies.max() or 1.0)
    to_mev = (dataset["energy_mev"].values[-1] - dataset["energy_mev"].values[0]) / (high - low)
    gap = dataset["transition_energy"].values.ravel()
    order = [int(k) for k in gap.argsort() if low <= gap[k] <= high]
    groups: list[list[int]] = []
    for k in order:
        if groups and gap[k] - gap[groups[-1][-1]] <= same:
            groups[-1].append(k)
        else:
            groups.append([k])
    rows: list[tuple[Cell, ...]] = []
    for temperature, population in _at_each_temperature(dataset, "population"):
        weight = (population[:, None] * dataset["strength"].values).ravel()
        lines = [_scattered(members, gap, weight, same) for members in groups]
        lines.sort(key=lambda line: -line[-1])
        top = max((line[-1] for line in lines if line[0]), default=0.0) or max(
            (line[-1] for line in lines), default=1.0
        )
        seen = [line for line in lines if line[-1] >= _FAINT * top][: _SHOWN_LINES // 2]
        for energy, leading, count, total in seen:
            levels = divmod(leading, len(energies))
            rows.append((temperature, energy * to_mev, energy, *levels, count, total, total / top))
    columns = (
        Column("temperature", "K"), Column("energy_loss", "meV"), Column("in_kelvin", "K"),
        Column("level_from"), Column("level_to"), Column("transitions"), Column("intensity", "mu_B^2"),
        Column("over_strongest_inelastic"),
    )  # fmt: skip
    field = float(dataset["field"])
    interference = json.loads(dataset.attrs["inputs"]).get("interference", "None")
    limit = "" if interference == "None" else ", with interference of the ions"
    title = f"Neutron transitions at {field:g} T{limit}, strongest first; 0 is elastic"
    return [Table("lines", title, columns, tuple(rows))]


def _scattered(members: list[int], gap: Any, weight: Any, same: float) -> tuple[float, int, int, float]:
    """Return energy, leading transition, number and intensity of transitions of one energy."""
    leading = max(members, key=lambda k: float(weight[k]))
    energy = float(gap[leading])
    return (0.0 if abs(energy) <= same else energy), leading, len(members), float(weight[members].sum())


SPECTROSCOPY_TABLES: Final[dict[str, Callable[[xr.Dataset], Sequence[Table]]]] = {
    "resonance_fields": _resonance_fields,
    "resonance_frequencies": _resonance_frequencies,
    "epr_spectrum": _epr_spectrum,
    "neutron_spectrum": _neutron_spectrum,
}
