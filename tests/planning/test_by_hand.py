"""A second opinion on one plan: lists and loops, no function of the project between the paths and the numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest

from capacity.config import Account, Goal, PriceSettings, Rate, Service
from capacity.forecasting.forecasts import Forecast
from capacity.planning import Plan, plan
from tests.planning.inputs import as_they_are, forecast_of

LEVEL, HOURS, PATHS = 0.9, 24 * 40, 37
WEB = Service(
    name="web",
    region="eu-west-1",
    requests_per_second_per_task=20,
    request_target=0.8,
    task_vcpu=0.5,
    task_memory_gib=1,
    cpu_target=0.6,
    startup_seconds=600,
    zones=3,
    minimum_healthy_percent=50,
    maximum_percent=150,
    min_tasks=3,
    max_tasks=60,
    change_days=3,
)
API = Service(name="api", region="eu-west-1", task_vcpu=1, zones=2, max_tasks=80, startup_seconds=0, min_tasks=2)
RATE = Rate(region="eu-west-1", vcpu=0.04, memory_gb=0.005)
QUOTA = Account(region="eu-west-1", fargate_vcpu_quota=150, quota_change_days=5)


@cache
def ahead() -> Forecast:
    rng = np.random.default_rng(7)
    clock = np.arange(HOURS)
    wave = 1 + 0.6 * np.sin(2 * np.pi * clock / 24)
    growth = np.exp(np.outer(rng.normal(0.4, 0.3, PATHS), clock / HOURS))
    noise = np.exp(0.1 * rng.standard_normal((3, PATHS, HOURS)))
    return forecast_of(
        {
            ("web", "requests"): 150 * wave * growth * noise[0],
            ("web", "cpu"): 3 * wave * growth * noise[1],
            ("api", "cpu"): 9 * growth * noise[2],
        }
    )


@cache
def made() -> Plan:
    prices = PriceSettings(rate=(RATE,))
    goal = Goal(level=LEVEL)
    return plan(ahead(), [WEB, API], goal=goal, prices=prices, accounts=(QUOTA,), peaks=as_they_are)


def quantile(values: list[float], level: float) -> float:
    """Linear between order statistics, as everybody's default is."""
    ordered = sorted(values)
    place = level * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def web_need(path: int, hour: int) -> float:
    requests, cpu, _ = (float(row[path, hour]) for row in ahead().paths)
    return max(requests / 16.0, cpu / 0.3)  # 20 x 80 %, 0.5 x 60 %


def web_ready(path: int, hour: int) -> float:
    """Ten minutes ahead on the line to the next hour."""
    now, then = web_need(path, hour), web_need(path, min(hour + 1, HOURS - 1))
    return max(now, now + (then - now) / 6)


def api_ready(path: int, hour: int) -> float:
    return float(ahead().paths[2][path, hour]) / 0.6


def least(enough: Callable[[int], bool]) -> int:
    count = 0
    while not enough(count):
        count += 1
    return count


@cache
def web_tasks(ready: float) -> int:
    """By trying: every count until one keeps all promises."""

    def enough(count: int) -> bool:
        deploying = math.ceil(count / 2)  # half of them stay, rounded up
        left = count - math.ceil(count / 3)
        without_zone = math.ceil(left / 2)  # a deployment while a zone is lost
        return deploying >= ready - 1e-5 and without_zone >= ready * 0.8 - 1e-5

    return least(enough)


@cache
def api_tasks(ready: float) -> int:
    return least(lambda n: n >= ready - 1e-5 and n - math.ceil(n / 2) >= ready * 0.85 - 1e-5)


def counts(tasks: Callable[[float], int], ready: Callable[[int, int], float]) -> list[list[int]]:
    return [[tasks(ready(path, hour)) for hour in range(HOURS)] for path in range(PATHS)]


@cache
def both() -> tuple[list[list[int]], list[list[int]]]:
    return counts(web_tasks, web_ready), counts(api_tasks, api_ready)


