"""Doublets of a molecule at zero field: g tensors with axes, composition, and moments between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin.checks import finite, integer, spin_text
from mesospin.constants import KELVIN_PER_WAVENUMBER, MU_B
from mesospin.errors import InputError
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, check_system
from mesospin.operators.local import cartesian_operator
from mesospin.operators.product import embed, product_operator
from mesospin.operators.rotation import wigner_matrix
from mesospin.operators.spin import projections
from mesospin.results import result, variable
from mesospin.scale import require_memory
from mesospin.spectrum.matrices import magneton, unit_axis, zeeman_operators

_Real = NDArray[np.float64]
_Complex = NDArray[np.complex128]

_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
#: Levels closer than this part of the width of the spectrum are degenerate.
_SAME = 1e-9
#: Rounding errors of the solver that a g value may carry.
_ROUNDINGS = 64.0
#: Least weight that the text of a composition names.
_NAMED = 0.01


def doublets(
    system: SpinSystem,
    *,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    count: int | None = None,
    isolation: float = 3.0,
) -> xr.Dataset:
    r"""Return the doublets at zero field with their g tensors and their composition.

    Inside a doublet the moment is that of a pseudospin 1/2,
    :math:`-\langle a|\mathbf G|b\rangle/\mu_B = -\,g\,\tilde{\mathbf S}`.  The matrix g depends on the basis
    that is called up and down; what does not are

    .. math::
        (g g^T)_{\alpha\beta} = 2\,\mathrm{Tr}(\mu_\alpha\mu_\beta),\qquad
        \det g = 2i\,\mathrm{Tr}([\mu_x, \mu_y]\,\mu_z),

    the squares of the principal values with their axes and the sign of :math:`g_x g_y g_z`, which
    is the sense of the precession of the pseudospin.

    Parameters
    ----------
    system : SpinSystem
        Any system whose matrices fit in memory; its nuclei are left out (``inputs`` says so).
    axis : three numbers, default z
        Axis of quantisation of the composition.
    count : int, optional
        Number of lowest doublets; all by default.
    isolation : float, default 3
        Two neighbouring levels of an integer spin are a pseudo-doublet when the distance to every other
        level is at least ``isolation`` times their gap; the others are singlets.  >= 1.

    Returns
    -------
    xarray.Dataset
        Along ``doublet``, in order of energy: ``energy``, the mean of its two levels above the lowest level
        of all, ``wavenumber``, the same in cm^-1, and ``gap`` [K] (0 for Kramers doublets); ``g``
        (doublet, principal), ascending and not negative, named x, y, z; ``g_axis`` (doublet, principal,
        component), right-handed unit vectors;
        ``g_sign``, the sign of det g, 0 where the smallest value is below ``g_error``, its rounding error;
        ``tilt`` [deg] of the axis of the largest g from ``axis``; ``jz`` (doublet, member), the mean
        projection of the total electronic spin on ``axis`` in the two states in which it is diagonal;
        ``weight`` (doublet, member, projection), their composition; ``composition``, the same as text for
        the first.  ``transition_moment`` (state, state_to) [mu_B]: mean of :math:`|\langle
        a|\mu_\alpha|b\rangle|` over x, y, z between these states (doublet after doublet).  Along
        ``singlet``: ``singlet_energy`` [K], ``singlet_weight`` and ``singlet_composition``.

    Raises
    ------
    InputError
        If two doublets are degenerate (a quartet has no pseudospin 1/2), there is no doublet, a term is
        odd under time reversal, or ``count`` or ``isolation`` is out of range.
    TooLargeError
        If the matrices do not fit in memory.

    Notes
    -----
    A pseudo-doublet of an integer spin has a single g value: :math:`g_x = g_y = 0` (Griffith).  Where two
    principal values coincide, their axes may be turned in their plane.  With ``count``, singlets are those
    below the highest doublet.  ``gap`` is a difference of eigenvalues, good to about 1e-14 of the width of
    the spectrum; `tunnel_splitting` resolves smaller ones.

    References
    ----------
    - M. Gerloch and R. F. McMeeking, J. Chem. Soc. Dalton Trans. 2443 (1975).
    - L. F. Chibotaru and L. Ungur, J. Chem. Phys. 137, 064112 (2012), eqs. (18)-(23).

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> ds = doublets(giant_spin(1.5, D=-1.0))
    >>> ds.energy.values, ds.g.values.round(6) + 0.0
    (array([0., 2.]), array([[0., 0., 6.],
           [2., 4., 4.]]))
    >>> ds.composition.values.tolist()
    ['100 % |3/2>', '100 % |1/2>']
    """
    check_system(system)
    direction = unit_axis(axis)
    if count is not None:
        integer("count", count, at_least=1)
    if not finite("isolation", isolation) >= 1.0:
        raise InputError(f"isolation must be at least 1, got {isolation:g}; take the default 3")
    molecule = _electronic(system)
    energy, U = np.linalg.eigh(molecule.H0)
    energy = energy - energy[0]
    pairs, singles = _pairs(molecule, energy, count, isolation)
    turned = _turned_basis(molecule, direction)
    jz = np.einsum("i,iab->ab", direction, molecule.J)
    found = [_doublet(molecule, energy, U, pair, jz, turned, direction) for pair in pairs]
    nuclei = len(system.spins) > len(molecule.spins)
    inputs = {
        "axis": direction.tolist(),
        "count": count,
        "isolation": float(isolation),
        "nuclei": "left out" if nuclei else "none",
    }
    variables = _variables(molecule, found) | _singlet_variables(molecule, energy, U, singles, turned)
    coords = {
        "doublet": np.arange(len(found)),
        "principal": ["x", "y", "z"],
        "component": ["x", "y", "z"],
        "member": ["+", "-"],
        "projection": variable("projection", molecule.ladder, "1", "projection"),
    }
    return result("doublets", system, variables, coords, inputs)


class _Molecule(NamedTuple):
    """The electronic part: H0 (n, n) [K], moment (3, n, n) [mu_B], J (3, n, n), total projections.

    ``ladder`` holds the different total projections and ``place`` the index of that of every basis state.
    """

    name: str
    spins: tuple[Spin, ...]
    H0: _Complex
    moment: _Complex
    J: _Complex
    ladder: _Real
    place: NDArray[np.intp]
    is_kramers: bool


class _Doublet(NamedTuple):
    """One doublet: its levels, g with axes (columns), and its two states in the basis of H0."""

    energy: float
    gap: float
    g: _Real
    axes: _Real
    sign: int
    error: float
    tilt: float
    jz: _Real
    weight: _Real
    states: _Complex


def _electronic(system: SpinSystem) -> _Molecule:
    sites = system.electronic_sites
    spins = tuple(system.spins[site] for site in sites)
    dimensions = tuple(spin.dimension for spin in spins)
    n = math.prod(dimensions)
    require_memory(16 * 14 * n * n, f"the doublets of {system.name} ({n} states)")
    place = {site: k for k, site in enumerate(sites)}
    H0 = np.zeros((n, n), dtype=np.complex128)
    for term in system.terms:
        if set(term.sites) <= set(sites):
            for product in term.products(system.spins):
                H0 += product_operator(tuple((place[s], op.matrix()) for s, op in product), dimensions)
    moment = np.zeros((3, n, n), dtype=np.complex128)
    J = np.zeros((3, n, n), dtype=np.complex128)
    for k, spin in enumerate(spins):
        for a, local in enumerate(zeeman_operators(spin)):
            moment[a] -= magneton(spin) / MU_B * embed(local.matrix(), k, dimensions)
            J[a] += embed(cartesian_operator(spin.S, np.eye(3)[a].tolist()).matrix(), k, dimensions)
    _check_time_reversal(system, H0, dimensions)
    total = np.sum(np.meshgrid(*(projections(spin.S) for spin in spins), indexing="ij"), axis=0).ravel()
    ladder, index = np.unique(-total, return_inverse=True)
    odd = sum(round(2 * spin.S) for spin in spins) % 2 == 1
    return _Molecule(system.name, spins, H0, moment, J, -ladder, index, odd)


def _check_time_reversal(system: SpinSystem, H0: _Complex, dimensions: tuple[int, ...]) -> None:
    """Raise unless H0 commutes with the reversal of all electronic spins, |m> to (-1)^(S-m) |-m>."""
    flips = np.sum(np.indices(dimensions), axis=0).ravel()
    sign = 1.0 - 2.0 * (flips % 2)
    reversed_H0 = (sign[:, None] * H0.conj() * sign)[::-1, ::-1]
    if not np.max(np.abs(reversed_H0 - H0)) <= 1e-12 * np.max(np.abs(H0), initial=0.0):
        raise InputError(
            f"{system.name} must be even under time reversal to have doublets at zero field, got a term of "
            "odd order in the spins; remove it"
        )


def _pairs(
    molecule: _Molecule, energy: _Real, count: int | None, isolation: float
) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the levels of the doublets and the singlets between them, from the lowest up."""
    same = _SAME * float(energy[-1])
    steps = np.concatenate([[np.inf], np.diff(energy), [np.inf]])
    pairs: list[tuple[int, int]] = []
    singles: list[int] = []
    level = 0
    while level < len(energy) and (count is None or len(pairs) < count):
        _check_degeneracy(molecule, energy, level, same, len(pairs))
        below, gap, above = steps[level : level + 3] if level + 1 < len(energy) else (0.0, np.inf, 0.0)
        if molecule.is_kramers or gap <= same or isolation * gap <= min(below, above):
            pairs.append((level, level + 1))
            level += 2
        else:
            singles.append(level)
            level += 1
    if not pairs or (count is not None and len(pairs) < count):
        wanted = "a doublet" if count is None else f"{count} doublets"
        raise InputError(
            f"{molecule.name} must have {wanted}, two levels {isolation:g} times closer to each other than "
            f"to others, got {len(pairs)} among {len(energy)} levels; lower isolation or count"
        )
    return pairs, singles


