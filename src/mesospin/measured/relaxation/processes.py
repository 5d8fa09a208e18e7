"""Rates of relaxation by mechanism, as functions of temperature and field, and their sums."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import instance_of
from mesospin.errors import InputError

__all__ = [
    "PROCESSES",
    "BronsVanVleck",
    "ConstantRate",
    "Direct",
    "FieldDirect",
    "FieldRaman",
    "FieldTunnelling",
    "Orbach",
    "PhononBottleneck",
    "PhononPairRaman",
    "Process",
    "Raman",
    "RateLaw",
    "Tunnelling",
]

Floats = NDArray[np.float64]
_TEN: Final = float(np.log(10.0))


@dataclass(frozen=True, slots=True)
class Process(ABC):
    """A mechanism of relaxation: its rate [1/s] at temperature T [K] and field B [T].

    Processes are added (``Orbach() + Raman()``): rates add.  Names and meaning of parameters are those of
    ccfit2: amplitudes are decimal logarithms.  Fields are in tesla here, in oersted there.

    Attributes
    ----------
    names, units : tuple of str
        Its parameters.  The first is the amplitude: ln rate changes by +-ln 10 for every unit of it.
    """

    names: ClassVar[tuple[str, ...]]
    units: ClassVar[tuple[str, ...]]
    #: Change of ln rate with the amplitude.
    sign: ClassVar[float] = 1.0
    #: Ranges in which a fit begins: in units of temperature for an energy ("T"), or plain numbers.
    ranges: ClassVar[dict[str, tuple[float, float]]] = {}
    needs_field: ClassVar[bool] = False

    @abstractmethod
    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:
        """Return ln(rate s) for its parameters; complex parameters give complex values (slopes)."""

    def __add__(self, other: Process | RateLaw) -> RateLaw:
        """Return the law in which both relax, side by side."""
        return RateLaw((self,)) + other

    @property
    def inner(self) -> tuple[Process, ...]:
        """Processes that it modifies."""
        return ()

    @property
    def all_names(self) -> tuple[str, ...]:
        """Its own parameters and those of the process that it modifies."""
        return (*self.names, *(name for process in self.inner for name in process.all_names))


@dataclass(frozen=True, slots=True)
class RateLaw:
    """A sum of processes.

    Parameters
    ----------
    processes : tuple of Process

    Examples
    --------
    >>> law = Orbach() + Raman() + Tunnelling()
    >>> law.names
    ('A', 'u_eff', 'R', 'n', 'Q')
    """

    processes: tuple[Process, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.processes:
            raise InputError("law must have at least one process, got none; write Orbach() + Raman()")
        for process in self.processes:
            instance_of("law", process, Process, hint="add processes such as Orbach() + Raman()")

    def __add__(self, other: Process | RateLaw) -> RateLaw:
        """Return the law with more processes."""
        instance_of("law", other, Process, RateLaw, hint="add processes such as Orbach() + Raman()")
        more = other.processes if isinstance(other, RateLaw) else (other,)
        return RateLaw(self.processes + more)

    @property
    def title(self) -> str:
        """The processes, for people."""
        return " + ".join(_title(process) for process in self.processes)

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters in order; a name that comes again carries a number: u_eff, u_eff_2."""
        names: list[str] = []
        for name in (name for process in self.processes for name in process.all_names):
            count = sum(known.partition("_#")[0] == name for known in names)
            names.append(f"{name}_#{count + 1}" if count else name)
        return tuple(name.replace("_#", "_") for name in names)

    @property
    def units(self) -> tuple[str, ...]:
        """Units of the parameters."""
        return tuple(unit for process in self.processes for unit in _units(process))

    def log_rates(self, parameters: Any, T: Floats, B: Floats) -> Any:
        """Return ln rate of every process, shape (processes, g, n), for parameters (g, p)."""
        columns = [parameters[:, k, None] for k in range(parameters.shape[1])]
        parts, first = [], 0
        for process in self.processes:
            count = len(process.all_names)
            parts.append(process.log_rate(columns[first : first + count], T, B) + 0.0 * (T + columns[first]))
            first += count
        return np.stack(parts)

    def log_rate(self, parameters: Any, T: Floats, B: Floats) -> Any:
        """Return ln of the total rate, shape (g, n)."""
        parts = self.log_rates(parameters, T, B)
        highest = parts.real.max(axis=0)
        highest = np.where(np.isfinite(highest), highest, 0.0)
        return highest + np.log(np.exp(parts - highest).sum(axis=0))

    def slopes(self, parameters: Floats, T: Floats, B: Floats) -> Floats:
        """Return derivatives (g, n, p) of ln rate, exact to rounding (complex step of 1e-30)."""
        step = 1e-30
        slopes = np.empty((len(parameters), len(T), parameters.shape[1]))
        for k in range(parameters.shape[1]):
            moved = parameters.astype(np.complex128)
            moved[:, k] += 1j * step
            slopes[..., k] = self.log_rate(moved, T, B).imag / step
        return slopes


