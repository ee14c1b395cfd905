"""What to trust of a load test: its load points, its arrivals, its generator. Each check is a finding in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from capacity.findings import Status
from capacity.loadtest.cells import Cells
from capacity.loadtest.readers.base import Reading
from capacity.loadtest.row_checks import check_rows
from capacity.loadtest.steps import Step
from capacity.loadtest.summaries import TOTAL
from capacity.loadtest.tallied import Kept, Tallied
from capacity.loadtest.tally import MOST_HOSTS

#: Little's law L = X R holds within 0.2 % on real runs; beyond 3 % the reading is wrong (loadtest.md 5.1).
LITTLE: Final = 0.03

#: Requests hang over the edges of a window: on average each by E[R^2] / 2 E[R] (the inspection paradox), as many as are
#: in flight. Beyond this many times that, edges are no excuse.
EDGES: Final = 5.0

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

#: A start is told of if its median latency is this many times that of its step, from this many requests.
COLD: Final = 1.5
FEW_COLD: Final = 30

#: Failures this much faster than successes (medians), and this frequent, improve every quantile over all rows.
FAST: Final = 0.5
FREQUENT: Final = 0.01

#: Time to connect that grows by this factor from the lowest load to the highest, to this share of the latency.
CONNECT_GROWTH: Final = 2.0
CONNECT_SHARE: Final = 0.1


def check(reading: Reading, tallied: Tallied, steps: Sequence[Step], generators: Sequence[str]) -> None:
    """Look at everything, and note what is remarkable."""
    check_rows(reading, tallied)
    if tallied.requests.samples:
        _points(reading, steps)
        _warm_up(reading, tallied.cells, steps)
        _little(reading, tallied.cells, steps)
        _arrivals(reading, tallied.cells, steps)
        _loops(reading, steps)
        _saturation(reading, steps)
        _generator(reading, tallied, steps, generators)
        _failures(reading, tallied)


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


def _warm_up(reading: Reading, cells: Cells, steps: Sequence[Step]) -> None:
    """How slow the start was that the first step dropped: caches, compilers, connections."""
    if not steps or steps[0].begin == steps[0].first:
        return
    first = steps[0]
    cold = cells.histogram(first.first, first.begin)
    median = cold.quantile(0.5) / 1000
    if len(cold) >= FEW_COLD and median > COLD * first.row["p50_ms"]:
        reading.note(
            "warm-up",
            "PASS",
            f"the first {first.begin - first.first} seconds had a median latency of {median:,.3g} ms, and "
            f"{first.row['p50_ms']:,.3g} ms once warm: they were dropped",
            "New tasks serve like that at first: think of it in start-up time and scaling.",
            count=len(cold),
        )


def _little(reading: Reading, cells: Cells, steps: Sequence[Step]) -> None:
    wrong = []
    for step in steps:
        if not step.row["steady"] or step.row["saturated"]:
            continue
        part = slice(step.begin, step.end)
        busy, time = float(cells.busy[part].sum()), float(cells.all_time[part].sum())
        if abs(busy - time) > max(LITTLE * time, EDGES * step.row["in_flight"] * _left_over(cells, step)):
            wrong.append((step, busy / time - 1 if time else float("inf")))
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


def _left_over(cells: Cells, step: Step) -> float:
    """What a request that is found in flight still has before it, on average; microseconds."""
    latencies = cells.histogram(step.begin, step.end)
    values = latencies.values
    total = float(values @ latencies.counts)
    return float((values**2) @ latencies.counts) / 2 / total if total else 0.0


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
    closed = [step for step in steps if step.row["loop"] == "closed" and not step.row["saturated"]]
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
    hosts = {code: sent for code, sent in tallied.hosts.items() if code < min(MOST_HOSTS, len(generators))}
    if len(hosts) > 1:
        order = sorted(hosts, key=hosts.__getitem__)
        few, many = hosts[order[0]], hosts[order[-1]]
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
    """Mean time to connect in a step, ms; NaN where not known."""
    part = slice(step.begin, step.end)
    known = int(cells.connects[part].sum())
    return float(cells.connect_time[part].sum() / known / 1000) if known else float("nan")


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

    >>> _steps([Step(0, 0, 1, {"step": n}) for n in (1, 2, 3, 7)])
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
