"""Tunnel splittings of measured samples: lanthanides with their nuclei, the spread of Mn12-acetate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import xarray as xr

from mesospin.constants import KELVIN_PER_GIGAHERTZ
from mesospin.experiment.splittings.splitting_distribution import splitting_distribution
from mesospin.model.distributions import LogGaussian
from mesospin.model.library import load
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.report.validation.rows import Row, Source
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting

_ERBIUM: Final = Source("Luis et al. 2010 (ErW10)")
_HOLMIUM: Final = Source("Shiddiq et al. 2016 (from memory)")
_MERTES: Final = Source("Mertes et al. 2002")


def lanthanides() -> Sequence[Row]:
    """Return the rows on the ions whose tunnelling is measured."""
    printed, repaired = load("erw10-printed"), load("erw10-repaired:b40")
    dipolar = (7e-3, 0.0)
    doublets = [
        tunnel_splitting(ion, (m, -m), transverse=dipolar).kelvin
        for ion, m in ((printed, 7.5), (repaired, 6.5))
    ]
    closed = tunnel_splitting(printed, (7.5, -7.5))
    nuclear, printed_nuclear = (
        _electronuclear(load(name), m) for name, m in (("erw10-167:repaired", 13), ("erw10-167", 15))
    )
    small = sum(gap < 1e-9 for gap in nuclear.values())
    widest, widest_printed = (max(gaps, key=lambda i: gaps[i]) for gaps in (nuclear, printed_nuclear))
    clock = tunnel_splitting(load("how10"), ("m=4, mI=1/2", "m=-4, mI=1/2")).kelvin / KELVIN_PER_GIGAHERTZ
    return [
        _ERBIUM.number(
            "erbium-kramers",
            "electronic states of isotopes without nuclear spin degenerate at zero field",
            0.0,
            closed.kelvin,
            "K",
            reason="Kramers' theorem; B44 alone would not connect them either",
        ),
        _ERBIUM.number(
            "erbium-splitting",
            "splitting in the dipolar field of 70 Oe across the axis, crystal field as printed",
            8e-5,
            doublets[0],
            "K",
            rtol=0.25,
            reason="the printed field puts +-15/2 lowest, against the text",
            should_hold=False,
        ),
        _ERBIUM.number(
            "erbium-splitting-repaired",
            "the same with B40 = -0.70e-2 K, which puts +-13/2 lowest",
            8e-5,
            doublets[1],
            "K",
            rtol=0.05,
            reason="B40 is a conjecture",
            should_hold=False,
        ),
        _ERBIUM.statement(
            "erbium-167",
            "167Er: splitting of the simultaneous reversal of electron and nucleus, zero field",
            "about 0",
            f"below 1e-9 K for {small} of 8 pairs, {nuclear[widest]:.2g} K for (13/2, {widest}/2)",
            small == len(nuclear),
            reason="electron and nucleus together are no Kramers system: one flip-flop is enough; "
            f"{printed_nuclear[widest_printed]:.2g} K for (15/2, {widest_printed}/2) as printed",
            should_hold=False,
        ),
        _HOLMIUM.number(
            "holmium-clock", "clock transition of HoW10, (4, -4), 9.18 GHz", 9.18, clock, "GHz", rtol=0.01
        ),
    ]


def _electronuclear(ion: SpinSystem, twice_m: int) -> dict[int, float]:
    """Return the splittings of (m, mI) and (-m, -mI) [K] for 2 mI = 7 ... -7."""
    return {
        i: tunnel_splitting(ion, (f"m={twice_m}/2, mI={i}/2", f"m={-twice_m}/2, mI={-i}/2")).kelvin
        for i in range(7, -8, -2)
    }


def distributions() -> Sequence[Row]:
    """Return the rows on the spread of the splittings of Mn12-acetate."""
    spread = {n: _spread_of_rhombicity(n) for n in (4, 6, 8)}
    closed = [float(_spread_of_rhombicity(n).zero_share) for n in (5, 7, 9)]
    widths = {n: float(np.log(ds.rhombic).std()) for n, ds in spread.items()}
    ratios = {n: float(ds.spread_log10) * math.log(10) / widths[n] for n, ds in spread.items()}
    logarithm = spread[6].log10_splitting.values
    frozen = spread[6].remaining_frozen.values
    shuffled = spread[6].remaining_redrawn.values
    return [
        *(
            _MERTES.number(
                f"mertes-width-{n}",
                f"ln(splitting) over X = -ln(E/2D): ratio of the widths, step n = {n}, (2S-n)/2",
                (20 - n) / 2,
                ratio,
                rtol=1e-3,
                reason="E acts (2S-n)/2 times" if n == 4 else "",
            )
            for n, ratio in ratios.items()
        ),
        _MERTES.number(
            "mertes-gaussian",
            "Gaussian X gives a Gaussian ln(splitting): skewness at n = 6",
            0.0,
            float(np.mean((logarithm - logarithm.mean()) ** 3) / logarithm.std() ** 3),
            atol=0.05,
        ),
        _MERTES.number(
            "mertes-collapse",
            "share left after 10 sweeps at the rate r and after one at r/10: largest difference, n = 6",
            0.0,
            float(np.abs(frozen[1, 4:] - frozen[0, :-4]).max()),
            atol=1e-12,
            reason="every molecule keeps its splitting",
        ),
        _MERTES.statement(
            "mertes-shuffling",
            "dipolar shuffling of the splittings between sweeps",
            "negligible",
            f"would take the curves apart by up to {np.abs(frozen - shuffled).max():.2f}",
            bool(np.abs(frozen - shuffled).max() > 0.1),
            reason="so the observed collapse excludes it",
        ),
        _MERTES.statement(
            "mertes-odd-steps",
            "steps n = 4 to 9 by a distribution of E",
            "fit",
            f"n = 5, 7, 9: share {min(closed):g} exactly zero",
            not any(closed),
            reason="E changes m by 2; odd n need a tilt of the axis or a transverse field",
            should_hold=False,
        ),
    ]


def _spread_of_rhombicity(n: int) -> xr.Dataset:
    """Return the splittings of the step n for a Gaussian X, with curves at four rates a decade."""
    return splitting_distribution(
        giant_spin(10, D=-0.548, g=1.94),
        (10, n - 10),
        E=LogGaussian(6.0, 0.5, scale="1.096 K"),
        seed=1,
        samples=200,
        rates=np.geomspace(1e-30, 1e-8, 89).tolist(),
        passages=(1, 10),
    )


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (lanthanides, distributions)