def _check_degeneracy(molecule: _Molecule, energy: _Real, level: int, same: float, before: int) -> None:
    size = int(np.count_nonzero(energy[level:] <= energy[level] + same))
    if size > 2:
        hint = f"ask for count={before}" if before else "lower the symmetry of the system"
        raise InputError(
            f"levels of {molecule.name} must come in separate doublets, got {size} degenerate states "
            f"{energy[level]:.6g} K above the ground level, which no pseudospin 1/2 describes; {hint}"
        )


def _turned_basis(molecule: _Molecule, direction: _Real) -> _Complex:
    """Return the states of definite projections on the axis as columns."""
    polar = float(np.arctan2(np.hypot(direction[0], direction[1]), direction[2]))
    azimuth = float(np.arctan2(direction[1], direction[0]))
    turned: _Complex = np.ones((1, 1), dtype=np.complex128)
    for spin in molecule.spins:
        local = np.eye(spin.dimension) if polar == 0.0 else wigner_matrix(spin.S, (azimuth, polar, 0.0))
        turned = np.kron(turned, local).astype(np.complex128)
    return turned


def _doublet(
    molecule: _Molecule,
    energy: _Real,
    U: _Complex,
    pair: tuple[int, int],
    jz: _Complex,
    turned: _Complex,
    direction: _Real,
) -> _Doublet:
    i, j = pair
    basis = U[:, [i, j]]
    moment = basis.conj().T @ molecule.moment @ basis
    tensor = -np.einsum("aij,kji->ak", moment, _PAULI).real
    left, g, _ = np.linalg.svd(tensor)
    near = min(energy[i] - energy[i - 1] if i else np.inf, np.append(energy, np.inf)[j + 1] - energy[j])
    error = _ROUNDINGS * np.finfo(np.float64).eps * float(g[0]) * (1.0 + float(energy[-1]) / float(near))
    sign = 0 if g[2] <= error else int(np.sign(np.linalg.det(tensor)))
    axes = _right_handed(left[:, ::-1], direction)
    states = basis @ _diagonal(basis, jz, molecule, axes[:, 2])
    mean = np.einsum("ia,ij,ja->a", states.conj(), jz, states).real
    tilt = np.degrees(np.arctan2(np.linalg.norm(np.cross(axes[:, 2], direction)), axes[:, 2] @ direction))
    gap = 0.0 if molecule.is_kramers else float(energy[j] - energy[i])
    middle = float(energy[i]) if molecule.is_kramers else float(0.5 * (energy[i] + energy[j]))
    weight = _weights(molecule, turned, states)
    return _Doublet(middle, gap, g[::-1], axes, sign, error, float(tilt), mean, weight, states)


