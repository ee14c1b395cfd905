"""Alarms as a plain table, for a terminal or a ticket: what each waits for, and how it did on history."""

from __future__ import annotations

from typing import Final

from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.render.rendered import Rendered
from capacity.monitoring.render.wording import sentence
from capacity.scaling.render.table import printable

HEAD: Final = ("service", "who", "alarm", "when", "on history")


def table(alarms: Alarms) -> Rendered:
    """A row an alarm; those that replay refused come last, with why."""
    used = [_row(alarm, alarm.severity) for alarm in alarms]
    refused = [_row(alarm, "refused", alarm.refused) for alarm in alarms.alarms if alarm.refused]
    rows = [HEAD, *used, *refused]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return Rendered({"alarms.txt": "\n".join(lines) + "\n"})


def _row(alarm: Alarm, who: str, instead: str = "") -> tuple[str, ...]:
    cells = (alarm.service or "(account)", who, alarm.name, sentence(alarm.condition), instead or _record(alarm))
    return tuple(printable(cell) for cell in cells)


def _record(alarm: Alarm) -> str:
    """What a replay found, in a few words."""
    record = alarm.replayed
    if record is None:
        return "not replayed"
    return f"{record.fired} times in {record.days:,.0f} days, {record.false} for nothing"
