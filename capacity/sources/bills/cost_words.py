"""What Cost Explorer cannot answer, in words: findings where the rest still counts, errors where nothing does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd

from capacity.errors import SourceDenied, SourceError
from capacity.findings import Finding
from capacity.sources.aws.complaints import code_of
from capacity.sources.base import Span
from capacity.sources.bills import words as bill_words
from capacity.sources.pulling import nothing_found

_ENABLE = (
    "Open Billing and Cost Management > Cost Explorer once in the console of the management account (it then allows "
    "its member accounts); data arrives within 24 hours."
)


def about(frame: pd.DataFrame, tag: str) -> Iterator[Finding]:
    """What is remarkable about a bill."""
    yield from bill_words.unknown_usage(frame)
    yield from bill_words.untagged(frame, tag)
    yield from bill_words.estimated(frame, "They are stored, and read again by the next pull until they are final.")


def empty(span: Span) -> Finding:
    """Nothing at all, in the whole of what was asked for."""
    return nothing_found(
        "",
        "cost",
        f"Cost Explorer has nothing of ECS from {span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M}",
        "Is this the account (and region) that pays? Tasks on EC2 are billed as EC2, those of EKS as EKS.",
    )


def older(start: pd.Timestamp, end: pd.Timestamp, step: pd.Timedelta) -> Finding:
    """A part of a span that Cost Explorer has forgotten."""
    hourly = step < pd.Timedelta(days=1)
    kept = "hours for 14 days" if hourly else "days of the current month and the 13 before"
    return Finding(
        "",
        "",
        "lookback",
        "UNKNOWN",
        f"Cost Explorer keeps {kept}: nothing before {end:%Y-%m-%d %H:%M} was asked for",
        "Ask for days instead of hours." if hourly else "A FOCUS export reaches as far back as it was switched on.",
        start=start,
        end=end,
        count=int((end - start) / step),
    )


def no_commitments(metric: str, error: SourceError) -> Finding | None:
    """Why there is no coverage or utilization; None if the error is about more than that."""
    code, status = code_of(error.__cause__) if isinstance(error.__cause__, Exception) else ("", 0)
    if status == 500 and code == "500":  # a server that stands in for AWS and does not have this
        message = f"{error} The bill itself is complete"
        return Finding("", metric, "commitments", "UNKNOWN", message, "Leave them out: --no-savings-plans.")
    if code == "DataUnavailableException":
        message = "Cost Explorer has no Savings Plans data for this time: none was active, or it is not ready yet"
        return Finding("", metric, "commitments", "UNKNOWN", message, "Nothing to do without Savings Plans.")
    if isinstance(error, SourceDenied) and code.startswith("AccessDenied"):
        return Finding("", metric, "commitments", "UNKNOWN", str(error), "The bill itself is complete.")
    return None


@contextmanager
def clearer() -> Iterator[None]:
    """Inside, errors that are Cost Explorer's own say what to do about it."""
    try:
        yield
    except SourceError as error:
        said = _advice(error)
        if said is None:
            raise
        raise type(error)(said) from error.__cause__


def _advice(error: SourceError) -> str | None:
    """The sentences for a complaint that only Cost Explorer makes; None for any other."""
    cause = error.__cause__
    if not isinstance(cause, Exception):
        return None
    code, text = code_of(cause)[0], str(cause).lower()
    if "not enabled for cost explorer" in text:
        return f"ce:GetCostAndUsage: Cost Explorer is not enabled for this account. {_ENABLE}"
    if code == "DataUnavailableException":
        return f"ce:GetCostAndUsage: Cost Explorer has no data for this time. Was it enabled only now? {_ENABLE}"
    if code == "BillExpirationException":
        return "ce:GetCostAndUsage: the bill of this time has expired. Ask for fewer days (--days)."
    if "hourly" in text:
        return (
            "ce:GetCostAndUsage: hourly data is not switched on. Switch on `Hourly and resource level data` in the "
            "Cost Management preferences of the management account (it costs extra), or read days."
        )
    if "historical data beyond" in text:
        return (
            "ce:GetCostAndUsage: this is older than Cost Explorer keeps for this account. Ask for fewer days (--days)."
        )
    return None
