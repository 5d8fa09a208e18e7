"""The temperature below which a loop no longer depends on temperature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mesospin import units
from mesospin.checks import positive
from mesospin.checks import span as check_span
from mesospin.dynamics.methods import RateEquations
from mesospin.errors import InputError
from mesospin.experiment.ensemble import ensemble
from mesospin.experiment.hysteresis import LoopTask, molecule_loop
from mesospin.experiment.loop_features import SAME_LOOP
from mesospin.experiment.surroundings import chosen, phonon_bath
from mesospin.model.environment import FROM_SYSTEM, DipolarBath, Disorder, FromSystem, PhononBath
from mesospin.model.system import SpinSystem
from mesospin.units import Quantity

_COLDEST = 0.05
_HOTTEST = 100.0
_PRECISION = 1.01


def crossover_temperature(
    system: SpinSystem,
    rate: Quantity,
    span: Sequence[float],
    *,
    bath: PhononBath | FromSystem = FROM_SYSTEM,
    dipolar: DipolarBath | FromSystem | None = FROM_SYSTEM,
    disorder: Disorder | FromSystem | None = FROM_SYSTEM,
) -> float:
    """Return the temperature at which the loop leaves its low-temperature limit [K].

    Below it the ground state tunnels, above it thermally activated tunnelling sets in.  It is where
    ``max |M(T) - M(0.05 K)| / Ms`` reaches 0.1 for the most frequent molecule of the ensemble, found by
    bisection to 1 %.

    Parameters
    ----------
    system : SpinSystem
        The molecule.
    rate : float or str [T/s]
        Sweep rate.
    span : (lo, hi) [T]
        Range of the field.
    bath, dipolar, disorder
        As for `hysteresis`.

    Raises
    ------
    InputError
        If the loop is the same at 0.05 K and at 100 K, or an argument is refused by `hysteresis`.

    Examples
    --------
    >>> from mesospin.model.library import load
    >>> round(crossover_temperature(load("mn12ac"), "3 mT/s", (-5.5, 5.5)), 2)
    0.87
    """
    members = ensemble(system, chosen(disorder, system.defaults.disorder))
    frozen = chosen(dipolar, system.defaults.dipolar)
    lo, hi = check_span("span", span, "T")
    template = LoopTask(
        molecule=max(members, key=lambda molecule: molecule.weight),
        bath=phonon_bath(system, bath),
        temperatures=(_COLDEST,),
        rate=positive("rate", units.to_tesla_per_second(rate, "rate"), "T/s"),
        span=(lo, hi),
        step=2e-3,
        width=frozen.width if frozen else 0.0,
        nuclear_width=0.0,
        method=RateEquations(),
        mirrored=True,
    )
    reference = molecule_loop(template)["moment"]
    scale = float(np.abs(reference).max())

    def differs(T: float) -> bool:
        loop = molecule_loop(template._replace(temperatures=(T,)))["moment"]
        return bool(np.abs(loop - reference).max() >= SAME_LOOP * scale)

    below, above = _COLDEST, 2 * _COLDEST
    while not differs(above):
        below, above = above, 2 * above
        if above > _HOTTEST:
            msg = f"span must contain a loop that depends on temperature [T], got ({lo:g}, {hi:g}); widen it"
            raise InputError(msg)
    while above / below > _PRECISION:
        middle = float(np.sqrt(below * above))
        below, above = (below, middle) if differs(middle) else (middle, above)
    return float(np.sqrt(below * above))
