"""What to trust of a load test: its own consistency, its generator, its arrivals. Each check is a finding in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from capacity.findings import Status
from capacity.loadtest.cells import SECOND, Cells
from capacity.loadtest.histograms import PRECISION
from capacity.loadtest.readers.base import Reading
from capacity.loadtest.steps import Step
from capacity.loadtest.summaries import OTHER_LABELS, TOTAL
from capacity.loadtest.tally import MOST_HOSTS, MOST_LABELS, WINDOW, Kept, Order, Tallied

#: Little's law L = X R holds within 0.2 % on real runs; beyond 3 % the reading is wrong (loadtest.md 5.1).
LITTLE: Final = 0.03

#: Little's law needs a window of so many mean latencies: before and behind it, requests hang over its edges.
LITTLE_LATENCIES: Final = 30

#: A Poisson stream has a dispersion of 1. Bursts of a shared clock gave 10 to 30, jittered ones up to 1.2
#: (loadtest.md 2.3): above 5 arrivals are synchronised, above 3 a person should look.
SYNCHRONISED: Final = 5.0
BUNCHED: Final = 3.0

#: A dispersion counts only if tenths of seconds also differ by this share of their mean: of a thousand arrivals each,
#: a tenth more or less is a high dispersion and no burst.
UNEVEN: Final = 0.5

#: Generators whose shares of the requests differ by more than this factor.
UNEQUAL: Final = 1.25

#: Fewest requests of a load point of which a p95 means something: five beyond it.
FEW: Final = 100

#: Failures this much faster than successes (medians), and this frequent, improve every quantile over all rows.
FAST: Final = 0.5
FREQUENT: Final = 0.01

#: Time to connect that grows by this factor from the lowest load to the highest, to this share of the latency.
CONNECT_GROWTH: Final = 2.0
CONNECT_SHARE: Final = 0.1

#: Shares of rows: starts in order while ends are not tells of stamps at the end (or of a file sorted afterwards).
IN_ORDER: Final = 0.001
OUT_OF_ORDER: Final = 0.05

#: Fewest rows from which an order is concluded.
ORDERED_ROWS: Final = 100


def check(reading: Reading, tallied: Tallied, steps: Sequence[Step], generators: Sequence[str]) -> None:
    """Look at everything, and note what is remarkable."""
    _kinds(reading, tallied)
    _folded(reading, tallied)
    for order in tallied.orders:
        _report(reading, order, tallied)
        _stamps(reading, order)
    _pauses(reading, tallied.cells)
    if tallied.requests.samples:
        _points(reading, steps)
        _little(reading, tallied.cells, steps)
        _arrivals(reading, tallied.cells, steps)
        _loops(reading, steps)
        _saturation(reading, steps)
        _generator(reading, tallied, steps, generators)
        _failures(reading, tallied)


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
            f"{rows - tallied.requests.samples:,} of {rows:,} rows are transactions or pages, told of again by their "
            f"requests; `Total` and the steps count the {tallied.requests.samples:,} requests",
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
            count=tallied.hosts[MOST_HOSTS].samples,
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


#: Seconds without anything in flight that are told of.
GAP: Final = 10


def _points(reading: Reading, steps: Sequence[Step]) -> None:
    if not steps:
        reading.note(
            "steps", "UNKNOWN", "no stretch of the test is long enough for a load point", "Run it for minutes."
        )
        return
    steady = [step for step in steps if step.row["steady"]]
    if not steady:
        reading.note(
            "steps",
            "REVIEW",
            f"no load point of {len(steps)} is steady: the load changed all the time, or the test was too short",
            "Hold each load for at least three minutes after a minute of settling.",
            count=len(steps),
        )
    few = [step for step in steady if step.row["samples"] < FEW]
    if few:
        reading.note(
            "samples",
            "REVIEW",
            f"{_steps(few)} of fewer than {FEW} requests: p95 rests on a handful of them",
            "Hold the load for longer.",
            count=len(few),
        )


def _little(reading: Reading, cells: Cells, steps: Sequence[Step]) -> None:
    wrong = []
    for step in steps:
        part = slice(step.begin, step.end)
        ended, time = int(cells.completions[part].sum()), float(cells.all_time[part].sum())
        mean = time / SECOND / ended
        if step.row["steady"] and not step.row["saturated"] and step.row["seconds"] > LITTLE_LATENCIES * mean > 0:
            off = float(cells.busy[part].sum()) / time - 1
            if abs(off) > LITTLE:
                wrong.append((step, off))
    if wrong:
        worst, off = max(wrong, key=lambda pair: abs(pair[1]))
        reading.note(
            "Little's law",
            "FAIL",
            f"requests in flight and throughput x latency differ by {off:+.1%} in step {worst.row['step']} (they agree "
            f"within {LITTLE:.0%} in any steady test): times or counts of this result are wrong",
            "Do not plan on it. Were rows lost, clocks set, or times stamped by several machines?",
            count=len(wrong),
        )


def _arrivals(reading: Reading, cells: Cells, steps: Sequence[Step]) -> None:
    judged: list[tuple[Step, bool]] = []
    for step in steps:
        found = step.row["dispersion"]
        if not found > BUNCHED or step.row["saturated"] or cells.bins is None:
            continue
        mean = float(cells.bins[step.begin : step.end].mean())
        if np.sqrt(found / mean) > UNEVEN and step.row["samples"] >= FEW:
            judged.append((step, found > SYNCHRONISED))
    bad = [step for step, synchronised in judged if synchronised]
    if bad:
        worst = max(bad, key=lambda step: step.row["dispersion"])
        reading.note(
            "synchronised arrivals",
            "FAIL",
            f"arrivals came in bursts in {_steps(bad)} (dispersion {worst.row['dispersion']:.1f} in step "
            f"{worst.row['step']}, a Poisson stream has 1): latency not usable, no capacity",
            "Users share a clock: spread their start, and add a random timer of one cycle.",
            count=len(bad),
        )
    elif judged:
        reading.note(
            "synchronised arrivals",
            "REVIEW",
            f"arrivals are bunched in {_steps([step for step, _ in judged])} (dispersion above {BUNCHED:g}): latency "
            "is rather too high",
            "Pages that fetch several resources at once do that; users that share a clock do, too.",
            count=len(judged),
        )


def _loops(reading: Reading, steps: Sequence[Step]) -> None:
    closed = [step for step in steps if step.row["loop"] == "closed"]
    if closed:
        reading.note(
            "coordinated omission",
            "REVIEW",
            f"{_steps(closed)}: a closed loop, in which users wait for an answer before they ask again. When the "
            "service slows down, fewer requests are sent, and the wait of those that would have come is not measured",
            "Use their throughput and concurrency, not their latency as a promise; test an SLO with open arrivals.",
            count=len(closed),
        )


def _saturation(reading: Reading, steps: Sequence[Step]) -> None:
    full = [step for step in steps if step.row["saturated"]]
    if full:
        first = full[0]
        reading.note(
            "saturation",
            "REVIEW",
            f"{_steps(full)} saturated: {first.row['reason']}{' (the first of them)' if len(full) > 1 else ''}",
            "Capacity lies below; these points do not enter it.",
            count=len(full),
        )


def _generator(reading: Reading, tallied: Tallied, steps: Sequence[Step], generators: Sequence[str]) -> None:
    """Signs that the generator, not the service, was at its end."""
    cells = tallied.cells
    level = [step for step in steps if not step.row["reason"].startswith("ramping")]
    if len(level) > 1:
        low, high = (pick(level, key=lambda step: step.row["throughput_per_s"]) for pick in (min, max))
        before, after = _connect(cells, low), _connect(cells, high)
        if after > CONNECT_GROWTH * max(before, 0.1) and after > CONNECT_SHARE * high.row["mean_ms"]:
            reading.note(
                "generator",
                "REVIEW",
                f"connecting takes {after:.3g} ms in step {high.row['step']}, {before:.3g} ms in step {low.row['step']}"
                ": the generator, its ports or the balancer may be the limit",
                "Keep connections alive, add generators, and compare with latency at the load balancer.",
            )
        lagging = [step for step in level if _lags(step, low)]
        if lagging:
            reading.note(
                "generator",
                "REVIEW",
                f"{_steps(lagging)} delivered less than asked although the service was as fast as at the lowest load: "
                "the generator did not keep up",
                "More threads or more generators; look at its own CPU.",
                count=len(lagging),
            )
    hosts = {code: kept for code, kept in tallied.hosts.items() if code < min(MOST_HOSTS, len(generators))}
    if len(hosts) > 1:
        order = sorted(hosts, key=lambda code: hosts[code].samples)
        few, many = hosts[order[0]].samples, hosts[order[-1]].samples
        unequal = many > UNEQUAL * few
        reading.note(
            "generators",
            "REVIEW" if unequal else "PASS",
            f"{len(hosts)} generators; users are summed over them"
            + (
                f"; {generators[order[-1]]!r} sent {many:,} requests, {generators[order[0]]!r} only {few:,}"
                if unequal
                else ""
            ),
            "Generators that share a load equally and send unequally were at their end." if unequal else "",
            count=len(hosts),
        )


def _connect(cells: Cells, step: Step) -> float:
    """Mean time to connect in a step, ms; 0 where not known."""
    part = slice(step.begin, step.end)
    return float(cells.connect_time[part].sum() / max(1, cells.connects[part].sum()) / 1000)


def _lags(step: Step, low: Step) -> bool:
    row = step.row
    late = row["asked_per_s"] - row["throughput_per_s"] > LITTLE * row["asked_per_s"]
    return bool(late and row["saturated"] and row["p50_ms"] < 1.2 * low.row["p50_ms"] and row["error_share"] < FREQUENT)


def _failures(reading: Reading, tallied: Tallied) -> None:
    failed, requests = tallied.failures, tallied.requests
    if failed.samples < FREQUENT * requests.samples or failed.samples == 0:
        return
    theirs = failed.histogram.quantile(0.5) / 1000
    good = _without(requests, failed)
    if np.isfinite(good) and theirs < FAST * good:
        reading.note(
            "fast failures",
            "REVIEW",
            f"{failed.samples:,} of {requests.samples:,} requests failed, and failed fast (mean of the successes "
            f"{good:,.3g} ms, median of the failures {theirs:,.3g} ms): the summary's quantiles, over all rows as "
            "JMeter has them, are too good",
            "The steps' latencies are of successes alone.",
            count=failed.samples,
        )


def _without(requests: Kept, failed: Kept) -> float:
    """Mean latency of the successes, ms; NaN if there are none."""
    good = requests.samples - failed.samples
    return (requests.total - failed.histogram.values @ failed.histogram.counts) / good / 1000 if good else float("nan")


def check_told(reading: Reading, summary: pd.DataFrame, steps: pd.DataFrame) -> None:
    """What a file of statistics leaves open."""
    open_ends = (
        "requests in flight, dispersion of arrivals and load points"
        if steps.empty
        else "arrivals and percentiles of load points"
    )
    status: Status = "UNKNOWN" if steps.empty else "REVIEW"
    reading.note(
        "statistics only",
        status,
        f"a file of finished statistics: {open_ends} cannot be told from it, nor how often a request was counted twice",
        "Read the raw results where they are kept: JMeter's .jtl, Gatling's simulation.log.",
    )
    total = summary.loc[TOTAL] if TOTAL in summary.index else None
    if total is not None and total["errors"] > FREQUENT * total["samples"]:
        reading.note(
            "failures",
            "REVIEW",
            f"{total['errors'] / total['samples']:.1%} of the samples failed, and their latencies are in all figures",
            count=round(float(total["errors"])),
        )


def _steps(steps: Sequence[Step]) -> str:
    """The numbers of some steps, in words.

    >>> _steps([Step(0, 1, {"step": n}) for n in (1, 2, 3, 7)])
    'steps 1-3, 7'
    """
    numbers = [int(step.row["step"]) for step in steps]
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    words = ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
    return f"step{'s' if len(numbers) > 1 else ''} {words}"


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
