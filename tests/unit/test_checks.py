import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesospin import checks
from mesospin.errors import InputError, InvalidModelError

NUMBER_CHECKS = [checks.finite, checks.positive, checks.non_negative]


@pytest.mark.parametrize("check", [*NUMBER_CHECKS, checks.fraction_of_one, checks.half_integer])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.nan])
def test_nan_and_infinity_always_fail(check, value):
    with pytest.raises(InputError):
        check("x", value)


@pytest.mark.parametrize("check", [*NUMBER_CHECKS, checks.fraction_of_one, checks.half_integer])
@pytest.mark.parametrize("value", ["1", None, 1 + 0j, True, [1.0], object()])
def test_only_real_numbers_are_numbers(check, value):
    with pytest.raises(InputError, match="must be a real number"):
        check("x", value)


@pytest.mark.parametrize("value", [1, 1.0, np.float64(1.0), np.int64(1), np.array(1.0)])
def test_numpy_scalars_become_floats(value):
    result = checks.positive("x", value)
    assert result == 1.0
    assert type(result) is float


def test_limits_of_positive_and_non_negative():
    assert checks.non_negative("x", 0) == 0.0
    with pytest.raises(
        InputError, match=r"rate must be positive and finite \[T/s\], got 0.0; give a value above 0"
    ):
        checks.positive("rate", 0, "T/s")
    with pytest.raises(InputError, match="zero or positive"):
        checks.non_negative("x", -1e-300)


@given(st.integers(1, 400))
def test_every_half_integer_passes(doubled):
    assert checks.half_integer("S", doubled / 2) == doubled / 2


@given(st.floats(-1e3, 1e3).filter(lambda x: not (2 * x).is_integer() or x <= 0))
def test_nothing_else_is_a_half_integer(value):
    with pytest.raises(InvalidModelError, match="half-integer"):
        checks.half_integer("S", value)


def test_integer():
    assert checks.integer("n", np.int32(3)) == 3
    for value in (3.0, True, "3", None):
        with pytest.raises(InputError, match="must be an integer"):
            checks.integer("n", value)
    with pytest.raises(InputError, match="at least 1"):
        checks.integer("n", 0, at_least=1)
    with pytest.raises(InputError, match="at most 5"):
        checks.integer("n", 6, at_most=5)


def test_finite_array_copies_and_checks():
    given_array = np.array([1.0, 2.0])
    result = checks.finite_array("B", given_array, "T", shape=(None,))
    result[0] = 5.0
    assert given_array[0] == 1.0
    for bad in ([1.0, math.nan], ["a"], [1.0, 2j], [[1.0], [1.0, 2.0]], [True, False]):
        with pytest.raises(InputError, match="B must be"):
            checks.finite_array("B", bad, "T")
    with pytest.raises(InputError, match=r"shape \(n, 3\)"):
        checks.finite_array("B", [[1.0, 2.0]], shape=(None, 3))


def test_span():
    assert checks.span("span", np.array([0, 5])) == (0.0, 5.0)
    for bad in ((5, 0), (1, 1), (0, math.nan), (0,), "05", 5, (0, 1, 2)):
        with pytest.raises(InputError, match="span"):
            checks.span("span", bad)


def test_nearest_and_one_of():
    assert checks.nearest("zzz", ["mn12ac", "fe8"]) == "choose one of mn12ac, fe8"
    assert checks.nearest("FE8", ["mn12ac", "fe8"]) == "did you mean fe8?"
    assert checks.nearest("a", []) == "there is nothing to choose from"
    with pytest.raises(
        InputError, match=r"convention must be one of \+J, -J, -2J, got '2J'; did you mean -2J"
    ):
        checks.one_of("convention", "2J", ("+J", "-J", "-2J"))


@pytest.mark.parametrize(("value", "text"), [(0.5, "1/2"), (-1.5, "-3/2"), (10, "10"), (0, "0")])
def test_spin_text(value, text):
    assert checks.spin_text(value) == text
