"""Which method computes a splitting when none is asked for."""

from __future__ import annotations

from mesospin.spectrum.tunnelling.double_precision import DoublePrecision
from mesospin.spectrum.tunnelling.gap import Gap, Method
from mesospin.spectrum.tunnelling.problem import Problem


def choose(problem: Problem) -> tuple[Gap, Method, str]:
    """Return the gap, the method that gave it and why that one."""
    method = DoublePrecision()
    return method.gap(problem), method, "double precision holds it"
