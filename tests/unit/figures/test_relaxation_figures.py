"""Figures of relaxation: what is measured, fitted, refused and computed can be told apart."""

import numpy as np
import pytest

import mesospin as ms
from mesospin.errors import InputError
from mesospin.figures.isotherms import isotherm_scale


def measured(T, f=None, B=0.0, noise=0.01):
    """Return ac data of one Cole-Cole relaxation for every temperature (or field)."""
    f = np.geomspace(0.1, 1000.0, 16) if f is None else f
    rng = np.random.default_rng(0)
    T, B, f = (grid.ravel() for grid in np.broadcast_arrays(np.c_[T], np.c_[B], np.asarray(f)[None]))
    tau = 1.0 / (5.0 / (1 + (B / 0.1) ** 2) + 1e7 * np.exp(-60.0 / T))
    chi = 0.1 + 10.0 / T / (1.0 + (2j * np.pi * f * tau) ** 0.9)
    chi = chi + noise * (rng.standard_normal(f.size) + 1j * rng.standard_normal(f.size))
    return ms.ac_data(f, chi.real, -chi.imag, T, B=B, unit="cm3/mol")


def drawn(dataset, **options):
    figure = ms.plot(dataset, **options)
    figure.canvas.draw()
    return figure


def note(figure):
    return figure.get_supxlabel()


def panel(figure, words):
    return next(axes for axes in figure.axes if words in axes.get_ylabel())


def lines(axes, style):
    return [line for line in axes.get_lines() if line.get_linestyle() == style and len(line.get_xdata()) > 2]


