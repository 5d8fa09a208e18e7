"""One calculation in equilibrium: the conditions, the sample and what acts back on it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.errors import ValidityWarning
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.thermo.averages import Kernel, response
from mesospin.thermo.conditions import Conditions, read_conditions
from mesospin.thermo.crystallites import Crystallites, crystallites
from mesospin.thermo.molecular_field import Demagnetisation, MeanField, feedback
from mesospin.thermo.orientation import PowderRule, larger_rule, powder_rules
from mesospin.thermo.sample import Crystal, Powder, Sample
from mesospin.thermo.self_consistent import SelfConsistent, largest_moment, self_consistent

Floats = NDArray[np.float64]
Variables = dict[str, Any]

#: Relative difference from the g factors of the spins at which the g of a molecular field is questioned.
_STRANGE_G = 0.3
#: Difference between powder rules, in units of the largest value, that is called not converged.
_COARSE = 0.01
#: Anisotropy of chi, and lambda chi, above which the average moment is questioned as the field of neighbours.
_ANISOTROPIC, _GAIN = 0.1, 0.01
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where averages are wanted.

    Parameters
    ----------
    system : SpinSystem
    conditions : Conditions
    sample : Crystal, Powder or Crystallites
    coarse : Powder, Crystallites or None
        The powder with fewer directions, for comparison; None for a crystal.
    fields : ndarray, shape (f, d) [T]
        Fields that act on the molecules.
    T : ndarray, shape (1, t) or (f, 1) [K]
    state : SelfConsistent, Crystallites or None
        How the acting fields come about, where the moments make a part of them: then
        ``fields`` has a row for every pair of field and temperature.
    inputs : dict
        Arguments for the provenance.
    """

    system: SpinSystem
    conditions: Conditions
    sample: Sample | Crystallites
    coarse: Powder | Crystallites | None
    fields: Floats
    T: Floats
    state: SelfConsistent | Crystallites | None
    inputs: dict[str, Any]

    def averages(self, kernel: Kernel) -> tuple[tuple[Floats, ...], tuple[Floats, ...] | None]:
        """Return the averages of a kernel, and those with the coarse rule, each (f, t, ...)."""
        fine = self.sample.average(kernel, self.fields, self.T)
        if self.coarse is None:
            return fine, None
        own = self.coarse if isinstance(self.coarse, Crystallites) else self
        return fine, self.coarse.average(kernel, own.fields, own.T)

    @property
    def coarse_state(self) -> SelfConsistent | Crystallites | None:
        """How the acting fields with the coarse rule come about."""
        return self.coarse if isinstance(self.coarse, Crystallites) else self.state

    def arranged(self, values: Floats) -> Floats:
        """Return values (f, t, ...) in the shape of the result."""
        if self.state is not None:
            count = len(self.conditions.B)
            values = values.reshape(count, -1, *values.shape[2:])
        return self.conditions.arranged(values)

    def along_field(self, moment: Floats) -> Floats:
        """Return the component along the field of a vector in the shape of the result."""
        if self.sample.components == 1:
            return moment[..., 0]
        axes = self.conditions.axes.reshape(*self._field_shape(), 3)
        return np.asarray((moment * axes).sum(axis=-1))

    def along_field_twice(self, tensor: Floats) -> Floats:
        """Return the component along the field, on both sides, of a tensor in the shape of the result."""
        if self.sample.components == 1:
            return tensor[..., 0, 0]
        axes = self.conditions.axes.reshape(*self._field_shape(), 3)
        return np.asarray(np.einsum("...ab,...a,...b->...", tensor, axes, axes))

    def _field_shape(self) -> tuple[int, ...]:
        return self.conditions.fields().shape

    def dataset(
        self, kind: str, variables: Variables, difference: Floats | None, main: str, **inputs: Any
    ) -> xr.Dataset:
        """Return the result; ``difference`` is that of the variable ``main`` to the coarse powder rule."""
        coords = self.conditions.coords()
        if any("component" in entry[0] for entry in variables.values()):
            coords["component"] = ["x", "y", "z"]
        if any("field_component" in entry[0] for entry in variables.values()):
            coords["field_component"] = ["x", "y", "z"]
        note = ""
        if difference is not None and self.coarse is not None and not isinstance(self.sample, Crystal):
            unit = variables[main][2]["units"]
            fine, coarse = self.sample.rule, self.coarse.rule
            name = f"difference of {main} to {coarse.points} directions"
            variables = {
                **variables,
                "powder_difference": variable(self.conditions.dims, difference, unit, name),
            }
            note = (
                f"Lebedev rule of degree {fine.degree}, {fine.points} directions; {main} differs by at "
                f"most {float(np.abs(difference).max()):.2g} {unit} from degree {coarse.degree}, "
                f"{coarse.points} directions"
            )
            _question_powder(fine, coarse, difference, variables[main][1], main)
        ds = result(kind, self.system, variables, coords, {**self.inputs, **inputs})
        return ds.assign_attrs(powder=note) if note else ds


