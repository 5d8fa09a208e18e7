"""Order of the integrators of field sweeps: slope of log error against log step."""

import numpy as np
import pytest

from mesospin.constants import HBAR
from mesospin.dynamics.coherent.dissipator import build_dissipator
from mesospin.dynamics.coherent.lindblad import _Splitting
from mesospin.dynamics.coherent.stepping import Control, march
from mesospin.dynamics.coherent.unitary import evolve_state
from mesospin.dynamics.methods import Exact
from mesospin.operators.spin import lowering, raising, spin_operators

SX, SY, SZ = (np.asarray(operator) for operator in spin_operators(1.5))
H0 = np.real(-1.0 * SZ @ SZ + 0.4 * SX)
G = np.real(SZ + 0.2 * SX)
START = np.eye(4)[0]
TIMES = np.array([0.0, 8.0]) * HBAR


def field(times):
    return -2.0 + 0.5 * times / HBAR


def slope(tolerances, steps_and_errors):
    steps, errors = np.array([steps_and_errors(tolerance) for tolerance in tolerances]).T
    return -np.polyfit(np.log(steps), np.log(errors), 1)[0]


def test_magnus_is_of_fourth_order():
    exact = evolve_state(H0, G, START, field=field, times=TIMES, method=Exact(tolerance=1e-12)).states[-1]

    def measure(tolerance):
        run = evolve_state(H0, G, START, field=field, times=TIMES, method=Exact(tolerance=tolerance))
        return run.steps, np.linalg.norm(run.states[-1] - exact)

    assert slope([1e-5, 1e-6, 1e-7, 1e-8, 1e-9], measure) == pytest.approx(4.0, abs=0.4)


@pytest.mark.parametrize("strength", [0.001, 1.0])
def test_splitting_is_of_fourth_order(strength):
    collapse = [np.sqrt(strength / HBAR) * np.real(operator(1.5)) for operator in (raising, lowering)]
    integrator = _Splitting(
        H0, G, lambda t: np.full(t.shape, 0.7), build_dissipator(collapse, 4), collapse, 1e-12
    )
    rho = np.outer(START, START).astype(complex)
    exact = integrator.advance(rho, 0.0, TIMES[1] / 512, 256)[0]
    counts = np.array([8, 12, 16, 24])
    errors = [
        np.linalg.norm(integrator.advance(rho, 0.0, TIMES[1] / count, count // 2)[0] - exact)
        for count in counts
    ]
    assert -np.polyfit(np.log(counts), np.log(errors), 1)[0] == pytest.approx(4.0, abs=0.5)


def test_step_control_shares_the_tolerance():
    """An integrator with a known error h^5 per step: the sum of the estimates obeys the tolerance."""

    def advance(state, start, step, count):
        def after(n, h):
            return state + n * h**5

        return after(2 * count, step), after(count, 2.0 * step)

    control = Control(tolerance=1e-6, max_steps=10_000, first_step=0.5, longest_step=1.0, stretch=16)
    run = march(
        advance,
        np.zeros(1, dtype=complex),
        times=np.array([0.0, 3.0, 10.0]),
        breakpoints=np.array([5.0]),
        control=control,
    )
    assert len(run.states) == 3
    assert run.rejected > 0
    # The estimate assumes the difference to be 15 errors, which it is here.
    assert run.states[-1][0].real == pytest.approx(run.error, rel=1e-9)
    assert 1e-7 < run.error <= 1e-6
