"""What people tell us: `capacity.toml`, one typed model per table, and the nouns `Service` and `Goal`.

    [data]        where history comes from, and how to read it
    [account]     quotas shared by every service of a region
    [goal]        how sure the plan shall be, what it shall survive, how far it looks
    [prices]      overrides of the built-in, dated price table
    [forecast]    model, levels, seed
    [report]      title, where files go
    [defaults]    any field of [[service]], for all of them
    [[service]]   one a service

Unknown keys, wrong types and contradictions are reported together, with the place of each.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from capacity.errors import ConfigError, Problem

Architecture = Literal["x86_64", "arm64"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(gt=0, lt=1)]

#: Fargate task sizes: CPU units -> memory in MiB. Source: Amazon ECS, "Task CPU and memory" (reference aws.md 4.1).
FARGATE_SIZES: Final[dict[int, tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}


class Settings(BaseModel):
    """Base of every table: frozen, no unknown keys, and errors that are ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        """Errors are ours, and a ValueError too, so that pydantic collects them when this table is part of another."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            name = f" {values['name']!r}" if values.get("name") else ""
            problems = problems_of(error)
            raise ConfigError(
                f"{type(self).__name__}{name} cannot be used:", problems, _advice(type(self), problems)
            ) from error


class Service(Settings):
    """What is planned: one ECS service, its task size and its bounds.

    >>> Service(name="checkout", requests_per_second_per_task=50, min_tasks=2, max_tasks=64).resource_id
    'service/default/checkout'
    """

    name: str = Field(min_length=1, max_length=255, pattern=r"\S", description="Name, as in the history.")
    cluster: str = Field("default", min_length=1, description="ECS cluster.")
    region: str = Field("us-east-1", min_length=1, description="AWS region: decides prices and quotas.")
    launch_type: Literal["FARGATE", "EC2"] = Field("FARGATE", description="Only FARGATE is priced per task.")
    architecture: Architecture = Field("x86_64", description="Processor architecture of the task.")
    task_vcpu: Positive = Field(1.0, description="vCPU reserved by one task.")
    task_memory_gib: Positive = Field(2.0, description="GiB reserved by one task.")
    ephemeral_storage_gib: float = Field(20.0, ge=20, le=200, description="GiB of task storage; 20 are free.")
    zones: int = Field(3, ge=1, le=6, description="Availability zones the tasks spread over.")
    min_tasks: int = Field(1, ge=0, le=5000, description="Fewest tasks, today's setting.")
    max_tasks: int = Field(10, ge=1, le=5000, description="Most tasks, today's setting. 5,000 is ECS's own limit.")
    startup_seconds: float = Field(120.0, ge=0, le=3600, description="From asking for a task to it serving.")
    requests_per_second_per_task: Positive | None = Field(
        None, description="What one task serves within the SLO; leave out to plan by CPU and memory alone."
    )
    cpu_target: Share = Field(0.60, description="CPU in use, of what is reserved, that a full task may reach.")
    memory_target: Share = Field(0.80, description="Memory in use, of what is reserved, that a full task may reach.")
    request_target: Share = Field(
        0.85, description="Share of requests_per_second_per_task to plan for: room for the SLO's tail."
    )
    memory_scales_with_load: bool = Field(
        False, description="True if adding tasks lowers the memory of each; else memory is a check of task size."
    )
    minimum_healthy_percent: int = Field(100, ge=0, le=100, description="Of the ECS deployment configuration.")
    maximum_percent: int = Field(200, ge=100, le=400, description="Of the ECS deployment configuration.")
    target_value: Positive | None = Field(
        None, description="Today's target-tracking value, if known: percent CPU, or requests/min per task."
    )
    assumed_running_tasks: Positive | None = Field(
        None, description="How many tasks ran, for history that holds a percentage but no task count."
    )
    alb_resource_label: str = Field(
        "", description="app/NAME/ID/targetgroup/NAME/ID: needed to track requests per target."
    )
    tier: Literal["critical", "standard", "batch"] = Field(
        "standard",
        description="How much a shortage matters. The work of `batch` waits in a queue, so the mean of an interval "
        "sizes it, not its busiest minute.",
    )
    timezone: str = Field("UTC", description="IANA zone in which people and schedules live.")
    owner: str = Field("", description="Who decides; printed beside each decision.")
    change_days: int = Field(7, ge=0, le=365, description="Days it takes to have a limit raised.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.min_tasks > self.max_tasks:
            raise ValueError(f"min_tasks ({self.min_tasks}) is above max_tasks ({self.max_tasks})")
        if self.launch_type == "FARGATE":
            units, mib = round(self.task_vcpu * 1024), round(self.task_memory_gib * 1024)
            if units not in FARGATE_SIZES:
                sizes = ", ".join(f"{size / 1024:g}" for size in FARGATE_SIZES)
                raise ValueError(f"task_vcpu {self.task_vcpu:g} is not a Fargate size: {sizes}")
            if mib not in FARGATE_SIZES[units]:
                sizes = ", ".join(f"{size / 1024:g}" for size in FARGATE_SIZES[units])
                raise ValueError(
                    f"task_memory_gib {self.task_memory_gib:g} does not exist beside {self.task_vcpu:g} vCPU: {sizes}"
                )
        if self.minimum_healthy_percent == 100 and self.maximum_percent == 100:
            raise ValueError("minimum_healthy_percent and maximum_percent are both 100: no deployment could move")
        _zone(self.timezone)
        return self

    @property
    def resource_id(self) -> str:
        """Application Auto Scaling's name of the service."""
        return f"service/{self.cluster}/{self.name}"


