"""What a rendering hands back: the document, and what it does not say or says otherwise, as findings."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from capacity.config import Service
from capacity.errors import InputError
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
    """What was made.

    files     file name -> document: text, lines of commands, or plain data for programs; several where one does not
              hold it all
    findings  what is left out or approximated
    whole     all of it at once, where the files hold it apart though one could hold it
    """

    files: dict[str, Any]
    findings: Findings = NO_FINDINGS
    whole: Any = None

    @property
    def document(self) -> Any:
        """All of it at once. Raises InputError where that takes several files."""
        if self.whole is not None:
            return self.whole
        if len(self.files) == 1:
            return next(iter(self.files.values()))
        raise InputError(
            f"this takes {len(self.files)} files: {', '.join(list(self.files)[:5])}{', ...' * (len(self.files) > 5)}",
            advice="`--out DIR` writes them, and so does alarms.save(DIR, kind).",
        )


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

    def of(self, files: dict[str, Any], whole: Any = None) -> Rendered:
        return Rendered(files, Findings.of(self.found), whole)

    @property
    def unsaid(self) -> list[str]:
        """One line each, for a comment in the document itself."""
        return [one.message for one in self.found if one.check == "alarm not said"]

    def unsaid_of(self, services: Container[str]) -> list[str]:
        """The same of some services."""
        return [one.message for one in self.found if one.check == "alarm not said" and one.service in services]


def service_of(alarm: Alarm, alarms: Alarms) -> Service:
    """The service an alarm is of; of an account's alarm, one that stands for its region."""
    for service in alarms.services:
        if service.name == alarm.service:
            return service
    return Service(name=alarm.service or "account", region=alarm.region or "us-east-1")
