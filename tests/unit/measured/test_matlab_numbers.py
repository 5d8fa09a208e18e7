"""Values of MATLAB text: the rules of MATLAB for signs, spaces and powers, and refusal of everything else."""

import ast
import operator
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesospin.errors import InputError
from mesospin.measured.text_files.matlab_numbers import matlab_numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/2", [[0.5]]),
        ("-2^2", [[-4]]),  # signs weigh less than powers
        ("2^3^2", [[64]]),  # powers from left to right
        ("2^-1", [[0.5]]),
        ("-0.5*30e3", [[-15000]]),
        ("1d3 + .5 - 1.", [[999.5]]),
        ("8/4/2", [[1]]),
        ("[1 3/2]", [[1, 1.5]]),
        ("[1 -2]", [[1, -2]]),
        ("[1 - 2]", [[-1]]),
        ("[1-2]", [[-1]]),
        ("[1 , -2]", [[1, -2]]),
        ("[(1 -2) 3]", [[-1, 3]]),
        ("[1; 2]", [[1], [2]]),
        ("[1 2\n3 4]", [[1, 2], [3, 4]]),
        ("[1 2; 3 4;]", [[1, 2], [3, 4]]),
        ("[10 20 30]*pi/180", [np.radians([10, 20, 30])]),
        ("2*[1 2] - [1 1]", [[1, 3]]),
        ("[1 2].*[3 4]", [[3, 8]]),
        ("[1 2]./2.^[1 2]", [[0.5, 0.5]]),
        ("3.*[1 2]", [[3, 6]]),
        ("[[1 2] 3; 4 [5 6]]", [[1, 2, 3], [4, 5, 6]]),
        ("1:3", None),
        ("sqrt(2)", None),
        ("__import__('os').system('true')", None),
        ("(1).__class__", None),
        ("lambda: 0", None),
        ("1e400", None),
        ("1/0", None),
        ("(-8)^(1/3)", None),
        ("10^10^10", [[1e100]]),
        ("[1 2]*[3 4]", None),
        ("[1 2] + [1; 2]", None),
        ("1/[1 2]", None),
        ("[1 2]^2", None),
        ("[1 2; 3]", None),
        ("[]", None),
        ("", None),
        ("1 2", None),
        ("[1 2", None),
        ("1.2.3", None),
        ("1x", None),
        ("[,1]", None),
        ("[1](2)", None),
        ("2 +", None),
        ("1;2", None),
        ("(" * 5000 + "1", None),
        ("-" * 19000, None),
        ("1" * 15000 + "x", None),
        ("[" + "1 " * 20000 + "]", None),
    ],
)
def test_values(text, value):
    start = time.process_time()
    if value is None:
        with pytest.raises(InputError, match=r"^Sys\.D must be numbers in MHz") as refusal:
            matlab_numbers("Sys.D", text, "numbers in MHz")
        assert len(str(refusal.value)) < 250
    else:
        found = matlab_numbers("Sys.D", text)
        assert found.shape == np.shape(value)
        assert found == pytest.approx(np.array(value, dtype=float), rel=1e-15)
    assert time.process_time() - start < 2.0


_RULES = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.USub: operator.neg}


def evaluated(node):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp):
        return _RULES[type(node.op)](evaluated(node.operand))
    return _RULES[type(node.op)](evaluated(node.left), evaluated(node.right))


_LEAF = st.integers(0, 99).map(str)
_SUMS = st.recursive(
    _LEAF,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "-", "*", " - ", " * "]), inner).map("".join)
        | inner.map("({})".format)
        | inner.map("-({})".format)
    ),
    max_leaves=12,
)


@given(_SUMS)
def test_sums_and_products_against_another_parser(text):
    expected = float(evaluated(ast.parse(text, mode="eval").body))
    assert matlab_numbers("x", text)[0, 0] == pytest.approx(expected, rel=1e-12)


@given(st.text("0123456789.eE+-*/^()[],; \n'pidx", max_size=40))
def test_no_text_ends_in_another_error(text):
    try:
        value = matlab_numbers("x", text)
    except InputError:
        return
    assert value.ndim == 2
    assert np.all(np.isfinite(value))
