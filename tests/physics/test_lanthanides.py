"""Lanthanide molecules and crystals: what their published parameters say, and what they do not."""

import json

import numpy as np
import pytest
from flint import acb_mat, arb, ctx
from scipy.optimize import brentq

import mesospin as ms
from mesospin.constants import (
    KELVIN_PER_GIGAHERTZ,
    KELVIN_PER_MILLIELECTRONVOLT,
    KELVIN_PER_WAVENUMBER,
    MU_B,
)
from mesospin.model.lanthanides import lanthanide
from mesospin.model.terms import Stevens
from mesospin.spectrum.clock_transitions import clock_transitions
from mesospin.spectrum.doublets import doublets

PRINTED = {(2, 0): -1.35, (4, 0): -1.07e-2, (6, 0): 1.07e-4, (4, 4): 1.8e-2}


# --- ErW10: the printed parameters against the text -------------------------------------------------------


def test_printed_erw10_has_the_wrong_ground_doublet():
    """The text has +-13/2 alone below 4 K; the printed numbers have +-15/2 with +-13/2 at 19.9 K."""
    ds = doublets(ms.load("erw10-printed"))
    assert ds.composition.values[0] == "100 % |15/2>"
    assert ds.composition.values[1].startswith("99.7 % |13/2>")
    assert float(ds.g[0, 2]) == pytest.approx(18.0, abs=0.01)
    assert float(ds.energy[1]) == pytest.approx(19.9, abs=0.05)
    excited = np.exp(-ds.energy.values[1:] / 4.0)
    assert excited.sum() / (1 + excited.sum()) > 5e-3  # the text: below 1e-4


@pytest.mark.parametrize("name", ["erw10-repaired", "erw10-repaired:b40"])
def test_repaired_erw10_is_that_of_the_text(name):
    ds = doublets(ms.load(name))
    assert "|13/2>" in ds.composition.values[0]
    assert float(ds.g[0, 2]) == pytest.approx(2 * 1.2 * 6.5, rel=2e-3)
    excited = np.exp(-ds.energy.values[1:] / 4.0)
    assert excited.sum() / (1 + excited.sum()) < 1e-4
    assert float(ds.energy[1]) == pytest.approx(63.0, abs=2.5)
    assert np.all(ds.tilt.values[:2] < 1e-3)
    # Delta = g_perp mu_B B_perp in the 70 Oe of the neighbours; the text has 8e-5 K
    splitting = float(ds.g[0, 0]) * MU_B * 70e-4
    assert 5e-5 < splitting < 8.1e-5
    if name.endswith("b40"):
        assert splitting == pytest.approx(7.95e-5, rel=2e-3)


def test_the_order_of_the_two_doublets_is_linear_in_the_parameters():
    """E(13/2) - E(15/2) = -42 B20 - 21840 B40 - 2522520 B60 changes sign between printed and repaired."""

    def gap(**changes):
        field = PRINTED | changes.get("field", {})
        ds = doublets(lanthanide("Er3+", {key: B for key, B in field.items() if key != (4, 4)}))
        place = {
            text.split("|")[1]: float(E) for text, E in zip(ds.composition.values, ds.energy, strict=True)
        }
        return place["13/2>"] - place["15/2>"]

    def formula(B20, B40, B60):
        return -42 * B20 - 21840 * B40 - 2522520 * B60

    assert gap() == pytest.approx(formula(-1.35, -1.07e-2, 1.07e-4), rel=1e-10)
    assert gap(field={(6, 0): 1.4e-4}) == pytest.approx(formula(-1.35, -1.07e-2, 1.4e-4), rel=1e-10)
    assert gap() == pytest.approx(20.5, abs=0.1)
    assert gap(field={(6, 0): 1.4e-4}) < -60
    # the two change places at B60 = 1.15e-4 K, seven per cent above the printed number
    crossing = brentq(lambda B60: formula(-1.35, -1.07e-2, B60), 1e-4, 1.5e-4)
    assert crossing / 1.07e-4 == pytest.approx(1.076, abs=1e-3)


def test_transverse_g_of_the_ground_doublet_is_third_order_in_B44():
    """13/2 - 5/2 - (-3/2) - (-11/2): three steps of four before J+ closes the way to -13/2."""
    values = []
    for scale in (0.02, 0.04, 0.08):
        field = PRINTED | {(6, 0): 1.4e-4, (4, 4): scale * 1.8e-2}
        values.append(float(doublets(lanthanide("Er3+", field), count=1).g[0, 0]))
    ratios = np.array(values[1:]) / values[:-1]
    np.testing.assert_allclose(ratios, 8.0, rtol=2e-2)


