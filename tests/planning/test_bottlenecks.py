"""What binds first, at which multiple of the forecast peak, and what would move it: by hand, and by planning again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity
from capacity.config import Account, Goal, Limit, Service, TaskCapacity
from capacity.errors import InputError
from capacity.history import History
from capacity.planning import Bottlenecks, Plan, bottlenecks
from tests.planning.inputs import BARE, forecast_of, plain, planned

POOL = Limit(name="orders-db", kind="connections", total=700, others=100, per_task=20)
PAYMENTS = Limit(name="payments", kind="downstream", total=1500, per_request=1.2)
MOBILE = Limit(name="mobile app", kind="retries", retries=3, error_share=0.5)


def web(**fields: Any) -> Service:
    stated: dict[str, Any] = {
        "requests_per_second_per_task": 50,
        "request_target": 0.8,
        "cpu_target": 0.5,
        "max_tasks": 40,
        "limit": (POOL, PAYMENTS, MOBILE),
    }
    return plain("web", **{**stated, **fields})


def certain(service: Service, requests: float = 1000.0, cpu: float = 12.0, goal: Goal = BARE, **fields: Any) -> Plan:
    """1,000 requests/s at 40 a task are 25 tasks; 12 vCPU at 0.5 a task are 24."""
    paths = {("web", "requests"): [[requests * 0.7, requests]], ("web", "cpu"): [[cpu * 0.7, cpu]]}
    return planned(forecast_of(paths), service, goal=goal, **fields)


def rows(found: Bottlenecks, service: str = "web") -> dict[str, dict[str, Any]]:
    return {row["resource"]: row for row in found.of(service).to_dict("records")}


def test_every_multiple_by_hand() -> None:
    found = bottlenecks(certain(web()))
    multiples = dict(found.of("web")[["resource", "binds_at"]].itertuples(index=False))
    assert list(multiples) == [
        "deploying: orders-db",
        "requests",
        "cpu",
        "connections: orders-db",
        "downstream: payments",
        "max_tasks",
        "retries: mobile app",
    ]
    expected = {
        "deploying: orders-db": 15 / 25,  # 2 x 15 tasks x 20 and 100 of others are 700
        "requests": 1.0,  # 25 tasks: it sets the count
        "cpu": 25 / 24,
        "connections: orders-db": 30 / 25,  # 30 x 20 + 100
        "downstream: payments": 1500 / 1200,
        "max_tasks": 40 / 25,
        "retries: mobile app": 40 / 25 / 1.875,  # 1 + 1/2 + 1/4 + 1/8 arrivals for each
    }
    assert multiples == pytest.approx(expected, rel=1e-5)
    table = rows(found)
    assert (table["connections: orders-db"]["demand"], table["connections: orders-db"]["carries"]) == (600, 700)
    assert table["retries: mobile app"]["demand"] == 47  # 46.875
    assert table["cpu"]["at_peak"] == pytest.approx(24 / 25)
    assert table["max_tasks"]["headroom"] == pytest.approx(0.6, rel=1e-5)


def test_every_lever_by_hand() -> None:
    changes = {
        (row.resource, row.change): (row.tasks, row.tasks_saved, row.vcpu)
        for row in bottlenecks(certain(web())).levers.itertuples()
    }
    doubt = "(its 50 requests/s not measured anew)"
    by_hand = {
        ("requests", "a task that carries 55 requests/s within the SLO instead of 50"): (24, 1, 24),  # CPU asks for 24
        ("requests", "a request target of 90 % instead of 80 %"): (24, 1, 24),
        ("cpu", f"2 vCPU and 4 GiB a task instead of 1 and 2 {doubt}"): (25, 0, 50),
        ("cpu", f"0.5 vCPU and 1 GiB a task instead of 1 and 2 {doubt}"): (48, -23, 24),
        ("cpu", "a CPU target of 60 % instead of 50 %"): (25, 0, 25),
        ("cpu", "requests that take 10 % less processor"): (25, 0, 25),
        ("retries: mobile app", "retries with a budget and jittered back-off, and shedding above what tasks carry"): (
            25,
            22,
            25,
        ),
    }
    for lever, result in by_hand.items():
        assert changes.pop(lever) == result, lever
    assert list(changes) == [("deploying: orders-db", "a pool of at most 12 a task, or 1,100 connections in all")]


def test_the_sentence_of_a_review() -> None:
    """20.4 vCPU at 0.6 a task are 34 tasks; with 2 vCPU 17; at 70 % 29.1; at 18.36 vCPU 30.6."""
    service = plain(cpu_target=0.6, max_tasks=64, maximum_percent=100, minimum_healthy_percent=50)
    pool = Limit(name="orders-db", kind="connections", total=700, per_task=20)
    plan = planned(forecast_of({("web", "cpu"): [[12.0, 20.4]]}), service, goal=BARE)
    found = bottlenecks(plan, limits=[pool])
    assert found.sentence("web") == (
        "At the forecast peak (P95, 23 November 2026, 01:00 UTC, 34 tasks with every headroom) CPU binds first, at "
        "1.00x; connections of orders-db at 1.02x (34 tasks × 20 = 680 of 700); today's maximum at 1.88x. "
        "Tasks then: 2 vCPU and 4 GiB a task instead of 1 and 2: 17 instead of 34; a CPU target of 70 % instead of "
        "60 %: 30 instead of 34; requests that take 10 % less processor: 31 instead of 34."
    )
    assert str(found) == f"web: {found.sentence('web')}"


def test_what_does_not_hold_the_peak_is_said_with_what_would() -> None:
    sentence = bottlenecks(certain(web(max_tasks=20))).sentence("web")
    assert "today's maximum at 0.80x" in sentence
    assert "today's maximum: a maximum of 26 tasks" in sentence  # 25, as people count
    assert "connections of orders-db while deploying: a pool of at most 12 a task, or 1,100 connections" in sentence
    assert "Retries of mobile app: a disturbance keeps itself going from 0.42x on" in sentence  # 0.8 / 1.875


def test_bursts_at_moments_of_their_own_are_said_beside_a_peak_that_holds() -> None:
    """Ten paths, each with its burst of 30 in an interval of its own: every interval's P90 is 2 tasks."""
    bursts = np.where(np.eye(10, 20, dtype=bool), 15.0, 1.0)
    goal = BARE.model_copy(update={"level": 0.9})
    quota = (Account(region="us-east-1", fargate_vcpu_quota=24),)
    service = plain(max_tasks=12)
    plan = planned(forecast_of({("web", "cpu"): bursts}), service, goal=goal, accounts=quota)
    found = bottlenecks(plan)
    tasks = int(plan.frame["for_zone_loss"].max())
    needed = int(plan.limits["needed"].iloc[0])
    assert tasks < service.max_tasks < needed
    assert f"{tasks} tasks with every headroom; {needed} hold through the whole horizon) CPU" in found.sentence("web")
    assert "(>99 % of the futures need more some time)" in found.sentence("web")
    row = rows(found)["max_tasks"]
    assert row["binds_at"] > 1
    assert row["evidence"].endswith("of 12; >99 % of the futures need more some time")
    (decision,) = [one for one in plan.decisions if one.kind == "raise_max"]
    assert row["lever"] == f"a maximum of {decision.proposed:.0f} tasks"
    assert found.sentence("(account us-east-1)").endswith("growing alike; >99 % of the futures need more some time).")


