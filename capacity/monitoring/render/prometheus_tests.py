"""Unit tests for the rules, for `promtool test rules`: for each alert a case in which it fires, and one in which not.

A case feeds the series that the recording rules make, in their units, so that it tells nothing about the queries behind
them. Source: Prometheus documentation, "Unit testing for rules".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from math import ceil, inf, isclose, isfinite
from typing import Any, Final

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
from capacity.monitoring.formulas import computed
from capacity.monitoring.measuring import constants, in_terms_of
from capacity.monitoring.render.burning import windows
from capacity.monitoring.render.prometheus import annotations_of, labels_of, rules_of
from capacity.monitoring.render.promql import Asking, Recorded, number
from capacity.monitoring.render.rendered import CannotSay, Rendered, Telling
from capacity.scaling.render.quoting import yaml
from capacity.scaling.render.table import printable

#: What the tests call the file of rules: save it under this name beside them.
RULE_FILE: Final = "capacity-rules.yml"

#: A usual level of anything, in its own unit; of errors there are none.
USUAL: Final = 10.0
#: Quiet minutes before something odd, in units of how long it lasts: then it is sqrt(20) = 4.5 deviations away.
QUIET: Final = 20


@dataclass
class Story:
    """What the series of a service do in a case, in promtool's notation, and how many minutes it takes.

    levels   of recorded series that stay where they are; `series`: those that move, as they are written
    wanted   reading -> between which values it has to be, as all conditions told of so far ask
    climbs   reading -> the trend that it has to show
    """

    asking: Asking
    levels: dict[Recorded, float] = field(default_factory=dict)
    series: dict[Recorded, str] = field(default_factory=dict)
    silent: set[Recorded] = field(default_factory=set)
    wanted: dict[Recorded, tuple[float, float]] = field(default_factory=dict)
    climbs: dict[Recorded, Trend] = field(default_factory=dict)
    minutes: int = 0

    def told(self, condition: Condition, *, fires: bool) -> dict[Recorded, str]:
        """The series of a case in which the condition holds, or does not. Raises CannotSay where no level is such."""
        self._tell(condition, fires)
        for of, (low, high) in sorted(self.wanted.items(), key=lambda one: len(self._inputs(Reading(*one[0])))):
            if of not in self.climbs:  # what is measured itself first: what follows from it has other inputs to move
                self._at(of, _between(low, high))
        for of, trend in self.climbs.items():
            self._climb(of, trend, *self.wanted.get(of, (trend.value / 2, trend.value)))
        length = self.minutes + 1
        return {recorded: f"{number(level)}x{length}" for recorded, level in self.levels.items()} | self.series

    def _tell(self, condition: Condition, fires: bool) -> None:
        match condition:
            case Threshold():
                self._want(condition.reading, condition.comparison, condition.value, condition.value, fires)
                self._last(condition.of * condition.reading.minutes + 1)
            case OutsideProfile():
                known = [value for value in condition.profile if isfinite(value)]
                self._want(condition.reading, condition.comparison, min(known), max(known), fires)
                self._last(condition.of * condition.reading.minutes + 1)
            case BurnRate():
                self._burn(condition, fires)
            case Absent():
                self.silent |= set(self._inputs(condition.reading)) if fires else set()
                self._last(condition.minutes + 1)
            case Trend():
                reading = (condition.reading.signal, condition.reading.stat)
                if fires:
                    self.climbs[reading] = condition
                    self._last(condition.over_minutes // 2 + condition.of * condition.reading.minutes + 5)
                else:
                    self._want(condition.reading, ">=", condition.value, condition.value, False)
                    self._last(condition.reading.minutes + 1)
            case Anomaly():
                self._jump(condition, fires)
            case All():
                for part in condition.parts if fires else condition.parts[:1]:
                    self._tell(part, fires)
            case AnyOf():
                for part in condition.parts[:1] if fires else condition.parts:
                    self._tell(part, fires)

    def _last(self, minutes: int) -> None:
        self.minutes = max(self.minutes, minutes)

    def _want(self, reading: Reading, comparison: str, low: float, high: float, fires: bool) -> None:
        """Beyond everything from low to high, or short of it; together with what was wanted before."""
        least, most = self.wanted.get((reading.signal, reading.stat), (-inf, inf))
        above = (">" in comparison) == fires
        bounds = (max(least, high), most) if above else (least, min(most, low))
        if bounds[0] > bounds[1]:
            raise CannotSay(f"it asks {reading.signal} to be above {number(bounds[0])} and below {number(bounds[1])}")
        self.wanted[reading.signal, reading.stat] = bounds

    def _inputs(self, reading: Reading) -> list[Recorded]:
        """Recorded series that a reading is made of."""
        asking = Asking(self.asking.prefix, self.asking.service, self.asking.can)
        asking.inputs(reading)
        return list(asking.used)

    def _at(self, of: Recorded, target: float) -> Recorded:
        """Levels at which a reading has a value: of its inputs the first that nothing is said of is moved."""
        reading = Reading(*of)
        inputs = self._inputs(reading)
        levels = {recorded: self.levels.get(recorded, _usual(recorded)) for recorded in inputs}
        for moved in inputs:
            if moved in self.levels or moved in self.series:
                continue
            low, high = (self._value(reading, {**levels, moved: level}) for level in (1.0, 2.0))
            level = 1.0 + (target - low) / (high - low) if high != low else inf
            reached = self._value(reading, {**levels, moved: level}) if 0 <= level < inf else inf
            if isclose(reached, target, rel_tol=1e-6, abs_tol=1e-6):
                self.levels |= {**levels, moved: level}
                return moved
        raise CannotSay(f"no level of {', '.join(name for name, _ in inputs)} makes {of[0]} {number(target)}")

    def _value(self, reading: Reading, levels: dict[Recorded, float]) -> float:
        """The formula of a reading, computed here."""

        def answer(name: str) -> str | None:
            level = levels.get((name, reading.stat if name == reading.signal else "mean"))
            return None if level is None else f"{level:.17g}"

        def largest(one: str, other: str) -> str:
            return f"{max(_number(one), _number(other)):.17g}"

        return _number(in_terms_of(reading.signal, answer, constants(self.asking.service), largest) or "0")

    def _burn(self, rate: BurnRate, fires: bool) -> None:
        long, short = windows(rate)
        minutes = min(short.minutes, 5) + 5 + (ceil(long.least) if rate.kind == "latency" else 0)
        if rate.kind == "availability":
            share = min(2 * long.limit, (1 + long.limit) / 2) if fires else long.limit / 2
            if not fires and ("errors", "mean") in self.levels:  # of several rates the gentlest has to be met
                share = min(share, self.levels["errors", "mean"] / self.levels["requests", "mean"])
            came = max(USUAL, 2 * long.least / (share * minutes * 60)) if fires else USUAL
            self.levels |= {("requests", "mean"): came, ("errors", "mean"): came * share}
        else:
            slowest = rate.slowest or 0.0
            self._want(rate.reading or Reading("latency", "p95"), ">", slowest, slowest, fires)
        self._last(minutes)

    def _climb(self, of: Recorded, trend: Trend, low: float, high: float) -> None:
        """A straight line that ends between low and high, and would pass the value in two thirds of the time ahead."""
        end = _between(max(low, 0.0), min(high, trend.value))
        slope = (trend.value - end) / trend.ahead_minutes * 1.5
        start = end - slope * self.minutes
        if start < 0:
            raise CannotSay(f"a line of {self.minutes:,} minutes would begin below nothing")
        moved = self._at(of, start)
        first = self.levels.pop(moved)
        last = self._at(of, end)
        step = (self.levels.pop(last) - first) / self.minutes
        self.series[moved] = f"{number(first)}+{number(step)}x{self.minutes + 1}"

    def _jump(self, anomaly: Anomaly, fires: bool) -> None:
        """A level that goes up and down by a tenth, and then, or not, far away from it."""
        lasts = anomaly.of * anomaly.reading.minutes + anomaly.reading.minutes
        quiet = QUIET * lasts
        moved = self._at((anomaly.reading.signal, anomaly.reading.stat), USUAL)
        level = self.levels.pop(moved)
        far = (level * (100 if anomaly.side != "below" else 0)) if fires else 1.05 * level
        wave = [f"{number(level)} {number(1.1 * level)}"] * (quiet // 2)
        self.series[moved] = " ".join([*wave, f"{number(far)}x{lasts}"])
        self._last(quiet + lasts)


def prometheus_tests(alarms: Alarms) -> Rendered:
    """The text of a test file, YAML, for the rules of `prometheus` in a file named `RULE_FILE` beside it."""
    rules, telling = rules_of(alarms)
    tests: list[dict[str, Any]] = []
    untold = Telling("a unit test")
    for alarm, _ in rules.alerts:
        for fires in (True, False):
            told = partial(_told, alarms=alarms, asking=rules.asked[alarm.name], fires=fires)
            tests += [one for _, one in untold.each([alarm], told)]
    document = {
        "rule_files": [RULE_FILE],
        "evaluation_interval": "1m",
        "group_eval_order": [group["name"] for group in rules.groups()],
        "tests": tests,
    }
    head = [f"# Unit tests of the rules in {RULE_FILE}: promtool test rules THIS-FILE"]
    head += [f"# Not tested: {printable(line)}" for line in untold.unsaid]
    telling.found += untold.found
    return telling.of("\n".join([*head, yaml(document)]) + "\n")


def _told(alarm: Alarm, _: list[str], *, alarms: Alarms, asking: Asking, fires: bool) -> dict[str, Any]:
    return case(alarm, alarms, asking, fires)


def case(alarm: Alarm, alarms: Alarms, asking: Asking, fires: bool) -> dict[str, Any]:
    """One test: series of a service, and whether the alert is there at the end."""
    story = Story(asking)
    series = story.told(alarm.condition, fires=fires)
    length = story.minutes + 1
    series |= {one: f"{number(_usual(one))}x{length}" for one in asking.used if one not in series}
    remarks = tuple(dict.fromkeys(asking.remarks))
    alert = {"exp_labels": labels_of(alarm), "exp_annotations": annotations_of(alarm, alarms, remarks)}
    return {
        "name": f"{alarm.name} {'fires' if fires else 'stays quiet'}",
        "interval": "1m",
        "input_series": [
            {"series": asking.series(recorded), "values": values}
            for recorded, values in series.items()
            if recorded not in story.silent
        ],
        "alert_rule_test": [
            {
                "eval_time": f"{story.minutes}m",
                "alertname": alarm.name,
                "exp_alerts": [alert] if fires else [],
            }
        ],
    }


def _between(low: float, high: float) -> float:
    """A value between the two, well away from either.

    >>> _between(60, 70), _between(80, float("inf")), _between(float("-inf"), 80)
    (65.0, 120.0, 40.0)
    """
    if isfinite(low) and isfinite(high):
        return (low + high) / 2
    if isfinite(low):
        return low + max(abs(low) / 2, 0.5)
    return high - abs(high) / 2 if high else high - 0.5


def _usual(recorded: Recorded) -> float:
    return 0.0 if recorded[0] == "errors" else USUAL


def _number(text: str) -> float:
    found = computed(text, {})
    return float(found) if found is not None else 0.0