def test_the_builder_makes_the_molecules_of_the_library():
    made = lanthanide("Er3+", PRINTED)
    library = ms.load("erw10-printed")
    assert set(made.terms) == set(library.terms)
    assert made.spins == library.spins
    whole = lanthanide("Er3+", PRINTED, isotope="167Er", A="-6e-3 K")
    assert whole.terms[-1] == ms.load("erw10-167").terms[-1]
    assert whole.spins == ms.load("erw10-167").spins
    holmium = ms.load("how10")
    assert lanthanide("Ho3+").spins[0] == holmium.spins[0]
    assert lanthanide("Tb3+").spins[0] == ms.load("tbpc2").spins[0]


# --- 167ErW10: electron and nucleus -----------------------------------------------------------------------


def test_electro_nuclear_levels_of_erbium_167():
    """Sixteen levels A <Jz> mI below 20 K, in eight pairs (mJ, mI) and (-mJ, -mI)."""
    system = ms.load("erw10-167")
    energy = ms.levels(system, 0.0).energy.values
    energy = energy - energy[0]
    jz = float(doublets(system, count=1).jz[0, 0])
    mI = np.arange(3.5, -4.0, -1.0)
    expected = np.sort(np.repeat(-6e-3 * jz * mI, 2))
    found = energy[:16]
    np.testing.assert_allclose(found, expected - expected[0], atol=3e-4)
    np.testing.assert_allclose(np.diff(found)[1::2], 6e-3 * jz, rtol=6e-3)
    splittings = [ms.tunnel_splitting(system, pair_of(value)).kelvin for value in mI]
    np.testing.assert_allclose(np.diff(found)[::2], splittings, atol=1e-11)
    assert energy[16] > 19.0


def pair_of(mI):
    return f"m=15/2, mI={round(2 * mI)}/2", f"m=-15/2, mI={round(-2 * mI)}/2"


@pytest.mark.parametrize("mI", [3.5, 2.5, 1.5, 0.5, -0.5, -1.5, -2.5, -3.5])
def test_which_of_the_pairs_tunnel(mI):
    """M = mJ + mI is kept modulo 4, so 15/2 + mI and its negative meet when 15 + 2 mI is a multiple of 4."""
    found = ms.tunnel_splitting(ms.load("erw10-167"), pair_of(mI))
    allowed = round(15 + 2 * mI) % 4 == 0
    assert found.is_zero_by_symmetry is not allowed
    if allowed:
        assert found.kelvin > 0
        assert abs(found.field) < 1e-12


@pytest.mark.parametrize("mI", [2.5, 0.5, -1.5, -3.5])
def test_splittings_of_the_pairs_against_balls(mI):
    """The same block of 32 states (M a multiple of 4), built here, in balls of 320 bits."""
    found = ms.tunnel_splitting(ms.load("erw10-167"), pair_of(mI))
    states = [
        (a, b) for a in range(-15, 16, 2) for b in range(-7, 8, 2) if (a + b - round(15 + 2 * mI)) % 8 == 0
    ]
    assert len(states) == 32
    old, ctx.prec = ctx.prec, 320
    try:
        values = sorted(electro_nuclear_eigenvalues(states), key=lambda value: value.mid())
        # of the pairs mI and mI + 4 in this block the one with the larger mI lies lower, A being negative
        lower = 0 if mI + 4 > 3.5 else 2
        gap = float(values[lower + 1] - values[lower])
    finally:
        ctx.prec = old
    assert found.kelvin == pytest.approx(gap, rel=1e-12)


def electro_nuclear_eigenvalues(states):
    """Return the eigenvalues of 167ErW10 between states (2 mJ, 2 mI), in balls."""
    J, I = arb(15) / 2, arb(7) / 2
    X = J * (J + 1)
    B20, B40, B60, B44, A = (arb(x) for x in (-1.35, -1.07e-2, 1.07e-4, 1.8e-2, -6e-3))

    def diagonal(a, b):
        m = arb(a) / 2
        o20 = 3 * m**2 - X
        o40 = 35 * m**4 - (30 * X - 25) * m**2 + 3 * X**2 - 6 * X
        o60 = 231 * m**6 - (315 * X - 735) * m**4 + (105 * X**2 - 525 * X + 294) * m**2
        o60 += -5 * X**3 + 40 * X**2 - 60 * X
        return B20 * o20 + B40 * o40 + B60 * o60 + A * m * arb(b) / 2

    def raise_(j, a):  # <m+1|J+|m> with 2m = a
        m = arb(a) / 2
        return ((j - m) * (j + m + 1)).sqrt()

    n = len(states)
    H = [[arb(0)] * n for _ in range(n)]
    index = {state: k for k, state in enumerate(states)}
    for (a, b), k in index.items():
        H[k][k] = diagonal(a, b)
        if (a + 8, b) in index:
            step = arb(1)
            for i in range(4):
                step *= raise_(J, a + 2 * i)
            other = index[a + 8, b]
            H[k][other] = H[other][k] = B44 * step / 2
        if (a + 2, b - 2) in index:
            other = index[a + 2, b - 2]
            element = A / 2 * raise_(J, a) * raise_(I, b - 2)
            H[k][other] = H[other][k] = element
    return [value.real for value in acb_mat(H).eig()]


