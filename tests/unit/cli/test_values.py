"""Arguments with units: what is read, and the sentence for what is not."""

import math

import numpy as np
import pytest

from mesospin.cli import values
from mesospin.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.3", 0.3),
        ("-0.3", -0.3),
        ("300 mT", 0.3),
        ("3e-1 T", 0.3),
        ("0,0.5", [0.0, 0.5]),
        ("0,500 mT", [0.0, 0.5]),
        ("100 mT, 2 T", [0.1, 2.0]),
        ("10 kOe", 1.0),
        ("0:5:3", [0.0, 2.5, 5.0]),
        ("0:5:3 T", [0.0, 2.5, 5.0]),
        ("0:500:2 mT", [0.0, 0.5]),
        ("0 mT:5 T:2", [0.0, 5.0]),
        ("5:-5:3", [5.0, 0.0, -5.0]),
    ],
)
def test_fields(text, expected):
    assert values.fields("B", text) == pytest.approx(expected)


def test_a_range_has_exact_ends():
    found = values.fields("B", "0:5:501")
    assert (len(found), found[0], found[-1]) == (501, 0.0, 5.0)
    assert np.allclose(found, np.linspace(0, 5, 501), rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "1,nan",
        "x",
        "1,",
        "0:5",
        "0:5:1",
        "0:5:x",
        "0:5:2.5",
        "0:5:3:4",
        "1 K",
        "0:5:99999999999",
    ],
)
def test_wrong_fields_are_one_sentence_with_the_unit(text):
    with pytest.raises(InputError, match=r"^B must .*\[T\].*got"):
        values.fields("B", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.9", [1.9]), ("0.05,1.5 K", [0.05, 1.5]), ("50 mK,1.5 K", [0.05, 1.5]), ("2:3:3", [2.0, 2.5, 3.0])],
)
def test_temperatures(text, expected):
    assert values.temperatures("T", text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["1 T", "1 cm^-1", "nan K"])
def test_wrong_temperatures(text):
    with pytest.raises(InputError, match="T must"):
        values.temperatures("T", text)


@pytest.mark.parametrize("text", ["-5:5", "-5:5 T", "-5,5", "-5000:5000 mT"])
def test_span(text):
    assert values.span("span", text) == (-5.0, 5.0)


@pytest.mark.parametrize("text", ["5", "1:2:3", "a:b", ""])
def test_wrong_span(text):
    with pytest.raises(InputError, match="span must"):
        values.span("span", text)


def test_other_quantities():
    assert values.field_pair("transverse", "-20,5 mT") == (-0.02, 0.005)
    assert values.direction("axis", "0,1,1") == (0.0, 1.0, 1.0)
    assert values.rate("rate", "3 mT/s") == 0.003
    assert values.rate("rate", "0.003") == 0.003
    assert values.angle("tilt", "0.6 deg") == pytest.approx(math.radians(0.6))


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (values.field_pair, "1", "must be two fields"),
        (values.direction, "0,0", "must be three numbers"),
        (values.direction, "0,0,nan", "must be three numbers"),
        (values.rate, "3 mT", r"must have a unit \[T/s\]"),
        (values.rate, "nan", "must be numbers"),
        (values.angle, "0.6", "must have a unit"),
    ],
)
def test_other_wrong_quantities(read, text, sentence):
    with pytest.raises(InputError, match=f"^name {sentence}"):
        read("name", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10", 10.0), ("-10", -10.0), ("9/2", 4.5), ("-9/2", -4.5), ("m=8,mI=1/2", "m=8, mI=1/2"), ("4.5", 4.5)],
)
def test_states(text, expected):
    assert values.state(text) == expected
