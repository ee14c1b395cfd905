"""What people state of Spot, regions, shortage and instances: read, and refused where it contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest

from capacity.config import Goal, Instance, Rate, Service, config_of
from capacity.errors import ConfigError
from capacity.planning.money.unit_costs import FLEET
from capacity.planning.scenarios.answer import ALL
from tests.planning.inputs import BARE, cpu_forecast, plain, planned

HERE, THERE = {"region": "us-east-1", "share": 0.6}, {"region": "eu-west-1", "share": 0.4}


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ([HERE, HERE], "regions names 'us-east-1' twice"),
        ([THERE, {"region": "eu-west-2", "share": 0.6}], "and not 'us-east-1', where the service is"),
        ([{"region": "us-east-1", "share": 1.0}], "two or more whose shares add up to 1"),
        ([HERE, {"region": "eu-west-1", "share": 0.3}], "add up to 1, and these do not: us-east-1 0.6, eu-west-1 0.3"),
    ],
)
def test_regions_share_all_traffic_and_name_the_service_s_own(regions: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Service(name="web", regions=regions)
    assert [one.share for one in Service(name="web", regions=[HERE, THERE]).regions] == [0.6, 0.4]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Rate(region="r", vcpu=1, memory_gb=1, spot_vcpu=0.3), "spot_vcpu and spot_memory_gb are one price"),
        (lambda: Service(name="web", spot_share=1.2), "spot_share"),
        (lambda: Service(name=ALL), r"'\(all\)' is the row of all services together"),
        (lambda: Service(name=FLEET), r"'\(fleet\)' is the row of all services together"),
        (lambda: Service(name="web", on_demand_base=-1), "on_demand_base"),
        (lambda: Goal(shortage_usd_per_task_hour=0), "shortage_usd_per_task_hour"),
        (lambda: Instance(name="i", vcpu=2, memory_gib=4, reserved_vcpu=2), "nothing is left for tasks"),
        (
            lambda: config_of({"instance": [{"name": "i", "vcpu": 2, "memory_gib": 4}] * 2}),
            r"two \[\[instance\]\] tables are called 'i'",
        ),
    ],
)
def test_contradictions_are_refused_in_words(build: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build()


def test_a_plan_of_tasks_on_instances_alone_has_no_sizes_and_no_mix() -> None:
    plan = planned(cpu_forecast([[3.0]]), plain(launch_type="EC2"), goal=BARE)
    sizes, mix = plan.sizes(), plan.mix()
    for answer in (sizes, mix):
        assert answer.frame.empty
        assert answer.best.empty
        assert answer.sentences == []
    assert sizes.shortlist.empty
    for answer in (sizes, mix):
        (finding,) = answer.findings  # why there is nothing, and nothing of assumptions that nothing was made of
        assert finding.status == "UNKNOWN"
        assert "run on EC2" in finding.message
    assert "Task size: Its tasks run on EC2" in plan.explain("web", sizes=True)
