"""What a Prometheus server complains of, as our errors: what, where, and what to do next. Nothing secret passes."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import Final

from capacity.errors import CapacityError, InputError, SourceChanged, SourceDenied, SourceError, SourceThrottled
from capacity.sources.patience import redacted

#: Attempts at one call while a server that has answered before is away or busy: with full jitter of up to 20 s, a
#: minute and a half. A restart takes that long while the server replays its log.
PATIENT: Final = 12
#: Attempts while it fails, or was never reached: four seconds. A wrong address is for a person to see.
PERSISTENT: Final = 5
#: Attempts at one size after a call took too long; then less is asked for at a time.
HURRIED: Final = 2
#: The longest wait that a server may ask for, seconds. Whoever asks for more is for a person to see.
LONGEST_WAIT: Final = 300.0

#: How servers say that a question is too large (Prometheus promql/engine.go and web/api/v1/api.go, Mimir's
#: err-mimir-max-* messages, Amazon Managed Prometheus service quotas). Less at a time may pass.
_LIMIT = re.compile(r"(?i)too many|too long|too large|exceed|limit|maximum")
#: And how they say that it makes no sense, at any size. They quote labels, which may be called `limit`.
_NOT_A_LIMIT = re.compile(
    r"(?i)parse error|unknown function|invalid parameter|duplicate series|multiple matches|same labelset"
)


@dataclass(eq=False)
class Refused(Exception):
    """An answer that is none. `kind` and `said` as the server puts them; `wait`: seconds it asked us to wait."""

    status: int
    kind: str = ""
    said: str = ""
    wait: float | None = None
    page: bool = False  # said in HTML: by a proxy, not by the server

    def __str__(self) -> str:
        return f"HTTP {self.status} {self.kind}".strip()


class TooMuch(Exception):
    """Less has to be asked for at a time. `error` is ours, for when that is not possible; `slow`: it took too long."""

    def __init__(self, error: CapacityError, *, slow: bool = False) -> None:
        super().__init__(str(error))
        self.error, self.slow = error, slow


def may_pass(error: BaseException, attempt: int, answered: bool) -> bool:
    """Whether to make the same call again.

    answered  whether this server has answered us before: it is there, and will come back
    """
    import httpx

    if isinstance(error, Refused):
        if error.wait is not None and error.wait > LONGEST_WAIT:
            return False
        if is_slow(error):
            return attempt < HURRIED
        if error.status == 429 or (error.status == 503 and answered):
            return attempt < PATIENT
        return attempt < PERSISTENT and error.status in (408, 500, 502, 503, 504)
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return attempt < HURRIED
    if untrusted(error) or isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return False
    return attempt < (PATIENT if answered else PERSISTENT) and isinstance(error, httpx.TransportError)


def is_slow(error: BaseException) -> bool:
    """Whether the call took longer than the server, or we, would wait."""
    import httpx

    return (isinstance(error, Refused) and error.kind == "timeout") or isinstance(
        error, httpx.ReadTimeout | httpx.WriteTimeout
    )


def is_large(error: BaseException) -> bool:
    """Whether the server says that less at a time may pass.

    >>> is_large(Refused(422, "execution", "query processing would load too many samples into memory"))
    True
    >>> is_large(Refused(400, "bad_data", 'parse error: unknown function with name "limit"'))
    False
    >>> is_large(Refused(422, "execution", 'found duplicate series for the match group {memory_limit="1"}'))
    False
    """
    if not isinstance(error, Refused):
        return False
    limit = bool(_LIMIT.search(error.said)) and not _NOT_A_LIMIT.search(error.said)
    return error.status == 413 or (error.status in (400, 422) and limit)


def untrusted(error: BaseException) -> bool:
    """Whether TLS failed on the way: a certificate nobody vouches for, a key that does not fit, plain HTTP."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def ours(error: Exception, name: str, query: str, promql: str) -> CapacityError:
    """The error of ours that says what happened.

    name    of the source: prometheus:host:9090
    query   what was asked, in a few words: requests (mean)
    promql  its text
    """
    if isinstance(error, CapacityError):
        return error
    place = f"{name}, {query}"
    if isinstance(error, Refused):
        return _refusal(error, name, place, promql)
    if is_slow(error):
        return SourceError(
            f"{place}: no answer in time, though less and less was asked for. Raise `timeout` of [prometheus], or ask "
            "for less: a recording rule, fewer labels, a longer step."
        )
    said = redacted(str(error))
    if untrusted(error):
        return SourceDenied(
            f"{name}: no secure connection: {said}. For a certificate of your own authority name it in `ca_file` of "
            "[prometheus]; if the server wants to see one, name `cert_file` and `key_file`; if it speaks plain HTTP, "
            "write http:// in the url."
        )
    return SourceError(
        f"{name}: no connection ({said or type(error).__name__}). Does the server run, is this its address and port, "
        "is there a network or a proxy between? What was stored stays: repeat the command, and it goes on from there."
    )


