"""A rehearsal that cannot cheat."""

from __future__ import annotations

import json
from contextlib import chdir
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from capacity.cli import app
from capacity.demand.demand import Demand
from capacity.errors import HistoryHasGaps, HistoryTooShort, InputError
from capacity.forecasting import SeasonalNaive, backtest, forecast
from capacity.forecasting.backtesting.rehearsal import Task, rehearse
from capacity.schema import BACKTEST
from tests.conftest import ROOT
from tests.makers import daily_wave, hourly, make_demand


@dataclass(frozen=True)
class Spy:
    """Says the last value for ever, and remembers what it was shown."""

    shown: list[tuple[pd.Timestamp, int]] = field(default_factory=list)
    name: str = "spy"

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        self.shown.append((past.end, horizon))
        return np.repeat(past.values[:, -1], count * horizon).reshape(len(past.keys), count, horizon)


@dataclass(frozen=True)
class Ordinary:
    """Says that the load is normal around the mean of what it was shown, hour by hour."""

    spread: float = 0.3
    name: str = "ordinary"

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        noise = rng.standard_normal((len(past.keys), count, horizon))
        return np.maximum(np.nanmean(past.values, axis=1)[:, None, None] * (1 + self.spread * noise), 0)


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
    with pytest.raises(HistoryTooShort, match="3 days ahead has 48 intervals of 1 hour"):
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


@dataclass(frozen=True)
class Silent:
    """Breaks the contract: says nothing, as numbers that are none."""

    name: str = "silent"

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return np.full((len(past.keys), count, horizon), np.nan)


def test_a_model_that_says_nothing_is_left_out_with_a_finding_not_scored_as_never_exceeded() -> None:
    found = backtest(demand(), [Silent()], "2d", windows=2)
    assert found.models == ["seasonal-naive"]
    assert [finding.message[:15] for finding in found.findings] == ["silent declined"] * 2


def test_an_idle_service_leaves_nothing_to_compare_with_and_a_constant_one_is_best_repeated() -> None:
    times = hourly(35)
    load = {("idle", "requests"): np.zeros(len(times)), ("flat", "requests"): np.full(len(times), 7.0)}
    found = backtest(make_demand(load, times), [Ordinary()], "7d", windows=3)
    words = found.verdicts.set_index("service")["verdict"]
    assert "nothing to compare with" in words["idle"]
    assert "Loses to repeating last week: " in words["flat"] and "times its loss" in words["flat"]
    idle = found.of("idle")
    assert np.isnan(idle.summary.set_index("model").loc["ordinary", "relative_wql"])
    idle.plot_skill().to_dict()
    found.plot_skill().to_dict()


def test_what_was_seen_while_saturated_is_said_to_be_a_lower_bound() -> None:
    past = demand()
    censored = np.zeros(past.values.shape, dtype=bool)
    censored[0, [5, -3, -2]] = True
    found = backtest(replace(past, censored=censored), [Spy()], "1d", windows=2)
    messages = [finding.message for finding in found.findings if finding.service == "web"]
    assert len(messages) == 1
    assert messages[0].startswith("2 of the scored intervals saw the service saturated")


def test_a_series_that_no_window_could_score_is_named() -> None:
    past = demand()
    values = np.array(past.values)
    values[1, -24 * 7 :] = np.nan
    found = backtest(replace(past, values=values), [Spy()], "1d", windows=2)
    assert set(found.verdicts["service"]) == {"web"}
    assert [(one.service, one.status) for one in found.findings if one.message.startswith("not scored")] == [
        ("api", "UNKNOWN")
    ]


