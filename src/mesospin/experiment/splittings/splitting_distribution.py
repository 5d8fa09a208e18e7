r"""Tunnel splittings of an ensemble of unlike molecules, and what a swept field makes of them.

A sweep through the crossing of a pair leaves the fraction :math:`e^{-r_s/r}` of the molecules of kind s
behind, with the field rate r and

.. math:: r_s = \frac{\pi\Delta_s^2}{2\hbar\,|\partial(E_a-E_b)/\partial B|}

An ensemble relaxes with many such rates at once.  Where every molecule keeps its splitting, n sweeps are one
sweep at the rate r/n, so that the curves of all n fall onto one; where the splittings are dealt anew between
sweeps, they do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mesospin import units
from mesospin.bath.disorder import molecules
from mesospin.checks import instance_of, integer, positive
from mesospin.constants import HBAR
from mesospin.errors import ConvergenceError, InputError
from mesospin.experiment.splittings.drawn_molecules import DrawnMolecules, ListedMolecules, draw_molecules
from mesospin.experiment.splittings.landau_zener_ensemble import landau_zener_curves
from mesospin.experiment.surroundings import chosen, written
from mesospin.model.distributions import Distribution
from mesospin.model.environment import FROM_SYSTEM, Disorder, FromSystem
from mesospin.model.system import SpinSystem, check_system
from mesospin.results import result, variable
from mesospin.spectrum.tunnelling.ensemble_gaps import ensemble_gaps
from mesospin.spectrum.tunnelling.problem import Levels, Problem, StatePair, read_pair
from mesospin.spectrum.tunnelling.zeros import symmetry_reason
from mesospin.units import Quantity

_SAMPLES = 10_000
_MOST_SAMPLES = 1_000_000
_RATE_POINTS = 121
_RATES_WITHOUT_GAP = (1e-6, 1e2)


def splitting_distribution(
    system: SpinSystem,
    pair: Sequence[float] | Sequence[str],
    *,
    E: Distribution | None = None,
    tilt: Distribution | None = None,
    transverse: Distribution | None = None,
    disorder: Disorder | FromSystem = FROM_SYSTEM,
    samples: int | None = None,
    seed: int | None = None,
    rates: Sequence[Quantity] | None = None,
    passages: Sequence[int] = (1, 2, 5, 10),
    bins: int = 60,
    site: int = 0,
) -> xr.Dataset:
    r"""Return the tunnel splittings of a pair over an ensemble, and its Landau-Zener curves.

    Parameters
    ----------
    system : SpinSystem
        The ideal molecule.
    pair : (m, m') or two labels
        The two states that cross.
    E : Gaussian, LogGaussian or Values [K], optional
        Rhombic constant; :math:`E(S_x^2-S_y^2)` adds to the Hamiltonian.
    tilt : Rayleigh or Values [rad], optional
        Angle between field and easy axis, with a uniform azimuth: at the crossing field B the molecule feels
        the transverse field B sin(tilt).
    transverse : Rayleigh or Values [T], optional
        Magnitude of the frozen transverse field of the neighbours, with a uniform azimuth.
    disorder : Disorder, optional
        Ensemble of listed molecules, in place of the three distributions.  The system's own where nothing is
        given.
    samples : int, default 10000
        Number of molecules drawn, at most a million.
    seed : int
        Seed of the draws; the same seed gives the same numbers.  Must be given where molecules are drawn.
    rates : sequence of float or str [T/s], optional
        Field rates; chosen to lead from full survival to none if left out.
    passages : sequence of int
        Numbers n of sweeps through the crossing.
    bins : int, default 60
        Number of bins of the histogram.
    site : int, default 0
        Spin that carries E.

    Returns
    -------
    xarray.Dataset
        Of the molecules (molecule): ``splitting`` [K], ``log10_splitting``, ``zero`` (exactly zero by
        symmetry), ``field`` [T] of the crossing and ``characteristic_rate`` [T/s] (NaN without a gap),
        ``weight``, and ``rhombic`` [K], ``tilt`` [rad], ``transverse_field`` [T] where they were drawn.
        ``density`` (bin) per decade of the splitting, which integrates to 1 - ``zero_share``;
        ``mean_log10``, ``median_log10``, ``spread_log10`` (standard deviation) of the splittings that are not
        zero; ``rms_splitting`` [K] of all; ``zero_reason``.
        Fractions that never tunnelled (passage, rate): ``remaining_frozen``, ``remaining_redrawn``,
        ``remaining_single`` of one splitting that agrees at high rates, ``remaining_error`` (standard error
        of independent draws, an upper bound for the stratified ones); ``effective_rate`` [T/s] r/n;
        ``apparent_splitting`` [K] (rate) that a single exponential would read off one sweep.

    Raises
    ------
    InputError
        If nothing is distributed, a distribution does not fit its quantity, draws have no seed, a Disorder
        is given together with distributions, draws or seed, or the levels of a molecule are too mixed to be
        named.
    ConvergenceError
        If double precision cannot hold the splitting of a molecule.

    Notes
    -----
    Remaining fractions of splittings that stay (frozen) or are dealt anew before every sweep (redrawn):

    .. math:: R_n(r) = \langle e^{-n r_s/r}\rangle = R_1(r/n), \qquad R_n(r) = \langle e^{-r_s/r}\rangle^n

    More generally frozen molecules depend on a sequence of rates through :math:`\sum_i 1/r_i` alone.  The
    collapse on r/n tells them from dipolar shuffling, which Mertes et al. excluded for Mn12-acetate by
    sweeping back and forth: it is broken by anything that changes a splitting between sweeps
    (transverse fields of neighbours that flipped) and by molecules that come back.  Counted is who never
    tunnelled: right where the other well empties downwards before the next sweep (pairs n > 0 at low
    temperature) or transfers are few, not for the crossing of two ground levels at B = 0 swept back and
    forth.  A longitudinal field of the neighbours only shifts the crossing.

    By convexity an ensemble keeps more molecules than ``remaining_single``, and ``apparent_splitting``
    falls from the root mean square towards slow sweeps: not being constant is the sign of a distribution.

    References
    ----------
    - K. M. Mertes et al., arXiv:cond-mat/0209110 (2002).

    Examples
    --------
    With E alone a spin 2 has the splitting 3 E^2/abs(D) in lowest order, so that ln(splitting) is twice as
    broad as ln(E):

    >>> from mesospin.model.distributions import LogGaussian
    >>> from mesospin.model.system import giant_spin
    >>> spin = giant_spin(2, D=-1.0)
    >>> spread = splitting_distribution(spin, (2, -2), E=LogGaussian(8.0, 0.5, scale=2.0), seed=1)
    >>> round(float(spread.spread_log10 * np.log(10)), 3), float(spread.zero_share)
    (1.0, 0.0)
    """
    check_system(system)
    states = _states(system, pair)
    given = {"E": E, "tilt": tilt, "transverse": transverse}
    ensemble, source = _ensemble(system, given, disorder, samples, seed, site)
    gaps = _gaps(ensemble, states)
    sweeps = [integer("passages", n, at_least=1) for n in passages]
    speeds = _rates(rates, gaps)
    variables = {
        **_molecule_variables(ensemble, gaps),
        **_histogram(gaps, integer("bins", bins, at_least=1)),
        **landau_zener_curves(
            gaps.splitting, gaps.rate, gaps.weight, speeds, sweeps, drawn=isinstance(ensemble, DrawnMolecules)
        ),
    }
    coords = {
        "bin": variables.pop("bin"),
        "rate": variable("rate", speeds, "T/s", "field rate"),
        "passage": variable("passage", np.array(sweeps), "1", "number of sweeps"),
    }
    inputs = {"pair": list(states.names), "site": site, **source}
    return result("splitting_distribution", system, variables, coords, inputs)


class _Gaps(NamedTuple):
    """One entry a molecule: ``weight``, ``splitting`` [K], ``rate`` r_s [T/s], ``field`` [T], ``zero``."""

    weight: NDArray[np.float64]
    splitting: NDArray[np.float64]
    rate: NDArray[np.float64]
    field: NDArray[np.float64]
    zero: NDArray[np.bool_]
    reason: str


def _states(system: SpinSystem, pair: Sequence[float] | Sequence[str]) -> StatePair:
    if isinstance(pair, Levels):
        msg = f"pair must name two states such as (10, -10), got {pair}; positions change along the ensemble"
        raise InputError(msg)
    return read_pair(system, pair)


def _ensemble(
    system: SpinSystem,
    given: dict[str, Distribution | None],
    disorder: Disorder | FromSystem,
    samples: int | None,
    seed: int | None,
    site: int,
) -> tuple[DrawnMolecules | ListedMolecules, dict[str, Any]]:
    """Return the molecules and how they were made, in words."""
    drawn = [name for name, distribution in given.items() if distribution is not None]
    if drawn and isinstance(disorder, FromSystem):
        if seed is None:
            msg = "seed must be a whole number where molecules are drawn, got None; give seed=1"
            raise InputError(msg)
        count = integer(
            "samples", _SAMPLES if samples is None else samples, at_least=1, at_most=_MOST_SAMPLES
        )
        where = integer("site", site, at_least=0, at_most=len(system.spins) - 1)
        made = draw_molecules(
            system, **given, site=where, samples=count, seed=integer("seed", seed, at_least=0)
        )
        return made, {"samples": count, "seed": seed, **written(**given)}
    extra = [*drawn, *(name for name, value in (("samples", samples), ("seed", seed)) if value is not None)]
    if extra:
        msg = f"{extra[0]} must be left out with a Disorder: its members are not drawn; give one or the other"
        raise InputError(msg)
    listed = chosen(disorder, system.defaults.disorder)
    if listed is None:
        msg = (
            f"E, tilt, transverse or disorder must be given: {system.name} brings no Disorder; "
            "give for example E=Gaussian(mean, width)"
        )
        raise InputError(msg)
    instance_of("disorder", listed, Disorder, hint="make one, or give E, tilt or transverse")
    members = molecules(system, listed, np.array([0.0, 0.0, 1.0]), (0.0, 0.0))
    return ListedMolecules(tuple(members)), written(disorder=listed)


def _gaps(ensemble: DrawnMolecules | ListedMolecules, pair: StatePair) -> _Gaps:
    """Return the splittings: zeros by symmetry first, numbers for the rest."""
    representatives, kind = ensemble.kinds()
    reasons = [_reason(m.system, pair, m.axis, m.transverse) for m in representatives]
    zero = np.array([bool(reason) for reason in reasons])[kind]
    weight = ensemble.weight
    splitting, rate, field = np.zeros(len(weight)), np.zeros(len(weight)), np.full(len(weight), np.nan)
    for part, H0, G in ensemble.matrices(np.flatnonzero(~zero)):
        found = ensemble_gaps(H0, G, pair.states)
        splitting[part], field[part] = found.gap, found.field
        rate[part] = np.pi * found.gap**2 / (2 * HBAR * found.slope)
    if np.any(rate[~zero] == 0.0):
        msg = (
            "the ensemble must have splittings above 1e-150 K or zeros by symmetry, got smaller ones; "
            "use tunnel_splitting for single molecules"
        )
        raise ConvergenceError(msg)
    return _Gaps(weight, splitting, rate, field, zero, "; ".join(sorted({r for r in reasons if r})))


def _reason(
    system: SpinSystem, pair: StatePair, axis: tuple[float, float, float], transverse: tuple[float, float]
) -> str:
    """Return why the gap of a molecule is exactly zero, empty if it is not."""
    # opposite states meet at B = 0, where the direction of the field no longer counts
    meet_at_zero = pair.is_opposite and not any(transverse)
    return symmetry_reason(Problem(system, pair, None, (0.0, 0.0, 1.0) if meet_at_zero else axis, transverse))


def _rates(rates: Sequence[Quantity] | None, gaps: _Gaps) -> NDArray[np.float64]:
    if rates is not None:
        values = [positive("rates", units.to_tesla_per_second(rate, "rates"), "T/s") for rate in rates]
        if not values:
            msg = "rates must hold at least one rate [T/s], got none; leave rates out to have them chosen"
            raise InputError(msg)
        return np.array(values)
    open_rates = gaps.rate[~gaps.zero]
    low, high = (
        (0.01 * float(np.quantile(open_rates, 0.01)), 100.0 * float(np.quantile(open_rates, 0.99)))
        if len(open_rates)
        else _RATES_WITHOUT_GAP
    )
    return np.geomspace(low, high, _RATE_POINTS)


def _molecule_variables(ensemble: DrawnMolecules | ListedMolecules, gaps: _Gaps) -> dict[str, Any]:
    with np.errstate(divide="ignore"):
        logarithm = np.log10(gaps.splitting)
    rate = np.where(gaps.zero, np.nan, gaps.rate)
    entries: dict[str, tuple[Any, str, str]] = {
        "splitting": (gaps.splitting, "K", "tunnel splitting (full gap)"),
        "log10_splitting": (logarithm, "1", "log10 of the splitting in K"),
        "zero": (gaps.zero, "1", "gap exactly zero"),
        "field": (gaps.field, "T", "field of the crossing"),
        "characteristic_rate": (rate, "T/s", "field rate at which 1/e is left"),
        "weight": (gaps.weight, "1", "share of the molecules"),
    }
    if isinstance(ensemble, DrawnMolecules):
        entries["rhombic"] = (ensemble.rhombic, "K", "rhombic constant E")
        entries["tilt"] = (ensemble.tilt, "rad", "tilt of the easy axis")
        magnitude = np.linalg.norm(ensemble.transverse, axis=1)
        entries["transverse_field"] = (magnitude, "T", "transverse field")
    return {name: variable("molecule", *entry) for name, entry in entries.items()}


def _histogram(gaps: _Gaps, bins: int) -> dict[str, Any]:
    weight, values = gaps.weight[~gaps.zero], np.log10(gaps.splitting[~gaps.zero])
    share = float(weight.sum())
    mean = median = spread = float("nan")
    edges = np.linspace(-1.0, 1.0, bins + 1)
    if len(values):
        mean = float(weight @ values) / share
        spread = float(np.sqrt(weight @ (values - mean) ** 2 / share))
        order = np.argsort(values)
        below = np.cumsum(weight[order]) - weight[order] / 2
        median = float(np.interp(share / 2, below, values[order]))
        low, high = float(values.min()), float(values.max())
        margin = max(0.02 * (high - low), 0.5 * (high - low < 1e-6))
        edges = np.linspace(low - margin, high + margin, bins + 1)
    counts = np.histogram(values, edges, weights=weight)[0]
    return {
        "bin": variable("bin", (edges[1:] + edges[:-1]) / 2, "1", "log10 of the splitting in K"),
        "density": variable("bin", counts / np.diff(edges), "1", "share of molecules per decade"),
        "mean_log10": variable((), mean, "1", "mean log10 of the splitting in K"),
        "median_log10": variable((), median, "1", "median log10 of the splitting in K"),
        "spread_log10": variable((), spread, "1", "standard deviation of log10 of the splitting"),
        "zero_share": variable((), math.fsum(gaps.weight[gaps.zero]), "1", "share that is exactly zero"),
        "zero_reason": variable((), gaps.reason, "1", "reason for exact zeros"),
    }
