"""The loops over minutes that have to remember: CloudWatch's M out of N with missing data, and a sliding line."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

#: What a datapoint says.
GOOD: Final = 0
BAD: Final = 1
GAP: Final = 2

#: What a gap is taken for.
MISSING: Final = 0
BREACHING: Final = 1
NOT_BREACHING: Final = 2
IGNORE: Final = 3


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def in_alarm(
    states: np.ndarray,  # (n,) int8: GOOD, BAD or GAP, of the period that ends with each minute
    period: int,  # minutes
    at_least: int,  # M
    of: int,  # N
    spare: int,  # further periods that are looked at, where some of the N are missing
    missing: int,  # what a gap is taken for
    out: np.ndarray,  # (n,) bool: whether the alarm is in ALARM after each minute
) -> None:
    """CloudWatch's rules for M out of N (`breaches` says them in words)."""
    now = False
    for minute in range(states.size):
        known = bad = 0
        oldest = 0  # age of the oldest bad one among the N
        for age in range(of + spare):
            place = minute - age * period
            if place < 0:
                break
            state = states[place]
            if state == GAP:
                continue
            known += 1
            if state == BAD:
                bad += 1
                if age < of:
                    oldest = age + 1
            if known == of:
                break
        alarm = bad >= at_least
        if known < of and not alarm:  # too few: what a gap is taken for decides
            if missing == BREACHING:
                alarm = bad + of - known >= at_least
            elif bad == known:  # nothing good is known
                if missing == MISSING:
                    alarm = oldest >= at_least
                elif missing == IGNORE:
                    alarm = now
        now = alarm
        out[minute] = alarm


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def foretold(values: np.ndarray, over: int, ahead: int, least: int, out: np.ndarray) -> None:
    """(n,) where the least-squares line over the last `over` values is `ahead` steps after the newest; NaN where fewer
    than `least` of them are known.

    Sums are moved along with the window (x counts from its oldest place), and made anew once a window, so that
    rounding does not pile up.
    """
    size = values.size
    n = sx = sxx = sy = sxy = 0.0
    for place in range(size):
        first = place - over + 1
        if place % over == 0:
            n = sx = sxx = sy = sxy = 0.0
            for back in range(over):
                at = first + back
                if at >= 0 and not np.isnan(values[at]):
                    n += 1
                    sx += back
                    sxx += back * back
                    sy += values[at]
                    sxy += back * values[at]
        else:
            leaving = first - 1
            if leaving >= 0 and not np.isnan(values[leaving]):
                n -= 1
                sy -= values[leaving]  # it stood at x = 0
            sxx += n - 2 * sx
            sxy -= sy
            sx -= n
            if not np.isnan(values[place]):
                n += 1
                sx += over - 1
                sxx += (over - 1.0) * (over - 1.0)
                sy += values[place]
                sxy += (over - 1) * values[place]
        spread = n * sxx - sx * sx
        if n < least or spread <= 0:
            out[place] = np.nan
            continue
        slope = (n * sxy - sx * sy) / spread
        out[place] = (sy - slope * sx) / n + slope * (over - 1 + ahead)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def largest(values: np.ndarray, length: int, out: np.ndarray) -> None:
    """(n,) largest known value of the `length` that end with each; NaN where none is known."""
    queue = np.empty(values.size, dtype=np.int64)  # places of falling values
    head = tail = 0
    for place in range(values.size):
        if not np.isnan(values[place]):
            while tail > head and values[queue[tail - 1]] <= values[place]:
                tail -= 1
            queue[tail] = place
            tail += 1
        while tail > head and queue[head] <= place - length:
            head += 1
        out[place] = values[queue[head]] if tail > head else np.nan


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def burning(
    bad: np.ndarray,  # (n + 1,) running totals, the first of them 0: what was bad
    everything: np.ndarray,  # ... what there was
    known: np.ndarray,  # ... minutes that are known
    limit: float,  # share that may be bad
    long: int,  # minutes
    short: int,
    least_bad: float,  # in the long window
    least_known: float,  # minutes, in the long window
    out: np.ndarray,  # (n,) bool
) -> None:
    """Whether more than `limit` was bad over both windows that end with each minute."""
    for minute in range(out.size):
        end, before, since = minute + 1, max(0, minute + 1 - long), max(0, minute + 1 - short)
        lost, asked = bad[end] - bad[before], everything[end] - everything[before]
        lately, of = bad[end] - bad[since], everything[end] - everything[since]
        out[minute] = (
            lost > limit * asked
            and lately > limit * of
            and lost >= least_bad
            and known[end] - known[before] >= least_known
        )
