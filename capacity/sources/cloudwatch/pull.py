"""The pull: calls made side by side, answers put together series by series, rows handed on in batches."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from capacity.errors import CapacityError
from capacity.findings import Finding, Findings
from capacity.sources.base import Span
from capacity.sources.cloudwatch.asking import UNSERVED, Answer, Asking
from capacity.sources.cloudwatch.periods import stamp
from capacity.sources.cloudwatch.planning import Agenda, Unit
from capacity.sources.cloudwatch.rows import Chunk, observations, series_of, usable
from capacity.sources.cloudwatch.telling import Outcome, told
from capacity.sources.coverage import Asked, Coverage
from capacity.sources.pulling import Batch

#: Calls under way at once: enough to hide the network, and few enough that answers in memory stay small.
THREADS = 6
#: Answers asked for ahead of the one that is read, beyond those under way.
AHEAD = 2
#: Seconds a call may take before the server counts as slow; AWS takes one or two.
SLOW = 10.0
#: Rows of a batch, about: 40 MB in memory, and a commit a second at the pace of AWS's quota.
ROWS = 1_000_000


@dataclass
class Pull:
    """One pull of one source: yields batches, then findings about the whole.

    settled  seconds since 1970: what is older will not be revised
    """

    name: str
    agenda: Agenda
    asking: Asking
    settled: int
    outcome: Outcome
    findings: list[Finding] = field(default_factory=list)
    rows: int = ROWS

    def batches(self) -> Iterator[Batch]:
        """Whole batches; after an error first what had come, and then the error."""
        chunks: list[Chunk] = []
        covered: list[tuple[Asked, Span]] = []
        with closing(self._answers()) as answers:
            try:
                for answer in answers:
                    for unit in self._complete(answer):
                        chunks.append(self._chunk(unit))
                        covered += self._covered(unit)
                    if sum(len(chunk.points.stamps) for chunk in chunks) >= self.rows:
                        yield Batch(observations(chunks, self.name), Coverage.of(covered))
                        chunks, covered = [], []
            except CapacityError:
                if chunks:
                    yield Batch(observations(chunks, self.name), Coverage.of(covered))
                raise
        findings = Findings.of(self.findings, told(self.outcome))
        if chunks or findings:
            yield Batch(observations(chunks, self.name, findings), Coverage.of(covered))

    def _answers(self) -> Generator[Answer]:
        """Answers in the order of the calls, a few of them asked for ahead.

        The first goes alone: what is denied is denied once, and a server that is slow is not asked for more at a time.
        """
        ahead: deque[Future[Answer]] = deque()
        room, begun = 1, time.monotonic()
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="cloudwatch")
        try:
            for number, call in enumerate(self.agenda.calls):
                ahead.append(pool.submit(self.asking.answer, call))
                if len(ahead) >= room:
                    yield ahead.popleft().result()
                if number == 0 and time.monotonic() - begun < SLOW:
                    room = THREADS + AHEAD
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _complete(self, answer: Answer) -> Iterator[Unit]:
        """The units for which this was the last answer they waited for."""
        window = answer.call.window
        self.outcome.messages |= dict.fromkeys(answer.messages)
        for query in answer.call.queries:
            got, reason = answer.points[query]
            points = usable(got, window)
            for unit in self.agenda.waiting.pop((query, window)):
                unit.take(query, points, reason, answer.at)
                self.outcome.odd[unit.wanted] += len(got.stamps) - len(points.stamps)
                if not unit.awaited:
                    yield unit

    def _chunk(self, unit: Unit) -> Chunk:
        """Its rows. A sum of which a part is missing would be too low: there are none then."""
        incomplete = bool(unit.reasons) and len(unit.wanted.needs) > 1
        points = series_of(unit.wanted, unit.window, {} if incomplete else unit.parts)
        unit.parts.clear()
        self.outcome.rows[unit.wanted] += len(points.stamps)
        self.outcome.reasons.setdefault(unit.wanted, set()).update(unit.reasons)
        return Chunk(unit.wanted, unit.window, points, unit.at)

    def _covered(self, unit: Unit) -> Iterator[tuple[Asked, Span]]:
        """What of it is answered for good."""
        window = unit.window
        end = min(window.end, self.settled // window.period * window.period)
        if unit.reasons <= {UNSERVED} and window.start < end:
            yield unit.wanted.at(window.period), Span(stamp(window.start), stamp(end))
