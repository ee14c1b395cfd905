"""Before the first plan: settings from a history or an account, what runs there, what to allow, what AWS advises."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    Columns,
    ConfigPath,
    ExternalId,
    IntervalSeconds,
    Metric,
    Named,
    Names,
    Profile,
    Timezone,
    Unit,
    reading,
)
from capacity.cli.printing import findings, print_json, records, say, table
from capacity.errors import CapacityError

if TYPE_CHECKING:
    from capacity.sources.aws import Door

app = typer.Typer()

Clusters = Annotated[
    list[str] | None,
    typer.Option("--cluster", metavar="NAME", help="Only this ECS cluster; may be repeated. Default: all."),
]
Regions = Annotated[
    list[str] | None, typer.Option("--region", metavar="REGION", help="AWS region to look in; may be repeated.")
]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role-arn", metavar="ARN", help="Role to assume first, one an account; may be repeated."),
]


@app.command()
def init(
    history: Annotated[
        Path | None, typer.Argument(help="History to read: CSV or Parquet file, folder or store.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the settings.")] = DEFAULT_CONFIG,
    from_aws: Annotated[
        bool, typer.Option("--from-aws", help="Take services, sizes, bounds and quotas from the AWS account.")
    ] = False,
    cluster: Clusters = None,
    region: Regions = None,
    profile: Profile = None,
    role_arn: Roles = None,
    external_id: ExternalId = None,
    column: Columns = None,
    service: Named = None,
    metric: Metric = None,
    unit: Unit = None,
    timezone: Timezone = None,
    interval_seconds: IntervalSeconds = None,
) -> None:
    """Write a first capacity.toml. One [[service]] for each in the history or, with --from-aws, in the account."""
    if out.exists():
        raise CapacityError(f"{out} exists already: name another file with --out, or delete it first")
    if from_aws:
        text, count, how = _from_aws(history, out, doors(region, profile, role_arn, external_id), cluster)
    elif history is None:
        raise CapacityError("init needs a history to read (a file, folder or store), or --from-aws")
    else:
        options = reading(column, service, metric, unit, timezone, interval_seconds)
        text, count, how = _from_history(history, out, options)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("x", encoding="utf-8") as file:
        file.write(text)
    say(f"Wrote {out} with {count} service{'' if count == 1 else 's'}{how}.")
    say(f"Fill in what is marked FILL IN, then: capacity report --config {shlex.quote(str(out))}")


@app.command()
def discover(
    cluster: Clusters = None,
    service: Names = None,
    region: Regions = None,
    profile: Profile = None,
    role_arn: Roles = None,
    external_id: ExternalId = None,
    as_json: AsJson = False,
) -> None:
    """What runs in an AWS account. Services, sizes, bounds, load balancers, policies and quotas; changes nothing."""
    from capacity.sources.aws.ecs import discover as look

    found = look(tuple(cluster or ()), tuple(service or ()), door=doors(region, profile, role_arn, external_id))
    findings(found.findings, least="REVIEW")
    if as_json:
        print_json(found.to_dict())
    else:
        table(found.frame, f"{len(found.services)} services")


@app.command()
def iam(
    part: Annotated[
        list[str] | None,
        typer.Argument(
            help="fetch, discover, cost, advice, diff, apply; default: all that only read.", show_default=False
        ),
    ] = None,
) -> None:
    """The least IAM policy that capacity needs. docs/iam.md explains each action; only `apply` changes anything."""
    import json

    from capacity.sources.aws.policies import policy

    print(json.dumps(policy(*(part or ())), indent=2))


@app.command()
def advice(
    config: ConfigPath = DEFAULT_CONFIG,
    region: Regions = None,
    profile: Profile = None,
    role_arn: Roles = None,
    external_id: ExternalId = None,
    azure_subscription: Annotated[
        str | None, typer.Option("--azure-subscription", help="Ask Azure Advisor for this subscription instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What AWS or Azure itself recommends. Compute Optimizer or Azure Advisor, beside the sizes of capacity.toml."""
    from capacity.sources.advice import Advice, beside

    if azure_subscription:
        from capacity.sources.azure import azure_advisor

        theirs = azure_advisor(azure_subscription)
    else:
        from capacity.sources.aws.compute_optimizer import compute_optimizer

        theirs = Advice.together(compute_optimizer(door) for door in doors(region, profile, role_arn, external_id))
    findings(theirs.findings, least="REVIEW")
    if config.exists():
        from capacity.config import load_config

        frame = beside(theirs, load_config(config).service)
    else:
        frame = theirs.frame
    if as_json:
        print_json({"advice": records(frame)})
    else:
        table(frame.dropna(axis="columns", how="all"), "Their advice, beside capacity.toml")


def doors(
    regions: list[str] | None, profile: str | None, roles: list[str] | None, external_id: str | None
) -> list[Door]:
    """One door for each region and role."""
    from capacity.sources.aws import Door

    each_region = [*regions] if regions else [None]
    each_role = [*roles] if roles else [None]
    return [Door(region, profile, role, external_id) for role in each_role for region in each_region]


def _from_history(history: Path, out: Path, options: dict[str, object]) -> tuple[str, int, str]:
    """The settings, how many services they hold, and how these were read."""
    from capacity.config import starter
    from capacity.demand.levels import INPUTS, plannable
    from capacity.history import read
    from capacity.schema import METRICS

    found = read(history, **options)  # type: ignore[arg-type]
    findings(found.findings)
    services = plannable(found)
    others = [name for name in found.services if name not in services]
    if not services:
        raise CapacityError(
            f"{history} holds nothing to plan by: {', '.join(found.metrics()) or 'no rows'}. "
            f"A plan comes from one of {', '.join(INPUTS)}: fetch these into it first."
        )
    if others:
        say(f"Left out, because nothing there says what they need: {', '.join(map(repr, others))}.")
    units = ", ".join(f"{name} in {METRICS[name].unit}" for name in found.metrics() if not METRICS[name].billed)
    return starter(history, services, out.parent, **options), len(services), f", read as {units}"


def _from_aws(history: Path | None, out: Path, looking: list[Door], clusters: list[str] | None) -> tuple[str, int, str]:
    """The same from what runs."""
    import os

    from capacity.sources.aws.ecs import discover as look
    from capacity.sources.aws.starter import starter_from

    found = look(tuple(clusters or ()), door=looking)
    findings(found.findings, least="REVIEW")
    kept = Path(os.path.relpath(history, out.parent)).as_posix() if history is not None else "history"
    return starter_from(found, kept), len(found.services), ""
