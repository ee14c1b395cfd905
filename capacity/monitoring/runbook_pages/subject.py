"""What a page is about: an alarm, its service, and what is known of it. Every command of a page asks it for names."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.config import Account, Service
from capacity.monitoring.alarm import Alarm
from capacity.monitoring.conditions import All, AnyOf, Condition, Threshold
from capacity.monitoring.dashboards.promql import Questions
from capacity.monitoring.facts import Facts
from capacity.planning.plans import Decision
from capacity.planning.words import sensible

#: Where no plan says how much more: a quarter above today's, enough to see whether tasks are what is missing.
WITHOUT_PLAN = 1.25


@dataclass(frozen=True)
class Subject:
    """An alarm with its service and numbers.

    service    of an alarm of an account: any service of the fleet in that region
    facts      None without a plan
    account    quotas of the region, where they are known
    decisions  of the plan about the service, and about its account's quota in the region
    peers      of an account's alarm: what is known of the services that share it
    """

    alarm: Alarm
    service: Service
    questions: Questions
    facts: Facts | None = None
    account: Account | None = None
    decisions: tuple[Decision, ...] = ()
    peers: tuple[Facts, ...] = ()

    @property
    def shared(self) -> bool:
        """Whether the alarm is an account's, of no one service."""
        return not self.alarm.service

    @property
    def region(self) -> str:
        return self.alarm.region or self.service.region

    @property
    def owner(self) -> str:
        """Who decides; of an account's alarm nobody, unless the alarm says so."""
        return self.alarm.owner or ("" if self.shared else self.service.owner)

    @property
    def more(self) -> str:
        """What tells the alarm from others of its kind: a promise, a metric; empty for most."""
        ending = self.alarm.runbook.removesuffix(".md").rpartition("--")[2]
        return ending.removeprefix(self.alarm.kind).removeprefix("-")

    @property
    def watched_max(self) -> int:
        """The maximum that the alarm waits for: the policy's, if it was chosen with one; else today's."""
        return _most(self.alarm.condition) or self.service.max_tasks

    @property
    def ecs_name(self) -> str:
        """The service's own name in ECS."""
        return self.service.resource_id.split("/", 2)[2]

    @property
    def more_tasks(self) -> int:
        """The maximum to allow while it is too low: the plan's, and always more than today's."""
        today = self.service.max_tasks
        planned = self.facts.proposed_max if self.facts is not None else today
        return planned if planned > today else sensible(today * WITHOUT_PLAN + 1)

    @property
    def held_tasks(self) -> int:
        """The minimum to hold while in doubt: what the plan has for the busiest hour of a usual week, within bounds."""
        least, most = self.service.min_tasks, self.service.max_tasks
        week = self.facts.tasks if self.facts is not None else None
        return min(most, max(least + 1, round(max(week)) if week is not None else round((least + most) / 2)))


def _most(condition: Condition) -> int | None:
    """Tasks at or above which a condition holds, where it reads them."""
    match condition:
        case All(parts) | AnyOf(parts):
            return next((found for part in parts if (found := _most(part)) is not None), None)
        case Threshold(reading, ">=", value) if reading.signal == "running_tasks":
            return round(value)
    return None
