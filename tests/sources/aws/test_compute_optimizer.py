"""What Compute Optimizer recommends arrives in our units, and its silences are said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from capacity.errors import SourceDenied
from capacity.sources.advice import Advice
from capacity.sources.aws import Door
from capacity.sources.aws.compute_optimizer import compute_optimizer
from tests.sources.aws.account import arn
from tests.sources.aws.fake import Answer, Answers, Complaint, FakeAws

CALL = ("compute-optimizer", "GetECSServiceRecommendations")


def recommendation(name: str, *options: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "serviceArn": arn("ecs", "eu-west-1", f"service/shop/{name}"),
        "accountId": "123456789012",
        "currentServiceConfiguration": {"memory": 2048, "cpu": 1024},
        "utilizationMetrics": [{"name": "Cpu", "statistic": "Maximum", "value": 22.0}],
        "lookbackPeriodInDays": 14.0,
        "launchType": "Fargate",
        "lastRefreshTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "finding": "Overprovisioned",
        "findingReasonCodes": ["CPUOverprovisioned"],
        "serviceRecommendationOptions": list(options),
        "currentPerformanceRisk": "VeryLow",
        **more,
    }


def saving(percent: float, usd: float) -> dict[str, Any]:
    money = {"currency": "USD", "value": usd}
    return {"savingsOpportunityPercentage": percent, "estimatedMonthlySavings": money}


def advised(answers: Answers, services: tuple[str, ...] = ()) -> tuple[Advice, FakeAws]:
    with FakeAws({CALL: answers}) as aws:
        return compute_optimizer(Door("eu-west-1", endpoint=aws.url, sleep=lambda s: None), services), aws


@pytest.fixture(autouse=True)
def _keys(keys: None) -> None:
    """Every test here signs with made-up keys."""


def test_every_page_and_option_is_a_row_in_our_units() -> None:
    half = {"memory": 2048, "cpu": 512, "savingsOpportunity": saving(41.0, 59.1)}
    discounted = {
        "memory": 1024,
        "cpu": 256,
        "savingsOpportunity": saving(60.0, 80.0),
        "savingsOpportunityAfterDiscounts": saving(55.0, 40.0),
    }
    pages: list[Answer] = [
        {"ecsServiceRecommendations": [recommendation("web", half, discounted)], "nextToken": "2"},
        {"ecsServiceRecommendations": [recommendation("api", finding="Optimized", findingReasonCodes=[])]},
    ]
    advice, aws = advised(pages)
    assert [each.params for each in aws.asked] == [{"maxResults": 1000}, {"maxResults": 1000, "nextToken": "2"}]
    rows = advice.frame.set_index(["service", "suggested_vcpu"]).sort_index()
    assert rows.index.tolist()[1:] == [("web", 0.25), ("web", 0.5)]
    web = rows.loc[("web", 0.5)]
    assert (web["current_vcpu"], web["current_memory_gib"], web["suggested_memory_gib"]) == (1.0, 2.0, 2.0)
    assert (web["saving_percent"], web["saving_month"], web["currency"]) == (41.0, 59.1, "USD")
    assert (web["finding"], web["reason"], web["risk"]) == ("Overprovisioned", "CPUOverprovisioned", "VeryLow")
    assert (web["provider"], str(web["refreshed_at"])) == ("aws-compute-optimizer", "2026-01-01 00:00:00+00:00")
    assert rows.loc[("web", 0.25), "saving_month"] == 40.0
    api = advice.frame[advice.frame["service"] == "api"]
    assert api[["suggested_vcpu", "suggested_memory_gib", "saving_month"]].isna().all(axis=None)
    assert len(advice.findings) == 0


@pytest.mark.parametrize(
    ("complaint", "says", "do"),
    [
        (Complaint("OptInRequiredException"), "has not opted in", "update-enrollment-status --status Active"),
        (
            Complaint("AccessDeniedException"),
            "Let the role or user have compute-optimizer:GetECSServiceRecommendations",
            "a second opinion",
        ),
        (Complaint("ServiceUnavailableException", "", 503), "kept failing", "a second opinion"),
    ],
)
def test_no_answer_is_a_finding_that_says_what_to_do(complaint: Complaint, says: str, do: str) -> None:
    advice, _ = advised(complaint)
    assert len(advice) == 0
    (finding,) = advice.findings
    assert finding.status == "UNKNOWN" and says in finding.message and do in finding.advice


def test_expired_keys_are_an_error() -> None:
    with pytest.raises(SourceDenied, match="have expired"):
        advised(Complaint("ExpiredTokenException"))


@pytest.mark.parametrize(("scaling", "what"), [("Cpu", "CPU"), ("Memory", "memory")])
def test_silence_about_what_is_target_tracked_is_not_agreement(scaling: str, what: str) -> None:
    current = {"memory": 2048, "cpu": 1024, "autoScalingConfiguration": f"TargetTrackingScaling{scaling}"}
    advice, _ = advised({"ecsServiceRecommendations": [recommendation("web", currentServiceConfiguration=current)]})
    (finding,) = advice.findings
    assert finding.service == "web" and f"recommends no {what}" in finding.message
    assert f"agreement with today's {what}" in finding.advice


def test_services_can_be_chosen_and_one_it_does_not_know_is_said() -> None:
    answer = {"ecsServiceRecommendations": [recommendation("web"), recommendation("api")]}
    for name in ("api", "shop/api", arn("ecs", "eu-west-1", "service/shop/api")):
        advice, _ = advised(answer, (name,))
        assert advice.frame["service"].tolist() == ["api"] and len(advice.findings) == 0
    advice, _ = advised(answer, ("api", "batch"))
    (finding,) = advice.findings
    assert finding.service == "batch" and "says nothing of batch" in finding.message


def test_what_it_could_not_do_for_a_service_is_passed_on() -> None:
    error = {
        "identifier": arn("ecs", "eu-west-1", "service/shop/old"),
        "code": "NotFound",
        "message": "no such service",
    }
    advice, _ = advised({"ecsServiceRecommendations": [], "errors": [error]})
    (finding,) = advice.findings
    assert finding.service == "old" and "NotFound no such service" in finding.message