def test_larger_tasks_hold_fewer_pools() -> None:
    levers = bottlenecks(planned(forecast_of({("web", "cpu"): [[25.0]]}), plain(), goal=BARE), limits=[POOL]).levers
    (row,) = levers[levers["resource"] == "connections: orders-db"].to_dict("records")
    assert (row["change"], row["tasks_saved"]) == ("2 vCPU a task: 13 tasks hold 360 connections", 12)


fields = st.fixed_dictionaries(
    {
        "zones": st.integers(1, 4),
        "minimum_healthy_percent": st.integers(20, 100),
        "maximum_percent": st.sampled_from([110, 150, 200]),
        "max_tasks": st.integers(5, 300),
        "min_tasks": st.integers(0, 5),
        "startup_seconds": st.sampled_from([0, 600, 3600]),
    }
)


@given(fields=fields, load=st.floats(5, 2000), each=st.floats(1, 50), total=st.floats(200, 5000))
@settings(deadline=None, max_examples=6)
def test_at_its_multiple_a_limit_still_holds_and_just_above_it_does_not(
    fields: dict[str, Any], load: float, each: float, total: float
) -> None:
    """Planned anew with the demand multiplied: the counts of the plan say whether it holds."""
    pool = Limit(name="db", kind="connections", total=total, per_task=each)
    service = plain(requests_per_second_per_task=10, limit=(pool,), **fields)

    def at(multiple: float) -> int:
        """Tasks of a plan for the multiplied demand, at least the minimum."""
        paths = np.array([[0.5 * load, load, load]]) * multiple
        made = planned(forecast_of({("web", "requests"): paths}), service, goal=Goal())
        return max(int(made.frame["for_zone_loss"].max()), service.min_tasks)

    plan = planned(forecast_of({("web", "requests"): [[0.5 * load, load, load]]}), service, goal=Goal())
    table = rows(bottlenecks(plan))
    fitting: dict[str, Callable[[int], bool]] = {
        "max_tasks": lambda tasks: tasks <= service.max_tasks,
        "connections: db": lambda tasks: tasks * each <= total,
        "deploying: db": lambda tasks: tasks * service.maximum_percent // 100 * each <= total,
    }
    for resource, fits in fitting.items():
        holds = table[resource]["binds_at"]
        if math.isinf(holds):
            continue
        assert holds == 0 or fits(at(holds * (1 - 1e-4)))
        assert not fits(at(holds * (1 + 1e-4) + 1e-6))


