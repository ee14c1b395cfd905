"""The fleet in the workbook: services, their tasks by day, their limits, and what binds."""

from __future__ import annotations

from typing import Any, Final

from capacity.reporting.sections.base import Document
from capacity.reporting.series import array, grid_of
from capacity.reporting.sheets import Field, Sheet
from capacity.reporting.wording import STATUS_WORDS


def _capacity(row: dict[str, Any], field: str) -> Any:
    """What is known of a task's capacity; the bare rate where nothing more is stated."""
    if row["task_capacity"] is None:
        return row["settings"]["requests_per_second_per_task"] if field == "requests_per_second" else None
    return row["task_capacity"][field]


SERVICES: Final = (
    Field("Service", "text", 28, lambda row: row["name"]),
    Field("Region", "text", 14, lambda row: row["settings"]["region"]),
    Field("Architecture", "text", 12, lambda row: row["settings"]["architecture"]),
    Field("vCPU per task", "number", 9, lambda row: row["settings"]["task_vcpu"]),
    Field("GiB per task", "number", 9, lambda row: row["settings"]["task_memory_gib"]),
    Field("Minimum today, tasks", "count", 10, lambda row: row["settings"]["min_tasks"]),
    Field("Maximum today, tasks", "count", 10, lambda row: row["settings"]["max_tasks"]),
    Field("One task carries, requests/s", "number", 11, lambda row: _capacity(row, "requests_per_second")),
    Field("Lower end of 95 %, requests/s", "number", 11, lambda row: _capacity(row, "low")),
    Field("Upper end of 95 %, requests/s", "number", 11, lambda row: _capacity(row, "high")),
    Field("Known by", "text", 16, lambda row: _capacity(row, "method")),
    Field("Measured, UTC", "date", 14, lambda row: _capacity(row, "measured")),
    Field("Age at the start of the plan, days", "count", 11, lambda row: _capacity(row, "age_days")),
    Field("Peak next week, tasks", "count", 11, lambda row: row["tasks"]["next_week"]),
    Field("Peak in horizon, tasks", "count", 11, lambda row: row["tasks"]["highest"]),
    Field("Minimum advised, tasks", "count", 11, lambda row: (row["policy"] or {}).get("min_tasks")),
    Field("Maximum advised, tasks", "count", 11, lambda row: (row["policy"] or {}).get("max_tasks")),
    Field("Cost, USD per month: mean", "usd", 13, lambda row: row["cost"]["month"]["mean"]),
    Field("5 % quantile, USD per month", "usd", 13, lambda row: row["cost"]["month"]["p5"]),
    Field("95 % quantile, USD per month", "usd", 13, lambda row: row["cost"]["month"]["p95"]),
    Field("Why cost is unknown", "text", 34, lambda row: row["cost"]["reason"]),
    Field("Data", "text", 10, lambda row: STATUS_WORDS[row["status"]]),
    Field("Owner", "text", 18, lambda row: row["settings"]["owner"]),
)


TASKS: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("Day, UTC", "date", 14, lambda row: row["day"]),
    Field("To run, tasks", "count", 12, lambda row: row["tasks"]),
    Field("Missing above the maximum, tasks", "count", 16, lambda row: row["short"]),
    Field("Needed, median, tasks", "count", 12, lambda row: row["p50"]),
    Field("Needed, 95 % quantile, tasks", "count", 14, lambda row: row["p95"]),
)


LIMITS: Final = (
    Field("Service or account", "text", 28, lambda row: row["service"]),
    Field("Limit", "text", 22, lambda row: row["limit"]),
    Field("Limit today", "number", 12, lambda row: row["value"]),
    Field("Unit", "text", 8, lambda row: row["unit"]),
    Field("Probability of passing it", "share", 14, lambda row: row["probability"]),
    Field("5 % have passed, UTC", "date", 14, lambda row: row["first"]),
    Field("Half have passed, UTC", "date", 14, lambda row: row["median"]),
    Field("Would hold", "number", 12, lambda row: row["needed"]),
    Field("Ask by, UTC", "date", 14, lambda row: row["act_by"]),
)


BOTTLENECKS: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("What binds", "text", 30, lambda row: row["name"]),
    Field("At the forecast peak", "number", 12, lambda row: row["demand"]),
    Field("Carries", "number", 12, lambda row: row["carries"]),
    Field("Unit", "text", 12, lambda row: row["unit"]),
    Field("Holds until, times the peak", "number", 12, lambda row: row["binds_at"]),
    Field("How that is known", "text", 60, lambda row: row["evidence"]),
    Field("What would move it", "text", 60, lambda row: row["lever"]),
    Field("Tasks that saves at the peak", "count", 12, lambda row: row["tasks_saved"]),
)


def daily_tasks(document: Document) -> list[dict[str, Any]]:
    """One row a service and day: the highest count of each day, for hours do not fit a review."""
    rows = []
    for part in document["services"]:
        daily = part["tasks"]["daily"]
        days, columns = grid_of(daily, "tasks"), {name: array(daily, name) for name in ("tasks", "asked", "p50", "p95")}
        for place, moment in enumerate(days):
            held = {name: columns[name][place] for name in columns}
            rows.append(
                {
                    "service": part["name"],
                    "day": moment.isoformat(),
                    "short": held["asked"] - held["tasks"],
                    **{name: held[name] for name in ("tasks", "p50", "p95")},
                }
            )
    return rows


def limits(document: Document) -> list[dict[str, Any]]:
    """Limits of services, then quotas that they share."""
    rows = [{"service": part["name"], **limit} for part in document["services"] for limit in part["limits"]]
    shared = [
        {
            **account,
            "service": account["region"],
            "limit": "fargate_vcpu_quota",
            "value": account["quota"],
            "unit": "vCPU",
        }
        for account in document["accounts"]
    ]
    return rows + shared


def bottlenecks(document: Document) -> list[dict[str, Any]]:
    """What binds in each service that has something to say of it."""
    known = [part for part in document["services"] if part["bottlenecks"] is not None]
    return [{"service": part["name"], **one} for part in known for one in part["bottlenecks"]["rows"]]


def fleet_sheets(document: Document) -> list[Sheet]:
    """Services, Tasks, Limits and Bottlenecks."""
    days = "Highest planned count of each day and service; UTC days."
    return [
        Sheet("Services", SERVICES, document["services"]),
        Sheet("Tasks", TASKS, daily_tasks(document), days),
        Sheet("Limits", LIMITS, limits(document)),
        Sheet("Bottlenecks", BOTTLENECKS, bottlenecks(document)),
    ]
