"""Resonance and neutron scattering against closed forms, independent algorithms and sum rules."""

import numpy as np
import pytest
from scipy.integrate import quad_vec, trapezoid
from scipy.linalg import eig

import mesospin as ms
from mesospin.constants import KELVIN_PER_GIGAHERTZ, KELVIN_PER_MILLIELECTRONVOLT, MU_B, MU_N
from mesospin.experiment.epr_spectrum import epr_spectrum
from mesospin.experiment.neutron import Interference, neutron_spectrum
from mesospin.experiment.resonance import resonance_fields, resonance_frequencies
from mesospin.model.line_shapes import GaussianLine, LorentzianLine
from mesospin.spectrum.matrices import field_line

GHZ = KELVIN_PER_GIGAHERTZ
G_TENSOR = ((1.9, 0.10, -0.05), (0.02, 2.1, 0.08), (0.30, -0.04, 2.3))


def low_symmetry():
    return ms.SpinSystem(
        "low symmetry",
        [ms.Spin(1.0, G_TENSOR), ms.Spin(0.5, (2.0, 2.2, 1.8))],
        [
            ms.ZeroFieldSplitting(-1.3, 0.2, site=0, frame=(0.3, 0.7, -0.2)),
            ms.Exchange(0, 1, 0.8, convention="+J"),
            ms.DzyaloshinskiiMoriya(0, 1, (0.1, -0.2, 0.3)),
        ],
    )


def eigenfields(system, axis, span, energy):
    """All resonance fields from one generalised eigenvalue problem (Belford, Belford, Burkhalter 1973)."""
    H0, G = field_line(system, axis=axis)
    one = np.eye(len(H0))
    commutator = [np.kron(X, one) - np.kron(one, X.T) for X in (H0, G)]
    values = eig(energy * np.eye(len(one) ** 2) - commutator[0], commutator[1], right=False)
    real = values[np.isfinite(values) & (np.abs(values.imag) < 1e-7 * (1 + np.abs(values)))].real
    return np.sort(real[(real > span[0]) & (real < span[1])])


def scanned(system, axis, span, energy, points):
    """Resonance fields seen as changes of sign on a fine grid."""
    B = np.linspace(*span, points)
    E = ms.levels(system, B, axis=axis).energy.values
    found = []
    for i, j in zip(*np.triu_indices(E.shape[1], 1), strict=True):
        f = E[:, j] - E[:, i] - energy
        k = np.flatnonzero((f[1:] < 0) != (f[:-1] < 0))
        found += list(B[k] - f[k] * (B[1] - B[0]) / (f[k + 1] - f[k]))
    return np.sort(found)


# --- resonance fields ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 0, 0), (1, -2, 0.5)])
def test_a_spin_half_with_any_g_tensor(axis):
    # H = mu_B B g_eff u.S, u = g^T n / g_eff: one line, driven by what of g^T e is perpendicular to u
    g, n = np.array(G_TENSOR), np.array(axis) / np.linalg.norm(axis)
    effective = np.linalg.norm(g.T @ n)
    u = g.T @ n / effective
    ds = resonance_fields(
        ms.giant_spin(0.5, D=0.0, g=G_TENSOR), "94 GHz", span=(0, 5), T=[0.5, 300.0], axis=axis
    )
    assert ds.sizes["transition"] == 1
    assert float(ds.field[0]) == pytest.approx(94 * GHZ / (effective * MU_B), rel=1e-13)
    assert float(ds.g_slope[0]) == pytest.approx(effective, rel=1e-12)
    driven = 0.25 * (g @ (np.eye(3) - np.outer(u, u)) @ g.T)
    across = 0.5 * np.trace(driven @ (np.eye(3) - np.outer(n, n)))
    assert float(ds.strength[0]) == pytest.approx(across, rel=1e-12)
    assert float(ds.strength_parallel[0]) == pytest.approx(n @ driven @ n, abs=1e-14)
    population = np.tanh(94 * GHZ / (2 * np.array([0.5, 300.0])))
    np.testing.assert_allclose(ds.intensity[:, 0], across * population / effective, rtol=1e-12)


