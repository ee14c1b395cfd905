"""`LoadTest`: what a test showed, in five tables and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from capacity.display import table_html
from capacity.drawing import short
from capacity.errors import InputError
from capacity.findings import Findings
from capacity.loadtest.cells import SECOND, Cells
from capacity.loadtest.histograms import ranked, representatives
from capacity.loadtest.summaries import TOTAL

#: Seconds of a block of the bootstrap: latencies of neighbouring seconds resemble each other, and drawing them one by
#: one would make intervals far too narrow (reference loadtest.md 8.2).
BLOCK: Final = 5

#: Draws computed at once: they need so many times the different latencies of a step, in memory.
TOGETHER: Final = 256

_FORMATS: Final = dict.fromkeys(("samples", "errors", "requests"), "{:,.0f}".format)


@dataclass(frozen=True, eq=False)
class LoadTest:
    """What a load test showed. Times are UTC, latencies milliseconds, rates per second; NaN is what is not known.

    files     which files it was read from, with their formats: ("run.jtl (JMeter CSV)",)
    summary   a row a label in order of first appearance, then `Total`: all requests, nothing counted twice
    steps     a row a load point, over its steady part
    errors    a row a label and outcome (response code or what went wrong), most first
    timeline  a row a second (or more, of tests longer than 36 hours)
    findings  what is remarkable: what to trust, what to look at, what was left out
    """

    files: tuple[str, ...]
    summary: pd.DataFrame
    steps: pd.DataFrame
    errors: pd.DataFrame
    timeline: pd.DataFrame
    findings: Findings
    cells: Cells | None = None  # None of a file of statistics
    windows: tuple[tuple[int, int], ...] = ()  # cells of each step: first, and the one after the last

    def resampled(self, step: int, quantile: float, draws: int = 1_000, seed: int = 0) -> np.ndarray:
        """(draws,) that latency quantile, ms, of a step's successes, as it could have come out: its sampling error.

        step      as in `steps.step`            quantile  in (0, 1)
        draws     how many                      seed      the same seed gives the same draws

        Circular block bootstrap (Politis and Romano, 1992) of blocks of at least 5 s, of whole seconds; a step of less
        than 10 s is drawn in halves, and its interval is rather too narrow. NaN is a draw in which nothing succeeded,
        as of a step with a handful of requests. Raises InputError for statistics without requests, for an unknown
        step, and for one in which nothing succeeded.
        """
        if self.cells is None:
            raise InputError(
                "a file of statistics cannot be resampled: it tells of no single request",
                advice="Read the raw results (JMeter's .jtl, Gatling's simulation.log) with capacity.loadtest.read.",
            )
        if not 0 < quantile < 1:
            raise InputError(f"quantile has to be between 0 and 1, got {quantile}: 0.95 is the 95th percentile")
        if draws < 1:
            raise InputError(f"draws has to be at least 1, got {draws}")
        if not 1 <= step <= len(self.windows):
            raise InputError(f"there is no step {step}", advice=f"The test has steps 1 to {len(self.windows)}.")
        return _resampled(self.cells, *self.windows[step - 1], quantile, draws, np.random.default_rng(seed))

    def plot(self, kind: Literal["time", "curve"] = "time") -> Any:
        """A chart: throughput and p95 over `time`, steady parts shaded; or the `curve` of latency by throughput."""
        from capacity.loadtest import pictures

        if kind not in ("time", "curve"):
            raise InputError(f"there is no plot {kind!r}", advice='Use "time" or "curve".')
        return pictures.over_time(self) if kind == "time" else pictures.curve(self)

    @property
    def status(self) -> str:
        """The worst of the findings: FAIL, UNKNOWN, REVIEW or PASS."""
        return self.findings.status

    @property
    def sentence(self) -> str:
        """The test in one sentence."""
        total = self.summary.loc[TOTAL]
        counted = "requests" if np.isfinite(total["requests"]) else "samples"
        share = total["errors"] / total["samples"] if total["samples"] else np.nan
        words = [f"{total['samples']:,.0f} {counted}"]
        if np.isfinite(share):
            words.append(f"{share:.2%} failed")
        if np.isfinite(total["throughput_per_s"]):
            words.append(f"{total['throughput_per_s']:,.4g} per second")
        if np.isfinite(total["p95_ms"]):
            words.append(f"p95 {total['p95_ms']:,.4g} ms")
        steps = len(self.steps)
        words.append("no load points" if not steps else f"{steps} load point{'s' if steps > 1 else ''}")
        return f"Load test: {', '.join(words)}; findings {self.status}"

    def __str__(self) -> str:
        table = self.summary.round(1).rename(index=short)
        parts = [self.sentence, "", table.to_string(max_rows=20, formatters=_FORMATS)]
        if len(self.steps):
            parts += ["", self.steps[[*_SHOWN]].round(2).to_string(index=False, max_rows=40)]
        return "\n".join([*parts, "", *map(str, self.findings)])

    def __repr__(self) -> str:
        return f"LoadTest({', '.join(self.files)})"

    def _repr_html_(self) -> str:
        tables = [
            table_html(self.sentence, self.summary.round(1).reset_index(), rows=20),
            table_html("Load points", self.steps[[*_SHOWN, "reason"]].round(2), rows=40) if len(self.steps) else "",
            table_html("Failures", self.errors) if len(self.errors) else "",
            table_html("Findings", self.findings.frame[["status", "check", "message", "advice"]], rows=40)
            if len(self.findings)
            else "",
        ]
        return "".join(tables)


_SHOWN: Final = (
    *("step", "group", "seconds", "asked_per_s", "throughput_per_s", "in_flight", "users", "error_share"),
    *("p50_ms", "p95_ms", "p99_ms", "dispersion", "loop", "steady", "saturated"),
)


def _resampled(
    cells: Cells, begin: int, end: int, level: float, draws: int, generator: np.random.Generator
) -> np.ndarray:
    part = slice(cells.offsets[begin], cells.offsets[end])
    buckets, columns = np.unique(cells.buckets[part], return_inverse=True)
    if not len(buckets):
        raise InputError("nothing succeeded in this step: there is no latency to resample")
    n = end - begin
    counts = np.zeros((n, len(buckets)))
    rows = np.repeat(np.arange(n), np.diff(cells.offsets[begin : end + 1]))
    counts[rows, columns] = cells.counts[part]
    block = min(-(-BLOCK * SECOND // cells.width), max(1, n // 2))
    around = np.cumsum(np.vstack([np.zeros(len(buckets)), counts, counts[:block]]), axis=0)
    blocks = around[block : block + n] - around[:n]  # (n, k): what lies in the block that begins at each cell
    values = representatives(buckets, cells.bits, cells.whole) / 1000
    chosen = generator.integers(0, n, (draws, -(-n // block)))
    found = np.empty(draws)
    for first in range(0, draws, TOGETHER):
        drawn = chosen[first : first + TOGETHER]
        times = np.zeros((len(drawn), n))
        np.add.at(times, (np.arange(len(drawn))[:, None], drawn), 1)
        cumulated = np.cumsum(times @ blocks, axis=1)
        for row, line in enumerate(cumulated):
            found[first + row] = ranked(values, line, np.array([level]))[0]
    return found
