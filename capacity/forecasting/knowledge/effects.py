"""What events did to load: learnt from past occurrences, as carefully as ordinary noise and their number allow.

Everything is a log ratio of what was measured to what is usual. An occurrence is explained in four parts, each pulled
towards the one before it by how little is known (empirical Bayes; Efron & Morris 1975, JASA 70(350)):

    how like a Sunday the day was, for whole days: a public holiday empties a Tuesday and changes nothing on a Sunday
    the level that events of this calendar have in common; towards no effect
    the level of this event; towards that of its calendar, by how unlike its events are
    its shape, hour by hour; towards flat

How differently occurrences of one event turned out stays as its spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from capacity.forecasting.knowledge.places import Piece
from capacity.forecasting.knowledge.usual import LEAST_NOISE, MAD, TOGETHER, Usual, mean, median

#: Believed before anything is seen, as standard deviations in log units: how like a Sunday (1 is wholly), a calendar's
#: level, an event's shape, and what sets events of one calendar apart. Wide enough for what launches do (3x is 1.1).
PRIOR_SUNDAY, PRIOR_LEVEL, PRIOR_SHAPE, PRIOR_APART = 0.5, 0.7, 0.3, 0.15

#: An effect is at most a hundredfold, up or down: a service without a single request at Christmas has no logarithm.
MOST: Final = float(np.log(100))

#: Occurrences of one event are believed to differ by this, plus this share of its effect; as much as LIKE occurrences
#: would tell. Sizes of what repeated holidays did in the tuning sets.
APART, APART_SHARE, LIKE = 0.04, 0.20, 2

#: Occurrences of one event further than this many robust deviations from their middle are pulled in (Huber 1964).
HUBER: Final = 3.0


class Seen(NamedTuple):
    """Past pieces of one calendar and day, measured: O of them, K hours, S series."""

    pieces: tuple[Piece, ...]
    ratio: np.ndarray  # (S, O, K) log ratio to the usual; NaN where nothing can be said
    sunday: np.ndarray  # (S, O, K) how far a Sunday would have been, in log units


@dataclass(frozen=True, eq=False)
class Effects:
    """What was learnt for S series of the E events of one calendar, on one day of them.

    like_sunday  (S,) how like a Sunday
    level        (S, E)
    shape        (S, E, K)
    spread       (S, E) standard deviation of the next occurrence's level
    counts       (S, E) occurrences that could be measured; 0 with a level is borrowed from the calendar
    own          (S, O, K) what each past occurrence did, without the noise of its hours
    unlike       (S,) standard deviation of what sets events apart at an hour
    """

    events: tuple[str, ...]
    like_sunday: np.ndarray
    level: np.ndarray
    shape: np.ndarray
    spread: np.ndarray
    counts: np.ndarray
    own: np.ndarray
    unlike: np.ndarray

    @property
    def told(self) -> np.ndarray:
        """(S,) True where anything was learnt."""
        return self.counts.sum(axis=1) > 0

    def expected(self, piece: Piece, sunday: np.ndarray) -> np.ndarray:
        """(S, K) log effect of a piece, whose intervals a Sunday would move by `sunday` (S, K)."""
        event = self.events.index(piece.event)
        hours = np.minimum(piece.hours, self.shape.shape[2] - 1)
        found = self.like_sunday[:, None] * sunday + self.level[:, event, None] + self.shape[:, event, hours]
        return np.where(self.told[:, None], np.clip(found, -MOST, MOST), 0.0)

    def swing(self, piece: Piece, expected: np.ndarray) -> np.ndarray:
        """(S, K) how far hours may part from their mean more or less than expected: of an event that was never seen.

        Standard deviations, signed. One draw serves all hours: the day is more, or less, like its calendar's others.
        """
        hours = expected - expected.mean(axis=1, keepdims=True)
        size = np.sqrt((hours**2).mean(axis=1))
        share = np.minimum(self.unlike / np.maximum(size, LEAST_NOISE), 1.0)
        unseen = self.counts[:, self.events.index(piece.event)] == 0
        return np.where(unseen & self.told, share, 0.0)[:, None] * hours


def seen(known: Usual, values: np.ndarray, pieces: Sequence[Piece], sunday: np.ndarray) -> Seen:
    """What past pieces did to (S, n) values, interval by interval."""
    length = values.shape[1]
    size = max(int(piece.hours[-1]) + 1 for piece in pieces)
    ratio, like = np.full((2, len(values), len(pieces), size), np.nan)
    for number, piece in enumerate(pieces):
        columns = piece.columns[piece.columns < length]
        hours = piece.hours[: len(columns)]
        around = known.around(int(columns[0]), int(columns[-1]) + 1)
        found = known.surplus[:, columns] - around[:, None]
        if known.sparse.any():
            found[known.sparse] = _of_sums(values[known.sparse], known.natural[known.sparse], columns)
        ratio[:, number, hours] = np.where(np.isnan(found), np.nan, np.clip(found, -MOST, MOST))
        like[:, number, hours] = sunday[:, columns] if piece.daily else 0.0
    return Seen(tuple(pieces), ratio, like)


def _of_sums(values: np.ndarray, natural: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(S, K) one log ratio for all intervals: of sums, a typical positive value added to both."""
    both = np.isfinite(values[:, columns]) & np.isfinite(natural[:, columns])
    one = np.nanmean(np.where(values > 0, values, np.nan), axis=1)
    top = np.where(both, values[:, columns], 0.0).sum(axis=1) + one
    usual = np.where(both, natural[:, columns], 0.0).sum(axis=1) + one
    return np.where(both, np.log(top / usual)[:, None], np.nan)