@pytest.mark.parametrize("D", [0.3, -0.3])
def test_spin_one_along_and_across_its_axis(D):
    w, g = 1.0, 2.1
    spin, unit = ms.giant_spin(1, D=D, g=g), g * MU_B
    frequency = f"{w} K"
    along = resonance_fields(spin, frequency, span=(0, 3), T=5.0)
    np.testing.assert_allclose(along.field, np.sort([(w - D) / unit, (w + D) / unit]), rtol=1e-12)
    np.testing.assert_allclose(along.strength, g**2 / 2, rtol=1e-12)
    assert set(along.selection.values) == {"perpendicular"}
    across = resonance_fields(spin, frequency, span=(0, 3), T=5.0, axis=(1, 0, 0), microwave="parallel")
    half = np.sqrt(w**2 - D**2) / (2 * unit)
    expected = [half, *np.sqrt([w**2 + w * D, w**2 - w * D]) / unit]
    np.testing.assert_allclose(across.field, np.sort(expected), rtol=1e-12)
    # The forbidden line at half field is driven by the parallel microwave field alone
    (index,) = np.flatnonzero(across.selection.values == "parallel")
    assert float(across.field[index]) == pytest.approx(half)
    np.testing.assert_allclose(float(across.strength[index]), (g * D / w) ** 2, rtol=1e-10)
    assert float(across.strength_perpendicular[index]) < 1e-24


