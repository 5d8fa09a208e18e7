"""Options that several commands share."""

from typing import Annotated

import typer

System = Annotated[
    str,
    typer.Argument(metavar="SYSTEM", help="Name in the library, with :variant if wanted, or a TOML file."),
]
Json = Annotated[bool, typer.Option("--json", help="Print everything as JSON on standard output.")]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="Write a file: .nc .csv .json .png .svg .pdf, by its suffix."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print no table and no progress.")]
Axis = Annotated[
    str, typer.Option("--axis", metavar="X,Y,Z", help="Direction of the field; z is the easy axis.")
]
Transverse = Annotated[
    str, typer.Option("--transverse", metavar="BX,BY", help="Constant field added to it [T], e.g. '0.1,0'.")
]
Span = Annotated[str, typer.Option("--span", metavar="LO:HI", help="Range of the field [T], e.g. -5:5.")]
Temperatures = Annotated[
    str,
    typer.Option(
        "--T", metavar="KELVIN", help="Temperatures [K]: '1.9', '0.05,1.5 K' or '2:4:11' (lo:hi:points)."
    ),
]
