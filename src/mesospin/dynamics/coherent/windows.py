r"""Unitary sweeps at laboratory rates: all levels, in windows around the crossings.

At 0.1 T/s a spin with levels over 60 K turns by 1e13 rad per second, while a crossing is passed in the time
:math:`\tau_{LZ} = \sqrt{\hbar / v_E}`, microseconds, where the levels approach at the speed :math:`v_E`.
Within :math:`\pm 300 \tau_{LZ}` the Hamiltonian is held at the middle of each step and exponentiated exactly,
phases and all, so steps of :math:`0.2 \tau_{LZ}` suffice.  Start and end are read in the eigenbasis.  Between
windows the levels are followed adiabatically and probabilities are added: real environments erase phases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite, finite_array, integer, non_negative, positive
from mesospin.constants import HBAR
from mesospin.dynamics.coherent.propagators import Matrix, centred, exponential_tables, traceless
from mesospin.dynamics.coherent.stepping import hermitian_matrix
from mesospin.dynamics.methods import Exact
from mesospin.errors import ConvergenceError, InputError

__all__ = ["Passage", "WindowSweep", "cross_windows", "window_probabilities"]

_EPS: Final = float(np.finfo(np.float64).eps)
_EMPTY: Final = 1e-12
_ADIABATIC: Final = 40.0
_TABLE_REACH: Final = 6.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A crossing that is passed at some rate.

    Parameters
    ----------
    field : float [T]
        Field of the smallest distance of the two levels.
    gap : float [K]
        That distance, the full gap; exactly 0 where a symmetry forbids any mixing.
    slope : float [K/T]
        Difference of the slopes dE/dB of the two levels away from the crossing, its magnitude.
    lower : int
        Number of the lower of the two levels, counted from 0 at the ground level at this field.
    rate : float [T/s]
        Speed dB/dt of the field at the crossing, its magnitude.

    Examples
    --------
    >>> Passage(field=0.0, gap=4.5e-8, slope=26.9, lower=0, rate=0.1).lower
    0
    """

    field: float
    gap: float
    slope: float
    lower: int
    rate: float

    def __post_init__(self) -> None:
        finite("field", self.field, "T")
        non_negative("gap", self.gap, "K")
        positive("slope", self.slope, "K/T")
        positive("rate", self.rate, "T/s")
        integer("lower", self.lower, at_least=0)

    @property
    def time(self) -> float:
        """Landau-Zener time, sqrt(hbar / v_E) [s]."""
        return float(np.sqrt(HBAR / (self.slope * self.rate)))

    @property
    def exponent(self) -> float:
        """Landau-Zener exponent, pi gap^2 / (2 hbar v_E): the levels are followed with 1 - exp(-exponent)."""
        return float(np.pi * self.gap**2 / (2.0 * HBAR * self.slope * self.rate))


@dataclass(frozen=True, slots=True, eq=False)
class WindowSweep:
    """Populations of the eigenstates, in order of energy, after every crossing.

    Parameters
    ----------
    passages : tuple of Passage
        In the order in which they were met.
    treatment : tuple of str
        What was done at each: "window" (propagated, alone or inside the window of
        another), "adiabatic" (gap so wide that the probability to leave
        is below 1e-17), "exact crossing" (gap 0: the levels exchange their order), "empty" (neither level
        populated).
    populations : ndarray, shape (k + 1, n)
        At the start and after each of the k passages.
    steps : int
        Time steps in all windows.
    """

    passages: tuple[Passage, ...]
    treatment: tuple[str, ...]
    populations: NDArray[np.float64]
    steps: int


