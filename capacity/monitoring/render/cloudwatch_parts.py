"""What each kind of condition watches, as parameters of PutMetricAlarm."""

from __future__ import annotations

from math import ceil
from typing import Final

from capacity.config import Service
from capacity.monitoring.conditions import Absent, Anomaly, BurnRate, OutsideProfile, Reading, Threshold, Trend
from capacity.monitoring.render.burning import Window
from capacity.monitoring.render.cloudwatch_metrics import Parameters, asked, math, one_metric
from capacity.monitoring.render.profile import HOURS, kindest, week
from capacity.monitoring.render.rendered import CannotSay

DAY: Final = 24 * 60  # minutes
HOUR: Final = 60
#: Period times evaluation periods, minutes: a week; a day where a period is below an hour (PutMetricAlarm, `Period`).
LONGEST: Final = 7 * DAY
LONGEST_BELOW_HOUR: Final = DAY

COMPARISONS: Final = {
    ">": "GreaterThanThreshold",
    ">=": "GreaterThanOrEqualToThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
}
SIDES: Final = {
    "above": "GreaterThanUpperThreshold",
    "below": "LessThanLowerThreshold",
    "both": "LessThanLowerOrGreaterThanUpperThreshold",
}


def threshold(one: Threshold, service: Service, remarks: list[str]) -> Parameters:
    """M out of N past a value."""
    return {
        **asked(one.reading, service, remarks).watched(one.reading.minutes),
        **_out_of(one.at_least, one.of, one.reading.minutes),
        "Threshold": float(one.value),
        "ComparisonOperator": COMPARISONS[one.comparison],
        "TreatMissingData": one.missing,
    }


def outside(one: OutsideProfile, service: Service, remarks: list[str]) -> Parameters:
    """The signal less what was expected of its hour, against zero; a week is a sum of IF, a term a span of hours.

    HOUR and DAY are those of a period's start, in UTC, and Monday is 1. A sliding period touches further hours: the
    kindest of them is expected, as in a replay. Seven days and what joins them are the ten expressions of one alarm.
    """
    found = asked(one.reading, service, remarks)
    days = week(kindest(one.profile, one.reading.minutes, one.comparison), one.comparison)
    courses = []
    for number, course in enumerate(days, start=1):
        terms = [f"IF({_hours(span.first, span.end)}, {span.value:.15g}, 0)" for span in course.spans]
        terms += [f"IF({_hours(hour, hour + 1)}, {_never(one.comparison)}, 0)" for hour in course.unknown]
        courses.append(math(f"p{number}", " + ".join(terms)))
    chosen = [
        f"IF({' OR '.join(f'day == {day + 1}' for day in course.days)}, p{number}, 0)"
        for number, course in enumerate(days, start=1)
    ]
    return {
        "Metrics": [
            *found.stats(one.reading.minutes),
            math("hour", f"HOUR({found.always.id})"),
            math("day", f"DAY({found.always.id})"),
            *courses,
            math("apart", f"({found.expression}) - ({' + '.join(chosen)})", watched=True),
        ],
        **_out_of(one.at_least, one.of, one.reading.minutes),
        "Threshold": 0.0,
        "ComparisonOperator": COMPARISONS[one.comparison],
        "TreatMissingData": one.missing,
    }


def _hours(first: int, end: int) -> str:
    """
    >>> _hours(0, 8), _hours(8, 9), _hours(8, 18), _hours(18, 24), _hours(0, 24)
    ('hour < 8', 'hour == 8', 'hour >= 8 AND hour < 18', 'hour >= 18', 'hour >= 0')
    """
    if end - first == 1:
        return f"hour == {first}"
    bounds = [f"hour >= {first}"] if first or end == HOURS else []
    bounds += [f"hour < {end}"] if end < HOURS else []
    return " AND ".join(bounds)


def _never(comparison: str) -> str:
    """What no signal is past: for an hour of which nothing is expected."""
    return "1000000000000000" if comparison == ">" else "-1000000000000000"


def absent(one: Absent, service: Service, remarks: list[str]) -> Parameters:
    """A datapoint has a sample at least, so that no value breaches, and only missing ones do."""
    found = asked(one.reading, service, remarks)
    period = one.reading.minutes if one.minutes <= LONGEST_BELOW_HOUR else max(one.reading.minutes, HOUR)
    periods = ceil(one.minutes / period)
    counted = one_metric(found.always, service, period)
    counted.pop("ExtendedStatistic", None)
    return {
        **counted,
        "Statistic": "SampleCount",
        **_out_of(periods, periods, period),
        "Threshold": 1.0,
        "ComparisonOperator": COMPARISONS["<"],
        "TreatMissingData": "breaching",
    }


