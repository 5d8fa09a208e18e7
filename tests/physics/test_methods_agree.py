"""Every way to compute a splitting through one door: no two differ by more than the errors they state."""

from itertools import combinations

import pytest

from mesospin.constants import MU_B
from mesospin.errors import ConvergenceError, InputError
from mesospin.model.library import load
from mesospin.model.system import giant_spin
from mesospin.spectrum.tunnelling.double_precision import DoublePrecision
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.perturbative import Perturbative
from mesospin.spectrum.tunnelling.proved.certified import Certified
from mesospin.spectrum.tunnelling.semiclassical import Semiclassical
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting

METHODS = (DoublePrecision(), Certified(15), LargeSpin(), Perturbative(), Semiclassical())

CASES = {
    "Mn12-acetate, ground pair": (load("mn12ac"), (10, -10), {}),
    "Mn12-acetate, excited pair": (load("mn12ac"), (8, -8), {}),
    "Mn12-acetate, second crossing": (load("mn12ac"), (9, -7), {}),
    "Mn12-acetate, tilted field": (load("mn12ac"), (10, -9), {"axis": (0.02, 0.01, 1.0)}),
    "Fe8": (load("fe8"), (10, -10), {}),
    "Fe8, field off the axes": (load("fe8"), (10, -9), {"transverse": (0.05, 0.03)}),
    "biaxial S = 30": (load("s30"), (30, -30), {}),
    "biaxial S = 12, hard axis": (giant_spin(12, D=-1.0, E=0.2), (12, -12), {"transverse": (0.2, 0.0)}),
    "half-integer in a field": (giant_spin(9.5, D=-1.0, E=0.1), (9.5, -9.5), {"transverse": (0.3, 0.4)}),
    "transverse field alone": (giant_spin(15, D=-1.0), (15, -15), {"transverse": (2.0 / MU_B, 0.0)}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_methods_agree_within_their_errors(name):
    system, pair, where = CASES[name]
    answers = {}
    for method in METHODS:
        try:
            answers[repr(method)] = tunnel_splitting(system, pair, method=method, **where)
        except (InputError, ConvergenceError):
            continue  # outside of what this method is for
    assert len(answers) >= 3
    for (first, a), (second, b) in combinations(answers.items(), 2):
        deviation = abs(10 ** (a.log10 - b.log10) - 1)
        # the logarithm of a double carries 16 digits itself
        allowed = a.relative_error + b.relative_error + 1e-13
        assert deviation <= allowed, f"{first} and {second}: {deviation:.1e}"
