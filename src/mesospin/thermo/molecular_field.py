r"""Fields that the moments make themselves: neighbours in mean field, and the demagnetising field.

Both are linear in the thermal moment :math:`\mathbf m` [mu_B] of a formula unit, so that it sits in

.. math:: \mathbf B_{act} = \mathbf B + \Lambda\mathbf m(\mathbf B_{act}, T),\qquad
          \chi = (1 - \chi_0\Lambda)^{-1}\chi_0

with :math:`\mathbf B = \mu_0\mathbf H` of the applied field; `thermo.self_consistent` solves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesospin.checks import finite_array, instance_of, positive
from mesospin.constants import MU_0, MU_B, MU_B_SI
from mesospin.errors import InputError
from mesospin.model.spin import set_fields
from mesospin.units import Quantity, to_kelvin


@dataclass(frozen=True, slots=True, init=False, repr=False)
class MeanField:
    r"""Exchange with the neighbouring molecules in mean field.

    .. math:: H' = -zJ'\langle\mathbf S\rangle\cdot\mathbf S,\qquad
              \chi = \frac{\chi_0}{1 - (zJ'/N_A g^2\mu_B^2)\,\chi_0}

    The field of the neighbours is :math:`\lambda\mathbf m` with :math:`\lambda = zJ'/(g^2\mu_B)` [T/mu_B].
    zJ' > 0 is ferromagnetic; authors who write -2J' S.S between neighbours print half of it.
    In a crystal the field is that vector.  In a powder it is, as in the literature and in other programs,
    that of the average moment, along the applied field: as if the neighbours of a molecule lay at random.
    With ``crystallites=True`` the neighbours are aligned as the molecule is, and the vector is solved for in
    the crystallites of every direction: of an Ising molecule chi_zz/3/(1 - lambda chi_zz) instead of
    chi_zz/3/(1 - lambda chi_zz/3).  The two agree where chi is isotropic.

    Parameters
    ----------
    zJ : float or str [K]
        Number of neighbours times the coupling to each.
    g : float, default 2.0
        The g factor by which a moment is read as a spin (g_J where S is a J).
    crystallites : bool, default False
        Whether a powder has its molecular field in every crystallite by itself.  A demagnetising field is
        then that of the crystallite too.  Without meaning for a single crystal.

    References
    ----------
    - C. J. O'Connor, Prog. Inorg. Chem. 29, 203 (1982).

    Examples
    --------
    >>> MeanField("-0.05 cm^-1")
    MeanField(zJ=-0.071..., g=2.0)
    >>> round(MeanField(-0.1, g=2.0).coefficient, 5)
    -0.03722
    >>> MeanField(-0.1, crystallites=True)
    MeanField(zJ=-0.1, g=2.0, crystallites=True)
    """

    zJ: float
    g: float
    crystallites: bool

    def __init__(self, zJ: Quantity, g: float = 2.0, *, crystallites: bool = False) -> None:
        instance_of("crystallites", crystallites, bool, hint="write True or False")
        set_fields(self, zJ=to_kelvin(zJ, "zJ"), g=positive("g", g), crystallites=crystallites)

    def __repr__(self) -> str:
        own = ", crystallites=True" if self.crystallites else ""
        return f"MeanField(zJ={self.zJ!r}, g={self.g!r}{own})"

    @property
    def coefficient(self) -> float:
        """Return the field of the neighbours per moment [T/mu_B]."""
        return self.zJ / (self.g**2 * MU_B)


@dataclass(frozen=True, slots=True, init=False)
class Demagnetisation:
    r"""Field of the surface of a sample of ellipsoidal shape, :math:`-\mu_0 N\mathbf M`.

    The local (Lorentz) field inside is not part of it.

    Parameters
    ----------
    factor : number or three numbers
        N in SI (a sphere is 1/3, a thin plate across the field 1): one number for all
        directions, or the principal values along x, y and z, which sum to 1.
    volume : float [A^3]
        Volume per formula unit: of the cell over the number of formula units in it, or
        M/(density N_A).

    Raises
    ------
    InputError
        If N lies outside 0 to 1 or three values do not sum to 1, or the volume is not positive.

    Examples
    --------
    >>> round(Demagnetisation(1 / 3, volume=1630.4).coefficient[0], 6)
    -0.002383
    """

    factor: tuple[float, ...]
    volume: float

    def __init__(self, factor: float | Sequence[float], volume: float) -> None:
        values = np.atleast_1d(finite_array("factor", factor))
        if values.shape not in ((1,), (3,)) or not np.all((values >= 0) & (values <= 1)):
            raise InputError(
                f"factor must be one or three numbers between 0 and 1 (SI), got {values.tolist()}; "
                "divide a cgs factor by 4 pi"
            )
        if len(values) == 3 and not abs(values.sum() - 1.0) <= 1e-6:
            raise InputError(f"factor must sum to 1 over x, y and z, got {values.sum():g}; correct the three")
        set_fields(self, factor=tuple(float(x) for x in values), volume=positive("volume", volume, "A^3"))

    @property
    def coefficient(self) -> tuple[float, ...]:
        """Return the demagnetising field per moment [T/mu_B], one or three values."""
        return tuple(-MU_0 * MU_B_SI / (self.volume * 1e-30) * factor for factor in self.factor)


def feedback(
    mean_field: MeanField | None, demagnetisation: Demagnetisation | None, components: int
) -> NDArray[np.float64] | None:
    """Return the tensor Lambda [T/mu_B], shape (components, components), or None where nothing acts back."""
    if mean_field is None and demagnetisation is None:
        return None
    if mean_field is not None:
        instance_of("mean_field", mean_field, MeanField, hint="write MeanField(zJ, g)")
    if demagnetisation is not None:
        instance_of(
            "demagnetisation", demagnetisation, Demagnetisation, hint="write Demagnetisation(N, volume)"
        )
    total = np.zeros((components, components))
    if mean_field is not None:
        total += np.eye(components) * mean_field.coefficient
    if demagnetisation is not None:
        if components == 1 and len(demagnetisation.factor) == 3:
            raise InputError(
                "demagnetisation of a powder must have one factor, along the field, got three; choose one"
            )
        total += np.diag(np.broadcast_to(demagnetisation.coefficient, components))
    return total
