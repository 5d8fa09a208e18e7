"""The table of nuclei against CODATA, gyromagnetic ratios of NMR, hyperfine ratios and a second list."""

import csv
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import constants

from mesospin.constants import KELVIN_PER_GIGAHERTZ
from mesospin.errors import InputError, InvalidModelError
from mesospin.model.lanthanides import hyperfine_constant, lanthanide
from mesospin.model.nuclei import isotopes, nucleus

REFERENCE = Path(__file__).with_name("nuclei_reference.csv").read_text().splitlines()
ROWS = list(csv.DictReader(line for line in REFERENCE if not line.startswith("#")))
GYROMAGNETIC = {row["isotope"]: float(row["gyromagnetic"]) for row in ROWS if row["gyromagnetic"]}
QUADRUPOLE = {row["isotope"]: float(row["quadrupole"]) for row in ROWS if row["quadrupole"]}
PROTONS = {row["isotope"]: int(row["protons"]) for row in ROWS}
ELEMENTS = sorted({nucleus(name).element for name in PROTONS} | {"Ce"})
ALL = [entry for element in ELEMENTS for entry in isotopes(element)]


def test_every_isotope_is_compared_with_something():
    names = {entry.name for entry in ALL}
    assert names - set(GYROMAGNETIC) == {"65Cu", "147Pm"}
    assert {entry.name for entry in ALL if entry.spin >= 1} == set(QUADRUPOLE)


@pytest.mark.parametrize("name", GYROMAGNETIC)
def test_moments_against_gyromagnetic_ratios(name):
    """NMR sees the shielded moment: less than 1 % smaller, up to the lanthanides' own uncertainty."""
    found = nucleus(name)
    magneton = constants.value("nuclear magneton") / constants.hbar
    g = 1e7 * GYROMAGNETIC[name] / magneton
    assert found.g == pytest.approx(g, rel=9e-3)
    assert found.moment == pytest.approx(found.g * float(found.spin))


def test_proton_and_deuteron_are_those_of_codata():
    for name, key in (("1H", "proton"), ("2H", "deuteron")):
        moment = constants.value(f"{key} mag. mom. to nuclear magneton ratio")
        found = nucleus(name)
        assert abs(found.moment - moment) < 2 * found.moment_error


@pytest.mark.parametrize(
    ("pair", "ratio"),
    [
        # frequency ratio 28.403693/26.515473 of the IUPAC table
        (("65Cu", "63Cu"), 1.07121),
        # ratios of measured hyperfine constants: atomic beams and EPR, anomalies below 1 %
        (("143Nd", "145Nd"), 1.6083),
        (("147Sm", "149Sm"), 1.2130),
        (("151Eu", "153Eu"), 2.2645),
        (("157Gd", "155Gd"), 1.312),
        (("163Dy", "161Dy"), -1.4002),
        (("171Yb", "173Yb"), -3.6305),
    ],
)
def test_ratios_within_an_element(pair, ratio):
    first, second = (nucleus(name) for name in pair)
    error = abs(ratio) * np.hypot(first.moment_error / first.moment, second.moment_error / second.moment)
    assert first.g / second.g == pytest.approx(ratio, abs=2 * error + 1e-3 * abs(ratio))
    assert first.hyperfine_from(1.0, second) == pytest.approx(first.g / second.g)


@pytest.mark.parametrize("name", QUADRUPOLE)
def test_quadrupole_moments_against_a_second_list(name):
    found = nucleus(name)
    assert found.quadrupole == pytest.approx(QUADRUPOLE[name], rel=0.35 if name == "141Pr" else 0.25)
    assert 0 < found.quadrupole_error < 0.35 * abs(found.quadrupole)


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_spins_follow_from_the_numbers_of_protons_and_neutrons(entry):
    mass = int(re.match(r"\d+", entry.name).group())
    Z = PROTONS[entry.name]
    assert (2 * entry.spin) % 2 == mass % 2
    if mass % 2 == 0:
        assert Z % 2 == 1
    assert (entry.quadrupole is None) == (entry.spin == Fraction(1, 2))
    assert abs(entry.moment) < 7
    assert 0 < entry.moment_error < 0.03 * abs(entry.moment)
    assert entry.source
    assert float(entry.spin) == entry.site().S


@pytest.mark.parametrize("element", ELEMENTS)
def test_abundances_are_shares(element):
    shares = [entry.abundance for entry in isotopes(element)]
    assert sum(shares) <= 1 + 1e-9
    single = {"F", "Na", "Al", "P", "Sc", "Mn", "Co", "As", "Y", "I", "Pr", "Tb", "Ho", "Tm"}
    if element in single:
        assert shares == [1.0]
    if element in {"H", "Li", "B", "N", "Cl", "V", "Cu", "Br", "La", "Eu", "Lu", "Re", "K"}:
        assert sum(shares) == pytest.approx(1.0, abs=2e-6)


def test_erbium_167_of_the_text():
    """The seed has I = 7/2 and 23 % of natural erbium."""
    er = nucleus("167Er")
    assert (er.spin, round(er.abundance, 3)) == (Fraction(7, 2), 0.229)


# --- what follows from the numbers ------------------------------------------------------------------------


#: Hyperfine constants A_J of the free ions [MHz], from the literature on EPR and NMR of lanthanides.
FREE_IONS = {
    ("Tb3+", "159Tb"): 530.0,
    ("Dy3+", "163Dy"): 152.0,
    ("Ho3+", "165Ho"): 812.0,
    ("Er3+", "167Er"): -125.3,
    ("Tm3+", "169Tm"): -393.5,
    ("Yb3+", "171Yb"): 887.0,
}


