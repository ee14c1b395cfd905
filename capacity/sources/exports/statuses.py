"""What CloudWatch says of an answer beside its values: that it is not complete, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from capacity.findings import Finding, Status
from capacity.sources.patience import redacted

#: Status codes of a result (API: MetricDataResult): status of the finding, what it means, and what to do.
_CODES: Final[dict[str, tuple[Status, str, str]]] = {
    "partialdata": (
        "REVIEW",
        "not all of its values were returned (PartialData)",
        "Ask again with the NextToken of the last page (`aws cloudwatch get-metric-data` does so by itself), or for "
        "less at once.",
    ),
    "internalerror": ("FAIL", "CloudWatch failed to return its values (InternalError)", "Export it again."),
    "forbidden": (
        "FAIL",
        "the caller was not allowed to read it (Forbidden)",
        "Grant cloudwatch:GetMetricData in the account the metric lives in, and export it again.",
    ),
}
#: How much of a message is passed on.
_LONGEST: Final = 300


def status_finding(where: str, label: str, code: str, message: str = "") -> Iterator[Finding]:
    """What is remarkable about a result of that status; nothing, for a complete one without a message.

    >>> [finding.status for finding in status_finding("a.json", "'m1'", "PartialData")]
    ['REVIEW']
    """
    words = "".join(letter for letter in redacted(message.strip()) if letter.isprintable())[:_LONGEST]
    said = f". CloudWatch said: {words}" if words else ""
    known = _CODES.get(code.strip().casefold())
    if known is not None:
        status, meaning, advice = known
        yield Finding("", "", "partial", status, f"{where}: {label}: {meaning}{said}", advice)
    elif code.strip().casefold() not in ("", "complete"):
        yield Finding("", "", "partial", "UNKNOWN", f"{where}: {label}: has status {code[:40]!a}{said}")
    elif words:
        yield Finding("", "", "partial", "REVIEW", f"{where}: {label}{said}")