@given(seed=st.integers(0, 50))
@settings(deadline=None, max_examples=6)
def test_a_lever_gives_what_a_whole_plan_with_the_change_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cpu, requests = rng.gamma(20, 1, (30, 24)), rng.gamma(20, 30, (30, 24))
    forecast = forecast_of({("web", "cpu"): cpu})
    service = plain(cpu_target=0.6, startup_seconds=900)
    found = bottlenecks(planned(forecast, service)).levers.set_index("change")["tasks"]
    for change, then in (
        ("a CPU target of 70 % instead of 60 %", service.model_copy(update={"cpu_target": 0.7})),
        (
            "2 vCPU and 4 GiB a task instead of 1 and 2",
            service.model_copy(update={"task_vcpu": 2.0, "task_memory_gib": 4.0}),
        ),
    ):
        assert found[change] == planned(forecast, then).frame["for_zone_loss"].max()
    by_requests = forecast_of({("web", "requests"): requests})
    known = TaskCapacity(requests_per_second=20, low=15, high=24, method="load test")
    exact = TaskCapacity(requests_per_second=20, method="load test")
    levers = bottlenecks(planned(by_requests, plain(task_capacity=known))).levers.set_index("change")["tasks"]
    one = planned(by_requests, plain(task_capacity=exact))
    peak = planned(by_requests, plain(task_capacity=known)).peaks["web"].moment
    assert levers["20 requests/s a task known for certain"] == one.of("web").loc[peak, "for_zone_loss"]


def test_cpu_that_is_not_forecast_binds_by_what_a_request_costs() -> None:
    """0.02 vCPU-seconds and 0.1 idle: 20 requests/s fill 0.5 vCPU, so 1,000 ask for 50 tasks, and requests for 25."""
    known = TaskCapacity(requests_per_second=50, vcpu_seconds_per_request=0.02, base_vcpu=0.1)
    service = web(task_capacity=known, requests_per_second_per_task=None, limit=(), max_tasks=100)
    found = bottlenecks(planned(forecast_of({("web", "requests"): [[1000.0]]}), service, goal=BARE))
    assert found.frame["resource"].iloc[0] == "cpu"
    assert rows(found)["requests"]["binds_at"] == pytest.approx(2)
    assert rows(found)["cpu"]["demand"] == pytest.approx(20)  # vCPU that the requests take
    levers = found.levers.set_index("change")["tasks"]
    assert levers["requests that take 10 % less processor"] == 45  # 0.4 / 0.018 = 22.2 a task
    assert levers["a CPU target of 60 % instead of 50 %"] == 40  # 0.5 / 0.02 = 25 a task


def test_sizes_too_small_for_an_idle_task_are_no_levers() -> None:
    """0.3 vCPU idle is past half of 0.5 vCPU; 0.2 of 1 vCPU and 0.7 of 2 vCPU are left for requests."""
    known = TaskCapacity(requests_per_second=500, vcpu_seconds_per_request=0.02, base_vcpu=0.3)
    service = web(task_capacity=known, requests_per_second_per_task=None, limit=())
    levers = bottlenecks(planned(forecast_of({("web", "requests"): [[100.0]]}), service, goal=BARE)).levers
    sizes = levers[levers["change"].str.contains("GiB a task")]
    assert sizes[["tasks", "tasks_saved", "vcpu"]].to_numpy().tolist() == [[3, 7, 6]]  # of 10 tasks


