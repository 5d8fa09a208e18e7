"""Barbara's review, the older experiment and its pictures: particles, ensembles, the double well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import xarray as xr

from mesospin.experiment.particles.particle import Particle
from mesospin.experiment.particles.switching import switching_fields
from mesospin.experiment.splittings.splitting_distribution import splitting_distribution
from mesospin.model.library import load
from mesospin.report.validation.rows import Row, Source
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting
from mesospin.spectrum.wells.double_well import double_well

_OLDER: Final = Source("Barbara review, the older experiment")
_FIGURES: Final = Source("Barbara review, Figs. 2, 3, 5")
_COLDEST, _COLD, _HOT = 0.02, 0.05, 1.0


@lru_cache(maxsize=1)
def _particles() -> xr.Dataset:
    """Return a grain of 20 000 Bohr magnetons cooled through its crossover near 0.11 K."""
    grain = Particle(20000, "2 T", "1 T")
    return switching_fields(
        grain, [_COLDEST, _COLD, _HOT], "1 mT/s", angle="45 deg", angles=["20 deg", "70 deg"]
    )


def plateaus() -> Sequence[Row]:
    """Return the rows on what a switching field independent of temperature proves."""
    table = _particles()
    mean, width = table.mean_field, table.field_width.sel(temperature=_COLDEST)
    plateau = abs(mean.sel(temperature=_COLD) - mean.sel(temperature=_COLDEST)) / width
    change = {case: float(plateau.sel(case=case)) for case in table.case.values}
    quantum = mean.sel(case="tunnelling particle")
    one = float(width.sel(case="tunnelling particle"))
    activated = float(quantum.sel(temperature=_COLDEST) - quantum.sel(temperature=_HOT)) / one
    leak = mean.sel(case="overheated particle") - quantum
    apart = abs(float(leak.sel(temperature=_COLDEST))) / one
    spread = table.field_width.sel(case="thermal ensemble").values
    viscosity = table.viscosity.sel(case="wide thermal ensemble").values
    return [
        _OLDER.number(
            "older-plateau",
            "switching field independent of temperature: change from 20 to 50 mK over the width, tunnelling",
            0.0,
            change["tunnelling particle"],
            atol=0.05,
            reason=f"grain of 20 000 mu_B; {change['thermal particle']:.0f} widths for a thermal one",
        ),
        _OLDER.statement(
            "older-activated",
            "the same grain at high temperature",
            "thermally activated",
            f"switches {activated:.0f} cold widths earlier at 1 K",
            activated > 10,
        ),
        _OLDER.statement(
            "older-heat-leak",
            "independence of temperature, suggesting a crossover to tunnelling",
            "rather ambiguous",
            f"a thermal grain behind a heat leak has the same plateau within {apart:.1g} widths",
            apart < 0.1 and change["overheated particle"] < 0.5,
            reason="ambiguous for one particle and without any distribution already",
        ),
        _OLDER.number(
            "older-ensemble",
            "ambiguous because of distributions: width of thermal particles at 20 mK over that at 1 K",
            1.0,
            float(spread[0] / spread[-1]),
            rtol=0.01,
            reason=f"nothing tunnels; it is the spread, {spread[0] / one:.0f} times the width of one",
        ),
        _OLDER.number(
            "older-viscosity",
            "the same: viscosity of thermal particles with barriers as 1/U at 20 mK over that at 1 K",
            1.0,
            float(viscosity[0] / viscosity[-1]),
            rtol=0.01,
            reason="slow relaxation follows the distribution of barriers; nothing tunnels",
        ),
    ]


def what_decides() -> Sequence[Row]:
    """Return the rows on single and on identical particles."""
    table = _particles()
    cold = table.sel(temperature=_COLDEST)
    by_angle = float(table.needed_angle.max())
    alone = max(float(cold.needed_mean), float(cold.needed_width))
    variation = {case: float(cold.waiting_variation.sel(case=case)) for case in table.case.values}
    six = splitting_distribution(load("mn12ac"), (10, -4))
    fields = float(np.ptp(six.field.values)) / float(six.field.mean())
    return [
        _OLDER.statement(
            "older-single",
            "single particles tell: switchings needed at 20 mK, 95 % confidence",
            "project of single-particle measurements",
            f"{alone:.0f} against a cold thermal grain, {by_angle:.0f} against a heat leak by the angle",
            alone < 100 and by_angle < 100,
            reason=f"against a heat leak by the width alone {float(cold.needed_imitation):.0e}",
        ),
        _OLDER.number(
            "older-waiting",
            "waiting times of one particle: coefficient of variation",
            1.0,
            variation["tunnelling particle"],
            atol=1e-3,
            reason=f"exponential; {variation['thermal ensemble']:.1f} for the ensemble, told apart by "
            f"{float(cold.needed_waiting):.0f} times",
        ),
        _OLDER.statement(
            "older-identical",
            "identical particles: Mn12-acetate with its solvent isomers, n = 6",
            "ensemble measurements sufficient",
            f"step fields equal to {fields:.1g}, splittings spread by {float(six.spread_log10):.2f} decades",
            fields < 0.01,
            reason="fields identify the crossings; heights of steps are averages",
        ),
    ]


def pictures() -> Sequence[Row]:
    """Return the rows on the drawn double well."""
    molecule = load("mn12ac")
    well = double_well(molecule)
    m = well.m.values
    below, above = well.climb_from.values, well.climb_to.values
    # a phonon does not connect two degenerate levels
    rising = well.energy.values[above] > well.energy.values[below] + 1e-6
    below, above = below[rising], above[rising]
    climbs = np.abs(m[above] - m[below])
    side = well.side.values
    across = np.count_nonzero(side[above] * side[below] < 0)
    first = tunnel_splitting(molecule, (10, -9)).field
    scheme = double_well(molecule, B=first, tolerance=0.1)
    fields = scheme.crossing_field.values
    return [
        _FIGURES.number(
            "barrier-classical",
            "E(theta) with C: lowest way over the classical barrier",
            66.5,
            float(well.barrier[0]),
            "K",
            rtol=0.01,
            reason="C lowers it by 2 C S^4 = 0.44 K along two of the azimuths",
        ),
        _FIGURES.statement(
            "fig2-climbs",
            "red arrows: intra-well states connected by spin-phonon transitions",
            "neighbours of one well",
            f"steps of {sorted({int(step) for step in climbs})} in m; {across} of {len(climbs)} lead across",
            across == 0 and set(climbs) <= {1.0, 2.0},
            reason="steps of 2 are as strong as those of 1 near the top",
        ),
        _FIGURES.number(
            "fig3-coincidence",
            "all pairs (-S+k, S-1-k) drawn in resonance at the field of n = 1: field of the fourth",
            first,
            float(fields.min()),
            "T",
            atol=1e-3,
            reason="true with D alone; with B every pair has its own field, and C opens none of them",
            should_hold=False,
        ),
    ]


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (plateaus, what_decides, pictures)
