"""Levels and moments against brute force."""

import numpy as np
import pytest

from mesospin.constants import MU_B
from mesospin.errors import InputError
from mesospin.model.library import load
from mesospin.model.system import giant_spin
from mesospin.spectrum.levels import levels
from mesospin.spectrum.matrices import affine_hamiltonian, field_line


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 0, 0), (0, 1, 0), (1, -2, 3)])
def test_energies_are_eigenvalues(axis: tuple[float, ...]) -> None:
    system = giant_spin(4, D=-0.7, E=0.1, C4=1e-3)
    fields = np.linspace(-2, 2, 7)
    line = field_line(system, axis=axis)
    expected = np.linalg.eigvalsh(line.H0 + fields[:, None, None] * line.G)
    np.testing.assert_allclose(levels(system, fields, axis=axis).energy, expected, atol=1e-13)


def test_moments_are_minus_the_slope_in_every_direction() -> None:
    system = giant_spin(2.5, D=-0.7, E=0.1, g=(1.9, 2.0, 2.1))
    point, step = np.array([0.3, -0.4, 0.9]), 1e-5
    moment = levels(system, B_vector=point[None]).moment.values[0]
    for c in range(3):
        shift = step * np.eye(3)[c]
        up = levels(system, B_vector=(point + shift)[None]).energy.values[0]
        down = levels(system, B_vector=(point - shift)[None]).energy.values[0]
        # central difference: rounding 1e-15 * 10 K / 1e-5 T, curvature 1e-10
        np.testing.assert_allclose(moment[:, c], -(up - down) / (2 * step) / MU_B, atol=1e-8)


def test_ground_level_at_positive_field_is_minus_s() -> None:
    ds = levels(giant_spin(10, D=-0.5), 1.0)
    assert ds.moment.sel(component="z").values[0] == pytest.approx(20.0)


def test_batch_equals_loop_and_lowest_states_only() -> None:
    system = load("fe8")
    fields = np.linspace(0, 1, 4)
    batch = levels(system, fields, transverse=(0.1, 0.0), states=5)
    assert batch.sizes == {"field": 4, "level": 5, "component": 3}
    for k, B in enumerate(fields):
        single = levels(system, float(B), transverse=(0.1, 0.0))
        np.testing.assert_allclose(single.energy.values[:5], batch.energy.values[k], atol=1e-13)


def test_sum_of_moments_is_minus_trace_of_g() -> None:
    system = load("mn4-dimer")
    G = affine_hamiltonian(system).G
    total = levels(system, 0.7).moment.values.sum(axis=0)
    np.testing.assert_allclose(total, -np.einsum("caa->c", G).real / MU_B, atol=1e-10)


def test_field_vectors_of_any_shape() -> None:
    system = giant_spin(1, D=-1.0, E=0.1)
    vectors = np.random.default_rng(3).normal(size=(2, 3, 3))
    table = levels(system, B_vector=vectors)
    assert table.energy.dims == ("field_0", "field_1", "level")
    single = levels(system, B_vector=vectors[1, 2])
    assert single.energy.dims == ("level",)
    np.testing.assert_allclose(table.energy.values[1, 2], single.energy.values, atol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "exactly one of B"),
        ({"B": 1.0, "B_vector": [[0, 0, 1]]}, "exactly one of B"),
        ({"B": [[1.0]]}, "1-D"),
        ({"B": np.nan}, "B must be finite"),
        ({"B_vector": [0, 0]}, r"shape \(..., 3\)"),
        ({"B": 1.0, "states": 0}, "states must be between 1 and 3"),
        ({"B": 1.0, "states": 4}, "states must be between 1 and 3"),
    ],
)
def test_bad_input_is_one_sentence(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        levels(giant_spin(1, D=-1.0), **arguments)  # type: ignore[arg-type]