def test_tables_count_what_a_plain_loop_counts_on_each_series_own_clock() -> None:
    times = hourly(28, start="2026-10-12")  # Berlin puts its clocks back on 25 October
    rng = np.random.default_rng(3)
    load = make_demand({("web", "requests"): rng.gamma(9, 10, len(times)), ("api", "cpu"): rng.gamma(9, 1, 672)}, times)
    load = replace(load, zones=("Europe/Berlin", "UTC"))
    found = backtest(load, [Ordinary()], "3d", windows=4, gap="5h")
    above: dict[tuple[str, int], list[bool]] = {}
    for window in (one for one in found.windows if one.model == "ordinary"):
        for row, zone in enumerate(load.zones):
            for step, stamp in enumerate(window.times):
                local = stamp.tz_convert(zone)
                passed = bool(window.actual[row, step] > window.at(0.95)[row, step])
                for group in (("lead", step // 24), ("weekday", local.weekday()), ("hour", local.hour)):
                    above.setdefault(group, []).append(passed)
    for by, table in (("lead", found.by_lead()), ("weekday", found.by_weekday()), ("hour", found.by_hour())):
        mine = table[table["model"] == "ordinary"].set_index(by)
        for group, row in mine.iterrows():
            assert row["exceeded"] == pytest.approx(np.mean(above[by, int(str(group))]))
            assert row["scored"] == len(above[by, int(str(group))])
        long = found.calibration(by).query("model == 'ordinary' and level == 0.95")
        assert long["observed"].to_numpy() == pytest.approx(mine["exceeded"].to_numpy())
        assert set(long["promised"]) == {0.05}
        assert (long["low"] <= long["observed"]).all()
        assert (long["observed"] <= long["high"]).all()
        assert (long["effective"] <= long["scored"]).all()


def test_peaks_are_those_of_the_paths_by_day_and_over_all() -> None:
    past = demand(20)
    found = (
        backtest(past, [Ordinary()], "2d", windows=1).frame.query("model == 'ordinary' and service == 'web'").iloc[0]
    )
    paths = Ordinary().paths(past.until(past.times[-48]), 48, 400, np.random.default_rng(0))[0]
    days = past.values[0, -48:].reshape(2, 24).max(axis=1)
    planned = np.quantile(paths.reshape(400, 2, 24).max(axis=2), 0.95, axis=0)
    assert found["daily_peak_exceeded"] == pytest.approx((days > planned).mean())
    assert found["peak_ratio"] == pytest.approx(days.max() / np.quantile(paths.max(axis=1), 0.95))


def test_a_fleet_in_parts_and_windows_in_processes_are_scored_the_same() -> None:
    past = demand(21)
    alone, shared = (
        backtest(past, "seasonal-naive", "2d", windows=2, workers=workers).frame.drop(columns="seconds")
        for workers in (1, 2)
    )
    pd.testing.assert_frame_equal(alone, shared)
    task = Task(Spy(), "spy", past.until(past.times[-24]), past.since(past.times[-24]), 0, (0.5,), 0.95, 40, 0)
    (whole, rows), (parts, rows_of_parts) = rehearse(task), rehearse(task, most_bytes=1)
    np.testing.assert_array_equal(whole.quantiles, parts.quantiles)
    np.testing.assert_array_equal(whole.days.above, parts.days.above)
    pd.testing.assert_frame_equal(rows.drop(columns="seconds"), rows_of_parts.drop(columns="seconds"))


def test_one_service_of_many_is_judged_by_itself() -> None:
    found = backtest(demand(), [Ordinary()], "3d", windows=3)
    web = found.of("web")
    assert [key.service for key in web.keys] == ["web"]
    assert web.frame["service"].unique().tolist() == ["web"]
    rows = web.frame[web.frame["model"] == "ordinary"]
    exceeded = web.calibration().query("model == 'ordinary' and level == 0.95")["observed"].item()
    assert exceeded == pytest.approx(np.average(rows["exceeded"], weights=rows["steps"]))
    with pytest.raises(InputError, match="Known: web requests, api requests"):
        found.of("shop")


def test_what_was_tested_can_be_told_again_next_year() -> None:
    once, again, other = (backtest(load, [Spy()], "1d", windows=1) for load in (demand(), demand(), demand(34)))
    assert once.about == again.about
    assert once.about["data"] != other.about["data"]


def test_questions_without_an_answer_are_refused_in_words() -> None:
    days = pd.date_range("2026-01-05", periods=90, freq="D", tz="UTC", unit="us")
    found = backtest(make_demand({("web", "requests"): np.arange(90.0) + 1}, days), [Spy()], 7, windows=2)
    with pytest.raises(InputError, match="no hour of the day"):
        found.by_hour()
    with pytest.raises(InputError, match="it is 'lead', 'weekday', 'hour'"):
        found.calibration("month")
    with pytest.raises(InputError, match="'interval', 'day', 'horizon'"):
        found.calibration(of="week")
    with pytest.raises(InputError, match="has no lead"):
        found.calibration("lead", of="horizon")
    with pytest.raises(InputError, match="has no hour"):
        found.calibration("hour", of="day")
    with pytest.raises(InputError, match=r"level 0\.42 was not kept"):
        found.plot_calibration(level=0.42)
    with pytest.raises(InputError, match="was not tested"):
        found.plot_reliability("oracle")
    with pytest.raises(InputError, match="workers=0"):
        backtest(found.demand, [Spy()], 7, workers=0)
    assert found.by_weekday()["scored"].sum() == 2 * 2 * 7


def test_every_picture_is_a_valid_document_with_its_promise() -> None:
    found = backtest(demand(), [Ordinary()], "3d", windows=3)
    pictures = [found.plot(), found.plot_calibration(), found.plot_reliability(), found.plot_skill("12h")]
    window, by_lead, said, skill = (picture.to_dict(validate=True) for picture in pictures)
    assert window["title"]["text"].startswith("web requests: ordinary at 2026-09-04")
    assert [layer["mark"].get("text") for layer in by_lead["layer"]][2] == "promised"
    assert "'99 %'" in json.dumps(said)
    assert "seasonal naive" in json.dumps(skill)


def test_the_command_prints_a_verdict_for_every_series_and_json_for_programs() -> None:
    given = ["backtest", "--config", "data/samples/capacity.toml", "--history", "data/samples/wishlist.parquet"]
    given += ["--service", "wishlist", "--model", "profile", "--horizon", "1d", "--windows", "2", "--quiet"]
    with chdir(ROOT):
        words, numbers = (CliRunner().invoke(app, [*given, *more]) for more in ([], ["--json"]))
    assert words.stdout.startswith("2 windows of 1d, in intervals of 1 hour")
    assert "UNKNOWN wishlist requests by profile, told\n    Not enough windows to tell: 2 windows" in words.stdout
    found = json.loads(numbers.stdout)
    assert (found["about"]["horizon"], len(found["about"]["cutoffs"])) == (24, 2)
    assert {"summary", "verdicts", "scores", "calibration", "by_lead"} <= set(found)
    assert {row["promised"] for row in found["calibration"] if row["level"] == 0.99} == {0.01}
