"""From fractional need to whole tasks, one headroom at a time. Each step is a pure function along the last axis.

need (fractional) -> `whole_tasks` for load -> `ready_before` for start-up -> `for_deployment` -> `for_zone_loss`
-> `within_bounds`. All take one curve (H,) or many paths (P, H).

Up to a deployment, tasks are kept at the service's targets. While a zone is lost they may be full: as full as
`needs.full_share` says, at which they still keep the SLO (docs/decisions/0005).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from capacity.config import Goal, Service
from capacity.errors import GoalUnreachable
from capacity.planning.needs import in_full_tasks

#: Share of a task that is rounding noise of a division, not load: far below what anyone measures, far above the
#: error of one float32 division (6e-8).
NOISE = 1e-6

#: Short names, in the order of the steps, as `bound_by` says them.
STEPS = ("load", "startup", "deployment", "zone loss", "minimum", "maximum")


def whole_tasks(need: npt.ArrayLike) -> np.ndarray:
    """Fewest whole tasks that hold a fractional need; an excess below one millionth is noise.

    >>> whole_tasks([2.1, 3.0000000001, 0.0]).tolist()
    [3, 3, 0]
    """
    need = np.asarray(need)
    if need.dtype.kind != "f":
        need = need.astype(float)
    work = np.asarray(np.abs(need))  # the slack, and then what is left, in one array: many paths are large
    np.maximum(work, 1, out=work)
    np.multiply(work, NOISE, out=work)
    np.subtract(need, work, out=work)
    np.maximum(work, 0, out=work)
    return np.ceil(work, out=work).astype(np.int64)


def ready_before(need: np.ndarray, startup_seconds: float, interval_seconds: float) -> np.ndarray:
    """Fractional tasks to have asked for, so that load that rises while a task starts meets tasks that serve.

    need    (..., H) fractional tasks; load is taken to move in a straight line from one interval to the next
    result  (..., H) the most that line reaches from each interval's start to one start-up later

    A rise is met early, a fall is never anticipated: the result is never below `need`. After the last interval, which
    nobody forecast, load is held. With hourly intervals and 120 s, that is 1/30 of the next hour's rise.

    >>> ready_before(np.array([10.0, 40.0, 40.0, 10.0]), startup_seconds=120, interval_seconds=3600).tolist()
    [11.0, 40.0, 40.0, 10.0]
    >>> ready_before(np.array([1.0, 1.0, 5.0, 1.0]), startup_seconds=90, interval_seconds=60).tolist()
    [3.0, 5.0, 5.0, 1.0]
    """
    need = np.asarray(need)
    whole, rest = divmod(startup_seconds / interval_seconds, 1)
    ready = need.copy()
    for ahead in range(1, int(whole) + 1):
        np.maximum(ready, _later(need, ahead), out=ready)
    if rest:
        here, there = _later(need, int(whole)), _later(need, int(whole) + 1)
        np.maximum(ready, here + (there - here) * need.dtype.type(rest), out=ready)
    return ready


def _later(need: np.ndarray, ahead: int) -> np.ndarray:
    """Each interval's value `ahead` intervals later; the last is held."""
    if ahead == 0:
        return need
    length = need.shape[-1]
    return need[..., np.minimum(np.arange(length) + ahead, length - 1)]


