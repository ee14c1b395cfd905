"""What services share is added up path by path: each sum against a loop that anyone can read."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Account, Goal, Limit, Service, Subnet
from capacity.planning import Plan
from capacity.planning.limits.passage import EARLY
from tests.planning.inputs import BARE, CUTOFF, cpu_forecast, forecast_of, plain, planned

Use = Callable[[int, int], float]


def row(plan: Plan, limit: str) -> pd.Series:
    """The one row of a limit."""
    (found,) = plan.limits[plan.limits["limit"] == limit].to_dict("records")
    return pd.Series(found)


def first_passage(use: Use, limit: float, paths: int, hours: int) -> tuple[float, int | None, float]:
    """A second opinion: share of paths that pass, the hour by which 5 % have, and the P95 of each path's most."""
    at = [next((hour for hour in range(hours) if use(path, hour) > limit), None) for path in range(paths)]
    passed = sorted(hour for hour in at if hour is not None)
    rank = math.ceil(EARLY * paths)
    most = sorted(max(use(path, hour) for hour in range(hours)) for path in range(paths))
    place = 0.95 * (paths - 1)
    below = int(place)
    above = min(below + 1, paths - 1)
    needed = most[below] + (most[above] - most[below]) * (place - below)
    return len(passed) / paths, passed[rank - 1] if len(passed) >= rank else None, needed


def check(plan: Plan, limit: str, use: Use, value: float, *, whole: bool = True) -> None:
    found = row(plan, limit)
    paths, hours = plan.forecast.paths.shape[1:]
    probability, first, needed = first_passage(use, value, paths, hours)
    assert found["value"] == value
    assert found["probability"] == pytest.approx(probability)
    assert (found["first"] is pd.NaT) == (first is None)
    assert first is None or found["first"] == plan.forecast.times[first]
    assert found["needed"] == pytest.approx(math.ceil(needed - 1e-9) if whole else needed)


RNG = np.random.default_rng(7)
A, B = RNG.uniform(1, 60, (20, 12)), RNG.uniform(1, 40, (20, 12))


def both(a: Service, b: Service, account: Account | None = None, goal: Goal = BARE) -> Plan:
    forecast = forecast_of({("a", "cpu"): A, ("b", "cpu"): B})
    return planned(forecast, [a, b], goal=goal, accounts=() if account is None else (account,))


def tasks(load: float, least: int = 0) -> int:
    return max(math.ceil(load - 1e-6), least)


