"""Files of results in, a `LoadTest` out: formats recognised by content, several files of one test taken together."""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import numpy as np

from capacity.errors import InputError, Problem
from capacity.findings import Findings
from capacity.loadtest import checks, steps, summaries
from capacity.loadtest.readers.base import Reading, SampleReader, Summary, SummaryReader
from capacity.loadtest.readers.finished import pooled
from capacity.loadtest.recognising import Recognised, StrPath, known_zone, paths_of, recognised
from capacity.loadtest.result import LoadTest
from capacity.loadtest.samples import Samples, Vocabulary
from capacity.loadtest.tallied import Tallied
from capacity.loadtest.tally import Tally

#: Batches read and not yet counted: large and small ones take turns, so one would let either side wait for the other.
AHEAD: Final = 3

#: Taurus and others write failed samples once more into a file of their own: never the whole run (loadtest.md 4.1).
_ERRORS_ONLY: Final = re.compile(r"^errors?[-.\d]*\.(jtl|xml|csv)(\.gz)?$", re.I)


class Unreadable(Exception):
    """One of several files that its reader refused."""

    def __init__(self, file: Recognised, why: InputError) -> None:
        super().__init__(str(why))
        self.file, self.why = file, why


def read(path: StrPath | Sequence[StrPath], *, timezone: str | None = None) -> LoadTest:
    """What a load test showed, from what JMeter, Gatling, Taurus, BlazeMeter, AWS DLT, Locust or k6 left behind.

    path      a result file (gzip as it is); several files of one test, such as one a generator; or a folder, of which
              every file is taken that some format claims. Where every request is told, summaries are left aside
    timezone  IANA name of the generator's clock ("Europe/Berlin"), for stamps that say no zone; UTC if None

    Files are read as streams: memory does not grow with their rows. Raises InputError when a file is missing, empty,
    of no known format, or holds no samples; it says what was seen and what can be read.

    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = Path(folder.name, "run.jtl")
    >>> rows = ["timeStamp,elapsed,label,responseCode,success", "1000,20,GET /,200,true", "1500,30,GET /,500,false"]
    >>> _ = file.write_text("\\n".join(rows))
    >>> test = read(file)
    >>> test.summary.loc["Total", ["samples", "errors", "mean_ms"]].tolist()
    [2.0, 1.0, 25.0]
    >>> folder.cleanup()
    """
    if timezone is not None:
        known_zone(timezone)
    paths = paths_of(path)
    found, aside = recognised(paths, timezone)
    raw = [one for one in found if one.raw]
    if raw:
        partial = [one for one in raw if _ERRORS_ONLY.match(one.file.path.name)]
        if partial and len(partial) < len(raw):
            raw = [one for one in raw if one not in partial]
        aside += [str(one) for one in found if one not in raw]
        return _measured(raw, aside)
    return _told(found, aside)


def _measured(files: Sequence[Recognised], aside: Sequence[str]) -> LoadTest:
    """A test of which every request is told."""
    files = list(files)
    refused: list[Unreadable] = []
    while True:
        try:
            reading, tallied, generators = _tallied(files)
            break
        except Unreadable as error:
            if not error.file.found or len(files) == 1:
                raise error.why from None
            files.remove(error.file)
            refused.append(error)
    for one in refused:
        reading.note("left aside", "FAIL", f"{one.file} could not be read: {one.why}", count=1)
    twice = _told_twice(files, tallied)
    if twice:
        files = [one for one in files if one not in twice]
        reading, tallied, generators = _tallied(files)
        reading.note(
            "told twice",
            "REVIEW",
            f"{_listed(map(str, twice))}: left aside, for another file that tells of the same requests",
            count=len(twice),
        )
    if not tallied.labels:
        said = [Problem(finding.message) for finding in reading.findings]
        raise InputError(
            f"no samples in {_listed(map(str, files))}",
            said,
            "Only a header, or a test that was stopped before its first answer.",
        )
    _note_aside(reading, aside)
    names = reading.names
    points = steps.load_points(
        tallied.cells,
        summaries.by_name(tallied.groups, names.groups.texts),
        summaries.by_name(tallied.labels, names.labels.texts),
    )
    frame = steps.steps_frame([point.row for point in points])
    checks.check(reading, tallied, points, generators)
    return LoadTest(
        files=tuple(map(str, files)),
        summary=summaries.by_label(tallied, names),
        steps=frame,
        errors=summaries.by_error(tallied, names),
        timeline=tallied.cells.frame,
        findings=_of_the_test(reading),
        cells=tallied.cells,
        windows=tuple((point.begin, point.end) for point in points),
    )


