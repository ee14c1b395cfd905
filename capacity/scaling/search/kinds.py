"""The ways to scale that are compared: a tracked target, how slowly it scales in, and how a schedule is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from capacity.config import Goal, Service
from capacity.planning.steps import Survives
from capacity.scaling.clocks import DOCUMENTED
from capacity.scaling.load import carried, target_value
from capacity.scaling.policy import ServicePolicy, TargetTracking, TrackedMetric
from capacity.scaling.schedule import DAILY, EACH_DAY, WEEK_PARTS, Days

#: Targets tried, as shares of what a task may carry and keep its promise (`kept_share`).
SHARES: Final = (0.95, 0.85, 0.75, 0.65, 0.5)

#: Scale-in cooldowns tried, in seconds: ECS's default, and one that holds what a burst needed for the next ones.
COOLDOWNS: Final = (300, 1800)

#: Prices of a short minute tried for schedules, in mean serving tasks (`Worth.cost`).
PRICES: Final = (4.0, 16.0, 64.0)

#: Patterns tried, the simpler first: one for all days, one each for weekdays and weekends, one for each day.
PATTERNS: Final[dict[str, tuple[Days, ...]]] = {"daily": DAILY, "weekday and weekend": WEEK_PARTS, "each day": EACH_DAY}


@dataclass(frozen=True)
class Kind:
    """One way to scale, before it is made for certain weeks. Without a pattern there is no schedule."""

    share: float  # of `kept_share`, tracked
    cooldown: int  # seconds, of scale-in
    pattern: str = ""
    price: float = 0.0  # of a short minute

    @property
    def tracked(self) -> tuple[float, int]:
        """What tracking alone depends on."""
        return self.share, self.cooldown

    def name(self, policy: ServicePolicy) -> str:
        """For tables and sentences.

        >>> from capacity import Service
        >>> web = Service(name="web", requests_per_second_per_task=50)
        >>> Kind(0.95, 1800, "daily", 16.0).name(ServicePolicy(web, 2, 9, TargetTracking("requests", 2850)))
        'tracking 2,850/min, in after 30 min, daily schedule x16'
        """
        unit = "/min" if policy.tracking.metric == "requests" else " %"
        slowly = "" if self.cooldown == COOLDOWNS[0] else f", in after {self.cooldown // 60} min"
        schedule = f", {self.pattern} schedule x{self.price:g}" if self.pattern else ""
        return f"tracking {policy.tracking.target:,g}{unit}{slowly}{schedule}"


def kept_share(service: Service, goal: Goal) -> float:
    """Share of a full task's load that every task may carry so that the promise is kept.

    1, or what leaves none more than full when a zone is lost: where that is asked for. A default that half as many
    tasks more pay for counts as asked for only when `zones` or `survive_zone_loss` was stated, or the tier is critical.

    >>> kept_share(Service(name="web", zones=3), Goal()), kept_share(Service(name="web"), Goal())
    (0.6666666666666666, 1.0)
    """
    asked = "zones" in service.model_fields_set or "survive_zone_loss" in goal.model_fields_set
    if not Survives.of(service, goal).zone_loss or not (asked or service.tier == "critical"):
        return 1.0
    return (service.zones - 1) / service.zones


def most_tracked(service: Service, metric: TrackedMetric, full_share: float) -> float:
    """Share of a full task above which no target is tried: its stated target, or all of it where none was stated.

    full_share  of a task's size at which it is full (`needs.full_share`)

    >>> most_tracked(Service(name="web", request_target=0.7), "requests", 1.0)
    0.7
    >>> most_tracked(Service(name="web"), "requests", 1.0)
    1.0
    """
    field = {"requests": "request_target", "cpu": "cpu_target", "memory": "memory_target"}[metric]
    return getattr(service, field) / full_share if field in service.model_fields_set else 1.0


def plain_kinds(most: float, kept: float) -> list[Kind]:
    """Tracking alone: every share up to the most that may be tracked, the highest first.

    >>> [kind.share for kind in plain_kinds(most=0.7, kept=1.0) if kind.cooldown == 300]
    [0.7, 0.65, 0.5]
    """
    top = min(1.0, most / kept)
    shares = [share for share in SHARES if share < top]
    if top < SHARES[0]:
        shares = [top, *shares]
    return [Kind(share, cooldown) for share in shares for cooldown in COOLDOWNS]


def scheduled_kinds(plain: list[Kind]) -> list[Kind]:
    """Each of them with every pattern at every price."""
    return [replace(kind, pattern=name, price=price) for kind in plain for name in PATTERNS for price in PRICES]


def tracking(
    service: Service, metric: TrackedMetric, share: float, per_task: float | None = None, cooldown: int = COOLDOWNS[0]
) -> TargetTracking:
    """Target tracking at a share of a task's size, with a scale-out cooldown that outlasts start-up and metric delay.

    A datapoint measured before new tasks served must not be multiplied by a count that includes them.
    """
    deaf = ceil(service.startup_seconds / 60) + DOCUMENTED.metric_delay + 1
    target = target_value(service, metric, share, per_task)
    return TargetTracking(metric, target, scale_out_cooldown=60 * deaf, scale_in_cooldown=cooldown)


def made(kind: Kind, base: ServicePolicy, kept: float) -> ServicePolicy:
    """The kind's target and cooldown put on a policy, without a schedule.

    kept  share of a full task that keeps the promise
    """
    task = carried(base)
    share = kind.share * kept * task.full / task.size
    tracked = tracking(base.service, base.tracking.metric, share, base.per_task, kind.cooldown)
    return replace(base, tracking=tracked, schedule=())
