"""Measured data and named parameters: units, choices that must be made, refusals."""

import numpy as np
import pytest

from mesospin.constants import KELVIN_PER_WAVENUMBER
from mesospin.errors import ConvergenceError, InputError
from mesospin.measured.data import HeatCapacityData, MagnetisationData, SusceptibilityData
from mesospin.measured.hamiltonian.fit import fit_hamiltonian, fitted_system
from mesospin.measured.hamiltonian.parameters import family, parameters_of, with_values
from mesospin.measured.spectral_data import LevelData, ResonanceData
from mesospin.model.interactions import DzyaloshinskiiMoriya, Exchange, Hyperfine
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import Quadrupole, SpinPower, Stevens, ZeroFieldSplitting
from mesospin.spectrum.matrices import affine_hamiltonian
from mesospin.store import open_result, save
from mesospin.thermo.molecular_field import MeanField
from mesospin.thermo.susceptibility import susceptibility

LEVELS = LevelData([0.6, 3.3], sigma=0.01)
NICKEL = giant_spin(1, D=-2.0, E=0.2)


def everything():
    """A system with a term of every kind."""
    spins = [Spin(2, [1.9, 2.0, 2.1]), Spin(1.5, 2.2), Spin(1.5, 1.3, "I", nuclear=True)]
    terms = [
        ZeroFieldSplitting(-3.0, 0.3, frame=(0.1, 0.2, 0.3)),
        Stevens(4, -3, 1e-3),
        SpinPower(0.01, z=2, site=1),
        SpinPower(0.02, z=1, ladder=2, site=1),
        Exchange(0, 1, 0.5, convention="-2J"),
        DzyaloshinskiiMoriya(0, 1, (0.1, 0.2, 0.3)),
        Hyperfine(0, 2, [0.1, 0.1, 0.2], frame=(0.0, 0.4, 0.0)),
        Quadrupole(2, 0.05, 0.2),
    ]
    return SpinSystem("all", spins, terms)


def test_every_parameter_enters_linearly():
    system = everything()
    names = [name for name in parameters_of(system) if name not in ("J", "g_1", "gn")]
    members = family(system, names)
    rng = np.random.default_rng(0)
    values = rng.standard_normal(len(names))
    H0, G = members.at(values)
    direct = affine_hamiltonian(with_values(system, dict(zip(names, values, strict=True))))
    assert pytest.approx(direct.H0, abs=1e-13) == H0
    assert pytest.approx(direct.G, abs=1e-13) == G
    start = np.array([entry.value(system) for entry in members.parameters])
    assert members.at(start)[0] == pytest.approx(affine_hamiltonian(system).H0, abs=1e-13)


@pytest.mark.parametrize(
    ("name", "value"), [("J", -1.0), ("g_1", 2.2), ("gn", 1.3), ("D_1", 0.01), ("B4m3", 1e-3)]
)
def test_names_of_numbers(name, value):
    assert parameters_of(everything())[name].value(everything()) == value


def test_names_with_sites_are_always_understood():
    assert with_values(NICKEL, {"D_0": -5.0}).terms[0].coefficient == -5.0
    fit = fit_hamiltonian(LEVELS, NICKEL, ["D_0", "E"], bounds={"D_0": ("-20 K", None)}, starts=1)
    assert list(fit.parameter.values) == ["D", "E"]


