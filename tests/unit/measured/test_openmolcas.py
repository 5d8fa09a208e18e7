"""Reading SINGLE_ANISO: a multiplet computed here, printed as the program prints it, and read back.

Nothing of the package enters the printed numbers: spherical tensors come from commutators, the norms of the
Stevens operators from the constants that OpenMolcas tabulates (set_knm, coeff_redus_sub), g tensors from
traces, as the program defines them.
"""

from dataclasses import dataclass
from math import factorial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import mesospin as ms
from mesospin.constants import KELVIN_PER_WAVENUMBER
from mesospin.errors import InputError, ValidityWarning
from mesospin.operators.rotation import euler_matrix
from mesospin.spectrum.doublets import doublets

Matrix = NDArray[np.complex128]

#: Powers of 2 and squares of K_kq, k = 2, 4 ... 12, as tabulated in OpenMolcas.
POWERS = {2: 1, 4: 3, 6: 4, 8: 7, 10: 8, 12: 10}
SQUARES = {
    2: (1, 6, 1.5),
    4: (1, 20, 10, 140, 17.5),
    6: (1, 42, 26.25, 105, 31.5, 693, 57.75),
    8: (1, 72, 1260, 9240, 1386, 72072, 1716, 51480, 3217.5),
    10: (1, 110, 82.5, 8580, 4290, 1716, 536.25, 36465, 6077.5, 230945, 11547.25),
    12: (1, 156, 6006, 4004, 2252.25, 306306, 2431, 277134, 69283.5, 646646, 88179, 4056234, 169009.75),
}


def spin(J: float) -> Matrix:
    m = np.arange(J, -J - 1, -1)
    up = np.diag(np.sqrt(J * (J + 1) - m[1:] * (m[1:] + 1)), 1)
    return np.array([(up + up.T) / 2, (up - up.T) / 2j, np.diag(m)])


def tensor(J: float, k: int) -> dict[int, Matrix]:
    """Spherical tensors with the phase of Condon and Shortley, T_k0 = 1 in the stretched state."""
    x, y, _ = spin(J)
    lower = x - 1j * y
    T = {k: np.linalg.matrix_power(x + 1j * y, k) * (-1) ** k}
    for q in range(k, -k, -1):
        T[q - 1] = (lower @ T[q] - T[q] @ lower) / np.sqrt(k * (k + 1) - q * (q - 1))
    scale = T[0][0, 0]
    return {q: matrix / scale for q, matrix in T.items()}


def stevens_from(J: float, k: int, A: dict[int, complex]) -> dict[int, float]:
    """H = sum B O with O_kq = F/2 [T_-q + (-1)^q T_q], O_k-q = iF/2 [T_-q - (-1)^q T_q]."""
    stretched = 2.0 ** POWERS[k] * factorial(round(2 * J)) / factorial(round(2 * J) - k) / 2**k
    B = {0: A[0].real / stretched}
    for q in range(1, k + 1):
        F = stretched / np.sqrt(SQUARES[k][q])
        plus = (-1) ** q * A[q]
        B[q], B[-q] = (A[-q] + plus).real / F, (-1j * (A[-q] - plus)).real / F
    return B


