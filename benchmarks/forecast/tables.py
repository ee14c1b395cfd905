"""From rows to what is printed: relative loss with its interval over series, and the tails."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from benchmarks.forecast.scoring import DAYS
from benchmarks.forecast.tasks import WEB

#: Resamples of the series behind an interval.
RESAMPLES = 2000

#: A relative loss below this is as good as perfect; its logarithm must stay finite.
SMALLEST = 1e-6


#: A test is won by more than the rounding in which two seasonal naives differ.
WON = 1 - 1e-6


def geometric(relative: pd.Series) -> float:
    """Geometric mean of what is known; NaN of nothing.

    >>> geometric(pd.Series([0.5, 2.0, None]))
    1.0
    """
    known = relative.dropna().clip(lower=SMALLEST)
    return float(np.exp(np.log(known).mean())) if len(known) else float("nan")


def interval(relative: pd.Series, series: pd.Series, *, seed: int = 0) -> tuple[float, float]:
    """Central 95 % interval of the geometric mean, by drawing series with all their windows; NaN of fewer than two.

    Windows of one series share their errors, so drawing windows would show an interval too narrow.
    """
    table = pd.DataFrame({"log": np.log(relative.clip(lower=SMALLEST)), "series": series}).dropna()
    grouped = table.groupby("series")["log"].agg(["sum", "size"]).to_numpy(dtype=float)
    if len(grouped) < 2:
        return float("nan"), float("nan")
    drawn = np.random.default_rng(seed).integers(len(grouped), size=(RESAMPLES, len(grouped)))
    sums = grouped[drawn].sum(axis=1)  # (RESAMPLES, 2)
    low, high = np.quantile(np.exp(sums[:, 0] / sums[:, 1]), [0.025, 0.975])
    return float(low), float(high)


def accuracy(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a model, best first: relative WQL in all and by kind of load, and what it cost."""
    found = []
    for model, part in rows.groupby("model"):
        low, high = interval(part["relative"], part["series"])
        web = part["set"].isin(WEB)
        known = part["relative"].dropna()
        found.append(
            {
                "model": model,
                "rel WQL": geometric(known),
                "low": low,
                "high": high,
                "web": geometric(part["relative"][web]),
                "stand-ins": geometric(part["relative"][~web]),
                "below naive %": 100 * (known < WON).mean(),
                "worst": known.max(),
                "MASE": part["mase"].mean(),
                "CPU ms": 1000 * part["seconds"].median(),
                "tests": len(part),
                "failed": (part["error"] != "").sum(),
            }
        )
    return pd.DataFrame(found).sort_values("rel WQL", ignore_index=True)


def tails(rows: pd.DataFrame, order: Iterable[str]) -> pd.DataFrame:
    """One row a model: shares in percent, pooled over intervals; of windows and series where the name says so."""
    found = []
    for model in order:
        part = rows[(rows["model"] == model) & (rows["error"] == "")]
        sums = part.sum(numeric_only=True)
        by_series = part.groupby("series")[["above95", "seen"]].sum()
        share = by_series["above95"] / by_series["seen"]
        row = {"model": model, "90 % covers": _share(sums, "inside", "seen")}
        for level in (95, 99):
            row[f"P{level}>"] = _share(sums, f"above{level}", "seen")
            for day in DAYS:
                row[f"P{level}>d{day}"] = _share(sums, f"above{level}{day}", f"seen{day}")
        row["series in 2.5-7.5"] = 100 * share.between(0.025, 0.075).mean()
        row["peak P95>"] = 100 * part["peak"].mean()
        row["P5, P10 < 0"] = 100 * part["negative"].mean()
        found.append(row)
    return pd.DataFrame(found).dropna(axis=1, how="all")


def _share(sums: pd.Series, part: str, whole: str) -> float:
    return 100 * sums[part] / sums[whole] if sums.get(whole, 0) else float("nan")


def by_set(rows: pd.DataFrame, order: Iterable[str]) -> pd.DataFrame:
    """Relative WQL, one row a model and one column a set; web sets first."""
    sets = sorted(rows["set"].unique(), key=lambda name: (name not in WEB, name))
    table = {name: rows[rows["set"] == name].groupby("model")["relative"].apply(geometric) for name in sets}
    return pd.DataFrame(table).reindex(list(order)).reset_index(names="model")


def beside(rows: pd.DataFrame, ours: str, peer: str) -> str:
    """One sentence: our loss over a peer's, on the windows that both answered."""
    wide = rows.pivot_table(index=["task", "series", "cutoff"], columns="model", values="wql")
    if not {ours, peer} <= set(wide):
        return f"{ours} and {peer} have no window in common."
    both = wide[[ours, peer]].dropna()
    both = both[both[peer] > 0].reset_index()
    ratio, series = both[ours] / both[peer], both["series"]
    low, high = interval(ratio, series)
    return (
        f"{ours} beside {peer}: {geometric(ratio):.3f} ({low:.3f}-{high:.3f}) of its loss "
        f"on {len(both)} tests of {series.nunique()} series; lower on {100 * (ratio < WON).mean():.0f} % of tests."
    )


def printed(table: pd.DataFrame, places: int = 3) -> str:
    """The table as text, `-` where nothing is known; percentages and milliseconds always with one decimal."""
    shown = table.copy()
    for name in shown.select_dtypes("number"):
        if pd.api.types.is_float_dtype(shown[name]):
            shown[name] = [_number(value, 1 if name.endswith((" %", " ms")) else places) for value in shown[name]]
    return str(shown.to_string(index=False))


def _number(value: float, places: int) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.{places}f}" if abs(value) < 1e5 else f"{value:.1e}"
