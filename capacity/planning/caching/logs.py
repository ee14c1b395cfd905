"""Access logs -> how often each key was asked for, as a stream: memory grows with distinct keys, not with the log."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np

from capacity.errors import InputError
from capacity.findings import Finding, Findings
from capacity.planning.caching.log_lines import Asked, Parser, parser_of
from capacity.planning.caching.passing import BLOCKS, T95
from capacity.planning.caching.popularity import Popularity

#: Distinct keys held by name; from then on they are held as numbers: 16 bytes each instead of about 150.
NAMED: Final = 500_000
#: Share of requests with a query string from which it is worth a word.
_WORTH_SAYING: Final = 0.05
_GZIP: Final = b"\x1f\x8b"


def popularity_from_log(
    path: str | Path | Iterable[str | Path], *, query: Literal["keep", "drop"] = "keep"
) -> Popularity:
    """How often each key was asked for, from logs of what reached the cache.

    path   a file, a folder of them, or several; packed with gzip or not. Each file's format is known by its content:
           CloudFront standard log, access log of a load balancer, common log format, or one key a line
    query  "keep": addresses that differ in their query string are different keys, as for a cache that keeps them apart;
           "drop": they are one

    Keys are host and path as far as the log tells them. Only what a cache may keep counts as a key (GET and HEAD,
    answered 2xx, 3xx, 404 or 410); the share of that is `cacheable`. A log written behind the cache shows what the
    cache missed, which is spread more evenly than what was asked: a finding says so for a load balancer's. CloudFront's
    tells hits from misses; a RefreshHit counts as a miss, since the origin was asked.

    Damaged lines, and a file that ends in the middle, are findings. Raises InputError for a file that cannot be read,
    of a format we do not know, and where no line can be understood.
    """
    if query not in ("keep", "drop"):
        raise InputError(f"query={query!r}: a cache keeps query strings apart ('keep') or ignores them ('drop')")
    files = list(_files(path))
    tally = Tally(drop_query=query == "drop")
    for file in files:
        _read(file, tally)
    if not tally.cacheable:
        reason = f"{tally.lines:,} lines, none of which a cache may keep" if tally.lines else "no line understood"
        raise InputError(f"{_said(files)}: {reason}", advice="Only GET and HEAD that were answered well are counted.")
    return tally.popularity(_said(files))


class KeyCounts:
    """Counts by key. Beyond `named` distinct keys, names become numbers, and only those are kept.

    Two of 10 million keys share a number with a chance of 3 in a million (n squared / 2^65).
    """

    def __init__(self, named: int = NAMED) -> None:
        self._most = named
        self._named: Counter[bytes] = Counter()
        self._codes, self._counts = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)

    def add(self, key: bytes) -> None:
        """One more request for a key."""
        self._named[key] += 1
        if len(self._named) > self._most:
            self._pack()

    def counts(self) -> np.ndarray:
        """(n,) requests of each key, in no order."""
        self._pack()
        return self._counts

    def _pack(self) -> None:
        size = len(self._named)
        codes = np.fromiter(map(hash, self._named), dtype=np.int64, count=size)
        counts = np.fromiter(self._named.values(), dtype=np.int64, count=size)
        self._codes, places = np.unique(np.concatenate([self._codes, codes]), return_inverse=True)
        summed = np.zeros(len(self._codes), dtype=np.int64)
        np.add.at(summed, places, np.concatenate([self._counts, counts]))
        self._counts = summed
        self._named.clear()


@dataclass
class Tally:
    """What was read so far."""

    drop_query: bool
    keys: KeyCounts = field(default_factory=KeyCounts)
    lines: int = 0
    cacheable: int = 0
    minutes: dict[int, list[int]] = field(default_factory=dict)  # minute -> misses and hits, where the log tells them
    queried: int = 0
    first: int | None = None
    last: int | None = None
    damaged: int = 0
    formats: dict[str, None] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add(self, asked: Asked) -> None:
        """One line."""
        self.lines += 1
        second = asked.second
        if second is not None:
            self.first = second if self.first is None or second < self.first else self.first
            self.last = second if self.last is None or second > self.last else self.last
        if not asked.cacheable:
            return
        key = asked.key
        self.cacheable += 1
        if b"?" in key:
            self.queried += 1
            key = key.partition(b"?")[0] if self.drop_query else key
        self.keys.add(key)
        if asked.hit is not None and second is not None:
            self.minutes.setdefault(second // 60, [0, 0])[asked.hit] += 1

    def popularity(self, source: str) -> Popularity:
        """Everything that was read, and what is remarkable about it."""
        spans = self.last - self.first if self.first is not None and self.last is not None else 0
        return Popularity(
            counts=np.sort(self.keys.counts())[::-1],
            seconds=float(spans) if spans > 0 else np.nan,
            requests=self.lines,
            cacheable=self.cacheable / self.lines,
            hits=share_of_hits(np.array([self.minutes[minute] for minute in sorted(self.minutes)])),
            findings=Findings.of(self.findings, self._told()),
            source=source,
        )

    def _told(self) -> Iterator[Finding]:
        if self.damaged:
            yield _finding(
                "damaged",
                f"{self.damaged:,} of {self.lines + self.damaged:,} lines were not understood",
                "",
                self.damaged,
            )
        if "load balancer access log" in self.formats:
            yield _finding(
                "origin log",
                "A load balancer's log shows what the cache missed: popular keys are missing from it, and a hit ratio "
                "computed from it is too low",
                "Read the log of the cache itself: CloudFront's standard log.",
            )
        if not self.drop_query and self.queried > _WORTH_SAYING * self.cacheable:
            yield _finding(
                "query strings",
                f"{100 * self.queried / self.cacheable:.0f} % of the requests carry a query string, and each counts as "
                "a key of its own",
                'If the cache ignores them, read the log with query="drop".',
            )


def share_of_hits(minutes: np.ndarray) -> tuple[float, float, float] | None:
    """Hit ratio with a 95 % interval from (m, 2) misses and hits of each minute; None where there are none.

    Hits come and go together, so the interval follows from how the ratio differs between `BLOCKS` parts of the log, as
    the variance of a ratio of sums (Cochran 1977, 6.4); with fewer minutes, from those.

    >>> share_of_hits(np.array([[1, 9], [1, 9]]))
    (0.9, 0.9, 0.9)
    """
    if not len(minutes):
        return None
    parts = np.add.reduceat(minutes, np.unique(np.linspace(0, len(minutes), BLOCKS + 1).astype(int)[:-1]))
    total = parts.sum(axis=1)
    ratio = float(parts[:, 1].sum() / total.sum())
    apart = parts[:, 1] - ratio * total
    error = T95 * np.sqrt((apart**2).sum() * len(parts) / max(len(parts) - 1, 1)) / total.sum()
    return ratio, max(ratio - float(error), 0.0), min(ratio + float(error), 1.0)


def _read(file: Path, tally: Tally) -> None:
    """One file into the tally."""
    parse: Parser | None = None
    before, wrong = tally.lines, 0
    for line in _lines(file, tally):
        if not line:
            continue
        if parse is None:
            name, parse = parser_of(line, str(file))
            tally.formats[name] = None
        try:
            asked = parse(line)
        except InputError as error:  # of the file, not of the line
            raise InputError(f"{file}: {error}") from None
        except ValueError:
            wrong += 1
            continue
        if asked is not None:
            tally.add(asked)
    tally.damaged += wrong
    if wrong and tally.lines == before:
        raise InputError(f"{file}: none of its {wrong:,} lines could be understood", advice="Is it a log at all?")


def _lines(file: Path, tally: Tally) -> Iterator[bytes]:
    """Lines without their ends. What is cut off at the end becomes a finding."""
    try:
        with file.open("rb") as raw:
            packed = raw.read(2) == _GZIP
        with gzip.open(file, "rb") if packed else file.open("rb") as stream:
            try:
                for line in stream:
                    yield line.rstrip(b"\r\n")
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                tally.findings.append(
                    _finding("truncated", f"{file.name} ends in the middle ({error})", "Fetch it again.")
                )
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from None


def _files(path: str | Path | Iterable[str | Path]) -> Iterator[Path]:
    """Files in order; of a folder those in it that are not hidden."""
    for each in [path] if isinstance(path, str | Path) else path:
        place = Path(each)
        if not place.is_dir():
            yield place
            continue
        inside = sorted(p for p in place.rglob("*") if p.is_file() and not p.name.startswith("."))
        if not inside:
            raise InputError(f"{place} holds no files")
        yield from inside


def _said(files: list[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{len(files):,} files"


def _finding(check: str, message: str, advice: str = "", count: int = 0) -> Finding:
    return Finding("", "cache_hit_ratio", check, "REVIEW", message, advice, count=count)
