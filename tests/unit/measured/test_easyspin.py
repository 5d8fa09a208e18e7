"""EasySpin structures: the same spectrum after writing and reading, conventions by closed form, refusals."""

import numpy as np
import pytest

from mesospin.constants import KELVIN_PER_GIGAHERTZ
from mesospin.errors import InputError
from mesospin.measured.text_files.easyspin import read_easyspin
from mesospin.measured.text_files.easyspin_write import write_easyspin
from mesospin.model.interactions import DzyaloshinskiiMoriya, Exchange, Hyperfine
from mesospin.model.nuclei import nucleus
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import Quadrupole, SpinPower, Stevens, ZeroFieldSplitting
from mesospin.operators.spin import spin_operators
from mesospin.spectrum.matrices import affine_hamiltonian

MHZ = 1e-3 * KELVIN_PER_GIGAHERTZ
MANGANESE = Spin(2.5, nucleus("55Mn").g, label="55Mn", nuclear=True)


def spectrum(system, B=(0.3, -0.4, 0.7)):
    H0, G = affine_hamiltonian(system)
    energy = np.linalg.eigvalsh(H0 + np.tensordot(np.array(B), G, 1))
    return energy - energy.mean()


SYSTEMS = {
    "powers": giant_spin(10, D=-0.5, E=0.01, A4=-1e-3, C4=2e-5, g=1.9),
    "frames": SpinSystem(
        "a",
        [Spin(2, [1.9, 2.0, 2.1])],
        [
            ZeroFieldSplitting(-3.0, 0.3, frame=(0.1, 0.2, 0.3)),
            Stevens(4, 3, 1e-3, frame=(0.3, 0.2, 0.1)),
            Stevens(4, -2, 2e-3, frame=(0.3, 0.2, 0.1)),
            Stevens(3, 1, 0.01),
        ],
    ),
    "rank 2": SpinSystem(
        "a",
        [Spin(2, [[2.0, 0.1, 0.0], [0.0, 2.1, 0.2], [0.3, 0.0, 1.9]])],
        [ZeroFieldSplitting(-3.0, 0.3, frame=(0.1, 0.2, 0.3))]
        + [Stevens(2, q, 0.1 * (q + 3)) for q in range(-2, 3)],
    ),
    "pair": SpinSystem(
        "a",
        [Spin(1), Spin(1.5, [1.8, 1.9, 2.2])],
        [
            ZeroFieldSplitting(-3.0, 0.3, 1, frame=(0.1, 0.2, 0.3)),
            Exchange(1, 0, [[1.0, 0.2, 0.3], [0.4, 2.0, 0.5], [0.1, 0.0, 1.0]], "-2J"),
            DzyaloshinskiiMoriya(0, 1, (0.1, 0.2, 0.3)),
        ],
    ),
    "three": SpinSystem(
        "a", [Spin(1), Spin(1.5), Spin(0.5)], [Exchange(1, 0, 1.0, "-2J"), Exchange(1, 2, 2.0, "+J")]
    ),
    "nucleus": SpinSystem(
        "a",
        [Spin(1), MANGANESE],
        [
            ZeroFieldSplitting(1.0),
            Hyperfine(0, 1, [0.1, 0.2, 0.3], frame=(0.1, 0.2, 0.3)),
            Quadrupole(1, 0.01, 0.3, frame=(0.4, 0.5, 0.6)),
        ],
    ),
    "full A": SpinSystem(
        "a",
        [Spin(1), MANGANESE, MANGANESE],
        [Hyperfine(0, 1, [[0.1, 0.2, 0.3], [0.0, 0.1, 0.0], [0.2, 0.2, 0.2]]), Hyperfine(0, 2, 0.1)],
    ),
}


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_what_is_written_has_the_same_spectrum(system):
    read = read_easyspin(write_easyspin(system))
    expected = spectrum(system)
    assert spectrum(read) == pytest.approx(expected, abs=1e-13 * np.abs(expected).max())


def test_conventions_by_explicit_operators():
    system = read_easyspin(
        "Mol.S = [1 0.5]; Mol.g = [2.0 2.2; 1.9 2.1]; % axial\nMol.D = [3000 0];\n"
        "Mol.J = 5000; Mol.dvec = [0 0 ...\n 700];"
    )
    s, t = spin_operators(1), spin_operators(0.5)
    pairs = [np.kron(a, b) for a, b in zip(s, t, strict=True)]
    crossed = np.kron(s[0], t[1]) - np.kron(s[1], t[0])
    H = 3000 * np.kron(s[2] @ s[2] - 2 / 3 * np.eye(3), np.eye(2)) + 5000 * sum(pairs) + 700 * crossed
    assert pytest.approx(MHZ * H, abs=1e-12) == affine_hamiltonian(system).H0
    assert system.spins[0].g == ((2.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 2.2))


def test_rows_of_stevens_coefficients_run_from_plus_k_down():
    system = read_easyspin("Sys.S = 2; Sys.B4 = [1 2 3 4 5 6 7 8 9];")
    found = {term.q: term.B / MHZ for term in system.terms}
    assert found == pytest.approx({q: 5 - q for q in range(-4, 5)})
    assert [t.q for t in read_easyspin("Sys.S = 2; Sys.B4 = 12;").terms] == [0]


