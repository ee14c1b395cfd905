"""A second opinion on the replay: the rules of aws.md 3.2, 3.5 and 4.3, one after the other, as slow as they come."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np


@dataclass
class SlowService:
    """One service under target tracking. Times are minutes; a task is the minute in which it begins to serve."""

    target: float  # of the metric
    per_task: float  # load one task has when the metric reads 100
    saturates: bool  # the metric cannot read more than 100
    silent_when_idle: bool
    out_cooldown: int
    in_cooldown: int
    startup: int
    delay: int
    tasks: list[int] = field(default_factory=list)
    desired: int = 0
    credit: int = 100  # launches that may happen at once
    metrics: list[float | None] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    last_out: int = -10_000
    last_in: int = -10_000

    def minute(self, now: int, load: float, least: int, most: int) -> tuple[int, int, int]:
        """Desired, serving, and serving or starting, in this minute."""
        self.desired = max(least, min(most, self.desired))
        readable = self.metrics[: max(0, now - self.delay)]
        if readable and readable[-1] is not None:
            self.scale(now, readable, least, most)
        self.launch_or_stop(now)
        serving = sum(ready <= now for ready in self.tasks)
        self.metrics.append(self.read(load, serving))
        self.counts.append(serving)
        return self.desired, serving, len(self.tasks)

    def read(self, load: float, serving: int) -> float | None:
        """The metric of a minute; None when there is no datapoint."""
        if serving == 0 or math.isnan(load) or (self.silent_when_idle and load == 0):
            return None
        metric = 100 * load / (serving * self.per_task)
        return min(metric, 100.0) if self.saturates else metric

    def scale(self, now: int, readable: list[float | None], least: int, most: int) -> None:
        last3, last15 = readable[-3:], readable[-15:]
        high = len(last3) == 3 and all(value is not None and value / self.target > 1 for value in last3)
        low = len(last15) == 15 and all(value is not None and value / self.target < 0.9 for value in last15)
        newest = readable[-1]
        assert newest is not None
        serving = sum(ready <= now for ready in self.tasks)
        if high:
            cooling = now < self.last_out + self.out_cooldown
            base = self.counts[len(readable) - 1] if cooling else serving
            wanted = min(most, math.ceil(base * newest / self.target - 1e-9))
            if wanted > self.desired:
                self.desired, self.last_out, self.last_in = wanted, now, -10_000
        elif low and now >= self.last_in + self.in_cooldown:
            largest = max(value for value in last15 if value is not None)
            wanted = max(least, math.ceil(serving * largest / self.target - 1e-9))
            if wanted < self.desired:
                self.desired, self.last_in = wanted, now

    def launch_or_stop(self, now: int) -> None:
        missing = self.desired - len(self.tasks)
        at_once = max(0, min(missing, self.credit))
        later = max(0, min(missing - at_once, 1200))
        self.tasks += [now + self.startup] * at_once + [now + self.startup + 1] * later
        self.credit = min(100, self.credit + 1200 - at_once - later)
        if missing < 0:  # the youngest are stopped first
            self.tasks = sorted(self.tasks)[: self.desired]


def slow_replay(
    service: SlowService, load: np.ndarray, least: np.ndarray, most: np.ndarray, first: int
) -> list[tuple[int, int, int]]:
    """(desired, serving, serving or starting) of every minute."""
    service.desired = first
    service.tasks = [-1] * first
    return [
        service.minute(now, float(value), int(low), int(high))
        for now, (value, low, high) in enumerate(zip(load, least, most, strict=True))
    ]
