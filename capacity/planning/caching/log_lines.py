"""One line of an access log -> what was asked, whether a cache may keep the answer, and when. Formats by content.

CloudFront: "Standard logging reference" (Amazon CloudFront Developer Guide). Load balancer: "Access logs for your
Application Load Balancer" (User Guide). Common log format: Apache HTTP Server, mod_log_config.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from operator import itemgetter
from typing import Final, NamedTuple

from capacity.errors import InputError


class Asked(NamedTuple):
    """What one line says. `hit` is None where the log does not tell hits from misses; `second` since 1970, or None."""

    key: bytes
    cacheable: bool
    hit: bool | None
    second: int | None


#: A line -> what it says; None for one that says nothing (a comment), ValueError for a damaged one.
Parser = Callable[[bytes], Asked | None]

#: Answers that caches keep by default (RFC 9111, 3; CloudFront keeps 404 and 410 for its error caching time).
_METHODS: Final = frozenset({b"GET", b"HEAD"})
_KEPT: Final = frozenset(b"%d" % status for status in (*range(200, 400), 404, 410))
_NOTHING: Final = (b"-", b"")
#: x-edge-result-type that did not ask the origin. A RefreshHit did ask it whether the object had changed.
_HITS: Final = frozenset({b"Hit", b"OriginShieldHit"})
#: And those that no cache could have answered: made at the edge, or cut off there.
_EDGE_MADE: Final = frozenset({b"Redirect", b"LambdaGeneratedResponse", b"FunctionGeneratedResponse"})
_COMMON: Final = re.compile(rb'\S+ .*?\[([^\]]*)\] "([A-Z]+) (\S+)(?: [^"]*)?" (\d{3})')
#: Application Load Balancers say the kind of connection first, classic ones do not.
_BALANCER: Final = re.compile(
    rb"(?:(?:https?|h2|grpcs|wss?) )?(\d{4}-\d\d-\d\dT[\d:]{8})\S* "
    rb'\S+ \S+ \S+ \S+ \S+ \S+ (\d{3}|-) \S+ \S+ \S+ "(\S+) (\S+) [^"]*"'
)
#: A CloudFront line whose headings were cut away, as when files are joined.
_HEADLESS: Final = re.compile(rb"\d{4}-\d\d-\d\d\t\d\d:\d\d:\d\d\t[A-Z]{3}\S*\t")
#: The order of the fields in every standard log, as far as ours go; later ones were added at the end over the years.
_STANDARD: Final = (
    b"date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    b"cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header"
)
_MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def parser_of(first: bytes, where: str) -> tuple[str, Parser]:
    """The format of a file by its first line that is not empty, and how to read its lines.

    Raises InputError for what is neither a log we know nor one key a line.

    >>> parser_of(b'10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 200 5', "a.log")[0]
    'common log format'
    """
    if first.startswith(b"#") or _HEADLESS.match(first):
        return "CloudFront standard log", CloudFront().parse
    if _BALANCER.match(first):
        return "load balancer access log", Stamped(_BALANCER, order=(0, 2, 3, 1), iso=True).parse
    if _COMMON.match(first):
        return "common log format", Stamped(_COMMON, order=(0, 1, 2, 3), iso=False).parse
    if first.startswith((b"{", b"[", b"<", b"PAR1")) or len(first.split()) > 1:
        shown = first[:80].decode("utf-8", errors="replace")
        raise InputError(
            f"{where}: its first line is of no log we know: {shown!r}",
            advice="Known are CloudFront standard logs, access logs of an Application Load Balancer, the common log "
            "format, and one key a line without blanks. Of another log, write out its keys, one a line.",
        )
    return "one key a line", _bare


def _bare(line: bytes) -> Asked:
    return Asked(line, True, None, None)


class CloudFront:
    """Lines of a CloudFront standard log, by the names in its line `#Fields:`; without one, in the standard order."""

    def __init__(self) -> None:
        self._fields, self._most, self._tells = _chosen(_STANDARD.split())
        self._seconds = Seconds(iso=True)

    def parse(self, line: bytes) -> Asked | None:
        if line.startswith(b"#"):
            if line.startswith(b"#Fields:"):
                self._fields, self._most, self._tells = _chosen(line[8:].split())
            return None
        try:
            date, time, method, host, stem, status, query, result = self._fields(line.split(b"\t", self._most))
        except IndexError:
            raise ValueError("fields are missing") from None
        key = host + stem if query in _NOTHING else host + stem + b"?" + query
        kept = method in _METHODS and status in _KEPT and result not in _EDGE_MADE
        hit = result in _HITS if self._tells else None
        return Asked(key, kept, hit, self._seconds.of(date + b"T" + time))


def _chosen(names: list[bytes]) -> tuple[Callable[[list[bytes]], tuple[bytes, ...]], int, bool]:
    """What picks the fields we read out of a line, how many cuts of the line that takes, and whether hits are told.

    Old logs end before the host of the request and the result: then the distribution's own host does as well. Raises
    InputError when a field that we need is left out.
    """
    host = b"x-host-header" if b"x-host-header" in names else b"cs(Host)"
    wanted = [b"date", b"time", b"cs-method", host, b"cs-uri-stem", b"sc-status", b"cs-uri-query"]
    if missing := [name.decode() for name in wanted if name not in names]:
        raise InputError(
            f"the log leaves out the fields {', '.join(missing)}",
            advice="Switch them on in the distribution's logging.",
        )
    tells = b"x-edge-result-type" in names
    wanted.append(b"x-edge-result-type" if tells else b"sc-status")
    places = [names.index(name) for name in wanted]
    return itemgetter(*places), max(places) + 1, tells


class Stamped:
    """Lines with a stamp, a method, an address and a status, that do not tell hits from misses.

    order  which groups of the pattern these are
    """

    def __init__(self, pattern: re.Pattern[bytes], order: tuple[int, int, int, int], iso: bool) -> None:
        self._pattern, self._order, self._seconds = pattern, order, Seconds(iso)

    def parse(self, line: bytes) -> Asked:
        found = self._pattern.match(line)
        if found is None:
            raise ValueError("not of the file's format")
        groups = found.groups()
        stamp, method, address, status = (groups[number] for number in self._order)
        _, scheme, rest = address.partition(b"://")
        kept = method in _METHODS and status in _KEPT
        return Asked(rest if scheme else address, kept, None, self._seconds.of(stamp))


class Seconds:
    """Stamps of a log as seconds since 1970. Neighbouring lines share them, so each is read once."""

    def __init__(self, iso: bool) -> None:
        self._iso, self._last, self._second = iso, b"", 0

    def of(self, stamp: bytes) -> int:
        """Raises ValueError for what is no stamp."""
        if stamp != self._last:
            self._second = _iso_second(stamp) if self._iso else _common_second(stamp)
            self._last = stamp
        return self._second


def _iso_second(stamp: bytes) -> int:
    return round(datetime.fromisoformat(stamp.decode("ascii")).replace(tzinfo=UTC).timestamp())


def _common_second(stamp: bytes) -> int:
    """
    >>> _common_second(b"01/Jan/1970:01:00:00 +0100")
    0
    """
    day, month, year, rest = stamp[:2], stamp[3:6], stamp[7:11], stamp[12:]
    iso = b"%s-%02d-%sT%s" % (year, _MONTHS.index(month) + 1, day, rest.replace(b" ", b""))
    return round(datetime.fromisoformat(iso.decode("ascii")).timestamp())
