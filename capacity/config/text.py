"""`capacity.toml` as text: a first one to fill in, and the reference of every key."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

from capacity.config.account import Account, Subnet
from capacity.config.azure import AzureMetric, AzureSettings
from capacity.config.base import Settings
from capacity.config.cloudwatch import CacheNodes, CloudWatchSettings, CustomMetric, Distribution
from capacity.config.event import Event
from capacity.config.limit import Limit
from capacity.config.money import Budget, HeldCommitment, SavingsPlanRate
from capacity.config.monitoring import Monitoring
from capacity.config.prometheus import PrometheusQuery, PrometheusSettings
from capacity.config.scenario import Move, Scenario
from capacity.config.service import Service
from capacity.config.sizing import Instance, RegionShare
from capacity.config.slo import Slo
from capacity.config.tables import Data, ForecastSettings, Goal, PriceSettings, Rate, ReportSettings
from capacity.config.task_capacity import TaskCapacity


def starter(history: Path, services: list[str], folder: Path, **reading: Any) -> str:
    """The text of a first capacity.toml for these services: what must be filled in is marked, and it loads as it is.

    reading  how the history was read: any field of [data]

    >>> print(starter(Path("usage.csv"), ['a "b"'], Path(".")).splitlines()[-1])
    name = "a \\"b\\""
    """
    lines = [
        "# Settings of `capacity`. Every key and its meaning: docs/configuration.md",
        "",
        "[data]",
        f"history = {toml(Path(os.path.relpath(history, folder)).as_posix())}",
        *(f"{key} = {toml(value)}" for key, value in reading.items()),
        "",
        "[account]",
        'region = "us-east-1"',
        "# fargate_vcpu_quota = 1000            # Service Quotas, L-3032A538: reached when?",
        "",
        "[goal]",
        'horizon = "91d"                      # how far to plan',
        "level = 0.95                         # how sure each interval shall be",
        "survive_zone_loss = true",
        "",
        "# [[event]]                          # what you know of days unlike others: docs/forecasting.md",
        '# name = "Black Friday"',
        "# start = 2025-11-28",
        "# dates = [2026-11-27]               # or uplift = 2.0, where it is not in the history",
        "",
        "[defaults]                           # any field of [[service]], for all of them",
        'region = "us-east-1"',
        "task_vcpu = 1.0                      # FILL IN: reserved by one task",
        "task_memory_gib = 2.0                # FILL IN",
        "requests_per_second_per_task = 50.0  # FILL IN: what one task serves within the SLO",
        "startup_seconds = 120",
        "min_tasks = 2                        # FILL IN: today's bounds",
        "max_tasks = 100",
        "# slo = [{ objective = 0.999 }]        # what was promised to its users: docs/slos.md",
    ]
    for name in services:
        lines += ["", "[[service]]", f"name = {toml(name)}"]
    return "\n".join(lines) + "\n"


def carried(capacity: TaskCapacity, service: str = "") -> str:
    """What one task carries, as a table of capacity.toml to paste below the service's own `[[service]]`.

    >>> print(carried(TaskCapacity(requests_per_second=52, low=47, high=55, measured=date(2026, 11, 3)), "web"))
    [service.task_capacity]  # of [[service]] name = "web"
    requests_per_second = 52.0
    low = 47.0
    high = 55.0
    measured = 2026-11-03
    """
    whose = f"  # of [[service]] name = {toml(service)}" if service else "  # below the [[service]] it belongs to"
    said = {name: getattr(capacity, name) for name in TaskCapacity.model_fields}
    defaults = {name: field.default for name, field in TaskCapacity.model_fields.items()}
    lines = [f"{name} = {toml(value)}" for name, value in said.items() if value != defaults[name]]
    return "\n".join([f"[service.task_capacity]{whose}", *lines])


def reference() -> str:
    """Every table and key of capacity.toml as Markdown: what `docs/configuration.md` holds."""
    tables: list[tuple[str, type[Settings]]] = [
        ("[data]", Data),
        ("[account]", Account),
        ("[[account.subnet]]", Subnet),
        ("[goal]", Goal),
        ("[prices]", PriceSettings),
        ("[[prices.rate]]", Rate),
        ("[[prices.commitment]]", HeldCommitment),
        ("[[prices.savings_plan]]", SavingsPlanRate),
        ("[[budget]]", Budget),
        ("[forecast]", ForecastSettings),
        ("[report]", ReportSettings),
        ("[monitoring]", Monitoring),
        ("[[event]]", Event),
        ("[[scenario]]", Scenario),
        ("[[scenario.move]]", Move),
        ("[cloudwatch]", CloudWatchSettings),
        ("[[cloudwatch.metric]]", CustomMetric),
        ("[[cloudwatch.distribution]]", Distribution),
        ("[[cloudwatch.cache]]", CacheNodes),
        ("[prometheus]", PrometheusSettings),
        ("[[prometheus.query]]", PrometheusQuery),
        ("[azure]", AzureSettings),
        ("[[azure.metric]]", AzureMetric),
        ("[[service]]", Service),
        ("[service.task_capacity]", TaskCapacity),
        ("[[service.limit]]", Limit),
        ("[[service.slo]]", Slo),
        ("[[service.regions]]", RegionShare),
        ("[[instance]]", Instance),
    ]
    lines = [
        "# Configuration: `capacity.toml`",
        "",
        "Generated from `capacity/config` by `python -m capacity.config > docs/configuration.md`. `[defaults]` "
        "takes any key of `[[service]]`, for all services; `[account]` may be given once, or once a region as "
        "`[[account]]`.",
    ]
    for heading, model in tables:
        summary = (model.__doc__ or "").strip().splitlines()[0]
        lines += ["", f"## `{heading}`", "", summary, "", "| key | type | default | meaning |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            default = "required" if field.is_required() else f"`{toml(field.default)}`"
            kind = _type_name(model.__annotations__[name])
            lines.append(f"| `{name}` | {kind} | {default} | {field.description or ''} |")
    return "\n".join(lines) + "\n"


def toml(value: Any) -> str:
    """A value as TOML writes it. A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.

    >>> print(toml('say "hi"'), toml(0.5), toml(True))
    "say \\"hi\\"" 0.5 true
    """
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, date):
        return value.isoformat()
    return "unset" if value is None else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _type_name(annotation: str) -> str:
    """An annotation in a reader's words: `Positive | None` is a number above 0."""
    words = {
        "Positive": "number above 0",
        "Share": "share in (0, 1]",
        "Probability": "probability in (0, 1)",
        "Architecture": "`x86_64`, `arm64`",
        "Method": "`stated`, `load test`, `production`, `load test and production`",
        "TaskCapacity": "`[service.task_capacity]`",
        "date": "date",
        "str": "text",
        "Moment": "date or time",
        "tuple[Moment, ...]": "list of dates or times",
        "int": "whole number",
        "float": "number",
        "bool": "true, false",
        "dict[str, str]": "table of text",
        "tuple[str, ...]": "list of text",
        "Factor": "number above 0, or percent",
        "dict[str, Any]": "table",
        "PriceSettings": "`[scenario.prices]`",
        "tuple[Move, ...]": "`[[scenario.move]]`",
        "tuple[Rate, ...]": "`[[prices.rate]]`",
        "tuple[HeldCommitment, ...]": "`[[prices.commitment]]`",
        "tuple[SavingsPlanRate, ...]": "`[[prices.savings_plan]]`",
        "Payment": "`no upfront`, `partial upfront`, `all upfront`",
        "Years": "`1`, `3`",
        "tuple[Annotated[str, Field(pattern=_SUBSCRIBER)], ...]": "list of text",
        "tuple[CustomMetric, ...]": "`[[cloudwatch.metric]]`",
        "tuple[Distribution, ...]": "`[[cloudwatch.distribution]]`",
        "tuple[CacheNodes, ...]": "`[[cloudwatch.cache]]`",
        "tuple[PrometheusQuery, ...]": "`[[prometheus.query]]`",
        "tuple[Limit, ...]": "`[[service.limit]]`",
        "tuple[Slo, ...]": "`[[service.slo]]`",
        "tuple[RegionShare, ...]": "`[[service.regions]]`",
        "tuple[Subnet, ...]": "`[[account.subnet]]`",
        "tuple[AzureMetric, ...]": "`[[azure.metric]]`",
    }
    name = annotation.removesuffix(" | None")
    if name.startswith("tuple[Literal["):
        return f"list of {_type_name(name[6:-6])}"
    if name.startswith("Literal["):
        kinds = [part.strip("'\"") for part in name[8:-1].split(", ")]
        return ", ".join(f"`{word}`" for word in kinds if word)
    return words[name]
