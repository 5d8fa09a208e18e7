"""A 21-level unitary sweep, phase followed, against qutip's sesolve, interleaved in one process."""

import statistics
import time

import numpy as np
import qutip

from mesospin.constants import HBAR
from mesospin.dynamics.coherent.unitary import evolve_state
from mesospin.dynamics.methods import Exact
from mesospin.operators.spin import lowering, raising, spin_operators

S = 10.0
DURATION = 60.0
"""Length of the sweep in units of hbar / K."""

ROUNDS = 7
# (qutip's method, its rtol, our tolerance that gives an equal or smaller measured error)
PAIRS = (("dop853", 1e-8, 3e-5), ("vern9", 1e-7, 5e-6), ("vern9", 1e-9, 3e-7))


def system():
    """H0 and G in units of K: -Sz^2 + E(Sx^2 - Sy^2) - 0.2 Sx - f Sz."""
    sx, _, sz = (np.real(operator) for operator in spin_operators(S))
    up, down = np.real(raising(S)), np.real(lowering(S))
    return -sz @ sz + 0.025 * (up @ up + down @ down) - 0.2 * sx, -sz


def ours(tolerance):
    """State at the end, from this package."""
    h0, g = system()
    return evolve_state(
        h0,
        g,
        np.eye(21)[20],
        field=lambda t: -3.0 + (6.0 / DURATION) * t / HBAR,
        times=[0.0, DURATION * HBAR],
        method=Exact(tolerance=tolerance),
    ).states[-1]


def peer(method, rtol):
    """State at the end, from qutip with sparse operators."""
    h0, g = system()
    hamiltonian = qutip.QobjEvo(
        [qutip.Qobj(h0).to("CSR"), [qutip.Qobj(g).to("CSR"), lambda t: -3.0 + (6.0 / DURATION) * t]]
    )
    options = {"method": method, "rtol": rtol, "atol": 1e-2 * rtol, "nsteps": 10**8, "progress_bar": ""}
    result = qutip.sesolve(hamiltonian, qutip.basis(21, 20), [0.0, DURATION], options=options)
    return result.states[-1].full()[:, 0]


def timed(function, *arguments):
    """Seconds and result of one call."""
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def rows():
    """Compare at equal measured error (2-norm); the reference is our own at 1e-10, which vern9 confirms."""
    reference = ours(1e-10)
    check = float(np.linalg.norm(peer("vern9", 1e-12) - reference))
    table = []
    for method, rtol, tolerance in PAIRS:
        pairs = [(timed(peer, method, rtol), timed(ours, tolerance)) for _ in range(ROUNDS)]
        theirs, mine = pairs[-1][0][1], pairs[-1][1][1]
        table.append(
            {
                "name": "21-level unitary sweep",
                "peer": f"qutip sesolve {method} rtol {rtol:g}",
                "peer_seconds": statistics.median(pair[0][0] for pair in pairs),
                "peer_error": float(np.linalg.norm(theirs - reference)),
                "ours_seconds": statistics.median(pair[1][0] for pair in pairs),
                "ours_error": float(np.linalg.norm(mine - reference)),
                "ratio": statistics.median(pair[0][0] / pair[1][0] for pair in pairs),
                "goal": 1.0,
                "reference_check": check,
            }
        )
    return table


if __name__ == "__main__":
    for row in rows():
        print(row)
