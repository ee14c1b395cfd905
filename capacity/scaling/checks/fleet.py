"""What services share: names, quotas of a region; and a demand that shows what a schedule is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Account
from capacity.demand import Demand, Key
from capacity.errors import InputError
from capacity.findings import Finding
from capacity.scaling.bounds import bounds, weeks
from capacity.scaling.checks.findings import finding
from capacity.scaling.load import carried
from capacity.scaling.policy import ServicePolicy

#: ECS services of one region that Application Auto Scaling takes (reference aws.md 3.6).
MOST_TARGETS: Final = 3_000

#: A minimum that is this many times what tracking would ask for keeps tasks that nobody needs; every second interval
#: of it is a habit, not a reserve.
TWICE: Final = 2.0
MOSTLY: Final = 0.5


def names(parts: Sequence[ServicePolicy]) -> Iterator[Finding]:
    """Two policies of one service, and more services than one region takes."""
    places = Counter((one.service.region, one.service.resource_id) for one in parts)
    for one in parts:
        if places[one.service.region, one.service.resource_id] > 1:
            yield finding(one, "policy", "FAIL", "two policies scale this one service.")
    for region, count in Counter(one.service.region for one in parts).items():
        if count > MOST_TARGETS:
            message = f"{count:,} services of {region} are scaled, AWS allows {MOST_TARGETS:,}."
            yield Finding("", "", "quota", "FAIL", message, "Have the quota of scalable targets raised.")


def quotas(parts: Sequence[ServicePolicy], accounts: Sequence[Account]) -> Iterator[Finding]:
    """Minimums that the Fargate quota of their region does not hold, alone or all together at a time of a week."""
    for account in accounts:
        quota = account.fargate_vcpu_quota
        mine = [one for one in parts if one.service.region == account.region and one.service.launch_type == "FARGATE"]
        if quota is None or not mine:
            continue
        alone = False
        for one in mine:
            least = max([one.min_tasks, *(action.min_tasks for action in one.schedule)])
            if least * one.service.task_vcpu > quota:
                alone = True
                message = (
                    f"a minimum of {least:,} tasks needs {least * one.service.task_vcpu:,g} vCPU, the quota of "
                    f"{account.region} is {quota:,g}."
                )
                yield finding(one, "quota", "FAIL", message, "Have L-3032A538 raised before this is applied.")
        needed, when = _highest(mine)
        if needed > quota and not alone:
            message = (
                f"on {when:%A %d %B %Y %H:%M} UTC the minimums of {len(mine)} services need {needed:,g} vCPU together, "
                f"the quota of {account.region} is {quota:,g}."
            )
            yield Finding("", "", "quota", "FAIL", message, "Have L-3032A538 raised before this is applied.")


def _highest(parts: Sequence[ServicePolicy]) -> tuple[float, pd.Timestamp]:
    """vCPU of all minimums together at the worst moment of the weeks in which schedules are in force, and that moment.

    Every five minutes, in which no two actions of a service should fire anyway.
    """
    worst = (-1.0, pd.NaT)
    for times in weeks(action for one in parts for action in one.schedule if action.min_tasks > one.min_tasks):
        needed = np.zeros(len(times))
        for one in parts:
            minimum, _ = bounds(one, times)
            needed += minimum * one.service.task_vcpu
        worst = max(worst, (float(needed.max()), times[int(needed.argmax())]), key=lambda found: found[0])
    return worst


def pinned(parts: Sequence[ServicePolicy], demand: Demand) -> Iterator[Finding]:
    """Schedules that hold more than twice what tracking would ask for, most of the time that they hold anything.

    A minimum above the need blocks scale-in (aws.md 3.5); some of it is the reserve that it is there for.
    """
    for one in parts:
        key = Key(one.service.name, one.tracking.metric)
        if not one.schedule or key not in demand.keys:
            continue
        try:
            task = carried(one).target
        except InputError:
            continue
        load = demand.values[demand.keys.index(key)]
        minimum, _ = bounds(one, demand.times)
        held = np.isfinite(load) & (minimum > one.min_tasks)
        above = minimum[held] > TWICE * np.maximum(np.ceil(load[held] / task), 1)
        if held.any() and above.mean() > MOSTLY:
            message = (
                f"in {above.mean():.0%} of the intervals in which the schedule holds a minimum of its own, it is more "
                "than twice what target tracking would ask for."
            )
            advice = "Tasks that nobody needs are kept: lower the scheduled minimums, or leave them out."
            yield finding(one, "schedule", "REVIEW", message, advice)
