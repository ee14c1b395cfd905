"""Demand that departs from its plan: days outside what was promised, shifts of level, growth, a peak not foreseen.

Each test asks whether what happened is still what the plan's own doubt allows, and knows that days of one plan miss
together. Days are whole, counted from the plan's beginning; one of which a tenth is unknown, or that saw the service
saturated, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.demand.demand import Key
from capacity.planning.words import spoken_date
from capacity.reviewing.actuals import KNOWN
from capacity.reviewing.coverage import Past, judged, peak_table
from capacity.reviewing.wording import change
from capacity.timegrid import steps_per

#: Chance that a plan which keeps its promises is called for, over all its series together, by days outside P95.
DOUBT: Final = 0.01

#: CUSUM (Page 1954, Biometrika 41) of days' distance from the median in standard deviations of the plan's own doubt:
#: what is past its P95 counts, a day for at most MOST, and REACHED calls: three days far outside, or two weeks a
#: little. Days of one plan miss together, which the usual allowance of 0.5 does not know. Of the sample fleet's own
#: paths, to which the plan is right by construction, it calls 2 % after two weeks and 3 % after a quarter.
ALLOWED, REACHED, MOST = 1.6449, 3.0, 1.0

#: Standard deviations from the median of a normal distribution to its 95 % quantile.
_P95: Final = 1.6449

#: A gap that widens by less than this until the end of the horizon is not worth a plan; nor is one that is not four
#: standard errors from none, or was seen for fewer weeks.
WIDENED, STANDARD_ERRORS, WEEKS = 0.10, 4.0, 5

#: Kept quantiles are rounded to 8 parts in a million (`taking.BITS`): what is above one by less is on it.
ROUNDED: Final = 1e-5


class Reason(NamedTuple):
    """One reason for a new plan: a row of `schema.DRIFT`."""

    service: str
    metric: str
    reason: str
    value: float
    usual: float
    since: pd.Timestamp | None
    sentence: str


def departed(past: Past, keys: Sequence[Key]) -> list[Reason]:
    """Every reason that the demand of these series gives for a new plan."""
    if not keys:
        return []
    table = peak_table(past, "day").dropna(subset=["actual"])
    peaks = {Key(*map(str, name)): part for name, part in table.groupby(["service", "metric"], observed=True)}
    said = past.promised.snapshot.peaks
    said = said[said["window"] == "horizon"]
    ends = {Key(str(row.service), str(row.metric)): float(row.p99) for row in said.itertuples()}
    found: dict[tuple[str, str], Reason] = {}  # requests speak for the vCPU that they take
    for key, seen in sorted(zip(keys, days(past, keys), strict=True), key=lambda pair: pair[0].metric != "requests"):
        tests = [level(key, seen), growth(key, seen, past)]
        tests += [outside(key, seen, peaks[key], len(keys))] if key in peaks else []
        for one in tests + highest(past, key, ends):
            if one is not None:
                found.setdefault((one.service, one.reason), one)
    return list(found.values())


class Days(NamedTuple):
    """D whole days of one series: means of each, of its median, of the plan's own doubt. NaN where not known."""

    starts: pd.DatetimeIndex
    actual: np.ndarray
    median: np.ndarray
    doubt: np.ndarray  # one standard deviation


def days(past: Past, keys: Sequence[Key]) -> list[Days]:
    """By day from the plan's beginning, for each series."""
    size = max(1, steps_per("1d", past.actual.interval))
    whole = len(past.actual.times) // size * size
    starts = past.actual.times[:whole:size]
    seen = judged(past, keys)[0][:, :whole].reshape(len(keys), -1, size)
    every = list(past.promised.levels)
    said = past.promised.quantiles(keys)[[every.index(0.5), every.index(0.95)], :, :whole]
    low, high = said.reshape(2, len(keys), -1, size)
    known = np.isfinite(seen)
    number = np.where(known.mean(axis=2) >= KNOWN, known.sum(axis=2), np.nan)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.where(known, values, 0.0).sum(axis=2) / number

    means = zip(mean(seen), mean(low), mean(high - low) / _P95, strict=True)
    return [Days(starts, actual, median, doubt) for actual, median, doubt in means]


def outside(key: Key, seen: Days, peaks: pd.DataFrame, series: int) -> Reason | None:
    """More days above the P95 of their peak than chance explains, were days as alike as these are.

    The chance is binomial, with as many independent days as their likeness leaves: n (1 - r) / (1 + r), where r is the
    correlation of neighbouring days' distance from the median (Bayley & Hammersley 1946, J. R. Stat. Soc. Suppl. 8).

    peaks  a row a day: `actual` beside its quantiles        series  how many are looked at: each has its part of DOUBT
    """
    above = (peaks["actual"] > peaks["p95"] * (1 + ROUNDED)).to_numpy()
    worth = min(independent_days(seen), float(len(above)))
    chance = binomial_tail(float(above.mean()), worth, 0.05)
    if chance >= DOUBT / series:
        return None
    first = peaks["timestamp"].iloc[int(above.argmax())]
    sentence = (
        f"`{key.service}`: demand ({key.metric}) was above the P95 of the day's peak on {above.sum():,} of "
        f"{len(above):,} days, "
        f"and 1 in 20 was promised; first on {spoken_date(first)}."
    )
    return Reason(key.service, key.metric, "outside", float(above.mean()), 0.05, first, sentence)


