"""A spin system as the text of a molecule file, which `load` reads back."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mesospin.errors import InputError
from mesospin.model.environment import Defaults, Disorder
from mesospin.model.interactions import DzyaloshinskiiMoriya, Exchange, Hyperfine
from mesospin.model.schema import system_from_table
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, check_system
from mesospin.model.term import Term
from mesospin.model.terms import Quadrupole, SpinPower, Stevens, ZeroFieldSplitting

__all__ = ["system_from_text", "write_molecule"]


def write_molecule(system: SpinSystem, path: str | Path | None = None) -> str:
    """Return a spin system as the text of a molecule file (TOML), and write it to a file.

    Every number keeps all its digits: `load` reads back the same system, spins, terms, sources and
    surroundings; only the name of a variant is dropped, since the file holds that one alone.

    Parameters
    ----------
    system : SpinSystem
    path : str or Path, optional
        File to write; its name should end in ".toml".

    Returns
    -------
    str

    Raises
    ------
    InputError
        If a term is of a kind that a molecule file does not know, or the file cannot be written.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> print(write_molecule(giant_spin(1, D=-2.0, name="Ni")))
    name = "Ni"
    <BLANKLINE>
    [[spins]]
    S = 1.0
    g = 2.0
    label = "S"
    <BLANKLINE>
    [[terms]]
    kind = "spin-power"
    coefficient = "-2.0 K"
    z = 2
    <BLANKLINE>
    """
    check_system(system)
    top = {"name": system.name, "title": system.title, "sources": list(system.sources)}
    parts = [_entries(top)]
    parts += [_table("[[spins]]", _spin(spin)) for spin in system.spins]
    parts += [_table("[[terms]]", _term(term)) for term in system.terms]
    parts += _defaults(system.defaults)
    text = "\n".join(parts)
    if path is not None:
        try:
            Path(path).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(
                f"{str(path)!r} could not be written: {error.strerror}; choose another"
            ) from None
    return text


def system_from_text(text: str) -> SpinSystem:
    """Return the spin system that `write_molecule` wrote.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> system_from_text(write_molecule(giant_spin(1, D=-2.0))) == giant_spin(1, D=-2.0)
    True
    """
    return system_from_table(tomllib.loads(text), name="system")


def _spin(spin: Spin) -> Mapping[str, Any]:
    entries = {"S": float(spin.S), "g": _tensor(spin.g, lambda g: float(g)), "label": spin.label}
    return entries | ({"nuclear": True} if spin.nuclear else {})


_Entries = Mapping[str, Any]


def _zero_field(term: ZeroFieldSplitting) -> _Entries:
    return {"D": _kelvin(term.D), "E": _kelvin(term.E), "site": term.site, "frame": term.frame}


def _stevens(term: Stevens) -> _Entries:
    return {"k": term.k, "q": term.q, "B": _kelvin(term.B), "site": term.site, "frame": term.frame}


def _power(term: SpinPower) -> _Entries:
    return {"coefficient": _kelvin(term.coefficient), "z": term.z, "ladder": term.ladder, "site": term.site}


def _exchange(term: Exchange) -> _Entries:
    return {"i": term.i, "j": term.j, "J": _tensor(term.J, _kelvin), "convention": "+J"}


def _dm(term: DzyaloshinskiiMoriya) -> _Entries:
    return {"i": term.i, "j": term.j, "d": [_kelvin(d) for d in term.d]}


def _hyperfine(term: Hyperfine) -> _Entries:
    return {"i": term.i, "k": term.k, "A": _tensor(term.A, _kelvin), "frame": term.frame}


def _quadrupole(term: Quadrupole) -> _Entries:
    return {"k": term.k, "P": _kelvin(term.P), "eta": term.eta, "frame": term.frame}


_KINDS: Mapping[type[Term], tuple[str, Callable[[Any], _Entries]]] = {
    ZeroFieldSplitting: ("zero-field-splitting", _zero_field),
    Stevens: ("stevens", _stevens),
    SpinPower: ("spin-power", _power),
    Exchange: ("exchange", _exchange),
    DzyaloshinskiiMoriya: ("dzyaloshinskii-moriya", _dm),
    Hyperfine: ("hyperfine", _hyperfine),
    Quadrupole: ("quadrupole", _quadrupole),
}
#: What a reader of a file takes where these are left out.
_LEFT_OUT = (("site", 0), ("z", 0), ("ladder", 0), ("eta", 0.0), ("E", "0.0 K"), ("frame", None))


def _term(term: Term) -> Mapping[str, Any]:
    if type(term) not in _KINDS:
        raise InputError(
            f"system must have terms of the kinds of a molecule file, got {type(term).__name__}; leave it out"
        )
    kind, read = _KINDS[type(term)]
    entries = dict(read(term))
    if entries.get("frame") is not None:
        entries["frame"] = [_radian(angle) for angle in entries["frame"]]
    kept = {key: value for key, value in entries.items() if (key, value) not in _LEFT_OUT}
    return {"kind": kind, **kept}


def _defaults(defaults: Defaults) -> list[str]:
    parts = [] if defaults.crystal is None else [_table("[defaults]", {"crystal": defaults.crystal})]
    if defaults.phonons is not None:
        bath = defaults.phonons
        entries = {
            "density": f"{bath.density!r} kg/m^3", "sound_speed": f"{bath.sound_speed!r} m/s",
            "coupling": _kelvin(bath.coupling), "one_quantum": bath.one_quantum,
            "two_quanta": bath.two_quanta, "source": bath.source,
        }  # fmt: skip
        parts.append(_table("[defaults.phonons]", entries))
    if defaults.dipolar is not None:
        dipolar = {"width": _tesla(defaults.dipolar.width), "source": defaults.dipolar.source}
        parts.append(_table("[defaults.dipolar]", dipolar))
    if defaults.lattice is not None:
        lattice = defaults.lattice
        entries = {"theta": _kelvin(lattice.theta), "atoms": lattice.atoms, "source": lattice.source}
        parts.append(_table("[defaults.lattice]", entries))
    if defaults.disorder is not None:
        parts += _disorder(defaults.disorder)
    return parts


def _disorder(disorder: Disorder) -> list[str]:
    parts = [_table("[defaults.disorder]", {"source": disorder.source})]
    for member in disorder.members:
        entries = {"weight": member.weight, "tilt": _radian(member.tilt), "azimuth": _radian(member.azimuth)}
        fields = [_tesla(component) for component in member.transverse]
        parts.append(_table("[[defaults.disorder.members]]", entries | {"transverse": fields}))
        parts += [_table("[[defaults.disorder.members.terms]]", _term(term)) for term in member.terms]
    return parts


def _table(head: str, entries: Mapping[str, Any]) -> str:
    return f"{head}\n{_entries(entries)}"


def _entries(entries: Mapping[str, Any]) -> str:
    """Return ``key = value`` lines; empty texts and lists are left out."""
    kept = {key: value for key, value in entries.items() if value not in ("", [])}
    return "".join(f"{key} = {_value(value)}\n" for key, value in kept.items())


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    # A JSON text is a TOML text, save for the one control character that JSON need not escape.
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _tensor(rows: Sequence[Sequence[float]], write: Callable[[float], Any]) -> Any:
    """Return one value of an isotropic tensor, three of a diagonal one, else nine."""
    diagonal = [rows[k][k] for k in range(3)]
    if any(rows[a][b] for a in range(3) for b in range(3) if a != b):
        return [[write(entry) for entry in row] for row in rows]
    return write(diagonal[0]) if len(set(diagonal)) == 1 else [write(entry) for entry in diagonal]


def _kelvin(value: float) -> str:
    return f"{float(value)!r} K"


def _tesla(value: float) -> str:
    return f"{float(value)!r} T"


def _radian(value: float) -> str:
    return f"{float(value)!r} rad"