def _tallied(files: Sequence[Recognised]) -> tuple[Reading, Tallied, list[str]]:
    """All files counted, while the next batch is already being read; and the names of the generators."""
    reading, tally, generators = Reading(), Tally(), Vocabulary()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="tally") as pool:
        for one in files:
            tally.file(str(one.file.path), jmeter=one.reader.name.startswith("JMeter"))
            counting: deque[Future[None]] = deque()
            for batch in _batches(one, reading):
                own = _with_generator(batch, reading, generators, one.file.path.name if len(files) > 1 else "")
                if len(counting) == AHEAD:
                    counting.popleft().result()
                counting.append(pool.submit(tally.add, own))
            for future in counting:
                future.result()
    return reading, tally.result(), generators.texts


def _batches(one: Recognised, reading: Reading) -> Iterator[Samples]:
    """The batches of a file; a gzip file that ends early gives what came before."""
    assert isinstance(one.reader, SampleReader)
    try:
        yield from one.reader.samples(one.file, reading)
    except (EOFError, zlib.error) as error:
        reading.note(
            "truncated",
            "REVIEW",
            f"{one.file.path.name} is a compressed file that ends early or is damaged ({error}): what came before it "
            "was read",
            "Fetch the file again.",
        )
    except InputError as error:
        raise Unreadable(one, error) from None


def _with_generator(batch: Samples, reading: Reading, generators: Vocabulary, file: str) -> Samples:
    """The batch with generators told apart by host, and by file where there are several."""
    one = len(batch) and (batch.host == batch.host[0]).all()  # as nearly always, and much faster than sorting
    codes, places = (batch.host[:1], np.zeros(len(batch), int)) if one else np.unique(batch.host, return_inverse=True)
    texts = reading.names.hosts.texts
    own = [generators.code(" ".join(filter(None, (file, texts[code] if code < len(texts) else "")))) for code in codes]
    return replace(batch, host=np.array(own, dtype=np.int32)[places])


def _told_twice(files: Sequence[Recognised], tallied: Tallied) -> list[Recognised]:
    """Files that tell of the same requests as one before them, in whatever format."""
    by_path = {str(one.file.path): one for one in files}
    seen: set[tuple[int, int, int, int]] = set()
    again = []
    for order in tallied.orders:
        if order.fingerprint in seen:
            again.append(by_path[order.file])
        seen.add(order.fingerprint)
    return again


def _told(files: Sequence[Recognised], aside: Sequence[str]) -> LoadTest:
    """A test of which only statistics are told: labels of the file that has most, the course of one that has it."""
    reading = Reading()
    told: list[tuple[Recognised, Summary]] = []
    refused: list[InputError] = []
    for one in files:
        try:
            told.append((one, _summary_of(one, reading)))
        except InputError as error:
            refused.append(error)
    if not told:
        raise refused[0]
    if not any(len(summary.labels) for _, summary in told):
        names = _listed(map(str, files))
        raise InputError(f"no statistics in {names}", [Problem(finding.message) for finding in reading.findings])
    parts = {one: summary for one, summary in told if summary.generator}  # one file a generator: together they are it
    if len(parts) > 1:
        whole = (next(iter(parts)), pooled(list(parts.values())))
        told = [whole, *((one, summary) for one, summary in told if one not in parts)]
    chosen, labels = max(told, key=lambda pair: (len(pair[1].labels), pair[1].labels.notna().to_numpy().sum()))
    other, course = next(((one, summary) for one, summary in told if summary.timeline is not None), (chosen, labels))
    used = list(dict.fromkeys((*(parts if chosen in parts else (chosen,)), other)))
    _note_aside(reading, [*aside, *(str(one) for one in files if one not in used)])
    summary = summaries.told_by_label(labels)
    timeline = summaries.told_timeline(course.timeline)
    points = summaries.told_steps(timeline)
    checks.check_told(reading, summary, points)
    return LoadTest(
        files=tuple(map(str, used)),
        summary=summary,
        steps=points,
        errors=summaries.told_errors(summary),
        timeline=timeline,
        findings=_of_the_test(reading),
    )


def _summary_of(one: Recognised, reading: Reading) -> Summary:
    assert isinstance(one.reader, SummaryReader)
    return one.reader.summary(one.file, reading)


def _note_aside(reading: Reading, aside: Sequence[str]) -> None:
    if aside:
        reading.note(
            "left aside",
            "REVIEW",
            f"{_listed(aside)}: left aside, for other files that tell more about the same run",
            "Name a file of its own to read it.",
            count=len(aside),
        )


def _listed(names: Iterable[str], shown: int = 5) -> str:
    names = list(names)
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _of_the_test(reading: Reading) -> Findings:
    """The findings, each said to be of the load test where it says nothing else."""
    return Findings.of(replace(finding, metric=finding.metric or "load test") for finding in reading.findings)
