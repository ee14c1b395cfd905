"""A policy beside what stands -> `Diff`. No clock, no network: what stands and the moment are arguments.

What a scheduled action did is no difference: a bound may stand where the last firing of the account's own schedule put
it. What is not ours is named and left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from capacity.findings import Finding, Findings, Status
from capacity.scaling.live.changes import Change, Diff, Verb
from capacity.scaling.live.firing import BOUNDS, DONE, in_utc, over, settings, unread
from capacity.scaling.live.items import Call, Item, Kind, Parameters, coordinates, metric_of, putting, same, taking
from capacity.scaling.live.live import SUSPENDED, Live, LiveService
from capacity.scaling.live.ordering import in_order
from capacity.scaling.live.reading import read_live
from capacity.scaling.live.wanted import Wanted, wanted_of
from capacity.scaling.policy import Policy
from capacity.scaling.render.calls import arn_placeholder
from capacity.scaling.render.table import printable
from capacity.sources.aws import Door


def diff(
    what: Policy | Sequence[Call] | Wanted,
    live: Live,
    now: pd.Timestamp | None = None,
    *,
    region: str | None = None,
    regions: Mapping[str, str] | None = None,
) -> Diff:
    """What has to change for a policy to stand, as calls in a safe order, each with what it does to running tasks.

    what             a policy, or the calls of one as `policy.render("boto3")` returns them
    now              moment that schedules are read at, UTC, also when it is applied; default: each time's own
    region, regions  where calls go, which do not say it: as they were given to `read_live`; default: where `live` was
                     read, if that is one region

    Bounds of a service with a schedule are those that its last firing set: a policy applied at noon keeps the minimum
    of the morning, instead of that outside of the schedule. Registering a target moves the count of tasks into the
    bounds at once (reference aws.md 3.1). What an earlier policy of ours left on that very service is deleted.
    """
    here = {place[0] for place in live.services}
    fallback = region or (next(iter(here)) if len(here) == 1 else "")
    wanted = what if isinstance(what, Wanted) else wanted_of(what, fallback, regions)
    given, now = now, in_utc(live.read_at if now is None else now)
    changes: list[Change] = []
    findings = list(live.findings)
    for place in wanted.places:
        one = live[place]
        made = list(_items(wanted, one, now))
        made += _bounds(wanted, one, made, now)
        changes += in_order(made, one)
        findings += _blocking(wanted, one, live)
        findings += _beside(wanted, one, made, now)

    def again(door: Door | None) -> Diff:
        return diff(wanted, read_live(wanted, door=door), given)

    found = Findings.of(findings)
    return Diff(live.account, now, tuple(changes), found, len(wanted.places), again, door=live.door)


def _items(wanted: Wanted, one: LiveService, now: pd.Timestamp) -> Iterator[Change]:
    """Policies, alarms and actions to put, and those of ours that are to go."""
    place = (one.region, one.resource_id)
    put: set[str] = set()
    kinds: tuple[Kind, ...] = ("policy", "alarm", "action")
    for kind in kinds:
        to_be = wanted.of(place, kind)
        for name, parameters in to_be.items():
            before = one.of(kind).get(name)
            if kind == "action" and over(parameters, now):
                continue  # AWS would refuse it, and it would do nothing
            item = Item(*place, kind, name)
            after = _symbols(parameters, one) if kind == "alarm" else parameters
            anew = kind == "alarm" and any(arn_placeholder(policy) in str(after) for policy in put)
            if same(kind, before, after) and not anew:
                continue
            because = "points at the policy that is put" if same(kind, before, after) else ""
            verb: Verb = "add" if before is None else "change"
            yield Change(item, verb, before, after, putting(item, after), because=because)
            put |= {name} if kind == "policy" else set()
        for name, parameters in one.of(kind).items():
            if name not in to_be and name.startswith(wanted.prefixes[place]):
                item = Item(*place, kind, name)
                yield Change(
                    item, "delete", parameters, None, taking(item), because="left by an earlier policy of ours"
                )


def _symbols(alarm: Parameters, one: LiveService) -> Parameters:
    """An alarm as the account's are told: its policies by placeholder, also where somebody filled in their ARNs."""
    symbols = {arn: arn_placeholder(name) for name, arn in one.arns.items()}
    return {
        key: [symbols.get(action, action) for action in value] if key.endswith("Actions") else value
        for key, value in alarm.items()
    }


