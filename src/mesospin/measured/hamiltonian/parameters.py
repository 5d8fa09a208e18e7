r"""Names of the numbers in a spin system that a fit may vary, and the Hamiltonian as a function of them.

Every such number enters the Hamiltonian linearly, so that

.. math:: H(p, \mathbf B) = H_0 + \mathbf B\cdot\mathbf G + \sum_k p_k (O_k + \mathbf B\cdot\mathbf Q_k)

with operators that are built once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import nearest
from mesospin.errors import InputError
from mesospin.model.interactions import DzyaloshinskiiMoriya, Exchange, Hyperfine
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem
from mesospin.model.term import Term
from mesospin.model.terms import Quadrupole, SpinPower, Stevens, ZeroFieldSplitting
from mesospin.spectrum.matrices import affine_hamiltonian

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_AXES = "xyz"
_OFF_DIAGONAL = frozenset(["xy", "xz", "yx", "yz", "zx", "zy"])


@dataclass(frozen=True, slots=True)
class Slot:
    """A number of a term or of a spin: what it is called, which entries it fills, how it is read and put."""

    stem: str
    cells: frozenset[str]
    get: Callable[[Any], float]
    put: Callable[[Any, float], Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of a spin system that a fit may vary.

    Parameters
    ----------
    name : str
        A valid Python name: ``D``, ``B40``, ``B4m3`` (q = -3), ``g``, ``gx``, ``Jz``; with the
        sites (``D_0``, ``J_0_1``) where several terms would have the same name.
    unit : str
        "K", or "1" for g.
    owner : str
        The term or spin that it belongs to, in words.
    place : tuple of (str, int)
        ("term" or "spin", index).
    slot : Slot
    """

    name: str
    unit: str
    owner: str
    place: tuple[str, int]
    slot: Slot

    def value(self, system: SpinSystem) -> float:
        """Return the number that the system has."""
        return self.slot.get(self._owner(system))

    def put(self, system: SpinSystem, value: float) -> SpinSystem:
        """Return a copy of the system with another number."""
        kind, index = self.place
        items: list[Any] = list(system.terms if kind == "term" else system.spins)
        items[index] = self.slot.put(items[index], value)
        return system.replace(**{"terms" if kind == "term" else "spins": tuple(items)})

    def operator(self, system: SpinSystem) -> tuple[Complexes, Complexes]:
        """Return O (n, n) and Q (3, n, n), the derivatives of H0 [K] and G [K/T] by this number."""
        kind, index = self.place
        spins = [Spin(spin.S, 0.0, spin.label, spin.nuclear) for spin in system.spins]
        terms: list[Term] = []
        if kind == "term":
            terms = [self.slot.put(_cleared(system.terms[index]), 1.0)]
        else:
            spins[index] = self.slot.put(spins[index], 1.0)
        H = affine_hamiltonian(SpinSystem(f"operator of {self.name}", spins, terms))
        return H.H0, H.G

    def is_idle(self, system: SpinSystem) -> bool:
        """Return whether it is an entry beside the diagonal of a tensor, and zero."""
        return self.slot.cells <= _OFF_DIAGONAL and self.value(system) == 0.0

    def _owner(self, system: SpinSystem) -> Any:
        return (system.terms if self.place[0] == "term" else system.spins)[self.place[1]]


def parameters_of(system: SpinSystem) -> dict[str, Parameter]:
    """Return the parameters of a system by name.

    The names are those of the attributes: D and E of `ZeroFieldSplitting` and of `giant_spin` (there also A4
    and C4), B and rank and component of `Stevens` (``B40``, ``B4m3`` for q = -3), J of `Exchange` in the
    +J convention (``Jx``, ``Jxy`` for one entry), A of `Hyperfine`, P of `Quadrupole`, ``dx`` of
    `DzyaloshinskiiMoriya`, g of a spin (``gx``, ``gxy`` for one entry; ``gn`` of a nucleus).  Sites are
    appended where a name would not be unique: ``D_0``, ``J_0_1``.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> [name for name in parameters_of(giant_spin(2, D=-1.0, E=0.1)) if "g" not in name]
    ['D', 'E']
    """
    found: list[Parameter] = []
    for index, term in enumerate(system.terms):
        sites = "_".join(str(site) for site in term.sites)
        owner = f"{type(term).__name__} on site {sites.replace('_', ' and ')}"
        for slot in _slots(term):
            found.append(Parameter(f"{slot.stem}_{sites}", "K", owner, ("term", index), slot))
    for index, spin in enumerate(system.spins):
        for slot in _g_slots(spin):
            found.append(Parameter(f"{slot.stem}_{index}", "1", f"spin {index}", ("spin", index), slot))
    stems = [entry.slot.stem for entry in found]
    named: dict[str, Parameter] = {}
    clashes = {entry.name for entry in found if sum(other.name == entry.name for other in found) > 1}
    for entry in found:
        if entry.name in clashes:
            continue
        # "g" stands for one spin only where "gx" does
        entrywise = entry.slot.stem + "x"
        unique = stems.count(entrywise if entrywise in stems else entry.slot.stem) == 1
        name = entry.slot.stem if unique else entry.name
        named[name] = Parameter(name, entry.unit, entry.owner, entry.place, entry.slot)
    return named


