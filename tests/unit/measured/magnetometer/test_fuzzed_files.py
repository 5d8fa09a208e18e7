"""Whatever a file holds, the reader returns data or says in one sentence why not; nothing is lost unsaid."""

import tempfile
from pathlib import Path

import numpy as np
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesospin.errors import InputError
from mesospin.measured.magnetometer.read import read_magnetometer

CLOCK = "Time Stamp (sec),Temperature (K),Field (Oe),Moment (emu),"
HEADINGS = CLOCK + "AC X' (emu/Oe),AC X'' (emu/Oe),AC Frequency (Hz)"
FILE = "\n".join([
    "[Header]", "BYAPP,SQUID AC,0.9", "INFO,26.3,SAMPLE_MASS", "INFO,542.5,SAMPLE_MOLECULAR_WEIGHT", "[Data]",
    HEADINGS,
    *(f"{t},{2 + t // 4},{0.1 * t},,{3e-5 / (1 + t)},{1e-6 * (2 - t)},{10.0 * (t + 1)}" for t in range(12)),
    "13,2,1000,0.5,,,", "14,2,-1000,-0.5,,,",
]) + "\n"  # fmt: skip
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(content: bytes, **options: object) -> xr.Dataset | None:
    """Return the data of a file, None where it is refused with one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "data.dat")
        file.write_bytes(content)
        try:
            return read_magnetometer(file, **options)
        except InputError as error:
            said = str(error)
    assert "\n" not in said
    assert len(said) < 1000
    return None


def check(data: xr.Dataset | None) -> None:
    """Check what holds for all data that are read."""
    if data is None:
        return
    assert data.sizes["point"] > 0
    assert np.all(np.diff(data.row.values) > 0)
    assert not set(data.row.values) & set(data.dropped_row.values)
    assert np.all(data.isotherm_of.values >= 0)
    assert np.all(np.isfinite(data.temperature.values) & np.isfinite(data.field.values))
    ac = data.measurement.values == "ac"
    assert np.all(np.isfinite(data.chi_real.values[ac]) & np.isfinite(data.chi_imag.values[ac]))
    assert np.all(np.isfinite(data.moment.values[~ac]))


@FEW
@given(st.binary(max_size=400))
def test_any_bytes(content):
    check(read(content))


@FEW
@given(st.binary(max_size=300))
def test_any_bytes_below_the_headings(content):
    check(read(("[Data]\n" + HEADINGS + "\n").encode() + content))


@FEW
@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-16", "utf-16-le"]))
def test_any_text_in_the_header(text, encoding):
    content = FILE.replace("BYAPP", text + "\nINFO," + text, 1).encode(encoding, errors="replace")
    check(read(content))


@FEW
@given(st.lists(st.tuples(st.integers(0, len(FILE)), st.integers(0, 40), st.binary(max_size=6)), max_size=4))
def test_files_damaged_in_places(changes):
    content = FILE.encode()
    for place, length, new in changes:
        content = content[:place] + new + content[place + length :]
    check(read(content))


@FEW
@given(st.integers(0, len(FILE)))
def test_files_cut_off_anywhere_give_no_other_numbers(place):
    whole, part = read(FILE.encode()), read(FILE.encode()[:place])
    check(part)
    if part is None:
        return
    # The last column may be cut short in the last line, which nothing can tell; all others are as they were.
    count = part.sizes["point"]
    assert np.array_equal(part.row.values, whole.row.values[:count])
    for name in ("temperature", "field", "chi_real", "chi_imag", "moment"):
        assert np.array_equal(part[name].values[:-1], whole[name].values[: count - 1], equal_nan=True)
    if FILE[:place].splitlines()[-1].count(",") < 6:
        assert part.dropped_row.values.tolist() == [FILE[:place].count("\n") + 1] or FILE[place - 1] == "\n"


entries = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.floats(min_value=0.1, max_value=300.0).map(repr),
    st.sampled_from(["", " ", "x", "1e999", "-0", "0", "1.5", "--", "1e-400", '"2"', "۳", "1_000", "0x10"]),
)


@FEW
@given(st.lists(st.lists(entries, max_size=9), min_size=1, max_size=12), st.sampled_from(",;\t"))
def test_every_row_is_kept_or_reported(rows, mark):
    body = [mark.join(row) for row in rows]
    data = read((HEADINGS.replace(",", mark) + "\n" + "\n".join(body) + "\n").encode())
    check(data)
    if data is not None:
        filled = {n for n, line in enumerate(body, start=2) if line.strip()}
        assert set(data.row.values) | set(data.dropped_row.values) == filled


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64, min_value=-1e5, max_value=1e5)
temperatures = st.floats(min_value=0.01, max_value=400.0)


@FEW
@given(
    st.lists(
        st.tuples(temperatures, numbers, temperatures, numbers, numbers), min_size=1, max_size=20, unique=True
    ),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ","), (" ", ".")]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_numbers_written_are_numbers_read(rows, marks, encoding, ends):
    mark, point = marks
    headings = ["T(K)", "B(T)", "f(Hz)", "chi'(cm3/mol)", "chi''(cm3/mol)"]
    lines = [mark.join(headings), *(mark.join(map(repr, row)).replace(".", point) for row in rows)]
    data = read((ends.join(lines) + ends).encode(encoding))
    names = ("temperature", "field", "frequency", "chi_real", "chi_imag")
    assert np.array_equal(np.array([data[name].values for name in names]).T, np.array(rows))
