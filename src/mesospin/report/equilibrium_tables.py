"""Tables of results in thermal equilibrium, at temperatures and fields spread over what was computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from mesospin.report.cells import Cell, Column, Table, columns_of, spread_out, unit_of

if TYPE_CHECKING:
    import xarray as xr

_SHOWN_ALONE: Final = 15
_SHOWN_FEW: Final = 4
_SHOWN_MANY: Final = 8
_ROUNDING: Final = 1e-12
_PLACES: Final = ("temperature", "field", "angle")


def _magnetisation(dataset: xr.Dataset) -> Sequence[Table]:
    names = ("magnetisation", "magnetisation_molar", "powder_difference")
    dataset = dataset.assign({name: _without_rounding(dataset[name]) for name in names[:2]})
    return [_points(dataset, "points", "Magnetisation per formula unit", names), _convergence(dataset)]


def _susceptibility(dataset: xr.Dataset) -> Sequence[Table]:
    if "component" in dataset["chi"].dims:
        tensor = dataset["chi_t"]
        chi_t = {f"chi_t_{c}{c}": tensor.sel(component=c, field_component=c, drop=True) for c in "xyz"}
        dataset = dataset.assign(chi_t).drop_vars(["chi", "chi_molar", "chi_t"])
        names: tuple[str, ...] = (*chi_t, "chi_along_molar", "mu_eff")
    else:
        names = ("chi_t", "chi_molar", "mu_eff")
    static = ("m_over_h_t", "m_over_h", "mu_eff_static") if dataset["field"].values.any() else ("m_over_h",)
    names = (*names, *static, "powder_difference")
    title = (
        "Susceptibility (cgs): chi and mu_eff from dM/dH, the static ones from M/H; mu_eff along the field"
    )
    return [_points(dataset, "points", title, names), _convergence(dataset)]


def _molar(title: str, *names: str) -> Callable[[xr.Dataset], Sequence[Table]]:
    def build(dataset: xr.Dataset) -> Sequence[Table]:
        return [
            _points(dataset, "points", title, (*names, "powder_difference")),
            _convergence(dataset),
        ]

    return build


def _torque(dataset: xr.Dataset) -> Sequence[Table]:
    clean = _without_rounding(dataset["torque"])
    components = {f"torque_{c}": clean.sel(component=c, drop=True) for c in "xyz"}
    if "torque_about" in dataset:
        components["torque_about"] = _without_rounding(dataset["torque_about"])
    spread = dataset.assign(components).drop_vars(["torque", "torque_molar", "moment"])
    names = ("torque_about", "torque_x", "torque_y", "torque_z")
    return [_extremes(dataset), _points(spread, "points", "Torque per formula unit", names)]


def _extremes(dataset: xr.Dataset) -> Table:
    """Return, for every temperature and field, the largest torque about the normal and its angle."""
    columns = (
        Column("temperature", "K"),
        Column("field", "T"),
        Column("largest_torque", "mu_B T"),
        Column("at_angle", "deg"),
    )
    title = "Largest torque while the field turns"
    if "angle" not in dataset.dims:
        return Table("extremes", title, columns, ())
    about = dataset["torque_about"]
    for dim in ("temperature", "field"):
        if dim not in about.dims:
            about = about.expand_dims(dim)
    about = about.transpose("temperature", "field", "angle")
    angles = dataset["angle"].values.tolist()
    rows: list[tuple[Cell, ...]] = []
    for T, of_fields in zip(about["temperature"].values.tolist(), about.values.tolist(), strict=True):
        for B, curve in zip(about["field"].values.tolist(), of_fields, strict=True):
            place = max(range(len(curve)), key=lambda i: abs(curve[i]))
            rows.append((T, B, curve[place], math.degrees(angles[place])))
    picked = spread_out(len(rows), _SHOWN_ALONE)
    return Table("extremes", title, columns, tuple(rows[i] for i in picked))


def _curie_weiss(dataset: xr.Dataset) -> Sequence[Table]:
    names = (
        *("low", "high", "points", "curie_constant", "curie_constant_error"),
        *("weiss_temperature", "weiss_temperature_error", "mu_eff"),
    )
    verdict = Table("verdict", "What it says", (Column("verdict"),), ((str(dataset.attrs["verdict"]),),))
    return [columns_of(dataset, "windows", "Curie-Weiss law in windows", names), verdict]


def _without_rounding(values: xr.DataArray) -> xr.DataArray:
    """Return moments with what vanishes by symmetry as 0."""
    return values.where(abs(values) > _ROUNDING * abs(values).max(), 0.0).assign_attrs(values.attrs)


def _convergence(dataset: xr.Dataset) -> Table:
    """Return what the powder average says about its convergence."""
    note = str(dataset.attrs.get("powder", ""))
    return Table("powder", "Powder average", (Column("convergence"),), ((note,),) if note else ())


def _points(dataset: xr.Dataset, key: str, title: str, names: Sequence[str]) -> Table:
    """Return variables at places spread over all temperatures and fields."""
    known = [name for name in names if name in dataset]
    dims = dataset[known[0]].dims
    whole = math.prod(dataset[known[0]].shape)
    thinned = dataset.isel(_picked(dataset[known[0]]))
    places = [name for name in _PLACES if name in dataset.coords]
    like = thinned[known[0]]
    values = [
        thinned[name].broadcast_like(like).transpose(*dims).values.reshape(-1).tolist()
        for name in (*places, *known)
    ]
    columns = [Column(name, unit_of(dataset, name)) for name in (*places, *known)]
    if "angle" in places:
        turn = places.index("angle")
        columns[turn] = Column("angle", "deg")
        values[turn] = [math.degrees(angle) for angle in values[turn]]
    rows = tuple(zip(*values, strict=True))
    if len(rows) < whole:
        title = f"{title}, {len(rows)} of {whole} points"
    return Table(key, title, tuple(columns), rows)


def _picked(values: xr.DataArray) -> dict[str, list[int]]:
    """Return positions along every dimension: many along the longest one, few along others."""
    lengths = {str(dim): values.sizes[dim] for dim in values.dims}
    several = [dim for dim, length in lengths.items() if length > 1]
    if not several:
        return {}
    if len(several) == 1:
        return {several[0]: spread_out(lengths[several[0]], _SHOWN_ALONE)}
    longest = max(several, key=lambda dim: lengths[dim])
    return {dim: spread_out(lengths[dim], _SHOWN_MANY if dim == longest else _SHOWN_FEW) for dim in several}


EQUILIBRIUM_TABLES: Final[dict[str, Callable[[xr.Dataset], Sequence[Table]]]] = {
    "magnetisation": _magnetisation,
    "susceptibility": _susceptibility,
    "heat_capacity": _molar("Magnetic heat capacity", "heat_capacity", "heat_capacity_reduced"),
    "entropy": _molar("Magnetic entropy", "entropy", "entropy_reduced"),
    "free_energy": _molar("Free energy", "free_energy", "free_energy_molar"),
    "torque": _torque,
    "curie_weiss": _curie_weiss,
}