def learn(found: Seen, level_noise: np.ndarray, hour_noise: np.ndarray, events: Sequence[str]) -> Effects:
    """Effects of the events of one calendar (some perhaps never seen), from what was measured.

    level_noise  (S,) standard deviation of the mean over an ordinary piece
    hour_noise   (S,) of an interval within it
    """
    which = np.array([events.index(piece.event) for piece in found.pieces])
    member = which[None, :] == np.arange(len(events))[:, None]  # (E, O)
    ratio = _pulled_in(found.ratio, which, level_noise)
    noise, hours = level_noise**2, hour_noise**2
    apart = hours_apart = np.full(len(ratio), PRIOR_APART**2 if len(events) > 1 else 0.0)
    for _ in range(2 if len(events) > 1 else 1):  # what sets events apart is known once what they share is
        like_sunday, common = _like_sunday(ratio, found.sunday, noise + apart, hours + hours_apart)
        rest = ratio - like_sunday[:, None, None] * found.sunday - common[:, None, None]
        levels = mean(rest)  # (S, O)
        counts = np.isfinite(levels) @ member.T.astype(float)  # (S, E)
        own_level = np.stack([mean(levels[:, rows]) for rows in member], axis=1)  # NaN where never seen
        within, freedom = _within(levels, own_level, which, counts, noise)
        if len(events) > 1:
            apart = _apart(own_level, counts, (noise + within)[:, None])
            shapes = np.stack([_by_hour((rest - levels[..., None])[:, rows]) for rows in member], axis=1)
            by_hour = [_apart(part, counts, hours[:, None]) for part in np.moveaxis(shapes, 2, 0)]
            hours_apart = mean(np.stack(by_hour, axis=-1))
    trust = np.ones_like(counts)
    if len(events) > 1:  # one occurrence does not say whether it was its event or only that day: both, as believed
        effect = np.nan_to_num(mean(_by_hour(ratio)))
        within = (freedom * within + LIKE * (APART + APART_SHARE * np.abs(effect)) ** 2) / (freedom + LIKE)
        trust = apart[:, None] / (apart[:, None] + (noise + within)[:, None] / np.maximum(counts, 1))
    level = common[:, None] + np.where(counts > 0, trust * np.nan_to_num(own_level), 0.0)
    shape = _shapes(rest - levels[..., None], member, hours, hours_apart)

    prior = (APART + APART_SHARE * np.abs(level)) ** 2
    spread = (freedom[:, None] * within[:, None] + LIKE * prior) / (freedom[:, None] + LIKE)
    spread = spread + noise[:, None] / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    spread = np.sqrt(spread + np.where(counts > 0, 0.0, apart[:, None]))

    share = within / (within + noise)
    beside = share[:, None] * np.nan_to_num(levels - (level - common[:, None])[:, which])
    own = like_sunday[:, None, None] * np.nan_to_num(found.sunday) + (level[:, which] + beside)[..., None]
    own = np.clip(own + shape[:, which], -MOST, MOST)
    return Effects(tuple(events), like_sunday, level, shape, spread, counts.astype(int), own, np.sqrt(hours_apart))


