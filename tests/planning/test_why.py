"""What would change a count: every turning point is one, by planning the whole thing again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.config import Goal, Scenario, Service, TaskCapacity
from capacity.errors import InputError
from capacity.forecasting import backtest
from capacity.planning import Decision, Plan, plan
from tests.makers import daily_wave, hourly, make_demand, make_forecast
from tests.planning.inputs import BARE, CUTOFF, cpu_forecast, forecast_of, plain, planned

DAY = pd.Timedelta(days=1)
SERVICE = plain("checkout", max_tasks=64, startup_seconds=1800, zones=3)
PATHS = np.array([[20.0, 25.5, 28.0, 26.0]]) * np.linspace(0.9, 1.2, 40)[:, None]
PLAN = planned(cpu_forecast(PATHS, "checkout"), SERVICE, goal=Goal())


def turns(of: Plan, name: str = "checkout", at: object = None) -> pd.DataFrame:
    return of.why(name, at).set_index("item")


def asked(of: Plan, scenario: Scenario, at: pd.Timestamp, name: str = "checkout") -> int:
    """The count of an interval in a scenario, through the whole planner, not clipped by the maximum."""
    row = of.what_if(scenario).plans[scenario.name].of(name).loc[at]
    return int(row["tasks"] + row["short"])


def test_steps_options_and_turns_are_rows_with_the_columns_that_are_documented() -> None:
    frame = PLAN.why("checkout")
    assert frame["part"].drop_duplicates().tolist() == ["step", "option", "turn"]
    assert frame["item"].tolist()[:5] == ["load", "startup", "deployment", "zone loss", "bounds"]
    assert (frame["why"].str.len() > 0).all()
    assert (frame["timestamp"] == PLAN.peaks["checkout"].moment).all()
    told = PLAN.explain("checkout")
    moved = (frame["part"] != "turn") | (frame["more_tasks"] != 0)  # what leaves the count as it is need not be told
    assert all(words in told for words in frame.loc[moved, "why"])
    assert not any(words in told for words in frame.loc[~moved, "why"])


@pytest.mark.parametrize("at", [None, "2026-11-23T00:00Z", "2026-11-23T01:59Z"])
def test_each_turning_point_is_one_when_the_whole_plan_is_made_again(at: str | None) -> None:
    found = turns(PLAN, at=at)
    moment = found["timestamp"].iloc[0]
    today = int(PLAN.of("checkout").loc[moment, "tasks"])
    more, less = (1 + found.loc[name, "value"] / 100 for name in ("more load", "less load"))
    assert asked(PLAN, Scenario(name="x", growth=more * 0.9999), moment) == today
    assert asked(PLAN, Scenario(name="x", growth=more * 1.0001), moment) == found.loc["more load", "tasks"] > today
    assert asked(PLAN, Scenario(name="x", growth=less * 0.9999), moment) == found.loc["less load", "tasks"] < today
    assert asked(PLAN, Scenario(name="x", growth=less * 1.0001), moment) == today
    limit = 1 + found.loc["maximum", "value"] / 100
    assert asked(PLAN, Scenario(name="x", growth=limit * 0.9999), moment) <= 64
    assert asked(PLAN, Scenario(name="x", growth=limit * 1.0001), moment) > 64
    for level, tasks in found.loc[["level"], ["value", "tasks"]].to_numpy():
        assert asked(PLAN, Scenario(name="x", goal={"level": level / 100}), moment) == tasks
    assert asked(PLAN, Scenario(name="x", change={"zones": 4}), moment) == found.loc["zones", "tasks"]
    start = found.loc["start-up"]
    if start["tasks"] == start["tasks"]:
        assert asked(PLAN, Scenario(name="x", change={"startup_seconds": start["value"]}), moment) == start["tasks"]
        slower = min(1800.0, start["value"] + 1.5)
        assert asked(PLAN, Scenario(name="x", change={"startup_seconds": slower}), moment) == today
    else:
        assert asked(PLAN, Scenario(name="x", change={"startup_seconds": 0}), moment) == today


def test_a_faster_start_that_saves_a_task_is_told_in_seconds() -> None:
    steep = planned(cpu_forecast([[10.0, 30.0, 30.0]]), plain(startup_seconds=1800), goal=BARE)
    row = turns(steep, "web", "2026-11-23T00:00Z").loc["start-up"]
    # 20 to 10 + 20 s / 3600: nineteen do up to 1620 s
    assert (row["value"], row["tasks"]) == (1620, 19)
    assert "19 would do if a task started in 1,620 s instead of 1800" in steep.explain("web", "2026-11-23T00:00Z")


@given(hnp.arrays(np.float64, st.tuples(st.integers(5, 20), st.integers(1, 4)), elements=st.floats(2, 300)))
@settings(max_examples=6)
def test_the_risk_of_one_task_fewer_is_the_share_of_paths_that_need_it(paths: np.ndarray) -> None:
    base = planned(cpu_forecast(paths), plain(), goal=BARE)
    row = turns(base, "web").loc["one task fewer"]
    place = base.forecast.times.get_loc(row["timestamp"])
    slow = sum(np.ceil(value * (1 - 1e-6)) > row["tasks"] for value in paths[:, place]) / len(paths)
    assert row["chance"] == pytest.approx(slow)
    assert row["chance"] >= turns(base, "web").loc["as planned", "chance"]
    assert row["chance"] > 0  # else the count would have been smaller


def test_what_decides_is_told_of_a_task_that_is_known_with_an_interval() -> None:
    known = TaskCapacity(requests_per_second=50, low=40, high=55)
    base = planned(forecast_of({("a", "requests"): PATHS * 40}), plain("a", task_capacity=known), goal=BARE)
    found = turns(base, "a")
    more = 1 + found.loc["more load", "value"] / 100
    assert asked(base, Scenario(name="x", growth=more * 1.0001), found["timestamp"].iloc[0], "a") > 0
    carried = 1 + found.loc["capacity per task", "value"] / 100
    at = found["timestamp"].iloc[0]
    assert (
        asked(base, Scenario(name="x", requests_per_task_times=carried * 1.0001), at, "a")
        == (found.loc["capacity per task", "tasks"])
    )


def test_sensitivities_are_what_planning_again_measures() -> None:
    frame = PLAN.sensitivity("checkout").set_index("input")
    moment = PLAN.why("checkout")["timestamp"].iloc[0]
    months = len(PLAN.forecast.times) / 730
    for name, low, high in (("load", {"growth": 0.9}, {"growth": 1.1}), ("zones", {}, {"change": {"zones": 4}})):
        for end, fields in (("low", low), ("high", high)):
            scenario = Scenario(name="x", **fields)
            assert frame.loc[name, f"tasks_{end}"] == asked(PLAN, scenario, moment)
            usd = PLAN.what_if(scenario).plans["x"].cost["usd"].sum() / months
            assert frame.loc[name, f"usd_{end}"] == pytest.approx(usd)
    assert frame.loc["load", "tasks_elasticity"] == pytest.approx(1, abs=0.2)
    assert frame.loc["capacity per task", "tasks_elasticity"] == pytest.approx(-1, abs=0.2)
    assert frame.loc["zones", "tasks_elasticity"] < 0
    assert frame.loc["start-up", "usd_elasticity"] == 0
    assert np.allclose(frame["usd"], PLAN.cost["usd"].sum() / months)


def test_what_cannot_be_said_is_left_out_and_never_a_zero() -> None:
    free = planned(cpu_forecast(PATHS), plain(launch_type="EC2", zones=1, startup_seconds=0), goal=BARE)
    frame = free.sensitivity("web")
    assert frame["usd"].isna().all()
    assert set(frame["input"]) == {"load", "capacity per task", "level"}
    assert "USD" not in free.explain("web")
    assert "cost" not in free.explain("web")
    idle = planned(cpu_forecast(np.zeros((4, 3))), plain(min_tasks=2), goal=BARE)
    assert "Next best: 1 task: <1 % of the futures need more" in idle.explain("web")  # a minimum is a wish, not a need
    assert "What would change it" not in idle.explain("web")
    assert idle.why("web").query("part == 'turn'")["item"].tolist() == ["level", "level"]


def test_where_nothing_is_added_to_the_load_its_risk_is_told_once() -> None:
    bare = planned(cpu_forecast(PATHS, "checkout"), SERVICE.model_copy(update={"startup_seconds": 0}), goal=BARE)
    words = bare.why("checkout").set_index("item").loc["as planned", "why"]
    assert words.endswith("of the futures need more")


def test_one_task_of_a_tiny_service_is_told_without_advice_that_nobody_can_take() -> None:
    tiny = planned(cpu_forecast(np.full((4, 3), 0.05)), plain(max_tasks=1, zones=3), goal=Goal())
    told = tiny.explain("web")
    assert "Planned, 1 task: >99 % of the futures need more with every headroom" in told
    assert "Next best" not in told
    assert "less load" not in told  # any load at all asks for two zones
    assert "e+" not in told


def test_a_plan_written_by_hand_is_explained_by_its_steps_alone() -> None:
    bare = replace(PLAN, asked=None)
    assert "What would change it" not in bare.explain("checkout")
    with pytest.raises(InputError, match="does not hold what was asked"):
        bare.why("checkout")


def test_drawn_peaks_are_those_the_plan_was_made_of() -> None:
    times = hourly(14)
    demand = make_demand({("web", "cpu"): daily_wave(times, 12, 0.4)}, times, burst=1.4)
    base = plan(make_forecast(demand, steps=48, paths=20), Service(name="web", max_tasks=80))
    for row in base.of("web").iloc[[3, 40]].itertuples():
        frame = base.why("web", row.Index).set_index("item")
        assert frame.loc["bounds", "tasks"] == row.tasks
        assert frame.loc["more load", "value"] >= 0  # the kept paths ask for what the plan runs


def test_how_right_the_method_was_last_time_is_told_where_it_was_scored() -> None:
    times = hourly(35)
    rng = np.random.default_rng(0)
    noisy = daily_wave(times, 12, 0.4) * rng.lognormal(0, 0.05, len(times))
    demand = make_demand({("web", "cpu"): noisy}, times)
    base = plan(make_forecast(demand, steps=24, paths=20), Service(name="web", max_tasks=80))
    scores = backtest(demand, "profile", "1d", 2)
    assert "Last time, cpu by profile: " in base.explain("web", scores=scores)
    other = plan(cpu_forecast(PATHS, "api"), Service(name="api", max_tasks=80))
    assert "is not known: api was not scored." in other.explain("api", scores=scores)


def test_another_size_of_task_is_weighed_when_asked_for() -> None:
    told = PLAN.explain("checkout", sizes=True)
    assert "Task size: " in told


def test_a_decision_says_what_it_rests_on_and_what_would_spare_it() -> None:
    short = planned(cpu_forecast(PATHS, "checkout"), SERVICE.model_copy(update={"max_tasks": 45}), goal=Goal())
    (decision,) = [one for one in short.decisions if one.kind in ("raise_max", "watch")]
    told = short.explain_decision(decision)
    assert decision.sentence in told
    assert "max_tasks is 45 tasks: " in told
    assert "Forecast from data up to 2026-11-23 00:00 UTC: cpu by hand-made." in told
    spared = float(told.split("With ")[1].split(" %")[0]) / 100
    kept = short.what_if(Scenario(name="x", growth=1 - spared)).plans["x"]
    assert kept.limits.set_index("limit").loc["max_tasks", "probability"] < 0.05
    assert "Act now: " in told  # an hour is no time to have a maximum raised
    assert "The last day to act is 24 November 2026" in short.explain_decision(replace(decision, before=CUTOFF + DAY))
    other = Decision("fix_data", "nobody", "Fix it.", "", 1.0)
    assert short.explain_decision(other).splitlines()[0] == "Fix it."