def pick_parameters(system: SpinSystem, names: Sequence[str]) -> tuple[Parameter, ...]:
    """Return the named parameters of a system.

    Raises
    ------
    InputError
        If a name is unknown or two of them stand for the same number.
    """
    known = parameters_of(system)
    aliases = {f"{entry.slot.stem}_{_sites(system, entry)}": entry for entry in known.values()}
    shown = [name for name, entry in known.items() if not entry.is_idle(system)]
    for name in names:
        if name not in known and name not in aliases:
            raise InputError(
                f"vary must name numbers of the Hamiltonian ({', '.join(shown)}), got {name!r}; "
                f"{nearest(name, shown)}, or add its term to the system with the value 0"
            )
    chosen = tuple(known.get(name) or aliases[name] for name in names)
    for i, first in enumerate(chosen):
        for second in chosen[i + 1 :]:
            if first.place == second.place and first.slot.cells & second.slot.cells:
                raise InputError(
                    f"vary must not name one number twice, got {first.name!r} and {second.name!r}; drop one"
                )
    return chosen


def with_values(system: SpinSystem, values: dict[str, float]) -> SpinSystem:
    """Return a copy of a system with numbers replaced by name.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> with_values(giant_spin(2, D=-1.0), {"D": -2.0}).terms[0].coefficient
    -2.0
    """
    for parameter, value in zip(pick_parameters(system, list(values)), values.values(), strict=True):
        system = parameter.put(system, float(value))
    return system


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """The Hamiltonian as a function of its parameters.

    Parameters
    ----------
    system : SpinSystem
        With the values to start from.
    parameters : tuple of Parameter
    H0 : ndarray, shape (n, n) [K]
    G : ndarray, shape (3, n, n) [K/T]
        What does not depend on them.
    O : ndarray, shape (p, n, n)
    Q : ndarray, shape (p, 3, n, n)
        Derivatives of H0 and of G.
    """

    system: SpinSystem
    parameters: tuple[Parameter, ...]
    H0: Complexes
    G: Complexes
    O: Complexes
    Q: Complexes

    def at(self, values: Floats) -> tuple[Complexes, Complexes]:
        """Return H0 (n, n) [K] and G (3, n, n) [K/T] for values of the parameters."""
        H0 = self.H0 + np.tensordot(values, self.O, 1)
        return H0, self.G + np.tensordot(values, self.Q, 1)

    @property
    def with_field(self) -> NDArray[np.intp]:
        """Indices of the parameters that multiply the field (g)."""
        return np.flatnonzero(self.Q.any(axis=(1, 2, 3)))

    def system_at(self, values: Floats) -> SpinSystem:
        """Return the spin system with these values."""
        system = self.system
        for parameter, value in zip(self.parameters, values, strict=True):
            system = parameter.put(system, float(value))
        return system

    def generic_system(self) -> SpinSystem:
        """Return a member of the family without symmetries that only special values have."""
        values = [entry.value(self.system) for entry in self.parameters]
        scale = max([abs(value) for value in values] + [1e-3])
        return self.system_at(np.array([v + scale * (0.137 + 0.0291 * k) for k, v in enumerate(values)]))


def family(system: SpinSystem, names: Sequence[str]) -> Family:
    """Return the Hamiltonian as a function of the named parameters."""
    parameters = pick_parameters(system, names)
    cleared = system
    for parameter in parameters:
        cleared = parameter.put(cleared, 0.0)
    fixed = affine_hamiltonian(cleared)
    operators = [parameter.operator(system) for parameter in parameters]
    for parameter, (H0, G) in zip(parameters, operators, strict=True):
        if not (_acts(H0) or G.any()):
            raise InputError(
                f"vary must name numbers that act, got {parameter.name!r} ({parameter.owner}), which shifts "
                "all levels alike since its rank exceeds 2S; leave it out"
            )
    n = system.dimension
    O = np.array([entry[0] for entry in operators]).reshape(-1, n, n)
    Q = np.array([entry[1] for entry in operators]).reshape(-1, 3, n, n)
    return Family(system, parameters, fixed.H0, fixed.G, O, Q)


def _acts(operator: Complexes) -> bool:
    """Return whether an operator is more than a multiple of one."""
    rest = operator - np.eye(len(operator)) * operator[0, 0]
    return bool(np.abs(rest).max() > 1e-12 * max(float(np.abs(operator).max()), 1e-300))


def _sites(system: SpinSystem, entry: Parameter) -> str:
    kind, index = entry.place
    return str(index) if kind == "spin" else "_".join(str(site) for site in system.terms[index].sites)