def _pulled_in(ratio: np.ndarray, which: np.ndarray, level_noise: np.ndarray) -> np.ndarray:
    """The ratios, with occurrences of one event that stand out from at least two others pulled in."""
    pulled = ratio.copy()
    levels = mean(ratio)
    for event in np.unique(which):
        rows = np.flatnonzero(which == event)
        if len(rows) < 3:
            continue
        away = levels[:, rows] - median(levels[:, rows].T)[:, None]
        limit = HUBER * MAD * np.nan_to_num(median(np.abs(away).T))
        limit = (limit + HUBER * level_noise + APART)[:, None]
        pulled[:, rows] += np.nan_to_num(np.clip(away, -limit, limit) - away)[..., None]
    return pulled


def _like_sunday(
    ratio: np.ndarray, sunday: np.ndarray, level_doubt: np.ndarray, hour_doubt: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(S,) how like a Sunday, and (S,) the level beside that: ridge on levels of occurrences and on hours within them.

    level_doubt, hour_doubt  (S,) variances of what neither explains
    """
    both = np.isfinite(ratio)
    x, y = np.where(both, np.nan_to_num(sunday), np.nan), ratio
    x_level, y_level = np.nan_to_num(mean(x)), np.nan_to_num(mean(y))  # (S, O)
    x_hour = np.nan_to_num(x - x_level[..., None]).reshape(len(x), -1)
    y_hour = np.nan_to_num(y - y_level[..., None]).reshape(len(y), -1)
    measured = both.any(axis=2).sum(axis=1)
    level_weight = 1 / level_doubt
    hour_weight = 1 / (hour_doubt * min(TOGETHER, ratio.shape[2]))
    matrix = np.empty((len(x), 2, 2))
    matrix[:, 0, 0] = level_weight * (x_level**2).sum(axis=1) + hour_weight * (x_hour**2).sum(axis=1)
    matrix[:, 0, 0] += PRIOR_SUNDAY**-2
    matrix[:, 0, 1] = matrix[:, 1, 0] = level_weight * x_level.sum(axis=1)
    matrix[:, 1, 1] = level_weight * measured + PRIOR_LEVEL**-2
    right = np.empty((len(x), 2, 1))
    right[:, 0, 0] = level_weight * (x_level * y_level).sum(axis=1) + hour_weight * (x_hour * y_hour).sum(axis=1)
    right[:, 1, 0] = level_weight * y_level.sum(axis=1)
    found = np.linalg.solve(matrix, right)[..., 0]
    return found[:, 0], found[:, 1]


def _within(
    levels: np.ndarray, own: np.ndarray, which: np.ndarray, counts: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(S,) variance among occurrences of one event beyond noise, over all events; (S,) how many differences say it."""
    freedom = np.maximum(counts - 1, 0).sum(axis=1)
    squares = np.nan_to_num((levels - own[:, which]) ** 2).sum(axis=1)
    return np.maximum(squares / np.maximum(freedom, 1) - noise, 0.0), freedom


def _apart(own: np.ndarray, counts: np.ndarray, doubt: np.ndarray) -> np.ndarray:
    """(S,) variance between events of one calendar beyond what noise explains; as believed, with few of them."""
    events = (counts > 0).sum(axis=1)
    squares = np.nan_to_num(own**2).sum(axis=1) / np.maximum(events, 1)
    explained = np.where(counts > 0, doubt / np.maximum(counts, 1), 0.0).sum(axis=1) / np.maximum(events, 1)
    return (events * np.maximum(squares - explained, 0.0) + LIKE * PRIOR_APART**2) / (events + LIKE)


def _shapes(hours: np.ndarray, member: np.ndarray, noise: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """(S, E, K) how hours stand from their event's level: what all events share, and each one's own beside it.

    noise, apart  (S,) variances of an hour of one event, and of what sets events apart at an hour
    """
    own = np.stack([_by_hour(hours[:, rows]) for rows in member], axis=1)  # (S, E, K), NaN where never seen
    counts = np.stack([np.isfinite(hours[:, rows]).sum(axis=1) for rows in member], axis=1)
    events = (counts > 0).sum(axis=1)  # (S, K)
    doubt = apart[:, None] + noise[:, None] * events / np.maximum(counts.sum(axis=1), 1)
    shared = np.nan_to_num(_by_hour(own)) * events / np.maximum(events + doubt / PRIOR_SHAPE**2, 1.0)
    if len(member) == 1:
        return shared[:, None]
    trust = apart[:, None, None] / (apart[:, None, None] + noise[:, None, None] / np.maximum(counts, 1))
    return shared[:, None] + trust * np.nan_to_num(own - shared[:, None])


def _by_hour(values: np.ndarray) -> np.ndarray:
    """(S, K) mean of (S, n, K) over n without gaps; NaN where there is nothing."""
    return mean(np.swapaxes(values, 1, 2))
