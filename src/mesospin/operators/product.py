"""Operators in the product space of several spins; the first spin is the slowest index."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesospin.errors import InputError

__all__ = ["embed", "kron", "product_operator"]

Matrix = NDArray[Any]


def kron(matrices: Sequence[Matrix]) -> Matrix:
    """Return the Kronecker product of the matrices from left to right.

    Examples
    --------
    >>> kron([np.diag([1.0, 2.0]), np.eye(2)]).diagonal()
    array([1., 1., 2., 2.])
    """
    return reduce(np.kron, matrices, np.ones((1, 1)))


def embed(matrix: Matrix, site: int, dimensions: Sequence[int]) -> Matrix:
    """Return the operator that acts as `matrix` on one spin and as the identity on the others.

    Parameters
    ----------
    matrix : ndarray, shape (n_i, n_i)
        Operator of the spin `site`.
    site : int
        Index of the spin.
    dimensions : sequence of int
        Dimension of each spin's space.

    Returns
    -------
    ndarray, shape (n, n)
        n is the product of the dimensions.

    Raises
    ------
    InputError
        If the site does not exist or the matrix has another size.

    Examples
    --------
    >>> embed(np.diag([1.0, -1.0]), 1, (2, 2)).diagonal()
    array([ 1., -1.,  1., -1.])
    """
    return product_operator(((site, matrix),), dimensions)


def product_operator(factors: Sequence[tuple[int, Matrix]], dimensions: Sequence[int]) -> Matrix:
    """Return the product of operators of different spins, the identity elsewhere.

    Parameters
    ----------
    factors : sequence of (site, matrix)
        At most one matrix for each spin.
    dimensions : sequence of int
        Dimension of each spin's space.

    Returns
    -------
    ndarray, shape (n, n)

    Raises
    ------
    InputError
        If a site does not exist or is repeated, or a matrix has another size.

    Examples
    --------
    >>> sz = np.diag([0.5, -0.5])
    >>> product_operator(((0, sz), (1, sz)), (2, 2)).diagonal()
    array([ 0.25, -0.25, -0.25,  0.25])
    """
    local: list[Matrix] = [np.eye(n) for n in dimensions]
    seen: set[int] = set()
    for site, matrix in factors:
        if not 0 <= site < len(local):
            raise InputError(
                f"site must lie between 0 and {len(local) - 1}, got {site}; count the spins from 0"
            )
        if site in seen:
            raise InputError(
                f"site must appear once in a product, got {site} twice; multiply the two matrices first"
            )
        if matrix.shape != local[site].shape:
            raise InputError(
                f"matrix of site {site} must have shape {local[site].shape}, got {matrix.shape}; correct S"
            )
        seen.add(site)
        local[site] = matrix
    return kron(local)
