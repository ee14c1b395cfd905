"""`capacity fetch SOURCE`: one command a source, those of plug-ins included."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from capacity.cli.options import (
    AsJson,
    Columns,
    DryRun,
    ExternalId,
    IntervalSeconds,
    Metric,
    Named,
    Names,
    Profile,
    Quiet,
    Region,
    RoleArn,
    StorePath,
    Timezone,
    Unit,
    reading,
)
from capacity.cli.printing import findings, print_json, say
from capacity.errors import CapacityError

if TYPE_CHECKING:
    from capacity.config import Config
    from capacity.sources.base import Source, Span
    from capacity.sources.pulling import Outlay, Pulled

HELP = """Read a source and keep what it says in a history store.

Doing it twice changes nothing; the second time asks only for what is new or had not settled. Each batch is committed
whole: stop it at any moment, and the next run goes on from there.
"""


class _Sources(typer.core.TyperGroup):
    """The commands written here, and one for every source that a plug-in brings."""

    def list_commands(self, ctx: Any) -> list[str]:
        from capacity.sources.registry import source_names

        return [*super().list_commands(ctx), *(name for name in source_names() if name not in self.commands)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        from capacity.sources.registry import source_names

        known = super().get_command(ctx, cmd_name)
        if known is None and cmd_name not in source_names():
            raise CapacityError(f"there is no source {cmd_name!r}. Sources: {', '.join(self.list_commands(ctx))}.")
        return known if known is not None else _plugged_in(cmd_name)


app = typer.Typer(help=HELP, no_args_is_help=True, cls=_Sources, rich_markup_mode=None)

Days = Annotated[float, typer.Option("--days", min=0.01, help="How many of the last days.")]
#: All that CloudWatch keeps (aws.md 1.1), a quarter of bills, all that Azure Monitor keeps, a month of Prometheus.
CLOUDWATCH_DAYS, COST_DAYS, AZURE_DAYS, PROMETHEUS_DAYS = 455.0, 91.0, 93.0, 31.0
#: Reasons listed when a fetch brought nothing at all; a fleet has one a metric.
REASONS = 5
SettingsPath = Annotated[
    Path | None, typer.Option("--config", "-c", help="capacity.toml with this source's tables.", show_default=False)
]


@app.command()
def files(
    location: Annotated[Path, typer.Argument(help="CSV, Parquet or JSON file, or a folder of them.")],
    store: StorePath,
    column: Columns = None,
    service: Named = None,
    metric: Metric = None,
    unit: Unit = None,
    timezone: Timezone = None,
    interval_seconds: IntervalSeconds = None,
    as_json: AsJson = False,
) -> None:
    """CSV, Parquet and JSON files. Exports of CloudWatch, Grafana and the AWS command line are known by content."""
    from capacity.sources import Files

    _keep(Files(location, **reading(column, service, metric, unit, timezone, interval_seconds)), store, as_json)


@app.command()
def cloudwatch(
    store: StorePath,
    cluster: Annotated[
        list[str] | None,
        typer.Option("--cluster", metavar="NAME", help="ECS cluster; may be repeated. Default: all of the region."),
    ] = None,
    service: Names = None,
    days: Days = CLOUDWATCH_DAYS,
    region: Region = None,
    profile: Profile = None,
    role_arn: RoleArn = None,
    external_id: ExternalId = None,
    prefix: Annotated[
        bool, typer.Option("--prefix", help="Name services cluster/service: two clusters may share a name.")
    ] = False,
    config: SettingsPath = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What ECS services use, from CloudWatch. CPU, memory, tasks, requests, latency, errors, metrics of your own."""
    from capacity.sources.aws import Door
    from capacity.sources.cloudwatch import CloudWatch

    settings = _settings(config).cloudwatch
    source = CloudWatch(
        tuple(cluster or ()),
        tuple(service or ()),
        Door(region, profile, role_arn, external_id),
        prefix=prefix or settings.prefix,
        percentiles=settings.percentiles,
        metrics=settings.metric,
        settle=settings.settle,
        distributions=settings.distribution,
        caches=settings.cache,
    )
    _pull(source, store, days, dry_run, as_json, quiet)


