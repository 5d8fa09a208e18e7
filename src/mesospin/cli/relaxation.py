"""Commands on measured relaxation: files of magnetometers, fits of isotherms and decays, laws of rates."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import mesospin as ms
from mesospin.cli import options, times
from mesospin.cli.output import Shown, deliver, require_target
from mesospin.errors import InputError, MesospinError

if TYPE_CHECKING:
    import xarray as xr

File = Annotated[
    str,
    typer.Argument(metavar="FILE", help="MPMS3, MPMS XL or PPMS .dat, a CSV with headings, or a .nc result."),
]
Mass = Annotated[str | None, typer.Option("--mass", help="Of the sample, e.g. '12 mg'; else the header's.")]
MolarMass = Annotated[
    str | None, typer.Option("--molar-mass", help="Of a formula unit, e.g. '542.5 g/mol'; else the header's.")
]
Diamagnetism = Annotated[
    str | None, typer.Option("--diamagnetism", metavar="CHI", help="Subtracted: '-3e-4 cm3/mol'.")
]
Eicosane = Annotated[
    str | None, typer.Option("--eicosane-mass", metavar="MASS", help="Around the sample; subtracted.")
]
Holder = Annotated[
    str | None,
    typer.Option("--holder", metavar="CHI", help="Of the empty one: '-2e-8 emu/Oe'; subtracted."),
]
Habit = Annotated[
    str, typer.Option("--habit", help="How the header is read: names, or eicosane (fields used otherwise).")
]
Field = Annotated[str | None, typer.Option("--B", metavar="FIELD", help="Where the file has no field.")]
TTolerance = Annotated[
    float | None, typer.Option("--temperature-tolerance", metavar="KELVIN", help="Within an isotherm.")
]
BTolerance = Annotated[
    float | None, typer.Option("--field-tolerance", metavar="TESLA", help="Within an isotherm.")
]
Law = Annotated[
    str | None, typer.Option("--law", help="'orbach + raman + tunnelling'; 'phonon-bottleneck(direct)'.")
]
Fixed = Annotated[
    str | None, typer.Option("--fixed", metavar="NAME=VALUE,...", help="Parameters of the law that are held.")
]
Errors = Annotated[
    str | None, typer.Option("--errors", help="What weighs a time: fit, distribution, both or equal.")
]
LawOut = Annotated[
    str | None, typer.Option("--law-out", metavar="FILE", help="As --out, for the fitted law.")
]
Ccfit2 = Annotated[
    str | None, typer.Option("--ccfit2", metavar="FILE", help="Write the parameters as ccfit2 does (.csv).")
]


def read(
    file: File,
    measurement: Annotated[
        str | None, typer.Option("--measurement", help="Only these rows: ac, dc, vsm or waveform.")
    ] = None,
    mass: Mass = None,
    molar_mass: MolarMass = None,
    diamagnetism: Diamagnetism = None,
    eicosane_mass: Eicosane = None,
    holder: Holder = None,
    habit: Habit = "names",
    B: Field = None,
    temperature_tolerance: TTolerance = None,
    field_tolerance: BTolerance = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Say what a magnetometer's file holds: instrument, sample, isotherms, and rows left out with the reason.

    \b
    mesospin read sample.dat --out sample.png
    mesospin read sample.dat --mass '12 mg' --molar-mass '542.5 g/mol' --out sample.csv
    """
    require_target(out)
    sample = {
        "mass": mass, "molar_mass": molar_mass, "diamagnetism": diamagnetism, "eicosane_mass": eicosane_mass,
        "holder": holder, "B": B,
    }  # fmt: skip
    tolerances = (temperature_tolerance, field_tolerance)
    data = _measured(file, sample, tolerances, habit=habit, measurement=measurement)
    deliver(data, as_json=as_json, out=out, quiet=quiet)


