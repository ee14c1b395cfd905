"""What Azure complains of, as our errors: what, where, and what to do next. Nothing secret is passed on."""

from __future__ import annotations

from typing import Final, NamedTuple

from capacity.errors import CapacityError, SourceChanged, SourceDenied, SourceError, SourceThrottled
from capacity.sources.patience import redacted


class Refused(SourceError):
    """Azure refused one request as it was put (400), such as for a metric it does not know: another may pass."""


class Doing(NamedTuple):
    """What was being done when Azure complained: the words that an error needs."""

    what: str  # metrics:getBatch in westeurope
    subscription: str
    role: str  # the built-in role that allows it
    check: str  # what to look at when Azure refuses the request itself


#: 529: the metrics service has no capacity left just now (Azure Monitor, "Migrate to the getBatch API").
BUSY: Final = (429, 529)
#: How azure-identity marks a way in that is set up and was refused, unlike those that are not there.
_FAILED: Final = "Authentication failed: "


def ours(error: Exception, doing: Doing) -> CapacityError:
    """The error of ours that says what Azure, or its SDK, said."""
    from azure.core import exceptions as theirs

    if isinstance(error, CapacityError):
        return error
    status = getattr(error, "status_code", None)
    code, said = _said(error)
    named = f" ({code})" if code else ""
    if isinstance(error, theirs.ClientAuthenticationError) and status is None:
        return SourceDenied(
            f"{doing.what}: there is no Azure sign-in that works here. Run `az login`, set AZURE_TENANT_ID, "
            "AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or run where a managed identity is. The Azure SDK said: "
            f"{said}"
        )
    if status == 401:
        return SourceDenied(
            f"{doing.what}: Azure does not accept this sign-in{named}. It has expired, belongs to another tenant, or "
            "this machine's clock is wrong: `az login`, then `az account set --subscription "
            f"{doing.subscription}`, and repeat the command. Azure said: {said}"
        )
    if status == 403:
        return SourceDenied(
            f"{doing.what}: not allowed{named}. Let this identity have the role {doing.role!r} on the subscription: "
            f"`az role assignment create --assignee WHO --role {doing.role!r} --scope /subscriptions/"
            f"{doing.subscription}`; it takes some minutes to work. Azure said: {said}"
        )
    if status in BUSY:
        return SourceThrottled(
            f"{doing.what}: Azure kept asking to slow down ({status}{f', {code}' if code else ''}). Try again later: "
            "what was stored stays, and the next fetch goes on from there."
        )
    if status is not None and status >= 500:
        return SourceError(
            f"{doing.what}: Azure failed ({status}{f', {code}' if code else ''}) and kept failing. Try again later. "
            f"It said: {said}"
        )
    if status is not None and status >= 400:
        kind = Refused if status == 400 else SourceError
        return kind(f"{doing.what}: Azure refused the request{named}: {said} {doing.check}")
    if isinstance(error, theirs.ServiceRequestError | theirs.ServiceResponseError):
        return SourceError(
            f"{doing.what}: no connection. Is the region spelled as in `az account list-locations`, is there a "
            f"network, is there a proxy between? It said: {said}"
        )
    return SourceChanged(f"{doing.what}: the answer does not have the documented form: {said}")


def _said(error: Exception) -> tuple[str, str]:
    """(Azure's code, its message in one line), without anything secret."""
    told = getattr(error, "error", None)  # ODataV4Format, of HttpResponseError
    message = getattr(told, "message", None) or getattr(error, "message", None) or str(error)
    lines = [line for line in str(message).splitlines() if line.strip()]
    # DefaultAzureCredential says in its first line that it failed, and further down which way in failed, and why.
    words = " ".join(redacted(" ".join(lines[:1] + [line for line in lines[1:] if _FAILED in line])).split())[:400]
    return redacted(str(getattr(told, "code", None) or "")), words if words.endswith((".", "!", "?")) else f"{words}."