@app.command()
def cost_explorer(
    store: StorePath,
    tag: Annotated[
        str, typer.Option("--tag", help="Cost-allocation tag whose value is the service; without it: the account.")
    ] = "",
    days: Days = COST_DAYS,
    hourly: Annotated[
        bool, typer.Option("--hourly", help="By hour, where that is switched on (last 14 days).")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder of answers already paid for.", show_default=False)
    ] = None,
    account: Annotated[str, typer.Option("--account", help="Only this linked account.")] = "",
    billed_region: Annotated[
        str, typer.Option("--region", metavar="REGION", help="Only what was used in this region.")
    ] = "",
    savings_plans: Annotated[
        bool, typer.Option(help="Also coverage and utilization of Savings Plans, of the whole account.")
    ] = True,
    profile: Profile = None,
    role_arn: RoleArn = None,
    external_id: ExternalId = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What was billed, from Cost Explorer. vCPU and memory, Spot and committed parts, spend; a page costs $0.01."""
    from capacity.sources.aws import Door
    from capacity.sources.bills.cost_explorer import CostExplorer

    door = Door(None, profile, role_arn, external_id)
    source = CostExplorer(
        door,
        tag,
        "HOURLY" if hourly else "DAILY",
        cache,
        account=account,
        region=billed_region,
        savings_plans=savings_plans,
    )
    _pull(source, store, days, dry_run, as_json, quiet)


@app.command()
def focus(
    location: Annotated[Path, typer.Argument(help="FOCUS data export: CSV or Parquet file, or a folder of them.")],
    store: StorePath,
    tag: Annotated[str, typer.Option("--tag", help="Tag whose value is the service; without it: the account.")] = "",
    service_name: Annotated[
        list[str] | None,
        typer.Option("--service-name", help="ServiceName to keep; may be repeated. Default: ECS and Container Apps."),
    ] = None,
    hourly: Annotated[bool, typer.Option("--hourly", help="Keep hours, instead of adding them up to days.")] = False,
    as_json: AsJson = False,
) -> None:
    """What was billed, from FOCUS exports. The same as from Cost Explorer, for AWS and Azure, free of charge."""
    from capacity.sources.bills.focus import SERVICES, Focus

    kept = tuple(service_name) if service_name else SERVICES
    _keep(Focus(location, tag, kept, "HOURLY" if hourly else "DAILY"), store, as_json)


@app.command()
def prometheus(
    store: StorePath,
    config: Annotated[Path, typer.Option("--config", "-c", help="File with [[prometheus.query]] tables.")],
    url: Annotated[
        str | None, typer.Option("--url", help="Address of the server, instead of [prometheus] url.")
    ] = None,
    days: Days = PROMETHEUS_DAYS,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What [[prometheus.query]] asks for. Of Prometheus, Thanos, Mimir, Amazon Managed Prometheus."""
    from capacity.sources.prometheus import Prometheus

    settings = _settings(config)
    if settings.prometheus is None:
        raise CapacityError(f"{config} has no [[prometheus.query]]: docs/prometheus.md shows how to write one")
    _pull(Prometheus.of(settings.prometheus, config.parent, url=url), store, days, dry_run, as_json, quiet)


@app.command()
def azure_monitor(
    store: StorePath,
    config: Annotated[Path, typer.Option("--config", "-c", help="File with an [azure] table.")],
    days: Days = AZURE_DAYS,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What Azure Container Apps use. CPU, memory, replicas, requests, and metrics of your own."""
    from capacity.sources.azure import AzureMonitor

    settings = _settings(config)
    if settings.azure is None:
        raise CapacityError(f"{config} has no [azure] table: docs/azure.md shows how to write one")
    _pull(AzureMonitor.of(settings.azure), store, days, dry_run, as_json, quiet)


def _plugged_in(name: str) -> Any:
    """A command for a source of another package."""

    def plugged_in(
        location: Annotated[str, typer.Argument(help="What to read: a path, an address ...")],
        store: StorePath,
        option: Annotated[
            list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Setting of the source; may be repeated.")
        ] = None,
        days: Annotated[
            float | None,
            typer.Option(
                "--days",
                min=0.01,
                help=f"How many of the last days. Default: {COST_DAYS:.0f}, or all of a source that cannot be pulled.",
                show_default=False,
            ),
        ] = None,
        dry_run: DryRun = False,
        as_json: AsJson = False,
        quiet: Quiet = False,
    ) -> None:
        from capacity.sources import open_source
        from capacity.sources.pulling import Pulled, last_days

        source = open_source(name, location, **_pairs(option or ()))
        if isinstance(source, Pulled):
            _pull(source, store, COST_DAYS if days is None else days, dry_run, as_json, quiet)
        elif dry_run:
            raise CapacityError(
                f"the source {name!r} is read as a whole and cannot say beforehand what that takes: leave out --dry-run"
            )
        else:
            _keep(source, store, as_json, None if days is None else last_days(days))

    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name, help=f"The source {name!r}, brought by a plug-in.")(plugged_in)
    return typer.main.get_command(single)


def _pairs(options: Iterable[str]) -> dict[str, str]:
    """KEY=VALUE of each --set. The value is not repeated in errors: it may be a secret."""
    found: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not (key.isidentifier() and equals):
            raise typer.BadParameter("write --set KEY=VALUE, with the name of a setting as KEY")
        if key in found:
            raise typer.BadParameter(f"--set {key}=... is said twice: keep one")
        found[key] = value
    return found


def _settings(path: Path | None) -> Config:
    from capacity.config import Config, load_config

    return Config() if path is None else load_config(path)


def _keep(source: Source, store: Path, as_json: bool, span: Span | None = None) -> None:
    """What a source says of a span, or all it says, into the store."""
    from capacity.history import fetch

    _tell(fetch(source, store, span), as_json)


def _pull(source: Pulled, store: Path, days: float, dry_run: bool, as_json: bool, quiet: bool) -> None:
    """What the store does not know of the last days, into it; or only what that would take."""
    from capacity.history import Store, fetch
    from capacity.sources.coverage import kind_of
    from capacity.sources.pulling import last_days

    span, known = last_days(days), Store(store).coverage()
    estimate = source.outlay(span, known)
    if dry_run:
        if as_json:
            print_json(_spent(estimate))
        else:
            print(f"{source.name}: would take {estimate}")
        return
    if not quiet:
        say(f"{source.name}: expecting {estimate}")
    with _progress(estimate.total, quiet) as advance:
        try:
            fetched = fetch(source, store, span, progress=lambda appended, outlay: advance(outlay.total))
        except KeyboardInterrupt:
            say("Stopped. What was committed stays, and the next run goes on from there.")
            raise
    before = any(kind_of(asked.source) == kind_of(source.name) for asked in known.spans)
    _tell(fetched, as_json, pulled=True, before=before)


def _spent(outlay: Outlay) -> dict[str, Any]:
    return {"calls": dict(outlay.calls), "least": dict(outlay.least), "usd": outlay.usd}


def _tell(fetched: Any, as_json: bool, pulled: bool = False, before: bool = False) -> None:
    """What a fetch did. Nothing at all is an error, unless something came of this kind of source `before`."""
    from dataclasses import asdict

    counts = asdict(fetched.appended)
    nothing = [f for f in fetched.findings if f.check == "empty" and not f.service]
    if nothing and not before and not any(counts.values()):
        reasons = [f"\n  - {finding}" for finding in fetched.findings if finding not in nothing]
        if len(reasons) > REASONS:
            reasons[REASONS:] = [f"\n  - and {len(reasons) - REASONS:,} more"]
        raise CapacityError("; ".join(f"{f.message}. {f.advice}" for f in nothing) + "".join(reasons))
    findings(fetched.findings, least="REVIEW")
    if as_json:
        print_json(counts | (_spent(fetched.outlay) if pulled else {}))
    else:
        print(fetched)


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar on standard error that counts calls; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Calls", total=total)
        yield lambda done: bar.update(task, completed=done, total=max(total, done))