class Goal(Settings):
    """How sure, against what, and how far.

    >>> Goal(level=0.99).level
    0.99
    """

    level: Probability = Field(0.95, description="Probability that an interval's tasks suffice for its demand.")
    survive_zone_loss: bool = Field(True, description="Keep serving after one zone is lost.")
    survive_deployment: bool = Field(True, description="Keep serving while a rolling deployment has tasks out.")
    horizon: str = Field("91d", description="How far to plan: a duration, or a count of intervals.")


class Account(Settings):
    """Quotas of one region, shared by its services."""

    region: str = Field("us-east-1", description="AWS region the quota belongs to.")
    fargate_vcpu_quota: Positive | None = Field(
        None, description="Fargate On-Demand vCPU quota (L-3032A538); leave out if not known."
    )
    quota_change_days: int = Field(14, ge=0, le=365, description="Days it takes to have the quota raised.")


class Rate(Settings):
    """Prices of one region and architecture, in USD per hour."""

    region: str
    architecture: Architecture = "x86_64"
    vcpu: float = Field(ge=0, description="USD per vCPU-hour.")
    memory_gb: float = Field(ge=0, description="USD per GB-hour.")
    storage_gb: float = Field(0.000111, ge=0, description="USD per GB-hour of task storage above 20 GB.")
    source: str = Field("capacity.toml", description="Where the price comes from.")
    date: str = Field("", description="When it was true, YYYY-MM-DD.")


class PriceSettings(Settings):
    """Overrides of the built-in price table."""

    rate: tuple[Rate, ...] = Field((), description="Rates that replace the built-in ones of their region.")
    discount_percent: float = Field(0.0, ge=0, lt=100, description="Off the list price: Savings Plans, agreements.")


class Data(Settings):
    """Where history comes from, and how to read what does not speak our names."""

    history: str = Field("", description="CSV or Parquet file, folder, or store; relative to this file.")
    columns: dict[str, str] = Field({}, description="Their column -> ours, e.g. series_id = 'service'.")
    service: str = Field("", description="Service of every row, when the file has no service column.")
    metric: str = Field("", description="Metric of every row, when the file has no metric column.")
    unit: str = Field("", description="Unit of the values, when it is not the metric's own.")
    timezone: str = Field("", description="IANA zone of stamps without an offset; empty: such stamps are refused.")
    interval_seconds: int | None = Field(None, gt=0, description="Interval, when it cannot be seen from the stamps.")


