"""A review says why a plan was wrong: the part of the error that is blamed is what was changed in the world."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity
from capacity.errors import InputError
from capacity.planning.steps import whole_tasks
from capacity.reviewing import Review, Snapshot, review
from capacity.reviewing.decomposing import PARTS
from capacity.reviewing.departing import Days, independent_days
from capacity.reviewing.wording import FLEET
from capacity.schema import DRIFT, FATES, REVIEW, REVIEW_ACCURACY, REVIEW_COVERAGE, REVIEW_PIT
from tests.commands import called
from tests.reviewing.worlds import HOURLY_USD, WEB, World, history_of, reviewed, snapshot, today


def row(found: Review, service: str = "web") -> pd.Series:
    return found.frame.set_index("service").loc[service]


def shares(found: Review) -> dict[str, float]:
    """Each part of the error, of what the plan expected; the price of what was paid at the plan's price."""
    one = row(found)
    expected = one["planned"] + one["margin"]
    parts = {part: float(one[part] / expected) for part in ("demand", "capacity", "policy")}
    return {**parts, "price": float(one["usd_price"] / (one["usd_actual"] - one["usd_price"]))}


@pytest.mark.parametrize(
    ("world", "to_blame", "size"),
    [
        (World(demand=1.2), "demand", 0.2),
        (World(demand=0.7), "demand", -0.3),
        (World(cost=1.3), "capacity", 0.3),
        (World(tasks=2.0), "policy", 1.0),
        (World(price=1.1), "price", 0.1),
    ],
    ids=str,
)
def test_the_part_that_is_blamed_is_the_one_thing_that_changed(world: World, to_blame: str, size: float) -> None:
    found = shares(reviewed(world))
    assert found.pop(to_blame) == pytest.approx(size, abs=0.025)  # whole tasks of two dozen
    assert all(abs(part) < 0.001 for part in found.values())


def test_a_world_that_follows_the_median_has_no_error_but_the_margin() -> None:
    found = reviewed(World())
    assert all(abs(part) < 0.001 for part in shares(found).values())
    assert row(found)["margin"] < 0
    assert not found.drift.needed
    assert row(found)["short"] == 0


def test_two_changes_are_told_apart() -> None:
    both = shares(reviewed(World(demand=1.2, price=1.1, tasks=1.5)))
    assert both["demand"] == pytest.approx(0.2, abs=0.025)
    assert both["policy"] == pytest.approx(1.2 * 0.5, abs=0.03)
    assert both["price"] == pytest.approx(0.1, abs=0.001)
    assert both["capacity"] == 0


factors = st.floats(0.3, 3.0)


@settings(max_examples=6, deadline=None)
@given(demand=factors, cost=factors, tasks=factors, price=factors, gaps=st.sets(st.integers(0, 71), max_size=40))
def test_parts_add_up_to_the_whole_whatever_happened(
    demand: float, cost: float, tasks: float, price: float, gaps: set[int]
) -> None:
    columns = World(demand, cost, tasks, price, days=3).columns(snapshot())
    for metric in ("requests", "running_tasks"):
        columns[metric][sorted(gaps)] = np.nan
    found = review(snapshot(), history_of({"web": columns}, snapshot().cutoff))
    for name in ("web", FLEET):
        one = row(found, name)
        assert one["planned"] + one[list(PARTS[:-1])].sum() == pytest.approx(one["actual"], rel=1e-9)
        money = one["usd_planned"] + one[[f"usd_{part}" for part in PARTS]].sum()
        assert money == pytest.approx(one["usd_actual"], rel=1e-9)
        for unit, four in (("", ["demand", "capacity", "policy"]), ("usd_", ["demand", "capacity", "price", "policy"])):
            assert one[f"{unit}planned"] + one[f"{unit}margin"] == pytest.approx(one[f"{unit}expected"], rel=1e-9)
            error = one[f"{unit}actual"] - one[f"{unit}expected"]
            assert one[f"{unit}error"] == pytest.approx(error, abs=1e-6)
            assert sum(one[unit + part] for part in four) == pytest.approx(error, abs=1e-6)
    assert row(found)["hours"] == 72 - len(gaps)
    assert row(found)["usd_actual"] == pytest.approx(np.nansum(columns["running_tasks"]) * HOURLY_USD * price, rel=1e-6)


def test_parts_as_a_long_table_add_up_too() -> None:
    parts = reviewed(World(demand=1.1, price=1.3)).parts
    for _, one in parts.groupby("service"):
        held = one.set_index("part")
        assert list(held.index) == ["planned", *PARTS, "actual"]
        for unit in ("task_hours", "usd"):
            assert held[unit][:-1].sum() == pytest.approx(held.loc["actual", unit])


