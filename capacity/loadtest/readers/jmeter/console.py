"""What JMeter prints while it runs: the lines of its summariser, from the console or from jmeter.log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, Summary
from capacity.loadtest.readers.finished import Row, number, summary, whole_text
from capacity.loadtest.readers.jmeter.clock import Clock

#: `summary =   2031 in 00:00:20 =  100.6/s Avg: 107 Min: 6 Max: 300 Err: 0 (0.00%)`; before 2.14 `in  20.3s`. The
#: name before the sign is the listener's. Before it, in jmeter.log: a date and who speaks.
_LINE: Final = re.compile(
    r"^(?:(?P<stamp>\d{4}[/-]\d\d[/-]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?)\s.*?:\s)?(?P<name>[^\n]*?)\s+(?P<sign>[+=])\s+"
    r"(?P<samples>\d+)\s+in\s+(?P<time>[\d:.,]+)s?\s+=\s+(?P<rate>[\d.,]+)/s\s+Avg:\s+(?P<mean>-?\d+)\s+"
    r"Min:\s+(?P<min>-?\d+)\s+Max:\s+(?P<max>-?\d+)\s+Err:\s+(?P<errors>\d+)\s+\([^)]*\)(?:\s+Active:\s+(?P<active>\d+))?",
    re.MULTILINE,
)

#: `Starting standalone test @ 2026 Nov 23 09:54:06 UTC (1795427646123)`
_STARTED: Final = re.compile(r"^Starting (?:the|standalone) test @ [^\n]*\((\d{12,13})\)", re.MULTILINE)


@dataclass(frozen=True)
class JMeterConsole:
    """The last `summary =` line as the total, and the `summary +` lines as the course of the test.

    It counts top-level samplers: no transactions, and a page with its resources once, so fewer than the requests that
    were sent (loadtest.md 1.4). There are no labels and no percentiles. The course needs the moment of the start: from
    the stamps of jmeter.log, or from the line that the console begins with.
    """

    name: ClassVar[str] = "JMeter console"

    def recognises(self, file: ResultFile) -> bool:
        return _LINE.search(file.text) is not None

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        text = whole_text(file, reading)
        lines = list(_LINE.finditer(text))
        totals, parts = ([line for line in lines if line["sign"] == sign] for sign in "=+")
        names = list(dict.fromkeys(line["name"].strip() for line in totals or parts))
        if len(names) > 1:
            raise InputError(
                f"{file.path} holds the lines of {len(names)} summarisers ({', '.join(map(repr, names))}), which count "
                "the same samples.",
                advice="Keep the lines of one of them.",
            )
        total = _total(totals, parts)
        reading.note(
            "top level only",
            "REVIEW",
            f"{file.path.name}: JMeter's summary counts samplers, not the requests inside pages and redirects, and "
            "has no percentiles",
            "Read the samples (the .jtl) to size by it",
        )
        if not totals or (
            parts and not text.rstrip().endswith("... end of run") and totals[-1].end() < parts[-1].end()
        ):
            reading.note(
                "truncated", "REVIEW", f"{file.path.name} ends before the run's last total; rows were added up"
            )
        return summary([], total, _timeline(file, reading, text, parts))


def _total(totals: list[re.Match[str]], parts: list[re.Match[str]]) -> Row:
    """The last total, or the sum of the parts when that tells of more."""
    added = _added([_figures(line) for line in parts]) if parts else None
    if not totals:
        assert added is not None
        return added
    last = _figures(totals[-1])
    return added if added and added["samples"] > last["samples"] else last


def _figures(line: re.Match[str]) -> dict[str, float]:
    figures = {column: float(line[group]) for column, group in _GROUPS.items()}
    return {**figures, "seconds": _seconds(line["time"]), "throughput_per_s": number(line["rate"].replace(",", "."))}


_GROUPS: Final = {"samples": "samples", "errors": "errors", "mean_ms": "mean", "min_ms": "min", "max_ms": "max"}


def _added(parts: list[dict[str, float]]) -> dict[str, float]:
    samples, seconds = (sum(part[column] for part in parts) for column in ("samples", "seconds"))
    return {
        "samples": samples,
        "errors": sum(part["errors"] for part in parts),
        "mean_ms": sum(part["mean_ms"] * part["samples"] for part in parts) / samples if samples else np.nan,
        "min_ms": min(part["min_ms"] for part in parts),
        "max_ms": max(part["max_ms"] for part in parts),
        "throughput_per_s": samples / seconds if seconds else np.nan,
    }


def _seconds(text: str) -> float:
    """
    >>> _seconds("00:01:20"), _seconds("20.3")
    (80.0, 20.3)
    """
    hours, minutes, seconds = (["0", "0", *text.replace(",", ".").split(":")])[-3:]
    return float(hours) * 3600 + float(minutes) * 60 + float(seconds)


def _timeline(file: ResultFile, reading: Reading, text: str, parts: list[re.Match[str]]) -> pd.DataFrame | None:
    """A row a `summary +` line; None when nothing says when the test began."""
    if not parts:
        return None
    seconds = np.array([_seconds(line["time"]) for line in parts])
    began = _STARTED.search(text)
    if all(line["stamp"] for line in parts):
        local = [pd.Timestamp(line["stamp"].replace(",", ".").replace("/", "-")) for line in parts]
        clock = Clock(file.timezone)
        ends = clock.utc(pd.DatetimeIndex(local).as_unit("us").asi8)
        clock.note(reading, file.path.name)
        starts = ends - (seconds * 1e6).astype(np.int64)
    elif began:
        starts = int(began[1]) * 1000 + (np.concatenate([[0.0], np.cumsum(seconds)[:-1]]) * 1e6).astype(np.int64)
    else:
        reading.note(
            "no moments",
            "REVIEW",
            f"{file.path.name} does not say when the test began, so its intervals are not placed in time",
            "Bring jmeter.log, or the console from its first line on",
        )
        return None
    return pd.DataFrame(
        {
            "timestamp": pd.DatetimeIndex(starts.view("datetime64[us]")).tz_localize("UTC"),
            "seconds": seconds,
            "samples": [float(line["samples"]) for line in parts],
            "errors": [float(line["errors"]) for line in parts],
            "mean_ms": [float(line["mean"]) for line in parts],
            "users": [float(line["active"] or np.nan) for line in parts],
            **dict.fromkeys(("p50_ms", "p95_ms", "p99_ms"), np.nan),
        }
    )
