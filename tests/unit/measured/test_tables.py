"""PHI tables and CSV files."""

import numpy as np
import pytest

from mesospin.errors import InputError, UnitError
from mesospin.measured.data import HeatCapacityData, MagnetisationData, SusceptibilityData
from mesospin.measured.spectral_data import LevelData, ResonanceData
from mesospin.measured.text_files.any_file import read_data
from mesospin.measured.text_files.csv_files import read_csv, write_csv
from mesospin.measured.text_files.phi import read_phi, write_phi

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
    with pytest.raises(InputError, match="data must be susceptibility for a _sus"):
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
    assert read_csv(file, powder=26, B=0).values[0] == pytest.approx(1 / (4 * np.pi), rel=1e-12)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("T (K),chiT\n2,1\n", UnitError, "quantity \\(unit\\)', got 'chiT'"),
        ("T (K),M (mu_B)\n2,1\n", InputError, "must have the column 'B \\(T\\)', or B must be given"),
        ("T (K),chiT (cm3 K/mol)\n2,1\n", InputError, "must have the column 'B \\(T\\)', or B must be given"),
        ("T (K),C (R)\n2,1\n", InputError, "must have the column 'B \\(T\\)', or B must be given"),
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


def test_a_field_that_is_no_column_is_given(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("T (K);chiT (cm3 K/mol)\n2,5;1,1\n100;1,25\n")
    assert read_csv(file, powder=26, B=0.1).B.tolist() == [0.1, 0.1]
    assert read_data(file, powder=26, B=[0.0])[0].B.tolist() == [0.0, 0.0]
    with pytest.raises(InputError, match="B must be one field"):
        read_csv(file, powder=26, B=[0.1, 0.2])
    with pytest.raises(InputError, match="T must be a column of"):
        read_data(file, powder=26, T=2.0)
    file.write_text("T (K),B (T),chiT (cm3 K/mol)\n2,1,1\n")
    with pytest.raises(InputError, match="or given, not both"):
        read_csv(file, powder=26, B=0.1)


def test_numbers_of_fortran_remarks_and_other_line_ends(tmp_path):
    file = tmp_path / "mn_sus.exp"
    file.write_bytes(b"# run 4\r\n  2.0D+00\t1.0D-03 ! first\r\n\r\n3.0,  2.0e-3\r\n")
    (chi,) = read_phi(file, B=0.1, powder=26)
    assert chi.T.tolist() == [2.0, 3.0]
    assert chi.values.tolist() == [1e-3, 2e-3]
    file.write_text("2,0  1,5\n3,0  2,5\n")
    assert read_phi(file, B=0.1, powder=26)[0].values.tolist() == [1.5, 2.5]


def test_a_table_of_phi_is_sorted_into_columns(tmp_path):
    """A long table of M(T, B), as CSV has it, becomes one column for each temperature."""
    long = MagnetisationData([4.0, 2.0, 4.0, 2.0], [1.0, 1.0, 3.0, 3.0], [0.4, 0.8, 1.1, 1.5], powder=26)
    text = write_phi(long, tmp_path / "a_mag.exp").read_text()
    assert text == "1.0  0.8  0.4\n3.0  1.5  1.1\n"
    several = read_phi(tmp_path / "a_mag.exp", T=[2.0, 4.0], powder=26)
    back = read_csv(write_csv(several, tmp_path / "a.csv"), powder=26)
    assert back.T.tolist() == [2.0, 2.0, 4.0, 4.0]
    assert back.values.tolist() == [0.8, 1.5, 0.4, 1.1]


@pytest.mark.parametrize(
    "text",
    [
        "T (K);chiT (cm3 K/mol)\n2,0;1,5\n",
        "T (K)\tchiT (cm3 K/mol)\n2,0\t1,5\n",
        "Temperature [K],chi_m T [emu K mol-1]\n2.0,1.5\n",
        "T / K,χ_M T / cm³ K mol⁻¹\r\n2.0,1.5D0\r\n",
        '# a remark\n"Temperature (K)","chiT (cm^3*K/mol)"\n2.0,1.5,\n,\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_headers_and_marks_of_laboratories(tmp_path, text, encoding):
    file = tmp_path / "a.csv"
    file.write_bytes(text.encode(encoding))
    data = read_csv(file, powder=26, B=0.1)
    assert (data.T.tolist(), data.values.tolist(), data.unit) == ([2.0], [1.5], "cm3 K/mol")


def test_a_file_of_a_windows_program(tmp_path):
    file = tmp_path / "a.csv"
    file.write_bytes("T (K),H (Oe),M (µB)\n2,10000,1.5\n".encode("cp1252"))
    assert read_csv(file, powder=26).values.tolist() == [1.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("T (K),chiT (emu)\n2,1\n", "chiT in cm3 K/mol or m3 K/mol, got 'emu'"),
        ("T (K),M (emu),B (T)\n2,1,1\n", "M in mu_B or emu/mol or A m2/mol, got 'emu'"),
        ("T (C),chi (cm3/mol)\n2,1\n", "T in K or mK, got 'C'"),
        ("T (K),chiT (cm3 K/mol)\n2,0,1,5\n", "line 2 of a.csv must have 2 entries, got 4; a decimal comma"),
        ("# a\n\nT (K),chiT (cm3 K/mol)\n2,1\n3,\n", "line 5 of a.csv must hold numbers"),
        ("T (K),chiT (cm3 K/mol)\n2,nan\n", "line 2 of a.csv must hold numbers"),
        ("T (K),chiT (cm3 K/mol),sigma (SI)\n2,1,1\n", "chiT in cm3 K/mol or m3 K/mol, got 'SI'"),
        ("T (K),chiT (cm3 K/mol),sigma (m3 K/mol)\n2,1,1\n", "unit of its values"),
        ("energy (K),B (T)\n2,1\n3,2\n", "at one field"),
        ("energy (K),level\n2,0.5\n", "whole numbers"),
        ("T (K),mass (g)\n2,1\n", "got 'mass \\(g\\)'"),
    ],
)
def test_bad_lines_and_units_are_named(text, message, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        read_csv(file, powder=26)


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(InputError, match="must be a readable file, got none"):
        read_csv(tmp_path / "none.csv", powder=26)
    (tmp_path / "a.csv").write_bytes(b"\x00\x01\x02")
    with pytest.raises(InputError, match="could not be read as text"):
        read_csv(tmp_path / "a.csv", powder=26)
    with pytest.raises(InputError, match="could not be read"):
        read_csv(tmp_path, powder=26)
    with pytest.raises(InputError, match=r"ends in _sus\.exp"):
        read_data(tmp_path / "a.dat")


def test_sets_of_several_kinds_do_not_fit_in_one_file(tmp_path):
    sets = [MagnetisationData(2.0, 1.0, [1.0], powder=26), HeatCapacityData([2.0], [1.0])]
    with pytest.raises(InputError, match="the same columns"):
        write_csv(sets, tmp_path / "a.csv")
    with pytest.raises(InputError, match="at least one set"):
        write_csv([], tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("data", "sigma", "expected"),
    [
        (SusceptibilityData(T, T, unit="cgs", powder=26), "0.5 %", 0.005 * T),
        (SusceptibilityData(T, T, unit="cgs", powder=26), "4e-6 m3 K/mol", [4 / (4 * np.pi)] * 3),
        (SusceptibilityData(T, chi=T, unit="cgs", powder=26), ".01 emu/mol", [0.01] * 3),
        (MagnetisationData(2.0, T, T, powder=26), "5584.9397 emu/mol", [1.0] * 3),
        (HeatCapacityData(T, T), "0.1 R", [0.83144626] * 3),
        (ResonanceData(T, T), "10 MHz", [0.01] * 3),
        (LevelData(T), "1 cm^-1", [1.438776877] * 3),
    ],
)
def test_sigma_with_its_unit(data, sigma, expected, tmp_path):
    file = write_csv(data, tmp_path / "a.csv")
    how = {} if isinstance(data, ResonanceData | LevelData) else {"powder": 26}
    (read,) = read_data(file, sigma=sigma, **how)
    assert read.sigma == pytest.approx(expected, rel=1e-6)
    assert np.array_equal(read.values, data.values)
    (again,) = read_data(file, sigma=["1 kg", sigma, "9 %"], **how)
    assert np.array_equal(again.sigma, read.sigma)


def test_sigma_of_the_fields_of_resonances(tmp_path):
    file = write_csv(ResonanceData(T, T), tmp_path / "a.csv")
    (read,) = read_data(file, sigma="20 Oe")
    assert read.sigma_field == pytest.approx([2e-3] * 3)


@pytest.mark.parametrize(
    ("sigma", "message"),
    [("0.1", "number with its unit"), ("0 %", "above 0"), ("1 mu_B", "got 'mu_B'"), (0.1, "with its unit")],
)
def test_bad_sigma(sigma, message, tmp_path):
    file = write_csv(SusceptibilityData(T, T, unit="cgs", powder=26), tmp_path / "a.csv")
    with pytest.raises(InputError, match=message):
        read_data(file, sigma=sigma, powder=26)


def test_sigma_in_parts_of_nothing(tmp_path):
    file = write_csv(MagnetisationData(2.0, T, [0.0, 1.0, 2.0], powder=26), tmp_path / "a.csv")
    with pytest.raises(InputError, match="above 0 for every point"):
        read_data(file, sigma="1 %", powder=26)
