"""Locust's `_stats.csv` and `_stats_history.csv` (loadtest.md 4.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, ResultReader, Summary
from capacity.loadtest.readers.finished import Row, number, summary, whole_csv

_AGGREGATED: Final = "Aggregated"
_PERCENTILES: Final = {"50%": "p50_ms", "90%": "p90_ms", "95%": "p95_ms", "99%": "p99_ms"}
_STATS: Final = {
    "Request Count": "samples",
    "Failure Count": "errors",
    "Average Response Time": "mean_ms",
    "Min Response Time": "min_ms",
    "Max Response Time": "max_ms",
    "Requests/s": "throughput_per_s",
    **_PERCENTILES,
}
_HISTORY: Final = {
    "Total Request Count": "samples",
    "Total Failure Count": "errors",
    "Total Average Response Time": "mean_ms",
    "Total Median Response Time": "p50_ms",
    "Total Min Response Time": "min_ms",
    "Total Max Response Time": "max_ms",
}
#: Epoch seconds of the year 2286: a later moment is none.
_LATEST_SECONDS: Final = 9_999_999_999
#: Locust rounds times from 100 ms on to two significant digits before it counts them (`StatsEntry.log_response_time`).
_ROUNDED: Final = "Locust rounds the times behind its percentiles to two digits (110, 120, 130 ms): off by up to 5 %"


class LocustStats:
    """`_stats.csv`: a row a request name, the last is the total; percentiles of the whole test, failures included.

    A label is the name, with its type (`GET`, `POST`) before it where one name has several.
    """

    name: ClassVar[str] = "Locust stats CSV"

    def recognises(self, file: ResultFile) -> bool:
        return file.text.startswith("Type,Name,Request Count,Failure Count")

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        table = _table(file, reading, _STATS)
        reading.note("rounded percentiles", "REVIEW", _ROUNDED, "Compare with an SLO only beyond that margin.")
        rows = [_row(figures, _STATS) for figures in table]
        return _by_label(table, rows)


class LocustHistory:
    """`_stats_history.csv`: a row a second. Counts and means of an interval are differences of the totals.

    Its percentiles are of no interval: since the start, or with `--csv-full-history` of about the last ten seconds.
    So the timeline has none; by label, those since the start are the whole test's.
    """

    name: ClassVar[str] = "Locust history CSV"

    def recognises(self, file: ResultFile) -> bool:
        return file.text.startswith("Timestamp,User Count,Type,Name,")

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        table = pd.DataFrame(_table(file, reading, _HISTORY))
        total = table[(table["Name"] == _AGGREGATED) & (table["Type"] == "")]
        if total.empty:
            raise InputError(f"{file.path} has no row named Aggregated. Bring the file as Locust wrote it.")
        full = len(total) < len(table)
        window = "the last ten seconds or so" if full else "all of the test so far"
        message = f"percentiles of {file.path.name} are over {window}, not over the interval: the timeline has none"
        reading.note("percentiles of no interval", "REVIEW", message, "For percentiles by load step use another tool.")
        last = table.drop_duplicates(["Type", "Name"], keep="last").to_dict("records")
        columns = _HISTORY if full else {**_HISTORY, **_PERCENTILES}
        if not full:
            reading.note("rounded percentiles", "REVIEW", _ROUNDED, "Compare with an SLO only beyond that margin.")
        timeline = _timeline(total, file, reading)
        counted = timeline[(timeline["samples"] > 0) & (timeline["timestamp"] >= _counted_from(total))]
        seconds = counted["seconds"].sum()
        rows = [_row(figures, columns) for figures in last]
        with_rates = [{**row, "throughput_per_s": row["samples"] / seconds if seconds else np.nan} for row in rows]
        return _by_label(last, with_rates, timeline)


class LocustLeftovers:
    """`_failures.csv` and `_exceptions.csv`: known, so that the refusal can say which file to bring."""

    name: ClassVar[str] = "Locust failures or exceptions CSV"

    def recognises(self, file: ResultFile) -> bool:
        return file.text.startswith(("Method,Name,Error,Occurrences", "Count,Message,Traceback,Nodes"))

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        raise InputError(
            f"{file.path} tells what went wrong and not how many requests there were or how long they took",
            advice="Bring the _stats.csv or the _stats_history.csv that Locust wrote beside it.",
        )


def _table(file: ResultFile, reading: Reading, columns: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows by column name. A last row that was cut short is left out, with a finding."""
    header, *rows = filter(any, whole_csv(file, reading))
    missing = [name for name in columns if name not in header]
    if missing:
        raise InputError(f"{file.path} has no column {', '.join(missing)}. Bring the file as Locust wrote it.")
    if rows and len(rows[-1]) < len(header):
        rows.pop()
        message = f"the last line of {file.path.name} is cut short and was left out"
        reading.note("truncated", "REVIEW", message, "Locust was stopped while it wrote; the rest counts.", 1)
    short = [line for line, cells in enumerate(rows, 2) if len(cells) != len(header)]
    if short:
        raise InputError(f"{file.path} row {short[0]}: not as many cells as columns. Bring it as Locust wrote it.")
    if not rows:
        raise InputError(f"{file.path} holds a header and no rows: the test had not begun. Bring a later file.")
    return [dict(zip(header, cells, strict=True)) for cells in rows]


