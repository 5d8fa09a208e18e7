"""Commands on thermal equilibrium: moments, susceptibilities, heat, torque."""

from typing import Annotated, Any

import typer

import mesospin as ms
from mesospin.cli import options, values
from mesospin.cli.output import deliver, require_target
from mesospin.errors import InputError

_ZERO = "0"

Temperatures = Annotated[
    str,
    typer.Option(
        "--T",
        metavar="KELVIN",
        help="Temperatures [K]: '1.9', '0.05,1.5 K', '2:300:150' (lo:hi:points) or '0.1:300:200:log'.",
    ),
]
Fields = Annotated[
    str,
    typer.Option("--B", metavar="FIELD", help="Fields [T]: '0.1', '0,500 mT' or '0:7:71' (lo:hi:points)."),
]
Direction = Annotated[
    str | None, typer.Option("--axis", metavar="X,Y,Z", help="Direction of the field; z if omitted.")
]
Powder = Annotated[
    int | None,
    typer.Option("--powder", help="Average over directions: degree (odd) or points (590) of a Lebedev rule."),
]
Coupling = Annotated[
    str | None, typer.Option("--zj", metavar="ENERGY", help="zJ' of H' = -zJ' <S>.S, e.g. '-0.05 cm^-1'.")
]
CouplingG = Annotated[
    float, typer.Option("--zj-g", help="g by which the moment is read as a spin in zJ' (g_J of a multiplet).")
]
Crystallites = Annotated[
    bool,
    typer.Option(
        "--zj-crystallites",
        help="In a powder zJ' acts in every crystallite by itself, not by the average moment.",
    ),
]
Demagnetisation = Annotated[
    str | None,
    typer.Option("--demagnetisation", metavar="N,VOLUME", help="N (SI) and volume: '1/3,1630 A^3'."),
]
Tip = Annotated[
    str | None,
    typer.Option("--tip", metavar="CHI", help="Temperature-independent part, e.g. '2e-4 cm3/mol' (cgs)."),
]


