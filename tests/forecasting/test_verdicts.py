"""What a backtest says in words: right where the truth is known, and silent where nobody could know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm

from capacity.demand.demand import Demand
from capacity.errors import InputError
from capacity.forecasting import Backtest, SeasonalNaive, backtest
from capacity.forecasting.backtesting import calibration, grouping
from capacity.forecasting.backtesting.calibration import Marks
from capacity.forecasting.backtesting.comparing import versus
from tests.makers import make_demand

WEEK = 42  # intervals of four hours


@dataclass(frozen=True)
class Normal:
    """Says 100, give or take 10, whatever it is shown; of a service named "later", too low from the second day on."""

    name: str = "normal"

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        low = np.array([key.service == "later" for key in past.keys])[:, None, None] & (np.arange(horizon) >= 6)
        return 100 - 15 * low + 10 * rng.standard_normal((len(past.keys), count, horizon))


def fleet(weeks: int) -> Demand:
    """Loads of which `Normal` is right, too low, too low on Mondays, too low later on, and too wide."""
    times = pd.date_range("2026-03-02", periods=weeks * WEEK, freq="4h", tz="UTC", unit="us")  # a Monday
    noise = np.random.default_rng(5).standard_normal((5, len(times)))
    monday = np.asarray(times.day_of_week == 0)
    spread = {"right": noise[0], "low": noise[1] + 1.5, "mondays": noise[2] + 1.6 * monday}
    spread |= {"later": noise[3], "wide": noise[4] / 1.6}
    return make_demand({(name, "requests"): 100 + 10 * row for name, row in spread.items()}, times)


@pytest.fixture(scope="module")
def tested() -> Backtest:
    return backtest(fleet(15), [Normal()], "7d", windows=12)


def said(tested: Backtest, service: str) -> pd.Series:
    table = tested.verdicts
    return table[table["service"] == service].iloc[0]


def test_a_model_that_keeps_its_promise_is_trusted_as_far_as_was_tested(tested: Backtest) -> None:
    row = said(tested, "right")
    assert row["verdict"].startswith("Trust to 7 days, as far as was tested. Beats repeating last week by ")
    assert (row["status"], row["trust_days"], row["windows"]) == ("PASS", 7.0, 12)
    assert "covers" not in row["verdict"]


def test_what_under_covers_is_named_with_shares_and_windows(tested: Backtest) -> None:
    row = said(tested, "low")
    share = tested.of("low").calibration().query("model == 'normal' and level == 0.95")["observed"].item()
    assert share == pytest.approx(norm.sf(1.645 - 1.5), abs=0.06)
    assert row["verdict"].startswith("Do not plan on its P95: it under-covers within 1 day (")
    assert "5 % promised, 12 windows)" in row["verdict"]
    assert "P99" not in row["verdict"], "it fails with P95"
    assert " % too low." in row["verdict"]
    assert (row["status"], row["trust_days"]) == ("REVIEW", 0.0)


def test_the_weekday_that_fails_is_named_and_the_others_are_not(tested: Backtest) -> None:
    row = said(tested, "mondays")
    assert "P95 under-covers on Mondays (" in row["verdict"]
    assert row["status"] == "REVIEW"
    assert not tested.verdicts.query("service != 'mondays'")["verdict"].str.contains("days \\(").any()


def test_trust_ends_where_the_leads_begin_to_fail(tested: Backtest) -> None:
    row = said(tested, "later")
    assert row["verdict"].startswith("Trust to 1 day. P95 under-covers beyond 1 day (")
    assert row["trust_days"] == 1.0


def test_a_fan_that_is_too_wide_costs_money_and_is_said_to_be_wide(tested: Backtest) -> None:
    row = said(tested, "wide")
    assert "P95 is wide (" in row["verdict"]
    assert row["status"] == "PASS"


def test_the_worst_come_first_and_a_notebook_shows_them(tested: Backtest) -> None:
    assert tested.verdicts["status"].tolist() == ["REVIEW", "REVIEW", "REVIEW", "PASS", "PASS"]
    assert "5 verdicts, worst first" in tested._repr_html_()
    assert "Do not plan on its P95" in tested._repr_html_()


def test_few_windows_say_that_they_are_few() -> None:
    words = backtest(fleet(6), [Normal()], "7d", windows=2).verdicts["verdict"]
    assert words.str.startswith("Not enough windows to tell: 2 windows, and 3 are the least. Ask for windows=").all()
    three = said(backtest(fleet(6), [Normal()], "1d", windows=3), "right")
    assert three["verdict"].startswith("Not enough windows to tell how far to trust it: P95 was exceeded ")
    assert np.isnan(three["trust_days"])


def test_seasonal_naive_alone_is_judged_and_is_as_good_as_itself() -> None:
    table = backtest(fleet(8).of("right"), [SeasonalNaive()], "7d", windows=3).verdicts
    assert table["model"].tolist() == ["seasonal-naive"]
    assert "As good as repeating last week." in table["verdict"][0]


def marks(errors: np.ndarray) -> Marks:
    """(W, S, n) errors of a standard normal forecast, as marks."""
    levels = (0.05, 0.5, 0.95)
    quantiles = norm.ppf(levels)
    above = (errors[..., None] > quantiles).sum(axis=-1).astype(np.int8)
    return Marks(levels, above, (len(levels) - above).astype(np.int8), np.zeros(errors.shape, dtype=np.int64))


@pytest.mark.parametrize(("windows", "shared"), [(3, 0.9), (4, 0.3), (8, 0.6), (12, 0.9), (26, 0.0)])
def test_a_kept_promise_is_seldom_called_broken_however_errors_keep_together(windows: int, shared: float) -> None:
    rng = np.random.default_rng(windows)
    wrong = 0
    for _ in range(200):
        errors = np.sqrt(shared) * rng.standard_normal((windows, 1, 1))
        errors = errors + np.sqrt(1 - shared) * rng.standard_normal((windows, 1, 28))
        found = calibration.shares_of_each(calibration.tally(marks(errors)))
        wrong += bool(found.low[2, 0, 0] > 0.05)
    assert wrong <= 0.06 * 200


def test_hours_that_miss_together_are_one_observation_and_independent_ones_many() -> None:
    rng = np.random.default_rng(0)
    alike = np.repeat(rng.standard_normal((40, 1, 1)), 28, axis=2)
    apart = rng.standard_normal((40, 1, 28))
    counts = [calibration.independent(calibration.tally(marks(errors))).item() for errors in (alike, apart)]
    assert counts[0] == pytest.approx(40, rel=0.3)
    assert counts[1] > 40 * 14


def test_services_that_miss_together_count_as_one() -> None:
    rng = np.random.default_rng(0)
    own, common = rng.standard_normal((4, 30, 50)), rng.standard_normal((4, 1, 50))
    assert calibration.together(marks(own)) == pytest.approx(1, abs=0.3)
    assert calibration.together(marks(np.repeat(common, 30, axis=1))) == pytest.approx(30)


@pytest.mark.parametrize(("hits", "count"), [(0, 10), (3, 10), (10, 10), (1, 200)])
def test_bounds_are_where_a_binomial_count_becomes_one_in_twenty(hits: int, count: int) -> None:
    share = np.array(hits / count)
    low, high = (float(bound) for bound in calibration.bounds(share, share, np.array(float(count))))
    assert (low == 0 and hits == 0) or binom.sf(hits - 1, count, low) == pytest.approx(0.05)
    assert (high == 1 and hits == count) or binom.cdf(hits, count, high) == pytest.approx(0.05)


def test_a_ratio_is_only_sure_when_the_windows_agree() -> None:
    naive = np.ones(4)
    sure, unsure = versus(np.array([0.7, 0.72, 0.68, 0.7]), naive), versus(np.array([0.2, 1.4, 0.3, 0.9]), naive)
    np.testing.assert_allclose([sure.ratio, unsure.ratio], 0.7)
    assert sure.high < 1 < unsure.high
    assert np.isnan(versus(np.array([0.5]), np.array([1.0])).high)
    assert np.isnan(versus(np.array([0.5]), np.array([0.0])).ratio)


def test_cutoffs_fall_on_every_weekday_unless_asked_otherwise(tested: Backtest) -> None:
    assert set(tested.frame["cutoff"].dt.day_of_week) == set(range(7))
    weekly = backtest(fleet(6), [Normal()], "7d", windows=3, every="7d")
    assert weekly.frame["cutoff"].dt.day_of_week.unique().tolist() == [0]
    with pytest.raises(InputError, match="windows would overlap"):
        backtest(fleet(6), [Normal()], "7d", every="1d")


def test_leads_fall_into_bands_that_people_plan_in() -> None:
    ends = np.flatnonzero(np.diff(grouping.bands(364 * 24, pd.Timedelta("1h")))) + 1
    assert (ends / 24).tolist() == [1, 7, 28, 91, 182]
