"""What fits say of their answers: starts, correlations, curved valleys, what acts as its square."""

import numpy as np
import pytest

from mesospin.measured.hamiltonian.fit import fit_hamiltonian
from mesospin.measured.spectral_data import LevelData
from mesospin.model.system import giant_spin


@pytest.mark.parametrize(
    ("bounds", "planted", "first"),
    [
        ((-6.0, -4.5), -5.0, -4.65),
        ((-6.0, -4.0), -5.0, -4.2),
        ((None, -4.5), -5.0, -4.5 - 0.4),
        ((-3.0, -2.0), -2.5, -2.9),
    ],
)
def test_a_start_outside_its_bounds_begins_inside(bounds, planted, first):
    """Gaps of S = 1 are -D where E is 0."""
    levels = LevelData([-planted, -planted], [2, 2], sigma=0.1)
    fit = fit_hamiltonian(levels, giant_spin(1, D=-4.0), ["D"], bounds={"D": bounds}, starts=3)
    assert float(fit.value[0]) == pytest.approx(planted, rel=1e-6)
    assert float(fit.initial[0]) == pytest.approx(first, rel=1e-12)
    assert f"started at {first:g}" in fit.attrs["verdict"]
    assert "D of the system, -4 K, is not inside its bounds" in fit.attrs["verdict"]


def test_a_start_inside_its_bounds_is_not_spoken_of():
    fit = fit_hamiltonian(
        LevelData([5.0], [2], sigma=0.1), giant_spin(1, D=-4.0), ["D"], bounds={"D": (-6, 0)}
    )
    assert float(fit.initial[0]) == -4.0
    assert "started at" not in fit.attrs["verdict"]
