"""What cannot be demand becomes a gap, with a finding that says so: never planned on, never dropped unsaid."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from capacity.demand.demand import Key
from capacity.errors import Problem
from capacity.findings import Finding
from capacity.history.shapes import beyond_a_leap

#: A few values this many times the largest of all others are taken for damage (a counter reset, a unit mix-up).
#: Real launches and finals reach 3-10 times the usual (reference data.md), so three orders leave room.
ABSURD: Final = 1000.0

#: Only a few can be absurd: this share of the values, in runs of at most so many intervals. More is another regime.
FEW: Final = 0.005
SHORT_RUN: Final = 3

#: A hole this wide in the ranking of all values is no service that grows, however many are above it: a request a day
#: and hundreds a second are one apart.
ABSURD_BLOCK: Final = 1e7

#: No unit of ours, nor a count of bytes, reaches this; squares and sums of smaller values stay finite.
LARGEST: Final = 1e18

#: With more negative values than this share, the series is not demand at all.
MANY_NEGATIVE: Final = 0.10


def cleaned(
    values: np.ndarray, key: Key, times: pd.DatetimeIndex, interval: pd.Timedelta
) -> tuple[np.ndarray, list[Finding]]:
    """The values with infinite, negative and absurd ones as gaps, and a finding for each kind.

    values   (n,) in the unit of `key`; a gap is NaN
    returns  (n,) finite and not negative where not NaN

    When more than a tenth is negative, that is not demand with a flaw but something else: nothing of it is used.
    """
    values = np.array(values, dtype=float)
    findings = []
    negative = values < 0
    count, known = int(negative[np.isfinite(values)].sum()), int(np.isfinite(values).sum())
    if count > MANY_NEGATIVE * max(1, known):
        message = f"{count:,} of {known:,} values are negative, and demand cannot be: the series is not used."
        advice = "Bring the demand itself: neither a difference, nor a change, nor a logarithm of it."
        return np.full_like(values, np.nan), [
            Finding(key.service, key.metric, "negative", "FAIL", message, advice, count=count)
        ]
    masks = {
        "infinite": np.isinf(values),
        "negative": negative & np.isfinite(values),
        "too_large": np.isfinite(values) & (values > LARGEST),
    }
    values[masks["infinite"] | masks["negative"] | masks["too_large"]] = np.nan
    masks["outliers"] = absurd(values)
    words = {
        "infinite": "infinite",
        "negative": "negative: demand cannot be",
        "too_large": f"above {LARGEST:.0e}: in no unit is demand like that",
        "outliers": f"over {ABSURD:,.0f} times the largest of all others",
    }
    for check, mask in masks.items():
        if mask.any():
            findings.append(_masked(key, check, words[check], mask, values, times, interval))
    values[masks["outliers"]] = np.nan
    return values, findings + _emptiness(values, key)


def absurd(values: np.ndarray) -> np.ndarray:
    """(n,) True at the few isolated values that are over ABSURD times the largest of all others, and at whole blocks of
    them when they are over ABSURD_BLOCK times.

    >>> absurd(np.array([5.0, 7.0, 6e9, 4.0] * 1 + [5.0] * 20)).nonzero()[0].tolist()
    [2]
    >>> absurd(np.array([0.001] * 10 + [9.0] * 10)).any()  # half of them: a launch, not damage
    np.False_
    """
    mask = beyond_a_leap(values, ABSURD_BLOCK)
    if mask.any():
        return mask
    order = np.flatnonzero(values > 0)
    order = order[np.argsort(-values[order], kind="stable")]
    most = max(1, int(FEW * len(order)))
    if len(order) < 2 * most + 1:
        return mask
    leap = values[order[:most]] / values[order[1 : most + 1]]
    leaps = np.flatnonzero(leap > ABSURD)
    if len(leaps):
        mask[order[: leaps[-1] + 1]] = True
    return mask if _longest_run(mask) <= SHORT_RUN else np.zeros(len(values), dtype=bool)


def credible_peaks(peaks: np.ndarray, values: np.ndarray, interval: pd.Timedelta) -> np.ndarray:
    """Peaks that can be: at least the mean, at most the mean of all its minutes in one; others are not known (NaN).

    >>> credible_peaks(np.array([50.0, 900.0, 9e9]), np.array([60.0, 60.0, 60.0]), pd.Timedelta("1h")).tolist()
    [60.0, 900.0, nan]
    """
    minutes = max(1.0, interval / pd.Timedelta(minutes=1))
    with np.errstate(invalid="ignore"):
        possible = np.isfinite(peaks) & (peaks <= 1.05 * minutes * values)  # 5 %: rounding, and a partial interval
        return np.where(possible, np.maximum(peaks, values), np.nan)


def _longest_run(mask: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _masked(
    key: Key,
    check: str,
    words: str,
    mask: np.ndarray,
    values: np.ndarray,
    times: pd.DatetimeIndex,
    interval: pd.Timedelta,
) -> Finding:
    places = np.flatnonzero(mask)
    shown = ", ".join(
        str(Problem(f"{values[i]:.3g} {key.unit}", times[i].strftime("%Y-%m-%d %H:%M")))
        if np.isfinite(values[i])
        else times[i].strftime("%Y-%m-%d %H:%M")
        for i in places[:3]
    )
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return Finding(
        key.service,
        key.metric,
        check,
        "FAIL",
        f"{len(places)} of {len(values):,} values are {words} ({shown}{more}); read as gaps.",
        "Find out what wrote them, correct or remove them, and run again.",
        start=times[places[0]],
        end=times[places[-1]] + interval,
        count=len(places),
    )


def _emptiness(values: np.ndarray, key: Key) -> list[Finding]:
    if np.isnan(values).all():
        message = "no interval holds a value."
        return [Finding(key.service, key.metric, "empty", "UNKNOWN", message, "Bring history, or leave it out.")]
    if np.nanmax(values) == 0:
        message = "every value is zero."
        advice = "Check that the metric is the right one; if the service is idle, leave it out of the plan."
        return [Finding(key.service, key.metric, "zero", "FAIL", message, advice, count=int((values == 0).sum()))]
    return []
