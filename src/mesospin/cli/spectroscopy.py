"""Commands on spectra: resonance fields, frequency-field maps, EPR and neutron spectra."""

from typing import Annotated, Any

import typer

import mesospin as ms
from mesospin.cli import options, values
from mesospin.cli.output import deliver, require_target
from mesospin.errors import InputError

Z = "0,0,1"
_LINES = ("gaussian", "lorentzian")

Frequency = Annotated[
    str, typer.Option("--frequency", metavar="FREQUENCY", help="Frequency [GHz]: '95 GHz', '3.2 cm^-1'.")
]
Microwave = Annotated[
    str,
    typer.Option(
        "--microwave",
        metavar="MODE",
        help="Oscillating field: perpendicular or parallel to the static one, or a direction X,Y,Z.",
    ),
]
States = Annotated[
    int | None,
    typer.Option(
        "--states", help="Only transitions between this many lowest levels: quick for large systems."
    ),
]
Line = Annotated[str, typer.Option("--line", metavar="SHAPE", help="gaussian or lorentzian.")]
Axis = Annotated[
    str | None,
    typer.Option("--axis", metavar="X,Y,Z", help="Direction of the field in a crystal; z if omitted."),
]


def resonance_fields(
    system: options.System,
    frequency: Frequency,
    span: options.Span,
    T: options.Temperatures,
    axis: options.Axis = Z,
    microwave: Microwave = "perpendicular",
    forbidden: Annotated[
        bool, typer.Option("--forbidden", help="List transitions without any strength too.")
    ] = False,
    states: States = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """List the fields at which a crystal absorbs a frequency: levels, selection rule, intensity.

    None is missed, however narrow its loop. Intensity [mu_B^2] is that of a field sweep: strength times
    difference of populations over the slope of the transition in units of mu_B.

    \b
    mesospin resonance-fields mn12ac --frequency '95 GHz' --span 0:6 --T 10
    mesospin resonance-fields how10 --frequency '9.2 GHz' --span '0:200 mT' --T 5 --microwave parallel
    """
    require_target(out)
    dataset = ms.resonance_fields(
        ms.load(system),
        _one_frequency(frequency),
        span=values.span("span", span),
        T=_temperatures(T),
        axis=values.direction("axis", axis),
        microwave=_microwave(microwave),
        forbidden=forbidden,
        states=states,
    )
    _deliver_lines(dataset, as_json=as_json, out=out, quiet=quiet)


def resonance_frequencies(
    system: options.System,
    B: Annotated[
        str, typer.Option("--B", metavar="FIELD", help="Field [T]: '0.3' or '0:6:301' (lo:hi:points).")
    ],
    T: options.Temperatures,
    axis: options.Axis = Z,
    microwave: Microwave = "perpendicular",
    states: States = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Map the frequencies of all transitions against the field, with their intensities.

    \b
    mesospin resonance-frequencies mn12ac --B 0:6:301 --T 10 --out map.png
    mesospin resonance-frequencies ni-s1 --B 0 --T 4
    """
    require_target(out)
    dataset = ms.resonance_frequencies(
        ms.load(system),
        values.fields("B", B),
        T=_temperatures(T),
        axis=values.direction("axis", axis),
        microwave=_microwave(microwave),
        states=states,
    )
    _deliver_lines(dataset, as_json=as_json, out=out, quiet=quiet)


def epr_spectrum(
    system: options.System,
    B: Annotated[
        str,
        typer.Option("--B", metavar="FIELD", help="Fields of a sweep [T], '0:6:1201', or one field, '0.3'."),
    ],
    frequency: Annotated[
        str,
        typer.Option(
            "--frequency", metavar="FREQUENCY", help="One frequency, '95 GHz', or a sweep, '10:400:1601 GHz'."
        ),
    ],
    T: options.Temperatures,
    width: Annotated[
        str,
        typer.Option(
            "--width",
            metavar="WIDTH",
            help="Full width at half maximum, '20 mT' in field or '1 GHz' in energy.",
        ),
    ],
    line: Line = "gaussian",
    axis: Axis = None,
    powder: Annotated[
        int | None,
        typer.Option(
            "--powder", metavar="POINTS", help="A powder, averaged over so many directions: 50 ... 5810."
        ),
    ] = None,
    microwave: Microwave = "perpendicular",
    states: States = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Compute an EPR spectrum of a crystal or a powder, swept in field or in frequency.

    A width in field is that of neighbours and nuclei, one in energy that of short lives or a spread of D.

    \b
    mesospin epr-spectrum fe8 --B 0:6:1201 --frequency '116 GHz' --T 2,5,20 --width '40 mT' --out fe8.png
    mesospin epr-spectrum ni-s1 --B 0:12:601 --frequency '230 GHz' --T 5 --width '60 mT' --powder 974
    mesospin epr-spectrum mn12ac --B 0.5 --frequency '20:400:1901 GHz' --T 10 --width '2 GHz'
    """
    require_target(out)
    dataset = ms.epr_spectrum(
        ms.load(system),
        _temperatures(T),
        values.fields("B", B),
        values.frequencies("frequency", frequency),
        line=_line(line, width),
        axis=None if axis is None else values.direction("axis", axis),
        powder=powder,
        microwave=_microwave(microwave),
        states=states,
    )
    _deliver_lines(dataset, as_json=as_json, out=out, quiet=quiet)


def neutron_spectrum(
    system: options.System,
    energy: Annotated[
        str,
        typer.Option(
            "--energy", metavar="ENERGY", help="Energies that neutrons lose, with a unit: '-2:2:801 meV'."
        ),
    ],
    T: options.Temperatures,
    width: Annotated[
        str,
        typer.Option("--width", metavar="WIDTH", help="Resolution, full width at half maximum: '0.05 meV'."),
    ],
    line: Line = "gaussian",
    B: Annotated[str, typer.Option("--B", metavar="FIELD", help="Field [T].")] = "0",
    axis: options.Axis = Z,
    Q: Annotated[
        str | None,
        typer.Option("--Q", metavar="Q", help="Momentum transfer, '1.2 1/angstrom'; needs --positions."),
    ] = None,
    positions: Annotated[
        str | None,
        typer.Option("--positions", help="Positions of the ions: '0,0,0; 0,0,3.5 angstrom'."),
    ] = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Compute the magnetic neutron scattering S(E) of a powder, in the dipole approximation.

    \b
    mesospin neutron-spectrum mn12ac --energy '-1.5:1.5:1201 meV' --T 2,10,24 --width '0.03 meV' --out ins.png
    mesospin neutron-spectrum mn4-dimer --energy '0:1:801 meV' --T 2 --width '0.02 meV' \\
        --Q '1.2 1/angstrom' --positions '0,0,0; 0,0,9.5 angstrom'
    """
    require_target(out)
    dataset = ms.neutron_spectrum(
        ms.load(system),
        _temperatures(T),
        values.energies("energy", energy),
        line=_line(line, width),
        interference=_interference(Q, positions),
        B=values.one_field("B", B),
        axis=values.direction("axis", axis),
    )
    _deliver_lines(dataset, as_json=as_json, out=out, quiet=quiet)


def _deliver_lines(dataset: Any, *, as_json: bool, out: str | None, quiet: bool) -> None:
    """Deliver a result that has lines in its range; refuse one that has none."""
    if "empty" in dataset.attrs:
        raise InputError(str(dataset.attrs["empty"]))
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def _temperatures(text: str) -> float | list[float]:
    """Return one temperature or several [K]."""
    several = values.temperatures("T", text)
    return several if len(several) > 1 else several[0]


def _one_frequency(text: str) -> float:
    frequency = values.frequencies("frequency", text)
    if isinstance(frequency, list):
        raise InputError(f"frequency must be one frequency [GHz], got {text!r}; write for example '95 GHz'")
    return frequency


def _microwave(text: str) -> Any:
    if "," in text:
        return values.direction("microwave", text)
    return text


def _line(shape: str, width: str) -> "ms.LineShape":
    """Return the shape of a line; the unit of its width says what is broadened, so it must be written."""
    if shape not in _LINES:
        raise InputError(f"line must be one of {', '.join(_LINES)}, got {shape!r}; choose one")
    return ms.GaussianLine(width) if shape == "gaussian" else ms.LorentzianLine(width)


def _interference(Q: str | None, positions: str | None) -> "ms.Interference | None":
    if Q is None and positions is None:
        return None
    if Q is None or positions is None:
        raise InputError(
            "Q and positions must be given together; write --Q '1.2 1/angstrom' "
            "--positions '0,0,0; 0,0,3.5 angstrom'"
        )
    return ms.Interference(ms.units.to_per_angstrom(Q, "Q"), values.positions("positions", positions))
