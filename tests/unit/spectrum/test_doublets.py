"""g tensors of doublets against closed forms, level splittings and the commutator of the moments."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.constants import MU_B
from mesospin.errors import InputError
from mesospin.model.interactions import Exchange
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem
from mesospin.model.terms import Stevens, ZeroFieldSplitting
from mesospin.operators.rotation import euler_matrix
from mesospin.operators.spin import spin_operators
from mesospin.operators.stevens import stevens_operator
from mesospin.spectrum.doublets import doublets


def ion(J, g, *terms):
    return SpinSystem("ion", [Spin(J, g, "J")], terms)


def random_field(J, seed, ranks=(2, 4, 6)):
    """A crystal field without any symmetry."""
    rng = np.random.default_rng(seed)
    terms = []
    for k in ranks:
        for q in range(-k, k + 1):
            operator = stevens_operator(J, k, q)
            terms.append(Stevens(k, q, float(rng.normal() / np.linalg.norm(operator, 2))))
    return ion(J, rng.normal(size=(3, 3)) + 1.5 * np.eye(3), *terms)


def tensor(ds, doublet=0):
    """Return g g^T from the principal values and axes."""
    axes = ds.g_axis.values[doublet]
    return axes.T @ np.diag(ds.g.values[doublet] ** 2) @ axes


# --- one spin 1/2 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_spin_one_half_has_the_g_tensor_that_it_was_given(seed):
    g = np.random.default_rng(seed).normal(size=(3, 3)) * 2
    ds = doublets(SpinSystem("radical", [Spin(0.5, g)]))
    np.testing.assert_allclose(ds.g.values[0], np.linalg.svd(g)[1][::-1], rtol=1e-13)
    np.testing.assert_allclose(tensor(ds), g @ g.T, atol=1e-12)
    assert int(ds.g_sign[0]) == np.sign(np.linalg.det(g))
    axes = ds.g_axis.values[0]
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-13)
    assert np.linalg.det(axes) == pytest.approx(1.0)


def test_the_sign_is_that_of_the_product_not_of_one_value():
    for g, sign in [((2, 3, 4), 1), ((-2, 3, 4), -1), ((-2, -3, 4), 1), ((-2, -3, -4), -1), ((0, 3, 4), 0)]:
        ds = doublets(SpinSystem("radical", [Spin(0.5, g)]))
        assert int(ds.g_sign[0]) == sign
        np.testing.assert_allclose(ds.g.values[0], np.abs(g), atol=1e-14)


# --- multiplets in closed form ----------------------------------------------------------------------------


@pytest.mark.parametrize(("J", "g"), [(7.5, 1.2), (4.5, 8 / 11), (2.5, 2.0)])
def test_pure_doublets_of_an_axial_field(J, g):
    """|+-m>: g_z = 2 g_J m and g_perp = 0, except g_perp = g_J (J + 1/2) for m = 1/2."""
    ds = doublets(ion(J, g, ZeroFieldSplitting(-1.0)))
    m = np.arange(J, 0, -1)
    np.testing.assert_allclose(ds.energy, J**2 - m**2, atol=1e-12)
    np.testing.assert_allclose(ds.jz.values, np.stack([m, -m], axis=1), atol=1e-12)
    for k, value in enumerate(m):
        across = g * (J + 0.5) if value == 0.5 else 0.0
        expected = np.sort([across, across, 2 * g * value])
        np.testing.assert_allclose(ds.g.values[k], expected, atol=1e-12)
    assert ds.g_sign.values.tolist() == [0] * (len(m) - 1) + [1]
    assert ds.composition.values[0] == f"100 % |{round(2 * J)}/2>"
    assert np.all(ds.gap.values == 0.0)


@pytest.mark.parametrize("ratio", [1e-3, 0.1, 1 / 3, -0.2])
def test_three_halves_with_rhombic_anisotropy(ratio):
    """S = 3/2 exactly: with r = sqrt(1 + 3 (E/D)^2) the values are g|1 +- (1 -+ 3 E/D)/r| and g|1 -+ 2/r|."""
    g, D = 2.1, 1.7
    ds = doublets(ion(1.5, g, ZeroFieldSplitting(D, ratio * D)))
    r = np.sqrt(1 + 3 * ratio**2)
    lower = [1 + (1 - 3 * ratio) / r, 1 + (1 + 3 * ratio) / r, 1 - 2 / r]
    upper = [1 - (1 - 3 * ratio) / r, 1 - (1 + 3 * ratio) / r, 1 + 2 / r]
    for k, values in enumerate((lower, upper)):
        np.testing.assert_allclose(ds.g.values[k], np.sort(g * np.abs(values)), atol=1e-12)
    assert float(ds.energy[1]) == pytest.approx(2 * D * r)
    if ratio == 1e-3:  # first order in E/D: g_perp = 3 g E/D of |+-3/2>
        np.testing.assert_allclose(ds.g.values[1, :2], 3 * g * ratio, rtol=2e-3)


def test_two_exchange_coupled_spins():
    """Spins 1 and 1/2, antiferromagnetic: the total spin 1/2 has g = (4 g1 - g2)/3."""
    pair = SpinSystem("pair", [Spin(1, 2.2), Spin(0.5, 1.9)], [Exchange(0, 1, 10.0, "+J")])
    ds = doublets(pair, count=1)
    np.testing.assert_allclose(ds.g.values[0], (4 * 2.2 - 1.9) / 3, rtol=1e-12)
    assert ds.projection.values.tolist() == [1.5, 0.5, -0.5, -1.5]
    with pytest.raises(
        InputError, match=r"got 4 degenerate states 15 K above the ground level.*ask for count=1"
    ):
        doublets(pair)


# --- any field --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_tensor_gives_the_splitting_in_every_direction(seed):
    """gap^2 = mu_B^2 B.(g g^T).B in a small field, from the levels."""
    system = random_field(7.5, seed)
    ds = doublets(system)
    B = 1e-5 * np.random.default_rng(seed).normal(size=(20, 3))
    energy = ms.levels(system, B_vector=B).energy.values
    for k in range(ds.sizes["doublet"]):
        gap = energy[:, 2 * k + 1] - energy[:, 2 * k]
        expected = MU_B * np.sqrt(np.einsum("fa,ab,fb->f", B, tensor(ds, k), B))
        np.testing.assert_allclose(gap, expected, rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_sign_is_that_of_the_commutator(seed):
    """g_x g_y g_z = 2i Tr([mu_x, mu_y] mu_z), with matrices built here."""
    J, g = 3.5, 1.3
    system = random_field(J, seed).replace(spins=(Spin(J, g, "J"),))
    H = sum(term.B * stevens_operator(J, term.k, term.q) for term in system.terms)
    _, U = np.linalg.eigh(H)
    ds = doublets(system)
    signs = []
    for k in range(4):
        P = U[:, 2 * k : 2 * k + 2]
        x, y, z = (-g * P.conj().T @ S @ P for S in spin_operators(J))
        product = (2j * np.trace((x @ y - y @ x) @ z)).real
        assert np.prod(ds.g.values[k]) * int(ds.g_sign[k]) == pytest.approx(product, rel=1e-9)
        signs.append(int(ds.g_sign[k]))
    assert {-1, 1} >= set(signs)


def test_both_signs_occur():
    found = {int(s) for seed in range(8) for s in doublets(random_field(3.5, seed)).g_sign.values}
    assert found == {-1, 1}


def test_turning_the_field_turns_the_axes():
    frame = (0.4, 1.1, -0.3)
    R = euler_matrix(frame)
    straight = doublets(ion(4.5, 1.5, ZeroFieldSplitting(-3.0, 0.7), Stevens(4, 3, 0.01)))
    turned_system = ion(
        4.5, 1.5, ZeroFieldSplitting(-3.0, 0.7, frame=frame), Stevens(4, 3, 0.01, frame=frame)
    )
    turned = doublets(turned_system, axis=R @ [0, 0, 1])
    np.testing.assert_allclose(turned.energy, straight.energy, atol=1e-10)
    np.testing.assert_allclose(turned.g, straight.g, atol=1e-9)
    for k in range(straight.sizes["doublet"]):
        np.testing.assert_allclose(tensor(turned, k), R @ tensor(straight, k) @ R.T, atol=1e-9)
    np.testing.assert_allclose(turned.jz, straight.jz, atol=1e-9)
    np.testing.assert_allclose(turned.weight, straight.weight, atol=1e-9)
    np.testing.assert_allclose(turned.tilt, straight.tilt, atol=1e-5)
    np.testing.assert_allclose(turned.g_sign, straight.g_sign)


def test_an_axis_across_the_easy_one():
    """Where the projection vanishes in the doublet, the states are those of its main moment."""
    ds = doublets(ion(1.5, 2.0, ZeroFieldSplitting(-1.0)), axis=(1, 0, 0), count=1)
    np.testing.assert_allclose(ds.jz.values, 0.0, atol=1e-12)
    # |3/2> along z in the states of Sx: binomial weights
    np.testing.assert_allclose(ds.weight.values[0, 0], [1 / 8, 3 / 8, 3 / 8, 1 / 8], atol=1e-12)
    assert float(ds.tilt[0]) == pytest.approx(90.0)


@pytest.mark.parametrize("seed", [1, 4])
def test_weights_and_moments_are_complete(seed):
    ds = doublets(random_field(5.5, seed))
    np.testing.assert_allclose(ds.weight.sum("projection"), 1.0, atol=1e-12)
    np.testing.assert_allclose(ds.weight.sum(("doublet", "member")), 1.0, atol=1e-12)
    # the two members are each other's reversal
    np.testing.assert_allclose(ds.weight.values[:, 0], ds.weight.values[:, 1, ::-1], atol=1e-9)
    mean = (ds.weight * ds.projection).sum("projection")
    np.testing.assert_allclose(mean, ds.jz, atol=1e-12)
    between = ds.transition_moment.values
    np.testing.assert_allclose(between, between.T, atol=1e-12)


def test_moments_of_a_spin_one_half():
    ds = doublets(SpinSystem("radical", [Spin(0.5, (1.0, 2.0, 6.0))]))
    np.testing.assert_allclose(ds.transition_moment, [[1.0, 0.5], [0.5, 1.0]], atol=1e-14)


# --- integer spins ----------------------------------------------------------------------------------------


def test_spin_one_is_a_pseudo_doublet_and_a_singlet():
    ds = doublets(ion(1, 2.2, ZeroFieldSplitting("-5 K", "0.1 K")))
    assert ds.sizes["doublet"] == 1
    assert float(ds.gap[0]) == pytest.approx(0.2)
    assert float(ds.energy[0]) == pytest.approx(0.1)
    np.testing.assert_allclose(ds.g.values[0], [0, 0, 4.4], atol=1e-12)
    assert int(ds.g_sign[0]) == 0
    np.testing.assert_allclose(ds.singlet_energy, 5.1)
    np.testing.assert_allclose(ds.singlet_weight, [[0, 1, 0]], atol=1e-14)
    np.testing.assert_allclose(np.sort(ds.jz.values[0]), [-1, 1], atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_an_integer_spin_has_one_g_value(seed):
    """Griffith's theorem, in a field without symmetry; every pair is allowed by isolation = 1."""
    ds = doublets(random_field(8, seed), isolation=1.0)
    assert np.all(ds.g.values[:, :2] <= ds.g_error.values[:, None])
    assert np.all(ds.g.values[:, 2] > 0)
    assert 2 * ds.sizes["doublet"] + ds.sizes["singlet"] == 17


