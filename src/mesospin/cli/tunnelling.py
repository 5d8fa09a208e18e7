"""Commands on tunnel splittings: one pair, maps, wave functions, ensembles, spins of every size."""

from typing import Annotated, Any

import typer

import mesospin as ms
from mesospin.cli import options, values
from mesospin.cli.output import deliver, progress_bar, require_target

Z = "0,0,1"
NONE = "0,0"
_LEVEL = "level:"
_METHODS = "double-precision, certified, large-spin, perturbative or semiclassical"

First = Annotated[
    str, typer.Argument(metavar="M", help="10, -9/2, a label 'm=8, mI=1/2', or level:0 (splitting only).")
]
Second = Annotated[str, typer.Argument(metavar="M'", help="The other level.")]
Resonance = Annotated[
    str | None,
    typer.Option("--B", metavar="FIELD", help="Field [T]; omitted: where the gap is smallest."),
]
DistributionOption = Annotated[
    str | None,
    typer.Option(
        metavar="DISTRIBUTION",
        help="'gaussian:MEAN,WIDTH', 'log-gaussian:MEAN,WIDTH,SCALE', 'rayleigh:WIDTH' or 'values:A,B,...'.",
    ),
]


def splitting(
    system: options.System,
    first: First,
    second: Second,
    B: Resonance = None,
    axis: options.Axis = Z,
    transverse: options.Transverse = NONE,
    method: Annotated[
        str | None,
        typer.Option("--method", help=f"{_METHODS}; chosen for you if omitted."),
    ] = None,
    digits: Annotated[
        int | None, typer.Option("--digits", help="Certified digits; means --method certified.")
    ] = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Print the tunnel splitting (full gap) [K] of a pair of levels, at any size.

    m is the eigenvalue of Sz; at B > 0 the ground level is m = -S.

    \b
    mesospin splitting mn12ac 10 -10
    mesospin splitting mn12ac 10 -10 --digits 30
    mesospin splitting fe8 10 -10 --transverse 0.1,0
    mesospin splitting ho-liyf4 level:0 level:1 --B '20 mT'
    """
    require_target(out)
    answer = ms.tunnel_splitting(
        ms.load(system),
        _pair(first, second),
        B=None if B is None else values.one_field("B", B),
        axis=values.direction("axis", axis),
        transverse=values.field_pair("transverse", transverse),
        method=ms.splitting_method(method, digits),
    )
    deliver(answer.to_dataset(), as_json=as_json, out=out, quiet=quiet)


def splitting_map(
    system: options.System,
    first: First,
    second: Second,
    transverse: Annotated[
        str, typer.Option("--transverse", metavar="FIELD", help="Magnitudes [T], e.g. 0:2:201.")
    ],
    azimuth: Annotated[
        str,
        typer.Option("--azimuth", metavar="ANGLE", help="Directions from x, e.g. '0 deg' or '0:90:46 deg'."),
    ] = "0 deg",
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Map a splitting against transverse field and azimuth: oscillations and zeros of interference.

    \b
    mesospin splitting-map fe8 10 -10 --transverse 0:1.6:321 --out oscillations.png
    mesospin splitting-map fe8 10 -9 --transverse 0:2:101 --azimuth '0:90:46 deg' --out map.png
    """
    require_target(out)
    with progress_bar("splitting map", quiet=quiet or as_json) as progress:
        dataset = ms.splitting_map(
            ms.load(system),
            _states(first, second),
            transverse=values.fields("transverse", transverse),
            azimuth=values.angles("azimuth", azimuth),
            progress=progress,
        )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def diabolical_points(
    system: options.System,
    first: First,
    second: Second,
    Bx: Annotated[str, typer.Option("--Bx", metavar="LO:HI", help="Range of Bx [T], e.g. -1.5:1.5.")],
    By: Annotated[str, typer.Option("--By", metavar="LO:HI", help="Range of By [T].")],
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Find the fields at which two levels are exactly degenerate, with their topological charge.

    \b
    mesospin diabolical-points fe8 10 -10 --Bx=-1.5:1.5 --By=-0.7:0.7 --out points.png
    """
    require_target(out)
    with progress_bar("diabolical points", quiet=quiet or as_json) as progress:
        dataset = ms.diabolical_points(
            ms.load(system),
            _states(first, second),
            Bx=values.span("Bx", Bx),
            By=values.span("By", By),
            progress=progress,
        )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def tunnelling_pair(
    system: options.System,
    first: First,
    second: Second,
    B: Resonance = None,
    axis: options.Axis = Z,
    transverse: options.Transverse = NONE,
    bias: Annotated[
        str, typer.Option("--bias", metavar="FIELD", help="Distance from the resonance [T].")
    ] = "0",
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Show the wave functions of a pair: localised, even and odd, with the weight under the barrier.

    \b
    mesospin tunnelling-pair mn12ac 10 -10 --out wave-functions.png
    """
    require_target(out)
    dataset = ms.tunnelling_pair(
        ms.load(system),
        _states(first, second),
        B=None if B is None else values.one_field("B", B),
        axis=values.direction("axis", axis),
        transverse=values.field_pair("transverse", transverse),
        bias=values.one_field("bias", bias),
    )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def double_well(
    system: options.System,
    B: Annotated[str, typer.Option("--B", metavar="FIELD", help="Field [T].")] = "0",
    axis: options.Axis = Z,
    transverse: options.Transverse = NONE,
    tolerance: Annotated[
        str, typer.Option("--tolerance", metavar="FIELD", help="Pairs this near to a crossing [T] tunnel.")
    ] = "20 mT",
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw the double well: levels on the barrier, climbs by phonons, tunnelling through it.

    \b
    mesospin double-well mn12ac --out well.png
    mesospin double-well mn12ac --B 0.44 --out well.png
    """
    require_target(out)
    dataset = ms.double_well(
        ms.load(system),
        B=values.one_field("B", B),
        axis=values.direction("axis", axis),
        transverse=values.field_pair("transverse", transverse),
        tolerance=values.one_field("tolerance", tolerance),
    )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def splitting_distribution(
    system: options.System,
    first: First,
    second: Second,
    E: DistributionOption = None,
    tilt: DistributionOption = None,
    transverse: DistributionOption = None,
    samples: Annotated[int | None, typer.Option("--samples", help="Molecules drawn; default 10000.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the draws.")] = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Distribution of a splitting over unlike molecules, and its Landau-Zener curves.

    Without a distribution the ensemble of the library is taken.

    \b
    mesospin splitting-distribution mn12ac 10 -6
    mesospin splitting-distribution mn12ac 10 -6 --E 'log-gaussian:6,1,1.1 K' --seed 1 --out e.png
    """
    require_target(out)
    given: dict[str, Any] = {
        name: values.distribution(name, text)
        for name, text in {"E": E, "tilt": tilt, "transverse": transverse}.items()
        if text is not None
    }
    dataset = ms.splitting_distribution(
        ms.load(system), _states(first, second), samples=samples, seed=seed, **given
    )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def quantum_objects(
    D: Annotated[str | None, typer.Option("--D", metavar="ENERGY", help="D of every spin, < 0.")] = None,
    E: Annotated[str, typer.Option("--E", metavar="ENERGY", help="E of every spin.")] = "0 K",
    density: Annotated[
        str | None,
        typer.Option("--density", metavar="KPAR,KPERP", help="Energies per unit of spin, not D and E."),
    ] = None,
    spins: Annotated[
        str | None, typer.Option("--spins", metavar="S,S,...", help="Quantum numbers, e.g. 9/2,10,1000.")
    ] = None,
    transverse: options.Transverse = NONE,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Which spin is a quantum object: splitting, tunnelling time, crossover temperature against its size.

    \b
    mesospin quantum-objects --D '-0.5 K' --E '0.1 K'
    mesospin quantum-objects --density '1 K,2 K' --out grains.png
    """
    require_target(out)
    dataset = ms.quantum_objects(
        values.anisotropy(D, E, density),
        *([] if spins is None else [values.spins("spins", spins)]),
        transverse=values.field_pair("transverse", transverse),
    )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def switching_fields(
    moment: Annotated[float, typer.Option("--moment", metavar="MU_B", help="Moment of the particle [mu_B].")],
    anisotropy_field: Annotated[
        str, typer.Option("--anisotropy-field", metavar="FIELD", help="2K/M_s, e.g. '2 T'.")
    ],
    T: options.Temperatures,
    rate: Annotated[str, typer.Option("--rate", metavar="RATE", help="Sweep rate [T/s], e.g. '1 mT/s'.")],
    hard_field: Annotated[
        str, typer.Option("--hard-field", metavar="FIELD", help="Field of the hard axis.")
    ] = "0",
    angle: Annotated[
        str, typer.Option("--angle", metavar="ANGLE", help="Between field and easy direction.")
    ] = "45 deg",
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Switching fields of one particle and of ensembles, thermal and tunnelling, against temperature.

    \b
    mesospin switching-fields --moment 20000 --anisotropy-field '2 T' --hard-field '1 T' \
        --T 0.02:1:12 --rate '1 mT/s' --out switching.png
    """
    require_target(out)
    particle = ms.Particle(
        moment,
        values.one_field("anisotropy-field", anisotropy_field),
        values.one_field("hard-field", hard_field),
    )
    dataset = ms.switching_fields(
        particle,
        values.temperatures("T", T),
        values.rate("rate", rate),
        angle=values.angle("angle", angle),
    )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def _pair(first: str, second: str) -> "tuple[float, float] | tuple[str, str] | ms.Levels":
    """Return two projections, two labels, or two positions in energy."""
    if first.startswith(_LEVEL) and second.startswith(_LEVEL):
        i, j = (values.position("level", text.removeprefix(_LEVEL)) for text in (first, second))
        return ms.Levels(i, j)
    return _states(first, second)


def _states(first: str, second: str) -> tuple[float, float] | tuple[str, str]:
    a, b = values.state(first), values.state(second)
    if isinstance(a, float) and isinstance(b, float):
        return a, b
    return (a if isinstance(a, str) else first), (b if isinstance(b, str) else second)