def fit_ac(
    file: File,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="debye, generalised-debye, cole-davidson, havriliak-negami, double-generalised-debye, "
            "double-generalised-debye-equal-chi.",
        ),
    ] = "generalised-debye",
    weights: Annotated[
        str, typer.Option("--weights", help="equal, or errors (those of the file).")
    ] = "equal",
    law: Law = None,
    joint: Annotated[
        bool, typer.Option("--joint", help="Fit the law to the susceptibilities of all isotherms at once.")
    ] = False,
    fixed: Fixed = None,
    errors: Errors = None,
    waveform: Annotated[
        bool, typer.Option("--waveform", help="The file holds moments in a field switched to and fro.")
    ] = False,
    mass: Mass = None,
    molar_mass: MolarMass = None,
    diamagnetism: Diamagnetism = None,
    eicosane_mass: Eicosane = None,
    holder: Holder = None,
    habit: Habit = "names",
    B: Field = None,
    temperature_tolerance: TTolerance = None,
    field_tolerance: BTolerance = None,
    ccfit2: Ccfit2 = None,
    law_out: LawOut = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Fit relaxation times to the ac susceptibility of every isotherm, and a law to the times.

    Isotherms that do not determine their time are refused, with the reason. Files of the fit are written
    before a law is fitted to its times.

    \b
    mesospin fit-ac sample.dat --out fit.png
    mesospin fit-ac sample.dat --mass '12 mg' --molar-mass 542.5 --ccfit2 sample_params.csv
    mesospin fit-ac sample.dat --law 'orbach + raman + tunnelling' --out fit.nc --law-out law.png
    mesospin fit-ac sample.dat --law 'orbach + raman' --joint --out joint.png
    """
    for target in (out, law_out):
        require_target(target)
    _require_csv(ccfit2)
    shape, rates = ms.ac_model(model), None if law is None else ms.rate_law(law)
    if rates is None and (joint or law_out or fixed):
        raise InputError("law must be given with --joint, --fixed or --law-out, got none; add --law 'orbach'")
    if joint and (law_out or ccfit2):
        raise InputError("joint must be used without --law-out and --ccfit2, got both; --out has the law")
    held = _fixed(fixed)
    sample = {
        "mass": mass, "molar_mass": molar_mass, "diamagnetism": diamagnetism, "eicosane_mass": eicosane_mass,
        "holder": holder, "B": B,
    }  # fmt: skip
    kind = "waveform" if waveform else None
    tolerances = (temperature_tolerance, field_tolerance)
    data = _measured(file, sample, tolerances, habit=habit, measurement=kind)
    if waveform:
        data = ms.waveform_susceptibility(data)
    if joint and rates is not None:
        result = ms.fit_ac_jointly(data, rates, shape, fixed=held, weights=weights)
        deliver(result, as_json=as_json, out=out, quiet=quiet)
        return
    show = Shown(as_json=as_json, quiet=quiet)
    fit = ms.fit_ac(data, shape, weights=weights)
    _add_fit(show, fit, file, out=out, ccfit2=ccfit2)
    if rates is not None:
        _add_laws(show, fit, [rates], held=held, errors=errors, out=law_out)
    show.finish()


def fit_decay(
    file: File,
    model: Annotated[
        str, typer.Option("--model", help="stretched-exponential or double-exponential.")
    ] = "stretched-exponential",
    equilibrium: Annotated[
        float | None, typer.Option("--equilibrium", help="Known moment at the end [emu]; fitted if omitted.")
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--origin", metavar="TIME", help="When the field has arrived, by the file.")
    ] = None,
    window: Annotated[
        str | None, typer.Option("--window", metavar="LO:HI", help="Times since then that count: '0:1000 s'.")
    ] = None,
    square_root: Annotated[
        bool, typer.Option("--square-root", help="Fit the square-root law in the window instead.")
    ] = False,
    law: Law = None,
    fixed: Fixed = None,
    errors: Errors = None,
    temperature_tolerance: TTolerance = None,
    field_tolerance: BTolerance = None,
    ccfit2: Ccfit2 = None,
    law_out: LawOut = None,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Fit relaxation times to decays of the moment after a step of the field.

    \b
    mesospin fit-decay decays.dat --out decays.png
    mesospin fit-decay decays.dat --window 60:5000 --law orbach --law-out law.png
    mesospin fit-decay cold.dat --square-root --window 0:100
    """
    for target in (out, law_out):
        require_target(target)
    _require_csv(ccfit2)
    shape, rates = ms.decay_model(model), None if law is None else ms.rate_law(law)
    part = None if window is None else times.time_span("window", window)
    start = None if origin is None else times.one_time("origin", origin)
    if square_root and part is None:
        raise InputError("window must be given with --square-root, got none; write --window 0:100")
    if square_root and (law or ccfit2 or equilibrium is not None):
        raise InputError("square_root must be used without --law, --ccfit2 and --equilibrium; leave them out")
    if rates is None and (law_out or fixed):
        raise InputError("law must be given with --fixed or --law-out, got none; add --law orbach")
    held = _fixed(fixed)
    data = _measured(file, {}, (temperature_tolerance, field_tolerance))
    if square_root and part is not None:
        deliver(ms.fit_square_root(data, part, origin=start), as_json=as_json, out=out, quiet=quiet)
        return
    show = Shown(as_json=as_json, quiet=quiet)
    fit = ms.fit_decay(data, shape, equilibrium=equilibrium, origin=start, window=part)
    _add_fit(show, fit, file, out=out, ccfit2=ccfit2)
    if rates is not None:
        _add_laws(show, fit, [rates], held=held, errors=errors, out=law_out)
    show.finish()


