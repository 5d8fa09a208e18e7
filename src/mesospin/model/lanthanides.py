"""A lanthanide ion as a spin system: its ground multiplet, crystal field and nucleus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import pi

from mesospin.checks import positive
from mesospin.constants import BOHR_RADIUS, K_B, MU_0, MU_B_SI, MU_N_SI
from mesospin.errors import InputError, InvalidModelError
from mesospin.model.crystal_field import crystal_field
from mesospin.model.interactions import Hyperfine
from mesospin.model.ions import Ion, ion
from mesospin.model.nuclei import Nucleus, isotopes, nucleus
from mesospin.model.system import SpinSystem
from mesospin.model.term import Term
from mesospin.model.terms import Quadrupole
from mesospin.units import Quantity, to_kelvin

__all__ = ["hyperfine_constant", "lanthanide"]


def lanthanide(
    name: str | Ion,
    field: Mapping[tuple[int, int], Quantity] | None = None,
    *,
    notation: str = "B",
    convention: str | None = None,
    frame: Sequence[Quantity] | None = None,
    isotope: str | Nucleus | None = None,
    A: Quantity | None = None,
    P: Quantity = 0.0,
    eta: float = 0.0,
    title: str = "",
) -> SpinSystem:
    r"""Return a lanthanide ion in its crystal field, with its nucleus if wanted.

    .. math::
        H = \sum B_{kq} O_k^q(J) + g_J\mu_B B\cdot J
            + A\,J\cdot I + P[I_z^2 - I(I+1)/3 + \eta(I_x^2 - I_y^2)/3] - g_I\mu_N B\cdot I

    Parameters
    ----------
    name : str or Ion
        The ion, e.g. "Er3+": J and g_J from Hund's rules.
    field : mapping of (k, q) to float or str [K], optional
        Crystal field; none is the free ion.
    notation, convention, frame
        How ``field`` is meant, as in `crystal_field`.
    isotope : str or Nucleus, optional
        Its nucleus, e.g. "167Er": I and g_I from the table of nuclei; none is an isotope without spin.
    A : float or str [K]
        Hyperfine constant of the isotope, required with ``isotope``.
    P : float or str [K], default 0
        Quadrupole constant of the isotope.
    eta : float, default 0
        Asymmetry of the quadrupole coupling, 0 to 1.
    title : str, default ""
        One line for people.

    Returns
    -------
    SpinSystem
        Named after the ion or isotope, without surroundings (``defaults`` is empty).

    Raises
    ------
    InputError
        If a name is unknown, ``A`` is missing or has no isotope, or the notation of the field is unclear.
    InvalidModelError
        If the isotope is of another element, J = 0, a rank exceeds 2J, or P is given to a spin 1/2.

    Examples
    --------
    >>> er = lanthanide("Er3+", {(2, 0): "-1.35 K", (4, 4): "18 mK"}, isotope="167Er", A="-6 mK")
    >>> print(er.describe().splitlines()[2])
    H = - 1.35 K O2^0(J)
    >>> er.dimension, round(er.spins[1].g[0][0], 4)
    (128, -0.1607)
    """
    multiplet = ion(name)
    spins = [multiplet.spin()]
    terms: list[Term] = [
        *crystal_field(multiplet, field or {}, notation=notation, convention=convention, frame=frame)
    ]
    sources = [f"{multiplet.describe()}: Hund's rules"]
    label = multiplet.name
    if isotope is not None:
        kernel = _nucleus_of(multiplet, isotope)
        label = kernel.name.removesuffix(kernel.element) + label
        spins.append(kernel.site())
        terms += _nuclear_terms(kernel, A, to_kelvin(P, "P"), eta)
        sources.append(kernel.describe())
    elif A is not None or to_kelvin(P, "P") != 0.0:
        known = [entry.name for entry in isotopes(multiplet.element)]
        raise InputError(
            "isotope must be named for a hyperfine or quadrupole constant, got none; "
            + (f"choose {' or '.join(known)}" if known else f"{multiplet.element} has none with a spin")
        )
    return SpinSystem(label, spins, terms, sources, title=title)


def _nuclear_terms(kernel: Nucleus, A: Quantity | None, P: float, eta: float) -> list[Term]:
    if A is None:
        raise InputError(
            f"A must be the hyperfine constant of {kernel.name} [K], got none; give it, or compute it "
            "with hyperfine_constant or Nucleus.hyperfine_from"
        )
    return [Hyperfine(0, 1, A), *([Quadrupole(1, P, eta)] if P != 0.0 else [])]


def _nucleus_of(multiplet: Ion, isotope: str | Nucleus) -> Nucleus:
    kernel = nucleus(isotope)
    if kernel.element != multiplet.element:
        raise InvalidModelError(
            f"isotope must be one of {multiplet.element} for {multiplet.name}, got {kernel.name}; "
            "change the ion or the isotope"
        )
    return kernel


def hyperfine_constant(name: str | Ion, isotope: str | Nucleus, *, inverse_cube: float) -> float:
    r"""Return the hyperfine constant A [K] of a multiplet from the mean of r^-3 in its 4f shell.

    .. math:: A\,J\cdot I,\qquad
              A = \frac{\mu_0}{4\pi}\,2\mu_B\mu_N\,g_I\,\langle r^{-3}\rangle\,\langle J\|N\|J\rangle

    Parameters
    ----------
    name : str or Ion
        The ion.
    isotope : str or Nucleus
        Its nucleus.
    inverse_cube : float [a_0^-3]
        Mean of r^-3 in atomic units, > 0.

    Returns
    -------
    float [K]

    Raises
    ------
    InputError
        If a name is unknown or ``inverse_cube`` is not positive.
    InvalidModelError
        If the isotope is of another element.

    Notes
    -----
    The field of the orbits and spins of the shell alone; polarised s electrons, which are all that there
    is for L = 0, are left out.

    References
    ----------
    - A. Abragam and B. Bleaney, Electron Paramagnetic Resonance of Transition Ions (1970), chapter 5.

    Examples
    --------
    The known constants of the ions, 812 MHz for holmium, need about 9.3 here:

    >>> from mesospin.constants import KELVIN_PER_GIGAHERTZ
    >>> A = hyperfine_constant("Ho3+", "165Ho", inverse_cube=9.34)
    >>> round(A / KELVIN_PER_GIGAHERTZ, 3)
    0.812
    """
    multiplet = ion(name)
    kernel = _nucleus_of(multiplet, isotope)
    density = positive("inverse_cube", inverse_cube, "a_0^-3") / BOHR_RADIUS**3
    unit = MU_0 / (4 * pi) * 2 * MU_B_SI * MU_N_SI / K_B
    return unit * kernel.g * density * float(multiplet.field_factor)
