r"""The gap of one pair of levels in many Hamiltonians at once.

Every molecule of an ensemble has its own H(B) = H0 + B G.  A narrow gap is downfolded onto the two states
of the pair (see ``mesospin.spectrum.downfold``), by Newton steps in energy and field that are taken for all
molecules together; a wide one is the difference of two eigenvalues at the field where it is smallest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import ConvergenceError, InputError
from mesospin.spectrum.matrices import Array

_EPS = float(np.finfo(np.float64).eps)
#: Neglected terms of downfolding, (gap n / width)^2, above which eigenvalues are subtracted instead.
_NEGLECTED = 1e-8
#: Weight that the named states must have in the two levels, as for a single splitting.
_LABEL_WEIGHT = 0.5
#: Rounding of downfolding in units of the disagreement of its two independent evaluations.
_DISAGREEMENT = 10.0
_LARGEST_ERROR = 1e-2
_MAX_STEPS = 30


class EnsembleGaps(NamedTuple):
    """Crossings of one pair, one entry a molecule.

    ``field`` of the smallest gap [T], ``gap`` (full) [K], ``slope`` the size of the difference of dE/dB
    of the two levels away from it [K/T], ``error`` the estimated relative error of the gap.
    """

    field: NDArray[np.float64]
    gap: NDArray[np.float64]
    slope: NDArray[np.float64]
    error: NDArray[np.float64]


def ensemble_gaps(H0: Array, G: Array, states: tuple[int, int]) -> EnsembleGaps:
    """Return the smallest gap of two levels along the field, for every molecule.

    Parameters
    ----------
    H0, G : arrays, shape (k, n, n) [K], [K/T]
        Hamiltonian of every molecule, H(B) = H0 + B G.
    states : two indices
        Basis states of the pair; their diagonal elements of G must differ, and symmetry must not forbid
        their coupling.

    Returns
    -------
    EnsembleGaps
        Arrays of shape (k,).

    Raises
    ------
    InputError
        If the two levels of a molecule do not carry the named states.
    ConvergenceError
        If double precision cannot hold the gap of a molecule.

    Examples
    --------
    Two molecules of spin 1 with E = 1 and 2 uK; the gap is 2E:

    >>> from mesospin.spectrum.matrices import field_line
    >>> from mesospin.model.system import giant_spin
    >>> lines = [field_line(giant_spin(1, D=-1.0, E=E)) for E in (1e-6, 2e-6)]
    >>> H0, G = (np.stack(matrices) for matrices in zip(*lines))
    >>> ensemble_gaps(H0, G, (0, 2)).gap
    array([2.e-06, 4.e-06])
    """
    n = H0.shape[-1]
    order = [*states, *(i for i in range(n) if i not in states)]
    rows, columns = np.ix_(order, order)
    H0, G = H0[:, rows, columns], G[:, rows, columns]
    downfolded, weight = _downfolded(H0, G)
    width = np.ptp(np.einsum("kii->ki", H0).real, axis=1)
    neglected = (downfolded.gap * n / width) ** 2 if n > 2 else np.zeros(len(H0))
    wide = ~((weight > _LABEL_WEIGHT) & (neglected < _NEGLECTED) & np.isfinite(downfolded.gap))
    error = np.maximum(downfolded.error, neglected)
    if wide.any():
        start = np.where(np.isfinite(downfolded.field), downfolded.field, _bare_field(H0, G))[wide]
        exact = _subtracted(H0[wide], G[wide], start, width[wide])
        for target, values in zip((*downfolded[:3], error), exact, strict=True):
            target[wide] = values
    if not np.all(error <= _LARGEST_ERROR):
        worst = int(np.argmax(np.where(np.isfinite(error), error, np.inf)))
        msg = (
            f"the splitting of molecule {worst} of the ensemble ({downfolded.gap[worst]:.1e} K) cannot be "
            "held in double precision; narrow the distribution towards larger splittings"
        )
        raise ConvergenceError(msg, {"relative error": float(error[worst])})
    return EnsembleGaps(*downfolded[:3], error)


def _bare_field(H0: Array, G: Array) -> NDArray[np.float64]:
    energy, slope = (np.einsum("kii->ki", matrix).real[:, :2] for matrix in (H0, G))
    return np.asarray(-np.diff(energy)[:, 0] / np.diff(slope)[:, 0])


def _downfolded(H0: Array, G: Array) -> tuple[EnsembleGaps, NDArray[np.float64]]:
    """Return the downfolded gaps and the smaller weight of the two states; NaN without convergence."""
    field = _bare_field(H0, G)
    diagonal = np.einsum("kii->ki", H0).real
    energy = diagonal[:, 0] + field * np.einsum("kii->ki", G).real[:, 0]
    scale = np.ptp(diagonal, axis=1) + np.abs(energy)
    for _ in range(_MAX_STEPS):
        h, Z, g, _ = _effective(H0, G, field, energy)
        residual = h - energy[:, None]
        # Newton step of r_a = h_aa(E, B) - E: dr_a = -Z_a dE + g_a dB
        with np.errstate(divide="ignore", invalid="ignore"):
            determinant = Z[:, 1] * g[:, 0] - Z[:, 0] * g[:, 1]
            dE = (residual[:, 1] * g[:, 0] - residual[:, 0] * g[:, 1]) / determinant
            dB = (Z[:, 0] * residual[:, 1] - Z[:, 1] * residual[:, 0]) / determinant
        energy, field = energy + dE, field + dB
        settled = np.abs(dE) <= 1e-12 * scale
        if np.all(settled | ~np.isfinite(dE)):
            break
    _, Z, g, coupling = _effective(H0, G, field, energy)
    gap = 2 * np.abs(coupling[:, 0]) / np.sqrt(Z.prod(axis=1))
    slope = np.abs(np.diff(g / Z)[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        disagreement = np.abs(coupling[:, 0] - coupling[:, 1].conj()) / np.abs(coupling[:, 0])
    error = np.maximum(_DISAGREEMENT * disagreement, 1e-13)
    values = (np.where(settled, value, np.nan) for value in (field, gap, slope, error))
    return EnsembleGaps(*values), 1 / Z.max(axis=1)


def _effective(
    H0: Array, G: Array, field: NDArray[np.float64], energy: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], Array]:
    """Return (h_aa, h_bb), (Z_a, Z_b), (dh_aa/dB, dh_bb/dB) and (h_ab, h_ba) at E and B."""
    B = np.where(np.isfinite(field), field, 0.0)[:, None, None]
    E = np.where(np.isfinite(energy), energy, 0.0)[:, None, None]
    H = H0 + B * G
    rest = E * np.eye(H.shape[-1] - 2) - H[:, 2:, 2:]
    try:
        x = np.linalg.solve(rest, H[:, 2:, :2])
    except np.linalg.LinAlgError:  # E sits exactly on a level of the complement
        shift = 1e-13 * float(np.abs(rest).max())
        x = np.linalg.solve(rest + shift * np.eye(rest.shape[-1]), H[:, 2:, :2])
    h = H[:, :2, :2] + H[:, :2, 2:] @ x
    dressed = np.concatenate([np.broadcast_to(np.eye(2, dtype=x.dtype), (len(x), 2, 2)), x], axis=1)
    Z = (np.abs(dressed) ** 2).sum(axis=1)
    g = (dressed.conj() * (G @ dressed)).sum(axis=1).real
    return np.einsum("kii->ki", h).real, Z, g, np.stack([h[:, 0, 1], h[:, 1, 0]], axis=1)


def _subtracted(H0: Array, G: Array, field: NDArray[np.float64], width: NDArray[np.float64]) -> EnsembleGaps:
    """Return eigenvalue differences at their minimum: Newton steps on the square of the gap.

    gap^2 is a parabola of B wherever two levels alone repel, so that few steps are needed.
    """
    for _ in range(_MAX_STEPS):
        gap, first, second, _, _ = _gap_and_derivatives(H0, G, field)
        curvature = first**2 + gap * second
        step = -gap * first / np.where(curvature > 0, curvature, first**2 + (width * _EPS) ** 2)
        field = field + step
        settled = (curvature > 0) & (np.abs(step * first) <= 1e-9 * gap)
        if settled.all():
            break
    gap, _, _, slope, weight = _gap_and_derivatives(H0, G, field)
    unnamed = ~(settled & (weight > _LABEL_WEIGHT))
    if unnamed.any():
        worst = int(np.argmax(unnamed))
        msg = (
            f"the distribution must keep the two levels of the pair recognisable, got a gap of "
            f"{gap[worst]:.3g} K near {field[worst]:.4g} T that mixes them with others; narrow it"
        )
        raise InputError(msg)
    return EnsembleGaps(field, gap, slope, 10 * _EPS * width / gap)


def _gap_and_derivatives(H0: Array, G: Array, field: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return the gap, its two derivatives in B, the diabatic slope, and the weight of the states."""
    energy, U = np.linalg.eigh(H0 + field[:, None, None] * G)
    chosen = np.sort(np.argsort(-(np.abs(U[:, :2]) ** 2).sum(axis=1), axis=1, kind="stable")[:, :2], axis=1)
    pair = np.take_along_axis(U, chosen[:, None, :], axis=2)
    levels = np.take_along_axis(energy, chosen, axis=1)
    elements = U.conj().swapaxes(1, 2) @ (G @ pair)  # <j|G|i>, shape (k, n, 2)
    moments = np.take_along_axis(elements, chosen[:, :, None], axis=1)  # within the pair, (k, 2, 2)
    distance = levels[:, None, :] - energy[:, :, None]
    own = np.arange(energy.shape[1])[None, :, None] == chosen[:, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(own, 0.0, 2 * np.abs(elements) ** 2 / distance)
    first = (moments[:, 1, 1] - moments[:, 0, 0]).real
    second = np.diff(terms.sum(axis=1))[:, 0]
    slope = np.diff(np.linalg.eigvalsh(moments))[:, 0]
    weight = (np.abs(pair[:, :2]) ** 2).sum(axis=2).min(axis=1)
    return np.diff(levels)[:, 0], first, second, slope, weight
