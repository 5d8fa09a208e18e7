"""The sum of squares that a fit makes small, its residuals and derivatives."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import lmfit
import numpy as np
from numpy.typing import NDArray

from mesospin.checks import nearest
from mesospin.errors import ConvergenceError, InputError
from mesospin.measured.hamiltonian.parameters import Family
from mesospin.measured.hamiltonian.prediction import Model
from mesospin.measured.hamiltonian.sensitivities import Member
from mesospin.measured.hamiltonian.thermal import Trial
from mesospin.units import Quantity, to_cm3_per_mole, to_dimensionless, to_kelvin

Floats = NDArray[np.float64]
Bounds = Mapping[str, tuple[Quantity | None, Quantity | None]]

_FUNCTIONS = ("sqrt", "abs", "sin", "cos")
_ARITHMETIC = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Constant, ast.Name, ast.Load,
    ast.Call,
)  # fmt: skip
_STEP = 1e-4
#: Distance from a bound at which a parameter starts that would start beyond it.
_MARGIN = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """Weighted residuals as a function of the free parameters.

    Parameters
    ----------
    family : Family
    models : tuple of Model
    names : tuple of str
        All parameters: those of the family, then zJ and tip.
    start : ndarray
        Their values to start from.
    table : lmfit.Parameters
        Those that are varied or tied, with bounds and expressions.
    g : float
        The g factor of the mean field.
    coupled : bool
    sigma : list of ndarray
        Standard deviations of every set; replaced where fields are uncertain.
    memory : dict
        The last residuals and derivatives.
    correction : (values, residuals, derivatives) or None
        What is added: residuals at these values, and their derivatives by all parameters.
    """

    family: Family
    models: tuple[Model, ...]
    names: tuple[str, ...]
    start: Floats
    table: lmfit.Parameters
    g: float
    coupled: bool
    sigma: list[Floats]
    memory: dict[bytes, tuple[Floats, Floats]] = field(default_factory=dict)
    correction: tuple[Floats, Floats, Floats] | None = None

    def sizes(self) -> dict[str, float]:
        """Return natural sizes of the parameters, also of those that start at zero."""
        return natural_sizes(self.family, self.names, self.start)

    def rough(self, table: lmfit.Parameters) -> Objective | None:
        """Return the objective with fewer directions of powders, None where that saves nothing.

        It is corrected to the residuals and derivatives of all directions at these values.
        """
        models = tuple(model.rough() for model in self.models)
        if all(model.rule is given.rule for model, given in zip(models, self.models, strict=True)):
            return None
        values = self.values(table)
        plain = replace(self, models=models, memory={})
        missing = [
            all_ - few for all_, few in zip(self._evaluate(values), plain._evaluate(values), strict=True)
        ]
        return replace(plain, memory={}, correction=(values, missing[0], missing[1]))

    def chi2(self, table: lmfit.Parameters) -> float:
        """Return the sum of squares, infinite where the model has no answer."""
        try:
            residuals = self.residuals(table)
        except (ConvergenceError, np.linalg.LinAlgError):
            return np.inf
        return float(residuals @ residuals)

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that are varied on their own."""
        return tuple(name for name, entry in self.table.items() if entry.vary and not entry.expr)

    def values(self, table: lmfit.Parameters) -> Floats:
        """Return the values of all parameters."""
        given = table.valuesdict()
        return np.array([given.get(name, value) for name, value in zip(self.names, self.start, strict=True)])

    def trial(self, values: Floats) -> Trial:
        """Return the values as what a prediction takes."""
        return Trial(
            Member(self.family, values[:-2]), self.coupled, float(values[-2]), self.g, float(values[-1])
        )

    def residuals(self, table: lmfit.Parameters) -> Floats:
        """Return (predicted - measured)/sigma times the square root of the weight, all points."""
        return self._evaluate(self.values(table))[0]

    def jacobian(self, table: lmfit.Parameters) -> Floats:
        """Return the derivatives of the residuals by the free parameters, shape (points, free)."""
        return self._evaluate(self.values(table))[1] @ self.chain(table)

    def chain(self, table: lmfit.Parameters) -> Floats:
        """Return the derivatives of all parameters by the free ones (ties), shape (all, free)."""
        columns = []
        plain = table.copy()
        for entry in plain.values():
            if not entry.expr:
                entry.min, entry.max = -np.inf, np.inf
        for name in self.free:
            value = plain[name].value
            step = _STEP * max(abs(value), _STEP)
            ends = []
            for sign in (1.0, -1.0):
                plain[name].value = value + sign * step
                ends.append(self.values(plain))
            plain[name].value = value
            own = (ends[0] - ends[1]) / (2.0 * step)
            own[self.names.index(name)] = 1.0
            columns.append(own)
        return np.stack(columns, axis=1)

    def reweigh(self, table: lmfit.Parameters) -> bool:
        """Set the uncertainties for these values; return whether one has changed by more than 1 %."""
        trial = self.trial(self.values(table))
        changed = False
        for index, model in enumerate(self.models):
            new = model.sigma(trial)
            if new is not None:
                changed |= bool(np.any(np.abs(new - self.sigma[index]) > 0.01 * new))
                self.sigma[index] = new
        self.memory.clear()
        return changed

    def predictions(self, table: lmfit.Parameters) -> list[Floats]:
        """Return the predicted values of every set."""
        ends = np.cumsum([len(model.data.values) for model in self.models])
        parts = np.split(self.residuals(table), ends[:-1])
        return [
            model.data.values + sigma / np.sqrt(model.data.weight) * part
            for model, sigma, part in zip(self.models, self.sigma, parts, strict=True)
        ]

    def powder_error(self, table: lmfit.Parameters) -> float:
        """Return the largest difference to a coarser powder rule in standard deviations."""
        trial = self.trial(self.values(table))
        pairs = zip(self.models, self.predictions(table), strict=True)
        return max((model.powder_error(trial, values) for model, values in pairs), default=0.0)

    def weights(self) -> Floats:
        """Return the weight of every point."""
        return np.concatenate([np.full(len(m.data.values), m.data.weight) for m in self.models])

    def _evaluate(self, values: Floats) -> tuple[Floats, Floats]:
        key = values.tobytes()
        if key not in self.memory:
            trial = self.trial(values)
            rows, slopes = [], []
            for model, sigma in zip(self.models, self.sigma, strict=True):
                value, slope = model.predict(trial)
                scale = np.sqrt(model.data.weight) / sigma
                rows.append(scale * (value - model.data.values))
                slopes.append(scale[:, None] * slope)
            residuals, derivatives = np.concatenate(rows), np.concatenate(slopes)
            if self.correction is not None:
                origin, offset, tilt = self.correction
                residuals, derivatives = residuals + offset + tilt @ (values - origin), derivatives + tilt
            self.memory.clear()
            self.memory[key] = residuals, derivatives
        return self.memory[key]


