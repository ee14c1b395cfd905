"""What was done with each event, in words: learnt, as stated, blended, borrowed, or nothing for want of evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from capacity.config.event import Event
from capacity.findings import Finding, Status
from capacity.forecasting.knowledge.applied import Account


def told(events: Sequence[Event], accounts: Iterable[Mapping[str, Account]]) -> list[Finding]:
    """A finding for each of the caller's events, and for each holiday that is to come."""
    given = {event.name: event for event in events}
    found = _joined(accounts)
    findings = [_of_nobody(event) for event in events if event.name not in found]
    for name, account in found.items():
        event = given.get(name)
        if event is not None or account.ahead:
            findings.append(_told(name, event, account))
    return findings


def _told(name: str, event: Event | None, account: Account) -> Finding:
    stated = event.uplift if event is not None else None
    ahead = f"{times(account.ahead)} to come" if account.ahead else "none to come"
    past = f"{times(account.past)} in the past"
    if event is not None and event.lasting and (account.past or account.ahead or account.older):
        return _lasting(event, account)
    if account.regular and not account.used:
        message = f"{name!r} is in every week of the history: the model learns it as part of the week."
        return Finding("", "", "event", "PASS", message, count=account.ahead)
    if account.used and stated is not None and account.learnt:
        message = f"{name!r}: stated {factor([stated])}, learnt {factor(account.learnt)} from {past}; "
        message += f"{factor(account.used)} is used, {ahead}."
        return Finding("", "", "event", "REVIEW", message, "See that both mean the same.", count=account.ahead)
    if account.used and stated is not None:
        message = f"{name!r}: {factor([stated])} as stated, nothing like it was measured; {ahead}."
        return Finding("", "", "event", "PASS", message, count=account.ahead)
    if account.used and account.borrowed:
        message = f"{name!r} is not in the history: {factor(account.used)}, as its calendar's other days; {ahead}."
        return Finding("", "", "event", "REVIEW", message, "Bring a history that holds it.", count=account.ahead)
    if account.used:
        message = f"{name!r}: {factor(account.learnt)}, learnt from {past}; {ahead}."
        return Finding("", "", "event", "PASS", message, count=account.ahead)
    if account.ahead:
        message = f"{name!r} is to come, and nothing is known of what it does: the forecast is as without it."
        return Finding(
            "", "", "event", "UNKNOWN", message, "State its uplift, or past dates of it.", count=account.ahead
        )
    if account.past:
        message = f"{name!r}: {past}, taken out of what the model learns; none to come."
        return Finding("", "", "event", "PASS", message, count=account.past)
    if account.unmeasured:
        message = (
            f"{name!r}: no ordinary week lies beside it to measure it against; made a gap in what the model learns."
        )
        return Finding("", "", "event", "REVIEW", message, "Bring more history around it.")
    message = f"{name!r} is neither in the history nor in the horizon."
    return Finding("", "", "event", "REVIEW", message, "Check its dates.")


def _lasting(event: Event, account: Account) -> Finding:
    if account.ahead:
        message = f"{event.name!r} is to come: " + (
            f"{factor([event.uplift])} from then on, as stated."
            if account.used and event.uplift is not None
            else "nothing is known of what it does, and the forecast is as without it."
        )
        status: Status = "PASS" if account.used else "UNKNOWN"
        advice = "" if account.used else "State its uplift."
        return Finding("", "", "event", status, message, advice)
    if account.older:
        message = f"{event.name!r} is older than the history, which is all at its level: nothing was changed."
        return Finding("", "", "event", "PASS", message)
    if not account.used:
        message = f"{event.name!r}: too little history before or after it to measure it; nothing was changed."
        return Finding("", "", "event", "UNKNOWN", message, "State its uplift.")
    message = f"{event.name!r}: what came before it is brought to the level after it, {factor(account.used)}"
    if event.uplift is not None and account.learnt:
        message += f" (stated {factor([event.uplift])}, measured {factor(account.learnt)})"
    return Finding("", "", "event", "PASS", message + ".", count=1)


def _of_nobody(event: Event) -> Finding:
    message = f"{event.name!r} concerns no series here: services {list(event.services)}, metrics {list(event.metrics)}."
    return Finding("", "", "event", "REVIEW", message, "Names must be equal to the letter.")


def _joined(accounts: Iterable[Mapping[str, Account]]) -> dict[str, Account]:
    """One account an event: occurrences are those of the series that know most of them."""
    found: dict[str, Account] = {}
    for part in accounts:
        for name, one in part.items():
            whole = found.setdefault(name, Account())
            whole.past, whole.ahead = max(whole.past, one.past), max(whole.ahead, one.ahead)
            whole.learnt += one.learnt
            whole.used += one.used
            whole.borrowed |= one.borrowed
            whole.regular |= one.regular
            whole.unmeasured |= one.unmeasured
            whole.older |= one.older
    return found


def factor(factors: Sequence[float]) -> str:
    """A factor as people say it, with its range over series when they differ.

    >>> factor([1.5]), factor([1.2, 1.5, 2.0])
    ('×1.5', '×1.5 (×1.2 to ×2)')
    """
    low, middle, high = (f"×{value:.3g}" for value in np.quantile(factors, (0, 0.5, 1)))
    return middle if low == high else f"{middle} ({low} to {high})"


def times(count: int) -> str:
    """A count of occurrences in words: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