def main_axes(moment: Matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Main values and right-handed axes (rows), Z the one that stands out."""
    d = moment.shape[1]
    square = 12 / (d**3 - d) * np.einsum("aij,bji->ab", moment, moment).real
    values, vectors = np.linalg.eigh(square)
    g = np.sqrt(np.maximum(values, 0.0))
    order = [0, 1, 2] if g[2] - g[1] > g[1] - g[0] else [2, 1, 0]
    axes = vectors.T[order]
    axes[2] *= 1.0 if axes[2, 2] >= 0 else -1.0
    axes[1] = np.cross(axes[2], axes[0])
    return g[order], axes


def pseudospin_basis(moment: Matrix) -> Matrix:
    """Columns from the lowest moment along Z up, phases so that mu_X is negative beside the diagonal."""
    _, U = np.linalg.eigh(moment[2])
    for k in range(1, U.shape[1]):
        element = U[:, k - 1].conj() @ moment[0] @ U[:, k]
        U[:, k] *= -abs(element) / element if abs(element) > 1e-9 else 1.0
    return U


@dataclass
class Made:
    text: str
    H: Matrix  # [cm^-1] in the coordinates of the molecule
    energies: NDArray[np.float64]
    axes: NDArray[np.float64]
    ground: NDArray[np.float64]
    tables: dict[str, str]


def random_field(J: float, ranks: dict[int, float], seed: int) -> Matrix:
    rng = np.random.default_rng(seed)
    n = round(2 * J) + 1
    H = np.zeros((n, n), dtype=complex)
    for k, size in ranks.items():
        T = tensor(J, k)
        for q in range(k + 1):
            a = rng.normal() + (1j * rng.normal() if q else 0.0)
            part = a * T[q]
            H += size / np.linalg.norm(T[0]) * (part + part.conj().T)
    return H


def stevens_text(rows: dict[tuple[int, int], float]) -> str:
    return "".join(
        f" {k:2d} | {q:3d} |{SQUARES[k][abs(q)]:11.2f}  | {b:22.14E} |\n" for (k, q), b in rows.items()
    )


def pseudospin_text(number: int, energies, moment: Matrix, dialect: str) -> str:
    g, axes = main_axes(moment)
    turned = np.einsum("ab,bij->aij", axes, moment)
    U = pseudospin_basis(turned)
    local = U.conj().T @ turned @ U
    S = (len(energies) - 1) / 2
    basis = spin(S)
    G = np.einsum("aij,bji->ab", local, basis).real * 3 / (S * (S + 1) * (2 * S + 1))
    stop = ";" if dialect == "molcas" else "."
    lines = [
        f"     CALCULATION OF PSEUDOSPIN HAMILTONIAN TENSORS FOR THE MULTIPLET{number:2d} ( effective S = "
        + (f"{round(2 * S):2d}/2)" if round(2 * S) % 2 else f"{round(S)})"),
        *(f"spin-orbit state {i}{stop} energy({i}) = {e:11.3f} cm-1." for i, e in enumerate(energies, 1)),
        "    g TENSOR:",
    ]
    for name, value, axis in zip("XYZ", g, axes, strict=True):
        lines.append(f" g{name} = {value:17.14f} | {name}m | " + " ".join(f"{c:17.14f}" for c in axis) + " |")
    lines.append(f"The sign of the product gX * gY * gZ for multiplet{number:2d}: < 0.")
    lines += ["  1  |  0  | X |  0.10000000000000E+00 |  0.20000000000000E+00 |"]
    for q, column in ((-1, 1), (0, 2), (1, 0)):
        for a, name in enumerate("XYZ"):
            ratio = "     0.500 " if name == "Y" else " " * 11
            lines.append(f"  1 | {q:3d} | {name} |{ratio} | {G[a, column]:22.14E} |")
    return "\n".join(lines) + "\n"


def made(J=7.5, gJ=4 / 3, ion="DY", seed=5, ranks=None, dialect="molcas", axial=0.0) -> Made:
    H = random_field(J, ranks or {2: 300.0, 4: 120.0, 6: 40.0, 8: 0.5, 12: 0.1, 14: 0.05}, seed)
    along = np.einsum("a,aij->ij", [0.6, 0.0, 0.8], spin(J))
    H = H + axial / J**2 * along @ along
    energies, states = np.linalg.eigh(H)
    moment = -gJ * spin(J)
    pairs = [states[:, 2 * i : 2 * i + 2] for i in range(3)]
    blocks = [pair.conj().T @ moment @ pair for pair in pairs]
    ground, axes = main_axes(blocks[0])
    U = pseudospin_basis(np.einsum("ab,bij->aij", axes, moment))
    local = U.conj().T @ H @ U
    levels = energies - energies[0]
    A = {
        (k, q): complex(np.vdot(T, local) / np.vdot(T, T))
        for k in range(2, round(2 * J) // 2 * 2 + 1, 2)
        for q, T in sorted(tensor(J, k).items())
    }
    B = {
        (k, q): b
        for k in POWERS
        if k <= 2 * J
        for q, b in sorted(stevens_from(J, k, {q: A[k, q] for q in range(-k, k + 1)}).items())
    }
    tables = {
        "alpha": "The Crystal-Field Hamiltonian:\n   Hcf = SUM_{k,q} alpha(k) * [ B(k,q) * O(k,q) + ];\n"
        "  2  |  0  |                | 0.10E+01 | 0.20E+01 |\n",
        "stevens": "The Crystal-Field Hamiltonian:\n   O(k,q) =  Extended Stevens Operators (ESO)\n"
        + stevens_text(B),
        "tensors": "The Crystal-Field Hamiltonian:\n   O(k,q) =  Irreducible Tensor Operators\n"
        + "".join(f" {k:2d} | {q:3d} | {a.real:+21.14E} {a.imag:+21.14E} *I |\n" for (k, q), a in A.items()),
    }
    name = f"{round(J)}." if J.is_integer() else f"{round(2 * J)}/2."
    head = "   SINGLE_ANISO (OPEN)\n"
    if dialect == "molcas":
        head += f"The Crystal-Field acting on the ground atomic multiplet of Ln = {ion} is computed.\n"
        head += "LOW-LYING SPIN-ORBIT ENERGIES:\n"
        head += "".join(
            f"ENERGY OF THE SPIN-ORBIT STATE ({i:4d}) ={e:25.14f}\n" for i, e in enumerate(levels, 1)
        )
    else:
        head = f"! SINGLE_ANISO Program !\n  Number of spin-orbit states --------------- :  {len(levels)}\n"
        head += "  Spin-orbit energy spectra (cm-1) ---------- :\n"
        rows = [levels[i : i + 5] for i in range(0, len(levels), 5)]
        head += "".join("              : " + " ".join(f"{e:11.4f}" for e in row) + "\n" for row in rows)
        head += "  Number of spin-free states ---------------- :  21\n"
    groups = "".join(
        pseudospin_text(i + 1, levels[2 * i : 2 * i + 2], block, dialect) for i, block in enumerate(blocks)
    )
    field = f"     CALCULATION OF CRYSTAL-FIELD PARAMETERS OF THE GROUND ATOMIC MULTIPLET J = {name}\n"
    for label, row in zip(("      | Xm |", " R =  | Ym |", "      | Zm |"), axes, strict=True):
        field += label + "".join(f"{c:18.14f}" for c in row) + " |\n"
    text = (
        head + groups + field + "".join(tables.values()) + "     CALCULATION OF CRYSTAL-FIELD PARAMETERS OF "
    )
    text += "THE GROUND ATOMIC TERM, L =  5.\n" + stevens_text({(2, 0): 7.0})
    return Made(text, H, levels, axes, ground, tables)


@pytest.fixture(scope="module")
def dysprosium() -> Made:
    return made()


def write(folder: Path, text: str) -> Path:
    path = folder / "dy.out"
    path.write_text(text, encoding="utf-8")
    return path


def matrix_of(system) -> Matrix:
    H = np.zeros((system.dimension, system.dimension), dtype=complex)
    for term in system.terms:
        for ((_, operator),) in term.products(system.spins):
            H += operator.matrix()
    return H


def test_the_hamiltonian_comes_back_in_the_coordinates_of_the_molecule(dysprosium, tmp_path):
    # rank 14 has no Stevens operator in the file: its norm is what may be missing
    read = ms.read_single_aniso(write(tmp_path, dysprosium.text))
    wanted = dysprosium.H - np.trace(dysprosium.H) / 16 * np.eye(16)
    missing = np.linalg.norm(matrix_of(read.system) / KELVIN_PER_WAVENUMBER - wanted)
    assert missing == pytest.approx(read.omitted / KELVIN_PER_WAVENUMBER, rel=1e-6)
    assert 0.0 < read.deviation <= read.omitted < 1.0
    assert read.system.name == "Dy3+"
    assert read.axes == pytest.approx(dysprosium.axes)
    assert np.asarray(read.energies) / KELVIN_PER_WAVENUMBER == pytest.approx(dysprosium.energies)


def test_frame_is_kept_on_every_term(dysprosium, tmp_path):
    read = ms.read_single_aniso(write(tmp_path, dysprosium.text))
    frames = {term.frame for term in read.system.terms}
    assert len(frames) == 1
    assert euler_matrix(frames.pop()) == pytest.approx(dysprosium.axes.T, abs=1e-12)


def test_doublets_of_the_system_are_the_printed_ones(dysprosium, tmp_path):
    read = ms.read_single_aniso(write(tmp_path, dysprosium.text))
    found = doublets(read.system, count=3)
    for pseudospin, g, sign in zip(read.pseudospins, found.g.values, found.g_sign.values, strict=True):
        assert sorted(pseudospin.g) == pytest.approx(g, rel=2e-3, abs=2e-3)
        assert pseudospin.sign == sign
        assert pseudospin.printed_sign == -1
    assert abs(found.g_axis.values[0, 2] @ dysprosium.axes[2]) == pytest.approx(1.0, abs=1e-6)


def test_tables_give_the_same_system_alone(dysprosium, tmp_path):
    both = ms.read_single_aniso(write(tmp_path, dysprosium.text))
    for left_out in ("stevens", "tensors"):
        text = dysprosium.text.replace(dysprosium.tables[left_out], "")
        read = ms.read_single_aniso(write(tmp_path, text))
        assert matrix_of(read.system) == pytest.approx(matrix_of(both.system), rel=1e-9, abs=1e-9)
        assert read.omitted == pytest.approx(both.omitted, rel=1e-3)


def test_the_dialect_of_orca_needs_the_name_of_the_ion(tmp_path):
    orca = made(dialect="orca")
    path = write(tmp_path, orca.text)
    with pytest.raises(InputError, match="ion must be named"):
        ms.read_single_aniso(path)
    read = ms.read_single_aniso(path, ion="Dy3+")
    assert np.asarray(read.energies) / KELVIN_PER_WAVENUMBER == pytest.approx(orca.energies, abs=1e-4)
    with pytest.raises(InputError, match="must have the J = 15/2 of the file, got Tb3"):
        ms.read_single_aniso(path, ion="Tb3+")


def test_integer_and_small_multiplets(tmp_path):
    cerium = made(2.5, 6 / 7, "CE", seed=1, ranks={2: 300.0, 4: 100.0})
    read = ms.read_single_aniso(write(tmp_path, cerium.text))
    assert read.omitted == 0.0
    assert read.deviation < 1e-8
    path = write(tmp_path, made(6.0, 1.5, "TB", seed=2, ranks={2: 200.0, 4: 80.0}).text)
    terbium = ms.read_single_aniso(path)
    assert terbium.deviation < 1e-8


def test_the_pseudo_doublet_of_an_integer_spin_is_compared(tmp_path):
    """Nearly axial: the ground pair is close, with g = (0, 0, gz) along its axis."""
    read = ms.read_single_aniso(write(tmp_path, made(6.0, 1.5, "TB", axial=-300.0, ranks={2: 2.0}).text))
    assert "g tensor of doublet 1 agrees" in " ".join(read.checks)


@pytest.mark.parametrize(
    ("old", "new"),
    [("|  -1 |", "|  +1 |"), ("Extended Stevens", "Some"), (" 6.00  |", " 1.00  |")],
    ids=["component", "normalisation", "norm"],
)
def test_damaged_blocks_are_refused(dysprosium, tmp_path, old, new):
    text = dysprosium.text.replace(dysprosium.tables["tensors"], "")
    assert old in text
    with pytest.raises(InputError):
        ms.read_single_aniso(write(tmp_path, text.replace(old, new)))


def test_turned_axes_are_found_out(dysprosium, tmp_path):
    """The energies do not see the axes; the ground doublet does."""
    text = dysprosium.text
    rows = [line for line in text.splitlines() if "| Xm |" in line and "gX" not in line]
    rows += [line for line in text.splitlines() if "| Zm |" in line and "gZ" not in line]
    x, z = (row.split("m |")[1] for row in rows)
    text = text.replace(rows[0], rows[0].replace(x, z)).replace(rows[1], rows[1].replace(z, x))
    middle = next(line for line in text.splitlines() if "R =  | Ym |" in line)
    turned = "".join(f"{-float(c):18.14f}" for c in middle.split("m |")[1].rstrip(" |").split())
    with pytest.raises(InputError, match="right-handed"):
        ms.read_single_aniso(write(tmp_path, text))
    text = text.replace(middle, " R =  | Ym |" + turned + " |")
    with pytest.raises(InputError, match="g tensor of doublet 1"):
        ms.read_single_aniso(write(tmp_path, text))


def test_opposite_signs_of_odd_components_show_in_the_excited_doublets(dysprosium, tmp_path):
    """A frame turned by 180 degrees about Xm keeps the energies and the ground doublet."""
    text = dysprosium.text.replace(dysprosium.tables["tensors"], "")
    for name, row in zip("YZ", dysprosium.axes[1:], strict=True):
        old = f"| {name}m |" + "".join(f"{c:18.14f}" for c in row)
        assert old in text
        text = text.replace(old, f"| {name}m |" + "".join(f"{-c:18.14f}" for c in row))
    with pytest.warns(ValidityWarning, match="g tensor of doublet [23]"):
        ms.read_single_aniso(write(tmp_path, text))


def test_wrong_numbers_and_missing_ends(dysprosium, tmp_path):
    text = dysprosium.text
    alone = text.replace(dysprosium.tables["tensors"], "")
    row = next(line for line in alone.splitlines() if line.startswith("  2 |   0 |"))
    damaged = alone.replace(row, stevens_text({(2, 0): 1.0}).rstrip("\n"))
    with pytest.raises(InputError, match="levels of the crystal field"):
        ms.read_single_aniso(write(tmp_path, damaged))
    with pytest.raises(InputError, match="both tables"):
        ms.read_single_aniso(write(tmp_path, text.replace(row, stevens_text({(2, 0): 1.0}).rstrip("\n"))))
    with pytest.raises(InputError, match="cut off"):
        ms.read_single_aniso(write(tmp_path, alone[: alone.index("  6 |   3 |")]))
    with pytest.raises(InputError, match="repeat the calculation with CRYS"):
        ms.read_single_aniso(write(tmp_path, text[: text.index("     CALCULATION OF CRYSTAL")]))
    with pytest.raises(InputError, match="must list 2 states"):
        ms.read_single_aniso(write(tmp_path, text[: text.index("spin-orbit state 2")]))
    with pytest.raises(InputError, match="output of SINGLE_ANISO"):
        ms.read_single_aniso(write(tmp_path, "nothing here"))


def test_several_runs_are_chosen_by_number(dysprosium, tmp_path):
    other = made(2.5, 6 / 7, "CE", seed=1, ranks={2: 300.0, 4: 100.0})
    path = write(tmp_path, dysprosium.text + other.text)
    with pytest.raises(InputError, match=r"2 runs.*J = 15/2, multiplet 1 \(S = 1/2\).*J = 5/2"):
        ms.read_single_aniso(path)
    assert ms.read_single_aniso(path, section=2).system.name == "Ce3+"
    with pytest.raises(InputError, match="section must be one of the file, got 3"):
        ms.read_single_aniso(path, section=3)


def test_a_doublet_is_read_as_a_pseudospin(dysprosium, tmp_path):
    read = ms.read_single_aniso(write(tmp_path, dysprosium.text), multiplet=2)
    (spin_half,) = read.system.spins
    _, states = np.linalg.eigh(dysprosium.H)
    moment = states[:, 2:4].conj().T @ (-4 / 3 * spin(7.5)) @ states[:, 2:4]
    square = 2 * np.einsum("aij,bji->ab", moment, moment).real
    g = np.array(spin_half.g)
    assert g @ g.T == pytest.approx(square, rel=1e-9, abs=1e-9)
    assert np.sign(np.linalg.det(g)) == read.pseudospins[1].sign == doublets(read.system).g_sign[0]
    with pytest.raises(InputError, match="multiplet must be one of the section, got 9"):
        ms.read_single_aniso(write(tmp_path, dysprosium.text), multiplet=9)


def test_a_transition_ion_is_read_with_its_zero_field_splitting(tmp_path):
    """S = 1 with a tilted D tensor and an anisotropic g: levels and g in the coordinates of the molecule."""
    rng = np.random.default_rng(3)
    D = rng.normal(size=(3, 3))
    D = D + D.T - np.trace(D + D.T) / 3 * np.eye(3)
    g = np.array([[2.1, 0.05, 0.02], [0.05, 2.2, -0.03], [0.02, -0.03, 2.4]])
    S = spin(1.0)
    H = np.einsum("ab,aij,bjk->ik", D, S, S)
    energies, states = np.linalg.eigh(H)
    moment = states.conj().T @ -np.einsum("ab,bij->aij", g, S) @ states
    _, axes = main_axes(moment)
    local = pseudospin_basis(np.einsum("ab,bij->aij", axes, moment))
    turned = local.conj().T @ np.diag(energies) @ local
    A = {q: complex(np.vdot(T, turned) / np.vdot(T, T)) for q, T in tensor(1.0, 2).items()}
    text = "   SINGLE_ANISO (OPEN)\n" + pseudospin_text(1, energies - energies[0], moment, "orca")
    text += "The ZFS Hamiltonian:\n   O(k,q) =  Extended Stevens Operators (ESO) as defined in:\n"
    text += stevens_text({(2, q): b for q, b in sorted(stevens_from(1.0, 2, A).items())})
    read = ms.read_single_aniso(write(tmp_path, text), multiplet=1)
    assert matrix_of(read.system) / KELVIN_PER_WAVENUMBER == pytest.approx(H, abs=1e-9)
    assert np.array(read.system.spins[0].g) == pytest.approx(g, abs=1e-9)
    assert read.pseudospins[0].sign == 1


def test_numbers_of_a_published_calculation():
    """Dysprosium of a MOLCAS run printed in Spinach (dy_lft_single_1): gZ = 19.2967 with g_J = 1.321."""
    printed = {
        2: "1.03264425 0.87708188 -1.86774057 0.09167100 0.21762358",
        4: "1.12950552e-2 -1.00662339e-2 -1.32331117e-2 -7.11977440e-3 9.66418297e-4 -3.56170756e-3 "
        "1.75551956e-2 -1.47069286e-2 8.34524458e-3",
        6: "-2.12931720e-4 4.04181406e-4 -3.10287611e-5 -5.35468898e-5 1.09809619e-4 1.66278152e-4 "
        "-6.43160878e-6 1.05200439e-4 -1.60071017e-4 -2.40450750e-5 -2.43852977e-4 1.07251791e-4 "
        "-1.55696124e-4",
    }
    terms = [
        ms.Stevens(k, q, f"{b} cm^-1")
        for k, row in printed.items()
        for q, b in zip(range(-k, k + 1), row.split(), strict=True)
    ]
    ion = ms.SpinSystem("Dy3+", [ms.Spin(7.5, 1.321)], terms)
    assert doublets(ion, count=1).g.values[0, 2] == pytest.approx(19.2967, rel=1e-3)
