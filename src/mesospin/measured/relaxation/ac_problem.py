"""The least-squares problem of a model of relaxation on every isotherm."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import InputError
from mesospin.measured.relaxation.ac_data import Isotherms
from mesospin.measured.relaxation.ac_models import AcModel
from mesospin.measured.relaxation.least_squares import Fits, fit_rows
from mesospin.results import variable

__all__ = ["AcProblem", "ac_problem", "point_variables"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class AcProblem(NamedTuple):
    """A model and the isotherms that it is fitted to, in units of the largest susceptibility of each."""

    model: AcModel
    curves: Isotherms
    scale: Floats
    """(isotherms,), unit of the susceptibility of each."""
    weight: Floats
    """(isotherms, n, 2), of chi' and chi''; 0 in the padding."""

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Numbers that every isotherm holds, two for each point."""
        return np.asarray(2 * self.curves.known.sum(axis=1))

    def residuals(self, parameters: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return weighted residuals (g, 2n) and derivatives (g, 2n, p) of the isotherms asked for."""
        value, slopes = self.model.value_and_slopes(parameters, self.curves.log_omega[rows])
        difference = value - self.curves.chi[rows] / self.scale[rows, None]
        weight = self.weight[rows]
        points = self.curves.known.shape[1]
        residual = np.empty((len(rows), 2 * points))
        jacobian = np.empty((len(rows), slopes.shape[-1], 2 * points))
        by_name = slopes.swapaxes(1, 2)
        for part, columns in enumerate((slice(points), slice(points, None))):
            residual[:, columns] = (difference.imag if part else difference.real) * weight[..., part]
            jacobian[..., columns] = (by_name.imag if part else by_name.real) * weight[:, None, :, part]
        return residual, jacobian.swapaxes(1, 2)

    def bounds(self) -> tuple[Floats, Floats]:
        """Return the open intervals in which a fit may look for the parameters."""
        ends = np.array([self.model.bounds(name) for name in self.model.names])
        return ends[:, 0], ends[:, 1]

    def fitted(self, start: Floats, free: Bools, *, tolerance: float = 1e-8) -> Fits:
        """Return the least-squares fit of every isotherm from the parameters given."""
        return fit_rows(self.residuals, start, free, *self.bounds(), tolerance=tolerance)

    def rows(self, chosen: NDArray[np.intp]) -> AcProblem:
        """Return the same problem for some of the isotherms, which may repeat."""
        parts: list[Any] = [part[chosen] if isinstance(part, np.ndarray) else part for part in self.curves]
        return AcProblem(self.model, Isotherms(*parts), self.scale[chosen], self.weight[chosen])


def ac_problem(model: AcModel, curves: Isotherms, weights: str) -> AcProblem:
    """Return the problem with equal weights, or weights from the standard deviations of the data."""
    scale = np.abs(curves.chi).max(axis=1)
    scale = np.where(scale > 0, scale, 1.0)
    known = np.repeat(curves.known[..., None], 2, axis=2).astype(np.float64)
    if weights == "equal":
        return AcProblem(model, curves, scale, known)
    missing = curves.known[..., None] & ~(curves.sigma > 0)
    if missing.any():
        raise InputError(
            f'weights must be "equal" where a standard deviation is missing, got "errors" with '
            f"{int(missing.sum())} numbers without one; give chi_real_error and chi_imag_error"
        )
    relative = np.where(known > 0, curves.sigma / scale[:, None, None], 1.0)
    return AcProblem(model, curves, scale, known / relative)


def point_variables(problem: AcProblem, parameters: Floats, shown: Bools) -> dict[str, Any]:
    """Return data and model at every point; NaN for the model of isotherms that are not shown."""
    curves, known = problem.curves, problem.curves.known
    fitted = problem.model.value_and_slopes(parameters, curves.log_omega)[0] * problem.scale[:, None]
    fitted = np.where(shown[:, None], fitted, complex(np.nan, np.nan))
    row = np.broadcast_to(np.arange(len(known))[:, None], known.shape)[known]
    columns = {
        "frequency": (np.exp(curves.log_omega[known]) / (2 * np.pi), "Hz", "frequency"),
        "chi_real": (curves.chi.real[known], curves.unit, "in-phase susceptibility"),
        "chi_imag": (-curves.chi.imag[known], curves.unit, "out-of-phase susceptibility"),
        "model_real": (fitted.real[known], curves.unit, "fitted in-phase susceptibility"),
        "model_imag": (-fitted.imag[known], curves.unit, "fitted out-of-phase susceptibility"),
        "isotherm_of": (row, "1", "number of the isotherm"),
    }
    return {name: variable("point", *entry) for name, entry in columns.items()}
