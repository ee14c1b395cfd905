"""What production tells of a task, held against services whose truth is known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from capacity.config import Service
from capacity.demand.per_task import from_production
from capacity.demand.per_task.production import evidence_of
from capacity.errors import HistoryError, HistoryTooShort, InputError
from tests.demand.per_task.serving import SLO_MS, START, Served, history_of, minutes_of, served

WEB = Service(name="web", max_tasks=4000)
USE = WEB.cpu_target / WEB.request_target
DAY = 1440
SEEDS = 20


@cache
def dearer() -> Served:
    """Twenty services that lose a fifth of their true capacity at a deploy; in 5 % of the minutes they are full."""
    return served(SEEDS, 9.3, 1, deploy_day=8.3, factor=1.25, full_share=0.05)


@cache
def calm() -> Served:
    return served(4, 7, 4)


@pytest.mark.parametrize("every", [1, 5])
def test_a_fifth_less_capacity_is_flagged_within_a_day_and_recovered_within_a_tenth(every: int) -> None:
    life = dearer()
    flagged, wrong, dates, errors, covered = 0, 0, [], [], []
    chosen = range(SEEDS) if every == 5 else range(0, SEEDS, 9)
    for service in chosen:
        found = evidence_of(minutes_of(life, service, life.deploy + DAY, every), None, WEB)
        lasting = [change for change in found.changes if change.lasted is None]
        at = [change for change in lasting if abs(change.at - life.deployed) <= pd.Timedelta(hours=2)]
        flagged, wrong = flagged + bool(at), wrong + len(lasting) - len(at)
        dates += [abs(change.at - life.deployed) / pd.Timedelta(minutes=1) for change in at[:1]]
        covered += [change.low <= 1.25 <= change.high for change in at[:1]]
        errors.append(found.task_capacity.requests_per_second / life.carries(USE)[service] - 1)
    assert flagged == len(chosen) and wrong == 0
    assert np.median(dates) <= 15 and max(dates) <= 120
    assert np.mean(covered) >= 0.85
    assert np.abs(errors).max() < 0.10


def test_what_is_planned_with_after_a_deploy_is_of_the_new_program() -> None:
    life = dearer()
    found = evidence_of(minutes_of(life, 0), None, WEB)
    assert len(found.epochs) == 2 and found.changes[0].ratio == pytest.approx(1.25, rel=0.05)
    after = found.epochs.iloc[-1]  # one day: its cost is known less well than its capacity, and says so
    assert after["cost_low"] <= life.cost[0] * 1.25 <= after["cost_high"]
    assert found.task_capacity.vcpu_seconds_per_request == pytest.approx(after["vcpu_seconds_per_request"], rel=1e-4)
    assert "more vCPU" in str(found) and f"{life.deployed:%Y-%m-%d}" in str(found)
    assert found.task_capacity.measured == found.epochs["end"].iloc[-1].date()


def test_it_is_the_same_through_a_history_as_from_the_table() -> None:
    life = dearer()
    through = from_production(history_of(life, 3, life.deploy + DAY), WEB)
    table = evidence_of(minutes_of(life, 3, life.deploy + DAY), None, WEB)
    assert through.task_capacity.requests_per_second == pytest.approx(table.task_capacity.requests_per_second, rel=0.01)
    assert [change.at for change in through.changes] == [change.at for change in table.changes]


def test_a_known_deploy_dates_the_change_and_one_that_changed_nothing_starts_no_epoch() -> None:
    life = dearer()
    idle_deploy = START + pd.Timedelta(days=5, hours=3)
    moment = life.deployed + pd.Timedelta(minutes=7)
    found = evidence_of(minutes_of(life, 2, every=5), None, WEB, deploys=[idle_deploy, str(moment)])
    assert list(found.epochs["began"]) == ["start of the history", "deploy"]
    assert found.epochs["start"].iloc[-1] - moment < pd.Timedelta(minutes=5)


def test_latency_decides_where_it_breaks_the_slo() -> None:
    """A fixed number of tasks, whose days pass the rate at which p95 crosses 200 ms: at 80(1 + u^4/(1-u)) = 200."""
    life = served(3, 8, 5, scaling=False, noise=(0.03, 0.03), drift=0.0, mix=0.0)
    busy = np.linspace(0, 1, 200_001)[:-2]
    crossing = busy[80 * (1 + busy**4 / (1 - busy)) <= SLO_MS].max()
    for service in range(3):
        minutes = minutes_of(life, service)
        found = evidence_of(minutes, minutes.frame, WEB, slo_ms=SLO_MS)
        true = life.carries(crossing)[service]
        known = found.task_capacity
        assert known.requests_per_second == pytest.approx(true, rel=0.05) and not known.at_least
        assert known.interval[0] <= true <= known.interval[1]
        assert known.slo_ms == SLO_MS and "crosses" in known.model


def test_an_slo_that_never_broke_gives_a_lower_bound() -> None:
    life = calm()
    minutes = minutes_of(life, 1)
    found = evidence_of(minutes, minutes.frame, WEB, slo_ms=2000)
    assert found.task_capacity.at_least
    seen = minutes.usable["requests_per_s"]
    assert seen.median() < found.task_capacity.requests_per_second <= seen.max()
    assert any(finding.check == "at least" for finding in found.findings)


def test_an_slo_that_always_broke_is_no_question_of_load() -> None:
    life = calm()
    minutes = minutes_of(life, 1)
    found = evidence_of(minutes, minutes.frame, WEB, slo_ms=20)
    assert [finding.check for finding in found.findings if finding.status == "FAIL"] == ["slow always"]
    assert found.task_capacity.requests_per_second <= minutes.usable["requests_per_s"].median()


def test_nothing_is_promised_beyond_half_again_what_was_seen() -> None:
    """A service that is nearly idle: by CPU a task would carry ten times as much; nobody saw it."""
    life = calm()
    table = minutes_of(life, 1)
    table.frame["requests_per_s"] *= 0.1
    table.frame["vcpu"] = life.idle[1] + 0.1 * (table.frame["vcpu"] - life.idle[1])
    found = evidence_of(table, None, WEB)
    highest = table.usable["requests_per_s"].quantile(0.99)
    assert found.task_capacity.requests_per_second == pytest.approx(1.5 * highest, rel=1e-3)
    assert found.task_capacity.at_least and "cut at 1.5" in found.task_capacity.model


def test_full_tasks_bound_what_a_task_carries() -> None:
    life = dearer()
    found = evidence_of(minutes_of(life, 4), None, WEB, utilization=1.0)
    full = life.carries(1.0)[4]
    assert found.task_capacity.requests_per_second <= 1.05 * full
    assert found.task_capacity.requests_per_second == pytest.approx(full, rel=0.10)


def test_tasks_full_of_something_else_are_no_ceiling() -> None:
    """A batch fills the processor in 5 % of the minutes, at whatever rate: the requests are not what fills it."""
    life = calm()
    table = minutes_of(life, 0)
    batch = np.random.default_rng(0).random(len(table.frame)) < 0.05
    table.frame.loc[batch, "vcpu"] = 1.0
    table.frame.loc[batch, ["saturated", "usable"]] = [True, False]
    found = evidence_of(table, None, WEB)
    assert found.task_capacity.requests_per_second == pytest.approx(life.carries(USE)[0], rel=0.10)


def test_contention_is_said_and_believed() -> None:
    """Cost that grows with the rate: the straight line would promise too much."""
    life = served(1, 5, 5, scaling=False, noise=(0.02, 0.02), drift=0.0, mix=0.0)
    table = minutes_of(life, 0)
    rate = table.frame["requests_per_s"] / table.frame["requests_per_s"].max()
    table.frame["vcpu"] = 0.02 + 0.35 * rate + 0.30 * rate**3
    table.frame["saturated"], table.frame["usable"] = False, table.frame["stable"]
    found = evidence_of(table, None, WEB, utilization=0.8)
    assert "contention" in [finding.check for finding in found.findings]
    top = table.frame["requests_per_s"].max()
    true = top * max(root.real for root in np.roots([0.30, 0, 0.35, 0.02 - 0.8]) if abs(root.imag) < 1e-9)
    assert found.task_capacity.requests_per_second < 1.10 * true


def test_memory_of_a_request_in_flight_is_read_where_latency_is_known() -> None:
    life = calm()
    table = minutes_of(life, 2)
    table.frame["latency_mean_ms"] = 80 * (1 + table.frame["vcpu"] ** 2)
    flight = table.frame["requests_per_s"] * table.frame["latency_mean_ms"] / 1000
    table.frame["gib"] = 0.6 + 0.004 * flight + 0.001 * np.random.default_rng(0).standard_normal(len(flight))
    found = evidence_of(table, None, WEB)
    assert found.task_capacity.memory_gib_per_request == pytest.approx(0.004, rel=0.05)
    assert found.task_capacity.base_memory_gib == pytest.approx(0.6, abs=0.01)
    assert found.epochs["memory_unit"].iloc[0] == "request in flight"


def test_another_task_size_starts_an_epoch() -> None:
    table = minutes_of(calm(), 0, every=5)
    later = table.frame.index >= START + pd.Timedelta(days=6)
    table.frame.loc[later, "task_vcpu"] = 2.0
    found = evidence_of(table, None, WEB)
    assert list(found.epochs["began"]) == ["start of the history", "another task size"]
    assert found.task_capacity.task_vcpu == 2.0
    assert "task size" in [finding.check for finding in found.findings]  # the Service says 1 vCPU


def test_a_day_that_went_back_starts_no_epoch() -> None:
    life = served(1, 14, 8, noise=(0.03, 0.03), scaling=False)
    table = minutes_of(life, 0, every=5)
    sale = (table.frame.index >= START + pd.Timedelta(days=9)) & (
        table.frame.index < START + pd.Timedelta(days=10, hours=6)
    )
    table.frame.loc[sale, "requests_per_s"] /= 1.4
    found = evidence_of(table, None, WEB)
    assert len(found.epochs) == 1
    assert len(found.changes) == 1 and found.changes[0].lasted is not None
    assert found.changes[0].ratio == pytest.approx(1.4, rel=0.1)


def test_a_processor_that_does_not_follow_the_requests_is_not_planned_on() -> None:
    table = minutes_of(calm(), 0, every=5)
    table.frame["vcpu"] = np.random.default_rng(0).uniform(0.05, 0.9, len(table.frame))
    table.frame["usable"] = table.frame["stable"]
    found = evidence_of(table, None, WEB)
    assert [finding.check for finding in found.findings if finding.status == "FAIL"] == ["scatter"]


def test_a_history_too_short_says_so() -> None:
    with pytest.raises(HistoryTooShort, match="usable intervals"):
        evidence_of(minutes_of(calm(), 0, until=3), None, WEB)


def test_settings_that_cannot_be_are_refused_in_words() -> None:
    history = history_of(calm(), 0, until=600)
    with pytest.raises(InputError, match=r"quantile=0\.9 "):
        from_production(history, WEB, quantile=0.9)
    with pytest.raises(InputError, match="slo_ms=-5"):
        from_production(history, WEB, slo_ms=-5)
    with pytest.raises(InputError, match="utilization=60"):
        from_production(history, WEB, utilization=60)
    with pytest.raises(InputError, match="'yesterday-ish' is not a moment"):
        from_production(history, WEB, deploys=["yesterday-ish"])
    with pytest.raises(HistoryError, match="wbe"):
        from_production(history, Service(name="wbe"))


def test_the_same_history_gives_the_same_answer_and_shows_itself() -> None:
    minutes = minutes_of(calm(), 1, every=5)
    first, again = (evidence_of(minutes, minutes.frame, WEB, slo_ms=150, seed=3) for _ in range(2))
    assert first.task_capacity == again.task_capacity
    page = first._repr_html_()
    assert "requests/s" in page and "<script" not in page
    drawn = first.plot().to_dict()
    assert "measured" in str(drawn) and "by epoch" in str(drawn)
