"""Named splittings: closed forms, zeros with their reason, refusals."""

import numpy as np
import pytest

from mesospin.constants import HBAR, MU_B
from mesospin.errors import ConvergenceError, InputError, TooLargeError
from mesospin.model.library import load
from mesospin.model.system import giant_spin
from mesospin.spectrum.landau_zener import landau_zener
from mesospin.spectrum.levels import levels
from mesospin.spectrum.tunnelling.double_precision import DoublePrecision
from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin
from mesospin.spectrum.tunnelling.problem import Levels
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting


def test_published_splittings_of_mn12() -> None:
    spin = giant_spin(10, D=-0.548, A4=-1.17e-3, C4=-2.2e-5, g=1.94)
    assert tunnel_splitting(spin, (10, -10)).kelvin == pytest.approx(2.96251952775e-12, rel=1e-11)
    assert tunnel_splitting(spin, (4, -4)).kelvin == pytest.approx(1.290799846e-2, rel=1e-9)


@pytest.mark.parametrize("S", [1, 2, 3, 4, 5])
def test_transverse_field_to_lowest_order(S: int) -> None:
    """Garanin 1991: Delta = 2D/[(2S-1)!]^2 (2S)! (h/2D)^{2S} for -D Sz^2 - h Sx."""
    from math import factorial

    D, h = 1.0, 1e-3
    lowest = 2 * D / factorial(2 * S - 1) ** 2 * factorial(2 * S) * (h / (2 * D)) ** (2 * S)
    spin = giant_spin(S, D=-D)
    gap = tunnel_splitting(spin, (S, -S), transverse=(h / (2 * MU_B), 0.0)).kelvin
    assert gap == pytest.approx(lowest, rel=1e-5)  # next order: (h/D)^2 times a number of order 1


@pytest.mark.parametrize("name", ["fe8", "fe8:biaxial", "mn12ac"])
def test_every_pair_is_a_difference_of_eigenvalues_or_refused(name: str) -> None:
    """From 1e-12 K to kelvin: no other gap may carry the name of a pair."""
    spin = load(name)
    energy = levels(spin, 0.0).energy.values
    gaps = energy[1:] - energy[:-1]
    named = 0
    for m in range(10, 0, -1):
        try:
            found = tunnel_splitting(spin, (m, -m))
        except InputError:
            continue  # mixed too strongly to carry the labels
        named += 1
        assert found.field == pytest.approx(0.0, abs=1e-7)
        # eigenvalues of a 60 K wide spectrum hold 1e-13 K
        assert np.abs(gaps - found.kelvin).min() < 1e-12 + 1e-9 * found.kelvin
    assert named >= 6


def test_zeros_have_their_reason() -> None:
    spin = giant_spin(10, D=-0.548, C4=-2.2e-5)
    odd = tunnel_splitting(spin, (9, -9))
    assert odd.is_zero_by_symmetry
    assert odd.kelvin == 0.0
    assert odd.log10 == -np.inf
    assert "multiples of 4" in odd.reason
    half = tunnel_splitting(giant_spin(4.5, D=-0.6, E=0.05), (4.5, -4.5))
    assert half.is_zero_by_symmetry


@pytest.mark.parametrize("S", [2, 3, 4.5, 10])
def test_a_diabolical_point_is_a_zero_with_its_reason(S: float) -> None:
    """Garg 1993: zeros at (k + 1/2) periods for integer S, at k periods for half-integer S."""
    D, E = 0.292, 0.046
    period = 2 * np.sqrt(2 * E * (E + D)) / (2 * MU_B)
    spin, first = giant_spin(S, D=-D, E=E), 0.5 if S % 1 == 0 else 1.0
    found = tunnel_splitting(spin, (S, -S), transverse=(first * period, 0.0))
    assert found.is_zero_by_symmetry
    assert "diabolical point" in found.reason
    assert not found.rigorous
    # a microtesla away the gap is there, and half a period away it is large
    near = tunnel_splitting(spin, (S, -S), transverse=(first * period + 1e-6, 0.0))
    far = tunnel_splitting(spin, (S, -S), transverse=((first + 0.5) * period, 0.0))
    assert 0 < near.kelvin < 1e-4 * far.kelvin
    # the medium axis has none
    assert not tunnel_splitting(spin, (S, -S), transverse=(0.0, first * period)).is_zero_by_symmetry


def test_kramers_pairs_by_position() -> None:
    spin = giant_spin(4.5, D=-0.6, E=0.05)
    found = tunnel_splitting(spin, Levels(0, 1), B=0.0)
    assert "Kramers" in found.reason
    assert found.slope == pytest.approx(18 * MU_B, rel=1e-2)
    assert tunnel_splitting(spin, Levels(1, 2), B=0.0).kelvin > 1