def _diagonal(basis: _Complex, jz: _Complex, molecule: _Molecule, main: _Real) -> _Complex:
    """Return the combinations of the two states with definite projection, the larger first.

    Where the projection vanishes in the doublet, those with a definite moment along its main axis.
    """
    projected = basis.conj().T @ jz @ basis
    values, vectors = np.linalg.eigh(projected)
    if values[1] - values[0] <= _SAME * float(molecule.ladder[0]):
        along = np.einsum("a,aij->ij", main, molecule.moment)
        _, vectors = np.linalg.eigh(-(basis.conj().T @ along @ basis))
    return np.asarray(vectors[:, ::-1], dtype=np.complex128)


def _right_handed(axes: _Real, direction: _Real) -> _Real:
    """Return the axes (columns) as a right-handed set, the last one on the side of ``direction``."""
    z, x = axes[:, 2], axes[:, 0]
    along = float(z @ direction)
    z = z * np.sign(along if abs(along) > _SAME else z[np.argmax(np.abs(z))])
    x = x * np.sign(x[np.argmax(np.abs(x))])
    return np.stack([x, np.cross(z, x), z], axis=1)


def _weights(molecule: _Molecule, turned: _Complex, states: _Complex) -> _Real:
    """Return the weight of every total projection on the axis in every state (columns)."""
    shares = np.abs(turned.conj().T @ states) ** 2
    weight = np.zeros((states.shape[1], len(molecule.ladder)))
    for row, share in zip(weight, shares.T, strict=True):
        np.add.at(row, molecule.place, share)
    return weight


