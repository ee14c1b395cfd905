"""The evidence that a verdict on one model rests on, for all series at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from capacity.demand.demand import Key
from capacity.forecasting.backtesting import calibration, comparing
from capacity.forecasting.backtesting.calibration import DOUBT, Shares, Tally
from capacity.forecasting.backtesting.comparing import Versus
from capacity.forecasting.backtesting.grouping import LEAD_DAYS, all_as_one, bands, by_band, by_weekday
from capacity.forecasting.backtesting.rehearsal import Window
from capacity.forecasting.seasons import Seasons


class Case(NamedTuple):
    """What is known of one model, all series: S series, B bands of leads, Q levels, W windows."""

    windows: np.ndarray  # (S,) cutoffs at which anything was scored
    overall: Shares  # (Q, S, 1)
    bands: Shares  # (Q, S, B) at a B-th of the doubt
    so_far: Shares  # (Q, S, B) each band with those before it
    weekdays: Shares | None  # (Q, S, 7) at a seventh of the doubt; None for coarser grids
    against: Versus  # (S,) WQL over seasonal naive's
    peaks: np.ndarray  # (S, 2) windows whose highest load was above its P95, and windows
    bias: np.ndarray  # (S, 2) what the bias of the median is at least and at most
    ends: tuple[pd.Timedelta, ...]  # (B,) where each band ends
    naive: str  # what the reference repeats, in words
    paths: int  # drawn in each window


def case_of(
    mine: Sequence[Window],
    frame: pd.DataFrame,
    keys: Sequence[Key],
    zones: Sequence[str],
    interval: pd.Timedelta,
    naive: str,
    paths: int,
) -> Case:
    """The evidence on the model of these windows; `frame` holds the scores of all models."""
    found = calibration.marks(mine, keys, zones, "intervals", by_band(interval))
    by_leads = calibration.tally(found)
    overall = calibration.tally(found._replace(groups=np.zeros_like(found.groups)))
    weekdays = None
    if interval <= pd.Timedelta(days=1):
        by_day = calibration.tally(calibration.marks(mine, keys, zones, "intervals", by_weekday(interval)))
        weekdays = calibration.shares_of_each(by_day, DOUBT / 7)
    steps = max(len(window.times) for window in mine)
    ends = [steps * interval if n == bands(steps, interval)[-1] else pd.Timedelta(days=LEAD_DAYS[n])
            for n in range(by_leads.scored.shape[2])]  # fmt: skip
    return Case(
        windows=(overall.scored[:, :, 0] > 0).sum(axis=0),
        overall=calibration.shares_of_each(overall),
        bands=calibration.shares_of_each(by_leads, DOUBT / len(ends)),
        so_far=calibration.shares_of_each(by_leads.up_to()),
        weekdays=weekdays,
        against=beside_naive(frame, mine[0].model, keys),
        peaks=peaks(mine, keys, zones),
        bias=biases(frame[frame["model"] == mine[0].model], keys),
        ends=tuple(ends),
        naive=naive,
        paths=paths,
    )


def beside_naive(frame: pd.DataFrame, model: str, keys: Sequence[Key]) -> Versus:
    """(S,) WQL of a model over that of seasonal naive, window by window at the same cutoffs."""
    wide = frame.pivot_table(index="cutoff", columns=["model", "service", "metric"], values="wql", dropna=False)
    series = pd.MultiIndex.from_tuples(list(keys))
    ours, naive = (wide[name].reindex(columns=series).to_numpy() for name in (model, comparing.REFERENCE.name))
    return comparing.versus(ours, np.where(naive > comparing.EXACT, naive, np.nan))


def peaks(windows: Sequence[Window], keys: Sequence[Key], zones: Sequence[str]) -> np.ndarray:
    """(S, 2) in how many windows the highest load was above the P95 of the horizon's highest, and of how many."""
    counts: Tally = calibration.tally(calibration.marks(windows, keys, zones, "horizon", all_as_one))
    above = counts.above[counts.levels.index(0.95)]
    return np.stack([above.sum(axis=(0, 2)), counts.scored.sum(axis=(0, 2))], axis=1)


def biases(frame: pd.DataFrame, keys: Sequence[Key]) -> np.ndarray:
    """(S, 2) what the mean bias over windows is at least and at most (Student's); NaN with fewer than two."""
    from scipy.special import stdtrit

    by = frame.groupby(["service", "metric"], sort=False)["bias"].agg(["mean", "std", "count"])
    by = by.reindex(pd.MultiIndex.from_tuples(list(keys)))
    count = by["count"].fillna(0).to_numpy()
    margin = stdtrit(np.maximum(count - 1, 1), 1 - DOUBT) * by["std"].to_numpy() / np.sqrt(np.maximum(count, 1))
    return np.stack([by["mean"].to_numpy() - margin, by["mean"].to_numpy() + margin], axis=1)


def repeats(seasons: Seasons, interval: pd.Timedelta) -> str:
    """What seasonal naive repeats, in words.

    >>> from capacity.forecasting.seasons import seasons_of
    >>> repeats(seasons_of(pd.Timedelta("1h"), 24 * 60), pd.Timedelta("1h"))
    'last week'
    """
    return "last week" if seasons.week else "the day before" if seasons.day else "the last value"
