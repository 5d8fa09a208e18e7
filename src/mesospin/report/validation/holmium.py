"""Holmium in LiYF4: the fields of its electro-nuclear steps, the level that opens them, and its loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from mesospin.constants import MU_B
from mesospin.experiment.hysteresis import hysteresis
from mesospin.model.library import load
from mesospin.report.validation.rows import Row, Source

_LOOPS: Final = Source("Giraud et al., Phys. Rev. Lett. 87, 057203 (2001) (from memory)")
_INFRARED: Final = Source("Beckert et al. 2020, arXiv:2012.09233 (abstract)")
_PAIRS: Final = Source("Giraud et al., Phys. Rev. Lett. 91, 257204 (2003) (from memory)")


def steps_of_one_ion() -> Sequence[Row]:
    """Return the rows on the crystal field, the spacing and the selection rule of the steps."""
    loop = hysteresis(load("ho-liyf4"), [0.05, 0.2], 1e-3, (-0.2, 0.2))
    n, field = loop.step_n.values, loop.step_field.values
    opened = ~loop.step_zero.values & (loop.step_splitting.values > 1e-3)
    slope = float(np.polyfit(n[opened], field[opened], 1)[0])
    hyperfine = 0.02703 * 1.438776877 / (2 * 1.25 * MU_B)
    closed = sorted(set(n.tolist()) - set(n[opened].tolist()))
    fastest = float(loop.step_fraction.values[0, opened & (n == 5)][0])
    return [
        _LOOPS.number(
            "holmium-steps", "Ho in LiYF4, spacing of the open steps of the loop", 0.023, slope, "T",
            atol=5e-4, reason="second order in the hyperfine coupling moves single steps by up to 3 %",
        ),
        _INFRARED.number(
            "holmium-steps-infrared", "the same from A_J/(2 g_J mu_B) with A_J = 0.02703 cm^-1",
            hyperfine, slope, "T", atol=5e-4,
        ),
        _LOOPS.statement(
            "holmium-all-steps", "steps at every n from -7 to 7",
            "all", f"gaps closed in the ideal site: n = {', '.join(f'{k:g}' for k in closed)}", False,
            reason="S4 keeps m + mI modulo 4, which closes even n; strain or a transverse field opens them",
            should_hold=False,
        ),
        _LOOPS.statement(
            "holmium-cold", "at 0.05 K the lowest nuclear level reverses in one step",
            "one large step", f"{fastest / 0.69:.2f} of the ions at n = 5", fastest > 0.6,
        ),
    ]  # fmt: skip


def steps_of_a_pair() -> Sequence[Row]:
    """Return the row on the fields where two ions turn together."""
    g, A, J = 6.912, 0.2128, -0.2837
    # both turn at the mean of their steps; alone each would have to pay the coupling, J/(g mu_B)
    spacing, shift = A / (2 * g * MU_B), -J / (g * MU_B)
    return [
        _PAIRS.statement(
            "holmium-pairs", "co-tunnelling of two coupled ions, midway between their steps",
            "steps at half-integer multiples",
            f"(n1 + n2)/2 x {1e3 * spacing:.1f} mT, one alone {1e3 * shift:.0f} mT later",
            shift > spacing,
            reason="in the ideal site n1 and n2 are odd and their mean is an integer, even ones included; a "
            "transverse field adds the halves",
        ),
    ]  # fmt: skip


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (steps_of_one_ion, steps_of_a_pair)
