"""Odd but honest inputs, and how results show themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.charts import to_svg
from capacity.config import Service
from capacity.errors import InputError
from capacity.planning import plan
from capacity.planning.needs import full_share
from capacity.scaling import Policy, TargetTracking, recommend_policy, simulate
from capacity.scaling.render import KINDS
from capacity.schema import SIMULATION
from tests.commands import called
from tests.makers import hourly, make_demand, make_forecast
from tests.scaling.policies import fleet, minutes, scheduled, tracking, web

WEEKS = hourly(28)  # two weeks to learn from, two to judge on
HOURS = np.arange(len(WEEKS))


def recommended(values: np.ndarray, service: Service, metric: str = "requests") -> Policy:
    demand = make_demand({(service.name, metric): values}, WEEKS)
    forecast = make_forecast(demand, steps=24 * 14, paths=20)
    return recommend_policy(plan(forecast, service, peaks=lambda f: f.paths), peaks=lambda f: f.paths)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(len(WEEKS)),
        np.full(len(WEEKS), 123.4),
        np.where(HOURS % 24 == 3, 1e6, 1.0),
        np.where(HOURS == 500, 1e9, 10.0),
        np.where(HOURS % 7 == 0, np.nan, 50.0 + HOURS % 24),
        np.where(HOURS < 24 * 20, np.nan, 50.0),
    ],
    ids=["nothing", "always the same", "one huge hour a day", "one outlier", "gaps everywhere", "begins late"],
)
def test_odd_loads_get_a_policy_that_aws_would_take(values: np.ndarray) -> None:
    # The hand-made forecast repeats the last week, so gaps in it are filled here; the rehearsal sees them all.
    filled = pd.Series(values).ffill().bfill().to_numpy()
    demand = make_demand({("web", "requests"): filled}, WEEKS)
    made = plan(make_forecast(demand, steps=24 * 14, paths=20), web(max_tasks=5000), peaks=lambda f: f.paths)
    past = make_demand({("web", "requests"): values}, WEEKS)
    policy = recommend_policy(made, demand=past, peaks=lambda f: f.paths)
    one = policy["web"]
    assert 1 <= one.min_tasks <= one.max_tasks
    assert all(one.min_tasks <= action.min_tasks <= action.max_tasks <= one.max_tasks for action in one.schedule)
    for kind in KINDS:
        assert policy.render(kind)
    assert all(reason for reason in one.reasons)


@pytest.mark.parametrize("name", ["<b>a'b\"", "=$(id) a/b:c|d", "服务\nb"])
def test_names_do_not_disturb_a_recommendation(name: str) -> None:
    policy = recommended(np.where(HOURS % 24 == 3, 9000.0, 100.0), web(name=name, max_tasks=400))
    assert policy[name].schedule
    assert all(policy.render(kind) for kind in KINDS)
    assert "<b>" not in policy._repr_html_()


def test_a_service_tracked_by_cpu_needs_no_load_balancer() -> None:
    service = Service(name="web", task_vcpu=0.5, task_memory_gib=1, min_tasks=1, max_tasks=60)
    policy = recommended(np.where(HOURS % 24 == 3, 9.0, 0.5), service, "cpu")
    assert "ECSServiceAverageCPUUtilization" in policy.render("cloudformation")
    full = 100 * full_share(service, "cpu")  # 60 % / 85 %; no zone was asked to be spared
    assert round(full, 1) == 70.6
    assert full / 2 < policy["web"].tracking.target <= full


@pytest.mark.parametrize("frequency", ["1min", "5min", "h"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Paris"])
def test_any_grid_and_clock_is_replayed_by_the_minute(frequency: str, zone: str | None) -> None:
    index = pd.date_range("2026-06-01", periods=48, freq=frequency, tz=zone)
    result = simulate(tracking(), pd.Series(100.0, index=index))
    assert result.frame.columns.tolist() == SIMULATION.names
    assert len(result.frame) == 48 * pd.Timedelta(index[1] - index[0]) / pd.Timedelta(minutes=1)
    assert (
        result.frame["timestamp"].iloc[0] == index[0].tz_localize("UTC" if zone is None else None) if not zone else True
    )
    assert str(result.frame["timestamp"].dtype) == "datetime64[us, UTC]"
    assert (result.frame["running"] == 3).all()


def test_the_same_seed_gives_the_same_minutes_and_the_order_of_services_does_not_matter() -> None:
    times = hourly(7)
    wave = 100 + 50 * np.sin(np.arange(len(times)))
    loads = {("web", "requests"): wave, ("api", "requests"): wave}
    demand = make_demand(loads, times, burst=1.5)
    back = make_demand(dict(reversed(loads.items())), times, burst=1.5)
    one, two = tracking(), tracking(web(name="api"))
    first = simulate(fleet(one, two), demand, seed=3)
    again = simulate(fleet(two, one), back, seed=3)
    other = simulate(fleet(one, two), demand, seed=4)
    pd.testing.assert_frame_equal(first.of("api"), again.of("api"))
    assert not first.of("api").equals(first.of("web"))
    assert not first.frame.equals(other.frame)


def test_a_service_can_be_changed_for_a_replay() -> None:
    load = minutes([100.0] * 60 + [400.0] * 60)
    slow, quick = (simulate(tracking(), load, web(startup_seconds=s)).metrics["short_minutes"].item() for s in (600, 0))
    assert slow == quick + 10
    with pytest.raises(InputError, match="no service named 'other'"):
        simulate(fleet(tracking(), tracking(web(name="api"))), load, web(name="other"))


def test_demand_of_another_service_or_metric_is_refused_by_name() -> None:
    times = hourly(7)
    demand = make_demand({("web", "cpu"): np.ones(len(times)), ("api", "cpu"): np.ones(len(times))}, times)
    with pytest.raises(InputError, match=r"no requests of 'web' in the demand, which holds: web cpu, api cpu"):
        simulate(tracking(), demand)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tracking": TargetTracking("requests", float("nan"))}, "target nan is not a positive number"),
        ({"tracking": TargetTracking("requests", 0.0)}, "target 0.0 is not a positive number"),
        ({"min_tasks": 41}, "minimum 41 is above maximum 40"),
        ({"schedule": (replace(scheduled().schedule[0], min_tasks=50),)}, "minimum 50 is above maximum 40"),
        ({"schedule": (replace(scheduled().schedule[0], timezone="Mars/Base"),)}, "'Mars/Base' is not an IANA zone"),
        ({"schedule": (replace(scheduled().schedule[0], end=pd.Timestamp("2026-09-01")),)}, "without a time zone"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_not_replayed_as_if_all_were_well(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match="cannot be replayed") as refused:
        simulate(tracking(**changes), minutes([1.0, 2.0]))
    assert words in str(refused.value)
    assert (
        len(simulate(tracking(max_tasks=9_000), minutes([1.0, 2.0])).frame) == 2
    )  # more than AWS allows is a question


def test_an_empty_policy_is_refused() -> None:
    with pytest.raises(InputError, match="holds no service"):
        simulate(Policy(()), minutes([1.0, 2.0]))


def test_results_draw_and_show_themselves() -> None:
    policy = fleet(scheduled(web(name="<i>")))
    result = simulate(policy, minutes(np.full(5000, 100.0)))
    one = policy["<i>"]
    pictures: list[Any] = [result.plot(), policy.plot("<i>"), one.plot()]
    assert all("tasks" in to_svg(picture) for picture in pictures)
    assert [noun for noun in (result, policy, one) if "<i>" in noun._repr_html_()] == []
    with pytest.raises(InputError, match="no picture"):
        Policy(()).plot()


@pytest.mark.parametrize(("start", "end"), [(None, "2019-03-04"), ("2031-01-01", None), (None, None)])
def test_a_schedule_with_dates_is_drawn_in_a_week_in_which_it_is_in_force(start: str | None, end: str | None) -> None:
    first, last = (None if day is None else pd.Timestamp(day, tz="UTC") for day in (start, end))
    one = scheduled()
    dated = replace(one, schedule=tuple(replace(a, start=first, end=last) for a in one.schedule[:2]))
    (rows,) = dated.plot().to_dict()["datasets"].values()
    assert {row["y"] for row in rows} == {2, 12}


def test_a_replay_fits_a_screen_says_which_days_it_is_of_and_that_their_data_failed(tmp_path: Path) -> None:
    times = pd.date_range("2026-06-01", periods=21 * 24, freq="h", tz="UTC")
    rows = pd.DataFrame({"service": "web", "metric": "requests", "timestamp": times, "value": 200.0})
    wave = rows.assign(value=rows["value"] + 100 * np.sin(rows.index / 24 * 2 * np.pi))
    wave.drop(index=range(200, 400)).to_csv(tmp_path / "history.csv", index=False)
    settings = """
    data = {history = "history.csv"}
    forecast = {model = "profile", paths = 20}
    goal = {horizon = "7d"}
    service = [{name = "web", requests_per_second_per_task = 50, min_tasks = 2, max_tasks = 40}]
    """
    (tmp_path / "capacity.toml").write_text(settings, encoding="utf-8")
    asked = ("simulate", "--config", str(tmp_path / "capacity.toml"), "--days", "400", "--quiet")
    done = called(*asked)
    title, head, row = done.stdout.splitlines()
    assert title.rstrip() == "Under the recommended policy, 2026-06-01 00:00 to 2026-06-21 23:59 UTC"
    assert len(head) <= 120
    said = dict(zip(head.split(), row.split(), strict=True))
    assert (said["service"], said["minutes"], said["unknown_minutes"]) == ("web", "30,240", "12,000")
    assert "FAIL web requests" in done.stderr


def test_a_policy_is_printed_as_its_table() -> None:
    policy = fleet(scheduled())
    assert f"{policy}\n" == policy.render("table")


def test_a_kind_of_document_that_does_not_exist_is_said_before_anything_is_read() -> None:
    said = called("policy", "--config", "no-such.toml", "--as", "cloudfront", code=1)
    assert "no rendering is called 'cloudfront'" in said.stderr
    assert "cloudformation" in said.stderr
    assert "no-such" not in said.stderr


def test_a_lower_target_never_leaves_more_minutes_short() -> None:
    rng = np.random.default_rng(0)
    load = minutes(200 * np.exp(0.3 * np.repeat(rng.standard_normal(200), 30)))
    short = [
        simulate(tracking(max_tasks=200, tracking=TargetTracking("requests", target)), load)
        .metrics["short_share"]
        .item()
        for target in (1200.0, 1800.0, 2400.0, 3000.0)
    ]
    assert short == sorted(short)
    assert short[0] < short[-1]
