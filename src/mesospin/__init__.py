"""Spin physics of magnetic molecules: from a spin Hamiltonian to what a laboratory measures.

The table of contents, in reading order.  Every name below is reached as ``mesospin.name``; its module, and
what that module needs, is loaded when the name is first used.

a molecule        `load`, `library`, `giant_spin`, `SpinSystem`, `Spin`, `write_molecule`
its Hamiltonian   `ZeroFieldSplitting`, `Stevens`, `SpinPower`, `Exchange`, `DzyaloshinskiiMoriya`,
                  `Hyperfine`, `Quadrupole`
an ion            `ion`, `ions` (`Ion`), `lanthanide`, `hyperfine_constant`
    its field     `crystal_field`, `crystal_field_parameters`, `describe_crystal_field`
    its nucleus   `nucleus`, `isotopes` (`Nucleus`)
its surroundings  `PhononBath`, `DipolarBath`, `NuclearBath`, `Disorder`, `Member`, `DebyeLattice`, `Defaults`
its spectrum      `levels`, `doublets`, `crossings`, `clock_transitions`, `landau_zener`
    tunnelling    `tunnel_splitting` (`Splitting`, `Levels`), `splitting_map`, `diabolical_points`,
                  `tunnelling_pair`, `double_well`
    method        `DoublePrecision`, `Certified`, `LargeSpin`, `Perturbative`, `Semiclassical`,
                  by name `splitting_method`
its equilibrium   `magnetisation`, `susceptibility`, `heat_capacity`, `entropy`, `free_energy`, `torque`
    neighbours    `MeanField`, `Demagnetisation`
its dynamics      `relaxation_rates`, `hysteresis`, `sweep`, `stoner_wohlfarth`, `crossover_temperature`
    field         `FieldSweep`, `FieldSteps`, `HalfSinePulse`, `ConstantField`
    method        `Exact`, `RateEquations`, `Lindblad`
    slow          `ac_susceptibility`, `decay`, `zfc_fc`, `blocking_temperature`
    phonons       `raman_rates`, `bottleneck_time`, `collective_emission_rate`
its resonances    `resonance_fields`, `resonance_frequencies`, `epr_spectrum`, `neutron_spectrum`
    line          `GaussianLine`, `LorentzianLine` (each a `LineShape`), `Interference`
ensembles, sizes  `splitting_distribution`, `quantum_objects`, `switching_fields`
    spread        `Gaussian`, `LogGaussian`, `Rayleigh`, `Values` (each a `Distribution`)
    size          `FixedConstants`, `FixedDensity` (each an `Anisotropy`)
    particle      `Particle`, `LogNormalSpread`, `InverseSpread` (each a `Spread`)
fits              `fit_hamiltonian`, `fitted_system`, `parameters_of`, `fit_curie_weiss`
    data          `SusceptibilityData`, `MagnetisationData`, `HeatCapacityData`, `ResonanceData`,
                  `LevelData`
    files         `read_data`, `read_csv`, `write_csv`, `read_phi`, `write_phi`, `read_easyspin`,
                  `write_easyspin`
    ab initio     `read_single_aniso`, `read_orca` (`AbInitio`, `Pseudospin`)
relaxation        `fit_ac`, `fit_ac_jointly`, `fit_decay`, `fit_square_root`
    shape         `Debye`, `GeneralisedDebye`, `ColeDavidson`, `HavriliakNegami`, `DoubleGeneralisedDebye`,
                  `DoubleGeneralisedDebyeEqualChi` (each an `AcModel`); `StretchedExponential`,
                  `DoubleExponential` (each a `DecayModel`); by name `ac_model`, `decay_model`
    its rate      `fit_rates`, `compare_rates`, `rate_data`; `Orbach`, `Raman`, `PhononPairRaman`, `Direct`,
                  `FieldDirect`, `FieldRaman`, `Tunnelling`, `FieldTunnelling`, `ConstantRate`,
                  `BronsVanVleck`, `PhononBottleneck` (each a `Process`, their sum a `RateLaw`); from text
                  `rate_law`
    data          `read_magnetometer`, `static_data`, `ac_data`, `decay_data`, `waveform_susceptibility`
    files         `read_rates`, `read_ccfit2`, `write_ccfit2`
pictures, files   `plot`, `save`, `open_result`, `export`, `summary`, `run`
proof             `validate`

Energies are E/k_B in kelvin, fields in tesla, moments in mu_B; texts with units ("-0.5 cm^-1", "3 mT/s") are
read wherever a parameter of a model is given.  H_Z = +mu_B B.g.S, so at B > 0 the ground level is m = -S.

>>> import mesospin as ms
>>> spin = ms.giant_spin(10, D="-0.548 K", g=1.94)
>>> spin.dimension
21
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesospin import units as units
    from mesospin.bath.collective_emission import collective_emission_rate as collective_emission_rate
    from mesospin.dynamics.methods import Exact as Exact
    from mesospin.dynamics.methods import Lindblad as Lindblad
    from mesospin.dynamics.methods import RateEquations as RateEquations
    from mesospin.dynamics.protocols import ConstantField as ConstantField
    from mesospin.dynamics.protocols import FieldSteps as FieldSteps
    from mesospin.dynamics.protocols import FieldSweep as FieldSweep
    from mesospin.dynamics.protocols import HalfSinePulse as HalfSinePulse
    from mesospin.experiment.ac.ac_susceptibility import ac_susceptibility as ac_susceptibility
    from mesospin.experiment.blocking import blocking_temperature as blocking_temperature
    from mesospin.experiment.bottleneck import bottleneck_time as bottleneck_time
    from mesospin.experiment.crossover import crossover_temperature as crossover_temperature
    from mesospin.experiment.decay import decay as decay
    from mesospin.experiment.epr_spectrum import epr_spectrum as epr_spectrum
    from mesospin.experiment.hysteresis import hysteresis as hysteresis
    from mesospin.experiment.neutron import Interference as Interference
    from mesospin.experiment.neutron import neutron_spectrum as neutron_spectrum
    from mesospin.experiment.particles.particle import InverseSpread as InverseSpread
    from mesospin.experiment.particles.particle import LogNormalSpread as LogNormalSpread
    from mesospin.experiment.particles.particle import Particle as Particle
    from mesospin.experiment.particles.particle import Spread as Spread
    from mesospin.experiment.particles.switching import switching_fields as switching_fields
    from mesospin.experiment.raman import raman_rates as raman_rates
    from mesospin.experiment.relaxation import relaxation_rates as relaxation_rates
    from mesospin.experiment.resonance import resonance_fields as resonance_fields
    from mesospin.experiment.resonance import resonance_frequencies as resonance_frequencies
    from mesospin.experiment.splittings.quantum_objects import quantum_objects as quantum_objects
    from mesospin.experiment.splittings.splitting_distribution import (
        splitting_distribution as splitting_distribution,
    )
    from mesospin.experiment.stoner_wohlfarth import stoner_wohlfarth as stoner_wohlfarth
    from mesospin.experiment.sweep import sweep as sweep
    from mesospin.experiment.zero_field_cooled import zfc_fc as zfc_fc
    from mesospin.figures.plot import plot as plot
    from mesospin.measured.curie_weiss import fit_curie_weiss as fit_curie_weiss
    from mesospin.measured.data import HeatCapacityData as HeatCapacityData
    from mesospin.measured.data import MagnetisationData as MagnetisationData
    from mesospin.measured.data import SusceptibilityData as SusceptibilityData
    from mesospin.measured.hamiltonian.fit import fit_hamiltonian as fit_hamiltonian
    from mesospin.measured.hamiltonian.fitted import fitted_system as fitted_system
    from mesospin.measured.hamiltonian.parameters import parameters_of as parameters_of
    from mesospin.measured.magnetometer.read import read_magnetometer as read_magnetometer
    from mesospin.measured.magnetometer.static import static_data as static_data
    from mesospin.measured.quantum_chemistry.ab_initio import AbInitio as AbInitio
    from mesospin.measured.quantum_chemistry.ab_initio import Pseudospin as Pseudospin
    from mesospin.measured.quantum_chemistry.orca import read_orca as read_orca
    from mesospin.measured.quantum_chemistry.single_aniso import read_single_aniso as read_single_aniso
    from mesospin.measured.relaxation.ac_data import ac_data as ac_data
    from mesospin.measured.relaxation.ac_models import AcModel as AcModel
    from mesospin.measured.relaxation.ac_models import ColeDavidson as ColeDavidson
    from mesospin.measured.relaxation.ac_models import Debye as Debye
    from mesospin.measured.relaxation.ac_models import DoubleGeneralisedDebye as DoubleGeneralisedDebye
    from mesospin.measured.relaxation.ac_models import (
        DoubleGeneralisedDebyeEqualChi as DoubleGeneralisedDebyeEqualChi,
    )
    from mesospin.measured.relaxation.ac_models import GeneralisedDebye as GeneralisedDebye
    from mesospin.measured.relaxation.ac_models import HavriliakNegami as HavriliakNegami
    from mesospin.measured.relaxation.ccfit2 import read_ccfit2 as read_ccfit2
    from mesospin.measured.relaxation.ccfit2 import write_ccfit2 as write_ccfit2
    from mesospin.measured.relaxation.compare_rates import compare_rates as compare_rates
    from mesospin.measured.relaxation.decay_data import decay_data as decay_data
    from mesospin.measured.relaxation.decay_models import DecayModel as DecayModel
    from mesospin.measured.relaxation.decay_models import DoubleExponential as DoubleExponential
    from mesospin.measured.relaxation.decay_models import StretchedExponential as StretchedExponential
    from mesospin.measured.relaxation.fit_ac import fit_ac as fit_ac
    from mesospin.measured.relaxation.fit_decay import fit_decay as fit_decay
    from mesospin.measured.relaxation.fit_rates import fit_rates as fit_rates
    from mesospin.measured.relaxation.joint_ac import fit_ac_jointly as fit_ac_jointly
    from mesospin.measured.relaxation.names import ac_model as ac_model
    from mesospin.measured.relaxation.names import decay_model as decay_model
    from mesospin.measured.relaxation.names import rate_law as rate_law
    from mesospin.measured.relaxation.processes import BronsVanVleck as BronsVanVleck
    from mesospin.measured.relaxation.processes import ConstantRate as ConstantRate
    from mesospin.measured.relaxation.processes import Direct as Direct
    from mesospin.measured.relaxation.processes import FieldDirect as FieldDirect
    from mesospin.measured.relaxation.processes import FieldRaman as FieldRaman
    from mesospin.measured.relaxation.processes import FieldTunnelling as FieldTunnelling
    from mesospin.measured.relaxation.processes import Orbach as Orbach
    from mesospin.measured.relaxation.processes import PhononBottleneck as PhononBottleneck
    from mesospin.measured.relaxation.processes import PhononPairRaman as PhononPairRaman
    from mesospin.measured.relaxation.processes import Process as Process
    from mesospin.measured.relaxation.processes import Raman as Raman
    from mesospin.measured.relaxation.processes import RateLaw as RateLaw
    from mesospin.measured.relaxation.processes import Tunnelling as Tunnelling
    from mesospin.measured.relaxation.rate_data import rate_data as rate_data
    from mesospin.measured.relaxation.rate_file import read_rates as read_rates
    from mesospin.measured.relaxation.square_root import fit_square_root as fit_square_root
    from mesospin.measured.relaxation.waveform import waveform_susceptibility as waveform_susceptibility
    from mesospin.measured.spectral_data import LevelData as LevelData
    from mesospin.measured.spectral_data import ResonanceData as ResonanceData
    from mesospin.measured.text_files.any_file import read_data as read_data
    from mesospin.measured.text_files.csv_files import read_csv as read_csv
    from mesospin.measured.text_files.csv_files import write_csv as write_csv
    from mesospin.measured.text_files.easyspin import read_easyspin as read_easyspin
    from mesospin.measured.text_files.easyspin_write import write_easyspin as write_easyspin
    from mesospin.measured.text_files.phi import read_phi as read_phi
    from mesospin.measured.text_files.phi import write_phi as write_phi
    from mesospin.model.anisotropies import Anisotropy as Anisotropy
    from mesospin.model.anisotropies import FixedConstants as FixedConstants
    from mesospin.model.anisotropies import FixedDensity as FixedDensity
    from mesospin.model.crystal_field import crystal_field as crystal_field
    from mesospin.model.crystal_field import crystal_field_parameters as crystal_field_parameters
    from mesospin.model.crystal_field import describe_crystal_field as describe_crystal_field
    from mesospin.model.distributions import Distribution as Distribution
    from mesospin.model.distributions import Gaussian as Gaussian
    from mesospin.model.distributions import LogGaussian as LogGaussian
    from mesospin.model.distributions import Rayleigh as Rayleigh
    from mesospin.model.distributions import Values as Values
    from mesospin.model.environment import DebyeLattice as DebyeLattice
    from mesospin.model.environment import Defaults as Defaults
    from mesospin.model.environment import DipolarBath as DipolarBath
    from mesospin.model.environment import Disorder as Disorder
    from mesospin.model.environment import Member as Member
    from mesospin.model.environment import NuclearBath as NuclearBath
    from mesospin.model.environment import PhononBath as PhononBath
    from mesospin.model.interactions import DzyaloshinskiiMoriya as DzyaloshinskiiMoriya
    from mesospin.model.interactions import Exchange as Exchange
    from mesospin.model.interactions import Hyperfine as Hyperfine
    from mesospin.model.ions import Ion as Ion
    from mesospin.model.ions import ion as ion
    from mesospin.model.ions import ions as ions
    from mesospin.model.lanthanides import hyperfine_constant as hyperfine_constant
    from mesospin.model.lanthanides import lanthanide as lanthanide
    from mesospin.model.library import library as library
    from mesospin.model.library import load as load
    from mesospin.model.line_shapes import GaussianLine as GaussianLine
    from mesospin.model.line_shapes import LineShape as LineShape
    from mesospin.model.line_shapes import LorentzianLine as LorentzianLine
    from mesospin.model.molecule_text import write_molecule as write_molecule
    from mesospin.model.nuclei import Nucleus as Nucleus
    from mesospin.model.nuclei import isotopes as isotopes
    from mesospin.model.nuclei import nucleus as nucleus
    from mesospin.model.spin import Spin as Spin
    from mesospin.model.system import SpinSystem as SpinSystem
    from mesospin.model.system import giant_spin as giant_spin
    from mesospin.model.terms import Quadrupole as Quadrupole
    from mesospin.model.terms import SpinPower as SpinPower
    from mesospin.model.terms import Stevens as Stevens
    from mesospin.model.terms import ZeroFieldSplitting as ZeroFieldSplitting
    from mesospin.report.content import summary as summary
    from mesospin.report.export import export as export
    from mesospin.report.run import run as run
    from mesospin.report.validation.table import validate as validate
    from mesospin.spectrum.clock_transitions import clock_transitions as clock_transitions
    from mesospin.spectrum.crossings import crossings as crossings
    from mesospin.spectrum.doublets import doublets as doublets
    from mesospin.spectrum.interference.diabolical import diabolical_points as diabolical_points
    from mesospin.spectrum.interference.splitting_map import splitting_map as splitting_map
    from mesospin.spectrum.landau_zener import landau_zener as landau_zener
    from mesospin.spectrum.levels import levels as levels
    from mesospin.spectrum.tunnelling.choice import splitting_method as splitting_method
    from mesospin.spectrum.tunnelling.double_precision import DoublePrecision as DoublePrecision
    from mesospin.spectrum.tunnelling.large_spin.method import LargeSpin as LargeSpin
    from mesospin.spectrum.tunnelling.perturbative import Perturbative as Perturbative
    from mesospin.spectrum.tunnelling.problem import Levels as Levels
    from mesospin.spectrum.tunnelling.proved.certified import Certified as Certified
    from mesospin.spectrum.tunnelling.semiclassical import Semiclassical as Semiclassical
    from mesospin.spectrum.tunnelling.splitting import Splitting as Splitting
    from mesospin.spectrum.tunnelling.splitting import tunnel_splitting as tunnel_splitting
    from mesospin.spectrum.wells.double_well import double_well as double_well
    from mesospin.spectrum.wells.wave_functions import tunnelling_pair as tunnelling_pair
    from mesospin.store import open_result as open_result
    from mesospin.store import save as save
    from mesospin.thermo.heat import entropy as entropy
    from mesospin.thermo.heat import free_energy as free_energy
    from mesospin.thermo.heat import heat_capacity as heat_capacity
    from mesospin.thermo.magnetisation import magnetisation as magnetisation
    from mesospin.thermo.molecular_field import Demagnetisation as Demagnetisation
    from mesospin.thermo.molecular_field import MeanField as MeanField
    from mesospin.thermo.susceptibility import susceptibility as susceptibility
    from mesospin.thermo.torque import torque as torque

__version__ = version("mesospin")

_HOME = {
    "load": "model.library",
    "library": "model.library",
    "write_molecule": "model.molecule_text",
    "giant_spin": "model.system",
    "SpinSystem": "model.system",
    "Spin": "model.spin",
    **dict.fromkeys(("ZeroFieldSplitting", "Stevens", "SpinPower", "Quadrupole"), "model.terms"),
    "Exchange": "model.interactions",
    "DzyaloshinskiiMoriya": "model.interactions",
    "Hyperfine": "model.interactions",
    **dict.fromkeys(
        ("PhononBath", "DipolarBath", "NuclearBath", "Disorder", "Member", "DebyeLattice", "Defaults"),
        "model.environment",
    ),
    **dict.fromkeys(("Distribution", "Gaussian", "LogGaussian", "Rayleigh", "Values"), "model.distributions"),
    "Anisotropy": "model.anisotropies",
    "FixedConstants": "model.anisotropies",
    "FixedDensity": "model.anisotropies",
    "ion": "model.ions",
    "ions": "model.ions",
    "Ion": "model.ions",
    "lanthanide": "model.lanthanides",
    "crystal_field": "model.crystal_field",
    "crystal_field_parameters": "model.crystal_field",
    "describe_crystal_field": "model.crystal_field",
    "hyperfine_constant": "model.lanthanides",
    "nucleus": "model.nuclei",
    "isotopes": "model.nuclei",
    "Nucleus": "model.nuclei",
    "levels": "spectrum.levels",
    "doublets": "spectrum.doublets",
    "clock_transitions": "spectrum.clock_transitions",
    "crossings": "spectrum.crossings",
    "tunnel_splitting": "spectrum.tunnelling.splitting",
    "Splitting": "spectrum.tunnelling.splitting",
    "Levels": "spectrum.tunnelling.problem",
    "DoublePrecision": "spectrum.tunnelling.double_precision",
    "Certified": "spectrum.tunnelling.proved.certified",
    "LargeSpin": "spectrum.tunnelling.large_spin.method",
    "Perturbative": "spectrum.tunnelling.perturbative",
    "Semiclassical": "spectrum.tunnelling.semiclassical",
    "splitting_method": "spectrum.tunnelling.choice",
    "splitting_map": "spectrum.interference.splitting_map",
    "diabolical_points": "spectrum.interference.diabolical",
    "tunnelling_pair": "spectrum.wells.wave_functions",
    "double_well": "spectrum.wells.double_well",
    "landau_zener": "spectrum.landau_zener",
    "magnetisation": "thermo.magnetisation",
    "susceptibility": "thermo.susceptibility",
    "heat_capacity": "thermo.heat",
    "entropy": "thermo.heat",
    "free_energy": "thermo.heat",
    "torque": "thermo.torque",
    "MeanField": "thermo.molecular_field",
    "Demagnetisation": "thermo.molecular_field",
    "Exact": "dynamics.methods",
    "RateEquations": "dynamics.methods",
    "Lindblad": "dynamics.methods",
    "relaxation_rates": "experiment.relaxation",
    "ac_susceptibility": "experiment.ac.ac_susceptibility",
    "decay": "experiment.decay",
    "raman_rates": "experiment.raman",
    "bottleneck_time": "experiment.bottleneck",
    "collective_emission_rate": "bath.collective_emission",
    "zfc_fc": "experiment.zero_field_cooled",
    "blocking_temperature": "experiment.blocking",
    "hysteresis": "experiment.hysteresis",
    "sweep": "experiment.sweep",
    "crossover_temperature": "experiment.crossover",
    "stoner_wohlfarth": "experiment.stoner_wohlfarth",
    "resonance_fields": "experiment.resonance",
    "resonance_frequencies": "experiment.resonance",
    "epr_spectrum": "experiment.epr_spectrum",
    "neutron_spectrum": "experiment.neutron",
    "Interference": "experiment.neutron",
    "LineShape": "model.line_shapes",
    "GaussianLine": "model.line_shapes",
    "LorentzianLine": "model.line_shapes",
    "fit_hamiltonian": "measured.hamiltonian.fit",
    "fitted_system": "measured.hamiltonian.fitted",
    "parameters_of": "measured.hamiltonian.parameters",
    "read_data": "measured.text_files.any_file",
    "fit_curie_weiss": "measured.curie_weiss",
    "SusceptibilityData": "measured.data",
    "MagnetisationData": "measured.data",
    "HeatCapacityData": "measured.data",
    "ResonanceData": "measured.spectral_data",
    "LevelData": "measured.spectral_data",
    "read_csv": "measured.text_files.csv_files",
    "write_csv": "measured.text_files.csv_files",
    "read_phi": "measured.text_files.phi",
    "write_phi": "measured.text_files.phi",
    "read_single_aniso": "measured.quantum_chemistry.single_aniso",
    "read_orca": "measured.quantum_chemistry.orca",
    "AbInitio": "measured.quantum_chemistry.ab_initio",
    "Pseudospin": "measured.quantum_chemistry.ab_initio",
    "read_easyspin": "measured.text_files.easyspin",
    "write_easyspin": "measured.text_files.easyspin_write",
    "fit_ac": "measured.relaxation.fit_ac",
    "fit_ac_jointly": "measured.relaxation.joint_ac",
    "fit_decay": "measured.relaxation.fit_decay",
    "fit_square_root": "measured.relaxation.square_root",
    "fit_rates": "measured.relaxation.fit_rates",
    "compare_rates": "measured.relaxation.compare_rates",
    "rate_data": "measured.relaxation.rate_data",
    "read_rates": "measured.relaxation.rate_file",
    "ac_model": "measured.relaxation.names",
    "decay_model": "measured.relaxation.names",
    "rate_law": "measured.relaxation.names",
    "read_magnetometer": "measured.magnetometer.read",
    "static_data": "measured.magnetometer.static",
    "ac_data": "measured.relaxation.ac_data",
    "decay_data": "measured.relaxation.decay_data",
    "waveform_susceptibility": "measured.relaxation.waveform",
    "read_ccfit2": "measured.relaxation.ccfit2",
    "write_ccfit2": "measured.relaxation.ccfit2",
    **dict.fromkeys(
        ("AcModel", "ColeDavidson", "Debye", "DoubleGeneralisedDebye", "DoubleGeneralisedDebyeEqualChi",
         "GeneralisedDebye", "HavriliakNegami"),
        "measured.relaxation.ac_models",
    ),
    "DecayModel": "measured.relaxation.decay_models",
    "DoubleExponential": "measured.relaxation.decay_models",
    "StretchedExponential": "measured.relaxation.decay_models",
    **dict.fromkeys(
        ("BronsVanVleck", "ConstantRate", "Direct", "FieldDirect", "FieldRaman", "FieldTunnelling",
         "Orbach", "PhononBottleneck", "PhononPairRaman", "Process", "Raman", "RateLaw", "Tunnelling"),
        "measured.relaxation.processes",
    ),
    "splitting_distribution": "experiment.splittings.splitting_distribution",
    "quantum_objects": "experiment.splittings.quantum_objects",
    "switching_fields": "experiment.particles.switching",
    **dict.fromkeys(
        ("Particle", "Spread", "LogNormalSpread", "InverseSpread"),
        "experiment.particles.particle",
    ),
    **dict.fromkeys(("FieldSweep", "FieldSteps", "HalfSinePulse", "ConstantField"), "dynamics.protocols"),
    "plot": "figures.plot",
    "save": "store",
    "open_result": "store",
    "export": "report.export",
    "summary": "report.content",
    "run": "report.run",
    "validate": "report.validation.table",
}  # fmt: skip

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name == "units":
        return importlib.import_module("mesospin.units")
    if name not in _HOME:
        raise AttributeError(f"module 'mesospin' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"mesospin.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__all__", "__doc__", "__version__"])
