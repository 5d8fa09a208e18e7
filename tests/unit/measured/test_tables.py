"""PHI tables and CSV files."""

import numpy as np
import pytest

from mesospin.errors import InputError, UnitError
from mesospin.measured.data import HeatCapacityData, MagnetisationData, SusceptibilityData
from mesospin.measured.phi import read_phi, write_phi
from mesospin.measured.spectral_data import LevelData, ResonanceData
from mesospin.measured.tables import read_csv, write_csv

T = np.array([2.0, 5.0, 300.0])


def test_phi_susceptibilities_come_back(tmp_path):
    sets = [
        SusceptibilityData(T, [1.0, 2.0, 1 / 3], unit="cgs", B=0.1, powder=26),
        SusceptibilityData(T, chi=[0.5, 0.4, 0.01], unit="cgs", B=1.0, powder=26),
    ]
    file = write_phi(sets, tmp_path / "mn_sus.exp")
    first, second = read_phi(file, B=[0.1, 1.0], powder=26, sigma=0.01)
    assert np.array_equal(first.T, T)
    assert np.array_equal(first.values, sets[0].values)
    assert second.values == pytest.approx(sets[1].values * T, rel=1e-15)
    assert (first.B[0], second.B[0], first.sigma[0]) == (0.1, 1.0, 0.01)


def test_phi_magnetisations_come_back(tmp_path):
    B = np.array([1.0, 3.0, 7.0])
    sets = [MagnetisationData(t, B, B / t, axis=(0, 0, 1)) for t in (2.0, 4.0)]
    file = write_phi(sets, tmp_path / "mn_mag.exp")
    cold, warm = read_phi(file, T=[2.0, 4.0], axis=(0, 0, 1))
    assert np.array_equal(cold.values, B / 2)
    assert np.array_equal(warm.T, [4.0] * 3)
    assert np.array_equal(warm.B, B)


def test_bad_phi_tables(tmp_path):
    file = tmp_path / "mn_sus.exp"
    file.write_text("2.0 1.0\n3.0\n")
    with pytest.raises(InputError, match=r"line 2 of mn_sus\.exp must have 2 columns"):
        read_phi(file, B=0.1, powder=26)
    file.write_text("T chiT\n2.0 1.0\n")
    with pytest.raises(InputError, match=r"line 1 of mn_sus\.exp must be numbers"):
        read_phi(file, B=0.1, powder=26)
    file.write_text("\n")
    with pytest.raises(InputError, match="at least one row"):
        read_phi(file, B=0.1, powder=26)
    file.write_text("2.0 1.0 1.1\n")
    with pytest.raises(InputError, match=r"B must be one \[T\] for each of 2 columns"):
        read_phi(file, B=0.1, powder=26)
    with pytest.raises(InputError, match="B must be given"):
        read_phi(file, T=2.0, powder=26)
    with pytest.raises(InputError, match=r"must end in _sus\.exp or _mag\.exp"):
        read_phi(tmp_path / "mn.exp", B=0.1)
    with pytest.raises(InputError, match="the same fields at every temperature"):
        write_phi(MagnetisationData([1.0, 2.0, 2.0], [1.0, 1.0, 3.0], T, powder=26), tmp_path / "a_mag.exp")
    with pytest.raises(InputError, match="must be a SusceptibilityData"):
        write_phi(MagnetisationData([1.0, 1.0], 1.0, [1.0, 2.0], powder=26), tmp_path / "a_sus.exp")


@pytest.mark.parametrize(
    "data",
    [
        SusceptibilityData(T, [0.1, 0.2, 1 / 3], unit="cgs", B=0.1, sigma=0.01, powder=26),
        SusceptibilityData(T, chi=[0.1, 0.2, 0.3], unit="SI", powder=26),
        MagnetisationData(T, 1.0, [0.1, 0.2, 0.3], unit="emu/mol", sigma=[1.0, 2.0, 3.0], powder=26),
        HeatCapacityData(T, [0.1, 0.2, 0.3], unit="R", powder=26),
        ResonanceData([9.0, 95.0, 190.0], T, levels=[(0, 1), (1, 2), (0, 2)], sigma=0.1),
        ResonanceData([9.0, 95.0, 190.0], T, sigma_field=[1e-3, 2e-3, 1e-3]),
        LevelData([1.0, 1 / 3, 7.0], [1, 3, 4], B=0.5, sigma=[0.1, 0.2, 0.3]),
        LevelData([1.0, 1 / 3]),
    ],
    ids=lambda d: f"{d.quantity} {d.unit}",
)
def test_csv_comes_back(data, tmp_path):
    axes = {} if isinstance(data, ResonanceData | LevelData) else {"powder": 26}
    read = read_csv(write_csv(data, tmp_path / "a.csv"), **axes)
    assert type(read) is type(data)
    for name in ("values", "sigma", "fields", "temperatures"):
        first, second = getattr(data, name), getattr(read, name)
        assert (first is None and second is None) or np.array_equal(first, second, equal_nan=True)
    if isinstance(data, ResonanceData):
        assert data.pairs is None or np.array_equal(read.pairs, data.pairs)
        assert data.sigma_field is None or np.array_equal(read.sigma_field, data.sigma_field)
    if isinstance(data, LevelData):
        assert np.array_equal(read.levels, data.levels)


def test_csv_in_the_units_of_a_magnetometer(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("# sample 3\nT (K), H (Oe), M (emu/mol)\n2,10000,5584.9\n2,50000,11169.9\n")
    data = read_csv(file, powder=26, label="sample 3")
    assert data.values == pytest.approx([1.0, 2.0], rel=1e-5)
    assert np.array_equal(data.B, [1.0, 5.0])
    file.write_text("T (K),chi (m3/mol)\n2,1e-6\n")
    assert read_csv(file, powder=26).values[0] == pytest.approx(1 / (4 * np.pi), rel=1e-12)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("T (K),chiT\n2,1\n", UnitError, "quantity \\(unit\\)', got 'chiT'"),
        ("T (K),M (mu_B)\n2,1\n", InputError, "must have the column 'B \\(T\\)'"),
        ("T (K),B (T),H (Oe),M (mu_B)\n2,1,1,1\n", InputError, "every column once"),
        ("T (K),M (mu_B),C (R)\n2,1,1\n", InputError, "exactly one column of values"),
        ("C (R)\n2\n", InputError, "must have the column 'T \\(K\\)'"),
        ("T (K),C (R)\n2,x\n", InputError, "must hold numbers"),
        ("T (K),C (R)\n2,1\n2\n", InputError, "line 3 of a.csv must have 2 entries, got 1; complete"),
        ("T (K),C (R)\n", InputError, "rows of numbers"),
        ("T (K),T (K),C (R)\n2,1,1\n", InputError, "every column once"),
        ("B (T),frequency (GHz),lower,upper\n1,9,0,0.5\n", InputError, "whole numbers"),
    ],
)
def test_bad_csv(text, error, message, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(text)
    with pytest.raises(error, match=message):
        read_csv(file, powder=26)
