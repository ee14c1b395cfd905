"""What to know of a review before relying on it: what could not be compared, and what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from capacity.findings import Finding, Status
from capacity.planning.words import counted, first_few, share
from capacity.reviewing.coverage import Past
from capacity.reviewing.decomposing import Split

#: Share of the intervals that have passed from which on nothing is said of those that are missing.
ALL: Final = 0.999


class Unknown(NamedTuple):
    """A part of the error that is not known for some services."""

    check: str
    what: str
    advice: str
    of: Callable[[Split], bool]


UNKNOWN: Final = (
    Unknown(
        "capacity",
        "What a task carried is not known",
        "Bring requests and cpu of the same intervals.",
        lambda one: np.isnan(one.task_hours("carried")),
    ),
    Unknown(
        "price",
        "What was paid is not known",
        "Bring cost, as `capacity fetch cost-explorer` does.",
        lambda one: np.isnan(one.usd_per_task_hour_paid),
    ),
    Unknown(
        "price",
        "No price was planned with",
        "State one in [[prices.rate]].",
        lambda one: np.isnan(one.usd_per_task_hour),
    ),
)


def remarks(past: Past, splits: Mapping[str, Split]) -> list[Finding]:
    """Findings of a review; of what is lacking in the same way for many services, one for all of them."""
    found = [finding for one in splits.values() for finding in _of(one)]
    for unknown in UNKNOWN:
        names = [name for name, one in splits.items() if one.compared.any() and unknown.of(one)]
        if names:
            message = f"{unknown.what} for {counted(len(names), 'service')}, nor is its part: {first_few(names)}."
            found.append(Finding("", "", unknown.check, "UNKNOWN", message, unknown.advice, count=len(names)))
    missing = past.actual.missing
    if missing:
        message = f"{counted(len(missing), 'service')} of the plan without actuals: {first_few(missing)}."
        advice = "Add them to what is fetched, or plan without them."
        found.append(Finding("", "", "missing", "REVIEW", message, advice, count=len(missing)))
    return found


def _of(one: Split) -> Iterator[Finding]:
    name, compared = one.service.name, float(one.compared.mean())
    if compared < ALL:
        message = (
            f"{share(compared)} of the intervals that have passed are compared: in the others its demand or its "
            "running tasks are not known."
        )
        status: Status = "UNKNOWN" if compared == 0 else "REVIEW"
        missing = int((~one.compared).sum())
        yield Finding(name, "", "compared", status, message, "Fetch what is missing.", count=missing)
    saturated = int(one.censored.sum())
    if saturated:
        message = f"In {saturated:,} of the compared intervals it was saturated: it needed at least what is counted."
        yield Finding(name, "", "censored", "REVIEW", message, "Read its demand part as the least.", count=saturated)