def test_levels_that_time_reversal_exchanges_are_zero_with_a_reason() -> None:
    found = tunnel_splitting(load("mn12ac"), Levels(2, 3), B=0.0)
    assert found.is_zero_by_symmetry
    assert "multiples of 4" in found.reason
    assert not tunnel_splitting(load("mn12ac"), Levels(0, 1), B=0.0).is_zero_by_symmetry
    assert tunnel_splitting(load("erw10-167"), Levels(0, 1), B=0.0).is_zero_by_symmetry


def test_kramers_comes_before_a_selection_rule() -> None:
    assert "Kramers" in tunnel_splitting(load("mn4"), (4.5, -4.5)).reason


@pytest.mark.parametrize(("S", "E"), [(30, 0.05), (60, 1e-3), (70, 0.01), (79.5, 0.02)])
def test_double_precision_holds_to_the_end_of_the_exponents(S: float, E: float) -> None:
    """Down to 1e-300 K, against the ladder in 32 digits."""
    spin, transverse = giant_spin(S, D=-1.0, E=E), (0.0 if S % 1 == 0 else 0.01, 0.0)
    found = tunnel_splitting(spin, (S, -S), transverse=transverse, method=DoublePrecision())
    exact = tunnel_splitting(spin, (S, -S), transverse=transverse, method=LargeSpin())
    assert found.kelvin / exact.kelvin == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("S", [149, 150, 150.5, 400])
def test_diabolical_points_of_long_ladders(S: float) -> None:
    D, E = 0.292, 0.046
    period = 2 * np.sqrt(2 * E * (E + D)) / (2 * MU_B)
    spin, first = giant_spin(S, D=-D, E=E), 0.5 if S % 1 == 0 else 1.0
    found = tunnel_splitting(spin, (S, -S), transverse=(first * period, 0.0))
    assert "diabolical" in found.reason
    assert tunnel_splitting(spin, (S, -S), transverse=(first * period + 1e-6, 0.0)).log10 > -1000


def test_the_answer_belongs_to_its_own_field() -> None:
    spin, transverse = load("mn12ac"), (0.1, 0.0)
    own = tunnel_splitting(spin, (10, -9), transverse=transverse)
    near = tunnel_splitting(spin, (10, -9), transverse=transverse, B=own.field + 0.9e-9)
    assert near.field == own.field


@pytest.mark.parametrize("pair", [10, None])
def test_a_pair_is_a_sequence(pair: object) -> None:
    with pytest.raises(InputError, match="two states"):
        tunnel_splitting(load("mn12ac"), pair)  # type: ignore[arg-type]


def test_large_spins_are_sent_to_their_method() -> None:
    with pytest.raises(TooLargeError, match="LargeSpin"):
        tunnel_splitting(giant_spin(1e5, D=-1.0, E=0.1), (1e5, -1e5), method=DoublePrecision())


def test_off_resonance_says_how_far() -> None:
    with pytest.raises(InputError, match=r"at 0 T, got 0.3 T, 0.3 T away"):
        tunnel_splitting(load("mn12ac"), (10, -10), B=0.3)
    # zeros by symmetry lie at a field too
    with pytest.raises(InputError, match="away"):
        tunnel_splitting(load("mn12ac"), (9, -9), B=0.3)


def test_the_error_bounds_the_disagreement_of_methods() -> None:
    """Eigenvalues of a 2 x 2 block in closed form: S = 1 with E, S = 2 with C4."""
    for spin, pair, exact in (
        (giant_spin(1, D=-1.0, E=1e-6), (1, -1), 2e-6),
        (giant_spin(2, D=-1.0, C4=1e-9), (2, -2), 48e-9),
        (giant_spin(1, D=-1.0, E=0.3), (1, -1), 0.6),
    ):
        found = tunnel_splitting(spin, pair)
        assert abs(found.kelvin - exact) <= found.error
        assert found.error < 1e-9 * exact
        assert float(found.digits) == found.kelvin


def test_a_tilt_opens_nothing_where_the_field_vanishes() -> None:
    """Opposite states meet in no field at all, along any axis."""
    for axis in ((0.01, 0.0, 1.0), (0.3, 0.2, 1.0)):
        found = tunnel_splitting(load("mn12ac"), (9, -9), axis=axis)
        assert found.is_zero_by_symmetry
        assert found.field == 0.0
    # elsewhere the tilted field has a transverse part
    assert tunnel_splitting(load("mn12ac"), (9, -8), axis=(0.01, 0.0, 1.0)).kelvin > 0