class ForecastSettings(Settings):
    """How to forecast."""

    model: str = Field("auto", description="auto, seasonal-naive, harmonic, profile, ets, sarimax, prophet, boosting.")
    paths: int = Field(400, ge=20, le=100_000, description="Sample paths a series.")
    seed: int = Field(0, ge=0, description="Makes sampled results repeatable.")


class ReportSettings(Settings):
    """What the report is called and where it goes."""

    title: str = Field("Capacity report", description="Heading of the first page.")
    out: str = Field("build/report", description="Folder for report.html, .pdf, .xlsx and .json.")


class Config(Settings):
    """`capacity.toml`, read and checked."""

    data: Data = Data()
    account: tuple[Account, ...] = ()
    goal: Goal = Goal()
    prices: PriceSettings = PriceSettings()
    forecast: ForecastSettings = ForecastSettings()
    report: ReportSettings = ReportSettings()
    service: tuple[Service, ...] = ()
    path: Path | None = Field(None, exclude=True, description="The file this came from; set by load_config.")

    @model_validator(mode="after")
    def _unique(self) -> Self:
        seen: dict[str, Service] = {}
        for service in self.service:
            if service.name in seen:
                raise ValueError(
                    f"two services are called {service.name!r} (clusters {seen[service.name].cluster!r} and "
                    f"{service.cluster!r}): give each its own name, as in the history"
                )
            seen[service.name] = service
        regions = [account.region for account in self.account]
        for region in {region for region in regions if regions.count(region) > 1}:
            raise ValueError(f"two [[account]] tables for region {region!r}: keep one")
        return self

    def service_named(self, name: str) -> Service:
        """The service of that name. Raises ConfigError, naming those there are."""
        for service in self.service:
            if service.name == name:
                return service
        known = ", ".join(sorted(service.name for service in self.service)) or "none"
        raise ConfigError(f"no [[service]] named {name!r}", advice=f"There are: {known}.")

    @property
    def history_path(self) -> Path | None:
        """Where [data].history points, relative to the file that says so."""
        if not self.data.history:
            return None
        base = self.path.parent if self.path is not None else Path()
        return base / self.data.history


