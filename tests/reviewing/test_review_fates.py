"""What became of a recommendation is read from what ran or from today's settings, and never guessed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.config import Account, Config, Goal, TaskCapacity
from capacity.planning.plans import Decision
from capacity.reviewing import Review, Snapshot, review
from capacity.reviewing import fates as said
from capacity.scaling.policy import Policy, ServicePolicy, TargetTracking
from tests.reviewing.worlds import HOURLY_USD, WEB, World, history_of, snapshot, today


def decision(kind: Any, current: float | None = None, proposed: float | None = None, **fields: Any) -> Decision:
    said = {"sentence": f"{kind} `web`.", "because": "", "probability": 0.9, "service": "web"}
    return Decision(kind=kind, current=current, proposed=proposed, **{**said, **fields})


@cache
def seen(*columns: tuple[str, bytes]) -> Review:
    """What happened, compared once for all that may have been recommended."""
    happened = {metric: np.frombuffer(values) for metric, values in columns}
    return review(snapshot(), history_of({"web": happened}, snapshot().cutoff))


def fates(
    asked: list[Decision], columns: dict[str, np.ndarray], plan: Snapshot | None = None, **given: Any
) -> pd.DataFrame:
    """What `review` says of these decisions, had the plan made them."""
    found = seen(*((metric, values.tobytes()) for metric, values in columns.items()))
    before, actual = (plan or snapshot()).config, found.pasts[-1].actual
    return said.frame(said.fates(asked, found.splits, actual, before=before, **given))


def fate(one: Decision, columns: dict[str, np.ndarray], plan: Snapshot | None = None, **given: Any) -> pd.Series:
    """The only row of those of one."""
    return fates([one], columns, plan, **given).iloc[0]


def columns(tasks: float | np.ndarray | None = None, demand: float = 1.0) -> dict[str, np.ndarray]:
    """A week, in which so many tasks ran."""
    found = World(demand=demand, days=7).columns(snapshot())
    if tasks is not None:
        found["running_tasks"] = np.broadcast_to(np.asarray(tasks, dtype=float), found["requests"].shape).copy()
        found["cost"] = found["running_tasks"] * HOURLY_USD
    return found


def full(found: dict[str, np.ndarray]) -> np.ndarray:
    """Full tasks of the load, by hand: 50 requests/s each, or 0.6 / 0.85 of its vCPU."""
    return np.maximum(found["requests"] / 50, found["cpu"] / (0.6 / 0.85))


def test_a_maximum_that_was_not_raised_costs_the_hours_that_were_missing() -> None:
    found = columns(20)
    told = fate(decision("raise_max", 20, 60), found)
    assert told["status"] == "ignored"
    assert told["task_hours_short"] == pytest.approx(np.maximum(full(found) - 20, 0).sum(), rel=1e-6)
    assert "never ran more than 20 tasks" in told["evidence"]


def test_a_maximum_that_was_raised_is_seen_in_what_ran() -> None:
    found = columns()
    told = fate(decision("raise_max", 20, 60), found)
    above = np.maximum(found["running_tasks"] - 20, 0).sum()
    assert told["status"] == "applied"
    assert told["task_hours_short"] == pytest.approx(-above)
    assert told["usd"] == pytest.approx(above * HOURLY_USD)


@pytest.mark.parametrize(("most", "status"), [(20, "ignored"), (40, "changed"), (80, "applied")])
def test_todays_settings_say_which_maximum_is_in_force(most: int, status: str) -> None:
    told = fate(decision("raise_max", 20, 60), columns(20), config=today(max_tasks=most))
    assert told["status"] == status


def test_the_live_policy_counts_more_than_the_settings() -> None:
    live = Policy((ServicePolicy(WEB, min_tasks=2, max_tasks=60, tracking=TargetTracking("cpu", 60.0)),))
    told = fate(decision("raise_max", 20, 60), columns(20), config=today(max_tasks=20), policy=live)
    assert told["status"] == "applied"


def test_what_nobody_can_see_is_not_guessed() -> None:
    asked = [
        decision("raise_max", 400, 500),
        decision("lower_max", 400, 100),
        decision("measure", 40, 30),
        decision("resize", 2.0, 4.0, unit="GiB"),
        decision("raise_quota", 100, 200, service="(account us-east-1)", unit="vCPU"),
        decision("commit"),
        decision("budget", service="team"),
    ]
    assert set(fates(asked, columns(demand=0.2))["status"]) == {"cannot be told"}


def test_settings_tell_what_is_in_force_where_nothing_was_measured() -> None:
    unknown = columns()
    unknown["running_tasks"][:] = np.nan
    told = fate(decision("raise_max", 20, 60), unknown, config=today(max_tasks=60))
    assert told["status"] == "applied"
    assert np.isnan(told["usd"])


def test_before_its_day_nothing_is_ignored() -> None:
    later = snapshot().cutoff + pd.Timedelta(days=20)
    told = fate(decision("raise_max", 20, 60, before=later), columns(20))
    assert told["status"] == "not due"
    assert "20 September 2026" in told["evidence"]


def test_a_minimum_is_in_force_when_tasks_were_kept_that_nothing_needed() -> None:
    needed = columns()["running_tasks"]
    kept = fate(decision("raise_min", 2, 25), columns(np.maximum(needed, 25)))
    assert kept["status"] == "applied"
    assert kept["usd"] == pytest.approx(np.maximum(25 - needed, 0).sum() * HOURLY_USD, rel=0.02)
    assert fate(decision("raise_min", 2, 25), columns())["status"] == "ignored"
    assert fate(decision("raise_min", 2, 10), columns())["status"] == "cannot be told"  # its load asks for more anyway


def test_a_minimum_that_was_not_lowered_costs_what_nothing_needed() -> None:
    needed = columns()["running_tasks"]
    kept = fate(decision("lower_min", 30, 5), columns(np.maximum(needed, 30)))
    assert kept["status"] == "ignored"
    assert kept["usd"] == pytest.approx(np.maximum(30 - needed, 0).sum() * HOURLY_USD, rel=0.02)
    followed = fate(decision("lower_min", 30, 18), columns())
    assert followed["status"] == "applied"
    assert followed["usd"] == pytest.approx(-np.maximum(30 - needed, 0).sum() * HOURLY_USD)


@pytest.mark.parametrize(("gib", "status"), [(2.0, "ignored"), (4.0, "applied"), (3.0, "changed")])
def test_the_size_of_a_task_is_seen_in_what_it_reserves(gib: float, status: str) -> None:
    found = columns()
    found["memory_reserved"] = found["running_tasks"] * gib
    assert fate(decision("resize", 2.0, 4.0, unit="GiB"), found)["status"] == status


def test_a_lower_maximum_that_would_have_been_short_is_said() -> None:
    told = fate(decision("lower_max", 400, 20), columns())
    assert told["status"] == "ignored"
    assert told["task_hours_short"] < 0
    assert fate(decision("lower_max", 400, 100), columns(), config=today(max_tasks=100))["status"] == "applied"


def test_a_closer_measurement_is_seen_in_the_settings() -> None:
    wide = WEB.model_copy(update={"task_capacity": TaskCapacity(requests_per_second=50, low=40, high=60)})
    close = TaskCapacity(requests_per_second=49, low=47, high=51)
    asked = (decision("measure", 40, 30),)
    plan = replace(snapshot(), config=Config(service=(wide,), goal=Goal()), decisions=asked)
    history = history_of({"web": columns()}, snapshot().cutoff)
    for config, status in ((today(task_capacity=close), "applied"), (Config(service=(wide,)), "ignored")):
        assert list(review(plan, history, config=config).fates["status"]) == [status]


def test_a_quota_is_read_from_the_settings() -> None:
    account = Account(region="us-east-1", fargate_vcpu_quota=100)
    plan = replace(snapshot(), config=Config(service=(WEB,), account=(account,)))
    one = decision("raise_quota", 100, 200, service="(account us-east-1)", unit="vCPU")
    raised = Config(service=(WEB,), account=(account.model_copy(update={"fargate_vcpu_quota": 200}),))
    assert fate(one, columns(), plan, config=raised)["status"] == "applied"
    assert fate(one, columns(), plan, config=plan.config)["status"] == "ignored"


def test_what_was_to_be_watched_happened_or_did_not() -> None:
    found = fates([decision("watch", 400), decision("watch", 10)], columns())
    assert list(found["status"]) == ["not due", "applied"]
    assert fate(decision("watch", 10), columns(10))["status"] == "ignored"


def test_what_was_to_be_watched_was_not_needed_once_the_plan_is_over() -> None:
    a_week_on = snapshot().cutoff + pd.Timedelta(days=7)
    for end, status in ((a_week_on, "not needed"), (a_week_on + pd.Timedelta(days=1), "not due")):
        assert fate(decision("watch", 400), columns(), end=end)["status"] == status
        assert fate(decision("watch", 10), columns(), end=end)["status"] == "applied"


def test_every_decision_of_a_plan_has_its_fate_in_its_order() -> None:
    found = review(snapshot(), World(days=7).history(snapshot()))
    assert list(found.fates["recommended"]) == [one.sentence for one in snapshot().decisions]
    assert set(found.fates["status"]) <= {"applied", "changed", "ignored", "not needed", "not due", "cannot be told"}
    assert set(found.fates["owner"]) == {"team"}
