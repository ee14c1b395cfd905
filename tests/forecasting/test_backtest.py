"""A rehearsal that cannot cheat."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from capacity.demand.demand import Demand
from capacity.errors import HistoryHasGaps, HistoryTooShort, InputError
from capacity.forecasting import SeasonalNaive, backtest, forecast
from capacity.schema import BACKTEST
from tests.makers import daily_wave, hourly, make_demand


@dataclass(frozen=True)
class Spy:
    """Says the last value for ever, and remembers what it was shown."""

    shown: list[tuple[pd.Timestamp, int]] = field(default_factory=list)
    name: str = "spy"

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        self.shown.append((past.end, horizon))
        return np.repeat(past.values[:, -1], count * horizon).reshape(len(past.keys), count, horizon)


def demand(days: float = 35) -> Demand:
    times = hourly(days)
    noise = np.exp(0.1 * np.random.default_rng(0).standard_normal((2, len(times))))
    keys = [("web", "requests"), ("api", "requests")]
    return make_demand({key: daily_wave(times) * row for key, row in zip(keys, noise, strict=True)}, times)


def test_a_model_sees_nothing_from_after_the_cutoff_and_the_gap_is_not_scored() -> None:
    spy, past = Spy(), demand()
    found = backtest(past, [spy], "2d", windows=3, gap="6h")
    assert [end for end, _ in spy.shown] == [past.end - pd.Timedelta(hours=6 + 48 * k) for k in (3, 2, 1)]
    assert {horizon for _, horizon in spy.shown} == {48 + 6}
    first = next(window for window in found.windows if window.model == "spy")
    assert first.times[0] == spy.shown[0][0] + pd.Timedelta(hours=6)
    assert found.gap == 6


def test_scores_are_those_of_the_numbers_shown() -> None:
    spy, past = Spy(), demand()
    found = backtest(past, [spy], 24, windows=1, levels=(0.5,))
    row = found.frame[(found.frame["model"] == "spy") & (found.frame["service"] == "web")].iloc[0]
    truth, last = past.values[0, -24:], past.values[0, -25]
    assert row["exceeded"] == pytest.approx((truth > last).mean())
    assert row["bias"] == pytest.approx((last - truth).sum() / truth.sum())
    assert row["peak_ratio"] == pytest.approx(truth.max() / last)
    assert found.frame.columns.tolist() == BACKTEST.names


def test_seasonal_naive_always_runs_and_is_one() -> None:
    summary = backtest(demand(), "profile", "3d", windows=2).summary.set_index("model")
    assert summary.loc["seasonal-naive", "relative_wql"] == pytest.approx(1.0)
    assert summary.loc["profile", "relative_wql"] < 1.0
    assert summary.loc["profile", "series"] == 2


def test_windows_without_history_are_left_out_with_a_finding_or_refused() -> None:
    found = backtest(demand(5), ["profile"], "2d", windows=4)
    assert found.frame["cutoff"].nunique() == 2
    assert any("2 of 4 windows" in finding.message for finding in found.findings)
    with pytest.raises(HistoryTooShort):
        backtest(demand(2), ["profile"], "3d", windows=1)
    with pytest.raises(InputError, match="at least one"):
        backtest(demand(5), ["profile"], "1d", windows=0)
    with pytest.raises(InputError, match="asked for twice"):
        backtest(demand(5), [SeasonalNaive(), SeasonalNaive()], "1d")


def test_two_settings_of_one_model_are_told_apart() -> None:
    models = backtest(demand(20), [SeasonalNaive(), SeasonalNaive(season=24)], "1d", windows=1).frame["model"].unique()
    assert set(models) == {"seasonal-naive", "SeasonalNaive(season=24)"}


def test_coverage_by_lead_adds_up_to_coverage_in_all() -> None:
    found = backtest(demand(), ["profile"], "3d", windows=2)
    table = found.by_lead()
    part = table[table["model"] == "profile"]
    assert part["lead"].tolist() == [0, 1, 2]
    pooled = np.average(part["coverage"], weights=part["scored"])
    assert pooled == pytest.approx(found.summary.set_index("model").loc["profile", "coverage"])
    assert "Backtest" in found._repr_html_()


def test_a_lone_value_years_after_the_others_is_refused_in_words_not_in_a_warning() -> None:
    times = hourly(365 * 5)
    load = np.full(len(times), np.nan)
    load[: 24 * 14], load[-1] = 10.0, 10.0
    demand = make_demand({("web", "requests"): load}, times)
    with pytest.raises(HistoryHasGaps, match="Look for stamps far from the others"):
        backtest(demand, ["auto"], "7d", 2)
    with pytest.raises(HistoryTooShort):
        forecast(demand, "7d")
