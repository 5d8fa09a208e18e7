"""Files of magnetometers: what every layout gives, in which units, and what is left out for which reason."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from mesospin.errors import InputError, TooLargeError, UnitError
from mesospin.measured.magnetometer import text_file
from mesospin.measured.magnetometer.columns import find_columns
from mesospin.measured.magnetometer.isotherms import group_points
from mesospin.measured.magnetometer.read import read_magnetometer
from mesospin.measured.relaxation.fit_ac import fit_ac
from mesospin.store import open_result, save

AVOGADRO, MU_B_EMU = 6.02214076e23, 9.2740100657e-21

MPMS3_HEADER = """[Header]
; MPMS3 Data File (default extension .dat)
TITLE,
BYAPP,SQUID AC,0.9.1.0
INFO,MPMS3 Measurement Release 1.1.16,APPNAME
INFO,0,MOMENT_UNITS
INFO,a molecule, in a capsule,SAMPLE_COMMENT
INFO,20.0,SAMPLE_MASS
INFO,10.0,SAMPLE_VOLUME
INFO,500.0,SAMPLE_MOLECULAR_WEIGHT
INFO,-200e-6,SAMPLE_SIZE
INFO,66.5,SAMPLE_OFFSET
STARTUPGROUP, All
[Data]
"""
MPMS3_COLUMNS = (
    "Comment,Time Stamp (sec),Temperature (K),Magnetic Field (Oe),Moment (emu),M. Std. Err. (emu),"
    "Frequency (Hz),AC Moment (emu),AC Susceptibility (emu/Oe),AC X' (emu/Oe),AC X' Std Err. (emu/Oe),"
    "AC X'' (emu/Oe),AC X'' Std Err. (emu/Oe),AC Drive (Oe),AC Frequency (Hz),DC Moment Fixed Ctr (emu),"
    "DC Moment Err Fixed Ctr (emu),DC Moment Free Ctr (emu),DC Moment Err Free Ctr (emu),Map 01"
)
MPMS3_ROWS = (
    ",100.0,5.0,0.1,,,,9e-5,4.5e-5,4e-5,1e-8,2e-5,2e-8,2.0,99.9,,,,,",
    ",110.0,5.0,0.1,,,,9e-5,4.5e-5,3e-5,1e-8,-1e-6,2e-8,2.0,999.0,,,,,",
    ",120.0,5.0,1000.0,,,,,,,,,,,,0.011,1e-5,0.012,2e-5,",
    ",130.0,5.0,1000.0,0.013,3e-5,14,,,,,,,,,,,,,",
    "a remark of the operator,,,,,,,,,,,,,,,,,,,",
)
XL = """[Header]
TITLE,MPMS AC Measurement
BYAPP,MPMS Measurement,1.1,Summary

INFO, NAME, sample
INFO, WEIGHT, 20.000
INFO, AREA, 10
INFO, LENGTH, 500
INFO, SHAPE, -200e-6

