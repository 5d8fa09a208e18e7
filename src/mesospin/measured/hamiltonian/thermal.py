"""Magnetisation, susceptibility and heat capacity at points (T, B), with derivatives by parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesospin.constants import GAS_CONSTANT
from mesospin.errors import ConvergenceError
from mesospin.measured.hamiltonian.sensitivities import Member
from mesospin.thermo.molar import CM3_PER_MOLE
from mesospin.thermo.molecular_field import MeanField
from mesospin.thermo.orientation import PowderRule
from mesospin.thermo.sample import Crystal, Powder, Sample
from mesospin.thermo.self_consistent import self_consistent

Floats = NDArray[np.float64]
#: Values (points,) and derivatives (points, p + 2): the parameters of the Hamiltonian, zJ and tip.
Prediction = tuple[Floats, Floats]
#: What gives (f, t) and (f, t, p) for vectors (f, 3), directions (f, 1, 3) and T (1, t).
Average = Callable[[Floats, Floats, Floats], Prediction]

#: Directions from which the entries of a symmetric tensor follow.
_SIX = np.vstack([np.eye(3), np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]) / np.sqrt(2.0)])


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Values of all parameters that are tried.

    Parameters
    ----------
    member : Member
    coupled : bool
        Whether there is a mean field of neighbours.
    zJ : float [K]
        Coupling to them.
    g : float
        The g factor by which their moments are read as spins.
    tip : float [cm3/mol]
        Temperature-independent susceptibility.
    """

    member: Member
    coupled: bool
    zJ: float
    g: float
    tip: float

    @property
    def width(self) -> int:
        """Number of derivatives."""
        return len(self.member.values) + 2

    @property
    def coupling(self) -> tuple[float, float]:
        """Field per moment [T/mu_B] and its derivative by zJ."""
        unit = MeanField(1.0, self.g).coefficient
        return self.zJ * unit, unit


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points of one sample.

    Parameters
    ----------
    T, B : ndarray, shape (points,) [K], [T]
    axis : three numbers or None
        Direction of the field in a crystal.
    rule : PowderRule or None
        Directions of a powder.
    """

    T: Floats
    B: Floats
    axis: tuple[float, float, float] | None
    rule: PowderRule | None

    def directions(self) -> tuple[Floats, Floats]:
        """Return unit vectors (d, 3) and their weights (d,)."""
        if self.rule is not None:
            return self.rule.axes, self.rule.weights
        return np.array([self.axis]), np.ones(1)

    def chosen(self, mask: NDArray[np.bool_]) -> Points:
        """Return some of the points."""
        return Points(self.T[mask], self.B[mask], self.axis, self.rule)


def heat(points: Points, trial: Trial) -> Prediction:
    """Return the heat capacity [J/(mol K)]."""

    def average(vectors: Floats, directions: Floats, T: Floats) -> Prediction:
        del directions
        return trial.member.heat(vectors, T)

    if not np.any(points.B):  # every direction is the same
        points = Points(points.T, points.B, (0.0, 0.0, 1.0), None)
    value, slope = _averaged(average, points, *points.directions())
    return GAS_CONSTANT * value, GAS_CONSTANT * _padded(slope)


def moment(points: Points, trial: Trial) -> Prediction:
    """Return the moment along the field [mu_B]."""
    if trial.coupled:
        return _coupled_moment(points, trial)

    def average(vectors: Floats, directions: Floats, T: Floats) -> Prediction:
        value, _, slope = trial.member.moment(vectors, directions, T)
        return value[..., 0], slope[:, :, 0]

    value, slope = _averaged(average, points, *points.directions())
    slope = _padded(slope)
    slope[:, -1] = points.B / CM3_PER_MOLE
    return value + trial.tip * slope[:, -1], slope


def susceptibility(points: Points, trial: Trial, *, differential: bool) -> Prediction:
    """Return M/B [cm3/mol], or dM/dB where the field is zero or ``differential`` says so."""
    value, slope = np.empty(len(points.T)), np.empty((len(points.T), trial.width))
    small = (points.B == 0.0) | differential
    if np.any(small):
        chi, chi_slope = _differential(points.chosen(small), trial)
        value[small], slope[small] = CM3_PER_MOLE * chi + trial.tip, CM3_PER_MOLE * chi_slope
        slope[small, -1] = 1.0
    if not np.all(small):
        part = points.chosen(~small)
        m, m_slope = moment(part, trial)
        value[~small] = CM3_PER_MOLE * m / part.B
        slope[~small] = CM3_PER_MOLE * m_slope / part.B[:, None]
    return value, slope


def _differential(points: Points, trial: Trial) -> Prediction:
    """Return dM/dB [mu_B/T] without tip."""
    if trial.coupled:
        return _coupled_chi(points, trial)

    def average(vectors: Floats, directions: Floats, T: Floats) -> Prediction:
        value, slope = trial.member.chi(vectors, directions, T)
        return value[..., 0], slope[:, :, 0]

    directions = points.directions()
    if points.rule is not None and not np.any(points.B):
        directions = np.eye(3), np.full(3, 1 / 3)
    value, slope = _averaged(average, points, *directions)
    return value, _padded(slope)


def _coupled_chi(points: Points, trial: Trial) -> Prediction:
    r"""Return :math:`\mathbf n(1 - \chi\lambda)^{-1}\chi\,\mathbf n` at zero field [mu_B/T]."""
    strength, unit = trial.coupling
    T, where = np.unique(points.T, return_inverse=True)
    along = trial.member.chi(np.zeros((1, 3)), _SIX[None], T[None])
    chi, slope = (_tensor(np.moveaxis(array[0, where.ravel()], 1, 0)) for array in along)
    n = np.array([points.axis])
    if points.rule is not None:
        chi = np.einsum("kaa->k", chi)[:, None, None] / 3.0
        slope = np.einsum("kpaa->kp", slope)[..., None, None] / 3.0
        n = np.ones((1, 1))
    stiffness = np.eye(chi.shape[-1]) - strength * chi
    lowest = np.linalg.eigvalsh(stiffness)[:, 0]
    if not np.all(lowest > 0.0):
        raise ConvergenceError(
            f"zJ = {trial.zJ:g} K orders the moments at T = {points.T[np.argmin(lowest)]:g} K, where "
            "paramagnetic data were measured; bound zJ from above"
        )
    soft = np.linalg.inv(stiffness)
    response = soft @ chi
    ends = soft @ n[0]
    value = np.einsum("a,kab,b->k", n[0], response, n[0])
    own = np.einsum("ka,kpab,kb->kp", ends, slope, ends)
    by_coupling = unit * np.einsum("ka,ka->k", response @ n[0], response @ n[0])
    return value, np.concatenate([own, by_coupling[:, None], np.zeros((len(value), 1))], axis=1)


def _tensor(along: Floats) -> Floats:
    """Return symmetric tensors (..., 3, 3) from their components along six directions (6, ...)."""
    x, y, z, xy, yz, zx = along
    xy, yz, zx = xy - (x + y) / 2, yz - (y + z) / 2, zx - (z + x) / 2
    rows = [[x, xy, zx], [xy, y, yz], [zx, yz, z]]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def _coupled_moment(points: Points, trial: Trial) -> Prediction:
    r"""Return the moment in the field to which it adds: :math:`m = M(B + \lambda m)`."""
    strength, unit = trial.coupling
    system = trial.member.family.system_at(trial.member.values)
    axes, weights = points.directions()
    T = points.T[:, None]
    sample: Sample = Crystal(system)
    fields, tensor = points.B[:, None] * axes[:1], strength * np.eye(3)
    if points.rule is not None:
        sample = Powder(system, points.rule)
        fields, tensor = points.B[:, None], np.array([[strength]])
    acting = self_consistent(sample, fields, T, tensor).fields
    if points.rule is None:
        directions = np.broadcast_to(np.eye(3), (len(T), 3, 3))
        M, chi, slope = (array[:, 0] for array in trial.member.moment(acting, directions, T))
        n = axes[0]
    else:
        count = len(axes)
        vectors = (acting[:, None] * axes[None]).reshape(-1, 3)
        directions = np.tile(axes, (len(T), 1))[:, None]
        parts = trial.member.moment(vectors, directions, np.repeat(T, count, axis=0))
        M, chi, slope = (
            np.einsum("kd...,d->k...", a[:, 0].reshape(len(T), count, *a.shape[2:]), weights) for a in parts
        )
        n = np.ones(1)
    pushed = np.concatenate([slope, unit * (chi @ M[..., None])], axis=-1)
    total = n @ np.linalg.solve(np.eye(len(n)) - strength * chi, pushed)
    induced = points.B / CM3_PER_MOLE
    return M @ n + trial.tip * induced, np.concatenate([total, induced[:, None]], axis=1)


def _padded(slopes: Floats) -> Floats:
    """Return derivatives with zeros for zJ and tip."""
    return np.concatenate([slopes, np.zeros((*slopes.shape[:-1], 2))], axis=-1)


def _averaged(average: Average, points: Points, axes: Floats, weights: Floats) -> Prediction:
    """Return the mean over directions (d, 3) at every point: (points,) and (points, p)."""
    pairs = np.stack([points.B, points.T], axis=1)
    different, inverse = np.unique(pairs, axis=0, return_inverse=True)
    wanted: dict[float, list[int]] = {}
    for index, field in enumerate(different[:, 0]):
        wanted.setdefault(float(field), []).append(index)
    # fields at which the same temperatures are wanted go together
    groups: dict[tuple[float, ...], list[list[int]]] = {}
    for indices in wanted.values():
        groups.setdefault(tuple(different[indices, 1]), []).append(indices)
    value, slope = np.empty(len(different)), np.empty((len(different), 0))
    for temperatures, rows in groups.items():
        members = np.array(rows)
        fields = different[members[:, 0], 0]
        # directions outermost: those in the plane where H is real stay together
        vectors = (axes[:, None] * fields[None, :, None]).reshape(-1, 3)
        directions = np.repeat(axes, len(fields), axis=0)[:, None]
        m, d = average(vectors, directions, np.array(temperatures)[None])
        shape = (len(axes), len(fields), len(temperatures))
        if slope.shape[1] == 0:
            slope = np.empty((len(different), d.shape[-1]))
        value[members] = np.tensordot(weights, m.reshape(shape), 1)
        slope[members] = np.tensordot(weights, d.reshape(*shape, -1), 1)
    where = inverse.ravel()
    return value[where], slope[where]
