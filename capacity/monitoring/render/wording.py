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


def brief(condition: Condition) -> str:
    """The same for a column of a table: no units but %, and times as in "2h".

    >>> brief(All((Threshold(Reading("cpu_utilization"), ">", 67.4, 3, 5), Absent(Reading("requests"), 15))))
    'cpu_utilization > 67.4% in 3 of 5m and no requests for 15m'
    >>> brief(BurnRate("availability", "availability", 0.999, 14.4, 60, 5))
    '14.4 x budget over 1h and 5m'
    """
    match condition:
        case Threshold():
            value = _value(condition.value, condition.reading)
            return f"{_name(condition.reading)} {condition.comparison} {value}{_lasting(condition)}"
        case BurnRate():
            windows = f"{_short(condition.long_minutes)} and {_short(condition.short_minutes)}"
            return f"{condition.factor:g} x budget over {windows}"
        case OutsideProfile():
            side = "above" if condition.comparison == ">" else "below"
            expected = f"its hour's P{100 * condition.level:g}"
            return f"{_name(condition.reading)} {side} {expected}{_lasting(condition)}"
        case Absent():
            return f"no {condition.reading.signal} for {_short(condition.minutes)}"
        case Trend():
            value, ahead = _value(condition.value, condition.reading), _short(condition.ahead_minutes)
            return f"{_name(condition.reading)} at {value} in {ahead} by its line of {_short(condition.over_minutes)}"
        case Anomaly():
            return f"{_name(condition.reading)} {_SIDES[condition.side]} what is learnt{_lasting(condition)}"
        case All() | AnyOf():
            joins = " and " if isinstance(condition, All) else " or "
            nested = (f"({brief(part)})" if isinstance(part, All | AnyOf) else brief(part) for part in condition.parts)
            return joins.join(nested)


def _lasting(condition: Threshold | OutsideProfile | Anomaly) -> str:
    minutes = condition.reading.minutes
    if condition.of == 1:
        return "" if minutes == 1 else f" over {_short(minutes)}"
    if condition.at_least == condition.of:
        return f" for {_short(minutes * condition.of)}"
    periods = f"{condition.of}m" if minutes == 1 else f"{condition.of} x {_short(minutes)}"
    return f" in {condition.at_least} of {periods}"


def _value(value: float, reading: Reading) -> str:
    return f"{value:,.4g}{'%' if _unit(reading) == ' %' else ''}"


def _short(minutes: int) -> str:
    """
    >>> _short(90), _short(360), _short(4320)
    ('90m', '6h', '3d')
    """
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


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
