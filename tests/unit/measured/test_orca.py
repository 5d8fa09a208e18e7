"""Reading the QDPT blocks of ORCA, printed here from known matrices in its layout."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import mesospin as ms
from mesospin.constants import KELVIN_PER_WAVENUMBER
from mesospin.errors import InputError, ValidityWarning

Floats = NDArray[np.float64]
Matrix = NDArray[np.complex128]

#: Traceless to six digits, with no axis along x, y or z.
D = np.array(
    [[-12.103577, 3.250001, -1.400002], [3.250001, 4.700344, 6.020008], [-1.400002, 6.020008, 7.403233]]
)
G = np.array(
    [[2.012345, 0.050001, -0.020002], [0.040003, 2.103457, 0.030004], [-0.010005, 0.060006, 2.405678]]
)


def spin(S: float) -> Matrix:
    m = np.arange(S, -S - 1, -1)
    up = np.diag(np.sqrt(S * (S + 1) - m[1:] * (m[1:] + 1)), 1)
    return np.array([(up + up.T) / 2, (up - up.T) / 2j, np.diag(m)])


def quadratic(S: float, tensor: Floats) -> Matrix:
    s = spin(S)
    return np.einsum("ab,aij,bjk->ik", tensor, s, s)


def rows(matrix: Floats, *, numbered: bool = False) -> str:
    return "".join(
        (f"{i:7d}    " if numbered else "") + "".join(f"{v:13.6f}" for v in row) + " \n"
        for i, row in enumerate(matrix)
    )


def axial(tensor: Floats) -> tuple[float, float]:
    values = np.linalg.eigvalsh(tensor - np.trace(tensor) / 3 * np.eye(3))
    a, b, c = values[np.argsort(np.abs(values))]
    return 1.5 * c, abs((a - b) / (3 * c))


def block(S: float, H: Matrix, tensor: Floats = D, g: Floats = G, coupling: str = "ONLY SOC") -> str:
    """One block: states of ``H`` and 3000 cm^-1 above them, g matrix, D tensor of ``tensor``."""
    levels = np.linalg.eigvalsh(H)
    levels = [*(levels - levels[0]), 3000.0]
    d, ratio = axial(tensor)
    factors = np.linalg.svd(g, compute_uv=False)[::-1]
    text = f"Doing QDPT with {coupling}!\n*****\nEigenvectors:\n"
    for i, level in enumerate(levels):
        text += f" STATE {i:3d}: {level:12.4f}\n      0.999816     0.000000    -0.999908 :     0    0    1\n"
    text += "ELECTRONIC G-MATRIX FROM EFFECTIVE HAMILTONIAN\n----\n"
    text += (
        f"Spin multiplicity = {round(2 * S) + 1}\n\ntotal g-matrix:\n         0          1          2    \n"
    )
    text += rows(g, numbered=True)
    text += "\ng-factors:\n" + "".join(f"{v:12.7f}" for v in factors) + f" iso = {factors.mean():12.7f}\n"
    if S == 0.5:
        return text
    for variant, printed in (
        ("2ND ORDER SOC CONTRIBUTION", 1.3 * tensor),
        ("EFFECTIVE HAMILTONIAN SOC CONTRIBUTION", tensor),
    ):
        scale = printed[2, 2] / tensor[2, 2]
        text += f"           ZERO-FIELD SPLITTING\n{variant}\n-----\n\nSecond order D-tensor: component '0'\n"
        text += rows(np.zeros((3, 3))) + "Raw matrix (cm-1):\n" + rows(printed)
        text += "\nEigenvectors:\n" + rows(np.eye(3))
        text += f"\nD   = {scale * d:12.6f}  cm-1\nE/D = {ratio:12.6f}\n"
    return text


def write(folder: Path, text: str) -> Path:
    path = folder / "co.out"
    path.write_text(text, encoding="utf-8")
    return path


def matrix_of(system: ms.SpinSystem) -> Matrix:
    H = np.zeros((system.dimension, system.dimension), dtype=complex)
    for term in system.terms:
        for ((_, operator),) in term.products(system.spins):
            H += operator.matrix()
    return H


@pytest.mark.parametrize("S", [1.0, 1.5])
def test_both_matrices_stay_in_the_coordinates_of_the_molecule(S, tmp_path):
    read = ms.read_orca(write(tmp_path, block(S, quadratic(S, D))))
    H = quadratic(S, D)
    H = H - np.trace(H) / len(H) * np.eye(len(H))
    assert matrix_of(read.system) / KELVIN_PER_WAVENUMBER == pytest.approx(H, abs=1e-9)
    assert np.array(read.system.spins[0].g) == pytest.approx(G)  # not symmetric: kept as it is
    assert read.deviation < 2e-4 * KELVIN_PER_WAVENUMBER
    assert len(read.energies) == round(2 * S) + 2
    (pseudospin,) = read.pseudospins
    axes, g = np.array(pseudospin.axes), np.array(pseudospin.g)
    assert axes.T @ np.diag(g**2) @ axes == pytest.approx(G @ G.T)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    assert pseudospin.sign == 1


def test_sign_of_the_determinant_of_g_is_kept(tmp_path):
    g = np.diag([-0.5, 1.0, 3.0])
    read = ms.read_orca(write(tmp_path, block(0.5, np.zeros((2, 2)), g=g)))
    assert read.pseudospins[0].sign == -1
    assert read.system.terms == ()
    assert ms.doublets(read.system).g_sign[0] == -1


def test_blocks_are_named_by_energies_and_coupling(tmp_path):
    one = quadratic(1.0, D)
    text = block(1.0, one) + block(1.0, 2 * one, 2 * D, coupling="SOC AND SSC")
    text += "----\nQDPT WITH NEVPT2 DIAGONAL ENERGIES\n----\n" + block(1.0, 3 * one, 3 * D)
    path = write(tmp_path, text + "QDPT WITH CASSCF DIAGONAL ENERGIES\n" + block(1.0, 4 * one, 4 * D))
    with pytest.raises(
        InputError, match=r'4 QDPT blocks.*"CASSCF SOC" \(line 1\), "CASSCF SOC\+SSC".*"NEVPT2 SOC"'
    ):
        ms.read_orca(path)
    titles = ("CASSCF SOC", "CASSCF SOC+SSC", "NEVPT2 SOC", "CASSCF SOC #2")
    widths = [ms.read_orca(path, block=title).energies[2] for title in titles]
    assert np.array(widths) / widths[0] == pytest.approx([1, 2, 3, 4], rel=1e-4)
    with pytest.raises(InputError, match="block must be one of the file, got 'NEVPT2'"):
        ms.read_orca(path, block="NEVPT2")


def test_second_order_is_read_on_demand_and_warns(tmp_path):
    path = write(tmp_path, block(1.0, quadratic(1.0, D)))
    with pytest.warns(ValidityWarning, match="differ from the printed energies"):
        read = ms.read_orca(path, hamiltonian="2nd order")
    assert matrix_of(read.system) == pytest.approx(1.3 * matrix_of(ms.read_orca(path).system), rel=1e-6)
    with pytest.raises(InputError, match="hamiltonian must be one of effective, 2nd order"):
        ms.read_orca(path, hamiltonian="second")


def test_terms_of_fourth_order_warn_for_two(tmp_path):
    s = spin(2.0)
    fourth = np.linalg.matrix_power(s[2], 4)
    assert ms.read_orca(write(tmp_path, block(2.0, quadratic(2.0, D) + 0.05 * fourth))).deviation > 0.1
    with pytest.warns(ValidityWarning, match="terms beyond it are needed"):
        ms.read_orca(write(tmp_path, block(2.0, quadratic(2.0, D) + 3 * fourth)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("   6.020008", "  -6.020008", "must be symmetric|printed D"),
        ("7.403233", "9.403233", "must have the printed D"),
        ("2.103457", "2.203457", "must have the printed g factors"),
        ("STATE   1:", "STATE   x:", "must list its states from 0 to 2"),
        ("EFFECTIVE HAMILTONIAN SOC", "OTHER", "must print the zero-field splitting"),
        ("total g-matrix:", "", "must print the g matrix"),
        ("Spin multiplicity = 3", "", "calculate with GTensor"),
        ("Spin multiplicity = 3", "Spin multiplicity = 1", "got multiplicity 1"),
        ("Doing QDPT", "Doing", "output of ORCA's QDPT"),
        ("Spin multiplicity = 3", "Spin multiplicity = 4", "levels of the D tensor"),
    ],
)
def test_damaged_blocks_are_refused(old, new, message, tmp_path):
    text = block(1.0, quadratic(1.0, D))
    assert old in text
    with pytest.raises(InputError, match=message):
        ms.read_orca(write(tmp_path, text.replace(old, new)))


def test_files_that_end_early_are_refused(tmp_path):
    text = block(1.0, quadratic(1.0, D))
    for end in ("g-factors", "EFFECTIVE HAMILTONIAN SOC", "STATE   2"):
        with pytest.raises(InputError):
            ms.read_orca(write(tmp_path, text[: text.index(end)]))
    with pytest.raises(InputError, match="must print E/D"):
        ms.read_orca(write(tmp_path, text[: text.rindex("E/D")]))


def test_oxygen_as_printed_by_orca_6(tmp_path):
    """Numbers of O2, CASSCF(12,8) with ORCA 6.1.1: D = 3.185964 cm^-1 with spin-spin coupling."""
    tensor, g = np.diag([0.0, 0.0, 3.185964]), np.diag([2.001955, 2.001955, 2.002152])
    text = block(1.0, np.diag([0.0, 3.1860, 3.1860]), tensor, g, "SOC AND SSC")
    read = ms.read_orca(write(tmp_path, text.replace("  2.0021520 iso", "  2.0021516 iso")))
    assert ms.levels(read.system, 0.0).energy.values.ravel() / KELVIN_PER_WAVENUMBER == pytest.approx(
        [-2 / 3 * 3.185964, 3.185964 / 3, 3.185964 / 3], abs=1e-6
    )