@pytest.mark.golden
def test_hyperfine_constants_of_the_series_are_one_smooth_density():
    """<r^-3> from each measured constant grows evenly with Z: no moment and no <J||N||J> is off."""
    densities = []
    for (name, isotope), constant in FREE_IONS.items():
        unit = hyperfine_constant(name, isotope, inverse_cube=1.0) / KELVIN_PER_GIGAHERTZ * 1e3
        densities.append(constant / unit)
    assert densities[2] == pytest.approx(9.34, abs=0.05)
    steps = np.diff(densities)
    assert np.all(steps > 0.7)
    assert np.all(steps < 1.25)
    Z = np.arange(65, 71)
    line = np.polyval(np.polyfit(Z, densities, 1), Z)
    np.testing.assert_allclose(densities, line, rtol=0.02)


def test_other_isotopes_of_the_series():
    """Measured -109 MHz of 161Dy and -243 MHz of 173Yb from the constants of their neighbours."""
    dy = nucleus("161Dy").hyperfine_from("152 MHz", "163Dy")
    yb = nucleus("173Yb").hyperfine_from("887 MHz", "171Yb")
    assert dy / KELVIN_PER_GIGAHERTZ == pytest.approx(-0.109, abs=0.002)
    assert yb / KELVIN_PER_GIGAHERTZ == pytest.approx(-0.243, abs=0.003)


def test_quadrupole_constant_is_that_of_the_printed_formula():
    """P = 3 e q Q/(4 I(2I-1)), so that levels of I = 3/2 are +-P: e q Q/2 apart."""
    tb, gradient = nucleus("159Tb"), 1e22
    energy = constants.e * gradient * 1.432e-28 / constants.k
    assert tb.quadrupole_constant(gradient) == pytest.approx(energy / 4, rel=1e-9)
    assert nucleus("161Dy").quadrupole_from(1.0, "163Dy") == pytest.approx(2.51 / 2.65)
    cu = nucleus("63Cu").quadrupole_constant(-gradient)
    assert cu > 0
    la = nucleus("138La").quadrupole_from(1.0, "139La")
    assert la == pytest.approx((0.39 / 45) / (0.206 / 21))


def test_names_and_bad_names():
    for name in ("Er167", "167er", "Er-167", " 167-Er "):
        assert nucleus(name) is nucleus("167Er")
    assert nucleus(nucleus("1H")).name == "1H"
    assert isotopes("Ce") == ()
    with pytest.raises(InputError, match="got '166Er'; Er has 167Er, leave the nucleus out"):
        nucleus("166Er")
    with pytest.raises(InputError, match="got '140Ce'; Ce has none"):
        nucleus("140Ce")
    with pytest.raises(InputError, match="isotope must be one with a nuclear spin, got 'Xx12'"):
        nucleus("Xx12")
    with pytest.raises(InputError, match="isotope must be a str, got 167"):
        nucleus(167)  # type: ignore[arg-type]
    with pytest.raises(
        InputError, match="element must be the symbol of one in the table of nuclei, got 'Xe'"
    ):
        isotopes("Xe")


def test_what_a_nucleus_cannot_do():
    with pytest.raises(InvalidModelError, match="other must be an isotope of Er, got 165Ho"):
        nucleus("167Er").hyperfine_from(1.0, "165Ho")
    with pytest.raises(InvalidModelError, match="169Tm must have a quadrupole moment, got I = 1/2"):
        nucleus("169Tm").quadrupole_constant(1e21)
    with pytest.raises(InvalidModelError, match="171Yb must have a quadrupole moment"):
        nucleus("173Yb").quadrupole_from(1.0, "171Yb")
    with pytest.raises(InputError, match="gradient must be finite"):
        nucleus("14N").quadrupole_constant(float("nan"))
    with pytest.raises(InputError, match="inverse_cube must be positive"):
        hyperfine_constant("Ho3+", "165Ho", inverse_cube=0.0)
    with pytest.raises(InvalidModelError, match=r"isotope must be one of Ho for Ho3\+, got 167Er"):
        hyperfine_constant("Ho3+", "167Er", inverse_cube=9.0)


def test_an_ion_with_its_nucleus():
    system = lanthanide("Tb3+", isotope="159Tb", A="518 MHz", P="300 MHz", eta=0.1)
    assert system.name == "159Tb3+"
    assert [term.formula(system.spins)[0] for term in system.terms] == ["+", "+"]
    assert (system.dimension, system.spins[1].nuclear) == (52, True)
    assert any("INDC" in source for source in system.sources)
    assert lanthanide("Er3+").terms == ()
    assert lanthanide("Yb3+", isotope="171Yb", A=1.0).dimension == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"isotope": "167Er"}, "A must be the hyperfine constant of 167Er"),
        ({"A": 1.0}, "isotope must be named for a hyperfine or quadrupole constant, got none; choose 167Er"),
        ({"P": "1 mK"}, "isotope must be named"),
        ({"isotope": "165Ho", "A": 1.0}, r"isotope must be one of Er for Er3\+, got 165Ho"),
        ({"field": {(8, 0): 1.0}}, "k must be 2, 4 or 6"),
    ],
)
def test_bad_ions_are_one_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        lanthanide("Er3+", **arguments)


def test_bad_ions_of_other_elements():
    with pytest.raises(InputError, match="Ce has none with a spin"):
        lanthanide("Ce3+", A=1.0)
    with pytest.raises(InvalidModelError, match="J > 0"):
        lanthanide("Eu3+")
    with pytest.raises(InvalidModelError, match="Quadrupole must act on a spin of at least 1"):
        lanthanide("Tm3+", isotope="169Tm", A=1.0, P=1.0)
