"""Cost Explorer -> a bill, and how well commitments fit. Every page costs a cent, so each is asked for once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Final

import pandas as pd

from capacity.errors import SourceError
from capacity.findings import Finding, Findings
from capacity.schema import OBSERVATIONS
from capacity.sources.aws.door import Door
from capacity.sources.base import Observations, Span
from capacity.sources.bills import commitments, cost_words
from capacity.sources.bills.bill import ACCOUNT, DAY, Bill
from capacity.sources.bills.cost_pages import answered
from capacity.sources.bills.cost_requests import Question, oldest, pieces, questions, steps, whole
from capacity.sources.bills.metrics import observations
from capacity.sources.bills.paid import Page, PaidPages
from capacity.sources.coverage import NOTHING, Asked, Coverage
from capacity.sources.pulling import Batch, Outlay, pulled

NAME: Final = "cost-explorer"
#: One endpoint for the whole world (boto3's list of regions of `ce` is empty).
ENDPOINT: Final = "us-east-1"
#: "$0.01 per paginated API request" (AWS Cost Management pricing); requests that fail are not charged.
USD_A_PAGE: Final = 0.01
#: Age at which an interval that is not `Estimated` is taken as settled. "Refreshed up to three times a day", it lags 24
#: hours (Cost Explorer user guide); three days leave room for a day on which it was not.
SETTLE: Final = pd.Timedelta(days=3)
_SECOND: Final = pd.Timedelta(seconds=1)
_ASK: Final = "get_cost_and_usage"


@dataclass(frozen=True, eq=False)
class CostExplorer:
    """Amazon ECS in Cost Explorer: vCPU-hours, GB-hours, Spot and committed parts, and amortized cost.

    door         the account: the management account of an organization sees all of its accounts
    tag          key of the cost-allocation tag that names the service; empty: all of it as service `(account)`
    granularity  DAILY, or HOURLY where that is switched on (paid, and only the last 14 days)
    cache        folder in which answers are kept that are final; the same request is then free
    clock        what time it is
    account, region  only this one; empty: all together
    savings_plans    also coverage and utilization of Savings Plans, by day, of the whole account

    `cost_requests` says which requests are made and why those. Days that Cost Explorer calls estimated, and those less
    than three days old, are read, marked in the bill, and read again by the next pull. Quantities and money of one
    name in several accounts or regions add up, unless `account` and `region` keep them apart.
    """

    door: Door = field(default_factory=Door)
    tag: str = ""
    granularity: str = "DAILY"
    cache: Path | None = None
    clock: Callable[[], pd.Timestamp] = field(default=lambda: pd.Timestamp.now(tz="UTC"), repr=False)
    account: str = ""
    region: str = ""
    savings_plans: bool = True
    _paid: Counter[str] = field(default_factory=Counter, repr=False)

    def __post_init__(self) -> None:
        steps(self.granularity)  # refuses what is neither

    @property
    def name(self) -> str:
        return NAME

    @property
    def spent(self) -> Outlay:
        """Pages answered and paid for so far; those that came from the cache are not among them."""
        return _outlay(self._paid)

    def bill(self, span: Span | None = None) -> Bill:
        """The bill of the intervals that begin inside a span; default: of all that Cost Explorer remembers.

        Raises SourceDenied, SourceThrottled or SourceError, with what to do.
        """
        inside, older = self._inside(span)
        parts = [self._bill(piece)[0].frame for piece in pieces([inside], self.granularity)]
        bill = Bill.of(pd.concat(parts) if parts else [], self._source)
        empty = [cost_words.empty(inside)] if parts and not len(bill) else []
        return self._told(bill, [*older, *empty])

    def read(self, span: Span | None = None) -> Observations:
        """The same as observations, with the coverage and utilization of Savings Plans."""
        return pulled(self, span if span is not None else self._inside(None)[0])

    def outlay(self, span: Span, known: Coverage = NOTHING) -> Outlay:
        """Pages a pull would pay for: one a request that is not in the cache. Long answers take more."""
        calls: Counter[str] = Counter()
        for piece in self._missing(span, known):
            for question in self._questions(piece):
                calls[_ASK] += self._pages.unpaid(_ASK, question.params, "NextPageToken")
        for measure, piece in self._commitments(span, known):
            days = (piece.end - piece.start).days
            pages = ceil(days / commitments.DAYS_A_PAGE) if measure.operation.endswith("coverage") else 1
            calls[measure.operation] += pages * self._pages.unpaid(
                measure.operation, commitments.request(piece), measure.token
            )
        return _outlay(calls)

    def pull(self, span: Span, known: Coverage = NOTHING) -> Iterator[Batch]:
        """A batch for each quarter (or week, of hours) that is not known for good, oldest first."""
        older = self._inside(span)[1]
        if older:
            yield _only(older)
        missing, found = self._missing(span, known), False
        for piece in missing:
            part, settled = self._bill(piece)
            found = found or len(part) > 0
            covered = Coverage.of((self._asked, interval) for interval in settled)
            yield Batch(observations(self._told(part)), covered)
        if missing and not found:
            yield _only([cost_words.empty(Span(missing[0].start, missing[-1].end))])
        yield from self._pull_commitments(span, known)

    def _inside(self, span: Span | None) -> tuple[Span, list[Finding]]:
        """The part of a span that is over and remembered, and what is older, in words."""
        now, step = self.clock(), steps(self.granularity)
        first = oldest(self.granularity, now)
        asked = whole(span if span is not None else Span(first, now), step, now)
        older = [cost_words.older(asked.start, min(first, asked.end), step)] if asked.start < first else []
        return Span(max(asked.start, first), max(asked.end, first)), older

    def _missing(self, span: Span, known: Coverage) -> list[Span]:
        return list(pieces(known.missing(self._asked, self._inside(span)[0]), self.granularity))

    @property
    def _asked(self) -> Asked:
        """What is covered: the whole bill as these settings see it, for which services it names is its answer."""
        seconds = int(steps(self.granularity).total_seconds())
        return Asked(self._source, f"(bill {f'by {self.tag}' if self.tag else ACCOUNT})", "cost", "mean", seconds)

    def _asked_of(self, measure: commitments.Measure) -> Asked:
        return Asked(self._source, ACCOUNT, measure.metric, "mean", DAY)

    @cached_property
    def _source(self) -> str:
        """What rows and coverage say: whose bill it is, and which part of it.

        Bills of two accounts, and two parts of one, name the same services: a store that holds one refuses the other.
        """
        parts = [f"account {self.account}"] if self.account else []
        parts += [f"region {self.region}"] if self.region else []
        return "/".join((f"{NAME}:{self._pages.account}", *parts))

    def _questions(self, piece: Span) -> list[Question]:
        return questions(piece, self.granularity, self.tag, self.account, self.region)

    @cached_property
    def _pages(self) -> PaidPages:
        return PaidPages(self.door, "ce", ENDPOINT, self.cache, self._final, self._paid)

    def _final(self, page: Page) -> bool:
        """Whether a page will stay as it is: nothing in it is estimated, or young."""
        periods = [period for name in _PERIODS for period in page.get(name, [])]
        young = self.clock() - SETTLE
        ends = [pd.Timestamp(period["TimePeriod"]["End"]) for period in periods]
        aware = [end if end.tzinfo else end.tz_localize("UTC") for end in ends]
        return bool(aware) and max(aware) <= young and not any(period.get("Estimated") for period in periods)

    def _bill(self, piece: Span) -> tuple[Bill, list[Span]]:
        """The bill of one piece, without findings, and the intervals of it that are settled."""
        step, young = steps(self.granularity), self.clock() - SETTLE
        answers = []
        for question in self._questions(piece):
            with cost_words.clearer():
                pages = self._pages.all(_ASK, question.params, "NextPageToken")
            answers.append(answered(pages, question.part, self.tag))
        open_ = {stamp for answer in answers for stamp, still in answer.estimated.items() if still}
        known = set.intersection(*(set(answer.estimated) for answer in answers)) - open_
        settled = [Span(stamp, stamp + step) for stamp in sorted(known) if stamp + step <= young]
        rows = [row for answer in answers for row in answer.rows if piece.start <= row["timestamp"] < piece.end]
        frame = pd.DataFrame(rows).assign(account=self.account, region=self.region, interval=step // _SECOND)
        frame["estimated"] = frame["timestamp"].isin(open_) if rows else False
        return Bill.of(frame, self._source), settled

    def _told(self, bill: Bill, more: Iterable[Finding] = ()) -> Bill:
        """A bill with what is remarkable about it."""
        return Bill(bill.frame, bill.source, Findings.of(more, cost_words.about(bill.frame, self.tag)))

    def _commitments(self, span: Span, known: Coverage) -> Iterator[tuple[commitments.Measure, Span]]:
        """What is not known of Savings Plans: always by day, and not yesterday, for "the end date must be before the
        current date" (API reference)."""
        if not self.savings_plans:
            return
        now = self.clock()
        asked = whole(span, pd.Timedelta(days=1), now - pd.Timedelta(days=1))
        first = oldest("DAILY", now)
        inside = Span(max(asked.start, first), max(asked.end, first))
        for measure in commitments.MEASURES:
            for piece in pieces(known.missing(self._asked_of(measure), inside), "DAILY"):
                yield measure, piece

    def _pull_commitments(self, span: Span, known: Coverage) -> Iterator[Batch]:
        """One batch a measure and quarter. An account without Savings Plans, or the right to see them, is told once."""
        refused: set[str] = set()
        for measure, piece in self._commitments(span, known):
            if measure.metric in refused:
                continue
            try:
                pages = self._pages.all(measure.operation, commitments.request(piece), measure.token)
            except SourceError as error:
                finding = cost_words.no_commitments(measure.metric, error)
                if finding is None:
                    raise
                refused.add(measure.metric)
                yield _only([finding])
                continue
            rows = [row for row in commitments.percentages(pages, measure) if row["timestamp"] < piece.end]
            settled = Span(piece.start, min(piece.end, (self.clock() - SETTLE).floor("D")))
            frame = pd.DataFrame(rows, columns=OBSERVATIONS.names)
            observed = Observations.of(frame, self._source)
            yield Batch(observed, Coverage.of([(self._asked_of(measure), settled)]))


#: Where answers have their periods.
_PERIODS: Final = ("ResultsByTime", *(measure.days for measure in commitments.MEASURES))


def _only(findings: Iterable[Finding]) -> Batch:
    """A batch that brings no rows."""
    return Batch(observations(Bill.of([], NAME, Findings.of(findings))))


def _outlay(calls: Counter[str]) -> Outlay:
    named = {"".join(word.capitalize() for word in name.split("_")): count for name, count in calls.items() if count}
    return Outlay(named, {}, USD_A_PAGE * sum(calls.values()))
