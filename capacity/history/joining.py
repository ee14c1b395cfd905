"""One series from the rows of several intervals: what CloudWatch keeps as hours, then as minutes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capacity.timegrid import LEAST_PRESENT, averaged


def joined(parts: dict[int, pd.Series], size: int, least: float = LEAST_PRESENT) -> pd.Series:
    """One series from those of several intervals, on the grid of one of them.

    parts  interval in seconds -> its own values, regular
    size   whose grid, in seconds; the values of finer ones are averaged where it has none, `least` as in `averaged`
    """
    finer = [(seconds, parts[seconds]) for seconds in sorted(parts) if size % seconds == 0 and seconds != size]
    if not finer:
        return parts[size]
    step = pd.Timedelta(seconds=size)
    origin = parts[size].index[0]
    coarse = [parts[size], *(_coarser(part, size // seconds, step, origin, least) for seconds, part in finer)]
    start, end = min(part.index[0] for part in coarse), max(part.index[-1] for part in coarse)
    grid = pd.date_range(start, end, freq=step, unit="us")
    whole = coarse[0].reindex(grid)
    for part in coarse[1:]:
        whole = whole.fillna(part.reindex(grid))
    known = np.flatnonzero(np.isfinite(whole.to_numpy()))
    return whole.iloc[known[0] : known[-1] + 1]


def known_at(parts: dict[int, pd.Series]) -> dict[int, np.ndarray]:
    """When the values of each interval start, as `reaching` takes them; gaps left out."""
    return {seconds: pd.DatetimeIndex(part.dropna().index).as_unit("us").asi8 for seconds, part in parts.items()}


def _coarser(part: pd.Series, count: int, step: pd.Timedelta, origin: pd.Timestamp, least: float) -> pd.Series:
    """Means over `count` intervals each, on the grid of `origin`."""
    small = step / count
    first = origin + np.floor((part.index[0] - origin) / step) * step
    last = origin + np.ceil((part.index[-1] + small - origin) / step) * step
    whole = part.reindex(pd.date_range(first, last, freq=small, inclusive="left", unit="us"))
    grid = pd.date_range(first, last, freq=step, inclusive="left", unit="us")
    return pd.Series(averaged(whole.to_numpy().reshape(-1, count), least), index=grid)