def _row(figures: dict[str, str], columns: dict[str, str]) -> dict[str, float]:
    """Our columns; without requests there are no times."""
    row = {ours: number(figures.get(theirs)) for theirs, ours in columns.items()}
    if row["samples"] > 0:
        return row
    return {name: value for name, value in row.items() if not name.endswith("_ms")}


def _by_label(table: Sequence[dict[str, str]], rows: Sequence[Row], timeline: pd.DataFrame | None = None) -> Summary:
    """Rows under their labels. Locust's total has the name Aggregated and no type."""
    types = Counter(figures["Name"] for figures in table)
    labels, total = [], None
    for figures, row in zip(table, rows, strict=True):
        if figures["Name"] == _AGGREGATED and not figures["Type"]:
            total = row
        else:
            several = types[figures["Name"]] > 1
            labels.append((f"{figures['Type']} {figures['Name']}" if several else figures["Name"], row))
    return summary(labels, total, timeline)


def _counted_from(total: pd.DataFrame) -> pd.Timestamp:
    """The moment since which the totals count: the beginning, or the last reset."""
    falls = np.flatnonzero(np.diff(total["Total Request Count"].map(number).to_numpy()) < 0)
    return _moments(total)[falls[-1] + 1 if len(falls) else 0]


def _moments(total: pd.DataFrame) -> pd.DatetimeIndex:
    """Stamps as moments; NaT for what is none."""
    stamps = total["Timestamp"].map(number)
    known = stamps.where(stamps.between(0, _LATEST_SECONDS))
    return pd.DatetimeIndex(pd.to_datetime(known.to_numpy(), unit="s", utc=True)).as_unit("us")


def _timeline(total: pd.DataFrame, file: ResultFile, reading: Reading) -> pd.DataFrame:
    """What happened between a row and the one before; a row lies at the end of its interval."""
    moments = _moments(total)
    samples, errors, mean = (
        total[f"Total {name}"].map(number).to_numpy()
        for name in ("Request Count", "Failure Count", "Average Response Time")
    )
    total_ms = np.where(samples > 0, samples * mean, 0.0)
    seconds, counts = (moments[1:] - moments[:-1]).total_seconds().to_numpy(), np.diff(samples)
    kept = (seconds > 0) & (counts >= 0)  # counts that fall: statistics were reset when all users had started
    if not kept.all():
        message = f"{(~kept).sum():,} rows of {file.path.name} repeat a moment or follow a reset of the statistics"
        reading.note("history reset", "REVIEW", message, "They are left out of the timeline.", int((~kept).sum()))
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(counts > 0, np.diff(total_ms) / counts, np.nan)
    frame = pd.DataFrame(
        {
            "timestamp": moments[:-1],
            "seconds": seconds,
            "samples": counts,
            "errors": np.diff(errors),
            "mean_ms": means,
            "users": total["User Count"].map(number).to_numpy()[1:],
            **{name: np.full(len(counts), np.nan) for name in ("p50_ms", "p95_ms", "p99_ms")},
        }
    )
    return frame[kept].reset_index(drop=True)


READERS: tuple[ResultReader, ...] = (LocustStats(), LocustHistory(), LocustLeftovers())