def cross_windows(
    H0: ArrayLike,
    G: ArrayLike,
    populations: ArrayLike,
    *,
    start: float,
    stop: float,
    passages: Sequence[Passage],
    method: Exact | None = None,
) -> WindowSweep:
    """Sweep the field of H(B) = H0 + B G from `start` to `stop` through well separated crossings.

    Parameters
    ----------
    H0 : array-like, shape (n, n) [K]
        Hamiltonian at zero field, Hermitian.
    G : array-like, shape (n, n) [K/T]
        Derivative with respect to the field along the sweep axis, Hermitian.
    populations : array-like, shape (n,)
        Probabilities of the eigenstates at `start` in order of energy; sum 1.
    start, stop : float [T]
        The sweep; `stop` may lie below `start`.
    passages : sequence of Passage
        Every crossing between them.  A crossing left out is passed adiabatically.
    method : Exact, optional
        Window, step and number of steps; the default is ``Exact()``.

    Returns
    -------
    WindowSweep

    Raises
    ------
    InputError
        If no crossing lies in the span, windows overlap or stick out of the span, a gap is too narrow for
        double precision (1e3 eps |H|), the phase is not resolved by it (eps |H| t / hbar > 1e-2), or
        `max_steps` is too small.
    ConvergenceError
        If the levels do not cross where a passage says.

    Examples
    --------
    Two levels, slopes +-5 K/T, gap 1 mK, at a rate that gives the exponent 0.5:

    >>> h0, g = np.array([[0.0, 5e-4], [5e-4, 0.0]]), np.diag([5.0, -5.0])
    >>> rate = np.pi * 1e-6 / (2 * HBAR * 10.0 * 0.5)
    >>> crossing = Passage(field=0.0, gap=1e-3, slope=10.0, lower=0, rate=rate)
    >>> run = cross_windows(h0, g, [1.0, 0.0], start=-1.0, stop=1.0, passages=[crossing])
    >>> bool(abs(run.populations[-1, 0] - (1.0 - np.exp(-0.5))) < 1e-3)
    True
    """
    method = method if method is not None else Exact()
    h0, g = hermitian_matrix("H0", H0, "K"), hermitian_matrix("G", G, "K/T")
    state = _probabilities(populations, h0.shape[0])
    start, stop = finite("start", start, "T"), finite("stop", stop, "T")
    met = _in_order(passages, start, stop)
    direction = 1.0 if stop > start else -1.0
    history: list[NDArray[np.float64]] = [state]
    treatment: list[str] = []
    steps, reached = 0, start
    for passage in met:
        kind = _treatment(passage, state)
        if kind == "exact crossing" and direction * (reached - passage.field) > 0:
            kind = "window"  # exchanged by the window around it already
            treatment.append(kind)
            history.append(state)
            continue
        treatment.append(kind)
        if kind == "exact crossing":
            state = _exchanged(state, passage)
        elif kind == "window":
            width = method.window * passage.time * passage.rate
            _refuse_neighbours(passage, met, method)
            _refuse_overlap(passage, reached, stop, direction, width)
            reached = passage.field + direction * width
            steps += _window_steps(passage, method)
            _refuse_steps(steps, method)
            # crossings that were exchanged, but lie inside this window, are exchanged by it
            for other, done in list(zip(met, treatment, strict=False))[::-1]:
                if done == "exact crossing" and abs(other.field - passage.field) < width:
                    state = _exchanged(state, other)
            state = window_probabilities(h0, g, passage, direction=direction, method=method) @ state
        history.append(state)
    return WindowSweep(tuple(met), tuple(treatment), np.array(history), steps)


def _exchanged(state: NDArray[np.float64], passage: Passage) -> NDArray[np.float64]:
    """Return the populations after two levels crossed without any coupling."""
    pair = [passage.lower, passage.lower + 1]
    after = state.copy()
    after[pair] = state[pair[::-1]]
    return after


