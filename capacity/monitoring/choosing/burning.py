"""An error budget that burns too fast: a page where it would be gone within days, a ticket where within the window.

Source: Google, The Site Reliability Workbook, chapter 5, "Alerting on SLOs", section 6, "Multiwindow, Multi-Burn-Rate
Alerts". A rate of 1 spends exactly the budget within the SLO's window. Spending a share `s` of it within `t` minutes is
a rate of s x window / t: for 30 days 2 % in an hour is 14.4, 5 % in six hours is 6, 10 % in a day is 3 and 10 % in
three days is 1. For another window the rates follow from the same shares. Each is asked for over a twelfth of its
window, too, so that an alarm ends soon after the trouble has.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final, NamedTuple

from capacity.config import Slo
from capacity.findings import Finding
from capacity.monitoring.choosing.known import Calmer, Known, Proposal
from capacity.monitoring.conditions import AnyOf, BurnRate, Reading
from capacity.monitoring.slos import budget_spent
from capacity.planning.words import counted


class Window(NamedTuple):
    share: float  # of the budget, spent ...
    long: int  # ... within so many minutes
    short: int


#: Table 5-8 of the Workbook, "Recommended parameters for an SLO-based alerting configuration" for 99.9 %.
PAGE: Final = (Window(0.02, 60, 5), Window(0.05, 360, 30))
TICKET: Final = (Window(0.10, 1440, 120), Window(0.10, 4320, 360))

#: Low traffic: the long window holds at least this share of what the budget is at usual traffic, and so many failures.
#: At night one failed request of three is no page. The Workbook, "Low-Traffic Services and Error Budget Alerting".
LEAST_SHARE: Final = 0.01
LEAST_FAILED: Final = 5

#: An alarm that only more than this share of failures could set off would never go off.
MOST_BAD: Final = 0.8

#: What is tried where a page is too easily set off.
LONGER: Final = 2
HIGHER: Final = 1.5


def burning(known: Known) -> tuple[list[Proposal], list[Finding]]:
    """burn_fast and burn_slow of every SLO; a finding for a service that promises nothing."""
    if not known.service.slo:
        message = "Nothing says what was promised to its users, so that no alarm watches an error budget."
        advice = 'Add a [[service.slo]]: kind = "availability", objective = 0.999.'
        if known.expected("requests") is None:
            advice = "Its requests are not known, so that no promise about them could be watched: measure them first."
        return [], [known.finding("slo", message, advice)]
    findings = [found for slo in known.service.slo if (found := _unmeasured(known, slo)) is not None]
    return [proposal for slo in known.service.slo for proposal in _of(known, slo)], findings


def _unmeasured(known: Known, slo: Slo) -> Finding | None:
    """That history holds nothing of what an SLO is about: if the monitor does not either, its alarms stay silent."""
    signal, stat = ("latency", slo.percentile) if slo.kind == "latency" else ("requests", "mean")
    if known.watch is None or known.watch.minutes.has(signal, stat):
        return None
    what = f"{signal} ({slo.percentile})" if slo.kind == "latency" else signal
    message = f"The history holds no {what}: if the monitor has none either, the alarms of {slo.name} never go off."
    return known.finding("slo", message, f"Measure {what}: for CloudWatch state alb_resource_label.")


def _of(known: Known, slo: Slo) -> list[Proposal]:
    fast, slow = _rates(known, slo, PAGE), _rates(known, slo, TICKET)
    gone = "before its window ends" if slo.window_days > 1 else "within its window of a day"
    batch = known.service.tier == "batch" and slo.kind == "latency"
    words, promise = _words(slo), _promise(slo)
    longer = _rates(known, slo, PAGE, longer=LONGER)
    calmer = (
        Calmer(longer, "over windows twice as long"),
        Calmer(_rates(known, slo, PAGE, longer=LONGER, higher=HIGHER), "and at rates half as high again"),
    )
    more = slo.name if len(known.service.slo) > 1 else ""
    page = known.alarm(
        "burn_fast",
        "ticket" if batch else "page",
        fast,
        f"{words}: at this rate the error budget is gone within {'days' if slo.window_days > 1 else 'hours'}.",
        f"{promise} {_said(fast, slo, 'wake no one')}{' Work of a batch service waits: a ticket.' if batch else ''}",
        more=more,
    )
    ticket = known.alarm(
        "burn_slow",
        "ticket",
        slow,
        f"{words}: at this rate the error budget is gone {gone}.",
        f"{promise} {_said(slow, slo, 'are no ticket')}",
        more=more,
    )
    return [Proposal(page, calmer), Proposal(ticket)]


def budget(known: Known, slo: Slo) -> float:
    """What may be bad within the SLO's window at usual traffic: requests (NaN: traffic is not known), or minutes."""
    minutes = slo.window_days * 24 * 60
    return slo.budget * minutes * (known.requests * 60 if slo.kind == "availability" else 1)


def _rates(known: Known, slo: Slo, windows: tuple[Window, ...], longer: int = 1, higher: float = 1.0) -> AnyOf:
    whole = slo.window_days * 24 * 60  # minutes
    of = budget(known, slo)
    least = LEAST_FAILED if math.isnan(of) else max(LEAST_FAILED, round(LEAST_SHARE * of))
    reading = Reading("latency", slo.percentile) if slo.kind == "latency" else None
    rates = []
    for window in windows:
        if window.long * longer > whole:  # of an SLO of a day, three days say nothing
            continue
        rate = BurnRate(
            slo=slo.name,
            kind=slo.kind,
            objective=slo.objective,
            factor=max(1.0, round(window.share * whole / window.long, 6)),
            long_minutes=window.long * longer,
            short_minutes=window.short * longer,
            reading=reading,
            slowest=slo.latency_seconds,
            least_bad=float(least if slo.kind == "availability" else min(least, window.long * longer // 2)),
        )
        rates.append(replace(rate, factor=round(min(rate.factor * higher, MOST_BAD / slo.budget), 6)))
    return AnyOf(tuple(dict.fromkeys(rates)))


def _words(slo: Slo) -> str:
    if slo.kind == "availability":
        return f"Too many requests fail ({slo.name})"
    return f"Answers are too slow ({slo.name}: {slo.percentile} above {_seconds(slo)})"


def _promise(slo: Slo) -> str:
    what = (
        "of requests without error" if slo.kind == "availability" else f"of minutes {slo.percentile} ≤ {_seconds(slo)}"
    )
    return f"Promised: {slo.objective * 100:g} % {what} over {counted(slo.window_days, 'day')}."


def _said(made: AnyOf, slo: Slo, spared: str) -> str:
    rates = [rate for rate in made.parts if isinstance(rate, BurnRate)]
    parts = [f"{rate.factor:g} x over {_span(rate.long_minutes)} and {_span(rate.short_minutes)}" for rate in rates]
    spent = [
        f"{100 * budget_spent(rate.factor, rate.long_minutes, slo.window_days):.2g} % in {_span(rate.long_minutes)}"
        for rate in rates
    ]
    what = "failed requests" if slo.kind == "availability" else "slow minutes"
    least = min(rate.least_bad for rate in rates)
    return (
        f"The budget burns {' or '.join(parts)} (spends {' or '.join(spent)}; The Site Reliability Workbook, "
        f"chapter 5), with at least {least:,.0f} {what}, so that a few at night {spared}."
    )


def _seconds(slo: Slo) -> str:
    seconds = slo.latency_seconds or math.nan
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def _span(minutes: int) -> str:
    """Minutes as people say them.

    >>> _span(5), _span(360), _span(4320)
    ('5 min', '6 h', '3 d')
    """
    if minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