def _refusal(error: Refused, name: str, place: str, promql: str) -> CapacityError:
    said = shown(error.said)
    if 300 <= error.status < 400:
        return SourceDenied(
            f"{name}: instead of an answer we are sent to {said or 'another address'} (HTTP {error.status}). If that "
            "is a sign-in page, set a token or a password in [prometheus]; if it is where the server lives now, write "
            "that address into url. We follow nobody elsewhere: a token would come along."
        )
    if error.page and error.status == 200:
        return SourceDenied(
            f"{name}: a web page came instead of an answer, as sign-in pages do. Set bearer_token_env, basic_user or "
            "sigv4_region in [prometheus], or use the address behind the sign-in: `curl URL/api/v1/query?query=up` has "
            "to print JSON."
        )
    if error.status in (401, 403):
        return SourceDenied(
            f"{name}: not let in (HTTP {error.status}). Check the token, password or signature that [prometheus] "
            "points to, and a tenant header such as X-Scope-OrgID; for Amazon Managed Prometheus the role needs "
            f"aps:QueryMetrics. {_quoted(said)}".rstrip()
        )
    if error.status in (404, 405):
        return SourceError(
            f"{name}: there is no query API at this address (HTTP {error.status}). The url ends before /api/v1: "
            "Mimir's has /prometheus at its end, Amazon Managed Prometheus's /workspaces/ws-... ; and a proxy "
            "has to let POST pass."
        )
    if error.status == 429 or error.wait is not None:
        wait = "" if error.wait is None else f" It asks to come back in {error.wait:,.0f} seconds."
        return SourceThrottled(
            f"{place}: the server kept asking to slow down (HTTP {error.status}).{wait} What was stored stays: repeat "
            f"the command later. {_quoted(said)}".rstrip()
        )
    if error.kind == "timeout":
        return SourceError(
            f"{place}: the server took too long, though less and less was asked for. Raise its --query.timeout, or ask "
            f"for less: a recording rule, fewer labels, a longer step. {_quoted(said)}".rstrip()
        )
    if is_large(error):
        return InputError(
            f"{place}: the server refuses even one point of this as too much. {_quoted(said)}\n  {redacted(promql)}",
            advice="Select less (label matchers, a recording rule), or raise its --query.max-samples.",
        )
    if error.status in (400, 422):
        return InputError(
            f"{place}: the server cannot answer this query. {_quoted(said)}\n  {redacted(promql)}",
            advice="Try it in the server's own page, mend it there, and copy it back into [[prometheus.query]].",
        )
    if error.status == 200:
        return SourceChanged(
            f"{place}: the answer is not of the documented form: {said}. Is this the address of a server that speaks "
            "Prometheus' HTTP API?"
        )
    return SourceError(
        f"{place}: the server failed (HTTP {error.status}) and kept failing. Try again later: what was stored stays. "
        f"{_quoted(said)}".rstrip()
    )


def shown(text: str, most: int = 300) -> str:
    """Their words, fit to be printed: on one line, not too long, without secrets.

    >>> shown("parse\\nerror\\x1b[31m")
    'parse error [31m'
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in redacted(text))
    plain = " ".join(plain.split())
    return plain if len(plain) <= most else plain[:most] + " ..."


def _quoted(said: str) -> str:
    return f"The server said: {said}" if said else ""
