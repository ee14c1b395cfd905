"""The replay of a range of candidates, compiled: `kernel.replay` for each, then its minutes counted and forgotten."""

from __future__ import annotations

import numpy as np
from numba import njit

from capacity.scaling.kernel import NOISE, replay

#: Whole numbers and sums of shares kept of each candidate, in the order in which they are written below.
COUNTS = 9
SHARES = 2


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def replay_range(
    first: int,  # candidates [first, last) of C
    last: int,
    loads: np.ndarray,  # (L, n), NaN where not known
    minima: np.ndarray,  # (B, n)
    maxima: np.ndarray,
    target: np.ndarray,  # (C,) and so on: see `batch.Columns`
    full: np.ndarray,
    out_cooldown: np.ndarray,
    in_cooldown: np.ndarray,
    load: np.ndarray,
    bounds: np.ndarray,
    startup: np.ndarray,
    may_scale_in: np.ndarray,
    ceiling: np.ndarray,
    silent: np.ndarray,
    delay: int,
    high_minutes: int,
    low_minutes: int,
    low_share: float,
    burst: int,
    rate: int,
    counts: np.ndarray,  # (C, COUNTS) out
    shares: np.ndarray,  # (C, SHARES) out
) -> None:
    """Fill the rows of these candidates."""
    size = loads.shape[1]
    work = np.empty(size)
    desired = np.empty(size, dtype=np.int64)
    running = np.empty(size, dtype=np.int64)
    launched = np.empty(size, dtype=np.int64)
    for one in range(first, last):
        row = loads[load[one]]
        minimum, maximum = minima[bounds[one]], maxima[bounds[one]]
        at_target = target[one]
        begin = -1
        for minute in range(size):
            work[minute] = row[minute] / at_target
            if begin < 0 and not np.isnan(row[minute]):
                begin = minute
        tasks = 0
        if size > 0:
            wanted = np.int64(np.ceil(work[begin] - NOISE)) if begin >= 0 else 0
            tasks = min(max(wanted, minimum[0]), maximum[0])
        changes = replay(
            work,
            minimum,
            maximum,
            ceiling[one],
            silent[one],
            out_cooldown[one],
            in_cooldown[one],
            may_scale_in[one],
            startup[one],
            delay,
            high_minutes,
            low_minutes,
            low_share,
            burst,
            rate,
            tasks,
            desired,
            running,
            launched,
        )
        known = paid = short = missing = over = needing = at_max = largest = np.int64(0)
        missing_share = surplus_share = 0.0
        per_task = full[one]
        for minute in range(size):
            paid += launched[minute]
            at_max += desired[minute] >= maximum[minute]
            held = running[minute]
            largest = max(largest, held)
            if np.isnan(row[minute]):
                continue
            known += 1
            need = np.int64(np.ceil(row[minute] / per_task - NOISE))
            needing += need > 0
            if need > held:
                short += 1
                missing += need - held
                missing_share += (need - held) / need
            elif held > need:
                over += 1
                if need > 0:
                    surplus_share += (held - need) / need
        row_of = counts[one]
        row_of[0], row_of[1], row_of[2], row_of[3] = known, paid, short, missing
        row_of[4], row_of[5], row_of[6], row_of[7] = over, needing, at_max, changes
        row_of[8] = largest
        shares[one, 0], shares[one, 1] = missing_share, surplus_share
