import numpy as np
import pytest

from mesospin.errors import InputError, InvalidModelError
from mesospin.model.environment import DebyeLattice, Defaults, DipolarBath, Disorder, Member, PhononBath
from mesospin.model.terms import ZeroFieldSplitting

BATH = {"density": 1830, "sound_speed": 2000, "coupling": 0.548}


def test_phonon_bath_converts_and_keeps_the_named_prefactors():
    bath = PhononBath(density="1.83 g/cm^3", sound_speed="2 km/s", coupling="0.38 cm^-1")
    assert bath.density == pytest.approx(1830)
    assert bath.coupling == pytest.approx(0.546735, rel=1e-5)
    assert (bath.one_quantum, bath.two_quanta) == (1 / 48, 17 / 192)


@pytest.mark.parametrize("key", ["density", "sound_speed", "coupling"])
@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), "1 furlong", None])
def test_phonon_bath_needs_positive_numbers(key, bad):
    with pytest.raises(InputError, match=key):
        PhononBath(**(BATH | {key: bad}))


@pytest.mark.parametrize("key", ["one_quantum", "two_quanta"])
def test_prefactors_are_not_negative(key):
    assert getattr(PhononBath(**BATH, **{key: 0}), key) == 0
    with pytest.raises(InputError, match=key):
        PhononBath(**BATH, **{key: -1})


def test_widths_and_lattices():
    assert DipolarBath(0).width == 0
    for build in (
        lambda: DipolarBath(-1e-3),
        lambda: DipolarBath(float("nan")),
        lambda: DipolarBath("25 mK"),
    ):
        with pytest.raises(InputError, match="width"):
            build()
    for build in (lambda: DebyeLattice(0), lambda: DebyeLattice(41, 0), lambda: DebyeLattice("41 T")):
        with pytest.raises(InputError, match=r"theta|atoms"):
            build()


def test_solvent_ensemble_is_a_product_with_laguerre_nodes():
    ensemble = Disorder.solvent(
        E=(("0 K", 0.25), ("2 mK", 0.75)), tilt_width="0.6 deg", transverse_width="10 mT", nodes=3
    )
    assert len(ensemble.members) == 6
    weights = np.array([member.weight for member in ensemble.members])
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    assert weights[:3].sum() == pytest.approx(0.25)
    assert ensemble.members[0].terms == ()
    assert ensemble.members[3].terms == (ZeroFieldSplitting(0.0, "2 mK"),)
    tilts = np.array([member.tilt for member in ensemble.members])
    fields = np.array([member.transverse for member in ensemble.members])
    assert not np.any(fields[:, 1])
    assert np.allclose(fields[:, 0] / 0.010, tilts / np.radians(0.6))


def test_solvent_nodes_integrate_the_rayleigh_distribution():
    """A 2-D Gaussian of width w has <r^2> = 2 w^2, <r^4> = 8 w^4; three nodes are exact up to r^10."""
    width = 0.013
    members = Disorder.solvent(transverse_width=width, nodes=3).members
    weights = np.array([member.weight for member in members])
    radii = np.array([member.transverse[0] for member in members])
    for power, moment in ((2, 2 * width**2), (4, 8 * width**4), (10, 2**5 * 120 * width**10)):
        assert weights @ radii**power == pytest.approx(moment, rel=1e-12)


def test_solvent_without_widths_has_one_node():
    assert len(Disorder.solvent(E=((0.0, 0.5), (1e-3, 0.5)), nodes=3).members) == 2
    assert Disorder.solvent().members == (Member(1.0),)


def test_contradictions_are_refused():
    with pytest.raises(InvalidModelError, match=r"weights of the members must sum to 1, got 0.9"):
        Disorder([Member(0.5), Member(0.4)])
    with pytest.raises(InvalidModelError, match="at least one"):
        Disorder([])
    with pytest.raises(InputError, match="weight must lie between 0 and 1"):
        Member(1.5)
    with pytest.raises(InputError, match="weight"):
        Member(float("nan"))
    with pytest.raises(InvalidModelError, match="tilt must lie between 0 and pi/2"):
        Member(1.0, tilt="90 deg")
    with pytest.raises(InvalidModelError, match="transverse must be two fields"):
        Member(1.0, transverse=(0.1,))
    with pytest.raises(InputError, match="nodes"):
        Disorder.solvent(tilt_width=0.01, nodes=0)


def test_everything_is_hashable():
    values = [
        PhononBath(**BATH),
        DipolarBath(0.025),
        DebyeLattice(41),
        Disorder.solvent(E=((1e-3, 1.0),), tilt_width=0.01),
        Defaults(phonons=PhononBath(**BATH), crystal="mn12ac"),
    ]
    assert len({hash(value) for value in values}) == len(values)