def independent_days(found: Days) -> float:
    """How many independent days these are worth."""
    away = found.actual - found.median
    pairs = np.isfinite(away[1:]) & np.isfinite(away[:-1])
    count = float(np.isfinite(away).sum())
    if pairs.sum() < 3:
        return count
    left, right = away[:-1][pairs], away[1:][pairs]
    scale = float(np.sqrt((left**2).mean() * (right**2).mean()))
    alike = float(np.clip((left * right).mean() / scale, 0.0, 0.9)) if scale > 0 else 0.0
    return count * (1 - alike) / (1 + alike)


def binomial_tail(observed: float, count: float, promised: float) -> float:
    """Chance of a share of at least `observed` in `count` independent draws, each with chance `promised`.

    With counts that are no whole numbers by the incomplete beta function. By hand: 2 of 2 at 5 % are 0.0025.

    >>> round(binomial_tail(1.0, 2.0, 0.05), 6), binomial_tail(0.0, 2.0, 0.05)
    (0.0025, 1.0)
    """
    from scipy.special import betainc

    hits = observed * count
    return float(betainc(hits, count - hits + 1, promised)) if hits > 0 else 1.0


def level(key: Key, found: Days) -> Reason | None:
    """A shift of level: the CUSUM of days' distance from the median has reached its bound and has not come back."""
    with np.errstate(invalid="ignore", divide="ignore"):
        away = (found.actual - found.median) / np.maximum(found.doubt, 1e-9 * np.abs(found.median))
    for sign in (1.0, -1.0):
        since = _climbed(np.nan_to_num(sign * away))
        if since is None:
            continue
        part = np.isfinite(away) & (np.arange(len(away)) >= since)
        median = float(found.median[part].sum())
        ratio = float(found.actual[part].sum()) / median if median > 0 else np.inf
        sentence = (
            f"`{key.service}`: demand ({key.metric}) has been {change(ratio)} the median since "
            f"{spoken_date(found.starts[since])}, more than the plan's own doubt explains."
        )
        return Reason(key.service, key.metric, "level", ratio, 1.0, found.starts[since], sentence)
    return None


def _climbed(away: np.ndarray) -> int | None:
    """The day from which a CUSUM rose that stands above its bound at the end; None when it does not."""
    total, start = 0.0, 0
    for day, distance in enumerate(away):
        total = max(0.0, total + min(distance - ALLOWED, MOST))
        if total == 0.0:
            start = day + 1
    return start if total >= REACHED else None


def growth(key: Key, found: Days, past: Past) -> Reason | None:
    """Demand over its median rises or falls week by week, by enough to matter before the horizon ends."""
    weeks = len(found.actual) // 7
    if weeks < WEEKS:
        return None
    cut = slice(0, weeks * 7)
    both = np.isfinite(found.actual[cut]) & np.isfinite(found.median[cut])
    actual = np.where(both, found.actual[cut], 0.0).reshape(weeks, 7).sum(axis=1)
    median = np.where(both, found.median[cut], 0.0).reshape(weeks, 7).sum(axis=1)
    known = (actual > 0) & (median > 0)
    if known.sum() < WEEKS:
        return None
    x, y = np.arange(weeks)[known], np.log(actual[known] / median[known])
    slope, height = np.polyfit(x, y, 1)
    spread = np.sqrt(((y - height - slope * x) ** 2).sum() / (len(x) - 2) / ((x - x.mean()) ** 2).sum())
    ahead = (past.promised.end - past.actual.now) / pd.Timedelta(days=7)
    if abs(slope * ahead) < WIDENED or abs(slope) < STANDARD_ERRORS * spread:
        return None
    sentence = (
        f"`{key.service}`: demand ({key.metric}) gains {100 * np.expm1(slope):+.1f} % a week on its median, "
        f"{100 * np.expm1(slope * ahead):+.0f} % more by the end of the horizon."
    )
    return Reason(key.service, key.metric, "growth", float(np.expm1(slope)), 0.0, found.starts[0], sentence)


def highest(past: Past, key: Key, ends: Mapping[Key, float]) -> list[Reason | None]:
    """The highest interval so far is above the P99 of the horizon's peak, which has not even ended.

    ends  that P99 of each series
    """
    values = past.actual.values(*key)
    if key not in ends or values is None or not np.isfinite(values).any():
        return []
    place, bound = int(np.nanargmax(values)), ends[key]
    if values[place] <= bound * (1 + ROUNDED):
        return []
    sentence = (
        f"`{key.service}`: demand ({key.metric}) reached {values[place]:,.4g} {key.unit} on "
        f"{spoken_date(past.actual.times[place])}, above {bound:,.4g}, the P99 of its peak to the end."
    )
    return [Reason(*key, "peak", float(values[place]), bound, past.actual.times[place], sentence)]
