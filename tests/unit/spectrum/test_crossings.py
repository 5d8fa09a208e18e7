"""Crossings against closed forms and a brute-force count of exchanged levels."""

import numpy as np
import pytest

from mesospin.constants import MU_B
from mesospin.errors import InputError
from mesospin.model.interactions import Hyperfine
from mesospin.model.library import load
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import ZeroFieldSplitting
from mesospin.spectrum.crossings import crossings
from mesospin.spectrum.matrices import field_line
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting


def test_axial_spin_has_all_crossings_at_their_closed_form() -> None:
    D, B4, g, S = 0.548, 1.17e-3, 1.94, 10
    system = giant_spin(S, D=-D, A4=-B4, g=g)
    table = crossings(system, (1e-3, 6.0))
    expected = sorted(
        (m + k) * (D + B4 * (m**2 + k**2)) / (g * MU_B)
        for m in range(-S, S + 1)
        for k in range(-S, m)
        if 1e-3 <= (m + k) * (D + B4 * (m**2 + k**2)) / (g * MU_B) <= 6.0
    )
    np.testing.assert_allclose(np.sort(table.field.values), expected, atol=1e-11)
    assert table.zero.values.all()
    assert set(table.reason.values) == {"selection rule: m is conserved"}
    assert (table.m_from > table.m_to).all()


def test_a_missed_crossing_would_change_the_order_of_levels() -> None:
    """Between the ends every pair exchanges as often as crossings say: brute force by tracking m."""
    system = giant_spin(4, D=-0.5, E=0.02, C4=1e-4)
    table = crossings(system, (0.05, 3.0))
    narrow = table.isel(crossing=np.flatnonzero(table.splitting < 1e-3))

    def order(B: float) -> list[int]:
        _, U = np.linalg.eigh(field_line(system).at(B))
        return [int(np.argmax(np.abs(U[:, k]) ** 2)) for k in range(9)]

    before, after = order(0.05), order(3.0)
    exchanged = {
        (a, b)
        for a in range(9)
        for b in range(9)
        if before.index(a) < before.index(b) and after.index(a) > after.index(b)
    }
    found = {(int(4 - m), int(4 - k)) for m, k in zip(narrow.m_from, narrow.m_to, strict=True)}
    assert found <= exchanged
    # wide crossings are avoided: there the levels keep their order and exchange their labels
    wide = table.isel(crossing=np.flatnonzero(table.splitting >= 1e-3))
    assert len(found) + wide.sizes["crossing"] >= len(exchanged)


def test_grid_offset_does_not_matter() -> None:
    system = giant_spin(10, D=-0.548, A4=-1.17e-3, C4=-2.2e-5, E=5e-3, g=1.94)
    whole = crossings(system, (0.0, 5.0))
    shifted = crossings(system, (-0.00371, 5.0))
    np.testing.assert_allclose(whole.field.values, shifted.field.values, atol=1e-9)
    np.testing.assert_allclose(whole.splitting.values, shifted.splitting.values, rtol=1e-6)


def test_gap_of_a_spin_one_is_twice_e() -> None:
    for E in (1e-9, 1e-5, 1e-2, 0.2):
        table = crossings(giant_spin(1, D=-1.0, E=E), (-0.2, 0.2))
        assert table.sizes["crossing"] == 1
        assert float(table.splitting[0]) == pytest.approx(2 * E, rel=1e-9)
        assert float(table.field[0]) == pytest.approx(0.0, abs=1e-12)


def test_fe8_in_a_transverse_field_agrees_with_named_splittings() -> None:
    system = load("fe8")
    table = crossings(system, (-0.01, 0.5), transverse=(0.1, 0.0))
    for n in (0, 1, 2):
        row = table.isel(crossing=np.flatnonzero((table.m_from == 10) & (table.m_to == n - 10)))
        named = tunnel_splitting(system, (10, n - 10), transverse=(0.1, 0.0))
        assert float(row.splitting[0]) == pytest.approx(named.kelvin, rel=1e-9)
        assert float(row.field[0]) == pytest.approx(named.field, abs=1e-12)


@pytest.mark.parametrize("transverse", [(0.0, 0.1), (0.07, 0.07)])
def test_complex_hamiltonians_are_followed(transverse: tuple[float, float]) -> None:
    table = crossings(load("fe8"), (0.0, 1.2), transverse=transverse)
    assert (table.splitting > 0).all()


def test_kramers_pair_is_exactly_degenerate_at_zero_field_only() -> None:
    system = SpinSystem("ion", (Spin(1.5, 2.0),), (ZeroFieldSplitting(-1.0, 0.3, frame=(0.0, 0.4, 0.2)),))
    table = crossings(system, (-0.1, 0.1))
    assert table.zero.values.all()
    assert "Kramers" in str(table.reason.values[0])
    opened = crossings(system, (-0.1, 0.1), transverse=(0.05, 0.0))
    assert not opened.zero.values.any()


def test_hyperfine_labels_and_spacing() -> None:
    """Ising doublet with one nucleus: crossings of equal mI are spaced by A / (g mu_B)."""
    A = 0.02
    spins = (Spin(1.0, 2.0), Spin(1.5, 0.0, label="I", nuclear=True))
    terms = (ZeroFieldSplitting(-5.0, 1e-5), Hyperfine(0, 1, (0.0, 0.0, A)))
    table = crossings(SpinSystem("ion", spins, terms), (-0.1, 0.1))
    open_ones = table.isel(crossing=np.flatnonzero(~table.zero.values))
    expected = -A * np.array([1.5, 0.5, -0.5, -1.5]) / (2 * MU_B)
    np.testing.assert_allclose(np.sort(open_ones.field.values), np.sort(expected), atol=1e-9)
    np.testing.assert_allclose(open_ones.splitting.values, 2e-5, rtol=1e-6)
    assert str(open_ones.label_from.values[0]) == "m=1, mI=3/2"


def test_an_isotropic_spin_crosses_at_zero_field() -> None:
    table = crossings(giant_spin(1, D=0.0), (-0.5, 0.5))
    np.testing.assert_allclose(table.field.values, 0.0, atol=1e-12)
    assert table.zero.values.all()


def test_a_span_without_a_crossing_is_refused() -> None:
    with pytest.raises(InputError, match="span must contain a crossing"):
        crossings(giant_spin(1, D=-1.0), (0.1, 0.2))


@pytest.mark.parametrize("span", [(1.0, 0.0), (0.0, np.nan), (0.0,)])
def test_span_must_increase(span: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="span"):
        crossings(giant_spin(1, D=-1.0), span)
