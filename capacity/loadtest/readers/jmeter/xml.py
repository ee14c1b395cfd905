"""JMeter's XML: samples nested in each other, read as a stream with the standard library's expat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Final
from xml.parsers import expat

import numpy as np

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile
from capacity.loadtest.readers.jmeter.notes import (
    note_all_failed,
    note_batches,
    note_end_stamps,
    note_negative,
    note_no_requests,
)
from capacity.loadtest.readers.jmeter.stamps import LATEST, stamps_are_ends
from capacity.loadtest.readers.jmeter.stream import Pieces
from capacity.loadtest.readers.jmeter.words import EMBEDDED_MARK, TRANSACTION_MARK, group_and_host, group_of, outcome
from capacity.loadtest.readers.jmeter.xml_text import texts
from capacity.loadtest.samples import CONTAINER, REQUEST, TRANSACTION, UNKNOWN, Samples

#: Elements that are a sample; `sampleResult` is of JMeter 1.x and 2.0.
_SAMPLES: Final = frozenset({"httpSample", "sample", "sampleResult"})

#: What the attributes of `sampleResult`, and the elements of a sample that was serialised whole by a plugin, are called
#: in `sample`.
_LONG_NAMES: Final = {
    "timeStamp": "ts",
    "startTime": "ts",
    "time": "t",
    "elapsedTime": "t",
    "label": "lb",
    "responseCode": "rc",
    "responseMessage": "rm",
    "threadName": "tn",
    "success": "s",
    "latency": "lt",
    "connectTime": "ct",
    "bytes": "by",
    "allThreads": "na",
    "sampleCount": "sc",
}

#: A number with more digits is none that JMeter writes, and too large for microseconds.
_DIGITS: Final = 15

_BATCH: Final = 20_000  # rows handed over at a time, about


@dataclass(frozen=True)
class JMeterXml:
    """Every sample of a JMeter XML log, a container before the samples inside it, as in a CSV of JMeter 5.

    Samples without samples inside are requests; the others are containers, or transactions where their message says so.
    A sample without thread name takes that of the one around it. Document types and entities are refused. A file cut
    short keeps what was whole and becomes a finding, so does one that is no XML from some line on.
    """

    name: ClassVar[str] = "JMeter XML"

    def recognises(self, file: ResultFile) -> bool:
        return file.text.startswith("<") and "<testResults" in file.text[:4096]

    def samples(self, file: ResultFile, reading: Reading) -> Iterator[Samples]:
        with Pieces(file) as pieces:
            document = _Document(file, reading)
            for text, forbidden in texts(pieces, file):
                document.forbidden += forbidden
                if not document.feed(text):
                    break
                if len(document.rows) >= _BATCH:
                    yield document.take()
            document.close(pieces.damage)
            if document.rows:
                yield document.take()
            document.note()


@dataclass
class _Sample:
    """One element. `known`: its attributes by their short names."""

    known: dict[str, str]
    thread: str
    line: int
    parent: bool = False  # has samples inside
    said_why: bool = False  # an assertion failed
    done: bool = False
    depth: int = 0  # elements open inside that are no samples


@dataclass
class _Document:
    """What is open while elements come and go, and the rows of those that are whole."""

    file: ResultFile
    reading: Reading
    rows: list[tuple[int, ...]] = field(default_factory=list)
    forbidden: int = 0

    def __post_init__(self) -> None:
        self._open: list[_Sample] = []
        self._tree: list[_Sample] = []  # a sample of the top level and all inside it, in order
        self._text: list[str] | None = None  # of the element that is wanted
        self._wanted = ""
        self._asserting = False
        self._count = self._requests = self._failed = self._batches = self._negative = 0
        self._damage = ""
        self._ends: bool | None = None
        self._threads: dict[str, tuple[int, int, int]] = {}
        self._outcomes: dict[tuple[str, ...], int] = {}
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse

    def feed(self, text: str) -> bool:
        """Read on; False when this is no XML any more."""
        try:
            self._parser.Parse(text, False)
        except expat.ExpatError as error:
            self._damage = f"is no XML from line {error.lineno} on ({expat.ErrorString(error.code)})"
            self._flush()
        return not self._damage

    def close(self, damage: str) -> None:
        """The file has ended."""
        if self._damage:
            return
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            why = f"its archive is damaged: {damage}" if damage else expat.ErrorString(error.code)
            self._damage = f"ends at line {error.lineno}, before </testResults> ({why})"
            self._flush()

    def _refuse(self, *_: object) -> None:
        raise InputError(
            f"{self.file.path} declares a document type, which no JMeter does and which is not read.",
            advice="Remove the <!DOCTYPE ...> if you trust the file.",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _SAMPLES or name.endswith(("SampleResult", "SampleResultWithSubs")):
            if name == "sampleResult":
                attributes = {_LONG_NAMES.get(key, key): value for key, value in attributes.items()}
            around = self._open[-1] if self._open else None
            thread = attributes.get("tn") or (around.thread if around else "")
            sample = _Sample(attributes, thread, self._parser.CurrentLineNumber)
            if around:
                around.parent = True
            self._open.append(sample)
            self._tree.append(sample)
            return
        if not self._open:
            return
        sample = self._open[-1]
        sample.depth += 1
        if name == "assertionResult":
            self._asserting = True
        elif name in ("failure", "error") if self._asserting else sample.depth == 1 and name in _LONG_NAMES:
            self._text, self._wanted = [], name
            self._parser.CharacterDataHandler = self._text.append

    def _end(self, name: str) -> None:
        if not self._open:
            return
        sample = self._open[-1]
        if not sample.depth:
            self._open.pop().done = True
            if not self._open:
                self._flush()
            return
        sample.depth -= 1
        if self._text is not None and name == self._wanted:
            text, self._text = "".join(self._text).strip(), None
            self._parser.CharacterDataHandler = None
            if self._asserting:
                sample.said_why |= text == "true"
            elif text and not (name == "timeStamp" and text == "0"):
                sample.known.setdefault(_LONG_NAMES.get(name, name), text)
        elif name == "assertionResult":
            self._asserting = False

    def _flush(self) -> None:
        """Rows of the samples that are whole."""
        self.rows.extend(self._row(sample) for sample in self._tree if sample.done)
        self._tree.clear()

    def _row(self, sample: _Sample) -> tuple[int, ...]:
        known, names = sample.known, self.reading.names
        stamp, elapsed = self._told(sample, "ts"), self._told(sample, "t")
        failed = known.get("s", "true") != "true"
        transaction = known.get("rm", "").startswith(TRANSACTION_MARK)
        kind = TRANSACTION if transaction else CONTAINER if sample.parent else REQUEST
        code = known.get("rc", known.get("rs", ""))
        embedded = failed and known.get("rm", "").startswith(EMBEDDED_MARK)
        key = (code, str(failed), str(sample.said_why and failed), str(transaction), str(embedded))
        if key not in self._outcomes:
            words = outcome(code, failed, sample.said_why and failed, transaction, embedded)
            self._outcomes[key] = names.outcomes.code(words)
        thread = sample.thread or known.get("tn", "")
        host = known.get("hn", "")
        place = f"{host}\n{thread}"
        if place not in self._threads:
            group, before = group_and_host(group_of(thread))
            codes = names.groups.code(group), names.hosts.code(host or before)
            self._threads[place] = (*codes, len(self._threads))
        count = max(1, _number(known.get("sc"), 1))
        failures = int(failed)
        elapsed, latency = elapsed * 1000, _number(known.get("lt"), UNKNOWN, 1000)
        connect, received = _number(known.get("ct"), UNKNOWN, 1000), _number(known.get("by"), UNKNOWN)
        if elapsed < 0:
            elapsed, self._negative = 0, self._negative + 1
        if count > 1:  # figures of a batch are sums, its stamp is the end of its last sample
            failures = min(count, max(0, _number(known.get("ec"), count * failures)))
            elapsed //= count
            latency, connect, received = (max(UNKNOWN, value // count) for value in (latency, connect, received))
            self._batches += 1
        if latency == 0 and elapsed > 0:  # JMeter's 0 for "not known"
            latency = UNKNOWN
        self._count += 1
        if kind == REQUEST:
            self._requests, self._failed = self._requests + count, self._failed + failures
        start = stamp * 1000 - (elapsed if count > 1 else 0)
        label = names.labels.code(known.get("lb", ""))
        users = _number(known.get("na"), UNKNOWN)
        texts = (label, self._outcomes[key], *self._threads[place][:2])
        return (
            start,
            elapsed,
            *texts,
            kind,
            count,
            failures,
            users,
            latency,
            connect,
            received,
            self._threads[place][2],
        )

    def _told(self, sample: _Sample, attribute: str) -> int:
        text = sample.known.get(attribute, "")
        try:
            value = int(text[: _DIGITS + 1])
            if attribute == "ts" and not 0 <= value < LATEST // 1000:
                raise ValueError(text)
            return value
        except ValueError:
            what = {"ts": "a time stamp (ts)", "t": "an elapsed time (t)"}[attribute]
            says = f"{text!r} instead of a number" if text else "none"
            raise InputError(
                f"{self.file.path} line {sample.line}: a sample needs {what} in milliseconds and has {says[:80]}.",
                advice="Save with -Jjmeter.save.saveservice.timestamp_format=ms -Jjmeter.save.saveservice.time=true",
            ) from None

    def take(self) -> Samples:
        """The rows so far, as a batch."""
        table = np.array(self.rows, dtype=np.int64).T  # (12, n)
        self.rows.clear()
        start, elapsed, label, outcomes, group, host, kind, count, failed, users, latency, connect, received = table[
            :13
        ]
        if self._ends is None:
            single = kind == REQUEST
            self._ends = stamps_are_ends(start[single], elapsed[single], table[13][single])
        return Samples(
            start=start - elapsed * (self._ends & (count == 1)),
            elapsed=elapsed,
            kind=kind.astype(np.int8),
            latency=latency,
            connect=connect,
            received=received,
            label=label.astype(np.int32),
            outcome=outcomes.astype(np.int32),
            group=group.astype(np.int32),
            host=host.astype(np.int32),
            count=count.astype(np.int32),
            failed=failed.astype(np.int32),
            users=users.astype(np.int32),
        )

    def note(self) -> None:
        """What was remarkable about the file."""
        name, reading = self.file.path.name, self.reading
        if self._damage:
            reading.note(
                "truncated" if "ends at" in self._damage else "damaged",
                "REVIEW" if "ends at" in self._damage else "FAIL",
                f"{name} {self._damage}; the {self._count} samples before it are read",
                "The test or its recording was cut short: rates of the last seconds may be too low"
                if "ends at" in self._damage
                else "Repair the file there, or cut it before that line; what comes after is not in the figures",
            )
        elif not self._count:
            reading.note("empty", "REVIEW", f"{name} holds no samples")
        if self.forbidden:
            message = f"{name}: {self.forbidden} characters that XML does not allow were read as '?'"
            reading.note("characters", "PASS", message, count=self.forbidden)
        if self._ends:
            note_end_stamps(reading, name)
        note_negative(reading, name, self._negative)
        note_batches(reading, name, self._batches)
        note_no_requests(reading, name, self._count, self._requests)
        note_all_failed(reading, name, self._requests, self._failed)


def _number(text: str | None, default: int, times: int = 1) -> int:
    """A whole number from 0 on, times a factor; the default for none and for anything else."""
    return int(text) * times if text is not None and text.isdecimal() and len(text) <= _DIGITS else default
