"""Tunnel splittings of one large spin from its instantons: exponent, prefactor and Berry phase."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import ConvergenceError, InputError
from mesospin.model.system import SpinSystem
from mesospin.spectrum.tunnelling.calibration import calibrate
from mesospin.spectrum.tunnelling.classical_spin import ClassicalSpin, Minimum, classical_spin, zeeman_energy
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.instanton import Instanton, amplitude_sum, instantons
from mesospin.spectrum.tunnelling.problem import Problem, StatePair

#: Two energies or frequencies are equal within this, relative to the frequency.
_EQUAL = 1e-7
_BALANCE_STEPS = 30
#: Real part of the root in the middle of a trajectory below which its sign is not certain.
_LEAST_MARGIN = 0.1
#: Estimated error in units of the measured 1/S correction, and its least coefficient.
_SAFETY, _LEAST_COEFFICIENT = 2.5, 0.1
#: Errors of ln(chi) and of the prefactor, the latter two in units of the square of the largest |n|.
_ROUNDING, _ROUNDING_OF_KEY, _ROUNDING_OF_PREFACTOR = 1e-14, 4e-15, 1e-9
#: Sum over instantons, relative to its parts, that is rounding.
_CANCELLED = 1e-7


@dataclass(frozen=True, slots=True)
class Semiclassical(Method):
    r"""Ground splitting of one spin between two equal classical minima, by instantons.

    Any anisotropy and any transverse field, at any size: the classical energy surface is continued to
    complex directions, where trajectories of zero energy lead from one minimum to the other in imaginary time
    (see ``instanton``).  The gap is :math:`|\sum A|` over them; interference (Kramers' theorem, the quenching
    fields of the hard axis) comes from their phases.

    The relative error is of order 1/S.  Its coefficient is measured: small spins (16 to 18 as a rule) with
    the same classical energy surface are diagonalised exactly and compared, which also tells which
    trajectories count, and refuses surfaces on which their sum is not the splitting.

    Examples
    --------
    The ground splitting of a biaxial spin of 1000, :math:`\propto 3^{-1/4} S^{3/2} (2 - \sqrt3)^S`:

    >>> from mesospin.model.system import giant_spin
    >>> from mesospin.spectrum.tunnelling.problem import read_problem
    >>> problem = read_problem(giant_spin(1000, D=-1.0, E=0.5), (1000, -1000), None, (0, 0, 1), (0, 0))
    >>> gap = Semiclassical().gap(problem)
    >>> D, E, S = 1.0, 0.5, 1000
    >>> ratio = np.sqrt((D - E) / (D + E))
    >>> form = 16 * (D + E) * ratio**1.5 * S**1.5 / (np.sqrt(np.pi) * (1 + ratio))
    >>> expected = np.log10(form) + S * np.log10((1 - ratio) / (1 + ratio))
    >>> bool(abs(gap.log10 - expected) < 0.001 > gap.relative_error)
    True
    """

    def gap(self, problem: Problem) -> Gap:
        """Return the splitting; InputError where there are not two equal wells, ConvergenceError else."""
        pair = _ground_pair(problem)
        balance = _balanced(problem, pair)
        S = balance.spin.S
        found, coefficient = calibrate(balance.spin, _instantons(balance), symmetric=balance.field == 0.0)
        _check_signs(found)
        logarithm, ratio = amplitude_sum(found, S)
        if ratio < _CANCELLED:
            msg = (
                f"the {len(found)} ways of tunnelling cancel to {ratio:.0e} of their size, below the error "
                "of Semiclassical(); use Certified()"
            )
            raise ConvergenceError(msg)
        correction = _SAFETY * max(coefficient, _LEAST_COEFFICIENT) / S
        reach = max(one.reach for one in found)
        rounding = 2 * S * (_ROUNDING + _ROUNDING_OF_KEY * reach**2) + _ROUNDING_OF_PREFACTOR * reach**2
        power = math.floor(logarithm / math.log(10))
        return Gap.from_parts(
            math.exp(logarithm - power * math.log(10)),
            power,
            10,
            relative_error=(correction + rounding) / ratio,
            field=balance.field,
            slope=balance.slope,
            note=_note(found, S),
        )


class _Balance(NamedTuple):
    """The field [T] at which the two wells are equal, the spin there, its wells and dE_a/dB - dE_b/dB."""

    field: float
    spin: ClassicalSpin
    first: Minimum
    second: Minimum
    slope: float


def _ground_pair(problem: Problem) -> StatePair:
    """Return the pair, or refuse what is not the ground pair of one spin."""
    count = len(problem.system.spins)
    if count != 1:
        msg = f"system must be a single spin for Semiclassical(), got {count} spins; use Certified()"
        raise InputError(msg)
    S = problem.system.spins[0].S
    pair = problem.pair
    if not isinstance(pair, StatePair) or {pair.projections[0][0], pair.projections[1][0]} != {S, -S}:
        names = " and ".join(pair.names) if isinstance(pair, StatePair) else repr(pair)
        msg = f"pair must be (S, -S) for Semiclassical(), got {names}; use LargeSpin() or Certified()"
        raise InputError(msg)
    return pair


def _balanced(problem: Problem, pair: StatePair) -> _Balance:
    """Return the field along the axis at which the two deepest wells have one energy, by Newton steps."""
    axis = np.array(problem.axis)
    offset = np.array([*problem.transverse, 0.0])
    zeeman = zeeman_energy(problem.system, axis)
    field = 0.0
    for _ in range(_BALANCE_STEPS):
        spin = classical_spin(problem.system, offset + field * axis)
        first, second = _two_wells(problem.system, spin)
        if pair.states[0] > pair.states[1]:
            first, second = second, first
        slope = float((zeeman.energy(_complex(first)) - zeeman.energy(_complex(second))).real)
        if abs(slope) < 1e-9:
            msg = "pair must meet at one field, but the two wells have the same moment along the axis"
            raise InputError(msg)
        bias = first.energy - second.energy
        if abs(bias) <= _EQUAL * 1e-3 * first.frequency / spin.j:
            break
        field -= bias / slope
    else:
        msg = "no field was found at which the two wells have one energy; use Certified()"
        raise ConvergenceError(msg)
    if not abs(first.frequency - second.frequency) <= _EQUAL * first.frequency:
        msg = (
            f"the two wells must be alike for Semiclassical(), got frequencies of {first.frequency:.6g} and "
            f"{second.frequency:.6g} K; use Certified()"
        )
        raise InputError(msg)
    return _Balance(field, spin, first, second, slope * spin.S)


def _two_wells(system: SpinSystem, spin: ClassicalSpin) -> tuple[Minimum, Minimum]:
    """Return the two deepest minima, that on the side of +z first, or refuse other landscapes."""
    minima = spin.minima()
    if len(minima) < 2:
        found = "one" if minima else "none that is not a plane or a cone of directions"
        msg = (
            f"{system.name} must have two classical minima for Semiclassical(), got {found}; use Certified()"
        )
        raise InputError(msg)
    first, second = sorted(minima[:2], key=lambda minimum: -minimum.direction[2])
    if not first.direction[2] > 0 > second.direction[2]:
        msg = (
            f"the two classical minima of {system.name} must lie on either side of the xy plane for the pair "
            "(S, -S) to name them, got both on one; turn the axes of the system"
        )
        raise InputError(msg)
    if len(minima) > 2 and spin.j * (minima[2].energy - minima[1].energy) < minima[0].frequency:
        msg = (
            f"{system.name} must have two classical minima for Semiclassical(), got a third within the "
            f"frequency of {minima[0].frequency:.3g} K; use Certified()"
        )
        raise InputError(msg)
    return first, second


def _instantons(balance: _Balance) -> list[Instanton]:
    found = instantons(balance.spin, balance.first, balance.second)
    if not found:
        msg = (
            "no complex trajectory of moderate length leads from one minimum to the other, so weak are the "
            "transverse terms; use Perturbative(), LargeSpin() or Certified()"
        )
        raise ConvergenceError(msg)
    return found


def _check_signs(found: list[Instanton]) -> None:
    if min(one.margin for one in found) < _LEAST_MARGIN:
        msg = "the sign of one way of tunnelling is not certain; use LargeSpin() or Certified()"
        raise ConvergenceError(msg)


def _note(found: list[Instanton], S: float) -> str:
    exponent = -2 * S * max(one.log_key.real for one in found)
    ways = f"{len(found)} instanton" + ("s" if len(found) > 1 else "")
    return f"{ways}, exponent {exponent:.4g}"


def _complex(minimum: Minimum) -> NDArray[np.complex128]:
    return minimum.direction.astype(np.complex128)
