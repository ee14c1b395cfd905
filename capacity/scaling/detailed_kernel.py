"""The replay with all of it, compiled: 20-second metrics, step policies, deployments, Spot, and work that waits.

`kernel.replay` is this without those, and the fast path; a test holds both to the same tasks. In a step, in this order:

1.  tasks that have finished starting begin to serve, those whose warning has run out are gone;
2.  a deployment begins: all that serve are of the old revision, those still starting are dropped and started anew;
3.  the bounds of this step are applied at once;
4.  Spot takes tasks back: they serve until their warning has run out, and are replaced from now on;
5.  a datapoint that can be read goes to the alarms. Of target tracking and the step policy the larger scale-out wins;
    AlarmLow scales in as in the plain replay, but not while a deployment runs or the step policy's alarm rings;
6.  tasks are launched and stopped; in a deployment within ECS's minimum and maximum percent;
7.  the step's load meets the tasks that serve; what no task is free for waits, or is shed.

A datapoint is the mean over its steps, a saturated step counted as full and not as more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from capacity.scaling.kernel import NOISE


class Tracking(NamedTuple):
    """Target tracking and its alarms, in steps."""

    ceiling: float  # largest metric / target that can be read
    silent: bool  # no load, no datapoint
    out_cooldown: int
    in_cooldown: int
    may_scale_in: bool
    period: int  # steps a datapoint
    delay: int  # steps until it can be read
    high: int  # datapoints
    low: int
    low_share: float


class Ladder(NamedTuple):
    """A step policy and its alarm; `alarm` 0: there is none."""

    alarm: int  # datapoints that have to be above the threshold
    period: int
    delay: int
    cooldown: int
    ceiling: float  # largest metric that can be read
    silent: bool
    threshold: float
    lower: np.ndarray  # (k,) metric less threshold
    upper: np.ndarray
    adjustment: np.ndarray
    percent: bool
    least: int


class Tasks(NamedTuple):
    """How tasks come and go, in steps."""

    startup: int
    burst: int
    rate: int
    minimum_healthy: int  # percent
    maximum: int
    spot_share: float
    spot_base: int
    chance: float  # that a Spot task, or `together` of them, is taken back in a step
    together: float  # share of the Spot tasks that goes at once; 0: each by itself
    warning: int
    room: float  # load of a task at 100 %, in tasks at the target
    carry: bool  # what no task is free for waits for the next step


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def replay_detailed(
    work: np.ndarray,  # (n,) load of each step in tasks at the target, NaN where not known
    other: np.ndarray,  # (n,) the step policy's metric times the running tasks
    minimum: np.ndarray,  # (n,) bounds in force
    maximum: np.ndarray,
    deploy: np.ndarray,  # (n,) -1, or: a deployment begins, and scale-in is off for at least this many steps
    luck: np.ndarray,  # (n,) uniform in [0, 1): which Spot tasks are taken back
    tracking: Tracking,
    ladder: Ladder,
    tasks: Tasks,
    first: int,
    desired: np.ndarray,  # (n,) out, as in `kernel.replay`
    running: np.ndarray,
    launched: np.ndarray,
    late: np.ndarray,  # (n,) out: work shed in the step, or waiting at its end
) -> tuple[int, int, int, int]:
    """Fill the arrays; return changes, tasks taken back, steps in deployments, and steps of tasks on Spot."""
    slots = tasks.startup + 2
    starting = np.zeros(slots, dtype=np.int64)
    leaving = np.zeros(tasks.warning + 1, dtype=np.int64)  # by the step in which they are gone, modulo its size
    points = np.zeros(work.size // tracking.period + 1)  # datapoints: metric / target
    holders = np.zeros(points.size)  # mean tasks that ran while each was measured; 0: no datapoint
    rungs = np.zeros(work.size // ladder.period + 1)  # datapoints of the step policy's metric
    measured = np.zeros(rungs.size, dtype=np.bool_)
    sum_used = sum_held = sum_other = sum_other_held = 0.0
    samples = 0
    serving = asked = int(first)
    old = pending = going = 0
    tokens = tasks.burst
    high = low = above = 0
    out_until = in_until = ladder_until = hold_until = 0
    ladder_base = 0
    deploying = False
    waiting = 0.0
    changes = taken = deployed = spot_steps = 0
    slot = gone = seen = point = place = rung_place = -1  # whole divisions of the step, without the divisions
    next_read, next_rung = tracking.delay + tracking.period, ladder.delay + ladder.period
    next_point, next_rung_point = tracking.period - 1, ladder.period - 1
    for step in range(work.size):
        slot = slot + 1 if slot + 1 < slots else 0
        gone = gone + 1 if gone + 1 < leaving.size else 0
        serving += starting[slot]
        pending -= starting[slot]
        starting[slot] = 0
        going -= leaving[gone]
        leaving[gone] = 0
        if deploy[step] >= 0:
            deploying = True
            hold_until = max(hold_until, step + deploy[step])
            old += serving
            serving = pending = 0
            starting[:] = 0
        before = asked
        least, most = minimum[step], maximum[step]
        asked = min(max(asked, least), most)
        # Spot
        if tasks.spot_share > 0.0:
            lost = _taken(_spot(tasks, serving + old), tasks, luck[step])
            taken += lost
            from_old = min(lost, old)
            old -= from_old
            serving -= lost - from_old
            if tasks.warning > 0:
                leaving[(gone + tasks.warning) % leaving.size] += lost
                going += lost
        # alarms
        now = serving + old + going
        wanted, by_tracking, base = asked, False, 0
        readable = step == next_read
        if readable:
            seen += 1
            next_read += tracking.period
            if holders[seen] == 0.0:
                high = low = 0
            else:
                ratio = points[seen]
                high = high + 1 if ratio > 1.0 else 0
                low = low + 1 if ratio < tracking.low_share else 0
                if high >= tracking.high:
                    held = holders[seen] if step < out_until else float(now)
                    count = min(int(np.ceil(held * ratio - NOISE)), most)
                    if count > wanted:
                        wanted, by_tracking = count, True
        if ladder.alarm > 0 and step == next_rung:
            point += 1
            next_rung += ladder.period
            beyond = rungs[point] - ladder.threshold
            above = above + 1 if measured[point] and beyond > 0.0 else 0
            if above >= ladder.alarm:
                base = ladder_base if step < ladder_until else asked
                count = min(base + _adjustment(ladder, beyond, base), most)
                if count > wanted:
                    wanted, by_tracking = count, False
        if wanted > asked:
            asked = wanted
            in_until = step
            if by_tracking:
                out_until = step + tracking.out_cooldown
            else:
                ladder_base = base
                ladder_until = step + ladder.cooldown
        elif (
            readable
            and low >= tracking.low
            and tracking.may_scale_in
            and not deploying
            and step >= in_until
            and not (ladder.alarm > 0 and above >= ladder.alarm)
        ):
            ratio = points[seen]
            for back in range(1, tracking.low):
                ratio = max(ratio, points[seen - back])
            count = max(int(np.ceil(now * ratio - NOISE)), least)
            if count < asked:
                asked = count
                in_until = step + tracking.in_cooldown
        if asked != before:
            changes += 1
        # launches and stops
        missing = asked - serving - pending
        if deploying:
            deployed += 1
            old, missing = _rolled(tasks, asked, old, serving, pending)
        if missing > 0:
            at_once = min(missing, tokens)
            later = min(missing - at_once, tasks.rate)
            tokens = min(tasks.burst, tokens + tasks.rate - at_once - later)
            if tasks.startup == 0:
                serving += at_once
            else:
                starting[(slot + tasks.startup) % slots] += at_once
                pending += at_once
            starting[(slot + tasks.startup + 1) % slots] += later
            pending += later
        else:
            tokens = min(tasks.burst, tokens + tasks.rate)
            if missing < 0:
                stopped = _stopped(starting, slot, min(-missing, pending))
                pending -= stopped
                serving += missing + stopped
        if deploying and old == 0 and pending == 0 and step >= hold_until:
            deploying = False
        # load
        held_now = serving + old + going
        if tasks.spot_share > 0.0:
            spot_steps += _spot(tasks, serving + old + pending) + going
        if not np.isnan(work[step]):
            due = work[step] + waiting
            left = max(due - held_now * tasks.room, 0.0)
            if held_now > 0:
                sum_used += min(due if tracking.ceiling < np.inf else work[step], held_now * tracking.ceiling)
                sum_held += held_now
                samples += 1
            waiting = left if tasks.carry else 0.0
            late[step] = left if left > NOISE else 0.0
        else:
            late[step] = waiting
        if step == next_point:
            place += 1
            next_point += tracking.period
            if sum_held > 0.0 and not (tracking.silent and sum_used == 0.0):
                points[place] = min(sum_used / sum_held, tracking.ceiling)
                holders[place] = sum_held / samples
            sum_used = sum_held = 0.0
            samples = 0
        if ladder.alarm > 0:
            if held_now > 0 and not np.isnan(other[step]):
                sum_other += min(other[step], held_now * ladder.ceiling)
                sum_other_held += held_now
            if step == next_rung_point:
                rung_place += 1
                next_rung_point += ladder.period
                if sum_other_held > 0.0 and not (ladder.silent and sum_other == 0.0):
                    rungs[rung_place] = sum_other / sum_other_held
                    measured[rung_place] = True
                sum_other = sum_other_held = 0.0
        desired[step] = asked
        running[step] = held_now
        launched[step] = held_now + pending
    return changes, taken, deployed, spot_steps


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _spot(tasks: Tasks, count: int) -> int:
    """Of so many tasks those on Spot."""
    return int(np.floor(tasks.spot_share * max(count - tasks.spot_base, 0) + NOISE))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _taken(spot: int, tasks: Tasks, luck: float) -> int:
    """Tasks that Spot takes back: all that go together, or the quantile of a binomial count."""
    chance = tasks.chance
    if tasks.together > 0.0:
        return int(np.ceil(tasks.together * spot - NOISE)) if luck < chance else 0
    if luck <= 1.0 - spot * chance:  # never more than the chance of none, and quick to tell
        return 0
    share = np.exp(spot * np.log1p(-chance))
    total, count = share, 0
    while total < luck and count < spot:
        count += 1
        share *= (spot - count + 1) / count * chance / (1.0 - chance)
        total += share
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _rolled(tasks: Tasks, asked: int, old: int, serving: int, pending: int) -> tuple[int, int]:
    """Old tasks that stay in this step of a rolling deployment, and new ones to launch (to stop, below 0)."""
    missing = asked - serving - pending
    old = min(old, max(asked - serving, 0))  # the new ones that serve stand in for old ones
    room = max(asked * tasks.maximum // 100, asked) - serving - old - pending
    if missing <= 0 or missing <= room:
        return old, missing
    healthy = -(-asked * tasks.minimum_healthy // 100)
    stopped = min(old, min(missing - room, max(old + serving - healthy, 0)))  # to make room, if those that stay do
    return old - stopped, max(room + stopped, 0)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _stopped(starting: np.ndarray, slot: int, most: int) -> int:
    """Take back so many tasks that are still starting, the youngest first."""
    left, ahead = most, starting.size - 1
    while left > 0:
        place = (slot + ahead) % starting.size
        stopped = min(starting[place], left)
        starting[place] -= stopped
        left -= stopped
        ahead -= 1
    return most


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _adjustment(ladder: Ladder, beyond: float, base: int) -> int:
    """Tasks that the rung asks for; of a percentage above 1 rounded down, of less than one task one (aws.md 3.3)."""
    for rung in range(ladder.lower.size):
        if ladder.lower[rung] <= beyond < ladder.upper[rung]:
            if not ladder.percent:
                return int(ladder.adjustment[rung])
            share = base * ladder.adjustment[rung] / 100.0
            if share <= 0.0:
                return 0
            return max(int(np.floor(share + NOISE)), 1, ladder.least)
    return 0
