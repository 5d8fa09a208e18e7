"""Spectra against brute force, turning points, selection rules, temperature and sum rules in closed form."""

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.linalg import expm

import mesospin as ms
from mesospin.constants import KELVIN_PER_GIGAHERTZ, MU_B
from mesospin.operators.rotation import euler_matrix
from mesospin.spectrum.matrices import field_line

GHZ = KELVIN_PER_GIGAHERTZ


def spin_matrices(S):
    m = np.arange(S, -S - 1, -1)
    up = np.diag(np.sqrt(S * (S + 1) - m[1:] * (m[1:] + 1)), 1)
    return np.array([(up + up.T) / 2, (up - up.T) / 2j, np.diag(m)])


def brute_force_powder(S, D, E, *, g, T, B, energy, fwhm, cosines, turns):
    """Absorption [mu_B/T] of a powder by hand: product rule on the sphere, every field by itself."""
    s = spin_matrices(S)
    H0 = D * (s[2] @ s[2] - S * (S + 1) / 3 * np.eye(len(s[2]))) + E * (s[0] @ s[0] - s[1] @ s[1])
    x, weight = np.polynomial.legendre.leggauss(cosines)
    phi = (np.arange(turns) + 0.5) * np.pi / (2 * turns)
    sigma = fwhm / np.sqrt(8 * np.log(2))
    i, j = np.triu_indices(len(H0), 1)
    total = np.zeros(len(B))
    for cosine, share in zip((x + 1) / 2, weight / 2, strict=True):
        sine = np.sqrt(1 - cosine**2)
        n = np.stack([sine * np.cos(phi), sine * np.sin(phi), np.full_like(phi, cosine)], axis=1)
        along = np.einsum("dc,cij->dij", n, s)
        H = H0 + g * MU_B * B[:, None, None, None] * along[None]
        levels, states = np.linalg.eigh(H)
        moments = g * np.einsum("fdia,cij,fdjb->fdcab", states.conj(), s, states, optimize=True)[..., i, j]
        own = np.einsum("dc,fdcp->fdp", n, moments)
        strength = 0.5 * (np.sum(np.abs(moments) ** 2, axis=2) - np.abs(own) ** 2)
        p = np.exp(-(levels - levels[..., :1]) / T)
        p /= p.sum(axis=-1, keepdims=True)
        gap = levels[..., j] - levels[..., i]
        shape = np.exp(-((energy - gap) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
        total += share * np.mean(np.sum(strength * (p[..., i] - p[..., j]) * shape, axis=2), axis=1)
    return np.pi * MU_B * total


# --- turning points -----------------------------------------------------------------------------------------


def test_a_loop_that_closes_with_strength_is_infinite_and_lies_at_its_turning_point():
    D, E, g = 1.0, 0.125, 2.0
    ds = ms.resonance_fields(
        ms.giant_spin(1, D=D, E=E, g=g), f"{2 * E} K", span=(-0.05, 0.04), T=5.0, microwave="parallel"
    )
    assert ds.turning.values.tolist() == [True]
    assert abs(float(ds.field[0])) < 1e-12
    assert float(ds.strength[0]) == pytest.approx(g**2)
    assert float(ds.intensity[0]) == np.inf
    # the same loop a little above: strength g^2 (2E/w)^2 at sqrt(w^2 - 4E^2)/2 g mu_B, slope 4 (g mu_B)^2 B/w
    w = 2 * E * (1 + 1e-3)
    above = ms.resonance_fields(
        ms.giant_spin(1, D=D, E=E, g=g), f"{w!r} K", span=(0, 0.04), T=5.0, microwave="parallel"
    )
    assert above.turning.values.tolist() == [False]
    B = np.sqrt(w**2 - 4 * E**2) / (2 * g * MU_B)
    assert float(above.field[0]) == pytest.approx(B, rel=1e-9)
    assert float(above.g_slope[0]) == pytest.approx(4 * g**2 * MU_B * B / w, rel=1e-6)
    assert float(above.strength[0]) == pytest.approx((2 * g * E / w) ** 2, rel=1e-9)


def test_a_loop_that_closes_without_strength_has_none():
    # |0> and |2> + |-2> meet 4 sqrt(D^2 + 3E^2) at zero field, where no component of the moment connects them
    D, E = 1.0, 0.3
    spin, gap = ms.giant_spin(2, D=D, E=E), float(4 * np.sqrt(D**2 + 3 * E**2))

    def lines(w):
        return ms.resonance_fields(
            spin, f"{w!r} K", span=(-1.0, 1.7), T=5.0, microwave="parallel", forbidden=True
        ).where(lambda ds: np.abs(ds.field) < 0.1, drop=True)

    touch = lines(gap)
    assert touch.sizes["transition"] == 1
    assert touch.turning.values.astype(bool).tolist() == [True]
    assert float(touch.intensity[0]) == 0.0
    # The limit from above is zero: strength falls as x^2, slope as x
    areas = np.array([float(lines(gap * (1 + step)).intensity.max()) for step in (1e-4, 1e-6, 1e-8)])
    np.testing.assert_allclose(areas[1:] / areas[:-1], 0.1, rtol=1e-2)
    # ... and so is that of a narrow line in energy: as the root of its width
    B = np.linspace(-0.15, 0.15, 11201)
    area = [
        trapezoid(
            ms.epr_spectrum(
                spin, 5.0, B, f"{gap!r} K", line=ms.GaussianLine(f"{w} K"), microwave="parallel"
            ).absorption,
            B,
        )
        for w in (2e-3, 5e-4)
    ]
    assert area[0] / area[1] == pytest.approx(2.0, rel=0.02)


# --- selection rules ----------------------------------------------------------------------------------------


def test_a_parallel_microwave_field_keeps_m():
    # Along the axis of an axial spin it drives nothing; E mixes m and m - 2, and only these light up
    axial = ms.giant_spin(2, D=-1.0)
    sweep = {"span": (0, 4), "T": 8.0}
    lines = [ms.resonance_fields(axial, "60 GHz", **sweep)]
    with pytest.warns(ms.errors.ValidityWarning, match="span must hold a resonance at 60 GHz"):
        lines.append(ms.resonance_fields(axial, "60 GHz", **sweep, microwave="parallel"))
    assert set(lines[0].selection.values) == {"perpendicular"}
    assert float(lines[0].intensity.max()) > 0.1
    assert not np.any(lines[1].intensity > 0.0)
    assert "nearest" in lines[1].attrs["empty"] or "nor anywhere" in lines[1].attrs["empty"]
    D, E, g, w = -1.0, 0.2, 2.0, 5.0
    mixed = ms.resonance_fields(
        ms.giant_spin(1, D=D, E=E, g=g), f"{w} K", span=(0, 6), T=8.0, microwave="parallel"
    )
    strong = mixed.where(mixed.intensity > 0.0, drop=True)
    assert set(strong.selection.values) == {"parallel"}
    np.testing.assert_allclose(strong.field, [np.sqrt(w**2 - 4 * E**2) / (2 * g * MU_B)], rtol=1e-12)
    np.testing.assert_allclose(strong.strength, [(2 * g * E / w) ** 2], rtol=1e-12)


def test_forbidden_transitions_are_listed_on_demand_and_carry_nothing():
    spin = ms.giant_spin(3, D=-0.5)
    allowed, every = (
        ms.resonance_fields(spin, "80 GHz", span=(0, 3), T=8.0, forbidden=flag) for flag in (False, True)
    )
    assert "forbidden" not in allowed.selection.values
    dark = every.selection.values == "forbidden"
    assert np.any(dark)
    assert not np.any(every.intensity.values[dark])
    np.testing.assert_allclose(every.field.values[~dark], allowed.field, rtol=1e-12)
    # m to m + k, k > 1, in closed form
    m, k = (part.ravel() for part in np.meshgrid(np.arange(-3, 4), np.arange(2, 7)))
    m, k = m[m + k <= 3], k[m + k <= 3]
    B = (np.array([1, -1])[:, None] * 80 * GHZ - -0.5 * ((m + k) ** 2.0 - m**2)) / (k * 2.0 * MU_B)
    expected = np.sort(B[(B > 0) & (B < 3)])
    np.testing.assert_allclose(every.field.values[dark], expected, rtol=1e-12)


def test_eight_hyperfine_lines_of_holmium():
    # I = 7/2: the transition of the ground doublet keeps m_I, so it is there once for each of 8, at
    # sqrt(gap^2 + (2 gJ 4 mu_B (B - B_k)/h)^2) with the measured gap and fields of Shiddiq et al. (2016)
    B, gap, slope = 0.3, 9.18, 2 * 1.25 * 4 * MU_B / GHZ
    centres = np.array([23.6, 70.9, 118.1, 165.4]) / 1e3
    measured = np.sort(np.hypot(gap, slope * (B - np.concatenate([-centres, centres]))))
    ds = ms.resonance_frequencies(ms.load("how10"), B, T=5.0, microwave="parallel", states=16)
    strong = np.sort(ds.frequency.values[ds.strength.values > 0.02 * float(ds.strength.max())])
    np.testing.assert_allclose(strong, measured, rtol=0.01)


def test_a_turned_molecule_in_a_turned_field_has_the_same_lines():
    # electron and nucleus, every tensor, static and microwave field turned by the same rotation
    angles = (0.4, 1.1, -0.7)
    R = euler_matrix(angles)
    g, A = np.diag([1.9, 2.1, 2.3]), (0.02, 0.05, 0.09)
    n, m = np.array([0.3, -0.5, 0.8]), np.array([1.0, 0.2, 0.1])

    def lines(frame, turn):
        system = ms.SpinSystem(
            "turned",
            [ms.Spin(1.0, turn @ g @ turn.T), ms.Spin(1.5, 2.2, label="I", nuclear=True)],
            [ms.ZeroFieldSplitting(0.7, 0.1, frame=frame), ms.Hyperfine(0, 1, A, frame=frame)],
        )
        return ms.resonance_fields(system, "40 GHz", span=(0, 3), T=3.0, axis=turn @ n, microwave=turn @ m)

    one, other = lines(None, np.eye(3)), lines(angles, R)
    assert one.sizes["transition"] > 20
    np.testing.assert_allclose(other.field, one.field, rtol=1e-8)
    np.testing.assert_allclose(other.intensity, one.intensity, rtol=1e-5, atol=1e-10)


def test_fewer_states_give_the_same_lines_among_them():
    fe8 = ms.load("fe8")
    arguments = {"span": (0.1, 3.0), "T": 10.0, "axis": (1, 0.2, 1)}
    whole = ms.resonance_fields(fe8, "115 GHz", **arguments)
    low = ms.resonance_fields(fe8, "115 GHz", states=8, **arguments)
    among = whole.level_to.values < 8
    assert np.any(among)
    np.testing.assert_allclose(low.field, whole.field.values[among], rtol=1e-10)
    np.testing.assert_allclose(low.intensity, whole.intensity.values[among], rtol=1e-6)
    B = np.linspace(0.1, 3.0, 601)
    for width in ("20 mT", "12 GHz"):
        spectra = [
            ms.epr_spectrum(fe8, 1.0, B, "115 GHz", line=ms.GaussianLine(width), states=states).absorption
            for states in (None, 12)
        ]
        # At 1 K the upper levels are empty
        np.testing.assert_allclose(spectra[1], spectra[0], atol=1e-6 * float(spectra[0].max()))


# --- intensities --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 1, 1)])
def test_the_area_of_a_field_sweep_is_pi_times_strength_over_slope(axis):
    # a narrow line in energy at every field, integrated: it knows no resonance field and no slope
    spin, B = ms.giant_spin(1.5, D=0.4, E=0.05, g=(1.9, 2.0, 2.1)), np.linspace(0.0, 4.0, 16001)
    ds = ms.epr_spectrum(spin, 3.0, B, "70 GHz", line=ms.GaussianLine("0.4 GHz"), axis=axis)
    lines = ms.resonance_fields(spin, "70 GHz", span=(0, 4), T=3.0, axis=axis)
    assert trapezoid(ds.absorption, B) == pytest.approx(np.pi * float(lines.intensity.sum()), rel=1e-4)


def test_intensities_follow_the_temperature():
    # m to m + 1 of an axial spin at 95 GHz: strength over g times p_m (1 - exp(-h nu/T)), Z at its own field
    S, D, g, w = 10, -0.5, 2.0, 95 * GHZ
    T = np.array([1.0, 4.0, 30.0])
    ds = ms.resonance_fields(ms.giant_spin(S, D=D, g=g), "95 GHz", span=(0.3, 7.0), T=T)
    m = np.arange(-S, S)
    field = (w - D * (2 * m + 1)) / (g * MU_B)
    m, field = m[(field > 0.3) & (field < 7.0)], field[(field > 0.3) & (field < 7.0)]
    every = np.arange(-S, S + 1)
    energy = D * every**2.0 + g * MU_B * field[:, None] * every
    weight = np.exp(-(energy - energy.min(axis=1, keepdims=True))[None] / T[:, None, None])
    population = weight[:, np.arange(len(m)), m + S] / weight.sum(axis=2)
    strength = g**2 / 4 * (S * (S + 1) - m * (m + 1))
    expected = strength * population * -np.expm1(-w / T)[:, None] / g
    rising = ds.g_slope.values > 0
    order = np.argsort(field)
    np.testing.assert_allclose(ds.field.values[rising], field[order], rtol=1e-10)
    np.testing.assert_allclose(ds.intensity.values[:, rising], expected[:, order], rtol=1e-8)


# --- powders ------------------------------------------------------------------------------------------------


def test_a_powder_against_brute_force():
    S, D, E, g, T = 1, 0.6, 0.08, 2.1, 4.0
    B = np.linspace(0.0, 6.0, 121)
    energy, fwhm = 94 * GHZ, 12 * GHZ
    exact = brute_force_powder(S, D, E, g=g, T=T, B=B, energy=energy, fwhm=fwhm, cosines=20, turns=12)
    errors, reported = [], []
    for points in (50, 194, 974):
        ds = ms.epr_spectrum(
            ms.giant_spin(S, D=D, E=E, g=g), T, B, "94 GHz", line=ms.GaussianLine("12 GHz"), powder=points
        )
        errors.append(float(np.abs(ds.absorption - exact).max()) / exact.max())
        reported.append(float(np.abs(ds.powder_difference).max()) / exact.max())
        assert f"{points} directions" in ds.attrs["powder"]
    assert errors[2] < 1e-3
    assert errors[2] < errors[1] < errors[0]
    # what is reported is not smaller than the error
    assert all(error < said for error, said in zip(errors, reported, strict=True))


def test_a_powder_swept_in_field_with_lines_in_field_against_brute_force_directions():
    # one crystal after the other on a product grid, through the sweep in frequency at every field
    S, D, E, g, T = 1, 0.3, 0.04, 2.0, 10.0
    B = np.linspace(2.0, 5.0, 101)
    spin = ms.giant_spin(S, D=D, E=E, g=g)
    ds = ms.epr_spectrum(spin, T, B, "94 GHz", line=ms.GaussianLine("60 mT"), powder=974)
    # D << h nu: slopes are g mu_B to first order, so 60 mT is 1.68 GHz; compare areas and edges
    exact = brute_force_powder(
        S, D, E, g=g, T=T, B=B, energy=94 * GHZ, fwhm=g * MU_B * 0.06, cosines=32, turns=24
    )
    assert trapezoid(ds.absorption, B) == pytest.approx(trapezoid(exact, B), rel=5e-3)
    np.testing.assert_allclose(ds.absorption, exact, atol=0.06 * exact.max())


def test_the_integral_of_a_powder_is_the_mean_of_its_crystals():
    spin, T = ms.giant_spin(1, D=0.25, E=0.03), 6.0
    B = np.linspace(1.8, 5.2, 401)
    ds = ms.epr_spectrum(spin, T, B, "94 GHz", line=ms.GaussianLine("40 mT"), powder=974)
    x, weight = np.polynomial.legendre.leggauss(10)
    total = 0.0
    for cosine, share in zip((x + 1) / 2, weight / 2, strict=True):
        for phi in (np.arange(6) + 0.5) * np.pi / 12:
            axis = (*(np.sqrt(1 - cosine**2) * np.array([np.cos(phi), np.sin(phi)])), cosine)
            lines = ms.resonance_fields(spin, "94 GHz", span=(1.8, 5.2), T=T, axis=axis)
            total += share / 6 * float(lines.intensity.sum())
    assert trapezoid(ds.absorption, B) == pytest.approx(np.pi * total, rel=2e-3)


# --- neutrons -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("T", [0.7, 6.0, 80.0])
def test_first_moment_of_neutron_scattering_in_closed_form(T):
    # sum_a [M_a, [H, M_a]] of a term of rank k is -k(k + 1) g^2 times the term
    S, D, E, A4, g = 3, -1.1, 0.2, 3e-3, 2.0
    spin = ms.giant_spin(S, D=D, E=E, A4=A4, g=g)
    energy = np.linspace(-60, 60, 24001)
    ds = ms.neutron_spectrum(spin, T, energy, line=ms.GaussianLine(0.05))
    moment = trapezoid(energy * ds.intensity.values, energy)
    s = spin_matrices(S)
    H, _ = field_line(spin)
    x = S * (S + 1)
    fourth = (
        s[2] @ s[2] @ s[2] @ s[2] - ((6 * x - 5) / 7) * s[2] @ s[2] + 3 * x * (x - 2) / 35 * np.eye(2 * S + 1)
    )
    H = H - np.trace(H) / len(H) * np.eye(len(H))
    rho = expm(-H / T)
    rho /= np.trace(rho)
    four = A4 * np.trace(rho @ fourth).real
    two = np.trace(rho @ H).real - four
    assert abs(np.trace(fourth)) < 1e-9  # rank 4 has no trace
    assert moment == pytest.approx(-(g**2) / 3 * (6 * two + 20 * four), rel=1e-6)


def test_first_moment_of_a_cluster_is_the_double_commutator():
    system = ms.SpinSystem(
        "pair",
        [ms.Spin(1.0, 2.0), ms.Spin(1.5, 1.9)],
        [
            ms.ZeroFieldSplitting(-1.3, 0.2, site=0, frame=(0.3, 0.7, -0.2)),
            ms.Exchange(0, 1, 1.8, convention="+J"),
        ],
    )
    T, energy = 3.0, np.linspace(-40, 40, 16001)
    ds = ms.neutron_spectrum(system, T, energy, line=ms.GaussianLine(0.05))
    moment = trapezoid(energy * ds.intensity.values, energy)
    one, two = spin_matrices(1.0), spin_matrices(1.5)
    M = [2.0 * np.kron(a, np.eye(4)) + 1.9 * np.kron(np.eye(3), b) for a, b in zip(one, two, strict=True)]
    H, _ = field_line(system)
    rho = expm(-H / T)
    rho /= np.trace(rho)
    double = sum(m @ (H @ m - m @ H) - (H @ m - m @ H) @ m for m in M)
    assert moment == pytest.approx(np.trace(rho @ double).real / 3, rel=1e-6)


@pytest.mark.parametrize("T", [0.5, 5.0, 200.0])
def test_integral_of_neutron_scattering_is_the_mean_square_moment(T):
    """Three coupled spins with anisotropic g in turned axes: the thermal mean is of expm(-H/T), no levels."""
    turned = euler_matrix((0.4, 0.9, -0.3))
    g = [np.diag([1.2, 2.0, 3.1]), turned @ np.diag([0.7, 2.2, 2.4]) @ turned.T, 1.9 * np.eye(3)]
    sizes = (0.5, 1.0, 1.5)
    terms = [
        ms.ZeroFieldSplitting(-1.3, 0.2, site=1),
        ms.Exchange(0, 1, 2.5, "+J"),
        ms.Exchange(1, 2, 1.2, "+J"),
    ]
    system = ms.SpinSystem("three", [ms.Spin(S, a.tolist()) for S, a in zip(sizes, g, strict=True)], terms)
    energy = np.linspace(-40, 40, 8001)
    ds = ms.neutron_spectrum(system, T, energy, line=ms.GaussianLine(0.05))
    ones = [np.eye(round(2 * S + 1)) for S in sizes]
    M = np.zeros((3, 24, 24), dtype=complex)
    for site, S in enumerate(sizes):
        for a, own in enumerate(np.einsum("ac,cij->aij", g[site], spin_matrices(S))):
            parts = [own if k == site else ones[k] for k in range(3)]
            M[a] += np.kron(np.kron(parts[0], parts[1]), parts[2])
    rho = expm(-field_line(system)[0] / T)
    square = np.trace(rho @ sum(m @ m for m in M)).real / np.trace(rho).real
    assert trapezoid(ds.intensity, energy) == pytest.approx(2 / 3 * square, rel=1e-6)
    free = sum(S * (S + 1) / 3 * np.trace(a @ a.T) for S, a in zip(sizes, g, strict=True))
    assert (abs(square - free) < 0.02 * free) == (T == 200.0)  # coupling moves it except in the heat


def test_an_antiferromagnetic_dimer_is_dark_in_the_cold():
    """Two spins 1/2: only the triplet has a moment, (2/3) g^2 2 of it."""
    dimer = ms.SpinSystem("dimer", [ms.Spin(0.5), ms.Spin(0.5)], [ms.Exchange(0, 1, 10.0, "+J")])
    energy, T = np.linspace(-30, 30, 6001), np.array([0.5, 5.0, 1000.0])
    ds = ms.neutron_spectrum(dimer, T, energy, line=ms.GaussianLine(0.1))
    triplet = 3 * np.exp(-10 / T) / (1 + 3 * np.exp(-10 / T))
    g = dimer.spins[0].g[2][2]
    np.testing.assert_allclose(trapezoid(ds.intensity, energy, axis=1), 4 / 3 * g**2 * triplet, rtol=1e-6)


def test_gain_and_loss_of_neutrons_balance_at_every_temperature():
    spin, D = ms.giant_spin(1, D=3.0), 3.0
    energy = np.linspace(-6, 6, 4801)
    T = np.array([0.4, 2.0, 50.0])
    ds = ms.neutron_spectrum(spin, T, energy, line=ms.GaussianLine(0.02))
    loss, gain = (
        trapezoid(ds.intensity.values[:, np.abs(energy - centre) < 0.5], dx=energy[1] - energy[0], axis=1)
        for centre in (D, -D)
    )
    np.testing.assert_allclose(gain / loss, np.exp(-D / T), rtol=1e-6)
    # one level up, two of them: 2 (2/3) g^2 p_0 from |0> to |+-1>
    np.testing.assert_allclose(loss, 2 / 3 * 4 * 2 / (1 + 2 * np.exp(-D / T)), rtol=1e-6)