[Data]
Time,Comment,Field (Oe),Temperature (K),m' (emu),m' Scan Std Dev,m" (emu),m" Scan Std Dev,Amplitude (emu),\
Drive Amplitude (Oe),Wave Frequency (Hz),Error,
10.0,,0.0,4.0,1.2e-4,0.0,4e-5,2e-7,1.3e-4,3.0,0.1,0,
20.0,,0.0,4.01,9e-5,0.0,5e-5,2e-7,1.0e-4,3.0,1.0,0,
"""
ACMS = """[Header]
; ACMS Data File (default extension .dat)
BYAPP,ACMS,1.0,1.1
INFO,PPMS ACMS Option Version: 1.0.9 Build 14,APPNAME
[Data]
Comment,Time Stamp (sec),Temperature (K),Magnetic Field (Oe),Frequency (Hz),Amplitude (Oe),M-DC (emu),\
M-Std.Dev. (emu),M' (emu),M'' (emu),Moment (emu),Phase (deg),Map 20 ()
,10,7.5,2500,10,6.0,,6e-7,6e-5,3e-5,6.7e-5,26
,20,7.5,2500,10,6.0,0.5,6e-7,,,,
"""
VSM = """[Header]
TITLE,
BYAPP,VSM,1.0
INFO,PPMS VSM Option Release 1.5,APPNAME
INFO,20 mg,SAMPLE_MASS
INFO,0.5 kg/mol,SAMPLE_MOLECULAR_WEIGHT
[Data]
Comment,Time Stamp (sec),Temperature (K),Magnetic Field (Oe),Moment (emu),M. Std. Err. (emu),Frequency (Hz)
,1,2.0,50000,0.5,1e-5,40
"""


@pytest.fixture
def write(tmp_path):
    def make(text: str | bytes, name: str = "data.dat", encoding: str = "utf-8") -> Path:
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return file

    return make


@pytest.fixture
def mpms3(write):
    return write(MPMS3_HEADER + "\n".join((MPMS3_COLUMNS, *MPMS3_ROWS)) + "\n")


def test_mixed_measurements_of_one_file_are_told_apart(mpms3):
    data = read_magnetometer(mpms3)
    assert data.attrs["instrument"] == "MPMS3"
    assert data.measurement.values.tolist() == ["ac", "ac", "dc", "vsm"]
    assert data.row.values.tolist() == [16, 17, 18, 19]
    assert data.field.values == pytest.approx([1e-5, 1e-5, 0.1, 0.1])
    # The plain "Frequency (Hz)" is that of the vibration, not of the drive.
    assert data.frequency.values[:2].tolist() == [99.9, 999.0]
    assert np.isnan(data.frequency.values[2:]).all()
    assert data.moment.values[2:].tolist() == [0.012, 0.013]
    assert data.moment_error.values[2:].tolist() == [2e-5, 3e-5]
    assert read_magnetometer(mpms3, centre="fixed").moment.values[2] == 0.011
    assert list(zip(data.dropped_row.values, data.dropped_reason.values, strict=True)) == [(20, "no numbers")]


def test_amount_from_the_header_gives_molar_quantities(mpms3):
    data = read_magnetometer(mpms3)
    amount = 0.020 / 500.0
    assert data.chi_real.attrs["units"] == "cm3/mol"
    assert data.chi_real.values[:2] == pytest.approx([4e-5 / amount, 3e-5 / amount], rel=1e-14)
    assert data.chi_imag.values[1] == pytest.approx(-1e-6 / amount, rel=1e-14)  # negative chi'' stays
    assert data.chi_imag_error.values[0] == pytest.approx(2e-8 / amount, rel=1e-14)
    assert data.magnetisation.values[2] == pytest.approx(0.012 / (amount * AVOGADRO * MU_B_EMU), rel=1e-9)


def test_given_quantities_override_the_header(mpms3):
    data = read_magnetometer(mpms3, mass="0.04 g", molar_mass="1 kg/mol")
    assert data.chi_real.values[0] == pytest.approx(4e-5 / (0.04 / 1000.0), rel=1e-14)
    said = json.loads(data.attrs["sample"])
    assert said["mass"] == {"value": 40.0, "unit": "mg", "from": "given"}


def test_corrections_from_the_habits_of_a_laboratory_or_given(mpms3):
    amount, eicosane = 0.020 / 500.0, 0.010 / 282.55 * -243.06e-6
    plain = read_magnetometer(mpms3)
    assert json.loads(plain.attrs["corrections"]) == []
    habit = read_magnetometer(mpms3, habit="eicosane")
    wanted = -200e-6 + eicosane / amount
    assert habit.chi_real.values[0] - plain.chi_real.values[0] == pytest.approx(-wanted, rel=1e-9)
    assert np.array_equal(habit.chi_imag.values[:2], plain.chi_imag.values[:2])
    assert habit.moment.values[2] - 0.012 == pytest.approx(-wanted * amount * 1000.0, rel=1e-9)
    given = read_magnetometer(mpms3, diamagnetism="-1e-4 cm3/mol", eicosane_mass="0 mg", holder="1e-6 emu/Oe")
    assert given.moment.values[3] == pytest.approx(0.013 - (1e-6 - 1e-4 * amount) * 1000.0, rel=1e-12)
    assert json.loads(given.attrs["corrections"]) == ["diamagnetism", "holder"]
    own = read_magnetometer(mpms3, habit={"eicosane_mass": "SAMPLE_VOLUME"})
    assert own.chi_real.attrs["units"] == "emu/Oe"
    assert own.chi_real.values[0] == pytest.approx(4e-5 - eicosane, rel=1e-12)


def test_mpms_xl_moments_are_divided_by_the_drive(write):
    data = read_magnetometer(write(XL))
    assert data.attrs["instrument"] == "MPMS XL"
    assert data.chi_real.attrs["units"] == "emu/Oe"
    assert data.chi_real.values == pytest.approx([4e-5, 3e-5], rel=1e-14)
    assert data.chi_imag.values == pytest.approx([4e-5 / 3, 5e-5 / 3], rel=1e-14)
    assert data.chi_imag_error.values == pytest.approx([2e-7 / 3] * 2, rel=1e-14)
    assert np.isnan(data.chi_real_error.values).all()  # zero says that nothing is known
    assert data.drive.values == pytest.approx([3e-4, 3e-4], rel=1e-14)
    assert data.sizes["isotherm"] == 1
    assert data.isotherm_temperature.values[0] == pytest.approx(4.005)
    molar = read_magnetometer(write(XL), habit="eicosane")
    assert molar.chi_real.attrs["units"] == "cm3/mol"


def test_acms_amplitude_of_the_ac_moment_is_no_dc_moment(write):
    data = read_magnetometer(write(ACMS), mass=11.3, molar_mass=838.808)
    assert data.attrs["instrument"] == "PPMS ACMS"
    assert data.measurement.values.tolist() == ["ac", "dc"]
    assert data.moment.values.tolist() == pytest.approx([np.nan, 0.5], nan_ok=True)
    assert data.chi_imag.values[0] == pytest.approx(3e-5 / 6.0 * 838.808 / 0.0113, rel=1e-14)


def test_vsm(write):
    data = read_magnetometer(write(VSM))
    assert data.attrs["instrument"] == "PPMS VSM"
    assert data.measurement.values.tolist() == ["vsm"]
    assert data.magnetisation.values[0] == pytest.approx(0.5 / 4e-5 / (AVOGADRO * MU_B_EMU), rel=1e-9)


def test_waveforms_are_grouped_by_temperature_alone(write):
    rows = "".join(f",{t},2.0,{8 if t % 2 else -8},{t * 1e-5},1e-7,40\n" for t in range(2, 8))
    data = read_magnetometer(write(VSM + rows), measurement="waveform")
    assert set(data.measurement.values) == {"waveform"}
    assert data.sizes["isotherm"] == 1


PRIMES = ['"', "”", "''", "’’"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]


@pytest.mark.parametrize(
    ("encoding", "prime"),
    [*product(ENCODINGS, [*PRIMES, "â€\x9d"]), *product(["cp1252"], PRIMES)],  # the last is not in cp1252
)
def test_every_encoding_and_quote_reads_alike(write, encoding, prime):
    text = XL.replace('m" (emu)', f"m{prime} (emu)").replace("sample", "Prüfkörper µ °")
    data = read_magnetometer(write(text, encoding=encoding))
    xr.testing.assert_equal(
        data.drop_vars("chi_imag_error"), read_magnetometer(write(XL)).drop_vars("chi_imag_error")
    )


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_every_line_end_reads_alike(write, ends):
    data = read_magnetometer(write(XL.replace("\n", ends)))
    assert data.row.values.tolist() == [13, 14]


TABLE = [
    ["T (K)", "H (Oe)", "f (Hz)", "chi' (cm3/mol)", "chi'' (cm3/mol)"],
    ["2.0", "1000.0", "10.5", "1.5", "-0.25"],
    ["2.0", "1000.0", "100.0", "0.75", "0.125"],
]


@pytest.mark.parametrize(("mark", "comma"), [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")])
def test_tables_of_ones_own(write, mark, comma):
    text = "# measured by hand\n" + "\n".join(mark.join(row) for row in TABLE)
    head, *rows = text.replace(".", comma).split("\n")[1:]
    data = read_magnetometer(write("\n".join(["# measured by hand", head, *rows]), "own.csv"))
    assert data.chi_imag.values.tolist() == [-0.25, 0.125]
    assert data.frequency.values.tolist() == [10.5, 100.0]
    assert data.field.values == pytest.approx([0.1, 0.1])
    assert data.chi_real.attrs["units"] == "cm3/mol"


def test_table_kept_apart_by_blanks(write):
    text = "# T(K) H(Oe) f(Hz) chi'(cm3/mol) chi''(cm3/mol)\n" + "\n".join(
        "  ".join(row) for row in TABLE[1:]
    )
    assert read_magnetometer(write(text, "own.txt")).chi_real.values.tolist() == [1.5, 0.75]


@pytest.mark.parametrize(
    ("heading", "quantity", "factor"),
    [
        ("Temperature [mK]", "temperature", 1e-3),
        ("T/K", "temperature", 1.0),
        ("mu0H (mT)", "field", 1e-3),
        ("µ₀H (T)", "field", 1.0),
        ("Field (kOe)", "field", 0.1),
        ("H (A/m)", "field", 4e-7 * np.pi),
        ("f (kHz)", "frequency", 1e3),
        ("freq (mHz)", "frequency", 1e-3),
        ("ω (rad/s)", "frequency", 1 / (2 * np.pi)),
        ("t (min)", "time", 60.0),
        ("Time", "time", 1.0),
        ("χ' (cm³ mol⁻¹)", "chi_real", 1.0),
        ("χ'' / cm^3 mol^-1", "chi_imag", 1.0),
        ("chi_m'' (m3/mol)", "chi_imag", 1e6 / (4 * np.pi)),
        ("AC X'  (emu/Oe)", "chi_real", 1.0),
        ('AC X" (emu/Oe)', "chi_imag", 1.0),
        ("AC X” (emu/Oe)", "chi_imag", 1.0),
        ("magnetic field (Oe)", "field", 1e-4),
        ("M (A m2)", "moment", 1e3),
        ("M (emu/mol)", "moment", 1.0),
        ("M (N beta)", "moment", 1.0),
        ("DC Std. Err. (emu)", "dc_moment_error", 1.0),
    ],
)
def test_headings(heading, quantity, factor):
    columns = find_columns("a.csv", [heading])
    assert columns[quantity].factor == pytest.approx(factor, rel=1e-15)
    assert len(columns) == 1


ELSEWHERE = ("Temperature (C)", "Chamber Temp (K)", "Frequency", "Amplitude (cm)", "f (MHz)", "t", "M")
OTHERS = ("Long Moment [w/o ABS] (emu)", "AC Moment (emu)", "AC Susceptibility (emu/Oe)")


@pytest.mark.parametrize("heading", [*ELSEWHERE, *OTHERS])
def test_headings_that_say_something_else(heading):
    assert find_columns("a.csv", [heading]) == {}


def test_moments_of_a_formula_unit(write):
    data = read_magnetometer(write("T (K),B (T),M (mu_B)\n2,1,4.5\n", "m.csv"))
    assert data.magnetisation.values.tolist() == [4.5]
    assert data.moment.values.tolist() == [4.5]
    assert data.moment.attrs["units"] == "mu_B"
    known = read_magnetometer(write("T (K),B (T),M (mu_B)\n2,1,4.5\n", "m.csv"), mass=20.0, molar_mass=500.0)
    assert known.moment.values[0] == pytest.approx(4.5 * MU_B_EMU * AVOGADRO * 4e-5, rel=1e-9)
    assert known.magnetisation.values[0] == pytest.approx(4.5, rel=1e-14)


def test_numbers_per_gram_need_the_molar_mass(write):
    text = "T (K),B (T),f (Hz),chi' (emu/g),chi'' (emu/g)\n2,0,10,1e-3,2e-3\n"
    with pytest.raises(InputError, match="molar_mass"):
        read_magnetometer(write(text))
    data = read_magnetometer(write(text), molar_mass=400.0)
    assert data.chi_imag.values[0] == pytest.approx(0.8)


def test_mixed_units_of_both_parts_become_one(write):
    text = "T (K),B (T),f (Hz),chi' (emu/Oe),chi'' (cm3/mol)\n2,0,10,4e-5,0.5\n"
    with pytest.raises(InputError, match="alike"):
        read_magnetometer(write(text))
    data = read_magnetometer(write(text), mass=20.0, molar_mass=500.0)
    assert data.chi_real.values[0] == pytest.approx(1.0)
    assert data.chi_imag.values[0] == 0.5


def test_what_is_not_in_the_file_can_be_given(write):
    text = "T (K),f (Hz),m' (emu),m'' (emu)\n2,10,4e-5,1e-5\n"
    with pytest.raises(InputError, match=r"give B.*give drive"):
        read_magnetometer(write(text))
    data = read_magnetometer(write(text), B="1 kOe", drive="4 Oe")
    assert data.field.values[0] == pytest.approx(0.1)
    assert data.chi_real.values[0] == pytest.approx(1e-5)
    with pytest.raises(InputError, match="B must not be given"):
        read_magnetometer(write(XL), B=0.0)


HEAD = "T (K),H (Oe),f (Hz),chi' (cm3/mol),chi'' (cm3/mol)\n"
GOOD = "2.0,0.0,1.0,1.0,0.5\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",0.0,2.0,1.0,0.5", "the temperature is blank"),
        ("nan,0.0,2.0,1.0,0.5", "the temperature is not a finite number"),
        ("-2.0,0.0,2.0,1.0,0.5", "the temperature is not above 0 K"),
        ("2.0,x,2.0,1.0,0.5", "the field is not a number"),
        ("2.0,0.0,2.0,1.0,", "chi'' is blank"),
        ("2.0,0.0,2.0,inf,0.5", "chi' is not a finite number"),
        ("2.0,0.0,2.0,1.0,--", "chi'' is not a number"),
        ("2.0,0.0,2.0,1_0,0.5", "chi' is not a number"),
        ("2.0,0.0,0.0,1.0,0.5", "the frequency is not above 0 Hz"),
        ("2.0,0.0,2.0,1.0,0.5,7", "6 entries for 5 columns"),
        ("2,0,0,0,2,0,1,0,0,5", "10 entries for 5 columns"),
        ("2.0,0.0", "neither a susceptibility nor a moment"),
        (",,,,", "no numbers"),
        ("2.0,0.0,1.0,1.0,0.5", "repeats line 2 letter by letter"),
    ],
)
def test_every_dropped_row_says_why(write, row, reason):
    data = read_magnetometer(write(HEAD + GOOD + row + "\n2.0,0.0,9.0,1.0,0.5\n"))
    assert data.row.values.tolist() == [2, 4]
    assert data.dropped_row.values.tolist() == [3]
    assert data.dropped_reason.values.tolist() == [reason]


def test_points_measured_again_are_kept(write):
    data = read_magnetometer(write(HEAD + GOOD + "2.0,0.0,1.0,1.0,0.51\n"))
    assert data.sizes["point"] == 2
    assert data.sizes["dropped"] == 0


def test_last_line_that_is_cut_off_is_not_taken_for_a_number(write):
    data = read_magnetometer(
        write(MPMS3_HEADER + MPMS3_COLUMNS + "\n" + MPMS3_ROWS[0] + "\n" + MPMS3_ROWS[1][:63])
    )
    assert data.sizes["point"] == 1
    assert data.dropped_reason.values.tolist() == ["the file ends in the middle of this line"]


def test_joined_files_of_one_instrument_are_one_table(write):
    other = XL.replace("20.0,,", "30.0,,").replace("10.0,,", "25.0,,")
    assert read_magnetometer(write(XL + other)).time.values.tolist() == [10.0, 20.0, 25.0, 30.0]
    with pytest.raises(InputError, match="second one with other columns"):
        read_magnetometer(write(XL + other.replace("Error,", "Fault,")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty file"),
        (b" \r\n\r\n", "empty file"),
        (XL[: XL.index("[Data]")].encode(), "got neither"),
        (XL[: XL.index("[Data]") + 7].encode(), "cut off"),
        (XL[: XL.index("10.0,,")].encode(), "cut off"),
        (bytes(range(256)) * 40, "binary"),
        (b"PK\x03\x04 rest", "spreadsheet"),
        (b"a letter to the editor\n" * 40, "got neither"),
        ((HEAD + "2,0,x,1,1\n").encode(), "none can be used, the first"),
        (HEAD.replace("chi'' (cm3/mol)", "phase (deg)").encode() + b"2,0,1,1,1\n", "AC X'' "),
        (HEAD.replace("f (Hz)", "f").encode() + b"2,0,1,1,1\n", "frequency"),
        (HEAD.replace("chi'' (", "chi' (").encode() + b"2,0,1,1,1\n", "one column for chi_real"),
    ],
)
def test_what_is_no_such_file_is_said_in_one_sentence(write, content, said):
    with pytest.raises(InputError, match=said) as caught:
        read_magnetometer(write(content))
    assert "\n" not in str(caught.value)


def test_another_marker(write):
    data = read_magnetometer(write(XL.replace("[Data]", "[Measured]")), marker="[measured]")
    assert data.row.values.tolist() == [13, 14]


def test_paths_that_lead_nowhere(tmp_path):
    for path in (tmp_path / "none.dat", tmp_path, "a\x00b", ""):
        with pytest.raises(InputError):
            read_magnetometer(path)
    with pytest.raises(InputError, match="give the name"):
        read_magnetometer(3)


def test_files_too_large_are_refused_unread(write, monkeypatch):
    monkeypatch.setattr(text_file, "LARGEST_FILE", 100)
    with pytest.raises(TooLargeError, match="split it"):
        read_magnetometer(write(XL))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mass": 0.0}, "mass"),
        ({"mass": "3 K"}, "mg"),
        ({"molar_mass": "3"}, "unit"),
        ({"diamagnetism": 1e-4}, "change its sign"),
        ({"eicosane_mass": -1.0}, "eicosane_mass"),
        ({"habit": "mine"}, "habit"),
        ({"habit": {"weight": "AREA"}}, "habit must map"),
        ({"measurement": "xmcd"}, "measurement"),
        ({"measurement": "dc"}, "another measurement"),
        ({"centre": "left"}, "centre"),
        ({"temperature_tolerance": -1.0}, "temperature_tolerance"),
        ({"diamagnetism": -1e-4}, "mass and molar_mass"),
    ],
)
def test_arguments_that_cannot_be(write, given, said):
    with pytest.raises((InputError, UnitError), match=said):
        read_magnetometer(write(XL), **given)


def test_round_trip_through_a_file(mpms3, tmp_path):
    for data in (read_magnetometer(mpms3), read_magnetometer(mpms3, measurement="ac")):
        path = tmp_path / f"{data.sizes['point']}.nc"
        save(data, path)
        xr.testing.assert_equal(open_result(path), data)


def test_measured_points_go_into_the_fit(write):
    f = np.geomspace(0.1, 1000.0, 21)
    rows = []
    for T in (4.0, 5.0):
        chi = 0.05 + 1.95 / (1 + (2j * np.pi * f * np.exp(20.0 / T) * 1e-4) ** 0.9)
        for k, (x, y) in enumerate(zip(f.tolist(), chi.tolist(), strict=True)):
            rows.append(f"{T + 0.002 * (-1) ** k},0,{x!r},{y.real!r},{-y.imag!r}")
    fit = fit_ac(read_magnetometer(write(HEAD + "\n".join(rows))))
    assert fit.tau.values == pytest.approx(1e-4 * np.exp(20.0 / np.array([4.0, 5.0])), rel=1e-6)
    assert fit.alpha.values == pytest.approx([0.1, 0.1], abs=1e-6)


def test_groups_are_no_wider_than_stated():
    rng = np.random.default_rng(1)
    T, B = rng.uniform(2.0, 3.0, 500), rng.choice([0.0, 0.1], 500)
    group = group_points(T, B, temperature_tolerance=0.01, field_tolerance=1e-3)
    for number in range(group.max() + 1):
        own = group == number
        assert np.ptp(T[own]) <= 0.02 + 1e-12
        assert np.ptp(B[own]) == 0.0
    order = np.lexsort((T, B))
    assert np.all(np.diff(group[order]) >= 0)
