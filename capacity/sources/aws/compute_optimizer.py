"""AWS Compute Optimizer: the task sizes that AWS itself recommends for ECS services on Fargate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from capacity.errors import SourceError
from capacity.findings import Finding
from capacity.sources.advice import Advice
from capacity.sources.aws.complaints import code_of, credentials_failed
from capacity.sources.aws.door import Door

PROVIDER: Final = "aws-compute-optimizer"

#: What it says nothing about when the service target-tracks it (reference aws.md 6).
_TRACKED: Final = {"TargetTrackingScalingCpu": "CPU", "TargetTrackingScalingMemory": "memory"}


def compute_optimizer(door: Door | None = None, services: Sequence[str] = ()) -> Advice:
    """What Compute Optimizer recommends for the ECS services of an account and region, a row an option.

    services  names, cluster/name, or ARNs; none: all of them

    It knows Fargate services with a day of metrics within two weeks, and is refreshed daily. Sizes are those of a task,
    savings at its own prices. Not opted in, or not allowed: no row, and a finding that says what to do.
    Source: GetECSServiceRecommendations (botocore's model; reference aws.md 6).
    """
    door = door or Door()
    try:
        pages = list(door.pages("compute-optimizer", "get_ecs_service_recommendations", maxResults=1000))
    except SourceError as error:
        if credentials_failed(error):
            raise
        return Advice.of([], [_not_read(error, door.where)])
    found = [one for page in pages for one in page.get("ecsServiceRecommendations", [])]
    kept = [one for one in found if not services or set(services) & set(_names(one["serviceArn"]))]
    failures = [_failure(error) for page in pages for error in page.get("errors", [])]
    rows = [row for one in kept for row in _rows(one)]
    return Advice.of(rows, [*failures, *_silences(kept), *_unmentioned(services, kept, door.where)])


def _names(arn: str) -> tuple[str, ...]:
    """What a service may be called: its ARN, cluster/name and name.

    >>> _names("arn:aws:ecs:eu-west-1:123456789012:service/shop/web")[1:]
    ('shop/web', 'web')
    """
    path = arn.partition(":service/")[2]
    return arn, path, path.rsplit("/", 1)[-1]


def _rows(one: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each suggested size; one without a suggestion when there is none."""
    current = one.get("currentServiceConfiguration", {})
    about = {
        "service": _names(one["serviceArn"])[-1],
        "provider": PROVIDER,
        "resource": one["serviceArn"],
        "finding": one.get("finding", ""),
        "reason": ", ".join(one.get("findingReasonCodes", [])),
        "risk": one.get("currentPerformanceRisk", ""),
        **_size("current", current),
        **({"refreshed_at": one["lastRefreshTimestamp"]} if "lastRefreshTimestamp" in one else {}),
    }
    for option in one.get("serviceRecommendationOptions") or [{}]:
        yield {**about, **_size("suggested", option), **_saving(option)}


def _size(which: str, said: Mapping[str, Any]) -> dict[str, float]:
    """CPU units and MiB as vCPU and GiB; what is not said stays unsaid."""
    names = {"cpu": f"{which}_vcpu", "memory": f"{which}_memory_gib"}
    return {name: said[key] / 1024 for key, name in names.items() if said.get(key)}


def _saving(option: Mapping[str, Any]) -> dict[str, Any]:
    """After discounts where it knows them, else at list price."""
    saving = option.get("savingsOpportunityAfterDiscounts") or option.get("savingsOpportunity") or {}
    money = saving.get("estimatedMonthlySavings") or {}
    said = {
        "saving_percent": saving.get("savingsOpportunityPercentage"),
        "saving_month": money.get("value"),
        "currency": money.get("currency"),
    }
    return {key: value for key, value in said.items() if value is not None}


def _not_read(error: SourceError, region: str) -> Finding:
    if code_of(error.__cause__)[0] == "OptInRequiredException":
        return Finding(
            *("", "", "not-opted-in", "UNKNOWN"),
            f"this account has not opted in to Compute Optimizer, so it recommends nothing in {region}",
            "Opt in (free): `aws compute-optimizer update-enrollment-status --status Active`, and ask again in a day.",
        )
    return Finding(
        *("", "", "not-readable", "UNKNOWN"),
        f"Compute Optimizer in {region} not read. {error}",
        "Plans do not need it: it is a second opinion.",
    )


def _failure(error: Mapping[str, Any]) -> Finding:
    service = _names(error.get("identifier", ""))[-1]
    said = f"{error.get('code', '')} {error.get('message', '')}".strip()
    return Finding(service, "", "not-readable", "UNKNOWN", f"Compute Optimizer says of it: {said}")


def _silences(found: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Silence that looks like agreement: no advice on what a service target-tracks."""
    for one in found:
        tracked = _TRACKED.get(one.get("currentServiceConfiguration", {}).get("autoScalingConfiguration", ""))
        if tracked:
            yield Finding(
                *(_names(one["serviceArn"])[-1], "", "no-advice", "UNKNOWN"),
                f"its autoscaling tracks {tracked}, and for such a service Compute Optimizer recommends no {tracked}",
                f"Do not read it as agreement with today's {tracked}.",
            )


def _unmentioned(services: Sequence[str], kept: Sequence[Mapping[str, Any]], region: str) -> Iterator[Finding]:
    """Services that were asked for and that it says nothing about."""
    mentioned = {name for one in kept for name in _names(one["serviceArn"])}
    for name in sorted(set(services) - mentioned):
        yield Finding(
            *(_names(name)[-1] or name, "", "no-advice", "UNKNOWN"),
            f"Compute Optimizer in {region} says nothing of {name}",
            "It knows services on Fargate with a day of metrics in the last two weeks.",
        )
