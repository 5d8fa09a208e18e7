r"""Crystal fields and pseudospin Hamiltonians from SINGLE_ANISO, the module of OpenMolcas and ORCA.

The program prints the ground multiplet J of a lanthanide twice: in extended Stevens operators, which are
those of this package, and in spherical tensors that are 1 in the stretched state,

.. math::
    \langle J M|T_k^q|J M'\rangle = \frac{C^{JM}_{JM'\,kq}}{C^{JJ}_{JJ\,k0}},\qquad
    H = \sum_{kq} A_{kq} T_k^q .

Both are along the main magnetic axes Xm, Ym, Zm, right-handed, whose directions in the coordinates of the
molecule are printed beside them; the pseudospin has the moment :math:`\mu = -\mu_B\,g\,\tilde S`.

References
----------
- N. Iwahara and L. F. Chibotaru, Phys. Rev. B 91, 174438 (2015).
- L. F. Chibotaru and L. Ungur, J. Chem. Phys. 137, 064112 (2012).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mesospin.checks import integer, spin_text
from mesospin.constants import KELVIN_PER_WAVENUMBER
from mesospin.errors import InputError
from mesospin.measured.quantum_chemistry.ab_initio import (
    AbInitio,
    check_doublets,
    check_levels,
    deviation_from,
    frame_of,
    read_lines,
    rows_of,
)
from mesospin.measured.quantum_chemistry.single_aniso_tables import (
    Parameters,
    complete,
    crystal_field_of,
    norm,
)
from mesospin.measured.quantum_chemistry.single_aniso_text import Field, Group, Section, sections_of
from mesospin.model.ions import Ion, ion
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem
from mesospin.model.term import Frame
from mesospin.model.terms import Stevens

__all__ = ["read_single_aniso"]

#: Digits of the energies that the two programs list [cm^-1], and of those of a pseudospin block.
_LISTED, _SHOWN = 1e-3, 2e-3
_RELATIVE = 1e-6
#: Part of the largest parameter, at equal norm of the operators, below which one is rounding.
_DUST = 1e-12


def read_single_aniso(
    path: str | Path,
    *,
    ion: str | Ion | None = None,
    multiplet: int | None = None,
    section: int | None = None,
) -> AbInitio:
    r"""Return the spin system of a SINGLE_ANISO output, checked against the energies in the same file.

    Parameters
    ----------
    path : str or Path
        Output of OpenMolcas or of ORCA (5 or later) that contains SINGLE_ANISO.
    ion : str or Ion, optional
        The lanthanide, e.g. "Dy3+", which fixes g_J; OpenMolcas prints the element, taken as 3+.
    multiplet : int, optional
        Number of a group of states to read as a pseudospin, with the g tensor and zero-field parameters of
        its block; the crystal field of the ground J multiplet is read without it.
    section : int, optional
        Number of the run of SINGLE_ANISO, from 1; needed where the file holds several (geometries, or
        without and with spin-spin coupling).

    Returns
    -------
    AbInitio
        Its ``system`` is one spin in the coordinates of the molecule: J with g_J and Stevens terms whose
        ``frame`` are the axes of the block; or the pseudospin with its g tensor and Stevens terms.

    Raises
    ------
    InputError
        If the file cannot be read, is cut off, holds several runs or lacks the block; if the parameters are
        in no known normalisation; if J is not that of the ion; if the levels of the system are not the
        printed energies, or its ground doublet not the printed one.

    Warns
    -----
    ValidityWarning
        If an excited doublet has another g tensor than printed: the multiplet J alone does not describe it.

    Notes
    -----
    Ranks above 12 have no Stevens operators in the file and are left out; ``omitted`` is their size.
    Parameters below 1e-12 of the largest, at equal norm of the operators, are rounding and left out too.
    g_J is that of Hund's rules, so moments differ from the printed ones by about 1 %.  The words "the sign
    of the product gX * gY * gZ" belong to the spin part of the moment and are kept as ``printed_sign``;
    ``sign`` is that of the whole moment, as in `doublets`.

    References
    ----------
    - L. Ungur and L. F. Chibotaru, Chem. Eur. J. 23, 3708 (2017).

    Examples
    --------
    >>> read_single_aniso("missing.out")
    Traceback (most recent call last):
    ...
    mesospin.errors.InputError: path must be a readable file, got 'missing.out' ([Errno 2] No such file or
    directory: 'missing.out'); check it
    """
    found = sections_of(read_lines(path))
    chosen = _choose(found, section)
    name = Path(path).stem or "SINGLE_ANISO"
    if multiplet is not None:
        return _pseudospin(chosen, _pick(chosen, multiplet), name)
    if not chosen.fields:
        raise InputError(
            f"section must hold the crystal field of a multiplet J, got {_contents(chosen)}; repeat the "
            "calculation with CRYS, or name a multiplet to read its pseudospin"
        )
    return _multiplet(chosen, chosen.fields[0], ion, name)


def _choose(found: Sequence[Section], section: int | None) -> Section:
    listed = "; ".join(f"{i}: line {s.line}, {_contents(s)}" for i, s in enumerate(found, 1))
    if section is None:
        if len(found) > 1:
            raise InputError(
                f"section must be named for a file of {len(found)} runs of SINGLE_ANISO, got none; "
                f"choose from {listed}"
            )
        return found[0]
    number = integer("section", section)
    if not 1 <= number <= len(found):
        raise InputError(f"section must be one of the file, got {number}; choose from {listed}")
    return found[number - 1]


def _contents(section: Section) -> str:
    parts = [f"crystal field of J = {spin_text(field.J)}" for field in section.fields]
    parts += [f"multiplet {g.pseudospin.number} (S = {spin_text(g.pseudospin.S)})" for g in section.groups]
    return ", ".join(parts) or "neither crystal field nor multiplets"


def _pick(section: Section, multiplet: int) -> Group:
    number = integer("multiplet", multiplet)
    for group in section.groups:
        if group.pseudospin.number == number:
            return group
    raise InputError(f"multiplet must be one of the section, got {number}; it holds {_contents(section)}")


def _multiplet(section: Section, field: Field, name: str | Ion | None, title: str) -> AbInitio:
    multiplet = _ion_of(section, field, name)
    values, omitted, checks = crystal_field_of(field, section.energies)
    frame = frame_of(field.axes)
    system = SpinSystem(
        multiplet.name,
        [multiplet.spin()],
        _terms(values, field.J, frame),
        [f"{multiplet.describe()}: Hund's rules", f"crystal field: SINGLE_ANISO, {title}"],
    )
    n = system.dimension
    energies = tuple(e * KELVIN_PER_WAVENUMBER for e in section.energies)
    deviation = float("nan")
    if len(energies) >= n:
        deviation = deviation_from(system, energies[:n])
        tolerance = _LISTED * KELVIN_PER_WAVENUMBER + _RELATIVE * energies[n - 1] + omitted
        checks.append(check_levels(deviation, tolerance, f"the crystal field of {title}"))
    elif energies:
        raise InputError(
            f"energies must be listed for the {n} states of J = {spin_text(field.J)}, got {len(energies)}; "
            "compute more spin-orbit states"
        )
    else:
        checks.append("levels were not compared: no energies are printed")
    pseudospins = tuple(group.pseudospin for group in section.groups)
    inside = [p for p in pseudospins if not energies or p.energies[-1] <= energies[n - 1] + _SHOWN]
    checks += check_doublets(system, inside, deviation)
    return AbInitio(system, energies, rows_of(field.axes), pseudospins, deviation, omitted, tuple(checks))


def _ion_of(section: Section, field: Field, name: str | Ion | None) -> Ion:
    if name is None:
        if section.ion is None:
            raise InputError(
                "ion must be named, since the file does not say which it is, got none; write for example "
                '"Dy3+"'
            )
        name = f"{section.ion.capitalize()}3+"
    multiplet = ion(name)
    if float(multiplet.J) != field.J:
        raise InputError(
            f"ion must have the J = {spin_text(field.J)} of the file, got {multiplet.name} with J = "
            f"{multiplet.J}; correct the ion or compute the whole multiplet"
        )
    return multiplet


def _terms(values: Parameters, J: float, frame: Frame | None) -> list[Stevens]:
    sizes = {(k, q): abs(value) * norm(J, k, q) for (k, q), value in values.items()}
    least = _DUST * max(sizes.values(), default=0.0)
    return [
        Stevens(k, q, values[k, q] * KELVIN_PER_WAVENUMBER, 0, frame)
        for (k, q), size in sorted(sizes.items())
        if size > least
    ]


def _pseudospin(section: Section, group: Group, title: str) -> AbInitio:
    pseudospin, S = group.pseudospin, group.pseudospin.S
    where = f"multiplet {pseudospin.number}"
    if group.g is None:
        raise InputError(
            f"{where} must print the decomposition of its moment, which holds the sign of g, got none; the "
            "file is cut off"
        )
    axes = np.asarray(pseudospin.axes)
    checks = _check_g(group, where)
    values: Parameters = {}
    if S > 0.5:
        values = complete(group.stevens, S, f"zero-field splitting of {where}")
        checks.append("norms of the Stevens operators are those of the file")
    g = axes.T @ group.g @ axes
    system = SpinSystem(
        f"{title}, {where}",
        [Spin(S, g.tolist())],
        _terms(values, S, frame_of(axes)),
        [f"pseudospin Hamiltonian: SINGLE_ANISO, {title}"],
    )
    deviation = deviation_from(system, pseudospin.energies)
    width = pseudospin.energies[-1] - pseudospin.energies[0]
    if S > 0.5:
        tolerance = _SHOWN * KELVIN_PER_WAVENUMBER + _RELATIVE * width
        checks.append(check_levels(deviation, tolerance, f"the zero-field splitting of {where}"))
    energies = tuple(e * KELVIN_PER_WAVENUMBER for e in section.energies)
    pseudospins = tuple(entry.pseudospin for entry in section.groups)
    return AbInitio(system, energies, pseudospin.axes, pseudospins, deviation, 0.0, tuple(checks))


def _check_g(group: Group, where: str) -> list[str]:
    """Compare the moment with the main values, which contain its third rank from S = 3/2 on."""
    if group.pseudospin.S > 1.0:
        return []
    size = np.linalg.svd(np.asarray(group.g), compute_uv=False)
    printed = np.sort(group.pseudospin.g)[::-1]
    if not np.allclose(size, printed, rtol=1e-5, atol=1e-5 * float(printed[0])):
        raise InputError(
            f"moment of {where} must have the printed main values {printed.tolist()}, got "
            f"{size.round(6).tolist()}; the block is damaged"
        )
    return ["main values of g are those of the printed moment"]
