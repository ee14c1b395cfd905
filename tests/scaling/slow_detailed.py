"""A second opinion on the detailed replay: one object a task, one rule of aws.md 3.2-3.5, 4.2, 4.3 after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from scipy.stats import binom

LONG_AGO = -(10**9)


@dataclass
class SlowTask:
    ready: int  # step from which on it serves
    revision: int
    gone: int | None = None  # step from which on Spot has it back


@dataclass
class SlowAlarm:
    """Datapoints of one metric, each over so many steps, and which of them are known when."""

    period: int
    delay: int
    per_task: float  # load that reads as 1 with one task
    most: float  # largest reading
    silent_when_idle: bool
    read: list[float] = field(default_factory=list)  # load of each step as far as it shows; NaN: not known
    tasks: list[int] = field(default_factory=list)
    known: list[tuple[float, float] | None] = field(default_factory=list)

    def add(self, load: float, tasks: int) -> None:
        known = not math.isnan(load) and tasks > 0
        self.read.append(min(load / self.per_task, tasks * self.most) if known else math.nan)
        self.tasks.append(tasks)

    def points(self, now: int) -> list[tuple[float, float] | None] | None:
        """(metric, mean tasks) of all datapoints, None for a missing one; None when none became known in this step."""
        if now < self.delay + self.period or (now - self.delay) % self.period:
            return None
        end = now - self.delay
        steps = [s for s in range(end - self.period, end) if not math.isnan(self.read[s])]
        total, held = sum(self.read[s] for s in steps), sum(self.tasks[s] for s in steps)
        silent = not steps or (self.silent_when_idle and total == 0)
        self.known.append(None if silent else (min(total / held, self.most), held / len(steps)))
        return self.known


@dataclass
class SlowLadder:
    alarm: SlowAlarm
    datapoints: int
    threshold: float
    rungs: list[tuple[float, float, int]]  # lower, upper, adjustment
    percent: bool
    least: int
    cooldown: int

    def add_to(self, count: int, beyond: float) -> int:
        for lower, upper, adjustment in self.rungs:
            if lower <= beyond < upper:
                if not self.percent:
                    return adjustment
                exact = Fraction(count) * adjustment / 100
                if exact <= 0:
                    return 0
                return max(self.least, 1 if exact < 1 else math.floor(exact))
        return 0


@dataclass
class SlowEcs:
    """One service. Times are steps."""

    tracked: SlowAlarm
    ladder: SlowLadder | None
    high: int
    low: int
    out_cooldown: int
    in_cooldown: int
    startup: int
    burst: int
    rate: int
    minimum_healthy: int
    maximum: int
    spot_share: float
    spot_base: int
    chance: float
    together: float
    warning: int
    full: float  # load of a task at 100 %
    carry: bool
    shows_backlog: bool  # CPU is busy with it; requests are counted when they arrive
    tasks: list[SlowTask] = field(default_factory=list)
    desired: int = 0
    revision: int = 0
    deploying: bool = False
    hold_until: int = LONG_AGO
    credit: int = 0
    last_out: int = LONG_AGO
    last_in: int = LONG_AGO
    last_rung: int = LONG_AGO
    rung_base: int = 0
    backlog: float = 0.0
    taken: int = 0
    deployed: int = 0

    def serving(self, now: int) -> list[SlowTask]:
        return [task for task in self.tasks if task.ready <= now]

    def staying(self, now: int) -> list[SlowTask]:
        """Those that serve and are not leaving."""
        return [task for task in self.serving(now) if task.gone is None]

    def minute(
        self, now: int, load: float, other: float, least: int, most: int, deploy: int, luck: float
    ) -> tuple[int, int, int, float]:
        self.tasks = [task for task in self.tasks if task.gone is None or task.gone > now]
        if deploy >= 0:
            self.deploying, self.revision = True, self.revision + 1
            self.hold_until = max(self.hold_until, now + deploy)
            self.tasks = self.serving(now)
        self.desired = max(least, min(most, self.desired))
        self.interrupt(now, luck)
        self.scale(now, least, most)
        if self.deploying:
            self.deployed += 1
            self.replace(now)
        else:
            self.launch(now, self.desired - self.counted())
            self.stop(now, self.counted() - self.desired)
        if self.deploying and not self.of_old() and not self.starting(now) and now >= self.hold_until:
            self.deploying = False
        return self.desired, len(self.serving(now)), len(self.tasks), self.serve(now, load, other)

    def interrupt(self, now: int, luck: float) -> None:
        healthy = sorted(self.staying(now), key=lambda task: task.revision)
        on_spot = math.floor(self.spot_share * max(len(healthy) - self.spot_base, 0) + 1e-9)
        if self.together > 0:
            lost = math.ceil(self.together * on_spot - 1e-9) if luck < self.chance else 0
        else:  # scipy takes long for what is mostly none
            none = luck <= (1 - self.chance) ** on_spot
            lost = 0 if none else int(binom.ppf(luck, on_spot, self.chance))
        for task in healthy[:lost]:
            task.gone = now + self.warning
        self.tasks = [task for task in self.tasks if task.gone is None or task.gone > now]
        self.taken += lost

    def scale(self, now: int, least: int, most: int) -> None:
        running = len(self.serving(now))
        wishes = []
        points = self.tracked.points(now)
        newest = points[-1] if points else None
        if newest is not None and points is not None and self.all_of(points, self.high, lambda metric: metric > 1):
            base = newest[1] if now < self.last_out + self.out_cooldown else running
            wishes.append((min(most, math.ceil(base * newest[0] - 1e-9)), "tracking", 0))
        if self.ladder is not None:
            rungs = self.ladder.alarm.points(now)
            if rungs and self.all_of(rungs, self.ladder.datapoints, lambda metric: metric > self.ladder.threshold):
                base = self.rung_base if now < self.last_rung + self.ladder.cooldown else self.desired
                beyond = rungs[-1][0] - self.ladder.threshold  # type: ignore[index]
                wishes.append((min(most, base + self.ladder.add_to(base, beyond)), "ladder", base))
        largest = max(wishes, key=lambda wish: wish[0], default=(self.desired, "", 0))
        if largest[0] > self.desired:
            self.desired, self.last_in = largest[0], LONG_AGO
            if largest[1] == "tracking":
                self.last_out = now
            else:
                self.last_rung, self.rung_base = now, largest[2]
        elif (
            points is not None
            and not self.deploying
            and not self.rings()
            and now >= self.last_in + self.in_cooldown
            and self.all_of(points, self.low, lambda metric: metric < 0.9)
        ):
            largest_metric = max(point[0] for point in points[-self.low :] if point is not None)
            wanted = max(least, math.ceil(running * largest_metric - 1e-9))
            if wanted < self.desired:
                self.desired, self.last_in = wanted, now

    def rings(self) -> bool:
        """The step policy wants more tasks, not fewer: the policy that wants the most decides."""
        ladder = self.ladder
        if ladder is None:
            return False
        return self.all_of(ladder.alarm.known, ladder.datapoints, lambda metric: metric > ladder.threshold)

    @staticmethod
    def all_of(points: list[tuple[float, float] | None], count: int, holds) -> bool:  # type: ignore[no-untyped-def]
        last = points[-count:]
        return len(last) == count and all(point is not None and holds(point[0]) for point in last)

    def counted(self) -> int:
        """Tasks that ECS counts towards the desired count: not those that leave."""
        return sum(task.gone is None for task in self.tasks)

    def starting(self, now: int) -> list[SlowTask]:
        return [task for task in self.tasks if task.ready > now]

    def of_old(self) -> list[SlowTask]:
        return [task for task in self.tasks if task.revision < self.revision and task.gone is None]

    def of_new(self) -> list[SlowTask]:
        return [task for task in self.tasks if task.revision == self.revision and task.gone is None]

    def replace(self, now: int) -> None:
        """A rolling deployment within ECS's percentages."""
        most = max(self.desired, math.floor(Fraction(self.desired * self.maximum, 100)))
        healthy = math.ceil(Fraction(self.desired * self.minimum_healthy, 100))
        new_serving = sum(task.ready <= now for task in self.of_new())
        while self.of_old() and len(self.of_old()) + new_serving > max(self.desired, new_serving):
            self.tasks.remove(self.of_old()[0])
        while (
            self.of_old()
            and len(self.of_new()) + max(0, most - self.counted()) < self.desired
            and len(self.of_old()) + new_serving > healthy
        ):
            self.tasks.remove(self.of_old()[0])
        self.launch(now, min(self.desired - len(self.of_new()), most - self.counted()))
        self.stop(now, len(self.of_new()) - self.desired)

    def launch(self, now: int, missing: int) -> None:
        at_once = max(0, min(missing, self.credit))
        later = max(0, min(missing - at_once, self.rate))
        self.tasks += [SlowTask(now + self.startup, self.revision) for _ in range(at_once)]
        self.tasks += [SlowTask(now + self.startup + 1, self.revision) for _ in range(later)]
        self.credit = min(self.burst, self.credit + self.rate - at_once - later)

    def stop(self, now: int, surplus: int) -> None:
        """The youngest of the new revision first."""
        for task in sorted(self.of_new(), key=lambda task: -task.ready)[: max(0, surplus)]:
            self.tasks.remove(task)

    def serve(self, now: int, load: float, other: float) -> float:
        running = len(self.serving(now))
        due = load + self.backlog
        self.tracked.add(due if self.shows_backlog else load, running)
        if self.ladder is not None:
            self.ladder.alarm.add(other, running)
        if math.isnan(load):
            return self.backlog
        late = max(0.0, due - running * self.full)
        self.backlog = late if self.carry else 0.0
        return late


def slow_detailed(
    ecs: SlowEcs,
    load: np.ndarray,
    other: np.ndarray,
    least: np.ndarray,
    most: np.ndarray,
    deploy: np.ndarray,
    luck: np.ndarray,
    first: int,
) -> list[tuple[int, int, int, float]]:
    """(desired, serving, serving or starting, late) of every step."""
    ecs.desired, ecs.credit = first, ecs.burst
    ecs.tasks = [SlowTask(-1, 0) for _ in range(first)]
    rows = zip(load, other, least, most, deploy, luck, strict=True)
    return [
        ecs.minute(now, float(a), float(b), int(c), int(d), int(e), float(f))
        for now, (a, b, c, d, e, f) in enumerate(rows)
    ]