@pytest.mark.parametrize(("E", "pair"), [(0.3, (2, 0)), (1.0, (1, -1)), (0.3, (1, -1))])
def test_mixed_levels_are_refused_not_mistaken(E: float, pair: tuple[int, int]) -> None:
    spin = giant_spin(4, D=-0.6, E=E)
    try:
        found = tunnel_splitting(spin, pair)
    except InputError:
        return
    # what is answered is a minimum of the distance of two neighbouring levels, at B = 0 for opposite states
    energies = levels(spin, found.field + np.array([-1e-3, 0.0, 1e-3])).energy.values
    gaps = np.diff(energies, axis=1)
    level = np.argmin(np.abs(gaps[1] - found.kelvin))
    assert gaps[1, level] == pytest.approx(found.kelvin, rel=1e-9)
    assert gaps[0, level] > gaps[1, level] < gaps[2, level]
    if pair[0] == -pair[1]:
        assert found.field == pytest.approx(0.0, abs=1e-9)


def test_half_integer_spin_needs_a_transverse_field() -> None:
    spin = load("mn4")
    assert tunnel_splitting(spin, (4.5, -4.5)).is_zero_by_symmetry
    assert tunnel_splitting(spin, (4.5, -4.5), transverse=(0.4, 0.0)).kelvin > 0


def test_levels_by_position() -> None:
    spin = giant_spin(1, D=-1.0, E=0.1)
    assert tunnel_splitting(spin, Levels(0, 1), B=0.0).kelvin == pytest.approx(0.2)
    spin = giant_spin(10, D=-0.5, E=1e-4)
    with pytest.raises(ConvergenceError, match="double precision"):
        tunnel_splitting(spin, Levels(0, 1), B=0.0, method=DoublePrecision())
    chosen = tunnel_splitting(spin, Levels(0, 1), B=0.0)
    assert chosen.method.startswith("Certified")
    assert chosen.kelvin == pytest.approx(tunnel_splitting(spin, (10, -10)).kelvin, rel=1e-9)


def test_dataset_holds_scalars() -> None:
    ds = tunnel_splitting(load("fe8"), (10, -10)).to_dataset()
    assert ds.splitting.attrs["units"] == "K"
    assert ds.attrs["kind"] == "splitting"


@pytest.mark.parametrize(
    ("pair", "arguments", "sentence"),
    [
        ((11, -11), {}, "projections m = 10, ..., -10"),
        ((10, 10), {}, "two different states"),
        ((10,), {}, "two states"),
        ("ab", {}, "two states"),
        (("m=10", "m=77"), {}, "must name states"),
        ((10, -10), {"B": 0.3}, "resonance of m=10 and m=-10 at"),
        ((10, np.nan), {}, "finite"),
        (Levels(0, 1), {}, "B must be given"),
        (Levels(0, 30), {"B": 0.0}, "levels between 0 and 20"),
        ((10, -10), {"method": "fast"}, "DoublePrecision"),
    ],
)
def test_bad_pairs_are_one_sentence(pair: object, arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        tunnel_splitting(load("mn12ac"), pair, **arguments)  # type: ignore[arg-type]


def test_a_dimer_takes_labels() -> None:
    dimer = load("mn4-dimer")
    with pytest.raises(InputError, match="two labels"):
        tunnel_splitting(dimer, (4.5, -4.5))
    both = tunnel_splitting(dimer, ("m1=9/2, m2=9/2", "m1=-9/2, m2=-9/2"))
    assert both.field == pytest.approx(0.0, abs=1e-12)
    assert both.is_zero_by_symmetry
    # one spin alone: shifted by the exchange, and closed because the total projection is conserved
    one = tunnel_splitting(dimer, ("m1=9/2, m2=9/2", "m1=-9/2, m2=9/2"))
    assert one.field < -0.3
    assert one.is_zero_by_symmetry


def test_landau_zener_limits_and_factor() -> None:
    gap, slope = 1e-7, 2 * MU_B * 20
    rate = np.pi * gap**2 / (2 * HBAR * slope) / 1e-3  # exponent 1e-3
    assert float(landau_zener(gap, rate, delta_m=20)) == pytest.approx(-np.expm1(-1e-3), rel=1e-12)
    assert float(landau_zener(gap, rate, slope=slope)) == pytest.approx(-np.expm1(-1e-3), rel=1e-12)
    assert float(landau_zener(gap, 0.0, slope=1.0)) == 1.0
    assert float(landau_zener(0.0, 1.0, slope=1.0)) == 0.0


@pytest.mark.parametrize(
    "arguments",
    [
        {"splitting": -1.0, "rate": 1.0, "slope": 1.0},
        {"splitting": np.nan, "rate": 1.0, "slope": 1.0},
        {"splitting": 1.0, "rate": np.inf, "slope": 1.0},
        {"splitting": 1.0, "rate": 1.0},
        {"splitting": 1.0, "rate": 1.0, "slope": 1.0, "delta_m": 2},
        {"splitting": 1.0, "rate": 1.0, "delta_m": 0},
        {"splitting": 0.0, "rate": 0.0, "slope": 1.0},
    ],
)
def test_landau_zener_refuses(arguments: dict[str, float]) -> None:
    with pytest.raises(InputError):
        landau_zener(**arguments)  # type: ignore[arg-type]