def trend(one: Trend, service: Service, remarks: list[str]) -> Parameters:
    """CloudWatch fits no line: one half of the window against the other has the same slope where there is one.

    From a day on, whole days are compared, since the halves of a day differ by the time of day; of several days, each
    has to climb. A trend that has to last is read in as many periods as that takes. RATE is the difference from the
    datapoint before, by the second; a mean stands for the middle of its period. The first datapoint that is looked at
    has none before it, so that one more is evaluated.
    """
    found = asked(one.reading, service, remarks)
    whole = one.over_minutes >= DAY
    period = DAY if whole else max(one.over_minutes // 2, 1)
    climbs = min(max(one.over_minutes // DAY - 1, 1), LONGEST // DAY - 1) if whole else 1
    lasting = 1 + ceil((one.at_least - 1) * one.reading.minutes / period)
    halves = "each day with the one before" if whole else f"the last {period} minutes with those before"
    remarks.append(f"CloudWatch fits no line through {one.over_minutes / HOUR:g} hours: it compares {halves}")
    level, steps = found.expression, []
    if not found.plain:
        level, steps = "level", [math("level", found.expression)]
    seconds = one.ahead_minutes * 60 + period * 30
    return {
        "Metrics": [
            *found.stats(period),
            *steps,
            math("foretold", f"{level} + RATE({level}) * {seconds}", watched=True),
        ],
        **_out_of(max(climbs, lasting), max(climbs, lasting) + 1, period),
        "Threshold": float(one.value),
        "ComparisonOperator": COMPARISONS[">="],
        "TreatMissingData": "notBreaching",
    }


def anomaly(one: Anomaly, service: Service, remarks: list[str]) -> Parameters:
    """Against the band that CloudWatch learns, from two weeks. Signal and band both return data, and there is no
    threshold."""
    found = asked(one.reading, service, remarks)
    queries, watched = found.stats(one.reading.minutes), found.expression
    if found.plain:
        queries[0]["ReturnData"] = True
    else:
        watched = "watched"
        queries.append(math(watched, found.expression, watched=True))
    return {
        "Metrics": [*queries, math("band", f"ANOMALY_DETECTION_BAND({watched}, {one.deviations:g})", watched=True)],
        **_out_of(one.at_least, one.of, one.reading.minutes),
        "ComparisonOperator": SIDES[one.side],
        "ThresholdMetricId": "band",
        "TreatMissingData": "notBreaching",
    }


def burning(one: BurnRate, window: Window, service: Service, remarks: list[str]) -> Parameters:
    """One window: the share of bad requests in a period as long, or so many bad minutes, a period each."""
    if one.kind == "latency":
        return _slow_minutes(one, window, service, remarks)
    found = asked(Reading("error_ratio"), service, remarks)
    ratio = found.expression
    if window.least:
        rate = asked(Reading("errors"), service, []).expression
        ratio = f"IF(({rate}) * {window.minutes * 60} >= {window.least:.12g}, {ratio}, 0)"
    return {
        "Metrics": [*found.stats(window.minutes), math("burning", ratio, watched=True)],
        **_out_of(1, 1, window.minutes),
        "Threshold": window.limit,
        "ComparisonOperator": COMPARISONS[">"],
        "TreatMissingData": "notBreaching",
    }


def _slow_minutes(one: BurnRate, window: Window, service: Service, remarks: list[str]) -> Parameters:
    reading, slowest = one.slow
    longest = LONGEST_BELOW_HOUR if reading.minutes < HOUR else LONGEST
    needed = max(ceil(window.bad_minutes / reading.minutes), 1)
    periods = min(window.minutes, longest) // reading.minutes
    if needed > periods:
        days = f"{longest // DAY} days" if longest > DAY else "a day"
        raise CannotSay(f"it counts minutes for {days} at most, and {window.bad_minutes:,} bad ones do not fit in")
    if window.minutes > longest:
        remarks.append(
            f"CloudWatch counts minutes for a day at most: the {window.bad_minutes:,} bad ones of "
            f"{window.minutes / DAY:g} days have to come within one, so that it fires later, or not at all"
        )
    return {
        **asked(reading, service, remarks).watched(reading.minutes),
        **_out_of(needed, periods, reading.minutes),
        "Threshold": float(slowest),
        "ComparisonOperator": COMPARISONS[">"],
        "TreatMissingData": "notBreaching",
    }


def _out_of(at_least: int, of: int, minutes: int) -> Parameters:
    """Raises CannotSay for more than CloudWatch looks back."""
    longest = LONGEST if minutes >= HOUR else LONGEST_BELOW_HOUR
    if minutes * of > longest:
        most = f"{longest // DAY} days" if longest > DAY else "a day"
        raise CannotSay(
            f"it looks back {minutes * of / DAY:.3g} days, and CloudWatch {most} at periods of {minutes} minutes"
        )
    return {"EvaluationPeriods": of, "DatapointsToAlarm": at_least}
