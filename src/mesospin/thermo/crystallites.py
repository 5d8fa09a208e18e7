r"""A powder whose molecular field is that inside each crystallite.

Every crystallite is a crystal in the field :math:`B\mathbf n` of its direction and solves

.. math:: \mathbf m = \mathbf m_0(B\mathbf n + \lambda\mathbf m, T),\qquad
          \chi = \langle\mathbf n(1 - \lambda\chi_0)^{-1}\chi_0\,\mathbf n\rangle

for the vector of its own moment; what is measured is the mean of the components along the field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesospin.model.system import SpinSystem
from mesospin.thermo.averages import Kernel
from mesospin.thermo.orientation import PowderRule
from mesospin.thermo.sample import Crystal
from mesospin.thermo.self_consistent import SelfConsistent, self_consistent

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crystallites:
    """Crystallites of all orientations, each in the field of its own moment.

    Parameters
    ----------
    crystal : Crystal
    rule : PowderRule
        Its d directions.
    states : SelfConsistent
        One row for every direction and, within it, for each of p pairs of field and temperature.
    """

    crystal: Crystal
    rule: PowderRule
    states: SelfConsistent

    @property
    def components(self) -> int:
        """Number of components of a field and of a moment, along the applied field."""
        return 1

    @property
    def fields(self) -> Floats:
        """Acting fields, shape (d p, 3) [T]."""
        return self.states.fields

    @property
    def T(self) -> Floats:
        """Temperatures, shape (d p, 1) [K]."""
        return self.states.T

    @property
    def moment(self) -> Floats:
        """Mean moment along the field, shape (p, 1) [mu_B]."""
        return self._mean(self.states.moment[:, None])[:, 0]

    def average(self, kernel: Kernel, fields: Floats, T: Floats) -> tuple[Floats, ...]:
        """Return the means of what the kernel gives in the acting fields, each (p, 1, ...)."""
        return tuple(self._mean(array) for array in self.crystal.average(kernel, fields, T))

    def applied_chi(self) -> Floats:
        """Return the mean response to the applied field, shape (p, 1, 1) [mu_B/T]."""
        return self._mean(self.states.applied_chi()[:, None])[:, 0]

    def field_energy(self) -> Floats:
        """Return the mean of what the free energy has besides that in the acting field, shape (p, 1) [K]."""
        return self._mean(self.states.field_energy())

    def field_heat(self) -> Floats:
        """Return the mean heat capacity / k_B from the change of the acting field, shape (p, 1)."""
        return self._mean(self.states.field_heat())

    def _mean(self, values: Floats) -> Floats:
        """Return the mean over directions of scalars (d p, t), vectors or tensors, taken along the field."""
        count = len(self.rule.axes)
        shaped = values.reshape(count, -1, *values.shape[1:])
        n, weights = self.rule.axes, self.rule.weights
        if values.ndim == 2:
            return np.asarray(np.einsum("d,dpt->pt", weights, shaped))
        if values.ndim == 3:
            return np.asarray(np.einsum("d,dpta,da->pt", weights, shaped, n))[..., None]
        return np.asarray(np.einsum("d,dptab,da,db->pt", weights, shaped, n, n))[..., None, None]


def crystallites(
    system: SpinSystem, rule: PowderRule, fields: Floats, T: Floats, coefficient: float
) -> Crystallites:
    """Return the crystallites with their self-consistent moments.

    Equivalent directions stay equivalent, because the field of the neighbours is parallel to the moment.

    Parameters
    ----------
    system : SpinSystem
    rule : PowderRule
    fields, T : ndarray, shape (p, 1) [T], [K]
        Pairs of applied field and temperature.
    coefficient : float [T/mu_B]
        Field per moment.

    Raises
    ------
    ConvergenceError
        As for `self_consistent`.
    """
    crystal = Crystal(system)
    vectors = (rule.axes[:, None] * fields[None]).reshape(-1, 3)
    states = self_consistent(crystal, vectors, np.tile(T, (len(rule.axes), 1)), coefficient * np.eye(3))
    return Crystallites(crystal, rule, states)
