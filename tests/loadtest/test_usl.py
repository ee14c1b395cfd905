"""The Universal Scalability Law: published fits to three digits, right inverses, refusals, intervals that cover."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import CapacityError, InputError
from capacity.loadtest.models.fit_usl import Form, bounded, fit_usl
from capacity.loadtest.models.usl import UniversalScalability
from tests.loadtest.usl_data import CISCO, RAYTRACER, SDM91, SYNTHETIC


def law(lam: float, sigma: float, kappa: float) -> UniversalScalability:
    """A law by its parameters, without points."""
    return UniversalScalability(lam, sigma, kappa, {}, 0.95, pd.DataFrame())


# Values: reference loadtest.md 6.3, from R's usl 3.0.3 and the books and articles named there.


def test_the_ray_tracer_fits_as_in_r_and_has_no_coherency_cost() -> None:
    fit = fit_usl(*RAYTRACER)
    assert fit.lam == pytest.approx(21.848843, rel=5e-5)
    assert fit.sigma == pytest.approx(0.057771, rel=5e-4)
    assert fit.kappa == 0.0
    assert fit.residual_error == pytest.approx(9.34, abs=0.005)
    assert fit.ceiling == pytest.approx(378.2, abs=0.05)
    assert fit.throughput([96, 128]) == pytest.approx([323.3, 335.5], abs=0.05)
    assert 1 / fit.sigma == pytest.approx(17.3, abs=0.05)
    assert fit.peak == (np.inf, fit.ceiling, False)


def test_the_first_six_points_of_the_ray_tracer_tell_another_story_with_wide_intervals() -> None:
    fit = fit_usl(RAYTRACER[0][:6], RAYTRACER[1][:6])
    assert (fit.lam, fit.sigma, fit.kappa) == pytest.approx((20.85605, 0.02444, 0.00163), rel=3e-3)
    # R's intervals rest on constant noise; ours do not, so they contain R's
    for name, (low, high) in {
        "sigma": (0.00754, 0.04135),
        "kappa": (0.00110, 0.00215),
        "lam": (19.267, 22.445),
    }.items():
        assert fit.intervals[name][0] < low < high < fit.intervals[name][1]


def test_spec_sdm91_fits_as_published() -> None:
    fit = fit_usl(*SDM91)
    assert (fit.lam, fit.sigma, fit.kappa) == pytest.approx((89.9952, 0.0277285, 1.044e-4), rel=1e-3)
    assert fit.residual_error == pytest.approx(82.85, abs=0.01)
    assert fit.peak.concurrency == pytest.approx(96.51956, rel=1e-4)
    assert fit.peak.throughput == pytest.approx(1884, abs=0.5)
    assert fit.peak.measured
    assert fit.ceiling == pytest.approx(3245.589, rel=1e-4)
    assert fit.points["fitted"].round().tolist() == [90, 1078, 1541, 1850, 1879, 1822, 1646]


def test_cisco_fits_as_published_and_its_inverses_keep_kappa() -> None:
    fit = fit_usl(*CISCO)
    assert (fit.lam, fit.sigma, fit.kappa) == pytest.approx((995.6486, 0.02671591, 7.690945e-4), rel=2e-4)
    assert fit.throughput(35) == pytest.approx(12341.75, rel=2e-4)
    assert 1000 * fit.latency([1, 20, 35]) == pytest.approx([1.00437, 1.80772, 2.83590], rel=2e-4)
    assert fit.concurrency_at([955, 11048, 12201]) == pytest.approx([0.958069, 19.923903, 29.569036], rel=1e-4)
    assert fit.throughput_at(0.0016) == pytest.approx(10_095, abs=1)  # not 31,181, above the peak, as usl4j has it
    assert np.isnan(fit.concurrency_at(12_500))  # X* is 12,343


def test_the_first_ten_points_of_cisco_give_the_published_latencies() -> None:
    fit = fit_usl(CISCO[0][:10], CISCO[1][:10])
    assert (fit.lam, fit.sigma, fit.kappa) == pytest.approx((938.3793, 0.0170028, 4.46539e-4), rel=2e-4)
    n = fit.concurrency_at_latency([0.0012, 0.0016, 0.0020])
    assert n == pytest.approx([7.230629, 20.251064, 29.888894], rel=2e-4)


def test_a_curve_without_noise_gives_its_parameters_back() -> None:
    fit = fit_usl(*SYNTHETIC)
    assert (fit.lam, fit.sigma, fit.kappa) == pytest.approx((1.00, 0.0200, 0.0200), abs=5e-5)


def test_the_quadratic_form_gives_the_coefficients_people_quote() -> None:
    fit = fit_usl(*RAYTRACER, form="quadratic")
    assert (fit.sigma, fit.kappa) == pytest.approx((0.050024, 4.7082e-6), rel=1e-4)
    fit = fit_usl(*SDM91, form="quadratic")
    assert (fit.sigma, fit.kappa) == pytest.approx((0.017047, 7.8925e-5), rel=1e-4)
    with pytest.raises(InputError, match="no point is there: measure it"):
        fit_usl([*SDM91[0][1:], 250], [*SDM91[1][1:], 1600], form="quadratic")


@given(
    st.floats(0.5, 1e5),
    st.floats(0.0, 0.9),
    st.floats(0.0, 0.05),
    st.floats(1.0, 200.0),
)
@settings(max_examples=50, deadline=None)
def test_every_inverse_leads_back(lam: float, sigma: float, kappa: float, n: float) -> None:
    curve = law(lam, sigma, kappa)
    x, r = curve.throughput(n), curve.latency(n)
    assert x * r == pytest.approx(n)  # Little
    if sigma + kappa > 1e-3 and n > 1.01:  # else all N take the same time
        assert curve.throughput_at(r) == pytest.approx(x, rel=1e-6)
        assert curve.concurrency_at_latency(r) == pytest.approx(n, rel=1e-6)
    peak = curve.peak
    if n < 0.99 * peak.concurrency:  # beyond it a throughput is reached twice, and the smaller N is meant
        assert curve.concurrency_at(x) == pytest.approx(n, rel=1e-5)
    assert curve.throughput(n) <= peak.throughput * (1 + 1e-9)
    assert np.isnan(curve.concurrency_at(peak.throughput * 1.001)) or not np.isfinite(peak.throughput)


def test_a_law_of_contention_alone_never_falls_and_one_of_none_never_bends() -> None:
    assert law(10, 0.1, 0.0).concurrency_at(50) == pytest.approx(9.0)  # X = 10 N / (1 + 0.1 (N-1)) = 50
    straight = law(10, 0.0, 0.0)
    assert straight.ceiling == np.inf
    assert straight.concurrency_at(500) == pytest.approx(50)


def test_time_is_split_as_r_does_it() -> None:
    split = fit_usl(*SYNTHETIC).split(4).iloc[0]
    assert split.tolist() == pytest.approx([1 / 4, 0.02 * 3 / 4, 0.02 * 3 / 2], rel=1e-3)


# --- bounds, refusals, dirty data -------------------------------------------------------------------------------------


def test_the_bounded_fit_is_the_best_within_the_bounds() -> None:
    """Against a search over a fine grid of sigma and kappa, with lam solved for each: slow, and obviously right."""
    rng = np.random.default_rng(2)
    n = np.array([1.0, 2, 3, 5, 8, 13, 21])
    for sigma, kappa in [(0.0, 0.0), (0.05, 0.0), (0.0, 0.01), (0.4, 0.001), (0.98, 0.0)]:
        x = 100 * n / (1 + sigma * (n - 1) + kappa * n * (n - 1)) * (1 + 0.05 * rng.normal(size=7))
        found = squares(n, x, *bounded(n, x))
        grid = [(s, k) for s in np.linspace(0, 1, 41) for k in np.append(0, np.geomspace(1e-6, 0.3, 40))]
        assert found <= min(squares(n, x, best_lam(n, x, s, k), s, k) for s, k in grid) * (1 + 1e-9)


def best_lam(n: np.ndarray, x: np.ndarray, sigma: float, kappa: float) -> float:
    shape = n / (1 + sigma * (n - 1) + kappa * n * (n - 1))
    return float(shape @ x / (shape @ shape))


def squares(n: np.ndarray, x: np.ndarray, lam: float, sigma: float, kappa: float) -> float:
    return float(np.sum((x - lam * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))) ** 2))


def test_throughput_in_other_units_and_points_in_another_order_change_nothing() -> None:
    n, x = np.array(CISCO[0]), np.array(CISCO[1])
    order = np.random.default_rng(0).permutation(len(n))
    one, other = fit_usl(n, x), fit_usl(n[order], x[order] * 60)
    assert (other.lam / 60, other.sigma, other.kappa) == pytest.approx((one.lam, one.sigma, one.kappa), rel=1e-6)
    assert np.array(other.intervals["kappa"]) == pytest.approx(np.array(one.intervals["kappa"]), rel=1e-4)
    assert np.array(other.intervals["lam"]) / 60 == pytest.approx(np.array(one.intervals["lam"]), rel=1e-4)


def test_five_concurrencies_are_refused_however_many_points_there_are() -> None:
    with pytest.raises(InputError, match=r"needs 6 different concurrencies .* there are 5: 1, 2, 3, 4, 6"):
        fit_usl([1, 2, 3, 4, 6] * 3, range(10, 25))


@pytest.mark.parametrize(
    ("n", "x"),
    [
        ([40, 41, 42, 43, 44, 45, 46], [99, 101, 100, 98, 102, 100, 99]),  # far up, narrow, flat: where does it begin?
        ([1, 2, 3, 4, 5, 6, 7], [50, 9, 80, 3, 70, 20, 60]),  # noise
    ],
)
def test_points_that_leave_a_parameter_open_are_refused_with_what_to_measure(n: list[float], x: list[float]) -> None:
    with pytest.raises(CapacityError, match=r"do not identify the Universal Scalability Law.*lower concurrency"):
        fit_usl(n, x)


def test_unknown_points_and_those_below_one_are_left_out_and_said() -> None:
    n, x = [*CISCO[0], 0.84, 12, float("nan")], [*CISCO[1], 40.0, float("nan"), 5.0]
    fit = fit_usl(n, x)
    assert fit.lam == fit_usl(*CISCO).lam
    assert {finding.check: finding.count for finding in fit.findings} == {"points below one": 1, "unknown points": 2}


@given(st.integers(0, 2**32 - 1), st.sampled_from(["noise", "flat", "falling", "steep", "wild"]))
@settings(max_examples=40, deadline=None)
def test_whatever_the_points_they_are_fitted_or_refused_in_words(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    n = np.sort(rng.choice(np.arange(1.0, 200), 9, replace=False))
    x = {
        "noise": rng.uniform(0.1, 100, 9),
        "flat": np.full(9, 50.0),
        "falling": 100 / n,
        "steep": n**1.5,
        "wild": np.exp(rng.normal(0, 3, 9)),
    }[kind]
    forms: tuple[Form, ...] = ("full", "quadratic")
    for form in forms:
        try:
            fit = fit_usl(n, x, form=form)
        except InputError:
            continue
        for name, (low, high) in fit.intervals.items():
            assert 0 <= low <= getattr(fit, name) <= high < np.inf
        assert np.isfinite(fit.residuals).all()


@pytest.mark.parametrize(
    ("n", "x", "words"),
    [
        ([1, 2, 3], [1, 2], "3 values of concurrency and 2 of throughput"),
        ([1, 2, 3, 4, 5, 6], [1, 2, 0, 4, 5, 6], "point 3 of 6 has concurrency 3 and throughput 0"),
        ([1, 2, 3, 4, 5, -6], [1, 2, 3, 4, 5, 6], "point 6 of 6 has concurrency -6"),
        (["a", 2], [1, 2], "concurrency has to be numbers"),
        ([[1, 2]], [[1, 2]], "the shape"),
    ],
)
def test_points_that_cannot_be_are_named(n: list[float], x: list[float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        fit_usl(n, x)


def test_a_level_that_is_none_and_an_unknown_form_are_refused() -> None:
    with pytest.raises(InputError, match="level is 95"):
        fit_usl(*CISCO, level=95)
    with pytest.raises(InputError, match="'full' or 'quadratic'"):
        fit_usl(*CISCO, form="linear")  # type: ignore[arg-type]


def test_faster_than_linear_is_a_finding_and_sigma_stays_zero() -> None:
    n = np.array([1.0, 2, 3, 4, 6, 8, 10])
    fit = fit_usl(n, 10 * n * (1 + 0.05 * (n - 1)) * (1 + 0.005 * np.array([1, -1, 1, -1, 1, -1, 1])))
    assert fit.sigma == 0.0
    assert [finding.check for finding in fit.findings] == ["superlinear"]


def test_a_law_shows_itself_in_words_table_and_pictures() -> None:
    fit = fit_usl(*CISCO)
    assert str(fit).endswith("peak 1.234e+04 at N = 35.6, which was not measured")
    assert "kappa" in fit._repr_html_()
    assert fit.frame["parameter"].tolist() == ["lam", "sigma", "kappa"]
    assert fit.reach == 64
    chart, residuals = fit.plot().to_dict(), fit.plot_residuals().to_dict()
    assert [layer["mark"]["type"] for layer in chart["layer"]] == ["area", "line", "point"]
    assert 32 in {len(rows) for rows in residuals["datasets"].values()}
    assert "no limit" in str(law(10, 0.0, 0.0))
    assert np.isnan(fit_usl(*RAYTRACER, form="quadratic").band(4)[0])
