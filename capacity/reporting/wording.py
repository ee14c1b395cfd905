"""Names for people of what the document names for programs, shared by every format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from capacity.reporting import words

#: From this probability on a limit counts as at risk: the share of paths at which `schema.LIMITS.first` is read.
AT_RISK: Final = 0.05

#: Name of the fleet's own picture; a service's begin with its anchor.
COST_PICTURE: Final = "cost-by-service"

STATUS_WORDS: Final = {"PASS": "Passed", "REVIEW": "Review", "FAIL": "Failed", "UNKNOWN": "Unknown"}

STEP_NAMES: Final = {
    "load": "For the load",
    "startup": "While tasks start",
    "deployment": "During a deployment",
    "zone loss": "After losing a zone",
    "bounds": "Between minimum and maximum",
}

LIMIT_NAMES: Final = {
    "max_tasks": "today's maximum",
    "fargate_vcpu_quota": "the region's Fargate quota",
    "fargate_spot_vcpu_quota": "the region's Fargate Spot quota",
    "launch_rate": "what Fargate starts in the region",
    "launch_rate_zone_loss": "what Fargate starts after a zone is lost",
    "ecs_tasks_per_service": "what ECS allows in one service",
    "service_launch_rate": "what Fargate starts of one service",
    "subnet_addresses": "free addresses",
    "targets_per_load_balancer": "targets of the load balancer",
    "targets_per_target_group": "targets of the target group",
    "provisioning_tasks": "tasks a cluster provisions at once",
    "connections": "connections",
    "downstream": "calls downstream",
}


def limit_name(limit: str) -> str:
    """A limit as people speak of it, with what it is of.

    >>> limit_name("max_tasks"), limit_name("connections: orders-db"), limit_name("subnet_addresses: euw1-az1")
    ("today's maximum", 'connections of orders-db', 'free addresses of euw1-az1')
    """
    kind, _, of = limit.partition(": ")
    name = LIMIT_NAMES.get(kind, kind)
    return f"{name} of {of}" if of else name


METRIC_NAMES: Final = {"requests": "requests", "cpu": "CPU", "memory": "memory"}

ITEM_NAMES: Final = {
    "vcpu": "vCPU",
    "memory": "Memory",
    "spot_vcpu": "vCPU on Spot",
    "spot_memory": "Memory on Spot",
    "storage": "Task storage",
    "public_ipv4": "Public IPv4 addresses",
}

ACTIONS: Final = {
    "raise_max": "Raise maximum",
    "lower_max": "Lower maximum",
    "raise_min": "Raise minimum",
    "lower_min": "Lower minimum",
    "raise_quota": "Raise quota",
    "resize": "Change task size",
    "measure": "Measure capacity",
    "fix_data": "Repair data",
    "watch": "Watch",
    "commit": "Commit",
    "budget": "Raise budget",
}


class Column(NamedTuple):
    """A column of the rehearsal table: where its figure is, and how it is written."""

    key: str
    label: str
    unit: str
    say: Callable[[Any], str]


#: Figures of a rehearsal that are shown, in this order, when the rehearsal has them.
REHEARSAL: Final = (
    Column("short_minutes", "Short", "minutes", words.grouped),
    Column("short_share", "Short", "share of time", words.share_2),
    Column("task_hours", "Task-hours", "", words.grouped),
    Column("usd", "Cost", "USD, replayed span", words.amount),
    Column("usd_per_month", "Cost", "USD per month", words.amount),
    Column("changes", "Changes", "of desired count", words.grouped),
    Column("theta_u", "Under", "θU, % of need", words.fixed),
    Column("theta_o", "Over", "θO, % of need", words.fixed),
)


def rehearsal_columns(rows: list[dict[str, Any]]) -> list[Column]:
    """The columns of `REHEARSAL` that these rows hold a figure for."""
    return [column for column in REHEARSAL if any(row.get(column.key) is not None for row in rows)]


#: Rows of a rehearsal shown besides the chosen one; the rest are in the JSON.
SHOWN_CANDIDATES: Final = 5


def shown_candidates(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Today's, tracking alone, the chosen one, and of the others those no other beats on both shortage and effort."""
    effort = "task_hours" if all(row.get("task_hours") is not None for row in rows) else "usd"
    if len(rows) <= SHOWN_CANDIDATES + 1 or any(row.get(effort) is None for row in rows):
        return rows

    def beaten(row: dict[str, Any]) -> bool:
        short, paid = row["short_minutes"], row[effort]
        return any(
            other["short_minutes"] <= short
            and other[effort] <= paid
            and (other["short_minutes"], other[effort]) != (short, paid)
            for other in rows
        )

    wanted = [*rows[:2], *(row for row in rows if row.get("chosen")), *(row for row in rows if not beaten(row))]
    kept = {row["candidate"] for row in wanted[: SHOWN_CANDIDATES + 1]}
    return [row for row in rows if row["candidate"] in kept]


def grouped_decisions(decisions: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], ...]:
    """Those with a date, those without, and those to watch; each in the plan's order."""
    watched = [one for one in decisions if one["kind"] == "watch"]
    dated = [one for one in decisions if one["kind"] != "watch" and one["before"]]
    return dated, [one for one in decisions if one not in watched and one not in dated], watched