def _bounds(wanted: Wanted, one: LiveService, made: Sequence[Change], now: pd.Timestamp) -> list[Change]:
    """The registration, if there is one to make: the higher bounds first, the lower ones by a call of their own."""
    place = (one.region, one.resource_id)
    item = Item(*place, "bounds")
    stated = wanted.items[item]
    due = due_bounds(stated, wanted.of(place, "action"), now)
    if one.bounds is None:
        after = stated | due
        change = Change(item, "add", None, after, putting(item, after))
        return [change if one.exists is False else with_effect(change, one.desired)[0]]
    stand = dict(zip(BOUNDS, one.bounds, strict=True))
    rescheduled = any(change.item.kind == "action" for change in made)
    to_be = {
        bound: stand[bound]
        if _stays(bound, stand[bound], due[bound], stated, wanted, one, rescheduled, now)
        else due[bound]
        for bound in BOUNDS
    }
    if to_be["MinCapacity"] > to_be["MaxCapacity"]:  # one bound is somebody else's: both are ours, or neither
        to_be = due
    return bounds_changes(item, one, to_be, _suspended(stated, one))


def due_bounds(stated: Parameters, actions: Mapping[str, Parameters], now: pd.Timestamp) -> dict[str, int]:
    """The bounds that a schedule has set by now: those stated, until one of its actions has fired."""
    fired = settings(actions, now)
    return {bound: fired[bound].value if bound in fired else int(stated[bound]) for bound in BOUNDS}


def bounds_changes(item: Item, one: LiveService, to_be: Mapping[str, int], more: Parameters) -> list[Change]:
    """Calls that bring the bounds that stand to these. A call states only what it changes."""
    assert one.bounds is not None
    stand = dict(zip(BOUNDS, one.bounds, strict=True))
    higher = {bound: to_be[bound] for bound in BOUNDS if to_be[bound] > stand[bound]}
    lower = {bound: to_be[bound] for bound in BOUNDS if to_be[bound] < stand[bound]}
    where = coordinates(item.resource_id)
    steps: list[Change] = []
    before, count = {**where, **stand}, one.desired
    for given in (higher | more, lower):
        if given:
            after = before | given
            change = Change(item, "change", before, after, putting(item, {**where, **given}))
            change, count = with_effect(change, count)
            steps.append(change)
            before = after
    return steps


def with_effect(change: Change, count: int | None) -> tuple[Change, int | None]:
    """A registration with what it does to the tasks that ECS wants, and how many it wants after it.

    count  tasks wanted before it; None: not known. Any registration moves them into the bounds that then hold, also
           into the one that it does not state (reference aws.md 3.1): a count set by hand may be outside
    """
    assert change.after is not None
    least, most = int(change.after["MinCapacity"]), int(change.after["MaxCapacity"])
    if count is None:
        effect = f"if more than {most:,} tasks run, stops those above at once: how many is not known"
        return replace(change, effect=effect), None
    if count > most:
        stops = count - most
        return replace(change, effect=f"stops {stops:,} of {count:,} tasks at once", stops=stops), most
    if count < least:
        starts = least - count
        return replace(change, effect=f"starts {starts:,} tasks at once, beside {count:,}", starts=starts), least
    if change.before is not None and least < change.before["MinCapacity"]:
        change = replace(change, effect="stops no task at once; scaling policies may scale in to it from now on")
    return change, count


def _suspended(stated: Parameters, one: LiveService) -> Parameters:
    """SuspendedState, where the calls state one and the account has another. Ours do not: suspending is for people."""
    state = stated.get("SuspendedState")
    if state is None or all(bool(value) == (each in one.suspended) for each, value in state.items()):
        return {}
    return {"SuspendedState": state}


def _stays(
    bound: str,
    stands: int,
    due: int,
    stated: Parameters,
    wanted: Wanted,
    one: LiveService,
    rescheduled: bool,
    now: pd.Timestamp,
) -> bool:
    """Whether a bound is where it should be, or where something other than a hand on the console put it."""
    if stands == due:
        return True
    if any(one.actions[name].get("ScalableTargetAction", {}).get(bound) == stands for name in unread(one.actions)):
        return True
    moments = (now, now - DONE)  # what is due this minute may not be done yet
    fired = [settings(one.actions, moment, one.created).get(bound) for moment in moments]
    place = (one.region, one.resource_id)
    for setting in fired:
        if setting is not None and setting.value == stands:
            own = setting.action in wanted.of(place, "action") or setting.action.startswith(wanted.prefixes[place])
            if not own or not rescheduled:
                return True
    if rescheduled:
        return False
    asleep = fired[0] is None or "ScheduledScalingSuspended" in one.suspended
    return asleep and stands == stated[bound]


