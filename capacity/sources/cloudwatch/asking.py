"""One call, asked to its end: all pages, what came in part asked again, and what cannot be had, in words."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from capacity.errors import SourceChanged, SourceError
from capacity.sources.aws.complaints import PERSISTENT, code_of
from capacity.sources.aws.door import Door
from capacity.sources.cloudwatch.answers import NONE, Points, merged, points
from capacity.sources.cloudwatch.catalogue import Query
from capacity.sources.cloudwatch.pace import Pace
from capacity.sources.cloudwatch.packing import LIMITS, Call
from capacity.sources.cloudwatch.periods import HOUR, stamp, too_late
from capacity.sources.patience import patiently, redacted

#: What became of a query that was not answered to its end, beside CloudWatch's own status codes.
LATE, UNSERVED, UNANSWERED = "late", "unserved", "unanswered"
COMPLETE, FORBIDDEN = "Complete", "Forbidden"
_DONE: Final = (COMPLETE, FORBIDDEN)


@dataclass(frozen=True)
class Answer:
    """What came of one call.

    points  of each query, with the reason if it was not answered to its end; empty when nothing was measured
    """

    call: Call
    at: pd.Timestamp
    points: dict[Query, tuple[Points, str]]
    messages: tuple[str, ...] = ()


@dataclass
class Asking:
    """The calls of one pull. Several threads may use it.

    billed  pages, and queries on them
    """

    door: Door
    pace: Pace
    clock: Callable[[], pd.Timestamp]
    billed: Counter[str]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _proven: bool = False  # whether it is known that percentiles can be had, or cannot
    _without: str = ""  # why they are not asked for

    def answer(self, call: Call) -> Answer:
        """The answer to a call, with as much patience as is reasonable; raises our errors."""
        now = self.clock()
        if too_late(call.window, now):
            return Answer(call, now, dict.fromkeys(call.queries, (NONE, LATE)))
        if not self._proven and any(query.percentile for query in call.queries):
            with self._lock:  # until one has an answer, they go one at a time
                if not self._proven:
                    return self._tried(call, now)
        return self._answer(call, now)

    def _tried(self, call: Call, now: pd.Timestamp) -> Answer:
        """A call with percentiles. Test servers fail on them, where there are values: then all else is asked without.

        A 500 that AWS has no name for will not pass (a server that lacks them); any other may, by the next pull: a 502
        is a proxy's.
        """
        try:
            answer = self._answer(call, now)
        except SourceError as error:
            code, status = _theirs(error)
            if status < 500:
                raise
            self._without = UNSERVED if code == "500" else code
            try:
                answer = self._answer(call, now)
            except SourceError:
                self._without = ""
                raise error from None
        found = (points for query, (points, _) in answer.points.items() if query.percentile)
        self._proven = bool(self._without) or any(len(points.stamps) for points in found)
        return answer

    def _answer(self, call: Call, now: pd.Timestamp) -> Answer:
        without = self._without
        wanted = [query for query in call.queries if not (without and query.percentile)]
        parts: dict[Query, list[Points]] = {query: [] for query in wanted}
        status: dict[Query, str] = {}
        messages: list[str] = []

        def ask() -> None:
            missing = [query for query in wanted if status.get(query) not in _DONE]
            if missing:
                self._pages(call._replace(queries=tuple(missing)), now, parts, status, messages)
            if any(status.get(query) not in _DONE for query in missing):
                raise _Unfinished

        with suppress(_Unfinished):  # it is said, query by query, in the answer
            patiently(ask, _once_more, sleep=self.door.sleep)
        found = dict.fromkeys(call.queries, (NONE, without))
        for query in wanted:
            said = status.get(query, UNANSWERED)
            found[query] = merged(parts[query]), "" if said == COMPLETE else said
        return Answer(call, now, found, tuple(dict.fromkeys(messages)))

    def _pages(
        self,
        call: Call,
        now: pd.Timestamp,
        parts: dict[Query, list[Points]],
        status: dict[Query, str],
        messages: list[str],
    ) -> None:
        """All pages of a call: the same parameters each time, results put together by their Id."""
        window, expected = call.window, len(call.queries) * call.window.points
        recent = now.timestamp() - window.start <= 3 * HOUR
        ids = {f"q{number}": query for number, query in enumerate(call.queries)}
        self.pace.wait(min(expected, LIMITS.points), recent)
        pages = self.door.pages("cloudwatch", "get_metric_data", "NextToken", region=call.region, **request(call))
        for page in pages:
            with _counting:
                self.billed["pages"] += 1
                self.billed["queries"] += len(call.queries)
            messages += _said(page)
            for result in page.get("MetricDataResults", ()):
                query = ids.get(result["Id"])
                if query is None:
                    raise SourceChanged(f"GetMetricData answers with {result['Id']!r}, which was not asked")
                parts[query].append(points(result))
                status[query] = result.get("StatusCode", COMPLETE)
                messages += _said(result)
                expected -= len(parts[query][-1].stamps)
            if page.get("NextToken"):
                self.pace.wait(max(min(expected, LIMITS.points), 0), recent)


def request(call: Call) -> dict[str, Any]:
    """The parameters of GetMetricData.

    >>> from capacity.sources.cloudwatch.periods import Window
    >>> request(Call(Window(0, 3600, 60), ()))["EndTime"]
    datetime.datetime(1970, 1, 1, 1, 0, tzinfo=datetime.timezone.utc)
    """
    window = call.window
    return {
        "MetricDataQueries": [query.asked(number, window.period) for number, query in enumerate(call.queries)],
        "StartTime": stamp(window.start).to_pydatetime(),
        "EndTime": stamp(window.end).to_pydatetime(),
        "ScanBy": "TimestampAscending",
    }


_counting = threading.Lock()


class _Unfinished(Exception):
    """Some queries of a call came in part, or failed inside."""


def _once_more(error: BaseException, attempt: int) -> bool:
    """Whether to ask for the rest; also from the first page, when a token has expired."""
    stale = _theirs(error)[0] in ("InvalidNextToken", "InvalidNextTokenException")
    return attempt < PERSISTENT and (stale or isinstance(error, _Unfinished))


def _theirs(error: BaseException) -> tuple[str, int]:
    """AWS's own code and HTTP status behind an error of ours."""
    return code_of(error.__cause__) if isinstance(error.__cause__, Exception) else ("", 0)


def _said(where: dict[str, Any]) -> Sequence[str]:
    """`Messages` of an answer or of a result, in words."""
    return [redacted(f"{m.get('Code', '')}: {m.get('Value', '')}".strip(": ")) for m in where.get("Messages") or ()]