def test_a_gap_is_not_compared_and_the_share_is_said() -> None:
    columns = World().columns(snapshot())
    columns["running_tasks"][: 7 * 24] = np.nan
    found = review(snapshot(), history_of({"web": columns}, snapshot().cutoff))
    assert row(found)["share"] == pytest.approx(0.5)
    assert row(found)["planned"] == snapshot().plan["tasks"][7 * 24 : 14 * 24].sum()
    assert any(one.check == "compared" and "50 %" in one.message for one in found.findings)


def test_what_no_bill_tells_is_not_known_and_never_zero() -> None:
    columns = World().columns(snapshot())
    del columns["cost"]
    found = review(snapshot(), history_of({"web": columns}, snapshot().cutoff))
    assert row(found)[["usd_price", "usd_actual"]].isna().all()
    assert np.isfinite(row(found)["usd_policy"])
    assert row(found, FLEET)["usd_planned"] == row(found)["usd_planned"]
    assert "not known" in str(found)
    assert any(one.check == "price" and one.status == "UNKNOWN" for one in found.findings)


def test_usd_of_some_services_do_not_pass_for_those_of_all() -> None:
    found = reviewed(World())
    assert "A bill is known" not in str(found)
    unpaid = found.frame.iloc[:1].assign(service="api", usd_price=np.nan, usd_actual=np.nan, usd_error=np.nan)
    both = replace(found, frame=pd.concat([unpaid, found.frame], ignore_index=True))
    assert "A bill is known of 1 of 2 services: " in str(both)


def test_a_bill_by_day_tells_the_price_as_one_by_hour_does() -> None:
    columns = World(price=1.1).columns(snapshot())
    daily = columns.pop("cost").reshape(-1, 24).mean(axis=1)
    start = snapshot().cutoff
    days = pd.date_range(start, periods=len(daily), freq="D", unit="us")
    bill = pd.DataFrame(
        {"service": "web", "metric": "cost", "timestamp": days, "value": daily, "interval": 86_400, "stat": "mean"}
    )
    hours = history_of({"web": columns}, start).to_frame()[[*bill.columns]]
    found = review(snapshot(), capacity.read(pd.concat([hours, bill], ignore_index=True)))
    assert row(found)["usd_price"] == pytest.approx(row(reviewed(World(price=1.1)))["usd_price"], rel=1e-6)


def test_without_vcpu_what_a_task_carried_is_not_known_and_the_rest_adds_up() -> None:
    columns = World(demand=1.2).columns(snapshot())
    del columns["cpu"]
    found = review(snapshot(), history_of({"web": columns}, snapshot().cutoff))
    one = row(found)
    assert np.isnan(one["capacity"])
    assert one[["planned", "margin", "demand", "policy"]].sum() == pytest.approx(one["actual"])
    assert shares(found)["demand"] == pytest.approx(0.2, abs=0.025)


def test_actuals_that_tell_nothing_of_tasks_are_not_compared_and_say_so() -> None:
    columns = World().columns(snapshot())
    told = {"memory": columns["cpu"], "running_tasks": columns["running_tasks"]}
    found = review(snapshot(), history_of({"web": told}, snapshot().cutoff))
    assert row(found)["hours"] == 0
    assert row(found).drop(["hours", "share"]).isna().all()
    assert any(one.check == "compared" and one.status == "UNKNOWN" for one in found.findings)
    assert "nothing could be compared" in str(found)
    assert set(found.fates["status"]) == {"cannot be told"}


def test_tasks_are_known_from_what_they_reserve() -> None:
    columns = World(demand=1.2).columns(snapshot())
    counted = reviewed(World(demand=1.2))
    columns["cpu_reserved"] = columns.pop("running_tasks") * WEB.task_vcpu
    reserved = review(snapshot(), history_of({"web": columns}, snapshot().cutoff))
    pd.testing.assert_frame_equal(counted.frame, reserved.frame)


def test_task_hours_are_what_a_plain_loop_counts() -> None:
    columns, found = World(demand=1.4).columns(snapshot()), reviewed(World(demand=1.4))
    short = sum(
        max(max(asked / 50, used / (0.6 / 0.85)) - ran, 0.0)
        for asked, used, ran in zip(columns["requests"], columns["cpu"], columns["running_tasks"], strict=True)
    )
    assert row(found)["short"] == pytest.approx(short, abs=1e-6)
    assert found.of("web")["full"].max() == pytest.approx(columns["requests"].max() / 50, rel=1e-4)
    assert (found.of("web")["wanted"] >= whole_tasks(columns["requests"] / (50 * 0.85))).all()


