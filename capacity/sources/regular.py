"""Rows of many series onto regular grids: the interval of each series, stamps beside its grid, rows said twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.findings import Finding
from capacity.schema import OBSERVATIONS
from capacity.sources.base import series_codes
from capacity.sources.problems import LISTED, Problems
from capacity.timegrid import interval_of

_SECOND: Final = 1_000_000  # microseconds
_DAY: Final = 86_400 * _SECOND
#: How far beside the grid a stamp may lie and still be meant for it, as share of the interval and at most: jitter of a
#: scheduler is seconds, rarely minutes.
JITTER, JITTER_MOST = 0.1, 300 * _SECOND
#: A day counted by a local clock begins up to this much beside the UTC grid, after a change of clocks.
_CLOCK_CHANGE: Final = 3600 * _SECOND
#: Intervals that people measure in, in seconds: tried when jitter hides the real one.
_USUAL: Final = (1, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_WORDS = ["service", "metric", "stat"]


def with_intervals(rows: pd.DataFrame, problems: Problems, findings: list[Finding]) -> pd.DataFrame:
    """The rows with every `interval` filled in, in seconds: seen from the stamps of each series in each file.

    rows  columns service, metric, stat (categories), file, row, interval (0: not said), us
    """
    unsaid = np.flatnonzero(rows["interval"].to_numpy() == 0)
    if len(unsaid) == 0:
        return rows
    part = rows.iloc[unsaid]
    series = series_codes(part, ["file", *_WORDS])
    us = part["us"].to_numpy()
    seconds = rows["interval"].to_numpy().copy()
    alone: list[np.ndarray] = []
    for members in _groups(series):
        seen = _seconds_between(us[members])
        if seen is None:
            alone.append(unsaid[members])
        else:
            seconds[unsaid[members]] = seen
    rows = rows.assign(interval=seconds)
    others = np.unique(seconds[seconds > 0])
    for members in alone:
        first = rows.iloc[members[0]]
        label = f"{first['service']} {first['metric']}"
        if len(others) != 1:
            problems.add(
                f"{label} has one stamp only, so its interval cannot be seen",
                f"{first['file']} row {first['row']}",
                "Say interval_seconds=... (--interval-seconds ...), or bring more rows.",
            )
            continue
        seconds[members] = others[0]
        findings.append(
            Finding(
                str(first["service"]),
                str(first["metric"]),
                "short",
                "REVIEW",
                f"one stamp only in {first['file']}: taken to be an interval of {others[0]} s, like all others",
                "Say interval_seconds=... if it is not.",
            )
        )
    return rows.assign(interval=seconds)


def _groups(codes: np.ndarray) -> Iterator[np.ndarray]:
    """Positions of equal codes, in order of code."""
    order = np.argsort(codes, kind="stable")
    cuts = np.flatnonzero(np.diff(codes[order])) + 1
    yield from np.split(order, cuts) if len(order) else []


def _seconds_between(us: np.ndarray) -> int | None:
    """Interval of one series in whole seconds, None for a single stamp."""
    try:
        common = interval_of(pd.DatetimeIndex(us.view("datetime64[us]"))) / pd.Timedelta(seconds=1)
    except InputError:
        return None
    if common in _USUAL or common % 86_400 == 0:
        return int(common)
    middle = float(np.median(np.diff(np.unique(us)))) / _SECOND
    nearest = min(_USUAL, key=lambda size: abs(size - middle))
    return nearest if abs(nearest - middle) <= JITTER * nearest else max(1, round(common))


def on_grid(rows: pd.DataFrame, problems: Problems, findings: list[Finding]) -> pd.DataFrame:
    """The rows with stamps on the grid of their series. Those a little beside it are moved, and that is reported.

    Farther ones are problems, with file and row. Expects rows sorted by series and stamp.
    """
    us, interval = rows["us"].to_numpy().copy(), rows["interval"].to_numpy().astype("int64") * _SECOND
    series = series_codes(rows, [*_WORDS, "interval"])
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    residue = us % interval
    if bool((residue == residue[starts][np.cumsum(np.diff(series, prepend=-1) != 0) - 1]).all()):
        return rows
    for members in _groups(series):
        size = int(interval[members[0]])
        beside = _beside(residue[members], size)
        if not beside.any():
            continue
        daily = size % _DAY == 0
        allowed = _CLOCK_CHANGE if daily else min(JITTER * size, JITTER_MOST)
        far = np.flatnonzero(np.abs(beside) > allowed)
        first = rows.iloc[members[0]]
        label = f"{first['service']} {first['metric']}"
        if len(far):
            _report_far(rows.iloc[members[far]], beside[far], size, label, problems)
            continue
        us[members] -= beside
        findings.append(_moved(first, beside, size, daily))
    return rows.assign(us=us)


def _beside(residue: np.ndarray, size: int) -> np.ndarray:
    """How far each stamp lies after its grid (before: negative), in microseconds."""
    wrapped = np.where(residue > size // 2, residue - size, residue)
    if bool((np.abs(wrapped) <= min(JITTER * size, JITTER_MOST)).all()) and len(np.unique(residue)) > 1:
        return wrapped  # the grid of round stamps
    sizes, counts = np.unique(residue, return_counts=True)
    beside = residue - sizes[np.argmax(counts)]
    return (beside + size // 2) % size - size // 2


def _moved(first: pd.Series, beside: np.ndarray, size: int, daily: bool) -> Finding:
    count, most = int(np.count_nonzero(beside)), float(np.abs(beside).max()) / _SECOND
    reason = "days of a local clock" if daily and most == _CLOCK_CHANGE / _SECOND else "jitter"
    return Finding(
        str(first["service"]),
        str(first["metric"]),
        "clock",
        "REVIEW",
        f"{count:,} of {len(beside):,} stamps lay up to {most:g} s beside the grid of {size // _SECOND:,} s ({reason}) "
        "and were moved to it",
        "Nothing to do if that is what was meant.",
        count=count,
    )


def _report_far(rows: pd.DataFrame, beside: np.ndarray, size: int, label: str, problems: Problems) -> None:
    for file, part in rows.groupby("file", observed=True, sort=False).indices.items():
        problems.rows(
            str(file),
            rows["row"].to_numpy()[part],
            lambda i, part=part: (  # type: ignore[misc]
                f"stamp lies {abs(beside[part[i]]) / _SECOND:g} s beside the grid of {size // _SECOND:,} s of {label}"
            ),
            "If rows have different intervals, give them a column `interval` in seconds.",
        )


def once(rows: pd.DataFrame, problems: Problems, findings: list[Finding]) -> pd.DataFrame:
    """Each key once. Rows said twice with one value are kept once; with two values, the later fetch is kept.

    Where rows do not know when they were fetched, two values are a problem. Expects rows sorted by series and stamp.
    """
    series, us = series_codes(rows, [*_WORDS, "interval"]), rows["us"].to_numpy()
    again = np.zeros(len(rows), dtype=bool)
    again[1:] = (np.diff(series) == 0) & (np.diff(us) == 0)
    if not again.any():
        return rows
    group = np.cumsum(~again) - 1  # one number a key
    value = rows["value"].to_numpy()
    first = np.flatnonzero(~again)[group]  # the first row of each row's key
    fetched = rows["fetched"].to_numpy()
    dated = rows["dated"].to_numpy()
    settled = dated & dated[first] & (fetched != fetched[first])
    contradicts = again & (value != value[first]) & ~settled
    pairs = np.flatnonzero(contradicts)
    for position in pairs[:LISTED]:
        one, two = rows.iloc[first[position]], rows.iloc[position]
        problems.add(
            f"{one['service']} {one['metric']} has two values for {_stamp(one['us'])}: "
            f"{one['value']:g} here and {two['value']:g} at {two['file']} row {two['row']}",
            f"{one['file']} row {one['row']}",
            "Keep one of each pair. If two services share one name, tell them apart: for clusters, "
            "columns={'cluster': 'service_prefix'} (--column cluster=service_prefix). If they are of different "
            "intervals, such as hours and minutes, give each row its own in a column `interval`, in seconds.",
        )
    if len(pairs) > LISTED:
        problems.add(f"and {len(pairs) - LISTED:,} further pairs of rows with one key and two values")
    findings.extend(_repeated(rows[again & (value == value[first])], "with the same value: kept once"))
    findings.extend(_repeated(rows[again & (value != value[first]) & settled], "with a later value: the later is kept"))
    order = np.lexsort((np.arange(len(rows)), -fetched, group))  # latest fetch, then earlier row
    keep = order[np.flatnonzero(np.diff(group[order], prepend=-1))]
    return rows.iloc[np.sort(keep)]


def _repeated(rows: pd.DataFrame, what: str) -> Iterator[Finding]:
    for (service, metric), count in rows.groupby(["service", "metric"], observed=True).size().items():
        rows_repeat = "1 row repeats" if count == 1 else f"{count:,} rows repeat"
        message = f"{rows_repeat} another row's {', '.join(OBSERVATIONS.key)} {what}"
        yield Finding(str(service), str(metric), "duplicates", "PASS", message, count=int(count))


def _stamp(us: int) -> str:
    return f"{pd.Timestamp(us, unit='us'):%Y-%m-%d %H:%M:%S} UTC"
