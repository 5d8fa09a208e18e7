r"""The moment that is the thermal moment in the field to which it adds.

.. math:: \mathbf m = \mathbf m_0(\mathbf B + \Lambda\mathbf m, T)

Newton steps with :math:`1 - \chi_0\Lambda`, shortened where they would not reduce the residual, and
plain steps :math:`\mathbf m \to \mathbf m_0` where that matrix is not positive.  Where Lambda has a
positive eigenvalue (ferromagnetic neighbours) several moments may solve the equation: the search
starts from zero and from saturation, and the state of lower free energy

.. math:: F = F_0(\mathbf B_{act}) + \tfrac12\mu_B\,\mathbf m\cdot\Lambda\mathbf m

is taken.  Its derivatives are -M and -S again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mesospin.constants import MU_B
from mesospin.errors import ConvergenceError
from mesospin.model.system import SpinSystem
from mesospin.spectrum.matrices import affine_hamiltonian
from mesospin.thermo.averages import caloric, response
from mesospin.thermo.sample import Sample

Floats = NDArray[np.float64]

_STEPS: Final = 60
#: Residual, in units of the largest moment, at which a moment is self-consistent, where rounding allows it.
_TOLERANCE: Final = 1e-12
#: Fraction of a Newton step below which the plain step is taken.
_SHORTEST: Final = 0.01
_ROUNDING: Final = 64 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True)
class SelfConsistent:
    """States in their own field, one a row.

    Parameters
    ----------
    fields : ndarray, shape (f, d) [T]
        Acting fields.
    T : ndarray, shape (f, 1) [K]
    moment : ndarray, shape (f, d) [mu_B]
    chi : ndarray, shape (f, d, d) [mu_B/T]
        Response to the acting field.
    slope : ndarray, shape (f, d) [mu_B/K]
        dM/dT at fixed acting field.
    tensor : ndarray, shape (d, d) [T/mu_B]
        Lambda.
    """

    fields: Floats
    T: Floats
    moment: Floats
    chi: Floats
    slope: Floats
    tensor: Floats

    def applied_chi(self) -> Floats:
        """Return the response to the applied field, (1 - chi Lambda)^-1 chi, shape (f, d, d) [mu_B/T]."""
        return np.asarray(np.linalg.solve(self._stiffness(), self.chi))

    def field_energy(self) -> Floats:
        """Return what the free energy has besides that in the acting field, shape (f, 1) [K]."""
        return np.asarray(
            0.5 * MU_B * np.einsum("fa,ab,fb->f", self.moment, self.tensor, self.moment)[:, None]
        )

    def field_heat(self) -> Floats:
        """Return the heat capacity / k_B that comes from the change of the acting field, shape (f, 1)."""
        change = np.linalg.solve(self._stiffness(), self.slope[..., None])[..., 0]
        return np.asarray(self.T * MU_B * np.einsum("fa,ab,fb->f", self.slope, self.tensor, change)[:, None])

    def _stiffness(self) -> Floats:
        return np.eye(len(self.tensor)) - self.chi @ self.tensor


def self_consistent(sample: Sample, fields: Floats, T: Floats, tensor: Floats) -> SelfConsistent:
    """Return the self-consistent states in applied fields.

    Parameters
    ----------
    sample : Crystal or Powder
    fields : ndarray, shape (f, d) [T]
        Applied fields, d = 3 for a crystal and 1 for a powder.
    T : ndarray, shape (f, 1) [K]
    tensor : ndarray, shape (d, d) [T/mu_B]
        Lambda.

    Raises
    ------
    ConvergenceError
        If a moment is not found, or its state is unstable: below an ordering temperature
        where no field chooses a direction.
    """
    found = _search(sample, fields, T, tensor, np.zeros_like(fields))
    if np.any(np.linalg.eigvalsh(tensor) > 0):
        length = np.linalg.norm(fields, axis=1, keepdims=True)
        along = fields / np.where(length > 0, length, 1.0)
        other = _search(sample, fields, T, tensor, along * largest_moment(sample.system))
        found = _lower(sample, found, other)
    _check_stable(found)
    return found


def _search(sample: Sample, fields: Floats, T: Floats, tensor: Floats, start: Floats) -> SelfConsistent:
    """Return the states that steps from ``start`` lead to, or slow cooling where they lead nowhere."""
    found, left = _stepped(sample, fields, T, tensor, start)
    if len(left):
        cooled, hopeless = _cooled(sample, fields[left], T[left], tensor)
        if len(hopeless):
            raise _not_found(fields[left][hopeless], T[left][hopeless])
        for name in ("fields", "moment", "chi", "slope"):
            getattr(found, name)[left] = getattr(cooled, name)
    return found


def _cooled(
    sample: Sample, fields: Floats, T: Floats, tensor: Floats
) -> tuple[SelfConsistent, NDArray[np.intp]]:
    """Return the states reached by halving the temperature from above the energy of the coupling.

    A moment that antiferromagnetic neighbours hold between its saturated values is a narrow target at low
    temperature; in units of the temperature the acting field at the solution hardly moves on cooling.
    """
    energy = MU_B * float(np.linalg.norm(tensor, 2)) * largest_moment(sample.system) ** 2
    hot = max(energy, float(T.max()))
    moment = np.zeros_like(fields)
    for halvings in range(int(np.ceil(np.log2(hot / float(T.min())))) + 1):
        state, left = _stepped(sample, fields, np.maximum(T, hot * 0.5**halvings), tensor, moment)
        moment = state.moment
    return state, left


def _stepped(
    sample: Sample, fields: Floats, T: Floats, tensor: Floats, start: Floats
) -> tuple[SelfConsistent, NDArray[np.intp]]:
    """Return the states after at most so many steps, and which of them are not self-consistent."""
    scale = largest_moment(sample.system)
    allowed = scale * (_TOLERANCE + _ROUNDING * _largest_energy(sample.system, fields) / T[:, 0])
    moment, damping = start.copy(), np.ones(len(start))
    value, chi, slope = _respond(sample, fields + start @ tensor, T)
    for _ in range(_STEPS):
        left = np.flatnonzero(np.abs(moment - value).max(axis=1) > allowed)
        if not len(left):
            break
        residual = moment[left] - value[left]
        step, plain = _step(residual, chi[left], tensor, damping[left])
        trial = moment[left] + step
        new, new_chi, new_slope = _respond(sample, fields[left] + trial @ tensor, T[left])
        better = np.linalg.norm(trial - new, axis=1) < np.linalg.norm(residual, axis=1)
        damping[left] = np.where(better, np.minimum(1.0, 2.0 * damping[left]), 0.5 * damping[left])
        damping[left[plain]] = 1.0
        taken = better | plain
        kept = left[taken]
        moment[kept], value[kept] = trial[taken], new[taken]
        chi[kept], slope[kept] = new_chi[taken], new_slope[taken]
    return SelfConsistent(fields + moment @ tensor, T, moment, chi, slope, tensor), left


def _not_found(fields: Floats, T: Floats) -> ConvergenceError:
    return ConvergenceError(
        f"the moment in its own field is not found in {_STEPS} steps at T = {T[0, 0]:g} K and "
        f"B = {np.linalg.norm(fields[0]):g} T; raise T or the field, or weaken the coupling",
        {"temperature": float(T[0, 0]), "field": float(np.linalg.norm(fields[0]))},
    )


def _respond(sample: Sample, fields: Floats, T: Floats) -> tuple[Floats, Floats, Floats]:
    value, chi, slope = sample.average(response, fields, T)
    return value[:, 0], chi[:, 0], slope[:, 0]


def _step(residual: Floats, chi: Floats, tensor: Floats, damping: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the change of the moments, and where it is the plain one, m -> m_0(m).

    The plain step never raises the free energy where Lambda is positive, because F_0 is concave in
    the field; it leads away from maxima and from minima of the residual that are no solutions.
    """
    stiffness = np.eye(len(tensor)) - chi @ tensor
    stable = np.linalg.eigvals(stiffness).real.min(axis=1) > 0.0
    plain = ~stable | (damping < _SHORTEST)
    stiffness[plain] = np.eye(len(tensor))
    newton = -np.linalg.solve(stiffness, residual[..., None])[..., 0]
    return np.where(plain, 1.0, damping)[:, None] * newton, plain


