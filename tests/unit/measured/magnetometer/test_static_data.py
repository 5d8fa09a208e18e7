"""Moments of a file become data for fits of a Hamiltonian, and tables of PHI."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import InputError
from mesospin.measured.magnetometer.static import static_data

AVOGADRO, MU_B_EMU = 6.02214076e23, 9.2740100657e-21
HEADER = "[Header]\nBYAPP,VSM,1.0\nINFO,20,SAMPLE_MASS\nINFO,500,SAMPLE_MOLECULAR_WEIGHT\n[Data]\n"
COLUMNS = "Time Stamp (sec),Temperature (K),Magnetic Field (Oe),Moment (emu),M. Std. Err. (emu)\n"
AMOUNT = 0.020 / 500.0


@pytest.fixture
def read(tmp_path):
    def make(rows, header=HEADER, **options):
        file = tmp_path / "m.dat"
        file.write_text(header + COLUMNS + "".join(",".join(map(repr, row)) + "\n" for row in rows))
        return ms.read_magnetometer(file, **options)

    return make


def test_susceptibilities_one_set_for_every_field(read):
    """A Curie law of 1.5 cm3 K/mol: m = n C H/T."""
    rows = [(t, T, H, AMOUNT * 1.5 * H / T, 1e-6) for H in (1e3, 1e4) for t, T in enumerate((2.0, 5.0, 50.0))]
    low, high = static_data(read(rows), "chi", powder=5)
    assert low.B.tolist() == pytest.approx([0.1] * 3)
    assert high.B.tolist() == pytest.approx([1.0] * 3)
    for entry, H in ((low, 1e3), (high, 1e4)):
        assert entry.values * entry.T == pytest.approx(1.5, rel=1e-9)
        assert entry.sigma == pytest.approx([1e-6 / AMOUNT / H] * 3, rel=1e-9)


def test_magnetisations_one_set_for_every_temperature(read):
    rows = [
        (t, T + 0.01 * t, H, 0.1 * H / 1e4 / T, 0.0)
        for T in (2.0, 5.0)
        for t, H in enumerate((-1e4, 0.0, 1e4))
    ]
    cold, warm = static_data(read(rows), "M", axis=(0, 0, 1))
    assert cold.T.tolist() == pytest.approx([2.01] * 3)
    assert warm.B.tolist() == pytest.approx([-1.0, 0.0, 1.0])
    assert cold.values == pytest.approx(np.array([-0.05, 0, 0.05]) / (AMOUNT * AVOGADRO * MU_B_EMU), rel=1e-9)
    assert cold.sigma is None


def test_tables_of_phi(read, tmp_path):
    rows = [(t, T, 1e3, AMOUNT * 1.5 * 1e3 / T, 1e-6) for t, T in enumerate((2.0, 5.0, 50.0))]
    sets = static_data(read(rows), "chi", powder=5)
    ms.write_phi(sets, tmp_path / "a_sus.exp")
    assert np.loadtxt(tmp_path / "a_sus.exp") == pytest.approx(
        np.array([[2, 1.5], [5, 1.5], [50, 1.5]]), rel=1e-9
    )


def test_what_cannot_be_used(read):
    rows = [(0, 2.0, 0.0, 0.1, 1e-6)]
    with pytest.raises(InputError, match="field at every point"):
        static_data(read(rows), "chi", powder=5)
    with pytest.raises(InputError, match="mass and molar_mass"):
        static_data(read(rows, header="[Data]\n"), "M", powder=5)
    with pytest.raises(InputError, match="dc moments"):
        static_data(read(rows, measurement="waveform"), "M", powder=5)
    with pytest.raises(InputError, match="quantity"):
        static_data(read(rows), "chiT", powder=5)
    with pytest.raises(InputError, match="read_magnetometer"):
        static_data(3, "M", powder=5)
