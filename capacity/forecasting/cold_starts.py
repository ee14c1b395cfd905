"""A young service has no week yet: the shape of one is lent by services whose days look like its days.

What is lent stands before the first measurement, so that every model learns from it, and nothing is judged by it: the
spread comes from the young service's own errors alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from capacity.demand.demand import Demand, Key
from capacity.findings import Finding
from capacity.forecasting.prepare import OFFSET
from capacity.timegrid import steps_per

#: Younger than this many days a service has no week of its own; with one day measured its shape can be compared.
YOUNG_DAYS, FEWEST_DAYS = 14, 1

#: Lenders have at least so many days, and so many are lent.
LENT_DAYS: Final = 28

#: A lender's shape has to explain this much of the young service's variance; below, likeness is chance.
LIKE: Final = 0.6

#: At most so many lenders, the most alike.
LENDERS: Final = 8

#: Share of the lender's last days that has to be measured.
MEASURED: Final = 0.8


@dataclass(frozen=True, eq=False)
class Lent:
    """Demand in which young services have a past, and which of it was made up.

    made  (S, n) True where a value was lent
    """

    past: Demand
    made: np.ndarray
    findings: tuple[Finding, ...] = ()


def lent(past: Demand) -> Lent:
    """The demand with weeks lent to young services by older ones of the same metric that are like them.

    Only for grids finer than a day. A service like no other stays as it is, and so does one that was silent for weeks:
    it has a week of its own.
    """
    made = np.zeros(past.values.shape, dtype=bool)
    day = steps_per("1d", past.interval)
    reach = LENT_DAYS * day
    if day < 2 or past.values.shape[1] < reach or len(past.keys) < 2:
        return Lent(past, made)
    recent = past.values[:, -reach:]
    first = np.argmax(np.isfinite(recent), axis=1)
    young = (first >= reach - YOUNG_DAYS * day) & (first <= reach - FEWEST_DAYS * day)
    young &= (np.isfinite(recent).sum(axis=1) >= FEWEST_DAYS * day) & ~np.isfinite(past.values[:, :-reach]).any(axis=1)
    old = np.flatnonzero(~young & (np.isfinite(recent).mean(axis=1) >= MEASURED))
    if not young.any() or not len(old):
        return Lent(past, made)
    values, findings = past.values.copy(), []
    logs = _relative(recent)
    shapes = _week(logs[old], 7 * day)
    for row in np.flatnonzero(young):
        alike = [k for k, lender in enumerate(old) if past.keys[lender].metric == past.keys[row].metric]
        found = _shape_for(logs[row], shapes[alike])
        if found is None:
            continue
        shape, share = found
        empty = np.arange(reach) < first[row]
        level = np.nanmean(logs[row] - shape)
        scale = np.nanmean(np.maximum(recent[row], 0))
        values[row, -reach:][empty] = np.maximum(np.exp(shape + level) - OFFSET, 0)[empty] * scale
        made[row, -reach:] = empty
        findings.append(
            _told(past.keys[row], [past.keys[old[alike[k]]] for k in np.flatnonzero(share)], day, first[row])
        )
    return Lent(replace(past, values=values), made, tuple(findings))


def _relative(values: np.ndarray) -> np.ndarray:
    """(S, n) on the models' scale, each series by its own mean; NaN where nothing was seen."""
    known = np.where(np.isfinite(values), np.maximum(values, 0), np.nan)
    counts = np.maximum(np.isfinite(known).sum(axis=1), 1)
    mean = np.nansum(known, axis=1) / counts
    return np.asarray(np.log(known / np.where(mean > 0, mean, 1.0)[:, None] + OFFSET))


def _week(logs: np.ndarray, week: int) -> np.ndarray:
    """(S, n) the usual week of each series less its mean, over and over; a step that was never seen is like the mean.

    >>> _week(np.array([[1.0, np.nan, 3.0, np.nan]]), 2).tolist()
    [[0.0, 0.0, 0.0, 0.0]]
    """
    parts = logs.reshape(len(logs), -1, week)
    known = np.isfinite(parts)
    seen = known.any(axis=1)
    usual = np.where(known, parts, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    mean = (usual * seen).sum(axis=1, keepdims=True) / np.maximum(seen.sum(axis=1, keepdims=True), 1)
    return np.tile(np.where(seen, usual - mean, 0.0), (1, logs.shape[1] // week))


def _shape_for(young: np.ndarray, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(n,) the weighted shape of those most alike, and each one's weight; None when nobody is alike.

    Alike is the share of the young series' variance that the shape explains, at its own level.
    """
    seen = np.isfinite(young)
    own = young[seen] - young[seen].mean()
    power = float((own**2).sum())
    if not len(shapes) or power <= 0:
        return None
    theirs = shapes[:, seen] - shapes[:, seen].mean(axis=1, keepdims=True)
    explained = 1 - ((own - theirs) ** 2).sum(axis=1) / power
    weights = np.where(explained >= LIKE, explained, 0.0) ** 4
    weights[np.argsort(weights)[:-LENDERS]] = 0.0
    if weights.sum() == 0:
        return None
    return weights @ shapes / weights.sum(), weights


def _told(key: Key, lenders: Sequence[Key], day: int, first: int) -> Finding:
    names = ", ".join(sorted(lender.service for lender in lenders)[:3]) + (" and more" if len(lenders) > 3 else "")
    days = LENT_DAYS - first / day
    message = f"{days:.0f} days show no week yet: the shape of one is lent by {names}, whose days are alike."
    return Finding(*key, "lent", "REVIEW", message, "It is given back as the service's own weeks come in.")
