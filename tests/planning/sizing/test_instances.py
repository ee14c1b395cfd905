"""Tasks on EC2 instances: the packing is first-fit decreasing, and a lost zone leaves enough."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Goal, Instance
from capacity.errors import ConfigError, InputError
from capacity.planning import Plan
from capacity.planning.sizing.packing import packed, volume_bound
from capacity.planning.words import counted
from capacity.schema import INSTANCES
from tests.planning.inputs import BARE, cpu_forecast, forecast_of, plain, planned
from tests.planning.sizing.slow import one_by_one

TYPE = Instance(name="m7g.2xlarge", vcpu=8, memory_gib=32, usd_per_hour=0.3, reserved_memory_gib=2)
kinds = st.integers(1, 4).flatmap(
    lambda count: st.tuples(
        st.lists(st.integers(0, 12), min_size=count, max_size=count),
        st.lists(st.tuples(st.integers(1, 16), st.integers(1, 16)), min_size=count, max_size=count),
    )
)


@given(kinds=kinds)
@settings(max_examples=60)
def test_runs_of_alike_instances_are_counted_as_if_packed_one_by_one(
    kinds: tuple[list[int], list[tuple[int, int]]],
) -> None:
    counts, sizes = kinds
    bins = one_by_one(counts, sizes, (16, 16))
    found = packed(np.array([counts, [0] * len(counts)]), np.array(sizes, dtype=float), np.array([16.0, 16.0]))
    assert found.tolist() == [len(bins), 0]
    assert all(min(free) >= 0 for free in bins)
    bound = int(volume_bound(np.array([counts]), np.array(sizes, dtype=float), np.array([16.0, 16.0]))[0])
    # no packing is below the volume; any-fit with two resources is at most 2.7 times the best (Garey et al., 1976)
    assert bound <= len(bins) <= math.ceil(2.7 * fewest(counts, sizes) if sum(counts) <= 5 else sum(counts))


def fewest(counts: list[int], sizes: list[tuple[int, int]]) -> int:
    """The best packing of a few tasks, by trying all."""
    tasks = [size for count, size in zip(counts, sizes, strict=True) for _ in range(count)]
    for number in range(len(tasks) + 1):
        for places in product(range(number), repeat=len(tasks)):
            used = np.zeros((number, 2), dtype=int)
            for place, size in zip(places, tasks, strict=True):
                used[place] += size
            if (used <= 16).all():
                return number
    raise AssertionError("each task fits an instance of its own")


def test_tasks_that_fill_an_instance_exactly_do() -> None:
    thirds = packed(np.array([[9]]), np.array([[0.1, 0.1]]), np.array([0.3, 1.0]))
    assert thirds.tolist() == [3]  # 0.3 / 0.1 is 2.9999999999999996
    with pytest.raises(InputError, match="fits an empty instance"):
        packed(np.array([[1]]), np.array([[9.0]]), np.array([8.0]))


def test_every_zone_is_packed_by_itself_and_keeps_room_for_a_deployment() -> None:
    service = plain(task_vcpu=2, task_memory_gib=4, zones=3, launch_type="EC2", request_target=1.0)
    plan = planned(cpu_forecast([[24.0, 48.0]]), service, goal=Goal())
    assert plan.frame["tasks"].tolist() == [18, 36]  # 12 and 24 tasks, and a third of all may be lost
    found = plan.instances(TYPE)
    assert found.needed["m7g.2xlarge"].tolist() == [6, 12]  # 3 zones x ceil((6 + 1) / 4), ceil((12 + 1) / 4)
    row = found.frame.iloc[0]
    assert (row["instances"], row["at"], row["bound_by"]) == (12, plan.forecast.times[1], "vCPU")
    assert row["instance_hours"] == pytest.approx(9 * 730)
    assert row["usd"] == pytest.approx(9 * 730 * 0.3)
    assert found.sentence.startswith(
        "12 instances of m7g.2xlarge in 3 zones hold the tasks of `web` at their peak, 95 %"
    )


def fleet(**fields: Any) -> Plan:
    rng = np.random.default_rng(2)
    series = {(name, "cpu"): size * np.exp(0.3 * rng.standard_normal((30, 12))) for name, size in (("a", 9), ("b", 30))}
    services = [
        plain("a", task_vcpu=4, task_memory_gib=8, **fields),
        plain("b", task_vcpu=0.5, task_memory_gib=4, **fields),
    ]
    return planned(forecast_of(series), services, goal=BARE)


def test_services_share_instances_path_by_path() -> None:
    plan = fleet(zones=1)
    a, b, both = (plan.instances(TYPE, name).needed["m7g.2xlarge"] for name in ("a", "b", ["a", "b"]))
    assert (both <= a + b).all()
    counts = np.stack([plan.counts(name) for name in "ab"], axis=-1)
    slow = [
        [len(one_by_one([int(x) + 1, int(y)], [(8, 16), (1, 8)], (16, 60))) for x, y in path] for path in counts
    ]  # halves of vCPU and GiB: 8 and 30 are free
    assert both.tolist() == np.ceil(np.quantile(slow, 0.95, axis=0) - 1e-9).astype(int).tolist()
    rows = plan.instances(TYPE, ["a", "b"]).frame
    assert (rows["at_least"] <= rows["instances"]).all()


def test_places_of_network_interfaces_bind_where_there_are_few() -> None:
    few = TYPE.model_copy(update={"name": "few", "max_tasks": 3})
    found = fleet(zones=1).instances([TYPE, few], "b").frame.set_index("instance")
    assert found.loc["few", "bound_by"] == "places"
    assert found.loc["few", "instances"] > found.loc["m7g.2xlarge", "instances"]


def test_a_type_on_which_a_task_does_not_fit_says_so_and_one_without_a_price_has_no_cost() -> None:
    small = Instance(name="small", vcpu=2, memory_gib=16, usd_per_hour=0.01)
    free = TYPE.model_copy(update={"name": "free", "usd_per_hour": None})
    found = fleet(zones=1).instances([small, free])
    rows = found.frame.set_index("instance")
    assert rows.loc["small", "rejected_because"] == "a task of `a` takes 4 vCPU, and it has 2 vCPU for tasks"
    assert np.isnan(rows.loc["free", "usd"])
    assert found.best is None
    many = counted(rows.loc["free", "instances"], "instance")
    assert (
        found.sentence == f"{many} of free would hold the tasks of `a` and `b`, at no known price: state usd_per_hour."
    )
    assert fleet(zones=1).instances(small).sentence == "No type holds the tasks of `a` and `b`."
    assert "<strong>" in found._repr_html_()
    assert found.frame.dtypes.astype(str).to_dict() == INSTANCES.types


def test_a_service_of_ec2_is_packed_alone_when_none_is_named() -> None:
    forecast = forecast_of({("a", "cpu"): [[4.0]], ("b", "cpu"): [[2.0]]})
    plan = planned(forecast, [plain("a"), plain("b", launch_type="EC2")], goal=BARE)
    assert plan.instances(TYPE).services == ("b",)


def test_what_cannot_be_packed_together_is_said() -> None:
    forecast = forecast_of({(name, "cpu"): [[4.0]] for name in "abc"})
    services = [plain("a"), plain("b", region="eu-west-1"), plain("c", zones=2)]
    plan = planned(forecast, services, goal=BARE)
    with pytest.raises(InputError, match="in eu-west-1 and us-east-1"):
        plan.instances(TYPE, ["a", "b"])
    with pytest.raises(InputError, match="over 2 and 3 zones"):
        plan.instances(TYPE, ["a", "c"])
    with pytest.raises(InputError, match="no instance type"):
        plan.instances([])
    with pytest.raises(InputError, match=r"'m7i.large' is no instance type\nWrite Instance"):
        plan.instances("m7i.large")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no service 'd'"):
        plan.instances(TYPE, "d")
    with pytest.raises(ConfigError, match="nothing is left for tasks"):
        Instance(name="tiny", vcpu=1, memory_gib=0.5)
