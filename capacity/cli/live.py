"""A policy and a live account: diff, apply, rollback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    ExternalId,
    HistoryPath,
    Horizon,
    Names,
    Profile,
    Quiet,
    Region,
    RoleArn,
)
from capacity.cli.printing import findings, print_json, say
from capacity.errors import InputError

if TYPE_CHECKING:
    from capacity.scaling import Policy
    from capacity.scaling.live import Applied, Diff, Run
    from capacity.sources.aws import Door

app = typer.Typer()

#: Exit code when the account differs from what was asked for, and was left as it is.
DIFFERS = 3

CallsPath = Annotated[
    Path | None,
    typer.Option(
        "--calls",
        help="Calls saved from `capacity policy --as boto3`, instead of making the policy anew: what was "
        "reviewed is what is meant. - reads standard input.",
    ),
]
LogPath = Annotated[Path, typer.Option("--log", help="Audit log: JSON Lines, added to.")]
Yes = Annotated[bool, typer.Option("--yes", help="Change the account. Without it, only what would change is printed.")]
DEFAULT_LOG = Path("capacity-audit.jsonl")


@app.command()
def diff(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    calls: CallsPath = None,
    region: Region = None,
    profile: Profile = None,
    role_arn: RoleArn = None,
    external_id: ExternalId = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What stands in the account, beside the policy. Only reads; exit code 3 when they differ, 0 when not.

    A bound that a scheduled action has moved is no difference. What is not capacity's own is named and left alone.
    """
    door = _door(region, profile, role_arn, external_id)
    difference = _difference(config, history, service, horizon, calls, door, quiet)
    findings(difference.findings, least="REVIEW")
    print_json(difference.to_dict()) if as_json else print(difference)
    if difference.changes:
        raise typer.Exit(DIFFERS)


@app.command()
def apply(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    calls: CallsPath = None,
    yes: Yes = False,
    log: LogPath = DEFAULT_LOG,
    region: Region = None,
    profile: Profile = None,
    role_arn: RoleArn = None,
    external_id: ExternalId = None,
    quiet: Quiet = False,
) -> None:
    """Make the account stand as the policy says. Prints what would change, and changes it only with --yes.

    Each call is in the audit log before it is made. Exit code 3 when a difference is left, as without --yes.
    """
    door = _door(region, profile, role_arn, external_id)
    _made(_difference(config, history, service, horizon, calls, door, quiet), yes, log, door)


@app.command()
def rollback(
    run: Annotated[
        str | None, typer.Argument(help="Run to take back, as apply named it. Without it, the runs are listed.")
    ] = None,
    yes: Yes = False,
    log: LogPath = DEFAULT_LOG,
    region: Region = None,
    profile: Profile = None,
    role_arn: RoleArn = None,
    external_id: ExternalId = None,
) -> None:
    """Put back what stood before a run. Also before one that was cut off; what others changed since stays."""
    from capacity.scaling.live import rollback as back
    from capacity.scaling.live import runs_of

    if run is None:
        _list(runs_of(log))
        return
    door = _door(region, profile, role_arn, external_id)
    _made(back(log, run, door=door), yes, log, door)


def _made(difference: Diff, yes: bool, log: Path, door: Door) -> None:
    """Apply a diff, say how it went, and end with the exit code that says it, too."""
    from capacity.scaling.live import apply as run
    from capacity.scaling.live.applying import way_back

    findings(difference.findings, least="REVIEW")
    if difference.changes and not yes:
        print(difference)
        say("Nothing was changed: repeat with --yes to do it.")
        raise typer.Exit(DIFFERS)
    done: Applied = run(difference, yes=yes, log=log, door=door)
    if not done.run:
        return
    say(f"{done.done} calls made, as run {done.run}. To take it back: {way_back(done.run, done.log)}")
    if done.left.changes:
        say("What still differs, read again after the last call:")
        print(done.left)
        raise typer.Exit(DIFFERS)


def _difference(
    config: Path,
    history: Path | None,
    service: list[str] | None,
    horizon: str | None,
    calls: Path | None,
    door: Door,
    quiet: bool,
) -> Diff:
    from capacity.cli.chain import chain_of
    from capacity.scaling.live import diff as compare
    from capacity.scaling.live import read_live
    from capacity.scaling.live.wanted import wanted_of

    what: Policy | list[dict[str, Any]]
    regions: dict[str, str] = {}
    if calls is None:
        with chain_of(config, history, service, horizon, None, quiet) as chain:
            what = chain.policy
    else:
        what = _calls_of(calls)
        if door.region is None and config.exists():
            from capacity.config import load_config

            regions = {one.resource_id: one.region for one in load_config(config).service}
    wanted = wanted_of(what, door.where, regions)
    if calls is not None and service:
        wanted = wanted.only(service)
    return compare(wanted, read_live(wanted, door=door))


def _calls_of(path: Path) -> list[dict[str, Any]]:
    """The calls of a file. Whether they are calls of a policy is for `wanted_of` to say."""
    import sys

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        calls = json.loads(text)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputError(
            f"{path} is no JSON: {error}", advice="Save it with: capacity policy --as boto3 > FILE"
        ) from None
    if not isinstance(calls, list):
        raise InputError(f"{path} is no list of calls", advice="Save it with: capacity policy --as boto3 > FILE")
    return calls


def _list(runs: list[Run]) -> None:
    """The runs of a log, the last one first."""
    import pandas as pd

    from capacity.cli.printing import table

    rows = [
        {
            "run": run.name,
            "at": run.at,
            "who": run.who,
            "account": run.account,
            "calls": f"{run.done} of {run.planned}",
            "ended": "yes" if run.whole else "cut off",
            "takes back": run.of,
        }
        for run in reversed(runs)
    ]
    table(pd.DataFrame(rows), f"{len(rows)} run{'' if len(rows) == 1 else 's'}")


def _door(region: str | None, profile: str | None, role_arn: str | None, external_id: str | None) -> Door:
    from capacity.sources.aws import Door

    return Door(region, profile, role_arn, external_id)
