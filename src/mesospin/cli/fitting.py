"""Commands on measured data: fits of a Hamiltonian, Curie-Weiss fits, files of other programs."""

from pathlib import Path
from typing import Annotated, Any

import typer

import mesospin as ms
from mesospin.cli import options, values
from mesospin.cli.output import deliver, note, print_table, progress_bar, require_target, say_json
from mesospin.errors import InputError
from mesospin.report.cells import Column, Table

_DATA_ENDINGS = (".csv", ".tsv", ".txt", ".exp")
_UNBOUND = ("", "none")

Files = Annotated[
    list[str],
    typer.Argument(metavar="DATA...", help="Files: CSV with a header; NAME_sus.exp, NAME_mag.exp of PHI."),
]
ColumnFields = Annotated[
    str | None,
    typer.Option(
        "--B", metavar="FIELD", help="Fields of the columns of _sus.exp, or of a CSV without them: '0.1,1 T'."
    ),
]
ColumnTemperatures = Annotated[
    str | None, typer.Option("--T", metavar="KELVIN", help="Temperatures of the columns of _mag.exp: '2,4'.")
]
Sigma = Annotated[
    list[str] | None,
    typer.Option("--sigma", help="Error of values without one: '0.01 cm3 K/mol', '1 %'; may be repeated."),
]
Tip = Annotated[
    str | None, typer.Option("--tip", metavar="CHI", help="Temperature-independent part: '2e-4 cm3/mol'.")
]


def fit(
    system: options.System,
    data: Files,
    vary: Annotated[str, typer.Option("--vary", metavar="D,E,g", help="Parameters, see 'parameters'.")],
    bounds: Annotated[
        list[str] | None, typer.Option("--bounds", help="'D=-2 K:0 K', 'g=1.9:'; may be repeated.")
    ] = None,
    tie: Annotated[
        list[str] | None, typer.Option("--tie", help="'g_1=g_0', 'gy=gx'; may be repeated.")
    ] = None,
    powder: Annotated[
        int | None, typer.Option("--powder", help="Degree (odd) or points (26, 590) of a Lebedev rule.")
    ] = None,
    axis: Annotated[
        str | None, typer.Option("--axis", metavar="X,Y,Z", help="Direction of the field in a crystal.")
    ] = None,
    B: ColumnFields = None,
    T: ColumnTemperatures = None,
    sigma: Sigma = None,
    zj: Annotated[
        str | None, typer.Option("--zj", metavar="ENERGY", help="Molecular field to start from; vary zJ.")
    ] = None,
    zj_g: Annotated[float, typer.Option("--zj-g", help="g by which the moment is read as a spin.")] = 2.0,
    tip: Tip = None,
    starts: Annotated[int, typer.Option("--starts", help="How many times the fit is begun.")] = 4,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the starts.")] = 0,
    molecule: Annotated[
        str | None, typer.Option("--molecule", metavar="FILE", help="Write the fitted system (.toml or .m).")
    ] = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Fit numbers of a Hamiltonian to measured data of any kinds together, with errors and what stays open.

    A fit that did not converge, or that sits on a bound, is no answer: exit code 1.

    \b
    mesospin parameters ni-s1
    mesospin fit ni-s1 chi.csv m.csv --vary D,E,g --powder 26 --out fit.png
    mesospin fit ni-s1 ni_sus.exp ni_mag.exp --B 0.1 --T 2,4 --sigma '1 %' --vary D,g \
        --bounds 'D=-20 K:0 K' --powder 26 --molecule fitted.toml
    """
    require_target(out)
    _require_molecule(molecule)
    start = ms.load(system)
    direction = None if axis is None else values.direction("axis", axis)
    columns = {".sus": _fields(B), ".mag": _temperatures(T)}
    if not any(name.lower().endswith("_sus.exp") for name in data):
        columns[".csv"] = columns[".sus"]
    sets = [
        entry
        for name in data
        for entry in ms.read_data(name, **_columns(name, columns), sigma=sigma, powder=powder, axis=direction)
    ]
    given: dict[str, Any] = {"bounds": _bounds(bounds or []), "tie": _ties(tie or [])}
    if zj is not None:
        given["mean_field"] = ms.MeanField(zj, zj_g)
    with progress_bar("starts", quiet=quiet or as_json) as progress:
        result = ms.fit_hamiltonian(
            sets,
            start,
            _names(vary),
            tip=0.0 if tip is None else ms.units.to_cm3_per_mole(tip, "tip"),
            starts=starts,
            seed=seed,
            progress=progress,
            **given,
        )
    if molecule is not None:
        _write_molecule(ms.fitted_system(result, start), molecule)
    deliver(result, as_json=as_json, out=out, quiet=quiet)


def curie_weiss(
    data: Annotated[str, typer.Argument(metavar="FILE", help="Susceptibilities: CSV or NAME_sus.exp.")],
    window: Annotated[str, typer.Option("--window", metavar="LO:HI", help="Temperatures used: '50:300 K'.")],
    B: ColumnFields = None,
    sigma: Sigma = None,
    tip: Tip = None,
    windows: Annotated[int, typer.Option("--windows", help="Windows that begin later, for comparison.")] = 8,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Fit the Curie-Weiss law in a window of temperatures, and say whether the window decides.

    \b
    mesospin curie-weiss chi.csv --window 50:300 --out law.png
    mesospin curie-weiss ni_sus.exp --B 0.1 --window 50:300 --tip '2e-4 cm3/mol'
    """
    require_target(out)
    result = ms.fit_curie_weiss(
        ms.read_data(data, B=_fields(B), sigma=sigma, powder=5),
        window=values.temperature_span("window", window),
        tip=0.0 if tip is None else ms.units.to_cm3_per_mole(tip, "tip"),
        windows=windows,
    )
    deliver(result, as_json=as_json, out=out, quiet=quiet)


def parameters(system: options.System, as_json: options.Json = False) -> None:
    """List the numbers of a Hamiltonian that a fit can vary, with their values.

    Entries beside the diagonal of a tensor (gxy, Jxz) can be varied too; they are listed where not 0.

    \b
    mesospin parameters ni-s1
    mesospin parameters my-molecule.toml --json
    """
    molecule = ms.load(system)
    rows = tuple(
        (name, entry.value(molecule), "" if entry.unit == "1" else entry.unit, entry.owner)
        for name, entry in ms.parameters_of(molecule).items()
        if not entry.is_idle(molecule)
    )
    columns = (Column("parameter"), Column("value"), Column("unit"), Column("belongs_to"))
    table = Table("parameters", f"What a fit of {molecule.name} can vary", columns, rows)
    if as_json:
        say_json(table.records())
    else:
        print_table(table)


def convert(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="Data (.csv, _sus.exp, _mag.exp), EasySpin (.m) or SYSTEM."),
    ],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Data file, or .m or .toml for a system.")],
    B: ColumnFields = None,
    T: ColumnTemperatures = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Convert data between CSV and PHI, and spin systems between molecule files and EasySpin.

    \b
    mesospin convert ni_mag.exp m.csv --T 2,4
    mesospin convert m.csv ni_mag.exp
    mesospin convert fe8 fe8.m
    mesospin convert sys.m my-molecule.toml
    """
    if source.lower().endswith(_DATA_ENDINGS):
        columns = {".sus": _fields(B), ".mag": _temperatures(T), ".csv": _fields(B)}
        # neither format holds a direction, so that any will do
        sets = ms.read_data(source, **_columns(source, columns), powder=5)
        if target.lower().endswith(".exp"):
            ms.write_phi(sets, target)
        else:
            _require_ending(target, (".csv",))
            ms.write_csv(sets, target)
    else:
        _require_ending(target, (".m", ".toml"))
        easyspin = source.lower().endswith(".m")
        system = ms.read_easyspin(Path(source), Path(source).stem) if easyspin else ms.load(source)
        _write_molecule(system, target)
    if not quiet:
        note(f"written: {target}")


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise InputError(f"vary must be names between commas, got {text!r}; write for example D,E,g")
    return names


def _bounds(texts: list[str]) -> dict[str, tuple[str | float | None, str | float | None]]:
    """Return bounds by name; a number without a unit is in the package's."""
    bounds = {}
    for text in texts:
        name, mark, rest = text.partition("=")
        ends = rest.split(":")
        if not mark or len(ends) != 2:
            raise InputError(f"bounds must be NAME=LOW:HIGH, got {text!r}; write for example 'D=-2 K:0 K'")
        low, high = (_end(end.strip()) for end in ends)
        bounds[name.strip()] = (low, high)
    return bounds


