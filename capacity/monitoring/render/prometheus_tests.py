"""Unit tests for the rules, for `promtool test rules`: for each alert a case in which it fires, and one in which not.

A case feeds the series that the recording rules make, in their units, so that it tells nothing about the queries behind
them. Source: Prometheus documentation, "Unit testing for rules".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from math import ceil, inf
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

Series = dict[Recorded, str]


@dataclass
class Story:
    """What the series of a service do in a case, in promtool's notation, and how many minutes it takes.

    An expected value that nothing was said of is what `solve` leaves usual.
    """

    asking: Asking
    levels: dict[Recorded, float] = field(default_factory=dict)
    series: Series = field(default_factory=dict)
    minutes: int = 0
    silent: set[Recorded] = field(default_factory=set)

    def tell(self, condition: Condition, *, fires: bool) -> None:
        """Makes the condition hold, or not. Raises CannotSay where no level of its inputs does."""
        match condition:
            case Threshold():
                self._at(condition.reading, _beyond(condition.comparison, condition.value, condition.value, fires))
                self.minutes = max(self.minutes, condition.of * condition.reading.minutes + 1)
            case OutsideProfile():
                low, high = min(condition.profile), max(condition.profile)
                self._at(condition.reading, _beyond(condition.comparison, low, high, fires))
                self.minutes = max(self.minutes, condition.of * condition.reading.minutes + 1)
            case BurnRate():
                self._burn(condition, fires)
            case Absent():
                inputs = self._recorded(condition.reading)
                if fires:
                    self.silent |= set(inputs)
                self.minutes = max(self.minutes, condition.minutes + 1)
            case Trend():
                self._climb(condition, fires)
            case Anomaly():
                self._jump(condition, fires)
            case All():
                for part in condition.parts if fires else condition.parts[:1]:
                    self.tell(part, fires=fires)
                for part in () if fires else condition.parts[1:]:
                    self._wait(part)
            case AnyOf():
                for part in condition.parts[:1] if fires else condition.parts:
                    self.tell(part, fires=fires)

    def _wait(self, condition: Condition) -> None:
        """Nothing in particular happens to what a condition reads."""
        for recorded in self.asking.used:
            self.levels.setdefault(recorded, _usual(recorded))

    def _recorded(self, reading: Reading) -> list[Recorded]:
        before = dict(self.asking.used)
        self.asking.used.clear()
        self.asking.inputs(reading)
        found = list(self.asking.used)
        self.asking.used = before | self.asking.used
        return found

    def _at(self, reading: Reading, target: float) -> Recorded:
        """Levels at which the reading has a value: of its inputs the first that nothing is said of is moved."""
        inputs = self._recorded(reading)
        free = [recorded for recorded in inputs if recorded not in self.levels]
        levels = {recorded: self.levels.get(recorded, _usual(recorded)) for recorded in inputs}
        for moved in free:
            low, high = (self._value(reading, {**levels, moved: level}) for level in (1.0, 2.0))
            level = 1.0 + (target - low) / (high - low) if high != low else inf
            if 0 <= level < inf and abs(self._value(reading, {**levels, moved: level}) - target) < 1e-6 * max(
                abs(target), 1
            ):
                self.levels |= {**levels, moved: level}
                return moved
        raise CannotSay(f"no level of {', '.join(name for name, _ in inputs)} makes {reading.signal} {number(target)}")

    def _value(self, reading: Reading, levels: dict[Recorded, float]) -> float:
        """The formula of a reading, computed here."""

        def answer(name: str) -> str | None:
            level = levels.get((name, reading.stat if name == reading.signal else "mean"))
            return None if level is None else f"{level:.17g}"

        def largest(one: str, other: str) -> str:
            return f"{max(_number(one), _number(other)):.17g}"

        text = in_terms_of(reading.signal, answer, constants(self.asking.service), largest)
        return _number(text or "0")

    def _burn(self, rate: BurnRate, fires: bool) -> None:
        long, short = windows(rate)
        share = min(2 * long.limit, (1 + long.limit) / 2) if fires else long.limit / 2
        minutes = min(short.minutes, 5) + ceil(long.least) + 5
        if rate.kind == "availability":
            enough = max(USUAL, 2 * long.least / (share * minutes * 60))
            self.levels |= {("requests", "mean"): enough, ("errors", "mean"): enough * share}
        else:
            slowest = rate.slowest or 0.0
            self._at(rate.reading or Reading("latency", "p95"), slowest * 2 if fires else slowest / 2)
        self.minutes = max(self.minutes, minutes)

    def _climb(self, trend: Trend, fires: bool) -> None:
        """A straight line from nothing to where it passes the value in time; or a level half as high."""
        minutes = trend.over_minutes // 2 + (trend.of + 2) * trend.reading.minutes
        half = trend.value / 2
        moved = self._at(trend.reading, half)
        if fires:
            # a line from half of the value, which it reaches in a third of the time ahead
            top = self.levels[moved]
            del self.levels[moved]
            bottom_level = self._with(trend.reading, moved, 0.4 * trend.value)
            step = (top - bottom_level) / 0.1 * 0.6 * 3 / max(trend.ahead_minutes, 1)
            self.series[moved] = f"{number(bottom_level)}+{number(step)}x{minutes + 1}"
        self.minutes = max(self.minutes, minutes)

    def _with(self, reading: Reading, moved: Recorded, target: float) -> float:
        kept = dict(self.levels)
        self._at(reading, target)
        level = self.levels[moved]
        self.levels = kept | {recorded: self.levels[recorded] for recorded in self.levels if recorded != moved}
        return level

    def _jump(self, anomaly: Anomaly, fires: bool) -> None:
        """A level that goes up and down by a tenth, and then, or not, far away from it."""
        lasts = (anomaly.of + 1) * anomaly.reading.minutes
        quiet = QUIET * lasts
        moved = self._at(anomaly.reading, USUAL)
        level = self.levels.pop(moved)
        wave = f"{number(level)} {number(1.1 * level)}"
        far = level * (100 if anomaly.side != "below" else 0)
        after = f"{number(far)}x{lasts}" if fires else f"{number(1.05 * level)}x{lasts}"
        self.series[moved] = " ".join([wave] * (quiet // 2) + [after])
        self.minutes = max(self.minutes, quiet + lasts)


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
    used = list(asking.used)
    story.tell(alarm.condition, fires=fires)
    for recorded in used:
        if recorded not in story.series:
            story.levels.setdefault(recorded, _usual(recorded))
    length = story.minutes + 1
    series = {recorded: f"{number(level)}x{length}" for recorded, level in story.levels.items()} | story.series
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


def _beyond(comparison: str, low: float, high: float, fires: bool) -> float:
    """A value past everything from low to high, or short of it.

    >>> _beyond(">", 20, 100, True), _beyond(">", 20, 100, False), _beyond("<", 20, 100, True)
    (150.0, 10.0, 10.0)
    """
    above = (">" in comparison) == fires
    return high + max(abs(high) / 2, 0.5) if above else low - abs(low) / 2 if low else -0.5 * ("<" in comparison)


def _usual(recorded: Recorded) -> float:
    return 0.0 if recorded[0] == "errors" else USUAL


def _number(text: str) -> float:
    found = computed(text, {})
    return float(found) if found is not None else 0.0
