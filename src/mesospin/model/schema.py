"""The TOML schema of a molecule: the same for the library and for a user's file.

A file has ``[[spins]]``, ``[[terms]]`` (each with its ``kind``), ``sources``, optional ``[defaults.*]`` and
optional ``[variants.*]``, which replace some of these parts.  Numbers with a dimension are texts with a
unit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesospin import checks, units
from mesospin.errors import InvalidModelError
from mesospin.model.environment import DebyeLattice, Defaults, DipolarBath, Disorder, Member, PhononBath
from mesospin.model.interactions import DzyaloshinskiiMoriya, Exchange
from mesospin.model.ion_tables import Place, components, crystal_field_terms, hyperfine_term, named_spin
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem
from mesospin.model.tables import (
    Key,
    list_of,
    pair_of,
    quantity,
    read_flag,
    read_integer,
    read_number,
    read_subtable,
    read_table,
    read_text,
    tensor_of,
    within,
)
from mesospin.model.term import Term, frame_angle
from mesospin.model.terms import Quadrupole, SpinPower, Stevens, ZeroFieldSplitting

__all__ = ["disorder_from_table", "phonons_from_table", "system_from_table", "variant_names"]

_energy = quantity(units.to_kelvin, "-0.5 K")
_field = quantity(units.to_tesla, "25 mT")
_angle = quantity(units.to_radian, "0.6 deg")
_SITE = Key(read_integer)
_FRAME = Key(list_of(quantity(frame_angle, "90 deg"), at_least=3))
_SOURCE = Key(read_text)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A class that a table describes, with the keys of its constructor.

    ``on_places`` says that the constructor takes the spins of the file first.
    """

    build: Callable[..., Any]
    keys: Mapping[str, Key]
    on_places: bool = False


_SPIN = _Kind(
    Spin,
    {
        "S": Key(read_number, required=True),
        "g": Key(tensor_of(read_number), required=True),
        "label": Key(read_text),
        "nuclear": Key(read_flag),
        "source": _SOURCE,
    },
)

TERM_KINDS: Mapping[str, _Kind] = {
    "zero-field-splitting": _Kind(
        ZeroFieldSplitting,
        {"D": Key(_energy, required=True), "E": Key(_energy), "site": _SITE, "frame": _FRAME},
    ),
    "stevens": _Kind(
        Stevens,
        {
            "k": Key(read_integer, required=True),
            "q": Key(read_integer, required=True),
            "B": Key(_energy, required=True),
            "site": _SITE,
            "frame": _FRAME,
        },
    ),
    "crystal-field": _Kind(
        crystal_field_terms,
        {
            "values": Key(components(_energy), required=True),
            "notation": Key(read_text, required=True),
            "convention": Key(read_text),
            "site": _SITE,
            "frame": _FRAME,
        },
        on_places=True,
    ),
    "spin-power": _Kind(
        SpinPower,
        {
            "coefficient": Key(_energy, required=True),
            "z": Key(read_integer),
            "ladder": Key(read_integer),
            "site": _SITE,
        },
    ),
    "exchange": _Kind(
        Exchange,
        {
            "i": Key(read_integer, required=True),
            "j": Key(read_integer, required=True),
            "J": Key(tensor_of(_energy), required=True),
            "convention": Key(read_text, required=True),
        },
    ),
    "dzyaloshinskii-moriya": _Kind(
        DzyaloshinskiiMoriya,
        {
            "i": Key(read_integer, required=True),
            "j": Key(read_integer, required=True),
            "d": Key(list_of(_energy, at_least=3), required=True),
        },
    ),
    "hyperfine": _Kind(
        hyperfine_term,
        {
            "i": Key(read_integer, required=True),
            "k": Key(read_integer, required=True),
            "A": Key(tensor_of(_energy)),
            "inverse_cube": Key(read_number),
            "frame": _FRAME,
        },
        on_places=True,
    ),
    "quadrupole": _Kind(
        Quadrupole,
        {
            "k": Key(read_integer, required=True),
            "P": Key(_energy, required=True),
            "eta": Key(read_number),
            "frame": _FRAME,
        },
    ),
}

