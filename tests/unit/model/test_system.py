import numpy as np
import pytest

from mesospin.errors import InputError, InvalidModelError
from mesospin.model.environment import Defaults
from mesospin.model.interactions import Exchange, Hyperfine
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import SpinPower, Stevens, ZeroFieldSplitting

NUCLEUS = Spin(3.5, -0.161, "I", nuclear=True)


@pytest.mark.parametrize(
    ("spins", "kramers"),
    [
        ([Spin(10)], False),
        ([Spin(4.5)], True),
        ([Spin(4.5), Spin(4.5)], False),
        ([Spin(7.5, 1.2, "J"), NUCLEUS], False),
        ([Spin(8, 1.25, "J"), NUCLEUS], True),
        ([Spin(0.5)] * 3, True),
    ],
)
def test_kramers_counts_every_half_integer_spin(spins, kramers):
    assert SpinSystem("x", spins).is_kramers is kramers


def test_dimensions_and_electronic_sites():
    system = SpinSystem("x", [Spin(7.5, 1.2, "J"), NUCLEUS])
    assert system.dimension == 128
    assert system.dimensions == (16, 8)
    assert system.electronic_sites == (0,)


def test_a_system_is_a_frozen_hashable_value():
    one = giant_spin(10, D="-0.548 K", C4=-2.2e-5)
    other = giant_spin(10.0, D=-0.548, C4="-22 uK")
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other, giant_spin(10, D=-0.5)}) == 2
    with pytest.raises(AttributeError):
        one.name = "y"  # type: ignore[misc]


def test_replace_and_with_terms_validate_again():
    system = giant_spin(1, D=-1)
    assert system.replace(name="b").terms == system.terms
    assert system.with_terms(ZeroFieldSplitting(0, 0.1)).terms[-1].E == 0.1
    with pytest.raises(InvalidModelError, match="k must be at most 2S = 2"):
        system.with_terms(Stevens(4, 0, 1.0))
    with pytest.raises(InputError, match="got 'nam'; did you mean name"):
        system.replace(nam="b")


def test_giant_spin_is_exactly_its_formula(hamiltonian):
    system = giant_spin(10, D=-0.5, E=0.1, A4=-1e-3, C4=2e-5, g=[1.9, 1.9, 2.0])
    m = np.arange(10.0, -11.0, -1.0)
    matrix = hamiltonian(system.spins, *system.terms)
    assert np.allclose(np.diag(matrix), -0.5 * m**2 - 1e-3 * m**4, rtol=1e-15)
    # <8| E (S+^2 + S-^2)/2 |10> and <6| C4 S-^4 |10>
    assert matrix[2, 0] == pytest.approx(0.05 * np.sqrt(20 * 38))
    assert matrix[4, 0] == pytest.approx(2e-5 * np.sqrt(20 * 38 * 54 * 68))
    assert system.defaults == Defaults()
    assert np.array_equal(system.spins[0].g, np.diag([1.9, 1.9, 2.0]))


def test_giant_spin_of_any_size_builds_no_matrix():
    assert giant_spin(100_000, D=-1.0, E=0.1).dimension == 200_001


def test_giant_spin_leaves_out_what_is_zero():
    assert giant_spin(10, D=-0.5).terms == (SpinPower(-0.5, z=2),)
    assert giant_spin(0.5, D=0).terms == ()


def test_contradictions_are_refused():
    with pytest.raises(InvalidModelError, match="spins must name at least one spin"):
        SpinSystem("x", [])
    with pytest.raises(InvalidModelError, match="spins must contain Spin values, got 10"):
        SpinSystem("x", [10])  # type: ignore[list-item]
    with pytest.raises(InvalidModelError, match="terms must contain Term values"):
        SpinSystem("x", [Spin(1)], ["D"])  # type: ignore[list-item]
    with pytest.raises(InvalidModelError, match="name must be a non-empty text"):
        SpinSystem("", [Spin(1)])
    with pytest.raises(InvalidModelError, match="electronic spin"):
        SpinSystem("x", [NUCLEUS])
    with pytest.raises(InvalidModelError, match="got 1"):
        SpinSystem("x", [Spin(1)], [Exchange(0, 1, 1.0, "+J")])
    with pytest.raises(InvalidModelError, match="S must be a positive half-integer"):
        giant_spin(2.3, D=-1)
    with pytest.raises(InputError, match="D must have a unit"):
        giant_spin(10, D="-0.5")
    with pytest.raises(InputError, match="E must be finite"):
        giant_spin(10, D=-0.5, E=float("nan"))
    with pytest.raises(InvalidModelError, match="ladder must be at most 2S = 2"):
        giant_spin(1, D=-1, C4=1e-5)


def test_description_has_formula_units_conventions_and_sources():
    system = SpinSystem(
        "er",
        [Spin(7.5, [1.2, 1.2, 1.3], "J"), NUCLEUS],
        [Stevens(2, 0, "-1.35 K"), Hyperfine(0, 1, "-6 mK")],
        sources=["a paper"],
        title="erbium",
    )
    text = system.describe()
    for part in (
        "er: erbium",
        "H = - 1.35 K O2^0(J)",
        "- 0.006 K J.I",
        "+ mu_B B.(1.2, 1.2, 1.3).J",
        "- mu_N (-0.161) B.I",
        "J = 15/2, electronic",
        "128 states; not a Kramers system",
        "EasySpin normalisation",
        "+mu_B B.g.S",
        "a paper",
    ):
        assert part in text
    assert "Surroundings" not in text


def test_description_of_a_free_spin():
    assert "H = mu_B (2) B.S" in giant_spin(0.5, D=0).describe()
