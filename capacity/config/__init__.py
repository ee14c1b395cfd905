"""What people tell us: `capacity.toml`, one typed model per table, and the nouns `Service` and `Goal`.

    [data]        where history comes from, and how to read it
    [account]     quotas shared by every service of a region
    [goal]        how sure the plan shall be, what it shall survive, how far it looks
    [prices]      overrides of the built-in, dated price table; Savings Plans that are held ([[prices.commitment]])
    [[budget]]    one an amount that some services may cost in a month
    [forecast]    model, levels, seed
    [report]      title, where files go
    [monitoring]  who is woken, who gets a ticket, where runbooks are
    [[scenario]]  one a what-if: growth, a launch, a lost zone, other settings
    [[event]]     one a launch, sale, migration or other day that is not like others
    [cloudwatch]  how CloudWatch is read, CloudFront and ElastiCache, and metrics of your own ([[cloudwatch.metric]])
    [prometheus]  a server to read from, and what to ask it ([[prometheus.query]])
    [azure]       what to read from Azure Monitor
    [defaults]    any field of [[service]], for all of them
    [[service]]   one a service
    [[instance]]  EC2 instance types that tasks could run on

Unknown keys, wrong types and contradictions are reported together, with the place of each.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from capacity.config.account import Account, Subnet
from capacity.config.azure import AzureMetric, AzureSettings
from capacity.config.base import Settings
from capacity.config.cloudwatch import CacheNodes, CloudWatchSettings, CustomMetric, Distribution
from capacity.config.event import Event
from capacity.config.limit import Limit
from capacity.config.money import Budget, HeldCommitment, SavingsPlanRate
from capacity.config.monitoring import Monitoring
from capacity.config.prometheus import PrometheusQuery, PrometheusSettings
from capacity.config.scenario import Move, Scenario, scenario_problems
from capacity.config.service import FARGATE_SIZES, Architecture, Service
from capacity.config.sizing import Instance, RegionShare
from capacity.config.slo import Slo
from capacity.config.tables import Data, ForecastSettings, Goal, PriceSettings, Rate, ReportSettings
from capacity.config.task_capacity import TaskCapacity
from capacity.config.text import carried, reference, starter
from capacity.errors import ConfigError, Problem

__all__ = [
    "FARGATE_SIZES",
    "Account",
    "Architecture",
    "AzureMetric",
    "AzureSettings",
    "Budget",
    "CacheNodes",
    "CloudWatchSettings",
    "Config",
    "CustomMetric",
    "Data",
    "Distribution",
    "Event",
    "ForecastSettings",
    "Goal",
    "HeldCommitment",
    "Instance",
    "Limit",
    "Monitoring",
    "Move",
    "PriceSettings",
    "PrometheusQuery",
    "PrometheusSettings",
    "Rate",
    "RegionShare",
    "ReportSettings",
    "SavingsPlanRate",
    "Scenario",
    "Service",
    "Settings",
    "Slo",
    "Subnet",
    "TaskCapacity",
    "carried",
    "config_of",
    "load_config",
    "reference",
    "starter",
]


class Config(Settings):
    """`capacity.toml`, read and checked."""

    data: Data = Data()
    account: tuple[Account, ...] = ()
    goal: Goal = Goal()
    prices: PriceSettings = PriceSettings()
    forecast: ForecastSettings = ForecastSettings()
    report: ReportSettings = ReportSettings()
    monitoring: Monitoring = Monitoring()
    cloudwatch: CloudWatchSettings = CloudWatchSettings()
    prometheus: PrometheusSettings | None = None
    azure: AzureSettings | None = None
    event: tuple[Event, ...] = ()
    scenario: tuple[Scenario, ...] = ()
    budget: tuple[Budget, ...] = ()
    service: tuple[Service, ...] = ()
    instance: tuple[Instance, ...] = ()
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
        names = [event.name for event in self.event]
        for name in sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two [[event]] tables are called {name!r}: one event may have several dates")
        budgets = [budget.name for budget in self.budget]
        for name in sorted({name for name in budgets if budgets.count(name) > 1}):
            raise ValueError(f"two [[budget]] tables are called {name!r}: give each its own name")
        for problem in scenario_problems(self.scenario, set(seen)):
            raise ValueError(problem)
        types = [instance.name for instance in self.instance]
        for name in sorted({name for name in types if types.count(name) > 1}):
            raise ValueError(f"two [[instance]] tables are called {name!r}: keep one")
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

    @property
    def templates_path(self) -> Path | None:
        """Where [report].templates points, relative to the file that says so."""
        if not self.report.templates:
            return None
        base = self.path.parent if self.path is not None else Path()
        return base / self.report.templates

    @property
    def previous_path(self) -> Path | None:
        """Where [report].previous points, relative to the file that says so."""
        if not self.report.previous:
            return None
        base = self.path.parent if self.path is not None else Path()
        return base / self.report.previous


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
        table["service"] = [_with_defaults(entry, defaults) if isinstance(entry, dict) else entry for entry in services]
    if isinstance(table.get("account"), dict):
        table["account"] = [table["account"]]
    try:
        config = Config(**table)
    except ConfigError as error:
        problems = [_with_name(problem, table) for problem in error.problems]
        raise ConfigError(f"{path or 'configuration'} cannot be used:", problems, error.advice) from error
    return config.model_copy(update={"path": path})


#: Two ways to say one thing: a service that says it in one way does not inherit the other.
_ONE_RATE = {"requests_per_second_per_task", "task_capacity"}


def _with_defaults(entry: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    inherited = {key: value for key, value in defaults.items() if not (key in _ONE_RATE and _ONE_RATE & set(entry))}
    return {**inherited, **entry}


def _with_name(problem: Problem, table: dict[str, Any]) -> Problem:
    """`service #3 max_tasks` as `service 'checkout' max_tasks`; events alike."""
    head, _, rest = problem.where.partition(" ")
    number, _, field = rest.partition(" ")
    if head not in ("service", "event", "budget", "scenario") or not number.startswith("#"):
        return problem
    entry = table[head][int(number[1:]) - 1]
    name = entry.get("name") if isinstance(entry, dict) else None
    label = repr(name) if name else number
    return Problem(problem.message, where=f"{head} {label} {field}".strip())