@pytest.mark.parametrize("I", [0.5, 1.5])
def test_hyperfine_levels_are_those_of_breit_and_rabi(I):
    A, g, gn = 0.1, 2.0023, 2.22
    system = ms.SpinSystem(
        "atom",
        [ms.Spin(0.5, g), ms.Spin(I, gn, label="I", nuclear=True)],
        [ms.Hyperfine(0, 1, A)],
    )

    def closed(B):
        energies = []
        for m in np.arange(-I - 0.5, I + 1):
            mean = -A / 4 - gn * MU_N * B * m
            root = np.hypot(A * m + (g * MU_B + gn * MU_N) * B, A * np.sqrt((I + 0.5) ** 2 - m**2)) / 2
            if abs(m) < I + 0.5:
                energies += [mean - root, mean + root]
            else:
                sign = np.sign(m)
                energies.append(A * I / 2 + sign * (g * MU_B / 2 - gn * MU_N * I) * B)
        return np.sort(energies)

    ds = resonance_frequencies(system, [0.0, 0.03, 1.0], T=4.0)
    for k, B in enumerate((0.0, 0.03, 1.0)):
        E = closed(B)
        i, j = np.triu_indices(len(E), 1)
        np.testing.assert_allclose(ds.energy[k], E[j] - E[i], atol=1e-14)
    w = 9.5 * GHZ
    lines = resonance_fields(system, 9.5, span=(0, 2), T=4.0)
    for B, i, j in zip(lines.field.values, lines.level_from.values, lines.level_to.values, strict=True):
        E = closed(B)
        assert E[j] - E[i] == pytest.approx(w, rel=1e-12)
    # 2I + 1 allowed lines, A/g mu_B apart to first order
    strong = lines.field.values[lines.strength.values > 0.5]
    assert len(strong) == 2 * I + 1
    assert np.ptp(strong) == pytest.approx(2 * I * A / (g * MU_B), rel=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_no_line_is_missed_against_the_eigenfields(seed):
    rng = np.random.default_rng(seed)
    axis, energy = rng.normal(size=3), rng.uniform(0.3, 3.0)
    system = low_symmetry() if seed % 2 else ms.giant_spin(2.5, D=rng.normal(), E=0.1, g=G_TENSOR)
    span = (-4.0, 6.0)
    ds = resonance_fields(system, f"{energy} K", span=span, T=1.0, axis=axis, forbidden=True)
    expected = eigenfields(system, axis, span, energy)
    assert ds.sizes["transition"] == len(expected)
    np.testing.assert_allclose(ds.field, expected, atol=1e-8)


@pytest.mark.parametrize("name", ["fe8", "mn12ac"])
def test_no_line_is_missed_against_a_fine_scan(name):
    system, axis, span = ms.load(name), (0.3, 0.1, 1.0), (-0.5, 2.0)
    ds = resonance_fields(system, "200 GHz", span=span, T=10.0, axis=axis, forbidden=True)
    expected = scanned(system, axis, span, 200 * GHZ, 10001)
    assert len(expected) > 50
    # the scan joins fields 0.25 mT apart by straight lines
    np.testing.assert_allclose(ds.field, expected, atol=1e-4)


@pytest.mark.parametrize("below", [1e-3, 1e-7, 1e-11])
def test_both_ends_of_a_narrow_loop_are_found(below):
    spin = ms.giant_spin(1, D=1.0, E=0.1)
    w = 0.2 * (1 + below)  # the gap 2E between the upper levels grows both ways from zero field
    expected = np.sqrt(w**2 - 0.2**2) / (2 * 2 * MU_B)
    inside = {"span": (-0.05, 0.04), "T": 5.0, "microwave": "parallel"}
    ds = resonance_fields(spin, f"{w!r} K", **inside)
    np.testing.assert_allclose(ds.field, [-expected, expected], rtol=1e-3)
    with pytest.warns(ms.errors.NoLineWarning, match="none between"):
        missed = resonance_fields(spin, f"{0.2 * (1 - below)!r} K", **inside)
    assert missed.sizes["transition"] == 0


def test_a_transition_that_touches_the_frequency_is_one_line_without_finite_intensity():
    spin = ms.giant_spin(1, D=1.0, E=0.125)
    ds = resonance_fields(spin, "0.25 K", span=(-0.05, 0.04), T=5.0, microwave="parallel")
    np.testing.assert_allclose(ds.field, 0.0, atol=1e-6)
    assert ds.sizes["transition"] == 1
    assert float(ds.intensity[0]) > 1e4
    B = np.linspace(-0.05, 0.04, 201)
    with pytest.raises(ms.errors.InputError, match="width in energy"):
        epr_spectrum(spin, 5.0, B, "0.25 K", line=GaussianLine("2 mT"), microwave="parallel")


def test_lines_of_mn12_are_spaced_by_its_anisotropy():
    D, A4, g, S, w = -0.548, -1.17e-3, 1.94, 10, 300 * GHZ
    ds = resonance_fields(ms.giant_spin(S, D=D, A4=A4, g=g), "300 GHz", span=(0, 12), T=30.0)
    m = np.arange(-S, S)  # from m to m + 1
    ladder = D * (2 * m + 1) + A4 * ((m + 1.0) ** 4 - m**4.0)
    raising = (w - ladder) / (g * MU_B)
    lowering = (-w - ladder) / (g * MU_B)
    expected = np.concatenate([raising, lowering])
    expected = np.sort(expected[(expected > 0) & (expected < 12)])
    np.testing.assert_allclose(ds.field, expected, rtol=1e-12)
    # The library's fourth-order transverse term moves the lines that keep |m| large by little only
    whole = resonance_fields(ms.load("mn12ac"), "300 GHz", span=(0, 12), T=30.0)
    strong = whole.field.values[whole.strength.values > 20.0]
    assert all(np.abs(expected - B).min() < 0.02 for B in strong)


def test_a_quarter_turn_leaves_a_tetragonal_molecule_alone():
    lines = [
        resonance_fields(
            ms.load("mn12ac"), "130 GHz", span=(0, 9), T=10.0, axis=(np.cos(phi), np.sin(phi), 0.2)
        )
        for phi in (0.2, 0.2 + np.pi / 2, 0.2 + np.pi / 4)
    ]
    strong = [ds.field.values[ds.intensity.values > 1e-6] for ds in lines]
    np.testing.assert_allclose(strong[1], strong[0], atol=1e-9)
    assert len(strong[2]) != len(strong[0]) or np.abs(strong[2] - strong[0]).max() > 1e-3


def test_how10_without_its_nucleus_has_the_measured_gap():
    # Shiddiq et al. 2016: 9.18 GHz; their crystal field gives 9.16 GHz
    how10 = ms.load("how10")
    ion = how10.replace(
        spins=how10.spins[:1], terms=tuple(t for t in how10.terms if not isinstance(t, ms.Hyperfine))
    )
    ds = resonance_frequencies(ion, 0.0, T=5.0, states=2, microwave="parallel")
    assert float(ds.frequency[0]) == pytest.approx(9.18, abs=0.05)
    assert ds.selection.values[0] == "parallel"  # a clock transition: the moment along z alone connects it
    assert float(ds.strength[0]) == pytest.approx((1.25 * 4) ** 2, rel=0.01)


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 2, 3)])
def test_levels_degenerate_at_all_fields_share_their_lines_without_loss(axis):
    # Two spins that do not know of each other: two transitions each, for both states of the other
    two = ms.SpinSystem("two spins", [ms.Spin(0.5), ms.Spin(0.5)])
    lines = resonance_fields(two, "9.5 GHz", span=(0, 1), T=4.0, axis=axis)
    one = resonance_fields(ms.giant_spin(0.5, D=0.0), "9.5 GHz", span=(0, 1), T=4.0, axis=axis)
    lit = lines.strength.values > 1e-9
    np.testing.assert_allclose(lines.field[lit], float(one.field[0]), rtol=1e-12)
    assert float(lines.strength.sum()) == pytest.approx(4 * float(one.strength[0]), rel=1e-9)
    assert float(lines.intensity.sum()) == pytest.approx(2 * float(one.intensity[0]), rel=1e-9)
    # ... and a mute nucleus beside a spin changes nothing
    mute = ms.SpinSystem("beside a nucleus", [ms.Spin(0.5), ms.Spin(1.0, 0.0, label="I", nuclear=True)])
    B = np.linspace(0.3, 0.4, 201)
    for width in ("2 mT", "150 MHz"):
        spectra = [
            epr_spectrum(system, 4.0, B, 9.5, line=GaussianLine(width), axis=axis).absorption
            for system in (mute, ms.giant_spin(0.5, D=0.0))
        ]
        np.testing.assert_allclose(spectra[0], spectra[1], rtol=1e-6, atol=1e-12)


