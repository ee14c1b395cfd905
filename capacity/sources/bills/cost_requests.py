"""What Cost Explorer is asked: which pieces of a span, and which sums of each. Nothing here touches the network.

Why these sums. A bill needs, of every usage type and service, three things that a record type tells apart:

    used      `Usage`: quantity, and money at the price of the day (on demand or Spot)
    covered   `SavingsPlanCoveredUsage`, `DiscountedUsage`: quantity, and the amortized cost of the commitment
    charges   all the rest: credits, refunds, taxes, discounts, fees: money without quantity

`SavingsPlanNegation` is in none of them. It takes the on-demand price of covered usage back from the unblended cost,
and its amortized cost is 0 (AWS's Cost and Usage Report query library, `amortized_cost_by_charge_type`): added, its
quantity would count covered usage twice; and it carries no resource and so no tag, so that by service covered usage
would look unpaid for in one row and overpaid in another. Covered usage together with its negation is billed 0; what is
billed is the commitment (`SavingsPlanRecurringFee`), under a service of its own, and its unused part is in
`commitment_utilization`.

One answer groups by two keys at most, and its filter chooses whole groups. Without a tag, usage type and record type
are those two keys, and one request says all. With a tag, usage type and tag are, so each of the three sums takes a
request of its own: three unknown numbers a group, one number of each kind an answer. Fewer would leave one of them a
difference that negations and fees are part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

import pandas as pd

from capacity.errors import ConfigError
from capacity.sources.base import Span

Part = Literal["all", "used", "covered", "charges"]

#: The name of ECS in a bill. Fargate on EKS is billed under another one, and does not mix in.
ECS: Final = "Amazon Elastic Container Service"
#: As the API spells them; the model has them as free text, so a typo would not be caught on this side.
METRICS: Final = ("UsageQuantity", "UnblendedCost", "AmortizedCost")
USED: Final = ("Usage",)
COVERED: Final = ("SavingsPlanCoveredUsage", "DiscountedUsage")
NEGATION: Final = "SavingsPlanNegation"
#: "The current month and the 13 before"; by the hour, the last 14 days (Cost Explorer user guide).
MONTHS, HOURLY_DAYS = 13, 14
STEP: Final[Mapping[str, pd.Timedelta]] = {"DAILY": pd.Timedelta(days=1), "HOURLY": pd.Timedelta(hours=1)}
#: Pieces end with calendar quarters (daily) or weeks (hourly). All that Cost Explorer remembers takes six pieces at
#: most, a thousand services with ten usage types stay below a million rows a piece, and a past quarter is always asked
#: for in the same words, so that its answer is found again among those that were kept.
_PIECE: Final = {"DAILY": "Q", "HOURLY": "W-SUN"}


class Question(NamedTuple):
    """One request of GetCostAndUsage, and which part of the bill its answer is."""

    part: Part
    params: dict[str, Any]


def steps(granularity: str) -> pd.Timedelta:
    """The length of an interval; ConfigError for a granularity there is not."""
    if granularity not in STEP:
        raise ConfigError(f"granularity {granularity!r} is neither DAILY nor HOURLY")
    return STEP[granularity]


def oldest(granularity: str, now: pd.Timestamp) -> pd.Timestamp:
    """The first interval that Cost Explorer still answers.

    >>> oldest("DAILY", pd.Timestamp("2026-11-26T09:00Z")), oldest("HOURLY", pd.Timestamp("2026-11-26T09:30Z"))
    (Timestamp('2025-10-01 00:00:00+0000', tz='UTC'), Timestamp('2026-11-12 10:00:00+0000', tz='UTC'))
    """
    if granularity == "HOURLY":
        return (now - pd.Timedelta(days=HOURLY_DAYS)).ceil("h")
    return now.normalize().replace(day=1) - pd.DateOffset(months=MONTHS)


def whole(span: Span, step: pd.Timedelta, now: pd.Timestamp) -> Span:
    """The intervals that begin inside a span and are over by now; possibly none (start = end)."""
    start = span.start.ceil(step)
    return Span(start, max(start, min(span.end.ceil(step), now.floor(step))))


def pieces(spans: Iterable[Span], granularity: str) -> Iterator[Span]:
    """Spans cut where quarters or weeks end.

    >>> day = lambda text: pd.Timestamp(text, tz="UTC")
    >>> [f"{a:%m-%d} {b:%m-%d}" for a, b in pieces([Span(day("2026-03-30"), day("2026-07-02"))], "DAILY")]
    ['03-30 04-01', '04-01 07-01', '07-01 07-02']
    """
    for span in spans:
        start = span.start
        while start < span.end:
            following = (start.tz_localize(None).to_period(_PIECE[granularity]) + 1).start_time.tz_localize("UTC")
            end = min(span.end, following)
            yield Span(start, end)
            start = end


def questions(piece: Span, granularity: str, tag: str = "", account: str = "", region: str = "") -> list[Question]:
    """What to ask about a piece: one request, or three when a tag names the services (the reasons stand above)."""
    period = {"Start": written(piece.start, granularity), "End": written(piece.end, granularity)}
    keep = [_is("SERVICE", ECS)]
    keep += [_is("LINKED_ACCOUNT", account)] if account else []
    keep += [_is("REGION", region)] if region else []

    def question(part: Part, second: dict[str, str], records: list[dict[str, Any]]) -> Question:
        filters = [*keep, *records]
        params = {
            "TimePeriod": period,
            "Granularity": granularity,
            "Metrics": list(METRICS),
            "GroupBy": [{"Type": "DIMENSION", "Key": "USAGE_TYPE"}, second],
            "Filter": {"And": filters} if len(filters) > 1 else filters[0],
        }
        return Question(part, params)

    if not tag:
        return [question("all", {"Type": "DIMENSION", "Key": "RECORD_TYPE"}, [])]
    by_tag = {"Type": "TAG", "Key": tag}
    return [
        question("used", by_tag, [_is("RECORD_TYPE", *USED)]),
        question("covered", by_tag, [_is("RECORD_TYPE", *COVERED)]),
        question("charges", by_tag, [{"Not": _is("RECORD_TYPE", *USED, *COVERED, NEGATION)}]),
    ]


def written(stamp: pd.Timestamp, granularity: str) -> str:
    """A stamp as Cost Explorer wants it: a date, or date and time for hours. Ends are exclusive there, too."""
    return f"{stamp:%Y-%m-%d}" if granularity == "DAILY" else f"{stamp:%Y-%m-%dT%H:%M:%SZ}"


def _is(dimension: str, *values: str) -> dict[str, Any]:
    return {"Dimensions": {"Key": dimension, "Values": list(values)}}