def _lower(sample: Sample, first: SelfConsistent, second: SelfConsistent) -> SelfConsistent:
    """Return for every point the state of lower free energy."""
    energies = [
        sample.average(caloric, state.fields, state.T)[0][:, 0] + state.field_energy()[:, 0]
        for state in (first, second)
    ]
    better = (energies[1] < energies[0])[:, None]
    return SelfConsistent(
        np.where(better, second.fields, first.fields),
        first.T,
        np.where(better, second.moment, first.moment),
        np.where(better[..., None], second.chi, first.chi),
        np.where(better, second.slope, first.slope),
        first.tensor,
    )


def _check_stable(state: SelfConsistent) -> None:
    gain = np.linalg.eigvals(state.chi @ state.tensor).real.max(axis=1)
    if np.all(gain < 1.0):
        return
    worst = int(np.argmax(gain))
    raise ConvergenceError(
        f"the coupling to the neighbours orders the moments at T = {state.T[worst, 0]:g} K, where no "
        "field chooses their direction; raise T, apply a field or weaken the coupling",
        {"gain": float(gain[worst]), "temperature": float(state.T[worst, 0])},
    )


def largest_moment(system: SpinSystem) -> float:
    """Return a bound of the moment [mu_B]."""
    return float(np.linalg.norm([np.linalg.norm(g, 2) for g in affine_hamiltonian(system).G]) / MU_B)


def _largest_energy(system: SpinSystem, fields: Floats) -> float:
    """Return a bound of the energies [K]."""
    zeeman = MU_B * largest_moment(system) * float(np.abs(fields).max(initial=0.0))
    return float(np.linalg.norm(affine_hamiltonian(system).H0, 2)) + zeeman