def test_clock_transitions_of_how10_lie_at_the_measured_fields():
    # Shiddiq et al. 2016: 23.6, 70.9, 118.1 and 165.4 mT, one for each projection of the nucleus
    ds = resonance_fields(ms.load("how10"), 9.2, span=(0, 0.2), T=5.0, microwave="parallel")
    strong = ds.field.values[ds.intensity.values > 0.1]
    assert len(strong) == 8  # just above the gap each is met twice
    np.testing.assert_allclose(1e3 * strong.reshape(4, 2).mean(axis=1), [23.6, 70.9, 118.1, 165.4], atol=0.2)


# --- sum rules ----------------------------------------------------------------------------------------------


def test_strengths_sum_to_the_trace_of_the_squared_moment():
    S, g, axis = 3.5, 2.3, (1, 2, -0.5)
    spin = ms.giant_spin(S, D=-0.4, E=0.1, g=g)
    ds = resonance_frequencies(spin, 0.7, T=4.0, axis=axis)
    own = ms.levels(spin, 0.7, axis=axis).moment.values
    off = 2 * float((2 * ds.strength_perpendicular + ds.strength_parallel).sum())
    assert off + np.sum(own**2) == pytest.approx(g**2 * S * (S + 1) * (2 * S + 1), rel=1e-12)


