"""What shall stand, as items: a `Policy`, or the calls of one that were printed and that someone has reviewed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from capacity.errors import InputError, Problem
from capacity.scaling.cron import parse
from capacity.scaling.live.items import DIMENSION, OPERATIONS, Call, Item, Kind, Parameters, acts_on, policy_of_arn
from capacity.scaling.live.referee import call_problems
from capacity.scaling.policy import Policy
from capacity.scaling.render.calls import arn_placeholder
from capacity.scaling.render.configurations import PLACEHOLDER
from capacity.scaling.schedule import slug_of

#: What calls from a file may be: whatever else it holds is refused, not made.
_KINDS: Final[dict[tuple[str, str], Kind]] = {(each[0], each[1]): kind for kind, each in OPERATIONS.items()}
_RESOURCE: Final = re.compile(r"service/[^/]+/[^/]+")
_TRACKED: Final = re.compile(r"capacity-(.+)-(?:cpu|memory|requests)")


@dataclass(frozen=True, eq=False)
class Wanted:
    """What shall stand on which services.

    items     the parameters of each item, in the order to make them
    prefixes  (region, resource id) -> how names of ours begin on it: what bears one and is no item is a leftover
    """

    items: Mapping[Item, Parameters]
    prefixes: Mapping[tuple[str, str], tuple[str, ...]]

    @property
    def places(self) -> list[tuple[str, str]]:
        """(region, resource id) of every service, each once."""
        return list(self.prefixes)

    def of(self, place: tuple[str, str], kind: Kind) -> dict[str, Parameters]:
        """Name -> parameters of one kind on one service."""
        return self._sorted.get((place, kind), {})

    @cached_property
    def _sorted(self) -> dict[tuple[tuple[str, str], Kind], dict[str, Parameters]]:
        found: dict[tuple[tuple[str, str], Kind], dict[str, Parameters]] = {}
        for item, parameters in self.items.items():
            found.setdefault((item.place, item.kind), {})[item.name] = parameters
        return found

    def only(self, services: Sequence[str]) -> Wanted:
        """Only these services, by their name in ECS or as CLUSTER/SERVICE. Raises InputError for one not there."""
        names = {place: (place[1].rsplit("/", 1)[-1], place[1].removeprefix("service/")) for place in self.places}
        unknown = [name for name in services if not any(name in known for known in names.values())]
        if unknown:
            there = ", ".join(known[1] for known in names.values())
            raise InputError(f"no call is of a service {', '.join(map(repr, unknown))}", advice=f"There are: {there}.")
        kept = [place for place, known in names.items() if set(services) & set(known)]
        items = {item: each for item, each in self.items.items() if item.place in kept}
        return Wanted(items, {place: self.prefixes[place] for place in kept})


def wanted_of(what: Policy | Sequence[Call], region: str, regions: Mapping[str, str] | None = None) -> Wanted:
    """The items of a policy or of a list of calls, checked as strictly as can be without asking AWS.

    region   where calls go: they do not say. A policy's services say it themselves
    regions  resource id -> region, where calls of one list go to several

    Raises InputError, listing all that is wrong: what is no call, or one that a policy does not need, what botocore's
    model refuses, enumerations, maxima and patterns included, placeholders that nobody filled in, and an alarm that
    acts on nothing here.
    """
    if isinstance(what, Policy):
        slugs = {(one.service.region, one.service.resource_id): slug_of(one.service.name) for one in what}
        calls = [(one.service.region, call) for one in what for call in Policy((one,)).render("boto3")]
    else:
        slugs = {}
        calls = [((regions or {}).get(_resource(call), region), call) for call in what]
    items: dict[Item, Parameters] = {}
    taken: set[tuple[str, ...]] = set()
    owners: dict[str, Item] = {}
    problems: list[Problem] = []
    for number, (where, call) in enumerate(calls, start=1):
        found = list(_call_problems(call))
        if not found:
            item = _item(where, call, owners)
            if item is None:
                found = [f"alarm {call['parameters']['AlarmName']!r} acts on no policy of these calls"]
            elif _name(item) in taken:
                found = [f"{item.kind} {item.name or item.resource_id} came before: each can stand once"]
            else:
                items[item] = call["parameters"]
                taken.add(_name(item))
                owners |= _answers_to(item)
        problems += [Problem(problem, where=f"call {number}") for problem in found]
    places = list(dict.fromkeys(item.place for item in items))
    problems += [Problem(text, where=place[1]) for place, text in _unbounded(places, items)]
    if problems:
        raise InputError("these calls cannot be made:", problems, _advice(problems))
    named: dict[tuple[str, str], list[str]] = {place: [] for place in places}
    for item in items:
        named[item.place] += [item.name] if item.kind == "policy" else []
    return Wanted(items, {place: _prefixes(place, named[place], slugs.get(place)) for place in places})


def _advice(problems: list[Problem]) -> str:
    if any(PLACEHOLDER in problem.message for problem in problems):
        return "State alb_resource_label of the service: app/NAME/ID/targetgroup/NAME/ID."
    return "`capacity policy --as boto3` prints calls that can."


def _resource(call: Any) -> str:
    parameters = call.get("parameters") if isinstance(call, Mapping) else None
    return str(parameters.get("ResourceId", "")) if isinstance(parameters, Mapping) else ""


def _name(item: Item) -> tuple[str, ...]:
    """What AWS tells an item by: an alarm's name is a region's own, whichever service it is for."""
    return (item.kind, item.region, item.name) if item.kind == "alarm" else (item.kind, *item.place, item.name)


def _call_problems(call: Any) -> Iterator[str]:
    if not isinstance(call, Mapping) or not {"client", "operation", "parameters"} <= call.keys():
        yield f'{str(call)[:60]!r} is no {{"client", "operation", "parameters"}}'
        return
    kind = _KINDS.get((call["client"], call["operation"]))
    if kind is None:
        yield f"{call['client']} {call['operation']} is no call of a policy, and is not made"
        return
    parameters = call["parameters"]
    found = call_problems(call["client"], call["operation"], parameters)
    yield from found
    if found:
        return
    if kind != "alarm":
        if (parameters["ServiceNamespace"], parameters["ScalableDimension"]) != ("ecs", DIMENSION):
            yield f"only the count of ECS services is scaled, not {parameters['ScalableDimension']}"
        if not _RESOURCE.fullmatch(parameters["ResourceId"]):
            yield f"ResourceId {parameters['ResourceId']!r} is not service/CLUSTER/SERVICE"
    if PLACEHOLDER in str(parameters):
        yield f"{PLACEHOLDER} stands where the load balancer's resource label has to"
    bounds = parameters.get("ScalableTargetAction", parameters)
    if bounds.get("MinCapacity", 0) > bounds.get("MaxCapacity", float("inf")):
        yield f"MinCapacity {bounds['MinCapacity']} is above MaxCapacity {bounds['MaxCapacity']}"
    if kind == "action":
        yield from _schedule_problems(parameters)


def _schedule_problems(parameters: Parameters) -> Iterator[str]:
    try:
        parse(parameters.get("Schedule", ""))
        ZoneInfo(parameters.get("Timezone", "UTC"))
    except InputError as error:
        yield str(error).splitlines()[0]
    except (KeyError, ValueError, OSError):
        yield f"time zone {parameters['Timezone']!r} is not an IANA zone"


def _item(region: str, call: Call, owners: Mapping[str, Item]) -> Item | None:
    """The item of a call. An alarm is of the service whose policy it acts on, of two of that name the one put last."""
    kind, parameters = _KINDS[call["client"], call["operation"]], call["parameters"]
    if kind != "alarm":
        named = OPERATIONS[kind][3]
        return Item(region, parameters["ResourceId"], kind, parameters[named] if named else "")
    for action in acts_on(parameters):
        owner = owners.get("/".join(policy_of_arn(action) or (action,)))
        if owner is not None:
            return Item(*owner.place, "alarm", parameters["AlarmName"])
    return None


def _answers_to(item: Item) -> dict[str, Item]:
    """What an alarm may call a policy: by placeholder, or by the end of its ARN."""
    if item.kind != "policy":
        return {}
    return {arn_placeholder(item.name): item, f"{item.resource_id}/{item.name}": item}


def _unbounded(
    places: Sequence[tuple[str, str]], items: Mapping[Item, Parameters]
) -> Iterator[tuple[tuple[str, str], str]]:
    """Services without bounds of their own: the first registration has to state both."""
    for place in places:
        bounds = items.get(Item(*place, "bounds"), {})
        if not {"MinCapacity", "MaxCapacity"} <= bounds.keys():
            yield place, "no register_scalable_target states its MinCapacity and MaxCapacity"


def _prefixes(place: tuple[str, str], names: Sequence[str], slug: str | None) -> tuple[str, ...]:
    """How names of ours begin: by the name that the service has in the policy, and by its own in ECS.

    Those of alarms, which share one space of names in a region, hold cluster and service as they are.
    """
    slugs = {slug_of(place[1].rsplit("/", 1)[-1])} | ({slug} if slug else set())
    slugs |= {found[1] for found in map(_TRACKED.fullmatch, names) if found}
    return tuple(sorted(f"capacity-{each}-" for each in slugs | {place[1].removeprefix("service/")}))
