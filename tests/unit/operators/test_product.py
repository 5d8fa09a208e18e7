import numpy as np
import pytest

from mesospin.errors import InputError
from mesospin.operators.product import embed, kron, product_operator
from mesospin.operators.spin import spin_operators


def test_first_spin_is_the_slowest_index():
    sz = np.diag([0.5, -0.5])
    assert np.array_equal(np.diag(embed(sz, 0, (2, 3))), [0.5, 0.5, 0.5, -0.5, -0.5, -0.5])
    assert np.array_equal(np.diag(embed(np.diag([1.0, 0.0, -1.0]), 1, (2, 3))), [1, 0, -1, 1, 0, -1])


def test_operators_of_different_spins_commute():
    a = embed(spin_operators(1)[1], 0, (3, 4, 2))
    b = embed(spin_operators(1.5)[0], 1, (3, 4, 2))
    assert np.allclose(a @ b, b @ a)
    both = product_operator(((1, spin_operators(1.5)[0]), (0, spin_operators(1)[1])), (3, 4, 2))
    assert np.allclose(a @ b, both)


def test_empty_product_is_the_identity():
    assert np.array_equal(product_operator((), (2, 2)), np.eye(4))
    assert np.array_equal(kron([]), np.ones((1, 1)))


def test_impossible_products_are_refused():
    sz = np.diag([0.5, -0.5])
    with pytest.raises(InputError, match="site must lie between 0 and 1, got 2"):
        embed(sz, 2, (2, 2))
    with pytest.raises(InputError, match="site must appear once"):
        product_operator(((0, sz), (0, sz)), (2, 2))
    with pytest.raises(InputError, match=r"matrix of site 1 must have shape \(3, 3\)"):
        embed(sz, 1, (2, 3))