def for_deployment(tasks: np.ndarray, minimum_healthy_percent: int) -> np.ndarray:
    """Fewest tasks n of which a rolling deployment leaves `tasks` in service: ceil(n x percent / 100) >= tasks.

    ECS rounds the healthy minimum up (botocore, CreateService `deploymentConfiguration`), so 50 % of 3 keeps 2.
    Raises GoalUnreachable for 0 %: then a deployment may stop every task at once.

    >>> for_deployment(np.array([0, 1, 2, 10]), minimum_healthy_percent=50).tolist()
    [0, 1, 3, 19]
    >>> for_deployment(np.array([10]), minimum_healthy_percent=100).tolist()
    [10]
    """
    if minimum_healthy_percent <= 0:
        raise GoalUnreachable(
            "minimum_healthy_percent is 0: a deployment may stop every task, so no count survives one. "
            "Raise minimum_healthy_percent, or plan with Goal(survive_deployment=False)."
        )
    tasks = np.asarray(tasks)
    if minimum_healthy_percent == 100:
        return tasks
    # ceil(n m / 100) >= k  <=>  n m / 100 > k - 1  <=>  n = floor(100 (k - 1) / m) + 1, for k >= 1
    return np.where(tasks > 0, (tasks - 1) * 100 // minimum_healthy_percent + 1, tasks)


def for_zone_loss(tasks: np.ndarray, zones: int) -> np.ndarray:
    """Fewest tasks n, spread evenly over `zones`, of which losing the fullest zone leaves `tasks`.

    The fullest zone holds ceil(n / zones), so n - ceil(n / zones) >= tasks.
    Raises GoalUnreachable for one zone: losing it leaves nothing.

    >>> for_zone_loss(np.array([0, 1, 2, 40]), zones=3).tolist()
    [0, 2, 3, 60]
    """
    if zones < 2:
        raise GoalUnreachable(
            "one zone: losing it leaves no task, whatever the count. "
            "Spread over two zones or more, or plan with Goal(survive_zone_loss=False)."
        )
    # n - ceil(n / z) = floor(n (z - 1) / z) >= k  <=>  n = ceil(k z / (z - 1))
    return -(-np.asarray(tasks) * zones // (zones - 1))


def within_bounds(tasks: np.ndarray, least: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Tasks between a service's minimum and maximum, and how many the maximum leaves missing.

    >>> run, short = within_bounds(np.array([0, 5, 12]), least=2, most=10)
    >>> run.tolist(), short.tolist()
    ([2, 5, 10], [0, 0, 2])
    """
    tasks = np.asarray(tasks)
    return np.clip(tasks, least, most), np.maximum(tasks - most, 0)


class Survives(NamedTuple):
    """Which losses the counts of one service are asked, and able, to survive."""

    deployment: bool
    zone_loss: bool

    @classmethod
    def of(cls, service: Service, goal: Goal) -> Survives:
        """What the goal asks and the service's settings allow; the planner reports the difference as findings.

        Queued work (tier "batch") waits while tasks of a lost zone start elsewhere: it keeps no tasks idle for that.
        """
        return cls(
            deployment=goal.survive_deployment and service.minimum_healthy_percent > 0,
            zone_loss=goal.survive_zone_loss and service.zones > 1 and service.tier != "batch",
        )


def tracked_share(service: Service, goal: Goal) -> float:
    """Share of its target at which each task is kept, so that losing a zone leaves none more than full; at most 1.

    What the steps below count in whole tasks, said of one task: the target a policy has to track.

    >>> tracked_share(Service(name="web", zones=3, request_target=0.8), Goal())  # 2/3 of full is 5/6 of 80 %
    0.8333333333333333
    >>> tracked_share(Service(name="web", zones=3, request_target=0.5), Goal())  # half full leaves that room anyway
    1.0
    """
    if not Survives.of(service, goal).zone_loss:
        return 1.0
    return min(1.0, (service.zones - 1) / service.zones / in_full_tasks(service))


class Steps(NamedTuple):
    """Whole tasks after each step, all of one shape. A zone may be lost during a deployment: the steps add up."""

    load: np.ndarray
    startup: np.ndarray
    deployment: np.ndarray
    zone_loss: np.ndarray


def climb(need: npt.ArrayLike, ready: npt.ArrayLike, service: Service, goal: Goal) -> Steps:
    """The steps from fractional `need` and `ready` (its `ready_before`) up to, not including, the service's bounds.

    >>> web = Service(name="web", zones=3, minimum_healthy_percent=100, request_target=0.8)
    >>> [int(count) for count in climb(np.float64(37.2), np.float64(39.5), web, Goal())]  # 31.6 full tasks are left
    [38, 40, 40, 48]
    """
    survives = Survives.of(service, goal)
    load = whole_tasks(need)
    startup = whole_tasks(ready)
    deployment = _deployed(startup, service, survives)
    zone_loss = deployment
    if survives.zone_loss:
        left = _deployed(whole_tasks(np.asarray(ready) * in_full_tasks(service)), service, survives)
        zone_loss = np.maximum(deployment, for_zone_loss(left, service.zones))
    return Steps(load, startup, deployment, zone_loss)


def _deployed(tasks: np.ndarray, service: Service, survives: Survives) -> np.ndarray:
    return for_deployment(tasks, service.minimum_healthy_percent) if survives.deployment else tasks


def last_raised(steps: Steps, least: int, most: int) -> np.ndarray:
    """Name of the last step that set each count: one of `STEPS`.

    >>> last_raised(Steps(*np.array([[3, 3, 9, 0], [4, 3, 9, 0], [4, 3, 9, 0], [4, 3, 9, 0]])), least=2, most=8)
    array(['startup', 'load', 'maximum', 'minimum'], dtype=object)
    """
    step = np.zeros(steps.load.shape, dtype=np.int64)
    ladder = (*steps, np.maximum(steps.zone_loss, least))
    for number, (below, above) in enumerate(pairwise(ladder), start=1):
        step[above > below] = number
    step[steps.zone_loss > most] = len(STEPS) - 1
    return np.array(STEPS, dtype=object)[step]