def test_isolation_decides_what_is_a_pair():
    system = ion(1, 2.0, ZeroFieldSplitting(-1.0, 0.19))  # levels 0, 0.38, 1.19
    assert doublets(system, isolation=2.0).sizes["doublet"] == 1
    with pytest.raises(InputError, match="ion must have a doublet, two levels 3 times closer"):
        doublets(system)


def test_nuclei_are_left_out():
    whole = ms.load("how10")
    bare = whole.replace(spins=whole.spins[:1], terms=whole.terms[:4])
    first, second = doublets(whole), doublets(bare)
    np.testing.assert_array_equal(first.g, second.g)
    assert '"nuclei": "left out"' in first.attrs["inputs"]
    assert '"nuclei": "none"' in second.attrs["inputs"]
    exchanged = SpinSystem(
        "nucleus first",
        [Spin(0.5, 1.0, "I", nuclear=True), Spin(1.5, 2.0)],
        [ZeroFieldSplitting(1.0, site=1)],
    )
    np.testing.assert_allclose(doublets(exchanged).g.values[0], [2, 4, 4], atol=1e-12)


# --- refusals and files -----------------------------------------------------------------------------------


def test_a_quartet_is_refused():
    cubic = ion(2.5, 6 / 7, Stevens(4, 0, -0.01), Stevens(4, 4, -0.05))
    message = "ion must come in separate doublets, got 4 degenerate states 0 K above the ground level"
    with pytest.raises(InputError, match=message):
        doublets(cubic)
    free = ion(1.5, 2.0)
    with pytest.raises(InputError, match=r"got 4 degenerate states.*lower the symmetry"):
        doublets(free)


