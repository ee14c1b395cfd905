"""What to say after a pull: series without a value, answers that stayed in part, and what CloudWatch itself said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from capacity.findings import Finding
from capacity.sources.base import Span
from capacity.sources.cloudwatch.asking import FORBIDDEN, LATE, UNSERVED
from capacity.sources.cloudwatch.caches import CLOUDFRONT, ELASTICACHE
from capacity.sources.cloudwatch.catalogue import BALANCER, DEFINED, ECS_NAMESPACE, INSIGHTS_NAMESPACE, Wanted
from capacity.sources.coverage import Coverage
from capacity.sources.pulling import nothing_found


@dataclass
class Outcome:
    """What came of a pull, series by series.

    span      what was asked for
    unknown   series of which nothing of the span was known before, so that no row means no value
    rows      of each series that was asked
    reasons   why some of it was not answered to its end
    odd       points that are no number, or belong to no interval that was asked for
    messages  of CloudWatch, in order
    """

    span: Span
    unknown: frozenset[Wanted] = frozenset()
    rows: Counter[Wanted] = field(default_factory=Counter)
    reasons: dict[Wanted, set[str]] = field(default_factory=dict)
    odd: Counter[Wanted] = field(default_factory=Counter)
    messages: dict[str, None] = field(default_factory=dict)


def told(outcome: Outcome) -> Iterator[Finding]:
    """Everything remarkable about a pull."""
    yield from _empty(outcome)
    yield from _unfinished(outcome)
    for message in outcome.messages:
        yield Finding("", "", "message", "REVIEW", f"CloudWatch says: {message}", "It may not have given everything.")
    for wanted, count in outcome.odd.items():
        if count:
            yield Finding(
                *(wanted.service, wanted.metric, "odd points", "REVIEW"),
                f"{count} points of {wanted.stat} are no number or start no interval that was asked for, and were not "
                "taken",
                "A test server in between is the usual reason.",
                count=count,
            )


def retention(gone: Span, period: int | None) -> Finding:
    """Part of a span is older than what CloudWatch keeps."""
    kept = "455 days, at any period" if period is None else f"values of {period} s so long"
    return Finding(
        *("", "", "retention", "REVIEW"),
        f"{gone.start:%d %B %Y %H:%M} to {gone.end:%d %B %Y %H:%M} (UTC) was not asked for: CloudWatch does not keep "
        f"{kept}",
        "What was fetched in time stays in the store: fetch often. Older history has to come from files.",
        gone.start,
        gone.end,
    )


def redefined(series: Iterable[Wanted], known: Coverage) -> Iterator[Finding]:
    """Series that are asked for in other words than before, for the first time."""
    before: dict[tuple[str, ...], set[str]] = {}
    for asked in known.spans:
        service, _, digest = asked.service.partition(DEFINED)
        before.setdefault((asked.source, service, asked.metric, asked.stat), set()).add(digest.rstrip(")"))
    for wanted in series:
        digests = before.get((wanted.source, *wanted.key), {wanted.digest})
        if wanted.digest not in digests:
            yield Finding(
                *(wanted.service, wanted.metric, "redefined", "REVIEW"),
                f"{wanted.stat} was asked for in other words before (its table in [cloudwatch] was changed): all of it "
                "that CloudWatch still keeps is read again. Where that has no value, or is no longer kept by the "
                "minute, the values of before stay",
                "If those were wrong, fetch into a new store; if there were none, all is well.",
            )


def _empty(outcome: Outcome) -> Iterator[Finding]:
    """Metrics of a service that have no value in all of the span, of those answered to their end."""
    silent: dict[tuple[str, str], list[Wanted]] = {}
    for wanted in outcome.unknown:
        if not outcome.rows[wanted] and not outcome.reasons.get(wanted, {""}):
            silent.setdefault((wanted.service, wanted.metric), []).append(wanted)
    if silent and not outcome.rows.total():
        places = sorted({wanted.source.partition(":")[2] for wanted in outcome.unknown})
        yield nothing_found("", "", f"{', '.join(places)} has no value at all of what was asked for", _WHERE)
    served = {wanted.service for wanted, rows in outcome.rows.items() if rows and wanted.metric == "requests"}
    when = f"from {outcome.span.start:%d %B %Y %H:%M} to {outcome.span.end:%d %B %Y %H:%M} (UTC)"
    for (service, metric), members in sorted(silent.items()):
        query, stats = members[0].queries[0], ", ".join(sorted(wanted.stat for wanted in members))
        if metric == "errors" and service in served and query.namespace == BALANCER:
            message = f"no 5xx was reported {when}, while requests were: CloudWatch reports this count when it is not 0"
            yield Finding(service, metric, "empty", "PASS", message)
        else:
            message = f"{query.namespace} {query.name} has no value {when} ({stats}): this is a gap, not a zero"
            yield nothing_found(service, metric, message, _CAUSES.get(query.namespace, _CUSTOM))


def _unfinished(outcome: Outcome) -> Iterator[Finding]:
    """Series that were not answered to their end: they are not covered, so that the next pull asks again."""
    concerned: dict[str, set[tuple[str, str]]] = {}
    for wanted, reasons in outcome.reasons.items():
        for reason in reasons:
            concerned.setdefault(reason, set()).add((wanted.service, wanted.metric))
    for reason, series in sorted(concerned.items()):
        if reason in (UNSERVED, LATE):
            yield _OF_ALL[reason]
        else:
            yield from _one_each(reason, sorted(series))


def _one_each(reason: str, series: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    for service, metric in series:
        if reason == FORBIDDEN:
            message = "CloudWatch answers Forbidden: these credentials may not read this metric's account or region"
            advice = "Ask in the account that owns it, or have it share its metrics with this one."
        else:
            message = f"CloudWatch kept answering in part ({reason}), and some values are missing"
            advice = "Fetch again later: only what is missing is asked for."
        yield Finding(service, metric, "unfinished", "UNKNOWN", message, advice)


_OF_ALL = {
    UNSERVED: Finding(
        *("", "latency", "percentiles", "REVIEW"),
        "this server fails (5xx) when percentiles are asked for: they were left out for good, and all else was read",
        "Test servers cannot compute them. Ask without: percentiles = [] in [cloudwatch].",
    ),
    LATE: Finding(
        *("", "", "unfinished", "UNKNOWN"),
        "the pull took so long that its oldest part grew too old for its period, and that part was not asked for",
        "Fetch again: that part is then asked for at the coarser period CloudWatch still keeps.",
    ),
}

_WHERE = (
    "Is it the right region, account and cluster? `aws cloudwatch list-metrics --namespace AWS/ECS` shows what there "
    "is; a test server has only what was put into it."
)
_CAUSES = {
    ECS_NAMESPACE: "No task ran in that time, or the service is younger than that. If tasks did run, compare with "
    "`aws cloudwatch list-metrics --namespace AWS/ECS`: another region or account?",
    BALANCER: "No request came in that time, or another load balancer served it (one that was replaced keeps its own "
    "history): add it with a [[cloudwatch.metric]].",
    CLOUDFRONT: "CacheHitRate and OriginLatency are additional metrics: they have to be switched on for a distribution "
    "and are billed; or say additional_metrics = false. Requests are there whenever it serves: is the id right, and of "
    "a distribution of this account?",
    ELASTICACHE: "Is each name the CacheClusterId of a node (shop-0001-001), in the service's region, and the engine "
    "right? Memcached has other names for its metrics.",
    INSIGHTS_NAMESPACE: "Container Insights was off in that time: it records from when it is switched on.",
}
_CUSTOM = (
    "Check namespace, name and every dimension of the [[cloudwatch.metric]]: `aws cloudwatch list-metrics --namespace "
    "NAMESPACE` shows them as they are spelt, and all of them have to be named."
)
