"""Tables of a backtest in parts: by how far ahead, by weekday, by hour, or as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.demand.demand import Key
from capacity.forecasting.backtesting import calibration, comparing
from capacity.forecasting.backtesting.grouping import Grouping
from capacity.forecasting.backtesting.rehearsal import Window
from capacity.forecasting.forecasts import level_name

#: Tails that tables by lead, weekday and hour show, each by itself.
TAILS: Final = (0.05, 0.95, 0.99, 0.999)


def calibrated(
    windows: Sequence[Window], keys: Sequence[Key], zones: Sequence[str], by: str | None, of: str, group: Grouping
) -> pd.DataFrame:
    """Promised and observed share of every quantile of one model, by group: see `Backtest.calibration`."""
    found = calibration.marks(windows, keys, zones, of, group)
    shares = calibration.shares_of_all(calibration.tally(found), calibration.together(found))
    parts = []
    for row, level in enumerate(shares.levels):
        upper = level >= 0.5
        columns: dict[str, Any] = {"model": windows[0].model}
        if by is not None:
            columns[by] = np.arange(shares.scored.shape[1])
        columns |= {
            "level": level,
            "tail": "above" if upper else "below",
            "promised": round(1 - level if upper else level, 9),
            "observed": shares.above[row, 0] if upper else 1 - shares.reached[row, 0],
            "low": shares.low[row, 0] if upper else 1 - shares.high[row, 0],
            "high": shares.high[row, 0] if upper else 1 - shares.low[row, 0],
            "scored": shares.scored[0].astype(np.int64),
            "effective": shares.effective[0],
        }
        parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True)
    return table[table["scored"] > 0].sort_values([*([by] if by else []), "level"], ignore_index=True)


def grouped(
    windows: Sequence[Window],
    keys: Sequence[Key],
    zones: Sequence[str],
    scored: Sequence[float],
    by: str,
    group: Grouping,
) -> pd.DataFrame:
    """Coverage, tails and loss over naive's, one row a model and group: see `Backtest.by_weekday`."""
    of = {model: [w for w in windows if w.model == model] for model in dict.fromkeys(w.model for w in windows)}
    losses = {model: loss_table(mine, keys, zones, scored, group) for model, mine in of.items()}
    naive = losses.get(comparing.REFERENCE.name, pd.DataFrame())
    parts = []
    for model, mine in of.items():
        table = calibrated(mine, keys, zones, by, "intervals", group)
        wide = table[table["level"].isin(TAILS)].pivot_table(index=by, columns="level", values="observed")
        sizes = table.drop_duplicates(by).set_index(by)
        columns = {
            "coverage": 1 - wide[0.05] - wide[0.95],
            "exceeded": wide[0.95],
            "below_p5": wide[0.05],
            **{f"above_{level_name(level)}": wide[level] for level in (0.99, 0.999)},
            "relative_wql": relative_by_group(losses[model], naive).reindex(wide.index),
            "scored": sizes["scored"],
            "effective": sizes["effective"],
        }
        parts.append(pd.DataFrame({"model": model, **columns}).rename_axis(by).reset_index())
    table = pd.concat(parts, ignore_index=True)
    return table[["model", by, *[name for name in table.columns if name not in ("model", by)]]]


def loss_table(
    windows: Sequence[Window], keys: Sequence[Key], zones: Sequence[str], scored: Sequence[float], group: Grouping
) -> pd.DataFrame:
    """Loss of one model by cutoff and series (rows) and group (columns)."""
    found = comparing.losses(windows, keys, zones, scored, group)
    index = pd.MultiIndex.from_product([[window.cutoff for window in windows], range(len(keys))])
    return pd.DataFrame(found.reshape(-1, found.shape[2]), index=index)


def relative_by_group(ours: pd.DataFrame, naive: pd.DataFrame) -> pd.Series:
    """Geometric mean over series of loss over naive's, by group; only cutoffs that both have count."""
    index = ours.index.intersection(naive.index)
    ours, naive = ours.loc[index], naive.loc[index].reindex(columns=ours.columns)
    both = ours.notna() & naive.notna()
    sums = [table.where(both).groupby(level=1).sum(min_count=1) for table in (ours, naive)]
    ratios = (sums[0] / sums[1].where(sums[1] > 0)).clip(lower=comparing.LEAST)
    return pd.Series(np.exp(np.log(ratios).mean(axis=0)))
