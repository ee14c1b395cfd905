"""What a rendering hands back: the document, and what it does not say or says otherwise, as findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from capacity.config import Service
from capacity.findings import NO_FINDINGS, Finding, Findings
from capacity.monitoring.alarm import Alarm, Alarms

Part = TypeVar("Part")


class CannotSay(Exception):
    """A monitor has no words for a condition. The reason completes "... cannot be said in CloudWatch: "."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


@dataclass(frozen=True)
class Rendered:
    """A document: text, or plain data for programs. `findings`: what it leaves out or approximates."""

    document: Any
    findings: Findings = NO_FINDINGS


@dataclass
class Telling:
    """Collects what one rendering has to tell, alarm by alarm."""

    monitor: str
    found: list[Finding] = field(default_factory=list)

    def each(self, alarms: Iterable[Alarm], make: Callable[[Alarm, list[str]], Part]) -> list[tuple[Alarm, Part]]:
        """What `make` makes of each alarm that can be said; it puts what it approximates into the list it is given."""
        made = []
        for alarm in alarms:
            remarks: list[str] = []
            try:
                made.append((alarm, make(alarm, remarks)))
            except CannotSay as unsaid:
                message = f"`{alarm.name}` cannot be said in {self.monitor}: {unsaid.reason}"
                self.found.append(
                    Finding(alarm.service, alarm.kind, "alarm not said", "REVIEW", message, unsaid.advice)
                )
                continue
            self.found += [
                Finding(alarm.service, alarm.kind, "alarm approximated", "REVIEW", f"`{alarm.name}`: {remark}")
                for remark in dict.fromkeys(remarks)
            ]
        return made

    def of(self, document: Any) -> Rendered:
        return Rendered(document, Findings.of(self.found))

    @property
    def unsaid(self) -> list[str]:
        """One line each, for a comment in the document itself."""
        return [one.message for one in self.found if one.check == "alarm not said"]


def service_of(alarm: Alarm, alarms: Alarms) -> Service:
    """The service an alarm is of; of an account's alarm, one that stands for its region."""
    for service in alarms.services:
        if service.name == alarm.service:
            return service
    return Service(name=alarm.service or "account", region=alarm.region or "us-east-1")


def region_of(alarm: Alarm, alarms: Alarms) -> str:
    """Where its metrics are, and so where it has to be."""
    return alarm.region or service_of(alarm, alarms).region
