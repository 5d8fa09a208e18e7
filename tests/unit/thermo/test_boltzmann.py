"""Weights and divided differences against 50-digit arithmetic."""

import mpmath
import numpy as np
import pytest

from mesospin.thermo.boltzmann import divided_differences, occupations

LEVELS = np.array([[-66.3, -66.3, -66.3 + 1e-9, -66.29, 0.0, 4000.0]])


@pytest.mark.parametrize("T", [1e-3, 0.05, 4.2, 1000.0, 1e9])
def test_weights_and_partition_function(T):
    weight, log_z = occupations(LEVELS, np.array([[T]]))
    with mpmath.workdps(50):
        exact = [mpmath.mpf(float(e)) for e in LEVELS[0]]
        factors = [mpmath.exp(-(e - exact[0]) / T) for e in exact]
        total = mpmath.fsum(factors)
        expected = [float(f / total) for f in factors]
        logarithm = float(mpmath.log(total))
    # an exponent x has the rounding of the levels over T, and exp(-x) is 0 below 1e-308
    np.testing.assert_allclose(weight[0, 0], expected, rtol=1e-15 * (10 + 700), atol=1e-307)
    assert log_z[0, 0] == pytest.approx(logarithm, rel=1e-14)


def test_logarithm_of_a_partition_function_that_is_nearly_one():
    _, log_z = occupations(np.array([[0.0, 1.0]]), np.array([[1 / 60]]))
    assert log_z[0, 0] == pytest.approx(np.exp(-60.0), rel=1e-13)  # log(1 + x) - log(1) would be 0


@pytest.mark.parametrize("gap", [0.0, 1e-300, 1e-17, 1e-9, 1e-3, 0.7, 50.0, 1e6])
@pytest.mark.parametrize("T", [1e-3, 1.0, 1000.0])
def test_divided_differences_lose_no_digits(gap, T):
    found = float(divided_differences(np.array(0.75), np.array(gap), np.array(T)))
    with mpmath.workdps(400):
        x = mpmath.mpf(gap) / mpmath.mpf(T)
        expected = mpmath.mpf(0.75) / mpmath.mpf(T) * ((1 - mpmath.exp(-x)) / x if gap else 1)
    assert found == pytest.approx(float(expected), rel=4e-15)


def test_divided_difference_is_symmetric_in_the_two_levels():
    energy, T = np.array([[0.0, 0.3, 2.0]]), np.array([[0.8]])
    p = occupations(energy, T)[0][0, 0]
    found = divided_differences(p[[0, 0, 1]], np.array([0.3, 2.0, 1.7]), np.array(0.8))
    expected = [(p[0] - p[1]) / 0.3, (p[0] - p[2]) / 2.0, (p[1] - p[2]) / 1.7]
    np.testing.assert_allclose(found, expected, rtol=1e-14)
