"""cross_windows: bookkeeping between windows and every rule of validity."""

import numpy as np
import pytest

from mesospin.constants import HBAR
from mesospin.dynamics.coherent.windows import Passage, cross_windows, window_probabilities
from mesospin.dynamics.methods import Exact
from mesospin.errors import ConvergenceError, InputError

# A steep level meets two flat ones: gaps of 1 mK at 0 T and 2 mK at 1 T, slopes 10 K/T.
H0 = np.array([[0.0, 5e-4, 1e-3], [5e-4, 0.0, 0.0], [1e-3, 0.0, 10.0]])
G = np.diag([10.0, 0.0, 0.0])
RATE = np.pi * 1e-6 / (2 * HBAR * 10.0)  # exponent 1 at the first, 4 at the second
FIRST = Passage(field=0.0, gap=1e-3, slope=10.0, lower=0, rate=RATE)
SECOND = Passage(field=1.0, gap=2e-3, slope=10.0, lower=1, rate=RATE)
ALL_STEEP = [1.0, 0.0, 0.0]


def sweep(**changes):
    arguments = {"start": -1.0, "stop": 2.0, "passages": [SECOND, FIRST]} | changes
    return cross_windows(arguments.pop("H0", H0), G, arguments.pop("populations", ALL_STEEP), **arguments)


def test_two_crossings_multiply():
    run = sweep()
    assert run.treatment == ("window", "window")
    assert run.passages == (FIRST, SECOND)
    one, two = np.exp(-1.0), np.exp(-4.0)
    # Going up: the lowest level is followed with 1 - e^-1; the rest meets the third level.
    expected = [1.0 - one, one * (1.0 - two), one * two]
    np.testing.assert_allclose(run.populations[-1], expected, atol=2e-3)
    np.testing.assert_allclose(run.populations.sum(axis=1), 1.0, atol=1e-11)
    assert run.steps == 3000 + 6000  # the second gap exceeds sqrt(hbar v_E): step 0.1


def test_way_back():
    run = sweep(start=2.0, stop=-1.0, populations=[0.0, 0.0, 1.0])
    assert run.passages == (SECOND, FIRST)
    one, two = np.exp(-1.0), np.exp(-4.0)
    # The steep level is the highest above 1 T and the lowest below 0 T.
    expected = [one * two, two * (1.0 - one), 1.0 - two]
    np.testing.assert_allclose(run.populations[-1], expected, atol=2e-3)


def test_unpopulated_levels_cost_nothing():
    run = sweep(start=0.5, stop=2.0, populations=[1.0, 0.0, 0.0])
    assert run.treatment == ("empty",)
    assert run.steps == 0
    np.testing.assert_array_equal(run.populations[-1], [1.0, 0.0, 0.0])


def test_exact_crossing_exchanges_the_order():
    free = np.diag([0.0, 0.0, 10.0])
    passage = Passage(field=0.0, gap=0.0, slope=10.0, lower=0, rate=RATE)
    run = sweep(H0=free, stop=0.5, passages=[passage])
    assert run.treatment == ("exact crossing",)
    np.testing.assert_array_equal(run.populations[-1], [0.0, 1.0, 0.0])


def test_wide_gap_is_followed():
    slow = Passage(field=0.0, gap=1e-3, slope=10.0, lower=0, rate=RATE / 100.0)
    run = sweep(stop=0.5, passages=[slow])
    assert run.treatment == ("adiabatic",)
    np.testing.assert_array_equal(run.populations[-1], ALL_STEEP)


def test_probabilities_are_doubly_stochastic_and_symmetric_in_time():
    forward = window_probabilities(H0, G, FIRST)
    backward = window_probabilities(H0, G, FIRST, direction=-1.0)
    np.testing.assert_allclose(forward.sum(axis=0), 1.0, atol=1e-11)
    np.testing.assert_allclose(forward.sum(axis=1), 1.0, atol=1e-11)
    np.testing.assert_allclose(backward, forward.T, atol=1e-9)


def test_interpolated_exponentials_equal_one_eigh_per_step():
    count = 3000
    tau = FIRST.time
    step = 600.0 * tau / count
    offsets = RATE * step * (np.arange(count) + 0.5 - 0.5 * count)
    # The middle of the avoided crossing is shifted by the third level.
    centre = -1e-6 / 10.0 / 10.0
    energies, vectors = np.linalg.eigh(H0 + (centre + offsets)[:, None, None] * G)
    ends = np.linalg.eigh(H0 + (centre + 300.0 * tau * RATE * np.array([-1.0, 1.0]))[:, None, None] * G)[1]
    psi = ends[0].astype(complex)
    for energy, vector in zip(energies, vectors, strict=True):
        psi = vector @ (np.exp(-1j * energy * step / HBAR)[:, None] * (vector.T @ psi))
    expected = np.abs(ends[1].T @ psi) ** 2
    np.testing.assert_allclose(window_probabilities(H0, G, FIRST), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"start": 0.2, "stop": 0.5}, "must enclose a crossing, got none.*RateEquations"),
        ({"start": -1e-9}, "windows must be disjoint and inside the span.*RateEquations"),
        ({"method": Exact(max_steps=100)}, "max_steps must allow every window.*RateEquations"),
        ({"populations": [0.5, 0.0, 0.0]}, "populations must be non-negative with sum 1"),
        ({"populations": [np.nan, 0.0, 0.0]}, "populations must be finite"),
        ({"passages": [Passage(0.0, 1e-3, 10.0, 2, RATE)]}, "lower must be at most 1"),
        ({"passages": [Passage(0.0, 1e-13, 10.0, 0, RATE)]}, "gap must be at least.*RateEquations"),
        ({"passages": [Passage(0.0, 1e-11, 10.0, 0, 1e-12)]}, "rate must be high enough.*RateEquations"),
    ],
)
def test_refusals(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        sweep(**changes)


def test_overlapping_windows():
    near = H0.copy()
    near[2, 2] = 1e-2
    passages = [FIRST, Passage(field=1e-3, gap=2e-3, slope=10.0, lower=1, rate=RATE)]
    with pytest.raises(InputError, match="windows must be disjoint"):
        sweep(H0=near, passages=passages)


@pytest.mark.parametrize(
    "passage",
    [
        Passage(field=0.5, gap=1e-3, slope=10.0, lower=0, rate=RATE),
        Passage(field=0.0, gap=1e-3, slope=20.0, lower=0, rate=RATE),
        Passage(field=0.0, gap=1e-3, slope=10.0, lower=1, rate=RATE),
    ],
)
def test_a_crossing_that_is_not_there(passage):
    with pytest.raises(ConvergenceError, match="must be"):
        window_probabilities(H0, G, passage)


@pytest.mark.parametrize("bad", [{"gap": -1.0}, {"slope": 0.0}, {"rate": float("nan")}, {"lower": -1}])
def test_passage_checks_its_numbers(bad):
    good = {"field": 0.0, "gap": 1e-3, "slope": 10.0, "lower": 0, "rate": 1.0}
    with pytest.raises(InputError, match=next(iter(bad))):
        Passage(**(good | bad))
