"""Commands on lanthanides: ions, notations of a crystal field, doublets, clock transitions."""

from typing import Annotated, Any

import typer

import mesospin as ms
from mesospin.cli import options, values
from mesospin.cli.output import deliver, print_table, require_target, say, say_json
from mesospin.errors import InputError
from mesospin.report.cells import Column, Table

_Z = "0,0,1"

Name = Annotated[
    str | None, typer.Argument(metavar="ION", help="Ion with its charge, e.g. Er3+; all ions if omitted.")
]
Axis = Annotated[str, typer.Option("--axis", metavar="X,Y,Z", help="Axis of quantisation.")]


def ion(
    name: Name = None,
    isotope: Annotated[
        str | None, typer.Option("--isotope", metavar="NAME", help="Only this isotope, e.g. 167Er.")
    ] = None,
    inverse_cube: Annotated[
        float | None,
        typer.Option(
            "--inverse-cube", metavar="NUMBER", help="Mean of r^-3 [a_0^-3]: adds the hyperfine constants."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Print the ground multiplet of a lanthanide ion and its nuclei.

    L, S and J by Hund's rules, g_J, Stevens factors theta_k (B_kq = theta_k A_kq<r^k>); nuclear spin I,
    moment and quadrupole moment Q of every natural isotope with a spin, with their source.

    \b
    mesospin ion                            all ions
    mesospin ion Er3+
    mesospin ion Er3+ --isotope 167Er
    mesospin ion Ho3+ --inverse-cube 9.34   hyperfine constant A from <r^-3>
    """
    if name is None:
        if isotope is not None or inverse_cube is not None:
            raise InputError("ion must be named for an isotope or <r^-3>, got none; write mesospin ion Er3+")
        names = [ms.ion(known) for known in ms.ions()]
        tables = [_multiplets(names)]
        facts: Any = [_facts(entry) for entry in names]
    else:
        entry = ms.ion(name)
        kernels = _isotopes(entry, isotope)
        tables = [
            _multiplets([entry]),
            _factors(entry),
            *([_nuclei(entry, kernels, inverse_cube)] if kernels else []),
        ]
        facts = _facts(entry) | {"isotopes": tables[2].records() if kernels else []}
        facts |= {"source_of_isotopes": kernels[0].source if kernels else None}
    if as_json:
        say_json(facts)
        return
    for table in tables:
        print_table(table)
    if name is not None:
        say(f"Sources: {kernels[0].source}" if kernels else f"{entry.element} has no isotope with a spin")


def _isotopes(entry: "ms.Ion", isotope: str | None) -> "tuple[ms.Nucleus, ...]":
    if isotope is None:
        return ms.isotopes(entry.element)
    kernel = ms.nucleus(isotope)
    if kernel.element != entry.element:
        own = [known.name for known in ms.isotopes(entry.element)]
        raise InputError(
            f"isotope must be one of {entry.element} for {entry.name}, got {kernel.name}; "
            + (f"choose {' or '.join(own)}" if own else "it has none with a spin")
        )
    return (kernel,)


def _facts(entry: "ms.Ion") -> dict[str, Any]:
    factors = [
        {"k": k, "exact": str(factor), "value": float(factor)}
        for k, factor in zip((2, 4, 6), entry.theta, strict=True)
    ]
    return {
        "name": entry.name, "electrons": entry.electrons, "term": entry.term, "J": float(entry.J),
        "L": float(entry.L), "S": float(entry.S), "gJ": float(entry.g_J), "gJ_exact": str(entry.g_J),
        "stevens_factors": factors,
    }  # fmt: skip


def _multiplets(entries: "list[ms.Ion]") -> Table:
    names = ("ion", "shell", "term", "J", "L", "S", "gJ", "gJ_exact")
    rows = tuple(
        (
            entry.name, f"4f^{entry.electrons}", entry.term, str(entry.J), str(entry.L), str(entry.S),
            float(entry.g_J), str(entry.g_J),
        )
        for entry in entries
    )  # fmt: skip
    return Table("ions", "Ground multiplet by Hund's rules", tuple(map(Column, names)), rows)


def _factors(entry: "ms.Ion") -> Table:
    columns = (Column("k"), Column("theta"), Column("theta_exact"))
    rows = tuple((k, float(theta), str(theta)) for k, theta in zip((2, 4, 6), entry.theta, strict=True))
    return Table("stevens_factors", "Stevens factors", columns, rows)


def _nuclei(entry: "ms.Ion", kernels: "tuple[ms.Nucleus, ...]", inverse_cube: float | None) -> Table:
    columns = [
        Column("isotope"), Column("I"), Column("moment", "mu_N"), Column("moment_error", "mu_N"),
        Column("gI"), Column("Q", "b"), Column("Q_error", "b"), Column("abundance"),
    ]  # fmt: skip
    none = float("nan")
    rows: list[tuple[Any, ...]] = [
        (
            kernel.name, str(kernel.spin), kernel.moment, kernel.moment_error, kernel.g,
            none if kernel.quadrupole is None else kernel.quadrupole,
            none if kernel.quadrupole_error is None else kernel.quadrupole_error, kernel.abundance,
        )
        for kernel in kernels
    ]  # fmt: skip
    if inverse_cube is not None:
        columns.append(Column("A", "MHz"))
        energies = [ms.hyperfine_constant(entry, kernel, inverse_cube=inverse_cube) for kernel in kernels]
        rows = [
            (*row, 1e3 * ms.units.to_gigahertz(f"{A!r} K")) for row, A in zip(rows, energies, strict=True)
        ]
    return Table("isotopes", "Isotopes with a nuclear spin", tuple(columns), tuple(rows))


def crystal_field(
    system: options.System,
    ion: Annotated[
        str | None,
        typer.Option("--ion", metavar="ION", help="The ion, e.g. Er3+; found from J and g_J if omitted."),
    ] = None,
    site: Annotated[int, typer.Option("--site", help="Position of its spin, counted from 0.")] = 0,
    convention: Annotated[
        str,
        typer.Option(
            "--convention",
            help="Spherical tensors of Wybourne's L_kq: 'C_-q' for C_-q + (-1)^q C_q, or 'C_+q'.",
        ),
    ] = "C_-q",
    as_json: options.Json = False,
) -> None:
    """Print a crystal field in its three notations: B_kq, A_kq<r^k> and Wybourne's L_kq.

    B_kq O_k^q(J) are the Stevens operators of this package, B_kq = theta_k A_kq<r^k> = lambda theta_k L_kq.
    The two conventions for L differ by a sign for odd q and for q < 0; the table names the one that it uses.

    \b
    mesospin crystal-field erw10-repaired --ion Er3+
    mesospin crystal-field tbpc2
    mesospin crystal-field my-molecule.toml --ion Dy3+ --convention C_+q --json
    """
    molecule = ms.load(system)
    entry = _ion_of(molecule, site, ion)
    terms = [term for term in molecule.terms if term.sites == (site,)]
    rows = ms.crystal_field_parameters(entry, terms, convention=convention)
    if not rows:
        raise InputError(
            f"{system} must have a crystal field of Stevens terms on site {site}, got none; choose another "
            "system or site"
        )
    if not as_json:
        say(ms.describe_crystal_field(entry, terms, convention=convention))
        return
    say_json(
        {
            "system": molecule.name, "site": site, **_facts(entry), "convention": convention,
            "units": {"B": "K", "A": "K", "L": "K"}, "parameters": [row._asdict() for row in rows],
        }
    )  # fmt: skip


def _ion_of(molecule: "ms.SpinSystem", site: int, name: str | None) -> "ms.Ion":
    """Return the ion on a site: the named one if it fits, else the 3+ ion with the same J and g_J."""
    if not 0 <= site < len(molecule.spins):
        raise InputError(
            f"site must be a position from 0 to {len(molecule.spins) - 1} in {molecule.name}, got {site}; "
            "see mesospin show"
        )
    spin = molecule.spins[site]
    if name is not None:
        entry = ms.ion(name)
        if float(entry.J) != spin.S or spin.nuclear:
            raise InputError(
                f"ion must have J = {spin.S:g} as the spin on site {site} of {molecule.name}, got "
                f"{entry.name} with J = {entry.J}; name the right ion"
            )
        return entry
    known = [ms.ion(one) for one in ms.ions() if one.endswith("3+")]
    fitting = [
        one
        for one in known
        if float(one.J) == spin.S and spin.is_isotropic and abs(float(one.g_J) - spin.g[0][0]) < _SAME_G
    ]
    if len(fitting) != 1 or spin.nuclear:
        raise InputError(
            f"ion must be named where J and g_J do not tell it, got a spin {spin.S:g} on site {site} of "
            f"{molecule.name}; write --ion Er3+"
        )
    return fitting[0]


_SAME_G = 1e-3
"""Difference of g_J below which a spin is taken for an ion."""


def doublets(
    system: options.System,
    axis: Axis = _Z,
    count: Annotated[int | None, typer.Option("--count", help="Only this many lowest doublets.")] = None,
    isolation: Annotated[
        float,
        typer.Option(
            "--isolation", help="Two levels of an integer spin are a pseudo-doublet if others are so far."
        ),
    ] = 3.0,
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """List the doublets at zero field: energies, g tensors of the pseudospin 1/2, composition.

    gx <= gy <= gz; the tilt is that of the axis of gz. Nuclei are left out.

    \b
    mesospin doublets erw10-repaired
    mesospin doublets erw10-printed --out barrier.png
    mesospin doublets tbpc2 --count 2 --json
    """
    require_target(out)
    dataset = ms.doublets(
        ms.load(system), axis=values.direction("axis", axis), count=count, isolation=isolation
    )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)


def clock_transitions(
    system: options.System,
    span: options.Span,
    axis: options.Axis = _Z,
    states: Annotated[
        int | None, typer.Option("--states", help="Only levels among this many lowest ones.")
    ] = None,
    frequency: Annotated[
        str, typer.Option("--frequency", metavar="LO:HI", help="Range of the frequency [GHz].")
    ] = "0.1:100",
    least_moment: Annotated[
        float, typer.Option("--least-moment", help="Leave out transitions with a smaller moment [mu_B].")
    ] = 0.1,
    step: Annotated[
        str, typer.Option("--step", metavar="FIELD", help="Spacing of the fields of the search [T].")
    ] = "0.5 mT",
    as_json: options.Json = False,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """List the transitions whose frequency does not depend on the field to first order.

    \b
    mesospin clock-transitions how10 --span 0:0.2 --states 16
    mesospin clock-transitions how10 --span 0:0.2 --frequency 9:10 --out clock.png
    """
    require_target(out)
    dataset = ms.clock_transitions(
        ms.load(system),
        values.span("span", span),
        axis=values.direction("axis", axis),
        states=states,
        frequency=values.frequency_span("frequency", frequency),
        least_moment=least_moment,
        step=values.one_field("step", step),
    )
    deliver(dataset, as_json=as_json, out=out, quiet=quiet)