_PHONONS = _Kind(
    PhononBath,
    {
        "density": Key(quantity(units.to_kg_per_m3, "1830 kg/m^3"), required=True),
        "sound_speed": Key(quantity(units.to_metre_per_second, "2000 m/s"), required=True),
        "coupling": Key(_energy, required=True),
        "one_quantum": Key(read_number),
        "two_quanta": Key(read_number),
        "source": _SOURCE,
    },
)
_DIPOLAR = _Kind(DipolarBath, {"width": Key(_field, required=True), "source": _SOURCE})
_LATTICE = _Kind(
    DebyeLattice,
    {
        "theta": Key(quantity(units.to_thermodynamic_kelvin, "41 K"), required=True),
        "atoms": Key(read_number),
        "source": _SOURCE,
    },
)
_SOLVENT = _Kind(
    Disorder.solvent,
    {
        "E": Key(list_of(pair_of(_energy, read_number))),
        "tilt_width": Key(_angle),
        "transverse_width": Key(_field),
        "nodes": Key(read_integer),
        "site": _SITE,
        "source": _SOURCE,
    },
)
_MEMBER_KEYS: Mapping[str, Key] = {
    "weight": Key(read_number, required=True),
    "tilt": Key(_angle),
    "azimuth": Key(_angle),
    "transverse": Key(pair_of(_field, _field)),
    "terms": Key(lambda _name, value: value),
}

_PARTS: Mapping[str, Key] = {
    "title": Key(read_text),
    "sources": Key(list_of(read_text)),
    "spins": Key(lambda _name, value: value),
    "terms": Key(lambda _name, value: value),
    "defaults": Key(read_subtable),
}
_FILE: Mapping[str, Key] = {"name": Key(read_text), "variants": Key(read_subtable), **_PARTS}
_DEFAULTS: Mapping[str, Key] = {
    "phonons": Key(read_subtable),
    "dipolar": Key(read_subtable),
    "disorder": Key(read_subtable),
    "lattice": Key(read_subtable),
    "crystal": Key(read_text),
}


def system_from_table(table: Mapping[str, Any], *, name: str, variant: str = "") -> SpinSystem:
    """Return the system that a TOML table describes.

    Parameters
    ----------
    table : mapping
        Parsed TOML.
    name : str
        Name of the system if the table gives none.
    variant : str, default ""
        Which of the table's variants to take; empty for the file's own numbers.

    Returns
    -------
    SpinSystem

    Raises
    ------
    InputError
        If a key is unknown or missing, a number has no unit, or the model contradicts itself; the
        sentence says where in the file.

    Examples
    --------
    >>> table = {"spins": [{"S": 1, "g": 2.2}], "terms": [{"kind": "zero-field-splitting", "D": "-5 cm^-1"}]}
    >>> system_from_table(table, name="ni").terms[0].E
    0.0
    """
    parts = read_table(name, table, _FILE)
    if variant:
        parts = _with_variant(name, parts, variant)
    places, spin_sources = _read_spins(f"{name}.spins", parts.get("spins"))
    terms, term_sources = _read_terms(f"{name}.terms", parts.get("terms", []), places)
    defaults = _read_defaults(f"{name}.defaults", parts.get("defaults", {}), places)
    sources = dict.fromkeys([*parts.get("sources", ()), *spin_sources, *term_sources])
    system: SpinSystem = within(
        name,
        SpinSystem,
        parts.get("name", name),
        [place.spin for place in places],
        terms,
        sources=tuple(sources),
        defaults=defaults,
        title=parts.get("title", ""),
        variant=variant,
    )
    return system


