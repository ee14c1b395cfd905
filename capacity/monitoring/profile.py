"""What a plan expects of each hour of the week, and how a monitor draws it beside what it measures.

A forecast is no metric of CloudWatch or Prometheus. Both know the hour and the day, so a week of 168 values is an
expression of theirs: it is drawn wherever the live metric is, in the past, and with Prometheus in the coming days too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

#: Hours of a week, Monday 00:00 UTC first.
WEEK: Final = 168

#: Weeks of the forecast that the band is read from: near enough to be this week's, and enough to hide one odd day.
WEEKS_AHEAD: Final = 4

#: Longest expression of metric math. Source: CloudWatch API, MetricDataQuery, "Expression".
MOST_LETTERS: Final = 2048

Profile = tuple[float, ...]


def weekly(values: np.ndarray, times: pd.DatetimeIndex, interval: pd.Timedelta) -> Profile | None:
    """The median of each hour of the week over the coming four weeks; None when the horizon is short of one week.

    values    (H,) of each interval, which starts at `times`; one longer than an hour stands for all of its hours
    interval  length of each

    >>> times = pd.date_range("2026-08-03", periods=14, freq="D", tz="UTC")
    >>> profile = weekly(np.arange(14.0), times, pd.Timedelta(days=1))
    >>> len(profile), profile[0], profile[-1]
    (168, 3.5, 9.5)
    """
    hours = max(1, round(interval / pd.Timedelta(hours=1)))
    starts = np.repeat(times.asi8 // _per_hour(times), hours) + np.tile(np.arange(hours), len(times))
    # 1970-01-01 was a Thursday: its first hour is the 72nd of a week that begins on Monday
    place, repeated = (starts + 72) % WEEK, np.repeat(np.asarray(values, dtype=float), hours)
    near = starts < starts[0] + WEEKS_AHEAD * WEEK if len(starts) else np.zeros(0, dtype=bool)
    found = pd.Series(repeated[near]).groupby(place[near]).median()
    if len(found) < WEEK or found.isna().any():
        return None
    return tuple(float(value) for value in found.to_numpy())


def _per_hour(times: pd.DatetimeIndex) -> int:
    """Ticks of the index's own unit in an hour: pandas counts in ns, us or s."""
    return {"s": 3600, "ms": 3_600_000, "us": 3_600_000_000, "ns": 3_600_000_000_000}[times.unit]


def legible(profile: Profile) -> list[float]:
    """The profile to three digits: what a picture shows, and what keeps an expression short.

    >>> legible((1234.5, 0.12345, 0.0))
    [1230.0, 0.123, 0.0]
    """
    return [float(f"{value:.3g}") for value in profile]


def metric_math(profile: Profile, metric: str, name: str) -> list[tuple[str, str]]:
    """The profile in CloudWatch's metric math: (id, expression) each, the last of which is the profile.

    metric  id of a metric whose period and range the profile is drawn over
    name    of the last expression; the others begin with it

    DAY is 1 on Monday, HOUR 0 to 23, both UTC. A tree of IF finds the hour in eight comparisons. Source: CloudWatch
    User Guide, "Using math expressions with CloudWatch metrics".

    >>> for one in metric_math((2.0,) * 8 + (5.0,) * 160, "r", "band"):
    ...     print(*one)
    bandt (DAY(r)-1)*24+HOUR(r)
    band IF(bandt<8,2,5)
    >>> metric_math((2.0,) * 168, "r", "flat")
    [('flatt', '(DAY(r)-1)*24+HOUR(r)'), ('flat', '2+0*flatt')]
    """
    clock = f"{name}t"
    runs = _runs(legible(profile))
    made = [(clock, f"(DAY({metric})-1)*24+HOUR({metric})")]
    whole = _series(runs, clock)
    if len(whole) <= MOST_LETTERS:
        return [*made, (name, whole)]
    middle = len(runs) // 2
    for part, half in ((f"{name}a", runs[:middle]), (f"{name}b", runs[middle:])):
        made.append((part, _series(half, clock)))
    return [*made, (name, f"IF({clock}<{runs[middle][0]},{name}a,{name}b)")]


def promql(profile: Profile) -> str:
    """The profile in PromQL, at any moment, also one that is to come.

    Each hour of the week is a constant with a label, and `count_values` makes that label of the clock. Prometheus works
    constants out once, so 2,000 moments take 0.06 s; a sum of 168 comparisons with the clock took minutes. `or` is a
    tree because a chain of 168 takes the parser much longer.

    >>> len(promql((2.0,) * 168))
    8359
    >>> promql((2.0, 5.0))
    'sum((label_replace(vector(2), "h", "0", "", "") or label_replace(vector(5), "h", "1", "", "")) \
and on (h) count_values("h", floor(vector(time()) / 3600 + 72) % 168))'
    """
    values = [_text(value) for value in legible(profile)]
    hours = [f'label_replace(vector({value}), "h", "{hour}", "", "")' for hour, value in enumerate(values)]
    return f'sum({_either(hours)} and on (h) count_values("h", floor(vector(time()) / 3600 + 72) % {WEEK}))'


def _either(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_either(parts[:middle])} or {_either(parts[middle:])})"


def _runs(values: list[float]) -> list[tuple[int, float]]:
    """(hour, value) where a value begins that is not the one before."""
    return [(hour, value) for hour, value in enumerate(values) if hour == 0 or value != values[hour - 1]]


def _series(runs: list[tuple[int, float]], clock: str) -> str:
    """A time series also where one value is all there is: a number alone is no line."""
    return _tree(runs, clock) + (f"+0*{clock}" if len(runs) == 1 else "")


def _tree(runs: list[tuple[int, float]], clock: str) -> str:
    if len(runs) == 1:
        return _text(runs[0][1])
    middle = len(runs) // 2
    return f"IF({clock}<{runs[middle][0]},{_tree(runs[:middle], clock)},{_tree(runs[middle:], clock)})"


def _text(value: float) -> str:
    """A number without an exponent, which metric math does not promise to read.

    >>> _text(2.0), _text(1230000000.0), _text(0.00012)
    ('2', '1230000000', '0.00012')
    """
    return f"{value:.12f}".rstrip("0").rstrip(".")
