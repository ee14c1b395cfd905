"""The replay itself: one pass over the minutes of one service, compiled.

What happens in a minute, in this order:

1. tasks that have finished starting begin to serve;
2. the bounds of this minute are applied at once, cooldown or not (scheduled actions);
3. the newest metric that can be read goes to both alarms; no datapoint means no action either way;
4. AlarmHigh in ALARM: ask for ceil(running x metric / target), if that is more than was asked for;
   else AlarmLow in ALARM, outside its cooldown: the same, with the largest of the alarm's datapoints, if that is less;
5. tasks are launched as fast as Fargate allows, or stopped, those still starting first;
6. the minute's load meets the tasks that serve.

The metric is carried as metric / target. `work` is load in tasks at the target, so the ratio is work / running.
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: A quotient this far above a whole number is rounding noise.
NOISE = 1e-9


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def replay(
    work: np.ndarray,  # (n,) load of each minute in tasks at the target, NaN where not known
    minimum: np.ndarray,  # (n,) bounds in force
    maximum: np.ndarray,
    ceiling: float,  # largest metric / target that can be read: 100 % over the target for CPU, infinite for requests
    silent_when_idle: bool,  # no request, no datapoint
    out_cooldown: int,  # minutes
    in_cooldown: int,
    may_scale_in: bool,
    startup: int,  # minutes from launch to serving
    delay: int,  # minutes until a metric can be read
    high_minutes: int,
    low_minutes: int,
    low_share: float,
    burst: int,
    rate: int,
    first: int,  # tasks that serve at the start
    desired: np.ndarray,  # (n,) out: what was asked for
    running: np.ndarray,  # (n,) out: what served
    launched: np.ndarray,  # (n,) out: serving or starting: what is paid for
) -> int:
    """Fill desired, running and launched; return how often the asked-for count changed."""
    slots = startup + 2
    starting = np.zeros(slots, dtype=np.int64)  # tasks by the minute they begin to serve, modulo slots
    pending = 0
    serving = first
    asked = first
    tokens = burst
    slot = -1
    high = low = 0
    out_until = in_until = 0
    changes = 0
    for minute in range(work.size):
        slot = slot + 1 if slot + 1 < slots else 0  # minute % slots, without the division
        serving += starting[slot]
        pending -= starting[slot]
        starting[slot] = 0
        before = asked
        least, most = minimum[minute], maximum[minute]
        asked = min(max(asked, least), most)
        seen = minute - 1 - delay
        if seen >= 0:
            held = running[seen]
            if held == 0 or np.isnan(work[seen]) or (silent_when_idle and work[seen] == 0.0):
                high = low = 0
            else:
                ratio = min(work[seen] / held, ceiling)
                high = high + 1 if ratio > 1.0 else 0
                low = low + 1 if ratio < low_share else 0
                if high >= high_minutes:
                    # In the cooldown, what was just added must not be counted again: the datapoint's own count is used.
                    base = held if minute < out_until else serving
                    wanted = min(np.int64(np.ceil(base * ratio - NOISE)), most)
                    if wanted > asked:
                        asked = wanted
                        out_until = minute + out_cooldown
                        in_until = minute
                elif low >= low_minutes and may_scale_in and minute >= in_until:
                    for back in range(1, low_minutes):
                        ratio = max(ratio, min(work[seen - back] / running[seen - back], ceiling))
                    wanted = max(np.int64(np.ceil(serving * ratio - NOISE)), least)
                    if wanted < asked:
                        asked = wanted
                        in_until = minute + in_cooldown
        if asked != before:
            changes += 1
        missing = asked - serving - pending
        if missing > 0:
            at_once = min(missing, tokens)
            later = min(missing - at_once, rate)
            tokens = min(burst, tokens + rate - at_once - later)
            if startup == 0:
                serving += at_once
            else:
                starting[(slot + startup) % slots] += at_once
                pending += at_once
            if later > 0:
                starting[(slot + startup + 1) % slots] += later
                pending += later
        else:
            tokens = min(burst, tokens + rate)
            ahead = slots - 1
            while missing < 0 and pending > 0:
                place = (slot + ahead) % slots
                stopped = min(starting[place], -missing)
                starting[place] -= stopped
                pending -= stopped
                missing += stopped
                ahead -= 1
            if missing < 0:
                serving += missing
        desired[minute] = asked
        running[minute] = serving
        launched[minute] = serving + pending
    return changes
