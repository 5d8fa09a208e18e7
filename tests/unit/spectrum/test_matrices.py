"""The affine Hamiltonian: matrices, blocks and labels."""

import numpy as np
import pytest

from mesospin.constants import MU_B, MU_N
from mesospin.errors import InputError, TooLargeError
from mesospin.model.interactions import Exchange, Hyperfine
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import ZeroFieldSplitting
from mesospin.spectrum.matrices import (
    affine_hamiltonian,
    basis_labels,
    electronic_projection,
    field_line,
    symmetry_blocks,
)


def test_a_spin_one_by_hand() -> None:
    H0, G = affine_hamiltonian(giant_spin(1, D=-2.0, E=0.3, g=2.0))
    expected = np.array([[-2.0, 0.0, 0.3], [0.0, 0.0, 0.0], [0.3, 0.0, -2.0]])
    np.testing.assert_allclose(H0, expected, atol=1e-15)
    np.testing.assert_allclose(G[2], np.diag([2 * MU_B, 0.0, -2 * MU_B]), atol=1e-15)
    np.testing.assert_allclose(G[0][0, 1], 2 * MU_B / np.sqrt(2), rtol=1e-15)


def test_nuclear_zeeman_has_the_opposite_sign() -> None:
    spins = (Spin(0.5, 2.0), Spin(1.5, 1.5, label="I", nuclear=True))
    system = SpinSystem("pair", spins, (Hyperfine(0, 1, 0.01),))
    _, G = affine_hamiltonian(system)
    first = G[2].diagonal().real[0]  # m = 1/2, mI = 3/2
    np.testing.assert_allclose(first, MU_B * 1.0 - MU_N * 1.5 * 1.5, rtol=1e-14)


def test_exchange_by_total_spin() -> None:
    spins = (Spin(0.5, 2.0), Spin(0.5, 2.0))
    system = SpinSystem("dimer", spins, (Exchange(0, 1, 4.0, convention="+J"),))
    energy = np.linalg.eigvalsh(affine_hamiltonian(system).H0)
    np.testing.assert_allclose(energy, [-3.0, 1.0, 1.0, 1.0], atol=1e-14)


def test_line_is_the_projection_of_the_field() -> None:
    system = giant_spin(3, D=-1.0, E=0.1)
    H0, G = affine_hamiltonian(system)
    axis = np.array([1.0, 2.0, -2.0]) / 3
    line = field_line(system, axis=(1, 2, -2), transverse=(0.1, -0.2))
    expected = H0 + 0.1 * G[0] - 0.2 * G[1] + 0.7 * np.einsum("c,cab->ab", axis, G)
    np.testing.assert_allclose(line.at(0.7), expected, atol=1e-14)


def test_real_where_it_can_be() -> None:
    system = giant_spin(3, D=-1.0, E=0.1)
    assert not np.iscomplexobj(field_line(system, transverse=(0.1, 0.0)).H0)
    assert np.iscomplexobj(field_line(system, transverse=(0.0, 0.1)).H0)


def test_matrices_cannot_be_changed_behind_the_cache() -> None:
    with pytest.raises(ValueError, match="read-only"):
        affine_hamiltonian(giant_spin(1, D=-1.0)).H0[0, 0] = 1.0


@pytest.mark.parametrize(
    ("system", "count"),
    [
        (giant_spin(10, D=-0.5), 21),
        (giant_spin(10, D=-0.5, E=0.1), 2),
        (giant_spin(10, D=-0.5, C4=1e-5), 4),
        (giant_spin(10, D=-0.5, E=0.1, C4=1e-5), 2),
    ],
)
def test_symmetry_blocks_are_read_off_the_zero_pattern(system: SpinSystem, count: int) -> None:
    blocks = symmetry_blocks(*field_line(system))
    assert len(blocks) == count
    assert sorted(np.concatenate(blocks)) == list(range(21))
    assert len(symmetry_blocks(*field_line(system, transverse=(0.1, 0.0)))) == 1


def test_labels_name_electrons_and_nuclei() -> None:
    spins = (Spin(4.5, 2.0), Spin(4.5, 2.0), Spin(0.5, 1.0, label="I", nuclear=True))
    terms = (ZeroFieldSplitting(-1.0, site=0), ZeroFieldSplitting(-1.0, site=1))
    system = SpinSystem("dimer", spins, terms)
    assert basis_labels(system)[1] == "m1=9/2, m2=9/2, mI=-1/2"
    assert electronic_projection(system)[0] == 9.0
    assert basis_labels(giant_spin(10, D=-0.5))[-1] == "m=-10"


def test_a_space_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TooLargeError, match="giant spin"):
        affine_hamiltonian(giant_spin(100_000, D=-0.5))


@pytest.mark.parametrize("axis", [(0, 0, 0), (1, 0), (np.nan, 0, 1)])
def test_axis_must_be_a_direction(axis: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="axis must"):
        field_line(giant_spin(1, D=-1.0), axis=axis)