def _finding(one: LiveService, check: str, status: Status, message: str, advice: str = "") -> Finding:
    return Finding(one.resource_id.removeprefix("service/"), "", check, status, message, advice)


def _blocking(wanted: Wanted, one: LiveService, live: Live) -> Iterator[Finding]:
    """What AWS would refuse, or what would change something that is not ours."""
    place = (one.region, one.resource_id)
    if one.exists is False:
        advice = "Is it another region, cluster or account? `aws ecs list-services` lists those there are."
        yield _finding(one, "missing", "FAIL", f"there is no ECS service {one.resource_id} in {one.region}", advice)
    policies = wanted.of(place, "policy")
    for name, parameters in policies.items():
        standing = one.policies.get(name)
        if standing is not None and standing["PolicyType"] != parameters["PolicyType"]:
            message = f"policy {name!r} is {standing['PolicyType']} and would become {parameters['PolicyType']}"
            yield _finding(one, "type", "FAIL", message, "AWS changes no policy's type: delete it first.")
        for other, their in one.policies.items():
            if other in policies or other.startswith(wanted.prefixes[place]):
                continue
            if metric_of(parameters) is not None and metric_of(parameters) == metric_of(their):
                message = f"policy {other!r}, which is not ours, tracks the same metric as {name!r}"
                advice = "AWS allows one: delete it, or leave this service out with --service."
                yield _finding(one, "conflict", "FAIL", message, advice)
    for name in wanted.of(place, "alarm"):
        if (one.region, name) in live.others:
            message = f"there is an alarm {name!r} that acts on something else"
            yield _finding(one, "alarm", "FAIL", message, "Putting ours would overwrite it: rename or delete it first.")


def _beside(wanted: Wanted, one: LiveService, made: Sequence[Change], now: pd.Timestamp) -> Iterator[Finding]:
    """What is seen beside our own and left alone, and who else has a hand on this."""
    place = (one.region, one.resource_id)
    begins = wanted.prefixes[place]
    for each in one.suspended:
        message = f"{SUSPENDED[each]} is suspended, by someone's hand: it stays so"
        yield _finding(one, "suspended", "REVIEW", message, "Nothing of the kind happens until it is resumed.")
    for name, policy in one.policies.items():
        if name not in wanted.of(place, "policy") and not name.startswith(begins):
            message = f"{policy['PolicyType']} policy {name!r} is not ours and is left alone"
            advice = "Of several policies the largest count wins, and scaling in takes all of them."
            yield _finding(one, "foreign", "REVIEW", message, advice)
        for alarm in () if policy["PolicyType"] != "StepScaling" else one.acting.get(name, ()):
            if alarm not in wanted.of(place, "alarm") and not alarm.startswith(begins) and name.startswith(begins):
                message = f"alarm {alarm!r} is not ours, acts on policy {name!r} of ours, and is left alone"
                yield _finding(one, "foreign", "REVIEW", message)
    for name, action in one.actions.items():
        if name not in wanted.of(place, "action") and not name.startswith(begins):
            message = f"scheduled action {name!r} ({printable(action['Schedule'])}) is not ours and is left alone"
            yield _finding(
                one, "foreign", "REVIEW", message, "It moves the same bounds as ours, whichever fires later."
            )
    scheduled = wanted.of(place, "action")
    if scheduled and all(over(action, now) for action in scheduled.values()):
        message = "every scheduled action of this policy is over: it holds its bounds, and nothing more"
        yield _finding(one, "over", "REVIEW", message, "Make a new policy from today's forecast.")
    manager = managed_by(one.tags)
    if manager and made:
        message = f"its tags say that {manager} manages it: the next deployment will undo this change"
        yield _finding(
            one, "managed", "REVIEW", message, f"Put the change there: capacity policy --as {_rendering(manager)}."
        )


def managed_by(tags: Mapping[str, str]) -> str:
    """Who deploys what bears these tags; empty when no tag says it, which does not mean that nobody does.

    >>> managed_by({"aws:cloudformation:stack-name": "shop"}), managed_by({"ManagedBy": "Terraform"}), managed_by({})
    ('CloudFormation', 'Terraform', '')
    """
    if any(key.startswith("aws:cloudformation:") for key in tags):
        return "CloudFormation"
    words = " ".join(f"{key}={value}" for key, value in tags.items()).lower()
    known = {"terraform": "Terraform", "opentofu": "OpenTofu", "pulumi": "Pulumi", "cloudformation": "CloudFormation"}
    return next((name for word, name in known.items() if word in words), "")


def _rendering(manager: str) -> str:
    return "terraform" if manager in ("Terraform", "OpenTofu") else "cloudformation"
