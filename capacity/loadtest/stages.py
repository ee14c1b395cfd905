"""Which stretches of a test are its load points: by what the plan's names say, else by where the load changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from capacity.loadtest.cells import SECOND, Cells
from capacity.loadtest.segments import segments
from capacity.loadtest.tallied import Kept

#: Neighbouring groups may overlap by this share of the shorter one and still be one after the other: threads of a step
#: finish their last request while the next step begins.
OVERLAP: Final = 0.2

#: A ramp is told of in this many windows, where each is at least RAMP_SECONDS long.
RAMP_WINDOWS: Final = 10
RAMP_SECONDS: Final = 5

#: A group takes part in a stretch if it was active for this share of it.
ACTIVE: Final = 0.9

_RATE: Final = re.compile(
    r"(?<![\w.])(\d+(?:[.,]\d+)?)\s*(?:rps|tps|qps|req(?:uests?)?/s(?:ec)?|hits/s|/s(?:ec)?)\b", re.I
)
_USERS: Final = re.compile(r"(?:^|[\s_-])n=?0*(\d+)\b|(?<![\w.])(\d+)\s*(?:users?|threads?|vus?|vusers?)\b", re.I)


@dataclass(frozen=True)
class Stage:
    """From begin to end (microseconds) one load was asked for. NaN where the plan's names do not say."""

    group: str
    begin: int
    end: int
    asked: float = np.nan  # requests/s
    users: float = np.nan
    ramp: bool = False

    @property
    def seconds(self) -> float:
        return (self.end - self.begin) / SECOND

    @property
    def says(self) -> bool:
        """Whether a name of the plan says what was asked for."""
        return bool(np.isfinite(self.asked) or np.isfinite(self.users))


def asked_rate(name: str) -> float:
    """Requests per second that a name carries, NaN if none.

    >>> asked_rate("step05 170rps"), asked_rate("browse 12.5 req/s"), asked_rate("N012")
    (170.0, 12.5, nan)
    """
    found = _RATE.search(name)
    return float(found.group(1).replace(",", ".")) if found else np.nan


def asked_users(name: str) -> float:
    """Users that a name carries, NaN if none.

    >>> asked_users("N012"), asked_users("load 50 users"), asked_users("node 3")
    (12.0, 50.0, nan)
    """
    found = _USERS.search(name)
    return float(found.group(1) or found.group(2)) if found else np.nan


def stages(cells: Cells, groups: Mapping[str, Kept], labels: Mapping[str, Kept]) -> list[Stage]:
    """The load points of a test, in order of time.

    Thread groups (or scenarios) one after the other are stages. Where a name says a rate or users, its stage is one
    load point; other stages, and tests of one group or of several at once, are cut where the arrivals per second or
    the users changed. Labels are looked at as groups are, if they carry rates or users and groups do not part the test.
    """
    named = in_turn(groups)
    if len(named) < 2:
        labelled = in_turn(labels)
        named = labelled if all(stage.says for stage in labelled) else []
    if len(named) >= 2:
        parts = [[stage] if stage.says else _cut(cells, stage, {}) for stage in named]
        return [stage for part in parts for stage in part]
    runs = [_active(cells, *run) for run in cells.runs()]
    name = next(iter(groups)) if len(groups) == 1 else ""
    wholes = [
        Stage(name, int(cells.start[low]), int(cells.start[high - 1]) + cells.width) for low, high in runs if high > low
    ]
    return [stage for whole in wholes for stage in _cut(cells, whole, groups)]


def in_turn(groups: Mapping[str, Kept]) -> list[Stage]:
    """The groups as stages, if each began when the one before it had ended, or nearly; else none."""
    order = sorted(groups.items(), key=lambda item: (item[1].first, item[1].last_start))
    found = [Stage(name, kept.first, kept.last_start, asked_rate(name), asked_users(name)) for name, kept in order]
    for place in range(len(found) - 1):
        one, other = found[place], found[place + 1]
        if one.end - other.begin > OVERLAP * min(one.end - one.begin, other.end - other.begin):
            return []
        found[place] = Stage(one.group, one.begin, min(one.end, other.begin), one.asked, one.users)
    return found


def _active(cells: Cells, low: int, high: int) -> tuple[int, int]:
    """The cells of a run between its first and its last arrival."""
    busy = np.flatnonzero(cells.arrivals[low:high])
    return (low + int(busy[0]), low + int(busy[-1]) + 1) if len(busy) else (low, low)


def _cut(cells: Cells, whole: Stage, groups: Mapping[str, Kept]) -> list[Stage]:
    """A stretch cut where its load changed; ramps in windows."""
    low, high = _cells_of(cells, whole)
    signals = [cells.arrivals[low:high] / cells.seconds]
    users = cells.users[low:high]
    known = np.isfinite(users)
    if high > low and known.mean() > ACTIVE:
        signals.append(np.interp(np.arange(high - low), np.flatnonzero(known), users[known]))
    found = []
    for part in segments(signals) if high > low else []:
        begin = max(whole.begin, int(cells.start[low + part.begin]))
        end = min(whole.end, int(cells.start[low + part.end - 1]) + cells.width)
        pieces = 1
        if part.ramp:
            pieces = int(np.clip((end - begin) / SECOND // RAMP_SECONDS, 1, RAMP_WINDOWS))
        edges = np.linspace(begin, end, pieces + 1).astype(np.int64).tolist()
        for first, last in pairwise(edges):
            found.append(Stage(whole.group, first, last, _together(groups, first, last), whole.users, part.ramp))
    return found


def levels(cells: Cells, stage: Stage) -> list[Stage]:
    """A stage of one load, cut where the requests in flight changed."""
    low, high = _cells_of(cells, stage)
    parts = segments([cells.busy[low:high] / cells.width])
    starts = [max(stage.begin, int(cells.start[low + part.begin])) for part in parts]
    ends = [*starts[1:], stage.end]
    return [replace(stage, begin=begin, end=end) for begin, end in zip(starts, ends, strict=True)]


def _cells_of(cells: Cells, stage: Stage) -> tuple[int, int]:
    """First cell that the stage touches, and the one after its last."""
    low = int(np.searchsorted(cells.start, stage.begin - cells.width, side="right"))
    return low, int(np.searchsorted(cells.start, stage.end, side="left"))


def _together(groups: Mapping[str, Kept], begin: int, end: int) -> float:
    """Sum of the rates that the groups active all the while carry in their names; NaN unless each carries one."""
    active = [
        name
        for name, kept in groups.items()
        if min(end, kept.last_start) - max(begin, kept.first) > ACTIVE * (end - begin)
    ]
    return sum(asked_rate(name) for name in active) if active else np.nan