def test_the_absorption_obeys_kramers_and_kronig():
    # chi'(0) = (2/pi) integral of chi''/omega; across the axis there is no part from the diagonal
    spin, T, B = ms.giant_spin(1.5, D=-1.0, g=2.0), [1.0, 20.0], 0.8
    nu = np.linspace(5.0, 120.0, 8001)
    ds = epr_spectrum(spin, T, B, nu, line=GaussianLine(0.3), microwave=(1, 0, 0))
    static = 2 / np.pi * trapezoid(ds.absorption.values / nu, nu, axis=1)
    chi = ms.susceptibility(spin, T, B).chi.values[:, 0, 0]
    np.testing.assert_allclose(static, chi, rtol=1e-4)


# --- spectra ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("g", [(2.0, 2.0, 2.3), (2.3, 2.3, 2.0)])
def test_axial_powder_pattern(g):
    # strength (g_perp^2/8)(1 + g_par^2/g^2), Jacobian 1/g, line convolved over cos theta
    across, along = g[0], g[2]
    w, T, fwhm = 35 * GHZ, 10.0, 0.012
    B = np.linspace(1.0, 1.35, 501)
    line = GaussianLine(fwhm)

    def at(cosine):
        effective = np.sqrt(along**2 * cosine**2 + across**2 * (1 - cosine**2))
        strength = across**2 / 8 * (1 + along**2 / effective**2)
        return strength / (effective * MU_B) * line.value(B - w / (effective * MU_B), fwhm)

    closed = np.pi * MU_B * np.tanh(w / (2 * T)) * quad_vec(at, 0, 1, epsrel=1e-9)[0]
    ds = epr_spectrum(ms.giant_spin(0.5, D=0.0, g=g), T, B, "35 GHz", line=line, powder=5810)
    np.testing.assert_allclose(ds.absorption, closed, atol=1e-5 * closed.max())
    assert float(np.abs(ds.powder_difference).max()) < 0.05 * closed.max()
    # The derivative has its extremes at the two edges
    edges = w / (np.array([across, along]) * MU_B)
    peaks = B[[int(ds.derivative.values.argmax()), int(ds.derivative.values.argmin())]]
    assert all(np.abs(edges - peak).min() < fwhm for peak in peaks)


def test_rhombic_powder_has_its_three_edges():
    g, w, fwhm = (1.9, 2.1, 2.4), 35 * GHZ, 0.01
    B = np.linspace(0.95, 1.45, 801)
    ds = epr_spectrum(ms.giant_spin(0.5, D=0.0, g=g), 10.0, B, "35 GHz", line=GaussianLine(fwhm), powder=5810)
    absorption = ds.absorption.values
    low, middle, high = np.sort(w / (np.array(g) * MU_B))
    assert B[absorption.argmax()] == pytest.approx(middle, abs=fwhm)
    for edge, outside in ((low, -2.0), (high, 2.0)):
        assert np.interp(edge + outside * fwhm, B, absorption) < 1e-3 * absorption.max()
        assert np.interp(edge - outside * fwhm, B, absorption) > 0.1 * absorption.max()


