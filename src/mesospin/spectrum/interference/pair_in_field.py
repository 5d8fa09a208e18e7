"""A named pair of levels at zero transverse field, to be followed from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import instance_of
from mesospin.errors import InputError
from mesospin.model.system import SpinSystem, check_system
from mesospin.spectrum.downfold import downfold_pairs
from mesospin.spectrum.interference.coupling import Bench, Complex, crossing
from mesospin.spectrum.interference.followed_pair import DOUBTFUL, Line, Walker
from mesospin.spectrum.matrices import FieldLine, affine_hamiltonian
from mesospin.spectrum.tunnelling.problem import Levels, StatePair, read_pair

#: Weight that the named states must have in the levels at zero transverse field.
_LABEL_WEIGHT = 0.5
#: Gaps within which a third level ends the pair, and the part of the room at zero transverse field that is
#: given to pairs that start with less.
_ISOLATION, _ROOM = 3.0, 0.8
#: Limits of the gap, over the width of the spectrum, above which exact levels are subtracted.
_WIDE = 1e-8, 1e-6
#: The pair itself lies half a gap from its middle.
_LEAST = 0.6


class PairInField(NamedTuple):
    """H(B) = H0 + sum_f B_f G_f, the pair, and its crossing without transverse field.

    ``H0`` and ``Gx, Gy, Gz`` (n, n) [K, K/T]; ``energy`` [K] and ``field`` [T] of the crossing; ``states``
    (n, 2), its normalised dressed states; ``scale`` as in `Walker`.
    """

    pair: StatePair
    H0: Complex
    Gx: Complex
    Gy: Complex
    Gz: Complex
    energy: float
    field: float
    states: Complex
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, system: SpinSystem, pair: Sequence[float] | Sequence[str]) -> PairInField:
        """Return the pair at its crossing, or refuse in one sentence what cannot be followed."""
        named = _opposite_states(system, pair)
        # copies: the compiled functions take writable arrays only
        H0, G = (np.array(matrix) for matrix in affine_hamiltonian(system))
        first, second = (np.array([state]) for state in named.states)
        found = downfold_pairs(FieldLine(H0, G[2]), first, second)
        weight = float(found.weight[0])
        if not (found.converged[0] and weight > _LABEL_WEIGHT):
            got = f"weight {weight:.2g}" if np.isfinite(weight) else "no crossing"
            msg = (
                f"pair must name levels that carry these labels at zero transverse field with a weight above "
                f"one half, got {' and '.join(named.names)} with {got}; choose states farther from the top "
                "of the barrier"
            )
            raise InputError(msg)
        bench = Bench.of(len(H0))
        bench.A[:] = H0
        energy, field = float(found.energy[0]), float(found.field[0])
        levels = np.linalg.eigvalsh(H0 + field * G[2])
        isolation = _isolation(levels, energy, float(found.gap[0]))
        if not isolation > _LEAST:
            msg = (
                f"pair must name neighbouring levels, got {' and '.join(named.names)} with a third one in or "
                "near their gap at zero transverse field; choose states farther from the top of the barrier"
            )
            raise InputError(msg)
        largest = np.abs(H0).max() or np.abs(G).max()  # a spin 1/2 has no energy of its own
        scale = np.array([largest, np.ptp(levels), isolation, _wide(levels, energy)])
        crossing(bench, G[2].copy(), energy, field, named.states, float(scale[0]))
        states = bench.X / np.linalg.norm(bench.X, axis=0)
        Gx, Gy, Gz = (matrix.copy() for matrix in G)
        return cls(named, H0, Gx, Gy, Gz, energy, field, states, scale)

    def walker(self) -> Walker:
        """Return a new walker at zero transverse field."""
        at = np.array([0.0, self.energy, self.field, 0.0, 0.0, 0.0, 0.0])
        anchors = np.array(self.pair.states, dtype=np.int64)
        return Walker(at, self.states.copy(), anchors, anchors.copy(), self.scale)

    def line(self, direction: tuple[float, float], origin: tuple[float, float] = (0.0, 0.0)) -> Line:
        """Return the line of transverse fields origin + t direction."""
        start = self.H0 + origin[0] * self.Gx + origin[1] * self.Gy
        return Line(start, direction[0] * self.Gx + direction[1] * self.Gy, self.Gz)


def _isolation(levels: NDArray[np.float64], energy: float, gap: float) -> float:
    """Return within how many gaps a third level ends the pair: 3, or less where it starts nearer."""
    others = np.sort(np.abs(levels - energy))[2:]
    narrow = gap <= DOUBTFUL * np.ptp(levels)
    if narrow or not len(others) or _ISOLATION * gap <= _ROOM * others[0]:
        return _ISOLATION
    return float(_ROOM * others[0] / gap)


def _wide(levels: NDArray[np.float64], energy: float) -> float:
    """Return the gap at which the terms that downfolding leaves out meet the rounding of subtracted levels.

    That is (gap / distance of the third level)^2 = eps width / gap; a third level may be a mere spectator.
    """
    width = float(np.ptp(levels))
    third = np.sort(np.abs(levels - energy))[2:3]
    if not (len(third) and width > 0):
        return _WIDE[1] * width
    relative = np.cbrt(np.finfo(np.float64).eps * (third[0] / width) ** 2)
    return width * float(np.clip(relative, *_WIDE))


def _opposite_states(system: SpinSystem, pair: Sequence[float] | Sequence[str]) -> StatePair:
    """Return the two product states, whose moments along z must be opposite."""
    check_system(system)
    if isinstance(pair, Levels):
        msg = (
            f"pair must be two states such as (10, -10), got {pair}; positions in energy belong to one field"
        )
        raise InputError(msg)
    instance_of("pair", pair, Sequence, hint="name two states such as (10, -10)")
    named = read_pair(system, pair)
    a, b = (affine_hamiltonian(system).G[2, state, state].real for state in named.states)
    if not a * b < 0:
        msg = (
            f"pair must name states on opposite sides of the barrier, got {' and '.join(named.names)}; "
            "choose projections of opposite sign"
        )
        raise InputError(msg)
    return named
