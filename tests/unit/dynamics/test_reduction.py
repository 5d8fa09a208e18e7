"""State reduction against arbitrary precision and closed forms."""

import mpmath
import numpy as np
import pytest

from mesospin.dynamics.reduction import (
    easiest_path,
    eliminate,
    metastable_states,
    reduced_rates,
    relaxation_modes,
)


def barrier(T: float, n: int = 9, height: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """A double well with neighbour hops in detailed balance, and its energies."""
    x = np.linspace(-1, 1, n)
    energy = height * (1 - x**2) - 0.5 * x
    R = np.zeros((n, n))
    for a in range(n - 1):
        drop = energy[a] - energy[a + 1]
        R[a, a + 1], R[a + 1, a] = np.exp(min(0.0, drop) / T), np.exp(min(0.0, -drop) / T)
    return 1e6 * R, energy


@pytest.mark.parametrize("T", [0.3, 1.0, 5.0])
def test_elimination_keeps_the_relative_accuracy(T: float) -> None:
    """Rates down to e^-200 against 80 digits; only positive numbers are added."""
    R, energy = barrier(T)
    order = np.argsort(-energy)
    order = np.concatenate([[s for s in order if s not in (0, 8)], [0, 8]]).astype(int)
    work = np.ascontiguousarray(R[np.ix_(order, order)])
    eliminate(work, 2)
    mpmath.mp.dps = 80
    exact = mpmath.matrix(R.tolist())
    alive = list(range(9))
    for s in order[:-2]:
        total = mpmath.fsum(exact[int(s), j] for j in alive if j != s)
        alive.remove(int(s))
        for i in alive:
            for j in alive:
                if i != j:
                    exact[i, j] += exact[i, int(s)] * exact[int(s), j] / total
    assert work[-2, -1] == pytest.approx(float(exact[0, 8]), rel=1e-13)
    assert work[-1, -2] == pytest.approx(float(exact[8, 0]), rel=1e-13)


def test_a_chain_adds_like_resistors() -> None:
    R = np.array([[0.0, 2.0, 0.0], [3.0, 0.0, 5.0], [0.0, 7.0, 0.0]])
    expected = np.array([[0.0, 2 * 5 / 8], [7 * 3 / 8, 0.0]])
    np.testing.assert_allclose(reduced_rates(R, np.array([0, 2])), expected, rtol=1e-14)


def test_two_metastable_states_of_a_double_well() -> None:
    R, _ = barrier(2.0)
    assert metastable_states(R, 1.0).tolist() == [0, 8]
    assert len(metastable_states(R, 1e7)) > 2


@pytest.mark.parametrize("T", [0.5, 2.0, 20.0])
def test_modes_against_eigenvalues_in_arbitrary_precision(T: float) -> None:
    R, energy = barrier(T, n=7, height=30.0)
    mpmath.mp.dps = 120
    generator = mpmath.matrix(7, 7)
    for a in range(7):
        for b in range(7):
            if a != b:
                generator[b, a] += mpmath.mpf(R[a, b])
                generator[a, a] -= mpmath.mpf(R[a, b])
    exact = sorted(-float(mpmath.re(v)) for v in mpmath.eig(generator, left=False, right=False))
    modes = relaxation_modes(R, energy, T)
    assert modes[0] == 0.0
    # the reduction neglects slow rate over fast rate
    np.testing.assert_allclose(modes[1:], exact[1:], rtol=max(1e-6, 10 * exact[1] / exact[2] * 1e-6))


def test_path_of_least_resistance_goes_over_the_lower_pass() -> None:
    energy = np.array([0.0, 10.0, 5.0, 0.0])
    R = np.zeros((4, 4))
    for a, b in ((0, 1), (1, 3), (0, 2), (2, 3)):
        R[a, b] = np.exp(-max(energy[b] - energy[a], 0.0))
        R[b, a] = np.exp(-max(energy[a] - energy[b], 0.0))
    assert easiest_path(R, energy, 1.0, 0, 3) == [0, 2, 3]
    assert easiest_path(np.zeros((2, 2)), np.zeros(2), 1.0, 0, 1) == []
