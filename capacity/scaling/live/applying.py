"""`apply`: a diff that somebody has read and approved becomes calls, one after the other, each in the audit log."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from capacity._version import __version__
from capacity.errors import ApplyRefused, ApplyStopped, CapacityError, InputError, LiveError, Problem
from capacity.scaling.live.audit import FORMAT, Audit, new_run
from capacity.scaling.live.calling import make
from capacity.scaling.live.changes import Change, Diff
from capacity.scaling.live.items import Call, acts_on, policy_of_placeholder
from capacity.scaling.live.reading import door_to
from capacity.scaling.live.referee import call_problems
from capacity.scaling.render.calls import arn_placeholder
from capacity.sources.aws import Door

#: (region, resource id, policy name) -> the ARN that an answer told.
Arns = dict[tuple[str, str, str], str]


@dataclass(frozen=True, eq=False)
class Applied:
    """What was done.

    run   its name in the audit log: `rollback` takes it. Empty when there was nothing to do
    done  calls that were made
    left  what still differs, read again after the last call: normally nothing
    log   the audit log
    """

    run: str
    done: int
    left: Diff
    log: Path


def apply(
    diff: Diff,
    *,
    yes: bool = False,
    log: str | Path = "capacity-audit.jsonl",
    door: Door | None = None,
    say: Callable[[str], None] = print,
) -> Applied:
    """Make the calls of a diff, in its order. The diff is printed first, and without `yes` nothing else is done.

    log   JSON Lines, added to: each call is on the disk before it is made, and its outcome after. See `audit`
    door  default: the one that the diff was read by
    say   takes what is printed

    Raises ApplyRefused, having changed nothing: without `yes`; when a finding says FAIL; when the credentials are
    another account's; when what stands has changed since the diff was made, or would now stop more tasks than it said;
    when AWS's own model would refuse a call. Raises ApplyStopped at the first call that fails: what was done until then
    is in the log, `rollback` puts it back, and applying again goes on.
    """
    say(str(diff))
    path = Path(log)
    if not diff.changes:
        return Applied("", 0, diff, path)
    if not yes:
        raise ApplyRefused("nothing was changed: apply with yes=True, or --yes, what is printed above")
    door = door or diff.door or Door()
    _refuse_blocked(diff)
    caller = door.call("sts", "get_caller_identity")
    _refuse_unlike(diff, diff.again(door), caller["Account"])
    _refuse_invalid(diff)
    run = new_run(pd.Timestamp.now("UTC"))
    audit = Audit(path)
    try:
        audit.add(
            "run",
            run,
            format=FORMAT,
            version=__version__,
            who=caller["Arn"],
            account=diff.account,
            calls=len(diff.changes),
            of=diff.of,
        )
        _make_all(diff, run, audit, door)
        audit.add("end", run)
    except KeyboardInterrupt:
        say(
            f"Interrupted in the middle of run {run}. `{way_back(run, path)}` puts back what it did; applying again "
            "goes on."
        )
        raise
    finally:
        audit.close()
    return Applied(run, len(diff.changes), diff.again(door), path)


def way_back(run: str, log: Path) -> str:
    """The command that takes a run back.

    >>> way_back("20260603T120000Z-0a1b2c", Path("my log"))
    "capacity rollback 20260603T120000Z-0a1b2c --log 'my log'"
    """
    return f"capacity rollback {run} --log {shlex.quote(str(log))}"


def _make_all(diff: Diff, run: str, audit: Audit, door: Door) -> None:
    doors: dict[str, Door] = {}
    arns: Arns = {}
    for number, change in enumerate(diff.changes, start=1):
        item = change.item
        entering = doors.setdefault(item.region, door_to(door, item.region))
        if _waits(change):
            arns = _arns(change, entering) | arns
        call = _filled(change, arns)
        audit.add(
            "call",
            run,
            number=number,
            account=diff.account,
            region=item.region,
            service=item.resource_id,
            kind=item.kind,
            name=item.name,
            before=change.before,
            after=change.after,
            **call,
        )
        try:
            if _unfilled(call):
                raise LiveError("The policy that this alarm acts on does not stand, so that it has no ARN.")
            answer = make(entering, call)
        except CapacityError as error:
            audit.add("outcome", run, number=number, outcome="failed", error=str(error))
            made = f"{number - 1} of {len(diff.changes)} calls were made"
            raise ApplyStopped(
                f"{made}, then {change.sentence!r} of {item.resource_id} failed. {error}\nWhat was done is in the "
                f"audit log. `{way_back(run, audit.path)}` puts it back; applying again goes on.",
                run=run,
                done=number - 1,
            ) from error
        audit.add("outcome", run, number=number, outcome="done", arn=answer.get("PolicyARN"))
        if item.kind == "policy" and "PolicyARN" in answer:
            arns[(*item.place, item.name)] = answer["PolicyARN"]


def _waits(change: Change) -> bool:
    """Whether a call names a policy by placeholder."""
    return change.item.kind == "alarm" and change.verb != "delete" and _unfilled(change.call)


def _unfilled(call: Call) -> bool:
    """Whether a placeholder of an ARN stands in a call."""
    return any(map(policy_of_placeholder, acts_on(call["parameters"])))


def _arns(change: Change, door: Door) -> Arns:
    """ARNs of the policies that stand on the alarm's service."""
    place = change.item.place
    pages = door.pages(
        *("application-autoscaling", "describe_scaling_policies", "NextToken"),
        ServiceNamespace="ecs",
        ResourceId=place[1],
    )
    listed = [each for page in pages for each in page["ScalingPolicies"] if each["ResourceId"] == place[1]]
    return {(*place, each["PolicyName"]): each["PolicyARN"] for each in listed}


