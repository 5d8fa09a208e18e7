"""The program `mesospin`: its commands, and how it fails.

Exit codes: 0 done, 1 the computation failed, 2 bad input (one sentence on standard error), 130 stopped by the
user.
"""

import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import typer

import mesospin as ms
from mesospin.cli import (
    equilibrium,
    fitting,
    lanthanides,
    loops,
    quantum_chemistry,
    relaxation,
    slow,
    spectra,
    spectroscopy,
    tunnelling,
)
from mesospin.cli.interruption import Interrupted
from mesospin.cli.output import note, say
from mesospin.errors import InputError, MesospinError, NoLineWarning, ValidityWarning

_COMMANDS: Final[tuple[Callable[..., None], ...]] = (
    spectra.library,
    spectra.show,
    spectra.levels,
    spectra.crossings,
    tunnelling.splitting,
    tunnelling.splitting_map,
    tunnelling.diabolical_points,
    tunnelling.tunnelling_pair,
    tunnelling.double_well,
    tunnelling.splitting_distribution,
    tunnelling.quantum_objects,
    tunnelling.switching_fields,
    equilibrium.magnetisation,
    equilibrium.susceptibility,
    equilibrium.heat_capacity,
    equilibrium.entropy,
    equilibrium.free_energy,
    equilibrium.torque,
    lanthanides.ion,
    lanthanides.crystal_field,
    lanthanides.doublets,
    lanthanides.clock_transitions,
    spectroscopy.resonance_fields,
    spectroscopy.resonance_frequencies,
    spectroscopy.epr_spectrum,
    spectroscopy.neutron_spectrum,
    fitting.fit,
    fitting.parameters,
    fitting.curie_weiss,
    fitting.convert,
    quantum_chemistry.read_single_aniso,
    quantum_chemistry.read_orca,
    relaxation.read,
    relaxation.fit_ac,
    relaxation.fit_decay,
    relaxation.fit_rates,
    slow.ac,
    slow.decay,
    slow.zfc_fc,
    slow.blocking_temperature,
    loops.relaxation,
    loops.hysteresis,
    loops.run,
    loops.validate,
)

_STOPPED: Final = 130
# A negative number is a value here, never an option: "splitting mn12ac 10 -10".
_NUMBERS: Final = {"ignore_unknown_options": True}

app = typer.Typer(
    name="mesospin",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for _command in _COMMANDS:
    app.command(_command.__name__.replace("_", "-"), context_settings=_NUMBERS)(_command)


def _print_version(value: bool) -> None:
    if value:
        say(f"mesospin {ms.__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Spin physics of magnetic molecules: levels, tunnel splittings, relaxation, staircase loops.

    Numbers are in kelvin, tesla and seconds unless a unit is written: --T '50 mK', --rate '3 mT/s'. m is the
    eigenvalue of Sz with H_Z = +mu_B B.g.S, so at B > 0 the ground level is m = -S.

    \b
    mesospin library
    mesospin show mn12ac
    mesospin levels mn12ac --B 0:5:501 --out levels.png
    mesospin splitting mn12ac 10 -10
    mesospin hysteresis mn12ac --T 0.05,1.9 --rate '3 mT/s' --span=-5:5 --out loop.png
    mesospin run studies/mn12ac-staircase.toml
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; the process's own arguments if omitted.

    Returns
    -------
    int
        0 done, 1 failed, 2 bad input, 130 stopped.

    Examples
    --------
    >>> main(["--version"])
    mesospin ...
    0
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    # --debug may stand anywhere, also behind the command.
    given = [argument for argument in given if argument != "--debug"] or ["--help"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ValidityWarning)
        warnings.simplefilter("ignore", NoLineWarning)  # refused with the same sentence
        warnings.showwarning = _show_warning
        try:
            code: int = app(given, prog_name="mesospin", standalone_mode=False) or 0
            if code == _STOPPED:  # the parser has caught Ctrl-C
                note("mesospin: stopped")
            return code
        # The last place that sees an error: whatever it is, the user gets one sentence.
        except BaseException as error:  # noqa: BLE001
            if debug:
                traceback.print_exception(error)
            return _explain(error)


def _explain(error: BaseException) -> int:
    """Print one sentence about an error and return the exit code that belongs to it."""
    usage = getattr(error, "format_message", None)
    if isinstance(error, Interrupted | KeyboardInterrupt | typer.Abort):
        note(f"mesospin: {error if isinstance(error, Interrupted) else 'stopped'}")
        return _STOPPED
    if isinstance(error, InputError):
        return _fail(str(error), 2)
    if usage is not None:  # an option or argument that the parser refuses
        command = getattr(getattr(error, "ctx", None), "command_path", "mesospin")
        return _fail(f"{usage().rstrip('.')}; see {command} --help", 2)
    if isinstance(error, MesospinError):
        return _fail(str(error), 1)
    if isinstance(error, Exception):
        return _fail(f"{type(error).__name__}: {error}; run it again with --debug for the traceback", 1)
    raise error


def _fail(sentence: str, code: int) -> int:
    note("mesospin: error: " + " ".join(sentence.split()))
    return code


def _show_warning(message: Any, *_where: Any, **_more: Any) -> None:
    note(f"mesospin: warning: {message}")


if __name__ == "__main__":
    sys.exit(main())