def magnetisation(
    system: options.System,
    T: Temperatures,
    B: Fields,
    axis: Direction = None,
    powder: Powder = None,
    zj: Coupling = None,
    zj_g: CouplingG = 2.0,
    zj_crystallites: Crystallites = False,
    demagnetisation: Demagnetisation = None,
    tip: Tip = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Magnetisation of a crystal or a powder in equilibrium [mu_B, emu/mol].

    \b
    mesospin magnetisation erw10-repaired --T 2,5,10 --B 0:7:71 --powder 590 --out m.png
    mesospin magnetisation ni-s1 --T 2 --B 0:7:71 --axis 1,0,0 --zj '-0.05 cm^-1' --zj-g 2.2
    """
    require_target(out)
    given = _sample(axis, powder, zj, zj_g, demagnetisation, crystallites=zj_crystallites) | _tip(tip)
    temperatures, fields = values.temperatures("T", T), values.fields("B", B)
    dataset = ms.magnetisation(ms.load(system), temperatures, fields, **given)
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def susceptibility(
    system: options.System,
    T: Temperatures,
    B: Fields = _ZERO,
    axis: Direction = None,
    powder: Powder = None,
    zj: Coupling = None,
    zj_g: CouplingG = 2.0,
    zj_crystallites: Crystallites = False,
    demagnetisation: Demagnetisation = None,
    tip: Tip = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Susceptibility: the tensor dM/dH at any field, M/H, chi T and mu_eff, molar in cgs.

    \b
    mesospin susceptibility erw10-repaired --T 2:300:150 --B 0.1 --out chi.png
    mesospin susceptibility ni-s1 --T 1:300:200:log --powder 5 --tip '2e-4 cm3/mol'
    """
    require_target(out)
    given = _sample(axis, powder, zj, zj_g, demagnetisation, crystallites=zj_crystallites) | _tip(tip)
    temperatures, fields = values.temperatures("T", T), values.fields("B", B)
    dataset = ms.susceptibility(ms.load(system), temperatures, fields, **given)
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def heat_capacity(
    system: options.System,
    T: Temperatures,
    B: Fields = _ZERO,
    axis: Direction = None,
    powder: Powder = None,
    zj: Coupling = None,
    zj_g: CouplingG = 2.0,
    zj_crystallites: Crystallites = False,
    demagnetisation: Demagnetisation = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Magnetic heat capacity in equilibrium [J/(mol K)].

    \b
    mesospin heat-capacity erw10-repaired --T 0.1:300:200:log --B 0,1,5 --out c.png
    """
    require_target(out)
    given = _sample(axis, powder, zj, zj_g, demagnetisation, crystallites=zj_crystallites)
    temperatures, fields = values.temperatures("T", T), values.fields("B", B)
    dataset = ms.heat_capacity(ms.load(system), temperatures, fields, **given)
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def entropy(
    system: options.System,
    T: Temperatures,
    B: Fields = _ZERO,
    axis: Direction = None,
    powder: Powder = None,
    zj: Coupling = None,
    zj_g: CouplingG = 2.0,
    zj_crystallites: Crystallites = False,
    demagnetisation: Demagnetisation = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Magnetic entropy in equilibrium [J/(mol K)].

    \b
    mesospin entropy erw10-repaired --T 0.1:300:200:log --B 0,1,5 --out s.png
    """
    require_target(out)
    given = _sample(axis, powder, zj, zj_g, demagnetisation, crystallites=zj_crystallites)
    temperatures, fields = values.temperatures("T", T), values.fields("B", B)
    dataset = ms.entropy(ms.load(system), temperatures, fields, **given)
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def free_energy(
    system: options.System,
    T: Temperatures,
    B: Fields = _ZERO,
    axis: Direction = None,
    powder: Powder = None,
    zj: Coupling = None,
    zj_g: CouplingG = 2.0,
    zj_crystallites: Crystallites = False,
    demagnetisation: Demagnetisation = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Free energy [K, J/mol], zero where the Hamiltonian has it.

    \b
    mesospin free-energy erw10-repaired --T 2,10 --B 0:7:71 --out f.png
    """
    require_target(out)
    given = _sample(axis, powder, zj, zj_g, demagnetisation, crystallites=zj_crystallites)
    temperatures, fields = values.temperatures("T", T), values.fields("B", B)
    dataset = ms.free_energy(ms.load(system), temperatures, fields, **given)
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def torque(
    system: options.System,
    T: Temperatures,
    B: Fields,
    axis: Direction = None,
    towards: Annotated[
        str | None, typer.Option("--towards", metavar="X,Y,Z", help="The field turns from axis towards it.")
    ] = None,
    angle: Annotated[
        str | None, typer.Option("--angle", metavar="ANGLE", help="Angles, e.g. '0:180:181 deg'.")
    ] = None,
    zj: Coupling = None,
    zj_g: CouplingG = 2.0,
    demagnetisation: Demagnetisation = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Torque of a field on a crystal, M x B [mu_B T, J/mol], against its angle or magnitude.

    \b
    mesospin torque erw10-repaired --T 2,5,10 --B 7 --towards 1,0,0 --angle '0:180:181 deg' --out t.png
    mesospin torque mn12ac --T 2 --B 0:7:71 --axis 1,0,1
    """
    require_target(out)
    given = _sample(axis, None, zj, zj_g, demagnetisation)
    if towards is not None:
        given["towards"] = values.direction("towards", towards)
    if angle is not None:
        given["angle"] = values.angles("angle", angle)
    temperatures, fields = values.temperatures("T", T), values.fields("B", B)
    dataset = ms.torque(ms.load(system), temperatures, fields, **given)
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def _sample(
    axis: str | None,
    powder: int | None,
    zj: str | None,
    zj_g: float,
    demagnetisation: str | None,
    *,
    crystallites: bool = False,
) -> dict[str, Any]:
    """Return the arguments that say what lies in the field and what acts back on it."""
    given: dict[str, Any] = {}
    if axis is not None:
        given["axis"] = values.direction("axis", axis)
    if powder is not None:
        given["powder"] = powder
    if crystallites and zj is None:
        raise InputError("zj-crystallites must have a zj to belong to, got none; give --zj '-0.1 K'")
    if zj is not None:
        given["mean_field"] = values.molecular_field("zj", zj, zj_g, crystallites=crystallites)
    if demagnetisation is not None:
        given["demagnetisation"] = values.demagnetisation("demagnetisation", demagnetisation)
    return given


def _tip(tip: str | None) -> dict[str, float]:
    return {} if tip is None else {"tip": ms.units.to_cm3_per_mole(tip, "tip")}
