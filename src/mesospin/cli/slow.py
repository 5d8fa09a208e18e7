"""Commands on slow magnetisation in theory: ac susceptibility, decays, cooling curves, blocking."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

import mesospin as ms
from mesospin.cli import options, times, values
from mesospin.cli.loops import Dipolar, OneMolecule, surroundings
from mesospin.cli.output import deliver, note, require_target
from mesospin.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_PICTURES = (".png", ".svg", ".pdf")

Powder = Annotated[
    int | None, typer.Option("--powder", metavar="DEGREE", help="Average over directions (Lebedev rule).")
]
Nuclear = Annotated[
    str | None, typer.Option("--nuclear", metavar="ENERGY", help="Window of bias that nuclei open: '10 mK'.")
]


def ac(
    system: options.System,
    T: options.Temperatures,
    frequency: Annotated[
        str, typer.Option("--frequency", metavar="HZ", help="'10,100', '0.1:1000:25:log' or '1:10:4 kHz'.")
    ],
    B: Annotated[str, typer.Option("--B", metavar="FIELD", help="Constant fields [T]: '0:0.5:6'.")] = "0",
    axis: options.Axis = "0,0,1",
    transverse: options.Transverse = "0,0",
    powder: Powder = None,
    dipolar: Dipolar = None,
    nuclear: Nuclear = None,
    one_molecule: OneMolecule = False,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="FILE", help=".nc of fit-ac or read to draw this on, dashed."),
    ] = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Ac susceptibility of a molecule from its phonons and its tunnelling, as a magnetometer measures it.

    \b
    mesospin ac mn12ac --T 3:8:6 --frequency 0.1:1500:41:log --out ac.png
    mesospin ac erw10-repaired --T 2:10:9 --frequency 0.1:1000:25:log --powder 11 --out ac.nc
    mesospin ac mn12ac --T 3:8:6 --frequency 0.1:1500:41:log --data fit.nc --out both.png
    """
    require_target(out)
    if data is not None and (out is None or not out.lower().endswith(_PICTURES)):
        raise InputError(f"out must name a picture with --data, got {out!r}; write --out both.png")
    measured = None if data is None else ms.open_result(data)
    result = ms.ac_susceptibility(
        ms.load(system),
        values.temperatures("T", T),
        values.fields("B", B),
        times.hertz("frequency", frequency),
        axis=values.direction("axis", axis),
        transverse=values.field_pair("transverse", transverse),
        powder=powder,
        **_around(dipolar, nuclear, one_molecule),
    )
    if measured is None or out is None:
        deliver(result, as_json=as_json, out=out, quiet=quiet)
        return
    ms.export(measured, out, theory=_theory(result))
    deliver(result, as_json=as_json, out=None, quiet=quiet)
    if not (quiet or as_json):
        note(f"written: {out}")


def decay(
    system: options.System,
    T: options.Temperatures,
    B_initial: Annotated[str, typer.Option("--B-initial", metavar="FIELD", help="Before the jump [T].")],
    B_final: Annotated[str, typer.Option("--B-final", metavar="FIELD", help="After the jump [T].")],
    time: Annotated[
        str, typer.Option("--time", metavar="SECONDS", help="'1,10,100' or '0.01:1e4:61:log' after the jump.")
    ],
    axis: options.Axis = "0,0,1",
    transverse: options.Transverse = "0,0",
    powder: Powder = None,
    dipolar: Dipolar = None,
    nuclear: Nuclear = None,
    one_molecule: OneMolecule = False,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Magnetisation after the field has jumped from one value to another.

    \b
    mesospin decay mn12ac --T 2.4,2.8 --B-initial 0.5 --B-final 0 --time 0.01:1e4:61:log --out decay.png
    """
    require_target(out)
    result = ms.decay(
        ms.load(system),
        values.temperatures("T", T),
        values.one_field("B_initial", B_initial),
        values.one_field("B_final", B_final),
        time=times.seconds("time", time),
        axis=values.direction("axis", axis),
        transverse=values.field_pair("transverse", transverse),
        powder=powder,
        **_around(dipolar, nuclear, one_molecule),
    )
    deliver(result, as_json=as_json, out=out, quiet=quiet)


def zfc_fc(
    system: options.System,
    T: options.Temperatures,
    B: Annotated[str, typer.Option("--B", metavar="FIELD", help="Measuring fields [T]: '0.1' or '0.1,1'.")],
    rate: Annotated[str, typer.Option("--rate", metavar="RATE", help="Of the temperature: '2 K/min'.")],
    axis: options.Axis = "0,0,1",
    transverse: options.Transverse = "0,0",
    powder: Powder = None,
    dipolar: Dipolar = None,
    nuclear: Nuclear = None,
    one_molecule: OneMolecule = False,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Zero-field-cooled and field-cooled magnetisation against temperature.

    \b
    mesospin zfc-fc mn12ac --T 1.8:8:63 --B 0.1 --rate '2 K/min' --out zfc.png
    """
    require_target(out)
    result = ms.zfc_fc(
        ms.load(system),
        values.temperatures("T", T),
        values.fields("B", B),
        rate=times.temperature_rate("rate", rate),
        axis=values.direction("axis", axis),
        transverse=values.field_pair("transverse", transverse),
        powder=powder,
        **_around(dipolar, nuclear, one_molecule),
    )
    deliver(result, as_json=as_json, out=out, quiet=quiet)


def blocking_temperature(
    system: options.System,
    B: Annotated[str, typer.Option("--B", metavar="FIELD", help="Fields [T]: '0', '0:0.5:6'.")] = "0",
    time: Annotated[
        str, typer.Option("--time", metavar="SECONDS", help="For which the moment stays: '100', '1,100'.")
    ] = "100",
    axis: options.Axis = "0,0,1",
    transverse: options.Transverse = "0,0",
    dipolar: Dipolar = None,
    nuclear: Nuclear = None,
    one_molecule: OneMolecule = False,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Temperature at which the relaxation time is 100 s, or another time of the laboratory.

    \b
    mesospin blocking-temperature mn12ac
    mesospin blocking-temperature mn12ac --B 0,0.22,0.44 --time 1,100,10000 --out blocking.png
    """
    require_target(out)
    result = ms.blocking_temperature(
        ms.load(system),
        values.fields("B", B),
        time=times.seconds("time", time),
        axis=values.direction("axis", axis),
        transverse=values.field_pair("transverse", transverse),
        **_around(dipolar, nuclear, one_molecule),
    )
    deliver(result, as_json=as_json, out=out, quiet=quiet)


def _around(dipolar: str | None, nuclear: str | None, one_molecule: bool) -> dict[str, Any]:
    choices = surroundings(dipolar, one_molecule)
    if nuclear is not None:
        choices["nuclear"] = ms.NuclearBath(values.energy("nuclear", nuclear))
    return choices


def _theory(result: "xr.Dataset") -> list["xr.Dataset"]:
    """Return what is drawn on data: the curves, and the times that a fit of them finds."""
    return [result, ms.fit_ac(result)]
