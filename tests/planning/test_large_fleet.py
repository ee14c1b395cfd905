"""Fast ways that have to give what the plain ones give: many services at once, blocks, units, one sort a quantile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import capacity
from capacity.blocks import PATHS, blocks
from capacity.config import Account, Service
from capacity.forecasting.fleets import MANY
from capacity.planning.planner import _at, path_counts
from tests.planning.inputs import cpu_forecast, forecast_of, plain, planned


@given(
    paths=hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        st.tuples(st.integers(1, 41), st.integers(1, 6)),
        elements=st.floats(0, 1e6, width=32),
    ),
    level=st.floats(0.01, 0.999),
)
@settings(deadline=None)
def test_a_quantile_over_paths_is_to_the_byte_what_numpy_gives(paths: np.ndarray, level: float) -> None:
    assert _at(paths, level).tobytes() == np.quantile(paths, level, axis=0).astype(float).tobytes()


@pytest.mark.parametrize("count", [1, PATHS - 1, PATHS, PATHS + 1, 5 * PATHS])
def test_blocks_hold_every_path_once(count: int) -> None:
    assert np.concatenate([np.arange(count)[some] for some in blocks(count)]).tolist() == list(range(count))


def test_more_paths_than_a_block_are_counted_as_each_alone() -> None:
    need = np.random.default_rng(2).uniform(0, 50, (2 * PATHS + 3, 7))
    web = Service(name="web", zones=3, minimum_healthy_percent=70)
    whole = path_counts(need, web, capacity.Goal(), pd.Timedelta("1h"))
    alone = [path_counts(one[None, :], web, capacity.Goal(), pd.Timedelta("1h"))[0] for one in need]
    assert whole.tolist() == np.array(alone).tolist()


def test_a_fleet_on_all_cores_is_planned_as_its_parts_on_one() -> None:
    rng = np.random.default_rng(4)
    names = [f"s{number:03d}" for number in range(MANY + 1)]
    loads = {name: rng.uniform(1, 40, (3, 4)) for name in names}
    services = {name: plain(name, max_tasks=30, zones=3) for name in names}

    def made(some: list[str]) -> capacity.Plan:
        forecast = forecast_of({(name, "cpu"): loads[name] for name in some})
        return planned(forecast, [services[name] for name in some], accounts=(Account(fargate_vcpu_quota=1e5),))

    some = names[::20]
    whole, part = made(names), made(some)  # threads; and none
    chosen = whole.frame[whole.frame["service"].isin(some)].reset_index(drop=True)
    pd.testing.assert_frame_equal(chosen, part.frame)
    pd.testing.assert_frame_equal(whole.cost[whole.cost["service"].isin(some)].reset_index(drop=True), part.cost)
    assert all(np.array_equal(whole.needs[name], part.needs[name]) for name in some)
    quota = whole.limits.set_index("limit").loc["fargate_vcpu_quota", "needed"]
    total = sum(np.maximum(whole.counts(name), 0) for name in names)
    surge = np.max([whole.counts(name) for name in names], axis=0)
    assert quota == pytest.approx(np.quantile((total + surge).max(axis=1), 0.95))


def test_memory_told_in_mib_plans_as_in_gib(tmp_path: Path) -> None:
    times = pd.date_range("2026-01-05", periods=21 * 24, freq="h", tz="UTC")
    wave = 40 + 25 * np.sin(2 * np.pi * times.hour / 24)
    service = Service(name="web", memory_scales_with_load=True, task_memory_gib=4, max_tasks=100)
    plans = []
    for unit, times_unit in (("GiB", 1.0), ("MiB", 1024.0)):
        table = pd.DataFrame({"service": "web", "metric": "memory", "timestamp": times, "value": wave * times_unit})
        path = tmp_path / f"{unit}.csv"
        table.to_csv(path, index=False)
        plans.append(capacity.plan(capacity.forecast(capacity.read(path, unit=unit), 24), service))
    a, b = plans
    pd.testing.assert_frame_equal(a.frame, b.frame)
    pd.testing.assert_frame_equal(a.limits, b.limits)
    assert a.frame["load_bound_by"].eq("memory").all()


@given(load=st.floats(1, 400), zones=st.integers(2, 6), healthy=st.integers(50, 100), startup=st.floats(0, 600))
@settings(deadline=None, max_examples=25)
def test_one_task_fewer_breaks_the_promise(load: float, zones: int, healthy: int, startup: float) -> None:
    service = plain(zones=zones, minimum_healthy_percent=healthy, maximum_percent=200, startup_seconds=startup)
    rising = [load, load * 1.5]
    row = planned(cpu_forecast([rising]), service).frame.iloc[0]
    reached = load + 0.5 * load * startup / 3600  # what a straight line reaches while a task starts

    def kept(tasks: int, carried: float) -> bool:
        """Do so many tasks hold the load, in a deployment too, and when their fullest zone is lost?"""

        def serving(count: int) -> int:
            return -(-count * healthy // 100)

        full_share = min(1.0, service.cpu_target / service.request_target)
        left = tasks - -(-tasks // zones)
        slack = 2e-6 * max(carried, 1)
        return serving(tasks) >= carried - slack and serving(left) * full_share / service.cpu_target >= carried - slack

    assert kept(int(row["for_zone_loss"]), reached)
    assert not kept(int(row["for_zone_loss"]) - 1, reached)
    assert int(row["for_load"]) >= load - 1e-3
    assert int(row["for_load"]) - 1 < load
