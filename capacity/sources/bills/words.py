"""What is remarkable about a bill, in words: the same for every road to one."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from capacity.findings import Finding
from capacity.sources.bills.bill import UNTAGGED
from capacity.sources.bills.usage_types import usage_of

#: Names spelled out in one finding; the rest are counted.
_NAMED = 5


def unknown_usage(frame: pd.DataFrame) -> Iterator[Finding]:
    """Usage types that stand for no resource we know: in the bill and in `cost`, in no quantity."""
    used = frame.loc[(frame["resource"] == "") & frame["quantity"].notna(), ["usage_type", "unit"]]
    kinds = used.drop_duplicates().itertuples(index=False, name=None)
    names = sorted({usage_type for usage_type, unit in kinds if usage_of(usage_type, unit) is None})
    if names:
        rows = int(used["usage_type"].isin(names).sum())
        yield Finding(
            "",
            "",
            "usage types",
            "REVIEW",
            f"{len(names):,} usage types ({rows:,} rows) are not known here: {listed(names)}",
            "Their cost counts, their quantity does not. Tell us if it is vCPU or memory of tasks.",
            count=rows,
        )


def untagged(frame: pd.DataFrame, tag: str) -> Iterator[Finding]:
    """How much of the money no service answers for."""
    if not tag or frame.empty:
        return
    nameless = frame["service"] == UNTAGGED
    if not nameless.any():
        return
    money = frame["amount"].abs().sum()
    share = frame.loc[nameless, "amount"].abs().sum() / money if money > 0 else 1.0
    message = f"{share:.1%} of the cost has no value of the tag {tag!r}: it is service {UNTAGGED}"
    advice = "Tag the services with --propagate-tags SERVICE, and activate the tag for cost allocation."
    if nameless.all():
        message = f"nothing in the bill has a value of the tag {tag!r}"
        advice = "Spelled so? Activate it for cost allocation; earlier days stay untagged."
    yield Finding("", "cost", "untagged", "REVIEW", message, advice, count=int(nameless.sum()))


def estimated(frame: pd.DataFrame, advice: str) -> Iterator[Finding]:
    """Intervals that the provider may still change, in one finding."""
    stamps = frame.loc[frame["estimated"], ["timestamp", "interval"]].drop_duplicates()
    if len(stamps):
        start, last = stamps["timestamp"].min(), stamps["timestamp"].max()
        end = (stamps["timestamp"] + pd.to_timedelta(stamps["interval"], unit="s")).max()
        yield Finding(
            "",
            "",
            "estimated",
            "REVIEW",
            f"{len(stamps):,} intervals from {start:%Y-%m-%d} to {last:%Y-%m-%d} may still change",
            advice,
            start=start,
            end=end,
            count=len(stamps),
        )


def listed(names: list[str]) -> str:
    """The first of some names, and how many more there are.

    >>> listed(["a", "b", "c", "d", "e", "f", "g"])
    'a, b, c, d, e and 2 more'
    """
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
