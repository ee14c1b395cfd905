"""From fractional need to whole tasks, one headroom at a time. Each step is a pure function along the last axis.

need (fractional) -> `whole_tasks` for load -> `ready_before` for start-up -> `for_deployment` -> `for_zone_loss`
-> `within_bounds`. All take one curve (H,) or many paths (P, H).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from capacity.config import Goal, Service
from capacity.errors import GoalUnreachable

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
    slack = np.maximum(np.abs(need), 1) * NOISE
    return np.ceil(np.maximum(need - slack, 0)).astype(np.int64)


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
        """What the goal asks and the service's settings allow; the planner reports the difference as findings."""
        return cls(
            deployment=goal.survive_deployment and service.minimum_healthy_percent > 0,
            zone_loss=goal.survive_zone_loss and service.zones > 1,
        )


class Steps(NamedTuple):
    """Whole tasks after each step, all of one shape. A zone may be lost during a deployment: the steps add up."""

    load: np.ndarray
    startup: np.ndarray
    deployment: np.ndarray
    zone_loss: np.ndarray


def climb(need: npt.ArrayLike, ready: npt.ArrayLike, service: Service, goal: Goal) -> Steps:
    """The steps from fractional `need` and `ready` (its `ready_before`) up to, not including, the service's bounds.

    >>> web = Service(name="web", zones=3, minimum_healthy_percent=100)
    >>> [int(count) for count in climb(np.float64(37.2), np.float64(39.5), web, Goal())]
    [38, 40, 40, 60]
    """
    survives = Survives.of(service, goal)
    load = whole_tasks(need)
    startup = whole_tasks(ready)
    deployment = for_deployment(startup, service.minimum_healthy_percent) if survives.deployment else startup
    zone_loss = for_zone_loss(deployment, service.zones) if survives.zone_loss else deployment
    return Steps(load, startup, deployment, zone_loss)


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