# --- HoW10: a clock transition ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def how10():
    return clock_transitions(ms.load("how10"), (0.0, 0.2), states=16, frequency=(1, 100))


@pytest.mark.golden
def test_clock_transitions_of_how10(how10):
    """Shiddiq et al. (2016): 9.18 GHz at the fields A mI/(g_J mu_B) of the four nuclear states."""
    mI = np.array([0.5, 1.5, 2.5, 3.5])
    np.testing.assert_allclose(how10.frequency, 9.16, atol=0.01)
    np.testing.assert_allclose(how10.frequency, 9.18, atol=0.03)
    fields = 0.830 * KELVIN_PER_GIGAHERTZ * mI / (1.25 * MU_B)
    np.testing.assert_allclose(how10.field, fields, rtol=5e-3)
    gap = float(doublets(ms.load("how10"), count=1).gap[0])
    np.testing.assert_allclose(how10.gap, gap, rtol=5e-4)
    assert np.all(how10.curvature > 0)
    # driven along the field, with the moment g_J <Jz> = 5
    np.testing.assert_allclose(how10.moment_parallel, 5.0, atol=5e-3)
    assert np.all(how10.moment_perpendicular < 1e-6)


def test_the_moment_of_the_nucleus_does_not_move_the_clock_transition(how10):
    """Both states have the same mI: g_I enters through the admixtures (A J/E)^2 < 2e-4 of others only."""
    system = ms.load("how10")
    electron, nucleus = system.spins
    other = ms.Spin(nucleus.S, 1.19, nucleus.label, nuclear=True)
    moved = clock_transitions(
        system.replace(spins=(electron, other)), (0.0, 0.2), states=16, frequency=(1, 100)
    )
    np.testing.assert_allclose(moved.field, how10.field, rtol=1e-7)
    np.testing.assert_allclose(moved.frequency, how10.frequency, rtol=1e-7)


def test_gap_of_how10_is_a_quadrature(how10):
    """gap^2 = Delta^2 + (v (B - B0))^2 with v = 2 g_J <Jz> mu_B, over fields of twice the gap."""
    system = ms.load("how10")
    jz = float(doublets(system, count=1).jz[0, 0])
    v = 2 * 1.25 * jz * MU_B
    np.testing.assert_allclose(how10.far_slope, v, rtol=1e-3)
    bare = system.replace(spins=system.spins[:1], terms=system.terms[:4])
    B = np.linspace(-0.12, 0.12, 25)
    energy = ms.levels(bare, B=B).energy.values
    gap, Delta = energy[:, 1] - energy[:, 0], float(doublets(system, count=1).gap[0])
    assert v * B[-1] > 1.8 * Delta
    np.testing.assert_allclose(gap**2, Delta**2 + (v * B) ** 2, rtol=5e-4)
    one = how10.isel(transition=0)
    shifted = ms.levels(system, B=float(one.field) + 1e-3 * np.array([-1.0, 0.0, 1.0])).energy.values
    pair = shifted[:, int(one.level_to)] - shifted[:, int(one.level_from)]
    second = (pair[2] - 2 * pair[1] + pair[0]) / 1e-6
    assert float(one.curvature) == pytest.approx(second, rel=1e-3)
    # a field noise of 0.1 mT moves the frequency by 11 kHz here, by 14 MHz far away
    noise = 0.5 * float(one.frequency_curvature) * (1e-4) ** 2
    assert 1e6 * noise == pytest.approx(10.7, abs=0.3)
    assert 1e3 * v * 1e-4 / KELVIN_PER_GIGAHERTZ == pytest.approx(14.0, abs=0.1)


# --- TbPc2 ------------------------------------------------------------------------------------------------


