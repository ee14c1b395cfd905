"""One call to /api/v1/query_range: sent, asked again while that makes sense, counted, and read as JSON."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import inf
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from capacity.errors import MissingExtra, SourceError
from capacity.sources.patience import patiently
from capacity.sources.prometheus.access import FROM_ENVIRONMENT, Access, Tls, resolved
from capacity.sources.prometheus.complaints import Refused, TooMuch, is_large, is_slow, may_pass, ours
from capacity.sources.prometheus.query import Query
from capacity.sources.prometheus.steps import Steps

if TYPE_CHECKING:
    import httpx

#: Operation under which calls are counted.
CALL: Final = "query_range"
#: An answer may be this long; a longer one is broken off, and less is asked for at a time. About 700,000 points of
#: 24 bytes, which take ten times as much memory while they are read.
LARGEST: Final = 16 * 1024 * 1024
_CONNECTING: Final = 10.0  # seconds
_SHORTEST: Final = 6  # letters of a secret; a tenant called 1 is none, and its digit stands in many words


@dataclass(eq=False)
class Api:
    """An open connection to a server. A context manager: it is closed at the end of a pull.

    address  everything before /api/v1
    name     of the source, said in errors
    timeout  seconds one call may take
    counted  operation -> calls made; ours to count up
    """

    address: str = field(repr=False)
    name: str
    access: Access
    headers: Mapping[str, str] = field(repr=False)
    tls: Tls
    timeout: float
    counted: Counter[str]
    sleep: Callable[[float], None] | None = None
    date: float = inf  # what time the server last said it is, seconds since 1970; inf: nothing yet
    _answered: bool = False
    _client: httpx.Client | None = None

    def __enter__(self) -> Self:
        try:
            import httpx
            import orjson  # noqa: F401  # told now, rather than after the first call
            import tenacity  # noqa: F401
        except ImportError as error:
            raise MissingExtra(error.name or "httpx", "prometheus", "reading from Prometheus") from None
        # Over plain HTTP nobody has to be trusted, and reading the system's certificates takes longer than a call.
        plain = urlsplit(self.address).scheme == "http"
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else self.tls.context()
        limits = httpx.Timeout(self.timeout, connect=min(self.timeout, _CONNECTING))
        self._client = httpx.Client(verify=secure, timeout=limits, headers={"User-Agent": "ecs-capacity"})
        return self

    def __exit__(self, *error: object) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def answer(self, query: Query, steps: Steps) -> dict[str, Any]:
        """The body of a successful answer.

        Raises TooMuch when less has to be asked for at a time, and errors of ours for what will not pass.
        """
        start, end = steps.asked
        form = {
            "query": query.text,
            "start": str(start),
            "end": str(end),
            "step": str(query.step),
            "timeout": f"{self.timeout:.0f}s",
            # How long a value is repeated after its scrape. Newer servers heed it, older ones repeat for 5 minutes.
            "lookback_delta": f"{max(query.step, 2 * query.scrape)}s",
        }
        try:
            return patiently(
                lambda: self._once(form),
                lambda error, attempt: may_pass(error, attempt, self._answered),
                after=lambda error: error.wait if isinstance(error, Refused) else None,
                sleep=self.sleep,
            )
        except Exception as error:
            told = ours(error, self.name, str(query), query.text)
            if is_slow(error) or is_large(error):
                raise TooMuch(told, slow=is_slow(error)) from error
            if told is error:
                raise
            raise told from error

    def _once(self, form: Mapping[str, str]) -> dict[str, Any]:
        """One attempt."""
        if self._client is None:
            raise SourceError(f"{self.name}: the connection is closed")
        url = f"{self.address}/api/v1/{CALL}"
        request = self._client.build_request("POST", url, data=dict(form), headers=resolved(self.headers))
        self.access.admit(request)
        self.counted[CALL] += 1
        response = self._client.send(request, stream=True)
        try:
            body = _whole(response)
        finally:
            response.close()
        try:
            answer = _success(response, body)
        except Refused as refusal:
            refusal.said = _without(refusal.said, self._secrets(request))
            raise
        self._answered = True
        when = _date(response.headers.get("Date", ""))
        self.date = inf if when is None else when.timestamp()
        return answer

    def _secrets(self, request: httpx.Request) -> list[str]:
        """What this request held that came from outside the settings."""
        hidden = [name for name, value in self.headers.items() if value.startswith(FROM_ENVIRONMENT)]
        values = [request.headers.get(name, "") for name in ("Authorization", *hidden)]
        parts = [part for value in values for part in (value, value.partition(" ")[2])]
        return [part for part in parts if len(part) >= _SHORTEST]


def _without(text: str, secrets: Iterable[str]) -> str:
    """The text without what let us in: some servers repeat a token that they do not know.

    >>> _without("unknown token 't0p'", ["t0p"])
    "unknown token '***'"
    """
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _whole(response: httpx.Response) -> bytes:
    """The body, unless it is longer than we hold."""
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if len(body) > LARGEST:
            raise Refused(413, "too large", f"the answer exceeds {LARGEST:,} bytes")
    return bytes(body)


def _success(response: httpx.Response, body: bytes) -> dict[str, Any]:
    """The answer, if it is one; else Refused."""
    import orjson

    status, page = response.status_code, "html" in response.headers.get("Content-Type", "").lower()
    if 300 <= status < 400:
        raise Refused(status, "redirect", _elsewhere(response.headers.get("Location", "")))
    wait = _asked_to_wait(response.headers.get("Retry-After", ""))
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        said = "" if page else body[:1000].decode("utf-8", "replace")
        raise Refused(status, "", said or ("an empty answer" if status == 200 and not page else ""), wait, page)
    if 200 <= status < 300 and answer.get("status") == "success":
        return answer
    kind, said = str(answer.get("errorType", "")), str(answer.get("error", answer.get("message", "")))
    raise Refused(422 if status == 200 and kind else status, kind, said, wait)


def _elsewhere(location: str) -> str:
    """Where a redirect leads, without the query, which may hold a session."""
    try:
        parts = urlsplit(location)
        return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else parts.path
    except ValueError:
        return ""


def _asked_to_wait(header: str) -> float | None:
    """Seconds of a Retry-After header, which is a count or a date (RFC 9110, section 10.2.3).

    >>> _asked_to_wait("2"), _asked_to_wait(""), _asked_to_wait("soon")
    (2.0, None, None)
    """
    if header.strip().isdigit():
        return float(header)
    when = _date(header)
    return None if when is None else max(0.0, (when - datetime.now(UTC)).total_seconds())


def _date(header: str) -> datetime | None:
    """A date of HTTP, if it is one."""
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
