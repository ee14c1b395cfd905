"""Names for people of what the document names for programs, shared by every format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from capacity.reporting import words

#: From this probability on a limit counts as at risk: the share of paths at which `schema.LIMITS.first` is read.
AT_RISK: Final = 0.05

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
    "ecs_tasks_per_service": "what ECS allows in one service",
}

ITEM_NAMES: Final = {"vcpu": "vCPU", "memory": "Memory", "storage": "Task storage"}

ACTIONS: Final = {
    "raise_max": "Raise maximum",
    "lower_max": "Lower maximum",
    "raise_min": "Raise minimum",
    "lower_min": "Lower minimum",
    "raise_quota": "Raise quota",
    "resize": "Change task size",
    "fix_data": "Repair data",
    "watch": "Watch",
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
    Column("theta_u", "θU", "under, %", words.number),
    Column("theta_o", "θO", "over, %", words.number),
)


def rehearsal_columns(rows: list[dict[str, Any]]) -> list[Column]:
    """The columns of `REHEARSAL` that these rows hold a figure for."""
    return [column for column in REHEARSAL if any(row.get(column.key) is not None for row in rows)]


def grouped_decisions(decisions: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], ...]:
    """Those with a date, those without, and those to watch; each in the plan's order."""
    watched = [one for one in decisions if one["kind"] == "watch"]
    dated = [one for one in decisions if one["kind"] != "watch" and one["before"]]
    return dated, [one for one in decisions if one not in watched and one not in dated], watched
