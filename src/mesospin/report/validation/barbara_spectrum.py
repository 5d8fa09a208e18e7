"""Barbara's review, Hamiltonians and levels: dimensions, eq. (1), the barrier, the resonances of eq. (2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from flint import arb, arb_mat, ctx

from mesospin.constants import MU_B
from mesospin.experiment.stoner_wohlfarth import classical_energy
from mesospin.model.interactions import Exchange
from mesospin.model.library import load
from mesospin.model.spin import Spin
from mesospin.model.system import SpinSystem, giant_spin
from mesospin.model.terms import ZeroFieldSplitting
from mesospin.report.validation.rows import ERRATUM, Row, Source
from mesospin.spectrum.levels import levels
from mesospin.spectrum.matrices import field_line, symmetry_blocks
from mesospin.spectrum.tunnelling.splitting import tunnel_splitting

_DIMENSIONS: Final = Source("Barbara review, Microscopic description")
_EQ1: Final = Source("Barbara review, eq. (1)")
_EQ2: Final = Source("Barbara review, eq. (2)")
_FIGURES: Final = Source("Barbara review, Figs. 2, 3, 5")
#: Parameters of set A, signs as in eq. (1) [K].
_D, _B, _C, _G = 0.548, 1.17e-3, 2.2e-5, 1.94


def dimensions() -> Sequence[Row]:
    """Return the rows on the number of states and on the collective spin."""
    ions = SpinSystem("ions", [Spin(1.5)] * 4 + [Spin(2)] * 8)
    locked = SpinSystem("locked", [Spin(0.5)] * 4 + [Spin(2)] * 4)
    pair = SpinSystem("pair", [Spin(2), Spin(1.5)], [Exchange(0, 1, 1.0, "+J")])
    # the exchange paths of the molecule align the ring (8 x 2) and the core (4 x 3/2), antiparallel
    ferrimagnet = SpinSystem("ring and core", [Spin(16), Spin(6)], [Exchange(0, 1, 1.0, "+J")])
    single = SpinSystem("five", [Spin(1.5)] * 5)
    count = _DIMENSIONS.number
    return [
        count("dimension-formula", "D_H = (2S + 1)^N, S = 3/2, N = 5", 4**5, single.dimension),
        count("dimension-twelve-ions", "D_H of Mn12-ac, 4^4 5^8, printed 10^8", 1e8, ions.dimension),
        count("dimension-locked-pairs", "D_H with four locked pairs, printed 10^4", 1e4, locked.dimension),
        count("dimension-collective", "D_H = 2S + 1 of the collective spin", 21, load("mn12ac").dimension),
        count(
            "locked-pair-spin",
            "spin of a locked pair, 2 - 3/2",
            0.5,
            (_ground_degeneracy(pair) - 1) / 2,
            reason="ground multiplet of an antiferromagnetic pair",
        ),
        count(
            "collective-spin",
            "S of eight spins 2 and four spins 3/2 (8 x 2 - 4 x 3/2)",
            10,
            (_ground_degeneracy(ferrimagnet) - 1) / 2,
            reason="ground multiplet of ring (S = 16) against core (S = 6)",
        ),
        _DIMENSIONS.erratum(
            "superscript-1e8",
            "dimension as printed without superscript: 108",
            108,
            ions.dimension,
            reason="10^8",
        ),
        _DIMENSIONS.erratum(
            "superscript-1e4",
            "dimension as printed without superscript: 104",
            104,
            locked.dimension,
            reason="10^4",
        ),
        _DIMENSIONS.open(
            "levels-of-1e4",
            "levels of S = 10 against exact diagonalisation in 10^4 states",
            "fully consistent",
            "needs sparse diagonalisation, which this version does not have",
        ),
    ]


def _ground_degeneracy(system: SpinSystem) -> int:
    energy = levels(system, B=0.0).energy.values
    return int(np.sum(energy - energy[0] < 1e-9 * np.ptp(energy)))


def microscopic_terms() -> Sequence[Row]:
    """Return the rows on sum J_ij S_i S_j + sum D_i (n_i S_i)^2."""
    pair = SpinSystem("pair", [Spin(2), Spin(1.5)], [Exchange(0, 1, 7.0, "+J")])
    total = np.array([0.5, 1.5, 2.5, 3.5])
    lande = 3.5 * (total * (total + 1) - 2 * 3 - 1.5 * 2.5)
    found = np.unique(levels(pair, B=0.0).energy.values.round(9))
    tilted = ZeroFieldSplitting(-1.3, frame=(0.4, 0.9, 0.0))
    axis = SpinSystem("tilted ion", [Spin(2)], [tilted])
    axial = np.sort(-1.3 * (np.array([0, 1, 1, 2, 2]) ** 2 - 2.0))
    tilted_levels = levels(axis, B=0.0).energy.values
    return [
        _DIMENSIONS.number(
            "exchange-term",
            "J S1 S2: largest distance from the rule of Lande, J = 7 K",
            0.0,
            float(np.abs(found - lande).max()),
            "K",
            atol=1e-9,
            reason="J/2 [S(S+1) - S1(S1+1) - S2(S2+1)]",
        ),
        _DIMENSIONS.number(
            "single-ion-term",
            "D (n S)^2, tilted n: largest distance from D m^2 - D S(S+1)/3",
            0.0,
            float(np.abs(tilted_levels - axial).max()),
            "K",
            atol=1e-12,
            reason="levels do not depend on the direction of n",
        ),
    ]


def hamiltonian() -> Sequence[Row]:
    """Return the rows on eq. (1) and its form with our Zeeman sign."""
    field = 1.0
    m = np.arange(10, -11, -1)
    printed = np.sort(-_D * m**2 - _B * m**4 - _G * MU_B * field * m)
    diagonal = giant_spin(10, D=-_D, A4=-_B, g=_G)
    molecule = load("mn12ac")
    forward, backward = (levels(molecule, B=sign * field).energy.values for sign in (1, -1))
    along_x, along_y, between = (
        levels(molecule, B=3.0, axis=axis).energy.values for axis in ((1, 0, 0), (0, 1, 0), (1, 1, 0))
    )
    axial_energy = levels(diagonal, B=0.0).energy.values
    doublets = int(np.sum(np.diff(axial_energy) < 1e-12))
    ground = levels(molecule, B=1.0).moment.values[0, 2]
    return [
        _EQ1.number(
            "eq1-diagonal",
            "-D Sz^2 - B Sz^4 - g mu_B B Sz at 1 T: largest difference of the levels",
            0.0,
            float(np.abs(levels(diagonal, B=field).energy.values - printed).max()),
            "K",
            atol=1e-12,
            reason="set A; the sign of the Zeeman term only exchanges m and -m",
        ),
        _EQ1.number(
            "eq1-zeeman-sign",
            "levels of eq. (1) with -g mu_B S B and with +g mu_B S B at 1 T",
            0.0,
            float(np.abs(forward - backward).max()),
            "K",
            atol=1e-12,
            reason="with C; so (m, m') printed is (-m, -m') here",
        ),
        _EQ1.number(
            "eq1-tetragonal",
            "tetragonal symmetry: levels with 3 T along x and along y",
            0.0,
            float(np.abs(along_x - along_y).max()),
            "K",
            atol=1e-10,
        ),
        _EQ1.statement(
            "eq1-transverse",
            "C(S+^4 + S-^4) is a transverse term of fourfold symmetry",
            "x and the diagonal of xy differ",
            f"by {np.abs(along_x - between).max():.3g} K at 3 T",
            bool(np.abs(along_x - between).max() > 1e-3),
        ),
        _FIGURES.number(
            "ising-doublets", "doublets +-S, +-(S-1), ... of the axial spin, S = 10", 10, doublets
        ),
        _FIGURES.number(
            "saturation-moment", "M_s = g mu_B S, set A", _G * 10, float(ground), "mu_B", atol=1e-3
        ),
    ]


def barrier() -> Sequence[Row]:
    """Return the rows on E(m), E(theta) and the slopes of Fig. 5."""
    axial = giant_spin(10, D=-_D, A4=-_B, g=_G)
    energy = levels(axial, B=0.0).energy.values
    m = np.arange(10, -11, -1)
    theta = np.arccos(m / 10)
    direction = np.stack([np.sin(theta), np.zeros(21), np.cos(theta)], axis=1)
    classical = classical_energy(axial, direction)
    mixed = levels(load("mn12ac"), B=0.0).energy.values
    moment = levels(axial, B=0.2).moment.values[:, 2]
    return [
        _FIGURES.number(
            "barrier-height",
            "E(0) - E(S) = D S^2 + B S^4, set A",
            _D * 100 + _B * 1e4,
            float(np.ptp(energy)),
            "K",
            rtol=1e-12,
        ),
        _FIGURES.number(
            "barrier-with-c",
            "the same with C: E(m) ~ -D m^2 - B m^4",
            _D * 100 + _B * 1e4,
            float(np.ptp(mixed)),
            "K",
            rtol=0.02,
            reason="C mixes the levels near the top",
        ),
        _FIGURES.number(
            "barrier-theta",
            "E(theta), theta = arccos(m/S), against E(m): largest difference",
            0.0,
            float(np.abs(classical - (-_D * m**2 - _B * m**4.0)).max()),
            "K",
            atol=1e-9,
        ),
        _FIGURES.number(
            "theta-range",
            "largest angle theta, m = -S",
            180.0,
            float(np.degrees(theta[-1])),
            "deg",
            rtol=1e-12,
        ),
        _FIGURES.number(
            "slope-is-sz",
            "dE/dB = g mu_B m: largest distance of the moments from -g m",
            0.0,
            float(np.abs(np.sort(moment) - np.sort(_G * m)).max()),
            "mu_B",
            atol=1e-12,
        ),
    ]


def closed_form_field(n: int, D: float = _D, B: float = _B, g: float = _G, S: float = 10) -> float:
    """Return the field of the n-th resonance of the ground level without transverse terms [T]."""
    return n * (D + B * (S**2 + (S - n) ** 2)) / (g * MU_B)


def resonances() -> Sequence[Row]:
    """Return the rows on the missing eq. (2)."""
    molecule = load("mn12ac")
    axial = giant_spin(10, D=-_D, A4=-_B, C4=-1e-12, g=_G)
    rows = [
        _EQ2.statement(
            "eq2-missing",
            "eq. (2), the resonance fields",
            "number without a formula",
            "g mu_B B_n = n [D + B (S^2 + (S-n)^2)]",
            False,
            otherwise=ERRATUM,
            reason="reconstructed from E_S = E_{n-S}; the rows below check it",
            should_hold=False,
        ),
        _EQ2.number(
            "eq2-axial",
            "eq. (2), C -> 0: largest difference for n = 1..10",
            0.0,
            max(abs(_field(axial, n) - closed_form_field(n)) for n in range(1, 11)),
            "T",
            atol=1e-9,
        ),
    ]
    for n in range(11):
        rows.append(
            _EQ2.number(
                f"eq2-n{n}",
                f"field of the pair (S, n-S), n = {n}, set A",
                closed_form_field(n),
                _field(molecule, n),
                "T",
                atol=1e-3,
                reason="C shifts the levels by up to 1 mT" if n else "",
            )
        )
    return rows + _about_fields(molecule)


def _field(system: SpinSystem, n: int) -> float:
    return tunnel_splitting(system, (10, n - 10)).field


def _about_fields(molecule: SpinSystem) -> list[Row]:
    naive = "g mu_B B_n ~ n D"
    fields = np.array([_field(molecule, n) for n in range(11)])
    spacing = np.diff(fields)
    thermal = tunnel_splitting(molecule, (4, -3)).field
    reason = "B << D, but B (S^2 + (S-n)^2) adds to D"
    return [
        _EQ2.erratum(
            "naive-field-n1", f"{naive}, n = 1, ground pair", _D / (_G * MU_B), fields[1], "T", reason=reason
        ),
        _EQ2.erratum(
            "naive-field-n10",
            f"{naive}, n = 10, ground pair",
            10 * _D / (_G * MU_B),
            fields[10],
            "T",
            reason=reason,
        ),
        _EQ2.number(
            "naive-field-thermal",
            f"{naive}, n = 1, thermally activated pair (4, -3)",
            _D / (_G * MU_B),
            thermal,
            "T",
            rtol=0.1,
            reason="near the top of the barrier m^4 adds little",
        ),
        _EQ2.number(
            "equal-separation",
            "'almost equally separated': spread of the spacings over their mean",
            0.0,
            float(np.ptp(spacing) / spacing.mean()),
            atol=0.25,
            reason="0.583 T for the first, 0.481 T in the middle",
        ),
        _EQ2.number(
            "initial-state-sign",
            "E_S = E_{n-S} with the stated initial state -S: field of n = 1",
            closed_form_field(1),
            # in the sign convention of eq. (1) the state S is the state -S here
            tunnel_splitting(molecule, (-10, 9)).field,
            "T",
            otherwise=ERRATUM,
            atol=1e-3,
            reason="at a positive field -S meets S-n; E_S = E_{n-S} needs a negative field",
            should_hold=False,
        ),
        _FIGURES.number(
            "resonance-count",
            "resonances of the ground level with the other well, n = 0..S",
            11,
            sum(bool(np.isfinite(field)) for field in fields),
        ),
    ]


def selection_rules() -> Sequence[Row]:
    """Return the rows on what C connects, and the splitting against 100 digits."""
    molecule = load("mn12ac")
    strong = giant_spin(10, D=-_D, A4=-_B, C4=-2 * _C, g=_G)
    ratio = tunnel_splitting(strong, (10, -10)).kelvin / tunnel_splitting(molecule, (10, -10)).kelvin
    H = field_line(molecule).H0
    change = {abs(int(i) - int(j)) for i, j in np.argwhere(H != 0)}
    axial = giant_spin(10, D=-_D, A4=-_B, g=_G)
    open_axial = sum(tunnel_splitting(axial, (10, n - 10)).kelvin > 0 for n in range(11))
    gap = tunnel_splitting(molecule, (10, -10)).kelvin
    return [
        _EQ1.number(
            "applications-of-c",
            "2S/4 applications of S-^4 from |S> to |-S>: power of C in the splitting",
            5,
            float(np.log2(ratio)),
            atol=0.01,
        ),
        _EQ1.number("selection-rule", "each application changes m by", 4, max(change)),
        _EQ1.number(
            "no-transverse-no-tunnelling", "open resonances of the ground level with C = 0", 0, open_axial
        ),
        _EQ1.number(
            "splitting-100-digits",
            "splitting of (10, -10), set A: double precision against 100 digits",
            _gap_in_high_precision(molecule),
            gap,
            "K",
            rtol=1e-10,
            reason="Delta ~ C^5; nothing large is subtracted",
        ),
    ]


def _gap_in_high_precision(system: SpinSystem, digits: int = 100) -> float:
    """Return the gap of the two lowest levels at zero field by diagonalisation with many digits."""
    line = field_line(system)
    block = symmetry_blocks(*line)[0]
    n = len(block)
    with ctx.workdps(digits):
        rows = [[arb(0)] * n for _ in range(n)]
        for i in range(n):
            for j in range(n):
                # an element and its mirror image m -> -m are the same number, whatever their rounding
                a, b = min((i, j), (j, i), (n - 1 - i, n - 1 - j), (n - 1 - j, n - 1 - i))
                rows[i][j] = arb(float(line.H0[block[a], block[b]].real))
        values = [value.real for value in arb_mat(rows).eig(multiple=True, algorithm="approx")]
        lowest = sorted(values, key=lambda value: float(value.mid()))[:2]
        return float(abs(lowest[1] - lowest[0]).mid())


SECTIONS: Final[tuple[Callable[[], Sequence[Row]], ...]] = (
    dimensions,
    microscopic_terms,
    hamiltonian,
    barrier,
    resonances,
    selection_rules,
)
