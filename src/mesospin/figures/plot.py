"""One figure for every kind of result."""

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import matplotlib as mpl
import xarray as xr
from matplotlib.figure import Figure

from mesospin.checks import instance_of
from mesospin.errors import InputError
from mesospin.figures.ac import draw_ac_fit, draw_ac_susceptibility, draw_joint_ac_fit
from mesospin.figures.clock_transitions import draw_clock_transitions
from mesospin.figures.curie_weiss import draw_curie_weiss
from mesospin.figures.decay import (
    draw_blocking,
    draw_decay,
    draw_decay_fit,
    draw_square_root_fit,
    draw_zfc_fc,
)
from mesospin.figures.double_well import draw_double_well
from mesospin.figures.doublets import draw_doublets
from mesospin.figures.equilibrium import (
    draw_entropy,
    draw_free_energy,
    draw_heat_capacity,
    draw_magnetisation,
    draw_susceptibility,
)
from mesospin.figures.fit import draw_fit
from mesospin.figures.loop import draw_classical, draw_hysteresis
from mesospin.figures.magnetometer import draw_magnetometer
from mesospin.figures.quantum_objects import draw_quantum_objects
from mesospin.figures.rates import draw_rate_comparison, draw_rate_fit, draw_relaxation_times
from mesospin.figures.relaxation import draw_relaxation
from mesospin.figures.resonance import (
    draw_epr_spectrum,
    draw_neutron_spectrum,
    draw_resonance_fields,
    draw_resonance_frequencies,
)
from mesospin.figures.spectrum import draw_crossings, draw_levels, draw_splitting
from mesospin.figures.splitting_distribution import draw_splitting_distribution
from mesospin.figures.splitting_map import draw_diabolical_points, draw_splitting_map
from mesospin.figures.style import STYLE
from mesospin.figures.sweep import draw_sweep
from mesospin.figures.switching import draw_switching
from mesospin.figures.torque import draw_torque
from mesospin.figures.wave_functions import draw_tunnelling_pair

_DRAW: Final[dict[str, Callable[[xr.Dataset], Figure]]] = {
    "levels": draw_levels,
    "doublets": draw_doublets,
    "clock_transitions": draw_clock_transitions,
    "crossings": draw_crossings,
    "splitting": draw_splitting,
    "splitting_map": draw_splitting_map,
    "diabolical_points": draw_diabolical_points,
    "tunnelling_pair": draw_tunnelling_pair,
    "double_well": draw_double_well,
    "splitting_distribution": draw_splitting_distribution,
    "quantum_objects": draw_quantum_objects,
    "switching": draw_switching,
    "magnetisation": draw_magnetisation,
    "susceptibility": draw_susceptibility,
    "heat_capacity": draw_heat_capacity,
    "entropy": draw_entropy,
    "free_energy": draw_free_energy,
    "torque": draw_torque,
    "curie_weiss": draw_curie_weiss,
    "resonance_fields": draw_resonance_fields,
    "resonance_frequencies": draw_resonance_frequencies,
    "epr_spectrum": draw_epr_spectrum,
    "neutron_spectrum": draw_neutron_spectrum,
    "fit": draw_fit,
    "relaxation": draw_relaxation,
    "hysteresis": draw_hysteresis,
    "sweep": draw_sweep,
    "stoner_wohlfarth": draw_classical,
    "square_root_fit": draw_square_root_fit,
    "rate_comparison": draw_rate_comparison,
    "decay": draw_decay,
    "zfc_fc": draw_zfc_fc,
    "blocking": draw_blocking,
}
_DRAW_WITH_THEORY: Final[dict[str, Callable[[xr.Dataset, Sequence[xr.Dataset]], Figure]]] = {
    "magnetometer": draw_magnetometer,
    "ac_fit": draw_ac_fit,
    "joint_ac_fit": draw_joint_ac_fit,
    "ac_susceptibility": draw_ac_susceptibility,
    "decay_fit": draw_decay_fit,
    "rate_fit": draw_rate_fit,
    "relaxation_times": draw_relaxation_times,
}


def plot(dataset: xr.Dataset, *, theory: xr.Dataset | Sequence[xr.Dataset] = ()) -> Figure:
    r"""Return the figure of a result.

    Parameters
    ----------
    dataset : xarray.Dataset
        What a function of this package returned (`levels`, `splitting_map`, `hysteresis`, ...), what
        `Splitting.to_dataset` did, or `open_result` read.
    theory : xarray.Dataset or sequence of them, optional
        Results drawn dashed over measured relaxation (of `read_magnetometer`, `fit_ac`, `fit_ac_jointly`,
        `fit_decay`, `fit_rates`): chi' and chi'' of `ac_susceptibility`, relaxation times of whatever has
        ``tau`` (`relaxation_rates`, a fit of computed data).

    Returns
    -------
    matplotlib.figure.Figure
        Not attached to any window; ``figure.savefig("loop.pdf")`` writes it, and a notebook shows it.

    Raises
    ------
    InputError
        If the dataset is not a result of this package, or theory is given for a kind that takes none.

    Examples
    --------
    >>> import numpy as np
    >>> import mesospin as ms
    >>> figure = plot(ms.levels(ms.giant_spin(2, D=-1.0), B=np.linspace(0, 5, 11)))
    >>> figure.axes[0].get_ylabel()
    'energy $E/k_\\mathrm{B}$ (K)'
    """
    if not isinstance(dataset, xr.Dataset):
        raise InputError(
            f"dataset must be a result of mesospin, got {type(dataset).__name__}; give a Dataset"
        )
    kind = dataset.attrs.get("kind")
    known = (*_DRAW, *_DRAW_WITH_THEORY)
    if kind not in known:
        raise InputError(
            f"dataset must be a result that has a figure ({', '.join(known)}), got kind {kind!r}; "
            "draw its variables with matplotlib"
        )
    lines = (theory,) if isinstance(theory, xr.Dataset) else tuple(theory)
    for line in lines:
        instance_of("theory", line, xr.Dataset, hint="give results, such as of ac_susceptibility")
    if lines and kind not in _DRAW_WITH_THEORY:
        raise InputError(
            f"theory must be given with measured relaxation ({', '.join(_DRAW_WITH_THEORY)}) only, got kind "
            f"{kind!r}; draw each result by itself"
        )
    with mpl.rc_context(rc=cast("Any", STYLE)):
        return _DRAW_WITH_THEORY[kind](dataset, lines) if kind in _DRAW_WITH_THEORY else _DRAW[kind](dataset)