def window_probabilities(
    H0: ArrayLike,
    G: ArrayLike,
    passage: Passage,
    *,
    direction: float = 1.0,
    method: Exact | None = None,
) -> NDArray[np.float64]:
    """Return the transition probabilities of one window.

    Parameters
    ----------
    H0, G : array-like, shape (n, n) [K], [K/T]
        H(B) = H0 + B G, Hermitian.
    passage : Passage
        The crossing in the middle of the window.
    direction : float, default 1
        Sign of dB/dt.
    method : Exact, optional
        Window and step; the default is ``Exact()``.

    Returns
    -------
    ndarray, shape (n, n)
        Probability of eigenstate i (row, in order of energy) after the window, from eigenstate j before it.

    Raises
    ------
    InputError
        If double precision cannot resolve the gap or the phase.
    ConvergenceError
        If the levels do not cross where the passage says.

    Examples
    --------
    >>> h0, g = np.array([[0.0, 5e-4], [5e-4, 0.0]]), np.diag([5.0, -5.0])
    >>> crossing = Passage(field=0.0, gap=1e-3, slope=10.0, lower=0, rate=1e4)
    >>> window_probabilities(h0, g, crossing).sum(axis=0).round(9)
    array([1., 1.])
    """
    method = method if method is not None else Exact()
    h0, g = hermitian_matrix("H0", H0, "K"), hermitian_matrix("G", G, "K/T")
    count = _window_steps(passage, method)
    step = 2.0 * method.window * passage.time / count
    _refuse_unresolved(h0 + passage.field * g, passage, step * count)
    width = method.window * passage.time * passage.rate
    centre = _centre(h0, g, passage, width)
    sign = 1.0 if direction > 0 else -1.0
    ends = np.linalg.eigh(h0 + (centre + sign * width * np.array([-1.0, 1.0]))[:, None, None] * g)[1]
    middle = traceless(h0 + centre * g) / HBAR
    offsets = sign * passage.rate * step * (np.arange(count, dtype=np.float64) + 0.5 - 0.5 * count)
    amplitude = ends[1].conj().T @ _time_ordered(middle, centred(g) / HBAR, offsets, step) @ ends[0]
    probability: NDArray[np.float64] = np.abs(amplitude) ** 2
    return probability