def variant_names(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the variants of a table, in file order.

    Examples
    --------
    >>> variant_names({"variants": {"ins": {}, "epr": {}}})
    ('ins', 'epr')
    """
    variants = table.get("variants", {})
    return tuple(variants) if isinstance(variants, Mapping) else ()


def _with_variant(name: str, parts: dict[str, Any], variant: str) -> dict[str, Any]:
    variants = parts.get("variants", {})
    if variant not in variants:
        hint = checks.nearest(variant, variants)
        raise InvalidModelError(f"{name} must have the variant that is asked for, got {variant!r}; {hint}")
    changes = read_table(f"{name}.variants.{variant}", variants[variant], _PARTS)
    merged = {**parts, **changes}
    if "defaults" in changes:
        merged["defaults"] = {**parts.get("defaults", {}), **changes["defaults"]}
    return merged


def _entries(where: str, value: Any) -> list[tuple[str, Any]]:
    """Return the tables of a list with their names."""
    if not isinstance(value, list):
        raise InvalidModelError(
            f"{where} must be a list of tables, got {value!r}; write [[{where.split('.')[-1]}]]"
        )
    return [(f"{where}[{i}]", item) for i, item in enumerate(value)]


def _read_spins(where: str, value: Any) -> tuple[list[Place], list[str]]:
    places, sources = [], []
    for place, table in _entries(where, value):
        named = named_spin(place, table)
        if named is None:
            values = read_table(place, table, _SPIN.keys)
            values.pop("source", None)
            named = Place(within(place, _SPIN.build, **values))
        places.append(named)
        sources += [text for text in (table.get("source", ""), named.source) if text]
    return places, sources


def _read_terms(where: str, value: Any, places: Sequence[Place]) -> tuple[list[Term], list[str]]:
    terms: list[Term] = []
    sources = []
    for place, table in _entries(where, value):
        if not isinstance(table, Mapping) or "kind" not in table:
            raise InvalidModelError(
                f"{place} must have the key 'kind', got {table!r}; choose {', '.join(TERM_KINDS)}"
            )
        kind = TERM_KINDS[checks.one_of(f"{place}.kind", table["kind"], tuple(TERM_KINDS))]
        rest = {key: entry for key, entry in table.items() if key != "kind"}
        values = read_table(place, rest, {**kind.keys, "source": _SOURCE})
        sources += [values.pop("source")] if "source" in values else []
        made = within(place, kind.build, *([places] if kind.on_places else []), **values)
        terms += made if isinstance(made, tuple) else [made]
    return terms, sources


def _build(where: str, table: Any, kind: _Kind) -> Any:
    values = read_table(where, table, kind.keys)
    return within(where, kind.build, **values)


def _read_defaults(where: str, table: Any, places: Sequence[Place]) -> Defaults:
    parts = read_table(where, table, _DEFAULTS)
    built = {
        key: _build(f"{where}.{key}", parts[key], kind)
        for key, kind in (("phonons", _PHONONS), ("dipolar", _DIPOLAR), ("lattice", _LATTICE))
        if key in parts
    }
    if "disorder" in parts:
        built["disorder"] = disorder_from_table(f"{where}.disorder", parts["disorder"], places)
    return Defaults(crystal=parts.get("crystal"), **built)


def phonons_from_table(where: str, table: Any) -> PhononBath:
    """Return a bath of phonons from a table.

    Examples
    --------
    >>> table = {"density": "1830 kg/m^3", "sound_speed": "2 km/s", "coupling": "0.5 K"}
    >>> phonons_from_table("bath", table).sound_speed
    2000.0
    """
    bath: PhononBath = _build(where, table, _PHONONS)
    return bath


def disorder_from_table(where: str, table: Any, places: Sequence[Place] = ()) -> Disorder:
    """Return an ensemble from a table: either the keys of the solvent ensemble, or ``members``.

    ``places`` are the spins, which a member's crystal field refers to.

    Examples
    --------
    >>> len(disorder_from_table("disorder", {"E": [["0 K", 0.5], ["2 mK", 0.5]]}).members)
    2
    """
    if not isinstance(table, Mapping) or "members" not in table:
        disorder: Disorder = _build(where, table, _SOLVENT)
        return disorder
    parts = read_table(
        where, table, {"members": Key(list_of(read_subtable), required=True), "source": _SOURCE}
    )
    members = []
    for i, raw in enumerate(parts["members"]):
        place = f"{where}.members[{i}]"
        values = read_table(place, raw, _MEMBER_KEYS)
        values["terms"] = _read_terms(f"{place}.terms", values.get("terms", []), places)[0]
        members.append(within(place, Member, **values))
    made: Disorder = within(where, Disorder, members, parts.get("source", ""))
    return made
