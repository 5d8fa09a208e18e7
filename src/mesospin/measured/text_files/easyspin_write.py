"""A spin system as the fields of an EasySpin structure.

EasySpin counts energies in MHz, has H = +mu_B B.g.S, +J S1.S2, +d.(S1 x S2) and S.A.I as this package, its
Euler angles of a frame are those of the active zyz rotation here, and the rows of ``Bk`` run from q = +k down
to -k.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesospin.constants import KELVIN_PER_GIGAHERTZ
from mesospin.errors import InputError
from mesospin.measured.text_files.lines import write_text
from mesospin.model.interactions import DzyaloshinskiiMoriya, Exchange, Hyperfine
from mesospin.model.nuclei import nucleus
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, check_system
from mesospin.model.term import Frame, Term
from mesospin.model.terms import Quadrupole, SpinPower, Stevens, ZeroFieldSplitting
from mesospin.operators.rotation import rotate_tensor

Floats = NDArray[np.float64]

KELVIN_PER_MEGAHERTZ = 1e-3 * KELVIN_PER_GIGAHERTZ
_SAME_G = 2e-3
_ZERO = (0.0, 0.0, 0.0)


def write_easyspin(
    system: SpinSystem, path: str | Path | None = None, *, nuclei: Mapping[int, str] | None = None
) -> str:
    """Return a spin system as MATLAB text that sets the fields of ``Sys``, and write it to a file.

    Parameters
    ----------
    system : SpinSystem
        Terms of the kinds `ZeroFieldSplitting`, `Stevens`, `SpinPower` (Sz^2, Sz^4, S+^2 + S-^2, S+^4 + S-^4;
        constants are dropped), `Exchange`, `DzyaloshinskiiMoriya`, `Hyperfine`, `Quadrupole`.
    path : str or Path, optional
        File to write.
    nuclei : mapping of int to str, optional
        Isotope of a nuclear spin by its site, where its label is not one ("55Mn").

    Returns
    -------
    str

    Raises
    ------
    InputError
        If EasySpin has no field for a part of the system.

    References
    ----------
    - S. Stoll and A. Schweiger, J. Magn. Reson. 178, 42 (2006).

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> print(write_easyspin(giant_spin(2, D="30 GHz")).split("MHz", 1)[1])
    <BLANKLINE>
    Sys.S = 2;
    Sys.g = [2 2 2];
    Sys.D = [30000 0];
    <BLANKLINE>
    """
    check_system(system)
    electrons = list(system.electronic_sites)
    sites = [site for site in range(len(system.spins)) if site not in electrons]
    lines = [f"% {' '.join(system.name.split())}: energies in MHz"]
    lines.append(f"Sys.S = {_matrix(np.array([[system.spins[e].S for e in electrons]]))};")
    lines += _g_lines([system.spins[e] for e in electrons])
    rest = list(system.terms)
    lines += _zero_field_lines(system, electrons, rest)
    lines += _coupling_lines(electrons, rest)
    if sites:
        names = [_isotope(system.spins[site], (nuclei or {}).get(site)) for site in sites]
        lines.append(f"Sys.Nucs = '{','.join(names)}';")
        lines += _hyperfine_lines(electrons, sites, rest)
        lines += _quadrupole_lines(sites, rest)
    if rest:
        raise InputError(
            "system must have terms that EasySpin has fields for, got "
            f"{rest[0].formula(system.spins)}; remove it"
        )
    text = "\n".join(lines) + "\n"
    if path is not None:
        write_text(path, text)
    return text


def _matrix(rows: Floats) -> str:
    texts = [" ".join(repr(float(x)).removesuffix(".0") for x in row) for row in np.atleast_2d(rows)]
    body = "; ".join(texts)
    return body if rows.size == 1 else f"[{body}]"


def _g_lines(spins: list[Spin]) -> list[str]:
    tensors = [np.array(spin.g) for spin in spins]
    if all(_is_diagonal(g) for g in tensors):
        return [f"Sys.g = {_matrix(np.array([g.diagonal() for g in tensors]))};"]
    return [f"Sys.g = {_matrix(np.vstack(tensors))};"]


def _is_diagonal(tensor: Floats) -> bool:
    return bool(np.array_equal(tensor, np.diag(tensor.diagonal())))


def _zero_field_lines(system: SpinSystem, electrons: list[int], rest: list[Term]) -> list[str]:
    """Return D or B2 and the higher Bk; the terms that they hold are taken out of ``rest``."""
    tensors = {site: np.zeros((3, 3)) for site in electrons}
    plain: dict[int, list[ZeroFieldSplitting]] = {site: [] for site in electrons}
    rows: dict[int, Floats] = {}
    frames: dict[tuple[int, int], Frame | None] = {}
    other = False
    for term in list(rest):
        if not isinstance(term, ZeroFieldSplitting | Stevens | SpinPower) or term.site not in electrons:
            continue
        rest.remove(term)
        if isinstance(term, ZeroFieldSplitting):
            plain[term.site].append(term)
            tensors[term.site] += _d_tensor(term.D, term.E, term.frame)
            continue
        tensor, coefficients = _higher(term, system.spins[term.site].S)
        tensors[term.site] += tensor
        other |= bool(tensor.any())
        for k, q, value, frame in coefficients:
            key = (term.site, k)
            if frames.setdefault(key, frame) != frame:
                raise InputError(
                    f"B{k} of site {term.site} must have one frame in EasySpin, got two; turn one"
                )
            row = rows.setdefault(k, np.zeros((len(electrons), 2 * k + 1)))
            row[electrons.index(term.site), k - q] += value / KELVIN_PER_MEGAHERTZ
    lines = _d_lines(electrons, tensors, plain, other)
    for k, row in sorted(rows.items()):
        lines.append(f"Sys.B{k} = {_matrix(row)};")
        angles = np.array([frames.get((site, k)) or _ZERO for site in electrons])
        if angles.any():
            lines.append(f"Sys.B{k}Frame = {_matrix(angles)};")
    return lines


def _d_lines(
    electrons: list[int], tensors: dict[int, Floats], plain: dict[int, list[ZeroFieldSplitting]], other: bool
) -> list[str]:
    if not any(tensor.any() for tensor in tensors.values()):
        return []
    single = all(len(terms) <= 1 for terms in plain.values())
    diagonal = all(_is_diagonal(tensor) for tensor in tensors.values())
    if other and diagonal:
        rows = [[1.5 * t[2, 2], 0.5 * (t[0, 0] - t[1, 1])] for t in tensors.values()]
        return [f"Sys.D = {_matrix(np.array(rows) / KELVIN_PER_MEGAHERTZ)};"]
    if other or not single:
        return [f"Sys.D = {_matrix(np.vstack([tensors[s] for s in electrons]) / KELVIN_PER_MEGAHERTZ)};"]
    terms = [plain[site][0] if plain[site] else ZeroFieldSplitting(0.0) for site in electrons]
    lines = [f"Sys.D = {_matrix(np.array([[t.D, t.E] for t in terms]) / KELVIN_PER_MEGAHERTZ)};"]
    angles = np.array([term.frame or _ZERO for term in terms])
    return lines + ([f"Sys.DFrame = {_matrix(angles)};"] if angles.any() else [])


def _d_tensor(D: float, E: float, frame: Frame | None) -> Floats:
    return rotate_tensor(np.diag([E - D / 3, -E - D / 3, 2 * D / 3]), frame)


_RankFour = list[tuple[int, int, float, Frame | None]]


def _higher(term: Stevens | SpinPower, S: float) -> tuple[Floats, _RankFour]:
    """Return the tensor of rank 2 and the Stevens coefficients (k, q, B, frame) of a term."""
    nothing = np.zeros((3, 3))
    if isinstance(term, Stevens):
        if term.k != 2:
            return nothing, [(term.k, term.q, term.B, term.frame)]
        return rotate_tensor(_rank_two(term.q, term.B), term.frame), []
    c, X = term.coefficient, S * (S + 1)
    if (term.z, term.ladder) == (2, 0):
        return _d_tensor(c, 0.0, None), []
    if (term.z, term.ladder) == (0, 2):
        return _d_tensor(0.0, 2 * c, None), []
    if (term.z, term.ladder) == (4, 0) and S >= 2:
        return _d_tensor(c * (30 * X - 25) / 35, 0.0, None), [(4, 0, c / 35, None)]
    if (term.z, term.ladder) == (0, 4):
        return nothing, [(4, 4, 2 * c, None)]
    raise InputError(
        f"SpinPower(z={term.z}, ladder={term.ladder}) must be written with Stevens operators for EasySpin, "
        "which has no powers; use Stevens"
    )


def _rank_two(q: int, B: float) -> Floats:
    """Return the tensor T of B O2q = S.T.S, without trace."""
    t = np.zeros((3, 3))
    if q == 0:
        return _d_tensor(3 * B, 0.0, None)
    if q == 2:
        return _d_tensor(0.0, B, None)
    row, column, value = {1: (0, 2, B / 2), -1: (1, 2, B / 2), -2: (0, 1, B)}[q]
    t[row, column] = t[column, row] = value
    return t


def _coupling_lines(electrons: list[int], rest: list[Term]) -> list[str]:
    pairs = [(a, b) for k, a in enumerate(electrons) for b in electrons[k + 1 :]]
    tensors = {pair: np.zeros((3, 3)) for pair in pairs}
    for term in list(rest):
        if not isinstance(term, Exchange | DzyaloshinskiiMoriya):
            continue
        i, j = term.sites
        if (min(i, j), max(i, j)) not in tensors:
            continue
        rest.remove(term)
        if isinstance(term, Exchange):
            tensor = np.array(term.J)
        else:
            x, y, z = term.d
            tensor = np.array([[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]])
        tensors[min(i, j), max(i, j)] += tensor if i < j else tensor.T
    if not pairs:
        return []
    scaled = [tensors[pair] / KELVIN_PER_MEGAHERTZ for pair in pairs]
    if all(np.array_equal(t, np.eye(3) * t[0, 0]) for t in scaled):
        return [f"Sys.J = {_matrix(np.array([[t[0, 0] for t in scaled]]))};"]
    return [f"Sys.ee = {_matrix(np.vstack(scaled))};"]


def _isotope(spin: Spin, name: str | None) -> str:
    try:
        found = nucleus(spin.label if name is None else name)
    except InputError:
        raise InputError(
            f"nuclei must name the isotope of the nuclear spin I = {spin.S:g}, got {name or spin.label!r}; "
            "give nuclei={site: '167Er'}"
        ) from None
    g = np.array(spin.g)
    same = np.allclose(g, found.g * np.eye(3), rtol=0.0, atol=_SAME_G * abs(found.g))
    if float(found.spin) != spin.S or not same:
        raise InputError(
            f"{found.name} must be the nucleus of I = {spin.S:g} and g = {g[0, 0]:g}, but has I = "
            f"{found.spin} and g = {found.g:g}; name another isotope"
        )
    return found.name


def _hyperfine_lines(electrons: list[int], sites: list[int], rest: list[Term]) -> list[str]:
    size = (len(sites), len(electrons))
    tensors, angles = np.zeros((*size, 3, 3)), np.zeros((*size, 3))
    turned = np.zeros((*size, 3, 3))
    count = np.zeros(size, dtype=int)
    for term in list(rest):
        if isinstance(term, Hyperfine) and term.k in sites and term.i in electrons:
            rest.remove(term)
            place = sites.index(term.k), electrons.index(term.i)
            tensor = np.array(term.A) / KELVIN_PER_MEGAHERTZ
            tensors[place] += tensor
            turned[place] += rotate_tensor(tensor, term.frame)
            angles[place] = term.frame or _ZERO
            count[place] += 1
    if np.all(count <= 1) and all(_is_diagonal(t) for t in tensors.reshape(-1, 3, 3)):
        lines = [f"Sys.A = {_matrix(np.einsum('naii->nai', tensors).reshape(len(sites), -1))};"]
        flat = angles.reshape(len(sites), -1)
        return lines + ([f"Sys.AFrame = {_matrix(flat)};"] if flat.any() else [])
    return [f"Sys.A = {_matrix(turned.transpose(0, 2, 1, 3).reshape(3 * len(sites), -1))};"]


def _quadrupole_lines(sites: list[int], rest: list[Term]) -> list[str]:
    values, angles = np.zeros((len(sites), 3)), np.zeros((len(sites), 3))
    found: set[int] = set()
    for term in list(rest):
        if isinstance(term, Quadrupole) and term.k in sites and term.k not in found:
            rest.remove(term)
            found.add(term.k)
            tensor = _d_tensor(term.P, term.P * term.eta / 3, None) / KELVIN_PER_MEGAHERTZ
            values[sites.index(term.k)] = tensor.diagonal()
            angles[sites.index(term.k)] = term.frame or _ZERO
    if not found:
        return []
    lines = [f"Sys.Q = {_matrix(values)};"]
    return lines + ([f"Sys.QFrame = {_matrix(angles)};"] if angles.any() else [])
