"""What would change the count: how much more load, how much less, a faster start, another level, another zone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from capacity.planning.steps import Survives
from capacity.planning.why.moment import Moment
from capacity.planning.words import counted, level_words, percent

#: Levels a count is also read at: what people choose between.
LEVELS: Final = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999)

#: Less load than this share of today's is not told: there a single request keeps the count.
FAR: Final = 0.01

#: Just past a turning point: beyond what the search for it leaves open.
PAST: Final = 1 + 1e-5


@dataclass(frozen=True)
class Turn:
    """One change, and the count it leads to.

    value   how much of it, in `unit`: the smallest that changes the count, or the one that was tried
    tasks   then; None where nothing of it changes the count
    chance  that these tasks do not hold the interval; None where it stays as planned
    """

    part: str
    item: str
    value: float
    unit: str
    tasks: int | None
    words: str
    chance: float | None = None


def turns(about: Moment) -> list[Turn]:
    """Everything that would change the count of one interval."""
    return [*fewer(about), *_load(about), *_startup(about), *_level(about), *_zones(about)]


def fewer(about: Moment) -> Iterator[Turn]:
    """The next-best counts: one task fewer, and as many as are planned; what each risks."""
    run = int(about.row["tasks"])  # type: ignore[call-overload]
    for tasks in (run - 1, run):
        if tasks < 1:
            continue
        chance, alone = (float((paths > tasks).mean()) for paths in (about.counts, about.loaded))
        apart = f" with every headroom, {percent(alone)} for load alone"
        what = apart if about.row["for_zone_loss"] != about.row["for_load"] else ""
        yield Turn(
            "option",
            "one task fewer" if tasks < run else "as planned",
            float(tasks),
            "tasks",
            tasks,
            f"{counted(tasks)}: {percent(chance)} of the futures need more{what}",
            chance,
        )


def _load(about: Moment) -> Iterator[Turn]:
    """Until which load the count holds, from which on one task fewer would, and where the maximum is passed."""
    most, wanted = about.service.max_tasks, about.wanted
    more = about.load_within(wanted)
    if math.isfinite(more):
        then = about.tasks_at(more * PAST)
        yield Turn("turn", "more load", 100 * (more - 1), "%", then, f"needs {then:,} from {_change(more)} load on")
    if wanted > about.service.min_tasks:
        less = about.load_within(wanted - 1)
        then = about.tasks_at(less)
        if less > FAR:
            yield Turn("turn", "less load", 100 * (less - 1), "%", then, f"{then:,} would do with {_change(less)} load")
            carried = 1 / less
            words = f"{then:,} would do if a task carried {_change(carried)}"
            yield Turn("turn", "capacity per task", 100 * (carried - 1), "%", then, words)
    holds = about.load_within(most)
    if math.isfinite(holds):
        until = f"is passed from {_change(holds)} load on" if holds >= 1 else f"holds {100 * holds:.0f} % of the load"
        words = f"its maximum of {most:,} {until}"
        yield Turn("turn", "maximum", 100 * (holds - 1), "%", None, words)


def _startup(about: Moment) -> Iterator[Turn]:
    """How much faster a task has to start to save one."""
    seconds, wanted = about.service.startup_seconds, about.wanted
    if seconds <= 0 or wanted <= about.service.min_tasks:
        return

    def tasks(start: float) -> int:
        return about.tasks_with(about.service.model_copy(update={"startup_seconds": start}))

    if tasks(0.0) >= wanted:
        words = f"no faster start than {seconds:g} s saves a task here"
        yield Turn("turn", "start-up", 0.0, "seconds", None, words)
        return
    fast, slow = 0, math.ceil(seconds)  # whole seconds: the longest start that saves a task, and one that does not
    while slow - fast > 1:
        middle = (slow + fast) // 2
        fast, slow = (middle, slow) if tasks(middle) < wanted else (fast, middle)
    then = tasks(fast)
    words = f"{then:,} would do if a task started in {fast:,} s instead of {seconds:g}"
    yield Turn("turn", "start-up", float(fast), "seconds", then, words)


def _level(about: Moment) -> Iterator[Turn]:
    """The count at the level below and the one above."""
    today = about.goal.level
    below = [level for level in LEVELS if level < today - 1e-9][-1:]
    above = [level for level in LEVELS if level > today + 1e-9][:1]
    for level in (*below, *above):
        then = about.tasks_with(goal=about.goal.model_copy(update={"level": level}))
        words = f"{then:,} at {level_words(level)} instead of {level_words(today)}"
        yield Turn("turn", "level", 100 * level, "%", then, words)


def _zones(about: Moment) -> Iterator[Turn]:
    """The count over one zone more, where the loss of one is to be survived."""
    zones = about.service.zones
    if not Survives.of(about.service, about.goal).zone_loss or zones >= 6:
        return
    then = about.tasks_with(about.service.model_copy(update={"zones": zones + 1}))
    yield Turn("turn", "zones", zones + 1.0, "zones", then, f"{then:,} over {zones + 1} zones instead of {zones}")


def _change(times: float) -> str:
    """A multiple as a change, rounded to what matters.

    >>> _change(1.034), _change(0.9876), _change(1.0004), _change(1.997)
    ('3.4 % more', '1.2 % less', '0.04 % more', '100 % more')
    """
    change = abs(100 * (times - 1))
    return f"{f'{change:.0f}' if change >= 10 else f'{change:.2g}'} % {'more' if times >= 1 else 'less'}"
