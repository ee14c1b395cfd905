"""`ErrorBudgets`: what became of every promise of a fleet, worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, SEVERITY, Finding, Findings
from capacity.history import History
from capacity.history.line import counted
from capacity.monitoring.laying import MINUTE
from capacity.monitoring.minutes import Minutes, utc
from capacity.monitoring.slos import BURN_WINDOWS, DAY, WELL_KNOWN, SloStatus, days, slo_status
from capacity.schema import ERROR_BUDGETS
from capacity.sources.base import Span

#: Name of the findings.
CHECK: Final = "slo"

#: A slowest answer so many times the usual one was probably meant in milliseconds.
FAR_FROM_USUAL: Final = 100

#: What of the frame fits on a screen of 120 letters.
SHOWN: Final = (
    *("status", "service", "slo", "objective", "window_days", "good", "left"),
    *("burn_1h", "burn_6h", "burn_3d", "gone_at", "unknown_minutes"),
)

#: SLOs drawn by `plot` when no service is named.
DRAWN: Final = 5

#: Percent past which lines are drawn at the top: a budget that is spent thirty times over would flatten the others.
DRAWN_AT_MOST: Final = 200


@dataclass(frozen=True, eq=False)
class ErrorBudgets:
    """The SLOs of services and what became of them, the worst first; iterable, each a `SloStatus`.

    findings  services without an SLO, SLOs of which little is known, and what was decided about the data
    """

    statuses: tuple[SloStatus, ...]
    at: pd.Timestamp
    findings: Findings = NO_FINDINGS

    def __iter__(self) -> Iterator[SloStatus]:
        return iter(self.statuses)

    def __len__(self) -> int:
        return len(self.statuses)

    def of(self, service: str) -> tuple[SloStatus, ...]:
        """Those of one service."""
        return tuple(one for one in self.statuses if one.service == service)

    @property
    def frame(self) -> pd.DataFrame:
        """The table `schema.ERROR_BUDGETS`: one row an SLO, the worst first."""
        table = pd.DataFrame([_row(one) for one in self.statuses], columns=ERROR_BUDGETS.names)
        return table.assign(gone_at=pd.to_datetime(table["gone_at"], utc=True)).astype(ERROR_BUDGETS.types)

    def __str__(self) -> str:
        if not self.statuses:
            return "No SLO is stated: add [[service.slo]] to the settings."
        return "\n".join(f"{one.status} {one}" for one in self.statuses)

    def _repr_html_(self) -> str:
        broken = sum(one.status == "FAIL" for one in self.statuses)
        return table_html(
            f"{counted(len(self), 'SLO')} on {self.at:%Y-%m-%d %H:%M} UTC, {broken} of them broken", self.frame
        )

    def plot(self, service: str | None = None) -> Any:
        """A chart of what was spent of each error budget, in percent over the last window; past 100 it is broken.

        Of the worst SLOs, or of all of a service. What is past 200 % is drawn at the top.
        """
        from capacity import charts

        if service is not None and not self.of(service):
            named = ", ".join(dict.fromkeys(one.service for one in self.statuses)) or "none"
            raise InputError(f"{service!r} has no SLO here", advice=f"Services that have: {named}.")
        chosen = self.statuses[:DRAWN] if service is None else self.of(service)
        times = pd.DatetimeIndex(sorted(set().union(*(one.left.index for one in chosen))))
        spent = {f"{one.service} {one.slo.name}": 100 * (1 - one.left.reindex(times).to_numpy()) for one in chosen}
        lines = {name: np.minimum(line, DRAWN_AT_MOST) for name, line in spent.items()}
        return charts.lines(times, lines, unit="%", title="Error budget spent", limit={"all of it": 100.0})


def error_budgets(history: History, services: Iterable[Service], at: object = None) -> ErrorBudgets:
    """What became of every SLO of the services, over its window up to a time.

    at  the end of the windows, UTC; default: the end of the history, of whichever service it is

    A service that the history does not know has SLOs of which nothing is known.
    """
    begin, end = history.span
    stamp = end if at is None else utc(at)
    statuses: list[SloStatus] = []
    findings: list[Finding] = []
    for service in services:
        if not service.slo:
            findings += _nothing_promised(service, history)
            continue
        minutes = _before(history, service, begin, stamp)
        findings += [Finding(service.name, "errors", CHECK, "PASS", f"{note}.") for note in minutes.notes]
        of_service = [slo_status(slo, minutes, stamp) for slo in service.slo]
        statuses += of_service
        findings += [found for one in of_service for found in _doubts(one, minutes)]
    order = sorted(statuses, key=lambda one: (SEVERITY[one.status], -np.nan_to_num(one.spent, nan=-np.inf)))
    return ErrorBudgets(tuple(order), stamp, Findings.of(findings))


def _before(history: History, service: Service, begin: pd.Timestamp, at: pd.Timestamp) -> Minutes:
    """The minutes that the windows of its SLOs, and the windows before those, are made of."""
    days = 2 * max(slo.window_days for slo in service.slo)
    start = max(begin, at - pd.Timedelta(days=days)).floor("min")
    wanted = ("requests", "errors", "latency")
    if service.name in history.services and set(wanted) & set(history.metrics(service.name)):
        return Minutes.of_history(history, service, span=Span(start, max(at, start)), signals=wanted)
    return Minutes.of(service, pd.date_range(start, at, freq="min", inclusive="left"), {})


def _row(one: SloStatus) -> dict[str, Any]:
    stated = {"service": one.service, "slo": one.slo.name, "kind": one.slo.kind, "status": one.status}
    counts = {name: getattr(one, name) for name in ("total", "bad", "known_minutes", "unknown_minutes", "seconds")}
    burn = {f"burn_{name}": one.burn[name] for name in (*BURN_WINDOWS, "window")}
    budget = {"good": one.good, "spent": one.spent, "left": 1 - one.spent, "gone_at": one.gone_at}
    return {
        **stated,
        "objective": one.slo.objective,
        "window_days": one.slo.window_days,
        **budget,
        **burn,
        **counts,
        "quiet_minutes": one.quiet_minutes,
    }


def _nothing_promised(service: Service, history: History) -> Iterator[Finding]:
    """That a service which is asked by someone promises nothing; a worker on a queue, of which no requests are known,
    is asked by nobody."""
    if service.name in history.services and "requests" in history.metrics(service.name):
        yield Finding(
            service.name,
            "",
            CHECK,
            "UNKNOWN",
            "no SLO is stated: nobody can say whether it is good enough, or wake someone when it is not",
            "Add to it: slo = [{ objective = 0.999 }], as docs/slos.md explains.",
        )


def _doubts(one: SloStatus, minutes: Minutes) -> Iterator[Finding]:
    """What of a status rests on little, or on a slip of the pen."""
    metric = "errors" if one.slo.kind == "availability" else "latency"
    window = one.known_minutes + one.unknown_minutes
    if np.isnan(one.good):
        needed = "requests and errors" if metric == "errors" else f"latency ({one.slo.percentile})"
        what, advice = f"nothing is known of {needed}", f"Bring {needed}, or leave the SLO out."
        if one.nobody_asked:
            what, advice = one.unjudged, "Is it still in use?"
        said = f"{one.slo.name}: {what} in the {days(one.slo.window_days)} of its window"
        yield Finding(one.service, metric, CHECK, "UNKNOWN", said, advice)
        return
    if one.known_minutes < WELL_KNOWN * window:
        said = f"{one.slo.name}: of {one.unknown_minutes / DAY:.1f} of {window / DAY:g} days nothing is known"
        yield Finding(one.service, metric, CHECK, "REVIEW", said, "They count neither as good nor as bad.")
    if one.seconds > MINUTE and metric == "latency":
        said = f"{one.slo.name}: judged by the {one.slo.percentile} of intervals of {one.seconds} s, whole intervals"
        yield Finding(one.service, metric, CHECK, "REVIEW", said, "Fetch minutes: a slow minute hides in its hour.")
    latency = minutes["latency", one.slo.percentile]
    usual = float(np.median(latency[np.isfinite(latency)])) if metric == "latency" else float("nan")
    if one.slo.latency_seconds is not None and one.slo.latency_seconds >= FAR_FROM_USUAL * usual:
        said = f"{one.slo.name}: latency_seconds = {one.slo.latency_seconds:g}, and the usual is {usual:.3g} s"
        yield Finding(
            one.service, metric, CHECK, "REVIEW", said, "Is it in milliseconds? Such a promise tells nothing."
        )
