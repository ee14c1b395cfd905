"""What is wrong or remarkable in a history. PASS is a note, REVIEW wants a look, FAIL is not to be planned on.

A check says nothing about a series it has nothing to say about: a report full of noise is not read. Each threshold
stands beside the check it belongs to, with its reason. Checks look at the mean of each interval, at the interval that,
with the finer ones after it, reaches longest. Bills are not checked here: no plan comes from them, and their sources
say what is remarkable about them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.findings import Finding, Findings
from capacity.history.clocks import clock_changes
from capacity.history.history import History
from capacity.history.joining import joined, known_at
from capacity.history.line import Line, counted, how_long, runs, when
from capacity.history.quiet import with_quiet
from capacity.history.saturation import saturation
from capacity.history.shapes import flat, outliers, resets
from capacity.history.shifts import shifts, without_followers
from capacity.schema import METRICS
from capacity.sources.base import tidy
from capacity.timegrid import LEAST_PRESENT, reaching

#: A gap is worth a look from this share of all intervals, or when one of them is this long; from the second share on,
#: a season is filled from its neighbours more than it is measured.
GAPS_REVIEW, GAPS_FAIL, GAP_LONG = 0.01, 0.30, "6h"
#: Metrics that have a value only where something was asked: a quiet hour has no latency and no errors.
ONLY_WHEN_ASKED: Final = ("latency", "errors")
#: Of those, one minute speaks for its hour.
SPARSE: Final = 0.0
#: Less than a day and a night twice shows no daily season; less than two weeks no weekly one.
SHORT_FAIL, SHORT_REVIEW = pd.Timedelta("2D"), pd.Timedelta("14D")
#: A series that ended this long before the fleet's last value: late data first, then a service that is gone.
STALE_REVIEW, STALE_FAIL = pd.Timedelta("2D"), pd.Timedelta("14D")
#: A gap that this share of the services have together is one of the fleet.
COMMON: Final = 0.8
#: Checks whose findings are said once for all metrics of a service, when they say the same of each.
_SHARED: Final = ("short", "stale", "gaps")


@dataclass(frozen=True)
class Outage:
    """A gap that `services` of `of` services have in common."""

    start: pd.Timestamp
    end: pd.Timestamp
    services: int
    of: int


def check_quality(history: History, services: Sequence[Service] = ()) -> Findings:
    """Everything remarkable about a history, with what reading it brought to light; worst first.

    services  with their limits and time zones: without them saturation is seen in utilisation only
    """
    lines = list(lines_of(history))
    if not lines:
        return history.findings
    known = {service.name: service for service in services}
    fleet_end = max(line.end for line in lines)
    by_service: dict[str, list[Line]] = {}
    for line in lines:
        by_service.setdefault(line.service, []).append(line)
    outages = common_gaps(lines)
    found: list[Finding] = [finding for outage in outages for finding in said_of_fleet(outage)]
    for name, mine in by_service.items():
        each = [finding for line in mine for check in CHECKS for finding in check(line)]
        each += [finding for line in mine for finding in (*gaps(line, outages), *stale(line, fleet_end))]
        counters = {finding.metric for finding in each if finding.check == "resets"}
        rates = [line for line in mine if line.metric not in counters]  # a counter has no level and no rhythm
        each += [finding for line in rates for finding in (*flat(line), *outliers(line))]
        moved = [finding for line in rates for finding in shifts(line)]
        found += said_once(each, mine) + without_followers(moved)
        found += [*clock_changes(rates, known.get(name)), *saturation(mine, known.get(name))]
    return Findings.of(history.findings, negatives(history.frame), found)


def lines_of(history: History) -> Iterator[Line]:
    """Each service and metric once: its mean, at the interval that, with finer ones, reaches longest.

    Where that interval has no rows of its own, the mean of finer ones stands in: CloudWatch keeps them for the last
    weeks. Intervals in which nobody asked anything are zeros (`quiet`).
    """
    measured = history.frame[~_billed(history.frame)]
    history = History(tidy(with_quiet(measured, history.answered)[0]), history.findings)
    intervals: dict[tuple[str, str], list[int]] = {}
    for key in history.keys:
        if key.stat == "mean":
            intervals.setdefault((key.service, key.metric), []).append(key.seconds)
    for (service, metric), known in intervals.items():
        parts = {seconds: history.series(service, metric, interval=pd.Timedelta(seconds=seconds)) for seconds in known}
        seconds = reaching(known_at(parts))
        series = joined(parts, seconds, SPARSE if metric in ONLY_WHEN_ASKED else LEAST_PRESENT)
        yield Line(service, metric, pd.DatetimeIndex(series.index), series.to_numpy(), pd.Timedelta(seconds=seconds))


def negatives(frame: pd.DataFrame) -> list[Finding]:
    """Values below zero, a finding a series: no measurement of ours can be. They are kept, and masked in demand."""
    below = frame[(frame["value"] < 0).to_numpy() & ~_billed(frame)]
    return [
        Finding(
            str(service),
            str(metric),
            "negative",
            "FAIL",
            f"{counted(len(rows), 'negative value')}, down to {rows['value'].min():,.4g} {METRICS[str(metric)].unit}, "
            f"first on {when(rows['timestamp'].min())}",
            "A count or level is never negative: look at the export. Demand takes them as gaps.",
            rows["timestamp"].min(),
            rows["timestamp"].max(),
            len(rows),
        )
        for (service, metric), rows in below.groupby(["service", "metric"], observed=True)
    ]


def _billed(frame: pd.DataFrame) -> np.ndarray:
    """(n,) which rows are of a bill."""
    return frame["metric"].isin([name for name, metric in METRICS.items() if metric.billed]).to_numpy()


def common_gaps(lines: Sequence[Line]) -> list[Outage]:
    """Gaps that most services have at the same time: the collector failed, not they."""
    seen: dict[tuple[pd.Timestamp, pd.Timestamp], set[str]] = {}
    for line in lines:
        for start, length in zip(*runs(~line.finite), strict=True):
            span = (line.times[start], line.times[start] + length * line.interval)
            seen.setdefault(span, set()).add(line.service)
    services = len({line.service for line in lines})
    return [
        Outage(start, end, len(who), services)
        for (start, end), who in sorted(seen.items())
        if len(who) >= max(3, COMMON * services)
    ]


def said_of_fleet(outage: Outage) -> Iterator[Finding]:
    """One finding for all services, if the outage is long enough to be worth a look."""
    length = outage.end - outage.start
    if length >= pd.Timedelta(GAP_LONG):
        yield Finding(
            "",
            "",
            "gaps",
            "REVIEW",
            f"{outage.services} of {outage.of} services have no values for {how_long(length)}, "
            f"from {when(outage.start)}",
            "The collector was out, not the services: fetch it again while the source still has it.",
            outage.start,
            outage.end,
        )


def gaps(line: Line, outages: Sequence[Outage] = ()) -> Iterator[Finding]:
    """Intervals without a value, between the first value and the last. Those of a fleet-wide outage are said there."""
    missing = ~line.finite
    if not missing.any():
        return
    own = missing.copy()
    for outage in outages:
        own[line.times.searchsorted(outage.start) : line.times.searchsorted(outage.end)] = False
    starts, lengths = runs(missing)
    longest = int(np.argmax(lengths))
    first, last = int(starts[longest]), int(starts[longest] + lengths[longest] - 1)
    serious = own.mean() > GAPS_REVIEW or max(runs(own)[1], default=0) >= max(3, line.steps(GAP_LONG))
    serious = serious and line.metric not in ONLY_WHEN_ASKED
    share = missing.mean()
    yield line.finding(
        "gaps",
        "FAIL" if share > GAPS_FAIL and serious else "REVIEW" if serious else "PASS",
        f"{missing.sum():,} of {len(missing):,} intervals have no value ({share:.1%}), in "
        f"{counted(len(starts), 'gap')}; the longest is {how_long(lengths[longest] * line.interval)} from "
        f"{line.when(first)}",
        "A gap is not a quiet hour: fetch it again while the source still has it." if serious else "",
        first=first,
        last=last,
        count=missing.sum(),
    )


def short(line: Line) -> Iterator[Finding]:
    """Too little history to see a season. One bad hour is all there is of errors, and no short history."""
    if line.length >= SHORT_REVIEW or line.metric == "errors":
        return
    hopeless = line.length < SHORT_FAIL
    yield line.finding(
        "short",
        "FAIL" if hopeless else "REVIEW",
        f"{how_long(line.length)} of history ({when(line.times[0])} to {when(line.end)}): too little to see a "
        + ("daily season" if hopeless else "weekly season, which takes 14 days"),
        "Bring older data, or plan again when there is more.",
    )


def stale(line: Line, fleet_end: pd.Timestamp) -> Iterator[Finding]:
    """The series ended long before the others. A service whose last error is long ago is a good one."""
    late = fleet_end - line.end
    if late < max(STALE_REVIEW, 3 * line.interval) or line.metric == "errors":
        return
    yield line.finding(
        "stale",
        "FAIL" if late >= max(STALE_FAIL, 3 * line.interval) else "REVIEW",
        f"the last value is of {line.when(len(line.values) - 1)}, {how_long(late)} before the fleet's last",
        "If the service is gone, leave it out; if not, fetch what is missing.",
    )


def zero(line: Line) -> Iterator[Finding]:
    """Nothing but zeros. A service without errors is a good one."""
    if line.metric != "errors" and not np.nanmax(np.abs(line.values)) > 0:
        yield line.finding(
            "zero",
            "FAIL",
            f"all {line.finite.sum():,} values are 0",
            "Is this the right metric, and the right service? There is nothing to forecast.",
            count=line.finite.sum(),
        )


def unit(line: Line) -> Iterator[Finding]:
    """A percentage that never passes 1 is a fraction, more often than not."""
    if METRICS[line.metric].unit == "%" and 0.05 < np.nanmax(line.values) <= 1.0:
        yield line.finding(
            "unit",
            "REVIEW",
            f"no value is above {np.nanmax(line.values):.3g} %: are these fractions?",
            'If they are, read them with unit="fraction".',
        )


def said_once(found: Iterable[Finding], lines: Sequence[Line]) -> list[Finding]:
    """Findings, with those that say the same of every steady metric of a service said once, of the service."""
    steady = sum(line.metric != "errors" for line in lines)  # those come and go
    grouped: dict[Finding, list[Finding]] = {}
    for finding in found:
        grouped.setdefault(replace(finding, metric=""), []).append(finding)
    merged: list[Finding] = []
    for same, each in grouped.items():
        together = len(each) >= max(2, steady) and same.check in _SHARED
        who = f"all {len(each)} metrics" if len(each) == len(lines) else f"{len(each)} metrics"
        merged += [replace(same, message=f"{who}: {same.message}")] if together else each
    return merged


#: Every check of one series by itself.
CHECKS: Final[tuple[Callable[[Line], Iterator[Finding]], ...]] = (
    short,
    zero,
    unit,
    resets,
)