def read_setting(
    system: SpinSystem,
    T: ArrayLike,
    B: ArrayLike | None,
    *,
    axis: Sequence[float] | None,
    B_vector: ArrayLike | None,
    powder: int | None,
    mean_field: MeanField | None,
    demagnetisation: Demagnetisation | None,
) -> Setting:
    """Return the setting that the arguments of a public function describe, its acting fields solved.

    Raises
    ------
    InputError
        If an argument breaks its condition.
    ConvergenceError
        If no stable self-consistent moment is found.
    TooLargeError
        If the matrices do not fit in memory.
    """
    check_system(system)
    conditions = read_conditions(T, B, axis, B_vector, powder=powder is not None)
    acting = _acting(system, conditions, powder, mean_field, demagnetisation)
    inputs: dict[str, Any] = {}
    if powder is not None:
        inputs["powder"] = powder
    elif B_vector is None:
        inputs["axis"] = [0.0, 0.0, 1.0] if axis is None else list(axis)
    for name, value in (("mean_field", mean_field), ("demagnetisation", demagnetisation)):
        if value is not None:
            inputs[name] = repr(value)
    return Setting(system, conditions, *acting, inputs)


_Acting = tuple[
    Sample | Crystallites,
    Powder | Crystallites | None,
    Floats,
    Floats,
    SelfConsistent | Crystallites | None,
]


def _acting(
    system: SpinSystem,
    conditions: Conditions,
    powder: int | None,
    mean_field: MeanField | None,
    demagnetisation: Demagnetisation | None,
) -> _Acting:
    """Return sample, its coarse rule, acting fields, temperatures, and how the acting fields come about."""
    sample: Crystal | Powder = Crystal(system)
    coarse, fields = None, conditions.vectors
    rules = None if powder is None else powder_rules(system, powder)
    if rules is not None:
        sample, coarse = Powder(system, rules[0]), Powder(system, rules[1])
        fields = conditions.B[:, None]
    tensor = feedback(mean_field, demagnetisation, sample.components)
    _question_g(system, mean_field)
    if tensor is None:
        return sample, coarse, fields, conditions.T, None
    several = conditions.T.shape[1]
    pairs = np.broadcast_to(conditions.T, (len(fields), several)).reshape(-1, 1)
    applied = np.repeat(fields, several, axis=0)
    if mean_field is not None and mean_field.crystallites and rules is not None:
        strength = float(tensor[0, 0])
        own, other = (crystallites(system, rule, applied, pairs, strength) for rule in rules)
        return own, other, own.fields, own.T, own
    state = self_consistent(sample, applied, pairs, tensor)
    if mean_field is not None and rules is not None:
        _question_average(system, mean_field, applied, pairs)
    return sample, coarse, state.fields, state.T, state


def _question_powder(
    fine: PowderRule, coarse: PowderRule, difference: Floats, values: Floats, name: str
) -> None:
    """Warn where a powder average has not converged."""
    worst, scale = float(np.abs(difference).max()), float(np.abs(values).max())
    if not worst > _COARSE * scale:
        return
    larger = larger_rule(fine.points)
    advice = "raise T" if larger is None else f"take more directions, for example powder={larger}"
    warnings.warn(
        f"the powder average of {name} has not converged: {fine.points} and {coarse.points} directions "
        f"differ by {100.0 * worst / scale:.2g} % of its largest value; {advice}",
        ValidityWarning,
        stacklevel=4,
    )


def _question_average(system: SpinSystem, mean_field: MeanField, fields: Floats, T: Floats) -> None:
    """Warn where the field of the average moment is not that in a crystallite."""
    different, where = np.unique(T[:, 0], return_inverse=True)
    chi = response(system, np.zeros((1, 3)), np.eye(3)[None], different[None])[1][0]
    principal = np.linalg.eigvalsh(chi)
    lowest, highest = principal[where.ravel(), 0], principal[where.ravel(), -1]
    # in strong fields the moment is no longer chi B
    moment = np.minimum(highest * np.abs(fields[:, 0]), largest_moment(system))
    per_field = np.where(fields[:, 0] == 0.0, highest, moment / np.maximum(np.abs(fields[:, 0]), _TINY))
    gain = abs(mean_field.coefficient) * per_field
    matters = (highest - lowest > _ANISOTROPIC * highest) & (gain > _GAIN)
    if np.any(matters):
        worst = int(np.argmax(np.where(matters, gain, 0.0)))
        warnings.warn(
            f"mean_field acts by the average moment of the powder, but chi of {system.name} goes from "
            f"{lowest[worst]:.3g} to {highest[worst]:.3g} mu_B/T at {T[worst, 0]:g} K; "
            "MeanField(zJ, g, crystallites=True) has the field of aligned neighbours in every crystallite",
            ValidityWarning,
            stacklevel=4,
        )


def _question_g(system: SpinSystem, mean_field: MeanField | None) -> None:
    """Warn where the g that reads a moment as a spin is that of no spin of the molecule."""
    if mean_field is None or mean_field.zJ == 0.0:
        return
    own = [np.linalg.svd(np.array(spin.g), compute_uv=False) for spin in system.spins if not spin.nuclear]
    within = (g.min() * (1.0 - _STRANGE_G) <= mean_field.g <= g.max() * (1.0 + _STRANGE_G) for g in own)
    if not any(within):
        known = ", ".join(f"{g.max():.3g}" for g in own)
        warnings.warn(
            f"mean_field reads moments as spins with g = {mean_field.g:g}, but the spins of {system.name} "
            f"have g = {known}; the field of the neighbours goes as 1/g^2",
            ValidityWarning,
            stacklevel=4,
        )
