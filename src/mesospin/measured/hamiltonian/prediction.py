"""What a Hamiltonian predicts for measured data, with derivatives by its parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesospin.constants import KELVIN_PER_GIGAHERTZ
from mesospin.errors import InputError
from mesospin.measured.data import (
    Data,
    HeatCapacityData,
    MagnetisationData,
    SusceptibilityData,
    ThermalData,
)
from mesospin.measured.hamiltonian.parameters import Family
from mesospin.measured.hamiltonian.thermal import Points, Prediction, Trial, heat, moment, susceptibility
from mesospin.measured.spectral_data import LevelData, ResonanceData, sigma_from_slopes
from mesospin.model.system import SpinSystem
from mesospin.thermo.orientation import PowderRule, powder_rules

Floats = NDArray[np.float64]

#: Part of the strongest transition from which a line may be meant that is not named by its levels.
_ALLOWED = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One data set and how it is averaged over directions.

    Parameters
    ----------
    data : Data
    rule, coarse, sparse : PowderRule or None
        Directions of a powder, fewer of them for comparison, and still fewer for a search.
    """

    data: Data
    rule: PowderRule | None = None
    coarse: PowderRule | None = None
    sparse: PowderRule | None = None

    def predict(self, trial: Trial, *, coarse: bool = False) -> Prediction:
        """Return the predicted values (points,) and derivatives (points, p + 2): parameters, zJ, tip."""
        data = self.data
        if isinstance(data, LevelData):
            return _levels(data, trial)
        if isinstance(data, ResonanceData):
            return _resonances(data, trial)
        rule = self.coarse if coarse else self.rule
        if isinstance(data, SusceptibilityData):
            points = Points(data.T, data.B, data.axis, rule)
            value, slope = susceptibility(points, trial, differential=data.differential)
            return (data.T * value, data.T[:, None] * slope) if data.times_T else (value, slope)
        if isinstance(data, HeatCapacityData):
            return heat(Points(data.T, data.B, data.axis, rule), trial)
        if isinstance(data, MagnetisationData):
            return moment(Points(data.T, data.B, data.axis, rule), trial)
        raise InputError(
            f"data must be of a known kind, got {type(data).__name__}; use SusceptibilityData, ..."
        )

    def rough(self) -> Model:
        """Return the model with the fewest directions of a powder where the field makes them differ."""
        return Model(self.data, self.sparse) if np.any(self.data.fields) else self

    def sigma(self, trial: Trial) -> Floats | None:
        """Return the standard deviations of the values, None where they are not known."""
        if not isinstance(self.data, ResonanceData) or self.data.sigma_field is None:
            return self.data.sigma
        pairs = _resonant_pairs(self.data, trial)
        slopes = trial.member.field_slopes(self.data.B[:, None] * self.data.axes, self.data.axes)
        rows = np.arange(len(pairs))
        return sigma_from_slopes(self.data, slopes[rows, pairs[:, 1]] - slopes[rows, pairs[:, 0]])

    def powder_error(self, trial: Trial, values: Floats) -> float:
        """Return the largest difference of values to the coarser powder rule, in standard deviations."""
        if self.rule is None or self.data.sigma is None:
            return 0.0
        difference = values - self.predict(trial, coarse=True)[0]
        return float(np.abs(difference / self.data.sigma).max())


def model_of(data: Data, family: Family, generic: SpinSystem, *, coupled: bool) -> Model:
    """Return how a data set is predicted.

    Parameters
    ----------
    data : Data
    family : Family
    generic : SpinSystem
        A member without accidental symmetry, which decides which directions of a powder are equivalent.
    coupled : bool
        Whether there is a mean field.

    Raises
    ------
    InputError
        If levels do not exist, or the quantity is not predicted with a mean field.
    """
    highest = -1
    if isinstance(data, LevelData):
        highest = int(data.levels.max())
    elif isinstance(data, ResonanceData) and data.pairs is not None:
        highest = int(data.pairs.max())
    if highest >= family.system.dimension:
        raise InputError(
            f"levels of {data.label!r} must be below {family.system.dimension}, the number of states, got "
            f"{highest}; count from 0"
        )
    differential = isinstance(data, SusceptibilityData) and data.differential
    if coupled and (isinstance(data, HeatCapacityData) or differential) and np.any(data.fields != 0.0):
        raise InputError(
            f"{data.quantity} {data.label!r} must be at zero field beside a mean field, got up to "
            f"{float(np.abs(data.fields).max()):g} T; leave mean_field out or fit other data"
        )
    if not isinstance(data, ThermalData) or data.powder is None:
        return Model(data)
    fine, coarse = powder_rules(generic, data.powder)
    return Model(data, fine, coarse, powder_rules(generic, max(coarse.degree, 5))[1])


def _levels(data: LevelData, trial: Trial) -> Prediction:
    energy, slopes = trial.member.levels(data.B * np.array([data.axis]))
    values = energy[0, data.levels] - energy[0, 0]
    return values, _padded(slopes[0, data.levels] - slopes[0, :1])


def _resonances(data: ResonanceData, trial: Trial) -> Prediction:
    energy, slopes = trial.member.levels(data.B[:, None] * data.axes)
    lower, upper = _resonant_pairs(data, trial).T
    rows = np.arange(len(lower))
    values = (energy[rows, upper] - energy[rows, lower]) / KELVIN_PER_GIGAHERTZ
    return values, _padded((slopes[rows, upper] - slopes[rows, lower]) / KELVIN_PER_GIGAHERTZ)


def _resonant_pairs(data: ResonanceData, trial: Trial) -> NDArray[np.int64]:
    if data.pairs is not None:
        return data.pairs
    energy, strength = trial.member.strengths(data.B[:, None] * data.axes)
    i, j = np.triu_indices(energy.shape[1], 1)
    line = strength[:, i, j]
    distance = np.abs((energy[:, j] - energy[:, i]) / KELVIN_PER_GIGAHERTZ - data.values[:, None])
    distance[line < _ALLOWED * line.max(axis=1, keepdims=True)] = np.inf
    best = np.argmin(distance, axis=1)
    return np.stack([i[best], j[best]], axis=1)


def _padded(slopes: Floats) -> Floats:
    """Return derivatives with zeros for zJ and tip."""
    return np.concatenate([slopes, np.zeros((*slopes.shape[:-1], 2))], axis=-1)
