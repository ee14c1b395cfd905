"""What every reader of load-test results promises, and what it is handed."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO, ClassVar, Final, Protocol, cast, runtime_checkable

import pandas as pd

from capacity.errors import InputError
from capacity.findings import Finding, Status
from capacity.loadtest.samples import Names, Samples

#: Bytes of the start of a file by which its format is recognised.
HEAD: Final = 65_536

_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True)
class ResultFile:
    """A file of results. `timezone`: whose clock its stamps are in, where they do not say; None: nobody said."""

    path: Path
    timezone: str | None = None

    def open(self) -> BinaryIO:
        """The bytes, unpacked where the file is gzip. Raises InputError when it cannot be read."""
        try:
            with self.path.open("rb") as file:
                packed = file.read(2) == _GZIP
            return gzip.open(self.path, "rb") if packed else self.path.open("rb")  # type: ignore[return-value]
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror or error}") from None

    @cached_property
    def head(self) -> bytes:
        """The first bytes, at most HEAD; of a gzip file that breaks off, those before the break."""
        head = bytearray()
        with cast(BufferedIOBase, self.open()) as file:
            try:
                while len(head) < HEAD and (piece := file.read1(HEAD - len(head))):
                    head += piece
            except (OSError, EOFError, zlib.error) as error:
                if not head:
                    raise InputError(f"{self.path} cannot be read: {error}") from None
        return bytes(head)

    @cached_property
    def text(self) -> str:
        """The head as text, without a byte-order mark, blanks and empty lines before the first character."""
        return self.head.decode("utf-8-sig", errors="replace").lstrip()


@dataclass(eq=False)
class Reading:
    """What comes along while files are read: the names behind the codes, and what was remarkable."""

    names: Names = field(default_factory=Names)
    findings: list[Finding] = field(default_factory=list)

    def note(self, check: str, status: Status, message: str, advice: str = "", count: int = 0) -> None:
        """Something remarkable about the file, in words."""
        self.findings.append(Finding("", "", check, status, message, advice, count=count))


@dataclass(frozen=True, eq=False)
class Summary:
    """What a file of finished statistics tells: no requests one by one, so no histograms.

    labels    a row a label, indexed by label, with `Total` last; columns `samples`, `errors`, `mean_ms`, `p50_ms`,
              `p90_ms`, `p95_ms`, `p99_ms`, `throughput_per_s`, and `min_ms`, `max_ms` where told; NaN where not told
    timeline  None, or a row a moment in order of `timestamp` (UTC, start of the interval): `seconds` (its length),
              `samples`, `errors` (counts in it), `mean_ms`, `users`, and percentiles `p50_ms`, `p95_ms`, `p99_ms`
              of that interval alone; NaN where not told
    generator "", or the name of the one generator that the file is of: others of the same test add up with it
              (`capacity.loadtest.readers.finished.pooled`)
    """

    labels: pd.DataFrame
    timeline: pd.DataFrame | None = None
    generator: str = ""


@runtime_checkable
class SampleReader(Protocol):
    """Reads a file that tells of every request."""

    name: ClassVar[str]  # of the format, as people say it: "JMeter CSV"

    def recognises(self, file: ResultFile) -> bool:
        """Whether the file's content (its head) is of this format. Never by name alone, never raises for content."""
        ...

    def samples(self, file: ResultFile, reading: Reading) -> Iterator[Samples]:
        """Batches in file order, as a stream: memory does not grow with the file. What is damaged at the end becomes
        a finding; InputError for what cannot be understood at all, with the place and what to do."""
        ...


@runtime_checkable
class SummaryReader(Protocol):
    """Reads a file of finished statistics."""

    name: ClassVar[str]

    def recognises(self, file: ResultFile) -> bool: ...

    def summary(self, file: ResultFile, reading: Reading) -> Summary: ...


ResultReader = SampleReader | SummaryReader
