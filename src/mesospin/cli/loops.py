"""Commands on dynamics: relaxation, hysteresis, and a study from its file."""

from pathlib import Path
from typing import Annotated, Any

import typer

import mesospin as ms
from mesospin.cli import options, values
from mesospin.cli.interruption import Interrupted
from mesospin.cli.output import deliver, note, print_table, progress_bar, require_target, say_json
from mesospin.errors import MesospinError
from mesospin.report.content import summary
from mesospin.report.tables import tables

Workers = Annotated[int, typer.Option("--workers", help="Processes that share the work; same numbers.")]

Cluster = Annotated[
    str | None, typer.Option("--cluster", metavar="ADDRESS", help="Dask scheduler, e.g. tcp://10.0.0.1:8786.")
]

Azimuth = Annotated[str, typer.Option("--azimuth", metavar="ANGLE", help="Direction of the tilt.")]
Powder = Annotated[
    int | None, typer.Option("--powder", metavar="DEGREE", help="Average over directions (Lebedev rule).")
]
Dipolar = Annotated[
    str | None, typer.Option("--dipolar", metavar="WIDTH", help="Frozen dipolar field: '25 mT' or none.")
]
FieldStep = Annotated[str, typer.Option("--field-step", metavar="FIELD", help="Spacing of the result.")]

OneMolecule = Annotated[
    bool, typer.Option("--one-molecule", help="One ideal molecule instead of the ensemble of the library.")
]


def relaxation(
    system: options.System,
    T: options.Temperatures,
    B: Annotated[
        str,
        typer.Option("--B", metavar="FIELD", help="Field [T]: '0.3', '0,0.44' or '0:2:401' (lo:hi:points)."),
    ] = "0",
    axis: options.Axis = "0,0,1",
    transverse: options.Transverse = "0,0",
    dipolar: Dipolar = None,
    one_molecule: OneMolecule = False,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Relaxation time [s] through phonons and tunnelling, with the path that carries it.

    Several temperatures give the Arrhenius fit; several fields show the resonances as dips.

    \b
    mesospin relaxation mn12ac --T 2:4:11
    mesospin relaxation mn12ac --T '2.4,2.8 K' --B 0:1.5:301 --out tau.png
    """
    require_target(out)
    dataset = ms.relaxation_rates(
        ms.load(system),
        values.temperatures("T", T),
        values.fields("B", B),
        axis=values.direction("axis", axis),
        transverse=values.field_pair("transverse", transverse),
        **surroundings(dipolar, one_molecule),
    )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def hysteresis(
    system: options.System,
    T: options.Temperatures,
    rate: Annotated[str, typer.Option("--rate", metavar="RATE", help="Sweep rate [T/s]: '3 mT/s' or 0.003.")],
    span: options.Span,
    transverse: options.Transverse = "0,0",
    tilt: Annotated[
        str, typer.Option("--tilt", metavar="ANGLE", help="Easy axis to field: '1.5 deg'.")
    ] = "0 deg",
    azimuth: Azimuth = "0 deg",
    axis: options.Axis = "0,0,1",
    powder: Powder = None,
    dipolar: Dipolar = None,
    field_step: FieldStep = "2 mT",
    one_molecule: OneMolecule = False,
    workers: Workers = 1,
    cluster: Cluster = None,
    checkpoint: Annotated[
        str | None,
        typer.Option("--checkpoint", metavar="FOLDER", help="Keep finished parts; resume from them."),
    ] = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Compute the staircase: hysteresis loop at several temperatures, and the table of its steps.

    At B > 0 the ground level is m = -S; step n is the resonance of the metastable ground level +S with -S+n.

    \b
    mesospin hysteresis mn12ac --T 0.05,1.9 --rate '3 mT/s' --span=-5:5 --out loop.png
    mesospin hysteresis fe8 --T 0.1 --rate 0.1 --span=-1:1 --transverse 0.1,0 --json
    """
    require_target(out)
    with progress_bar("hysteresis", quiet=quiet or as_json) as progress:
        dataset = ms.hysteresis(
            ms.load(system),
            values.temperatures("T", T),
            values.rate("rate", rate),
            values.span("span", span),
            transverse=values.field_pair("transverse", transverse),
            tilt=values.angle("tilt", tilt),
            azimuth=values.angle("azimuth", azimuth),
            axis=values.direction("axis", axis),
            powder=powder,
            field_step=values.one_field("field-step", field_step),
            workers=workers,
            cluster=cluster,
            checkpoint=checkpoint,
            progress=progress,
            **surroundings(dipolar, one_molecule),
        )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def surroundings(dipolar: str | None, one_molecule: bool) -> dict[str, Any]:
    """Return the surroundings that differ from those of the library."""
    choices: dict[str, Any] = {"disorder": None} if one_molecule else {}
    if dipolar is not None:
        choices["dipolar"] = (
            None if dipolar == "none" else ms.DipolarBath(values.one_field("dipolar", dipolar))
        )
    return choices


def run(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="Study file (TOML).")],
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="FOLDER", help="Folder of results; default results/<study>."),
    ] = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON on standard output.")
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Compute a study: netCDF, figure, HTML report and summary in results/<study>/.

    The study names a system, one experiment and its numbers with units; everything is checked before anything
    runs.

    \b
    mesospin run studies/mn12ac-staircase.toml
    mesospin run my-study.toml --out results/second-try --workers 2
    """
    with progress_bar("study", quiet=quiet or as_json) as progress:
        try:
            dataset = ms.run(study, out=out, workers=workers, cluster=cluster, progress=progress)
        except KeyboardInterrupt:
            folder = out or f"results/{Path(study).stem}"
            raise Interrupted(
                f"stopped; finished parts are kept in {folder}/.checkpoint, run the same command to go on"
            ) from None
    if as_json:
        say_json(summary(dataset))
        return
    if quiet:
        return
    for table in tables(dataset):
        print_table(table)
    folder = out or f"results/{dataset.attrs['study']}"
    note(f"written: {folder}/ (report.html, figure.png, figure.svg, result.nc, summary.json)")


def validate(as_json: options.Json = False, out: options.Out = None, quiet: options.Quiet = False) -> None:
    """Recompute published numbers and formulas: our value, theirs, difference, verdict.

    Exit code 1 if a row that should hold does not.

    \b
    mesospin validate
    mesospin validate --json
    mesospin validate --out validation.csv
    """
    require_target(out)
    with progress_bar("validation", quiet=quiet or as_json) as progress:
        dataset = ms.validate(progress=progress)
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)
    wrong = dataset["row"].values[dataset["should_hold"].values & (dataset["verdict"].values != "agrees")]
    if len(wrong):
        raise MesospinError(f"{len(wrong)} rows that should hold do not: {', '.join(wrong)}")
