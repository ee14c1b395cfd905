"""From a plan's horizon to the term of a commitment: what lies beyond is drawn, and said to be.

A plan looks a quarter ahead, a Savings Plan binds for one year or three. Beyond the horizon each path goes on as its
own last weeks went, at a level that wanders: a random walk without drift, unless growth is stated. How far it wanders
in a year is learnt from the past where that is long enough, and is otherwise what such services commonly do.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.planning.money.spend import Hourly, Place
from capacity.planning.prices import HOURS_PER_MONTH

#: Standard deviation of the logarithm of a level one year later, where the past does not tell: growth of 20 to 60 % a
#: year and two to four lasting shifts are usual (a judgement from the traces that this project is measured on).
USUAL_DOUBT: Final = 0.30

#: How many quarters the usual doubt weighs, beside those that were measured.
WEIGHT: Final = 4

#: Weeks at the end of the horizon that stand for what follows.
LAST_WEEKS: Final = 8

_WEEK: Final = 7 * 24
_YEAR: Final = 8760
_QUARTER: Final = 13


class Term(NamedTuple):
    """Spend by place over a term. Beyond the horizon each month is stood for by one week."""

    usd: dict[Place, np.ndarray]  # (P, T) USD an hour
    starts: pd.DatetimeIndex  # (T,)
    hours: np.ndarray  # (T,) how many hours each interval stands for
    beyond: float  # share of the term that lies past the horizon


def over_term(horizon: Hourly, length: pd.Timedelta, *, doubt: float, growth: float, seed: int) -> Term:
    """Spend over `length` from the start of the horizon, which may be the shorter of the two.

    doubt   standard deviation of the logarithm of the level one year past the horizon
    growth  yearly growth past the horizon that is certain: 0.2 for a fifth more after a year

    >>> flat = Hourly({Place("r", "x86_64", "vcpu"): np.full((50, 168), 2.0)},
    ...               pd.date_range("2026-01-05", periods=168, freq="h", tz="UTC"), 1.0)
    >>> year = over_term(flat, pd.Timedelta(days=365), doubt=0.0, growth=0.0, seed=0)
    >>> round(year.hours.sum()), round(year.beyond, 2), [float(own.max()) for own in year.usd.values()]
    (8760, 0.98, [2.0])
    """
    total = length / pd.Timedelta(hours=1)
    seen = min(len(horizon.starts), max(1, round(total / horizon.hours)))
    rest = total - seen * horizon.hours
    near = {place: own[:, :seen] for place, own in horizon.usd.items()}
    hours = np.full(seen, horizon.hours)
    if rest <= horizon.hours / 2:
        return Term(near, horizon.starts[:seen], hours, 0.0)
    months = np.append(np.full(int(rest // HOURS_PER_MONTH), float(HOURS_PER_MONTH)), rest % HOURS_PER_MONTH)
    months = months[months > 0]
    middles = (np.cumsum(months) - months / 2) / _YEAR
    paths = next(iter(horizon.usd.values())).shape[0] if horizon.usd else 1
    levels = wandering(middles, paths, doubt=doubt, growth=growth, seed=seed)  # (P, months)
    weeks = [_week(horizon, number) for number in range(len(months))]
    far = {
        place: np.concatenate(
            [own[:, week] * levels[:, [number]] for number, week in enumerate(weeks)], axis=1, dtype=float
        )
        for place, own in horizon.usd.items()
    }
    end = horizon.starts[0] + pd.Timedelta(hours=seen * horizon.hours)
    begins = end + pd.to_timedelta(np.cumsum(months) - months, unit="h")
    lengths = [week.stop - week.start for week in weeks]
    return Term(
        usd={place: np.concatenate([near[place], far[place]], axis=1) for place in near},
        starts=horizon.starts[:seen].append(begins.repeat(lengths)),
        hours=np.concatenate([hours, np.repeat(months / lengths, lengths)]),
        beyond=float(rest / total),
    )


def _week(horizon: Hourly, number: int) -> slice:
    """One of the horizon's last whole weeks, in turn; the whole horizon where it holds none."""
    steps = round(_WEEK / horizon.hours)
    whole = len(horizon.starts) // steps
    if whole == 0:
        return slice(0, len(horizon.starts))
    back = number % min(whole, LAST_WEEKS)
    end = len(horizon.starts) - back * steps
    return slice(end - steps, end)


def wandering(years: np.ndarray, paths: int, *, doubt: float, growth: float, seed: int) -> np.ndarray:
    """(P, T) levels relative to the end of the horizon: a random walk of logarithms, its median growing as stated.

    >>> levels = wandering(np.array([1.0]), 4000, doubt=0.3, growth=0.2, seed=0)
    >>> round(float(np.median(levels)), 1), round(float(np.log(levels).std()), 1)
    (1.2, 0.3)
    """
    rng = np.random.default_rng([seed, 6])
    steps = np.sqrt(np.diff(years, prepend=0.0)) * rng.standard_normal((paths, len(years)))
    return np.asarray(np.exp(doubt * np.cumsum(steps, axis=1) + np.log1p(growth) * years))


def yearly_doubt(past: Hourly) -> tuple[float, int]:
    """How far the level wanders in a year, from the quarters of the past; and how many changes of them tell.

    Each quarter's mean is compared with the one before, and a random walk makes four such changes a year. The usual
    doubt counts as four changes beside those measured.

    >>> yearly_doubt(Hourly({}, pd.DatetimeIndex([]), 1.0))
    (0.3, 0)
    """
    quarter = round(_QUARTER * _WEEK / past.hours)
    total = np.asarray(sum(past.usd.values(), start=np.zeros((1, len(past.starts)))))[0]
    count = len(total) // quarter
    means = total[len(total) - count * quarter :].reshape(count, -1).mean(axis=1) if count else total[:0]
    changes = np.diff(np.log(means[means > 0]))
    squares = 4 * float((changes**2).sum()) + WEIGHT * USUAL_DOUBT**2
    return float(np.sqrt(squares / (len(changes) + WEIGHT))), len(changes)
