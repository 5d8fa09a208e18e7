"""Commands on the output of quantum-chemical programs: SINGLE_ANISO of OpenMolcas and ORCA, QDPT of ORCA."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import mesospin as ms
from mesospin.cli import options
from mesospin.cli.output import note, say, say_json
from mesospin.errors import InputError

if TYPE_CHECKING:
    from mesospin.measured.quantum_chemistry.ab_initio import AbInitio

File = Annotated[str, typer.Argument(metavar="FILE", help="Output of the program, as text.")]
Out = Annotated[
    str | None, typer.Option("--out", metavar="FILE", help="Write the system as a molecule file (.toml).")
]


def read_single_aniso(
    file: File,
    ion: Annotated[
        str | None, typer.Option("--ion", help="The lanthanide, e.g. Dy3+, where the file does not say it.")
    ] = None,
    multiplet: Annotated[
        int | None, typer.Option("--multiplet", help="Read this group of states as a pseudospin.")
    ] = None,
    section: Annotated[
        int | None, typer.Option("--section", help="Which run of SINGLE_ANISO in the file, from 1.")
    ] = None,
    as_json: options.Json = False,
    out: Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Read a crystal field or a pseudospin from SINGLE_ANISO (OpenMolcas, ORCA), checked by its energies.

    \b
    mesospin read-single-aniso dy.out --out dy.toml
    mesospin read-single-aniso orca.out --multiplet 1
    """
    _require_molecule(out)
    _answer(
        ms.read_single_aniso(file, ion=ion, multiplet=multiplet, section=section), as_json, out, quiet=quiet
    )


def read_orca(
    file: File,
    block: Annotated[
        str | None, typer.Option("--block", help="Title of the QDPT block, e.g. 'NEVPT2 SOC'.")
    ] = None,
    hamiltonian: Annotated[
        str, typer.Option("--hamiltonian", help="'effective' or '2nd order' zero-field splitting.")
    ] = "effective",
    as_json: options.Json = False,
    out: Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Read S, the D tensor and the g matrix from a QDPT block of ORCA.

    \b
    mesospin read-orca co.out --block "NEVPT2 SOC" --out co.toml
    """
    _require_molecule(out)
    _answer(ms.read_orca(file, block=block, hamiltonian=hamiltonian), as_json, out, quiet=quiet)


def _require_molecule(out: str | None) -> None:
    if out is not None and Path(out).suffix.lower() != ".toml":
        raise InputError(f"out must be a molecule file, got {out!r}; let its name end in .toml")


def _answer(read: "AbInitio", as_json: bool, out: str | None, *, quiet: bool) -> None:
    if out is not None:
        ms.write_molecule(read.system, out)
    if as_json:
        say_json(
            {
                "name": read.system.name, "molecule": ms.write_molecule(read.system),
                "energies": read.energies, "axes": read.axes, "deviation": read.deviation,
                "omitted": read.omitted, "checks": read.checks,
                "pseudospins": [entry._asdict() for entry in read.pseudospins],
            }
        )  # fmt: skip
    elif not quiet:
        say(read.describe())
        if out is not None:
            note(f"written: {out}")
