"""What happens in a unit test of a rule: series of a service that make a condition hold, or just not.

A case feeds the series that the recording rules make, in their units, so that it tells nothing about the queries behind
them. Source: Prometheus documentation, "Unit testing for rules".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, gcd, inf, isclose, isfinite
from typing import Final

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
from capacity.monitoring.render.promql import DAY, Asking, Recorded, parts
from capacity.monitoring.render.promql_text import number
from capacity.monitoring.render.rendered import CannotSay

#: A usual level of anything, in its own unit; of errors there are none.
USUAL: Final = 10.0
#: Steps of a saw, each half a percent of a level: a day is no whole number of them, so that a day departs from another.
SAW: Final = 5

#: Minutes between two evaluations that a case may ask for: a file of tests has one such interval.
EVERY: Final = (60, 15, 5, 1)
#: Minutes for which a series keeps its last value: evaluated as seldom, it has one in each (Prometheus, "Staleness").
KEPT: Final = 5


def every(condition: Condition) -> int:
    """Minutes between evaluations, as many as the condition can stand: promtool takes its time by evaluations.

    >>> every(Threshold(Reading("requests", minutes=60), ">", 5, 6, 6)), every(Threshold(Reading("cpu"), ">", 5, 3, 5))
    (60, 5)
    """
    asked = _spacing(condition)
    return next(step for step in EVERY if asked % step == 0) if asked else KEPT


def _spacing(condition: Condition) -> int:
    """Greatest that divides all that is recorded one after the other; 0 where only the end counts."""
    match condition:
        case All() | AnyOf():
            return gcd(*map(_spacing, condition.parts))
        case Threshold() | OutsideProfile():
            return 0 if condition.of == 1 else max(condition.reading.minutes, KEPT)
        case Trend():
            steps = (parts(condition), condition.reading.minutes if condition.of > 1 else 0)
            return gcd(*(max(step, KEPT) if step else 0 for step in steps))
        case BurnRate():
            return 1 if condition.kind == "latency" and condition.least_bad * KEPT > condition.long_minutes else KEPT
        case Anomaly():
            return max(condition.reading.minutes, KEPT)
        case Absent():
            return KEPT


@dataclass
class Story:
    """What the series of a service do in a case, in promtool's notation, and how many minutes it takes.

    every    minutes between evaluations
    levels   of recorded series that stay where they are; `series`: those that move, as they are written
    wanted   reading -> between which values it has to be, as all conditions told of so far ask
    climbs   reading -> the trend that it has to show
    """

    asking: Asking
    every: int
    levels: dict[Recorded, float] = field(default_factory=dict)
    series: dict[Recorded, str] = field(default_factory=dict)
    silent: set[Recorded] = field(default_factory=set)
    wanted: dict[Recorded, tuple[float, float]] = field(default_factory=dict)
    climbs: dict[Recorded, Trend] = field(default_factory=dict)
    minutes: int = 0
    summed: bool = False  # minutes are counted: there has to be a sample in each

    @property
    def interval(self) -> int:
        """Minutes between samples."""
        return 1 if self.summed else self.every

    @property
    def samples(self) -> int:
        return self.minutes // self.interval + 1

    def told(self, condition: Condition, *, fires: bool) -> dict[Recorded, str]:
        """The series of a case in which the condition holds, or does not. Raises CannotSay where no level is such."""
        self._tell(condition, fires)
        for of, (low, high) in sorted(self.wanted.items(), key=lambda one: len(self._inputs(Reading(*one[0])))):
            if of not in self.climbs:  # what is measured itself first: what follows from it has other inputs to move
                self._at(of, _between(low, high))
        for of, trend in self.climbs.items():
            self._climb(of, trend, *self.wanted.get(of, (trend.value / 2, trend.value)))
        usual = {one: _usual(one) for one in self.asking.used if one not in self.levels and one not in self.series}
        levels = {one: f"{number(level)}x{self.samples}" for one, level in (self.levels | usual).items()}
        return {one: values for one, values in (levels | self.series).items() if one not in self.silent}

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
                self.summed = True
                self._last(condition.minutes + 1)
            case Trend():
                if fires:
                    self.climbs[condition.reading.signal, condition.reading.stat] = condition
                else:
                    self._want(condition.reading, ">=", condition.value, condition.value, False)
                needed = condition.over_minutes // 2 + 2 * parts(condition)
                self._last(needed + condition.of * condition.reading.minutes)
            case Anomaly():
                self._jump(condition, fires)
            case All():
                for part in condition.parts if fires else condition.parts[:1]:
                    self._tell(part, fires)
            case AnyOf():
                for part in condition.parts[:1] if fires else condition.parts:
                    self._tell(part, fires)

    def _last(self, minutes: int) -> None:
        self.minutes = max(self.minutes, ceil(minutes / self.every) * self.every)

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
        minutes = min(short.minutes, 5) + 5
        self.summed = True
        if rate.kind == "availability":
            share = min(2 * long.limit, (1 + long.limit) / 2) if fires else long.limit / 2
            if not fires and ("errors", "mean") in self.levels:  # of several rates the gentlest has to be met
                share = min(share, self.levels["errors", "mean"] / self.levels["requests", "mean"])
            came = max(USUAL, 2 * long.least / (share * minutes * 60)) if fires else USUAL
            self.levels |= {("requests", "mean"): came, ("errors", "mean"): came * share}
        else:
            reading, slowest = rate.slow
            self._want(reading, ">", slowest, slowest, fires)
            minutes += ceil(long.least) * self.every
        self._last(minutes)

    def _climb(self, of: Recorded, trend: Trend, low: float, high: float) -> None:
        """A straight line that ends between low and high, and would pass the value in two thirds of the time ahead."""
        part = 1.5 * self.minutes / trend.ahead_minutes
        least = trend.value * part / (1 + part)  # a line that ends here begins at nothing
        low, high = max(low, least, 0.0), min(high, trend.value)
        if low >= high:
            raise CannotSay(
                f"a line of {self.minutes:,} minutes that ends below {number(high)} would begin below nothing"
            )
        end = _between(low, high)
        start = end - (trend.value - end) * part
        moved = self._at(of, start)
        first = self.levels.pop(moved)
        last = self._at(of, end)
        step = (self.levels.pop(last) - first) / self.minutes * self.interval
        self.series[moved] = f"{number(first)}+{number(step)}x{self.samples}"

    def _jump(self, anomaly: Anomaly, fires: bool) -> None:
        """Two days of a level that goes up and down by a percent, and then, or not, far away from it."""
        lasts = (anomaly.of + 1) * anomaly.reading.minutes
        teeth = ceil((2 * DAY + lasts) / self.every / SAW)
        self._last((SAW * teeth - 1) * self.every + lasts)
        moved = self._at((anomaly.reading.signal, anomaly.reading.stat), USUAL)
        level = self.levels.pop(moved)
        far = (level * (2 if anomaly.side != "below" else 0)) if fires else 1.01 * level
        tooth = f"{number(level)}+{number(0.005 * level)}x{SAW - 1}"
        self.series[moved] = " ".join([*[tooth] * teeth, f"{number(far)}x{ceil(lasts / self.every)}"])


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