def test_memory_that_more_tasks_relieve_has_its_own_levers() -> None:
    """40 GiB at 1.6 of 2 GiB are 25 tasks; 3 GiB a task make 17, and 90 % of 2 GiB 23."""
    service = plain(memory_scales_with_load=True, memory_target=0.8)
    found = bottlenecks(
        planned(forecast_of({("web", "memory"): [[40.0]], ("web", "cpu"): [[5.0]]}), service, goal=BARE)
    )
    assert rows(found)["cpu"]["binds_at"] == pytest.approx(5)
    levers = found.levers.set_index("change")["tasks"]
    assert levers["3 GiB a task instead of 2"] == 17
    assert levers["a memory target of 90 % instead of 80 %"] == 23


def test_a_quota_is_shared_by_all_services_growing_alike() -> None:
    """10 and 5 tasks of 1 and 2 vCPU; twice while the larger deploys: 20 + 10 vCPU of 45."""
    forecast = forecast_of({("a", "cpu"): [[4.0, 10.0]], ("b", "cpu"): [[4.0, 10.0]]})
    services = [plain("a"), plain("b", task_vcpu=2, task_memory_gib=4)]
    quota = (Account(region="us-east-1", fargate_vcpu_quota=45),)
    found = bottlenecks(planned(forecast, services, goal=BARE, accounts=quota))
    row = rows(found, "(account us-east-1)")["fargate_vcpu_quota"]
    assert (row["demand"], row["carries"]) == (30, 45)
    assert row["binds_at"] == pytest.approx(1.4, rel=2e-3)  # 14 + 14 + 14 are 42; the next, 15 + 16 + 16, are 47
    assert "23 November 2026, 01:00 UTC" in found.sentence("(account us-east-1)")


def test_a_limit_that_several_services_state_is_shared() -> None:
    """At a's peak 10 tasks x 20 and b's 4 x 30 are 320 of 500; all growing by half 15 x 20 + 180 are 480, then 520."""
    pools = {
        name: [Limit(name="db", kind="connections", total=500, per_task=each)] for name, each in (("a", 20), ("b", 30))
    }
    forecast = forecast_of({("a", "cpu"): [[4.0, 10.0]], ("b", "cpu"): [[9.0, 4.0]]})
    services = [plain(name, maximum_percent=100, minimum_healthy_percent=50) for name in "ab"]
    found = bottlenecks(planned(forecast, services, goal=BARE), limits=pools)
    row = rows(found, "a")["connections: db"]
    assert (row["demand"], row["evidence"]) == (320, "10 tasks × 20 + 120 of b = 320 of 500")
    # 15 tasks hold to 1.5x: 300 + 180; 16 take 320, and 120 x 1.5 more are 500 at 1.5x exactly
    assert row["binds_at"] == pytest.approx(1.5, rel=1e-5)
    assert rows(found, "b")["connections: db"]["demand"] == 9 * 30 + 4 * 20
    alone = bottlenecks(planned(forecast, services, goal=BARE), limits={"a": pools["a"]})
    assert rows(alone, "a")["connections: db"]["demand"] == 200


def test_calls_of_all_services_press_on_what_they_share_and_the_unknown_is_said() -> None:
    behind = [Limit(name="payments", kind="downstream", total=900, others=100, per_request=2)]
    forecast = forecast_of({("a", "requests"): [[150.0]], ("b", "requests"): [[50.0]], ("c", "cpu"): [[1.0]]})
    services = [plain(name, requests_per_second_per_task=10) for name in "abc"]
    found = bottlenecks(planned(forecast, services, goal=BARE), limits=dict.fromkeys("abc", behind))
    row = rows(found, "a")["downstream: payments"]
    assert row["demand"] == 150 * 2 + 50 * 2 + 100
    assert row["binds_at"] == pytest.approx(800 / 400)
    assert row["evidence"].endswith("+ 100 of b = 500 of 900 calls/s; what c takes of it is not known")


