"""`capacity review`: a stored plan against what happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import AsJson
from capacity.cli.printing import SHOWN, findings, print_json, record, records, say, table

if TYPE_CHECKING:
    import pandas as pd

    from capacity.reviewing import Review

app = typer.Typer()

#: What of each table fits on a screen; `--json` has it all.
_ERROR = ["planned", "margin", "expected", "demand", "capacity", "policy", "actual", "error", "short"]
_USD = ["planned", "margin", "expected", "demand", "capacity", "policy", "price", "actual", "error"]
_KEPT = ["service", "metric", "level", "promised", "exceeded", "low", "high", "verdict"]


@app.command()
def review(
    plan: Annotated[
        list[Path],
        typer.Argument(metavar="PLAN...", help="Plans that were kept (plans/2026Q4.plan), or the folder they are in."),
    ],
    actuals: Annotated[
        Path | None,
        typer.Option(
            "--actuals",
            help="CSV or Parquet file, folder or store with what happened since; default: [data] history of --config.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Today's settings: tell what was followed, and what changed.")
    ] = None,
    now: Annotated[str | None, typer.Option(metavar="TIME", help="Review until then (UTC), not to the end.")] = None,
    digest: Annotated[
        str | None, typer.Option(metavar="KIND", help="Print only a short digest: markdown, slack or email.")
    ] = None,
    since: Annotated[
        Path | None, typer.Option(metavar="LAST", help="With --digest: only what changed since what --keep kept.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Keep what is said, for the next --since; LAST itself will do.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Was the plan right? Its error in parts that add up, promises kept, fates of what it recommended, what next.

    Error, recommendations and drift are those of the latest plan; promises are judged over all of them. How, and how to
    run it every week: docs/reviewing.md.
    """
    from capacity.config import load_config
    from capacity.errors import InputError
    from capacity.files import write_whole
    from capacity.reviewing import review as run
    from capacity.reviewing.digest import KINDS, before

    if digest is not None and digest not in KINDS:
        raise InputError(f"--digest {digest}: no such kind", advice=f"There are: {', '.join(KINDS)}.")
    first = since is not None and since == keep and not since.exists()
    last = None if since is None or first else before(since)
    today = None if config is None else load_config(config)
    happened = actuals if actuals is not None else today.history_path if today is not None else None
    if happened is None:
        raise InputError("no actuals to review against", advice="Pass --actuals PATH, or --config with [data] history.")
    result = run(plan, happened, config=today, now=now)
    findings(result.findings)
    if first:
        say(f"{since} does not exist yet: everything is news")
    if digest is not None:
        document = result.digest(digest, last)
        print(document, end="") if isinstance(document, str) else print_json(document)
    elif as_json:
        print_json(_record(result))
    else:
        _show(result)
    if keep is not None:
        write_whole(keep, json.dumps(result.to_dict(), ensure_ascii=False, indent=1).encode())


def _record(result: Review) -> dict[str, object]:
    tables = {"review": result.frame, "parts": result.parts, "coverage": result.coverage, "peaks": result.peaks}
    tables |= {"accuracy": result.accuracy, "pit": result.pit, "fates": result.fates}
    drift = {"needed": result.drift.needed, "next_at": result.drift.next_at, "reasons": records(result.drift.frame)}
    said = {"said": str(result).split("\n"), **{name: records(part) for name, part in tables.items()}}
    return {**said, "drift": record(drift), "findings": records(result.findings.frame), "facts": result.to_dict()}


def _show(result: Review) -> None:
    from capacity.reviewing.facts import BROKEN, LEVEL
    from capacity.reviewing.wording import FLEET

    print(result)
    told = result.largest[:SHOWN]
    shown = result.frame.set_index("service").loc[[*told, FLEET]]
    more = f"; the {len(told)} of {len(result.splits):,} services with most" if len(told) < len(result.splits) else ""
    title = f"\nTask-hours: planned + margin = expected; expected + demand + capacity + policy = actual{more}"
    table(_rounded(shown[_ERROR]).reset_index(), title)
    if shown["usd_planned"].notna().any():
        usd = shown[[f"usd_{name}" for name in _USD]].set_axis(_USD, axis=1)
        table(_rounded(usd).reset_index(), f"\nUSD: the same at the plan's price, + price = paid{more}")
    if len(result.fates):
        fates = result.fates[["service", "status", "recommended", "usd", "task_hours_short"]].head(SHOWN)
        table(_rounded(fates), "\nRecommendations")
    kept = result.coverage[result.coverage["level"] == LEVEL]
    whole = kept["service"].eq(FLEET) | (kept.groupby("metric")["service"].transform("size") == 1)
    kept = kept[whole | kept["verdict"].isin(BROKEN)].head(SHOWN)
    table(kept[_KEPT].round(3), "\nPromises: share of the intervals above the 95 % quantile")


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers to tenths below a thousand, as they are above, where `table` has none; nothing is -0."""
    numbers = frame.select_dtypes("number")
    return frame.assign(**(numbers.where(numbers.abs() >= 1000, numbers.round(1)) + 0.0))
