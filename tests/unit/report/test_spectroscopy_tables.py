"""Tables of spectra: lines in order of what is seen first, with their levels."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.report.tables import tables

FE8 = ms.load("fe8")


def test_lines_come_in_the_order_of_their_intensity():
    ds = ms.resonance_fields(FE8, "116 GHz", span=(0, 6), T=[20.0, 2.0])
    (table,) = tables(ds)
    records = table.records()
    assert [column.name for column in table.columns][-3:] == [
        "intensity_at_2_K",
        "intensity_at_20_K",
        "relative",
    ]
    assert [r["relative"] for r in records] == sorted((r["relative"] for r in records), reverse=True)
    ground = next(r for r in records if r["label_from"] == "m=-10")
    assert (ground["level_from"], ground["selection"], ground["relative"]) == (0, "perpendicular", 1.0)
    # the strongest at 20 K is another line: it is 1 too
    assert [r["relative"] for r in records[:3]].count(1.0) == 2
    assert table.units()["field"] == "T"


def test_a_turning_line_is_infinite_and_marked():
    spin = ms.giant_spin(1, D=1.0, E=0.125)
    ds = ms.resonance_fields(spin, "0.25 K", span=(-0.05, 0.04), T=5.0, microwave="parallel")
    (record,) = tables(ds)[0].records()
    assert record["turning"] is True
    assert record["intensity_at_5_K"] == np.inf


def test_transitions_at_one_field_and_many():
    (one,) = tables(ms.resonance_frequencies(FE8, 1.0, T=2.0))
    assert one.records()[0]["relative_at_the_field"] == 1.0
    assert one.records()[0]["level_from"] == 0
    (many,) = tables(ms.resonance_frequencies(FE8, np.linspace(0, 1, 50), T=[2.0, 9.0]))
    assert len({r["field"] for r in many.records()}) == 7


def test_maxima_of_a_spectrum():
    B = np.linspace(0, 6, 1201)
    (table,) = tables(ms.epr_spectrum(FE8, 5.0, B, "116 GHz", line=ms.GaussianLine("40 mT")))
    lines = ms.resonance_fields(FE8, "116 GHz", span=(0, 6), T=5.0)
    strongest = np.sort(lines.field.values[np.argsort(-lines.intensity.values)[:4]])
    found = np.sort([r["field"] for r in table.records()[:4]])
    np.testing.assert_allclose(found, strongest, atol=0.005)


def test_neutron_lines_of_one_energy_are_one_row():
    D, T, g = 3.0, 2.0, 2.0
    energy = np.linspace(-6, 6, 601)
    ds = ms.neutron_spectrum(ms.giant_spin(1, D=D, g=g), T, energy, line=ms.GaussianLine(0.1))
    (table,) = tables(ds)
    loss, *rest = sorted(table.records(), key=lambda r: -r["in_kelvin"])
    assert (loss["in_kelvin"], loss["transitions"], loss["over_strongest_inelastic"]) == (
        pytest.approx(D),
        2,
        1.0,
    )
    assert loss["intensity"] == pytest.approx(2 / 3 * g**2 * 2 / (1 + 2 * np.exp(-D / T)))
    assert [r["in_kelvin"] for r in rest] == [0.0, pytest.approx(-D)]
    assert loss["energy_loss"] == pytest.approx(D / ms.units.to_kelvin("1 meV"))
