"""`Alarm`: what should wake someone or open a ticket, with reason and record. `Alarms`: those of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from capacity.config import Monitoring, Service
from capacity.config.azure import AzureSettings
from capacity.config.prometheus import PrometheusSettings
from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.monitoring.conditions import Condition
from capacity.schema import ALARMS, FIRINGS

Kind = Literal[
    "burn_fast",  # an SLO's error budget burns so fast that it is gone within days: page
    "burn_slow",  # ... within the window: ticket
    "saturation",  # processor, memory or requests of a task near what it carries, ahead of the plan's limit
    "leak",  # a level that climbs and does not come back
    "pinned",  # the autoscaler stands at its maximum
    "forecast_breach",  # demand leaves the plan's P95 for hours: plan again
    "silence",  # data that should be there is not
    "quota",  # an account's quota comes near
    "anomaly",  # a band the monitor learns itself
]
Severity = Literal["page", "ticket"]

#: What is told of, by the kind of an alarm that states no lead.
TOLD_OF: Final[dict[Kind, str]] = {
    "burn_fast": "of trouble that is there: users are hurt",
    "burn_slow": "of trouble that is there: some users are hurt",
    "saturation": "of tasks that are nearly full now; users may not have noticed yet",
    "leak": "of memory that is about to end; how soon is not promised, after a change that made it calmer",
    "pinned": "of an autoscaler that can do no more now; users may not have noticed yet",
    "forecast_breach": "of a plan that no longer holds; nothing is broken by that",
    "silence": "of data that are missing now",
    "quota": "of a quota that fills; the earlier, the slower it does",
    "anomaly": "of traffic that is odd now",
}

#: Where no [monitoring] table says who is told.
NO_ONE_TOLD: Final = Monitoring()


@dataclass(frozen=True)
class Replayed:
    """How an alarm would have done on history: what `monitoring.replay` found.

    days          of history it was replayed on, days without data left out
    fired         how often it went off
    true          of those, at a time that needed a person (the SLO was broken, or would have been soon)
    false         the others
    lead_minutes  median time from its going off until the trouble, over the true ones; NaN without any
    last          when it last went off
    """

    days: float
    fired: int
    true: int
    false: int
    lead_minutes: float = float("nan")
    last: pd.Timestamp | None = None

    @property
    def false_per_month(self) -> float:
        """False alarms in 30 days of such history."""
        return self.false / self.days * 30 if self.days else float("nan")


@dataclass(frozen=True)
class Alarm:
    """One alarm of one service (or of an account, where `service` is empty).

    name     PREFIX-service-kind[-more]: unique, and at most 255 characters, as CloudWatch asks
    summary  one sentence for whoever is woken: what is happening
    because  what the threshold rests on, with numbers and units: the SLO, the plan, the replay
    runbook  file name of its page, "web--burn_fast.md"
    lead     what is promised: minutes between its going off and the trouble it tells of; None where it tells of trouble
             that is there
    refused  why it is not to be used, where replay showed that it would wake people for nothing; empty: it may be
    """

    name: str
    service: str
    kind: Kind
    severity: Severity
    condition: Condition
    summary: str
    because: str
    runbook: str
    owner: str = ""
    region: str = ""
    lead_minutes: float | None = None
    replayed: Replayed | None = None
    refused: str = ""

    @property
    def warns(self) -> str:
        """How early it comes, in words: the lead that it promises, or that it tells of what is there."""
        if self.lead_minutes is None:
            return TOLD_OF[self.kind]
        return f"at least {self.lead_minutes:,.0f} minutes before users are hurt"


def no_firings() -> pd.DataFrame:
    """The table `schema.FIRINGS` without a row."""
    return pd.DataFrame(columns=FIRINGS.names).astype(FIRINGS.types)


@dataclass(frozen=True, eq=False)
class Alarms:
    """The alarms of a plan: those to use, and those that replay refused, with the evidence.

    settings    who is told, and where the runbooks are
    prometheus  what the fleet is measured by there, so that rules ask the same questions
    firings     `schema.FIRINGS`: each time that one would have gone off on the history
    about       when the plan was made, and the history it was replayed on
    """

    alarms: tuple[Alarm, ...]
    services: tuple[Service, ...]
    settings: Monitoring = NO_ONE_TOLD
    prometheus: PrometheusSettings | None = None
    azure: AzureSettings | None = None
    findings: Findings = NO_FINDINGS
    about: dict[str, Any] = field(default_factory=dict)
    firings: pd.DataFrame = field(default_factory=no_firings, repr=False)

    def __iter__(self) -> Iterator[Alarm]:
        """Those to use."""
        return (one for one in self.alarms if not one.refused)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> Alarm:
        """The alarm of that name, refused ones included. Raises KeyError."""
        for alarm in self.alarms:
            if alarm.name == name:
                return alarm
        raise KeyError(name)

    def of(self, service: str) -> Alarms:
        """Only one service's; an account's under the empty name. Raises InputError, naming those there are."""
        known = {one.name: one for one in self.services}
        if service and service not in known:
            there = ", ".join(list(known)[:10]) or "none"
            raise InputError(f"no service {service!r} has alarms here", advice=f"There are: {there}.")
        return replace(
            self,
            alarms=tuple(one for one in self.alarms if one.service == service),
            services=(known[service],) if service else (),
            findings=Findings(tuple(one for one in self.findings if one.service == service)),
            firings=self.firings[self.firings["service"] == service].reset_index(drop=True),
        )

    @property
    def pages(self) -> tuple[Alarm, ...]:
        """Those that wake someone."""
        return tuple(one for one in self if one.severity == "page")

    @property
    def frame(self) -> pd.DataFrame:
        """One row an alarm, refused ones last: `schema.ALARMS`."""
        rows = [_row(one) for one in sorted(self.alarms, key=lambda one: bool(one.refused))]
        frame = pd.DataFrame(rows, columns=ALARMS.names)
        frame["last"] = pd.to_datetime(frame["last"], utc=True)
        return frame.astype(ALARMS.types)

    @property
    def replayed(self) -> pd.DataFrame:
        """What history said of each alarm that could be replayed: the columns of `frame` that tell it."""
        frame = self.frame
        kept = ["name", "service", "kind", "severity", "days", "fired", "true", "false", "false_per_month"]
        return frame.loc[frame["days"].notna(), [*kept, "early_minutes", "last", "refused"]].reset_index(drop=True)

    def render(self, kind: str, service: str | None = None) -> Any:
        """The alarms as a document to review, of one service when it is named: `monitoring.render`.

        Raises InputError where it takes several files, which `save` writes.
        """
        from capacity.monitoring.render import render

        return render(self, kind, service)

    def save(self, folder: str | Path, kind: str, service: str | None = None) -> list[Path]:
        """The same as files in a folder, which is made if absent: as many as it takes, whatever the size of the fleet.

        Files of before that are no longer among those that it answers stay: delete them.
        """
        from capacity.monitoring.render import rendered, save

        return save(rendered(self, kind, service), Path(folder))

    def plot(self, service: str | None = None) -> Any:
        """Chart of when the alarms of a service would have gone off; of the one that had most, unless named."""
        from capacity.monitoring.timeline import timeline

        return timeline(self, service)

    def __str__(self) -> str:
        from capacity.monitoring.timeline import listing

        return listing(self)

    def _repr_html_(self) -> str:
        frame = self.frame
        shown = frame[["name", "severity", "lead_minutes", "fired", "false_per_month", "summary", "refused"]]
        return table_html(counted(self), shown)


def counted(alarms: Alarms) -> str:
    """How many there are, in a sentence."""
    refused = len(alarms.alarms) - len(alarms)
    services, pages, tickets = (
        f"{count:,} {noun}{'' if count == 1 else 's'}"
        for count, noun in (
            (len(alarms.services), "service"),
            (len(alarms.pages), "page"),
            (len(alarms) - len(alarms.pages), "ticket"),
        )
    )
    more = f", {refused:,} refused" if refused else ""
    return f"Alarms: {services}, {pages} and {tickets}{more}"


def _row(alarm: Alarm) -> tuple[Any, ...]:
    done = alarm.replayed
    nan = float("nan")
    found = (
        (nan, pd.NA, pd.NA, pd.NA, nan, nan, None)
        if done is None
        else (done.days, done.fired, done.true, done.false, done.false_per_month, done.lead_minutes, done.last)
    )
    lead = nan if alarm.lead_minutes is None else alarm.lead_minutes
    told = (alarm.name, alarm.service, alarm.kind, alarm.severity, alarm.summary, lead)
    return (*told, *found, alarm.because, alarm.refused)