def _time_ordered(
    middle: Matrix, slope: Matrix, offsets: NDArray[np.float64], step: float
) -> NDArray[np.complex128]:
    """Product of exp(-i step (A + x G)) over the offsets x, the first one rightmost.

    Exponentials of neighbouring steps are interpolated in x: an eigh for every one would cost ten times more.
    """
    n = middle.shape[0]
    norm = float(np.max(np.abs(np.linalg.eigvalsh(slope))))
    reach = 0.5 * step * norm * abs(offsets[-1] - offsets[0])
    parts = int(np.clip(np.ceil(reach / _TABLE_REACH), 1, max(1, offsets.size // 8)))
    total = np.eye(n, dtype=np.complex128)
    for part in np.array_split(offsets, parts):
        centre, half = 0.5 * (part[0] + part[-1]), 0.5 * abs(part[-1] - part[0])
        table = exponential_tables(middle, slope, centre, half, np.array([step]))[0]
        series = chebvander((part - centre) / half, table.shape[0] - 1)
        unitary = (series @ table).view(np.complex128).reshape(-1, n, n)
        # The phases of eigh are off by eps |H| step, so the interpolant is unitary to 1e-9: polish it.
        overlap = unitary.conj().transpose(0, 2, 1) @ unitary
        unitary = unitary @ (1.5 * np.eye(n) - 0.5 * overlap)
        while len(unitary) > 1:
            if len(unitary) % 2:
                unitary = np.concatenate([unitary, np.eye(n, dtype=np.complex128)[None]])
            unitary = unitary[1::2] @ unitary[::2]
        total = unitary[0] @ total
    return total


def _centre(h0: Matrix, g: Matrix, passage: Passage, width: float) -> float:
    """Field of the smallest distance [T], from three distances near the one given; checks the passage."""
    size = h0.shape[0]
    if not passage.lower + 1 < size:
        raise InputError(f"lower must be at most {size - 2}, got {passage.lower}; count levels from 0")
    shift = max(0.1 * width, 3.0 * passage.gap / passage.slope)
    fields = passage.field + shift * np.array([-1.0, 0.0, 1.0])
    energies = np.linalg.eigvalsh(h0 + fields[:, None, None] * g)
    squares = (energies[:, passage.lower + 1] - energies[:, passage.lower]) ** 2
    curvature = 0.5 * (squares[0] + squares[2]) - squares[1]
    offset = 0.25 * (squares[0] - squares[2]) / curvature if curvature > 0.0 else np.inf
    slope = np.sqrt(max(curvature, 0.0)) / shift
    gap = np.sqrt(max(squares[1] - curvature * offset**2, 0.0)) if abs(offset) < np.inf else np.inf
    noise = 1e2 * _EPS * float(np.max(np.abs(energies)))
    if not (abs(offset) < 1.0 and abs(slope / passage.slope - 1.0) < 0.1):
        raise ConvergenceError(
            f"passage must be a crossing of levels {passage.lower} and {passage.lower + 1} with slope "
            f"{passage.slope:.4g} K/T at {passage.field:.9g} T, got {slope:.4g} K/T there; "
            "take it from crossings(), or use RateEquations()",
            {"slope": slope, "gap": gap, "offset": offset * shift},
        )
    if not abs(gap - passage.gap) <= 0.1 * passage.gap + noise + 0.05 * passage.slope * shift:
        raise ConvergenceError(
            f"gap must be that of levels {passage.lower} and {passage.lower + 1} at {passage.field:.9g} T, "
            f"{gap:.4g} K, got {passage.gap:.4g} K; take it from crossings(), or use RateEquations()",
            {"gap": gap},
        )
    return float(passage.field + offset * shift)


def _window_steps(passage: Passage, method: Exact) -> int:
    wide = passage.gap > HBAR / passage.time
    return int(np.ceil(2.0 * method.window / (0.5 * method.step if wide else method.step) - 1e-9))


def _treatment(passage: Passage, state: NDArray[np.float64]) -> str:
    if passage.lower + 1 >= state.size:
        raise InputError(f"lower must be at most {state.size - 2}, got {passage.lower}; count levels from 0")
    if not np.any(state[passage.lower : passage.lower + 2] > _EMPTY):
        return "empty"
    if passage.gap == 0.0:
        return "exact crossing"
    return "adiabatic" if passage.exponent > _ADIABATIC else "window"


def _probabilities(populations: ArrayLike, n: int) -> NDArray[np.float64]:
    state = finite_array("populations", populations, shape=(n,))
    if not (np.all(state >= 0.0) and abs(state.sum() - 1.0) <= 1e-9):
        raise InputError(
            f"populations must be non-negative with sum 1, got sum {state.sum():.9g}; divide by it"
        )
    return state


def _in_order(passages: Sequence[Passage], start: float, stop: float) -> list[Passage]:
    low, high = min(start, stop), max(start, stop)
    inside = [p for p in passages if low <= p.field <= high]
    if not inside:
        raise InputError(
            f"start and stop must enclose a crossing, got none between {low:g} and {high:g} T; "
            "widen the span, or use RateEquations()"
        )
    return sorted(inside, key=lambda p: p.field, reverse=stop < start)


def _refuse_neighbours(passage: Passage, met: list[Passage], method: Exact) -> None:
    """Refuse a second avoided crossing of the same levels within the window."""
    for other in met:
        shares = other is not passage and abs(other.lower - passage.lower) <= 1 and other.gap > 0.0
        reach = sum(max(method.window * p.time * p.rate, p.gap / p.slope) for p in (passage, other))
        if shares and not abs(other.field - passage.field) >= reach:
            raise InputError(
                f"windows must be disjoint, got crossings of the same levels at {passage.field:.6g} and "
                f"{other.field:.6g} T, {reach:.3g} T needed between; sweep slower, or use RateEquations()"
            )


def _refuse_overlap(passage: Passage, reached: float, stop: float, direction: float, width: float) -> None:
    before = direction * (passage.field - reached)
    after = direction * (stop - passage.field)
    if not (before >= width and after >= width):
        raise InputError(
            f"windows must be disjoint and inside the span, got {min(before, after):.3g} T beside the "
            f"crossing at {passage.field:.6g} T where {width:.3g} T are needed; "
            "change the span or the rate, or use RateEquations()"
        )


def _refuse_unresolved(h: Matrix, passage: Passage, duration: float) -> None:
    norm = float(np.max(np.abs(np.linalg.eigvalsh(traceless(h)))))
    narrowest = 1e3 * _EPS * norm
    if not passage.gap >= narrowest:
        raise InputError(
            f"gap must be at least {narrowest:.2g} K to be resolved in double precision, got "
            f"{passage.gap:.2g} K at {passage.field:.6g} T; use RateEquations()"
        )
    if not _EPS * norm * duration / HBAR <= 1e-2:
        longest = 1e-2 * HBAR / (_EPS * norm)
        raise InputError(
            f"rate must be high enough to pass a window within {longest:.2g} s, got {duration:.2g} s at "
            f"{passage.field:.6g} T, where rounding blurs the phase; use RateEquations()"
        )


def _refuse_steps(steps: int, method: Exact) -> None:
    if not steps <= method.max_steps:
        raise InputError(
            f"max_steps must allow every window its steps, {steps} so far, got {method.max_steps}; "
            "raise it or shorten the span, or use RateEquations()"
        )