def _filled(change: Change, arns: Mapping[tuple[str, str, str], str]) -> Call:
    """The call, each placeholder replaced by the ARN of the policy of its service."""
    if change.item.kind != "alarm" or change.verb == "delete":
        return change.call
    known = {arn_placeholder(name): arn for (*place, name), arn in arns.items() if tuple(place) == change.item.place}
    parameters: dict[str, Any] = {
        key: [known.get(action, action) for action in value] if key.endswith("Actions") else value
        for key, value in change.call["parameters"].items()
    }
    return {**change.call, "parameters": parameters}


def _refuse_blocked(diff: Diff) -> None:
    failed = [finding for finding in diff.findings if finding.status == "FAIL"]
    if failed:
        lines = "\n".join(f"  - {finding}" for finding in failed)
        raise ApplyRefused(f"nothing was changed: this cannot be applied\n{lines}")


def _refuse_unlike(diff: Diff, today: Diff, account: str) -> None:
    """An approval is of what was printed: anything else has to be printed again."""
    if account != diff.account:
        raise ApplyRefused(
            f"nothing was changed: the diff is of account {diff.account}, and these credentials are of {account}"
        )
    calls, before = [change.call for change in diff], [change.before for change in diff]
    if [change.call for change in today] != calls or [change.before for change in today] != before:
        raise ApplyRefused(
            f"nothing was changed: what stands is no longer what it was at {diff.made_at:%Y-%m-%d %H:%M:%S} UTC, when "
            f"the diff was made. Today's:\n{today}\nLook at it, and apply that."
        )
    if today.stops > diff.stops:
        raise ApplyRefused(
            f"nothing was changed: more tasks run than when the diff was made. It would stop {today.stops:,} of them "
            f"at once, and said {diff.stops:,}. Look at a new diff, and apply that."
        )
    _refuse_blocked(today)


def _refuse_invalid(diff: Diff) -> None:
    """What AWS's model would refuse is not even started with."""
    problems = [
        Problem(problem, where=f"{change.item.resource_id}: {change.call['operation']}")
        for change in diff
        for problem in call_problems(change.call["client"], change.call["operation"], change.call["parameters"])
    ]
    if problems:
        refused = InputError("AWS would refuse these calls:", problems)
        raise ApplyRefused(f"nothing was changed. {refused}") from refused