def _text(molecule: _Molecule, weight: _Real) -> str:
    order = np.argsort(-weight, kind="stable")
    named = [k for k in order if weight[k] >= _NAMED]
    return " + ".join(f"{100 * weight[k]:.3g} % |{spin_text(float(molecule.ladder[k]))}>" for k in named)


def _variables(
    molecule: _Molecule, found: list[_Doublet]
) -> dict[str, tuple[tuple[str, ...], object, dict[str, str]]]:
    states = np.concatenate([entry.states for entry in found], axis=1)
    between = np.abs(states.conj().T @ molecule.moment @ states).mean(axis=0)
    entries = {
        "energy": ("doublet", [d.energy for d in found], "K", "energy above the lowest level"),
        "wavenumber": (
            "doublet",
            [d.energy / KELVIN_PER_WAVENUMBER for d in found],
            "cm^-1",
            "energy above the lowest level",
        ),
        "gap": ("doublet", [d.gap for d in found], "K", "gap of the doublet"),
        "g": (("doublet", "principal"), [d.g for d in found], "1", "principal values of g"),
        "g_axis": (
            ("doublet", "principal", "component"),
            [d.axes.T for d in found],
            "1",
            "principal axes of g",
        ),
        "g_sign": ("doublet", [d.sign for d in found], "1", "sign of gx gy gz"),
        "g_error": ("doublet", [d.error for d in found], "1", "rounding error of g"),
        "tilt": ("doublet", [d.tilt for d in found], "deg", "angle of the main axis"),
        "jz": (("doublet", "member"), [d.jz for d in found], "1", "mean projection"),
        "weight": (("doublet", "member", "projection"), [d.weight for d in found], "1", "weight"),
        "composition": ("doublet", [_text(molecule, d.weight[0]) for d in found], "1", "composition"),
        "transition_moment": (("state", "state_to"), between, "mu_B", "mean transition moment"),
    }
    return {name: variable(*entry) for name, entry in entries.items()}


def _singlet_variables(
    molecule: _Molecule, energy: _Real, U: _Complex, singles: list[int], turned: _Complex
) -> dict[str, tuple[tuple[str, ...], object, dict[str, str]]]:
    weight = _weights(molecule, turned, U[:, singles])
    texts = np.array([_text(molecule, row) for row in weight], dtype=str)
    return {
        "singlet_energy": variable("singlet", energy[singles], "K", "energy of singlets"),
        "singlet_weight": variable(("singlet", "projection"), weight, "1", "weight in singlets"),
        "singlet_composition": variable("singlet", texts, "1", "composition of singlets"),
    }