def test_rhombic_powder_pattern_against_a_product_rule():
    # strengths and fields in closed form at 200 x 200 directions of an octant
    g, w, T, fwhm = np.diag([1.9, 2.1, 2.4]), 35 * GHZ, 10.0, 0.01
    B, line = np.linspace(0.95, 1.45, 201), GaussianLine(fwhm)
    x, weight = np.polynomial.legendre.leggauss(200)
    cosine, phi = (x + 1) / 2, (np.arange(200) + 0.5) * np.pi / 400
    sine = np.sqrt(1 - cosine**2)[:, None]
    n = np.stack([sine * np.cos(phi), sine * np.sin(phi), np.broadcast_to(cosine[:, None], (200, 200))], -1)
    turned = n @ g
    effective = np.linalg.norm(turned, axis=-1)
    u = turned / effective[..., None]
    all_three = 0.25 * (np.trace(g @ g) - ((u @ g) ** 2).sum(axis=-1))
    parallel = 0.25 * ((turned**2).sum(axis=-1) - (u * turned).sum(axis=-1) ** 2)
    area = weight[:, None] / 400 * 0.5 * (all_three - parallel) / effective
    shapes = (line.value(b - w / (effective * MU_B), fwhm) for b in B)
    closed = np.pi * np.tanh(w / (2 * T)) * np.array([np.sum(area * shape) for shape in shapes])
    spin = ms.giant_spin(0.5, D=0.0, g=(1.9, 2.1, 2.4))
    ds = epr_spectrum(spin, T, B, "35 GHz", line=line, powder=5810)
    error = np.abs(ds.absorption.values - closed).max()
    assert error < 5e-3 * closed.max()
    assert error < float(np.abs(ds.powder_difference).max())  # what is reported is no smaller than the truth
    half = 0.5 * np.abs(ds.derivative.values).max()
    assert np.sum(np.abs(np.diff(np.sign(np.where(np.abs(ds.derivative) > half, ds.derivative, 0)))) > 0) == 8


def test_a_powder_does_not_know_the_frame_of_its_molecules():
    B = np.linspace(0.0, 1.0, 301)
    spectra = [
        epr_spectrum(
            ms.SpinSystem("S = 1", [ms.Spin(1.0)], [ms.ZeroFieldSplitting(0.3, 0.05, frame=frame)]),
            4.0,
            B,
            "9.5 GHz",
            line=GaussianLine("40 mT"),
            powder=974,
        ).absorption.values
        for frame in ((0.0, 0.0, 0.0), (0.4, 1.0, -0.7))
    ]
    np.testing.assert_allclose(spectra[1], spectra[0], atol=0.02 * spectra[0].max())


@pytest.mark.parametrize("shape", [GaussianLine, LorentzianLine])
def test_widths_in_energy_and_in_field_agree_where_the_slope_is_constant(shape):
    g, B = 2.0, np.linspace(0.30, 0.38, 401)
    width = 2e-3 * g * MU_B / GHZ
    one, other = (
        epr_spectrum(ms.giant_spin(0.5, D=0.0, g=g), 300.0, B, 9.5, line=shape(text))
        for text in ("2 mT", f"{width} GHz")
    )
    # The population follows the field in one and not in the other: of the order of width over field
    tolerance = 0.02 * float(one.absorption.max())
    np.testing.assert_allclose(other.absorption, one.absorption, atol=tolerance)
    np.testing.assert_allclose(other.derivative, one.derivative, atol=0.02 * float(one.derivative.max()))


def test_the_derivative_is_that_of_the_absorption():
    B = np.linspace(0.2, 0.6, 4001)
    for text in ("10 mT", "0.3 GHz"):
        ds = epr_spectrum(low_symmetry(), [1.0, 5.0], B, 20.0, line=GaussianLine(text), axis=(1, 1, 2))
        numeric = np.gradient(ds.absorption.values, B, axis=1, edge_order=2)
        scale = np.abs(numeric).max()
        np.testing.assert_allclose(ds.derivative[:, 1:-1], numeric[:, 1:-1], atol=2e-3 * scale)


# --- neutrons -----------------------------------------------------------------------------------------------


def test_ladder_of_an_axial_spin():
    S, D, g = 10, -0.6, 2.0
    ds = neutron_spectrum(ms.giant_spin(S, D=D, g=g), 2.0, np.linspace(-1, 15, 801), line=GaussianLine(0.3))
    # (2/3) g^2 (|Sx|^2 + |Sy|^2) from m to m - 1; both wells make each gap twice
    for m in range(S, 0, -1):
        gap = abs(D) * (2 * m - 1)
        chosen = np.isclose(ds.transition_energy, gap)
        expected = 2 * g**2 / 3 * (S * (S + 1) - m * (m - 1))
        if m == 1:  # |0> is one level: both of |+-1> reach it
            expected = 2 * g**2 / 3 * S * (S + 1)
        assert float(ds.strength.values[chosen].sum()) / 2 == pytest.approx(expected / 2, rel=1e-12)