def _cleared(term: Term) -> Term:
    for slot in _slots(term):
        term = slot.put(term, 0.0)
    return term


def _slots(term: Term) -> list[Slot]:
    """Return the numbers of a term in which it is linear; none for terms of other kinds."""
    for kind, slots in _READERS.items():
        if isinstance(term, kind):
            return slots(term)
    return []


def _zero_field_slots(term: ZeroFieldSplitting) -> list[Slot]:
    del term
    return [
        Slot("D", frozenset("D"), lambda t: t.D, lambda t, v: ZeroFieldSplitting(v, t.E, t.site, t.frame)),
        Slot("E", frozenset("E"), lambda t: t.E, lambda t, v: ZeroFieldSplitting(t.D, v, t.site, t.frame)),
    ]


def _stevens_slots(term: Stevens) -> list[Slot]:
    component = f"m{-term.q}" if term.q < 0 else f"{term.q}"
    separator = "" if term.k < 10 else "q"
    return [
        Slot(
            f"B{term.k}{separator}{component}",
            frozenset("B"),
            lambda t: t.B,
            lambda t, v: Stevens(t.k, t.q, v, t.site, t.frame),
        )
    ]


_POWER_NAMES = {(2, 0): ("D", 1.0), (0, 2): ("E", 0.5), (4, 0): ("A4", 1.0), (0, 4): ("C4", 1.0)}


def _power_slots(term: SpinPower) -> list[Slot]:
    name, factor = _POWER_NAMES.get((term.z, term.ladder), (f"c_z{term.z}_l{term.ladder}", 1.0))
    return [
        Slot(
            name,
            frozenset("c"),
            lambda t: t.coefficient / factor,
            lambda t, v: SpinPower(factor * v, t.z, t.ladder, t.site),
        )
    ]


def _quadrupole_slots(term: Quadrupole) -> list[Slot]:
    del term
    return [Slot("P", frozenset("P"), lambda t: t.P, lambda t, v: Quadrupole(t.k, v, t.eta, t.frame))]


def _dm_slots(term: DzyaloshinskiiMoriya) -> list[Slot]:
    del term

    def slot(axis: int) -> Slot:
        def put(t: DzyaloshinskiiMoriya, value: float) -> DzyaloshinskiiMoriya:
            d = list(t.d)
            d[axis] = value
            return DzyaloshinskiiMoriya(t.i, t.j, d)

        return Slot(f"d{_AXES[axis]}", frozenset(_AXES[axis]), lambda t: float(t.d[axis]), put)

    return [slot(axis) for axis in range(3)]


def _exchange_slots(term: Exchange) -> list[Slot]:
    return _tensor_slots("J", term.J, lambda t: t.J, lambda t, J: Exchange(t.i, t.j, J, "+J"))


def _hyperfine_slots(term: Hyperfine) -> list[Slot]:
    return _tensor_slots("A", term.A, lambda t: t.A, lambda t, A: Hyperfine(t.i, t.k, A, t.frame))


def _g_slots(spin: Spin) -> list[Slot]:
    stem = "gn" if spin.nuclear else "g"
    return _tensor_slots(stem, spin.g, lambda s: s.g, lambda s, g: Spin(s.S, g, s.label, s.nuclear))


def _tensor_slots(
    stem: str, tensor: Any, read: Callable[[Any], Any], build: Callable[[Any, Any], Any]
) -> list[Slot]:
    """Return the slots of a 3x3 tensor: the isotropic value where it is one, and its entries."""

    def entry(a: int, b: int) -> Slot:
        def put(owner: Any, value: float) -> Any:
            rows = [list(row) for row in read(owner)]
            rows[a][b] = value
            return build(owner, rows)

        name = _AXES[a] if a == b else _AXES[a] + _AXES[b]
        return Slot(stem + name, frozenset([_AXES[a] + _AXES[b]]), lambda o: float(read(o)[a][b]), put)

    slots = [entry(a, b) for a in range(3) for b in range(3)]
    matrix = np.asarray(tensor, dtype=np.float64)
    if np.array_equal(matrix, np.eye(3) * matrix[0, 0]):

        def put_all(owner: Any, value: float) -> Any:
            return build(owner, [[value if a == b else 0.0 for b in range(3)] for a in range(3)])

        slots.insert(0, Slot(stem, frozenset(["xx", "yy", "zz"]), lambda o: float(read(o)[0][0]), put_all))
    return slots


_READERS: dict[type[Term], Callable[[Any], list[Slot]]] = {
    ZeroFieldSplitting: _zero_field_slots,
    Stevens: _stevens_slots,
    SpinPower: _power_slots,
    Quadrupole: _quadrupole_slots,
    DzyaloshinskiiMoriya: _dm_slots,
    Exchange: _exchange_slots,
    Hyperfine: _hyperfine_slots,
}
