"""`Alarm`: what should wake someone or open a ticket, with reason and record. `Alarms`: those of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pandas as pd

from capacity.config import Monitoring, Service
from capacity.config.azure import AzureSettings
from capacity.config.prometheus import PrometheusSettings
from capacity.findings import NO_FINDINGS, Findings
from capacity.monitoring.conditions import Condition

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


@dataclass(frozen=True, eq=False)
class Alarms:
    """The alarms of a plan: those to use, and those that replay refused, with the evidence.

    settings    who is told, and where the runbooks are
    prometheus  what the fleet is measured by there, so that rules ask the same questions
    """

    alarms: tuple[Alarm, ...]
    services: tuple[Service, ...]
    settings: Monitoring = NO_ONE_TOLD
    prometheus: PrometheusSettings | None = None
    azure: AzureSettings | None = None
    findings: Findings = NO_FINDINGS
    about: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Alarm]:
        """Those to use."""
        return (one for one in self.alarms if not one.refused)

    def __len__(self) -> int:
        return sum(1 for _ in self)