def _title(process: Process) -> str:
    own = type(process).__name__
    return f"{own}({_title(process.inner[0])})" if process.inner else own


def _units(process: Process) -> tuple[str, ...]:
    return (*process.units, *(unit for inner in process.inner for unit in _units(inner)))


@dataclass(frozen=True, slots=True)
class Orbach(Process):
    """Activation over a barrier: ``10^-A exp(-u_eff/T)``.

    Reference: R. Orbach, Proc. R. Soc. A 264, 458 (1961).
    """

    names: ClassVar[tuple[str, ...]] = ("A", "u_eff")
    units: ClassVar[tuple[str, ...]] = ("log10 s", "K")
    sign: ClassVar[float] = -1.0
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"u_eff": (1.5, 40.0)}

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:  # noqa: ARG002
        """Return -A ln 10 - u_eff/T."""
        A, barrier = values
        return -_TEN * A - barrier / T


@dataclass(frozen=True, slots=True)
class Raman(Process):
    """Two phonons, as a power of temperature: ``10^R T^n``.

    T^9 for a Kramers and T^7 for a non-Kramers ion far below the Debye temperature.  Reference: A. Abragam
    and B. Bleaney, Electron Paramagnetic Resonance of Transition Ions (1970), chapter 10.
    """

    names: ClassVar[tuple[str, ...]] = ("R", "n")
    units: ClassVar[tuple[str, ...]] = ("log10 s^-1 K^-n", "1")
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"n": (1.0, 10.0)}

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:  # noqa: ARG002
        """Return R ln 10 + n ln T."""
        R, n = values
        return _TEN * R + n * np.log(T)


@dataclass(frozen=True, slots=True)
class PhononPairRaman(Process):
    """Two phonons of one energy w: ``10^R e^(w/T)/(e^(w/T) - 1)^2``.

    Reference: A. Lunghi, Sci. Adv. 8, eabn7880 (2022).
    """

    names: ClassVar[tuple[str, ...]] = ("R", "w")
    units: ClassVar[tuple[str, ...]] = ("log10 s^-1", "K")
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"w": (0.5, 20.0)}

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:  # noqa: ARG002
        """Return R ln 10 - w/T - 2 ln(1 - e^(-w/T))."""
        R, w = values
        return _TEN * R - w / T - 2.0 * np.log(1.0 - np.exp(-w / T))


@dataclass(frozen=True, slots=True)
class Tunnelling(Process):
    """A rate that knows neither temperature nor field: ``10^-Q``."""

    names: ClassVar[tuple[str, ...]] = ("Q",)
    units: ClassVar[tuple[str, ...]] = ("log10 s",)
    sign: ClassVar[float] = -1.0

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:  # noqa: ARG002
        """Return -Q ln 10."""
        return -_TEN * values[0] + 0.0 * T


@dataclass(frozen=True, slots=True)
class FieldTunnelling(Process):
    """Tunnelling that a field along the axis detunes: ``10^-Q/(1 + 10^-Q_H B^p)``, B in tesla.

    With p = 2 and 10^-Q_H = 1/B_0^2 the Lorentzian of a fixed width B_0.
    """

    names: ClassVar[tuple[str, ...]] = ("Q", "Q_H", "p")
    units: ClassVar[tuple[str, ...]] = ("log10 s", "log10 T^p", "1")
    sign: ClassVar[float] = -1.0
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"Q_H": (-6.0, 1.0), "p": (1.0, 4.0)}
    needs_field: ClassVar[bool] = True

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:
        """Return -Q ln 10 - ln(1 + 10^-Q_H B^p)."""
        Q, Q_H, p = values
        return -_TEN * Q - np.log1p(_power(10.0, -Q_H) * _power(B, p)) + 0.0 * T


@dataclass(frozen=True, slots=True)
class Direct(Process):
    """One phonon, at one field: ``10^D T``.  Reference: J. H. Van Vleck, Phys. Rev. 57, 426 (1940)."""

    names: ClassVar[tuple[str, ...]] = ("D",)
    units: ClassVar[tuple[str, ...]] = ("log10 s^-1 K^-1",)

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:  # noqa: ARG002
        """Return D ln 10 + ln T."""
        return _TEN * values[0] + np.log(T)


@dataclass(frozen=True, slots=True)
class FieldDirect(Process):
    """One phonon: ``10^G B^x T^y``; x = 4, y = 1 for a Kramers doublet, x = 2 else.  B in tesla."""

    names: ClassVar[tuple[str, ...]] = ("G", "x", "y")
    units: ClassVar[tuple[str, ...]] = ("log10 s^-1 T^-x K^-y", "1", "1")
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"x": (1.0, 5.0), "y": (0.5, 2.0)}
    needs_field: ClassVar[bool] = True

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:
        """Return G ln 10 + x ln B + y ln T."""
        G, x, y = values
        return _TEN * G + _log_power(B, x) + y * np.log(T)


