"""The tables of a test: by label, by what went wrong, and, of files that tell no requests, what can be said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.loadtest.cells import PAUSE, SECOND, TIMELINE
from capacity.loadtest.readers.base import Summary
from capacity.loadtest.samples import Names
from capacity.loadtest.segments import segments
from capacity.loadtest.steps import FEW, SAME_RATE, change, mark_failing, steps_frame
from capacity.loadtest.tallied import Kept, Tallied
from capacity.loadtest.tally import MOST_LABELS, MOST_OUTCOMES

SUMMARY: Final = (
    *("samples", "errors", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "throughput_per_s"),
    *("min_ms", "max_ms", "requests"),
)
ERROR_COLUMNS: Final = ("label", "outcome", "errors", "share")

#: Name of the row that holds all requests, and of those that hold what was too varied to be told apart.
TOTAL: Final = "Total"
OTHER_LABELS: Final = "(other labels)"
OTHER_OUTCOMES: Final = "(other outcomes)"

LEVELS: Final = (0.5, 0.9, 0.95, 0.99)


def by_label(tallied: Tallied, names: Names) -> pd.DataFrame:
    """All rows of each label in order of first appearance, then all requests: columns SUMMARY.

    As JMeter's report counts: percentiles over all rows, failures included; throughput is their number over the time
    from the first start to the last end. NaN where there was no such time.
    """
    rows = {label_name(code, names): kept for code, kept in sorted(tallied.labels.items())}
    frame = pd.DataFrame(
        [*map(_summed, rows.values()), _summed(tallied.requests)], columns=[*SUMMARY], index=pd.Index([*rows, TOTAL])
    )
    return frame.rename_axis("label")


def label_name(code: int, names: Names) -> str:
    """The text of a label. One that is named like the last row of the table gets quotes: there is one `Total`.

    >>> names = Names()
    >>> names.labels.code("Total"), label_name(0, names)
    (0, "'Total'")
    """
    if code >= MOST_LABELS:
        return OTHER_LABELS
    text = names.labels.texts[code]
    return f"'{text}'" if text in (TOTAL, OTHER_LABELS) else text


def _summed(kept: Kept) -> dict[str, Any]:
    seconds = (kept.last - kept.first) / SECOND
    known = kept.samples > 0
    quantiles = kept.histogram.quantiles(LEVELS) / 1000
    return {
        "samples": kept.samples,
        "errors": kept.failed,
        "mean_ms": kept.total / kept.samples / 1000 if known else np.nan,
        **dict(zip(("p50_ms", "p90_ms", "p95_ms", "p99_ms"), quantiles, strict=True)),
        "throughput_per_s": kept.samples / seconds if known and seconds > 0 else np.nan,
        "min_ms": kept.least / 1000 if known else np.nan,
        "max_ms": kept.most / 1000 if known else np.nan,
        "requests": kept.requests,
    }


def by_error(tallied: Tallied, names: Names) -> pd.DataFrame:
    """Failed rows by label and outcome, most first: columns ERROR_COLUMNS; `share` is of the label's rows."""
    rows = [
        {
            "label": label_name(label, names),
            "outcome": OTHER_OUTCOMES if outcome >= MOST_OUTCOMES else names.outcomes.texts[outcome],
            "errors": count,
            "share": count / tallied.labels[label].samples,
        }
        for (label, outcome), count in tallied.errors.items()
    ]
    return _ordered_errors(rows)


def _ordered_errors(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=[*ERROR_COLUMNS]).astype({"errors": "int64", "share": "float64"})
    return frame.sort_values(["errors", "label", "outcome"], ascending=[False, True, True], ignore_index=True)


def told_by_label(summary: Summary) -> pd.DataFrame:
    """The table of a file of statistics with the columns SUMMARY; how many were requests, it does not tell."""
    frame = summary.labels.reindex(columns=[*SUMMARY]).astype("float64").rename_axis("label")
    return frame.drop(columns="requests").assign(requests=np.nan)


