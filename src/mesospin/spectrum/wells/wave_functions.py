"""The wave functions of a tunnelling pair: localised in either well, and the even and odd levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from mesospin.checks import finite, finite_array
from mesospin.errors import ConvergenceError, InputError, TooLargeError
from mesospin.model.system import SpinSystem
from mesospin.results import result, variable
from mesospin.spectrum.downfold import downfold_pairs
from mesospin.spectrum.matrices import basis_labels, electronic_projection, field_line
from mesospin.spectrum.tunnelling.problem import read_pair
from mesospin.spectrum.tunnelling.splitting import Splitting, tunnel_splitting
from mesospin.spectrum.wells.dressed_states import TwoLevels, two_levels

#: Weight that the named states must have in their dressed states.
_LABEL_WEIGHT = 0.5
#: Agreement asked of the coupling of the dressed states and of the splitting by its own methods.
_AGREEMENT = 1e-3
#: Gaps below this leave amplitudes at the end of the double range [K].
_SMALLEST = 1e-290


def tunnelling_pair(
    system: SpinSystem,
    pair: Sequence[float] | Sequence[str],
    *,
    B: float | None = None,
    axis: Sequence[float] = (0.0, 0.0, 1.0),
    transverse: Sequence[float] = (0.0, 0.0),
    bias: float = 0.0,
) -> xr.Dataset:
    r"""Return the wave functions of a tunnelling pair: both localised states and both levels.

    Parameters
    ----------
    system : SpinSystem
        The system.
    pair : (m, m') or two labels
        As for `tunnel_splitting`.
    B : float [T], optional
        Field along ``axis``; must be the resonance of the pair, which is taken when it is omitted.
    axis : three numbers, default z
        Direction of that field.
    transverse : two numbers (Bx, By) [T], default none
        Constant field added to it.
    bias : float [T], default 0
        Distance from the resonance along ``axis``; it may be smaller than the last digit of the field.

    Returns
    -------
    xarray.Dataset
        Along ``state`` (left, right, even, odd) and ``m`` (a single spin) or ``basis`` (product states,
        with ``label`` and electronic ``m``): ``amplitude_re``, ``amplitude_im``, ``probability``,
        ``log10_probability``.  Along ``state``: ``energy`` [K] and its ``offset`` from the mean of the two
        levels [K]; ``mean_sz``, electronic; ``label_weight``, the probability on the named states (on
        its own one for left and right); ``participation``, the inverse of the sum of squared
        probabilities; ``weight_under_barrier``; ``well_weight`` (state, well).  Along the basis:
        ``diagonal`` energy [K], ``forbidden``, ``side`` (-1, 0, 1).  Scalars: ``splitting`` and
        ``log10_splitting``; ``distance`` of the two levels [K]; ``field`` of the resonance, ``bias`` [T];
        ``bias_energy`` E_left - E_right [K] and its ``slope`` [K/T]; ``mixing_angle``, ``phase`` [rad];
        ``coupling_re``, ``coupling_im`` [K]; ``overlap``; ``ground``; ``zero`` and ``reason``.

    Raises
    ------
    InputError
        If the pair cannot be read, never meets, is too strongly mixed to carry its names, is not resonant
        at ``B``, or other levels come between the two at that ``bias``.
    TooLargeError
        If the dense matrices do not fit in memory, or the splitting is below 1e-290 K.
    ConvergenceError
        If interference cancels the coupling to fewer digits than double precision keeps.

    Notes
    -----
    *Left* is the named state of the smaller electronic projection m.  Left and right are dressed states at
    their own energies: no admixture of the partner, normalised, orthogonal up to ``overlap`` (about the
    splitting over the spacing of levels).  The amplitudes of the four states on the left name (on the right
    one for *right*) are real and positive.  *Even* is the level whose amplitude on the right name has a
    ``phase`` within 90 degrees, zero where H is real; *odd* has the opposite sign.

    The even level is the lower one where :math:`\mathrm{Re}\,\langle L|H|R\rangle e^{i\,phase} < 0`.  A
    path of k steps, each with the matrix element v, through k - 1 states of the barrier, whose
    denominators are negative, gives it the sign of :math:`v(-v)^{k-1}`: for v < 0 the even level is the
    ground state (it has no node); for v > 0 it is so for even k only.

    At resonance the levels are :math:`(|L\rangle\pm e^{i\,phase}|R\rangle)/\sqrt2`, to within ``overlap``; a
    bias turns them by the `mixing_angle` until each is localised.  Where nothing couples the wells, "even"
    and "odd" are this sum and difference at resonance, and the lower and the upper state elsewhere.

    A basis state is ``forbidden`` where its diagonal energy exceeds that of both named states at this
    field: a classical moment of that projection and the same energy does not exist.  A state is on the
    ``side`` of the named state with the nearer projection, 0 midway.

    Amplitudes have relative errors near 1e-12 down to the smallest, of *odd* next to its node excepted.

    Examples
    --------
    Spin 1 in closed form: sum and difference of m = 1 and -1, 2E apart, the odd one below for E > 0:

    >>> from mesospin.model.system import giant_spin
    >>> ds = tunnelling_pair(giant_spin(1, D=-1.0, E=1e-9), (1, -1))
    >>> ds.amplitude_re.sel(state="odd").values.round(6) + 0.0
    array([-0.707107,  0.      ,  0.707107])
    >>> str(ds.ground.values), f"{float(ds.distance):.6e}"
    ('odd', '2.000000e-09')
    """
    shift = finite("bias", bias, "T")
    named = read_pair(system, pair)
    gap = tunnel_splitting(system, pair, B=B, axis=axis, transverse=transverse)
    if not gap.is_zero_by_symmetry and gap.kelvin < _SMALLEST:
        msg = (
            f"the splitting must be above {_SMALLEST:g} K for amplitudes in double precision, got "
            f"1e{gap.log10:.1f} K; only tunnel_splitting(...).log10 holds it"
        )
        raise TooLargeError(msg)
    m = electronic_projection(system)
    first, second = sorted(named.states, key=lambda state: (m[state], state))
    line = field_line(system, axis=axis, transverse=transverse)
    meeting = downfold_pairs(line, np.array([first]), np.array([second]))
    if not (meeting.converged[0] and meeting.weight[0] > _LABEL_WEIGHT):
        msg = (
            f"the levels {named.names[0]} and {named.names[1]} are mixed too strongly to carry these labels; "
            "name a pair nearer to the bottom of the wells or lower the transverse field"
        )
        raise InputError(msg)
    found = two_levels(
        line,
        (first, second),
        field=float(meeting.crossing[0]),
        energy=float(meeting.energy[0]),
        bias=shift,
        zero=gap.is_zero_by_symmetry,
    )
    _check_agreement(found, gap)
    inputs = {"pair": list(named.names), "axis": list(axis), "transverse": list(transverse), "bias": shift}
    diagonal = line.at(found.field + shift).diagonal().real
    return _dataset(system, (first, second), found, gap, diagonal, inputs)


def mixing_angle(splitting: ArrayLike, slope: ArrayLike, bias: ArrayLike) -> NDArray[np.float64]:
    r"""Return the angle by which a bias turns the two levels away from the localised states.

    .. math:: \vartheta = \tfrac12\arctan2(\Delta, \varepsilon),\qquad \varepsilon = s\,\delta B

    The lower level is :math:`\sin\vartheta` of the left state and :math:`\cos\vartheta` of the right one.

    Parameters
    ----------
    splitting : array-like [K]
        Full gap at resonance.
    slope : array-like [K/T]
        d(E_left - E_right)/dB.
    bias : array-like [T]
        Distance from the resonance, small enough that other levels stay away.

    Returns
    -------
    ndarray [rad]
        pi/4 at resonance; 0 where the right state is far below, pi/2 where the left one is.

    Raises
    ------
    InputError
        If a number is not finite.

    Examples
    --------
    A bias of ten gaps leaves one part in four hundred in the other well:

    >>> float(np.cos(mixing_angle(1e-12, -1.0, 10e-12)) ** 2)
    0.00248...
    """
    gap = np.abs(finite_array("splitting", splitting, "K"))
    energy = finite_array("slope", slope, "K/T") * finite_array("bias", bias, "T")
    return np.asarray(0.5 * np.arctan2(gap, energy), dtype=np.float64)


def _check_agreement(found: TwoLevels, gap: Splitting) -> None:
    """Refuse a coupling that the dressed states do not hold."""
    if gap.is_zero_by_symmetry:
        return
    apart = abs(found.splitting / gap.kelvin - 1)
    if not apart <= max(_AGREEMENT, 10 * gap.relative_error):
        msg = (
            f"the splitting of {gap.pair[0]} and {gap.pair[1]} comes out {apart:.1e} off the value of "
            f"{gap.method} from the dressed states, whose couplings cancel or mix with other levels; "
            "move the transverse field away from the interference or name a deeper pair"
        )
        raise ConvergenceError(msg, {"dressed": found.splitting, "splitting": gap.kelvin})


class _Four(NamedTuple):
    """The four states (4, n), the mean of the two levels and offsets from it [K], phase [rad], lowest one."""

    states: NDArray[Any]
    centre: float
    offsets: NDArray[np.float64]
    phase: float
    ground: str


def _four(found: TwoLevels, pair: tuple[int, int]) -> _Four:
    """Return left, right, even and odd with their phases fixed."""
    a, b = pair
    down, up = found.states
    # phase of the right amplitude in the lower level: that of -<R|H|L>
    turn = -np.conj(found.coupling) / abs(found.coupling) if found.coupling else 1.0 + 0j
    lower_is_even = turn.real > 1e-12 or (abs(turn.real) <= 1e-12 and turn.imag > 0)
    phase = float(np.angle(turn if lower_is_even else -turn)) + 0.0
    even, odd = (down, up) if lower_is_even else (up, down)
    lower, upper = found.offsets
    half, mean = 0.5 * found.bias_energy, 0.5 * (lower + upper)
    distance = 0.5 * (upper - lower)
    offsets = [
        half - mean,
        -half - mean,
        *((-distance, distance) if lower_is_even else (distance, -distance)),
    ]
    left, right = found.localised
    names = (a, b, a, a)
    states = [
        _with_phase(state, name if state[name] != 0 else b)
        for state, name in zip((left, right, even, odd), names, strict=True)
    ]
    ground = "even" if lower_is_even else "odd"
    if not found.coupling:
        ground = "degenerate" if half == 0 else ("right" if half > 0 else "left")
    return _Four(np.stack(states), found.centre + mean, np.array(offsets) + 0.0, phase, ground)


def _with_phase(state: NDArray[Any], name: int) -> NDArray[Any]:
    """Return the state with a real, positive amplitude on one basis state."""
    return np.asarray(state * (np.conj(state[name]) / abs(state[name])) + 0.0)  # no negative zeros


def _dataset(
    system: SpinSystem,
    pair: tuple[int, int],
    found: TwoLevels,
    gap: Splitting,
    diagonal: NDArray[np.float64],
    inputs: dict[str, Any],
) -> xr.Dataset:
    four = _four(found, pair)
    m = electronic_projection(system)
    size = np.abs(four.states)
    probability = size**2
    with np.errstate(divide="ignore"):
        logarithm = 2 * np.log10(size)
    forbidden = diagonal > diagonal[list(pair)].max()
    forbidden[list(pair)] = False
    side = _sides(m, pair)
    wells = np.stack([side == -1, side == 1])
    on_names = probability[:, list(pair)].sum(axis=1)
    on_names[:2] = probability[[0, 1], list(pair)]
    single = len(system.spins) == 1
    basis = "m" if single else "basis"
    along, both = "state", ("state", basis)
    variables = {
        "amplitude_re": variable(both, four.states.real, "1", "amplitude, real part"),
        "amplitude_im": variable(both, four.states.imag, "1", "amplitude, imaginary part"),
        "probability": variable(both, probability, "1", "probability"),
        "log10_probability": variable(both, logarithm, "1", "log10 of the probability"),
        "energy": variable(along, four.centre + four.offsets, "K", "energy"),
        "offset": variable(along, four.offsets, "K", "energy from the mean of both levels"),
        "mean_sz": variable(along, probability @ m, "1", "mean of the electronic Sz"),
        "label_weight": variable(along, on_names, "1", "probability on the named states"),
        "participation": variable(along, 1 / (probability**2).sum(axis=1), "1", "participation"),
        "weight_under_barrier": variable(
            along, probability[:, forbidden].sum(axis=1), "1", "probability under the barrier"
        ),
        "well_weight": variable(("state", "well"), probability @ wells.T, "1", "probability in the well"),
        "diagonal": variable(basis, diagonal, "K", "diagonal energy"),
        "forbidden": variable(basis, forbidden, "1", "above both named states"),
        "side": variable(basis, side, "1", "side of the barrier"),
    }
    variables |= _scalars(found, gap, four, float(inputs["bias"]))
    coords: dict[str, Any] = {"state": ["left", "right", "even", "odd"], "well": ["left", "right"]}
    coords |= {"state_label": variable("well", [basis_labels(system)[k] for k in pair], "1", "named state")}
    coords |= {"m": variable(basis, m, "1", "projection m")}
    if not single:
        coords |= {"label": variable(basis, list(basis_labels(system)), "1", "product state")}
    return result("tunnelling_pair", system, variables, coords, inputs)


def _scalars(found: TwoLevels, gap: Splitting, four: _Four, bias: float) -> dict[str, Any]:
    lower, upper = found.offsets
    overlap = abs(np.vdot(*found.localised))
    full = 0.0 if gap.is_zero_by_symmetry else gap.kelvin
    angle = 0.5 * math.atan2(2 * abs(found.coupling), found.bias_energy)
    if four.ground == "degenerate":
        angle = math.pi / 4
    entries = {
        "splitting": (full, "K", "tunnel splitting (full gap)"),
        "log10_splitting": (gap.log10, "1", "log10 of the splitting in K"),
        "distance": (upper - lower, "K", "distance of the two levels"),
        "field": (found.field, "T", "field of the resonance"),
        "bias": (bias, "T", "distance from the resonance"),
        "bias_energy": (found.bias_energy + 0.0, "K", "energy of left above right"),
        "slope": (found.slope, "K/T", "d(E_left - E_right)/dB"),
        "mixing_angle": (angle, "rad", "mixing angle"),
        "phase": (four.phase, "rad", "phase of the right amplitude of even"),
        "coupling_re": (found.coupling.real, "K", "<left|H|right>, real part"),
        "coupling_im": (found.coupling.imag, "K", "<left|H|right>, imaginary part"),
        "overlap": (overlap, "1", "overlap of left and right"),
        "ground": (four.ground, "1", "lowest of the four states"),
        "zero": (gap.is_zero_by_symmetry, "1", "gap exactly zero"),
        "reason": (gap.reason, "1", "reason for a zero gap"),
    }
    return {name: variable((), *entry) for name, entry in entries.items()}


def _sides(m: NDArray[np.float64], pair: tuple[int, int]) -> NDArray[np.int64]:
    """Return -1 or 1 for basis states nearer to the left or the right name, 0 midway."""
    middle = 0.5 * (m[pair[0]] + m[pair[1]])
    if m[pair[0]] == m[pair[1]]:
        return np.zeros(len(m), dtype=np.int64)
    return np.asarray(np.sign(np.round(2 * (m - middle))), dtype=np.int64)
