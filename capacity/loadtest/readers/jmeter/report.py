"""`statistics.json`, which JMeter puts beside its HTML report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from capacity.errors import InputError, Problem
from capacity.loadtest.readers.base import Reading, ResultFile, Summary
from capacity.loadtest.readers.finished import TOTAL, Row, number, summary, whole_json

_FIGURES: Final = {
    "samples": "sampleCount",
    "errors": "errorCount",
    "mean_ms": "meanResTime",
    "p50_ms": "medianResTime",
    "p90_ms": "pct1ResTime",
    "p95_ms": "pct2ResTime",
    "p99_ms": "pct3ResTime",
    "throughput_per_s": "throughput",
    "min_ms": "minResTime",
    "max_ms": "maxResTime",
}

#: Rows at the end of a run that its percentiles are of (jmeter.reportgenerator.statistic_window, as shipped).
WINDOW: Final = 20_000

#: A sub-result: the label of its container and a number.
_PART: Final = re.compile(r"(.+)-\d+", re.DOTALL)


@dataclass(frozen=True)
class JMeterStatistics:
    """A row a label, and `Total` as JMeter counts it: all rows but transactions, so with containers and their parts.

    Counts and rates are of the whole run. Percentiles are of its last 20,000 rows, and of the ranks that the run's
    properties asked for; the file says neither, so findings do (loadtest.md 1.6).
    """

    name: ClassVar[str] = "JMeter statistics.json"

    def recognises(self, file: ResultFile) -> bool:
        return file.text.startswith("{") and all(f'"{key}"' in file.text for key in ("sampleCount", "pct1ResTime"))

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        told = whole_json(file, reading)
        problems = [
            Problem("has no sampleCount and meanResTime", where=f"{file.path}: {label!r}")
            for label, figures in told.items()
            if not isinstance(figures, dict) or not {"sampleCount", "meanResTime"} <= figures.keys()
        ]
        if problems:
            raise InputError(
                f"{file.path} is not as JMeter writes it.", problems, "Make the report again: jmeter -g FILE -o DIR"
            )
        rows = {label: _row(figures) for label, figures in told.items()}
        self._note(file, reading, rows)
        total = rows.pop(TOTAL, None)
        return summary(rows.items(), total)

    def _note(self, file: ResultFile, reading: Reading, rows: Mapping[str, Row]) -> None:
        name = file.path.name
        reading.note(
            "percentile ranks",
            "REVIEW",
            f"{name} does not say which percentiles it holds; they were read as 90, 95 and 99 %",
            "Check aggregate_rpt_pct1 to 3 in the run's user.properties, or read the samples",
        )
        longest = max((row["samples"] for row in rows.values()), default=0)
        if longest > WINDOW:
            reading.note(
                "tail of the run",
                "REVIEW",
                f"{name}: JMeter takes percentiles from the last {WINDOW:,} rows, which are the end of {longest:,.0f}",
                "Read the samples (the .jtl) for percentiles of the whole run",
                count=int(longest),
            )
        containers = sorted({found[1] for label in rows if (found := _PART.fullmatch(label)) and found[1] in rows})
        if containers:
            reading.note(
                "counted twice",
                "REVIEW",
                f"{name}: the total counts {len(containers)} labels beside the requests they are made of "
                f"({', '.join(containers[:3])}{', ...' * (len(containers) > 3)})",
                "Redirects and pages with resources: read the samples for what the server saw",
                count=len(containers),
            )


def _row(figures: Mapping[str, Any]) -> dict[str, float]:
    return {column: number(figures.get(key)) for column, key in _FIGURES.items()}
