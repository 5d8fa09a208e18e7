"""Where the gap of two strongly mixed levels is least, in double precision: the start of a proof."""

from __future__ import annotations

import numpy as np
from flint import arb
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from mesospin.errors import ConvergenceError, InputError
from mesospin.spectrum.matrices import Array
from mesospin.spectrum.tunnelling.proved.balls import ExactLine, double_line
from mesospin.spectrum.tunnelling.proved.resonance import Minimum

__all__ = ["LABEL_WEIGHT", "LARGEST_DENSE", "are_heaviest", "mixed_minimum", "refuse_labels"]

#: Largest block that is factorised as a dense matrix: 8 s at 30 digits if real, a minute if complex.
LARGEST_DENSE = 400
#: Weight that the named states must have in the levels.
LABEL_WEIGHT = 0.5
_ACCURACY = 1e-4
#: Energies that agree to this, relative to the norm of H, belong to the same level.
_SAME = 1e-11


def refuse_labels(names: tuple[str, str]) -> InputError:
    """Return the error of two levels that do not carry the names."""
    return InputError(
        f"the levels {names[0]} and {names[1]} are mixed too strongly to carry these labels; "
        "use Levels(i, j) with a field B"
    )


def mixed_minimum(
    line: ExactLine, kept: tuple[int, int], names: tuple[str, str], near: float | None, *, even: bool
) -> tuple[Minimum, arb, arb]:
    """Return the minimum gap of the two levels that carry two states, the gap [K] and the slope [K/T].

    Parameters
    ----------
    line : ExactLine
        A block.
    kept : (int, int)
        Positions of the two states.
    names : (str, str)
        Their names, for messages.
    near : float or None
        Field [T] around which to search; None where the diagonal elements meet.
    even : bool
        Whether the minimum is known to lie at B = 0.

    Raises
    ------
    InputError
        If either state has no more than half of its weight in the two levels.
    ConvergenceError
        If the block is too large for a diagonalisation.
    """
    if len(line.states) > LARGEST_DENSE:
        msg = f"no crossing of {names[0]} and {names[1]} was found; use DoublePrecision() or LargeSpin()"
        raise ConvergenceError(msg)
    H0, G = double_line(line)
    states = list(kept)

    def levels_at(B: float) -> tuple[NDArray[np.float64], Array]:
        return _heaviest(H0 + B * G, states)

    def gap_at(B: float) -> float:
        return float(np.diff(levels_at(B)[0])[0])

    diagonal, slopes = H0.diagonal().real[states], G.diagonal().real[states]
    slope = float(slopes[0] - slopes[1])
    bare = float((diagonal[1] - diagonal[0]) / slope) if near is None else near
    field = 0.0 if even else bare
    if not even:
        reach = 2 * max(gap_at(field) / abs(slope), 1e-6)
        best = minimize_scalar(
            gap_at,
            bounds=(field - reach, field + reach),
            method="bounded",
            options={"xatol": _ACCURACY * reach},
        )
        field = field if gap_at(field) <= best.fun else float(best.x)
    energy, U = levels_at(field)
    if (np.abs(U[states]) ** 2).sum(axis=1).min() <= LABEL_WEIGHT:
        raise refuse_labels(names)
    steepness = float(np.diff(np.linalg.eigvalsh(U.conj().T @ (G @ U)))[0]) * float(np.sign(slope))
    start = Minimum(arb(field), (arb(float(energy[0])), arb(float(energy[1]))))
    return start, arb(float(np.diff(energy)[0])), arb(steepness)


def are_heaviest(line: ExactLine, kept: tuple[int, int], found: Minimum) -> bool:
    """Return whether two levels are those that carry most of the two states, in double precision."""
    if len(line.states) > LARGEST_DENSE:
        return False
    H0, G = double_line(line)
    H = H0 + float(found.field) * G
    energy, _ = _heaviest(H, list(kept))
    miss = np.abs(energy - np.array([float(value) for value in found.energies]))
    return bool(miss.max() < _SAME * np.abs(H).sum(axis=0).max())


def _heaviest(H: Array, states: list[int]) -> tuple[NDArray[np.float64], Array]:
    """Return energies and vectors of the two levels with the largest weight on some states, rising."""
    energy, U = np.linalg.eigh(H)
    weight = (np.abs(U[states]) ** 2).sum(axis=0)
    chosen = np.sort(np.argsort(-weight, kind="stable")[:2])
    return energy[chosen], U[:, chosen]