def _end(text: str) -> str | float | None:
    if text.lower() in _UNBOUND:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _ties(texts: list[str]) -> dict[str, str]:
    ties = {}
    for text in texts:
        name, mark, expression = text.partition("=")
        if not (mark and name.strip() and expression.strip()):
            raise InputError(f"tie must be NAME=EXPRESSION, got {text!r}; write for example 'gy=gx'")
        ties[name.strip()] = expression.strip()
    return ties


def _fields(text: str | None) -> list[float] | float | None:
    return None if text is None else values.fields("B", text)


def _temperatures(text: str | None) -> list[float] | None:
    return None if text is None else values.temperatures("T", text)


def _columns(file: str, columns: dict[str, Any]) -> dict[str, Any]:
    """Return what the columns of a table of PHI belong to, or the field of a CSV file that has none."""
    if file.lower().endswith("_sus.exp"):
        return {"B": columns[".sus"]}
    if file.lower().endswith("_mag.exp"):
        return {"T": columns[".mag"]}
    return {"B": columns.get(".csv")}


def _require_ending(target: str, endings: tuple[str, ...]) -> None:
    if not target.lower().endswith(endings):
        raise InputError(f"target must end in {' or '.join(endings)}, got {target!r}; name the format")


def _require_molecule(path: str | None) -> None:
    if path is None:
        return
    _require_ending(path, (".toml", ".m"))
    if not Path(path).parent.is_dir():
        raise InputError(f"molecule must lie in an existing folder, got {path!r}; create the folder first")


def _write_molecule(system: "ms.SpinSystem", path: str) -> None:
    if path.lower().endswith(".m"):
        ms.write_easyspin(system, path)
    else:
        ms.write_molecule(system, path)
