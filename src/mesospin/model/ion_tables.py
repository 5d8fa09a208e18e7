"""The part of the TOML schema on ions and nuclei: named spins, crystal fields, hyperfine couplings."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mesospin.errors import InputError, InvalidModelError
from mesospin.model.crystal_field import crystal_field
from mesospin.model.interactions import Hyperfine
from mesospin.model.ions import Ion, ion
from mesospin.model.lanthanides import hyperfine_constant
from mesospin.model.nuclei import Nucleus, nucleus
from mesospin.model.spin import Spin
from mesospin.model.tables import (
    Key,
    Reader,
    read_integer,
    read_number,
    read_table,
    read_text,
    tensor_of,
    within,
)
from mesospin.model.terms import Stevens

__all__ = ["Place", "components", "crystal_field_terms", "hyperfine_term", "named_spin"]


class Place(NamedTuple):
    """A spin of a file, with the ion or the isotope that names it, and the source of that name's numbers."""

    spin: Spin
    ion: Ion | None = None
    isotope: Nucleus | None = None
    source: str = ""


_ION: Mapping[str, Key] = {
    "ion": Key(read_text, required=True),
    "g": Key(tensor_of(read_number)),
    "label": Key(read_text),
    "source": Key(read_text),
}
_ISOTOPE: Mapping[str, Key] = {
    "isotope": Key(read_text, required=True),
    "label": Key(read_text),
    "source": Key(read_text),
}
#: What the name of a spin says already.
_IMPLIED = {"ion": ("S", "nuclear", "isotope"), "isotope": ("S", "g", "nuclear")}


def named_spin(where: str, table: Any) -> Place | None:
    """Return the spin of a table that has the key ``ion`` or ``isotope``, None for another table.

    Examples
    --------
    >>> place = named_spin("spin", {"ion": "Er3+"})
    >>> place.spin.S, place.spin.g[0][0], place.ion.name
    (7.5, 1.2, 'Er3+')
    >>> named_spin("spin", {"isotope": "167Er"}).spin.nuclear
    True
    """
    name = next((key for key in _IMPLIED if isinstance(table, Mapping) and key in table), None)
    if name is None:
        return None
    for key in _IMPLIED[name]:
        if key in table:
            raise InvalidModelError(
                f"{where} must not have the key {key!r} beside {name!r}, got both; remove one of them"
            )
    values = read_table(where, table, _ION if name == "ion" else _ISOTOPE)
    if name == "ion":
        multiplet: Ion = within(where, ion, values["ion"])
        spin: Spin = within(where, multiplet.spin)
        spin = within(where, Spin, spin.S, values.get("g", spin.g), values.get("label", spin.label))
        return Place(spin, ion=multiplet, source=f"{multiplet.describe()}: Hund's rules")
    kernel: Nucleus = within(where, nucleus, values["isotope"])
    spin = kernel.site()
    spin = Spin(spin.S, spin.g, values.get("label", spin.label), nuclear=True)
    return Place(spin, isotope=kernel, source=kernel.describe())


def components(energy: Reader) -> Reader:
    """Return a reader for a list of components [k, q, value], which becomes a mapping of (k, q).

    Examples
    --------
    >>> from mesospin.model.tables import quantity
    >>> from mesospin.units import to_kelvin
    >>> components(quantity(to_kelvin, "1 K"))("values", [[2, 0, "-1.35 K"], [4, -4, "0.5 K"]])
    {(2, 0): -1.35, (4, -4): 0.5}
    """

    def read(name: str, value: Any) -> dict[tuple[int, int], float]:
        if not isinstance(value, list) or not value:
            raise InputError(f'{name} must be a list of components, got {value!r}; write [[2, 0, "-1.35 K"]]')
        found: dict[tuple[int, int], float] = {}
        for i, entry in enumerate(value):
            place = f"{name}[{i}]"
            if not isinstance(entry, list) or len(entry) != 3:
                raise InputError(f'{place} must be [k, q, value], got {entry!r}; write [4, -3, "18 mK"]')
            key = (read_integer(f"{place}[0]", entry[0]), read_integer(f"{place}[1]", entry[1]))
            if key in found:
                raise InputError(f"{place} must be a new component, got k = {key[0]}, q = {key[1]} twice")
            found[key] = energy(f"{place}[2]", entry[2])
        return found

    return read


def crystal_field_terms(
    places: Sequence[Place],
    *,
    values: Mapping[tuple[int, int], float],
    notation: str,
    convention: str | None = None,
    site: int = 0,
    frame: Sequence[float] | None = None,
) -> tuple[Stevens, ...]:
    """Return the Stevens terms of a crystal field of the ion on a site.

    Examples
    --------
    >>> places = [named_spin("spin", {"ion": "Er3+"})]
    >>> crystal_field_terms(places, values={(2, 0): -1.35}, notation="B")[0].B
    -1.35
    """
    multiplet = places[site].ion if 0 <= site < len(places) else None
    if multiplet is None:
        raise InvalidModelError(
            f"crystal-field must act on a spin that is named by its ion, got site {site}; write for example "
            'ion = "Er3+" for that spin, or give stevens terms'
        )
    return crystal_field(multiplet, values, notation=notation, convention=convention, site=site, frame=frame)


def hyperfine_term(
    places: Sequence[Place],
    *,
    i: int,
    k: int,
    A: Any = None,
    inverse_cube: float | None = None,
    frame: Sequence[float] | None = None,
) -> Hyperfine:
    """Return a hyperfine term from its tensor, or from the mean of r^-3 of an ion and its isotope.

    Examples
    --------
    >>> places = [named_spin("J", {"ion": "Ho3+"}), named_spin("I", {"isotope": "165Ho"})]
    >>> round(hyperfine_term(places, i=0, k=1, inverse_cube=9.34).A[0][0], 5)
    0.03897
    """
    if (A is None) == (inverse_cube is None):
        raise InvalidModelError(
            "hyperfine must have one of the keys 'A' and 'inverse_cube', got "
            + ("none; give A" if A is None else "both; remove one of them")
        )
    if inverse_cube is None:
        return Hyperfine(i, k, A, frame)
    named = all(0 <= site < len(places) for site in (i, k))
    multiplet, kernel = (places[i].ion, places[k].isotope) if named else (None, None)
    if multiplet is None or kernel is None:
        raise InvalidModelError(
            f"inverse_cube must belong to an ion and an isotope that are named, got the sites {i} and {k}; "
            "name them, or give A"
        )
    return Hyperfine(i, k, hyperfine_constant(multiplet, kernel, inverse_cube=inverse_cube), frame)