def test_one_name_may_be_a_pool_and_a_rate() -> None:
    both = [
        Limit(name="db", kind="connections", total=600, per_task=30),
        Limit(name="db", kind="downstream", total=900),
    ]
    levers = bottlenecks(certain(web(limit=both))).levers.groupby("resource")["change"].first()
    assert levers["connections: db"] == "a pool of at most 24 a task, or 750 connections in all"
    assert levers["downstream: db"] == "1,000 calls/s taken instead of 900, or 10 % of its calls cached"


def measured_history() -> History:
    """Four tasks hold 48 connections; at night two hold 10. 1 % of requests fail."""
    stamps = pd.date_range("2026-11-16", periods=168, freq="h", tz="UTC")
    day = stamps.hour >= 8
    columns = {
        "connections": np.where(day, 48.0, 10.0),
        "running_tasks": np.where(day, 4.0, 2.0),
        "requests": np.where(day, 200.0, 100.0),
        "errors": np.where(day, 2.0, 1.0),
    }
    return capacity.read(pd.DataFrame({"timestamp": stamps, "service": "web", **columns}))


def test_connections_of_a_task_are_measured_where_nobody_states_them() -> None:
    unknown = Limit(name="db", kind="connections", total=700)
    plan = certain(web(limit=(unknown, MOBILE)))
    without = rows(bottlenecks(plan))["connections: db"]
    assert math.isnan(without["binds_at"]) and math.isnan(without["demand"])
    assert "state per_task, or bring connections" in without["evidence"]
    assert "Connections of db: not known what one task holds" in bottlenecks(plan).sentence("web")
    seen = rows(bottlenecks(plan, history=measured_history()))
    assert seen["connections: db"]["demand"] == 25 * 12
    assert "measured over 28 days" in seen["connections: db"]["evidence"]
    assert "1 % failed lately" in seen["retries: mobile app"]["evidence"]


def test_downstream_without_requests_is_not_known() -> None:
    plan = planned(forecast_of({("web", "cpu"): [[4.0]]}), plain(limit=(PAYMENTS,)), goal=BARE)
    row = rows(bottlenecks(plan))["downstream: payments"]
    assert math.isnan(row["binds_at"])
    assert "bring requests" in row["evidence"]


def test_no_load_binds_nothing_and_a_minimum_above_a_limit_holds_at_none() -> None:
    idle = planned(forecast_of({("web", "cpu"): [[0.0]]}), plain(), goal=BARE)
    assert bottlenecks(idle).sentence("web").endswith("nothing is known to bind.")
    pool = Limit(name="db", kind="connections", total=50, per_task=20)
    floor = planned(forecast_of({("web", "cpu"): [[1.0]]}), plain(min_tasks=5), goal=BARE)
    assert rows(bottlenecks(floor, limits=[pool]))["connections: db"]["binds_at"] == 0


def test_limits_of_strangers_and_things_that_are_none_are_refused() -> None:
    plan = certain(web(limit=()))
    with pytest.raises(InputError, match="no service 'cart' is planned"):
        bottlenecks(plan, limits={"cart": [POOL]})
    with pytest.raises(InputError, match="is not a Limit"):
        bottlenecks(plan, limits={"web": [700]})  # type: ignore[arg-type]
    two = planned(forecast_of({("a", "cpu"): [[1.0]], ("b", "cpu"): [[1.0]]}), [plain("a"), plain("b")])
    with pytest.raises(InputError, match="limits without a service, in a plan of 2"):
        bottlenecks(two, limits=[POOL])
    with pytest.raises(InputError, match="no service 'cart' is diagnosed"):
        bottlenecks(two).of("cart")


def test_stated_limits_may_be_given_beside_the_plan() -> None:
    own, given_ = (
        bottlenecks(certain(web())),
        bottlenecks(certain(web(limit=())), limits={"web": [POOL, PAYMENTS, MOBILE]}),
    )
    pd.testing.assert_frame_equal(own.frame, given_.frame)
    pd.testing.assert_frame_equal(own.frame, certain(web(limit=())).bottlenecks([POOL, PAYMENTS, MOBILE]).frame)


def test_a_notebook_shows_the_table_and_hostile_names_as_text() -> None:
    name = "<script>alert(1)</script>"
    html = bottlenecks(certain(web(limit=(POOL.model_copy(update={"name": name}),))))._repr_html_()
    assert "1 of 1 do not hold the forecast peak" in html
    storm = bottlenecks(certain(web(limit=(MOBILE,))))
    assert (storm.frame["binds_at"] < 1).any() and "all hold the forecast peak" in storm._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