def test_a_triplet_of_an_integer_spin_is_refused():
    cubic = ion(2, 2.0, Stevens(4, 0, 0.01), Stevens(4, 4, 0.05))
    with pytest.raises(InputError, match="got 3 degenerate states"):
        doublets(cubic)


def test_terms_that_break_time_reversal_are_refused():
    with pytest.raises(InputError, match="must be even under time reversal"):
        doublets(ion(3.5, 1.0, ZeroFieldSplitting(-1.0), Stevens(3, 0, 0.01)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 9}, "ion must have 9 doublets"),
        ({"count": 0}, "count must be at least 1"),
        ({"isolation": 0.5}, "isolation must be at least 1"),
        ({"isolation": float("nan")}, "isolation must be finite"),
        ({"axis": (0, 0, 0)}, "axis must be three numbers"),
    ],
)
def test_bad_arguments_are_one_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        doublets(ion(2.5, 1.0, ZeroFieldSplitting(-1.0)), **arguments)
    with pytest.raises(InputError, match="system must be a SpinSystem"):
        doublets("erw10-printed")  # type: ignore[arg-type]


def test_the_result_survives_a_file(tmp_path):
    for system in (ms.load("erw10-printed"), ms.load("how10")):
        ds = doublets(system, count=2)
        path = tmp_path / f"{system.name}.nc"
        ms.save(ds, path)
        again = ms.open_result(path)
        np.testing.assert_array_equal(again.g, ds.g)
        assert again.composition.values.tolist() == ds.composition.values.tolist()
