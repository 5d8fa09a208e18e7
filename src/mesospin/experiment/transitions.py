"""What drives a transition between two levels, and how strongly: moments, populations, arguments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite_array, integer, positive
from mesospin.constants import KELVIN_PER_GIGAHERTZ, MU_B
from mesospin.errors import InputError
from mesospin.model.system import SpinSystem
from mesospin.spectrum.matrices import affine_hamiltonian, unit_axis
from mesospin.units import Quantity, to_gigahertz

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
States = NDArray[np.complex128]
Microwave = str | Sequence[float]

#: Share of the largest possible strength below which a transition is forbidden: rounding is smaller.
FORBIDDEN = 1e-20


def read_frequency(value: Quantity, name: str = "frequency") -> float:
    """Return the energy [K] of a frequency, a number [GHz] or a text with a unit.

    Examples
    --------
    >>> round(read_frequency(9.5), 6), round(read_frequency("9.5 GHz"), 6)
    (0.455928, 0.455928)
    """
    return KELVIN_PER_GIGAHERTZ * positive(name, to_gigahertz(value, name), "GHz")


def read_temperatures(T: ArrayLike) -> tuple[Floats, tuple[str, ...]]:
    """Return temperatures [K], shape (t,), and the dimension that they span."""
    values = finite_array("T", T, "K")
    if values.ndim > 1 or not values.size or not np.all(values > 0):
        raise InputError(
            f"T must be one or several temperatures > 0 [K] in one dimension, got {values.tolist()}; "
            "give them so"
        )
    return np.atleast_1d(values), ("temperature",) * values.ndim


def level_count(system: SpinSystem, states: int | None) -> int:
    """Return how many of the lowest levels take part."""
    n = system.dimension
    if n < 2:
        raise InputError(f"system must have two states or more, got {n}; add a spin")
    return n if states is None else integer("states", states, at_least=2, at_most=n)


def polarisation(microwave: Microwave, axes: Floats) -> Floats:
    """Return the weights (d, 3, 3) of the products of moments that a microwave field drives.

    Parameters
    ----------
    microwave : "perpendicular", "parallel" or three numbers
        Direction of the oscillating field: the mean over all directions perpendicular to the static
        field, the direction of the static field, or one direction.
    axes : ndarray, shape (d, 3)
        Directions of the static field.

    Raises
    ------
    InputError
        If it is another word or not a direction.

    Examples
    --------
    >>> polarisation("perpendicular", np.array([[0.0, 0.0, 1.0]]))[0].diagonal()
    array([0.5, 0.5, 0. ])
    """
    along = axes[:, :, None] * axes[:, None, :]
    if isinstance(microwave, str):
        if microwave not in ("perpendicular", "parallel"):
            raise InputError(
                f"microwave must be perpendicular, parallel or a direction of three numbers, got "
                f"{microwave!r}; choose one"
            )
        return along if microwave == "parallel" else 0.5 * (np.eye(3) - along)
    try:
        direction = unit_axis(microwave)
    except InputError:
        raise InputError(
            f"microwave must be perpendicular, parallel or a direction of three numbers, got "
            f"{microwave!r}; choose one"
        ) from None
    return np.broadcast_to(np.outer(direction, direction), along.shape)


def moment_between(system: SpinSystem, bra: States, ket: States) -> States:
    """Return the moments (r, 3) [mu_B] between states in the rows of ``bra`` and ``ket``, each (r, n)."""
    G = affine_hamiltonian(system).G
    parts = [np.einsum("ri,ri->r", bra.conj(), ket @ g.T) for g in G]
    return np.asarray(np.stack(parts, axis=-1) / -MU_B)


def moments_between_all(system: SpinSystem, states: States) -> States:
    """Return the moments (3, f, n, n) [mu_B] between all columns of ``states`` (f, n, n)."""
    G = affine_hamiltonian(system).G
    bra = states.conj().swapaxes(-1, -2)
    return np.asarray(np.stack([bra @ (g @ states) for g in G]) / -MU_B)


def strength_of(weights: Floats, moment: States) -> Floats:
    """Return the strengths (r,) [mu_B^2] of moments (r, 3) with weights (r, 3, 3) or (1, 3, 3)."""
    product = np.einsum("ra,rab,rb->r", moment.conj(), np.broadcast_to(weights, (len(moment), 3, 3)), moment)
    return np.asarray(np.maximum(product.real, 0.0))


def largest_strength(system: SpinSystem) -> float:
    """Return the mean over the states of the squared moment [mu_B^2], the scale of strengths."""
    G = affine_hamiltonian(system).G
    return float(np.sum(np.abs(G) ** 2) / system.dimension / MU_B**2)


def steepest(system: SpinSystem) -> float:
    """Return a bound on the slope of all transitions [K/T], in any direction."""
    spread = [np.ptp(np.linalg.eigvalsh(g)) for g in affine_hamiltonian(system).G]
    return float(max(np.linalg.norm(spread), np.finfo(np.float64).tiny))


def population_difference(energy: Floats, lower: Indices, upper: Indices, T: Floats) -> Floats:
    r"""Return :math:`p_i - p_j = p_i(1 - e^{-(E_j - E_i)/T})`, without cancellation at high temperature.

    Parameters
    ----------
    energy : ndarray, shape (r, n) [K]
        Levels in any order, a row for every transition.
    lower, upper : ndarray, shape (r,)
        Columns of the two levels.
    T : ndarray, shape (t,) [K]

    Returns
    -------
    ndarray, shape (t, r)

    Examples
    --------
    >>> E, i, j = np.array([[0.0, 1.0]]), np.array([0]), np.array([1])
    >>> population_difference(E, i, j, np.array([0.5, 1e6])).ravel().round(8).tolist()
    [0.76159416, 5e-07]
    """
    row = np.arange(len(energy))
    excess = energy - energy.min(axis=1, keepdims=True)
    gap = excess[row, upper] - excess[row, lower]
    weights = []
    for temperature in T:
        factor = np.exp(-excess / temperature)
        lowest = factor[row, lower] / factor.sum(axis=1)
        weights.append(-lowest * np.expm1(-gap / temperature))
    return np.stack(weights)


def selection(parallel: Floats, perpendicular: Floats, scale: float) -> NDArray[np.str_]:
    r"""Return which microwave field drives each transition, in words.

    "perpendicular" is the selection rule :math:`|\Delta m| = 1` along the field, "parallel"
    :math:`\Delta m = 0`; "both" means that m is not a good quantum number.

    Examples
    --------
    >>> selection(np.array([0.0, 1.0, 0.2]), np.array([1.0, 0.0, 0.3]), 1.0).tolist()
    ['perpendicular', 'parallel', 'both']
    """
    one, other = parallel > FORBIDDEN * scale, perpendicular > FORBIDDEN * scale
    words = np.where(one, np.where(other, "both", "parallel"), np.where(other, "perpendicular", "forbidden"))
    return np.asarray(words)
