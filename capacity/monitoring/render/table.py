"""Alarms as a plain table, for a terminal or a ticket: what each waits for, and how it did on history."""

from __future__ import annotations

import textwrap
from typing import Final

from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.render.rendered import Rendered
from capacity.monitoring.render.wording import brief
from capacity.scaling.render.table import printable

HEAD: Final = ("who", "alarm", "ahead", "days", "fired", "right", "false/month", "when")
#: Columns of numbers, and letters of the last column, which goes on in the next line.
NUMBERS: Final = range(2, 7)
WIDE: Final = 60


def table(alarms: Alarms) -> Rendered:
    """A row an alarm; those that replay refused come last, with why.

    ahead        minutes between its going off and the trouble, where that is promised
    days         of history it was tried on: how often it fired, how often that was right, and what was false a month
    """
    used = [_row(alarm) for alarm in alarms]
    refused = [_row(alarm) for alarm in alarms.alarms if alarm.refused]
    rows = [(*HEAD[:-1], [HEAD[-1]]), *used, *refused]
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(HEAD) - 1)]
    lines = []
    for *cells, (first, *more) in rows:
        told = [
            cell.rjust(width) if column in NUMBERS else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("  ".join([*told, first]))
        lines += [" " * (sum(widths) + 2 * len(widths)) + line for line in more]
    return Rendered({"alarms.txt": "\n".join(lines) + "\n"})


def _row(alarm: Alarm) -> tuple[str, str, str, str, str, str, str, list[str]]:
    """Cells, and the lines of the last one."""
    lead = "" if alarm.lead_minutes is None else f"{alarm.lead_minutes:g} min"
    when = printable(f"refused: {alarm.refused}" if alarm.refused else brief(alarm.condition))
    lines = textwrap.wrap(when, WIDE) or [""]
    return ("refused" if alarm.refused else alarm.severity, printable(alarm.name), lead, *_record(alarm), lines)


def _record(alarm: Alarm) -> tuple[str, str, str, str]:
    """Days, fired, right, false in a month; nothing where it was not tried."""
    tried = alarm.replayed
    if tried is None:
        return "", "", "", "not tried"
    monthly = f"{tried.false_per_month:,.2g}" if tried.days else ""
    return f"{tried.days:,.0f}", f"{tried.fired:,}", f"{tried.true:,}", monthly
