"""How well Savings Plans fit: percentages by day, of the account, and what is said where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from capacity.errors import SourceChanged, SourceError
from capacity.sources import Span
from capacity.sources.aws.door import Door
from capacity.sources.bills.cost_explorer import CostExplorer
from capacity.sources.coverage import NOTHING
from tests.sources.aws.allowed import assert_within_policy
from tests.sources.aws.fake import Answers, Asked, Complaint
from tests.sources.bills.test_cost_explorer import NOW, day, values
from tests.sources.bills.truth import CostExplorerOf, answering, paid, the_door

BILL: Mapping[tuple[str, str], Answers] = {("ce", "GetCostAndUsage"): CostExplorerOf([])}
COVERAGE, UTILIZATION = ("ce", "GetSavingsPlansCoverage"), ("ce", "GetSavingsPlansUtilization")
OCTOBER = Span(day("2026-10-01"), day("2026-11-01"))


def days(asked: Asked) -> pd.DatetimeIndex:
    period = asked.params["TimePeriod"]
    return pd.date_range(period["Start"], period["End"], inclusive="left")


def coverage(asked: Asked) -> dict[str, Any]:
    """Twenty days a page, as documented: of the n-th of a month n % are covered; of the 13th there is no spend."""
    found = [
        {
            "Attributes": {},
            "Coverage": {
                "SpendCoveredBySavingsPlans": f"{each.day / 10}",
                "OnDemandCost": f"{10 - each.day / 10}",
                "TotalCost": "0" if each.day == 13 else "10",
                "CoveragePercentage": f"{each.day}.5",
            },
            "TimePeriod": {"Start": f"{each:%Y-%m-%d}", "End": f"{each + pd.Timedelta('1D'):%Y-%m-%d}"},
        }
        for each in days(asked)
    ]
    start = int(asked.params.get("NextToken", "0"))
    page: dict[str, Any] = {"SavingsPlansCoverages": found[start : start + 20]}
    return page | ({"NextToken": str(start + 20)} if start + 20 < len(found) else {})


def utilization(asked: Asked) -> dict[str, Any]:
    return {
        "SavingsPlansUtilizationsByTime": [
            {
                "TimePeriod": {"Start": f"{each:%Y-%m-%d}", "End": f"{each + pd.Timedelta('1D'):%Y-%m-%d}"},
                "Utilization": {
                    "TotalCommitment": "24",
                    "UsedCommitment": "18",
                    "UnusedCommitment": "6",
                    "UtilizationPercentage": "75",
                },
            }
            for each in days(asked)
        ],
        "Total": {"Utilization": {"TotalCommitment": "24", "UtilizationPercentage": "75"}},
    }


PLANS: Mapping[tuple[str, str], Answers] = {**BILL, COVERAGE: coverage, UTILIZATION: utilization}


def source(**fields: Any) -> CostExplorer:
    return CostExplorer(the_door(), clock=lambda: NOW, **fields)


def test_every_day_has_its_percentage_and_a_day_without_spend_has_none() -> None:
    with answering(PLANS):
        found = values(source().read(OCTOBER).frame)
    expected = {("(account)", "commitment_coverage", f"10-{n:02} 00"): n + 0.5 for n in range(1, 32) if n != 13}
    expected |= {("(account)", "commitment_utilization", f"10-{n:02} 00"): 75.0 for n in range(1, 32)}
    assert found == expected


def test_calls_are_estimated_paid_once_and_not_made_again_for_what_is_settled() -> None:
    with answering(PLANS) as aws:
        pulling = source()
        estimated = pulling.outlay(OCTOBER)
        known = NOTHING
        for batch in pulling.pull(OCTOBER):
            known |= batch.covered
        assert pulling.spent == estimated
        assert estimated.calls == {
            "GetCostAndUsage": 1,
            "GetSavingsPlansCoverage": 2,
            "GetSavingsPlansUtilization": 1,
        }
        assert estimated.usd == pytest.approx(0.04)
        made = paid(aws)
        assert list(source().pull(OCTOBER, known)) == [] and paid(aws) == made


def test_days_that_may_still_come_are_not_covered_and_yesterday_is_not_asked_for() -> None:
    span = Span(day("2026-11-20"), NOW)
    with answering(PLANS) as aws:
        batches = list(source().pull(span))
        (asked,) = [each for each in aws.asked if each.operation == "GetSavingsPlansUtilization"]
    assert asked.params["TimePeriod"] == {"Start": "2026-11-20", "End": "2026-11-25"}
    covered = [(each.metric, until.end) for batch in batches for each, until in batch.covered if each.metric != "cost"]
    assert covered == [("commitment_coverage", day("2026-11-23")), ("commitment_utilization", day("2026-11-23"))]


def test_no_call_is_made_that_the_policy_for_cost_does_not_allow(tmp_path: Path) -> None:
    with answering(PLANS) as aws:
        door = Door(endpoint=aws.url)
        CostExplorer(door, "Service", cache=tmp_path, clock=lambda: NOW).read(OCTOBER)
    assert_within_policy(door, "cost")
    assert {operation for _, operation in door.counted} == {
        *("get_cost_and_usage", "get_savings_plans_coverage", "get_savings_plans_utilization", "get_caller_identity")
    }


@pytest.mark.parametrize(
    "complaint",
    [Complaint("DataUnavailableException", "none"), Complaint("AccessDeniedException", "not authorized")],
)
def test_without_plans_or_the_right_to_see_them_the_bill_is_whole_and_it_is_said_once(complaint: Complaint) -> None:
    year = Span(day("2026-01-01"), day("2026-11-01"))
    with answering({**BILL, COVERAGE: complaint, UTILIZATION: complaint}) as aws:
        pulling = source()
        read = pulling.read(year)
        assert aws.calls("GetSavingsPlansCoverage") == aws.calls("GetSavingsPlansUtilization") == 1
        assert set(pulling.spent.calls) == {"GetCostAndUsage"}  # what fails is not charged
    told = [finding for finding in read.findings if finding.check == "commitments"]
    assert [finding.metric for finding in told] == ["commitment_coverage", "commitment_utilization"]
    assert all(finding.status == "UNKNOWN" for finding in told)


def test_a_failure_is_not_taken_for_an_account_without_plans() -> None:
    with (
        answering({**PLANS, COVERAGE: Complaint("InternalFailure", "oh no", 500)}),
        pytest.raises(SourceError, match="kept failing"),
    ):
        source().read(OCTOBER)


def test_an_answer_of_another_form_is_said_to_be_one() -> None:
    odd = {
        "SavingsPlansCoverages": [
            {
                "Coverage": {"CoveragePercentage": "much", "TotalCost": "1"},
                "TimePeriod": {"Start": "2026-10-01", "End": "2026-10-02"},
            }
        ]
    }
    with answering({**PLANS, COVERAGE: odd}), pytest.raises(SourceChanged, match="documented form"):
        source().read(OCTOBER)
