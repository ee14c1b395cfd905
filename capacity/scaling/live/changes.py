"""`Change` and `Diff`: what would be done to an account, in words that someone can approve."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import pandas as pd

from capacity.display import table_html
from capacity.findings import Findings
from capacity.scaling.live.items import Call, Item, Kind, Parameters, normal, policy_of_placeholder
from capacity.scaling.render.table import printable

if TYPE_CHECKING:
    from capacity.scaling.live.applying import Applied
    from capacity.sources.aws import Door

Verb = Literal["add", "change", "delete"]
SIGNS: Final[dict[Verb, str]] = {"add": "+", "change": "~", "delete": "-"}

#: Members that say where an item is, which its line says already.
_PLACE: Final = {
    *("ServiceNamespace", "ResourceId", "ScalableDimension"),
    *("PolicyName", "ScheduledActionName", "AlarmName", "AlarmDescription"),
}


@dataclass(frozen=True)
class Change:
    """One call to be made, and why.

    before, after  parameters of the item; None: it does not stand
    call           {"client", "operation", "parameters"}. An ARN that only an earlier answer tells is its placeholder
    effect         what the call does to running tasks, at once; empty: nothing
    stops, starts  tasks, at once
    because        why, where before and after do not say it
    """

    item: Item
    verb: Verb
    before: Parameters | None
    after: Parameters | None
    call: Call
    effect: str = ""
    stops: int = 0
    starts: int = 0
    because: str = ""

    @property
    def sentence(self) -> str:
        """One line: `~ bounds: MaxCapacity 80 -> 40`."""
        name = f"{self.item.kind} {self.item.name}".strip()
        words = [f"{SIGNS[self.verb]} {name}"]
        differences = ", ".join(_differences(self.item.kind, self.before, self.after))
        if differences and self.verb != "delete":
            words.append(differences)
        if self.because:
            words.append(self.because)
        return printable(": ".join(words))


@dataclass(frozen=True, eq=False)
class Diff:
    """What has to change in an account, in the order of the calls; and what was seen beside it and left alone.

    findings  FAIL: it cannot be applied before a person has acted; REVIEW, UNKNOWN: to be read before it is
    again     makes the same diff anew, from what stands then: `apply` does not trust an old one
    of        the run that this one puts back; empty: none
    door      the way into the account by which it was read
    """

    account: str
    made_at: pd.Timestamp
    changes: tuple[Change, ...]
    findings: Findings
    services: int
    again: Callable[[Door | None], Diff] = field(repr=False)
    of: str = ""
    door: Door | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.changes)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    @property
    def stops(self) -> int:
        """Running tasks that applying stops at once."""
        return sum(change.stops for change in self.changes)

    @property
    def starts(self) -> int:
        """Tasks that applying starts at once."""
        return sum(change.starts for change in self.changes)

    def apply(
        self, *, yes: bool = False, log: str | Path = "capacity-audit.jsonl", door: Door | None = None
    ) -> Applied:
        """Print this diff and, with `yes`, make its calls, each in the audit log before and after. See `live.apply`.

        door  default: the one that the diff was read by
        """
        from capacity.scaling.live.applying import apply

        return apply(self, yes=yes, log=log, door=door)

    def __str__(self) -> str:
        """The whole of it, for a terminal: services, changes, what they do to running tasks, and a sum."""
        head = f"Account {self.account} as of {self.made_at:%Y-%m-%d %H:%M} UTC"
        head += f", to take back run {self.of}" if self.of else ""
        lines = [head]
        for (region, resource_id), changes in groupby(self.changes, key=lambda change: change.item.place):
            lines += ["", printable(f"{resource_id} in {region}")]
            for change in changes:
                lines.append(f"  {change.sentence}")
                lines += [f"      {change.effect}"] if change.effect else []
        return "\n".join([*lines, "", self.summary])

    @property
    def summary(self) -> str:
        """One line: how many changes, and how many tasks they stop and start at once."""
        if not self.changes:
            stand = "service stands as it should" if self.services == 1 else "services stand as they should"
            return f"Nothing to apply: {self.services} {stand}."
        touched = len({change.item.place for change in self.changes})
        counts = {verb: sum(change.verb == verb for change in self.changes) for verb in SIGNS}
        words = {"add": "to add", "change": "to change", "delete": "to delete"}
        listed = ", ".join(f"{count} {words[verb]}" for verb, count in counts.items() if count)
        sentence = f"{listed}, on {touched} of {self.services} {_plural('service', self.services)}."
        if self.stops:
            sentence += f" STOPS {self.stops:,} running {_plural('task', self.stops)} at once."
        if self.starts:
            sentence += f" Starts {self.starts:,} {_plural('task', self.starts)} at once."
        return sentence

    @property
    def frame(self) -> pd.DataFrame:
        """One row a change: region, service, change (add, change, delete), kind, name, what, effect, stops, starts."""
        rows = [
            {
                "region": change.item.region,
                "service": change.item.resource_id,
                "change": change.verb,
                "kind": change.item.kind,
                "name": change.item.name,
                "what": change.sentence,
                "effect": change.effect,
                "stops": change.stops,
                "starts": change.starts,
            }
            for change in self.changes
        ]
        columns = ["region", "service", "change", "kind", "name", "what", "effect", "stops", "starts"]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """For programs, as JSON holds it."""
        return {
            "account": self.account,
            "made_at": self.made_at.isoformat(),
            "stops": self.stops,
            "starts": self.starts,
            "changes": [
                {**row, "before": change.before, "after": change.after, "call": change.call}
                for row, change in zip(self.frame.to_dict(orient="records"), self.changes, strict=True)
            ],
            "findings": [str(finding) for finding in self.findings],
        }

    def _repr_html_(self) -> str:
        return table_html(self.summary, self.frame)


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _differences(kind: Kind, before: Parameters | None, after: Parameters | None) -> Iterator[str]:
    """`MaxCapacity 80 -> 40`; of what is added, each value that is stated."""
    if before is None or after is None:
        yield from (f"{path} {_text(value)}" for path, value in _leaves(after or {}))
        return
    was, to_be = dict(_leaves(normal(kind, before))), dict(_leaves(normal(kind, after)))
    for path in dict.fromkeys([*was, *to_be]):
        if was.get(path) != to_be.get(path):
            yield f"{path} {_text(was.get(path))} -> {_text(to_be.get(path))}"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its shortest telling name: configurations are entered, lists are not."""
    for key, inner in value.items():
        if key in _PLACE and not path:
            continue
        if isinstance(inner, Mapping):
            yield from _leaves(inner, key)
        else:
            yield key, inner


def _text(value: Any) -> str:
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,.10g}"
    if isinstance(value, list):
        return "; ".join(_listed(each) for each in value) or "none"
    return str(value)


def _listed(value: Any) -> str:
    """One of a list: a step as `5 to 10: +20`, a dimension as `ServiceName=web`, an alarm's action as its policy."""
    if not isinstance(value, Mapping):
        known = policy_of_placeholder(str(value))
        return f"policy {known}" if known else str(value)
    if "ScalingAdjustment" in value:
        lower, upper = (value.get(f"MetricInterval{end}Bound") for end in ("Lower", "Upper"))
        ends = ("" if end is None else f"{end:g}" for end in (lower, upper))
        return f"{' to '.join(ends).strip()}: {value['ScalingAdjustment']:+g}"
    if value.keys() == {"Name", "Value"}:
        return f"{value['Name']}={value['Value']}"
    return json.dumps(value, ensure_ascii=False)
