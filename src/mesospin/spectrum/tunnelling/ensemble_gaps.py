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
from mesospin.spectrum.downfold import downfold_molecules
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
    pairs = downfold_molecules(H0, G, states)
    order = [*states, *(i for i in range(H0.shape[-1]) if i not in states)]
    H0, G = (matrix[:, order][:, :, order] for matrix in (H0, G))
    width = np.ptp(np.einsum("kii->ki", H0).real, axis=1)
    neglected = (pairs.gap * len(order) / width) ** 2 if len(order) > 2 else np.zeros(len(H0))
    wide = ~((pairs.weight > _LABEL_WEIGHT) & (neglected < _NEGLECTED) & pairs.converged)
    error = np.maximum(np.maximum(_DISAGREEMENT * pairs.disagreement, 1e-13), neglected)
    downfolded = EnsembleGaps(pairs.field, pairs.gap, np.abs(pairs.slope), error)
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
