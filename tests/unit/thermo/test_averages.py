"""Kernels: blocks, chunks and threads change nothing; sizes that a laptop meets."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.spectrum.matrices import affine_hamiltonian
from mesospin.thermo import averages as averages_module
from mesospin.thermo import sample as sample_module
from mesospin.thermo.averages import caloric, moments, response
from mesospin.thermo.diagonal import eigenstates, eigenvalues
from mesospin.thermo.orientation import powder_rules
from mesospin.thermo.sample import Crystal, Powder

SYSTEM = ms.load("mn4-dimer")


@pytest.mark.parametrize("direction", [(0, 0, 1), (1, 0, 0), (0, 1, 0), (1, -2, 3), (0, 0, 0)])
def test_states_diagonalise_the_hamiltonian(direction):
    H0, G = affine_hamiltonian(SYSTEM)
    vectors = np.outer([0.3, -1.2], direction)
    energy, states = eigenstates(SYSTEM, vectors)
    assert np.all(np.diff(energy, axis=1) >= 0)
    np.testing.assert_allclose(eigenvalues(SYSTEM, vectors), energy, atol=1e-11)
    h = H0 + np.einsum("fc,cij->fij", vectors, G)
    np.testing.assert_allclose(h @ states, states * energy[:, None], atol=1e-10)
    identity = states.conj().swapaxes(1, 2) @ states
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(len(H0)), identity.shape), atol=1e-12)


@pytest.mark.parametrize("kernel", [caloric, moments, response])
@pytest.mark.parametrize("kind", ["crystal", "powder"])
def test_the_size_of_the_parts_does_not_matter(kernel, kind, monkeypatch):
    rng = np.random.default_rng(11)
    system = ms.giant_spin(2, D=-1.0, E=0.1)
    if kind == "crystal":
        target, fields = Crystal(system), rng.normal(size=(17, 3))
    else:
        target, fields = Powder(system, powder_rules(system, 26)[0]), rng.normal(size=(17, 1))
    for T in (rng.uniform(0.1, 3.0, (1, 4)), rng.uniform(0.1, 3.0, (17, 1))):
        whole = target.average(kernel, fields, T)
        with monkeypatch.context() as patch:
            patch.setattr(sample_module, "_CHUNK_BYTES", 4 * 8192)
            patch.setattr(sample_module, "_SMALL", 0)
            parts = target.average(kernel, fields, T)
        for a, b in zip(whole, parts, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_response_holds_the_moment_of_the_cheaper_kernel():
    system = ms.giant_spin(2, D=-1.0, E=0.1)
    fields, T = np.random.default_rng(2).normal(size=(5, 3)), np.array([[0.2, 3.0]])
    (cheap,) = Crystal(system).average(moments, fields, T)
    np.testing.assert_allclose(Crystal(system).average(response, fields, T)[0], cheap, atol=1e-13)


@pytest.mark.parametrize(
    "directions", [np.eye(3)[None], np.array([[[0.36, -0.48, 0.8]]])], ids=["three", "one"]
)
@pytest.mark.parametrize("field", [(0.0, 0.0, 1.3), (0.4, -0.2, 1.3)], ids=["real", "complex"])
def test_sparse_and_dense_products_agree(directions, field, monkeypatch):
    vectors, T = np.array([field, np.multiply(2.0, field)]), np.array([[0.3, 5.0]])
    found = {}
    for size in (1, 10**6):
        monkeypatch.setattr(averages_module, "_SPARSE_FROM", size)
        found[size] = (
            *moments(SYSTEM, vectors, directions, T),
            *response(SYSTEM, vectors, directions, T),
        )
    for sparse, dense in zip(found[1], found[10**6], strict=True):
        np.testing.assert_allclose(sparse, dense, rtol=1e-10, atol=1e-11)