def passage(uses: list[list[float]], limit: float) -> tuple[float, int | None, float]:
    """Share of paths that pass, the first hour by which 5 % have, and what 90 % need."""
    firsts = sorted(next(h for h, use in enumerate(path) if use > limit) for path in uses if max(path) > limit)
    rank = math.ceil(0.05 * len(uses))
    first = firsts[rank - 1] if len(firsts) >= rank else None
    return len(firsts) / len(uses), first, quantile([max(path) for path in uses], LEVEL)


def check_limit(name: str, uses: list[list[float]], limit: float, days: int, whole: bool) -> None:
    row = made().limits.set_index("service").loc[name]
    probability, first, needed = passage(uses, limit)
    assert 0.05 < probability < 0.95
    assert first is not None
    start = ahead().times[0]
    assert row["probability"] == pytest.approx(probability)
    assert row["first"] == start + pd.Timedelta(hours=first)
    assert row["needed"] == pytest.approx(math.ceil(needed) if whole else needed)
    assert row["act_by"] == max(start, start + pd.Timedelta(hours=first) - pd.Timedelta(days=days))


def test_the_peak_hour_of_one_service_from_paths_to_tasks() -> None:
    rows = made().of("web")
    hour = int(np.argmax((rows["tasks"] + rows["short"]).to_numpy()))
    need = quantile([web_need(path, hour) for path in range(PATHS)], LEVEL)
    ready = quantile([web_ready(path, hour) for path in range(PATHS)], LEVEL)
    row = rows.iloc[hour]
    assert row["need"] == pytest.approx(need)
    assert row["for_load"] == math.ceil(need)
    assert row["for_startup"] == math.ceil(ready)
    assert row["for_zone_loss"] == web_tasks(ready)
    assert row["tasks"] == min(60, web_tasks(ready))
    assert row["short"] == web_tasks(ready) - row["tasks"]


def test_every_path_of_both_services_is_counted_alike() -> None:
    web, api = both()
    assert made().counts("web").tolist() == web
    assert made().counts("api").tolist() == api


def test_the_chance_and_dates_of_a_maximum() -> None:
    web, _ = both()
    check_limit("web", [[float(n) for n in path] for path in web], 60, WEB.change_days, whole=True)


def test_the_quota_on_summed_paths_with_one_deployment() -> None:
    web, api = both()
    uses = []
    for path in range(PATHS):
        use = []
        for hour in range(HOURS):
            a, b = max(3, web[path][hour]), max(2, api[path][hour])
            surge = max((math.floor(a * 1.5) - a) * 0.5, b * 1.0)  # 150 % of half a vCPU each, 200 % of one vCPU each
            use.append(a * 0.5 + b * 1.0 + surge)
        uses.append(use)
    check_limit("(account eu-west-1)", uses, 150, QUOTA.quota_change_days, whole=False)


def test_the_cost_of_following_and_of_a_month() -> None:
    """Tasks follow the load at 2/3 of what they carry: target x 0.8333 where full is target / 0.8."""
    totals = []
    for path in range(PATHS):
        tasks = (web_need(path, hour) * 0.8 * 3 / 2 for hour in range(HOURS))
        totals.append(sum(min(60, max(3, math.ceil(n - 1e-5))) for n in tasks) * (0.5 * 0.04 + 1 * 0.005))
    cost = made().cost[made().cost["service"] == "web"].set_index("item")
    assert cost["usd"].sum() == pytest.approx(sum(totals) / PATHS, rel=1e-6)
    assert made().path_usd["web"].tolist() == pytest.approx(totals, rel=1e-6)
    alone = plan(ahead().of("web"), WEB, goal=Goal(level=LEVEL), prices=PriceSettings(rate=(RATE,)), peaks=as_they_are)
    month = alone.total_cost.loc["month"]
    assert month["usd"] == pytest.approx(sum(totals) / PATHS * 730 / HOURS, rel=1e-6)
    assert month["p95"] == pytest.approx(quantile(totals, 0.95) * 730 / HOURS, rel=1e-6)