@dataclass(frozen=True, slots=True)
class FieldRaman(Process):
    """Relaxation that grows with the field, at one temperature: ``10^C B^m``, B in tesla."""

    names: ClassVar[tuple[str, ...]] = ("C", "m")
    units: ClassVar[tuple[str, ...]] = ("log10 s^-1 T^-m", "1")
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"m": (1.0, 5.0)}
    needs_field: ClassVar[bool] = True

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:
        """Return C ln 10 + m ln B."""
        C, m = values
        return _TEN * C + _log_power(B, m) + 0.0 * T


@dataclass(frozen=True, slots=True)
class ConstantRate(Process):
    """A constant rate at one temperature: ``10^Ct``."""

    names: ClassVar[tuple[str, ...]] = ("Ct",)
    units: ClassVar[tuple[str, ...]] = ("log10 s^-1",)

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:  # noqa: ARG002
        """Return Ct ln 10."""
        return _TEN * values[0] + 0.0 * T


@dataclass(frozen=True, slots=True)
class BronsVanVleck(Process):
    """Another process times ``(1 + 10^e B^2)/(1 + 10^f B^2)``, B in tesla.

    At low fields spin-spin and hyperfine fields compete with the external one.  References: F. Brons, thesis,
    Groningen (1938); J. H. Van Vleck, Phys. Rev. 57, 426 (1940).

    Parameters
    ----------
    process : Process, default Raman()
    """

    process: Process = field(default_factory=Raman)
    names: ClassVar[tuple[str, ...]] = ("e", "f")
    units: ClassVar[tuple[str, ...]] = ("log10 T^-2", "log10 T^-2")
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"e": (-2.0, 6.0), "f": (-2.0, 6.0)}
    needs_field: ClassVar[bool] = True

    @property
    def inner(self) -> tuple[Process, ...]:
        """The process that it modifies."""
        return (self.process,)

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:
        """Return the logarithm of the product."""
        e, f, *others = values
        factor = np.log1p(_power(10.0, e) * B**2) - np.log1p(_power(10.0, f) * B**2)
        return self.process.log_rate(others, T, B) + factor


@dataclass(frozen=True, slots=True)
class PhononBottleneck(Process):
    """Another process in series with the phonons' escape to the bath: times add, ``1/rate + 10^B T^-m``.

    References: J. H. Van Vleck, Phys. Rev. 59, 724 (1941); P. L. Scott and C. D. Jeffries, Phys. Rev. 127, 32
    (1962): m = 2 where phonons of the spins' energy carry the heat.

    Parameters
    ----------
    process : Process, default Direct()
    """

    process: Process = field(default_factory=Direct)
    names: ClassVar[tuple[str, ...]] = ("B", "m")
    units: ClassVar[tuple[str, ...]] = ("log10 s K^m", "1")
    sign: ClassVar[float] = -1.0
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"m": (0.0, 4.0)}

    @property
    def inner(self) -> tuple[Process, ...]:
        """The process that it modifies."""
        return (self.process,)

    def log_rate(self, values: Sequence[Any], T: Any, B: Any) -> Any:
        """Return -ln(tau_spin + tau_bath)."""
        height, m, *others = values
        spin = -self.process.log_rate(others, T, B)
        bath = _TEN * height - m * np.log(T)
        top = np.maximum(spin.real, bath.real)
        return -(top + np.log(np.exp(spin - top) + np.exp(bath - top)))


def _power(base: Any, exponent: Any) -> Any:
    """Return the absolute value of base to a power; 0^p = 0."""
    return np.exp(_log_power(base, exponent))


def _log_power(base: Any, exponent: Any) -> Any:
    """Return exponent ln of the absolute value of base; -inf for base 0, also with complex exponents."""
    size = np.abs(base)
    logarithm = np.log(np.where(size > 0, size, 1.0))
    return np.where(size > 0, exponent * logarithm, -np.inf)


PROCESSES: Final[dict[str, type[Process]]] = {
    "orbach": Orbach,
    "raman": Raman,
    "phonon-pair-raman": PhononPairRaman,
    "tunnelling": Tunnelling,
    "field-tunnelling": FieldTunnelling,
    "direct": Direct,
    "field-direct": FieldDirect,
    "field-raman": FieldRaman,
    "constant": ConstantRate,
    "brons-van-vleck": BronsVanVleck,
    "phonon-bottleneck": PhononBottleneck,
}
"""The processes by the name they have at the command line and in study files."""