def test_frames_are_those_of_easyspin():
    """EasySpin has D = R' diag R with the passive matrix R of its zyz angles."""
    alpha, beta, gamma = 0.3, 0.7, -0.4

    def about_z(x):
        return np.array([[np.cos(x), np.sin(x), 0], [-np.sin(x), np.cos(x), 0], [0, 0, 1]])

    about_y = np.array([[np.cos(beta), 0, -np.sin(beta)], [0, 1, 0], [np.sin(beta), 0, np.cos(beta)]])
    passive = about_z(gamma) @ about_y @ about_z(alpha)
    D = passive.T @ np.diag([-3000.0, -1000.0, 4000.0]) @ passive
    s = np.array(spin_operators(1))
    expected = np.einsum("ab,aij,bjk->ik", D, s, s)
    angles = f"[{alpha} {beta} {gamma}]"
    system = read_easyspin(f"Sys.S = 1; Sys.D = [-3000 -1000 4000]; Sys.DFrame = {angles};")
    assert pytest.approx(MHZ * expected, abs=1e-12) == affine_hamiltonian(system).H0


def test_quadrupole_in_its_three_forms():
    head = "Sys.S = 0.5; Sys.Nucs = '14N'; Sys.A = 10; Sys.Q = "
    expected = spectrum(read_easyspin(f"{head}[-0.35 -0.65 1.0];"))
    # [e2Qq/h eta] with K = e2Qq/(4 I (2I - 1)): 2K = 1, K(1 - eta) = 0.35
    assert spectrum(read_easyspin(f"{head}[2.0 0.3];")) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Sys.S = 1; Sys.lwpp = 1;", "Sys.lwpp must be a field"),
        ("Sys.S = 1; Sys.d = 5;", "did you mean D"),
        ("Sys.S = 1; Sys.D = 5; Sys.B2 = 3;", "must not be given together"),
        ("Sys.S = [1 1];", "must couple several"),
        ("Sys.S = 1; Sys.B4 = [1 2 3];", "must have size 1 x 9"),
        ("Sys.S = 1; Sys.A = 5;", "Sys.Nucs must name"),
        ("Sys.S = 1; Sys.g = [1 2 3 4];", "Sys.g must have size"),
        ("Sys.S = 1; Exp.D = 1;", "one structure"),
        ("x = 1", "must assign fields"),
        ("Sys.S = 1; Sys.D = [1 NaN];", "Sys.D must be numbers in MHz, got .*'NaN' is not evaluated"),
        ("Sys.S = half;", "Sys.S must be spins, such as 5/2, got 'half'"),
        ("Sys.S = 1; Sys.g = [2 x];", "Sys.g must be g values, got"),
        ("Sys.S = 1; Sys.D = [3000 0]; Sys.DFrame = [0 deg 0];", r"Sys.DFrame must be angles \[rad\], got"),
        ("Sys.S = 1; Sys.D = [3000 0]; Sys.DFrame = [0 90 0];", r"for degrees write \[..\]\*pi/180"),
        ("Sys.S = 1/2; Sys.D = 3000;", "D and E must be 0"),
        ("Sys.S = 0.5; Sys.Nucs = '14N'; Sys.A = 1; Sys.Q = [1 2 3];", "without trace"),
        ("", "at least one field"),
    ],
)
def test_what_is_not_understood_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        read_easyspin(text)


def test_what_has_no_field_is_refused():
    with pytest.raises(InputError, match="no powers"):
        write_easyspin(SpinSystem("a", [Spin(3)], [SpinPower(1.0, z=6)]))
    with pytest.raises(InputError, match="must name the isotope"):
        write_easyspin(SpinSystem("a", [Spin(1), Spin(2.5, 1.3, "I", nuclear=True)]))
    with pytest.raises(InputError, match="name another isotope"):
        write_easyspin(SpinSystem("a", [Spin(1), MANGANESE]), nuclei={1: "167Er"})


def test_a_file_is_written_and_read(tmp_path):
    file = tmp_path / "mn12.m"
    text = write_easyspin(SYSTEMS["powers"], file)
    assert file.read_text(encoding="utf-8") == text
    assert read_easyspin(file, "Mn12").name == "Mn12"
    with pytest.raises(InputError, match="must be a readable file"):
        read_easyspin(tmp_path / "none.m")


def test_ordinary_lines_of_matlab_are_read():
    system = read_easyspin(
        "% copper and chromium\nSys.S = [1/2 3/2];  % spins\nSys.g = [2 2.2; 1.98, 1.98];\n"
        "Sys.J = -0.5*30e3; Sys.D = [0 0; 2*(1 + 0.5)*1e3 ...  more\n -1e2];\n"
        "Sys.DFrame = [0 0 0\n10 20 30]*pi/180;"
    )
    assert [spin.S for spin in system.spins] == [0.5, 1.5]
    assert system.spins[0].g[2][2] == 2.2
    splitting, exchange = system.terms
    assert pytest.approx(3000.0) == splitting.D / MHZ
    assert pytest.approx(-100.0) == splitting.E / MHZ
    assert splitting.frame == pytest.approx(np.radians([10, 20, 30]))
    assert exchange.J[0][0] / MHZ == pytest.approx(-15000.0)
    assert read_easyspin("Sys.S = 1/2;\nSys.g = [2 2.2];").spins[0].g[2][2] == 2.2