def test_spot_and_on_demand_have_quotas_of_their_own() -> None:
    a = plain("a", on_demand_base=10, spot_share=0.6, maximum_percent=150)
    plan = both(a, plain("b"), Account(fargate_vcpu_quota=90, fargate_spot_vcpu_quota=25))

    def spot(count: int) -> int:
        return math.ceil(max(count - 10, 0) * 0.6 - 1e-6)

    def demand(count: int) -> int:
        return min(count, 10) + math.ceil(max(count - 10, 0) * 0.4 - 1e-6)

    def on_spot(path: int, hour: int) -> float:
        return spot(tasks(A[path, hour]) * 150 // 100)

    def on_demand(path: int, hour: int) -> float:
        count, other = tasks(A[path, hour]), tasks(B[path, hour])
        return demand(count) + other + max(demand(count * 150 // 100) - demand(count), other)

    check(plan, "fargate_spot_vcpu_quota", on_spot, 25, whole=False)
    check(plan, "fargate_vcpu_quota", on_demand, 90, whole=False)


def test_every_zone_has_to_hold_its_tasks_while_the_largest_deployment_runs() -> None:
    subnets = (
        Subnet(name="s1", zone="z1", cidr="10.0.0.0/26", others=4),  # 64 - 5 - 4
        Subnet(name="s2", zone="z2", free=20, running=12),
        Subnet(name="s3", zone="z2", cidr="10.0.1.0/28", others=1),  # 10 more in the same zone
    )
    plan = both(plain("a", zones=3), plain("b", zones=2, maximum_percent=120), Account(subnet=subnets))

    def addresses(path: int, hour: int) -> float:
        a, b = tasks(A[path, hour]), tasks(B[path, hour])
        here, there = math.ceil(a / 3), math.ceil(b / 2)
        return here + there + max(math.ceil(2 * a / 3) - here, math.ceil(b * 120 // 100 / 2) - there)

    check(plan, "subnet_addresses: z1", addresses, 55)
    check(plan, "subnet_addresses: z2", addresses, 42)


def test_subnets_of_one_cluster_hold_only_its_tasks() -> None:
    subnet = Subnet(name="s", zone="z", cidr="10.0.0.0/28", others=0, clusters=("blue",))
    plan = both(plain("a", cluster="blue", zones=2), plain("b", cluster="green", zones=2), Account(subnet=(subnet,)))
    check(plan, "subnet_addresses: z of blue", lambda path, hour: math.ceil(2 * tasks(A[path, hour]) / 2), 11)


def test_rises_of_all_services_are_started_together_and_falls_start_nothing() -> None:
    account = Account(fargate_launch_burst=10, fargate_launch_rate=1, launch_within_seconds=30)
    plan = both(plain("a"), plain("b", min_tasks=8), account)

    def rise(path: int, hour: int) -> float:
        if hour == 0:
            return 0
        a = tasks(A[path, hour]) - tasks(A[path, hour - 1])
        b = tasks(B[path, hour], 8) - tasks(B[path, hour - 1], 8)
        return max(a, 0) + max(b, 0)

    check(plan, "launch_rate", rise, 40)
    assert "launch_rate_zone_loss" not in set(plan.limits["limit"])  # this goal does not ask to survive one


def test_what_starts_again_after_a_zone_is_the_fullest_zone_of_each_service() -> None:
    goal = Goal(survive_deployment=False)
    services = [plain("a", zones=3, tier="batch"), plain("b", zones=3, request_target=1.0)]
    account = Account(fargate_launch_burst=5, fargate_launch_rate=0.5, launch_within_seconds=30)
    plan = both(services[0], services[1], account, goal)

    def lost(path: int, hour: int) -> float:
        count = 0
        while count - math.ceil(count / 3) < tasks(B[path, hour]):  # the others hold the load
            count += 1
        return math.ceil(count / 3)  # queued work of `a` waits: nothing is kept for its zone

    check(plan, "launch_rate_zone_loss", lost, 20)


LABEL = "app/shop/50dc/targetgroup/{}/6d0e"


def test_a_load_balancer_holds_the_targets_of_all_its_groups() -> None:
    a, b = (plain(name, alb_resource_label=LABEL.format(name)) for name in ("a", "b"))
    plan = both(a, b, Account(targets_per_load_balancer=100, targets_per_target_group=70))

    def targets(path: int, hour: int) -> float:
        x, y = tasks(A[path, hour]), tasks(B[path, hour])
        return x + y + max(x, y)

    check(plan, "targets_per_load_balancer", targets, 100)
    groups = plan.limits[plan.limits["limit"] == "targets_per_target_group"].set_index("service")
    assert sorted(groups.index) == ["(target group targetgroup/a/6d0e)", "(target group targetgroup/b/6d0e)"]
    most = np.quantile(2 * np.ceil(A - 1e-6).max(axis=1), 0.95)
    assert groups.loc["(target group targetgroup/a/6d0e)", "needed"] == math.ceil(most)


def test_provisioning_is_a_limit_of_clusters_on_ec2_alone() -> None:
    plan = both(plain("a", launch_type="EC2"), plain("b"), Account(provisioning_tasks=30))

    def rise(path: int, hour: int) -> float:
        return 0 if hour == 0 else max(tasks(A[path, hour]) - tasks(A[path, hour - 1]), 0)

    check(plan, "provisioning_tasks", rise, 30)


def test_clusters_of_one_name_in_two_regions_are_two() -> None:
    services = (plain("a", launch_type="EC2"), plain("b", launch_type="EC2", region="eu-west-1"))
    plan = both(*services, Account(provisioning_tasks=30)).limits
    names = plan[plan["limit"] == "provisioning_tasks"]["service"].tolist()
    assert names == ["(cluster us-east-1 default)"]  # the other one states nothing, and 40 tasks are far from 500
    both_state = (Account(provisioning_tasks=30), Account(region="eu-west-1", provisioning_tasks=30))
    forecast = forecast_of({("a", "cpu"): A, ("b", "cpu"): B})
    made = planned(forecast, list(services), goal=BARE, accounts=both_state)
    assert len(made.limits[made.limits["limit"] == "provisioning_tasks"]) == 2
    assert len(made.passed) == len(made.limits)


def test_a_service_that_could_not_be_planned_is_missing_from_what_it_shares_and_that_is_said() -> None:
    pool = Limit(name="db", kind="connections", total=20, per_task=1)
    forecast = forecast_of({("a", "cpu"): A, ("b", "requests"): B})
    plan = planned(forecast, [plain("a", limit=(pool,)), plain("b", limit=(pool,))], goal=BARE)
    (decision,) = [one for one in plan.decisions if one.service == "(shared db)"]
    assert "What b takes of it is not known and not counted." in decision.because


def test_connections_of_one_database_are_added_up_over_the_services_that_share_it() -> None:
    def pool(each: float, total: float = 900, others: float = 50) -> Limit:
        return Limit(name="db", kind="connections", total=total, others=others, per_task=each)

    plan = both(
        plain("a", limit=(pool(10),)),
        plain("b", limit=(pool(2.5, others=0),), maximum_percent=100, minimum_healthy_percent=50),
    )

    def held(path: int, hour: int) -> float:
        a, b = tasks(A[path, hour]), tasks(B[path, hour])
        return 50 + 10 * a + 2.5 * b + 10 * a  # b may not surge

    check(plan, "connections: db", held, 900)
    assert row(plan, "connections: db")["service"] == "(shared db)"


def test_calls_downstream_follow_the_requests_and_not_the_tasks() -> None:
    below = Limit(name="payments", kind="downstream", total=110, per_request=1.5)
    web = plain("a", requests_per_second_per_task=5, limit=(below,))
    plan = planned(forecast_of({("a", "requests"): A}), web, goal=BARE)
    check(plan, "downstream: payments", lambda path, hour: 1.5 * A[path, hour], 110 - 0, whole=False)
    assert row(plan, "downstream: payments")["service"] == "a"


def test_the_lowest_of_contradicting_totals_holds_and_is_said() -> None:
    low, high = (Limit(name="db", kind="connections", total=total, per_task=1) for total in (60, 800))
    plan = both(plain("a", limit=(high,)), plain("b", limit=(low,)))
    assert row(plan, "connections: db")["value"] == 60
    assert [finding.status for finding in plan.findings if "said to take 60 and 800" in finding.message] == ["REVIEW"]


def test_what_nobody_knows_of_a_limit_is_unknown_and_never_none() -> None:
    pool = Limit(name="db", kind="connections", total=40)
    calls = Limit(name="payments", kind="downstream", total=100)
    plan = both(
        plain("a", limit=(pool, calls)),
        plain("b", limit=(Limit(name="db", kind="connections", total=40, per_task=1),)),
    )
    unknown = [finding for finding in plan.findings if finding.check == "limit"]
    assert [(finding.service, finding.status) for finding in unknown] == [("a", "UNKNOWN"), ("a", "UNKNOWN")]
    assert any("State per_task" in finding.advice for finding in unknown)
    decision = next(decision for decision in plan.decisions if decision.service == "(shared db)")
    assert "What a takes of it is not known and not counted." in decision.because


def test_published_limits_have_a_row_only_when_they_come_near() -> None:
    label = {"alb_resource_label": LABEL.format("web")}
    far, near = (planned(cpu_forecast([[load]]), plain(**label), goal=BARE) for load in (300.0, 450.0))
    assert list(far.limits["limit"]) == ["max_tasks"]
    assert list(near.limits["limit"]) == ["max_tasks", "targets_per_load_balancer", "targets_per_target_group"]
    decisions = {decision.service for decision in near.decisions if decision.kind in ("watch", "raise_quota")}
    assert decisions == set()  # 900 of 1,000: near, and not passed


def test_one_service_cannot_rise_by_more_than_fargate_starts_of_it_in_a_minute() -> None:
    plan = planned(cpu_forecast([[10.0, 700.0, 700.0]]), plain(), goal=BARE)
    found = row(plan, "service_launch_rate")
    assert (found["value"], found["needed"], found["first"]) == (500, 690, CUTOFF + pd.Timedelta(hours=1))
    sentence = next(one.sentence for one in plan.decisions if "Spread" in one.sentence)
    assert sentence.startswith("Spread the rises of `web` over several minutes, or it over several services, now")


def test_service_connect_lowers_what_ecs_runs_of_a_service() -> None:
    plan = planned(cpu_forecast([[950.0, 1200.0]]), plain(max_tasks=1500, service_connect=True), goal=BARE)
    assert row(plan, "ecs_tasks_per_service")["value"] == 1000
    (split,) = [one.sentence for one in plan.decisions if one.sentence.startswith("Split")]
    assert "ECS runs 1,000 in one service beside Service Connect or Cloud Map" in split


def test_an_account_that_states_nothing_is_told_how_to_find_out() -> None:
    plan = planned(cpu_forecast([[5.0]]), plain(spot_share=0.5), goal=BARE, accounts=(Account(),))
    told = {finding.check: finding for finding in plan.findings if finding.check in ("quota", "subnets")}
    advice = " ".join(finding.advice for finding in plan.findings if finding.check in ("quota", "subnets"))
    assert {finding.status for finding in told.values()} == {"UNKNOWN"}
    for command in (
        "aws service-quotas get-service-quota --service-code fargate --quota-code L-3032A538 --region us-east-1",
        "aws service-quotas get-service-quota --service-code fargate --quota-code L-36FBB829 --region us-east-1",
        "aws ec2 describe-subnets --region us-east-1",
    ):
        assert command in advice


def test_subnets_that_grow_too_small_are_to_be_widened_in_time() -> None:
    loads = np.linspace(20, 160, 60)[None, :].repeat(10, axis=0)  # above 100 tasks, two zones of 50, on day 34
    subnet = Subnet(name="s", zone="eu-1a", cidr="10.0.0.0/26", others=9)
    account = Account(subnet=(subnet,), quota_change_days=10)
    service = plain(zones=2, maximum_percent=100, minimum_healthy_percent=50)
    plan = planned(cpu_forecast(loads, interval="1D"), service, goal=BARE, accounts=(account,))
    (decision,) = [one for one in plan.decisions if one.service == "(account us-east-1)"]
    assert decision.sentence == (
        "Widen the subnets of eu-1a from 50 to 80 addresses before 17 December 2026, >99 % sure."
    )
    assert decision.before == CUTOFF + pd.Timedelta(days=24)


@given(order=st.permutations(range(6)))
@settings(deadline=None, max_examples=4)
def test_the_order_of_services_changes_no_limit(order: list[int]) -> None:
    rng = np.random.default_rng(3)
    forecast = forecast_of({(f"s{n}", "cpu"): rng.uniform(1, 30, (18, 5)) for n in range(6)})
    pool = Limit(name="db", kind="connections", total=500, per_task=3)
    services = [plain(f"s{n}", limit=(pool,) if n % 2 else (), zones=3) for n in range(6)]
    account = Account(
        fargate_vcpu_quota=150,
        fargate_launch_rate=1,
        subnet=(Subnet(name="s", zone="z", cidr="10.0.0.0/26", others=0),),
    )
    straight = planned(forecast, services, accounts=(account,)).limits
    mixed = planned(forecast, [services[n] for n in order], accounts=(account,)).limits
    columns = ["service", "limit"]
    pd.testing.assert_frame_equal(
        straight.sort_values(columns).reset_index(drop=True), mixed.sort_values(columns).reset_index(drop=True)
    )


@given(quota=st.floats(10, 200), more=st.floats(0, 100), addresses=st.integers(0, 40))
@settings(deadline=None, max_examples=8)
def test_a_higher_limit_is_reached_no_earlier(quota: float, more: float, addresses: int) -> None:
    def made(extra: float) -> pd.DataFrame:
        subnet = Subnet(name="s", zone="z", free=addresses + int(extra), running=0)
        account = Account(fargate_vcpu_quota=quota + extra, subnet=(subnet,), targets_per_load_balancer=quota + extra)
        label = {"alb_resource_label": LABEL.format("web")}
        return both(plain("a", **label), plain("b"), account).limits.set_index(["service", "limit"])

    low, high = made(0), made(more)
    high = high.reindex(low.index)
    assert (high["probability"] <= low["probability"]).all()
    never = CUTOFF + pd.Timedelta(days=365)
    assert (high["first"].fillna(never) >= low["first"].fillna(never)).all()
    assert (high["needed"] == low["needed"]).all()