@pytest.mark.parametrize("T", [0.5, 7.0, 300.0])
def test_total_scattering_is_the_squared_moment(T):
    J, g = 7.5, 1.2
    ion = ms.load("erw10-repaired")
    E = np.linspace(-1500, 1500, 6001)
    ds = neutron_spectrum(ion, T, E, line=GaussianLine(2.0))
    assert float(ds.population @ ds.strength.sum("level_to")) == pytest.approx(2 / 3 * g**2 * J * (J + 1))
    assert trapezoid(ds.intensity, E) == pytest.approx(2 / 3 * g**2 * J * (J + 1), rel=1e-6)
    in_mev = trapezoid(ds.intensity_mev, ds.energy_mev)
    assert in_mev == pytest.approx(2 / 3 * g**2 * J * (J + 1), rel=1e-6)
    assert ds.energy.values[-1] / ds.energy_mev.values[-1] == pytest.approx(KELVIN_PER_MILLIELECTRONVOLT)


def test_detailed_balance():
    T, E = 5.0, np.linspace(-40, 40, 16001)
    ds = neutron_spectrum(ms.load("fe8"), T, E, line=GaussianLine(0.02))
    intensity = ds.intensity.values
    for centre in ds.transition_energy.values[0, 2:5]:
        near = np.abs(E - centre) < 0.2
        loss, gain = trapezoid(intensity[near], E[near]), trapezoid(intensity[::-1][near], E[near])
        assert gain / loss == pytest.approx(np.exp(-centre / T), rel=0.01)
    # Exactly so between levels
    flow = ds.population.values[:, None] * ds.strength.values
    boltzmann = np.exp(-ds.transition_energy.values / T)
    np.testing.assert_allclose(flow.T, boltzmann * flow, rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize("Q", [0.0, 0.8, 2.5])
def test_a_dimer_scatters_by_interference(Q):
    # Furrer and Guedel 1979: singlet to triplet goes with 1 - sin(QR)/QR
    R, J = 3.4, 12.0
    dimer = ms.SpinSystem("dimer", [ms.Spin(0.5)] * 2, [ms.Exchange(0, 1, J, convention="+J")])
    E = np.linspace(-20, 20, 401)
    ds = neutron_spectrum(
        dimer, 1.0, E, line=GaussianLine(0.5), interference=Interference(Q, [[0, 0, 0], [0, R, 0]])
    )
    # (2/3) sum over a and the triplet of |<0|mu_1 - mu_2|t>|^2 / 2 (1 - j0) with <0|S1a|t>^2 = 1/4
    expected = 2 / 3 * 3 * 4 * 0.25 * 2 * (1 - np.sinc(Q * R / np.pi))
    assert float(ds.strength[0, 1:].sum()) == pytest.approx(expected, abs=1e-12)
    total = neutron_spectrum(dimer, 1.0, E, line=GaussianLine(0.5))
    assert float(total.strength[0, 1:].sum()) == pytest.approx(0.0, abs=1e-25)


def test_average_over_directions_of_q_against_quadrature():
    inter = Interference(1.3, [[0.2, -1.0, 2.0], [1.0, 0.7, -0.5]])
    R = np.subtract(*inter.positions)
    x, w = np.polynomial.legendre.leggauss(40)
    phi = 2 * np.pi * np.arange(60) / 60
    s = np.sqrt(1 - x**2)[:, None]
    q = np.stack([s * np.cos(phi), s * np.sin(phi), np.broadcast_to(x[:, None], (40, 60))], axis=-1)
    tensor = (np.eye(3) - q[..., :, None] * q[..., None, :]) * np.cos(1.3 * q @ R)[..., None, None]
    np.testing.assert_allclose(inter.weights(0, 1), np.einsum("i,ijab->ab", w / 120, tensor), atol=1e-12)
