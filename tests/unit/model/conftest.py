"""The zero-field Hamiltonian as a dense matrix, summed from the products of the terms."""

import numpy as np
import pytest

from mesospin.operators.product import product_operator


@pytest.fixture
def hamiltonian():
    def build(spins, *terms):
        dimensions = [spin.dimension for spin in spins]
        total = np.zeros((int(np.prod(dimensions)),) * 2, complex)
        for term in terms:
            for product in term.products(tuple(spins)):
                factors = [(site, local.matrix()) for site, local in product]
                total += product_operator(factors, dimensions)
        return total

    return build
