"""Does it need a new plan now? Reasons with numbers, or the day on which the next is due.

outside    the highest interval of a day was above its P95 on more days than chance explains
level      demand has been above, or below, the median for a while by more than the plan's own doubt (CUSUM)
growth     the gap between demand and its median widens, or closes and passes, week by week
peak       the highest interval of the whole horizon was above the P99 of such peaks
capacity   a request takes more, or less, processor than planned
new, gone  services that the plan does not know, or that are no longer measured
settings   today's settings are not those that the plan was made with
over       nearly all of its horizon has passed
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from capacity.config import Config, Service
from capacity.planning.words import counted, first_few, listed, share, spoken_date
from capacity.reviewing.coverage import Past
from capacity.reviewing.decomposing import Split
from capacity.reviewing.departing import Reason, departed
from capacity.reviewing.wording import change
from capacity.schema import DRIFT

#: A request that takes this much more or less of a processor moves as many tasks.
MOVED: Final = 0.10

#: Share of the horizon after which the plan is over.
OVER: Final = 0.9

#: Settings of a service that a plan does not follow from.
_IDLE: Final = frozenset({"owner", "slo", "alb_resource_label", "target_value", "change_days"})


@dataclass(frozen=True, eq=False)
class Drift:
    """Whether a new plan is needed now, and why; else when the next is due."""

    reasons: tuple[Reason, ...]
    next_at: pd.Timestamp

    @property
    def needed(self) -> bool:
        return bool(self.reasons)

    @property
    def services(self) -> list[str]:
        """Services that need one, when it is not the whole plan that does."""
        names = dict.fromkeys(reason.service for reason in self.reasons)
        return [] if "" in names else list(names)

    @property
    def frame(self) -> pd.DataFrame:
        """`schema.DRIFT`."""
        frame = pd.DataFrame([reason._asdict() for reason in self.reasons], columns=DRIFT.names)
        frame["since"] = pd.to_datetime(frame["since"], utc=True).astype("datetime64[us, UTC]")
        return frame.astype({"value": "float64", "usual": "float64"})

    @property
    def answer(self) -> str:
        """Yes or no, in one sentence."""
        if not self.reasons:
            return f"No new plan is needed yet; the next is due by {spoken_date(self.next_at)}."
        whom = f" of {first_few([f'`{name}`' for name in self.services])}" if self.services else ""
        return f"A new plan{whom} is needed now, for {counted(len(self.reasons), 'reason')}."

    def __str__(self) -> str:
        return " ".join([self.answer, *(reason.sentence for reason in self.reasons)])


def drift(past: Past, splits: Mapping[str, Split], config: Config | None = None) -> Drift:
    """Every reason for a new plan, the heaviest kind first; and when the next is due if there is none."""
    reasons = [*over(past), *strangers(past, config)]
    if config is not None:
        reasons += settings(past.promised.snapshot.config, config)
    sized = [
        key for key in past.held(past.promised.keys) if key.metric in ("requests", "cpu") and key.service in splits
    ]
    reasons += departed(past, sized)
    reasons += capacity(splits.values())
    return Drift(_first_things_first(reasons), due(past))


def _first_things_first(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The heaviest kind first, then by service; its requests before its vCPU."""
    order = ("over", "gone", "new", "settings", "capacity", "level", "outside", "growth", "peak")
    return tuple(sorted(reasons, key=lambda one: (order.index(one.reason), one.service, one.metric != "requests")))


def due(past: Past) -> pd.Timestamp:
    """When the next plan has to be there: before the horizon ends, by as long as the slowest change takes."""
    days = [service.change_days for service in past.promised.snapshot.config.service]
    days += [account.quota_change_days for account in past.promised.snapshot.config.account]
    return max(past.promised.end - pd.Timedelta(days=max(days, default=0)), past.actual.now)


def over(past: Past) -> list[Reason]:
    """The plan's horizon is nearly over."""
    passed = past.hours * pd.Timedelta(hours=1) / (past.promised.end - past.promised.cutoff)
    if passed < OVER:
        return []
    sentence = f"{share(passed)} of its horizon has passed; it ends {spoken_date(past.promised.end)}."
    return [Reason("", "", "over", float(passed), OVER, None, sentence)]


def strangers(past: Past, config: Config | None) -> list[Reason]:
    """Services that the plan does not know, by the actuals or by today's settings; and those that are gone."""
    known = set(past.promised.services) | {service.name for service in past.promised.snapshot.config.service}
    today = set() if config is None else {service.name for service in config.service}
    new = {*past.actual.strangers, *today} - known
    found = []
    if new:
        names = sorted(new)
        sentence = f"{counted(len(names), 'service')} not in the plan: {first_few(names)}."
        found.append(Reason("", "", "new", len(names), 0, None, sentence))
    if past.actual.missing:
        names = sorted(past.actual.missing)
        sentence = f"{counted(len(names), 'service')} of the plan no longer measured: {first_few(names)}."
        found.append(Reason("", "", "gone", len(names), 0, None, sentence))
    return found


def settings(before: Config, today: Config) -> list[Reason]:
    """What the plan follows from, and is stated otherwise today."""
    now, found = {service.name: service for service in today.service}, []
    for service in before.service:
        other = now.get(service.name)
        changed = different(service, other) if other is not None else []
        if changed:
            said = listed([f"{name} {_worded(old)} -> {_worded(new)}" for name, old, new in changed])
            found.append(Reason(service.name, "", "settings", len(changed), 0, None, f"`{service.name}`: {said}."))
    goal = [(name, getattr(before.goal, name), getattr(today.goal, name)) for name in type(before.goal).model_fields]
    moved = [f"{name} {_worded(old)} -> {_worded(new)}" for name, old, new in goal if old != new]
    if moved:
        found.append(Reason("", "", "settings", len(moved), 0, None, f"The goal: {listed(moved)}."))
    return found


def different(before: Service, today: Service) -> list[tuple[str, Any, Any]]:
    """(field, then, now) of what a plan follows from."""
    fields = [name for name in type(before).model_fields if name not in _IDLE]
    return [
        (name, getattr(before, name), getattr(today, name))
        for name in fields
        if getattr(before, name) != getattr(today, name)
    ]


def _worded(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, (int, str)) and str(value) else "otherwise"


def capacity(splits: Iterable[Split]) -> list[Reason]:
    """A request takes more, or less, of a processor than the plan thought."""
    found = []
    for one in splits:
        carries = one.carries
        if carries is None or abs(carries.ratio - 1) < MOVED:
            continue
        name = one.service.name
        sentence = (
            f"`{name}`: a request took {carries.actual * 1000:.3g} vCPU-ms, {change(carries.ratio)} the "
            f"{carries.planned * 1000:.3g} it was planned with."
        )
        found.append(Reason(name, "cpu", "capacity", carries.actual, carries.planned, None, sentence))
    return found
