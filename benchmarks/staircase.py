"""The staircase of Mn12-acetate: the same rate equations by scipy's stiff solvers, and absolute times.

The peers get every help that this package has: compiled right-hand side and Jacobian, only the crossings that
carry molecules, and an integration that starts anew at each of them, so that none is stepped over.  Their
tolerances are the fastest pair found, on a grid of rtol and atol, that reaches the error wanted: with others
they run longer or leave the physical range.  Both sides are compared after the average over frozen dipolar
fields, which is what a loop shows; the reference is scipy's Radau with rtol 1e-8, and `reference_check` is
its distance from this package with a tolerance of 1e-6.
"""

from itertools import pairwise

import numpy as np
import scipy.integrate
from numba import njit
from timing import absolute, interleaved

import mesospin as ms
from mesospin.bath.disorder import Molecule, frozen_field_average
from mesospin.constants import MU_B
from mesospin.dynamics.branch import bottoms, molecule_frame, sweep_branch
from mesospin.dynamics.frame import Frame
from mesospin.dynamics.master import thermal
from mesospin.dynamics.rates import frame_arrays, rate_matrix
from mesospin.dynamics.two_wells import sweep_edges
from mesospin.dynamics.well_rates import active_lines, with_lines

# Both sides run the same compiled rates; ours also uses as many threads as there are cores.
RATE, LO, HI = 3e-3, -5.5, 5.5
DIPOLAR = 0.025
SATURATION = 10 * 1.94
NUCLEAR = 0.05
"""Width of the nuclear window in the smooth problem [K]: lines of a few millitesla instead of microtesla."""

FOUR = (0.1, 1.0, 1.9, 3.0)
NINE = (0.1, 0.6, 1.0, 1.5, 1.9, 2.2, 2.6, 3.0, 3.5)
_CLOSE = 1e-12
"""Fields that are taken for one [T]."""

# (window [K], T [K], scipy's method, rtol, atol, rounds, our tolerance, two wells?, goal)
CASES = (
    (0.0, 1.9, "BDF", 1e-6, 1e-12, 3, 5e-5, True, 3.0),
    (0.0, 3.0, "BDF", 1e-7, 1e-10, 3, 1e-3, True, 3.0),
    (0.0, 3.0, "Radau", 1e-7, 1e-13, 1, 1e-3, True, 3.0),
    (NUCLEAR, 1.9, "BDF", 1e-5, 1e-8, 3, 2.5e-4, True, 3.0),
    (NUCLEAR, 1.9, "Radau", 1e-3, 1e-14, 1, 2.5e-4, True, 3.0),
    (NUCLEAR, 1.9, "LSODA", 1e-5, 1e-8, 5, 5e-5, True, None),
    (NUCLEAR, 1.9, "BDF", 1e-5, 1e-8, 3, 1e-3, False, None),
    (NUCLEAR, 3.0, "BDF", 1e-5, 1e-8, 3, 1e-4, True, 3.0),
    (NUCLEAR, 3.0, "Radau", 1e-4, 1e-8, 1, 2e-5, True, 3.0),
    (NUCLEAR, 3.0, "LSODA", 1e-5, 1e-8, 5, 1e-5, True, None),
)


@njit(cache=True)
def generator(B, T, arrays, Q):
    """Write the generator of dp/dt = Q p at field B."""
    rate_matrix(B, T, arrays, Q)
    n = len(Q)
    for a in range(n):
        for b in range(a):
            Q[a, b], Q[b, a] = Q[b, a], Q[a, b]
    for a in range(n):
        Q[a, a] = -Q[:, a].sum()


@njit(cache=True)
def slope_of(B, p, T, arrays, Q):
    """Return dp/dt."""
    generator(B, T, arrays, Q)
    return Q @ p


