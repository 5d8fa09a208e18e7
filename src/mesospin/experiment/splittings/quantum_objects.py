r"""Which spin is a quantum object: tunnelling, barrier and crossover of spins from molecules to grains.

A spin is thought of as classical where it crosses its barrier U by heat, and as a quantum object where it
tunnels; what decides is the size of the spin through the splitting, which falls exponentially with S.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from mesospin.checks import finite_array, half_integer, instance_of, positive
from mesospin.constants import HBAR, MU_B
from mesospin.errors import InputError
from mesospin.experiment.splittings.human_time import AGE_OF_THE_UNIVERSE, SECONDS_PER_YEAR, human_time
from mesospin.model.anisotropies import Anisotropy, FixedConstants, FixedDensity
from mesospin.model.system import giant_spin
from mesospin.results import result, variable
from mesospin.spectrum.tunnelling.gap import Method
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.splitting import Splitting, tunnel_splitting
from mesospin.spectrum.wells.biaxial_well import BiaxialSpin, barrier, level_distance

SPINS = (
    4.5, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0, 200.0, 500.0,
    1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5,
)  # fmt: skip
"""Spins from the smallest molecular magnets to small grains."""

_BLOCKING_TIMES = (1.0, SECONDS_PER_YEAR)
_VERDICTS = (
    (0.0, "tunnels within a second"),
    (math.log10(SECONDS_PER_YEAR), "tunnels within a year"),
    (math.log10(AGE_OF_THE_UNIVERSE), "tunnels within the age of the universe"),
    (math.inf, "classical: does not tunnel within the age of the universe"),
)
_LN10 = math.log(10.0)
_KRAMERS = "Kramers: half-integer spin at zero field"


def quantum_objects(
    anisotropy: Anisotropy,
    spins: Sequence[float] = SPINS,
    *,
    transverse: Sequence[float] = (0.0, 0.0),
    g: float = 2.0,
    method: Method | None = None,
) -> xr.Dataset:
    r"""Return splitting, tunnelling time, barrier and crossover temperature against the size of the spin.

    Parameters
    ----------
    anisotropy : FixedConstants or FixedDensity
        What stays the same: D and E of every spin (molecules), or the energy per spin, D = K/S (grains).
    spins : sequence of float
        Quantum numbers, integer or half-integer, >= 1.
    transverse : two numbers (Bx, By) [T], default none
        Constant transverse field; x is the hard axis for E > 0, y for E < 0 and for `FixedDensity`.
    g : float, default 2.0
        Lande factor.
    method : Method, optional
        How to compute the splittings; ``LargeSpin()`` if left out.

    Returns
    -------
    xarray.Dataset
        Along ``spin``: ``D``, ``E`` [K]; ``log10_splitting`` (of K), ``splitting`` (text, K), ``zero``,
        ``reason``, ``method``; ``barrier`` U [K], classical; ``level_distance`` [K], the first one in a
        well, and ``attempt_rate`` [1/s], that distance over h; ``log10_tunnelling_time`` (of s) and
        ``tunnelling_time`` as text; ``crossover_temperature`` [K]; ``verdict`` in words;
        ``blocking_temperature`` (spin, time) [K] at which the spin reverses once within 1 s, and within
        a year.

    Raises
    ------
    InputError
        If a spin is below 1 or not a half-integer, there is no barrier, or the splitting exceeds
        the distance of the levels.
    TooLargeError
        If a spin is too large for the method.
    ConvergenceError
        If the method cannot hold its accuracy, as for levels close to the top of the barrier.

    Notes
    -----
    ``tunnelling_time`` is half a period of the coherent oscillation between the wells,
    :math:`t = h/(2\Delta)`, after which a spin without any surroundings stands in the other well.

    Thermal and tunnelling rates share the attempt rate :math:`\nu=\omega/2\pi`:

    .. math:: \Gamma_T = \nu\,e^{-U/T}, \qquad \Gamma_0 = \nu\,e^{-2S_0} = \nu(\Delta/\hbar\omega)^2

    They are equal at the crossover temperature :math:`T^* = U/[2\ln(\hbar\omega/\Delta)]`, 0 where the
    splitting is exactly zero.  The coherent rate 2 Delta/h in place of the second would double it.  With
    fixed constants U grows as S^2 and T* as S; with a fixed energy density T* tends to

    .. math:: T^* = \frac{K_\parallel}{2\ln[(1+\sqrt\lambda)/(1-\sqrt\lambda)]},\qquad
              \lambda = \frac{K_\parallel}{K_\parallel+K_\perp},

    whatever the size.  The blocking temperature solves :math:`\Gamma_T+\Gamma_0 = 1/\tau`; it is 0 where
    the spin tunnels faster than that at any temperature.  The attempt rates of real relaxation contain the
    coupling to phonons and differ by orders of magnitude from :math:`\nu`, which shifts temperatures by
    their logarithm only.

    Examples
    --------
    >>> table = quantum_objects(FixedConstants(D="-0.5 K", E="0.1 K"), [4.5, 10, 20])
    >>> table.tunnelling_time.values.tolist()
    ['never', '3.2e-3 s', '120 days']
    >>> str(table.reason[0].values)
    'Kramers: half-integer spin at zero field'
    """
    instance_of(
        "anisotropy", anisotropy, FixedConstants, FixedDensity, hint="make one, e.g. FixedConstants(D=-0.5)"
    )
    Bx, By = (float(x) for x in finite_array("transverse", transverse, "T", shape=(2,)))
    lande = positive("g", g)
    sizes = [_size(S) for S in spins]
    if not sizes:
        msg = "spins must hold at least one spin, got none; give for example spins=(10, 100, 1000)"
        raise InputError(msg)
    h = (lande * MU_B * Bx, lande * MU_B * By)
    way = LargeSpin() if method is None else method
    objects = [_object(anisotropy, S, h, (Bx, By), lande, way) for S in sizes]
    system = giant_spin(
        sizes[0], D=objects[0].well.D, E=objects[0].well.E, g=lande, name=anisotropy.describe()
    )
    inputs = {"anisotropy": repr(anisotropy), "transverse": [Bx, By], "g": lande, "method": repr(way)}
    return result("quantum_objects", system, _variables(objects), _coordinates(sizes), inputs)


class _Object(NamedTuple):
    """One line of the table; energies [K]."""

    well: BiaxialSpin
    gap: Splitting
    reason: str
    barrier: float
    distance: float

    @property
    def attempts(self) -> float:
        """Oscillations in the well per second."""
        return self.distance / (2 * math.pi * HBAR)

    @property
    def log10_time(self) -> float:
        """Decimal logarithm of h/(2 Delta) in s."""
        return math.log10(math.pi * HBAR) - self.gap.log10

    @property
    def exponent(self) -> float:
        """2 S0 = 2 ln(hbar omega / Delta)."""
        return 2 * (math.log(self.distance) - self.gap.log10 * _LN10)

    def blocking(self, time: float) -> float:
        """Return the temperature at which heat and tunnelling together reverse the spin within ``time``."""
        thermal = 1.0 / (self.attempts * time) - math.exp(-self.exponent)
        return self.barrier / -math.log(thermal) if 0.0 < thermal < 1.0 else 0.0

    @property
    def verdict(self) -> str:
        """In words, by the coherent tunnelling time."""
        if self.gap.is_zero_by_symmetry:
            return f"does not tunnel ({self.reason.partition(':')[0]})"
        return next(words for limit, words in _VERDICTS if self.log10_time <= limit)


def _size(S: object) -> float:
    number = half_integer("spins", S)
    if number < 1.0:
        msg = "spins must be at least 1, got 1/2: a spin 1/2 has no anisotropy; leave it out"
        raise InputError(msg)
    return number


def _object(
    anisotropy: Anisotropy,
    S: float,
    h: tuple[float, float],
    transverse: tuple[float, float],
    g: float,
    method: Method,
) -> _Object:
    D, E = anisotropy.constants(S)
    well = BiaxialSpin(S, D, E, *h)
    height = barrier(well)
    system = giant_spin(S, D=D, E=E, g=g)
    gap = tunnel_splitting(system, (S, -S), transverse=transverse, method=method)
    # a selection rule keeps m and -m apart as well, but half-integer spins stay closed without any rule
    reason = _KRAMERS if system.is_kramers and not any(transverse) else gap.reason
    distance = level_distance(well)
    if not gap.log10 < math.log10(distance):
        msg = (
            f"spins must have a splitting below the distance of their levels, got {gap.kelvin:.3g} K against "
            f"{distance:.3g} K for S = {S:g}; lower the transverse terms"
        )
        raise InputError(msg)
    return _Object(well, gap, reason, height, distance)


def _coordinates(sizes: Sequence[float]) -> dict[str, object]:
    return {
        "spin": variable("spin", np.array(sizes), "1", "spin S"),
        "time": variable("time", np.array(_BLOCKING_TIMES), "s", "time within which the spin reverses"),
    }


def _variables(objects: Sequence[_Object]) -> dict[str, object]:
    columns: dict[str, tuple[list[object], str, str]] = {
        "D": ([o.well.D for o in objects], "K", "axial constant D"),
        "E": ([o.well.E for o in objects], "K", "rhombic constant E"),
        "log10_splitting": ([o.gap.log10 for o in objects], "1", "log10 of the splitting in K"),
        "splitting": ([o.gap.digits for o in objects], "K", "tunnel splitting (full gap), text"),
        "zero": ([o.gap.is_zero_by_symmetry for o in objects], "1", "splitting exactly zero"),
        "reason": ([o.reason for o in objects], "1", "reason for a zero splitting"),
        "method": ([o.gap.method for o in objects], "1", "what computed the splitting"),
        "barrier": ([o.barrier for o in objects], "K", "barrier U"),
        "level_distance": ([o.distance for o in objects], "K", "first level distance in a well"),
        "attempt_rate": ([o.attempts for o in objects], "1/s", "attempt rate"),
        "log10_tunnelling_time": ([o.log10_time for o in objects], "1", "log10 of h/(2 splitting) in s"),
        "tunnelling_time": ([human_time(o.log10_time) for o in objects], "1", "coherent tunnelling time"),
        "crossover_temperature": ([o.barrier / o.exponent for o in objects], "K", "crossover temperature"),
        "verdict": ([o.verdict for o in objects], "1", "verdict"),
    }
    variables: dict[str, object] = {
        name: variable("spin", values, unit, text) for name, (values, unit, text) in columns.items()
    }
    blocking = [[o.blocking(time) for time in _BLOCKING_TIMES] for o in objects]
    variables["blocking_temperature"] = variable(("spin", "time"), blocking, "K", "blocking temperature")
    return variables
