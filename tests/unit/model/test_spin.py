import numpy as np
import pytest

from mesospin.errors import InvalidModelError
from mesospin.model.spin import Spin


def test_g_is_read_from_one_three_or_nine_numbers():
    assert np.array_equal(Spin(1, 2).g, 2 * np.eye(3))
    assert np.array_equal(Spin(1, [1.9, 2.0, 2.1]).g, np.diag([1.9, 2.0, 2.1]))
    tensor = [[2.0, 0.1, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.2]]
    assert np.array_equal(Spin(1, np.array(tensor)).g, tensor)
    assert Spin(1, 2.0).is_isotropic
    assert not Spin(1, tensor).is_isotropic


def test_a_spin_is_a_frozen_hashable_value():
    spin = Spin(4.5, [1, 2, 3], "J", nuclear=False)
    assert spin == Spin(4.5, (1.0, 2.0, 3.0), "J")
    assert hash(spin) == hash(Spin(4.5, (1.0, 2.0, 3.0), "J"))
    assert spin.dimension == 10
    with pytest.raises(AttributeError):
        spin.S = 5.0  # type: ignore[misc]


@pytest.mark.parametrize("S", [0, 0.25, -1, float("nan"), "1", None, 1j])
def test_the_quantum_number_is_half_integer(S):
    with pytest.raises(ValueError, match="S must be"):
        Spin(S)


@pytest.mark.parametrize(
    "g", [float("nan"), [1, 2], [[1, 2], [3, 4]], "2", 2j, np.zeros((3, 3, 3)), [1, 2, float("inf")]]
)
def test_g_is_finite_real_and_has_the_right_shape(g):
    with pytest.raises(InvalidModelError, match="g must"):
        Spin(1, g)


def test_the_label_is_a_text():
    with pytest.raises(InvalidModelError, match="label must be a non-empty text"):
        Spin(1, 2.0, "")
