"""The library: every entry loads, has sources, and says what its source says."""

import tomllib
from importlib import resources

import numpy as np
import pytest

from mesospin.constants import KELVIN_PER_GIGAHERTZ, KELVIN_PER_WAVENUMBER
from mesospin.errors import InputError, InvalidModelError
from mesospin.model.interactions import Exchange, Hyperfine
from mesospin.model.library import library, load
from mesospin.model.terms import SpinPower, Stevens, ZeroFieldSplitting
from mesospin.operators.product import embed
from mesospin.operators.spin import spin_operators

NAMES = [
    name
    for entry in library()
    for name in (entry.name, *(f"{entry.name}:{variant}" for variant in entry.variants))
]
REQUIRED = {
    "mn12ac", "mn12ac-palii", "fe8", "mn4", "mn4-dimer", "fe4", "s30", "ni-s1",
    "erw10-printed", "erw10-repaired", "erw10-167", "ho-liyf4", "how10",
}  # fmt: skip


@pytest.fixture
def levels(hamiltonian):
    def compute(system):
        energies, vectors = np.linalg.eigh(hamiltonian(system.spins, *system.terms))
        return energies - energies[0], vectors

    return compute


def test_the_molecules_of_the_contract_are_there():
    assert {entry.name for entry in library()} >= REQUIRED
    assert [entry.name for entry in library()] == sorted(entry.name for entry in library())


@pytest.mark.parametrize("name", NAMES)
def test_every_set_loads_with_title_sources_and_hermitian_terms(name, hamiltonian):
    system = load(name)
    assert system.title
    assert system.sources
    matrix = hamiltonian(system.spins, *system.terms)
    assert np.allclose(matrix, matrix.conj().T, rtol=0, atol=1e-15 * np.abs(matrix).max())
    assert load(name) == system
    text = system.describe()
    assert all(source in text for source in system.sources)


@pytest.mark.parametrize("name", NAMES)
def test_every_default_has_a_source(name):
    defaults = load(name).defaults
    for bath in (defaults.phonons, defaults.dipolar, defaults.disorder, defaults.lattice):
        assert bath is None or bath.source


def test_every_energy_in_the_data_has_a_unit():
    folder = resources.files("mesospin.model").joinpath("data")
    numbers = {"S", "g", "k", "q", "i", "j", "z", "ladder", "site", "nodes", "atoms", "eta"}

    def walk(table, path):
        for key, value in table.items():
            if isinstance(value, dict):
                walk(value, f"{path}.{key}")
            elif isinstance(value, list) and value and isinstance(value[0], dict):
                for item in value:
                    walk(item, f"{path}.{key}")
            elif isinstance(value, int | float) and not isinstance(value, bool):
                assert key in numbers, f"{path}.{key}"

    for file in folder.iterdir():
        if file.name.endswith(".toml"):
            walk(tomllib.loads(file.read_text()), file.name)


def test_entries_state_their_size():
    entry = {entry.name: entry for entry in library()}["erw10-167"]
    assert (entry.spins, entry.dimension) == ("J = 15/2, I = 7/2", 128)


def test_mn12_default_is_set_A(hamiltonian):
    system = load("mn12ac")
    m = np.arange(10.0, -11.0, -1.0)
    diagonal = np.diag(hamiltonian(system.spins, *system.terms)).real
    assert np.allclose(diagonal, -0.548 * m**2 - 1.17e-3 * m**4, rtol=1e-14)
    assert system.spins[0].g[2][2] == 1.94
    ensemble = system.defaults.disorder
    assert ensemble is not None
    assert len(ensemble.members) == 12
    assert sum(member.weight for member in ensemble.members) == pytest.approx(1.0)
    assert system.defaults.phonons.sound_speed == 2000
    assert system.defaults.dipolar.width == 0.025


