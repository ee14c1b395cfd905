"""The minutes of one service, compiled. In each: tasks arrive, bounds apply, alarms are read, tasks start or stop."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def replay(
    load: np.ndarray,  # (n,) requests/s; 0 leaves no datapoint
    target: np.ndarray,  # (n,) requests per task and minute
    minimum: np.ndarray,
    maximum: np.ndarray,
    out_cooldown: np.ndarray,  # (n,) minutes
    in_cooldown: np.ndarray,
    scales_in: np.ndarray,
    startup: int,  # minutes
    delay: int,
    high_datapoints: int,
    low_datapoints: int,
    low_share: float,
    base: int,  # place in judge.BASES
    cautious: bool,
    burst: int,
    a_minute: int,
    first: int,
    running: np.ndarray,  # (n,) out: serve
    billed: np.ndarray,  # (n,) out: serve or start
) -> None:
    """Fill running and billed."""
    ready = np.zeros(load.size + startup + 1, dtype=np.int64)  # tasks that begin to serve in that minute
    metric = np.full(load.size, np.nan)
    serving = desired = first
    starting = 0
    tokens = burst
    out_until = in_until = 0
    for now in range(load.size):
        serving += ready[now]
        starting -= ready[now]
        desired = min(max(desired, minimum[now]), maximum[now])

        newest = now - 1 - delay
        high = newest + 1 >= high_datapoints
        for place in range(newest, newest - high_datapoints, -1):
            if not high:
                break
            high = metric[place] > target[now]  # no datapoint is NaN, which is neither above nor below
        low = newest + 1 >= low_datapoints
        for place in range(newest, newest - low_datapoints, -1):
            if not low:
                break
            low = metric[place] < low_share * target[now]
        if high:
            measured = base == 0 or (base == 2 and now < out_until)
            count = running[newest] if measured else serving
            wanted = min(np.int64(np.ceil(count * metric[newest] / target[now] - 1e-9)), maximum[now])
            if wanted > desired:  # in a scale-out cooldown too: a larger one still happens
                desired = wanted
                out_until = now + out_cooldown[now]
                in_until = now
        elif low and scales_in[now] and now >= in_until:
            share = metric[newest]
            if cautious:
                share = metric[newest - low_datapoints + 1 : newest + 1].max()
            count = running[newest] if base == 0 else serving
            wanted = max(np.int64(np.ceil(count * share / target[now] - 1e-9)), minimum[now])
            if wanted < desired:
                desired = wanted
                in_until = now + in_cooldown[now]

        missing = desired - serving - starting
        room = tokens + a_minute
        launched = min(max(missing, 0), room)
        tokens = min(burst, room - launched)
        if startup == 0:
            serving += launched
        else:
            ready[now + startup] += launched
            starting += launched
        place = now + startup
        while missing < 0 and starting > 0:  # those still starting are stopped first, the youngest of them first
            stopped = min(ready[place], -missing)
            ready[place] -= stopped
            starting -= stopped
            missing += stopped
            place -= 1
        if missing < 0:
            serving += missing

        running[now] = serving
        billed[now] = serving + starting
        if serving > 0 and load[now] > 0:
            metric[now] = 60 * load[now] / serving
