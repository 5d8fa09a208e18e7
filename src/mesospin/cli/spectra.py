"""Commands on one molecule: library, show, levels, crossings."""

from typing import Annotated

import typer

import mesospin as ms
from mesospin.cli import options, values
from mesospin.cli.output import deliver, print_table, require_target, say, say_json
from mesospin.report.cells import Column, Table

Z = "0,0,1"
NONE = "0,0"


def library(as_json: options.Json = False) -> None:
    """List the molecules of the library.

    \b
    mesospin library
    mesospin show mn12ac          one of them: Hamiltonian, units, convention, sources
    mesospin show mn12ac:ins      a named parameter set of it
    """
    entries = ms.library()
    columns = (Column("name"), Column("title"), Column("spins"), Column("states"), Column("variants"))
    rows = tuple((e.name, e.title, e.spins, e.dimension, ", ".join(e.variants)) for e in entries)
    table = Table("library", "Library of molecules", columns, rows)
    if as_json:
        say_json(
            [
                record | {"variants": list(e.variants)}
                for record, e in zip(table.records(), entries, strict=True)
            ]
        )
    else:
        print_table(table)


def show(system: options.System, as_json: options.Json = False) -> None:
    """Print a molecule: Hamiltonian with units, convention, sources.

    \b
    mesospin show mn12ac
    mesospin show my-molecule.toml
    """
    molecule = ms.load(system)
    if not as_json:
        say(molecule.describe())
        return
    spins = [{"label": s.label, "S": s.S, "g": s.g, "nuclear": s.nuclear} for s in molecule.spins]
    say_json(
        {
            "name": molecule.name, "title": molecule.title, "variant": molecule.variant, "spins": spins,
            "states": molecule.dimension, "is_kramers": molecule.is_kramers, "sources": molecule.sources,
            "description": molecule.describe(),
        }
    )  # fmt: skip


def levels(
    system: options.System,
    B: Annotated[
        str,
        typer.Option(
            "--B", metavar="FIELD", help="Field [T]: '0.3', '0,500 mT' or '0:5:501' (lo:hi:points)."
        ),
    ],
    axis: options.Axis = Z,
    transverse: options.Transverse = NONE,
    states: Annotated[int | None, typer.Option("--states", help="Only this many lowest levels.")] = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """List energy levels [K] and magnetic moments [mu_B] in a field.

    H_Z = +mu_B B.g.S: at B > 0 the ground level is m = -S.

    \b
    mesospin levels mn12ac --B 0
    mesospin levels mn12ac --B 0:5:501 --out levels.png
    mesospin levels fe8 --B '0:500:101 mT' --axis 1,0,0 --states 4 --json
    """
    require_target(out)
    dataset = ms.levels(
        ms.load(system),
        B=values.fields("B", B),
        axis=values.direction("axis", axis),
        transverse=values.field_pair("transverse", transverse),
        states=states,
    )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def crossings(
    system: options.System,
    span: options.Span,
    axis: options.Axis = Z,
    transverse: options.Transverse = NONE,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """List the level crossings in a range of fields: pair, full gap [K], selection rule.

    \b
    mesospin crossings mn12ac --span 0:5
    mesospin crossings fe8 --span=-1:1 --transverse 0.1,0 --out crossings.csv
    """
    require_target(out)
    dataset = ms.crossings(
        ms.load(system),
        span=values.span("span", span),
        axis=values.direction("axis", axis),
        transverse=values.field_pair("transverse", transverse),
    )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)