def test_what_happened_on_the_quantiles_breaks_no_promise() -> None:
    coverage = reviewed(World()).coverage.set_index(["metric", "level"])
    assert coverage.loc[("requests", 0.5), "exceeded"] == 0  # exactly on the median, neither above nor below
    assert coverage.loc[("requests", 0.95), "exceeded"] == 0


def test_shares_are_counted_as_a_plain_loop_counts_them() -> None:
    columns = World().columns(snapshot())
    rng = np.random.default_rng(0)
    columns["requests"] = columns["requests"] * np.exp(0.12 * rng.standard_normal(len(columns["requests"])))
    found = review(snapshot(), history_of({"web": columns}, snapshot().cutoff))
    said = snapshot().quantiles.set_index("metric").loc["requests"]
    for level, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        above = np.mean(columns["requests"] > said[name].to_numpy()[: len(columns["requests"])])
        told = found.coverage.set_index(["metric", "level"]).loc[("requests", level)]
        assert told["exceeded"] == pytest.approx(above, abs=0.004)
        assert told["low"] <= told["exceeded"] <= told["high"]
    pit = found.pit[found.pit["metric"] == "requests"]
    assert pit["observed"].sum() == pytest.approx(1)
    assert pit["promised"].sum() == pytest.approx(1)
    upper = pit[pit["low"] >= 0.95]["observed"].sum()
    assert upper == pytest.approx(
        found.coverage.set_index(["metric", "level"]).loc[("requests", 0.95), "exceeded"], abs=0.004
    )


def test_one_plan_is_one_observation_however_many_hours_it_has() -> None:
    coverage = reviewed(World(demand=1.5)).coverage.set_index(["metric", "level"])
    told = coverage.loc[("requests", 0.95)]
    assert told["exceeded"] == 1
    assert told["effective"] == pytest.approx(1)
    assert told["verdict"] == "too few"


def moved(plan: Snapshot, days: int) -> Snapshot:
    """The same plan, made some days later."""
    by = pd.Timedelta(days=days)
    tables = {name: getattr(plan, name) for name in ("plan", "quantiles", "peaks", "counts")}
    later = {name: table.assign(timestamp=table["timestamp"] + by) for name, table in tables.items()}
    demand = replace(plan.demand, times=plan.demand.times + by)
    return replace(plan, demand=demand, about={**plan.about, "created_at": str(plan.created_at + by)}, **later)


def test_many_plans_that_break_a_promise_are_told_from_bad_luck() -> None:
    plans = [moved(snapshot(), 28 * number) for number in range(8)]
    one = World(days=28, demand=1.3).columns(snapshot())
    columns = {metric: np.tile(one[metric], 8) for metric in ("requests", "cpu", "running_tasks")}
    found = review(plans, history_of({"web": columns}, snapshot().cutoff))
    told = found.coverage.set_index(["metric", "level"]).loc[("requests", 0.95)]
    assert told["exceeded"] == pytest.approx(1)
    assert told["verdict"] == "too low"
    peaks = found.peaks.set_index(["window", "metric", "level"])
    assert peaks.loc[("horizon", "requests", 0.95), "scored"] == 8
    assert peaks.loc[("day", "requests", 0.95), "exceeded"] == pytest.approx(1)
    assert len(found.pasts) == 8
    assert found.snapshot is plans[-1]


def test_plans_of_the_same_weeks_share_their_evidence() -> None:
    plans = [moved(snapshot(), number) for number in range(4)]
    columns = World(days=14).columns(snapshot())
    found = review(plans, history_of({"web": columns}, snapshot().cutoff))
    assert len(found.pasts) == 4
    assert (found.coverage["effective"] <= 1).all()
    assert (found.peaks["effective"] <= 1).all()


def test_saturated_intervals_are_counted_apart_and_not_judged() -> None:
    columns = World().columns(snapshot())
    columns["cpu_utilization"] = np.where(np.arange(len(columns["cpu"])) < 24, 99.0, 50.0)
    found = review(snapshot(), history_of({"web": columns}, snapshot().cutoff))
    told = found.coverage.set_index(["metric", "level"]).loc[("requests", 0.95)]
    assert told["censored"] == 24
    assert told["scored"] == len(columns["cpu"]) - 24
    assert any(one.check == "censored" for one in found.findings)


