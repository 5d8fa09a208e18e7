"""A system as text: its Hamiltonian as a formula, its spins, sources and surroundings."""

from collections.abc import Sequence

import numpy as np

from mesospin.checks import spin_text
from mesospin.model.environment import Defaults, Disorder
from mesospin.model.spin import Spin
from mesospin.model.term import Term

__all__ = ["describe_system", "zeeman_formula"]

_CONVENTIONS = (
    "energies are E/k_B in K, fields in T; basis m = +S ... -S, first spin slowest",
    "Zeeman term +mu_B B.g.S (nuclear -mu_N g B.I), so at B > 0 the ground level of an electron is m = -S",
    "D < 0 is an easy axis; O_k^q are extended Stevens operators in the EasySpin normalisation",
    "exchange is +J Si.Sj; tunnel splittings are full gaps",
)


def _g_text(spin: Spin) -> str:
    if spin.is_isotropic:
        return f"{spin.g[0][0]:g}"
    diagonal = [spin.g[a][a] for a in range(3)]
    if all(spin.g[a][b] == 0.0 for a in range(3) for b in range(3) if a != b):
        return "(" + ", ".join(f"{entry:g}" for entry in diagonal) + ")"
    return "[" + "; ".join(", ".join(f"{entry:g}" for entry in row) for row in spin.g) + "]"


def _names(spins: Sequence[Spin]) -> list[str]:
    labels = [spin.label for spin in spins]
    return [label if labels.count(label) == 1 else f"{label}{i + 1}" for i, label in enumerate(labels)]


def zeeman_formula(spins: Sequence[Spin]) -> list[str]:
    """Return one line for the Zeeman term of each spin.

    Examples
    --------
    >>> zeeman_formula([Spin(10, 1.94)])
    ['+ mu_B (1.94) B.S']
    """
    lines = []
    for spin, name in zip(spins, _names(spins), strict=True):
        sign, magneton = ("-", "mu_N") if spin.nuclear else ("+", "mu_B")
        product = f"({_g_text(spin)}) B.{name}" if spin.is_isotropic else f"B.{_g_text(spin)}.{name}"
        lines.append(f"{sign} {magneton} {product}")
    return lines


def _spin_lines(spins: Sequence[Spin]) -> list[str]:
    lines = ["Spins"]
    for i, (spin, name) in enumerate(zip(spins, _names(spins), strict=True)):
        kind = "nuclear" if spin.nuclear else "electronic"
        lines.append(f"  {i}  {name} = {spin_text(spin.S)}, {kind}, g = {_g_text(spin)}")
    return lines


def _defaults_lines(defaults: Defaults) -> list[str]:
    lines = []
    if defaults.phonons is not None:
        bath = defaults.phonons
        lines.append(
            f"  phonons   density {bath.density:g} kg/m3, sound speed {bath.sound_speed:g} m/s, "
            f"coupling {bath.coupling:g} K, prefactors {bath.one_quantum:.6g} and {bath.two_quanta:.6g}"
        )
        lines += _source_line(bath.source)
    if defaults.dipolar is not None:
        lines.append(f"  dipolar   Gaussian field width {1e3 * defaults.dipolar.width:g} mT")
        lines += _source_line(defaults.dipolar.source)
    if defaults.disorder is not None:
        lines += _disorder_lines(defaults.disorder)
    if defaults.lattice is not None:
        lines.append(
            f"  lattice   Debye temperature {defaults.lattice.theta:g} K, {defaults.lattice.atoms:g} atoms"
        )
        lines += _source_line(defaults.lattice.source)
    if defaults.crystal is not None:
        lines.append(f"  crystal   {defaults.crystal}")
    return ["Surroundings used unless others are given", *lines] if lines else []


def _source_line(source: str) -> list[str]:
    return [f"            source: {source}"] if source else []


def _disorder_lines(disorder: Disorder) -> list[str]:
    tilt = np.degrees(max(member.tilt for member in disorder.members))
    transverse = 1e3 * max(np.hypot(*member.transverse) for member in disorder.members)
    line = (
        f"  disorder  {len(disorder.members)} kinds of molecules, tilts up to {tilt:.3g} deg, "
        f"transverse fields up to {transverse:.3g} mT"
    )
    return [line, *_source_line(disorder.source)]


def describe_system(
    heading: str,
    spins: tuple[Spin, ...],
    terms: tuple[Term, ...],
    facts: Sequence[str],
    sources: Sequence[str],
    defaults: Defaults,
) -> str:
    """Return the description that ``mesospin show`` prints.

    Parameters
    ----------
    heading : str
        First line.
    spins, terms : tuple
        The model.
    facts : sequence of str
        Lines on dimension and symmetry.
    sources : sequence of str
        Where the numbers come from.
    defaults : Defaults
        Surroundings.

    Returns
    -------
    str
        Several lines without a trailing newline.
    """
    summands = [term.formula(spins) for term in terms] + zeeman_formula(spins)
    lines = [heading, "", "H = " + summands[0].removeprefix("+ ")]
    lines += [f"    {summand}" for summand in summands[1:]]
    lines += ["", *_spin_lines(spins), *(f"  {fact}" for fact in facts)]
    lines += ["", "Conventions", *(f"  {text}" for text in _CONVENTIONS)]
    if sources:
        lines += ["", "Sources", *(f"  {source}" for source in sources)]
    surroundings = _defaults_lines(defaults)
    if surroundings:
        lines += ["", *surroundings]
    return "\n".join(lines)
