"""What load would have been on any day: the same hours of the weeks around it, and how far ordinary days stray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from capacity.forecasting.knowledge.places import Grid

#: Weeks looked at on either side, and how many of them are used: the nearest that are ordinary.
REACH, USED = 5, 2

#: Recent weeks from which the shape of a week is read.
RECENT_WEEKS: Final = 8

#: Share of zeros from which a series is too sparse for ratios hour by hour (as `prepare.SPARSE`).
SPARSE: Final = 0.10

#: 1.4826 x the median absolute deviation is the standard deviation of a normal distribution.
MAD: Final = 1.4826

#: A standard deviation is never taken for smaller, in log units: keeps divisions by a noiseless series' noise finite.
LEAST_NOISE: Final = 1e-5

SUNDAY: Final = 6

#: Neighbouring hours stray together: about this many of them count as one.
TOGETHER: Final = 6


@dataclass(frozen=True, eq=False)
class Usual:
    """S series, n intervals, in natural logarithms.

    level    (S, n) the usual value of each interval; NaN where no ordinary week around it says
    surplus  (S, n) how far the value stood from it, events included; -inf where it was zero; NaN where not known
    calm     (S, n) the surplus of ordinary intervals only; NaN elsewhere
    natural  (S, n) the mean of ordinary neighbours, not a logarithm: for sparse series
    sparse   (S,) True where zeros are frequent
    carried  (S,) how much of the surplus of the days before and after a day is its own too, 0 to 1
    """

    level: np.ndarray
    surplus: np.ndarray
    calm: np.ndarray
    natural: np.ndarray
    sparse: np.ndarray
    carried: np.ndarray
    day: int

    def around(self, low: int, high: int) -> np.ndarray:
        """(S,) what the ordinary intervals of the day before `low` and after `high` say of the surplus between."""
        reach = max(self.day, 1)
        sides = np.concatenate([self.calm[:, max(0, low - reach) : low], self.calm[:, high : high + reach]], axis=1)
        return self.carried * np.nan_to_num(mean(sides))

    def noise(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """(S,) how far the mean of `length` ordinary intervals strays from the usual, and (S,) each one from that mean.

        Robust standard deviations, measured as an event is.
        """
        size = self.calm.shape[1]
        blocks = size // length
        calm = self.calm[:, size - blocks * length :]
        if self.day and blocks:
            calm = calm - self._expected()[:, size - blocks * length :]
        parts = calm.reshape(len(calm), blocks, length)
        means = mean(parts)
        inside = (parts - means[..., None]).reshape(len(calm), -1)
        return spread(means), spread(inside)

    def _expected(self) -> np.ndarray:
        """(S, n) what the days before and after each interval's own say of its surplus."""
        days, rest = _days(self.calm, self.day)
        daily = np.nan_to_num(self.carried[:, None] * _neighbours(days))
        return np.concatenate([np.zeros((len(daily), rest)), np.repeat(daily, self.day, axis=1)], axis=1)


def usual(values: np.ndarray, special: np.ndarray, grid: Grid) -> Usual:
    """What is usual of (S, n) values, judged without the (n,) or (S, n) intervals that are special.

    The median of the two nearest ordinary weeks before and the two after, at the same hour; of days, where there are
    less than two weeks of history.
    """
    values = np.where(np.isfinite(values) & (values >= 0), values, np.nan)
    ordinary = np.where(special, np.nan, values)
    with np.errstate(divide="ignore"):
        logs, calm = np.log(values), np.log(np.where(ordinary > 0, ordinary, np.nan))
    length = values.shape[1]
    season = next((lag for lag in (grid.week, grid.day, 1) if lag and 2 * lag <= length), 1)
    near = np.concatenate([_nearest(calm, season), _nearest(calm, -season)])
    level = median(near)
    positive = (ordinary > 0).sum(axis=1)
    zeros = (ordinary == 0).sum(axis=1) / np.maximum(np.isfinite(ordinary).sum(axis=1), 1)
    sparse = (zeros > SPARSE) & (positive > 0)
    natural = np.full_like(values, np.nan)
    if sparse.any():
        rows = ordinary[sparse]
        natural[sparse] = mean(np.stack([shifted(rows, k * season) for k in range(-REACH, REACH + 1) if k], axis=-1))
    surplus = logs - level
    calm = np.where(np.isfinite(calm), surplus, np.nan)
    day = grid.day if grid.day and 4 * grid.day <= length else 0
    return Usual(level, surplus, calm, natural, sparse, _carried(calm, day), day)


