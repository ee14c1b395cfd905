"""What became of a promise: the error budget of an SLO, how fast it burns, and when it is gone.

An availability SLO counts requests, a latency SLO minutes. A minute of which nothing is known is neither good nor bad:
it is in no sum, and `unknown_minutes` says how many there were. A minute without a single request is neither, too: no
one was there to be let down.

Source: Google, The Site Reliability Workbook, chapter 5, "Alerting on SLOs".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Slo
from capacity.findings import Status
from capacity.monitoring.laying import MINUTE
from capacity.monitoring.minutes import Minutes

#: Windows over which burn rates are told, in minutes: those of the workbook's alerts (chapter 5, table 5-8).
BURN_WINDOWS: Final = {"5m": 5, "30m": 30, "1h": 60, "6h": 360, "3d": 4320}

#: The burn that is taken to go on: of whole days, since most services are slower at noon than at night.
PRESENT: Final = "3d"

#: Share of a window's minutes that must be known for a burn rate, and for the status of an SLO to be without a doubt.
LEAST_KNOWN, WELL_KNOWN = 0.5, 0.9

DAY: Final = 24 * 60  # minutes


def budget_spent(burn_rate: float, minutes: float, window_days: float) -> float:
    """Share of an error budget that is spent at a burn rate, when the load is even.

    >>> budget_spent(14.4, 60, 30), budget_spent(6, 360, 30), budget_spent(1, 4320, 30)
    (0.02, 0.05, 0.1)
    """
    return burn_rate * minutes / (window_days * DAY)


def burn_rate_of(spent: float, minutes: float, window_days: float) -> float:
    """The burn rate at which so much of a budget is spent in so many minutes: the other way round.

    >>> burn_rate_of(0.02, 60, 30)
    14.4
    """
    return spent * window_days * DAY / minutes


@dataclass(frozen=True, eq=False)
class Judged:
    """Each minute under an SLO.

    total, bad  (n,) requests (availability) or minutes (latency) that count, and those of them that were bad
    known       (n,) whether anything is known of the minute; where not, nothing of it counts
    quiet       (n,) whether it is known that nobody asked
    seconds     (n,) the longest interval a value of the minute was measured over; 0 where not known
    """

    total: np.ndarray
    bad: np.ndarray
    known: np.ndarray
    quiet: np.ndarray
    seconds: np.ndarray


def judged(slo: Slo, minutes: Minutes) -> Judged:
    """What counts of each minute, and what of it was bad.

    A latency SLO on hours judges each hour's percentile for all of its minutes. More errors than requests are all of
    the requests.

    >>> from capacity.config import Service
    >>> times = pd.date_range("2026-03-02", periods=3, freq="min", tz="UTC")
    >>> seen = Minutes.of(Service(name="web"), times, {"requests": [10, 0, np.nan], "errors": [1, 0, 0]})
    >>> found = judged(Slo(), seen)
    >>> found.total.tolist(), found.bad.tolist(), found.known.tolist(), found.quiet.tolist()
    ([600.0, 0.0, 0.0], [60.0, 0.0, 0.0], [True, True, False], [False, True, False])
    """
    requests, nowhere = minutes["requests"], np.zeros(len(minutes), dtype=np.int32)
    if slo.kind == "availability":
        errors = np.where((requests == 0) & np.isnan(minutes["errors"]), 0.0, minutes["errors"])
        known = np.isfinite(requests) & np.isfinite(errors)
        total = np.where(known, requests * MINUTE, 0.0)
        bad = np.where(known, errors * MINUTE, 0.0)
        alike = minutes.seconds.get(("errors", "mean"), nowhere) == minutes.seconds.get(("requests", "mean"), nowhere)
        bad = np.where(alike, np.minimum(bad, total), bad)  # the errors of an hour may exceed the requests of a minute
        keys = [("requests", "mean"), ("errors", "mean")]
        quiet = known & (requests == 0)
    else:
        latency = minutes["latency", slo.percentile]
        quiet = np.isnan(latency) & (requests == 0)
        known = np.isfinite(latency) | quiet
        total = np.isfinite(latency).astype(float)
        bad = (latency > slo.latency_seconds).astype(float)
        keys = [("latency", slo.percentile)]
    seconds = np.maximum.reduce([minutes.seconds.get(key, nowhere) for key in keys])
    return Judged(total, bad, known, quiet, np.where(known, np.maximum(seconds, MINUTE), 0))


@dataclass(frozen=True, eq=False)
class SloStatus:
    """What became of one SLO over the window that ends at `at`.

    good             share that was good; NaN where nothing counts
    spent            share of the error budget that is gone; above 1: the promise is broken
    total, bad       requests (availability) or minutes (latency)
    burn             "5m" ... "3d", "window" -> burn rate: 1 spends the budget in just the window. NaN where less than
                     half of those minutes is known, or where values are means of intervals longer than that
    gone_at          when the budget is gone if the last three days go on; in the past: since when it is, or the first
                     stamp of `left` where it was before; NaT: it lasts
    known_minutes    of the window, those of which something is known; `quiet_minutes` of them without any request
    unknown_minutes  of the window, the others
    seconds          the longest interval a value was measured over
    left             budget left at each hour back from `at`, over the window before that; NaN where less than half of
                     that is known
    """

    service: str
    slo: Slo
    at: pd.Timestamp
    good: float
    spent: float
    total: float
    bad: float
    burn: dict[str, float]
    gone_at: pd.Timestamp
    known_minutes: int
    quiet_minutes: int
    unknown_minutes: int
    seconds: int
    left: pd.Series

    @property
    def status(self) -> Status:
        """PASS: it holds and will; REVIEW: it holds, but will not at this rate, or much is not known; FAIL: broken."""
        if np.isnan(self.good):
            return "UNKNOWN"
        if self.spent >= 1:
            return "FAIL"
        known = self.known_minutes / (self.known_minutes + self.unknown_minutes)
        return "REVIEW" if pd.notna(self.gone_at) or known < WELL_KNOWN else "PASS"

    def __str__(self) -> str:
        name = f"{self.service} {self.slo.name}"
        promised = f"{_percent(self.slo.objective, self.slo.budget)} promised over {days(self.slo.window_days)}"
        if np.isnan(self.good):
            return f"{name}: {self.unjudged} {'to keep' if self.nobody_asked else 'of'} {promised}."
        share = f"{name}: {_percent(self.good, self.slo.budget)} good of {promised}"
        left = f"{100 * (1 - self.spent):.3g} % of the error budget is left"
        if self.spent >= 1:
            whole = f"the error budget is spent {self.spent:.3g} times over{self._since}"
        elif pd.notna(self.gone_at):
            whole = f"{left}, and gone on {self.gone_at:%Y-%m-%d} at this rate"
        else:
            whole = f"{left}, and lasts at this rate"
        unknown = f"; of {self.unknown_minutes:,} minutes nothing is known" if self.unknown_minutes else ""
        return f"{share}: {whole}{unknown}."

    @property
    def unjudged(self) -> str:
        """Why `good` is NaN: nobody asked, or nothing is known."""
        return "nobody made a request" if self.nobody_asked else "nothing is known"

    @property
    def nobody_asked(self) -> bool:
        """Whether no request came in any minute that is known."""
        return 0 < self.quiet_minutes == self.known_minutes

    @property
    def _since(self) -> str:
        """Since when the budget is gone, in words; empty where that is not known."""
        if pd.isna(self.gone_at):
            return ""
        return f", since {self.gone_at:%Y-%m-%d %H:%M} UTC{' or before' if self.gone_at == self.left.index[0] else ''}"


def slo_status(slo: Slo, minutes: Minutes, at: pd.Timestamp | None = None) -> SloStatus:
    """The error budget of an SLO over the window that ends at a time (default: with the last minute).

    spent     bad / (budget x total) over the window, all of it as it was counted: no assumption of an even load
    burn      (bad / total) / budget over the last so many minutes
    gone_at   the window rolls: what was bad at its beginning leaves it while new errors come at the present burn

    Minutes before the first one of `minutes` are not known.

    >>> from capacity.config import Service
    >>> times = pd.date_range("2026-03-02", periods=30 * 1440, freq="min", tz="UTC")
    >>> errors = np.where(np.arange(43200) >= 43200 - 60, 1.44, 0.0)  # 1.44 % in the last hour
    >>> seen = Minutes.of(Service(name="web"), times, {"requests": np.full(43200, 100.0), "errors": errors})
    >>> status = slo_status(Slo(objective=0.999), seen)
    >>> round(status.spent, 9), round(status.burn["1h"], 9)
    (0.02, 14.4)
    """
    end = len(minutes) if at is None else int(minutes.times.searchsorted(at))
    stamp = minutes.times[0] + pd.Timedelta(minutes=end) if at is None else at
    found, size = judged(slo, minutes), slo.window_days * DAY
    window = slice(max(0, end - size), end)
    total, bad = float(found.total[window].sum()), float(found.bad[window].sum())
    known = int(found.known[window].sum())
    share = min(bad / total, 1.0) if total else float("nan")
    left = _left(found, slo, minutes, end)
    burn = {name: _burn(found, slo.budget, end, length) for name, length in BURN_WINDOWS.items()}
    burn["window"] = share / slo.budget
    return SloStatus(
        minutes.service.name,
        slo,
        stamp,
        good=1 - share,
        spent=share / slo.budget,
        total=total,
        bad=bad,
        burn=burn,
        gone_at=_gone(found, slo, stamp, window, burn, left),
        known_minutes=known,
        quiet_minutes=int(found.quiet[window].sum()),
        unknown_minutes=size - known,
        seconds=int(found.seconds[window].max(initial=0)),
        left=left,
    )


def _burn(found: Judged, budget: float, end: int, length: int) -> float:
    """(bad / total) / budget over the last minutes; NaN where that is not known well or finely enough."""
    last = slice(max(0, end - length), end)
    total = found.total[last].sum()
    if found.known[last].sum() < LEAST_KNOWN * length or found.seconds[last].max(initial=0) > length * MINUTE:
        return float("nan")
    return float(found.bad[last].sum() / total / budget) if total else float("nan")


def _left(found: Judged, slo: Slo, minutes: Minutes, end: int) -> pd.Series:
    """Budget left at each hour of the window, back from its end."""
    size = slo.window_days * DAY
    at = np.arange(end, max(0, end - size), -60)[::-1]
    sums = [np.concatenate([[0.0], np.cumsum(array)]) for array in (found.total, found.bad, found.known.astype(float))]
    total, bad, known = (one[at] - one[np.maximum(at - size, 0)] for one in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where((total > 0) & (known >= LEAST_KNOWN * size), 1 - bad / total / slo.budget, np.nan)
    times = minutes.times[0] + pd.to_timedelta(at * MINUTE, unit="s") if len(minutes) else minutes.times[:0]
    return pd.Series(left, index=pd.DatetimeIndex(times).as_unit("us"), name=f"{minutes.service.name} {slo.name}")


def _gone(
    found: Judged, slo: Slo, at: pd.Timestamp, window: slice, burn: dict[str, float], left: pd.Series
) -> pd.Timestamp:
    """When what is left is gone; since when, where it is gone already; NaT where it lasts or nothing is known."""
    never = pd.Timestamp("NaT")
    total, bad, known = found.total[window], found.bad[window], found.known[window]
    if burn["window"] >= 1:
        fine = left.to_numpy() > 0
        start = int(np.flatnonzero(fine)[-1]) + 1 if fine.any() else 0
        return left.index[min(start, len(left) - 1)] if np.isfinite(left.to_numpy()).any() else never
    rate = burn[PRESENT]
    if not rate > 0 or not known.any():
        return never
    size = slo.window_days * DAY
    each = total.sum() / known.sum()  # of a minute to come: as many as in the window's known ones
    ahead = np.arange(1, size + 1)
    missing = size - len(total)  # minutes before the first one: nothing of theirs leaves the window
    leaving = [np.concatenate([np.zeros(missing), np.cumsum(array)]) for array in (total, bad)]
    kept_total, kept_bad = total.sum() - leaving[0], bad.sum() - leaving[1]
    spent = (kept_bad + rate * slo.budget * each * ahead) / (slo.budget * (kept_total + each * ahead))
    past = spent >= 1
    return at + pd.Timedelta(minutes=int(ahead[past.argmax()])) if past.any() else never


def days(count: int) -> str:
    """So many days.

    >>> days(1), days(30)
    ('1 day', '30 days')
    """
    return f"{count} day{'' if count == 1 else 's'}"


def _percent(share: float, budget: float = 0.01) -> str:
    """With as many digits as tell it from 100 % where so little may be missing.

    >>> _percent(0.999, 0.001), _percent(0.99956, 0.001), _percent(0.9, 0.1)
    ('99.9 %', '99.956 %', '90 %')
    """
    return f"{round(100 * share, max(0, -int(np.floor(np.log10(budget))))):.10g} %"