def test_a_peak_counts_when_its_day_is_known_and_a_horizon_when_it_is_over() -> None:
    columns = World(days=14).columns(snapshot())
    columns["requests"][30:40] = np.nan  # ten hours of the second day
    peaks = review(snapshot(), history_of({"web": columns}, snapshot().cutoff)).peaks
    assert set(peaks["window"]) == {"day"}
    assert peaks.set_index(["metric", "level"]).loc[("requests", 0.95), "scored"] == 13
    assert peaks.set_index(["metric", "level"]).loc[("cpu", 0.95), "scored"] == 14


def test_a_shift_of_level_asks_for_a_plan_with_its_day_and_its_size() -> None:
    columns = World(days=21).columns(snapshot())
    for metric in ("requests", "cpu"):
        columns[metric][7 * 24 :] *= 1.4
    drift = review(snapshot(), history_of({"web": columns}, snapshot().cutoff)).drift
    level = next(one for one in drift.reasons if one.reason == "level")
    assert level.value == pytest.approx(1.4, abs=0.01)
    assert level.since is not None
    assert abs((level.since - snapshot().cutoff).days - 7) <= 1
    assert "40 % above the median" in level.sentence


def test_growth_that_widens_week_by_week_asks_for_a_plan() -> None:
    long = snapshot(weeks=9)
    columns = World(days=42).columns(long)
    hours = np.arange(len(columns["requests"]))
    for metric in ("requests", "cpu"):
        columns[metric] = columns[metric] * np.exp(0.04 * hours / 168) * (1 + 0.02 * np.sin(hours))
    drift = review(long, history_of({"web": columns}, long.cutoff)).drift
    growth = next(one for one in drift.reasons if one.reason == "growth")
    assert growth.value == pytest.approx(np.expm1(0.04), abs=0.004)
    assert "+4.1 % a week" in growth.sentence


def test_days_that_miss_together_are_worth_fewer() -> None:
    starts = pd.date_range("2026-09-01", periods=40, freq="D", tz="UTC")
    rng = np.random.default_rng(1)
    alone = Days(starts, 100 + rng.standard_normal(40), np.full(40, 100.0), np.ones(40))
    alike = alone._replace(actual=alone.median + np.repeat(rng.standard_normal(4), 10))
    assert 15 < independent_days(alone) <= 40
    assert independent_days(alike) < 10