def rest_day(known: Usual, grid: Grid) -> np.ndarray:
    """(S, n) how far the same hour of the Sundays around stands from each interval, in log units; 0 where not known."""
    length = known.level.shape[1]
    if not grid.day or grid.week < 7 * grid.day:
        return np.zeros_like(known.level)
    back = (grid.weekday[:length] - SUNDAY) % 7 * grid.day
    columns = np.arange(length)
    found = []
    for place in (columns - back, columns - back + 7 * grid.day * (back > 0)):
        inside = (place >= 0) & (place < length)
        found.append(np.where(inside, known.level[:, np.clip(place, 0, length - 1)], np.nan))
    return np.nan_to_num(mean(np.stack(found, axis=-1)) - known.level)


def rest_day_ahead(known: Usual, grid: Grid) -> np.ndarray:
    """(S, H) the same for the horizon, from the shape that the last weeks have."""
    length, ahead = known.level.shape[1], len(grid.wall) - known.level.shape[1]
    if not grid.day or grid.week < 7 * grid.day or length < grid.week:
        return np.zeros((len(known.level), ahead))
    weeks = min(RECENT_WEEKS, length // grid.week)
    recent = known.level[:, length - weeks * grid.week :].reshape(len(known.level), weeks, grid.week)
    shape = median(np.moveaxis(recent, 1, 0))  # (S, week), which begins at the cutoff
    columns = np.arange(ahead)
    back = (grid.weekday[length:] - SUNDAY) % 7 * grid.day
    return np.nan_to_num(shape[:, (columns - back) % grid.week] - shape[:, columns % grid.week])


def shifted(values: np.ndarray, lag: int) -> np.ndarray:
    """(S, n) the value `lag` intervals earlier (later when below 0); NaN beyond the ends."""
    moved = np.full_like(values, np.nan)
    if lag >= 0:
        moved[:, lag:] = values[:, : max(values.shape[1] - lag, 0)]
    else:
        moved[:, :lag] = values[:, -lag:]
    return moved


def _nearest(calm: np.ndarray, season: int) -> np.ndarray:
    """(USED, S, n) the nearest ordinary values one to five seasons before (after, when `season` is below 0)."""
    picked = np.full((USED, *calm.shape), np.nan)
    for k in range(1, REACH + 1):
        if k * abs(season) >= calm.shape[1]:
            break
        candidate = shifted(calm, k * season)
        for slot in picked:
            free = np.isnan(slot)
            slot[free] = candidate[free]
            candidate = np.where(free, np.nan, candidate)
    return picked


def _carried(calm: np.ndarray, day: int) -> np.ndarray:
    """(S,) slope of a day's surplus on that of its neighbours, over ordinary days; pulled to 0 by few of them."""
    if not day:
        return np.zeros(len(calm))
    days, _ = _days(calm, day)
    beside = _neighbours(days)
    both = np.isfinite(days) & np.isfinite(beside)
    limit = 3 * spread(days)[:, None]  # a wild day says nothing of how the others hang together
    x, y = (np.where(both, np.clip(np.nan_to_num(part), -limit, limit), 0.0) for part in (beside, days))
    doubt = 1 + 4 / np.maximum(both.sum(axis=1), 1)
    return np.clip((x * y).sum(axis=1) / ((x * x).sum(axis=1) * doubt + LEAST_NOISE**2), 0, 1)


def _days(values: np.ndarray, day: int) -> tuple[np.ndarray, int]:
    """(S, days) means of whole days counted back from the end, and how many intervals are left over before them."""
    rest = values.shape[1] % day
    return mean(values[:, rest:].reshape(len(values), -1, day)), rest


def _neighbours(days: np.ndarray) -> np.ndarray:
    return mean(np.stack([shifted(days, 1), shifted(days, -1)], axis=-1))


def mean(values: np.ndarray) -> np.ndarray:
    """Mean along the last axis without gaps; NaN where there is nothing."""
    seen = np.isfinite(values)
    count = seen.sum(axis=-1)
    return np.where(count > 0, np.where(seen, values, 0.0).sum(axis=-1) / np.maximum(count, 1), np.nan)


def median(values: np.ndarray) -> np.ndarray:
    """Median along the first axis without gaps; NaN where there is nothing."""
    ordered = np.sort(values, axis=0)  # NaN last
    count = np.isfinite(values).sum(axis=0)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, np.maximum(count - 1, 0))
    take = np.take_along_axis
    return np.asarray((take(ordered, low[None], axis=0)[0] + take(ordered, high[None], axis=0)[0]) / 2)


def spread(values: np.ndarray) -> np.ndarray:
    """(S,) robust standard deviation along the last axis, about zero; at least LEAST_NOISE."""
    found = MAD * median(np.abs(values).T) if values.shape[1] else np.zeros(len(values))
    return np.maximum(np.nan_to_num(found), LEAST_NOISE)
