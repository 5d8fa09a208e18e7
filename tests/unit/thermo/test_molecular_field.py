"""The two values that describe fields made by the moments."""

import numpy as np
import pytest

from mesospin.constants import AVOGADRO, KELVIN_PER_WAVENUMBER, MU_0, MU_B, MU_B_SI
from mesospin.errors import InputError
from mesospin.thermo.molar import CM3_PER_MOLE, effective_moment
from mesospin.thermo.molecular_field import Demagnetisation, MeanField, feedback


def test_units_of_the_coupling():
    assert MeanField("-0.05 cm^-1").zJ == pytest.approx(-0.05 * KELVIN_PER_WAVENUMBER)
    # zJ'/(g^2 mu_B^2) in SI: kelvin to joule over mu_B^2, times mu_B for the field per mu_B
    si = -0.3 * 1.380649e-23 / (1.9**2 * MU_B_SI**2) * MU_B_SI
    assert MeanField(-0.3, g=1.9).coefficient == pytest.approx(si, rel=1e-12)


def test_field_of_a_thin_plate_is_minus_mu0_m():
    per_moment = Demagnetisation((0, 0, 1), 1000.0).coefficient
    assert per_moment == pytest.approx((0.0, 0.0, -MU_0 * MU_B_SI / 1e-27))


def test_both_add_up():
    total = feedback(MeanField(0.1), Demagnetisation((0.2, 0.3, 0.5), 500.0), 3)
    expected = np.diag(
        MeanField(0.1).coefficient + np.array(Demagnetisation((0.2, 0.3, 0.5), 500.0).coefficient)
    )
    np.testing.assert_allclose(total, expected)
    assert feedback(None, None, 3) is None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MeanField(np.inf), "zJ must be finite"),
        (lambda: MeanField("-0.1 T"), "zJ must have a unit"),
        (lambda: MeanField(-0.1, g=0.0), "g must be positive"),
        (lambda: MeanField(-0.1, crystallites=1), "crystallites must be a bool"),
        (lambda: Demagnetisation(4.2, 100.0), "between 0 and 1"),
        (lambda: Demagnetisation(-0.1, 100.0), "between 0 and 1"),
        (lambda: Demagnetisation((0.2, 0.2), 100.0), "one or three numbers"),
        (lambda: Demagnetisation((0.2, 0.2, 0.2), 100.0), "sum to 1"),
        (lambda: Demagnetisation(0.3, 0.0), "volume must be positive"),
        (lambda: Demagnetisation(float("nan"), 10.0), "finite"),
    ],
)
def test_bad_values_are_refused(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_effective_moment_of_a_diamagnet_is_not_a_number():
    found = effective_moment(np.array([-1e-4, 4 * 2 * MU_B / 3]), np.array([1.0, 1.0]))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(np.sqrt(8.0))


def test_cgs_factor():
    assert pytest.approx(AVOGADRO * MU_B_SI * 1e3 / 1e4) == CM3_PER_MOLE
    assert pytest.approx(0.5584939, abs=1e-7) == CM3_PER_MOLE
