"""The way into Azure that both of its sources share: credentials, patience, and a count of every request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from capacity.errors import InputError, MissingExtra
from capacity.sources.azure.complaints import BUSY

#: Whom a token is asked for: the scope of the service that shall accept it.
METRICS_SCOPE: Final = "https://metrics.monitor.azure.com/.default"
MANAGEMENT_SCOPE: Final = "https://management.azure.com/.default"

#: For what azure-identity logs of each attempt: it reaches us as an error, and nobody set a log up to see it twice.
_UNHEARD: Final = logging.NullHandler()
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def policies(
    credential: Any,
    scope: str,
    *,
    count: Callable[[], None] | None = None,
    sleep: Callable[[float], None] | None = None,
    reading: bool = True,
) -> dict[str, Any]:
    """Settings of an SDK client: our pipeline in place of its own, over its real transport.

    Retry-After is obeyed; else waits grow to 20 s, about a minute in all. The SDK's default would not repeat a POST
    that was throttled without Retry-After. The management clients' own pipeline may also register a resource provider
    in the subscription when Azure asks for it: a read of ours changes nothing, so that policy is left out.

    count    called once for each request sent, those repeated included
    sleep    takes seconds; default `time.sleep`
    reading  False: whoever asks reads the JSON, faster
    """
    from azure.core.pipeline import policies as theirs
    from azure.core.pipeline.transport import RequestsTransport

    class Transport(RequestsTransport):
        def sleep(self, duration: float) -> None:
            (sleep or super().sleep)(duration)

    retry = theirs.RetryPolicy(
        retry_total=8, retry_status=8, retry_connect=3, retry_read=3, retry_backoff_max=20, retry_on_status_codes=BUSY
    )
    return {
        "transport": Transport(connection_timeout=10, read_timeout=60),
        "policies": [
            theirs.RequestIdPolicy(),
            theirs.HeadersPolicy(),
            theirs.UserAgentPolicy("ecs-capacity"),
            theirs.ProxyPolicy(),
            *([theirs.ContentDecodePolicy()] if reading else []),
            retry,
            theirs.BearerTokenCredentialPolicy(credential, scope),
            theirs.CustomHookPolicy(raw_request_hook=lambda request: count() if count else None),
        ],
    }


@contextmanager
def signed_in(credential: Any | None) -> Iterator[Any]:
    """The credential given, or what `DefaultAzureCredential` finds: environment, managed identity, `az login`."""
    if credential is not None:
        yield credential
        return
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise MissingExtra("azure-identity", "azure", "signing in to Azure") from None
    logging.getLogger("azure").addHandler(_UNHEARD)  # whoever does set one up still sees it all
    with DefaultAzureCredential() as found:
        yield found


def options(endpoint: str) -> dict[str, Any]:
    """Options of every call to an endpoint. Tokens travel unencrypted only inside this machine.

    >>> options("http://127.0.0.1:8080")["enforce_https"], options("https://westeurope.metrics.monitor.azure.com")
    (False, {'retry_on_methods': ['GET', 'POST']})
    >>> options("http://example.com")
    Traceback (most recent call last):
        ...
    capacity.errors.InputError: endpoint http://example.com: a token may not travel unencrypted. Use https://.
    """
    patient: dict[str, Any] = {"retry_on_methods": ["GET", "POST"]}
    address = urlsplit(endpoint)
    if address.scheme == "https":
        return patient
    if address.scheme == "http" and address.hostname in _LOOPBACK:
        return {**patient, "enforce_https": False}
    raise InputError(f"endpoint {endpoint}: a token may not travel unencrypted. Use https://.")