def test_neutron_set_in_the_language_of_set_A(hamiltonian):
    """D_here = -(D + (25 - 30 S(S+1)) B40) h c/k_B, B_here = -35 B40 h c/k_B, C_here = -B44/2 h c/k_B."""
    system = load("mn12ac:ins")
    matrix = hamiltonian(system.spins, *system.terms).real
    fourth, _, second, _, _ = np.polyfit(np.arange(10.0, -11.0, -1.0), np.diag(matrix), 4)
    assert second == pytest.approx((-0.457 + (25 - 3300) * -2.33e-5) * KELVIN_PER_WAVENUMBER, rel=1e-9)
    assert second == pytest.approx(-0.548, abs=2e-3)
    assert fourth == pytest.approx(35 * -2.33e-5 * KELVIN_PER_WAVENUMBER, rel=1e-9)
    ladder = np.sqrt(20 * 38 * 54 * 68)
    assert matrix[4, 0] / ladder == pytest.approx(-1.5e-5 * KELVIN_PER_WAVENUMBER, rel=1e-9)


@pytest.mark.parametrize("variant", ["", ":B", ":ins", ":epr", ":bircher", ":bircher-2"])
def test_all_sets_of_mn12_agree_on_the_first_gap_and_the_barrier(variant, levels):
    energies, _ = levels(load("mn12ac" + variant))
    assert energies[2] == pytest.approx(14.43, abs=0.03)
    assert energies[-1] == pytest.approx(66.8, abs=0.4)


def test_bircher_sets_keep_their_own_E():
    ensemble = load("mn12ac:bircher").defaults.disorder
    assert not any(member.terms for member in ensemble.members)


def test_fe8_is_easy_z_and_hard_x(hamiltonian):
    system = load("fe8:biaxial")
    matrix = hamiltonian(system.spins, *system.terms)
    Sx, Sy, Sz = spin_operators(10)
    expected = -0.292 * Sz @ Sz + 0.046 * (Sx @ Sx - Sy @ Sy)
    assert np.allclose(matrix, expected, atol=1e-13)