def told_errors(summary: pd.DataFrame) -> pd.DataFrame:
    """Failures by label, of statistics that do not say what went wrong."""
    rows = summary.drop(index=TOTAL, errors="ignore")
    rows = rows[rows["errors"] > 0]
    columns = zip(rows.index, rows["errors"], rows["errors"] / rows["samples"], strict=True)
    return _ordered_errors([{"label": name, "outcome": "", "errors": n, "share": share} for name, n, share in columns])


def told_timeline(timeline: pd.DataFrame | None) -> pd.DataFrame:
    """The course of a test as the statistics tell it, with the columns TIMELINE. Arrivals they do not know.

    In flight by Little's law: requests ended x their mean latency, over the length of the interval.
    """
    if timeline is None:
        return pd.DataFrame(columns=[*TIMELINE]).astype({"timestamp": "datetime64[us, UTC]"})
    known = timeline.reindex(
        columns=["timestamp", "seconds", "samples", "errors", "users", "mean_ms", "p50_ms", "p95_ms"]
    )
    known = known.rename(columns={"samples": "completions"})
    in_flight = known["completions"] * known["mean_ms"] / 1000 / known["seconds"]
    known = known.assign(arrivals=np.nan, in_flight=in_flight.mask(known["completions"] == 0, 0.0))
    return known[[*TIMELINE]].sort_values("timestamp", ignore_index=True)


def told_steps(timeline: pd.DataFrame) -> pd.DataFrame:
    """Load points of a course that statistics tell: rates, users and means; percentiles never, they do not add up."""
    rows: list[dict[str, Any]] = []
    timeline = timeline[timeline["completions"].notna()]  # an interval of which nothing is told is not an idle one
    for _, run in timeline.groupby((timeline["timestamp"].diff() > pd.Timedelta(seconds=PAUSE)).cumsum()):
        signals = [(run["completions"] / run["seconds"]).to_numpy(dtype=float)]
        users = run["users"].interpolate(limit_direction="both").to_numpy(dtype=float)
        if np.isfinite(users).all():
            signals.append(users)
        for part in segments(signals):
            warm = round(0.15 * (part.end - part.begin)) if not part.ramp and part.end - part.begin >= 5 else 0
            chosen = run.iloc[part.begin + warm : part.end - bool(warm)]
            if chosen["completions"].sum() > 0:
                rows.append({"step": len(rows) + 1, **_told_step(chosen, part.ramp)})
    mark_failing(rows)
    return steps_frame(rows)


def _told_step(part: pd.DataFrame, ramp: bool) -> dict[str, Any]:
    samples, seconds = float(part["completions"].sum()), float(part["seconds"].sum())
    errors = float(part["errors"].sum()) if part["errors"].notna().all() else np.nan
    known = part[part["mean_ms"].notna() & (part["completions"] > 0)]
    mean = float(np.average(known["mean_ms"], weights=known["completions"])) if len(known) else np.nan
    rate = change((part["completions"] / part["seconds"]).to_numpy(dtype=float))
    steady = not ramp and abs(rate) <= SAME_RATE and samples >= FEW
    why = [
        "ramping" if ramp else "",
        f"{samples:.0f} requests are too few to say whether it was steady" if samples < FEW else "",
        f"throughput changed by {rate:+.1%} between its halves" if abs(rate) > SAME_RATE and not ramp else "",
        "from statistics: no percentiles, no arrivals",
    ]
    return {
        "group": "",
        "start": part["timestamp"].iloc[0],
        "end": part["timestamp"].iloc[-1] + pd.Timedelta(seconds=float(part["seconds"].iloc[-1])),
        "seconds": seconds,
        "throughput_per_s": samples / seconds,
        "goodput_per_s": (samples - errors) / seconds,
        "in_flight": samples * mean / 1000 / seconds,
        "users": float(part["users"].mean()),
        "samples": round(samples),
        "error_share": errors / samples,
        "mean_ms": mean,
        "loop": "unknown",
        "steady": steady,
        "saturated": False,
        "reason": "; ".join(filter(None, why)),
    }


def by_name(kept: Mapping[int, Kept], texts: list[str]) -> dict[str, Kept]:
    """What was kept of groups or labels, by their names; those beyond what is told apart are left out."""
    return {texts[code]: one for code, one in sorted(kept.items()) if code < min(len(texts), MOST_LABELS)}