class Problem:
    """One branch of one molecule at one temperature."""

    def __init__(self, T, nuclear=0.0):
        system = ms.load("mn12ac")
        molecule = Molecule(1.0, system, (0.0, 0.0, 1.0), (0.0, 0.0))
        self.T, self.nuclear = T, nuclear
        self.frame: Frame = molecule_frame(molecule, system.defaults.phonons, (LO - 0.1, HI + 0.1))
        wells = bottoms(self.frame)
        lines = active_lines(self.frame, T, wells, RATE, nuclear)
        self.arrays = frame_arrays(with_lines(self.frame, lines.number), nuclear)
        self.cuts = np.unique([LO, 0.0, HI, *lines.field[(lines.field > LO) & (lines.field < HI)]])
        fine = sweep_edges(self.frame, T, wells, LO, HI, RATE, lines, 1e-3)
        mesh = np.union1d(np.linspace(LO, HI, 11001), fine)
        self.mesh = mesh[np.append(np.diff(mesh) > _CLOSE, True)]

    def start(self):
        """Return the thermal populations at the first field."""
        energy = np.array([np.interp(LO, self.frame.field, level) for level in self.frame.energy.T])
        return thermal(energy, self.T)

    def loop(self, edges, moment):
        """Return the loop M/Ms that an experiment sees."""
        return frozen_field_average(edges, moment, np.linspace(-5.3, 5.3, 2121), DIPOLAR)

    def ours(self, tolerance, reduce):
        """Edges and M/Ms there, from this package."""
        branch = sweep_branch(
            self.frame, self.T, LO, HI, RATE, reduce=reduce, tolerance=tolerance, nuclear_width=self.nuclear
        )
        if len(branch.population):
            first = branch.population
            slope = first * branch.slopes[0] + (1 - first) * branch.slopes[1]
        else:
            slope = branch.slopes[0]
        return branch.field, slope / (-MU_B * SATURATION)

    def scipy(self, method, rtol, atol):
        """Mesh and M/Ms there, from scipy; every segment ends at a crossing."""
        p, fields, populations = self.start(), [], []
        for first, last in pairwise(self.cuts):
            inside = self.mesh[(self.mesh > first + _CLOSE) & (self.mesh < last - _CLOSE)]
            edges = np.concatenate([[first], inside, [last]])
            found = self._segment(method, first, (edges - first) / RATE, p, rtol, atol)
            p = found[-1]
            fields.append(edges[:-1])
            populations.append(found[:-1])
        populations = np.concatenate([*populations, p[None]])
        return np.append(np.concatenate(fields), HI), populations @ self.frame.slope[0] / (-MU_B * SATURATION)

    def _segment(self, method, first, times, p, rtol, atol):
        Q = np.empty((len(p), len(p)))

        def slope(t, p):
            return slope_of(first + RATE * t, np.ascontiguousarray(p), self.T, self.arrays, Q)

        def jacobian(t, _p):
            J = np.empty((len(Q), len(Q)))
            generator(first + RATE * t, self.T, self.arrays, J)
            return J

        if method == "LSODA":  # odeint: the driver is compiled too
            return scipy.integrate.odeint(
                slope,
                p,
                times,
                Dfun=jacobian,
                tfirst=True,
                rtol=rtol,
                atol=atol,
                mxstep=10**6,
                tcrit=times[-1:],
            )
        span = (0.0, times[-1])
        solution = scipy.integrate.solve_ivp(
            slope, span, p, method=method, jac=jacobian, rtol=rtol, atol=atol, t_eval=times
        )
        return solution.y.T


def staircase(temperatures, disorder, tolerance=1e-3):
    """Both branches of the loops, M/Ms."""
    keep = {} if disorder else {"disorder": None}
    method = ms.RateEquations(tolerance=tolerance)
    loop = ms.hysteresis(ms.load("mn12ac"), list(temperatures), "3 mT/s", (LO, HI), method=method, **keep)
    return loop["reduced"].values


def solver_rows(cases=CASES):
    """Compare with scipy, one problem after another."""
    table = []
    for nuclear, T in dict.fromkeys(case[:2] for case in cases):
        problem = Problem(T, nuclear)
        exact = problem.loop(*problem.scipy("Radau", 1e-8, 1e-14))
        check = float(np.max(np.abs(problem.loop(*problem.ours(1e-6, True)) - exact)))
        for case in cases:
            if case[:2] == (nuclear, T):
                table.append(_solver_row(problem, case, exact) | {"reference_check": check})
    return table


def _solver_row(problem, case, exact):
    _, T, method, rtol, atol, rounds, tolerance, reduce, goal = case
    lines = "nuclear" if problem.nuclear else "lifetime"
    problem.ours(tolerance, reduce)
    return interleaved(
        f"staircase, one branch, {T:g} K, {lines} lines, {'two wells' if reduce else 'all levels'}",
        f"scipy {method} rtol {rtol:g} atol {atol:g}",
        lambda: problem.scipy(method, rtol, atol),
        lambda: problem.ours(tolerance, reduce),
        lambda result: float(np.max(np.abs(problem.loop(*result) - exact))),
        rounds=rounds,
        goal=goal,
    )


def absolute_rows():
    """Time whole staircases, one molecule and the ensemble of solvent disorder."""
    table = []
    for name, temperatures, disorder, allowed, rounds in (
        ("staircase, 1 molecule, 4 temperatures, both branches", FOUR, False, 0.2, 9),
        ("staircase, 12 molecules, 9 temperatures, both branches", NINE, True, 4.0, 2),
    ):
        exact = staircase(temperatures, disorder, 1e-5)
        error = float(np.max(np.abs(staircase(temperatures, disorder) - exact)))
        table.append(
            absolute(
                name,
                allowed,
                lambda temperatures=temperatures, disorder=disorder: staircase(temperatures, disorder),
                error,
                1e-3,
                rounds=rounds,
            )
        )
    return table


def rows():
    """Compare with scipy, then time whole staircases."""
    return solver_rows() + absolute_rows()


if __name__ == "__main__":
    for row in rows():
        print(row)