@pytest.mark.golden
def test_terbium_double_decker():
    """Ishikawa (2003, 2005): +-6 alone, +-5 near 440 cm^-1, four electro-nuclear levels of a pair each."""
    system = ms.load("tbpc2")
    ds = doublets(system)
    assert ds.composition.values[0] == "100 % |6>"
    assert ds.composition.values[1] == "100 % |5>"
    assert float(ds.energy[1]) / KELVIN_PER_WAVENUMBER == pytest.approx(440, abs=6)
    np.testing.assert_allclose(ds.g.values[0], [0, 0, 18], atol=1e-4)
    energy = ms.levels(system, 0.0).energy.values[:8] / KELVIN_PER_WAVENUMBER
    mI = np.array([-1.5, -0.5, 0.5, 1.5])
    expected = 0.0173 * 6 * mI + 0.010 * (mI**2 - 5 / 4)
    expected = np.sort(np.repeat(expected, 2))
    np.testing.assert_allclose(energy - energy[0], expected - expected[0], atol=2e-5)
    steps = np.diff(expected)[1::2] / KELVIN_PER_GIGAHERTZ * KELVIN_PER_WAVENUMBER
    np.testing.assert_allclose(steps, [2.51, 3.11, 3.71], atol=0.01)  # GHz, unequal by the quadrupole
    # J = 6 alone could split; with I = 3/2 every level is twofold
    assert system.is_kramers
    assert np.all(np.diff(energy)[::2] < 1e-10)


# --- crystals ---------------------------------------------------------------------------------------------

#: meV: LiErF4 (supplement of Science 336, 1416 (2012), seen in a code) and CsErSe2 (Scheie et al. 2020).
CRYSTALS = {
    "LiErF4": (
        {(2, 0): 60.2258e-3, (4, 0): -0.1164e-3, (4, 4): -4.3280e-3, (6, 0): -1.9e-6, (6, 4): -85.0e-6,
         (6, -4): -22.7e-6},
        [0, 2.21, 3.53, 7.00], 3.88, 7.87,
    ),
    "CsErSe2": (
        {(2, 0): -3.55883e-2, (4, 0): -3.84910e-4, (4, 3): -1.39342e-2, (6, 0): 3.15376e-6,
         (6, 3): -4.69500e-6, (6, 6): 3.38115e-5},
        [0, 0.674, 3.290, 5.016, 5.284, 23.03, 24.88, 25.16], 6.99, 6.54,
    ),
}  # fmt: skip


@pytest.mark.golden
@pytest.mark.parametrize("name", CRYSTALS)
def test_doublets_of_erbium_in_crystals(name):
    """Levels and g values of a second program from the same parameters."""
    field, levels, along, across = CRYSTALS[name]
    system = lanthanide("Er3+", {key: f"{value} meV" for key, value in field.items()})
    ds = doublets(system)
    found = ds.energy.values / KELVIN_PER_MILLIELECTRONVOLT
    np.testing.assert_allclose(found[: len(levels)], levels, atol=6e-3)
    np.testing.assert_allclose(ds.g.values[0], np.sort([along, across, across]), atol=6e-3)
    # the axis of the distinct value is z
    k = int(np.argmin(np.abs(ds.g.values[0] - along)))
    assert abs(ds.g_axis.values[0, k, 2]) == pytest.approx(1.0)


def test_trigonal_signs_do_not_matter_together():
    """Flipping B43 and B63 turns the crystal by 60 degrees: the same doublets."""
    field = CRYSTALS["CsErSe2"][0]
    flipped = {(k, q): -B if q == 3 else B for (k, q), B in field.items()}
    first, second = (doublets(lanthanide("Er3+", values)) for values in (field, flipped))
    np.testing.assert_allclose(first.energy, second.energy, atol=1e-12)
    np.testing.assert_allclose(first.g, second.g, atol=1e-10)


@pytest.mark.golden
def test_holmium_in_lihof4():
    """Ground <Jz> = +-5.511, g_z = 13.78, no transverse g, first singlet at 10.85 K."""
    ds = doublets(ms.load("ho-liyf4:lihof4"))
    np.testing.assert_allclose(ds.jz.values[0], [5.511, -5.511], atol=1e-3)
    np.testing.assert_allclose(ds.g.values[0], [0, 0, 13.78], atol=5e-3)
    assert float(ds.singlet_energy[0]) == pytest.approx(10.85, abs=0.01)
    assert json.loads(ds.attrs["inputs"])["nuclei"] == "left out"


def test_a_rotated_field_has_rotated_doublets():
    frame = (0.0, "54.7356 deg", "45 deg")
    straight = doublets(lanthanide("Dy3+", {(2, 0): -2.0, (4, 3): 0.01}))
    turned = doublets(lanthanide("Dy3+", {(2, 0): -2.0, (4, 3): 0.01}, frame=frame))
    np.testing.assert_allclose(turned.g, straight.g, atol=1e-9)
    assert float(turned.tilt[0]) == pytest.approx(54.7356, abs=1e-3)
    assert isinstance(lanthanide("Dy3+", {(2, 0): -2.0}).terms[0], Stevens)
