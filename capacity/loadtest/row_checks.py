"""What the rows of a load test tell about themselves: counted twice, stamped oddly, parted by pauses."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from capacity.loadtest.cells import SECOND, Cells
from capacity.loadtest.histograms import PRECISION
from capacity.loadtest.readers.base import Reading
from capacity.loadtest.summaries import OTHER_LABELS
from capacity.loadtest.tallied import Order, Tallied
from capacity.loadtest.tally import MOST_HOSTS, MOST_LABELS, WINDOW

#: Shares of rows: starts in order while ends are not tells of stamps at the end (or of a file sorted afterwards).
IN_ORDER: Final = 0.001
OUT_OF_ORDER: Final = 0.05

#: Fewest rows from which an order is concluded.
ORDERED_ROWS: Final = 100

#: Seconds without anything in flight that are told of.
GAP: Final = 10


def check_rows(reading: Reading, tallied: Tallied) -> None:
    """Look at how requests, rows and times go together, and note what is remarkable."""
    _kinds(reading, tallied)
    _folded(reading, tallied)
    for order in tallied.orders:
        _report(reading, order, tallied)
        _stamps(reading, order)
    _pauses(reading, tallied.cells)


def _kinds(reading: Reading, tallied: Tallied) -> None:
    rows = sum(kept.samples for kept in tallied.labels.values())
    if not tallied.requests.samples:
        reading.note(
            "requests",
            "UNKNOWN",
            f"all {rows:,} rows are transactions or pages: what the server was asked cannot be told, nor its rate",
            "Repeat with 'Generate parent sample' off, or save sub-results (jmeter.save.saveservice.subresults=true).",
            count=rows,
        )
    elif rows > tallied.requests.samples:
        reading.note(
            "requests",
            "PASS",
            f"{rows - tallied.requests.samples:,} of {rows:,} rows are transactions or pages, made of requests; "
            f"`Total` and the steps count the {tallied.requests.samples:,} requests that have rows of their own",
            count=rows - tallied.requests.samples,
        )


def _folded(reading: Reading, tallied: Tallied) -> None:
    if MOST_LABELS in tallied.labels:
        reading.note(
            "labels",
            "REVIEW",
            f"more than {MOST_LABELS:,} labels: those that came later are told as {OTHER_LABELS}",
            "Labels should not carry ids: name the request, not the object.",
            count=tallied.labels[MOST_LABELS].samples,
        )
    if MOST_HOSTS in tallied.hosts:
        reading.note(
            "generators",
            "REVIEW",
            f"more than {MOST_HOSTS:,} host names: the users of those that came later are not counted",
            "Is the column a generator's name?",
            count=tallied.hosts[MOST_HOSTS],
        )
    bits = min(tallied.cells.bits, tallied.requests.histogram.bits)
    if bits < PRECISION:
        reading.note(
            "precision", "PASS", f"so many different latencies that quantiles are known to 1/{2 << bits} of themselves"
        )
    if tallied.cells.width > SECOND:
        reading.note(
            "length",
            "PASS",
            f"a test this long is told by {tallied.cells.seconds:g} s; dispersion of arrivals is not known",
        )


def _report(reading: Reading, order: Order, tallied: Tallied) -> None:
    """What JMeter's own dashboard says differently, of a file it could report on."""
    if not order.jmeter or len(tallied.orders) > 1 or not order.countable:
        return
    if order.countable > tallied.requests.samples > 0:
        reading.note(
            "JMeter's report",
            "REVIEW",
            f"JMeter's dashboard counts {order.countable:,} in its Total, because it adds pages and redirects to the "
            f"requests they consist of; {tallied.requests.samples:,} requests were sent",
            count=order.countable - tallied.requests.samples,
        )
    if order.countable > WINDOW:
        theirs = float(np.quantile(order.window, 0.95, method="weibull")) / 1000
        ours = tallied.requests.histogram.quantile(0.95) / 1000
        reading.note(
            "JMeter's report",
            "REVIEW" if abs(theirs - ours) > 0.01 * ours else "PASS",
            f"JMeter's dashboard takes percentiles from the last {WINDOW:,} rows only: it says p95 {theirs:,.4g} ms "
            f"where all {tallied.requests.samples:,} requests have {ours:,.4g} ms",
            count=order.countable - WINDOW,
        )


def _stamps(reading: Reading, order: Order) -> None:
    where = f" in {Path(order.file).name}"
    if order.too_long:
        reading.note(
            "clock",
            "FAIL",
            f"{order.too_long:,} requests{where} say that they lasted longer than a day",
            "A clock was set during the test, or a column is not what its header says: repeat the test.",
            count=order.too_long,
        )
    if order.rows < ORDERED_ROWS:
        return
    if order.hosts == 1 and order.backwards:
        reading.note(
            "clock",
            "REVIEW",
            f"{order.backwards:,} requests{where} ended seconds before rows above them: a clock was set back, or files "
            "were joined",
            "Name the parts as separate files if they are of separate generators.",
            count=order.backwards,
        )
    if order.start_falls <= IN_ORDER * order.rows and order.end_falls >= OUT_OF_ORDER * order.rows:
        reading.note(
            "stamps",
            "REVIEW",
            f"stamps{where} are in order while start + elapsed is not: rows are written as requests end, so these may "
            "be times of the end (sampleresult.timestamp.start=false), or the file was sorted",
            "If the stamps are ends, arrivals are told too late by one latency each; rates and latencies still hold.",
            count=order.end_falls,
        )
    if not (order.odd_starts and order.odd_ends):
        reading.note(
            "stamps", "REVIEW", f"stamps{where} are whole seconds: whether arrivals came in bursts cannot be told"
        )


def _pauses(reading: Reading, cells: Cells) -> None:
    runs = cells.runs()
    for (_, before), (after, _) in pairwise(runs):
        start, end = (cells.start[before - 1] + cells.width) / SECOND, cells.start[after] / SECOND
        reading.note(
            "pause",
            "REVIEW",
            f"nothing was in flight for {_duration(end - start)} from {_clock(start)}: two runs in one result? "
            "They are measured apart, and throughput in the summary spans both",
            "JMeter appends to an existing -l file: delete it before a run.",
            count=round(end - start),
        )
    if len(runs) > 1:
        return
    idle = np.flatnonzero(cells.busy == 0)
    stretches = np.split(idle, np.flatnonzero(np.diff(idle) > 1) + 1)
    longest = max(stretches, key=len)
    if len(longest) * cells.seconds >= GAP:
        since = _clock(cells.start[longest[0]] / SECOND)
        reading.note(
            "gap",
            "REVIEW",
            f"nothing was in flight for {_duration(len(longest) * cells.seconds)} from {since}",
            "Between steps that is settling time; inside a step the generator stood still.",
            count=len(longest),
        )


def _duration(seconds: float) -> str:
    """A length of time in words.

    >>> _duration(42), _duration(4000), _duration(200000)
    ('42 s', '67 min', '2.3 days')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 86_400 else f"{seconds / 86_400:.1f} days"


def _clock(seconds: float) -> str:
    return f"{pd.Timestamp(int(seconds), unit='s', tz='UTC'):%Y-%m-%d %H:%M:%S} UTC"