def natural_sizes(family: Family, names: Sequence[str], start: Floats) -> dict[str, float]:
    """Return natural sizes of all parameters (family, zJ, tip), also of those that start at zero."""
    H0, _ = family.at(start[:-2])
    energy = np.linalg.eigvalsh(H0)
    width = float(energy[-1] - energy[0]) or 1.0
    sizes = {"zJ": 0.02 * width, "tip": 1e-3}
    for parameter, operator in zip(family.parameters, family.O, strict=True):
        norm = float(np.linalg.norm(operator, 2))
        sizes[parameter.name] = 0.1 * width / norm if norm > 0.0 else 0.0
    scales = {}
    for name, value in zip(names, np.abs(start), strict=True):
        is_g = sizes[name] == 0.0
        scales[name] = max(0.2 * value, 0.05) if is_g else max(value, sizes[name])
    return scales


def parameter_table(
    names: Sequence[str],
    values: Sequence[float],
    units: Sequence[str],
    bounds: Bounds | None,
    tie: Mapping[str, str] | None,
    *,
    sizes: Mapping[str, float] | None = None,
) -> lmfit.Parameters:
    """Return the parameters of a fit with their bounds and ties, every one inside its bounds.

    A value that is not between its bounds is moved inside by a tenth of their distance, or of the natural
    size of the parameter where that is less.

    Raises
    ------
    InputError
        If a bound or a tie is for a parameter that is not varied, bounds leave no room, or the expression
        of a tie uses other names or does not give a number.
    """
    ties, limits = dict(tie or {}), dict(bounds or {})
    for name in limits:
        if name not in names or name in ties:
            free = [entry for entry in names if entry not in ties]
            raise InputError(
                f"bounds must be for parameters that are varied, got {name!r}; {nearest(name, free)}"
            )
    table = lmfit.Parameters()
    for name, value, unit in zip(names, values, units, strict=True):
        low, high = _limits(name, unit, limits.get(name, (None, None)))
        if not low < high:
            raise InputError(
                f"bounds of {name!r} must be a lower and a higher one [{unit}], got ({low:g}, {high:g}); "
                "exchange or widen them"
            )
        size = (sizes or {}).get(name) or abs(value) or 1.0
        table.add(name, value=_inside(value, low, high, size), min=low, max=high)
    free = [name for name in names if name not in ties]
    if not free:
        tied = ", ".join(ties)
        raise InputError(f"vary must leave at least one parameter free, got ties of {tied}; drop one")
    for name, expression in ties.items():
        _check_expression(name, expression, free)
        try:
            table[name].expr = expression
            value = float(table[name].value)
        except ArithmeticError:
            value = np.nan
        if not np.isfinite(value):
            raise InputError(f"tie of {name!r} must give a number, got {expression!r}; check the expression")
    return table


def _inside(value: float, low: float, high: float, size: float) -> float:
    """Return the value, moved inside its bounds where it is not between them."""
    if low < value < high:
        return value
    margin = _MARGIN * min(high - low, size)
    return low + margin if value <= low else high - margin


def _limits(name: str, unit: str, given: tuple[Quantity | None, Quantity | None]) -> tuple[float, float]:
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise InputError(f"bounds of {name!r} must be (low, high), got {given!r}; write None for no bound")
    read = {"K": to_kelvin, "cm3/mol": to_cm3_per_mole}.get(unit, to_dimensionless)
    low = -np.inf if given[0] is None else read(given[0], f"lower bound of {name}")
    high = np.inf if given[1] is None else read(given[1], f"upper bound of {name}")
    return low, high


def _check_expression(name: str, expression: str, free: Sequence[str]) -> None:
    try:
        tree = ast.parse(expression, mode="eval")
    except (SyntaxError, TypeError):
        raise InputError(f"tie of {name!r} must be an expression, got {expression!r}; write '2*gx'") from None
    strange = [node for node in ast.walk(tree) if not isinstance(node, _ARITHMETIC)]
    if strange:
        raise InputError(
            f"tie of {name!r} must be arithmetic of parameters and numbers, got {expression!r}; write '2*gx'"
        )
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for other in sorted(used - set(_FUNCTIONS)):
        if other not in free:
            raise InputError(
                f"tie of {name!r} must use parameters that are varied, got {other!r}; {nearest(other, free)}"
            )