def test_names_that_cannot_be():
    with pytest.raises(InputError, match=r"vary must name numbers .*got 'b40'"):
        fit_hamiltonian(LEVELS, NICKEL, ["b40"])
    with pytest.raises(InputError, match="one number twice"):
        fit_hamiltonian(LEVELS, NICKEL, ["g", "gx"])
    with pytest.raises(InputError, match="every parameter once"):
        fit_hamiltonian(LEVELS, NICKEL, ["D", "D"])
    with pytest.raises(InputError, match="sequence of names"):
        fit_hamiltonian(LEVELS, NICKEL, "D")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bounds": {"g": (0, 1)}}, "bounds must be for parameters that are varied"),
        (
            {"bounds": {"D": (1.0, -1.0)}},
            r"a lower and a higher one \[K\], got \(1, -1\)",
        ),
        ({"bounds": {"D": 3.0}}, "bounds of 'D' must be"),
        ({"bounds": {"D": ("-1 T", None)}}, "unit"),
        ({"tie": {"g": "D*x"}}, "got 'x'"),
        ({"tie": {"g": "D*"}}, "must be an expression"),
        ({"starts": 0}, "starts must be at least 1"),
        ({"mean_field": 3.0}, "mean_field must be a MeanField"),
        ({"mean_field": MeanField(0.1, crystallites=True)}, "must act by the average moment"),
    ],
)
def test_bad_arguments_of_a_fit(options, message):
    with pytest.raises(InputError, match=message):
        fit_hamiltonian(LEVELS, NICKEL, ["D", "E"], **options)


def test_neighbours_need_a_mean_field():
    with pytest.raises(InputError, match="zJ must have a mean field"):
        fit_hamiltonian(LEVELS, NICKEL, ["D", "zJ"])
    capacity = HeatCapacityData([1.0, 2.0], [1.0, 2.0], B=1.0, axis=(0, 0, 1))
    with pytest.raises(InputError, match="beside a mean field"):
        fit_hamiltonian(capacity, NICKEL, ["D"], mean_field=MeanField(0.1))


def test_several_sets_need_their_sigma():
    with pytest.raises(InputError, match="sigma must be given for every one"):
        fit_hamiltonian([LEVELS, LevelData([1.0])], NICKEL, ["D"])
    with pytest.raises(InputError, match="got none"):
        fit_hamiltonian([], NICKEL, ["D"])
    with pytest.raises(InputError, match="data must be a Data"):
        fit_hamiltonian([3.0], NICKEL, ["D"])


def test_levels_that_do_not_exist():
    with pytest.raises(InputError, match="must be below 3"):
        fit_hamiltonian(LevelData([1.0], levels=[3], sigma=0.1), NICKEL, ["D"])


def test_a_fit_is_stored_and_applied(tmp_path):
    fit = fit_hamiltonian([LEVELS, LEVELS], NICKEL, ["D", "E"], tie={"g": "2 - D/100"}, starts=1)
    assert open_result(save(fit, tmp_path / "fit.nc")).identical(fit)
    assert list(fit.set.values) == ["levels 1", "levels 2"]
    system = fitted_system(fit, NICKEL)
    assert system.spins[0].g[0][0] == pytest.approx(2.03, abs=1e-6)
    assert fit.error.values[2] == pytest.approx(fit.error.values[0] / 100, rel=1e-6)
    with pytest.raises(InputError, match="result of fit_hamiltonian"):
        fitted_system(fit.assign_attrs(kind="levels"), NICKEL)


