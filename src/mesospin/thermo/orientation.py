"""Directions of a powder: Lebedev rules over the full sphere, shortened by proven symmetry only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import lebedev_rule

from mesospin.checks import integer
from mesospin.errors import InputError
from mesospin.model.system import SpinSystem
from mesospin.spectrum.matrices import AffineHamiltonian, affine_hamiltonian, basis_projections

_DEGREES: Final = (*range(3, 32, 2), *range(35, 132, 6))
_POINTS: Final = (
    *(6, 14, 26, 38, 50, 74, 86, 110, 146, 170, 194, 230, 266, 302, 350, 434, 590, 770, 974, 1202),
    *(1454, 1730, 2030, 2354, 2702, 3074, 3470, 3890, 4334, 4802, 5294, 5810),
)
_DEGREE_OF: Final = dict(zip(_POINTS, _DEGREES, strict=True))
_POINTS_OF: Final = dict(zip(_DEGREES, _POINTS, strict=True))

#: Part of the largest element of H below which a difference is rounding.
_ROUNDING: Final = 64 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True)
class PowderRule:
    """A quadrature over the sphere.

    Parameters
    ----------
    degree : int
        Spherical harmonics up to this degree are averaged exactly.
    points : int
        Number of directions of the rule on the full sphere.
    axes : ndarray, shape (d, 3)
        Unit vectors that are evaluated; fewer than ``points`` where symmetry makes some equal.
    weights : ndarray, shape (d,)
        They sum to 1.
    """

    degree: int
    points: int
    axes: NDArray[np.float64]
    weights: NDArray[np.float64]


def powder_rules(system: SpinSystem, powder: int) -> tuple[PowderRule, PowderRule]:
    """Return the Lebedev rule asked for, and a coarser one that shows how far it has converged.

    Parameters
    ----------
    system : SpinSystem
        Its matrices decide which directions are equivalent (`field_symmetries`).
    powder : int
        Degree (odd) or number of points (even) of a rule of ``scipy.integrate.lebedev_rule``.

    Returns
    -------
    fine, coarse : PowderRule
        The coarse rule has at most a third of the points.

    Raises
    ------
    InputError
        If there is no such rule, or it is the lowest, with which nothing could be compared.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> fine, coarse = powder_rules(giant_spin(2, D=-1.0), 590)
    >>> fine.degree, fine.points, len(fine.axes), coarse.points
    (41, 590, 48, 194)
    """
    number = integer("powder", powder)
    degree = _DEGREE_OF.get(number, number)
    if degree not in _POINTS_OF or degree == _DEGREES[0]:
        known = ", ".join(f"{d} ({_POINTS_OF[d]})" for d in _DEGREES[1:])
        raise InputError(
            f"powder must be the degree (or number of points) of a Lebedev rule, got {number}; "
            f"choose one of {known}"
        )
    third = max(_POINTS_OF[degree] // 3, _POINTS[0])
    coarse = _DEGREE_OF[max(points for points in _POINTS if points <= third)]
    signs, fourfold = field_symmetries(system), has_quarter_turn(system)
    return _rule(degree, signs, fourfold=fourfold), _rule(coarse, signs, fourfold=fourfold)


def larger_rule(points: int) -> int | None:
    """Return the number of points of a rule with four times as many, or the largest; None above that.

    Examples
    --------
    >>> larger_rule(14), larger_rule(590), larger_rule(5810)
    (74, 2702, None)
    """
    larger = [known for known in _POINTS if known >= 4 * points]
    if larger:
        return larger[0]
    return _POINTS[-1] if points < _POINTS[-1] else None


@lru_cache(maxsize=128)
def _rule(degree: int, signs: tuple[tuple[int, int, int], ...], *, fourfold: bool) -> PowderRule:
    points, weights = lebedev_rule(degree)
    equivalent = points.T[None] * np.array(signs)[:, None]
    if fourfold:
        equivalent = np.concatenate([equivalent, equivalent[..., [1, 0, 2]] * [-1.0, 1.0, 1.0]])
    keys = np.round(equivalent, 12) + 0.0
    # The largest of the equivalent directions, component after component, stands for all of them.
    order = np.lexsort((keys[..., 2], keys[..., 1], keys[..., 0]), axis=0)[-1]
    chosen = keys[order, np.arange(len(order))]
    _, first, member = np.unique(chosen, axis=0, return_index=True, return_inverse=True)
    share = np.bincount(member.ravel(), weights=weights)
    axes = equivalent[order, np.arange(len(order))][first]
    # directions in the plane y = 0, where most Hamiltonians are real, come first
    sorting = np.argsort(axes[:, 1] != 0.0, kind="stable")
    return PowderRule(degree, points.shape[1], axes[sorting], share[sorting] / share.sum())


@lru_cache(maxsize=64)
def field_symmetries(system: SpinSystem) -> tuple[tuple[int, int, int], ...]:
    r"""Return the sign changes of the field components that leave levels and moments along the field alone.

    Three operations are tried on the matrices themselves: time reversal, which turns
    :math:`\mathbf B` into :math:`-\mathbf B` (every Hamiltonian but those with Stevens
    operators of odd rank or odd powers of Sz), complex conjugation (real
    :math:`H_0`: the y component changes sign) and the half turn about z (operators of even
    q: the x and y components do).  What is returned is the group that the valid ones generate.

    Returns
    -------
    tuple of (sign of Bx, sign of By, sign of Bz)
        The identity is always among them.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.model.terms import Stevens
    >>> len(field_symmetries(giant_spin(2, D=-1.0, E=0.1)))
    8
    >>> field_symmetries(giant_spin(2, D=-1.0).with_terms(Stevens(2, 1, 0.1), Stevens(2, -1, 0.1)))
    ((-1, -1, -1), (1, 1, 1))
    """
    H = affine_hamiltonian(system)
    found = [signs for signs in (_time_reversal(system, H), _conjugation(H), _half_turn(system, H)) if signs]
    group = {(1, 1, 1)}
    for signs in found:
        group |= {(signs[0] * a, signs[1] * b, signs[2] * c) for a, b, c in group}
    return tuple(sorted(group))


@lru_cache(maxsize=64)
def has_quarter_turn(system: SpinSystem) -> bool:
    r"""Return whether turning the field by 90 degrees about z leaves levels and moments along it alone.

    .. math:: e^{i\pi S_z/2} H(\mathbf B)\,e^{-i\pi S_z/2} = H(R\mathbf B)

    is tried on the matrices: it holds for operators with q a multiple of 4 and g tensors round the axis.

    Examples
    --------
    >>> from mesospin.model.system import giant_spin
    >>> has_quarter_turn(giant_spin(2, D=-1.0)), has_quarter_turn(giant_spin(2, D=-1.0, E=0.1))
    (True, False)
    """
    H = affine_hamiltonian(system)
    x, y, z = H.G
    phase = np.array([1.0, 1.0j, -1.0, -1.0j])[_turned(system) % 4]
    H0, *turned = (phase[:, None] * matrix * phase.conj() for matrix in (H.H0, x, y, z))
    same = all(_same(found, wanted) for found, wanted in zip(turned, (y, -x, z), strict=True))
    opposite = all(_same(found, wanted) for found, wanted in zip(turned, (-y, x, z), strict=True))
    return _same(H0, H.H0) and (same or opposite)


def _time_reversal(system: SpinSystem, H: AffineHamiltonian) -> tuple[int, int, int] | None:
    parity = _parity(system)
    return _signs(H, [parity * matrix[::-1, ::-1].conj() for matrix in (H.H0, *H.G)])


def _conjugation(H: AffineHamiltonian) -> tuple[int, int, int] | None:
    return _signs(H, [matrix.conj() for matrix in (H.H0, *H.G)])


def _half_turn(system: SpinSystem, H: AffineHamiltonian) -> tuple[int, int, int] | None:
    parity = _parity(system)
    return _signs(H, [parity * matrix for matrix in (H.H0, *H.G)])


def _parity(system: SpinSystem) -> NDArray[np.float64]:
    """Return (-1)^(m - m') for the total projections of two product states, shape (n, n)."""
    turned = _turned(system) % 2
    return np.where(turned[:, None] == turned[None, :], 1.0, -1.0)


def _turned(system: SpinSystem) -> NDArray[np.int64]:
    """Return by how much the total projection of every product state is below the largest, shape (n,)."""
    total = basis_projections(system).sum(axis=1)
    turned: NDArray[np.int64] = np.round(total[0] - total).astype(np.int64)
    return turned


def _signs(H: AffineHamiltonian, image: list[NDArray[np.complex128]]) -> tuple[int, int, int] | None:
    """Return the signs that the three G take where H0 is unchanged, None where that is not so."""
    if not _same(image[0], H.H0):
        return None
    signs = []
    for slope, turned in zip(H.G, image[1:], strict=True):
        if _same(turned, slope):
            signs.append(1)
        elif _same(turned, -slope):
            signs.append(-1)
        else:
            return None
    return signs[0], signs[1], signs[2]


def _same(a: NDArray[np.complex128], b: NDArray[np.complex128]) -> bool:
    return bool(np.all(np.abs(a - b) <= _ROUNDING * max(float(np.abs(b).max()), np.finfo(np.float64).tiny)))
