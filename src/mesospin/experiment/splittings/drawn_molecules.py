"""The molecules of a sample, drawn from distributions or listed as a Disorder, and their matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mesospin import units
from mesospin.bath.disorder import Molecule, tilted
from mesospin.checks import instance_of
from mesospin.errors import InputError
from mesospin.model.distributions import Distribution, Gaussian, LogGaussian, Rayleigh, Values
from mesospin.model.system import SpinSystem
from mesospin.model.terms import ZeroFieldSplitting
from mesospin.scale import spawn_seeds
from mesospin.spectrum.matrices import Array, affine_hamiltonian, field_line

#: Memory of the matrices that are alive at a time [bytes].
_CHUNK_BYTES = 2**26
#: Matrices of the size of H that the computation of one gap keeps alive.
_COPIES = 16
_AXIS = np.array([0.0, 0.0, 1.0])


class DrawnMolecules(NamedTuple):
    """Molecules that differ by a rhombic term, a tilt and a transverse field, one entry each.

    ``rhombic`` E [K] on spin ``site``; ``tilt`` and ``azimuth`` of the field against the easy axis [rad];
    ``transverse`` field, shape (k, 2) [T].
    """

    system: SpinSystem
    site: int
    rhombic: NDArray[np.float64]
    tilt: NDArray[np.float64]
    azimuth: NDArray[np.float64]
    transverse: NDArray[np.float64]

    @property
    def weight(self) -> NDArray[np.float64]:
        """Share of every molecule."""
        return np.full(len(self.rhombic), 1.0 / len(self.rhombic))

    def kinds(self) -> tuple[list[Molecule], NDArray[np.intp]]:
        """Return one molecule for every pattern of terms that vanish or not, and which one each has."""
        present = np.stack([self.rhombic, self.tilt, *self.transverse.T], axis=1) != 0.0
        _, first, kind = np.unique(present, axis=0, return_index=True, return_inverse=True)
        return [self._molecule(int(index)) for index in first], kind.ravel()

    def matrices(self, chosen: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], Array, Array]]:
        """Yield indices, H0 and G of the chosen molecules, in chunks of bounded memory."""
        base, zeeman = affine_hamiltonian(self.system)
        rhombic = _rhombic_operator(self.system, self.site)
        direction = np.stack(
            [
                np.sin(self.tilt) * np.cos(self.azimuth),
                np.sin(self.tilt) * np.sin(self.azimuth),
                np.cos(self.tilt),
            ]
        )
        y_fields = np.any(self.transverse[chosen, 1]) or np.any(direction[1, chosen])
        operators = (base, rhombic, *zeeman)
        real = not y_fields and not any(np.any(operators[i].imag) for i in (0, 1, 2, 4))
        if real:
            operators = tuple(operator.real for operator in operators)
        for part in chunks(chosen, self.system.dimension):
            E, (x, y) = self.rhombic[part], self.transverse[part].T
            H0 = operators[0] + _each(E, operators[1]) + _each(x, operators[2])
            G = _each(direction[0, part], operators[2]) + _each(direction[2, part], operators[4])
            if not real:
                H0 = H0 + _each(y, operators[3])
                G = G + _each(direction[1, part], operators[3])
            yield part, H0, G

    def _molecule(self, index: int) -> Molecule:
        E = float(self.rhombic[index])
        system = self.system.with_terms(ZeroFieldSplitting(0.0, E, self.site)) if E else self.system
        axis = tilted(_AXIS, float(self.tilt[index]), float(self.azimuth[index]))
        x, y = (float(component) for component in self.transverse[index])
        return Molecule(1.0 / len(self.rhombic), system, axis, (x, y))


class ListedMolecules(NamedTuple):
    """The members of a Disorder."""

    members: tuple[Molecule, ...]

    @property
    def weight(self) -> NDArray[np.float64]:
        """Share of every molecule."""
        return np.array([member.weight for member in self.members])

    def kinds(self) -> tuple[list[Molecule], NDArray[np.intp]]:
        """Return the molecules: each is its own kind."""
        return list(self.members), np.arange(len(self.members))

    def matrices(self, chosen: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], Array, Array]]:
        """Yield indices, H0 and G of the chosen molecules, in chunks of bounded memory."""
        for part in chunks(chosen, self.members[0].system.dimension):
            molecules = [self.members[index] for index in part]
            lines = [field_line(m.system, axis=m.axis, transverse=m.transverse) for m in molecules]
            H0: Array = np.stack([line.H0 for line in lines])  # type: ignore[assignment]
            G: Array = np.stack([line.G for line in lines])  # type: ignore[assignment]
            yield part, H0, G


def draw_molecules(
    system: SpinSystem,
    *,
    E: Distribution | None,
    tilt: Distribution | None,
    transverse: Distribution | None,
    site: int,
    samples: int,
    seed: int,
) -> DrawnMolecules:
    """Return molecules drawn from independent distributions, each stratified over its own quantiles.

    Every one of the ``samples`` equal shares of a distribution holds exactly one molecule (Latin hypercube:
    M. D. McKay et al., Technometrics 21, 239 (1979)), so that each distribution alone is represented
    far better than by independent draws; azimuths are uniform.
    """
    _check_kind("E", E, "K", Gaussian, LogGaussian, Values)
    _check_kind("tilt", tilt, "rad", Rayleigh, Values)
    _check_kind("transverse", transverse, "T", Rayleigh, Values)
    generators = [np.random.default_rng(stream) for stream in spawn_seeds(seed, 5)]
    shares = [_stratified(generator, samples) for generator in generators]
    none = np.zeros(samples)
    rhombic = none if E is None else E.quantiles(shares[0], units.to_kelvin, "E")
    angle = none if tilt is None else tilt.quantiles(shares[1], units.to_radian, "tilt")
    lateral = none if transverse is None else transverse.quantiles(shares[3], units.to_tesla, "transverse")
    if not np.all((angle >= 0.0) & (angle < np.pi / 2)):
        worst = angle[np.argmax(np.abs(angle - np.pi / 4))]
        msg = f"tilt must lie between 0 and pi/2 [rad], got {worst:.4g}; narrow its distribution"
        raise InputError(msg)
    if not np.all(lateral >= 0.0):
        msg = f"transverse must be magnitudes >= 0 [T], got {lateral.min():.4g}; its azimuth is drawn"
        raise InputError(msg)
    around = 2 * np.pi * shares[4]
    field = np.stack([lateral * np.cos(around), lateral * np.sin(around)], axis=1)
    return DrawnMolecules(system, site, rhombic, angle, 2 * np.pi * shares[2], field)


def _check_kind(name: str, given: object, unit: str, *kinds: type) -> None:
    if given is None:
        return
    if name != "E" and isinstance(given, Gaussian):
        msg = (
            f"{name} must be a Rayleigh or Values, got {given!r}; Rayleigh(width) is Gaussian in both of its "
            "components"
        )
        raise InputError(msg)
    instance_of(name, given, *kinds, hint=f"Values([x]) gives every molecule the same x [{unit}]")


def _stratified(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return one number in each of ``count`` equal parts of (0, 1), in random order."""
    # 2^24 places in every part keep the numbers off 0 and 1 up to a million molecules
    inside = (generator.integers(0, 2**24, count) + 0.5) / 2**24
    return np.asarray((generator.permutation(count) + inside) / count)


def chunks(chosen: NDArray[np.intp], dimension: int) -> Iterator[NDArray[np.intp]]:
    """Yield the indices in parts whose matrices fit into a bounded memory."""
    size = max(1, _CHUNK_BYTES // (16 * _COPIES * dimension**2))
    for start in range(0, len(chosen), size):
        yield chosen[start : start + size]


def _rhombic_operator(system: SpinSystem, site: int) -> NDArray[np.complex128]:
    """Return Sx^2 - Sy^2 of one spin in the product basis; of a spin 1/2 it is zero."""
    if system.spins[site].S < 1:
        return np.zeros((system.dimension, system.dimension), dtype=np.complex128)
    alone = SpinSystem("rhombic", system.spins, [ZeroFieldSplitting(0.0, 1.0, site)])
    return affine_hamiltonian(alone).H0


def _each(factors: NDArray[np.float64], operator: Array) -> Array:
    product: Array = factors[:, None, None] * operator
    return product