def test_units_of_data():
    si = SusceptibilityData([300.0], chi=[4e-6 * np.pi * 0.01], unit="SI", sigma=4e-9 * np.pi, powder=26)
    assert si.values == pytest.approx([0.01])
    assert si.sigma == pytest.approx([1e-3])
    assert MagnetisationData(2.0, 1.0, [5.584939], unit="A m2/mol", powder=26).values == pytest.approx([1.0])
    assert LevelData([1.0], unit="cm^-1").values == pytest.approx([KELVIN_PER_WAVENUMBER])
    assert LevelData(["1 K", 2.0]).values == pytest.approx([1.0, 2.0])
    with pytest.raises(InputError, match="unit must be given"):
        SusceptibilityData([300.0], chi=[0.01], powder=26)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SusceptibilityData([1.0], unit="cgs", powder=5), "exactly one of chi_t and chi"),
        (lambda: SusceptibilityData([1.0], [1.0], unit="cgs"), "exactly one of axis"),
        (lambda: SusceptibilityData([1.0], [1.0], unit="cg", powder=5), "unit must be one of"),
        (lambda: SusceptibilityData([0.0], [1.0], unit="cgs", powder=5), "T must be above 0"),
        (lambda: SusceptibilityData([1.0, 2.0], [1.0] * 3, unit="cgs", powder=5), "one length"),
        (lambda: SusceptibilityData([1.0], [1.0], unit="cgs", powder=5, sigma=0.0), "above 0"),
        (lambda: SusceptibilityData([1.0], [1.0], unit="cgs", powder=5, label=""), "label must be"),
        (lambda: HeatCapacityData([1.0], [1.0], B=1.0), "exactly one of axis"),
        (lambda: ResonanceData([-1.0], [1.0]), "frequency must be above 0"),
        (lambda: ResonanceData([1.0], [1.0], levels=(1, 0)), r"levels must be \(lower, upper\)"),
        (lambda: ResonanceData([1.0] * 3, [1.0] * 3, axis=np.eye(3)[:2]), "one for each of 3 lines"),
        (lambda: LevelData([1.0], levels=[0]), "levels must be at least 1"),
        (lambda: LevelData([1.0], levels=[1, 2]), "one for each of 1 energies"),
        (lambda: LevelData([1.0], unit="T"), "unit must be one of"),
    ],
)
def test_data_that_cannot_be(build, message):
    with pytest.raises(InputError, match=message):
        build()


@pytest.mark.parametrize(
    ("tie", "message"),
    [
        ({"D": "1"}, "leave at least one parameter free"),
        ({"g": "D/0"}, "must give a number"),
        ({"g": "D.real"}, "arithmetic"),
        ({"g": "[D][0]"}, "arithmetic"),
        ({"g": "__import__('os')"}, "got '__import__'"),
    ],
)
def test_bad_ties(tie, message):
    with pytest.raises(InputError, match=message):
        fit_hamiltonian(LEVELS, NICKEL, ["D"], tie=tie)


def test_a_rank_above_2s_cannot_be_fitted():
    half = SpinSystem("Cu", [Spin(0.5)], [ZeroFieldSplitting(0.0)])
    with pytest.raises(InputError, match=r"D and E must be 0 \[K\] for a spin 1/2"):
        fit_hamiltonian(LevelData([1.0], B=1.0, sigma=0.1), half, ["D"])


def test_a_file_is_no_data():
    with pytest.raises(InputError, match="read the file with read_data"):
        fit_hamiltonian("chi.csv", NICKEL, ["D"])


def test_a_point_without_slope_is_no_answer():
    """E = 0 is where x and y are alike: chi2 has no slope there, whatever the levels say of E."""
    axial = SpinSystem("Ni", [Spin(1)], [ZeroFieldSplitting(-5.0, 0.0)])
    with pytest.raises(ConvergenceError, match="no slope in E but is no minimum"):
        fit_hamiltonian(LEVELS, axial, ["D", "E"], starts=1)
    fit = fit_hamiltonian(LEVELS, axial, ["D", "E"], starts=4)
    assert np.abs(fit.value.values) == pytest.approx([3.0, 0.3], rel=1e-5)


def test_what_acts_as_its_square_is_bounded():
    """chi T of a powder holds E near 0 in second order only; its step is where chi2 has risen by one."""
    axial = SpinSystem("Ni", [Spin(1)], [ZeroFieldSplitting(-5.0, 0.0)])
    T = np.geomspace(1.0, 100.0, 20)

    def curve(E):
        return susceptibility(with_values(axial, {"E": E}), T, powder=5).chi_t.values

    data = SusceptibilityData(T, curve(0.0), unit="cgs", sigma=1e-3, powder=5)
    fit = fit_hamiltonian(data, axial, ["E"], starts=1)
    assert np.isinf(fit.error[0])
    (line,) = [text for text in fit.attrs["verdict"].split("\n") if "as its square" in text]
    reach = float(line.split()[-1].rstrip("."))
    assert np.sum(((curve(reach) - curve(0.0)) / 1e-3) ** 2) == pytest.approx(1.0, rel=0.2)
