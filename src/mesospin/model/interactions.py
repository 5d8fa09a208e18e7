"""Terms that couple two spins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesospin import checks
from mesospin.errors import InvalidModelError
from mesospin.model.spin import Spin, set_fields
from mesospin.model.term import (
    Frame,
    Product,
    Tensor,
    Term,
    check_sites,
    frame_text,
    read_frame,
    read_tensor,
    signed,
)
from mesospin.operators.local import ladder_operator
from mesospin.operators.rotation import rotate_tensor
from mesospin.units import Quantity, to_kelvin

__all__ = ["CONVENTIONS", "DzyaloshinskiiMoriya", "Exchange", "Hyperfine"]

CONVENTIONS: dict[str, float] = {"+J": 1.0, "-J": -1.0, "-2J": -2.0}
"""Factor that turns a published J of each convention into the stored +J."""

TensorLike = Quantity | Sequence[Quantity] | Sequence[Sequence[Quantity]]


def bilinear_products(i: int, k: int, tensor: NDArray[np.float64], spins: tuple[Spin, ...]) -> list[Product]:
    r"""Return :math:`S_i\cdot T\cdot S_k` as products of ladder operators.

    In ladder operators an isotropic coupling has no double-flip part at all, while the sum of :math:`S_x
    S_x` and :math:`S_y S_y` would leave it to the cancellation of two rounded numbers.
    """
    t = tensor
    double = (t[0, 0] - t[1, 1] - 1j * (t[0, 1] + t[1, 0])) / 4
    flip = (t[0, 0] + t[1, 1] + 1j * (t[0, 1] - t[1, 0])) / 4
    plus_z = (t[0, 2] - 1j * t[1, 2]) / 2
    z_plus = (t[2, 0] - 1j * t[2, 1]) / 2
    coefficients = {
        ("z", "z"): complex(t[2, 2]),
        ("+", "-"): flip,
        ("-", "+"): flip.conjugate(),
        ("+", "+"): double,
        ("-", "-"): double.conjugate(),
        ("+", "z"): plus_z,
        ("-", "z"): plus_z.conjugate(),
        ("z", "+"): z_plus,
        ("z", "-"): z_plus.conjugate(),
    }
    return [
        ((i, ladder_operator(spins[i].S, a).scaled(c)), (k, ladder_operator(spins[k].S, b)))
        for (a, b), c in coefficients.items()
        if c != 0
    ]


def _bilinear_formula(left: str, right: str, tensor: Tensor) -> str:
    x, y, z = tensor
    off_diagonal = (x[1], x[2], y[0], y[2], z[0], z[1])
    if any(off_diagonal):
        rows = "; ".join(", ".join(f"{entry:.10g}" for entry in row) for row in tensor)
        return f"+ {left}.[{rows}] K.{right}"
    if x[0] == y[1] == z[2]:
        return f"{signed(x[0])} {left}.{right}"
    return " ".join(
        f"{signed(value)} {left}{axis} {right}{axis}"
        for axis, value in zip("xyz", (x[0], y[1], z[2]), strict=True)
        if value != 0.0
    )


def _name(spins: tuple[Spin, ...], site: int) -> str:
    """Return the label of a spin, numbered where it is not unique."""
    label = spins[site].label
    return label if sum(spin.label == label for spin in spins) == 1 else f"{label}{site + 1}"


@dataclass(frozen=True, slots=True, init=False)
class Exchange(Term):
    r"""Exchange :math:`S_i\cdot J\cdot S_j` between two spins, stored in the +J convention.

    Parameters
    ----------
    i, j : int
        Indices of the spins.
    J : number or text, 3 values, or 3x3 [K]
        Coupling in the named convention; a tensor may be asymmetric.
    convention : {"+J", "-J", "-2J"}
        Which Hamiltonian the number belongs to: +J Si.Sj, -J Si.Sj or -2J Si.Sj.  There is no default.

    Raises
    ------
    InputError
        If the convention is unknown or an entry is not a finite energy.

    Examples
    --------
    >>> Exchange(0, 1, "-0.06 K", convention="-2J").J[0][0]
    0.12
    """

    i: int
    j: int
    J: Tensor

    def __init__(self, i: int, j: int, J: TensorLike, convention: str) -> None:
        factor = CONVENTIONS[checks.one_of("convention", convention, tuple(CONVENTIONS))]
        given = read_tensor("J", J, energy=True)
        # "+ 0.0" turns -0.0 into 0.0: equal tensors must be equal values
        x, y, z = ((factor * a + 0.0, factor * b + 0.0, factor * c + 0.0) for a, b, c in given)
        set_fields(self, i=checks.integer("i", i), j=checks.integer("j", j), J=(x, y, z))

    @property
    def sites(self) -> tuple[int, ...]:
        """Indices of the two spins."""
        return (self.i, self.j)

    def products(self, spins: tuple[Spin, ...]) -> list[Product]:
        """Return the products of ladder operators [K]."""
        self.validate(spins)
        return bilinear_products(self.i, self.j, np.array(self.J), spins)

    def formula(self, spins: tuple[Spin, ...]) -> str:
        """Return the formula with its values."""
        return _bilinear_formula(_name(spins, self.i), _name(spins, self.j), self.J)

    def validate(self, spins: tuple[Spin, ...]) -> None:
        """Raise unless both sites exist and differ."""
        check_sites("Exchange", self.sites, spins)


@dataclass(frozen=True, slots=True, init=False)
class DzyaloshinskiiMoriya(Term):
    r"""Antisymmetric exchange :math:`d\cdot(S_i\times S_j)`.

    Parameters
    ----------
    i, j : int
        Indices of the spins; exchanging them changes the sign.
    d : three values [K]
        Vector d.

    Examples
    --------
    >>> DzyaloshinskiiMoriya(0, 1, (0, 0, "0.1 K")).formula((Spin(0.5), Spin(0.5)))
    '+ (0, 0, 0.1) K.(S1 x S2)'
    """

    i: int
    j: int
    d: tuple[float, float, float]

    def __init__(self, i: int, j: int, d: Sequence[Quantity]) -> None:
        if isinstance(d, str) or len(d) != 3:
            raise InvalidModelError(
                f"d must be a vector of three energies [K], got {d!r}; write (dx, dy, dz)"
            )
        x, y, z = (to_kelvin(entry, "d") for entry in d)
        set_fields(self, i=checks.integer("i", i), j=checks.integer("j", j), d=(x, y, z))

    @property
    def sites(self) -> tuple[int, ...]:
        """Indices of the two spins."""
        return (self.i, self.j)

    def products(self, spins: tuple[Spin, ...]) -> list[Product]:
        """Return the products of ladder operators [K]."""
        self.validate(spins)
        x, y, z = self.d
        tensor = np.array([[0.0, z, -y], [-z, 0.0, x], [y, -x, 0.0]])
        return bilinear_products(self.i, self.j, tensor, spins)

    def formula(self, spins: tuple[Spin, ...]) -> str:
        """Return the formula with its values."""
        vector = ", ".join(f"{entry:.10g}" for entry in self.d)
        return f"+ ({vector}) K.({_name(spins, self.i)} x {_name(spins, self.j)})"

    def validate(self, spins: tuple[Spin, ...]) -> None:
        """Raise unless both sites exist and differ."""
        check_sites("DzyaloshinskiiMoriya", self.sites, spins)


@dataclass(frozen=True, slots=True, init=False)
class Hyperfine(Term):
    r"""Hyperfine coupling :math:`S_i\cdot A\cdot I_k` of an electronic and a nuclear spin.

    Parameters
    ----------
    i, k : int
        Indices of the electronic and of the nuclear spin.
    A : number or text, 3 values, or 3x3 [K]
        Hyperfine tensor.
    frame : three angles [rad] or None, default None
        Active zyz rotation of the tensor; entries below 4 eps of the largest are then set to exact zeros.

    Raises
    ------
    InvalidModelError
        If the spin `k` of a system is not nuclear.

    Examples
    --------
    >>> Hyperfine(0, 1, "-6 mK").formula((Spin(7.5, 1.2, "J"), Spin(3.5, -0.16, "I", nuclear=True)))
    '- 0.006 K J.I'
    """

    i: int
    k: int
    A: Tensor
    frame: Frame | None

    def __init__(self, i: int, k: int, A: TensorLike, frame: Sequence[Quantity] | None = None) -> None:
        set_fields(
            self,
            i=checks.integer("i", i),
            k=checks.integer("k", k),
            A=read_tensor("A", A, energy=True),
            frame=read_frame(frame),
        )

    @property
    def sites(self) -> tuple[int, ...]:
        """Indices of the two spins."""
        return (self.i, self.k)

    def products(self, spins: tuple[Spin, ...]) -> list[Product]:
        """Return the products of ladder operators [K]."""
        self.validate(spins)
        return bilinear_products(self.i, self.k, rotate_tensor(np.array(self.A), self.frame), spins)

    def formula(self, spins: tuple[Spin, ...]) -> str:
        """Return the formula with its values."""
        return _bilinear_formula(_name(spins, self.i), _name(spins, self.k), self.A) + frame_text(self.frame)

    def validate(self, spins: tuple[Spin, ...]) -> None:
        """Raise unless both sites exist and `k` is a nucleus."""
        check_sites("Hyperfine", self.sites, spins)
        if not spins[self.k].nuclear:
            raise InvalidModelError(
                f"k must be the site of a nuclear spin, got {self.k}; mark it with nuclear = true"
            )
