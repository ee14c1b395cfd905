"""`Live`: what stands in an account for some services, at one moment. A value; `reading` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pandas as pd

from capacity.display import table_html
from capacity.findings import NO_FINDINGS, Findings
from capacity.scaling.live.items import Item, Kind, Parameters, coordinates

if TYPE_CHECKING:
    from capacity.sources.aws import Door

#: Members of SuspendedState, and what does not happen while each is true.
SUSPENDED: Final = {
    "DynamicScalingInSuspended": "scaling in",
    "DynamicScalingOutSuspended": "scaling out",
    "ScheduledScalingSuspended": "scheduled scaling",
}


@dataclass(frozen=True)
class LiveService:
    """What stands on one service, told as the parameters that would make it.

    bounds     (minimum, maximum) of the scalable target; None: there is none
    suspended  members of SuspendedState that are true
    policies   name -> parameters; `arns` their ARNs, `acting` the alarms that AWS says act on each
    actions    name -> parameters; `created` when each came to be
    alarms     name -> parameters, of those of ours and of those that were asked for by name
    desired    tasks that ECS wants now; None: not known
    exists     whether ECS has the service; None: not known
    tags       of the scalable target and of the ECS service
    """

    region: str
    resource_id: str
    bounds: tuple[int, int] | None = None
    suspended: tuple[str, ...] = ()
    policies: Mapping[str, Parameters] = field(default_factory=dict)
    arns: Mapping[str, str] = field(default_factory=dict)
    acting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    actions: Mapping[str, Parameters] = field(default_factory=dict)
    created: Mapping[str, pd.Timestamp] = field(default_factory=dict)
    alarms: Mapping[str, Parameters] = field(default_factory=dict)
    desired: int | None = None
    exists: bool | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: Kind) -> Mapping[str, Parameters]:
        """Name -> parameters of one kind."""
        if kind == "bounds":
            if self.bounds is None:
                return {}
            least, most = self.bounds
            return {"": {**coordinates(self.resource_id), "MinCapacity": least, "MaxCapacity": most}}
        return {"policy": self.policies, "action": self.actions, "alarm": self.alarms}[kind]

    def item(self, item: Item) -> Parameters | None:
        return self.of(item.kind).get(item.name)


@dataclass(frozen=True, eq=False)
class Live:
    """What stands for some services.

    account, caller  as STS says them
    others           (region, alarm name) of alarms whose names are wanted, and which are another service's or composite
    door             the way into the account by which it was read
    """

    account: str
    caller: str
    services: Mapping[tuple[str, str], LiveService]
    read_at: pd.Timestamp
    findings: Findings = NO_FINDINGS
    others: frozenset[tuple[str, str]] = frozenset()
    door: Door | None = field(default=None, repr=False)

    def __getitem__(self, place: tuple[str, str]) -> LiveService:
        return self.services.get(place, LiveService(*place))

    @property
    def frame(self) -> pd.DataFrame:
        """One row a service: bounds, tasks wanted, and how many policies, actions and alarms stand."""
        rows = [
            {
                "region": one.region,
                "service": one.resource_id,
                "min_tasks": None if one.bounds is None else one.bounds[0],
                "max_tasks": None if one.bounds is None else one.bounds[1],
                "desired": one.desired,
                "policies": len(one.policies),
                "scheduled_actions": len(one.actions),
                "alarms": len(one.alarms),
                "suspended": ", ".join(SUSPENDED[each] for each in one.suspended),
            }
            for one in self.services.values()
        ]
        return pd.DataFrame(rows, columns=_COLUMNS).astype(dict.fromkeys(_COLUMNS[2:5], "Int64"))

    def __str__(self) -> str:
        return f"{len(self.services)} services of account {self.account}"

    def _repr_html_(self) -> str:
        return table_html(str(self), self.frame)


_COLUMNS = [
    *("region", "service", "min_tasks", "max_tasks", "desired"),
    *("policies", "scheduled_actions", "alarms", "suspended"),
]
