"""Conditions in PromQL, over series that recording rules keep: `PREFIX:SIGNAL:STAT{service="..."}`, in our units.

Recorded once a minute, so that a rule reads any query of the user's own in the same way. An alert evaluates the last N
periods in one expression, a subquery of N steps: `for` would start anew at every gap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from capacity.config import Service
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
from capacity.monitoring.measuring import constants, in_terms_of
from capacity.monitoring.render.burning import Window, windows
from capacity.monitoring.render.profile import DAYS, kindest, week
from capacity.monitoring.render.promql_text import between, either, number, span, steps
from capacity.monitoring.render.rendered import CannotSay
from capacity.scaling.render.quoting import literal
from capacity.schema import METRICS

#: A signal and a statistic of it, as they are recorded.
Recorded = tuple[str, str]

_OTHERWISE: Final = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_OVER_TIME: Final = {"max": "max_over_time", "min": "min_over_time"}
DAY: Final = 24 * 60  # minutes
#: Means that a line is drawn through at least, unless there are no more minutes (a choice of ours).
LEAST_PARTS: Final = 24


@dataclass
class Asking:
    """One service in PromQL. What is used of the series that are recorded is noted, for rules to record it.

    can              whether a series of this signal and statistic can be recorded
    used             those that were asked for
    readings, rules  name of a series of this service -> expression: statistics of periods; what is made of
                     them: whether it is bad, how far away from what is usual
    weeks            name of a series of this service -> expression: what a week expects
    shared, clocks   name of a series of all services -> expression: windows; hours and days
    """

    prefix: str
    service: Service
    can: Callable[[Recorded], bool]
    used: dict[Recorded, None] = field(default_factory=dict)
    readings: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    weeks: dict[str, str] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)
    clocks: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def expression(self, condition: Condition) -> str:
        """True while it returns a series, whose only label that counts is the service. Raises CannotSay."""
        match condition:
            case Threshold():
                series = self.reading(condition.reading)
                return self._out_of(condition, series, condition.comparison, number(condition.value))
            case BurnRate():
                return self._burning(condition)
            case OutsideProfile():
                limit = f"on(service) {self._expected(condition)}"
                return self._out_of(condition, self.reading(condition.reading), condition.comparison, limit)
            case Absent():
                names = self.inputs(condition.reading)
                return " or on(service) ".join(f"absent_over_time({name}[{span(condition.minutes)}])" for name in names)
            case Trend():
                return self._trend(condition)
            case Anomaly():
                return self._odd(condition)
            case All():
                return " and on(service) ".join(f"({self.expression(part)})" for part in condition.parts)
            case AnyOf():
                return " or on(service) ".join(f"({self.expression(part)})" for part in condition.parts)

    def series(self, recorded: Recorded) -> str:
        """The series of this service; noted as used."""
        self.used[recorded] = None
        return f"{series_name(self.prefix, recorded)}{self.here}"

    @property
    def here(self) -> str:
        return f"{{service={literal(self.service.name)}}}"

    def reading(self, reading: Reading) -> str:
        """The series of a reading: a signal as it is recorded, or the statistic of the period that ends now, recorded
        in its turn: each input over the period, then the formula."""
        recorded = (reading.signal, reading.stat)
        if reading.minutes == 1 and self.can(recorded):
            return self.series(recorded)

        def over_period(part: Recorded) -> str:
            series = self.series(part)
            if reading.minutes == 1:
                return series
            return f"{_OVER_TIME.get(part[1], 'avg_over_time')}({series}[{span(reading.minutes)}])"

        name = f"{series_name(self.prefix, recorded)}_{span(reading.minutes)}"
        self.readings[name] = self._said(reading, over_period)
        return f"{name}{self.here}"

    def _said(self, reading: Reading, ask: Callable[[Recorded], str]) -> str:
        def answer(name: str) -> str | None:
            recorded = (name, reading.stat if name == reading.signal else "mean")
            return ask(recorded) if self.can(recorded) else None

        # of a maximum or percentile nothing follows from means
        known: Mapping[str, float] = constants(self.service)
        found = answer(reading.signal) if reading.stat != "mean" else None
        if found is None and reading.stat == "mean":
            found = in_terms_of(reading.signal, answer, known, "({0} > {1} or {1})".format)
        if found is None:
            stat = "" if reading.stat == "mean" else f"{reading.stat} of "
            advice = f"Add a [[prometheus.query]] with metric {reading.signal!r}." if reading.signal in METRICS else ""
            raise CannotSay(f"no query measures {stat}{reading.signal}, or what it follows from", advice)
        return found

    def inputs(self, reading: Reading) -> list[str]:
        """Series that a reading is made of."""
        names: dict[str, None] = {}

        def note(recorded: Recorded) -> str:
            names[self.series(recorded)] = None
            return "0"

        self._said(reading, note)
        return list(names)

    def _out_of(
        self, one: Threshold | OutsideProfile | Anomaly | Trend, value: str, comparison: str, limit: str
    ) -> str:
        """M of the last N periods past the limit. A period without a value is not past it, unless it is said to be."""
        missing = one.missing if isinstance(one, Threshold | OutsideProfile) else "notBreaching"
        if missing == "ignore":
            self.remarks.append("a rule of Prometheus keeps no state through a gap: without data it does not fire")
        minutes = one.reading.minutes
        back = steps(one.of, minutes)
        if missing != "breaching":
            if one.of == 1:
                return f"{value} {comparison} {limit}"
            return f"sum_over_time(({value} {comparison} bool {limit}){back}) >= {one.at_least}"
        gone = f"absent_over_time({self.reading(one.reading)}[{span(one.of * minutes)}])"
        if one.of == 1:
            return f"({value} {comparison} {limit}) or on(service) {gone}"
        good = f"sum_over_time(({value} {_OTHERWISE[comparison]} bool {limit}){back})"
        return f"{one.of} - ({good} or on(service) 0 * {gone}) >= {one.at_least}"

    def _burning(self, rate: BurnRate) -> str:
        share = self._bad_requests if rate.kind == "availability" else self._slow_minutes
        return " and on(service) ".join(part for window in windows(rate) for part in share(rate, window))

    def _bad_requests(self, _: BurnRate, window: Window) -> list[str]:
        errors, requests = ("errors", "mean"), ("requests", "mean")
        if not self.can(errors) or not self.can(requests):
            raise CannotSay("no queries count requests and errors", "Add a [[prometheus.query]] for each of them.")
        here = self.series(errors)
        self.series(requests)
        over = span(window.minutes)
        bad, came = (f"sum_over_time({series_name(self.prefix, one)}[{over}])" for one in (errors, requests))
        name = f"{self.prefix}:error_ratio:{over}"
        self.shared[name] = f"({bad} or 0 * {came}) / {came}"
        parts = [f"{name}{self.here} > {number(window.limit)}"]
        if window.least:
            parts.append(f"60 * sum_over_time({here}[{over}]) >= {number(window.least)}")
        return parts

    def _slow_minutes(self, rate: BurnRate, window: Window) -> list[str]:
        """Whether a minute was bad is recorded: a window of days is then a range, and no subquery of thousands."""
        reading, seconds = rate.slow
        series, slowest = self.reading(reading), number(seconds)
        name = f"{series.partition('{')[0]}_above_{re.sub('[^0-9a-z]', '_', slowest)}"
        self.rules[name] = f"{series} > bool {slowest}"
        back = f"{name}{self.here}[{span(window.minutes)}]"
        parts = [f"avg_over_time({back}) > {number(window.limit)}"]
        return [*parts, f"sum_over_time({back}) >= {number(window.least)}"] if window.least else parts

    def _expected(self, one: OutsideProfile) -> str:
        """The series that holds what is expected of the period that ends now; its hour is that of its beginning."""
        side = "above" if one.comparison == ">" else "below"
        name = f"{self.prefix}:{one.reading.signal}:{side}_p{100 * one.level:g}_{span(one.reading.minutes)}"
        name = name.replace(".", "_")
        ago = span(one.reading.minutes)
        hour, day = f"{self.prefix}:hour:{ago}_ago", f"{self.prefix}:day:{ago}_ago"
        began = f"vector(time() - {one.reading.minutes * 60})"
        self.clocks |= {hour: f"hour({began})", day: f"day_of_week({began})"}
        courses = []
        for course in week(kindest(one.profile, one.reading.minutes, one.comparison), one.comparison):
            hours = [
                f"vector({number(each.value)}) and on() {between(hour, each.first, each.end)}" for each in course.spans
            ]
            days = " or ".join(f"{day} == {(weekday + 1) % DAYS}" for weekday in course.days)  # Sunday is 0 there
            if hours:
                courses.append(f"({either(hours)}) and on() ({days})")
        if not courses:
            raise CannotSay("nothing is expected of any hour")
        self.weeks[name] = either(courses)
        return f"{name}{self.here}"

    def _trend(self, one: Trend) -> str:
        """A line through the means of a window's parts, half of which have to be known, as a replay asks."""
        step = parts(one)
        back = self._back(self.reading(replace(one.reading, minutes=step)), one.over_minutes, step)
        foretold = f"predict_linear({back}, {one.ahead_minutes * 60})"
        known = f"count_over_time({back}) >= {one.over_minutes // (2 * step)}"
        return f"({self._out_of(one, foretold, '>=', number(one.value))}) and on(service) {known}"

    def _odd(self, one: Anomaly) -> str:
        """Departures from the same moment of the weeks before, against how they scattered in the last week: what a
        replay takes for a learnt band."""
        self.remarks.append(
            "Prometheus learns no band: what was there one and two weeks before stands for it, in the first week what "
            "was there a day before, so that series have to be kept for two weeks"
        )
        series, minutes = self.reading(one.reading), one.reading.minutes
        name, before = series.partition("{")[0], f"{series} offset 1w"
        usual = f"({before} + {series} offset 2w) / 2 or {before} or {series} offset 1d"
        self.rules[f"{name}_apart"] = f"{series} - ({usual})"
        apart = f"{name}_apart{self.here}"
        lately = f"{self._back(apart, 7 * DAY, minutes)} offset {span(one.of * minutes)}"
        away = f"{apart} / (stddev_over_time({lately}) > 0)"
        said = {"above": away, "below": f"-({away})", "both": f"abs({away})"}[one.side]
        self.rules[f"{name}_deviations_{one.side}"] = f"{said} and count_over_time({lately}) >= {DAY // minutes}"
        return self._out_of(one, f"{name}_deviations_{one.side}{self.here}", ">", number(one.deviations))

    @staticmethod
    def _back(series: str, over: int, step: int) -> str:
        """What a series was over so long, at each step the newest value of the five minutes before."""
        return f"{series}[{span(over)}:{span(step)}]"


def parts(trend: Trend) -> int:
    """Minutes of the parts whose means a line is drawn through: so many that there are two dozen of them at least.

    Means of an hour say of two days what those of five minutes do, for a twelfth of the work.

    >>> parts(Trend(Reading("memory_utilization", minutes=5), 95, over_minutes=2880, ahead_minutes=4320))
    60
    >>> parts(Trend(Reading("memory_utilization"), 95, over_minutes=30, ahead_minutes=360))
    1
    """
    coarsest = max(step for step in (1, 5, 15, 60) if step == 1 or step <= trend.over_minutes / LEAST_PARTS)
    return max(coarsest, trend.reading.minutes)


def series_name(prefix: str, recorded: Recorded) -> str:
    """
    >>> series_name("capacity", ("latency", "p95"))
    'capacity:latency:p95'
    """
    return f"{prefix}:{recorded[0]}:{recorded[1]}"