def test_refused_isotherms_have_points_without_a_line_and_are_counted():
    fit = ms.fit_ac(measured([3.0, 4.0, 5.0, 40.0]))
    assert fit.determined.values.tolist() == [1, 1, 1, 0]
    figure = drawn(fit)
    imag = figure.axes[1]
    assert len(lines(imag, "-")) == 3
    hollow = [line for line in imag.get_lines() if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 1
    assert "1 of 4 isotherms refused" in note(figure)
    # the line of an isotherm passes its points
    line, points = lines(imag, "-")[0], imag.get_lines()[1]
    height = np.interp(np.log(points.get_xdata()), np.log(line.get_xdata()), line.get_ydata())
    np.testing.assert_allclose(height, points.get_ydata(), atol=0.05)


def test_times_stand_at_one_over_temperature_with_both_uncertainties():
    fit = ms.fit_ac(measured([3.0, 4.0, 5.0]))
    times = panel(drawn(fit), "relaxation time")
    assert times.get_yscale() == "log"
    bars = [line for line in times.get_lines() if line.get_alpha() == 0.25]
    for k, bar in enumerate(bars):
        np.testing.assert_allclose(bar.get_xdata(), 1.0 / fit.temperature.values[k])
        np.testing.assert_allclose(bar.get_ydata(), [fit.tau_lower[k], fit.tau_upper[k]])
    assert len(bars) == 3


def test_colours_stand_for_what_varies_more():
    by_field = isotherm_scale(np.full(3, 2.0), np.array([0.0, 0.1, 0.2]))
    assert by_field.by_field
    assert by_field.fact == ", 2 K"
    figure = drawn(ms.fit_ac(measured(np.full(3, 5.0), B=[0.0, 0.1, 0.2])))
    assert panel(figure, "relaxation time").get_xlabel().startswith("magnetic field")
    single = drawn(ms.fit_ac(measured([3.0])))
    assert not [axes for axes in single.axes if "relaxation time" in axes.get_ylabel()]
    # what a magnetometer calls zero is a few microtesla
    assert isotherm_scale(np.array([2.0, 3.0]), np.full(2, -2.3e-5)).fact == ", 0 T"


def test_theory_is_dashed_and_only_where_it_belongs():
    T = [4.0, 5.0, 6.0]
    chi = ms.ac_susceptibility(
        ms.load("mn12ac"), T, 0.0, np.geomspace(0.1, 1e3, 9), dipolar=None, disorder=None
    )
    data = measured(T)
    fit = ms.fit_ac(data)
    figure = drawn(fit, theory=(chi, ms.fit_ac(chi)))
    assert len(lines(figure.axes[0], "--")) == 3
    assert len(lines(panel(figure, "relaxation time"), "--")) == 1
    assert "dashed: theory" in note(figure)
    assert len(lines(drawn(data, theory=chi).axes[0], "--")) == 3
    law = ms.fit_rates(fit, ms.Orbach(), errors="fit")
    assert len(lines(drawn(law, theory=ms.fit_ac(chi)).axes[0], "--")) == 1
    with pytest.raises(InputError, match="theory must be given with measured relaxation"):
        ms.plot(ms.levels(ms.giant_spin(1, D=-1.0), B=0.0), theory=chi)
    with pytest.raises(InputError, match="theory must be"):
        ms.plot(fit, theory=["chi"])


def test_the_picture_of_computed_susceptibility_shows_the_modes():
    ideal = {"dipolar": None, "disorder": None}
    chi = ms.ac_susceptibility(ms.load("mn12ac"), [4.0, 5.0], 0.0, np.geomspace(1, 1e4, 9), **ideal)
    figure = drawn(chi)
    modes = panel(figure, "time of a mode").collections
    rate = chi.mode_rate.isel(temperature=0, field=0).values
    main = int(chi.mode_weight.isel(temperature=0, field=0).values.argmax())
    assert modes[0].get_offsets()[0][1] == pytest.approx(1.0 / rate[main])


def test_a_law_with_its_parameters_and_processes():
    T = np.linspace(3.0, 9.0, 9)
    tau = 1.0 / (20.0 + 1e7 * np.exp(-60.0 / T))
    fit = ms.fit_rates(ms.rate_data(T, tau, tau_error=0.01 * tau), ms.Orbach() + ms.Tunnelling())
    figure = drawn(fit)
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["one standard error", "law", "Orbach", "Tunnelling"]
    assert "U_" in figure.get_suptitle()
    held = ms.fit_rates(
        ms.rate_data(T, tau, tau_error=0.01 * tau), ms.Orbach() + ms.Tunnelling(), fixed={"Q": -1.3}
    )
    assert "Q = -1.3 (held)" in drawn(held).get_suptitle()
    idle = ms.fit_rates(ms.rate_data(T[4:], tau[4:], tau_error=0.1 * tau[4:]), ms.Orbach() + ms.Tunnelling())
    assert "Q not determined" in drawn(idle).get_suptitle()
    drawn(ms.compare_rates(ms.rate_data(T, tau), [ms.Orbach(), ms.Orbach() + ms.Tunnelling()]))
    assert len(drawn(ms.rate_data(T, tau)).axes[0].lines) == 1


def test_laws_along_the_field_and_at_several_fields():
    B, T = np.linspace(0.0, 0.4, 9), np.array([2.0, 3.0, 4.0, 5.0])
    tau = 1.0 / (100.0 / (1.0 + (B / 0.1) ** 2) + 2.0)
    law = ms.FieldTunnelling() + ms.ConstantRate()
    along = ms.fit_rates(ms.rate_data(np.full(9, 2.0), tau, B=B, tau_error=0.02 * tau), law, fixed={"p": 2.0})
    assert drawn(along).axes[0].get_xlabel().startswith("magnetic field")
    fields = np.repeat([0.0, 0.1, 0.2], 4)
    times = 1.0 / (100.0 / (1.0 + (fields / 0.1) ** 2) + 1e6 * np.exp(-40.0 / np.tile(T, 3)))
    data = ms.rate_data(np.tile(T, 3), times, B=fields, tau_error=0.02 * times)
    both = drawn(ms.fit_rates(data, ms.Orbach() + ms.FieldTunnelling(), fixed={"p": 2.0}))
    assert [text.get_text() for text in both.legends[0].get_texts()] == ["0 T", "0.1 T", "0.2 T"]


def test_decays_and_their_square_root():
    t = np.linspace(0.0, 2000.0, 60)
    T = np.repeat([2.0, 2.2, 2.4], 60)
    tau = 1e-5 * np.exp(35.0 / T)
    data = ms.decay_data(np.tile(t, 3), np.exp(-((np.tile(t, 3) / tau) ** 0.8)), T)
    fit = ms.fit_decay(data)
    figure = drawn(fit)
    assert len(figure.axes) >= 2
    one = drawn(fit.isel(isotherm=[0], point=np.flatnonzero(fit.isotherm_of.values == 0)))
    assert "$\\tau$ =" in one.get_suptitle()
    root = ms.decay_data(t, 2.0 * (1.0 - np.sqrt(t / 1e5)), 0.04)
    picture = drawn(ms.fit_square_root(root, (0.0, 1000.0)))
    points, line = picture.axes[0].get_lines()[:2]
    np.testing.assert_allclose(
        np.interp(points.get_xdata(), line.get_xdata(), line.get_ydata()), points.get_ydata()
    )
    drawn(data)


def test_slow_magnetisation():
    system, ideal = ms.load("mn12ac"), {"dipolar": None, "disorder": None}
    figure = drawn(ms.decay(system, [2.6, 2.8], 0.5, 0.0, time=np.geomspace(0.1, 1e3, 9), **ideal))
    assert figure.axes[0].get_xscale() == "log"
    cooled = ms.zfc_fc(system, np.linspace(2.0, 6.0, 9), [0.1], rate="2 K/min", **ideal)
    marks = [line for line in drawn(cooled).axes[0].get_lines() if line.get_marker() == "v"]
    assert marks[0].get_xdata()[0] == pytest.approx(cooled.peak_temperature.values[0])
    blocked = ms.blocking_temperature(system, time=[1.0, 100.0], **ideal)
    assert "Blocking temperature" in drawn(blocked).axes[0].get_title(loc="left")


def test_a_file_of_moments(tmp_path):
    rows = ["T (K),B (T),M (emu)", *(f"{T},0.1,{1e-3 / T}" for T in range(2, 12))]
    (tmp_path / "dc.csv").write_text("\n".join(rows))
    figure = drawn(ms.read_magnetometer(tmp_path / "dc.csv"))
    assert figure.axes[0].get_xlabel() == "temperature (K)"
    rows = ["T (K),B (T),M (emu)", *(f"{T},{B},{1e-3 * B / T}" for T in (2, 4) for B in range(6))]
    (tmp_path / "mh.csv").write_text("\n".join(rows))
    figure = drawn(ms.read_magnetometer(tmp_path / "mh.csv"))
    assert figure.axes[0].get_xlabel().startswith("magnetic field")