def load_config(path: str | Path) -> Config:
    """Read `capacity.toml`. Everything wrong in it is reported in one ConfigError.

    `[defaults]` holds fields of `[[service]]` for all services; a service's own field wins. `[account]` may be one
    table or several (`[[account]]`), one a region.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", advice="Write one with: capacity init") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    return config_of(table, path)


def config_of(table: dict[str, Any], path: Path | None = None) -> Config:
    """A Config from plain data, as `load_config` does from a file."""
    table = dict(table)
    defaults = table.pop("defaults", {})
    services = table.get("service", [])
    if isinstance(services, list) and isinstance(defaults, dict):
        table["service"] = [{**defaults, **entry} if isinstance(entry, dict) else entry for entry in services]
    if isinstance(table.get("account"), dict):
        table["account"] = [table["account"]]
    try:
        config = Config(**table)
    except ConfigError as error:
        problems = [_with_name(problem, table) for problem in error.problems]
        raise ConfigError(f"{path or 'configuration'} cannot be used:", problems, error.advice) from error
    return config.model_copy(update={"path": path})


def problems_of(error: ValidationError) -> list[Problem]:
    """Each complaint of pydantic as a Problem; those of a table inside this one keep their own place.

    A constraint between fields (minimum above maximum) has no place of its own: its message names the fields.
    """
    problems = []
    for item in error.errors():
        place = " ".join(str(part) for part in item["loc"])
        inner = item.get("ctx", {}).get("error")
        if isinstance(inner, ConfigError):
            problems += [Problem(p.message, where=f"{place} {p.where}".strip()) for p in inner.problems]
            continue
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key"
        elif item["type"] == "missing":
            message = "is required"
        elif item["type"] != "value_error":
            message = f"{message}, got {item['input']!r}"
        problems.append(Problem(message, where=place))
    return problems


def _with_name(problem: Problem, table: dict[str, Any]) -> Problem:
    """`service 3 max_tasks` as `service 'checkout' max_tasks`."""
    head, _, rest = problem.where.partition(" ")
    index, _, field = rest.partition(" ")
    if head != "service" or not index.isdigit():
        return problem
    entry = table["service"][int(index)]
    name = entry.get("name") if isinstance(entry, dict) else None
    label = repr(name) if name else f"#{int(index) + 1}"
    return Problem(problem.message, where=f"service {label} {field}".strip())


def _advice(model: type[BaseModel], problems: list[Problem]) -> str:
    if not any(problem.message == "unknown key" for problem in problems):
        return ""
    return f"Known keys of {model.__name__}: {', '.join(name for name in model.model_fields if name != 'path')}."


def _zone(name: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"timezone {name!r} is not an IANA zone such as 'Europe/Paris'") from None


def starter(history: Path, services: list[str], folder: Path, **reading: Any) -> str:
    """The text of a first capacity.toml for these services: what must be filled in is marked, and it loads as it is.

    reading  how the history was read: any field of [data]

    >>> config_of(tomllib.loads(starter(Path("usage.csv"), ['a "b"'], Path(".")))).service[0].name
    'a "b"'
    """
    import os

    lines = [
        "# Settings of `capacity`. Every key and its meaning: docs/configuration.md",
        "",
        "[data]",
        f"history = {_toml(Path(os.path.relpath(history, folder)).as_posix())}",
        *(f"{key} = {_toml(value)}" for key, value in reading.items()),
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
        "[defaults]                           # any field of [[service]], for all of them",
        'region = "us-east-1"',
        "task_vcpu = 1.0                      # FILL IN: reserved by one task",
        "task_memory_gib = 2.0                # FILL IN",
        "requests_per_second_per_task = 50.0  # FILL IN: what one task serves within the SLO",
        "startup_seconds = 120",
        "min_tasks = 2                        # FILL IN: today's bounds",
        "max_tasks = 100",
    ]
    for name in services:
        lines += ["", "[[service]]", f"name = {_toml(name)}"]
    return "\n".join(lines) + "\n"


def reference() -> str:
    """Every table and key of capacity.toml as Markdown: what `docs/configuration.md` holds."""
    tables: list[tuple[str, type[Settings]]] = [
        ("[data]", Data),
        ("[account]", Account),
        ("[goal]", Goal),
        ("[prices]", PriceSettings),
        ("[[prices.rate]]", Rate),
        ("[forecast]", ForecastSettings),
        ("[report]", ReportSettings),
        ("[[service]]", Service),
    ]
    lines = [
        "# Configuration: `capacity.toml`",
        "",
        "Generated from `capacity/config.py` by `python -m capacity.config > docs/configuration.md`. `[defaults]` "
        "takes any key of `[[service]]`, for all services; `[account]` may be given once, or once a region as "
        "`[[account]]`.",
    ]
    for heading, model in tables:
        summary = (model.__doc__ or "").strip().splitlines()[0]
        lines += ["", f"## `{heading}`", "", summary, "", "| key | type | default | meaning |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            default = "required" if field.is_required() else f"`{_toml(field.default)}`"
            kind = _type_name(model.__annotations__[name])
            lines.append(f"| `{name}` | {kind} | {default} | {field.description or ''} |")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A value as TOML writes it. A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.

    >>> print(_toml('say "hi"'), _toml(0.5), _toml(True))
    "say \\"hi\\"" 0.5 true
    """
    import json

    if isinstance(value, tuple):
        return "[]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{_toml(key)} = {_toml(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return "unset" if value is None else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _type_name(annotation: str) -> str:
    """An annotation in a reader's words: `Positive | None` is a number above 0."""
    words = {
        "Positive": "number above 0",
        "Share": "share in (0, 1]",
        "Probability": "probability in (0, 1)",
        "Architecture": "`x86_64`, `arm64`",
        "str": "text",
        "int": "whole number",
        "float": "number",
        "bool": "true, false",
        "dict[str, str]": "table of text",
        "tuple[Rate, ...]": "`[[prices.rate]]`",
    }
    name = annotation.removesuffix(" | None")
    if name.startswith("Literal["):
        return ", ".join(f"`{part.strip(chr(34))}`" for part in name[8:-1].split(", "))
    return words[name]


if __name__ == "__main__":
    print(reference(), end="")
