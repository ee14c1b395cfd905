"""An alarm in words: what it waits for, and the text that whoever is woken reads first."""

from __future__ import annotations

from typing import Final

import pandas as pd

from capacity.history.line import how_long
from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.conditions import (
    Absent,
    All,
    Anomaly,
    AnyOf,
    BurnRate,
    Condition,
    OutsideProfile,
    Reading,
    Threshold,
    Trend,
)
from capacity.monitoring.signals import SIGNALS

#: Of PutMetricAlarm's AlarmDescription (aws.md 7.1).
LONGEST_DESCRIPTION: Final = 1024

_SIDES: Final = {"above": "above", "below": "below", "both": "outside"}


def sentence(condition: Condition) -> str:
    """What a condition waits for.

    >>> sentence(Threshold(Reading("cpu_utilization"), ">", 85, at_least=3, of=5))
    'cpu_utilization > 85 % in 3 of 5 minutes'
    >>> sentence(All((Threshold(Reading("tasks_of_max"), ">=", 1), Absent(Reading("requests"), 15))))
    '(tasks_of_max >= 1) and (no requests for 15 minutes)'
    """
    match condition:
        case Threshold():
            value = f"{condition.value:,.6g}{_unit(condition.reading)}"
            return f"{_name(condition.reading)} {condition.comparison} {value}{_often(condition)}"
        case BurnRate():
            what = "requests" if condition.kind == "availability" else "minutes"
            windows = f"{_minutes(condition.long_minutes)} and {_minutes(condition.short_minutes)}"
            least = f", at least {condition.least_bad:,g} of them" if condition.least_bad else ""
            slow = f" (slower than {condition.slowest:g} s)" if condition.slowest is not None else ""
            share = f"{condition.factor * (1 - condition.objective):.4g}"
            return f"bad {what}{slow} above {condition.factor:g} x budget = {share} over {windows}{least}"
        case OutsideProfile():
            side = "above" if condition.comparison == ">" else "below"
            return f"{_name(condition.reading)} {side} the P{100 * condition.level:g} of its hour{_often(condition)}"
        case Absent():
            return f"no {condition.reading.signal} for {_minutes(condition.minutes)}"
        case Trend():
            line = f"its line over {_minutes(condition.over_minutes)}"
            value = f"{condition.value:,.6g}{_unit(condition.reading)}"
            ahead = _minutes(condition.ahead_minutes)
            return f"{_name(condition.reading)}: {line} reaches {value} within {ahead}{_often(condition)}"
        case Anomaly():
            band = f"{_SIDES[condition.side]} a learnt band of {condition.deviations:g} deviations"
            return f"{_name(condition.reading)} {band}{_often(condition)}"
        case All():
            return " and ".join(f"({sentence(part)})" for part in condition.parts)
        case AnyOf():
            return " or ".join(f"({sentence(part)})" for part in condition.parts)


def _name(reading: Reading) -> str:
    stat = "" if reading.stat == "mean" else f" {reading.stat}"
    return f"{reading.signal}{stat}"


def _unit(reading: Reading) -> str:
    unit = SIGNALS[reading.signal].unit if reading.signal in SIGNALS else ""
    return f" {unit}" if unit not in ("", "1") else ""


def _often(condition: Threshold | OutsideProfile | Trend | Anomaly) -> str:
    minutes = condition.reading.minutes
    if condition.of == 1:
        return "" if minutes == 1 or isinstance(condition, Trend) else f" over {_minutes(minutes)}"
    periods = "minutes" if minutes == 1 else f"periods of {_minutes(minutes)}"
    return f" in {condition.at_least} of {condition.of} {periods}"


def _minutes(count: int) -> str:
    return how_long(pd.Timedelta(minutes=count))


def runbook_link(alarm: Alarm, alarms: Alarms) -> str:
    """Where its runbook is; only the file's name where nobody said where runbooks are published.

    >>> from capacity.config import Monitoring
    >>> one = Alarm("n", "web", "silence", "ticket", Absent(Reading("requests")), "", "", "web--silence.md")
    >>> runbook_link(one, Alarms((one,), (), Monitoring(runbook_url="https://wiki/runbooks")))
    'https://wiki/runbooks/web--silence.md'
    """
    url = alarms.settings.runbook_url
    return f"{url.rstrip('/')}/{alarm.runbook}" if url else alarm.runbook


def description(alarm: Alarm, alarms: Alarms, remarks: tuple[str, ...] = (), longest: int = LONGEST_DESCRIPTION) -> str:
    """Summary, reason, what is approximated, and last the runbook, which is never cut off."""
    link = f"Runbook: {runbook_link(alarm, alarms)}" if alarm.runbook else ""
    return cut(" ".join((alarm.summary, alarm.because, *map(ended, remarks))).strip(), link, longest)


def ended(text: str) -> str:
    """As a sentence of its own.

    >>> ended("it compares halves")
    'It compares halves.'
    """
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def cut(text: str, link: str, longest: int) -> str:
    """The text with the link behind it, shortened before the link.

    >>> cut("what happens", "Runbook: a.md", 24)
    'what happ… Runbook: a.md'
    """
    room = longest - len(link) - 1 if link else longest
    shown = text if len(text) <= room else text[: max(room - 1, 0)].rstrip() + "…"
    return " ".join(part for part in (shown, link[:longest]) if part)