# Written out a second time from the sources, in the package's units and sign.
PUBLISHED = {
    "mn12ac": (1.94, SpinPower(-0.548, z=2), SpinPower(-1.17e-3, z=4), SpinPower(-2.2e-5, ladder=4)),
    "mn12ac:B": (2.0, SpinPower(-0.56, z=2), SpinPower(-1.1e-3, z=4), SpinPower(-3e-5, ladder=4)),
    "mn12ac-palii": (2.05, ZeroFieldSplitting("-0.5 cm^-1")),
    "fe8": (2.0, SpinPower(-0.292, z=2), ZeroFieldSplitting(0, 0.046), SpinPower(-2.9e-5, ladder=4)),
    "fe4": (2.0, ZeroFieldSplitting(-0.6, 0.02)),
    "mn4": (2.0, ZeroFieldSplitting(-0.61)),
    "s30": (2.0, SpinPower(-0.5, z=2), ZeroFieldSplitting(0, 0.05)),
    "erw10-printed": (
        1.2,
        *(Stevens(2, 0, -1.35), Stevens(4, 0, -1.07e-2), Stevens(6, 0, 1.07e-4), Stevens(4, 4, 1.8e-2)),
    ),
    "erw10-167": (
        1.2,
        *(Stevens(2, 0, -1.35), Stevens(4, 0, -1.07e-2), Stevens(6, 0, 1.07e-4), Stevens(4, 4, 1.8e-2)),
        Hyperfine(0, 1, -6e-3),
    ),
    "ho-liyf4": (
        1.25,
        *(Stevens(2, 0, -0.606), Stevens(4, 0, 3.25e-3), Stevens(4, 4, 4.28e-2)),
        *(Stevens(6, 0, 8.41e-6), Stevens(6, 4, 8.17e-4)),
        Hyperfine(0, 1, 38.6e-3),
    ),
    "mn4-dimer": (
        2.0,
        ZeroFieldSplitting(-0.72),
        ZeroFieldSplitting(-0.72, site=1),
        Exchange(0, 1, 0.1, "+J"),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_numbers_are_those_of_the_source(name):
    g, *terms = PUBLISHED[name]
    system = load(name)
    assert system.spins[0].g[2][2] == g
    assert set(system.terms) == set(terms)


@pytest.mark.parametrize(
    ("name", "moment", "first"),
    [("erw10-printed", 7.5, 19.9), ("erw10-repaired", 6.5, 63.0), ("erw10-repaired:b40", 6.5, 60.8)],
)
def test_erw10_ground_doublets_follow_from_the_numbers(name, moment, first, levels):
    energies, vectors = levels(load(name))
    ground = np.abs(vectors[:, :2]) ** 2
    jz = np.arange(7.5, -8.0, -1.0)
    assert np.abs(jz) @ ground[:, 0] == pytest.approx(moment, abs=0.02)
    assert energies[1] == pytest.approx(0.0, abs=1e-10)
    assert energies[2] == pytest.approx(first, abs=0.2)


def test_repaired_b40_gives_the_tunnel_splitting_of_the_text(levels):
    """Delta = g_perp mu_B B_perp is 8e-5 K in the field of the neighbours, 70 to 80 Oe."""
    system = load("erw10-repaired:b40")
    _, vectors = levels(system)
    jx = spin_operators(7.5)[0]
    doublet = vectors[:, :2]
    splitting = np.ptp(np.linalg.eigvalsh(doublet.conj().T @ jx @ doublet)) * 1.2 * 0.6717
    assert splitting * 7.7e-3 == pytest.approx(7.95e-5, rel=0.1)


def test_how10_clock_transition(levels):
    """Published 9.18 GHz for the gap of the electronic doublet +-4."""
    system = load("how10")
    ion = system.replace(spins=system.spins[:1], terms=system.terms[:-1])
    energies, _ = levels(ion)
    assert energies[1] / KELVIN_PER_GIGAHERTZ == pytest.approx(9.18, abs=0.05)


def test_ho_in_lihof4_levels(levels):
    """First excited singlet 10.85 K, ground moment 5.511, as computed by others from the same numbers."""
    system = load("ho-liyf4:lihof4")
    ion = system.replace(spins=system.spins[:1], terms=system.terms[:-1])
    energies, vectors = levels(ion)
    assert np.allclose(energies[:5], [0, 0, 10.85, 32.14, 71.91], atol=0.01)
    jz = spin_operators(8)[2]
    doublet = vectors[:, :2]
    assert np.linalg.eigvalsh(doublet.conj().T @ jz @ doublet)[-1] == pytest.approx(5.511, abs=1e-3)


def test_nickel_has_both_signs_of_D():
    assert load("ni-s1").terms[0].D < 0 < load("ni-s1:easy-plane").terms[0].D


def test_dimer_has_antiferromagnetic_exchange(levels):
    system = load("mn4-dimer")
    assert system.terms[-1].J[0][0] == 0.10
    _, vectors = levels(system)
    product = embed(spin_operators(4.5)[2], 0, (10, 10)) @ embed(spin_operators(4.5)[2], 1, (10, 10))
    assert (vectors[:, 0].conj() @ product @ vectors[:, 0]).real < -19


@pytest.mark.parametrize(
    ("name", "hint"), [("mn12", "mn12ac"), ("Fe8", "fe8"), ("erw10", "erw10-"), ("ho-liy", "ho-liyf4")]
)
def test_unknown_names_suggest_the_nearest(name, hint):
    with pytest.raises(InputError, match=f"got '{name}'; did you mean {hint}"):
        load(name)


def test_unknown_variants_suggest_the_nearest():
    with pytest.raises(InvalidModelError, match="got 'in'; did you mean ins"):
        load("mn12ac:in")
    with pytest.raises(InvalidModelError, match="s30 must have the variant"):
        load("s30:x")
    with pytest.raises(InputError, match="must be a library name or a TOML path, got 3"):
        load(3)  # type: ignore[arg-type]


def test_a_users_file_has_the_same_schema(tmp_path):
    data = resources.files("mesospin.model").joinpath("data").joinpath("mn12ac.toml").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(data)
    assert load(path).terms == load("mn12ac").terms
    assert load(str(path)).name == "mine"
    assert load(f"{path}:ins").terms == load("mn12ac:ins").terms
    assert load(path).defaults == load("mn12ac").defaults


def test_unreadable_files_are_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"nothere\.toml must be a readable file"):
        load(tmp_path / "nothere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("spins = [")
    with pytest.raises(InvalidModelError, match="must be valid TOML"):
        load(broken)
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="readable text file"):
        load(broken)


@pytest.mark.parametrize("name", ["erw10-printed", "erw10-167"])
def test_printed_numbers_say_that_they_contradict_their_source(name):
    """What is drawn and tabulated carries the title; what is listed carries the sources."""
    system = load(name)
    assert "(text: ±13/2)" in system.title.partition(",")[0]
    assert any("±13/2" in line or "63 K" in line for line in system.sources)
