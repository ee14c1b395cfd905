"""`rollback`: a run of the audit log -> the `Diff` that puts back what stood before it, to be applied like any.

It looks at what stands today. An item that stands as the run left it, or as it would have on the way, is put back; one
that stands as before is left; one that somebody has changed since is left as well, and named. So it may follow a run
that was cut off in the middle, and may itself be cut off and made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from capacity.errors import ApplyRefused
from capacity.findings import Finding, Findings
from capacity.scaling.live.audit import Made, Run, run_of, runs_of
from capacity.scaling.live.changes import Change, Diff, Verb
from capacity.scaling.live.comparing import bounds_changes
from capacity.scaling.live.firing import BOUNDS, DONE, in_utc, settings
from capacity.scaling.live.items import Item, Parameters, putting, same, taking
from capacity.scaling.live.live import Live, LiveService
from capacity.scaling.live.ordering import in_order
from capacity.scaling.live.reading import read_places
from capacity.sources.aws import Door


def rollback(log: str | Path, run: str, *, door: Door | None = None, now: pd.Timestamp | None = None) -> Diff:
    """What has to change for everything to stand as it did before a run.

    log  the audit log; run  a name in it, as `apply` returned it
    now  moment that schedules are read at, UTC, also when it is applied; default: each time's own

    Bounds come back to where the schedule that is put back would have moved them by now, and to what they were where it
    has not fired since. A scalable target that the run registered is taken away again only if nothing else stands on
    it. Raises InputError for a run that the log does not tell of, ApplyRefused for credentials of another account.
    """
    door = door or Door()
    told = run_of(Path(log), run)
    later = [other for other in runs_of(Path(log)) if other.at > told.at and other.name != run]
    touched = list(dict.fromkeys(made.item for made in told.made))
    alarms = [item for item in touched if item.kind == "alarm"]
    live = read_places(list(dict.fromkeys(item.place for item in touched)), alarms, door)
    if live.account != told.account:
        raise ApplyRefused(
            f"nothing was changed: run {run} was in account {told.account}, and these credentials are of {live.account}"
        )
    given, now = now, in_utc(live.read_at if now is None else now)
    changes: list[Change] = []
    findings: list[Finding] = list(live.findings)
    for place in dict.fromkeys(item.place for item in touched):
        made = [each for each in told.made if each.item.place == place]
        here, seen = _service(told, made, live, live[place], now, later)
        changes += in_order(here, live[place])
        findings += seen

    def again(entering: Door | None) -> Diff:
        return rollback(log, run, door=entering, now=given)

    found = Findings.of(findings)
    return Diff(live.account, now, tuple(changes), found, len(live.services), again, of=run, door=door)


def _service(
    run: Run, made: list[Made], live: Live, one: LiveService, now: pd.Timestamp, later: list[Run]
) -> tuple[list[Change], list[Finding]]:
    """Changes and findings of one service; its bounds last, because a target goes only when it is empty."""
    changes: list[Change] = []
    findings: list[Finding] = []
    for item in dict.fromkeys(each.item for each in made if each.item.kind != "bounds"):
        states = _states(item, made)
        stands = one.item(item)
        if same(item.kind, stands, states[0]):
            continue
        clash = item.kind == "alarm" and (item.region, item.name) in live.others
        if clash or not any(same(item.kind, stands, state) for state in states[1:]):
            findings.append(_changed_since(item, run, later))
            continue
        changes.append(_back(item, stands, states[0]))
    if any(each.item.kind == "bounds" for each in made):
        more, seen = _bounds(run, made, one, changes, now, later)
        changes += more
        findings += seen
    return changes, findings


def _states(item: Item, made: list[Made]) -> list[Parameters | None]:
    """What stood before the run, then after each of its calls about this item."""
    mine = [each for each in made if each.item == item]
    return [mine[0].before, *(each.after for each in mine)]


def _back(item: Item, stands: Parameters | None, before: Parameters | None) -> Change:
    verb: Verb = "delete" if before is None else "add" if stands is None else "change"
    call = taking(item) if before is None else putting(item, before)
    because = "it did not stand before" if before is None else "as it was before"
    return Change(item, verb, stands, before, call, because=because)


def _changed_since(item: Item, run: Run, later: list[Run]) -> Finding:
    by = next((other.name for other in later if any(each.item == item for each in other.made)), "")
    what = f"{item.kind} {item.name}".strip()
    service = item.resource_id.removeprefix("service/")
    if by:
        message = f"{what} was changed by run {by} after {run.name}, and is left alone"
        return Finding(service, "", "changed-since", "REVIEW", message, f"Put that run back first: {by}.")
    message = f"{what} was changed by someone after {run.name}, and is left alone"
    return Finding(service, "", "changed-since", "REVIEW", message, "If it has to go back, do so by hand.")


def _bounds(
    run: Run, made: list[Made], one: LiveService, changes: list[Change], now: pd.Timestamp, later: list[Run]
) -> tuple[list[Change], list[Finding]]:
    item = Item(one.region, one.resource_id, "bounds")
    states = _states(item, made)
    if one.bounds is None:
        if states[0] is None:
            return [], []
        return [], [_changed_since(item, run, later)]
    if states[0] is None:
        return _deregistering(item, one, changes, run)
    stand = dict(zip(BOUNDS, one.bounds, strict=True))
    restored = dict(_restored(one, changes))
    since = dict.fromkeys(restored, run.at)
    due = settings(restored, now, since)
    to_be = {bound: due[bound].value if bound in due else int(states[0][bound]) for bound in BOUNDS}
    foreign = [
        bound for bound in BOUNDS if stand[bound] != to_be[bound] and not _ours(bound, stand, states, one, run, now)
    ]
    if foreign:
        return [], [_changed_since(item, run, later)]
    return bounds_changes(item, one, to_be, {}), []


def _restored(one: LiveService, changes: list[Change]) -> Iterator[tuple[str, Parameters]]:
    """The schedule as it will stand when the changes are made."""
    put_back = {change.item.name: change.after for change in changes if change.item.kind == "action"}
    for name, action in {**one.actions, **put_back}.items():
        if action is not None:
            yield name, action


def _ours(
    bound: str,
    stand: Mapping[str, int],
    states: list[Parameters | None],
    one: LiveService,
    run: Run,
    now: pd.Timestamp,
) -> bool:
    """Whether a bound stands as the run, or the account's own schedule since then, has put it."""
    if any(state is not None and state[bound] == stand[bound] for state in states):
        return True
    fired = [settings(one.actions, moment, one.created).get(bound) for moment in (now, now - DONE)]
    return any(each is not None and each.moment >= run.at - DONE and each.value == stand[bound] for each in fired)


def _deregistering(item: Item, one: LiveService, changes: list[Change], run: Run) -> tuple[list[Change], list[Finding]]:
    """Take a target away that the run registered. AWS deletes what stands on it with it: so only an empty one."""
    going = {(change.item.kind, change.item.name) for change in changes if change.verb == "delete"}
    kept = [name for name in one.policies if ("policy", name) not in going]
    kept += [name for name in one.actions if ("action", name) not in going]
    if kept:
        message = f"run {run.name} registered this target, and it stays: {', '.join(map(repr, kept))} stand on it"
        return [], [Finding(one.resource_id.removeprefix("service/"), "", "registered", "REVIEW", message)]
    before: dict[str, Any] = dict(one.of("bounds")[""])
    return [Change(item, "delete", before, None, taking(item), because="there was no scalable target before")], []