def fit_rates(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="Times: .nc of a fit, _params.csv of ccfit2, or CSV of T, B, tau, tau error."
        ),
    ],
    law: Law = None,
    compare: Annotated[
        str | None, typer.Option("--compare", metavar="LAW;LAW", help="Laws to weigh: 'orbach; raman'.")
    ] = None,
    fixed: Fixed = None,
    errors: Errors = None,
    time: Annotated[str, typer.Option("--time", help="Which of several times: tau, tau1, tau2.")] = "tau",
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Fit mechanisms to relaxation times, and weigh laws against each other.

    Without --law the likeliest of the compared laws is fitted. Processes: orbach, raman, phonon-pair-raman,
    tunnelling, direct, constant; with a field field-tunnelling, field-direct, field-raman; around another
    one brons-van-vleck(...), phonon-bottleneck(...).

    \b
    mesospin fit-rates fit.nc --law 'orbach + raman + tunnelling' --out law.png
    mesospin fit-rates sample_params.csv --law 'orbach + raman' --fixed n=9
    mesospin fit-rates tau.csv --compare 'orbach; orbach + raman; raman + tunnelling' --errors fit
    """
    require_target(out)
    if law is None and compare is None:
        raise InputError("law must be given, got none; write --law 'orbach + raman'")
    main = None if law is None else ms.rate_law(law)
    others = [] if compare is None else [ms.rate_law(text) for text in compare.split(";")]
    if main is None and len(others) < 2:
        raise InputError(f"compare must be two laws or more between semicolons, got {compare!r}; add one")
    laws = [*([main] if main else []), *(other for other in others if other != main)]
    data = _opened(file) if file.lower().endswith(".nc") else ms.read_rates(file)
    show = Shown(as_json=as_json, quiet=quiet)
    _add_laws(show, data, laws, held=_fixed(fixed), errors=errors, out=out, time=time, first=main is not None)
    show.finish()


def _add_laws(
    show: Shown,
    data: "xr.Dataset",
    laws: list["ms.RateLaw"],
    *,
    held: dict[str, float],
    errors: str | None,
    out: str | None,
    time: str | None = None,
    first: bool = True,
) -> None:
    """Fit a law (the first, or the likeliest), weigh it against the others, write and show both.

    What was shown before is not lost when the fit fails.
    """
    choices = (("errors", errors), ("time", time))
    given: dict[str, Any] = {name: value for name, value in choices if value is not None}
    try:
        comparison = ms.compare_rates(data, laws, **given) if len(laws) > 1 else None
        best = laws[0]
        if comparison is not None and not first:
            best = ms.rate_law(str(comparison["law"].values[0]))
        fit = ms.fit_rates(data, best, fixed=held, **given)
    except MesospinError:
        show.finish()
        raise
    if out is not None:
        ms.export(fit, out)
    show.add("rate_fit", fit, written=[out])
    if comparison is not None:
        show.add("rate_comparison", comparison, written=[])


def _add_fit(show: Shown, fit: "xr.Dataset", file: str, *, out: str | None, ccfit2: str | None) -> None:
    """Write and show a fit of isotherms or decays; refuse to go on where none determines its time."""
    known = bool(fit["determined"].values.any())
    if out is not None:
        ms.export(fit, out)
    if ccfit2 is not None and known:
        ms.write_ccfit2(fit, ccfit2)
    show.add(str(fit.attrs["kind"]), fit, written=[out, ccfit2 if known else None])
    if not known:
        show.finish()
        reason = str(fit["verdict"].values[0])
        raise InputError(
            f"{file} must determine a relaxation time, got none from {len(fit['verdict'])} isotherms, of the "
            f"first for this: {reason}"
        )


def _measured(
    file: str,
    sample: dict[str, str | None],
    tolerances: tuple[float | None, float | None],
    *,
    habit: str = "names",
    measurement: str | None = None,
) -> "xr.Dataset":
    """Return the content of a magnetometer's file, or of a netCDF file that `read` has written."""
    names = ("temperature_tolerance", "field_tolerance")
    given: dict[str, Any] = {name: _bare(text) for name, text in sample.items() if text is not None}
    given |= {name: each for name, each in zip(names, tolerances, strict=True) if each is not None}
    if not file.lower().endswith(".nc"):
        return ms.read_magnetometer(file, habit=habit, measurement=measurement, **given)
    if given:
        wrong = next(iter(given)).replace("_", "-")
        raise InputError(f"{wrong} must be given with the instrument's file, got {file!r}; read that again")
    return _opened(file)


def _opened(file: str) -> "xr.Dataset":
    if not Path(file).is_file():
        raise InputError(f"{file} must be a readable file, got none; check the path")
    return ms.open_result(file)


def _bare(text: str) -> str | float:
    """Return a number without a unit as one, in the package's unit; other texts carry theirs."""
    try:
        return float(text)
    except ValueError:
        return text


def _fixed(text: str | None) -> dict[str, float]:
    held = {}
    for piece in [] if text is None else text.split(","):
        name, mark, number = piece.partition("=")
        try:
            if not mark:
                raise ValueError
            held[name.strip()] = float(number)
        except ValueError:
            raise InputError(f"fixed must be NAME=VALUE pieces, got {text!r}; write n=9,Q=2") from None
    return held


def _require_csv(path: str | None) -> None:
    if path is None:
        return
    if not path.lower().endswith(".csv"):
        raise InputError(f"ccfit2 must end in .csv, got {path!r}; its files are comma-separated")
    if not Path(path).parent.is_dir():
        raise InputError(f"ccfit2 must lie in an existing folder, got {path!r}; create the folder first")
