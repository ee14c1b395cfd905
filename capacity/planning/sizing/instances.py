"""`plan.instances()`: how many EC2 instances of which type hold the plan's tasks, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capacity.config import Instance, Service
from capacity.display import table_html
from capacity.errors import InputError
from capacity.planning.cost import spread
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.planning.sizing.packing import packed, volume_bound
from capacity.planning.steps import tracked_share, whole_tasks
from capacity.planning.words import counted, first_few, level_words, listed, share, usd
from capacity.schema import INSTANCES

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

#: From (N, K) counts, (K, D) sizes and (D,) room to (N,) instances.
Packing = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Instances:
    """Instance types that could hold some services' tasks, as one cluster.

    frame   `schema.INSTANCES`: a row a type, the cheapest first, those on which a task does not fit last
    needed  type -> Series of instances at the goal's level, by interval
    """

    frame: pd.DataFrame
    services: tuple[str, ...]
    zones: int
    level: float
    needed: dict[str, pd.Series] = field(repr=False)

    @cached_property
    def best(self) -> pd.Series | None:
        """The row of the cheapest type that fits and has a price; None where there is none."""
        allowed = self.frame[(self.frame["rejected_because"] == "") & self.frame["usd"].notna()]
        return None if allowed.empty else allowed.iloc[0]

    @property
    def sentence(self) -> str:
        """Which type, how many, for what, in one breath."""
        whose = f"the tasks of {first_few([f'`{name}`' for name in self.services])}"
        if self.best is None:
            fits = self.frame[self.frame["rejected_because"] == ""]["instance"].tolist()
            if not fits:
                return f"No type holds {whose}."
            counts = self.frame.set_index("instance")["instances"]
            ways = [f"{counted(counts[name], 'instance')} of {name}" for name in fits]
            return f"{listed(ways)} would hold {whose}, at no known price: state usd_per_hour."
        row = self.best
        return (
            f"{counted(row['instances'], 'instance')} of {row['instance']} in {self.zones} zones hold {whose} at their "
            f"peak, {level_words(self.level)} sure; {usd(row['usd'])} a month when they follow the load, "
            f"{share(row['used'])} of the {row['bound_by']} in use."
        )

    def __str__(self) -> str:
        return self.sentence

    def plot(self) -> Any:
        """A bar of USD a month for each type, the cheapest first; none for a type that does not do."""
        from capacity import charts

        money = self.frame["usd"].where(self.frame["rejected_because"] == "").to_numpy(dtype=float)
        title = f"Instances for {first_few([*self.services])}"
        unknown = "does not fit, or at no known price"
        return charts.bars(list(self.frame["instance"]), money, "USD a month", title, unknown=unknown)

    def _repr_html_(self) -> str:
        return table_html(self.sentence, self.frame)


def instances(
    plan: Plan,
    instance: Instance | Iterable[Instance],
    services: str | Iterable[str] | None = None,
) -> Instances:
    """How many instances of each type hold the tasks of some services together, as one cluster.

    instance  one type or several, compared
    services  those whose tasks share the instances; None: those of launch type EC2, or all where none is

    Tasks are spread evenly over the zones, and each zone is packed by itself (`packed`: vCPU, memory, and places where
    `max_tasks` says so), so what the loss of a zone leaves still holds what the plan wants to be left. Each zone keeps
    room for one more of the largest tasks, without which no rolling deployment that keeps 100 % could begin. Counts are
    packed path by path before their quantile is read; money follows each path, at the target that a policy tracks.
    An interval without a task needs no instance. What a daemon takes belongs to the type's reserved vCPU and memory.
    Raises InputError for services that are not planned, in several regions or over different numbers of zones, and for
    no type at all.
    """
    types = (instance,) if isinstance(instance, Instance) else tuple(instance)
    if not all(isinstance(one, Instance) for one in types):
        raise InputError(
            f"{instance!r} is no instance type", advice="Write Instance(name=..., vcpu=..., memory_gib=...)."
        )
    if not types:
        raise InputError("no instance type to pack onto", advice="Pass Instance(name=..., vcpu=..., memory_gib=...).")
    chosen = _chosen(plan, services)
    zones = chosen[0].zones
    levels = [plan.goal_of(one.name).level for one in chosen]
    wanted = np.stack([np.maximum(plan.counts(one.name), one.min_tasks) for one in chosen], axis=-1)  # (P, H, K)
    followed = np.stack([_followed(plan, one) for one in chosen], axis=-1)
    about = _Cluster(plan, chosen, zones, max(levels), wanted, followed)
    found = [about.on(one) for one in types]
    rows = sorted((row for row, _ in found), key=lambda row: (row["rejected_because"] != "", _money(row)))
    needed = {row["instance"]: series for row, series in found if series is not None}
    frame = pd.DataFrame(rows, columns=INSTANCES.names).assign(at=pd.to_datetime([row["at"] for row in rows], utc=True))
    frame = frame.astype(INSTANCES.types)
    return Instances(frame, tuple(one.name for one in chosen), zones, max(levels), needed)


def _chosen(plan: Plan, services: str | Iterable[str] | None) -> list[Service]:
    if services is None:
        chosen = [one for one in plan.services if one.launch_type == "EC2"] or list(plan.services)
    else:
        names = [services] if isinstance(services, str) else services
        chosen = [plan.service_named(name) for name in dict.fromkeys(names)]
    if not chosen:
        raise InputError("no service's tasks to pack", advice="Name one or more that are planned.")
    regions = sorted({one.region for one in chosen})
    if len(regions) > 1:
        raise InputError(
            f"these services are in {listed(regions)}, and a cluster is in one region: pack each by itself"
        )
    spread_over = sorted({one.zones for one in chosen})
    if len(spread_over) > 1:
        numbers = listed([str(one) for one in spread_over])
        raise InputError(f"these services spread over {numbers} zones: pack those of one number by themselves")
    return chosen


def _followed(plan: Plan, service: Service) -> np.ndarray:
    """(P, H) counts when tasks follow each path, as `plan.cost` counts them."""
    need = plan.needs[service.name]
    tracked = need / need.dtype.type(tracked_share(service, plan.goal_of(service.name)))
    return np.clip(whole_tasks(tracked), service.min_tasks, service.max_tasks)


@dataclass(frozen=True, eq=False)
class _Cluster:
    """Tasks of K services on P paths and H intervals, in zones that are packed alike."""

    plan: Plan
    services: list[Service]
    zones: int
    level: float
    wanted: np.ndarray  # (P, H, K) with every headroom step
    followed: np.ndarray  # (P, H, K)

    def on(self, instance: Instance) -> tuple[dict[str, Any], pd.Series | None]:
        """A row of `Instances.frame`, and the instances needed by interval; none where a task does not fit."""
        room = np.array([instance.free_vcpu, instance.free_memory_gib, instance.max_tasks or np.inf])
        names = np.array(["vCPU", "memory", "places"])
        held = np.isfinite(room)
        sizes = np.array([[one.task_vcpu, one.task_memory_gib, 1.0] for one in self.services])[:, held]
        room, names = room[held], names[held]
        for service, size in zip(self.services, sizes, strict=True):
            over = size > room * (1 + 1e-9)
            if over.any():
                return self._too_small(
                    instance, service, str(names[over][0]), float(size[over][0]), float(room[over][0])
                )
        needed, bound = (self._at_level(self._packed(self.wanted, sizes, room, by)) for by in (packed, volume_bound))
        times = self.plan.forecast.times
        hours = self.plan.forecast.interval / pd.Timedelta(hours=1)
        month = HOURS_PER_MONTH / (len(times) * hours)
        ran = self._packed(self.followed, sizes, room, packed)  # (P, H)
        price = np.nan if instance.usd_per_hour is None else instance.usd_per_hour
        taken = (self.followed.reshape(-1, len(sizes)) @ sizes).sum(axis=0) / (max(ran.sum(), 1) * room)
        row = {
            "instance": instance.name,
            "instances": int(needed.max()),
            "at_least": int(bound.max()),
            "at": times[int(needed.argmax())],
            "instance_hours": float(ran.sum(axis=1).mean() * hours * month),
            **spread(ran.sum(axis=1) * hours * month * price),
            "used": float(taken.max()),
            "bound_by": str(names[int(taken.argmax())]),
            "rejected_because": "",
        }
        return row, pd.Series(needed, index=times, name=instance.name)

    def _at_level(self, counts: np.ndarray) -> np.ndarray:
        """(H,) whole instances that suffice on that share of the paths."""
        return np.ceil(np.quantile(counts, self.level, axis=0) - 1e-9).astype(np.int64)

    def _packed(self, counts: np.ndarray, sizes: np.ndarray, room: np.ndarray, by: Packing) -> np.ndarray:
        """(P, H) instances in all zones: each zone holds its part of every service's tasks, and one task more."""
        paths, length, kinds = counts.shape
        zone = -(-counts.reshape(-1, kinds) // self.zones)
        largest = int((sizes / room).max(axis=1).argmax())
        zone[:, largest] += zone.any(axis=1)
        return by(zone, sizes, room).reshape(paths, length) * self.zones

    def _too_small(
        self, instance: Instance, service: Service, resource: str, asks: float, has: float
    ) -> tuple[dict[str, Any], None]:
        unit = {"vCPU": " vCPU", "memory": " GiB"}.get(resource, "")
        why = f"a task of `{service.name}` takes {asks:g}{unit}, and it has {has:g}{unit} for tasks"
        nothing = dict.fromkeys(("instance_hours", "usd", "p5", "p50", "p95", "used"), np.nan)
        row = {"instance": instance.name, "instances": pd.NA, "at_least": pd.NA, "at": pd.NaT, **nothing}
        return {**row, "bound_by": resource, "rejected_because": why}, None


def _money(row: dict[str, Any]) -> tuple[float, float]:
    cost = row["usd"] if row["usd"] == row["usd"] else np.inf
    return cost, row["instance_hours"] if row["instance_hours"] == row["instance_hours"] else np.inf