@pytest.mark.parametrize("seed", range(2))
def test_a_world_of_the_plans_own_futures_asks_for_no_plan(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = World(days=14).columns(snapshot())
    noise = np.exp(0.1 * rng.uniform(-1, 1) + 0.03 * rng.standard_normal(len(columns["requests"])))
    for metric in ("requests", "cpu"):
        columns[metric] = columns[metric] * noise
    assert not review(snapshot(), history_of({"web": columns}, snapshot().cutoff)).drift.needed


def test_new_and_lost_services_and_changed_settings_ask_for_a_plan() -> None:
    columns = World().columns(snapshot())
    history = history_of({"web": columns, "stranger": columns}, snapshot().cutoff)
    drift = review(snapshot(), history, config=today(max_tasks=500, owner="someone else")).drift
    told = {one.reason: one for one in drift.reasons}
    assert "stranger" in told["new"].sentence
    assert "max_tasks 400 -> 500" in told["settings"].sentence
    assert "owner" not in told["settings"].sentence  # who decides moves no task
    assert drift.needed


def test_a_plan_that_is_nearly_over_is_to_be_made_again() -> None:
    assert [one.reason for one in reviewed(World(days=27)).drift.reasons] == ["over"]
    early = reviewed(World(days=3)).drift
    assert early.next_at == snapshot().end - pd.Timedelta(days=WEB.change_days)


def test_tables_have_the_columns_of_the_dictionary() -> None:
    found = reviewed(World(demand=1.5))
    pairs = [
        (found.frame, REVIEW),
        (found.coverage, REVIEW_COVERAGE),
        (found.accuracy, REVIEW_ACCURACY),
        (found.pit, REVIEW_PIT),
        (found.fates, FATES),
        (found.drift.frame, DRIFT),
    ]
    for frame, table in pairs:
        assert list(frame.columns) == table.names
        assert len(frame)
    assert list(found.peaks.columns) == ["window", *REVIEW_COVERAGE.names]
    assert found.accuracy.set_index("metric").loc["requests", "bias"] == pytest.approx(1 / 1.5 - 1, abs=0.001)


@pytest.mark.parametrize("of", ["parts", "demand", "tasks"])
def test_a_review_draws_itself(of: str) -> None:
    drawn = json.dumps(reviewed(World(demand=1.2)).plot(of=of).to_dict())
    assert of != "parts" or "expected" in drawn  # what the plan thought would be needed stands between


def test_a_review_shows_itself_and_names_what_it_does_not_have() -> None:
    found = reviewed(World())
    assert found._repr_html_().startswith("<p>")
    with pytest.raises(InputError, match="no service 'wbe' was compared"):
        found.of("wbe")
    with pytest.raises(InputError, match="no picture of 'pie'"):
        found.plot(of="pie")


def test_actuals_of_another_time_or_fleet_are_refused_in_words() -> None:
    columns = World().columns(snapshot())
    early = history_of({"web": columns}, snapshot().cutoff - pd.Timedelta(days=60))
    with pytest.raises(InputError, match="nothing of this plan has happened yet"):
        review(snapshot(), early)
    with pytest.raises(InputError, match="know no service of the plan"):
        review(snapshot(), history_of({"other": columns}, snapshot().cutoff))
    daily = {metric: values.reshape(-1, 24).mean(axis=1) for metric, values in columns.items()}
    coarse = history_of({"web": daily}, snapshot().cutoff).to_frame().assign(interval=86_400, stat="mean")
    coarse["timestamp"] = snapshot().cutoff + (coarse["timestamp"] - snapshot().cutoff) * 24
    with pytest.raises(InputError, match=r"in every 1 hour, and the actuals are means over 1 day\nFetch them as fine"):
        review(snapshot(), capacity.read(coarse[["service", "metric", "timestamp", "value", "interval", "stat"]]))
    for never in ("next tuesday", "", pd.NaT):
        with pytest.raises(InputError, match="now: "):
            review(snapshot(), early, now=never)
    with pytest.raises(InputError, match="no plan to review"):
        review([], history_of({"web": columns}, snapshot().cutoff))


def test_a_plan_of_which_nothing_has_happened_is_left_out_and_said() -> None:
    found = review([snapshot(), moved(snapshot(), 60)], World().history(snapshot()))
    assert found.snapshot is snapshot()
    assert any(one.check == "plan" for one in found.findings)


def test_now_cuts_what_came_later() -> None:
    history = World(days=14).history(snapshot())
    half = review(snapshot(), history, now=snapshot().cutoff + pd.Timedelta(days=7))
    pd.testing.assert_frame_equal(half.frame, reviewed(World(days=7)).frame)


class Kept:
    """A plan and what happened, as files."""

    def __init__(self, folder: Path) -> None:
        self.plan = snapshot().save(folder / "plans" / "2026Q3.plan")
        self.actuals = folder / "actuals.csv"
        World(demand=1.2).history(snapshot()).save(self.actuals)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("kept"))


def test_the_command_says_what_the_function_says(kept: Kept) -> None:
    said: dict[str, Any] = json.loads(called("review", str(kept.plan), "--actuals", str(kept.actuals), "--json").stdout)
    own = reviewed(World(demand=1.2))
    assert said["said"] == str(own).split("\n")
    assert said["review"][0]["demand"] == pytest.approx(row(own)["demand"])
    assert said["drift"]["needed"] is True
    for one in said["review"]:  # demand, capacity, price and policy are the error, without the margin
        four = sum(one[f"usd_{part}"] for part in ("demand", "capacity", "price", "policy"))
        assert four == pytest.approx(one["usd_error"])
        assert four == pytest.approx(one["usd_actual"] - one["usd_expected"])
        assert one["demand"] + one["capacity"] + one["policy"] == pytest.approx(one["error"])
    folder = called("review", str(kept.plan.parent), "--actuals", str(kept.actuals))
    assert folder.stdout.startswith("The plan that began 31 August 2026, 14 of 28 days on")


def test_a_chain_reviews_with_its_history_and_its_settings(kept: Kept) -> None:
    chain = capacity.Chain(today(max_tasks=500), source=kept.actuals)
    found = chain.review(kept.plan)
    pd.testing.assert_frame_equal(found.frame, reviewed(World(demand=1.2)).frame)
    assert "settings" in set(found.drift.frame["reason"])


def test_the_command_refuses_a_digest_that_does_not_exist(kept: Kept) -> None:
    said = called("review", str(kept.plan), "--actuals", str(kept.actuals), "--digest", "fax", code=1)
    assert "markdown, slack, email" in said.stderr
    assert not said.stdout
