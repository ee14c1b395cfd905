"""When limits are reached, and how long starts take."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from capacity.cli.chain import chain_of
from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Horizon, Names, Quiet
from capacity.cli.printing import findings, print_json, records, table

app = typer.Typer()

#: Checks whose findings tell what is not known of limits.
CHECKS: Final = ("quota", "subnets", "limit")


@app.command()
def limits(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    limit: Annotated[
        str | None, typer.Option(metavar="LIMIT", help="Only this one, or this kind: max_tasks, connections ...")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """When limits are reached, and by when to ask for more. Their chance by week, and how long starts take."""
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        result = chain.plan
        chances = result.limits_over_time(limit)
        starts = result.launches()
    findings(finding for finding in result.findings if finding.check in CHECKS)
    weighed = result.limits.merge(chances[["service", "limit"]].drop_duplicates(), on=["service", "limit"])
    if as_json:
        parts = {"limits": weighed, "chances": chances, "launches": starts}
        print_json({name: records(part) for name, part in parts.items()})
        return
    table(weighed, "Limits")
    ends = ((chances["date"] - chances["date"].min()).dt.days % 7 == 6) | (chances["date"] == chances["date"].max())
    by_week = chances[ends].pivot_table(index=["service", "limit"], columns="date", values="probability", sort=False)
    by_week.columns = [f"{day:%d %b}" for day in by_week.columns]
    table(by_week.reset_index(), "Chance that it is passed by the end of")
    table(starts, "How long starts take")
